/* SPDX-License-Identifier: MIT */
/* looks: how ClaRAN's boxes look: with or without their labels, with the runner-up in
 * them, each class in a colour of its own.
 *
 *     rg_looks looks = { .labels = true, .alternatives = true };
 *     RG_TRY(rg_looks_dress(regions, &looks, file));
 *
 * Text in, text out, as DS9 has it; a label that is hidden moves into a tag (regions/
 * region.h) and comes back as it was, the user's own words too.
 */
#ifndef RG_LOOKS_H
#define RG_LOOKS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct rg_looks {
    bool labels;              /* shown */
    bool alternatives;        /* "2C_3P 0.93 or 2C_2P 0.05", where it has a runner-up */
    bool colours;             /* one for each class; false: each box keeps its own */
    int boxes;                /* of rg_looks_of */
} rg_looks;

/* `regions` with ClaRAN's boxes made to look so; other lines go through unchanged. */
void rg_looks_dress(const char *regions, const rg_looks *looks, FILE *to);

/* How the boxes look now: labels where one is shown, alternatives where one has them;
 * and how many boxes of ours there are. */
rg_looks rg_looks_of(const char *regions);

#endif

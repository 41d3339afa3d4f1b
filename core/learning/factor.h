/* SPDX-License-Identifier: MIT */
/* factor: which rows are trained, and how fast, as a user writes it.
 *
 *     rg_factors factors;
 *     RG_TRY(rg_factor_read(&factors, "..conv2_2", "conv*=0.1,*.bias=2"));
 *     net_options.factors = factors.of;
 *     net_options.nfactors = factors.n;
 */
#ifndef RG_FACTOR_H
#define RG_FACTOR_H

#include "core/engine/net.h"

typedef struct rg_factors {
    rg_net_factor of[64];
    int n;
    char text[4096];          /* what they point into: copy none of this struct */
} rg_factors;

/* `freeze`: patterns (net.h) with commas between them, factor 0; `factors`:
 * PATTERN=FACTOR with commas between them.  NULL, "" and "none" are none. */
int rg_factor_read(rg_factors *out, const char *freeze, const char *factors);

#endif

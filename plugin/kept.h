/* SPDX-License-Identifier: MIT */
/* kept: results of detections, kept in ~/.cache/claran per image and model, so that
 * another threshold needs no network.
 *
 *     rg_kept kept = { .from = from, ... };
 *     RG_TRY(rg_kept_write(&kept, radio, NULL));
 *     rg_kept again;
 *     if (rg_kept_find(&again, radio, model, NULL, NULL) == 0) ...
 *     rg_kept_clear(&again);
 *
 * A file is written beside and renamed, and ends with a checksum: a damaged one is as
 * good as none.  At most 64 MiB are kept, 500 files, for 30 days; what is older, and
 * what a process that was killed left beside, goes when the next is written.  In a
 * folder of the user's, which is made where it is missing, all are kept for ever.
 */
#ifndef RG_KEPT_H
#define RG_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/detector/detect.h"
#include "regions/region.h"

enum { RG_KEPT_KEY = 4096 };

typedef struct rg_kept {
    rg_provenance from;       /* method, model, weights, version, checksum */
    char key[RG_KEPT_KEY];    /* all that decides over the result, in one line */
    rg_detection *all;        /* [n] as of rg_detect with options.all; owned */
    int n;
    int uncovered;            /* windows not looked at for want of infrared */
} rg_kept;

/* Kept under the image (its pixels and its grid), the model and the key; `folder` NULL:
 * in ~/.cache/claran. */
int rg_kept_write(const rg_kept *kept, const rg_image *radio, const char *folder);

/* The last one written or found of that image; only of that model (rg_detect_hash) and
 * of that key, where they are not NULL, as they must not be with a folder of the
 * user's.  -1 and a sentence where there is none. */
int rg_kept_find(rg_kept *kept, const rg_image *radio, const char *model,
                 const char *key, const char *folder);
void rg_kept_clear(rg_kept *kept);

/* Where an image is, for a key: its size and the sky at its corners. */
void rg_kept_grid(const rg_image *image, char text[256]);

#endif

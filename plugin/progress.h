/* SPDX-License-Identifier: MIT */
/* progress: of a detection that goes on, every two seconds: a line on stdout, and, if
 * asked for, what was found so far.
 *
 *     rg_progress progress = { .radio = radio, .threshold = 0.8f };
 *     rg_progress_begin(&progress, &options);           // hooks of rg_detect_options
 *     RG_TRY(rg_detect(...));
 *     rg_progress_end(&progress);
 *
 * Where the line cannot be written, because DS9 is gone, the process ends with a
 * sentence: nobody waits for the rest.
 */
#ifndef RG_PROGRESS_H
#define RG_PROGRESS_H

#include "core/detector/detect.h"

typedef struct rg_progress {
    const rg_image *radio;            /* borrowed; set by the caller, as are ... */
    float threshold;
    int (*show)(void *user, const rg_detection *found, int n);   /* NULL: nothing */
    void *user;
    const rg_detect_options *how;     /* borrowed */
    rg_detection *seen;               /* [n], owned */
    int n, room;
    double began, last;               /* [s] */
} rg_progress;

void rg_progress_begin(rg_progress *progress, rg_detect_options *options);
void rg_progress_end(rg_progress *progress);

#endif

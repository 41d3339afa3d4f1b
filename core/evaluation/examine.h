/* SPDX-License-Identifier: MIT */
/* examine: a detector run once over a labelled list.
 *
 *     rg_evaluation *e;
 *     RG_TRY(rg_examine(detector, list, 0.8, rg_options_progress, "fields", &e));
 *     rg_evaluate_free(e);
 */
#ifndef RG_EXAMINE_H
#define RG_EXAMINE_H

#include "core/evaluation/evaluate.h"

/* Detections of all three sets in every field of the list, in its order, beside its
 * labels, all measured.  The detector is opened with options.all; `threshold` is that
 * of RG_FOUND_SHOWN.  `progress` may be NULL.  Caller frees *out. */
int rg_examine(rg_detector *detector, const rg_dataset *list, float threshold,
               void (*progress)(void *user, int done, int total), void *user,
               rg_evaluation **out);

/* The same in two steps, for another calibration without running the network again:
 * what is found in each field of the list, and the sets of it under the calibration
 * that the detector has now (not measured, and of a field whatever its size).  Within a
 * class detections were suppressed under the calibration of the first step.  Clear what
 * comes out of it. */
typedef struct rg_looks {
    rg_detection **found;     /* [list->nfields][n[i]]; owned */
    int *n;                   /* owned */
    int fields;
} rg_looks;
int rg_examine_look(rg_detector *detector, const rg_dataset *list,
                    void (*progress)(void *user, int done, int total), void *user,
                    rg_looks *looks);
int rg_examine_judge(const rg_detector *detector, const rg_dataset *list,
                     const rg_looks *looks, float threshold, rg_evaluation **out);
void rg_examine_clear(rg_looks *looks);

#endif

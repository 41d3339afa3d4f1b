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

#endif

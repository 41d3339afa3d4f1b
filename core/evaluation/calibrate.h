/* calibrate: a network's probabilities made believable (Platt 1999; Guo et al. 2017).
 *
 *     rg_calibration c = { .folds = 5, .seed = 1 };
 *     RG_TRY(rg_calibrate_fit(evaluation, 0.5, &c));
 *     memcpy(model.calibration, c.calibration, sizeof c.calibration);
 */
#ifndef RG_CALIBRATE_H
#define RG_CALIBRATE_H

#include "core/evaluation/evaluate.h"

typedef struct rg_calibration {
    /* set by the caller */
    bool temperature;         /* b = 0: for few sources */
    int folds;                /* of the cross-validation, by field: 5 */
    uint64_t seed;            /* of who is in which */
    /* found */
    float calibration[2];     /* a, b of rg_claran_calibrate */
    int detections, right;    /* it rests on */
    double before, after;     /* expected calibration error on them, 0..1 */
    double crossed;           /* ... each left out of its fit; NaN: too few fields */
    double chance;            /* ... if every probability after it were right */
} rg_calibration;

/* Fits a, b to the one-label-per-source detections (RG_FOUND_SINGLE), right where they
 * hit a truth of their class at that IoU, by maximum likelihood with a prior of 1 about
 * a = 1 and b = 0, which weighs as one detection or two and keeps perfect separation
 * from diverging.  The network's own probabilities are taken, so a model that has a
 * calibration gets a new one.  Fewer than 10 detections, or probabilities that fall
 * with being right, are a sentence. */
int rg_calibrate_fit(const rg_evaluation *evaluation, double iou, rg_calibration *c);

/* The model file `from` as `to`, calibrated: the same weights and hash; what was fitted
 * on which `list`, and how well, goes to HISTORY.  Written beside and renamed. */
int rg_calibrate_write(const rg_calibration *c, const char *from, const char *list,
                       const char *to);

#endif

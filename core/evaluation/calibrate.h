/* SPDX-License-Identifier: MIT */
/* calibrate: a network's probabilities made believable (Platt 1999; Guo et al. 2017).
 *
 *     rg_calibration c = { .folds = 5, .seed = 1 };
 *     RG_TRY(rg_calibrate_fit(evaluation, 0.5, &c));
 *     rg_detect_calibrate(detector, c.calibration);
 */
#ifndef RG_CALIBRATE_H
#define RG_CALIBRATE_H

#include "core/evaluation/evaluate.h"

/* Mean average precision (Eq. 12) of every class's detections, over the classes of five
 * sources or more; NaN: there are none. */
typedef struct rg_calibration_map { double six, three; } rg_calibration_map;

typedef struct rg_calibration {
    /* set by the caller */
    bool temperature;         /* all b and e = 0: for few sources */
    int folds;                /* of the cross-validation, by field: 5 */
    uint64_t seed;            /* of who is in which */
    int views;                /* of a window, that the detections are of; 0: as many as
                                 the model says */
    /* found */
    float calibration[RG_CLARAN_CALIBRATION];   /* of rg_claran_calibrate */
    int detections, right;    /* it rests on */
    double before, after;     /* expected calibration error on them, 0..1 */
    double crossed;           /* ... each left out of its fit; NaN: too few fields */
    double chance;            /* ... if every probability after it were right */
    rg_calibration_map map_before, map_after, map_crossed;   /* likewise */
} rg_calibration;

/* Fits a, the b of each class and the e of each evidence to every class's detections
 * (RG_FOUND_ALL), right where they hit a truth of their class at that IoU: which of
 * them come first.  Then a factor and b anew to the one-label-per-source ones
 * (RG_FOUND_SINGLE): how often they are right.  Both by maximum likelihood with normal
 * priors, a about 1 +- 1, b and e about 0 +- 2, which keep perfect separation from
 * diverging and classes without detections at 0.  The network's own probabilities are
 * taken, so a model that has a calibration gets a new one.  Which label a source has
 * depends on the calibration: examine the list again under the new one
 * (rg_detect_calibrate), and fit again; three rounds settle.  Fewer than 10 detections,
 * or probabilities that fall with being right, are a sentence.  In the end the
 * evaluation has the probabilities of the fit. */
int rg_calibrate_fit(rg_evaluation *evaluation, double iou, rg_calibration *c);

/* The model file `from` as `to`, calibrated, for so many views: the same weights and
 * hash; what was fitted on which `list`, and how well, goes to HISTORY.  Written beside
 * and renamed. */
int rg_calibrate_write(const rg_calibration *c, const char *from, const char *list,
                       const char *to);

#endif

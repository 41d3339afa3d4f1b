/* evaluate: average precision of detections against labels (paper 5.2, Eq. 12).
 *
 *     rg_evaluation *e = rg_evaluate_new();
 *     rg_evaluate_add(e, detections, nd, labels, nl);      // one call per image
 *     rg_evaluate_scores(e, 0.5, 5, &scores);
 *     rg_evaluate_free(e);
 */
#ifndef RG_EVALUATE_H
#define RG_EVALUATE_H

#include "core/detector/detect.h"
#include "core/learning/dataset.h"

typedef struct rg_evaluation rg_evaluation;

typedef struct rg_scores {
    int truths[RG_CLASSES];          /* labelled sources */
    int detections[RG_CLASSES];
    double ap[RG_CLASSES];           /* Eq. 12: mean over the truths of the precision at
                                        each true positive; NaN without truths */
    double voc[RG_CLASSES];          /* PASCAL VOC 2010: area under the envelope */
    double map, map_voc;             /* means over classes with at least `least` */
    int classes;                     /* how many those are */
} rg_scores;

rg_evaluation *rg_evaluate_new(void);                       /* NULL: out of memory */
void rg_evaluate_free(rg_evaluation *evaluation);

/* One image: boxes of both in its FITS pixels.  Both are copied.  Detections on an
 * ignored label (IoU over 0.5) count neither way. */
int rg_evaluate_add(rg_evaluation *evaluation, const rg_detection *detections, int nd,
                    const rg_label *labels, int nl);

/* Scores so far at that IoU: detections of all images sorted by P; true positive where
 * IoU > `iou` with a not yet taken truth of the class. */
int rg_evaluate_scores(const rg_evaluation *evaluation, double iou, int least,
                       rg_scores *scores);

#endif

/* SPDX-License-Identifier: MIT */
/* evaluate: detections against labels, and average precision (paper 5.2, Eq. 12).
 *
 *     rg_evaluation *e = rg_evaluate_new();
 *     rg_evaluate_add(e, detections, nd, labels, nl);      // one call per image
 *     rg_evaluate_scores(e, 0.5, 5, &scores);
 *     rg_evaluate_free(e);
 *
 * Scores are made in two steps, of which the first is slow and the same for every
 * resampling of the fields (core/evaluation/bootstrap.h): rg_evaluate_rank judges each
 * detection, rg_evaluate_average counts, each field as often as it is told.
 */
#ifndef RG_EVALUATE_H
#define RG_EVALUATE_H

#include "core/detector/detect.h"
#include "core/data/dataset.h"

/* Which detections: every class's; one label per source, however improbable; one label
 * per source over the working threshold. */
typedef enum rg_found { RG_FOUND_ALL, RG_FOUND_SINGLE, RG_FOUND_SHOWN, RG_FOUND_SETS }
    rg_found;

/* A label or a detection. */
typedef struct rg_entry {
    rg_box box;               /* inclusive pixels of its image */
    double size;              /* diagonal of the box [arcsec]; NaN: not measured */
    double peak;              /* brightest pixel in it [as the image]; NaN likewise */
    int class_, field;
    float probability, raw;   /* of a detection */
    float evidence[RG_EVIDENCES];
    int order;                /* in which it was added */
} rg_entry;

typedef struct rg_entries { rg_entry *item; int n; } rg_entries;   /* field by field */

typedef struct rg_evaluation {   /* to be read; changed by the functions only */
    rg_entries truths, found[RG_FOUND_SETS];   /* owned */
    int fields;
} rg_evaluation;

rg_evaluation *rg_evaluate_new(void);                       /* NULL: out of memory */
void rg_evaluate_free(rg_evaluation *evaluation);

/* One image: boxes of both in its FITS pixels.  Both are copied.  Detections of which
 * more than half lies on an ignored label count neither way (as COCO has it). */
int rg_evaluate_add(rg_evaluation *evaluation, const rg_detection *detections, int nd,
                    const rg_label *labels, int nl);

/* Another set of detections of the image added last, once per set. */
int rg_evaluate_choose(rg_evaluation *evaluation, rg_found set,
                       const rg_detection *detections, int nd);

/* Sizes and peaks of all that was added of the last image.  It has a sky. */
void rg_evaluate_measure(rg_evaluation *evaluation, const rg_image *image);

/* Other probabilities [n] of the detections of a set, in their order. */
void rg_evaluate_restate(rg_evaluation *evaluation, rg_found set,
                         const float *probability);

/* How classes are told apart: as six; by the number of components, 1 to 3 (Table 6);
 * not at all, all are 1. */
typedef enum rg_scheme { RG_SCHEME_SIX, RG_SCHEME_COMPONENTS, RG_SCHEME_ANY } rg_scheme;
int rg_evaluate_class(rg_scheme scheme, int class_);
int rg_evaluate_classes(rg_scheme scheme);                  /* how many: 6, 3, 1 */

typedef enum rg_verdict { RG_WRONG, RG_RIGHT, RG_NEITHER } rg_verdict;

typedef struct rg_judged {
    const rg_entry *entry;    /* borrowed from the evaluation */
    int class_;               /* in the scheme */
    rg_verdict is;
    int truth;                /* index of the one it took, -1: none */
} rg_judged;

typedef struct rg_ranking { rg_judged *item; int n; rg_scheme scheme; } rg_ranking;

/* Every detection of a set, best first, judged: right where its IoU is over `iou` with
 * a not yet taken truth of its class in the scheme (the one it overlaps most is taken);
 * neither on ignored emission.  Clear what comes out. */
int rg_evaluate_rank(const rg_evaluation *evaluation, rg_found set, rg_scheme scheme,
                     double iou, rg_ranking *ranking);
void rg_evaluate_clear(rg_ranking *ranking);

typedef struct rg_scores {
    int truths[RG_CLASSES];          /* labelled sources */
    int detections[RG_CLASSES];
    double ap[RG_CLASSES];           /* Eq. 12: mean over the truths of the precision at
                                        each true positive; NaN without truths */
    double voc[RG_CLASSES];          /* PASCAL VOC 2010: area under the envelope */
    double map, map_voc;             /* means over the classes that count and have
                                        truths */
    bool counts[RG_CLASSES];         /* in the means */
    int classes;                     /* how many do */
} rg_scores;

/* Scores of a ranking with field i counted times[i] times (NULL: once each).  The means
 * are over the classes of `counts` or, where that is NULL, over those of at least
 * `least` truths. */
void rg_evaluate_average(const rg_evaluation *evaluation, const rg_ranking *ranking,
                         const int *times, int least, const bool *counts,
                         rg_scores *scores);

/* Both steps at once, for all detections as six classes. */
int rg_evaluate_scores(const rg_evaluation *evaluation, double iou, int least,
                       rg_scores *scores);

#endif

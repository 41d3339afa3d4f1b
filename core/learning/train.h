/* SPDX-License-Identifier: MIT */
/* train: Faster R-CNN training on labelled lists (spec/claran.md "Training targets").
 *
 *     rg_train_options how = rg_recipe_default.how;     // recipe.h
 *     RG_TRY(rg_train(lists, nlists, &rg_recipe_default.model, &how, "model.fits"));
 */
#ifndef RG_TRAIN_H
#define RG_TRAIN_H

#include <signal.h>

#include "core/detector/proposal.h"
#include "core/engine/backend.h"
#include "core/data/dataset.h"
#include "core/learning/schedule.h"
#include "core/learning/subject.h"

typedef struct rg_train_report {       /* means since the last report */
    long step, steps;
    float total, rpn_cls, rpn_box, roi_cls, roi_box;
    float rate, norm;
    double images_per_s, seconds_left;
    int saved;                         /* a checkpoint was just written */
} rg_train_report;

typedef struct rg_train_options {
    const char *backend;
    rg_precision precision;
    rg_schedule schedule;              /* the learning rate, and how many steps */
    int batch;                         /* images a step */
    int rois;                          /* per image: 128 */
    rg_target_options targets;         /* how anchors and RoIs are sampled */
    rg_proposal_options proposals;     /* that RoIs are sampled from */
    rg_optimizer optimizer;            /* its rate is the schedule's */
    const char *freeze, *factors;      /* rows not trained, rates of rows (factor.h) */
    int box_gradients;                 /* ST pooling's move the proposals, too */
    float dropout;                     /* after fc6 and fc7 */
    float spread;                      /* std of first weights below the convolutions
                                          conv*; 0: He's.  bbox_pred: always 0.001,
                                          the scores: 0.01 */
    float ema;                         /* the model is an average that keeps so much of
                                          itself each step (ema.h); 0: the last one */
    uint64_t seed;
    int flips, turns; /* augmentation: left-right flips, quarter turns */
    double shift;                      /* window centre moved by up to this [arcsec] */
    rg_augment_options augment;        /* further changes of the examples */
    double balance; /* sampling weight of a label: its class's count to
                       the power -balance; 0: every label alike,
                       in windows about its field's middle */
    long checkpoint;                   /* steps between checkpoints */
    const char *start;                 /* weights to start from (no moments), or NULL */
    const char *backbone;              /* convolutions to start from, or NULL */
    int resume;                        /* go on from OUT.checkpoint where it exists */
    long report;                       /* steps between reports */
    void (*progress)(void *user, const rg_train_report *report);
    void *user;
    const char *log;                   /* CSV of losses (losses.h), or NULL */
    const char *const *history;        /* lines for the model's record; NULL-ended */
    volatile sig_atomic_t *stop;       /* set: write a checkpoint and return */
} rg_train_options;

/* How subject `index` of the batch of a step is drawn. */
rg_subject_options rg_train_subject_options(const rg_train_options *how);
uint64_t rg_train_subject_seed(const rg_train_options *how, long step, int index);

/* Train on the lists together and write the model to `out` (16-bit), keeping
 * `out`.checkpoint on the way: resumed, it ends bit for bit as if never stopped (same
 * backend, precision and thread count).  Returns 0 when all steps were made, 1 when
 * stopped. */
int rg_train(const rg_dataset *const *lists, int nlists, const rg_claran *model,
             const rg_train_options *options, const char *out);

#endif

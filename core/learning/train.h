/* train: Faster R-CNN training on labelled lists (spec/claran.md "Training targets").
 *
 *     rg_train_options how = rg_train_defaults;
 *     RG_TRY(rg_train(lists, nlists, &rg_claran_paper, &how, "model.fits"));
 */
#ifndef RG_TRAIN_H
#define RG_TRAIN_H

#include <signal.h>

#include "core/detector/claran.h"
#include "core/engine/backend.h"
#include "core/learning/dataset.h"

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
    long steps;
    int batch;                         /* images a step */
    int rois;                          /* per image: 128 */
    rg_optimizer optimizer;            /* its rate is the first one */
    long drop[4]; /* steps after which the rate falls x0.1; 0-ended */
    int cosine;                        /* instead: cosine decay to 0 at `steps` */
    long warmup;                       /* steps of linear warm-up */
    uint64_t seed;
    int flips, turns; /* augmentation: left-right flips, quarter turns */
    double shift;                      /* window centre moved by up to this [arcsec] */
    double balance; /* sampling weight of a label: its class's count to
                       the power -balance; 0: every label alike,
                       in windows about its field's middle */
    long checkpoint;                   /* steps between checkpoints */
    const char *start;                 /* weights to start from (no moments), or NULL */
    int resume;                        /* go on from OUT.checkpoint where it exists */
    long report;                       /* steps between reports */
    void (*progress)(void *user, const rg_train_report *report);
    void *user;
    const char *const *history;        /* lines for the model's record; NULL-ended */
    volatile sig_atomic_t *stop;       /* set: write a checkpoint and return */
} rg_train_options;

extern const rg_train_options rg_train_defaults;

/* Train on the lists together and write the model to `out` (16-bit), keeping
 * `out`.checkpoint on the way: resumed, it ends bit for bit as if never stopped (same
 * backend, precision and thread count).  Returns 0 when all steps were made, 1 when
 * stopped. */
int rg_train(const rg_dataset *const *lists, int nlists, const rg_claran *model,
             const rg_train_options *options, const char *out);

#endif

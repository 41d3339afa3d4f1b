/* SPDX-License-Identifier: MIT */
/* pretrain: a backbone that has seen the radio sky before it learns to detect, from
 * fields without labels (shared/papers/clump_faster_rcnn_abstract.txt: pretraining on
 * images of the same domain beats ImageNet).
 *
 *     rg_pretrain_options how = rg_pretrain_defaults;
 *     RG_TRY(rg_pretrain(lists, nlists, &model, &how, "backbone.fits"));
 *
 * What is learned, from windows at random places, is computed from their pixels:
 *     dense           for each cell of conv5_3: is there emission of an island above
 *                     3 sqrt(3) sigma, how many peaks have the islands about it, how
 *                     bright are they (core/learning/cell)
 *     reconstruction  the islands in the 16 x 16 pixels of each cell, in log scale and
 *                     without noise, of an image with noise added to it
 * Each is a 1 x 1 convolution upon conv5_3, thrown away afterwards.
 */
#ifndef RG_PRETRAIN_H
#define RG_PRETRAIN_H

#include <signal.h>

#include "core/detector/claran.h"
#include "core/engine/backend.h"
#include "core/data/dataset.h"
#include "core/learning/schedule.h"

typedef enum { RG_PRETRAIN_DENSE = 1, RG_PRETRAIN_RECONSTRUCTION = 2,
               RG_PRETRAIN_BOTH = 3 } rg_pretrain_task;

#define RG_PRETRAIN_LOSSES 4

typedef struct rg_pretrain_report {    /* means since the last report */
    long step, steps;
    int n;                             /* losses of the task */
    const char *name[RG_PRETRAIN_LOSSES];
    double loss[RG_PRETRAIN_LOSSES], total;
    double rate, norm, images_per_s, seconds_left;
} rg_pretrain_report;

typedef struct rg_pretrain_options {
    rg_pretrain_task task;
    const char *backend;
    rg_precision precision;
    rg_schedule schedule;
    int batch;                         /* images a step */
    rg_optimizer optimizer;            /* its rate is the schedule's */
    float noise;                       /* reconstruction: up to so many sigma added */
    uint64_t seed;
    long checkpoint;                   /* steps between checkpoints */
    const char *backbone;              /* convolutions to start from, or NULL */
    int resume;                        /* go on from OUT.checkpoint where it exists */
    long report;                       /* steps between reports */
    void (*progress)(void *user, const rg_pretrain_report *report);
    void *user;
    const char *log;                   /* CSV of losses (losses.h), or NULL */
    const char *const *history;        /* lines for the record; NULL-ended */
    volatile sig_atomic_t *stop;       /* set: write a checkpoint and return */
} rg_pretrain_options;

extern const rg_pretrain_options rg_pretrain_defaults;

/* The task by its name: dense, reconstruction, both; else a sentence. */
int rg_pretrain_task_named(const char *name, rg_pretrain_task *task);

/* The network of a task: fills rows[RG_CLARAN_ROWS]; returns how many. */
int rg_pretrain_rows(const rg_claran *model, rg_pretrain_task task, int batch,
                     rg_row *rows);

/* Pretrain on the fields of the lists, whose labels do not matter, for a network of the
 * input, width and method of `model`; means that are all 0 are measured.  Writes a
 * backbone (backbone.h) to `out` in 16 bits, keeping `out`.checkpoint on the way:
 * resumed, it ends bit for bit as if never stopped (same backend, precision and thread
 * count).  Returns 0 when all steps were made, 1 when stopped. */
int rg_pretrain(const rg_dataset *const *lists, int nlists, const rg_claran *model,
                const rg_pretrain_options *options, const char *out);

#endif

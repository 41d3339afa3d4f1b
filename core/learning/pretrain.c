/* SPDX-License-Identifier: MIT */
#include "core/learning/pretrain.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/engine/error.h"
#include "core/engine/net.h"
#include "core/engine/random.h"
#include "core/learning/backbone.h"
#include "core/learning/cell.h"
#include "core/learning/losses.h"
#include "core/learning/patch.h"

const rg_pretrain_options rg_pretrain_defaults = {
    .task = RG_PRETRAIN_DENSE,
    .backend = "auto",
    .schedule = { .rate = 5e-4f, .steps = 10000, .fall = 0.1f, .cosine = 1,
                  .warmup = 200 },
    .batch = 8,
    .optimizer = { .rule = RG_ADAM, .momentum = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f,
                   .decay = 1e-4f, .clip = 5 },
    .noise = 1,
    .seed = 1,
    .checkpoint = 1000,
    .report = 50,
};

/* Everything that is put in, and the losses that come out. */
enum { SOURCE, PEAKS, FLUX, FLUX_WEIGHT, BLOCK, BLOCK_WEIGHT, TARGETS };
static const struct target {
    const char *row;          /* the INPUT row */
    rg_pretrain_task task;
    int channels;
} targets[TARGETS] = {
    { "source", RG_PRETRAIN_DENSE, 1 },
    { "peaks", RG_PRETRAIN_DENSE, 1 },
    { "flux", RG_PRETRAIN_DENSE, 1 },
    { "flux_weight", RG_PRETRAIN_DENSE, 1 },
    { "block", RG_PRETRAIN_RECONSTRUCTION, RG_CELL_BLOCK },
    { "block_weight", RG_PRETRAIN_RECONSTRUCTION, RG_CELL_BLOCK },
};
static const struct { const char *row, *name; rg_pretrain_task task; } losses[] = {
    { "source_loss", "source", RG_PRETRAIN_DENSE },
    { "peaks_loss", "peaks", RG_PRETRAIN_DENSE },
    { "flux_loss", "flux", RG_PRETRAIN_DENSE },
    { "block_loss", "block", RG_PRETRAIN_RECONSTRUCTION },
};

typedef struct trainer {
    const rg_pretrain_options *how;    /* borrowed */
    rg_claran model;
    rg_patches *patches;               /* owned, as all below */
    rg_net *net;
    rg_weights *past;                  /* record of what it started from */
    rg_patch *batch;                   /* [how->batch] */
    float *data;                       /* [batch][3][input][input] */
    float *target[TARGETS];            /* [batch][channels][cells][cells], or NULL */
    double sums[RG_PRETRAIN_LOSSES], norm_sum;   /* since the last report */
    long summed;
    struct timespec since;
} trainer;

int rg_pretrain_task_named(const char *name, rg_pretrain_task *task)
{
    if (strcmp(name, "dense") == 0) *task = RG_PRETRAIN_DENSE;
    else if (strcmp(name, "reconstruction") == 0) *task = RG_PRETRAIN_RECONSTRUCTION;
    else if (strcmp(name, "both") == 0) *task = RG_PRETRAIN_BOTH;
    else return RG_FAIL("the task is dense, reconstruction or both, not \"%s\"", name);
    return 0;
}

int rg_pretrain_rows(const rg_claran *model, rg_pretrain_task task, int batch,
                     rg_row *rows)
{
    const int s = model->input, cells = rg_claran_cells(model), w = model->width;
    const int peaks = RG_CELL_PEAKS;
    int n = 0;
#define ROW(...) rows[n++] = (rg_row)__VA_ARGS__
    ROW(INPUT("data", batch, 3, s, s));
    n += rg_claran_backbone(w, rows + n);
    for (int i = 0; i < TARGETS; i++)
        if (targets[i].task & task)
            ROW(INPUT(targets[i].row, batch, targets[i].channels, cells, cells));
    if (task & RG_PRETRAIN_DENSE) {
        ROW(CONV_STD("source_score", "conv5_3", 8 * w, 2,     1, LINEAR, 0.01f));
        ROW(CONV_STD("peaks_score",  "conv5_3", 8 * w, peaks, 1, LINEAR, 0.01f));
        ROW(CONV_STD("flux_pred",    "conv5_3", 8 * w, 1,     1, LINEAR, 0.01f));
        ROW(SOFTMAXLOSS("source_loss", "source_score", "source", 2));
        ROW(SOFTMAXLOSS("peaks_loss", "peaks_score", "peaks", peaks));
        ROW(SMOOTHL1("flux_loss", "flux_pred", "flux", "flux_weight", 1));
    }
    if (task & RG_PRETRAIN_RECONSTRUCTION) {
        ROW(CONV_STD("block_pred", "conv5_3", 8 * w, RG_CELL_BLOCK, 1, LINEAR, 0.01f));
        ROW(SMOOTHL1("block_loss", "block_pred", "block", "block_weight", 1));
    }
#undef ROW
    return n;
}

static double seconds_since(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec)
           + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

static long target_size(const trainer *t, int i)
{
    long cells = rg_claran_cells(&t->model);
    return targets[i].channels * cells * cells;
}

static int allocate(trainer *t)
{
    unsigned long batch = (unsigned long)t->how->batch;
    unsigned long input = (unsigned long)t->model.input;
    t->batch = rg_error_alloc(batch, sizeof *t->batch, "pretraining");
    t->data = rg_error_alloc(batch * 3 * input * input, sizeof(float), "pretraining");
    for (int i = 0; i < TARGETS; i++) {
        if ((targets[i].task & t->how->task) == 0) continue;
        t->target[i] = rg_error_alloc(batch * (unsigned long)target_size(t, i),
                                      sizeof(float), "pretraining");
        if (t->target[i] == NULL) return -1;
    }
    return t->batch && t->data ? 0 : -1;
}

static void clear(trainer *t)
{
    rg_patches_free(t->patches);
    rg_net_free(t->net);
    rg_weights_free(t->past);
    free(t->batch);
    free(t->data);
    for (int i = 0; i < TARGETS; i++) free(t->target[i]);
}

static int make_net(trainer *t)
{
    rg_row rows[RG_CLARAN_ROWS];
    const rg_backend *backend;
    int n = rg_pretrain_rows(&t->model, t->how->task, t->how->batch, rows);
    RG_TRY(rg_backend_find(t->how->backend, &backend));
    return rg_net_new(&t->net, rows, n, backend,
                      &(rg_net_options){ .training = true,
                                         .precision = t->how->precision,
                                         .seed = t->how->seed });
}

/* ---- files ---- */

static int checkpoint_path(const char *out, char path[4096])
{
    if (snprintf(path, 4096, "%s.checkpoint", out) >= 4096)
        return RG_FAIL("the name %.40s... is too long", out);
    return 0;
}

static rg_backbone describe(const trainer *t)
{
    rg_backbone backbone = { .width = t->model.width, .method = t->model.method };
    memcpy(backbone.mean, t->model.mean, sizeof backbone.mean);
    return backbone;
}

static int save(const trainer *t, const char *path, bool checkpoint)
{
    rg_weights *weights;
    rg_backbone backbone = describe(t);
    RG_TRY(rg_weights_new(&weights));
    int status = rg_backbone_describe(&backbone, weights);
    if (status == 0)
        status = rg_weights_set_number(weights, "STEP", (double)rg_net_step(t->net),
                                       "pretraining steps made");
    if (status == 0 && checkpoint)
        status = rg_weights_set_number(weights, "CHECKPT", 1, "not a backbone yet");
    if (status == 0)
        status = rg_weights_set_number(weights, "SEED", (double)t->how->seed,
                                       "of initial weights and sampling");
    for (int i = 0; status == 0 && t->past && i < rg_weights_histories(t->past); i++)
        status = rg_weights_add_history(weights, rg_weights_history(t->past, i));
    for (int i = 0; status == 0 && t->how->history && t->how->history[i]; i++)
        status = rg_weights_add_history(weights, t->how->history[i]);
    if (status == 0)
        status = checkpoint ? rg_net_save(t->net, weights, true)
                            : rg_backbone_save(t->net, t->model.width, weights);
    if (status == 0) status = rg_weights_write(weights, path, !checkpoint);
    rg_weights_free(weights);
    return status;
}

static int save_both(const trainer *t, const char *out)
{
    char path[4096];
    RG_TRY(checkpoint_path(out, path));
    RG_TRY(save(t, path, true));
    return save(t, out, false);
}

static int resume(trainer *t, const char *path)
{
    rg_weights *weights;
    rg_backbone was;
    double step;
    RG_TRY(rg_weights_read(&weights, path));
    int status = rg_backbone_recognise(&was, weights);
    if (status == 0 && (was.width != t->model.width || was.method != t->model.method))
        status = RG_FAIL("is of a run of width %d for method %s: give the same "
                         "options, or move it away", was.width,
                         rg_fuse_name(was.method));
    if (status == 0) status = rg_weights_number(weights, "STEP", &step);
    if (status == 0) status = rg_net_load(t->net, weights);
    if (status == 0) {
        memcpy(t->model.mean, was.mean, sizeof was.mean);
        rg_net_set_step(t->net, (long)step);
    }
    rg_weights_free(weights);
    return status == 0 ? 0 : rg_error_prefix("%s: ", path);
}

/* ---- one step ---- */

/* Targets are of the image before the noise. */
static int prepare_image(trainer *t, int b, uint64_t seed)
{
    float *part[TARGETS];
    rg_patch *patch = &t->batch[b];
    uint64_t state = seed;
    for (int i = 0; i < TARGETS; i++)
        part[i] = t->target[i] ? t->target[i] + b * target_size(t, i) : NULL;
    RG_TRY(rg_patches_draw(t->patches, rg_random_next(&state), patch));
    RG_TRY(rg_cell_find(&t->model, patch->radio, patch->sigma, 1.0 / t->how->batch,
                         &(rg_cells){ part[SOURCE], part[PEAKS], part[FLUX],
                                      part[FLUX_WEIGHT], part[BLOCK],
                                      part[BLOCK_WEIGHT] }));
    double noise = t->how->noise * rg_random_uniform(&state);
    if (t->how->task & RG_PRETRAIN_RECONSTRUCTION)
        rg_patch_add_noise(patch, noise, rg_random_next(&state));
    return rg_patch_show(patch, &t->model,
                         t->data + 3l * b * t->model.input * t->model.input);
}

static int prepare_batch(trainer *t)
{
    uint64_t seed = rg_random_mix(t->how->seed, (uint64_t)rg_net_step(t->net));
    int failed = 0;
    char sentence[1024] = "";
#pragma omp parallel for schedule(static, 1)
    for (int b = 0; b < t->how->batch; b++)
        if (prepare_image(t, b, rg_random_mix(seed, (uint64_t)b)) != 0)
#pragma omp critical
        {
            failed = 1;
            snprintf(sentence, sizeof sentence, "%s", rg_error_message());
        }
    if (failed) return RG_FAIL("%s", sentence);
    for (int i = 0; i < TARGETS; i++)
        if (t->target[i]) RG_TRY(rg_net_put(t->net, targets[i].row, t->target[i]));
    return rg_net_put(t->net, "data", t->data);
}

static int train_step(trainer *t)
{
    rg_optimizer now = t->how->optimizer;
    float norm, loss;
    now.rate = rg_schedule_rate(&t->how->schedule, rg_net_step(t->net));
    RG_TRY(prepare_batch(t));
    RG_TRY(rg_net_forward(t->net, NULL, NULL));
    RG_TRY(rg_net_backward(t->net));
    RG_TRY(rg_net_update(t->net, &now, &norm));
    for (int i = 0; i < RG_PRETRAIN_LOSSES; i++) {
        if ((losses[i].task & t->how->task) == 0) continue;
        RG_TRY(rg_net_get(t->net, losses[i].row, &loss));
        t->sums[i] += loss;
    }
    t->norm_sum += norm;
    t->summed++;
    return 0;
}

/* ---- the run ---- */

static int report(trainer *t)
{
    const rg_pretrain_options *how = t->how;
    double n = (double)(t->summed ? t->summed : 1);
    double steps_per_s = n / seconds_since(&t->since);
    rg_pretrain_report r = {
        .step = rg_net_step(t->net), .steps = how->schedule.steps,
        .rate = rg_schedule_rate(&how->schedule, rg_net_step(t->net) - 1),
        .norm = t->norm_sum / n, .images_per_s = steps_per_s * how->batch,
    };
    r.seconds_left = (double)(r.steps - r.step) / steps_per_s;
    for (int i = 0; i < RG_PRETRAIN_LOSSES; i++) {
        if ((losses[i].task & how->task) == 0) continue;
        r.name[r.n] = losses[i].name;
        r.total += r.loss[r.n++] = t->sums[i] / n;
    }
    const rg_losses_row row = { r.step, r.rate, r.norm, r.images_per_s };
    if (how->log && t->summed) RG_TRY(rg_losses_add(how->log, &row, r.loss, r.n));
    if (how->progress) how->progress(how->user, &r);
    memset(t->sums, 0, sizeof t->sums);
    t->norm_sum = 0;
    t->summed = 0;
    clock_gettime(CLOCK_MONOTONIC, &t->since);
    return 0;
}

static int begin_log(const trainer *t)
{
    const char *names[RG_PRETRAIN_LOSSES];
    int n = 0;
    if (t->how->log == NULL) return 0;
    for (int i = 0; i < RG_PRETRAIN_LOSSES; i++)
        if (losses[i].task & t->how->task) names[n++] = losses[i].name;
    return rg_losses_begin(t->how->log, names, n, rg_net_step(t->net));
}

/* 0 when all steps were made, 1 when told to stop. */
static int run(trainer *t, const char *out)
{
    const rg_pretrain_options *how = t->how;
    clock_gettime(CLOCK_MONOTONIC, &t->since);
    RG_TRY(begin_log(t));
    while (rg_net_step(t->net) < how->schedule.steps) {
        if (how->stop && *how->stop) {
            RG_TRY(save_both(t, out));
            RG_TRY(report(t));
            return 1;
        }
        RG_TRY(train_step(t));
        long step = rg_net_step(t->net);
        bool due = how->checkpoint > 0 && step % how->checkpoint == 0;
        if (due && step < how->schedule.steps) RG_TRY(save_both(t, out));
        bool wanted = how->report > 0 && step % how->report == 0;
        if (due || wanted || step == how->schedule.steps) RG_TRY(report(t));
    }
    return save_both(t, out);
}

static int check_options(const rg_pretrain_options *how, const rg_claran *model)
{
    rg_weights *trial;
    if (how->batch < 1 || how->batch > 256)
        return RG_FAIL("a batch of %d images: 1 to 256 can be trained", how->batch);
    if (!(how->noise >= 0 && how->noise <= 100))
        return RG_FAIL("noise of %g sigma: 0 to 100 can be added", how->noise);
    RG_TRY(rg_schedule_check(&how->schedule));
    RG_TRY(rg_weights_new(&trial));    /* sizes that no model can have */
    int status = rg_claran_describe(model, trial);
    rg_weights_free(trial);
    return status;
}

static int start_from(trainer *t, bool *means_known)
{
    rg_backbone found;
    RG_TRY(rg_weights_new(&t->past));
    RG_TRY(rg_backbone_load(t->net, t->how->backbone, t->model.width, &found, t->past));
    if (*means_known || !rg_backbone_fits(&found, t->model.method)) return 0;
    memcpy(t->model.mean, found.mean, sizeof found.mean);
    *means_known = true;
    return 0;
}

/* Found out before the work, not after. */
static int check_writable(const trainer *t, const char *out)
{
    char trial[4200];
    snprintf(trial, sizeof trial, "%s.trial", out);
    RG_TRY(save(t, trial, false));
    remove(trial);
    return 0;
}

static int prepare(trainer *t, const rg_dataset *const *lists, int nlists,
                   const char *out)
{
    char path[4096];
    RG_TRY(check_options(t->how, &t->model));
    RG_TRY(checkpoint_path(out, path));
    RG_TRY(make_net(t));
    RG_TRY(check_writable(t, out));
    RG_TRY(rg_patches_new(&t->patches, lists, nlists,
                          rg_fuse_wants_infrared(t->model.method)));
    RG_TRY(allocate(t));
    bool known = t->model.mean[0] + t->model.mean[1] + t->model.mean[2] > 0;
    if (t->how->backbone) RG_TRY(start_from(t, &known));   /* its record, in any case */
    if (t->how->resume && access(path, F_OK) == 0) return resume(t, path);
    return known ? 0 : rg_patches_mean(t->patches, &t->model, t->how->seed,
                                       t->model.mean);
}

int rg_pretrain(const rg_dataset *const *lists, int nlists, const rg_claran *model,
                const rg_pretrain_options *options, const char *out)
{
    trainer t = { .how = options, .model = *model };
    int status = prepare(&t, lists, nlists, out);
    if (status == 0) status = run(&t, out);
    clear(&t);
    return status;
}

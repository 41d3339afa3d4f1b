/* SPDX-License-Identifier: MIT */
#include "core/learning/train.h"

#include <math.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/detector/detect.h"
#include "core/detector/proposal.h"
#include "core/engine/error.h"
#include "core/engine/net.h"
#include "core/engine/random.h"
#include "core/learning/backbone.h"
#include "core/learning/ema.h"
#include "core/learning/factor.h"
#include "core/learning/feeder.h"
#include "core/learning/losses.h"
#include "core/learning/subject.h"

enum { LOSSES = 4 };
static const char *const loss_rows[LOSSES] = { "rpn_cls_loss", "rpn_bbox_loss",
                                               "cls_loss", "bbox_loss" };
static const char *const loss_names[LOSSES] = { "rpn_cls", "rpn_box", "roi_cls",
                                                "roi_box" };

typedef struct trainer {
    const rg_train_options *how;      /* borrowed */
    rg_claran model;
    const rg_backend *backend;
    rg_subjects *subjects;            /* owned, as all below */
    rg_net *net;
    rg_ema *ema;                      /* or NULL */
    rg_weights *past; /* what it started from, for its record; or NULL */
    rg_feeder *feeder;
    const rg_subject *batch;          /* [how->batch], of this step; the feeder's */
    float *source, *deltas;           /* [batch][2 or 4][anchors] */
    float *found;                     /* [batch][how->proposals.after][6]: the backend's
                                         proposals, as rg_net_propose makes them */
    float *rpn_labels, *rpn_targets, *rpn_weights;
    rg_roi_targets rois;              /* [batch * rois] */
    rg_box *proposals;                /* [batch][how->proposals.after] */
    int *anchors;                     /* ... of theirs */
    double sums[LOSSES], norm_sum;    /* since the last report */
    long summed;
    struct timespec since;
} trainer;

static double seconds_since(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec)
           + 1e-9 * (double)(now.tv_nsec - then->tv_nsec);
}

static int allocate(trainer *t)
{
    unsigned long batch = (unsigned long)t->how->batch;
    unsigned long map = batch * (unsigned long)rg_claran_anchors(&t->model),
                  rois = batch * (unsigned long)t->how->rois;
    const struct { float **array; unsigned long count; } arrays[] = {
        { &t->source, map * 2 },
        { &t->deltas, map * 4 },
        { &t->found, batch * 6ul * (unsigned long)t->how->proposals.after },
        { &t->rpn_labels, map },
        { &t->rpn_targets, map * 4 },
        { &t->rpn_weights, map * 4 },
        { &t->rois.picks, rois * 7 },
        { &t->rois.labels, rois },
        { &t->rois.targets, rois * 4 * RG_CLASSES },
        { &t->rois.weights, rois * 4 * RG_CLASSES },
    };
    for (unsigned i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if ((*arrays[i].array =
                 rg_error_alloc(arrays[i].count, sizeof(float), "training"))
            == NULL)
            return -1;
    t->proposals = rg_error_alloc(batch * (unsigned long)t->how->proposals.after,
                                  sizeof(rg_box), "training");
    t->anchors = rg_error_alloc(batch * (unsigned long)t->how->proposals.after,
                                sizeof(int), "training");
    return t->proposals && t->anchors ? 0 : -1;
}

static void trainer_clear(trainer *t)
{
    rg_feeder_free(t->feeder);
    rg_subjects_free(t->subjects);
    rg_net_free(t->net);
    rg_ema_free(t->ema);
    rg_weights_free(t->past);
    float *arrays[] = { t->source, t->deltas, t->rpn_labels, t->rpn_targets,
                        t->rpn_weights, t->rois.picks, t->rois.labels, t->rois.targets,
                        t->rois.weights, t->found };
    for (unsigned i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
    free(t->proposals);
    free(t->anchors);
}

/* What the options say of rows. */
static void set_rows(const rg_train_options *how, rg_row *rows, int n)
{
    for (int i = 0; i < n; i++) {
        bool narrow = rows[i].spread > 0 || strncmp(rows[i].name, "conv", 4) == 0;
        if (!narrow) rows[i].spread = how->spread;
        if (rows[i].word == RG_DROPOUT) rows[i].value = how->dropout;
    }
}

static int make_net(trainer *t)
{
    rg_row rows[RG_CLARAN_ROWS];
    rg_factors factors;
    RG_TRY(rg_backend_find(t->how->backend, &t->backend));
    rg_claran_run run = { .batch = t->how->batch, .rois = t->how->batch * t->how->rois,
                          .training = 1 };
    if (t->backend->propose) run.proposals = t->how->proposals.after;
    int n = rg_claran_rows(&t->model, &run, rows);
    set_rows(t->how, rows, n);
    RG_TRY(rg_factor_read(&factors, t->how->freeze, t->how->factors));
    return rg_net_new(&t->net, rows, n, t->backend,
                      &(rg_net_options){ .training = true,
                                         .precision = t->how->precision,
                                         .seed = t->how->seed,
                                         .factors = factors.of,
                                         .nfactors = factors.n });
}

static bool exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

static int checkpoint_path(const char *out, char path[4096])
{
    if (snprintf(path, 4096, "%s.checkpoint", out) >= 4096)
        return RG_FAIL("the name %.40s... is too long", out);
    return 0;
}

/* All but the method and the means. */
static int same_model(const rg_claran *was, const rg_claran *now, const char *path)
{
    bool same = was->input == now->input && was->width == now->width
                && was->fc == now->fc && was->network == now->network
                && was->sampling == now->sampling;
    for (int i = 0; i < RG_CLARAN_ANCHORS; i++)
        same &= was->anchor[i] == now->anchor[i];
    if (same) return 0;
    return RG_FAIL(
        "%s holds another model (network %s, input %d, width %d, fc %d, first anchor "
        "%g): give the same options, or move it away",
        path, rg_claran_network_name(was->network), was->input, was->width, was->fc,
        was->anchor[0]);
}

static int begin_ema(trainer *t)
{
    return t->how->ema != 0 ? rg_ema_new(&t->ema, t->net, t->how->ema) : 0;
}

static int resume_ema(trainer *t, const rg_weights *weights, const char *path)
{
    bool has = rg_weights_has(weights, "EMA");
    if (has != (t->how->ema != 0))
        return RG_FAIL("%s is of a run with%s an average of its weights: go on with "
                       "the same options", path, has ? "" : "out");
    RG_TRY(begin_ema(t));
    return t->ema ? rg_ema_load(t->ema, weights) : 0;
}

/* Weights, moments, means and the step of a stopped run with the same model. */
static int resume(trainer *t, const char *path)
{
    rg_weights *weights;
    rg_claran was;
    double step;
    RG_TRY(rg_weights_read(&weights, path));
    int status = rg_claran_recognise(&was, weights);
    if (status == 0) status = same_model(&was, &t->model, path);
    if (status == 0 && was.method != t->model.method)
        status = RG_FAIL("%s is of a run for method %s, not %s", path,
                         rg_fuse_name(was.method), rg_fuse_name(t->model.method));
    if (status == 0) status = rg_weights_number(weights, "STEP", &step);
    if (status == 0 && !(step >= 0 && step <= 1e15))
        status = RG_FAIL("%s has STEP = %g: it is damaged", path, step);
    if (status == 0) status = rg_net_load(t->net, weights);
    if (status == 0) {
        t->model = was;
        rg_net_set_step(t->net, (long)step);
        status = resume_ema(t, weights, path);
    }
    rg_weights_free(weights);
    return status;
}

/* bbox_pred learns targets divided by their spread; in a model it is multiplied back,
 * so that inference needs no unscaling. */
static int scale_bbox(rg_weights *weights, bool back)
{
    rg_weight *w = rg_weights_find(weights, "bbox_pred");
    rg_weight *b = rg_weights_find(weights, "bbox_pred.bias");
    if (w == NULL || b == NULL) return RG_FAIL("the model has no bbox_pred");
    for (int i = 0; i < w->shape.n; i++) {
        float std = rg_proposal_target_std[i % 4], by = back ? 1 / std : std;
        for (int k = 0; k < w->shape.c; k++) w->data[(long)i * w->shape.c + k] *= by;
        b->data[i] *= by;
    }
    return 0;
}

/* Its weights, and where none are known its means, if it is for the same method. */
static int start_from(trainer *t, const char *path, bool *means_known)
{
    rg_weights *weights;
    rg_claran was;
    RG_TRY(rg_weights_read(&weights, path));
    int status = rg_claran_recognise(&was, weights);
    if (status == 0) status = same_model(&was, &t->model, path);
    if (status == 0 && rg_weights_has(weights, "CHECKPT"))
        status = RG_FAIL("%s is a checkpoint: start from the model beside it", path);
    if (status == 0) status = scale_bbox(weights, true);
    if (status == 0) status = rg_net_load(t->net, weights);
    if (status == 0 && !*means_known && was.method == t->model.method) {
        memcpy(t->model.mean, was.mean, sizeof was.mean);
        *means_known = true;
    }
    t->past = weights;
    return status;
}

/* Its convolutions, and its means as above. */
static int start_from_backbone(trainer *t, const char *path, bool *means_known)
{
    rg_backbone found;
    if (t->model.network != RG_NETWORK_CLARAN)
        return RG_FAIL("%s holds convolutions of the network claran, not %s", path,
                       rg_claran_network_name(t->model.network));
    if (t->past == NULL) RG_TRY(rg_weights_new(&t->past));
    RG_TRY(rg_backbone_load(t->net, path, t->model.width, &found, t->past));
    if (*means_known || !rg_backbone_fits(&found, t->model.method)) return 0;
    memcpy(t->model.mean, found.mean, sizeof found.mean);
    *means_known = true;
    return 0;
}

static int save(const trainer *t, const char *path, bool checkpoint)
{
    rg_weights *weights;
    RG_TRY(rg_weights_new(&weights));
    int status = rg_claran_describe(&t->model, weights);
    if (status == 0)
        status = rg_weights_set_number(weights, "STEP", (double)rg_net_step(t->net),
                                       "training steps made");
    if (status == 0 && checkpoint)
        status = rg_weights_set_number(weights, "CHECKPT", 1, "not a model yet");
    if (status == 0)
        status = rg_weights_set_number(weights, "SEED", (double)t->how->seed,
                                       "of initial weights and sampling");
    for (int i = 0; status == 0 && t->past && i < rg_weights_histories(t->past); i++)
        status = rg_weights_add_history(weights, rg_weights_history(t->past, i));
    for (int i = 0; status == 0 && t->how->history && t->how->history[i]; i++)
        status = rg_weights_add_history(weights, t->how->history[i]);
    if (status == 0) status = rg_net_save(t->net, weights, checkpoint);
    if (status == 0 && t->ema) status = rg_ema_save(t->ema, weights, checkpoint);
    if (status == 0 && !checkpoint) status = scale_bbox(weights, false);
    if (status == 0) status = rg_weights_write(weights, path, !checkpoint);
    rg_weights_free(weights);
    return status;
}

/* The checkpoint to go on from, and the model as it is now. */
static int save_both(const trainer *t, const char *out)
{
    char path[4096];
    RG_TRY(checkpoint_path(out, path));
    RG_TRY(save(t, path, true));
    return save(t, out, false);
}

/* ---- one step ---- */

rg_subject_options rg_train_subject_options(const rg_train_options *how)
{
    return (rg_subject_options){ .flips = how->flips, .turns = how->turns,
                                 .shift = how->shift, .balance = how->balance,
                                 .augment = how->augment };
}

uint64_t rg_train_subject_seed(const rg_train_options *how, long step, int index)
{
    return rg_random_mix(rg_random_mix(how->seed, (uint64_t)step), (uint64_t)index);
}

static int put_batch(trainer *t)
{
    const float *data;
    RG_TRY(rg_feeder_take(t->feeder, &data, &t->batch));
    return rg_net_put(t->net, "data", data);
}

static int put_anchor_targets(trainer *t, uint64_t seed)
{
    long map = rg_claran_anchors(&t->model);
    for (int b = 0; b < t->how->batch; b++)
        RG_TRY(rg_proposal_anchor_targets(
            &t->model, &t->how->targets, t->batch[b].truths, t->batch[b].n,
            rg_random_mix(seed, 2ul * b), t->rpn_labels + b * map,
            t->rpn_targets + b * 4 * map, t->rpn_weights + b * 4 * map));
    for (long i = 0; i < t->how->batch * 4 * map; i++)
        t->rpn_weights[i] /= t->how->batch;
    RG_TRY(rg_net_put(t->net, "rpn_labels", t->rpn_labels));
    RG_TRY(rg_net_put(t->net, "rpn_targets", t->rpn_targets));
    return rg_net_put(t->net, "rpn_weights", t->rpn_weights);
}

/* Proposals of image b, and their anchors; returns how many, -1 on failure. */
static int proposals_of(const trainer *t, int b, rg_box *proposals, int *anchors)
{
    const long map = rg_claran_anchors(&t->model), after = t->how->proposals.after;
    int n = 0;
    if (!rg_net_proposes(t->net))
        return rg_proposal_find(&t->model, &t->how->proposals,
                                t->source + b * 2 * map + map, t->deltas + b * 4 * map,
                                proposals, NULL, anchors);
    for (const float *p = t->found + b * after * 6; n < after && p[0] >= 0; p += 6) {
        proposals[n] = (rg_box){ p[1], p[2], p[3], p[4] };
        anchors[n++] = (int)p[5];
    }
    return n;
}

static int find_roi_targets(trainer *t, int b, uint64_t seed)
{
    long count = t->how->rois;
    rg_box *proposals = t->proposals + (long)b * t->how->proposals.after;
    int *anchors = t->anchors + (long)b * t->how->proposals.after;
    rg_roi_targets to = { t->rois.picks + 7 * count * b, t->rois.labels + count * b,
                          t->rois.targets + 4 * RG_CLASSES * count * b,
                          t->rois.weights + 4 * RG_CLASSES * count * b };
    const int n = proposals_of(t, b, proposals, anchors);
    if (n < 0) return -1;
    return rg_proposal_roi_targets(
        &t->model, &t->how->targets, proposals,
        t->how->box_gradients ? anchors : NULL, n, t->batch[b].truths, t->batch[b].n, b,
        (int)count, (int)count * t->how->batch, rg_random_mix(seed, 2ul * b + 1), to);
}

/* What proposals are made of comes to the host, or they do. */
static int fetch_proposals(trainer *t)
{
    const rg_proposing how = rg_proposal_asked(&t->model, &t->how->proposals);
    if (rg_net_proposes(t->net)) {
        RG_TRY(rg_net_propose(t->net, &how, "rpn_cls_prob", "rpn_bbox_pred",
                              "proposals"));
        return rg_net_get(t->net, "proposals", t->found);
    }
    RG_TRY(rg_net_get(t->net, "rpn_cls_prob", t->source));
    return rg_net_get(t->net, "rpn_bbox_pred", t->deltas);
}

static int put_roi_targets(trainer *t, uint64_t seed)
{
    int failed = 0;
    RG_TRY(fetch_proposals(t));
#pragma omp parallel for schedule(static, 1) reduction(|: failed)
    for (int b = 0; b < t->how->batch; b++) failed |= find_roi_targets(t, b, seed) != 0;
    if (failed) return RG_FAIL("no memory left to sample RoIs");
    RG_TRY(rg_net_put(t->net, "picks", t->rois.picks));
    RG_TRY(rg_net_put(t->net, "labels", t->rois.labels));
    RG_TRY(rg_net_put(t->net, "targets", t->rois.targets));
    return rg_net_put(t->net, "weights", t->rois.weights);
}

static int train_step(trainer *t)
{
    uint64_t seed = rg_random_mix(~t->how->seed, (uint64_t)rg_net_step(t->net));
    rg_optimizer now = t->how->optimizer;
    float norm, loss;
    now.rate = rg_schedule_rate(&t->how->schedule, rg_net_step(t->net));
    RG_TRY(put_batch(t));
    RG_TRY(rg_net_forward(t->net, NULL, "rpn_cls_prob"));
    RG_TRY(put_anchor_targets(t, seed));
    RG_TRY(put_roi_targets(t, seed));
    RG_TRY(rg_net_forward(t->net, "rois", NULL));
    RG_TRY(rg_net_backward(t->net));
    RG_TRY(rg_net_update(t->net, &now, &norm));
    if (t->ema) RG_TRY(rg_ema_take(t->ema));
    for (int i = 0; i < LOSSES; i++) {
        RG_TRY(rg_net_get(t->net, loss_rows[i], &loss));
        t->sums[i] += loss;
    }
    t->norm_sum += norm;
    t->summed++;
    return 0;
}

/* Means since the last report, to the log and to whoever follows. */
static int report(trainer *t, bool saved)
{
    const rg_train_options *how = t->how;
    long step = rg_net_step(t->net), n = t->summed ? t->summed : 1;
    double rate = (double)n / seconds_since(&t->since), mean[LOSSES], total = 0;
    for (int i = 0; i < LOSSES; i++) total += mean[i] = t->sums[i] / (double)n;
    rg_train_report r = {
        .step = step,
        .steps = how->schedule.steps,
        .total = (float)total,
        .rpn_cls = (float)mean[0],
        .rpn_box = (float)mean[1],
        .roi_cls = (float)mean[2],
        .roi_box = (float)mean[3],
        .rate = rg_schedule_rate(&how->schedule, step - 1),
        .norm = (float)(t->norm_sum / (double)n),
        .images_per_s = rate * how->batch,
        .seconds_left = (double)(how->schedule.steps - step) / rate,
        .saved = saved,
    };
    rg_losses_row row = { step, r.rate, r.norm, r.images_per_s };
    if (how->log && t->summed) RG_TRY(rg_losses_add(how->log, &row, mean, LOSSES));
    if (how->progress) how->progress(how->user, &r);
    memset(t->sums, 0, sizeof t->sums);
    t->norm_sum = 0;
    t->summed = 0;
    clock_gettime(CLOCK_MONOTONIC, &t->since);
    return 0;
}

/* A step failed (the gradients were not finite, say): the weights before it are good.
 */
static int keep_what_there_is(const trainer *t, const char *out)
{
    char why[1024];
    snprintf(why, sizeof why, "%s", rg_error_message());
    bool kept = rg_net_step(t->net) > 0 && save_both(t, out) == 0;
    return RG_FAIL("%s%s", why, kept ? "; the steps before are saved" : "");
}

/* How many threads draw ahead: all processors but one where a card computes; where they
 * compute themselves, none, since each thread of oneDNN waits for the slowest. */
static int drawers(const trainer *t)
{
    int threads = 1;
    if (strcmp(t->backend->name, "gpu") != 0) return 0;
#ifdef _OPENMP
    threads = omp_get_max_threads() - 1;
#endif
    return threads > 1 ? threads : 1;
}

/* 0 when all steps were made, 1 when told to stop. */
static int run(trainer *t, const char *out)
{
    const rg_train_options *how = t->how;
    RG_TRY(rg_feeder_new(&t->feeder, t->subjects, &t->model, how, rg_net_step(t->net),
                         drawers(t)));
    clock_gettime(CLOCK_MONOTONIC, &t->since);
    if (how->log)
        RG_TRY(rg_losses_begin(how->log, loss_names, LOSSES, rg_net_step(t->net)));
    while (rg_net_step(t->net) < how->schedule.steps) {
        if (how->stop && *how->stop) {
            RG_TRY(save_both(t, out));
            RG_TRY(report(t, true));
            return 1;
        }
        if (train_step(t) != 0) return keep_what_there_is(t, out);
        long step = rg_net_step(t->net);
        bool due = how->checkpoint > 0 && step % how->checkpoint == 0;
        if (due && step < how->schedule.steps) RG_TRY(save_both(t, out));
        bool wanted = how->report > 0 && step % how->report == 0;
        if (due || wanted || step == how->schedule.steps)
            RG_TRY(report(t, due));
    }
    return save_both(t, out);
}

static int check_options(const rg_train_options *how)
{
    if (how->batch < 1 || how->batch > 256)
        return RG_FAIL("a batch of %d images: 1 to 256 can be trained", how->batch);
    if (how->rois < 4 || how->rois > 2000)
        return RG_FAIL("%d RoIs an image: 4 to 2000 can be trained", how->rois);
    if (!(how->dropout >= 0) || !(how->dropout < 1))
        return RG_FAIL("a dropout rate of %g: 0 to less than 1", how->dropout);
    if (how->targets.anchors < 1 || how->proposals.after < 1
        || how->proposals.before < 1)
        return RG_FAIL("at least one anchor and one proposal must be sampled");
    if (how->start && how->backbone)
        return RG_FAIL("start from a whole model or from a backbone, not from both");
    return rg_schedule_check(&how->schedule);
}

/* Found out before the work, not after: settings no model file can hold, and a folder
 * nothing can be written to. */
static int check_writable(const trainer *t, const char *out)
{
    char trial[4200];
    rg_weights *weights;
    RG_TRY(rg_weights_new(&weights));
    int status = rg_claran_describe(&t->model, weights);
    snprintf(trial, sizeof trial, "%s.trial", out);
    if (status == 0) status = rg_weights_write(weights, trial, false);
    if (status == 0) remove(trial);
    rg_weights_free(weights);
    return status;
}

static int prepare(trainer *t, const rg_dataset *const *lists, int nlists,
                   const char *out)
{
    char path[4096];
    RG_TRY(check_options(t->how));
    RG_TRY(checkpoint_path(out, path));
    RG_TRY(check_writable(t, out));
    RG_TRY(rg_subjects_new(&t->subjects, lists, nlists, t->how->balance,
                           rg_fuse_wants_infrared(t->model.method)));
    RG_TRY(allocate(t));
    RG_TRY(make_net(t));
    bool known = t->model.mean[0] + t->model.mean[1] + t->model.mean[2] > 0;
    if (t->how->backbone)              /* its record, in any case */
        RG_TRY(start_from_backbone(t, t->how->backbone, &known));
    if (t->how->resume && exists(path)) return resume(t, path);
    if (t->how->start) RG_TRY(start_from(t, t->how->start, &known));
    RG_TRY(begin_ema(t));
    return known ? 0 : rg_subjects_mean(t->subjects, &t->model, t->how->seed,
                                        t->model.mean);
}

int rg_train(const rg_dataset *const *lists, int nlists, const rg_claran *model,
             const rg_train_options *options, const char *out)
{
    trainer t = { .how = options, .model = *model };
    int status = prepare(&t, lists, nlists, out);
    if (status == 0) status = run(&t, out);
    trainer_clear(&t);
    return status;
}

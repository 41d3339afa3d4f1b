/* SPDX-License-Identifier: MIT */
#include "core/detector/runner.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/proposal.h"
#include "core/detector/views.h"
#include "core/engine/error.h"
#include "core/engine/fold.h"
#include "core/engine/net.h"

enum { SUBJECT = RG_CLARAN_SUBJECT, BATCH = RG_RUNNER_BATCH };

struct rg_runner {
    rg_claran model;
    rg_runner_options options;     /* backend: what was taken */
    rg_weights *weights;           /* owned */
    rg_row rows[RG_CLARAN_ROWS];   /* folded, for one window */
    int nrows;
    rg_net *one, *many;            /* owned: for one window, for `batch` */
    int batch;                     /* 1 until `many` is made */
    bool tried;                    /* to make it */
    bool in_range;                 /* of f16: was looked at */
    bool cramped, left;            /* rg_runner_cramped, rg_runner_left */
    char note[1024];
    /* room for BATCH windows, of which views are some; owned */
    uint8_t *rgb;                  /* [132][132][3] each */
    float *data;                   /* [3][input][input]; of those that go at once */
    float *source, *deltas;        /* [2][anchors], [4 anchors]; of one */
    rg_box *proposals;             /* [proposals] */
    float *rois;                   /* [proposals][5] */
    float *probability, *shifts;   /* [proposals][7], [proposals][7][4] */
    int n[BATCH];
    rg_seen *seen;                 /* [views][proposals][6]; owned */
    int flying;                    /* windows that the card has, of the last feed */
};

/* ---- open and close ---- */

/* Before memory is taken for them: a header can claim any size. */
static int check_weights(const rg_row *row, const rg_weights *weights)
{
    rg_shape wanted, bias;
    rg_layer_weights(row, &wanted, &bias);
    const rg_weight *w = wanted.n ? rg_weights_find(weights, row->name) : NULL;
    if (wanted.n == 0 || (w && memcmp(&w->shape, &wanted, sizeof wanted) == 0))
        return 0;
    return RG_FAIL("its weights for %s are missing or not of the size its header gives",
                   row->name);
}

static int check_model(rg_runner *r)
{
    const rg_claran_run run = { .batch = 1, .rois = r->options.proposals };
    rg_row rows[RG_CLARAN_ROWS];
    RG_TRY(rg_claran_recognise(&r->model, r->weights));
    if (r->options.views > 0) r->model.views = r->options.views;
    if (rg_weights_has(r->weights, "CHECKPT"))
        return RG_FAIL(
            "this is a training checkpoint: use the model written beside it");
    const int n = rg_claran_rows(&r->model, &run, rows);
    for (int i = 0; i < n; i++) RG_TRY(check_weights(&rows[i], r->weights));
    return 0;
}

/* The network for `batch` windows: of every input so many. */
static int make_net(const rg_runner *r, int batch, rg_net **net)
{
    const rg_net_options how = { .precision = r->options.precision, .blank = true };
    rg_row rows[RG_CLARAN_ROWS];
    memcpy(rows, r->rows, sizeof rows);
    for (int i = 0; i < r->nrows; i++)
        if (rows[i].word == RG_INPUT) rows[i].shape.n *= batch;
    *net = NULL;
    RG_TRY(rg_net_new(net, rows, r->nrows, r->options.backend, &how));
    if (rg_net_load(*net, r->weights) == 0) return 0;
    rg_net_free(*net);
    *net = NULL;
    return -1;
}

static void note(rg_runner *r, const char *consequence)
{
    snprintf(r->note, sizeof r->note, "%s: %s", consequence, rg_error_message());
}

/* The network on the spare backend, for what the last sentence says of the first. */
static int take_spare(rg_runner *r, rg_net **net)
{
    const rg_backend *first = r->options.backend, *spare = r->options.spare;
    char why[sizeof r->note];
    *net = NULL;
    if (spare == NULL || spare == first) return -1;
    snprintf(why, sizeof why, "%s", rg_error_message());
    r->options.backend = spare;
    if (make_net(r, 1, net) != 0) {
        r->options.backend = first;
        return rg_error_prefix("%.480s; on the processor: ", why);
    }
    snprintf(r->note, sizeof r->note, "the processor is used: %.990s", why);
    r->cramped = true;
    return 0;
}

static int make_first(rg_runner *r)
{
    return make_net(r, 1, &r->one) == 0 ? 0 : take_spare(r, &r->one);
}

static int make_room(rg_runner *r)
{
    const unsigned long input = (unsigned long)r->model.input * r->model.input;
    const unsigned long anchors = (unsigned long)rg_claran_anchors(&r->model);
    const unsigned long at_once = rg_net_proposes(r->one) ? BATCH : 1;
    const unsigned long views = (unsigned long)r->model.views;
    const unsigned long most = at_once > views ? at_once : views;
    const unsigned long proposals = (unsigned long)r->options.proposals;
    const unsigned long rois = most * proposals;
    r->rgb = rg_error_alloc(most * SUBJECT * SUBJECT, 3, "windows");
    const bool shown = rg_net_shows(r->one);    /* then there is no need of it */
    r->data = rg_error_alloc(shown ? 1 : at_once * 3 * input, sizeof(float), "windows");
    r->source = rg_error_alloc(2 * anchors, sizeof(float), "anchors");
    r->deltas = rg_error_alloc(4 * anchors, sizeof(float), "anchors");
    r->proposals = rg_error_alloc(rois, sizeof(rg_box), "proposals");
    r->rois = rg_error_alloc(5 * rois, sizeof(float), "proposals");
    r->probability = rg_error_alloc(RG_CLASSES * rois, sizeof(float), "proposals");
    r->shifts = rg_error_alloc(4 * RG_CLASSES * rois, sizeof(float), "proposals");
    r->seen = rg_error_alloc(views * proposals, (RG_CLASSES - 1) * sizeof *r->seen,
                             "proposals");
    return r->rgb && r->data && r->source && r->deltas && r->proposals && r->rois
           && r->probability && r->shifts && r->seen ? 0 : -1;
}

static int build(rg_runner *r)
{
    const rg_claran_run run = { .batch = 1, .rois = r->options.proposals };
    RG_TRY(check_model(r));
    r->nrows = rg_fold(r->rows, rg_claran_rows(&r->model, &run, r->rows), r->weights);
    if (r->nrows < 0) return -1;
    RG_TRY(make_first(r));
    return make_room(r);
}

int rg_runner_open(rg_runner **out, rg_weights *weights,
                   const rg_runner_options *options)
{
    rg_runner *r = rg_error_alloc(1, sizeof *r, "the detector");
    if (r == NULL) {
        rg_weights_free(weights);
        return -1;
    }
    r->options = *options;
    r->weights = weights;
    r->batch = 1;
    if (build(r) != 0) {
        rg_runner_close(r);
        return -1;
    }
    *out = r;
    return 0;
}

void rg_runner_close(rg_runner *r)
{
    if (r == NULL) return;
    rg_net_free(r->many);
    rg_net_free(r->one);
    rg_weights_free(r->weights);
    free(r->rgb);
    free(r->data);
    free(r->source);
    free(r->deltas);
    free(r->proposals);
    free(r->rois);
    free(r->probability);
    free(r->shifts);
    free(r->seen);
    free(r);
}

void rg_runner_calibrate(rg_runner *r, const float calibration[RG_CLARAN_CALIBRATION])
{
    memcpy(r->model.calibration, calibration, sizeof r->model.calibration);
}

const rg_claran *rg_runner_model(const rg_runner *r)
{
    return &r->model;
}

rg_precision rg_runner_precision(const rg_runner *r)
{
    return rg_net_precision(r->one);
}

const char *rg_runner_backend(const rg_runner *r)
{
    return r->options.backend->name;
}

const char *rg_runner_note(const rg_runner *r)
{
    return r->note;
}

bool rg_runner_cramped(const rg_runner *r)
{
    return r->cramped;
}

bool rg_runner_left(const rg_runner *r)
{
    return r->left;
}

int rg_runner_leave(rg_runner *r)
{
    const unsigned long input = (unsigned long)r->model.input * r->model.input;
    rg_net *one = NULL;
    if (take_spare(r, &one) != 0) return -1;
    float *data = rg_error_alloc(3 * input, sizeof *data, "a window");
    if (data == NULL) {
        rg_net_free(one);
        return -1;
    }
    rg_net_free(r->one);
    rg_net_free(r->many);
    free(r->data);
    r->one = one;
    r->many = NULL;
    r->data = data;
    r->batch = 1;
    r->flying = 0;
    r->left = true;
    return 0;
}

/* ---- run ---- */

int rg_runner_batch(rg_runner *r, int windows)
{
    r->flying = 0;
    if (windows < 2 || !rg_net_proposes(r->one)) return 1;
    for (int batch = BATCH; batch > 1 && r->many == NULL && !r->tried; batch /= 2) {
        char less[64];
        if (make_net(r, batch, &r->many) == 0) {
            r->batch = batch;
            break;
        }
        snprintf(less, sizeof less, "%d window%s at once, not %d", batch / 2,
                 batch > 3 ? "s" : "", batch);
        note(r, less);
        r->cramped = true;
    }
    r->tried = true;
    return r->batch > r->model.views ? r->batch / r->model.views : 1;
}

/* Of all windows and their views. */
static uint8_t *row_of(const rg_runner *r, int row)
{
    return r->rgb + (size_t)row * SUBJECT * SUBJECT * 3;
}

uint8_t *rg_runner_window(rg_runner *r, int i)
{
    return row_of(r, i * r->model.views);
}

/* Unused RoIs are the whole window, so that they cost no case of their own. */
static void fill_rois(rg_runner *r, int row)
{
    const rg_box *proposals = r->proposals + (size_t)row * r->options.proposals;
    const float last = (float)r->model.input - 1;
    for (int k = 0; k < r->options.proposals; k++) {
        rg_box box = k < r->n[row] ? proposals[k] : (rg_box){ 0, 0, last, last };
        const float roi[5] = { 0, box.x1, box.y1, box.x2, box.y2 };
        memcpy(r->rois + (size_t)5 * k, roi, sizeof roi);
    }
}

static rg_proposal_options proposal_options(const rg_runner *r)
{
    return (rg_proposal_options){ .before = 6000, .after = r->options.proposals,
                                  .iou = r->options.iou, .smallest = 4 };
}

/* The proposals of one row, found on the host. */
static int propose(rg_runner *r, rg_net *net, int row)
{
    const rg_proposal_options how = proposal_options(r);
    RG_TRY(rg_net_get(net, "rpn_cls_prob", r->source));
    RG_TRY(rg_net_get(net, "rpn_bbox_pred", r->deltas));
    r->n[row] = rg_proposal_find(&r->model, &how,
                                 r->source + rg_claran_anchors(&r->model), r->deltas,
                                 r->proposals + (size_t)row * r->options.proposals,
                                 NULL, NULL);
    if (r->n[row] < 0) return -1;
    fill_rois(r, row);
    return rg_net_put(net, "rois", r->rois);
}

/* Those of a batch, found by the backend; they are fetched when all is done. */
static int propose_there(rg_runner *r, rg_net *net)
{
    const rg_proposal_options options = proposal_options(r);
    const rg_proposing how = rg_proposal_asked(&r->model, &options);
    return rg_net_propose(net, &how, "rpn_cls_prob", "rpn_bbox_pred", "rois");
}

static int fetch_proposals(rg_runner *r, rg_net *net, int row, int n)
{
    const int each = r->options.proposals;
    RG_TRY(rg_net_get(net, "rois", r->rois));
    for (int i = 0; i < n; i++) {
        r->n[row + i] = 0;
        for (int k = 0; k < each; k++) {
            const float *roi = r->rois + (size_t)5 * (i * each + k);
            r->proposals[(size_t)(row + i) * each + k] =
                (rg_box){ roi[1], roi[2], roi[3], roi[4] };
            r->n[row + i] += roi[0] >= 0;
        }
    }
    return 0;
}

/* Rows from `row` on, n of them, as all of the network's. */
static int put_rows(rg_runner *r, rg_net *net, int row, int n)
{
    if (rg_net_shows(net))
        return rg_net_show(net, "data", row_of(r, row), SUBJECT, r->model.mean);
    const size_t input = (size_t)3 * r->model.input * r->model.input;
    for (int i = 0; i < n; i++)
        rg_claran_input(&r->model, row_of(r, row + i), r->data + i * input);
    return rg_net_put(net, "data", r->data);
}

static int compute(rg_runner *r, rg_net *net, int row)
{
    const bool there = rg_net_proposes(net);
    RG_TRY(rg_net_forward(net, NULL, "rpn_cls_prob"));
    RG_TRY(there ? propose_there(r, net) : propose(r, net, row));
    if (!there && r->n[row] == 0) return 0;
    return rg_net_forward(net, "pool_5", NULL);
}

/* ---- f16, which ends at 65504 ---- */

/* Whether what the rows of `one` have made is finite; else there is a sentence. */
static int check_rows(const rg_runner *r, bool *finite)
{
    int status = 0;
    *finite = true;
    for (int i = 0; i < r->nrows && status == 0 && *finite; i++) {
        const char *name = r->rows[i].name;
        rg_shape shape;
        RG_TRY(rg_net_shape(r->one, name, &shape));
        const long count = rg_layer_count(shape);
        float *made = rg_error_alloc((unsigned long)count, sizeof *made, name);
        if (made == NULL) return -1;
        status = rg_net_get(r->one, name, made);
        for (long k = 0; k < count && status == 0 && *finite; k++)
            *finite = isfinite(made[k]);
        if (!*finite)
            RG_FAIL("row %s of this model outgrows f16, which ends at 65504: use bf16 "
                    "or tf32", name);
        free(made);
    }
    return status;
}

/* All stays as it was where that fails. */
static int make_anew(rg_runner *r, rg_precision precision)
{
    const rg_precision was = r->options.precision;
    rg_net *one = NULL, *many = NULL;
    r->options.precision = precision;
    int status = make_net(r, 1, &one);
    if (status == 0 && r->batch > 1) status = make_net(r, r->batch, &many);
    if (status != 0) {
        r->options.precision = was;
        rg_net_free(one);
        return status;
    }
    rg_net_free(r->one);
    rg_net_free(r->many);
    r->one = one;
    r->many = many;
    return 0;
}

/* The first window is looked at before any is used: all are of the same range.  Where
 * f16 was not asked for, bf16 is taken instead. */
static int settle_range(rg_runner *r)
{
    if (r->in_range || rg_runner_precision(r) != RG_PRECISION_F16) return 0;
    RG_TRY(put_rows(r, r->one, 0, 1));
    RG_TRY(compute(r, r->one, 0));
    RG_TRY(check_rows(r, &r->in_range));
    if (r->in_range) return 0;
    if (r->options.precision != RG_PRECISION_AUTO) return -1;
    note(r, "bf16 is used");
    if (make_anew(r, RG_PRECISION_BF16) == 0) return 0;
    r->note[0] = '\0';
    return -1;
}

/* ---- feeding ---- */

static rg_net *net_for(const rg_runner *r, int rows)
{
    return rows > 1 ? r->many : r->one;
}

/* What was made of n rows; waits for it. */
static int fetch(rg_runner *r, int row, int n)
{
    rg_net *net = net_for(r, n);
    const size_t first = (size_t)row * r->options.proposals;
    if (n == 0) return 0;
    if (rg_net_proposes(net)) RG_TRY(fetch_proposals(r, net, row, n));
    else if (r->n[row] == 0) return 0;
    RG_TRY(rg_net_get(net, "cls_prob", r->probability + RG_CLASSES * first));
    return rg_net_get(net, "bbox_pred", r->shifts + 4 * RG_CLASSES * first);
}

/* Whether views go with their windows: not on the processor, nor on a card that has no
 * room for them. */
static bool go_together(const rg_runner *r)
{
    return rg_net_proposes(r->one) && r->model.views <= r->batch;
}

static int run_row(rg_runner *r, int row)
{
    RG_TRY(put_rows(r, r->one, row, 1));
    RG_TRY(compute(r, r->one, row));
    return fetch(r, row, 1);
}

/* Fills the rows of views beside the windows they are of. */
static void show_views(rg_runner *r, int n)
{
    const int views = r->model.views;
    for (int row = 0; row < n * views; row++)
        if (row % views > 0)
            rg_views_show(rg_runner_window(r, row / views), row % views,
                          row_of(r, row));
}

int rg_runner_feed(rg_runner *r, int n, int *done)
{
    const int before = r->flying, views = r->model.views, rows = n * views;
    *done = 0;
    if (n > 0) RG_TRY(settle_range(r));
    show_views(r, n);
    r->flying = 0;
    if (!go_together(r)) {
        for (int i = 0; i < n; i++) RG_TRY(run_row(r, i * views));
        *done = n;
        return 0;
    }
    if (n > 0) RG_TRY(put_rows(r, net_for(r, rows), 0, rows));
    RG_TRY(fetch(r, 0, before * views));
    if (n > 0) RG_TRY(compute(r, net_for(r, rows), 0));
    r->flying = n;
    *done = before;
    return 0;
}

int rg_runner_run(rg_runner *r, int n)
{
    int done;
    r->flying = 0;
    RG_TRY(rg_runner_feed(r, n, &done));
    return done < n ? rg_runner_feed(r, 0, &done) : 0;
}

rg_look rg_runner_look(const rg_runner *r, int row)
{
    const size_t first = (size_t)row * r->options.proposals;
    return (rg_look){ r->n[row], r->proposals + first,
                      r->probability + RG_CLASSES * first,
                      r->shifts + 4 * RG_CLASSES * first };
}

/* What one view shows, as boxes of the window; returns how many. */
static int list_seen(const rg_runner *r, rg_look look, int view, rg_seen *list)
{
    int n = 0;
    for (int k = 0; k < look.n * RG_CLASSES; k++) {
        rg_box box = rg_boxes_decode(look.proposals[k / RG_CLASSES],
                                     look.shifts + (size_t)4 * k);
        if (k % RG_CLASSES == RG_CLASS_BACKGROUND
            || !isfinite(box.x1 + box.y1 + box.x2 + box.y2)
            || isnan(look.probability[k])) continue;
        box = rg_boxes_clip(box, r->model.input, r->model.input);
        list[n++] = (rg_seen){ rg_views_box(box, view, r->model.input),
                               k % RG_CLASSES, view, look.probability[k] };
    }
    return n;
}

int rg_runner_seen(rg_runner *r, int i, bool all, const rg_seen **seen)
{
    const int views = all ? r->model.views : 1, first = i * r->model.views;
    int n = 0;
    for (int view = 0; view < views; view++) {
        if (view > 0 && !go_together(r)) RG_TRY(run_row(r, first + view));
        n += list_seen(r, rg_runner_look(r, first + view), view, r->seen + n);
    }
    *seen = r->seen;
    return rg_views_join(r->seen, n, views);
}

/* SPDX-License-Identifier: MIT */
#include "core/detector/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/candidates.h"
#include "core/detector/layout.h"
#include "core/detector/runner.h"
#include "core/engine/error.h"

enum {
    SUBJECT = RG_CLARAN_SUBJECT,
    PLANES = SUBJECT * SUBJECT,
    PROPOSALS_MOST = 2000,
    SMALLEST = 4,                /* pixels a side an image must have */
};
#define PROBABILITY_LEAST 0.05f  /* below it nothing is a detection (py-faster-rcnn),
                                    before calibration */

struct rg_detector {
    rg_detect_options options;
    rg_runner *runner;           /* owned */
    char hash[RG_CLARAN_IDENTITY];
    int uncovered, looked;       /* windows of the last image */
};

const rg_detect_options rg_detect_defaults = {
    .backend = "auto", .precision = RG_PRECISION_AUTO,
    .threshold = 0.8f, .best = true,
    .proposals = 5, .proposal_iou = 0.7f, .class_iou = 0.3f, .scales = 2,
};

/* ---- open and close ---- */

static int check_fraction(const char *what, float value)
{
    if (value >= 0 && value <= 1) return 0;
    return RG_FAIL("the %s is %g, which is not from 0 to 1", what, value);
}

static int check_options(const rg_detect_options *o)
{
    RG_TRY(check_fraction("threshold", o->threshold));
    RG_TRY(check_fraction("overlap of proposals", o->proposal_iou));
    RG_TRY(check_fraction("overlap of detections", o->class_iou));
    if (o->proposals < 1 || o->proposals > PROPOSALS_MOST)
        return RG_FAIL("the number of proposals is %d, which is not from 1 to %d",
                       o->proposals, PROPOSALS_MOST);
    if (o->scales < 1 || o->scales > RG_LAYOUT_SCALES)
        return RG_FAIL("the number of window sizes is %d, which is not from 1 to %d",
                       o->scales, RG_LAYOUT_SCALES);
    if (o->views < 0 || o->views > RG_VIEWS_MOST)
        return RG_FAIL("the number of views is %d, which is not from 1 to %d (0: as "
                       "the model says)", o->views, RG_VIEWS_MOST);
    return 0;
}

/* Takes the weights over. */
static int open_runner(rg_detector *d, rg_weights *weights)
{
    const bool any = strcmp(d->options.backend, "auto") == 0;
    rg_runner_options how = { .precision = d->options.precision,
                              .proposals = d->options.proposals,
                              .iou = d->options.proposal_iou,
                              .views = d->options.views };
    rg_claran model;
    if (rg_backend_find(d->options.backend, &how.backend) != 0
        || rg_claran_recognise(&model, weights) != 0) {
        rg_weights_free(weights);
        return -1;
    }
    if (any && how.backend != &rg_backend_cpu) how.spare = &rg_backend_cpu;
    if (how.views > 0) model.views = how.views;
    rg_claran_identity(&model, weights, d->hash);     /* of what is in the file */
    return rg_runner_open(&d->runner, weights, &how);
}

static int read_model(rg_detector *d, const char *path)
{
    rg_weights *weights;
    RG_TRY(rg_weights_read(&weights, path));
    if (open_runner(d, weights) == 0) return 0;
    return rg_error_prefix("%s: ", path);
}

int rg_detect_open(rg_detector **out, const char *model_path,
                   const rg_detect_options *options)
{
    *out = NULL;
    RG_TRY(check_options(options));
    rg_detector *d = rg_error_alloc(1, sizeof *d, "the detector");
    if (d == NULL) return -1;
    d->options = *options;
    if (read_model(d, model_path) != 0) {
        rg_detect_close(d);
        return -1;
    }
    *out = d;
    return 0;
}

int rg_detect_adjust(rg_detector *d, const rg_detect_options *options)
{
    RG_TRY(check_options(options));
    d->options = *options;
    return 0;
}

void rg_detect_close(rg_detector *d)
{
    if (d == NULL) return;
    rg_runner_close(d->runner);
    free(d);
}

const rg_claran *rg_detect_model(const rg_detector *d)
{
    return rg_runner_model(d->runner);
}

const rg_detect_options *rg_detect_how(const rg_detector *d)
{
    return &d->options;
}

const char *rg_detect_hash(const rg_detector *d)
{
    return d->hash;
}

int rg_detect_uncovered(const rg_detector *d)
{
    return d->uncovered;
}

int rg_detect_looked(const rg_detector *d)
{
    return d->looked;
}

const char *rg_detect_backend(const rg_detector *d)
{
    return rg_runner_backend(d->runner);
}

rg_precision rg_detect_precision(const rg_detector *d)
{
    return rg_runner_precision(d->runner);
}

const char *rg_detect_note(const rg_detector *d)
{
    return rg_runner_note(d->runner);
}

/* ---- between the image and a window ---- */

/* The image on the window; `lacking` is returned where fewer than `least` pixels have a
 * value. */
static int show(const rg_image *image, const rg_sky *window, int least, int lacking,
                float *pixels)
{
    int finite = 0;
    RG_TRY(rg_image_resample(image, window, SUBJECT, SUBJECT, pixels));
    for (int i = 0; i < PLANES; i++) finite += isfinite(pixels[i]) != 0;
    if (finite < least) return lacking;
    return 0;
}

int rg_detect_planes(rg_method method, const rg_image *radio, const rg_image *infrared,
                     const rg_sky *window, float *pixels)
{
    const bool both = rg_fuse_wants_infrared(method);
    if (both && infrared == NULL)
        return RG_FAIL("method %s needs an infrared image beside %s",
                       rg_fuse_name(method), radio->name);
    int status = show(radio, window, 1, RG_DETECT_BLANK, pixels);
    if (status != 0 || !both) return status;
    return show(infrared, window, PLANES / 2, RG_DETECT_UNCOVERED, pixels + PLANES);
}

/* Both steps; pixels [2][PLANES]. */
static int look_through(rg_method method, const rg_image *radio,
                        const rg_image *infrared, const rg_sky *window, float *pixels,
                        uint8_t *rgb)
{
    int status = rg_detect_planes(method, radio, infrared, window, pixels);
    if (status != 0) return status;
    return rg_fuse(method, pixels, rg_fuse_wants_infrared(method) ? pixels + PLANES
                   : NULL, SUBJECT, SUBJECT, rgb);
}

int rg_detect_window(rg_method method, const rg_image *radio, const rg_image *infrared,
                     const rg_sky *window, uint8_t *rgb)
{
    float *pixels = rg_error_alloc(2 * PLANES, sizeof *pixels, "a window");
    if (pixels == NULL) return -1;
    int status = look_through(method, radio, infrared, window, pixels, rgb);
    free(pixels);
    return status;
}

/* The bounding box on `to` of a box on `from`, both as xmin, ymin, xmax, ymax. */
static int carry_box(const rg_sky *from, const double in[4], const rg_sky *to,
                     double out[4])
{
    out[0] = out[1] = INFINITY;
    out[2] = out[3] = -INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        double ra, dec, x, y;
        RG_TRY(rg_sky_to_world(from, in[corner % 2 * 2], in[corner / 2 * 2 + 1], &ra,
                               &dec));
        RG_TRY(rg_sky_to_pixel(to, ra, dec, &x, &y));
        out[0] = fmin(out[0], x);
        out[1] = fmin(out[1], y);
        out[2] = fmax(out[2], x);
        out[3] = fmax(out[3], y);
    }
    return 0;
}

int rg_detect_box_to_window(const rg_claran *model, const rg_image *image,
                            const rg_sky *window, const double fits[4], rg_box *network)
{
    double on[4];
    RG_TRY(carry_box(image->sky, fits, window, on));
    *network = rg_claran_from_subject(model, (rg_box){ (float)on[0], (float)on[1],
                                                       (float)on[2], (float)on[3] });
    return 0;
}

int rg_detect_box_to_image(const rg_claran *model, const rg_image *image,
                           const rg_sky *window, rg_box network, double fits[4])
{
    rg_box box = rg_claran_to_subject(model, network);
    return carry_box(window, (double[]){ box.x1, box.y1, box.x2, box.y2 }, image->sky,
                     fits);
}

static int check_image(const rg_image *image)
{
    if (image->sky == NULL)
        return RG_FAIL("%s cannot be searched: %s", image->name, image->sky_problem[0]
                       ? image->sky_problem : "it has no celestial WCS");
    if (image->nx < SMALLEST || image->ny < SMALLEST)
        return RG_FAIL("%s has %d x %d pixels: a source needs at least %d x %d",
                       image->name, image->nx, image->ny, SMALLEST, SMALLEST);
    const size_t n = (size_t)image->nx * image->ny;
    for (size_t i = 0; i < n; i++)
        if (isfinite(image->pixels[i])) return 0;
    return RG_FAIL("%s is blank: none of its %d x %d pixels has a value", image->name,
                   image->nx, image->ny);
}

/* ---- detections of one window ---- */

/* Where a box of the network is on the sky and in the image. */
static int locate(const rg_claran *model, const rg_image *image, const rg_sky *window,
                  rg_box network, rg_detection *f)
{
    rg_box on = rg_claran_to_subject(model, network);
    double x = (on.x1 + on.x2) / 2, y = (on.y1 + on.y2) / 2, edges[4];
    int parity;
    RG_TRY(rg_sky_to_world(window, x, y, &f->ra, &f->dec));
    RG_TRY(rg_sky_orientation(window, x, y, &f->angle, &parity));
    RG_TRY(rg_detect_box_to_image(model, image, window, network, edges));
    f->width = (on.x2 - on.x1) * rg_layout_pixel(f->scale);
    f->height = (on.y2 - on.y1) * rg_layout_pixel(f->scale);
    f->xmin = edges[0];
    f->ymin = edges[1];
    f->xmax = edges[2];
    f->ymax = edges[3];
    return 0;
}

/* What is looked at, and how; and the windows that the network has, and behind them
 * those that wait for it. */
typedef struct waiting {
    rg_sky *window;                       /* owned, as below */
    rg_evidence *evidence;
    rg_place at;
} waiting;
typedef struct view {
    const rg_image *radio, *infrared;
    rg_layout layout;
    int on_sky;                           /* windows of 3' that lie on it */
    waiting batch[2 * RG_RUNNER_BATCH];   /* [flying + n] */
    int flying, n;
} view;

/* Whether it is above PROBABILITY_LEAST, on the sky (not beyond the edge of the
 * projection, where no image is) and what no other window sees better. */
static bool is_own(const rg_claran *model, const view *v, const waiting *from,
                   const rg_seen *seen, rg_detection *one)
{
    *one = (rg_detection){ .class_ = seen->class_, .raw = seen->probability,
                           .scale = from->at.scale };
    return seen->probability > PROBABILITY_LEAST
           && locate(model, v->radio, from->window, seen->box, one) == 0
           && !rg_layout_is_better_elsewhere(&v->layout, from->at, one);
}

/* Views of window k.  Where it has nothing of its own as it is, they count for
 * nothing: most windows need not be looked at again. */
static int look_again(const rg_detector *d, const view *v, const waiting *from, int k,
                      const rg_seen **seen)
{
    const rg_claran *model = rg_runner_model(d->runner);
    rg_detection one;
    const int n = rg_runner_seen(d->runner, k, false, seen);
    for (int i = 0; i < n && model->views > 1; i++)
        if (is_own(model, v, from, &(*seen)[i], &one))
            return rg_runner_seen(d->runner, k, true, seen);
    return model->views > 1 ? 0 : n;
}

/* What window k of those that are done has of its own. */
static int collect(const rg_detector *d, const view *v, int k, rg_candidates *all)
{
    const rg_claran *model = rg_runner_model(d->runner);
    const waiting *from = &v->batch[k];
    const rg_seen *seen;
    const int n = look_again(d, v, from, k, &seen);
    for (int i = 0; i < n; i++) {
        rg_detection one;
        if (!is_own(model, v, from, &seen[i], &one)) continue;
        rg_evidence_weigh(from->evidence, rg_claran_to_subject(model, seen[i].box),
                          one.class_, one.evidence);
        one.probability = rg_claran_calibrate(model, one.class_, one.raw, one.evidence);
        one.cut = rg_layout_is_cut(&v->layout, from->at, &one);
        if (d->options.seen) d->options.seen(d->options.user, &one);
        RG_TRY(rg_candidates_add(all, &one));
    }
    return n < 0 ? -1 : 0;
}

static void clear(waiting *one)
{
    rg_sky_free(one->window);
    rg_evidence_close(one->evidence);
}

/* What the network sees of a window, and what can be counted in it, both as if it were
 * of 3'. */
static int see(rg_method method, const view *v, waiting *one, uint8_t *rgb)
{
    float *pixels = rg_error_alloc(2 * PLANES, sizeof *pixels, "a window");
    if (pixels == NULL) return -1;
    int status = look_through(method, v->radio, v->infrared, one->window, pixels, rgb);
    if (status == 0)
        status = rg_evidence_open(&one->evidence, pixels, SUBJECT, RG_CLARAN_PIXEL);
    free(pixels);
    return status;
}

/* A window joins those that wait, where there is something to see in it. */
static int show_window(rg_detector *d, view *v, rg_place at)
{
    const bool finest = at.scale == 0;
    rg_sky *window;
    if (rg_layout_window(&v->layout, at, v->radio->sky, &window) != 0)
        return 0;       /* off the sky, as are the corners of an all-sky image */
    v->on_sky += finest;
    waiting *next = &v->batch[v->flying + v->n];
    *next = (waiting){ .window = window, .at = at };
    int status = rg_layout_is_blank(&v->layout, at, v->radio, window) ? RG_DETECT_BLANK
        : see(rg_runner_model(d->runner)->method, v, next,
              rg_runner_window(d->runner, v->n));
    if (status == RG_DETECT_UNCOVERED) d->uncovered += finest;
    if (status == 0) v->n++;
    else clear(next);
    return status < 0 ? -1 : 0;
}

/* Those that wait, to the network; what it is done with is collected. */
static int look_at_batch(rg_detector *d, view *v, rg_candidates *all)
{
    int done = 0, status = rg_runner_feed(d->runner, v->n, &done);
    d->looked += v->n;
    for (int k = 0; k < done; k++) {
        if (status == 0) status = collect(d, v, k, all);
        clear(&v->batch[k]);
    }
    v->flying += v->n - done;
    v->n = 0;
    memmove(v->batch, v->batch + done, (size_t)v->flying * sizeof *v->batch);
    return status;
}

static int look_at_windows(rg_detector *d, view *v, rg_candidates *all)
{
    const int total = v->layout.total, batch = rg_runner_batch(d->runner, total);
    for (int k = 0; k < total; k++) {
        RG_TRY(show_window(d, v, rg_layout_place(&v->layout, k)));
        if (v->n == batch || k + 1 == total) RG_TRY(look_at_batch(d, v, all));
        if (d->options.progress) d->options.progress(d->options.user, k + 1, total);
    }
    return 0;
}

static int look_at_all(rg_detector *d, view *v, rg_candidates *all)
{
    d->uncovered = d->looked = 0;
    int status = look_at_windows(d, v, all);
    while (status == 0 && v->flying > 0) status = look_at_batch(d, v, all);
    for (int k = 0; k < v->flying + v->n; k++) clear(&v->batch[k]);
    RG_TRY(status);
    if (v->on_sky == 0)
        return rg_error_prefix("%s: no window of 3' lies on the sky: ", v->radio->name);
    if (d->uncovered == v->on_sky)
        return RG_FAIL("%s does not cover %s: no window of 3' has infrared for half of "
                       "its pixels", v->infrared->name, v->radio->name);
    return 0;
}

/* ---- detections of an image ---- */

/* The infrared image, where it is wanted. */
static int check_infrared(const rg_detector *d, const view *v)
{
    const char *method = rg_fuse_name(rg_runner_model(d->runner)->method);
    if (!rg_fuse_wants_infrared(rg_runner_model(d->runner)->method)) return 0;
    if (v->infrared == NULL)
        return RG_FAIL("the model is for method %s, which needs an infrared image "
                       "beside %s", method, v->radio->name);
    return check_image(v->infrared);
}

int rg_detect(rg_detector *d, const rg_image *radio, const rg_image *infrared,
              rg_detection **found, int *n)
{
    const rg_detect_options *o = &d->options;
    const unsigned before = rg_error_shortages();
    rg_candidates all = { 0 };
    view v = { .radio = radio, .infrared = infrared };
    *found = NULL;
    *n = 0;
    RG_TRY(check_image(radio));
    RG_TRY(check_infrared(d, &v));
    RG_TRY(rg_layout_new(&v.layout, radio, o->scales));
    int status = look_at_all(d, &v, &all);
    if (status == 0 && rg_error_shortages() != before)
        status = rg_error_memory("all windows");
    if (status == 0) {
        rg_candidates_sort(&all);
        rg_candidates_suppress(&all, o->class_iou);
        if (!o->all)
            rg_candidates_choose(&all, o->threshold, o->class_iou,
                                 o->best && rg_layout_is_subject(&v.layout));
        status = rg_candidates_hand_over(&all, found, n);
    }
    rg_candidates_clear(&all);
    return status;
}

void rg_detect_calibrate(rg_detector *detector,
                         const float calibration[RG_CLARAN_CALIBRATION])
{
    rg_runner_calibrate(detector->runner, calibration);
}

static int more_probable(const void *pa, const void *pb)
{
    return rg_candidates_compare(pa, pb);
}

void rg_detect_recalibrate(const rg_detector *d, rg_detection *all, int n)
{
    for (int i = 0; i < n; i++)
        all[i].probability = rg_claran_calibrate(rg_runner_model(d->runner),
                                                 all[i].class_, all[i].raw,
                                                 all[i].evidence);
    if (n > 0) qsort(all, (size_t)n, sizeof *all, more_probable);
}

int rg_detect_choose(const rg_detect_options *how, const rg_image *radio,
                     float threshold, const rg_detection *all, int n,
                     rg_detection **chosen, int *nchosen)
{
    rg_candidates list = { 0 };
    rg_layout layout = { .total = 0 };
    int status = radio ? rg_layout_new(&layout, radio, 1) : 0;
    *chosen = NULL;
    *nchosen = 0;
    for (int i = 0; i < n && status == 0; i++)
        status = rg_candidates_add(&list, &all[i]);
    if (status == 0) {
        rg_candidates_choose(&list, threshold, how->class_iou,
                             how->best && rg_layout_is_subject(&layout));
        status = rg_candidates_hand_over(&list, chosen, nchosen);
    }
    rg_candidates_clear(&list);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "core/detector/detect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/candidates.h"
#include "core/detector/layout.h"
#include "core/detector/runner.h"
#include "core/detector/sweep.h"
#include "core/engine/error.h"

enum {
    SUBJECT = RG_CLARAN_SUBJECT,
    PLANES = SUBJECT * SUBJECT,
    PROPOSALS_MOST = 2000,
    SMALLEST = 4,                /* pixels a side an image must have */
    PIXELS_TOGETHER = 1 << 19,   /* have more windows than a card takes at once */
};

struct rg_detector {
    rg_detect_options options;
    rg_runner *runner;           /* owned */
    char hash[RG_CLARAN_IDENTITY];
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
static int open_runner(rg_detector *d, rg_weights *weights, const rg_backend *backend)
{
    const bool any = strcmp(d->options.backend, "auto") == 0;
    rg_runner_options how = { .backend = backend, .precision = d->options.precision,
                              .proposals = d->options.proposals,
                              .iou = d->options.proposal_iou,
                              .views = d->options.views };
    rg_claran model;
    if (rg_claran_recognise(&model, weights) != 0) {
        rg_weights_free(weights);
        return -1;
    }
    if (any) how.spare = &rg_backend_cpu;
    if (how.views > 0) model.views = how.views;
    rg_claran_identity(&model, weights, d->hash);     /* of what is in the file */
    return rg_runner_open(&d->runner, weights, &how);
}

static int read_model(rg_detector *d, const char *path)
{
    rg_weights *weights;
    const rg_backend *backend;
    RG_TRY(rg_backend_find(d->options.backend, &backend));
    RG_TRY(rg_weights_read(&weights, path));
    if (open_runner(d, weights, backend) == 0) return 0;
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

bool rg_detect_cramped(const rg_detector *d)
{
    return rg_runner_cramped(d->runner);
}

bool rg_detect_left_card(const rg_detector *d)
{
    return rg_runner_left(d->runner);
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

int rg_detect_window(rg_method method, const rg_image *radio, const rg_image *infrared,
                     const rg_sky *window, uint8_t *rgb)
{
    float *pixels = rg_error_alloc(2 * PLANES, sizeof *pixels, "a window");
    if (pixels == NULL) return -1;
    int status = rg_detect_planes(method, radio, infrared, window, pixels);
    if (status == 0)
        status = rg_fuse(method, pixels, rg_fuse_wants_infrared(method)
                         ? pixels + PLANES : NULL, SUBJECT, SUBJECT, rgb);
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

/* ---- detections ---- */

/* The infrared image, where it is wanted. */
static int check_infrared(const rg_detector *d, const rg_detect_task *task)
{
    const rg_method method = rg_runner_model(d->runner)->method;
    if (!rg_fuse_wants_infrared(method)) return 0;
    if (task->infrared == NULL)
        return RG_FAIL("the model is for method %s, which needs an infrared image "
                       "beside %s", rg_fuse_name(method), task->radio->name);
    return check_image(task->infrared);
}

static int begin(const rg_detector *d, rg_swept *image)
{
    const rg_detect_task *task = image->task;
    RG_TRY(check_image(task->radio));
    RG_TRY(check_infrared(d, task));
    return rg_layout_new(&image->layout, task->radio, d->options.scales);
}

static int check_windows(const rg_swept *image)
{
    const rg_detect_task *task = image->task;
    if (image->on_sky == 0)
        return RG_FAIL("%s: no window of 3' lies on the sky: %s", task->radio->name,
                       image->off_sky);
    if (task->uncovered == image->on_sky)
        return RG_FAIL("%s does not cover %s: no window of 3' has infrared for half of "
                       "its pixels", task->infrared->name, task->radio->name);
    return 0;
}

/* From what the windows showed to what is reported. */
static int end(const rg_detector *d, rg_swept *image)
{
    const rg_detect_options *o = &d->options;
    rg_candidates *all = &image->found;
    RG_TRY(check_windows(image));
    rg_candidates_sort(all);
    rg_candidates_suppress(all, o->class_iou);
    if (!o->all)
        rg_candidates_choose(all, o->threshold, o->class_iou,
                             o->best && rg_layout_is_subject(&image->layout));
    return rg_candidates_hand_over(all, &image->task->found, &image->task->n);
}

void rg_detect_fail(rg_detect_task *task)
{
    snprintf(task->sentence, sizeof task->sentence, "%s", rg_error_message());
    task->status = -1;
}

bool rg_detect_enough(const rg_detect_task *tasks, int n)
{
    double pixels = 0;
    for (int i = 0; i < n; i++) {
        const rg_image *radio = tasks[i].radio, *infrared = tasks[i].infrared;
        if (radio) pixels += (double)radio->nx * radio->ny;
        if (infrared && (i == 0 || infrared != tasks[0].infrared))
            pixels += (double)infrared->nx * infrared->ny;
    }
    return n >= RG_DETECT_TOGETHER || pixels > PIXELS_TOGETHER;
}

/* Where the card fails in the middle, all of it again without it, if that may be. */
static int sweep(rg_detector *d, rg_swept *images, int n)
{
    if (rg_sweep(d->runner, &d->options, images, n) == 0) return 0;
    RG_TRY(rg_runner_leave(d->runner));
    for (int i = 0; i < n; i++) {
        rg_swept *image = &images[i];
        rg_candidates_clear(&image->found);
        image->on_sky = image->task->uncovered = image->task->looked = 0;
    }
    return rg_sweep(d->runner, &d->options, images, n);
}

static void detect_all(rg_detector *d, rg_swept *images, int n)
{
    const unsigned before = rg_error_shortages();
    for (int i = 0; i < n; i++)
        if (images[i].task->status == 0 && begin(d, &images[i]) != 0)
            rg_detect_fail(images[i].task);
    int status = sweep(d, images, n);
    if (status == 0 && rg_error_shortages() != before)
        status = rg_error_memory("all windows");
    for (int i = 0; i < n; i++)
        if (images[i].task->status == 0 && (status != 0 || end(d, &images[i]) != 0))
            rg_detect_fail(images[i].task);
}

void rg_detect_list(rg_detector *d, rg_detect_task *tasks, int n)
{
    rg_swept *images = rg_error_alloc((unsigned long)n, sizeof *images, "images");
    for (int i = 0; i < n; i++) {
        if (images == NULL && tasks[i].status == 0) rg_detect_fail(&tasks[i]);
        if (images != NULL) images[i].task = &tasks[i];
    }
    if (images != NULL) detect_all(d, images, n);
    for (int i = 0; i < n && images != NULL; i++)
        rg_candidates_clear(&images[i].found);
    free(images);
}

int rg_detect(rg_detector *d, const rg_image *radio, const rg_image *infrared,
              rg_detection **found, int *n)
{
    rg_detect_task task = { .radio = radio, .infrared = infrared };
    rg_detect_list(d, &task, 1);
    *found = task.found;
    *n = task.n;
    return task.status == 0 ? 0 : RG_FAIL("%s", task.sentence);
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

/* SPDX-License-Identifier: MIT */
#include "core/detector/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/coarse.h"
#include "core/detector/runner.h"
#include "core/engine/error.h"

enum {
    SUBJECT = RG_CLARAN_SUBJECT,
    PLANES = SUBJECT * SUBJECT,
    WINDOWS_MOST = 1 << 16,      /* an hour's work and more */
    PROPOSALS_MOST = 2000,
    SMALLEST = 4,                /* pixels a side an image must have */
};
#define PROBABILITY_LEAST 0.05f  /* below it nothing is a detection (py-faster-rcnn),
                                    before calibration */
#define ONE_WINDOW 1.05          /* images up to so many windows wide are one subject */
#define LARGER 1.5               /* images of so many windows are seen by larger ones */
#define RIM 3                    /* a box this near a cut edge may be cut [pixels] */
#define PIECE 0.7f               /* a box this much inside another is part of it */
#define WHOLE 0.6f               /* of its part's probability, that a whole must have */

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
    if (o->scales < 1 || o->scales > RG_COARSE_SCALES)
        return RG_FAIL("the number of window sizes is %d, which is not from 1 to %d",
                       o->scales, RG_COARSE_SCALES);
    return 0;
}

/* Takes the weights over. */
static int open_runner(rg_detector *d, rg_weights *weights)
{
    const bool any = strcmp(d->options.backend, "auto") == 0;
    rg_runner_options how = { .precision = d->options.precision,
                              .proposals = d->options.proposals,
                              .iou = d->options.proposal_iou };
    rg_claran model;
    if (rg_backend_find(d->options.backend, &how.backend) != 0
        || rg_claran_recognise(&model, weights) != 0) {
        rg_weights_free(weights);
        return -1;
    }
    if (any && how.backend != &rg_backend_cpu) how.spare = &rg_backend_cpu;
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

/* ---- the windows of an image ---- */

typedef struct layout {
    int nx, ny;           /* windows along the image's axes */
    double x, y, dx, dy;  /* middle of the first, and steps [image pixels] */
    double span[2];       /* image pixels, along its axes, in one of a window's */
} layout;

/* Along one axis: the middle of the first of how many windows, and the step. */
static double spread(double pixels, double window, double *first, double *step)
{
    *first = (pixels + 1) / 2;
    *step = 0;
    if (!(pixels > ONE_WINDOW * window)) return 1;
    double n = ceil((pixels - window) / (window / 2)) + 1;
    *first = (window + 1) / 2;
    *step = (pixels - window) / (n - 1);
    return n;
}

/* The same at pixel x, y of the image. */
static int span_at(const rg_sky *sky, double x, double y, double pixel, double span[2])
{
    const double middle = (SUBJECT + 1) / 2.0;
    rg_sky *window;
    RG_TRY(rg_sky_new_window(&window, sky, x, y, SUBJECT, pixel));
    int status = rg_sky_span(window, middle, middle, sky, span);
    rg_sky_free(window);
    return status;
}

/* A window's size in the image where that is smallest, so that the windows overlap
 * wherever the projection stretches the sky; where it is less than half of that in the
 * middle there is no end to it. */
static int least_span(const rg_image *image, double pixel, double span[2])
{
    double middle[2];
    RG_TRY(span_at(image->sky, (image->nx + 1) / 2.0, (image->ny + 1) / 2.0, pixel,
                   middle));
    memcpy(span, middle, sizeof middle);
    for (int i = 0; i < 9; i++) {
        double at[2], x = 1 + i % 3 * (image->nx - 1) / 2.0;
        if (span_at(image->sky, x, 1 + i / 3 * (image->ny - 1) / 2.0, pixel, at) != 0)
            continue;       /* off the sky */
        for (int k = 0; k < 2; k++)
            if (at[k] >= middle[k] / 2) span[k] = fmin(span[k], at[k]);
    }
    return 0;
}

static int lay_out(const rg_image *image, int scale, layout *l)
{
    *l = (layout){ .nx = 0 };
    if (least_span(image, rg_coarse_pixel(scale), l->span) != 0)
        return rg_error_prefix("%s cannot be laid out in windows: ", image->name);
    double nx = spread(image->nx, SUBJECT * l->span[0], &l->x, &l->dx);
    double ny = spread(image->ny, SUBJECT * l->span[1], &l->y, &l->dy);
    if (!(nx * ny <= WINDOWS_MOST))
        return RG_FAIL("%s has %d x %d pixels of %g arcsec: more than %d windows of "
                       "3'; cut out the part of interest", image->name, image->nx,
                       image->ny, rg_sky_pixel_arcsec(image->sky), WINDOWS_MOST);
    l->nx = (int)nx;
    l->ny = (int)ny;
    return 0;
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

typedef struct candidate {
    rg_detection found;
    rg_box box;           /* as inclusive pixels of the image, for overlaps */
    int order;            /* in which it was found */
    bool outdone;         /* by one of another scale */
} candidate;

typedef struct candidates {
    candidate *item;      /* owned */
    int n, room;
    int windows;          /* that lie on the sky */
} candidates;

static int add(candidates *all, const rg_detection *one)
{
    if (all->n == all->room) {
        int room = 2 * all->room + 64;
        candidate *item = realloc(all->item, (size_t)room * sizeof *item);
        if (item == NULL) return RG_FAIL("out of memory for %d detections", room);
        all->item = item;
        all->room = room;
    }
    all->item[all->n] = (candidate){
        .found = *one, .order = all->n,
        .box = { (float)one->xmin, (float)one->ymin, (float)one->xmax - 1,
                 (float)one->ymax - 1 },
    };
    all->n++;
    return 0;
}

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
    f->width = (on.x2 - on.x1) * rg_coarse_pixel(f->scale);
    f->height = (on.y2 - on.y1) * rg_coarse_pixel(f->scale);
    f->xmin = edges[0];
    f->ymin = edges[1];
    f->xmax = edges[2];
    f->ymax = edges[3];
    return 0;
}

/* How far inside window i, j a box keeps from the edges beyond which the image goes on
 * [pixels of the window]; negative: outside. */
static double clearance(const layout *l, int i, int j, const rg_detection *f)
{
    const double x = l->x + i * l->dx, y = l->y + j * l->dy;
    double left = (f->xmin - x) / l->span[0], right = (x - f->xmax) / l->span[0];
    double below = (f->ymin - y) / l->span[1], above = (y - f->ymax) / l->span[1];
    double least = INFINITY;
    if (i > 0) least = fmin(least, left);
    if (i < l->nx - 1) least = fmin(least, right);
    if (j > 0) least = fmin(least, below);
    if (j < l->ny - 1) least = fmin(least, above);
    return least + SUBJECT / 2.0;
}

static bool is_whole_elsewhere(const layout *l, int i, int j, const rg_detection *f)
{
    const int reach = 4;   /* windows further away have nothing in common */
    for (int v = j - reach; v <= j + reach; v++)
        for (int u = i - reach; u <= i + reach; u++)
            if (u >= 0 && u < l->nx && v >= 0 && v < l->ny
                && clearance(l, u, v, f) >= RIM) return true;
    return false;
}

/* What is looked at, and how; and the windows that the network has, and behind them
 * those that wait for it. */
typedef struct waiting {
    rg_sky *window;                       /* owned, as below */
    rg_evidence *evidence;
    int scale, i, j;
} waiting;
typedef struct view {
    const rg_image *radio, *infrared;
    layout windows[RG_COARSE_SCALES];
    int scales;                           /* of windows, in use */
    waiting batch[2 * RG_RUNNER_BATCH];   /* [flying + n] */
    int flying, n;
} view;

/* Windows twice as large, as long as the image fills most of one. */
static int lay_out_all(const rg_image *image, int scales, view *v)
{
    double size;
    v->scales = 0;
    do {
        layout *l = &v->windows[v->scales++];
        RG_TRY(lay_out(image, v->scales - 1, l));
        size = fmax(image->nx / l->span[0], image->ny / l->span[1]) / SUBJECT;
    } while (v->scales < scales && size >= LARGER);
    return 0;
}

/* Which window along an axis of n has its middle nearest to x. */
static int nearest(double x, double first, double step, int n)
{
    const double k = step > 0 ? round((x - first) / step) : 0;
    return (int)fmin(fmax(k, 0), n - 1);
}

/* Whether a finer window shows all of it, and larger. */
static bool is_whole_finer(const view *v, const rg_detection *f)
{
    if (f->scale == 0) return false;
    const layout *l = &v->windows[f->scale - 1];
    return is_whole_elsewhere(l, nearest((f->xmin + f->xmax) / 2, l->x, l->dx, l->nx),
                              nearest((f->ymin + f->ymax) / 2, l->y, l->dy, l->ny), f);
}

/* Everything above PROBABILITY_LEAST, but for what another window sees better. */
static int collect(const rg_detector *d, const view *v, const waiting *at, rg_look look,
                   candidates *all)
{
    const rg_claran *model = rg_runner_model(d->runner);
    const layout *l = &v->windows[at->scale];
    for (int k = 0; k < look.n * RG_CLASSES; k++) {
        const int class_ = k % RG_CLASSES;
        const float raw = look.probability[k];
        if (class_ == RG_CLASS_BACKGROUND || !(raw > PROBABILITY_LEAST)) continue;
        rg_detection one = { .class_ = class_, .raw = raw, .scale = at->scale };
        rg_box box = rg_boxes_decode(look.proposals[k / RG_CLASSES],
                                     look.shifts + (size_t)4 * k);
        if (!isfinite(box.x1 + box.y1 + box.x2 + box.y2)) continue;
        box = rg_boxes_clip(box, model->input, model->input);
        rg_evidence_weigh(at->evidence, rg_claran_to_subject(model, box), class_,
                          one.evidence);
        one.probability = rg_claran_calibrate(model, class_, raw, one.evidence);
        if (locate(model, v->radio, at->window, box, &one) != 0)
            continue;   /* beyond the edge of the projection, where no image is */
        if (is_whole_finer(v, &one)) continue;
        one.cut = clearance(l, at->i, at->j, &one) < RIM;
        if (one.cut && is_whole_elsewhere(l, at->i, at->j, &one)) continue;
        if (d->options.seen) d->options.seen(d->options.user, &one);
        RG_TRY(add(all, &one));
    }
    return 0;
}

/* The part of the image, x1, y1, x2, y2 [0-based], in which a window surely lies. */
static void part_of(const rg_image *image, const rg_sky *window, const layout *l,
                    double part[4])
{
    enum { STEP = 4 };        /* rows of the window that are looked at */
    double xy[2 * SUBJECT];
    part[0] = part[1] = INFINITY;
    part[2] = part[3] = -INFINITY;
    for (int row = 1; row <= SUBJECT; row += STEP) {
        rg_sky_map_row(window, row, SUBJECT, image->sky, xy);
        for (int k = 0; k < 2 * SUBJECT; k++) {
            const double margin = 2 * STEP * l->span[k % 2];
            part[k % 2] = fmin(part[k % 2], xy[k] - 1 - margin);
            part[k % 2 + 2] = fmax(part[k % 2 + 2], xy[k] - 1 + margin);
        }
    }
    part[0] = fmax(part[0], 0);
    part[1] = fmax(part[1], 0);
    part[2] = fmin(part[2], image->nx - 1);
    part[3] = fmin(part[3], image->ny - 1);
}

/* Whether there is no value near, which is quicker to see than by resampling. */
static bool is_blank(const rg_image *image, const rg_sky *window, const layout *l)
{
    double part[4];
    part_of(image, window, l, part);
    if (!(part[0] <= part[2] && part[1] <= part[3])) return true;
    for (int y = (int)part[1]; y <= part[3]; y++)
        for (int x = (int)part[0]; x <= part[2]; x++)
            if (isfinite(image->pixels[(size_t)y * image->nx + x])) return false;
    return true;
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

/* Window i, j of a scale joins those that wait, where there is something to see in
 * it. */
static int show_window(rg_detector *d, view *v, int scale, int i, int j,
                       candidates *all)
{
    const layout *l = &v->windows[scale];
    rg_sky *window;
    if (rg_sky_new_window(&window, v->radio->sky, l->x + i * l->dx, l->y + j * l->dy,
                          SUBJECT, rg_coarse_pixel(scale)) != 0)
        return 0;       /* off the sky, as are the corners of an all-sky image */
    all->windows += scale == 0;
    waiting *next = &v->batch[v->flying + v->n];
    *next = (waiting){ .window = window, .scale = scale, .i = i, .j = j };
    int status = is_blank(v->radio, window, l) ? RG_DETECT_BLANK
        : see(rg_runner_model(d->runner)->method, v, next,
              rg_runner_window(d->runner, v->n));
    if (status == RG_DETECT_UNCOVERED) d->uncovered += scale == 0;
    if (status == 0) v->n++;
    else clear(next);
    return status < 0 ? -1 : 0;
}

/* Those that wait, to the network; what it is done with is collected. */
static int look_at_batch(rg_detector *d, view *v, candidates *all)
{
    int done = 0, status = rg_runner_feed(d->runner, v->n, &done);
    d->looked += v->n;
    for (int k = 0; k < done; k++) {
        if (status == 0)
            status = collect(d, v, &v->batch[k], rg_runner_look(d->runner, k), all);
        clear(&v->batch[k]);
    }
    v->flying += v->n - done;
    v->n = 0;
    memmove(v->batch, v->batch + done, (size_t)v->flying * sizeof *v->batch);
    return status;
}

/* All windows of all scales, `total` of them. */
static int look_at_windows(rg_detector *d, view *v, int total, candidates *all)
{
    const int batch = rg_runner_batch(d->runner, total);
    int done = 0;
    for (int scale = 0; scale < v->scales; scale++) {
        const int nx = v->windows[scale].nx, n = nx * v->windows[scale].ny;
        for (int k = 0; k < n; k++) {
            RG_TRY(show_window(d, v, scale, k % nx, k / nx, all));
            done++;
            if (v->n == batch || done == total) RG_TRY(look_at_batch(d, v, all));
            if (d->options.progress)
                d->options.progress(d->options.user, done, total);
        }
    }
    return 0;
}

static int look_at_all(rg_detector *d, view *v, candidates *all)
{
    int total = 0;
    for (int scale = 0; scale < v->scales; scale++)
        total += v->windows[scale].nx * v->windows[scale].ny;
    d->uncovered = d->looked = 0;
    int status = look_at_windows(d, v, total, all);
    while (status == 0 && v->flying > 0) status = look_at_batch(d, v, all);
    for (int k = 0; k < v->flying + v->n; k++) clear(&v->batch[k]);
    RG_TRY(status);
    if (all->windows == 0)
        return rg_error_prefix("%s: no window of 3' lies on the sky: ", v->radio->name);
    if (d->uncovered == all->windows)
        return RG_FAIL("%s does not cover %s: no window of 3' has infrared for half of "
                       "its pixels", v->infrared->name, v->radio->name);
    return 0;
}

/* ---- one label per source ---- */

/* Calibration ties what rounding cannot tell apart: the network's own figure tells. */
static int more_probable(const void *pa, const void *pb)
{
    const rg_detection *a = pa, *b = pb;
    if (a->probability != b->probability)
        return a->probability < b->probability ? 1 : -1;
    return a->raw == b->raw ? 0 : a->raw < b->raw ? 1 : -1;
}

static int by_probability(const void *pa, const void *pb)
{
    const candidate *a = pa, *b = pb;
    const int order = more_probable(&a->found, &b->found);
    return order ? order : a->order - b->order;
}

static float area(rg_box box)
{
    return (box.x2 - box.x1 + 1) * (box.y2 - box.y1 + 1);
}

static bool is_inside(const candidate *part, const candidate *whole)
{
    float iou = rg_boxes_iou(part->box, whole->box);
    float both = iou / (1 + iou) * (area(part->box) + area(whole->box));
    return both > PIECE * area(part->box);
}

/* Whether the weaker b is the same as a: much the same box, or a cut piece of it. */
static bool is_same(const candidate *a, const candidate *b, float iou)
{
    return rg_boxes_iou(a->box, b->box) > iou || (b->found.cut && is_inside(b, a));
}

/* Greedy suppression of sorted candidates, within each class or across all; across, the
 * best of another class is remembered as the runner-up. */
static void suppress(candidates *all, float iou, bool across)
{
    int kept = 0;
    for (int i = 0; i < all->n; i++) {
        const candidate one = all->item[i];
        int k = 0;
        while (k < kept && !((across || all->item[k].found.class_ == one.found.class_)
                             && is_same(&all->item[k], &one, iou))) k++;
        if (k == kept) {
            all->item[kept++] = one;
        } else if (across && all->item[k].found.second == 0
                   && all->item[k].found.class_ != one.found.class_) {
            all->item[k].found.second = one.found.class_;
            all->item[k].found.second_probability = one.found.probability;
        }
    }
    all->n = kept;
}

/* Whether the weaker one is a part of the better, or too weak to be the whole of it. */
static bool loses(const candidate *one, const candidate *better)
{
    if (is_inside(one, better)) return true;
    return is_inside(better, one)
           && !(one->found.probability > WHOLE * better->found.probability);
}

/* Of a source found whole and in parts (a lobe by itself overlaps the double little),
 * among sorted candidates: the whole, unless a part is much the more probable. */
static void choose_wholes(candidates *all)
{
    int kept = 0;
    for (int i = 0; i < all->n; i++) {
        const candidate one = all->item[i];
        int k = 0, left = 0;
        while (k < kept && !loses(&one, &all->item[k])) k++;
        if (k < kept) continue;
        for (k = 0; k < kept; k++)
            if (!is_inside(&all->item[k], &one)) all->item[left++] = all->item[k];
        all->item[left++] = one;
        kept = left;
    }
    all->n = kept;
}

/* Sorted candidates above the threshold, or the best of a subject. */
static void apply_threshold(candidates *all, float threshold, bool best)
{
    int kept = 0;
    while (kept < all->n && all->item[kept].found.probability >= threshold) kept++;
    if (kept == 0 && all->n > 0 && best) kept = 1;
    all->n = kept;
}

/* Whether another scale knows better, of candidates over the threshold: a larger window
 * sees the whole of this cut piece, or a smaller one sees that this is none. */
static bool is_outdone(const candidate *one, const candidates *all, float threshold,
                       float iou)
{
    for (int k = 0; k < all->n; k++) {
        const candidate *other = &all->item[k];
        if (!(other->found.probability >= threshold)) break;
        if (other->found.scale > one->found.scale
            && one->found.cut && is_same(other, one, iou)) return true;
        if (other->found.scale < one->found.scale && is_inside(other, one)
            && rg_coarse_is_apart(&other->found, &one->found)) return true;
    }
    return false;
}

static void compare_scales(candidates *all, float threshold, float iou)
{
    int kept = 0;
    for (int i = 0; i < all->n; i++)
        all->item[i].outdone = is_outdone(&all->item[i], all, threshold, iou);
    for (int i = 0; i < all->n; i++)
        if (!all->item[i].outdone) all->item[kept++] = all->item[i];
    all->n = kept;
}

/* One label per source, of sorted candidates. */
static void choose(candidates *all, const rg_detect_options *o, float threshold,
                   const layout *windows)
{
    compare_scales(all, threshold, o->class_iou);
    suppress(all, o->class_iou, true);
    apply_threshold(all, threshold, o->best && windows->nx * windows->ny == 1);
    choose_wholes(all);         /* a whole that is not shown hides no part */
}

static int hand_over(const candidates *all, rg_detection **found, int *n)
{
    *found = rg_error_alloc((unsigned long)all->n, sizeof **found, "detections");
    if (*found == NULL) return -1;
    for (int i = 0; i < all->n; i++) (*found)[i] = all->item[i].found;
    *n = all->n;
    return 0;
}

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
    candidates all = { 0 };
    view v = { .radio = radio, .infrared = infrared };
    *found = NULL;
    *n = 0;
    RG_TRY(check_image(radio));
    RG_TRY(check_infrared(d, &v));
    RG_TRY(lay_out_all(radio, o->scales, &v));
    int status = look_at_all(d, &v, &all);
    if (status == 0 && all.n > 0) {
        qsort(all.item, (size_t)all.n, sizeof *all.item, by_probability);
        suppress(&all, o->class_iou, false);
        if (!o->all) choose(&all, o, o->threshold, &v.windows[0]);
    }
    if (status == 0) status = hand_over(&all, found, n);
    free(all.item);
    return status;
}

void rg_detect_calibrate(rg_detector *detector,
                         const float calibration[RG_CLARAN_CALIBRATION])
{
    rg_runner_calibrate(detector->runner, calibration);
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
    candidates list = { 0 };
    layout windows = { .nx = 0 };
    int status = radio ? lay_out(radio, 0, &windows) : 0;
    *chosen = NULL;
    *nchosen = 0;
    for (int i = 0; i < n && status == 0; i++) status = add(&list, &all[i]);
    if (status == 0) choose(&list, how, threshold, &windows);
    if (status == 0) status = hand_over(&list, chosen, nchosen);
    free(list.item);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "core/detector/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

enum {
    SUBJECT = RG_CLARAN_SUBJECT,
    PLANES = SUBJECT * SUBJECT,
    GROUP = RG_RUNNER_BATCH,
    OFF_SKY = RG_DETECT_UNCOVERED + 1,
};
#define PROBABILITY_LEAST 0.05f  /* below it nothing is a detection (py-faster-rcnn),
                                    before calibration */

/* One of an image's. */
typedef struct window {
    rg_swept *of;
    rg_place at;
    rg_sky *sky;              /* owned, as below */
    rg_evidence *evidence;
    int status;               /* 0: there is something to see */
    char sentence[1024];
} window;

/* Windows that are made ready, those that the network has, and behind them those that
 * wait for it. */
typedef struct sweep {
    rg_runner *runner;
    const rg_detect_options *how;
    rg_swept *images;
    int n, image, place;      /* images, and where the next window is */
    int done, total;          /* windows */
    window group[GROUP];
    uint8_t rgb[GROUP][PLANES * 3];
    window batch[2 * GROUP];  /* [flying + waiting] */
    int flying, waiting, most;
} sweep;

static void clear(window *w)
{
    rg_sky_free(w->sky);
    rg_evidence_close(w->evidence);
}

/* ---- before the network: in threads ---- */

/* What it sees of a window, and what can be counted in it, both as if it were of 3'. */
static int see(rg_method method, window *w, uint8_t *rgb)
{
    const rg_detect_task *task = w->of->task;
    float *pixels = rg_error_alloc(2 * PLANES, sizeof *pixels, "a window");
    if (pixels == NULL) return -1;
    int status = rg_detect_planes(method, task->radio, task->infrared, w->sky, pixels);
    if (status == 0)
        status = rg_fuse(method, pixels, rg_fuse_wants_infrared(method)
                         ? pixels + PLANES : NULL, SUBJECT, SUBJECT, rgb);
    if (status == 0)
        status = rg_evidence_open(&w->evidence, pixels, SUBJECT, RG_CLARAN_PIXEL);
    free(pixels);
    return status;
}

static void make_ready(rg_method method, window *w, uint8_t *rgb)
{
    const rg_image *radio = w->of->task->radio;
    const rg_layout *layout = &w->of->layout;
    if (rg_layout_window(layout, w->at, radio->sky, &w->sky) != 0)
        w->status = OFF_SKY;    /* as are the corners of an all-sky image */
    else if (rg_layout_is_blank(layout, w->at, radio, w->sky))
        w->status = RG_DETECT_BLANK;
    else
        w->status = see(method, w, rgb);
    if (w->status < 0 || w->status == OFF_SKY)
        snprintf(w->sentence, sizeof w->sentence, "%s", rg_error_message());
}

/* The next windows; how many. */
static int take(sweep *s)
{
    int n = 0;
    while (s->image < s->n && n < GROUP) {
        rg_swept *image = &s->images[s->image];
        if (image->task->status == 0 && s->place < image->layout.total) {
            rg_place at = rg_layout_place(&image->layout, s->place++);
            s->group[n++] = (window){ .of = image, .at = at };
        } else {
            s->image++;
            s->place = 0;
        }
    }
    const rg_method method = rg_runner_model(s->runner)->method;
#pragma omp parallel for schedule(dynamic) if (n > 1)
    for (int i = 0; i < n; i++) make_ready(method, &s->group[i], s->rgb[i]);
    return n;
}

/* ---- behind it ---- */

/* Where a box of the network is on the sky and in the image. */
static int locate(const rg_claran *model, const window *from, rg_box network,
                  rg_detection *f)
{
    const rg_image *image = from->of->task->radio;
    rg_box on = rg_claran_to_subject(model, network);
    double x = (on.x1 + on.x2) / 2, y = (on.y1 + on.y2) / 2, edges[4];
    int parity;
    RG_TRY(rg_sky_to_world(from->sky, x, y, &f->ra, &f->dec));
    RG_TRY(rg_sky_orientation(from->sky, x, y, &f->angle, &parity));
    RG_TRY(rg_detect_box_to_image(model, image, from->sky, network, edges));
    f->width = (on.x2 - on.x1) * rg_layout_pixel(f->scale);
    f->height = (on.y2 - on.y1) * rg_layout_pixel(f->scale);
    f->xmin = edges[0];
    f->ymin = edges[1];
    f->xmax = edges[2];
    f->ymax = edges[3];
    return 0;
}

/* Whether it is above PROBABILITY_LEAST, on the sky (not beyond the edge of the
 * projection, where no image is) and what no other window sees better. */
static bool is_own(const rg_claran *model, const window *from, const rg_seen *seen,
                   rg_detection *one)
{
    *one = (rg_detection){ .class_ = seen->class_, .raw = seen->probability,
                           .scale = from->at.scale };
    return seen->probability > PROBABILITY_LEAST
           && locate(model, from, seen->box, one) == 0
           && !rg_layout_is_better_elsewhere(&from->of->layout, from->at, one);
}

/* Views of window k.  Where it has nothing of its own as it is, they count for
 * nothing: most windows need not be looked at again. */
static int look_again(const sweep *s, const window *from, int k, const rg_seen **seen)
{
    const rg_claran *model = rg_runner_model(s->runner);
    rg_detection one;
    const int n = rg_runner_seen(s->runner, k, false, seen);
    for (int i = 0; i < n && model->views > 1; i++)
        if (is_own(model, from, &(*seen)[i], &one))
            return rg_runner_seen(s->runner, k, true, seen);
    return n;
}

/* What window k of those that are done has of its own: -1 where the network fails, as
 * it may in views. */
static int collect(const sweep *s, int k)
{
    const rg_claran *model = rg_runner_model(s->runner);
    const window *from = &s->batch[k];
    const rg_layout *layout = &from->of->layout;
    const rg_seen *seen;
    const int n = look_again(s, from, k, &seen);
    for (int i = 0; i < n; i++) {
        rg_detection one;
        if (!is_own(model, from, &seen[i], &one)) continue;
        rg_evidence_weigh(from->evidence, rg_claran_to_subject(model, seen[i].box),
                          one.class_, one.evidence);
        one.probability = rg_claran_calibrate(model, one.class_, one.raw, one.evidence);
        one.cut = rg_layout_is_cut(layout, from->at, &one);
        if (s->how->seen) s->how->seen(s->how->user, &one);
        RG_TRY(rg_candidates_add(&from->of->found, &one));
    }
    return n < 0 ? -1 : 0;
}

/* Those that wait, to the network; what it is done with is collected. */
static int feed(sweep *s)
{
    int done = 0, status = rg_runner_feed(s->runner, s->waiting, &done);
    for (int k = 0; k < s->waiting; k++) s->batch[s->flying + k].of->task->looked++;
    for (int k = 0; k < done; k++) {
        if (status == 0 && s->batch[k].of->task->status == 0) status = collect(s, k);
        clear(&s->batch[k]);
    }
    s->flying += s->waiting - done;
    s->waiting = 0;
    memmove(s->batch, s->batch + done, (size_t)s->flying * sizeof *s->batch);
    return status;
}

/* ---- all of it ---- */

/* A window that is ready joins those that wait, where there is something to see. */
static int join(sweep *s, window *w, const uint8_t *rgb)
{
    rg_detect_task *task = w->of->task;
    const bool finest = w->at.scale == 0;
    w->of->on_sky += finest && w->status != OFF_SKY;
    task->uncovered += finest && w->status == RG_DETECT_UNCOVERED;
    if (w->status == OFF_SKY)
        memcpy(w->of->off_sky, w->sentence, sizeof w->of->off_sky);
    if (w->status < 0 && task->status == 0) {
        memcpy(task->sentence, w->sentence, sizeof task->sentence);
        task->status = -1;
    }
    if (w->status == 0) {
        s->batch[s->flying + s->waiting] = *w;
        memcpy(rg_runner_window(s->runner, s->waiting++), rgb, sizeof *s->rgb);
    } else {
        clear(w);
    }
    return s->waiting == s->most ? feed(s) : 0;
}

static int run(sweep *s)
{
    for (int i = 0; i < s->n; i++)
        if (s->images[i].task->status == 0) s->total += s->images[i].layout.total;
    s->most = rg_runner_batch(s->runner, s->total);
    for (int n; (n = take(s)) > 0;) {
        int status = 0;
        for (int i = 0; i < n; i++) {
            if (status == 0) status = join(s, &s->group[i], s->rgb[i]);
            else clear(&s->group[i]);
            if (status == 0 && s->how->progress)
                s->how->progress(s->how->user, ++s->done, s->total);
        }
        RG_TRY(status);
    }
    while (s->flying + s->waiting > 0) RG_TRY(feed(s));
    return 0;
}

int rg_sweep(rg_runner *runner, const rg_detect_options *how, rg_swept *images, int n)
{
    sweep *s = rg_error_alloc(1, sizeof *s, "windows");
    if (s == NULL) return -1;
    s->runner = runner;
    s->how = how;
    s->images = images;
    s->n = n;
    int status = run(s);
    for (int k = 0; k < s->flying + s->waiting; k++) clear(&s->batch[k]);
    free(s);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "core/learning/subject.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/layout.h"
#include "core/detector/detect.h"
#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/image/image.h"
#include "core/learning/scene.h"

#define SIDE RG_CLARAN_SUBJECT
enum { MEAN_SUBJECTS = 256, PLACES = 100 };
#define BEAM 5.4                  /* of FIRST, whose headers often lack it [arcsec] */
#define INFRARED_BEAM 6.1         /* of WISE's W1 [arcsec] */
#define HELD 0.9                  /* of a window's side, at most, by a source in it */

typedef struct pick { int field, label; } pick;

struct rg_subjects {
    const rg_field **fields;  /* borrowed from the lists */
    rg_image **images;        /* owned, as all below */
    rg_image **infrared;      /* NULL each where no method wants them */
    int n;
    pick *picks;              /* every label that is an example */
    double *cumulative;       /* of their sampling weights */
    int npicks;
};

static int count_all(const rg_dataset *const *lists, int nlists, int count[RG_CLASSES],
                     int *labels)
{
    int fields = 0;
    memset(count, 0, RG_CLASSES * sizeof *count);
    *labels = 0;
    for (int i = 0; i < nlists; i++) {
        fields += lists[i]->nfields;
        for (int c = 1; c < RG_CLASSES; c++) {
            count[c] += lists[i]->count[c];
            *labels += lists[i]->count[c];
        }
    }
    return fields;
}

static int read_infrared(rg_subjects *s, int f)
{
    const rg_field *field = s->fields[f];
    if (field->infrared == NULL)
        return RG_FAIL("%s has no infrared image: the list's column ir is to name it",
                       field->path);
    RG_TRY(rg_image_read(&s->infrared[f], field->infrared));
    if (s->infrared[f]->sky == NULL)
        return RG_FAIL("%s: %s", field->infrared, s->infrared[f]->sky_problem);
    return 0;
}

static int read_fields(rg_subjects *s, const rg_dataset *const *lists, int nlists,
                       bool infrared)
{
    for (int i = 0; i < nlists; i++)
        for (int f = 0; f < lists[i]->nfields; f++) {
            s->fields[s->n] = &lists[i]->fields[f];
            RG_TRY(rg_image_read(&s->images[s->n], s->fields[s->n]->path));
            if (s->images[s->n++]->sky == NULL)
                return RG_FAIL("%s: %s", s->fields[s->n - 1]->path,
                               s->images[s->n - 1]->sky_problem);
            if (infrared) RG_TRY(read_infrared(s, s->n - 1));
        }
    return 0;
}

static void weigh_labels(rg_subjects *s, const int count[RG_CLASSES], double balance)
{
    double sum = 0;
    for (int f = 0; f < s->n; f++)
        for (int l = 0; l < s->fields[f]->nlabels; l++) {
            int class_ = s->fields[f]->labels[l].class_;
            if (class_ < 1) continue;
            s->picks[s->npicks] = (pick){ f, l };
            s->cumulative[s->npicks++] = sum += pow(count[class_], -balance);
        }
}

int rg_subjects_new(rg_subjects **out, const rg_dataset *const *lists, int nlists,
                    double balance, bool infrared)
{
    int count[RG_CLASSES], labels, fields = count_all(lists, nlists, count, &labels);
    if (labels == 0) return RG_FAIL("the lists label no source of the six classes");
    rg_subjects *s = rg_error_alloc(1, sizeof *s, "the training lists");
    if (s == NULL) return -1;
    s->fields = rg_error_alloc(fields, sizeof *s->fields, "the training lists");
    s->images = rg_error_alloc(fields, sizeof *s->images, "the training lists");
    s->infrared = rg_error_alloc(fields, sizeof *s->infrared, "the training lists");
    s->picks = rg_error_alloc(labels, sizeof *s->picks, "the training lists");
    s->cumulative = rg_error_alloc(labels, sizeof *s->cumulative, "the training lists");
    if (!s->fields || !s->images || !s->infrared || !s->picks || !s->cumulative
        || read_fields(s, lists, nlists, infrared) != 0) {
        rg_subjects_free(s);
        return -1;
    }
    weigh_labels(s, count, balance);
    *out = s;
    return 0;
}

void rg_subjects_free(rg_subjects *s)
{
    if (s == NULL) return;
    for (int i = 0; s->images && i < s->n; i++) rg_image_free(s->images[i]);
    for (int i = 0; s->infrared && i < s->n; i++) rg_image_free(s->infrared[i]);
    free(s->fields);
    free(s->images);
    free(s->infrared);
    free(s->picks);
    free(s->cumulative);
    free(s);
}

static pick draw_label(const rg_subjects *s, uint64_t *state)
{
    double u = rg_random_uniform(state) * s->cumulative[s->npicks - 1];
    int low = 0, high = s->npicks - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (s->cumulative[middle] > u) high = middle;
        else low = middle + 1;
    }
    return s->picks[low];
}

/* Where a window is, and how it lies in the field. */
typedef struct view {
    const rg_image *radio, *infrared;     /* borrowed, as is the field */
    const rg_field *field;
    int label;                /* the one drawn; -1: none */
    bool plain;               /* neither turned nor zoomed */
    double x, y;              /* its middle [FITS pixels] */
    double turn, pixel;       /* [deg], [arcsec] */
    rg_sky *window;           /* owned */
} view;

/* As large as the finest of the detector's windows that holds the label. */
static void widen(view *v)
{
    const rg_label *l = &v->field->labels[v->label];
    const double side = fmax(l->xmax - l->xmin, l->ymax - l->ymin)
                        * rg_sky_pixel_arcsec(v->radio->sky);
    int scale = 0;
    while (scale < RG_LAYOUT_SCALES - 1 && side > HELD * SIDE * rg_layout_pixel(scale))
        scale++;
    v->pixel = rg_layout_pixel(scale);
    v->plain = scale == 0;
}

/* Turns and zooms have chances of their own, so that without them all is as it was. */
static view draw_view(const rg_subjects *s, pick p, const rg_augment_options *how,
                      uint64_t *chance)
{
    view v = { .radio = s->images[p.field], .infrared = s->infrared[p.field],
               .field = s->fields[p.field], .label = p.label };
    double turns = rg_random_uniform(chance), angle = rg_random_uniform(chance);
    double zoom = rg_random_uniform(chance);
    widen(&v);
    if (turns < how->rotate) {
        v.turn = 360 * angle;
        v.plain = false;
    }
    if (how->zoom[0] > 0 && (how->zoom[0] != 1 || how->zoom[1] != 1)) {
        v.pixel /= how->zoom[0] * pow(how->zoom[1] / how->zoom[0], zoom);
        v.plain = false;
    }
    return v;
}

/* Near the label (or the field's middle), but not further outside the field than it
 * must be. */
static void place_window(view *v, const rg_subject_options *how, uint64_t *state)
{
    const rg_image *image = v->radio;
    const rg_label *label = &v->field->labels[v->label];
    double pixel = rg_sky_pixel_arcsec(image->sky), reach = how->shift / pixel;
    double half = 0.5 * SIDE * v->pixel / pixel;
    double at[2] = { (label->xmin + label->xmax) / 2, (label->ymin + label->ymax) / 2 };
    const int side[2] = { image->nx, image->ny };
    for (int i = 0; i < 2; i++) {
        double middle = (side[i] + 1) / 2.0, room = fmax(0, side[i] / 2.0 - half);
        if (how->balance <= 0) at[i] = middle;
        else at[i] = fmin(middle + room, fmax(middle - room, at[i]));
        at[i] += reach * (2 * rg_random_uniform(state) - 1);
        at[i] =
            fmin(middle + room + 0.1 * half, fmax(middle - room - 0.1 * half, at[i]));
    }
    v->x = at[0];
    v->y = at[1];
}

/* Whether nearly all of a window is in the field. */
static bool is_covered(const view *v)
{
    const double half = 0.45 * SIDE * v->pixel / rg_sky_pixel_arcsec(v->radio->sky);
    return v->x > half && v->y > half && v->x < v->radio->nx - half
           && v->y < v->radio->ny - half;
}

/* Whether a label of the field is in the circle round a window. */
static bool has_label(const view *v)
{
    const double pixel = rg_sky_pixel_arcsec(v->radio->sky);
    const double reach = sqrt(0.5) * SIDE * v->pixel / pixel;
    for (int i = 0; i < v->field->nlabels; i++) {
        const rg_label *l = &v->field->labels[i];
        double x = fmax(fmax(l->xmin - v->x, v->x - l->xmax), 0);
        double y = fmax(fmax(l->ymin - v->y, v->y - l->ymax), 0);
        if (hypot(x, y) < reach) return true;
    }
    return false;
}

/* Another place, in a field where no label is near; none is found where there are few:
 * then all stays as it was. */
static void find_empty(const rg_subjects *s, view *v, uint64_t *chance)
{
    for (int i = 0; i < PLACES; i++) {
        int field = rg_random_below(chance, s->n);
        view try = *v;
        try.radio = s->images[field];
        try.infrared = s->infrared[field];
        try.field = s->fields[field];
        try.label = -1;
        try.x = 0.5 + try.radio->nx * rg_random_uniform(chance);
        try.y = 0.5 + try.radio->ny * rg_random_uniform(chance);
        if (!is_covered(&try) || has_label(&try)) continue;
        *v = try;
        return;
    }
}

static int open_window(view *v)
{
    return rg_sky_new_turned(&v->window, v->radio->sky, v->x, v->y, SIDE, v->pixel,
                             v->turn);
}

/* ---- the pixels of a window ---- */

/* planes [2][SIDE][SIDE] of radio and infrared; for changes their blanks are filled. */
static int show(const view *v, rg_method method, bool changes, rg_augment_plane *radio,
                uint64_t *chance)
{
    int status = rg_detect_planes(method, v->radio, v->infrared, v->window,
                                  radio->pixels);
    if (status == RG_DETECT_BLANK)
        return RG_FAIL("it has a label where it has no pixels");
    if (status == RG_DETECT_UNCOVERED && v->plain && v->label >= 0)
        return RG_FAIL("it has a label where it has no pixels in the infrared");
    if (status < 0 || !changes) return status;
    if (rg_fuse_wants_infrared(method)) {
        rg_augment_plane infrared = { radio->pixels + SIDE * SIDE, SIDE,
                                      INFRARED_BEAM / v->pixel, 0, 0 };
        RG_TRY(rg_augment_fill(&infrared, chance));
    }
    return rg_augment_fill(radio, chance);
}

/* ---- the labels of a window ---- */

/* An affine map from the field's FITS pixels to the window's. */
typedef struct affine { double x, y, at[2], dx[2], dy[2]; } affine;

static int find_affine(const view *v, const rg_label *l, affine *map)
{
    const double x = (l->xmin + l->xmax) / 2, y = (l->ymin + l->ymax) / 2;
    double to[3][2];
    for (int i = 0; i < 3; i++) {
        double ra, dec;
        RG_TRY(rg_sky_to_world(v->radio->sky, x + (i == 1), y + (i == 2), &ra, &dec));
        RG_TRY(rg_sky_to_pixel(v->window, ra, dec, &to[i][0], &to[i][1]));
    }
    *map = (affine){ x, y, { to[0][0], to[0][1] },
                     { to[1][0] - to[0][0], to[1][1] - to[0][1] },
                     { to[2][0] - to[0][0], to[2][1] - to[0][1] } };
    return 0;
}

static void stretch(rg_box *box, double x, double y, double half)
{
    box->x1 = fminf(box->x1, (float)(x - half));
    box->y1 = fminf(box->y1, (float)(y - half));
    box->x2 = fmaxf(box->x2, (float)(x + half));
    box->y2 = fmaxf(box->y2, (float)(y + half));
}

/* The label's pixels: 0-based, inclusive, those in the image. */
typedef struct patch { int x1, y1, x2, y2; } patch;

static patch patch_of(const rg_image *image, const rg_label *l)
{
    return (patch){ (int)fmax(ceil(l->xmin - 0.6), 0),
                    (int)fmax(ceil(l->ymin - 0.6), 0),
                    (int)fmin(floor(l->xmax - 1.4), image->nx - 1),
                    (int)fmin(floor(l->ymax - 1.4), image->ny - 1) };
}

/* The highest level at which the box is tight: every edge has a pixel as bright. */
static float tight_level(const rg_image *image, const patch *p)
{
    float edge[4] = { -HUGE_VALF, -HUGE_VALF, -HUGE_VALF, -HUGE_VALF };
    for (int y = p->y1; y <= p->y2; y++)
        for (int x = p->x1; x <= p->x2; x++) {
            const bool on[4] = { x == p->x1, x == p->x2, y == p->y1, y == p->y2 };
            float value = image->pixels[(size_t)y * image->nx + x];
            for (int i = 0; i < 4; i++)
                if (on[i]) edge[i] = fmaxf(edge[i], value);
        }
    return fminf(fminf(edge[0], edge[1]), fminf(edge[2], edge[3]));
}

/* A label's box in a window that is turned or zoomed [FITS pixels of it]; `least`: of
 * pixels that are the source's. */
static int carry_box(const view *v, const rg_label *l, double least, rg_box *box)
{
    affine map;
    const patch p = patch_of(v->radio, l);
    const float level = tight_level(v->radio, &p);
    RG_TRY(find_affine(v, l, &map));
    const double half = 0.5 * hypot(map.dx[0], map.dx[1]);
    *box = (rg_box){ HUGE_VALF, HUGE_VALF, -HUGE_VALF, -HUGE_VALF };
    for (int y = p.y1; level >= least && y <= p.y2; y++)
        for (int x = p.x1; x <= p.x2; x++) {
            if (!(v->radio->pixels[(size_t)y * v->radio->nx + x] >= level)) continue;
            double e = x + 1 - map.x, g = y + 1 - map.y;
            stretch(box, map.at[0] + e * map.dx[0] + g * map.dy[0],
                    map.at[1] + e * map.dx[1] + g * map.dy[1], half);
        }
    if (box->x1 < box->x2) return 0;
    double a = (l->xmax - l->xmin) / 2, b = (l->ymax - l->ymin) / 2;
    double w = hypot(a * map.dx[0], b * map.dy[0]);
    double h = hypot(a * map.dx[1], b * map.dy[1]);
    *box = (rg_box){ (float)(map.at[0] - w), (float)(map.at[1] - h),
                     (float)(map.at[0] + w), (float)(map.at[1] + h) };
    return 0;
}

static int plain_box(const view *v, const rg_claran *model, const rg_label *l,
                     rg_box *box)
{
    const double fits[4] = { l->xmin, l->ymin, l->xmax, l->ymax };
    RG_TRY(rg_detect_box_to_window(model, v->radio, v->window, fits, box));
    *box = rg_claran_to_subject(model, *box);
    return 0;
}

/* The scene's truths.  Those beyond the horizon of the window's plane are not in it. */
static void collect(const view *v, const rg_claran *model, rg_scene *s)
{
    const double least = s->radio.median + 3 * s->radio.sigma;
    for (int i = 0; i < v->field->nlabels; i++) {
        const rg_label *l = &v->field->labels[i];
        rg_box box;
        if ((v->plain ? plain_box(v, model, l, &box)
                      : carry_box(v, l, least, &box)) != 0) continue;
        if (i == v->label) s->drawn = s->n;
        s->truths[s->n++] = (rg_truth){ box, l->class_ };
    }
}

/* ---- a scene: both of them ---- */

/* Room for one more truth is left; to be cleared whatever comes out. */
static int set_scene(const view *v, const rg_claran *model, bool changes, rg_scene *s,
                     uint64_t *chance)
{
    const double beam = v->radio->beam[0] > 0 ? v->radio->beam[0] : BEAM;
    *s = (rg_scene){ .radio = { NULL, SIDE, beam / v->pixel, 0, 0 }, .drawn = -1 };
    s->radio.pixels = rg_error_alloc(2 * SIDE * SIDE, sizeof(float), "a window");
    s->truths = rg_error_alloc((unsigned long)v->field->nlabels + 1, sizeof *s->truths,
                               "the labels of a field");
    if (s->radio.pixels == NULL || s->truths == NULL) return -1;
    RG_TRY(show(v, model->method, changes, &s->radio, chance));
    collect(v, model, s);
    return 0;
}

static void clear_scene(rg_scene *s)
{
    free(s->radio.pixels);
    free(s->truths);
}

/* A label of another field, turned, is put where the scene has none. */
static int inject(const rg_subjects *all, const view *v, const rg_claran *model,
                  rg_scene *s, uint64_t *chance)
{
    pick p = draw_label(all, chance);
    view from = { .radio = all->images[p.field], .field = all->fields[p.field],
                  .label = p.label, .pixel = v->pixel,
                  .turn = 360 * rg_random_uniform(chance) };
    const rg_label *l = &from.field->labels[p.label];
    rg_scene donor = { .n = 0 };
    if (from.field == v->field) return 0;
    from.x = (l->xmin + l->xmax) / 2;
    from.y = (l->ymin + l->ymax) / 2;
    int status = open_window(&from);
    if (status == 0) status = set_scene(&from, model, true, &donor, chance);
    if (status == 0 && donor.drawn >= 0) status = rg_scene_inject(s, &donor, chance);
    clear_scene(&donor);
    rg_sky_free(from.window);
    return status;
}

/* ---- what the network gets ---- */

/* The part of a source that is inside decides whether it is an example. */
static int add_truth(rg_subject *subject, const rg_claran *model, rg_box box,
                      int class_)
{
    rg_box seen = rg_boxes_clip(box, model->input, model->input);
    double whole = (box.x2 - box.x1 + 1.0) * (box.y2 - box.y1 + 1.0);
    double part = (fmin(box.x2, model->input - 1.0) - fmax(box.x1, 0) + 1)
                  * (fmin(box.y2, model->input - 1.0) - fmax(box.y1, 0) + 1);
    bool outside = box.x2 < 0 || box.y2 < 0 || box.x1 > model->input - 1
                   || box.y1 > model->input - 1;
    if (outside || part < 0.02 * whole) return 0;
    if (subject->n == RG_SUBJECT_TRUTHS)
        return RG_FAIL("more than %d labels within 3'", RG_SUBJECT_TRUTHS);
    subject->truths[subject->n++] =
        (rg_truth){ seen, part < 0.75 * whole ? RG_CLASS_IGNORE : class_ };
    return 0;
}

/* Transposes and flips: the eight ways to lay a square.  Pixel (x, y) of what comes out
 * is pixel source(x, y) of what went in. */
static void lay(const uint8_t *in, int way, uint8_t *out)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int u = way & 4 ? y : x, v = way & 4 ? x : y;
            if (way & 1) u = SIDE - 1 - u;
            if (way & 2) v = SIDE - 1 - v;
            memcpy(out + 3 * (y * SIDE + x), in + 3 * (v * SIDE + u), 3);
        }
}

/* Where that takes a box, in FITS pixels of the subject. */
static rg_box lay_box(rg_box b, int way)
{
    const float turn = SIDE + 1;
    if (way & 1) b = (rg_box){ turn - b.x2, b.y1, turn - b.x1, b.y2 };
    if (way & 2) b = (rg_box){ b.x1, turn - b.y2, b.x2, turn - b.y1 };
    if (way & 4) b = (rg_box){ b.y1, b.x1, b.y2, b.x2 };
    return b;
}

static int draw_way(const rg_subject_options *how, uint64_t *state)
{
    int any = rg_random_below(state, 8), flip = rg_random_below(state, 2);
    static const int turns[4] = { 0, 5, 3, 6 };
    if (how->flips && how->turns) return any;
    if (how->turns) return turns[any % 4];
    return how->flips ? flip : 0;
}

/* The window as it is shown, and its truths as the network counts pixels. */
static int hand_over(const rg_claran *model, const float *planes,
                     const rg_truth *truths, int n, int way, float *data,
                     rg_subject *subject)
{
    uint8_t rgb[3 * SIDE * SIDE], laid[3 * SIDE * SIDE];
    const bool both = rg_fuse_wants_infrared(model->method);
    RG_TRY(rg_fuse(model->method, planes, both ? planes + SIDE * SIDE : NULL, SIDE,
                   SIDE, rgb));
    lay(rgb, way, laid);
    rg_claran_input(model, laid, data);
    for (int i = 0; i < n; i++)
        RG_TRY(add_truth(subject, model,
                         rg_claran_from_subject(model, lay_box(truths[i].box, way)),
                         truths[i].class_));
    return 0;
}

static bool wants_change(const view *v, const rg_augment_options *how)
{
    return !v->plain || how->faint > 0 || how->brighten > 1 || how->beam > 1
           || how->inject > 0;
}

static int draw(const rg_subjects *all, const view *v, const rg_claran *model,
                const rg_augment_options *how, int way, uint64_t *chance, float *data,
                rg_subject *subject)
{
    const bool changes = wants_change(v, how), radio_only = v->infrared == NULL;
    const bool injects = rg_random_uniform(chance) < how->inject && radio_only;
    rg_scene s;
    *subject = (rg_subject){ .field = v->field, .x = v->x, .y = v->y, .turn = v->turn,
                             .pixel = v->pixel };
    int status = set_scene(v, model, changes, &s, chance);
    if (status == 0 && injects) status = inject(all, v, model, &s, chance);
    if (status == 0 && changes) status = rg_scene_change(&s, how, chance);
    if (status == 0)
        status = hand_over(model, s.radio.pixels, s.truths, s.n, way, data, subject);
    clear_scene(&s);
    return status;
}

int rg_subject_draw(const rg_subjects *s, const rg_claran *model,
                    const rg_subject_options *how, uint64_t seed, float *data,
                    rg_subject *subject)
{
    uint64_t state = seed, chance = rg_random_mix(seed, 1);
    pick p = draw_label(s, &state);
    int way = draw_way(how, &state);
    view v = draw_view(s, p, &how->augment, &chance);
    place_window(&v, how, &state);
    if (rg_random_uniform(&chance) < how->augment.empty) find_empty(s, &v, &chance);
    int status = open_window(&v);
    if (status == 0)
        status = draw(s, &v, model, &how->augment, way, &chance, data, subject);
    rg_sky_free(v.window);
    return status == 0 ? 0 : rg_error_prefix("%s: ", v.field->path);
}

int rg_subjects_mean(const rg_subjects *s, const rg_claran *model, uint64_t seed,
                     float mean[3])
{
    rg_claran plain = *model;
    rg_subject subject;
    long pixels = (long)model->input * model->input;
    double sum[3] = { 0 };
    float *data = rg_error_alloc(3ul * pixels, sizeof *data, "the training set's mean");
    if (data == NULL) return -1;
    memset(plain.mean, 0, sizeof plain.mean);
    int status = 0;
    for (int i = 0; i < MEAN_SUBJECTS && status == 0; i++) {
        status = rg_subject_draw(s, &plain, &(rg_subject_options){ .balance = 1 },
                                 rg_random_mix(seed, (uint64_t)i), data, &subject);
        for (long k = 0; k < 3 * pixels && status == 0; k++) sum[k / pixels] += data[k];
    }
    for (int c = 0; c < 3; c++)
        mean[c] = (float)(sum[c] / (double)(pixels * MEAN_SUBJECTS));
    free(data);
    return status;
}

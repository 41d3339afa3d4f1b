/* SPDX-License-Identifier: MIT */
#include "core/learning/subject.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/detect.h"
#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/image/image.h"

#define SIDE RG_CLARAN_SUBJECT
enum { MEAN_SUBJECTS = 256 };

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

/* A window whose middle is near the label (or the field's middle), but not further
 * outside the field than it must be. */
static int draw_window(const rg_subjects *s, pick p, const rg_subject_options *how,
                       uint64_t *state, rg_sky **window)
{
    const rg_image *image = s->images[p.field];
    const rg_label *label = &s->fields[p.field]->labels[p.label];
    double pixel = rg_sky_pixel_arcsec(image->sky), reach = how->shift / pixel;
    double half = 0.5 * SIDE * RG_CLARAN_PIXEL / pixel;
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
    return rg_sky_new_window(window, image->sky, at[0], at[1], SIDE, RG_CLARAN_PIXEL);
}

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

static int collect(const rg_subjects *s, const rg_claran *model, int field,
                   const rg_sky *window, int way, rg_subject *subject)
{
    subject->n = 0;
    for (int i = 0; i < s->fields[field]->nlabels; i++) {
        const rg_label *l = &s->fields[field]->labels[i];
        double fits[4] = { l->xmin, l->ymin, l->xmax, l->ymax };
        rg_box box;
        if (rg_detect_box_to_window(model, s->images[field], window, fits, &box) != 0)
            continue;   /* beyond the horizon of the window's plane: not in it */
        box = lay_box(rg_claran_to_subject(model, box), way);
        RG_TRY(
            add_truth(subject, model, rg_claran_from_subject(model, box), l->class_));
    }
    return 0;
}

int rg_subject_draw(const rg_subjects *s, const rg_claran *model,
                    const rg_subject_options *how, uint64_t seed, float *data,
                    rg_subject *subject)
{
    uint8_t rgb[3 * SIDE * SIDE], laid[3 * SIDE * SIDE];
    rg_sky *window;
    uint64_t state = seed;
    pick p = draw_label(s, &state);
    int way = draw_way(how, &state);
    RG_TRY(draw_window(s, p, how, &state, &window));
    int status = rg_detect_window(model->method, s->images[p.field],
                                  s->infrared[p.field], window, rgb);
    if (status == 0) status = collect(s, model, p.field, window, way, subject);
    rg_sky_free(window);
    if (status < 0) return rg_error_prefix("%s: ", s->fields[p.field]->path);
    if (status > 0)
        return RG_FAIL("%s has a label where it has no pixels%s",
                       s->fields[p.field]->path,
                       status == RG_DETECT_UNCOVERED ? " in the infrared" : "");
    lay(rgb, way, laid);
    rg_claran_input(model, laid, data);
    return 0;
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

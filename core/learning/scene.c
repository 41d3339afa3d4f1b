/* SPDX-License-Identifier: MIT */
#include "core/learning/scene.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"

#define FAINTEST 7.0              /* peak of a truth drawn to be fainter [sigma] */
#define LEAST 0.05                /* of its flux */
enum { TRIES = 3, PLACES = 30 };

/* Signal to noise of the brightest pixel in a box. */
static double peak_in(const rg_augment_plane *p, const rg_box *box)
{
    float peak = (float)p->median;
    for (int y = 0; y < p->side; y++)
        for (int x = 0; x < p->side; x++)
            if (x + 1 > box->x1 && x + 1 < box->x2 && y + 1 > box->y1
                && y + 1 < box->y2)
                peak = fmaxf(peak, p->pixels[y * p->side + x]);
    return (peak - p->median) / p->sigma;
}

/* What is cut by the window is no example once its pixels are changed. */
static void ignore_cut(rg_scene *s)
{
    const float last = (float)s->radio.side + 0.5f;
    for (int i = 0; i < s->n; i++) {
        const rg_box *b = &s->truths[i].box;
        if (b->x1 < 0.5f || b->y1 < 0.5f || b->x2 > last || b->y2 > last)
            s->truths[i].class_ = RG_CLASS_IGNORE;
    }
}

/* ---- changes ---- */

typedef enum { BEAM, FLUX } kind;

static int apply(rg_augment_plane *p, kind what, double factor, uint64_t *chance)
{
    if (what == BEAM) return rg_augment_smooth(p, factor);
    return factor < 1 ? rg_augment_fade(p, factor, chance)
                      : rg_augment_brighten(p, factor);
}

/* `s` becomes `before` changed by that factor. */
static int try_change(rg_scene *s, const rg_scene *before, kind what, double factor,
                      uint64_t *chance)
{
    const size_t side = (size_t)before->radio.side;
    float *pixels = s->radio.pixels;
    memcpy(pixels, before->radio.pixels, side * side * sizeof *pixels);
    memcpy(s->truths, before->truths, (size_t)s->n * sizeof *s->truths);
    s->radio = before->radio;
    s->radio.pixels = pixels;
    if (factor == 1) return 0;
    RG_TRY(apply(&s->radio, what, factor, chance));
    ignore_cut(s);
    return rg_augment_relabel(&before->radio, &s->radio, s->truths, s->n);
}

static bool is_example(const rg_scene *s)
{
    return s->drawn >= 0 && s->truths[s->drawn].class_ != RG_CLASS_IGNORE;
}

/* With less and less of it until the truth drawn stays an example. */
static int change(rg_scene *s, kind what, double factor, uint64_t *chance)
{
    const size_t n = (size_t)s->radio.side * s->radio.side;
    rg_scene before = *s;
    if (factor == 1 || !(s->radio.sigma > 0)) return 0;
    before.radio.pixels = rg_error_alloc(n, sizeof(float), "a window");
    before.truths = rg_error_alloc((unsigned long)s->n, sizeof *s->truths, "truths");
    int status = before.radio.pixels && before.truths ? 0 : -1;
    if (status == 0) {
        memcpy(before.radio.pixels, s->radio.pixels, n * sizeof(float));
        memcpy(before.truths, s->truths, (size_t)s->n * sizeof *s->truths);
    }
    for (int i = 0; status == 0 && i <= TRIES; i++) {
        status = try_change(s, &before, what, i < TRIES ? factor : 1, chance);
        if (is_example(s) || !is_example(&before)) break;
        factor = sqrt(factor);
    }
    free(before.radio.pixels);
    free(before.truths);
    return status;
}

int rg_scene_change(rg_scene *s, const rg_augment_options *how, uint64_t *chance)
{
    const double beam = rg_random_uniform(chance), fades = rg_random_uniform(chance);
    const double u = rg_random_uniform(chance);
    if (how->beam > 1) RG_TRY(change(s, BEAM, pow(how->beam, beam), chance));
    if (fades >= how->faint)
        return how->brighten > 1 ? change(s, FLUX, pow(how->brighten, u), chance) : 0;
    if (s->drawn < 0 || !(s->radio.sigma > 0)) return 0;
    const double peak = peak_in(&s->radio, &s->truths[s->drawn].box);
    return change(s, FLUX, pow(fmin(fmax(FAINTEST / peak, LEAST), 1), u), chance);
}

/* ---- sources from elsewhere ---- */

static bool is_free(const rg_scene *s, const rg_box *box, float margin)
{
    for (int i = 0; i < s->n; i++) {
        const rg_box *b = &s->truths[i].box;
        if (b->x1 < box->x2 + margin && b->x2 > box->x1 - margin
            && b->y1 < box->y2 + margin && b->y2 > box->y1 - margin) return false;
    }
    return true;
}

/* By how many pixels, at random, the box is to be moved so that it is in the window. */
static bool draw_shift(double low, double high, int side, double margin,
                       uint64_t *chance, int *shift)
{
    const int least = (int)ceil(0.5 + margin - low);
    const int most = (int)floor(side + 0.5 - margin - high);
    if (least > most) return false;
    *shift = least + rg_random_below(chance, most - least + 1);
    return true;
}

static bool find_place(const rg_scene *s, rg_box *box, int shift[2], uint64_t *chance)
{
    const double margin = 1.5 * s->radio.beam;
    const int side = s->radio.side;
    const rg_box old = *box;
    for (int i = 0; i < PLACES; i++) {
        if (!draw_shift(old.x1, old.x2, side, margin, chance, &shift[0])
            || !draw_shift(old.y1, old.y2, side, margin, chance, &shift[1]))
            return false;
        const float x = (float)shift[0], y = (float)shift[1];
        *box = (rg_box){ old.x1 + x, old.y1 + y, old.x2 + x, old.y2 + y };
        if (is_free(s, box, (float)margin)) return true;
    }
    return false;
}

/* The donor's pixels moved, with the noise of `to`. */
static void move(const rg_augment_plane *from, const int shift[2],
                 const rg_augment_plane *to, float *pixels)
{
    const int side = to->side;
    const float scale = (float)(to->sigma / from->sigma);
    for (int p = 0; p < side * side; p++) {
        int x = p % side - shift[0], y = p / side - shift[1];
        bool inside = x >= 0 && y >= 0 && x < side && y < side;
        float value = inside ? from->pixels[y * side + x] - (float)from->median : 0;
        pixels[p] = (float)to->median + scale * value;
    }
}

int rg_scene_inject(rg_scene *s, const rg_scene *donor, uint64_t *chance)
{
    int shift[2];
    rg_truth truth = donor->truths[donor->drawn];
    if (!(s->radio.sigma > 0) || !(donor->radio.sigma > 0) || truth.class_ < 1
        || !find_place(s, &truth.box, shift, chance)) return 0;
    const size_t n = (size_t)s->radio.side * s->radio.side;
    rg_augment_plane moved = s->radio;
    moved.pixels = rg_error_alloc(n, sizeof(float), "a source from elsewhere");
    if (moved.pixels == NULL) return -1;
    move(&donor->radio, shift, &s->radio, moved.pixels);
    int status = rg_augment_add(&s->radio, &moved, &truth.box);
    if (status == 0) status = rg_augment_relabel(&moved, &s->radio, &truth, 1);
    if (status == 0) s->truths[s->n++] = truth;
    free(moved.pixels);
    return status;
}

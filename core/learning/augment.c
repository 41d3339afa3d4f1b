/* SPDX-License-Identifier: MIT */
#include "core/learning/augment.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/image/image.h"
#include "core/image/island.h"

#define BOX_LEVEL 4.0             /* boxes go round the islands above it [sigma] */
#define SPECK 4                   /* fewer pixels at 5.2 sigma are no component */
enum { REACH = 31 };              /* of a blur's kernel [pixels] */

/* ---- blurs ---- */

typedef struct kernel { float weight[2 * REACH + 1]; int reach; } kernel;

/* A Gaussian of sum 1; FWHM [pixels]. */
static kernel gaussian(double fwhm)
{
    double s = fmax(fwhm, 1e-3) / 2.3548, total = 0;
    kernel k = { .reach = (int)fmin(ceil(3 * s), REACH) };
    for (int i = -k.reach; i <= k.reach; i++) total += exp(-i * i / (2 * s * s));
    for (int i = -k.reach; i <= k.reach; i++)
        k.weight[i + k.reach] = (float)(exp(-i * i / (2 * s * s)) / total);
    return k;
}

/* Beyond the ends a plane goes on as at its other end, or as at its last pixel. */
static int beyond(int i, int n, bool wraps)
{
    if (wraps) return ((i % n) + n) % n;
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* in, out, scratch [n][n]; out may be in. */
static void blur(const float *in, float *out, float *scratch, int n, const kernel *k,
                 bool wraps)
{
    const int taps = 2 * k->reach + 1;
    float row[n + 2 * REACH];
    for (int y = 0; y < n; y++) {
        float *to = scratch + (size_t)y * n;
        for (int i = 0; i < n + taps - 1; i++)
            row[i] = in[(size_t)y * n + beyond(i - k->reach, n, wraps)];
        memset(to, 0, (size_t)n * sizeof *to);
        for (int i = 0; i < taps; i++)
            #pragma omp simd
            for (int x = 0; x < n; x++)
                to[x] += k->weight[i] * row[x + i];   /* NOLINT: row is full so far */
    }
    for (int y = 0; y < n; y++) {
        float *to = out + (size_t)y * n;
        memset(to, 0, (size_t)n * sizeof *to);
        for (int i = 0; i < taps; i++) {
            const int row_y = beyond(y + i - k->reach, n, wraps);
            const float *from = scratch + (size_t)n * row_y;
            #pragma omp simd
            for (int x = 0; x < n; x++) to[x] += k->weight[i] * from[x];
        }
    }
}

/* ---- noise ---- */

/* Mean 0, variance 1: the sum of four, which a blur makes as good as normal. */
static float hum(uint64_t *state)
{
    uint64_t bits = rg_random_next(state);
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += (double)(bits >> 16 * i & 0xffff) + 0.5;
    return (float)((sum / 65536 - 2) * sqrt(3));
}

/* Adds white noise blurred over `fwhm`, of that rms. */
static void add_hum(float *grain, float *white, float *scratch, int side, double rms,
                    double fwhm, uint64_t *state)
{
    const kernel k = gaussian(fwhm);
    const size_t n = (size_t)side * side;
    double square = 0;
    for (int i = 0; i <= 2 * k.reach; i++) square += k.weight[i] * k.weight[i];
    for (size_t i = 0; i < n; i++) white[i] = hum(state);
    blur(white, white, scratch, side, &k, true);
    for (size_t i = 0; i < n; i++) grain[i] += (float)(rms / square) * white[i];
}

int rg_augment_grain(float *grain, int side, double beam, uint64_t *state)
{
    const double fine = 0.79, coarse = 0.42, whole = hypot(fine, coarse);
    const size_t n = (size_t)side * side;
    float *room = rg_error_alloc(2 * n, sizeof *room, "noise");
    if (room == NULL) return -1;
    memset(grain, 0, n * sizeof *grain);
    add_hum(grain, room, room + n, side, fine / whole, 0.6 * beam, state);
    add_hum(grain, room, room + n, side, coarse / whole, 2.2 * beam, state);
    free(room);
    return 0;
}

static size_t size_of(const rg_augment_plane *p)
{
    return (size_t)p->side * p->side;
}

/* Grain of the plane's sigma, to be freed; NULL where memory runs out. */
static float *make_noise(const rg_augment_plane *p, uint64_t *state)
{
    float *grain = rg_error_alloc(size_of(p), sizeof *grain, "noise");
    if (grain && rg_augment_grain(grain, p->side, p->beam, state) == 0) {
        for (size_t i = 0; i < size_of(p); i++) grain[i] *= (float)p->sigma;
        return grain;
    }
    free(grain);
    return NULL;
}

int rg_augment_fill(rg_augment_plane *p, uint64_t *state)
{
    size_t blanks = 0;
    RG_TRY(rg_image_noise(p->pixels, size_of(p), &p->median, &p->sigma));
    for (size_t i = 0; i < size_of(p); i++) blanks += !isfinite(p->pixels[i]);
    if (blanks == 0) return 0;
    float *noise = make_noise(p, state);
    if (noise == NULL) return -1;
    for (size_t i = 0; i < size_of(p); i++)
        if (!isfinite(p->pixels[i])) p->pixels[i] = (float)p->median + noise[i];
    free(noise);
    return 0;
}

/* ---- fainter and brighter ---- */

int rg_augment_fade(rg_augment_plane *p, double factor, uint64_t *state)
{
    const float median = (float)p->median, f = (float)factor;
    const float share = sqrtf(fmaxf(1 - f * f, 0));
    float *noise = make_noise(p, state);
    if (noise == NULL) return -1;
    for (size_t i = 0; i < size_of(p); i++)
        p->pixels[i] = median + f * (p->pixels[i] - median) + share * noise[i];
    free(noise);
    return 0;
}

static bool is_inside(const rg_island *island, const rg_box *box)
{
    double x = island->x + 1, y = island->y + 1;
    return x >= box->x1 && x <= box->x2 && y >= box->y1 && y <= box->y2;
}

/* weight [side][side]: 1 on the islands in the box and at their edge, 0 some beams
 * away. */
static int weigh_islands(const rg_augment_plane *p, const rg_box *box, float *weight,
                         float *scratch)
{
    rg_island *islands;
    int n, *map;
    const kernel k = gaussian(1.5 * p->beam);
    RG_TRY(rg_island_find(p->pixels, p->side, p->side, BOX_LEVEL * p->sigma,
                          RG_ISLAND_STEP, &islands, &n, &map));
    for (size_t i = 0; i < size_of(p); i++) {
        const rg_island *on = map[i] ? &islands[map[i] - 1] : NULL;
        weight[i] = on && on->peak >= RG_ISLAND_BASE * p->sigma && is_inside(on, box);
    }
    free(islands);
    free(map);
    blur(weight, weight, scratch, p->side, &k, false);
    for (size_t i = 0; i < size_of(p); i++) weight[i] = fminf(1, 3 * weight[i]);
    return 0;
}

/* Adds `times` of what is on those islands of `from`; may be p itself. */
static int add_islands(rg_augment_plane *p, const rg_augment_plane *from,
                       const rg_box *box, float times)
{
    const float median = (float)from->median;
    if (!(from->sigma > 0)) return 0;
    float *room = rg_error_alloc(2 * size_of(p), sizeof *room, "sources of a window");
    int status = room ? weigh_islands(from, box, room, room + size_of(p)) : -1;
    for (size_t i = 0; status == 0 && i < size_of(p); i++)
        p->pixels[i] += times * room[i] * (from->pixels[i] - median);
    free(room);
    return status;
}

int rg_augment_brighten(rg_augment_plane *p, double factor)
{
    const rg_box all = { 0, 0, (float)p->side + 1, (float)p->side + 1 };
    return add_islands(p, p, &all, (float)factor - 1);
}

int rg_augment_add(rg_augment_plane *p, const rg_augment_plane *from,
                   const rg_box *box)
{
    return add_islands(p, from, box, 1);
}

/* ---- another beam ---- */

int rg_augment_smooth(rg_augment_plane *p, double factor)
{
    const double was = p->sigma;
    const kernel k = gaussian(p->beam * sqrt(fmax(factor * factor - 1, 0)));
    float *scratch = rg_error_alloc(size_of(p), sizeof *scratch, "a wider beam");
    if (scratch == NULL) return -1;
    blur(p->pixels, p->pixels, scratch, p->side, &k, false);
    free(scratch);
    p->beam *= factor;
    RG_TRY(rg_image_noise(p->pixels, size_of(p), &p->median, &p->sigma));
    if (!(p->sigma > 0)) return 0;
    const float median = (float)p->median, scale = (float)(was / p->sigma);
    for (size_t i = 0; i < size_of(p); i++)
        p->pixels[i] = median + scale * (p->pixels[i] - median);
    p->sigma = was;
    return 0;
}

/* ---- what the labels become ---- */

/* Islands of a plane above 3 sqrt(3) sigma, and above the level of boxes. */
typedef struct seen { rg_island *parts, *base; int nparts, nbase; } seen;

static int look(const rg_augment_plane *p, seen *s)
{
    *s = (seen){ 0 };
    if (!(p->sigma > 0)) return 0;
    RG_TRY(rg_island_find(p->pixels, p->side, p->side, RG_ISLAND_BASE * p->sigma,
                          RG_ISLAND_STEP, &s->parts, &s->nparts, NULL));
    return rg_island_find(p->pixels, p->side, p->side, BOX_LEVEL * p->sigma,
                          RG_ISLAND_STEP, &s->base, &s->nbase, NULL);
}

static void clear(seen *s)
{
    free(s->parts);
    free(s->base);
}

static void count(const seen *s, const rg_box *box, int *components, int *peaks)
{
    *components = *peaks = 0;
    for (int i = 0; i < s->nparts; i++) {
        if (s->parts[i].npixels < SPECK || !is_inside(&s->parts[i], box)) continue;
        ++*components;
        *peaks += s->parts[i].peaks;
    }
    if (*peaks > 3) *peaks = 3;
}

/* Round the islands inside that hold a component; false where there are none. */
static bool draw_box(const seen *s, double least, const rg_box *old, rg_box *box)
{
    *box = (rg_box){ HUGE_VALF, HUGE_VALF, -HUGE_VALF, -HUGE_VALF };
    for (int i = 0; i < s->nbase; i++) {
        const rg_island *b = &s->base[i];
        if (b->peak < least || !is_inside(b, old)) continue;
        box->x1 = fminf(box->x1, (float)b->x1 + 0.5f);
        box->y1 = fminf(box->y1, (float)b->y1 + 0.5f);
        box->x2 = fmaxf(box->x2, (float)b->x2 + 1.5f);
        box->y2 = fmaxf(box->y2, (float)b->y2 + 1.5f);
    }
    return box->x1 < box->x2;
}

static void relabel(const seen *was, const seen *now, double least, rg_truth *truth)
{
    int components[2], peaks[2];
    rg_box box;
    if (truth->class_ == RG_CLASS_IGNORE) return;
    count(was, &truth->box, &components[0], &peaks[0]);
    count(now, &truth->box, &components[1], &peaks[1]);
    if (draw_box(now, least, &truth->box, &box) && components[1] > 0
        && components[0] == components[1] && peaks[0] == peaks[1]) truth->box = box;
    else truth->class_ = RG_CLASS_IGNORE;
}

int rg_augment_relabel(const rg_augment_plane *before, const rg_augment_plane *p,
                       rg_truth *truths, int n)
{
    seen was, now = { 0 };
    int status = look(before, &was);
    if (status == 0) status = look(p, &now);
    for (int i = 0; status == 0 && i < n; i++)
        relabel(&was, &now, RG_ISLAND_BASE * p->sigma, &truths[i]);
    clear(&was);
    clear(&now);
    return status;
}

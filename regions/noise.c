/* SPDX-License-Identifier: MIT */
#include "regions/noise.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

#define WINDOW 180.0              /* [arcsec] */
#define LEAST 64                  /* and pixels, at least */
#define SOURCE 4.0                /* [sigma] what is no blank sky */
#define LAGS 24                   /* covariances are known up to, at most [pixels] */
#define SAMPLES 4                 /* windows an axis they are measured in, at most */

struct rg_noise {
    const rg_image *image;    /* borrowed */
    double beam;              /* [pixels] */
    int wx, wy;               /* of a window [pixels] */
    int mx, my;               /* windows along x and y */
    rg_noise_level *level;    /* [my][mx]; owned */
    int lags;                 /* 0: not measured */
    double covariance[LAGS + 1][2 * LAGS + 1];   /* [dy][dx + lags] for rms 1 */
    double pairs[LAGS + 1][2 * LAGS + 1];        /* measured on */
};

/* One window: its pixels, and those of blank sky in units of rms (NaN: not blank). */
typedef struct window {
    float *pixels, *blank;    /* [wy][wx]; owned */
} window;

/* ---- windows ---- */

/* First pixel of window k of m along an axis of n pixels. */
static int start_of(int k, int m, int n, int width)
{
    return m < 2 ? 0 : (int)lround((double)k * (n - width) / (m - 1));
}

static int windows_along(int n, int width)
{
    double step = n > 16 * width ? width : width / 2.0;
    return n <= width ? 1 : (int)ceil((n - width) / step) + 1;
}

/* Pixels within a beam of x, y are not blank. */
static void blot(const rg_noise *noise, float *blank, int x, int y)
{
    int reach = (int)ceil(noise->beam);
    for (int v = y - reach; v <= y + reach; v++)
        for (int u = x - reach; u <= x + reach; u++) {
            if (u < 0 || v < 0 || u >= noise->wx || v >= noise->wy) continue;
            if (hypot(u - x, v - y) > noise->beam) continue;
            blank[v * noise->wx + u] = NAN;
        }
}

/* What is blank of the window, and its level. */
static int look(const rg_noise *noise, window *w, rg_noise_level *level)
{
    const size_t n = (size_t)noise->wx * noise->wy;
    double median;
    size_t left = 0;
    *level = (rg_noise_level){ NAN, NAN, NAN, NAN };
    for (size_t i = 0; i < n; i++) left += isfinite(w->pixels[i]) != 0;
    memcpy(w->blank, w->pixels, n * sizeof *w->blank);
    if (left == 0) return 0;
    RG_TRY(rg_image_noise(w->pixels, n, &median, &level->sigma));
    for (size_t i = 0; i < n; i++)
        if (fabs(w->pixels[i] - median) > SOURCE * level->sigma)
            blot(noise, w->blank, (int)(i % noise->wx), (int)(i / noise->wx));
    left = 0;
    for (size_t i = 0; i < n; i++) left += isfinite(w->blank[i]) != 0;
    if (left < n / 20) memcpy(w->blank, w->pixels, n * sizeof *w->blank);
    RG_TRY(rg_image_noise(w->blank, n, &level->background, &level->rms));
    for (size_t i = 0; i < n; i++)
        w->blank[i] = (float)((w->blank[i] - level->background) / level->rms);
    return 0;
}

static int look_at(const rg_noise *noise, window *w, int i, int j,
                   rg_noise_level *level)
{
    const rg_image *image = noise->image;
    int x0 = start_of(i, noise->mx, image->nx, noise->wx);
    int y0 = start_of(j, noise->my, image->ny, noise->wy);
    for (int y = 0; y < noise->wy; y++)
        memcpy(w->pixels + (size_t)y * noise->wx,
               image->pixels + (size_t)(y0 + y) * image->nx + x0,
               (size_t)noise->wx * sizeof *w->pixels);
    return look(noise, w, level);
}

/* ---- covariance ---- */

/* Of every second row, which are hardly less than all: neighbours say the same. */
static void add_lag(rg_noise *noise, const float *blank, int dx, int dy)
{
    const int nx = noise->wx, ny = noise->wy;
    double sum = 0;
    long pairs = 0;
    for (int y = 0; y + dy < ny; y += 2)
        for (int x = dx < 0 ? -dx : 0; x < nx && x + dx < nx; x++) {
            double product = (double)blank[y * nx + x] * blank[(y + dy) * nx + x + dx];
            if (!isfinite(product)) continue;
            sum += product;
            pairs++;
        }
    noise->covariance[dy][dx + noise->lags] += sum;
    noise->pairs[dy][dx + noise->lags] += (double)pairs;
}

static void add_window(rg_noise *noise, const window *w)
{
    for (int dy = 0; dy <= noise->lags; dy++)
        for (int dx = -noise->lags; dx <= noise->lags; dx++)
            add_lag(noise, w->blank, dx, dy);
}

/* From sums to means; where they are of too little, the beam's. */
static void finish_covariance(rg_noise *noise)
{
    const int lags = noise->lags;
    bool enough = noise->pairs[lags][0] > 15 * noise->beam * noise->beam &&
                  noise->covariance[0][lags] > 0;
    for (int dy = 0; dy <= lags; dy++)
        for (int dx = -lags; dx <= lags; dx++) {
            double far = (dx * dx + dy * dy) / (2 * noise->beam * noise->beam);
            double *c = &noise->covariance[dy][dx + lags];
            *c = enough ? *c / noise->pairs[dy][dx + lags] : exp(-4 * M_LN2 * far);
        }
}

double rg_noise_variance(const rg_noise *noise, const double *weights, int nx, int ny)
{
    double sum = 0;
    for (int y = 0; y < ny; y++)
        for (int x = 0; x < nx; x++) {
            double w = weights[(size_t)y * nx + x], others = 0;
            if (w == 0) continue;
            for (int dy = 0; dy <= noise->lags && y + dy < ny; dy++) {
                const double *row = weights + (size_t)(y + dy) * nx;
                const double *c = noise->covariance[dy] + noise->lags;
                int first = dy == 0 ? 1 : -noise->lags;
                for (int dx = first; dx <= noise->lags; dx++)
                    if (x + dx >= 0 && x + dx < nx) others += c[dx] * row[x + dx];
            }
            sum += w * (w * noise->covariance[0][noise->lags] + 2 * others);
        }
    return sum > 0 ? sum : 0;
}

/* ---- all of it ---- */

/* The variance of a mean over n blank pixels is the sum of covariances over n. */
static void set_background_errors(rg_noise *noise)
{
    const int lags = noise->lags;
    double sum = -noise->covariance[0][lags];
    for (int dy = 0; dy <= lags; dy++)
        for (int dx = dy == 0 ? 0 : -lags; dx <= lags; dx++)
            sum += 2 * noise->covariance[dy][dx + lags];
    double n = (double)noise->wx * noise->wy;
    for (int k = 0; k < noise->mx * noise->my; k++)
        noise->level[k].background_error =
            noise->level[k].rms * sqrt(fmin(fmax(sum, 1) / n, 1));
}

static int look_everywhere(rg_noise *noise, window *w)
{
    const int every_x = (noise->mx + SAMPLES - 1) / SAMPLES;
    const int every_y = (noise->my + SAMPLES - 1) / SAMPLES;
    for (int j = 0; j < noise->my; j++)
        for (int i = 0; i < noise->mx; i++) {
            rg_noise_level *level = &noise->level[j * noise->mx + i];
            RG_TRY(look_at(noise, w, i, j, level));
            if (noise->lags > 0 && level->rms > 0 && i % every_x == 0 &&
                j % every_y == 0) add_window(noise, w);
        }
    if (noise->lags > 0) {
        finish_covariance(noise);
        set_background_errors(noise);
    }
    return 0;
}

static int set_windows(rg_noise *noise)
{
    const rg_image *image = noise->image;
    double pixel = image->sky ? rg_sky_pixel_arcsec(image->sky) : WINDOW / LEAST;
    double side = fmin(fmax(round(WINDOW / pixel), LEAST), 1 << 15);
    noise->wx = (int)fmin(side, image->nx);
    noise->wy = (int)fmin(side, image->ny);
    noise->mx = windows_along(image->nx, noise->wx);
    noise->my = windows_along(image->ny, noise->wy);
    noise->level = rg_error_alloc((size_t)noise->mx * noise->my, sizeof *noise->level,
                                  "the noise of an image");
    return noise->level ? 0 : -1;
}

int rg_noise_new(rg_noise **out, const rg_image *image, double beam,
                 bool together)
{
    *out = NULL;
    if (!(beam > 0)) return RG_FAIL("noise of an image with a beam of %g pixels", beam);
    rg_noise *noise = rg_error_alloc(1, sizeof *noise, "the noise of an image");
    if (noise == NULL) return -1;
    *noise = (rg_noise){ .image = image, .beam = fmin(beam, LAGS) };
    if (together) noise->lags = (int)fmin(ceil(4 * noise->beam), LAGS);
    window w = { NULL, NULL };
    int status = set_windows(noise);
    const size_t n = (size_t)noise->wx * noise->wy;
    if (status == 0) w.pixels = rg_error_alloc(n, sizeof *w.pixels, "noise windows");
    if (w.pixels) w.blank = rg_error_alloc(n, sizeof *w.blank, "noise windows");
    status = w.blank ? look_everywhere(noise, &w) : -1;
    free(w.pixels);
    free(w.blank);
    if (status == 0) *out = noise;
    else rg_noise_free(noise);
    return status;
}

void rg_noise_free(rg_noise *noise)
{
    if (noise == NULL) return;
    free(noise->level);
    free(noise);
}

/* The windows about position `at` along an axis, and the share of the second. */
static void between(double at, int m, int n, int width, int node[2], double *share)
{
    double place = m < 2 ? 0 : (at - (width - 1) / 2.0) * (m - 1) / (n - width);
    place = fmin(fmax(place, 0), m - 1);
    node[0] = (int)place;
    node[1] = node[0] + 1 < m ? node[0] + 1 : node[0];
    *share = place - node[0];
}

rg_noise_level rg_noise_at(const rg_noise *noise, double x, double y)
{
    int i[2], j[2];
    double p, q, total = 0;
    rg_noise_level here = { 0, 0, 0, 0 };
    between(x, noise->mx, noise->image->nx, noise->wx, i, &p);
    between(y, noise->my, noise->image->ny, noise->wy, j, &q);
    for (int k = 0; k < 4; k++) {
        const rg_noise_level *l = &noise->level[j[k / 2] * noise->mx + i[k % 2]];
        double w = (k % 2 ? p : 1 - p) * (k / 2 ? q : 1 - q);
        if (!isfinite(l->sigma) || !(w > 0)) continue;
        here.sigma += w * l->sigma;
        here.rms += w * l->rms;
        here.background += w * l->background;
        here.background_error += w * l->background_error;
        total += w;
    }
    return (rg_noise_level){ here.sigma / total, here.rms / total,
                             here.background / total, here.background_error / total };
}

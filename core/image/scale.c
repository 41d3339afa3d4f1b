/* SPDX-License-Identifier: MIT */
#include "core/image/scale.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

/* DS9's own sizes: cells of a colour map, entries of the linear and the log table. */
enum { CELLS = 2048, LINEAR = CELLS, LOG = 16384 };
#define EXPONENT 1000.0
#define WHITE 255

const rg_colormap rg_scale_cool = {
    .name = "cool",
    .node = { { { 0, 0 }, { .29f, 0 }, { .76f, .1f }, { 1, 1 } },
              { { 0, 0 }, { .22f, 0 }, { .96f, 1 }, { 1, 1 } },
              { { 0, 0 }, { .53f, 1 }, { 1, 1 } } },
    .nodes = { 4, 4, 3 },
    .contrast = 1,
    .bias = 0.5,
};

const rg_colormap rg_scale_grey = {
    .name = "grey",
    .node = { { { 0, 0 }, { 1, 1 } }, { { 0, 0 }, { 1, 1 } }, { { 0, 0 }, { 1, 1 } } },
    .nodes = { 2, 2, 2 },
    .contrast = 1,
    .bias = 0.5,
};

/* gist_heat, as DS9 has it. */
static const uint8_t heat[3][240] = {
    { /* red */
      0, 1, 2, 4, 5, 7, 8, 10, 11, 13, 15, 17, 18, 20, 21, 23, 24, 26, 27, 28, 30, 31,
      33, 34, 36, 37, 39, 40, 42, 43, 46, 47, 49, 50, 52, 53, 55, 56, 57, 59, 60, 62,
      63, 65, 66, 68, 69, 70, 72, 73, 76, 78, 79, 81, 82, 84, 85, 86, 88, 89, 92, 94,
      95, 97, 98, 99, 101, 102, 104, 105, 108, 110, 111, 113, 114, 115, 117, 118, 120,
      121, 123, 124, 126, 127, 128, 130, 131, 133, 134, 136, 139, 140, 141, 143, 144,
      146, 147, 149, 150, 152, 153, 155, 156, 157, 159, 160, 162, 163, 165, 166, 169,
      170, 172, 173, 175, 176, 178, 179, 181, 182, 185, 186, 188, 189, 191, 192, 194,
      195, 197, 198, 201, 202, 204, 205, 207, 208, 210, 211, 212, 214, 215, 217, 218,
      220, 221, 223, 224, 226, 227, 228, 231, 233, 234, 236, 237, 239, 240, 241, 243,
      244, 246, 247, 249, 250, 252, 253, 255, 255, 255, 255, 255, 255, 255, 255, 255,
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
      255 },
    { /* green */
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 1, 3, 5, 7, 9, 11, 15, 17, 18, 20, 22, 24, 26, 28, 30, 32, 35,
      37, 39, 41, 43, 45, 47, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 68, 69, 71, 75,
      77, 79, 81, 83, 85, 86, 88, 90, 92, 94, 96, 98, 100, 102, 103, 105, 107, 109, 111,
      115, 117, 119, 120, 122, 124, 126, 128, 130, 132, 136, 137, 139, 141, 143, 145,
      147, 149, 151, 153, 156, 158, 160, 162, 164, 166, 168, 170, 171, 173, 175, 177,
      179, 181, 183, 185, 187, 188, 190, 192, 196, 198, 200, 202, 204, 205, 207, 209,
      211, 213, 215, 217, 219, 221, 222, 224, 226, 228, 230, 232, 236, 238, 239, 241,
      243, 245, 247, 249, 251, 253 },
    { /* blue */
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 11, 15, 19, 23, 27, 31,
      35, 39, 43, 51, 54, 58, 62, 66, 70, 74, 78, 82, 86, 90, 94, 98, 102, 105, 109,
      113, 117, 121, 125, 133, 137, 141, 145, 149, 153, 156, 160, 164, 168, 172, 176,
      180, 184, 188, 192, 196, 200, 204, 207, 215, 219, 223, 227, 231, 235, 239, 243,
      247, 251 }
};

const rg_colormap rg_scale_gist_heat = {
    .name = "gist_heat", .bytes = heat, .contrast = 1, .bias = 0.5
};

const rg_colormap rg_scale_w = {
    .name = "W", .bytes = heat, .contrast = 0.684039, .bias = 0
};

int rg_scale_minmax(const float *pixels, size_t n, double *low, double *high)
{
    float least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(pixels[i])) continue;
        if (pixels[i] < least) least = pixels[i];
        if (pixels[i] > most) most = pixels[i];
    }
    if (!(least <= most))
        return RG_FAIL("the image is blank: none of its %zu pixels is finite", n);
    *low = least;
    *high = most;
    return 0;
}

/* ---- zscale: IRAF's algorithm, in DS9's precision ---- */

enum { SAMPLES = 600, PER_LINE = 120, LEAST_LINES = SAMPLES / PER_LINE, ROUNDS = 5,
       LEAST_GOOD = 5 };
enum { GOOD, BAD, MARKED };
#define ZSCALE_CONTRAST 0.25f
#define REJECT 2.5f               /* [sigma] */

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Finite pixels of evenly spaced lines: *sample is allocated; how many, or -1. */
static int take_sample(const float *pixels, int nx, int ny, float **sample)
{
    int step = larger(2, ceil_div(nx, nx < PER_LINE ? nx : PER_LINE));
    int per_line = ceil_div(nx, step), lines = ceil_div(SAMPLES, per_line), n = 0;
    lines = larger(LEAST_LINES, lines < ny ? lines : ny);
    int line_step = larger(2, ny / lines), room = per_line * ceil_div(ny, line_step);
    *sample = rg_error_alloc((size_t)room, sizeof **sample, "a sample of pixels");
    if (*sample == NULL) return -1;
    for (int line = (line_step + 1) / 2; line < ny; line += line_step) {
        const float *row = pixels + (size_t)(line - 1) * nx;
        for (int i = 0; i < per_line && n < room; i++)
            if (isfinite(row[i * step])) (*sample)[n++] = row[i * step];
    }
    return n;
}

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The line z0 + dz x fitted to the sorted sample over x = -1 .. 1. */
typedef struct fit {
    const float *sample;      /* [n]; borrowed */
    float *flat;              /* [n] sample less line; owned */
    char *state; /* [n] GOOD, BAD (left out) or MARKED (out of sigma); owned */
    int n;
    double xx, xz, x, z;      /* sums over all but BAD; x starts as exactly 0 */
    float step, z0, dz;       /* step: of x */
} fit;

static float place(const fit *f, int i)
{
    return (float)(i * f->step - 1.0);
}

static double sigma_of(fit *f)
{
    double sum = 0, square = 0;
    int n = 0;
    for (int i = 0; i < f->n; i++) {
        f->flat[i] = f->sample[i] - (place(f, i) * f->dz + f->z0);
        if (f->state[i] != GOOD) continue;
        sum += f->flat[i];
        square += f->flat[i] * f->flat[i];
        n++;
    }
    if (n < 2) return 0;
    double variance = square / (n - 1) - sum * sum / ((double)n * (n - 1));
    return variance > 0 ? sqrt(variance) : 0;
}

/* Leave out what is far from the line, and its neighbours; how many stay. */
static int reject(fit *f, float threshold, int grow)
{
    int good = f->n;
    for (int i = 0; i < f->n; i++) {
        if (f->state[i] == BAD) good--;
        if (f->state[i] == BAD || fabsf(f->flat[i]) <= threshold) continue;
        for (int j = larger(0, i - grow); j < i + grow && j < f->n; j++) {
            if (f->state[j] == BAD) continue;
            f->state[j] = j <= i ? BAD : MARKED;
            if (j > i) continue;
            double x = place(f, j), z = f->sample[j];
            f->xx -= x * x, f->xz -= x * z, f->x -= x, f->z -= z;
            good--;
        }
    }
    return good;
}

/* How many of the sample the line describes. */
static int fit_line(fit *f, int least, int grow)
{
    int good = f->n, before;
    f->step = (float)(2.0 / (f->n - 1));
    for (int i = 0; i < f->n; i++) {
        float x = place(f, i), z = f->sample[i];
        f->xx += x * x, f->xz += z * x, f->z += z;
    }
    f->z0 = (float)(f->z / f->n);
    f->dz = (float)(f->xz / f->xx);
    for (int i = 0; i < ROUNDS; i++) {
        before = good;
        good = reject(f, (float)sigma_of(f) * REJECT, grow);
        double ratio = f->x / f->xx;
        if (good == 0) break;
        f->z0 = (float)((f->z - ratio * f->xz) / (good - ratio * f->x));
        f->dz = (float)((f->xz - f->z0 * f->x) / f->xx);
        if (good >= before || good < least) break;
    }
    return good;
}

static int set_limits(const float *s, int n, double *low, double *high)
{
    int centre = larger(1, (n + 1) / 2), least = larger(LEAST_GOOD, (int)(.5 * n));
    float median = n % 2 == 1 || centre >= n ? s[centre - 1]
                                             : (s[centre - 1] + s[centre]) / 2;
    fit f = { .sample = s, .n = n };
    *low = s[0];
    *high = s[n - 1];
    if (n < least) return 0;
    f.flat = rg_error_alloc((size_t)n, sizeof *f.flat, "a sample of pixels");
    f.state = rg_error_alloc((size_t)n, 1, "a sample of pixels");
    int status = f.flat && f.state ? 0 : -1;
    if (status == 0 && fit_line(&f, least, larger(1, (int)(.01 * n + .5))) >= least) {
        float slope = f.dz * f.step / ZSCALE_CONTRAST;
        *low = fmaxf(s[0], median - (float)(centre - 1) * slope);
        *high = fminf(s[n - 1], median + (float)(n - centre) * slope);
    }
    free(f.flat);
    free(f.state);
    return status;
}

int rg_scale_zscale(const float *pixels, int nx, int ny, double *low, double *high)
{
    float *sample;
    int n = take_sample(pixels, nx, ny, &sample);
    if (n < 0) return -1;
    int status = n > 0 ? 0 : RG_FAIL("zscale is not defined for this image of %d x %d "
                                     "pixels: none of those it samples is finite",
                                     nx, ny);
    if (status == 0) {
        qsort(sample, (size_t)n, sizeof *sample, ascending);
        status = set_limits(sample, n, low, high);
    }
    free(sample);
    return status;
}

/* ---- colours ---- */

/* Cell of the colour map after contrast and bias, in single precision as DS9 has it. */
static int stretch(const rg_colormap *map, int cell)
{
    float contrast = (float)map->contrast, bias = (float)map->bias;
    if (fabs(bias - 0.5) < 0.0001 && fabs(contrast - 1.0) < 0.0001) return cell;
    double wanted = (((float)cell / CELLS - bias) * contrast + .5) * CELLS;
    if (!(wanted >= 0)) return 0;
    return wanted >= CELLS - 1 ? CELLS - 1 : (int)wanted;
}

/* Node h of a channel: its place and value, both from 0 to 1.  DS9's file of the
 * bytes has the places with four decimals and the values with five digits. */
static void node_at(const rg_colormap *map, int channel, int h, float *x, float *y)
{
    if (map->bytes == NULL) {
        *x = map->node[channel][h].x;
        *y = map->node[channel][h].y;
        return;
    }
    int byte = map->bytes[channel][h];
    double digits = byte < 3 ? 1e7 : byte < 26 ? 1e6 : 1e5;
    *x = (float)(round(h / 239.0 * 1e4) / 1e4);
    *y = (float)(round(byte / 255.0 * digits) / digits);
}

/* A channel of all cells: linear between the nodes, truncated to 8 bits. */
static void ramp(const rg_colormap *map, int channel, uint8_t cells[CELLS][3])
{
    int nodes = map->bytes ? 240 : map->nodes[channel], h = 0;
    float xt = 0, yt = 0, xh, yh;
    node_at(map, channel, 0, &xh, &yh);
    for (int i = 0; i < CELLS; i++) {
        float x = (float)i / CELLS;
        while (h < nodes && !(xh >= x)) {
            xt = xh, yt = yh;
            if (++h < nodes) node_at(map, channel, h, &xh, &yh);
        }
        float slope = h > 0 && h < nodes ? (yh - yt) / (xh - xt) : 0;
        float y = slope != 0 ? slope * (x - xt) + yt : yh;
        cells[i][channel] = (uint8_t)(y * 255);
    }
}

/* The cell of each entry of the log table. */
static uint16_t log_cell[LOG];
static pthread_once_t log_filled = PTHREAD_ONCE_INIT;

static void fill_log(void)
{
    for (int i = 0; i < LOG; i++) {
        double a = log10(EXPONENT * i / LOG + 1) / log10(EXPONENT);
        log_cell[i] = (uint16_t)((int)(a * CELLS) < CELLS ? (int)(a * CELLS)
                                                          : CELLS - 1);
    }
}

/* Colour of each entry of the scale's table; returns how many entries. */
static int fill_table(rg_scale scale, const rg_colormap *map, uint8_t table[LOG][3])
{
    uint8_t cells[CELLS][3];
    int n = scale == RG_SCALE_LOG ? LOG : LINEAR;
    for (int c = 0; c < 3; c++) ramp(map, c, cells);
    pthread_once(&log_filled, fill_log);
    for (int i = 0; i < n; i++) {
        int cell = scale == RG_SCALE_LOG ? log_cell[i] : i;
        memcpy(table[i], cells[stretch(map, cell)], 3);
    }
    return n;
}

void rg_scale_render(const float *pixels, size_t n, rg_scale scale, double low,
                     double high, const rg_colormap *map, uint8_t *rgb)
{
    uint8_t table[LOG][3];
    int size = fill_table(scale, map, table), limits = isfinite(low) && isfinite(high);
    for (size_t i = 0; i < n; i++) {
        double v = pixels[i];
        int entry = -1;
        if (!isfinite(v) || !limits) entry = -1;
        else if (v <= low) entry = 0;
        else if (v >= high) entry = size - 1;
        else entry = (int)((v - low) / (high - low) * (size - 1) + .5);
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = entry < 0 ? WHITE : table[entry][c];
    }
}

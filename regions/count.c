/* SPDX-License-Identifier: MIT */
#include "regions/count.h"

#include <math.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "core/image/island.h"

#define SPECK 4                   /* fewer pixels are no component */
#define MARGIN 10                 /* round the contours [fine pixels] */
#define MOST 2048                 /* fine pixels a side */

/* The part of the image about a footprint, finer: pixel 0, 0 at x, y of the image
 * [0-based], the next ones `step` from there. */
typedef struct fine {
    double x, y, step;
    float *pixels;            /* [side][side]; owned */
    int side;
} fine;

/* Four weights of the bicubic kernel (Keys 1981, a = -1/2) for a place `t` after the
 * second of four pixels. */
static void weigh(double t, double w[4])
{
    w[0] = t * (-0.5 + t * (1 - 0.5 * t));
    w[1] = 1 + t * t * (-2.5 + 1.5 * t);
    w[2] = t * (0.5 + t * (2 - 1.5 * t));
    w[3] = t * t * (-0.5 + 0.5 * t);
}

/* Bicubic; where a neighbour is blank or outside, the nearest pixel. */
static float sample(const rg_image *image, double x, double y)
{
    int u = (int)floor(x), v = (int)floor(y);
    double wx[4], wy[4], sum = NAN;
    if (u >= 1 && v >= 1 && u + 2 < image->nx && v + 2 < image->ny) {
        weigh(x - u, wx);
        weigh(y - v, wy);
        sum = 0;
        for (int j = 0; j < 4; j++) {
            const float *row = image->pixels + (size_t)(v - 1 + j) * image->nx + u - 1;
            sum += wy[j] * (wx[0] * row[0] + wx[1] * row[1] + wx[2] * row[2] +
                            wx[3] * row[3]);
        }
    }
    if (isfinite(sum)) return (float)sum;
    u = (int)lround(x), v = (int)lround(y);
    if (u < 0 || v < 0 || u >= image->nx || v >= image->ny) return NAN;
    return image->pixels[(size_t)v * image->nx + u];
}

static int magnify(const rg_image *image, rg_footprint f, double step, fine *out)
{
    int longer = (f.x2 - f.x1 > f.y2 - f.y1 ? f.x2 - f.x1 : f.y2 - f.y1) + 1;
    if (longer / step > MOST - 2 * MARGIN) step = longer / (MOST - 2.0 * MARGIN);
    out->step = step;
    out->side = (int)ceil(longer / step) + 2 * MARGIN;
    out->x = (f.x1 + f.x2) / 2.0 - step * (out->side - 1) / 2;
    out->y = (f.y1 + f.y2) / 2.0 - step * (out->side - 1) / 2;
    out->pixels = rg_error_alloc((size_t)out->side * out->side, sizeof *out->pixels,
                                 "a source's pixels");
    for (int p = 0; out->pixels && p < out->side * out->side; p++)
        out->pixels[p] = sample(image, out->x + step * (p % out->side),
                                out->y + step * (p / out->side));
    return out->pixels ? 0 : -1;
}

/* Whether a fine pixel lies on a pixel of the box's footprint or beside one. */
static bool is_on(const rg_footprints *prints, int box, const fine *from, int x, int y)
{
    int u = (int)lround(from->x + from->step * x);
    int v = (int)lround(from->y + from->step * y);
    for (int j = 0; j < 9; j++) {        /* the pixel itself first */
        int a = u + (j + 1) % 3 - 1, b = v + (j / 3 + 1) % 3 - 1;
        if (rg_footprint_island(prints, a, b) == 0) continue;
        return rg_footprint_has(prints, box, a, b);
    }
    return false;
}

int rg_count(const rg_image *image, const rg_footprints *prints, int box, double level,
             double step, double spacing, int *components, int *peaks)
{
    fine from = { .pixels = NULL };
    rg_island *islands = NULL;
    int n = 0;
    rg_footprint f = rg_footprint_of(prints, box);
    *components = *peaks = 0;
    if (f.x2 < f.x1) return 0;
    int status = magnify(image, f, spacing, &from);
    if (status == 0)
        status = rg_island_find(from.pixels, from.side, from.side, level, step,
                                &islands, &n, NULL);
    for (int i = 0; i < n; i++) {
        if (islands[i].npixels < SPECK) continue;
        if (!is_on(prints, box, &from, islands[i].px, islands[i].py)) continue;
        ++*components;
        *peaks += islands[i].peaks;
    }
    free(islands);
    free(from.pixels);
    return status;
}

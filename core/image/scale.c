/* SPDX-License-Identifier: MIT */
#include "core/image/scale.h"

#include <math.h>
#include <stdlib.h>

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

/* Cell of the colour map after contrast and bias, in single precision as DS9 has it. */
static int stretch(const rg_colormap *map, int cell)
{
    float contrast = (float)map->contrast, bias = (float)map->bias;
    if (fabs(bias - 0.5) < 0.0001 && fabs(contrast - 1.0) < 0.0001) return cell;
    double wanted = (((float)cell / CELLS - bias) * contrast + .5) * CELLS;
    if (!(wanted >= 0)) return 0;
    return wanted >= CELLS - 1 ? CELLS - 1 : (int)wanted;
}

/* One channel of one cell: linear between the nodes, truncated to 8 bits. */
static uint8_t ramp(const rg_colormap *map, int channel, int cell)
{
    int last = map->nodes[channel] - 1, h = 0;
    float x = (float)cell / CELLS;
    while (h <= last && !(map->node[channel][h].x >= x)) h++;
    if (h == 0) return (uint8_t)(map->node[channel][0].y * 255);
    if (h > last) return (uint8_t)(map->node[channel][last].y * 255);
    float xt = map->node[channel][h - 1].x, yt = map->node[channel][h - 1].y;
    float xh = map->node[channel][h].x, yh = map->node[channel][h].y;
    float slope = (yh - yt) / (xh - xt);
    float y = slope != 0 ? slope * (x - xt) + yt : yh;
    return (uint8_t)(y * 255);
}

/* Colour of each entry of the scale's table; returns how many entries. */
static int fill_table(rg_scale scale, const rg_colormap *map, uint8_t table[LOG][3])
{
    int n = scale == RG_SCALE_LOG ? LOG : LINEAR;
    for (int i = 0; i < n; i++) {
        int cell = i;
        if (scale == RG_SCALE_LOG) {
            double a = log10(EXPONENT * i / LOG + 1) / log10(EXPONENT);
            cell = (int)(a * CELLS) < CELLS ? (int)(a * CELLS) : CELLS - 1;
        }
        for (int c = 0; c < 3; c++) table[i][c] = ramp(map, c, stretch(map, cell));
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

/* SPDX-License-Identifier: MIT */
/* scale: DS9's scalings and colour maps, bit for bit (shared/spec/ds9.md section 5).
 *
 *     double low, high;
 *     RG_TRY(rg_scale_minmax(pixels, n, &low, &high));
 *     rg_scale_render(pixels, n, RG_SCALE_LOG, low, high, &rg_scale_cool, rgb);
 */
#ifndef RG_SCALE_H
#define RG_SCALE_H

#include <stddef.h>
#include <stdint.h>

typedef enum { RG_SCALE_LINEAR, RG_SCALE_LOG } rg_scale;

/* A DS9 colour map: per channel (red, green, blue) the nodes of its ramp, or 240 bytes
 * at equal steps, and the contrast and bias it is used with. */
typedef struct rg_colormap {
    const char *name;
    struct { float x, y; } node[3][8];
    int nodes[3];
    const uint8_t (*bytes)[240];  /* [3]; NULL: nodes */
    double contrast, bias;
} rg_colormap;

/* rg_scale_w: gist_heat with the contrast 0.684039 and bias 0 of the paper's W. */
extern const rg_colormap rg_scale_cool, rg_scale_grey, rg_scale_gist_heat, rg_scale_w;

/* Smallest and largest finite pixel; fails when there is none. */
int rg_scale_minmax(const float *pixels, size_t n, double *low, double *high);

/* DS9's zscale limits of pixels [ny][nx] (contrast 0.25, 600 samples, 120 a line;
 * IRAF's algorithm): the range about the median of a line fitted to the sorted sample.
 * Fails where DS9's own are undefined: no finite pixel in the sampled lines, as in
 * images of one row. */
int rg_scale_zscale(const float *pixels, int nx, int ny, double *low, double *high);

/* n pixels as DS9 draws them, rgb [n][3]: inclusive clipping, log of exponent 1000 on
 * the normalised value, NaN white.  DS9 keeps double and scaled integer images in
 * double: where single precision does not hold their values some pixels differ. */
void rg_scale_render(const float *pixels, size_t n, rg_scale scale, double low,
                     double high, const rg_colormap *map, uint8_t *rgb);

#endif

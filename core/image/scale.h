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

/* A DS9 colour map: per channel (red, green, blue) the nodes of its ramp, and the
 * contrast and bias it is used with. */
typedef struct rg_colormap {
    const char *name;
    struct { float x, y; } node[3][8];
    int nodes[3];
    double contrast, bias;
} rg_colormap;

extern const rg_colormap rg_scale_cool, rg_scale_grey;

/* Smallest and largest finite pixel; fails when there is none. */
int rg_scale_minmax(const float *pixels, size_t n, double *low, double *high);

/* n pixels as DS9 draws them, rgb [n][3]: inclusive clipping, log of exponent 1000 on
 * the normalised value, NaN white. */
void rg_scale_render(const float *pixels, size_t n, rg_scale scale, double low,
                     double high, const rg_colormap *map, uint8_t *rgb);

#endif

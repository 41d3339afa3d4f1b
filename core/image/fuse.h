/* SPDX-License-Identifier: MIT */
/* fuse: the images the network is shown (paper section 3.4): F, D1, D2, D3, D4.
 *
 *     rg_method method;
 *     RG_TRY(rg_fuse_method("D4", &method));
 *     RG_TRY(rg_fuse(method, radio, infrared, 132, 132, rgb));
 */
#ifndef RG_FUSE_H
#define RG_FUSE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    RG_METHOD_F, RG_METHOD_D1, RG_METHOD_D2, RG_METHOD_D3, RG_METHOD_D4, RG_METHODS
} rg_method;

/* Method by its name in the paper; fails naming those there are. */
int rg_fuse_method(const char *name, rg_method *method);
const char *rg_fuse_name(rg_method method);

/* Whether the method looks at an infrared image. */
bool rg_fuse_wants_infrared(rg_method method);

/* rgb [ny][nx][3] of radio and infrared pixels [ny][nx] on one grid, row 0 = FITS row 1
 * in all; infrared may be NULL where the method does not want it.
 *   F   radio, linear, zscale, cool
 *   D1  radio, log, minmax, cool
 *   D2  D1 with the blue of W, dark but in bright sources, added to its red; the paper
 *       says "pixel values in W", and of W's channels, whose means over the authors'
 *       images are 213, 45, 14 (R, G, B), it is nearest to the 19 by which the red of
 *       their D2 is above that of their D1
 *   D3  W with the radio contours (5 sigma x 2^k) in blue, half a pixel thick
 *   D4  D3 with what is outside the contours' hull in one colour, the mean of the
 *       authors' W
 * W is infrared, log, minmax, gist_heat with contrast 0.684039 and bias 0.  Pixels that
 * are not finite are drawn as the lowest (DS9 has them white, as the brightest). */
int rg_fuse(rg_method method, const float *radio, const float *infrared, int nx, int ny,
            uint8_t *rgb);

/* An rgb [ny][nx][3] image, row 0 at the bottom, as a PNG file, top row last FITS row;
 * written beside and renamed. */
int rg_fuse_write_png(const uint8_t *rgb, int nx, int ny, const char *path);

#endif

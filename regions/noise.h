/* SPDX-License-Identifier: MIT */
/* noise: how uncertain the pixels of an image are, place by place and together.
 *
 *     RG_TRY(rg_noise_new(&noise, image, 3.0, true));
 *     rg_noise_level here = rg_noise_at(noise, 210, 87.5);
 *     double variance = rg_noise_variance(noise, weights, 20, 15);
 *     rg_noise_free(noise);
 *
 * Noise is taken in windows of 3', the size of Radio Galaxy Zoo's images (at least 64
 * pixels, and 64 without a WCS), and is bilinear between their middles.  They overlap
 * by half, but in images of more than 16 windows a side they only touch.  How noise is
 * correlated from pixel to pixel is measured on up to 16 of the windows together, at
 * lags of up to 4 beams.
 */
#ifndef RG_NOISE_H
#define RG_NOISE_H

#include <stdbool.h>

#include "core/image/image.h"

typedef struct rg_noise rg_noise;

/* All in the image's unit, NAN where the windows have no value. */
typedef struct rg_noise_level {
    double sigma;             /* 1.4826 MAD of all pixels: Radio Galaxy Zoo's */
    double rms;               /* ... of those farther than a beam from any pixel that is
                                 4 sigma off: the noise between sources */
    double background;        /* median of those */
    double background_error;
} rg_noise_level;

/* `beam`: FWHM [pixels], the scale of what is one source.  `together`: covariances too,
 * without which there are no variances and no errors of the background.  `image` is
 * borrowed and must outlive it.  Caller frees. */
int rg_noise_new(rg_noise **out, const rg_image *image, double beam,
                 bool together);
void rg_noise_free(rg_noise *noise);

/* At 0-based pixel x, y; beyond the image as at its border. */
rg_noise_level rg_noise_at(const rg_noise *noise, double x, double y);

/* The variance of sum(w I) over pixels I with the weights w [ny][nx], for rms 1:
 * sum over all pairs of w_i w_j C(i - j), C being the measured covariance, or that of
 * noise seen through the beam where fewer than 30 beams of blank sky are there to
 * measure it on. */
double rg_noise_variance(const rg_noise *noise, const double *weights, int nx, int ny);

#endif

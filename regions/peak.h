/* SPDX-License-Identifier: MIT */
/* peak: the top of a local maximum between pixels.
 *
 *     double height = rg_peak_climb(pixels + y * nx + x, nx, offset);
 */
#ifndef RG_PEAK_H
#define RG_PEAK_H

#include <stdbool.h>

/* Brightness at the top of the maximum at `pixel`, an inner one of lines of nx pixels,
 * less `background`, and its place from that pixel's centre [pixels], by parabolas
 * through the logarithms along both axes: exact for a Gaussian along them.  Where those
 * cannot be drawn the pixel's own. */
double rg_peak_climb(const float *pixel, int nx, double background, double offset[2]);

/* Whether none of the eight neighbours is brighter; of equal ones the first is. */
bool rg_peak_is(const float *pixel, int nx);

#endif

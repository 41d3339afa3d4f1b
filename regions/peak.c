/* SPDX-License-Identifier: MIT */
#include "regions/peak.h"

#include <math.h>

/* Top of a parabola through the logarithms of three values, from the middle one, and
 * how far above it that is [logarithm]. */
static double top_of(double before, double here, double after, double *above)
{
    *above = 0;
    if (!(before > 0 && here > 0 && after > 0)) return 0;
    double a = log(before / here), b = log(after / here), curve = a + b;
    if (!(curve < 0)) return 0;
    double at = fmin(fmax((a - b) / (2 * curve), -0.5), 0.5);
    *above = at * (b - a) / 2 + at * at * curve / 2;
    return at;
}

double rg_peak_climb(const float *pixel, int nx, double background, double offset[2])
{
    double above[2], here = pixel[0] - background;
    for (int k = 0; k < 2; k++) {
        int step = k ? nx : 1;
        offset[k] = top_of(pixel[-step] - background, here, pixel[step] - background,
                           &above[k]);
    }
    return here * exp(above[0] + above[1]);
}

bool rg_peak_is(const float *pixel, int nx)
{
    for (int k = 0; k < 9; k++) {
        const float *other = pixel + (k / 3 - 1) * (long)nx + k % 3 - 1;
        if (*other > *pixel || (*other == *pixel && other < pixel)) return false;
    }
    return true;
}

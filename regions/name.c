/* SPDX-License-Identifier: MIT */
#include "regions/name.h"

#include <math.h>
#include <stdio.h>

#define SLACK 1e-6   /* of the last digit */

void rg_name_format(double ra, double dec, char name[RG_NAME_SIZE])
{
    ra = fmod(ra, 360);
    if (ra < 0) ra += 360;
    double tenths = fmin(floor(ra * 2400 + SLACK), 24 * 36000 - 1);
    double seconds = fmin(floor(fabs(dec) * 3600 + SLACK), 90 * 3600);
    unsigned t = isfinite(tenths) ? (unsigned)tenths : 0;
    unsigned s = isfinite(seconds) ? (unsigned)seconds : 0;
    snprintf(name, RG_NAME_SIZE, "RGCL J%02u%02u%02u.%u%c%02u%02u%02u", t / 36000 % 24,
             t / 600 % 60, t / 10 % 60, t % 10, dec < 0 ? '-' : '+', s / 3600 % 100,
             s / 60 % 60, s % 60);
}

/* SPDX-License-Identifier: MIT */
#include "core/detector/coarse.h"

#include <math.h>

#define APART 0.2                  /* of the larger one's */

static double side(const rg_detection *f)
{
    return fmax(f->width, f->height);
}

double rg_coarse_pixel(int scale)
{
    return ldexp(RG_CLARAN_PIXEL, scale);
}

bool rg_coarse_is_apart(const rg_detection *finer, const rg_detection *coarser)
{
    return !finer->cut && side(finer) < APART * side(coarser);
}

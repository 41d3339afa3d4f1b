/* SPDX-License-Identifier: MIT */
#include "core/detector/coarse.h"

#include <math.h>

#define DUE 0.5                    /* of the next finer window's side */
#define APART 0.2                  /* of the larger one's */

static double side(const rg_detection *f)
{
    return fmax(f->width, f->height);
}

double rg_coarse_pixel(int scale)
{
    return ldexp(RG_CLARAN_PIXEL, scale);
}

bool rg_coarse_is_due(const rg_detection *f)
{
    const double finer = RG_CLARAN_SUBJECT * rg_coarse_pixel(f->scale - 1);
    return f->scale == 0 || side(f) >= DUE * finer;
}

bool rg_coarse_is_apart(const rg_detection *finer, const rg_detection *coarser)
{
    return !finer->cut && side(finer) < APART * side(coarser);
}

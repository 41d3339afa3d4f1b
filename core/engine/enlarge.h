/* SPDX-License-Identifier: MIT */
/* enlarge: how a square picture becomes a network's input: bilinear between the middles
 * of its pixels, on the host (rg_claran_input) and on cards (kernel.h) to the bit.
 *
 *     const float u = rg_enlarge_place(x, input, side, &i);
 *     value = rg_enlarge_mix(u, line[i], line[i + 1]);
 */
#ifndef RG_ENLARGE_H
#define RG_ENLARGE_H

#include "core/engine/anywhere.h"

/* Where pixel i of `size` falls among the picture's: between `at` and at + 1, so much
 * [0..1] behind the former; never beyond the middles of the outermost pixels. */
RG_ANYWHERE float rg_enlarge_place(int i, int size, int side, int *at)
{
    const float last = (float)(side - 1);
    float x = ((float)i + 0.5f) * (float)side / (float)size - 0.5f;
    x = x < 0 ? 0 : x > last ? last : x;
    *at = x < last ? (int)x : side - 2;
    return x - (float)*at;
}

RG_ANYWHERE float rg_enlarge_mix(float share, float low, float high)
{
    return (1 - share) * low + share * high;
}

#endif

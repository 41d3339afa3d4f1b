/* SPDX-License-Identifier: MIT */
/* random: numbers from a seed, the same everywhere.
 *
 *     uint64_t state = rg_random_mix(seed, index);      // a stream per thing
 *     double u = rg_random_uniform(&state), z = rg_random_normal(&state);
 *
 * SplitMix64 (Steele, Lea & Flood 2014).
 */
#ifndef RG_RANDOM_H
#define RG_RANDOM_H

#include <math.h>
#include <stdint.h>

#include "core/engine/anywhere.h"

RG_ANYWHERE uint64_t rg_random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A seed for thing number `index` of `seed`. */
RG_ANYWHERE uint64_t rg_random_mix(uint64_t seed, uint64_t index)
{
    uint64_t state = seed ^ (index * 0xd1342543de82ef95u + 0x632be59bd9b4e019u);
    return rg_random_next(&state);
}

/* In [0, 1). */
RG_ANYWHERE double rg_random_uniform(uint64_t *state)
{
    return (double)(rg_random_next(state) >> 11) * 0x1p-53;
}

/* 0 .. n - 1; n > 0. */
RG_ANYWHERE int rg_random_below(uint64_t *state, int n)
{
    return (int)(rg_random_uniform(state) * n);
}

/* Mean 0, variance 1 (Box & Muller 1958). */
RG_ANYWHERE double rg_random_normal(uint64_t *state)
{
    double u = 1 - rg_random_uniform(state), v = rg_random_uniform(state);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

#endif

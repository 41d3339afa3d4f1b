/* SPDX-License-Identifier: MIT */
#include "core/evaluation/reliability.h"

#include <math.h>

#include "core/engine/random.h"

enum { BINS = RG_RELIABILITY_BINS, DRAWS = 200 };

void rg_reliability_add(rg_reliability *r, double p, bool right, double times)
{
    const int bin = (int)fmin(BINS - 1, fmax(0, p * BINS));
    r->n[bin] += times;
    r->sum[bin] += times * p;
    if (right) r->right[bin] += times;
}

double rg_reliability_error(const rg_reliability *r)
{
    double off = 0, n = 0;
    for (int i = 0; i < BINS; i++) {
        off += fabs(r->right[i] - r->sum[i]);
        n += r->n[i];
    }
    return n > 0 ? off / n : NAN;
}

double rg_reliability_chance(const double *p, int n, uint64_t seed)
{
    double sum = 0;
    for (int k = 0; k < DRAWS; k++) {
        uint64_t state = rg_random_mix(seed, (uint64_t)k);
        rg_reliability r = { .n = { 0 } };
        for (int i = 0; i < n; i++)
            rg_reliability_add(&r, p[i], rg_random_uniform(&state) < p[i], 1);
        sum += rg_reliability_error(&r);
    }
    return sum / DRAWS;
}

/* SPDX-License-Identifier: MIT */
#include "core/evaluation/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"

static void draw(const rg_bootstrap *how, int number, int *times)
{
    uint64_t state = rg_random_mix(how->seed, (uint64_t)number);
    memset(times, 0, (size_t)how->fields * sizeof *times);
    for (int i = 0; i < how->fields; i++) times[rg_random_below(&state, how->fields)]++;
}

static int rising(const void *pa, const void *pb)
{
    const double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* Of sorted values, between the two that lie beside it. */
static double percentile(const double *sorted, int n, double share)
{
    const double at = share * (n - 1);
    const int i = (int)at < n - 1 ? (int)at : n - 2;
    if (n == 1) return sorted[0];
    return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

/* Figure `which` of every sample, into `sorted`; returns how many there are. */
static int gather(const rg_bootstrap *how, const double *samples, int which,
                  double *sorted)
{
    int n = 0;
    for (int d = 0; d < how->draws; d++) {
        const double value = samples[(size_t)d * how->values + which];
        if (!isnan(value)) sorted[n++] = value;
    }
    qsort(sorted, (size_t)n, sizeof *sorted, rising);
    return n;
}

int rg_bootstrap_run(const rg_bootstrap *how, double *low, double *high)
{
    const unsigned long draws = (unsigned long)how->draws;
    int *times = rg_error_alloc((unsigned long)how->fields, sizeof *times, "a sample");
    double *sorted = rg_error_alloc(draws, sizeof *sorted, "samples");
    double *samples = rg_error_alloc(draws * (unsigned long)how->values,
                                     sizeof *samples, "samples");
    int status = times && sorted && samples ? 0 : -1;
    for (int d = 0; d < how->draws && status == 0; d++) {
        draw(how, d, times);
        how->measure(how->user, times, samples + (size_t)d * how->values);
        if (how->progress) how->progress(how->what, d + 1, how->draws);
    }
    for (int v = 0; v < how->values && status == 0; v++) {
        const int n = gather(how, samples, v, sorted);
        low[v] = high[v] = NAN;
        if (n == 0 || 2 * n < how->draws) continue;
        low[v] = percentile(sorted, n, 0.025);
        high[v] = percentile(sorted, n, 0.975);
    }
    free(times);
    free(sorted);
    free(samples);
    return status;
}

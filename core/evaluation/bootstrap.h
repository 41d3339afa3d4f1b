/* SPDX-License-Identifier: MIT */
/* bootstrap: how much figures would scatter if other fields had been drawn (Efron
 * 1979).
 *
 *     rg_bootstrap how = { .fields = 56, .draws = 1000, .seed = 1, .values = 3,
 *                          .measure = count, .user = &sources };
 *     RG_TRY(rg_bootstrap_run(&how, low, high));        // each [3]
 */
#ifndef RG_BOOTSTRAP_H
#define RG_BOOTSTRAP_H

#include <stdint.h>

typedef struct rg_bootstrap {
    int fields;               /* that are drawn from, as often as there are fields */
    int draws;                /* how many such samples */
    uint64_t seed;
    int values;               /* figures measured on each */
    void (*measure)(void *user, const int *times, double *value);
                              /* field i stands times[i] times in the sample; fills
                                 value[values], NaN where there is none */
    void *user;
    void (*progress)(void *what, int done, int total);   /* samples; NULL: silent */
    void *what;
} rg_bootstrap;

/* The 2.5 and 97.5 percentiles of each figure, low and high [values]; NaN where fewer
 * than half of the samples have it. */
int rg_bootstrap_run(const rg_bootstrap *how, double *low, double *high);

#endif

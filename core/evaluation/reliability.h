/* SPDX-License-Identifier: MIT */
/* reliability: whether of sources marked 0.9 nine in ten are right (paper's Fig. 14).
 *
 *     rg_reliability r = { 0 };
 *     rg_reliability_add(&r, 0.87, true, 1);            // one call per detection
 *     double ece = rg_reliability_error(&r);
 */
#ifndef RG_RELIABILITY_H
#define RG_RELIABILITY_H

#include <stdbool.h>
#include <stdint.h>

#define RG_RELIABILITY_BINS 10        /* of equal width in P */

typedef struct rg_reliability {
    double n[RG_RELIABILITY_BINS];    /* detections with P in the bin */
    double sum[RG_RELIABILITY_BINS];  /* of their P */
    double right[RG_RELIABILITY_BINS];
} rg_reliability;

/* A detection of probability p (0..1), counted `times` times. */
void rg_reliability_add(rg_reliability *r, double p, bool right, double times);

/* Expected calibration error (Naeini et al. 2015): the mean over detections of |share
 * that is right - mean P| of their bin, 0..1; NaN without detections. */
double rg_reliability_error(const rg_reliability *r);

/* What that error would be on average if each of the p[n] were exactly its chance of
 * being right: bins of few detections scatter.  200 draws from the seed. */
double rg_reliability_chance(const double *p, int n, uint64_t seed);

#endif

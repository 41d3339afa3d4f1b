/* SPDX-License-Identifier: MIT */
/* schedule: the learning rate against the step.
 *
 *     const rg_schedule schedule = { .rate = 1e-3f, .steps = 80000,
 *                                    .drop = { 50000 }, .fall = 0.1f };
 *     optimizer.rate = rg_schedule_rate(&schedule, rg_net_step(net));
 */
#ifndef RG_SCHEDULE_H
#define RG_SCHEDULE_H

#define RG_SCHEDULE_DROPS 4

typedef struct rg_schedule {
    float rate;                        /* the first one */
    long steps;                        /* of the whole run */
    long drop[RG_SCHEDULE_DROPS + 1];  /* the rate falls after these many steps;
                                          rising, 0-ended */
    float fall;                        /* by this factor: 0.1 */
    int cosine;                        /* instead: half a cosine to 0 at `steps` */
    long warmup;                       /* rises evenly over the first steps */
} rg_schedule;

/* The rate of the step after `step` steps were made. */
float rg_schedule_rate(const rg_schedule *schedule, long step);

/* Steps, rate and drops that can be used, or a sentence. */
int rg_schedule_check(const rg_schedule *schedule);

#endif

/* SPDX-License-Identifier: MIT */
/* optimizer: the arithmetic of one training step on plain arrays, for every backend
 * whose parameters lie in host memory.
 *
 *     double squares = 0;
 *     for (...) squares += rg_optimizer_squares(count, gradient);
 *     RG_TRY(rg_optimizer_clip(how, squares, &norm, &scale));
 *     for (...) rg_optimizer_step(&own, step, scale, count, value, gradient, m1, m2);
 *
 * The same numbers come out whatever the number of threads.
 */
#ifndef RG_OPTIMIZER_H
#define RG_OPTIMIZER_H

#include "core/engine/backend.h"

/* Sum of the squares of [count] values. */
double rg_optimizer_squares(long count, const float *gradient);

/* From the sum of squares of all gradients: their norm, and what to scale them by so
 * that it is at most how->clip.  A norm that is not finite is a failure.  `norm` may be
 * NULL. */
int rg_optimizer_clip(const rg_optimizer *how, double squares, float *norm,
                      float *scale);

/* `how` with the parameter's own learning rate: times its factor. */
rg_optimizer rg_optimizer_for(const rg_optimizer *how, const rg_param *param);

/* One step of how->rule; gradients are multiplied by `scale`, `step` counts from 1, all
 * arrays [count].  Both rules also take rate * decay * value off the value (decoupled).
 * SGD: moment1 is its velocity, moment2 is not touched and may be NULL. */
void rg_optimizer_step(const rg_optimizer *how, long step, float scale, long count,
                       float *value, const float *gradient, float *moment1,
                       float *moment2);

#endif

/* SPDX-License-Identifier: MIT */
#include "core/engine/optimizer.h"

#include <math.h>

#include "core/engine/error.h"

enum { PARTS = 64, WORTH_THREADS = 1 << 15 };

static double squares_of(long count, const float *x)
{
    double sum = 0;
    #pragma omp simd reduction(+:sum)
    for (long i = 0; i < count; i++) sum += (double)x[i] * x[i];
    return sum;
}

/* Always the same parts in the same order, so threads cannot change the sum. */
double rg_optimizer_squares(long count, const float *gradient)
{
    double part[PARTS], sum = 0;
    long length = (count + PARTS - 1) / PARTS;
    #pragma omp parallel for schedule(static) if (count > WORTH_THREADS)
    for (int i = 0; i < PARTS; i++) {
        long first = i * length, left = count - first;
        if (left > length) left = length;
        part[i] = left > 0 ? squares_of(left, gradient + first) : 0;
    }
    for (int i = 0; i < PARTS; i++) sum += part[i];
    return sum;
}

int rg_optimizer_clip(const rg_optimizer *how, double squares, float *norm,
                      float *scale)
{
    float root = (float)sqrt(squares);
    if (norm) *norm = root;
    if (!isfinite(root))
        return RG_FAIL("the norm of the gradients is %g: no step was made; "
                       "lower the learning rate", root);
    *scale = how->clip > 0 && root > how->clip ? how->clip / root : 1;
    return 0;
}

rg_optimizer rg_optimizer_for(const rg_optimizer *how, const rg_param *param)
{
    rg_optimizer own = *how;
    own.rate *= param->factor;
    return own;
}

static void step_sgd(const rg_optimizer *how, float scale, long count,
                     float *restrict w, const float *restrict g, float *restrict v)
{
    float rate = how->rate, momentum = how->momentum, decay = how->rate * how->decay;
    #pragma omp parallel for simd schedule(static) if (count > WORTH_THREADS)
    for (long i = 0; i < count; i++) {
        v[i] = momentum * v[i] + scale * g[i];
        w[i] -= rate * v[i] + decay * w[i];
    }
}

/* The two bias corrections are folded into the rate and the second moment. */
static void step_adam(const rg_optimizer *how, long step, float scale, long count,
                      float *restrict w, const float *restrict g, float *restrict m,
                      float *restrict v)
{
    float b1 = how->momentum, b2 = how->beta2, epsilon = how->epsilon;
    float decay = how->rate * how->decay;
    float rate = (float)(how->rate / (1 - pow(b1, (double)step)));
    float unbias = (float)(1 / (1 - pow(b2, (double)step)));
    #pragma omp parallel for simd schedule(static) if (count > WORTH_THREADS)
    for (long i = 0; i < count; i++) {
        float d = scale * g[i];
        m[i] = b1 * m[i] + (1 - b1) * d;
        v[i] = b2 * v[i] + (1 - b2) * d * d;
        w[i] -= rate * m[i] / (sqrtf(v[i] * unbias) + epsilon) + decay * w[i];
    }
}

void rg_optimizer_step(const rg_optimizer *how, long step, float scale, long count,
                       float *value, const float *gradient, float *moment1,
                       float *moment2)
{
    if (how->rule == RG_ADAM)
        step_adam(how, step, scale, count, value, gradient, moment1, moment2);
    else
        step_sgd(how, scale, count, value, gradient, moment1);
}

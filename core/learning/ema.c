/* SPDX-License-Identifier: MIT */
#include "core/learning/ema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

struct rg_ema {
    rg_weights *mean;         /* owned, as all below */
    float *now;               /* room for the largest parameter */
    float decay;
};

int rg_ema_new(rg_ema **out, const rg_net *net, float decay)
{
    if (!(decay > 0) || !(decay < 1))
        return RG_FAIL("an average that keeps %g of itself each step: between 0 and 1",
                       decay);
    rg_ema *ema = rg_error_alloc(1, sizeof *ema, "the average of the weights");
    if (ema == NULL) return -1;
    ema->decay = decay;
    long largest = 1;
    int status = rg_weights_new(&ema->mean);
    if (status == 0) status = rg_net_save(net, ema->mean, false);
    for (int i = 0; status == 0 && i < rg_weights_count(ema->mean); i++) {
        long n = rg_layer_count(rg_weights_at(ema->mean, i)->shape);
        if (n > largest) largest = n;
    }
    ema->now = rg_error_alloc((unsigned long)largest, sizeof *ema->now,
                              "the average of the weights");
    if (status == 0 && ema->now) {
        *out = ema;
        return 0;
    }
    rg_ema_free(ema);
    return -1;
}

void rg_ema_free(rg_ema *ema)
{
    if (ema == NULL) return;
    rg_weights_free(ema->mean);
    free(ema->now);
    free(ema);
}

int rg_ema_take(rg_ema *ema, const rg_net *net)
{
    float step = (float)rg_net_step(net), early = (1 + step) / (10 + step);
    float part = 1 - (early < ema->decay ? early : ema->decay);
    for (int i = 0; i < rg_weights_count(ema->mean); i++) {
        const rg_weight *w = rg_weights_at(ema->mean, i);
        float *restrict mean = w->data, *restrict now = ema->now;
        long n = rg_layer_count(w->shape);
        RG_TRY(rg_net_get_param(net, w->name, RG_VALUE, now));
        #pragma omp parallel for simd schedule(static) if (n > 1 << 15)
        for (long k = 0; k < n; k++) mean[k] += part * (now[k] - mean[k]);
    }
    return 0;
}

static int mean_name(const rg_weight *w, char name[68])
{
    if (snprintf(name, 68, "%s.mean", w->name) < 68) return 0;
    return RG_FAIL("the name %s is too long to be averaged", w->name);
}

int rg_ema_save(const rg_ema *ema, rg_weights *weights, bool beside)
{
    char name[68];
    for (int i = 0; i < rg_weights_count(ema->mean); i++) {
        const rg_weight *w = rg_weights_at(ema->mean, i);
        if (beside) RG_TRY(mean_name(w, name));
        else snprintf(name, sizeof name, "%s", w->name);
        if (rg_weights_add(weights, name, w->shape, w->data) == NULL) return -1;
    }
    return beside ? rg_weights_set_number(weights, "EMA", ema->decay,
                                          "of the averages NAME.mean") : 0;
}

int rg_ema_load(rg_ema *ema, const rg_weights *weights)
{
    char name[68];
    for (int i = 0; i < rg_weights_count(ema->mean); i++) {
        rg_weight *w = rg_weights_at(ema->mean, i);
        RG_TRY(mean_name(w, name));
        const rg_weight *was = rg_weights_find(weights, name);
        if (was == NULL || rg_layer_count(was->shape) != rg_layer_count(w->shape))
            return RG_FAIL("the checkpoint has no average of the weights %s: it was "
                           "begun without one", w->name);
        memcpy(w->data, was->data, (size_t)rg_layer_count(w->shape) * sizeof *w->data);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "core/learning/ema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

struct rg_ema {
    rg_net *net;              /* borrowed; its parts RG_MEAN are the average */
    rg_weights *room;         /* owned: what it is fetched into */
    float decay;
};

int rg_ema_new(rg_ema **out, rg_net *net, float decay)
{
    if (!(decay > 0) || !(decay < 1))
        return RG_FAIL("an average that keeps %g of itself each step: between 0 and 1",
                       decay);
    rg_ema *ema = rg_error_alloc(1, sizeof *ema, "the average of the weights");
    if (ema == NULL) return -1;
    *ema = (rg_ema){ .net = net, .decay = decay };
    int status = rg_weights_new(&ema->room);
    if (status == 0) status = rg_net_save(net, ema->room, false);
    if (status == 0) status = rg_net_average(net, 1);
    if (status == 0) *out = ema;
    else rg_ema_free(ema);
    return status;
}

void rg_ema_free(rg_ema *ema)
{
    if (ema == NULL) return;
    rg_weights_free(ema->room);
    free(ema);
}

int rg_ema_take(rg_ema *ema)
{
    const float step = (float)rg_net_step(ema->net), early = (1 + step) / (10 + step);
    return rg_net_average(ema->net, 1 - (early < ema->decay ? early : ema->decay));
}

static int mean_name(const rg_weight *w, char name[68])
{
    if (snprintf(name, 68, "%s.mean", w->name) < 68) return 0;
    return RG_FAIL("the name %s is too long to be averaged", w->name);
}

int rg_ema_save(const rg_ema *ema, rg_weights *weights, bool beside)
{
    char name[68];
    for (int i = 0; i < rg_weights_count(ema->room); i++) {
        const rg_weight *w = rg_weights_at(ema->room, i);
        RG_TRY(rg_net_get_param(ema->net, w->name, RG_MEAN, w->data));
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
    for (int i = 0; i < rg_weights_count(ema->room); i++) {
        const rg_weight *w = rg_weights_at(ema->room, i);
        RG_TRY(mean_name(w, name));
        const rg_weight *was = rg_weights_find(weights, name);
        if (was == NULL || rg_layer_count(was->shape) != rg_layer_count(w->shape))
            return RG_FAIL("the checkpoint has no average of the weights %s: it was "
                           "begun without one", w->name);
        RG_TRY(rg_net_put_param(ema->net, w->name, RG_MEAN, was->data));
    }
    return 0;
}

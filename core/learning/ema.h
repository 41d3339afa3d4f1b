/* SPDX-License-Identifier: MIT */
/* ema: an exponential moving average of a net's weights while it is trained.
 *
 *     rg_ema *ema;
 *     RG_TRY(rg_ema_new(&ema, net, 0.999f));
 *     RG_TRY(rg_net_update(net, &optimizer, &norm));
 *     RG_TRY(rg_ema_take(ema));                // after each step
 *     RG_TRY(rg_ema_save(ema, weights, false));
 *     rg_ema_free(ema);
 *
 * average += (1 - d) (weight - average) with d = min(decay, (1 + step) / (10 + step)),
 * so that the first weights are soon forgotten.
 */
#ifndef RG_EMA_H
#define RG_EMA_H

#include <stdbool.h>

#include "core/engine/net.h"

typedef struct rg_ema rg_ema;

/* The average of the net's weights, which begins as what they are now and lies where
 * they lie: one a net, which is borrowed until free.  Caller frees. */
int rg_ema_new(rg_ema **out, rg_net *net, float decay);
void rg_ema_free(rg_ema *ema);

/* The weights after one more step. */
int rg_ema_take(rg_ema *ema);

/* Into a model in place of the net's own weights, or `beside` them as "NAME.mean" with
 * the keyword EMA, which is what rg_ema_load finds again. */
int rg_ema_save(const rg_ema *ema, rg_weights *weights, bool beside);
int rg_ema_load(rg_ema *ema, const rg_weights *weights);

#endif

/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include "core/learning/ema.h"

static rg_net *make(void)
{
    static const rg_row rows[] = {
        INPUT("x", 1, 3, 1, 1), FC("fc", "x", 3, 2, LINEAR),
    };
    rg_net *net;
    rg_net_options options = { .training = true, .seed = 1 };
    CHECK_OK(rg_net_new(&net, rows, 2, &rg_backend_ref, &options));
    return net;
}

static void set(rg_net *net, float value, long step)
{
    const float w[6] = { value, 2 * value, 0, -value, 1, value };
    CHECK_OK(rg_net_put_param(net, "fc", RG_VALUE, w));
    rg_net_set_step(net, step);
}

static void the_average_follows_its_formula(void)
{
    rg_net *net = make();
    rg_ema *ema;
    rg_weights *w;
    double mean = 1;
    set(net, 1, 0);
    CHECK_OK(rg_ema_new(&ema, net, 0.9f));
    for (int step = 1; step <= 300; step++) {
        double early = (1.0 + step) / (10.0 + step), d = early < 0.9 ? early : 0.9;
        double value = step % 7;
        set(net, (float)value, step);
        CHECK_OK(rg_ema_take(ema));
        mean += (1 - d) * (value - mean);
    }
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_net_save(net, w, false));
    CHECK_OK(rg_ema_save(ema, w, false));
    CHECK_NEAR(rg_weights_find(w, "fc")->data[0], mean, 1e-4);
    CHECK_NEAR(rg_weights_find(w, "fc")->data[3], -mean, 1e-4);
    CHECK(rg_weights_find(w, "fc")->data[4] == 1);   /* what rests stays to the bit */
    CHECK(rg_weights_count(w) == 2 && !rg_weights_has(w, "EMA"));
    rg_weights_free(w);
    rg_ema_free(ema);
    rg_net_free(net);
}

static void it_is_kept_and_found_again(void)
{
    rg_net *net = make();
    rg_ema *ema, *again;
    rg_weights *w, *v;
    set(net, 1, 0);
    CHECK_OK(rg_ema_new(&ema, net, 0.99f));
    set(net, 5, 1);
    CHECK_OK(rg_ema_take(ema));
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_weights_new(&v));
    CHECK_OK(rg_net_save(net, w, true));
    CHECK_FAILS(rg_ema_load(ema, w), "no average of the weights fc");
    CHECK_OK(rg_ema_save(ema, w, true));
    rg_ema_free(ema);
    CHECK_OK(rg_ema_new(&again, net, 0.99f));
    CHECK(rg_weights_has(w, "EMA") && rg_weights_find(w, "fc")->data[0] == 5);
    CHECK_OK(rg_ema_load(again, w));
    CHECK_OK(rg_ema_save(again, v, false));
    CHECK(rg_weights_find(v, "fc")->data[0] == rg_weights_find(w, "fc.mean")->data[0]);
    CHECK_NEAR(rg_weights_find(v, "fc")->data[0], 1 + 4 * 9.0 / 11, 1e-5);
    rg_weights_free(w);
    rg_weights_free(v);
    rg_ema_free(again);
    CHECK_FAILS(rg_ema_new(&ema, net, 1), "keeps 1 of itself");
    CHECK_FAILS(rg_ema_new(&ema, net, NAN), "of itself");
    rg_net_free(net);
}

int main(void)
{
    CHECK_RUN(the_average_follows_its_formula);
    CHECK_RUN(it_is_kept_and_found_again);
    return CHECK_END();
}

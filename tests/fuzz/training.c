/* SPDX-License-Identifier: MIT */
/* What a training left: a checkpoint, here of its first row alone, or its log. */
#include "core/detector/claran.h"
#include "core/learning/ema.h"
#include "core/learning/losses.h"
#include "tests/fuzz/fuzz.h"

static void go_on(const char *path)
{
    static const rg_row rows[] = { INPUT("data", 1, 3, 4, 4),
                                   CONV("conv1_1", "data", 3, 4, 3, RELU) };
    rg_weights *was, *now;
    rg_net *net;
    rg_ema *ema;
    double step;
    if (rg_weights_read(&was, path) != 0) return;
    FUZZ_HOLDS(rg_net_new(&net, rows, 2, &rg_backend_ref,
                          &(rg_net_options){ .training = true }) == 0);
    FUZZ_HOLDS(rg_ema_new(&ema, net, 0.9f) == 0 && rg_weights_new(&now) == 0);
    if (rg_net_load(net, was) == 0 && rg_ema_load(ema, was) == 0
        && rg_weights_number(was, "STEP", &step) == 0)
        FUZZ_HOLDS(rg_net_save(net, now, true) == 0
                   && rg_ema_save(ema, now, true) == 0);
    rg_weights_free(now);
    rg_ema_free(ema);
    rg_net_free(net);
    rg_weights_free(was);
}

static void show(const char *path)
{
    rg_losses *losses;
    if (rg_losses_read(&losses, path) != 0) return;
    for (int i = 0; i < losses->nruns; i++) FUZZ_HOLDS(losses->runs[i].n > 0);
    rg_losses_free(losses);
}

static void log_on(const char *path)
{
    static const char *const names[] = { "rpn_cls", "rpn_box", "roi_cls", "roi_box" };
    const double loss[4] = { 1, 2, 3, 4 };
    show(path);
    if (rg_losses_begin(path, names, 4, 50) != 0) return;
    FUZZ_HOLDS(rg_losses_add(path, &(rg_losses_row){ .step = 51 }, loss, 4) == 0);
    show(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file("training", data, size);
    if (size > 0 && data[0] == 'S') go_on(path);
    else log_on(path);
    return 0;
}

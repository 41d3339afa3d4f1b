/* SPDX-License-Identifier: MIT */
/* The GPU backend on a card that is the host (card.c): every word, and the optimizer's
 * rules over ten steps. */
#include "core/engine/gpu/gpu.h"
#include "tests/card.h"
#include "tests/whole.h"

static void bf16_rounds_to_nearest_even(void)
{
    CHECK(rg_view_to_bf16(1) == 0x3f80);
    CHECK(rg_view_to_bf16(1 + 0x1p-8f) == 0x3f80);          /* half way: to even */
    CHECK(rg_view_to_bf16(1 + 0x3p-8f) == 0x3f82);
    CHECK(rg_view_to_bf16(1 + 0x1.01p-8f) == 0x3f81);
    CHECK(rg_view_to_bf16(-0.0f) == 0x8000);
    CHECK(rg_view_to_bf16(INFINITY) == 0x7f80);
    CHECK(rg_view_to_bf16(3.4e38f) == 0x7f80);
    CHECK(isnan(rg_view_from_bf16(rg_view_to_bf16(NAN))));
    CHECK(rg_view_from_bf16(0x3f81) == 1 + 0x1p-7f);
}

static void f16_is_the_half_of_ieee(void)
{
    CHECK(rg_view_to_f16(1) == 0x3c00);
    CHECK(rg_view_to_f16(-2) == 0xc000);
    CHECK(rg_view_to_f16(1 + 0x1p-11f) == 0x3c00);          /* half way: to even */
    CHECK(rg_view_to_f16(1 + 0x3p-11f) == 0x3c02);
    CHECK(rg_view_to_f16(65519) == 0x7bff);
    CHECK(rg_view_to_f16(65520) == 0x7c00);
    CHECK(rg_view_to_f16(-INFINITY) == 0xfc00);
    CHECK(rg_view_to_f16(0x1p-24f) == 1);
    CHECK(rg_view_to_f16(0x1p-25f) == 0);
    CHECK(rg_view_to_f16(-0x3p-25f) == 0x8002);
    CHECK(rg_view_to_f16(0x1p-14f) == 0x0400);
    CHECK(isnan(rg_view_from_f16(rg_view_to_f16(NAN))));
    for (uint32_t half = 0; half < 0x10000; half++) {
        const float value = rg_view_from_f16((uint16_t)half);
        CHECK(isnan(value) || rg_view_to_f16(value) == half);
    }
    CHECK(rg_view_from_f16(0x3555) == 0x1.554p-2f);
}

static void f16_is_not_trained_in(void)
{
    void *context = NULL;
    CHECK_FAILS(rg_backend_gpu.open(&context, RG_PRECISION_F16, true), "train in bf16");
    CHECK_OK(rg_backend_gpu.open(&context, RG_PRECISION_F16, false));
    CHECK(rg_backend_gpu.precision(context) == RG_PRECISION_F16);
    rg_backend_gpu.close(context);
}

/* All but the first of each are replays: forwards, backwards and the step. */
static void ten_steps(void)
{
    const long before = card_replays;
    steps_of(&by_sgd, 1e-4);
    steps_of(&by_adam, 1e-3);
    CHECK(card_replays == before + 2 * 3 * 9);
}

/* Whichever recording is refused, what it should have done is done row by row. */
static void a_recording_that_is_refused_costs_nothing(void)
{
    for (int refused = 1; refused <= 3; refused++) {
        const long before = card_replays;
        card_refuses = refused;
        steps_of(&by_sgd, 1e-4);
        CHECK(card_refuses == 0);
        CHECK(card_replays == before + (3 - refused) * 9);
    }
}

/* Rules, clips and rates may change between steps that are replayed. */
static void what_changes_between_steps_is_seen(void)
{
    const rg_row rows[] = { INPUT("x", 4, 5, 1, 1), FC("s", "x", 5, 3, LINEAR),
                            INPUT("labels", 4, 1, 1, 1),
                            SOFTMAXLOSS("loss", "s", "labels", 3) };
    pair p = { NULL, NULL, rows, 4 };
    float norms[2];
    if (make(&p, true) != 0) return;
    start(&p);
    for (int step = 0; step < 12; step++) {
        const rg_optimizer how = { .rule = step / 4 % 2 ? RG_ADAM : RG_SGD,
                                   .rate = 0.1f / (float)(step + 1), .momentum = 0.9f,
                                   .beta2 = 0.99f, .epsilon = 1e-6f,
                                   .clip = step % 3 ? 0.1f : 0 };
        forward_both(&p);
        backward_both(&p);
        CHECK_OK(rg_net_update(p.ref, &how, &norms[0]));
        CHECK_OK(rg_net_update(p.fast, &how, &norms[1]));
        CHECK_NEAR(norms[1], norms[0], 1e-5);
    }
    compare_value(&p, "s", RG_VALUE, 15, 1e-4);
    rg_net_free(p.ref);
    rg_net_free(p.fast);
}

/* What is recorded when the weights have not changed is replayed when they have. */
static void weights_are_packed_in_every_replay(void)
{
    const rg_row rows[] = { INPUT("x", 1, 2, 6, 6), CONV("a", "x", 2, 3, 3, RELU),
                            FC("s", "a", 108, 4, LINEAR), INPUT("labels", 1, 1, 1, 1),
                            SOFTMAXLOSS("loss", "s", "labels", 4) };
    const rg_optimizer how = { .rule = RG_SGD, .rate = 0.01f };
    const long before = card_replays;
    pair p = { NULL, NULL, rows, 5 };
    if (make(&p, true) != 0) return;
    start(&p);
    for (int pass = 0; pass < 3; pass++) forward_both(&p);
    CHECK(card_replays > before);
    for (int step = 0; step < 3; step++) {
        backward_both(&p);
        CHECK_OK(rg_net_update(p.ref, &how, NULL));
        CHECK_OK(rg_net_update(p.fast, &how, NULL));
        forward_both(&p);
        compare_made(&p, __func__);
    }
    rg_net_free(p.ref);
    rg_net_free(p.fast);
}

/* One life of a network in training, and what it says where a call fails. */
static int live(void)
{
    const rg_row rows[] = { INPUT("x", 1, 2, 6, 6), CONV("a", "x", 2, 3, 3, RELU),
                            BATCHNORM("n", "a", 3, RELU), DROPOUT("d", "n", 0.3f),
                            FC("s", "d", 108, 2, LINEAR), INPUT("labels", 1, 1, 1, 1),
                            SOFTMAXLOSS("loss", "s", "labels", 2) };
    const rg_net_options how = { .training = true, .precision = RG_PRECISION_F32 };
    const rg_optimizer sgd = { .rule = RG_SGD, .rate = 0.1f };
    const float x[72] = { 1, 2, 3 }, labels[1] = { 1 };
    float loss;
    rg_net *net = NULL;
    int status = rg_net_new(&net, rows, 7, &rg_backend_gpu, &how);
    if (status == 0) status = rg_net_put(net, "labels", labels);
    for (int step = 0; step < 3 && status == 0; step++) {
        status = rg_net_put(net, "x", x);
        if (status == 0) status = rg_net_forward(net, NULL, NULL);
        if (status == 0) status = rg_net_backward(net);
        if (status == 0) status = rg_net_update(net, &sgd, NULL);
        if (status == 0) status = rg_net_get(net, "loss", &loss);
    }
    rg_net_free(net);
    return status;
}

/* Whichever call it is that fails: a sentence, no crash, and all memory given back. */
static void every_trouble_is_told(void)
{
    static const struct { rg_trouble what; const char *words; } kinds[] = {
        { RG_TROUBLE_GONE, "the card was removed or reset" },
        { RG_TROUBLE_BUSY, "another program has it to itself" },
        { RG_TROUBLE_KERNEL, "a computation on the card failed" },
        { RG_TROUBLE_FULL, "memory is full" },
        { RG_TROUBLE_DRIVER, "do not go together" },
    };
    enum { KINDS = sizeof kinds / sizeof *kinds };
    const size_t room = card_room;
    int calls = 0;
    for (bool failed = true; failed && calls < 2000; calls++) {
        card_trouble = kinds[calls % KINDS].what;
        card_trouble_in = calls;
        failed = live() != 0;
        if (failed) CHECK(strstr(rg_error_message(), kinds[calls % KINDS].words));
        if (check_failed_) printf("... call %d: %s\n", calls, rg_error_message());
        CHECK(card_room == room);
        if (check_failed_) break;
    }
    card_trouble_in = -1;
    CHECK(calls > 50 && calls < 2000);
    CHECK_OK(live());
}

/* To look at a large map wants memory: where there is none, the network goes on. */
static void a_look_without_room_costs_nothing(void)
{
    const rg_row rows[] = { INPUT("x", 1, 2, 9, 9), CONV("a", "x", 2, 3, 3, RELU) };
    const rg_net_options how = { .precision = RG_PRECISION_BF16 };
    const size_t room = card_room;
    float x[162] = { 1, 2, 3 }, before[243], after[243];
    rg_net *net;
    CHECK_OK(rg_net_new(&net, rows, 2, &rg_backend_gpu, &how));
    CHECK_OK(rg_net_put(net, "x", x));
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    const size_t left = card_room;
    card_room = 0;
    CHECK_FAILS(rg_net_get(net, "a", after), "memory is full");
    card_room = left;
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    CHECK_OK(rg_net_get(net, "a", before));
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    CHECK_OK(rg_net_get(net, "a", after));
    CHECK(memcmp(before, after, sizeof before) == 0);
    rg_net_free(net);
    CHECK(card_room == room);
}

/* Four passes of a network, of which the last is right whatever failed before. */
static void made_after(int failing, float made[4], bool *failed)
{
    const rg_row rows[] = { INPUT("x", 1, 3, 8, 8), CONV("a", "x", 3, 8, 3, RELU),
                            MAXPOOL("b", "a"), FC("c", "b", 128, 6, RELU),
                            FC("s", "c", 6, 4, LINEAR), SOFTMAX("y", "s", 4) };
    const rg_net_options how = { .precision = RG_PRECISION_BF16, .seed = 5 };
    float x[192];
    rg_net *net;
    CHECK_OK(rg_net_new(&net, rows, 6, &rg_backend_gpu, &how));
    if (net == NULL) return;
    card_trouble_in = failing;
    for (int pass = 0; pass < 4; pass++) {
        for (int i = 0; i < 192; i++) x[i] = (float)((i * 7 + pass) % 11) / 11;
        int status = rg_net_put(net, "x", x);
        if (status == 0) status = rg_net_forward(net, NULL, "b");
        if (status == 0) status = rg_net_forward(net, "c", NULL);
        if (status == 0) status = rg_net_get(net, "y", made);
        if (status == 0) continue;
        CHECK(card_trouble_in == 0);
        *failed = true;
        card_trouble_in = -1;
        pass--;                               /* once more, and nothing fails */
    }
    card_trouble_in = -1;
    rg_net_free(net);
}

/* No memory for the code of a kernel, say, which there is for the next image. */
static void a_failure_that_passes_leaves_no_trace(void)
{
    float right[4], made[4];
    bool failed = false, never = false;
    int calls = 0;
    card_trouble = RG_TROUBLE_FULL;
    made_after(-1, right, &never);
    do {
        failed = false;
        made_after(calls, made, &failed);
        CHECK(memcmp(made, right, sizeof made) == 0);
        if (check_failed_) printf("... call %d: %s\n", calls, rg_error_message());
    } while (failed && !check_failed_ && ++calls < 1000);
    CHECK(!never && calls > 20 && calls < 1000);
}

/* More inputs than ways in, one after another: each lands where it belongs. */
static void inputs_do_not_mix(void)
{
    const rg_row rows[] = { INPUT("a", 1, 2, 3, 4), INPUT("b", 1, 2, 3, 4),
                            INPUT("c", 1, 1, 1, 1), INPUT("d", 1, 2, 3, 4),
                            ADD("s", "a", "b", LINEAR), ADD("t", "s", "d", LINEAR) };
    const rg_net_options how = { .precision = RG_PRECISION_F32 };
    const char *const names[] = { "a", "b", "c", "d" };
    float x[4][24], made[24];
    rg_net *net;
    CHECK_OK(rg_net_new(&net, rows, 6, &rg_backend_gpu, &how));
    for (int pass = 0; pass < 4; pass++) {
        for (int i = 0; i < 4 * 24; i++) x[i / 24][i % 24] = (float)(i * (pass + 1));
        for (int k = 0; k < 4; k++) {
            float host[24];
            memcpy(host, x[k], sizeof host);
            CHECK_OK(rg_net_put(net, names[k], host));
            for (int i = 0; i < 24; i++) host[i] = NAN;    /* ours again */
        }
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        CHECK_OK(rg_net_get(net, "t", made));
        for (int i = 0; i < 24; i++) CHECK(made[i] == x[0][i] + x[1][i] + x[3][i]);
        CHECK_OK(rg_net_get(net, "c", made));
        CHECK(made[0] == x[2][0]);
    }
    rg_net_free(net);
}

/* Range by range with new inputs, and with new weights: what is replayed is right. */
static void what_is_recorded_is_replayed(void)
{
    const rg_row rows[] = { INPUT("x", 1, 3, 9, 7), CONV("a", "x", 3, 5, 3, RELU),
                            MAXPOOL("b", "a"), FC("y", "b", 60, 4, LINEAR) };
    pair p = { NULL, NULL, rows, sizeof rows / sizeof *rows };
    const long before = card_replays;
    float x[189], w[135];
    uint64_t state = 7;
    if (make(&p, false) != 0) return;
    for (int pass = 0; pass < 8; pass++) {
        for (int i = 0; i < 189; i++) x[i] = (float)rg_random_normal(&state);
        for (int i = 0; i < 135; i++) w[i] = (float)rg_random_normal(&state);
        for (int k = 0; k < 2; k++) {
            rg_net *net = k ? p.fast : p.ref;
            CHECK_OK(rg_net_put(net, "x", x));
            if (pass == 4) CHECK_OK(rg_net_put_param(net, "a", RG_VALUE, w));
            CHECK_OK(rg_net_forward(net, NULL, "b"));
            CHECK_OK(rg_net_forward(net, "y", NULL));
        }
        compare_made(&p, "what_is_recorded_is_replayed");
    }
    /* Not in passes 0, 1 (more scratch was wanted) and 4 (new weights). */
    CHECK(card_replays == before + 2 * 5);
    rg_net_free(p.ref);
    rg_net_free(p.fast);
}

/* The first of equals takes the gradient. */
static void maxpool_of_equals(void)
{
    const rg_row rows[] = { INPUT("x", 1, 2, 5, 6), MAXPOOL("a", "x"),
                            MAXPOOL3("b", "x"), PUSH("a", 1, 2, 2, 3),
                            INPUT("t", 1, 2, 3, 3), INPUT("w", 1, 2, 3, 3),
                            SMOOTHL1("loss", "b", "t", "w", 1) };
    pair p = { NULL, NULL, rows, sizeof rows / sizeof *rows };
    float same[60], gradient[2][60];
    if (make(&p, true) != 0) return;
    start(&p);
    for (int i = 0; i < 60; i++) same[i] = 3;
    CHECK_OK(rg_net_put(p.ref, "x", same));
    CHECK_OK(rg_net_put(p.fast, "x", same));
    forward_both(&p);
    backward_both(&p);
    CHECK_OK(rg_net_get_gradient(p.ref, "x", gradient[0]));
    CHECK_OK(rg_net_get_gradient(p.fast, "x", gradient[1]));
    for (int i = 0; i < 60; i++) CHECK_NEAR(gradient[1][i], gradient[0][i], 1e-6);
    rg_net_free(p.ref);
    rg_net_free(p.fast);
}

static void a_loss_without_labels_is_none(void)
{
    const rg_row rows[] = { INPUT("x", 3, 2, 1, 1), FC("f", "x", 2, 2, LINEAR),
                            INPUT("labels", 3, 1, 1, 1),
                            SOFTMAXLOSS("loss", "f", "labels", 2) };
    const rg_net_options options = { .training = true, .input_gradients = true,
                                     .precision = RG_PRECISION_F32 };
    const float labels[3] = { -1, -1, NAN }, x[6] = { 1, 2, 3, 4, 5, 6 };
    float loss = 7, gradient[6];
    rg_net *net;
    CHECK_OK(rg_net_new(&net, rows, 4, &rg_backend_gpu, &options));
    CHECK_OK(rg_net_put(net, "x", x));
    CHECK_OK(rg_net_put(net, "labels", labels));
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    CHECK_OK(rg_net_backward(net));
    CHECK_OK(rg_net_get(net, "loss", &loss));
    CHECK(loss == 0);
    CHECK_OK(rg_net_get_gradient(net, "x", gradient));
    for (int i = 0; i < 6; i++) CHECK(gradient[i] == 0);
    rg_net_free(net);
}

static void a_gradient_that_is_not_finite_stops(void)
{
    const rg_row rows[] = { INPUT("x", 1, 2, 1, 1), FC("s", "x", 2, 3, LINEAR),
                            INPUT("labels", 1, 1, 1, 1),
                            SOFTMAXLOSS("loss", "s", "labels", 3) };
    const rg_net_options options = { .training = true, .precision = RG_PRECISION_F32 };
    const rg_optimizer how = { .rule = RG_SGD, .rate = 1 };
    const float x[2] = { NAN, 1 }, labels[1] = { 1 };
    float before[6], after[6];
    rg_net *net;
    CHECK_OK(rg_net_new(&net, rows, 4, &rg_backend_gpu, &options));
    CHECK_OK(rg_net_put(net, "x", x));
    CHECK_OK(rg_net_put(net, "labels", labels));
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    CHECK_OK(rg_net_backward(net));
    CHECK_OK(rg_net_get_param(net, "s", RG_VALUE, before));
    CHECK_FAILS(rg_net_update(net, &how, NULL), "norm of the gradients");
    CHECK_OK(rg_net_get_param(net, "s", RG_VALUE, after));
    CHECK(memcmp(before, after, sizeof before) == 0);
    rg_net_free(net);
}

static void bf16_and_f16_find_what_f32_finds(void)
{
    if (getenv("RG_FULL") == NULL) CHECK_SKIP("only in make check-full");
    finds_what_f32_finds(RG_PRECISION_BF16, 3, 0);
    finds_what_f32_finds(RG_PRECISION_F16, 1, 0);
}

int main(void)
{
    CHECK_RUN(bf16_rounds_to_nearest_even);
    CHECK_RUN(f16_is_the_half_of_ieee);
    words_run(&rg_backend_gpu);
    words_of_a_card(&rg_backend_gpu);
    CHECK_RUN(f16_is_not_trained_in);
    CHECK_RUN(ten_steps);
    CHECK_RUN(a_recording_that_is_refused_costs_nothing);
    CHECK_RUN(what_changes_between_steps_is_seen);
    CHECK_RUN(weights_are_packed_in_every_replay);
    CHECK_RUN(every_trouble_is_told);
    CHECK_RUN(a_look_without_room_costs_nothing);
    CHECK_RUN(a_failure_that_passes_leaves_no_trace);
    CHECK_RUN(inputs_do_not_mix);
    CHECK_RUN(what_is_recorded_is_replayed);
    CHECK_RUN(maxpool_of_equals);
    CHECK_RUN(a_loss_without_labels_is_none);
    CHECK_RUN(proposals_are_the_hosts);
    CHECK_RUN(pictures_are_enlarged_as_by_the_host);
    CHECK_RUN(a_gradient_that_is_not_finite_stops);
    CHECK_RUN(bf16_and_f16_find_what_f32_finds);
    return CHECK_END();
}

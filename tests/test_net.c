/* SPDX-License-Identifier: MIT */
/* The net on both backends: gradients of several readers, weights saved, loaded and
 * resumed, ranges of rows, and what is refused. */
#include "core/engine/net.h"
#include "core/engine/random.h"
#include "tests/check.h"

#define COUNT(rows) ((int)(sizeof (rows) / sizeof *(rows)))

/* Two classifiers of 4 images on one layer; `aside` leads to no loss. */
static const rg_row rows[] = {
    INPUT("x", 4, 2, 6, 5),
    INPUT("labels", 4, 1, 1, 1),
    CONV("conv", "x", 2, 8, 3, RELU),
    MAXPOOL("pool", "conv"),
    CONV("aside", "pool", 8, 3, 1, LINEAR),
    FC("fc", "pool", 48, 16, RELU),
    DROPOUT("drop", "fc", 0.25f),
    FC("score", "drop", 16, 3, LINEAR),
    FC("other", "pool", 48, 3, LINEAR),
    SOFTMAX("prob", "score", 3),
    SOFTMAXLOSS("loss", "score", "labels", 3),
    SOFTMAXLOSS("loss2", "other", "labels", 3),
};
static const char *const params[] = { "conv", "conv.bias", "fc", "fc.bias", "score",
                                      "score.bias", "other", "other.bias", "aside" };
static const long sizes[] = { 144, 8, 768, 16, 48, 3, 144, 3, 24 };
enum { LARGEST = 960 };

static const rg_backend *const backends[] = { &rg_backend_ref, &rg_backend_cpu };
#define ON_BOTH(backend) \
    for (int b_ = 0; b_ < 2; b_++) \
        for (const rg_backend *backend = backends[b_]; backend; backend = NULL)

static const rg_optimizer adam = { .rule = RG_ADAM, .rate = 0.01f, .momentum = 0.9f,
                                   .beta2 = 0.999f, .epsilon = 1e-8f, .clip = 1 };

static rg_net *make(const rg_row *table, int nrows, const rg_backend *backend,
                    bool training, uint64_t seed)
{
    rg_net *net = NULL;
    rg_net_options options = { .training = training, .precision = RG_PRECISION_F32,
                               .seed = seed };
    CHECK_OK(rg_net_new(&net, table, nrows, backend, &options));
    if (net == NULL) exit(EXIT_FAILURE);
    return net;
}

static rg_net *make_usual(const rg_backend *backend, bool training, uint64_t seed)
{
    static const float labels[4] = { 0, 1, 2, 1 };
    float x[240];
    uint64_t state = 1;
    rg_net *net = make(rows, COUNT(rows), backend, training, seed);
    for (int i = 0; i < 240; i++) x[i] = (float)rg_random_normal(&state);
    CHECK_OK(rg_net_put(net, "x", x));
    CHECK_OK(rg_net_put(net, "labels", labels));
    return net;
}

static float losses(rg_net *net)
{
    float a = NAN, b = NAN;
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    CHECK_OK(rg_net_get(net, "loss", &a));
    CHECK_OK(rg_net_get(net, "loss2", &b));
    return a + b;
}

static void train(rg_net *net, int steps)
{
    for (int i = 0; i < steps; i++) {
        losses(net);
        CHECK_OK(rg_net_backward(net));
        CHECK_OK(rg_net_update(net, &adam, NULL));
    }
}

static bool same_params(const rg_net *a, const rg_net *b, rg_part part)
{
    float x[LARGEST], y[LARGEST];
    for (int i = 0; i < COUNT(params); i++) {
        CHECK_OK(rg_net_get_param(a, params[i], part, x));
        CHECK_OK(rg_net_get_param(b, params[i], part, y));
        if (memcmp(x, y, sizeof *x * (size_t)sizes[i]) != 0) return false;
    }
    return true;
}

static void seeds_make_weights(void)
{
    rg_net *ref = make_usual(&rg_backend_ref, true, 7);
    rg_net *cpu = make_usual(&rg_backend_cpu, true, 7);
    rg_net *other = make_usual(&rg_backend_ref, true, 8);
    CHECK(same_params(ref, cpu, RG_VALUE));
    CHECK(!same_params(ref, other, RG_VALUE));
    rg_net_free(ref);
    rg_net_free(cpu);
    rg_net_free(other);
}

static double deviation(const rg_net *net, const char *name, int count, float *largest)
{
    static float w[20000];
    double sum = 0, squares = 0;
    CHECK_OK(rg_net_get_param(net, name, RG_VALUE, w));
    *largest = 0;
    for (int i = 0; i < count; i++) {
        sum += w[i];
        squares += (double)w[i] * w[i];
        *largest = fmaxf(*largest, fabsf(w[i]));
    }
    CHECK_NEAR(sum / count / sqrt(squares / count), 0, 0.03);
    return sqrt(squares / count);
}

/* A normal cut at two standard deviations keeps 0.8796 of its own. */
static void weights_start_as_the_rows_say(void)
{
    static const rg_row wide[] = {
        INPUT("x", 1, 200, 1, 1),
        FC("he", "x", 200, 100, RELU),
        FC_STD("narrow", "he", 100, 200, LINEAR, 0.01f),
    };
    float largest, bias[100];
    rg_net *net = make(wide, COUNT(wide), &rg_backend_ref, false, 1);
    CHECK_NEAR(deviation(net, "he", 20000, &largest), 0.1 * 0.8796, 0.002);
    CHECK(largest <= 0.2f && largest > 0.19f);
    CHECK_NEAR(deviation(net, "narrow", 20000, &largest), 0.01 * 0.8796, 0.0002);
    CHECK(largest <= 0.02f && largest > 0.019f);
    CHECK_OK(rg_net_get_param(net, "he.bias", RG_VALUE, bias));
    for (int i = 0; i < 100; i++) CHECK(bias[i] == 0);
    rg_net_free(net);
}

static double clamped(double d)
{
    return d < -1 ? -1 : d > 1 ? 1 : d;
}

/* Three readers of x: x / 2, -x / 4 and a loss; smooth-L1's slope is clamped(). */
static void gradients_of_all_readers_are_added(void)
{
    static const rg_row fork[] = {
        INPUT("data", 1, 1, 2, 4), INPUT("t", 1, 1, 2, 4), INPUT("w", 1, 1, 2, 4),
        CONV("x", "data", 1, 1, 1, LINEAR), CONV("a", "x", 1, 1, 1, LINEAR),
        CONV("b", "x", 1, 1, 1, LINEAR), SMOOTHL1("loss_a", "a", "t", "w", 1),
        SMOOTHL1("loss_b", "b", "t", "w", 1), SMOOTHL1("loss_x", "x", "t", "w", 1),
    };
    const float x[8] = { 1, -2, 3, -4, 5, -6, 7, 0.1f }, zeros[8] = { 0 };
    const float ones[8] = { 1, 1, 1, 1, 1, 1, 1, 1 }, a = 0.5f, b = -0.25f;
    ON_BOTH(backend) {
        float got[8];
        rg_net *net = make(fork, COUNT(fork), backend, true, 1);
        CHECK_OK(rg_net_put(net, "data", x));
        CHECK_OK(rg_net_put(net, "t", zeros));
        CHECK_OK(rg_net_put(net, "w", ones));
        CHECK_OK(rg_net_put_param(net, "x", RG_VALUE, ones));
        CHECK_OK(rg_net_put_param(net, "a", RG_VALUE, &a));
        CHECK_OK(rg_net_put_param(net, "b", RG_VALUE, &b));
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        CHECK_OK(rg_net_backward(net));
        CHECK_OK(rg_net_get_gradient(net, "x", got));
        for (int i = 0; i < 8; i++)
            CHECK_NEAR(got[i], a * clamped(a * x[i]) + b * clamped(b * x[i])
                               + clamped(x[i]), 1e-6);
        rg_net_free(net);
    }
}

static void rows_without_a_loss_learn_nothing(void)
{
    ON_BOTH(backend) {
        float gradient[24];
        rg_net *net = make_usual(backend, true, 1);
        train(net, 1);
        CHECK_OK(rg_net_get_param(net, "aside", RG_GRADIENT, gradient));
        for (int i = 0; i < 24; i++) CHECK(gradient[i] == 0);
        CHECK_FAILS(rg_net_get_gradient(net, "aside", gradient), "no gradient");
        rg_net_free(net);
    }
}

static void training_learns(void)
{
    ON_BOTH(backend) {
        rg_net *net = make_usual(backend, true, 1);
        float before = losses(net);
        train(net, 60);
        CHECK(before > 1 && losses(net) < 0.2f * before);
        CHECK(rg_net_step(net) == 60);
        rg_net_free(net);
    }
}

static void saved_weights_load_again(void)
{
    ON_BOTH(backend) {
        float a[12], b[12];
        rg_weights *weights = NULL;
        rg_net *net = make_usual(backend, true, 1);
        rg_net *twin = make_usual(backend, false, 2);
        train(net, 2);
        CHECK_OK(rg_weights_new(&weights));
        CHECK_OK(rg_net_save(net, weights, false));
        CHECK(rg_weights_count(weights) == 10);
        CHECK(!same_params(net, twin, RG_VALUE));
        CHECK_OK(rg_net_forward(twin, NULL, NULL));    /* so old weights are packed */
        CHECK_OK(rg_net_load(twin, weights));
        CHECK(same_params(net, twin, RG_VALUE));
        losses(net);
        losses(twin);
        CHECK_OK(rg_net_get(net, "other", a));
        CHECK_OK(rg_net_get(twin, "other", b));
        for (int i = 0; i < 12; i++) CHECK_NEAR(a[i], b[i], 1e-5);
        rg_weights_free(weights);
        rg_net_free(net);
        rg_net_free(twin);
    }
}

static void a_resumed_training_is_the_same_to_the_bit(void)
{
    ON_BOTH(backend) {
        rg_weights *weights = NULL;
        rg_net *whole = make_usual(backend, true, 1);
        rg_net *half = make_usual(backend, true, 1);
        rg_net *rest = make_usual(backend, true, 1);
        train(whole, 6);
        train(half, 3);
        CHECK_OK(rg_weights_new(&weights));
        CHECK_OK(rg_net_save(half, weights, true));
        CHECK_OK(rg_net_load(rest, weights));
        rg_net_set_step(rest, rg_net_step(half));
        train(rest, 3);
        CHECK(same_params(whole, rest, RG_VALUE));
        CHECK(same_params(whole, rest, RG_MOMENT1));
        CHECK(same_params(whole, rest, RG_MOMENT2));
        CHECK(!same_params(whole, half, RG_VALUE));
        rg_weights_free(weights);
        rg_net_free(whole);
        rg_net_free(half);
        rg_net_free(rest);
    }
}

static void wrong_weights_are_refused(void)
{
    rg_weights *weights = NULL;
    rg_net *net = make_usual(&rg_backend_ref, false, 1);
    CHECK_OK(rg_weights_new(&weights));
    CHECK_FAILS(rg_net_load(net, weights), "conv");
    CHECK_OK(rg_net_save(net, weights, false));
    CHECK(rg_weights_add(weights, "fc", (rg_shape){ 16, 47, 1, 1 }, NULL) != NULL);
    CHECK_FAILS(rg_net_load(net, weights), "[16, 47, 1, 1]");
    CHECK_FAILS(rg_net_save(net, weights, true), "not made for training");
    rg_weights_free(weights);
    rg_net_free(net);
}

/* The norm that update reports is that of all gradients. */
static void update_reports_the_norm(void)
{
    ON_BOTH(backend) {
        double squares = 0;
        float g[LARGEST], norm = 0;
        rg_net *net = make_usual(backend, true, 1);
        losses(net);
        CHECK_OK(rg_net_backward(net));
        for (int i = 0; i < COUNT(params); i++) {
            CHECK_OK(rg_net_get_param(net, params[i], RG_GRADIENT, g));
            for (long k = 0; k < sizes[i]; k++) squares += (double)g[k] * g[k];
        }
        CHECK_OK(rg_net_update(net, &adam, &norm));
        CHECK(squares > 0);
        CHECK_NEAR(norm, sqrt(squares), 1e-5 * norm);
        rg_net_free(net);
    }
}

static void a_gradient_without_a_norm_changes_nothing(void)
{
    ON_BOTH(backend) {
        float x[240];
        rg_net *net = make_usual(backend, true, 1);
        rg_net *before = make_usual(backend, true, 1);
        for (int i = 0; i < 240; i++) x[i] = NAN;
        CHECK_OK(rg_net_put(net, "x", x));
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        CHECK_OK(rg_net_backward(net));
        CHECK_FAILS(rg_net_update(net, &adam, NULL), "no step was made");
        CHECK(rg_net_step(net) == 0 && same_params(net, before, RG_VALUE));
        CHECK(same_params(net, before, RG_MOMENT1));
        rg_net_free(net);
        rg_net_free(before);
    }
}

static int dropped(rg_net *net, const char *name, bool *zero)
{
    float x[64];
    int count = 0;
    CHECK_OK(rg_net_get(net, name, x));
    for (int i = 0; i < 64; i++) count += zero[i] = x[i] == 0;
    return count;
}

static void dropout_is_new_at_each_step_and_row(void)
{
    static const rg_row drops[] = {
        INPUT("x", 1, 64, 1, 1), DROPOUT("a", "x", 0.5f), DROPOUT("b", "x", 0.5f),
    };
    ON_BOTH(backend) {
        float x[64];
        bool a[64], b[64], again[64];
        for (int i = 0; i < 64; i++) x[i] = 1;
        rg_net *net = make(drops, COUNT(drops), backend, true, 1);
        CHECK_OK(rg_net_put(net, "x", x));
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        CHECK(abs(dropped(net, "a", a) - 32) < 20);
        CHECK(abs(dropped(net, "b", b) - 32) < 20);
        CHECK(memcmp(a, b, sizeof a) != 0);
        CHECK_OK(rg_net_forward(net, "a", "a"));
        dropped(net, "a", again);
        CHECK(memcmp(a, again, sizeof a) == 0);
        rg_net_set_step(net, 1);
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        dropped(net, "a", again);
        CHECK(memcmp(a, again, sizeof a) != 0);
        rg_net_free(net);
        net = make(drops, COUNT(drops), backend, false, 1);
        CHECK_OK(rg_net_put(net, "x", x));
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        CHECK(dropped(net, "a", a) == 0);
        rg_net_free(net);
    }
}

static void ranges_of_rows_make_the_whole(void)
{
    ON_BOTH(backend) {
        float whole[12], parts[12], zero[240] = { 0 };
        rg_net *net = make_usual(backend, false, 1);
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        CHECK_OK(rg_net_get(net, "prob", whole));
        rg_net_free(net);
        net = make_usual(backend, false, 1);
        CHECK_OK(rg_net_forward(net, NULL, "conv"));
        CHECK_OK(rg_net_put(net, "x", zero));              /* no longer read */
        CHECK_OK(rg_net_forward(net, "pool", "drop"));
        CHECK_OK(rg_net_forward(net, "score", NULL));
        CHECK_OK(rg_net_get(net, "prob", parts));
        CHECK(memcmp(whole, parts, sizeof whole) == 0);
        rg_net_free(net);
    }
}

static void what_is_put_comes_back(void)
{
    ON_BOTH(backend) {
        float x[240], y[240];
        rg_shape shape;
        rg_net *net = make_usual(backend, false, 1);
        for (int i = 0; i < 240; i++) x[i] = (float)i / 7;
        CHECK_OK(rg_net_put(net, "x", x));
        CHECK_OK(rg_net_get(net, "x", y));
        CHECK(memcmp(x, y, sizeof x) == 0);
        CHECK_OK(rg_net_put_param(net, "other", RG_VALUE, x));
        CHECK_OK(rg_net_get_param(net, "other", RG_VALUE, y));
        CHECK(memcmp(x, y, 144 * sizeof *x) == 0);
        CHECK_OK(rg_net_shape(net, "pool", &shape));
        CHECK(shape.n == 4 && shape.c == 8 && shape.h == 3 && shape.w == 2);
        CHECK(rg_net_precision(net) == RG_PRECISION_F32);
        rg_net_free(net);
    }
}

static void unknown_names_are_refused(void)
{
    ON_BOTH(backend) {
        float x[LARGEST] = { 0 };
        rg_shape shape;
        rg_net *net = make_usual(backend, false, 1);
        CHECK_FAILS(rg_net_put(net, "y", x), "\"y\"");
        CHECK_FAILS(rg_net_get(net, "y", x), "\"y\"");
        CHECK_FAILS(rg_net_shape(net, "y", &shape), "\"y\"");
        CHECK_FAILS(rg_net_get_gradient(net, "conv", x), "conv has no gradient");
        CHECK_FAILS(rg_net_forward(net, NULL, "y"), "\"y\"");
        CHECK_FAILS(rg_net_forward(net, "y", NULL), "\"y\"");
        CHECK_FAILS(rg_net_put_param(net, "pool", RG_VALUE, x), "pool");
        CHECK_FAILS(rg_net_get_param(net, "pool", RG_VALUE, x), "pool");
        CHECK_FAILS(rg_net_get_param(net, "conv", RG_MOMENT1, x), "conv");
        rg_net_free(net);
    }
    rg_net_free(NULL);
}

static void bad_tables_are_refused(void)
{
    static char name[80];
    memset(name, 'n', 70);
    const rg_row wrong[] = { INPUT("x", 1, 3, 5, 5), CONV("y", "x", 4, 2, 3, RELU) };
    const rg_row lengthy[] = { INPUT("x", 1, 3, 5, 5), CONV(name, "x", 3, 2, 3, RELU) };
    rg_net_options f32 = { .precision = RG_PRECISION_F32, .training = true };
    rg_net_options bf16 = { .precision = RG_PRECISION_BF16 };
    rg_net_options f16 = { .precision = RG_PRECISION_F16 };
    rg_net_options tf32 = { .precision = RG_PRECISION_TF32 };
    ON_BOTH(backend) {
        rg_net *net = NULL;
        CHECK_FAILS(rg_net_new(&net, wrong, 2, backend, &f32), "row y (CONV)");
        CHECK_FAILS(rg_net_new(&net, lengthy, 2, backend, &f32), "longer");
        CHECK_FAILS(rg_net_new(&net, rows, COUNT(rows), backend, &f16), "no f16");
        CHECK_FAILS(rg_net_new(&net, rows, COUNT(rows), backend, &tf32), "a card");
        CHECK(net == NULL);
    }
    rg_net *net = NULL;
    CHECK_FAILS(rg_net_new(&net, rows, COUNT(rows), &rg_backend_ref, &bf16), "no bf16");
}

static void a_name_used_twice_is_refused(void)
{
    const rg_row twice[] = { INPUT("x", 1, 3, 5, 5), CONV("y", "x", 3, 3, 3, RELU),
                             CONV("y", "y", 3, 3, 3, RELU) };
    rg_net_options options = { .precision = RG_PRECISION_F32 };
    rg_net *net = NULL;
    CHECK_FAILS(rg_net_new(&net, twice, 3, &rg_backend_ref, &options), "y");
    rg_net_free(net);
}

static void backends_are_found_by_name(void)
{
    const rg_backend *backend = NULL;
    rg_precision precision;
    CHECK_OK(rg_backend_find("ref", &backend));
    CHECK(backend == &rg_backend_ref);
    setenv("CLARAN_GPU", "none", 1);
    CHECK_OK(rg_backend_find("auto", &backend));
    CHECK(backend == &rg_backend_cpu);
    CHECK_FAILS(rg_backend_find("gpu9", &backend), "use auto, gpu, cpu or ref");
    CHECK_OK(rg_backend_precision("bf16", &precision));
    CHECK(precision == RG_PRECISION_BF16);
    CHECK(strcmp(rg_backend_precision_name(precision), "bf16") == 0);
    CHECK_OK(rg_backend_precision("tf32", &precision));
    CHECK(precision == RG_PRECISION_TF32);
    CHECK_OK(rg_backend_precision("f16", &precision));
    CHECK(precision == RG_PRECISION_F16);
    CHECK_FAILS(rg_backend_precision("f64", &precision), 
                "auto, f32, tf32, bf16 or f16");
}

/* Statistics of batches are tracked in training, saved with the weights, used in
 * inference, and not moved by the optimizer. */
static void statistics_are_kept_with_the_weights(void)
{
    const rg_row table[] = {
        INPUT("x", 4, 2, 3, 2), BATCHNORM("norm", "x", 2, LINEAR),
        INPUT("labels", 4, 1, 3, 2), SOFTMAXLOSS("loss", "norm", "labels", 2) };
    const rg_optimizer how = { .rule = RG_SGD, .rate = 0.1f, .decay = 0.5f };
    float x[48], labels[24] = { 0 }, y[48], z[48], mean[2], was[2];
    uint64_t state = 3;
    for (int i = 0; i < 48; i++) x[i] = 5 + (float)rg_random_normal(&state);
    ON_BOTH(backend) {
        rg_weights *weights;
        rg_net *net = make(table, 4, backend, true, 1);
        CHECK_OK(rg_net_put(net, "x", x));
        CHECK_OK(rg_net_put(net, "labels", labels));
        for (int i = 0; i < 200; i++) CHECK_OK(rg_net_forward(net, NULL, NULL));
        CHECK_OK(rg_net_get(net, "norm", y));
        CHECK_OK(rg_net_get_param(net, "norm.mean", RG_VALUE, was));
        CHECK_OK(rg_weights_new(&weights));
        CHECK_OK(rg_net_save(net, weights, true));
        CHECK(rg_weights_find(weights, "norm.variance") != NULL);
        CHECK(rg_weights_find(weights, "norm.mean.moment1") == NULL);
        CHECK_OK(rg_net_backward(net));
        CHECK_OK(rg_net_update(net, &how, NULL));
        CHECK_OK(rg_net_get_param(net, "norm.mean", RG_VALUE, mean));
        CHECK(mean[0] == was[0] && mean[1] == was[1] && mean[0] > 4);
        rg_net_free(net);
        net = make(table, 4, backend, false, 2);
        CHECK_OK(rg_net_load(net, weights));
        CHECK_OK(rg_net_put(net, "x", x));
        CHECK_OK(rg_net_forward(net, NULL, "norm"));
        CHECK_OK(rg_net_get(net, "norm", z));
        for (int i = 0; i < 48; i++) CHECK_NEAR(z[i], y[i], 0.1);   /* unbiased */
        rg_net_free(net);
        rg_weights_free(weights);
    }
}

/* Rows that use the weights of another learn and move together. */
static void shared_weights_are_one(void)
{
    const rg_row table[] = {
        INPUT("x", 2, 3, 4, 4), CONV("a", "x", 3, 3, 1, LINEAR),
        CONV_AS("b", "x", 3, 3, 1, LINEAR, .weights = "a"),
        INPUT("labels", 2, 1, 4, 4), SOFTMAXLOSS("loss", "a", "labels", 3),
        SOFTMAXLOSS("loss2", "b", "labels", 3) };
    float x[96], labels[32] = { 0 }, one[9], both[9], y[96], z[96];
    uint64_t state = 3;
    for (int i = 0; i < 96; i++) x[i] = (float)rg_random_normal(&state);
    ON_BOTH(backend) {
        rg_net *net = make(table, 5, backend, true, 1);
        rg_net *pair = make(table, 6, backend, true, 1);
        CHECK_OK(rg_net_put(net, "x", x));
        CHECK_OK(rg_net_put(pair, "x", x));
        CHECK_OK(rg_net_put(net, "labels", labels));
        CHECK_OK(rg_net_put(pair, "labels", labels));
        train(pair, 2);
        for (int i = 0; i < 2; i++) {   /* the second must not add to the first */
            CHECK_OK(rg_net_forward(pair, NULL, NULL));
            CHECK_OK(rg_net_backward(pair));
        }
        CHECK_OK(rg_net_get_param(pair, "a", RG_VALUE, one));
        CHECK_OK(rg_net_put_param(net, "a", RG_VALUE, one));
        CHECK_OK(rg_net_get_param(pair, "a.bias", RG_VALUE, one));
        CHECK_OK(rg_net_put_param(net, "a.bias", RG_VALUE, one));
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        CHECK_OK(rg_net_backward(net));
        CHECK_OK(rg_net_get_param(net, "a", RG_GRADIENT, one));
        CHECK_OK(rg_net_get_param(pair, "a", RG_GRADIENT, both));
        for (int i = 0; i < 9; i++) CHECK_NEAR(both[i], 2 * one[i], 1e-5);
        CHECK_OK(rg_net_get(pair, "a", y));
        CHECK_OK(rg_net_get(pair, "b", z));
        CHECK(memcmp(y, z, sizeof y) == 0);
        CHECK_FAILS(rg_net_get_param(pair, "b", RG_VALUE, one), "no weights called b");
        rg_net_free(net);
        rg_net_free(pair);
    }
}

static rg_net *make_with(const rg_backend *backend, const rg_net_factor *factors, int n)
{
    static const float labels[4] = { 0, 1, 2, 1 };
    float x[240];
    uint64_t state = 1;
    rg_net *net = NULL;
    rg_net_options options = { .training = true, .precision = RG_PRECISION_F32,
                               .seed = 7, .factors = factors, .nfactors = n };
    CHECK_OK(rg_net_new(&net, rows, COUNT(rows), backend, &options));
    if (net == NULL) exit(EXIT_FAILURE);
    for (int i = 0; i < 240; i++) x[i] = (float)rg_random_normal(&state);
    CHECK_OK(rg_net_put(net, "x", x));
    CHECK_OK(rg_net_put(net, "labels", labels));
    return net;
}

static bool same_param(const rg_net *a, const rg_net *b, int i, rg_part part)
{
    float x[LARGEST], y[LARGEST];
    CHECK_OK(rg_net_get_param(a, params[i], part, x));
    CHECK_OK(rg_net_get_param(b, params[i], part, y));
    return memcmp(x, y, sizeof *x * (size_t)sizes[i]) == 0;
}

/* Below and between trained rows; the gradients of the trained ones are the same. */
static void frozen_rows_stay_and_the_others_learn_as_ever(void)
{
    static const char *const freezes[] = { "..conv", "fc", "conv*" };
    ON_BOTH(backend) for (int f = 0; f < 3; f++) {
        const rg_net_factor freeze = { freezes[f], 0 };
        const char *frozen = f == 1 ? "fc" : "conv";
        rg_net *net = make_with(backend, &freeze, 1), *whole = make_with(backend, 0, 0);
        rg_net *first = make_with(backend, NULL, 0);
        train(net, 1);
        train(whole, 1);
        for (int i = 0; i < COUNT(params) - 1; i++) {   /* aside gets no gradient */
            bool stays = strncmp(params[i], frozen, strlen(frozen)) == 0;
            CHECK(same_param(net, first, i, RG_VALUE) == stays);
            if (!stays) CHECK(same_param(net, whole, i, RG_GRADIENT));
        }
        float gradient;
        if (f != 1) CHECK_FAILS(rg_net_get_gradient(net, "conv", &gradient), "conv");
        train(net, 3);
        CHECK(same_param(net, first, f == 1 ? 2 : 0, RG_VALUE));
        rg_net_free(net);
        rg_net_free(whole);
        rg_net_free(first);
    }
}

/* SGD's first step is rate times factor times gradient; fitting factors multiply. */
static void factors_multiply_the_rate(void)
{
    const rg_net_factor factors[] = { { "*.bias", 2 }, { "f?", 0.5f }, { "conv", 3 } };
    const float wanted[] = { 3, 6, 0.5f, 1, 1, 2, 1, 2 };
    const rg_optimizer sgd = { .rule = RG_SGD, .rate = 0.1f };
    ON_BOTH(backend) {
        rg_net *net = make_with(backend, factors, 3), *was = make_with(backend, 0, 0);
        losses(net);
        CHECK_OK(rg_net_backward(net));
        CHECK_OK(rg_net_update(net, &sgd, NULL));
        for (int i = 0; i < 8; i++) {
            float g[LARGEST], a[LARGEST], b[LARGEST];
            CHECK_OK(rg_net_get_param(net, params[i], RG_GRADIENT, g));
            CHECK_OK(rg_net_get_param(net, params[i], RG_VALUE, b));
            CHECK_OK(rg_net_get_param(was, params[i], RG_VALUE, a));
            for (int k = 0; k < sizes[i]; k++)
                CHECK_NEAR(a[k] - b[k], 0.1 * wanted[i] * g[k], 1e-6);
        }
        rg_net_free(net);
        rg_net_free(was);
    }
}

static void bad_factors_are_sentences(void)
{
    static const struct { rg_net_factor factor; const char *words; } bad[] = {
        { { "conv9", 0 }, "\"conv9\" fits no row" },
        { { "pool", 0 }, "\"pool\" fits no row" },
        { { "..conv9", 0 }, "\"..conv9\" fits no row" },
        { { "*", 0 }, "every row is frozen" },
        { { "conv", -1 }, "multiplied by -1" },
        { { "conv", NAN }, "multiplied by nan" },
    };
    for (int i = 0; i < COUNT(bad); i++) {
        rg_net *net = NULL;
        rg_net_options options = { .training = true, .factors = &bad[i].factor,
                                   .nfactors = 1 };
        CHECK_FAILS(rg_net_new(&net, rows, COUNT(rows), &rg_backend_ref, &options),
                    bad[i].words);
    }
}

int main(void)
{
    CHECK_RUN(frozen_rows_stay_and_the_others_learn_as_ever);
    CHECK_RUN(factors_multiply_the_rate);
    CHECK_RUN(bad_factors_are_sentences);
    CHECK_RUN(seeds_make_weights);
    CHECK_RUN(weights_start_as_the_rows_say);
    CHECK_RUN(gradients_of_all_readers_are_added);
    CHECK_RUN(rows_without_a_loss_learn_nothing);
    CHECK_RUN(training_learns);
    CHECK_RUN(saved_weights_load_again);
    CHECK_RUN(a_resumed_training_is_the_same_to_the_bit);
    CHECK_RUN(wrong_weights_are_refused);
    CHECK_RUN(update_reports_the_norm);
    CHECK_RUN(a_gradient_without_a_norm_changes_nothing);
    CHECK_RUN(dropout_is_new_at_each_step_and_row);
    CHECK_RUN(ranges_of_rows_make_the_whole);
    CHECK_RUN(what_is_put_comes_back);
    CHECK_RUN(unknown_names_are_refused);
    CHECK_RUN(bad_tables_are_refused);
    CHECK_RUN(a_name_used_twice_is_refused);
    CHECK_RUN(statistics_are_kept_with_the_weights);
    CHECK_RUN(shared_weights_are_one);
    CHECK_RUN(backends_are_found_by_name);
    return CHECK_END();
}

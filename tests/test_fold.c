/* SPDX-License-Identifier: MIT */
/* A folded table makes what the table it was made from makes. */
#include "core/engine/fold.h"
#include "core/engine/net.h"
#include "core/engine/random.h"
#include "tests/check.h"

#define COUNT(rows) ((int)(sizeof (rows) / sizeof *(rows)))
enum { VALUES = 2 * 8 * 5 * 7 };

static const rg_row table[] = {
    INPUT("x", 2, 3, 9, 13),
    CONV_AS("conv1", "x", 3, 8, 3, LINEAR, .stride = 2, .bare = true),
    BATCHNORM("norm1", "conv1", 8, RELU),
    CONV("conv2", "norm1", 8, 8, 3, LINEAR),
    BATCHNORM("norm2", "conv2", 8, LINEAR),
    ADD("y", "norm2", "norm1", RELU),
    CONV("twice", "y", 8, 8, 1, LINEAR),
    BATCHNORM("norm3", "twice", 8, LINEAR),
    ADD("z", "norm3", "twice", LINEAR),       /* twice has another reader: stays */
};

/* Weights of no network in particular. */
static rg_weights *make_weights(void)
{
    static const char *const tails[] = { "", ".bias", ".mean", ".variance" };
    rg_weights *weights = NULL;
    uint64_t state = 4;
    CHECK_OK(rg_weights_new(&weights));
    for (int i = 0; i < COUNT(table); i++)
        for (int k = 0; k < (table[i].word == RG_BATCHNORM ? 4 : 2); k++) {
            rg_shape shape, bias;
            char name[80];
            rg_layer_weights(&table[i], &shape, &bias);
            if (k) shape = bias;
            if (shape.n == 0) continue;
            snprintf(name, sizeof name, "%s%s", table[i].name, tails[k]);
            rg_weight *w = rg_weights_add(weights, name, shape, NULL);
            for (long j = 0; j < rg_layer_count(shape); j++) {
                double u = rg_random_uniform(&state);
                w->data[j] = (float)(k == 3 ? u + 0.1 : 2 * u - 1);
            }
        }
    return weights;
}

static void run(const rg_row *rows, int nrows, const rg_weights *weights, float *out)
{
    rg_net *net = NULL;
    rg_net_options how = { .precision = RG_PRECISION_F32, .blank = true };
    float x[702];
    uint64_t state = 9;
    for (int i = 0; i < COUNT(x); i++) x[i] = (float)rg_random_normal(&state);
    CHECK_OK(rg_net_new(&net, rows, nrows, &rg_backend_ref, &how));
    if (net == NULL) return;
    CHECK_OK(rg_net_load(net, weights));
    CHECK_OK(rg_net_put(net, "x", x));
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    CHECK_OK(rg_net_get(net, "z", out));
    rg_net_free(net);
}

static void folded_tables_make_the_same(void)
{
    static float before[VALUES], after[VALUES];
    rg_row rows[COUNT(table)];
    rg_weights *weights = make_weights();
    double largest = 0;
    memcpy(rows, table, sizeof table);
    run(table, COUNT(table), weights, before);
    CHECK(rg_fold(rows, COUNT(table), weights) == COUNT(table) - 2);
    CHECK(strcmp(rows[2].name, "conv2") == 0 && strcmp(rows[2].in[0], "conv1") == 0);
    CHECK(rows[1].activation == RG_RELU && rows[2].activation == RG_LINEAR);
    CHECK(strcmp(rows[3].in[0], "conv2") == 0 && strcmp(rows[3].in[1], "conv1") == 0);
    CHECK(rows[5].word == RG_BATCHNORM);
    run(rows, COUNT(table) - 2, weights, after);
    for (int i = 0; i < VALUES; i++) largest = fmax(largest, fabsf(before[i]));
    for (int i = 0; i < VALUES; i++) CHECK_NEAR(after[i], before[i], 1e-5 * largest);
    CHECK(largest > 1);
    rg_weights_free(weights);
}

static void shared_weights_stay(void)
{
    rg_row rows[] = {
        INPUT("x", 1, 3, 5, 5), CONV("a", "x", 3, 3, 1, LINEAR),
        BATCHNORM("n", "a", 3, LINEAR),
        CONV_AS("b", "n", 3, 3, 1, LINEAR, .weights = "a"),
        BATCHNORM("m", "b", 3, LINEAR),
    };
    rg_weights *weights = make_weights();
    CHECK(rg_fold(rows, COUNT(rows), weights) == COUNT(rows));
    rg_weights_free(weights);
}

static void missing_weights_are_named(void)
{
    rg_row rows[COUNT(table)];
    rg_weights *weights = make_weights();
    memcpy(rows, table, sizeof table);
    CHECK(rg_weights_add(weights, "norm2.variance", (rg_shape){ 1, 7, 1, 1 }, NULL));
    CHECK_FAILS(rg_fold(rows, COUNT(table), weights) < 0 ? -1 : 0, "norm2.variance");
    rg_weights_free(weights);
}

int main(void)
{
    CHECK_RUN(folded_tables_make_the_same);
    CHECK_RUN(shared_weights_stay);
    CHECK_RUN(missing_weights_are_named);
    return CHECK_END();
}

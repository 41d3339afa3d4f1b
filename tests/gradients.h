/* SPDX-License-Identifier: MIT */
/* gradients: every word's backward against finite differences, through the net.
 *
 *     int main(void) { gradients_run(&rg_backend_ref); return CHECK_END(); }
 *
 * An objective that is linear in what a word makes is had by a smooth-L1 "push" far
 * from its target: its gradient is exactly the push's weights, and the objective can be
 * summed here in double.  Inputs with a dot in their name are given; all other inputs,
 * and all weights, are moved and compared.
 */
#ifndef RG_GRADIENTS_H
#define RG_GRADIENTS_H

#include "core/engine/net.h"
#include "core/engine/random.h"
#include "tests/check.h"

#define PUSH(name, from, n, c, h, w) \
    INPUT(name ".target", n, c, h, w), INPUT(name ".weights", n, c, h, w), \
    SMOOTHL1(name, from, name ".target", name ".weights", 1)

static const rg_backend *probed;

enum { LARGEST = 4096, MOVED_AT_MOST = 24 };

/* A table and how it is probed; `kinks`: an element whose two one-sided slopes differ
 * stands at a kink and is left out, a quarter of them at most. */
typedef struct table {
    const char *name;
    const rg_row *rows;
    int nrows;
    double step, tolerance;       /* the latter of the largest gradient */
    bool kinks;
} table;

static bool is_push(const rg_row *row)
{
    return row->word == RG_SMOOTHL1 && strncmp(row->name, "push", 4) == 0;
}

static bool ends(const char *name, const char *tail)
{
    size_t n = strlen(name), m = strlen(tail);
    return n >= m && strcmp(name + n - m, tail) == 0;
}

/* Features of 6 x 7 cells of 16 pixels, 2 images. */
static const float rois[25] = { 0, 5, 9, 61, 70,  1, 20, 3, 99, 90,  1, 33, 41, 40, 48,
                                0, -30, 25, 45, 130,  1, 50, 50, 81, 77 };

/* Of 48 deltas an image, 100 pixels: two plain ones, one as it is, two over the rim. */
static const float picks[35] = { 0, 10, 12, 41, 50, 3, 6,   1, 20, 13, 60, 40, 25, 6,
                                 1, 5, 5, 29, 39, -1, 0,    0, -10, 20, 30, 40, 5, 6,
                                 1, 40, 40, 90, 99, 24, 6 };

static void fill(const char *name, long count, float *x, uint64_t *state)
{
    for (long i = 0; i < count; i++) {
        float u = (float)(2 * rg_random_uniform(state) - 1);
        x[i] = ends(name, ".target") ? -1000 : ends(name, "rois") ? rois[i % 25]
             : ends(name, ".picks") ? picks[i % 35]
             : ends(name, ".labels") ? (float)(int)(2.5f + 1.5f * u) - 1
             : ends(name, ".variance") ? u * u + 0.5f
             : ends(name, ".bias") ? u + copysignf(1, u)   /* few ReLUs near a kink */
             : ends(name, ".aim") ? roundf(15 * u) / 10 + 0.05f   /* never at an edge */
             : strcmp(name, "grid") == 0 ? roundf(10 * u) / 10 : u;
    }
}

static double objective(rg_net *net, const table *t)
{
    static float y[LARGEST], weights[LARGEST];
    double sum = 0;
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    for (int i = 0; i < t->nrows; i++) {
        const rg_row *row = &t->rows[i];
        rg_shape shape;
        if (row->word != RG_SMOOTHL1 && row->word != RG_SOFTMAXLOSS) continue;
        CHECK_OK(rg_net_get(net, is_push(row) ? row->in[0] : row->name, y));
        if (is_push(row)) {
            CHECK_OK(rg_net_shape(net, row->in[0], &shape));
            CHECK_OK(rg_net_get(net, row->in[2], weights));
            for (long k = 0; k < rg_layer_count(shape); k++)
                sum += (double)weights[k] * y[k];
        } else {
            sum += y[0];
        }
    }
    return sum;
}

/* What is moved: an input or a parameter. */
typedef struct probe { const char *name; bool param; long count; } probe;

static int put(rg_net *net, const probe *p, const float *x)
{
    return p->param ? rg_net_put_param(net, p->name, RG_VALUE, x)
                   : rg_net_put(net, p->name, x);
}

static double moved(rg_net *net, const table *t, const probe *p, float *x, long i,
                    double by)
{
    float was = x[i];
    x[i] = (float)(was + by);
    CHECK_OK(put(net, p, x));
    x[i] = was;
    return objective(net, t);
}

static double largest(const float *x, long count)
{
    double most = 1e-6;
    for (long i = 0; i < count; i++) if (!(fabsf(x[i]) <= most)) most = fabsf(x[i]);
    return most;
}

static void compare(rg_net *net, const table *t, const probe *p, float *x,
                    const float *gradient)
{
    double here = objective(net, t);
    double tolerance = t->tolerance * largest(gradient, p->count);
    long stride = p->count / MOVED_AT_MOST + 1, skipped = 0, tried = 0;
    for (long i = 0; i < p->count; i += stride, tried++) {
        if (ends(p->name, "rois") && i % 5 == 0) {         /* the image index */
            CHECK(gradient[i] == 0);
            continue;
        }
        double up = (moved(net, t, p, x, i, t->step) - here) / t->step;
        double down = (here - moved(net, t, p, x, i, -t->step)) / t->step;
        if (t->kinks && !(fabs(up - down) <= 2 * tolerance)) skipped++;
        else CHECK_NEAR(gradient[i], (up + down) / 2, tolerance);
    }
    CHECK(4 * skipped <= tried);
    if (check_failed_) printf("... in %s, moving %s\n", t->name, p->name);
    CHECK_OK(put(net, p, x));
}

static void probe_input(rg_net *net, const table *t, const rg_row *row)
{
    static float x[LARGEST], gradient[LARGEST];
    probe p = { row->name, false, rg_layer_count(row->shape) };
    CHECK_OK(rg_net_get(net, row->name, x));
    CHECK_OK(rg_net_get_gradient(net, row->name, gradient));
    compare(net, t, &p, x, gradient);
}

static void probe_param(rg_net *net, const table *t, const char *name, long count)
{
    static float x[LARGEST], gradient[LARGEST];
    probe p = { name, true, count };
    CHECK_OK(rg_net_get_param(net, name, RG_VALUE, x));
    CHECK_OK(rg_net_get_param(net, name, RG_GRADIENT, gradient));
    compare(net, t, &p, x, gradient);
}

static void probe_row(rg_net *net, const table *t, const rg_row *row)
{
    rg_shape weight, bias;
    char name[80];
    rg_layer_weights(row, &weight, &bias);
    if (row->word == RG_INPUT && strchr(row->name, '.') == NULL)
        probe_input(net, t, row);
    if (weight.n == 0) return;
    probe_param(net, t, row->name, rg_layer_count(weight));
    snprintf(name, sizeof name, "%s.bias", row->name);
    if (bias.n) probe_param(net, t, name, rg_layer_count(bias));
}

/* A normalisation that is not the identity. */
static void start_batchnorm(rg_net *net, const rg_row *row, uint64_t *state)
{
    static const char *const tails[] = { "", ".mean", ".variance" };
    for (int k = 0; k < 3; k++) {
        float x[64];
        char name[80];
        snprintf(name, sizeof name, "%s%s", row->name, tails[k]);
        fill(k ? name : "weight.bias", row->outputs, x, state);
        CHECK_OK(rg_net_put_param(net, name, RG_VALUE, x));
    }
}

static void start(rg_net *net, const table *t)
{
    static float x[LARGEST];
    uint64_t state = 5;
    for (int i = 0; i < t->nrows; i++) {
        rg_shape weight, bias;
        char name[80];
        rg_layer_weights(&t->rows[i], &weight, &bias);
        snprintf(name, sizeof name, "%s.bias", t->rows[i].name);
        fill(t->rows[i].name, rg_layer_count(t->rows[i].shape), x, &state);
        if (t->rows[i].word == RG_INPUT) CHECK_OK(rg_net_put(net, t->rows[i].name, x));
        fill(name, rg_layer_count(bias), x, &state);
        if (bias.c) CHECK_OK(rg_net_put_param(net, name, RG_VALUE, x));
        if (t->rows[i].word == RG_BATCHNORM) start_batchnorm(net, &t->rows[i], &state);
    }
}

static void check(const table *t)
{
    rg_net *net;
    rg_net_options options = { .training = true, .input_gradients = true,
                               .precision = RG_PRECISION_F32, .seed = 3 };
    int status = rg_net_new(&net, t->rows, t->nrows, probed, &options);
    CHECK_OK(status);
    if (status != 0) return;
    start(net, t);
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    CHECK_OK(rg_net_backward(net));
    for (int i = 0; i < t->nrows; i++) probe_row(net, t, &t->rows[i]);
    rg_net_free(net);
    if (check_failed_) printf("... on %s\n", probed->name);
}

#define CHECK_TABLE(step, tolerance, kinks, ...) \
    do { const rg_row rows_[] = { __VA_ARGS__ }; \
        const table t_ = { __func__, rows_, sizeof rows_ / sizeof *rows_, step, \
                           tolerance, kinks }; \
        check(&t_); } while (0)

static void conv_3x3(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 2, 3, 5, 7),
                CONV("y", "x", 3, 4, 3, LINEAR), PUSH("push", "y", 2, 4, 5, 7));
}

static void conv_of_odd_channels(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 1, 17, 3, 5),
                CONV("y", "x", 17, 19, 3, LINEAR), PUSH("push", "y", 1, 19, 3, 5));
}

static void conv_1x1(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 3, 5, 3, 1),
                CONV("y", "x", 5, 7, 1, LINEAR), PUSH("push", "y", 3, 7, 3, 1));
}

static void conv_with_relu(void)
{
    CHECK_TABLE(2e-3, 2e-3, true, INPUT("x", 3, 3, 5, 3), CONV("y", "x", 3, 5, 3, RELU),
                PUSH("push", "y", 3, 5, 5, 3));
}

static void conv_5x5_with_relu(void)
{
    CHECK_TABLE(2e-3, 2e-3, true, INPUT("x", 1, 2, 7, 6), CONV("y", "x", 2, 3, 5, RELU),
                PUSH("push", "y", 1, 3, 7, 6));
}

static void conv_of_stride_2(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 2, 3, 5, 8),
                CONV_AS("y", "x", 3, 4, 3, LINEAR, .stride = 2),
                PUSH("push", "y", 2, 4, 3, 4));
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 2, 3, 9, 7),
                CONV_AS("y", "x", 3, 4, 7, LINEAR, .stride = 2, .bare = true),
                PUSH("push", "y", 2, 4, 5, 4));
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 2, 3, 5, 6),
                CONV_AS("y", "x", 3, 4, 1, LINEAR, .stride = 2),
                PUSH("push", "y", 2, 4, 3, 3));
}

static void conv_without_bias(void)
{
    CHECK_TABLE(2e-3, 2e-3, true, INPUT("x", 2, 3, 5, 7),
                CONV_AS("y", "x", 3, 4, 3, RELU, .bare = true),
                PUSH("push", "y", 2, 4, 5, 7));
}

static void batchnorm(void)
{
    CHECK_TABLE(1e-2, 3e-3, false, INPUT("x", 3, 5, 3, 4),
                BATCHNORM("y", "x", 5, LINEAR),
                PUSH("push", "y", 3, 5, 3, 4));
    CHECK_TABLE(2e-3, 4e-3, true, INPUT("x", 2, 5, 5, 3), BATCHNORM("y", "x", 5, RELU),
                PUSH("push", "y", 2, 5, 5, 3));
    CHECK_TABLE(0.1, 1e-3, false, INPUT("x", 3, 5, 3, 4),
                BATCHNORM_FROZEN("y", "x", 5, LINEAR), PUSH("push", "y", 3, 5, 3, 4));
    CHECK_TABLE(2e-3, 3e-3, true, INPUT("x", 3, 5, 3, 4),
                BATCHNORM_FROZEN("y", "x", 5, RELU), PUSH("push", "y", 3, 5, 3, 4));
}

static void conv_batchnorm_conv(void)
{
    CHECK_TABLE(2e-3, 5e-3, true, INPUT("x", 2, 3, 5, 7),
                CONV_AS("a", "x", 3, 17, 3, LINEAR, .bare = true),
                BATCHNORM("b", "a", 17, RELU), CONV("y", "b", 17, 3, 3, LINEAR),
                PUSH("push", "y", 2, 3, 5, 7));
}

static void add(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("a", 2, 3, 5, 4), INPUT("b", 2, 3, 5, 4),
                ADD("y", "a", "b", LINEAR), PUSH("push", "y", 2, 3, 5, 4));
    CHECK_TABLE(2e-3, 2e-3, true, INPUT("x", 2, 3, 5, 4),
                CONV("a", "x", 3, 20, 3, RELU), CONV("b", "a", 20, 20, 1, LINEAR),
                ADD("y", "b", "a", RELU),
                PUSH("push", "y", 2, 20, 5, 4));
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 2, 3, 5, 4), ADD("y", "x", "x", LINEAR),
                PUSH("push", "y", 2, 3, 5, 4));
}

static void upsample(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 2, 3, 3, 2), INPUT("like.", 2, 1, 5, 4),
                UPSAMPLE("y", "x", "like."), PUSH("push", "y", 2, 3, 5, 4));
}

static void concat(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("a", 2, 4, 3, 2), INPUT("b", 2, 2, 1, 2),
                INPUT("c", 2, 6, 1, 1), CONCAT("y", "a", "b", "c", 2),
                PUSH("push", "y", 2, 34, 1, 1));
    CHECK_TABLE(1e-2, 2e-3, false, INPUT("a", 2, 4, 3, 2), INPUT("b", 2, 2, 1, 2),
                INPUT("c", 2, 6, 1, 1), CONCAT("y", "a", "b", "c", 2),
                INPUT("loss.labels", 2, 17, 1, 1),
                SOFTMAXLOSS("loss", "y", "loss.labels", 2));
}

/* Two levels pool the RoIs of their size; one convolution serves both. */
static void a_small_pyramid(void)
{
    CHECK_TABLE(4e-3, 4e-3, true, INPUT("x", 2, 3, 12, 13), INPUT("rois", 5, 5, 1, 1),
                CONV_AS("c1", "x", 3, 6, 3, RELU, .stride = 2), MAXPOOL3("c2", "c1"),
                CONV("l1", "c1", 6, 5, 1, LINEAR), CONV("p2", "c2", 6, 5, 1, LINEAR),
                UPSAMPLE("up", "p2", "l1"), ADD("p1", "l1", "up", LINEAR),
                CONV("rpn1", "p1", 5, 4, 3, LINEAR),
                CONV_AS("rpn2", "p2", 5, 4, 3, LINEAR, .weights = "rpn1"),
                STPOOL_AS("s1", "p1", "rois", 3, 16, .least = 0, .most = 60),
                STPOOL_AS("s2", "p2", "rois", 3, 32, .least = 60, .most = 0),
                ADD("s", "s1", "s2", LINEAR), PUSH("push_1", "rpn1", 2, 4, 6, 7),
                PUSH("push_2", "rpn2", 2, 4, 3, 4), PUSH("push", "s", 5, 5, 3, 3));
}

static void fc_of_shared_weights(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 3, 4, 1, 1), INPUT("z", 3, 4, 1, 1),
                FC("y", "x", 4, 5, LINEAR),
                { .word = RG_FC, .name = "w", .in = { "z" }, .inputs = 4, .outputs = 5,
                  .weights = "y" },
                PUSH("push", "y", 3, 5, 1, 1), PUSH("push_w", "w", 3, 5, 1, 1));
}

static void maxpool(void)
{
    CHECK_TABLE(1e-2, 1e-3, true, INPUT("x", 3, 5, 7, 5), MAXPOOL("y", "x"),
                PUSH("push", "y", 3, 5, 3, 2));
    CHECK_TABLE(1e-2, 1e-3, true, INPUT("x", 3, 5, 7, 4), MAXPOOL3("y", "x"),
                PUSH("push", "y", 3, 5, 4, 2));
}

static void conv_relu_maxpool_conv(void)
{
    CHECK_TABLE(2e-3, 2e-3, true, INPUT("x", 2, 3, 6, 9), CONV("a", "x", 3, 6, 3, RELU),
                MAXPOOL("b", "a"), CONV("y", "b", 6, 3, 3, LINEAR),
                PUSH("push", "y", 2, 3, 3, 4));
}

static void stpool(void)
{
    CHECK_TABLE(0.05, 2e-3, true, INPUT("x", 2, 3, 6, 7), INPUT("rois", 5, 5, 1, 1),
                STPOOL("y", "x", "rois", 3, 16), PUSH("push", "y", 5, 3, 3, 3));
}

static void boxes(void)
{
    CHECK_TABLE(1e-2, 2e-3, true, INPUT("x", 2, 8, 3, 2),
                INPUT("the.picks", 5, 7, 1, 1),
                BOXES("y", "x", "the.picks", 100), PUSH("push", "y", 5, 5, 1, 1));
}

static void stpool_moves_its_proposals(void)
{
    CHECK_TABLE(2e-3, 5e-3, true, INPUT("x", 2, 3, 6, 7),
                INPUT("the.picks", 5, 7, 1, 1),
                CONV("deltas", "x", 3, 8, 1, LINEAR),
                BOXES("some_rois", "deltas", "the.picks", 100),
                STPOOL("y", "x", "some_rois", 3, 16), PUSH("push", "y", 5, 3, 3, 3),
                PUSH("push_d", "deltas", 2, 8, 6, 7));
    CHECK_TABLE(0.05, 2e-3, true, INPUT("x", 2, 3, 6, 7), INPUT("rois", 5, 5, 1, 1),
                STPOOL_AS("y", "x", "rois", 3, 16, .sampling = RG_SAMPLING_AUTHORS),
                PUSH("push", "y", 5, 3, 3, 3));
}

static void stpool_after_conv(void)
{
    CHECK_TABLE(4e-3, 3e-3, true, INPUT("x", 2, 3, 6, 7), INPUT("rois", 5, 5, 1, 1),
                CONV("a", "x", 3, 18, 3, RELU), STPOOL("y", "a", "rois", 4, 16),
                PUSH("push", "y", 5, 18, 4, 4));
}

static void fc(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 3, 2, 3, 5), FC("y", "x", 30, 7, LINEAR),
                PUSH("push", "y", 3, 7, 1, 1));
}

static void fc_with_relu_after_relu(void)
{
    CHECK_TABLE(2e-3, 2e-3, true, INPUT("x", 5, 9, 1, 1), FC("a", "x", 9, 11, RELU),
                FC("y", "a", 11, 13, RELU), PUSH("push", "y", 5, 13, 1, 1));
}

static void fc_after_stpool(void)
{
    CHECK_TABLE(0.05, 3e-3, true, INPUT("x", 2, 3, 6, 7), INPUT("rois", 5, 5, 1, 1),
                STPOOL("a", "x", "rois", 2, 16), FC("y", "a", 12, 5, LINEAR),
                PUSH("push", "y", 5, 5, 1, 1));
}

static void dropout(void)
{
    CHECK_TABLE(0.25, 1e-4, false, INPUT("x", 3, 35, 1, 1), DROPOUT("y", "x", 0.4f),
                PUSH("push", "y", 3, 35, 1, 1));
}

static void softmax(void)
{
    CHECK_TABLE(1e-2, 2e-3, false, INPUT("x", 2, 6, 3, 5), SOFTMAX("y", "x", 3),
                PUSH("push", "y", 2, 6, 3, 5));
    CHECK_TABLE(1e-2, 2e-3, false, INPUT("x", 5, 7, 1, 1), SOFTMAX("y", "x", 7),
                PUSH("push", "y", 5, 7, 1, 1));
}

static void softmax_loss(void)
{
    CHECK_TABLE(5e-2, 2e-3, false, INPUT("x", 2, 9, 3, 1),
                INPUT("loss.labels", 2, 3, 3, 1),
                SOFTMAXLOSS("loss", "x", "loss.labels", 3));
}

static void smooth_l1(void)
{
    CHECK_TABLE(1e-2, 2e-3, false, INPUT("grid", 3, 5, 3, 1),
                INPUT("loss.aim", 3, 5, 3, 1), INPUT("loss.weights", 3, 5, 3, 1),
                SMOOTHL1("loss", "grid", "loss.aim", "loss.weights", 3));
    CHECK_TABLE(1e-2, 2e-3, false, INPUT("grid", 1, 7, 1, 1),
                INPUT("loss.aim", 1, 7, 1, 1), INPUT("loss.weights", 1, 7, 1, 1),
                SMOOTHL1("loss", "grid", "loss.aim", "loss.weights", 1));
}

static void three_readers_of_one_tensor(void)
{
    CHECK_TABLE(2e-3, 2e-3, true, INPUT("x", 2, 3, 5, 5), CONV("a", "x", 3, 5, 3, RELU),
                CONV("b", "a", 5, 3, 1, LINEAR), CONV("c", "a", 5, 4, 3, LINEAR),
                MAXPOOL("d", "a"), PUSH("push_b", "b", 2, 3, 5, 5),
                PUSH("push_c", "c", 2, 4, 5, 5), PUSH("push_d", "d", 2, 5, 2, 2));
}

/* The shape of the whole: two heads on one backbone, RoIs, four losses, and
 * probabilities that lead to no loss. */
static void a_small_detector(void)
{
    CHECK_TABLE(2e-3, 5e-3, true, INPUT("x", 2, 3, 13, 15), INPUT("rois", 5, 5, 1, 1),
                CONV("conv1", "x", 3, 8, 3, RELU), MAXPOOL("pool1", "conv1"),
                CONV("conv2", "pool1", 8, 8, 3, RELU),
                CONV("rpn", "conv2", 8, 8, 3, RELU),
                CONV("cls", "rpn", 8, 6, 1, LINEAR),
                CONV("box", "rpn", 8, 4, 1, LINEAR), SOFTMAX("prob", "cls", 2),
                INPUT("rpn.labels", 2, 3, 6, 7),
                SOFTMAXLOSS("loss1", "cls", "rpn.labels", 2),
                PUSH("push1", "box", 2, 4, 6, 7),
                STPOOL("pool", "conv2", "rois", 3, 16),
                FC("fc6", "pool", 72, 10, RELU), DROPOUT("drop", "fc6", 0.2f),
                FC("score", "drop", 10, 3, LINEAR), FC("delta", "drop", 10, 6, LINEAR),
                INPUT("roi.labels", 5, 1, 1, 1),
                SOFTMAXLOSS("loss2", "score", "roi.labels", 3),
                PUSH("push2", "delta", 5, 6, 1, 1));
}

static void gradients_run(const rg_backend *backend)
{
    probed = backend;
    CHECK_RUN(conv_3x3);
    CHECK_RUN(conv_of_odd_channels);
    CHECK_RUN(conv_1x1);
    CHECK_RUN(conv_with_relu);
    CHECK_RUN(conv_5x5_with_relu);
    CHECK_RUN(conv_of_stride_2);
    CHECK_RUN(conv_without_bias);
    CHECK_RUN(batchnorm);
    CHECK_RUN(conv_batchnorm_conv);
    CHECK_RUN(add);
    CHECK_RUN(upsample);
    CHECK_RUN(concat);
    CHECK_RUN(a_small_pyramid);
    CHECK_RUN(fc_of_shared_weights);
    CHECK_RUN(maxpool);
    CHECK_RUN(conv_relu_maxpool_conv);
    CHECK_RUN(stpool);
    CHECK_RUN(boxes);
    CHECK_RUN(stpool_moves_its_proposals);
    CHECK_RUN(stpool_after_conv);
    CHECK_RUN(fc);
    CHECK_RUN(fc_with_relu_after_relu);
    CHECK_RUN(fc_after_stpool);
    CHECK_RUN(dropout);
    CHECK_RUN(softmax);
    CHECK_RUN(softmax_loss);
    CHECK_RUN(smooth_l1);
    CHECK_RUN(three_readers_of_one_tensor);
    CHECK_RUN(a_small_detector);
}

#endif

/* SPDX-License-Identifier: MIT */
/* words: every word of a fast backend against the plain loops, at odd sizes and
 * batches: what it makes, the gradients of inputs and weights, and both again after an
 * optimizer step.
 *
 *     int main(void) { words_run(&rg_backend_cpu); return CHECK_END(); }
 *
 * f32: the largest difference is within 3e-5 of the largest value (Winograd rounds).
 * bf16: the rms difference is within 1.5 % of the rms value of what is made, and 2 % of
 * gradients; 15 % behind ReLUs, some of which decide otherwise than in f32.  tf32 and
 * f16, which round eight times finer: a fifth of that, but 10 % behind ReLUs; they are
 * what words_of_a_card runs.
 */
#ifndef RG_WORDS_H
#define RG_WORDS_H

#include "core/engine/net.h"
#include "core/engine/random.h"
#include "tests/check.h"

#define PUSH(from, n, c, h, w) \
    INPUT("target", n, c, h, w), INPUT("weights", n, c, h, w), \
    SMOOTHL1("push", from, "target", "weights", 1)

static const double f32_peak = 3e-5, bf16_rms = 0.015, smooth = 0.02, gated = 0.15;
static rg_precision tried = RG_PRECISION_F32;
static const rg_backend *tested;

/* Features of 9 x 11 cells of 16 pixels, 2 images; some boxes lie partly outside, no
 * sample on a cell's edge, where the slope jumps. */
static const float rois[35] = {
    0, 5.3f, 9.1f, 61.7f, 70.9f,    1, 20.3f, 3.7f, 99.1f, 90.7f,
    1, 33.3f, 41.1f, 40.7f, 47.3f,  0, -30.7f, 25.3f, 45.1f, 130.3f,
    1, 50.9f, 50.3f, 81.1f, 277.3f, 7, 1.1f, 2.3f, 3.7f, 4.9f,
    -1, NAN, 40.3f, 70.1f, 80.9f };

/* Of 252 deltas an image, 150 pixels; the last two are taken as they are. */
static const float picks[35] = {
    0, 10, 12, 41, 50, 3, 6,       1, 20, 13, 60, 40, 225, 6,
    0, -10, 20, 130, 140, 100, 36, 1, 5, 5, 29, 39, -1, 0,
    2, 1, 2, 30, 40, 3, 6 };

static void fill(const rg_row *row, float *x, uint64_t *state)
{
    for (long i = 0; i < rg_layer_count(row->shape); i++) {
        float u = (float)(2 * rg_random_uniform(state) - 1);
        x[i] = strcmp(row->name, "target") == 0 ? -1000
             : strcmp(row->name, "rois") == 0 ? rois[i % 35]
             : strcmp(row->name, "picks") == 0 ? picks[i % 35]
             : strcmp(row->name, "labels") == 0 ? (float)(int)(3 + 2 * u) - 1 : u;
    }
}

static void compare(const char *test, const char *row, const char *what, long count,
                    const float *ref, const float *fast, double rms)
{
    double top = 0, worst = 0, sum = 0, wrong = 0;
    for (long i = 0; i < count; i++) {
        double d = fabs((double)fast[i] - ref[i]);
        if (!(fabsf(ref[i]) <= top)) top = fabsf(ref[i]);
        if (!(d <= worst)) worst = d;
        sum += (double)ref[i] * ref[i];
        wrong += d * d;
    }
    const bool f32 = tried == RG_PRECISION_F32, bf16 = tried == RG_PRECISION_BF16;
    double error = f32 ? worst / (top + 1e-30) : sqrt(wrong / (sum + 1e-30));
    if (getenv("RG_VERBOSE"))
        printf("%s: %s of %s: %g\n", test, what, row, error);
    const double fine = rms < gated ? rms / 5 : 0.1;
    if (error <= (f32 ? f32_peak : bf16 ? rms : fine)) return;
    check_failed_ = 1;
    printf("%s: %s of %s differs from ref by %g\n", test, what, row, error);
}

typedef struct pair { rg_net *ref, *fast; const rg_row *rows; int nrows; } pair;

static void compare_made(const pair *p, const char *test)
{
    for (int i = 0; i < p->nrows; i++) {
        const char *name = p->rows[i].name;
        rg_shape shape;
        if (p->rows[i].word == RG_INPUT || strcmp(name, "push") == 0) continue;
        CHECK_OK(rg_net_shape(p->ref, name, &shape));
        long count = rg_layer_count(shape);
        float *x = malloc(2 * sizeof *x * (size_t)count);
        CHECK_OK(rg_net_get(p->ref, name, x));
        CHECK_OK(rg_net_get(p->fast, name, x + count));
        compare(test, name, "output", count, x, x + count, bf16_rms);
        free(x);
    }
}

static void compare_input_gradient(const pair *p, const rg_row *row, const char *test,
                                   double rms)
{
    long count = rg_layer_count(row->shape);
    float *x = malloc(2 * sizeof *x * (size_t)count);
    if (rg_net_get_gradient(p->ref, row->name, x) == 0) {  /* labels have none */
        CHECK_OK(rg_net_get_gradient(p->fast, row->name, x + count));
        compare(test, row->name, "gradient", count, x, x + count, rms);
    }
    free(x);
}

static void compare_param(const pair *p, const char *name, rg_shape shape,
                          const char *test, double rms)
{
    long count = rg_layer_count(shape);
    if (count == 0) return;
    float *x = malloc(2 * sizeof *x * (size_t)count);
    CHECK_OK(rg_net_get_param(p->ref, name, RG_GRADIENT, x));
    CHECK_OK(rg_net_get_param(p->fast, name, RG_GRADIENT, x + count));
    compare(test, name, "gradient", count, x, x + count, rms);
    free(x);
}

static void compare_gradients(const pair *p, const char *test, double rms)
{
    for (int i = 0; i < p->nrows; i++) {
        const rg_row *row = &p->rows[i];
        rg_shape weight, bias;
        char name[80];
        if (row->word == RG_INPUT) compare_input_gradient(p, row, test, rms);
        rg_layer_weights(row, &weight, &bias);
        snprintf(name, sizeof name, "%s.bias", row->name);
        compare_param(p, row->name, weight, test, rms);
        compare_param(p, name, bias, test, rms);
    }
}

static void start(const pair *p)
{
    uint64_t state = 11;
    for (int i = 0; i < p->nrows; i++) {
        if (p->rows[i].word != RG_INPUT) continue;
        float *x = malloc(sizeof *x * (size_t)rg_layer_count(p->rows[i].shape));
        fill(&p->rows[i], x, &state);
        CHECK_OK(rg_net_put(p->ref, p->rows[i].name, x));
        CHECK_OK(rg_net_put(p->fast, p->rows[i].name, x));
        free(x);
    }
}

static int make(pair *p, bool training)
{
    rg_net_options options = { .training = training, .input_gradients = training,
                               .precision = RG_PRECISION_F32, .seed = 3 };
    CHECK_OK(rg_net_new(&p->ref, p->rows, p->nrows, &rg_backend_ref, &options));
    options.precision = tried;
    CHECK_OK(rg_net_new(&p->fast, p->rows, p->nrows, tested, &options));
    return p->ref && p->fast ? 0 : -1;
}

static void forward_both(const pair *p)
{
    CHECK_OK(rg_net_forward(p->ref, NULL, NULL));
    CHECK_OK(rg_net_forward(p->fast, NULL, NULL));
}

static void backward_both(const pair *p)
{
    CHECK_OK(rg_net_backward(p->ref));
    CHECK_OK(rg_net_backward(p->fast));
}

/* Twice, with a step between: what was packed for the old weights must not serve. */
static void check_training(const rg_row *rows, int nrows, const char *test, double rms)
{
    const rg_optimizer how = { .rule = RG_SGD, .rate = 0.5f, .clip = 1 };
    pair p = { NULL, NULL, rows, nrows };
    if (tried == RG_PRECISION_F16) return;          /* nothing is trained in it */
    if (make(&p, true) == 0) {
        start(&p);
        for (int pass = 0; pass < 2; pass++) {
            float norms[2];
            forward_both(&p);
            compare_made(&p, test);
            backward_both(&p);
            compare_gradients(&p, test, rms);
            CHECK_OK(rg_net_update(p.ref, &how, &norms[0]));
            CHECK_OK(rg_net_update(p.fast, &how, &norms[1]));
            compare(test, "all", "gradient norm", 1, &norms[0], &norms[1], rms);
        }
    }
    rg_net_free(p.ref);
    rg_net_free(p.fast);
}

static void check_inference(const rg_row *rows, int nrows, const char *test)
{
    pair p = { NULL, NULL, rows, nrows };
    if (make(&p, false) == 0) {
        start(&p);
        forward_both(&p);
        compare_made(&p, test);
    }
    rg_net_free(p.ref);
    rg_net_free(p.fast);
}

#define CHECK_ROWS(rms, ...) \
    do { const rg_row rows_[] = { __VA_ARGS__ }; \
        int nrows_ = sizeof rows_ / sizeof *rows_; \
        check_training(rows_, nrows_, __func__, rms); \
        check_inference(rows_, nrows_, __func__); } while (0)

static void conv_of(int n, int c, int o, int h, int w, int size, rg_activation act)
{
    CHECK_ROWS(act == RG_RELU ? gated : smooth, INPUT("x", n, c, h, w),
               CONV("y", "x", c, o, size, act), PUSH("y", n, o, h, w));
}

static void strided_of(int n, int c, int o, int h, int w, int size, bool bare)
{
    CHECK_ROWS(smooth, INPUT("x", n, c, h, w),
               CONV_AS("y", "x", c, o, size, LINEAR, .stride = 2, .bare = bare),
               PUSH("y", n, o, (h + 1) / 2, (w + 1) / 2));
}

static void strided(void)
{
    strided_of(1, 3, 16, 13, 17, 3, true);
    strided_of(2, 3, 64, 29, 65, 7, true);
    strided_of(2, 32, 48, 9, 12, 1, false);
    strided_of(1, 16, 32, 8, 54, 3, true);
    strided_of(1, 3, 16, 5, 605, 3, false);
}

static void batchnorm_of(int n, int c, int h, int w, rg_activation act, bool frozen)
{
    CHECK_ROWS(gated, INPUT("x", n, 3, h, w),
               CONV_AS("a", "x", 3, c, 3, LINEAR, .bare = true),
               { .word = RG_BATCHNORM, .name = "y", .in = { "a" }, .inputs = c,
                 .outputs = c, .activation = act, .frozen = frozen },
               PUSH("y", n, c, h, w));
}

static void batchnorm(void)
{
    batchnorm_of(2, 16, 9, 13, RG_LINEAR, false);
    batchnorm_of(3, 17, 7, 5, RG_RELU, false);
    batchnorm_of(1, 64, 8, 8, RG_RELU, false);
    batchnorm_of(2, 5, 9, 13, RG_RELU, true);
    batchnorm_of(1, 32, 7, 5, RG_LINEAR, true);
}

static void add(void)
{
    CHECK_ROWS(gated, INPUT("x", 2, 3, 7, 9), CONV("a", "x", 3, 20, 3, RELU),
               CONV("b", "x", 3, 20, 1, LINEAR), ADD("y", "a", "b", RELU),
               PUSH("y", 2, 20, 7, 9));
}

static void upsample(void)
{
    CHECK_ROWS(gated, INPUT("x", 2, 3, 7, 9), CONV("a", "x", 3, 18, 1, LINEAR),
               CONV_AS("b", "a", 18, 18, 3, RELU, .stride = 2),
               UPSAMPLE("c", "b", "a"), ADD("y", "a", "c", LINEAR),
               PUSH("y", 2, 18, 7, 9));
}

static void concat(void)
{
    CHECK_ROWS(gated, INPUT("x", 2, 3, 7, 9), CONV("a", "x", 3, 18, 3, RELU),
               MAXPOOL3("b", "a"), CONV("c", "b", 18, 4, 1, LINEAR),
               CONCAT("y", "a", "b", "c", 2), PUSH("y", 2, 1574, 1, 1));
}

static void shared_weights(void)
{
    CHECK_ROWS(gated, INPUT("x", 2, 16, 7, 9), MAXPOOL3("b", "x"),
               CONV("c", "x", 16, 20, 3, RELU),
               CONV_AS("y", "b", 16, 20, 3, RELU, .weights = "c"),
               INPUT("t", 2, 20, 7, 9), INPUT("w", 2, 20, 7, 9),
               SMOOTHL1("loss_c", "c", "t", "w", 1), PUSH("y", 2, 20, 4, 5));
}

static void conv(void)
{
    conv_of(1, 3, 16, 13, 17, 3, RG_RELU);
    conv_of(2, 3, 5, 7, 9, 3, RG_LINEAR);
    conv_of(3, 17, 33, 9, 5, 3, RG_RELU);
    conv_of(1, 64, 32, 11, 33, 3, RG_RELU);
    conv_of(2, 32, 12, 7, 9, 1, RG_LINEAR);
    conv_of(5, 7, 24, 3, 1, 1, RG_RELU);
    conv_of(1, 6, 8, 9, 7, 5, RG_LINEAR);
    conv_of(1, 1, 1, 1, 1, 3, RG_LINEAR);
    conv_of(1, 3, 16, 5, 305, 3, RG_RELU);     /* where bf16 weight gradients overrun */
}

static void fc_of(int n, int c, int h, int w, int o, rg_activation act)
{
    CHECK_ROWS(act == RG_RELU ? gated : smooth, INPUT("x", n, c, h, w),
               FC("y", "x", c * h * w, o, act), PUSH("y", n, o, 1, 1));
}

static void fc(void)
{
    fc_of(5, 3, 7, 7, 19, RG_LINEAR);
    fc_of(1, 64, 1, 1, 7, RG_LINEAR);
    fc_of(128, 33, 1, 1, 28, RG_RELU);
    fc_of(7, 16, 3, 5, 64, RG_RELU);
    fc_of(1, 1, 1, 1, 1, RG_LINEAR);
}

static void maxpool(void)
{
    CHECK_ROWS(smooth, INPUT("x", 3, 5, 7, 9), MAXPOOL("y", "x"),
               PUSH("y", 3, 5, 3, 4));
    CHECK_ROWS(smooth, INPUT("x", 1, 16, 2, 3), MAXPOOL("y", "x"),
               PUSH("y", 1, 16, 1, 1));
    CHECK_ROWS(smooth, INPUT("x", 3, 5, 7, 8), MAXPOOL3("y", "x"),
               PUSH("y", 3, 5, 4, 4));
    CHECK_ROWS(gated, INPUT("x", 2, 3, 13, 15), CONV("a", "x", 3, 20, 3, RELU),
               MAXPOOL("b", "a"), MAXPOOL("y", "b"), PUSH("y", 2, 20, 3, 3));
}

static void stpool(void)
{
    CHECK_ROWS(smooth, INPUT("x", 2, 5, 9, 11), INPUT("rois", 7, 5, 1, 1),
               STPOOL("y", "x", "rois", 7, 16), PUSH("y", 7, 5, 7, 7));
    CHECK_ROWS(smooth, INPUT("x", 2, 5, 9, 11), INPUT("rois", 7, 5, 1, 1),
               STPOOL_AS("y", "x", "rois", 7, 16, .least = 20, .most = 99),
               PUSH("y", 7, 5, 7, 7));
    CHECK_ROWS(smooth, INPUT("x", 2, 5, 9, 11), INPUT("rois", 7, 5, 1, 1),
               STPOOL_AS("y", "x", "rois", 7, 16, .sampling = RG_SAMPLING_AUTHORS),
               PUSH("y", 7, 5, 7, 7));
    CHECK_ROWS(smooth, INPUT("x", 1, 33, 9, 11), INPUT("rois", 7, 5, 1, 1),
               STPOOL("y", "x", "rois", 1, 16), PUSH("y", 7, 33, 1, 1));
    CHECK_ROWS(gated, INPUT("x", 2, 3, 9, 11), INPUT("rois", 7, 5, 1, 1),
               CONV("a", "x", 3, 40, 3, RELU), STPOOL("b", "a", "rois", 3, 16),
               FC("y", "b", 360, 9, LINEAR), PUSH("y", 7, 9, 1, 1));
}

static void boxes(void)
{
    CHECK_ROWS(smooth, INPUT("x", 2, 3, 7, 9), INPUT("picks", 5, 7, 1, 1),
               CONV("a", "x", 3, 4, 3, LINEAR), BOXES("y", "a", "picks", 150),
               PUSH("y", 5, 5, 1, 1));
}

static void dropout(void)
{
    CHECK_ROWS(smooth, INPUT("x", 5, 37, 1, 1), DROPOUT("y", "x", 0.3f),
               PUSH("y", 5, 37, 1, 1));
    CHECK_ROWS(gated, INPUT("x", 5, 37, 1, 1), FC("a", "x", 37, 40, RELU),
               DROPOUT("b", "a", 0.5f), FC("y", "b", 40, 3, LINEAR),
               PUSH("y", 5, 3, 1, 1));
    CHECK_ROWS(gated, INPUT("x", 3, 3, 5, 7), CONV("a", "x", 3, 20, 3, RELU),
               DROPOUT("y", "a", 0.5f), PUSH("y", 3, 20, 5, 7));
}

static void softmax(void)
{
    CHECK_ROWS(smooth, INPUT("x", 2, 3, 5, 7), CONV("a", "x", 3, 12, 1, LINEAR),
               SOFTMAX("y", "a", 2), PUSH("y", 2, 12, 5, 7));
    CHECK_ROWS(smooth, INPUT("x", 5, 9, 1, 1), FC("a", "x", 9, 7, LINEAR),
               SOFTMAX("y", "a", 7), PUSH("y", 5, 7, 1, 1));
}

static void softmax_loss(void)
{
    CHECK_ROWS(smooth, INPUT("x", 2, 3, 5, 7), CONV("a", "x", 3, 12, 1, LINEAR),
               INPUT("labels", 2, 3, 5, 7), SOFTMAXLOSS("loss", "a", "labels", 4));
    CHECK_ROWS(smooth, INPUT("x", 9, 9, 1, 1), FC("a", "x", 9, 7, LINEAR),
               INPUT("labels", 9, 1, 1, 1), SOFTMAXLOSS("loss", "a", "labels", 7));
}

static void smooth_l1(void)
{
    CHECK_ROWS(smooth, INPUT("x", 2, 3, 5, 7), CONV("a", "x", 3, 12, 1, LINEAR),
               INPUT("t", 2, 12, 5, 7), INPUT("w", 2, 12, 5, 7),
               SMOOTHL1("loss", "a", "t", "w", 3));
}

static void several_readers(void)
{
    CHECK_ROWS(gated, INPUT("x", 2, 3, 7, 9), CONV("a", "x", 3, 20, 3, RELU),
               CONV("b", "a", 20, 7, 1, LINEAR), CONV("c", "a", 20, 7, 3, LINEAR),
               MAXPOOL("d", "a"), INPUT("t", 2, 7, 7, 9), INPUT("w", 2, 7, 7, 9),
               SMOOTHL1("loss_b", "b", "t", "w", 1),
               SMOOTHL1("loss_c", "c", "t", "w", 2), PUSH("d", 2, 20, 3, 4));
}

static void bf16_of(void (*test)(void))
{
    void *context;
    if (tested->open(&context, RG_PRECISION_BF16, true) != 0)
        CHECK_SKIP(rg_error_message());
    tested->close(context);
    tried = RG_PRECISION_BF16;
    test();
    tried = RG_PRECISION_F32;
}

static void bf16_conv(void) { bf16_of(conv); }
static void bf16_strided(void) { bf16_of(strided); }
static void bf16_batchnorm(void) { bf16_of(batchnorm); }
static void bf16_add(void) { bf16_of(add); }
static void bf16_upsample(void) { bf16_of(upsample); }
static void bf16_concat(void) { bf16_of(concat); }
static void bf16_shared_weights(void) { bf16_of(shared_weights); }
static void bf16_fc(void) { bf16_of(fc); }
static void bf16_maxpool(void) { bf16_of(maxpool); }
static void bf16_stpool(void) { bf16_of(stpool); }
static void bf16_boxes(void) { bf16_of(boxes); }
static void bf16_dropout(void) { bf16_of(dropout); }
static void bf16_softmax(void) { bf16_of(softmax); }
static void bf16_softmax_loss(void) { bf16_of(softmax_loss); }
static void bf16_smooth_l1(void) { bf16_of(smooth_l1); }
static void bf16_several_readers(void) { bf16_of(several_readers); }

static void words_run(const rg_backend *backend)
{
    tested = backend;
    CHECK_RUN(conv);
    CHECK_RUN(strided);
    CHECK_RUN(batchnorm);
    CHECK_RUN(add);
    CHECK_RUN(upsample);
    CHECK_RUN(concat);
    CHECK_RUN(shared_weights);
    CHECK_RUN(fc);
    CHECK_RUN(maxpool);
    CHECK_RUN(stpool);
    CHECK_RUN(boxes);
    CHECK_RUN(dropout);
    CHECK_RUN(softmax);
    CHECK_RUN(softmax_loss);
    CHECK_RUN(smooth_l1);
    CHECK_RUN(several_readers);
    CHECK_RUN(bf16_conv);
    CHECK_RUN(bf16_strided);
    CHECK_RUN(bf16_batchnorm);
    CHECK_RUN(bf16_add);
    CHECK_RUN(bf16_upsample);
    CHECK_RUN(bf16_concat);
    CHECK_RUN(bf16_shared_weights);
    CHECK_RUN(bf16_fc);
    CHECK_RUN(bf16_maxpool);
    CHECK_RUN(bf16_stpool);
    CHECK_RUN(bf16_boxes);
    CHECK_RUN(bf16_dropout);
    CHECK_RUN(bf16_softmax);
    CHECK_RUN(bf16_softmax_loss);
    CHECK_RUN(bf16_smooth_l1);
    CHECK_RUN(bf16_several_readers);
}

static void every_word_in(rg_precision precision)
{
    static void (*const all[])(void) = {
        conv, strided, batchnorm, add, upsample, concat, shared_weights, fc, maxpool,
        stpool, boxes, dropout, softmax, softmax_loss, smooth_l1, several_readers,
    };
    tried = precision;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) all[i]();
    tried = RG_PRECISION_F32;
}

static void tf32_words(void) { every_word_in(RG_PRECISION_TF32); }
static void f16_words(void) { every_word_in(RG_PRECISION_F16); }

__attribute__((unused)) static void words_of_a_card(const rg_backend *backend)
{
    tested = backend;
    CHECK_RUN(tf32_words);
    CHECK_RUN(f16_words);
}

#endif

/* SPDX-License-Identifier: MIT */
/* whole: what is asked of a card beside its words (words.h): proposals, learning, and
 * that it finds what the processor finds.  test_card asks a card that is the host,
 * test_gpu a real one. */
#ifndef RG_WHOLE_H
#define RG_WHOLE_H

#include "core/data/simulate.h"
#include "core/detector/detect.h"
#include "core/detector/proposal.h"
#include "core/detector/runner.h"
#include "tests/words.h"

/* ---- learning ---- */

static const rg_optimizer by_sgd = { .rule = RG_SGD, .rate = 0.05f, .momentum = 0.9f,
                                     .decay = 0.01f, .clip = 1 };
static const rg_optimizer by_adam = { .rule = RG_ADAM, .rate = 0.01f, .momentum = 0.9f,
                                      .beta2 = 0.99f, .epsilon = 1e-6f,
                                      .decay = 0.1f };

static void compare_value(const pair *p, const char *name, int count, double tolerance)
{
    float w[2][96 * 10];
    CHECK_OK(rg_net_get_param(p->ref, name, RG_VALUE, w[0]));
    CHECK_OK(rg_net_get_param(p->fast, name, RG_VALUE, w[1]));
    for (int i = 0; i < count; i++) CHECK_NEAR(w[1][i], w[0][i], tolerance);
}

/* Ten steps from one start on both; what they have learnt. */
static void steps_of(const rg_optimizer *how, double tolerance)
{
    const rg_row rows[] = {
        INPUT("x", 2, 3, 8, 8), CONV("a", "x", 3, 6, 3, RELU),
        CONV_AS("b", "a", 6, 6, 3, LINEAR, .bare = true),
        BATCHNORM("n", "b", 6, RELU), MAXPOOL("p", "n"),
        FC("f", "p", 96, 10, RELU), DROPOUT("d", "f", 0.3f),
        FC("s", "d", 10, 3, LINEAR), INPUT("labels", 2, 1, 1, 1),
        SOFTMAXLOSS("loss", "s", "labels", 3),
    };
    pair p = { NULL, NULL, rows, sizeof rows / sizeof *rows };
    float loss[2];
    if (make(&p, true) != 0) return;
    start(&p);
    for (int step = 0; step < 10; step++) {
        forward_both(&p);
        backward_both(&p);
        CHECK_OK(rg_net_update(p.ref, how, NULL));
        CHECK_OK(rg_net_update(p.fast, how, NULL));
    }
    CHECK_OK(rg_net_get(p.ref, "loss", &loss[0]));
    CHECK_OK(rg_net_get(p.fast, "loss", &loss[1]));
    CHECK_NEAR(loss[1], loss[0], tolerance);
    compare_value(&p, "f", 960, tolerance);
    compare_value(&p, "a.bias", 6, tolerance);
    compare_value(&p, "n", 6, tolerance);
    compare_value(&p, "n.mean", 6, tolerance);
    compare_value(&p, "n.variance", 6, tolerance);
    rg_net_free(p.ref);
    rg_net_free(p.fast);
}

/* ---- proposals ---- */

/* RoIs of the net, of `values` each, against what the host finds, to the bit. */
static void compare_rois(const rg_claran *model, const rg_proposal_options *how,
                         int images, const float *source, const float *deltas,
                         int values, const float *rois)
{
    static rg_box boxes[2000];
    static int anchors[2000];
    const int each = rg_claran_anchors(model);
    for (int i = 0; i < images; i++) {
        const int n = rg_proposal_find(model, how, source + (2L * i + 1) * each,
                                       deltas + 4L * i * each, boxes, NULL, anchors);
        CHECK(n > 0);
        for (int k = 0; k < how->after; k++) {
            const float *roi = rois + (long)values * (i * how->after + k);
            CHECK(roi[0] == (k < n ? i : -1));
            if (k < n) CHECK(memcmp(roi + 1, &boxes[k], sizeof boxes[k]) == 0);
            else CHECK(roi[1] == 0 && roi[4] == (float)model->input - 1);
            if (values == 6) CHECK((int)roi[5] == (k < n ? anchors[k] : -1));
        }
    }
}

/* Some equal, some nonsense.  Boxes are as large as their anchors: a card's exp() is
 * another than the host's. */
static void draw_anchors(const rg_claran *model, int images, float *source,
                         float *deltas)
{
    const int each = rg_claran_anchors(model);
    uint64_t state = 4;
    for (int i = 0; i < 2 * each * images; i++)
        source[i] = i % 97 ? (float)rg_random_below(&state, 500) / 499 : NAN;
    for (int i = 0; i < 4 * each * images; i++)
        deltas[i] = i % 89 ? (float)(rg_random_normal(&state) / 2) : INFINITY;
    for (int i = 0; i < images; i++)
        for (int a = 0; a < RG_CLARAN_ANCHORS; a++) {
            const rg_anchor on = rg_claran_anchor(model, a);
            const int plane = on.cells * on.cells;
            memset(deltas + 4L * (i * each + on.first) + 2 * plane, 0,
                   2 * sizeof *deltas * (size_t)plane);
        }
}

static void proposals_of(rg_network network, int images, rg_proposal_options how,
                         int values)
{
    rg_claran model = rg_claran_paper;
    model.network = network;
    model.input = 264;
    const bool maps = network == RG_NETWORK_CLARAN;
    const int each = rg_claran_anchors(&model), c = maps ? 6 : each;
    const int side = maps ? rg_claran_cells(&model) : 1, rois = images * how.after;
    const rg_row rows[] = { INPUT("source", images, 2 * c, side, side),
                            INPUT("deltas", images, 4 * c, side, side),
                            INPUT("rois", rois, values, 1, 1) };
    const rg_net_options options = { .precision = RG_PRECISION_F32 };
    const rg_proposing asked = rg_proposal_asked(&model, &how);
    float *source = malloc(sizeof *source * 2 * (size_t)(each * images));
    float *deltas = malloc(sizeof *deltas * 4 * (size_t)(each * images));
    float *made = malloc(sizeof *made * (size_t)(values * rois));
    rg_net *net;
    draw_anchors(&model, images, source, deltas);
    CHECK_OK(rg_net_new(&net, rows, 3, tested, &options));
    CHECK_OK(rg_net_put(net, "source", source));
    CHECK_OK(rg_net_put(net, "deltas", deltas));
    CHECK(rg_net_proposes(net));
    CHECK_OK(rg_net_propose(net, &asked, "source", "deltas", "rois"));
    CHECK_OK(rg_net_get(net, "rois", made));
    compare_rois(&model, &how, images, source, deltas, values, made);
    CHECK_FAILS(rg_net_propose(net, &asked, "deltas", "source", "rois"), "do not suit");
    rg_net_free(net);
    free(source);
    free(deltas);
    free(made);
}

static void proposals_are_the_hosts(void)
{
    proposals_of(RG_NETWORK_CLARAN, 1, (rg_proposal_options){ 6000, 5, 0.7f, 4 }, 5);
    proposals_of(RG_NETWORK_CLARAN, 3, (rg_proposal_options){ 6000, 700, 0.7f, 4 }, 6);
    proposals_of(RG_NETWORK_CLARAN, 2, (rg_proposal_options){ 3, 5, 0.7f, 4 }, 6);
    proposals_of(RG_NETWORK_CLARAN, 1, (rg_proposal_options){ 130, 200, 0.5f, 20 }, 5);
    proposals_of(RG_NETWORK_FPN, 2, (rg_proposal_options){ 2000, 60, 0.7f, 4 }, 6);
}

/* ---- pictures ---- */

static void pictures_are_enlarged_as_by_the_host(void)
{
    enum { N = 3, SIZE = 151, BYTES = RG_CLARAN_SUBJECT * RG_CLARAN_SUBJECT * 3,
           VALUES = 3 * SIZE * SIZE };
    static uint8_t rgb[N * BYTES];
    static float made[N * VALUES], wanted[VALUES];
    const rg_row rows[] = { INPUT("data", N, 3, SIZE, SIZE) };
    const rg_net_options options = { .precision = RG_PRECISION_F32 };
    rg_claran model = rg_claran_paper;
    rg_net *net;
    model.input = SIZE;
    for (int i = 0; i < N * BYTES; i++) rgb[i] = (uint8_t)rg_random_mix(1, (uint64_t)i);
    CHECK_OK(rg_net_new(&net, rows, 1, tested, &options));
    CHECK(rg_net_shows(net));
    CHECK_OK(rg_net_show(net, "data", rgb, RG_CLARAN_SUBJECT, model.mean));
    CHECK_OK(rg_net_get(net, "data", made));
    for (int n = 0; n < N; n++) {
        rg_claran_input(&model, rgb + (long)n * BYTES, wanted);
        CHECK(memcmp(made + (long)n * VALUES, wanted, sizeof wanted) == 0);
    }
    rg_net_free(net);
}

/* ---- what is found ---- */

static rg_runner *open_shipped(const rg_backend *backend, rg_precision precision)
{
    const rg_runner_options how = { .backend = backend, .precision = precision,
                                    .proposals = 5, .iou = 0.7f };
    rg_weights *weights = NULL;
    rg_runner *runner = NULL;
    CHECK_OK(rg_weights_read(&weights, RG_SOURCE_DIR "/core/models/claran-d1.fits"));
    if (weights) CHECK_OK(rg_runner_open(&runner, weights, &how));
    return runner;
}

static void show_field(rg_runner *runner, int index)
{
    rg_simulation how = rg_simulate_defaults;
    rg_simulated field;
    rg_sky *window;
    how.size = RG_CLARAN_SUBJECT;
    CHECK_OK(rg_simulate_field(&how, index, &field));
    const double middle = (RG_CLARAN_SUBJECT + 1) / 2.0;
    CHECK_OK(rg_sky_new_window(&window, field.radio->sky, middle, middle,
                               RG_CLARAN_SUBJECT, RG_CLARAN_PIXEL));
    CHECK_OK(rg_detect_window(RG_METHOD_D1, field.radio, NULL, window,
                              rg_runner_window(runner, 0)));
    rg_sky_free(window);
    rg_simulate_clear(&field);
}

/* Distance of the nearest box of the same class, and of its probability. */
static double nearest(rg_look look, rg_box box, int class_, float p, double *off)
{
    double best = 1e9;
    for (int k = class_; k < look.n * RG_CLASSES; k += RG_CLASSES) {
        const rg_box b = rg_boxes_decode(look.proposals[k / RG_CLASSES],
                                         look.shifts + 4 * k);
        const double d = fmax(fmax(fabs(b.x1 - box.x1), fabs(b.y1 - box.y1)),
                              fmax(fabs(b.x2 - box.x2), fabs(b.y2 - box.y2)));
        if (d < best) *off = fabs(look.probability[k] - p);
        best = fmin(best, d);
    }
    return best;
}

/* The model that comes along, as a card rounds it, against the processor's f32: boxes
 * within half a pixel of the network's, P within 0.01, but for so many of them. */
static void finds_what_f32_finds(rg_precision precision, int fields, double but)
{
    rg_runner *card = open_shipped(tested, precision);
    rg_runner *cpu = open_shipped(&rg_backend_cpu, RG_PRECISION_F32);
    int found = 0, other_than = 0;
    for (int field = 0; card && cpu && field < fields; field++) {
        show_field(card, field);
        show_field(cpu, field);
        CHECK_OK(rg_runner_run(card, 1));
        CHECK_OK(rg_runner_run(cpu, 1));
        const rg_look f32 = rg_runner_look(cpu, 0), other = rg_runner_look(card, 0);
        for (int k = 0; k < f32.n * RG_CLASSES; k++) {
            const float p = f32.probability[k];
            double off = 1;
            if (k % RG_CLASSES == 0 || !(p > 0.5f)) continue;
            const rg_box box = rg_boxes_decode(f32.proposals[k / RG_CLASSES],
                                               f32.shifts + 4 * k);
            const double pixels = nearest(other, box, k % RG_CLASSES, p, &off);
            other_than += !(pixels <= 0.5 && off <= 0.01);
            found++;
        }
    }
    CHECK(found > 0);
    if (getenv("RG_VERBOSE"))
        printf("%s: %d of %d found otherwise\n", rg_backend_precision_name(precision),
               other_than, found);
    CHECK_NEAR(other_than, 0, but * found);
    rg_runner_close(card);
    rg_runner_close(cpu);
}

#endif

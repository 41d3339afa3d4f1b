/* SPDX-License-Identifier: MIT */
/* Windows through the network one by one and in batches, on a card that is the host
 * (card.c) and on the plain loops; and a card that is too small. */
#ifdef _OPENMP
#include <omp.h>
#endif
#include <stdlib.h>

#include "core/detector/runner.h"
#include "core/detector/sweep.h"
#include "core/engine/net.h"
#include "core/engine/random.h"
#include "tests/card.h"
#include "tests/check.h"

extern const rg_backend rg_backend_gpu;

enum { WINDOWS = 5, BYTES = RG_CLARAN_SUBJECT * RG_CLARAN_SUBJECT * 3, ROIS = 5 };

static const rg_claran model = {
    .input = 64, .width = 4, .fc = 8, .anchor = { 8, 16, 24, 32, 40, 48 },
    .method = RG_METHOD_D1, .mean = { 120, 120, 120 },
};

/* Random ones; the caller frees, or a runner. */
static rg_weights *make_weights(void)
{
    rg_weights *w = NULL;
    rg_row rows[RG_CLARAN_ROWS];
    rg_net *net;
    int n = rg_claran_rows(&model, &(rg_claran_run){ .batch = 1, .rois = ROIS }, rows);
    for (int i = 0; i < n; i++)
        if (rows[i].spread > 0) rows[i].spread = 0.1f;   /* scores that differ */
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_claran_describe(&model, w));
    CHECK_OK(rg_net_new(&net, rows, n, &rg_backend_ref,
                        &(rg_net_options){ .seed = 8 }));
    CHECK_OK(rg_net_save(net, w, false));
    rg_net_free(net);
    return w;
}

static float iou = 0.7f;
static int rois = ROIS, views;

static rg_runner *open_on(const rg_backend *backend, const rg_backend *spare)
{
    const rg_runner_options how = { .backend = backend, .spare = spare,
                                    .precision = RG_PRECISION_F32, .proposals = rois,
                                    .iou = iou, .views = views };
    rg_runner *runner = NULL;
    CHECK_OK(rg_runner_open(&runner, make_weights(), &how));
    return runner;
}

/* Window number `seed`, as window i of a batch. */
static void fill(rg_runner *runner, int i, uint64_t seed)
{
    uint8_t *rgb = rg_runner_window(runner, i);
    for (int k = 0; k < BYTES; k++)
        rgb[k] = (uint8_t)(rg_random_mix(seed, (uint64_t)(k / 3 / 8)) >> 56);
}

static void compare(rg_look a, rg_look b, double pixels, double probability)
{
    CHECK(a.n == b.n && a.n > 0);
    for (int k = 0; k < a.n; k++) {
        CHECK_NEAR(b.proposals[k].x1, a.proposals[k].x1, pixels);
        CHECK_NEAR(b.proposals[k].y2, a.proposals[k].y2, pixels);
    }
    for (int k = 0; k < a.n * RG_CLASSES; k++)
        CHECK_NEAR(b.probability[k], a.probability[k], probability);
    for (int k = 0; k < a.n * RG_CLASSES * 4; k++)
        CHECK_NEAR(b.shifts[k], a.shifts[k], probability);
}

/* All windows at once, and each by itself on `alone`. */
static void compare_with(rg_runner *together, rg_runner *alone, double pixels,
                         double probability)
{
    const int batch = rg_runner_batch(together, 100);
    for (int first = 0; first < WINDOWS; first += batch) {
        const int n = WINDOWS - first < batch ? WINDOWS - first : batch;
        for (int i = 0; i < n; i++) fill(together, i, (uint64_t)(first + i));
        CHECK_OK(rg_runner_run(together, n));
        for (int i = 0; i < n; i++) {
            fill(alone, 0, (uint64_t)(first + i));
            CHECK_OK(rg_runner_run(alone, 1));
            compare(rg_runner_look(alone, 0), rg_runner_look(together, i), pixels,
                    probability);
        }
    }
}

static void a_batch_is_its_windows(void)
{
    rg_runner *together = open_on(&rg_backend_gpu, NULL);
    rg_runner *alone = open_on(&rg_backend_gpu, NULL);
    rg_runner *ref = open_on(&rg_backend_ref, NULL);
    if (together && alone && ref) {
        CHECK(rg_runner_batch(alone, 1) == 1);
        CHECK(rg_runner_batch(ref, 100) == 1);
        CHECK(rg_runner_batch(together, 100) == RG_RUNNER_BATCH);
        compare_with(together, alone, 0, 0);
        compare_with(together, ref, 1e-3, 1e-4);
        CHECK(strcmp(rg_runner_note(together), "") == 0);
    }
    rg_runner_close(together);
    rg_runner_close(alone);
    rg_runner_close(ref);
}

/* Fed one batch behind another, the last smaller: every look is of its own window. */
static void what_is_fed_comes_back_in_order(void)
{
    static const int sizes[] = { 4, 4, 1, 2, 0, 0, 3, 0 };
    rg_runner *runner = open_on(&rg_backend_gpu, NULL);
    rg_runner *alone = open_on(&rg_backend_gpu, NULL);
    rg_runner *ref = open_on(&rg_backend_ref, NULL);
    int fed = 0, seen = 0, done;
    if (runner == NULL || alone == NULL || ref == NULL) return;
    CHECK(rg_runner_batch(runner, 100) > 3);
    for (int k = 0; k < 8; k++) {
        for (int i = 0; i < sizes[k]; i++) fill(runner, i, (uint64_t)(fed + i));
        CHECK_OK(rg_runner_feed(runner, sizes[k], &done));
        CHECK(done == fed - seen);            /* all that were fed before */
        memset(rg_runner_window(runner, 0), 0, 4 * (size_t)BYTES);
        for (int i = 0; i < done; i++) {
            fill(alone, 0, (uint64_t)(seen + i));
            CHECK_OK(rg_runner_run(alone, 1));
            compare(rg_runner_look(alone, 0), rg_runner_look(runner, i), 0, 0);
        }
        seen += done;
        fed += sizes[k];
    }
    CHECK(seen == 14);
    fill(runner, 0, 1);
    CHECK_OK(rg_runner_feed(runner, 1, &done));
    rg_runner_batch(runner, 2);               /* another image: that one is forgotten */
    CHECK_OK(rg_runner_feed(runner, 0, &done));
    CHECK(done == 0);
    CHECK_OK(rg_runner_feed(ref, 1, &done));
    CHECK(done == 1);                         /* the processor's way */
    rg_runner_close(runner);
    rg_runner_close(alone);
    rg_runner_close(ref);
}

/* Window `seed` is window i of a batch: what `alone` shows of it, one view after the
 * other, to the bit; and nearly what the plain loops show. */
static void compare_views(rg_runner *card, int i, rg_runner *alone, rg_runner *ref,
                          uint64_t seed)
{
    const rg_seen *a, *b;
    fill(alone, 0, seed);
    fill(ref, 0, seed);
    CHECK_OK(rg_runner_run(alone, 1));
    CHECK_OK(rg_runner_run(ref, 1));
    const int n = rg_runner_seen(alone, 0, true, &a);
    CHECK(n > 0 && n < 4 * ROIS * (RG_CLASSES - 1));
    CHECK(rg_runner_seen(card, i, true, &b) == n);
    CHECK(memcmp(a, b, (size_t)n * sizeof *a) == 0);
    CHECK(rg_runner_seen(ref, 0, true, &b) > 0);
    for (int view = 0; view < 4; view++)
        compare(rg_runner_look(ref, view), rg_runner_look(card, 4 * i + view), 2e-3,
                1e-3);
}

/* On a card with their windows in a batch; one by one on the plain loops, and on a card
 * that has no room for all of a window. */
static void views_go_with_their_windows(void)
{
    views = 4;
    rg_runner *card = open_on(&rg_backend_gpu, NULL);
    rg_runner *small = open_on(&rg_backend_gpu, NULL);
    rg_runner *alone = open_on(&rg_backend_gpu, NULL);
    rg_runner *ref = open_on(&rg_backend_ref, NULL);
    views = 0;
    int done;
    if (card == NULL || small == NULL || alone == NULL || ref == NULL) return;
    CHECK(rg_runner_batch(card, 100) == RG_RUNNER_BATCH / 4);
    CHECK(rg_runner_batch(ref, 100) == 1);
    for (int i = 0; i < 3; i++) fill(card, i, (uint64_t)i);
    CHECK_OK(rg_runner_feed(card, 3, &done));
    CHECK(done == 0);
    fill(card, 0, 3);
    CHECK_OK(rg_runner_feed(card, 1, &done));
    CHECK(done == 3);
    for (int i = 0; i < done; i++) compare_views(card, i, alone, ref, (uint64_t)i);
    CHECK_OK(rg_runner_feed(card, 0, &done));
    CHECK(done == 1);
    compare_views(card, 0, alone, ref, 3);
    const size_t room = card_room;
    card_room = 900 << 10;
    CHECK(rg_runner_batch(small, 100) == 1);
    CHECK(strstr(rg_runner_note(small), "at once, not") != NULL);
    card_room = room;
    fill(small, 0, 3);
    CHECK_OK(rg_runner_feed(small, 1, &done));
    CHECK(done == 1);                         /* the processor's way */
    compare_views(small, 0, alone, ref, 3);
    rg_runner_close(card);
    rg_runner_close(small);
    rg_runner_close(alone);
    rg_runner_close(ref);
}

/* The processor looks at them when it is asked to. */
static void views_are_looked_at_where_they_are_wanted(void)
{
    const rg_seen *seen;
    const rg_backend *on[] = { &rg_backend_gpu, &rg_backend_ref };
    for (int k = 0; k < 2; k++) {
        views = 2;
        rg_runner *runner = open_on(on[k], NULL);
        views = 0;
        if (runner == NULL) return;
        fill(runner, 0, 3);
        (void)rg_runner_batch(runner, 100);
        CHECK_OK(rg_runner_run(runner, 1));
        const float before = rg_runner_look(runner, 0).probability[1];
        memset(rg_runner_window(runner, 0), 0, BYTES);      /* the next may be there */
        const int as_it_is = rg_runner_seen(runner, 0, false, &seen);
        CHECK(as_it_is == rg_runner_look(runner, 0).n * (RG_CLASSES - 1));
        CHECK((rg_runner_look(runner, 1).n > 0) == (k == 0));
        CHECK(rg_runner_seen(runner, 0, true, &seen) > 0);
        CHECK(rg_runner_look(runner, 1).n > 0);
        CHECK(rg_runner_look(runner, 0).probability[1] == before);
        rg_runner_close(runner);
    }
}

/* Fewer than there is room for: what fills it up is none. */
static void proposals_may_be_few(void)
{
    iou = 0;
    rois = 60;
    rg_runner *runner = open_on(&rg_backend_gpu, NULL);
    rg_runner *ref = open_on(&rg_backend_ref, NULL);
    iou = 0.7f;
    rois = ROIS;
    if (runner && ref) {
        fill(runner, 0, 3);
        fill(ref, 0, 3);
        CHECK_OK(rg_runner_run(runner, 1));
        CHECK_OK(rg_runner_run(ref, 1));
        CHECK(rg_runner_look(ref, 0).n < 60);
        compare(rg_runner_look(ref, 0), rg_runner_look(runner, 0), 1e-3, 1e-4);
    }
    rg_runner_close(runner);
    rg_runner_close(ref);
}

/* One channel of conv1_1 is so large; nothing reads it. */
static rg_runner *open_grown(rg_precision precision, float bias)
{
    const rg_runner_options how = { .backend = &rg_backend_gpu, .proposals = ROIS,
                                    .precision = precision, .iou = 0.7f };
    rg_weights *weights = make_weights();
    rg_weight *grown = rg_weights_find(weights, "conv1_1.bias");
    rg_weight *reads = rg_weights_find(weights, "conv1_2");
    rg_runner *runner = NULL;
    CHECK(grown && reads);
    if (grown == NULL || reads == NULL) return NULL;
    grown->data[0] = bias;
    for (int o = 0; o < reads->shape.n; o++)
        for (int k = 0; k < 9; k++) reads->data[o * reads->shape.c * 9 + k] = 0;
    CHECK_OK(rg_runner_open(&runner, weights, &how));
    return runner;
}

/* A background of 3e5 in the input, say: not nothing found, but a sentence. */
static void what_outgrows_f16_is_refused(void)
{
    rg_runner *runner = open_grown(RG_PRECISION_F16, 3e5f);
    if (runner == NULL) return;
    fill(runner, 0, 1);
    CHECK_FAILS(rg_runner_run(runner, 1), "row conv1_1 of this model outgrows f16");
    rg_runner_close(runner);
}

static void without_room_for_bf16_it_is_asked_again(void)
{
    rg_runner *runner = open_grown(RG_PRECISION_AUTO, 7e4f);
    if (runner == NULL) return;
    fill(runner, 0, 1);
    CHECK(rg_runner_batch(runner, 100) > 3);
    const size_t room = card_room;
    card_room = (size_t)4 << 20;        /* for one window, not for 16 */
    CHECK_FAILS(rg_runner_run(runner, 1), "memory is full");
    const size_t left = card_room;
    CHECK(rg_runner_precision(runner) == RG_PRECISION_F16);
    CHECK_FAILS(rg_runner_run(runner, 2), "memory is full");
    CHECK(card_room == left);                      /* all of it given back */
    card_room = room;
    CHECK_OK(rg_runner_run(runner, 1));
    CHECK(rg_runner_precision(runner) == RG_PRECISION_BF16);
    rg_runner_close(runner);
}

/* Unasked, f16 is left for bf16, for one window and for many. */
static void what_outgrows_f16_is_left_to_bf16(void)
{
    rg_runner *runner = open_grown(RG_PRECISION_AUTO, 7e4f);
    rg_runner *bf16 = open_grown(RG_PRECISION_BF16, 7e4f);
    rg_runner *small = open_grown(RG_PRECISION_AUTO, 1);
    if (runner == NULL || bf16 == NULL || small == NULL) return;
    CHECK(rg_runner_batch(runner, 100) > 3 && rg_runner_batch(bf16, 100) > 3);
    CHECK(rg_runner_precision(runner) == RG_PRECISION_F16);
    compare_with(runner, bf16, 0, 0);
    CHECK(rg_runner_precision(runner) == RG_PRECISION_BF16);
    CHECK(strstr(rg_runner_note(runner), "bf16 is used: row conv1_1") != NULL);
    without_room_for_bf16_it_is_asked_again();
    fill(small, 0, 1);
    CHECK_OK(rg_runner_run(small, 1));
    CHECK(rg_runner_precision(small) == RG_PRECISION_F16);
    CHECK(rg_runner_note(small)[0] == '\0');
    rg_runner_close(runner);
    rg_runner_close(bf16);
    rg_runner_close(small);
}

static void little_memory_makes_small_batches(void)
{
    rg_runner *runner = open_on(&rg_backend_gpu, &rg_backend_cpu);
    rg_runner *alone = open_on(&rg_backend_gpu, NULL);
    if (runner == NULL || alone == NULL) return;
    const size_t room = card_room;
    card_room = (size_t)4 << 20;
    const int batch = rg_runner_batch(runner, 100);
    CHECK(batch > 1 && batch < RG_RUNNER_BATCH);
    CHECK(rg_runner_batch(runner, 100) == batch);
    CHECK(strstr(rg_runner_note(runner), "windows at once, not") != NULL);
    CHECK(strstr(rg_runner_note(runner), "memory is full") != NULL);
    card_room = room;
    compare_with(runner, alone, 0, 0);
    rg_runner_close(runner);
    rg_runner_close(alone);
}

static void no_memory_leaves_the_processor(void)
{
    const rg_runner_options strict = { .backend = &rg_backend_gpu, .proposals = ROIS,
                                       .precision = RG_PRECISION_F32, .iou = 0.7f };
    rg_runner *runner = NULL;
    const size_t room = card_room;
    card_room = 1000;
    CHECK_FAILS(rg_runner_open(&runner, make_weights(), &strict), "memory is full");
    runner = open_on(&rg_backend_gpu, &rg_backend_cpu);
    CHECK(card_room == 1000);               /* all of it given back */
    card_room = room;
    if (runner == NULL) return;
    CHECK(strcmp(rg_runner_backend(runner), "cpu") == 0);
    CHECK(strstr(rg_runner_note(runner), "the processor is used") != NULL);
    fill(runner, 0, 1);
    CHECK_OK(rg_runner_run(runner, 1));
    CHECK(rg_runner_look(runner, 0).n > 0);
    rg_runner_close(runner);
}

/* ---- windows of many images ---- */

enum { IMAGES = 20, LARGE = 3, LEFT = 5 };

static rg_image *make_image(int k)
{
    const int side = k == LARGE ? 300 : 110;
    rg_sky *sky;
    rg_image *image;
    CHECK_OK(rg_sky_new_tangent(&sky, 150 + k, 20, side, 1.8));
    CHECK_OK(rg_image_new(&image, side, side, sky));
    for (int i = 0; i < side * side; i++)
        image->pixels[i] = (float)(rg_random_mix((uint64_t)k, (uint64_t)(i / 9)) >> 40);
    return image;
}

/* What is found in the images, [first, end) of them together. */
static void sweep(rg_runner *runner, rg_image *const *images, rg_swept *all, int first,
                  int end)
{
    static rg_detect_task tasks[IMAGES];
    for (int i = first; i < end; i++) {
        tasks[i] = (rg_detect_task){ .radio = images[i], .status = i == LEFT };
        all[i] = (rg_swept){ .task = &tasks[i] };
        CHECK_OK(rg_layout_new(&all[i].layout, images[i], 1));
    }
    CHECK_OK(rg_sweep(runner, &rg_detect_defaults, all + first, end - first));
    for (int i = first; i < end; i++) CHECK(tasks[i].looked == (i == LEFT ? 0 :
                                            all[i].layout.total));
}

static void compare_swept(rg_swept *a, rg_swept *b, int n)
{
    for (int i = 0; i < n; i++) {
        CHECK(a[i].found.n == b[i].found.n && (a[i].found.n == 0) == (i == LEFT));
        for (int k = 0; k < a[i].found.n && k < b[i].found.n; k++) {
            const rg_detection *p = &a[i].found.item[k].found;
            const rg_detection *q = &b[i].found.item[k].found;
            CHECK(p->raw == q->raw && p->class_ == q->class_ && p->ra == q->ra);
            CHECK(p->evidence[RG_EVIDENCE_FIT] == q->evidence[RG_EVIDENCE_FIT]);
        }
        rg_candidates_clear(&a[i].found);
        rg_candidates_clear(&b[i].found);
    }
}

static void threads(int n)
{
#ifdef _OPENMP
    omp_set_num_threads(n);
#endif
}

/* A card sees the windows of many images at once, and finds what it finds in each. */
static void images_share_batches(void)
{
    rg_runner *runner = open_on(&rg_backend_gpu, NULL);
    rg_image *images[IMAGES];
    rg_swept *all = calloc(2 * IMAGES, sizeof *all);
    long replays[3];
    for (int i = 0; i < IMAGES; i++) images[i] = make_image(i);
    sweep(runner, images, all, LARGE, LARGE + 1);    /* there are recordings */
    rg_candidates_clear(&all[LARGE].found);
    for (int i = 0; i < 3; i++) {
        sweep(runner, images, all, 0, 1);
        rg_candidates_clear(&all[0].found);
    }
    replays[0] = card_replays;
    threads(3);
    sweep(runner, images, all, 0, IMAGES);
    replays[1] = card_replays;
    threads(1);
    for (int i = 0; i < IMAGES; i++) sweep(runner, images, all + IMAGES, i, i + 1);
    replays[2] = card_replays;
    CHECK(3 * (replays[1] - replays[0]) < replays[2] - replays[1]);
    compare_swept(all, all + IMAGES, IMAGES);
    for (int i = 0; i < IMAGES; i++) rg_image_free(images[i]);
    free(all);
    rg_runner_close(runner);
}

/* With windows in its hands and before it: said, and where there is another backend
 * all is found by that one. */
static void a_card_may_fail(void)
{
    rg_runner *runner = open_on(&rg_backend_gpu, &rg_backend_cpu);
    rg_runner *card = open_on(&rg_backend_gpu, NULL);
    rg_runner *cpu = open_on(&rg_backend_cpu, NULL);
    rg_image *image = make_image(LARGE);
    rg_detect_task tasks[3] = { { .radio = image }, { .radio = image },
                                { .radio = image } };
    rg_swept all[3] = { { .task = &tasks[0] }, { .task = &tasks[1] },
                        { .task = &tasks[2] } };
    for (int i = 0; i < 3; i++) CHECK_OK(rg_layout_new(&all[i].layout, image, 1));
    card_trouble = RG_TROUBLE_KERNEL;
    card_trouble_in = 200;
    CHECK_FAILS(rg_sweep(runner, &rg_detect_defaults, &all[0], 1), "test wishes");
    CHECK(tasks[0].looked > 0);                 /* it was on the way */
    CHECK_FAILS(rg_sweep(card, &rg_detect_defaults, &all[2], 1), "test wishes");
    CHECK_FAILS(rg_runner_leave(card), "test wishes");
    CHECK(!rg_runner_left(card) && !rg_runner_left(runner));
    CHECK_OK(rg_runner_leave(runner));
    CHECK(rg_runner_left(runner) && strcmp(rg_runner_backend(runner), "cpu") == 0);
    CHECK(strstr(rg_runner_note(runner), "the processor is used: the GPU failed in "));
    rg_candidates_clear(&all[0].found);
    CHECK_OK(rg_sweep(runner, &rg_detect_defaults, &all[0], 1));
    CHECK_OK(rg_sweep(cpu, &rg_detect_defaults, &all[1], 1));
    compare_swept(&all[0], &all[1], 1);
    CHECK_FAILS(rg_runner_leave(runner), "");
    card_trouble_in = -1;
    rg_candidates_clear(&all[2].found);
    rg_image_free(image);
    rg_runner_close(runner);
    rg_runner_close(card);
    rg_runner_close(cpu);
}

int main(void)
{
    CHECK_RUN(a_batch_is_its_windows);
    CHECK_RUN(what_is_fed_comes_back_in_order);
    CHECK_RUN(views_go_with_their_windows);
    CHECK_RUN(views_are_looked_at_where_they_are_wanted);
    CHECK_RUN(proposals_may_be_few);
    CHECK_RUN(little_memory_makes_small_batches);
    CHECK_RUN(no_memory_leaves_the_processor);
    CHECK_RUN(what_outgrows_f16_is_refused);
    CHECK_RUN(what_outgrows_f16_is_left_to_bf16);
    CHECK_RUN(images_share_batches);
    CHECK_RUN(a_card_may_fail);
    return CHECK_END();
}

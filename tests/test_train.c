/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <unistd.h>

#include "core/detector/detect.h"
#include "core/learning/average.h"
#include "core/evaluation/calibrate.h"
#include "core/data/folder.h"
#include "core/learning/losses.h"
#include "core/learning/subject.h"
#include "core/learning/recipe.h"

static char folder[64] = "/tmp/claran-test-train.XXXXXX";
static rg_dataset *list;
static volatile sig_atomic_t stop;
static rg_network network;             /* of tiny models */

static char *in_folder(const char *name)
{
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static rg_claran tiny(void)
{
    rg_claran model = rg_claran_paper;
    const float anchor[RG_CLARAN_ANCHORS] = { 6, 9, 14, 20, 30, 44 };
    model.network = network;
    model.input = 64;
    model.width = 4;
    model.fc = 16;
    memcpy(model.anchor, anchor, sizeof anchor);
    return model;
}

static void note(void *user, const rg_train_report *report)
{
    *(rg_train_report *)user = *report;
    if (report->step == 3) stop = 1;
}

static rg_train_options quick(const char *backend, long steps, rg_train_report *last)
{
    rg_train_options how = rg_recipe_default.how;
    how.backend = backend;
    how.precision = RG_PRECISION_F32;
    how.schedule.steps = steps;
    how.schedule.cosine = 0;
    how.schedule.warmup = 0;
    how.batch = 2;
    how.rois = 8;
    how.report = 1;
    how.checkpoint = 1000;
    how.progress = note;
    how.user = last;
    return how;
}

static int train(const rg_train_options *how, const char *out)
{
    rg_claran model = tiny();
    return rg_train((const rg_dataset *const *)&list, 1, &model, how, out);
}

static int same_bytes(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    int same = f != NULL && g != NULL, c = 0, d = 0;
    while (same && c != EOF) {
        c = getc(f);
        d = getc(g);
        same = c == d;
    }
    if (f) fclose(f);
    if (g) fclose(g);
    return same;
}

static void a_resumed_run_equals_one_that_was_not_stopped(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 6, &last);
    CHECK_OK(train(&how, in_folder("whole.fits")));
    stop = 0;
    how.stop = &stop;
    CHECK(train(&how, in_folder("parts.fits")) == 1);
    CHECK(last.step == 3 && last.saved);
    how.stop = NULL;
    how.resume = 1;
    CHECK_OK(train(&how, in_folder("parts.fits")));
    CHECK(last.step == 6);
    CHECK(same_bytes(in_folder("whole.fits"), in_folder("parts.fits")));
    CHECK(same_bytes(in_folder("whole.fits.checkpoint"),
                     in_folder("parts.fits.checkpoint")));
}

/* A step that no training makes would be one that none comes to. */
static void a_checkpoint_of_no_step_is_refused(void)
{
    static const double steps[] = { -1, 1e300 };
    rg_train_report last;
    rg_train_options how = quick("cpu", 6, &last);
    how.resume = 1;
    for (int i = 0; i < 2 && !check_failed_; i++) {
        rg_weights *w = NULL;
        CHECK_OK(rg_weights_read(&w, in_folder("whole.fits.checkpoint")));
        CHECK_OK(rg_weights_set_number(w, "STEP", steps[i], "training steps made"));
        CHECK_OK(rg_weights_write(w, in_folder("no_step.fits.checkpoint"), false));
        rg_weights_free(w);
        CHECK_FAILS(train(&how, in_folder("no_step.fits")), "STEP = ");
    }
}

/* Fields without labels near: nothing but background to learn, and that is learnt. */
static void windows_without_truths_are_trained_on(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 3, &last);
    how.augment = (rg_augment_options){ .rotate = 0.5, .zoom = { 3, 3 }, .empty = 1 };
    CHECK_OK(train(&how, in_folder("empty.fits")));
    CHECK(last.step == 3 && last.total > 0 && isfinite(last.total));
}

static void another_seed_makes_another_model(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 6, &last);
    how.seed = 2;
    CHECK_OK(train(&how, in_folder("other.fits")));
    CHECK(!same_bytes(in_folder("whole.fits"), in_folder("other.fits")));
}

static void steps_equal_those_of_ref(const char *backend, long steps)
{
    rg_train_report ref, fast;
    rg_train_options how = quick("ref", steps, &ref);
    CHECK_OK(train(&how, in_folder("ref.fits")));
    how = quick(backend, steps, &fast);
    CHECK_OK(train(&how, in_folder("fast.fits")));
    CHECK(ref.step == steps && fast.step == steps);
    CHECK_NEAR(fast.total, ref.total, 2e-3 * ref.total);
    CHECK_NEAR(fast.norm, ref.norm, 2e-2 * ref.norm);
}

static void ten_steps_on_cpu_equal_those_of_ref(void)
{
    steps_equal_those_of_ref("cpu", 10);
}

/* One that is the host: it finds its proposals, its examples are drawn ahead. */
static void ten_steps_on_a_card_equal_those_of_ref(void)
{
    setenv("CLARAN_GPU", "./tests/claran-card.so", 1);
    steps_equal_those_of_ref("gpu", 10);
}

/* The gradients of ST pooling reach the deltas: another model, the same on both. */
static void box_gradients_move_the_proposals(void)
{
    rg_train_report plain, cpu, ref, card;
    rg_train_options how = quick("cpu", 2, &plain);
    CHECK_OK(train(&how, in_folder("still.fits")));
    how.box_gradients = 1;
    how.user = &cpu;
    CHECK_OK(train(&how, in_folder("moved.fits")));
    CHECK(!same_bytes(in_folder("still.fits"), in_folder("moved.fits")));
    how.backend = "ref";
    how.user = &ref;
    CHECK_OK(train(&how, in_folder("moved_ref.fits")));
    CHECK_NEAR(cpu.norm, ref.norm, 2e-2 * ref.norm);
    how.backend = "gpu";
    how.user = &card;
    setenv("CLARAN_GPU", "./tests/claran-card.so", 1);
    CHECK_OK(train(&how, in_folder("moved_card.fits")));
    CHECK_NEAR(card.norm, ref.norm, 2e-2 * ref.norm);
    CHECK(cpu.norm != plain.norm);
}

static void the_loss_falls(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 60, &last);
    how.report = 20;
    how.schedule.rate = 2e-3f;
    how.flips = how.turns = 0;
    how.shift = 0;
    CHECK_OK(train(&how, in_folder("fall.fits")));
    /* Untrained: ln 2 for an anchor, ln 7 for a RoI. */
    CHECK(last.rpn_cls < 0.5f * 0.693f);
    CHECK(last.roi_cls < 0.8f * 1.946f);
}

static void the_model_opens_for_detection(void)
{
    rg_detector *detector;
    CHECK_OK(rg_detect_open(&detector, in_folder("whole.fits"), &rg_detect_defaults));
    if (check_failed_) return;
    CHECK(rg_detect_model(detector)->input == 64);
    CHECK(rg_detect_model(detector)->mean[0] > 100);   /* D1 is mostly blue */
    rg_detect_close(detector);
}

/* The brightest pixel of a field with one source stays inside its box, however the
 * window is moved, turned and flipped. */
static void boxes_follow_their_pixels(void)
{
    rg_subjects *subjects;
    rg_claran model = tiny();
    rg_subject_options how = { .flips = 1, .turns = 1, .shift = 50, .balance = 0.5 };
    static float data[3 * 64 * 64];
    rg_sky *sky;
    rg_image *image;
    CHECK_OK(rg_sky_new_tangent(&sky, 150, 2, 120, 1.8));
    CHECK_OK(rg_image_new(&image, 120, 120, sky));
    for (int i = 0; i < 120 * 120; i++) {
        double dx = i % 120 - 70, dy = i / 120 - 45;
        image->pixels[i] = (float)(exp(-(dx * dx + 4 * dy * dy) / 18) + 1e-4 * (i % 7));
    }
    CHECK_OK(rg_image_write(image, in_folder("one.fits"), NULL));
    rg_image_free(image);
    FILE *file = fopen(in_folder("one.csv"), "w");
    fputs("file,class,xmin,ymin,xmax,ymax\none.fits,1C_1P,63.5,41.5,78.5,50.5\n", file);
    fclose(file);
    rg_dataset *one;
    CHECK_OK(rg_dataset_read(&one, in_folder("one.csv")));
    CHECK_OK(
        rg_subjects_new(&subjects, (const rg_dataset *const *)&one, 1, 0.5, false));
    for (uint64_t seed = 0; seed < 64; seed++) {
        rg_subject subject;
        int brightest = 0;
        CHECK_OK(rg_subject_draw(subjects, &model, &how, seed, data, &subject));
        CHECK(subject.n == 1);
        if (subject.n != 1) continue;
        /* Red (the third plane) grows with the pixel in the colour map cool. */
        const float *red = data + 2 * 64 * 64;
        for (int i = 0; i < 64 * 64; i++)
            if (red[i] > red[brightest]) brightest = i;
        rg_box b = subject.truths[0].box;
        int x = brightest % 64, y = brightest / 64;
        CHECK(x >= b.x1 && x <= b.x2 && y >= b.y1 && y <= b.y2);
    }
    rg_subjects_free(subjects);
    rg_dataset_free(one);
}

/* Its box regression is in training's units: as a model it would give wrong boxes. */
static void a_checkpoint_is_no_model(void)
{
    rg_detector *detector;
    rg_train_report last;
    rg_train_options how = quick("cpu", 6, &last);
    how.start = in_folder("whole.fits.checkpoint");
    CHECK_FAILS(rg_detect_open(&detector, how.start, &rg_detect_defaults),
                "checkpoint");
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "checkpoint");
}

static void bad_settings_are_sentences(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 6, &last);
    how.batch = 0;
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "batch of 0");
    how = quick("gpu7", 6, &last);
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "gpu7");
    how = quick("cpu", 6, &last);
    how.freeze = "conv9_1";
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "conv9_1");
    how.freeze = NULL;
    how.ema = 1.5f;
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "keeps 1.5");
    how.ema = 0;
    how.dropout = 1;
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "dropout");
    how = quick("cpu", 6, &last);
    how.start = "/nowhere/model.fits";
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "/nowhere/model.fits");
    how = quick("cpu", 6, &last);
    CHECK_FAILS(train(&how, "/nowhere/at/all.fits"), "/nowhere/at/all.fits");
    rg_claran other = tiny();
    other.fc = 32;
    how.resume = 1;
    CHECK_FAILS(rg_train((const rg_dataset *const *)&list, 1, &other, &how,
                         in_folder("whole.fits")), "another model");
}

/* A run for an infrared method, begun with the weights of a radio one. */
static void an_infrared_method_starts_from_a_radio_model(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 2, &last);
    rg_claran model = tiny();
    rg_detector *detector;
    rg_simulation sky = rg_simulate_defaults;
    rg_simulated field;
    rg_detection *found = NULL;
    int n = 0;
    sky.size = 100;
    CHECK_OK(train(&how, in_folder("radio.fits")));
    CHECK_OK(rg_calibrate_write(&(rg_calibration){ .calibration = { 0.5f, 1 } },
                                in_folder("radio.fits"), "x", in_folder("radio.fits")));
    how.start = in_folder("radio.fits");
    model.method = RG_METHOD_D4;
    memset(model.mean, 0, sizeof model.mean);
    CHECK_OK(rg_train((const rg_dataset *const *)&list, 1, &model, &how,
                      in_folder("both.fits")));
    CHECK_OK(rg_detect_open(&detector, in_folder("both.fits"), &rg_detect_defaults));
    CHECK(rg_detect_model(detector)->method == RG_METHOD_D4);
    CHECK(rg_detect_model(detector)->calibration[0] == 0);
    CHECK_NEAR(rg_detect_model(detector)->mean[2], 213, 25);   /* not the radio's 20 */
    CHECK_OK(rg_simulate_field(&sky, 0, &field));
    CHECK_OK(rg_detect(detector, field.radio, field.infrared, &found, &n));
    free(found);
    CHECK_FAILS(rg_detect(detector, field.radio, NULL, &found, &n),
                "needs an infrared");
    how.start = NULL;
    how.resume = 1;
    model.method = RG_METHOD_D3;
    CHECK_FAILS(rg_train((const rg_dataset *const *)&list, 1, &model, &how,
                         in_folder("both.fits")), "method D4, not D3");
    rg_simulate_clear(&field);
    rg_detect_close(detector);
}

/* The mean of two models, weight by weight; what cannot be averaged is refused. */
static void models_are_averaged(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 3, &last);
    const char *const two[] = { in_folder("one.fits"), in_folder("two.fits") };
    rg_weights *w[3];
    char out[128];
    snprintf(out, sizeof out, "%s", in_folder("mean.fits"));
    CHECK_OK(train(&how, two[0]));
    how.seed = 77;
    CHECK_OK(train(&how, two[1]));
    CHECK_OK(rg_average(two, 2, out, (const char *const[]){ "a note", NULL }));
    CHECK_OK(rg_weights_read(&w[0], two[0]));
    CHECK_OK(rg_weights_read(&w[1], two[1]));
    CHECK_OK(rg_weights_read(&w[2], out));
    CHECK(rg_weights_count(w[2]) == rg_weights_count(w[0]));
    for (int i = 0; i < rg_weights_count(w[2]); i++) {
        const rg_weight *mean = rg_weights_at(w[2], i);
        const rg_weight *a = rg_weights_find(w[0], mean->name);
        const rg_weight *b = rg_weights_find(w[1], mean->name);
        for (long k = 0; k < rg_layer_count(mean->shape); k += 7)
            CHECK_NEAR(mean->data[k], (a->data[k] + b->data[k]) / 2, 1e-4);
    }
    CHECK(strcmp(rg_weights_history(w[2], rg_weights_histories(w[2]) - 1), "a note")
          == 0);
    for (int i = 0; i < 3; i++) rg_weights_free(w[i]);
    CHECK_FAILS(rg_average(two, 1, out, NULL), "two models");
    const char *const other[] = { two[0], in_folder("both.fits") };
    CHECK_FAILS(rg_average(other, 2, out, NULL), "same method");
    const char *const unfinished[] = { two[0], in_folder("two.fits.checkpoint") };
    CHECK_FAILS(rg_average(unfinished, 2, out, NULL), "checkpoint");
}

/* With an average of the weights, frozen rows and rates of their own. */
static void a_resumed_average_is_the_same(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 6, &last);
    rg_losses *losses;
    char log[256];
    how.ema = 0.9f;
    how.freeze = "..conv1_2";
    how.factors = "*.bias=2";
    snprintf(log, sizeof log, "%s", in_folder("losses.csv"));
    CHECK_OK(train(&how, in_folder("ema.fits")));
    how.log = log;
    stop = 0;
    how.stop = &stop;
    CHECK(train(&how, in_folder("ema2.fits")) == 1);
    how.stop = NULL;
    how.resume = 1;
    CHECK_OK(train(&how, in_folder("ema2.fits")));
    CHECK(same_bytes(in_folder("ema.fits"), in_folder("ema2.fits")));
    CHECK(same_bytes(in_folder("ema.fits.checkpoint"),
                     in_folder("ema2.fits.checkpoint")));
    CHECK(!same_bytes(in_folder("ema.fits"), in_folder("whole.fits")));
    CHECK_OK(rg_losses_read(&losses, log));
    if (check_failed_) return;
    CHECK(losses->runs[0].n == 6);
    for (int i = 0; i < losses->runs[0].n; i++)
        CHECK_NEAR(losses->runs[0].step[i], i + 1, 0);
    CHECK_NEAR(losses->runs[0].curve[RG_LOSSES_TOTAL][5], last.total, 1e-5);
    rg_losses_free(losses);
    how.ema = 0;
    CHECK_FAILS(train(&how, in_folder("ema2.fits")), "with an average");
    how.ema = 0.9f;
    CHECK_FAILS(train(&how, in_folder("whole.fits")), "without an average");
}

/* The checkpoint has the values to the bit. */
static void frozen_rows_are_those_it_started_from(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 3, &last);
    rg_weights *from, *to;
    how.start = in_folder("whole.fits");
    how.freeze = "..conv2_2,fc7";
    how.ema = 0.9f;
    CHECK_OK(train(&how, in_folder("frozen.fits")));
    CHECK_OK(rg_weights_read(&from, in_folder("whole.fits")));
    CHECK_OK(rg_weights_read(&to, in_folder("frozen.fits.checkpoint")));
    if (check_failed_) return;
    for (int i = 0; i < rg_weights_count(from); i++) {
        const rg_weight *a = rg_weights_at(from, i), *b = rg_weights_find(to, a->name);
        size_t bytes = sizeof(float) * (size_t)rg_layer_count(a->shape);
        bool same = b && memcmp(a->data, b->data, bytes) == 0;
        CHECK(same == (strncmp(a->name, "conv1", 5) == 0
                       || strncmp(a->name, "conv2", 5) == 0
                       || strncmp(a->name, "fc7", 3) == 0));
    }
    /* The average is on its way from the first weights to the last. */
    const rg_weight *first = rg_weights_find(from, "conv5_3");
    const rg_weight *last_one = rg_weights_find(to, "conv5_3");
    const rg_weight *mean = rg_weights_find(to, "conv5_3.mean");
    double whole = 0, part = 0;
    for (long k = 0; k < rg_layer_count(first->shape); k++) {
        whole += fabs(last_one->data[k] - first->data[k]);
        part += fabs(mean->data[k] - first->data[k]);
    }
    CHECK(part > 0.3 * whole && part < 0.98 * whole);
    rg_weights_free(from);
    rg_weights_free(to);
}

/* All of the paper's arithmetic on a network that is quick. */
static void the_papers_recipe_trains(void)
{
    rg_train_report last;
    rg_train_options how = rg_recipe_paper.how;
    how.backend = "cpu";
    how.schedule.steps = 3;
    how.progress = note;
    how.user = &last;
    CHECK_OK(train(&how, in_folder("paper.fits")));
    CHECK(last.step == 3 && last.total > 0 && last.total < 10);
}

/* One step too small to see: the convolutions are the backbone's, the rest is not. */
static void a_backbone_begins_another_model(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 1, &last);
    rg_claran model = tiny();
    rg_weights *from, *to;
    char whole[256];
    snprintf(whole, sizeof whole, "%s", in_folder("whole.fits"));
    model.fc = 24;
    model.input = 80;
    memset(model.mean, 0, sizeof model.mean);
    how.seed = 9;
    how.schedule.rate = 1e-9f;
    how.backbone = whole;
    CHECK_OK(rg_train((const rg_dataset *const *)&list, 1, &model, &how,
                      in_folder("begun.fits")));
    CHECK_OK(rg_weights_read(&from, whole));
    CHECK_OK(rg_weights_read(&to, in_folder("begun.fits")));
    for (int i = 0; i < rg_weights_count(to); i++) {
        const rg_weight *b = rg_weights_at(to, i), *a = rg_weights_find(from, b->name);
        bool same = a && memcmp(&a->shape, &b->shape, sizeof a->shape) == 0;
        for (long k = 0; same && k < rg_layer_count(a->shape); k++)
            same = fabsf(a->data[k] - b->data[k]) < 1e-4f;
        if (strstr(b->name, ".bias") == NULL)
            CHECK(same == (strncmp(b->name, "conv", 4) == 0));
    }
    double was, is;
    CHECK_OK(rg_weights_number(from, "MEAN_B", &was));
    CHECK_OK(rg_weights_number(to, "MEAN_B", &is));
    CHECK_NEAR(is, was, 1e-3);
    rg_weights_free(from);
    rg_weights_free(to);
    model.width = 5;
    CHECK_FAILS(rg_train((const rg_dataset *const *)&list, 1, &model, &how,
                         in_folder("bad.fits")), "give --width 4");
    model.width = 4;
    how.start = whole;
    CHECK_FAILS(rg_train((const rg_dataset *const *)&list, 1, &model, &how,
                         in_folder("bad.fits")), "not from both");
}

/* The same of a residual network with a feature pyramid. */
static void fpn_resumes(void) { a_resumed_run_equals_one_that_was_not_stopped(); }
/* Few: eight values a channel are normalised at stride 32, and differences grow. */
static void fpn_on_cpu_equals_ref(void) { steps_equal_those_of_ref("cpu", 2); }
static void fpn_opens_for_detection(void) { the_model_opens_for_detection(); }
static void fpn_loss_falls(void) { the_loss_falls(); }

/* How many in simulated field number i. */
static int detect_in(rg_detector *detector, int i)
{
    rg_simulation sky = rg_simulate_defaults;
    rg_simulated field;
    rg_detection *found = NULL;
    int n = 0;
    sky.size = 100;
    CHECK_OK(rg_simulate_field(&sky, i, &field));
    CHECK_OK(rg_detect(detector, field.radio, NULL, &found, &n));
    for (int k = 0; k < n; k++) CHECK(found[k].width > 0 && found[k].probability > 0);
    free(found);
    rg_simulate_clear(&field);
    return n;
}

/* After so few steps it finds nothing in some fields, in which depends on rounding. */
static void fpn_detects(void)
{
    rg_detect_options all = rg_detect_defaults;
    rg_detector *detector;
    int n = 0;
    all.all = true;
    CHECK_OK(rg_detect_open(&detector, in_folder("fall.fits"), &all));
    if (check_failed_) return;
    CHECK(rg_detect_model(detector)->network == RG_NETWORK_FPN);
    for (int i = 0; i < 8; i++) n += detect_in(detector, i);
    CHECK(n > 0);
    rg_detect_close(detector);
}

static void fpn_is_not_claran(void)
{
    rg_train_report last;
    rg_train_options how = quick("cpu", 2, &last);
    char fpn[256];
    snprintf(fpn, sizeof fpn, "%s", in_folder("whole.fits"));
    network = RG_NETWORK_CLARAN;
    how.start = fpn;
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "network fpn");
    network = RG_NETWORK_FPN;
    how.start = NULL;
    how.backbone = fpn;
    CHECK_FAILS(train(&how, in_folder("bad.fits")), "not fpn");
}

int main(void)
{
    rg_simulation sky = rg_simulate_defaults;
    sky.size = 100;
    sky.seed = 5;
    if (mkdtemp(folder) == NULL
        || rg_folder_simulate(&sky, 6, in_folder("sky"), NULL, NULL) != 0
        || rg_dataset_read(&list, in_folder("sky.csv")) != 0) {
        printf("FAIL simulated list: %s\n", rg_error_message());
        return EXIT_FAILURE;
    }
    CHECK_RUN(a_resumed_run_equals_one_that_was_not_stopped);
    CHECK_RUN(a_resumed_average_is_the_same);
    CHECK_RUN(frozen_rows_are_those_it_started_from);
    CHECK_RUN(the_papers_recipe_trains);
    CHECK_RUN(windows_without_truths_are_trained_on);
    CHECK_RUN(another_seed_makes_another_model);
    CHECK_RUN(ten_steps_on_cpu_equal_those_of_ref);
    CHECK_RUN(ten_steps_on_a_card_equal_those_of_ref);
    CHECK_RUN(box_gradients_move_the_proposals);
    CHECK_RUN(the_loss_falls);
    CHECK_RUN(the_model_opens_for_detection);
    CHECK_RUN(boxes_follow_their_pixels);
    CHECK_RUN(a_checkpoint_is_no_model);
    CHECK_RUN(a_checkpoint_of_no_step_is_refused);
    CHECK_RUN(bad_settings_are_sentences);
    CHECK_RUN(an_infrared_method_starts_from_a_radio_model);
    CHECK_RUN(models_are_averaged);
    CHECK_RUN(a_backbone_begins_another_model);
    network = RG_NETWORK_FPN;
    CHECK_RUN(fpn_resumes);
    CHECK_RUN(fpn_on_cpu_equals_ref);
    CHECK_RUN(fpn_opens_for_detection);
    CHECK_RUN(fpn_loss_falls);
    CHECK_RUN(fpn_detects);
    CHECK_RUN(fpn_is_not_claran);
    rg_dataset_free(list);
    char remove[128];
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    return system(remove) == 0 ? CHECK_END() : EXIT_FAILURE;
}

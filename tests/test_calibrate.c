/* SPDX-License-Identifier: MIT */
/* Calibration of detections whose chance of being right is known. */
#include <unistd.h>

#include "core/engine/random.h"
#include "core/learning/average.h"
#include "core/evaluation/calibrate.h"
#include "core/evaluation/reliability.h"
#include "tests/check.h"

/* One field each: P says `raw` of the class, and it is right or not. */
static void add(rg_evaluation *e, int class_, double raw, bool right)
{
    const double away = right ? 0 : 100;
    const rg_label label = { away, 0, away + 10, 10, class_, 1 };
    const rg_detection d = { .class_ = class_, .probability = (float)raw,
                             .raw = (float)raw, .xmax = 10, .ymax = 10 };
    CHECK_OK(rg_evaluate_add(e, &d, 1, &label, 1));
    CHECK_OK(rg_evaluate_choose(e, RG_FOUND_SINGLE, &d, 1));
}

/* n detections right with the chance sigmoid(a logit(raw) + b), the classes 1 and 2 in
 * turn, b of class 2 being `other`. */
static rg_evaluation *draw(int n, double a, double b, double other)
{
    uint64_t state = 5;
    rg_evaluation *e = rg_evaluate_new();
    for (int i = 0; i < n; i++) {
        const double logit = 1 + 2 * rg_random_normal(&state);
        const double chance = 1 / (1 + exp(-(a * logit + (i % 2 ? other : b))));
        add(e, 1 + i % 2, 1 / (1 + exp(-logit)), rg_random_uniform(&state) < chance);
    }
    return e;
}

static void what_was_drawn_is_found(void)
{
    rg_evaluation *e = draw(4000, 0.6, -1.2, 0.2);
    rg_calibration c = { .folds = 5, .seed = 1 };
    CHECK_OK(rg_calibrate_fit(e, 0.5, &c));
    CHECK_NEAR(c.calibration[0], 0.6, 0.06);
    CHECK_NEAR(c.calibration[1], -1.2, 0.12);
    CHECK_NEAR(c.calibration[2], 0.2, 0.12);
    for (int k = 3; k < RG_CLASSES; k++) CHECK(c.calibration[k] == 0);
    CHECK(c.detections == 4000 && c.right > 1500 && c.right < 3500);
    CHECK(c.before > 0.1 && c.after < 0.025 && c.crossed < 0.03 && c.chance < 0.02);
    rg_evaluate_free(e);
}

/* Two detections in three are of second labels, twice as likely to be wrong: they tell
 * what a good fit is worth, the first labels how often they are right. */
static void evidence_is_learned_and_first_labels_are_believed(void)
{
    uint64_t state = 7;
    rg_evaluation *e = rg_evaluate_new();
    rg_calibration c = { .folds = 5, .seed = 1 };
    for (int i = 0; i < 6000; i++) {
        const double logit = 2 * rg_random_normal(&state);
        const double fit = rg_random_uniform(&state);
        const double z = 0.8 * logit + 3 * fit - (i % 3 ? 2 : 0.5);
        const bool right = rg_random_uniform(&state) < 1 / (1 + exp(-z));
        const double away = right ? 0 : 100, raw = 1 / (1 + exp(-logit));
        const rg_label label = { away, 0, away + 10, 10, 3, 1 };
        const rg_detection d = { .class_ = 3, .raw = (float)raw, .xmax = 10, .ymax = 10,
                                 .evidence = { [RG_EVIDENCE_FIT] = (float)fit } };
        CHECK_OK(rg_evaluate_add(e, &d, 1, &label, 1));
        if (i % 3 == 0) CHECK_OK(rg_evaluate_choose(e, RG_FOUND_SINGLE, &d, 1));
    }
    CHECK_OK(rg_calibrate_fit(e, 0.5, &c));
    CHECK(c.detections == 2000);
    CHECK_NEAR(c.calibration[0], 0.8, 0.08);
    CHECK_NEAR(c.calibration[3], -0.5, 0.15);
    CHECK_NEAR(c.calibration[RG_CLASSES + RG_EVIDENCE_FIT], 3, 0.3);
    CHECK(c.calibration[RG_CLASSES + RG_EVIDENCE_GAP] == 0);
    CHECK(c.before > 0.05 && c.crossed < 0.03);
    CHECK(c.map_after.six > c.map_before.six + 0.02);
    CHECK_NEAR(c.map_crossed.six, c.map_after.six, 0.01);
    CHECK(c.map_crossed.three == c.map_crossed.six);
    rg_evaluate_free(e);
}

/* At the minimum P and the share that is right agree on average in each class, but for
 * the priors' pull. */
static void likelihood_is_at_its_maximum(void)
{
    rg_evaluation *e = draw(300, 1.5, 0.5, -0.5);
    rg_calibration c = { .folds = 5, .seed = 1 };
    CHECK_OK(rg_calibrate_fit(e, 0.5, &c));
    rg_claran m = { .input = 0 };
    memcpy(m.calibration, c.calibration, sizeof m.calibration);
    double slope[3] = { 0 };
    for (int i = 0; i < 300; i++) {
        const rg_entry *d = &e->found[RG_FOUND_SINGLE].item[i];
        const bool right = e->truths.item[i].box.x1 == 0;
        const double off = rg_claran_calibrate(&m, d->class_, d->raw, d->evidence)
                           - right;
        slope[0] += off * log(d->raw / (1 - d->raw));
        slope[d->class_] += off;
    }
    for (int k = 0; k < 3; k++) CHECK_NEAR(slope[k], 0, 0.3);
    rg_evaluate_free(e);
}

static void temperature_leaves_b(void)
{
    rg_evaluation *e = draw(2000, 0.5, 0, 0);
    rg_calibration c = { .temperature = true, .folds = 5, .seed = 1 };
    CHECK_OK(rg_calibrate_fit(e, 0.5, &c));
    CHECK_NEAR(c.calibration[0], 0.5, 0.06);
    CHECK(c.calibration[1] == 0 && c.calibration[2] == 0);
    rg_evaluate_free(e);
}

static void perfect_separation_does_not_diverge(void)
{
    rg_evaluation *e = rg_evaluate_new();
    rg_calibration c = { .folds = 2, .seed = 1 };
    for (int i = 0; i < 20; i++) add(e, 1, i < 10 ? 1.0 : 0.06, i < 10);
    CHECK_OK(rg_calibrate_fit(e, 0.5, &c));
    CHECK(c.calibration[0] > 0 && c.calibration[0] < 10);
    CHECK(fabs(c.calibration[1]) < 10 && c.after < 0.1);
    rg_evaluate_free(e);
}

static void what_cannot_be_calibrated(void)
{
    rg_evaluation *few = draw(9, 1, 0, 0), *wrong = draw(500, -1, 0, 0);
    rg_calibration c = { .folds = 5, .seed = 1 };
    CHECK_FAILS(rg_calibrate_fit(few, 0.5, &c), "too few");
    CHECK_FAILS(rg_calibrate_fit(wrong, 0.5, &c), "cannot be calibrated");
    rg_evaluate_free(few);
    rg_evaluate_free(wrong);
}

/* Bins by hand: 0.3 wrong; 0.95 and 0.91 of which one is right, twice. */
static void errors_by_hand(void)
{
    rg_reliability r = { .n = { 0 } };
    CHECK(isnan(rg_reliability_error(&r)));
    rg_reliability_add(&r, 0.3, false, 1);
    rg_reliability_add(&r, 0.95, true, 2);
    rg_reliability_add(&r, 0.91, false, 2);
    CHECK_NEAR(rg_reliability_error(&r), (0.3 + (2 * 0.95 + 2 * 0.91 - 2)) / 5, 1e-12);
    rg_reliability_add(&r, 1, true, 1);
    CHECK_NEAR(r.n[9], 5, 0);
}

/* One detection of P 0.5 is off by one half however it falls. */
static void error_by_chance(void)
{
    double p[400];
    for (int i = 0; i < 400; i++) p[i] = 0.5;
    CHECK_NEAR(rg_reliability_chance(p, 1, 1), 0.5, 1e-12);
    CHECK_NEAR(rg_reliability_chance(p, 400, 1), 0.5 / 20 * 0.798, 0.003);
}

static void write_model(const char *path)
{
    rg_weights *w = NULL;
    float values[500];
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_claran_describe(&rg_claran_paper, w));
    for (int i = 0; i < 500; i++) values[i] = (float)sin(i * i) * 0.3f;
    CHECK(rg_weights_add(w, "conv1_1", (rg_shape){ 5, 100, 1, 1 }, values) != NULL);
    CHECK_OK(rg_weights_write(w, path, true));
    rg_weights_free(w);
}

/* Settings and identity of a model file. */
static rg_claran read_model(const char *path, char identity[RG_CLARAN_IDENTITY])
{
    rg_weights *w = NULL;
    rg_claran model = { .input = 0 };
    CHECK_OK(rg_weights_read(&w, path));
    CHECK_OK(rg_claran_recognise(&model, w));
    rg_claran_identity(&model, w, identity);
    CHECK(strstr(path, "plain") || rg_weights_histories(w) > 0);
    rg_weights_free(w);
    return model;
}

static void models_keep_weights_and_averages_lose_it(void)
{
    const rg_calibration c = { .calibration = { 0.6f, 0.3f }, .detections = 50 };
    char plain[64], fitted[64], mean[64], id[3][RG_CLARAN_IDENTITY];
    snprintf(plain, sizeof plain, "test_calibrate.%ld.plain.fits", (long)getpid());
    snprintf(fitted, sizeof fitted, "test_calibrate.%ld.fitted.fits", (long)getpid());
    snprintf(mean, sizeof mean, "test_calibrate.%ld.mean.fits", (long)getpid());
    write_model(plain);
    CHECK_OK(rg_calibrate_write(&c, plain, "held.csv", fitted));
    read_model(plain, id[0]);
    rg_claran model = read_model(fitted, id[1]);
    CHECK(model.calibration[0] == 0.6f && model.calibration[1] == 0.3f);
    CHECK(strlen(id[0]) == 8 && strlen(id[1]) == 13 && !strncmp(id[0], id[1], 8));
    CHECK_OK(rg_average((const char *const[]){ fitted, fitted }, 2, mean, NULL));
    model = read_model(mean, id[2]);
    CHECK(model.calibration[0] == 0 && model.calibration[1] == 0);
    CHECK_FAILS(rg_calibrate_write(&c, "none.fits", "held.csv", fitted), "none.fits");
    remove(plain);
    remove(fitted);
    remove(mean);
}

int main(void)
{
    CHECK_RUN(what_was_drawn_is_found);
    CHECK_RUN(evidence_is_learned_and_first_labels_are_believed);
    CHECK_RUN(likelihood_is_at_its_maximum);
    CHECK_RUN(temperature_leaves_b);
    CHECK_RUN(perfect_separation_does_not_diverge);
    CHECK_RUN(what_cannot_be_calibrated);
    CHECK_RUN(errors_by_hand);
    CHECK_RUN(error_by_chance);
    CHECK_RUN(models_keep_weights_and_averages_lose_it);
    return CHECK_END();
}

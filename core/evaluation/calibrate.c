/* SPDX-License-Identifier: MIT */
#include "core/evaluation/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/evaluation/reliability.h"

enum { LEAST = 10, SWEEPS = 1000 };
#define PRIOR_A 1.0                   /* inverse variances of a about 1 ... */
#define PRIOR_B 0.25                  /* ... and of each b about 0 */
#define CLEAR 1e-7                    /* as in rg_claran_calibrate */

/* One detection. */
typedef struct outcome {
    double raw, logit;
    bool right;
    int field, class_;
} outcome;

typedef struct outcomes {
    outcome *item;                    /* owned */
    int n, right;
} outcomes;

static int collect(const rg_evaluation *e, double iou, outcomes *all)
{
    rg_ranking r;
    RG_TRY(rg_evaluate_rank(e, RG_FOUND_SINGLE, RG_SCHEME_SIX, iou, &r));
    all->item = rg_error_alloc((unsigned long)r.n, sizeof *all->item, "detections");
    for (int i = 0; i < r.n && all->item; i++) {
        const double raw = r.item[i].entry->raw;
        const double clear = fmin(fmax(raw, CLEAR), 1 - CLEAR);
        if (r.item[i].is == RG_NEITHER) continue;
        all->item[all->n++] = (outcome){ raw, log(clear / (1 - clear)),
                                         r.item[i].is == RG_RIGHT,
                                         r.item[i].entry->field, r.item[i].class_ };
        all->right += r.item[i].is == RG_RIGHT;
    }
    rg_evaluate_clear(&r);
    return all->item ? 0 : -1;
}

/* ---- maximum likelihood ---- */

/* What is fitted to: all but the fields of one fold. */
typedef struct sample {
    const outcomes *all;
    const int *fold;                  /* of each field */
    int without;                      /* -1: nothing is left out */
    bool temperature;
} sample;

static bool is_in(const sample *s, const outcome *o)
{
    return s->without < 0 || s->fold[o->field] != s->without;
}

/* Newton's step of one of the parameters: a (k = 0) or the b of class k, by the slope
 * and the curvature of minus the logarithm of likelihood and prior. */
static double step_of(const sample *s, const double x[RG_CLASSES], int k)
{
    const double prior = k ? PRIOR_B : PRIOR_A;
    double slope = prior * (x[k] - (k ? 0 : 1)), curvature = prior;
    for (int i = 0; i < s->all->n; i++) {
        const outcome *o = &s->all->item[i];
        if (!is_in(s, o) || (k && o->class_ != k)) continue;
        const double p = 1 / (1 + exp(-(x[0] * o->logit + x[o->class_])));
        const double by = k ? 1 : o->logit;
        slope += (p - o->right) * by;
        curvature += p * (1 - p) * by * by;
    }
    return -slope / curvature;
}

/* The function is convex: one parameter after the other, again and again, in steps that
 * are kept short where it is nearly flat. */
static void fit(const sample *s, float calibration[RG_CLASSES])
{
    double x[RG_CLASSES] = { 1 }, moved = 1;
    for (int k = 0; k < SWEEPS && moved > 1e-9; k++) {
        moved = 0;
        for (int c = 0; c < (s->temperature ? 1 : RG_CLASSES); c++) {
            const double step = fmax(-0.5, fmin(0.5, step_of(s, x, c)));
            x[c] += step;
            moved = fmax(moved, fabs(step));
        }
    }
    for (int c = 0; c < RG_CLASSES; c++) calibration[c] = (float)x[c];
}

/* ---- how well ---- */

static double calibrated(const float calibration[RG_CLASSES], const outcome *o)
{
    rg_claran model = { .input = 0 };
    memcpy(model.calibration, calibration, sizeof model.calibration);
    return rg_claran_calibrate(&model, o->class_, (float)o->raw);
}

static double error_of(const outcomes *all, const float calibration[RG_CLASSES])
{
    rg_reliability r = { .n = { 0 } };
    for (int i = 0; i < all->n; i++)
        rg_reliability_add(&r, calibrated(calibration, &all->item[i]),
                           all->item[i].right, 1);
    return rg_reliability_error(&r);
}

static int chance_of(const outcomes *all, const rg_calibration *c, double *chance)
{
    double *p = rg_error_alloc((unsigned long)all->n, sizeof *p, "probabilities");
    if (p == NULL) return -1;
    for (int i = 0; i < all->n; i++)
        p[i] = calibrated(c->calibration, &all->item[i]);
    *chance = rg_reliability_chance(p, all->n, c->seed);
    free(p);
    return 0;
}

/* Fields dealt out like cards. */
static void deal(int *fold, int fields, const rg_calibration *c)
{
    uint64_t state = rg_random_mix(c->seed, 0);
    for (int i = 0; i < fields; i++) fold[i] = i % c->folds;
    for (int i = fields - 1; i > 0; i--) {
        const int k = rg_random_below(&state, i + 1), held = fold[i];
        fold[i] = fold[k];
        fold[k] = held;
    }
}

/* Each fold calibrated by a fit to the others. */
static int cross_validate(const outcomes *all, int fields, rg_calibration *c)
{
    rg_reliability r = { .n = { 0 } };
    int *fold = rg_error_alloc((unsigned long)fields, sizeof *fold, "fields");
    if (fold == NULL) return -1;
    deal(fold, fields, c);
    for (int k = 0; k < c->folds; k++) {
        const sample others = { all, fold, k, c->temperature };
        float calibration[RG_CLASSES];
        fit(&others, calibration);
        for (int i = 0; i < all->n; i++)
            if (fold[all->item[i].field] == k)
                rg_reliability_add(&r, calibrated(calibration, &all->item[i]),
                                   all->item[i].right, 1);
    }
    c->crossed = fields >= c->folds ? rg_reliability_error(&r) : NAN;
    free(fold);
    return 0;
}

static int fit_all(const outcomes *all, int fields, rg_calibration *c)
{
    const sample whole = { all, NULL, -1, c->temperature };
    if (all->n < LEAST)
        return RG_FAIL("there are %d detections, too few to calibrate on: %d are "
                       "needed", all->n, LEAST);
    fit(&whole, c->calibration);
    if (!(c->calibration[0] > 0))
        return RG_FAIL("the more probable of %d detections are not the ones that are "
                       "right (a = %g): this model cannot be calibrated on this list",
                       all->n, c->calibration[0]);
    c->detections = all->n;
    c->right = all->right;
    c->before = error_of(all, (const float[RG_CLASSES]){ 0 });
    c->after = error_of(all, c->calibration);
    RG_TRY(chance_of(all, c, &c->chance));
    return cross_validate(all, fields, c);
}

int rg_calibrate_fit(const rg_evaluation *e, double iou, rg_calibration *c)
{
    outcomes all = { .item = NULL };
    int status = collect(e, iou, &all);
    if (status == 0) status = fit_all(&all, e->fields, c);
    free(all.item);
    return status;
}

/* ---- into the model ---- */

static int tell(const rg_calibration *c, const char *list, rg_weights *weights)
{
    char line[1024];
    int used = snprintf(line, sizeof line, "claran calibrate on %.512s: %d detections, "
                        "%d right; %s, a = %.4f, b =", list, c->detections, c->right,
                        c->temperature ? "temperature" : "Platt scaling by class",
                        c->calibration[0]);
    for (int k = 1; k < RG_CLASSES; k++)
        used += snprintf(line + used, sizeof line - (size_t)used, " %.4f",
                         c->calibration[k]);
    snprintf(line + used, sizeof line - (size_t)used, "; expected calibration error "
             "%.4f before, %.4f after, %.4f cross-validated", c->before, c->after,
             c->crossed);
    return rg_weights_add_history(weights, line);
}

/* Written in 16 bits as models are, or in 32 where that would change a weight. */
static int write_same(const rg_weights *weights, const char *to)
{
    rg_weights *back;
    char hash[9], again[9];
    rg_weights_hash(weights, hash);
    RG_TRY(rg_weights_write(weights, to, true));
    RG_TRY(rg_weights_read(&back, to));
    rg_weights_hash(back, again);
    rg_weights_free(back);
    return strcmp(hash, again) == 0 ? 0 : rg_weights_write(weights, to, false);
}

int rg_calibrate_write(const rg_calibration *c, const char *from, const char *list,
                       const char *to)
{
    rg_weights *weights;
    rg_claran model;
    RG_TRY(rg_weights_read(&weights, from));
    int status = rg_claran_recognise(&model, weights);
    if (status != 0) rg_error_prefix("%s: ", from);
    memcpy(model.calibration, c->calibration, sizeof model.calibration);
    if (status == 0) status = rg_claran_describe(&model, weights);
    if (status == 0) status = tell(c, list, weights);
    if (status == 0) status = write_same(weights, to);
    rg_weights_free(weights);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "core/evaluation/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/evaluation/reliability.h"

enum { LEAST = 10, LEAST_SOURCES = 5, SWEEPS = 1000, ALL = RG_CLARAN_CALIBRATION };
#define PRIOR_A 1.0                   /* inverse variances of a about 1 ... */
#define PRIOR_B 0.25                  /* ... and of each b and e about 0 */
#define CLEAR 1e-7                    /* as in rg_claran_calibrate */

/* One detection. */
typedef struct outcome {
    double z;                         /* logit of the network's p; later what a, b and e
                                         make of it */
    float raw, x[RG_EVIDENCES];
    bool right;
    int field, class_;
} outcome;

typedef struct outcomes {
    outcome *item;                    /* owned */
    int n, right;
} outcomes;

/* Which comes first is learned of every class's detections, how often they are right of
 * one label per source. */
typedef struct lesson { outcomes all, single; } lesson;

static outcome describe(const rg_judged *judged)
{
    const rg_entry *e = judged->entry;
    const double clear = fmin(fmax(e->raw, CLEAR), 1 - CLEAR);
    outcome o = { .z = log(clear / (1 - clear)), .raw = e->raw,
                  .right = judged->is == RG_RIGHT, .field = e->field,
                  .class_ = judged->class_ };
    memcpy(o.x, e->evidence, sizeof o.x);
    return o;
}

static int collect(const rg_evaluation *e, rg_found set, double iou, outcomes *out)
{
    rg_ranking r;
    RG_TRY(rg_evaluate_rank(e, set, RG_SCHEME_SIX, iou, &r));
    out->item = rg_error_alloc((unsigned long)r.n, sizeof *out->item, "detections");
    for (int i = 0; i < r.n && out->item; i++) {
        if (r.item[i].is == RG_NEITHER) continue;
        out->item[out->n++] = describe(&r.item[i]);
        out->right += r.item[i].is == RG_RIGHT;
    }
    rg_evaluate_clear(&r);
    return out->item ? 0 : -1;
}

/* ---- maximum likelihood ---- */

/* What is fitted to: all but the fields of one fold. */
typedef struct sample {
    const outcomes *of;
    const int *fold;                  /* of each field */
    int without;                      /* -1: nothing is left out */
} sample;

static bool is_in(const sample *s, const outcome *o)
{
    return s->without < 0 || s->fold[o->field] != s->without;
}

static double sum_of(const double w[ALL], const outcome *o)
{
    double z = w[0] * o->z + w[o->class_];
    for (int k = 0; k < RG_EVIDENCES; k++) z += w[RG_CLASSES + k] * o->x[k];
    return z;
}

/* What number k is multiplied with. */
static double factor(const outcome *o, int k)
{
    if (k == 0) return o->z;
    return k < RG_CLASSES ? o->class_ == k : o->x[k - RG_CLASSES];
}

/* Newton's step of one of the numbers, a, b or e, by the slope and the curvature of
 * minus the logarithm of likelihood and prior. */
static double step_of(const sample *s, const double w[ALL], int k)
{
    const double prior = k ? PRIOR_B : PRIOR_A;
    double slope = prior * (w[k] - (k ? 0 : 1)), curvature = prior;
    for (int i = 0; i < s->of->n; i++) {
        const outcome *o = &s->of->item[i];
        const double by = factor(o, k);
        if (by == 0 || !is_in(s, o)) continue;
        const double p = 1 / (1 + exp(-sum_of(w, o)));
        slope += (p - o->right) * by;
        curvature += p * (1 - p) * by * by;
    }
    return -slope / curvature;
}

/* The first n numbers, the others 0.  The function is convex: one after the other,
 * again and again, in steps that are kept short where it is nearly flat. */
static void fit(const sample *s, int n, double w[ALL])
{
    double moved = 1;
    for (int k = 0; k < ALL; k++) w[k] = k == 0;
    for (int i = 0; i < SWEEPS && moved > 1e-7; i++) {
        moved = 0;
        for (int k = 0; k < n; k++) {
            const double step = fmax(-0.5, fmin(0.5, step_of(s, w, k)));
            w[k] += step;
            moved = fmax(moved, fabs(step));
        }
    }
}

/* Both fits as one. */
static int learn(const lesson *l, const int *fold, int without, bool temperature,
                 float calibration[ALL])
{
    double first[ALL], second[ALL];
    outcomes ranked = l->single;
    ranked.item = rg_error_alloc((unsigned long)ranked.n, sizeof *ranked.item,
                                 "detections");
    if (ranked.item == NULL) return -1;
    fit(&(sample){ &l->all, fold, without }, temperature ? 1 : ALL, first);
    for (int i = 0; i < ranked.n; i++) {
        ranked.item[i] = l->single.item[i];
        ranked.item[i].z = sum_of(first, &ranked.item[i]);
    }
    fit(&(sample){ &ranked, fold, without }, temperature ? 1 : RG_CLASSES, second);
    for (int k = 0; k < ALL; k++)
        calibration[k] = (float)(second[0] * first[k] + (k ? second[k] : 0));
    free(ranked.item);
    return 0;
}

/* ---- how well ---- */

static double calibrated(const float calibration[ALL], const outcome *o)
{
    rg_claran model = { .input = 0 };
    memcpy(model.calibration, calibration, sizeof model.calibration);
    return rg_claran_calibrate(&model, o->class_, o->raw, o->x);
}

static double error_of(const outcomes *all, const float calibration[ALL])
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

/* Average precision with each field's detections under the calibration of its fold;
 * fold NULL: all under the first. */
static int average_of(rg_evaluation *e, double iou, const int *fold,
                      const float (*calibration)[ALL], rg_calibration_map *map)
{
    const rg_entries *all = &e->found[RG_FOUND_ALL];
    rg_scores scores;
    rg_ranking ranking;
    float *p = rg_error_alloc((unsigned long)all->n, sizeof *p, "probabilities");
    if (p == NULL) return -1;
    for (int i = 0; i < all->n; i++) {
        outcome o = { .raw = all->item[i].raw, .class_ = all->item[i].class_ };
        memcpy(o.x, all->item[i].evidence, sizeof o.x);
        p[i] = (float)calibrated(calibration[fold ? fold[all->item[i].field] : 0], &o);
    }
    rg_evaluate_restate(e, RG_FOUND_ALL, p);
    free(p);
    for (int k = 0; k < 2; k++) {
        RG_TRY(rg_evaluate_rank(e, RG_FOUND_ALL, k ? RG_SCHEME_COMPONENTS
                                : RG_SCHEME_SIX, iou, &ranking));
        rg_evaluate_average(e, &ranking, NULL, LEAST_SOURCES, NULL, &scores);
        rg_evaluate_clear(&ranking);
        *(k ? &map->three : &map->six) = scores.map;
    }
    return 0;
}

/* Each fold calibrated by a fit to the others. */
static int cross_validate(const lesson *l, rg_evaluation *e, double iou,
                          rg_calibration *c)
{
    rg_reliability r = { .n = { 0 } };
    int status = 0;
    int *fold = rg_error_alloc((unsigned long)e->fields, sizeof *fold, "fields");
    float (*fits)[ALL] = rg_error_alloc((unsigned long)c->folds, sizeof *fits, "folds");
    if (fold == NULL || fits == NULL) status = -1;
    else deal(fold, e->fields, c);
    for (int k = 0; k < c->folds && status == 0; k++)
        status = learn(l, fold, k, c->temperature, fits[k]);
    for (int i = 0; i < l->single.n && status == 0; i++) {
        const outcome *o = &l->single.item[i];
        rg_reliability_add(&r, calibrated(fits[fold[o->field]], o), o->right, 1);
    }
    const bool enough = e->fields >= c->folds;
    c->crossed = enough ? rg_reliability_error(&r) : NAN;
    c->map_crossed = (rg_calibration_map){ NAN, NAN };
    if (status == 0 && enough)
        status = average_of(e, iou, fold, (const float (*)[ALL])fits, &c->map_crossed);
    free(fold);
    free(fits);
    return status;
}

/* How well, before and after. */
static int rate(const lesson *l, rg_evaluation *e, double iou, rg_calibration *c)
{
    const float none[1][ALL] = { { 0 } };
    const float (*fitted)[ALL] = (const float (*)[ALL])&c->calibration;
    c->before = error_of(&l->single, none[0]);
    c->after = error_of(&l->single, c->calibration);
    RG_TRY(chance_of(&l->single, c, &c->chance));
    RG_TRY(cross_validate(l, e, iou, c));
    RG_TRY(average_of(e, iou, NULL, none, &c->map_before));
    return average_of(e, iou, NULL, fitted, &c->map_after);
}

static int fit_all(const lesson *l, rg_evaluation *e, double iou, rg_calibration *c)
{
    c->detections = l->single.n;
    c->right = l->single.right;
    if (c->detections < LEAST)
        return RG_FAIL("there are %d detections, too few to calibrate on: %d are "
                       "needed", c->detections, LEAST);
    RG_TRY(learn(l, NULL, -1, c->temperature, c->calibration));
    if (!(c->calibration[0] > 0))
        return RG_FAIL("the more probable of %d detections are not the ones that are "
                       "right (a = %g): this model cannot be calibrated on this list",
                       c->detections, c->calibration[0]);
    return rate(l, e, iou, c);
}

int rg_calibrate_fit(rg_evaluation *e, double iou, rg_calibration *c)
{
    lesson l = { .all = { .item = NULL } };
    int status = collect(e, RG_FOUND_ALL, iou, &l.all);
    if (status == 0) status = collect(e, RG_FOUND_SINGLE, iou, &l.single);
    if (status == 0) status = fit_all(&l, e, iou, c);
    free(l.all.item);
    free(l.single.item);
    return status;
}

/* ---- into the model ---- */

static int tell(const rg_calibration *c, int views, const char *list,
                rg_weights *weights)
{
    char line[1024];
    int used = snprintf(line, sizeof line, "claran calibrate on %.512s, %d view%s: %d "
                        "detections, %d right; %s, a = %.4f, b =", list, views,
                        views > 1 ? "s" : "", c->detections, c->right,
                        c->temperature ? "temperature" : "Platt scaling by class",
                        c->calibration[0]);
    for (int k = 1; k < ALL; k++)
        used += snprintf(line + used, sizeof line - (size_t)used, "%s %.4f",
                         k == RG_CLASSES ? ", e =" : "", c->calibration[k]);
    snprintf(line + used, sizeof line - (size_t)used, "; expected calibration error "
             "%.4f before, %.4f after, %.4f cross-validated; mean average precision "
             "%.4f, %.4f, %.4f", c->before, c->after, c->crossed, c->map_before.six,
             c->map_after.six, c->map_crossed.six);
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
    if (c->views > 0) model.views = c->views;
    if (status == 0) status = rg_claran_describe(&model, weights);
    if (status == 0) status = tell(c, model.views, list, weights);
    if (status == 0) status = write_same(weights, to);
    rg_weights_free(weights);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "core/learning/average.h"

#include <stdio.h>
#include <string.h>

#include "core/detector/claran.h"
#include "core/engine/error.h"
#include "core/engine/weights.h"

/* The sum so far: weights, and the model they are of. */
typedef struct sum {
    rg_weights *weights;      /* owned */
    rg_claran model;
} sum;

static int check_same(const sum *s, const rg_claran *other)
{
    const rg_claran *one = &s->model;
    if (one->input == other->input && one->width == other->width && one->fc == other->fc
        && one->network == other->network
        && one->method == other->method
        && memcmp(one->anchor, other->anchor, sizeof one->anchor) == 0) return 0;
    return RG_FAIL("is no model of the same method, sizes and anchors as the first");
}

static int add_weights(sum *s, const rg_weights *from)
{
    for (int i = 0; i < rg_weights_count(s->weights); i++) {
        rg_weight *to = rg_weights_at(s->weights, i);
        const rg_weight *w = rg_weights_find(from, to->name);
        if (w == NULL || memcmp(&w->shape, &to->shape, sizeof w->shape) != 0)
            return RG_FAIL("has no %s of the first model's shape", to->name);
        for (long k = 0; k < rg_layer_count(to->shape); k++) to->data[k] += w->data[k];
    }
    for (int i = 0; i < rg_weights_histories(from); i++)
        RG_TRY(rg_weights_add_history(s->weights, rg_weights_history(from, i)));
    return 0;
}

/* The model of a file, added to the sum or its beginning. */
static int add_file(sum *s, const char *path)
{
    rg_weights *from;
    rg_claran model;
    RG_TRY(rg_weights_read(&from, path));
    int status = rg_claran_recognise(&model, from);
    if (status == 0 && rg_weights_has(from, "CHECKPT"))
        status = RG_FAIL("is a checkpoint: use the model beside it");
    if (status == 0 && s->weights == NULL) {
        *s = (sum){ from, model };
        return 0;
    }
    if (status == 0) status = check_same(s, &model);
    if (status == 0) status = add_weights(s, from);
    for (int c = 0; c < 3; c++) s->model.mean[c] += model.mean[c];
    rg_weights_free(from);
    return status;
}

static int divide(sum *s, int n)
{
    for (int c = 0; c < 3; c++) s->model.mean[c] /= (float)n;
    memset(s->model.calibration, 0, sizeof s->model.calibration);
    s->model.views = 1;
    for (int i = 0; i < rg_weights_count(s->weights); i++) {
        rg_weight *w = rg_weights_at(s->weights, i);
        for (long k = 0; k < rg_layer_count(w->shape); k++) w->data[k] /= (float)n;
    }
    return rg_claran_describe(&s->model, s->weights);
}

int rg_average(const char *const *paths, int n, const char *out,
               const char *const *history)
{
    sum s = { .weights = NULL };
    int status = n < 2 ? RG_FAIL("an average needs two models or more") : 0;
    for (int i = 0; status == 0 && i < n; i++) {
        status = add_file(&s, paths[i]);
        if (status != 0) rg_error_prefix("%s: ", paths[i]);
    }
    if (status == 0) status = divide(&s, n);
    for (int i = 0; status == 0 && history && history[i]; i++)
        status = rg_weights_add_history(s.weights, history[i]);
    if (status == 0) status = rg_weights_write(s.weights, out, true);
    rg_weights_free(s.weights);
    return status;
}

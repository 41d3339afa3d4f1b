/* SPDX-License-Identifier: MIT */
#include "core/engine/fold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/ref/kernels.h"

static int same(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

/* Rows that read this one or use its weights. */
static int count_users(const rg_row *rows, int nrows, const char *name)
{
    int users = 0;
    for (int i = 0; i < nrows; i++) {
        users += same(rows[i].weights, name);
        for (int k = 0; k < 3; k++) users += same(rows[i].in[k], name);
    }
    return users;
}

static int can_fold(const rg_row *rows, int nrows, const rg_row *norm,
                    const rg_row *conv)
{
    return norm->word == RG_BATCHNORM && conv && conv->word == RG_CONV
           && conv->activation == RG_LINEAR && conv->weights == NULL
           && count_users(rows, nrows, conv->name) == 1;
}

/* The tensor "NAME" + tail, of `count` values. */
static float *tensor(const rg_weights *weights, const char *name, const char *tail,
                     long count)
{
    char full[80];
    snprintf(full, sizeof full, "%s%s", name, tail);
    const rg_weight *w = rg_weights_find(weights, full);
    if (w && rg_layer_count(w->shape) == count) return w->data;
    RG_FAIL("weights %s are missing or not of the size of their row", full);
    return NULL;
}

static int fold_weights(const rg_row *conv, const rg_row *norm, rg_weights *weights)
{
    const int c = norm->outputs;
    const long each = (long)conv->inputs * conv->size * conv->size;
    char name[80];
    snprintf(name, sizeof name, "%s.bias", conv->name);
    if (conv->bare && !rg_weights_add(weights, name, (rg_shape){ 1, c, 1, 1 }, NULL))
        return -1;
    float *w = tensor(weights, conv->name, "", c * each);
    float *b = tensor(weights, conv->name, ".bias", c);
    const float *weight = tensor(weights, norm->name, "", c);
    const float *bias = tensor(weights, norm->name, ".bias", c);
    const float *mean = tensor(weights, norm->name, ".mean", c);
    const float *variance = tensor(weights, norm->name, ".variance", c);
    if (!w || !b || !weight || !bias || !mean || !variance) return -1;
    for (int i = 0; i < c; i++) {
        const float scale = weight[i] / sqrtf(variance[i] + RG_KERNELS_EPSILON);
        for (long k = 0; k < each; k++) w[i * each + k] *= scale;
        b[i] = bias[i] + scale * (b[i] - mean[i]);
    }
    return 0;
}

/* Without row i; whoever read it reads `instead`. */
static int take_out(rg_row *rows, int nrows, int i, const char *instead)
{
    const char *name = rows[i].name;
    memmove(rows + i, rows + i + 1, (size_t)(nrows - i - 1) * sizeof *rows);
    for (int j = i; j < nrows - 1; j++)
        for (int k = 0; k < 3; k++)
            if (same(rows[j].in[k], name)) rows[j].in[k] = instead;
    return nrows - 1;
}

int rg_fold(rg_row *rows, int nrows, rg_weights *weights)
{
    for (int i = 0; i < nrows; i++) {
        int from = rows[i].word == RG_BATCHNORM ? rg_layer_find(rows, i, rows[i].in[0])
                                                : -1;
        rg_row *conv = from < 0 ? NULL : &rows[from];
        if (!can_fold(rows, nrows, &rows[i], conv)) continue;
        RG_TRY(fold_weights(conv, &rows[i], weights));
        conv->bare = false;
        conv->activation = rows[i].activation;
        nrows = take_out(rows, nrows, i--, conv->name);
    }
    return nrows;
}

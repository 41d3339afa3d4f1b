/* SPDX-License-Identifier: MIT */
#include "core/engine/layer.h"

#include <string.h>

#include "core/engine/error.h"

static const struct { const char *name; int inputs; } words[RG_WORDS] = {
    [RG_INPUT] = { "INPUT", 0 },
    [RG_CONV] = { "CONV", 1 },
    [RG_MAXPOOL] = { "MAXPOOL", 1 },
    [RG_STPOOL] = { "STPOOL", 2 },
    [RG_FC] = { "FC", 1 },
    [RG_DROPOUT] = { "DROPOUT", 1 },
    [RG_SOFTMAX] = { "SOFTMAX", 1 },
    [RG_SOFTMAXLOSS] = { "SOFTMAXLOSS", 2 },
    [RG_SMOOTHL1] = { "SMOOTHL1", 3 },
};

const char *rg_layer_word(rg_word word)
{
    return words[word].name;
}

int rg_layer_inputs(rg_word word)
{
    return words[word].inputs;
}

int rg_layer_find(const rg_row *rows, int nrows, const char *name)
{
    for (int i = 0; i < nrows; i++)
        if (strcmp(rows[i].name, name) == 0) return i;
    return RG_FAIL("the network has no row \"%s\"", name);
}

long rg_layer_count(rg_shape s)
{
    return (long)s.n * s.c * s.h * s.w;
}

static int same(rg_shape a, rg_shape b)
{
    return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w;
}

static int wrong(const rg_row *row, int i, rg_shape s)
{
    return RG_FAIL("row %s (%s) cannot take %s of shape [%d, %d, %d, %d]", row->name,
                   rg_layer_word(row->word), row->in[i], s.n, s.c, s.h, s.w);
}

/* What the word makes of inputs of shapes in[]. */
static int make(const rg_row *row, const rg_shape *in, rg_shape *out)
{
    *out = in[0];
    switch (row->word) {
    case RG_INPUT:
        *out = row->shape;
        break;
    case RG_CONV:
        if (in[0].c != row->inputs || row->size % 2 == 0) return wrong(row, 0, in[0]);
        out->c = row->outputs;
        break;
    case RG_MAXPOOL:
        out->h /= 2;
        out->w /= 2;
        break;
    case RG_STPOOL:
        if (in[1].c != 5 || in[1].h != 1 || in[1].w != 1) return wrong(row, 1, in[1]);
        *out = (rg_shape){ in[1].n, in[0].c, row->size, row->size };
        break;
    case RG_FC:
        if ((long)in[0].c * in[0].h * in[0].w != row->inputs)
            return wrong(row, 0, in[0]);
        *out = (rg_shape){ in[0].n, row->outputs, 1, 1 };
        break;
    case RG_SOFTMAX:
        if (row->outputs < 1 || in[0].c % row->outputs) return wrong(row, 0, in[0]);
        break;
    case RG_SOFTMAXLOSS:
        if (row->outputs < 1 || in[0].c != in[1].c * row->outputs || in[0].n != in[1].n
            || in[0].h != in[1].h || in[0].w != in[1].w) return wrong(row, 1, in[1]);
        *out = (rg_shape){ 1, 1, 1, 1 };
        break;
    case RG_SMOOTHL1:
        for (int i = 1; i < 3; i++)
            if (!same(in[0], in[i])) return wrong(row, i, in[i]);
        *out = (rg_shape){ 1, 1, 1, 1 };
        break;
    case RG_DROPOUT:
    case RG_WORDS:
        break;
    }
    if (out->n < 1 || out->c < 1 || out->h < 1 || out->w < 1)
        return RG_FAIL("row %s (%s) would make an empty tensor [%d, %d, %d, %d]",
                       row->name, rg_layer_word(row->word), out->n, out->c, out->h,
                       out->w);
    return 0;
}

int rg_layer_shape(const rg_row *rows, int nrows, int i, rg_shape *shape)
{
    rg_shape in[3] = { { 0 } };
    if (i < 0 || i >= nrows) return RG_FAIL("the network has no row number %d", i);
    for (int k = 0; k < rg_layer_inputs(rows[i].word); k++) {
        int from = rows[i].in[k] ? rg_layer_find(rows, i, rows[i].in[k]) : -1;
        if (from < 0)
            return RG_FAIL("row %s reads %s, which no row above it makes", rows[i].name,
                           rows[i].in[k] ? rows[i].in[k] : "nothing");
        RG_TRY(rg_layer_shape(rows, nrows, from, &in[k]));
    }
    return make(&rows[i], in, shape);
}

void rg_layer_weights(const rg_row *row, rg_shape *weight, rg_shape *bias)
{
    *weight = *bias = (rg_shape){ 0, 0, 0, 0 };
    if (row->word != RG_CONV && row->word != RG_FC) return;
    int k = row->word == RG_CONV ? row->size : 1;
    *weight = (rg_shape){ row->outputs, row->inputs, k, k };
    *bias = (rg_shape){ 1, row->outputs, 1, 1 };
}

int rg_layer_print(const rg_row *rows, int nrows, FILE *to)
{
    long weights = 0, biases = 0;
    fprintf(to, "%-16s %-12s %-30s %-22s %s\n", "row", "word", "reads", "makes",
            "weights");
    for (int i = 0; i < nrows; i++) {
        rg_shape made, weight, bias;
        char reads[128] = "", makes[64];
        RG_TRY(rg_layer_shape(rows, nrows, i, &made));
        rg_layer_weights(&rows[i], &weight, &bias);
        for (int k = 0; k < rg_layer_inputs(rows[i].word); k++)
            snprintf(reads + strlen(reads), sizeof reads - strlen(reads), "%s%s",
                     k ? " " : "", rows[i].in[k]);
        snprintf(makes, sizeof makes, "%d x %d x %d x %d", made.n, made.c, made.h,
                 made.w);
        fprintf(to, "%-16s %-12s %-30s %-22s", rows[i].name,
                rg_layer_word(rows[i].word), reads, makes);
        if (weight.n) fprintf(to, " %ld", rg_layer_count(weight));
        fputc('\n', to);
        weights += rg_layer_count(weight);
        biases += rg_layer_count(bias);
    }
    fprintf(to, "%ld weights, and %ld biases\n", weights, biases);
    return 0;
}

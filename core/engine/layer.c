/* SPDX-License-Identifier: MIT */
#include "core/engine/layer.h"

#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

static const struct { const char *name; int inputs; } words[RG_WORDS] = {
    [RG_INPUT] = { "INPUT", 0 },
    [RG_CONV] = { "CONV", 1 },
    [RG_MAXPOOL] = { "MAXPOOL", 1 },
    [RG_BOXES] = { "BOXES", 2 },
    [RG_STPOOL] = { "STPOOL", 2 },
    [RG_BATCHNORM] = { "BATCHNORM", 1 },
    [RG_ADD] = { "ADD", 2 },
    [RG_UPSAMPLE] = { "UPSAMPLE", 2 },
    [RG_CONCAT] = { "CONCAT", 3 },
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

/* At stride 2, sides rounded down or up. */
static rg_shape halved(rg_shape s, int up)
{
    return (rg_shape){ s.n, s.c, (s.h + up) / 2, (s.w + up) / 2 };
}

static int concat(const rg_row *row, const rg_shape *in, rg_shape *out)
{
    *out = (rg_shape){ in[0].n, 0, 1, 1 };
    for (int i = 0; i < 3; i++) {
        if (row->outputs < 1 || in[i].c % row->outputs || in[i].n != in[0].n)
            return wrong(row, i, in[i]);
        out->c += in[i].c * in[i].h * in[i].w;
    }
    return 0;
}

static int check_filled(const rg_row *row, rg_shape s)
{
    if (s.n > 0 && s.c > 0 && s.h > 0 && s.w > 0) return 0;
    return RG_FAIL("row %s (%s) would make an empty tensor [%d, %d, %d, %d]", row->name,
                   rg_layer_word(row->word), s.n, s.c, s.h, s.w);
}

/* BOXES and STPOOL: a row of so many numbers each of in[1]'s n. */
static int check_list(const rg_row *row, rg_shape list, int numbers)
{
    if (list.c == numbers && list.h == 1 && list.w == 1) return 0;
    return wrong(row, 1, list);
}

/* What the word makes of inputs of shapes in[]. */
static int make(const rg_row *row, const rg_shape *in, rg_shape *out)
{
    *out = in[0];
    switch (row->word) {
    case RG_INPUT: *out = row->shape; break;
    case RG_CONV:
        if (in[0].c != row->inputs || row->size % 2 == 0 || row->stride < 0
            || row->stride > 2) return wrong(row, 0, in[0]);
        out->c = row->outputs;
        if (row->stride == 2) *out = halved(*out, 1);
        break;
    case RG_MAXPOOL:
        if (row->size != 0 && row->size != 3) return wrong(row, 0, in[0]);
        *out = halved(*out, row->size == 3);
        break;
    case RG_BATCHNORM:
        if (in[0].c != row->inputs || row->outputs != row->inputs)
            return wrong(row, 0, in[0]);
        break;
    case RG_ADD:
        if (!same(in[0], in[1])) return wrong(row, 1, in[1]);
        break;
    case RG_UPSAMPLE:
        if (in[0].n != in[1].n || in[0].h != halved(in[1], 1).h
            || in[0].w != halved(in[1], 1).w) return wrong(row, 1, in[1]);
        *out = (rg_shape){ in[0].n, in[0].c, in[1].h, in[1].w };
        break;
    case RG_BOXES:
        RG_TRY(check_list(row, in[1], 7));
        *out = (rg_shape){ in[1].n, 5, 1, 1 };
        break;
    case RG_STPOOL:
        RG_TRY(check_list(row, in[1], 5));
        *out = (rg_shape){ in[1].n, in[0].c, row->size, row->size };
        break;
    case RG_CONCAT: RG_TRY(concat(row, in, out)); break;
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
    return check_filled(row, *out);
}

/* Of rows that use another's weights. */
static int check_sharing(const rg_row *rows, int i)
{
    const rg_row *row = &rows[i];
    int k = rg_layer_find(rows, i, row->weights);
    const rg_row *of = k < 0 ? NULL : &rows[k];
    if (of && of->weights == NULL && of->word == row->word
        && (row->word == RG_CONV || row->word == RG_FC) && of->inputs == row->inputs
        && of->outputs == row->outputs && of->size == row->size
        && of->bare == row->bare) return 0;
    return RG_FAIL("row %s (%s) cannot use the weights of %s", row->name,
                   rg_layer_word(row->word), row->weights);
}

/* shapes[i] from the shapes of the rows above. */
static int make_row(const rg_row *rows, int i, rg_shape *shapes)
{
    rg_shape in[3] = { { 0 } };
    for (int k = 0; k < rg_layer_inputs(rows[i].word); k++) {
        int from = rows[i].in[k] ? rg_layer_find(rows, i, rows[i].in[k]) : -1;
        if (from < 0)
            return RG_FAIL("row %s reads %s, which no row above it makes", rows[i].name,
                           rows[i].in[k] ? rows[i].in[k] : "nothing");
        in[k] = shapes[from];
    }
    if (rows[i].weights) RG_TRY(check_sharing(rows, i));
    return make(&rows[i], in, &shapes[i]);
}

int rg_layer_shape(const rg_row *rows, int nrows, int i, rg_shape *shape)
{
    if (i < 0 || i >= nrows) return RG_FAIL("the network has no row number %d", i);
    rg_shape *shapes = rg_error_alloc((unsigned long)i + 1, sizeof *shapes, "shapes");
    int status = shapes ? 0 : -1;
    for (int k = 0; k <= i && status == 0; k++) status = make_row(rows, k, shapes);
    if (status == 0) *shape = shapes[i];
    free(shapes);
    return status;
}

void rg_layer_weights(const rg_row *row, rg_shape *weight, rg_shape *bias)
{
    *weight = *bias = (rg_shape){ 0, 0, 0, 0 };
    if (row->weights) return;
    int k = row->word == RG_CONV ? row->size : 1;
    if (row->word == RG_CONV || row->word == RG_FC)
        *weight = (rg_shape){ row->outputs, row->inputs, k, k };
    if (row->word == RG_BATCHNORM) *weight = (rg_shape){ row->outputs, 1, 1, 1 };
    if (weight->n && !row->bare) *bias = (rg_shape){ 1, row->outputs, 1, 1 };
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

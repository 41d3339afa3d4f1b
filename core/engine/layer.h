/* SPDX-License-Identifier: MIT */
/* layer: a network as a table of rows, one word a layer, read beside the paper's table.
 *
 *     const rg_row rows[] = {
 *         INPUT("data", 1, 3, 600, 600),
 *         CONV("conv1_1", "data", 3, 64, 3, RELU),
 *         MAXPOOL("pool1", "conv1_1"),
 *     };
 *     rg_layer_shape(rows, 3, 2, &shape);      // [1, 64, 300, 300]
 *
 * Every row makes one tensor that bears its name; its inputs are named rows above it.
 * Rows hold no memory and do no arithmetic: core/engine/net runs them on a backend.
 */
#ifndef RG_LAYER_H
#define RG_LAYER_H

#include <stdbool.h>
#include <stdio.h>

/* [n, c, h, w]; vectors are [n, c, 1, 1], scalars [1, 1, 1, 1]. */
typedef struct rg_shape { int n, c, h, w; } rg_shape;

typedef enum {
    RG_INPUT,       /* filled by rg_net_put */
    RG_CONV,        /* k x k, "same" padding, stride 1 or 2, bias, activation */
    RG_MAXPOOL,     /* 2 x 2, stride 2, no padding: odd rims are dropped; or (size 3)
                       3 x 3, stride 2, padded: odd sides are rounded up */
    RG_BOXES,       /* Eq. 3: the RoIs [m, 5] of picks [m, 7] = image, x1, y1, x2, y2,
                       first, step: an anchor moved by the four values at first, first
                       + step ... of the image's deltas and clipped to `value` x
                       `value` pixels; first < 0: the box as it is */
    RG_STPOOL,      /* Eq. 8: size x size samples of the features in each RoI */
    RG_BATCHNORM,   /* (x - mean) / sqrt(variance + 1e-5) * weight + bias by channel,
                       activation: of the batch in training, else as tracked */
    RG_ADD,         /* sum of two tensors of one shape, activation */
    RG_UPSAMPLE,    /* each cell twice along both axes, cropped to the second input */
    RG_CONCAT,      /* three maps end to end: each [n, outputs * g, h, w], seen as [n,
                       outputs, g h w]; makes [n, outputs * sum of g h w, 1, 1] */
    RG_FC,          /* fully connected, bias, activation; takes any shape flat */
    RG_DROPOUT,     /* training: 0 with probability `value`, else times 1/(1-value) */
    RG_SOFTMAX,     /* over `outputs` classes of [n, outputs * g, h, w] */
    RG_SOFTMAXLOSS, /* mean cross-entropy with labels [n, g, h, w]; -1 is left out */
    RG_SMOOTHL1,    /* sum of weights x f(in - target), quadratic below 1/value^2 */
    RG_WORDS
} rg_word;

typedef enum { RG_LINEAR, RG_RELU } rg_activation;

/* How ST pooling places its samples: as the paper prints it, or as its authors' program
 * did, with shift = (x1 + x2 - W - 1) / (W - 1). */
typedef enum { RG_SAMPLING_PAPER, RG_SAMPLING_AUTHORS } rg_sampling;

typedef struct rg_row {
    rg_word word;
    const char *name;
    const char *in[3];          /* names of rows above; NULL-padded */
    int inputs, outputs;        /* channels in and out (classes for softmax) */
    int size;                   /* kernel of CONV and MAXPOOL, output grid of STPOOL */
    int stride;                 /* of CONV; 0 is 1 */
    bool bare;                  /* CONV without a bias (a BATCHNORM follows) */
    bool frozen;                /* BATCHNORM by the tracked statistics, always */
    const char *weights;        /* CONV, FC: use those of this row above; or NULL */
    float least, most;          /* STPOOL: only RoIs of least <= sqrt(w h) < most are
                                   pooled, the others make zeros; most 0: no limit */
    rg_sampling sampling;       /* of STPOOL */
    rg_activation activation;
    float value;                /* dropout rate; sigma of SMOOTHL1; stride of STPOOL;
                                   side of BOXES */
    float spread; /* std of the initial weights; 0: He's sqrt(2 / fan in) */
    rg_shape shape;             /* of an INPUT */
} rg_row;

#define RELU RG_RELU
#define LINEAR RG_LINEAR
#define INPUT(n, count, c, h, w) \
    { .word = RG_INPUT, .name = n, .shape = { count, c, h, w } }
#define CONV(n, from, ci, co, k, act) \
    { .word = RG_CONV, .name = n, .in = { from }, .inputs = ci, .outputs = co, \
      .size = k, .activation = act }
#define CONV_STD(n, from, ci, co, k, act, std) \
    { .word = RG_CONV, .name = n, .in = { from }, .inputs = ci, .outputs = co, \
      .size = k, .activation = act, .spread = std }
/* With further fields: CONV_AS("y", "x", 3, 64, 7, LINEAR, .stride = 2) */
#define CONV_AS(n, from, ci, co, k, act, ...) \
    { .word = RG_CONV, .name = n, .in = { from }, .inputs = ci, .outputs = co, \
      .size = k, .activation = act, __VA_ARGS__ }
#define MAXPOOL(n, from) { .word = RG_MAXPOOL, .name = n, .in = { from } }
#define MAXPOOL3(n, from) { .word = RG_MAXPOOL, .name = n, .in = { from }, .size = 3 }
#define BATCHNORM(n, from, c, act) \
    { .word = RG_BATCHNORM, .name = n, .in = { from }, .inputs = c, .outputs = c, \
      .activation = act }
#define BATCHNORM_FROZEN(n, from, c, act) \
    { .word = RG_BATCHNORM, .name = n, .in = { from }, .inputs = c, .outputs = c, \
      .activation = act, .frozen = true }
#define ADD(n, a, b, act) \
    { .word = RG_ADD, .name = n, .in = { a, b }, .activation = act }
#define UPSAMPLE(n, from, like) { .word = RG_UPSAMPLE, .name = n, .in = { from, like } }
#define BOXES(n, deltas, picks, side) \
    { .word = RG_BOXES, .name = n, .in = { deltas, picks }, .value = side }
#define STPOOL(n, features, rois, grid, stride) \
    { .word = RG_STPOOL, .name = n, .in = { features, rois }, .size = grid, \
      .value = stride }
/* With further fields: STPOOL_AS("y", "x", "rois", 7, 16, .least = 60) */
#define STPOOL_AS(n, features, rois, grid, stride, ...) \
    { .word = RG_STPOOL, .name = n, .in = { features, rois }, .size = grid, \
      .value = stride, __VA_ARGS__ }
#define CONCAT(n, a, b, c, classes) \
    { .word = RG_CONCAT, .name = n, .in = { a, b, c }, .outputs = classes }
#define FC(n, from, ni, no, act) \
    { .word = RG_FC, .name = n, .in = { from }, .inputs = ni, .outputs = no, \
      .activation = act }
#define FC_STD(n, from, ni, no, act, std) \
    { .word = RG_FC, .name = n, .in = { from }, .inputs = ni, .outputs = no, \
      .activation = act, .spread = std }
#define DROPOUT(n, from, rate) \
    { .word = RG_DROPOUT, .name = n, .in = { from }, .value = rate }
#define SOFTMAX(n, from, classes) \
    { .word = RG_SOFTMAX, .name = n, .in = { from }, .outputs = classes }
#define SOFTMAXLOSS(n, scores, labels, classes) \
    { .word = RG_SOFTMAXLOSS, .name = n, .in = { scores, labels }, .outputs = classes }
#define SMOOTHL1(n, from, target, weights, sigma) \
    { .word = RG_SMOOTHL1, .name = n, .in = { from, target, weights }, .value = sigma }

/* The word as it is written in tables: "CONV". */
const char *rg_layer_word(rg_word word);

/* Number of input rows a word takes. */
int rg_layer_inputs(rg_word word);

/* Index of the row called `name`, -1 (and a sentence) if there is none. */
int rg_layer_find(const rg_row *rows, int nrows, const char *name);

/* Shape of what row i makes; a row whose inputs are missing, below it or of the wrong
 * shape is a sentence that names it. */
int rg_layer_shape(const rg_row *rows, int nrows, int i, rg_shape *shape);

/* Shapes of row i's weight [out, in, k, k] (FC: [out, in, 1, 1]; BATCHNORM:
 * [c, 1, 1, 1]) and bias [1, out, 1, 1]; all zero for rows without, and for rows that
 * use another's.  A BATCHNORM also has a mean and a variance of the shape of its bias,
 * which are saved but not trained. */
void rg_layer_weights(const rg_row *row, rg_shape *weight, rg_shape *bias);

/* Elements of a shape. */
long rg_layer_count(rg_shape shape);

/* One line per row: name, word, inputs, shape, weights; then the totals without and
 * with biases. */
int rg_layer_print(const rg_row *rows, int nrows, FILE *to);

#endif

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

#include <stdio.h>

/* [n, c, h, w]; vectors are [n, c, 1, 1], scalars [1, 1, 1, 1]. */
typedef struct rg_shape { int n, c, h, w; } rg_shape;

typedef enum {
    RG_INPUT,       /* filled by rg_net_put */
    RG_CONV,        /* k x k, stride 1, "same" padding, bias, activation */
    RG_MAXPOOL,     /* 2 x 2, stride 2, no padding: odd rims are dropped */
    RG_STPOOL,      /* Eq. 8: size x size samples of the features in each RoI */
    RG_FC,          /* fully connected, bias, activation; takes any shape flat */
    RG_DROPOUT,     /* training: 0 with probability `value`, else times 1/(1-value) */
    RG_SOFTMAX,     /* over `outputs` classes of [n, outputs * g, h, w] */
    RG_SOFTMAXLOSS, /* mean cross-entropy with labels [n, g, h, w]; -1 is left out */
    RG_SMOOTHL1,    /* sum of weights x f(in - target), quadratic below 1/value^2 */
    RG_WORDS
} rg_word;

typedef enum { RG_LINEAR, RG_RELU } rg_activation;

typedef struct rg_row {
    rg_word word;
    const char *name;
    const char *in[3];          /* names of rows above; NULL-padded */
    int inputs, outputs;        /* channels in and out (classes for softmax) */
    int size;                   /* kernel of CONV, output grid of STPOOL */
    rg_activation activation;
    float value;                /* dropout rate; sigma of SMOOTHL1; stride of STPOOL */
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
#define MAXPOOL(n, from) { .word = RG_MAXPOOL, .name = n, .in = { from } }
#define STPOOL(n, features, rois, grid, stride) \
    { .word = RG_STPOOL, .name = n, .in = { features, rois }, .size = grid, \
      .value = stride }
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

/* Shapes of row i's weight [out, in, k, k] (FC: [out, in, 1, 1]) and bias
 * [1, out, 1, 1]; all zero for rows without. */
void rg_layer_weights(const rg_row *row, rg_shape *weight, rg_shape *bias);

/* Elements of a shape. */
long rg_layer_count(rg_shape shape);

/* One line per row: name, word, inputs, shape, weights; then the totals without and
 * with biases. */
int rg_layer_print(const rg_row *rows, int nrows, FILE *to);

#endif

/* SPDX-License-Identifier: MIT */
/* backend: what runs the rows: a struct of functions for memory and, per word, for
 * arithmetic.  `ref` (plain loops) is the readable truth, `cpu` is oneDNN, `gpu` is
 * CUDA in a module of its own (module.h).
 *
 * The net owns nodes, tensors and parameters as declared here; the void pointers in
 * them belong to the backend.  All memory is taken in plan; forward and backward
 * allocate nothing.  Kernels overwrite; the net adds gradients where two rows read one
 * tensor. Only put and get see host arrays (plain f32, [n][c][h][w]), so a backend
 * keeps the layout and precision it likes.
 */
#ifndef RG_BACKEND_H
#define RG_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/box.h"
#include "core/engine/layer.h"

/* TF32 and F16 are a card's only.  TF32: f32 whose products are of 10 bits. */
typedef enum {
    RG_PRECISION_AUTO, RG_PRECISION_F32, RG_PRECISION_BF16, RG_PRECISION_TF32,
    RG_PRECISION_F16,
} rg_precision;

/* What one row makes. */
typedef struct rg_tensor {
    const char *name;         /* borrowed from the row */
    rg_shape shape;
    bool wants_grad;          /* set by the net before plan */
    void *data, *grad;        /* the backend's; grad NULL where not wanted */
} rg_tensor;

/* Weight, bias or statistics of one row. */
typedef struct rg_param {
    char name[68];            /* row name, or row name + ".bias", ".mean" ... */
    rg_shape shape;
    float factor;             /* of the learning rate: 1; 0: not trained */
    void *data;               /* the backend's: value, gradient, optimizer moments */
} rg_param;

typedef struct rg_node {
    const rg_row *row;        /* borrowed */
    rg_tensor *in[3], *out;   /* borrowed from the net; shapes set before plan */
    rg_param *weight, *bias;  /* borrowed; NULL where the word has none */
    rg_param *mean, *variance;/* of BATCHNORM: tracked by forward, never updated */
    bool training;
    bool frozen;              /* neither weight nor bias is trained: no gradients of
                                 them are wanted, statistics are kept */
    uint64_t seed;            /* of this pass, for dropout; set by the net */
    void *plan;               /* the backend's */
} rg_node;

/* Each returns 0 or -1 with a sentence.  plan also gives node->out its memory. */
typedef struct rg_operation {
    int (*plan)(void *context, rg_node *node);
    int (*forward)(void *context, rg_node *node);
    int (*backward)(void *context, rg_node *node); /* out->grad -> in[]->grad, params */
    void (*unplan)(void *context, rg_node *node);
} rg_operation;

/* Momentum SGD: v = momentum v + g;  w -= rate v.  Adam (Kingma & Ba 2015) with
 * decoupled decay (Loshchilov & Hutter 2019).  `clip`: gradients are scaled so that
 * their joint norm is at most this; 0: never. */
typedef enum { RG_SGD, RG_ADAM } rg_rule;
typedef struct rg_optimizer {
    rg_rule rule;
    float rate, momentum, beta2, epsilon, decay, clip;
} rg_optimizer;

typedef enum { RG_VALUE, RG_GRADIENT, RG_MOMENT1, RG_MOMENT2 } rg_part;

/* What rg_net_propose asks for. */
enum { RG_PROPOSING_ANCHORS = 8 };
typedef struct rg_proposing {
    rg_anchor anchor[RG_PROPOSING_ANCHORS];
    int anchors;
    int input;            /* side of the images [network pixels] */
    float smallest;       /* sides under this [network pixels] are dropped */
    float iou;            /* suppression */
    int before, after;    /* at most so many go into it and leave it */
} rg_proposing;

enum { RG_BACKEND_TEXT = 512 };   /* room for a line about a backend [bytes] */

typedef struct rg_backend {
    const char *name;
    /* Line 0, 1 ... of what it runs on here: libraries, cards, precision; false after
     * the last. */
    bool (*describe)(int line, char text[RG_BACKEND_TEXT]);
    int (*open)(void **context, rg_precision precision, bool training);
    void (*close)(void *context);
    rg_precision (*precision)(void *context);    /* what AUTO became */

    int (*put)(void *context, rg_tensor *tensor, const float *host);
    int (*get)(void *context, const rg_tensor *tensor, bool gradient, float *host);
    /* rg_net_show; NULL where that is left to the host. */
    int (*show)(void *context, rg_tensor *tensor, const uint8_t *rgb, int side,
                const float mean[3]);
    int (*add_grad)(void *context, rg_tensor *to, const rg_tensor *from);
    int (*fill_grad)(void *context, rg_tensor *tensor, float value);
    /* An alias shares data and has a gradient of its own: for the second reader. */
    int (*alias)(void *context, rg_tensor *alias, const rg_tensor *of);
    void (*free_alias)(void *context, rg_tensor *alias);

    int (*param_new)(void *context, rg_param *param, bool training);
    /* A twin shares the value and has a gradient of its own: for the second row that
     * uses the weights; param_add_grad adds it to theirs.  Freed before `of`. */
    int (*param_twin)(void *context, rg_param *twin, const rg_param *of, bool training);
    int (*param_add_grad)(void *context, rg_param *to, const rg_param *from);
    void (*param_free)(void *context, rg_param *param);
    int (*param_put)(void *context, rg_param *param, rg_part part, const float *host);
    int (*param_get)(void *context, const rg_param *param, rg_part part, float *host);
    /* One optimizer step on all parameters but those of factor 0; `step` counts
     * from 1. */
    int (*update)(void *context, rg_param *params, int nparams, const rg_optimizer *how,
                  long step, float *gradient_norm);

    /* Both or neither.  A range of rows that is run again and again, from the last to
     * the first where it is run backwards, may be recorded and replayed: replay is
     * called before it and sets `done` where that did all of it; recorded is called
     * after it with its status, and sets `again` where nothing of it was done, so that
     * it must be run once more. */
    int (*replay)(void *context, int first, int last, bool *done);
    int (*recorded)(void *context, int status, bool *again);

    /* rg_net_propose; NULL where that is left to the host. */
    int (*propose)(void *context, const rg_proposing *how, const rg_tensor *source,
                   const rg_tensor *deltas, rg_tensor *rois);

    rg_operation operation[RG_WORDS];
} rg_backend;

extern const rg_backend rg_backend_ref, rg_backend_cpu;

/* Backend by name: gpu, cpu or ref; "auto" is the GPU where one can be used, else cpu.
 * Fails naming those there are, or saying why the GPU cannot be used. */
int rg_backend_find(const char *name, const rg_backend **backend);

/* Precision by name: auto, f32, tf32, bf16, f16. */
int rg_backend_precision(const char *name, rg_precision *precision);
const char *rg_backend_precision_name(rg_precision precision);

/* Fails with a sentence for the precisions of a card, which `name` is none of. */
int rg_backend_no_card(const char *name, rg_precision precision);

#endif

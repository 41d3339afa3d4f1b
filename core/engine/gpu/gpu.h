/* SPDX-License-Identifier: MIT */
/* gpu: inside of the GPU backend: what its files share.  Nobody else includes this.
 *
 * tensor->data and ->grad are an rg_view each, channels last, of f32, bf16 or f16: what
 * is made is of the context's type, but scores (linear with a bias, by a matrix
 * product) and what is made of them are f32.  param->data is an rg_gpu_param: f32
 * masters in the order of the host, from which rows pack what they multiply with.
 */
#ifndef RG_GPU_H
#define RG_GPU_H

#include "core/engine/backend.h"
#include "core/engine/error.h"
#include "core/engine/gpu/device.h"
#include "core/engine/gpu/tune.h"

/* A range of rows, forwards or (first > last) backwards, or the optimizer's step
 * (RG_GPU_STEP): run once, recorded the second time, then replayed; anew when weights
 * or scratch have changed. */
typedef struct rg_gpu_range {
    int first, last;
    long epoch;                        /* of the context, when it was begun */
    int runs;                          /* since then; RG_GPU_NEVER: it cannot be */
    rg_recording *recording;           /* NULL: none yet */
} rg_gpu_range;
enum { RG_GPU_RANGES = 6, RG_GPU_NEVER = -1, RG_GPU_STEP = -1 };

/* DROPOUT's plan: its seed is read where it lies on the card, so that a recording can
 * be replayed with another. */
typedef struct rg_gpu_drop {
    const rg_node *node;
    uint64_t *seed, sent;              /* on the card; what is there */
    struct rg_gpu_drop *next;
} rg_gpu_drop;

typedef struct rg_gpu {
    rg_device *device;
    rg_tune *tune;                     /* owned; or NULL */
    bool training;
    long epoch;                        /* grows when a recording would be wrong */
    rg_gpu_range range[RG_GPU_RANGES];
    int nranges;
    rg_gpu_range *recorded;            /* the one that is being recorded, or NULL */
    long spoilt;                       /* runs and recordings that failed: what they
                                          were to pack is not */
    rg_gpu_drop *drops;
    rg_intake *intake[2];              /* owned; taken in turns by put */
    size_t intake_bytes;
    int turn;
    struct rg_gpu_moves *moves;        /* of the optimizer (update.c), or NULL */
    rg_precision precision;            /* never AUTO */
    rg_type type;                      /* of what is made */
    void *scratch;                     /* of whichever row runs */
    size_t scratch_bytes;
} rg_gpu;

typedef struct rg_gpu_param {
    float *part[RG_MEAN + 1];          /* by rg_part, on the card; only the first but in
                                          training, the last once it is wanted */
    long version;                      /* grows when the value changes */
    const struct rg_gpu_param *of;     /* whose value a twin shares; else NULL */
} rg_gpu_param;

/* Parts that losses are summed in, always the same: threads cannot change the sum. */
enum { RG_GPU_PARTS = 64 };

/* data (and grad where wanted) of a row's output. */
int rg_gpu_output(rg_gpu *gpu, rg_tensor *tensor, rg_type type);
void rg_gpu_output_free(rg_tensor *tensor);

/* A tensor's values and gradient; data NULL where there is none. */
rg_view rg_gpu_data(const rg_tensor *tensor);
rg_view rg_gpu_grad(const rg_tensor *tensor);

float *rg_gpu_part(const rg_param *param, rg_part part);
/* Whether weights or bias must be packed again: they have changed, or what is recorded
 * is to be replayed after they have.  *packed is of whom packs. */
bool rg_gpu_must_pack(const rg_gpu *gpu, const rg_node *node, const rg_param *param,
                      long *packed);

/* Scratch memory: a row reserves pieces of it in plan, keeps their offsets and makes
 * sure of the sum; what lies there lasts until its forward or backward returns. */
size_t rg_gpu_reserve(size_t *total, size_t bytes);
int rg_gpu_scratch(rg_gpu *gpu, size_t total);
void *rg_gpu_at(const rg_gpu *gpu, size_t offset);

/* Makes sure that so much can be put. */
int rg_gpu_intake(rg_gpu *gpu, size_t bytes);

size_t rg_gpu_bytes(rg_shape shape, rg_type type);

/* dx = dy where y > 0, or everywhere where y has no data; y = a + b, with ReLU. */
int rg_gpu_gate(rg_gpu *gpu, rg_view y, rg_view dy, rg_view dx);
int rg_gpu_sum(rg_gpu *gpu, rg_shape shape, rg_view a, rg_view b, rg_view y, bool relu);

/* The view in the wanted type: itself, or a copy in scratch at `offset`. */
int rg_gpu_as(rg_gpu *gpu, rg_view *view, rg_type type, size_t offset);
/* Where the gradient of an input is to be written in the wanted type: there, or in
 * scratch; and the copy from there. */
rg_view rg_gpu_target(const rg_gpu *gpu, rg_view grad, rg_type type, size_t offset);
int rg_gpu_deliver(rg_gpu *gpu, rg_view made, rg_view grad);

/* The gradient before a row's ReLU, in place. */
int rg_gpu_ungate(rg_gpu *gpu, const rg_node *node);

/* Sums by channel (kernel.h) times `scale`; the caller fills in `what`, but for count
 * and parts, with part: scratch of rg_gpu_parts bytes.  b may be NULL. */
size_t rg_gpu_parts(rg_shape shape);
int rg_gpu_columns(rg_gpu *gpu, rg_kernel_columns *what, double scale, float *a,
                   float *b);

#define RG_GPU_OP(name) int name(void *context, rg_node *node)
#define RG_GPU_WORD(word) \
    RG_GPU_OP(rg_gpu_##word##_plan); \
    RG_GPU_OP(rg_gpu_##word##_forward); \
    RG_GPU_OP(rg_gpu_##word##_backward); \
    void rg_gpu_##word##_unplan(void *context, rg_node *node);
RG_GPU_WORD(conv)                      /* or matrix, where that is better */
RG_GPU_WORD(matrix)
RG_GPU_WORD(batchnorm)
RG_GPU_WORD(stpool)
RG_GPU_WORD(dropout)
/* Those that need no memory of their own but for sums. */
RG_GPU_OP(rg_gpu_scores_plan);         /* makes f32 */
RG_GPU_OP(rg_gpu_like_plan);           /* makes what it reads */
RG_GPU_OP(rg_gpu_loss_plan);
void rg_gpu_plain_unplan(void *context, rg_node *node);
#define RG_GPU_PLAIN(word) \
    RG_GPU_OP(rg_gpu_##word##_forward); \
    RG_GPU_OP(rg_gpu_##word##_backward);
RG_GPU_PLAIN(input)
RG_GPU_PLAIN(maxpool)
RG_GPU_PLAIN(add)
RG_GPU_PLAIN(upsample)
RG_GPU_PLAIN(concat)
RG_GPU_PLAIN(boxes)
RG_GPU_PLAIN(softmax)
RG_GPU_PLAIN(softmaxloss)
RG_GPU_PLAIN(smoothl1)

int rg_gpu_propose(void *context, const rg_proposing *how, const rg_tensor *source,
                   const rg_tensor *deltas, rg_tensor *rois);

int rg_gpu_update(void *context, rg_param *params, int nparams, const rg_optimizer *how,
                  long step, float *norm);
void rg_gpu_moves_free(struct rg_gpu_moves *moves);

/* Of the rows' dropouts, to the card. */
int rg_gpu_send_seeds(rg_gpu *gpu);

int rg_gpu_replay(void *context, int first, int last, bool *done);
int rg_gpu_recorded(void *context, int status, bool *again);
void rg_gpu_forget(rg_gpu *gpu);       /* frees all recordings */

/* Libraries, then a line a card. */
bool rg_gpu_describe(int line, char text[RG_BACKEND_TEXT]);

extern const rg_backend rg_backend_gpu;

#endif

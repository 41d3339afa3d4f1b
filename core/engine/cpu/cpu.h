/* SPDX-License-Identifier: MIT */
/* cpu: inside of the oneDNN backend: what its files share.  Nobody else includes this.
 *
 * tensor->data and ->grad are dnnl_memory_t in whatever layout and type the row that
 * makes the tensor preferred; a row that wants another reads it through a feed.
 * param->data is an rg_cpu_param: plain f32 masters, from which rows repack what they
 * multiply with.
 */
#ifndef RG_CPU_H
#define RG_CPU_H

#include "core/engine/backend.h"
#include "core/engine/cpu/onednn.h"
#include "core/engine/error.h"

typedef struct rg_cpu {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    rg_precision precision;           /* F32 or BF16, never AUTO */
    bool winograd;                    /* worth trying on this processor */
} rg_cpu;

typedef struct rg_cpu_param {
    float *part[RG_MEAN + 1];         /* by rg_part, plain; only the first but in
                                         training, the last once it is wanted */
    long version;                     /* grows when the value changes */
    const struct rg_cpu_param *of;    /* whose value a twin shares; else NULL */
} rg_cpu_param;

/* `from` in another layout: the same memory when the layouts agree, else a copy made by
 * rg_cpu_feed_run. */
typedef struct rg_cpu_feed {
    dnnl_memory_t from, to;           /* from: borrowed; to: owned where it differs */
    dnnl_primitive_t reorder;         /* NULL when they agree */
} rg_cpu_feed;

#define RG_CPU_ARGS 12
/* A primitive with what it is run on. */
typedef struct rg_cpu_run {
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[RG_CPU_ARGS];
    int nargs;
} rg_cpu_run;

dnnl_data_type_t rg_cpu_type(const rg_cpu *cpu);      /* of activations */

/* Memory of a layout; NULL handle: its own. */
int rg_cpu_memory(const rg_cpu *cpu, dnnl_memory_t *memory, rg_md md, void *bytes);
int rg_cpu_memory_plain(const rg_cpu *cpu, dnnl_memory_t *memory, rg_shape shape,
                        dnnl_format_tag_t tag, void *bytes);     /* f32 */
/* A vector parameter [c] seen as f32 memory; `param` keeps the bytes. */
int rg_cpu_memory_vector(const rg_cpu *cpu, dnnl_memory_t *memory,
                         const rg_param *param, rg_part part);
rg_md rg_cpu_layout(dnnl_memory_t memory);
void *rg_cpu_bytes(dnnl_memory_t memory);
void rg_cpu_memory_free(dnnl_memory_t *memory);

/* data (and grad where wanted) of a row's output in this layout. */
int rg_cpu_output(const rg_cpu *cpu, rg_tensor *tensor, rg_md md);
int rg_cpu_output_plain(const rg_cpu *cpu, rg_tensor *tensor, dnnl_format_tag_t tag);

void rg_cpu_output_free(rg_tensor *tensor);

int rg_cpu_feed_plan(const rg_cpu *cpu, rg_cpu_feed *feed, dnnl_memory_t from,
                     rg_md to);
/* The other way: `feed->from` is written by the row, run copies it to `to`. */
int rg_cpu_drain_plan(const rg_cpu *cpu, rg_cpu_feed *drain, rg_md from,
                      dnnl_memory_t to);
int rg_cpu_feed_run(const rg_cpu *cpu, const rg_cpu_feed *feed);
void rg_cpu_feed_free(rg_cpu_feed *feed);
void rg_cpu_drain_free(rg_cpu_feed *drain);

/* After pd is made: the primitive; then its arguments; then run. */
int rg_cpu_run_plan(rg_cpu_run *run);
void rg_cpu_run_arg(rg_cpu_run *run, int index, dnnl_memory_t memory);
int rg_cpu_run_now(const rg_cpu *cpu, const rg_cpu_run *run);
void rg_cpu_run_free(rg_cpu_run *run);
rg_md rg_cpu_query(const rg_cpu_run *run, dnnl_query_t what);

/* From one layout to another, planned and run; or both at once. */
int rg_cpu_copy_plan(const rg_cpu *cpu, dnnl_primitive_t *primitive, rg_md from,
                     rg_md to);
int rg_cpu_copy_run(const rg_cpu *cpu, dnnl_primitive_t primitive, dnnl_memory_t from,
                    dnnl_memory_t to);
int rg_cpu_copy(const rg_cpu *cpu, dnnl_memory_t from, dnnl_memory_t to);

/* grad = value > 0 ? grad : 0, element by element of one layout. */
void rg_cpu_relu_backward(dnnl_memory_t value, dnnl_memory_t grad);

/* to[i] = max(a[i] + b[i], 0 where `relu`), all of one layout; to may be a. */
void rg_cpu_sum(dnnl_memory_t to, dnnl_memory_t a, dnnl_memory_t b, bool relu);

/* The operations: linear is CONV and FC, plain the small ones. */
#define RG_CPU_OP(name) int name(void *context, rg_node *node)
RG_CPU_OP(rg_cpu_linear_plan);
RG_CPU_OP(rg_cpu_linear_forward);
RG_CPU_OP(rg_cpu_linear_backward);
void rg_cpu_linear_unplan(void *context, rg_node *node);
RG_CPU_OP(rg_cpu_maxpool_plan);
RG_CPU_OP(rg_cpu_maxpool_forward);
RG_CPU_OP(rg_cpu_maxpool_backward);
void rg_cpu_maxpool_unplan(void *context, rg_node *node);
RG_CPU_OP(rg_cpu_batchnorm_plan);
RG_CPU_OP(rg_cpu_batchnorm_forward);
RG_CPU_OP(rg_cpu_batchnorm_backward);
void rg_cpu_batchnorm_unplan(void *context, rg_node *node);
RG_CPU_OP(rg_cpu_add_plan);
RG_CPU_OP(rg_cpu_add_forward);
RG_CPU_OP(rg_cpu_add_backward);
void rg_cpu_add_unplan(void *context, rg_node *node);
RG_CPU_OP(rg_cpu_upsample_plan);
RG_CPU_OP(rg_cpu_upsample_forward);
RG_CPU_OP(rg_cpu_upsample_backward);
void rg_cpu_upsample_unplan(void *context, rg_node *node);
RG_CPU_OP(rg_cpu_stpool_plan);
RG_CPU_OP(rg_cpu_stpool_forward);
RG_CPU_OP(rg_cpu_stpool_backward);
void rg_cpu_stpool_unplan(void *context, rg_node *node);
RG_CPU_OP(rg_cpu_plain_plan);
void rg_cpu_plain_unplan(void *context, rg_node *node);
RG_CPU_OP(rg_cpu_boxes_forward);
RG_CPU_OP(rg_cpu_boxes_backward);
RG_CPU_OP(rg_cpu_dropout_forward);
RG_CPU_OP(rg_cpu_dropout_backward);
RG_CPU_OP(rg_cpu_concat_forward);
RG_CPU_OP(rg_cpu_concat_backward);
RG_CPU_OP(rg_cpu_softmax_forward);
RG_CPU_OP(rg_cpu_softmax_backward);
RG_CPU_OP(rg_cpu_softmaxloss_forward);
RG_CPU_OP(rg_cpu_softmaxloss_backward);
RG_CPU_OP(rg_cpu_smoothl1_forward);
RG_CPU_OP(rg_cpu_smoothl1_backward);

#endif

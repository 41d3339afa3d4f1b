/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/engine/cpu/cpu.h"

dnnl_data_type_t rg_cpu_type(const rg_cpu *cpu)
{
    return cpu->precision == RG_PRECISION_BF16 ? dnnl_bf16 : dnnl_f32;
}

int rg_cpu_memory(const rg_cpu *cpu, dnnl_memory_t *memory, rg_md md, void *bytes)
{
    *memory = NULL;
    if (md == NULL) return -1;
    RG_TRY(rg_onednn_check(dnnl_memory_create(memory, md, cpu->engine,
                                              bytes ? bytes : DNNL_MEMORY_ALLOCATE),
                           "allocate memory"));
    if (bytes == NULL) memset(rg_cpu_bytes(*memory), 0, dnnl_memory_desc_get_size(md));
    return 0;
}

int rg_cpu_memory_plain(const rg_cpu *cpu, dnnl_memory_t *memory, rg_shape s,
                        dnnl_format_tag_t tag, void *bytes)
{
    rg_md md = rg_onednn_md(4, (int[]){ s.n, s.c, s.h, s.w }, dnnl_f32, tag);
    int status = rg_cpu_memory(cpu, memory, md, bytes);
    rg_onednn_md_free(md);
    return status;
}

int rg_cpu_memory_vector(const rg_cpu *cpu, dnnl_memory_t *memory,
                         const rg_param *param, rg_part part)
{
    const int length = (int)rg_layer_count(param->shape);
    rg_md md = rg_onednn_md(1, &length, dnnl_f32, dnnl_x);
    int status = rg_cpu_memory(cpu, memory, md,
                               ((rg_cpu_param *)param->data)->part[part]);
    rg_onednn_md_free(md);
    return status;
}

rg_md rg_cpu_layout(dnnl_memory_t memory)
{
    rg_md md = NULL;
    dnnl_memory_get_memory_desc(memory, &md);
    return md;
}

void *rg_cpu_bytes(dnnl_memory_t memory)
{
    void *bytes = NULL;
    dnnl_memory_get_data_handle(memory, &bytes);
    return bytes;
}

void rg_cpu_memory_free(dnnl_memory_t *memory)
{
    if (*memory) dnnl_memory_destroy(*memory);
    *memory = NULL;
}

int rg_cpu_output(const rg_cpu *cpu, rg_tensor *tensor, rg_md md)
{
    dnnl_memory_t data, grad = NULL;
    RG_TRY(rg_cpu_memory(cpu, &data, md, NULL));
    tensor->data = data;
    if (tensor->wants_grad) RG_TRY(rg_cpu_memory(cpu, &grad, md, NULL));
    tensor->grad = grad;
    return 0;
}

int rg_cpu_output_plain(const rg_cpu *cpu, rg_tensor *tensor, dnnl_format_tag_t tag)
{
    rg_shape s = tensor->shape;
    rg_md md = rg_onednn_md(4, (int[]){ s.n, s.c, s.h, s.w }, dnnl_f32, tag);
    int status = md ? rg_cpu_output(cpu, tensor, md) : -1;
    rg_onednn_md_free(md);
    return status;
}

void rg_cpu_output_free(rg_tensor *tensor)
{
    dnnl_memory_t data = tensor->data, grad = tensor->grad;
    rg_cpu_memory_free(&data);
    rg_cpu_memory_free(&grad);
    tensor->data = tensor->grad = NULL;
}

int rg_cpu_copy_plan(const rg_cpu *cpu, dnnl_primitive_t *primitive, rg_md from,
                     rg_md to)
{
    dnnl_primitive_desc_t pd = NULL;
    *primitive = NULL;
    RG_TRY(rg_onednn_check(dnnl_reorder_primitive_desc_create(&pd, from, cpu->engine,
                                                              to, cpu->engine, NULL),
                           "plan a change of layout"));
    dnnl_status_t status = dnnl_primitive_create(primitive, pd);
    dnnl_primitive_desc_destroy(pd);
    return rg_onednn_check(status, "make a change of layout");
}

int rg_cpu_feed_plan(const rg_cpu *cpu, rg_cpu_feed *feed, dnnl_memory_t from, rg_md to)
{
    *feed = (rg_cpu_feed){ .from = from, .to = from };
    if (dnnl_memory_desc_equal(rg_cpu_layout(from), to)) return 0;
    RG_TRY(rg_cpu_memory(cpu, &feed->to, to, NULL));
    return rg_cpu_copy_plan(cpu, &feed->reorder, rg_cpu_layout(from), to);
}

int rg_cpu_drain_plan(const rg_cpu *cpu, rg_cpu_feed *drain, rg_md from,
                      dnnl_memory_t to)
{
    *drain = (rg_cpu_feed){ .from = to, .to = to };
    if (dnnl_memory_desc_equal(from, rg_cpu_layout(to))) return 0;
    RG_TRY(rg_cpu_memory(cpu, &drain->from, from, NULL));
    return rg_cpu_copy_plan(cpu, &drain->reorder, from, rg_cpu_layout(to));
}

int rg_cpu_copy_run(const rg_cpu *cpu, dnnl_primitive_t primitive, dnnl_memory_t from,
                    dnnl_memory_t to)
{
    dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
    return rg_onednn_check(dnnl_primitive_execute(primitive, cpu->stream, 2, args),
                           "change a layout");
}

int rg_cpu_feed_run(const rg_cpu *cpu, const rg_cpu_feed *feed)
{
    if (feed->reorder == NULL) return 0;
    return rg_cpu_copy_run(cpu, feed->reorder, feed->from, feed->to);
}

void rg_cpu_feed_free(rg_cpu_feed *feed)
{
    if (feed->to != feed->from) rg_cpu_memory_free(&feed->to);
    if (feed->reorder) dnnl_primitive_destroy(feed->reorder);
    *feed = (rg_cpu_feed){ 0 };
}

void rg_cpu_drain_free(rg_cpu_feed *drain)
{
    if (drain->to != drain->from) rg_cpu_memory_free(&drain->from);
    if (drain->reorder) dnnl_primitive_destroy(drain->reorder);
    *drain = (rg_cpu_feed){ 0 };
}

int rg_cpu_copy(const rg_cpu *cpu, dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_primitive_t primitive;
    RG_TRY(rg_cpu_copy_plan(cpu, &primitive, rg_cpu_layout(from), rg_cpu_layout(to)));
    int status = rg_cpu_copy_run(cpu, primitive, from, to);
    dnnl_primitive_destroy(primitive);
    return status;
}

int rg_cpu_run_plan(rg_cpu_run *run)
{
    return rg_onednn_check(dnnl_primitive_create(&run->primitive, run->pd),
                           "make an operation");
}

void rg_cpu_run_arg(rg_cpu_run *run, int index, dnnl_memory_t memory)
{
    run->args[run->nargs++] = (dnnl_exec_arg_t){ index, memory };
}

int rg_cpu_run_now(const rg_cpu *cpu, const rg_cpu_run *run)
{
    return rg_onednn_check(dnnl_primitive_execute(run->primitive, cpu->stream,
                                                  run->nargs, run->args),
                           "run an operation");
}

void rg_cpu_run_free(rg_cpu_run *run)
{
    if (run->primitive) dnnl_primitive_destroy(run->primitive);
    if (run->pd) dnnl_primitive_desc_destroy(run->pd);
    *run = (rg_cpu_run){ 0 };
}

rg_md rg_cpu_query(const rg_cpu_run *run, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(run->pd, what, 0);
}

void rg_cpu_relu_backward(dnnl_memory_t value, dnnl_memory_t grad)
{
    rg_md md = rg_cpu_layout(value);
    size_t bytes = dnnl_memory_desc_get_size(md);
    if (rg_onednn_md_type(md) == dnnl_f32) {
        const float *v = rg_cpu_bytes(value);
        float *g = rg_cpu_bytes(grad);
#pragma omp parallel for simd schedule(static)
        for (size_t i = 0; i < bytes / 4; i++) g[i] = v[i] > 0 ? g[i] : 0;
    } else {   /* bf16 after ReLU: positive means any bit but the sign */
        const uint16_t *v = rg_cpu_bytes(value);
        uint16_t *g = rg_cpu_bytes(grad);
#pragma omp parallel for simd schedule(static)
        for (size_t i = 0; i < bytes / 2; i++) g[i] = (v[i] & 0x7fff) ? g[i] : 0;
    }
}

static float from_bf16(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

static uint16_t to_bf16(float value)   /* to nearest, ties to even */
{
    uint32_t wide;
    memcpy(&wide, &value, sizeof wide);
    return (uint16_t)((wide + 0x7fff + ((wide >> 16) & 1)) >> 16);
}

void rg_cpu_sum(dnnl_memory_t to, dnnl_memory_t a, dnnl_memory_t b, bool relu)
{
    rg_md md = rg_cpu_layout(to);
    size_t bytes = dnnl_memory_desc_get_size(md);
    const float floor = relu ? 0 : -INFINITY;
    if (rg_onednn_md_type(md) == dnnl_f32) {
        float *t = rg_cpu_bytes(to), *x = rg_cpu_bytes(a), *y = rg_cpu_bytes(b);
#pragma omp parallel for simd schedule(static)
        for (size_t i = 0; i < bytes / 4; i++) {
            float sum = x[i] + y[i];
            t[i] = sum < floor ? floor : sum;
        }
    } else {
        uint16_t *t = rg_cpu_bytes(to), *x = rg_cpu_bytes(a), *y = rg_cpu_bytes(b);
#pragma omp parallel for simd schedule(static)
        for (size_t i = 0; i < bytes / 2; i++) {
            float sum = from_bf16(x[i]) + from_bf16(y[i]);
            t[i] = to_bf16(sum < floor ? floor : sum);
        }
    }
}

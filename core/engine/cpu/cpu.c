/* SPDX-License-Identifier: MIT */
#include "core/engine/cpu/cpu.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

#include "core/engine/optimizer.h"

static bool has(dnnl_cpu_isa_t isa)
{
    return ((unsigned)dnnl_get_effective_cpu_isa() & (unsigned)isa) == (unsigned)isa;
}

/* Denormals double the time of f32 Winograd: flush them in every thread. */
static void flush_denormals(void)
{
#ifdef __SSE2__
#pragma omp parallel
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

static void cpu_close(void *context)
{
    rg_cpu *cpu = context;
    if (cpu == NULL) return;
    if (cpu->stream) dnnl_stream_destroy(cpu->stream);
    if (cpu->engine) dnnl_engine_destroy(cpu->engine);
    free(cpu);
}

/* AMX -> bf16, anything else -> f32 (bf16 pays only with AMX). */
static int choose(rg_cpu *cpu, rg_precision precision)
{
    cpu->precision = precision;
    RG_TRY(rg_backend_no_card("cpu", precision));
    cpu->winograd = has(dnnl_cpu_isa_avx512_core);
    if (precision == RG_PRECISION_AUTO)
        cpu->precision = has(dnnl_cpu_isa_avx512_core_amx) ? RG_PRECISION_BF16
                                                           : RG_PRECISION_F32;
    if (precision == RG_PRECISION_BF16 && !has(dnnl_cpu_isa_avx512_core))
        return RG_FAIL(
            "this processor has no AVX-512 to run bf16 on: use --precision f32");
    return 0;
}

static bool cpu_describe(int line, char text[RG_BACKEND_TEXT])
{
    const dnnl_version_t *v = dnnl_version();
    const bool amx = has(dnnl_cpu_isa_avx512_core_amx);
    const char *isa = amx ? "AVX-512 with AMX"
                    : has(dnnl_cpu_isa_avx512_core) ? "AVX-512"
                    : has(dnnl_cpu_isa_avx2) ? "AVX2" : "less than AVX2";
    int threads = 1;
#ifdef _OPENMP
    threads = omp_get_max_threads();
#endif
    snprintf(text, RG_BACKEND_TEXT,
             "oneDNN %d.%d.%d on a processor of %s, %d thread%s: %s", v->major,
             v->minor, v->patch, isa, threads, threads == 1 ? "" : "s",
             amx ? "bf16" : "f32");
    return line == 0;
}

static int cpu_open(void **context, rg_precision precision, bool training)
{
    (void)training;
    rg_cpu *cpu = rg_error_alloc(1, sizeof *cpu, "the CPU backend");
    if (cpu == NULL) return -1;
    if (choose(cpu, precision) != 0
        || rg_onednn_check(dnnl_engine_create(&cpu->engine, dnnl_cpu, 0),
                           "start on this processor") != 0
        || rg_onednn_check(dnnl_stream_create(&cpu->stream, cpu->engine,
                                              dnnl_stream_default_flags),
                           "open a stream") != 0) {
        cpu_close(cpu);
        return -1;
    }
    flush_denormals();
    *context = cpu;
    return 0;
}

static rg_precision cpu_precision(void *context)
{
    return ((rg_cpu *)context)->precision;
}

/* Between a tensor's memory and a plain f32 host array. */
static int transfer(const rg_cpu *cpu, dnnl_memory_t memory, rg_shape shape,
                    float *host, bool to_host)
{
    dnnl_memory_t plain;
    if (memory == NULL) return RG_FAIL("the tensor has no memory of that kind");
    RG_TRY(rg_cpu_memory_plain(cpu, &plain, shape, dnnl_nchw, host));
    int status =
        to_host ? rg_cpu_copy(cpu, memory, plain) : rg_cpu_copy(cpu, plain, memory);
    rg_cpu_memory_free(&plain);
    return status;
}

static int cpu_put(void *context, rg_tensor *tensor, const float *host)
{
    return transfer(context, tensor->data, tensor->shape, (float *)host, false);
}

static int cpu_get(void *context, const rg_tensor *tensor, bool gradient, float *host)
{
    return transfer(context, gradient ? tensor->grad : tensor->data, tensor->shape,
                    host, true);
}

static int cpu_add_grad(void *context, rg_tensor *to, const rg_tensor *from)
{
    (void)context;
    rg_cpu_sum(to->grad, to->grad, from->grad, false);
    return 0;
}

/* Only losses are filled, and they are plain f32. */
static int cpu_fill_grad(void *context, rg_tensor *tensor, float value)
{
    (void)context;
    float *grad = rg_cpu_bytes(tensor->grad);
    for (long i = 0; i < rg_layer_count(tensor->shape); i++) grad[i] = value;
    return 0;
}

static int cpu_alias(void *context, rg_tensor *alias, const rg_tensor *of)
{
    dnnl_memory_t grad;
    RG_TRY(rg_cpu_memory(context, &grad, rg_cpu_layout(of->data), NULL));
    *alias = *of;
    alias->grad = grad;
    return 0;
}

static void cpu_free_alias(void *context, rg_tensor *alias)
{
    (void)context;
    dnnl_memory_t grad = alias->grad;
    rg_cpu_memory_free(&grad);
}

static void cpu_param_free(void *context, rg_param *param)
{
    (void)context;
    rg_cpu_param *p = param->data;
    if (p == NULL) return;
    for (int i = p->of ? 1 : 0; i <= RG_MEAN; i++) free(p->part[i]);
    free(p);
    param->data = NULL;
}

static int cpu_param_new(void *context, rg_param *param, bool training)
{
    long n = rg_layer_count(param->shape);
    rg_cpu_param *p = param->data = rg_error_alloc(1, sizeof *p, param->name);
    if (p == NULL) return -1;
    p->version = 1;
    for (int i = 0; i < (training ? RG_MEAN : 1); i++)
        if ((p->part[i] = rg_error_alloc(n, sizeof(float), param->name)) == NULL) {
            cpu_param_free(context, param);
            return -1;
        }
    return 0;
}

static int cpu_param_twin(void *context, rg_param *twin, const rg_param *of,
                          bool training)
{
    long n = rg_layer_count(twin->shape);
    rg_cpu_param *p = twin->data = rg_error_alloc(1, sizeof *p, twin->name);
    if (p == NULL) return -1;
    p->of = of->data;
    p->part[RG_VALUE] = p->of->part[RG_VALUE];
    if (training) p->part[RG_GRADIENT] = rg_error_alloc(n, sizeof(float), twin->name);
    if (p->part[RG_GRADIENT] || !training) return 0;
    cpu_param_free(context, twin);
    return -1;
}

static int cpu_param_add_grad(void *context, rg_param *to, const rg_param *from)
{
    (void)context;
    float *sum = ((rg_cpu_param *)to->data)->part[RG_GRADIENT];
    const float *more = ((rg_cpu_param *)from->data)->part[RG_GRADIENT];
    for (long i = 0; i < rg_layer_count(to->shape); i++) sum[i] += more[i];
    return 0;
}

static int cpu_param_put(void *context, rg_param *param, rg_part part,
                         const float *host)
{
    (void)context;
    rg_cpu_param *p = param->data;
    if (p->part[part] == NULL) return RG_FAIL("%s keeps no moments here", param->name);
    memcpy(p->part[part], host, rg_layer_count(param->shape) * sizeof *host);
    p->version++;
    return 0;
}

static int cpu_param_get(void *context, const rg_param *param, rg_part part,
                         float *host)
{
    (void)context;
    const rg_cpu_param *p = param->data;
    if (p->part[part] == NULL) return RG_FAIL("%s keeps no moments here", param->name);
    memcpy(host, p->part[part], rg_layer_count(param->shape) * sizeof *host);
    return 0;
}

static int cpu_param_average(void *context, rg_param *param, float share)
{
    (void)context;
    rg_cpu_param *p = param->data;
    const long n = rg_layer_count(param->shape);
    if (p->part[RG_MEAN] == NULL)
        p->part[RG_MEAN] = rg_error_alloc(n, sizeof(float), param->name);
    if (p->part[RG_MEAN] == NULL) return -1;
    float *restrict mean = p->part[RG_MEAN], *restrict value = p->part[RG_VALUE];
    #pragma omp parallel for simd schedule(static) if (n > 1 << 15)
    for (long i = 0; i < n; i++) mean[i] += share * (value[i] - mean[i]);
    return 0;
}

static int cpu_update(void *context, rg_param *params, int nparams,
                      const rg_optimizer *how, long step, float *norm)
{
    (void)context;
    double squares = 0;
    float scale;
    for (int i = 0; i < nparams; i++) {
        const rg_cpu_param *p = params[i].data;
        if (!(params[i].factor > 0)) continue;
        squares += rg_optimizer_squares(rg_layer_count(params[i].shape),
                                        p->part[RG_GRADIENT]);
    }
    RG_TRY(rg_optimizer_clip(how, squares, norm, &scale));
    for (int i = 0; i < nparams; i++) {
        rg_cpu_param *p = params[i].data;
        rg_optimizer own = rg_optimizer_for(how, &params[i]);
        if (!(params[i].factor > 0)) continue;
        rg_optimizer_step(&own, step, scale, rg_layer_count(params[i].shape),
                          p->part[RG_VALUE], p->part[RG_GRADIENT], p->part[RG_MOMENT1],
                          p->part[RG_MOMENT2]);
        p->version++;
    }
    return 0;
}

/* INPUT: plain f32, filled by put. */
static int input_plan(void *context, rg_node *node)
{
    return rg_cpu_output_plain(context, node->out, dnnl_nchw);
}

static int input_run(void *context, rg_node *node)
{
    (void)context, (void)node;
    return 0;
}

static void input_unplan(void *context, rg_node *node)
{
    (void)context;
    rg_cpu_output_free(node->out);
}

/* Planned like `kind`, run as `word`. */
#define OPERATION(kind, word) \
    { rg_cpu_##kind##_plan, rg_cpu_##word##_forward, rg_cpu_##word##_backward, \
      rg_cpu_##kind##_unplan }

const rg_backend rg_backend_cpu = {
    .name = "cpu",
    .describe = cpu_describe,
    .open = cpu_open,
    .close = cpu_close,
    .precision = cpu_precision,
    .put = cpu_put,
    .get = cpu_get,
    .add_grad = cpu_add_grad,
    .fill_grad = cpu_fill_grad,
    .alias = cpu_alias,
    .free_alias = cpu_free_alias,
    .param_new = cpu_param_new,
    .param_twin = cpu_param_twin,
    .param_add_grad = cpu_param_add_grad,
    .param_free = cpu_param_free,
    .param_put = cpu_param_put,
    .param_get = cpu_param_get,
    .param_average = cpu_param_average,
    .update = cpu_update,
    .operation = {
        [RG_INPUT] = { input_plan, input_run, input_run, input_unplan },
        [RG_CONV] = OPERATION(linear, linear),
        [RG_FC] = OPERATION(linear, linear),
        [RG_MAXPOOL] = OPERATION(maxpool, maxpool),
        [RG_BATCHNORM] = OPERATION(batchnorm, batchnorm),
        [RG_ADD] = OPERATION(add, add),
        [RG_UPSAMPLE] = OPERATION(upsample, upsample),
        [RG_BOXES] = OPERATION(plain, boxes),
        [RG_STPOOL] = OPERATION(stpool, stpool),
        [RG_CONCAT] = OPERATION(plain, concat),
        [RG_DROPOUT] = OPERATION(plain, dropout),
        [RG_SOFTMAX] = OPERATION(plain, softmax),
        [RG_SOFTMAXLOSS] = OPERATION(plain, softmaxloss),
        [RG_SMOOTHL1] = OPERATION(plain, smoothl1),
    },
};

/* SPDX-License-Identifier: MIT */
/* BATCHNORM by own kernels: cuDNN's want other statistics tracked. */
#include <stdlib.h>

#include "core/engine/gpu/gpu.h"

typedef struct batchnorm {
    float *mean, *variance;            /* of the batch, [channels] each */
    size_t part;                       /* offset in scratch [bytes] */
} batchnorm;

int rg_gpu_batchnorm_plan(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    const rg_shape s = node->out->shape;
    const size_t bytes = rg_gpu_bytes((rg_shape){ 1, s.c, 1, 1 }, RG_F32);
    size_t total = 0;
    batchnorm *b = node->plan = rg_error_alloc(1, sizeof *b, node->row->name);
    if (b == NULL) return -1;
    RG_TRY(rg_gpu_output(gpu, node->out, rg_gpu_data(node->in[0]).type));
    if (!node->training) return 0;
    RG_TRY(rg_device_alloc(gpu->device, (void **)&b->mean, bytes, node->row->name));
    RG_TRY(rg_device_alloc(gpu->device, (void **)&b->variance, bytes, node->row->name));
    b->part = rg_gpu_reserve(&total, rg_gpu_parts(s));
    return rg_gpu_scratch(gpu, total);
}

void rg_gpu_batchnorm_unplan(void *context, rg_node *node)
{
    (void)context;
    batchnorm *b = node->plan;
    if (b == NULL) return;
    rg_device_free(b->mean);
    rg_device_free(b->variance);
    rg_gpu_output_free(node->out);
    free(b);
    node->plan = NULL;
}

/* Normalised by the tracked statistics. */
static bool is_fixed(const rg_node *node)
{
    return !node->training || node->row->frozen || node->frozen;
}

static int statistics(rg_gpu *gpu, const rg_node *node, const batchnorm *b)
{
    const rg_shape s = node->in[0]->shape;
    const double values = (double)s.n * s.h * s.w;
    rg_kernel_columns sums = { .kind = RG_COLUMNS_SUM, .x = rg_gpu_data(node->in[0]),
                               .part = rg_gpu_at(gpu, b->part) };
    RG_TRY(rg_gpu_columns(gpu, &sums, 1 / values, b->mean, NULL));
    sums.kind = RG_COLUMNS_SPREAD;
    sums.mean = b->mean;
    RG_TRY(rg_gpu_columns(gpu, &sums, 1 / values, b->variance, NULL));
    return rg_device_track(gpu->device,
        &(rg_kernel_track){ s.c, b->mean, b->variance,
                            rg_gpu_part(node->mean, RG_VALUE),
                            rg_gpu_part(node->variance, RG_VALUE),
                            (float)(values > 1 ? values / (values - 1) : 1) });
}

int rg_gpu_batchnorm_forward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    const batchnorm *b = node->plan;
    const bool fixed = is_fixed(node);
    if (!fixed) RG_TRY(statistics(gpu, node, b));
    return rg_device_normalise(gpu->device,
        &(rg_kernel_normalise){
            .count = rg_layer_count(node->out->shape),
            .x = rg_gpu_data(node->in[0]), .y = rg_gpu_data(node->out),
            .mean = fixed ? rg_gpu_part(node->mean, RG_VALUE) : b->mean,
            .variance = fixed ? rg_gpu_part(node->variance, RG_VALUE) : b->variance,
            .weight = rg_gpu_part(node->weight, RG_VALUE),
            .bias = rg_gpu_part(node->bias, RG_VALUE),
            .relu = node->row->activation == RG_RELU });
}

int rg_gpu_batchnorm_backward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    const batchnorm *b = node->plan;
    const bool fixed = is_fixed(node);
    const rg_view x = rg_gpu_data(node->in[0]), dy = rg_gpu_grad(node->out);
    const rg_view dx = rg_gpu_grad(node->in[0]);
    const float *mean = fixed ? rg_gpu_part(node->mean, RG_VALUE) : b->mean;
    const float *variance = fixed ? rg_gpu_part(node->variance, RG_VALUE) : b->variance;
    float *sum = rg_gpu_part(node->bias, RG_GRADIENT);
    float *product = rg_gpu_part(node->weight, RG_GRADIENT);
    rg_kernel_columns sums = { .kind = RG_COLUMNS_PRODUCT, .x = x, .dy = dy,
                               .mean = mean, .variance = variance,
                               .part = rg_gpu_at(gpu, b->part) };
    RG_TRY(rg_gpu_ungate(gpu, node));
    RG_TRY(rg_gpu_columns(gpu, &sums, 1, sum, product));
    if (dx.data == NULL) return 0;
    return rg_device_normalise_back(gpu->device,
        &(rg_kernel_normalise_back){
            .count = rg_layer_count(node->out->shape), .x = x, .dy = dy, .dx = dx,
            .mean = mean, .variance = variance,
            .weight = rg_gpu_part(node->weight, RG_VALUE),
            .sum = fixed ? NULL : sum, .product = fixed ? NULL : product });
}

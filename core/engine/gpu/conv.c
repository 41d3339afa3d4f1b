/* SPDX-License-Identifier: MIT */
/* CONV by cuDNN, bias and ReLU with it. */
#include <stdlib.h>

#include "core/engine/gpu/gpu.h"

typedef struct conv {
    rg_convolution *forward, *back_data, *back_weights;
    void *packed, *bias;               /* weights [outputs][kh][kw][inputs]; bias, or
                                          zeros for the ReLU's sake, or NULL */
    long version, bias_version;        /* of what is packed */
    /* offsets in scratch [bytes] */
    size_t x, dx, dweight, part, workspace;
} conv;

/* Scores are wanted in f32. */
static bool is_matrix(const rg_node *node)
{
    const rg_row *row = node->row;
    return row->size == 1 && row->stride < 2 && !row->bare
           && row->activation == RG_LINEAR;
}

static int make(rg_gpu *gpu, const rg_node *node, rg_convolution **out, rg_pass pass,
                size_t *workspace)
{
    const rg_row *row = node->row;
    const bool relu = row->activation == RG_RELU;
    const rg_convolution_spec spec = {
        .pass = pass, .in = node->in[0]->shape, .out = node->out->shape,
        .size = row->size, .stride = row->stride ? row->stride : 1,
        .precision = gpu->precision, .bias = relu || !row->bare, .relu = relu,
    };
    RG_TRY(rg_tune_convolution(gpu->tune, gpu->device, out, &spec));
    const size_t bytes = rg_convolution_workspace(*out);
    if (bytes > *workspace) *workspace = bytes;
    return 0;
}

static int convolutions(rg_gpu *gpu, const rg_node *node, conv *s, size_t *workspace)
{
    RG_TRY(make(gpu, node, &s->forward, RG_PASS_FORWARD, workspace));
    if (node->out->grad && node->in[0]->grad)
        RG_TRY(make(gpu, node, &s->back_data, RG_PASS_DATA, workspace));
    if (node->out->grad == NULL || node->frozen) return 0;
    return make(gpu, node, &s->back_weights, RG_PASS_WEIGHTS, workspace);
}

static int scratch(rg_gpu *gpu, const rg_node *node, conv *s, size_t workspace)
{
    const rg_shape in = node->in[0]->shape;
    size_t total = 0;
    s->x = rg_gpu_reserve(&total, rg_gpu_bytes(in, gpu->type));
    s->workspace = rg_gpu_reserve(&total, workspace);
    if (node->training) {
        s->dx = rg_gpu_reserve(&total, rg_gpu_bytes(in, gpu->type));
        s->dweight = rg_gpu_reserve(&total,
                                    rg_gpu_bytes(node->weight->shape, gpu->type));
        s->part = rg_gpu_reserve(&total, rg_gpu_parts(node->out->shape));
    }
    return rg_gpu_scratch(gpu, total);
}

int rg_gpu_conv_plan(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    const rg_row *row = node->row;
    size_t workspace = 0;
    if (is_matrix(node)) return rg_gpu_matrix_plan(context, node);
    conv *s = node->plan = rg_error_alloc(1, sizeof *s, row->name);
    if (s == NULL) return -1;
    RG_TRY(rg_gpu_output(gpu, node->out, gpu->type));
    RG_TRY(rg_device_alloc(gpu->device, &s->packed,
                           rg_gpu_bytes(node->weight->shape, gpu->type), row->name));
    if (!row->bare || row->activation == RG_RELU)
        RG_TRY(rg_device_alloc(gpu->device, &s->bias,
                               rg_gpu_bytes((rg_shape){ 1, row->outputs, 1, 1 },
                                            gpu->type), row->name));
    RG_TRY(convolutions(gpu, node, s, &workspace));
    return scratch(gpu, node, s, workspace);
}

void rg_gpu_conv_unplan(void *context, rg_node *node)
{
    conv *s = node->plan;
    if (s == NULL) return;
    if (is_matrix(node)) {
        rg_gpu_matrix_unplan(context, node);
        return;
    }
    rg_convolution_free(s->forward);
    rg_convolution_free(s->back_data);
    rg_convolution_free(s->back_weights);
    rg_device_free(s->packed);
    rg_device_free(s->bias);
    rg_gpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

/* Into the type and order of the convolution. */
static int pack(rg_gpu *gpu, const rg_node *node, const rg_param *param, void *to,
                long *packed)
{
    if (!rg_gpu_must_pack(gpu, node, param, packed)) return 0;
    return rg_device_arrange(gpu->device,
        &(rg_kernel_arrange){ rg_layer_count(param->shape),
                              rg_gpu_part(param, RG_VALUE),
                              { to, param->shape, gpu->type } });
}

int rg_gpu_conv_forward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    conv *s = node->plan;
    if (is_matrix(node)) return rg_gpu_matrix_forward(context, node);
    rg_view x = rg_gpu_data(node->in[0]);
    RG_TRY(pack(gpu, node, node->weight, s->packed, &s->version));
    if (node->bias)
        RG_TRY(pack(gpu, node, node->bias, s->bias, &s->bias_version));
    RG_TRY(rg_gpu_as(gpu, &x, gpu->type, s->x));
    return rg_convolution_run(gpu->device, s->forward, x.data, s->packed, s->bias,
                              rg_gpu_data(node->out).data,
                              rg_gpu_at(gpu, s->workspace));
}

static int back_weights(rg_gpu *gpu, rg_node *node, conv *s)
{
    const rg_view dy = rg_gpu_grad(node->out);
    const rg_view made = { rg_gpu_at(gpu, s->dweight), node->weight->shape, gpu->type };
    rg_kernel_columns bias = { .x = dy, .part = rg_gpu_at(gpu, s->part) };
    rg_view x = rg_gpu_data(node->in[0]);
    if (node->bias)
        RG_TRY(rg_gpu_columns(gpu, &bias, 1, rg_gpu_part(node->bias, RG_GRADIENT),
                              NULL));
    RG_TRY(rg_gpu_as(gpu, &x, gpu->type, s->x));
    RG_TRY(rg_convolution_run(gpu->device, s->back_weights, x.data, made.data, NULL,
                              dy.data, rg_gpu_at(gpu, s->workspace)));
    return rg_device_flatten(gpu->device,
        &(rg_kernel_flatten){ rg_layer_count(made.shape), made,
                              { rg_gpu_part(node->weight, RG_GRADIENT), made.shape,
                                RG_F32 } });
}

int rg_gpu_conv_backward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    conv *s = node->plan;
    if (is_matrix(node)) return rg_gpu_matrix_backward(context, node);
    const rg_view dx = rg_gpu_grad(node->in[0]);
    RG_TRY(rg_gpu_ungate(gpu, node));
    if (!node->frozen) RG_TRY(back_weights(gpu, node, s));
    if (dx.data == NULL) return 0;
    const rg_view made = rg_gpu_target(gpu, dx, gpu->type, s->dx);
    RG_TRY(pack(gpu, node, node->weight, s->packed, &s->version));
    RG_TRY(rg_convolution_run(gpu->device, s->back_data, made.data, s->packed, NULL,
                              rg_gpu_grad(node->out).data,
                              rg_gpu_at(gpu, s->workspace)));
    return rg_gpu_deliver(gpu, made, dx);
}

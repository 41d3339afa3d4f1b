/* SPDX-License-Identifier: MIT */
/* FC, and convolutions of one point that make scores: matrix products with sums in f32,
 * and f32 is what they make where no ReLU follows. */
#include <stdlib.h>

#include "core/engine/gpu/gpu.h"

typedef struct matrix {
    rg_product *forward, *back_data, *back_weights;
    void *packed;                      /* weights [outputs][h][w][c] */
    long version;                      /* of what is packed */
    int rows, inputs, outputs;
    /* offsets in scratch [bytes] */
    size_t x, y, dx, dy, dweight, part, workspace;
} matrix;

/* The weights as the input's channels, rows and columns. */
static rg_shape weight_shape(const rg_node *node)
{
    const rg_shape in = node->in[0]->shape, w = node->weight->shape;
    return node->row->word == RG_FC ? (rg_shape){ w.n, in.c, in.h, in.w } : w;
}

static int make(rg_gpu *gpu, rg_product **out, rg_product_spec spec, size_t *workspace)
{
    spec.precision = gpu->precision;
    RG_TRY(rg_tune_product(gpu->tune, gpu->device, out, &spec));
    const size_t bytes = rg_product_workspace(*out);
    if (bytes > *workspace) *workspace = bytes;
    return 0;
}

static int products(rg_gpu *gpu, const rg_node *node, matrix *s, size_t *workspace)
{
    const int m = s->rows, n = s->outputs, k = s->inputs;
    RG_TRY(make(gpu, &s->forward,
                (rg_product_spec){ .m = m, .n = n, .k = k, .b_turned = true },
                workspace));
    if (node->out->grad && node->in[0]->grad)
        RG_TRY(make(gpu, &s->back_data, (rg_product_spec){ .m = m, .n = k, .k = n },
                    workspace));
    if (node->out->grad == NULL || node->frozen) return 0;
    return make(gpu, &s->back_weights,
                (rg_product_spec){ .m = n, .n = k, .k = m, .a_turned = true },
                workspace);
}

static int scratch(rg_gpu *gpu, const rg_node *node, matrix *s, size_t workspace)
{
    const rg_shape in = node->in[0]->shape, out = node->out->shape;
    size_t total = 0;
    s->x = rg_gpu_reserve(&total, rg_gpu_bytes(in, gpu->type));
    s->y = rg_gpu_reserve(&total, rg_gpu_bytes(out, RG_F32));
    s->workspace = rg_gpu_reserve(&total, workspace);
    if (node->training) {
        s->dy = rg_gpu_reserve(&total, rg_gpu_bytes(out, gpu->type));
        s->dx = rg_gpu_reserve(&total, rg_gpu_bytes(in, RG_F32));
        s->dweight = rg_gpu_reserve(&total, rg_gpu_bytes(node->weight->shape, RG_F32));
        s->part = rg_gpu_reserve(&total, rg_gpu_parts(out));
    }
    return rg_gpu_scratch(gpu, total);
}

int rg_gpu_matrix_plan(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    size_t workspace = 0;
    matrix *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    s->inputs = node->row->inputs;
    s->outputs = node->row->outputs;
    s->rows = (int)(rg_layer_count(node->in[0]->shape) / s->inputs);
    RG_TRY(rg_gpu_output(gpu, node->out,
                         node->row->activation == RG_RELU ? gpu->type : RG_F32));
    RG_TRY(rg_device_alloc(gpu->device, &s->packed,
                           rg_gpu_bytes(node->weight->shape, gpu->type),
                           node->row->name));
    RG_TRY(products(gpu, node, s, &workspace));
    return scratch(gpu, node, s, workspace);
}

void rg_gpu_matrix_unplan(void *context, rg_node *node)
{
    (void)context;
    matrix *s = node->plan;
    if (s == NULL) return;
    rg_product_free(s->forward);
    rg_product_free(s->back_data);
    rg_product_free(s->back_weights);
    rg_device_free(s->packed);
    rg_gpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

static int pack(rg_gpu *gpu, const rg_node *node, matrix *s)
{
    if (!rg_gpu_must_pack(gpu, node, node->weight, &s->version)) return 0;
    return rg_device_arrange(gpu->device,
        &(rg_kernel_arrange){ rg_layer_count(node->weight->shape),
                              rg_gpu_part(node->weight, RG_VALUE),
                              { s->packed, weight_shape(node), gpu->type } });
}

int rg_gpu_matrix_forward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    matrix *s = node->plan;
    rg_view x = rg_gpu_data(node->in[0]), y = rg_gpu_data(node->out);
    float *sums = y.type == RG_F32 ? y.data : rg_gpu_at(gpu, s->y);
    RG_TRY(pack(gpu, node, s));
    RG_TRY(rg_gpu_as(gpu, &x, gpu->type, s->x));
    RG_TRY(rg_product_run(gpu->device, s->forward, x.data, s->packed, sums,
                          rg_gpu_at(gpu, s->workspace)));
    return rg_device_finish(gpu->device,
        &(rg_kernel_finish){ rg_layer_count(node->out->shape), sums,
                             rg_gpu_part(node->bias, RG_VALUE), y,
                             node->row->activation == RG_RELU });
}

static int back_weights(rg_gpu *gpu, rg_node *node, matrix *s, rg_view dy)
{
    const rg_view made = { rg_gpu_at(gpu, s->dweight), weight_shape(node), RG_F32 };
    rg_kernel_columns bias = { .x = rg_gpu_grad(node->out),
                               .part = rg_gpu_at(gpu, s->part) };
    rg_view x = rg_gpu_data(node->in[0]);
    RG_TRY(rg_gpu_columns(gpu, &bias, 1, rg_gpu_part(node->bias, RG_GRADIENT), NULL));
    RG_TRY(rg_gpu_as(gpu, &x, gpu->type, s->x));
    RG_TRY(rg_product_run(gpu->device, s->back_weights, dy.data, x.data, made.data,
                          rg_gpu_at(gpu, s->workspace)));
    return rg_device_flatten(gpu->device,
        &(rg_kernel_flatten){ rg_layer_count(made.shape), made,
                              rg_gpu_part(node->weight, RG_GRADIENT) });
}

int rg_gpu_matrix_backward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    matrix *s = node->plan;
    rg_view dy = rg_gpu_grad(node->out), dx = rg_gpu_grad(node->in[0]);
    RG_TRY(rg_gpu_ungate(gpu, node));
    RG_TRY(rg_gpu_as(gpu, &dy, gpu->type, s->dy));
    if (!node->frozen) RG_TRY(back_weights(gpu, node, s, dy));
    if (dx.data == NULL) return 0;
    const rg_view made = rg_gpu_target(gpu, dx, RG_F32, s->dx);
    RG_TRY(pack(gpu, node, s));
    RG_TRY(rg_product_run(gpu->device, s->back_data, dy.data, s->packed, made.data,
                          rg_gpu_at(gpu, s->workspace)));
    return rg_gpu_deliver(gpu, made, dx);
}

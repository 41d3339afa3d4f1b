/* SPDX-License-Identifier: MIT */
/* FC, and convolutions of one point that make scores: matrix products with sums in f32,
 * and f32 is what they make where no ReLU follows.  Weights stay in the order of the
 * host, [outputs][c][h][w]: what FC reads of a map is turned into it, which is far
 * less. */
#include <stdlib.h>

#include "core/engine/gpu/gpu.h"

typedef struct matrix {
    rg_product *forward, *back_data, *back_weights;
    void *packed;                      /* weights in the card's type; NULL: f32 */
    long version;                      /* of what is packed */
    bool turns;                        /* what it reads is a map */
    int rows, inputs, outputs;
    /* offsets in scratch [bytes] */
    size_t x, y, dx, dy, part, workspace;
} matrix;

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
        s->part = rg_gpu_reserve(&total, rg_gpu_parts(out));
    }
    return rg_gpu_scratch(gpu, total);
}

int rg_gpu_matrix_plan(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    const rg_shape in = node->in[0]->shape;
    size_t workspace = 0;
    matrix *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    s->turns = node->row->word == RG_FC && in.h * in.w > 1;
    s->inputs = node->row->inputs;
    s->outputs = node->row->outputs;
    s->rows = (int)(rg_layer_count(in) / s->inputs);
    RG_TRY(rg_gpu_output(gpu, node->out,
                         node->row->activation == RG_RELU ? gpu->type : RG_F32));
    if (gpu->type != RG_F32)
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

/* The weights as they are multiplied with. */
static int pack(rg_gpu *gpu, const rg_node *node, matrix *s, const void **weights)
{
    const rg_shape flat = { 1, s->inputs, s->outputs, 1 };
    const rg_view values = { rg_gpu_part(node->weight, RG_VALUE), flat, RG_F32 };
    *weights = s->packed ? s->packed : values.data;
    if (s->packed == NULL || !rg_gpu_must_pack(gpu, node, node->weight, &s->version))
        return 0;
    return rg_gpu_gate(gpu, (rg_view){ .data = NULL }, values,
                       (rg_view){ s->packed, flat, gpu->type });
}

/* What is read in the card's type, row by row. */
static int rows_of(rg_gpu *gpu, const rg_node *node, const matrix *s, rg_view *x)
{
    *x = rg_gpu_data(node->in[0]);
    if (!s->turns) return rg_gpu_as(gpu, x, gpu->type, s->x);
    const rg_view turned = { rg_gpu_at(gpu, s->x), x->shape, gpu->type };
    const rg_kernel_flatten turn = { rg_layer_count(x->shape), *x, turned };
    *x = turned;
    return rg_device_flatten(gpu->device, &turn);
}

int rg_gpu_matrix_forward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    matrix *s = node->plan;
    rg_view x, y = rg_gpu_data(node->out);
    float *sums = y.type == RG_F32 ? y.data : rg_gpu_at(gpu, s->y);
    const void *weights;
    RG_TRY(pack(gpu, node, s, &weights));
    RG_TRY(rows_of(gpu, node, s, &x));
    RG_TRY(rg_product_run(gpu->device, s->forward, x.data, weights, sums,
                          rg_gpu_at(gpu, s->workspace)));
    return rg_device_finish(gpu->device,
        &(rg_kernel_finish){ rg_layer_count(node->out->shape), sums,
                             rg_gpu_part(node->bias, RG_VALUE), y,
                             node->row->activation == RG_RELU });
}

static int back_weights(rg_gpu *gpu, rg_node *node, matrix *s, rg_view dy)
{
    rg_kernel_columns bias = { .x = rg_gpu_grad(node->out),
                               .part = rg_gpu_at(gpu, s->part) };
    rg_view x;
    RG_TRY(rg_gpu_columns(gpu, &bias, 1, rg_gpu_part(node->bias, RG_GRADIENT), NULL));
    RG_TRY(rows_of(gpu, node, s, &x));
    return rg_product_run(gpu->device, s->back_weights, dy.data, x.data,
                          rg_gpu_part(node->weight, RG_GRADIENT),
                          rg_gpu_at(gpu, s->workspace));
}

/* dx from dy; made in f32, then delivered in the type and order of the map. */
static int back_data(rg_gpu *gpu, rg_node *node, matrix *s, rg_view dy)
{
    const rg_view dx = rg_gpu_grad(node->in[0]);
    rg_view made = rg_gpu_target(gpu, dx, RG_F32, s->dx);
    const void *weights;
    if (s->turns) made.data = rg_gpu_at(gpu, s->dx);
    RG_TRY(pack(gpu, node, s, &weights));
    RG_TRY(rg_product_run(gpu->device, s->back_data, dy.data, weights, made.data,
                          rg_gpu_at(gpu, s->workspace)));
    if (!s->turns) return rg_gpu_deliver(gpu, made, dx);
    return rg_device_arrange(gpu->device,
        &(rg_kernel_arrange){ rg_layer_count(dx.shape), made.data, dx });
}

int rg_gpu_matrix_backward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    matrix *s = node->plan;
    rg_view dy = rg_gpu_grad(node->out);
    RG_TRY(rg_gpu_ungate(gpu, node));
    RG_TRY(rg_gpu_as(gpu, &dy, gpu->type, s->dy));
    if (!node->frozen) RG_TRY(back_weights(gpu, node, s, dy));
    return node->in[0]->grad ? back_data(gpu, node, s, dy) : 0;
}

/* SPDX-License-Identifier: MIT */
/* The words that are a kernel or two each. */
#include <stdlib.h>

#include "core/engine/gpu/gpu.h"

static rg_device *device_of(void *context)
{
    return ((rg_gpu *)context)->device;
}

static long count_of(const rg_tensor *tensor)
{
    return rg_layer_count(tensor->shape);
}

int rg_gpu_scores_plan(void *context, rg_node *node)
{
    if (node->row->word == RG_INPUT)   /* room for what put brings */
        RG_TRY(rg_gpu_intake(context, rg_gpu_bytes(node->out->shape, RG_F32)));
    return rg_gpu_output(context, node->out, RG_F32);
}

/* Of its inputs' type where they are of one. */
int rg_gpu_like_plan(void *context, rg_node *node)
{
    rg_type type = rg_gpu_data(node->in[0]).type;
    for (int k = 1; k < rg_layer_inputs(node->row->word); k++)
        if (node->row->word != RG_UPSAMPLE && rg_gpu_data(node->in[k]).type != type)
            type = RG_F32;
    return rg_gpu_output(context, node->out, type);
}

void rg_gpu_plain_unplan(void *context, rg_node *node)
{
    (void)context;
    rg_device_free(node->plan);
    node->plan = NULL;
    rg_gpu_output_free(node->out);
}

int rg_gpu_input_forward(void *context, rg_node *node)
{
    (void)context, (void)node;
    return 0;
}

int rg_gpu_input_backward(void *context, rg_node *node)
{
    (void)context, (void)node;
    return 0;
}

int rg_gpu_maxpool_forward(void *context, rg_node *node)
{
    const int span = rg_view_span(node->out->shape);
    return rg_device_maxpool(device_of(context),
        &(rg_kernel_maxpool){ count_of(node->out) / span, span,
                              rg_gpu_data(node->in[0]), rg_gpu_data(node->out),
                              node->row->size });
}

int rg_gpu_maxpool_backward(void *context, rg_node *node)
{
    const rg_tensor *in = node->in[0];
    const int span = rg_view_span(in->shape);
    if (in->grad == NULL) return 0;
    return rg_device_maxpool_back(device_of(context),
        &(rg_kernel_maxpool_back){ count_of(in) / span, span, rg_gpu_data(in),
                                   rg_gpu_grad(node->out), rg_gpu_grad(in),
                                   node->row->size });
}

int rg_gpu_add_forward(void *context, rg_node *node)
{
    return rg_gpu_sum(context, node->out->shape, rg_gpu_data(node->in[0]),
                      rg_gpu_data(node->in[1]), rg_gpu_data(node->out),
                      node->row->activation == RG_RELU);
}

int rg_gpu_add_backward(void *context, rg_node *node)
{
    rg_view y = { .data = NULL };
    if (node->row->activation == RG_RELU) y = rg_gpu_data(node->out);
    for (int k = 0; k < 2; k++) {
        const rg_view dx = rg_gpu_grad(node->in[k]);
        if (dx.data) RG_TRY(rg_gpu_gate(context, y, rg_gpu_grad(node->out), dx));
    }
    return 0;
}

int rg_gpu_upsample_forward(void *context, rg_node *node)
{
    return rg_device_upsample(device_of(context),
        &(rg_kernel_upsample){ count_of(node->out), rg_gpu_data(node->in[0]),
                               rg_gpu_data(node->out) });
}

int rg_gpu_upsample_backward(void *context, rg_node *node)
{
    const rg_tensor *in = node->in[0];
    if (in->grad == NULL) return 0;
    return rg_device_upsample_back(device_of(context),
        &(rg_kernel_upsample_back){ count_of(in), rg_gpu_grad(node->out),
                                    rg_gpu_grad(in) });
}

/* All inputs to (or from) their places in `whole`. */
static int concat(void *context, const rg_node *node, rg_view whole, bool back)
{
    const int classes = node->row->outputs;
    rg_kernel_concat one = { .total = node->out->shape.c / classes, .whole = whole,
                             .classes = classes, .back = back };
    for (int k = 0; k < 3; k++) {
        const rg_tensor *in = node->in[k];
        one.count = count_of(in);
        one.part = back ? rg_gpu_grad(in) : rg_gpu_data(in);
        if (one.part.data) RG_TRY(rg_device_concat(device_of(context), &one));
        one.first += one.count / in->shape.n / classes;
    }
    return 0;
}

int rg_gpu_concat_forward(void *context, rg_node *node)
{
    return concat(context, node, rg_gpu_data(node->out), false);
}

int rg_gpu_concat_backward(void *context, rg_node *node)
{
    return concat(context, node, rg_gpu_grad(node->out), true);
}

int rg_gpu_boxes_forward(void *context, rg_node *node)
{
    return rg_device_boxes(device_of(context),
        &(rg_kernel_boxes){ node->out->shape.n, rg_gpu_data(node->in[0]),
                            rg_gpu_data(node->in[1]).data, (int)node->row->value,
                            rg_gpu_data(node->out).data });
}

int rg_gpu_boxes_backward(void *context, rg_node *node)
{
    const rg_view ddeltas = rg_gpu_grad(node->in[0]);
    if (ddeltas.data == NULL) return 0;
    return rg_device_boxes_back(device_of(context),
        &(rg_kernel_boxes_back){ count_of(node->in[0]), rg_gpu_data(node->in[0]),
                                 ddeltas, rg_gpu_data(node->in[1]).data,
                                 rg_gpu_grad(node->out).data, node->out->shape.n,
                                 (int)node->row->value });
}

int rg_gpu_dropout_plan(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    rg_gpu_drop *d = node->plan = rg_error_alloc(1, sizeof *d, node->row->name);
    if (d == NULL) return -1;
    d->node = node;
    d->next = gpu->drops;
    gpu->drops = d;
    RG_TRY(rg_device_alloc(gpu->device, (void **)&d->seed, sizeof *d->seed,
                           node->row->name));
    return rg_gpu_like_plan(context, node);
}

void rg_gpu_dropout_unplan(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    rg_gpu_drop *d = node->plan, **from = &gpu->drops;
    if (d == NULL) return;
    while (*from != d) from = &(*from)->next;
    *from = d->next;
    rg_device_free(d->seed);
    rg_gpu_output_free(node->out);
    free(d);
    node->plan = NULL;
}

int rg_gpu_send_seeds(rg_gpu *gpu)
{
    for (rg_gpu_drop *d = gpu->drops; d; d = d->next) {
        if (d->sent == d->node->seed) continue;
        RG_TRY(rg_device_upload(gpu->device, d->seed, &d->node->seed, sizeof *d->seed));
        d->sent = d->node->seed;
    }
    return 0;
}

static int drop(void *context, const rg_node *node, rg_view from, rg_view to)
{
    const rg_gpu_drop *d = node->plan;
    return rg_device_dropout(device_of(context),
        &(rg_kernel_dropout){ count_of(node->out), from, to, d->seed,
                              node->training ? node->row->value : 0 });
}

int rg_gpu_dropout_forward(void *context, rg_node *node)
{
    return drop(context, node, rg_gpu_data(node->in[0]), rg_gpu_data(node->out));
}

int rg_gpu_dropout_backward(void *context, rg_node *node)
{
    if (node->in[0]->grad == NULL) return 0;
    return drop(context, node, rg_gpu_grad(node->out), rg_gpu_grad(node->in[0]));
}

int rg_gpu_softmax_forward(void *context, rg_node *node)
{
    const int classes = node->row->outputs;
    return rg_device_softmax(device_of(context),
        &(rg_kernel_softmax){ count_of(node->out) / classes, rg_gpu_data(node->in[0]),
                              rg_gpu_data(node->out), classes });
}

int rg_gpu_softmax_backward(void *context, rg_node *node)
{
    const int classes = node->row->outputs;
    if (node->in[0]->grad == NULL) return 0;
    return rg_device_softmax_back(device_of(context),
        &(rg_kernel_softmax_back){ count_of(node->out) / classes,
                                   rg_gpu_data(node->out), rg_gpu_grad(node->out),
                                   rg_gpu_grad(node->in[0]), classes });
}

/* ---- losses: node->plan is the number of labels counted, on the card ---- */

int rg_gpu_loss_plan(void *context, rg_node *node)
{
    size_t total = 0;
    rg_gpu_reserve(&total, 2 * RG_GPU_PARTS * sizeof(double));
    RG_TRY(rg_gpu_scratch(context, total));
    RG_TRY(rg_device_alloc(device_of(context), &node->plan, sizeof(float),
                           node->row->name));
    return rg_gpu_output(context, node->out, RG_F32);
}

static int total(rg_gpu *gpu, const rg_node *node, bool mean)
{
    return rg_device_total(gpu->device,
        &(rg_kernel_total){ 1, RG_GPU_PARTS, mean, gpu->scratch,
                            rg_gpu_data(node->out).data, node->plan });
}

int rg_gpu_softmaxloss_forward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    RG_TRY(rg_device_softmaxloss(gpu->device,
        &(rg_kernel_softmaxloss){ RG_GPU_PARTS, rg_gpu_data(node->in[0]),
                                  rg_gpu_data(node->in[1]), node->row->outputs,
                                  gpu->scratch }));
    return total(gpu, node, true);
}

int rg_gpu_softmaxloss_backward(void *context, rg_node *node)
{
    const rg_view dx = rg_gpu_grad(node->in[0]);
    if (dx.data == NULL) return 0;
    return rg_device_softmaxloss_back(device_of(context),
        &(rg_kernel_softmaxloss_back){ count_of(node->in[1]), rg_gpu_data(node->in[0]),
                                       rg_gpu_data(node->in[1]), dx,
                                       node->row->outputs, node->plan,
                                       rg_gpu_grad(node->out).data });
}

int rg_gpu_smoothl1_forward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    RG_TRY(rg_device_smoothl1(gpu->device,
        &(rg_kernel_smoothl1){ RG_GPU_PARTS, rg_gpu_data(node->in[0]),
                               rg_gpu_data(node->in[1]), rg_gpu_data(node->in[2]),
                               node->row->value, gpu->scratch }));
    return total(gpu, node, false);
}

int rg_gpu_smoothl1_backward(void *context, rg_node *node)
{
    const rg_view dx = rg_gpu_grad(node->in[0]);
    if (dx.data == NULL) return 0;
    return rg_device_smoothl1_back(device_of(context),
        &(rg_kernel_smoothl1_back){ count_of(node->in[0]), rg_gpu_data(node->in[0]),
                                    rg_gpu_data(node->in[1]), rg_gpu_data(node->in[2]),
                                    dx, node->row->value,
                                    rg_gpu_grad(node->out).data });
}

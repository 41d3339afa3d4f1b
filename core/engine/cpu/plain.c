/* SPDX-License-Identifier: MIT */
/* BOXES, CONCAT, DROPOUT, SOFTMAX and the losses: small, so the readable kernels do, on
 * plain f32. */
#include <stdlib.h>

#include "core/engine/cpu/cpu.h"
#include "core/engine/ref/kernels.h"

typedef struct plain {
    rg_cpu_feed in[3];
    rg_cpu_feed din[3];               /* of all but CONCAT only the first */
} plain;

int rg_cpu_plain_plan(void *context, rg_node *node)
{
    plain *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    for (int i = 0; i < rg_layer_inputs(node->row->word); i++) {
        rg_shape shape = node->in[i]->shape;
        rg_md md = rg_onednn_md(4, (int[]){ shape.n, shape.c, shape.h, shape.w },
                                dnnl_f32, dnnl_nchw);
        int status =
            md ? rg_cpu_feed_plan(context, &s->in[i], node->in[i]->data, md) : -1;
        if (status == 0 && (i == 0 || node->row->word == RG_CONCAT)
            && node->in[i]->grad)
            status = rg_cpu_drain_plan(context, &s->din[i], md, node->in[i]->grad);
        rg_onednn_md_free(md);
        RG_TRY(status);
    }
    return rg_cpu_output_plain(context, node->out, dnnl_nchw);
}

void rg_cpu_plain_unplan(void *context, rg_node *node)
{
    (void)context;
    plain *s = node->plan;
    if (s == NULL) return;
    for (int i = 0; i < 3; i++) {
        rg_cpu_feed_free(&s->in[i]);
        rg_cpu_drain_free(&s->din[i]);
    }
    rg_cpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

/* Inputs as plain arrays x[]; the output's array. */
static float *open_forward(void *context, rg_node *node, const float *x[3])
{
    plain *s = node->plan;
    for (int i = 0; i < rg_layer_inputs(node->row->word); i++) {
        if (rg_cpu_feed_run(context, &s->in[i]) != 0) return NULL;
        x[i] = rg_cpu_bytes(s->in[i].to);
    }
    return rg_cpu_bytes(node->out->data);
}

/* The arrays of forward, still filled, and where the gradient goes; NULL: not wanted.
 */
static float *open_backward(rg_node *node, const float *x[3])
{
    plain *s = node->plan;
    for (int i = 0; i < rg_layer_inputs(node->row->word); i++)
        x[i] = rg_cpu_bytes(s->in[i].to);
    return s->din[0].from ? rg_cpu_bytes(s->din[0].from) : NULL;
}

static int close_backward(void *context, rg_node *node)
{
    return rg_cpu_feed_run(context, &((plain *)node->plan)->din[0]);
}

static float upstream(const rg_node *node)
{
    return *(float *)rg_cpu_bytes(node->out->grad);
}

int rg_cpu_dropout_forward(void *context, rg_node *node)
{
    const float *x[3];
    float *y = open_forward(context, node, x);
    if (y == NULL) return -1;
    rg_kernels_dropout(rg_layer_count(node->out->shape), node->seed,
                       node->training ? node->row->value : 0, x[0], y);
    return 0;
}

int rg_cpu_dropout_backward(void *context, rg_node *node)
{
    const float *x[3];
    float *dx = open_backward(node, x);
    if (dx == NULL) return 0;
    rg_kernels_dropout(rg_layer_count(node->out->shape), node->seed, node->row->value,
                       rg_cpu_bytes(node->out->grad), dx);
    return close_backward(context, node);
}

int rg_cpu_boxes_forward(void *context, rg_node *node)
{
    const float *x[3];
    const rg_shape deltas = node->in[0]->shape;
    float *y = open_forward(context, node, x);
    if (y == NULL) return -1;
    rg_kernels_boxes(deltas.n, rg_layer_count(deltas) / deltas.n, x[0],
                     node->out->shape.n, x[1], (int)node->row->value, y);
    return 0;
}

int rg_cpu_boxes_backward(void *context, rg_node *node)
{
    const float *x[3];
    const rg_shape deltas = node->in[0]->shape;
    float *dx = open_backward(node, x);
    if (dx == NULL) return 0;
    rg_kernels_boxes_back(deltas.n, rg_layer_count(deltas) / deltas.n, x[0],
                          node->out->shape.n, x[1], (int)node->row->value,
                          rg_cpu_bytes(node->out->grad), dx);
    return close_backward(context, node);
}

int rg_cpu_concat_forward(void *context, rg_node *node)
{
    const float *x[3];
    const int classes = node->row->outputs;
    long first = 0, total = node->out->shape.c / classes;
    float *y = open_forward(context, node, x);
    if (y == NULL) return -1;
    for (int k = 0; k < 3; k++) {
        rg_shape in = node->in[k]->shape;
        rg_kernels_concat(in, classes, first, total, x[k], y);
        first += rg_layer_count(in) / in.n / classes;
    }
    return 0;
}

int rg_cpu_concat_backward(void *context, rg_node *node)
{
    plain *s = node->plan;
    const int classes = node->row->outputs;
    long first = 0, total = node->out->shape.c / classes;
    const float *dy = rg_cpu_bytes(node->out->grad);
    for (int k = 0; k < 3; k++) {
        rg_shape in = node->in[k]->shape;
        if (s->din[k].from) {
            rg_kernels_concat_back(in, classes, first, total, dy,
                                   rg_cpu_bytes(s->din[k].from));
            RG_TRY(rg_cpu_feed_run(context, &s->din[k]));
        }
        first += rg_layer_count(in) / in.n / classes;
    }
    return 0;
}

int rg_cpu_softmax_forward(void *context, rg_node *node)
{
    const float *x[3];
    float *y = open_forward(context, node, x);
    if (y == NULL) return -1;
    rg_kernels_softmax(node->in[0]->shape, node->row->outputs, x[0], y);
    return 0;
}

int rg_cpu_softmax_backward(void *context, rg_node *node)
{
    const float *x[3];
    float *dx = open_backward(node, x);
    if (dx == NULL) return 0;
    rg_kernels_softmax_back(node->in[0]->shape, node->row->outputs,
                            rg_cpu_bytes(node->out->data),
                            rg_cpu_bytes(node->out->grad), dx);
    return close_backward(context, node);
}

int rg_cpu_softmaxloss_forward(void *context, rg_node *node)
{
    const float *x[3];
    float *y = open_forward(context, node, x);
    if (y == NULL) return -1;
    *y = rg_kernels_softmax_loss(node->in[0]->shape, node->row->outputs, x[0], x[1]);
    return 0;
}

int rg_cpu_softmaxloss_backward(void *context, rg_node *node)
{
    const float *x[3];
    float *dx = open_backward(node, x);
    if (dx == NULL) return 0;
    rg_kernels_softmax_loss_back(node->in[0]->shape, node->row->outputs, x[0], x[1],
                                 upstream(node), dx);
    return close_backward(context, node);
}

int rg_cpu_smoothl1_forward(void *context, rg_node *node)
{
    const float *x[3] = { NULL };
    float *y = open_forward(context, node, x);
    if (y == NULL) return -1;
    *y = rg_kernels_smooth_l1(rg_layer_count(node->in[0]->shape), node->row->value,
                              x[0], x[1], x[2]);
    return 0;
}

int rg_cpu_smoothl1_backward(void *context, rg_node *node)
{
    const float *x[3] = { NULL };
    float *dx = open_backward(node, x);
    if (dx == NULL) return 0;
    rg_kernels_smooth_l1_back(rg_layer_count(node->in[0]->shape), node->row->value,
                              x[0], x[1], x[2], upstream(node), dx);
    return close_backward(context, node);
}

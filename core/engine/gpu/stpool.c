/* SPDX-License-Identifier: MIT */
/* STPOOL, Eq. 8: first where every sample of every RoI lies, then its value.  (cuDNN's
 * sampler scales otherwise, pads with zeros and wants a copy of the map per RoI.) */
#include <stdlib.h>

#include "core/engine/gpu/gpu.h"

typedef struct stpool {
    rg_sample *axes;                   /* [RoIs][2][size], made by forward */
    float *pull;                       /* [RoIs][size][size][2], made by backward; or
                                          NULL */
    rg_pooling how;
} stpool;

int rg_gpu_stpool_plan(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    const rg_row *row = node->row;
    const size_t samples = (size_t)node->out->shape.n * 2 * (size_t)row->size;
    stpool *s = node->plan = rg_error_alloc(1, sizeof *s, row->name);
    if (s == NULL) return -1;
    s->how = (rg_pooling){ rg_gpu_data(node->in[1]).data, node->out->shape.n, row->size,
                           row->value, row->least, row->most,
                           row->sampling == RG_SAMPLING_AUTHORS };
    RG_TRY(rg_gpu_output(gpu, node->out, rg_gpu_data(node->in[0]).type));
    if (node->in[1]->grad)
        RG_TRY(rg_device_alloc(gpu->device, (void **)&s->pull,
                               samples * (size_t)row->size * sizeof *s->pull,
                               row->name));
    return rg_device_alloc(gpu->device, (void **)&s->axes, samples * sizeof *s->axes,
                           row->name);
}

void rg_gpu_stpool_unplan(void *context, rg_node *node)
{
    (void)context;
    stpool *s = node->plan;
    if (s == NULL) return;
    rg_device_free(s->axes);
    rg_device_free(s->pull);
    rg_gpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

int rg_gpu_stpool_forward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    const stpool *s = node->plan;
    const int span = rg_view_span(node->out->shape);
    RG_TRY(rg_device_axes(gpu->device,
        &(rg_kernel_axes){ (long)s->how.nrois * 2 * s->how.size, s->how,
                           node->in[0]->shape, s->axes }));
    return rg_device_stpool(gpu->device,
        &(rg_kernel_stpool){ rg_layer_count(node->out->shape) / span, span, s->how,
                             s->axes, rg_gpu_data(node->in[0]),
                             rg_gpu_data(node->out) });
}

int rg_gpu_stpool_backward(void *context, rg_node *node)
{
    rg_gpu *gpu = context;
    const stpool *s = node->plan;
    const rg_view dx = rg_gpu_grad(node->in[0]), drois = rg_gpu_grad(node->in[1]);
    const rg_view dy = rg_gpu_grad(node->out);
    const int span = rg_view_span(dy.shape);
    if (dx.data)
        RG_TRY(rg_device_stpool_back(gpu->device,
            &(rg_kernel_stpool_back){ rg_layer_count(dx.shape) / span, span, s->how,
                                      s->axes, dy, dx }));
    if (drois.data == NULL) return 0;
    RG_TRY(rg_device_pull(gpu->device,
        &(rg_kernel_pull){ (long)s->how.nrois * s->how.size * s->how.size, s->how,
                           s->axes, rg_gpu_data(node->in[0]), dy, s->pull }));
    return rg_device_stpool_move(gpu->device,
        &(rg_kernel_stpool_move){ rg_layer_count(drois.shape), s->how,
                                  node->in[0]->shape, s->pull, drois.data });
}

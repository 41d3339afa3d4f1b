/* SPDX-License-Identifier: MIT */
/* UPSAMPLE, channels last: a cell is a row of channels. */
#include <stdlib.h>
#include <string.h>

#include "core/engine/cpu/cpu.h"

typedef struct upsample { rg_cpu_feed in, din; } upsample;

int rg_cpu_upsample_plan(void *context, rg_node *node)
{
    upsample *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    rg_shape in = node->in[0]->shape;
    rg_md md = rg_onednn_md(4, (int[]){ in.n, in.c, in.h, in.w }, dnnl_f32, dnnl_nhwc);
    if (md == NULL) return -1;
    int status = rg_cpu_feed_plan(context, &s->in, node->in[0]->data, md);
    if (status == 0 && node->in[0]->grad)
        status = rg_cpu_drain_plan(context, &s->din, md, node->in[0]->grad);
    rg_onednn_md_free(md);
    RG_TRY(status);
    return rg_cpu_output_plain(context, node->out, dnnl_nhwc);
}

/* Offset of the small cell that is `row`, `j` of the large map; rows are counted
 * through all images. */
static long under(const rg_node *node, int row, int j)
{
    rg_shape in = node->in[0]->shape;
    int h = node->out->shape.h, n = row / h, i = row % h;
    return (((long)n * in.h + i / 2) * in.w + j / 2) * in.c;
}

int rg_cpu_upsample_forward(void *context, rg_node *node)
{
    upsample *s = node->plan;
    rg_shape out = node->out->shape;
    RG_TRY(rg_cpu_feed_run(context, &s->in));
    const float *x = rg_cpu_bytes(s->in.to);
    float *y = rg_cpu_bytes(node->out->data);
#pragma omp parallel for schedule(static)
    for (int row = 0; row < out.n * out.h; row++)
        for (int j = 0; j < out.w; j++)
            memcpy(y + ((long)row * out.w + j) * out.c, x + under(node, row, j),
                   (size_t)out.c * sizeof *y);
    return 0;
}

int rg_cpu_upsample_backward(void *context, rg_node *node)
{
    upsample *s = node->plan;
    rg_shape out = node->out->shape, in = node->in[0]->shape;
    if (s->din.from == NULL) return 0;
    const float *dy = rg_cpu_bytes(node->out->grad);
    float *dx = rg_cpu_bytes(s->din.from);
    memset(dx, 0, (size_t)rg_layer_count(in) * sizeof *dx);
#pragma omp parallel for schedule(static)
    for (int n = 0; n < out.n; n++)   /* images share no cell */
        for (int row = n * out.h; row < (n + 1) * out.h; row++)
            for (int j = 0; j < out.w; j++) {
                const float *from = dy + ((long)row * out.w + j) * out.c;
                float *to = dx + under(node, row, j);
                for (int c = 0; c < out.c; c++) to[c] += from[c];
            }
    return rg_cpu_feed_run(context, &s->din);
}

void rg_cpu_upsample_unplan(void *context, rg_node *node)
{
    (void)context;
    upsample *s = node->plan;
    if (s == NULL) return;
    rg_cpu_feed_free(&s->in);
    rg_cpu_drain_free(&s->din);
    rg_cpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

/* SPDX-License-Identifier: MIT */
/* STPOOL, Eq. 8, channels last: a sample is a weighted sum of four rows of channels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/cpu/cpu.h"
#include "core/engine/ref/kernels.h"

typedef struct stpool {
    rg_cpu_feed features, rois;       /* f32: [n][h][w][c], [r][5] */
    rg_cpu_feed dfeatures, drois;
} stpool;

static rg_md f32_md(rg_shape s, dnnl_format_tag_t tag)
{
    return rg_onednn_md(4, (int[]){ s.n, s.c, s.h, s.w }, dnnl_f32, tag);
}

static int plan_side(const rg_cpu *cpu, rg_tensor *in, dnnl_format_tag_t tag,
                     rg_cpu_feed *feed, rg_cpu_feed *drain)
{
    rg_md md = f32_md(in->shape, tag);
    if (md == NULL) return -1;
    int status = rg_cpu_feed_plan(cpu, feed, in->data, md);
    if (status == 0 && in->grad) status = rg_cpu_drain_plan(cpu, drain, md, in->grad);
    rg_onednn_md_free(md);
    return status;
}

int rg_cpu_stpool_plan(void *context, rg_node *node)
{
    stpool *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    RG_TRY(plan_side(context, node->in[0], dnnl_nhwc, &s->features, &s->dfeatures));
    RG_TRY(plan_side(context, node->in[1], dnnl_nchw, &s->rois, &s->drois));
    return rg_cpu_output_plain(context, node->out, dnnl_nhwc);
}

void rg_cpu_stpool_unplan(void *context, rg_node *node)
{
    (void)context;
    stpool *s = node->plan;
    if (s == NULL) return;
    rg_cpu_feed_free(&s->features);
    rg_cpu_feed_free(&s->rois);
    rg_cpu_drain_free(&s->dfeatures);
    rg_cpu_drain_free(&s->drois);
    rg_cpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

/* Along one axis: the two cells a sample lies between, and its part of the way. */
typedef struct axis { int i0, i1; float f; rg_kernels_place place; } axis;

static axis sample(const rg_row *row, float first, float second, int cells, int k)
{
    axis a = { .place = rg_kernels_sample(row, k, first, second, cells) };
    int i = (int)floorf(a.place.at);
    a.f = a.place.at - i;
    a.i0 = i < 0 ? 0 : i > cells - 1 ? cells - 1 : i;
    a.i1 = i + 1 < 0 ? 0 : i + 1 > cells - 1 ? cells - 1 : i + 1;
    return a;
}

/* The four cells' channels under one grid point of one RoI, and the point's axes. */
typedef struct corner { long at[4]; float weight[4]; axis x, y; } corner;

static corner corner_of(const rg_node *node, const float *roi, int point)
{
    rg_shape in = node->in[0]->shape;
    int size = node->row->size;
    int image = roi[0] > 0 ? roi[0] < in.n - 1 ? (int)roi[0] : in.n - 1 : 0;
    corner c;
    c.x = sample(node->row, roi[1], roi[3], in.w, point % size);
    c.y = sample(node->row, roi[2], roi[4], in.h, point / size);
    const float pooled = rg_kernels_pools(roi, node->row->least, node->row->most);
    for (int k = 0; k < 4; k++) {
        int row = k / 2 ? c.y.i1 : c.y.i0, column = k % 2 ? c.x.i1 : c.x.i0;
        c.at[k] = (((long)image * in.h + row) * in.w + column) * in.c;
        c.weight[k] =
            pooled * (k / 2 ? c.y.f : 1 - c.y.f) * (k % 2 ? c.x.f : 1 - c.x.f);
    }
    return c;
}

int rg_cpu_stpool_forward(void *context, rg_node *node)
{
    stpool *s = node->plan;
    RG_TRY(rg_cpu_feed_run(context, &s->features));
    RG_TRY(rg_cpu_feed_run(context, &s->rois));
    const float *x = rg_cpu_bytes(s->features.to), *rois = rg_cpu_bytes(s->rois.to);
    float *y = rg_cpu_bytes(node->out->data);
    int channels = node->out->shape.c, points = node->row->size * node->row->size;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < node->out->shape.n * points; i++) {
        corner c = corner_of(node, rois + i / points * 5, i % points);
        const float *a = x + c.at[0], *b = x + c.at[1], *d = x + c.at[2],
                    *e = x + c.at[3];
        float *to = y + (long)i * channels;
        for (int k = 0; k < channels; k++)
            to[k] = c.weight[0] * a[k] + c.weight[1] * b[k] + c.weight[2] * d[k]
                    + c.weight[3] * e[k];
    }
    return 0;
}

/* Threads share the channels, so none adds to another's. */
#define BLOCK 32
static void features_backward(const rg_node *node, const float *rois, const float *dy,
                              float *dx)
{
    rg_shape in = node->in[0]->shape;
    int channels = in.c, points = node->row->size * node->row->size;
    int blocks = (channels + BLOCK - 1) / BLOCK;
    memset(dx, 0, sizeof *dx * rg_layer_count(in));
#pragma omp parallel for schedule(static)
    for (int block = 0; block < blocks; block++) {
        int first = block * BLOCK;
        int width = channels - first < BLOCK ? channels - first : BLOCK;
        for (int i = 0; i < node->out->shape.n * points; i++) {
            corner c = corner_of(node, rois + i / points * 5, i % points);
            const float *from = dy + (long)i * channels + first;
            for (int k = 0; k < 4; k++) {
                float *to = dx + c.at[k] + first, w = c.weight[k];
                for (int j = 0; j < width; j++) to[j] += w * from[j];
            }
        }
    }
}

/* dL/dx of a sample is the sum over channels of dy times the slope of the features. */
static void rois_backward(const rg_node *node, const float *x, const float *rois,
                          const float *dy, float *drois)
{
    int channels = node->out->shape.c, points = node->row->size * node->row->size;
#pragma omp parallel for schedule(static)
    for (int r = 0; r < node->out->shape.n; r++) {
        float *d = drois + 5 * r;
        memset(d, 0, 5 * sizeof *d);
        if (!rg_kernels_pools(rois + 5 * r, node->row->least, node->row->most))
            continue;
        for (int p = 0; p < points; p++) {
            corner c = corner_of(node, rois + 5 * r, p);
            const float *from = dy + ((long)r * points + p) * channels;
            const float *v[4] = { x + c.at[0], x + c.at[1], x + c.at[2], x + c.at[3] };
            float gx = 0, gy = 0;
            for (int k = 0; k < channels; k++) {
                gx += from[k] * ((1 - c.y.f) * (v[1][k] - v[0][k])
                                 + c.y.f * (v[3][k] - v[2][k]));
                gy += from[k] * ((1 - c.x.f) * (v[2][k] - v[0][k])
                                 + c.x.f * (v[3][k] - v[1][k]));
            }
            d[1] += gx * c.x.place.by_first;
            d[2] += gy * c.y.place.by_first;
            d[3] += gx * c.x.place.by_second;
            d[4] += gy * c.y.place.by_second;
        }
    }
}

int rg_cpu_stpool_backward(void *context, rg_node *node)
{
    stpool *s = node->plan;
    const float *x = rg_cpu_bytes(s->features.to), *rois = rg_cpu_bytes(s->rois.to);
    const float *dy = rg_cpu_bytes(node->out->grad);
    if (s->dfeatures.from) {
        features_backward(node, rois, dy, rg_cpu_bytes(s->dfeatures.from));
        RG_TRY(rg_cpu_feed_run(context, &s->dfeatures));
    }
    if (s->drois.from) {
        rois_backward(node, x, rois, dy, rg_cpu_bytes(s->drois.from));
        RG_TRY(rg_cpu_feed_run(context, &s->drois));
    }
    return 0;
}

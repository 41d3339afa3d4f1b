/* SPDX-License-Identifier: MIT */
/* kernel: what the GPU backend computes itself, one element at a time, in C that runs
 * on a card and on the host alike.
 *
 *     rg_kernel_gate k = { .count = count, .dy = dy, .dx = dx };
 *     for (long i = 0; i < k.count; i++) rg_kernel_gate_at(&k, i);      // on the host
 *     RG_TRY(rg_device_gate(device, &k));                               // on the card
 *
 * Each kernel is a struct of what it works on and a function of element i; elements
 * write different places and read none that another writes, so that any order will do.
 * Sums are gathered by who needs them, never scattered: they are the same at every run.
 * Where an element is a long sum, RG_LANES lanes have a share each: NAME_lane is a
 * lane's, NAME_end is told the sum of all (RG_SUM_LIST).  One that is a long sequence
 * has a team of lanes that wait for each other (RG_TEAM_LIST).
 * launch.cu makes a launch of each, tests/card.c a loop; tests/words.h compares with
 * ref/.  What the words mean stands in ref/kernels.h.
 */
#ifndef RG_KERNEL_H
#define RG_KERNEL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/engine/anywhere.h"
#include "core/engine/box.h"
#include "core/engine/enlarge.h"
#include "core/engine/layer.h"
#include "core/engine/random.h"

/* ---- tensors of three types, channels last ---- */

typedef enum { RG_F32, RG_BF16, RG_F16 } rg_type;

/* [n][h][w][c]; data NULL: there is none. */
typedef struct rg_view {
    void *data;
    rg_shape shape;
    rg_type type;
} rg_view;

/* bf16 is the upper half of an f32, rounded to nearest even. */
RG_ANYWHERE uint16_t rg_view_to_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

RG_ANYWHERE float rg_view_from_bf16(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* f16 is IEEE 754's half, rounded to nearest even: 65520 and more is infinite.  Adding
 * 0.5 rounds what is under 2^-14 to its multiples of 2^-24. */
RG_ANYWHERE uint16_t rg_view_to_f16(float value)
{
    const float size = fabsf(value), small = size + 0.5f;
    uint32_t bits, sign;
    memcpy(&sign, &value, sizeof sign);
    sign = sign >> 16 & 0x8000;
    if (size != size) return (uint16_t)(sign | 0x7e00);
    if (size >= 65520) return (uint16_t)(sign | 0x7c00);
    memcpy(&bits, size < 0x1p-14f ? &small : &size, sizeof bits);
    if (size < 0x1p-14f) return (uint16_t)(sign | (bits - 0x3f000000));
    bits += 0xfff + (bits >> 13 & 1);
    return (uint16_t)(sign | ((bits >> 13) - (112 << 10)));
}

RG_ANYWHERE float rg_view_from_f16(uint16_t half)
{
    const uint32_t rest = half & 0x7fff, bits = rest << 13, none = 0x7f800000 | bits;
    float size;
    memcpy(&size, rest >= 0x7c00 ? &none : &bits, sizeof size);
    if (rest < 0x7c00) size *= 0x1p112f;     /* the exponents' biases are 112 apart */
    return half & 0x8000 ? -size : size;
}

RG_ANYWHERE float rg_view_from_half(rg_type type, uint16_t half)
{
    return type == RG_BF16 ? rg_view_from_bf16(half) : rg_view_from_f16(half);
}

RG_ANYWHERE uint16_t rg_view_to_half(rg_type type, float value)
{
    return type == RG_BF16 ? rg_view_to_bf16(value) : rg_view_to_f16(value);
}

RG_ANYWHERE float rg_view_get(const rg_view *v, long i)
{
    if (v->type == RG_F32) return ((const float *)v->data)[i];
    return rg_view_from_half(v->type, ((const uint16_t *)v->data)[i]);
}

RG_ANYWHERE void rg_view_set(const rg_view *v, long i, float value)
{
    if (v->type == RG_F32) ((float *)v->data)[i] = value;
    else ((uint16_t *)v->data)[i] = rg_view_to_half(v->type, value);
}

/* A span: RG_SPAN channels that are read and written at once, where a kernel's elements
 * are spans; else 1.  Memory is aligned to 16 bytes, values are counted from i on. */
enum { RG_SPAN = 8 };
typedef struct rg_four { float v[4]; } __attribute__((aligned(16))) rg_four;
typedef struct rg_eight { uint16_t v[RG_SPAN]; } __attribute__((aligned(16))) rg_eight;

RG_ANYWHERE int rg_view_span(rg_shape s)
{
    return s.c % RG_SPAN == 0 ? RG_SPAN : 1;
}

RG_ANYWHERE void rg_view_read(const rg_view *v, long i, int span, float x[RG_SPAN])
{
    if (span == 1) x[0] = rg_view_get(v, i);
    else if (v->type == RG_F32) {
        const rg_four *from = (const rg_four *)((const float *)v->data + i);
        const rg_four low = from[0], high = from[1];
        for (int k = 0; k < RG_SPAN; k++) x[k] = k < 4 ? low.v[k] : high.v[k - 4];
    } else {
        const rg_eight from = *(const rg_eight *)((const uint16_t *)v->data + i);
        for (int k = 0; k < RG_SPAN; k++) x[k] = rg_view_from_half(v->type, from.v[k]);
    }
}

RG_ANYWHERE void rg_view_write(const rg_view *v, long i, int span,
                               const float x[RG_SPAN])
{
    if (span == 1) rg_view_set(v, i, x[0]);
    else if (v->type == RG_F32) {
        rg_four *to = (rg_four *)((float *)v->data + i), low, high;
        for (int k = 0; k < 4; k++) {
            low.v[k] = x[k];
            high.v[k] = x[k + 4];
        }
        to[0] = low;
        to[1] = high;
    } else {
        rg_eight to;
        for (int k = 0; k < RG_SPAN; k++) to.v[k] = rg_view_to_half(v->type, x[k]);
        *(rg_eight *)((uint16_t *)v->data + i) = to;
    }
}

/* CALL for a span of 8 and of 1, as constants, so that nvcc unrolls its loops. */
#define RG_BY_SPAN(span, call) \
    do { \
        if ((span) == RG_SPAN) { enum { SPAN = RG_SPAN }; call; } \
        else { enum { SPAN = 1 }; call; } \
    } while (0)

/* ---- sums and teams ---- */

enum { RG_LANES = 256 };
typedef struct rg_pair { double a, b; } rg_pair;

/* Where all lanes of a team wait for each other; the host's is of one. */
#ifdef __CUDA_ARCH__
#define RG_TOGETHER() __syncthreads()
#else
#define RG_TOGETHER() ((void)0)
#endif

/* ---- places ---- */

/* Where an element stands, and back. */
typedef struct rg_place { int n, c, h, w; } rg_place;

/* i / by, i % by; in 32 bits where that does, which is several times faster. */
RG_ANYWHERE long rg_place_split(long i, int by, int *rest)
{
    if (i >> 32 == 0) {
        *rest = (int)((uint32_t)i % (uint32_t)by);
        return (long)((uint32_t)i / (uint32_t)by);
    }
    *rest = (int)(i % by);
    return i / by;
}

RG_ANYWHERE rg_place rg_place_of(rg_shape s, long i)
{
    rg_place p;
    i = rg_place_split(i, s.c, &p.c);
    i = rg_place_split(i, s.w, &p.w);
    p.n = (int)rg_place_split(i, s.h, &p.h);
    return p;
}

/* ... of the first channel of span number i. */
RG_ANYWHERE rg_place rg_place_of_span(rg_shape s, long i, int span)
{
    s.c /= span;
    rg_place p = rg_place_of(s, i);
    p.c *= span;
    return p;
}

RG_ANYWHERE long rg_place_at(rg_shape s, int n, int c, int h, int w)
{
    return (((long)n * s.h + h) * s.w + w) * s.c + c;
}

/* ... in the order [n][c][h][w] of the host. */
RG_ANYWHERE long rg_place_plain(rg_shape s, rg_place p)
{
    return (((long)p.n * s.c + p.c) * s.h + p.h) * s.w + p.w;
}

#include "core/engine/gpu/propose.h"

/* ---- between the host's order and the card's ---- */

/* Weights, too: masters are [o][c][kh][kw], rows multiply by [o][kh][kw][c]. */

typedef struct rg_kernel_arrange {     /* plain [n][c][h][w] -> to */
    long count;
    const float *plain;
    rg_view to;
} rg_kernel_arrange;

RG_ANYWHERE void rg_kernel_arrange_at(const rg_kernel_arrange *k, long i)
{
    rg_view_set(&k->to, i,
                k->plain[rg_place_plain(k->to.shape, rg_place_of(k->to.shape, i))]);
}

/* i: place of `to` [n][h][w], whose three channels are B, G, R of rgb
 * [n][side][side][3], upside down. */
typedef struct rg_kernel_show {
    long count;
    const uint8_t *rgb;
    int side;
    float mean[3];
    rg_view to;
} rg_kernel_show;

RG_ANYWHERE void rg_kernel_show_at(const rg_kernel_show *k, long i)
{
    const rg_shape s = k->to.shape;
    int w, h, across, down;
    const long n = rg_place_split(rg_place_split(i, s.w, &w), s.h, &h);
    const float u = rg_enlarge_place(w, s.w, k->side, &across);
    const float v = rg_enlarge_place(s.h - 1 - h, s.h, k->side, &down);
    const long line = 3L * k->side;
    const uint8_t *low = k->rgb + (n * k->side + down) * line + 3 * across;
    for (int c = 0; c < 3; c++) {
        const uint8_t *p = low + 2 - c;
        const float left = rg_enlarge_mix(v, p[0], p[line]);
        const float right = rg_enlarge_mix(v, p[3], p[line + 3]);
        rg_view_set(&k->to, 3 * i + c, rg_enlarge_mix(u, left, right) - k->mean[c]);
    }
}

typedef struct rg_kernel_flatten {     /* from -> plain [n][c][h][w]: its shape is not
                                          looked at */
    long count;
    rg_view from, plain;
} rg_kernel_flatten;

RG_ANYWHERE void rg_kernel_flatten_at(const rg_kernel_flatten *k, long i)
{
    rg_view_set(&k->plain,
                rg_place_plain(k->from.shape, rg_place_of(k->from.shape, i)),
                rg_view_get(&k->from, i));
}

/* ---- element by element ---- */

typedef struct rg_kernel_gate {  /* dx = dy where y > 0 (or there is no y), else 0 */
    long count;                        /* of spans */
    int span;
    rg_view y, dy, dx;
} rg_kernel_gate;

RG_ANYWHERE void rg_gate_span(const rg_kernel_gate *k, long i, int span)
{
    float y[RG_SPAN], d[RG_SPAN];
    rg_view_read(&k->dy, i * span, span, d);
    if (k->y.data) {
        rg_view_read(&k->y, i * span, span, y);
        for (int v = 0; v < span; v++) d[v] = y[v] > 0 ? d[v] : 0;
    }
    rg_view_write(&k->dx, i * span, span, d);
}

RG_ANYWHERE void rg_kernel_gate_at(const rg_kernel_gate *k, long i)
{
    RG_BY_SPAN(k->span, rg_gate_span(k, i, SPAN));
}

typedef struct rg_kernel_sum {         /* y = a + b, with ReLU where `relu` */
    long count;                        /* of spans */
    int span;
    rg_view a, b, y;
    int relu;
} rg_kernel_sum;

RG_ANYWHERE void rg_sum_span(const rg_kernel_sum *k, long i, int span)
{
    float a[RG_SPAN], b[RG_SPAN];
    rg_view_read(&k->a, i * span, span, a);
    rg_view_read(&k->b, i * span, span, b);
    for (int v = 0; v < span; v++) {
        a[v] += b[v];
        if (k->relu && !(a[v] > 0)) a[v] = 0;
    }
    rg_view_write(&k->y, i * span, span, a);
}

RG_ANYWHERE void rg_kernel_sum_at(const rg_kernel_sum *k, long i)
{
    RG_BY_SPAN(k->span, rg_sum_span(k, i, SPAN));
}

typedef struct rg_kernel_finish {      /* y = x + bias by channel, with ReLU */
    long count;
    const float *x, *bias;
    rg_view y;
    int relu;
} rg_kernel_finish;

RG_ANYWHERE void rg_kernel_finish_at(const rg_kernel_finish *k, long i)
{
    int c;
    rg_place_split(i, k->y.shape.c, &c);
    const float sum = k->x[i] + k->bias[c];
    rg_view_set(&k->y, i, k->relu && !(sum > 0) ? 0 : sum);
}

typedef struct rg_kernel_fill {
    long count;
    rg_view y;
    float value;
} rg_kernel_fill;

RG_ANYWHERE void rg_kernel_fill_at(const rg_kernel_fill *k, long i)
{
    rg_view_set(&k->y, i, k->value);
}

typedef struct rg_kernel_dropout {     /* y = x * factor; its own backward */
    long count;
    rg_view x, y;
    const uint64_t *seed;
    float rate;
} rg_kernel_dropout;

/* rg_kernels_dropout_factor of ref/: by the element's number on the host. */
RG_ANYWHERE void rg_kernel_dropout_at(const rg_kernel_dropout *k, long i)
{
    const long number = rg_place_plain(k->x.shape, rg_place_of(k->x.shape, i));
    const uint64_t bits = rg_random_mix(*k->seed, (uint64_t)number);
    const float uniform = (float)(bits >> 40) * 0x1p-24f;
    const float factor = uniform < k->rate ? 0 : 1 / (1 - k->rate);
    rg_view_set(&k->y, i, rg_view_get(&k->x, i) * factor);
}

/* ---- MAXPOOL ---- */

typedef struct rg_kernel_maxpool {     /* i: span of y */
    long count;
    int span;
    rg_view x, y;
    int size;
} rg_kernel_maxpool;

/* Under cell h, w of the output, by channel: the largest value of x, and the place of
 * the first channel of the cell that it is in; equals: the first cell. */
typedef struct rg_largest { float most[RG_SPAN]; long cell[RG_SPAN]; } rg_largest;

RG_ANYWHERE rg_largest rg_kernel_largest(const rg_view *x, int size, int n, int c,
                                         int h, int w, int span)
{
    const rg_shape in = x->shape;
    const int first = size == 3 ? -1 : 0;
    rg_largest l;
    float value[RG_SPAN];
    const long own = rg_place_at(in, n, c, 2 * h, 2 * w);
    rg_view_read(x, own, span, l.most);
    for (int v = 0; v < span; v++) l.cell[v] = own;
    for (int a = first; a < 2; a++)
        for (int b = first; b < 2; b++) {
            const int row = 2 * h + a, column = 2 * w + b;
            if (row < 0 || row >= in.h || column < 0 || column >= in.w) continue;
            const long at = rg_place_at(in, n, c, row, column);
            rg_view_read(x, at, span, value);
            for (int v = 0; v < span; v++) {
                if (!(value[v] > l.most[v]
                      || (value[v] == l.most[v] && at < l.cell[v]))) continue;
                l.most[v] = value[v];
                l.cell[v] = at;
            }
        }
    return l;
}

RG_ANYWHERE void rg_maxpool_span(const rg_kernel_maxpool *k, long i, int span)
{
    const rg_place p = rg_place_of_span(k->y.shape, i, span);
    const rg_largest l = rg_kernel_largest(&k->x, k->size, p.n, p.c, p.h, p.w, span);
    rg_view_write(&k->y, i * span, span, l.most);
}

RG_ANYWHERE void rg_kernel_maxpool_at(const rg_kernel_maxpool *k, long i)
{
    RG_BY_SPAN(k->span, rg_maxpool_span(k, i, SPAN));
}

typedef struct rg_kernel_maxpool_back { /* i: span of x */
    long count;
    int span;
    rg_view x, dy, dx;
    int size;
} rg_kernel_maxpool_back;

RG_ANYWHERE void rg_maxpool_back_span(const rg_kernel_maxpool_back *k, long i, int span)
{
    const rg_shape out = k->dy.shape;
    const rg_place p = rg_place_of_span(k->x.shape, i, span);
    const int up = k->size == 3;
    float sum[RG_SPAN] = { 0 }, d[RG_SPAN];
    for (int h = p.h / 2; h <= (p.h + up) / 2 && h < out.h; h++)
        for (int w = p.w / 2; w <= (p.w + up) / 2 && w < out.w; w++) {
            const rg_largest l =
                rg_kernel_largest(&k->x, k->size, p.n, p.c, h, w, span);
            rg_view_read(&k->dy, rg_place_at(out, p.n, p.c, h, w), span, d);
            for (int v = 0; v < span; v++) sum[v] += l.cell[v] == i * span ? d[v] : 0;
        }
    rg_view_write(&k->dx, i * span, span, sum);
}

RG_ANYWHERE void rg_kernel_maxpool_back_at(const rg_kernel_maxpool_back *k, long i)
{
    RG_BY_SPAN(k->span, rg_maxpool_back_span(k, i, SPAN));
}

/* ---- UPSAMPLE and CONCAT ---- */

typedef struct rg_kernel_upsample {    /* i: of y */
    long count;
    rg_view x, y;
} rg_kernel_upsample;

RG_ANYWHERE void rg_kernel_upsample_at(const rg_kernel_upsample *k, long i)
{
    const rg_place p = rg_place_of(k->y.shape, i);
    const long from = rg_place_at(k->x.shape, p.n, p.c, p.h / 2, p.w / 2);
    rg_view_set(&k->y, i, rg_view_get(&k->x, from));
}

typedef struct rg_kernel_upsample_back { /* i: of dx */
    long count;
    rg_view dy, dx;
} rg_kernel_upsample_back;

RG_ANYWHERE void rg_kernel_upsample_back_at(const rg_kernel_upsample_back *k, long i)
{
    const rg_shape out = k->dy.shape;
    const rg_place p = rg_place_of(k->dx.shape, i);
    float sum = 0;
    for (int h = 2 * p.h; h < 2 * p.h + 2 && h < out.h; h++)
        for (int w = 2 * p.w; w < 2 * p.w + 2 && w < out.w; w++)
            sum += rg_view_get(&k->dy, rg_place_at(out, p.n, p.c, h, w));
    rg_view_set(&k->dx, i, sum);
}

/* Elements of `part`, one input, from or to columns first ... of each of the `classes`
 * stretches of `total` in `whole` [n][classes * total]. */
typedef struct rg_kernel_concat {
    long count, first, total;
    rg_view part, whole;
    int classes, back;                 /* back: whole -> part */
} rg_kernel_concat;

RG_ANYWHERE void rg_kernel_concat_at(const rg_kernel_concat *k, long i)
{
    const rg_shape s = k->part.shape;
    const rg_place p = rg_place_of(s, i);
    const int each = s.c / k->classes;
    const long column = ((long)(p.c % each) * s.h + p.h) * s.w + p.w;
    const long row = (long)p.n * k->classes + p.c / each;
    const long at = row * k->total + k->first + column;
    if (k->back) rg_view_set(&k->part, i, rg_view_get(&k->whole, at));
    else rg_view_set(&k->whole, at, rg_view_get(&k->part, i));
}

/* ---- BOXES ---- */

/* Deltas of a tied pick: at[4] and their values. */
RG_ANYWHERE void rg_boxes_read(const rg_view *deltas, const float *pick, long at[4],
                               float d[4])
{
    const rg_shape s = deltas->shape;
    const long plane = (long)s.h * s.w;
    for (int v = 0; v < 4; v++) {
        const long flat = (long)pick[5] + v * (long)pick[6];
        at[v] = rg_place_at(s, (int)pick[0], (int)(flat / plane),
                            (int)(flat % plane / s.w), (int)(flat % s.w));
        d[v] = rg_view_get(deltas, at[v]);
    }
}

typedef struct rg_kernel_boxes {       /* i: pick */
    long count;
    rg_view deltas;
    const float *picks;                /* [count][7] */
    int side;
    float *rois;                       /* [count][5] */
} rg_kernel_boxes;

RG_ANYWHERE void rg_kernel_boxes_at(const rg_kernel_boxes *k, long i)
{
    const float *pick = k->picks + 7 * i;
    const rg_shape s = k->deltas.shape;
    float *roi = k->rois + 5 * i;
    rg_box box = rg_box_of_pick(pick);
    if (rg_box_is_tied(pick, s.n, (long)s.c * s.h * s.w)) {
        long at[4];
        float d[4];
        rg_boxes_read(&k->deltas, pick, at, d);
        box = rg_box_clip(rg_box_decode(box, d), k->side, k->side);
    }
    roi[0] = pick[0];
    roi[1] = box.x1;
    roi[2] = box.y1;
    roi[3] = box.x2;
    roi[4] = box.y2;
}

/* i: of ddeltas; gathered from all picks. */
typedef struct rg_kernel_boxes_back {
    long count;
    rg_view deltas, ddeltas;
    const float *picks, *drois;
    int npicks, side;
} rg_kernel_boxes_back;

RG_ANYWHERE void rg_kernel_boxes_back_at(const rg_kernel_boxes_back *k, long i)
{
    const rg_shape s = k->deltas.shape;
    const long each = (long)s.c * s.h * s.w;
    float sum = 0;
    for (int p = 0; p < k->npicks; p++) {
        const float *pick = k->picks + 7L * p;
        long at[4];
        float d[4], dd[4];
        if (!rg_box_is_tied(pick, s.n, each) || (long)pick[0] != i / each) continue;
        rg_boxes_read(&k->deltas, pick, at, d);
        if (at[0] != i && at[1] != i && at[2] != i && at[3] != i) continue;
        rg_box_decode_back(rg_box_of_pick(pick), d, k->side, k->drois + 5L * p + 1, dd);
        for (int v = 0; v < 4; v++)
            if (at[v] == i) sum += dd[v];
    }
    rg_view_set(&k->ddeltas, i, sum);
}

/* ---- STPOOL ---- */

/* One coordinate of a sample: between which two cells, and how far along; low is -1 for
 * RoIs that are not pooled. */
typedef struct rg_sample { int low, high; float along; } rg_sample;

typedef struct rg_pooling {
    const float *rois;                 /* [nrois][5] */
    int nrois, size;
    float stride, least, most;
    int authors;                       /* rg_sampling */
} rg_pooling;

RG_ANYWHERE int rg_pooling_image(const rg_pooling *p, int roi, int images)
{
    const float image = p->rois[5L * roi];
    return image >= 0 ? image < images ? (int)image : images - 1 : 0;
}

RG_ANYWHERE int rg_pooling_takes(const rg_pooling *p, int roi)
{
    const float *r = p->rois + 5L * roi;
    float w = fmaxf(r[3] - r[1] + 1, 0), h = fmaxf(r[4] - r[2] + 1, 0);
    float size = sqrtf(w * h);
    if (!(size >= 0)) size = 0;
    return size >= p->least && (p->most == 0 || size < p->most);
}

/* W / (W - 1) where samples are placed as the authors placed them, else 1. */
RG_ANYWHERE float rg_pooling_skew(const rg_pooling *p, int cells)
{
    return p->authors && cells > 1 ? (float)cells / (float)(cells - 1) : 1;
}

/* How sample i moves with the first (second 0) or second end of the box. */
RG_ANYWHERE float rg_pooling_lever(const rg_pooling *p, int i, int second, int cells)
{
    const float u = p->size > 1 ? 2.0f * i / (p->size - 1) - 1 : 0;
    const float skew = rg_pooling_skew(p, cells);
    return (second ? skew + u : skew - u) / 2 / p->stride;
}

RG_ANYWHERE int rg_pooling_clamp(int i, int end)
{
    return i < 0 ? 0 : i >= end ? end - 1 : i;
}

/* axes [nrois][2][size]: down, then across. */
typedef struct rg_kernel_axes {
    long count;
    rg_pooling how;
    rg_shape in;
    rg_sample *axes;
} rg_kernel_axes;

RG_ANYWHERE void rg_kernel_axes_at(const rg_kernel_axes *k, long i)
{
    const int size = k->how.size, point = (int)(i % size), across = i / size % 2;
    const int roi = (int)(i / size / 2), cells = across ? k->in.w : k->in.h;
    const float *ends = k->how.rois + 5L * roi + (across ? 1 : 2);
    float position = ends[0] * rg_pooling_lever(&k->how, point, 0, cells)
                     + ends[2] * rg_pooling_lever(&k->how, point, 1, cells);
    if (k->how.authors && cells > 1) position -= rg_pooling_skew(&k->how, cells);
    if (!(position >= -1)) position = -1;
    if (position > cells) position = (float)cells;
    const int cell = (int)floorf(position);
    rg_sample s = { rg_pooling_clamp(cell, cells), rg_pooling_clamp(cell + 1, cells),
                    position - (float)cell };
    if (!rg_pooling_takes(&k->how, roi)) s.low = s.high = -1;
    k->axes[i] = s;
}

typedef struct rg_kernel_stpool {      /* i: span of y */
    long count;
    int span;
    rg_pooling how;
    const rg_sample *axes;
    rg_view x, y;
} rg_kernel_stpool;

/* Values of the four cells about a sample: down 0 and 1 of across 0, then of 1. */
RG_ANYWHERE void rg_pooling_read(const rg_view *x, int n, int c, rg_sample v,
                                 rg_sample h, int span, float value[4][RG_SPAN])
{
    for (int a = 0; a < 4; a++)
        rg_view_read(x, rg_place_at(x->shape, n, c, a % 2 ? v.high : v.low,
                                    a / 2 ? h.high : h.low), span, value[a]);
}

RG_ANYWHERE void rg_stpool_span(const rg_kernel_stpool *k, long i, int span)
{
    const rg_place p = rg_place_of_span(k->y.shape, i, span);
    const rg_sample *axes = k->axes + 2L * k->how.size * p.n;
    const rg_sample v = axes[p.h], h = axes[k->how.size + p.w];
    const int image = rg_pooling_image(&k->how, p.n, k->x.shape.n);
    float f[4][RG_SPAN], made[RG_SPAN] = { 0 };
    if (v.low >= 0) {
        rg_pooling_read(&k->x, image, p.c, v, h, span, f);
        for (int c = 0; c < span; c++)
            made[c] = (1 - v.along) * ((1 - h.along) * f[0][c] + h.along * f[2][c])
                      + v.along * ((1 - h.along) * f[1][c] + h.along * f[3][c]);
    }
    rg_view_write(&k->y, i * span, span, made);
}

RG_ANYWHERE void rg_kernel_stpool_at(const rg_kernel_stpool *k, long i)
{
    RG_BY_SPAN(k->span, rg_stpool_span(k, i, SPAN));
}

/* Gradient of the features, i: span of dx; gathered from all RoIs. */
typedef struct rg_kernel_stpool_back {
    long count;
    int span;
    rg_pooling how;
    const rg_sample *axes;
    rg_view dy, dx;
} rg_kernel_stpool_back;

/* The part of a sample that its cell `at` has. */
RG_ANYWHERE float rg_pooling_share(rg_sample s, int at)
{
    return (s.low == at ? 1 - s.along : 0) + (s.high == at ? s.along : 0);
}

/* What RoI r gives to cell p, added to sum. */
RG_ANYWHERE void rg_stpool_back_roi(const rg_kernel_stpool_back *k, rg_place p, int r,
                                    int span, float sum[RG_SPAN])
{
    const int size = k->how.size;
    const rg_sample *v = k->axes + 2L * size * r, *h = v + size;
    float d[RG_SPAN];
    for (int a = 0; a < size; a++) {
        if (v[a].low != p.h && v[a].high != p.h) continue;
        const float down = rg_pooling_share(v[a], p.h);
        for (int b = 0; b < size; b++) {
            if (h[b].low != p.w && h[b].high != p.w) continue;
            const float share = down * rg_pooling_share(h[b], p.w);
            rg_view_read(&k->dy, rg_place_at(k->dy.shape, r, p.c, a, b), span, d);
            for (int c = 0; c < span; c++) sum[c] += share * d[c];
        }
    }
}

RG_ANYWHERE void rg_stpool_back_span(const rg_kernel_stpool_back *k, long i, int span)
{
    const rg_place p = rg_place_of_span(k->dx.shape, i, span);
    float sum[RG_SPAN] = { 0 };
    for (int r = 0; r < k->how.nrois; r++)
        if (rg_pooling_image(&k->how, r, k->dx.shape.n) == p.n)
            rg_stpool_back_roi(k, p, r, span, sum);
    rg_view_write(&k->dx, i * span, span, sum);
}

RG_ANYWHERE void rg_kernel_stpool_back_at(const rg_kernel_stpool_back *k, long i)
{
    RG_BY_SPAN(k->span, rg_stpool_back_span(k, i, SPAN));
}

/* How the objective changes as a sample moves down, and across: a sum over channels,
 * i: sample [nrois][size][size]; to pull[2 i] and behind it. */
typedef struct rg_kernel_pull {
    long count;
    rg_pooling how;
    const rg_sample *axes;
    rg_view x, dy;
    float *pull;
} rg_kernel_pull;

RG_ANYWHERE rg_pair rg_kernel_pull_lane(const rg_kernel_pull *k, long i, int lane)
{
    const int size = k->how.size, b = (int)(i % size), a = (int)(i / size % size);
    const int roi = (int)(i / size / size);
    const rg_sample *axes = k->axes + 2L * size * roi;
    const rg_sample v = axes[a], h = axes[size + b];
    const int image = rg_pooling_image(&k->how, roi, k->x.shape.n);
    rg_pair sum = { 0, 0 };
    float f[4][RG_SPAN];
    for (int c = lane; c < k->x.shape.c && v.low >= 0; c += RG_LANES) {
        const float dy =
            rg_view_get(&k->dy, rg_place_at(k->dy.shape, roi, c, a, b));
        rg_pooling_read(&k->x, image, c, v, h, 1, f);
        sum.a += dy * ((1 - h.along) * (f[1][0] - f[0][0])
                       + h.along * (f[3][0] - f[2][0]));
        sum.b += dy * ((1 - v.along) * (f[2][0] - f[0][0])
                       + v.along * (f[3][0] - f[1][0]));
    }
    return sum;
}

RG_ANYWHERE void rg_kernel_pull_end(const rg_kernel_pull *k, long i, rg_pair sum)
{
    k->pull[2 * i] = (float)sum.a;
    k->pull[2 * i + 1] = (float)sum.b;
}

/* Gradient of the RoIs, i: of drois [nrois][5]; the image index gets none. */
typedef struct rg_kernel_stpool_move {
    long count;
    rg_pooling how;
    rg_shape in;
    const float *pull;
    float *drois;
} rg_kernel_stpool_move;

RG_ANYWHERE void rg_kernel_stpool_move_at(const rg_kernel_stpool_move *k, long i)
{
    const int end = (int)(i % 5) - 1, across = end % 2 == 0, size = k->how.size;
    const float *pull = k->pull + 2 * (i / 5) * size * size + across;
    float sum = 0;
    for (int a = 0; a < size && end >= 0; a++)
        for (int b = 0; b < size; b++)
            sum += pull[2 * (a * size + b)]
                   * rg_pooling_lever(&k->how, across ? b : a, end / 2,
                                      across ? k->in.w : k->in.h);
    k->drois[i] = sum;
}

/* ---- sums by channel: of biases' gradients and of BATCHNORM ---- */

#define RG_KERNEL_EPSILON 1e-5f        /* RG_KERNELS_EPSILON of ref/ */

typedef enum {
    RG_COLUMNS_SUM,                    /* a = sum x */
    RG_COLUMNS_SPREAD,                 /* a = sum (x - mean)^2 */
    RG_COLUMNS_PRODUCT                 /* a = sum dy, b = sum dy (x - mean) root */
} rg_columns_kind;

/* Part p of `parts` of channel c, i = p * channels + c: a to part[2 i], b behind it. */
typedef struct rg_kernel_columns {
    long count;
    rg_columns_kind kind;
    int parts;
    rg_view x, dy;
    const float *mean, *variance;
    double *part;
} rg_kernel_columns;

RG_ANYWHERE void rg_kernel_columns_at(const rg_kernel_columns *k, long i)
{
    const rg_shape s = k->x.shape;
    const int c = (int)(i % s.c);
    const long rows = (long)s.n * s.h * s.w;
    const double mean = k->mean ? k->mean[c] : 0;
    double a = 0, b = 0;
    for (long row = i / s.c; row < rows; row += k->parts) {
        const double d = rg_view_get(&k->x, row * s.c + c) - mean;
        if (k->kind == RG_COLUMNS_SPREAD) a += d * d;
        else if (k->kind == RG_COLUMNS_SUM) a += d;
        else {
            const double dy = rg_view_get(&k->dy, row * s.c + c);
            a += dy;
            b += dy * d;
        }
    }
    if (k->kind == RG_COLUMNS_PRODUCT)
        b /= sqrt((double)k->variance[c] + RG_KERNEL_EPSILON);
    k->part[2 * i] = a;
    k->part[2 * i + 1] = b;
}

typedef struct rg_kernel_gather {      /* i: channel; its parts, times `scale` */
    long count;
    int parts;
    double scale;
    const double *part;
    float *a, *b;                      /* b NULL: not wanted */
} rg_kernel_gather;

RG_ANYWHERE rg_pair rg_kernel_gather_lane(const rg_kernel_gather *k, long i, int lane)
{
    rg_pair sum = { 0, 0 };
    for (long p = lane; p < k->parts; p += RG_LANES) {
        sum.a += k->part[2 * (p * k->count + i)];
        sum.b += k->part[2 * (p * k->count + i) + 1];
    }
    return sum;
}

RG_ANYWHERE void rg_kernel_gather_end(const rg_kernel_gather *k, long i, rg_pair sum)
{
    k->a[i] = (float)(sum.a * k->scale);
    if (k->b) k->b[i] = (float)(sum.b * k->scale);
}

typedef struct rg_kernel_track {       /* i: channel */
    long count;
    const float *mean, *variance;
    float *tracked_mean, *tracked_variance;
    float unbiased;                    /* values / (values - 1) */
} rg_kernel_track;

RG_ANYWHERE void rg_kernel_track_at(const rg_kernel_track *k, long i)
{
    const float share = 0.1f;
    k->tracked_mean[i] += share * (k->mean[i] - k->tracked_mean[i]);
    k->tracked_variance[i] +=
        share * (k->unbiased * k->variance[i] - k->tracked_variance[i]);
}

typedef struct rg_kernel_normalise {
    long count;
    rg_view x, y;
    const float *mean, *variance, *weight, *bias;
    int relu;
} rg_kernel_normalise;

RG_ANYWHERE void rg_kernel_normalise_at(const rg_kernel_normalise *k, long i)
{
    int c;
    rg_place_split(i, k->x.shape.c, &c);
    const float scale = k->weight[c] / sqrtf(k->variance[c] + RG_KERNEL_EPSILON);
    const float y = (rg_view_get(&k->x, i) - k->mean[c]) * scale + k->bias[c];
    rg_view_set(&k->y, i, k->relu && !(y > 0) ? 0 : y);
}

/* sum and product: of dy as RG_COLUMNS_PRODUCT says, or NULL: fixed statistics. */
typedef struct rg_kernel_normalise_back {
    long count;
    rg_view x, dy, dx;
    const float *mean, *variance, *weight, *sum, *product;
} rg_kernel_normalise_back;

RG_ANYWHERE void rg_kernel_normalise_back_at(const rg_kernel_normalise_back *k, long i)
{
    const rg_shape s = k->x.shape;
    int c;
    rg_place_split(i, s.c, &c);
    const float root = 1 / sqrtf(k->variance[c] + RG_KERNEL_EPSILON);
    float d = rg_view_get(&k->dy, i);
    if (k->sum)
        d -= (k->sum[c] + k->product[c] * (rg_view_get(&k->x, i) - k->mean[c]) * root)
             / ((float)s.n * s.h * s.w);
    rg_view_set(&k->dx, i, k->weight[c] * root * d);
}

/* ---- SOFTMAX and the losses ---- */

/* Positions of [n][h][w][classes * g] are numbered n, h, w, g; class k of one is `step`
 * = g elements behind class k - 1. */
typedef struct rg_kernel_softmax {     /* i: position */
    long count;
    rg_view x, y;
    int classes;
} rg_kernel_softmax;

RG_ANYWHERE long rg_softmax_first(rg_shape s, int classes, long i)
{
    int g;
    const long cell = rg_place_split(i, s.c / classes, &g);
    return cell * s.c + g;
}

/* The largest value of a position, and the sum of all exp(value - largest). */
RG_ANYWHERE float rg_softmax_sum(const rg_view *x, int classes, long first, float *most)
{
    const int step = x->shape.c / classes;
    float sum = 0;
    *most = rg_view_get(x, first);
    for (int k = 1; k < classes; k++) {
        const float value = rg_view_get(x, first + (long)k * step);
        if (value > *most) *most = value;
    }
    for (int k = 0; k < classes; k++)
        sum += expf(rg_view_get(x, first + (long)k * step) - *most);
    return sum;
}

RG_ANYWHERE void rg_kernel_softmax_at(const rg_kernel_softmax *k, long i)
{
    const long first = rg_softmax_first(k->x.shape, k->classes, i);
    const int step = k->x.shape.c / k->classes;
    float most;
    const float sum = rg_softmax_sum(&k->x, k->classes, first, &most);
    for (int c = 0; c < k->classes; c++) {
        const long at = first + (long)c * step;
        rg_view_set(&k->y, at, expf(rg_view_get(&k->x, at) - most) / sum);
    }
}

typedef struct rg_kernel_softmax_back {
    long count;
    rg_view y, dy, dx;
    int classes;
} rg_kernel_softmax_back;

RG_ANYWHERE void rg_kernel_softmax_back_at(const rg_kernel_softmax_back *k, long i)
{
    const long first = rg_softmax_first(k->y.shape, k->classes, i);
    const int step = k->y.shape.c / k->classes;
    float mean = 0;
    for (int c = 0; c < k->classes; c++)
        mean += rg_view_get(&k->y, first + (long)c * step)
                * rg_view_get(&k->dy, first + (long)c * step);
    for (int c = 0; c < k->classes; c++) {
        const long at = first + (long)c * step;
        rg_view_set(&k->dx, at,
                    rg_view_get(&k->y, at) * (rg_view_get(&k->dy, at) - mean));
    }
}

/* i: of the `count` parts of the sum; to part[2 i] the loss, behind it how many
 * labels. */
typedef struct rg_kernel_softmaxloss {
    long count;
    rg_view x, labels;
    int classes;
    double *part;
} rg_kernel_softmaxloss;

RG_ANYWHERE rg_pair rg_kernel_softmaxloss_lane(const rg_kernel_softmaxloss *k, long i,
                                               int lane)
{
    const rg_shape s = k->labels.shape;
    const long positions = (long)s.n * s.c * s.h * s.w;
    const int step = k->x.shape.c / k->classes;
    rg_pair sum = { 0, 0 };
    for (long p = i * RG_LANES + lane; p < positions; p += k->count * RG_LANES) {
        const float label = rg_view_get(&k->labels, p);
        float most;
        if (!(label >= 0 && label < k->classes)) continue;
        const long first = rg_softmax_first(k->x.shape, k->classes, p);
        const float all = rg_softmax_sum(&k->x, k->classes, first, &most);
        sum.a += logf(all) + most - rg_view_get(&k->x, first + (long)label * step);
        sum.b += 1;
    }
    return sum;
}

RG_ANYWHERE void rg_kernel_softmaxloss_end(const rg_kernel_softmaxloss *k, long i,
                                           rg_pair sum)
{
    k->part[2 * i] = sum.a;
    k->part[2 * i + 1] = sum.b;
}

typedef struct rg_kernel_smoothl1 {    /* i: of the `count` parts of the sum */
    long count;
    rg_view x, target, weight;
    float sigma;
    double *part;
} rg_kernel_smoothl1;

RG_ANYWHERE rg_pair rg_kernel_smoothl1_lane(const rg_kernel_smoothl1 *k, long i,
                                            int lane)
{
    const rg_shape s = k->x.shape;
    const long values = (long)s.n * s.c * s.h * s.w;
    const double edge = 1.0 / ((double)k->sigma * k->sigma);
    rg_pair sum = { 0, 0 };
    for (long p = i * RG_LANES + lane; p < values; p += k->count * RG_LANES) {
        const double d =
            fabs((double)rg_view_get(&k->x, p) - rg_view_get(&k->target, p));
        sum.a += rg_view_get(&k->weight, p)
                 * (d < edge ? d * d / (2 * edge) : d - edge / 2);
    }
    return sum;
}

RG_ANYWHERE void rg_kernel_smoothl1_end(const rg_kernel_smoothl1 *k, long i,
                                        rg_pair sum)
{
    k->part[2 * i] = sum.a;
    k->part[2 * i + 1] = 0;
}

typedef struct rg_kernel_total {       /* one element: the loss of its parts */
    long count;
    int parts, mean;                   /* mean: divided by the labels */
    const double *part;
    float *loss, *labels;
} rg_kernel_total;

RG_ANYWHERE rg_pair rg_kernel_total_lane(const rg_kernel_total *k, long i, int lane)
{
    rg_pair sum = { 0, 0 };
    (void)i;
    for (int p = lane; p < k->parts; p += RG_LANES) {
        sum.a += k->part[2 * p];
        sum.b += k->part[2 * p + 1];
    }
    return sum;
}

RG_ANYWHERE void rg_kernel_total_end(const rg_kernel_total *k, long i, rg_pair sum)
{
    if (k->mean) sum.a = sum.b > 0 ? sum.a / sum.b : 0;
    k->loss[i] = (float)sum.a;
    k->labels[i] = (float)sum.b;
}

typedef struct rg_kernel_softmaxloss_back { /* i: position */
    long count;
    rg_view x, labels, dx;
    int classes;
    const float *counted, *upstream;
} rg_kernel_softmaxloss_back;

RG_ANYWHERE void rg_kernel_softmaxloss_back_at(const rg_kernel_softmaxloss_back *k,
                                               long i)
{
    const long first = rg_softmax_first(k->x.shape, k->classes, i);
    const int step = k->x.shape.c / k->classes;
    const float label = rg_view_get(&k->labels, i);
    const int counts = label >= 0 && label < k->classes;
    float most;
    const float sum = rg_softmax_sum(&k->x, k->classes, first, &most);
    for (int c = 0; c < k->classes; c++) {
        const long at = first + (long)c * step;
        float d = expf(rg_view_get(&k->x, at) - most) / sum;
        if (counts && c == (int)label) d -= 1;
        rg_view_set(&k->dx, at, counts ? d * (*k->upstream / *k->counted) : 0);
    }
}

typedef struct rg_kernel_smoothl1_back {
    long count;
    rg_view x, target, weight, dx;
    float sigma;
    const float *upstream;
} rg_kernel_smoothl1_back;

RG_ANYWHERE void rg_kernel_smoothl1_back_at(const rg_kernel_smoothl1_back *k, long i)
{
    const float edge = 1 / (k->sigma * k->sigma);
    const float d = rg_view_get(&k->x, i) - rg_view_get(&k->target, i);
    const float slope = d <= -edge ? -1 : d >= edge ? 1 : d / edge;
    rg_view_set(&k->dx, i, *k->upstream * rg_view_get(&k->weight, i) * slope);
}

/* ---- the optimizer: rg_optimizer_squares and rg_optimizer_step on the card ---- */

typedef struct rg_kernel_squares {     /* i: of the `count` parts of the sum */
    long count, values;
    const float *gradient;
    double *part;
} rg_kernel_squares;

RG_ANYWHERE rg_pair rg_kernel_squares_lane(const rg_kernel_squares *k, long i, int lane)
{
    rg_pair sum = { 0, 0 };
    for (long v = i * RG_LANES + lane; v < k->values; v += k->count * RG_LANES)
        sum.a += (double)k->gradient[v] * k->gradient[v];
    return sum;
}

RG_ANYWHERE void rg_kernel_squares_end(const rg_kernel_squares *k, long i, rg_pair sum)
{
    k->part[i] = sum.a;
}

/* How one parameter is moved in this step: its own rate; decay times that rate; unbias
 * of Adam's second moment.  The clip is of all together. */
typedef struct rg_moving {
    float rate, momentum, beta2, epsilon, decay, unbias, clip;
} rg_moving;

/* Of all gradients; a scale that is no number: nothing moves. */
typedef struct rg_stride {
    double squares;
    float scale;
} rg_stride;

typedef struct rg_kernel_clip {        /* one element: rg_optimizer_clip */
    long count;
    long parts;
    const double *part;                /* [parts]: sums of squares */
    const rg_moving *how;
    rg_stride *stride;
} rg_kernel_clip;

RG_ANYWHERE rg_pair rg_kernel_clip_lane(const rg_kernel_clip *k, long i, int lane)
{
    rg_pair sum = { 0, 0 };
    (void)i;
    for (long p = lane; p < k->parts; p += RG_LANES) sum.a += k->part[p];
    return sum;
}

RG_ANYWHERE void rg_kernel_clip_end(const rg_kernel_clip *k, long i, rg_pair sum)
{
    const float root = (float)sqrt(sum.a), most = k->how->clip;
    k->stride[i].squares = sum.a;
    k->stride[i].scale = most > 0 && root > most ? most / root : 1;
    if (!(root - root == 0)) k->stride[i].scale = root - root;
}

typedef struct rg_kernel_sgd {
    long count;
    float *value, *moment1;
    const float *gradient;
    const rg_moving *how;
    const float *scale;
} rg_kernel_sgd;

RG_ANYWHERE void rg_kernel_sgd_at(const rg_kernel_sgd *k, long i)
{
    if (!(*k->scale >= 0)) return;
    const float v = k->how->momentum * k->moment1[i] + *k->scale * k->gradient[i];
    k->moment1[i] = v;
    k->value[i] -= k->how->rate * v + k->how->decay * k->value[i];
}

typedef struct rg_kernel_adam {
    long count;
    float *value, *moment1, *moment2;
    const float *gradient;
    const rg_moving *how;
    const float *scale;
} rg_kernel_adam;

RG_ANYWHERE void rg_kernel_adam_at(const rg_kernel_adam *k, long i)
{
    const rg_moving h = *k->how;
    if (!(*k->scale >= 0)) return;
    const float d = *k->scale * k->gradient[i];
    const float m = h.momentum * k->moment1[i] + (1 - h.momentum) * d;
    const float v = h.beta2 * k->moment2[i] + (1 - h.beta2) * d * d;
    k->moment1[i] = m;
    k->moment2[i] = v;
    k->value[i] -=
        h.rate * m / (sqrtf(v * h.unbias) + h.epsilon) + h.decay * k->value[i];
}

/* All of them, once for the launches and once for the loops. */
#define RG_KERNEL_LIST(X) \
    X(arrange) X(show) X(flatten) X(gate) X(sum) X(finish) X(fill) X(dropout) \
    X(maxpool) X(maxpool_back) X(upsample) X(upsample_back) X(concat) \
    X(boxes) X(boxes_back) X(axes) X(stpool) X(stpool_back) X(stpool_move) \
    X(columns) X(track) X(normalise) X(normalise_back) X(softmax) X(softmax_back) \
    X(softmaxloss_back) X(smoothl1_back) X(sgd) X(adam) RG_PROPOSE_LIST(X)
#define RG_SUM_LIST(X) \
    X(pull) X(gather) X(softmaxloss) X(smoothl1) X(total) X(squares) X(clip)
#define RG_TEAM_LIST(X) RG_PROPOSE_TEAM(X)

#endif

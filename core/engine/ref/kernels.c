/* SPDX-License-Identifier: MIT */
#include "core/engine/ref/kernels.h"

#include <math.h>
#include <string.h>

#include "core/engine/box.h"
#include "core/engine/random.h"

/* Where the kernel's point (down, right) of a strided convolution takes output cell
 * i, j from: x[i * stride + down][j * stride + right], for j from `first` to before
 * `end`, those inside. */
typedef struct window { rg_shape in, out; int stride, down, right, first, end; } window;

static window window_of(rg_shape in, int size, int stride, int k)
{
    window w = { .in = in, .stride = stride, .down = k / size - size / 2,
                 .right = k % size - size / 2 };
    w.out = (rg_shape){ in.n, in.c, (in.h - 1) / stride + 1, (in.w - 1) / stride + 1 };
    w.first = w.right < 0 ? (-w.right + stride - 1) / stride : 0;
    int inside = in.w - w.right;
    w.end = inside > 0 ? (inside - 1) / stride + 1 : 0;
    if (w.end > w.out.w) w.end = w.out.w;
    return w;
}

/* Offset in x of what output row i, column 0 meets; -1: outside. */
static int row_of(const window *w, int i)
{
    int row = i * w->stride + w->down;
    return row >= 0 && row < w->in.h ? row : -1;
}

static void gather_plane(const window *w, float factor, const float *x, float *y)
{
    for (int i = 0; i < w->out.h; i++) {
        int row = row_of(w, i);
        for (int j = w->first; row >= 0 && j < w->end; j++)
            y[(long)i * w->out.w + j] +=
                factor * x[(long)row * w->in.w + j * w->stride + w->right];
    }
}

static void scatter_plane(const window *w, float factor, const float *dy, float *dx)
{
    for (int i = 0; i < w->out.h; i++) {
        int row = row_of(w, i);
        for (int j = w->first; row >= 0 && j < w->end; j++)
            dx[(long)row * w->in.w + j * w->stride + w->right] +=
                factor * dy[(long)i * w->out.w + j];
    }
}

static double dot_plane(const window *w, const float *x, const float *dy)
{
    double sum = 0;
    for (int i = 0; i < w->out.h; i++) {
        int row = row_of(w, i);
        for (int j = w->first; row >= 0 && j < w->end; j++)
            sum += (double)dy[(long)i * w->out.w + j]
                   * x[(long)row * w->in.w + j * w->stride + w->right];
    }
    return sum;
}

static long plane_of(rg_shape s)
{
    return (long)s.h * s.w;
}

void rg_kernels_conv(rg_shape in, const float *x, int outputs, int size, int stride,
                     const float *weight, const float *bias, float *y)
{
    const long plane = plane_of(window_of(in, size, stride, 0).out);
    for (int n = 0; n < in.n; n++)
        for (int o = 0; o < outputs; o++, y += plane) {
            for (long i = 0; i < plane; i++) y[i] = bias ? bias[o] : 0;
            for (int c = 0; c < in.c; c++)
                for (int k = 0; k < size * size; k++) {
                    window w = window_of(in, size, stride, k);
                    gather_plane(&w, weight[((long)o * in.c + c) * size * size + k],
                                 x + ((long)n * in.c + c) * plane_of(in), y);
                }
        }
}

void rg_kernels_conv_back_data(rg_shape in, float *dx, int outputs, int size,
                               int stride, const float *weight, const float *dy)
{
    const long plane = plane_of(window_of(in, size, stride, 0).out);
    memset(dx, 0, (size_t)rg_layer_count(in) * sizeof *dx);
    for (int n = 0; n < in.n; n++)
        for (int o = 0; o < outputs; o++, dy += plane)
            for (int c = 0; c < in.c; c++)
                for (int k = 0; k < size * size; k++) {
                    window w = window_of(in, size, stride, k);
                    scatter_plane(&w, weight[((long)o * in.c + c) * size * size + k],
                                  dy, dx + ((long)n * in.c + c) * plane_of(in));
                }
}

static double sum_of(long count, const float *x)
{
    double sum = 0;
    for (long i = 0; i < count; i++) sum += x[i];
    return sum;
}

void rg_kernels_conv_back_weights(rg_shape in, const float *x, int outputs, int size,
                                  int stride, const float *dy, float *dweight,
                                  float *dbias)
{
    const long plane = plane_of(window_of(in, size, stride, 0).out);
    for (int o = 0; o < outputs; o++) {
        double bias = 0;
        for (int n = 0; n < in.n; n++)
            bias += sum_of(plane, dy + ((long)n * outputs + o) * plane);
        if (dbias) dbias[o] = (float)bias;
        for (int c = 0; c < in.c; c++)
            for (int k = 0; k < size * size; k++) {
                window w = window_of(in, size, stride, k);
                double sum = 0;
                for (int n = 0; n < in.n; n++)
                    sum += dot_plane(&w, x + ((long)n * in.c + c) * plane_of(in),
                                     dy + ((long)n * outputs + o) * plane);
                dweight[((long)o * in.c + c) * size * size + k] = (float)sum;
            }
    }
}

void rg_kernels_relu(long count, const float *x, float *y)
{
    for (long i = 0; i < count; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

void rg_kernels_relu_back(long count, const float *y, const float *dy, float *dx)
{
    for (long i = 0; i < count; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

/* Offset in x [h][w] of the largest value under output cell i, j: of rows and columns
 * 2i, 2i + 1, and at size 3 of 2i - 1 too, as far as they are inside. */
static long largest(rg_shape in, const float *x, int size, int i, int j)
{
    long best = 2L * i * in.w + 2 * j;
    for (int a = size == 3 ? -1 : 0; a < 2; a++)
        for (int b = size == 3 ? -1 : 0; b < 2; b++) {
            int row = 2 * i + a, column = 2 * j + b;
            if (row < 0 || row >= in.h || column < 0 || column >= in.w) continue;
            long at = (long)row * in.w + column;
            if (x[at] > x[best] || (x[at] == x[best] && at < best)) best = at;
        }
    return best;
}

void rg_kernels_maxpool(rg_shape in, int size, const float *x, float *y)
{
    const int up = size == 3;
    for (long p = 0; p < (long)in.n * in.c; p++, x += plane_of(in))
        for (int i = 0; i < (in.h + up) / 2; i++)
            for (int j = 0; j < (in.w + up) / 2; j++)
                *y++ = x[largest(in, x, size, i, j)];
}

void rg_kernels_maxpool_back(rg_shape in, int size, const float *x, const float *dy,
                             float *dx)
{
    const int up = size == 3;
    memset(dx, 0, (size_t)rg_layer_count(in) * sizeof *dx);
    for (long p = 0; p < (long)in.n * in.c; p++, x += plane_of(in), dx += plane_of(in))
        for (int i = 0; i < (in.h + up) / 2; i++)
            for (int j = 0; j < (in.w + up) / 2; j++)
                dx[largest(in, x, size, i, j)] += *dy++;
}

void rg_kernels_batchnorm_statistics(rg_shape in, const float *x, float *mean,
                                     float *variance)
{
    const long plane = plane_of(in);
    for (int c = 0; c < in.c; c++) {
        double sum = 0, squares = 0;
        for (int n = 0; n < in.n; n++)
            sum += sum_of(plane, x + ((long)n * in.c + c) * plane);
        const double middle = sum / ((double)in.n * plane);
        for (int n = 0; n < in.n; n++)
            for (long i = 0; i < plane; i++) {
                double d = x[((long)n * in.c + c) * plane + i] - middle;
                squares += d * d;
            }
        mean[c] = (float)middle;
        variance[c] = (float)(squares / ((double)in.n * plane));
    }
}

void rg_kernels_batchnorm_track(rg_shape in, const float *mean, const float *variance,
                                float *tracked_mean, float *tracked_variance)
{
    const double count = (double)in.n * plane_of(in);
    const float share = 0.1f;
    const float unbiased = (float)(count > 1 ? count / (count - 1) : 1);
    for (int c = 0; c < in.c; c++) {
        tracked_mean[c] += share * (mean[c] - tracked_mean[c]);
        tracked_variance[c] += share * (unbiased * variance[c] - tracked_variance[c]);
    }
}

void rg_kernels_batchnorm(rg_shape in, const float *x, const float *mean,
                          const float *variance, const float *weight, const float *bias,
                          float *y)
{
    const long plane = plane_of(in);
    for (long p = 0; p < (long)in.n * in.c; p++) {
        const int c = (int)(p % in.c);
        const float scale = weight[c] / sqrtf(variance[c] + RG_KERNELS_EPSILON);
        for (long i = p * plane; i < (p + 1) * plane; i++)
            y[i] = (x[i] - mean[c]) * scale + bias[c];
    }
}

void rg_kernels_batchnorm_back(rg_shape in, const float *x, const float *mean,
                               const float *variance, bool fixed, const float *weight,
                               const float *dy, float *dx, float *dweight, float *dbias)
{
    const long plane = plane_of(in);
    const double count = (double)in.n * plane;
    for (int c = 0; c < in.c; c++) {
        const double root = 1 / sqrt((double)variance[c] + RG_KERNELS_EPSILON);
        double sum = 0, product = 0;
        for (int n = 0; n < in.n; n++)
            for (long i = 0, at = ((long)n * in.c + c) * plane; i < plane; i++, at++) {
                sum += dy[at];
                product += dy[at] * (x[at] - (double)mean[c]) * root;
            }
        dbias[c] = (float)sum;
        dweight[c] = (float)product;
        for (int n = 0; dx && n < in.n; n++)
            for (long i = 0, at = ((long)n * in.c + c) * plane; i < plane; i++, at++) {
                double d = dy[at];
                if (!fixed)
                    d -= (sum + product * (x[at] - (double)mean[c]) * root) / count;
                dx[at] = (float)(weight[c] * root * d);
            }
    }
}

void rg_kernels_upsample(rg_shape in, rg_shape out, const float *x, float *y)
{
    for (long p = 0; p < (long)in.n * in.c; p++, x += plane_of(in))
        for (int i = 0; i < out.h; i++)
            for (int j = 0; j < out.w; j++) *y++ = x[(long)(i / 2) * in.w + j / 2];
}

void rg_kernels_upsample_back(rg_shape in, rg_shape out, const float *dy, float *dx)
{
    memset(dx, 0, (size_t)rg_layer_count(in) * sizeof *dx);
    for (long p = 0; p < (long)in.n * in.c; p++, dx += plane_of(in))
        for (int i = 0; i < out.h; i++)
            for (int j = 0; j < out.w; j++) dx[(long)(i / 2) * in.w + j / 2] += *dy++;
}

void rg_kernels_concat(rg_shape in, int classes, long first, long total, const float *x,
                       float *y)
{
    const long each = (long)(in.c / classes) * plane_of(in);
    for (long k = 0; k < (long)in.n * classes; k++)
        memcpy(y + k * total + first, x + k * each, (size_t)each * sizeof *y);
}

void rg_kernels_concat_back(rg_shape in, int classes, long first, long total,
                            const float *dy, float *dx)
{
    const long each = (long)(in.c / classes) * plane_of(in);
    for (long k = 0; k < (long)in.n * classes; k++)
        memcpy(dx + k * each, dy + k * total + first, (size_t)each * sizeof *dx);
}

bool rg_kernels_pools(const float *roi, float least, float most)
{
    float w = fmaxf(roi[3] - roi[1] + 1, 0), h = fmaxf(roi[4] - roi[2] + 1, 0);
    float size = sqrtf(w * h);
    if (!(size >= 0)) size = 0;
    return size >= least && (most == 0 || size < most);
}

/* The four deltas that a pick is tied to; false: to none. */
static bool tied(const float *pick, int images, long count, const float *deltas,
                 long at[4], float d[4])
{
    if (!rg_box_is_tied(pick, images, count)) return false;
    for (int k = 0; k < 4; k++) {
        at[k] = (long)pick[0] * count + (long)pick[5] + k * (long)pick[6];
        d[k] = deltas[at[k]];
    }
    return true;
}

void rg_kernels_boxes(int images, long count, const float *deltas, int npicks,
                      const float *picks, int side, float *rois)
{
    for (int i = 0; i < npicks; i++, picks += 7, rois += 5) {
        rg_box box = rg_box_of_pick(picks);
        long at[4];
        float d[4];
        if (tied(picks, images, count, deltas, at, d))
            box = rg_box_clip(rg_box_decode(box, d), side, side);
        const float roi[5] = { picks[0], box.x1, box.y1, box.x2, box.y2 };
        memcpy(rois, roi, sizeof roi);
    }
}

void rg_kernels_boxes_back(int images, long count, const float *deltas, int npicks,
                           const float *picks, int side, const float *drois,
                           float *ddeltas)
{
    memset(ddeltas, 0, (size_t)images * (size_t)count * sizeof *ddeltas);
    for (int i = 0; i < npicks; i++, picks += 7, drois += 5) {
        long at[4];
        float d[4], dd[4];
        if (!tied(picks, images, count, deltas, at, d)) continue;
        rg_box_decode_back(rg_box_of_pick(picks), d, side, drois + 1, dd);
        for (int k = 0; k < 4; k++) ddeltas[at[k]] += dd[k];
    }
}

/* Between which two cells a sample lies, how far along, and how that moves with the two
 * ends of the box. */
typedef struct sample { int low, high; float along, by_first, by_second; } sample;

static int clamp(int i, int end)
{
    return i < 0 ? 0 : i >= end ? end - 1 : i;
}

/* ((theta u + shift) + 1) W / 2 with theta = (x2 - x1) / W.  The paper's Eq. 8 has
 * shift = (x1 + x2 - W) / W: x1 (1 - u) / 2 + x2 (1 + u) / 2, W falls out.  The
 * authors' program has (x1 + x2 - W - 1) / (W - 1). */
rg_kernels_place rg_kernels_sample(const rg_row *row, int i, float first, float second,
                                   int cells)
{
    const float u = row->size > 1 ? 2.0f * i / (row->size - 1) - 1 : 0;
    const float stride = row->value, wide = cells;
    float skew = 1, shift = 0;
    if (row->sampling == RG_SAMPLING_AUTHORS && cells > 1) {
        skew = wide / (wide - 1);
        shift = -skew;
    }
    rg_kernels_place p = { .by_first = (skew - u) / 2 / stride,
                           .by_second = (skew + u) / 2 / stride };
    p.at = first * p.by_first + second * p.by_second + shift;
    if (!(p.at >= -1)) p.at = -1;        /* a NaN ends here too */
    if (p.at > wide) p.at = wide;
    return p;
}

static sample sample_at(const rg_row *row, int i, float first, float second, int cells)
{
    const rg_kernels_place p = rg_kernels_sample(row, i, first, second, cells);
    const int cell = (int)floorf(p.at);
    return (sample){ clamp(cell, cells), clamp(cell + 1, cells), p.at - cell,
                     p.by_first, p.by_second };
}

static int image_of(const float *roi, int images)
{
    return roi[0] >= 0 ? roi[0] < images ? (int)roi[0] : images - 1 : 0;
}

static float read_sample(sample v, sample h, int width, const float *plane)
{
    const float *low = plane + (long)v.low * width;
    const float *high = plane + (long)v.high * width;
    return (1 - v.along) * ((1 - h.along) * low[h.low] + h.along * low[h.high])
           + v.along * ((1 - h.along) * high[h.low] + h.along * high[h.high]);
}

void rg_kernels_stpool(const rg_row *row, rg_shape in, const float *x, int nrois,
                       const float *rois, float *y)
{
    long plane = (long)in.h * in.w;
    for (int r = 0; r < nrois; r++) {
        const float *roi = rois + 5L * r;
        const float *image = x + (long)image_of(roi, in.n) * in.c * plane;
        const bool pooled = rg_kernels_pools(roi, row->least, row->most);
        for (int c = 0; c < in.c; c++)
            for (int i = 0; i < row->size; i++)
                for (int j = 0; j < row->size; j++) {
                    sample v = sample_at(row, i, roi[2], roi[4], in.h);
                    sample h = sample_at(row, j, roi[1], roi[3], in.w);
                    *y++ = pooled ? read_sample(v, h, in.w, image + c * plane) : 0;
                }
    }
}

/* The reverse of read_sample: adds dy to the four cells it came from. */
static void spread_sample(sample v, sample h, int width, float dy, float *plane)
{
    float *low = plane + (long)v.low * width, *high = plane + (long)v.high * width;
    low[h.low] += (1 - v.along) * (1 - h.along) * dy;
    low[h.high] += (1 - v.along) * h.along * dy;
    high[h.low] += v.along * (1 - h.along) * dy;
    high[h.high] += v.along * h.along * dy;
}

/* Adds dy times the slope of the map at the sample, for the ends that move it. */
static void move_box(sample v, sample h, int width, float dy, const float *plane,
                     float *droi)
{
    const float *low = plane + (long)v.low * width;
    const float *high = plane + (long)v.high * width;
    float across = (1 - v.along) * (low[h.high] - low[h.low])
                   + v.along * (high[h.high] - high[h.low]);
    float down = (1 - h.along) * (high[h.low] - low[h.low])
                 + h.along * (high[h.high] - low[h.high]);
    droi[1] += dy * across * h.by_first;
    droi[2] += dy * down * v.by_first;
    droi[3] += dy * across * h.by_second;
    droi[4] += dy * down * v.by_second;
}

void rg_kernels_stpool_back(const rg_row *row, rg_shape in, const float *x, int nrois,
                            const float *rois, const float *dy, float *dx, float *drois)
{
    long plane = (long)in.h * in.w;
    if (dx) memset(dx, 0, (size_t)rg_layer_count(in) * sizeof *dx);
    if (drois) memset(drois, 0, (size_t)nrois * 5 * sizeof *drois);
    for (int r = 0; r < nrois; r++) {
        const float *roi = rois + 5L * r;
        long image = (long)image_of(roi, in.n) * in.c * plane;
        if (!rg_kernels_pools(roi, row->least, row->most)) {
            dy += (long)in.c * row->size * row->size;
            continue;
        }
        for (int c = 0; c < in.c; c++, image += plane)
            for (int i = 0; i < row->size; i++)
                for (int j = 0; j < row->size; j++, dy++) {
                    sample v = sample_at(row, i, roi[2], roi[4], in.h);
                    sample h = sample_at(row, j, roi[1], roi[3], in.w);
                    if (dx) spread_sample(v, h, in.w, *dy, dx + image);
                    if (drois) move_box(v, h, in.w, *dy, x + image, drois + 5L * r);
                }
    }
}

void rg_kernels_fc(int n, int inputs, int outputs, const float *x, const float *weight,
                   const float *bias, float *y)
{
    for (int i = 0; i < n; i++)
        for (int o = 0; o < outputs; o++) {
            double sum = bias[o];
            for (int k = 0; k < inputs; k++)
                sum += (double)weight[(long)o * inputs + k] * x[(long)i * inputs + k];
            y[(long)i * outputs + o] = (float)sum;
        }
}

void rg_kernels_fc_back_data(int n, int inputs, int outputs, const float *weight,
                             const float *dy, float *dx)
{
    memset(dx, 0, (size_t)n * (size_t)inputs * sizeof *dx);
    for (int i = 0; i < n; i++)
        for (int o = 0; o < outputs; o++)
            for (int k = 0; k < inputs; k++)
                dx[(long)i * inputs + k] += weight[(long)o * inputs + k]
                                            * dy[(long)i * outputs + o];
}

void rg_kernels_fc_back_weights(int n, int inputs, int outputs, const float *x,
                                const float *dy, float *dweight, float *dbias)
{
    memset(dweight, 0, (size_t)outputs * (size_t)inputs * sizeof *dweight);
    memset(dbias, 0, (size_t)outputs * sizeof *dbias);
    for (int i = 0; i < n; i++)
        for (int o = 0; o < outputs; o++) {
            float d = dy[(long)i * outputs + o];
            dbias[o] += d;
            for (int k = 0; k < inputs; k++)
                dweight[(long)o * inputs + k] += d * x[(long)i * inputs + k];
        }
}

float rg_kernels_dropout_factor(uint64_t seed, uint64_t index, float rate)
{
    float uniform = (float)(rg_random_mix(seed, index) >> 40) * 0x1p-24f;
    return uniform < rate ? 0 : 1 / (1 - rate);
}

void rg_kernels_dropout(long count, uint64_t seed, float rate, const float *x, float *y)
{
    for (long i = 0; i < count; i++)
        y[i] = x[i] * rg_kernels_dropout_factor(seed, (uint64_t)i, rate);
}

/* Softmax of `classes` values `step` apart. */
static void softmax_of(int classes, long step, const float *x, float *y)
{
    float most = x[0];
    double sum = 0;
    for (int k = 1; k < classes; k++)
        if (x[k * step] > most) most = x[k * step];
    for (int k = 0; k < classes; k++) sum += exp((double)x[k * step] - most);
    for (int k = 0; k < classes; k++)
        y[k * step] = (float)(exp((double)x[k * step] - most) / sum);
}

/* Positions of one class in one image: g * h * w. */
static long positions(rg_shape in, int classes)
{
    return (long)(in.c / classes) * in.h * in.w;
}

void rg_kernels_softmax(rg_shape in, int classes, const float *x, float *y)
{
    long step = positions(in, classes);
    for (int n = 0; n < in.n; n++, x += classes * step, y += classes * step)
        for (long p = 0; p < step; p++) softmax_of(classes, step, x + p, y + p);
}

void rg_kernels_softmax_back(rg_shape in, int classes, const float *y, const float *dy,
                             float *dx)
{
    long step = positions(in, classes);
    for (int n = 0; n < in.n; n++)
        for (long p = 0; p < step; p++) {
            long first = n * classes * step + p, end = first + classes * step;
            double mean = 0;
            for (long i = first; i < end; i += step) mean += (double)y[i] * dy[i];
            for (long i = first; i < end; i += step)
                dx[i] = (float)(y[i] * (dy[i] - mean));
        }
}

static int is_class(float label, int classes)
{
    return label >= 0 && label < classes;
}

static long count_labels(long count, const float *labels, int classes)
{
    long counted = 0;
    for (long i = 0; i < count; i++) counted += is_class(labels[i], classes);
    return counted;
}

/* -log softmax at `label`, by log-sum-exp so that no probability reaches 0. */
static double surprise(int classes, long step, const float *x, int label)
{
    float most = x[0];
    double sum = 0;
    for (int k = 1; k < classes; k++)
        if (x[k * step] > most) most = x[k * step];
    for (int k = 0; k < classes; k++) sum += exp((double)x[k * step] - most);
    return log(sum) + most - x[label * step];
}

float rg_kernels_softmax_loss(rg_shape in, int classes, const float *x,
                              const float *labels)
{
    long step = positions(in, classes);
    long counted = count_labels(in.n * step, labels, classes);
    double sum = 0;
    for (int n = 0; n < in.n; n++, x += classes * step)
        for (long p = 0; p < step; p++, labels++)
            if (is_class(*labels, classes))
                sum += surprise(classes, step, x + p, (int)*labels);
    return counted ? (float)(sum / counted) : 0;
}

void rg_kernels_softmax_loss_back(rg_shape in, int classes, const float *x,
                                  const float *labels, float upstream, float *dx)
{
    long step = positions(in, classes);
    long counted = count_labels(in.n * step, labels, classes);
    memset(dx, 0, (size_t)rg_layer_count(in) * sizeof *dx);
    for (int n = 0; n < in.n; n++, x += classes * step, dx += classes * step)
        for (long p = 0; p < step; p++, labels++) {
            if (!is_class(*labels, classes)) continue;
            softmax_of(classes, step, x + p, dx + p);
            dx[p + (int)*labels * step] -= 1;
            for (int k = 0; k < classes; k++) dx[p + k * step] *= upstream / counted;
        }
}

float rg_kernels_smooth_l1(long count, float sigma, const float *x, const float *target,
                           const float *weight)
{
    double sum = 0, edge = 1.0 / ((double)sigma * sigma);
    for (long i = 0; i < count; i++) {
        double d = fabs((double)x[i] - target[i]);
        sum += weight[i] * (d < edge ? d * d / (2 * edge) : d - edge / 2);
    }
    return (float)sum;
}

void rg_kernels_smooth_l1_back(long count, float sigma, const float *x,
                               const float *target, const float *weight, float upstream,
                               float *dx)
{
    float edge = 1 / (sigma * sigma);
    for (long i = 0; i < count; i++) {
        float d = x[i] - target[i];
        float slope = d <= -edge ? -1 : d >= edge ? 1 : d / edge;
        dx[i] = upstream * weight[i] * slope;
    }
}

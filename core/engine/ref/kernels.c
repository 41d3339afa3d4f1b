/* SPDX-License-Identifier: MIT */
#include "core/engine/ref/kernels.h"

#include <math.h>
#include <string.h>

#include "core/engine/random.h"

/* y[] += factor * x[], where y[j] meets x[j + shift] and both are rows of `width`. */
static void add_shifted(int width, int shift, float factor, const float *x, float *y)
{
    int first = shift < 0 ? -shift : 0, end = shift > 0 ? width - shift : width;
    for (int j = first; j < end; j++) y[j] += factor * x[j + shift];
}

static double dot_shifted(int width, int shift, const float *x, const float *y)
{
    int first = shift < 0 ? -shift : 0, end = shift > 0 ? width - shift : width;
    double sum = 0;
    for (int j = first; j < end; j++) sum += (double)y[j] * x[j + shift];
    return sum;
}

/* y[] += factor * x[], planes [h][w], y[i][j] meeting x[i + down][j + right]. */
static void add_plane(rg_shape s, int down, int right, float factor, const float *x,
                      float *y)
{
    for (int i = 0; i < s.h; i++, y += s.w)
        if (i + down >= 0 && i + down < s.h)
            add_shifted(s.w, right, factor, x + (i + down) * (long)s.w, y);
}

static double dot_plane(rg_shape s, int down, int right, const float *x, const float *y)
{
    double sum = 0;
    for (int i = 0; i < s.h; i++, y += s.w)
        if (i + down >= 0 && i + down < s.h)
            sum += dot_shifted(s.w, right, x + (i + down) * (long)s.w, y);
    return sum;
}

void rg_kernels_conv(rg_shape in, const float *x, int outputs, int size,
                     const float *weight, const float *bias, float *y)
{
    long plane = (long)in.h * in.w;
    for (int n = 0; n < in.n; n++)
        for (int o = 0; o < outputs; o++) {
            float *to = y + ((long)n * outputs + o) * plane;
            for (long i = 0; i < plane; i++) to[i] = bias[o];
            for (int c = 0; c < in.c; c++)
                for (int k = 0; k < size * size; k++)
                    add_plane(in, k / size - size / 2, k % size - size / 2,
                              weight[((long)o * in.c + c) * size * size + k],
                              x + ((long)n * in.c + c) * plane, to);
        }
}

void rg_kernels_conv_back_data(rg_shape in, float *dx, int outputs, int size,
                               const float *weight, const float *dy)
{
    long plane = (long)in.h * in.w;
    for (int n = 0; n < in.n; n++)
        for (int c = 0; c < in.c; c++) {
            float *to = dx + ((long)n * in.c + c) * plane;
            memset(to, 0, (size_t)plane * sizeof *to);
            for (int o = 0; o < outputs; o++)
                for (int k = 0; k < size * size; k++)
                    add_plane(in, size / 2 - k / size, size / 2 - k % size,
                              weight[((long)o * in.c + c) * size * size + k],
                              dy + ((long)n * outputs + o) * plane, to);
        }
}

static double sum_of(long count, const float *x)
{
    double sum = 0;
    for (long i = 0; i < count; i++) sum += x[i];
    return sum;
}

void rg_kernels_conv_back_weights(rg_shape in, const float *x, int outputs, int size,
                                  const float *dy, float *dweight, float *dbias)
{
    long plane = (long)in.h * in.w;
    for (int o = 0; o < outputs; o++) {
        double bias = 0;
        for (int n = 0; n < in.n; n++)
            bias += sum_of(plane, dy + ((long)n * outputs + o) * plane);
        dbias[o] = (float)bias;
        for (int c = 0; c < in.c; c++)
            for (int k = 0; k < size * size; k++) {
                double sum = 0;
                for (int n = 0; n < in.n; n++)
                    sum += dot_plane(in, k / size - size / 2, k % size - size / 2,
                                     x + ((long)n * in.c + c) * plane,
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

/* Offset of the largest of the 2 x 2 values at x, rows `width` apart. */
static long largest(const float *x, int width)
{
    const long corner[4] = { 0, 1, width, width + 1L };
    long best = 0;
    for (int k = 1; k < 4; k++)
        if (x[corner[k]] > x[best]) best = corner[k];
    return best;
}

void rg_kernels_maxpool(rg_shape in, const float *x, float *y)
{
    for (long p = 0; p < (long)in.n * in.c; p++, x += (long)in.h * in.w)
        for (int i = 0; i < in.h / 2; i++)
            for (int j = 0; j < in.w / 2; j++) {
                const float *square = x + 2L * i * in.w + 2 * j;
                *y++ = square[largest(square, in.w)];
            }
}

void rg_kernels_maxpool_back(rg_shape in, const float *x, const float *dy, float *dx)
{
    memset(dx, 0, (size_t)rg_layer_count(in) * sizeof *dx);
    for (long p = 0; p < (long)in.n * in.c; p++)
        for (int i = 0; i < in.h / 2; i++)
            for (int j = 0; j < in.w / 2; j++) {
                long at = p * in.h * in.w + 2L * i * in.w + 2 * j;
                dx[at + largest(x + at, in.w)] = *dy++;
            }
}

/* One coordinate of a sample: between which two cells, how far along, and how that
 * moves with the two ends of the box. */
typedef struct sample { int low, high; float along, by_first, by_second; } sample;

static int clamp(int i, int end)
{
    return i < 0 ? 0 : i >= end ? end - 1 : i;
}

/* Eq. 8: ((theta u + shift) + 1) W / 2 with theta = (x2 - x1) / W and
 * shift = (x1 + x2 - W) / W is x1 (1 - u) / 2 + x2 (1 + u) / 2: W falls out. */
static sample sample_at(int i, int size, float first, float second, float stride,
                        int cells)
{
    float u = size > 1 ? 2.0f * i / (size - 1) - 1 : 0;
    sample s = { .by_first = (1 - u) / 2 / stride, .by_second = (1 + u) / 2 / stride };
    float position = first * s.by_first + second * s.by_second;
    if (!(position >= -1)) position = -1;
    if (position > cells) position = cells;
    int cell = (int)floorf(position);
    s.low = clamp(cell, cells);
    s.high = clamp(cell + 1, cells);
    s.along = position - cell;
    return s;
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

void rg_kernels_stpool(rg_shape in, const float *x, int nrois, const float *rois,
                       int size, float stride, float *y)
{
    long plane = (long)in.h * in.w;
    for (int r = 0; r < nrois; r++) {
        const float *roi = rois + 5L * r;
        const float *image = x + (long)image_of(roi, in.n) * in.c * plane;
        for (int c = 0; c < in.c; c++)
            for (int i = 0; i < size; i++)
                for (int j = 0; j < size; j++) {
                    sample v = sample_at(i, size, roi[2], roi[4], stride, in.h);
                    sample h = sample_at(j, size, roi[1], roi[3], stride, in.w);
                    *y++ = read_sample(v, h, in.w, image + c * plane);
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

void rg_kernels_stpool_back(rg_shape in, const float *x, int nrois, const float *rois,
                            int size, float stride, const float *dy, float *dx,
                            float *drois)
{
    long plane = (long)in.h * in.w;
    if (dx) memset(dx, 0, (size_t)rg_layer_count(in) * sizeof *dx);
    if (drois) memset(drois, 0, (size_t)nrois * 5 * sizeof *drois);
    for (int r = 0; r < nrois; r++) {
        const float *roi = rois + 5L * r;
        long image = (long)image_of(roi, in.n) * in.c * plane;
        for (int c = 0; c < in.c; c++, image += plane)
            for (int i = 0; i < size; i++)
                for (int j = 0; j < size; j++, dy++) {
                    sample v = sample_at(i, size, roi[2], roi[4], stride, in.h);
                    sample h = sample_at(j, size, roi[1], roi[3], stride, in.w);
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

/* SPDX-License-Identifier: MIT */
/* kernels: every word as plain loops on plain arrays [n][c][h][w]: what the fast
 * backends are tested against.
 *
 *     rg_kernels_conv(in, x, 64, 3, weight, bias, y);          // y [n][64][h][w]
 *     rg_kernels_relu(count, y, y);
 *
 * `in` is the shape of x.  A `_back` takes the gradient dy of what the word made and
 * overwrites dx, the gradient of what it read.  Arrays do not overlap unless said.
 */
#ifndef RG_KERNELS_H
#define RG_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/layer.h"

/* size x size convolution, zeros around ("same"); weight [outputs][c][size][size], bias
 * [outputs] or NULL, y and dy [n][outputs][(h - 1) / stride + 1][...]. */
void rg_kernels_conv(rg_shape in, const float *x, int outputs, int size, int stride,
                     const float *weight, const float *bias, float *y);
void rg_kernels_conv_back_data(rg_shape in, float *dx, int outputs, int size,
                               int stride, const float *weight, const float *dy);
void rg_kernels_conv_back_weights(rg_shape in, const float *x, int outputs, int size,
                                  int stride, const float *dy, float *dweight,
                                  float *dbias);

/* max(x, 0); x may be y.  Its backward looks at what was made; dy may be dx. */
void rg_kernels_relu(long count, const float *x, float *y);
void rg_kernels_relu_back(long count, const float *y, const float *dy, float *dx);

/* Stride 2.  size 3: 3 x 3 about every second cell, y, dy [n][c][(h+1)/2][(w+1)/2];
 * else 2 x 2, [n][c][h/2][w/2], odd rims dropped.  Of equals the first (in rows) takes
 * the gradient. */
void rg_kernels_maxpool(rg_shape in, int size, const float *x, float *y);
void rg_kernels_maxpool_back(rg_shape in, int size, const float *x, const float *dy,
                             float *dx);

/* Batch normalisation (Ioffe & Szegedy 2015).  mean, variance, weight, bias [c];
 * statistics: over n, h, w, variance biased.  track: a tenth of the way from tracked
 * to those of the batch (variance unbiased).  `fixed`: mean and variance are constants,
 * else they are those of x and the gradient flows through them.  dx may be NULL. */
#define RG_KERNELS_EPSILON 1e-5f
void rg_kernels_batchnorm_statistics(rg_shape in, const float *x, float *mean,
                                     float *variance);
void rg_kernels_batchnorm_track(rg_shape in, const float *mean, const float *variance,
                                float *tracked_mean, float *tracked_variance);
void rg_kernels_batchnorm(rg_shape in, const float *x, const float *mean,
                          const float *variance, const float *weight, const float *bias,
                          float *y);
void rg_kernels_batchnorm_back(rg_shape in, const float *x, const float *mean,
                               const float *variance, bool fixed, const float *weight,
                               const float *dy, float *dx, float *dweight,
                               float *dbias);

/* y[i][j] = x[i / 2][j / 2]; out is the shape of y. */
void rg_kernels_upsample(rg_shape in, rg_shape out, const float *x, float *y);
void rg_kernels_upsample_back(rg_shape in, rg_shape out, const float *dy, float *dx);

/* One input of CONCAT to its place: x [n][classes * g][h][w] as [n][classes][g h w] to
 * columns first ... of y [n][classes][total]; and the gradient back. */
void rg_kernels_concat(rg_shape in, int classes, long first, long total, const float *x,
                       float *y);
void rg_kernels_concat_back(rg_shape in, int classes, long first, long total,
                            const float *dy, float *dx);

/* Whether a RoI [5] is of a size to be pooled: least <= sqrt(w h) < most, most 0 being
 * no limit; what is not a number counts as 0. */
bool rg_kernels_pools(const float *roi, float least, float most);

/* Eq. 3.  picks [npicks][7]: image index, x1, y1, x2, y2 [network pixels], first, step;
 * deltas [images][count]; rois, drois [npicks][5].  dw and dh end at log(1000/16) and
 * the box is clipped to 0 .. side - 1; where either holds, nothing flows back.  An
 * index out of range takes the box as it is, as a negative `first` does. */
void rg_kernels_boxes(int images, long count, const float *deltas, int npicks,
                      const float *picks, int side, float *rois);
void rg_kernels_boxes_back(int images, long count, const float *deltas, int npicks,
                           const float *picks, int side, const float *drois,
                           float *ddeltas);

/* Eq. 8.  rois [nrois][5]: image index, x1, y1, x2, y2 [network pixels], `stride` of
 * them to a feature cell; y, dy [nrois][c][size][size].  Samples outside the map see
 * its rim; an index or coordinate that is out of range or not finite is clamped; RoIs
 * that rg_kernels_pools leaves out make zeros and take no gradient.  `row` says size,
 * stride, sampling and least, most.  dx or drois may be NULL; the index gets no
 * gradient. */
void rg_kernels_stpool(const rg_row *row, rg_shape in, const float *x, int nrois,
                       const float *rois, float *y);
void rg_kernels_stpool_back(const rg_row *row, rg_shape in, const float *x, int nrois,
                            const float *rois, const float *dy, float *dx,
                            float *drois);

/* Where sample i of `size` between the two ends of a box lies [cells], and how that
 * moves with them. */
typedef struct rg_kernels_place { float at, by_first, by_second; } rg_kernels_place;
rg_kernels_place rg_kernels_sample(const rg_row *row, int i, float first, float second,
                                   int cells);

/* x [n][inputs], weight [outputs][inputs], bias [outputs], y [n][outputs]. */
void rg_kernels_fc(int n, int inputs, int outputs, const float *x, const float *weight,
                   const float *bias, float *y);
void rg_kernels_fc_back_data(int n, int inputs, int outputs, const float *weight,
                             const float *dy, float *dx);
void rg_kernels_fc_back_weights(int n, int inputs, int outputs, const float *x,
                                const float *dy, float *dweight, float *dbias);

/* What element `index` of [n][c][h][w] is multiplied by: 0 with probability `rate`,
 * else 1 / (1 - rate).  A pure function, the same on every backend. */
float rg_kernels_dropout_factor(uint64_t seed, uint64_t index, float rate);

/* y = x times those factors; its own backward, with dy for x.  x may be y. */
void rg_kernels_dropout(long count, uint64_t seed, float rate, const float *x,
                        float *y);

/* Over `classes`, [n][classes * g][h][w] seen as [n][classes][g * h * w]; x may be y,
 * dy may be dx. */
void rg_kernels_softmax(rg_shape in, int classes, const float *x, float *y);
void rg_kernels_softmax_back(rg_shape in, int classes, const float *y, const float *dy,
                             float *dx);

/* Mean over all labels [n][g][h][w] of -log softmax(x) at the label; a label that is no
 * class (-1 by custom) is left out; 0 when all are.  `upstream` multiplies the
 * gradient. */
float rg_kernels_softmax_loss(rg_shape in, int classes, const float *x,
                              const float *labels);
void rg_kernels_softmax_loss_back(rg_shape in, int classes, const float *x,
                                  const float *labels, float upstream, float *dx);

/* Sum of weight * f(x - target), f(d) = (sigma d)^2 / 2 below |d| = 1 / sigma^2, from
 * there |d| - 1 / (2 sigma^2). */
float rg_kernels_smooth_l1(long count, float sigma, const float *x, const float *target,
                           const float *weight);
void rg_kernels_smooth_l1_back(long count, float sigma, const float *x,
                               const float *target, const float *weight, float upstream,
                               float *dx);

#endif

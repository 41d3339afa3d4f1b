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

#include <stdint.h>

#include "core/engine/layer.h"

/* size x size convolution, stride 1, zeros around ("same"); weight
 * [outputs][c][size][size], bias [outputs], y and dy [n][outputs][h][w]. */
void rg_kernels_conv(rg_shape in, const float *x, int outputs, int size,
                     const float *weight, const float *bias, float *y);
void rg_kernels_conv_back_data(rg_shape in, float *dx, int outputs, int size,
                               const float *weight, const float *dy);
void rg_kernels_conv_back_weights(rg_shape in, const float *x, int outputs, int size,
                                  const float *dy, float *dweight, float *dbias);

/* max(x, 0); x may be y.  Its backward looks at what was made; dy may be dx. */
void rg_kernels_relu(long count, const float *x, float *y);
void rg_kernels_relu_back(long count, const float *y, const float *dy, float *dx);

/* 2 x 2, stride 2; y, dy [n][c][h/2][w/2], odd rims dropped.  Of equals the first (in
 * rows) takes the gradient. */
void rg_kernels_maxpool(rg_shape in, const float *x, float *y);
void rg_kernels_maxpool_back(rg_shape in, const float *x, const float *dy, float *dx);

/* Eq. 8.  rois [nrois][5]: image index, x1, y1, x2, y2 [network pixels], `stride` of
 * them to a feature cell; y, dy [nrois][c][size][size].  Samples outside the map see
 * its rim; an index or coordinate that is out of range or not finite is clamped.  dx or
 * drois may be NULL; the index gets no gradient. */
void rg_kernels_stpool(rg_shape in, const float *x, int nrois, const float *rois,
                       int size, float stride, float *y);
void rg_kernels_stpool_back(rg_shape in, const float *x, int nrois, const float *rois,
                            int size, float stride, const float *dy, float *dx,
                            float *drois);

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

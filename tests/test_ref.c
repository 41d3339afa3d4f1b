/* SPDX-License-Identifier: MIT */
/* The plain kernels and the optimizer against numbers worked out by hand. */
#include "core/engine/optimizer.h"
#include "core/engine/ref/kernels.h"
#include "tests/check.h"

static void near_all(int count, const float *got, const double *wanted)
{
    for (int i = 0; i < count; i++) CHECK_NEAR(got[i], wanted[i], 1e-5);
}
#define NEAR_ALL(got, ...) \
    near_all(sizeof((double[]){ __VA_ARGS__ }) / sizeof(double), got, \
             (double[]){ __VA_ARGS__ })

static const float nine[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void conv_sums_neighbours_and_zeros_beyond(void)
{
    const float ones[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, bias = 1;
    float y[9];
    rg_kernels_conv((rg_shape){ 1, 1, 3, 3 }, nine, 1, 3, 1, ones, &bias, y);
    NEAR_ALL(y, 13, 22, 17, 28, 46, 34, 25, 40, 29);
}

static void conv_is_not_mirrored(void)
{
    const float up_right[9] = { 0, 0, 1 }, bias = 0;
    float y[9];
    rg_kernels_conv((rg_shape){ 1, 1, 3, 3 }, nine, 1, 3, 1, up_right, &bias, y);
    NEAR_ALL(y, 0, 0, 0, 2, 3, 0, 5, 6, 0);
}

static void conv_mixes_channels_of_each_image(void)
{
    const float x[4] = { 1, 2, 3, 4 };                    /* 2 images, 2 channels */
    const float weight[6] = { 1, 10, 2, 20, 3, 30 }, bias[3] = { 0.5f, 0, -1 };
    float y[6];
    rg_kernels_conv((rg_shape){ 2, 2, 1, 1 }, x, 3, 1, 1, weight, bias, y);
    NEAR_ALL(y, 21.5, 42, 62, 43.5, 86, 128);
}

/* 3 x 3 at stride 2: the middle of every second cell. */
static void conv_strides(void)
{
    const float x[15] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    const float middle[9] = { 0, 0, 0, 0, 1, 0, 0, 0, 0 }, dy[6] = { 1, 2, 3, 4, 5, 6 };
    const float corner[9] = { 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    rg_shape in = { 1, 1, 3, 5 };
    float y[6], dx[15], dweight[9];
    rg_kernels_conv(in, x, 1, 3, 2, middle, NULL, y);
    NEAR_ALL(y, 1, 3, 5, 11, 13, 15);
    rg_kernels_conv(in, x, 1, 3, 2, corner, NULL, y);
    NEAR_ALL(y, 0, 0, 0, 0, 7, 9);
    rg_kernels_conv_back_data(in, dx, 1, 3, 2, corner, dy);
    NEAR_ALL(dx, 0, 0, 0, 0, 0, 0, 5, 0, 6, 0, 0, 0, 0, 0, 0);
    rg_kernels_conv_back_weights(in, x, 1, 3, 2, dy, dweight, NULL);
    CHECK_NEAR(dweight[0], 5 * 7 + 6 * 9, 1e-6);
    CHECK_NEAR(dweight[4], 1 + 6 + 15 + 44 + 65 + 90, 1e-6);
    CHECK_NEAR(dweight[8], 1 * 7 + 2 * 9, 1e-6);
}

static void batchnorm_of_two_images(void)
{
    const float x[4] = { 1, 10, 3, 30 }, weight[2] = { 2, 1 }, bias[2] = { 5, 0 };
    float mean[2], variance[2], y[4], tracked[2] = { 0, 0 }, spread[2] = { 1, 1 };
    rg_shape in = { 2, 2, 1, 1 };
    rg_kernels_batchnorm_statistics(in, x, mean, variance);
    NEAR_ALL(mean, 2, 20);
    NEAR_ALL(variance, 1, 100);
    rg_kernels_batchnorm_track(in, mean, variance, tracked, spread);
    NEAR_ALL(tracked, 0.2, 2);
    NEAR_ALL(spread, 0.9 + 0.1 * 2, 0.9 + 0.1 * 200);
    rg_kernels_batchnorm(in, x, mean, variance, weight, bias, y);
    CHECK_NEAR(y[0], 3, 1e-4);
    CHECK_NEAR(y[1], -1, 1e-4);
    CHECK_NEAR(y[2], 7, 1e-4);
    CHECK_NEAR(y[3], 1, 1e-4);
}

/* Of the batch: two values are always -1 and 1, whatever moves them. */
static void batchnorm_backward_knows_its_statistics(void)
{
    const float x[2] = { 1, 3 }, mean = 2, variance = 1, weight = 2, dy[2] = { 1, 0 };
    float dx[2], dweight, dbias;
    rg_shape in = { 2, 1, 1, 1 };
    rg_kernels_batchnorm_back(in, x, &mean, &variance, false, &weight, dy, dx, &dweight,
                              &dbias);
    CHECK_NEAR(dx[0], 0, 1e-4);
    CHECK_NEAR(dx[1], 0, 1e-4);
    CHECK_NEAR(dweight, -1, 1e-4);
    CHECK_NEAR(dbias, 1, 1e-6);
    rg_kernels_batchnorm_back(in, x, &mean, &variance, true, &weight, dy, dx, &dweight,
                              &dbias);
    CHECK_NEAR(dx[0], 2, 1e-4);
    CHECK_NEAR(dx[1], 0, 1e-4);
}

static void upsample_crops_odd_sides(void)
{
    const float x[4] = { 1, 2, 3, 4 }, dy[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    float y[9], dx[4];
    rg_kernels_upsample((rg_shape){ 1, 1, 2, 2 }, (rg_shape){ 1, 1, 3, 3 }, x, y);
    NEAR_ALL(y, 1, 1, 2, 1, 1, 2, 3, 3, 4);
    rg_kernels_upsample_back((rg_shape){ 1, 1, 2, 2 }, (rg_shape){ 1, 1, 3, 3 }, dy,
                             dx);
    NEAR_ALL(dx, 12, 9, 15, 9);
}

static void concat_keeps_classes_apart(void)
{
    const float x[4] = { 1, 2, 3, 4 };       /* 2 classes of 2 cells */
    float y[10] = { 0 }, dx[4];
    rg_kernels_concat((rg_shape){ 1, 2, 1, 2 }, 2, 1, 5, x, y);
    NEAR_ALL(y, 0, 1, 2, 0, 0, 0, 3, 4, 0, 0);
    rg_kernels_concat_back((rg_shape){ 1, 2, 1, 2 }, 2, 1, 5, y, dx);
    NEAR_ALL(dx, 1, 2, 3, 4);
}

static void maxpool_of_three_overlaps(void)
{
    const float x[9] = { 1, 2, 3, 4, 9, 5, 6, 7, 8 }, dy[4] = { 1, 2, 4, 8 };
    const float deep[9] = { -1, -2, -3, -4, -9, -5, -6, -7, -8 };
    float y[4], dx[9];
    rg_kernels_maxpool((rg_shape){ 1, 1, 3, 3 }, 3, x, y);
    NEAR_ALL(y, 9, 9, 9, 9);
    rg_kernels_maxpool_back((rg_shape){ 1, 1, 3, 3 }, 3, x, dy, dx);
    NEAR_ALL(dx, 0, 0, 0, 0, 15, 0, 0, 0, 0);
    rg_kernels_maxpool((rg_shape){ 1, 1, 3, 3 }, 3, deep, y);      /* no zeros around */
    NEAR_ALL(y, -1, -2, -4, -5);
}

static void stpool_leaves_out_other_sizes(void)
{
    const float roi[5] = { 0, 10, 10, 29, 89 };              /* sqrt(20 80) = 40 */
    const float nobody[5] = { 0, NAN, 1, 9, 9 };
    CHECK(rg_kernels_pools(roi, 0, 0) && rg_kernels_pools(roi, 40, 0));
    CHECK(!rg_kernels_pools(roi, 0, 40) && !rg_kernels_pools(roi, 41, 0));
    CHECK(rg_kernels_pools(nobody, 0, 8) != rg_kernels_pools(nobody, 8, 0));
}

static void conv_backward_of_one_corner(void)
{
    const float dy[9] = { 2 };
    float dx[9], dweight[9], dbias;
    rg_shape in = { 1, 1, 3, 3 };
    rg_kernels_conv_back_data(in, dx, 1, 3, 1, nine, dy);
    NEAR_ALL(dx, 10, 12, 0, 16, 18, 0, 0, 0, 0);
    rg_kernels_conv_back_weights(in, nine, 1, 3, 1, dy, dweight, &dbias);
    NEAR_ALL(dweight, 0, 0, 0, 0, 2, 4, 0, 8, 10);
    CHECK_NEAR(dbias, 2, 0);
}

static void conv_backward_adds_images_and_outputs(void)
{
    const float x[4] = { 1, 2, 3, 4 }, dy[6] = { 1, 0, 2, 0, 1, 1 };
    const float weight[6] = { 1, 10, 2, 20, 3, 30 };
    float dx[4], dweight[6], dbias[3];
    rg_shape in = { 2, 2, 1, 1 };
    rg_kernels_conv_back_data(in, dx, 3, 1, 1, weight, dy);
    NEAR_ALL(dx, 7, 70, 5, 50);
    rg_kernels_conv_back_weights(in, x, 3, 1, 1, dy, dweight, dbias);
    NEAR_ALL(dweight, 1, 2, 3, 4, 5, 8);
    NEAR_ALL(dbias, 1, 1, 3);
}

static void relu_and_its_gate(void)
{
    const float x[4] = { -1, 0, 2, -0.5f }, dy[4] = { 5, 6, 7, 8 };
    float y[4], dx[4];
    rg_kernels_relu(4, x, y);
    NEAR_ALL(y, 0, 0, 2, 0);
    rg_kernels_relu_back(4, y, dy, dx);
    NEAR_ALL(dx, 0, 0, 7, 0);
}

static void maxpool_drops_odd_rims(void)
{
    const float x[15] = { 1, 5, 2, 2, 90,
                          3, 4, 2, 2, 91,
                          92, 93, 94, 95, 96 };
    const float dy[2] = { 10, 20 };
    float y[2], dx[15];
    rg_kernels_maxpool((rg_shape){ 1, 1, 3, 5 }, 2, x, y);
    NEAR_ALL(y, 5, 2);
    rg_kernels_maxpool_back((rg_shape){ 1, 1, 3, 5 }, 2, x, dy, dx);
    NEAR_ALL(dx, 0, 10, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

/* Two images of one 4 x 5 channel in which a sample tells where it was taken: 100 an
 * image, 10 a row, 1 a column. */
static const rg_shape map_shape = { 2, 1, 4, 5 };
static const float *map(void)
{
    static float x[40];
    for (int i = 0; i < 40; i++) x[i] = 100.0f * (i / 20) + 10 * (i / 5 % 4) + i % 5;
    return x;
}

#define POOLING(size) (&(const rg_row)STPOOL("y", "x", "rois", size, 16))

static void stpool_samples_corners_and_centre(void)
{
    const float roi[5] = { 1, 8, 16, 40, 48 };            /* columns .5-2.5, rows 1-3 */
    float y[9];
    rg_kernels_stpool(POOLING(3), map_shape, map(), 1, roi, y);
    NEAR_ALL(y, 110.5, 111.5, 112.5, 120.5, 121.5, 122.5, 130.5, 131.5, 132.5);
}

static void stpool_is_equation_8(void)
{
    const float roi[5] = { 0, 7, 5, 55, 41 };
    float y[16];
    rg_kernels_stpool(POOLING(4), map_shape, map(), 1, roi, y);
    for (int i = 0; i < 16; i++) {
        double at[2];
        for (int k = 0; k < 2; k++) {                      /* 0: across, 1: down */
            double u = -1 + 2 * (k ? i / 4 : i % 4) / 3.0, size = k ? 4 : 5;
            double first = roi[1 + k] / 16, second = roi[3 + k] / 16;
            double theta = (second - first) / size;
            double shift = (first + second - size) / size;
            at[k] = ((theta * u + shift) + 1) * size / 2;
        }
        CHECK_NEAR(y[i], 10 * at[1] + at[0], 1e-5);
    }
}

/* shift = (x1 + x2 - W - 1) / (W - 1) instead of (x1 + x2 - W) / W. */
static void stpool_samples_as_the_authors_did(void)
{
    const rg_row row = STPOOL_AS("y", "x", "rois", 4, 16,
                                 .sampling = RG_SAMPLING_AUTHORS);
    const float roi[5] = { 0, 20, 18, 59, 46 };
    float y[16];
    rg_kernels_stpool(&row, map_shape, map(), 1, roi, y);
    for (int i = 0; i < 16; i++) {
        double at[2];
        for (int k = 0; k < 2; k++) {
            double u = -1 + 2 * (k ? i / 4 : i % 4) / 3.0, size = k ? 4 : 5;
            double first = roi[1 + k] / 16, second = roi[3 + k] / 16;
            double theta = (second - first) / size;
            double shift = (first + second - size - 1) / (size - 1);
            at[k] = ((theta * u + shift) + 1) * size / 2;
            CHECK(at[k] > 0 && at[k] < size - 1);          /* the rim is not reached */
        }
        CHECK_NEAR(y[i], 10 * at[1] + at[0], 1e-5);
    }
}

static void stpool_sees_the_rim_from_outside(void)
{
    const float rois[15] = { 0, -64, -64, -32, -32,  1, 0, 0, 160, 160,
                             9, 48, 32, 48, 32 };
    float y[12];
    rg_kernels_stpool(POOLING(2), map_shape, map(), 3, rois, y);
    NEAR_ALL(y, 0, 0, 0, 0, 100, 104, 130, 134, 123, 123, 123, 123);
}

static void stpool_survives_any_number(void)
{
    const float bad[5] = { NAN, INFINITY, -INFINITY, 1e38f, -1e38f };
    const float dy[4] = { 1, 1, 1, 1 };
    float roi[5], y[4], dx[40], droi[5];
    for (int i = 0; i < 3125; i++) {
        for (int k = 0, rest = i; k < 5; k++, rest /= 5) roi[k] = bad[rest % 5];
        rg_kernels_stpool(POOLING(2), map_shape, map(), 1, roi, y);
        rg_kernels_stpool_back(POOLING(2), map_shape, map(), 1, roi, dy, dx, droi);
        for (int k = 0; k < 4; k++) CHECK(y[k] >= 0 && y[k] <= 134 && droi[k + 1] == 0);
    }
}

static void stpool_backward_on_a_slope(void)
{
    const float roi[5] = { 1, 8, 8, 40, 40 };
    float dy[9], dx[40], droi[5], sum = 0;
    for (int i = 0; i < 9; i++) dy[i] = 1;
    rg_kernels_stpool_back(POOLING(3), map_shape, map(), 1, roi, dy, dx, droi);
    NEAR_ALL(droi, 0, 4.5 / 16, 45.0 / 16, 4.5 / 16, 45.0 / 16);
    for (int i = 0; i < 40; i++) sum += dx[i];
    CHECK_NEAR(sum, 9, 1e-5);
    NEAR_ALL(dx + 20, 0.25, 0.5, 0.5, 0.25, 0, 0.5, 1, 1, 0.5, 0);
}

static void stpool_backward_of_what_is_wanted(void)
{
    const float roi[5] = { 0, 8, 8, 24, 24 }, dy = 3;      /* the centre: cell 1, 1 */
    float dx[40], droi[5];
    rg_kernels_stpool_back(POOLING(1), map_shape, map(), 1, roi, &dy, dx, NULL);
    for (int i = 0; i < 40; i++) CHECK_NEAR(dx[i], i == 6 ? 3 : 0, 0);
    rg_kernels_stpool_back(POOLING(1), map_shape, map(), 1, roi, &dy, NULL, droi);
    NEAR_ALL(droi, 0, 1.5 / 16, 15.0 / 16, 1.5 / 16, 15.0 / 16);
}

static void fc_and_its_backward(void)
{
    const float x[6] = { 1, 2, 3, 4, 5, 6 }, weight[6] = { 1, 0, -1, 2, 1, 0 };
    const float bias[2] = { 10, 20 }, dy[4] = { 1, 2, 0, 3 };
    float y[4], dx[6], dweight[6], dbias[2];
    rg_kernels_fc(2, 3, 2, x, weight, bias, y);
    NEAR_ALL(y, 8, 24, 8, 33);
    rg_kernels_fc_back_data(2, 3, 2, weight, dy, dx);
    NEAR_ALL(dx, 5, 2, -1, 6, 3, 0);
    rg_kernels_fc_back_weights(2, 3, 2, x, dy, dweight, dbias);
    NEAR_ALL(dweight, 1, 2, 3, 14, 19, 24);
    NEAR_ALL(dbias, 1, 5);
}

static void dropout_keeps_the_mean(void)
{
    enum { COUNT = 100000 };
    static float x[COUNT], y[COUNT];
    long zeros = 0, both = 0;
    for (int i = 0; i < COUNT; i++) x[i] = 3;
    rg_kernels_dropout(COUNT, 7, 0.25f, x, y);
    for (int i = 0; i < COUNT; i++) {
        CHECK(y[i] == 0 || y[i] == 4);
        zeros += y[i] == 0;
        both += y[i] == 0 && rg_kernels_dropout_factor(8, (uint64_t)i, 0.25f) == 0;
    }
    CHECK_NEAR(zeros / (double)COUNT, 1 / 4.0, 0.006);
    CHECK_NEAR(both / (double)COUNT, 1 / 16.0, 0.004);     /* seeds are independent */
    rg_kernels_dropout(COUNT, 7, 0, x, y);
    for (int i = 0; i < COUNT; i++) CHECK(y[i] == 3);
}

/* Every backend drops the same, now and in ten years. */
static void dropout_is_pinned(void)
{
    char mask[33] = "";
    for (int i = 0; i < 32; i++)
        mask[i] = rg_kernels_dropout_factor(1, (uint64_t)i, 0.5f) > 0 ? '1' : '0';
    CHECK(strcmp(mask, "01111001110101100111000110111001") == 0);
    if (check_failed_) printf("got %s\n", mask);
}

static void softmax_of_logarithms(void)
{
    float x[3] = { 0, logf(2), logf(3) }, dx[3];
    const float big[3] = { 1000, -1000, 1000 }, dy[3] = { 6, 0, 0 };
    rg_kernels_softmax((rg_shape){ 1, 3, 1, 1 }, 3, x, x);
    NEAR_ALL(x, 1 / 6.0, 2 / 6.0, 3 / 6.0);
    rg_kernels_softmax_back((rg_shape){ 1, 3, 1, 1 }, 3, x, dy, dx);
    NEAR_ALL(dx, 5 / 6.0, -2 / 6.0, -3 / 6.0);
    rg_kernels_softmax((rg_shape){ 1, 3, 1, 1 }, 3, big, x);
    NEAR_ALL(x, 0.5, 0, 0.5);
}

/* 2 images, 2 classes x 2 anchors, 1 x 2 cells: anchor a's class 1 is channel 2 + a. */
static void softmax_pairs_channels_of_one_anchor(void)
{
    float x[16] = { 0 }, y[16];
    x[6] = logf(3);                                    /* image 0, channel 3, cell 0 */
    x[12] = logf(4);                                   /* image 1, channel 2, cell 0 */
    rg_kernels_softmax((rg_shape){ 2, 4, 1, 2 }, 2, x, y);
    NEAR_ALL(y, 0.5, 0.5, 0.25, 0.5, 0.5, 0.5, 0.75, 0.5,
             0.2, 0.5, 0.5, 0.5, 0.8, 0.5, 0.5, 0.5);
}

static void softmax_loss_leaves_out(void)
{
    const float x[6] = { 0, logf(2), logf(3), 500, 0, 0 };
    const float labels[2] = { 1, -1 }, both[2] = { 1, 0 }, none[2] = { -1, NAN };
    float dx[6];
    rg_shape in = { 2, 3, 1, 1 };
    CHECK_NEAR(rg_kernels_softmax_loss(in, 3, x, labels), log(3), 1e-6);
    CHECK_NEAR(rg_kernels_softmax_loss(in, 3, x, both), log(3) / 2, 1e-6);
    CHECK_NEAR(rg_kernels_softmax_loss(in, 3, x, none), 0, 0);
    rg_kernels_softmax_loss_back(in, 3, x, both, 2, dx);
    NEAR_ALL(dx, 1 / 6.0, -4 / 6.0, 3 / 6.0, 0, 0, 0);
    rg_kernels_softmax_loss_back(in, 3, x, none, 2, dx);
    NEAR_ALL(dx, 0, 0, 0, 0, 0, 0);
}

static void softmax_loss_by_anchor(void)
{
    float x[8] = { 0 }, dx[8];
    const float labels[4] = { -1, 1, 0, -1 };          /* 2 anchors x 2 cells */
    x[5] = logf(3);                                    /* class 1, anchor 0, cell 1 */
    rg_shape in = { 1, 4, 1, 2 };
    CHECK_NEAR(rg_kernels_softmax_loss(in, 2, x, labels), (log(4 / 3.0) + log(2)) / 2,
               1e-6);
    rg_kernels_softmax_loss_back(in, 2, x, labels, 1, dx);
    NEAR_ALL(dx, 0, 0.125, -0.25, 0, 0, -0.125, 0.25, 0);
}

static void smooth_l1_is_round_below_its_edge(void)
{
    const float x[4] = { 0.1f, 1, -2, 5 }, target[4] = { 0, 0, 0, 5.05f };
    const float weight[4] = { 1, 2, 1, 0 };
    float dx[4];
    CHECK_NEAR(rg_kernels_smooth_l1(4, 3, x, target, weight),
               0.045 + 2 * (1 - 1 / 18.0) + (2 - 1 / 18.0), 1e-6);
    rg_kernels_smooth_l1_back(4, 3, x, target, weight, 10, dx);
    NEAR_ALL(dx, 9, 20, -10, 0);
}

static void sgd_has_momentum_and_clips(void)
{
    rg_optimizer how = { .rule = RG_SGD, .rate = 0.1f, .momentum = 0.9f, .clip = 2.5f };
    float w[2] = { 1, 2 }, g[2] = { 3, 4 }, v[2] = { 0 }, norm, scale;
    CHECK_OK(rg_optimizer_clip(&how, rg_optimizer_squares(2, g), &norm, &scale));
    CHECK_NEAR(norm, 5, 1e-6);
    CHECK_NEAR(scale, 0.5, 1e-6);
    rg_optimizer_step(&how, 1, scale, 2, w, g, v, NULL);
    NEAR_ALL(w, 0.85, 1.8);
    rg_optimizer_step(&how, 2, scale, 2, w, g, v, NULL);
    NEAR_ALL(w, 0.85 - 0.285, 1.8 - 0.38);
    how.decay = 1;
    how.momentum = 0;
    rg_optimizer_step(&how, 3, 0, 2, w, g, v, NULL);
    NEAR_ALL(w, 0.9 * 0.565, 0.9 * 1.42);
}

static void adam_follows_the_paper(void)
{
    rg_optimizer how = { .rule = RG_ADAM, .rate = 0.1f, .momentum = 0.9f,
                         .beta2 = 0.99f, .epsilon = 1e-8f, .decay = 0.01f };
    const double gradients[3] = { 3, -1, 0.5 };
    float w = 1, m1 = 0, m2 = 0;
    double value = 1, m = 0, v = 0;
    for (int t = 1; t <= 3; t++) {                         /* algorithm 2 of AdamW */
        double g = gradients[t - 1];
        m = 0.9 * m + 0.1 * g;
        v = 0.99 * v + 0.01 * g * g;
        value -= 0.1 * (m / (1 - pow(0.9, t)) / (sqrt(v / (1 - pow(0.99, t))) + 1e-8)
                        + 0.01 * value);
        rg_optimizer_step(&how, t, 1, 1, &w, &(float){ (float)g }, &m1, &m2);
        CHECK_NEAR(w, value, 2e-6);
    }
}

/* Enough elements for several threads, whose shares must not show. */
static void large_arrays_step_like_small_ones(void)
{
    enum { COUNT = 100003 };
    static float w[COUNT], g[COUNT], m1[COUNT], m2[COUNT];
    double squares = 0;
    for (int i = 0; i < COUNT; i++) {
        g[i] = (float)(i % 7) - 3;
        squares += g[i] * g[i];
    }
    CHECK_NEAR(rg_optimizer_squares(COUNT, g), squares, 1e-6);
    for (int rule = RG_SGD; rule <= RG_ADAM; rule++) {
        rg_optimizer how = { .rule = (rg_rule)rule, .rate = 0.1f, .momentum = 0.9f,
                             .beta2 = 0.999f, .epsilon = 1e-8f };
        float one[7] = { 0 }, n1[7] = { 0 }, n2[7] = { 0 };
        memset(w, 0, sizeof w), memset(m1, 0, sizeof m1), memset(m2, 0, sizeof m2);
        rg_optimizer_step(&how, 1, 1, COUNT, w, g, m1, m2);
        rg_optimizer_step(&how, 1, 1, 7, one, g, n1, n2);
        for (int i = 0; i < COUNT; i++) CHECK(w[i] == one[i % 7] && m1[i] == n1[i % 7]);
    }
}

static void gradients_without_a_norm_are_refused(void)
{
    rg_optimizer how = { .rule = RG_SGD, .rate = 0.1f, .clip = 1 };
    float norm, scale;
    const float bad[2] = { 1, NAN };
    CHECK_FAILS(rg_optimizer_clip(&how, rg_optimizer_squares(2, bad), &norm, &scale),
                "norm of the gradients is nan");
    CHECK_FAILS(rg_optimizer_clip(&how, INFINITY, NULL, &scale),
                "lower the learning rate");
}

int main(void)
{
    CHECK_RUN(conv_sums_neighbours_and_zeros_beyond);
    CHECK_RUN(conv_is_not_mirrored);
    CHECK_RUN(conv_mixes_channels_of_each_image);
    CHECK_RUN(conv_strides);
    CHECK_RUN(batchnorm_of_two_images);
    CHECK_RUN(batchnorm_backward_knows_its_statistics);
    CHECK_RUN(upsample_crops_odd_sides);
    CHECK_RUN(concat_keeps_classes_apart);
    CHECK_RUN(maxpool_of_three_overlaps);
    CHECK_RUN(stpool_leaves_out_other_sizes);
    CHECK_RUN(conv_backward_of_one_corner);
    CHECK_RUN(conv_backward_adds_images_and_outputs);
    CHECK_RUN(relu_and_its_gate);
    CHECK_RUN(maxpool_drops_odd_rims);
    CHECK_RUN(stpool_samples_corners_and_centre);
    CHECK_RUN(stpool_is_equation_8);
    CHECK_RUN(stpool_samples_as_the_authors_did);
    CHECK_RUN(stpool_sees_the_rim_from_outside);
    CHECK_RUN(stpool_survives_any_number);
    CHECK_RUN(stpool_backward_on_a_slope);
    CHECK_RUN(stpool_backward_of_what_is_wanted);
    CHECK_RUN(fc_and_its_backward);
    CHECK_RUN(dropout_keeps_the_mean);
    CHECK_RUN(dropout_is_pinned);
    CHECK_RUN(softmax_of_logarithms);
    CHECK_RUN(softmax_pairs_channels_of_one_anchor);
    CHECK_RUN(softmax_loss_leaves_out);
    CHECK_RUN(softmax_loss_by_anchor);
    CHECK_RUN(smooth_l1_is_round_below_its_edge);
    CHECK_RUN(sgd_has_momentum_and_clips);
    CHECK_RUN(adam_follows_the_paper);
    CHECK_RUN(large_arrays_step_like_small_ones);
    CHECK_RUN(gradients_without_a_norm_are_refused);
    return CHECK_END();
}

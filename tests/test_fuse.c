/* SPDX-License-Identifier: MIT */
/* The network's images against their definitions, on a made sky: noise of known sigma
 * with two round sources, and an infrared image of stars on a background. */
#include <png.h>
#include <unistd.h>

#include "core/engine/random.h"
#include "core/image/contour.h"
#include "core/image/fuse.h"
#include "core/image/image.h"
#include "core/image/scale.h"
#include "regions/picture.h"
#include "tests/check.h"

enum { NX = 140, NY = 97, N = NX * NY };   /* a mix-up of the axes would show */

static float radio[N], infrared[N];
static uint8_t image[N][3], w[N][3], d1[N][3], d3[N][3];

static void add_blob(float *pixels, double x, double y, double width, double peak)
{
    for (int i = 0; i < N; i++)
        pixels[i] += (float)(peak * exp(-(pow(i % NX - x, 2) + pow(i / NX - y, 2))
                                        / (2 * width * width)));
}

static void noise(float *pixels, double mean, double half_width, uint64_t seed)
{
    for (int i = 0; i < N; i++)
        pixels[i] = (float)(mean + half_width * (2 * rg_random_uniform(&seed) - 1));
}

static void draw_w(void)
{
    double low, high;
    CHECK_OK(rg_scale_minmax(infrared, N, &low, &high));
    rg_scale_render(infrared, N, RG_SCALE_LOG, low, high, &rg_scale_w, *w);
}

static void make_sky(void)
{
    noise(radio, 0, 1, 1);
    add_blob(radio, 40, 45, 10, 100);   /* its levels lie some pixels apart */
    add_blob(radio, 100, 75, 4, 50);
    noise(infrared, 50, 1, 2);
    add_blob(infrared, 41, 46, 2, 400);
    add_blob(infrared, 110, 20, 2, 300);
    draw_w();
    CHECK_OK(rg_fuse(RG_METHOD_D1, radio, NULL, NX, NY, *d1));
    CHECK_OK(rg_fuse(RG_METHOD_D3, radio, infrared, NX, NY, *d3));
}

/* The level a pixel is above: 0 below the outermost. */
static int level_of(float value, double sigma)
{
    int k = 0;
    for (double at = RG_CONTOUR_BASE * sigma; k < RG_CONTOUR_LEVELS && value >= at; k++)
        at *= RG_CONTOUR_STEP;
    return k;
}

static void f_is_linear_zscale_cool(void)
{
    double low, high;
    make_sky();
    CHECK_OK(rg_fuse(RG_METHOD_F, radio, NULL, NX, NY, *image));
    CHECK_OK(rg_scale_zscale(radio, NX, NY, &low, &high));
    rg_scale_render(radio, N, RG_SCALE_LINEAR, low, high, &rg_scale_cool, *w);
    CHECK(memcmp(image, w, sizeof image) == 0);
    CHECK(memcmp(image, d1, sizeof image) != 0);
}

static void d1_is_log_minmax_cool(void)
{
    double low, high;
    make_sky();
    CHECK_OK(rg_scale_minmax(radio, N, &low, &high));
    rg_scale_render(radio, N, RG_SCALE_LOG, low, high, &rg_scale_cool, *image);
    CHECK(memcmp(image, d1, sizeof image) == 0);
}

static void d2_raises_the_red_of_d1_only(void)
{
    int raised = 0, full = 0;
    make_sky();
    CHECK_OK(rg_fuse(RG_METHOD_D2, radio, infrared, NX, NY, *image));
    for (int i = 0; i < N; i++) {
        int red = d1[i][0] + w[i][2];
        CHECK(image[i][0] == (red < 255 ? red : 255));
        CHECK(image[i][1] == d1[i][1] && image[i][2] == d1[i][2]);
        raised += image[i][0] > d1[i][0];
        full += red > 255;
    }
    CHECK(raised > 20 && raised < N / 10);   /* stars, not the sky between them */
    CHECK(full > 0);
}

/* Around a pixel whose neighbours are all between the same two levels no line passes;
 * of two neighbours with a level between them one at least is touched by it. */
static void d3_has_blue_lines_on_w(void)
{
    double median, sigma;
    int crossed = 0;
    make_sky();
    CHECK_OK(rg_image_noise(radio, N, &median, &sigma));
    for (int i = 0; i < N; i++) {
        int x = i % NX, y = i / NX, same = 1, k = level_of(radio[i], sigma);
        if (x == 0 || y == 0 || x == NX - 1 || y == NY - 1) continue;
        for (int n = 0; n < 9; n++)
            same &= level_of(radio[i + (n / 3 - 1) * NX + n % 3 - 1], sigma) == k;
        if (same) CHECK(memcmp(d3[i], w[i], 3) == 0);
        if (level_of(radio[i + 1], sigma) == k) continue;
        crossed++;
        CHECK(memcmp(d3[i], w[i], 6) != 0);
    }
    CHECK(crossed > 50);
}

static void d3_mixes_with_pure_blue(void)
{
    int touched = 0;
    make_sky();
    for (int i = 0; i < N; i++) {
        double share = 1 - d3[i][0] / (double)w[i][0];   /* W's red is 191 and more */
        CHECK(share >= 0 && share <= 1);
        CHECK_NEAR(d3[i][1], w[i][1] * (1 - share), 1.5);
        CHECK_NEAR(d3[i][2], w[i][2] * (1 - share) + 255 * share, 3);
        touched += share > 0.2;
    }
    CHECK(touched > 50);
}

static void d4_is_d3_within_the_hull(void)
{
    double median, sigma;
    const uint8_t outside[3] = { 213, 45, 14 };
    int low_x = NX, high_x = 0, low_y = NY, high_y = 0, kept = 0;
    make_sky();
    CHECK_OK(rg_fuse(RG_METHOD_D4, radio, infrared, NX, NY, *image));
    CHECK_OK(rg_image_noise(radio, N, &median, &sigma));
    for (int i = 0; i < N; i++) {
        int x = i % NX, y = i / NX;
        if (level_of(radio[i], sigma) == 0) continue;
        CHECK(memcmp(image[i], d3[i], 3) == 0);
        low_x = x < low_x ? x : low_x;
        high_x = x > high_x ? x : high_x;
        low_y = y < low_y ? y : low_y;
        high_y = y > high_y ? y : high_y;
    }
    for (int i = 0; i < N; i++) {
        int x = i % NX, y = i / NX, is_plain = memcmp(image[i], outside, 3) == 0;
        CHECK(is_plain || memcmp(image[i], d3[i], 3) == 0);
        kept += !is_plain;
        if (x < low_x || x > high_x || y < low_y || y > high_y) CHECK(is_plain);
    }
    CHECK(kept > 500 && kept < N / 2);
    CHECK(memcmp(image[60 * NX + 80], w[60 * NX + 80], 3) == 0);   /* between the two */
    CHECK(memcmp(image[low_y * NX + high_x], outside, 3) == 0);
}

static void no_contour_is_w_or_plain(void)
{
    const uint8_t outside[3] = { 213, 45, 14 };
    for (int constant = 0; constant < 2; constant++) {
        make_sky();
        noise(radio, 3, constant ? 0 : 1, 3);
        for (int i = 0; i < N && !constant; i++) radio[i] -= 3;
        CHECK_OK(rg_fuse(RG_METHOD_D3, radio, infrared, NX, NY, *image));
        CHECK(memcmp(image, w, sizeof image) == 0);
        CHECK_OK(rg_fuse(RG_METHOD_D4, radio, infrared, NX, NY, *image));
        for (int i = 0; i < N; i++) CHECK(memcmp(image[i], outside, 3) == 0);
    }
}

static void constant_images_are_drawn(void)
{
    noise(radio, 3, 0, 1);
    noise(infrared, 7, 0, 1);
    for (rg_method m = 0; m < RG_METHODS; m++)
        CHECK_OK(rg_fuse(m, radio, infrared, NX, NY, *image));
}

static void blank_images_are_refused(void)
{
    make_sky();
    for (int i = 0; i < N; i++) radio[i] = NAN;
    for (rg_method m = 0; m < RG_METHODS; m++)
        CHECK(rg_fuse(m, radio, infrared, NX, NY, *image) == -1
              && *rg_error_message());
    make_sky();
    for (int i = 0; i < N; i++) infrared[i] = NAN;
    for (rg_method m = RG_METHOD_D2; m < RG_METHODS; m++)
        CHECK(rg_fuse(m, radio, infrared, NX, NY, *image) == -1
              && *rg_error_message());
}

static void methods_know_what_they_need(void)
{
    rg_method method;
    make_sky();
    for (rg_method m = 0; m < RG_METHODS; m++) {
        CHECK_OK(rg_fuse_method(rg_fuse_name(m), &method));
        CHECK(method == m);
        CHECK(rg_fuse_wants_infrared(m) == (m >= RG_METHOD_D2));
        if (m < RG_METHOD_D2) CHECK_OK(rg_fuse(m, radio, NULL, NX, NY, *image));
        else CHECK_FAILS(rg_fuse(m, radio, NULL, NX, NY, *image), rg_fuse_name(m));
    }
    CHECK_OK(rg_fuse_method("d4", &method));
    CHECK(method == RG_METHOD_D4);
    CHECK_FAILS(rg_fuse_method("D5", &method), "D5 is not known; there are F, D1");
}

/* Three columns of panels, the first on top, their last rows up. */
static void sheet_shows_its_panels(void)
{
    enum { SIDE = 20, STEP = 3 * SIDE + 8 };
    static uint8_t rgb[RG_METHODS][SIDE][SIDE][3];
    rg_picture_panel panels[RG_METHODS];
    png_image png = { .version = PNG_IMAGE_VERSION };
    const char *path = "test_fuse.tmp.png";
    uint64_t state = 5;
    for (size_t i = 0; i < sizeof rgb; i++)
        ((uint8_t *)rgb)[i] = (uint8_t)(256 * rg_random_uniform(&state));
    for (rg_method m = 0; m < RG_METHODS; m++)
        panels[m] = (rg_picture_panel){ .label = rg_fuse_name(m), .rgb = **rgb[m] };
    CHECK_OK(rg_picture_write_sheet(panels, RG_METHODS, SIDE, path));
    CHECK(png_image_begin_read_from_file(&png, path));
    CHECK(png.width == 3 * STEP + 8);
    png.format = PNG_FORMAT_RGB;
    uint8_t *sheet = malloc(PNG_IMAGE_SIZE(png));
    CHECK(png_image_finish_read(&png, NULL, sheet, 0, NULL));
    const int step_y = ((int)png.height - 8) / 2, text = step_y - STEP;
    for (int p = 0; p < RG_METHODS; p++)
        for (int y = 0; y < 3 * SIDE; y++)
            for (int x = 0; x < 3 * SIDE; x++) {
                int at_x = 8 + p % 3 * STEP + x, at_y = 8 + p / 3 * step_y + text + y;
                CHECK(memcmp(sheet + 3 * (at_y * (int)png.width + at_x),
                             rgb[p][SIDE - 1 - y / 3][x / 3], 3) == 0);
            }
    free(sheet);
    unlink(path);
}

int main(void)
{
    CHECK_RUN(f_is_linear_zscale_cool);
    CHECK_RUN(d1_is_log_minmax_cool);
    CHECK_RUN(d2_raises_the_red_of_d1_only);
    CHECK_RUN(d3_has_blue_lines_on_w);
    CHECK_RUN(d3_mixes_with_pure_blue);
    CHECK_RUN(d4_is_d3_within_the_hull);
    CHECK_RUN(no_contour_is_w_or_plain);
    CHECK_RUN(constant_images_are_drawn);
    CHECK_RUN(blank_images_are_refused);
    CHECK_RUN(methods_know_what_they_need);
    CHECK_RUN(sheet_shows_its_panels);
    return CHECK_END();
}

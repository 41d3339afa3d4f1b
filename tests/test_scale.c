/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <png.h>

#include "core/image/fuse.h"
#include "core/image/image.h"
#include "core/image/scale.h"

static void minmax_leaves_out_what_is_not_finite(void)
{
    float v[] = { NAN, 3, -INFINITY, -2, INFINITY, 7 }, blank[] = { NAN, INFINITY };
    double low = 0, high = 0;
    CHECK_OK(rg_scale_minmax(v, 6, &low, &high));
    CHECK(low == -2 && high == 7);
    CHECK_FAILS(rg_scale_minmax(blank, 2, &low, &high), "blank");
}

/* The value of one pixel in one colour map. */
static void is_drawn(double value, rg_scale scale, const rg_colormap *map, int r, int g,
                     int b)
{
    uint8_t rgb[3] = { 1, 2, 3 };
    float pixel = (float)value;
    rg_scale_render(&pixel, 1, scale, 0, 1, map, rgb);
    CHECK(rgb[0] == r && rgb[1] == g && rgb[2] == b);
    if (rgb[0] != r || rgb[1] != g || rgb[2] != b)
        printf("  %g gave %d %d %d, wanted %d %d %d\n", value, rgb[0], rgb[1], rgb[2],
               r, g, b);
}

/* Values worked out by hand from ds9.md section 5. */
static void linear_is_as_ds9_draws_it(void)
{
    is_drawn(-1, RG_SCALE_LINEAR, &rg_scale_grey, 0, 0, 0);
    is_drawn(0.5, RG_SCALE_LINEAR, &rg_scale_grey, 127, 127, 127);
    is_drawn(1, RG_SCALE_LINEAR, &rg_scale_grey, 254, 254, 254);
    is_drawn(9, RG_SCALE_LINEAR, &rg_scale_grey, 254, 254, 254);
    is_drawn(NAN, RG_SCALE_LINEAR, &rg_scale_grey, 255, 255, 255);
    is_drawn(0.502491, RG_SCALE_LINEAR, &rg_scale_grey, 128, 128, 128);
    is_drawn(0.25, RG_SCALE_LINEAR, &rg_scale_cool, 0, 10, 120);
    is_drawn(0.5, RG_SCALE_LINEAR, &rg_scale_cool, 11, 96, 240);
    is_drawn(0.9, RG_SCALE_LINEAR, &rg_scale_cool, 158, 234, 255);
}

static void log_is_as_ds9_draws_it(void)
{
    is_drawn(0, RG_SCALE_LOG, &rg_scale_cool, 0, 0, 0);
    is_drawn(1, RG_SCALE_LOG, &rg_scale_cool, 254, 255, 255);
    is_drawn(0.00016, RG_SCALE_LOG, &rg_scale_grey, 6, 6, 6);   /* entry 3, cell 49 */
    /* log(1000 v + 1) / log(1000) = 1/2 at v = 0.03062: entry 502, cell 1024 or so */
    is_drawn(0.03062, RG_SCALE_LOG, &rg_scale_grey, 127, 127, 127);
}

static void constant_image_is_drawn(void)
{
    float v[4] = { 5, 5, 5, 5 };
    uint8_t rgb[12];
    double low, high;
    CHECK_OK(rg_scale_minmax(v, 4, &low, &high));
    rg_scale_render(v, 4, RG_SCALE_LOG, low, high, &rg_scale_cool, rgb);
    for (int i = 0; i < 12; i++) CHECK(rgb[i] == 0);
}

static void contrast_and_bias_move_the_cells(void)
{
    rg_colormap map = rg_scale_grey;
    map.contrast = 2;
    is_drawn(0.25, RG_SCALE_LINEAR, &map, 0, 0, 0);
    is_drawn(0.625, RG_SCALE_LINEAR, &map, 191, 191, 191);
    is_drawn(0.75, RG_SCALE_LINEAR, &map, 254, 254, 254);
}

static void methods_are_named(void)
{
    rg_method method = RG_METHODS;
    CHECK_OK(rg_fuse_method("d1", &method));
    CHECK(method == RG_METHOD_D1);
    CHECK(strcmp(rg_fuse_name(method), "D1") == 0);
    CHECK_FAILS(rg_fuse_method("D9", &method), "D1");
}

static void d1_is_log_minmax_cool(void)
{
    float v[] = { -1, 0, 4, NAN };
    uint8_t fused[12], drawn[12];
    CHECK_OK(rg_fuse(RG_METHOD_D1, v, 2, 2, fused));
    rg_scale_render(v, 4, RG_SCALE_LOG, -1, 4, &rg_scale_cool, drawn);
    CHECK(memcmp(fused, drawn, 12) == 0);
    v[0] = v[1] = v[2] = NAN;
    CHECK_FAILS(rg_fuse(RG_METHOD_D1, v, 2, 2, fused), "blank");
}

static void png_has_the_last_row_on_top(void)
{
    static const uint8_t rgb[2][3][3] = { { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } },
                                          { { 11 }, { 12 }, { 13 } } };
    const char *path = "test_scale.tmp.png";
    uint8_t back[2][3][3];
    png_image png = { .version = PNG_IMAGE_VERSION };
    CHECK_OK(rg_fuse_write_png(rgb[0][0], 3, 2, path));
    CHECK(png_image_begin_read_from_file(&png, path));
    CHECK(png.width == 3 && png.height == 2);
    png.format = PNG_FORMAT_RGB;
    CHECK(png_image_finish_read(&png, NULL, back, 0, NULL));
    CHECK(memcmp(back[0], rgb[1], 9) == 0 && memcmp(back[1], rgb[0], 9) == 0);
    remove(path);
    CHECK_FAILS(rg_fuse_write_png(rgb[0][0], 3, 2, "/no/such/x.png"), "/no/such");
}

/* What tests/test_ds9_scale.sh compares with DS9: FITS PNG linear|log grey|cool. */
static int draw(char **args)
{
    rg_image *image;
    double low, high;
    if (rg_image_read(&image, args[0]) != 0) return EXIT_FAILURE;
    size_t n = (size_t)image->nx * image->ny;
    uint8_t *rgb = malloc(3 * n);
    if (rgb == NULL) return EXIT_FAILURE;
    rg_scale scale = strcmp(args[2], "log") == 0 ? RG_SCALE_LOG : RG_SCALE_LINEAR;
    const rg_colormap *map =
        strcmp(args[3], "cool") == 0 ? &rg_scale_cool : &rg_scale_grey;
    if (rg_scale_minmax(image->pixels, n, &low, &high) != 0) low = high = NAN;
    rg_scale_render(image->pixels, n, scale, low, high, map, rgb);
    int status = rg_fuse_write_png(rgb, image->nx, image->ny, args[1]);
    free(rgb);
    rg_image_free(image);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 5) return draw(argv + 1);
    CHECK_RUN(minmax_leaves_out_what_is_not_finite);
    CHECK_RUN(linear_is_as_ds9_draws_it);
    CHECK_RUN(log_is_as_ds9_draws_it);
    CHECK_RUN(constant_image_is_drawn);
    CHECK_RUN(contrast_and_bias_move_the_cells);
    CHECK_RUN(methods_are_named);
    CHECK_RUN(d1_is_log_minmax_cool);
    CHECK_RUN(png_has_the_last_row_on_top);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <fitsio.h>
#include <png.h>

#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/image/fuse.h"
#include "core/image/image.h"
#include "core/image/scale.h"

/* ---- images ---- */

enum kind { SKY, RAMP, FLAT, HALF, BLANK, ENDLESS, WILD };

static double value_of(enum kind kind, int i, int n, uint64_t *state)
{
    double u = rg_random_uniform(state), z = rg_random_normal(state);
    switch (kind) {
    case RAMP: return (double)i / n;
    case FLAT: return 3.25;
    case HALF: return u < 0.5 ? NAN : z;
    case BLANK: return NAN;
    case ENDLESS: return u < 0.02 ? (i % 2 ? INFINITY : -INFINITY) : z;
    case WILD: return tan(3.14159 * (u - 0.5));
    default: return 1.5e-4 * z + (u < 0.01 ? 2 * u : 0);
    }
}

/* Pixels that suit a BITPIX, those of integers in raw units with a blank. */
static double *odd_pixels(int bitpix, int nx, int ny, enum kind kind, int blank)
{
    int n = nx * ny;
    uint64_t state = rg_random_mix((uint64_t)n, (uint64_t)kind);
    double *v = malloc((size_t)n * sizeof *v), most = bitpix == BYTE_IMG ? 254 : 32000;
    for (int i = 0; v && i < n; i++) {
        v[i] = value_of(kind, i, n, &state);
        if (bitpix > 0) v[i] = i % 17 == 0 ? blank : fmin(floor(fabs(20 * v[i])), most);
    }
    return v;
}

/* ---- tests ---- */

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

/* Worked out from DS9's gist_heat.sao and ds9.md section 5. */
static void gist_heat_is_as_ds9_draws_it(void)
{
    is_drawn(0, RG_SCALE_LINEAR, &rg_scale_gist_heat, 0, 0, 0);
    is_drawn(0.25, RG_SCALE_LINEAR, &rg_scale_gist_heat, 91, 0, 0);
    is_drawn(0.7, RG_SCALE_LINEAR, &rg_scale_gist_heat, 255, 107, 0);
    is_drawn(1, RG_SCALE_LINEAR, &rg_scale_gist_heat, 255, 252, 250);
    is_drawn(0, RG_SCALE_LINEAR, &rg_scale_w, 183, 13, 0);
    is_drawn(0.25, RG_SCALE_LINEAR, &rg_scale_w, 246, 94, 0);
    is_drawn(1, RG_SCALE_LINEAR, &rg_scale_w, 255, 252, 250);
}

/* Limits that DS9 8.4.1 answered for these pixels: "scale limits", six digits. */
static void zscale_is(int nx, int ny, enum kind kind, double least, double most)
{
    size_t n = (size_t)nx * ny;
    double *v = odd_pixels(FLOAT_IMG, nx, ny, kind, 0), low = 0, high = 0;
    float *pixels = malloc(n * sizeof *pixels);
    for (size_t i = 0; v && pixels && i < n; i++) pixels[i] = (float)v[i];
    CHECK_OK(rg_scale_zscale(pixels, nx, ny, &low, &high));
    CHECK_NEAR(low, least, 1e-5 * fabs(least));
    CHECK_NEAR(high, most, 1e-5 * fabs(most));
    free(pixels);
    free(v);
}

static void zscale_is_as_ds9_has_it(void)
{
    zscale_is(132, 132, SKY, -0.000511137, 0.000835377);
    zscale_is(801, 700, SKY, -0.000415636, 0.000936883);
    zscale_is(100, 90, HALF, -2.93565, 2.56979);
    zscale_is(99, 101, ENDLESS, -3.28075, 2.88549);
    zscale_is(5, 640, WILD, -11.8639, 11.935);
    zscale_is(60, 60, FLAT, 3.25, 3.25);
}

static void zscale_is_refused_where_undefined(void)
{
    float row[] = { 1, 2, 3, 4 }, blank[] = { NAN, NAN, INFINITY, NAN };
    double low, high;
    CHECK_FAILS(rg_scale_zscale(row, 4, 1, &low, &high), "not defined");
    CHECK_FAILS(rg_scale_zscale(blank, 2, 2, &low, &high), "not defined");
    CHECK_OK(rg_scale_zscale(row, 1, 4, &low, &high));
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
    CHECK_OK(rg_fuse(RG_METHOD_D1, v, NULL, 2, 2, fused));
    rg_scale_render(v, 4, RG_SCALE_LOG, -1, 4, &rg_scale_cool, drawn);
    CHECK(memcmp(fused, drawn, 9) == 0);
    CHECK(memcmp(fused + 9, drawn, 3) == 0);     /* a blank is as dark as the lowest */
    v[0] = v[1] = v[2] = NAN;
    CHECK_FAILS(rg_fuse(RG_METHOD_D1, v, NULL, 2, 2, fused), "blank");
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

/* ---- for tests/test_ds9_scale.sh ---- */

/* The authors' figures for w; others than the defaults for steep. */
static const rg_colormap *map_named(const char *name)
{
    static rg_colormap steep;
    const rg_colormap *maps[] = { &rg_scale_cool, &rg_scale_grey, &rg_scale_gist_heat };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (strcmp(maps[i]->name, name) == 0) return maps[i];
    if (strcmp(name, "w") == 0) return &rg_scale_w;
    steep = rg_scale_grey;
    steep.contrast = 2.3;
    steep.bias = 0.31;
    return &steep;
}

/* As DS9 has it, where the limits are undefined all is blank. */
static void render(const rg_image *image, char **how, uint8_t *rgb)
{
    size_t n = (size_t)image->nx * image->ny;
    double low, high;
    int status = strcmp(how[2], "zscale") == 0
                     ? rg_scale_zscale(image->pixels, image->nx, image->ny, &low, &high)
                     : rg_scale_minmax(image->pixels, n, &low, &high);
    if (status != 0) low = high = NAN;
    rg_scale_render(image->pixels, n,
                    strcmp(how[0], "log") == 0 ? RG_SCALE_LOG : RG_SCALE_LINEAR, low,
                    high, map_named(how[1]), rgb);
}

/* FITS PNG linear|log MAP minmax|zscale: prints how many pixels of DS9's PNG differ. */
static int compare(char **args)
{
    rg_image *image;
    png_image png = { .version = PNG_IMAGE_VERSION };
    if (rg_image_read(&image, args[0]) != 0) return printf("%s\n", rg_error_message());
    if (!png_image_begin_read_from_file(&png, args[1]))
        return printf("no %s\n", args[1]);
    png.format = PNG_FORMAT_RGB;
    if ((int)png.width != image->nx || (int)png.height != image->ny)
        return printf("%u x %u pixels\n", png.width, png.height);
    size_t n = (size_t)image->nx * image->ny;
    uint8_t *ours = malloc(3 * n), *theirs = malloc(3 * n);
    if (!ours || !theirs
        || !png_image_finish_read(&png, NULL, theirs, -3 * image->nx, NULL))
        return printf("cannot read %s\n", args[1]);
    render(image, args + 2, ours);
    int differ = 0;
    for (size_t i = 0; i < n; i++)
        differ += memcmp(ours + 3 * i, theirs + 3 * i, 3) != 0;
    printf("%d\n", differ);
    free(ours);
    free(theirs);
    rg_image_free(image);
    return differ != 0;
}

static int write_odd(const char *path, int bitpix, int compress, int nx, int ny,
                     enum kind kind, double scale)
{
    fitsfile *fits;
    int status = 0, blank = bitpix == BYTE_IMG ? 255 : -99;
    double *v = odd_pixels(bitpix, nx, ny, kind, blank), zero = 4;
    fits_create_diskfile(&fits, path, &status);
    if (compress) fits_set_compression_type(fits, RICE_1, &status);
    fits_create_img(fits, bitpix, 2, (long[]){ nx, ny }, &status);
    if (bitpix > 0) {
        fits_write_key(fits, TINT, "BLANK", &blank, NULL, &status);
        fits_write_key(fits, TDOUBLE, "BSCALE", &scale, NULL, &status);
        fits_write_key(fits, TDOUBLE, "BZERO", &zero, NULL, &status);
        fits_set_bscale(fits, 1, 0, &status);
    }
    fits_write_img(fits, TDOUBLE, 1, (LONGLONG)nx * ny, v, &status);
    fits_close_file(fits, &status);
    free(v);
    if (status != 0) printf("%s: CFITSIO %d\n", path, status);
    return status;
}

/* Images of odd sizes and contents, as FOLDER/NAME_NN.fits.  Name: odd; minmax where
 * DS9's zscale is undefined; wide where single precision, rg_image's, does not hold the
 * values, which DS9 keeps in double. */
static int make_odd(const char *folder)
{
    static const struct {
        const char *name;
        int bitpix, compress, nx, ny;
        enum kind kind;
        double scale;
    } odd[] = {
        { "odd", FLOAT_IMG, 0, 132, 132, SKY, 1 },
        { "odd", FLOAT_IMG, 0, 131, 77, SKY, 1 },
        { "odd", FLOAT_IMG, 0, 801, 700, SKY, 1 },
        { "odd", FLOAT_IMG, 0, 2, 2, RAMP, 1 },
        { "odd", FLOAT_IMG, 0, 3, 7, RAMP, 1 },
        { "odd", FLOAT_IMG, 0, 1, 131, SKY, 1 },
        { "minmax", FLOAT_IMG, 0, 1, 1, FLAT, 1 },
        { "minmax", FLOAT_IMG, 0, 131, 1, SKY, 1 },
        { "minmax", FLOAT_IMG, 0, 40, 30, BLANK, 1 },
        { "odd", FLOAT_IMG, 0, 640, 5, RAMP, 1 },
        { "odd", FLOAT_IMG, 0, 5, 640, WILD, 1 },
        { "odd", FLOAT_IMG, 0, 60, 60, FLAT, 1 },
        { "odd", FLOAT_IMG, 0, 100, 90, HALF, 1 },
        { "odd", FLOAT_IMG, 0, 99, 101, ENDLESS, 1 },
        { "odd", FLOAT_IMG, 1, 200, 150, SKY, 1 },
        { "odd", DOUBLE_IMG, 0, 64, 64, RAMP, 1 },
        { "odd", SHORT_IMG, 0, 120, 121, WILD, 0.5 },
        { "odd", LONG_IMG, 0, 77, 200, SKY, 0.5 },
        { "odd", BYTE_IMG, 0, 90, 33, ENDLESS, 0.5 },
        { "odd", LONG_IMG, 1, 128, 128, WILD, 0.5 },
        { "wide", DOUBLE_IMG, 0, 304, 200, SKY, 1 },
        { "wide", DOUBLE_IMG, 0, 64, 64, WILD, 1 },
        { "wide", SHORT_IMG, 0, 120, 121, WILD, 1.37e-5 },
    };
    int status = 0;
    for (size_t i = 0; i < sizeof odd / sizeof *odd && status == 0; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s_%02zu.fits", folder, odd[i].name, i);
        status = write_odd(path, odd[i].bitpix, odd[i].compress, odd[i].nx, odd[i].ny,
                           odd[i].kind, odd[i].scale);
    }
    return status != 0;
}

int main(int argc, char **argv)
{
    if (argc == 6) return compare(argv + 1);
    if (argc == 2) return make_odd(argv[1]);
    CHECK_RUN(minmax_leaves_out_what_is_not_finite);
    CHECK_RUN(linear_is_as_ds9_draws_it);
    CHECK_RUN(log_is_as_ds9_draws_it);
    CHECK_RUN(constant_image_is_drawn);
    CHECK_RUN(contrast_and_bias_move_the_cells);
    CHECK_RUN(gist_heat_is_as_ds9_draws_it);
    CHECK_RUN(zscale_is_as_ds9_has_it);
    CHECK_RUN(zscale_is_refused_where_undefined);
    CHECK_RUN(methods_are_named);
    CHECK_RUN(d1_is_log_minmax_cool);
    CHECK_RUN(png_has_the_last_row_on_top);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include "core/image/fuse.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/engine/error.h"
#include "core/engine/file.h"
#include "core/image/contour.h"
#include "core/image/image.h"
#include "core/image/scale.h"

#define LINE 0.5                  /* thickness: 0.25 pt at 150 dpi [pixels] */
static const uint8_t line_colour[3] = { 0, 0, 255 };
static const uint8_t outside_colour[3] = { 213, 45, 14 };  /* mean of the authors' W */

typedef struct planes {
    const float *radio, *infrared;    /* [ny][nx] */
    int nx, ny;
} planes;

/* DS9 draws NaN white, which would look like the brightest of sources; the subjects of
 * Radio Galaxy Zoo have NaN at their edges.  Here they are as the lowest. */
static void render(const float *pixels, size_t n, rg_scale scale, double low,
                   double high, const rg_colormap *map, uint8_t *rgb)
{
    uint8_t dark[3];
    rg_scale_render(&(float){ (float)low }, 1, scale, low, high, map, dark);
    rg_scale_render(pixels, n, scale, low, high, map, rgb);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(pixels[i])) memcpy(rgb + 3 * i, dark, 3);
}

static int log_minmax(const float *pixels, const planes *in, const rg_colormap *map,
                      uint8_t *rgb)
{
    const size_t n = (size_t)in->nx * in->ny;
    double low, high;
    RG_TRY(rg_scale_minmax(pixels, n, &low, &high));
    render(pixels, n, RG_SCALE_LOG, low, high, map, rgb);
    return 0;
}

static int fuse_f(const planes *in, uint8_t *rgb)
{
    double low, high;
    RG_TRY(rg_scale_zscale(in->radio, in->nx, in->ny, &low, &high));
    render(in->radio, (size_t)in->nx * in->ny, RG_SCALE_LINEAR, low, high,
           &rg_scale_cool, rgb);
    return 0;
}

static int fuse_d1(const planes *in, uint8_t *rgb)
{
    return log_minmax(in->radio, in, &rg_scale_cool, rgb);
}

static int fuse_d2(const planes *in, uint8_t *rgb)
{
    const size_t n = (size_t)in->nx * in->ny;
    uint8_t *w = rg_error_alloc(n, 3, "an infrared image");
    if (w == NULL) return -1;
    int status = fuse_d1(in, rgb);
    if (status == 0) status = log_minmax(in->infrared, in, &rg_scale_w, w);
    for (size_t i = 0; status == 0 && i < n; i++) {
        int red = rgb[3 * i] + w[3 * i + 2];
        rgb[3 * i] = (uint8_t)(red < 255 ? red : 255);
    }
    free(w);
    return status;
}

/* W with the contours on it, which are handed over to be cleared. */
static int draw_on_w(const planes *in, uint8_t *rgb, rg_contours *lines)
{
    double median, sigma;
    RG_TRY(log_minmax(in->infrared, in, &rg_scale_w, rgb));
    RG_TRY(rg_image_noise(in->radio, (size_t)in->nx * in->ny, &median, &sigma));
    *lines = (rg_contours){ .nlines = 0 };
    if (!(sigma > 0)) return 0;       /* a constant image has no contours */
    RG_TRY(rg_contour_trace(in->radio, in->nx, in->ny, RG_CONTOUR_BASE * sigma,
                            RG_CONTOUR_STEP, RG_CONTOUR_LEVELS, lines));
    if (rg_contour_draw(lines, LINE, line_colour, in->nx, in->ny, rgb) == 0) return 0;
    rg_contour_clear(lines);
    return -1;
}

static int fuse_d3(const planes *in, uint8_t *rgb)
{
    rg_contours lines;
    RG_TRY(draw_on_w(in, rgb, &lines));
    rg_contour_clear(&lines);
    return 0;
}

static int fuse_d4(const planes *in, uint8_t *rgb)
{
    const size_t n = (size_t)in->nx * in->ny;
    rg_contours lines;
    uint8_t *inside = rg_error_alloc(n, 1, "a hull");
    if (inside == NULL) return -1;
    int status = draw_on_w(in, rgb, &lines);
    if (status == 0) {
        status = rg_contour_hull(&lines, in->nx, in->ny, inside);
        for (size_t i = 0; status == 0 && i < n; i++)
            if (!inside[i]) memcpy(rgb + 3 * i, outside_colour, 3);
        rg_contour_clear(&lines);
    }
    free(inside);
    return status;
}

static const struct {
    const char *name;
    bool infrared;
    int (*fuse)(const planes *in, uint8_t *rgb);
} methods[RG_METHODS] = {
    [RG_METHOD_F] = { "F", false, fuse_f },
    [RG_METHOD_D1] = { "D1", false, fuse_d1 },
    [RG_METHOD_D2] = { "D2", true, fuse_d2 },
    [RG_METHOD_D3] = { "D3", true, fuse_d3 },
    [RG_METHOD_D4] = { "D4", true, fuse_d4 },
};

int rg_fuse_method(const char *name, rg_method *method)
{
    char known[64] = "";
    for (int m = 0; m < RG_METHODS; m++) {
        *method = (rg_method)m;
        if (strcasecmp(name, methods[m].name) == 0) return 0;
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", m ? ", " : "", methods[m].name);
    }
    return RG_FAIL("method %s is not known; there are %s", name, known);
}

const char *rg_fuse_name(rg_method method)
{
    return methods[method].name;
}

bool rg_fuse_wants_infrared(rg_method method)
{
    return methods[method].infrared;
}

int rg_fuse(rg_method method, const float *radio, const float *infrared, int nx, int ny,
            uint8_t *rgb)
{
    if (methods[method].infrared && infrared == NULL)
        return RG_FAIL("method %s needs an infrared image", methods[method].name);
    return methods[method].fuse(&(planes){ radio, infrared, nx, ny }, rgb);
}

int rg_fuse_write_png(const uint8_t *rgb, int nx, int ny, const char *path)
{
    char beside[RG_FILE_NAME];
    int status = 0;
    png_image png = { .version = PNG_IMAGE_VERSION, .width = (unsigned)nx,
                      .height = (unsigned)ny, .format = PNG_FORMAT_RGB };
    RG_TRY(rg_file_beside(path, beside));
    /* a negative stride: the last row of rgb is the top one */
    if (!png_image_write_to_file(&png, beside, 0, rgb, -3 * nx, NULL))
        status = RG_FAIL("%s cannot be written: %s", path, png.message);
    return rg_file_keep(status, beside, path);
}

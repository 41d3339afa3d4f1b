/* SPDX-License-Identifier: MIT */
#include "core/image/fuse.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/engine/error.h"
#include "core/image/scale.h"

static int fuse_d1(const float *radio, size_t n, uint8_t *rgb)
{
    double low, high;
    RG_TRY(rg_scale_minmax(radio, n, &low, &high));
    rg_scale_render(radio, n, RG_SCALE_LOG, low, high, &rg_scale_cool, rgb);
    return 0;
}

static const struct {
    const char *name;
    int (*fuse)(const float *radio, size_t n, uint8_t *rgb);
} methods[RG_METHODS] = {
    [RG_METHOD_D1] = { "D1", fuse_d1 },
};

int rg_fuse_method(const char *name, rg_method *method)
{
    char known[64] = "";
    for (int m = 0; m < RG_METHODS; m++) {
        *method = (rg_method)m;
        if (strcasecmp(name, methods[m].name) == 0) return 0;
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, " %s", methods[m].name);
    }
    return RG_FAIL("method %s is not known; there is:%s", name, known);
}

const char *rg_fuse_name(rg_method method)
{
    return methods[method].name;
}

int rg_fuse(rg_method method, const float *radio, int nx, int ny, uint8_t *rgb)
{
    return methods[method].fuse(radio, (size_t)nx * ny, rgb);
}

int rg_fuse_write_png(const uint8_t *rgb, int nx, int ny, const char *path)
{
    char beside[4096];
    png_image png = { .version = PNG_IMAGE_VERSION, .width = (unsigned)nx,
                      .height = (unsigned)ny, .format = PNG_FORMAT_RGB };
    int n = snprintf(beside, sizeof beside, "%s.%ld.part", path, (long)getpid());
    if (n >= (int)sizeof beside) return RG_FAIL("the name %s is too long", path);
    /* a negative stride: the last row of rgb is the top one */
    if (!png_image_write_to_file(&png, beside, 0, rgb, -3 * nx, NULL)) {
        unlink(beside);
        return RG_FAIL("%s cannot be written: %s", path, png.message);
    }
    if (rename(beside, path) == 0) return 0;
    RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    unlink(beside);
    return -1;
}

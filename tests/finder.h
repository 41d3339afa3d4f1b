/* SPDX-License-Identifier: MIT */
/* finder: a detector with a network made by hand instead of trained, and images to try
 * it on.  It passes the brightest red of each cell of 16 pixels up, proposes one anchor
 * round it, and calls it 2C_3P with 2C_2P as runner-up. */
#ifndef FINDER_H
#define FINDER_H

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "core/detector/detect.h"
#include "tests/check.h"

#define RA 187.5
#define DEC 12.3

static char path[64];

static const rg_claran model = {
    .input = 264, .width = 4, .fc = 8, .anchor = { 8, 16, 32, 64, 128, 256 },
    .method = RG_METHOD_D1, .mean = { 235, 128, 0 },
};

/* Element [out][in] (the middle of a kernel) of a row's weights. */
static void set(rg_weights *w, const char *name, int out, int in, float value)
{
    rg_weight *t = rg_weights_find(w, name);
    int k = t->shape.h * t->shape.w;
    t->data[((size_t)out * t->shape.c + in) * k + k / 2] = value;
}

static void fill(rg_weights *w)
{
    const char *pass[] = {
        "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv4_1",
        "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3", "rpn_conv/3x3", "fc7",
    };
    set(w, "conv1_1", 0, 2, 1 / 255.0f);
    for (unsigned i = 0; i < sizeof pass / sizeof *pass; i++) set(w, pass[i], 0, 0, 1);
    set(w, "rpn_cls_score", 6 + 3, 0, 20);
    for (int a = 0; a < 6; a++)
        rg_weights_find(w, "rpn_cls_score.bias")->data[6 + a] = a == 3 ? -10 : -20;
    set(w, "fc6", 0, 24, 1);   /* the middle of 7 x 7 samples of channel 0 */
    set(w, "cls_score", 5, 0, 40);
    set(w, "cls_score", 4, 0, 40);
    for (int c = 1; c < RG_CLASSES; c++)
        rg_weights_find(w, "cls_score.bias")->data[c] = c == 5 ? -4 : c == 4 ? -6 : -20;
}

static rg_weights *make_weights(void)
{
    rg_weights *w = NULL;
    rg_row rows[RG_CLARAN_ROWS];
    int n = rg_claran_rows(&model, &(rg_claran_run){ .batch = 1, .rois = 5 }, rows);
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_claran_describe(&model, w));
    for (int i = 0; i < n; i++) {
        char name[80];
        rg_shape weight, bias;
        rg_layer_weights(&rows[i], &weight, &bias);
        if (weight.n == 0) continue;
        snprintf(name, sizeof name, "%s.bias", rows[i].name);
        CHECK(rg_weights_add(w, rows[i].name, weight, NULL) != NULL);
        CHECK(rg_weights_add(w, name, bias, NULL) != NULL);
    }
    fill(w);
    return w;
}

/* Frees w. */
static rg_detector *open_weights(rg_weights *w, const rg_detect_options *options)
{
    rg_detector *d = NULL;
    CHECK_OK(rg_weights_write(w, path, false));
    CHECK_OK(rg_detect_open(&d, path, options));
    rg_weights_free(w);
    return d;
}

/* nx x ny pixels of `pixel` arcsec in a projection ("TAN"), turned by `angle` degrees,
 * about RA, dec; cylinders stand on the equator. */
static rg_image *blank_in(const char *projection, double dec, int nx, int ny,
                          double pixel, double angle)
{
    char cards[10 * 80 + 1], card[400];
    rg_sky *sky = NULL;
    rg_image *image = NULL;
    const bool cylinder = strcmp(projection, "CAR") == 0;
    double c = cos(angle * M_PI / 180) * pixel / 3600;
    double s = sin(angle * M_PI / 180) * pixel / 3600;
    const struct { const char *key; double value; } number[] = {
        { "CRPIX1", (nx + 1) / 2.0 },
        { "CRPIX2", (ny + 1) / 2.0 - (cylinder ? dec * 3600 / pixel : 0) },
        { "CRVAL1", RA }, { "CRVAL2", cylinder ? 0 : dec },
        { "CD1_1", -c }, { "CD1_2", s }, { "CD2_1", s }, { "CD2_2", c },
    };
    snprintf(card, sizeof card, "CTYPE1  = 'RA---%s'%60s", projection, "");
    memcpy(cards, card, 80);
    snprintf(card, sizeof card, "CTYPE2  = 'DEC--%s'%60s", projection, "");
    memcpy(cards + 80, card, 80);
    for (int i = 0; i < 8; i++) {
        snprintf(card, sizeof card, "%-8s= %20.12E%50s", number[i].key,
                 number[i].value, "");
        memcpy(cards + 80 * (i + 2), card, 80);
    }
    cards[10 * 80] = '\0';
    CHECK_OK(rg_sky_new(&sky, cards, 10, nx, ny));
    CHECK_OK(rg_image_new(&image, nx, ny, sky));
    for (long i = 0; i < (long)nx * ny; i++) image->pixels[i] = 0;
    snprintf(image->name, sizeof image->name, "test.fits");
    return image;
}

static rg_image *blank(int nx, int ny, double pixel, double angle)
{
    return blank_in("TAN", DEC, nx, ny, pixel, angle);
}

/* A source of 5.4" at x, y [arcsec along the image's axes from its middle]. */
static void put_source(rg_image *image, double x, double y, float peak)
{
    double pixel = rg_sky_pixel_arcsec(image->sky);
    double cx = (image->nx + 1) / 2.0 + x / pixel;
    double cy = (image->ny + 1) / 2.0 + y / pixel;
    for (int j = 1; j <= image->ny; j++)
        for (int i = 1; i <= image->nx; i++) {
            double r = hypot(i - cx, j - cy) * pixel / 2.3;
            if (r < 3.5)
                image->pixels[(size_t)(j - 1) * image->nx + i - 1] +=
                    peak * (float)exp(-r * r / 2);
        }
}

#endif

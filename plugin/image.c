/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/detector/detect.h"
#include "core/engine/error.h"
#include "plugin/commands.h"
#include "plugin/options.h"
#include "plugin/output.h"
#include "regions/picture.h"

enum { SIDE = RG_CLARAN_SUBJECT };

typedef struct task {
    const char *radio_path, *infrared_path;
    const char *method;       /* NULL: auto */
    const char *at, *output;
    bool all;
    double ra, dec;           /* of --at [deg] */
    rg_image *radio, *infrared;   /* owned, as is the window */
    rg_sky *window;
} task;

static int read_images(task *t)
{
    RG_TRY(rg_image_read(&t->radio, t->radio_path));
    return t->infrared_path ? rg_image_read(&t->infrared, t->infrared_path) : 0;
}

/* 3' about the middle of the radio image, or what --at says. */
static int place_window(task *t)
{
    const rg_image *radio = t->radio;
    double x = (radio->nx + 1) / 2.0, y = (radio->ny + 1) / 2.0;
    if (radio->sky == NULL)
        return RG_FAIL("%s has no window of 3': %s", radio->name, radio->sky_problem[0]
                       ? radio->sky_problem : "it has no celestial WCS");
    if ((t->at && rg_sky_to_pixel(radio->sky, t->ra, t->dec, &x, &y) != 0)
        || rg_sky_new_window(&t->window, radio->sky, x, y, SIDE, RG_CLARAN_PIXEL) != 0)
        return rg_error_prefix("%s: ", radio->name);
    return 0;
}

static int make(const task *t, rg_method method, uint8_t *rgb)
{
    int status = rg_detect_window(method, t->radio, t->infrared, t->window, rgb);
    if (status == RG_DETECT_BLANK)
        return RG_FAIL("%s is blank: no pixel in the window of 3' has a value",
                       t->radio->name);
    if (status == RG_DETECT_UNCOVERED)
        return RG_FAIL("%s does not cover %s: fewer than half of the pixels in the "
                       "window of 3' have a value", t->infrared->name, t->radio->name);
    return status;
}

static int write_one(const task *t)
{
    rg_method method = t->infrared ? RG_METHOD_D4 : RG_METHOD_D1;
    bool open = t->method == NULL || strcasecmp(t->method, "auto") == 0;
    if (!open) RG_TRY(rg_fuse_method(t->method, &method));
    uint8_t *rgb = rg_error_alloc(3 * SIDE, SIDE, "an image");
    if (rgb == NULL) return -1;
    int status = make(t, method, rgb);
    if (status == 0) status = rg_fuse_write_png(rgb, SIDE, SIDE, t->output);
    free(rgb);
    if (status == 0)
        printf("%s: method %s (%s)\n", t->output, rg_fuse_name(method), !open
               ? "asked for" : t->infrared ? "there is an infrared image"
               : "there is no infrared image");
    return status;
}

/* As the paper's Figure 4. */
static int write_all(const task *t)
{
    rg_picture_panel panels[RG_METHODS];
    int n = 0, status = 0;
    uint8_t *rgb = rg_error_alloc(RG_METHODS, 3 * SIDE * SIDE, "images");
    if (rgb == NULL) return -1;
    for (rg_method m = 0; status == 0 && m < RG_METHODS; m++) {
        if (rg_fuse_wants_infrared(m) && t->infrared == NULL) continue;
        panels[n] = (rg_picture_panel){ .label = rg_fuse_name(m),
                                          .rgb = rgb + 3 * SIDE * SIDE * n };
        status = make(t, m, rgb + 3 * SIDE * SIDE * n++);
    }
    if (status == 0) status = rg_picture_write_sheet(panels, n, SIDE, t->output);
    free(rgb);
    return status;
}

static int write_images(task *t)
{
    RG_TRY(rg_output_check(t->output));
    RG_TRY(read_images(t));
    RG_TRY(place_window(t));
    return t->all ? write_all(t) : write_one(t);
}

/* RG_GO_ON where the options make sense together. */
static int check_options(task *t)
{
    char rest;
    if (t->output == NULL) return rg_options_misuse("say -o FILE.png");
    if (t->all && t->method != NULL)
        return rg_options_misuse("--all-methods takes no --method");
    if (t->at == NULL) return RG_GO_ON;
    if (sscanf(t->at, "%lf,%lf%c", &t->ra, &t->dec, &rest) == 2
        && t->ra >= 0 && t->ra <= 360 && fabs(t->dec) <= 90) return RG_GO_ON;
    return rg_options_misuse("--at wants RA,DEC in degrees, not \"%s\"", t->at);
}

int rg_image_main(int argc, char **argv)
{
    task t = { .method = NULL };
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &t.output, 0, 0, "FILE",
          "the PNG to write" },
        { "ir", 0, RG_OPTION_TEXT, &t.infrared_path, 0, 0, "FILE",
          "infrared image (WISE W1) of the same sky" },
        { "method", 'm', RG_OPTION_TEXT, &t.method, 0, 0, "NAME",
          "F, D1, D2, D3, D4, or auto: with infrared D4, else D1" },
        { "at", 0, RG_OPTION_TEXT, &t.at, 0, 0, "RA,DEC",
          "middle of the window [deg]; else the image's own" },
        { "all-methods", 0, RG_OPTION_FLAG, &t.all, 0, 0, NULL,
          "a sheet of all of them, three times as large, with labels" },
        { .name = NULL }
    };
    const rg_usage usage = { "image", "RADIO.fits",
        "Write what the network is shown of a window of 3': 132 x 132 pixels, RGB.",
        options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 1) return rg_options_misuse("name one FITS image; try claran image -h");
    t.radio_path = argv[0];
    status = check_options(&t);
    if (status != RG_GO_ON) return status;
    status = write_images(&t) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_sky_free(t.window);
    rg_image_free(t.radio);
    rg_image_free(t.infrared);
    return status;
}

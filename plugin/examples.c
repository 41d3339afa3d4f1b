/* SPDX-License-Identifier: MIT */
#include "plugin/examples.h"

#include <stddef.h>
#include <string.h>

static const struct { const char *command, *example; } examples[] = {
    { "average", "average a.fits b.fits c.fits -o mean.fits" },
    { "calibrate", "calibrate held-out.csv --model new.fits -o calibrated.fits" },
    { "catalogue", "catalogue image.fits edited.reg --ir w1.fits -o edited.vot" },
    { "crossmatch", "crossmatch sources.fits first.vot --radius 5 -o matched.fits" },
    { "detect", "detect field*.fits --threshold 0.6 -o sources.fits" },
    { "devices", "devices" },
    { "ds9", "ds9 detect ds9 --threshold 0.6" },
    { "ds9 check", "ds9 check" },
    { "ds9 fetch", "ds9 fetch ds9 --where \"3C 219\" --size 5" },
    { "ds9 install", "ds9 install" },
    { "evaluate", "evaluate held-out.csv --model new.fits --html report.html" },
    { "image", "image image.fits --ir w1.fits --all-methods -o sheet.png" },
    { "import", "import vgg16.safetensors -o backbone.fits" },
    { "label", "label fields.csv -o labelled.csv" },
    { "model", "model claran-d1.fits" },
    { "plot", "plot model.fits.losses.csv -o losses.svg" },
    { "pretrain", "pretrain fields.csv -o backbone.fits" },
    { "serve", "serve --idle 3600" },
    { "simulate", "simulate sky --count 1000 --seed 1" },
    { "train", "train sky.csv mine.csv -o model.fits --start claran-d1.fits" },
};

const char *rg_examples_of(const char *command)
{
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (strcmp(examples[i].command, command) == 0) return examples[i].example;
    return "";
}

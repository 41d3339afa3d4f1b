/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "plugin/commands.h"
#include "plugin/delivery.h"
#include "plugin/measured.h"

typedef struct task {
    rg_measured how;
    rg_delivery delivery;         /* -o */
    const char *infrared;         /* --ir */
    rg_image *images[2];          /* radio, infrared; owned */
    rg_source *sources;           /* owned */
    int n;
    rg_provenance from;
} task;

/* Whether a text without a source of ours is a region file at all. */
static bool has_regions(const char *text)
{
    static const char *const marks[] = {
        "Region file format: DS9", "circle(", "ellipse(", "box(", "polygon(", "point(",
        "line(", "vector(", "text(", "ruler(", "annulus(", "panda(", "compass(",
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strstr(text, marks[i]) != NULL) return true;
    return false;
}

static int read_regions(task *t, const char *path)
{
    char *text = NULL;
    size_t room = 0;
    errno = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL || (getdelim(&text, &room, '\0', file) < 0 && errno != 0)) {
        RG_FAIL("%s cannot be read: %s", path, strerror(errno));
        if (file != NULL) fclose(file);
        free(text);
        return -1;
    }
    fclose(file);
    int status = rg_region_parse(text ? text : "", &t->sources, &t->n, &t->from);
    if (status == 0 && t->n == 0 && !has_regions(text ? text : ""))
        status = RG_FAIL("this is no region file: no region is in it");
    free(text);
    return status == 0 ? 0 : rg_error_prefix("%s: ", path);
}

static int catalogue(task *t, const char *image, const char *regions)
{
    RG_TRY(rg_delivery_open(&t->delivery));
    RG_TRY(rg_image_read(&t->images[0], image));
    if (t->images[0]->sky == NULL)
        return RG_FAIL("%s: %s", image, t->images[0]->sky_problem);
    if (t->infrared != NULL) RG_TRY(rg_image_read(&t->images[1], t->infrared));
    RG_TRY(read_regions(t, regions));
    rg_measured_from(t->images[0], &t->from);
    RG_TRY(rg_measured_boxes(&t->how, t->images[0], t->images[1], t->sources, t->n));
    RG_TRY(rg_measured_add(t->delivery.catalogue, t->sources, t->n, &t->from,
                           t->images[0], rg_measured_shown(&t->from, t->images[1])));
    RG_TRY(rg_delivery_keep(&t->delivery));
    fprintf(stderr, "%d source%s measured\n", t->n, t->n == 1 ? "" : "s");
    return 0;
}

int rg_catalogue_main(int argc, char **argv)
{
    task t = { .how = RG_MEASURED_DEFAULTS };
    const rg_option options[] = {
        RG_DELIVERY_OPTIONS(t.delivery),
        { "ir", 0, RG_OPTION_TEXT, &t.infrared, 0, 0, "FILE",
          "infrared image (WISE W1) of the same sky" },
        RG_MEASURED_OPTIONS(t.how),
        { .name = NULL }
    };
    const rg_usage usage = { "catalogue", "RADIO.fits REGIONS.reg -o FILE",
        "Measures the boxes of a region file (ds9's format, icrs or fk5, degrees) in\n"
        "an image: those that claran detect wrote, edited in DS9 or not, and those\n"
        "labelled with a class by hand.  As Save catalogue... does in DS9.\n\n"
        "  claran catalogue image.fits edited.reg -o edited.fits", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 2)
        return rg_options_misuse("catalogue wants an image and a region file; see "
                                 "claran catalogue --help");
    if (t.delivery.paths.n == 0)
        return rg_options_misuse("catalogue wants to know where to write: -o FILE");
    rg_options_record(options + RG_DELIVERY_COUNT, t.delivery.options,
                      sizeof t.delivery.options);
    status = catalogue(&t, argv[0], argv[1]) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_delivery_drop(&t.delivery);
    rg_image_free(t.images[0]);
    rg_image_free(t.images[1]);
    free(t.sources);
    return status;
}

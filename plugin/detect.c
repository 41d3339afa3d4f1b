/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "plugin/commands.h"
#include "plugin/delivery.h"
#include "plugin/finder.h"
#include "plugin/measured.h"
#include "plugin/options.h"
#include "regions/picture.h"

enum { NOT_OF_THE_RESULT = 3 };   /* options behind those of delivery: png ... */

typedef struct task {
    rg_finder finder;
    rg_measured how;
    rg_delivery delivery;     /* -o */
    rg_texts infrared;        /* --ir */
    const char *png;
    const char *results;      /* a folder; NULL: none */
    const rg_option *recorded;    /* those of the result */
    bool all;                 /* --all */
    bool keep_going;
    int bad;                  /* images that could not be searched */
} task;

/* The picture is the last that may fail. */
static int draw(task *t, const rg_image *image, const rg_detection *found, int n)
{
    RG_TRY(rg_delivery_stage(&t->delivery));
    return rg_picture_write(image, found, n, t->png);
}

/* All that the network makes of the image, from the folder of results if it is there,
 * else into it. */
static int find_all(task *t, const rg_image *image, const rg_image *shown, rg_kept *all)
{
    char key[RG_KEPT_KEY];
    rg_provenance from;
    rg_finder_provenance(&t->finder, image, &from);
    rg_finder_key(&t->finder, shown, "", key);
    if (rg_kept_find(all, image, from.model, key, t->results) == 0) return 0;
    *all = (rg_kept){ .from = from };
    memcpy(all->key, key, sizeof key);
    RG_TRY(rg_detect(t->finder.detector, image, shown, &all->all, &all->n));
    all->uncovered = rg_detect_uncovered(t->finder.detector);
    return rg_kept_write(all, image, t->results);
}

static int find(task *t, const rg_image *image, const rg_image *shown,
                rg_detection **found, int *n)
{
    const rg_detect_options *how = &t->finder.how;
    rg_kept all = { .n = 0 };
    if (t->results == NULL)
        return rg_detect(t->finder.detector, image, shown, found, n);
    int status = find_all(t, image, shown, &all);
    if (status == 0 && t->all) {
        *found = all.all;
        *n = all.n;
        return 0;
    }
    if (status == 0)
        status = rg_detect_choose(how, image, how->threshold, all.all, all.n, found, n);
    rg_kept_clear(&all);
    return status;
}

/* The infrared image, if there is one, may have hosts, whether the network looks at it
 * or not. */
static int detect_in(task *t, const rg_image *image, const rg_image *infrared)
{
    rg_detection *found = NULL;
    rg_source *sources = NULL;
    rg_provenance from;
    const rg_image *shown = rg_finder_wants_infrared(&t->finder) ? infrared : NULL;
    int n = 0;
    RG_TRY(find(t, image, shown, &found, &n));
    rg_finder_provenance(&t->finder, image, &from);
    int status = rg_measured_found(&t->how, image, infrared, found, n,
                                   rg_delivery_measures(&t->delivery), &sources);
    if (status == 0)
        status = rg_catalogue_add(t->delivery.catalogue, sources, n, &from, image,
                                  shown);
    if (status == 0 && t->delivery.paths.n == 0) {
        printf("%s: %d source%s\n", image->name, n, n == 1 ? "" : "s");
        rg_finder_report(&t->finder);
        rg_finder_table(sources, n);
    }
    if (status == 0 && t->png != NULL) status = draw(t, image, found, n);
    free(sources);
    free(found);
    return status;
}

/* `infrared` is NULL where there is none. */
static int detect_in_file(task *t, const char *path, const char *infrared)
{
    rg_image *image = NULL, *beside = NULL;
    int status = rg_image_read(&image, path);
    if (status == 0 && infrared) status = rg_image_read(&beside, infrared);
    if (status == 0 && rg_delivery_measures(&t->delivery))
        status = rg_measured_check(&t->how, image);
    if (status == 0) status = detect_in(t, image, beside);
    rg_image_free(image);
    rg_image_free(beside);
    return status;
}

static int detect(task *t, int n, char **paths)
{
    if (t->png != NULL) RG_TRY(rg_output_check(t->png));
    const rg_texts *ir = &t->infrared;
    RG_TRY(rg_finder_open(&t->finder, ir->n > 0));
    t->finder.how.all = t->all;        /* as was asked */
    rg_options_record(t->recorded, t->delivery.options, sizeof t->delivery.options);
    RG_TRY(rg_delivery_open(&t->delivery));
    for (int i = 0; i < n; i++) {
        int status = detect_in_file(t, paths[i],
                                    ir->n ? ir->text[ir->n > 1 ? i : 0] : NULL);
        if (status != 0 && !t->keep_going) return -1;
        if (status != 0) {
            fprintf(stderr, "claran: %s\n", rg_error_message());
            t->bad++;
        }
        if (n > 1) rg_options_progress("images", i + 1, n);
    }
    if (t->delivery.paths.n > 0 && rg_detect_note(t->finder.detector)[0] != '\0')
        fprintf(stderr, "claran: %s\n", rg_detect_note(t->finder.detector));
    if (t->bad == n) return RG_FAIL("none of the %d images could be searched", n);
    RG_TRY(rg_delivery_keep(&t->delivery));
    if (t->bad == 0) return 0;
    return RG_FAIL("%d of %d images could not be searched and were left out", t->bad,
                   n);
}

int rg_detect_main(int argc, char **argv)
{
    task t = { .finder.how = rg_detect_defaults, .how = RG_MEASURED_DEFAULTS };
    const rg_option options[] = {
        RG_DELIVERY_OPTIONS(t.delivery),
        { "png", 0, RG_OPTION_OUTPUT, &t.png, 0, 0, "FILE",
          "draw the boxes on a picture of the (one) image" },
        { "keep-going", 'k', RG_OPTION_FLAG, &t.keep_going, 0, 0, NULL,
          "leave out images that cannot be searched; said at the end" },
        { "results", 0, RG_OPTION_OUTPUT, &t.results, 0, 0, "FOLDER",
          "keep what the network finds there; it sees no image twice" },
        { "ir", 0, RG_OPTION_TEXTS, &t.infrared, 0, 0, "FILE",
          "infrared image (WISE W1): one for all, or one for each in turn" },
        RG_FINDER_CHOICE(t.finder), RG_FINDER_OPTIONS(t.finder),
        RG_MEASURED_OPTIONS(t.how), { .name = NULL }
    };
    const rg_usage usage = { "detect", "RADIO.fits...",
        "Find and classify the radio galaxies of FITS images with a celestial WCS.\n"
        "All images go into one output, which is written only when all went well, or\n"
        "with --keep-going; without -o a table is printed.", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc == 0) return rg_options_misuse("name a FITS image; try claran detect -h");
    if (t.infrared.n > 1 && t.infrared.n != argc)
        return rg_options_misuse("%d --ir for %d images: give one for all, or one for "
                                 "each", t.infrared.n, argc);
    if (t.png != NULL && argc > 1) return rg_options_misuse("--png is for one image");
    t.recorded = options + RG_DELIVERY_COUNT + NOT_OF_THE_RESULT;
    t.all = t.finder.how.all;
    t.finder.how.all = t.all || t.results != NULL;
    if (argc == 1) {
        t.finder.how.progress = rg_options_progress;
        t.finder.how.user = "windows";
    }
    status = detect(&t, argc, argv) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_delivery_drop(&t.delivery);
    rg_finder_close(&t.finder);
    return status;
}

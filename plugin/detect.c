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

/* An image of the list, on its way; all but one is owned. */
typedef struct one {
    rg_image *radio, *beside;
    const rg_image *infrared; /* borrowed: beside, or that of all */
    rg_kept kept;             /* all that the network makes of it, with --results */
    rg_detection *found;      /* [n]: what is reported */
    int n;
    rg_source *sources;       /* [n] */
    rg_moc *area;
} one;

typedef struct task {
    rg_finder finder;
    rg_measured how;
    rg_delivery delivery;     /* -o */
    rg_texts infrared;        /* --ir: */
    rg_image *for_all;        /* if there is one; owned */
    const char *png;
    const char *results;      /* a folder; NULL: none */
    const rg_option *recorded;    /* those of the result */
    bool all;                 /* --all */
    bool keep_going;
    int images, done, bad;    /* of the list; of them could not be searched */
    int together;             /* at present */
    one one[RG_DETECT_TOGETHER];
    rg_detect_task look[RG_DETECT_TOGETHER];
} task;

enum { KEPT = 1 };            /* status of an image that need not be looked at */

/* ---- before the network ---- */

/* The infrared image, if there is one, may have hosts, whether the network looks at it
 * or not. */
static int read(task *t, one *o, rg_detect_task *look, const char *path,
                const char *infrared)
{
    RG_TRY(rg_image_read(&o->radio, path));
    if (infrared) RG_TRY(rg_image_read(&o->beside, infrared));
    o->infrared = infrared ? o->beside : t->for_all;
    if (rg_delivery_measures(&t->delivery))
        RG_TRY(rg_measured_check(&t->how, o->radio));
    look->radio = o->radio;
    if (rg_finder_wants_infrared(&t->finder)) look->infrared = o->infrared;
    return 0;
}

/* Whether it was looked at before. */
static void look_up(const task *t, one *o, rg_detect_task *look)
{
    rg_provenance from;
    char key[RG_KEPT_KEY];
    rg_finder_provenance(&t->finder, o->radio, &from);
    rg_finder_key(&t->finder, look->infrared, "", key);
    if (rg_kept_find(&o->kept, o->radio, from.model, key, t->results) == 0) {
        look->status = KEPT;
        look->uncovered = o->kept.uncovered;
        return;
    }
    o->kept = (rg_kept){ .from = from };
    memcpy(o->kept.key, key, sizeof key);
}

/* As many of n images as go together; how many, -1 where one ends it all. */
static int gather(task *t, char **paths, int first, int n)
{
    const rg_texts *ir = &t->infrared;
    int k = 0;
    memset(t->look, 0, sizeof t->look);
    while (k < n && !rg_detect_enough(t->look, k)) {
        const int i = first + k;
        one *o = &t->one[k];
        rg_detect_task *look = &t->look[k++];
        if (read(t, o, look, paths[i], ir->n > 1 ? ir->text[i] : NULL) != 0) {
            if (!t->keep_going) return -1;
            rg_detect_fail(look);
        } else if (t->results != NULL) {
            look_up(t, o, look);
        }
    }
    return k;
}

/* ---- behind it ---- */

static int keep(const task *t, one *o, rg_detect_task *look)
{
    o->kept.all = look->found;
    o->kept.n = look->n;
    o->kept.uncovered = look->uncovered;
    look->found = NULL;
    return rg_kept_write(&o->kept, o->radio, t->results);
}

/* What of it is reported. */
static int choose(const task *t, one *o, rg_detect_task *look)
{
    const rg_detect_options *how = &t->finder.how;
    rg_detection **from = t->results ? &o->kept.all : &look->found;
    const int n = t->results ? o->kept.n : look->n;
    if (t->results != NULL && !t->all)
        return rg_detect_choose(how, o->radio, how->threshold, *from, n, &o->found,
                                &o->n);
    o->found = *from;
    o->n = n;
    *from = NULL;
    return 0;
}

static int measure(const task *t, one *o, rg_detect_task *look)
{
    RG_TRY(choose(t, o, look));
    RG_TRY(rg_measured_found(&t->how, o->radio, o->infrared, o->found, o->n,
                             rg_delivery_measures(&t->delivery), &o->sources));
    return rg_moc_new(&o->area, o->radio, look->infrared);
}

/* The picture is the last that may fail. */
static int draw(task *t, const one *o)
{
    RG_TRY(rg_delivery_stage(&t->delivery));
    return rg_picture_write(o->radio, o->found, o->n, t->png);
}

static int report(task *t, const one *o, const rg_detect_task *look)
{
    rg_provenance from;
    rg_finder_provenance(&t->finder, o->radio, &from);
    RG_TRY(rg_catalogue_add(t->delivery.catalogue, o->sources, o->n, &from, o->area));
    if (t->delivery.paths.n == 0) {
        printf("%s: %d source%s\n", o->radio->name, o->n, o->n == 1 ? "" : "s");
        rg_finder_report(&t->finder, look->uncovered);
        rg_finder_table(o->sources, o->n);
    }
    return t->png != NULL ? draw(t, o) : 0;
}

static void clear(one *o, rg_detect_task *look)
{
    rg_image_free(o->radio);
    rg_image_free(o->beside);
    rg_kept_clear(&o->kept);
    rg_moc_free(o->area);
    free(o->sources);
    free(o->found);
    free(look->found);
    *o = (one){ .n = 0 };
    look->found = NULL;
}

/* ---- the list ---- */

/* Those k together: the results of each are kept before anything is made of them. */
static void search(task *t, int k)
{
    const bool needed = rg_delivery_measures(&t->delivery);    /* else it remarks */
    rg_detect_list(t->finder.detector, t->look, k);
    for (int i = 0; i < k && t->results != NULL; i++)
        if (t->look[i].status == 0 && keep(t, &t->one[i], &t->look[i]) != 0)
            rg_detect_fail(&t->look[i]);
#pragma omp parallel for schedule(dynamic) if (k > 1 && needed)
    for (int i = 0; i < k; i++)
        if (t->look[i].status >= 0 && measure(t, &t->one[i], &t->look[i]) != 0)
            rg_detect_fail(&t->look[i]);
}

static int deliver(task *t, const one *o, rg_detect_task *look)
{
    if (look->status >= 0 && report(t, o, look) != 0) rg_detect_fail(look);
    if (look->status >= 0) return 0;
    if (!t->keep_going) return RG_FAIL("%s", look->sentence);
    fprintf(stderr, "claran: %s\n", look->sentence);
    t->bad++;
    return 0;
}

/* Windows of those that are looked at. */
static void say(void *user, int done, int total)
{
    const task *t = user;
    const int images = t->done + (int)((double)done / total * t->together);
    if (images < t->images) rg_options_progress("images", images, t->images);
}

static int detect_all(task *t, char **paths)
{
    while (t->done < t->images) {
        const int k = gather(t, paths, t->done, t->images - t->done);
        if (k < 0) return -1;
        t->together = k;
        search(t, k);
        for (int i = 0; i < k; i++) {
            RG_TRY(deliver(t, &t->one[i], &t->look[i]));
            clear(&t->one[i], &t->look[i]);
        }
        t->done += k;
        if (t->images > 1) rg_options_progress("images", t->done, t->images);
    }
    return 0;
}

/* What the network really ran on. */
static int record_backends(task *t)
{
    const rg_detector *detector = t->finder.detector;
    if (!rg_detect_left_card(detector)) return 0;
    t->finder.how.backend = "gpu,cpu";
    t->finder.precision = rg_backend_precision_name(rg_detect_precision(detector));
    rg_options_record(t->recorded, t->delivery.options, sizeof t->delivery.options);
    return rg_catalogue_options(t->delivery.catalogue, t->delivery.options);
}

static int detect(task *t, char **paths)
{
    if (t->png != NULL) RG_TRY(rg_output_check(t->png));
    RG_TRY(rg_finder_open(&t->finder, t->infrared.n > 0));
    if (t->infrared.n == 1) RG_TRY(rg_image_read(&t->for_all, t->infrared.text[0]));
    t->finder.how.all = t->all;        /* as was asked */
    rg_options_record(t->recorded, t->delivery.options, sizeof t->delivery.options);
    RG_TRY(rg_delivery_open(&t->delivery));
    RG_TRY(detect_all(t, paths));
    RG_TRY(record_backends(t));
    if (t->delivery.paths.n > 0 && rg_detect_note(t->finder.detector)[0] != '\0')
        fprintf(stderr, "claran: %s\n", rg_detect_note(t->finder.detector));
    if (t->bad == t->images)
        return RG_FAIL("none of the %d images could be searched", t->images);
    RG_TRY(rg_delivery_keep(&t->delivery));
    if (t->bad == 0) return 0;
    return RG_FAIL("%d of %d images could not be searched and were left out", t->bad,
                   t->images);
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
    t.images = argc;
    t.finder.how.progress = argc > 1 ? say : rg_options_progress;
    t.finder.how.user = argc > 1 ? (void *)&t : "windows";
    status = detect(&t, argv) == 0 ? RG_EXIT_OK : rg_options_problem();
    for (int i = 0; i < RG_DETECT_TOGETHER; i++) clear(&t.one[i], &t.look[i]);
    rg_image_free(t.for_all);
    rg_delivery_drop(&t.delivery);
    rg_finder_close(&t.finder);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/engine/error.h"
#include "core/image/fuse.h"
#include "plugin/edits.h"
#include "plugin/commands.h"
#include "plugin/companion.h"
#include "plugin/finder.h"
#include "plugin/frames.h"
#include "plugin/options.h"
#include "plugin/output.h"
#include "plugin/measured.h"
#include "plugin/xpa.h"

#define SET_BOXES "regions -format ds9"
#define DELETE_BOXES "regions group " RG_REGION_GROUP " delete"

typedef struct view {
    rg_xpa *ds9;              /* owned */
    rg_frame radio;           /* the current frame */
    rg_frame infrared;        /* the one that goes with it; no image: none */
} view;

/* What was asked for on the command line. */
typedef struct task {
    rg_finder finder;
    rg_measured how;
    const char *path, *format; /* --output */
    char options[2048];       /* all of them, as text */
    const char *infrared;     /* --ir-frame, NULL: to be found */
} task;

static int look_at_radio(view *v)
{
    RG_TRY(rg_frames_current(v->ds9, &v->radio));
    if (!rg_companion_is_infrared(&v->radio)) return 0;
    return RG_FAIL("frame %s of DS9 is the infrared image: go to the frame of the "
                   "radio image first", v->radio.number);
}

/* The radio image and, unless the method can do without, the infrared one. */
static int look(view *v, const task *t)
{
    rg_method method;
    bool open = t->finder.method == NULL || strcasecmp(t->finder.method, "auto") == 0;
    RG_TRY(look_at_radio(v));
    if (!open) RG_TRY(rg_fuse_method(t->finder.method, &method));
    bool wanted = !open && rg_fuse_wants_infrared(method);
    if (t->infrared != NULL && !open && !wanted)
        return RG_FAIL("method %s does not look at an infrared image, but frame %s was "
                       "named as one", rg_fuse_name(method), t->infrared);
    if (!open && !wanted) return 0;
    return rg_companion_find(v->ds9, &v->radio, t->infrared, wanted, &v->infrared);
}

static void report_infrared(const view *v)
{
    const rg_image *image = v->infrared.image;
    const char *file = v->infrared.file, *slash = strrchr(file, '/');
    if (image != NULL)
        printf("Infrared from %s, %d x %d pixels  %s\n", image->name, image->nx,
               image->ny, slash ? slash + 1 : file);
}

/* The user goes on working while we compute. */
static int look_again(view *v)
{
    const rg_frame *radio = &v->radio;
    char frame[sizeof radio->number], *fits = NULL;
    size_t size = 0;
    RG_TRY(rg_xpa_ask(v->ds9, "frame", frame, sizeof frame));
    bool same = strcmp(frame, radio->number) == 0;
    if (same) RG_TRY(rg_xpa_get(v->ds9, "fits", &fits, &size));
    same = same && size == radio->size && memcmp(fits, radio->fits, size) == 0;
    free(fits);
    if (!same)
        return RG_FAIL("DS9 shows another image than frame %s did when detection "
                       "began, so no box was drawn: detect again", radio->number);
    return 0;
}

static int draw(view *v, const rg_detection *found, int n, const rg_provenance *from)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL) return RG_FAIL("out of memory for %d regions", n);
    rg_region_header(file);
    for (int i = 0; i < n; i++) rg_region_print(file, &found[i], 0, from);
    int status = ferror(file) ? RG_FAIL("out of memory for %d regions", n) : 0;
    if (fclose(file) != 0 && status == 0) status = RG_FAIL("out of memory for regions");
    if (status == 0) status = rg_xpa_set(v->ds9, DELETE_BOXES, NULL, 0);
    if (status == 0 && n > 0) status = rg_xpa_set(v->ds9, SET_BOXES, text, size);
    free(text);
    return status;
}

static void say_progress(void *user, int done, int total)
{
    time_t *last = user, now = time(NULL);
    if (now - *last < 2 || done == total) return;
    printf("%d of %d windows\n", done, total);
    *last = now;
}

/* After detection: draw, and say what was found. */
static int deliver(view *v, task *t, const rg_detection *found, int n)
{
    const rg_image *radio = v->radio.image;
    rg_provenance from;
    rg_source *sources;
    rg_finder_provenance(&t->finder, radio, &from);
    RG_TRY(rg_measured_found(&t->how, radio, v->infrared.image, found, n, false,
                             &sources));
    int status = look_again(v);
    if (status == 0) status = draw(v, found, n, &from);
    if (status == 0) {
        printf("%d source%s, ", n, n == 1 ? "" : "s");
        rg_finder_report(&t->finder);
        rg_finder_table(sources, n);
    }
    free(sources);
    return status;
}

static int detect(view *v, task *t)
{
    rg_finder *finder = &t->finder;
    rg_detection *found = NULL;
    int n = 0;
    time_t started = time(NULL);
    finder->how.progress = say_progress;
    finder->how.user = &started;
    RG_TRY(look(v, t));
    const rg_image *radio = v->radio.image;
    RG_TRY(rg_finder_open(finder, v->infrared.image != NULL));
    printf("Looking at %s, %d x %d pixels\n", radio->name, radio->nx, radio->ny);
    if (rg_finder_wants_infrared(finder)) report_infrared(v);
    RG_TRY(rg_detect(finder->detector, radio, v->infrared.image, &found, &n));
    int status = deliver(v, t, found, n);
    free(found);
    return status;
}

/* Where the middle of a window goes along an axis: to the image's middle if that is
 * hardly longer, else to what the user looks at, but within the image. */
static double place(double wanted, double pixels, double window)
{
    if (!(pixels > 1.05 * window)) return (pixels + 1) / 2;
    return fmin(fmax(wanted, (window + 1) / 2), pixels - (window - 1) / 2);
}

static int place_window(view *v, rg_sky **window)
{
    const rg_image *radio = v->radio.image;
    const double pixel = rg_sky_pixel_arcsec(radio->sky);
    const double side = RG_CLARAN_SUBJECT * RG_CLARAN_PIXEL / pixel;
    char pan[128];
    double ra, dec, x, y;
    RG_TRY(rg_xpa_ask(v->ds9, "pan wcs icrs degrees", pan, sizeof pan));
    if (sscanf(pan, "%lf %lf", &ra, &dec) != 2
        || rg_sky_to_pixel(radio->sky, ra, dec, &x, &y) != 0)
        x = y = 0;
    return rg_sky_new_window(window, radio->sky, place(x, radio->nx, side),
                             place(y, radio->ny, side), RG_CLARAN_SUBJECT,
                             RG_CLARAN_PIXEL);
}

/* What a detection would take; what was asked for needs no model. */
static int choose_method(view *v, task *t, rg_method *method)
{
    const char *name = t->finder.method;
    if (name != NULL && strcasecmp(name, "auto") != 0)
        return rg_fuse_method(name, method);
    RG_TRY(rg_finder_open(&t->finder, v->infrared.image != NULL));
    *method = rg_detect_model(t->finder.detector)->method;
    return 0;
}

static int fuse(view *v, rg_method method, const rg_sky *window, uint8_t *rgb)
{
    int status = rg_detect_window(method, v->radio.image, v->infrared.image, window,
                                  rgb);
    if (status == RG_DETECT_BLANK)
        return RG_FAIL("%s has no value in the 3' at the middle of the view",
                       v->radio.image->name);
    if (status == RG_DETECT_UNCOVERED)
        return RG_FAIL("%s covers less than half of the 3' at the middle of the view",
                       v->infrared.image->name);
    return status;
}

static int show_window(view *v, rg_method method, const rg_sky *window)
{
    uint8_t rgb[RG_CLARAN_SUBJECT * RG_CLARAN_SUBJECT * 3];
    const double middle = (RG_CLARAN_SUBJECT + 1) / 2.0;
    char title[32], number[32];
    double ra, dec;
    RG_TRY(fuse(v, method, window, rgb));
    RG_TRY(rg_sky_to_world(window, middle, middle, &ra, &dec));
    snprintf(title, sizeof title, "ClaRAN %s", rg_fuse_name(method));
    RG_TRY(rg_frames_show(v->ds9, rgb, RG_CLARAN_SUBJECT, window, title, number));
    printf("Frame %s shows what the network sees of frame %s with method %s:\n"
           "3' about %.5f %+.5f\n", number, v->radio.number, rg_fuse_name(method), ra,
           dec);
    return 0;
}

static int show(view *v, task *t)
{
    rg_method method;
    rg_sky *window;
    RG_TRY(look(v, t));
    RG_TRY(place_window(v, &window));
    int status = choose_method(v, t, &method);
    if (status == 0 && rg_fuse_wants_infrared(method)) report_infrared(v);
    if (status == 0) status = show_window(v, method, window);
    rg_sky_free(window);
    return status;
}

static int remove_boxes(view *v, task *t)
{
    (void)t;
    RG_TRY(rg_frames_number(v->ds9, &v->radio));
    RG_TRY(rg_xpa_set(v->ds9, DELETE_BOXES, NULL, 0));
    printf("Detections removed from frame %s\n", v->radio.number);
    return 0;
}

/* ---- what the menu calls ---- */

static const struct {
    const char *name;
    bool writes;              /* and wants --output */
    int (*on_view)(view *v, task *t);
    int (*on_boxes)(rg_edits *edits);
} actions[] = {
    { "detect", false, detect, NULL },
    { "show", false, show, NULL },
    { "remove", false, remove_boxes, NULL },
    { "save", true, NULL, rg_edits_save },
    { "table", false, NULL, rg_edits_table },
    { "corrections", true, NULL, rg_edits_correct },
};

enum { ACTIONS = sizeof actions / sizeof *actions };

/* The number of the action that the operands name, with a DS9; -1: misuse. */
static int action_of(int argc, char **argv, const char *path)
{
    int i = 0;
    while (i < ACTIONS && (argc == 0 || strcmp(argv[0], actions[i].name) != 0)) i++;
    if (i == ACTIONS)
        rg_options_misuse("say detect, show, remove, save, table or corrections; see "
                          "claran ds9 --help");
    else if (argc != 2)
        rg_options_misuse("claran ds9 %s wants XPA_METHOD", argv[0]);
    else if ((path != NULL) != actions[i].writes)
        rg_options_misuse(path ? "claran ds9 %s takes no --output"
                               : "claran ds9 %s wants --output FILE", argv[0]);
    else
        return i;
    return -1;
}

static int run(view *v, task *t, int action, const char *method)
{
    RG_TRY(rg_xpa_open(&v->ds9, method));
    if (actions[action].on_view) return actions[action].on_view(v, t);
    rg_edits edits = { .ds9 = v->ds9, .how = &t->how, .infrared = t->infrared,
                       .path = t->path, .format = t->format,
                       .options = t->options };
    int status = actions[action].on_boxes(&edits);
    rg_edits_clear(&edits);
    return status;
}

int rg_ds9_main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "check")) return rg_check_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "fetch")) return rg_fetch_main(argc - 1, argv + 1);
    task t = { .finder.how = rg_detect_defaults, .how = RG_MEASURED_DEFAULTS };
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &t.path, 0, 0, "FILE",
          "where to save: .fits .vot .csv .ecsv .tsv .json .reg .moc.fits, or - (CSV "
          "on stdout)" },
        RG_FORMAT_OPTION(t.format),
        { "ir-frame", 0, RG_OPTION_TEXT, &t.infrared, 0, 0, "N",
          "the frame of the infrared image, or auto: found by its header" },
        RG_FINDER_CHOICE(t.finder), RG_FINDER_OPTIONS(t.finder),
        RG_MEASURED_OPTIONS(t.how), { .name = NULL }
    };
    const rg_usage usage = {
        "ds9", "detect|show|remove|save|table|corrections XPA_METHOD",
        "detect: find radio galaxies in the current frame of the DS9 at XPA_METHOD,\n"
        "and draw them as boxes in place of those drawn earlier; where another frame\n"
        "holds a WISE image of the same sky, with its help.\n"
        "show: a new frame with what the network sees of 3' about the view's middle.\n"
        "remove: take the boxes away.\n"
        "save: measure them as they are now, moved or not, with those you drew and\n"
        "labelled with a class, and write the catalogue to --output FILE.\n"
        "table: the same in DS9's own catalogue tool.\n"
        "corrections: write them to --output LIST.csv, for claran train.\n"
        "More, with a --help of its own: claran ds9 check, claran ds9 fetch.",
        options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    int action = action_of(argc, argv, t.path);
    if (action < 0) return RG_EXIT_USAGE;
    rg_options_record(options + 2, t.options, sizeof t.options);
    if (t.infrared && (!*t.infrared || strcasecmp(t.infrared, "auto") == 0))
        t.infrared = NULL;              /* as the menu's field has it */
    setvbuf(stdout, NULL, _IOLBF, 0);   /* the menu's window shows lines as they come */
    signal(SIGPIPE, SIG_IGN);           /* DS9 gone in mid-sentence is an error too */
    view v = { .ds9 = NULL };
    status = run(&v, &t, action, argv[1]) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_finder_close(&t.finder);
    rg_frames_clear(&v.radio);
    rg_frames_clear(&v.infrared);
    rg_xpa_close(v.ds9);
    return status;
}

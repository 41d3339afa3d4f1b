/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/engine/error.h"
#include "core/image/fuse.h"
#include "plugin/edits.h"
#include "plugin/commands.h"
#include "plugin/companion.h"
#include "plugin/finder.h"
#include "plugin/frames.h"
#include "plugin/home.h"
#include "plugin/options.h"
#include "plugin/output.h"
#include "plugin/measured.h"
#include "plugin/search.h"
#include "plugin/settings.h"
#include "plugin/turn.h"
#include "plugin/xpa.h"

typedef struct view {
    rg_xpa *ds9;              /* owned */
    rg_frame radio;           /* the current frame */
    rg_frame infrared;        /* the one that goes with it; no image: none */
} view;

/* What was asked for on the command line. */
typedef struct task {
    const char *address;      /* of the DS9 */
    rg_settings settings;
    bool remembers;           /* --settings: they count, and ... */
    bool remember;            /* ... one has changed */
    rg_finder finder;
    bool all;
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

static rg_search search_of(view *v, task *t)
{
    return (rg_search){
        .drawing = { .ds9 = v->ds9, .address = t->address, .frame = v->radio.number },
        .finder = &t->finder, .how = &t->how, .settings = &t->settings, .all = t->all,
        .radio = &v->radio, .infrared = &v->infrared
    };
}

static int detect(view *v, task *t)
{
    RG_TRY(look(v, t));
    rg_search search = search_of(v, t);
    return rg_search_run(&search);
}

static int change_threshold(view *v, task *t)
{
    RG_TRY(look_at_radio(v));
    rg_search search = search_of(v, t);
    return rg_search_again(&search);
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
    if (status == 0 && rg_fuse_wants_infrared(method))
        rg_search_report_infrared(&v->infrared);
    if (status == 0) status = show_window(v, method, window);
    rg_sky_free(window);
    return status;
}

/* ---- boxes that are there ---- */

static int remove_boxes(view *v, task *t)
{
    RG_TRY(rg_frames_number(v->ds9, &v->radio));
    rg_drawing drawing = search_of(v, t).drawing;
    RG_TRY(rg_drawing_remove(&drawing));
    printf("Detections removed from frame %s\n", v->radio.number);
    return 0;
}

static int undo(view *v, task *t)
{
    int n;
    RG_TRY(rg_frames_with_sky(v->ds9, &v->radio));
    rg_drawing drawing = search_of(v, t).drawing;
    RG_TRY(rg_drawing_undo(&drawing, &n));
    printf("Frame %s has the %d box%s again that it had before;\n"
           "choose this once more to go back\n", v->radio.number, n,
           n == 1 ? "" : "es");
    return 0;
}

/* The labels of the frame's boxes, and of those to come, the other way round. */
static int turn_over(view *v, task *t, bool alternatives)
{
    char *text;
    RG_TRY(rg_frames_with_sky(v->ds9, &v->radio));
    rg_drawing drawing = search_of(v, t).drawing;
    RG_TRY(rg_drawing_read(&drawing, &text));
    rg_looks looks = rg_looks_of(text);
    if (alternatives) looks.alternatives = !(looks.alternatives && looks.labels);
    looks.labels = alternatives || !looks.labels;
    int status = looks.boxes > 0 ? rg_drawing_dress(&drawing, text, &looks)
        : RG_FAIL("frame %s has no detections: choose Detect sources", v->radio.number);
    free(text);
    RG_TRY(status);
    RG_TRY(rg_settings_put(&t->settings, RG_SETTING_LABELS,
                           looks.labels ? "yes" : "no"));
    RG_TRY(rg_settings_put(&t->settings, RG_SETTING_ALTERNATIVES,
                           looks.alternatives ? "yes" : "no"));
    t->remember = t->remembers;
    printf("Labels are %s%s\n", looks.labels ? "shown" : "hidden",
           looks.labels && looks.alternatives ? ", with the runner-up class" : "");
    return 0;
}

static int turn_labels(view *v, task *t)
{
    return turn_over(v, t, false);
}

static int turn_alternatives(view *v, task *t)
{
    return turn_over(v, t, true);
}

/* ---- what this is ---- */

static int about(view *v, task *t)
{
    const rg_backend *backend;
    char line[RG_BACKEND_TEXT], path[RG_FILE_NAME], version[64];
    RG_TRY(rg_xpa_ask(v->ds9, "version", version, sizeof version));
    RG_TRY(rg_backend_find(t->finder.how.backend, &backend));
    RG_TRY(rg_finder_open(&t->finder, t->finder.method != NULL));
    const char *number = strrchr(version, ' ');       /* behind the window's title */
    printf("ClaRAN   %s in DS9 %s\n", RG_VERSION, number ? number + 1 : version);
    printf("Model    %s\n         method %s, %s\n", t->finder.path,
           rg_fuse_name(rg_detect_model(t->finder.detector)->method),
           rg_detect_hash(t->finder.detector));
    for (int i = 0; backend->describe(i, line); i++)
        printf("%s %s\n", i == 0 ? "Device  " : "        ", line);
    if (rg_home_config("settings", path) == 0) printf("Settings %s\n", path);
    if (rg_home_cache("", path) == 0) printf("Results  %s\n", path);
    printf("After Wu et al. 2019, MNRAS 482, 1211.  MIT licence.\n");
    return 0;
}

/* ---- what the menu calls ---- */

static const struct {
    const char *name;
    bool alone;               /* changes what DS9 shows: one at a time */
    bool writes;              /* and wants --output */
    int (*on_view)(view *v, task *t);
    int (*on_boxes)(rg_edits *edits);
} actions[] = {
    { "detect", true, false, detect, NULL },
    { "threshold", true, false, change_threshold, NULL },
    { "undo", true, false, undo, NULL },
    { "labels", true, false, turn_labels, NULL },
    { "alternatives", true, false, turn_alternatives, NULL },
    { "remove", true, false, remove_boxes, NULL },
    { "show", true, false, show, NULL },
    { "save", false, true, NULL, rg_edits_save },
    { "table", false, false, NULL, rg_edits_table },
    { "corrections", false, true, NULL, rg_edits_correct },
    { "about", false, false, about, NULL },
};

enum { ACTIONS = sizeof actions / sizeof *actions };

/* The number of the action that the operands name, with a DS9; -1: misuse. */
static int action_of(int argc, char **argv, const char *path)
{
    int i = 0;
    while (i < ACTIONS && (argc == 0 || strcmp(argv[0], actions[i].name) != 0)) i++;
    if (i == ACTIONS)
        rg_options_misuse("say detect, threshold, undo, labels, alternatives, remove, "
                          "show, save, table, corrections or about; see claran ds9 "
                          "--help");
    else if (argc != 2)
        rg_options_misuse("claran ds9 %s wants XPA_METHOD", argv[0]);
    else if ((path != NULL) != actions[i].writes)
        rg_options_misuse(path ? "claran ds9 %s takes no --output"
                               : "claran ds9 %s wants --output FILE", argv[0]);
    else
        return i;
    return -1;
}

/* What was chosen is remembered once it has worked. */
static int run_view(view *v, task *t, int action)
{
    RG_TRY(actions[action].on_view(v, t));
    return t->remember ? rg_settings_write(&t->settings) : 0;
}

static int run(view *v, task *t, int action)
{
    if (actions[action].alone) RG_TRY(rg_turn_take(t->address));
    RG_TRY(rg_xpa_open(&v->ds9, t->address));
    if (actions[action].on_view) return run_view(v, t, action);
    rg_edits edits = { .ds9 = v->ds9, .how = &t->how, .infrared = t->infrared,
                       .path = t->path, .format = t->format,
                       .options = t->options };
    int status = actions[action].on_boxes(&edits);
    rg_edits_clear(&edits);
    return status;
}

static int go(task *t, int action)
{
    view v = { .ds9 = NULL };
    setvbuf(stdout, NULL, _IOLBF, 0);   /* the menu's window shows lines as they come */
    signal(SIGPIPE, SIG_IGN);           /* DS9 gone in mid-sentence is an error too */
    int status = run(&v, t, action) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_finder_close(&t->finder);
    rg_frames_clear(&v.radio);
    rg_frames_clear(&v.infrared);
    rg_xpa_close(v.ds9);
    return status;
}

/* ---- options and settings ---- */

/* A model's file is remembered from the root, to be found from any folder. */
static const char *from_root(rg_setting which, const char *value, char path[PATH_MAX])
{
    if (which != RG_SETTING_MODEL || strcasecmp(value, "auto") == 0) return value;
    return realpath(value, path) ? path : value;
}

/* The settings: as they were the last time, if they count, and as they are given now
 * ("last": not given). */
static int choose_settings(task *t, const char *const given[RG_SETTINGS])
{
    t->settings = rg_settings_default;
    if (t->remembers && rg_settings_read(&t->settings) != 0)
        rg_options_remark("A setting is as it was at first: %s", rg_error_message());
    for (int i = 0; i < RG_SETTINGS; i++) {
        char path[PATH_MAX];
        if (given[i] == NULL || strcasecmp(given[i], "last") == 0) continue;
        if (rg_settings_put(&t->settings, (rg_setting)i,
                            from_root((rg_setting)i, given[i], path)) != 0)
            return rg_options_misuse("%s", rg_error_message());
        t->remember = t->remembers;
    }
    t->finder.method = rg_settings_text(&t->settings, RG_SETTING_METHOD);
    t->finder.model = rg_settings_text(&t->settings, RG_SETTING_MODEL);
    t->finder.how.backend = t->settings.value[RG_SETTING_DEVICE];
    t->infrared = rg_settings_text(&t->settings, RG_SETTING_INFRARED);
    return RG_GO_ON;
}

static const char help[] =
    "detect: find radio galaxies in the current frame of the DS9 at XPA_METHOD,\n"
    "and draw them as boxes in place of those drawn earlier; where another frame\n"
    "holds a WISE image of the same sky, with its help.\n"
    "threshold: draw those of at least --threshold from the results that were kept,\n"
    "without the network.\n"
    "undo: put back the boxes that were there before; once more: those after it.\n"
    "labels, alternatives: show or hide the labels, or the runner-up class in them.\n"
    "remove: take the boxes away.\n"
    "show: a new frame with what the network sees of 3' about the view's middle.\n"
    "save: measure them as they are now, moved or not, with those you drew and\n"
    "labelled with a class, and write the catalogue to --output FILE.\n"
    "table: the same in DS9's own catalogue tool.\n"
    "corrections: write them to --output LIST.csv, for claran train.\n"
    "about: version, model and device.\n"
    "More, with a --help of its own: claran ds9 check, ds9 fetch, ds9 install.";

int rg_ds9_main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "check")) return rg_check_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "fetch")) return rg_fetch_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "install"))
        return rg_install_main(argc - 1, argv + 1);
    task t = { .finder.how = rg_detect_defaults, .how = RG_MEASURED_DEFAULTS };
    const char *given[RG_SETTINGS] = { NULL };
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &t.path, 0, 0, "FILE",
          "where to save: .fits .vot .csv .ecsv .tsv .json .reg .moc.fits, or - (CSV "
          "on stdout)" },
        RG_FORMAT_OPTION(t.format),
        { "settings", 0, RG_OPTION_FLAG, &t.remembers, 0, 0, NULL,
          "what is not given, or given as last, is as it was the last time; what is "
          "given is remembered" },
        RG_FOLD_OPTION,
        { "threshold", 't', RG_OPTION_TEXT, &given[RG_SETTING_THRESHOLD], 0, 0, "P",
          "keep detections of at least this probability: 0.8" },
        { "all", 0, RG_OPTION_FLAG, &t.all, 0, 0, NULL,
          "every class's detections with P > 0.05, for evaluation" },
        { "ir-frame", 0, RG_OPTION_TEXT, &given[RG_SETTING_INFRARED], 0, 0, "N",
          "the frame of the infrared image, or auto: found by its header" },
        { "search", 0, RG_OPTION_TEXT, &given[RG_SETTING_SEARCH], 0, 0, "PART",
          "frame, view (what is visible) or selected (regions): frame" },
        { "colours", 0, RG_OPTION_TEXT, &given[RG_SETTING_COLOURS], 0, 0, "HOW",
          "one, or class: another for each" },
        { "labels", 0, RG_OPTION_TEXT, &given[RG_SETTING_LABELS], 0, 0, "YES",
          "yes or no: yes" },
        { "alternatives", 0, RG_OPTION_TEXT, &given[RG_SETTING_ALTERNATIVES], 0, 0,
          "YES", "the runner-up class in the labels, yes or no: no" },
        { "live", 0, RG_OPTION_TEXT, &given[RG_SETTING_LIVE], 0, 0, "YES",
          "boxes as they are found, yes or no: no" },
        RG_FINDER_OPTIONS(t.finder),
        RG_MEASURED_OPTIONS(t.how), { .name = NULL }
    };
    const rg_usage usage = {
        "ds9", "detect|threshold|undo|labels|alternatives|remove|show|save|table|"
        "corrections|about XPA_METHOD", help, options };
    t.finder.how.backend = NULL;        /* not given */
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    int action = action_of(argc, argv, t.path);
    if (action < 0) return RG_EXIT_USAGE;
    rg_options_record(options + 4, t.options, sizeof t.options);
    given[RG_SETTING_METHOD] = t.finder.method;
    given[RG_SETTING_MODEL] = t.finder.model;
    given[RG_SETTING_DEVICE] = t.finder.how.backend;
    t.address = argv[1];
    status = choose_settings(&t, given);
    if (status != RG_GO_ON) return status;
    return go(&t, action);
}

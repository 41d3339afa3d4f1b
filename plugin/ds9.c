/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/engine/error.h"
#include "plugin/commands.h"
#include "plugin/finder.h"
#include "plugin/options.h"
#include "plugin/output.h"
#include "plugin/xpa.h"

#define GET_BOXES "regions -format ds9 -system wcs -sky icrs -skyformat degrees " \
    "-group " RG_REGION_GROUP
#define SET_BOXES "regions -format ds9"
#define DELETE_BOXES "regions group " RG_REGION_GROUP " delete"

/* The current frame of a DS9. */
typedef struct view {
    rg_xpa *ds9;              /* owned */
    char frame[32];           /* its number */
    char file[1024];          /* what DS9 says was opened */
    char *fits;               /* what it holds, owned */
    size_t size;              /* of fits [bytes] */
    rg_image *image;          /* the same, owned */
} view;

static int ask_frame(view *v)
{
    RG_TRY(rg_xpa_ask(v->ds9, "frame", v->frame, sizeof v->frame));
    if (*v->frame == '\0')
        return RG_FAIL("DS9 has no frame: open a FIRST image (File > Open...) first");
    return 0;
}

/* What must be so (or must not) before the pixels of a frame are what they seem, in an
 * order in which each question is harmless. */
static const struct {
    const char *question, *answer;
    bool wanted;
    const char *otherwise;
} conditions[] = {
    { "frame has fits", "yes", true,
      "is empty: open a FIRST image (File > Open...) first" },
    { "cmap", "rgb", false,
      "is an RGB frame: open the radio image in a frame of its own" },
    { "frame has fits cube", "no", true,
      "holds a cube, not a picture of the sky: save the slice you mean (File > "
      "Save...) and open that" },
    { "block", "1", true,
      "is blocked, so its pixels are sums: choose Analysis > Block > Block 1" },
    { "smooth", "yes", false,
      "is smoothed: switch Analysis > Smooth off" },
    { "frame has wcs celestial", "yes", true,
      "has no celestial coordinates (WCS), so nobody knows how large 3' are on it" },
};

static int check_frame(view *v)
{
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char answer[32];
        RG_TRY(rg_xpa_ask(v->ds9, conditions[i].question, answer, sizeof answer));
        bool same = strcmp(answer, conditions[i].answer) == 0;
        if (same != conditions[i].wanted)
            return RG_FAIL("frame %s of DS9 %s", v->frame, conditions[i].otherwise);
    }
    return 0;
}

static int fetch_image(view *v)
{
    char name[64];
    RG_TRY(rg_xpa_ask(v->ds9, "file", v->file, sizeof v->file));
    RG_TRY(rg_xpa_get(v->ds9, "fits", &v->fits, &v->size));
    snprintf(name, sizeof name, "frame %s of DS9", v->frame);
    return rg_image_read_memory(&v->image, v->fits, v->size, name);
}

static int look(view *v)
{
    RG_TRY(ask_frame(v));
    RG_TRY(check_frame(v));
    return fetch_image(v);
}

/* The user goes on working while we compute. */
static int look_again(view *v)
{
    char frame[sizeof v->frame], *fits = NULL;
    size_t size = 0;
    RG_TRY(rg_xpa_ask(v->ds9, "frame", frame, sizeof frame));
    bool same = strcmp(frame, v->frame) == 0;
    if (same) RG_TRY(rg_xpa_get(v->ds9, "fits", &fits, &size));
    same = same && size == v->size && memcmp(fits, v->fits, size) == 0;
    free(fits);
    if (!same)
        return RG_FAIL("DS9 shows another image than frame %s did when detection "
                       "began, so no box was drawn: detect again", v->frame);
    return 0;
}

static int draw(view *v, const rg_detection *found, int n, const rg_provenance *from)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL) return RG_FAIL("out of memory for %d regions", n);
    rg_region_header(file);
    rg_region_print(file, found, n, from);
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

static int detect(view *v, rg_finder *finder)
{
    rg_detection *found = NULL;
    rg_provenance from;
    int n = 0;
    time_t started = time(NULL);
    finder->how.progress = say_progress;
    finder->how.user = &started;
    RG_TRY(look(v));
    RG_TRY(rg_finder_open(finder));
    printf("Looking at %s, %d x %d pixels\n", v->image->name, v->image->nx,
           v->image->ny);
    RG_TRY(rg_detect(finder->detector, v->image, &found, &n));
    rg_finder_provenance(finder, v->image, &from);
    int status = look_again(v);
    if (status == 0) status = draw(v, found, n, &from);
    if (status == 0) {
        printf("%d source%s\n", n, n == 1 ? "" : "s");
        rg_finder_table(found, n);
    }
    free(found);
    return status;
}

static int remove_boxes(view *v)
{
    RG_TRY(ask_frame(v));
    RG_TRY(rg_xpa_set(v->ds9, DELETE_BOXES, NULL, 0));
    printf("Detections removed from frame %s\n", v->frame);
    return 0;
}

static int read_boxes(view *v, rg_detection **found, int *n, rg_provenance *from)
{
    char *text;
    size_t size;
    memcpy(from->file, v->file, sizeof v->file);
    RG_TRY(rg_xpa_get(v->ds9, GET_BOXES, &text, &size));
    int status = rg_region_parse(text, found, n, from);
    free(text);
    RG_TRY(status);
    if (*n == 0)
        return RG_FAIL("frame %s has no detections to save: choose Detect sources "
                       "first", v->frame);
    for (int i = 0; i < *n; i++)
        RG_TRY(rg_region_place(&(*found)[i], v->image->sky));
    return 0;
}

static int save(view *v, const char *path)
{
    rg_detection *found = NULL;
    rg_provenance from = { 0 };
    rg_output output = { 0 };
    int n = 0;
    if (*path == '\0') return RG_FAIL("no file was chosen, so nothing was saved");
    RG_TRY(look(v));
    int status = read_boxes(v, &found, &n, &from);
    if (status == 0) status = rg_output_open(&output, path);
    if (status == 0) {
        rg_output_header(&output);
        rg_output_print(&output, found, n, &from);
        status = rg_output_keep(&output, 1);
    }
    if (status == 0 && strcmp(path, "-") != 0) {
        char *whole = realpath(path, NULL);   /* DS9's folder is not always known */
        printf("%d source%s saved in %s\n", n, n == 1 ? "" : "s", whole ? whole : path);
        free(whole);
    }
    rg_output_drop(&output);
    free(found);
    return status;
}

static int run(view *v, rg_finder *finder, char **argv, const char *path)
{
    RG_TRY(rg_xpa_open(&v->ds9, argv[1]));
    if (strcmp(argv[0], "detect") == 0) return detect(v, finder);
    if (strcmp(argv[0], "remove") == 0) return remove_boxes(v);
    return save(v, path);
}

/* RG_GO_ON if the operands are an action and a DS9, and `path` is for save. */
static int check_operands(int argc, char **argv, const char *path)
{
    static const char *const actions[] = { "detect", "remove", "save" };
    for (int i = 0; argc > 0 && i < 3; i++) {
        if (strcmp(argv[0], actions[i]) != 0) continue;
        if (argc != 2) return rg_options_misuse("claran ds9 %s wants XPA_METHOD",
                                                actions[i]);
        if ((path != NULL) == (i == 2)) return RG_GO_ON;
        return rg_options_misuse(i == 2 ? "claran ds9 %s wants --output FILE"
                                        : "claran ds9 %s takes no --output",
                                 actions[i]);
    }
    return rg_options_misuse("say detect, remove or save; see claran ds9 --help");
}

int rg_ds9_main(int argc, char **argv)
{
    rg_finder finder = { .how = rg_detect_defaults };
    const char *path = NULL;
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_TEXT, &path, 0, 0, "FILE",
          "where to save, .csv or .reg; - for CSV on stdout" },
        RG_FINDER_CHOICE(finder), RG_FINDER_OPTIONS(finder), { .name = NULL }
    };
    const rg_usage usage = { "ds9", "detect|remove|save XPA_METHOD",
        "detect: find radio galaxies in the current frame of the DS9 at XPA_METHOD,\n"
        "and draw them as boxes in place of those drawn earlier.\n"
        "remove: take them away.\n"
        "save: write them to --output FILE as they are now, moved or not.",
        options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    status = check_operands(argc, argv, path);
    if (status != RG_GO_ON) return status;
    setvbuf(stdout, NULL, _IOLBF, 0);   /* the menu's window shows lines as they come */
    signal(SIGPIPE, SIG_IGN);           /* DS9 gone in mid-sentence is an error too */
    view v = { 0 };
    status = run(&v, &finder, argv, path) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_finder_close(&finder);
    rg_image_free(v.image);
    free(v.fits);
    rg_xpa_close(v.ds9);
    return status;
}

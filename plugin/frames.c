/* SPDX-License-Identifier: MIT */
#include "plugin/frames.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/engine/error.h"

void rg_frames_clear(rg_frame *frame)
{
    rg_image_free(frame->image);
    free(frame->fits);
    *frame = (rg_frame){ .size = 0 };
}

/* ---- one frame ---- */

typedef struct condition {
    const char *question, *answer;
    bool wanted;
    const char *otherwise;
} condition;

/* What must be so (or must not) that a frame stays the current one, ... */
static const condition does_stay[] = {
    { "blink", "yes", false,
      "is one that blinks with others: choose Frame > Single Frame" },
    { "fade", "yes", false,
      "is one that fades into others: choose Frame > Single Frame" },
    { .question = NULL }
};

/* ... before its pixels are fetched, in an order in which each question is harmless, */
static const condition is_picture[] = {
    { "frame has fits", "yes", true,
      "is empty: open a FIRST image (File > Open...) first" },
    { "cmap file", "rgb", false,
      "is an RGB frame: go to the frame of the image itself" },
    { "cmap file", "hsv", false,              /* this and HLS: DS9 8.6 */
      "is an HSV frame: go to the frame of the image itself" },
    { "cmap file", "hls", false,
      "is an HLS frame: go to the frame of the image itself" },
    { "frame has fits mosaic", "no", true,
      "is a mosaic of images, of which DS9 hands over only one: open one image in a "
      "frame" },
    { "cube axes", "123", true,
      "has its axes in another order: choose Axes Order 1 2 3 in Frame > Cube" },
    { .question = NULL }
};

/* and before they are what they seem. */
static const condition is_as_it_seems[] = {
    { "block", "1", true,
      "is blocked, so its pixels are sums: choose Analysis > Block > Block 1" },
    { "smooth", "yes", false,
      "is smoothed: switch Analysis > Smooth off" },
    { "frame has wcs celestial", "yes", true,
      "has no celestial coordinates (WCS), so nobody knows how large 3' are on it" },
    { .question = NULL }
};

/* What must be so before regions are asked for, of which DS9 can die. */
static const condition has_sky[] = {
    { "frame has fits", "yes", true,
      "is empty: open a FIRST image (File > Open...) first" },
    { "frame has wcs celestial", "yes", true,
      "has no celestial coordinates (WCS), so there are no detections in it" },
    { .question = NULL }
};

static int check(rg_xpa *ds9, const rg_frame *frame, const condition *c)
{
    for (; c->question != NULL; c++) {
        char answer[32];
        RG_TRY(rg_xpa_ask(ds9, c->question, answer, sizeof answer));
        if ((strcmp(answer, c->answer) == 0) != c->wanted)
            return RG_FAIL("frame %s of DS9 %s", frame->number, c->otherwise);
    }
    return 0;
}

int rg_frames_number(rg_xpa *ds9, rg_frame *frame)
{
    RG_TRY(rg_xpa_ask(ds9, "frame", frame->number, sizeof frame->number));
    if (*frame->number == '\0')
        return RG_FAIL("DS9 has no frame: open a FIRST image (File > Open...) first");
    return check(ds9, frame, does_stay);
}

int rg_frames_with_sky(rg_xpa *ds9, rg_frame *frame)
{
    RG_TRY(rg_frames_number(ds9, frame));
    return check(ds9, frame, has_sky);
}

int rg_frames_fetch(rg_xpa *ds9, char **fits, size_t *size)
{
    return rg_xpa_get(ds9, "fits slice", fits, size);
}

/* Before DS9 is asked for gigabytes. */
static int check_size(rg_xpa *ds9, const rg_frame *frame)
{
    char size[64];
    long nx = 0, ny = 0;
    RG_TRY(rg_xpa_ask(ds9, "fits size", size, sizeof size));
    if (sscanf(size, "%ld %ld", &nx, &ny) == 2 && nx > 0 && ny > 0
        && nx <= RG_IMAGE_MAX && ny <= RG_IMAGE_MAX / nx) return 0;
    return RG_FAIL("frame %s of DS9 has an image of %ld x %ld pixels: at most %ld are "
                   "possible; cut out the part of interest", frame->number, nx, ny,
                   RG_IMAGE_MAX);
}

/* DS9 draws where its own WCS says, which a user may have loaded from another file: at
 * the middle of the view it must be the header's, to a pixel. */
static int check_sky(rg_xpa *ds9, const rg_frame *frame)
{
    const rg_image *image = frame->image;
    char pixel[128], place[128];
    double x, y, ra, dec, x2, y2;
    if (image->sky == NULL)
        return RG_FAIL("%s has no usable coordinates: %s", image->name,
                       image->sky_problem);
    RG_TRY(rg_xpa_ask(ds9, "pan image", pixel, sizeof pixel));
    RG_TRY(rg_xpa_ask(ds9, "pan wcs icrs degrees", place, sizeof place));
    if (sscanf(pixel, "%lf %lf", &x, &y) != 2
        || sscanf(place, "%lf %lf", &ra, &dec) != 2) return 0;     /* off the sky */
    if (rg_sky_to_pixel(image->sky, ra, dec, &x2, &y2) == 0
        && hypot(x2 - x, y2 - y) <= 1) return 0;
    return RG_FAIL("%s has other coordinates in DS9 than in its header, so boxes would "
                   "be drawn elsewhere: choose File > Reset in WCS > WCS Parameters",
                   image->name);
}

/* What the image is called in sentences. */
static int name_image(rg_xpa *ds9, const rg_frame *frame, char name[96])
{
    char slice[16];
    bool cube;
    RG_TRY(rg_xpa_has(ds9, "frame has fits cube", &cube));
    if (cube) RG_TRY(rg_xpa_ask(ds9, "cube", slice, sizeof slice));
    snprintf(name, 96, "%s%s%sframe %s of DS9", cube ? "slice " : "", cube ? slice : "",
             cube ? " of " : "", frame->number);
    return 0;
}

/* The frame DS9 is at; what its header says is kept even if its pixels are no good. */
static int read_frame(rg_xpa *ds9, rg_frame *frame)
{
    char name[96];
    RG_TRY(rg_xpa_ask(ds9, "file", frame->file, sizeof frame->file));
    RG_TRY(check(ds9, frame, is_picture));
    RG_TRY(check_size(ds9, frame));
    RG_TRY(name_image(ds9, frame, name));
    RG_TRY(rg_frames_fetch(ds9, &frame->fits, &frame->size));
    RG_TRY(rg_image_read_memory(&frame->image, frame->fits, frame->size, name));
    RG_TRY(check(ds9, frame, is_as_it_seems));
    return check_sky(ds9, frame);
}

int rg_frames_current(rg_xpa *ds9, rg_frame *frame)
{
    RG_TRY(rg_frames_number(ds9, frame));
    return read_frame(ds9, frame);
}

/* ---- the other frames ---- */

static int is_listed(rg_xpa *ds9, const char *question, const char *number, bool *yes)
{
    char *text, *rest;
    size_t size;
    RG_TRY(rg_xpa_get(ds9, question, &text, &size));
    *yes = false;
    for (char *word = strtok_r(text, " \n", &rest); word;
         word = strtok_r(NULL, " \n", &rest))
        *yes |= strcmp(word, number) == 0;
    free(text);
    return 0;
}

/* "frame" goes to it and shows it, "frame hide" hides it; DS9 would make one that is
 * not there. */
static int move(rg_xpa *ds9, const char *verb, const char *number)
{
    char command[64];
    bool there;
    RG_TRY(is_listed(ds9, "frame all", number, &there));
    if (!there) return RG_FAIL("frame %s of DS9 is gone", number);
    snprintf(command, sizeof command, "%s %s", verb, number);
    return rg_xpa_set(ds9, command, NULL, 0);
}

/* The user may click on another frame at any time. */
static int check_place(rg_xpa *ds9, const char *number)
{
    char now[32];
    RG_TRY(rg_xpa_ask(ds9, "frame", now, sizeof now));
    if (strcmp(now, number) == 0) return 0;
    return RG_FAIL("DS9 went to frame %s while its frames were read: try again", now);
}

/* A frame that cannot be read has a problem, which is no failure. */
static int visit(rg_xpa *ds9, const char **at, rg_frame *frame)
{
    RG_TRY(check_place(ds9, *at));
    RG_TRY(move(ds9, "frame", frame->number));
    *at = frame->number;
    if (read_frame(ds9, frame) != 0)
        snprintf(frame->problem, sizeof frame->problem, "%s", rg_error_message());
    free(frame->fits);        /* the image is enough */
    frame->fits = NULL;
    return 0;
}

/* Frames that were hidden are hidden again. */
static int hide(rg_xpa *ds9, const rg_frame *list, int n)
{
    int status = 0;
    for (int i = 0; i < n; i++)
        if (list[i].hidden && move(ds9, "frame hide", list[i].number) != 0) status = -1;
    return status;
}

static int visit_all(rg_xpa *ds9, const char *home, rg_frame *list, int n)
{
    const char *at = home;
    int status = 0;
    for (int i = 0; i < n && status == 0; i++) status = visit(ds9, &at, &list[i]);
    if (check_place(ds9, at) != 0) status = -1;   /* and the user stays there */
    else if (at != home && move(ds9, "frame", home) != 0) status = -1;
    if (hide(ds9, list, n) != 0) status = -1;
    return status;
}

/* ---- kill -9, with which DS9 stops a task, in the middle of that ---- */

/* As it would have been: home, unless the user is somewhere else. */
static void go_home(const char *method, const char *home, const rg_frame *list, int n)
{
    rg_xpa *ds9;
    char now[32];
    if (rg_xpa_open(&ds9, method) != 0
        || rg_xpa_ask(ds9, "frame", now, sizeof now) != 0) return;
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].number, now) == 0) move(ds9, "frame", home);
    hide(ds9, list, n);
}

/* A process that goes home where this one ends before it writes to *end. */
static pid_t guard(rg_xpa *ds9, const char *home, const rg_frame *list, int n, int *end)
{
    int ends[2];
    char all_is_well;
    if (pipe(ends) != 0) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        if (read(ends[0], &all_is_well, 1) == 0)
            go_home(rg_xpa_method(ds9), home, list, n);
        _exit(0);
    }
    close(ends[0]);
    *end = ends[1];
    if (pid < 0) close(ends[1]);
    return pid;
}

static void dismiss(pid_t guard, int end)
{
    if (guard < 0) return;
    if (write(end, "", 1) != 1) kill(guard, SIGKILL);
    close(end);
    waitpid(guard, NULL, 0);
}

/* Numbers, and which are hidden. */
static int list_others(rg_xpa *ds9, const char *home, const char *number,
                       rg_frame **list, int *n)
{
    char *text, *rest;
    size_t size;
    int status = 0;
    *n = 0;
    RG_TRY(rg_xpa_get(ds9, "frame all", &text, &size));
    *list = rg_error_alloc(size + 1, sizeof **list, "DS9's frames");
    if (*list == NULL) status = -1;
    for (char *word = strtok_r(text, " \n", &rest); status == 0 && word;
         word = strtok_r(NULL, " \n", &rest)) {
        rg_frame *frame = &(*list)[*n];
        bool shown = true;
        if (strcmp(word, home) == 0 || (number && strcmp(word, number) != 0)) continue;
        snprintf(frame->number, sizeof frame->number, "%s", word);
        status = is_listed(ds9, "frame active", word, &shown);
        frame->hidden = !shown;
        ++*n;
    }
    free(text);
    if (status != 0) free(*list);
    return status;
}

void rg_frames_free(rg_frame *list, int n)
{
    for (int i = 0; i < n; i++) rg_frames_clear(&list[i]);
    free(list);
}

int rg_frames_others(rg_xpa *ds9, const char *home, const char *number,
                     rg_frame **list, int *n)
{
    sigset_t signals, before;
    int end = -1;
    RG_TRY(list_others(ds9, home, number, list, n));
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    pid_t pid = guard(ds9, home, *list, *n, &end);
    int status = visit_all(ds9, home, *list, *n);
    dismiss(pid, end);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (status != 0) rg_frames_free(*list, *n);
    return status;
}

/* ---- a new frame ---- */

static void print_card(FILE *to, const char *card)
{
    fprintf(to, "%-80.80s", card);
}

static void print_header(FILE *to, const char *title, int side, const char *cards,
                         int ncards)
{
    char card[81];
    int n = 7 + ncards;
    print_card(to, "SIMPLE  =                    T");
    print_card(to, "BITPIX  =                    8");
    print_card(to, "NAXIS   =                    3");
    for (int axis = 1; axis <= 3; axis++) {
        snprintf(card, sizeof card, "NAXIS%d  = %20d", axis, axis < 3 ? side : 3);
        print_card(to, card);
    }
    snprintf(card, sizeof card, "OBJECT  = '%s'", title);
    print_card(to, card);
    fwrite(cards, 80, (size_t)ncards, to);
    print_card(to, "END");
    for (n++; n % 36 != 0; n++) print_card(to, "");
}

/* A FITS cube with the planes red, green, blue. */
static int make_cube(const uint8_t *rgb, int side, const rg_sky *sky, const char *title,
                     char **bytes, size_t *size)
{
    const size_t pixels = (size_t)side * side;
    char *cards;
    int ncards;
    RG_TRY(rg_sky_cards(sky, &cards, &ncards));
    FILE *to = open_memstream(bytes, size);
    if (to == NULL) {
        free(cards);
        return RG_FAIL("out of memory for an RGB image");
    }
    print_header(to, title, side, cards, ncards);
    for (size_t i = 0; i < 3 * pixels; i++) putc(rgb[i % pixels * 3 + i / pixels], to);
    for (size_t i = 3 * pixels; i % 2880 != 0; i++) putc(0, to);
    free(cards);
    int failed = ferror(to);
    if (fclose(to) == 0 && !failed) return 0;
    free(*bytes);
    return RG_FAIL("out of memory for an RGB image");
}

int rg_frames_show(rg_xpa *ds9, const uint8_t *rgb, int side, const rg_sky *sky,
                   const char *title, char number[32])
{
    static const char *const looks[] = {    /* a byte as the brightness it says */
        "rgb channel blue", "scale linear", "scale limits 0 255",
        "rgb channel green", "scale linear", "scale limits 0 255",
        "rgb channel red", "scale linear", "scale limits 0 255", "rgb close",
    };
    char *bytes, lock[32];
    size_t size;
    RG_TRY(rg_xpa_ask(ds9, "lock frame", lock, sizeof lock));
    RG_TRY(make_cube(rgb, side, sky, title, &bytes, &size));
    int status = rg_xpa_set(ds9, "frame new rgb", NULL, 0);
    if (status == 0) status = rg_xpa_set(ds9, "rgbcube", bytes, size);
    free(bytes);
    RG_TRY(status);
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        RG_TRY(rg_xpa_set(ds9, looks[i], NULL, 0));
    if (strcmp(lock, "none") == 0)          /* else the user's frames would zoom too */
        RG_TRY(rg_xpa_set(ds9, "zoom to fit", NULL, 0));
    return rg_xpa_ask(ds9, "frame", number, 32);
}

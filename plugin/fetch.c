/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/detector/claran.h"
#include "core/engine/error.h"
#include "plugin/commands.h"
#include "plugin/frames.h"
#include "plugin/options.h"
#include "plugin/xpa.h"

enum { PLACE = 160 };             /* room for a place [bytes] */

/* What DS9's client calls the surveys, and people. */
typedef struct survey { const char *name, *called; } survey;
static const survey first = { "VLA FIRST (1.4 GHz)", "FIRST" };
static const survey wise = { "WISE 3.4", "WISE W1" };

typedef struct fetch {
    rg_xpa *ds9;                  /* owned */
    const char *where;            /* --where, NULL: here */
    double size;                  /* --size [arcmin] */
    int side;                     /* the same [pixels] */
    char place[PLACE];            /* where, as the client wants it */
    char home[32];                /* the user's frame, "": none */
    bool is_empty;                /* ... and no image in it: it takes the first one */
    char *before;                 /* all frames at the beginning; owned */
    const char *display;          /* single, tile, blink or fade */
} fetch;

/* ---- where ---- */

static bool is_number(const char *text, double low, double high)
{
    char *end;
    double x = strtod(text, &end);
    return end != text && *end == '\0' && x >= low && x <= high;
}

static bool is_sexagesimal(const char *text)
{
    int a, b, end = 0;
    double c;
    return sscanf(text, "%d:%d:%lf%n", &a, &b, &c, &end) == 3 && text[end] == '\0';
}

/* Nothing that Tcl or DS9's parser would take for more than letters. */
static bool is_name(const char *text)
{
    bool letter = false;
    for (const char *c = text; *c; c++) {
        if (!isalnum((unsigned char)*c) && strchr(" +-._*()", *c) == NULL) return false;
        letter |= isalpha((unsigned char)*c) != 0;
    }
    return letter && strlen(text) < PLACE - 16;
}

/* The middle of the view. */
static int place_here(fetch *f)
{
    bool has = false;
    double ra, dec;
    char pan[128] = "";
    if (*f->home != '\0' && !f->is_empty)
        RG_TRY(rg_xpa_has(f->ds9, "frame has wcs celestial", &has));
    if (has) RG_TRY(rg_xpa_ask(f->ds9, "pan wcs icrs degrees", pan, sizeof pan));
    if (sscanf(pan, "%lf %lf", &ra, &dec) != 2)
        return RG_FAIL("DS9 shows no image with celestial coordinates that would say "
                       "where: give a name, or RA and DEC");
    snprintf(f->place, sizeof f->place, "%.7f %.7f degrees", ra, dec);
    return 0;
}

static int find_place(fetch *f)
{
    char ra[40] = "", dec[40] = "", more;
    const char *where = f->where;
    if (where == NULL || *where == '\0' || strcasecmp(where, "here") == 0)
        return place_here(f);
    bool two = sscanf(where, "%39[^ ,]%*[ ,]%39[^ ,] %c", ra, dec, &more) == 2;
    if (two && is_number(ra, 0, 360) && is_number(dec, -90, 90))
        snprintf(f->place, sizeof f->place, "%s %s degrees", ra, dec);
    else if (two && is_sexagesimal(ra) && is_sexagesimal(dec))
        snprintf(f->place, sizeof f->place, "%s %s sexagesimal", ra, dec);
    else if (is_name(where))
        snprintf(f->place, sizeof f->place, "name '%s'", where);
    else
        return RG_FAIL("\"%s\" is no place: give a name such as 3C 219, or RA and DEC "
                       "as 150.1 2.2 [degrees] or 10:00:24 +02:12:00", where);
    return 0;
}

/* ---- DS9's client ---- */

static int say_size(fetch *f, const char *survey_name)
{
    char command[128];
    const double side = f->side * RG_CLARAN_PIXEL;
    static const char *const fresh[] = { "skyview close", "skyview save no",
                                         "skyview frame new" };
    for (int i = 0; i < 3; i++) RG_TRY(rg_xpa_set(f->ds9, fresh[i], NULL, 0));
    snprintf(command, sizeof command, "skyview size %.3f %.3f arcsec", side, side);
    RG_TRY(rg_xpa_set(f->ds9, command, NULL, 0));
    snprintf(command, sizeof command, "skyview pixels %d %d", f->side, f->side);
    RG_TRY(rg_xpa_set(f->ds9, command, NULL, 0));
    snprintf(command, sizeof command, "skyview survey '%s'", survey_name);
    return rg_xpa_set(f->ds9, command, NULL, 0);
}

static bool is_listed(const char *list, const char *number)
{
    size_t length = strlen(number);
    for (const char *at = list; (at = strstr(at, number)) != NULL; at += length)
        if ((at == list || isspace((unsigned char)at[-1]))
            && (at[length] == '\0' || isspace((unsigned char)at[length]))) return true;
    return false;
}

/* Where an image came: a frame that was not there, or the user's if it was empty.
 * `number` is "" where none came. */
static int find_new(fetch *f, char number[32])
{
    bool has;
    RG_TRY(rg_xpa_ask(f->ds9, "frame", number, 32));
    bool is_new = !is_listed(f->before, number);
    if (*number != '\0' && (is_new || (f->is_empty && !strcmp(number, f->home)))) {
        RG_TRY(rg_xpa_has(f->ds9, "frame has fits", &has));
        if (has) return 0;
        if (is_new) RG_TRY(rg_xpa_set(f->ds9, "frame delete", NULL, 0));
    }
    *number = '\0';
    return 0;
}

/* After a name was looked up it is a position, for both images the same. */
static int take_coordinates(fetch *f, char why[256])
{
    char found[PLACE];
    if (strncmp(f->place, "name", 4) != 0) return 0;
    RG_TRY(rg_xpa_ask(f->ds9, "skyview coord", found, sizeof found));
    if (isdigit((unsigned char)*found)) {
        snprintf(f->place, sizeof f->place, "%s", found);
        return 0;
    }
    rg_xpa_set(f->ds9, "skyview close", NULL, 0);
    return RG_FAIL("DS9's name server does not know \"%s\" or cannot be reached: "
                   "give RA and DEC%s%s", f->where, *why ? "; " : "", why);
}

static bool is_blank(const rg_image *image)
{
    const size_t n = (size_t)image->nx * image->ny;
    float low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        low = fminf(low, image->pixels[i]);
        high = fmaxf(high, image->pixels[i]);
    }
    return !(low < high);
}

static int check_image(fetch *f, const survey *s, rg_frame *frame)
{
    RG_TRY(rg_frames_current(f->ds9, frame));
    if (!is_blank(frame->image)) return 0;
    return RG_FAIL("%s has nothing there: it does not cover that part of the sky",
                   s->called);
}

/* Away with a frame that is of no use; the user's was empty and is so again. */
static int drop(fetch *f, rg_frame *frame, const char *number)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%s", rg_error_message());
    rg_xpa_set(f->ds9, strcmp(number, f->home) ? "frame delete" : "frame clear", NULL,
               0);
    rg_frames_clear(frame);
    return RG_FAIL("%s", sentence);
}

static int fetch_one(fetch *f, const survey *s, rg_frame *frame)
{
    char command[PLACE + 16], number[32], why[256] = "";
    RG_TRY(say_size(f, s->name));
    snprintf(command, sizeof command, "skyview %s", f->place);
    if (rg_xpa_set(f->ds9, command, NULL, 0) != 0)
        snprintf(why, sizeof why, "%s", rg_error_message());
    RG_TRY(take_coordinates(f, why));
    RG_TRY(find_new(f, number));
    if (*number != '\0' && check_image(f, s, frame) == 0) return 0;
    if (*number != '\0') return drop(f, frame, number);
    return RG_FAIL("SkyView sent no image of %s: it may be away, or not be reached "
                   "from here (File > Preferences > HTTP names a proxy)%s%s", s->called,
                   *why ? "; " : "; DS9's window of the SkyView server says more at "
                   "Status", why);
}

/* ---- DS9 as it was ---- */

static int look_around(fetch *f)
{
    static const char *const displays[] = { "single", "tile", "blink", "fade" };
    size_t size;
    bool yes = false, fits = false;
    RG_TRY(rg_xpa_get(f->ds9, "frame all", &f->before, &size));
    RG_TRY(rg_xpa_ask(f->ds9, "frame", f->home, sizeof f->home));
    if (*f->home != '\0') RG_TRY(rg_xpa_has(f->ds9, "frame has fits", &fits));
    f->is_empty = !fits;
    for (int i = 0; i < 4 && !yes; i++) {
        f->display = displays[i];
        RG_TRY(rg_xpa_has(f->ds9, f->display, &yes));
    }
    return 0;
}

/* DS9 tiles when it makes a frame for an image. */
static int restore(fetch *f, const char *number)
{
    char command[64];
    snprintf(command, sizeof command, "%s yes", f->display);
    RG_TRY(rg_xpa_set(f->ds9, command, NULL, 0));
    if (*number == '\0') return 0;
    snprintf(command, sizeof command, "frame %s", number);
    return rg_xpa_set(f->ds9, command, NULL, 0);
}

/* Else the user's frames would zoom, too. */
static int fit(fetch *f)
{
    char lock[32];
    RG_TRY(rg_xpa_ask(f->ds9, "lock frame", lock, sizeof lock));
    return strcmp(lock, "none") ? 0 : rg_xpa_set(f->ds9, "zoom to fit", NULL, 0);
}

/* Corner by corner, to a tenth of a pixel. */
static bool is_same_grid(const rg_image *a, const rg_image *b)
{
    if (a->nx != b->nx || a->ny != b->ny) return false;
    for (int i = 0; i < 4; i++) {
        double x = i & 1 ? a->nx : 1, y = i & 2 ? a->ny : 1, ra, dec, bx, by;
        if (rg_sky_to_world(a->sky, x, y, &ra, &dec) != 0
            || rg_sky_to_pixel(b->sky, ra, dec, &bx, &by) != 0
            || !(hypot(bx - x, by - y) < 0.1)) return false;
    }
    return true;
}

static int fetch_both(fetch *f, rg_frame *radio, rg_frame *infrared)
{
    RG_TRY(fetch_one(f, &first, radio));
    RG_TRY(fit(f));
    printf("FIRST is in frame %s\n", radio->number);
    RG_TRY(fetch_one(f, &wise, infrared));
    RG_TRY(fit(f));
    printf("WISE W1 is in frame %s%s\n", infrared->number,
           is_same_grid(radio->image, infrared->image) ? ", on the same grid" : "");
    return rg_xpa_set(f->ds9, "skyview close", NULL, 0);
}

static int run(fetch *f, const char *method)
{
    rg_frame radio = { .size = 0 }, infrared = { .size = 0 };
    RG_TRY(rg_xpa_open(&f->ds9, method));
    RG_TRY(look_around(f));
    RG_TRY(find_place(f));
    if (strncmp(f->place, "name", 4) == 0)   /* Debian's DS9 forgets what it needs */
        rg_xpa_set(f->ds9, "tcl", "package require xml::libxml2", 28);
    printf("DS9 asks SkyView (NASA) for FIRST and WISE W1, %g arcmin about %s,\n"
           "and does not react until they are here: for some seconds, or a minute for "
           "each\nif SkyView does not answer.\n", f->size, f->place);
    int status = fetch_both(f, &radio, &infrared);
    const char *to = *radio.number ? radio.number : f->home;
    if (status != 0) {
        char sentence[512];
        snprintf(sentence, sizeof sentence, "%s", rg_error_message());
        restore(f, to);
        RG_FAIL("%s", sentence);
    } else {
        status = restore(f, to);
    }
    rg_frames_clear(&radio);
    rg_frames_clear(&infrared);
    return status;
}

int rg_fetch_main(int argc, char **argv)
{
    fetch f = { .size = 3 };
    const rg_option options[] = {
        { "where", 'w', RG_OPTION_TEXT, &f.where, 0, 0, "PLACE",
          "a name, RA and DEC, or here: the middle of the view: here" },
        { "size", 's', RG_OPTION_DOUBLE, &f.size, 3, 60, "ARCMIN",
          "of the images:" },
        RG_FOLD_OPTION, { .name = NULL }
    };
    const rg_usage usage = { "ds9 fetch", "XPA_METHOD",
        "Get the images of FIRST and of WISE W1 into two frames of the DS9 at\n"
        "XPA_METHOD, by its own SkyView client, on one grid of 1.375\" pixels.\n"
        "DS9 does not react meanwhile.  PLACE may be \"3C 219\", 140.286,45.649\n"
        "[deg] or 09:21:08.6,+45:38:57.  Other frames stay as they are.", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 1) return rg_options_misuse("claran ds9 fetch wants XPA_METHOD");
    f.side = (int)ceil(f.size * 60 / RG_CLARAN_PIXEL) + 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    setenv("XPA_LONG_TIMEOUT", "200", 0);   /* a name and an image, a minute for each */
    status = run(&f, argv[0]) == 0 ? RG_EXIT_OK : rg_options_problem();
    free(f.before);
    rg_xpa_close(f.ds9);
    return status;
}

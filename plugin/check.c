/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/detector/detect.h"
#include "core/detector/shipped.h"
#include "core/engine/error.h"
#include "core/image/fuse.h"
#include "plugin/access.h"
#include "plugin/commands.h"
#include "plugin/companion.h"
#include "plugin/frames.h"
#include "plugin/options.h"
#include "plugin/xpa.h"

/* The version that was tried. */
#define TRIED "8.4"

static int wrong;                 /* things found so far */

static void say(const char *what, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(const char *what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%-10s ", what);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

static void say_wrong(const char *what, const char *sentence)
{
    say(what, "WRONG: %s", sentence);
    wrong++;
}

/* ---- what is needed without a DS9 ---- */

static void check_model(const char *methods)
{
    char path[RG_SHIPPED_PATH];
    rg_detector *detector = NULL;
    if (rg_shipped_find(NULL, methods, path) != 0
        || rg_detect_open(&detector, path, &rg_detect_defaults) != 0)
        say_wrong("model", rg_error_message());
    else
        say("model", "method %s, runs in %s: %s",
            rg_fuse_name(rg_detect_model(detector)->method),
            rg_backend_precision_name(rg_detect_precision(detector)), path);
    rg_detect_close(detector);
}

static void check_device(void)
{
    const rg_backend *backend;
    char text[RG_BACKEND_TEXT] = "";
    if (rg_backend_find("auto", &backend) != 0) {
        say_wrong("device", rg_error_message());
        return;
    }
    backend->describe(0, text);
    say("device", "%s: %s (claran devices says more)", backend->name, text);
}

/* DS9 stops at a menu in its way that can be executed. */
static void check_menu_file(void)
{
    static const char path[] = "/usr/local/bin/claran.ds9";
    struct stat found;
    char sentence[200];
    if (stat(path, &found) != 0 || !(found.st_mode & 0111)) return;
    snprintf(sentence, sizeof sentence, "%s is executable, at which DS9 stops: "
             "chmod 644 %s", path, path);
    say_wrong("menu", sentence);
}

/* ---- one DS9 ---- */

static void check_sockets(const char *method)
{
    if (*method == '/' && rg_access_is_private(method))
        say("sockets", "private");
    else
        say("sockets", "note: every user of this computer%s can command this DS9, and "
            "through it run programs as you: start DS9 as claran-ds9",
            *method == '/' || strncmp(method, "7f000001", 8) == 0
            || strncmp(method, "127.0.0.1", 9) == 0 ? "" : ", perhaps of others,");
}

static int check_version(rg_xpa *ds9)
{
    char version[128];
    RG_TRY(rg_xpa_ask(ds9, "version", version, sizeof version));
    const char *blank = strrchr(version, ' ');
    const char *number = blank ? blank + 1 : version;
    say("version", "DS9 %s%s", number, strncmp(number, TRIED, strlen(TRIED)) == 0 ? ""
        : " (note: ClaRAN was tried with " TRIED ")");
    return 0;
}

/* DS9 8.4.1 answers with an error where it has no tasks. */
static void check_menu(rg_xpa *ds9)
{
    char *tasks = NULL;
    size_t size;
    if (rg_xpa_get(ds9, "analysis task", &tasks, &size) == 0
        && strstr(tasks, "Detect sources") != NULL)
        say("menu", "Analysis > ClaRAN");
    else
        say_wrong("menu", "this DS9 has not loaded it: start DS9 as claran-ds9, or "
                  "after claran ds9 install, or open claran.ds9 by Analysis > Load "
                  "Analysis Commands...");
    free(tasks);
}

static void describe(const rg_frame *frame, const char *current)
{
    const char *slash = strrchr(frame->file, '/');
    const rg_image *image = frame->image;
    char what[48];
    snprintf(what, sizeof what, "frame %.31s", frame->number);
    if (*frame->problem || image == NULL) {
        say(what, "not usable%s: %s", current, frame->problem);
        return;
    }
    say(what, "%s image%s%s: %s, %d x %d pixels",
        rg_companion_is_infrared(frame) ? "infrared" : "radio",
        current, frame->hidden ? ", hidden" : "",
        slash ? slash + 1 : frame->file, image->nx, image->ny);
}

static int check_frames(rg_xpa *ds9)
{
    rg_frame here = { .size = 0 }, *others;
    int n;
    if (rg_frames_number(ds9, &here) != 0) {
        say("frames", "note: %s", rg_error_message());
        return 0;
    }
    if (rg_frames_current(ds9, &here) != 0)
        snprintf(here.problem, sizeof here.problem, "%s", rg_error_message());
    describe(&here, ", the current one");
    int status = rg_frames_others(ds9, here.number, NULL, &others, &n);
    rg_frames_clear(&here);
    RG_TRY(status);
    for (int i = 0; i < n; i++) describe(&others[i], "");
    rg_frames_free(others, n);
    return 0;
}

static int ask_all(rg_xpa **ds9, const char *method)
{
    RG_TRY(rg_xpa_open(ds9, method));
    RG_TRY(check_version(*ds9));
    check_sockets(method);
    check_menu(*ds9);
    return check_frames(*ds9);
}

static void check_ds9(const char *method)
{
    rg_xpa *ds9 = NULL;
    say("address", "%s", method);
    if (ask_all(&ds9, method) != 0) say_wrong("DS9", rg_error_message());
    rg_xpa_close(ds9);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "(unset)";
}

/* An address is asked itself, a name is looked up. */
static int check_all(const char *target)
{
    char **methods;
    int n;
    say("XPA", "XPA_METHOD %s, XPA_TMPDIR %s", environment("XPA_METHOD"),
        environment("XPA_TMPDIR"));
    if (strpbrk(target, "/:") != NULL) {
        check_ds9(target);
        return 0;
    }
    RG_TRY(rg_xpa_list(target, &methods, &n));
    for (int i = 0; i < n; i++) check_ds9(methods[i]);
    free(methods);
    if (n == 0)
        say_wrong("DS9", "none is found: start one; or, if one runs, give the address "
                  "that its File > XPA > Information shows as XPA_METHOD");
    return 0;
}

int rg_check_main(int argc, char **argv)
{
    const rg_option options[] = { RG_FOLD_OPTION, { .name = NULL } };
    const rg_usage usage = { "ds9 check", "[XPA_METHOD]",
        "Say what ClaRAN finds here: models, device, and of the DS9 at XPA_METHOD\n"
        "(else of all that are found) address, version, menu, frames and whether\n"
        "other users can command it.  What is WRONG is told with its cure, and makes\n"
        "the exit status 1.",
        options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc > 1) return rg_options_misuse("claran ds9 check wants one XPA_METHOD");
    wrong = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    say("claran", "%s", RG_VERSION);
    check_model("D1");
    if (getenv("CLARAN_MODEL") == NULL) check_model("D4 D3");
    check_device();
    check_menu_file();
    if (check_all(argc == 1 ? argv[0] : "*") != 0) return rg_options_problem();
    if (wrong == 0) puts("Nothing is wrong.");
    else printf("%d thing%s wrong.\n", wrong, wrong == 1 ? " is" : "s are");
    return wrong == 0 ? RG_EXIT_OK : RG_EXIT_PROBLEM;
}

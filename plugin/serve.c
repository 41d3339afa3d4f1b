/* SPDX-License-Identifier: MIT */
#include "plugin/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/detector/shipped.h"
#include "core/engine/error.h"
#include "core/engine/gpu/trouble.h"
#include "core/image/fuse.h"
#include "plugin/access.h"
#include "plugin/commands.h"
#include "plugin/options.h"
#include "plugin/turn.h"
#include "plugin/warm.h"
#include "plugin/xpa.h"

enum { WORDS = 64, REQUEST = 3000 };    /* of a request: words, bytes */
enum { IDENTITY = 96 };                 /* room for which program this is */

static const char help[] =
    "detect IMAGE.fits [options]          as claran detect; whole paths\n"
    "ds9 detect XPA_METHOD [options]      as claran ds9\n"
    "status                               what this is\n"
    "stop                                 end\n";

typedef struct server {
    bool stop;
    int served;
    char *model;                  /* $CLARAN_MODEL at the beginning; owned, or NULL */
} server;

/* ---- requests ---- */

/* Words between blanks; "..." holds blanks, in it \ takes the next as it is.  In
 * place; -1: too many, or a quote is missing. */
static int split(char *text, char **words)
{
    int n = 0;
    for (char *from = text; *from; ) {
        from += strspn(from, " \t\n");
        if (*from == '\0') break;
        if (n == WORDS) return -1;
        bool quoted = false;
        char *to = words[n++] = from;
        for (; *from && (quoted || !strchr(" \t\n", *from)); from++) {
            if (*from == '"') quoted = !quoted;
            else if (quoted && *from == '\\' && from[1]) *to++ = *++from;
            else *to++ = *from;
        }
        if (quoted) return -1;
        if (*from) from++;
        *to = '\0';
    }
    return n;
}

static bool join(char *text, size_t size, int n, char **words)
{
    size_t used = 0;
    for (int i = 0; i < n; i++) {
        if (used + 2 * strlen(words[i]) + 4 > size || strchr(words[i], '\n'))
            return false;
        used += (size_t)sprintf(text + used, "%s\"", i ? " " : "");
        for (const char *c = words[i]; *c; c++) {
            if (*c == '"' || *c == '\\') text[used++] = '\\';
            text[used++] = *c;
        }
        used += (size_t)sprintf(text + used, "\"");
    }
    return true;
}

/* ---- a command, and what it prints ---- */

static int read_all(int file, char **text, size_t *size)
{
    struct stat now;
    if (fstat(file, &now) != 0) return RG_FAIL("the answer is lost");
    *size = (size_t)now.st_size;
    *text = malloc(*size + 1);
    if (*text == NULL) return RG_FAIL("out of memory for the answer");
    if (pread(file, *text, *size, 0) != now.st_size) {
        free(*text);
        return RG_FAIL("the answer is lost");
    }
    (*text)[*size] = '\0';
    return 0;
}

/* The command's exit status, with all that it prints in the file. */
static int run_into(int file, int (*command)(int, char **), int argc, char **argv)
{
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    if (out < 0 || err < 0) {
        dprintf(file, "claran: the server has no more files: %s\n", strerror(errno));
        if (out >= 0) close(out);
        return RG_EXIT_PROBLEM;
    }
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    int exit_status = command(argc, argv);
    fflush(stdout);
    clearerr(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    return exit_status;
}

/* `line`: before what was printed comes "exit N". */
static int run_printed(int (*command)(int, char **), int argc, char **argv, bool line,
                       int *exit_status, char **text, size_t *size)
{
    int file = memfd_create("claran", MFD_CLOEXEC);
    if (file < 0) return RG_FAIL("no answer can be written: %s", strerror(errno));
    int status = line && write(file, "exit 0\n", 7) != 7 ? RG_FAIL("the answer is lost")
                                                         : 0;
    if (status == 0) {
        *exit_status = run_into(file, command, argc, argv);
        status = read_all(file, text, size);
    }
    close(file);
    if (status == 0 && line) (*text)[5] = (char)('0' + *exit_status);
    return status;
}

/* Which program this is: after a new one was installed, the old one is none to ask. */
static void identify(char text[IDENTITY])
{
    struct stat exe = { .st_ino = 0 };
    stat("/proc/self/exe", &exe);
    snprintf(text, IDENTITY, "%s:%lu:%ld.%ld", RG_VERSION, (unsigned long)exe.st_ino,
             (long)exe.st_mtim.tv_sec, (long)exe.st_mtim.tv_nsec);
}

static const char *value_of(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 ? word + length : NULL;
}

/* What a plugin says before its command: which program it is, where, and its model.
 * How many words that were. */
static int take_settings(server *s, char **words, int n, bool *plugin)
{
    char own[IDENTITY];
    const char *value, *model = s->model;
    int i = 0;
    if (chdir("/") != 0) return RG_FAIL("there is no /");
    for (; i < n; i++) {
        if ((value = value_of(words[i], "CLARAN_MODEL=")) != NULL) {
            model = *value ? value : NULL;
        } else if ((value = value_of(words[i], "PWD=")) != NULL) {
            if (chdir(value) != 0) return RG_FAIL("%s: %s", value, strerror(errno));
        } else if ((value = value_of(words[i], "PROGRAM=")) != NULL) {
            identify(own);
            *plugin = true;
            s->stop = strcmp(value, own) != 0;
            if (s->stop) return RG_FAIL("this is another program, which ends now");
        } else {
            break;
        }
    }
    if (model != NULL) setenv("CLARAN_MODEL", model, 1);
    else unsetenv("CLARAN_MODEL");
    return i;
}

/* The last sentence of what was printed. */
static int fail_with(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n') text[--length] = '\0';
    const char *start = strrchr(text, '\n');
    start = start ? start + 1 : text;
    if (strncmp(start, "claran: ", 8) == 0) start += 8;
    return RG_FAIL("%s", start);
}

/* After most of its failures a card takes nothing from this process: the next request
 * is for another one, as after the computer has slept. */
static bool has_lost_card(int exit_status)
{
    return rg_warm_left_card() || (exit_status != RG_EXIT_OK
                                   && strstr(rg_error_message(), RG_TROUBLE_GPU));
}

static int run_command(server *s, char **words, int n, bool plugin, char **text,
                       size_t *size)
{
    int exit_status = RG_EXIT_PROBLEM;
    int (*command)(int, char **) = strcmp(words[0], "detect") == 0 ? rg_detect_main
                                                                   : rg_ds9_main;
    int printed = run_printed(command, n, words, plugin, &exit_status, text, size);
    rg_turn_give();
    RG_TRY(printed);
    if (has_lost_card(exit_status)) s->stop = true;
    if (exit_status == RG_EXIT_OK || plugin) return 0;
    int status = fail_with(*text);
    free(*text);
    *text = NULL;
    *size = 0;
    return status;
}

static int print(char **text, size_t *size, const char *answer)
{
    *text = strdup(answer);
    if (*text == NULL) return RG_FAIL("out of memory");
    *size = strlen(answer);
    return 0;
}

static int answer(void *user, const char *request, char **text, size_t *size)
{
    server *s = user;
    char *words[WORDS + 1], copy[4096], line[160];
    bool plugin = false;
    if (strlen(request) >= sizeof copy) return RG_FAIL("the request is too long");
    strcpy(copy, request);
    int n = split(copy, words);
    if (n < 0) return RG_FAIL("the request has too many words, or half a pair of \"");
    words[n] = NULL;
    int first = take_settings(s, words, n, &plugin);
    if (first < 0) return -1;
    const char *verb = first < n ? words[first] : "";
    s->served++;
    if (!strcmp(verb, "detect") || !strcmp(verb, "ds9"))
        return run_command(s, words + first, n - first, plugin, text, size);
    if (!strcmp(verb, "stop")) s->stop = true;
    else if (!strcmp(verb, "help")) return print(text, size, help);
    else if (strcmp(verb, "status") && strcmp(verb, "version"))
        return RG_FAIL("say detect, ds9, status, stop or help, not \"%s\"", verb);
    snprintf(line, sizeof line, "claran %s, %d request%s, %d model%s loaded\n",
             RG_VERSION, s->served, s->served == 1 ? "" : "s", rg_warm_count(),
             rg_warm_count() == 1 ? "" : "s");
    return print(text, size, line);
}

/* ---- the server ---- */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    interrupted = signal;
}

/* Any picture: a network makes its plans when it first runs. */
static int make_picture(rg_image **out)
{
    const int side = RG_CLARAN_SUBJECT;
    rg_sky *sky;
    RG_TRY(rg_sky_new_tangent(&sky, 0, 0, side, RG_CLARAN_PIXEL));
    RG_TRY(rg_image_new(out, side, side, sky));
    for (int i = 0; i < side * side; i++) (*out)->pixels[i] = (float)(i % 7);
    return 0;
}

static int preload_one(const char *methods, const rg_image *picture)
{
    char path[RG_SHIPPED_PATH];
    rg_detector *detector;
    rg_detection *found;
    int n;
    RG_TRY(rg_shipped_find(NULL, methods, path));
    RG_TRY(rg_warm_open(&detector, path, &rg_detect_defaults));
    bool both = rg_fuse_wants_infrared(rg_detect_model(detector)->method);
    int status = rg_detect(detector, picture, both ? picture : NULL, &found, &n);
    if (status == 0) free(found);
    rg_warm_close(detector);
    return status;
}

/* The models of the first requests; one that is not there is told to who asks. */
static void preload(void)
{
    rg_image *picture;
    if (make_picture(&picture) != 0) return;
    preload_one("D1", picture);
    preload_one("D4 D3", picture);
    rg_image_free(picture);
}

static int serve(int idle)
{
    char folder[RG_ACCESS_PATH];
    rg_access *point;
    const char *model = getenv("CLARAN_MODEL");
    server s = { .model = model ? strdup(model) : NULL };
    int status = rg_access_folder(true, folder);
    if (status == 0) status = rg_access_open(&point, folder, answer, &s);
    if (status == RG_ACCESS_TAKEN) puts("claran serves already");
    if (status != 0) {
        free(s.model);
        return status == RG_ACCESS_TAKEN ? 0 : -1;
    }
    printf("XPA_METHOD=local XPA_TMPDIR=%s xpaget claran help\n", folder);
    fflush(stdout);
    rg_warm_begin();
    preload();
    time_t last = time(NULL);
    while (!s.stop && !interrupted && time(NULL) - last < idle) {
        int requests = rg_access_wait(point, 1);
        if (requests < 0) break;
        if (requests > 0) last = time(NULL);
    }
    rg_warm_end();
    rg_access_close(point);
    free(s.model);
    return 0;
}

int rg_serve_main(int argc, char **argv)
{
    int idle = 600;
    const rg_option options[] = {
        { "idle", 0, RG_OPTION_INT, &idle, 1, 86400, "SECONDS",
          "end after so long without a request:" },
        { .name = NULL }
    };
    const rg_usage usage = { "serve", "",
        "Keep the models loaded and detect for others: an XPA access point called\n"
        "claran, for programs of the same user, until nobody has asked for a while.\n"
        "claran ds9 detect asks it by itself where one is there.", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc > 0) return rg_options_misuse("claran serve takes no operands");
    struct sigaction action = { .sa_handler = interrupt };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return serve(idle) == 0 ? RG_EXIT_OK : rg_options_problem();
}

/* ---- those who ask ---- */

static bool is_detection(int argc, char **argv)
{
    return argc > 3 && strcmp(argv[1], "ds9") == 0 && strcmp(argv[2], "detect") == 0
        && argv[3][0] != '-';
}

static bool is_small(const char *method)
{
    rg_xpa *ds9 = NULL;
    char size[64] = "";
    int nx = 0, ny = 0;
    if (rg_xpa_open(&ds9, method) == 0) rg_xpa_ask(ds9, "fits size", size, sizeof size);
    rg_xpa_close(ds9);
    return sscanf(size, "%d %d", &nx, &ny) == 2 && nx > 0 && nx <= RG_SERVE_SIDE
        && ny > 0 && ny <= RG_SERVE_SIDE;
}

static bool compose(char request[REQUEST], int argc, char **argv)
{
    char folder[1024], model[1100], here[1100], program[IDENTITY + 16], own[IDENTITY];
    char *words[WORDS];
    const char *given = getenv("CLARAN_MODEL");
    int n = 0;
    if (argc > WORDS - 4 || getcwd(folder, sizeof folder) == NULL
        || (given && strlen(given) > 1024)) return false;
    snprintf(here, sizeof here, "PWD=%s", folder);
    snprintf(model, sizeof model, "CLARAN_MODEL=%s", given ? given : "");
    identify(own);
    snprintf(program, sizeof program, "PROGRAM=%s", own);
    words[n++] = program;
    words[n++] = here;
    words[n++] = model;
    for (int i = 1; i < argc; i++) words[n++] = argv[i];
    return join(request, REQUEST, n, words);
}

bool rg_serve_forward(int argc, char **argv, int *status)
{
    char folder[RG_ACCESS_PATH], method[RG_ACCESS_PATH], request[REQUEST], *text;
    rg_xpa *point = NULL;
    size_t size;
    int end = 0;
    if (!is_detection(argc, argv) || rg_access_folder(false, folder) != 0
        || !rg_access_find(folder, method) || !compose(request, argc, argv)
        || !is_small(argv[3])) return false;
    bool done = rg_xpa_open(&point, method) == 0
        && rg_xpa_get(point, request, &text, &size) == 0;
    rg_xpa_close(point);
    if (!done) return false;
    done = sscanf(text, "exit %d\n%n", status, &end) == 1 && end == 7;
    if (done) fputs(text + end, stdout);
    free(text);
    return done;
}

bool rg_serve_is_wanted(int argc, char **argv)
{
    const char *wanted = getenv("CLARAN_SERVE");
    return is_detection(argc, argv) && wanted != NULL && strcmp(wanted, "yes") == 0;
}

void rg_serve_start(void)
{
    if (fork() != 0) return;
    int null = open("/dev/null", O_RDWR);
    setsid();
    for (int i = 0; i <= 2; i++) dup2(null, i);
    execl("/proc/self/exe", "claran", "serve", (char *)NULL);
    _exit(1);
}

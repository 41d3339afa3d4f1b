/* SPDX-License-Identifier: MIT */
#include "plugin/access.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xpa.h>

#include "core/engine/error.h"

#define CLASS "CLARAN"
#define NAME "claran"

struct rg_access {
    XPA xpa;                      /* owned */
    int lock;                     /* held while this is open; -1: none */
    rg_access_answer *answer;
    void *user;
    int requests;                 /* so far */
};

/* Of the lock's file: held as long as one serves, and while it answers. */
enum { SERVES, ANSWERS };

static int asker = -1;            /* socket of the request being answered */

/* type: F_WRLCK or F_UNLCK; false: another process has it. */
static bool set_lock(int file, int which, short type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = which,
                          .l_len = 1 };
    return fcntl(file, F_SETLK, &lock) == 0;
}

static bool is_held(int file, int which, pid_t *holder)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = which,
                          .l_len = 1 };
    if (fcntl(file, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return false;
    *holder = lock.l_pid;
    return true;
}

/* ---- where ---- */

bool rg_access_is_private(const char *path)
{
    char folder[RG_ACCESS_PATH];
    struct stat found;
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash; (slash = strrchr(folder, '/')) != NULL && slash != folder; ) {
        *slash = '\0';
        if (stat(folder, &found) == 0 && !(found.st_mode & (S_IXGRP | S_IXOTH)))
            return true;
    }
    return false;
}

/* A folder that was there may be another's, who waits for us. */
static int take_own(const char *folder, bool make)
{
    struct stat found;
    if (make && mkdir(folder, 0700) != 0 && errno != EEXIST)
        return RG_FAIL("%s cannot be made: %s", folder, strerror(errno));
    if (lstat(folder, &found) == 0 && S_ISDIR(found.st_mode)
        && found.st_uid == getuid() && !(found.st_mode & 077)) return 0;
    return RG_FAIL("%s is not a folder of yours that nobody else may enter: remove it, "
                   "or set XDG_RUNTIME_DIR", folder);
}

int rg_access_folder(bool make, char folder[RG_ACCESS_PATH])
{
    const char *method = getenv("XPA_METHOD"), *given = getenv("XPA_TMPDIR");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char own[RG_ACCESS_PATH - 8];
    if (method && given && (!strcmp(method, "local") || !strcmp(method, "unix"))
        && *given == '/' && strlen(given) < RG_ACCESS_PATH
        && rg_access_is_private(given)) {
        strcpy(folder, given);
        return 0;
    }
    if (runtime && *runtime == '/' && access(runtime, W_OK) == 0)
        snprintf(own, sizeof own, "%s/claran", runtime);
    else
        snprintf(own, sizeof own, "/tmp/claran-%lu", (unsigned long)getuid());
    RG_TRY(take_own(own, make));
    snprintf(folder, RG_ACCESS_PATH, "%s/xpa", own);
    return 0;
}

static int list(const char *folder, glob_t *found)
{
    char pattern[RG_ACCESS_PATH + 32];
    snprintf(pattern, sizeof pattern, "%s/" CLASS "_" NAME ".*", folder);
    return glob(pattern, 0, NULL, found);
}

static void name_lock(const char *folder, char path[RG_ACCESS_PATH + 16])
{
    snprintf(path, RG_ACCESS_PATH + 16, "%s/" NAME ".lock", folder);
}

/* As a program is after ^Z. */
static bool is_stopped(pid_t process)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)process);
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    const int n = fscanf(file, "%*d (%*[^)]) %c", &state);
    fclose(file);
    return n == 1 && (state == 'T' || state == 't');
}

/* Whether one serves there and has nothing else to do. */
static bool is_free(const char *folder)
{
    char path[RG_ACCESS_PATH + 16];
    pid_t process;
    name_lock(folder, path);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return false;
    bool is = is_held(file, SERVES, &process) && !is_stopped(process)
              && !is_held(file, ANSWERS, &process);
    close(file);
    return is;
}

bool rg_access_find(const char *folder, char method[RG_ACCESS_PATH])
{
    glob_t found;
    if (!is_free(folder)) return false;
    bool is_there = list(folder, &found) == 0 && found.gl_pathc > 0
        && strlen(found.gl_pathv[0]) < RG_ACCESS_PATH;
    if (is_there) strcpy(method, found.gl_pathv[0]);
    globfree(&found);
    return is_there;
}

/* ---- the access point ---- */

static bool is_same_user(XPA xpa)
{
    struct ucred peer = { .uid = (uid_t)-1 };
    socklen_t size = sizeof peer;
    return getsockopt(xpa_cmdfd(xpa), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
        && peer.uid == getuid();
}

static int send_answer(void *client, void *call, char *request, char **buffer,
                       size_t *size)
{
    rg_access *a = client;
    a->requests++;
    *buffer = NULL;
    *size = 0;
    set_lock(a->lock, ANSWERS, F_WRLCK);
    asker = xpa_cmdfd((XPA)call);
    int status = is_same_user(call)
        ? a->answer(a->user, request ? request : "", buffer, size)
        : RG_FAIL("another user's programs get no answer");
    if (status == 0 && rg_access_is_abandoned()) {       /* libxpa would not free it */
        free(*buffer);
        *buffer = NULL;
        *size = 0;
    }
    asker = -1;
    set_lock(a->lock, ANSWERS, F_UNLCK);
    if (status != 0) XPAError(call, (char *)rg_error_message());
    return status;
}

bool rg_access_is_abandoned(void)
{
    struct pollfd caller = { .fd = asker, .events = POLLRDHUP };
    return asker >= 0 && poll(&caller, 1, 0) == 1
        && (caller.revents & (POLLRDHUP | POLLHUP));
}

/* Who holds the lock is the only one: sockets that are there were left. */
static int take_lock(rg_access *a, const char *folder)
{
    char path[RG_ACCESS_PATH + 16];
    glob_t old;
    name_lock(folder, path);
    a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (a->lock < 0) return RG_FAIL("%s: %s", path, strerror(errno));
    if (!set_lock(a->lock, SERVES, F_WRLCK)) return RG_ACCESS_TAKEN;
    if (list(folder, &old) == 0)
        for (size_t i = 0; i < old.gl_pathc; i++) unlink(old.gl_pathv[i]);
    globfree(&old);
    return 0;
}

int rg_access_open(rg_access **out, const char *folder, rg_access_answer *answer,
                   void *user)
{
    rg_access *a = rg_error_alloc(1, sizeof *a, "XPA");
    if (a == NULL) return -1;
    *a = (rg_access){ .answer = answer, .user = user, .lock = -1 };
    setenv("XPA_METHOD", "local", 1);
    setenv("XPA_TMPDIR", folder, 1);
    setenv("XPA_CLIENT_DOXPA", "false", 1);     /* one request after the other */
    mkdir(folder, 0700);
    int status = take_lock(a, folder);
    if (status == 0) {
        a->xpa = XPANew(CLASS, NAME, "see: man claran", send_answer, a, "", NULL, NULL,
                        "");
        if (a->xpa == NULL)
            status = RG_FAIL("XPA opens no access point in %s", folder);
    }
    if (status == 0) *out = a;
    else rg_access_close(a);
    return status;
}

void rg_access_close(rg_access *a)
{
    if (a == NULL) return;
    if (a->xpa != NULL) XPAFree(a->xpa);
    if (a->lock >= 0) close(a->lock);
    free(a);
}

int rg_access_wait(rg_access *a, int seconds)
{
    int before = a->requests;
    XPAPoll(seconds * 1000, 1);
    if (access(xpa_method(a->xpa), F_OK) != 0)
        return RG_FAIL("the socket %s is gone", xpa_method(a->xpa));
    return a->requests - before;
}

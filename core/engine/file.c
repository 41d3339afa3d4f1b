/* SPDX-License-Identifier: MIT */
#include "core/engine/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/engine/error.h"

#define PART ".part"

rg_file_state rg_file_look(const char *name)
{
    const char *last = strrchr(name, '.'), *digits = last;
    if (last == NULL || strcmp(last, PART) != 0) return RG_FILE_WHOLE;
    while (digits > name && digits[-1] >= '0' && digits[-1] <= '9') digits--;
    if (digits == last || digits == name || digits[-1] != '.') return RG_FILE_WHOLE;
    const long process = strtol(digits, NULL, 10);
    const int gone = process > 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH;
    return gone ? RG_FILE_LEFT : RG_FILE_GROWING;
}

static int is_beside(const char *name, const char *base)
{
    const size_t length = strlen(base);
    return strncmp(name, base, length) == 0 && name[length] == '.'
        && strchr(name + length + 1, '.') == strrchr(name, '.');
}

/* Removes what killed programs left beside the file. */
static void tidy(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char folder[RG_FILE_NAME];
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(base - path) : 1,
             slash ? path : ".");
    DIR *all = opendir(folder);
    if (all == NULL) return;
    for (struct dirent *one; (one = readdir(all)) != NULL; )
        if (is_beside(one->d_name, base) && rg_file_look(one->d_name) == RG_FILE_LEFT)
            unlinkat(dirfd(all), one->d_name, 0);
    closedir(all);
}

static int flush_to_disk(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    const int status = fsync(file) == 0 || errno == EINVAL ? 0 : -1;
    close(file);
    return status;
}

int rg_file_beside(const char *path, char beside[RG_FILE_NAME])
{
    int n = snprintf(beside, RG_FILE_NAME, "%s.%ld" PART, path, (long)getpid());
    if (n < 0 || n >= RG_FILE_NAME) return RG_FAIL("the name %s is too long", path);
    tidy(path);
    unlink(beside);
    return 0;
}

int rg_file_keep(int status, const char *beside, const char *path)
{
    if (status == 0 && flush_to_disk(beside) == 0 && rename(beside, path) == 0)
        return 0;
    if (status == 0) RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    unlink(beside);
    return -1;
}

const char *rg_file_literal(const char *path, char literal[RG_FILE_NAME])
{
    if (*path != '~') return path;
    snprintf(literal, RG_FILE_NAME, "./%s", path);
    return literal;
}

/* SPDX-License-Identifier: MIT */
#include "plugin/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/error.h"

static int make_folder(const char *path)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST) return 0;
    return RG_FAIL("the folder %s cannot be made: %s", path, strerror(errno));
}

/* All folders on the way to `path`. */
static int make_way(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int status = make_folder(path);
        *slash = '/';
        RG_TRY(status);
    }
    return 0;
}

static int place(const char *variable, const char *otherwise, const char *name,
                 char path[RG_FILE_NAME])
{
    const char *base = getenv(variable), *home = getenv("HOME");
    int n;
    if (base != NULL && *base == '/')
        n = snprintf(path, RG_FILE_NAME, "%s/claran/%s", base, name);
    else if (home != NULL && *home == '/')
        n = snprintf(path, RG_FILE_NAME, "%s/%s/claran/%s", home, otherwise, name);
    else
        return RG_FAIL("neither %s nor HOME names a folder", variable);
    if (n >= RG_FILE_NAME - 32) return RG_FAIL("the path in %s is too long", variable);
    return make_way(path);
}

int rg_home_config(const char *name, char path[RG_FILE_NAME])
{
    return place("XDG_CONFIG_HOME", ".config", name, path);
}

int rg_home_cache(const char *name, char path[RG_FILE_NAME])
{
    return place("XDG_CACHE_HOME", ".cache", name, path);
}

static char *read_open(int file, const char *path, long most)
{
    struct stat is;
    if (fstat(file, &is) != 0 || !S_ISREG(is.st_mode) || is.st_size > most) {
        RG_FAIL("%s is no plain file of at most %ld bytes", path, most);
        return NULL;
    }
    char *text = rg_error_alloc((unsigned long)is.st_size + 1, 1, path);
    if (text == NULL) return NULL;
    if (read(file, text, (size_t)is.st_size) != is.st_size)
        RG_FAIL("%s cannot be read", path);
    else if (strlen(text) != (size_t)is.st_size)
        RG_FAIL("%s is no text: byte %zu is 0", path, strlen(text) + 1);
    else
        return text;
    free(text);
    return NULL;
}

char *rg_home_read(const char *path, long most, int *missing)
{
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    *missing = file < 0 && errno == ENOENT;
    if (file < 0) {
        RG_FAIL("%s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    char *text = read_open(file, path, most);
    close(file);
    return text;
}

int rg_home_write(const char *path, const char *text, unsigned long size)
{
    char beside[RG_FILE_NAME];
    RG_TRY(rg_file_beside(path, beside));
    FILE *to = fopen(beside, "w");
    if (to == NULL) return RG_FAIL("%s cannot be written: %s", beside, strerror(errno));
    int status = 0;
    if (fwrite(text, 1, size, to) != size)
        status = RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    if (fclose(to) != 0 && status == 0)
        status = RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    return rg_file_keep(status, beside, path);
}

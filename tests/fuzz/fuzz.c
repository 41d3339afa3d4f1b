/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int take_away(const char *path, const struct stat *what, int kind,
                     struct FTW *at)
{
    (void)what, (void)kind, (void)at;
    return remove(path);
}

static void clear(void)
{
    nftw(folder, take_away, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void)
{
    if (*folder) return folder;
    strcpy(folder, "/dev/shm/claran-fuzz.XXXXXX");
    FUZZ_HOLDS(mkdtemp(folder) != NULL);
    atexit(clear);
    return folder;
}

const char *fuzz_file(const char *name, const void *data, size_t size)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    FILE *file = fopen(path, "wb");
    FUZZ_HOLDS(file != NULL);
    size_t written = fwrite(data, 1, size, file);
    FUZZ_HOLDS(fclose(file) == 0 && written == size);
    return path;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    FUZZ_HOLDS(text != NULL);
    memcpy(text, data, size);
    return text;
}

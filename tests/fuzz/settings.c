/* SPDX-License-Identifier: MIT */
/* Files of one's own folders: the settings, and results kept of an image. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "plugin/kept.h"
#include "plugin/settings.h"
#include "tests/fuzz/fuzz.h"

static rg_image *image;

static void prepare(void)
{
    char path[128];
    rg_sky *sky;
    snprintf(path, sizeof path, "%s/claran", fuzz_folder());
    FUZZ_HOLDS(mkdir(path, 0700) == 0);
    setenv("XDG_CONFIG_HOME", fuzz_folder(), 1);
    setenv("XDG_CACHE_HOME", fuzz_folder(), 1);
    FUZZ_HOLDS(rg_sky_new_tangent(&sky, 150, 30, 9, 1.8) == 0);
    FUZZ_HOLDS(rg_image_new(&image, 9, 9, sky) == 0);
}

/* The input, with its image's grid for "GRID" and a checksum that agrees behind it. */
static void keep(const char *text)
{
    char grid[256], *whole = NULL;
    size_t size;
    const char *mark = strstr(text, "GRID");
    FILE *to = open_memstream(&whole, &size);
    rg_kept_grid(image, grid);
    if (mark) fprintf(to, "%.*s%s", (int)(mark - text), text, grid);
    fprintf(to, "%s\n", mark ? mark + 4 : text);
    fflush(to);
    fprintf(to, "checksum = %08lx\n", crc32(0, (const Bytef *)whole, (uInt)size));
    fclose(to);
    fuzz_file("claran/00000000-0-0.results", whole, size);
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rg_settings settings = rg_settings_default;
    rg_kept kept;
    if (image == NULL) prepare();
    fuzz_file("claran/settings", data, size);
    rg_settings_read(&settings);
    FUZZ_HOLDS(rg_settings_write(&settings) == 0);
    FUZZ_HOLDS(rg_settings_read(&settings) == 0);
    char *text = fuzz_text(data, size);
    keep(text);
    if (rg_kept_find(&kept, image, NULL, NULL, NULL) == 0) {
        FUZZ_HOLDS(kept.n >= 0 && kept.uncovered >= 0);
        rg_kept_clear(&kept);
    }
    free(text);
    return 0;
}

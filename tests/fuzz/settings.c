/* SPDX-License-Identifier: MIT */
/* Files of one's own folders: the settings, results kept of an image, and the plans of
 * a card. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "core/engine/gpu/tune.h"
#include "plugin/kept.h"
#include "plugin/settings.h"
#include "tests/card.h"
#include "tests/fuzz/fuzz.h"

#define PLANS "6736b3657c67e028"         /* of its name */

static rg_image *image;
static rg_device *card;

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
    FUZZ_HOLDS(rg_device_open(&card) == 0);
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

/* Its plans, the input behind the two lines that must be there: a way that there is. */
static void plan(const char *text)
{
    static const char head[] = "claran gpu plans 2\na card that is the host\n";
    const rg_convolution_spec spec = { .in = { 1, 3, 5, 5 }, .out = { 1, 4, 5, 5 },
                                       .size = 3, .stride = 1,
                                       .precision = RG_PRECISION_F32 };
    const size_t size = sizeof head + strlen(text);
    char *whole = malloc(size);
    rg_convolution *made;
    card_ways = 3;
    snprintf(whole, size, "%s%s", head, text);
    fuzz_file("claran/gpu-" PLANS ".txt", whole, size - 1);
    free(whole);
    rg_tune *tune = rg_tune_open(card);
    FUZZ_HOLDS(rg_tune_convolution(tune, card, &made, &spec) == 0);
    FUZZ_HOLDS(rg_convolution_way(made) >= 0 && rg_convolution_way(made) < card_ways);
    rg_convolution_free(made);
    rg_tune_close(tune);
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
    plan(text);
    if (rg_kept_find(&kept, image, NULL, NULL, NULL) == 0) {
        FUZZ_HOLDS(kept.n >= 0 && kept.uncovered >= 0);
        rg_kept_clear(&kept);
    }
    free(text);
    return 0;
}

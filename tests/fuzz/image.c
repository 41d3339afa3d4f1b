/* SPDX-License-Identifier: MIT */
/* FITS images, up to what the network is shown of them. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/detector/detect.h"
#include "core/image/fuse.h"
#include "core/image/image.h"
#include "regions/moc.h"
#include "tests/fuzz/fuzz.h"

enum { PART = 20 };           /* side of what is fused, for speed [pixels] */

static void show(const rg_image *image, const rg_sky *window)
{
    static float planes[2 * RG_CLARAN_SUBJECT * RG_CLARAN_SUBJECT];
    static uint8_t rgb[3 * PART * PART];
    double share, fits[4] = { 1, 1, image->nx, image->ny };
    rg_box box;
    rg_image_cover(image, image, &share);
    rg_detect_planes(RG_METHOD_D4, image, image, window, planes);
    const float *middle = planes + sizeof planes / sizeof *planes / 4;
    for (rg_method method = 0; method < RG_METHODS; method++)
        rg_fuse(method, middle, middle + PART, PART, PART, rgb);
    if (rg_detect_box_to_window(&rg_claran_paper, image, window, fits, &box) == 0)
        rg_detect_box_to_image(&rg_claran_paper, image, window, box, fits);
}

static void map(const rg_image *image)
{
    rg_moc *moc;
    FUZZ_HOLDS(rg_moc_new(&moc, image, image) == 0);
    FUZZ_HOLDS(!(rg_moc_area(moc) > 41253));       /* the whole sky */
    rg_moc_free(moc);
}

/* The process that undoes forged tiles may die: that is no finding, and not written. */
static void be_quiet(void)
{
    FUZZ_HOLDS(chdir("/proc") == 0);
    close(STDERR_FILENO);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return pthread_atfork(NULL, NULL, be_quiet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rg_image *image;
    rg_sky *window;
    if (rg_image_read_memory(&image, data, size, "the input") != 0) return 0;
    if (image->sky != NULL) {
        map(image);
        if (rg_sky_new_window(&window, image->sky, (image->nx + 1) / 2.0,
                              (image->ny + 1) / 2.0, RG_CLARAN_SUBJECT,
                              RG_CLARAN_PIXEL) == 0) {
            show(image, window);
            rg_sky_free(window);
        }
    }
    rg_image_free(image);
    return 0;
}

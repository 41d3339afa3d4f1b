/* SPDX-License-Identifier: MIT */
/* layout: the windows by which an image is searched.
 *
 *     rg_layout layout;
 *     RG_TRY(rg_layout_new(&layout, image, 2));
 *     for (int k = 0; k < layout.total; k++) {
 *         rg_place at = rg_layout_place(&layout, k);
 *         if (rg_layout_window(&layout, at, image->sky, &window) == 0) ...
 *     }
 *
 * An image of up to a window's size is one window about its middle; a larger one is
 * covered by windows of 3' that overlap by half, and, from 4.5' on, by windows of 6'
 * and more for the sources that one of 3' does not hold (the paper's Figure 15).  A
 * window of scale s is 3' x 2^s wide, of as many pixels as one of 3': the network sees
 * a source of 4' as it sees one of 1' in a window of scale 2.
 */
#ifndef RG_LAYOUT_H
#define RG_LAYOUT_H

#include <stdbool.h>

#include "core/detector/detect.h"

#define RG_LAYOUT_SCALES 6         /* of windows, 3' to 96' */

/* Windows of one scale. */
typedef struct rg_layout_grid {
    int nx, ny;           /* along the image's axes */
    double x, y, dx, dy;  /* middle of the first, and steps [FITS pixels] */
    double span[2];       /* image pixels, along its axes, in one of a window's */
} rg_layout_grid;

typedef struct rg_layout {
    rg_layout_grid grid[RG_LAYOUT_SCALES];
    int scales;           /* in use */
    int total;            /* windows of all of them */
} rg_layout;

/* A window: the i-th along the image's x, the j-th along y. */
typedef struct rg_place { int scale, i, j; } rg_place;

/* Side of a pixel of the windows of a scale [arcsec]: 1.375, 2.75 ... */
double rg_layout_pixel(int scale);

/* Windows of up to `scales` (1 to RG_LAYOUT_SCALES) sizes, as far as the image is
 * larger; it needs a WCS.  Fails where they would be more than an hour's work. */
int rg_layout_new(rg_layout *layout, const rg_image *image, int scales);

/* Number k, 0 to total - 1: row by row, finest scale first. */
rg_place rg_layout_place(const rg_layout *layout, int k);

/* Its grid of RG_CLARAN_SUBJECT pixels a side; fails where it is off the sky.  Caller
 * frees. */
int rg_layout_window(const rg_layout *layout, rg_place at, const rg_sky *sky,
                     rg_sky **window);

/* Whether no pixel of the image in that window has a value, or near it: quicker to see
 * than by resampling. */
bool rg_layout_is_blank(const rg_layout *layout, rg_place at, const rg_image *image,
                        const rg_sky *window);

/* Whether it is one window of 3'. */
bool rg_layout_is_subject(const rg_layout *layout);

/* Whether the detection, by its box in the image, is cut by an edge of the window at
 * which the image goes on. */
bool rg_layout_is_cut(const rg_layout *layout, rg_place at, const rg_detection *f);

/* Whether another window shows it better: all of it, where this one cuts it, or all of
 * it and larger. */
bool rg_layout_is_better_elsewhere(const rg_layout *layout, rg_place at,
                                   const rg_detection *f);

#endif

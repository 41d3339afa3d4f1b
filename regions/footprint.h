/* SPDX-License-Identifier: MIT */
/* footprint: which of an image's contour pixels belong to which box.
 *
 *     RG_TRY(rg_footprint_new(&prints, image, noise, 5.196, boxes, n));
 *     rg_footprint f = rg_footprint_of(prints, i);
 *     if (rg_footprint_has(prints, i, x, y)) ...
 *     rg_footprint_free(prints);
 *
 * Contours are islands of pixels at or above `level` times the local sigma.
 *   1. An island is a box's if its brightest pixel is in the box, or half of its flux:
 *      all of it, also what sticks out.
 *   2. A box that has none so takes the contour pixels inside it.
 *   3. What sticks out is not the box's where another one that wants the island holds
 *      it or, outside of all, is nearer.
 * So boxes in one another both have what is in the inner one.
 */
#ifndef RG_FOOTPRINT_H
#define RG_FOOTPRINT_H

#include <stdbool.h>

#include "core/detector/detect.h"
#include "regions/noise.h"

typedef struct rg_footprints rg_footprints;

typedef struct rg_footprint {
    int x1, y1, x2, y2;       /* first and last pixels of its contours, 0-based;
                                 x2 < x1: it has none */
    int islands;              /* whose pixels they are */
    bool shared;              /* with another box, or with what no box is round */
} rg_footprint;

/* Of boxes [n], of which xmin .. ymax count; `image` and `noise` are borrowed while
 * this runs.  level > 0.  Caller frees. */
int rg_footprint_new(rg_footprints **out, const rg_image *image, const rg_noise *noise,
                     double level, const rg_detection *boxes, int n);
void rg_footprint_free(rg_footprints *prints);

rg_footprint rg_footprint_of(const rg_footprints *prints, int box);

/* Number of the island at 0-based pixel x, y + 1, 0 outside of contours and image; and
 * whether this pixel belongs to a box. */
int rg_footprint_island(const rg_footprints *prints, int x, int y);
bool rg_footprint_has(const rg_footprints *prints, int box, int x, int y);

/* First and last pixel [0-based] of the image between pixel edges low and high [FITS]
 * along an axis of n pixels; first > last: none. */
void rg_footprint_range(double low, double high, int n, int *first, int *last);

#endif

/* SPDX-License-Identifier: MIT */
/* count: components and peaks of a source by Radio Galaxy Zoo's arithmetic
 * (shared/spec/data.md).
 *
 *     RG_TRY(rg_count(image, prints, i, 5.196 * sigma, 1.732, 0.764, &c, &p));
 */
#ifndef RG_COUNT_H
#define RG_COUNT_H

#include "regions/footprint.h"

/* Islands above `level` [image's unit], and all their peaks over level x step^k, on the
 * bicubic image of the contours' surroundings, at `spacing` [pixels] along the image's
 * axes; an island is the source's if its brightest pixel lies on the footprint of box
 * number `box`.  Fewer than 4 pixels are no island.  Footprints of more than 2048 such
 * pixels a side are counted on as large ones as that takes. */
int rg_count(const rg_image *image, const rg_footprints *prints, int box, double level,
             double step, double spacing, int *components, int *peaks);

#endif

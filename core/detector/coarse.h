/* SPDX-License-Identifier: MIT */
/* coarse: windows of 6', 12' ... for sources that one of 3' does not hold (the paper's
 * Figure 15).
 *
 * A window of scale s is 3' x 2^s wide, of as many pixels as one of 3': the network
 * sees a source of 4' as it sees one of 1' in a window of scale 2.  What it makes of it
 * counts only where no finer window shows all of it.
 */
#ifndef RG_COARSE_H
#define RG_COARSE_H

#include <stdbool.h>

#include "core/detector/detect.h"

#define RG_COARSE_SCALES 6         /* of windows, 3' to 96' */

/* Side of a pixel of the windows of a scale [arcsec]: 1.375, 2.75 ... */
double rg_coarse_pixel(int scale);

/* Whether the finer of two detections, of which the coarser's box holds it, is a source
 * of its own: whole in its window, and small beside the other. */
bool rg_coarse_is_apart(const rg_detection *finer, const rg_detection *coarser);

#endif

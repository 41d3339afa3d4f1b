/* SPDX-License-Identifier: MIT */
/* picture: detections drawn on their image, for reports and for terminals without DS9,
 * and sheets of labelled images.
 *
 *     RG_TRY(rg_picture_write(image, found, n, "field.png"));
 *
 * All are PNG files, first FITS row at the bottom, written beside and renamed.
 */
#ifndef RG_PICTURE_H
#define RG_PICTURE_H

#include <stdint.h>

#include "core/detector/detect.h"

/* The image as DS9 shows it in log, minmax, cool, small ones enlarged by a whole number
 * to 600 pixels or more, with each box and its label ("2C_3P 0.93"). */
int rg_picture_write(const rg_image *image, const rg_detection *found, int n,
                     const char *path);

/* One image of a sheet; all borrowed. */
typedef struct rg_picture_panel {
    const char *label;        /* of the letters CDFP_.? and digits */
    const uint8_t *rgb;       /* [side][side][3], row 0 at the bottom */
    const rg_box *boxes;      /* [nboxes] to draw; FITS pixels, pixel edges */
    int nboxes;
} rg_picture_panel;

/* n images, three in a row (more than six: six), each pixel three pixels wide, the
 * label above each. */
int rg_picture_write_sheet(const rg_picture_panel *panels, int n, int side,
                           const char *path);

#endif

/* picture: detections drawn on their image, for reports and for terminals without DS9.
 *
 *     RG_TRY(rg_picture_write(image, found, n, "field.png"));
 */
#ifndef RG_PICTURE_H
#define RG_PICTURE_H

#include "core/detector/detect.h"

/* A PNG of the image as DS9 shows it in log, minmax, cool, small ones enlarged by a
 * whole number to 600 pixels or more, first FITS row at the bottom, with each box and
 * its label ("2C_3P 0.93").  Written beside and renamed. */
int rg_picture_write(const rg_image *image, const rg_detection *found, int n,
                     const char *path);

#endif

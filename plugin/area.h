/* SPDX-License-Identifier: MIT */
/* area: the part of a DS9's current frame that is to be searched.
 *
 *     rg_area area; float *whole;
 *     RG_TRY(rg_area_find(&area, ds9, "view", image));
 *     RG_TRY(rg_area_mask(&area, image, &whole));         // and search
 *     rg_area_unmask(image, whole);
 *     if (rg_area_has(&area, ra, dec)) ...
 */
#ifndef RG_AREA_H
#define RG_AREA_H

#include <stdbool.h>

#include "core/image/image.h"
#include "plugin/xpa.h"

enum { RG_AREA_MOST = 64 };

typedef struct rg_area {
    int n;                            /* rectangles; 0: all of the image */
    double rect[RG_AREA_MOST][4];     /* xmin, ymin, xmax, ymax [FITS pixels] */
    const rg_sky *sky;                /* borrowed */
} rg_area;

/* "frame": all; "view": what the window shows, or the square about it where the view is
 * turned; "selected": the rectangles about the regions that are selected. */
int rg_area_find(rg_area *area, rg_xpa *ds9, const char *search, const rg_image *image);

/* Whether a place [deg, ICRS] is in it. */
bool rg_area_has(const rg_area *area, double ra, double dec);

/* Makes what is farther than a window (3') from the area blank, so that it is passed
 * over; *whole gets the pixels as they were (NULL: nothing was done), which unmask puts
 * back. */
int rg_area_mask(const rg_area *area, rg_image *image, float **whole);
void rg_area_unmask(rg_image *image, float *whole);

/* In a few numbers at the end of a key, " area all"; and back. */
void rg_area_print(const rg_area *area, char *text, int size);
void rg_area_read(rg_area *area, const char *key, const rg_image *image);

#endif

/* SPDX-License-Identifier: MIT */
/* contour: lines of equal brightness and the hull round them, as the paper's D3 and D4
 * draw them (section 3.4).
 *
 *     rg_contours lines;
 *     RG_TRY(rg_contour_trace(pixels, 132, 132, 5 * sigma, 2, 14, &lines));
 *     rg_contour_draw(&lines, 0.5, (const uint8_t[]){ 0, 0, 255 }, 132, 132, rgb);
 *     RG_TRY(rg_contour_hull(&lines, 132, 132, inside));
 *     rg_contour_clear(&lines);
 *
 * Points are 0-based pixels: (0, 0) is the centre of the first one.
 */
#ifndef RG_CONTOUR_H
#define RG_CONTOUR_H

#include <stdbool.h>
#include <stdint.h>

#define RG_CONTOUR_BASE 5.0        /* [sigma] outermost level of D3 */
#define RG_CONTOUR_STEP 2.0        /* each next level is so many times higher */
#define RG_CONTOUR_LEVELS 14

/* One line: points first .. first + n - 1 of its contours; a closed one does not repeat
 * its first point. */
typedef struct rg_contour {
    int level;                /* 0: the outermost */
    int first, n;
    bool closed;              /* open ones end at the image's border or at a blank */
} rg_contour;

typedef struct rg_contours {
    rg_contour *lines;        /* owned, by level */
    int nlines;
    float (*points)[2];       /* owned, [npoints] x, y */
    int npoints;
} rg_contours;

/* Lines of pixels [ny][nx] at base x step^k, k = 0 .. levels - 1: marching squares with
 * linear interpolation along cell edges, inside = value >= level; at a saddle the mean
 * of the four corners decides; no line through a cell with a corner that is not finite.
 * base > 0, step > 1.  Clear what comes out; on failure there is nothing to clear. */
int rg_contour_trace(const float *pixels, int nx, int ny, double base, double step,
                     int levels, rg_contours *out);
void rg_contour_clear(rg_contours *contours);

/* The lines drawn over rgb [ny][nx][3], `width` [pixels] thick with round joints and
 * ends, antialiased: a pixel is mixed with the colour by the share of its 8 x 8 samples
 * that lines cover, overlaps counted once. */
int rg_contour_draw(const rg_contours *contours, double width, const uint8_t colour[3],
                     int nx, int ny, uint8_t *rgb);

/* inside [ny][nx]: 1 where the pixel's centre is in or on the convex hull of the
 * corners of the bounding boxes of the outermost level's lines (the authors' hull, D4),
 * which may be a piece of a line or a point; 0 elsewhere; all 0 when there is no
 * line. */
int rg_contour_hull(const rg_contours *contours, int nx, int ny, uint8_t *inside);

#endif

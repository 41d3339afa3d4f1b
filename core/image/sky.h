/* SPDX-License-Identifier: MIT */
/* sky: the celestial coordinates of a 2-D image (the only user of wcslib).
 *
 *     rg_sky *sky;
 *     RG_TRY(rg_sky_new(&sky, cards, ncards, nx, ny));
 *     RG_TRY(rg_sky_to_world(sky, 1.0, 1.0, &ra, &dec));   // centre of the first pixel
 *     rg_sky_free(sky);
 *
 * Pixels are FITS pixels: 1-based, integers at pixel centres, x along NAXIS1.
 * ra, dec [deg] are ICRS; FK5 J2000 is taken as ICRS (they differ by 0.02"); FK4, other
 * equinoxes, galactic and ecliptic frames are rotated to it (FK4's E-terms, under 0.4",
 * are left in).  A sky that is made is never changed: any number of threads may use it.
 */
#ifndef RG_SKY_H
#define RG_SKY_H

#include <stdint.h>

typedef struct rg_sky rg_sky;

/* The celestial axes described by `cards` (ncards x 80 characters, as in a FITS header)
 * of an nx x ny [pixels] image.  Degenerate further axes are held at their first pixel.
 * Fails when there is no celestial pair, or it cannot be inverted at the centre of the
 * image.  SIP and TPV distortions are followed, forwards and back; SCAMP's older use of
 * PVi_j with TAN is a sentence.  Caller frees. */
int rg_sky_new(rg_sky **out, const char *cards, int ncards, int nx, int ny);

/* A gnomonic (RA---TAN) grid of n x n pixels of `pixel` [arcsec], north up, east left,
 * with ra, dec [deg, ICRS] at its middle ((n+1)/2, (n+1)/2).  Caller frees. */
int rg_sky_new_tangent(rg_sky **out, double ra, double dec, int n, double pixel);

/* A gnomonic grid of n x n pixels of `pixel` [arcsec] whose middle is at pixel x, y of
 * `sky`, with the axes of `sky` there (rotation and parity kept), so that boxes on it
 * are boxes on `sky`.  Caller frees. */
int rg_sky_new_window(rg_sky **out, const rg_sky *sky, double x, double y, int n,
                      double pixel);

/* The same, turned: the position angle of +y (north through east) is larger by `turn`
 * [deg]. */
int rg_sky_new_turned(rg_sky **out, const rg_sky *sky, double x, double y, int n,
                      double pixel, double turn);

void rg_sky_free(rg_sky *sky);

/* Pixel to world [deg] and back; -1 where the projection has no answer. */
int rg_sky_to_world(const rg_sky *sky, double x, double y, double *ra, double *dec);
int rg_sky_to_pixel(const rg_sky *sky, double ra, double dec, double *x, double *y);

/* xy [n][2]: the pixels of `to` at the positions of pixels 1..n of row y of `from`; NaN
 * where there is none; within a ten-thousandth of a pixel.  For resampling; much faster
 * than single calls. */
void rg_sky_map_row(const rg_sky *from, double y, int n, const rg_sky *to, double *xy);

/* cells [n]: in which HEALPix cell (NESTED, 12 x 4^order of them, order 0 to 29, in
 * ICRS) the centres of pixels 1..n of row y lie; RG_SKY_NOWHERE where a pixel has no
 * position. */
#define RG_SKY_NOWHERE UINT64_MAX
void rg_sky_cells(const rg_sky *sky, double y, int n, int order, uint64_t *cells);

/* How many pixels of `to`, along its x and its y, one pixel of `from` spans at its
 * pixel x, y: 2, 2 where the pixels of `to` are half as large, however it is turned. */
int rg_sky_span(const rg_sky *from, double x, double y, const rg_sky *to,
                double span[2]);

/* Side of a square of the pixel's area at the image's centre [arcsec]. */
double rg_sky_pixel_arcsec(const rg_sky *sky);

/* Angle on the sky between two positions [deg in, arcsec out]. */
double rg_sky_separation(double ra1, double dec1, double ra2, double dec2);

/* Position angle (north through east) [deg] of the image's +y axis at pixel x, y, and
 * whether x grows towards the west as on most images (+1) or east (-1).  What a DS9 box
 * in icrs needs for its angle. */
int rg_sky_orientation(const rg_sky *sky, double x, double y, double *angle,
                       int *parity);

/* The header cards that say this sky: *cards gets 80-character cards, NUL-terminated as
 * a whole; caller frees with free(). */
int rg_sky_cards(const rg_sky *sky, char **cards, int *ncards);

#endif

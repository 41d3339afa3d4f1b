/* SPDX-License-Identifier: MIT */
/* image: a 2-D FITS image in memory, and what is done to its pixels.
 *
 *     rg_image *field;
 *     RG_TRY(rg_image_read(&field, "FIRST.fits"));
 *     RG_TRY(rg_image_resample(field, window, 132, 132, pixels));
 *     rg_image_free(field);
 */
#ifndef RG_IMAGE_H
#define RG_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/image/sky.h"

typedef struct rg_image {
    int nx, ny;
    float *pixels;        /* [ny][nx], first row = FITS row 1; blanks and infinities are
                             NaN; owned */
    rg_sky *sky;          /* owned; NULL where the header has no celestial WCS */
    char name[1024];      /* the file name, or what the reader was told, for messages */
    char object[72];      /* OBJECT, else "" */
    char unit[72];        /* BUNIT, else "" */
    char survey[72];      /* SURVEY, "unWISE" where UNW_VER is given, else "" */
    char telescope[72];   /* TELESCOP, else "" */
    char band[72];        /* BAND or FILTER as a text, such as "1" of WISE, else "" */
    double wavelength;    /* [m]: WAVELEN, WAVELENG or WAVELNTH in the unit its comment
                             names, else micron (0.1 to 1000); 0 unknown */
    double beam[3];       /* BMAJ, BMIN [arcsec], BPA [deg]; 0 where absent */
    uint32_t checksum;    /* CRC-32 of the pixels as floats: what was looked at */
    char sky_problem[256];/* why sky is NULL, a sentence; "" otherwise */
} rg_image;

/* The first 2-D image of a FITS file: degenerate third and fourth axes dropped, BSCALE,
 * BZERO and BLANK applied, tile compression and .gz undone.  A cube, an empty, a table-
 * only, a truncated file or a file that is no FITS is a sentence.  CFITSIO's extended
 * file name syntax is not used.  At most RG_IMAGE_MAX pixels.  Caller frees. */
#define RG_IMAGE_MAX (1L << 28)
int rg_image_read(rg_image **out, const char *path);

/* The same from `size` bytes in memory, as XPA delivers them; `name`: for messages. */
int rg_image_read_memory(rg_image **out, const void *bytes, size_t size,
                         const char *name);

/* An image of nx x ny NaN pixels; takes over `sky` (may be NULL).  Caller frees. */
int rg_image_new(rg_image **out, int nx, int ny, rg_sky *sky);
void rg_image_free(rg_image *image);

/* Write as a 32-bit float FITS file with its WCS, OBJECT, BUNIT, beam, DATASUM;
 * `history` (NULL or NULL-terminated list of sentences) goes to HISTORY cards.  Written
 * beside and renamed: whole or not at all. */
int rg_image_write(const rg_image *image, const char *path, const char *const *history);

/* The image at the pixel centres of `grid`, out [ny][nx]: bicubic (Keys 1981,
 * a = -1/2); where one of the 16 neighbours is NaN or outside, bilinear of the 4; where
 * one of those is, the nearest if finite, else NaN.  Along an axis of the image on
 * which a pixel of the grid's middle spans s > 1.05 of its pixels the three kernels are
 * s times as wide, so that no detail finer than the grid comes back as a coarse one;
 * the last is then the mean of the finite pixels in s; s > 256 is a sentence.  Surface
 * brightness is kept.  `image` needs a sky. */
int rg_image_resample(const rg_image *image, const rg_sky *grid, int nx, int ny,
                      float *out);

/* The share (0 to 1) of the sky that `a` shows where `b` has values too, from 64 x 64
 * samples of a; where a is blank does not count.  Both need a sky. */
int rg_image_cover(const rg_image *a, const rg_image *b, double *share);

/* Median and noise of n pixels, NaN left out: sigma = 1.4826 x MAD (spec/claran.md).
 * Fails when no pixel is finite. */
int rg_image_noise(const float *pixels, size_t n, double *median, double *sigma);

#endif

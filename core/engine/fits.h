/* SPDX-License-Identifier: MIT */
/* fits: FITS files opened so that what they claim of themselves does no harm.
 *
 *     rg_fits fits;
 *     RG_TRY(rg_fits_open(&fits, path));
 *     int status = rg_fits_check_size(fits.file);     // before memory is taken for it
 *     rg_fits_close(&fits);
 *
 * CFITSIO takes as much memory as a compressed file (gzip, LZW, zip) says it needs:
 * only FITS is given to it, gzip being undone here, and no other compression is.  Nor
 * is a header with a text where it wants a whole number: it writes beyond a buffer.
 */
#ifndef RG_FITS_H
#define RG_FITS_H

#include <fitsio.h>
#include <stddef.h>

#define RG_FITS_MOST (9L << 28)   /* what gzip may hold [bytes]: 2^28 pixels of 8, and
                                     some more */

typedef struct rg_fits {
    fitsfile *file;
    int bytes;                /* a descriptor of the same */
} rg_fits;

/* For reading; extended file names are not understood.  After a failure, a sentence
 * without the file's name, there is nothing to close. */
int rg_fits_open(rg_fits *fits, const char *path);

/* The same of `size` bytes in memory, which are copied. */
int rg_fits_open_memory(rg_fits *fits, const void *bytes, size_t size);

void rg_fits_close(rg_fits *fits);

/* Moves to the next HDU, whose header is looked at first: 0, or 1 where there is none,
 * or -1 and a sentence without the file's name. */
int rg_fits_next(rg_fits *fits);

/* Whether the data of the current HDU are all there. */
int rg_fits_check_size(fitsfile *file);

#endif

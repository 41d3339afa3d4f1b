/* SPDX-License-Identifier: MIT */
/* memfile: FITS files made in memory, so that they are written whole or not at all.
 *
 *     static int fill(fitsfile *fits, const void *what, int *status) { ... }
 *     RG_TRY(rg_memfile_write(fill, ledger, file));
 */
#ifndef RG_MEMFILE_H
#define RG_MEMFILE_H

#include <fitsio.h>
#include <stdio.h>

/* `fill` writes a new file's header and data units; it returns -1 with a sentence, or 0
 * with CFITSIO's status in *status.  The file comes at the end of `to`. */
int rg_memfile_write(int (*fill)(fitsfile *fits, const void *what, int *status),
                     const void *what, FILE *to);

/* -1, with the sentence "WHAT: what CFITSIO says". */
int rg_memfile_fail(int status, const char *what);

#endif

/* SPDX-License-Identifier: MIT */
#include "regions/memfile.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

int rg_memfile_fail(int status, const char *what)
{
    char text[FLEN_STATUS];
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    return RG_FAIL("%s: %s", what, text);
}

/* CFITSIO looks at what it has not written yet: that is 0. */
static void *grow(void *bytes, size_t size)
{
    const size_t had = malloc_usable_size(bytes);
    char *more = realloc(bytes, size);
    if (more != NULL && size > had) memset(more + had, 0, size - had);
    return more;
}

int rg_memfile_write(int (*fill)(fitsfile *fits, const void *what, int *status),
                     const void *what, FILE *to)
{
    size_t size = 2880;
    void *bytes = calloc(size, 1);
    fitsfile *fits = NULL;
    LONGLONG head, data, end = 0;
    int status = 0, closing = 0;
    if (bytes == NULL) return RG_FAIL("out of memory for a FITS file");
    fits_create_memfile(&fits, &bytes, &size, 1 << 20, grow, &status);
    int done = status == 0 ? fill(fits, what, &status) : 0;
    fits_flush_file(fits, &status);
    fits_get_hduaddrll(fits, &head, &data, &end, &status);
    if (fits != NULL) fits_close_file(fits, &closing);
    if (done == 0 && status != 0) done = rg_memfile_fail(status, "a FITS file");
    if (done == 0 && fwrite(bytes, 1, (size_t)end, to) != (size_t)end)
        done = RG_FAIL("out of memory for a FITS file");
    free(bytes);
    return done;
}

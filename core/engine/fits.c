/* SPDX-License-Identifier: MIT */
#include "core/engine/fits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "core/engine/error.h"
#include "core/engine/file.h"

enum { BLOCK = 2880, ROOM = 1 << 16 };

static int write_all(int to, const void *bytes, size_t size)
{
    for (const char *from = bytes; size > 0;) {
        ssize_t n = write(to, from, size);
        if (n <= 0) return RG_FAIL("cannot be kept in memory: %s", strerror(errno));
        from += n;
        size -= (size_t)n;
    }
    return 0;
}

static int inflate_all(gzFile from, int to)
{
    char *room = rg_error_alloc(ROOM, 1, "a compressed file");
    long size = 0;
    int n = 0, status = room ? 0 : -1;
    while (status == 0 && (n = gzread(from, room, ROOM)) > 0) {
        size += n;
        status = size > RG_FITS_MOST
            ? RG_FAIL("is gzip of more than %ld bytes", RG_FITS_MOST)
            : write_all(to, room, (size_t)n);
    }
    free(room);
    if (status == 0 && n < 0) status = RG_FAIL("is damaged: what gzip made is changed");
    return status;
}

static bool is_gzip(int file)
{
    unsigned char first[2] = { 0 };
    return pread(file, first, 2, 0) == 2 && first[0] == 0x1f && first[1] == 0x8b;
}

/* Takes over `file`. */
static int undo_gzip(int file, int *copy)
{
    gzFile from = lseek(file, 0, SEEK_SET) == 0 ? gzdopen(file, "rb") : NULL;
    if (from == NULL) {
        close(file);
        return RG_FAIL("out of memory for a compressed file");
    }
    *copy = memfd_create("claran", MFD_CLOEXEC);
    int status = *copy < 0 ? RG_FAIL("cannot be kept in memory: %s", strerror(errno))
                           : inflate_all(from, *copy);
    if (gzclose(from) != Z_OK && status == 0)
        status = RG_FAIL("is damaged or truncated: what gzip made ends early");
    if (status != 0 && *copy >= 0) close(*copy);
    return status;
}

static int open_file(rg_fits *fits, int file, const char *path)
{
    char first[10] = "", text[FLEN_ERRMSG], literal[RG_FILE_NAME];
    int status = 0;
    if (pread(file, first, 9, 0) < 9 || strcmp(first, "SIMPLE  =") != 0)
        return RG_FAIL("is no FITS file: it does not begin with SIMPLE =");
    path = rg_file_literal(path, literal);
    if (fits_open_diskfile(&fits->file, path, READONLY, &status) == 0) return 0;
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    return RG_FAIL("is no FITS file, or a damaged one (CFITSIO %d: %s)", status, text);
}

/* CFITSIO knows files by their names: the copy's is its own until it is closed. */
static int open_copy(rg_fits *fits)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fits->copy);
    if (open_file(fits, fits->copy, path) == 0) return 0;
    close(fits->copy);
    return -1;
}

int rg_fits_open(rg_fits *fits, const char *path)
{
    *fits = (rg_fits){ .copy = -1 };
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return RG_FAIL("cannot be read: %s", strerror(errno));
    if (is_gzip(file)) {
        RG_TRY(undo_gzip(file, &fits->copy));
        return open_copy(fits);
    }
    int status = open_file(fits, file, path);
    close(file);
    return status;
}

/* Not by fits_open_memfile: CFITSIO 4.2 reads beyond the end of short buffers. */
int rg_fits_open_memory(rg_fits *fits, const void *bytes, size_t size)
{
    *fits = (rg_fits){ .copy = memfd_create("claran", MFD_CLOEXEC) };
    if (fits->copy < 0) return RG_FAIL("cannot be kept: %s", strerror(errno));
    if (write_all(fits->copy, bytes, size) != 0) {
        close(fits->copy);
        return -1;
    }
    if (!is_gzip(fits->copy)) return open_copy(fits);
    RG_TRY(undo_gzip(fits->copy, &fits->copy));
    return open_copy(fits);
}

void rg_fits_close(rg_fits *fits)
{
    int status = 0;
    fits_close_file(fits->file, &status);
    fits_clear_errmsg();
    if (fits->copy >= 0) close(fits->copy);
}

int rg_fits_check_size(fitsfile *file)
{
    LONGLONG head, data, end = 0;
    int status = 0;
    fits_get_hduaddrll(file, &head, &data, &end, &status);
    if (status == 0 && end >= data && end - BLOCK < file->Fptr->filesize) return 0;
    return RG_FAIL("is damaged or truncated: its data end early");
}

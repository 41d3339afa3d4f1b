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

enum { BLOCK = 2880, CARD = 80, ROOM = 1 << 16 };

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

/* CFITSIO 4.2 reads these as whole numbers, and writes its complaint of a value of more
 * than 28 characters that is none beyond its buffer (ffc2j). */
static int check_card(char *card)
{
    static const char *const whole[] = {
        "BITPIX", "NAXIS", "PCOUNT", "BLANK", "ZBITPIX", "ZNAXIS", "ZPCOUNT", "ZBLANK",
        "ZTILE", "ZVAL", "ZDITHER" };
    char name[FLEN_KEYWORD] = "", value[FLEN_VALUE] = "";
    int length, status = 0;
    fits_get_keyname(card, name, &length, &status);
    fits_parse_value(card, value, NULL, &status);
    if (status != 0 || strlen(value) <= 28) return 0;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        const size_t n = strlen(whole[i]);
        if (strncasecmp(name, whole[i], n) == 0
            && name[n + strspn(name + n, "0123456789")] == '\0')
            return RG_FAIL("is damaged: %s = %s, which is no number", name, value);
    }
    return 0;
}

/* The header that begins at `at`, before CFITSIO sees it. */
static int check_header(int file, LONGLONG at)
{
    char block[BLOCK], card[CARD + 1] = "";
    int status = 0;
    bool end = false;
    for (ssize_t n; !end && (n = pread(file, block, BLOCK, (off_t)at)) > 0; at += BLOCK)
        for (int i = 0; status == 0 && !end && i + CARD <= n; i += CARD) {
            memcpy(card, block + i, CARD);
            end = strncmp(card, "END", 3) == 0 && strspn(card + 3, " ") == CARD - 3;
            status = check_card(card);
        }
    fits_clear_errmsg();
    return status;
}

static int cfitsio_failed(int status, const char *what)
{
    char text[FLEN_ERRMSG];
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    return RG_FAIL("%s (CFITSIO %d: %s)", what, status, text);
}

static int open_bytes(rg_fits *fits, const char *path)
{
    char first[10] = "", literal[RG_FILE_NAME];
    int status = 0;
    if (pread(fits->bytes, first, 9, 0) < 9 || strcmp(first, "SIMPLE  =") != 0)
        return RG_FAIL("is no FITS file: it does not begin with SIMPLE =");
    RG_TRY(check_header(fits->bytes, 0));
    path = rg_file_literal(path, literal);
    if (fits_open_diskfile(&fits->file, path, READONLY, &status) == 0) return 0;
    return cfitsio_failed(status, "is no FITS file, or a damaged one");
}

/* Whatever is gzip's is undone first.  CFITSIO knows files by their names: that of a
 * copy (NULL) is its own until it is closed. */
static int open_any(rg_fits *fits, const char *path)
{
    char copy[64];
    if (is_gzip(fits->bytes)) {
        RG_TRY(undo_gzip(fits->bytes, &fits->bytes));
        path = NULL;
    }
    snprintf(copy, sizeof copy, "/proc/self/fd/%d", fits->bytes);
    if (open_bytes(fits, path ? path : copy) == 0) return 0;
    close(fits->bytes);
    return -1;
}

int rg_fits_open(rg_fits *fits, const char *path)
{
    *fits = (rg_fits){ .bytes = open(path, O_RDONLY | O_CLOEXEC) };
    if (fits->bytes < 0) return RG_FAIL("cannot be read: %s", strerror(errno));
    return open_any(fits, path);
}

/* Not by fits_open_memfile: CFITSIO 4.2 reads beyond the end of short buffers. */
int rg_fits_open_memory(rg_fits *fits, const void *bytes, size_t size)
{
    *fits = (rg_fits){ .bytes = memfd_create("claran", MFD_CLOEXEC) };
    if (fits->bytes < 0) return RG_FAIL("cannot be kept: %s", strerror(errno));
    if (write_all(fits->bytes, bytes, size) == 0) return open_any(fits, NULL);
    close(fits->bytes);
    return -1;
}

int rg_fits_next(rg_fits *fits)
{
    LONGLONG end = 0;
    int status = 0;
    fits_get_hduaddrll(fits->file, NULL, NULL, &end, &status);
    if (status == 0) RG_TRY(check_header(fits->bytes, end));
    fits_movrel_hdu(fits->file, 1, NULL, &status);
    if (status == 0) return 0;
    if (status != END_OF_FILE) return cfitsio_failed(status, "is damaged");
    fits_clear_errmsg();
    return 1;
}

void rg_fits_close(rg_fits *fits)
{
    int status = 0;
    fits_close_file(fits->file, &status);
    fits_clear_errmsg();
    close(fits->bytes);
}

int rg_fits_check_size(fitsfile *file)
{
    LONGLONG head, data, end = 0;
    int status = 0;
    fits_get_hduaddrll(file, &head, &data, &end, &status);
    if (status == 0 && end >= data && end - BLOCK < file->Fptr->filesize) return 0;
    return RG_FAIL("is damaged or truncated: its data end early");
}

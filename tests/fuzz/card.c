/* SPDX-License-Identifier: MIT */
/* card: changes to FITS files that leave them FITS files: cards of 80 characters get
 * other values, other words, or come twice; every other time libFuzzer's changes.
 * And their checksums agree. */
#include <fitsio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { CARD = 80 };

static const char *const keys[] = {
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "PCOUNT",
    "GCOUNT", "TFIELDS", "TFORM1", "TTYPE1", "TNULL1", "TSCAL1", "TZERO1", "TDIM1",
    "THEAP", "BSCALE", "BZERO", "BLANK", "ZIMAGE", "ZCMPTYPE", "ZBITPIX", "ZNAXIS",
    "ZNAXIS1", "ZNAXIS2", "ZTILE1", "ZTILE2", "ZNAME1", "ZVAL1", "ZQUANTIZ", "ZBLANK",
    "ZMASKCMP", "CTYPE1", "CTYPE2", "CUNIT1", "CRPIX1", "CRVAL2", "CDELT1", "CROTA2",
    "CD1_1", "PC1_2", "PV2_1", "A_ORDER", "B_ORDER", "A_2_0", "AP_ORDER", "LONPOLE",
    "LATPOLE", "EQUINOX", "RADESYS", "BMAJ", "BPA", "WAVELEN", "EXTNAME", "WFORMAT",
    "NTENSORS", "NETWORK", "WIDTH", "ANCHOR1", "INHERIT", "CONTINUE", "HIERARCH", "END",
};

static const char *const values[] = {
    "0", "1", "-1", "2", "8", "-32", "-64", "64", "16", "999", "32767", "2147483647",
    "-2147483648", "4294967296", "9223372036854775807", "1E308", "-1E-308", "1E999",
    "NaN", "1.5D2", "T", "F", "'IMAGE   '", "'BINTABLE'", "'TABLE   '", "'RA---TAN'",
    "'DEC--TAN'", "'RA---TPV'", "'RA---SIN-SIP'", "'GLON-CAR'", "'DEC--ZPN'",
    "'RA---COE'", "'HPXN-XPH'", "'RICE_1'", "'GZIP_1'", "'GZIP_2'", "'PLIO_1'",
    "'HCOMPRESS_1'", "'1PB(100)'", "'1QI(9)'", "'16A'", "'1E'", "'0J'", "'9999999X'",
    "'(3,4)'", "'BLOCKSIZE'", "'FK4'", "'deg'", "''", "'", "'a&'", "fpn",
};

/* In place of CFITSIO's: every checksum agrees, as those of a forger would. */
int ffvcks(fitsfile *fits, int *data, int *all, int *status)
{
    (void)fits;
    *data = *all = 1;
    return *status;
}

#define ANY(list) list[rand() % (int)(sizeof list / sizeof *list)]

/* Puts n characters into a field of `width`, blanks behind. */
static void put(uint8_t *field, size_t width, const char *text)
{
    size_t n = strlen(text);
    memset(field, ' ', width);
    memcpy(field, text, n < width ? n : width);
}

static void change(uint8_t *card, uint8_t *other)
{
    uint8_t value[CARD];
    switch (rand() % 6) {
    case 0: put(card, 8, ANY(keys)); memcpy(card + 8, "= ", 2); break;
    case 1: put(card + 10, CARD - 10, ANY(values)); break;
    case 2: memcpy(card, other, CARD); break;
    case 3: memcpy(value, card, CARD); memcpy(card, other, CARD);
            memcpy(other, value, CARD); break;
    case 4: memcpy(value, card + 10, CARD - 10);
            for (size_t n = LLVMFuzzerMutate(value, 20, CARD - 10); n < CARD - 10; n++)
                value[n] = ' ';
            memcpy(card + 10, value, CARD - 10); break;
    default: put(card, 8, ANY(keys)); memcpy(card + 8, "= ", 2);
             put(card + 10, CARD - 10, ANY(values));
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    srand(seed);
    if (size < 36 * CARD || memcmp(data, "SIMPLE", 6) != 0 || rand() % 2)
        return LLVMFuzzerMutate(data, size, room);
    const size_t cards = size / CARD;
    for (int i = rand() % 4; i >= 0; i--) {
        size_t a = (size_t)rand() % cards, b = (size_t)rand() % cards;
        if (rand() % 2) a %= 36, b %= 36;        /* headers are the first of them */
        change(data + a * CARD, data + b * CARD);
    }
    return size;
}

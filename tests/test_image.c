/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <dirent.h>
#include <fitsio.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/image/image.h"

/* Scratch files are made in the folder the test runs in. */
#define FILE_NAME "test_image.tmp.fits"

/* ---- help ---- */

static uint32_t state = 1;

static double uniform(void)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) / 16777216.0;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform() + 1e-9)) * cos(2 * M_PI * uniform());
}

static float pixel(const rg_image *image, int x, int y)
{
    return image->pixels[(size_t)y * image->nx + x];
}

/* nx x ny pixels of 1.8" about 150, 30. */
static rg_image *field(int nx, int ny)
{
    rg_sky *sky = NULL;
    rg_image *image = NULL;
    CHECK_OK(rg_sky_new_tangent(&sky, 150, 30, nx, 1.8));
    CHECK_OK(rg_image_new(&image, nx, ny, sky));
    for (int y = 0; y < ny; y++)
        for (int x = 0; x < nx; x++)
            image->pixels[(size_t)y * nx + x] = (float)normal();
    return image;
}

/* A file with one array of the type and shape, closed again; keyword unless NULL. */
static void make(int type, int naxis, long *size, int from, void *values,
                 const char *keyword, double value)
{
    fitsfile *fits;
    int status = 0;
    long n = 1;
    for (int i = 0; i < naxis; i++) n *= size[i];
    remove(FILE_NAME);
    fits_create_diskfile(&fits, FILE_NAME, &status);
    fits_create_img(fits, type, naxis, size, &status);
    if (keyword && strcmp(keyword, "BLANK") == 0)
        fits_write_key_lng(fits, keyword, (long)value, NULL, &status);
    else if (keyword) fits_write_key_dbl(fits, keyword, value, -9, NULL, &status);
    if (keyword) fits_set_bscale(fits, 1, 0, &status);
    if (values) fits_write_img(fits, from, 1, n, values, &status);
    fits_close_file(fits, &status);
    CHECK(status == 0);
}

static void *slurp(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) exit(EXIT_FAILURE);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*size + 1);
    if (bytes == NULL) exit(EXIT_FAILURE);
    CHECK(fread(bytes, 1, *size, file) == *size);
    fclose(file);
    return bytes;
}

/* Whether a card of the first header block begins so. */
static int has_card(const char *bytes, const char *begin)
{
    for (int i = 0; i < 36; i++)
        if (strncmp(bytes + 80 * i, begin, strlen(begin)) == 0) return 1;
    return 0;
}

static void spill(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size);
    if (file) fclose(file);
}

/* ---- reading and writing ---- */

static void written_images_read_back(void)
{
    const char *const history[] = { "made by a test", NULL };
    rg_image *image = field(31, 17), *back = NULL;
    snprintf(image->object, sizeof image->object, "J1000+3000");
    snprintf(image->unit, sizeof image->unit, "Jy/beam");
    snprintf(image->survey, sizeof image->survey, "AllWISE");
    snprintf(image->telescope, sizeof image->telescope, "WISE");
    snprintf(image->band, sizeof image->band, "1");
    image->wavelength = 3.368e-6;
    memcpy(image->beam, (double[]){ 6.4, 5.4, 12 }, sizeof image->beam);
    image->pixels[5] = NAN;
    image->pixels[6] = INFINITY;
    CHECK_OK(rg_image_write(image, FILE_NAME, history));
    CHECK_OK(rg_image_write(image, FILE_NAME, history));    /* replaces */
    CHECK_OK(rg_image_read(&back, FILE_NAME));
    CHECK(back->nx == 31 && back->ny == 17 && strcmp(back->name, FILE_NAME) == 0);
    CHECK(strcmp(back->object, "J1000+3000") == 0);
    CHECK(strcmp(back->unit, "Jy/beam") == 0);
    CHECK(strcmp(back->survey, "AllWISE") == 0 && strcmp(back->telescope, "WISE") == 0);
    CHECK(strcmp(back->band, "1") == 0);
    CHECK_NEAR(back->wavelength, 3.368e-6, 1e-15);
    CHECK_NEAR(back->beam[0], 6.4, 1e-9);
    CHECK_NEAR(back->beam[1], 5.4, 1e-9);
    CHECK_NEAR(back->beam[2], 12, 1e-9);
    CHECK(isnan(back->pixels[5]) && isnan(back->pixels[6]) && back->checksum != 0);
    for (int i = 7; i < 31 * 17; i++) CHECK(back->pixels[i] == image->pixels[i]);
    double ra, dec;
    CHECK_OK(rg_sky_to_world(back->sky, 16, 16, &ra, &dec));
    CHECK_NEAR(rg_sky_separation(ra, dec, 150, 30), 0, 1e-6);
    size_t size = 0;
    char *text = slurp(FILE_NAME, &size);
    CHECK(size == 5760 && has_card(text, "HISTORY made by a test"));
    CHECK(has_card(text, "DATASUM = "));
    free(text);
    rg_image_free(back);
    rg_image_free(image);
    remove(FILE_NAME);
}

static void unwritable_places_are_said(void)
{
    rg_image *image = field(5, 5);
    CHECK_FAILS(rg_image_write(image, "/no/such/x.fits", NULL), "/no/such/x.fits");
    CHECK(mkdir("test_image.tmp.d", 0700) == 0);
    CHECK_FAILS(rg_image_write(image, "test_image.tmp.d", NULL), "cannot be written");
    rmdir("test_image.tmp.d");
    DIR *here = opendir(".");
    for (struct dirent *e; (e = readdir(here)) != NULL;)
        CHECK(strstr(e->d_name, "test_image.tmp.d") == NULL);
    closedir(here);
    rg_image_free(image);
}

static void new_images_are_blank_and_bounded(void)
{
    rg_image *image = NULL;
    rg_sky *sky = NULL;
    CHECK_OK(rg_image_new(&image, 3, 2, NULL));
    for (int i = 0; i < 6; i++) CHECK(isnan(image->pixels[i]));
    rg_image_free(image);
    rg_image_free(NULL);
    CHECK_OK(rg_sky_new_tangent(&sky, 0, 0, 3, 1));
    CHECK_FAILS(rg_image_new(&image, 0, 3, sky), "0 x 3");
    CHECK_FAILS(rg_image_new(&image, 1 << 15, 1 << 15, NULL), "possible");
}

static void scaled_integers_are_decoded(void)
{
    short shorts[6] = { 1, 2, -32768, 4, 5, 6 };
    unsigned short words[6] = { 0, 1, 40000, 65535, 4, 5 };
    long size[2] = { 3, 2 };
    rg_image *image = NULL;
    make(SHORT_IMG, 2, size, TSHORT, shorts, "BLANK", -32768);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    CHECK(isnan(image->pixels[2]) && image->pixels[3] == 4);
    rg_image_free(image);
    make(SHORT_IMG, 2, size, TSHORT, shorts, "BSCALE", 0.5);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    CHECK(image->pixels[0] == 0.5 && image->pixels[2] == -16384);
    CHECK(image->pixels[5] == 3);
    rg_image_free(image);
    make(USHORT_IMG, 2, size, TUSHORT, words, NULL, 0);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    for (int i = 0; i < 6; i++) CHECK(image->pixels[i] == words[i]);
    rg_image_free(image);
    remove(FILE_NAME);
}

static void doubles_beyond_floats_become_nan(void)
{
    double values[6] = { 1e300, -1e300, 1.5, NAN, INFINITY, 1e-300 };
    long size[2] = { 2, 3 };
    rg_image *image = NULL;
    make(DOUBLE_IMG, 2, size, TDOUBLE, values, NULL, 0);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    CHECK(isnan(image->pixels[0]) && isnan(image->pixels[1]));
    CHECK(isnan(image->pixels[3]) && isnan(image->pixels[4]));
    CHECK(image->pixels[2] == 1.5f && image->pixels[5] == 0);
    CHECK(image->sky == NULL && strstr(image->sky_problem, "no celestial WCS"));
    rg_image_free(image);
    remove(FILE_NAME);
}

/* An image whose header has the cards, NULL-terminated. */
static rg_image *image_with(const char *const *cards)
{
    fitsfile *fits;
    int status = 0;
    long size[2] = { 1, 1 };
    float value = 7;
    rg_image *image = NULL;
    remove(FILE_NAME);
    fits_create_diskfile(&fits, FILE_NAME, &status);
    fits_create_img(fits, FLOAT_IMG, 2, size, &status);
    for (; *cards; cards++) fits_write_record(fits, *cards, &status);
    fits_write_img(fits, TFLOAT, 1, 1, &value, &status);
    fits_close_file(fits, &status);
    CHECK(status == 0);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    remove(FILE_NAME);
    return image;
}

static void origins_are_read(void)
{
    const char *const unwise[] = { "UNW_VER = 'v3.5-28-g4ec0488'",
        "BAND    =                    1 / WISE band", NULL };
    const char *const skyview[] = { "SURVEY  = 'WISE 3.4'", "UNW_VER = 'v3'",
        "TELESCOP= 'WISE    '", "FILTER  = 'W1'", NULL };
    rg_image *image = image_with(unwise);
    CHECK(strcmp(image->survey, "unWISE") == 0 && strcmp(image->band, "1") == 0);
    CHECK(image->telescope[0] == '\0' && image->wavelength == 0);
    rg_image_free(image);
    image = image_with(skyview);
    CHECK(strcmp(image->survey, "WISE 3.4") == 0 && strcmp(image->band, "W1") == 0);
    CHECK(strcmp(image->telescope, "WISE") == 0);
    rg_image_free(image);
}

static void wavelengths_are_read_in_their_unit(void)
{
    static const struct { const char *card; double metres; } of[] = {
        { "WAVELEN =                3.368 / [microns] effective wavelength of band",
          3.368e-6 },
        { "WAVELENG=              3.4E-06 / [m] centre of the band", 3.4e-6 },
        { "WAVELNTH=                  171 / [angstrom] bandpass", 171e-10 },
        { "WAVELNTH=                250.0", 250e-6 },
        { "WAVELENG=                 21.1 / [cm]", 0.211 },
        { "WAVELEN =               450.55 / [nm]", 450.55e-9 },
        { "WAVELEN =                6563.", 0 },
        { "WAVELEN =                  -1. / [m]", 0 },
        { "WAVELEN = 'K       '", 0 },
    };
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const char *const cards[] = { of[i].card, NULL };
        rg_image *image = image_with(cards);
        CHECK_NEAR(image->wavelength / (of[i].metres + 1e-30),
                   of[i].metres > 0 ? 1 : 0, 1e-12);
        rg_image_free(image);
    }
}

/* A file of nx x ny bytes, all 0 but one; its holes take no room on the disk. */
static void make_huge(int nx, int ny, long where, unsigned char value)
{
    char block[2881];
    int n = snprintf(block, sizeof block, "%-80s%-80s%-80s%-8s= %20d%50s%-8s= %20d%50s",
        "SIMPLE  =                    T", "BITPIX  =                    8",
        "NAXIS   =                    2", "NAXIS1", nx, "", "NAXIS2", ny, "");
    static const char *const cards[] = { "CTYPE1  = 'RA---TAN'", "CTYPE2  = 'DEC--TAN'",
        "CRVAL1  = 150.0", "CRVAL2  = 30.0", "CRPIX1  = 29000", "CRPIX2  = 1000",
        "CDELT1  = -0.0005", "CDELT2  = 0.0005", "END" };
    for (int i = 0; i < 9; i++)
        n += snprintf(block + n, sizeof block - (size_t)n, "%-80s", cards[i]);
    memset(block + n, ' ', sizeof block - (size_t)n);
    FILE *file = fopen(FILE_NAME, "wb");
    CHECK(file != NULL && fwrite(block, 1, 2880, file) == 2880);
    if (file == NULL) return;
    fseek(file, 2880 + where, SEEK_SET);
    fputc(value, file);
    CHECK(fflush(file) == 0);
    CHECK(ftruncate(fileno(file), 2880 + ((long)nx * ny + 2879) / 2880 * 2880) == 0);
    fclose(file);
}

static void wide_images_are_read_and_vast_ones_refused(void)
{
    rg_image *image = NULL;
    rg_sky *grid = NULL;
    float out[132 * 132];
    make_huge(30000, 2000, 30000L * 1700 + 29000, 200);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    CHECK(image->nx == 30000 && image->ny == 2000);
    CHECK_OK(rg_sky_new_window(&grid, image->sky, 29001, 1701, 132, 1.8));
    CHECK_OK(rg_image_resample(image, grid, 132, 132, out));
    double sum = 0;
    for (int i = 0; i < 132 * 132; i++) sum += out[i];
    CHECK_NEAR(sum, 200, 1);
    rg_sky_free(grid);
    rg_image_free(image);
    make_huge(30000, 30000, 0, 1);
    CHECK_FAILS(rg_image_read(&image, FILE_NAME), "30000 x 30000");
    remove(FILE_NAME);
}

static void one_pixel_is_an_image(void)
{
    float value = 7;
    long size[2] = { 1, 1 };
    rg_image *image = NULL;
    make(FLOAT_IMG, 2, size, TFLOAT, &value, NULL, 0);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    CHECK(image->nx == 1 && image->ny == 1 && image->pixels[0] == 7);
    rg_image_free(image);
    remove(FILE_NAME);
}

static void degenerate_axes_are_dropped_and_cubes_refused(void)
{
    float values[24];
    long flat[4] = { 3, 2, 1, 1 }, cube[4] = { 3, 2, 1, 4 }, line[1] = { 24 };
    rg_image *image = NULL;
    for (int i = 0; i < 24; i++) values[i] = (float)i;
    make(FLOAT_IMG, 4, flat, TFLOAT, values, NULL, 0);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    CHECK(image->nx == 3 && image->ny == 2 && pixel(image, 1, 1) == 4);
    rg_image_free(image);
    make(FLOAT_IMG, 4, cube, TFLOAT, values, NULL, 0);
    CHECK_FAILS(rg_image_read(&image, FILE_NAME), "cube (NAXIS4 = 4)");
    CHECK(image == NULL);
    make(FLOAT_IMG, 1, line, TFLOAT, values, NULL, 0);
    CHECK_FAILS(rg_image_read(&image, FILE_NAME), "1-D");
    make(FLOAT_IMG, 0, NULL, TFLOAT, NULL, NULL, 0);
    CHECK_FAILS(rg_image_read(&image, FILE_NAME), "no image");
    remove(FILE_NAME);
}

static void tables_are_passed_over(void)
{
    fitsfile *fits;
    int status = 0;
    long size[2] = { 2, 2 };
    float values[4] = { 1, 2, 3, 4 };
    char *names[] = { "A" }, *formats[] = { "1J" };
    rg_image *image = NULL;
    remove(FILE_NAME);
    fits_create_diskfile(&fits, FILE_NAME, &status);
    fits_create_img(fits, BYTE_IMG, 0, NULL, &status);
    fits_create_tbl(fits, BINARY_TBL, 3, 1, names, formats, NULL, "T", &status);
    fits_close_file(fits, &status);
    CHECK_FAILS(rg_image_read(&image, FILE_NAME), "only tables");
    fits_open_diskfile(&fits, FILE_NAME, READWRITE, &status);
    fits_movrel_hdu(fits, 1, NULL, &status);
    fits_create_img(fits, FLOAT_IMG, 2, size, &status);
    fits_write_img(fits, TFLOAT, 1, 4, values, &status);
    fits_close_file(fits, &status);
    CHECK(status == 0);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    CHECK(image->nx == 2 && image->pixels[3] == 4);
    rg_image_free(image);
    remove(FILE_NAME);
}

/* Tile compression and gzip, written by CFITSIO, hold what the plain file holds. */
static void compressed_files_are_undone(void)
{
    static const char *const names[] = { "!test_image.tmp.fits[compress GZIP]",
                                         "!test_image.tmp.fits.gz" };
    rg_image *image = field(40, 30), *back = NULL;
    for (int i = 0; i < 2; i++) {
        fitsfile *in, *out;
        int status = 0;
        CHECK_OK(rg_image_write(image, "test_image.tmp.in", NULL));
        fits_open_diskfile(&in, "test_image.tmp.in", READONLY, &status);
        fits_create_file(&out, names[i], &status);
        fits_set_quantize_level(out, 0, &status);
        fits_copy_hdu(in, out, 0, &status);
        fits_close_file(out, &status);
        fits_close_file(in, &status);
        CHECK(status == 0);
        CHECK_OK(rg_image_read(&back, i ? FILE_NAME ".gz" : FILE_NAME));
        CHECK(back->sky != NULL);
        CHECK(memcmp(back->pixels, image->pixels, 40 * 30 * sizeof(float)) == 0);
        rg_image_free(back);
    }
    rg_image_free(image);
    remove(FILE_NAME);
    remove(FILE_NAME ".gz");
    remove("test_image.tmp.in");
}

/* One byte of the tiles changed: said by DATASUM, before CFITSIO trips over it. */
static void damaged_tiles_are_said(void)
{
    fitsfile *fits;
    int status = 0;
    long size[2] = { 40, 30 };
    short values[40 * 30];
    size_t n = 0;
    rg_image *image = NULL;
    for (int i = 0; i < 40 * 30; i++) values[i] = (short)(uniform() * 1000);
    remove(FILE_NAME);
    fits_create_file(&fits, FILE_NAME "[compress RICE]", &status);
    fits_create_img(fits, SHORT_IMG, 2, size, &status);
    fits_write_img(fits, TSHORT, 1, 40 * 30, values, &status);
    fits_write_chksum(fits, &status);
    fits_close_file(fits, &status);
    CHECK(status == 0);
    CHECK_OK(rg_image_read(&image, FILE_NAME));
    for (int i = 0; i < 40 * 30; i++) CHECK(image->pixels[i] == values[i]);
    rg_image_free(image);
    char *bytes = slurp(FILE_NAME, &n);
    bytes[n - 2880 + 100] ^= 1;
    spill(FILE_NAME, bytes, n);
    free(bytes);
    CHECK_FAILS(rg_image_read(&image, FILE_NAME), "DATASUM");
    remove(FILE_NAME);
}

/* Takes the checksums out of a file, so that nothing says what is changed. */
static void forget_checksums(char *bytes, size_t n)
{
    for (size_t i = 0; i + 80 <= n; i += 80)
        if (memcmp(bytes + i, "CHECKSUM", 8) == 0
            || memcmp(bytes + i, "DATASUM ", 8) == 0)
            memcpy(bytes + i, "COMMENT   ", 10);
}

/* A compressed file of n bytes without checksums, which the caller frees. */
static char *tiles(const char *kind, size_t *n)
{
    char name[64];
    long size[2] = { 40, 30 };
    short values[40 * 30];
    int status = 0;
    fitsfile *fits;
    for (int i = 0; i < 40 * 30; i++) values[i] = (short)(uniform() * 1000);
    remove(FILE_NAME);
    snprintf(name, sizeof name, FILE_NAME "[compress %s]", kind);
    fits_create_file(&fits, name, &status);
    fits_create_img(fits, SHORT_IMG, 2, size, &status);
    fits_write_img(fits, TSHORT, 1, 40 * 30, values, &status);
    fits_close_file(fits, &status);
    CHECK(status == 0);
    char *bytes = slurp(FILE_NAME, n);
    forget_checksums(bytes, *n);
    remove(FILE_NAME);
    return bytes;
}

/* A card at `at` of a header. */
static void put_card(char *at, const char *key, const char *value)
{
    memset(at, ' ', 80);
    memcpy(at, key, strlen(key));
    memcpy(at + strlen(key), value, strlen(value));
}

/* Found by tests/fuzz: CFITSIO's complaint was longer than its buffer. */
static void texts_for_numbers_are_said(void)
{
    static const char *const keys[] = {
        "BITPIX  = ", "NAXIS2  = ", "BLANK   = ", "ZBITPIX = ", "ZNAXIS  = ",
        "ZTILE1  = ", "ZVAL1   = ", "ZDITHER0= ", "HIERARCH ztile2 = " };
    const char *text = "'neither a number nor short enough'";
    size_t n = 0;
    char *bytes = tiles("RICE", &n);
    char *at = memmem(bytes, n, "ZSIMPLE =", 9);
    rg_image *image;
    CHECK(at != NULL);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && at != NULL; i++) {
        put_card(at, keys[i], text);
        CHECK_FAILS(rg_image_read_memory(&image, bytes, n, "the frame"), text);
    }
    put_card(at, "ORIGIN  = ", text);
    CHECK_OK(rg_image_read_memory(&image, bytes, n, "the frame"));
    rg_image_free(image);
    free(bytes);
}

/* Found by tests/fuzz: the cards of a header that CFITSIO gives up leaked. */
static void a_header_that_is_given_up_is_freed(void)
{
    size_t n = 0, before = 0;
    char *bytes = tiles("RICE", &n), *at = memmem(bytes, n, "ZBITPIX =", 9);
    rg_image *image;
    CHECK(at != NULL);
    if (at != NULL) put_card(at, "ZBITPIX = ", "-1");
    for (int i = 0; i < 200; i++) {
        CHECK_FAILS(rg_image_read_memory(&image, bytes, n, "the frame"),
                    "the frame has a damaged header");
        if (i == 9) before = mallinfo2().uordblks;
    }
    CHECK(mallinfo2().uordblks < before + 190 * 100);        /* it was 500 each */
    free(bytes);
}

/* What CFITSIO makes of forged tiles is its own affair, in a process of its own. */
static void forged_tiles_are_survived(void)
{
    static const char *const kinds[] = { "RICE", "HCOMPRESS", "PLIO", "GZIP" };
    int refused = 0, read = 0;
    for (int k = 0; k < 4; k++) {
        size_t n = 0;
        char *bytes = tiles(kinds[k], &n), *forged = malloc(n);
        for (int i = 0; i < 60 && forged != NULL; i++) {
            rg_image *image = NULL;
            memcpy(forged, bytes, n);
            for (int hits = 0; hits < 3; hits++)
                forged[2 * 2880 + (int)(uniform() * 1500)] =
                    (char)(int)(uniform() * 256);
            if (rg_image_read_memory(&image, forged, n, "the frame") != 0) refused++;
            else read++;
            rg_image_free(image);
        }
        free(forged);
        free(bytes);
    }
    CHECK(refused > 20 && read > 20 && refused + read == 4 * 60);
}

static void file_names_are_taken_literally(void)
{
    const char *odd = "test_image.tmp[1:3,1:3].fits";
    rg_image *image = field(20, 20), *back = NULL;
    CHECK_OK(rg_image_write(image, odd, NULL));
    CHECK_OK(rg_image_read(&back, odd));
    CHECK(back->nx == 20);
    rg_image_free(back);
    CHECK_FAILS(rg_image_read(&back, "test_image.tmp[1:3,1:3].fits[0]"), "No such");
    rg_image_free(image);
    remove(odd);
}

static void wrong_files_are_said(void)
{
    rg_image *image = NULL;
    char text[5000];
    memset(text, 'x', sizeof text);
    CHECK_FAILS(rg_image_read(&image, "/no/such.fits"), "/no/such.fits cannot");
    CHECK_FAILS(rg_image_read(&image, "/tmp"), "/tmp is no file");
    for (size_t n = 0; n < 5000; n += 999) {
        spill(FILE_NAME, text, n);
        CHECK_FAILS(rg_image_read(&image, FILE_NAME), "is no FITS file");
    }
    CHECK_FAILS(rg_image_read_memory(&image, "", 0, "the frame"), "the frame is empty");
    CHECK_FAILS(rg_image_read_memory(&image, text, 5000, "the frame"), "no FITS");
    remove(FILE_NAME);
}

/* Found by tests/fuzz: CFITSIO believed the length at the end of gzip's files. */
static void gzip_is_not_believed(void)
{
    rg_image *image = field(60, 50), *back = NULL;
    size_t size = 0;
    unlink(FILE_NAME ".gz");
    CHECK_OK(rg_image_write(image, FILE_NAME, NULL));
    char *bytes = slurp(FILE_NAME, &size);
    gzFile to = gzopen(FILE_NAME ".gz", "wb");
    CHECK(gzwrite(to, bytes, (unsigned)size) == (int)size && gzclose(to) == Z_OK);
    free(bytes);
    bytes = slurp(FILE_NAME ".gz", &size);
    CHECK_OK(rg_image_read(&back, FILE_NAME ".gz"));
    CHECK(memcmp(back->pixels, image->pixels, 60 * 50 * sizeof(float)) == 0);
    rg_image_free(back);
    for (int part = 1; part < 4; part++)
        CHECK_FAILS(rg_image_read_memory(&back, bytes, size * part / 4, "the frame"),
                    "the frame is");
    memset(bytes + size - 4, 0xff, 4);        /* it says it holds 4 GiB */
    CHECK_FAILS(rg_image_read_memory(&back, bytes, size, "the frame"), "is damaged");
    to = gzopen(FILE_NAME ".gz", "wb");       /* gzip of gzip is none of FITS */
    CHECK(gzwrite(to, bytes, (unsigned)size) == (int)size && gzclose(to) == Z_OK);
    CHECK_FAILS(rg_image_read(&back, FILE_NAME ".gz"), "is no FITS file");
    rg_image_free(image);
    free(bytes);
    remove(FILE_NAME);
    remove(FILE_NAME ".gz");
}

/* A header that claims an image of a gibibyte is not believed before the file is. */
static void sizes_are_not_believed(void)
{
    rg_image *image = field(60, 50), *back = NULL;
    size_t size = 0;
    CHECK_OK(rg_image_write(image, FILE_NAME, NULL));
    char *bytes = slurp(FILE_NAME, &size);
    memcpy(bytes + 3 * 80 + 25, "16384", 5);
    memcpy(bytes + 4 * 80 + 25, "16384", 5);
    CHECK_FAILS(rg_image_read_memory(&back, bytes, size, "the frame"),
                "the frame is damaged or truncated: its data end early");
    rg_image_free(image);
    free(bytes);
    remove(FILE_NAME);
}

/* Cut at any length, from a file or memory: a sentence, never an image. */
static void truncated_files_are_said(void)
{
    rg_image *image = field(60, 50), *back = NULL;
    size_t size = 0, data = 60 * 50 * 4;
    CHECK_OK(rg_image_write(image, FILE_NAME, NULL));
    char *bytes = slurp(FILE_NAME, &size);
    CHECK(size == 2880 + 5 * 2880);
    for (size_t n = 1; n < 2880 + data; n += 613) {
        spill(FILE_NAME, bytes, n);
        CHECK_FAILS(rg_image_read(&back, FILE_NAME), FILE_NAME " is");
        CHECK_FAILS(rg_image_read_memory(&back, bytes, n, "the frame"), "the frame is");
    }
    CHECK_OK(rg_image_read_memory(&back, bytes, size, "the frame"));
    CHECK(strcmp(back->name, "the frame") == 0 && back->sky != NULL);
    CHECK(memcmp(back->pixels, image->pixels, data) == 0);
    rg_image_free(back);
    rg_image_free(image);
    free(bytes);
    remove(FILE_NAME);
}

/* Bytes of the header changed at random: never a crash (sanitizers look on). */
static void damaged_headers_do_no_harm(void)
{
    rg_image *image = field(20, 20), *back = NULL;
    size_t size = 0;
    CHECK_OK(rg_image_write(image, FILE_NAME, NULL));
    char *bytes = slurp(FILE_NAME, &size), *damaged = malloc(size);
    for (int round = 0; round < 1000; round++) {
        memcpy(damaged, bytes, size);
        for (int i = 0; i < 4; i++)
            damaged[(size_t)(uniform() * 2880)] = (char)(32 + uniform() * 95);
        if (rg_image_read_memory(&back, damaged, size, "the frame") == 0)
            CHECK(back->nx >= 1 && back->ny >= 1);
        rg_image_free(back);
    }
    free(damaged);
    free(bytes);
    rg_image_free(image);
    remove(FILE_NAME);
}

static void checksums_follow_the_pixels(void)
{
    rg_image *image = field(9, 9), *a = NULL, *b = NULL, *c = NULL;
    CHECK_OK(rg_image_write(image, FILE_NAME, NULL));
    CHECK_OK(rg_image_read(&a, FILE_NAME));
    CHECK_OK(rg_image_read(&b, FILE_NAME));
    image->pixels[80] += 1;
    CHECK_OK(rg_image_write(image, FILE_NAME, NULL));
    CHECK_OK(rg_image_read(&c, FILE_NAME));
    CHECK(a->checksum == b->checksum && a->checksum != c->checksum);
    rg_image_free(a);
    rg_image_free(b);
    rg_image_free(c);
    rg_image_free(image);
    remove(FILE_NAME);
}

/* ---- threads ---- */

static uint32_t wanted;

static void *read_often(void *wrong)
{
    for (int i = 0; i < 100; i++) {
        rg_image *image = NULL;
        if (rg_image_read(&image, FILE_NAME) != 0 || image->checksum != wanted
            || image->sky == NULL) *(int *)wrong = 1;
        rg_image_free(image);
    }
    return NULL;
}

static void threads_read_one_file(void)
{
    pthread_t thread[4];
    int wrong[4] = { 0 };
    rg_image *image = field(100, 100), *back = NULL;
    CHECK_OK(rg_image_write(image, FILE_NAME, NULL));
    CHECK_OK(rg_image_read(&back, FILE_NAME));
    wanted = back->checksum;
    for (int i = 0; i < 4; i++) pthread_create(&thread[i], NULL, read_often, &wrong[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        CHECK(wrong[i] == 0);
    }
    rg_image_free(back);
    rg_image_free(image);
    remove(FILE_NAME);
}

/* ---- resampling ---- */

static double parabola(double x, double y)
{
    return 1 + 0.02 * x - 0.01 * y + 0.003 * x * x - 0.002 * x * y + 0.001 * y * y;
}

/* Keys' kernel reproduces second degree, to whatever grid. */
static void resampling_is_exact_for_parabolas(void)
{
    enum { N = 80 };
    float out[N * N];
    rg_image *image = field(60, 60);
    rg_sky *grid = NULL;
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 60; x++)
            image->pixels[y * 60 + x] = (float)parabola(x + 1, y + 1);
    CHECK_OK(rg_sky_new_window(&grid, image->sky, 31.3, 29.8, N, 0.9));
    CHECK_OK(rg_image_resample(image, grid, N, N, out));
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++)
            CHECK_NEAR(out[y * N + x],
                       parabola(31.3 + (x - 39.5) / 2, 29.8 + (y - 39.5) / 2), 3e-5);
    rg_sky_free(grid);
    rg_image_free(image);
}

static void resampling_to_itself_changes_nothing(void)
{
    float out[32 * 32];
    rg_image *image = field(32, 32);
    CHECK_OK(rg_image_resample(image, image->sky, 32, 32, out));
    for (int i = 0; i < 32 * 32; i++) CHECK_NEAR(out[i], image->pixels[i], 1e-5);
    rg_image_free(image);
}

/* Columns and rows that each fall-back of the header's rule decides. */
static void blanks_fall_back_step_by_step(void)
{
    float out[20 * 20];
    rg_image *image = field(20, 20);
    rg_sky *grid = NULL;
    for (int i = 0; i < 400; i++) image->pixels[i] = (float)(i % 20 * (i % 20));
    image->pixels[10 * 20 + 10] = NAN;
    CHECK_OK(rg_sky_new_window(&grid, image->sky, 10.75, 10.75, 20, 1.8));
    CHECK_OK(rg_image_resample(image, grid, 20, 20, out));       /* at +0.25, +0.25 */
    CHECK_NEAR(out[5 * 20 + 5], 5.25 * 5.25, 1e-4);              /* bicubic */
    CHECK_NEAR(out[10 * 20 + 8], 0.75 * 64 + 0.25 * 81, 1e-3);   /* bilinear */
    CHECK_NEAR(out[9 * 20 + 9], 81, 1e-3);                       /* nearest */
    CHECK(isnan(out[10 * 20 + 10]));
    CHECK_NEAR(out[5 * 20 + 9], 9.25 * 9.25, 1e-3);
    CHECK_NEAR(out[5 * 20 + 0], 0.25, 1e-3);                     /* edge: bilinear */
    CHECK_NEAR(out[5 * 20 + 19], 361, 1e-3);                     /* edge: nearest */
    rg_sky_free(grid);
    CHECK_OK(rg_sky_new_window(&grid, image->sky, 30.75, 10.75, 20, 1.8));
    CHECK_OK(rg_image_resample(image, grid, 20, 20, out));
    for (int i = 0; i < 400; i++) CHECK(isnan(out[i]));          /* outside */
    rg_sky_free(grid);
    rg_image_free(image);
}

/* ---- resampling between skies ---- */

enum { GRID = 132, LATTICE = 4, SOURCES = LATTICE * LATTICE };
#define FWHM 6.1              /* [arcsec], of WISE W1 */

/* An image of point sources: its projection, the latitude [deg] of its reference point,
 * its pixel [arcsec], rotation [deg], parity; how far from its middle the reference
 * point is along x and y [deg]; its size; further cards. */
typedef struct frame {
    const char *ctype[2];
    double lat, pixel, turn, parity, off;
    int nx, ny;
    const char *cards[8];
} frame;

static rg_image *frame_image(const frame *f)
{
    char text[20 * 80 + 1] = "";
    double away = f->off * 3600 / f->pixel;
    double c = cos(f->turn * M_PI / 180) * f->pixel / 3600;
    double s = sin(f->turn * M_PI / 180) * f->pixel / 3600;
    const struct { const char *name; double value; } number[] = {
        { "CRVAL1", 150 }, { "CRVAL2", f->lat }, { "CRPIX1", (f->nx + 1) / 2.0 + away },
        { "CRPIX2", (f->ny + 1) / 2.0 + away }, { "CD1_1", -f->parity * c },
        { "CD1_2", s }, { "CD2_1", f->parity * s }, { "CD2_2", c } };
    rg_sky *sky = NULL;
    rg_image *image = NULL;
    int n = 0;
    for (; n < 2; n++) sprintf(text + 80 * n, "CTYPE%d  = '%-68s'", n + 1, f->ctype[n]);
    for (; n < 10; n++)
        sprintf(text + 80 * n, "%-8s= %70.15f", number[n - 2].name,
                number[n - 2].value);
    for (int i = 0; i < 8 && f->cards[i]; i++)
        sprintf(text + 80 * n++, "%-80s", f->cards[i]);
    CHECK_OK(rg_sky_new(&sky, text, n, f->nx, f->ny));
    CHECK_OK(rg_image_new(&image, f->nx, f->ny, sky));
    return image;
}

/* Gaussians of FWHM and height 1 at SOURCES positions ra, dec, seen from every pixel.
 */
static void put_sources(rg_image *image, double (*at)[2])
{
    for (int i = 0; i < image->nx * image->ny; i++) {
        double ra, dec, value = 0;
        CHECK_OK(rg_sky_to_world(image->sky, i % image->nx + 1, i / image->nx + 1, &ra,
                                 &dec));
        for (int k = 0; k < SOURCES; k++) {
            if (!(fabs(dec - at[k][1]) < 0.006)) continue;
            double t = rg_sky_separation(ra, dec, at[k][0], at[k][1]) / FWHM;
            value += exp(-4 * M_LN2 * t * t);
        }
        image->pixels[i] = (float)value;
    }
}

/* Sum and centroid [FITS pixels] of the pixels within 9 of pixel x, y. */
static double measure(const float *pixels, double x, double y, double at[2])
{
    double sum = 0, sx = 0, sy = 0;
    int i0 = (int)lround(x), j0 = (int)lround(y);
    for (int j = j0 - 9; j <= j0 + 9; j++)
        for (int i = i0 - 9; i <= i0 + 9; i++) {
            double value = pixels[(j - 1) * GRID + i - 1];
            sum += value;
            sx += value * i;
            sy += value * j;
        }
    at[0] = sx / sum;
    at[1] = sy / sum;
    return sum;
}

/* SOURCES positions on the grid, jittered, in its pixels and on the sky. */
static void scatter(const rg_sky *grid, double (*pixel)[2], double (*world)[2])
{
    for (int k = 0; k < SOURCES; k++) {
        pixel[k][0] = 66.5 + (k % LATTICE - 1.5) * 28 + 4 * uniform();
        pixel[k][1] = 66.5 + (k / LATTICE - 1.5) * 28 + 4 * uniform();
        CHECK_OK(rg_sky_to_world(grid, pixel[k][0], pixel[k][1], &world[k][0],
                                 &world[k][1]));
    }
}

/* The subject's grid of a radio image (SIN, rotated, reference point outside) at the
 * middle of the other. */
static rg_sky *subject_grid(const rg_image *image)
{
    static const frame radio = { { "RA---SIN", "DEC--SIN" }, 49.7, 1.8, 20, 1, 0.3, 100,
                                 100, { NULL } };
    double ra, dec, x, y;
    rg_image *from = frame_image(&radio);
    rg_sky *grid = NULL;
    CHECK_OK(rg_sky_to_world(image->sky, (image->nx + 1) / 2.0, (image->ny + 1) / 2.0,
                             &ra, &dec));
    CHECK_OK(rg_sky_to_pixel(from->sky, ra, dec, &x, &y));
    CHECK_OK(rg_sky_new_window(&grid, from->sky, x, y, GRID, 1.375));
    rg_image_free(from);
    return grid;
}

/* Sources put in the frame by position stand at their positions on the grid, within a
 * twentieth of a pixel, with their flux within half a per cent. */
static void sources_come_from(const frame *f)
{
    static float out[GRID * GRID];
    double pixel[SOURCES][2], world[SOURCES][2], at[2], most[2] = { 0 };
    double whole = M_PI / (4 * M_LN2) * pow(FWHM / 1.375, 2);
    rg_image *image = frame_image(f);
    rg_sky *grid = subject_grid(image);
    scatter(grid, pixel, world);
    put_sources(image, world);
    CHECK_OK(rg_image_resample(image, grid, GRID, GRID, out));
    for (int k = 0; k < SOURCES; k++) {
        double flux = measure(out, pixel[k][0], pixel[k][1], at) / whole - 1;
        double off = hypot(at[0] - pixel[k][0], at[1] - pixel[k][1]);
        CHECK_NEAR(off, 0, 0.05);
        CHECK_NEAR(flux, 0, 0.005);
        most[0] = fmax(most[0], off);
        most[1] = fmax(most[1], fabs(flux));
    }
    if (getenv("RG_SHOW"))
        printf("# %s %g\" turned by %g: off by %.4f pixel, flux by %.4f\n", f->ctype[0],
               f->pixel, f->turn, most[0], most[1]);
    rg_sky_free(grid);
    rg_image_free(image);
}

static void sources_stay_where_they_are(void)
{
    static const frame frames[] = {
        { { "RA---TAN", "DEC--TAN" }, 50, 1.375, 0, 1, 0, 200, 200, { NULL } },
        { { "RA---TAN", "DEC--TAN" }, 50, 1.375, 37, 1, 0.5, 200, 200, { NULL } },
        { { "RA---TAN", "DEC--TAN" }, 50, 1.375, 300, -1, 0.5, 200, 200, { NULL } },
        { { "RA---SIN", "DEC--SIN" }, 50, 1.375, 0, 1, 0.7, 200, 200, { NULL } },
        { { "RA---NCP", "DEC--NCP" }, 50, 1.375, 160, 1, -0.7, 200, 200, { NULL } },
        { { "RA---CAR", "DEC--CAR" }, 0, 1.375, 0, 1, -50, 300, 200, { NULL } },
        { { "RA---CAR", "DEC--CAR" }, 50, 1.375, 80, -1, 0.2, 200, 200, { NULL } },
        { { "GLON-TAN", "GLAT-TAN" }, 40, 1.375, 45, 1, 0, 200, 200, { NULL } },
        { { "RA---TAN-SIP", "DEC--TAN-SIP" }, 50, 1.375, 10, 1, 0, 200, 200,
          { "A_ORDER = 2", "B_ORDER = 2", "A_2_0   = 2e-4", "A_1_1   = -3e-4",
            "B_0_2   = 1e-4", "B_2_0   = -2e-4" } },
        { { "RA---TPV", "DEC--TPV" }, 50, 1.375, 10, 1, 0, 200, 200,
          { "PV1_1   = 1.01", "PV1_4   = 0.3", "PV2_1   = 0.99", "PV2_6   = 0.2" } },
        { { "RA---TAN", "DEC--TAN" }, 50, 2.75, 10, 1, 0.5, 100, 100, { NULL } },
        { { "RA---TAN", "DEC--TAN" }, 50, 0.6, 123, -1, 0.5, 440, 440, { NULL } },
        { { "RA---CAR", "DEC--CAR" }, 0, 0.6, 0, 1, -50, 700, 440, { NULL } },
    };
    for (size_t k = 0; k < sizeof frames / sizeof *frames; k++)
        sources_come_from(&frames[k]);
}

/* The fall-backs of the header's rule again, on a grid of twice the pixel. */
static void blanks_fall_back_on_coarse_grids_too(void)
{
    enum { N = 21 };
    float out[N * N];
    rg_image *image = field(40, 40);
    rg_sky *grid = NULL;
    for (int i = 0; i < 1600; i++)
        image->pixels[i] = (float)((i % 40 + 1) * (i % 40 + 1));
    image->pixels[19 * 40 + 19] = NAN;
    CHECK_OK(rg_sky_new_window(&grid, image->sky, 20.25, 20.25, N, 3.6));
    CHECK_OK(rg_image_resample(image, grid, N, N, out));
    CHECK_NEAR(out[10 * N + 12], 24.25 * 24.25, 1e-2);           /* bicubic */
    CHECK_NEAR(out[10 * N + 11], 22.25 * 22.25 + 0.6875, 1e-2);  /* bilinear */
    CHECK_NEAR(out[10 * N + 10], (400 + 2 * 441) / 3.0, 1e-2);   /* mean of 3 */
    CHECK_NEAR(out[5 * N + 1], 5.75, 1e-2);                      /* edge: bilinear */
    CHECK_NEAR(out[5 * N + 20], 1600, 1e-2);                     /* edge: mean */
    CHECK(isnan(out[5 * N + 0]) && isnan(out[0 * N + 5]));       /* outside */
    for (int i = 0; i < 9; i++)
        image->pixels[(18 + i / 3) * 40 + 18 + i % 3] = NAN;
    CHECK_OK(rg_image_resample(image, grid, N, N, out));
    CHECK(isnan(out[10 * N + 10]) && isfinite(out[10 * N + 11]));
    rg_sky_free(grid);
    rg_image_free(image);
}

/* Stripes finer than the grid fade as the transform of Keys' kernel has it, instead of
 * coming back as coarse; noise is averaged: 57/70 is the integral of its square. */
static void coarse_grids_show_no_fine_stripes(void)
{
    enum { N = 60 };
    const double s = 2.75, left[] = { 0.005, 0.005, 0.13 };
    static float out[N * N];
    rg_sky *grid = NULL;
    rg_image *image = field(240, 240);
    double sum = 0;
    CHECK_OK(rg_sky_new_window(&grid, image->sky, 120.3, 120.7, N, s * 1.8));
    CHECK_OK(rg_image_resample(image, grid, N, N, out));
    for (int i = 0; i < N * N; i++) sum += (double)out[i] * out[i];
    CHECK_NEAR(sqrt(sum / (N * N)), 57.0 / 70 / s, 0.02);
    for (int period = 2; period <= 4; period++) {
        double most = 0;
        for (int i = 0; i < 240 * 240; i++)
            image->pixels[i] = (float)cos(2 * M_PI * (i % 240) / period);
        CHECK_OK(rg_image_resample(image, grid, N, N, out));
        for (int i = 0; i < N; i++) most = fmax(most, fabs(out[N / 2 * N + i]));
        CHECK_NEAR(most, 0, left[period - 2]);
    }
    rg_sky_free(grid);
    rg_image_free(image);
}

static void absurdly_coarse_grids_are_refused(void)
{
    float out[4];
    rg_image *image = field(50, 50);
    rg_sky *grid = NULL;
    CHECK_OK(rg_sky_new_window(&grid, image->sky, 25, 25, 2, 200 * 1.8));
    CHECK_OK(rg_image_resample(image, grid, 2, 2, out));
    rg_sky_free(grid);
    CHECK_OK(rg_sky_new_window(&grid, image->sky, 25, 25, 2, 300 * 1.8));
    CHECK_FAILS(rg_image_resample(image, grid, 2, 2, out), "300 of its pixels");
    rg_sky_free(grid);
    rg_image_free(image);
}

static void no_sky_no_resampling(void)
{
    float out[4];
    rg_image *image = NULL;
    rg_sky *grid = NULL;
    CHECK_OK(rg_image_new(&image, 2, 2, NULL));
    CHECK_OK(rg_sky_new_tangent(&grid, 0, 0, 2, 1));
    CHECK_FAILS(rg_image_resample(image, grid, 2, 2, out), "no celestial WCS");
    rg_sky_free(grid);
    rg_image_free(image);
}

/* ---- noise ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double sorted_median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, ascending);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void noise_is_as_by_sorting(void)
{
    for (int n = 1; n < 60; n++) {
        float v[60];
        double w[60], median, sigma;
        for (int i = 0; i < n; i++) w[i] = v[i] = (float)(int)(uniform() * n);
        CHECK_OK(rg_image_noise(v, (size_t)n, &median, &sigma));
        double middle = sorted_median(w, n);
        for (int i = 0; i < n; i++) w[i] = fabs(w[i] - middle);
        CHECK_NEAR(median, middle, 1e-12);
        CHECK_NEAR(sigma, 1.4826 * sorted_median(w, n), 1e-6);
    }
}

static void noise_ignores_blanks_and_sources(void)
{
    enum { N = 20000 };
    float *v = malloc(N * sizeof *v);
    double median, sigma;
    for (int i = 0; i < N; i++) v[i] = (float)(3 + 2 * normal());
    for (int i = 0; i < N; i += 7) v[i] = NAN;
    for (int i = 1; i < N; i += 100) v[i] = 1e6;
    CHECK_OK(rg_image_noise(v, N, &median, &sigma));
    CHECK_NEAR(median, 3, 0.1);
    CHECK_NEAR(sigma, 2, 0.1);
    for (int i = 0; i < N; i++) v[i] = NAN;
    CHECK_FAILS(rg_image_noise(v, N, &median, &sigma), "blank");
    free(v);
}

/* ---- real files ---- */

static rg_image *real(const char *name)
{
    char path[5000];
    rg_image *image = NULL;
    snprintf(path, sizeof path, "%s/data/first/%s", check_shared(), name);
    CHECK_OK(rg_image_read(&image, path));
    return image;
}

static void original_subject_is_read(void)
{
    if (check_shared() == NULL) CHECK_SKIP("no ../shared");
    rg_image *image = real("samples/rgz_original_subject/FIRSTJ124646.7+224554.fits");
    double median, sigma, ra, dec;
    float out[132 * 132];
    rg_sky *window = NULL;
    CHECK(image->nx == 132 && image->ny == 132);
    CHECK_NEAR(rg_sky_pixel_arcsec(image->sky), 1.375, 1e-3);
    CHECK_OK(rg_sky_to_world(image->sky, 66.5, 66.5, &ra, &dec));
    CHECK_NEAR(rg_sky_separation(ra, dec, 191.694583, 22.765), 0, 1.5);  /* its name */
    CHECK_OK(rg_image_noise(image->pixels, 132 * 132, &median, &sigma));
    CHECK_NEAR(sigma, 1.59e-4, 2e-6);
    CHECK_OK(rg_sky_new_window(&window, image->sky, 66.5, 66.5, 132, 1.375));
    CHECK_OK(rg_image_resample(image, window, 132, 132, out));
    for (int y = 5; y < 127; y++)
        for (int x = 5; x < 127; x++)
            CHECK_NEAR(out[y * 132 + x], pixel(image, x, y), 1e-4);
    rg_sky_free(window);
    rg_image_free(image);
}

/* Correlation of two images on a common grid, where both are finite. */
static double agreement(const rg_image *a, const rg_image *b, const rg_sky *grid)
{
    static float u[132 * 132], v[132 * 132];
    double uu = 0, vv = 0, uv = 0;
    CHECK_OK(rg_image_resample(a, grid, 132, 132, u));
    CHECK_OK(rg_image_resample(b, grid, 132, 132, v));
    for (int i = 0; i < 132 * 132; i++) {
        if (!isfinite(u[i]) || !isfinite(v[i])) continue;
        uu += (double)u[i] * u[i];
        vv += (double)v[i] * v[i];
        uv += (double)u[i] * v[i];
    }
    return uv / sqrt(uu * vv);
}

/* Two cut-outs of one source, one of them tile-compressed: the same sky. */
static void cut_outs_of_one_source_agree(void)
{
    if (check_shared() == NULL) CHECK_SKIP("no ../shared");
    rg_image *subject = real("rgz_train/FIRSTJ093950.5+355541.fits");
    rg_image *large = real("fields/fd_3C223_II.fits.fz");
    double ra, dec;
    rg_sky *grid = NULL;
    CHECK(large->nx == 150 && subject->nx == 100);
    CHECK_OK(rg_sky_to_world(subject->sky, 50.5, 50.5, &ra, &dec));
    CHECK_OK(rg_sky_new_tangent(&grid, ra, dec, 132, 1.375));
    double same = agreement(subject, large, grid);
    CHECK(same > 0.97);
    if (!(same > 0.97)) printf("  agreement %g\n", same);
    rg_sky_free(grid);
    rg_image_free(large);
    rg_image_free(subject);
}

static bool is_peak(const rg_image *image, int x, int y, float least)
{
    enum { REACH = 7 };
    float value = pixel(image, x, y);
    if (!(value > least)) return false;
    for (int j = -REACH; j <= REACH; j++)
        for (int i = -REACH; i <= REACH; i++)
            if ((i || j) && !(pixel(image, x + i, y + j) < value)) return false;
    return true;
}

/* Centroid [FITS pixels] under a Gaussian of 6" that follows it, from x, y. */
static void centroid(const float *pixels, int nx, double level, double at[2])
{
    for (int round = 0; round < 30; round++) {
        double sum = 0, sx = 0, sy = 0;
        int x0 = (int)lround(at[0]), y0 = (int)lround(at[1]);
        for (int y = y0 - 6; y <= y0 + 6; y++)
            for (int x = x0 - 6; x <= x0 + 6; x++) {
                double d = hypot(x - at[0], y - at[1]) * 1.375 / 6;
                double w = exp(-4 * M_LN2 * d * d)
                         * (pixels[(y - 1) * nx + x - 1] - level);
                sum += w;
                sx += w * x;
                sy += w * y;
            }
        at[0] = sx / sum;
        at[1] = sy / sum;
    }
}

/* The stars of an AllWISE image stand on the grid of a FIRST image of the same place
 * where both WCS say. */
static void allwise_goes_onto_first(void)
{
    if (check_shared() == NULL) CHECK_SKIP("no ../shared");
    static float out[GRID * GRID];
    rg_image *first = real("samples/wise_fits/FIRST_J153149.9+113421.7.fits");
    rg_image *wise = real("samples/wise_fits/WISE_J153149.9+113421.7_w1.fits");
    double median, sigma, ra, dec, x, y, most = 0;
    int stars = 0;
    rg_sky *grid = NULL;
    CHECK_OK(rg_sky_new_window(&grid, first->sky, 34, 34, GRID, 1.375));
    CHECK_OK(rg_image_resample(wise, grid, GRID, GRID, out));
    CHECK_OK(rg_image_noise(wise->pixels, 350 * 350, &median, &sigma));
    for (int k = 0; k < 350 * 350; k++) {
        double from[2] = { k % 350 + 1, k / 350 + 1 }, to[2];
        if (from[0] < 20 || from[0] > 330 || from[1] < 20 || from[1] > 330) continue;
        if (!is_peak(wise, k % 350, k / 350, (float)(median + 15 * sigma))) continue;
        centroid(wise->pixels, 350, median, from);
        CHECK_OK(rg_sky_to_world(wise->sky, from[0], from[1], &ra, &dec));
        CHECK_OK(rg_sky_to_pixel(grid, ra, dec, &x, &y));
        if (x < 10 || y < 10 || x > GRID - 9 || y > GRID - 9) continue;
        to[0] = x;
        to[1] = y;
        centroid(out, GRID, median, to);
        CHECK_NEAR(hypot(to[0] - x, to[1] - y), 0, 0.05);
        most = fmax(most, hypot(to[0] - x, to[1] - y));
        stars++;
    }
    CHECK(stars >= 5);
    if (getenv("RG_SHOW")) printf("# %d stars, off by %.4f pixel\n", stars, most);
    rg_sky_free(grid);
    rg_image_free(wise);
    rg_image_free(first);
}

static void odd_samples_are_read(void)
{
    if (check_shared() == NULL) CHECK_SKIP("no ../shared");
    double median, sigma;
    rg_image *image =
        real("samples/edge_cases/200_033.655+000.710_0.2900_0030.76.fits");
    CHECK_FAILS(rg_image_noise(image->pixels, 90000, &median, &sigma), "blank");
    CHECK(image->sky != NULL);
    rg_image_free(image);
    image = real("samples/vlass/VLASS__1.1.ql.T17t19.J134635.03+275659.5.10.2048.v1.I."
                 "iter1.image.pbcor.tt0.subim_s3.0arcmin__img-5.fits");
    CHECK(image->nx == 361 && image->ny == 362 && image->sky != NULL);
    CHECK_NEAR(image->beam[0], 2.51864, 1e-4);
    rg_image_free(image);
    image = real("samples/wise_fits/WISE_J153149.9+113421.7_w1.fits");
    CHECK(image->nx == 350 && image->sky != NULL && strcmp(image->unit, "DN") == 0);
    CHECK(strcmp(image->telescope, "WISE") == 0 && strcmp(image->band, "1") == 0);
    CHECK_NEAR(image->wavelength, 3.368e-6, 1e-15);
    rg_image_free(image);
    image = real("samples/wise_fits/unwise-1866p257-w1-img-m.fits");
    CHECK(strcmp(image->survey, "unWISE") == 0 && strcmp(image->band, "1") == 0);
    rg_image_free(image);
}

/* ---- overlap ---- */

/* An image of ones on n x n pixels of `pixel` [arcsec] about ra, dec [deg]. */
static rg_image *ones(double ra, double dec, int n, double pixel)
{
    rg_sky *sky = NULL;
    rg_image *image = NULL;
    CHECK_OK(rg_sky_new_tangent(&sky, ra, dec, n, pixel));
    CHECK_OK(rg_image_new(&image, n, n, sky));
    for (int i = 0; i < n * n; i++) image->pixels[i] = 1;
    return image;
}

static void shares_are_of_the_first_image(void)
{
    rg_image *field = ones(150, 2, 100, 1.8), *wide = ones(150, 2, 60, 6);
    rg_image *half = ones(150, 2 + 0.025, 50, 3.6), *away = ones(150, 3, 100, 1.8);
    double share;
    CHECK_OK(rg_image_cover(field, wide, &share));
    CHECK_NEAR(share, 1, 0);
    CHECK_OK(rg_image_cover(wide, field, &share));       /* (180 / 360)^2 */
    CHECK_NEAR(share, 0.25, 0.01);
    CHECK_OK(rg_image_cover(field, half, &share));
    CHECK_NEAR(share, 0.5, 0.01);
    CHECK_OK(rg_image_cover(field, away, &share));
    CHECK_NEAR(share, 0, 0);
    for (int i = 0; i < 100 * 50; i++) field->pixels[i] = NAN;    /* the lower half */
    CHECK_OK(rg_image_cover(field, half, &share));
    CHECK_NEAR(share, 1, 0);
    CHECK_OK(rg_image_cover(wide, field, &share));
    CHECK_NEAR(share, 0.125, 0.01);
    rg_sky_free(away->sky);
    away->sky = NULL;
    CHECK_FAILS(rg_image_cover(field, away, &share), "no celestial WCS");
    rg_image_free(field);
    rg_image_free(wide);
    rg_image_free(half);
    rg_image_free(away);
}

/* ---- for test_ds9_odd.sh ---- */

/* The field's pixels in another way: tile-compressed, in an extension behind an empty
 * primary array and before another image. */
static void keep_compressed(fitsfile *from, fitsfile *to, int *status)
{
    fits_create_img(to, FLOAT_IMG, 0, NULL, status);
    fits_set_compression_type(to, RICE_1, status);
    fits_img_compress(from, to, status);
    fits_set_compression_type(to, 0, status);
    fits_create_img(to, FLOAT_IMG, 2, (long[]){ 9, 9 }, status);
}

/* Or as scaled integers, of which 40 rows are BLANK. */
static void keep_integers(const rg_image *field, fitsfile *from, fitsfile *to,
                          int *status)
{
    long first[2] = { 1, 1 }, n = (long)field->nx * field->ny;
    float most = 0;
    short blank = -32768;
    for (int i = 0; i < n; i++) most = fmaxf(most, fabsf(field->pixels[i]));
    float scale = most / 32000, none = -2 * most;
    for (int i = 0; i < 40 * field->nx; i++) field->pixels[i] = none;
    fits_copy_header(from, to, status);
    fits_resize_img(to, SHORT_IMG, 2, (long[]){ field->nx, field->ny }, status);
    fits_write_key(to, TFLOAT, "BSCALE", &scale, NULL, status);
    fits_write_key(to, TSHORT, "BLANK", &blank, NULL, status);
    fits_set_hdustruc(to, status);
    fits_write_pixnull(to, TFLOAT, first, n, field->pixels, &none, status);
}

/* FIELD COMPRESSED INTEGERS: files' names. */
static int keep_otherwise(char **name)
{
    int status = 0;
    rg_image *field;
    if (rg_image_read(&field, name[0]) != 0) return EXIT_FAILURE;
    for (int i = 1; i <= 2; i++) {
        fitsfile *from, *to;
        fits_open_diskfile(&from, name[0], READONLY, &status);
        fits_create_diskfile(&to, name[i], &status);
        if (i == 1) keep_compressed(from, to, &status);
        else keep_integers(field, from, to, &status);
        fits_close_file(from, &status);
        fits_close_file(to, &status);
    }
    rg_image_free(field);
    fits_report_error(stderr, status);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 4) return keep_otherwise(argv + 1);
    CHECK_RUN(written_images_read_back);
    CHECK_RUN(unwritable_places_are_said);
    CHECK_RUN(new_images_are_blank_and_bounded);
    CHECK_RUN(scaled_integers_are_decoded);
    CHECK_RUN(doubles_beyond_floats_become_nan);
    CHECK_RUN(origins_are_read);
    CHECK_RUN(wavelengths_are_read_in_their_unit);
    CHECK_RUN(wide_images_are_read_and_vast_ones_refused);
    CHECK_RUN(one_pixel_is_an_image);
    CHECK_RUN(degenerate_axes_are_dropped_and_cubes_refused);
    CHECK_RUN(tables_are_passed_over);
    CHECK_RUN(compressed_files_are_undone);
    CHECK_RUN(damaged_tiles_are_said);
    CHECK_RUN(forged_tiles_are_survived);
    CHECK_RUN(texts_for_numbers_are_said);
    CHECK_RUN(a_header_that_is_given_up_is_freed);
    CHECK_RUN(file_names_are_taken_literally);
    CHECK_RUN(wrong_files_are_said);
    CHECK_RUN(truncated_files_are_said);
    CHECK_RUN(gzip_is_not_believed);
    CHECK_RUN(sizes_are_not_believed);
    CHECK_RUN(damaged_headers_do_no_harm);
    CHECK_RUN(checksums_follow_the_pixels);
    CHECK_RUN(threads_read_one_file);
    CHECK_RUN(resampling_is_exact_for_parabolas);
    CHECK_RUN(resampling_to_itself_changes_nothing);
    CHECK_RUN(blanks_fall_back_step_by_step);
    CHECK_RUN(blanks_fall_back_on_coarse_grids_too);
    CHECK_RUN(coarse_grids_show_no_fine_stripes);
    CHECK_RUN(absurdly_coarse_grids_are_refused);
    CHECK_RUN(sources_stay_where_they_are);
    CHECK_RUN(no_sky_no_resampling);
    CHECK_RUN(shares_are_of_the_first_image);
    CHECK_RUN(noise_is_as_by_sorting);
    CHECK_RUN(noise_ignores_blanks_and_sources);
    CHECK_RUN(original_subject_is_read);
    CHECK_RUN(cut_outs_of_one_source_agree);
    CHECK_RUN(allwise_goes_onto_first);
    CHECK_RUN(odd_samples_are_read);
    return CHECK_END();
}

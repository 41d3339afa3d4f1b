/* SPDX-License-Identifier: MIT */
#include "core/image/image.h"

#include <errno.h>
#include <float.h>
#include <fitsio.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "core/engine/error.h"
#include "core/engine/file.h"
#include "core/engine/fits.h"

/* ---- making one ---- */

int rg_image_new(rg_image **out, int nx, int ny, rg_sky *sky)
{
    *out = NULL;
    if (nx < 1 || ny < 1 || (long)nx * ny > RG_IMAGE_MAX) {
        rg_sky_free(sky);
        return RG_FAIL("an image of %d x %d pixels: 1 to %ld are possible", nx, ny,
                       RG_IMAGE_MAX);
    }
    rg_image *image = rg_error_alloc(1, sizeof *image, "an image");
    float *pixels = image ? malloc((size_t)nx * ny * sizeof *pixels) : NULL;
    if (pixels == NULL) {
        free(image);
        rg_sky_free(sky);
        return RG_FAIL("out of memory: an image of %d x %d pixels", nx, ny);
    }
    for (size_t i = 0; i < (size_t)nx * ny; i++) pixels[i] = NAN;
    *image = (rg_image){ .nx = nx, .ny = ny, .pixels = pixels, .sky = sky };
    *out = image;
    return 0;
}

void rg_image_free(rg_image *image)
{
    if (image == NULL) return;
    rg_sky_free(image->sky);
    free(image->pixels);
    free(image);
}

/* ---- reading ---- */

static int cfitsio_failed(int status, const char *what)
{
    char text[FLEN_ERRMSG];
    fits_get_errstatus(status, text);
    fits_clear_errmsg();
    return RG_FAIL("%s (CFITSIO %d: %s)", what, status, text);
}

enum { AXES = 9 };

/* Whether the current HDU holds pixels; size[AXES] gets its shape, 1 beyond naxis. */
static int has_pixels(fitsfile *fits, int *naxis, long *size)
{
    int type = 0, status = 0;
    *naxis = 0;
    for (int i = 0; i < AXES; i++) size[i] = 1;
    fits_get_hdu_type(fits, &type, &status);
    if (status != 0 || type != IMAGE_HDU) return 0;
    fits_get_img_dim(fits, naxis, &status);
    fits_get_img_size(fits, AXES, size, &status);
    if (status != 0 || *naxis < 1) return 0;
    for (int i = 0; i < AXES; i++)
        if (size[i] < 1) return 0;
    return 1;
}

static int check_shape(int naxis, const long *size)
{
    if (naxis > AXES) return RG_FAIL("has %d axes: an image of two is needed", naxis);
    if (naxis < 2)
        return RG_FAIL("has a 1-D array of %ld values: an image is needed", size[0]);
    for (int i = 2; i < AXES; i++)
        if (size[i] > 1)
            return RG_FAIL("has a cube (NAXIS%d = %ld): give one plane as an image",
                           i + 1, size[i]);
    if (size[0] > RG_IMAGE_MAX || size[1] > RG_IMAGE_MAX / size[0])
        return RG_FAIL("has an image of %ld x %ld pixels: at most %ld are possible",
                       size[0], size[1], RG_IMAGE_MAX);
    return 0;
}

/* Move to the first HDU with pixels, whose size goes to size[2]. */
static int find_image(rg_fits *fits, long *size)
{
    int naxis, hdus = 1;
    long shape[AXES];
    for (; !has_pixels(fits->file, &naxis, shape); hdus++) {
        int moved = rg_fits_next(fits);
        if (moved < 0) return -1;
        if (moved > 0)
            return RG_FAIL(hdus > 1 ? "has no image, only tables or empty extensions"
                                    : "has no image: no data follow its header");
    }
    RG_TRY(check_shape(naxis, shape));
    memcpy(size, shape, 2 * sizeof *size);
    return 0;
}

static void read_text(fitsfile *fits, const char *keyword, char text[72])
{
    int status = 0;
    char value[FLEN_VALUE] = "";
    fits_read_key_str(fits, keyword, value, NULL, &status);
    snprintf(text, 72, "%s", status == 0 ? value : "");
}

enum { LEAST_MOST = 1 << 22, MOST_PER_BYTE = 1000 };   /* pixels of a tiled file */

/* CFITSIO 4.2 crashes on damaged tiles: look for damage first, where one can. */
static int check_tiles(fitsfile *fits, const long size[2])
{
    int status = 0, data = 0, all = 0;
    char name[72];
    long block = 32;
    const double most = LEAST_MOST + (double)fits->Fptr->filesize * MOST_PER_BYTE;
    if ((double)size[0] * (double)size[1] > most)
        return RG_FAIL("is damaged: %lld bytes cannot hold %ld x %ld pixels",
                       (long long)fits->Fptr->filesize, size[0], size[1]);
    read_text(fits, "ZNAME1", name);
    if (strcmp(name, "BLOCKSIZE") == 0)
        fits_read_key_lng(fits, "ZVAL1", &block, NULL, &status);
    if (status != 0 || (block != 16 && block != 32))
        return RG_FAIL("is damaged: ZVAL1 gives no size of a compressed block");
    if (fits_verify_chksum(fits, &data, &all, &status) != 0)
        return cfitsio_failed(status, "is damaged or truncated: its tiles end early");
    return data < 0 ? RG_FAIL("is damaged: its data differ from DATASUM") : 0;
}

/* Infinities and 64-bit values too large become NaN, and all NaN the same one: equal
 * pixels have equal checksums. */
static void clean(rg_image *image)
{
    size_t n = (size_t)image->nx * image->ny;
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(image->pixels[i]) < FLT_MAX)) image->pixels[i] = NAN;
    image->checksum = crc32_z(0, (const Bytef *)image->pixels, n * sizeof(float));
}

static int read_values(fitsfile *fits, long n, float *values)
{
    int status = 0, any;
    long first[AXES];
    float blank = NAN;
    for (int i = 0; i < AXES; i++) first[i] = 1;
    fits_read_pix(fits, TFLOAT, first, n, &blank, values, &any, &status);
    if (status == NUM_OVERFLOW) status = 0;   /* CFITSIO 4.6 tells; all are read */
    if (status == 0) return 0;
    return cfitsio_failed(status, "is damaged or truncated: its pixels end early");
}

enum { APART_SECONDS = 120 };

/* In a process of its own, which may die of it; values [n + 1] are shared with that,
 * and the last says that all is well.  The file is not to be read any more. */
static int read_apart(fitsfile *fits, long n, float *values)
{
    values[n] = 0;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(APART_SECONDS);
        values[n] = read_values(fits, n, values) == 0;
        _exit(0);
    }
    if (child < 0) return RG_FAIL("needs a process to be read: %s", strerror(errno));
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) { }
    if (values[n] > 0) return 0;
    return RG_FAIL("is damaged: its compressed pixels cannot be had");
}

/* CFITSIO 4.2 reads and writes outside of its memory where tiles are forged. */
static int read_tiles(fitsfile *fits, long n, float *pixels)
{
    const size_t size = ((size_t)n + 1) * sizeof *pixels;
    float *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                         -1, 0);
    if (shared == MAP_FAILED) return RG_FAIL("needs more memory than there is");
    int status = read_apart(fits, n, shared);
    if (status == 0) memcpy(pixels, shared, size - sizeof *pixels);
    munmap(shared, size);
    return status;
}

static int read_pixels(fitsfile *fits, rg_image *image, bool tiled)
{
    const long n = (long)image->nx * image->ny;
    RG_TRY((tiled ? read_tiles : read_values)(fits, n, image->pixels));
    clean(image);
    return 0;
}

static double read_number(fitsfile *fits, const char *keyword)
{
    int status = 0;
    double value = 0;
    fits_read_key_dbl(fits, keyword, &value, NULL, &status);
    return status == 0 && isfinite(value) ? value : 0;
}

/* [m]; 0 where the comment names no unit and the value is not 0.1 to 1000 micron. */
static double wavelength_of(double value, const char *comment)
{
    static const struct { const char *name; double metres; } units[] = {
        { "micro", 1e-6 }, { "[um]", 1e-6 }, { "angstrom", 1e-10 }, { "[nm]", 1e-9 },
        { "nanom", 1e-9 }, { "[mm]", 1e-3 }, { "[cm]", 1e-2 }, { "[m]", 1 } };
    if (!(value > 0 && isfinite(value))) return 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasestr(comment, units[i].name)) return value * units[i].metres;
    return value >= 0.1 && value <= 1000 ? value * 1e-6 : 0;
}

static double read_wavelength(fitsfile *fits)
{
    static const char *const names[] = { "WAVELEN", "WAVELENG", "WAVELNTH" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int status = 0;
        double value = 0;
        char comment[FLEN_COMMENT] = "";
        fits_read_key_dbl(fits, names[i], &value, comment, &status);
        if (status == 0) return wavelength_of(value, comment);
    }
    return 0;
}

/* What tells a radio image from an infrared one. */
static void read_origin(fitsfile *fits, rg_image *image)
{
    char unwise[72];
    read_text(fits, "SURVEY", image->survey);
    read_text(fits, "UNW_VER", unwise);
    if (unwise[0] && !image->survey[0])
        snprintf(image->survey, sizeof image->survey, "unWISE");
    read_text(fits, "TELESCOP", image->telescope);
    read_text(fits, "BAND", image->band);
    if (!image->band[0]) read_text(fits, "FILTER", image->band);
    image->wavelength = read_wavelength(fits);
}

static void read_keywords(fitsfile *fits, rg_image *image)
{
    read_text(fits, "OBJECT", image->object);
    read_text(fits, "BUNIT", image->unit);
    read_origin(fits, image);
    image->beam[0] = fabs(read_number(fits, "BMAJ")) * 3600;
    image->beam[1] = fabs(read_number(fits, "BMIN")) * 3600;
    image->beam[2] = read_number(fits, "BPA");
    fits_clear_errmsg();
}

/* An image without a usable WCS is an image still: the sentence is kept. */
static int read_sky(fitsfile *fits, rg_image *image)
{
    int status = 0, freed = 0, ncards = 0;
    char *cards = NULL;
    fits_convert_hdr2str(fits, 1, NULL, 0, &cards, &ncards, &status);
    if (status == 0
        && rg_sky_new(&image->sky, cards, ncards, image->nx, image->ny) != 0)
        snprintf(image->sky_problem, sizeof image->sky_problem, "%.255s",
                 rg_error_message());
    if (cards != NULL) fits_free_memory(cards, &freed);
    return status == 0 ? 0 : cfitsio_failed(status, "has a damaged header");
}

static int read_image(rg_image **out, rg_fits *file)
{
    long size[2];
    int status = 0;
    rg_image *image;
    RG_TRY(find_image(file, size));
    fitsfile *fits = file->file;
    RG_TRY(rg_fits_check_size(fits));
    const bool tiled = fits_is_compressed_image(fits, &status);
    if (tiled) RG_TRY(check_tiles(fits, size));
    RG_TRY(rg_image_new(&image, (int)size[0], (int)size[1], NULL));
    read_keywords(fits, image);
    if (read_sky(fits, image) != 0 || read_pixels(fits, image, tiled) != 0) {
        rg_image_free(image);
        return -1;
    }
    *out = image;
    return 0;
}

/* Reads the file, if it was opened, and closes it. */
static int read_and_close(rg_image **out, int opened, rg_fits *fits, const char *name)
{
    int status = opened;
    if (opened == 0) {
        status = read_image(out, fits);
        rg_fits_close(fits);
    }
    if (status != 0) return rg_error_prefix("%s ", name);
    snprintf((*out)->name, sizeof (*out)->name, "%s", name);
    return 0;
}

int rg_image_read(rg_image **out, const char *path)
{
    struct stat what;
    rg_fits fits;
    *out = NULL;
    if (stat(path, &what) != 0)
        return RG_FAIL("%s cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(what.st_mode)) return RG_FAIL("%s is no file", path);
    int opened = rg_fits_open(&fits, path);
    return read_and_close(out, opened, &fits, path);
}

int rg_image_read_memory(rg_image **out, const void *bytes, size_t size,
                         const char *name)
{
    rg_fits fits;
    *out = NULL;
    if (size == 0) return RG_FAIL("%s is empty: no FITS", name);
    int opened = rg_fits_open_memory(&fits, bytes, size);
    return read_and_close(out, opened, &fits, name);
}

/* ---- writing ---- */

static void write_sky(fitsfile *fits, const rg_sky *sky, int *status)
{
    static const char *const idle[] = { "       ", "COMMENT", "WCSAXES", "MJDREF " };
    char *cards, card[81] = "";
    int ncards;
    if (sky == NULL || *status != 0) return;
    if (rg_sky_cards(sky, &cards, &ncards) != 0) {
        *status = WRITE_ERROR;
        return;
    }
    for (int i = 0; i < ncards; i++) {
        int useful = 1;
        memcpy(card, cards + (size_t)i * 80, 80);
        for (size_t k = 0; k < sizeof idle / sizeof *idle; k++)
            if (strncmp(card, idle[k], 7) == 0) useful = 0;
        if (useful) fits_write_record(fits, card, status);
    }
    free(cards);
}

static void write_origin(fitsfile *fits, const rg_image *image, int *status)
{
    if (image->survey[0])
        fits_write_key_str(fits, "SURVEY", image->survey, NULL, status);
    if (image->telescope[0])
        fits_write_key_str(fits, "TELESCOP", image->telescope, NULL, status);
    if (image->band[0]) fits_write_key_str(fits, "BAND", image->band, NULL, status);
    if (image->wavelength > 0)
        fits_write_key_dbl(fits, "WAVELEN", image->wavelength * 1e6, -12, "[micron]",
                           status);
}

static void write_keywords(fitsfile *fits, const rg_image *image, int *status)
{
    const double *beam = image->beam;
    if (image->object[0])
        fits_write_key_str(fits, "OBJECT", image->object, NULL, status);
    if (image->unit[0]) fits_write_key_str(fits, "BUNIT", image->unit, NULL, status);
    write_origin(fits, image, status);
    if (beam[0] > 0) {
        fits_write_key_dbl(fits, "BMAJ", beam[0] / 3600, -12, "[deg] beam", status);
        fits_write_key_dbl(fits, "BMIN", beam[1] / 3600, -12, "[deg]", status);
        fits_write_key_dbl(fits, "BPA", beam[2], -12, "[deg]", status);
    }
}

static void write_all(fitsfile *fits, const rg_image *image, const char *const *history,
                      int *status)
{
    long size[2] = { image->nx, image->ny };
    fits_create_img(fits, FLOAT_IMG, 2, size, status);
    write_sky(fits, image->sky, status);
    write_keywords(fits, image, status);
    for (int i = 0; history && history[i] && *status == 0; i++)
        fits_write_history(fits, history[i], status);
    fits_write_img(fits, TFLOAT, 1, (LONGLONG)image->nx * image->ny, image->pixels,
                   status);
    fits_write_chksum(fits, status);
}

int rg_image_write(const rg_image *image, const char *path, const char *const *history)
{
    char beside[RG_FILE_NAME], literal[RG_FILE_NAME];
    int status = 0, closed = 0;
    fitsfile *fits = NULL;
    RG_TRY(rg_file_beside(path, beside));
    if (fits_create_diskfile(&fits, rg_file_literal(beside, literal), &status) == 0) {
        write_all(fits, image, history, &status);
        fits_close_file(fits, &closed);
    }
    if (status == 0) status = closed;
    if (status != 0) {
        cfitsio_failed(status, "cannot be written");
        rg_error_prefix("%s ", path);
    }
    return rg_file_keep(status, beside, path);
}

/* ---- resampling ---- */

enum { SPAN_MAX = 256 };      /* a bound for what absurd headers can cost */

/* Keys (1981) with a = -1/2: weights of the pixels at -1, 0, 1, 2 for 0 <= t < 1. */
static void keys_weights(double t, double w[4])
{
    w[0] = ((-0.5 * t + 1.0) * t - 0.5) * t;
    w[1] = (1.5 * t - 2.5) * t * t + 1.0;
    w[2] = ((-1.5 * t + 2.0) * t + 0.5) * t;
    w[3] = (0.5 * t - 0.5) * t * t;
}

/* Sum of columns x rows pixels from column x, row y [0-based]; NaN where one of them is
 * outside. */
static double weigh(const rg_image *image, int x, int y, int columns, int rows,
                    const double *wx, const double *wy)
{
    if (x < 0 || y < 0 || x + columns > image->nx || y + rows > image->ny) return NAN;
    double sum = 0;
    for (int j = 0; j < rows; j++) {
        const float *row = image->pixels + (size_t)(y + j) * image->nx + x;
        double line = 0;
        for (int i = 0; i < columns; i++) line += wx[i] * row[i];
        sum += wy[j] * line;
    }
    return sum;
}

static bool is_inside(const rg_image *image, double x, double y)
{
    return x > 0.5 && x < image->nx + 0.5 && y > 0.5 && y < image->ny + 0.5;
}

/* The image at FITS pixel x, y. */
static float sample(const rg_image *image, double x, double y)
{
    if (!is_inside(image, x, y)) return NAN;
    int i = (int)floor(x) - 1, j = (int)floor(y) - 1;
    double tx = x - 1 - i, ty = y - 1 - j, wx[4], wy[4];
    keys_weights(tx, wx);
    keys_weights(ty, wy);
    double value = weigh(image, i - 1, j - 1, 4, 4, wx, wy);
    double lx[2] = { 1 - tx, tx }, ly[2] = { 1 - ty, ty };
    if (isnan(value)) value = weigh(image, i, j, 2, 2, lx, ly);
    if (!isnan(value)) return (float)value;
    return image->pixels[(size_t)(j + (ty >= 0.5)) * image->nx + i + (tx >= 0.5)];
}

static double keys(double t)
{
    double w[4], whole = floor(t);
    keys_weights(t - whole, w);
    return whole < 2 ? w[1 - (int)whole] : 0;
}

static double triangle(double t)
{
    return fmax(1 - t, 0);
}

/* Weights, of sum 1, of the pixels of an axis of `size` pixels about `at` [0-based]
 * under a kernel that ends at `reach`, made `span` times as wide; how many from *first
 * on, or 0 where one of them is outside. */
static int spread(double (*kernel)(double), double reach, double span, double at,
                  int size, int *first, double *w)
{
    double low = floor(at - reach * span) + 1, high = ceil(at + reach * span) - 1;
    double sum = 0;
    if (!(low >= 0 && high <= size - 1)) return 0;
    int n = (int)(high - low) + 1;
    *first = (int)low;
    for (int i = 0; i < n; i++) sum += w[i] = kernel(fabs(low + i - at) / span);
    for (int i = 0; i < n; i++) w[i] /= sum;
    return n;
}

/* The mean of the finite pixels within span[0] x span[1] about x, y [0-based]. */
static double mean_about(const rg_image *image, double x, double y, const double *span)
{
    int x1 = (int)fmax(ceil(x - span[0] / 2), 0),
        y1 = (int)fmax(ceil(y - span[1] / 2), 0);
    int x2 = (int)fmin(floor(x + span[0] / 2), image->nx - 1);
    int y2 = (int)fmin(floor(y + span[1] / 2), image->ny - 1);
    double sum = 0, n = 0;
    for (int j = y1; j <= y2; j++)
        for (int i = x1; i <= x2; i++) {
            float value = image->pixels[(size_t)j * image->nx + i];
            if (isfinite(value)) sum += value, n++;
        }
    return n > 0 ? sum / n : NAN;
}

/* As `sample`, by kernels span[2] times as wide; room for weights [nx + ny]. */
static float sample_wide(const rg_image *image, double x, double y, const double *span,
                         double *room)
{
    static const struct { double (*kernel)(double); double reach; } of[] = {
        { keys, 2 }, { triangle, 1 } };
    double *wx = room, *wy = room + image->nx;
    if (!is_inside(image, x, y)) return NAN;
    for (int k = 0; k < 2; k++) {
        int i, j, columns, rows;
        columns = spread(of[k].kernel, of[k].reach, span[0], x - 1, image->nx, &i, wx);
        rows = spread(of[k].kernel, of[k].reach, span[1], y - 1, image->ny, &j, wy);
        if (columns == 0 || rows == 0) continue;
        double value = weigh(image, i, j, columns, rows, wx, wy);
        if (!isnan(value)) return (float)value;
    }
    return (float)mean_about(image, x - 1, y - 1, span);
}

/* How much coarser the grid is than the image along the image's axes; 1 where it is
 * not, or its middle has no place on the image's projection. */
static int find_span(const rg_image *image, const rg_sky *grid, int nx, int ny,
                     double span[2])
{
    span[0] = span[1] = 1;
    rg_sky_span(grid, (nx + 1) / 2.0, (ny + 1) / 2.0, image->sky, span);
    for (int k = 0; k < 2; k++) {
        if (span[k] > SPAN_MAX)
            return RG_FAIL("%s cannot be resampled: %.0f of its pixels make one of the "
                           "grid's, at most %d can", image->name, span[k], SPAN_MAX);
        if (!(span[k] > 1.05)) span[k] = 1;
    }
    return 0;
}

int rg_image_resample(const rg_image *image, const rg_sky *grid, int nx, int ny,
                      float *out)
{
    if (image->sky == NULL)
        return RG_FAIL("%s cannot be resampled: %s", image->name, image->sky_problem[0]
                       ? image->sky_problem : "it has no celestial WCS");
    int failed = 0;
    double span[2];
    RG_TRY(find_span(image, grid, nx, ny, span));
    bool wide = span[0] > 1 || span[1] > 1;
    size_t room = 2 * (size_t)nx + (wide ? (size_t)image->nx + image->ny : 0);
#pragma omp parallel for schedule(static) reduction(|:failed)
    for (int y = 0; y < ny; y++) {
        double *xy = malloc(room * sizeof *xy);
        failed |= xy == NULL;
        if (xy == NULL) continue;
        rg_sky_map_row(grid, y + 1, nx, image->sky, xy);
        for (int x = 0; x < nx; x++) {
            double *at = xy + 2 * x;
            out[(size_t)y * nx + x] = wide
                ? sample_wide(image, at[0], at[1], span, xy + 2 * nx)
                : sample(image, at[0], at[1]);
        }
        free(xy);
    }
    return failed ? RG_FAIL("out of memory: %d pixels of a row", nx) : 0;
}

/* ---- overlap ---- */

/* Whether the image has a value at FITS pixel x, y. */
static int has_value(const rg_image *image, double x, double y)
{
    if (!(x >= 0.5 && x < image->nx + 0.5 && y >= 0.5 && y < image->ny + 0.5)) return 0;
    size_t column = (size_t)(x - 0.5), row = (size_t)(y - 0.5);
    return isfinite(image->pixels[row * image->nx + column]) != 0;
}

int rg_image_cover(const rg_image *a, const rg_image *b, double *share)
{
    enum { SIDE = 64 };
    int all = 0, common = 0;
    *share = 0;
    if (a->sky == NULL || b->sky == NULL)
        return RG_FAIL("%s has no celestial WCS", (a->sky ? b : a)->name);
    for (int k = 0; k < SIDE * SIDE; k++) {
        double x = 0.5 + a->nx * (k % SIDE + 0.5) / SIDE, ra, dec;
        double y = 0.5 + a->ny * (k / SIDE + 0.5) / SIDE;
        if (!has_value(a, x, y) || rg_sky_to_world(a->sky, x, y, &ra, &dec) != 0)
            continue;
        all++;
        if (rg_sky_to_pixel(b->sky, ra, dec, &x, &y) == 0) common += has_value(b, x, y);
    }
    if (all > 0) *share = (double)common / all;
    return 0;
}

/* ---- noise ---- */

/* The k-th smallest of v[n], by Hoare's partition; v is reordered: none before k is
 * larger, none after it smaller. */
static float select_kth(float *v, size_t n, size_t k)
{
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, want = (ptrdiff_t)k;
    while (low < high) {
        float pivot = v[low + (high - low) / 2];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i > j) break;
            float swap = v[i];
            v[i++] = v[j];
            v[j--] = swap;
        }
        if (want <= j) high = j;
        else if (want >= i) low = i;
        else break;
    }
    return v[k];
}

static double median_of(float *v, size_t n)
{
    double upper = select_kth(v, n, n / 2), lower = -INFINITY;
    if (n % 2 == 1) return upper;
    for (size_t i = 0; i < n / 2; i++) lower = fmax(lower, v[i]);
    return (lower + upper) / 2;
}

int rg_image_noise(const float *pixels, size_t n, double *median, double *sigma)
{
    size_t count = 0;
    float *v = rg_error_alloc(n, sizeof *v, "the noise of an image");
    if (v == NULL) return -1;
    for (size_t i = 0; i < n; i++)
        if (isfinite(pixels[i])) v[count++] = pixels[i];
    if (count == 0) {
        free(v);
        return RG_FAIL("the image is blank: none of its %zu pixels is finite", n);
    }
    *median = median_of(v, count);
    for (size_t i = 0; i < count; i++) v[i] = (float)fabs(v[i] - *median);
    *sigma = 1.4826 * median_of(v, count);
    free(v);
    return 0;
}

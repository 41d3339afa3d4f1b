/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <dirent.h>
#include <fitsio.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

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
    memcpy(image->beam, (double[]){ 6.4, 5.4, 12 }, sizeof image->beam);
    image->pixels[5] = NAN;
    image->pixels[6] = INFINITY;
    CHECK_OK(rg_image_write(image, FILE_NAME, history));
    CHECK_OK(rg_image_write(image, FILE_NAME, history));    /* replaces */
    CHECK_OK(rg_image_read(&back, FILE_NAME));
    CHECK(back->nx == 31 && back->ny == 17 && strcmp(back->name, FILE_NAME) == 0);
    CHECK(strcmp(back->object, "J1000+3000") == 0);
    CHECK(strcmp(back->unit, "Jy/beam") == 0);
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
    rg_image_free(image);
}

int main(void)
{
    CHECK_RUN(written_images_read_back);
    CHECK_RUN(unwritable_places_are_said);
    CHECK_RUN(new_images_are_blank_and_bounded);
    CHECK_RUN(scaled_integers_are_decoded);
    CHECK_RUN(doubles_beyond_floats_become_nan);
    CHECK_RUN(one_pixel_is_an_image);
    CHECK_RUN(degenerate_axes_are_dropped_and_cubes_refused);
    CHECK_RUN(tables_are_passed_over);
    CHECK_RUN(compressed_files_are_undone);
    CHECK_RUN(damaged_tiles_are_said);
    CHECK_RUN(file_names_are_taken_literally);
    CHECK_RUN(wrong_files_are_said);
    CHECK_RUN(truncated_files_are_said);
    CHECK_RUN(damaged_headers_do_no_harm);
    CHECK_RUN(checksums_follow_the_pixels);
    CHECK_RUN(threads_read_one_file);
    CHECK_RUN(resampling_is_exact_for_parabolas);
    CHECK_RUN(resampling_to_itself_changes_nothing);
    CHECK_RUN(blanks_fall_back_step_by_step);
    CHECK_RUN(no_sky_no_resampling);
    CHECK_RUN(noise_is_as_by_sorting);
    CHECK_RUN(noise_ignores_blanks_and_sources);
    CHECK_RUN(original_subject_is_read);
    CHECK_RUN(cut_outs_of_one_source_agree);
    CHECK_RUN(odd_samples_are_read);
    return CHECK_END();
}

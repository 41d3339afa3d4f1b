/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <fitsio.h>

#include "core/image/sky.h"
#include "regions/moc.h"

/* The cell of a single position: a grid of one pixel there. */
static uint64_t cell_of(double ra, double dec, int order)
{
    rg_sky *sky;
    uint64_t cell = RG_SKY_NOWHERE;
    CHECK_OK(rg_sky_new_tangent(&sky, ra, dec, 1, 1));
    rg_sky_cells(sky, 1, 1, order, &cell);
    rg_sky_free(sky);
    return cell;
}

/* Numbers of astropy-healpix 1.1 (lonlat_to_healpix, nested). */
static void cells_are_healpix(void)
{
    static const struct { double ra, dec; int order; uint64_t cell; } known[] = {
        { 0.1, 0.2, 0, UINT64_C(4) },
        { 150.1, 2.2, 0, UINT64_C(6) },
        { 150.1, 2.2, 10, UINT64_C(6978115) },
        { 45, 41.9, 6, UINT64_C(3072) },
        { 0.001, 89.99, 12, UINT64_C(16777215) },
        { 200, -89.5, 14, UINT64_C(2684388500) },
        { 359.999, -30, 29, UINT64_C(1163429903755535782) },
        { 315.2, 70, 20, UINT64_C(4332606083083) },
        { 90.0001, -41.7, 8, UINT64_C(327680) },
        { 269.9, 45.5, 16, UINT64_C(10055706458) },
        { 187.7059304, 12.3911231, 29, UINT64_C(1953854728243274805) },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint64_t cell = cell_of(known[i].ra, known[i].dec, known[i].order);
        CHECK(cell == known[i].cell);
    }
}

/* A cell of an order lies in the cell, four times fewer, of the order before. */
static void cells_nest(void)
{
    for (int i = 0; i < 500; i++) {
        double ra = fmod(i * 137.50776, 360), dec = asin(1 - (2 * i + 1) / 500.0);
        uint64_t parent = cell_of(ra, dec * 180 / M_PI, 5);
        CHECK(cell_of(ra, dec * 180 / M_PI, 6) / 4 == parent && parent < 12 * 1024);
    }
}

/* Every base cell gets a twelfth of points spread evenly. */
static void cells_are_equal(void)
{
    int count[12] = { 0 }, n = 6000;
    for (int i = 0; i < n; i++) {
        uint64_t cell = cell_of(fmod(i * 137.50776405, 360),
                                asin(1 - (2 * i + 1.0) / n) * 180 / M_PI, 0);
        if (cell < 12) count[cell]++;
    }
    for (int i = 0; i < 12; i++) CHECK_NEAR(count[i], n / 12, 12);
}

static rg_image *field(double ra, double dec, int side)
{
    rg_sky *sky;
    rg_image *image;
    CHECK_OK(rg_sky_new_tangent(&sky, ra, dec, side, 1.8));
    CHECK_OK(rg_image_new(&image, side, side, sky));
    for (int i = 0; i < side * side; i++) image->pixels[i] = 0;
    return image;
}

static double area_of(rg_moc *moc) { return rg_moc_area(moc) * 3600; }

static void map_has_the_area(void)
{
    rg_moc *moc, *more;
    rg_image *a = field(0.01, 30, 400), *b = field(0.01, 30, 200);
    rg_image *c = field(10, -89, 400);
    CHECK_OK(rg_moc_new(&moc, a, b));            /* where both have values: 6' */
    CHECK_NEAR(area_of(moc), 36, 1.5);
    CHECK_OK(rg_moc_new(&more, a, NULL));        /* 12', of which 6' are known */
    CHECK_OK(rg_moc_join(moc, more));
    rg_moc_free(more);
    CHECK_NEAR(area_of(moc), 144, 3);
    for (int i = 0; i < 400 * 200; i++) c->pixels[i] = NAN;
    CHECK_OK(rg_moc_new(&more, c, NULL));        /* half of 12' elsewhere */
    for (int i = 0; i < 1000; i++) CHECK_OK(rg_moc_join(moc, more));
    CHECK_NEAR(area_of(moc), 144 + 72, 5);
    rg_moc_free(more);
    for (int i = 0; i < 400 * 400; i++)
        c->pixels[i] = i % 8 < 4 ? NAN : 0;      /* 50 stripes: thousands of ranges */
    CHECK_OK(rg_moc_new(&more, c, NULL));
    CHECK(area_of(more) > 72);
    rg_moc_free(moc);
    CHECK_OK(rg_moc_new(&moc, NULL, NULL));
    CHECK(area_of(moc) == 0);
    CHECK_OK(rg_moc_join(moc, more));
    CHECK_NEAR(area_of(moc), area_of(more), 1e-9);
    rg_moc_free(more);
    rg_moc_free(moc);
    rg_image_free(a);
    rg_image_free(b);
    rg_image_free(c);
}

/* What is written has the area too, its numbers rise and no four of them make one. */
static void map_is_written(void)
{
    char path[] = "/tmp/claranXXXXXX", name[FLEN_VALUE] = "";
    rg_moc *moc, *one;
    rg_image *image = field(180, 89.99, 300);
    fitsfile *fits = NULL;
    int status = 0, any, fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    int order = 0;
    long n = 0;
    double area = 0;
    CHECK_OK(rg_moc_new(&one, image, NULL));
    CHECK_OK(rg_moc_new(&moc, NULL, NULL));
    CHECK_OK(rg_moc_join(moc, one));
    rg_moc_free(one);
    CHECK_OK(rg_moc_write(moc, file));
    fclose(file);
    fits_open_diskfile(&fits, path, READONLY, &status);
    fits_movabs_hdu(fits, 2, NULL, &status);
    fits_read_key(fits, TSTRING, "ORDERING", name, NULL, &status);
    fits_read_key(fits, TINT, "MOCORD_S", &order, NULL, &status);
    CHECK(order == 15);
    fits_get_num_rows(fits, &n, &status);
    CHECK(status == 0 && strcmp(name, "NUNIQ") == 0 && n > 0);
    LONGLONG before = 0;
    for (long i = 1; i <= n && status == 0; i++) {
        LONGLONG cell;
        order = 0;
        fits_read_col(fits, TLONGLONG, 1, i, 1, 1, NULL, &cell, &any, &status);
        CHECK(cell > before);
        before = cell;
        while (cell >= (LONGLONG)16 << 2 * order) order++;
        area += 4 * M_PI / 12 / pow(4, order) * pow(180 / M_PI, 2);
    }
    CHECK_NEAR(area * 3600, 81, 2);
    CHECK_NEAR(area, rg_moc_area(moc), 1e-9);
    CHECK(n < 4500 / 2);      /* most are joined */
    if (fits) fits_close_file(fits, &status);
    remove(path);
    rg_moc_free(moc);
    rg_image_free(image);
}

int main(void)
{
    CHECK_RUN(cells_are_healpix);
    CHECK_RUN(cells_nest);
    CHECK_RUN(cells_are_equal);
    CHECK_RUN(map_has_the_area);
    CHECK_RUN(map_is_written);
    return CHECK_END();
}

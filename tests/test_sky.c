/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <pthread.h>
#include <stdarg.h>

#include "core/image/sky.h"

enum { CARDS = 64, SIDE = 200 };

/* A header from lines such as "CRPIX1  = 5". */
typedef struct header { char text[CARDS * 80 + 1]; int n; } header;

__attribute__((format(printf, 2, 3)))
static void add(header *h, const char *format, ...)
{
    char line[200];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    snprintf(h->text + 80 * h->n++, 81, "%-80.80s", line);
}

/* SIDE x SIDE pixels of 1.8" about lng, lat, +x to decreasing longitude. */
static header header_about(const char *ctype1, const char *ctype2, double lng,
                           double lat)
{
    header h = { .n = 0 };
    add(&h, "CTYPE1  = '%s'", ctype1);
    add(&h, "CTYPE2  = '%s'", ctype2);
    add(&h, "CRVAL1  = %.9f", lng);
    add(&h, "CRVAL2  = %.9f", lat);
    add(&h, "CRPIX1  = %.1f", (SIDE + 1) / 2.0);
    add(&h, "CRPIX2  = %.1f", (SIDE + 1) / 2.0);
    add(&h, "CDELT1  = -0.0005");
    add(&h, "CDELT2  = 0.0005");
    return h;
}

static rg_sky *sky_of(const header *h)
{
    rg_sky *sky = NULL;
    CHECK_OK(rg_sky_new(&sky, h->text, h->n, SIDE, SIDE));
    return sky;
}

/* Where the middle of the image is [deg, ICRS], within so many arcsec. */
static void middle_is(const header *h, double ra, double dec, double within)
{
    double r = NAN, d = NAN;
    rg_sky *sky = sky_of(h);
    if (sky == NULL) return;
    CHECK_OK(rg_sky_to_world(sky, (SIDE + 1) / 2.0, (SIDE + 1) / 2.0, &r, &d));
    CHECK_NEAR(rg_sky_separation(r, d, ra, dec), 0, within);
    rg_sky_free(sky);
}

static void separations(void)
{
    CHECK_NEAR(rg_sky_separation(10, 0, 11, 0), 3600, 1e-6);
    CHECK_NEAR(rg_sky_separation(359.9995, 60, 0.0005, 60), 1.8, 1e-6);
    CHECK_NEAR(rg_sky_separation(0, 89, 180, 89), 7200, 1e-6);
    CHECK_NEAR(rg_sky_separation(0, -90, 77, 90), 180 * 3600.0, 1e-3);
}

static void tangent_grid_has_north_up_and_east_left(void)
{
    static const double places[][2] = { { 0, 0 }, { 191.7, 22.8 }, { 359.9999, -45 },
                                        { 30, 89.9999 } };
    for (int i = 0; i < 4; i++) {
        double ra = places[i][0], dec = places[i][1], r, d, x, y;
        rg_sky *sky = NULL;
        CHECK_OK(rg_sky_new_tangent(&sky, ra, dec, 132, 1.375));
        CHECK_OK(rg_sky_to_world(sky, 66.5, 66.5, &r, &d));
        CHECK_NEAR(rg_sky_separation(r, d, ra, dec), 0, 1e-6);
        CHECK_NEAR(rg_sky_pixel_arcsec(sky), 1.375, 1e-6);
        CHECK_OK(rg_sky_to_pixel(sky, ra, dec - 1.375 * 20 / 3600, &x, &y));
        CHECK_NEAR(x, 66.5, 1e-4);
        CHECK_NEAR(y, 46.5, 1e-4);
        CHECK_OK(rg_sky_to_world(sky, 46.5, 66.5, &r, &d));
        CHECK(sin((r - ra) * M_PI / 180) > 0);
        rg_sky_free(sky);
    }
}

static void bad_grids_fail(void)
{
    rg_sky *sky;
    CHECK_FAILS(rg_sky_new_tangent(&sky, 10, 10, 0, 1), "no grid");
    CHECK_FAILS(rg_sky_new_tangent(&sky, NAN, 10, 5, 1), "no grid");
    CHECK_FAILS(rg_sky_new_tangent(&sky, 10, 91, 5, 1), "no grid");
    CHECK_FAILS(rg_sky_new_tangent(&sky, 10, 10, 5, NAN), "no grid");
}

static void pixels_go_to_the_sky_and_back(void)
{
    static const char *const codes[] = { "TAN", "SIN", "ARC", "ZEA", "STG" };
    for (int i = 0; i < 5; i++) {
        char ctype[2][16];
        snprintf(ctype[0], 16, "RA---%s", codes[i]);
        snprintf(ctype[1], 16, "DEC--%s", codes[i]);
        header h = header_about(ctype[0], ctype[1], 359.99, 44);
        rg_sky *sky = sky_of(&h);
        for (int y = -50; y <= SIDE + 50; y += 50)
            for (int x = -50; x <= SIDE + 50; x += 50) {
                double ra, dec, x2 = NAN, y2 = NAN;
                CHECK_OK(rg_sky_to_world(sky, x, y, &ra, &dec));
                CHECK(ra >= 0 && ra < 360);
                CHECK_OK(rg_sky_to_pixel(sky, ra, dec, &x2, &y2));
                CHECK_NEAR(hypot(x2 - x, y2 - y), 0, 1e-6);
            }
        rg_sky_free(sky);
    }
}

static void orientation_follows_rotation_and_parity(void)
{
    double angle = NAN;
    int parity = 0;
    header h = header_about("RA---TAN", "DEC--TAN", 150, 30);
    add(&h, "CROTA2  = 30");
    rg_sky *sky = sky_of(&h);
    CHECK_OK(rg_sky_orientation(sky, 100.5, 100.5, &angle, &parity));
    CHECK_NEAR(angle, 330, 1e-4);
    CHECK(parity == 1);
    rg_sky_free(sky);
    h = header_about("RA---TAN", "DEC--TAN", 150, 30);
    add(&h, "CD1_1   = 0.0005");
    add(&h, "CD2_2   = -0.0005");
    sky = sky_of(&h);
    CHECK_OK(rg_sky_orientation(sky, 100.5, 100.5, &angle, &parity));
    CHECK_NEAR(angle, 180, 1e-4);
    CHECK(parity == 1);
    rg_sky_free(sky);
    h = header_about("RA---TAN", "DEC--TAN", 150, 30);
    add(&h, "CD1_1   = 0.0005");
    add(&h, "CD2_2   = 0.0005");
    sky = sky_of(&h);
    CHECK_OK(rg_sky_orientation(sky, 100.5, 100.5, &angle, &parity));
    CHECK_NEAR(sin(angle * M_PI / 180), 0, 1e-6);
    CHECK(parity == -1);
    rg_sky_free(sky);
}

/* A window's axes are those of the image, at its own pixel size. */
static void window_lies_along(const header *h)
{
    double xy[2][132][2];
    rg_sky *sky = sky_of(h), *window = NULL;
    if (sky == NULL) return;
    CHECK_OK(rg_sky_new_window(&window, sky, 60, 140, 132, 1.375));
    if (window == NULL) return;
    rg_sky_map_row(window, 66, 132, sky, xy[0][0]);
    rg_sky_map_row(window, 67, 132, sky, xy[1][0]);
    double step = 1.375 / rg_sky_pixel_arcsec(sky);
    for (int i = 0; i < 132; i++) {
        CHECK_NEAR(xy[0][i][0], 60 + (i - 65.5) * step, 2e-3);
        CHECK_NEAR(xy[0][i][1], 140 - 0.5 * step, 2e-3);
        CHECK_NEAR(xy[1][i][1] - xy[0][i][1], step, 1e-4);
    }
    rg_sky_free(window);
    rg_sky_free(sky);
}

/* Turned, a window has the same middle, and its +y another position angle. */
static void windows_can_be_turned(void)
{
    for (int turn = 0; turn < 360; turn += 30) {
        rg_sky *sky, *window;
        double ra[2], dec[2], angle;
        int parity;
        CHECK_OK(rg_sky_new_tangent(&sky, 150, 40, 200, 1.8));
        CHECK_OK(rg_sky_new_turned(&window, sky, 80, 120, 132, 1.375, turn));
        CHECK_OK(rg_sky_to_world(sky, 80, 120, &ra[0], &dec[0]));
        CHECK_OK(rg_sky_to_world(window, 66.5, 66.5, &ra[1], &dec[1]));
        CHECK_NEAR(rg_sky_separation(ra[0], dec[0], ra[1], dec[1]), 0, 1e-6);
        CHECK_OK(rg_sky_orientation(window, 66.5, 66.5, &angle, &parity));
        CHECK_NEAR(remainder(angle - turn, 360), 0, 0.1);
        CHECK(parity == 1);
        rg_sky_free(window);
        rg_sky_free(sky);
    }
}

static void windows_keep_rotation_and_parity(void)
{
    for (int turn = 0; turn < 360; turn += 36)
        for (int parity = -1; parity <= 1; parity += 2) {
            double c = 0.0005 * cos(turn * M_PI / 180);
            double s = 0.0005 * sin(turn * M_PI / 180);
            header h = header_about("RA---TAN", "DEC--TAN", 359.98, 65);
            add(&h, "CD1_1   = %.12f", -parity * c);
            add(&h, "CD1_2   = %.12f", s);
            add(&h, "CD2_1   = %.12f", parity * s);
            add(&h, "CD2_2   = %.12f", c);
            window_lies_along(&h);
        }
}

static void row_is_as_single_pixels(const rg_sky *grid, const rg_sky *image)
{
    double xy[700][2], ra, dec, x, y;
    rg_sky_map_row(grid, 33, 700, image, xy[0]);
    for (int i = 0; i < 700; i += 3) {
        CHECK_OK(rg_sky_to_world(grid, i + 1, 33, &ra, &dec));
        CHECK_OK(rg_sky_to_pixel(image, ra, dec, &x, &y));
        CHECK_NEAR(xy[i][0], x, 1e-4);
        CHECK_NEAR(xy[i][1], y, 1e-4);
    }
}

/* Round the pole of a plate carree the image's x runs through all angles, and jumps. */
static void rows_map_as_single_pixels_do_where_the_sky_is_bent(void)
{
    header h = header_about("RA---CAR", "DEC--CAR", 0, 0);
    rg_sky *image = sky_of(&h), *grid = NULL;
    CHECK_OK(rg_sky_new_tangent(&grid, 180, 89.95, 700, 1));
    row_is_as_single_pixels(grid, image);
    rg_sky_free(grid);
    rg_sky_free(image);
}

static void rows_map_as_single_pixels_do(void)
{
    double xy[700][2], ra, dec, x, y;
    header h = header_about("DEC--SIN", "RA---SIN", 20, 191);   /* axes swapped */
    rg_sky *image = sky_of(&h), *grid = NULL;
    CHECK_OK(rg_sky_new_tangent(&grid, 191.01, 20.02, 700, 1));
    row_is_as_single_pixels(grid, image);
    rg_sky_free(grid);
    CHECK_OK(rg_sky_new_tangent(&grid, 11, -20, 700, 1));      /* the other side */
    rg_sky_map_row(grid, 33, 700, image, xy[0]);
    for (int i = 0; i < 700; i++) CHECK(isnan(xy[i][0]) && isnan(xy[i][1]));
    CHECK_FAILS(rg_sky_to_pixel(image, 11, -20, &x, &y), "outside");
    CHECK_FAILS(rg_sky_to_pixel(image, NAN, 0, &x, &y), "outside");
    CHECK_FAILS(rg_sky_to_world(image, 1e6, 0, &ra, &dec), "outside");
    rg_sky_free(grid);
    rg_sky_free(image);
}

/* Positions of other frames in J2000, from the literature. */
static void frames_are_turned_to_icrs(void)
{
    header h = header_about("GLON-TAN", "GLAT-TAN", 0, 0);
    middle_is(&h, 266.404996, -28.936172, 0.1);  /* the galactic centre */
    h = header_about("ELON-TAN", "ELAT-TAN", 90, 0);
    middle_is(&h, 90, 23.4392911, 0.01);         /* the summer solstice */
    h = header_about("RA---TAN", "DEC--TAN", 41.547214, 49.348483);
    add(&h, "RADESYS = 'FK5'");
    add(&h, "EQUINOX = 2028.867050");
    middle_is(&h, 41.054063, 49.227750, 0.05);   /* theta Persei: Meeus, ex. 21.b */
    h = header_about("RA---TAN", "DEC--TAN", 186.638525, 2.3287417);
    add(&h, "EPOCH   = 1950.0");
    middle_is(&h, 187.2779154, 2.0523883, 0.6);  /* 3C 273, no E-terms */
    h = header_about("RA---TAN", "DEC--TAN", 20.641250, 88.773939);
    add(&h, "RADESYS = 'FK4'");
    add(&h, "EQUINOX = 1900.0");
    middle_is(&h, 37.952933, 89.264089, 6);      /* Polaris; 4.6" of proper motion */
}

/* Newcomb's yearly m = 46.09205" and n = 20.04472" of 1925 carry the vernal equinox of
 * 1900 to 1950. */
static void old_equinoxes_go_by_newcomb(void)
{
    double ra = NAN, dec = NAN;
    header h = header_about("RA---TAN", "DEC--TAN", 50 * 46.09205 / 3600,
                            50 * 20.04472 / 3600);
    add(&h, "EQUINOX = 1950.0");
    rg_sky *sky = sky_of(&h);
    CHECK_OK(rg_sky_to_world(sky, (SIDE + 1) / 2.0, (SIDE + 1) / 2.0, &ra, &dec));
    rg_sky_free(sky);
    h = header_about("RA---TAN", "DEC--TAN", 0, 0);
    add(&h, "EQUINOX = 1900.0");
    middle_is(&h, ra, dec, 0.1);
}

static void other_frames_keep_the_image_where_it_is(void)
{
    header h = header_about("RA---TAN", "DEC--TAN", 150, 30);
    middle_is(&h, 150, 30, 1e-6);
    add(&h, "EQUINOX = 2000.0");
    middle_is(&h, 150, 30, 1e-6);
    add(&h, "RADESYS = 'ICRS'");
    middle_is(&h, 150, 30, 1e-6);
    h = header_about("GLON-TAN", "GLAT-TAN", 200, 60);
    window_lies_along(&h);
    h = header_about("RA---TAN", "DEC--TAN", 150, -30);
    add(&h, "EQUINOX = 1950.0");
    window_lies_along(&h);
}

static void further_axes_are_left_out(void)
{
    header h = header_about("RA---SIN", "DEC--SIN", 150, 30);
    add(&h, "NAXIS   = 2");
    add(&h, "CTYPE3  = 'FREQ'");
    add(&h, "CRVAL3  = 1.4E9");
    add(&h, "CDELT3  = 4.3E7");
    add(&h, "CTYPE4  = 'STOKES'");
    add(&h, "CRVAL4  = 1.0");
    add(&h, "CTYPE1A = 'LINEAR'");
    middle_is(&h, 150, 30, 1e-6);
    add(&h, "PC1_3   = 0.5");
    rg_sky *sky;
    CHECK_FAILS(rg_sky_new(&sky, h.text, h.n, SIDE, SIDE), "axes");
}

static void old_names_are_understood(void)
{
    header h = header_about("RA---NCP", "DEC--NCP", 150, 60);
    middle_is(&h, 150, 60, 1e-6);
    h = header_about("RA---GLS", "DEC--GLS", 150, 60);
    middle_is(&h, 150, 60, 1e-6);
}

/* L = cos dec sin da, M = (cos dec0 - cos dec cos da) / sin dec0: AIPS memo 27. */
static void ncp_is_as_aips_defined_it(void)
{
    const double d0 = 60 * M_PI / 180;
    header h = header_about("RA---NCP", "DEC--NCP", 150, 60);
    rg_sky *sky = sky_of(&h);
    for (int k = 0; k < 9; k++) {
        double da = (k % 3 - 1) * 0.08 * M_PI / 180, x, y;
        double d = d0 + (k / 3 - 1) * 0.04 * M_PI / 180, step = 0.0005 * M_PI / 180;
        CHECK_OK(rg_sky_to_pixel(sky, 150 + da * 180 / M_PI, d * 180 / M_PI, &x, &y));
        CHECK_NEAR(x, 100.5 - cos(d) * sin(da) / step, 1e-5);
        CHECK_NEAR(y, 100.5 + (cos(d0) - cos(d) * cos(da)) / sin(d0) / step, 1e-5);
    }
    rg_sky_free(sky);
}

/* About the equator a plate carree's pixels are steps of ra and dec. */
static void car_is_linear_in_ra_and_dec(void)
{
    double ra, dec;
    rg_sky *sky = NULL;
    header h = header_about("RA---CAR", "DEC--CAR", 150, 0);
    add(&h, "CRPIX2  = %.1f", 100.5 - 60 / 0.0005);
    memset(h.text + 80 * 5, ' ', 80);                          /* its first CRPIX2 */
    sky = sky_of(&h);
    for (int k = 0; k < 9; k++) {
        double x = 1 + k % 3 * 99.5, y = 1 + k / 3 * 99.5;
        CHECK_OK(rg_sky_to_world(sky, x, y, &ra, &dec));
        CHECK_NEAR(ra, 150 - 0.0005 * (x - 100.5), 1e-9);
        CHECK_NEAR(dec, 60 + 0.0005 * (y - 100.5), 1e-9);
    }
    rg_sky_free(sky);
}

/* Whether five pixels x, y are at ra, dec [deg], there and back, and after
 * rg_sky_cards. */
static void is_where(const header *h, const double at[5][4])
{
    char *cards = NULL;
    int n = 0;
    rg_sky *sky[2] = { sky_of(h), NULL };
    if (sky[0] == NULL) return;
    CHECK_OK(rg_sky_cards(sky[0], &cards, &n));
    CHECK_OK(rg_sky_new(&sky[1], cards, n, SIDE, SIDE));
    for (int i = 0; i < 10 && sky[i / 5]; i++) {
        const double *p = at[i % 5];
        double ra, dec, x, y;
        CHECK_OK(rg_sky_to_world(sky[i / 5], p[0], p[1], &ra, &dec));
        CHECK_NEAR(rg_sky_separation(ra, dec, p[2], p[3]), 0, 1e-5);
        CHECK_OK(rg_sky_to_pixel(sky[i / 5], p[2], p[3], &x, &y));
        CHECK_NEAR(hypot(x - p[0], y - p[1]), 0, 1e-5);
    }
    free(cards);
    rg_sky_free(sky[1]);
    rg_sky_free(sky[0]);
}

/* The positions are those of astropy 8.0.2, all_pix2world; undistorted, the first would
 * be 4" from there.  AP, BP are only where the search for the inverse begins. */
static void sip_is_as_astropy_has_it(void)
{
    static const double at[5][4] = {
        { 1, 1, 150.057243300, 29.951227667 }, { 200, 1, 149.942186831, 29.948752359 },
        { 37, 151, 150.036788689, 30.024706182 }, { 100.5, 100.5, 150, 30 },
        { 180.25, 199.75, 149.953242807, 30.050534377 } };
    static const char *const lines[] = { "A_ORDER = 3", "B_ORDER = 2", "A_2_0   = 2e-4",
        "A_0_2   = -1.5e-4", "A_1_1   = 1e-4", "A_3_0   = 1.2e-6", "B_2_0   = -1e-4",
        "B_1_1   = 2.5e-4", "B_0_2   = 5e-5", "AP_ORDER= 2", "BP_ORDER= 2",
        "AP_2_0  = -1e-4", "BP_1_1  = -2e-4" };
    header h = header_about("RA---TAN-SIP", "DEC--TAN-SIP", 150, 30);
    for (int i = 0; i < 13; i++) {
        if (i == 9) is_where(&h, at);
        add(&h, "%s", lines[i]);
    }
    is_where(&h, at);
}

static void tpv_is_as_astropy_has_it(void)
{
    static const double at[5][4] = {
        { 1, 1, 150.047525894, 29.955506070 }, { 200, 1, 149.930494587, 29.946109102 },
        { 37, 151, 150.043497519, 30.028259981 }, { 100.5, 100.5, 150, 30.0002 },
        { 180.25, 199.75, 149.966071129, 30.045030915 } };
    static const char *const lines[] = { "PV1_1   = 1.01", "PV1_2   = 0.004",
        "PV1_4   = 0.3", "PV1_5   = -0.2", "PV1_6   = 0.1", "PV1_7   = 2.0",
        "PV2_0   = 0.0002", "PV2_1   = 0.99", "PV2_4   = -0.25", "PV2_6   = 0.15",
        "PV2_10  = -1.5", "CD1_1   = -0.0005", "CD1_2   = 0.0001", "CD2_1   = -0.00005",
        "CD2_2   = 0.0005" };
    rg_sky *sky = NULL;
    header h = header_about("RA---TPV", "DEC--TPV", 150, 30);
    for (int i = 0; i < 11; i++) add(&h, "%s", lines[i]);
    CHECK_FAILS(rg_sky_new(&sky, h.text, h.n, SIDE, SIDE), "TPV");
    h.n = 6;                                                   /* without CDELT */
    for (int i = 0; i < 15; i++) add(&h, "%s", lines[i]);
    is_where(&h, at);
    memcpy(h.text, "CTYPE1  = 'RA---TAN'", 20);
    memcpy(h.text + 80, "CTYPE2  = 'DEC--TAN'", 20);
    CHECK_FAILS(rg_sky_new(&sky, h.text, h.n, SIDE, SIDE), "makes no sense");
}

static void spans_are_taken_along_the_axes_of_the_image(void)
{
    for (int turn = 0; turn < 360; turn += 50) {
        double c = cos(turn * M_PI / 180) / 3600, s = sin(turn * M_PI / 180) / 3600;
        double span[2] = { NAN, NAN };
        header h = header_about("RA---CAR", "DEC--CAR", 0, 0);
        h.n = 5;
        add(&h, "CRPIX2  = %.1f", 100.5 - 60 * 3600 / 0.5);
        add(&h, "CDELT1  = %.12f", 0.5 / 3600);
        add(&h, "CDELT2  = %.12f", 0.5 / 3600);
        rg_sky *image = sky_of(&h), *grid = NULL;
        h = header_about("RA---TAN", "DEC--TAN", 10, 60);
        h.n = 6;
        add(&h, "CD1_1   = %.12f", -2 * c);
        add(&h, "CD1_2   = %.12f", 2 * s);
        add(&h, "CD2_1   = %.12f", 2 * s);
        add(&h, "CD2_2   = %.12f", 2 * c);
        grid = sky_of(&h);
        CHECK_OK(rg_sky_span(grid, 100.5, 100.5, image, span));
        CHECK_NEAR(span[0], 8, 0.01);                          /* ra: 0.5" x cos 60 */
        CHECK_NEAR(span[1], 4, 0.01);
        CHECK_OK(rg_sky_span(grid, 100.5, 100.5, grid, span));
        CHECK_NEAR(span[0], 1, 1e-6);
        CHECK_NEAR(span[1], 1, 1e-6);
        rg_sky_free(grid);
        rg_sky_free(image);
    }
}

static void cards_say_the_same_sky(void)
{
    header h = header_about("RA---TAN", "DEC--TAN", 12.3456789, -0.5);
    add(&h, "CROTA2  = 12.5");
    rg_sky *sky = sky_of(&h), *window = NULL, *again = NULL;
    char *cards = NULL;
    int n = 0;
    double ra, dec, x, y;
    CHECK_OK(rg_sky_new_window(&window, sky, 50, 60, 132, 1.375));
    CHECK_OK(rg_sky_cards(window, &cards, &n));
    CHECK(n > 8 && strlen(cards) == (size_t)n * 80);
    CHECK_OK(rg_sky_new(&again, cards, n, 132, 132));
    CHECK_OK(rg_sky_to_world(window, 1, 132, &ra, &dec));
    CHECK_OK(rg_sky_to_pixel(again, ra, dec, &x, &y));
    CHECK_NEAR(hypot(x - 1, y - 132), 0, 1e-6);
    free(cards);
    rg_sky_free(again);
    rg_sky_free(window);
    rg_sky_free(sky);
}

static void fails_with(const char *line, const char *words)
{
    rg_sky *sky = NULL;
    header h = header_about("RA---TAN", "DEC--TAN", 150, 30);
    for (int i = 0; i < h.n; i++)
        if (strncmp(h.text + 80 * i, line, 8) == 0) memset(h.text + 80 * i, ' ', 80);
    add(&h, "%s", line);
    CHECK_FAILS(rg_sky_new(&sky, h.text, h.n, SIDE, SIDE), words);
    CHECK(sky == NULL);
}

static void senseless_headers_fail(void)
{
    rg_sky *sky;
    CHECK_FAILS(rg_sky_new(&sky, "", 0, SIDE, SIDE), "no celestial WCS");
    fails_with("CTYPE1  = 'FREQ'", "");
    fails_with("CTYPE1  = 'DEC--TAN'", "");
    fails_with("CTYPE1  = 'RA---XYZ'", "");
    fails_with("CTYPE1  = 'HPLN-TAN'", "");
    fails_with("CRPIX1  = 1e300", "absurd");
    fails_with("CRVAL1  = 1e300", "absurd");
    fails_with("CROTA2  = 1e308", "absurd");     /* found by tests/fuzz: a leak */
    fails_with("CDELT1  = 0.0", "no area");
    fails_with("CD1_1   = 1e-3", "no area");
    fails_with("CRVAL2  = 120.0", "");
    fails_with("EQUINOX = 20000.", "EQUINOX");
    fails_with("CRPIX1  = nan", "CRPIX1 is no number");
    fails_with("A_1_1   = T", "A_1_1 is no number");
    fails_with("CTYPE1  = 'RA---TAN", "CTYPE1 is no text");
    header h = header_about("RA---TAN", "DEC--TAN", 150, 30);
    h.text[85] = '\n';
    CHECK_FAILS(rg_sky_new(&sky, h.text, h.n, SIDE, SIDE), "");
    h = header_about("RA---SIN", "DEC--SIN", 150, 30);
    add(&h, "CRPIX1  = 1e6");                    /* the image is beyond the horizon */
    CHECK_FAILS(rg_sky_new(&sky, h.text, h.n, SIDE, SIDE), "centre");
    header linear = header_about("X", "Y", 150, 30);
    CHECK_FAILS(rg_sky_new(&sky, linear.text, linear.n, SIDE, SIDE), "no celestial");
}

/* Random cards of the right keywords: never a crash (sanitizers look on).  Without
 * distortion coefficients: wcslib 7.12 leaks 64 bytes where those make no sense. */
static void nonsense_does_no_harm(void)
{
    static const char *const keys[] = { "CTYPE1", "CTYPE2", "CRPIX1", "CRVAL2",
        "CDELT1", "CD1_1", "CD2_1", "PC1_2", "PV1_1", "PV2_99", "A_ORDER", "B_ORDER",
        "AP_ORDER", "CUNIT1", "CROTA2", "LONPOLE", "LATPOLE", "EQUINOX", "RADESYS",
        "CTYPE3", "PC99_9" };
    static const char *const values[] = { "'RA---TAN-SIP'", "'DEC--TAN-SIP'", "1e308",
        "'GLON-CAR'", "-1e-308", "nan", "'", "99999999999", "0", "3", "'deg'", "-0.0",
        "'RA---TAB'", "'FREQ-LOG'", "'DEC--COE'", "'m/(s'", "T", "(1,2)", "1e5",
        "'ELON-TSC'" };
    size_t nkeys = sizeof keys / sizeof *keys, nvalues = sizeof values / sizeof *values;
    unsigned state = 12345;
    for (int round = 0; round < 2000; round++) {
        header h = header_about("RA---TAN", "DEC--TAN", 150, 30);
        for (int i = 0; i < 6; i++) {
            state = state * 1664525 + 1013904223;
            const char *key = keys[(state >> 8) % nkeys];
            state = state * 1664525 + 1013904223;
            add(&h, "%-8s= %s", key, values[(state >> 8) % nvalues]);
        }
        rg_sky *sky = NULL;
        double ra, dec;
        if (rg_sky_new(&sky, h.text, h.n, SIDE, SIDE) == 0)
            CHECK_OK(rg_sky_to_world(sky, SIDE / 2.0, SIDE / 2.0, &ra, &dec));
        rg_sky_free(sky);
    }
}

/* ---- threads ---- */

static rg_sky *shared_sky;
static double wanted[SIDE][2];

static void *map_often(void *wrong)
{
    double xy[SIDE][2];
    for (int i = 0; i < 100; i++) {
        rg_sky *window = NULL;
        if (rg_sky_new_window(&window, shared_sky, 100.5, 100.5, SIDE, 1.8) != 0)
            *(int *)wrong = 1;
        else rg_sky_map_row(window, 7, SIDE, shared_sky, xy[0]);
        if (memcmp(xy, wanted, sizeof xy) != 0) *(int *)wrong = 1;
        rg_sky_free(window);
    }
    return NULL;
}

static void threads_share_a_distorted_sky(void)
{
    header h = header_about("RA---TAN-SIP", "DEC--TAN-SIP", 150, 30);
    add(&h, "A_ORDER = 2");
    add(&h, "B_ORDER = 2");
    add(&h, "A_2_0   = 1e-5");
    add(&h, "B_1_1   = -2e-5");
    pthread_t thread[4];
    int wrong[4] = { 0 };
    double plain = NAN, y;
    rg_sky *window = NULL;
    shared_sky = sky_of(&h);
    CHECK_OK(rg_sky_new_window(&window, shared_sky, 100.5, 100.5, SIDE, 1.8));
    rg_sky_map_row(window, 7, SIDE, shared_sky, wanted[0]);
    CHECK_OK(rg_sky_to_pixel(shared_sky, 150.05, 30.05, &plain, &y));
    CHECK(isfinite(plain));
    for (int i = 0; i < 4; i++) pthread_create(&thread[i], NULL, map_often, &wrong[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        CHECK(wrong[i] == 0);
    }
    rg_sky_free(window);
    rg_sky_free(shared_sky);
}

int main(void)
{
    CHECK_RUN(separations);
    CHECK_RUN(tangent_grid_has_north_up_and_east_left);
    CHECK_RUN(bad_grids_fail);
    CHECK_RUN(pixels_go_to_the_sky_and_back);
    CHECK_RUN(orientation_follows_rotation_and_parity);
    CHECK_RUN(windows_can_be_turned);
    CHECK_RUN(windows_keep_rotation_and_parity);
    CHECK_RUN(rows_map_as_single_pixels_do);
    CHECK_RUN(rows_map_as_single_pixels_do_where_the_sky_is_bent);
    CHECK_RUN(frames_are_turned_to_icrs);
    CHECK_RUN(old_equinoxes_go_by_newcomb);
    CHECK_RUN(other_frames_keep_the_image_where_it_is);
    CHECK_RUN(further_axes_are_left_out);
    CHECK_RUN(old_names_are_understood);
    CHECK_RUN(ncp_is_as_aips_defined_it);
    CHECK_RUN(car_is_linear_in_ra_and_dec);
    CHECK_RUN(sip_is_as_astropy_has_it);
    CHECK_RUN(tpv_is_as_astropy_has_it);
    CHECK_RUN(spans_are_taken_along_the_axes_of_the_image);
    CHECK_RUN(cards_say_the_same_sky);
    CHECK_RUN(senseless_headers_fail);
    CHECK_RUN(nonsense_does_no_harm);
    CHECK_RUN(threads_share_a_distorted_sky);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include "core/data/infrared.h"
#include "tests/check.h"

enum { SIDE = 100 };

/* A field of 3' turned by `angle` [deg]. */
static rg_image *field(double angle)
{
    char cards[9][81];
    double c = 0.0005 * cos(angle * M_PI / 180), s = 0.0005 * sin(angle * M_PI / 180);
    static char text[9 * 80 + 1];
    rg_sky *sky;
    rg_image *image;
    snprintf(cards[0], 81, "%-80s", "CTYPE1  = 'RA---TAN'");
    snprintf(cards[1], 81, "%-80s", "CTYPE2  = 'DEC--TAN'");
    snprintf(cards[2], 81, "%-80s", "CRVAL1  =                180.0");
    snprintf(cards[3], 81, "%-80s", "CRVAL2  =                 40.0");
    snprintf(cards[4], 81, "%-80s", "CRPIX1  =                 50.5");
    snprintf(cards[5], 81, "%-10s%20.12f%50s", "CRPIX2  =", 50.5, "");
    snprintf(cards[6], 81, "%-10s%20.12f%50s", "CD1_1   =", -c, "");
    snprintf(cards[7], 81, "%-10s%20.12f%50s", "CD2_2   =", c, "");
    snprintf(cards[8], 81, "%-10s%20.12f%50s", "CD1_2   =", s, "");
    for (int i = 0; i < 9; i++) memcpy(text + 80 * i, cards[i], 80);
    CHECK_OK(rg_sky_new(&sky, text, 9, SIDE, SIDE));
    CHECK_OK(rg_image_new(&image, SIDE, SIDE, sky));
    for (int i = 0; i < SIDE * SIDE; i++) image->pixels[i] = 0;
    return image;
}

/* Flux-weighted centre of w above `level` within 12 pixels of x, y, and the flux. */
static double centroid(const rg_image *w, double level, double *x, double *y)
{
    double sum = 0, sx = 0, sy = 0;
    for (int v = (int)*y - 12; v <= (int)*y + 12; v++)
        for (int u = (int)*x - 12; u <= (int)*x + 12; u++) {
            double flux = w->pixels[(v - 1) * w->nx + u - 1] - level;
            sum += flux, sx += u * flux, sy += v * flux;
        }
    *x = sx / sum;
    *y = sy / sum;
    return sum;
}

static void same_seed_same_pixels(void)
{
    rg_image *f = field(0), *a, *b, *c;
    CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, NULL, 0, 5, &a));
    CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, NULL, 0, 5, &b));
    CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, NULL, 0, 6, &c));
    size_t bytes = (size_t)a->nx * a->ny * sizeof(float);
    CHECK(memcmp(a->pixels, b->pixels, bytes) == 0);
    CHECK(memcmp(a->pixels, c->pixels, bytes) != 0);
    rg_image_free(f);
    rg_image_free(a);
    rg_image_free(b);
    rg_image_free(c);
}

/* Every corner of the field, turned or not, is inside the frame. */
static void the_frame_covers_the_field(void)
{
    for (int k = 0; k < 3; k++) {
        rg_image *f = field(20.0 * k), *w;
        CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, NULL, 0, 5, &w));
        CHECK_NEAR(rg_sky_pixel_arcsec(w->sky), RG_INFRARED_PIXEL, 1e-6);
        for (int corner = 0; corner < 4; corner++) {
            double ra, dec, x, y;
            CHECK_OK(rg_sky_to_world(f->sky, corner & 1 ? SIDE + .5 : .5,
                                     corner & 2 ? SIDE + .5 : .5, &ra, &dec));
            CHECK_OK(rg_sky_to_pixel(w->sky, ra, dec, &x, &y));
            CHECK(x > 1 && y > 1 && x < w->nx && y < w->ny);
        }
        rg_image_free(f);
        rg_image_free(w);
    }
}

/* A host adds its flux at its place, and nothing elsewhere. */
static void hosts_are_where_they_are_said(void)
{
    const rg_host hosts[2] = { { 180.004, 40.006, 12.5 }, { NAN, NAN, 12 } };
    rg_image *f = field(0), *with, *without;
    double x, y, wanted[2];
    CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, NULL, 0, 9, &without));
    CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, hosts, 2, 9, &with));
    for (int i = 0; i < with->nx * with->ny; i++)
        with->pixels[i] -= without->pixels[i];
    CHECK_OK(rg_sky_to_pixel(with->sky, 180.004, 40.006, &x, &y));
    wanted[0] = x, wanted[1] = y;
    double flux = centroid(with, 0, &x, &y), whole = pow(10, 0.4 * (20.5 - 12.5));
    CHECK_NEAR(x, wanted[0], 0.1);
    CHECK_NEAR(y, wanted[1], 0.1);
    CHECK(flux > 0.85 * whole && flux < whole);
    CHECK_NEAR(with->pixels[0], 0, 1e-3);
    rg_image_free(f);
    rg_image_free(with);
    rg_image_free(without);
}

/* The PSF is 8.6" wide, and 0.21 mag are farther out than 8.25". */
static void stars_are_as_wide_as_real_ones(void)
{
    const rg_host host = { 180, 40, 10 };
    rg_image *f = field(0), *with, *without;
    CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, NULL, 0, 9, &without));
    CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, &host, 1, 9, &with));
    const int n = with->nx, middle = n / 2;
    double sum = 0, near = 0;
    float *star = with->pixels, *row = star + (size_t)middle * n;
    for (int i = 0; i < n * n; i++) {
        star[i] -= without->pixels[i];
        sum += star[i];
        if (hypot(i % n - middle, i / n - middle) < 6) near += star[i];
    }
    int half = 0;
    while (row[middle + half] > row[middle] / 2) half++;
    double above = row[middle + half - 1] / row[middle], below = row[middle + half];
    double at = half - 1 + (above - 0.5) / (above - below / row[middle]);
    CHECK_NEAR(2 * at * RG_INFRARED_PIXEL, 8.6, 0.4);
    CHECK_NEAR(-2.5 * log10(near / sum), 0.21, 0.04);
    rg_image_free(f);
    rg_image_free(with);
    rg_image_free(without);
}

/* Scatter, noise from pixel to pixel and bright tail of a frame: 1.4826 MAD, that of
 * second differences over 1 pixel, share of pixels 1 count above the median. */
static void measure(const rg_image *w, double *scatter, double *grain, double *bright)
{
    const int n = w->nx, m = (n - 2) * w->ny;
    float *second = malloc((size_t)m * sizeof *second);
    double median;
    CHECK_OK(rg_image_noise(w->pixels, (size_t)n * w->ny, &median, scatter));
    *bright = 0;
    for (int i = 0; i < n * w->ny; i++) *bright += w->pixels[i] > median + 1;
    *bright /= n * w->ny;
    for (int i = 0; i < m; i++) {
        const float *p = w->pixels + i / (n - 2) * n + i % (n - 2);
        second[i] = p[0] - 2 * p[1] + p[2];
    }
    CHECK_OK(rg_image_noise(second, (size_t)m, &median, grain));
    *grain /= sqrt(6);
    free(second);
}

/* As the AllWISE frame of shared/data has them. */
static void frames_look_like_the_real_one(void)
{
    rg_image *f = field(0), *w, *real;
    char path[4200];
    double mean[3] = { 0, 0, 0 }, got[3];
    enum { FRAMES = 30 };
    for (uint64_t seed = 0; seed < FRAMES; seed++) {
        CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, NULL, 0, seed, &w));
        measure(w, &got[0], &got[1], &got[2]);
        for (int k = 0; k < 3; k++) mean[k] += got[k] / FRAMES;
        rg_image_free(w);
    }
    rg_image_free(f);
    CHECK_NEAR(mean[0], 0.13, 0.02);
    CHECK_NEAR(mean[1], 0.006, 0.0015);
    CHECK_NEAR(mean[2], 0.045, 0.025);
    if (check_shared() == NULL) CHECK_SKIP("no real frame here");
    snprintf(path, sizeof path, "%s/data/first/samples/wise_fits/"
             "WISE_J153149.9+113421.7_w1.fits", check_shared());
    CHECK_OK(rg_image_read(&real, path));
    measure(real, &got[0], &got[1], &got[2]);
    CHECK_NEAR(mean[0] / got[0], 1, 0.15);
    CHECK_NEAR(mean[1] / got[1], 1, 0.3);
    CHECK_NEAR(mean[2] / got[2], 1, 0.4);
    rg_image_free(real);
}

/* Ten times the counts for 2.5 magnitudes; zero point 20.5. */
static void magnitudes_are_counts(void)
{
    rg_image *f = field(0), *without;
    double x, y, sum[2];
    CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, NULL, 0, 9, &without));
    for (int k = 0; k < 2; k++) {
        const rg_host host = { 180, 40, k ? 13.5 : 11 };
        rg_image *with;
        CHECK_OK(rg_infrared_make(f->sky, SIDE, SIDE, &host, 1, 9, &with));
        for (int i = 0; i < with->nx * with->ny; i++)
            with->pixels[i] -= without->pixels[i];
        x = y = (with->nx + 1) / 2;
        sum[k] = centroid(with, 0, &x, &y);
        rg_image_free(with);
    }
    CHECK_NEAR(sum[0] / sum[1], 10, 0.1);
    CHECK_NEAR(sum[0], 6310, 400);             /* 10^(0.4 (20.5 - 11)) = 6310 */
    rg_image_free(f);
    rg_image_free(without);
}

static void too_large_fields_are_refused(void)
{
    rg_sky *sky;
    rg_image *w;
    CHECK_OK(rg_sky_new_tangent(&sky, 180, 40, 2000, 20));
    CHECK_FAILS(rg_infrared_make(sky, 2000, 2000, NULL, 0, 1, &w), "too large");
    CHECK(w == NULL);
    rg_sky_free(sky);
}

int main(void)
{
    CHECK_RUN(same_seed_same_pixels);
    CHECK_RUN(the_frame_covers_the_field);
    CHECK_RUN(hosts_are_where_they_are_said);
    CHECK_RUN(stars_are_as_wide_as_real_ones);
    CHECK_RUN(magnitudes_are_counts);
    CHECK_RUN(frames_look_like_the_real_one);
    CHECK_RUN(too_large_fields_are_refused);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <unistd.h>

#include "core/data/host.h"
#include "tests/check.h"

enum { SIDE = 100 };

/* A blank field of 3', "field.fits" in some folder. */
static rg_image *field(void)
{
    rg_sky *sky;
    rg_image *image;
    CHECK_OK(rg_sky_new_tangent(&sky, 180, 40, SIDE, 1.8));
    CHECK_OK(rg_image_new(&image, SIDE, SIDE, sky));
    for (int i = 0; i < SIDE * SIDE; i++) image->pixels[i] = 0;
    snprintf(image->name, sizeof image->name, "some/folder/field.fits");
    return image;
}

static void a_few_are_not_seen(void)
{
    uint64_t state = 3;
    int hidden = 0;
    double far = 0;
    for (int i = 0; i < 2000; i++) {
        rg_host h;
        rg_host_draw(30, 60, 1, &state, &h);
        hidden += isnan(h.ra);
        CHECK(h.magnitude >= 11 && h.magnitude <= 17);
        if (!isnan(h.ra)) far += pow(rg_sky_separation(30, 60, h.ra, h.dec), 2);
    }
    CHECK(hidden > 40 && hidden < 120);
    CHECK_NEAR(sqrt(far / (2000 - hidden)), sqrt(2), 0.1);
}

/* Of real sources: a compact one, doubles without and with a core, and what cannot be
 * told; where the hosts are on average and how far they scatter along x [pixels]. */
static void those_of_labels(void)
{
    static const struct { int class_; float core; double x, rms; } wanted[] = {
        { 1, 0, 41 + 1 / 3.0, 0.28 },     { 4, 0, 51 + 1 / 6.0, 1.38 },
        { 6, 0.5, 53, 0.28 },             { 5, 0, 51 + 1 / 6.0, 1.38 },
        { RG_CLASS_IGNORE, 0, 41, 0.28 },
    };
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
        const int class_ = wanted[k].class_, one = class_ <= 1;
        rg_label label = { 39.5, 48.5, one ? 42.5 : 62.5, 51.5, class_, 1 };
        rg_image *f = field();
        double x, y, sx = 0, sy = 0, sxx = 0;
        uint64_t state = 11;
        f->pixels[49 * SIDE + 40] = 1;                   /* FITS 41, 50 */
        f->pixels[49 * SIDE + 41] = 0.5f;
        f->pixels[49 * SIDE + 52] = wanted[k].core;
        if (!one) f->pixels[49 * SIDE + 60] = 1.5f;
        int n = 0;
        for (int i = 0; i < 1000; i++) {
            rg_host h;
            CHECK_OK(rg_host_find(f, &label, 1, NULL, &state, &h));
            if (isnan(h.ra)) continue;
            CHECK_OK(rg_sky_to_pixel(f->sky, h.ra, h.dec, &x, &y));
            sx += x, sy += y, sxx += x * x, n++;
        }
        CHECK_NEAR(sx / n, wanted[k].x, 0.12);
        CHECK_NEAR(sy / n, 50, 0.12);
        CHECK_NEAR(sqrt(sxx / n - sx / n * sx / n), wanted[k].rms, 0.1);
        rg_image_free(f);
    }
}

static char *text_file(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/test_host.XXXXXX");
    int file = mkstemp(path);
    CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    return path;
}

static rg_host_list *known_at(const rg_image *f, const char *file, double x, double y)
{
    char text[200];
    rg_host_list *list;
    double ra, dec;
    CHECK_OK(rg_sky_to_world(f->sky, x, y, &ra, &dec));
    snprintf(text, sizeof text, "ra_deg,file,other,dec_deg\n%.9f,%s,7,%.9f\n", ra, file,
             dec);
    char *path = text_file(text);
    CHECK_OK(rg_host_read(&list, path));
    unlink(path);
    return list;
}

/* The one label that holds the position has its host there, and always. */
static void known_ones_are_where_they_are_known(void)
{
    const rg_label label[3] = { { 50.5, 50.5, 58.5, 58.5, 1, 1 },
                                { 10.5, 10.5, 60.5, 60.5, 4, 1 },
                                { 70.5, 70.5, 80.5, 80.5, 4, 1 } };
    rg_image *f = field();
    rg_host_list *list = known_at(f, "elsewhere/field.fits", 55, 53);
    rg_host_list *other = known_at(f, "another.fits", 55, 53);
    rg_host host[3], plain[3];
    for (uint64_t seed = 0; seed < 100; seed++) {
        uint64_t a = seed, b = seed;
        double x = 0, y = 0;
        CHECK_OK(rg_host_find(f, label, 3, list, &a, host));
        CHECK_OK(rg_host_find(f, label, 3, other, &b, plain));
        CHECK_OK(rg_sky_to_pixel(f->sky, host[0].ra, host[0].dec, &x, &y));
        CHECK_NEAR(x, 55, 1e-5);
        CHECK_NEAR(y, 53, 1e-5);
        CHECK(memcmp(&host[1], &plain[1], sizeof *host) == 0);
        CHECK(memcmp(&host[2], &plain[2], sizeof *host) == 0);
        CHECK(plain[0].ra != host[0].ra && plain[0].magnitude == host[0].magnitude);
    }
    rg_host_free(list);
    rg_host_free(other);
    rg_image_free(f);
}

/* Boxes that reach out of the image, far, or lie beside it. */
static void boxes_may_lie_outside(void)
{
    const rg_label label[3] = { { -1e30, -5, 1e30, 200, 3, 1 },
                                { 150, 150, 160, 170, 4, 1 },
                                { -20, -20, -10, -10, RG_CLASS_IGNORE, 1 } };
    rg_image *f = field();
    rg_host host[3];
    uint64_t state = 1;
    f->pixels[SIDE * SIDE - 1] = 1;
    CHECK_OK(rg_host_find(f, label + 1, 2, NULL, &state, host));
    rg_host_find(f, label, 3, NULL, &state, host);   /* either way, but no crash */
    rg_image_free(f);
}

static void bad_lists_are_sentences(void)
{
    static const char *const bad[][2] = {
        { "file,ra_deg\na.fits,3\n", "dec_deg" },
        { "file,ra_deg,dec_deg\na.fits,3,x\n", "line 2" },
        { "file,ra_deg,dec_deg\na.fits,3,4\nb.fits,3,91\n", "line 3" },
    };
    rg_host_list *list;
    for (int i = 0; i < 3; i++) {
        char *path = text_file(bad[i][0]);
        CHECK_FAILS(rg_host_read(&list, path), bad[i][1]);
        CHECK(list == NULL);
        unlink(path);
    }
    CHECK_FAILS(rg_host_read(&list, "/nowhere/hosts.csv"), "/nowhere/hosts.csv");
}

int main(void)
{
    CHECK_RUN(a_few_are_not_seen);
    CHECK_RUN(those_of_labels);
    CHECK_RUN(known_ones_are_where_they_are_known);
    CHECK_RUN(boxes_may_lie_outside);
    CHECK_RUN(bad_lists_are_sentences);
    return CHECK_END();
}

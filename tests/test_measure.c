/* SPDX-License-Identifier: MIT */
#include "core/data/csv.h"
#include "core/engine/random.h"
#include "core/image/island.h"
#include "regions/measure.h"
#include "regions/noise.h"
#include "tests/check.h"

#define PIXEL 1.8                 /* [arcsec] */
#define BEAM 5.4                  /* FWHM [arcsec] */
#define TO_SIGMA (1 / (2.354820 * PIXEL))   /* of FWHM in arcsec, in pixels */
#define AREA (M_PI / (4 * M_LN2) * (BEAM / PIXEL) * (BEAM / PIXEL))

static rg_image *blank_image(int side, double ra, double dec)
{
    rg_sky *sky;
    rg_image *image;
    CHECK_OK(rg_sky_new_tangent(&sky, ra, dec, side, PIXEL));
    CHECK_OK(rg_image_new(&image, side, side, sky));
    for (int p = 0; p < side * side; p++) image->pixels[p] = 0;
    image->beam[0] = image->beam[1] = BEAM;
    snprintf(image->unit, sizeof image->unit, "Jy/beam");
    snprintf(image->name, sizeof image->name, "sky.fits");
    return image;
}

/* Noise of that rms, smooth over `fwhm` pixels, on top of what is there. */
static void add_noise(rg_image *image, double rms, double fwhm, uint64_t *state)
{
    enum { REACH = 8 };
    const int n = image->nx, wide = n + 2 * REACH;
    double kernel[2 * REACH + 1], square = 0, s = fwhm / 2.354820;
    float *grain = calloc((size_t)wide * wide, sizeof *grain);
    float *rows = calloc((size_t)wide * n, sizeof *rows);
    for (int k = -REACH; k <= REACH; k++) {
        kernel[k + REACH] = exp(-k * k / (2 * s * s));
        square += kernel[k + REACH] * kernel[k + REACH];
    }
    for (int i = 0; i < wide * wide; i++) grain[i] = (float)rg_random_normal(state);
    for (int y = 0; y < wide; y++)
        for (int x = 0; x < n; x++)
            for (int k = 0; k <= 2 * REACH; k++)
                rows[y * n + x] += (float)kernel[k] * grain[y * wide + x + k];
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++)
            for (int k = 0; k <= 2 * REACH; k++)
                image->pixels[y * n + x] +=
                    (float)(rms * kernel[k] * rows[(y + k) * n + x] / square);
    free(grain);
    free(rows);
}

/* Noise with about the autocorrelation of blank FIRST sky (core/data/simulate.c). */
static rg_image *noisy_image(int side, double rms, uint64_t seed)
{
    rg_image *image = blank_image(side, 180, 30);
    add_noise(image, 0.85 * rms, 0.6 * BEAM / PIXEL, &seed);
    add_noise(image, 0.53 * rms, 2.2 * BEAM / PIXEL, &seed);
    return image;
}

/* An elliptical Gaussian that the beam has seen: FWHM [arcsec] before that, angle from
 * +x [rad], at 0-based pixel x, y. */
typedef struct blob { double x, y, peak, major, minor, angle; } blob;

static void inject(rg_image *image, const blob *b)
{
    double a = (b->major * b->major + BEAM * BEAM) * TO_SIGMA * TO_SIGMA;
    double d = (b->minor * b->minor + BEAM * BEAM) * TO_SIGMA * TO_SIGMA;
    double c = cos(b->angle), s = sin(b->angle), xy = s * c * (1 / a - 1 / d);
    double xx = c * c / a + s * s / d, yy = s * s / a + c * c / d;
    int reach = (int)(6 * sqrt(a)) + 1;
    for (int y = (int)b->y - reach; y <= b->y + reach; y++)
        for (int x = (int)b->x - reach; x <= b->x + reach; x++) {
            double e = x - b->x, g = y - b->y;
            if (x < 0 || y < 0 || x >= image->nx || y >= image->ny) continue;
            image->pixels[(size_t)y * image->nx + x] += (float)
                (b->peak * exp(-0.5 * (e * e * xx + g * g * yy + 2 * e * g * xy)));
        }
}

/* Its flux [unit of the image]. */
static double flux_of(const blob *b)
{
    double a = (b->major * b->major + BEAM * BEAM) * TO_SIGMA * TO_SIGMA;
    double d = (b->minor * b->minor + BEAM * BEAM) * TO_SIGMA * TO_SIGMA;
    return b->peak * 2 * M_PI * sqrt(a * d) / AREA;
}

static rg_detection box_at(double x, double y, double half)
{
    return (rg_detection){ .xmin = x + 1 - half, .xmax = x + 1 + half,
                           .ymin = y + 1 - half, .ymax = y + 1 + half, .class_ = 1,
                           .probability = 0.9f, .ra = 180, .dec = 30 };
}

/* ---- statistics of many ---- */

enum { MANY = 4000 };

typedef struct record {
    double flux[MANY], flux_pull[MANY], peak_pull[MANY], ra_pull[MANY], dec_pull[MANY];
    double off[MANY];         /* position, in 0.3" + beam / SNR */
    double size_pull[MANY];
    int n, faint;
} record;

static int ascending(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double quantile(const double *values, int n, double share)
{
    static double sorted[MANY];
    memcpy(sorted, values, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    return n > 0 ? sorted[(int)(share * (n - 1))] : NAN;
}

/* Half the range of the middle 68.3 per cent: the sigma of a Gaussian. */
static double width_of(const double *values, int n)
{
    return (quantile(values, n, 0.8415) - quantile(values, n, 0.1585)) / 2;
}

static void note(record *r, const rg_image *image, const blob *b, double snr,
                 const rg_source *s)
{
    double ra, dec, flux = 1000 * flux_of(b), want;
    if (s->flags & RG_FLAG_FAINT) { r->faint++; return; }
    if (r->n == MANY) return;
    CHECK_OK(rg_sky_to_world(image->sky, b->x + 1, b->y + 1, &ra, &dec));
    double east = (s->ra - ra) * 3600 * cos(dec * M_PI / 180);
    double north = (s->dec - dec) * 3600;
    want = 2 * sqrt(2 * log(snr / RG_ISLAND_BASE)) * PIXEL * TO_SIGMA *
           hypot(b->major, BEAM);
    r->flux[r->n] = s->flux / flux;
    r->flux_pull[r->n] = (s->flux - flux) / s->flux_error;
    r->peak_pull[r->n] = (s->peak - 1000 * b->peak) / s->peak_error;
    r->ra_pull[r->n] = east / s->ra_error;
    r->dec_pull[r->n] = north / s->dec_error;
    r->off[r->n] = hypot(east, north) / (0.3 + hypot(b->major, BEAM) / snr);
    r->size_pull[r->n++] = (s->size - want) / s->size_error;
}

static const rg_measure_options exact = {
    .level = RG_ISLAND_BASE, .step = 1.7320508, .calibration = 0, .beam = { BEAM, BEAM }
};

/* Sources on n places of the image, of 10 to 200 times the noise there. */
static void measure_at(rg_image *image, double (*place)[2], int n, uint64_t *state,
                       record *r)
{
    blob b[64];
    double snr[64];
    rg_detection box[64];
    rg_source s[64];
    rg_noise *noise;
    CHECK_OK(rg_noise_new(&noise, image, BEAM / PIXEL, false));
    for (int i = 0; i < n; i++) {
        rg_noise_level level = rg_noise_at(noise, place[i][0], place[i][1]);
        double major = 4 * rg_random_below(state, 4);
        snr[i] = 10 * pow(20, rg_random_uniform(state));
        b[i] = (blob){ place[i][0], place[i][1], snr[i] * level.sigma, major,
                       0.5 * major, 3.1416 * rg_random_uniform(state) };
        box[i] = box_at(b[i].x, b[i].y, 10);
    }
    for (int i = 0; i < n; i++) inject(image, &b[i]);
    CHECK_OK(rg_measure(image, NULL, &exact, box, n, s));
    for (int i = 0; i < n; i++) note(r, image, &b[i], snr[i], &s[i]);
    rg_noise_free(noise);
}

static void check_record(const record *r)
{
    CHECK(r->faint == 0);
    CHECK_NEAR(quantile(r->flux, r->n, 0.5), 1, 0.03);
    CHECK_NEAR(width_of(r->flux_pull, r->n), 1, 0.1);
    CHECK_NEAR(width_of(r->peak_pull, r->n), 1, 0.1);
    CHECK_NEAR(width_of(r->ra_pull, r->n), 1, 0.15);
    CHECK_NEAR(width_of(r->dec_pull, r->n), 1, 0.15);
    CHECK_NEAR(width_of(r->size_pull, r->n), 1, 0.2);
    CHECK_NEAR(quantile(r->size_pull, r->n, 0.5), 0.3, 0.4);
    CHECK(quantile(r->off, r->n, 0.95) < 1);
    if (getenv("RG_SHOW"))
        printf("%d: flux %.3f pulls: flux %+.2f (%.2f) peak %+.2f (%.2f) ra (%.2f) dec "
               "(%.2f) size %+.2f (%.2f); 95 %% within %.2f\n", r->n,
               quantile(r->flux, r->n, 0.5), quantile(r->flux_pull, r->n, 0.5),
               width_of(r->flux_pull, r->n), quantile(r->peak_pull, r->n, 0.5),
               width_of(r->peak_pull, r->n), width_of(r->ra_pull, r->n),
               width_of(r->dec_pull, r->n), quantile(r->size_pull, r->n, 0.5),
               width_of(r->size_pull, r->n), quantile(r->off, r->n, 0.95));
}

static void measures_what_was_put_there(void)
{
    static record r;
    uint64_t state = 8;
    for (int field = 0; field < 12; field++) {
        rg_image *image = noisy_image(300, 1.5e-4, rg_random_mix(3, (uint64_t)field));
        double place[49][2];
        for (int i = 0; i < 49; i++) {
            place[i][0] = 25 + 40 * (i % 7) + 5 * rg_random_uniform(&state);
            place[i][1] = 25 + 40 * (i / 7) + 5 * rg_random_uniform(&state);
        }
        measure_at(image, place, 49, &state, &r);
        rg_image_free(image);
    }
    check_record(&r);
}

/* Up to 14 places 40 pixels from one another and from anything in a real field. */
static int find_places(const rg_image *image, uint64_t *state, double (*place)[2])
{
    rg_noise *noise;
    int n = 0;
    CHECK_OK(rg_noise_new(&noise, image, BEAM / PIXEL, false));
    for (int k = 0; k < 300 && n < 14; k++) {
        double x = 25 + rg_random_uniform(state) * (image->nx - 50);
        double y = 25 + rg_random_uniform(state) * (image->ny - 50);
        double limit = 4.5 * rg_noise_at(noise, x, y).rms;
        bool free_ = true;
        for (int i = 0; i < n; i++)
            free_ = free_ && hypot(x - place[i][0], y - place[i][1]) > 40;
        for (int q = 0; free_ && q < 41 * 41; q++) {
            int u = (int)x + q % 41 - 20, v = (int)y + q / 41 - 20;
            free_ = fabs(image->pixels[(size_t)v * image->nx + u]) < limit;
        }
        if (free_) place[n][0] = x, place[n++][1] = y;
    }
    rg_noise_free(noise);
    return n;
}

static void measures_in_real_noise(void)
{
    static record r;
    const char *shared = check_shared(), *column[] = { "file", "nx" };
    char path[4500], *value[2];
    uint64_t state = 5;
    rg_csv *csv;
    if (shared == NULL) CHECK_SKIP("no real fields (RG_SHARED)");
    int every = getenv("RG_FULL") ? 4 : 30;
    snprintf(path, sizeof path, "%s/data/first/fields.csv", shared);
    CHECK_OK(rg_csv_open(&csv, path, column, 2, 2));
    for (int i = 0; rg_csv_next(csv, value) > 0; i++) {
        rg_image *image;
        double place[14][2];
        if (i % every || strcmp(value[1], "300") != 0) continue;
        snprintf(path, sizeof path, "%s/data/first/fields/%s", shared, value[0]);
        CHECK_OK(rg_image_read(&image, path));
        int n = find_places(image, &state, place);
        measure_at(image, place, n, &state, &r);
        rg_image_free(image);
    }
    rg_csv_free(csv);
    CHECK(r.n > 100);
    check_record(&r);
}

/* ---- Radio Galaxy Zoo's counts ---- */

/* The list ends at 3 peaks: what the arithmetic counts as 4 or 5 is 3 in it. */
static void counts_as_radio_galaxy_zoo(void)
{
    const char *shared = check_shared();
    const char *column[] = { "file", "class", "xmin", "ymin", "xmax", "ymax" };
    char path[4500], *value[6];
    int all = 0, components = 0, peaks = 0;
    rg_csv *csv;
    if (shared == NULL) CHECK_SKIP("no rgz_train (RG_SHARED)");
    snprintf(path, sizeof path, "%s/data/first/rgz_train.csv", shared);
    CHECK_OK(rg_csv_open(&csv, path, column, 6, 6));
    while (rg_csv_next(csv, value) > 0) {
        rg_detection box = { .xmin = atof(value[2]), .ymin = atof(value[3]),
                             .xmax = atof(value[4]), .ymax = atof(value[5]) };
        rg_image *image;
        rg_source s;
        snprintf(path, sizeof path, "%s/data/first/rgz_train/%s", shared, value[0]);
        CHECK_OK(rg_image_read(&image, path));
        CHECK_OK(rg_measure(image, NULL, &rg_measure_defaults, &box, 1, &s));
        int seen = s.peaks == 4 || s.peaks == 5 ? 3 : s.peaks;
        all++;
        components += s.components == value[1][0] - '0';
        peaks += seen == value[1][3] - '0';
        rg_image_free(image);
    }
    rg_csv_free(csv);
    CHECK(all == 207);
    CHECK(components >= 0.96 * all);
    CHECK(peaks >= 0.80 * all);
}

/* ---- units, beams ---- */

static void reads_the_unit(void)
{
    static const struct { const char *unit; double scale; bool jy; } cases[] = {
        { "Jy/beam", 1, true }, { "JY/BEAM", 1, true }, { "Jy beam-1", 1, true },
        { "mJy/beam", 1e3, true }, { "uJy/beam", 1e6, true }, { "K", 1e3, false },
        { "MJy/sr", 1e3, false }, { "", 1e3, false }, { "Jy/pixel", 1e3, false }
    };
    rg_image *image = noisy_image(100, 1e-4, 4);
    inject(image, &(blob){ 50, 50, 0.01, 0, 0, 0 });
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rg_image *scaled = blank_image(100, 180, 30);
        rg_detection box = box_at(50, 50, 8);
        rg_source s;
        for (int p = 0; p < 10000; p++)
            scaled->pixels[p] = (float)(image->pixels[p] * cases[i].scale);
        snprintf(scaled->unit, sizeof scaled->unit, "%s", cases[i].unit);
        CHECK_OK(rg_measure(scaled, NULL, &exact, &box, 1, &s));
        CHECK_NEAR(s.peak, 10, 0.5);
        CHECK_NEAR(s.flux, 10, 1.5);
        CHECK_NEAR(s.rms, 0.1, 0.02);
        CHECK(!(s.flags & RG_FLAG_NOT_JY) == cases[i].jy);
        rg_image_free(scaled);
    }
    rg_image_free(image);
}

static void finds_the_beam(void)
{
    static const struct { double dec, major; } table[] = {
        { 4.56, 5.4 }, { 4.55, 6.4 }, { -2.5, 6.4 }, { -2.51, 6.8 }, { 60, 5.4 }
    };
    rg_measure_options o = rg_measure_defaults;
    rg_beam beam;
    for (int i = 0; i < 5; i++) {
        rg_image *image = blank_image(50, 150, table[i].dec);
        image->beam[0] = image->beam[1] = 0;
        CHECK_OK(rg_measure_beam(image, &o, &beam));
        CHECK(beam.assumed);
        CHECK_NEAR(beam.major, table[i].major, 1e-9);
        CHECK_NEAR(beam.minor, 5.4, 1e-9);
        rg_image_free(image);
    }
    rg_image *image = blank_image(50, 150, 40);
    image->beam[0] = 7, image->beam[1] = 6, image->beam[2] = 20;
    CHECK_OK(rg_measure_beam(image, &o, &beam));
    CHECK(!beam.assumed && beam.major == 7 && beam.minor == 6 && beam.angle == 20);
    o.beam[0] = 10;
    CHECK_OK(rg_measure_beam(image, &o, &beam));
    CHECK(beam.major == 10 && beam.minor == 10);
    static const double absurd[][2] = { { 0.1, 0.1 }, { 1e4, 5 }, { -5, -5 },
                                        { 5, 6 }, { NAN, 5 }, { INFINITY, 5 } };
    for (int i = 0; i < 6; i++) {
        o.beam[0] = absurd[i][0], o.beam[1] = absurd[i][1];
        CHECK_FAILS(rg_measure_beam(image, &o, &beam), "cannot be");
    }
    rg_image_free(image);
}

static void asks_for_what_it_cannot_know(void)
{
    rg_detection box = box_at(25, 25, 8);
    rg_measure_options o = rg_measure_defaults;
    rg_source s;
    rg_sky *sky;
    rg_image *image, *bare;
    CHECK_OK(rg_sky_new_tangent(&sky, 180, 30, 50, 0.5));
    CHECK_OK(rg_image_new(&image, 50, 50, sky));
    CHECK_FAILS(rg_measure(image, NULL, &o, &box, 1, &s), "no beam");
    o.beam[0] = 2;
    CHECK_OK(rg_measure(image, NULL, &o, &box, 1, &s));
    CHECK_OK(rg_image_new(&bare, 50, 50, NULL));
    CHECK_FAILS(rg_measure(bare, NULL, &o, &box, 1, &s), "cannot be measured");
    CHECK_FAILS(rg_measure(image, bare, &o, &box, 1, &s), "no counterparts");
    o.level = 0;
    CHECK_FAILS(rg_measure(image, NULL, &o, &box, 1, &s), "do not rise");
    o = rg_measure_defaults;
    o.step = NAN;
    CHECK_FAILS(rg_measure(image, NULL, &o, &box, 1, &s), "do not rise");
    o = rg_measure_defaults;
    o.calibration = -1;
    CHECK_FAILS(rg_measure(image, NULL, &o, &box, 1, &s), "flux scale");
    rg_image_free(image);
    rg_image_free(bare);
}

/* ---- sizes, flags ---- */

/* Two points at position angle 30 deg on images turned and of either parity. */
static void measures_size_and_angle(void)
{
    for (int k = 0; k < 4; k++) {
        rg_image *image = noisy_image(100, 1e-4, 4);
        rg_detection box = box_at(49.5, 49.5, 30);
        rg_source s;
        rg_sky *turned, *old = image->sky;
        CHECK_OK(rg_sky_new_turned(&turned, old, 50.5, 50.5, 100, PIXEL, 35.0 * k));
        image->sky = turned;
        rg_sky_free(old);
        for (int side = -1; side <= 1; side += 2) {
            double x, y, far = side * 20.0 / 3600;
            CHECK_OK(rg_sky_to_pixel(turned, 180 + far * 0.5 / cos(30 * M_PI / 180),
                                     30 + far * cos(30 * M_PI / 180), &x, &y));
            inject(image, &(blob){ x - 1, y - 1, 0.02, 0, 0, 0 });
        }
        CHECK_OK(rg_measure(image, NULL, &exact, &box, 1, &s));
        double radius = BEAM / 2.35482 * sqrt(2 * log(200 / RG_ISLAND_BASE));
        CHECK_NEAR(s.pa, 30, 5);
        CHECK_NEAR(s.size, 40 + 2 * radius, 0.8);
        CHECK(s.islands == 2 && s.components == 2 && s.peaks == 2);
        CHECK_NEAR(s.ra, 180, 0.8 / 3600);
        CHECK_NEAR(s.dec, 30, 0.8 / 3600);
        CHECK(s.flags == RG_FLAG_DISAGREE);          /* the box says 1C_1P */
        rg_image_free(image);
    }
}

static rg_source measure_in(rg_image *image, rg_detection box)
{
    rg_source s;
    CHECK_OK(rg_measure(image, NULL, &exact, &box, 1, &s));
    return s;
}

static void raises_flags(void)
{
    rg_image *image = noisy_image(150, 1e-4, 4);
    rg_source s;
    inject(image, &(blob){ 1, 50, 0.02, 0, 0, 0 });
    inject(image, &(blob){ 50, 50, 0.02, 0, 0, 0 });
    inject(image, &(blob){ 120, 50, 0.02, 0, 0, 0 });
    image->pixels[50 * 150 + 124] = NAN;
    s = measure_in(image, box_at(50, 50, 8));
    CHECK(s.flags == 0);
    CHECK_NEAR((s.tight[0] + s.tight[2]) / 2, 51, 1);
    CHECK_NEAR(s.tight[2] - s.tight[0], 7, 2);
    s = measure_in(image, box_at(8, 50, 8));
    CHECK(s.flags == RG_FLAG_EDGE);
    s = measure_in(image, box_at(120, 50, 8));
    CHECK(s.flags == RG_FLAG_BLANK);
    CHECK(isfinite(s.flux) && isfinite(s.size));
    s = measure_in(image, box_at(85, 110, 6));
    CHECK(s.flags == (RG_FLAG_FAINT | RG_FLAG_DISAGREE));
    CHECK(s.islands == 0 && s.components == 0 && isnan(s.flux) && isnan(s.tight[0]));
    CHECK(s.peak > 0 && s.peak < 0.5 && s.rms > 0);
    rg_detection by_hand = box_at(50, 50, 8);
    by_hand.probability = NAN;
    CHECK(measure_in(image, by_hand).flags == RG_FLAG_BY_HAND);
    s = measure_in(image, box_at(1e6, 1e6, 8));
    CHECK(s.flags == (RG_FLAG_EDGE | RG_FLAG_FAINT | RG_FLAG_DISAGREE));
    s = measure_in(image, box_at(NAN, 50, 8));
    CHECK((s.flags & RG_FLAG_FAINT) && isnan(s.peak));
    s = measure_in(image, box_at(50, 50, 1e9));      /* all there is */
    CHECK(s.islands == 3 && (s.flags & RG_FLAG_EDGE));
    rg_image_free(image);
}

/* An image all blank, one all the same: nothing, and no failure. */
static void survives_empty_images(void)
{
    rg_image *image = blank_image(60, 180, 30);
    rg_source s = measure_in(image, box_at(30, 30, 8));
    CHECK((s.flags & RG_FLAG_FAINT) && s.rms == 0);
    for (int p = 0; p < 3600; p++) image->pixels[p] = NAN;
    s = measure_in(image, box_at(30, 30, 8));
    CHECK((s.flags & RG_FLAG_FAINT) && (s.flags & RG_FLAG_BLANK) && isnan(s.rms));
    CHECK_OK(rg_measure(image, NULL, &exact, NULL, 0, NULL));
    rg_image_free(image);
}

/* Boxes in one another both have the inner source; touching sources share their island;
 * a neighbour's light outside of the box counts for nobody else. */
static void shares_what_boxes_share(void)
{
    rg_image *image = noisy_image(150, 1e-4, 4);
    inject(image, &(blob){ 50, 50, 0.02, 0, 0, 0 });
    inject(image, &(blob){ 80, 50, 0.01, 0, 0, 0 });
    inject(image, &(blob){ 60, 110, 0.02, 0, 0, 0 });
    inject(image, &(blob){ 65, 110, 0.01, 0, 0, 0 });
    rg_detection boxes[5] = { box_at(65, 50, 25), box_at(80, 50, 8), box_at(56, 110, 6),
                              box_at(69, 110, 6), box_at(80, 50, 8) };
    rg_source s[5];
    CHECK_OK(rg_measure(image, NULL, &exact, boxes, 5, s));
    CHECK_NEAR(s[0].flux, 30, 2);
    CHECK_NEAR(s[1].flux, 10, 1);
    CHECK(s[0].islands == 2 && s[1].islands == 1);
    CHECK(s[4].flux == s[1].flux);
    for (int i = 0; i < 5; i++) CHECK(s[i].flags & RG_FLAG_CROWDED);
    CHECK_NEAR(s[2].flux + s[3].flux, 30, 2);
    CHECK(s[2].flux > 15 && s[3].flux > 6);
    CHECK_OK(rg_measure(image, NULL, &exact, &boxes[2], 1, s));
    CHECK_NEAR(s[0].flux, 30, 2);                    /* all of it is its own now */
    CHECK(!(s[0].flags & RG_FLAG_CROWDED));
    rg_image_free(image);
}

/* A hot spot sticks out of the box that has most of its island's flux: all is one. */
static void takes_what_sticks_out(void)
{
    rg_image *image = noisy_image(150, 1e-4, 4);
    const blob lobe = { 70, 75, 0.01, 20, 20, 0 }, spot = { 84, 75, 0.02, 0, 0, 0 };
    rg_detection box = box_at(70, 75, 12);
    inject(image, &lobe);
    inject(image, &spot);
    rg_source s = measure_in(image, box);
    CHECK_NEAR(s.flux, 1000 * (flux_of(&lobe) + flux_of(&spot)), 8);
    CHECK(s.tight[2] > box.xmax && !(s.flags & RG_FLAG_CROWDED));
    s = measure_in(image, box_at(90, 75, 4));        /* a part, and nothing else */
    CHECK(s.flags & RG_FLAG_CROWDED);
    CHECK(s.flux > 1 && s.flux < 60 && s.tight[0] > 85);
    rg_image_free(image);
}

int main(void)
{
    CHECK_RUN(measures_what_was_put_there);
    CHECK_RUN(measures_in_real_noise);
    CHECK_RUN(counts_as_radio_galaxy_zoo);
    CHECK_RUN(reads_the_unit);
    CHECK_RUN(finds_the_beam);
    CHECK_RUN(asks_for_what_it_cannot_know);
    CHECK_RUN(measures_size_and_angle);
    CHECK_RUN(raises_flags);
    CHECK_RUN(survives_empty_images);
    CHECK_RUN(shares_what_boxes_share);
    CHECK_RUN(takes_what_sticks_out);
    return CHECK_END();
}

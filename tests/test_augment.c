/* SPDX-License-Identifier: MIT */
#include "core/engine/random.h"
#include "core/image/image.h"
#include "core/learning/scene.h"
#include "tests/check.h"

enum { SIDE = 132, N = SIDE * SIDE };
#define BEAM 3.0                  /* [pixels], as FIRST's */

static float pixels[N], others[N];

static double rms_of(const float *p)
{
    double sum = 0;
    for (int i = 0; i < N; i++) sum += (double)p[i] * p[i];
    return sqrt(sum / N);
}

/* Correlation of pixels `lag` apart along x. */
static double correlation(const float *p, int lag)
{
    double sum = 0;
    int n = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x + lag < SIDE; x++, n++)
            sum += (double)p[y * SIDE + x] * p[y * SIDE + x + lag];
    return sum / n / pow(rms_of(p), 2);
}

static void add(float *p, double x, double y, double peak)
{
    for (int i = 0; i < N; i++) {
        double far = (pow(i % SIDE + 1 - x, 2) + pow(i / SIDE + 1 - y, 2));
        p[i] += (float)(peak * exp(-2.7726 * far / (BEAM * BEAM)));
    }
}

static rg_augment_plane plane(float *p)
{
    return (rg_augment_plane){ p, SIDE, BEAM, 0, 0 };
}

/* Of the autocorrelation of blank FIRST sky the stripes are not made. */
static void grain_is_like_the_sky(void)
{
    double sum = 0, at[5] = { 0 };
    enum { SKIES = 20 };
    for (uint64_t seed = 0; seed < SKIES; seed++) {
        uint64_t state = seed;
        CHECK_OK(rg_augment_grain(pixels, SIDE, BEAM, &state));
        sum += rms_of(pixels) / SKIES;
        for (int lag = 1; lag < 5; lag++) at[lag] += correlation(pixels, lag) / SKIES;
    }
    CHECK_NEAR(sum, 1, 0.02);
    CHECK_NEAR(at[1], 0.75, 0.08);
    CHECK_NEAR(at[2], 0.36, 0.08);
    CHECK_NEAR(at[3], 0.22, 0.08);
    CHECK_NEAR(at[4], 0.20, 0.1);
}

static void same_seed_same_grain(void)
{
    uint64_t a = 5, b = 5, c = 6;
    CHECK_OK(rg_augment_grain(pixels, SIDE, BEAM, &a));
    CHECK_OK(rg_augment_grain(others, SIDE, BEAM, &b));
    CHECK(memcmp(pixels, others, sizeof pixels) == 0);
    CHECK_OK(rg_augment_grain(others, SIDE, BEAM, &c));
    CHECK(memcmp(pixels, others, sizeof pixels) != 0);
}

/* Half of a plane of noise about 7 with sigma 2 blanked: the rest is as it was, and
 * what was blank is like it, not flat. */
static void blanks_become_noise(void)
{
    uint64_t state = 1;
    rg_augment_plane p = plane(pixels);
    double median, sigma;
    CHECK_OK(rg_augment_grain(pixels, SIDE, BEAM, &state));
    for (int i = 0; i < N; i++) pixels[i] = 7 + 2 * pixels[i];
    memcpy(others, pixels, sizeof pixels);
    for (int i = 0; i < N / 2; i++) pixels[i] = i % 2 ? NAN : INFINITY;
    CHECK_OK(rg_augment_fill(&p, &state));
    CHECK_NEAR(p.median, 7, 0.2);
    CHECK_NEAR(p.sigma, 2, 0.15);
    CHECK(memcmp(pixels + N / 2, others + N / 2, N / 2 * sizeof *pixels) == 0);
    CHECK_OK(rg_image_noise(pixels, N / 2, &median, &sigma));
    CHECK_NEAR(median, 7, 0.3);
    CHECK_NEAR(sigma, 2, 0.2);
    for (int i = 0; i < N; i++) pixels[i] = NAN;
    CHECK_FAILS(rg_augment_fill(&p, &state), "blank");
}

/* A source of 100 sigma and one of 12, at 0.2: 20 sigma and gone. */
static void fainter_copies_are_as_noisy(void)
{
    uint64_t state = 2;
    rg_augment_plane before = plane(others), p = plane(pixels);
    rg_truth truths[3] = { { { 37.5f, 37.5f, 43.5f, 43.5f }, 1 },
                           { { 87.5f, 87.5f, 93.5f, 93.5f }, 1 },
                           { { 10, 10, 20, 20 }, RG_CLASS_IGNORE } };
    double median, sigma;
    CHECK_OK(rg_augment_grain(pixels, SIDE, BEAM, &state));
    add(pixels, 40, 40, 100);
    add(pixels, 90, 90, 12);
    CHECK_OK(rg_augment_fill(&p, &state));
    memcpy(others, pixels, sizeof pixels);
    before.median = p.median;
    before.sigma = p.sigma;
    CHECK_OK(rg_augment_fade(&p, 0.2, &state));
    CHECK_OK(rg_image_noise(pixels, N, &median, &sigma));
    CHECK_NEAR(sigma, p.sigma, 0.05 * p.sigma);
    CHECK_NEAR(pixels[39 * SIDE + 39], 20, 2.5);
    CHECK_OK(rg_augment_relabel(&before, &p, truths, 3));
    CHECK(truths[0].class_ == 1);
    CHECK(truths[0].box.x1 > 36 && truths[0].box.x2 < 44.6f);
    CHECK(truths[0].box.x1 < 39 && truths[0].box.x2 > 41);
    CHECK(truths[1].class_ == RG_CLASS_IGNORE);
    CHECK(truths[2].class_ == RG_CLASS_IGNORE && truths[2].box.x1 == 10);
}

/* Five times as bright over the same noise; the box is that of a source so bright. */
static void brighter_sources_stand_in_the_same_noise(void)
{
    uint64_t state = 3;
    rg_augment_plane before = plane(others), p = plane(pixels);
    rg_truth truth = { { 37.5f, 37.5f, 43.5f, 43.5f }, 1 };
    double median, sigma;
    CHECK_OK(rg_augment_grain(pixels, SIDE, BEAM, &state));
    add(pixels, 40, 40, 30);
    CHECK_OK(rg_augment_fill(&p, &state));
    memcpy(others, pixels, sizeof pixels);
    before.median = p.median;
    before.sigma = p.sigma;
    CHECK_OK(rg_augment_brighten(&p, 5));
    CHECK_OK(rg_image_noise(pixels, N, &median, &sigma));
    CHECK_NEAR(sigma, p.sigma, 0.03 * p.sigma);
    CHECK_NEAR(pixels[39 * SIDE + 39], 5 * others[39 * SIDE + 39], 0.5);
    CHECK(pixels[100 * SIDE + 100] == others[100 * SIDE + 100]);
    CHECK_OK(rg_augment_relabel(&before, &p, &truth, 1));
    CHECK(truth.class_ == 1);
    CHECK_NEAR(truth.box.x2 - truth.box.x1, 8, 1.5);
}

/* Two sources 5 pixels apart are two peaks; at 0.12 only one is left. */
static void another_class_is_no_example(void)
{
    uint64_t state = 4;
    rg_augment_plane before = plane(others), p = plane(pixels);
    rg_truth truth = { { 36.5f, 37.5f, 48.5f, 43.5f }, 2 }, same = truth;
    CHECK_OK(rg_augment_grain(pixels, SIDE, BEAM, &state));
    add(pixels, 40, 40, 100);
    add(pixels, 45, 40, 30);
    CHECK_OK(rg_augment_fill(&p, &state));
    memcpy(others, pixels, sizeof pixels);
    before.median = p.median;
    before.sigma = p.sigma;
    CHECK_OK(rg_augment_relabel(&before, &p, &same, 1));
    CHECK(same.class_ == 2);
    CHECK_OK(rg_augment_fade(&p, 0.12, &state));
    CHECK_OK(rg_augment_relabel(&before, &p, &truth, 1));
    CHECK(truth.class_ == RG_CLASS_IGNORE);
}

/* A beam twice as wide: the noise is as strong as before, a compact source is lower
 * and wider. */
static void wider_beams_are_as_noisy(void)
{
    uint64_t state = 6;
    rg_augment_plane before = plane(others), p = plane(pixels);
    rg_truth truth = { { 37.5f, 37.5f, 43.5f, 43.5f }, 1 };
    double median, sigma;
    CHECK_OK(rg_augment_grain(pixels, SIDE, BEAM, &state));
    add(pixels, 40, 40, 60);
    CHECK_OK(rg_augment_fill(&p, &state));
    memcpy(others, pixels, sizeof pixels);
    before.median = p.median;
    before.sigma = p.sigma;
    CHECK_OK(rg_augment_smooth(&p, 2));
    CHECK_OK(rg_image_noise(pixels, N, &median, &sigma));
    CHECK_NEAR(sigma, before.sigma, 0.01 * sigma);
    CHECK_NEAR(p.beam, 2 * BEAM, 1e-9);
    CHECK(pixels[39 * SIDE + 39] < 0.8 * others[39 * SIDE + 39]);
    /* At half its height a Gaussian of FWHM 6. */
    CHECK_NEAR(pixels[39 * SIDE + 42] / pixels[39 * SIDE + 39], 0.5, 0.06);
    CHECK_OK(rg_augment_relabel(&before, &p, &truth, 1));
    CHECK(truth.class_ == 1 && truth.box.x2 - truth.box.x1 > 8);
}

static rg_scene scene_of(float *p, uint64_t seed, rg_truth *truths)
{
    rg_scene s = { plane(p), truths, 1, 0 };
    CHECK_OK(rg_augment_grain(p, SIDE, BEAM, &seed));
    add(p, 40, 40, 50);
    CHECK_OK(rg_augment_fill(&s.radio, &seed));
    truths[0] = (rg_truth){ { 36.5f, 36.5f, 43.5f, 43.5f }, 1 };
    return s;
}

/* What comes from elsewhere is where its box is, clear of what was there, and the rest
 * of the window stays. */
static void sources_come_from_elsewhere(void)
{
    rg_truth truths[2], donated[1];
    for (uint64_t seed = 1; seed < 12; seed++) {
        uint64_t chance = seed;
        rg_scene s = scene_of(pixels, seed, truths);
        rg_scene donor = scene_of(others, seed + 100, donated);
        const float was = pixels[39 * SIDE + 39];
        CHECK_OK(rg_scene_inject(&s, &donor, &chance));
        CHECK(s.n == 2 && s.truths[1].class_ == 1);
        if (s.n != 2) continue;
        const rg_box *b = &s.truths[1].box;
        const int x = (int)(b->x1 + b->x2) / 2 - 1, y = (int)(b->y1 + b->y2) / 2 - 1;
        CHECK(pixels[y * SIDE + x] > 30);
        CHECK(b->x2 - b->x1 > 4 && b->x2 - b->x1 < 9);
        CHECK(b->x1 > 43.5f || b->x2 < 36.5f || b->y1 > 43.5f || b->y2 < 36.5f);
        CHECK_NEAR(pixels[39 * SIDE + 39], was, 1e-3);
    }
}

/* As faint as it may be, the truth drawn, here with a second component that most of it
 * would lose, stays an example. */
static void the_truth_drawn_stays_one(void)
{
    rg_truth truths[2];
    const rg_augment_options how = { .faint = 1, .beam = 1.6 };
    double least = 1e9;
    for (uint64_t seed = 1; seed < 16; seed++) {
        uint64_t chance = seed;
        rg_scene s = scene_of(pixels, seed, truths);
        add(pixels, 50, 40, 14);
        truths[0] = (rg_truth){ { 36.5f, 36.5f, 53.5f, 43.5f }, 4 };
        CHECK_OK(rg_scene_change(&s, &how, &chance));
        CHECK(s.truths[0].class_ == 4);
        least = fmin(least, pixels[39 * SIDE + 39]);
    }
    CHECK(least < 35);
}

int main(void)
{
    CHECK_RUN(grain_is_like_the_sky);
    CHECK_RUN(same_seed_same_grain);
    CHECK_RUN(blanks_become_noise);
    CHECK_RUN(fainter_copies_are_as_noisy);
    CHECK_RUN(brighter_sources_stand_in_the_same_noise);
    CHECK_RUN(another_class_is_no_example);
    CHECK_RUN(wider_beams_are_as_noisy);
    CHECK_RUN(sources_come_from_elsewhere);
    CHECK_RUN(the_truth_drawn_stays_one);
    return CHECK_END();
}

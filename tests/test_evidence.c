/* SPDX-License-Identifier: MIT */
/* Evidence of boxes round Gaussians whose counts, fluxes and distances are known. */
#include "core/detector/evidence.h"
#include "core/engine/random.h"
#include "tests/check.h"

enum { SIDE = 132 };
#define WIDTH 1.7                 /* of the Gaussians, 5.4" across at half height */
#define PIXEL 1.375

static float pixels[SIDE * SIDE];

static void noise(void)
{
    uint64_t state = 3;
    for (int i = 0; i < SIDE * SIDE; i++) pixels[i] = (float)rg_random_normal(&state);
}

/* Centres in FITS pixels, peaks in sigma. */
static void put(double x, double y, double peak)
{
    for (int p = 0; p < SIDE * SIDE; p++)
        pixels[p] += (float)(peak * exp(-0.5 * (pow((p % SIDE + 1 - x) / WIDTH, 2) +
                                                pow((p / SIDE + 1 - y) / WIDTH, 2))));
}

/* x of a box as that class. */
static void weigh(rg_box box, int class_, float x[RG_EVIDENCES])
{
    rg_evidence *seen = NULL;
    for (int k = 0; k < RG_EVIDENCES; k++) x[k] = -1;
    CHECK_OK(rg_evidence_open(&seen, pixels, SIDE, PIXEL));
    if (seen) rg_evidence_weigh(seen, box, class_, x);
    rg_evidence_close(seen);
}

/* Which of the six classes has the counts of what is in the box; 0: none. */
static int counted(rg_box box)
{
    int found = 0, n = 0;
    for (int c = 1; c < RG_CLASSES; c++) {
        float x[RG_EVIDENCES];
        weigh(box, c, x);
        if (x[RG_EVIDENCE_COUNTS] == 1) found = c, n++;
        CHECK(x[RG_EVIDENCE_COUNTS] == 1 || x[RG_EVIDENCE_COUNTS] == 0);
    }
    CHECK(n <= 1);
    return found;
}

static void islands_and_peaks_are_counted(void)
{
    noise();
    put(30, 40, 50);
    put(80, 40, 60);
    put(87, 40, 55);
    CHECK(counted((rg_box){ 22, 32, 38, 48 }) == 1);              /* 1C_1P */
    CHECK(counted((rg_box){ 72, 32, 95, 48 }) == 2);              /* 1C_2P */
    CHECK(counted((rg_box){ 22, 32, 95, 48 }) == 5);              /* 2C_3P */
    CHECK(counted((rg_box){ 40, 60, 60, 80 }) == 0);              /* nothing */
    CHECK(counted((rg_box){ 32, 32, 60, 48 }) == 0);              /* beside it */
    put(55, 90, 40);
    CHECK(counted((rg_box){ 22, 32, 95, 100 }) == 6);             /* 4 peaks are 3 */
}

static void the_outline_fits(void)
{
    float x[RG_EVIDENCES];
    noise();
    put(60.5, 60.5, 100);
    /* 100 exp(-r^2 / 2 w^2) = 4 at r = 4.3: 8 or 9 pixels a side, and noise adds */
    weigh((rg_box){ 50.5f, 50.5f, 70.5f, 70.5f }, 1, x);
    const float fit = x[RG_EVIDENCE_FIT];
    CHECK(fit * 400 > 60 && fit * 400 < 121);
    weigh((rg_box){ 50.5f, 50.5f, 70.5f, 90.5f }, 1, x);
    CHECK_NEAR(x[RG_EVIDENCE_FIT], fit / 2, 1e-6);
    weigh((rg_box){ 20, 20, 30, 30 }, 1, x);
    CHECK(x[RG_EVIDENCE_FIT] == 0);
    for (int v = 57; v < 63; v++)         /* a shelf of 7 sigma, to column 80 */
        for (int u = 60; u < 80; u++)
            if (u >= 65) pixels[v * SIDE + u] += 7;
            else pixels[v * SIDE + u] = fmaxf(pixels[v * SIDE + u], 7);
    weigh((rg_box){ 56.5f, 56.5f, 80.5f, 64.5f }, 1, x);
    CHECK(x[RG_EVIDENCE_FIT] > 0.75);
}

static void pairs_are_compared(void)
{
    float x[RG_EVIDENCES];
    noise();
    put(40, 66, 200);
    put(80, 66, 20);
    const rg_box both = { 30, 56, 90, 76 };
    weigh(both, 4, x);
    /* below 5.2 sigma is cut off: more of the fainter */
    CHECK(x[RG_EVIDENCE_CONTRAST] > 1 && x[RG_EVIDENCE_CONTRAST] < 1.3);
    /* diagonals of 8 or 9 and of 5 or 6 pixels a side */
    CHECK(x[RG_EVIDENCE_GAP] > 40 / 12.0 && x[RG_EVIDENCE_GAP] < 40 / 8.0);
    weigh(both, 2, x);
    CHECK(x[RG_EVIDENCE_CONTRAST] == 0 && x[RG_EVIDENCE_GAP] == 0);
    weigh((rg_box){ 30, 56, 50, 76 }, 4, x);
    CHECK(x[RG_EVIDENCE_CONTRAST] == 0 && x[RG_EVIDENCE_GAP] == 0);
}

static void neighbours_are_near_and_alike(void)
{
    float alike[RG_EVIDENCES], faint[RG_EVIDENCES], far[RG_EVIDENCES];
    const rg_box box = { 30, 56, 50, 76 };
    noise();
    put(40, 66, 100);
    weigh(box, 1, far);
    CHECK(far[RG_EVIDENCE_NEIGHBOUR] == 0);
    put(60, 66, 100);                     /* 10 pixels from the box: 13.75" */
    weigh(box, 1, alike);
    CHECK_NEAR(alike[RG_EVIDENCE_NEIGHBOUR], exp(-13.75 / 30), 0.1);
    noise();
    put(40, 66, 100);
    put(60, 66, 10);
    weigh(box, 1, faint);
    CHECK(faint[RG_EVIDENCE_NEIGHBOUR] > 0);
    CHECK(faint[RG_EVIDENCE_NEIGHBOUR] < 0.15 * alike[RG_EVIDENCE_NEIGHBOUR]);
    noise();
    put(40, 66, 100);
    put(120, 66, 100);                    /* 70 pixels */
    weigh(box, 1, far);
    CHECK_NEAR(far[RG_EVIDENCE_NEIGHBOUR], exp(-96.25 / 30), 0.02);
}

/* Flat and partly blank windows are looked at, blank ones are a sentence. */
static void windows_without_noise(void)
{
    float x[RG_EVIDENCES];
    rg_evidence *seen = NULL;
    for (int p = 0; p < SIDE * SIDE; p++) pixels[p] = 2;
    weigh((rg_box){ 30, 30, 50, 50 }, 5, x);
    for (int k = 0; k < RG_EVIDENCES; k++) CHECK(x[k] == 0);
    noise();
    put(40, 66, 50);
    for (int p = 0; p < SIDE * SIDE; p++) if (p % SIDE > 70) pixels[p] = NAN;
    CHECK(counted((rg_box){ 30, 56, 50, 76 }) == 1);
    for (int p = 0; p < SIDE * SIDE; p++) pixels[p] = NAN;
    CHECK_FAILS(rg_evidence_open(&seen, pixels, SIDE, PIXEL), "blank");
    CHECK(seen == NULL);
}

int main(void)
{
    CHECK_RUN(islands_and_peaks_are_counted);
    CHECK_RUN(the_outline_fits);
    CHECK_RUN(pairs_are_compared);
    CHECK_RUN(neighbours_are_near_and_alike);
    CHECK_RUN(windows_without_noise);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include "core/image/island.h"
#include "tests/check.h"

enum { NX = 23, NY = 17 };

/* A Gaussian of that peak and width [pixels] added to pixels [NY][NX]. */
static void add(float *pixels, double x, double y, double peak, double width)
{
    for (int v = 0; v < NY; v++)
        for (int u = 0; u < NX; u++)
            pixels[v * NX + u] += (float)(peak * exp(-0.5 * (pow((u - x) / width, 2) +
                                                             pow((v - y) / width, 2))));
}

static int find(const float *pixels, double level, rg_island **islands, int **labels)
{
    int n = -1;
    CHECK_OK(rg_island_find(pixels, NX, NY, level, RG_ISLAND_STEP, islands, &n,
                                labels));
    return n;
}

static void separates_islands(void)
{
    float pixels[NY * NX] = { 0 };
    rg_island *islands;
    int *labels;
    add(pixels, 5, 5, 10, 1.2);
    add(pixels, 16, 11, 30, 1.2);
    CHECK(find(pixels, 2, &islands, &labels) == 2);
    CHECK_NEAR(islands[0].peak, 30, 1e-4);
    CHECK_NEAR(islands[0].x, 16, 1e-3);
    CHECK_NEAR(islands[0].y, 11, 1e-3);
    CHECK_NEAR(islands[1].peak, 10, 1e-4);
    CHECK(islands[0].peaks == 1 && islands[1].peaks == 1);
    /* radius of the level: 1.2 sqrt(2 ln 5) = 2.15, 1.2 sqrt(2 ln 15) = 2.79 */
    CHECK(islands[1].x1 == 3 && islands[1].x2 == 7 && islands[1].y1 == 3 &&
          islands[1].y2 == 7);
    int count[3] = { 0 };
    for (int p = 0; p < NX * NY; p++) {
        count[labels[p]]++;
        CHECK((labels[p] > 0) == (pixels[p] >= 2));
    }
    CHECK(labels[11 * NX + 16] == 1 && labels[5 * NX + 5] == 2);
    CHECK(count[1] == islands[0].npixels && count[2] == islands[1].npixels);
    free(islands);
    free(labels);
}

static void touches_by_corners(void)
{
    float pixels[NY * NX] = { 0 };
    rg_island *islands;
    pixels[3 * NX + 3] = pixels[4 * NX + 4] = pixels[3 * NX + 5] = 1;
    pixels[3 * NX + 7] = 1;
    CHECK(find(pixels, 0.5, &islands, NULL) == 2);
    CHECK(islands[0].npixels == 3 && islands[0].peaks == 1 && islands[1].npixels == 1);
    CHECK_NEAR(islands[0].flux, 3, 1e-12);
    free(islands);
}

/* Two summits are two peaks if a level runs between them and the saddle. */
static void counts_peaks_by_levels(void)
{
    static const struct { float saddle; int peaks; } cases[] = {
        { 0.9f, 1 }, { 1.2f, 2 }, { 1.7f, 2 }, { 1.8f, 2 }, { 3.1f, 1 }
    };
    for (int i = 0; i < 5; i++) {
        float pixels[NY * NX] = { 0 };
        rg_island *islands;
        pixels[5 * NX + 5] = pixels[5 * NX + 7] = 5.0f;     /* between 3 and 5.196 */
        pixels[5 * NX + 6] = cases[i].saddle;
        int n = find(pixels, 1, &islands, NULL);
        CHECK(n == (cases[i].saddle < 1 ? 2 : 1));
        CHECK(islands[0].peaks == cases[i].peaks);
        free(islands);
    }
}

static void counts_peaks_of_three(void)
{
    float pixels[NY * NX] = { 0 };
    rg_island *islands;
    add(pixels, 4, 8, 20, 1.5);
    add(pixels, 11, 8, 9, 1.5);
    add(pixels, 18, 8, 20, 1.5);
    CHECK(find(pixels, 0.5, &islands, NULL) == 1);
    CHECK(islands[0].peaks == 3);
    free(islands);
}

static void keeps_blanks_out(void)
{
    float pixels[NY * NX];
    rg_island *islands;
    int *labels;
    for (int p = 0; p < NX * NY; p++) pixels[p] = 1;
    for (int y = 0; y < NY; y++) pixels[y * NX + 10] = y % 2 ? NAN : INFINITY;
    CHECK(find(pixels, 1, &islands, &labels) == 2);
    CHECK(islands[0].npixels == 10 * NY && islands[1].npixels == 12 * NY);
    CHECK(labels[10] == 0 && labels[NX + 10] == 0);
    free(islands);
    free(labels);
    for (int p = 0; p < NX * NY; p++) pixels[p] = NAN;
    CHECK(find(pixels, 1, &islands, &labels) == 0);
    free(islands);
    free(labels);
}

static void refuses_nonsense(void)
{
    float pixel = 1;
    rg_island *islands;
    int n;
    CHECK_FAILS(rg_island_find(&pixel, 0, 1, 1, 2, &islands, &n, NULL), "0 x 1");
    CHECK_FAILS(rg_island_find(&pixel, 1, 1, 0, 2, &islands, &n, NULL), "positive");
    CHECK_FAILS(rg_island_find(&pixel, 1, 1, NAN, 2, &islands, &n, NULL),
                "positive");
    CHECK_FAILS(rg_island_find(&pixel, 1, 1, 1, 1, &islands, &n, NULL), "above 1");
    CHECK(islands == NULL && n == 0);
}

int main(void)
{
    CHECK_RUN(separates_islands);
    CHECK_RUN(touches_by_corners);
    CHECK_RUN(counts_peaks_by_levels);
    CHECK_RUN(counts_peaks_of_three);
    CHECK_RUN(keeps_blanks_out);
    CHECK_RUN(refuses_nonsense);
    return CHECK_END();
}

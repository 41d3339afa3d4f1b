/* SPDX-License-Identifier: MIT */
/* island: regions of emission and their peaks, by Radio Galaxy Zoo's arithmetic
 * (shared/spec/data.md): components = islands above 3 sqrt(3) sigma, peaks = leaves of
 * the island's contour tree over the levels 3 sqrt(3) sigma x sqrt(3)^k.
 *
 *     rg_island *islands; int n;
 *     RG_TRY(rg_island_find(pixels, nx, ny, 5.196 * sigma, 1.732, &islands, &n,
 * NULL)); free(islands);
 */
#ifndef RG_ISLAND_H
#define RG_ISLAND_H

#define RG_ISLAND_BASE 5.196152422706632   /* 3 sqrt(3), in sigma */
#define RG_ISLAND_STEP 1.7320508075688772  /* sqrt(3) */

/* One island: x1..y2 are its first and last pixels, 0-based and inclusive. */
typedef struct rg_island {
    int x1, y1, x2, y2;
    int npixels;
    int peaks;            /* leaves of the contour tree, at least 1 */
    double flux;          /* sum of its pixels, in their unit x pixels */
    double peak;          /* brightest pixel ... */
    int px, py;           /* ... and where it is, 0-based; of equals the lowest, then
                             leftmost */
    double x, y;          /* flux-weighted centre, 0-based */
} rg_island;

/* Islands (8-connected) of pixels [ny][nx] at or above `level`, brightest peak first;
 * NaN is below everything.  *labels, unless NULL is passed, gets an [ny][nx] map:
 * island number + 1, 0 outside.  Caller frees *islands and *labels with free(). */
int rg_island_find(const float *pixels, int nx, int ny, double level, double step,
                       rg_island **islands, int *n, int **labels);

#endif

/* SPDX-License-Identifier: MIT */
#include "core/image/island.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

/* Pixels by contour level: 0 from the base to the first step, -1 below the base. */
typedef struct levels {
    int nx, ny;
    short *level;         /* [ny][nx] */
    int *queue;           /* [ny][nx]; pixels of the region last flooded */
    int *label;           /* [ny][nx]; island number + 1, 0 outside */
    char *seen;           /* [ny][nx]; pixels of plateaus already flooded */
} levels;

static void clear(levels *map)
{
    free(map->level);
    free(map->queue);
    free(map->label);
    free(map->seen);
}

static int prepare(levels *map, const float *pixels, double base, double step)
{
    size_t n = (size_t)map->nx * (size_t)map->ny;
    map->level = rg_error_alloc(n, sizeof *map->level, "contour levels");
    map->queue = rg_error_alloc(n, sizeof *map->queue, "contour pixels");
    map->label = rg_error_alloc(n, sizeof *map->label, "island labels");
    map->seen = rg_error_alloc(n, sizeof *map->seen, "contour plateaus");
    if (!map->level || !map->queue || !map->label || !map->seen) return -1;
    for (size_t i = 0; i < n; i++) {
        map->level[i] = -1;
        if (!(pixels[i] >= base) || isinf(pixels[i])) continue;
        double level = floor(log(pixels[i] / base) / log(step));
        map->level[i] = (short)fmin(fmax(level, 0.0), SHRT_MAX);
    }
    return 0;
}

/* The 8-connected pixels with levels low..high round queue[0] go to the queue; returns
 * how many, and whether any of their neighbours is above `high`. */
static int flood(levels *map, int low, int high, int *higher)
{
    int count = 1;
    *higher = 0;
    for (int i = 0; i < count; i++) {
        int x = map->queue[i] % map->nx, y = map->queue[i] / map->nx;
        for (int j = 0; j < 9; j++) {
            int u = x + j % 3 - 1, v = y + j / 3 - 1;
            if (u < 0 || v < 0 || u >= map->nx || v >= map->ny) continue;
            int p = v * map->nx + u;
            if (map->level[p] > high) *higher = 1;
            if (map->level[p] < low || map->level[p] > high || map->seen[p]) continue;
            map->seen[p] = 1;
            map->queue[count++] = p;
        }
    }
    return count;
}

/* Flood from pixel p; its own `seen` is set here. */
static int flood_from(levels *map, int p, int low, int high, int *higher)
{
    map->seen[p] = 1;
    map->queue[0] = p;
    return flood(map, low, high, higher);
}

static rg_island describe(const levels *map, const float *pixels, int count)
{
    rg_island island = { .x1 = INT_MAX, .y1 = INT_MAX, .npixels = count };
    for (int i = 0; i < count; i++) {
        int x = map->queue[i] % map->nx, y = map->queue[i] / map->nx;
        double value = pixels[map->queue[i]];
        if (x < island.x1) island.x1 = x;
        if (y < island.y1) island.y1 = y;
        if (x > island.x2) island.x2 = x;
        if (y > island.y2) island.y2 = y;
        if (value > island.peak
            || (value == island.peak
                && map->queue[i] < island.py * map->nx + island.px)) {
            island.peak = value;
            island.px = x;
            island.py = y;
        }
        island.flux += value;
        island.x += value * x;
        island.y += value * y;
    }
    island.x /= island.flux;
    island.y /= island.flux;
    return island;
}

static int find(levels *map, const float *pixels, rg_island **islands, int *n)
{
    int room = 0, higher;
    for (int p = 0; p < map->nx * map->ny; p++) {
        if (map->level[p] < 0 || map->seen[p]) continue;
        if (*n == room) {
            room = room ? 2 * room : 64;
            rg_island *more = realloc(*islands, (size_t)room * sizeof *more);
            if (more == NULL) return RG_FAIL("out of memory for %d islands", room);
            *islands = more;
        }
        int count = flood_from(map, p, 0, SHRT_MAX, &higher);
        (*islands)[*n] = describe(map, pixels, count);
        for (int i = 0; i < count; i++) map->label[map->queue[i]] = *n + 1;
        ++*n;
    }
    return 0;
}

/* A leaf of the contour tree is a plateau of one level, nothing higher beside it. */
static void count_peaks(levels *map, rg_island *islands)
{
    memset(map->seen, 0, (size_t)map->nx * (size_t)map->ny);
    for (int p = 0; p < map->nx * map->ny; p++) {
        if (map->level[p] < 0 || map->seen[p]) continue;
        int higher, level = map->level[p];
        flood_from(map, p, level, level, &higher);
        if (!higher) islands[map->label[p] - 1].peaks++;    /* NOLINT: there is one */
    }
}

/* Brightest first; the label map follows. */
typedef struct rank { double peak; int from; } rank;

static int brighter(const void *a, const void *b)
{
    const rank *first = a, *second = b;
    if (first->peak != second->peak) return first->peak > second->peak ? -1 : 1;
    return first->from - second->from;
}

static int sort(levels *map, rg_island *islands, int n)
{
    rank *order = rg_error_alloc((size_t)n, sizeof *order, "island order");
    int *to = rg_error_alloc((size_t)n + 1, sizeof *to, "island order");
    rg_island *old = rg_error_alloc((size_t)n, sizeof *old, "islands");
    int status = order && to && old ? 0 : -1;
    if (status == 0) {
        for (int i = 0; i < n; i++) order[i] = (rank){ islands[i].peak, i };
        if (n > 0) memcpy(old, islands, (size_t)n * sizeof *old);
        qsort(order, (size_t)n, sizeof *order, brighter);
        for (int i = 0; i < n; i++) {
            islands[i] = old[order[i].from];
            to[order[i].from + 1] = i + 1;
        }
        for (int p = 0; p < map->nx * map->ny; p++) map->label[p] = to[map->label[p]];
    }
    free(order);
    free(to);
    free(old);
    return status;
}

int rg_island_find(const float *pixels, int nx, int ny, double level, double step,
                       rg_island **islands, int *n, int **labels)
{
    *islands = NULL;
    *n = 0;
    if (labels) *labels = NULL;
    if (nx < 1 || ny < 1 || nx > INT_MAX / ny)
        return RG_FAIL("cannot contour an image of %d x %d pixels", nx, ny);
    if (!(level > 0.0) || !(step > 1.0) || isinf(level) || isinf(step))
        return RG_FAIL("contour levels %g x %g^k do not rise: the level must be "
                       "positive, the step above 1", level, step);
    levels map = { .nx = nx, .ny = ny };
    int status = prepare(&map, pixels, level, step);
    if (status == 0) status = find(&map, pixels, islands, n);
    if (status == 0) count_peaks(&map, *islands);
    if (status == 0) status = sort(&map, *islands, *n);
    if (status == 0 && labels) {
        *labels = map.label;
        map.label = NULL;
    }
    clear(&map);
    if (status != 0) {
        free(*islands);
        *islands = NULL;
        *n = 0;
    }
    return status;
}

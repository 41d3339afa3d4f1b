/* SPDX-License-Identifier: MIT */
#include "core/image/contour.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

/* ---- tracing ---- */

/* Edges of the grid: horizontal ones of every row, then vertical ones.  A line crosses
 * an edge at most once, and each cell joins two or four of its edges. */
typedef struct grid {
    const float *pixels;      /* borrowed */
    int nx, ny;
    double level;
    int (*next)[2];           /* edges joined to an edge, -1: none; owned */
    int *joined, njoined;     /* the edges that have a next one; owned */
} grid;

static int horizontal(const grid *g, int x, int y)
{
    return y * g->nx + x;
}

static int vertical(const grid *g, int x, int y)
{
    return g->nx * g->ny + y * g->nx + x;
}

static void join(grid *g, int a, int b)
{
    for (int k = 0; k < 2; k++) {
        int edge = k ? b : a, other = k ? a : b, second = g->next[edge][0] >= 0;
        g->next[edge][second] = other;
        if (!second) g->joined[g->njoined++] = edge;
    }
}

/* Corners 0..3 anticlockwise from x, y; edge k goes from corner k to k + 1. */
static void join_cell(grid *g, int x, int y)
{
    const float *p = g->pixels + (size_t)y * g->nx + x;
    const float v[4] = { p[0], p[1], p[g->nx + 1], p[g->nx] };
    int in[4], crossed[4], n = 0;
    for (int k = 0; k < 4; k++) in[k] = v[k] >= g->level;
    if (in[0] == in[1] && in[1] == in[2] && in[2] == in[3]) return;
    double mean = ((double)v[0] + v[1] + v[2] + v[3]) / 4;
    if (!isfinite(mean)) return;
    const int edge[4] = { horizontal(g, x, y), vertical(g, x + 1, y),
                          horizontal(g, x, y + 1), vertical(g, x, y) };
    for (int k = 0; k < 4; k++)
        if (in[k] != in[(k + 1) % 4]) crossed[n++] = edge[k];
    if (n == 2) {
        join(g, crossed[0], crossed[1]);
        return;
    }
    /* a saddle: lines cut off the corners that differ from the middle */
    int first = in[0] == (mean >= g->level);
    join(g, crossed[first], crossed[(first + 3) % 4]);
    join(g, crossed[first + 1], crossed[(first + 2) % 4]);
}

static void place(const grid *g, int edge, float at[2])
{
    int across = edge < g->nx * g->ny, cell = across ? edge : edge - g->nx * g->ny;
    int x = cell % g->nx, y = cell / g->nx;
    double low = g->pixels[cell], high = g->pixels[across ? cell + 1 : cell + g->nx];
    double part = (g->level - low) / (high - low);
    at[0] = (float)(across ? x + part : x);
    at[1] = (float)(across ? y : y + part);
}

/* The line through `edge`, taken out of the grid as it is followed. */
static void follow(grid *g, int edge, int level, rg_contours *c)
{
    rg_contour line = { .level = level, .first = c->npoints };
    for (int at = edge, to; at >= 0; at = line.closed ? -1 : to) {
        to = g->next[at][g->next[at][0] < 0];
        place(g, at, c->points[c->npoints++]);
        g->next[at][0] = g->next[at][1] = -1;
        if (to >= 0) g->next[to][g->next[to][1] == at] = -1;
        line.closed = to == edge;
    }
    line.n = c->npoints - line.first;
    c->lines[c->nlines++] = line;
}

/* Room for the most that so many edges give: a point each, a line for every two. */
static int make_room(rg_contours *c, int edges)
{
    if (edges > INT_MAX - c->npoints) return RG_FAIL("too many contours");
    size_t nlines = (size_t)c->nlines + (size_t)edges / 2;
    size_t npoints = (size_t)c->npoints + (size_t)edges;
    void *lines = realloc(c->lines, nlines * sizeof *c->lines);
    if (lines != NULL) c->lines = lines;
    void *points = realloc(c->points, npoints * sizeof *c->points);
    if (points != NULL) c->points = points;
    if (!lines || !points) return RG_FAIL("out of memory for %d contour points", edges);
    return 0;
}

static int trace_level(grid *g, int level, rg_contours *c)
{
    g->njoined = 0;
    for (int y = 0; y + 1 < g->ny; y++)
        for (int x = 0; x + 1 < g->nx; x++) join_cell(g, x, y);
    if (g->njoined == 0) return 0;
    RG_TRY(make_room(c, g->njoined));
    for (int ends = 1; ends >= 0; ends--)     /* open lines first, from an end */
        for (int i = 0; i < g->njoined; i++) {
            const int *next = g->next[g->joined[i]];
            int n = (next[0] >= 0) + (next[1] >= 0);
            if (n == 1 || (n == 2 && !ends)) follow(g, g->joined[i], level, c);
        }
    return 0;
}

int rg_contour_trace(const float *pixels, int nx, int ny, double base, double step,
                     int levels, rg_contours *out)
{
    if (nx < 2 || ny < 2 || nx > 16384 || ny > 16384)
        return RG_FAIL("cannot contour an image of %d x %d pixels", nx, ny);
    if (!(base > 0) || !(step > 1) || !isfinite(base) || !isfinite(step))
        return RG_FAIL("contour levels %g x %g^k do not rise", base, step);
    const size_t edges = 2 * (size_t)nx * (size_t)ny;
    grid g = { .pixels = pixels, .nx = nx, .ny = ny };
    float highest = -INFINITY;
    for (int i = 0; i < nx * ny; i++)
        if (pixels[i] > highest) highest = pixels[i];
    *out = (rg_contours){ .nlines = 0 };
    g.next = rg_error_alloc(edges, sizeof *g.next, "contours");
    g.joined = rg_error_alloc(edges, sizeof *g.joined, "contours");
    int status = g.next && g.joined ? 0 : -1;
    if (status == 0) memset(g.next, -1, edges * sizeof *g.next);
    for (int k = 0; status == 0 && k < levels; k++) {
        g.level = base * pow(step, k);
        if (!(g.level <= highest)) break;
        status = trace_level(&g, k, out);
    }
    free(g.next);
    free(g.joined);
    if (status != 0) rg_contour_clear(out);
    return status;
}

void rg_contour_clear(rg_contours *contours)
{
    free(contours->lines);
    free(contours->points);
    *contours = (rg_contours){ .nlines = 0 };
}

/* ---- drawing ---- */

enum { SUB = 8 };                 /* samples of a pixel along each axis */

/* Narrow span to where from <= at + slope x < to. */
static void clip(double at, double slope, double from, double to, double span[2])
{
    if (slope == 0) {
        if (!(at >= from && at < to)) span[1] = -INFINITY;
        return;
    }
    double p = (from - at) / slope, q = (to - at) / slope;
    double low = p < q ? p : q, high = p < q ? q : p;
    if (low > span[0]) span[0] = low;
    if (high < span[1]) span[1] = high;
}

static void widen(double low, double high, double span[2])
{
    if (!(low < high)) return;
    if (low < span[0]) span[0] = low;
    if (high > span[1]) span[1] = high;
}

/* What of the row at height y is within `half` of a - b: in the discs round both or in
 * the bar between them. */
static void cross(const float a[2], const float b[2], double half, double y,
                  double span[2])
{
    double dx = (double)b[0] - a[0], dy = (double)b[1] - a[1];
    double up = y - a[1], down = y - b[1], length = sqrt(dx * dx + dy * dy);
    double ra = sqrt(half * half - up * up), rb = sqrt(half * half - down * down);
    double bar[2] = { -INFINITY, INFINITY };
    span[0] = INFINITY, span[1] = -INFINITY;
    widen(a[0] - ra, a[0] + ra, span);        /* a NaN where the disc is not met */
    widen(b[0] - rb, b[0] + rb, span);
    if (!(length > 0)) return;
    clip(up * dy - a[0] * dx, dx, 0, length * length, bar);
    clip(up * dx + a[0] * dy, -dy, -half * length, half * length, bar);
    widen(bar[0], bar[1], span);
}

/* Mark the samples of the segment a - b; 64 bits a pixel. */
static void stroke(uint64_t *covered, int nx, int ny, const float a[2],
                   const float b[2], double half)
{
    int first = (int)ceil((fmin(a[1], b[1]) - half + 0.5) * SUB - 0.5);
    int last = (int)floor((fmax(a[1], b[1]) + half + 0.5) * SUB - 0.5);
    for (int r = first < 0 ? 0 : first; r <= last && r < ny * SUB; r++) {
        double span[2];
        cross(a, b, half, (r + 0.5) / SUB - 0.5, span);
        if (!(span[0] < span[1])) continue;
        uint64_t *row = covered + (size_t)(r / SUB) * nx;
        int s = (int)ceil((span[0] + 0.5) * SUB - 0.5);
        int end = (int)ceil((span[1] + 0.5) * SUB - 0.5);
        for (s = s < 0 ? 0 : s; s < end && s < nx * SUB; s++)
            row[s / SUB] |= (uint64_t)1 << (r % SUB * SUB + s % SUB);
    }
}

int rg_contour_draw(const rg_contours *c, double width, const uint8_t colour[3], int nx,
                    int ny, uint8_t *rgb)
{
    const size_t n = (size_t)nx * (size_t)ny;
    uint64_t *covered = rg_error_alloc(n, sizeof *covered, "drawn contours");
    if (covered == NULL) return -1;
    for (int l = 0; l < c->nlines; l++) {
        const rg_contour *line = &c->lines[l];
        for (int i = 0; i < line->n - !line->closed; i++)
            stroke(covered, nx, ny, c->points[line->first + i],
                   c->points[line->first + (i + 1) % line->n], width / 2);
    }
    for (size_t i = 0; i < n; i++) {
        int share = covered[i] ? __builtin_popcountll(covered[i]) : 0;
        for (int k = 0; share && k < 3; k++)
            rgb[3 * i + k] = (uint8_t)((rgb[3 * i + k] * (SUB * SUB - share)
                                        + colour[k] * share + SUB * SUB / 2)
                                       / (SUB * SUB));
    }
    free(covered);
    return 0;
}

/* ---- hull ---- */

static int by_place(const void *pa, const void *pb)
{
    const float *a = pa, *b = pb;
    if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
    return (a[1] > b[1]) - (a[1] < b[1]);
}

/* Twice the area of o a b, positive when anticlockwise. */
static double turn(const float o[2], const float a[2], const float b[2])
{
    return ((double)a[0] - o[0]) * ((double)b[1] - o[1])
           - ((double)a[1] - o[1]) * ((double)b[0] - o[0]);
}

/* Andrew's (1979) monotone chain: the hull of sorted points, anticlockwise, into
 * hull [2 n]; how many. */
static int wrap(float (*p)[2], int n, float (*hull)[2])
{
    int k = 0;
    for (int back = 0, least = 2; back < 2; back++, least = k + 1)
        for (int i = back; i < n; i++) {
            const float *at = p[back ? n - 1 - i : i];
            while (k >= least && turn(hull[k - 2], hull[k - 1], at) <= 0) k--;
            memcpy(hull[k++], at, sizeof *hull);
        }
    return k > 1 ? k - 1 : k;
}

static int corners(const rg_contours *c, float (*p)[2])
{
    int n = 0;
    for (int l = 0; l < c->nlines && c->lines[l].level == 0; l++) {
        float low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
        for (int i = 0; i < c->lines[l].n; i++)
            for (int k = 0; k < 2; k++) {
                float v = c->points[c->lines[l].first + i][k];
                low[k] = fminf(low[k], v);
                high[k] = fmaxf(high[k], v);
            }
        for (int k = 0; k < 4; k++, n++) {
            p[n][0] = k & 1 ? high[0] : low[0];
            p[n][1] = k & 2 ? high[1] : low[1];
        }
    }
    return n;
}

/* A flat hull has every point of its line on the inner side of its edges: only its box
 * bounds it. */
static void fill(float (*hull)[2], int n, int nx, int ny, uint8_t *inside)
{
    float low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) {
            low[k] = fminf(low[k], hull[i][k]);
            high[k] = fmaxf(high[k], hull[i][k]);
        }
    for (int y = 0; y < ny; y++)
        for (int x = 0; x < nx; x++) {
            const float at[2] = { (float)x, (float)y };
            int in = x >= low[0] && x <= high[0] && y >= low[1] && y <= high[1];
            for (int i = 0; i < n && in; i++)
                in = turn(hull[i], hull[(i + 1) % n], at) >= 0;
            inside[(size_t)y * nx + x] = (uint8_t)in;
        }
}

int rg_contour_hull(const rg_contours *c, int nx, int ny, uint8_t *inside)
{
    float (*p)[2] = rg_error_alloc(4 * (size_t)c->nlines + 1, sizeof *p, "a hull");
    float (*hull)[2] = rg_error_alloc(8 * (size_t)c->nlines + 1, sizeof *p, "a hull");
    if (p && hull) {
        int n = corners(c, p);
        qsort(p, (size_t)n, sizeof *p, by_place);
        fill(hull, wrap(p, n, hull), nx, ny, inside);
    }
    int status = p && hull ? 0 : -1;
    free(p);
    free(hull);
    return status;
}

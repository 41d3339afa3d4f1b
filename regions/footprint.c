/* SPDX-License-Identifier: MIT */
#include "regions/footprint.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "core/image/island.h"

/* A box wants an island: all of it, or only its pixels in the box. */
typedef struct claim { int island, box; bool partial; } claim;

typedef struct pixels { int x1, y1, x2, y2; } pixels;

struct rg_footprints {
    int nx, ny;
    int *labels;              /* [ny][nx] island + 1, 0 outside; owned */
    rg_island *islands;       /* [n]; owned */
    int n;
    pixels *boxes;            /* [nboxes]; owned */
    int nboxes;
    claim *claims;            /* by island; owned */
    int nclaims, room;
    int *first;               /* [n + 1] of an island's claims; owned */
    rg_footprint *prints;     /* [nboxes]; owned */
};

void rg_footprint_range(double low, double high, int n, int *first, int *last)
{
    *first = 0;
    *last = -1;
    if (!(high >= low)) return;
    *first = (int)fmin(fmax(ceil(low - 1), 0), n);
    *last = (int)fmin(fmax(floor(high - 1), -1), n - 1);
}

static bool holds(const pixels *box, int x, int y)
{
    return x >= box->x1 && x <= box->x2 && y >= box->y1 && y <= box->y2;
}

/* ---- claims ---- */

static int add_claim(rg_footprints *f, claim one)
{
    if (f->nclaims == f->room) {
        int room = f->room ? 2 * f->room : 64;
        claim *more = realloc(f->claims, (size_t)room * sizeof *more);
        if (more == NULL) return RG_FAIL("out of memory for %d contours", room);
        f->claims = more;
        f->room = room;
    }
    f->claims[f->nclaims++] = one;
    return 0;
}

/* What a box holds of each island; zero again after use. */
typedef struct held {
    double *flux;             /* [n] */
    int *brightest;           /* [n] pixel */
    int *touched;             /* [n] islands with pixels in the box */
    int n;
} held;

static void hold(const rg_footprints *f, const float *snr, const pixels *box, held *h)
{
    h->n = 0;
    for (int y = box->y1; y <= box->y2; y++)
        for (int x = box->x1; x <= box->x2; x++) {
            size_t p = (size_t)y * f->nx + x;
            int k = f->labels[p] - 1;
            if (k < 0) continue;
            if (h->flux[k] == 0) h->touched[h->n++] = k;
            h->flux[k] += snr[p];
        }
}

/* Rule 1, or 2. */
static int claim_for(rg_footprints *f, const held *h, int box)
{
    int whole = 0;
    for (int i = 0; i < h->n; i++) {
        int k = h->touched[i], p = h->brightest[k];
        if (!holds(&f->boxes[box], p % f->nx, p / f->nx) &&
            h->flux[k] < f->islands[k].flux / 2) continue;
        RG_TRY(add_claim(f, (claim){ k, box, false }));
        whole++;
    }
    for (int i = 0; i < h->n; i++) {
        if (whole == 0) RG_TRY(add_claim(f, (claim){ h->touched[i], box, true }));
        h->flux[h->touched[i]] = 0;
    }
    return 0;
}

static int by_island(const void *a, const void *b)
{
    const claim *p = a, *q = b;
    return p->island != q->island ? p->island - q->island : p->box - q->box;
}

static int claim_all(rg_footprints *f, const float *snr)
{
    held h = { NULL, NULL, NULL, 0 };
    size_t n = (size_t)f->n + 1;
    h.flux = rg_error_alloc(n, sizeof *h.flux, "contours");
    h.brightest = rg_error_alloc(n, sizeof *h.brightest, "contours");
    h.touched = rg_error_alloc(n, sizeof *h.touched, "contours");
    f->first = rg_error_alloc(n, sizeof *f->first, "contours");
    int status = h.flux && h.brightest && h.touched && f->first ? 0 : -1;
    for (int p = 0; status == 0 && p < f->nx * f->ny; p++) {
        int k = f->labels[p] - 1;
        if (k >= 0 && snr[p] >= f->islands[k].peak) h.brightest[k] = p;
    }
    for (int i = 0; status == 0 && i < f->nboxes; i++) {
        hold(f, snr, &f->boxes[i], &h);
        status = claim_for(f, &h, i);
    }
    free(h.flux);
    free(h.brightest);
    free(h.touched);
    if (status != 0) return -1;
    if (f->nclaims > 0)
        qsort(f->claims, (size_t)f->nclaims, sizeof *f->claims, by_island);
    for (int i = f->nclaims - 1, k = f->n; k >= 0; k--) {
        while (i >= 0 && f->claims[i].island >= k) i--;
        f->first[k] = i + 1;
    }
    return 0;
}

/* ---- whose pixel ---- */

int rg_footprint_island(const rg_footprints *f, int x, int y)
{
    if (x < 0 || y < 0 || x >= f->nx || y >= f->ny) return 0;
    return f->labels[(size_t)y * f->nx + x];
}

static double distance(const pixels *box, int x, int y)
{
    return hypot(fmax(fmax(box->x1 - x, x - box->x2), 0),
                 fmax(fmax(box->y1 - y, y - box->y2), 0));
}

/* Rule 3, for a pixel of the island that is outside of the box. */
static bool goes_to(const rg_footprints *f, const claim *mine, int x, int y)
{
    double far = distance(&f->boxes[mine->box], x, y);
    for (int i = f->first[mine->island]; i < f->first[mine->island + 1]; i++) {
        const claim *c = &f->claims[i];
        if (c->box == mine->box) continue;
        double other = distance(&f->boxes[c->box], x, y);
        if (other == 0 || (!c->partial && other < far)) return false;
    }
    return !mine->partial;
}

bool rg_footprint_has(const rg_footprints *f, int box, int x, int y)
{
    int island = rg_footprint_island(f, x, y) - 1;
    if (island < 0) return false;
    for (int i = f->first[island]; i < f->first[island + 1]; i++)
        if (f->claims[i].box == box)
            return holds(&f->boxes[box], x, y) || goes_to(f, &f->claims[i], x, y);
    return false;
}

rg_footprint rg_footprint_of(const rg_footprints *f, int box)
{
    return f->prints[box];
}

static void describe(rg_footprints *f, const claim *c)
{
    const rg_island *island = &f->islands[c->island];
    rg_footprint *print = &f->prints[c->box];
    bool any = false;
    for (int y = island->y1; y <= island->y2; y++)
        for (int x = island->x1; x <= island->x2; x++) {
            if (rg_footprint_island(f, x, y) != c->island + 1 ||
                !rg_footprint_has(f, c->box, x, y)) continue;
            any = true;
            if (x < print->x1) print->x1 = x;
            if (y < print->y1) print->y1 = y;
            if (x > print->x2) print->x2 = x;
            if (y > print->y2) print->y2 = y;
        }
    if (!any) return;
    print->islands++;
    if (c->partial || f->first[c->island + 1] - f->first[c->island] > 1)
        print->shared = true;
}

/* ---- all of it ---- */

static int find_islands(rg_footprints *f, const rg_image *image, const rg_noise *noise,
                        double level, float *snr)
{
    for (int y = 0; y < f->ny; y++)
        for (int x = 0; x < f->nx; x++) {
            size_t p = (size_t)y * f->nx + x;
            double sigma = rg_noise_at(noise, x, y).sigma;
            snr[p] = sigma > 0 ? (float)(image->pixels[p] / sigma) : NAN;
        }
    return rg_island_find(snr, f->nx, f->ny, level, RG_ISLAND_STEP, &f->islands, &f->n,
                          &f->labels);
}

static int make(rg_footprints *f, const rg_image *image, const rg_noise *noise,
                double level, const rg_detection *boxes)
{
    float *snr = rg_error_alloc((size_t)f->nx * f->ny, sizeof *snr, "contours");
    f->boxes = rg_error_alloc((size_t)f->nboxes + 1, sizeof *f->boxes, "boxes");
    f->prints = rg_error_alloc((size_t)f->nboxes + 1, sizeof *f->prints, "boxes");
    int status = snr && f->boxes && f->prints ? 0 : -1;
    for (int i = 0; status == 0 && i < f->nboxes; i++) {
        pixels *box = &f->boxes[i];
        rg_footprint_range(boxes[i].xmin, boxes[i].xmax, f->nx, &box->x1, &box->x2);
        rg_footprint_range(boxes[i].ymin, boxes[i].ymax, f->ny, &box->y1, &box->y2);
        f->prints[i] = (rg_footprint){ INT_MAX, INT_MAX, -1, -1, 0, false };
    }
    if (status == 0) status = find_islands(f, image, noise, level, snr);
    if (status == 0) status = claim_all(f, snr);
    for (int i = 0; status == 0 && i < f->nclaims; i++) describe(f, &f->claims[i]);
    free(snr);
    return status;
}

int rg_footprint_new(rg_footprints **out, const rg_image *image, const rg_noise *noise,
                     double level, const rg_detection *boxes, int n)
{
    *out = NULL;
    rg_footprints *f = rg_error_alloc(1, sizeof *f, "contours");
    if (f == NULL) return -1;
    *f = (rg_footprints){ .nx = image->nx, .ny = image->ny, .nboxes = n };
    int status = make(f, image, noise, level, boxes);
    if (status == 0) *out = f;
    else rg_footprint_free(f);
    return status;
}

void rg_footprint_free(rg_footprints *f)
{
    if (f == NULL) return;
    free(f->labels);
    free(f->islands);
    free(f->boxes);
    free(f->claims);
    free(f->first);
    free(f->prints);
    free(f);
}

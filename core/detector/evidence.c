/* SPDX-License-Identifier: MIT */
#include "core/detector/evidence.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "core/image/image.h"
#include "core/image/island.h"

#define OUTLINE 4.0               /* Radio Galaxy Zoo's boxes go round this [sigma] */
#define SPECK 4                   /* fewer pixels are no component */
#define GROW 0.5                  /* of the box, for what is in it [pixels] */
#define NEAR 30.0                 /* [arcsec] */
#define CONTRAST_MOST 2.0
#define GAP_MOST 5.0

typedef struct group { rg_island *item; int n; } group;

struct rg_evidence {
    group islands, outlines;      /* owned; of at least SPECK pixels */
    double pixel;                 /* [arcsec] */
};

/* ---- the islands of a window ---- */

static int find(const float *pixels, int side, double level, double brightest, group *g)
{
    int n = 0;
    RG_TRY(rg_island_find(pixels, side, side, level, RG_ISLAND_STEP, &g->item, &n,
                          NULL));
    for (int i = 0; i < n; i++)
        if (g->item[i].npixels >= SPECK && g->item[i].peak >= brightest)
            g->item[g->n++] = g->item[i];
    return 0;
}

static int fill(rg_evidence *e, const float *pixels, int side)
{
    double median, sigma;
    RG_TRY(rg_image_noise(pixels, (size_t)side * (size_t)side, &median, &sigma));
    const double level = RG_ISLAND_BASE * sigma;
    if (!(sigma > 0)) return 0;
    RG_TRY(find(pixels, side, level, level, &e->islands));
    return find(pixels, side, OUTLINE * sigma, level, &e->outlines);
}

int rg_evidence_open(rg_evidence **out, const float *pixels, int side, double pixel)
{
    *out = NULL;
    rg_evidence *e = rg_error_alloc(1, sizeof *e, "a window's islands");
    if (e == NULL) return -1;
    e->pixel = pixel;
    if (fill(e, pixels, side) != 0) {
        rg_evidence_close(e);
        return -1;
    }
    *out = e;
    return 0;
}

void rg_evidence_close(rg_evidence *e)
{
    if (e == NULL) return;
    free(e->islands.item);
    free(e->outlines.item);
    free(e);
}

/* ---- of a box ---- */

/* How far the island's brightest pixel is from the box, 0: in it [pixels]. */
static double distance(const rg_island *island, rg_box box)
{
    const double x = island->px + 1, y = island->py + 1;
    return hypot(fmax(0, fmax(box.x1 - x, x - box.x2)),
                 fmax(0, fmax(box.y1 - y, y - box.y2)));
}

static bool is_in(const rg_island *island, rg_box box)
{
    return distance(island, box) <= GROW;
}

static double diagonal(const rg_island *i)
{
    return hypot(i->x2 - i->x1 + 1, i->y2 - i->y1 + 1);
}

/* Of all islands in the box. */
typedef struct sums {
    int n, peaks;
    double flux, first, second;       /* all, the two largest */
    double diagonals, separation;     /* [pixels] */
} sums;

static sums add_up(const group *g, rg_box box)
{
    sums s = { 0 };
    for (int i = 0; i < g->n; i++) {
        const rg_island *one = &g->item[i];
        if (!is_in(one, box)) continue;
        s.n++;
        s.peaks += one->peaks;
        s.flux += one->flux;
        s.second = fmax(s.second, fmin(s.first, one->flux));
        s.first = fmax(s.first, one->flux);
        s.diagonals += diagonal(one);
        for (int k = 0; k < i; k++)
            if (is_in(&g->item[k], box))
                s.separation = fmax(s.separation, hypot(one->x - g->item[k].x,
                                                        one->y - g->item[k].y));
    }
    return s;
}

/* Both boxes by their edges. */
static double overlap(rg_box a, rg_box b)
{
    const double w = fmin(a.x2, b.x2) - fmax(a.x1, b.x1);
    const double h = fmin(a.y2, b.y2) - fmax(a.y1, b.y1);
    const double both = fmax(0, w) * fmax(0, h);
    const double first = (double)(a.x2 - a.x1) * (a.y2 - a.y1);
    const double second = (double)(b.x2 - b.x1) * (b.y2 - b.y1);
    return both > 0 ? both / (first + second - both) : 0;
}

static double fit(const group *outlines, rg_box box)
{
    rg_box tight = { INFINITY, INFINITY, -INFINITY, -INFINITY };
    for (int i = 0; i < outlines->n; i++) {
        const rg_island *one = &outlines->item[i];
        if (!is_in(one, box)) continue;
        tight.x1 = fminf(tight.x1, (float)one->x1 + 0.5f);
        tight.y1 = fminf(tight.y1, (float)one->y1 + 0.5f);
        tight.x2 = fmaxf(tight.x2, (float)one->x2 + 1.5f);
        tight.y2 = fmaxf(tight.y2, (float)one->y2 + 1.5f);
    }
    return tight.x2 > tight.x1 ? overlap(tight, box) : 0;
}

static double neighbour(const rg_evidence *e, rg_box box, double flux)
{
    double most = 0;
    for (int i = 0; i < e->islands.n && flux > 0; i++) {
        const rg_island *one = &e->islands.item[i];
        if (is_in(one, box)) continue;
        const double alike = fmin(one->flux, flux) / fmax(one->flux, flux);
        most = fmax(most, alike * exp(-distance(one, box) * e->pixel / NEAR));
    }
    return most;
}

void rg_evidence_weigh(const rg_evidence *e, rg_box box, int class_,
                       float x[RG_EVIDENCES])
{
    const sums s = add_up(&e->islands, box);
    const bool several = rg_boxes_components[class_] > 1 && s.n > 1;
    x[RG_EVIDENCE_COUNTS] = s.n == rg_boxes_components[class_]
                            && (s.peaks < 3 ? s.peaks : 3) == rg_boxes_peaks[class_];
    x[RG_EVIDENCE_FIT] = (float)fit(&e->outlines, box);
    x[RG_EVIDENCE_CONTRAST] =
        several ? (float)fmin(CONTRAST_MOST, log10(s.first / s.second)) : 0;
    x[RG_EVIDENCE_GAP] =
        several ? (float)fmin(GAP_MOST, s.separation / (s.diagonals / s.n)) : 0;
    x[RG_EVIDENCE_NEIGHBOUR] = (float)neighbour(e, box, s.flux);
}

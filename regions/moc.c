/* SPDX-License-Identifier: MIT */
#include "regions/moc.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "regions/format.h"
#include "regions/memfile.h"

#define FINEST 29             /* HEALPix's last order, in which ranges are kept */
#define ORDER_0 (3600 * 180 / M_PI * sqrt(M_PI / 3))   /* side of the cells [arcsec] */

typedef struct range { uint64_t first, end; } range;   /* cells of order 29 */

struct rg_moc {
    range *ranges;            /* owned; when tidied: sorted, apart from one another */
    size_t n, room;
    int order;                /* the finest cells among them */
};

void rg_moc_free(rg_moc *moc)
{
    if (moc == NULL) return;
    free(moc->ranges);
    free(moc);
}

/* ---- what pixels cover ---- */

static int by_first(const void *a, const void *b)
{
    const range *p = a, *q = b;
    return (p->first > q->first) - (p->first < q->first);
}

/* Sorts the ranges and joins those that touch. */
static void tidy(rg_moc *moc)
{
    size_t n = 0;
    const size_t each = sizeof *moc->ranges;
    if (moc->n > 0) qsort(moc->ranges, moc->n, each, by_first);   /* NOLINT: not NULL */
    for (size_t i = 0; i < moc->n; i++) {
        const range next = moc->ranges[i];
        range *last = &moc->ranges[n - (n > 0)];
        if (n == 0 || next.first > last->end) moc->ranges[n++] = next;
        else if (next.end > last->end) last->end = next.end;
    }
    moc->n = n;
}

/* Room for so many more: by a tidied list, or a larger one where that helps little. */
static int make_room(rg_moc *moc, size_t more)
{
    if (moc->n + more <= moc->room) return 0;
    tidy(moc);
    if (2 * (moc->n + more) <= moc->room) return 0;
    const size_t room = 2 * (moc->n + more) + 1024;
    range *bigger = realloc(moc->ranges, room * sizeof *bigger);
    if (bigger == NULL) return RG_FAIL("out of memory for a coverage map");
    moc->ranges = bigger;
    moc->room = room;
    return 0;
}

static int add(rg_moc *moc, range next)
{
    const range *last = moc->n > 0 ? &moc->ranges[moc->n - 1] : NULL;
    if (last && last->first == next.first && last->end == next.end) return 0;
    RG_TRY(make_room(moc, 1));
    moc->ranges[moc->n++] = next;
    return 0;
}

static bool has_value(const rg_image *image, double x, double y)
{
    if (!(x >= 0.5 && y >= 0.5 && x < image->nx + 0.5 && y < image->ny + 0.5))
        return false;
    return isfinite(image->pixels[(size_t)(y - 0.5) * image->nx + (size_t)(x - 0.5)]);
}

typedef struct scratch { uint64_t *cells; double *xy; } scratch;

static int add_row(rg_moc *moc, const scratch *s, const rg_image *image,
                   const rg_image *infrared, int y, int order)
{
    const float *pixels = image->pixels + (size_t)y * image->nx;
    const int shift = 2 * (FINEST - order);
    rg_sky_cells(image->sky, y + 1, image->nx, order, s->cells);
    if (infrared) rg_sky_map_row(image->sky, y + 1, image->nx, infrared->sky, s->xy);
    for (int x = 0; x < image->nx; x++) {
        uint64_t cell = s->cells[x];
        if (cell == RG_SKY_NOWHERE || !isfinite(pixels[x])) continue;
        if (infrared && !has_value(infrared, s->xy[2 * x], s->xy[2 * x + 1])) continue;
        RG_TRY(add(moc, (range){ cell << shift, (cell + 1) << shift }));
    }
    return 0;
}

static int add_image(rg_moc *moc, const rg_image *image, const rg_image *infrared)
{
    const double pixel = rg_sky_pixel_arcsec(image->sky);
    const int order = (int)fmin(fmax(floor(log2(ORDER_0 / (2 * pixel))), 0), FINEST);
    const size_t nx = (size_t)image->nx;
    scratch s = { rg_error_alloc(nx, sizeof *s.cells, "a coverage map"),
                  rg_error_alloc(nx, 2 * sizeof *s.xy, "a coverage map") };
    int status = s.cells && s.xy ? 0 : -1;
    for (int y = 0; y < image->ny && status == 0; y++)
        status = add_row(moc, &s, image, infrared, y, order);
    moc->order = order;
    free(s.cells);
    free(s.xy);
    return status;
}

int rg_moc_new(rg_moc **out, const rg_image *image, const rg_image *infrared)
{
    *out = rg_error_alloc(1, sizeof **out, "a coverage map");
    if (*out == NULL) return -1;
    if (image == NULL || add_image(*out, image, infrared) == 0) {
        tidy(*out);
        return 0;
    }
    rg_moc_free(*out);
    *out = NULL;
    return -1;
}

int rg_moc_join(rg_moc *moc, const rg_moc *other)
{
    RG_TRY(make_room(moc, other->n));
    for (size_t i = 0; i < other->n; i++) moc->ranges[moc->n++] = other->ranges[i];
    if (other->order > moc->order) moc->order = other->order;
    return 0;
}

double rg_moc_area(rg_moc *moc)
{
    double cells = 0;
    tidy(moc);
    for (size_t i = 0; i < moc->n; i++)
        cells += (double)(moc->ranges[i].end - moc->ranges[i].first);
    return ldexp(cells, -2 * FINEST) * (ORDER_0 / 3600) * (ORDER_0 / 3600);
}

/* ---- as FITS ---- */

typedef struct cells { int64_t *unique; size_t n, room; } cells;

/* A cell and its order in one number: 4^(order + 1) + cell. */
static int put(cells *to, uint64_t cell, int order)
{
    if (to->n == to->room) {
        size_t more = to->room ? 2 * to->room : 1024;
        int64_t *bigger = realloc(to->unique, more * sizeof *bigger);
        if (bigger == NULL) return RG_FAIL("out of memory for a coverage map");
        to->unique = bigger;
        to->room = more;
    }
    to->unique[to->n++] = (int64_t)((UINT64_C(4) << 2 * order) + cell);
    return 0;
}

/* The largest cells that a range is made of. */
static int split(range r, cells *to)
{
    while (r.first < r.end) {
        int order = FINEST;
        uint64_t size = 1;
        while (order > 0 && r.first % (4 * size) == 0 && r.first + 4 * size <= r.end) {
            size *= 4;
            order--;
        }
        RG_TRY(put(to, r.first / size, order));
        r.first += size;
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
    return (p > q) - (p < q);
}

typedef struct content { const cells *cells; int order; } content;

static int fill(fitsfile *fits, const void *what, int *status)
{
    const content *c = what;
    char *name = "UNIQ", *form = "1K";
    fits_create_img(fits, BYTE_IMG, 0, NULL, status);
    fits_write_date(fits, status);
    fits_write_chksum(fits, status);
    fits_create_tbl(fits, BINARY_TBL, (LONGLONG)c->cells->n, 1, &name, &form, NULL,
                    "MOC", status);
    fits_write_key_str(fits, "MOCVERS", "2.0", "MOC version", status);
    fits_write_key_str(fits, "MOCDIM", "SPACE", "of the sky", status);
    fits_write_key_str(fits, "PIXTYPE", "HEALPIX", "", status);
    fits_write_key_str(fits, "ORDERING", "NUNIQ", "4^(order + 1) + cell", status);
    fits_write_key_str(fits, "COORDSYS", "C", "ICRS", status);
    fits_write_key_lng(fits, "MOCORD_S", c->order, "finest order", status);
    fits_write_key_str(fits, "MOCTOOL", "claran " RG_VERSION, "", status);
    fits_write_date(fits, status);
    if (c->cells->n > 0)
        fits_write_col(fits, TLONGLONG, 1, 1, 1, (LONGLONG)c->cells->n,
                       c->cells->unique, status);
    fits_write_chksum(fits, status);
    return 0;
}

int rg_moc_write(rg_moc *moc, FILE *to)
{
    cells all = { .n = 0 };
    int status = 0;
    tidy(moc);
    for (size_t i = 0; i < moc->n && status == 0; i++)
        status = split(moc->ranges[i], &all);
    if (all.n > 0) qsort(all.unique, all.n, sizeof *all.unique, by_number);
    const content c = { &all, moc->order };
    if (status == 0) status = rg_memfile_write(fill, &c, to);
    free(all.unique);
    return status;
}

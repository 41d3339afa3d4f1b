/* SPDX-License-Identifier: MIT */
#include "core/detector/layout.h"

#include <math.h>
#include <string.h>

#include "core/engine/error.h"

enum {
    SUBJECT = RG_CLARAN_SUBJECT,
    WINDOWS_MOST = 1 << 16,      /* an hour's work and more */
};
#define ONE_WINDOW 1.05          /* images up to so many windows wide are one subject */
#define LARGER 1.5               /* images of so many windows are seen by larger ones */
#define RIM 3                    /* a box this near a cut edge may be cut [pixels] */

double rg_layout_pixel(int scale)
{
    return ldexp(RG_CLARAN_PIXEL, scale);
}

/* Along one axis: the middle of the first of how many windows, and the step. */
static double spread(double pixels, double window, double *first, double *step)
{
    *first = (pixels + 1) / 2;
    *step = 0;
    if (!(pixels > ONE_WINDOW * window)) return 1;
    double n = ceil((pixels - window) / (window / 2)) + 1;
    *first = (window + 1) / 2;
    *step = (pixels - window) / (n - 1);
    return n;
}

/* The same at pixel x, y of the image. */
static int span_at(const rg_sky *sky, double x, double y, double pixel, double span[2])
{
    const double middle = (SUBJECT + 1) / 2.0;
    rg_sky *window;
    RG_TRY(rg_sky_new_window(&window, sky, x, y, SUBJECT, pixel));
    int status = rg_sky_span(window, middle, middle, sky, span);
    rg_sky_free(window);
    return status;
}

/* A window's size in the image where that is smallest, so that the windows overlap
 * wherever the projection stretches the sky; where it is less than half of that in the
 * middle there is no end to it. */
static int least_span(const rg_image *image, double pixel, double span[2])
{
    double middle[2];
    RG_TRY(span_at(image->sky, (image->nx + 1) / 2.0, (image->ny + 1) / 2.0, pixel,
                   middle));
    memcpy(span, middle, sizeof middle);
    for (int i = 0; i < 9; i++) {
        double at[2], x = 1 + i % 3 * (image->nx - 1) / 2.0;
        if (span_at(image->sky, x, 1 + i / 3 * (image->ny - 1) / 2.0, pixel, at) != 0)
            continue;       /* off the sky */
        for (int k = 0; k < 2; k++)
            if (at[k] >= middle[k] / 2) span[k] = fmin(span[k], at[k]);
    }
    return 0;
}

static int lay_out(const rg_image *image, int scale, rg_layout_grid *l)
{
    *l = (rg_layout_grid){ .nx = 0 };
    if (least_span(image, rg_layout_pixel(scale), l->span) != 0)
        return rg_error_prefix("%s cannot be laid out in windows: ", image->name);
    double nx = spread(image->nx, SUBJECT * l->span[0], &l->x, &l->dx);
    double ny = spread(image->ny, SUBJECT * l->span[1], &l->y, &l->dy);
    if (!(nx * ny <= WINDOWS_MOST))
        return RG_FAIL("%s has %d x %d pixels of %g arcsec: more than %d windows of "
                       "3'; cut out the part of interest", image->name, image->nx,
                       image->ny, rg_sky_pixel_arcsec(image->sky), WINDOWS_MOST);
    l->nx = (int)nx;
    l->ny = (int)ny;
    return 0;
}

int rg_layout_new(rg_layout *layout, const rg_image *image, int scales)
{
    double size;
    *layout = (rg_layout){ .scales = 0 };
    do {
        rg_layout_grid *l = &layout->grid[layout->scales++];
        RG_TRY(lay_out(image, layout->scales - 1, l));
        layout->total += l->nx * l->ny;
        size = fmax(image->nx / l->span[0], image->ny / l->span[1]) / SUBJECT;
    } while (layout->scales < scales && size >= LARGER);
    return 0;
}

rg_place rg_layout_place(const rg_layout *layout, int k)
{
    int scale = 0;
    const rg_layout_grid *l = layout->grid;
    for (; k >= l->nx * l->ny; l++, scale++) k -= l->nx * l->ny;
    return (rg_place){ scale, k % l->nx, k / l->nx };
}

int rg_layout_window(const rg_layout *layout, rg_place at, const rg_sky *sky,
                     rg_sky **window)
{
    const rg_layout_grid *l = &layout->grid[at.scale];
    return rg_sky_new_window(window, sky, l->x + at.i * l->dx, l->y + at.j * l->dy,
                             SUBJECT, rg_layout_pixel(at.scale));
}

bool rg_layout_is_subject(const rg_layout *layout)
{
    return layout->total == 1;
}

/* ---- what of the image a window shows ---- */

/* The part of the image, x1, y1, x2, y2 [0-based], in which a window surely lies. */
static void part_of(const rg_image *image, const rg_sky *window,
                    const rg_layout_grid *l, double part[4])
{
    enum { STEP = 4 };        /* rows of the window that are looked at */
    double xy[2 * SUBJECT];
    part[0] = part[1] = INFINITY;
    part[2] = part[3] = -INFINITY;
    for (int row = 1; row <= SUBJECT; row += STEP) {
        rg_sky_map_row(window, row, SUBJECT, image->sky, xy);
        for (int k = 0; k < 2 * SUBJECT; k++) {
            const double margin = 2 * STEP * l->span[k % 2];
            part[k % 2] = fmin(part[k % 2], xy[k] - 1 - margin);
            part[k % 2 + 2] = fmax(part[k % 2 + 2], xy[k] - 1 + margin);
        }
    }
    part[0] = fmax(part[0], 0);
    part[1] = fmax(part[1], 0);
    part[2] = fmin(part[2], image->nx - 1);
    part[3] = fmin(part[3], image->ny - 1);
}

bool rg_layout_is_blank(const rg_layout *layout, rg_place at, const rg_image *image,
                        const rg_sky *window)
{
    double part[4];
    part_of(image, window, &layout->grid[at.scale], part);
    if (!(part[0] <= part[2] && part[1] <= part[3])) return true;
    for (int y = (int)part[1]; y <= part[3]; y++)
        for (int x = (int)part[0]; x <= part[2]; x++)
            if (isfinite(image->pixels[(size_t)y * image->nx + x])) return false;
    return true;
}

/* How far inside window i, j a box keeps from the edges beyond which the image goes on
 * [pixels of the window]; negative: outside. */
static double clearance(const rg_layout_grid *l, int i, int j, const rg_detection *f)
{
    const double x = l->x + i * l->dx, y = l->y + j * l->dy;
    double left = (f->xmin - x) / l->span[0], right = (x - f->xmax) / l->span[0];
    double below = (f->ymin - y) / l->span[1], above = (y - f->ymax) / l->span[1];
    double least = INFINITY;
    if (i > 0) least = fmin(least, left);
    if (i < l->nx - 1) least = fmin(least, right);
    if (j > 0) least = fmin(least, below);
    if (j < l->ny - 1) least = fmin(least, above);
    return least + SUBJECT / 2.0;
}

static bool is_whole_elsewhere(const rg_layout_grid *l, int i, int j,
                               const rg_detection *f)
{
    const int reach = 4;   /* windows further away have nothing in common */
    for (int v = j - reach; v <= j + reach; v++)
        for (int u = i - reach; u <= i + reach; u++)
            if (u >= 0 && u < l->nx && v >= 0 && v < l->ny
                && clearance(l, u, v, f) >= RIM) return true;
    return false;
}

/* Which window along an axis of n has its middle nearest to x. */
static int nearest(double x, double first, double step, int n)
{
    const double k = step > 0 ? round((x - first) / step) : 0;
    return (int)fmin(fmax(k, 0), n - 1);
}

/* Whether a finer window shows all of it, and larger. */
static bool is_whole_finer(const rg_layout *layout, const rg_detection *f)
{
    if (f->scale == 0) return false;
    const rg_layout_grid *l = &layout->grid[f->scale - 1];
    return is_whole_elsewhere(l, nearest((f->xmin + f->xmax) / 2, l->x, l->dx, l->nx),
                              nearest((f->ymin + f->ymax) / 2, l->y, l->dy, l->ny), f);
}

bool rg_layout_is_cut(const rg_layout *layout, rg_place at, const rg_detection *f)
{
    return clearance(&layout->grid[at.scale], at.i, at.j, f) < RIM;
}

bool rg_layout_is_better_elsewhere(const rg_layout *layout, rg_place at,
                                   const rg_detection *f)
{
    return is_whole_finer(layout, f)
           || (rg_layout_is_cut(layout, at, f)
               && is_whole_elsewhere(&layout->grid[at.scale], at.i, at.j, f));
}

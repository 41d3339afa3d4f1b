/* SPDX-License-Identifier: MIT */
#include "core/data/host.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/data/csv.h"

#define HIDDEN 0.04               /* share of sources whose host WISE does not see */
#define CORE 0.5                  /* scatter of hosts about cores and peaks [arcsec] */

/* Of hosts about the middle of sources without a core, share of the box's longer side.
 * By the rule of host.h the optical hosts of the mb_ fields of shared/data are off by a
 * scatter of 0.06 (1C_2P, 336 of them) and 0.09 (2C_2P, 112). */
#define LOOSE 0.06

static double normal_within(double mean, double sigma, double low, double high,
                            uint64_t *state)
{
    return fmin(fmax(mean + sigma * rg_random_normal(state), low), high);
}

void rg_host_draw(double ra, double dec, double spread, uint64_t *state, rg_host *host)
{
    double east = spread * rg_random_normal(state) / 3600;
    double north = spread * rg_random_normal(state) / 3600;
    host->magnitude = normal_within(14.8, 1.2, 11, 17, state);
    host->dec = fmin(fmax(dec + north, -90), 90);
    host->ra = fmod(ra + east / fmax(cos(dec * M_PI / 180), 1e-6) + 360, 360);
    if (rg_random_uniform(state) < HIDDEN) host->ra = host->dec = NAN;
}

/* ---- by rule ---- */

/* The pixels of a box [0-based, inclusive] within the image. */
typedef struct part { int x1, y1, x2, y2; } part;

static int within(double x, int n)
{
    return (int)fmin(fmax(x, 0), n - 1);
}

static part part_of(const rg_image *image, const rg_label *l)
{
    return (part){ within(floor(l->xmin), image->nx), within(floor(l->ymin), image->ny),
                   within(ceil(l->xmax) - 2, image->nx),
                   within(ceil(l->ymax) - 2, image->ny) };
}

/* Flux-weighted centre of what is above `least` in p, and the brightest pixel. */
static void weigh(const rg_image *image, part p, double least, double centre[2],
                  double brightest[2])
{
    double sum = 0, x = 0, y = 0, most = least;
    for (int v = p.y1; v <= p.y2; v++)
        for (int u = p.x1; u <= p.x2; u++) {
            double flux = image->pixels[(size_t)v * image->nx + u];
            if (!(flux > least)) continue;
            sum += flux, x += u * flux, y += v * flux;
            if (flux > most) most = flux, brightest[0] = u, brightest[1] = v;
        }
    if (sum > 0) centre[0] = x / sum, centre[1] = y / sum;
}

static bool is_peak(const rg_image *image, int x, int y)
{
    const float here = image->pixels[(size_t)y * image->nx + x];
    for (int k = 0; k < 9; k++) {
        int u = x + k % 3 - 1, v = y + k / 3 - 1;
        if (u < 0 || v < 0 || u >= image->nx || v >= image->ny) return false;
        if (image->pixels[(size_t)v * image->nx + u] > here) return false;
    }
    return true;
}

/* The peak above `least` nearest to at, moved there; false where none is within
 * `reach`. */
static bool nearest_peak(const rg_image *image, part p, double least, double reach,
                         double at[2])
{
    const double from[2] = { at[0], at[1] };
    double best = reach;
    for (int v = p.y1; v <= p.y2; v++)
        for (int u = p.x1; u <= p.x2; u++) {
            double far = hypot(u - from[0], v - from[1]);
            if (!(image->pixels[(size_t)v * image->nx + u] > least)) continue;
            if (!(far < best) || !is_peak(image, u, v)) continue;
            best = far, at[0] = u, at[1] = v;
        }
    return best < reach;
}

/* Where the host is about, at [0-based pixels], and how sure that is [arcsec]. */
static double expect(const rg_image *radio, const rg_label *l, double sigma,
                     double at[2])
{
    const double least = 5 * sigma, longer = fmax(l->xmax - l->xmin, l->ymax - l->ymin);
    const bool compact = l->class_ == 1, three = l->class_ == 3 || l->class_ >= 5;
    double middle[2] = { (l->xmin + l->xmax) / 2 - 1, (l->ymin + l->ymax) / 2 - 1 };
    double centre[2] = { middle[0], middle[1] };
    double brightest[2] = { middle[0], middle[1] };
    const part p = part_of(radio, l);
    weigh(radio, p, least, centre, brightest);
    bool cored = three && nearest_peak(radio, p, least, 0.2 * longer, middle);
    for (int k = 0; k < 2; k++)
        at[k] = l->class_ == RG_CLASS_IGNORE ? brightest[k] : compact ? centre[k] :
                cored ? middle[k] : (centre[k] + middle[k]) / 2;
    return l->class_ == RG_CLASS_IGNORE || compact || cored
           ? CORE : LOOSE * longer * rg_sky_pixel_arcsec(radio->sky);
}

/* ---- known ones ---- */

typedef struct known { char *file; double ra, dec; } known;

struct rg_host_list {
    known *host;              /* owned, with its names */
    int n;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int add_known(rg_host_list *list, char *const value[3])
{
    known one = { .file = NULL };
    RG_TRY(rg_csv_number(value[1], "ra_deg", &one.ra));
    RG_TRY(rg_csv_number(value[2], "dec_deg", &one.dec));
    if (!(fabs(one.dec) <= 90))
        return RG_FAIL("dec_deg %g is beyond the pole", one.dec);
    known *more = realloc(list->host, ((size_t)list->n + 1) * sizeof *more);
    if (more) list->host = more, one.file = strdup(base_of(value[0]));
    if (one.file == NULL) return RG_FAIL("out of memory for a list of hosts");
    list->host[list->n++] = one;
    return 0;
}

int rg_host_read(rg_host_list **out, const char *path)
{
    static const char *const column[] = { "file", "ra_deg", "dec_deg" };
    char *value[3];
    rg_csv *csv;
    int row;
    *out = NULL;
    RG_TRY(rg_csv_open(&csv, path, column, 3, 3));
    rg_host_list *list = rg_error_alloc(1, sizeof *list, "a list of hosts");
    while ((row = list ? rg_csv_next(csv, value) : -1) > 0)
        if (add_known(list, value) != 0) {
            row = rg_csv_problem(csv);
            break;
        }
    rg_csv_free(csv);
    if (row == 0) *out = list;
    else rg_host_free(list);
    return row;
}

void rg_host_free(rg_host_list *list)
{
    if (list == NULL) return;
    for (int i = 0; i < list->n; i++) free(list->host[i].file);
    free(list->host);
    free(list);
}

/* The label whose box holds FITS pixel x, y, its middle the nearest; -1: none. */
static int holder(const rg_label *labels, int n, double x, double y)
{
    double best = HUGE_VAL;
    int found = -1;
    for (int i = 0; i < n; i++) {
        const rg_label *l = &labels[i];
        double far = hypot(x - (l->xmin + l->xmax) / 2, y - (l->ymin + l->ymax) / 2);
        if (!(x >= l->xmin && x <= l->xmax && y >= l->ymin && y <= l->ymax)) continue;
        if (far < best) best = far, found = i;
    }
    return found;
}

static void put_known(const rg_image *radio, const rg_label *labels, int n,
                      const rg_host_list *list, rg_host *hosts)
{
    for (int i = 0; i < list->n; i++) {
        const known *one = &list->host[i];
        double x, y;
        if (strcmp(one->file, base_of(radio->name)) != 0) continue;
        if (rg_sky_to_pixel(radio->sky, one->ra, one->dec, &x, &y) != 0) continue;
        int at = holder(labels, n, x, y);
        if (at >= 0) hosts[at].ra = one->ra, hosts[at].dec = one->dec;
    }
}

int rg_host_find(const rg_image *radio, const rg_label *labels, int n,
                 const rg_host_list *known, uint64_t *state, rg_host *hosts)
{
    double median, sigma;
    const size_t npixels = (size_t)radio->nx * (size_t)radio->ny;
    RG_TRY(rg_image_noise(radio->pixels, npixels, &median, &sigma));
    for (int i = 0; i < n; i++) {
        double at[2], ra, dec, spread = expect(radio, &labels[i], sigma, at);
        RG_TRY(rg_sky_to_world(radio->sky, at[0] + 1, at[1] + 1, &ra, &dec));
        rg_host_draw(ra, dec, spread, state, &hosts[i]);
    }
    if (known) put_known(radio, labels, n, known, hosts);
    return 0;
}

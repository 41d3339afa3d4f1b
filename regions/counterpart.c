/* SPDX-License-Identifier: MIT */
#include "regions/counterpart.h"

#include <math.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "regions/noise.h"
#include "regions/peak.h"

#define LEAST 3.0                 /* [rms] objects */
#define PSF 8.6                   /* FWHM, of an AllWISE Atlas image [arcsec] */
#define APERTURE 8.25             /* radius, the AllWISE catalogue's [arcsec] */
#define RING 0.45                 /* radius that they must stand out over [FWHM] */
#define SEEN 0.96                 /* share of sources with a host in such frames, Q */

/* What follows was fitted to 390 simulated sources and their hosts (likelihood of the
 * true one).  Hosts are as dense on the sky as field objects of their brightness: */
#define DENSITY 1.5e-4            /* median [1 / arcsec^2] */
#define SPREAD 0.95               /* scatter [natural logarithm] */

/* Where they are: scatter about a peak, or about the place between flux-weighted centre
 * (0) and the middle of the ends (1), along and across the axis in shares of the
 * size. */
#define SCATTER 0.6               /* [arcsec] */
#define BETWEEN 0.75
static const struct { double share, along, across; } about_middle[2] = {
    { 0.62, 0.09, 0.075 }, { 0.07, 0.29, 0.23 }
};
#define ABOUT_NEAREST 0.15        /* share about the peak nearest to that place */
#define ABOUT_PEAKS 0.16          /* and about all peaks evenly */

typedef struct object {
    double ra, dec;
    double error;             /* [arcsec] */
    double flux, snr;
    double density;           /* of objects as bright or brighter [1 / arcsec^2] */
} object;

struct rg_counterparts {
    const rg_image *image;    /* borrowed */
    double pixel;             /* [arcsec] */
    object *objects;          /* by declination; owned */
    int n, room;
};

/* ---- the objects of a frame ---- */

static double aperture(const rg_counterparts *c, double x, double y, double background)
{
    const rg_image *image = c->image;
    const double reach = APERTURE / c->pixel;
    double sum = 0;
    for (int v = (int)ceil(y - reach); v <= y + reach; v++)
        for (int u = (int)ceil(x - reach); u <= x + reach; u++) {
            if (u < 0 || v < 0 || u >= image->nx || v >= image->ny) continue;
            double value = image->pixels[(size_t)v * image->nx + u] - background;
            if (hypot(u - x, v - y) <= reach && isfinite(value)) sum += value;
        }
    return sum;
}

static int add(rg_counterparts *c, const rg_image *sharp, int x, int y, double rms,
               double background)
{
    const rg_image *image = c->image;
    double offset[2], height;
    if (c->n == c->room) {
        int room = c->room ? 2 * c->room : 256;
        object *more = realloc(c->objects, (size_t)room * sizeof *more);
        if (more == NULL) return RG_FAIL("out of memory for %d counterparts", room);
        c->objects = more;
        c->room = room;
    }
    object *one = &c->objects[c->n];
    height = rg_peak_climb(sharp->pixels + (size_t)y * image->nx + x, image->nx, 0,
                           offset);
    one->snr = height / rms;
    one->error = hypot(0.2, PSF / 2.3548 / one->snr);
    one->flux = aperture(c, x + offset[0], y + offset[1], background);
    if (rg_sky_to_world(image->sky, x + offset[0] + 1, y + offset[1] + 1, &one->ra,
                        &one->dec) == 0) c->n++;
    return 0;
}

static double mean_of_ring(const rg_image *image, int x, int y, double radius)
{
    const int reach = (int)(radius + 0.5);
    double sum = 0;
    int n = 0;
    for (int v = y - reach; v <= y + reach; v++)
        for (int u = x - reach; u <= x + reach; u++) {
            double far = (double)(u - x) * (u - x) + (double)(v - y) * (v - y);
            if (u < 0 || v < 0 || u >= image->nx || v >= image->ny) continue;
            if (far < (radius - 0.5) * (radius - 0.5) ||
                far > (radius + 0.5) * (radius + 0.5)) continue;
            float value = image->pixels[(size_t)v * image->nx + u];
            if (isfinite(value)) sum += value, n++;
        }
    return sum / n;
}

/* The frame less, at each pixel, the mean of a ring about it: what is on the flank of a
 * star has a top of its own there, and pairs come apart. */
static int sharpen(const rg_counterparts *c, rg_image **out)
{
    const rg_image *image = c->image;
    const double radius = fmax(RING * PSF / c->pixel, 1.5);
    RG_TRY(rg_image_new(out, image->nx, image->ny, NULL));
    for (int y = 0; y < image->ny; y++)
        for (int x = 0; x < image->nx; x++) {
            size_t p = (size_t)y * image->nx + x;
            if (isfinite(image->pixels[p]))
                (*out)->pixels[p] =
                    (float)(image->pixels[p] - mean_of_ring(image, x, y, radius));
        }
    return 0;
}

static int find(rg_counterparts *c, const rg_image *sharp, const rg_noise *noise,
                const rg_noise *level)
{
    for (int y = 1; y < sharp->ny - 1; y++)
        for (int x = 1; x < sharp->nx - 1; x++) {
            const float *pixel = sharp->pixels + (size_t)y * sharp->nx + x;
            if (isnan(*pixel) || !rg_peak_is(pixel, sharp->nx)) continue;
            double rms = rg_noise_at(noise, x, y).rms;
            if (!(*pixel >= LEAST * rms)) continue;
            RG_TRY(add(c, sharp, x, y, rms, rg_noise_at(level, x, y).background));
        }
    return 0;
}

static int find_in(rg_counterparts *c)
{
    const double beam = fmax(PSF / c->pixel, 1.5);
    rg_image *sharp = NULL;
    rg_noise *noise = NULL, *level = NULL;
    int status = sharpen(c, &sharp);
    if (status == 0) status = rg_noise_new(&noise, sharp, beam, false);
    if (status == 0) status = rg_noise_new(&level, c->image, beam, false);
    if (status == 0) status = find(c, sharp, noise, level);
    rg_noise_free(level);
    rg_noise_free(noise);
    rg_image_free(sharp);
    return status;
}

static int fainter(const void *a, const void *b)
{
    const object *p = a, *q = b;
    return (p->snr < q->snr) - (p->snr > q->snr);
}

static int northern(const void *a, const void *b)
{
    const object *p = a, *q = b;
    return (p->dec > q->dec) - (p->dec < q->dec);
}

static void rank(rg_counterparts *c)
{
    const rg_image *image = c->image;
    double area = 0;
    for (size_t p = 0; p < (size_t)image->nx * image->ny; p++)
        if (!isnan(image->pixels[p])) area += c->pixel * c->pixel;
    if (c->n > 0) qsort(c->objects, (size_t)c->n, sizeof *c->objects, fainter);
    for (int i = 0; i < c->n; i++) c->objects[i].density = (i + 0.5) / area;
    if (c->n > 0) qsort(c->objects, (size_t)c->n, sizeof *c->objects, northern);
}

int rg_counterpart_find(rg_counterparts **out, const rg_image *infrared)
{
    *out = NULL;
    if (infrared->sky == NULL)
        return RG_FAIL("%s: no counterparts: %s", infrared->name,
                       infrared->sky_problem);
    rg_counterparts *c = rg_error_alloc(1, sizeof *c, "counterparts");
    if (c == NULL) return -1;
    *c = (rg_counterparts){ .image = infrared,
                            .pixel = rg_sky_pixel_arcsec(infrared->sky) };
    int status = find_in(c);
    if (status == 0) {
        rank(c);
        *out = c;
    } else rg_counterpart_free(c);
    return status;
}

void rg_counterpart_free(rg_counterparts *c)
{
    if (c == NULL) return;
    free(c->objects);
    free(c);
}

/* ---- which is the host ---- */

/* A Gaussian's density at east, north of its middle; widths along and across the
 * direction pa [deg] [arcsec]. */
static double gaussian(double east, double north, double pa, double along,
                       double across)
{
    double s = sin(pa * M_PI / 180), c = cos(pa * M_PI / 180);
    double a = (east * s + north * c) / along, b = (east * c - north * s) / across;
    return exp(-(a * a + b * b) / 2) / (2 * M_PI * along * across);
}

/* f: the density of hosts at east, north of the radio centre [1 / arcsec^2]. */
static double place(const rg_counterpart_radio *r, double east, double north,
                    double error)
{
    const double least = hypot(hypot(SCATTER, error), r->error);
    const double x = BETWEEN * r->middle[0], y = BETWEEN * r->middle[1];
    double f = 0, all = 0, nearest = HUGE_VAL, at_nearest = 0;
    for (int i = 0; i < 2; i++) {
        f += about_middle[i].share *
             gaussian(east - x, north - y, r->pa,
                      hypot(about_middle[i].along * r->size, least),
                      hypot(about_middle[i].across * r->size, least));
        all += about_middle[i].share;
    }
    for (int i = 0; i < r->npeaks; i++) {
        double here = gaussian(east - r->peak[i][0], north - r->peak[i][1], 0, least,
                               least);
        double far = hypot(r->peak[i][0] - x, r->peak[i][1] - y);
        if (far < nearest) nearest = far, at_nearest = here;
        f += ABOUT_PEAKS / r->npeaks * here;
    }
    if (r->npeaks == 0) return f / all;
    return f + ABOUT_NEAREST * at_nearest;
}

/* q / n for an object of that density. */
static double brightness(double density)
{
    double z = log(density / DENSITY) / SPREAD;
    return exp(-z * z / 2) / (sqrt(2 * M_PI) * SPREAD * density);
}

static bool shows(const rg_counterparts *c, double ra, double dec)
{
    double x, y;
    if (rg_sky_to_pixel(c->image->sky, ra, dec, &x, &y) != 0) return false;
    if (!(x >= 0.5 && y >= 0.5 && x < c->image->nx + 0.5 && y < c->image->ny + 0.5))
        return false;
    size_t column = (size_t)(x - 0.5), row = (size_t)(y - 0.5);
    return !isnan(c->image->pixels[row * c->image->nx + column]);
}

static int first_north_of(const rg_counterparts *c, double dec)
{
    int low = 0, high = c->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (c->objects[middle].dec < dec) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void keep(rg_candidate host[2], const object *o, double likelihood)
{
    int at = likelihood > host[0].probability || isnan(host[0].ra) ? 0 : 1;
    if (at == 1 && !(likelihood > host[1].probability || isnan(host[1].ra))) return;
    if (at == 0) host[1] = host[0];
    host[at] = (rg_candidate){ o->ra, o->dec, o->error, o->flux, o->snr, likelihood };
}

void rg_counterpart_choose(const rg_counterparts *c, const rg_counterpart_radio *r,
                           rg_candidate host[2], double *none)
{
    const double reach = 0.8 * r->size + 12;
    double all = 1 - SEEN;
    host[0] = host[1] = (rg_candidate){ NAN, NAN, NAN, NAN, NAN, NAN };
    *none = NAN;
    if (!shows(c, r->ra, r->dec)) return;
    for (int i = first_north_of(c, r->dec - reach / 3600); i < c->n; i++) {
        const object *o = &c->objects[i];
        if (o->dec > r->dec + reach / 3600) break;
        double far = rg_sky_separation(r->ra, r->dec, o->ra, o->dec);
        if (!(far <= reach)) continue;
        double north = (o->dec - r->dec) * 3600, turn = o->ra - r->ra;
        turn -= 360 * round(turn / 360);
        double east = turn * 3600 * cos(r->dec * M_PI / 180);
        double likelihood = SEEN * place(r, east, north, o->error) *
                            brightness(o->density);
        all += likelihood;
        keep(host, o, likelihood);
    }
    for (int k = 0; k < 2; k++) host[k].probability /= all;
    *none = (1 - SEEN) / all;
}

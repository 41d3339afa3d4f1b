/* SPDX-License-Identifier: MIT */
#include "core/data/infrared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "core/engine/random.h"

/* Measured on the AllWISE Atlas frame of shared/data (2333p121, 350 x 350 pixels,
 * galactic latitude 49 deg, 38 exposures), and, in brackets, on 20 frames made here:
 *   scatter of the pixels, 1.4826 MAD [counts]               0.130 (0.125)
 *   darkest 0.1, 1, 10, 25 per cent, less the median        -0.24 -0.19 -0.12 -0.07
 *                                                          (-0.21 -0.17 -0.11 -0.07)
 *   rms of second differences at 1, 2, 3 pixels, / sqrt(6)   0.005 0.016 0.029
 *                                                          (0.005 0.018 0.033)
 *   autocorrelation of the dark pixels at 1, 2, 3, 4 pixels  0.95 0.83 0.69 0.57
 *                                                          (0.94 0.79 0.62 0.46)
 *   objects found to 15, 16, 17 mag [1 / square degree]      1060 3410 9120
 *                                                          (1730 4310 9690, hosts too)
 * The coadder of the Atlas smooths with the PSF: a star is 8.6" wide, not the 6.1" of
 * one exposure, and the noise (ROBSIG 0.045) is as smooth as that 6.1" kernel makes it.
 */
#define LEVEL 2.85                /* [counts] */
#define NOISE 0.045               /* rms [counts] */
#define GRAIN 6.1                 /* FWHM of the kernel it is smoothed by [arcsec] */
#define MARGIN 12                 /* beyond the field [pixels] */
#define BORDER 12                 /* objects so far outside shine in [pixels] */

/* Objects brighter than m to the square degree: count x 10^(slope (m - 16)); those of
 * one frame by a log-normal factor more or fewer. */
typedef struct population {
    double count, slope, brightest, faintest, scatter;
} population;

static const population stars = { 1200, 0.25, 6, 19, 0.4 };
static const population galaxies = { 2700, 0.48, 9, 19, 0.1 };

/* The PSF as Gaussians, fitted to five stars: share of the flux, FWHM [arcsec].  0.21
 * mag are outside a radius of 8.25", as the AllWISE catalogue has it. */
static const struct { double share, width; } psf[] = {
    { 0.43, 7.6 }, { 0.45, 10.5 }, { 0.12, 20.5 }
};

/* A Gaussian of `flux` [counts] and FWHM `wide` [pixels] at 0-based pixel x, y. */
static void add_gaussian(rg_image *w, double x, double y, double flux, double wide)
{
    double s = wide / 2.3548, height = flux / (2 * M_PI * s * s);
    if (!(height > 0.02 * NOISE)) return;
    double reach = s * sqrt(2 * log(height / (0.02 * NOISE)));
    int x1 = (int)fmax(ceil(x - reach), 0), x2 = (int)fmin(floor(x + reach), w->nx - 1);
    int y1 = (int)fmax(ceil(y - reach), 0), y2 = (int)fmin(floor(y + reach), w->ny - 1);
    for (int v = y1; v <= y2; v++) {
        double row = height * exp(-(v - y) * (v - y) / (2 * s * s));
        for (int u = x1; u <= x2; u++)
            w->pixels[(size_t)v * w->nx + u] +=
                (float)(row * exp(-(u - x) * (u - x) / (2 * s * s)));
    }
}

static void add_object(rg_image *w, double x, double y, double magnitude)
{
    double flux = pow(10, 0.4 * (RG_INFRARED_ZERO - magnitude));
    for (size_t i = 0; i < sizeof psf / sizeof *psf; i++)
        add_gaussian(w, x, y, psf[i].share * flux, psf[i].width / RG_INFRARED_PIXEL);
}

static int poisson(double mean, uint64_t *state)
{
    int n = 0;
    if (mean > 50)
        return (int)fmax(mean + sqrt(mean) * rg_random_normal(state) + 0.5, 0);
    for (double p = rg_random_uniform(state), limit = exp(-mean); p > limit; n++)
        p *= rg_random_uniform(state);
    return n;
}

static void add_population(rg_image *w, const population *p, uint64_t *state)
{
    const double nx = w->nx + 2 * BORDER, ny = w->ny + 2 * BORDER;
    double area = nx * ny * pow(RG_INFRARED_PIXEL / 3600, 2);
    double mean = area * p->count * pow(10, p->slope * (p->faintest - 16));
    mean *= exp(p->scatter * rg_random_normal(state));
    for (int i = poisson(mean, state); i > 0; i--) {
        double m = p->faintest + log10(1 - rg_random_uniform(state)) / p->slope;
        double x = nx * rg_random_uniform(state) - 0.5 - BORDER;
        double y = ny * rg_random_uniform(state) - 0.5 - BORDER;
        add_object(w, x, y, fmax(m, p->brightest));
    }
}

/* Level and noise; the noise of a pixel is spread over its neighbours by a kernel that
 * keeps the rms. */
static int add_background(rg_image *w, uint64_t *state)
{
    enum { REACH = 6, SIDE = 2 * REACH + 1 };
    double kernel[SIDE], square = 0, s = GRAIN / RG_INFRARED_PIXEL / 2.3548;
    double level = LEVEL * exp(0.2 * rg_random_normal(state));
    double noise = NOISE * exp(0.2 * rg_random_normal(state));
    const int nx = w->nx + 2 * REACH, ny = w->ny + 2 * REACH;
    float *grain = rg_error_alloc((size_t)nx * ny, sizeof *grain, "infrared noise");
    float *rows = rg_error_alloc((size_t)w->nx * ny, sizeof *rows, "infrared noise");
    for (int k = 0; k < SIDE; k++) {
        kernel[k] = exp(-(k - REACH) * (k - REACH) / (2 * s * s));
        square += kernel[k] * kernel[k];
    }
    for (int i = 0; grain && rows && i < nx * ny; i++)
        grain[i] = (float)rg_random_normal(state);
    for (int y = 0; grain && rows && y < ny; y++)
        for (int x = 0; x < w->nx; x++)
            for (int k = 0; k < SIDE; k++)
                rows[y * w->nx + x] += (float)(kernel[k] * grain[y * nx + x + k]);
    for (int y = 0; grain && rows && y < w->ny; y++)
        for (int x = 0; x < w->nx; x++) {
            double sum = 0;
            for (int k = 0; k < SIDE; k++) sum += kernel[k] * rows[(y + k) * w->nx + x];
            w->pixels[(size_t)y * w->nx + x] = (float)(level + noise * sum / square);
        }
    free(grain);
    int status = grain && rows ? 0 : -1;
    free(rows);
    return status;
}

/* Half the side of a north-up square about ra, dec that holds the field [pixels]. */
static int reach_of(const rg_sky *field, int nx, int ny, double ra, double dec,
                    double *reach)
{
    rg_sky *plane;
    int status = 0;
    *reach = 0;
    RG_TRY(rg_sky_new_tangent(&plane, ra, dec, 1, RG_INFRARED_PIXEL));
    for (int k = 0; k < 4 && status == 0; k++) {
        double r, d, x = 1, y = 1;
        status = rg_sky_to_world(field, k & 1 ? nx + 0.5 : 0.5, k & 2 ? ny + 0.5 : 0.5,
                                 &r, &d);
        if (status == 0) status = rg_sky_to_pixel(plane, r, d, &x, &y);
        *reach = fmax(*reach, fmax(fabs(x - 1), fabs(y - 1)));
    }
    rg_sky_free(plane);
    return status;
}

static int new_frame(const rg_sky *field, int nx, int ny, rg_image **out)
{
    double ra, dec, reach;
    rg_sky *sky;
    RG_TRY(rg_sky_to_world(field, (nx + 1) / 2.0, (ny + 1) / 2.0, &ra, &dec));
    RG_TRY(reach_of(field, nx, ny, ra, dec, &reach));
    if (!(reach < 8000)) return RG_FAIL("the field is too large for an infrared frame");
    int side = 2 * ((int)ceil(reach) + MARGIN) + 1;
    RG_TRY(rg_sky_new_tangent(&sky, ra, dec, side, RG_INFRARED_PIXEL));
    RG_TRY(rg_image_new(out, side, side, sky));
    snprintf((*out)->unit, sizeof (*out)->unit, "DN");
    snprintf((*out)->telescope, sizeof (*out)->telescope, "WISE");
    snprintf((*out)->band, sizeof (*out)->band, "1");
    (*out)->wavelength = 3.368e-6;
    return 0;
}

int rg_infrared_make(const rg_sky *field, int nx, int ny, const rg_host *hosts, int n,
                     uint64_t seed, rg_image **out)
{
    uint64_t state = seed;
    *out = NULL;
    RG_TRY(new_frame(field, nx, ny, out));
    int status = add_background(*out, &state);
    if (status == 0) add_population(*out, &stars, &state);
    if (status == 0) add_population(*out, &galaxies, &state);
    for (int i = 0; i < n && status == 0; i++) {
        double x, y;
        if (!isfinite(hosts[i].ra)) continue;
        status = rg_sky_to_pixel((*out)->sky, hosts[i].ra, hosts[i].dec, &x, &y);
        if (status == 0) add_object(*out, x - 1, y - 1, hosts[i].magnitude);
    }
    if (status == 0) return 0;
    rg_image_free(*out);
    *out = NULL;
    return -1;
}

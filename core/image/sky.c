/* SPDX-License-Identifier: MIT */
#include "core/image/sky.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wcslib/prj.h>
#include <wcslib/wcs.h>
#include <wcslib/wcsfix.h>
#include <wcslib/wcshdr.h>
#include <wcslib/wcsmath.h>

#include "core/engine/error.h"

#define DEGREE (M_PI / 180)
#define CARD 80

struct rg_sky {
    struct wcsprm wcs;        /* two axes; equatorial, ICRS or FK5 J2000 */
    int nx, ny;
    double pixel;             /* [arcsec] */
    pthread_mutex_t lock;     /* distortions share scratch memory inside wcslib */
};

/* wcslib's parsers and set-up routines keep static state. */
static pthread_mutex_t setup = PTHREAD_MUTEX_INITIALIZER;

/* ---- the sphere ---- */

typedef struct vector { double x, y, z; } vector;

static vector direction(double ra, double dec)
{
    double c = cos(dec * DEGREE);
    return (vector){ c * cos(ra * DEGREE), c * sin(ra * DEGREE), sin(dec * DEGREE) };
}

static double dot(vector a, vector b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

double rg_sky_separation(double ra1, double dec1, double ra2, double dec2)
{
    double s = sin((dec2 - dec1) / 2 * DEGREE), t = sin((ra2 - ra1) / 2 * DEGREE);
    double h = s * s + cos(dec1 * DEGREE) * cos(dec2 * DEGREE) * t * t;
    return 2 * asin(sqrt(fmin(h, 1))) / DEGREE * 3600;
}

/* ---- pixels to world and back ---- */

/* wcslib takes pointers to non-const, but of a struct that is set up it only writes the
 * scratch memory of distortions. */
static int p2s(const rg_sky *sky, int n, const double *pixel, double *world, int *bad)
{
    rg_sky *s = (rg_sky *)sky;
    double phi[n], theta[n], plane[n][2];
    memset(phi, 0, sizeof phi);       /* wcslib looks at those of bad places, too */
    memset(theta, 0, sizeof theta);
    if (!s->wcs.lin.affine) pthread_mutex_lock(&s->lock);
    int status = wcsp2s(&s->wcs, n, 2, pixel, plane[0], phi, theta, world, bad);
    if (!s->wcs.lin.affine) pthread_mutex_unlock(&s->lock);
    if (status == WCSERR_MEMORY) return rg_error_memory("WCSLIB");
    return status == 0 || status == WCSERR_BAD_PIX ? 0 : -1;
}

static int s2p(const rg_sky *sky, int n, const double *world, double *pixel, int *bad)
{
    rg_sky *s = (rg_sky *)sky;
    double phi[n], theta[n], plane[n][2];
    if (!s->wcs.lin.affine) pthread_mutex_lock(&s->lock);
    int status = wcss2p(&s->wcs, n, 2, world, phi, theta, plane[0], pixel, bad);
    if (!s->wcs.lin.affine) pthread_mutex_unlock(&s->lock);
    if (status == WCSERR_MEMORY) return rg_error_memory("WCSLIB");
    return status == 0 || status == WCSERR_BAD_WORLD ? 0 : -1;
}

int rg_sky_to_world(const rg_sky *sky, double x, double y, double *ra, double *dec)
{
    double pixel[2] = { x, y }, world[2];
    int bad = 0;
    if (p2s(sky, 1, pixel, world, &bad) != 0 || bad || !isfinite(world[0] + world[1]))
        return RG_FAIL("pixel %g, %g is outside the projection of the image", x, y);
    *ra = fmod(fmod(world[sky->wcs.lng], 360) + 360, 360);
    *dec = world[sky->wcs.lat];
    return 0;
}

int rg_sky_to_pixel(const rg_sky *sky, double ra, double dec, double *x, double *y)
{
    double world[2], pixel[2];
    int bad = 0;
    world[sky->wcs.lng] = ra;
    world[sky->wcs.lat] = dec;
    if (!isfinite(ra) || !(fabs(dec) <= 90) || s2p(sky, 1, world, pixel, &bad) != 0
        || bad || !isfinite(pixel[0] + pixel[1]))
        return RG_FAIL("ra %g, dec %g is outside the projection of the image", ra, dec);
    *x = pixel[0];
    *y = pixel[1];
    return 0;
}

enum { SPAN = 256, STRIDE = 4, NODES = SPAN / STRIDE + 1 };

/* n <= SPAN positions x1, x1 + step ... of row y. */
static void map_exactly(const rg_sky *from, double x1, double step, double y, int n,
                        const rg_sky *to, double (*xy)[2])
{
    double pixel[SPAN][2] = { { 0 } }, world[SPAN][2] = { { 0 } };
    int bad[SPAN] = { 0 }, astray[SPAN] = { 0 };
    for (int i = 0; i < n; i++) pixel[i][0] = x1 + i * step, pixel[i][1] = y;
    int lost = p2s(from, n, pixel[0], world[0], bad);
    for (int i = 0; i < n && !lost; i++) {
        double ra = bad[i] ? 0 : world[i][from->wcs.lng];
        double dec = bad[i] ? 0 : world[i][from->wcs.lat];
        world[i][to->wcs.lng] = ra;
        world[i][to->wcs.lat] = dec;
    }
    if (!lost) lost = s2p(to, n, world[0], xy[0], astray);
    for (int i = 0; i < n; i++)
        if (lost || bad[i] || astray[i]) xy[i][0] = xy[i][1] = NAN;
}

/* Linear interpolation between nodes errs by an eighth of their second difference:
 * below a ten-thousandth of a pixel it may stand for the projection.  False for a NaN
 * too. */
static bool is_straight(double (*node)[2], int n)
{
    for (int i = 1; i + 1 < n; i++)
        for (int k = 0; k < 2; k++)
            if (!(fabs(node[i - 1][k] - 2 * node[i][k] + node[i + 1][k]) <= 8e-4))
                return false;
    return true;
}

static void map_span(const rg_sky *from, double x1, double y, int n, const rg_sky *to,
                     double (*xy)[2])
{
    double node[NODES][2];
    int nodes = (n - 1) / STRIDE + 2;
    if (nodes >= 4) map_exactly(from, x1, STRIDE, y, nodes, to, node);
    if (nodes < 4 || !is_straight(node, nodes)) {
        map_exactly(from, x1, 1, y, n, to, xy);
        return;
    }
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) {
            double left = node[i / STRIDE][k], right = node[i / STRIDE + 1][k];
            xy[i][k] = left + (right - left) * (i % STRIDE) / STRIDE;
        }
}

void rg_sky_map_row(const rg_sky *from, double y, int n, const rg_sky *to, double *xy)
{
    for (int i = 0; i < n; i += SPAN)
        map_span(from, 1 + i, y, n - i < SPAN ? n - i : SPAN, to, (double(*)[2])xy + i);
}

/* ---- HEALPix ---- */

/* The cell at x, y [deg] of the HPX projection, where the base cells are squares on
 * their corners, 90 wide (Calabretta & Roukema 2007, section 3). */
static uint64_t cell_at(double x, double y, int order)
{
    const int64_t side = INT64_C(1) << order;
    const double east = x < 0 ? x + 360 : x;
    const int64_t down = (int64_t)floor((0.5 + (east - y) / 90) * (double)side);
    const int64_t up = (int64_t)floor((0.5 + (east + y) / 90) * (double)side);
    const int64_t column = down >> order, row = up >> order;
    const int64_t base = column == row ? (column & 3) + 4
                                       : column < row ? column & 3 : (row & 3) + 8;
    const uint64_t i = (uint64_t)(up & (side - 1));
    const uint64_t j = (uint64_t)(side - 1 - (down & (side - 1)));
    uint64_t cell = (uint64_t)base;
    for (int bit = order - 1; bit >= 0; bit--)
        cell = cell << 2 | (j >> bit & 1) << 1 | (i >> bit & 1);
    return cell;
}

static void span_cells(const rg_sky *sky, double x, double y, int n, int order,
                       struct prjprm *hpx, uint64_t *cells)
{
    double pixel[SPAN][2] = { { 0 } }, world[SPAN][2] = { { 0 } }, at[SPAN][2];
    double phi[SPAN], theta[SPAN];
    int bad[SPAN] = { 0 }, outside[SPAN];
    for (int i = 0; i < n; i++) {
        pixel[i][0] = x + i;
        pixel[i][1] = y;
        cells[i] = RG_SKY_NOWHERE;
    }
    if (p2s(sky, n, pixel[0], world[0], bad) != 0) return;
    for (int i = 0; i < n; i++) {
        phi[i] = remainder(world[i][sky->wcs.lng], 360);
        theta[i] = world[i][sky->wcs.lat];
    }
    hpx->prjs2x(hpx, n, 0, 1, 2, phi, theta, &at[0][0], &at[0][1], outside);
    for (int i = 0; i < n; i++)
        if (!bad[i] && isfinite(at[i][0] + at[i][1]))
            cells[i] = cell_at(at[i][0], at[i][1], order);
}

void rg_sky_cells(const rg_sky *sky, double y, int n, int order, uint64_t *cells)
{
    struct prjprm hpx;
    prjini(&hpx);
    strcpy(hpx.code, "HPX");
    prjset(&hpx);
    for (int i = 0; i < n; i += SPAN)
        span_cells(sky, 1 + i, y, n - i < SPAN ? n - i : SPAN, order, &hpx, cells + i);
    prjfree(&hpx);
}

/* ---- directions at a pixel ---- */

/* Steps of one pixel along x and along y as offsets to the east and north [rad]. */
typedef struct steps { double xe, xn, ye, yn; } steps;

static int difference(const rg_sky *sky, const double at[2], int axis, vector *step)
{
    double ra, dec;
    vector end[2];
    for (int i = 0; i < 2; i++) {
        double p[2] = { at[0], at[1] };
        p[axis] += i - 0.5;
        RG_TRY(rg_sky_to_world(sky, p[0], p[1], &ra, &dec));
        end[i] = direction(ra, dec);
    }
    *step = (vector){ end[1].x - end[0].x, end[1].y - end[0].y, end[1].z - end[0].z };
    return 0;
}

static int take_steps(const rg_sky *sky, double x, double y, steps *s)
{
    double ra, dec, at[2] = { x, y };
    vector dx, dy;
    RG_TRY(rg_sky_to_world(sky, x, y, &ra, &dec));
    RG_TRY(difference(sky, at, 0, &dx));
    RG_TRY(difference(sky, at, 1, &dy));
    vector east = direction(ra + 90, 0);
    vector north = dec > 0 ? direction(ra + 180, 90 - dec) : direction(ra, dec + 90);
    *s = (steps){ dot(dx, east), dot(dx, north), dot(dy, east), dot(dy, north) };
    if (!(fabs(s->xe * s->yn - s->xn * s->ye) > 0))
        return RG_FAIL("the pixel grid has no area at pixel %g, %g", x, y);
    return 0;
}

static int steps_parity(const steps *s)
{
    return s->xe * s->yn - s->xn * s->ye < 0 ? 1 : -1;
}

int rg_sky_orientation(const rg_sky *sky, double x, double y, double *angle,
                       int *parity)
{
    steps s;
    RG_TRY(take_steps(sky, x, y, &s));
    double a = atan2(s.ye, s.yn) / DEGREE;
    *angle = a < 0 ? a + 360 : a;
    *parity = steps_parity(&s);
    return 0;
}

int rg_sky_span(const rg_sky *from, double x, double y, const rg_sky *to,
                double span[2])
{
    double ra, dec;
    steps f, t;
    RG_TRY(take_steps(from, x, y, &f));
    RG_TRY(rg_sky_to_world(from, x, y, &ra, &dec));
    RG_TRY(rg_sky_to_pixel(to, ra, dec, &x, &y));
    RG_TRY(take_steps(to, x, y, &t));
    double area = fabs(t.xe * t.yn - t.xn * t.ye);
    span[0] = hypot(f.xe * t.yn - f.xn * t.ye, f.ye * t.yn - f.yn * t.ye) / area;
    span[1] = hypot(f.xe * t.xn - f.xn * t.xe, f.ye * t.xn - f.yn * t.xe) / area;
    return 0;
}

/* Position angle [deg] of +y of the square grid that turns least from these steps. */
static double nearest_angle(const steps *s)
{
    double lx = hypot(s->xe, s->xn), ly = hypot(s->ye, s->yn);
    int p = steps_parity(s);
    return atan2(p * s->xn / lx + s->ye / ly, -p * s->xe / lx + s->yn / ly) / DEGREE;
}

/* ---- making one ---- */

static int failed(int status, const char *what)
{
    if (status == WCSERR_MEMORY) return rg_error_memory("the WCS");
    int known = status > 0 && status <= WCSERR_UNSET;
    return RG_FAIL("%s: %s", what, known ? wcs_errmsg[status] : "wcslib refused it");
}

/* Where one frame lies in another: longitude and latitude of its pole there, and the
 * longitude of the other's pole in it [deg]. */
typedef struct turn { double lng, lat, back; } turn;

static turn precession(double zeta, double z, double theta)   /* [arcsec] */
{
    int flip = theta < 0;
    return (turn){ -zeta / 3600 + 180 * flip, 90 - fabs(theta) / 3600,
                   z / 3600 + 180 * !flip };
}

/* IAU 1976 precession: the equator of `equinox` in that of J2000. */
static turn fk5_turn(double equinox)
{
    double t = (equinox - 2000) / 100;
    return precession(t * (2306.2181 + t * (0.30188 + t * 0.017998)),
                      t * (2306.2181 + t * (1.09468 + t * 0.018203)),
                      t * (2004.3109 - t * (0.42665 + t * 0.041833)));
}

/* Newcomb's precession (Kinoshita 1975): the equator of `equinox` in that of B1950. */
static turn fk4_turn(double equinox)
{
    double t = (equinox - 1950) / 100, b = 1;     /* b: centuries from 1850 to 1950 */
    double w = 2303.5548 + b * (1.39720 + b * 0.000059);
    return precession(
        t * (w + t * (0.30242 - 0.000269 * b + t * 0.017996)),
        t * (w + t * (1.09478 + 0.000387 * b + t * 0.018324)),
        t * (2005.1125 - b * (0.85294 + b * 0.000365)
             - t * (0.42647 + 0.000365 * b + t * 0.041802)));
}

/* B1950 FK4 in J2000: last column and row of Standish's (1982) matrix. */
static turn b1950_turn(void)
{
    return (turn){ atan2(-0.000027176441185, -0.004857946558960) / DEGREE,
                   asin(0.999988199738771) / DEGREE,
                   atan2(-0.000027147426489, 0.004857946721186) / DEGREE };
}

static turn ecliptic_turn(double equinox)
{
    double t = (equinox - 2000) / 100;
    return (turn){ 270, 90 - (84381.448 - 46.8150 * t) / 3600, 90 };
}

/* The turns, at most two, that bring wcs to J2000; how many, or -1. */
static int turns_to_j2000(const struct wcsprm *wcs, turn turns[2])
{
    double equinox = undefined(wcs->equinox) ? 0 : wcs->equinox;
    if (equinox != 0 && !(equinox >= 1800 && equinox <= 2200))
        return RG_FAIL("EQUINOX = %g is no year between 1800 and 2200", equinox);
    int n = 0, fk4 = strncmp(wcs->radesys, "FK4", 3) == 0;
    if (wcs->radesys[0] == '\0') fk4 = equinox != 0 && equinox < 1984;
    if (equinox == 0) equinox = fk4 ? 1950 : 2000;
    if (strcmp(wcs->lngtyp, "GLON") == 0) {
        turns[n++] = (turn){ 192.859481, 27.128251, 122.931919 };
    } else if (strcmp(wcs->lngtyp, "ELON") == 0) {
        turns[n++] = ecliptic_turn(equinox);
        if (equinox != 2000) turns[n++] = fk5_turn(equinox);
    } else if (strcmp(wcs->lngtyp, "RA") != 0) {
        return RG_FAIL("axes of type %s are not on the sky of stars", wcs->lngtyp);
    } else if (fk4) {
        if (equinox != 1950) turns[n++] = fk4_turn(equinox);
        turns[n++] = b1950_turn();
    } else if (equinox != 2000 && strcmp(wcs->radesys, "ICRS") != 0) {
        turns[n++] = fk5_turn(equinox);
    }
    return n;
}

static int to_icrs(struct wcsprm *wcs)
{
    turn turns[2];
    int n = turns_to_j2000(wcs, turns);
    if (n < 0) return -1;
    for (int i = 0; i < n; i++) {
        int status = wcsccs(wcs, turns[i].lng, turns[i].lat, turns[i].back, "RA", "DEC",
                            "ICRS", 2000, NULL);
        if (status != 0) return failed(status, "its frame cannot be turned to ICRS");
    }
    return 0;
}

/* wcslib 7.12 crashes on numbers and texts that are none, so it never sees them. */
static int is_text(const char *card)
{
    const char *first = card + 10, *last = card + CARD;
    while (first < last && *first == ' ') first++;
    if (first == last || *first != '\'') return 0;
    const char *close = memchr(first + 1, '\'', (size_t)(last - first - 1));
    if (close == NULL) return 0;
    do close++;
    while (close < last && *close == ' ');
    return close == last || *close == '/';
}

static int is_number(const char *card)
{
    char text[CARD - 9] = "", *end;
    memcpy(text, card + 10, CARD - 10);
    text[strcspn(text, "/")] = '\0';
    for (char *c = text; *c; c++)
        if (*c == 'D' || *c == 'd') *c = 'E';
    double value = strtod(text, &end);
    return end != text && end[strspn(end, " ")] == '\0' && isfinite(value)
        && strspn(text, " +-.0123456789Ee") == strlen(text);
}

static int is_one_of(const char *name, const char *const *list, int numbered)
{
    for (; *list; list++) {
        size_t n = strlen(*list);
        if (strncmp(name, *list, n) != 0) continue;
        if (!numbered && name[n] == '\0') return 1;
        if (numbered && name[n] && name[n + strspn(name + n, "0123456789_")] == '\0')
            return 1;
    }
    return 0;
}

/* 1 where a card says something of the primary WCS, the only ones wcslib is given; -1
 * where it says it in a value of the wrong kind. */
static int is_wanted(const char *card)
{
    static const char *const texts[] = { "CTYPE", "CUNIT", NULL };
    static const char *const frames[] = { "RADESYS", "RADECSYS", NULL };
    static const char *const numbers[] = { "CRPIX", "CRVAL", "CDELT", "CROTA", "CD",
        "PC", "PV", "A_", "B_", "AP_", "BP_", NULL };
    static const char *const orders[] = { "A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER",
        NULL };
    static const char *const extras[] = { "LONPOLE", "LATPOLE", "EQUINOX", "EPOCH",
        NULL };
    char name[9] = "";
    for (int i = 0; i < CARD; i++)
        if (card[i] < 0x20 || card[i] > 0x7e) return 0;
    memcpy(name, card, 8);
    name[strcspn(name, " ")] = '\0';
    if (card[8] != '=' || card[9] != ' ') return 0;
    if (is_one_of(name, frames, 0)) return is_text(card);
    if (is_one_of(name, extras, 0)) return is_number(card);
    if (is_one_of(name, texts, 1))
        return is_text(card) ? 1 : RG_FAIL("the header's %s is no text", name);
    if (is_one_of(name, numbers, 1) || is_one_of(name, orders, 0))
        return is_number(card) ? 1 : RG_FAIL("the header's %s is no number", name);
    return 0;
}

/* The wanted cards of a header, copied to `kept`; how many, or -1. */
static int keep_wanted(const char *cards, int ncards, char *kept)
{
    int n = 0;
    for (int i = 0; i < ncards; i++) {
        int wanted = is_wanted(cards + (size_t)i * CARD);
        if (wanted < 0) return -1;
        if (wanted) memcpy(kept + (size_t)n++ * CARD, cards + (size_t)i * CARD, CARD);
    }
    return n;
}

static int parse(struct wcsprm *wcs, const char *cards, int ncards)
{
    int rejected, nwcs = 0, axes[2] = { 1, 2 }, two = 2, status = 0;
    struct wcsprm *all = NULL;
    char *kept = rg_error_alloc((unsigned long)ncards + 1, CARD, "the WCS cards");
    if (kept == NULL) return -1;
    int n = keep_wanted(cards, ncards, kept);
    if (n > 0) status = wcspih(kept, n, WCSHDR_all, 0, &rejected, &nwcs, &all);
    free(kept);
    if (n < 0) return -1;
    if (status != 0) return failed(status, "the header's WCS cannot be read");
    if (nwcs < 1 || all[0].naxis < 2)
        status = RG_FAIL("the header has no celestial WCS (CTYPE1, CTYPE2)");
    else if ((status = wcssub(1, &all[0], &two, axes, wcs)) != 0)
        status = failed(status, "its first two axes have no WCS of their own");
    wcsvfree(&nwcs, &all);
    return status;
}

static int check_numbers(const struct wcsprm *wcs)
{
    for (int i = 0; i < 2; i++) {
        if (!(fabs(wcs->crpix[i]) <= 1e9))
            return RG_FAIL("CRPIX%d = %g is absurd", i + 1, wcs->crpix[i]);
        if (!(fabs(wcs->crval[i]) <= 1e6))
            return RG_FAIL("CRVAL%d = %g is absurd", i + 1, wcs->crval[i]);
        if (!(fabs(wcs->cdelt[i]) <= 1e6))
            return RG_FAIL("CDELT%d = %g is absurd", i + 1, wcs->cdelt[i]);
        if (!(fabs(wcs->crota[i]) <= 1e6))   /* wcslib's sine and cosine are both 0 */
            return RG_FAIL("CROTA%d = %g is absurd", i + 1, wcs->crota[i]);
    }
    return 0;
}

/* Found here, since wcslib leaks memory where it finds it. */
static int check_matrix(const struct wcsprm *wcs)
{
    int cd = (wcs->altlin & 3) == 2;
    const double *m = cd ? wcs->cd : wcs->pc, *step = wcs->cdelt;
    double area = (m[0] * m[3] - m[1] * m[2]) * (cd ? 1 : step[0] * step[1]);
    if (!isnormal(area)) return RG_FAIL("the pixels of the header's WCS have no area");
    return 0;
}

static int set_up(struct wcsprm *wcs)
{
    RG_TRY(check_numbers(wcs));
    RG_TRY(check_matrix(wcs));
    unitfix(0, wcs);
    celfix(wcs);
    int status = wcsset(wcs);
    if (status != 0) return failed(status, "the header's WCS makes no sense");
    if (wcs->lng < 0 || wcs->lat < 0)
        return RG_FAIL("the header has no celestial WCS: its axes are %.16s and %.16s",
                       wcs->ctype[0][0] ? wcs->ctype[0] : "unnamed",
                       wcs->ctype[1][0] ? wcs->ctype[1] : "unnamed");
    if (wcs->lin.disseq && (wcs->cdelt[0] != 1 || wcs->cdelt[1] != 1))
        return RG_FAIL("the header's TPV distortion goes with CDi_j, not with CDELT "
                       "(wcslib would take its degrees for pixels)");
    return to_icrs(wcs);
}

/* What must hold of every sky: its centre goes to the sky and back. */
static int check_centre(rg_sky *sky)
{
    double x = (sky->nx + 1) / 2.0, y = (sky->ny + 1) / 2.0, ra, dec, x2, y2;
    steps s;
    if (rg_sky_to_world(sky, x, y, &ra, &dec) != 0
        || rg_sky_to_pixel(sky, ra, dec, &x2, &y2) != 0
        || !(hypot(x2 - x, y2 - y) <= 0.05) || take_steps(sky, x, y, &s) != 0)
        return RG_FAIL("the header's WCS has no position for the centre of the image");
    sky->pixel = sqrt(fabs(s.xe * s.yn - s.xn * s.ye)) / DEGREE * 3600;
    return 0;
}

static rg_sky *blank(int nx, int ny)
{
    rg_sky *sky = rg_error_alloc(1, sizeof *sky, "the coordinates of an image");
    if (sky == NULL) return NULL;
    sky->wcs.flag = -1;
    sky->nx = nx;
    sky->ny = ny;
    pthread_mutex_init(&sky->lock, NULL);
    return sky;
}

/* Hands the sky over, or clears it away where making it failed. */
static int finish(rg_sky **out, rg_sky *sky, int status)
{
    if (status == 0) status = check_centre(sky);
    if (status != 0) {
        rg_sky_free(sky);
        return -1;
    }
    *out = sky;
    return 0;
}

int rg_sky_new(rg_sky **out, const char *cards, int ncards, int nx, int ny)
{
    *out = NULL;
    rg_sky *sky = blank(nx, ny);
    if (sky == NULL) return -1;
    pthread_mutex_lock(&setup);
    int status = parse(&sky->wcs, cards, ncards);
    if (status == 0) status = set_up(&sky->wcs);
    pthread_mutex_unlock(&setup);
    return finish(out, sky, status);
}

/* +y at position angle `angle`; parity as rg_sky_orientation has it. */
static int fill_tangent(struct wcsprm *wcs, double ra, double dec, int n, double pixel,
                        double angle, int parity)
{
    int status = wcsini(1, 2, wcs);
    if (status != 0) return failed(status, "a grid cannot be made");
    double c = cos(angle * DEGREE), s = sin(angle * DEGREE);
    strcpy(wcs->ctype[0], "RA---TAN");
    strcpy(wcs->ctype[1], "DEC--TAN");
    strcpy(wcs->cunit[0], "deg");
    strcpy(wcs->cunit[1], "deg");
    strcpy(wcs->radesys, "ICRS");
    wcs->crval[0] = ra;
    wcs->crval[1] = dec;
    wcs->crpix[0] = wcs->crpix[1] = (n + 1) / 2.0;
    wcs->cdelt[0] = -parity * pixel / 3600;
    wcs->cdelt[1] = pixel / 3600;
    wcs->pc[0] = wcs->pc[3] = c;
    wcs->pc[1] = -parity * s;
    wcs->pc[2] = parity * s;
    wcs->altlin = 1;
    status = wcsset(wcs);
    return status ? failed(status, "a grid cannot be made") : 0;
}

static int new_tangent(rg_sky **out, double ra, double dec, int n, double pixel,
                       double angle, int parity)
{
    *out = NULL;
    if (n < 1 || !(pixel > 0) || !isfinite(ra) || !(fabs(dec) <= 90))
        return RG_FAIL("no grid of %d pixels of %g arcsec at ra %g, dec %g", n, pixel,
                       ra, dec);
    rg_sky *sky = blank(n, n);
    if (sky == NULL) return -1;
    pthread_mutex_lock(&setup);
    int status = fill_tangent(&sky->wcs, ra, dec, n, pixel, angle, parity);
    pthread_mutex_unlock(&setup);
    return finish(out, sky, status);
}

int rg_sky_new_tangent(rg_sky **out, double ra, double dec, int n, double pixel)
{
    return new_tangent(out, ra, dec, n, pixel, 0, 1);
}

int rg_sky_new_window(rg_sky **out, const rg_sky *sky, double x, double y, int n,
                      double pixel)
{
    return rg_sky_new_turned(out, sky, x, y, n, pixel, 0);
}

int rg_sky_new_turned(rg_sky **out, const rg_sky *sky, double x, double y, int n,
                      double pixel, double turn)
{
    double ra, dec;
    steps s;
    *out = NULL;
    RG_TRY(rg_sky_to_world(sky, x, y, &ra, &dec));
    RG_TRY(take_steps(sky, x, y, &s));
    return new_tangent(out, ra, dec, n, pixel, nearest_angle(&s) + turn,
                       steps_parity(&s));
}

void rg_sky_free(rg_sky *sky)
{
    if (sky == NULL) return;
    wcsfree(&sky->wcs);
    pthread_mutex_destroy(&sky->lock);
    free(sky);
}

double rg_sky_pixel_arcsec(const rg_sky *sky)
{
    return sky->pixel;
}

int rg_sky_cards(const rg_sky *sky, char **cards, int *ncards)
{
    *cards = NULL;
    pthread_mutex_lock(&setup);
    int status = wcshdo(WCSHDO_safe, (struct wcsprm *)&sky->wcs, ncards, cards);
    pthread_mutex_unlock(&setup);
    return status ? failed(status, "the WCS cannot be written") : 0;
}

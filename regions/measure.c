/* SPDX-License-Identifier: MIT */
#include "regions/measure.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/image/contour.h"
#include "core/image/island.h"
#include "regions/count.h"
#include "regions/counterpart.h"
#include "regions/footprint.h"
#include "regions/noise.h"
#include "regions/peak.h"

#define GROW 1.0                  /* what is summed reaches beyond contours [beams] */
#define FINE_PIXEL (1.375 / 5.4)  /* Radio Galaxy Zoo's pixels [beams] */
#define TAIL 0.3                  /* most flux that is put outside */

const rg_measure_options rg_measure_defaults = {
    .level = RG_ISLAND_BASE, .step = RG_ISLAND_STEP, .calibration = 0.05
};

/* What is the same for all sources of an image. */
typedef struct job {
    const rg_image *image;    /* borrowed */
    const rg_measure_options *options;
    rg_beam beam;
    double pixel;             /* [arcsec] */
    double area;              /* of the beam [pixels] */
    double reach;             /* of the aperture beyond contours [pixels] */
    double scale;             /* mJy in the image's unit; 1: not in Jy */
    unsigned flags;           /* of all */
    rg_noise *noise;          /* owned, as below */
    rg_footprints *prints;
    rg_counterparts *objects; /* NULL: no infrared */
} job;

/* The pixels about one source. */
typedef struct patch {
    int x0, y0, nx, ny;       /* first pixel [0-based] */
    double *value;            /* [ny][nx] less the background; owned, as below */
    float *snr;               /* [sigma], under the level in others' contours */
    int *island;              /* number of own island, 1 ..; 0: not own contours */
    int *near;                /* own island whose aperture it is in; 0: none, -1:
                                 another's */
    double *far;              /* squared distance from the contours [pixels^2] */
    double *weight;
    double matrix[2][2];      /* east, north [arcsec] of a step in x, in y */
    rg_noise_level level;
} patch;

/* ---- beam and unit ---- */

static bool says_first(const rg_image *image)
{
    double pixel = rg_sky_pixel_arcsec(image->sky);
    return strcmp(image->survey, "FIRST") == 0 || (pixel >= 1.3 && pixel <= 1.9);
}

static int check_beam(const rg_image *radio, const rg_beam *beam)
{
    double pixel = rg_sky_pixel_arcsec(radio->sky);
    double longer = pixel * fmax(radio->nx, radio->ny);
    if (beam->minor >= pixel && beam->major >= beam->minor && beam->major <= longer)
        return 0;
    return RG_FAIL("%s: a beam of %g x %g arcsec cannot be, on pixels of %g arcsec: "
                   "name the right one", radio->name, beam->major, beam->minor, pixel);
}

int rg_measure_beam(const rg_image *radio, const rg_measure_options *options,
                    rg_beam *beam)
{
    double ra, dec;
    if (radio->sky == NULL)
        return RG_FAIL("%s: cannot be measured: %s", radio->name, radio->sky_problem);
    const double *given = options->beam[0] != 0 ? options->beam : radio->beam;
    *beam = (rg_beam){ given[0], given[1] != 0 ? given[1] : given[0], given[2], false };
    if (given[0] != 0) return check_beam(radio, beam);
    if (!says_first(radio))
        return RG_FAIL("%s: no beam (BMAJ, BMIN) in its header, which is not FIRST's: "
                       "name it, in arcsec", radio->name);
    RG_TRY(rg_sky_to_world(radio->sky, (radio->nx + 1) / 2.0, (radio->ny + 1) / 2.0,
                           &ra, &dec));
    *beam = (rg_beam){ dec > 4.5558 ? 5.4 : dec > -2.5069 ? 6.4 : 6.8, 5.4, 0, true };
    return check_beam(radio, beam);
}

/* BUNIT in small letters, without what writers put between its words. */
static void squeeze(const char *unit, char out[16])
{
    int n = 0;
    for (; *unit && n < 15; unit++)
        if (isalnum((unsigned char)*unit)) out[n++] = (char)tolower(*unit);
    out[n] = '\0';
}

/* mJy/beam in one of the image's unit; 0: it is another. */
static double scale_of(const rg_image *image)
{
    static const struct { const char *prefix; double scale; } known[] = {
        { "jy", 1000 }, { "mjy", 1 }, { "ujy", 1e-3 }
    };
    static const char *const per[] = { "beam", "beam1", "bm", "bm1" };
    char unit[16], name[16];
    squeeze(image->unit, unit);
    if (image->unit[0] == 'M') return 0;             /* mega */
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) {
            strcpy(name, known[i].prefix);
            strcat(name, per[j]);
            if (strcmp(unit, name) == 0) return known[i].scale;
        }
    return 0;
}

/* ---- the pixels about a source ---- */

static void clear(patch *p)
{
    free(p->value);
    free(p->snr);
    free(p->island);
    free(p->near);
    free(p->far);
    free(p->weight);
}

static int make_room(patch *p)
{
    size_t n = (size_t)p->nx * (size_t)p->ny;
    p->value = rg_error_alloc(n, sizeof *p->value, "a source's pixels");
    p->snr = rg_error_alloc(n, sizeof *p->snr, "a source's pixels");
    p->island = rg_error_alloc(n, sizeof *p->island, "a source's pixels");
    p->near = rg_error_alloc(n, sizeof *p->near, "a source's pixels");
    p->far = rg_error_alloc(n, sizeof *p->far, "a source's pixels");
    p->weight = rg_error_alloc(n, sizeof *p->weight, "a source's pixels");
    return p->value && p->snr && p->island && p->near && p->far && p->weight ? 0 : -1;
}

/* A contour pixel at x, y of the patch: what is within `reach` of it and no nearer to
 * another is of its island's. */
static void stamp(patch *p, int x, int y, double reach, int number)
{
    int r = (int)reach;
    for (int v = y - r; v <= y + r; v++)
        for (int u = x - r; u <= x + r; u++) {
            if (u < 0 || v < 0 || u >= p->nx || v >= p->ny) continue;
            double far = (double)(u - x) * (u - x) + (double)(v - y) * (v - y);
            size_t q = (size_t)v * p->nx + u;
            if (far > reach * reach || far > p->far[q]) continue;
            if (far == p->far[q] && number < 0) continue;
            p->far[q] = far;
            p->near[q] = number;
        }
}

/* Own islands are numbered anew: seen[] holds their numbers of the image. */
static int number_of(int island, int *seen, int *n)
{
    for (int i = 0; i < *n; i++)
        if (seen[i] == island) return i + 1;
    seen[(*n)++] = island;
    return *n;
}

static int fill(const job *j, int box, int islands, patch *p)
{
    const rg_image *image = j->image;
    int n = 0, *seen = rg_error_alloc((size_t)islands + 1, sizeof *seen, "contours");
    if (seen == NULL) return -1;
    for (size_t q = 0; q < (size_t)p->nx * p->ny; q++) p->far[q] = HUGE_VAL;
    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x < p->nx; x++) {
            size_t q = (size_t)y * p->nx + x;
            int u = p->x0 + x, v = p->y0 + y;
            double value = image->pixels[(size_t)v * image->nx + u];
            int island = rg_footprint_island(j->prints, u, v);
            bool own = rg_footprint_has(j->prints, box, u, v);
            p->value[q] = value - p->level.background;
            p->snr[q] = (float)(value / rg_noise_at(j->noise, u, v).sigma);
            if (island && !own) p->snr[q] = (float)(0.999 * j->options->level);
            p->island[q] = own ? number_of(island, seen, &n) : 0;
            if (island) stamp(p, x, y, j->reach + 0.5, own ? p->island[q] : -1);
        }
    free(seen);
    return 0;
}

/* East and north [arcsec] of a pixel's step along x and y. */
static int set_matrix(const rg_sky *sky, double x, double y, patch *p)
{
    rg_sky *plane;
    double ra, dec, u[2], v[2];
    RG_TRY(rg_sky_to_world(sky, x, y, &ra, &dec));
    RG_TRY(rg_sky_new_tangent(&plane, ra, dec, 1, 1));   /* +x is west */
    int status = 0;
    for (int k = 0; k < 2 && status == 0; k++) {
        for (int side = 0; side < 2 && status == 0; side++) {
            double step = side - 0.5;
            status = rg_sky_to_world(sky, x + (k ? 0 : step), y + (k ? step : 0), &ra,
                                     &dec);
            if (status == 0)
                status = rg_sky_to_pixel(plane, ra, dec, &u[side], &v[side]);
        }
        if (status != 0) break;
        p->matrix[0][k] = u[0] - u[1];
        p->matrix[1][k] = v[1] - v[0];
    }
    rg_sky_free(plane);
    return status;
}

static int open_patch(const job *j, int box, rg_footprint f, patch *p)
{
    int margin = (int)j->reach + 2;
    *p = (patch){ .x0 = f.x1 > margin ? f.x1 - margin : 0,
                  .y0 = f.y1 > margin ? f.y1 - margin : 0 };
    p->nx = (int)fmin(f.x2 + margin, j->image->nx - 1) - p->x0 + 1;
    p->ny = (int)fmin(f.y2 + margin, j->image->ny - 1) - p->y0 + 1;
    double x = (f.x1 + f.x2) / 2.0, y = (f.y1 + f.y2) / 2.0;
    p->level = rg_noise_at(j->noise, x, y);
    RG_TRY(set_matrix(j->image->sky, x + 1, y + 1, p));
    RG_TRY(make_room(p));
    return fill(j, box, f.islands, p);
}

/* ---- peak ---- */

/* An own contour pixel, off the image's border, that is a local maximum. */
static bool is_peak(const job *j, const patch *p, int x, int y)
{
    const rg_image *image = j->image;
    int u = p->x0 + x, v = p->y0 + y;
    if (p->island[(size_t)y * p->nx + x] == 0) return false;
    if (u < 1 || v < 1 || u >= image->nx - 1 || v >= image->ny - 1) return false;
    return rg_peak_is(image->pixels + (size_t)v * image->nx + u, image->nx);
}

typedef struct peaks {
    double place[RG_COUNTERPART_PEAKS][2];   /* [pixels of the image, 0-based] */
    double height[RG_COUNTERPART_PEAKS];     /* brightest first */
    int n;
} peaks;

static void insert(peaks *all, double height, const double place[2])
{
    const int last = RG_COUNTERPART_PEAKS - 1;
    if (all->n > last && !(height > all->height[last])) return;
    int at = all->n > last ? last : all->n++;
    for (; at > 0 && all->height[at - 1] < height; at--) {
        all->height[at] = all->height[at - 1];
        memcpy(all->place[at], all->place[at - 1], sizeof all->place[at]);
    }
    all->height[at] = height;
    memcpy(all->place[at], place, sizeof all->place[at]);
}

static void find_peaks(const job *j, const patch *p, peaks *all)
{
    all->n = 0;
    for (int y = 0; y < p->ny; y++)
        for (int x = 0; x < p->nx; x++) {
            double at[2];
            if (!is_peak(j, p, x, y)) continue;
            const float *pixel = j->image->pixels + p->x0 + x +
                                 (size_t)(p->y0 + y) * j->image->nx;
            double height = rg_peak_climb(pixel, j->image->nx, p->level.background, at);
            insert(all, height, (double[]){ p->x0 + x + at[0], p->y0 + y + at[1] });
        }
}

/* ---- flux ---- */

/* Of one own island. */
typedef struct part { double sum, ring, peak, tail; int nring; } part;

/* Pixels of apertures or beside them. */
static bool has_value(const patch *p, size_t q)
{
    return p->near[q] > 0 && !isnan(p->value[q]);
}

static bool is_inside(const job *j, const patch *p, size_t q)
{
    return p->far[q] <= j->reach * j->reach;
}

static bool is_edge(const job *j, const patch *p, size_t q)
{
    return p->far[q] > (j->reach - 0.5) * (j->reach - 0.5);
}

/* The brightness at the aperture's edge, half a pixel either way, tells how much flux
 * is outside: of a Gaussian the share of the edge's brightness in the peak's. */
static void add_up(const job *j, const patch *p, part *parts, int n)
{
    for (size_t q = 0; q < (size_t)p->nx * p->ny; q++) {
        if (!has_value(p, q)) continue;
        part *one = &parts[p->near[q] - 1];
        if (is_inside(j, p, q)) {
            one->sum += p->value[q];
            one->peak = fmax(one->peak, p->value[q]);
        }
        if (is_edge(j, p, q)) one->ring += p->value[q], one->nring++;
    }
    for (int i = 0; i < n; i++) {
        if (parts[i].nring == 0 || !(parts[i].peak > 0)) continue;
        parts[i].ring /= parts[i].nring;
        parts[i].tail = fmin(fmax(parts[i].ring / parts[i].peak, -TAIL), TAIL);
    }
}

/* d flux / d pixel, in pixels' unit x pixels. */
static void weigh_flux(const job *j, patch *p, const part *parts)
{
    for (size_t q = 0; q < (size_t)p->nx * p->ny; q++) {
        p->weight[q] = 0;
        if (!has_value(p, q)) continue;
        const part *one = &parts[p->near[q] - 1];
        if (is_inside(j, p, q)) p->weight[q] = 1 / (1 - one->tail);
        if (is_edge(j, p, q) && fabs(one->tail) < TAIL)
            p->weight[q] += one->sum / (one->peak * one->nring) /
                            ((1 - one->tail) * (1 - one->tail));
    }
}

static double error_of(const job *j, const patch *p)
{
    double all = 0;
    double variance = rg_noise_variance(j->noise, p->weight, p->nx, p->ny);
    for (size_t q = 0; q < (size_t)p->nx * p->ny; q++) all += p->weight[q];
    return hypot(p->level.rms * sqrt(variance), p->level.background_error * all);
}

static int measure_flux(const job *j, patch *p, int islands, rg_source *s)
{
    part *parts = rg_error_alloc((size_t)islands, sizeof *parts, "contours");
    if (parts == NULL) return -1;
    add_up(j, p, parts, islands);
    weigh_flux(j, p, parts);
    double sum = 0;
    for (int i = 0; i < islands; i++) sum += parts[i].sum / (1 - parts[i].tail);
    s->flux = sum / j->area * j->scale;
    s->flux_error = hypot(error_of(j, p) / j->area * j->scale,
                          j->options->calibration * s->flux);
    free(parts);
    return 0;
}

/* ---- centre ---- */

/* The centre is that of the pixels within half a beam of the contours. */
static bool is_central(const job *j, const patch *p, size_t q)
{
    return has_value(p, q) && p->far[q] <= j->reach * j->reach / 4;
}

/* How much brightness comes in at that edge [pixels] when noise lifts a contour pixel
 * by one unit: brightness at the edge over the slope from the contour to there. */
static double edge_shift(const job *j, const patch *p)
{
    const double half = j->reach / 2;
    double sum = 0, contour = j->options->level * p->level.sigma - p->level.background;
    int n = 0;
    for (size_t q = 0; q < (size_t)p->nx * p->ny; q++) {
        if (!has_value(p, q) || !(fabs(sqrt(p->far[q]) - half) < 0.5)) continue;
        sum += p->value[q];
        n++;
    }
    double edge = n > 0 ? fmax(sum / n, 0) : 0, fall = fmax(contour - edge, 0);
    return fmin(edge * half / fmax(fall, 1e-3 * contour), 2 * half);
}

static bool is_border(const patch *p, size_t q)
{
    int x = (int)(q % p->nx), y = (int)(q / p->nx);
    if (p->island[q] == 0 || x < 1 || y < 1 || x >= p->nx - 1 || y >= p->ny - 1)
        return false;
    return !p->island[q - 1] || !p->island[q + 1] || !p->island[q - p->nx] ||
           !p->island[q + p->nx];
}

/* d centre / d pixel along x (k = 0) or y. */
static void weigh_centre(const job *j, patch *p, int k, double centre, double sum)
{
    const double shift = edge_shift(j, p);
    for (size_t q = 0; q < (size_t)p->nx * p->ny; q++) {
        double off = (double)(k ? q / p->nx : q % p->nx) - centre;
        p->weight[q] = is_central(j, p, q) ? off / sum : 0;
        if (is_border(p, q)) p->weight[q] += shift * off / sum;
    }
}

static int measure_centre(const job *j, patch *p, rg_source *s, double centre[2])
{
    double sum = 0, variance[2];
    centre[0] = centre[1] = 0;
    for (size_t q = 0; q < (size_t)p->nx * p->ny; q++) {
        if (!is_central(j, p, q)) continue;
        sum += p->value[q];
        centre[0] += p->value[q] * (double)(q % p->nx);
        centre[1] += p->value[q] * (double)(q / p->nx);
    }
    for (int k = 0; k < 2; k++) {
        centre[k] /= sum;
        weigh_centre(j, p, k, centre[k], sum);
        variance[k] = rg_noise_variance(j->noise, p->weight, p->nx, p->ny);
    }
    s->ra_error = p->level.rms * sqrt(pow(p->matrix[0][0], 2) * variance[0] +
                                      pow(p->matrix[0][1], 2) * variance[1]);
    s->dec_error = p->level.rms * sqrt(pow(p->matrix[1][0], 2) * variance[0] +
                                       pow(p->matrix[1][1], 2) * variance[1]);
    centre[0] += p->x0;
    centre[1] += p->y0;
    return rg_sky_to_world(j->image->sky, centre[0] + 1, centre[1] + 1, &s->ra,
                           &s->dec);
}

/* ---- size ---- */

static void to_sky(const patch *p, const double pixels[2], double sky[2])
{
    for (int k = 0; k < 2; k++)
        sky[k] = p->matrix[k][0] * pixels[0] + p->matrix[k][1] * pixels[1];
}

/* How far a contour point moves for one sigma [arcsec]. */
static double give(const job *j, const patch *p, const double at[2])
{
    int x = (int)lround(at[0]), y = (int)lround(at[1]);
    if (x < 1 || y < 1 || x >= p->nx - 1 || y >= p->ny - 1) return NAN;
    const float *here = p->snr + (size_t)y * p->nx + x;
    double slope = hypot(here[1] - here[-1], here[p->nx] - here[-p->nx]) / 2;
    return j->pixel / fmax(slope, 1e-3);
}

/* The two points of contours that are farthest apart, to half a degree of direction
 * (pixels of the patch); false where there are none. */
static bool find_ends(const patch *p, const rg_contours *lines, double ends[2][2])
{
    double most = -1;
    for (int k = 0; k < 180; k++) {
        double angle = k * M_PI / 180, low = HUGE_VAL, high = -HUGE_VAL, sky[2];
        int first = -1, last = -1;
        for (int i = 0; i < lines->npoints; i++) {
            to_sky(p, (double[]){ lines->points[i][0], lines->points[i][1] }, sky);
            double along = sky[0] * sin(angle) + sky[1] * cos(angle);
            if (along < low) low = along, first = i;
            if (along > high) high = along, last = i;
        }
        if (first < 0 || !(high - low > most)) continue;
        most = high - low;
        for (int d = 0; d < 2; d++) {
            ends[0][d] = lines->points[first][d];
            ends[1][d] = lines->points[last][d];
        }
    }
    return most >= 0;
}

static int measure_size(const job *j, const patch *p, rg_source *s, double middle[2])
{
    rg_contours lines;
    double ends[2][2], sky[2];
    if (p->nx < 2 || p->ny < 2 || p->nx > 16384 || p->ny > 16384) return 0;
    RG_TRY(rg_contour_trace(p->snr, p->nx, p->ny, j->options->level, j->options->step,
                            1, &lines));
    bool found = find_ends(p, &lines, ends);
    rg_contour_clear(&lines);
    if (!found) return 0;
    to_sky(p, (double[]){ ends[1][0] - ends[0][0], ends[1][1] - ends[0][1] }, sky);
    s->size = hypot(sky[0], sky[1]);
    s->size_error = hypot(give(j, p, ends[0]), give(j, p, ends[1]));
    s->pa = fmod(atan2(sky[0], sky[1]) * 180 / M_PI + 360, 180);
    for (int d = 0; d < 2; d++)
        middle[d] = (ends[0][d] + ends[1][d]) / 2 + (d ? p->y0 : p->x0);
    return 0;
}

/* ---- flags ---- */

static bool is_blank(const rg_image *image, int x1, int y1, int x2, int y2)
{
    for (int y = y1; y <= y2; y++)
        for (int x = x1; x <= x2; x++)
            if (isnan(image->pixels[(size_t)y * image->nx + x])) return true;
    return false;
}

static unsigned flags_of_box(const job *j, const rg_detection *box)
{
    const rg_image *image = j->image;
    unsigned flags = j->flags | (isnan(box->probability) ? RG_FLAG_BY_HAND : 0);
    int x1, x2, y1, y2;
    rg_footprint_range(box->xmin, box->xmax, image->nx, &x1, &x2);
    rg_footprint_range(box->ymin, box->ymax, image->ny, &y1, &y2);
    if (!(box->xmin > 0.5 && box->ymin > 0.5 && box->xmax < image->nx + 0.5 &&
          box->ymax < image->ny + 0.5)) flags |= RG_FLAG_EDGE;
    if (is_blank(image, x1, y1, x2, y2)) flags |= RG_FLAG_BLANK;
    return flags;
}

static unsigned flags_of_contours(const job *j, rg_footprint f)
{
    const rg_image *image = j->image;
    unsigned flags = f.shared ? RG_FLAG_CROWDED : 0;
    if (f.x1 < 1 || f.y1 < 1 || f.x2 > image->nx - 2 || f.y2 > image->ny - 2)
        return flags | RG_FLAG_EDGE;
    return is_blank(image, f.x1 - 1, f.y1 - 1, f.x2 + 1, f.y2 + 1)
           ? flags | RG_FLAG_BLANK : flags;
}

/* Peaks beyond the third are not counted apart: no class has them. */
static bool disagrees(const rg_source *s)
{
    static const int class_[7][2] = {
        { 0, 0 }, { 1, 1 }, { 1, 2 }, { 1, 3 }, { 2, 2 }, { 2, 3 }, { 3, 3 }
    };
    int c = s->box.class_;
    if (c < 1 || c > 6) return false;
    return s->components != class_[c][0] ||
           (s->peaks < 3 ? s->peaks : 3) != class_[c][1];
}

/* ---- one source ---- */

static rg_source unknown(const rg_detection *box)
{
    static const rg_candidate none = { NAN, NAN, NAN, NAN, NAN, NAN };
    return (rg_source){
        .box = *box, .ra = box->ra, .dec = box->dec, .ra_error = NAN, .dec_error = NAN,
        .rms = NAN, .background = NAN, .peak = NAN, .peak_error = NAN, .flux = NAN,
        .flux_error = NAN, .size = NAN, .size_error = NAN, .pa = NAN,
        .tight = { NAN, NAN, NAN, NAN }, .host = { none, none }, .no_host = NAN
    };
}

static void set_level(const job *j, double x, double y, rg_source *s)
{
    rg_noise_level level = rg_noise_at(j->noise, x, y);
    s->rms = level.rms * j->scale;
    s->background = level.background * j->scale;
}

static void set_peak(const job *j, double peak, rg_source *s)
{
    s->peak = peak * j->scale;
    s->peak_error = hypot(s->rms, j->options->calibration * s->peak);
}

/* Nothing above the level: the brightest pixel in the box is all there is. */
static void measure_faint(const job *j, rg_source *s)
{
    const rg_image *image = j->image;
    int x1, x2, y1, y2;
    double highest = NAN;
    rg_footprint_range(s->box.xmin, s->box.xmax, image->nx, &x1, &x2);
    rg_footprint_range(s->box.ymin, s->box.ymax, image->ny, &y1, &y2);
    s->flags |= RG_FLAG_FAINT;
    if (x2 < x1 || y2 < y1) return;
    for (int y = y1; y <= y2; y++)
        for (int x = x1; x <= x2; x++)
            highest = fmax(highest, image->pixels[(size_t)y * image->nx + x]);
    set_level(j, (x1 + x2) / 2.0, (y1 + y2) / 2.0, s);
    set_peak(j, highest - s->background / j->scale, s);
}

static void choose_host(const job *j, const patch *p, const peaks *all,
                        const double centre[2], const double middle[2], rg_source *s)
{
    rg_counterpart_radio r = { .ra = s->ra, .dec = s->dec, .size = s->size, .pa = s->pa,
                               .error = hypot(s->ra_error, s->dec_error) / M_SQRT2,
                               .npeaks = all->n };
    if (j->objects == NULL) return;
    if (!isfinite(s->size)) r.size = r.pa = 0;
    to_sky(p, (double[]){ middle[0] - centre[0], middle[1] - centre[1] }, r.middle);
    for (int i = 0; i < all->n; i++)
        to_sky(p, (double[]){ all->place[i][0] - centre[0],
                              all->place[i][1] - centre[1] }, r.peak[i]);
    rg_counterpart_choose(j->objects, &r, s->host, &s->no_host);
    if (s->no_host > 0.5) s->flags |= RG_FLAG_NO_HOST;
}

static int measure_patch(const job *j, int box, rg_footprint f, patch *p, rg_source *s)
{
    double centre[2], middle[2];
    peaks all;
    find_peaks(j, p, &all);
    set_level(j, (f.x1 + f.x2) / 2.0, (f.y1 + f.y2) / 2.0, s);
    if (all.n > 0) set_peak(j, all.height[0], s);
    RG_TRY(measure_flux(j, p, f.islands, s));
    RG_TRY(measure_centre(j, p, s, centre));
    memcpy(middle, centre, sizeof middle);
    RG_TRY(measure_size(j, p, s, middle));
    RG_TRY(rg_count(j->image, j->prints, box, j->options->level * p->level.sigma,
                    j->options->step, FINE_PIXEL * j->beam.minor / j->pixel,
                    &s->components, &s->peaks));
    choose_host(j, p, &all, centre, middle, s);
    return 0;
}

static int measure_one(const job *j, int box, rg_source *s)
{
    rg_footprint f = rg_footprint_of(j->prints, box);
    patch p = { .value = NULL };
    s->flags |= flags_of_box(j, &s->box);
    s->islands = f.islands;
    if (f.islands == 0) measure_faint(j, s);
    else {
        s->flags |= flags_of_contours(j, f);
        s->tight[0] = f.x1 + 0.5, s->tight[1] = f.y1 + 0.5;
        s->tight[2] = f.x2 + 1.5, s->tight[3] = f.y2 + 1.5;
        int status = open_patch(j, box, f, &p);
        if (status == 0) status = measure_patch(j, box, f, &p, s);
        clear(&p);
        RG_TRY(status);
    }
    if (disagrees(s)) s->flags |= RG_FLAG_DISAGREE;
    return 0;
}

/* ---- all ---- */

static int check(const rg_image *infrared, const rg_measure_options *o)
{
    if (!(o->level > 0) || !(o->step > 1) || !isfinite(o->level) || !isfinite(o->step))
        return RG_FAIL("contour levels %g x %g^k do not rise: the level must be "
                       "positive, the step above 1", o->level, o->step);
    if (!(o->calibration >= 0 && o->calibration < 1))
        return RG_FAIL("a relative error of the flux scale of %g: 0 to 1 are possible",
                       o->calibration);
    if (infrared && infrared->sky == NULL)
        return RG_FAIL("%s: no counterparts: %s", infrared->name,
                       infrared->sky_problem);
    return 0;
}

static int prepare(job *j, const rg_image *infrared, const rg_detection *found, int n)
{
    RG_TRY(check(infrared, j->options));
    RG_TRY(rg_measure_beam(j->image, j->options, &j->beam));
    j->pixel = rg_sky_pixel_arcsec(j->image->sky);
    double beam = sqrt(j->beam.major * j->beam.minor) / j->pixel;
    j->area = M_PI / (4 * M_LN2) * beam * beam;
    j->reach = fmax(GROW * beam, 1.5) + 0.01;      /* 3.0 is to reach the third */
    j->scale = scale_of(j->image);
    if (j->beam.assumed) j->flags |= RG_FLAG_BEAM_ASSUMED;
    if (j->scale == 0) j->scale = 1, j->flags |= RG_FLAG_NOT_JY;
    RG_TRY(rg_noise_new(&j->noise, j->image, beam, true));
    RG_TRY(rg_footprint_new(&j->prints, j->image, j->noise, j->options->level, found,
                            n));
    return infrared ? rg_counterpart_find(&j->objects, infrared) : 0;
}

int rg_measure(const rg_image *radio, const rg_image *infrared,
               const rg_measure_options *options, const rg_detection *found, int n,
               rg_source *sources)
{
    job j = { .image = radio, .options = options };
    const unsigned before = rg_error_shortages();
    int status = prepare(&j, infrared, found, n);
    for (int i = 0; i < n && status == 0; i++) {
        sources[i] = unknown(&found[i]);
        status = measure_one(&j, i, &sources[i]);
    }
    rg_noise_free(j.noise);
    rg_footprint_free(j.prints);
    rg_counterpart_free(j.objects);
    if (status == 0 && rg_error_shortages() != before)
        status = rg_error_memory("the measurements");
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "core/data/simulate.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/image/island.h"
#include "core/data/infrared.h"
#include "core/data/label.h"

#define PI 3.14159265358979323846
#define BLOBS 32                  /* of one source, at most */
#define TRIES 40                  /* to draw a source of the class wanted */
#define BOX_LEVEL 4.0             /* [sigma] of the islands that the boxes go round */
#define SPECK 3                   /* fewer pixels above 5.2 sigma are no component */
#define SUBJECT 180.0             /* the noise is that of so much sky [arcsec] */
#define SCATTER 0.4               /* of the hosts about the cores [arcsec] */
#define APART 4                   /* boxes of two sources keep so far apart [pixels] */

/* ---- chance ---- */

typedef struct chance { uint64_t state; } chance;

/* SplitMix64 (Steele, Lea & Flood 2014). */
static uint64_t next(chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double uniform(chance *c, double low, double high)
{
    return low + (high - low) * (double)(next(c) >> 11) * 0x1p-53;
}

static bool happens(chance *c, double probability)
{
    return uniform(c, 0, 1) < probability;
}

static double normal(chance *c)
{
    double u = uniform(c, 1e-300, 1), v = uniform(c, 0, 2 * PI);
    return sqrt(-2 * log(u)) * cos(v);
}

static double log_normal(chance *c, double median, double sigma)
{
    return median * exp(sigma * normal(c));
}

static int poisson(chance *c, double mean)
{
    int n = 0;
    for (double p = uniform(c, 0, 1), limit = exp(-mean); p > limit && n < 10000; n++)
        p *= uniform(c, 0, 1);
    return n;
}

/* ---- what sources look like ---- */

/* An elliptical Gaussian: place from the source's middle, FWHM [arcsec], angle of its
 * long axis from +x [rad], flux in any unit. */
typedef struct blob { double x, y, major, minor, angle, flux; } blob;

typedef struct source {
    blob blob[BLOBS];
    int n;
    double host_x, host_y;    /* the core's place, or the middle's [arcsec] */
} source;

/* Where it is [pixels, 0-based] and its brightest pixel [Jy/beam]. */
typedef struct placed { source source; double x, y, peak; } placed;

/* What is drawn in search of a class.  Lengths and signal to noise are the medians of
 * Radio Galaxy Zoo's sources (shared/data), less the beam's share. */
typedef struct recipe {
    double compact, tailed;   /* probability of these; else a double */
    double length, spread;    /* of the whole source [arcsec], log-normal */
    double core;              /* probability of a core */
    double bridge;            /* probability of emission between core and lobes */
    double second;            /* probability of a second hot spot, each lobe */
    double bend;              /* scatter of the lobes' directions [rad] */
    double peak, range;       /* of the brightest pixel [sigma], log-normal */
} recipe;

static const recipe recipes[RG_CLASSES] = {
    [1] = { 0.60, 0.20, 14, 0.5, 0.3, 0.8, 0.0, 0.15,  35, 1.2 },   /* 1C_1P */
    [2] = { 0.00, 0.30, 30, 0.4, 0.2, 0.8, 0.0, 0.20,  50, 1.1 },   /* 1C_2P */
    [3] = { 0.00, 0.50, 48, 0.4, 0.8, 0.9, 0.2, 0.20,  50, 1.1 },   /* 1C_3P */
    [4] = { 0.00, 0.10, 50, 0.5, 0.1, 0.3, 0.0, 0.15,  35, 1.0 },   /* 2C_2P */
    [5] = { 0.00, 0.20, 66, 0.4, 0.5, 0.5, 0.4, 0.15,  50, 1.1 },   /* 2C_3P */
    [6] = { 0.00, 0.15, 68, 0.4, 1.0, 0.3, 0.1, 0.15,  30, 0.9 },   /* 3C_3P */
};

/* Several draws for one source are statements of their own below: compilers differ in
 * the order in which they call the arguments of a function. */
static void put(source *s, double x, double y, double major, double minor, double angle,
                double flux)
{
    if (s->n < BLOBS) s->blob[s->n++] = (blob){ x, y, major, minor, angle, flux };
}

/* A star-like or slightly resolved source, sometimes with a short jet. */
static void draw_compact(chance *c, source *s)
{
    double angle = uniform(c, 0, 2 * PI);
    double major = happens(c, 0.3) ? 0 : fmin(log_normal(c, 6, 0.7), 25);
    put(s, 0, 0, major, major * uniform(c, 0.1, 0.9), angle, 1);
    if (!happens(c, 0.3)) return;
    double far = uniform(c, 2, 6), flux = uniform(c, 0.05, 0.6);
    put(s, far * cos(angle), far * sin(angle), uniform(c, 0, 5), 0, angle, flux);
}

/* One side of a double: hot spot, lobe behind it, bridge to the core. */
static void draw_lobe(chance *c, source *s, const recipe *how, double angle, double arm,
                      double flux)
{
    double across = cos(angle), up = sin(angle);
    double hot = pow(uniform(c, 0, 1), 3) * flux, long_ = arm * uniform(c, 0.3, 0.8);
    double middle = arm - long_ * uniform(c, 0.1, 0.5);
    double tilt = angle + 0.25 * normal(c), wide = long_ * uniform(c, 0.3, 0.8);
    double minor = uniform(c, 0.5, 2), major = uniform(c, 0.5, 3);
    put(s, arm * across, arm * up, major, minor, tilt, hot);
    put(s, middle * across, middle * up, long_, wide, tilt, flux - hot);
    if (happens(c, how->second)) {
        double at = arm * uniform(c, 0.35, 0.8), off = 0.12 * arm * normal(c);
        double share = uniform(c, 0.1, 0.8);
        minor = uniform(c, 0.5, 3), major = uniform(c, 0.5, 4);
        put(s, at * across - off * up, at * up + off * across, major, minor, tilt,
            flux * share);
    }
    if (happens(c, how->bridge)) {
        double share = exp(uniform(c, -3, -0.5));
        minor = arm * uniform(c, 0.1, 0.35), major = arm * uniform(c, 0.6, 0.9);
        put(s, 0.45 * arm * across, 0.45 * arm * up, major, minor, angle, flux * share);
    }
}

static void draw_double(chance *c, source *s, const recipe *how, double length)
{
    double angle = uniform(c, 0, 2 * PI), uneven = exp(0.2 * normal(c));
    double ratio = exp(0.45 * normal(c)), bent = how->bend * normal(c);
    if (happens(c, 0.1)) bent += uniform(c, 0.3, 0.8);    /* wide-angle tails */
    draw_lobe(c, s, how, angle + bent, length / 2 * uneven, ratio);
    draw_lobe(c, s, how, angle + PI - bent, length / 2 / uneven, 1 / ratio);
    if (happens(c, how->core)) {
        double flux = exp(uniform(c, -3, 0.5)), major = uniform(c, 0, 1.5);
        s->host_y = 0.03 * length * normal(c);
        s->host_x = 0.03 * length * normal(c);
        put(s, s->host_x, s->host_y, major, 0, angle, flux);
    }
    if (how->core > 0 && happens(c, 0.2)) {
        double flux = exp(uniform(c, -3, -1)), major = length * uniform(c, 0.15, 0.4);
        put(s, 0, 0, major, 1, angle, flux);
    }
}

/* One jet that widens, fades, bends and is knotty. */
static void draw_tail(chance *c, source *s, double angle, double length, double bend,
                      double flux)
{
    double x = 0, y = 0, fade = uniform(c, 0, 2.5), spread = uniform(c, 0.1, 0.3);
    enum { STEPS = 8 };
    for (int i = 0; i < STEPS; i++) {
        double step = length / STEPS, far = (i + 0.5) / STEPS;
        x += step * cos(angle);
        y += step * sin(angle);
        put(s, x, y, 1.5 * step, 2 + spread * far * length, angle,
            flux / STEPS * exp(-fade * far + 0.45 * normal(c)));
        angle += bend / STEPS;
    }
}

static void draw_tailed(chance *c, source *s, const recipe *how, double length)
{
    double angle = uniform(c, 0, 2 * PI), bend = 0.5 * normal(c);
    double turn = happens(c, 0.5) ? bend : -bend;         /* C or S shape */
    bool both = happens(c, 0.75);
    double far = both ? length / 2 : length;
    double flux = exp(0.3 * normal(c)), reach = far * uniform(c, 0.7, 1.3);
    draw_tail(c, s, angle, reach, bend, flux);
    if (both) {
        flux = exp(0.3 * normal(c)), reach = far * uniform(c, 0.7, 1.3);
        draw_tail(c, s, angle + PI + how->bend * normal(c), reach, -turn, flux);
    }
    if (!both || happens(c, how->core + 0.1)) {
        flux = exp(uniform(c, -3, -0.5));
        put(s, 0, 0, uniform(c, 0, 2), 0, angle, flux);
    }
}

static source draw(chance *c, const recipe *how, double stretch)
{
    source s = { .n = 0 };
    double length = fmin(log_normal(c, how->length, how->spread), 140);
    if (stretch > 1) length *= exp(uniform(c, 0, log(stretch)));
    double kind = uniform(c, 0, 1);
    if (kind < how->compact) draw_compact(c, &s);
    else if (kind < how->compact + how->tailed) draw_tailed(c, &s, how, length);
    else draw_double(c, &s, how, length);
    return s;
}

/* ---- the sky they are put on ---- */

typedef struct patch { int x1, y1, x2, y2; } patch;   /* pixels, 0-based, inclusive */

typedef struct field {
    const rg_simulation *how;     /* borrowed */
    int n;                        /* side [pixels] */
    chance chance;
    double sigma;                 /* as it will be measured, about [Jy/beam] */
    float *noise;                 /* [n][n]; owned */
    float *image;                 /* [n][n] noise and all sources; the image's */
    float *model;                 /* [n][n] the source being drawn, 0 outside; owned */
    float *scratch;               /* [n][n]; owned */
    struct placed *placed;        /* [room]; owned */
    rg_label *labels;             /* [room]; owned until handed over */
    int nlabels, room;
} field;

/* Gaussian blur, separable; FWHM [pixels].  Ends repeat. */
static void blur(float *pixels, float *scratch, int n, double fwhm)
{
    double s = fwhm / 2.3548, kernel[64], total = 0;
    int reach = (int)fmin(ceil(3 * s), 31);
    for (int k = -reach; k <= reach; k++) total += exp(-k * k / (2 * s * s));
    for (int k = 0; k <= reach; k++) kernel[k] = exp(-k * k / (2 * s * s)) / total;
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < n; y++)
            for (int x = 0; x < n; x++) {
                double sum = 0;
                for (int k = -reach; k <= reach; k++) {
                    int u = x + k < 0 ? 0 : x + k >= n ? n - 1 : x + k;
                    sum += kernel[abs(k)] * pixels[y * n + u];
                }
                scratch[x * n + y] = (float)sum;   /* turned, so that twice is both */
            }
        memcpy(pixels, scratch, (size_t)n * (size_t)n * sizeof *pixels);
    }
}

/* What the sidelobes of sources far away leave: faint stripes, across the three arms of
 * the snapshot's beam. */
static void add_stripes(field *f, double rms)
{
    chance *c = &f->chance;
    double arms = uniform(c, 0, PI);
    for (int i = 0; i < 9; i++) {
        double angle = arms + i % 3 * PI / 3 + 0.08 * normal(c);
        double wave = log_normal(c, 16, 0.4) / f->how->pixel;
        double phase = uniform(c, 0, 2 * PI);
        double height = rms * uniform(c, 0, 0.44);
        double kx = 2 * PI / wave * cos(angle), ky = 2 * PI / wave * sin(angle);
        for (int y = 0; y < f->n; y++)
            for (int x = 0; x < f->n; x++)
                f->noise[y * f->n + x] +=
                    (float)(height * sin(kx * x + ky * y + phase));
    }
}

/* Add noise of that rms, correlated over `fwhm` [arcsec]. */
static void add_noise(field *f, double rms, double fwhm)
{
    size_t n = (size_t)f->n * (size_t)f->n;
    float *grain = f->model;
    double sum = 0;
    for (size_t i = 0; i < n; i++) grain[i] = (float)normal(&f->chance);
    blur(grain, f->scratch, f->n, fwhm / f->how->pixel);
    for (size_t i = 0; i < n; i++) sum += (double)grain[i] * grain[i];
    double scale = rms / sqrt(sum / (double)n);
    for (size_t i = 0; i < n; i++) f->noise[i] += (float)(scale * grain[i]);
    memset(grain, 0, n * sizeof *grain);
}

/* The shares and lengths give about the autocorrelation of blank FIRST sky: 0.75, 0.36,
 * 0.22, 0.20, 0.12 at 1, 2, 3, 4, 6 pixels. */
static void make_noise(field *f)
{
    double rms = f->how->noise * uniform(&f->chance, 0.9, 1.12);
    add_noise(f, 0.79 * rms, 0.6 * f->how->beam);
    add_noise(f, 0.42 * rms, 2.2 * f->how->beam);
    add_stripes(f, rms);
    f->sigma = 1.1 * rms;
}

/* Add a blob, seen by the beam, to the model; `grown` becomes the pixels touched. */
static void render(field *f, const blob *b, double x, double y, patch *grown)
{
    double pixel = f->how->pixel, beam = f->how->beam, k = pow(pixel * 2.3548, 2);
    double a = (b->major * b->major + beam * beam) / k;
    double d = (b->minor * b->minor + beam * beam) / k;
    double c = cos(b->angle), s = sin(b->angle), xy = s * c * (1 / a - 1 / d);
    double xx = c * c / a + s * s / d, yy = s * s / a + c * c / d;
    double height = b->flux * beam * beam / (k * sqrt(a * d));
    double reach = 4.5 * sqrt(fmax(a, d)), x0 = x + b->x / pixel, y0 = y + b->y / pixel;
    patch p = { (int)fmax(floor(x0 - reach), 0), (int)fmax(floor(y0 - reach), 0),
                (int)fmin(ceil(x0 + reach), f->n - 1),
                (int)fmin(ceil(y0 + reach), f->n - 1) };
    for (int v = p.y1; v <= p.y2; v++)
        for (int u = p.x1; u <= p.x2; u++) {
            double e = u - x0, g = v - y0;
            double far = e * e * xx + g * g * yy + 2 * e * g * xy;
            f->model[v * f->n + u] += (float)(height * exp(-0.5 * far));
        }
    if (p.x1 > p.x2 || p.y1 > p.y2) return;
    if (p.x1 < grown->x1) grown->x1 = p.x1;
    if (p.y1 < grown->y1) grown->y1 = p.y1;
    if (p.x2 > grown->x2) grown->x2 = p.x2;
    if (p.y2 > grown->y2) grown->y2 = p.y2;
}

static void wipe(field *f, const patch *p)
{
    for (int y = p->y1; y <= p->y2; y++)
        for (int x = p->x1; x <= p->x2; x++) f->model[y * f->n + x] = 0;
}

/* The model of a source at pixel x, y whose brightest pixel is `peak`. */
static patch render_source(field *f, const source *s, double x, double y, double peak)
{
    patch p = { f->n, f->n, -1, -1 };
    float highest = 0;
    for (int i = 0; i < s->n; i++) render(f, &s->blob[i], x, y, &p);
    for (int v = p.y1; v <= p.y2; v++)
        for (int u = p.x1; u <= p.x2; u++)
            highest = fmaxf(highest, f->model[v * f->n + u]);
    float scale = highest > 0 ? (float)peak / highest : 0;
    for (int v = p.y1; v <= p.y2; v++)
        for (int u = p.x1; u <= p.x2; u++) f->model[v * f->n + u] *= scale;
    return p;
}

/* ---- what Radio Galaxy Zoo would say of them ---- */

typedef struct seen { rg_label label; int components, peaks; } seen;

/* Box round the islands of `base` that hold one of the components. */
static rg_label box_round(const rg_island *base, int nbase, const char *held)
{
    rg_label box = { HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL, 0, 1 };
    for (int i = 0; i < nbase; i++) {
        if (!held[i + 1]) continue;
        box.xmin = fmin(box.xmin, base[i].x1 + 0.5);
        box.ymin = fmin(box.ymin, base[i].y1 + 0.5);
        box.xmax = fmax(box.xmax, base[i].x2 + 1.5);
        box.ymax = fmax(box.ymax, base[i].y2 + 1.5);
    }
    return box;
}

/* Islands at 4 sigma (box) and at 3 sqrt(3) sigma (components) of pixels [h][w]; those
 * are the source's where its model is above the noise. */
static int judge(const float *pixels, const float *model, int w, int h, double sigma,
                 seen *out)
{
    rg_island *base = NULL, *islands = NULL;
    int nbase = 0, n = 0, *base_map = NULL, *map = NULL;
    char *held = NULL, *own = NULL;
    int status = rg_island_find(pixels, w, h, BOX_LEVEL * sigma, RG_ISLAND_STEP,
                                    &base, &nbase, &base_map);
    if (status == 0)
        status = rg_island_find(pixels, w, h, RG_ISLAND_BASE * sigma,
                                    RG_ISLAND_STEP, &islands, &n, &map);
    if (status == 0) held = rg_error_alloc((size_t)nbase + 1, 1, "islands");
    if (held) own = rg_error_alloc((size_t)n + 1, 1, "islands");
    if (own == NULL) status = -1;
    *out = (seen){ .components = 0 };
    for (int p = 0; status == 0 && p < w * h; p++) {
        if (map[p] == 0 || islands[map[p] - 1].npixels < SPECK) continue;
        if (!(model[p] > 2 * sigma)) continue;
        own[map[p]] = held[base_map[p]] = 1;
    }
    for (int i = 0; status == 0 && i < n; i++) {
        if (!own[i + 1]) continue;
        out->components++;
        out->peaks += islands[i].peaks;
    }
    if (status == 0) out->label = box_round(base, nbase, held);
    out->label.class_ = rg_label_class(out->components, out->peaks);
    free(base);
    free(islands);
    free(base_map);
    free(map);
    free(held);
    free(own);
    return status;
}

/* The source now in f->model, alone on the noise. */
static int judge_model(field *f, const patch *p, double sigma, seen *out)
{
    int w = p->x2 - p->x1 + 1, h = p->y2 - p->y1 + 1;
    float *model = rg_error_alloc((size_t)w * (size_t)h, sizeof *model, "a source");
    if (model == NULL) return -1;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int at = (p->y1 + y) * f->n + p->x1 + x;
            model[y * w + x] = f->model[at];
            f->scratch[y * w + x] = f->model[at] + f->noise[at];
        }
    int status = judge(f->scratch, model, w, h, sigma, out);
    free(model);
    out->label.xmin += p->x1;
    out->label.xmax += p->x1;
    out->label.ymin += p->y1;
    out->label.ymax += p->y1;
    return status;
}

/* ---- a field ---- */

static bool collides(const field *f, const rg_label *box)
{
    if (box->xmin < 1.5 || box->ymin < 1.5 || box->xmax > f->n - 0.5 ||
        box->ymax > f->n - 0.5) return true;
    for (int i = 0; i < f->nlabels; i++) {
        const rg_label *other = &f->labels[i];
        if (box->xmin < other->xmax + APART && other->xmin < box->xmax + APART &&
            box->ymin < other->ymax + APART && other->ymin < box->ymax + APART)
            return true;
    }
    return false;
}

/* Residual sidelobes of a bright source: six arms that fade and change sign. */
static void add_sidelobes(field *f, double x0, double y0, double peak)
{
    double height = peak * log_normal(&f->chance, 0.0012, 0.6);
    double turn = uniform(&f->chance, 0, PI), wave = uniform(&f->chance, 6, 12);
    if (!(height > 0.3 * f->sigma)) return;
    for (int y = 0; y < f->n; y++)
        for (int x = 0; x < f->n; x++) {
            double sum = 0, far = hypot(x - x0, y - y0);
            for (int k = 0; k < 3; k++) {
                double c = cos(turn + k * PI / 3), s = sin(turn + k * PI / 3);
                double along = (x - x0) * c + (y - y0) * s;
                double off = (y - y0) * c - (x - x0) * s, wide = 1.5 + 0.04 * far;
                sum += exp(-off * off / (2 * wide * wide)) * cos(2 * PI * along / wave);
            }
            double shape = (1 - exp(-far * far / 50)) / (1 + far / 25);
            f->image[y * f->n + x] += (float)(height * sum * shape);
        }
}

static void accept(field *f, const patch *p, const seen *s, const placed *source)
{
    for (int v = p->y1; v <= p->y2; v++)
        for (int u = p->x1; u <= p->x2; u++)
            f->image[v * f->n + u] += f->model[v * f->n + u];
    f->placed[f->nlabels] = *source;
    f->labels[f->nlabels++] = s->label;
    add_sidelobes(f, source->x, source->y, source->peak);
}

static placed place(field *f, const recipe *how, bool central)
{
    chance *c = &f->chance;
    double scatter = 8 / f->how->pixel, middle = (f->n - 1) / 2.0;
    placed one = { .source = draw(c, how, f->how->stretch) };
    one.x = central ? middle + scatter * normal(c) : uniform(c, 0, f->n - 1);
    one.y = central ? middle + scatter * normal(c) : uniform(c, 0, f->n - 1);
    one.peak = f->sigma * fmax(log_normal(c, how->peak, how->range), 9);
    return one;
}

/* What is seen of a source alone on the noise; its model stays, to be wiped. */
static int look(field *f, const placed *one, double sigma, patch *p, seen *found)
{
    *found = (seen){ .components = 0 };
    *p = render_source(f, &one->source, one->x, one->y, one->peak);
    return p->x1 > p->x2 ? 0 : judge_model(f, p, sigma, found);
}

/* A source of that class, if one of the tries gives it, or, where sources are stretched
 * and fall apart, of any; `central`: near the middle. */
static int add_source(field *f, int class_, bool central)
{
    bool done = false;
    for (int i = 0; i < TRIES && !done; i++) {
        placed one = place(f, &recipes[class_], central);
        patch p;
        seen found;
        int status = look(f, &one, f->sigma, &p, &found);
        done = status == 0 && found.components > 0 &&
               (found.label.class_ == class_ || f->how->stretch > 1) &&
               !collides(f, &found.label);
        if (done) accept(f, &p, &found, &one);
        wipe(f, &p);
        RG_TRY(status);
    }
    return 0;
}

/* Noise of the 3' about a pixel, moved inside the field, as a subject's is measured. */
static int local_noise(const field *f, double x, double y, double *sigma)
{
    double median;
    int side = (int)fmin(f->n, round(SUBJECT / f->how->pixel)), last = f->n - side;
    int x0 = (int)fmin(fmax(x - side / 2, 0), last);
    int y0 = (int)fmin(fmax(y - side / 2, 0), last);
    for (int v = 0; v < side; v++)
        memcpy(f->scratch + v * side, f->image + (y0 + v) * f->n + x0,
               (size_t)side * sizeof *f->scratch);
    return rg_image_noise(f->scratch, (size_t)side * (size_t)side, &median, sigma);
}

/* The labels again, with the noise that the finished field has. */
static int label_all(field *f)
{
    int kept = 0;
    for (int i = 0; i < f->nlabels; i++) {
        const placed *one = &f->placed[i];
        double sigma;
        patch p;
        seen found;
        RG_TRY(local_noise(f, one->x, one->y, &sigma));
        int status = look(f, one, sigma, &p, &found);
        wipe(f, &p);
        RG_TRY(status);
        if (found.components == 0) continue;
        f->placed[kept] = *one;
        f->labels[kept++] = found.label;
    }
    f->nlabels = kept;
    return 0;
}

/* Faint unresolved sources too faint to be anyone's component. */
static void add_confusion(field *f)
{
    chance *c = &f->chance;
    static const source point = { .blob = { { .flux = 1 } }, .n = 1 };
    for (int i = poisson(c, f->n * f->n / 4000.0); i > 0; i--) {
        double x = uniform(c, 0, f->n - 1), y = uniform(c, 0, f->n - 1);
        patch p = render_source(f, &point, x, y, f->sigma * uniform(c, 0.5, 3));
        for (int v = p.y1; v <= p.y2; v++)
            for (int u = p.x1; u <= p.x2; u++)
                f->noise[v * f->n + u] += f->model[v * f->n + u];
        wipe(f, &p);
    }
}

/* A class, drawn so that what comes out is about even: those hard to hit more often. */
static int pick(chance *c)
{
    static const double share[RG_CLASSES] = { 0, 0.08, 0.14, 0.22, 0.15, 0.24, 0.17 };
    double at = uniform(c, 0, 1);
    int class_ = 1;
    while (class_ < RG_CLASSES - 1 && at > share[class_]) at -= share[class_++];
    return class_;
}

/* Neighbours are, one in four, the small sources that fill the real sky. */
static int fill(field *f)
{
    chance *c = &f->chance;
    size_t bytes = (size_t)f->n * (size_t)f->n * sizeof *f->image;
    double area = pow(f->n * f->how->pixel / SUBJECT, 2);
    make_noise(f);
    add_confusion(f);
    memcpy(f->image, f->noise, bytes);
    RG_TRY(add_source(f, pick(c), true));
    int more = poisson(c, fmax(f->how->density * area - 1, 0));
    for (int i = 0; i < more && f->nlabels < f->room; i++)
        RG_TRY(add_source(f, happens(c, 0.25) ? 1 : pick(c), false));
    for (int i = 0; f->nlabels == 0 && i < 5; i++) RG_TRY(add_source(f, 1, true));
    return label_all(f);
}

const rg_simulation rg_simulate_defaults = {
    .seed = 1, .size = 150, .pixel = 1.8, .beam = 5.4, .noise = 0.00015, .density = 1.3,
    .stretch = 1
};

static int check(const rg_simulation *how)
{
    if (how->size < 32 || how->size > 4096)
        return RG_FAIL("a simulated field of %d pixels: 32 to 4096 are possible",
                       how->size);
    if (!(how->pixel >= 0.1 && how->pixel <= 20) || !(how->beam >= how->pixel) ||
        !(how->beam <= 20 * how->pixel))
        return RG_FAIL("pixels of %g arcsec and a beam of %g: pixels are 0.1 to 20, "
                       "the beam 1 to 20 of them", how->pixel, how->beam);
    if (!(how->noise > 0 && how->noise < 1e3) ||
        !(how->density >= 0 && how->density <= 10))
        return RG_FAIL("noise %g Jy/beam, %g sources in 3': noise is positive, sources "
                       "0 to 10", how->noise, how->density);
    if (!(how->stretch >= 1 && how->stretch <= 20))
        return RG_FAIL("sources stretched up to %g times: 1 to 20 are possible",
                       how->stretch);
    return 0;
}

static int new_image(const rg_simulation *how, chance *c, int index, rg_image **image)
{
    rg_sky *sky;
    double ra = uniform(c, 110, 260), dec = uniform(c, 0, 60);
    RG_TRY(rg_sky_new_tangent(&sky, ra, dec, how->size, how->pixel));
    RG_TRY(rg_image_new(image, how->size, how->size, sky));
    rg_image *made = *image;
    snprintf(made->object, sizeof made->object, "simulation %llu-%d",
             (unsigned long long)how->seed, index);
    snprintf(made->name, sizeof made->name, "%s", made->object);
    snprintf(made->unit, sizeof made->unit, "Jy/beam");
    made->beam[0] = made->beam[1] = how->beam;
    return 0;
}

/* The galaxies of the sources and the infrared sky they are in; chance of its own, so
 * that the radio sky does not depend on it. */
static int make_infrared(const field *f, int index, rg_simulated *out)
{
    uint64_t state = rg_random_mix(f->how->seed, ~(uint64_t)index);
    const rg_sky *sky = out->radio->sky;
    out->hosts = rg_error_alloc((size_t)f->nlabels, sizeof *out->hosts, "hosts");
    if (out->hosts == NULL) return -1;
    for (int i = 0; i < f->nlabels; i++) {
        const placed *one = &f->placed[i];
        double x = one->x + one->source.host_x / f->how->pixel, ra, dec;
        double y = one->y + one->source.host_y / f->how->pixel;
        RG_TRY(rg_sky_to_world(sky, x + 1, y + 1, &ra, &dec));
        rg_host_draw(ra, dec, SCATTER, &state, &out->hosts[i]);
    }
    return rg_infrared_make(sky, f->n, f->n, out->hosts, f->nlabels,
                            rg_random_next(&state), &out->infrared);
}

static int make_field(field *f, int index, rg_simulated *out)
{
    size_t n = (size_t)f->n * (size_t)f->n;
    f->room = 16 * (1 + f->n * f->n / 10000);
    f->noise = rg_error_alloc(n, sizeof *f->noise, "simulated noise");
    f->model = rg_error_alloc(n, sizeof *f->model, "a simulated source");
    f->scratch = rg_error_alloc(n, sizeof *f->scratch, "a simulated source");
    f->labels = rg_error_alloc((size_t)f->room, sizeof *f->labels, "labels");
    f->placed = rg_error_alloc((size_t)f->room, sizeof *f->placed, "simulated sources");
    bool room = f->noise && f->model && f->scratch && f->labels && f->placed;
    int status = room ? fill(f) : -1;
    if (status == 0) status = make_infrared(f, index, out);
    free(f->placed);
    free(f->noise);
    free(f->model);
    free(f->scratch);
    return status;
}

int rg_simulate_field(const rg_simulation *how, int index, rg_simulated *out)
{
    *out = (rg_simulated){ .n = 0 };
    RG_TRY(check(how));
    chance c = { how->seed * 0x2545f4914f6cdd1du + (uint64_t)index };
    c.state = next(&c);
    RG_TRY(new_image(how, &c, index, &out->radio));
    field f = { .how = how, .n = how->size, .chance = c, .image = out->radio->pixels };
    int status = make_field(&f, index, out);
    out->labels = f.labels;
    out->n = f.nlabels;
    if (status != 0) rg_simulate_clear(out);
    return status;
}

void rg_simulate_clear(rg_simulated *field)
{
    rg_image_free(field->radio);
    rg_image_free(field->infrared);
    free(field->labels);
    free(field->hosts);
    *field = (rg_simulated){ .n = 0 };
}

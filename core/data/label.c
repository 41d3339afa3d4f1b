/* SPDX-License-Identifier: MIT */
#include "core/data/label.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/image/island.h"

/* Radio Galaxy Zoo's boxes go round the islands above this [sigma]. */
#define BOX_LEVEL 4.0
#define SPECK 4                   /* fewer fine pixels at 5.2 sigma are no component */
#define SUBJECT 180.0             /* side of Radio Galaxy Zoo's images [arcsec] */
#define FINE_PIXEL 1.375          /* and their pixels [arcsec] */
#define FINE 132

/* An island above 4 sigma that holds a component. */
typedef struct unit {
    rg_label label;           /* its box; class not used */
    double x, y;              /* flux-weighted centre [FITS pixels] */
    double flux;              /* sum of its pixels */
    double peak;              /* [sigma] */
    bool cut;                 /* by the frame's edge or a blank */
    int cluster;              /* number of the cluster of near units it is in */
    int owner;                /* number of its source + 1, 0: none yet, -1: no unit */
} unit;

typedef struct field {
    const rg_image *image;    /* borrowed */
    double pixel;             /* [arcsec] */
    double sigma;
    unit *units;              /* owned; brightest first */
    int *map;                 /* [ny][nx] number of the unit + 1; owned */
    int n;
    rg_label_source *sources; /* owned until handed over; room for 2 n */
    int nsources;
} field;

const char *const rg_label_kind_name[RG_LABEL_KINDS] = {
    "listed", "extent", "centred", "paired", "alone"
};

int rg_label_class(int components, int peaks)
{
    for (int c = 1; c < RG_CLASSES && peaks <= 5; c++)
        if (rg_boxes_components[c] == components
            && rg_boxes_peaks[c] == (peaks < 3 ? peaks : 3)) return c;
    return RG_CLASS_IGNORE;
}

/* ---- the units of an image ---- */

static bool is_cut(const rg_image *image, const rg_island *island)
{
    if (island->x1 < 1 || island->y1 < 1 || island->x2 > image->nx - 2 ||
        island->y2 > image->ny - 2) return true;
    for (int y = island->y1 - 1; y <= island->y2 + 1; y++)
        for (int x = island->x1 - 1; x <= island->x2 + 1; x++)
            if (isnan(image->pixels[(size_t)y * image->nx + x])) return true;
    return false;
}

static unit describe(const field *f, const rg_island *island)
{
    bool holds = island->peak >= RG_ISLAND_BASE * f->sigma && island->npixels >= 3;
    return (unit){
        .label = { island->x1 + 0.5, island->y1 + 0.5, island->x2 + 1.5,
                   island->y2 + 1.5, 0, 0 },
        .x = island->x + 1, .y = island->y + 1, .flux = island->flux,
        .peak = island->peak / f->sigma, .cut = is_cut(f->image, island),
        .owner = holds ? 0 : -1
    };
}

/* Noise and units of f->image; none where it is all the same. */
static int find_units(field *f)
{
    const rg_image *image = f->image;
    double median;
    rg_island *islands;
    RG_TRY(rg_image_noise(image->pixels, (size_t)image->nx * image->ny, &median,
                          &f->sigma));
    if (!(f->sigma > 0)) return 0;
    RG_TRY(rg_island_find(image->pixels, image->nx, image->ny, BOX_LEVEL * f->sigma,
                              RG_ISLAND_STEP, &islands, &f->n, &f->map));
    f->units = rg_error_alloc((size_t)f->n, sizeof *f->units, "islands of a field");
    for (int i = 0; f->units && i < f->n; i++) f->units[i] = describe(f, &islands[i]);
    free(islands);
    return f->units ? 0 : -1;
}

/* ---- what belongs together ---- */

static double separation(const field *f, const unit *a, const unit *b)
{
    return hypot(a->x - b->x, a->y - b->y) * f->pixel;
}

static double ratio(const unit *a, const unit *b)
{
    return fmax(a->flux, b->flux) / fmin(a->flux, b->flux);
}

static double diagonal(const field *f, const rg_label *box)
{
    return hypot(box->xmax - box->xmin, box->ymax - box->ymin) * f->pixel;
}

static bool is_faint(const unit *a)
{
    return a->peak < 8;
}

/* Could be one source; beyond, on rgz_train, hardly any pair is. */
static bool is_near(const field *f, const unit *a, const unit *b)
{
    double apart = separation(f, a, b);
    if (is_faint(a) || is_faint(b)) return apart < 40;
    return apart < 60 || (apart < 100 && ratio(a, b) < 5);
}

/* Is one source, in nine of ten such pairs on rgz_train. */
static bool is_pair(const field *f, const unit *a, const unit *b)
{
    double size = (diagonal(f, &a->label) + diagonal(f, &b->label)) / 2;
    double apart = separation(f, a, b);
    return apart < 60 && apart < 2.5 * size && ratio(a, b) < 4 && !is_faint(a) &&
           !is_faint(b);
}

static void include(rg_label *box, const rg_label *other)
{
    box->xmin = fmin(box->xmin, other->xmin);
    box->ymin = fmin(box->ymin, other->ymin);
    box->xmax = fmax(box->xmax, other->xmax);
    box->ymax = fmax(box->ymax, other->ymax);
}

/* Box and brightest pixel of all units owned by source `number`; whether there are any,
 * and whether one of them is cut. */
static bool gather(const field *f, int number, rg_label_source *source, bool *cut)
{
    bool found = false;
    source->label = (rg_label){ DBL_MAX, DBL_MAX, -DBL_MAX, -DBL_MAX, 0, 0 };
    *cut = false;
    for (int i = 0; i < f->n; i++) {
        const unit *u = &f->units[i];
        if (u->owner != number + 1) continue;
        include(&source->label, &u->label);
        source->peak = fmax(source->peak, u->peak);
        if (u->cut) *cut = true;
        found = true;
    }
    return found;
}

/* The next source, of the units that were given its number; class_ 0: by arithmetic. */
static void add_source(field *f, rg_label_kind kind, int hint, int class_)
{
    bool cut;
    rg_label_source source = { .hint = hint, .kind = kind };
    if (!gather(f, f->nsources, &source, &cut)) return;
    source.label.class_ = cut && class_ == 0 ? RG_CLASS_IGNORE : class_;
    f->sources[f->nsources++] = source;
}

/* ---- sources of a catalogue ---- */

/* The unit whose box, grown by 3 pixels, holds the position; the nearest of several. */
static unit *unit_at(field *f, double ra, double dec)
{
    double x, y, least = DBL_MAX;
    unit *found = NULL;
    if (rg_sky_to_pixel(f->image->sky, ra, dec, &x, &y) != 0) return NULL;
    for (int i = 0; i < f->n; i++) {
        unit *u = &f->units[i];
        double apart = hypot(u->x - x, u->y - y);
        if (x < u->label.xmin - 3 || x > u->label.xmax + 3 || y < u->label.ymin - 3 ||
            y > u->label.ymax + 3 || !(apart < least)) continue;
        least = apart;
        found = u;
    }
    return found;
}

/* All listed components must be seen, or what is seen is ambiguous. */
static void take_listed(field *f, const rg_label_hint *hint, int number)
{
    int seen = 0;
    for (int i = 0; i < hint->ncomponents && i < RG_LABEL_COMPONENTS; i++) {
        unit *u = unit_at(f, hint->component[i].ra, hint->component[i].dec);
        if (u == NULL || (u->owner != 0 && u->owner != f->nsources + 1)) continue;
        u->owner = f->nsources + 1;
        seen++;
    }
    add_source(f, RG_LABEL_LISTED, number,
               seen == hint->ncomponents ? hint->class_ : RG_CLASS_IGNORE);
}

/* ---- sources of known position and extent ---- */

static bool is_within(const field *f, const unit *u, double x, double y, double radius)
{
    return hypot(u->x - x, u->y - y) * f->pixel < radius;
}

/* Units within `radius` [arcsec] of x, y become the next source's, unless one of them
 * was told of before. */
static bool claim(field *f, double x, double y, double radius)
{
    for (int i = 0; i < f->n; i++)
        if (f->units[i].owner > 0 && is_within(f, &f->units[i], x, y, radius))
            return false;
    for (int i = 0; i < f->n; i++)
        if (f->units[i].owner == 0 && is_within(f, &f->units[i], x, y, radius))
            f->units[i].owner = f->nsources + 1;
    return true;
}

/* Whether a free unit is so near the next source's that it might be part of it. */
static bool has_rival(const field *f)
{
    for (int i = 0; i < f->n; i++)
        for (int j = 0; j < f->n; j++) {
            const unit *mine = &f->units[i], *other = &f->units[j];
            if (mine->owner == f->nsources + 1 && other->owner == 0 &&
                separation(f, mine, other) < 45 && ratio(mine, other) < 4) return true;
        }
    return false;
}

/* The extent of the units must be about the catalogue's. */
static void take_extended(field *f, const rg_label_hint *hint, int number)
{
    double x, y;
    bool cut;
    rg_label_source source = { 0 };
    if (rg_sky_to_pixel(f->image->sky, hint->ra, hint->dec, &x, &y) != 0) return;
    if (!claim(f, x, y, 0.6 * hint->extent + 6)) return;
    if (!gather(f, f->nsources, &source, &cut)) return;
    double extent = diagonal(f, &source.label);
    bool sure = extent > 0.6 * hint->extent && extent < 1.6 * hint->extent + 20 &&
                !has_rival(f);
    add_source(f, RG_LABEL_EXTENT, number, sure ? 0 : RG_CLASS_IGNORE);
}

/* ---- sources nobody told of ---- */

static void join(field *f, int from, int to)
{
    for (int i = 0; i < f->n; i++)
        if (f->units[i].cluster == from) f->units[i].cluster = to;
}

/* Free units that are near one another get one cluster number. */
static void cluster(field *f)
{
    for (int i = 0; i < f->n; i++) f->units[i].cluster = i;
    for (int i = 0; i < f->n; i++)
        for (int j = 0; j < i; j++) {
            const unit *a = &f->units[i], *b = &f->units[j];
            if (a->owner == 0 && b->owner == 0 && is_near(f, a, b))
                join(f, a->cluster, b->cluster);
        }
}

/* Whether the cluster is one source: alone and not just noise, or two or three that
 * each pair with another. */
static bool is_source(const field *f, int number)
{
    int members = 0, faint = 0, paired = 0;
    for (int i = 0; i < f->n; i++) {
        const unit *u = &f->units[i];
        if (u->owner || u->cluster != number) continue;
        members++;
        faint += is_faint(u);
        bool pairs = false;
        for (int j = 0; j < f->n; j++) {
            const unit *other = &f->units[j];
            if (j != i && other->owner == 0 && other->cluster == number)
                pairs = pairs || is_pair(f, u, other);
            else if (other->owner > 0 && separation(f, u, other) < 45)
                return false;
        }
        paired += pairs;
    }
    return faint == 0 && (members == 1 || (members <= 3 && paired == members));
}

/* The field's source is centred on the hint: a cluster about it is one source even
 * where its units are too far apart to say so by themselves. */
static bool is_centred(const field *f, const rg_label_hint *hint, int number)
{
    double x, y, brightest = 0, faintest = DBL_MAX;
    rg_label box = { DBL_MAX, DBL_MAX, -DBL_MAX, -DBL_MAX, 0, 0 };
    int members = 0;
    if (rg_sky_to_pixel(f->image->sky, hint->ra, hint->dec, &x, &y) != 0) return false;
    for (int i = 0; i < f->n; i++) {
        const unit *u = &f->units[i];
        if (u->owner || u->cluster != number) continue;
        include(&box, &u->label);
        brightest = fmax(brightest, u->flux);
        faintest = fmin(faintest, u->flux);
        members++;
    }
    double off = hypot((box.xmin + box.xmax) / 2 - x, (box.ymin + box.ymax) / 2 - y);
    return members >= 2 && members <= 3 && brightest < 10 * faintest &&
           off * f->pixel < 0.15 * diagonal(f, &box) + 3;
}

static void own_cluster(field *f, int number)
{
    for (int i = 0; i < f->n; i++)
        if (f->units[i].owner == 0 && f->units[i].cluster == number)
            f->units[i].owner = f->nsources + 1;
}

static void take_centred(field *f, const rg_label_hint *hint, int number)
{
    for (int i = 0; i < f->n; i++) {
        if (f->units[i].owner || !is_centred(f, hint, f->units[i].cluster)) continue;
        own_cluster(f, f->units[i].cluster);
        add_source(f, RG_LABEL_CENTRED, number, 0);
        return;
    }
}

static void take_clusters(field *f)
{
    for (int i = 0; i < f->n; i++) {
        if (f->units[i].owner || !is_source(f, f->units[i].cluster)) continue;
        own_cluster(f, f->units[i].cluster);
        add_source(f, RG_LABEL_ALONE, -1, 0);
    }
}

/* What cannot be told: every unit, and every cluster as a whole. */
static void ignore_rest(field *f)
{
    for (int i = 0; i < f->n; i++) {
        if (f->units[i].owner) continue;
        int number = f->units[i].cluster, members = 0;
        for (int j = i; j < f->n; j++) {
            unit *u = &f->units[j];
            if (u->owner || u->cluster != number) continue;
            u->owner = f->nsources + 1;
            add_source(f, RG_LABEL_ALONE, -1, RG_CLASS_IGNORE);
            members++;
        }
        if (members < 2) continue;
        for (int j = i; j < f->n; j++) {
            unit *u = &f->units[j];
            if (u->cluster == number && u->owner > f->nsources - members)
                u->owner = f->nsources + 1;
        }
        add_source(f, RG_LABEL_ALONE, -1, RG_CLASS_IGNORE);
    }
}

/* ---- counting, as on a Radio Galaxy Zoo subject ---- */

/* The 3' of the image about x, y, moved inside it; its first pixel is x0, y0 of it. */
static int cut_out(const field *f, double x, double y, rg_image **out, int *x0, int *y0)
{
    const rg_image *image = f->image;
    int longest = image->nx > image->ny ? image->nx : image->ny;
    int side = (int)fmin(longest, fmax(1, round(SUBJECT / f->pixel)));
    int u = (int)lround(x - (side + 1) / 2.0), v = (int)lround(y - (side + 1) / 2.0);
    *x0 = u + side > image->nx ? image->nx - side : u;
    *y0 = v + side > image->ny ? image->ny - side : v;
    if (*x0 < 0) *x0 = 0;
    if (*y0 < 0) *y0 = 0;
    rg_sky *sky;
    RG_TRY(rg_sky_new_window(&sky, image->sky, *x0 + (side + 1) / 2.0,
                             *y0 + (side + 1) / 2.0, side, f->pixel));
    RG_TRY(rg_image_new(out, side, side, sky));
    for (int j = 0; j < side && *y0 + j < image->ny; j++)
        for (int i = 0; i < side && *x0 + i < image->nx; i++)
            (*out)->pixels[(size_t)j * side + i] =
                image->pixels[(size_t)(*y0 + j) * image->nx + *x0 + i];
    return 0;
}

/* The units of the cut-out that overlap those of a source in the field are its own. */
static void pass_on(const field *f, int number, field *subject, int x0, int y0)
{
    int side = subject->image->nx;
    for (int p = 0; p < side * side && subject->map; p++) {
        int x = x0 + p % side, y = y0 + p / side;
        if (subject->map[p] == 0 || x >= f->image->nx || y >= f->image->ny) continue;
        int under = f->map[(size_t)y * f->image->nx + x];
        if (under && f->units[under - 1].owner == number + 1)
            subject->units[subject->map[p] - 1].owner = number + 1;
    }
}

/* The unit under a pixel of the fine grid or beside it; NULL if there is none. */
static const unit *unit_under(const field *f, const rg_sky *grid, int px, int py)
{
    double ra, dec, x, y;
    if (rg_sky_to_world(grid, px + 1, py + 1, &ra, &dec) != 0 ||
        rg_sky_to_pixel(f->image->sky, ra, dec, &x, &y) != 0) return NULL;
    int u = (int)lround(x) - 1, v = (int)lround(y) - 1, nx = f->image->nx;
    for (int j = 0; j < 9; j++) {        /* the pixel itself first */
        int a = u + (j + 1) % 3 - 1, b = v + (j / 3 + 1) % 3 - 1;
        if (a < 0 || b < 0 || a >= nx || b >= f->image->ny) continue;
        int number = f->map[(size_t)b * nx + a];
        if (number) return &f->units[number - 1];
    }
    return NULL;
}

/* Components above `base` [sigma] and their peaks whose brightest pixel is in the
 * source's units. */
static int count(const field *subject, int number, const rg_sky *grid,
                 const float *fine, double base, int *components, int *peaks)
{
    rg_island *islands;
    int n;
    *components = *peaks = 0;
    RG_TRY(rg_island_find(fine, FINE, FINE, base * subject->sigma, RG_ISLAND_STEP,
                          &islands, &n, NULL));
    for (int i = 0; i < n; i++) {
        if (islands[i].npixels < SPECK) continue;
        const unit *under = unit_under(subject, grid, islands[i].px, islands[i].py);
        if (under == NULL || under->owner != number + 1) continue;
        ++*components;
        *peaks += islands[i].peaks;
    }
    free(islands);
    return 0;
}

/* At the levels of the label rule, and whether others would say the same. */
static int count_steadily(const field *subject, int number, const rg_sky *grid,
                          const float *fine, rg_label_source *source)
{
    static const double others[2] = { 0.87, 1.15 };
    RG_TRY(count(subject, number, grid, fine, RG_ISLAND_BASE, &source->components,
                 &source->peaks));
    source->steady = 0;
    for (int i = 0; i < 2; i++) {
        int components, peaks;
        RG_TRY(count(subject, number, grid, fine, others[i] * RG_ISLAND_BASE,
                     &components, &peaks));
        source->steady += rg_label_class(components, peaks)
                          == rg_label_class(source->components, source->peaks);
    }
    return 0;
}

static int count_fine(const field *subject, int number, rg_label_source *source)
{
    rg_sky *grid;
    double middle = (subject->image->nx + 1) / 2.0;
    RG_TRY(rg_sky_new_window(&grid, subject->image->sky, middle, middle, FINE,
                             FINE_PIXEL));
    float *fine = rg_error_alloc(FINE * FINE, sizeof *fine, "a subject's pixels");
    int status = fine ? rg_image_resample(subject->image, grid, FINE, FINE, fine) : -1;
    if (status == 0) status = count_steadily(subject, number, grid, fine, source);
    free(fine);
    rg_sky_free(grid);
    return status;
}

/* Box, components and peaks as they are in the 3' about the source, whose noise is its
 * own; the class unless it was told. */
static int measure(const field *f, int number, rg_label_source *source)
{
    rg_image *image = NULL;
    int x0, y0, told = source->label.class_;
    bool cut;
    RG_TRY(cut_out(f, (source->label.xmin + source->label.xmax) / 2,
                   (source->label.ymin + source->label.ymax) / 2, &image, &x0, &y0));
    field subject = { .image = image, .pixel = f->pixel };
    rg_label_source seen = { .hint = source->hint, .kind = source->kind };
    int status = find_units(&subject);
    if (status == 0) pass_on(f, number, &subject, x0, y0);
    if (status == 0 && gather(&subject, number, &seen, &cut)) {
        status = count_fine(&subject, number, &seen);
        seen.label.xmin += x0;
        seen.label.xmax += x0;
        seen.label.ymin += y0;
        seen.label.ymax += y0;
        seen.label.class_ = told ? told : rg_label_class(seen.components, seen.peaks);
        if (seen.kind == RG_LABEL_ALONE && seen.components > 1)
            seen.kind = RG_LABEL_PAIRED;
        if (told == 0 && (cut || diagonal(f, &seen.label) > SUBJECT))
            seen.label.class_ = RG_CLASS_IGNORE;
        *source = seen;
    } else if (told == 0) source->label.class_ = RG_CLASS_IGNORE;
    free(subject.units);
    free(subject.map);
    rg_image_free(image);
    return status;
}

/* As rgz_train has it (claran label --agreement), (right + 1) / (all + 2) each: the
 * share of labels whose islands people joined too, by what told; of those the share
 * whose class is theirs, where another level gives another class, where none does. */
static double confidence(const rg_label_source *source, int told)
{
    static const double joined[RG_LABEL_KINDS] = {
        [RG_LABEL_LISTED] = 1, [RG_LABEL_EXTENT] = 0.97, [RG_LABEL_CENTRED] = 0.93,
        [RG_LABEL_PAIRED] = 0.86, [RG_LABEL_ALONE] = 0.95
    };
    static const double class_[RG_CLASSES][2] = {
        [1] = { 0.73, 0.96 }, [2] = { 0.67, 0.71 }, [3] = { 0.92, 0.97 },
        [4] = { 0.55, 0.75 }, [5] = { 0.93, 0.91 }, [6] = { 0.91, 0.93 }
    };
    if (source->label.class_ == RG_CLASS_IGNORE) return 0;
    double known = told ? 1 : class_[source->label.class_][source->steady == 2];
    return joined[source->kind] * known;
}

static int measure_all(field *f)
{
    for (int i = 0; i < f->nsources; i++) {
        rg_label_source *s = &f->sources[i];
        const int told = s->label.class_;
        if (told != RG_CLASS_IGNORE || s->hint >= 0) RG_TRY(measure(f, i, s));
        s->label.confidence = confidence(s, told);
    }
    return 0;
}

static int find_sources(field *f, const rg_label_hint *hints, int nhints)
{
    f->sources = rg_error_alloc(2 * (size_t)f->n, sizeof *f->sources, "sources");
    if (f->sources == NULL) return -1;
    for (int i = 0; i < nhints; i++)
        if (hints[i].ncomponents > 0) take_listed(f, &hints[i], i);
    for (int i = 0; i < nhints; i++)
        if (hints[i].ncomponents == 0 && hints[i].extent > 0)
            take_extended(f, &hints[i], i);
    cluster(f);
    for (int i = 0; i < nhints; i++)
        if (hints[i].ncomponents == 0 && !(hints[i].extent > 0))
            take_centred(f, &hints[i], i);
    take_clusters(f);
    ignore_rest(f);
    return measure_all(f);
}

int rg_label_field(const rg_image *image, const rg_label_hint *hints, int nhints,
                   rg_label_source **sources, int *n)
{
    *sources = NULL;
    *n = 0;
    if (image->sky == NULL)
        return RG_FAIL("%s: cannot be labelled: %s", image->name, image->sky_problem);
    field f = { .image = image, .pixel = rg_sky_pixel_arcsec(image->sky) };
    int status = find_units(&f);
    if (status == 0) status = find_sources(&f, hints, nhints);
    free(f.units);
    free(f.map);
    if (status == 0) {
        *sources = f.sources;
        *n = f.nsources;
    } else free(f.sources);
    return status;
}

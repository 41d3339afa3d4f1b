/* SPDX-License-Identifier: MIT */
#include "regions/catalogue.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/engine/error.h"

/* ---- the columns ---- */

typedef struct row {
    const rg_source *source;
    const rg_provenance *from;
} row;

/* A column of every format: its value is the double or int `at` in rg_source, or what
 * one of the functions says. */
typedef struct column {
    const char *name, *unit, *ucd, *about;
    const char *format;       /* of a real */
    size_t at;
    rg_ledger_kind kind;
    const char *(*text)(const row *r, char room[32]);
    double (*real)(const row *r);
} column;

static const char *name_of(const row *r, char room[32])
{
    rg_catalogue_name(r->source, room);
    return room;
}

static const char *class_of(const row *r, char room[32])
{
    (void)room;
    return rg_boxes_class_name[r->source->box.class_];
}

static const char *second_of(const row *r, char room[32])
{
    (void)room;
    return r->source->box.second > 0 ? rg_boxes_class_name[r->source->box.second] : "";
}

static const char *file_of(const row *r, char room[32])
{
    (void)room;
    return r->from->file;
}

static const char *unit_of(const row *r, char room[32])
{
    (void)room;
    return r->from->unit;
}

static const char *checksum_of(const row *r, char room[32])
{
    snprintf(room, 32, "%08x", r->from->checksum);
    return room;
}

static bool is_measured(const rg_source *s)
{
    return isfinite(s->ra) && isfinite(s->dec);
}

static double ra_of(const row *r)
{
    return is_measured(r->source) ? r->source->ra : r->source->box.ra;
}

static double dec_of(const row *r)
{
    return is_measured(r->source) ? r->source->dec : r->source->box.dec;
}

static double probability_of(const row *r)
{
    return (double)r->source->box.probability;
}

static double second_probability_of(const row *r)
{
    return r->source->box.second > 0 ? (double)r->source->box.second_probability : NAN;
}

#define DEGREES "%.7f"
#define ARCSEC "%.3f"
#define PIXELS "%.3f"
#define FLUX "%.6g"
#define SHARE "%.6f"
#define AT(member) .at = offsetof(rg_source, member), .kind = RG_LEDGER_REAL
#define COUNT(member) .at = offsetof(rg_source, member), .kind = RG_LEDGER_WHOLE
#define BY(function) .real = function, .kind = RG_LEDGER_REAL
#define SAID(function) .text = function, .kind = RG_LEDGER_TEXT
#define HOST(number, prefix, word)                                                     \
    { prefix "ra", "deg", "pos.eq.ra;em.IR.3-4um", word " candidate, ICRS", DEGREES,   \
      AT(host[number].ra) },                                                           \
    { prefix "dec", "deg", "pos.eq.dec;em.IR.3-4um", word " candidate, ICRS", DEGREES, \
      AT(host[number].dec) },                                                          \
    { prefix "position_error", "arcsec", "stat.error;pos.eq;em.IR.3-4um",              \
      "1 sigma, of the position of the " word " candidate", ARCSEC,                    \
      AT(host[number].position_error) },                                               \
    { prefix "flux", "", "phot.count;em.IR.3-4um",                                     \
      "in the infrared image's unit", FLUX, AT(host[number].flux) },                   \
    { prefix "snr", "", "stat.snr;em.IR.3-4um", "signal to noise of " prefix "flux",   \
      FLUX, AT(host[number].snr) },                                                    \
    { prefix "probability", "", "stat.probability",                                    \
      "that the " word " candidate is the host", SHARE, AT(host[number].probability) }

static const column columns[] = {
    { "name", "", "meta.id;meta.main", "from the position, truncated", SAID(name_of) },
    { "RA", "deg", "pos.eq.ra;meta.main",
      "ICRS, flux-weighted centre; nothing to be measured: of the box", DEGREES,
      BY(ra_of) },
    { "DEC", "deg", "pos.eq.dec;meta.main", "ICRS, as RA", DEGREES, BY(dec_of) },
    { "xmin", "pix", "pos.cartesian.x;stat.min",
      "box, FITS pixels of the image, 1-based, pixel edges", PIXELS, AT(box.xmin) },
    { "ymin", "pix", "pos.cartesian.y;stat.min", "as xmin", PIXELS, AT(box.ymin) },
    { "xmax", "pix", "pos.cartesian.x;stat.max", "as xmin", PIXELS, AT(box.xmax) },
    { "ymax", "pix", "pos.cartesian.y;stat.max", "as xmin", PIXELS, AT(box.ymax) },
    { "class", "", "src.class",
      "components (C) and peaks (P) it is resolved in, says the network or the user",
      SAID(class_of) },
    { "probability", "", "stat.probability;src.class", "of class; none: by hand",
      SHARE, BY(probability_of) },
    { "second_class", "", "src.class", "runner-up on the same source",
      SAID(second_of) },
    { "second_probability", "", "stat.probability;src.class", "of second_class", SHARE,
      BY(second_probability_of) },
    { "RA_error", "arcsec", "stat.error;pos.eq.ra", "1 sigma, times cos DEC", ARCSEC,
      AT(ra_error) },
    { "DEC_error", "arcsec", "stat.error;pos.eq.dec", "1 sigma", ARCSEC,
      AT(dec_error) },
    { "box_ra", "deg", "pos.eq.ra", "centre of the box, ICRS", DEGREES, AT(box.ra) },
    { "box_dec", "deg", "pos.eq.dec", "centre of the box, ICRS", DEGREES, AT(box.dec) },
    { "box_width", "arcsec", "phys.angSize", "of the box", ARCSEC, AT(box.width) },
    { "box_height", "arcsec", "phys.angSize", "of the box", ARCSEC, AT(box.height) },
    { "box_angle", "deg", "pos.posAng", "of the box's height axis, N through E",
      ARCSEC, AT(box.angle) },
    { "tight_xmin", "pix", "pos.cartesian.x;stat.min", "box of the contours, as xmin",
      PIXELS, AT(tight[0]) },
    { "tight_ymin", "pix", "pos.cartesian.y;stat.min", "as tight_xmin", PIXELS,
      AT(tight[1]) },
    { "tight_xmax", "pix", "pos.cartesian.x;stat.max", "as tight_xmin", PIXELS,
      AT(tight[2]) },
    { "tight_ymax", "pix", "pos.cartesian.y;stat.max", "as tight_xmin", PIXELS,
      AT(tight[3]) },
    { "components", "", "meta.number", "measured, by Radio Galaxy Zoo's arithmetic", "",
      COUNT(components) },
    { "peaks", "", "meta.number", "measured, by Radio Galaxy Zoo's arithmetic", "",
      COUNT(peaks) },
    { "islands", "", "meta.number", "above the contour level in the box", "",
      COUNT(islands) },
    { "flux", "mJy", "phot.flux.density;em.radio", "integrated flux density", FLUX,
      AT(flux) },
    { "flux_error", "mJy", "stat.error;phot.flux.density;em.radio", "1 sigma", FLUX,
      AT(flux_error) },
    { "peak_flux", "mJy/beam", "phot.flux.density;stat.max;em.radio", "brightest pixel",
      FLUX, AT(peak) },
    { "peak_flux_error", "mJy/beam", "stat.error;phot.flux.density;em.radio", "1 sigma",
      FLUX, AT(peak_error) },
    { "rms", "mJy/beam", "instr.det.noise", "local noise", FLUX, AT(rms) },
    { "background", "mJy/beam", "instr.background", "local background", FLUX,
      AT(background) },
    { "size", "arcsec", "phys.angSize", "largest angular size", ARCSEC, AT(size) },
    { "size_error", "arcsec", "stat.error;phys.angSize", "1 sigma", ARCSEC,
      AT(size_error) },
    { "pa", "deg", "pos.posAng", "position angle of size, N through E", ARCSEC,
      AT(pa) },
    HOST(0, "host_", "best"),
    HOST(1, "host2_", "second"),
    { "no_host_probability", "", "stat.probability",
      "that no candidate is the host; none: no infrared image", SHARE, AT(no_host) },
    { "flags", "", "meta.code",
      "sum of 1 by hand, 2 box edited, 4 at the edge (flux is a lower limit), 8 blank "
      "pixels, 16 components or peaks are not the class's, 32 faint, 64 beam assumed, "
      "128 not in Jy/beam, 256 crowded, 512 no host", "", COUNT(flags) },
    { "image_unit", "", "meta.unit", "BUNIT; fluxes are in it where it is not Jy/beam",
      SAID(unit_of) },
    { "file", "", "meta.id;meta.file", "the image; %XX as in URIs", SAID(file_of) },
    { "checksum", "", "meta.checksum", "CRC-32 of the image's pixels as floats",
      SAID(checksum_of) },
};

static int fill(const column *c, const row *r, rg_ledger_column *to, int i)
{
    const char *at = (const char *)r->source + c->at;
    char room[32];
    if (c->kind == RG_LEDGER_TEXT) return rg_ledger_put(to, i, c->text(r, room));
    if (c->kind == RG_LEDGER_WHOLE) to->cell.whole[i] = *(const int *)at;
    else to->cell.real[i] = c->real ? c->real(r) : *(const double *)at;
    return 0;
}

static int add_column(const rg_catalogue *catalogue, const column *c, rg_ledger *ledger)
{
    rg_ledger_column *to = rg_ledger_add(ledger, c->name, c->kind);
    if (to == NULL) return -1;
    RG_TRY(rg_ledger_describe(to, c->unit, c->ucd, c->about));
    if (c->kind == RG_LEDGER_REAL) to->format = c->format;
    for (int i = 0; i < catalogue->n; i++) {
        row r = { &catalogue->sources[i], &catalogue->from[catalogue->image[i]] };
        RG_TRY(fill(c, &r, to, i));
    }
    return 0;
}

static int add_facts(const rg_catalogue *c, rg_ledger *to)
{
    static const rg_provenance none;
    const rg_provenance *from = c->images > 0 ? c->from : &none;
    char area[32];
    snprintf(area, sizeof area, "%.6f", rg_moc_area(c->area));
    const struct { const char *name, *ucd, *about, *value; } facts[] = {
        { "creator", "meta.id;meta.software", "program and version",
          "claran " RG_VERSION },
        { "detector", "meta.version", "version that detected", from->version },
        { "model", "meta.id;meta.file", "file of the network's weights",
          from->weights },
        { "model_hash", "meta.checksum", "of the network's weights", from->model },
        { "method", "meta.code", "what the network was shown", from->method },
        { "options", "meta.note", "of the program", c->options },
        { "area", "phys.angArea", "searched, square degrees", area },
        { "time", "time.creation", "when this was made, UTC", c->time },
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        RG_TRY(rg_ledger_state(to, facts[i].name, facts[i].ucd, facts[i].about,
                               facts[i].value));
    return 0;
}

int rg_catalogue_ledger(const rg_catalogue *catalogue, rg_ledger **out)
{
    RG_TRY(rg_ledger_new(out, catalogue->n));
    int status = add_facts(catalogue, *out);
    for (size_t i = 0; status == 0 && i < sizeof columns / sizeof *columns; i++)
        status = add_column(catalogue, &columns[i], *out);
    if (status != 0) rg_ledger_free(*out);
    return status;
}

/* ---- what it is made of ---- */

void rg_catalogue_name(const rg_source *source, char name[RG_NAME_SIZE])
{
    const row r = { .source = source };
    rg_name_format(ra_of(&r), dec_of(&r), name);
}

void rg_catalogue_unmeasured(const rg_detection *box, rg_source *source)
{
    const rg_candidate none = { NAN, NAN, NAN, NAN, NAN, NAN };
    *source = (rg_source){
        .box = *box, .ra = NAN, .dec = NAN, .ra_error = NAN, .dec_error = NAN,
        .rms = NAN, .background = NAN, .peak = NAN, .peak_error = NAN, .flux = NAN,
        .flux_error = NAN, .size = NAN, .size_error = NAN, .pa = NAN,
        .tight = { NAN, NAN, NAN, NAN }, .host = { none, none }, .no_host = NAN,
    };
}

int rg_catalogue_options(rg_catalogue *c, const char *options)
{
    char *copy = strdup(options);
    if (copy == NULL) return RG_FAIL("out of memory for a catalogue");
    free(c->options);
    c->options = copy;
    return 0;
}

int rg_catalogue_new(rg_catalogue **out, const char *options)
{
    time_t now = time(NULL);
    struct tm utc;
    rg_catalogue *c = *out = rg_error_alloc(1, sizeof *c, "a catalogue");
    if (c == NULL) return -1;
    strftime(c->time, sizeof c->time, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    if (rg_catalogue_options(c, options) == 0
        && rg_moc_new(&c->area, NULL, NULL) == 0) return 0;
    rg_catalogue_free(c);
    *out = NULL;
    return -1;
}

void rg_catalogue_free(rg_catalogue *catalogue)
{
    if (catalogue == NULL) return;
    rg_moc_free(catalogue->area);
    free(catalogue->sources);
    free(catalogue->image);
    free(catalogue->from);
    free(catalogue->options);
    free(catalogue);
}

static int make_room(void **array, int n, size_t size)
{
    void *more = realloc(*array, (n ? (size_t)n : 1) * size);
    if (more == NULL) return RG_FAIL("out of memory for %d sources", n);
    *array = more;
    return 0;
}

int rg_catalogue_add(rg_catalogue *c, const rg_source *sources, int n,
                     const rg_provenance *from, const rg_moc *area)
{
    RG_TRY(make_room((void **)&c->sources, c->n + n, sizeof *c->sources));
    RG_TRY(make_room((void **)&c->image, c->n + n, sizeof *c->image));
    RG_TRY(make_room((void **)&c->from, c->images + 1, sizeof *c->from));
    RG_TRY(rg_moc_join(c->area, area));
    c->from[c->images] = *from;
    for (int i = 0; i < n; i++, c->n++) {
        c->sources[c->n] = sources[i];
        c->image[c->n] = c->images;
    }
    c->images++;
    return 0;
}

/* ---- regions ---- */

/* "# flux=3.1 rms=0.15 ...": all that a box does not say; DS9 passes comments over. */
static void write_notes(const rg_ledger *ledger, int i, FILE *to)
{
    char room[RG_LEDGER_ROOM];
    fputs("# ClaRAN:", to);
    for (int k = 0; k < ledger->ncolumns; k++)
        fprintf(to, " %s=%s", ledger->columns[k].name,
                rg_ledger_text(&ledger->columns[k], i, room));
    fputc('\n', to);
}

static void write_regions(const rg_catalogue *c, const rg_ledger *ledger, FILE *to)
{
    rg_region_header(to);
    for (int i = 0; i < ledger->nfacts; i++)
        fprintf(to, "# ClaRAN: %s=%s\n", ledger->facts[i].name,
                ledger->facts[i].value);
    for (int i = 0; i < c->n; i++) {
        write_notes(ledger, i, to);
        rg_region_print(to, &c->sources[i].box, c->sources[i].flags,
                        &c->from[c->image[i]]);
    }
}

int rg_catalogue_write(const rg_catalogue *catalogue, const rg_format *format, FILE *to)
{
    rg_ledger *ledger;
    if (format == &rg_format_moc) return rg_moc_write(catalogue->area, to);
    RG_TRY(rg_catalogue_ledger(catalogue, &ledger));
    int status = 0;
    if (format == &rg_format_region) write_regions(catalogue, ledger, to);
    else status = format->write(ledger, to);
    rg_ledger_free(ledger);
    if (status == 0 && ferror(to)) return RG_FAIL("out of memory for a catalogue");
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "regions/match.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/engine/error.h"
#include "core/image/sky.h"

#define DEGREE (M_PI / 180)

typedef struct place { double ra, dec; int row; } place;

typedef struct positions {
    place *at;                /* owned, by declination; rows with a position */
    int n;
} positions;

typedef struct found { int row, matches, best; double separation, angle; } found;

/* ---- positions ---- */

static const rg_ledger_column *find_column(const rg_ledger *table, const char *ucd,
                                           const char *const *names, int n)
{
    for (int exact = 1; exact >= 0; exact--)
        for (int i = 0; i < table->ncolumns; i++) {
            const rg_ledger_column *c = &table->columns[i];
            bool is_main = strcasestr(c->ucd, ";meta.main") != NULL;
            if (strncasecmp(c->ucd, ucd, strlen(ucd)) == 0 && is_main == exact
                && c->kind != RG_LEDGER_TEXT) return c;
        }
    for (int i = 0; i < n; i++) {
        const rg_ledger_column *c = rg_ledger_find(table, names[i]);
        if (c != NULL) return c;
    }
    return NULL;
}

static const rg_ledger_column *position_column(const rg_ledger *table,
                                               const char *given, bool is_dec)
{
    static const char *const names[2][9] = {
        { "ra", "ra_deg", "_RAJ2000", "RAJ2000", "RA_ICRS", "ALPHA_J2000", "radeg",
          "right_ascension", "cpnts_ras" },
        { "dec", "dec_deg", "_DEJ2000", "DEJ2000", "DE_ICRS", "DELTA_J2000", "decdeg",
          "declination", "cpnts_decs" },
    };
    static const char *const ucds[] = { "pos.eq.ra", "pos.eq.dec" };
    if (given != NULL) return rg_ledger_find(table, given);
    return find_column(table, ucds[is_dec], names[is_dec], 9);
}

/* Without a unit, as in CSV, it is believed to be in degrees. */
static int check_unit(const rg_ledger_column *c)
{
    static const char *const degrees[] = { "", "deg", "degs", "degree", "degrees",
                                           "decimal degrees", "arcdeg", "\u00b0" };
    for (size_t i = 0; i < sizeof degrees / sizeof *degrees; i++)
        if (strcasecmp(c->unit, degrees[i]) == 0) return 0;
    return RG_FAIL("column %s is in \"%s\", not in degrees as positions must be: "
                   "convert it, or name one in degrees", c->name, c->unit);
}

/* The mean of "10.1;10.2", where angles wrap at 360 of what is nearest the first; NaN
 * where that is not what the text is. */
static double middle(const char *text)
{
    double first = NAN, sum = 0;
    int n = 0;
    if (text == NULL) return NAN;
    for (const char *at = text; at != NULL; n++) {
        char *end;
        const double value = strtod(at, &end);
        if (end == at || (*end != ';' && *end != '\0')) return NAN;
        if (n == 0) first = value;
        sum += remainder(value - first, 360);
        at = *end == ';' ? end + 1 : NULL;
    }
    const double mean = first + sum / n;
    return mean > 360 ? mean - 360 : mean;
}

/* Degrees in a row, NaN where there is nothing; a text that is none is a sentence. */
static int number(const rg_ledger_column *c, int row, double *value)
{
    *value = NAN;
    if (c->kind == RG_LEDGER_REAL) *value = c->cell.real[row];
    else if (c->kind == RG_LEDGER_TEXT) {
        const char *text = c->cell.text[row];
        *value = middle(text);
        if (text != NULL && *text != '\0' && isnan(*value))
            return RG_FAIL("row %d: column %s holds \"%.40s\", which is no angle in "
                           "degrees, nor several with ; between them", row + 1, c->name,
                           text);
    } else if (c->cell.whole[row] != RG_LEDGER_NONE) {
        *value = (double)c->cell.whole[row];
    }
    return 0;
}

static int by_dec(const void *a, const void *b)
{
    const place *p = a, *q = b;
    return p->dec != q->dec ? (p->dec > q->dec) - (p->dec < q->dec) : p->row - q->row;
}

static int locate(const rg_ledger *table, const char *ra, const char *dec,
                  positions *p)
{
    const rg_ledger_column *x = position_column(table, ra, false);
    const rg_ledger_column *y = position_column(table, dec, true);
    if (x == NULL || y == NULL)
        return RG_FAIL("no column has the %s in degrees, by UCD, by a usual name or by "
                       "the name given", x ? "declination" : "right ascension");
    RG_TRY(check_unit(x));
    RG_TRY(check_unit(y));
    p->at = rg_error_alloc((unsigned long)table->rows, sizeof *p->at, "positions");
    if (p->at == NULL) return -1;
    for (int i = 0; i < table->rows; i++) {
        place at = { .row = i };
        RG_TRY(number(x, i, &at.ra));
        RG_TRY(number(y, i, &at.dec));
        if (!(isfinite(at.ra) && isfinite(at.dec))) continue;
        if (!(fabs(at.ra) <= 360 && fabs(at.dec) <= 90))
            return RG_FAIL("row %d: %g, %g is no position in degrees", i + 1, at.ra,
                           at.dec);
        p->at[p->n++] = at;
    }
    qsort(p->at, (size_t)p->n, sizeof *p->at, by_dec);
    return 0;
}

/* ---- neighbours ---- */

static int first_from(const positions *p, double dec)
{
    int low = 0, high = p->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (p->at[middle].dec < dec) low = middle + 1;
        else high = middle;
    }
    return low;
}

static double angle_to(place a, place b)
{
    double turn = (b.ra - a.ra) * DEGREE, d1 = a.dec * DEGREE, d2 = b.dec * DEGREE;
    double angle = atan2(sin(turn) * cos(d2), cos(d1) * sin(d2)
                         - sin(d1) * cos(d2) * cos(turn)) / DEGREE;
    return angle < 0 ? angle + 360 : angle;
}

static found nearest(const positions *p, place at, double radius)
{
    found best = { .row = -1, .separation = radius };
    const double reach = radius / 3600 * (1 + 1e-9);
    for (int i = first_from(p, at.dec - reach); i < p->n; i++) {
        if (!(p->at[i].dec <= at.dec + reach)) break;
        double apart = rg_sky_separation(at.ra, at.dec, p->at[i].ra, p->at[i].dec);
        if (!(apart <= radius)) continue;
        best.matches++;
        if (best.row >= 0 && !(apart < best.separation)) continue;
        best.row = p->at[i].row;
        best.separation = apart;
        best.angle = angle_to(at, p->at[i]);
    }
    return best;
}

/* Of the sources that share a nearest row, the nearest to it is the best. */
static int choose(found *all, int n, int rows)
{
    int *owner = rg_error_alloc((unsigned long)rows, sizeof *owner, "matches");
    if (owner == NULL) return -1;
    for (int i = 0; i < rows; i++) owner[i] = -1;
    for (int i = 0; i < n; i++) {
        if (all[i].row < 0) continue;
        int *mine = &owner[all[i].row];
        if (*mine < 0 || all[i].separation < all[*mine].separation) *mine = i;
    }
    for (int i = 0; i < n; i++)
        all[i].best = all[i].row >= 0 && owner[all[i].row] == i;
    free(owner);
    return 0;
}

/* ---- the joined table ---- */

/* A column of `from`, of its rows rows[i] (NULL: all in turn; -1: no value). */
static int copy_column(const rg_ledger_column *from, const found *rows, rg_ledger *to)
{
    rg_ledger_column *made = rg_ledger_append(to, from->name, from->kind);
    if (made == NULL) return -1;
    made->format = from->format;
    const char *main_ = rows ? strstr(from->ucd, ";meta.main") : NULL;
    char ucd[128];
    snprintf(ucd, sizeof ucd, "%.*s",
             (int)(main_ ? (size_t)(main_ - from->ucd) : strlen(from->ucd)), from->ucd);
    RG_TRY(rg_ledger_describe(made, from->unit, ucd, from->about));
    for (int i = 0; i < to->rows; i++) {
        int k = rows ? rows[i].row : i;
        if (k < 0) continue;
        if (from->kind == RG_LEDGER_REAL) made->cell.real[i] = from->cell.real[k];
        else if (from->kind == RG_LEDGER_WHOLE)
            made->cell.whole[i] = from->cell.whole[k];
        else if (from->cell.text[k] != NULL)
            RG_TRY(rg_ledger_keep(made, i, from->cell.text[k]));
    }
    return 0;
}

static int add_results(const found *all, rg_ledger *to)
{
    static const struct { const char *name, *unit, *ucd, *about; } added[] = {
        { "matches", "", "meta.number", "rows of the other table within the radius" },
        { "separation", "arcsec", "pos.angDistance", "of the nearest of them" },
        { "position_angle", "deg", "pos.posAng", "towards it, N through E" },
        { "match_row", "", "meta.id.cross", "which row it is, from 1" },
        { "best", "", "meta.code", "1: it has no nearer source than this one" },
    };
    for (int k = 0; k < RG_MATCH_COLUMNS; k++) {
        bool real = k == RG_MATCH_SEPARATION || k == RG_MATCH_ANGLE;
        rg_ledger_column *c = rg_ledger_append(to, added[k].name,
                                               real ? RG_LEDGER_REAL : RG_LEDGER_WHOLE);
        if (c == NULL) return -1;
        RG_TRY(rg_ledger_describe(c, added[k].unit, added[k].ucd, added[k].about));
        if (real) c->format = "%.3f";
        for (int i = 0; i < to->rows; i++) {
            const found *f = &all[i];
            if (k == RG_MATCH_MATCHES) c->cell.whole[i] = f->matches;
            else if (f->row < 0) continue;
            else if (k == RG_MATCH_SEPARATION) c->cell.real[i] = f->separation;
            else if (k == RG_MATCH_ANGLE) c->cell.real[i] = f->angle;
            else c->cell.whole[i] = k == RG_MATCH_BEST ? f->best : f->row + 1;
        }
    }
    return 0;
}

static int join(const rg_ledger *sources, const rg_ledger *others, const found *all,
                rg_ledger *to)
{
    for (int i = 0; i < sources->ncolumns; i++)
        RG_TRY(copy_column(&sources->columns[i], NULL, to));
    RG_TRY(add_results(all, to));
    for (int i = 0; i < others->ncolumns; i++)
        RG_TRY(copy_column(&others->columns[i], all, to));
    return 0;
}

static const char *name_of(const rg_matching *how, int table)
{
    if (how->names[table] != NULL) return how->names[table];
    return table ? "the second table" : "the first table";
}

static int match(const rg_ledger *sources, const rg_ledger *others,
                 const rg_matching *how, positions p[2], found *all)
{
    if (locate(sources, NULL, NULL, &p[0]) != 0)
        return rg_error_prefix("%s: ", name_of(how, 0));
    if (locate(others, how->ra, how->dec, &p[1]) != 0)
        return rg_error_prefix("%s (--ra and --dec name its columns): ",
                               name_of(how, 1));
    for (int i = 0; i < sources->rows; i++) all[i].row = -1;
    for (int i = 0; i < p[0].n; i++)
        all[p[0].at[i].row] = nearest(&p[1], p[0].at[i], how->radius);
    return choose(all, sources->rows, others->rows);
}

int rg_match(const rg_ledger *sources, const rg_ledger *others, const rg_matching *how,
             rg_ledger **joined, int *matched)
{
    positions p[2] = { { .n = 0 }, { .n = 0 } };
    found *all = rg_error_alloc((unsigned long)sources->rows, sizeof *all, "matches");
    *joined = NULL;
    int status = all ? match(sources, others, how, p, all) : -1;
    if (status == 0) status = rg_ledger_new(joined, sources->rows);
    if (status == 0) status = join(sources, others, all, *joined);
    *matched = 0;
    for (int i = 0; status == 0 && i < sources->rows; i++) *matched += all[i].row >= 0;
    free(p[0].at);
    free(p[1].at);
    free(all);
    if (status == 0) return 0;
    rg_ledger_free(*joined);
    *joined = NULL;
    return -1;
}

/* SPDX-License-Identifier: MIT */
#include "core/evaluation/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/evaluation/bootstrap.h"
#include "core/evaluation/reliability.h"

enum { SIX = RG_CLASSES - 1, SCHEMES = 3 };

/* What is known of a field. */
typedef struct tally { int sources, shown, right; } tally;

/* All that does not change with the sample of fields, and the sample. */
typedef struct basis {
    const rg_evaluation *e;
    const rg_report_options *how;
    rg_ranking six, components;          /* all detections; owned, as what follows */
    rg_ranking single, single_components;
    rg_ranking shown, any;               /* six classes, and whatever the class */
    tally *field;             /* [fields] */
    bool *found, *named;      /* [truths] by a shown detection, with its class */
    int *several;             /* [fields] times, 0 where there is no second source */
    bool counts[SCHEMES][RG_CLASSES];    /* in the means, as of the list itself */
    const int *times;         /* [fields] of the sample; borrowed */
    bool trial;               /* the sample is not the list itself */
    rg_table *table;          /* [RG_REPORT_TABLES] to be filled; borrowed */
} basis;

static void basis_clear(basis *b)
{
    rg_evaluate_clear(&b->six);
    rg_evaluate_clear(&b->components);
    rg_evaluate_clear(&b->single);
    rg_evaluate_clear(&b->single_components);
    rg_evaluate_clear(&b->shown);
    rg_evaluate_clear(&b->any);
    free(b->field);
    free(b->found);
    free(b->named);
    free(b->several);
}

static int rank_all(basis *b)
{
    const rg_evaluation *e = b->e;
    const double iou = b->how->iou;
    const rg_scheme three = RG_SCHEME_COMPONENTS;
    RG_TRY(rg_evaluate_rank(e, RG_FOUND_ALL, RG_SCHEME_SIX, iou, &b->six));
    RG_TRY(rg_evaluate_rank(e, RG_FOUND_ALL, three, iou, &b->components));
    RG_TRY(rg_evaluate_rank(e, RG_FOUND_SINGLE, RG_SCHEME_SIX, iou, &b->single));
    RG_TRY(rg_evaluate_rank(e, RG_FOUND_SINGLE, three, iou, &b->single_components));
    RG_TRY(rg_evaluate_rank(e, RG_FOUND_SHOWN, RG_SCHEME_SIX, iou, &b->shown));
    return rg_evaluate_rank(e, RG_FOUND_SHOWN, RG_SCHEME_ANY, iou, &b->any);
}

/* `shown` and `any` hold the same detections in the same order. */
static int count_all(basis *b)
{
    const unsigned long fields = (unsigned long)b->e->fields;
    const unsigned long truths = (unsigned long)b->e->truths.n;
    b->field = rg_error_alloc(fields, sizeof *b->field, "fields");
    b->several = rg_error_alloc(fields, sizeof *b->several, "fields");
    b->found = rg_error_alloc(truths, sizeof *b->found, "labels");
    b->named = rg_error_alloc(truths, sizeof *b->named, "labels");
    if (!b->field || !b->several || !b->found || !b->named) return -1;
    for (int t = 0; t < b->e->truths.n; t++)
        b->field[b->e->truths.item[t].field].sources += b->e->truths.item[t].class_ > 0;
    for (int i = 0; i < b->shown.n; i++) {
        const rg_judged *one = &b->shown.item[i];
        b->field[one->entry->field].shown += one->is != RG_NEITHER;
        b->field[one->entry->field].right += one->is == RG_RIGHT;
        if (one->truth >= 0) b->named[one->truth] = true;
        if (b->any.item[i].truth >= 0) b->found[b->any.item[i].truth] = true;
    }
    return 0;
}

static double percent(double part, double all)
{
    return all > 0 ? 100 * part / all : NAN;
}

/* ---- Tables 5, 6, 7 ---- */

enum { SOURCES, DETECTIONS, AP, VOC, SINGLE, PRECISIONS };
static const rg_column precision_columns[] = {
    { "sources", "sources", "", 0, false },
    { "detections", "detections", "", 0, false },
    { "ap", "AP", "%", 1, true },
    { "ap_voc", "AP_VOC", "%", 1, true },
    { "ap_single", "AP_single", "%", 1, true },
};

static void put_average(rg_table *t, int row, double ap, double voc)
{
    t->cell[row][AP].value = 100 * ap;
    t->cell[row][VOC].value = 100 * voc;
}

static void fill_classes(rg_table *t, rg_scheme scheme, const rg_scores *s)
{
    int truths = 0, detections = 0;
    for (int c = 1; c <= rg_evaluate_classes(scheme); c++) {
        const bool six = scheme == RG_SCHEME_SIX;
        int row = six ? rg_table_row(t, "%s", rg_boxes_class_name[c])
                      : rg_table_row(t, "%dC", c);
        t->cell[row][SOURCES].value = s->truths[c];
        t->cell[row][DETECTIONS].value = s->detections[c];
        put_average(t, row, s->ap[c], s->voc[c]);
        truths += s->truths[c];
        detections += s->detections[c];
    }
    int row = rg_table_row(t, "mean");
    t->cell[row][SOURCES].value = truths;
    t->cell[row][DETECTIONS].value = detections;
    put_average(t, row, s->map, s->map_voc);
}

/* One of the tables: of rankings of all detections and of one a source. */
static void fill_precision(basis *b, rg_report_table which, const rg_ranking *all,
                           const rg_ranking *single, const int *times, rg_scores *s)
{
    static const char *const key[] = { "average_precision", "components", "multiple" };
    static const char *const title[] = {
        "Average precision", "Average precision by the number of components",
        "The same in fields with two sources or more"
    };
    rg_table *t = &b->table[which];
    rg_scores one;
    rg_table_init(t, key[which], title[which], "class", precision_columns, PRECISIONS);
    rg_evaluate_average(b->e, all, times, b->how->least,
                        b->trial ? b->counts[which] : NULL, s);
    if (!b->trial) memcpy(b->counts[which], s->counts, sizeof s->counts);
    rg_evaluate_average(b->e, single, times, 0, b->counts[which], &one);
    fill_classes(t, all->scheme, s);
    for (int r = 0; r < t->nrows - 1; r++)
        t->cell[r][SINGLE].value = 100 * one.ap[r + 1];
    t->cell[t->nrows - 1][SINGLE].value = 100 * one.map;
}

static void fill_six(basis *b)
{
    rg_scores s;
    fill_precision(b, RG_REPORT_PRECISION, &b->six, &b->single, b->times, &s);
    rg_table *t = &b->table[RG_REPORT_PRECISION];
    snprintf(t->note, sizeof t->note, "AP by Eq. 12, AP_VOC the area under the "
             "envelope (PASCAL VOC 2010), of every class's detections (Table 5); "
             "AP_single by Eq. 12 of one label per source at any P. A hit has IoU > %g "
             "with a source of its class that is not taken; means over the %d classes "
             "with at least %d sources.",
             b->how->iou, s.classes, b->how->least);
}

static void fill_components(basis *b)
{
    rg_scores s;
    fill_precision(b, RG_REPORT_COMPONENTS, &b->components, &b->single_components,
                   b->times, &s);
    rg_table *t = &b->table[RG_REPORT_COMPONENTS];
    snprintf(t->note, sizeof t->note, "Labels and detections renamed to three classes "
             "(Table 6): a second name of the same source, such as 1C_2P behind 1C_1P, "
             "is then a false detection, but for AP_single. Means over %d classes.",
             s.classes);
}

static void fill_multiple(basis *b)
{
    rg_scores s;
    int fields = 0;
    for (int f = 0; f < b->e->fields; f++) {
        const int often = b->times ? b->times[f] : 1;
        b->several[f] = b->field[f].sources >= 2 ? often : 0;
        fields += b->several[f];
    }
    fill_precision(b, RG_REPORT_MULTIPLE, &b->components, &b->single_components,
                   b->several, &s);
    rg_table *t = &b->table[RG_REPORT_MULTIPLE];
    snprintf(t->note, sizeof t->note, "Of the %d fields with two labelled sources or "
             "more (Table 7). Means over the %d classes with at least %d sources.",
             fields, s.classes, b->how->least);
}

/* ---- Table 8 ---- */

typedef struct moments { double n, x, y, xx, yy, xy, ratio; } moments;

static void add_moments(moments *m, double x, double y, double times)
{
    m->n += times;
    m->x += times * x;
    m->y += times * y;
    m->xx += times * x * x;
    m->yy += times * y * y;
    m->xy += times * x * y;
    m->ratio += times * log(y / x);
}

/* Pearson's; NaN of fewer than three. */
static double correlation(const moments *m)
{
    const double xx = m->n * m->xx - m->x * m->x, yy = m->n * m->yy - m->y * m->y;
    if (m->n < 3 || !(xx > 0) || !(yy > 0)) return NAN;
    return (m->n * m->xy - m->x * m->y) / sqrt(xx * yy);
}

static void put_moments(rg_table *t, const char *name, const moments *m)
{
    const int row = rg_table_row(t, "%s", name);
    t->cell[row][0].value = m->n;
    t->cell[row][1].value = m->n > 0 ? m->x / m->n : NAN;
    t->cell[row][2].value = correlation(m);
    t->cell[row][3].value = m->n > 0 ? exp(m->ratio / m->n) : NAN;
}

static void fill_sizes(basis *b)
{
    static const rg_column columns[] = {
        { "hits", "hits", "", 0, false },
        { "true_size", "true size", "arcsec", 1, false },
        { "correlation", "correlation", "", 3, true },
        { "ratio", "found/true", "", 3, true },
    };
    rg_table *t = &b->table[RG_REPORT_SIZES];
    moments of[RG_CLASSES] = { { .n = 0 } };    /* [0]: all */
    rg_table_init(t, "sizes", "Sizes of boxes, found and true", "class", columns, 4);
    for (int i = 0; i < b->six.n; i++) {
        const rg_judged *one = &b->six.item[i];
        if (one->is != RG_RIGHT) continue;
        const double x = b->e->truths.item[one->truth].size, y = one->entry->size;
        const double often = b->times ? b->times[one->entry->field] : 1;
        add_moments(&of[0], x, y, often);
        add_moments(&of[one->class_], x, y, often);
    }
    for (int c = 1; c <= SIX; c++) put_moments(t, rg_boxes_class_name[c], &of[c]);
    put_moments(t, "all", &of[0]);
    snprintf(t->note, sizeof t->note, "Of all right detections (Table 8). The size is "
             "the diagonal of the box, the side of the paper's squares; the ratio is "
             "the geometric mean.");
}

/* ---- Tables 9, 10, 11 ---- */

enum { EQUAL, FEWER, MORE, ALL_RIGHT, SCORE, RATIOS };

static void fill_fields(basis *b)
{
    static const rg_column columns[] = {
        { "fields", "fields", "", 0, false },
        { "share", "share", "%", 1, true },
        { "several", "with 2+", "", 0, false },
        { "several_share", "share", "%", 1, true },
    };
    static const char *const name[RATIOS] = {
        "true/found = 1", "true/found < 1", "true/found > 1", "all right", "mean score"
    };
    rg_table *t = &b->table[RG_REPORT_FIELDS];
    double sum[RATIOS][2] = { { 0 } }, fields[2] = { 0 };
    for (int f = 0; f < b->e->fields; f++) {
        const tally *is = &b->field[f];
        const double often = b->times ? b->times[f] : 1;
        for (int k = 0; k < (is->sources < 2 ? 1 : 2); k++) {
            fields[k] += often;
            sum[EQUAL][k] += often * (is->sources == is->shown);
            sum[FEWER][k] += often * (is->sources < is->shown);
            sum[MORE][k] += often * (is->sources > is->shown);
            sum[ALL_RIGHT][k] += often * (is->sources == is->shown
                                          && is->right == is->sources);
            sum[SCORE][k] += often * (is->sources ? (double)is->right / is->sources
                                                  : is->shown == 0);
        }
    }
    rg_table_init(t, "fields", "Sources and detections of a field", "", columns, 4);
    for (int r = 0; r < RATIOS; r++) {
        const int row = rg_table_row(t, "%s", name[r]);
        for (int k = 0; k < 2; k++) {
            t->cell[row][2 * k].value = r == SCORE ? fields[k] : sum[r][k];
            t->cell[row][2 * k + 1].value = percent(sum[r][k], fields[k]);
        }
    }
    snprintf(t->note, sizeof t->note, "Labelled sources over one-label detections of P "
             ">= %g (or the best of a 3' field): of all %g fields (Table 10) and of "
             "the %g with two sources or more (Table 11). All right: each source found "
             "with its class, and nothing else. Score: share of a field's sources "
             "found with their class (Table 9).", b->how->threshold, fields[0],
             fields[1]);
}

/* ---- Fig. 14 ---- */

static void add_reliability(const basis *b, const rg_ranking *r, rg_reliability *sum)
{
    for (int i = 0; i < r->n; i++) {
        const rg_judged *one = &r->item[i];
        const double often = b->times ? b->times[one->entry->field] : 1;
        if (one->is != RG_NEITHER)
            rg_reliability_add(sum, one->entry->probability, one->is == RG_RIGHT,
                               often);
    }
}

/* Of the list itself; NaN also where memory is short. */
static double chance(const basis *b, const rg_ranking *r)
{
    int n = 0;
    double *p = b->trial ? NULL : malloc(((size_t)r->n + 1) * sizeof *p), error = NAN;
    for (int i = 0; i < r->n && p; i++)
        if (r->item[i].is != RG_NEITHER) p[n++] = r->item[i].entry->probability;
    if (n > 0) error = rg_reliability_chance(p, n, b->how->seed);
    free(p);
    return error;
}

static void put_calibration(rg_table *t, const char *name, const rg_reliability *r,
                            double chance)
{
    const int row = rg_table_row(t, "%s", name);
    double n = 0, sum = 0, right = 0;
    for (int i = 0; i < RG_RELIABILITY_BINS; i++) {
        n += r->n[i];
        sum += r->sum[i];
        right += r->right[i];
    }
    t->cell[row][0].value = n;
    t->cell[row][1].value = percent(sum, n);
    t->cell[row][2].value = percent(right, n);
    t->cell[row][3].value = rg_reliability_error(r);
    t->cell[row][4].value = chance;
}

static void fill_bins(rg_table *t, const rg_reliability *single,
                      const rg_reliability *all)
{
    static const rg_column columns[] = {
        { "detections", "detections", "", 0, false },
        { "mean_p", "mean P", "%", 1, false },
        { "right", "right", "%", 1, true },
        { "all_detections", "all classes'", "", 0, false },
        { "all_mean_p", "mean P", "%", 1, false },
        { "all_right", "right", "%", 1, true },
    };
    rg_table_init(t, "reliability", "Probability and share of right detections", "P",
                  columns, 6);
    for (int i = 0; i < RG_RELIABILITY_BINS; i++) {
        const rg_reliability *of[2] = { single, all };
        const int row = rg_table_row(t, "%.1f - %.1f", 0.1 * i, 0.1 * (i + 1));
        for (int k = 0; k < 2; k++) {
            t->cell[row][3 * k].value = of[k]->n[i];
            t->cell[row][3 * k + 1].value = percent(of[k]->sum[i], of[k]->n[i]);
            t->cell[row][3 * k + 2].value = percent(of[k]->right[i], of[k]->n[i]);
        }
    }
    snprintf(t->note, sizeof t->note, "One label per source at any P, and every "
             "class's detections. Of a calibrated model the two percentages agree "
             "(Fig. 14).");
}

static void fill_calibration(basis *b)
{
    static const rg_column columns[] = {
        { "detections", "detections", "", 0, false },
        { "mean_p", "mean P", "%", 1, true },
        { "right", "right", "%", 1, true },
        { "ece", "ECE", "", 3, true },
        { "ece_chance", "by chance", "", 3, false },
    };
    rg_table *t = &b->table[RG_REPORT_CALIBRATION];
    rg_reliability shown = { .n = { 0 } }, single = shown, all = shown;
    add_reliability(b, &b->shown, &shown);
    add_reliability(b, &b->single, &single);
    add_reliability(b, &b->six, &all);
    rg_table_init(t, "calibration", "Expected calibration error", "detections", columns,
                  5);
    put_calibration(t, "shown", &shown, chance(b, &b->shown));
    put_calibration(t, "one per source", &single, chance(b, &b->single));
    put_calibration(t, "every class", &all, chance(b, &b->six));
    snprintf(t->note, sizeof t->note, "ECE: mean of |share that is right - mean P| in "
             "ten bins of P. By chance: what it would be if every P were right, for so "
             "many detections. Shown: one label per source with P >= %g (or the best "
             "of a 3' field).", b->how->threshold);
    fill_bins(&b->table[RG_REPORT_RELIABILITY], &single, &all);
}

/* ---- classes mistaken for each other ---- */

static void fill_confusion(basis *b)
{
    enum { MISSED = SIX, TOTAL, COLUMNS };
    static const rg_column columns[COLUMNS] = {
        { "1C_1P", "1C_1P", "", 0, false }, { "1C_2P", "1C_2P", "", 0, false },
        { "1C_3P", "1C_3P", "", 0, false }, { "2C_2P", "2C_2P", "", 0, false },
        { "2C_3P", "2C_3P", "", 0, false }, { "3C_3P", "3C_3P", "", 0, false },
        { "missed", "missed", "", 0, false }, { "sources", "sources", "", 0, false },
    };
    rg_table *t = &b->table[RG_REPORT_CONFUSION];
    rg_table_init(t, "confusion", "True class (rows) and class found", "true", columns,
                  COLUMNS);
    for (int c = 1; c <= SIX; c++) rg_table_row(t, "%s", rg_boxes_class_name[c]);
    rg_table_row(t, "spurious");
    for (int r = 0; r < t->nrows; r++)
        for (int c = 0; c < (r < SIX ? COLUMNS : SIX); c++) t->cell[r][c].value = 0;
    for (int k = 0; k < b->e->truths.n; k++) {
        const rg_entry *truth = &b->e->truths.item[k];
        const double often = b->times ? b->times[truth->field] : 1;
        if (truth->class_ < 1) continue;
        t->cell[truth->class_ - 1][TOTAL].value += often;
        if (!b->found[k]) t->cell[truth->class_ - 1][MISSED].value += often;
    }
    for (int i = 0; i < b->any.n; i++) {
        const rg_judged *one = &b->any.item[i];
        const double often = b->times ? b->times[one->entry->field] : 1;
        const int row = one->truth < 0 ? SIX
                                       : b->e->truths.item[one->truth].class_ - 1;
        if (one->is != RG_NEITHER) t->cell[row][one->entry->class_ - 1].value += often;
    }
    snprintf(t->note, sizeof t->note, "Numbers of sources, each with the most probable "
             "shown detection that overlaps it by IoU > %g whatever its class; shown "
             "are one label per source with P >= %g (or the best of a 3' field). "
             "Spurious ones overlap no source.", b->how->iou, b->how->threshold);
}

/* ---- against brightness and size ---- */

static const rg_column trend_columns[] = {
    { "sources", "sources", "", 0, false },
    { "found", "found", "%", 1, true },
    { "named", "with class", "%", 1, true },
    { "detections", "detections", "", 0, false },
    { "real", "real", "%", 1, true },
    { "right", "with class", "%", 1, true },
};

typedef struct trend {
    const double *edge;       /* [n + 1] the last is infinite */
    int n;
    double sum[RG_TABLE_ROWS][6];   /* per bin, the last: all; as the columns */
} trend;

static void add_trend(trend *d, double x, const double add[3], int from)
{
    int bin = 0;
    if (!(x >= 0)) return;
    while (bin < d->n - 1 && x >= d->edge[bin + 1]) bin++;
    for (int k = 0; k < 3; k++) {
        d->sum[bin][from + k] += add[k];
        d->sum[d->n][from + k] += add[k];
    }
}

static double figure(const rg_entry *one, bool peak)
{
    return peak ? 1000 * one->peak : one->size;
}

static void put_trend(rg_table *t, const trend *d)
{
    for (int i = 0; i <= d->n; i++) {
        const int row = i == d->n ? rg_table_row(t, "all")
            : i == d->n - 1 ? rg_table_row(t, ">= %g", d->edge[i])
            : rg_table_row(t, "%g - %g", d->edge[i], d->edge[i + 1]);
        for (int k = 0; k < 6; k++)
            t->cell[row][k].value = k % 3 == 0
                ? d->sum[i][k] : percent(d->sum[i][k], d->sum[i][k - k % 3]);
    }
}

static void fill_trend(const basis *b, rg_table *t, trend *d, bool peak)
{
    for (int k = 0; k < b->e->truths.n; k++) {
        const rg_entry *truth = &b->e->truths.item[k];
        const double often = b->times ? b->times[truth->field] : 1;
        if (truth->class_ > 0)
            add_trend(d, figure(truth, peak),
                      (double[]){ often, often * b->found[k], often * b->named[k] }, 0);
    }
    for (int i = 0; i < b->shown.n; i++) {
        const rg_judged *one = &b->shown.item[i];
        const double often = b->times ? b->times[one->entry->field] : 1;
        const bool real = b->any.item[i].is == RG_RIGHT, right = one->is == RG_RIGHT;
        if (one->is != RG_NEITHER)
            add_trend(d, figure(one->entry, peak),
                      (double[]){ often, often * real, often * right }, 3);
    }
    put_trend(t, d);
    snprintf(t->note, sizeof t->note, "Completeness: share of the sources that a shown "
             "detection overlaps, and with the right class. Reliability: share of the "
             "shown detections that overlap a source, and with its class. Sources in "
             "the bin of their own box, detections in that of theirs%s.",
             peak ? "; peaks are the brightest pixel in the box, of images in Jy/beam"
                  : "; the size is the diagonal");
}

static void fill_trends(basis *b)
{
    static const double peaks[] = { 0, 1, 2, 4, 8, 16, 32, 64, INFINITY };
    static const double sizes[] = { 0, 15, 20, 30, 45, 60, 90, INFINITY };
    trend of_peak = { .edge = peaks, .n = 8 }, of_size = { .edge = sizes, .n = 7 };
    rg_table *t = &b->table[RG_REPORT_PEAKS];
    rg_table_init(t, "peaks", "Completeness and reliability against peak flux density",
                  "mJy/beam", trend_columns, 6);
    fill_trend(b, t, &of_peak, true);
    t = &b->table[RG_REPORT_EXTENTS];
    rg_table_init(t, "extents", "Completeness and reliability against size", "arcsec",
                  trend_columns, 6);
    fill_trend(b, t, &of_size, false);
}

/* ---- all of it ---- */

static void fill(basis *b)
{
    fill_six(b);
    fill_components(b);
    fill_multiple(b);
    fill_sizes(b);
    fill_fields(b);
    fill_calibration(b);
    fill_confusion(b);
    fill_trends(b);
}

/* Every cell of every table in turn; values[] is filled where it is not NULL.  Returns
 * how many there are. */
static int flatten(const rg_table *tables, double *values)
{
    int n = 0;
    for (const rg_table *t = tables; t < tables + RG_REPORT_TABLES; t++)
        for (int r = 0; r < t->nrows; r++)
            for (int c = 0; c < t->ncolumns; c++, n++)
                if (values) values[n] = t->cell[r][c].value;
    return n;
}

/* One sample of the bootstrap. */
static void measure(void *user, const int *times, double *values)
{
    basis *b = user;
    b->times = times;
    fill(b);
    flatten(b->table, values);
}

static void put_intervals(rg_table *tables, const double *low, const double *high)
{
    int n = 0;
    for (rg_table *t = tables; t < tables + RG_REPORT_TABLES; t++)
        for (int r = 0; r < t->nrows; r++)
            for (int c = 0; c < t->ncolumns; c++, n++) {
                if (!t->column[c].scatters || isnan(t->cell[r][c].value)) continue;
                t->cell[r][c].low = low[n];
                t->cell[r][c].high = high[n];
            }
}

static int add_intervals(basis *b, rg_table *tables)
{
    const int values = flatten(tables, NULL);
    const rg_bootstrap how = { b->e->fields, b->how->draws, b->how->seed, values,
                               measure, b, b->how->progress, b->how->what };
    rg_table *trial = rg_error_alloc(RG_REPORT_TABLES, sizeof *trial, "tables");
    double *range = rg_error_alloc(2 * (unsigned long)values, sizeof *range, "tables");
    b->trial = true;
    b->table = trial;
    int status = trial && range ? rg_bootstrap_run(&how, range, range + values) : -1;
    if (status == 0) put_intervals(tables, range, range + values);
    free(trial);
    free(range);
    return status;
}

int rg_report_new(rg_report **out, const rg_evaluation *e, const rg_report_options *how)
{
    basis b = { .e = e, .how = how };
    *out = NULL;
    rg_report *report = rg_error_alloc(1, sizeof *report, "a report");
    if (report == NULL) return -1;
    report->how = *how;
    report->of = e;
    b.table = report->table;
    int status = rank_all(&b);
    if (status == 0) status = count_all(&b);
    if (status == 0) fill(&b);
    if (status == 0 && how->draws > 0) status = add_intervals(&b, report->table);
    report->all = b.six;
    b.six = (rg_ranking){ .item = NULL };
    basis_clear(&b);
    if (status == 0) *out = report;
    else rg_report_free(report);
    return status;
}

void rg_report_free(rg_report *report)
{
    if (report == NULL) return;
    rg_evaluate_clear(&report->all);
    free(report);
}

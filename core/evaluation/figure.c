/* SPDX-License-Identifier: MIT */
#include "core/evaluation/figure.h"

#include <math.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "core/evaluation/chart.h"

enum { WIDTH = 640, HEIGHT = 440 };

int rg_figure_curve(const rg_report *report, int class_, double *recall,
                    double *precision)
{
    const double truths = report->table[RG_REPORT_PRECISION].cell[class_ - 1][0].value;
    int counted = 0, right = 0;
    for (int i = 0; i < report->all.n; i++) {
        const rg_judged *one = &report->all.item[i];
        if (one->class_ != class_ || one->is == RG_NEITHER) continue;
        counted++;
        if (one->is == RG_WRONG) continue;
        recall[right] = (right + 1) / truths;
        precision[right] = (right + 1.0) / counted;
        right++;
    }
    return right;
}

static int precision(const rg_report *report, FILE *to)
{
    const size_t room = (size_t)report->all.n;
    rg_chart_line line[RG_CLASSES - 1];
    double *points = rg_error_alloc(room, 2 * (RG_CLASSES - 1) * sizeof *points,
                                    "curves");
    if (points == NULL) return -1;
    for (int c = 1; c < RG_CLASSES; c++) {
        double *x = points + (size_t)(2 * c - 2) * room, *y = x + room;
        line[c - 1] = (rg_chart_line){ .label = rg_boxes_class_name[c], .x = x, .y = y,
                                       .n = rg_figure_curve(report, c, x, y),
                                       .colour = c };
    }
    const rg_chart chart = {
        .title = "Reliability against completeness (Fig. 10)", .lines = line,
        .x = "completeness (recall)", .y = "reliability (precision)",
        .nlines = RG_CLASSES - 1, .x_to = 1, .y_to = 1
    };
    int status = rg_chart_svg(&chart, WIDTH, HEIGHT, to);
    free(points);
    return status;
}

/* Columns of a table as numbers to draw. */
typedef struct points {
    double x[RG_TABLE_ROWS], y[RG_TABLE_ROWS], low[RG_TABLE_ROWS], high[RG_TABLE_ROWS];
} points;

/* y, low, high of a column; without an interval the point itself. */
static void take(const rg_table *t, int column, points *p)
{
    for (int r = 0; r < t->nrows; r++) {
        const rg_cell *cell = &t->cell[r][column];
        p->y[r] = cell->value;
        p->low[r] = isnan(cell->low) ? cell->value : cell->low;
        p->high[r] = isnan(cell->high) ? cell->value : cell->high;
    }
}

static rg_chart_line line_of(const char *label, const points *p, int n)
{
    return (rg_chart_line){ .label = label, .x = p->x, .y = p->y, .low = p->low,
                            .high = p->high, .n = n, .style = RG_CHART_POINTS };
}

static int reliability(const rg_report *report, FILE *to)
{
    static const double ideal[] = { 0, 100 };
    const rg_table *t = &report->table[RG_REPORT_RELIABILITY];
    points single, all;
    take(t, 2, &single);
    take(t, 5, &all);
    for (int r = 0; r < t->nrows; r++) {
        single.x[r] = t->cell[r][1].value;
        all.x[r] = t->cell[r][4].value;
    }
    const rg_chart_line line[] = {
        { .label = "calibrated", .x = ideal, .y = ideal, .n = 2,
          .style = RG_CHART_DASHED, .colour = 7 },
        line_of("one label per source", &single, t->nrows),
        line_of("every class", &all, t->nrows),
    };
    const rg_chart chart = { .title = "Reliability of the probability (Fig. 14)",
                             .x = "mean P [%]", .y = "right [%]", .lines = line,
                             .nlines = 3, .x_to = 100, .y_to = 105 };
    return rg_chart_svg(&chart, WIDTH, HEIGHT, to);
}

static int sizes(const rg_report *report, FILE *to)
{
    const int n = report->all.n;
    rg_chart_line line[RG_CLASSES];
    double most = 1, *x = rg_error_alloc((unsigned long)n, 2 * sizeof *x, "sizes");
    int used = 0;
    if (x == NULL) return -1;
    for (int c = 1; c < RG_CLASSES; c++) {
        const int first = used;
        for (int i = 0; i < n; i++) {
            const rg_judged *one = &report->all.item[i];
            if (one->class_ != c || one->is != RG_RIGHT) continue;
            x[used] = report->of->truths.item[one->truth].size;
            x[n + used++] = one->entry->size;
            most = fmax(most, fmax(x[used - 1], one->entry->size));
        }
        line[c] = (rg_chart_line){ .label = rg_boxes_class_name[c], .x = x + first,
                                   .y = x + n + first, .n = used - first,
                                   .style = RG_CHART_POINTS, .colour = c };
    }
    const double ideal[] = { 0, most };
    line[0] = (rg_chart_line){ .x = ideal, .y = ideal, .n = 2,
                               .style = RG_CHART_DASHED, .colour = 7 };
    const rg_chart chart = { .title = "Sizes of boxes, found and true (Table 8)",
                             .x = "true size [arcsec]", .y = "size found [arcsec]",
                             .lines = line, .nlines = RG_CLASSES };
    int status = rg_chart_svg(&chart, WIDTH, HEIGHT, to);
    free(x);
    return status;
}

static int trend(const rg_report *report, rg_report_table which, const char *x,
                 FILE *to)
{
    static const char *const label[] = { "complete", "... with class", "reliable",
                                         "... with class" };
    static const int column[] = { 1, 2, 4, 5 };
    const rg_table *t = &report->table[which];
    const char *name[RG_TABLE_ROWS];
    const int n = t->nrows - 1;         /* without "all" */
    points p[4];
    rg_chart_line line[4];
    for (int k = 0; k < 4; k++) {
        take(t, column[k], &p[k]);
        for (int r = 0; r < n; r++) p[k].x[r] = r + 0.12 * (k - 1.5);
        line[k] = line_of(label[k], &p[k], n);
    }
    for (int r = 0; r < n; r++) name[r] = t->row[r];
    const rg_chart chart = { .title = t->title, .x = x, .y = "share [%]", .lines = line,
                             .nlines = 4, .x_from = -0.5, .x_to = n - 0.5, .y_to = 105,
                             .names = name, .nnames = n };
    return rg_chart_svg(&chart, WIDTH, HEIGHT, to);
}

int rg_figure_svg(const rg_report *report, rg_figure which, FILE *to)
{
    switch (which) {
    case RG_FIGURE_PRECISION: return precision(report, to);
    case RG_FIGURE_RELIABILITY: return reliability(report, to);
    case RG_FIGURE_SIZES: return sizes(report, to);
    case RG_FIGURE_PEAKS:
        return trend(report, RG_REPORT_PEAKS, "peak flux density [mJy/beam]", to);
    default: return trend(report, RG_REPORT_EXTENTS, "size [arcsec]", to);
    }
}

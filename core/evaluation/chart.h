/* SPDX-License-Identifier: MIT */
/* chart: one figure with axes, ticks and a legend, as SVG text.
 *
 *     const rg_chart_line lines[] = { { "D4", steps, losses, .n = n } };
 *     rg_chart chart = { .title = "Loss", .x = "iteration", .y = "loss",
 *                        .lines = lines, .nlines = 1 };
 *     RG_TRY(rg_chart_svg(&chart, 640, 400, file));
 *
 * What is written is one svg element without a prolog: a file of its own, or a part of
 * an HTML page or of another svg.  It holds no ids, so that several go into one page.
 * Colours are Okabe & Ito's, which the colour-blind tell apart; the eighth line has the
 * first's colour again, dotted.
 */
#ifndef RG_CHART_H
#define RG_CHART_H

#include <stdbool.h>
#include <stdio.h>

typedef enum {
    RG_CHART_LINE, RG_CHART_DASHED, RG_CHART_STEPS, /* a step holds until the next x */
    RG_CHART_POINTS,
    RG_CHART_BARS             /* from 0 up to y; of several lines side by side */
} rg_chart_style;

/* All borrowed.  Points that are not finite (or not positive on a log axis) are left
 * out; a line is broken there. */
typedef struct rg_chart_line {
    const char *label;        /* in the legend; NULL: not there */
    const double *x, *y;      /* [n], x rising but for points */
    const double *low, *high; /* [n] an interval about y, both or neither: a band
                                 behind a line, whiskers on points and bars */
    int n;
    rg_chart_style style;
    int colour;               /* 1 .. 7; 0: by its place among the lines */
} rg_chart_line;

/* Texts are UTF-8 (what is not becomes ?) and may hold any character; NULL: none. */
typedef struct rg_chart {
    const char *title, *x, *y;       /* axis names with their units */
    const rg_chart_line *lines;
    int nlines;
    double x_from, x_to, y_from, y_to; /* equal: from the data */
    bool log_x, log_y;
    const char *const *names;        /* [nnames] below x = 0, 1, ... for numbers */
    int nnames;
} rg_chart;

/* Write it `width` x `height` pixels large (200 x 150 at least) at the file's place.
 * Numbers have a decimal point whatever the locale. */
int rg_chart_svg(const rg_chart *chart, int width, int height, FILE *to);

#endif

/* SPDX-License-Identifier: MIT */
/* figure: the plots of a report.
 *
 *     RG_TRY(rg_figure_svg(report, RG_FIGURE_PRECISION, file));
 */
#ifndef RG_FIGURE_H
#define RG_FIGURE_H

#include <stdio.h>

#include "core/evaluation/report.h"

typedef enum rg_figure {
    RG_FIGURE_PRECISION,      /* reliability against completeness per class (Fig. 10) */
    RG_FIGURE_RELIABILITY,    /* share that is right against P (Fig. 14) */
    RG_FIGURE_SIZES,          /* found against true */
    RG_FIGURE_PEAKS,          /* completeness and reliability against brightness */
    RG_FIGURE_EXTENTS,        /* ... against size */
    RG_FIGURES
} rg_figure;

/* One svg element (core/evaluation/chart.h). */
int rg_figure_svg(const rg_report *report, rg_figure which, FILE *to);

/* The curve of a class: recall and precision [n] at each right detection, best first,
 * both 0..1; what is returned is n, at most the class's detections, which the arrays
 * must have room for (report->all.n will do). */
int rg_figure_curve(const rg_report *report, int class_, double *recall,
                    double *precision);

#endif

/* SPDX-License-Identifier: MIT */
/* report: all that can be said of a model's detections in a labelled list: the paper's
 * Tables 5 to 8, 10 and 11, Figures 10 and 14, and what goes beyond them, with
 * intervals by bootstrap over the fields.
 *
 *     rg_report *report;
 *     rg_report_options how = { .iou = 0.5, .least = 5, .draws = 1000, .seed = 1,
 *                               .threshold = 0.8 };
 *     RG_TRY(rg_report_new(&report, evaluation, &how));
 *     rg_table_print(&report->table[RG_REPORT_PRECISION], stdout);
 *     rg_report_free(report);
 */
#ifndef RG_REPORT_H
#define RG_REPORT_H

#include "core/evaluation/evaluate.h"
#include "core/evaluation/table.h"

typedef struct rg_report_options {
    double iou;               /* overlap with the truth that a hit needs: 0.5 */
    int least;                /* sources a class needs to count in a mean: 5 */
    int draws;                /* of the bootstrap: 1000; 0: no intervals */
    uint64_t seed;            /* of these */
    double threshold;         /* of RG_FOUND_SHOWN, to be told: 0.8 */
    void (*progress)(void *what, int done, int total);   /* of the bootstrap, or NULL */
    void *what;
} rg_report_options;

typedef enum rg_report_table {
    RG_REPORT_PRECISION,      /* six classes (Table 5) */
    RG_REPORT_COMPONENTS,     /* three classes (Table 6) */
    RG_REPORT_MULTIPLE,       /* ... in fields with two sources or more (Table 7) */
    RG_REPORT_SIZES,          /* predicted and true (Table 8) */
    RG_REPORT_FIELDS,         /* sources and detections in a field (Tables 10, 11) */
    RG_REPORT_CALIBRATION,    /* expected calibration errors */
    RG_REPORT_RELIABILITY,    /* P and share that is right, in bins (Fig. 14) */
    RG_REPORT_CONFUSION,      /* true and found class */
    RG_REPORT_PEAKS,          /* completeness and reliability against brightness */
    RG_REPORT_EXTENTS,        /* ... against size */
    RG_REPORT_TABLES
} rg_report_table;

typedef struct rg_report {
    rg_report_options how;
    rg_table table[RG_REPORT_TABLES];
    rg_ranking all;           /* six classes, all detections: for curves; owned */
    const rg_evaluation *of;  /* borrowed */
} rg_report;

/* The evaluation, which is kept in use, has all three sets, measured.  Caller frees
 * *out. */
int rg_report_new(rg_report **out, const rg_evaluation *evaluation,
                  const rg_report_options *how);
void rg_report_free(rg_report *report);

#endif

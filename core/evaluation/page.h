/* SPDX-License-Identifier: MIT */
/* page: a report written out, as text, as JSON and as one page of HTML.
 *
 *     const rg_page page = { report, "held.csv", "11e2d9e8", "D1", "0.1.0" };
 *     rg_page_summary(&page, stdout);
 *     RG_TRY(rg_page_html(&page, file));
 */
#ifndef RG_PAGE_H
#define RG_PAGE_H

#include <stdio.h>

#include "core/evaluation/report.h"

typedef struct rg_page {      /* all borrowed */
    const rg_report *report;
    const char *list;         /* what was evaluated */
    const char *model;        /* rg_detect_hash */
    const char *method;       /* "D1" */
    const char *version;      /* of the program */
} rg_page;

/* A screenful: the six classes, the mean of three, calibration errors. */
void rg_page_summary(const rg_page *page, FILE *to);

/* Every table. */
void rg_page_text(const rg_page *page, FILE *to);

/* {"program", "list", "model", "method", "fields", "options": {..}, "tables": {KEY:
 * {"title", "note", "columns": [{"key", "name", "unit"}], "rows": [{"name", KEY,
 * KEY_low, KEY_high}]}}, "curves": {CLASS: {"recall": [], "precision": []}}}; what
 * there is not is null. */
int rg_page_json(const rg_page *page, FILE *to);

/* Tables and figures in one file that needs no other. */
int rg_page_html(const rg_page *page, FILE *to);

#endif

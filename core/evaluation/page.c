/* SPDX-License-Identifier: MIT */
#include "core/evaluation/page.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "core/evaluation/figure.h"

/* ---- text ---- */

static void print_about(const rg_page *page, FILE *to)
{
    const rg_report_options *how = &page->report->how;
    fprintf(to, "%s: %d fields, %d labels; method %s, model %s, claran %s\n",
            page->list, page->report->of->fields, page->report->of->truths.n,
            page->method, page->model, page->version);
    if (how->draws > 0)
        fprintf(to, "in brackets: 95 %% intervals, %d bootstrap samples of the fields, "
                "seed %llu\n", how->draws, (unsigned long long)how->seed);
}

void rg_page_summary(const rg_page *page, FILE *to)
{
    const rg_table *t = page->report->table;
    const rg_table *three = &t[RG_REPORT_COMPONENTS], *ece = &t[RG_REPORT_CALIBRATION];
    char mean[RG_TABLE_TEXT], shown[RG_TABLE_TEXT], single[RG_TABLE_TEXT];
    rg_table_print(&t[RG_REPORT_PRECISION], to);
    rg_table_text(three, three->nrows - 1, 2, mean);
    rg_table_text(ece, 0, 3, shown);
    rg_table_text(ece, 1, 3, single);
    fprintf(to, "Three classes by components: mean AP [%%] %s.\n", mean);
    fprintf(to, "Expected calibration error: %s of the %g detections shown (P >= %g, "
            "or the best of a\nfield), %s of %g at any P.\n", shown,
            ece->cell[0][0].value, page->report->how.threshold, single,
            ece->cell[1][0].value);
    print_about(page, to);
}

void rg_page_text(const rg_page *page, FILE *to)
{
    print_about(page, to);
    for (int i = 0; i < RG_REPORT_TABLES; i++) {
        fputc('\n', to);
        rg_table_print(&page->report->table[i], to);
    }
}

/* ---- JSON ---- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_of_row(const rg_table *t, int row)
{
    json_t *json = json_object();
    json_object_set_new(json, "name", json_string(t->row[row]));
    for (int c = 0; c < t->ncolumns; c++) {
        const rg_column *column = &t->column[c];
        const rg_cell *cell = &t->cell[row][c];
        char key[64];
        json_object_set_new(json, column->key, number(cell->value));
        if (!column->scatters) continue;
        snprintf(key, sizeof key, "%s_low", column->key);
        json_object_set_new(json, key, number(cell->low));
        snprintf(key, sizeof key, "%s_high", column->key);
        json_object_set_new(json, key, number(cell->high));
    }
    return json;
}

static json_t *json_of_table(const rg_table *t)
{
    json_t *json = json_object(), *columns = json_array(), *rows = json_array();
    for (int c = 0; c < t->ncolumns; c++)
        json_array_append_new(columns, json_pack("{ssssss}", "key", t->column[c].key,
                                                 "name", t->column[c].head, "unit",
                                                 t->column[c].unit));
    for (int r = 0; r < t->nrows; r++) json_array_append_new(rows, json_of_row(t, r));
    json_object_set_new(json, "title", json_string(t->title));
    json_object_set_new(json, "note", json_string(t->note));
    json_object_set_new(json, "columns", columns);
    json_object_set_new(json, "rows", rows);
    return json;
}

static json_t *json_of_numbers(const double *values, int n)
{
    json_t *json = json_array();
    for (int i = 0; i < n; i++) json_array_append_new(json, number(values[i]));
    return json;
}

static json_t *json_of_curves(const rg_report *report)
{
    const size_t room = (size_t)report->all.n;
    json_t *json = json_object();
    double *x = rg_error_alloc(room, 2 * sizeof *x, "curves");
    for (int c = 1; c < RG_CLASSES && x; c++) {
        const int n = rg_figure_curve(report, c, x, x + room);
        json_object_set_new(json, rg_boxes_class_name[c],
                            json_pack("{soso}", "recall", json_of_numbers(x, n),
                                      "precision", json_of_numbers(x + room, n)));
    }
    free(x);
    return json;
}

/* File names may be no UTF-8. */
static json_t *text(const char *words)
{
    json_t *json = json_string(words);
    return json ? json : json_string("?");
}

static json_t *json_of(const rg_page *page)
{
    const rg_report_options *how = &page->report->how;
    json_t *json = json_object(), *tables = json_object();
    json_object_set_new(json, "program", json_sprintf("claran %s", page->version));
    json_object_set_new(json, "list", text(page->list));
    json_object_set_new(json, "model", json_string(page->model));
    json_object_set_new(json, "method", json_string(page->method));
    json_object_set_new(json, "fields", json_integer(page->report->of->fields));
    json_object_set_new(json, "options", json_pack(
        "{sfsisisIsf}", "iou", how->iou, "least", how->least, "bootstrap", how->draws,
        "seed", (json_int_t)how->seed, "threshold", how->threshold));
    for (int i = 0; i < RG_REPORT_TABLES; i++)
        json_object_set_new(tables, page->report->table[i].key,
                            json_of_table(&page->report->table[i]));
    json_object_set_new(json, "tables", tables);
    json_object_set_new(json, "curves", json_of_curves(page->report));
    return json;
}

int rg_page_json(const rg_page *page, FILE *to)
{
    json_t *json = json_of(page);
    const size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(9);
    int bad = json == NULL || json_dumpf(json, to, flags) != 0;
    json_decref(json);
    fputc('\n', to);
    return bad ? RG_FAIL("the report could not be written as JSON") : 0;
}

/* ---- HTML ---- */

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>ClaRAN evaluation</title>\n<style>\n"
    "body { font: 15px/1.45 sans-serif; max-width: 64em; margin: 2em auto; "
    "padding: 0 1em; color: #222; }\n"
    "table { border-collapse: collapse; margin: .5em 0; }\n"
    "th, td { padding: .15em .7em; text-align: right; "
    "font-variant-numeric: tabular-nums; }\n"
    "th:first-child { text-align: left; }\n"
    "thead th { border-bottom: 1px solid #888; }\n"
    "tbody tr:last-child * { border-top: 1px solid #ccc; }\n"
    "small { color: #666; } p { color: #444; max-width: 50em; }\n"
    "svg { max-width: 100%; height: auto; }\n"
    "</style></head><body>\n<h1>ClaRAN evaluation</h1>\n";

static void put_html(const char *words, FILE *to)
{
    for (; *words; words++) {
        if (*words == '<') fputs("&lt;", to);
        else if (*words == '>') fputs("&gt;", to);
        else if (*words == '&') fputs("&amp;", to);
        else fputc(*words, to);
    }
}

static void put_heads(const rg_table *t, FILE *to)
{
    fputs("<table><thead><tr><th>", to);
    put_html(t->head, to);
    for (int c = 0; c < t->ncolumns; c++) {
        fputs("</th><th>", to);
        put_html(t->column[c].head, to);
        if (t->column[c].unit[0]) fprintf(to, " [%s]", t->column[c].unit);
    }
    fputs("</th></tr></thead>\n<tbody>\n", to);
}

static void put_cell(const rg_table *t, int row, int column, FILE *to)
{
    const rg_cell *cell = &t->cell[row][column];
    const int digits = t->column[column].digits;
    if (isnan(cell->value)) fputs("<td>–</td>", to);
    else if (isnan(cell->low)) fprintf(to, "<td>%.*f</td>", digits, cell->value);
    else fprintf(to, "<td>%.*f <small>%.*f–%.*f</small></td>", digits, cell->value,
                 digits, cell->low, digits, cell->high);
}

static void put_table(const rg_table *t, FILE *to)
{
    fputs("<h2>", to);
    put_html(t->title, to);
    fputs("</h2>\n", to);
    put_heads(t, to);
    for (int r = 0; r < t->nrows; r++) {
        fputs("<tr><th>", to);
        put_html(t->row[r], to);
        fputs("</th>", to);
        for (int c = 0; c < t->ncolumns; c++) put_cell(t, r, c, to);
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table>\n<p>", to);
    put_html(t->note, to);
    fputs("</p>\n", to);
}

static void put_about(const rg_page *page, FILE *to)
{
    const rg_report_options *how = &page->report->how;
    fputs("<p>List <b>", to);
    put_html(page->list, to);
    fprintf(to, "</b>: %d fields, %d labels; method %s, model %s, claran %s.",
            page->report->of->fields, page->report->of->truths.n, page->method,
            page->model, page->version);
    if (how->draws > 0)
        fprintf(to, " Small figures are 95 %% intervals from %d bootstrap samples of "
                "the fields, seed %llu.", how->draws, (unsigned long long)how->seed);
    fputs("</p>\n", to);
}

int rg_page_html(const rg_page *page, FILE *to)
{
    static const struct { rg_report_table table; rg_figure figure; } drawn[] = {
        { RG_REPORT_PRECISION, RG_FIGURE_PRECISION },
        { RG_REPORT_SIZES, RG_FIGURE_SIZES },
        { RG_REPORT_RELIABILITY, RG_FIGURE_RELIABILITY },
        { RG_REPORT_PEAKS, RG_FIGURE_PEAKS },
        { RG_REPORT_EXTENTS, RG_FIGURE_EXTENTS },
    };
    fputs(head, to);
    put_about(page, to);
    for (int i = 0; i < RG_REPORT_TABLES; i++) {
        put_table(&page->report->table[i], to);
        for (size_t k = 0; k < sizeof drawn / sizeof *drawn; k++)
            if ((int)drawn[k].table == i)
                RG_TRY(rg_figure_svg(page->report, drawn[k].figure, to));
    }
    fputs("</body></html>\n", to);
    return 0;
}

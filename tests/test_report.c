/* SPDX-License-Identifier: MIT */
/* The tables of a report on fields worked out by hand, and what is written of them. */
#include <jansson.h>

#include "core/evaluation/bootstrap.h"
#include "core/evaluation/coco.h"
#include "core/evaluation/page.h"
#include "core/evaluation/reliability.h"
#include "tests/check.h"

enum { FIELDS = 4 };

/* A detection or label of 10 x 10 pixels at x, 0. */
static rg_detection found(int class_, double x, float p)
{
    return (rg_detection){ .class_ = class_, .probability = p, .raw = p, .xmin = x,
                           .xmax = x + 10, .ymax = 10 };
}

static rg_label truth(int class_, double x)
{
    return (rg_label){ x, 0, x + 10, 10, class_, 1 };
}

static void add(rg_evaluation *e, const rg_detection *d, int nd, const rg_label *l,
                int nl)
{
    CHECK_OK(rg_evaluate_add(e, d, nd, l, nl));
    CHECK_OK(rg_evaluate_choose(e, RG_FOUND_SINGLE, d, nd));
    CHECK_OK(rg_evaluate_choose(e, RG_FOUND_SHOWN, d, nd));
}

/* Four fields: a source found with its class; two, of which one is found with another
 * class and one missed; one found, and a spurious one beside it; an empty one. */
static rg_evaluation *four_fields(void)
{
    rg_evaluation *e = rg_evaluate_new();
    add(e, (rg_detection[]){ found(1, 0, 0.95f) }, 1, (rg_label[]){ truth(1, 0) }, 1);
    add(e, (rg_detection[]){ found(3, 0, 0.85f) }, 1,
        (rg_label[]){ truth(2, 0), truth(6, 50) }, 2);
    add(e, (rg_detection[]){ found(1, 0, 0.93f), found(5, 50, 0.85f) }, 2,
        (rg_label[]){ truth(1, 1), truth(RG_CLASS_IGNORE, 900) }, 2);
    add(e, NULL, 0, NULL, 0);
    for (int i = 0; i < e->truths.n; i++) {
        e->truths.item[i].size = 20 + i;
        e->truths.item[i].peak = 0.003;
    }
    for (int s = 0; s < RG_FOUND_SETS; s++)
        for (int i = 0; i < e->found[s].n; i++) {
            e->found[s].item[i].size = 40 + 2 * i;
            e->found[s].item[i].peak = i == 3 ? 0.0005 : 0.003;
        }
    return e;
}

static rg_report *report_of(const rg_evaluation *e, int draws)
{
    rg_report *report = NULL;
    const rg_report_options how = { .iou = 0.5, .least = 1, .draws = draws, .seed = 3,
                                    .threshold = 0.8 };
    CHECK_OK(rg_report_new(&report, e, &how));
    return report;
}

static double cell(const rg_report *r, rg_report_table which, int row, int column)
{
    return r->table[which].cell[row][column].value;
}

static void precision_of_six_and_of_three(void)
{
    rg_evaluation *e = four_fields();
    rg_report *r = report_of(e, 0);
    CHECK_NEAR(cell(r, RG_REPORT_PRECISION, 0, 2), 100, 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_PRECISION, 1, 2), 0, 1e-9);
    CHECK(isnan(cell(r, RG_REPORT_PRECISION, 2, 2)));
    CHECK_NEAR(cell(r, RG_REPORT_PRECISION, 6, 2), 100 / 3.0, 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_PRECISION, 6, 0), 4, 0);
    CHECK_NEAR(cell(r, RG_REPORT_COMPONENTS, 0, 2), 100, 1e-9);   /* 1C_3P too */
    CHECK_NEAR(cell(r, RG_REPORT_COMPONENTS, 3, 4), 50, 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_MULTIPLE, 0, 0), 1, 0);
    CHECK_NEAR(cell(r, RG_REPORT_MULTIPLE, 2, 0), 1, 0);
    CHECK_NEAR(cell(r, RG_REPORT_MULTIPLE, 3, 2), 50, 1e-9);
    CHECK(strstr(r->table[RG_REPORT_MULTIPLE].note, "Of the 1 fields") != NULL);
    rg_report_free(r);
    rg_evaluate_free(e);
}

/* Found and true: 1 and 1, 1 and 2, 2 and 1, 0 and 0. */
static void fields_by_ratio(void)
{
    const double all[] = { 50, 25, 25, 50, 100 * 3 / 4.0 }, several[] = { 0, 0, 100 };
    rg_evaluation *e = four_fields();
    rg_report *r = report_of(e, 0);
    for (int i = 0; i < 5; i++)
        CHECK_NEAR(cell(r, RG_REPORT_FIELDS, i, 1), all[i], 1e-9);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(cell(r, RG_REPORT_FIELDS, i, 3), several[i], 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_FIELDS, 2, 2), 1, 0);
    rg_report_free(r);
    rg_evaluate_free(e);
}

static void classes_mistaken(void)
{
    rg_evaluation *e = four_fields();
    rg_report *r = report_of(e, 0);
    CHECK_NEAR(cell(r, RG_REPORT_CONFUSION, 0, 0), 2, 0);
    CHECK_NEAR(cell(r, RG_REPORT_CONFUSION, 1, 2), 1, 0);     /* 1C_2P as 1C_3P */
    CHECK_NEAR(cell(r, RG_REPORT_CONFUSION, 1, 6), 0, 0);
    CHECK_NEAR(cell(r, RG_REPORT_CONFUSION, 5, 6), 1, 0);     /* missed */
    CHECK_NEAR(cell(r, RG_REPORT_CONFUSION, 6, 4), 1, 0);     /* spurious */
    for (int row = 0; row < 6; row++) {      /* each source is somewhere */
        double sum = 0;
        for (int c = 0; c < 7; c++) sum += cell(r, RG_REPORT_CONFUSION, row, c);
        CHECK_NEAR(sum, cell(r, RG_REPORT_CONFUSION, row, 7), 0);
    }
    rg_report_free(r);
    rg_evaluate_free(e);
}

/* P 0.95 and 0.93 are right, 0.85 twice is not. */
static void errors_of_calibration(void)
{
    rg_evaluation *e = four_fields();
    rg_report *r = report_of(e, 0);
    CHECK_NEAR(cell(r, RG_REPORT_CALIBRATION, 0, 0), 4, 0);
    CHECK_NEAR(cell(r, RG_REPORT_CALIBRATION, 0, 2), 50, 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_CALIBRATION, 0, 3), (0.05 + 0.07 + 1.7) / 4, 1e-6);
    CHECK_NEAR(cell(r, RG_REPORT_RELIABILITY, 8, 1), 85, 1e-4);
    CHECK_NEAR(cell(r, RG_REPORT_RELIABILITY, 8, 2), 0, 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_RELIABILITY, 9, 2), 100, 1e-9);
    CHECK(isnan(cell(r, RG_REPORT_RELIABILITY, 0, 2)));
    rg_report_free(r);
    rg_evaluate_free(e);
}

static void against_brightness_and_size(void)
{
    rg_evaluation *e = four_fields();
    rg_report *r = report_of(e, 0);
    CHECK_NEAR(cell(r, RG_REPORT_PEAKS, 2, 0), 4, 0);          /* 2 - 4 mJy/beam */
    CHECK_NEAR(cell(r, RG_REPORT_PEAKS, 2, 1), 75, 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_PEAKS, 2, 2), 50, 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_PEAKS, 0, 4), 0, 1e-9);       /* the spurious one */
    CHECK_NEAR(cell(r, RG_REPORT_PEAKS, 8, 4), 75, 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_EXTENTS, 2, 0), 4, 0);        /* 20 - 30 arcsec */
    CHECK_NEAR(cell(r, RG_REPORT_SIZES, 6, 0), 2, 0);
    CHECK_NEAR(cell(r, RG_REPORT_SIZES, 6, 3), sqrt(40.0 / 20 * 44 / 23), 1e-9);
    rg_report_free(r);
    rg_evaluate_free(e);
}

/* Three hits of sizes 1, 2, 4 found as 2, 3, 9: by hand. */
static void sizes_correlate(void)
{
    const double x[] = { 1, 2, 4 }, y[] = { 2, 3, 9 };
    rg_evaluation *e = rg_evaluate_new();
    for (int i = 0; i < 3; i++)
        add(e, (rg_detection[]){ found(4, 0, 0.9f) }, 1,
            (rg_label[]){ truth(4, 0) }, 1);
    for (int i = 0; i < 3; i++) {
        e->truths.item[i].size = x[i];
        e->found[RG_FOUND_ALL].item[i].size = y[i];
    }
    rg_report *r = report_of(e, 0);
    const double xx = 14 / 3.0, yy = 86 / 3.0, xy = 34 / 3.0;   /* about the means */
    CHECK_NEAR(cell(r, RG_REPORT_SIZES, 3, 2), xy / sqrt(xx * yy), 1e-9);
    CHECK_NEAR(cell(r, RG_REPORT_SIZES, 3, 1), 7 / 3.0, 1e-9);
    rg_report_free(r);
    rg_evaluate_free(e);
}

static void intervals_hold_the_values(void)
{
    rg_evaluation *e = four_fields();
    rg_report *a = report_of(e, 200), *b = report_of(e, 200);
    const rg_cell *c = &a->table[RG_REPORT_FIELDS].cell[0][1];
    CHECK(c->low >= 0 && c->low < 50 && c->high > 50 && c->high <= 100);
    CHECK(isnan(a->table[RG_REPORT_FIELDS].cell[0][0].low));
    CHECK(memcmp(a->table[RG_REPORT_PRECISION].cell, b->table[RG_REPORT_PRECISION].cell,
                 sizeof a->table[0].cell) == 0);
    CHECK_NEAR(cell(a, RG_REPORT_PRECISION, 6, 2), 100 / 3.0, 1e-9);
    rg_report_free(a);
    rg_report_free(b);
    rg_evaluate_free(e);
}

static void mean_of_sample(void *user, const int *times, double *value)
{
    const double *x = user;
    double sum = 0;
    for (int i = 0; i < 100; i++) sum += times[i] * x[i];
    value[0] = sum / 100;
    value[1] = NAN;
}

/* The mean of 0 .. 99 scatters by 28.9 / sqrt(100). */
static void bootstrap_is_as_wide_as_it_should(void)
{
    double x[100], low[2], high[2];
    for (int i = 0; i < 100; i++) x[i] = i;
    const rg_bootstrap how = { 100, 2000, 1, 2, mean_of_sample, x, NULL, NULL };
    CHECK_OK(rg_bootstrap_run(&how, low, high));
    CHECK_NEAR(low[0], 49.5 - 1.96 * 2.887, 0.6);
    CHECK_NEAR(high[0], 49.5 + 1.96 * 2.887, 0.6);
    CHECK(isnan(low[1]) && isnan(high[1]));
}

static char *written(int (*write)(const rg_page *, FILE *), const rg_page *page)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    CHECK_OK(write(page, file));
    fclose(file);
    return text;
}

static const json_t *row_of(const json_t *json, const char *table, size_t row)
{
    const json_t *t = json_object_get(json_object_get(json, "tables"), table);
    return json_array_get(json_object_get(t, "rows"), row);
}

static void json_says_the_same(void)
{
    rg_evaluation *e = four_fields();
    rg_report *r = report_of(e, 100);
    const rg_page page = { r, "a\"b.csv", "0a1b2c3d", "D1", "0.1" };
    char *text = written(rg_page_json, &page);
    json_t *json = json_loads(text, 0, NULL);
    CHECK(json != NULL);
    CHECK(!strcmp(json_string_value(json_object_get(json, "list")), "a\"b.csv"));
    const json_t *mean = row_of(json, "average_precision", 6);
    CHECK(!strcmp(json_string_value(json_object_get(mean, "name")), "mean"));
    CHECK_NEAR(json_real_value(json_object_get(mean, "ap")), 100 / 3.0, 1e-6);
    CHECK(json_is_real(json_object_get(mean, "ap_low")));
    CHECK(json_is_null(json_object_get(row_of(json, "average_precision", 2), "ap")));
    const json_t *curve = json_object_get(json_object_get(json, "curves"), "1C_1P");
    CHECK(json_array_size(json_object_get(curve, "recall")) == 2);
    json_decref(json);
    free(text);
    rg_report_free(r);
    rg_evaluate_free(e);
}

static int count(const char *text, const char *words)
{
    int n = 0;
    for (; (text = strstr(text, words)) != NULL; text++) n++;
    return n;
}

static void html_is_one_page(void)
{
    rg_evaluation *e = four_fields();
    rg_report *r = report_of(e, 0);
    const rg_page page = { r, "<a&b>.csv", "0a1b2c3d", "D1", "0.1" };
    char *text = written(rg_page_html, &page);
    CHECK(count(text, "<table>") == RG_REPORT_TABLES);
    CHECK(count(text, "</table>") == RG_REPORT_TABLES);
    CHECK(count(text, "<svg") >= 5 && count(text, "<svg") == count(text, "</svg>"));
    CHECK(count(text, "&lt;a&amp;b&gt;.csv") == 1 && count(text, "</html>") == 1);
    CHECK(count(text, "href") == 0 && count(text, "src=") == 0);
    free(text);
    rg_report_free(r);
    rg_evaluate_free(e);
}

static void coco_has_every_box(void)
{
    char *text[2] = { NULL, NULL };
    size_t size;
    char *names[FIELDS] = { "a.fits", "b.fits", "c\xff.fits", "d.fits" };
    rg_field fields[FIELDS] = { { .file = names[0] }, { .file = names[1] },
                                { .file = names[2] }, { .file = names[3] } };
    const rg_dataset list = { .fields = fields, .nfields = FIELDS };
    rg_evaluation *e = four_fields();
    FILE *file = open_memstream(&text[0], &size);
    CHECK_OK(rg_coco_truth(e, &list, file));
    fclose(file);
    file = open_memstream(&text[1], &size);
    CHECK_OK(rg_coco_found(e, 0.5, file));
    fclose(file);
    json_t *truth = json_loads(text[0], 0, NULL), *boxes = json_loads(text[1], 0, NULL);
    const json_t *labels = json_object_get(truth, "annotations");
    CHECK(json_array_size(labels) == 4 && json_array_size(boxes) == 4);
    CHECK(json_array_size(json_object_get(truth, "images")) == FIELDS);
    const json_t *bbox = json_object_get(json_array_get(labels, 2), "bbox");
    CHECK_NEAR(json_real_value(json_array_get(bbox, 0)), 50, 1e-6);
    CHECK_NEAR(json_real_value(json_array_get(bbox, 2)), 10, 1e-6);
    const json_t *best = json_array_get(boxes, 0);
    CHECK(json_integer_value(json_object_get(best, "category_id")) == 1);
    CHECK_NEAR(json_real_value(json_object_get(best, "score")), 0.95, 1e-6);
    json_decref(truth);
    json_decref(boxes);
    free(text[0]);
    free(text[1]);
    rg_evaluate_free(e);
}

int main(void)
{
    CHECK_RUN(precision_of_six_and_of_three);
    CHECK_RUN(fields_by_ratio);
    CHECK_RUN(classes_mistaken);
    CHECK_RUN(errors_of_calibration);
    CHECK_RUN(against_brightness_and_size);
    CHECK_RUN(sizes_correlate);
    CHECK_RUN(intervals_hold_the_values);
    CHECK_RUN(bootstrap_is_as_wide_as_it_should);
    CHECK_RUN(json_says_the_same);
    CHECK_RUN(html_is_one_page);
    CHECK_RUN(coco_has_every_box);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include "plugin/agreement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/data/csv.h"
#include "plugin/options.h"

#define JOINED 0.8                /* IoU of boxes round the same islands */
enum { OVERLAPS = 5, STEADY = 3, HINTS = 16 };
static const double overlap_steps[OVERLAPS] = { 0.5, 0.7, 0.8, 0.9, 0.99 };

typedef struct agreement {
    int sources, components, peaks, classes;
    int boxes[OVERLAPS];                           /* that overlap by more than that */
    int confusion[RG_CLASSES][RG_CLASSES + 1];     /* last: none of the six */
    int counted[RG_CLASSES][STEADY], apt[RG_CLASSES][STEADY];
    struct { int labels, joined, right; double confidence; } kind[RG_LABEL_KINDS];
} agreement;

/* "1.5;2.5" -> at most RG_LABEL_COMPONENTS numbers; returns how many, -1 on failure. */
static int read_numbers(char *text, const char *column, double *number)
{
    int n = 0;
    for (char *cell; (cell = strsep(&text, ";")) != NULL; n++) {
        if (n == RG_LABEL_COMPONENTS) return RG_FAIL("%s has too many values", column);
        RG_TRY(rg_csv_number(cell, column, &number[n]));
    }
    return n;
}

int rg_agreement_components(char *ras, char *decs, rg_label_hint *hint)
{
    double ra[RG_LABEL_COMPONENTS], dec[RG_LABEL_COMPONENTS];
    int nra = read_numbers(ras, "right ascensions", ra);
    int ndec = read_numbers(decs, "declinations", dec);
    if (nra < 0 || ndec < 0) return -1;
    if (nra != ndec) return RG_FAIL("%d right ascensions, %d declinations", nra, ndec);
    hint->ncomponents = nra;
    for (int i = 0; i < nra; i++) {
        hint->component[i].ra = ra[i];
        hint->component[i].dec = dec[i];
    }
    return 0;
}

static double overlap(const rg_label *a, const rg_label *b)
{
    double w = fmin(a->xmax, b->xmax) - fmax(a->xmin, b->xmin);
    double h = fmin(a->ymax, b->ymax) - fmax(a->ymin, b->ymin);
    double both = fmax(w, 0) * fmax(h, 0);
    return both / ((a->xmax - a->xmin) * (a->ymax - a->ymin) +
                   (b->xmax - b->xmin) * (b->ymax - b->ymin) - both);
}

/* ---- told which islands belong together ---- */

static void compare(agreement *total, const rg_label *truth,
                    const rg_label_source *found)
{
    const char *name = rg_boxes_class_name[truth->class_];
    int components = name[0] - '0', peaks = name[3] - '0';
    int class_ = rg_label_class(found->components, found->peaks);
    total->sources++;
    total->components += found->components == components;
    total->peaks += found->peaks == peaks;
    total->classes += class_ == truth->class_;
    for (int i = 0; i < OVERLAPS; i++)
        total->boxes[i] += overlap(truth, &found->label) > overlap_steps[i];
    total->confusion[truth->class_][class_ > 0 ? class_ : RG_CLASSES]++;
    if (class_ < 1) return;
    total->counted[class_][found->steady]++;
    total->apt[class_][found->steady] += class_ == truth->class_;
}

static int compare_row(const char *list, agreement *total, char *const value[8])
{
    rg_label truth;
    rg_label_hint hint = { 0 };
    rg_image *image;
    rg_label_source *sources;
    int n;
    double *const box[] = { &truth.xmin, &truth.ymin, &truth.xmax, &truth.ymax };
    RG_TRY(rg_boxes_class(value[1], &truth.class_));
    for (int i = 0; i < 4; i++) RG_TRY(rg_csv_number(value[2 + i], "box", box[i]));
    RG_TRY(rg_agreement_components(value[6], value[7], &hint));
    if (truth.class_ < 1) return 0;
    char *path = rg_dataset_locate(list, value[0]);
    int status = path ? rg_image_read(&image, path) : -1;
    free(path);
    RG_TRY(status);
    status = rg_label_field(image, &hint, 1, &sources, &n);
    rg_image_free(image);
    RG_TRY(status);
    static const rg_label_source none = { .label = { .class_ = RG_CLASS_IGNORE } };
    compare(total, &truth, n > 0 && sources[0].hint == 0 ? &sources[0] : &none);
    free(sources);
    return 0;
}

static int compare_told(const char *list, agreement *total)
{
    static const char *const columns[] = {
        "file", "class", "xmin", "ymin", "xmax", "ymax", "component_ra_deg",
        "component_dec_deg"
    };
    rg_csv *csv;
    char *value[8];
    int row;
    RG_TRY(rg_csv_open(&csv, list, columns, 8, 8));
    while ((row = rg_csv_next(csv, value)) > 0)
        if (compare_row(list, total, value) != 0) {
            row = rg_csv_problem(csv);
            break;
        }
    rg_csv_free(csv);
    return row;
}

/* ---- told less, or nothing ---- */

/* The middle of a people's box, and its diagonal where `sized`. */
static int hint_at(const rg_image *image, const rg_label *l, int sized,
                   rg_label_hint *hint)
{
    *hint = (rg_label_hint){ 0 };
    if (sized)
        hint->extent = hypot(l->xmax - l->xmin, l->ymax - l->ymin)
                       * rg_sky_pixel_arcsec(image->sky);
    return rg_sky_to_world(image->sky, (l->xmin + l->xmax) / 2,
                           (l->ymin + l->ymax) / 2, &hint->ra, &hint->dec);
}

/* Labels of that kind with those hints, against people's. */
static int compare_kind(agreement *total, const rg_image *image, const rg_field *field,
                        const rg_label_hint *hints, int nhints, rg_label_kind kind)
{
    rg_label_source *sources;
    int n;
    RG_TRY(rg_label_field(image, hints, nhints, &sources, &n));
    for (int i = 0; i < n; i++) {
        const rg_label_source *s = &sources[i];
        int joined = 0, right = 0;
        if (s->kind != kind || s->label.class_ < 1) continue;
        for (int k = 0; k < field->nlabels; k++) {
            if (!(overlap(&field->labels[k], &s->label) > JOINED)) continue;
            joined = 1;
            right |= field->labels[k].class_ == s->label.class_;
        }
        total->kind[kind].labels++;
        total->kind[kind].joined += joined;
        total->kind[kind].right += right;
        total->kind[kind].confidence += s->label.confidence;
    }
    free(sources);
    return 0;
}

static int compare_field(agreement *total, const rg_field *field)
{
    rg_label_hint placed[HINTS], sized[HINTS];
    rg_image *image;
    int n = field->nlabels < HINTS ? field->nlabels : HINTS, status = 0;
    RG_TRY(rg_image_read(&image, field->path));
    for (int i = 0; i < n && status == 0; i++) {
        status = hint_at(image, &field->labels[i], 0, &placed[i]);
        if (status == 0) status = hint_at(image, &field->labels[i], 1, &sized[i]);
    }
    if (status == 0)
        status = compare_kind(total, image, field, sized, n, RG_LABEL_EXTENT);
    if (status == 0)
        status = compare_kind(total, image, field, placed, n, RG_LABEL_CENTRED);
    for (rg_label_kind kind = RG_LABEL_PAIRED; kind <= RG_LABEL_ALONE; kind++)
        if (status == 0) status = compare_kind(total, image, field, NULL, 0, kind);
    rg_image_free(image);
    return status;
}

static int compare_untold(const char *list, agreement *total)
{
    rg_dataset *set;
    int status = 0;
    RG_TRY(rg_dataset_read(&set, list));
    for (int i = 0; i < set->nfields && status == 0; i++) {
        status = compare_field(total, &set->fields[i]);
        rg_options_progress("fields", i + 1, set->nfields);
    }
    rg_dataset_free(set);
    return status;
}

/* ---- all of it ---- */

static void print_told(const agreement *total)
{
    double n = total->sources ? total->sources : 1;
    printf("%d sources: components agree for %.1f %%, peaks %.1f %%, class %.1f %%\n"
           "boxes of IoU over", total->sources, 100 * total->components / n,
           100 * total->peaks / n, 100 * total->classes / n);
    for (int i = 0; i < OVERLAPS; i++)
        printf("%s %g: %.1f %%", i ? "," : "", overlap_steps[i],
               100 * total->boxes[i] / n);
    printf("\n%-8s", "people");
    for (int c = 1; c < RG_CLASSES; c++) printf("%7s", rg_boxes_class_name[c]);
    printf("%7s\n", "other");
    for (int t = 1; t < RG_CLASSES; t++) {
        printf("%-8s", rg_boxes_class_name[t]);
        for (int c = 1; c <= RG_CLASSES; c++) printf("%7d", total->confusion[t][c]);
        printf("\n");
    }
}

/* What the tables of core/data/label.c are taken from. */
static void print_confidence(const agreement *total)
{
    printf("class right, of the labels counted so; by at how many of two other levels "
           "it is the same\n%-8s%12s%12s%12s\n", "rule", "0", "1", "2");
    for (int c = 1; c < RG_CLASSES; c++) {
        printf("%-8s", rg_boxes_class_name[c]);
        for (int s = 0; s < STEADY; s++)
            printf("%6d/%-5d", total->apt[c][s], total->counted[c][s]);
        printf("\n");
    }
    printf("not told, by what joined the islands\n%-8s%7s%8s%7s%12s\n", "by", "labels",
           "joined", "right", "confidence");
    for (int k = RG_LABEL_LISTED + 1; k < RG_LABEL_KINDS; k++) {
        double n = total->kind[k].labels ? total->kind[k].labels : 1;
        printf("%-8s%7d%7.1f%%%6.1f%%%12.3f\n", rg_label_kind_name[k],
               total->kind[k].labels, 100 * total->kind[k].joined / n,
               100 * total->kind[k].right / n, total->kind[k].confidence / n);
    }
}

int rg_agreement_print(const char *list)
{
    agreement total = { 0 };
    RG_TRY(compare_told(list, &total));
    RG_TRY(compare_untold(list, &total));
    print_told(&total);
    print_confidence(&total);
    return 0;
}

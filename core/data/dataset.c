/* SPDX-License-Identifier: MIT */
#include "core/data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/engine/error.h"
#include "core/data/csv.h"

enum { FILE_, CLASS, XMIN, YMIN, XMAX, YMAX, IR, CONFIDENCE, COLUMNS,
       NEEDED = IR };
static const char *const column[COLUMNS] = {
    "file", "class", "xmin", "ymin", "xmax", "ymax", "ir", "confidence"
};

char *rg_dataset_locate(const char *list, const char *file)
{
    size_t stem = strlen(list), folder;
    const char *slash = strrchr(list, '/');
    folder = slash ? (size_t)(slash - list) + 1 : 0;
    if (stem > folder + 4 && strcmp(list + stem - 4, ".csv") == 0) stem -= 4;
    size_t room = strlen(list) + strlen(file) + 2;
    char *path = rg_error_alloc(room, 1, "a file name");
    if (path == NULL) return NULL;
    if (file[0] == '/') snprintf(path, room, "%s", file);
    else {
        snprintf(path, room, "%.*s/%s", (int)stem, list, file);
        if (access(path, R_OK) != 0)
            snprintf(path, room, "%.*s%s", (int)folder, list, file);
    }
    if (access(path, R_OK) == 0) return path;
    RG_FAIL("cannot read %s", path);
    free(path);
    return NULL;
}

/* The array with room for entry n; the room is the next power of two. */
static void *grown(void *array, int n, size_t size)
{
    if (n & (n - 1)) return array;
    void *more = realloc(array, (n ? 2 * (size_t)n : 1) * size);
    if (more == NULL) RG_FAIL("out of memory for %d list entries", n);
    return more;
}

static int add_field(rg_dataset *set, const char *list, const char *file)
{
    rg_field *more = grown(set->fields, set->nfields, sizeof *more);
    if (more == NULL) return -1;
    set->fields = more;
    rg_field field = { .path = rg_dataset_locate(list, file) };
    if (field.path == NULL) return -1;
    field.file = strdup(file);
    if (field.file == NULL) {
        free(field.path);
        return RG_FAIL("out of memory for a file name");
    }
    set->fields[set->nfields++] = field;
    return 0;
}

/* The field of that file, new or seen before. */
static rg_field *field_of(rg_dataset *set, const char *list, const char *file)
{
    for (int i = set->nfields - 1; i >= 0; i--)
        if (strcmp(set->fields[i].file, file) == 0) return &set->fields[i];
    if (file[0] == '\0') RG_FAIL("names no file");
    else if (add_field(set, list, file) == 0) return &set->fields[set->nfields - 1];
    return NULL;
}

static int read_label(char *const value[COLUMNS], rg_label *label)
{
    double *const box[] = { &label->xmin, &label->ymin, &label->xmax, &label->ymax };
    RG_TRY(rg_boxes_class(value[CLASS], &label->class_));
    if (label->class_ == RG_CLASS_BACKGROUND)
        return RG_FAIL("background is no class of a source; leave the class empty for "
                       "a field without sources");
    for (int c = XMIN; c <= YMAX; c++)
        RG_TRY(rg_csv_number(value[c], column[c], box[c - XMIN]));
    if (!(label->xmin < label->xmax) || !(label->ymin < label->ymax))
        return RG_FAIL("the box %g,%g to %g,%g is empty", label->xmin, label->ymin,
                       label->xmax, label->ymax);
    label->confidence = 1;
    if (value[CONFIDENCE][0] == '\0') return 0;
    RG_TRY(rg_csv_number(value[CONFIDENCE], "confidence", &label->confidence));
    if (!(label->confidence >= 0 && label->confidence <= 1))
        return RG_FAIL("a confidence of %g is not from 0 to 1", label->confidence);
    return 0;
}

static int read_row(rg_dataset *set, const char *list, char *const value[COLUMNS])
{
    rg_label label;
    rg_field *field = field_of(set, list, value[FILE_]);
    if (field == NULL) return -1;
    if (value[IR][0] != '\0' && field->infrared == NULL)
        field->infrared = rg_dataset_locate(list, value[IR]);
    if (value[IR][0] != '\0' && field->infrared == NULL) return -1;
    if (value[CLASS][0] == '\0') return 0;
    RG_TRY(read_label(value, &label));
    rg_label *more = grown(field->labels, field->nlabels, sizeof *more);
    if (more == NULL) return -1;
    field->labels = more;
    field->labels[field->nlabels++] = label;
    if (label.class_ > 0) set->count[label.class_]++;
    return 0;
}

static int read_rows(rg_dataset *set, const char *path)
{
    rg_csv *csv;
    char *value[COLUMNS];
    int row;
    RG_TRY(rg_csv_open(&csv, path, column, COLUMNS, NEEDED));
    while ((row = rg_csv_next(csv, value)) > 0)
        if (read_row(set, path, value) != 0) {
            row = rg_csv_problem(csv);
            break;
        }
    rg_csv_free(csv);
    if (row == 0 && set->nfields == 0) return RG_FAIL("%s: lists no fields", path);
    return row;
}

int rg_dataset_read(rg_dataset **out, const char *path)
{
    *out = NULL;
    rg_dataset *set = rg_error_alloc(1, sizeof *set, "a data set");
    int status = set ? read_rows(set, path) : -1;
    if (status == 0) *out = set;
    else rg_dataset_free(set);
    return status;
}

int rg_dataset_doubt(rg_dataset *set, double least)
{
    int doubted = 0;
    for (int i = 0; i < set->nfields; i++)
        for (int k = 0; k < set->fields[i].nlabels; k++) {
            rg_label *l = &set->fields[i].labels[k];
            if (l->class_ < 1 || l->confidence >= least) continue;
            set->count[l->class_]--;
            l->class_ = RG_CLASS_IGNORE;
            doubted++;
        }
    return doubted;
}

void rg_dataset_free(rg_dataset *set)
{
    if (set == NULL) return;
    for (int i = 0; i < set->nfields; i++) {
        free(set->fields[i].file);
        free(set->fields[i].path);
        free(set->fields[i].infrared);
        free(set->fields[i].labels);
    }
    free(set->fields);
    free(set);
}

/* SPDX-License-Identifier: MIT */
#include "core/data/csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

struct rg_csv {
    const char *path;              /* borrowed */
    const char *const *column;     /* names; borrowed */
    int columns, needed;           /* those after the needed may be absent */
    int at[RG_CSV_COLUMNS];        /* which cell of a line each column is */
    FILE *file;
    char *line;                    /* getline's; owned */
    size_t room;
    long number;                   /* of the line */
};

/* The next line that is not empty, without its end: 1, or 0 at the end of the file. */
static int next_line(rg_csv *csv)
{
    do {
        errno = 0;
        if (getline(&csv->line, &csv->room, csv->file) < 0) {
            if (errno == 0) return 0;
            return RG_FAIL("%s: cannot read: %s", csv->path, strerror(errno));
        }
        csv->number++;
        csv->line[strcspn(csv->line, "\r\n")] = '\0';
    } while (csv->line[0] == '\0');
    return 1;
}

static int read_header(rg_csv *csv)
{
    int row = next_line(csv);
    if (row < 0) return -1;
    if (row == 0) return RG_FAIL("%s: is empty; a list has a header line", csv->path);
    for (int c = 0; c < csv->columns; c++) csv->at[c] = -1;
    char *line = csv->line;
    for (int i = 0; line != NULL; i++) {
        const char *cell = strsep(&line, ",");
        for (int c = 0; c < csv->columns; c++)
            if (strcmp(cell, csv->column[c]) == 0) csv->at[c] = i;
    }
    for (int c = 0; c < csv->needed; c++)
        if (csv->at[c] < 0)
            return RG_FAIL("%s: its first line names no column \"%s\"", csv->path,
                           csv->column[c]);
    return 0;
}

int rg_csv_open(rg_csv **out, const char *path, const char *const *columns,
                int ncolumns, int needed)
{
    *out = NULL;
    if (ncolumns < 1 || ncolumns > RG_CSV_COLUMNS || needed > ncolumns)
        return RG_FAIL("%s: cannot look for %d columns", path, ncolumns);
    rg_csv *csv = rg_error_alloc(1, sizeof *csv, "a list");
    if (csv == NULL) return -1;
    *csv = (rg_csv){ .path = path, .column = columns, .columns = ncolumns,
                      .needed = needed };
    csv->file = fopen(path, "r");
    int status = csv->file ? read_header(csv) : RG_FAIL("cannot open the list %s: %s",
                                                        path, strerror(errno));
    if (status == 0) *out = csv;
    else rg_csv_free(csv);
    return status;
}

void rg_csv_free(rg_csv *csv)
{
    if (csv == NULL) return;
    if (csv->file) fclose(csv->file);
    free(csv->line);
    free(csv);
}

int rg_csv_next(rg_csv *csv, char **value)
{
    int row = next_line(csv);
    if (row <= 0) return row;
    for (int c = 0; c < csv->columns; c++) value[c] = NULL;
    static char absent[1];
    char *line = csv->line;
    for (int i = 0; line != NULL; i++) {
        char *cell = strsep(&line, ",");
        for (int c = 0; c < csv->columns; c++)
            if (csv->at[c] == i) value[c] = cell;
    }
    for (int c = 0; c < csv->columns; c++) {
        if (csv->at[c] < 0) value[c] = absent;
        if (value[c] == NULL) {
            RG_FAIL("ends before its %s", csv->column[c]);
            return rg_csv_problem(csv);
        }
    }
    return 1;
}

int rg_csv_problem(const rg_csv *csv)
{
    return rg_error_prefix("%s: line %ld: ", csv->path, csv->number);
}

int rg_csv_number(const char *text, const char *column, double *number)
{
    char *end;
    *number = strtod(text, &end);
    end += strspn(end, " \t");
    if (end == text || *end != '\0' || !isfinite(*number))
        return RG_FAIL("%s is \"%s\", not a number", column, text);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "core/learning/losses.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/file.h"
#include "core/data/csv.h"

enum { HEADER = 512, MOST_RUNS = 64 };

/* ---- writing ---- */

static int write_header(char header[HEADER], const char *const *names, int n)
{
    int used = snprintf(header, HEADER, "step");
    for (int i = 0; i < n && used < HEADER; i++)
        used += snprintf(header + used, (size_t)(HEADER - used), ",%s", names[i]);
    if (used < HEADER)
        used += snprintf(header + used, (size_t)(HEADER - used),
                         ",total,rate,norm,images_per_s\n");
    return used < HEADER ? 0 : RG_FAIL("the names of %d losses are too long", n);
}

static int commas(const char *line)
{
    int n = 0;
    for (; *line; line++) n += *line == ',';
    return n;
}

/* Whole rows of steps up to `step`; a row cut off by a crash goes too. */
static int keep_rows(FILE *from, FILE *to, const char *header, const char *path,
                     long step)
{
    char *line = NULL;
    size_t room = 0;
    int status = 0;
    if (getline(&line, &room, from) > 0 && strcmp(line, header) != 0)
        status = RG_FAIL("%s is no log of such a run: its first line is not \"%.*s\"; "
                         "move it away", path, (int)strcspn(header, "\n"), header);
    while (status == 0 && getline(&line, &room, from) > 0) {
        char *end;
        long row = strtol(line, &end, 10);
        if (*end == ',' && row > 0 && row <= step && commas(line) == commas(header)
            && strchr(line, '\n'))
            fputs(line, to);
    }
    free(line);
    return status;
}

static int write_begin(const char *beside, const char *path, const char *header,
                       long step)
{
    FILE *to = fopen(beside, "w");
    if (to == NULL) return RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    FILE *from = step > 0 ? fopen(path, "r") : NULL;
    fputs(header, to);
    int status = from ? keep_rows(from, to, header, path, step) : 0;
    if (from) fclose(from);
    bool bad = ferror(to);
    if ((fclose(to) != 0 || bad) && status == 0)
        status = RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    return status;
}

int rg_losses_begin(const char *path, const char *const *names, int n, long step)
{
    char header[HEADER], beside[RG_FILE_NAME];
    if (n < 1 || n > RG_LOSSES_MOST)
        return RG_FAIL("a log of %d losses: 1 to %d can be kept", n, RG_LOSSES_MOST);
    RG_TRY(write_header(header, names, n));
    RG_TRY(rg_file_beside(path, beside));
    return rg_file_keep(write_begin(beside, path, header, step), beside, path);
}

int rg_losses_add(const char *path, const rg_losses_row *row, const double *loss,
                  int n)
{
    double total = 0;
    FILE *to = fopen(path, "a");
    if (to == NULL) return RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    fprintf(to, "%ld", row->step);
    for (int i = 0; i < n; i++) {
        fprintf(to, ",%.6g", loss[i]);
        total += loss[i];
    }
    fprintf(to, ",%.6g,%.6g,%.6g,%.4g\n", total, row->rate, row->norm,
            row->images_per_s);
    bool bad = ferror(to);
    if (fclose(to) == 0 && !bad) return 0;
    return RG_FAIL("%s cannot be written: %s", path, strerror(errno));
}

/* ---- reading ---- */

enum { STEP, ITERATION_END, METHOD, INPUT, CURVE };
static const char *const columns[] = { "step", "iteration_end", "method", "input_px",
                                       "total", "rpn_cls", "rpn_box", "roi_cls",
                                       "roi_box" };
enum { COLUMNS = sizeof columns / sizeof *columns };

static rg_losses_run *find_run(rg_losses *losses, const char *name)
{
    for (int i = 0; i < losses->nruns; i++)
        if (strcmp(losses->runs[i].name, name) == 0) return &losses->runs[i];
    if (losses->nruns == MOST_RUNS) {
        RG_FAIL("it has more than %d runs", MOST_RUNS);
        return NULL;
    }
    rg_losses_run *run = &losses->runs[losses->nruns++];
    snprintf(run->name, sizeof run->name, "%s", name);
    return run;
}

/* Room for one more in all arrays, twice as much whenever they are full. */
static int make_room(rg_losses_run *run)
{
    if (run->n & (run->n - 1)) return 0;
    if (run->n > 1 << 28) return RG_FAIL("it has too many rows");
    size_t bytes = (run->n ? 2 * (size_t)run->n : 1) * sizeof(double);
    for (int c = -1; c < RG_LOSSES_CURVES; c++) {
        double **array = c < 0 ? &run->step : &run->curve[c];
        double *larger = realloc(*array, bytes);
        if (larger == NULL) return RG_FAIL("out of memory: a log of losses");
        *array = larger;
    }
    return 0;
}

/* Of "m.fits.losses.csv" the "m.fits". */
static int name_length(const char *file)
{
    static const char tail[] = ".losses.csv";
    size_t length = strlen(file), cut = sizeof tail - 1;
    if (length > cut && strcmp(file + length - cut, tail) == 0) length -= cut;
    return length < 150 ? (int)length : 150;
}

static int take_row(rg_losses *losses, const char *file, char **value)
{
    char name[160];
    int at = *value[STEP] ? STEP : ITERATION_END;
    if (!*value[at]) return RG_FAIL("there is no column step, or nothing in it");
    if (*value[METHOD])
        snprintf(name, sizeof name, "%.80s %.40s px", value[METHOD], value[INPUT]);
    else snprintf(name, sizeof name, "%.*s", name_length(file), file);
    rg_losses_run *run = find_run(losses, name);
    if (run == NULL) return -1;
    RG_TRY(make_room(run));
    RG_TRY(rg_csv_number(value[at], columns[at], &run->step[run->n]));
    for (int c = 0; c < RG_LOSSES_CURVES; c++) {
        double *to = &run->curve[c][run->n];
        *to = NAN;
        if (*value[CURVE + c])
            RG_TRY(rg_csv_number(value[CURVE + c], columns[CURVE + c], to));
    }
    run->n++;
    return 0;
}

int rg_losses_read(rg_losses **out, const char *path)
{
    rg_csv *csv;
    char *value[COLUMNS];
    int row = -1;
    const char *slash = strrchr(path, '/');
    rg_losses *losses = rg_error_alloc(1, sizeof *losses, "a log of losses");
    if (losses == NULL) return -1;
    losses->runs = rg_error_alloc(MOST_RUNS, sizeof *losses->runs, "a log of losses");
    if (losses->runs && rg_csv_open(&csv, path, columns, COLUMNS, 0) == 0) {
        while ((row = rg_csv_next(csv, value)) > 0)
            if (take_row(losses, slash ? slash + 1 : path, value) != 0) {
                row = rg_csv_problem(csv);
                break;
            }
        rg_csv_free(csv);
    }
    if (row == 0 && losses->nruns == 0) row = RG_FAIL("%s has no rows", path);
    if (row == 0) *out = losses;
    else rg_losses_free(losses);
    return row;
}

void rg_losses_free(rg_losses *losses)
{
    if (losses == NULL) return;
    for (int i = 0; i < losses->nruns; i++) {
        free(losses->runs[i].step);                  /* NOLINT: there are nruns */
        for (int c = 0; c < RG_LOSSES_CURVES; c++) free(losses->runs[i].curve[c]);
    }
    free(losses->runs);
    free(losses);
}

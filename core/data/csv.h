/* SPDX-License-Identifier: MIT */
/* csv: comma-separated values with a header line, read by column names.
 *
 *     static const char *const columns[] = { "file", "ra_deg" };
 *     rg_csv *csv; char *value[2]; int row;
 *     RG_TRY(rg_csv_open(&csv, "fields.csv", columns, 2, 2));
 *     while ((row = rg_csv_next(csv, value)) > 0) use(value[0], value[1]);
 *     rg_csv_free(csv);
 *     if (row < 0) return -1;
 *
 * Columns may come in any order among others; blank lines are skipped.  No quotes.
 */
#ifndef RG_CSV_H
#define RG_CSV_H

#define RG_CSV_COLUMNS 16

typedef struct rg_csv rg_csv;

/* Open and read the header line; when one of the first `needed` columns is missing,
 * that is a sentence; a missing one of the others has "" in every row.  `path` and
 * `columns` are borrowed.  Caller frees. */
int rg_csv_open(rg_csv **out, const char *path, const char *const *columns,
                int ncolumns, int needed);
void rg_csv_free(rg_csv *csv);

/* Next row: 1 with value[ncolumns] (cut in place, valid until the next call), 0 at the
 * end, -1 when it cannot be read or is too short. */
int rg_csv_next(rg_csv *csv, char **value);

/* Put "FILE: line N: " before the kept sentence; returns -1. */
int rg_csv_problem(const rg_csv *csv);

/* A finite number in the text of that column. */
int rg_csv_number(const char *text, const char *column, double *number);

#endif

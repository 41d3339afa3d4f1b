/* SPDX-License-Identifier: MIT */
/* table: figures with names, units and intervals, for people.
 *
 *     static const rg_column columns[] = { { "ap", "AP", "%", 1, true }, ... };
 *     rg_table t;
 *     rg_table_init(&t, "precision", "Average precision", "class", columns, 3);
 *     int row = rg_table_row(&t, "1C_1P");
 *     t.cell[row][0].value = 83.6;
 *     rg_table_print(&t, stdout);
 */
#ifndef RG_TABLE_H
#define RG_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#define RG_TABLE_ROWS 12
#define RG_TABLE_COLUMNS 10

typedef struct rg_column {
    const char *key;          /* in JSON */
    const char *head;         /* for people */
    const char *unit;         /* "%", "arcsec"; "": a number or a ratio */
    int digits;               /* after the point */
    bool scatters;            /* an interval is wanted */
} rg_column;

typedef struct rg_cell { double value, low, high; } rg_cell;   /* NaN: there is none */

typedef struct rg_table {
    const char *key, *title;  /* borrowed, as all that is const */
    const char *head;         /* of the rows' names */
    const rg_column *column;
    int ncolumns, nrows;
    char row[RG_TABLE_ROWS][24];
    rg_cell cell[RG_TABLE_ROWS][RG_TABLE_COLUMNS];
    char note[512];           /* what it rests on and how to read it */
} rg_table;

void rg_table_init(rg_table *t, const char *key, const char *title, const char *head,
                   const rg_column *columns, int ncolumns);

/* A new row of NaN; its index.  The name is printf style.  Rows over RG_TABLE_ROWS
 * overwrite the last. */
int rg_table_row(rg_table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Title, heads with units, one line a row, the note.  An interval is "83.6 (78.2
 * 88.0)", a missing number "-". */
void rg_table_print(const rg_table *t, FILE *to);

/* A cell as text: "83.6", or with its interval. */
#define RG_TABLE_TEXT 64
void rg_table_text(const rg_table *t, int row, int column, char text[RG_TABLE_TEXT]);

#endif

/* SPDX-License-Identifier: MIT */
#include "core/evaluation/table.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { WIDE = 79 };           /* of a note */

void rg_table_init(rg_table *t, const char *key, const char *title, const char *head,
                   const rg_column *columns, int ncolumns)
{
    *t = (rg_table){ .key = key, .title = title, .head = head, .column = columns,
                     .ncolumns = ncolumns };
}

int rg_table_row(rg_table *t, const char *format, ...)
{
    const int row = t->nrows < RG_TABLE_ROWS ? t->nrows++ : RG_TABLE_ROWS - 1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(t->row[row], sizeof t->row[row], format, arguments);
    va_end(arguments);
    for (int c = 0; c < RG_TABLE_COLUMNS; c++)
        t->cell[row][c] = (rg_cell){ NAN, NAN, NAN };
    return row;
}

void rg_table_text(const rg_table *t, int row, int column, char text[RG_TABLE_TEXT])
{
    const rg_cell *cell = &t->cell[row][column];
    const int digits = t->column[column].digits;
    if (isnan(cell->value)) snprintf(text, RG_TABLE_TEXT, "-");
    else if (isnan(cell->low) || isnan(cell->high))
        snprintf(text, RG_TABLE_TEXT, "%.*f", digits, cell->value);
    else snprintf(text, RG_TABLE_TEXT, "%.*f (%.*f %.*f)", digits, cell->value, digits,
                  cell->low, digits, cell->high);
}

static void heading(const rg_column *c, char text[RG_TABLE_TEXT])
{
    if (c->unit[0]) snprintf(text, RG_TABLE_TEXT, "%s [%s]", c->head, c->unit);
    else snprintf(text, RG_TABLE_TEXT, "%s", c->head);
}

static int width_of(const rg_table *t, int column)
{
    char text[RG_TABLE_TEXT];
    heading(&t->column[column], text);
    size_t width = strlen(text);
    for (int r = 0; r < t->nrows; r++) {
        rg_table_text(t, r, column, text);
        if (strlen(text) > width) width = strlen(text);
    }
    return (int)width + 2;
}

/* Words, in lines of at most WIDE. */
static void print_note(const char *note, FILE *to)
{
    size_t column = 0;
    while (*note) {
        const size_t length = strcspn(note, " ");
        if (column > 0 && column + 1 + length > WIDE) {
            fputc('\n', to);
            column = 0;
        }
        column += (size_t)fprintf(to, "%s%.*s", column ? " " : "", (int)length, note);
        note += length;
        note += strspn(note, " ");
    }
    if (column > 0) fputc('\n', to);
}

void rg_table_print(const rg_table *t, FILE *to)
{
    char text[RG_TABLE_TEXT];
    int width[RG_TABLE_COLUMNS], first = (int)strlen(t->head);
    for (int r = 0; r < t->nrows; r++)
        if ((int)strlen(t->row[r]) > first) first = (int)strlen(t->row[r]);
    fprintf(to, "%s\n%-*s", t->title, first, t->head);
    for (int c = 0; c < t->ncolumns; c++) {
        width[c] = width_of(t, c);
        heading(&t->column[c], text);
        fprintf(to, "%*s", width[c], text);
    }
    fputc('\n', to);
    for (int r = 0; r < t->nrows; r++) {
        fprintf(to, "%-*s", first, t->row[r]);
        for (int c = 0; c < t->ncolumns; c++) {
            rg_table_text(t, r, c, text);
            fprintf(to, "%*s", width[c], text);      /* NOLINT: width is set above */
        }
        fputc('\n', to);
    }
    print_note(t->note, to);
}

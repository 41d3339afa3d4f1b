/* SPDX-License-Identifier: MIT */
/* ledger: a table in memory, its columns with units and UCDs: what every catalogue
 * format is written from and read into.
 *
 *     rg_ledger *ledger; rg_ledger_column *ra;
 *     RG_TRY(rg_ledger_new(&ledger, 2));
 *     ra = rg_ledger_add(ledger, "ra", RG_LEDGER_REAL);
 *     ra->cell.real[0] = 150.1;                        // the other has no value
 *     RG_TRY(rg_ledger_describe(ra, "deg", "pos.eq.ra;meta.main", "right ascension"));
 *     RG_TRY(rg_ledger_state(ledger, "time", "time.creation", "written", "2026..."));
 *     rg_ledger_free(ledger);
 *
 * Texts are UTF-8 of one line.  What cannot be in one (control characters, bytes that
 * are no UTF-8, a blank at an end) is kept as %XX, as in URIs; a % is %25 where two
 * hexadecimal digits follow it.
 */
#ifndef RG_LEDGER_H
#define RG_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { RG_LEDGER_TEXT, RG_LEDGER_REAL, RG_LEDGER_WHOLE } rg_ledger_kind;

#define RG_LEDGER_NONE INT64_MIN      /* a whole number that is not known */

typedef struct rg_ledger_column {
    char *name, *unit, *ucd, *about;  /* owned; "": none */
    rg_ledger_kind kind;
    const char *format;               /* of reals in texts, "%.7f", borrowed; NULL: as
                                         many digits as it takes to read them back */
    union {                           /* [rows], owned; no value: */
        char **text;                  /* "" or NULL */
        double *real;                 /* not finite */
        int64_t *whole;               /* RG_LEDGER_NONE */
    } cell;
} rg_ledger_column;

/* What is said of the table as a whole. */
typedef struct rg_ledger_fact { char *name, *ucd, *about, *value; } rg_ledger_fact;

typedef struct rg_ledger {
    rg_ledger_column *columns;        /* owned */
    int ncolumns;
    rg_ledger_fact *facts;            /* owned */
    int nfacts;
    int rows;
} rg_ledger;

int rg_ledger_new(rg_ledger **out, int rows);
void rg_ledger_free(rg_ledger *ledger);

/* A new last column without values, valid until the next is added; NULL with a sentence
 * when memory runs out, or columns are too many. */
enum { RG_LEDGER_COLUMNS = 10000 };
rg_ledger_column *rg_ledger_add(rg_ledger *ledger, const char *name,
                                rg_ledger_kind kind);

/* As rg_ledger_add; where a column has that name already (capitals or not) it is called
 * NAME_2, NAME_3 ... */
rg_ledger_column *rg_ledger_append(rg_ledger *ledger, const char *name,
                                   rg_ledger_kind kind);
int rg_ledger_describe(rg_ledger_column *column, const char *unit, const char *ucd,
                       const char *about);

/* Says something of the table as a whole; a name that a column or fact has already gets
 * _2, as above: in CSV and TSV facts are columns. */
int rg_ledger_state(rg_ledger *ledger, const char *name, const char *ucd,
                    const char *about, const char *value);

/* A text cell, from anywhere, or (keep) from a catalogue, where % is the mark it is
 * here: copied, cleaned as said above. */
int rg_ledger_put(rg_ledger_column *column, int row, const char *text);
int rg_ledger_keep(rg_ledger_column *column, int row, const char *text);

/* That cleaning; `raw`: % may become %25, blanks at an end %20; `ascii`: bytes beyond
 * ASCII are %XX too.  Caller frees, NULL with a sentence when memory runs out. */
char *rg_ledger_clean(const char *text, bool raw, bool ascii);

/* One more row, without values. */
int rg_ledger_grow(rg_ledger *ledger);

/* A column of texts becomes one of numbers; fails naming the cell that is none, and
 * leaves the column as it was. */
int rg_ledger_convert(rg_ledger *ledger, int column, rg_ledger_kind kind);

/* The cell as text, "" where it has no value; in room[] or the ledger's. */
enum { RG_LEDGER_ROOM = 352 };
const char *rg_ledger_text(const rg_ledger_column *column, int row,
                           char room[RG_LEDGER_ROOM]);

/* The column of that name (capitals or not), NULL: none. */
rg_ledger_column *rg_ledger_find(const rg_ledger *ledger, const char *name);

#endif

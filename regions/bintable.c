/* SPDX-License-Identifier: MIT */
/* bintable: a table as the binary table of a FITS file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/fits.h"
#include "regions/format.h"
#include "regions/memfile.h"

/* ---- writing ---- */

/* A keyword of column i, if there is something to say. */
static void write_key(fitsfile *fits, const char *root, int i, const char *value,
                      const char *about, int *status)
{
    char key[FLEN_KEYWORD];
    fits_make_keyn(root, i + 1, key, status);
    if (*value) fits_write_key_longstr(fits, key, value, about, status);
}

/* "%.7f" is F14.7, "%.6g" is G14.6. */
static void write_display(fitsfile *fits, const rg_ledger_column *c, int i, int *status)
{
    char display[16];
    size_t n = c->format ? strlen(c->format) : 0;
    if (c->kind != RG_LEDGER_REAL || n < 4) return;
    snprintf(display, sizeof display, "%c14.%c", c->format[n - 1] == 'f' ? 'F' : 'G',
             c->format[2]);
    write_key(fits, "TDISP", i, display, "", status);
}

/* FITS has ASCII only.  *cells [rows] and what they hold are the caller's to free. */
static int clean_texts(const rg_ledger_column *c, int rows, char ***cells,
                       size_t *width)
{
    *width = 1;
    *cells = rg_error_alloc((unsigned long)rows, sizeof **cells, "a column");
    if (*cells == NULL) return -1;
    for (int i = 0; i < rows; i++) {
        const char *text = c->cell.text[i] ? c->cell.text[i] : "";
        char *made = rg_ledger_clean(text, false, true);
        if (made == NULL) return -1;
        (*cells)[i] = made;
        if (strlen(made) > *width) *width = strlen(made);
    }
    return 0;
}

static void free_texts(char **cells, int rows)
{
    for (int i = 0; cells && i < rows; i++) free(cells[i]);
    free(cells);
}

/* All columns come before the first row: one inserted later would move the rows. */
static int insert_column(fitsfile *fits, const rg_ledger_column *c, int i, int rows,
                         int *status)
{
    char **cells = NULL, form[32] = "1K";
    size_t width;
    int done = 0;
    if (c->kind == RG_LEDGER_REAL) strcpy(form, "1D");
    if (c->kind == RG_LEDGER_TEXT) {
        done = clean_texts(c, rows, &cells, &width);
        snprintf(form, sizeof form, "%zuA", width);
        free_texts(cells, rows);
    }
    if (done == 0) fits_insert_col(fits, i + 1, c->name, form, status);
    write_key(fits, "TUNIT", i, c->unit, "", status);
    write_key(fits, "TUCD", i, c->ucd, "", status);
    write_key(fits, "TCOMM", i, c->about, "", status);
    write_display(fits, c, i, status);
    return done;
}

static int write_texts(fitsfile *fits, const rg_ledger_column *c, int i, int rows,
                       int *status)
{
    char **cells;
    size_t width;
    int done = clean_texts(c, rows, &cells, &width);
    if (done == 0) fits_write_col_str(fits, i + 1, 1, 1, rows, cells, status);
    free_texts(cells, rows);
    return done;
}

static void write_null(fitsfile *fits, const rg_ledger_column *c, int i, int rows,
                       int *status)
{
    LONGLONG none = RG_LEDGER_NONE;
    char key[FLEN_KEYWORD];
    int k = 0;
    while (k < rows && c->cell.whole[k] != RG_LEDGER_NONE) k++;
    if (k == rows) return;
    fits_make_keyn("TNULL", i + 1, key, status);
    fits_write_key(fits, TLONGLONG, key, &none, "no value", status);
}

static int write_cells(fitsfile *fits, const rg_ledger_column *c, int i, int rows,
                       int *status)
{
    if (c->kind == RG_LEDGER_TEXT) return write_texts(fits, c, i, rows, status);
    if (c->kind == RG_LEDGER_REAL)
        fits_write_col(fits, TDOUBLE, i + 1, 1, 1, rows, c->cell.real, status);
    else
        fits_write_col(fits, TLONGLONG, i + 1, 1, 1, rows, c->cell.whole, status);
    return 0;
}

static int write_history(fitsfile *fits, const rg_ledger *ledger, int *status)
{
    for (int i = 0; i < ledger->nfacts; i++) {
        const rg_ledger_fact *fact = &ledger->facts[i];
        char *value = rg_ledger_clean(fact->value, false, true), *line = NULL;
        if (value && asprintf(&line, "%s: %s", fact->name, value) < 0) line = NULL;
        if (line) fits_write_history(fits, line, status);
        free(value);
        if (line == NULL) return RG_FAIL("out of memory for a table");
        free(line);
    }
    return 0;
}

static int fill(fitsfile *fits, const void *what, int *status)
{
    const rg_ledger *ledger = what;
    fits_create_img(fits, BYTE_IMG, 0, NULL, status);
    fits_write_date(fits, status);
    fits_write_chksum(fits, status);
    fits_create_tbl(fits, BINARY_TBL, 0, 0, NULL, NULL, NULL, "CATALOGUE", status);
    fits_write_key_longwarn(fits, status);
    fits_write_key_str(fits, "RADESYS", "ICRS", "of all positions", status);
    fits_write_key_str(fits, "CREATOR", "claran " RG_VERSION, "", status);
    fits_write_date(fits, status);
    RG_TRY(write_history(fits, ledger, status));
    for (int i = 0; i < ledger->ncolumns; i++)
        RG_TRY(insert_column(fits, &ledger->columns[i], i, ledger->rows, status));
    for (int i = 0; i < ledger->ncolumns && ledger->rows > 0; i++) {
        if (ledger->columns[i].kind == RG_LEDGER_WHOLE)
            write_null(fits, &ledger->columns[i], i, ledger->rows, status);
        RG_TRY(write_cells(fits, &ledger->columns[i], i, ledger->rows, status));
    }
    fits_write_chksum(fits, status);
    return 0;
}

static int write_fits(const rg_ledger *ledger, FILE *to)
{
    return rg_memfile_write(fill, ledger, to);
}

/* ---- reading ---- */

/* Whether a column has one value a row; others are passed over.  Whole numbers that
 * TSCAL or TZERO make real are real. */
static bool is_plain(fitsfile *fits, int i, rg_ledger_kind *kind, long *width,
                     int *status)
{
    int type;
    long repeat, size;
    fits_get_eqcoltype(fits, i, &type, &repeat, &size, status);
    *width = repeat;
    *kind = type == TSTRING ? RG_LEDGER_TEXT
        : type == TFLOAT || type == TDOUBLE ? RG_LEDGER_REAL : RG_LEDGER_WHOLE;
    if (*status != 0 || type < 0) return false;
    if (type == TSTRING) return repeat > 0 && (size == 0 || size >= repeat);
    return repeat == 1 && type != TLOGICAL && type != TBIT && type != TCOMPLEX
           && type != TDBLCOMPLEX;
}

static int read_texts(fitsfile *fits, rg_ledger_column *c, int i, int rows, long width,
                      int *status)
{
    char *text = rg_error_alloc((unsigned long)width + 1, 1, "a column");
    int done = text ? 0 : -1;
    for (int k = 0; k < rows && done == 0; k++) {
        fits_read_col_str(fits, i, k + 1, 1, 1, "", &text, NULL, status);
        if (*status != 0) break;
        for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
            text[n - 1] = '\0';       /* blanks at the end say nothing */
        done = rg_ledger_keep(c, k, text);
    }
    free(text);
    return done;
}

/* The text of a keyword of column i, "" where there is none. */
static void read_key(fitsfile *fits, const char *root, int i, char value[FLEN_VALUE])
{
    char key[FLEN_KEYWORD];
    int absent = 0;
    *value = '\0';
    fits_make_keyn(root, i, key, &absent);
    if (fits_read_key(fits, TSTRING, key, value, NULL, &absent) != 0) *value = '\0';
    fits_clear_errmsg();
}

static int read_column(fitsfile *fits, rg_ledger *to, int i, int *status)
{
    char name[FLEN_VALUE], unit[FLEN_VALUE], ucd[FLEN_VALUE];
    LONGLONG none = RG_LEDGER_NONE;
    double nan = NAN;
    rg_ledger_kind kind;
    long width;
    int any;
    if (!is_plain(fits, i, &kind, &width, status)) return 0;
    read_key(fits, "TTYPE", i, name);
    read_key(fits, "TUNIT", i, unit);
    read_key(fits, "TUCD", i, ucd);
    if (*name == '\0') snprintf(name, sizeof name, "column%d", i);
    rg_ledger_column *c = rg_ledger_add(to, name, kind);
    if (c == NULL || rg_ledger_describe(c, unit, ucd, "") != 0) return -1;
    if (to->rows == 0) return 0;
    if (kind == RG_LEDGER_TEXT)
        return read_texts(fits, c, i, to->rows, width, status);
    if (kind == RG_LEDGER_REAL)
        fits_read_col(fits, TDOUBLE, i, 1, 1, to->rows, &nan, c->cell.real, &any,
                      status);
    else
        fits_read_col(fits, TLONGLONG, i, 1, 1, to->rows, &none, c->cell.whole, &any,
                      status);
    return 0;
}

static int find_table(rg_fits *fits)
{
    int moved = 0, kind, status = 0;
    while (moved == 0 && fits_get_hdu_type(fits->file, &kind, &status) == 0
           && kind == IMAGE_HDU)
        moved = rg_fits_next(fits);
    return moved > 0 ? RG_FAIL("it has no table") : moved;
}

/* Rows and columns; the last byte is read before anything is allocated for them. */
static int measure(rg_fits *file, int *rows, int *columns)
{
    LONGLONG n = 0;
    long row = 0;
    unsigned char last;
    int status = 0;
    fitsfile *fits = file->file;
    RG_TRY(find_table(file));
    fits_get_num_rowsll(fits, &n, &status);
    fits_get_num_cols(fits, columns, &status);
    fits_read_key(fits, TLONG, "NAXIS1", &row, NULL, &status);
    if (status == 0 && n > 0 && row > 0)
        fits_read_tblbytes(fits, n, row, 1, &last, &status);
    if (status != 0) return rg_memfile_fail(status, "it is cut or damaged");
    if (n > INT32_MAX) return RG_FAIL("%lld rows are too many", (long long)n);
    *rows = (int)n;
    return 0;
}

static int read_columns(rg_fits *fits, rg_ledger **out)
{
    int rows = 0, columns = 0, status = 0, done = 0;
    RG_TRY(measure(fits, &rows, &columns));
    RG_TRY(rg_ledger_new(out, rows));
    for (int i = 1; i <= columns && done == 0 && status == 0; i++)
        done = read_column(fits->file, *out, i, &status);
    if (done == 0 && status != 0) done = rg_memfile_fail(status, "it is damaged");
    return done;
}

static int read_fits(const char *path, rg_ledger **out)
{
    rg_fits fits;
    *out = NULL;
    if (rg_fits_open(&fits, path) != 0) return rg_error_prefix("%s ", path);
    int done = read_columns(&fits, out);
    rg_fits_close(&fits);
    if (done == 0) return 0;
    rg_ledger_free(*out);
    *out = NULL;
    return rg_error_prefix("%s: ", path);
}

const rg_format rg_format_fits = { "fits", ".fits .fit", write_fits, read_fits };

/* SPDX-License-Identifier: MIT */
/* separated: values separated by commas or tabs: CSV (RFC 4180), ECSV, TSV. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "regions/format.h"

/* ---- writing ---- */

/* With quotes where the format has them and the text needs them. */
static void write_cell(FILE *to, const char *text, char separator)
{
    if (separator == '\t' || strpbrk(text, ",\"\r\n#") == NULL) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"') fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

/* Facts, which have no place of their own in these formats, are columns of constants
 * where `facts` says so. */
static int write_values(const rg_ledger *ledger, FILE *to, char separator, bool facts)
{
    char room[RG_LEDGER_ROOM];
    int nfacts = facts ? ledger->nfacts : 0;
    for (int row = -1; row < ledger->rows; row++) {
        for (int i = 0; i < ledger->ncolumns + nfacts; i++) {
            const char *text;
            if (i > 0) fputc(separator, to);
            if (i >= ledger->ncolumns) {
                const rg_ledger_fact *fact = &ledger->facts[i - ledger->ncolumns];
                text = row < 0 ? fact->name : fact->value;
            } else {
                const rg_ledger_column *c = &ledger->columns[i];
                text = row < 0 ? c->name : rg_ledger_text(c, row, room);
            }
            write_cell(to, text, separator);
        }
        fputc('\n', to);
    }
    return 0;
}

static int write_csv(const rg_ledger *ledger, FILE *to)
{
    return write_values(ledger, to, ',', true);
}

static int write_tsv(const rg_ledger *ledger, FILE *to)
{
    return write_values(ledger, to, '\t', true);
}

/* ECSV's header is YAML, which a JSON text is too. */
static int write_yaml(FILE *to, const char *before, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_ENSURE_ASCII) : NULL;
    json_decref(value);
    if (text == NULL) return RG_FAIL("out of memory for a table");
    fprintf(to, "# %s%s\n", before, text);
    free(text);
    return 0;
}

static json_t *describe(const rg_ledger_column *c)
{
    static const char *const type[] = { "string", "float64", "int64" };
    json_t *column = json_pack("{ssssss}", "name", c->name, "datatype", type[c->kind],
                               "description", c->about);
    if (column && *c->unit) json_object_set_new(column, "unit", json_string(c->unit));
    if (column && *c->ucd)
        json_object_set_new(column, "meta", json_pack("{ss}", "ucd", c->ucd));
    return column;
}

static int write_ecsv(const rg_ledger *ledger, FILE *to)
{
    fputs("# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n", to);
    for (int i = 0; i < ledger->ncolumns; i++)
        RG_TRY(write_yaml(to, "- ", describe(&ledger->columns[i])));
    json_t *meta = json_object();
    for (int i = 0; i < ledger->nfacts; i++)
        json_object_set_new(meta, ledger->facts[i].name,
                            json_string(ledger->facts[i].value));
    RG_TRY(write_yaml(to, "meta: ", meta));
    fputs("# schema: astropy-2.0\n", to);
    return write_values(ledger, to, ',', false);
}

/* ---- reading ---- */

typedef struct reader {
    const char *at;           /* in the text */
    char separator;
    char *cell;               /* room for the longest */
    bool last;                /* the cell was the last of its line */
} reader;

/* The next cell into r->cell: -1 at the end of the text. */
static int next_cell(reader *r)
{
    char *to = r->cell;
    bool quoted = r->separator != '\t' && *r->at == '"';
    if (*r->at == '\0') return -1;
    for (r->at += quoted; *r->at; r->at++) {
        if (quoted && *r->at == '"' && *++r->at != '"') quoted = false;
        if (!quoted && (*r->at == r->separator || *r->at == '\n' || !*r->at)) break;
        *to++ = *r->at;
    }
    if (to > r->cell && to[-1] == '\r') to--;
    *to = '\0';
    r->last = *r->at != r->separator;
    r->at += *r->at != '\0';
    return 0;
}

/* Whether a line is dashes alone, as under the names of a TSV's columns. */
static bool is_rule(const char *line)
{
    const char end = line[strspn(line, "- \t\r")];
    return line[0] == '-' && line[1] == '-' && (end == '\n' || end == '\0');
}

/* Comment lines (ECSV's header among them) and, of TSV, lines of dashes. */
static void skip_lines(reader *r)
{
    while (*r->at == '#' || *r->at == '\n' || *r->at == '\r'
           || (r->separator == '\t' && is_rule(r->at))) {
        r->at += strcspn(r->at, "\n");
        r->at += *r->at == '\n';
    }
}

static int read_header(reader *r, rg_ledger *ledger)
{
    skip_lines(r);
    do {
        if (next_cell(r) != 0) return RG_FAIL("it has no line with column names");
        if (rg_ledger_add(ledger, r->cell, RG_LEDGER_TEXT) == NULL) return -1;
    } while (!r->last);
    return 0;
}

static int read_row(reader *r, rg_ledger *ledger)
{
    int n = 0;
    RG_TRY(rg_ledger_grow(ledger));
    do {
        r->last = next_cell(r) != 0 || r->last;
        if (n < ledger->ncolumns)
            RG_TRY(rg_ledger_keep(&ledger->columns[n], ledger->rows - 1, r->cell));
        n++;
    } while (!r->last);
    if (n == ledger->ncolumns) return 0;
    return RG_FAIL("row %d has %d cells for %d columns", ledger->rows, n,
                   ledger->ncolumns);
}

/* Whether a cell is no number, though it looks like one: 00123. */
static bool has_codes(const rg_ledger *ledger, int column)
{
    for (int i = 0; i < ledger->rows; i++) {
        const char *text = ledger->columns[column].cell.text[i];
        if (text && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return true;
    }
    return false;
}

static int read_rows(reader *r, rg_ledger *ledger)
{
    RG_TRY(read_header(r, ledger));
    for (skip_lines(r); *r->at; skip_lines(r)) RG_TRY(read_row(r, ledger));
    for (int i = 0; i < ledger->ncolumns; i++)
        if (!has_codes(ledger, i) && rg_ledger_convert(ledger, i, RG_LEDGER_WHOLE) != 0)
            (void)rg_ledger_convert(ledger, i, RG_LEDGER_REAL);   /* else it is text */
    return 0;
}

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL || getdelim(&text, &room, '\0', file) < 0) {
        int problem = errno;
        free(text);
        text = NULL;
        if (file == NULL || problem != 0) RG_FAIL("%s", strerror(problem));
        else RG_FAIL("it is empty");
    }
    if (file != NULL) fclose(file);
    return text;
}

static int read_separated(const char *path, char separator, rg_ledger **out)
{
    errno = 0;
    char *text = read_text(path);
    reader r = { .at = text, .separator = separator };
    *out = NULL;
    if (text == NULL) return rg_error_prefix("%s cannot be read: ", path);
    r.cell = rg_error_alloc(strlen(text) + 1, 1, "a table's text");
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) r.at += 3;   /* a mark */
    int status = r.cell ? rg_ledger_new(out, 0) : -1;
    if (status == 0) status = read_rows(&r, *out);
    free(r.cell);
    free(text);
    if (status == 0) return 0;
    rg_ledger_free(*out);
    *out = NULL;
    return rg_error_prefix("%s: ", path);
}

static int read_csv(const char *path, rg_ledger **out)
{
    return read_separated(path, ',', out);
}

static int read_tsv(const char *path, rg_ledger **out)
{
    return read_separated(path, '\t', out);
}

const rg_format rg_format_csv = { "csv", ".csv", write_csv, read_csv };
const rg_format rg_format_ecsv = { "ecsv", ".ecsv", write_ecsv, read_csv };
const rg_format rg_format_tsv = { "tsv", ".tsv", write_tsv, read_tsv };

/* SPDX-License-Identifier: MIT */
#include "regions/ledger.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/engine/error.h"

/* ---- texts ---- */

/* Bytes of the printable character that begins here, 0: none does. */
static int character(const unsigned char *c)
{
    int more = c[0] < 0x80 ? 0 : c[0] < 0xe0 ? 1 : c[0] < 0xf0 ? 2 : 3;
    unsigned code = c[0] & (more ? 0x3fu >> more : 0x7fu);
    static const unsigned least[] = { 0x20, 0xa0, 0x800, 0x10000 };
    if ((c[0] >= 0x80 && c[0] < 0xc2) || c[0] > 0xf4) return 0;
    for (int i = 1; i <= more; i++) {
        if ((c[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (c[i] & 0x3f);
    }
    if (code < least[more] || code == 0x7f || code > 0x10ffff) return 0;
    if (code >= 0xd800 && code < 0xe000) return 0;          /* halves of UTF-16 */
    if (code == 0x2028 || code == 0x2029) return 0;         /* ends of lines */
    return (code & 0xfffe) == 0xfffe ? 0 : more + 1;
}

char *rg_ledger_clean(const char *text, bool raw, bool ascii)
{
    char *made = rg_error_alloc(strlen(text) + 1, 3, "a text"), *to = made;
    if (made == NULL) return NULL;
    for (const char *c = text; *c;) {
        int n = character((const unsigned char *)c);
        bool end = raw && *c == ' ' && (c == text || c[1] == '\0');
        bool code = raw && *c == '%' && isxdigit((unsigned char)c[1])
                    && isxdigit((unsigned char)c[2]);
        if (n == 0 || end || code || (ascii && n > 1)) {
            to += sprintf(to, "%%%02X", (unsigned char)*c++);
            continue;
        }
        memcpy(to, c, (size_t)n);
        to += n;
        c += n;
    }
    return made;
}

static char *copy(const char *text)
{
    return rg_ledger_clean(text ? text : "", false, false);
}

static int put(rg_ledger_column *column, int row, const char *text, bool raw)
{
    char *made = rg_ledger_clean(text, raw, false);
    if (made == NULL) return -1;
    free(column->cell.text[row]);
    column->cell.text[row] = made;
    return 0;
}

int rg_ledger_put(rg_ledger_column *column, int row, const char *text)
{
    return put(column, row, text, true);
}

int rg_ledger_keep(rg_ledger_column *column, int row, const char *text)
{
    return put(column, row, text, false);
}

/* As few digits, from nine on, as read back the same. */
static void write_real(double value, char room[RG_LEDGER_ROOM])
{
    static const int digits[] = { 9, 12, 15, 17 };
    for (int i = 0; i < 4; i++) {
        snprintf(room, RG_LEDGER_ROOM, "%.*g", digits[i], value);
        if (!(strtod(room, NULL) < value || strtod(room, NULL) > value)) return;
    }
}

const char *rg_ledger_text(const rg_ledger_column *column, int row,
                           char room[RG_LEDGER_ROOM])
{
    room[0] = '\0';
    if (column->kind == RG_LEDGER_TEXT)
        return column->cell.text[row] ? column->cell.text[row] : room;
    if (column->kind == RG_LEDGER_WHOLE) {
        if (column->cell.whole[row] != RG_LEDGER_NONE)
            snprintf(room, RG_LEDGER_ROOM, "%lld", (long long)column->cell.whole[row]);
    } else if (isfinite(column->cell.real[row])) {
        if (column->format == NULL) write_real(column->cell.real[row], room);
        else snprintf(room, RG_LEDGER_ROOM, column->format, column->cell.real[row]);
    }
    return room;
}

/* ---- columns ---- */

int rg_ledger_new(rg_ledger **out, int rows)
{
    *out = rg_error_alloc(1, sizeof **out, "a table");
    if (*out == NULL) return -1;
    (*out)->rows = rows;
    return 0;
}

static void free_cells(rg_ledger_column *column, int rows)
{
    for (int i = 0; column->kind == RG_LEDGER_TEXT && i < rows; i++)
        free(column->cell.text[i]);
    free(column->cell.text);
}

void rg_ledger_free(rg_ledger *ledger)
{
    if (ledger == NULL) return;
    for (int i = 0; i < ledger->ncolumns; i++) {
        rg_ledger_column *c = &ledger->columns[i];
        free_cells(c, ledger->rows);
        free(c->name);
        free(c->unit);
        free(c->ucd);
        free(c->about);
    }
    for (int i = 0; i < ledger->nfacts; i++) {
        free(ledger->facts[i].name);
        free(ledger->facts[i].ucd);
        free(ledger->facts[i].about);
        free(ledger->facts[i].value);
    }
    free(ledger->columns);
    free(ledger->facts);
    free(ledger);
}

/* The array with room for `n` more than it has: it doubles at powers of two. */
static int make_room(void **array, int n, size_t size)
{
    if (n & (n - 1)) return 0;
    void *more = realloc(*array, (n ? 2 * (size_t)n : 1) * size);
    if (more == NULL) return RG_FAIL("out of memory for a table");
    *array = more;
    return 0;
}

static void empty(rg_ledger_column *column, int row)
{
    if (column->kind == RG_LEDGER_TEXT) column->cell.text[row] = NULL;
    else if (column->kind == RG_LEDGER_REAL) column->cell.real[row] = NAN;
    else column->cell.whole[row] = RG_LEDGER_NONE;
}

/* Room for the next power of two, as rg_ledger_grow expects. */
static int make_cells(rg_ledger_column *column, int rows)
{
    size_t room = 1;
    while (room < (size_t)rows) room *= 2;
    column->cell.text = rg_error_alloc(room, sizeof(int64_t), "a column");
    if (column->cell.text == NULL) return -1;
    for (int i = 0; i < rows; i++) empty(column, i);
    return 0;
}

rg_ledger_column *rg_ledger_add(rg_ledger *ledger, const char *name,
                                rg_ledger_kind kind)
{
    rg_ledger_column made = { .kind = kind };
    if (ledger->ncolumns == RG_LEDGER_COLUMNS) {
        RG_FAIL("a table of more than %d columns", RG_LEDGER_COLUMNS);
        return NULL;
    }
    if (make_room((void **)&ledger->columns, ledger->ncolumns, sizeof made) != 0
        || make_cells(&made, ledger->rows) != 0) return NULL;
    rg_ledger_column *column = &ledger->columns[ledger->ncolumns++];
    *column = made;
    column->name = copy(name);
    if (column->name == NULL) return NULL;
    return rg_ledger_describe(column, "", "", "") == 0 ? column : NULL;
}

static bool is_taken(const rg_ledger *ledger, const char *name)
{
    for (int i = 0; i < ledger->nfacts; i++)
        if (strcasecmp(ledger->facts[i].name, name) == 0) return true;
    return rg_ledger_find(ledger, name) != NULL;
}

enum { NAME_ROOM = 256, NAME_MOST = 240 };

/* Whether it is `name` [n], or that with _ and a number behind. */
static bool is_like(const char *other, const char *name, size_t n)
{
    if (strncasecmp(other, name, n) != 0) return false;
    const char *behind = other + n;
    return *behind == '\0' || (*behind == '_' && strspn(behind + 1, "0123456789")
                                                     == strlen(behind + 1));
}

/* `name`, with _2, _3 ... where it is taken: the next number in one go, as tables have
 * thousands of columns without a name. */
static void make_name(const rg_ledger *ledger, const char *name, char made[NAME_ROOM])
{
    const size_t n = strnlen(name, NAME_MOST);
    int number = 1;
    for (int i = 0; i < ledger->nfacts; i++)
        number += is_like(ledger->facts[i].name, name, n);
    for (int i = 0; i < ledger->ncolumns; i++)
        number += is_like(ledger->columns[i].name, name, n);
    snprintf(made, NAME_ROOM, "%.*s", (int)n, name);
    for (; is_taken(ledger, made); number++)
        snprintf(made, NAME_ROOM, "%.*s_%d", (int)n, name, number);
}

rg_ledger_column *rg_ledger_append(rg_ledger *ledger, const char *name,
                                   rg_ledger_kind kind)
{
    char made[NAME_ROOM];
    make_name(ledger, name, made);
    return rg_ledger_add(ledger, made, kind);
}

static int replace(char **text, const char *with)
{
    char *made = copy(with);
    if (made == NULL) return -1;
    free(*text);
    *text = made;
    return 0;
}

int rg_ledger_describe(rg_ledger_column *column, const char *unit, const char *ucd,
                       const char *about)
{
    RG_TRY(replace(&column->unit, unit));
    RG_TRY(replace(&column->ucd, ucd));
    return replace(&column->about, about);
}

int rg_ledger_state(rg_ledger *ledger, const char *name, const char *ucd,
                    const char *about, const char *value)
{
    rg_ledger_fact *fact;
    char made[NAME_ROOM];
    make_name(ledger, name, made);
    RG_TRY(make_room((void **)&ledger->facts, ledger->nfacts, sizeof *fact));
    fact = &ledger->facts[ledger->nfacts++];
    *fact = (rg_ledger_fact){ copy(made), copy(ucd), copy(about),
                              rg_ledger_clean(value, true, false) };
    return fact->name && fact->ucd && fact->about && fact->value ? 0 : -1;
}

rg_ledger_column *rg_ledger_find(const rg_ledger *ledger, const char *name)
{
    for (int i = 0; i < ledger->ncolumns; i++)
        if (strcasecmp(ledger->columns[i].name, name) == 0) return &ledger->columns[i];
    return NULL;
}

/* ---- rows ---- */

int rg_ledger_grow(rg_ledger *ledger)
{
    if (ledger->rows == INT32_MAX) return RG_FAIL("a table of more than %d rows",
                                                  INT32_MAX);
    for (int i = 0; i < ledger->ncolumns; i++) {
        rg_ledger_column *c = &ledger->columns[i];
        RG_TRY(make_room((void **)&c->cell.text, ledger->rows, sizeof(int64_t)));
        empty(c, ledger->rows);
    }
    ledger->rows++;
    return 0;
}

/* Not a number is no value; anything else that is none is a failure. */
static int read_cell(const char *text, rg_ledger_column *to, int row)
{
    char *end;
    errno = 0;
    if (text == NULL || *text == '\0') return 0;
    if (to->kind == RG_LEDGER_REAL) to->cell.real[row] = strtod(text, &end);
    else to->cell.whole[row] = strtoll(text, &end, 10);
    end += strspn(end, " ");
    if (end == text || *end || (to->kind == RG_LEDGER_WHOLE && errno == ERANGE))
        return RG_FAIL("row %d of column %s is \"%s\", not a %snumber", row + 1,
                       to->name, text, to->kind == RG_LEDGER_REAL ? "" : "whole ");
    return 0;
}

int rg_ledger_convert(rg_ledger *ledger, int column, rg_ledger_kind kind)
{
    rg_ledger_column *from = &ledger->columns[column], to = *from;
    to.kind = kind;
    RG_TRY(make_cells(&to, ledger->rows));
    int status = 0;
    for (int i = 0; i < ledger->rows && status == 0; i++)
        status = read_cell(from->cell.text[i], &to, i);
    if (status == 0) {
        free_cells(from, ledger->rows);
        *from = to;
    } else {
        free(to.cell.text);
    }
    return status;
}

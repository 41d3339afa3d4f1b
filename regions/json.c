/* SPDX-License-Identifier: MIT */
/* json: a table as one JSON object: facts, columns, rows. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "regions/format.h"

/* A number as other formats have it, not the 17 digits of a double. */
static void write_number(const rg_ledger_column *c, int row, FILE *to)
{
    char room[RG_LEDGER_ROOM];
    const char *text = rg_ledger_text(c, row, room);
    fputs(*text ? text : "null", to);
}

static int write_string(const char *text, FILE *to)
{
    json_t *string = json_string(text);
    int status = string ? json_dumpf(string, to, JSON_ENCODE_ANY) : -1;
    json_decref(string);
    return status == 0 ? 0 : RG_FAIL("out of memory for a text");
}

static int write_facts(const rg_ledger *ledger, FILE *to)
{
    for (int i = 0; i < ledger->nfacts; i++) {
        fprintf(to, "%s\n  ", i ? "," : "");
        RG_TRY(write_string(ledger->facts[i].name, to));
        fputs(": ", to);
        RG_TRY(write_string(ledger->facts[i].value, to));
    }
    return 0;
}

static int write_columns(const rg_ledger *ledger, FILE *to)
{
    for (int i = 0; i < ledger->ncolumns; i++) {
        const rg_ledger_column *c = &ledger->columns[i];
        json_t *column = json_pack("{ssssssss}", "name", c->name, "unit", c->unit,
                                   "ucd", c->ucd, "description", c->about);
        fprintf(to, "%s\n  ", i ? "," : "");
        int status = column ? json_dumpf(column, to, 0) : -1;
        json_decref(column);
        if (status != 0) return RG_FAIL("out of memory for a table");
    }
    return 0;
}

static int write_row(const rg_ledger *ledger, int row, FILE *to)
{
    fprintf(to, "%s\n  {", row ? "," : "");
    for (int i = 0; i < ledger->ncolumns; i++) {
        const rg_ledger_column *c = &ledger->columns[i];
        if (i > 0) fputs(", ", to);
        RG_TRY(write_string(c->name, to));
        fputs(": ", to);
        if (c->kind != RG_LEDGER_TEXT) write_number(c, row, to);
        else if (c->cell.text[row] == NULL || *c->cell.text[row] == '\0')
            fputs("null", to);
        else RG_TRY(write_string(c->cell.text[row], to));
    }
    fputc('}', to);
    return 0;
}

static int write_json(const rg_ledger *ledger, FILE *to)
{
    fputs("{ \"claran\": {", to);
    RG_TRY(write_facts(ledger, to));
    fputs("},\n\"columns\": [", to);
    RG_TRY(write_columns(ledger, to));
    fputs("],\n\"rows\": [", to);
    for (int i = 0; i < ledger->rows; i++) RG_TRY(write_row(ledger, i, to));
    fputs("] }\n", to);
    return 0;
}

const rg_format rg_format_json = { .name = "json", .endings = ".json",
                                   .write = write_json };

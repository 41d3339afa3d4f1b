/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "plugin/commands.h"
#include "plugin/options.h"
#include "plugin/output.h"
#include "regions/format.h"
#include "regions/match.h"

typedef struct task {
    rg_matching how;
    const char *path, *format;    /* -o, --format */
    char options[1024];           /* all of them, as text */
    const rg_format *to;
    rg_output output;
    rg_ledger *tables[2], *joined;
} task;

static int read_table(const char *path, rg_ledger **table)
{
    const rg_format *format;
    RG_TRY(rg_format_find(path, NULL, &format));
    if (format->read == NULL)
        return RG_FAIL("%s: tables are read as .fits, .vot (.xml), .csv, .ecsv or .tsv",
                       path);
    return format->read(path, table);
}

static int open_output(task *t)
{
    if (t->path == NULL) return 0;
    RG_TRY(rg_format_find(t->path, t->format, &t->to));
    if (t->to->write == NULL)
        return RG_FAIL("a cross-match is a table, which %s is not", t->to->name);
    return rg_output_open(&t->output, t->path);
}

/* What people call a row: its first text, else its first cell. */
static const char *name_of(const rg_ledger *table, int row, char room[RG_LEDGER_ROOM])
{
    int i = 0;
    while (i < table->ncolumns && table->columns[i].kind != RG_LEDGER_TEXT) i++;
    return rg_ledger_text(&table->columns[i < table->ncolumns ? i : 0], row, room);
}

static void print_table(const task *t)
{
    const rg_ledger_column *added = t->joined->columns + t->tables[0]->ncolumns;
    const int64_t *matches = added[RG_MATCH_MATCHES].cell.whole;
    const int64_t *row = added[RG_MATCH_ROW].cell.whole;
    const double *apart = added[RG_MATCH_SEPARATION].cell.real;
    char room[RG_LEDGER_ROOM];
    printf("%-24s %7s %10s  %s\n", "name", "matches", "separation", "nearest");
    for (int i = 0; i < t->joined->rows; i++) {
        printf("%-24s %7d", name_of(t->tables[0], i, room), (int)matches[i]);
        if (matches[i] > 0)
            printf(" %9.2f\"  row %d %s", apart[i], (int)row[i],
                   name_of(t->tables[1], (int)row[i] - 1, room));
        putchar('\n');
    }
}

static int state(task *t, char **paths)
{
    RG_TRY(rg_ledger_state(t->joined, "creator", "meta.id;meta.software",
                           "program and version", "claran " RG_VERSION));
    RG_TRY(rg_ledger_state(t->joined, "sources", "meta.id;meta.file", "first table",
                           paths[0]));
    RG_TRY(rg_ledger_state(t->joined, "others", "meta.id;meta.file", "second table",
                           paths[1]));
    return rg_ledger_state(t->joined, "options", "meta.note", "of the program",
                           t->options);
}

static int crossmatch(task *t, char **paths)
{
    int matched;
    RG_TRY(open_output(t));
    for (int i = 0; i < 2; i++) RG_TRY(read_table(paths[i], &t->tables[i]));
    t->how.names[0] = paths[0];
    t->how.names[1] = paths[1];
    RG_TRY(rg_match(t->tables[0], t->tables[1], &t->how, &t->joined, &matched));
    RG_TRY(state(t, paths));
    if (t->path == NULL) print_table(t);
    else {
        RG_TRY(t->to->write(t->joined, t->output.file));
        RG_TRY(rg_output_keep(&t->output, 1));
    }
    fprintf(t->path && strcmp(t->path, "-") == 0 ? stderr : stdout,
            "%d of %d sources of %s have a match in %s within %g\"\n", matched,
            t->joined->rows, paths[0], paths[1], t->how.radius);
    return 0;
}

int rg_crossmatch_main(int argc, char **argv)
{
    task t = { .how = { .radius = 5 } };
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &t.path, 0, 0, "FILE",
          "where to: .fits .vot .csv .ecsv .tsv .json, or - (CSV on stdout)" },
        { "format", 0, RG_OPTION_TEXT, &t.format, 0, 0, "NAME",
          "fits, votable, csv, ecsv, tsv or json; else as the name ends" },
        { "radius", 'r', RG_OPTION_DOUBLE, &t.how.radius, 0.001, 3600, "ARCSEC",
          "how far apart at most [arcsec]:" },
        { "ra", 0, RG_OPTION_TEXT, &t.how.ra, 0, 0, "COLUMN",
          "CATALOGUE's right ascension [deg]; else by UCD or name" },
        { "dec", 0, RG_OPTION_TEXT, &t.how.dec, 0, 0, "COLUMN",
          "CATALOGUE's declination [deg]; else by UCD or name" },
        { .name = NULL }
    };
    const rg_usage usage = { "crossmatch", "SOURCES CATALOGUE",
        "The nearest row of CATALOGUE for every row of SOURCES, what claran detect\n"
        "wrote.  Both are FITS, VOTable, CSV, ECSV or TSV.  Written are all columns\n"
        "of both, and matches, separation, position_angle, match_row, best; without\n"
        "-o a table is printed.\n\n"
        "  claran crossmatch mine.fits first.vot --radius 5 -o matched.fits", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 2)
        return rg_options_misuse("crossmatch wants two tables; see claran crossmatch "
                                 "--help");
    rg_options_record(options + 2, t.options, sizeof t.options);
    status = crossmatch(&t, argv) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_output_drop(&t.output);
    rg_ledger_free(t.tables[0]);
    rg_ledger_free(t.tables[1]);
    rg_ledger_free(t.joined);
    return status;
}

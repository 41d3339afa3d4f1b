/* SPDX-License-Identifier: MIT */
/* format: the formats that catalogues are written in and read from.
 *
 *     const rg_format *format;
 *     RG_TRY(rg_format_find("cat.vot", NULL, &format));      // by the ending
 *     RG_TRY(format->write(ledger, file));
 *     RG_TRY(format->read("cat.vot", &ledger));              // caller frees
 */
#ifndef RG_FORMAT_H
#define RG_FORMAT_H

#include <stdio.h>

#include "regions/ledger.h"

typedef struct rg_format {
    const char *name;         /* "votable", as --format has it */
    const char *endings;      /* of file names: ".vot .xml" */
    int (*write)(const rg_ledger *ledger, FILE *to);      /* NULL: no table */
    int (*read)(const char *path, rg_ledger **out);       /* NULL: not read */
} rg_format;

extern const rg_format rg_format_fits;      /* binary table: bintable.c */
extern const rg_format rg_format_votable;   /* 1.4: votable.c */
extern const rg_format rg_format_csv, rg_format_ecsv, rg_format_tsv;  /* separated.c */
extern const rg_format rg_format_json;      /* json.c */
extern const rg_format rg_format_region;    /* DS9's boxes: catalogue.c, region.c */
extern const rg_format rg_format_moc;       /* searched area: moc.c */

/* The format called `name`, or where that is NULL or "auto" the one that the path ends
 * like ("-": CSV); where there is none, a sentence that lists them. */
int rg_format_find(const char *path, const char *name, const rg_format **format);

/* "fits (.fits .fit), votable (...), ..." */
#define RG_FORMAT_NAMES "fits, votable, csv, ecsv, tsv, json, region or moc"

#endif

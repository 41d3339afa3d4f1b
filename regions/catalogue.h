/* SPDX-License-Identifier: MIT */
/* catalogue: detections with what was measured of them, written in the field's formats.
 *
 *     rg_catalogue *c;
 *     RG_TRY(rg_catalogue_new(&c, "--threshold=0.8"));
 *     RG_TRY(rg_catalogue_add(c, sources, n, &from, area));   // one image's
 *     RG_TRY(rg_format_find("cat.fits", NULL, &format));
 *     RG_TRY(rg_catalogue_write(c, format, file));
 *     rg_catalogue_free(c);
 *
 * Every format has every column of the table in catalogue.c: names, positions, boxes,
 * classes, measurements, host, flags, and of each source's image the file and the
 * CRC-32 of its pixels; and every fact: model and its hash, method, version, options,
 * time. */
#ifndef RG_CATALOGUE_H
#define RG_CATALOGUE_H

#include <stdio.h>

#include "regions/format.h"
#include "regions/moc.h"
#include "regions/name.h"
#include "regions/region.h"
#include "regions/source.h"

typedef struct rg_catalogue {
    rg_source *sources;       /* owned */
    int n;
    int *image;               /* [n] which of the images; owned */
    rg_provenance *from;      /* [images]; owned */
    int images;
    char *options;            /* owned */
    char time[24];            /* of rg_catalogue_new, UTC */
    rg_moc *area;             /* what was searched; owned */
} rg_catalogue;

/* Empty; `options`: what the user asked for, as text.  Caller frees. */
int rg_catalogue_new(rg_catalogue **out, const char *options);
void rg_catalogue_free(rg_catalogue *catalogue);

/* Others (copied). */
int rg_catalogue_options(rg_catalogue *catalogue, const char *options);

/* Sources of one image, and the area that was searched for them (both copied).  Model,
 * method and version are to be the same for all images; what the first has is
 * written. */
int rg_catalogue_add(rg_catalogue *catalogue, const rg_source *sources, int n,
                     const rg_provenance *from, const rg_moc *area);

/* As a table; caller frees with rg_ledger_free. */
int rg_catalogue_ledger(const rg_catalogue *catalogue, rg_ledger **out);

/* In that format, at the end of `to`. */
int rg_catalogue_write(const rg_catalogue *catalogue, const rg_format *format,
                       FILE *to);

/* A source of which nothing is known but its box. */
void rg_catalogue_unmeasured(const rg_detection *box, rg_source *source);

/* "RGCL J...": of the measured position, else of the box. */
void rg_catalogue_name(const rg_source *source, char name[RG_NAME_SIZE]);

#endif

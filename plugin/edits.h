/* SPDX-License-Identifier: MIT */
/* edits: what is done with a DS9's boxes as they stand: ClaRAN's, moved, resized,
 * relabelled or not, and those a user drew and labelled with a class.
 *
 *     rg_edits edits = { .ds9 = ds9, .how = &how, .path = "cat.fits", .options = "" };
 *     int status = rg_edits_save(&edits);
 *     rg_edits_clear(&edits);
 *
 * All of them read the current frame, and the infrared one that goes with it; lines on
 * stdout say what was done.
 */
#ifndef RG_EDITS_H
#define RG_EDITS_H

#include "plugin/frames.h"
#include "plugin/measured.h"
#include "regions/catalogue.h"

typedef struct rg_edits {
    rg_xpa *ds9;              /* these six are borrowed and set by the caller */
    const rg_measured *how;
    const char *infrared;     /* number of its frame, NULL: to be found */
    const char *path;         /* where to */
    const char *format;       /* its name, NULL: as the path ends */
    const char *options;      /* for the catalogue */
    rg_frame radio, companion;
    rg_source *sources;       /* owned */
    int n;
    rg_provenance from;
} rg_edits;

/* A catalogue in the format that is named or the path ends like; "-": CSV on stdout. */
int rg_edits_save(rg_edits *edits);

/* The catalogue in DS9's catalogue tool: a click on a row goes there. */
int rg_edits_table(rg_edits *edits);

/* A list that claran train takes, LIST.csv, with the image (and the infrared one) in
 * the folder LIST; of a frame without boxes, as a field without sources. */
int rg_edits_correct(rg_edits *edits);

void rg_edits_clear(rg_edits *edits);

#endif

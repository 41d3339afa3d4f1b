/* SPDX-License-Identifier: MIT */
/* drawing: ClaRAN's boxes in the current frame of a DS9, put there, changed and taken
 * away; all other regions stay as they are.
 *
 *     rg_drawing drawing = { ds9, address, "3" };
 *     RG_TRY(rg_drawing_boxes(&drawing, text, NULL, NULL));
 *     RG_TRY(rg_drawing_undo(&drawing, &n));
 *
 * What was there before is kept in ~/.cache/claran, a file a frame, until that is drawn
 * on again; so that undo finds it in another process.
 */
#ifndef RG_DRAWING_H
#define RG_DRAWING_H

#include <stdbool.h>

#include "plugin/looks.h"
#include "plugin/xpa.h"

typedef struct rg_drawing {
    rg_xpa *ds9;              /* borrowed, as is ... */
    const char *address;      /* of that DS9 */
    const char *frame;        /* the current one; it holds an image with a WCS */
    bool begun;               /* what was there before is kept already */
} rg_drawing;

/* Regions (rg_region_print) in place of the boxes that are there; where `stays` is not
 * NULL, those whose middle it says stays [deg, ICRS] do so. */
int rg_drawing_boxes(rg_drawing *drawing, const char *regions,
                     bool (*stays)(const void *user, double ra, double dec),
                     const void *user);

/* All boxes away.  The frame may be empty. */
int rg_drawing_remove(rg_drawing *drawing);

/* The boxes that were there before the last change, and how many; once more: those
 * after it. */
int rg_drawing_undo(rg_drawing *drawing, int *n);

/* The boxes as they are, and with another look.  Caller frees *text with free(). */
int rg_drawing_read(rg_drawing *drawing, char **text);
int rg_drawing_dress(rg_drawing *drawing, const char *text, const rg_looks *looks);

#endif

/* SPDX-License-Identifier: MIT */
/* cell: what the islands of emission make of each feature cell, from the pixels alone:
 * the targets of pretraining, which need no label.
 *
 *     rg_cells cells = { .source = source, .peaks = peaks };
 *     RG_TRY(rg_cell_find(&model, patch->radio, patch->sigma, 1.0 / batch, &cells));
 *
 * Islands and peaks are those of core/image/island: pixels above 3 sqrt(3) sigma, and
 * the leaves of their contour trees.  A cell is 16 x 16 network pixels (conv5_3); row 0
 * is at the top.
 */
#ifndef RG_CELL_H
#define RG_CELL_H

#include "core/detector/claran.h"

#define RG_CELL_PEAKS 3                /* classes: 1, 2, and 3 or more */
#define RG_CELL_BLOCK (RG_CLARAN_STRIDE * RG_CLARAN_STRIDE)

/* One image's part of a batch; the arrays are the caller's.  NULL are left out: peaks;
 * source, flux and flux_weight together; block and block_weight together. */
typedef struct rg_cells {
    float *source;        /* [cells][cells]: 1 where an island has a pixel, else 0 */
    float *peaks;         /* [cells][cells]: peaks of all islands in the 3 x 3 cells
                             about, as 0, 1, 2 for 1, 2, more; -1 where none is */
    float *flux;          /* [cells][cells]: log10(1 + sum of island pixels / sigma) */
    float *flux_weight;   /* [cells][cells]: alike over cells with a source, else 0 */
    float *block;         /* [256][cells][cells]: each cell's pixels, row by row:
                             log10(pixel / sigma) in an island, 0 outside */
    float *block_weight;  /* half for all pixels in islands, half for those outside */
} rg_cells;

/* From radio [132][132], row 0 at the bottom.  Weights sum to `share`. */
int rg_cell_find(const rg_claran *model, const float *radio, double sigma,
                  double share, rg_cells *to);

#endif

/* SPDX-License-Identifier: MIT */
/* fold: a table for inference: each BATCHNORM folded into the convolution it reads.
 *
 *     nrows = rg_fold(rows, nrows, weights);     // -1: failed
 *     RG_TRY(rg_net_new(&net, rows, nrows, backend, &how));
 *     RG_TRY(rg_net_load(net, weights));
 */
#ifndef RG_FOLD_H
#define RG_FOLD_H

#include "core/engine/weights.h"

/* With scale = weight / sqrt(variance + 1e-5) of the BATCHNORM, the convolution's
 * weights are multiplied by it, and its bias becomes bias + scale (its own - mean); it
 * takes the activation over and stands in where the BATCHNORM was read.  Only linear
 * CONV rows that nothing else reads, and whose weights are theirs alone, are folded;
 * the others stay.  Changes rows (in place) and weights; returns how many rows are
 * left, -1 where weights are missing or not of their rows' shape. */
int rg_fold(rg_row *rows, int nrows, rg_weights *weights);

#endif

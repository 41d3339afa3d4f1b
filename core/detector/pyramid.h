/* SPDX-License-Identifier: MIT */
/* pyramid: ClaRAN's second version as rows: a residual network (He et al. 2016, the 18
 * layers) with a feature pyramid (Lin et al. 2017).
 *
 *     int n = rg_pyramid_rows(&model, &run, rows);     // model.network RG_NETWORK_FPN
 *
 * Use rg_claran_rows, which calls this for a model of this network.
 */
#ifndef RG_PYRAMID_H
#define RG_PYRAMID_H

#include "core/detector/claran.h"

/* Fills rows[RG_CLARAN_ROWS]; returns how many.  Stem and four stages of two blocks, w,
 * 2w, 4w, 8w channels wide (names of torchvision); levels of 4w channels at strides 4,
 * 8, 16, fed from stride 32 down; one set of RPN weights for all levels.  A RoI is
 * pooled on the coarsest level on which its side sqrt(w h) is 14 cells or more, on the
 * finest if there is none: Lin's k = floor(k0 + log2(sqrt(wh) / size0)), with 7 x 7
 * samples one or two cells apart.  Ranges of rows, inputs and outputs are named as in
 * Table 4. */
int rg_pyramid_rows(const rg_claran *model, const rg_claran_run *run, rg_row *rows);

#endif

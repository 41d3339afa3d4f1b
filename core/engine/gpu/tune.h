/* SPDX-License-Identifier: MIT */
/* tune: a library knows several ways to do a convolution or a product.  The few it
 * thinks best are timed once on the card, and which was fastest is kept on disk.
 *
 *     tune = rg_tune_open(device);                     // NULL: nothing is timed
 *     RG_TRY(rg_tune_convolution(tune, device, &convolution, &spec));
 *     rg_tune_keep(tune);
 *     rg_tune_close(tune);
 *
 * The file is $XDG_CACHE_HOME/claran/gpu-HASH.txt, or below ~/.cache: one for each card
 * and version of the libraries, a line for each shape.  One that is damaged, or of
 * another card, is as if it were not there.
 */
#ifndef RG_TUNE_H
#define RG_TUNE_H

#include "core/engine/gpu/device.h"

typedef struct rg_tune rg_tune;

/* What is known of this card.  NULL where neither XDG_CACHE_HOME nor HOME says where it
 * could be kept: then the library's first choice is taken, the same in every run. */
rg_tune *rg_tune_open(const rg_device *device);
void rg_tune_close(rg_tune *tune);

/* Writes what was learnt since, beside what others wrote meanwhile.  Where that cannot
 * be written it is timed again another day: no failure. */
void rg_tune_keep(rg_tune *tune);

/* rg_convolution_new and rg_product_new in the way that is fastest. */
int rg_tune_convolution(rg_tune *tune, rg_device *device, rg_convolution **out,
                        const rg_convolution_spec *spec);
int rg_tune_product(rg_tune *tune, rg_device *device, rg_product **out,
                    const rg_product_spec *spec);

#endif

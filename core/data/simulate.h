/* SPDX-License-Identifier: MIT */
/* simulate: FIRST-like fields with known truth, from a seed.
 *
 *     rg_simulation how = rg_simulate_defaults;
 *     how.seed = 7;
 *     RG_TRY(rg_simulate_field(&how, 0, &field));
 *
 * Sources have the geometry of real ones (lobes, jets, cores, hot spots, bends),
 * FIRST's 5.4" beam and 1.8" pixels, 0.15 mJy/beam noise with the grain of blank FIRST
 * sky, sidelobes of the snapshot beam round bright sources, and unrelated neighbours.
 * The class of a source is what Radio Galaxy Zoo's arithmetic (core/image/island)
 * gives for its pixels.
 */
#ifndef RG_SIMULATE_H
#define RG_SIMULATE_H

#include <stdint.h>

#include "core/image/image.h"
#include "core/data/dataset.h"
#include "core/data/host.h"

typedef struct rg_simulation {
    uint64_t seed;
    int size;                 /* side of a field [pixels] */
    double pixel;             /* [arcsec] */
    double beam;              /* FWHM [arcsec] */
    double noise;             /* rms [Jy/beam] */
    double density;           /* mean number of sources in 3' x 3'; one if it fits */
    double stretch;           /* sources are up to so many times as long, 1 to 20,
                                 evenly in the logarithm; above 1 they may be of no
                                 class (RG_CLASS_IGNORE) */
} rg_simulation;

extern const rg_simulation rg_simulate_defaults;

typedef struct rg_simulated {
    rg_image *radio, *infrared;   /* of the same sky; owned, as all below */
    rg_label *labels;             /* [n] */
    rg_host *hosts;               /* [n] the galaxy of each: at its core, if it has one,
                                     else in its middle */
    int n;
} rg_simulated;

/* Field number `index` of the simulation: same seed and index, same pixels; the faint
 * sources that no label tells of have no host.  Clear what comes out. */
int rg_simulate_field(const rg_simulation *how, int index, rg_simulated *out);
void rg_simulate_clear(rg_simulated *field);

#endif

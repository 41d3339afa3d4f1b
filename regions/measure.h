/* SPDX-License-Identifier: MIT */
/* measure: what the pixels say of detected sources.
 *
 *     rg_source *sources = malloc(n * sizeof *sources);
 *     RG_TRY(rg_measure(radio, w1, &rg_measure_defaults, found, n, sources));
 *
 * doc/manual.md, "What is measured and how", says it in words.
 */
#ifndef RG_MEASURE_H
#define RG_MEASURE_H

#include "regions/source.h"

typedef struct rg_measure_options {
    double level, step;       /* contour base [sigma] 3 sqrt 3, factor sqrt 3 */
    double calibration;       /* relative flux scale error, 0.05 for FIRST */
    double beam[3];           /* FWHM [arcsec] and position angle [deg]; 0: from header
                                 or FIRST's table */
} rg_measure_options;

extern const rg_measure_options rg_measure_defaults;

/* The beam: options', else the header's, else FIRST's by declination (5.4 x 5.4" north
 * of +4.5558 deg, 6.4 x 5.4" to -2.5069, 6.8 x 5.4" south of it) where the header names
 * FIRST or the pixels are 1.3 to 1.9"; else a sentence that asks for it, as does one
 * that is no beam on this image's pixels. */
int rg_measure_beam(const rg_image *radio, const rg_measure_options *options,
                    rg_beam *beam);

/* sources [n] for found [n], in their order: boxes by xmin .. ymax, probability NAN
 * where drawn by hand.  RG_FLAG_EDITED is the caller's to add.  `infrared`: the same
 * sky on any grid; NULL: none.  The radio image needs a WCS and a beam. */
int rg_measure(const rg_image *radio, const rg_image *infrared,
               const rg_measure_options *options, const rg_detection *found, int n,
               rg_source *sources);

#endif

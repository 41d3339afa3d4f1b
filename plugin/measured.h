/* SPDX-License-Identifier: MIT */
/* measured: detections, or boxes of a user, to sources: the options and the calls that
 * `claran detect`, `claran catalogue` and `claran ds9` share.
 *
 *     rg_measured how = RG_MEASURED_DEFAULTS;
 *     const rg_option options[] = { RG_MEASURED_OPTIONS(how), { .name = NULL } };
 *     RG_TRY(rg_measured_check(&how, radio));
 *     RG_TRY(rg_measured_found(&how, radio, NULL, found, n, true, &sources));
 *     free(sources);
 */
#ifndef RG_MEASURED_H
#define RG_MEASURED_H

#include <stdbool.h>

#include "core/image/image.h"
#include "plugin/options.h"
#include "regions/catalogue.h"
#include "regions/measure.h"

typedef struct rg_measured {
    rg_measure_options options;
    const char *beam;         /* --beam; NULL or "auto": not given */
} rg_measured;

#define RG_MEASURED_DEFAULTS { .options = rg_measure_defaults }

#define RG_MEASURED_OPTIONS(m) \
    { "level", 0, RG_OPTION_DOUBLE, &(m).options.level, 1, 1000, "SIGMA", \
      "where contours begin [local noise]:" }, \
    { "step", 0, RG_OPTION_DOUBLE, &(m).options.step, 1.01, 100, "FACTOR", \
      "from one contour to the next, for counting peaks:" }, \
    { "calibration", 0, RG_OPTION_DOUBLE, &(m).options.calibration, 0, 1, "SHARE", \
      "error of the flux scale, part of flux errors:" }, \
    { "beam", 0, RG_OPTION_TEXT, &(m).beam, 0, 0, "MAJOR,MINOR,PA", \
      "FWHM [arcsec], angle [deg], or auto: the header's or FIRST's" }

/* Whether sources can be measured in the image: --beam is read, and there is a beam.
 * Before detection, so that nobody waits for it in vain. */
int rg_measured_check(rg_measured *how, const rg_image *radio);

/* Sources [n] from what was detected; caller frees *sources with free().  `infrared`:
 * NULL, none.  Where there is no beam and measures are not `needed`, a line on stderr
 * says why nothing is measured. */
int rg_measured_found(const rg_measured *how, const rg_image *radio,
                      const rg_image *infrared, const rg_detection *found, int n,
                      bool needed, rg_source **sources);

/* Boxes read from regions are placed on the image and measured, in place; what the
 * regions said of them (flags) is kept. */
int rg_measured_boxes(const rg_measured *how, const rg_image *radio,
                      const rg_image *infrared, rg_source *sources, int n);

/* Into the catalogue; searched is where `radio` has values and `infrared` (NULL: none
 * was looked at), too. */
int rg_measured_add(rg_catalogue *catalogue, const rg_source *sources, int n,
                    const rg_provenance *from, const rg_image *radio,
                    const rg_image *infrared);

/* The infrared image, if the run that boxes were read from looked at one; else NULL. */
const rg_image *rg_measured_shown(const rg_provenance *from, const rg_image *infrared);

/* Where boxes that were read from regions are now measured: file, unit and checksum of
 * the image; what else they say of themselves stays. */
void rg_measured_from(const rg_image *image, rg_provenance *from);

#endif

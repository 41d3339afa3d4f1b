/* measured: detections, or boxes of a user, to sources: the options and the calls that
 * `claran detect`, `claran catalogue` and `claran ds9` share.
 *
 *     rg_measured how = { 0 };
 *     const rg_option options[] = { RG_MEASURED_OPTIONS(how), { .name = NULL } };
 *     RG_TRY(rg_measured_check(&how, radio));
 *     RG_TRY(rg_measured_found(&how, radio, NULL, found, n, &sources));
 *     free(sources);
 */
#ifndef RG_MEASURED_H
#define RG_MEASURED_H

#include "core/image/image.h"
#include "plugin/options.h"
#include "regions/region.h"

typedef struct rg_measured { int none; } rg_measured;

/* Sources [n] from what was detected; caller frees *sources with free().  `infrared`:
 * NULL, none. */
int rg_measured_found(const rg_measured *how, const rg_image *radio,
                      const rg_image *infrared, const rg_detection *found, int n,
                      rg_source **sources);

/* Boxes read from regions are placed on the image and measured, in place; what the
 * regions said of them (flags) is kept. */
int rg_measured_boxes(const rg_measured *how, const rg_image *radio,
                      const rg_image *infrared, rg_source *sources, int n);

/* Where boxes that were read from regions are now measured: file, unit and checksum of
 * the image; what else they say of themselves stays. */
void rg_measured_from(const rg_image *image, rg_provenance *from);

#endif

/* catalogue: detections as comma-separated values.
 *
 *     rg_catalogue_header(file);
 *     rg_catalogue_print(file, detections, n, &from);
 *
 * Columns: name, ra_deg, dec_deg [ICRS], xmin, ymin, xmax, ymax [FITS pixels of the
 * image, 1-based, pixel edges], class, probability, second_class, second_probability
 * (runner-up, empty: none), width_arcsec, height_arcsec, angle_deg (position angle of
 * the height axis), file, checksum (of its pixels), model (hash), method, version.
 */
#ifndef RG_CATALOGUE_H
#define RG_CATALOGUE_H

#include "regions/region.h"

void rg_catalogue_header(FILE *to);
void rg_catalogue_print(FILE *to, const rg_detection *detections, int n,
                        const rg_provenance *from);

#endif

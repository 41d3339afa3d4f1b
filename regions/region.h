/* SPDX-License-Identifier: MIT */
/* region: sources as DS9's boxes, and back, as a user may have changed them.
 *
 *     rg_region_header(file);
 *     rg_region_print(file, &detection, 0, &from);
 *     RG_TRY(rg_region_parse(text, &sources, &n, &from));     // what DS9 hands back
 *     free(sources);
 *
 * A box is icrs with a size in arcsec and the position angle of its height axis, which
 * is what DS9's angle is on images of either parity.  It is labelled "2C_3P 0.93",
 * tagged "claran" and, so that runs can be told apart, "claran D1 model 0a1b2c3d image
 * 89abcdef version 0.1.0", and has one property, claran=2C_3P,0.9312,2C_2P,0.0512,RA,
 * DEC,WIDTH,HEIGHT,ANGLE: class, P, runner-up, its P, and the box as it was detected,
 * by which an edited one is known.  DS9 8.4.1 cuts a region's unknown properties at 79
 * characters together, but keeps tags whole.  A box without a label that is tagged
 * "hidden 2C_3P 0.93" has that label, which DS9 does not show.
 */
#ifndef RG_REGION_H
#define RG_REGION_H

#include <stdint.h>
#include <stdio.h>

#include "regions/source.h"

#define RG_REGION_GROUP "claran"
#define RG_REGION_HIDDEN "hidden "

/* Where detections come from. */
typedef struct rg_provenance {
    char file[1024];          /* input image, for people */
    char unit[72];            /* of it (BUNIT) */
    uint32_t checksum;        /* of its pixels (rg_image) */
    char weights[1024];       /* the file of the model, "" unknown */
    char model[16];           /* rg_detect_hash */
    char method[8];           /* "D1" */
    char version[24];         /* of the program */
} rg_provenance;

/* The lines before the boxes. */
void rg_region_header(FILE *to);

/* One line; `flags` of rg_source: an edited box is printed without what it was. */
void rg_region_print(FILE *to, const rg_detection *detection, unsigned flags,
                     const rg_provenance *from);

/* The boxes of ClaRAN, and those of a user that he labelled with a class ("2C_2P"), in
 * a region file of icrs or fk5 in degrees, or the answer to `regions -format ds9
 * -system wcs -sky icrs -skyformat degrees`.  Of each source only `box` and `flags`
 * are set: RG_FLAG_EDITED where a box of ours was moved, turned or resized by more
 * than 0.02" or 0.02 deg; RG_FLAG_BY_HAND, and no probability, where the user drew it
 * or gave it the label of another class.  Other regions are passed over; a damaged box
 * of ours, one labelled with what is no class, a class on what is no box or has no sky
 * coordinates are sentences.  xmin .. ymax stay 0 (rg_region_place).  `from` gets
 * model, method, version and checksum of the first box of ours; its file is left
 * alone.  Caller frees *found with free(). */
int rg_region_parse(const char *text, rg_source **found, int *n, rg_provenance *from);

/* xmin .. ymax of a detection from its position, size and angle on `sky`: the pixel box
 * that holds it. */
int rg_region_place(rg_detection *detection, const rg_sky *sky);

#endif

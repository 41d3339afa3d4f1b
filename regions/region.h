/* region: detections as DS9's boxes, and back.
 *
 *     rg_region_header(file);
 *     rg_region_print(file, detections, n, &from);
 *     RG_TRY(rg_region_parse(text, &detections, &n, &from));     // what DS9 hands back
 *     free(detections);
 *
 * A box is icrs with a size in arcsec and the position angle of its height axis, which
 * is what DS9's angle is on images of either parity.  It is labelled "2C_3P 0.93",
 * tagged "claran" and, so that runs can be told apart, "claran D1 model 0a1b2c3d image
 * 89abcdef version 0.1.0", and has the properties claran_class, claran_p, claran_2 and
 * claran_2p (runner-up).  DS9 8.4.1 cuts a region's unknown properties at 79 characters
 * together, but keeps tags whole.
 */
#ifndef RG_REGION_H
#define RG_REGION_H

#include <stdint.h>
#include <stdio.h>

#include "core/detector/detect.h"

#define RG_REGION_GROUP "claran"

/* Where detections come from. */
typedef struct rg_provenance {
    char file[1024];          /* input image, for people */
    uint32_t checksum;        /* of its pixels (rg_image) */
    char model[16];           /* rg_detect_hash */
    char method[8];           /* "D1" */
    char version[24];         /* of the program */
} rg_provenance;

/* The lines before the boxes. */
void rg_region_header(FILE *to);

/* One line per detection. */
void rg_region_print(FILE *to, const rg_detection *detections, int n,
                     const rg_provenance *from);

/* The boxes with a claran_class in the answer to `regions -format ds9 -system wcs -sky
 * icrs -skyformat degrees`; other regions are passed over, a damaged box of ours is a
 * sentence.  xmin .. ymax stay 0 (rg_region_place).  `from` gets model, method, version
 * and checksum of the first box; its file is left alone.  Caller frees *found with
 * free(). */
int rg_region_parse(const char *text, rg_detection **found, int *n,
                    rg_provenance *from);

/* xmin .. ymax of a detection from its position, size and angle on `sky`: the pixel box
 * that holds it. */
int rg_region_place(rg_detection *detection, const rg_sky *sky);

#endif

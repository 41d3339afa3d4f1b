/* SPDX-License-Identifier: MIT */
/* evidence: what a window's pixels say of a candidate box, beside the network.
 *
 * The classes are numbers of components and peaks, and those can be counted
 * (core/image/island.h).  What cannot, which islands are one source, is the network's
 * part; how alike and how near they are helps it.  How much each figure weighs is a
 * model's calibration (rg_claran_calibrate), found by claran calibrate.
 *
 *     rg_evidence *seen;
 *     RG_TRY(rg_evidence_open(&seen, pixels, 132, 1.375));
 *     rg_evidence_weigh(seen, box, class_, x);
 *     rg_evidence_close(seen);
 */
#ifndef RG_EVIDENCE_H
#define RG_EVIDENCE_H

#include "core/detector/boxes.h"

/* Islands are those above 3 sqrt(3) sigma with their brightest pixel in the box. */
typedef enum {
    RG_EVIDENCE_COUNTS,       /* 1: as many islands and peaks as the class says (3 or
                                 more peaks are 3); else 0 */
    RG_EVIDENCE_FIT,          /* IoU of the box with the outline above 4 sigma, 0..1 */
    RG_EVIDENCE_CONTRAST,     /* log10 of the ratio of the two largest fluxes, 0..2 */
    RG_EVIDENCE_GAP,          /* largest separation over mean diagonal, 0..5 */
    RG_EVIDENCE_NEIGHBOUR,    /* the most of exp(-distance / 30") x ratio of fluxes (at
                                 most 1) of an island outside, 0..1 */
    RG_EVIDENCES
} rg_evidence_kind;

typedef struct rg_evidence rg_evidence;

/* The islands of radio pixels [side][side], row 0 at the bottom, of `pixel` arcsec;
 * NaN: no value.  No noise, no islands. */
int rg_evidence_open(rg_evidence **out, const float *pixels, int side, double pixel);
void rg_evidence_close(rg_evidence *evidence);

/* Of a box in FITS pixels of the window (1-based, pixel edges) as that class, 1..6; the
 * third and the fourth are 0 for classes of one component, and for a single island. */
void rg_evidence_weigh(const rg_evidence *evidence, rg_box box, int class_,
                       float x[RG_EVIDENCES]);

#endif

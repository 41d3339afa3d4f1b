/* SPDX-License-Identifier: MIT */
/* counterpart: the infrared objects of a frame, and which of them a radio source may
 * belong to.
 *
 *     RG_TRY(rg_counterpart_find(&objects, w1));
 *     rg_counterpart_choose(objects, &radio, source->host, &source->no_host);
 *     rg_counterpart_free(objects);
 *
 * Objects are local maxima, of at least 3 rms, of the frame less the mean of a ring of
 * half a PSF about each pixel.  Likelihood ratios as Sutherland & Saunders (1992):
 * L = f(r) q / n, and P_i = Q L_i / (sum Q L + 1 - Q) over the candidates, Q = 0.96
 * being the share of sources whose host such frames show.  f is a mixture of Gaussians
 * about the places where hosts are: the middle of the source along and across its axis,
 * the peak nearest to it, any peak.  Brightness enters as the density of objects at
 * least as bright on this very frame, in which field objects are uniform (n = 1) and
 * hosts log-normal (q), so that no zero point is needed.
 */
#ifndef RG_COUNTERPART_H
#define RG_COUNTERPART_H

#include "regions/source.h"

typedef struct rg_counterparts rg_counterparts;

/* The radio source, on the plane tangent at ra, dec. */
#define RG_COUNTERPART_PEAKS 16
typedef struct rg_counterpart_radio {
    double ra, dec;           /* its flux-weighted centre [deg] */
    double error;             /* of that [arcsec] */
    double size, pa;          /* [arcsec], [deg] */
    double middle[2];         /* of its two ends: east, north of the centre [arcsec] */
    double peak[RG_COUNTERPART_PEAKS][2];  /* the same; brightest first */
    int npeaks;
} rg_counterpart_radio;

/* All objects of a frame, which needs a WCS.  Caller frees. */
int rg_counterpart_find(rg_counterparts **out, const rg_image *infrared);
void rg_counterpart_free(rg_counterparts *objects);

/* Best and second candidate (ra NAN: none) within 0.8 times its size + 12" of the
 * centre, and the probability that it is neither they nor another: NAN where the frame
 * does not show the place. */
void rg_counterpart_choose(const rg_counterparts *objects,
                           const rg_counterpart_radio *radio, rg_candidate host[2],
                           double *none);

#endif

/* SPDX-License-Identifier: MIT */
/* host: the galaxy a radio source belongs to, as WISE would show it.
 *
 *     rg_host_list *known = NULL;                       // or RG_TRY(rg_host_read(...))
 *     RG_TRY(rg_host_find(radio, labels, n, known, &state, hosts));
 *     rg_host_free(known);
 */
#ifndef RG_HOST_H
#define RG_HOST_H

#include <stdint.h>

#include "core/image/image.h"
#include "core/data/dataset.h"

typedef struct rg_host {
    double ra, dec;           /* [deg, ICRS]; NaN when WISE does not see one */
    double magnitude;         /* W1 [mag, Vega] */
} rg_host;

/* A host for a source that is to be about ra, dec [deg], off by a normal scatter of
 * `spread` [arcsec] in each direction: magnitude as those of radio galaxies (11 to 17,
 * median 14.8), and none in a few per cent. */
void rg_host_draw(double ra, double dec, double spread, uint64_t *state, rg_host *host);

/* Positions known of hosts: a list with the columns file, ra_deg, dec_deg, one row a
 * source; folders before a file's name do not count.  A missing column or a bad number
 * is a sentence.  Free what is read. */
typedef struct rg_host_list rg_host_list;
int rg_host_read(rg_host_list **out, const char *path);
void rg_host_free(rg_host_list *list);

/* hosts [n] for the labelled sources of a real radio image, by rule:
 *   1C_1P       the flux-weighted centre of what is above 5 sigma in the box, to 0.5"
 *   1C_3P 2C_3P 3C_3P   the peak nearest the box's middle, to 0.5", where one is within
 *               a fifth of the box's longer side
 *   others      half way between flux-weighted centre and the box's middle, to 6 % of
 *               the box's longer side
 *   "?"         the brightest pixel, to 0.5"
 * but where `known` (may be NULL) has the image's file, a label whose box holds a
 * position has its host there; the one with the nearer middle, if two boxes do. */
int rg_host_find(const rg_image *radio, const rg_label *labels, int n,
                 const rg_host_list *known, uint64_t *state, rg_host *hosts);

#endif

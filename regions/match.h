/* SPDX-License-Identifier: MIT */
/* match: the rows of one table and their nearest neighbours in another.
 *
 *     rg_matching how = { .radius = 5 };
 *     rg_ledger *joined;
 *     RG_TRY(rg_match(sources, others, &how, &joined, &count));
 *     rg_ledger_free(joined);
 */
#ifndef RG_MATCH_H
#define RG_MATCH_H

#include "regions/ledger.h"

typedef struct rg_matching {
    double radius;            /* [arcsec] */
    const char *ra, *dec;     /* columns of the other table [deg], NULL: to be found */
    const char *names[2];     /* of the tables, for sentences; NULL: first, second */
} rg_matching;

/* What is added, in this order after the columns of `sources`. */
enum { RG_MATCH_MATCHES, RG_MATCH_SEPARATION, RG_MATCH_ANGLE, RG_MATCH_ROW,
       RG_MATCH_BEST, RG_MATCH_COLUMNS };

/* All rows and columns of `sources`, then: matches (rows of the other table within the
 * radius), separation [arcsec] and position_angle [deg, N through E] of the nearest,
 * match_row (1: the first), best (1: no other source is nearer to that row, else 0),
 * and that row's columns; a name that is there already gets _2, _3 ...
 * Positions are ICRS degrees in the columns with UCD pos.eq.ra;meta.main and
 * pos.eq.dec;meta.main, else of a usual name (RA, ra_deg, RAJ2000 ...), else a
 * sentence, as for a unit other than degrees (none is degrees).  A text there holds the
 * positions of a source's components with semicolons between them (Radio Galaxy Zoo's
 * cpnts_ras): the middle of them counts.  *matched rows have one.  Caller frees
 * *joined. */
int rg_match(const rg_ledger *sources, const rg_ledger *others, const rg_matching *how,
             rg_ledger **joined, int *matched);

#endif

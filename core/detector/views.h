/* SPDX-License-Identifier: MIT */
/* views: a window as it is and mirrored, and what is seen in all of them made one list.
 *
 *     rg_views_show(rgb, view, other);           // 1 .. views - 1, for the network
 *     ... list what each shows, with rg_views_box(box, view, input) for its boxes ...
 *     n = rg_views_join(list, n, views);
 */
#ifndef RG_VIEWS_H
#define RG_VIEWS_H

#include <stdint.h>

#include "core/detector/boxes.h"

/* View 0 is the window, 1 is mirrored left to right, 2 top to bottom, 3 both. */
#define RG_VIEWS_MOST 4

/* A box taken for a class. */
typedef struct rg_seen {
    rg_box box;               /* [network pixels] of the window as it is */
    int class_;               /* 1..6 */
    int view;                 /* that shows it */
    float probability;        /* by the network */
} rg_seen;

/* That view of a window rgb [132][132][3]; out likewise. */
void rg_views_show(const uint8_t *rgb, int view, uint8_t *out);

/* A box of that view as one of the window and back, `input` pixels a side. */
rg_box rg_views_box(rg_box box, int view, int input);

/* Makes one list, in place, of what `views` views show; returns its length.  Best first
 * and within each class, a box takes up those that overlap it by more than one half,
 * of the same view too: its edges become the mean, and its logit the mean over all
 * views, of the best of each that it took up, where a view lacks it that of P 0.02.
 * Of one view the list stays as it is. */
int rg_views_join(rg_seen *list, int n, int views);

#endif

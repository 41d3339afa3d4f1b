/* SPDX-License-Identifier: MIT */
/* candidates: from all that the windows showed to one label per source.
 *
 *     rg_candidates all = { 0 };
 *     RG_TRY(rg_candidates_add(&all, &detection));          // ... in every window
 *     rg_candidates_sort(&all);
 *     rg_candidates_choose(&all, 0.8f, 0.3f, false);
 *     RG_TRY(rg_candidates_hand_over(&all, &found, &n));
 *     rg_candidates_clear(&all);
 */
#ifndef RG_CANDIDATES_H
#define RG_CANDIDATES_H

#include "core/detector/detect.h"

typedef struct rg_candidate {
    rg_detection found;
    rg_box box;           /* as inclusive pixels of the image, for overlaps */
    int order;            /* in which it was found */
    bool outdone;         /* by one of another scale */
} rg_candidate;

typedef struct rg_candidates {
    rg_candidate *item;   /* owned */
    int n, room;
} rg_candidates;

int rg_candidates_add(rg_candidates *all, const rg_detection *one);
void rg_candidates_clear(rg_candidates *all);

/* Best first, which the functions below want: by calibrated probability, what that
 * ties by the network's own, then in the order of adding. */
void rg_candidates_sort(rg_candidates *all);
int rg_candidates_compare(const rg_detection *a, const rg_detection *b);

/* Greedy suppression within each class: of boxes of more than that IoU with a better
 * one, and of its cut pieces. */
void rg_candidates_suppress(rg_candidates *all, float iou);

/* One label per source: suppression across classes, the best of another class kept in
 * mind as the runner-up; of a source and its part the whole, unless the part is much
 * the more probable, or small and seen whole in a smaller window; of those the ones of
 * the threshold and more, or the best, if `best` and there are none. */
void rg_candidates_choose(rg_candidates *all, float threshold, float iou, bool best);

/* Caller frees *found with free(). */
int rg_candidates_hand_over(const rg_candidates *all, rg_detection **found, int *n);

#endif

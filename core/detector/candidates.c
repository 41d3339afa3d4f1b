/* SPDX-License-Identifier: MIT */
#include "core/detector/candidates.h"

#include <math.h>
#include <stdlib.h>

#include "core/engine/error.h"

#define PIECE 0.7f               /* a box this much inside another is part of it */
#define WHOLE 0.6f               /* of its part's probability, that a whole must have */
#define APART 0.2                /* of the larger one's side, at most, a neighbour's */

int rg_candidates_add(rg_candidates *all, const rg_detection *one)
{
    if (all->n == all->room) {
        int room = 2 * all->room + 64;
        rg_candidate *item = realloc(all->item, (size_t)room * sizeof *item);
        if (item == NULL) return RG_FAIL("out of memory for %d detections", room);
        all->item = item;
        all->room = room;
    }
    all->item[all->n] = (rg_candidate){
        .found = *one, .order = all->n,
        .box = { (float)one->xmin, (float)one->ymin, (float)one->xmax - 1,
                 (float)one->ymax - 1 },
    };
    all->n++;
    return 0;
}

void rg_candidates_clear(rg_candidates *all)
{
    free(all->item);
    *all = (rg_candidates){ .n = 0 };
}

int rg_candidates_compare(const rg_detection *a, const rg_detection *b)
{
    if (a->probability != b->probability)
        return a->probability < b->probability ? 1 : -1;
    return a->raw == b->raw ? 0 : a->raw < b->raw ? 1 : -1;
}

static int by_probability(const void *pa, const void *pb)
{
    const rg_candidate *a = pa, *b = pb;
    const int order = rg_candidates_compare(&a->found, &b->found);
    return order ? order : a->order - b->order;
}

void rg_candidates_sort(rg_candidates *all)
{
    if (all->n > 0) qsort(all->item, (size_t)all->n, sizeof *all->item, by_probability);
}

static float area(rg_box box)
{
    return (box.x2 - box.x1 + 1) * (box.y2 - box.y1 + 1);
}

static bool is_inside(const rg_candidate *part, const rg_candidate *whole)
{
    float iou = rg_boxes_iou(part->box, whole->box);
    float both = iou / (1 + iou) * (area(part->box) + area(whole->box));
    return both > PIECE * area(part->box);
}

/* Whether the weaker b is the same as a: much the same box, or a cut piece of it. */
static bool is_same(const rg_candidate *a, const rg_candidate *b, float iou)
{
    return rg_boxes_iou(a->box, b->box) > iou || (b->found.cut && is_inside(b, a));
}

/* Greedy suppression of sorted candidates, within each class or across all; across, the
 * best of another class is remembered as the runner-up. */
static void suppress(rg_candidates *all, float iou, bool across)
{
    int kept = 0;
    for (int i = 0; i < all->n; i++) {
        const rg_candidate one = all->item[i];
        int k = 0;
        while (k < kept && !((across || all->item[k].found.class_ == one.found.class_)
                             && is_same(&all->item[k], &one, iou))) k++;
        if (k == kept) {
            all->item[kept++] = one;
        } else if (across && all->item[k].found.second == 0
                   && all->item[k].found.class_ != one.found.class_) {
            all->item[k].found.second = one.found.class_;
            all->item[k].found.second_probability = one.found.probability;
        }
    }
    all->n = kept;
}

/* Whether the weaker one is a part of the better, or too weak to be the whole of it. */
static bool loses(const rg_candidate *one, const rg_candidate *better)
{
    if (is_inside(one, better)) return true;
    return is_inside(better, one)
           && !(one->found.probability > WHOLE * better->found.probability);
}

/* Of a source found whole and in parts (a lobe by itself overlaps the double little),
 * among sorted candidates: the whole, unless a part is much the more probable. */
static void choose_wholes(rg_candidates *all)
{
    int kept = 0;
    for (int i = 0; i < all->n; i++) {
        const rg_candidate one = all->item[i];
        int k = 0, left = 0;
        while (k < kept && !loses(&one, &all->item[k])) k++;
        if (k < kept) continue;
        for (k = 0; k < kept; k++)
            if (!is_inside(&all->item[k], &one)) all->item[left++] = all->item[k];
        all->item[left++] = one;
        kept = left;
    }
    all->n = kept;
}

/* Sorted candidates above the threshold, or the best of a subject. */
static void apply_threshold(rg_candidates *all, float threshold, bool best)
{
    int kept = 0;
    while (kept < all->n && all->item[kept].found.probability >= threshold) kept++;
    if (kept == 0 && all->n > 0 && best) kept = 1;
    all->n = kept;
}

static double side(const rg_detection *f)
{
    return fmax(f->width, f->height);
}

/* Whether what is in the coarser one's box is a source of its own: whole in its window,
 * and small beside the other. */
static bool is_apart(const rg_detection *finer, const rg_detection *coarser)
{
    return !finer->cut && side(finer) < APART * side(coarser);
}

/* Whether another scale knows better, of candidates over the threshold: a larger window
 * sees the whole of this cut piece, or a smaller one sees that this is none. */
static bool is_outdone(const rg_candidate *one, const rg_candidates *all,
                       float threshold, float iou)
{
    for (int k = 0; k < all->n; k++) {
        const rg_candidate *other = &all->item[k];
        if (!(other->found.probability >= threshold)) break;
        if (other->found.scale > one->found.scale
            && one->found.cut && is_same(other, one, iou)) return true;
        if (other->found.scale < one->found.scale && is_inside(other, one)
            && is_apart(&other->found, &one->found)) return true;
    }
    return false;
}

static void compare_scales(rg_candidates *all, float threshold, float iou)
{
    int kept = 0;
    for (int i = 0; i < all->n; i++)
        all->item[i].outdone = is_outdone(&all->item[i], all, threshold, iou);
    for (int i = 0; i < all->n; i++)
        if (!all->item[i].outdone) all->item[kept++] = all->item[i];
    all->n = kept;
}

void rg_candidates_suppress(rg_candidates *all, float iou)
{
    suppress(all, iou, false);
}

void rg_candidates_choose(rg_candidates *all, float threshold, float iou, bool best)
{
    compare_scales(all, threshold, iou);
    suppress(all, iou, true);
    apply_threshold(all, threshold, best);
    choose_wholes(all);         /* a whole that is not shown hides no part */
}

int rg_candidates_hand_over(const rg_candidates *all, rg_detection **found, int *n)
{
    *found = rg_error_alloc((unsigned long)all->n, sizeof **found, "detections");
    if (*found == NULL) return -1;
    for (int i = 0; i < all->n; i++) (*found)[i] = all->item[i].found;
    *n = all->n;
    return 0;
}


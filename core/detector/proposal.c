/* SPDX-License-Identifier: MIT */
#include "core/detector/proposal.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"

enum {
    ANCHORS = RG_CLARAN_ANCHORS,
    VALUES = 4 * RG_CLASSES,
};
#define CLEAR_IOU 0.3f          /* below it a box is clear of an ignored truth */

const rg_target_options rg_target_defaults = {
    .anchors = 256, .positives = 0.5f, .positive = 0.7f, .negative = 0.3f,
    .foregrounds = 0.25f, .foreground = 0.5f, .background = 0,
};

const float rg_proposal_target_std[4] = { 0.1f, 0.1f, 0.2f, 0.2f };

rg_box rg_proposal_anchor(const rg_claran *model, int a, int y, int x)
{
    return rg_box_of_anchor(rg_claran_anchor(model, a), y, x);
}

/* Anchor a's planes of deltas (targets, weights): value v of a cell is [v * plane +
 * cell]. */
static size_t deltas_of(const rg_anchor *on)
{
    return (size_t)4 * on->first;
}

/* Moves a random choice of `wanted` of the n indices to the front; returns how many. */
static int choose(int *index, int n, int wanted, uint64_t *state)
{
    for (int i = 0; i < wanted && i < n; i++) {
        int j = i + rg_random_below(state, n - i), swap = index[i];
        index[i] = index[j];
        index[j] = swap;
    }
    return n < wanted ? n : wanted;
}

typedef struct candidate { rg_box box; float score; int index; } candidate;

static int by_score(const void *pa, const void *pb)
{
    const candidate *a = pa, *b = pb;
    if (a->score != b->score) return a->score < b->score ? 1 : -1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Anchors moved by their deltas and clipped, but for those too small or not finite. */
static int move_anchors(const rg_claran *model, float smallest, const float *source,
                        const float *deltas, candidate *moved)
{
    const float least = smallest * (float)model->input / RG_CLARAN_SUBJECT;
    int n = 0;
    for (int a = 0; a < ANCHORS; a++) {
        const rg_anchor on = rg_claran_anchor(model, a);
        const int plane = on.cells * on.cells;
        for (int cell = 0; cell < plane; cell++) {
            const int i = on.first + cell;
            const float *from = deltas + deltas_of(&on) + cell;
            float d[4] = { from[0], from[plane], from[2 * plane], from[3 * plane] };
            rg_box anchor =
                rg_proposal_anchor(model, a, cell / on.cells, cell % on.cells);
            rg_box box = rg_boxes_decode(anchor, d);
            if (!isfinite(box.x1 + box.y1 + box.x2 + box.y2 + source[i])) continue;
            box = rg_boxes_clip(box, model->input, model->input);
            if (box.x2 - box.x1 + 1 >= least && box.y2 - box.y1 + 1 >= least)
                moved[n++] = (candidate){ box, source[i], i };
        }
    }
    return n;
}

/* Suppression among n sorted candidates; returns how many were kept, -1 on failure. */
static int suppress(const candidate *from, int n, const rg_proposal_options *options,
                    rg_box *boxes, float *scores, int *anchors)
{
    size_t count = (size_t)(n ? n : 1);
    rg_box *all = rg_error_alloc(count, sizeof *all, "candidate boxes");
    float *score = rg_error_alloc(count, sizeof *score, "candidate scores");
    int *keep = rg_error_alloc(count, sizeof *keep, "kept candidates"), kept = -1;
    if (all && score && keep) {
        for (int i = 0; i < n; i++) {
            all[i] = from[i].box;
            score[i] = from[i].score;
        }
        int most = options->after < n ? options->after : n;
        kept = rg_boxes_nms(all, score, n, options->iou, most, keep);
    }
    for (int i = 0; i < kept; i++) {
        boxes[i] = all[keep[i]];
        if (scores) scores[i] = score[keep[i]];
        if (anchors) anchors[i] = from[keep[i]].index;
    }
    free(all);
    free(score);
    free(keep);
    return kept;
}

rg_proposing rg_proposal_asked(const rg_claran *model,
                               const rg_proposal_options *options)
{
    rg_proposing how = {
        .anchors = ANCHORS, .input = model->input, .iou = options->iou,
        .smallest = options->smallest * (float)model->input / RG_CLARAN_SUBJECT,
        .before = options->before, .after = options->after,
    };
    for (int a = 0; a < ANCHORS; a++) how.anchor[a] = rg_claran_anchor(model, a);
    return how;
}

int rg_proposal_find(const rg_claran *model, const rg_proposal_options *options,
                     const float *source, const float *deltas, rg_box *boxes,
                     float *scores, int *anchors)
{
    candidate *moved = rg_error_alloc((unsigned long)rg_claran_anchors(model),
                                      sizeof *moved, "moved anchors");
    if (moved == NULL) return -1;
    int n = move_anchors(model, options->smallest, source, deltas, moved);
    qsort(moved, (size_t)n, sizeof *moved, by_score);
    if (n > options->before) n = options->before;
    int kept = suppress(moved, n, options, boxes, scores, anchors);
    free(moved);
    return kept;
}

/* The truth a box overlaps most, among the examples or among the ignored. */
typedef struct match { int truth; float iou; } match;

static match best_match(rg_box box, const rg_truth *truths, int n, bool ignored)
{
    match best = { -1, 0 };
    for (int t = 0; t < n; t++) {
        if ((truths[t].class_ == RG_CLASS_IGNORE) != ignored) continue;
        float iou = rg_boxes_iou(box, truths[t].box);
        if (iou > best.iou) best = (match){ t, iou };
    }
    return best;
}

static bool is_inside(rg_box box, int size)
{
    return box.x1 >= 0 && box.y1 >= 0 && box.x2 <= (float)(size - 1)
           && box.y2 <= (float)(size - 1);
}

/* The room rg_proposal_anchor_targets works in, for all anchors of an image. */
typedef struct anchors {
    int n;
    rg_anchor on[ANCHORS];
    rg_box *box;
    int *inside;               /* whole in the image */
    match *found;              /* per anchor */
    float *best;               /* per truth: highest IoU with any inside anchor */
    int *positive, *negative;  /* indices */
    int positives, negatives;
} anchors;

static void anchors_clear(anchors *all)
{
    free(all->box);
    free(all->inside);
    free(all->found);
    free(all->best);
    free(all->positive);
    free(all->negative);
}

static int anchors_init(anchors *all, const rg_claran *model, int ntruths)
{
    *all = (anchors){ .n = rg_claran_anchors(model) };
    const unsigned long n = (unsigned long)all->n;
    all->box = rg_error_alloc(n, sizeof *all->box, "anchors");
    all->inside = rg_error_alloc(n, sizeof *all->inside, "anchors");
    all->found = rg_error_alloc(n, sizeof *all->found, "anchors");
    all->best = rg_error_alloc((unsigned long)ntruths, sizeof *all->best, "truths");
    all->positive = rg_error_alloc(n, sizeof *all->positive, "positive anchors");
    all->negative = rg_error_alloc(n, sizeof *all->negative, "negative anchors");
    if (!all->box || !all->inside || !all->found || !all->best || !all->positive
        || !all->negative) {
        anchors_clear(all);
        return -1;
    }
    for (int a = 0; a < ANCHORS; a++) {
        const rg_anchor on = all->on[a] = rg_claran_anchor(model, a);
        for (int cell = 0; cell < on.cells * on.cells; cell++) {
            rg_box box = rg_proposal_anchor(model, a, cell / on.cells, cell % on.cells);
            all->box[on.first + cell] = box;
            all->inside[on.first + cell] = is_inside(box, model->input);
        }
    }
    return 0;
}

/* Where the first of the four values of anchor number i is, and how far apart they
 * are. */
static size_t place_of(const anchors *all, int i, int *plane)
{
    int a = ANCHORS - 1;
    while (all->on[a].first > i) a--;
    *plane = all->on[a].cells * all->on[a].cells;
    return deltas_of(&all->on[a]) + (size_t)(i - all->on[a].first);
}

static void anchors_match(anchors *all, const rg_truth *truths, int n)
{
    for (int i = 0; i < all->n; i++) {
        if (!all->inside[i]) continue;
        all->found[i] = best_match(all->box[i], truths, n, false);
        for (int t = 0; t < n; t++)
            all->best[t] = fmaxf(all->best[t],
                                 rg_boxes_iou(all->box[i], truths[t].box));
    }
}

/* Each truth's best anchors are positive too, however little they overlap; such an
 * anchor is a match of that truth even if it overlaps another one more. */
static bool anchor_is_best(const anchors *all, int i, const rg_truth *truths, int n,
                           match *found)
{
    for (int t = 0; t < n; t++) {
        if (truths[t].class_ == RG_CLASS_IGNORE || !(all->best[t] > 0)) continue;
        float iou = rg_boxes_iou(all->box[i], truths[t].box);
        if (iou < all->best[t]) continue;
        *found = (match){ t, iou };
        return true;
    }
    return false;
}

static void anchors_sort_out(anchors *all, const rg_target_options *how,
                             const rg_truth *truths, int n)
{
    for (int i = 0; i < all->n; i++) {
        if (!all->inside[i]) continue;
        match *found = &all->found[i];
        if (found->iou >= how->positive || anchor_is_best(all, i, truths, n, found))
            all->positive[all->positives++] = i;
        else if (found->iou < how->negative
                 && best_match(all->box[i], truths, n, true).iou < CLEAR_IOU)
            all->negative[all->negatives++] = i;
    }
}

int rg_proposal_anchor_targets(const rg_claran *model, const rg_target_options *how,
                               const rg_truth *truths, int n, uint64_t seed,
                               float *labels, float *targets, float *weights)
{
    anchors all;
    RG_TRY(anchors_init(&all, model, n));
    anchors_match(&all, truths, n);
    anchors_sort_out(&all, how, truths, n);
    int most = (int)(how->positives * (float)how->anchors);
    int positives = choose(all.positive, all.positives, most, &seed);
    int negatives = choose(all.negative, all.negatives, how->anchors - positives,
                           &seed);

    for (int i = 0; i < all.n; i++) labels[i] = -1;
    memset(targets, 0, (size_t)4 * all.n * sizeof *targets);
    memset(weights, 0, (size_t)4 * all.n * sizeof *weights);
    for (int k = 0; k < negatives; k++) labels[all.negative[k]] = 0;
    for (int k = 0; k < positives; k++) {
        int i = all.positive[k], plane;
        const size_t first = place_of(&all, i, &plane);
        float d[4];
        rg_boxes_encode(all.box[i], truths[all.found[i].truth].box, d);
        labels[i] = 1;
        for (int v = 0; v < 4; v++) {
            size_t at = first + (size_t)(v * plane);
            targets[at] = d[v];
            weights[at] = 1.0f / (float)(positives + negatives);
        }
    }
    anchors_clear(&all);
    return 0;
}

/* The room rg_proposal_roi_targets works in: candidates and what they turned out. */
typedef struct rois {
    rg_box *box;
    match *found;
    int *foreground, *background, *ignored, *chosen;
    int n, foregrounds, backgrounds, ignoreds;
} rois;

static void rois_clear(rois *all)
{
    free(all->box);
    free(all->found);
    free(all->foreground);
    free(all->background);
    free(all->ignored);
    free(all->chosen);
}

static int rois_init(rois *all, int candidates, int count)
{
    const unsigned long n = (unsigned long)candidates;
    *all = (rois){ 0 };
    all->box = rg_error_alloc(n, sizeof *all->box, "RoIs");
    all->found = rg_error_alloc(n, sizeof *all->found, "RoIs");
    all->foreground = rg_error_alloc(n, sizeof *all->foreground, "foreground RoIs");
    all->background = rg_error_alloc(n, sizeof *all->background, "background RoIs");
    all->ignored = rg_error_alloc(n, sizeof *all->ignored, "ignored RoIs");
    all->chosen = rg_error_alloc((unsigned long)count, sizeof *all->chosen, "RoIs");
    if (all->box && all->found && all->foreground && all->background && all->ignored
        && all->chosen) return 0;
    rois_clear(all);
    return -1;
}

static void rois_sort_out(rois *all, const rg_target_options *how,
                          const rg_truth *truths, int n)
{
    for (int i = 0; i < all->n; i++) {
        match found = all->found[i] = best_match(all->box[i], truths, n, false);
        if (found.iou >= how->foreground)
            all->foreground[all->foregrounds++] = i;
        else if (found.iou >= how->background
                 && best_match(all->box[i], truths, n, true).iou < CLEAR_IOU)
            all->background[all->backgrounds++] = i;
        else
            all->ignored[all->ignoreds++] = i;
    }
}

/* At most `most` foreground, the rest background; where that is too little, the
 * ignored, and then backgrounds (foregrounds where there are none) over again.  Returns
 * `count`, or 0 if there was no candidate at all. */
static int rois_choose(rois *all, int most, int count, uint64_t *seed)
{
    int nf = choose(all->foreground, all->foregrounds, most, seed), n = 0;
    int nb = choose(all->background, all->backgrounds, count - nf, seed);
    for (int i = 0; i < nf; i++) all->chosen[n++] = all->foreground[i];
    for (int i = 0; i < nb; i++) all->chosen[n++] = all->background[i];
    for (int i = 0; i < all->ignoreds && n < count; i++)
        all->chosen[n++] = all->ignored[i];
    const int *again = nb ? all->background : nf ? all->foreground : all->ignored;
    const int agains = nb ? nb : nf ? nf : all->ignoreds;
    for (int i = 0; agains > 0 && n < count; i++) all->chosen[n++] = again[i % agains];
    return n;
}

/* A RoI as BOXES takes it: fixed, or moved with its anchor's deltas. */
static void write_pick(const rg_claran *model, int image, rg_box box, int anchor,
                       float pick[7])
{
    float first = -1, step = 0;
    if (anchor >= 0) {
        int a = ANCHORS - 1;
        while (rg_claran_anchor(model, a).first > anchor) a--;
        const rg_anchor on = rg_claran_anchor(model, a);
        const int cell = anchor - on.first;
        box = rg_proposal_anchor(model, a, cell / on.cells, cell % on.cells);
        first = (float)(deltas_of(&on) + (size_t)cell);
        step = (float)(on.cells * on.cells);
    }
    const float all[7] = { (float)image, box.x1, box.y1, box.x2, box.y2, first, step };
    memcpy(pick, all, sizeof all);
}

static void write_roi(const rois *all, int i, float foreground, const rg_truth *truths,
                      int n, int total, float *label, float *targets, float *weights)
{
    match found = all->found[i];
    if (found.iou < foreground) {
        bool clear = best_match(all->box[i], truths, n, true).iou < CLEAR_IOU;
        *label = clear ? RG_CLASS_BACKGROUND : RG_CLASS_IGNORE;
        return;
    }
    int class_ = truths[found.truth].class_;
    float d[4];
    rg_boxes_encode(all->box[i], truths[found.truth].box, d);
    *label = (float)class_;
    for (int v = 0; v < 4; v++) {
        targets[4 * class_ + v] = d[v] / rg_proposal_target_std[v];
        weights[4 * class_ + v] = 1.0f / (float)total;
    }
}

int rg_proposal_roi_targets(const rg_claran *model, const rg_target_options *how,
                            const rg_box *proposals, const int *anchors, int nproposals,
                            const rg_truth *truths, int n, int image, int count,
                            int total, uint64_t seed, rg_roi_targets to)
{
    rois all;
    RG_TRY(rois_init(&all, nproposals + n, count));
    for (int i = 0; i < nproposals; i++) all.box[all.n++] = proposals[i];
    for (int t = 0; t < n; t++)
        if (truths[t].class_ != RG_CLASS_IGNORE) all.box[all.n++] = truths[t].box;
    rois_sort_out(&all, how, truths, n);
    int most = (int)(how->foregrounds * (float)count);
    int chosen = rois_choose(&all, most, count, &seed);

    memset(to.targets, 0, (size_t)count * VALUES * sizeof *to.targets);
    memset(to.weights, 0, (size_t)count * VALUES * sizeof *to.weights);
    for (int k = 0; k < count; k++) {
        const float side = RG_CLARAN_STRIDE - 1;
        const int i = k < chosen ? all.chosen[k] : -1;
        write_pick(model, image, i < 0 ? (rg_box){ 0, 0, side, side } : all.box[i],
                   anchors && i >= 0 && i < nproposals ? anchors[i] : -1,
                   to.picks + (size_t)7 * k);
        to.labels[k] = RG_CLASS_IGNORE;
        if (i >= 0)
            write_roi(&all, i, how->foreground, truths, n, total,
                      &to.labels[k], to.targets + (size_t)VALUES * k,
                      to.weights + (size_t)VALUES * k);
    }
    rois_clear(&all);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* proposal: anchors, proposals, and the targets they are trained on (spec/claran.md
 * "Proposals", "Training targets"; paper sections 4.2, 4.3).
 *
 * Feature maps here are one image's planes: scores and labels [6][cells][cells],
 * deltas, targets and weights [24][cells][cells] with channel 4 a + i for value i of
 * anchor a.  Where the anchors stand on maps of several sizes (rg_claran_anchor), the
 * planes of each follow one another.
 */
#ifndef RG_PROPOSAL_H
#define RG_PROPOSAL_H

#include <stdint.h>

#include "core/detector/claran.h"
#include "core/engine/backend.h"

typedef struct rg_proposal_options {
    int before;           /* best so many go into suppression: 6000 test, 12000 train */
    int after;            /* at most so many leave it: 5 test, 2000 train */
    float iou;            /* of the suppression: 0.7 */
    float smallest;       /* sides under this [subject pixels] are dropped: 4 */
} rg_proposal_options;

/* What is sampled for training, and what counts as what. */
typedef struct rg_target_options {
    int anchors;          /* per image: 256 */
    float positives;      /* at most this share of them positive: 0.5 */
    float positive;       /* anchors are from this IoU with a truth: 0.7 */
    float negative;       /* and negative below this one: 0.3 */
    float foregrounds;    /* at most this share of the RoIs foreground: 0.25 */
    float foreground;     /* RoIs are from this IoU: 0.5 */
    float background;     /* from this IoU up to that: 0 (0.1 in the paper's text) */
} rg_target_options;

extern const rg_target_options rg_target_defaults;

/* A labelled source: box in network pixels, class (or RG_CLASS_IGNORE). */
typedef struct rg_truth { rg_box box; int class_; } rg_truth;

/* Anchor a of cell (x, y). */
rg_box rg_proposal_anchor(const rg_claran *model, int a, int y, int x);

/* Proposals of one image from the source probability [6][cells][cells] and the deltas
 * [24][cells][cells]: boxes[after], their scores[after] and the numbers of their
 * anchors[after] (rg_claran_anchor; both NULL: not wanted), best first.  Returns how
 * many, -1 on failure. */
int rg_proposal_find(const rg_claran *model, const rg_proposal_options *options,
                     const float *source, const float *deltas, rg_box *boxes,
                     float *scores, int *anchors);

/* The same asked of a backend that finds them itself (rg_net_propose). */
rg_proposing rg_proposal_asked(const rg_claran *model,
                               const rg_proposal_options *options);

/* Anchor targets of one image.  labels [6][cells][cells]: 1, 0, or -1 left out; targets
 * and weights [24][cells][cells], weights 1/sampled on positives.  Anchors that overlap
 * an ignored truth by IoU >= 0.3 and are not positive for another are left out.
 * how->anchors are sampled from the seed. */
int rg_proposal_anchor_targets(const rg_claran *model, const rg_target_options *how,
                               const rg_truth *truths, int n, uint64_t seed,
                               float *labels, float *targets, float *weights);

/* RoI targets of one image: from `proposals` plus the truths, `count` RoIs (128),
 * foreground and background as `how` says; padded by repeating.  picks [count][7]: the
 * RoIs as BOXES takes them (layer.h), tied to the `anchors` of their proposals, so that
 * the gradient of ST pooling moves them, or, where that is NULL, fixed; labels [count];
 * targets and weights [count][28]: Eq. 7 divided by 0.1, 0.1, 0.2, 0.2 in the true
 * class's four, weights 1/total there (total = RoIs of the whole batch).  A RoI on an
 * ignored truth gets label -1 and is used only as padding. */
typedef struct rg_roi_targets {
    float *picks, *labels, *targets, *weights;
} rg_roi_targets;
int rg_proposal_roi_targets(const rg_claran *model, const rg_target_options *how,
                            const rg_box *proposals, const int *anchors, int nproposals,
                            const rg_truth *truths, int n, int image, int count,
                            int total, uint64_t seed, rg_roi_targets to);

/* What the trained bbox_pred is multiplied by on saving, so that inference needs no
 * unscaling. */
extern const float rg_proposal_target_std[4];

#endif

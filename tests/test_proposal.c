/* SPDX-License-Identifier: MIT */
/* Anchors, proposals, and the targets of both stages. */
#include <stdbool.h>

#include "core/detector/proposal.h"
#include "core/engine/random.h"
#include "core/engine/ref/kernels.h"
#include "tests/check.h"

#define ANCHOR_TARGETS(model, ...) \
    rg_proposal_anchor_targets(model, &rg_target_defaults, __VA_ARGS__)
#define ROI_TARGETS(boxes, ...) \
    rg_proposal_roi_targets(&model, &rg_target_defaults, boxes, NULL, __VA_ARGS__)

enum { CELLS = 16, PLANE = CELLS * CELLS, ANCHORS = 6 * PLANE, VALUES = 24 * PLANE };

static const rg_claran model = {
    .input = 264, .width = 32, .fc = 256, .anchor = { 8, 16, 32, 64, 128, 256 },
};
static const rg_proposal_options test_time = { 6000, 5, 0.7f, 4 };

static float source[ANCHORS], deltas[VALUES];
static float labels[ANCHORS], targets[VALUES], weights[VALUES];

static void first_anchor_is_the_papers(void)
{
    rg_box a = rg_proposal_anchor(&rg_claran_paper, 0, 0, 0);
    CHECK(a.x1 == 0 && a.y1 == 0 && a.x2 == 15 && a.y2 == 15);
    a = rg_proposal_anchor(&rg_claran_paper, 5, 2, 3);
    CHECK_NEAR(a.x2 - a.x1 + 1, 512, 0);
    CHECK_NEAR((a.x1 + a.x2) / 2, 7.5 + 48, 0);
    CHECK_NEAR((a.y1 + a.y2) / 2, 7.5 + 32, 0);
}

static void reset(void)
{
    memset(source, 0, sizeof source);
    memset(deltas, 0, sizeof deltas);
}

static int at(int a, int y, int x)
{
    return (a * CELLS + y) * CELLS + x;
}

static void best_proposals_come_first(void)
{
    rg_box boxes[5];
    float scores[5];
    reset();
    source[at(2, 4, 5)] = 0.9f;
    source[at(3, 10, 9)] = 0.95f;
    deltas[at(4 * 3 + 0, 10, 9)] = 0.25f;
    deltas[at(4 * 3 + 1, 10, 9)] = -0.5f;
    CHECK(rg_proposal_find(&model, &test_time, source, deltas, boxes, scores, NULL)
          == 5);
    CHECK_NEAR(scores[0], 0.95, 1e-6);
    CHECK_NEAR(scores[1], 0.9, 1e-6);
    CHECK_NEAR(scores[2], 0, 0);
    rg_box anchor = rg_proposal_anchor(&model, 3, 10, 9);
    CHECK_NEAR(boxes[0].x1, anchor.x1 + 16, 1e-3);
    CHECK_NEAR(boxes[0].y2, anchor.y2 - 32, 1e-3);
    CHECK(rg_boxes_iou(boxes[1], rg_proposal_anchor(&model, 2, 4, 5)) > 0.999f);
    CHECK(rg_proposal_find(&model, &test_time, source, deltas, boxes, NULL, NULL)
          == 5);
}

static void proposals_are_clipped_and_thinned(void)
{
    rg_proposal_options all = { 12000, 2000, 0.7f, 4 };
    static rg_box boxes[2000];
    static float scores[2000];
    reset();
    for (int i = 0; i < ANCHORS; i++) source[i] = (float)((i * 7919) % 1009) / 1009;
    for (int i = 0; i < VALUES; i++) deltas[i] = sinf((float)i * 0.37f);
    int n = rg_proposal_find(&model, &all, source, deltas, boxes, scores, NULL);
    CHECK(n > 50 && n < ANCHORS);
    for (int i = 0; i < n; i++) {
        CHECK(boxes[i].x1 >= 0 && boxes[i].x2 <= 263 && boxes[i].y1 >= 0
              && boxes[i].y2 <= 263);
        CHECK(boxes[i].x2 - boxes[i].x1 + 1 >= 8 && boxes[i].y2 - boxes[i].y1 + 1 >= 8);
        CHECK(i == 0 || scores[i] <= scores[i - 1]);
        for (int j = 0; j < i; j++) CHECK(rg_boxes_iou(boxes[i], boxes[j]) <= 0.7f);
    }
    all.before = 3;
    CHECK(rg_proposal_find(&model, &all, source, deltas, boxes, scores, NULL) <= 3);
}

static void nonsense_makes_no_proposals(void)
{
    rg_box boxes[5];
    reset();
    for (int i = 0; i < ANCHORS; i++) source[i] = NAN;
    CHECK(rg_proposal_find(&model, &test_time, source, deltas, boxes, NULL, NULL)
          == 0);
    reset();
    for (int i = 0; i < VALUES; i++) deltas[i] = i % 2 ? NAN : INFINITY;
    CHECK(rg_proposal_find(&model, &test_time, source, deltas, boxes, NULL, NULL)
          == 0);
    for (int i = 0; i < VALUES; i++) deltas[i] = -1e30f;
    CHECK(rg_proposal_find(&model, &test_time, source, deltas, boxes, NULL, NULL)
          == 0);
}

static const rg_truth two[2] = {
    { { 40, 40, 103, 103 }, 1 }, { { 150, 160, 185, 199 }, 5 },
};

static int count(float wanted)
{
    int n = 0;
    for (int i = 0; i < ANCHORS; i++) n += labels[i] == wanted;
    return n;
}

static void anchor_labels_follow_the_rule(void)
{
    CHECK_OK(ANCHOR_TARGETS(&model, two, 2, 7, labels, targets, weights));
    int positives = count(1), negatives = count(0), covered[2] = { 0 };
    CHECK(positives >= 2 && positives <= 128 && positives + negatives == 256);
    for (int i = 0; i < ANCHORS; i++) {
        int a = i / PLANE, y = i % PLANE / CELLS, x = i % CELLS;
        rg_box anchor = rg_proposal_anchor(&model, a, y, x);
        float best = 0;
        for (int t = 0; t < 2; t++) {
            float iou = rg_boxes_iou(anchor, two[t].box);
            best = fmaxf(best, iou);
            covered[t] |= labels[i] == 1 && iou > 0.4f;
        }
        bool inside = anchor.x1 >= 0 && anchor.y1 >= 0 && anchor.x2 <= 263
                      && anchor.y2 <= 263;
        if (!inside) CHECK(labels[i] == -1);
        if (labels[i] == 0) CHECK(best < 0.3f);
        if (inside && best >= 0.7f) CHECK(labels[i] == 1);
        for (int v = 0; v < 4; v++) {
            float weight = weights[at(4 * a + v, y, x)];
            CHECK_NEAR(weight, labels[i] == 1 ? 1.0 / 256 : 0, 1e-7);
        }
    }
    CHECK(covered[0] && covered[1]);
}

static void anchor_targets_lead_to_the_truth(void)
{
    CHECK_OK(ANCHOR_TARGETS(&model, two, 2, 8, labels, targets, weights));
    for (int i = 0; i < ANCHORS; i++) {
        if (labels[i] != 1) continue;
        int a = i / PLANE, y = i % PLANE / CELLS, x = i % CELLS;
        float d[4];
        for (int v = 0; v < 4; v++) d[v] = targets[at(4 * a + v, y, x)];
        rg_box to = rg_boxes_decode(rg_proposal_anchor(&model, a, y, x), d);
        float one = rg_boxes_iou(to, two[0].box), five = rg_boxes_iou(to, two[1].box);
        CHECK(fmaxf(one, five) > 0.999f);
    }
}

static void anchor_sampling_is_seeded(void)
{
    static float again[ANCHORS];
    CHECK_OK(ANCHOR_TARGETS(&model, two, 2, 1, labels, targets, weights));
    CHECK_OK(ANCHOR_TARGETS(&model, two, 2, 1, again, targets, weights));
    CHECK(memcmp(labels, again, sizeof labels) == 0);
    CHECK_OK(ANCHOR_TARGETS(&model, two, 2, 2, again, targets, weights));
    CHECK(memcmp(labels, again, sizeof labels) != 0);
}

static void fields_without_sources_have_negatives_only(void)
{
    CHECK_OK(ANCHOR_TARGETS(&model, NULL, 0, 1, labels, targets, weights));
    CHECK(count(1) == 0 && count(0) == 256);
}

static void ignored_truths_are_neither(void)
{
    rg_truth ignored[2] = { two[0], two[1] };
    ignored[0].class_ = RG_CLASS_IGNORE;
    for (uint64_t seed = 0; seed < 20; seed++) {
        CHECK_OK(ANCHOR_TARGETS(&model, ignored, 2, seed, labels, targets,
                                            weights));
        for (int i = 0; i < ANCHORS; i++) {
            rg_box anchor = rg_proposal_anchor(&model, i / PLANE, i % PLANE / CELLS,
                                               i % CELLS);
            if (rg_boxes_iou(anchor, ignored[0].box) >= 0.3f) CHECK(labels[i] == -1);
        }
        CHECK(count(1) > 0);
    }
}

enum { ROIS = 128 };
static float rois[ROIS][7], roi_labels[ROIS];   /* picks */
static float roi_targets[ROIS][28], roi_weights[ROIS][28];
static const rg_roi_targets into = {
    rois[0], roi_labels, roi_targets[0], roi_weights[0],
};

static rg_box roi_box(int k)
{
    return (rg_box){ rois[k][1], rois[k][2], rois[k][3], rois[k][4] };
}

static int count_rois(float label)
{
    int n = 0;
    for (int k = 0; k < ROIS; k++) n += roi_labels[k] == label;
    return n;
}

static int make_proposals(rg_box *boxes)
{
    int n = 0;
    for (int i = 0; i < 300; i++) {
        float x = (float)(i * 37 % 200), y = (float)(i * 61 % 200);
        float w = (float)(20 + i % 40), h = (float)(20 + i % 43);
        boxes[n++] = (rg_box){ x, y, x + w, y + h };
        float shift = (float)(i % 9);
        boxes[n++] = (rg_box){ 40 + shift, 40, 103 + shift, 103 };
    }
    return n;
}

static void roi_labels_follow_the_rule(void)
{
    rg_box boxes[600];
    int n = make_proposals(boxes);
    CHECK_OK(ROI_TARGETS(boxes, n, two, 2, 3, ROIS, 2 * ROIS, 5, into));
    CHECK(count_rois(0) == 96 && count_rois(1) + count_rois(5) == 32);
    for (int k = 0; k < ROIS; k++) {
        float one = rg_boxes_iou(roi_box(k), two[0].box);
        float five = rg_boxes_iou(roi_box(k), two[1].box);
        int class_ = (int)roi_labels[k];
        CHECK(rois[k][0] == 3);
        CHECK((class_ == 0) == (one < 0.5f && five < 0.5f));
        if (class_ == 1) CHECK(one >= 0.5f);
        if (class_ == 5) CHECK(five >= 0.5f);
        for (int v = 0; v < 28; v++) {
            bool used = class_ > 0 && v / 4 == class_;
            CHECK_NEAR(roi_weights[k][v], used ? 1.0 / 256 : 0, 1e-8);
            if (!used) CHECK(roi_targets[k][v] == 0);
        }
    }
}

static void roi_targets_lead_to_the_truth(void)
{
    rg_box boxes[600];
    int n = make_proposals(boxes);
    CHECK_OK(ROI_TARGETS(boxes, n, two, 2, 0, ROIS, ROIS, 6, into));
    for (int k = 0; k < ROIS; k++) {
        int class_ = (int)roi_labels[k];
        if (class_ <= 0) continue;
        float d[4];
        for (int v = 0; v < 4; v++)
            d[v] = roi_targets[k][4 * class_ + v] * rg_proposal_target_std[v];
        rg_box to = rg_boxes_decode(roi_box(k), d);
        CHECK(rg_boxes_iou(to, two[class_ == 5].box) > 0.999f);
    }
}

/* What BOXES makes of RoIs tied to their anchors is what they are untied. */
static void rois_are_tied_to_their_anchors(void)
{
    static float untied[ROIS][7], moved[ROIS][5];
    const rg_proposal_options many = { 12000, 2000, 0.7f, 4 };
    rg_box boxes[2000];
    int anchors[2000], tied = 0;
    uint64_t state = 9;
    for (int i = 0; i < ANCHORS; i++) source[i] = (float)rg_random_uniform(&state);
    for (int i = 0; i < VALUES; i++)
        deltas[i] = (float)(rg_random_uniform(&state) - 0.5);
    int n = rg_proposal_find(&model, &many, source, deltas, boxes, NULL, anchors);
    CHECK(n > ROIS);
    CHECK_OK(ROI_TARGETS(boxes, n, two, 2, 0, ROIS, ROIS, 5, into));
    memcpy(untied, rois, sizeof untied);
    CHECK_OK(rg_proposal_roi_targets(&model, &rg_target_defaults, boxes, anchors, n,
                                     two, 2, 0, ROIS, ROIS, 5, into));
    rg_kernels_boxes(1, VALUES, deltas, ROIS, rois[0], model.input, moved[0]);
    for (int k = 0; k < ROIS; k++) {
        CHECK(untied[k][5] < 0);
        tied += rois[k][5] >= 0;
        for (int v = 0; v < 5; v++) CHECK_NEAR(moved[k][v], untied[k][v], 1e-3);
    }
    CHECK(tied >= ROIS - 8);                    /* all but the truths */
}

static void few_rois_are_repeated(void)
{
    rg_box boxes[2] = { { 200, 200, 230, 230 }, { 210, 10, 240, 40 } };
    CHECK_OK(ROI_TARGETS(boxes, 2, two, 2, 0, ROIS, ROIS, 1, into));
    CHECK(count_rois(0) == 126 && count_rois(1) == 1 && count_rois(5) == 1);
    CHECK_OK(ROI_TARGETS(NULL, 0, two, 2, 0, ROIS, ROIS, 1, into));
    CHECK(count_rois(1) == 64 && count_rois(5) == 64);
    CHECK_OK(ROI_TARGETS(NULL, 0, NULL, 0, 0, ROIS, ROIS, 1, into));
    CHECK(count_rois(-1) == ROIS && rg_boxes_iou(roi_box(0), roi_box(0)) == 1);
}

static void rois_on_ignored_truths_only_pad(void)
{
    rg_box boxes[600];
    rg_truth ignored[2] = { two[0], two[1] };
    ignored[0].class_ = RG_CLASS_IGNORE;
    int n = make_proposals(boxes);
    CHECK_OK(ROI_TARGETS(boxes, n, ignored, 2, 0, ROIS, ROIS, 5, into));
    CHECK(count_rois(-1) == 0 && count_rois(1) == 0 && count_rois(5) >= 1);
    for (int k = 0; k < ROIS; k++) {
        bool clear = rg_boxes_iou(roi_box(k), two[0].box) < 0.3f || roi_labels[k] == 5;
        CHECK(clear);
    }
    CHECK_OK(ROI_TARGETS(&two[0].box, 1, ignored, 1, 0, ROIS, ROIS, 5,
                                     into));
    CHECK(count_rois(-1) == ROIS);
}

static void sampling_is_as_asked(void)
{
    rg_target_options how = rg_target_defaults;
    rg_box boxes[600];
    int n = make_proposals(boxes), positives = 0, negatives = 0;
    how.anchors = 20;
    how.positives = 0.1f;
    CHECK_OK(rg_proposal_anchor_targets(&model, &how, two, 2, 7, labels, targets,
                                        weights));
    for (int i = 0; i < ANCHORS; i++) {
        positives += labels[i] == 1;
        negatives += labels[i] == 0;
    }
    CHECK(positives == 2 && negatives == 18);
    how.foregrounds = 0.5f;
    how.background = 0.1f;
    CHECK_OK(rg_proposal_roi_targets(&model, &how, boxes, NULL, n, two, 2, 0, ROIS,
                                     ROIS, 5, into));
    int default_share = ROIS / 4, foregrounds = count_rois(1) + count_rois(5);
    CHECK(foregrounds > default_share && foregrounds <= ROIS / 2);
}

/* On a pyramid: the anchors of all levels, and targets that lead from each to the
 * truth. */
static void levels_are_searched_together(void)
{
    enum { MOST = 6 * 66 * 66 };
    static float scores[MOST], shifts[4 * MOST], marks[MOST], aims[4 * MOST];
    static float used[4 * MOST];
    const rg_truth both[2] = {
        { { 40, 40, 55, 55 }, 1 }, { { 100, 90, 229, 219 }, 5 },
    };
    rg_claran pyramid = model;
    rg_box boxes[5];
    int level[RG_CLARAN_ANCHORS] = { 0 };
    pyramid.network = RG_NETWORK_FPN;
    CHECK(rg_claran_anchors(&pyramid) == 2 * (66 * 66 + 33 * 33 + 17 * 17));
    CHECK_OK(rg_proposal_anchor_targets(&pyramid, &rg_target_defaults, both, 2, 3,
                                        marks, aims, used));
    for (int a = 0; a < RG_CLARAN_ANCHORS; a++) {
        const rg_anchor on = rg_claran_anchor(&pyramid, a);
        const int plane = on.cells * on.cells;
        for (int cell = 0; cell < plane; cell++) {
            if (marks[on.first + cell] != 1) continue;
            float d[4];
            for (int v = 0; v < 4; v++)
                d[v] = aims[4 * on.first + v * plane + cell];
            rg_box to = rg_boxes_decode(rg_proposal_anchor(&pyramid, a, cell / on.cells,
                                                           cell % on.cells), d);
            CHECK(fmaxf(rg_boxes_iou(to, both[0].box), rg_boxes_iou(to, both[1].box))
                  > 0.999f);
            level[a]++;
        }
    }
    CHECK(level[1] > 0 && level[4] > 0 && level[5] == 0);    /* of 16 and 128 pixels */
    const rg_anchor fine = rg_claran_anchor(&pyramid, 1);
    const rg_anchor wide = rg_claran_anchor(&pyramid, 4);
    scores[fine.first + 7 * fine.cells + 9] = 0.9f;
    scores[wide.first + 5 * wide.cells + 6] = 0.8f;
    shifts[4 * wide.first + 5 * wide.cells + 6] = 0.25f;
    CHECK(rg_proposal_find(&pyramid, &test_time, scores, shifts, boxes, NULL, NULL)
          == 5);
    CHECK(rg_boxes_iou(boxes[0], rg_proposal_anchor(&pyramid, 1, 7, 9)) > 0.999f);
    rg_box moved = rg_proposal_anchor(&pyramid, 4, 5, 6);
    CHECK_NEAR(boxes[1].x1, moved.x1 + 32, 1e-3);
    CHECK_NEAR(boxes[1].y2, moved.y2, 1e-3);
}

int main(void)
{
    CHECK_RUN(sampling_is_as_asked);
    CHECK_RUN(first_anchor_is_the_papers);
    CHECK_RUN(best_proposals_come_first);
    CHECK_RUN(proposals_are_clipped_and_thinned);
    CHECK_RUN(nonsense_makes_no_proposals);
    CHECK_RUN(anchor_labels_follow_the_rule);
    CHECK_RUN(anchor_targets_lead_to_the_truth);
    CHECK_RUN(anchor_sampling_is_seeded);
    CHECK_RUN(fields_without_sources_have_negatives_only);
    CHECK_RUN(ignored_truths_are_neither);
    CHECK_RUN(roi_labels_follow_the_rule);
    CHECK_RUN(roi_targets_lead_to_the_truth);
    CHECK_RUN(rois_are_tied_to_their_anchors);
    CHECK_RUN(few_rois_are_repeated);
    CHECK_RUN(rois_on_ignored_truths_only_pad);
    CHECK_RUN(levels_are_searched_together);
    return CHECK_END();
}

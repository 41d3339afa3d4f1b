/* SPDX-License-Identifier: MIT */
/* Box arithmetic: by hand, by round trip, and on what must not overflow. */
#include "core/detector/boxes.h"
#include "tests/check.h"

static unsigned state = 1;

static float uniform(float low, float high)
{
    state = state * 1664525u + 1013904223u;
    return low + (high - low) * (float)(state >> 8) / 16777216.0f;
}

static void class_names(void)
{
    int class_ = 99;
    for (int i = 1; i < RG_CLASSES; i++) {
        CHECK_OK(rg_boxes_class(rg_boxes_class_name[i], &class_));
        CHECK(class_ == i);
    }
    CHECK_OK(rg_boxes_class("?", &class_));
    CHECK(class_ == RG_CLASS_IGNORE);
    CHECK_FAILS(rg_boxes_class("4C_4P", &class_), "\"4C_4P\" is none");
    CHECK_FAILS(rg_boxes_class("", &class_), "3C_3P");
    CHECK(strcmp(rg_boxes_class_name[5], "2C_3P") == 0);
}

static void iou_by_hand(void)
{
    rg_box a = { 0, 0, 9, 9 };
    CHECK_NEAR(rg_boxes_iou(a, a), 1, 0);
    CHECK_NEAR(rg_boxes_iou(a, (rg_box){ 5, 0, 14, 9 }), 50.0 / 150, 1e-6);
    CHECK_NEAR(rg_boxes_iou(a, (rg_box){ 2, 2, 5, 5 }), 0.16, 1e-6);
    CHECK_NEAR(rg_boxes_iou(a, (rg_box){ 9, 9, 18, 18 }), 1.0 / 199, 1e-6);
    CHECK_NEAR(rg_boxes_iou(a, (rg_box){ 10, 0, 19, 9 }), 0, 0);
    CHECK_NEAR(rg_boxes_iou(a, (rg_box){ 5, 5, 3, 3 }), 0, 0);
    CHECK_NEAR(rg_boxes_iou(a, (rg_box){ NAN, 0, 9, 9 }), 0, 0);
}

static void decode_by_hand(void)
{
    rg_box anchor = { 0, 0, 15, 15 };
    rg_box same = rg_boxes_decode(anchor, (float[]){ 0, 0, 0, 0 });
    CHECK_NEAR(same.x1, 0, 1e-6);
    CHECK_NEAR(same.x2, 15, 1e-6);
    rg_box moved = rg_boxes_decode(anchor, (float[]){ 0.5f, -0.25f, logf(2), 0 });
    CHECK_NEAR(moved.x1, 0, 1e-5);
    CHECK_NEAR(moved.x2, 31, 1e-5);
    CHECK_NEAR(moved.y1, -4, 1e-5);
    CHECK_NEAR(moved.y2, 11, 1e-5);
}

static void decode_undoes_encode(void)
{
    for (int i = 0; i < 1000; i++) {
        float x = uniform(-50, 500), y = uniform(-50, 500), d[4];
        rg_box from = { x, y, x + uniform(1, 300), y + uniform(1, 300) };
        rg_box to = { y, x, y + uniform(1, 300), x + uniform(1, 300) };
        if ((to.x2 - to.x1) > 60 * (from.x2 - from.x1)) continue;
        if ((to.y2 - to.y1) > 60 * (from.y2 - from.y1)) continue;
        rg_boxes_encode(from, to, d);
        rg_box back = rg_boxes_decode(from, d);
        CHECK_NEAR(back.x1, to.x1, 1e-2);
        CHECK_NEAR(back.y1, to.y1, 1e-2);
        CHECK_NEAR(back.x2, to.x2, 1e-2);
        CHECK_NEAR(back.y2, to.y2, 1e-2);
    }
}

static void decode_never_overflows(void)
{
    const rg_box from = { 0, 0, 15, 15 };
    rg_box far = rg_boxes_decode(from, (float[]){ 0, 0, 1e30f, 88 });
    CHECK_NEAR(far.x2 - far.x1 + 1, 1000, 0.1);
    CHECK_NEAR(far.y2 - far.y1 + 1, 1000, 0.1);
    rg_box none = rg_boxes_decode(from, (float[]){ 0, 0, -1e30f, 0 });
    CHECK_NEAR(none.x2 - none.x1 + 1, 0, 1e-6);
}

static void clip_keeps_the_inside(void)
{
    rg_box box = rg_boxes_clip((rg_box){ -3, 2, 700, 90 }, 600, 50);
    CHECK(box.x1 == 0 && box.y1 == 2 && box.x2 == 599 && box.y2 == 49);
}

static void suppression_is_greedy(void)
{
    rg_box boxes[6] = { { 0, 0, 9, 9 }, { 1, 0, 10, 9 }, { 50, 50, 59, 59 },
                        { 2, 0, 11, 9 }, { 100, 0, 109, 9 }, { 0, 100, 9, 109 } };
    float scores[6] = { 0.8f, 0.9f, 0.5f, 0.7f, NAN, 0.5f };
    int keep[6];
    CHECK(rg_boxes_nms(boxes, scores, 6, 0.5f, 6, keep) == 3);
    CHECK(keep[0] == 1 && keep[1] == 2 && keep[2] == 5);
    CHECK(rg_boxes_nms(boxes, scores, 6, 0.5f, 2, keep) == 2);
    CHECK(rg_boxes_nms(boxes, scores, 6, 1.0f, 6, keep) == 5);
    CHECK(rg_boxes_nms(boxes, scores, 0, 0.5f, 6, keep) == 0);
    CHECK(rg_boxes_nms(boxes, scores, 6, 0.5f, 0, keep) == 0);
}

/* No two kept boxes overlap by more; every other box overlaps a kept one of its score
 * or better. */
static void suppression_of_many(void)
{
    enum { N = 300 };
    rg_box boxes[N];
    float scores[N];
    int keep[N], is_kept[N] = { 0 };
    for (int i = 0; i < N; i++) {
        float x = uniform(0, 80), y = uniform(0, 80);
        boxes[i] = (rg_box){ x, y, x + uniform(5, 40), y + uniform(5, 40) };
        scores[i] = floorf(uniform(0, 50));
    }
    int n = rg_boxes_nms(boxes, scores, N, 0.4f, N, keep);
    CHECK(n > 5 && n < N);
    for (int i = 0; i < n; i++) {
        is_kept[keep[i]] = 1;
        for (int j = 0; j < i; j++) {
            CHECK(rg_boxes_iou(boxes[keep[i]], boxes[keep[j]]) <= 0.4f);
            CHECK(scores[keep[j]] >= scores[keep[i]]);
        }
    }
    for (int i = 0; i < N; i++) {
        int covered = is_kept[i];
        for (int j = 0; j < n && !covered; j++)
            covered = rg_boxes_iou(boxes[i], boxes[keep[j]]) > 0.4f
                      && scores[keep[j]] >= scores[i];
        CHECK(covered);
    }
}

int main(void)
{
    CHECK_RUN(class_names);
    CHECK_RUN(iou_by_hand);
    CHECK_RUN(decode_by_hand);
    CHECK_RUN(decode_undoes_encode);
    CHECK_RUN(decode_never_overflows);
    CHECK_RUN(clip_keeps_the_inside);
    CHECK_RUN(suppression_is_greedy);
    CHECK_RUN(suppression_of_many);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
/* box: the arithmetic of boxes and anchors (spec/claran.md "Box arithmetic"; Eq. 3, 5),
 * for the host (core/detector/boxes.c) and for cards (core/engine/gpu/propose.h).
 *
 * Boxes are in network-input pixels, y down, corner pixels inclusive: w = x2 - x1 + 1,
 * centre = x1 + w/2.
 */
#ifndef RG_BOX_H
#define RG_BOX_H

#include <math.h>

#include "core/engine/anywhere.h"

typedef struct rg_box { float x1, y1, x2, y2; } rg_box;

/* A kind of anchor: a square of `side` in the middle of each of the cells x cells of
 * its map.  All anchors of an image are numbered through: anchor by anchor, row by row;
 * cell (y, x) is number first + y * cells + x. */
typedef struct rg_anchor {
    float side;                    /* [network pixels] */
    int stride;                    /* network pixels per cell */
    int cells, first;
} rg_anchor;

RG_ANYWHERE rg_box rg_box_of_anchor(rg_anchor on, int y, int x)
{
    const float middle = (float)(on.stride - 1) / 2, half = (on.side - 1) / 2;
    const float cx = (float)(x * on.stride) + middle;
    const float cy = (float)(y * on.stride) + middle;
    const rg_box box = { cx - half, cy - half, cx + half, cy + half };
    return box;
}

RG_ANYWHERE float rg_box_overlap(float a1, float a2, float b1, float b2)
{
    const float length =
        (a2 < b2 ? a2 : b2) - (a1 > b1 ? a1 : b1) + 1; /* no calls: inner loop */
    return length > 0 ? length : 0;
}

RG_ANYWHERE float rg_box_area(rg_box box)
{
    const float w = box.x2 - box.x1 + 1, h = box.y2 - box.y1 + 1;
    return w > 0 && h > 0 ? w * h : 0;
}

/* Intersection over union with the + 1 widths, 0..1; 0 for empty boxes. */
RG_ANYWHERE float rg_box_iou(rg_box a, rg_box b)
{
    const float common = rg_box_overlap(a.x1, a.x2, b.x1, b.x2)
                         * rg_box_overlap(a.y1, a.y2, b.y1, b.y2);
    const float whole_a = rg_box_area(a), whole_b = rg_box_area(b);
    if (!(common > 0 && whole_a > 0 && whole_b > 0)) return 0;
    return common / (whole_a + whole_b - common);
}

/* No delta enlarges a box beyond this factor, so that no input overflows. */
#define RG_BOX_LOG_RATIO 4.135166556742356f    /* log(1000/16) */

/* Corners are inclusive, so the far one is a pixel short of the width: decode undoes
 * encode exactly.  (The authors' program leaves that pixel out.) */
RG_ANYWHERE rg_box rg_box_decode(rg_box from, const float d[4])
{
    const float fw = from.x2 - from.x1 + 1, fh = from.y2 - from.y1 + 1;
    const float x = d[0] * fw + from.x1 + fw / 2, y = d[1] * fh + from.y1 + fh / 2;
    const float w = expf(fminf(d[2], RG_BOX_LOG_RATIO)) * fw;
    const float h = expf(fminf(d[3], RG_BOX_LOG_RATIO)) * fh;
    const rg_box box = { x - w / 2, y - h / 2, x + w / 2 - 1, y + h / 2 - 1 };
    return box;
}

RG_ANYWHERE float rg_box_clamp(float value, int size)
{
    return value < 0 ? 0 : value > size - 1 ? (float)(size - 1) : value;
}

/* Into an image of w x h pixels. */
RG_ANYWHERE rg_box rg_box_clip(rg_box box, int w, int h)
{
    const rg_box clipped = { rg_box_clamp(box.x1, w), rg_box_clamp(box.y1, h),
                             rg_box_clamp(box.x2, w), rg_box_clamp(box.y2, h) };
    return clipped;
}

/* ---- picks: RoIs as BOXES takes them (layer.h) ---- */

/* Whether a pick [7] is tied to deltas, of `images` images with `count` each. */
RG_ANYWHERE int rg_box_is_tied(const float *pick, int images, long count)
{
    return pick[5] >= 0 && pick[6] >= 0 && pick[5] + 3 * pick[6] < (float)count
           && pick[0] >= 0 && pick[0] < (float)images;
}

RG_ANYWHERE rg_box rg_box_of_pick(const float *pick)
{
    const rg_box box = { pick[1], pick[2], pick[3], pick[4] };
    return box;
}

/* Gradient of the four deltas from that of x1, y1, x2, y2 of the box in side x side
 * pixels; ends that were clipped and ratios that were capped get none. */
RG_ANYWHERE void rg_box_decode_back(rg_box from, const float d[4], int side,
                                    const float dbox[4], float dd[4])
{
    const rg_box box = rg_box_decode(from, d);
    const float end[4] = { box.x1, box.y1, box.x2, box.y2 };
    const float length[2] = { from.x2 - from.x1 + 1, from.y2 - from.y1 + 1 };
    dd[0] = dd[1] = dd[2] = dd[3] = 0;
    for (int k = 0; k < 4; k++) {
        const int axis = k % 2;
        if (!(end[k] >= 0 && end[k] <= side - 1)) continue;
        dd[axis] += dbox[k] * length[axis];
        if (d[2 + axis] < RG_BOX_LOG_RATIO)
            dd[2 + axis] += dbox[k] * (k / 2 ? 0.5f : -0.5f) * expf(d[2 + axis])
                            * length[axis];
    }
}

#endif

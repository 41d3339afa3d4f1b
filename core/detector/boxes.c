/* SPDX-License-Identifier: MIT */
#include "core/detector/boxes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

/* No delta enlarges a box beyond this factor, so that no input overflows. */
#define LARGEST_LOG_RATIO 4.135166556742356f   /* log(1000/16) */

const char *const rg_boxes_class_name[RG_CLASSES] = {
    "background", "1C_1P", "1C_2P", "1C_3P", "2C_2P", "2C_3P", "3C_3P",
};

int rg_boxes_class(const char *name, int *class_)
{
    *class_ = RG_CLASS_IGNORE;
    if (strcmp(name, "?") == 0) return 0;
    for (int i = 1; i < RG_CLASSES; i++)
        if (strcmp(name, rg_boxes_class_name[i]) == 0) {
            *class_ = i;
            return 0;
        }
    return RG_FAIL("\"%s\" is none of the classes 1C_1P, 1C_2P, 1C_3P, 2C_2P, 2C_3P, "
                   "3C_3P, nor ? for neither source nor background", name);
}

static float overlap(float a1, float a2, float b1, float b2)
{
    float length =
        (a2 < b2 ? a2 : b2) - (a1 > b1 ? a1 : b1) + 1; /* no calls: inner loop */
    return length > 0 ? length : 0;
}

static float area(rg_box box)
{
    float w = box.x2 - box.x1 + 1, h = box.y2 - box.y1 + 1;
    return w > 0 && h > 0 ? w * h : 0;
}

float rg_boxes_iou(rg_box a, rg_box b)
{
    float common = overlap(a.x1, a.x2, b.x1, b.x2) * overlap(a.y1, a.y2, b.y1, b.y2);
    float whole_a = area(a), whole_b = area(b);
    if (!(common > 0 && whole_a > 0 && whole_b > 0)) return 0;
    return common / (whole_a + whole_b - common);
}

float rg_boxes_part(rg_box a, rg_box b)
{
    float common = overlap(a.x1, a.x2, b.x1, b.x2) * overlap(a.y1, a.y2, b.y1, b.y2);
    float whole = area(a);
    return common > 0 && whole > 0 ? common / whole : 0;
}

void rg_boxes_encode(rg_box from, rg_box to, float d[4])
{
    float fw = from.x2 - from.x1 + 1, fh = from.y2 - from.y1 + 1;
    float tw = to.x2 - to.x1 + 1, th = to.y2 - to.y1 + 1;
    d[0] = (to.x1 + tw / 2 - (from.x1 + fw / 2)) / fw;
    d[1] = (to.y1 + th / 2 - (from.y1 + fh / 2)) / fh;
    d[2] = logf(tw / fw);
    d[3] = logf(th / fh);
}

/* Corners are inclusive, so the far one is a pixel short of the width: decode undoes
 * encode exactly.  (The authors' program leaves that pixel out.) */
rg_box rg_boxes_decode(rg_box from, const float d[4])
{
    float fw = from.x2 - from.x1 + 1, fh = from.y2 - from.y1 + 1;
    float x = d[0] * fw + from.x1 + fw / 2, y = d[1] * fh + from.y1 + fh / 2;
    float w = expf(fminf(d[2], LARGEST_LOG_RATIO)) * fw;
    float h = expf(fminf(d[3], LARGEST_LOG_RATIO)) * fh;
    return (rg_box){ x - w / 2, y - h / 2, x + w / 2 - 1, y + h / 2 - 1 };
}

static float clamp(float value, int size)
{
    return value < 0 ? 0 : value > size - 1 ? (float)(size - 1) : value;
}

rg_box rg_boxes_clip(rg_box box, int w, int h)
{
    return (rg_box){ clamp(box.x1, w), clamp(box.y1, h), clamp(box.x2, w),
                     clamp(box.y2, h) };
}

typedef struct ranked { float score; int index; } ranked;

static int by_score(const void *pa, const void *pb)
{
    const ranked *a = pa, *b = pb;
    if (a->score != b->score) return a->score < b->score ? 1 : -1;
    return (a->index > b->index) - (a->index < b->index);
}

static bool overlaps_kept(const rg_box *boxes, int i, const int *keep, int kept,
                          float iou)
{
    for (int k = 0; k < kept; k++)
        if (rg_boxes_iou(boxes[i], boxes[keep[k]]) > iou) return true;
    return false;
}

int rg_boxes_nms(const rg_box *boxes, const float *scores, int n, float iou, int max,
                 int *keep)
{
    ranked *order = rg_error_alloc((unsigned long)n, sizeof *order, "ranked boxes");
    if (order == NULL) return -1;
    int ranked_count = 0, kept = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(scores[i])) order[ranked_count++] = (ranked){ scores[i], i };
    qsort(order, (size_t)ranked_count, sizeof *order, by_score);
    for (int r = 0; r < ranked_count && kept < max; r++)
        if (!overlaps_kept(boxes, order[r].index, keep, kept, iou))
            keep[kept++] = order[r].index;
    free(order);
    return kept;
}

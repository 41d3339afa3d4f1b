/* SPDX-License-Identifier: MIT */
#include "core/detector/boxes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

const int rg_boxes_components[RG_CLASSES] = { 0, 1, 1, 1, 2, 2, 3 };
const int rg_boxes_peaks[RG_CLASSES] = { 0, 1, 2, 3, 2, 3, 3 };
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

float rg_boxes_iou(rg_box a, rg_box b)
{
    return rg_box_iou(a, b);
}

float rg_boxes_part(rg_box a, rg_box b)
{
    const float common = rg_box_overlap(a.x1, a.x2, b.x1, b.x2)
                         * rg_box_overlap(a.y1, a.y2, b.y1, b.y2);
    const float whole = rg_box_area(a);
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

rg_box rg_boxes_decode(rg_box from, const float d[4])
{
    return rg_box_decode(from, d);
}

rg_box rg_boxes_clip(rg_box box, int w, int h)
{
    return rg_box_clip(box, w, h);
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
        if (rg_box_iou(boxes[i], boxes[keep[k]]) > iou) return true;
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

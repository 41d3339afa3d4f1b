/* SPDX-License-Identifier: MIT */
#include "core/detector/views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/claran.h"

#define SIDE RG_CLARAN_SUBJECT
#define OVERLAP 0.5f
#define LACKING 0.02      /* probability of what a view does not show */
#define RIM 1e-7          /* nearer to 0 and 1 no probability is told apart */

void rg_views_show(const uint8_t *rgb, int view, uint8_t *out)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const int from_x = view & 1 ? SIDE - 1 - x : x;
            const int from_y = view & 2 ? SIDE - 1 - y : y;
            memcpy(out + 3 * (y * SIDE + x), rgb + 3 * (from_y * SIDE + from_x), 3);
        }
}

rg_box rg_views_box(rg_box box, int view, int input)
{
    const float last = (float)input - 1;
    if (view & 1) box = (rg_box){ last - box.x2, box.y1, last - box.x1, box.y2 };
    if (view & 2) box = (rg_box){ box.x1, last - box.y2, box.x2, last - box.y1 };
    return box;
}

static double logit(double p)
{
    const double clear = fmin(fmax(p, RIM), 1 - RIM);
    return log(clear / (1 - clear));
}

/* Where that ties, in an order that is always the same. */
static int by_probability(const void *pa, const void *pb)
{
    const rg_seen *a = pa, *b = pb;
    if (a->probability != b->probability)
        return a->probability < b->probability ? 1 : -1;
    if (a->class_ != b->class_) return a->class_ - b->class_;
    if (a->view != b->view) return a->view - b->view;
    return a->box.x1 == b->box.x1 ? 0 : a->box.x1 < b->box.x1 ? -1 : 1;
}

/* The first of a list with what it takes up, which becomes background. */
static rg_seen join_first(rg_seen *list, int n, int views)
{
    const rg_seen first = list[0];
    double edges[4] = { 0 }, logits = 0;
    unsigned having = 0;
    int have = 0;
    for (int k = 0; k < n; k++) {
        const rg_seen one = list[k];
        if (one.class_ != first.class_ || (k > 0 && !(rg_boxes_iou(first.box, one.box)
                                                      > OVERLAP))) continue;
        list[k].class_ = RG_CLASS_BACKGROUND;
        if (having >> one.view & 1) continue;
        having |= 1u << one.view;
        have++;
        logits += logit(one.probability);
        edges[0] += one.box.x1;
        edges[1] += one.box.y1;
        edges[2] += one.box.x2;
        edges[3] += one.box.y2;
    }
    const double mean = (logits + (views - have) * logit(LACKING)) / views;
    const rg_box box = { (float)(edges[0] / have), (float)(edges[1] / have),
                         (float)(edges[2] / have), (float)(edges[3] / have) };
    return (rg_seen){ box, first.class_, first.view, (float)(1 / (1 + exp(-mean))) };
}

int rg_views_join(rg_seen *list, int n, int views)
{
    int joined = 0;
    if (views == 1 || n == 0) return n;
    qsort(list, (size_t)n, sizeof *list, by_probability);
    for (int k = 0; k < n; k++)
        if (list[k].class_ != RG_CLASS_BACKGROUND)
            list[joined++] = join_first(list + k, n - k, views);
    return joined;
}

/* SPDX-License-Identifier: MIT */
/* propose: the kernels of proposals, part of kernel.h: anchors are moved, ranked by
 * counting those that are better, compared with all behind them (a bit a pair), and
 * chosen in order.
 */
#ifndef RG_PROPOSE_H
#define RG_PROPOSE_H

#include "core/engine/backend.h"

/* Element number `plain` of one image in the order of the host. */
RG_ANYWHERE float rg_propose_get(const rg_view *v, int image, long plain)
{
    const rg_shape s = v->shape;
    int h, w;
    plain = rg_place_split(plain, s.w, &w);
    const int c = (int)rg_place_split(plain, s.h, &h);
    return rg_view_get(v, rg_place_at(s, image, c, h, w));
}

/* i: anchor, image by image of `each`.  Keys ascend as probabilities descend, equals by
 * their number; those left out come last. */
typedef struct rg_kernel_shift {
    long count;
    rg_proposing how;
    int each;
    rg_view source, deltas;
    rg_box *boxes;
    uint64_t *keys;
} rg_kernel_shift;

#define RG_PROPOSE_OUT ((uint64_t)UINT32_MAX << 32)   /* keys from here: left out */

RG_ANYWHERE uint64_t rg_propose_key(float score, int number)
{
    uint32_t bits;
    score += 0;                                    /* no -0 */
    memcpy(&bits, &score, sizeof bits);
    bits = bits >> 31 ? bits : ~(bits | 0x80000000u);
    return (uint64_t)bits << 32 | (uint32_t)number;
}

RG_ANYWHERE void rg_kernel_shift_at(const rg_kernel_shift *k, long i)
{
    int number, a = 0;
    const int image = (int)rg_place_split(i, k->each, &number);
    while (a + 1 < k->how.anchors && number >= k->how.anchor[a + 1].first) a++;
    const rg_anchor on = k->how.anchor[a];
    const int cell = number - on.first, plane = on.cells * on.cells;
    const float score = rg_propose_get(&k->source, image, (long)k->each + number);
    float d[4];
    for (int v = 0; v < 4; v++)
        d[v] = rg_propose_get(&k->deltas, image,
                              4L * on.first + (long)v * plane + cell);
    rg_box box =
        rg_box_decode(rg_box_of_anchor(on, cell / on.cells, cell % on.cells), d);
    const float all = box.x1 + box.y1 + box.x2 + box.y2 + score;
    box = rg_box_clip(box, k->how.input, k->how.input);
    const int taken = all - all == 0                /* finite */
                      && box.x2 - box.x1 + 1 >= k->how.smallest
                      && box.y2 - box.y1 + 1 >= k->how.smallest;
    k->boxes[i] = box;
    k->keys[i] = taken ? rg_propose_key(score, number)
                       : RG_PROPOSE_OUT | (uint32_t)number;
}

/* i: anchor; its number to its rank among its image's `ranks` best, -1 if left out. */
typedef struct rg_kernel_rank {
    long count;
    int each, ranks;
    const uint64_t *keys;
    int *order;                        /* [images][ranks] */
} rg_kernel_rank;

RG_ANYWHERE void rg_kernel_rank_at(const rg_kernel_rank *k, long i)
{
    int number, rank = 0;
    const long image = rg_place_split(i, k->each, &number);
    const uint64_t *keys = k->keys + image * k->each, own = keys[number];
    for (int j = 0; j < k->each; j++) rank += keys[j] < own;
    if (rank < k->ranks)
        k->order[image * k->ranks + rank] = own < RG_PROPOSE_OUT ? number : -1;
}

/* i: word of the bits of one rank, [images][ranks][words]: bit j of word w is set where
 * the box of rank 64 w + j stands behind it and overlaps it too much. */
typedef struct rg_kernel_compare {
    long count;
    int each, ranks, words;
    float iou;
    const rg_box *boxes;
    const int *order;
    uint64_t *bits;
} rg_kernel_compare;

RG_ANYWHERE void rg_kernel_compare_at(const rg_kernel_compare *k, long i)
{
    int word, rank;
    const long row = rg_place_split(i, k->words, &word);
    const long image = rg_place_split(row, k->ranks, &rank);
    const rg_box *boxes = k->boxes + image * k->each;
    const int *order = k->order + image * k->ranks;
    const int first = 64 * word;
    uint64_t bits = 0;
    for (int j = 0; j < 64 && order[rank] >= 0; j++) {
        const int other = first + j;
        if (other <= rank || other >= k->ranks || order[other] < 0) continue;
        if (rg_box_iou(boxes[order[other]], boxes[order[rank]]) > k->iou)
            bits |= (uint64_t)1 << j;
    }
    k->bits[i] = bits;
}

/* i: image; its RoIs, of `values` each: image and box, and, if there are six, the
 * number of the anchor.  Those that are missing are of no image. */
typedef struct rg_kernel_choose {
    long count;
    int each, ranks, words, after, input, values;
    const rg_box *boxes;
    const int *order;
    const uint64_t *bits;
    uint64_t *gone;                    /* [images][words] */
    float *rois;                       /* [images * after][values] */
} rg_kernel_choose;

RG_ANYWHERE void rg_choose_write(const rg_kernel_choose *k, long i, int place,
                                 int rank)
{
    float *roi = k->rois + (i * k->after + place) * k->values;
    const float last = (float)(k->input - 1);
    const int number = rank < 0 ? -1 : k->order[i * k->ranks + rank];
    rg_box box = { 0, 0, last, last };
    if (number >= 0) box = k->boxes[i * k->each + number];
    roi[0] = number < 0 ? -1 : (float)i;
    roi[1] = box.x1;
    roi[2] = box.y1;
    roi[3] = box.x2;
    roi[4] = box.y2;
    if (k->values > 5) roi[5] = (float)number;
}

RG_ANYWHERE void rg_kernel_choose_team(const rg_kernel_choose *k, long i, int lane,
                                       int lanes)
{
    const int *order = k->order + i * k->ranks;
    uint64_t *gone = k->gone + i * k->words;
    int chosen = 0;
    for (int w = lane; w < k->words; w += lanes) gone[w] = 0;
    RG_TOGETHER();
    for (int rank = 0; rank < k->ranks && chosen < k->after; rank++) {
        const uint64_t *bits = k->bits + (i * k->ranks + rank) * k->words;
        if (order[rank] < 0) break;
        if (gone[rank / 64] >> rank % 64 & 1) continue;
        if (lane == 0) rg_choose_write(k, i, chosen, rank);
        chosen++;
        RG_TOGETHER();                 /* all have seen what is gone */
        for (int w = rank / 64 + lane; w < k->words; w += lanes) gone[w] |= bits[w];
        RG_TOGETHER();
    }
    for (int place = chosen + lane; place < k->after; place += lanes)
        rg_choose_write(k, i, place, -1);
}

#define RG_PROPOSE_LIST(X) X(shift) X(rank) X(compare)
#define RG_PROPOSE_TEAM(X) X(choose)

#endif

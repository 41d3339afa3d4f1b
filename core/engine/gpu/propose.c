/* SPDX-License-Identifier: MIT */
#include "core/engine/gpu/gpu.h"

/* Everything lies in scratch, so that several images share the launches. */
typedef struct room {
    rg_box *boxes;
    uint64_t *keys, *bits, *gone;
    int *order;
} room;

static int make_room(rg_gpu *gpu, size_t images, size_t each, size_t ranks,
                     size_t words, room *r)
{
    size_t total = 0;
    const size_t boxes = rg_gpu_reserve(&total, images * each * sizeof *r->boxes);
    const size_t keys = rg_gpu_reserve(&total, images * each * sizeof *r->keys);
    const size_t order = rg_gpu_reserve(&total, images * ranks * sizeof *r->order);
    const size_t bits =
        rg_gpu_reserve(&total, images * ranks * words * sizeof *r->bits);
    const size_t gone = rg_gpu_reserve(&total, images * words * sizeof *r->gone);
    RG_TRY(rg_gpu_scratch(gpu, total));
    *r = (room){ rg_gpu_at(gpu, boxes), rg_gpu_at(gpu, keys), rg_gpu_at(gpu, bits),
                 rg_gpu_at(gpu, gone), rg_gpu_at(gpu, order) };
    return 0;
}

int rg_gpu_propose(void *context, const rg_proposing *how, const rg_tensor *source,
                   const rg_tensor *deltas, rg_tensor *rois)
{
    rg_gpu *gpu = context;
    const rg_anchor *last = &how->anchor[how->anchors - 1];
    const int images = source->shape.n, each = last->first + last->cells * last->cells;
    const int ranks = how->before < each ? how->before : each;
    const int words = (ranks + 63) / 64;
    room r;
    RG_TRY(make_room(gpu, (size_t)images, (size_t)each, (size_t)ranks, (size_t)words,
                     &r));
    RG_TRY(rg_device_shift(gpu->device,
        &(rg_kernel_shift){ (long)images * each, *how, each, rg_gpu_data(source),
                            rg_gpu_data(deltas), r.boxes, r.keys }));
    RG_TRY(rg_device_rank(gpu->device,
        &(rg_kernel_rank){ (long)images * each, each, ranks, r.keys, r.order }));
    RG_TRY(rg_device_compare(gpu->device,
        &(rg_kernel_compare){ (long)images * ranks * words, each, ranks, words,
                              how->iou, r.boxes, r.order, r.bits }));
    return rg_device_choose(gpu->device,
        &(rg_kernel_choose){ images, each, ranks, words, how->after, how->input,
                             rois->shape.c, r.boxes, r.order, r.bits, r.gone,
                             rg_gpu_data(rois).data });
}

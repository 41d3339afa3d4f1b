/* SPDX-License-Identifier: MIT */
#include "core/engine/gpu/gpu.h"

/* NULL where there are too many. */
static rg_gpu_range *find(rg_gpu *gpu, int first, int last)
{
    for (int i = 0; i < gpu->nranges; i++)
        if (gpu->range[i].first == first && gpu->range[i].last == last)
            return &gpu->range[i];
    if (gpu->nranges == RG_GPU_RANGES) return NULL;
    rg_gpu_range *r = &gpu->range[gpu->nranges++];
    *r = (rg_gpu_range){ first, last, gpu->epoch, 0, NULL };
    return r;
}

static void begin_anew(rg_gpu *gpu, rg_gpu_range *r)
{
    rg_recording_free(r->recording);
    r->recording = NULL;
    r->epoch = gpu->epoch;
    if (r->runs != RG_GPU_NEVER) r->runs = 0;
}

int rg_gpu_replay(void *context, int first, int last, bool *done)
{
    rg_gpu *gpu = context;
    rg_tune_keep(gpu->tune);           /* all is planned by now */
    if (first != RG_GPU_STEP) RG_TRY(rg_gpu_send_seeds(gpu));
    rg_gpu_range *r = find(gpu, first, last);
    if (r == NULL) return 0;
    if (r->epoch != gpu->epoch) begin_anew(gpu, r);
    *done = r->recording != NULL;
    if (*done) return rg_device_replay(gpu->device, r->recording);
    if (r->runs == RG_GPU_NEVER || r->runs++ == 0) return 0;
    if (rg_device_record(gpu->device) == 0) gpu->recorded = r;
    else r->runs = RG_GPU_NEVER;
    return 0;
}

/* What a run that failed was to pack may be missing: it is packed anew. */
static int ended(rg_gpu *gpu, int status)
{
    if (status != 0) gpu->spoilt++;
    return status;
}

/* A range that cannot be recorded is run row by row, now and from here on. */
int rg_gpu_recorded(void *context, int status, bool *again)
{
    rg_gpu *gpu = context;
    rg_gpu_range *r = gpu->recorded;
    if (r == NULL) return ended(gpu, status);
    gpu->recorded = NULL;
    if (rg_device_recorded(gpu->device, &r->recording) == 0 && status == 0)
        return ended(gpu, rg_device_replay(gpu->device, r->recording));
    begin_anew(gpu, r);
    r->runs = RG_GPU_NEVER;
    gpu->spoilt++;
    *again = true;
    return 0;
}

void rg_gpu_forget(rg_gpu *gpu)
{
    for (int i = 0; i < gpu->nranges; i++) rg_recording_free(gpu->range[i].recording);
    gpu->nranges = 0;
}

/* SPDX-License-Identifier: MIT */
/* The optimizer's step, so that it can be replayed: what changes from step to step lies
 * on the card.  The sum of squares is made in two stages of always the same parts. */
#include <math.h>
#include <stdlib.h>

#include "core/engine/gpu/gpu.h"
#include "core/engine/optimizer.h"

enum { VALUES_A_PART = 16 * RG_LANES, PARTS_MOST = 1024 };

typedef struct rg_gpu_moves {
    rg_rule rule;                      /* of what is recorded */
    rg_moving *host, *moving;          /* [parameters + 1]: here, and on the card; the
                                          last has the clip */
    double *part;                      /* [parts of all], on the card */
    rg_stride *stride;                 /* on the card */
} rg_gpu_moves;

void rg_gpu_moves_free(rg_gpu_moves *m)
{
    if (m == NULL) return;
    rg_device_free(m->moving);
    rg_device_free(m->part);
    rg_device_free(m->stride);
    free(m->host);
    free(m);
}

static long parts_of(const rg_param *param)
{
    const long parts = rg_layer_count(param->shape) / VALUES_A_PART + 1;
    if (!(param->factor > 0)) return 0;
    return parts < PARTS_MOST ? parts : PARTS_MOST;
}

static int take_memory(rg_gpu *gpu, rg_gpu_moves *m, const rg_param *params, int n)
{
    const size_t moving = ((size_t)n + 1) * sizeof *m->moving;
    size_t parts = 0;
    for (int i = 0; i < n; i++) parts += (size_t)parts_of(&params[i]);
    m->host = rg_error_alloc((unsigned long)n + 1, sizeof *m->host, "the optimizer");
    if (m->host == NULL) return -1;
    RG_TRY(rg_device_alloc(gpu->device, (void **)&m->moving, moving, "the optimizer"));
    RG_TRY(rg_device_alloc(gpu->device, (void **)&m->part, parts * sizeof *m->part,
                           "the optimizer"));
    return rg_device_alloc(gpu->device, (void **)&m->stride, sizeof *m->stride,
                           "the optimizer");
}

static int prepare(rg_gpu *gpu, const rg_param *params, int n, const rg_optimizer *how)
{
    if (gpu->moves == NULL) {
        rg_gpu_moves *m = rg_error_alloc(1, sizeof *m, "the optimizer");
        if (m == NULL) return -1;
        if (take_memory(gpu, m, params, n) != 0) {
            rg_gpu_moves_free(m);
            return -1;
        }
        m->rule = how->rule;
        gpu->moves = m;
    }
    if (gpu->moves->rule != how->rule) gpu->epoch++;
    gpu->moves->rule = how->rule;
    return 0;
}

/* The bias of Adam's first moment is taken out by the rate. */
static rg_moving moving_of(const rg_optimizer *how, const rg_param *param, long step)
{
    const rg_optimizer own = rg_optimizer_for(how, param);
    rg_moving m = { own.rate, own.momentum, own.beta2, own.epsilon,
                    own.rate * own.decay, 1, 0 };
    if (own.rule == RG_ADAM) {
        m.rate = (float)(own.rate / (1 - pow(own.momentum, (double)step)));
        m.unbias = (float)(1 / (1 - pow(own.beta2, (double)step)));
    }
    return m;
}

static int move(rg_gpu *gpu, const rg_param *param, const rg_moving *how)
{
    const long count = rg_layer_count(param->shape);
    const rg_gpu_param *p = param->data;
    const float *scale = &gpu->moves->stride->scale;
    if (gpu->moves->rule == RG_SGD)
        return rg_device_sgd(gpu->device,
            &(rg_kernel_sgd){ count, p->part[RG_VALUE], p->part[RG_MOMENT1],
                              p->part[RG_GRADIENT], how, scale });
    return rg_device_adam(gpu->device,
        &(rg_kernel_adam){ count, p->part[RG_VALUE], p->part[RG_MOMENT1],
                           p->part[RG_MOMENT2], p->part[RG_GRADIENT], how, scale });
}

static int step_all(rg_gpu *gpu, const rg_param *params, int n)
{
    const rg_gpu_moves *m = gpu->moves;
    double *part = m->part;
    for (int i = 0; i < n; i++) {
        const long parts = parts_of(&params[i]);
        if (parts == 0) continue;
        RG_TRY(rg_device_squares(gpu->device,
            &(rg_kernel_squares){ parts, rg_layer_count(params[i].shape),
                                  rg_gpu_part(&params[i], RG_GRADIENT), part }));
        part += parts;
    }
    RG_TRY(rg_device_clip(gpu->device,
        &(rg_kernel_clip){ 1, part - m->part, m->part, &m->moving[n], m->stride }));
    for (int i = 0; i < n; i++)
        if (params[i].factor > 0) RG_TRY(move(gpu, &params[i], &m->moving[i]));
    return 0;
}

static int run_step(rg_gpu *gpu, const rg_param *params, int n)
{
    bool done = false, again = false;
    RG_TRY(rg_gpu_replay(gpu, RG_GPU_STEP, RG_GPU_STEP, &done));
    if (done) return 0;
    const int status = rg_gpu_recorded(gpu, step_all(gpu, params, n), &again);
    return again ? step_all(gpu, params, n) : status;
}

int rg_gpu_update(void *context, rg_param *params, int nparams, const rg_optimizer *how,
                  long step, float *norm)
{
    rg_gpu *gpu = context;
    rg_stride stride;
    float scale;
    RG_TRY(prepare(gpu, params, nparams, how));
    for (int i = 0; i < nparams; i++)
        gpu->moves->host[i] = moving_of(how, &params[i], step);
    gpu->moves->host[nparams] = (rg_moving){ .clip = how->clip };
    RG_TRY(rg_device_upload(gpu->device, gpu->moves->moving, gpu->moves->host,
                            ((size_t)nparams + 1) * sizeof *gpu->moves->host));
    RG_TRY(run_step(gpu, params, nparams));
    RG_TRY(rg_device_download(gpu->device, &stride, gpu->moves->stride, sizeof stride));
    RG_TRY(rg_optimizer_clip(how, stride.squares, norm, &scale));
    for (int i = 0; i < nparams; i++)
        if (params[i].factor > 0) ((rg_gpu_param *)params[i].data)->version++;
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "core/engine/gpu/gpu.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 256 };

static void gpu_close(void *context)
{
    rg_gpu *gpu = context;
    if (gpu == NULL) return;
    rg_gpu_forget(gpu);
    rg_gpu_moves_free(gpu->moves);
    for (int i = 0; i < 2; i++) rg_intake_free(gpu->intake[i]);
    rg_device_free(gpu->scratch);
    rg_tune_keep(gpu->tune);
    rg_tune_close(gpu->tune);
    rg_device_close(gpu->device);
    free(gpu);
}

/* AUTO: what the card's matrix units are for, f16 where nothing is trained: it rounds
 * eight times finer than bf16. */
static int gpu_open(void **context, rg_precision precision, bool training)
{
    if (training && precision == RG_PRECISION_F16)
        return RG_FAIL("f16 holds nothing under 6e-8 and gradients are smaller: train "
                       "in bf16, tf32 or f32");
    rg_gpu *gpu = rg_error_alloc(1, sizeof *gpu, "the GPU backend");
    if (gpu == NULL) return -1;
    gpu->training = training;
    gpu->precision = precision != RG_PRECISION_AUTO ? precision
                     : training ? RG_PRECISION_BF16 : RG_PRECISION_F16;
    gpu->type = rg_type_of(gpu->precision);
    if (rg_device_open(&gpu->device) != 0) {
        gpu_close(gpu);
        return -1;
    }
    gpu->tune = rg_tune_open(gpu->device);
    *context = gpu;
    return 0;
}

static rg_precision gpu_precision(void *context)
{
    return ((rg_gpu *)context)->precision;
}

/* ---- scratch ---- */

size_t rg_gpu_reserve(size_t *total, size_t bytes)
{
    const size_t offset = *total;
    *total += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return offset;
}

int rg_gpu_scratch(rg_gpu *gpu, size_t total)
{
    void *more;
    if (total <= gpu->scratch_bytes) return 0;
    RG_TRY(rg_device_alloc(gpu->device, &more, total, "scratch memory"));
    rg_device_free(gpu->scratch);      /* until then, rows may go on in it */
    gpu->scratch = more;
    gpu->scratch_bytes = total;
    gpu->epoch++;
    return 0;
}

void *rg_gpu_at(const rg_gpu *gpu, size_t offset)
{
    return (char *)gpu->scratch + offset;
}

/* ---- tensors ---- */

size_t rg_gpu_bytes(rg_shape shape, rg_type type)
{
    const size_t each = type == RG_F32 ? sizeof(float) : sizeof(uint16_t);
    return (size_t)rg_layer_count(shape) * each;
}

static rg_view *new_view(rg_gpu *gpu, rg_shape shape, rg_type type, const char *name)
{
    rg_view *view = rg_error_alloc(1, sizeof *view, name);
    if (view == NULL) return NULL;
    *view = (rg_view){ NULL, shape, type };
    if (rg_device_alloc(gpu->device, &view->data, rg_gpu_bytes(shape, type), name) == 0)
        return view;
    free(view);
    return NULL;
}

static void free_view(void **view)
{
    if (*view) rg_device_free(((rg_view *)*view)->data);
    free(*view);
    *view = NULL;
}

int rg_gpu_output(rg_gpu *gpu, rg_tensor *t, rg_type type)
{
    t->data = new_view(gpu, t->shape, type, t->name);
    if (t->data && t->wants_grad) t->grad = new_view(gpu, t->shape, type, t->name);
    if (t->data && !t->grad == !t->wants_grad) return 0;
    rg_gpu_output_free(t);
    return -1;
}

void rg_gpu_output_free(rg_tensor *tensor)
{
    free_view(&tensor->data);
    free_view(&tensor->grad);
}

rg_view rg_gpu_data(const rg_tensor *tensor)
{
    return *(const rg_view *)tensor->data;
}

rg_view rg_gpu_grad(const rg_tensor *tensor)
{
    return tensor->grad ? *(const rg_view *)tensor->grad : (rg_view){ .data = NULL };
}

int rg_gpu_intake(rg_gpu *gpu, size_t bytes)
{
    if (bytes <= gpu->intake_bytes) return 0;
    gpu->intake_bytes = 0;
    for (int i = 0; i < 2; i++) {
        rg_intake_free(gpu->intake[i]);
        gpu->intake[i] = NULL;
    }
    for (int i = 0; i < 2; i++)
        RG_TRY(rg_intake_new(&gpu->intake[i], gpu->device, bytes));
    gpu->intake_bytes = bytes;
    return 0;
}

/* By one of the ways, which is to be told when what is `there` has been read. */
static int send(rg_gpu *gpu, const void *host, size_t bytes, rg_intake **way,
                const void **there)
{
    void *here;
    RG_TRY(rg_gpu_intake(gpu, bytes));
    *way = gpu->intake[gpu->turn ^= 1];
    RG_TRY(rg_intake_host(*way, &here));
    memcpy(here, host, bytes);
    return rg_intake_send(gpu->device, *way, bytes, there);
}

/* After the kernel that reads it was queued, or was not. */
static int has_read(rg_gpu *gpu, rg_intake *way, int status)
{
    return rg_intake_used(gpu->device, way) == 0 ? status : -1;
}

static int gpu_put(void *context, rg_tensor *tensor, const float *host)
{
    rg_gpu *gpu = context;
    const void *there;
    rg_intake *way;
    RG_TRY(send(gpu, host, rg_gpu_bytes(tensor->shape, RG_F32), &way, &there));
    return has_read(gpu, way, rg_device_arrange(gpu->device,
        &(rg_kernel_arrange){ rg_layer_count(tensor->shape), there,
                              rg_gpu_data(tensor) }));
}

static int gpu_show(void *context, rg_tensor *tensor, const uint8_t *rgb, int side,
                    const float mean[3])
{
    rg_gpu *gpu = context;
    const rg_shape s = tensor->shape;
    const size_t bytes = (size_t)s.n * (size_t)side * (size_t)side * 3;
    const void *there;
    rg_intake *way;
    RG_TRY(send(gpu, rgb, bytes, &way, &there));
    return has_read(gpu, way, rg_device_show(gpu->device,
        &(rg_kernel_show){ (long)s.n * s.h * s.w, there, side,
                           { mean[0], mean[1], mean[2] }, rg_gpu_data(tensor) }));
}

static int gpu_get(void *context, const rg_tensor *tensor, bool gradient, float *host)
{
    rg_gpu *gpu = context;
    const rg_view *from = gradient ? tensor->grad : tensor->data;
    const long count = rg_layer_count(tensor->shape);
    if (from == NULL)
        return RG_FAIL("%s has no %s", tensor->name, gradient ? "gradient" : "values");
    RG_TRY(rg_gpu_scratch(gpu, rg_gpu_bytes(tensor->shape, RG_F32)));
    RG_TRY(rg_device_flatten(gpu->device,
        &(rg_kernel_flatten){ count, *from, { gpu->scratch, from->shape, RG_F32 } }));
    return rg_device_download(gpu->device, host, gpu->scratch,
                              rg_gpu_bytes(tensor->shape, RG_F32));
}

static int gpu_add_grad(void *context, rg_tensor *to, const rg_tensor *from)
{
    const rg_view sum = rg_gpu_grad(to);
    return rg_gpu_sum(context, to->shape, sum, rg_gpu_grad(from), sum, false);
}

static int gpu_fill_grad(void *context, rg_tensor *tensor, float value)
{
    return rg_device_fill(((rg_gpu *)context)->device,
        &(rg_kernel_fill){ rg_layer_count(tensor->shape), rg_gpu_grad(tensor), value });
}

static int gpu_alias(void *context, rg_tensor *alias, const rg_tensor *of)
{
    *alias = *of;
    alias->grad = NULL;
    if (!of->wants_grad) return 0;
    alias->grad = new_view(context, of->shape, rg_gpu_data(of).type, of->name);
    return alias->grad ? 0 : -1;
}

static void gpu_free_alias(void *context, rg_tensor *alias)
{
    (void)context;
    free_view(&alias->grad);
}

/* ---- what rows share ---- */

int rg_gpu_gate(rg_gpu *gpu, rg_view y, rg_view dy, rg_view dx)
{
    const int span = rg_view_span(dx.shape);
    return rg_device_gate(gpu->device,
        &(rg_kernel_gate){ rg_layer_count(dx.shape) / span, span, y, dy, dx });
}

int rg_gpu_sum(rg_gpu *gpu, rg_shape shape, rg_view a, rg_view b, rg_view y, bool relu)
{
    const int span = rg_view_span(shape);
    return rg_device_sum(gpu->device,
        &(rg_kernel_sum){ rg_layer_count(shape) / span, span, a, b, y, relu });
}

int rg_gpu_as(rg_gpu *gpu, rg_view *view, rg_type type, size_t offset)
{
    const rg_view from = *view;
    if (from.type == type) return 0;
    *view = (rg_view){ rg_gpu_at(gpu, offset), from.shape, type };
    return rg_gpu_gate(gpu, (rg_view){ .data = NULL }, from, *view);
}

rg_view rg_gpu_target(const rg_gpu *gpu, rg_view grad, rg_type type, size_t offset)
{
    if (grad.type == type) return grad;
    return (rg_view){ rg_gpu_at(gpu, offset), grad.shape, type };
}

int rg_gpu_deliver(rg_gpu *gpu, rg_view made, rg_view grad)
{
    if (made.data == grad.data) return 0;
    return rg_gpu_gate(gpu, (rg_view){ .data = NULL }, made, grad);
}

int rg_gpu_ungate(rg_gpu *gpu, const rg_node *node)
{
    const rg_view dy = rg_gpu_grad(node->out);
    if (node->row->activation != RG_RELU) return 0;
    return rg_gpu_gate(gpu, rg_gpu_data(node->out), dy, dy);
}

static int parts_of(rg_shape s)
{
    enum { ROWS_A_PART = 32 };
    return (int)(((long)s.n * s.h * s.w + ROWS_A_PART - 1) / ROWS_A_PART);
}

size_t rg_gpu_parts(rg_shape shape)
{
    return (size_t)parts_of(shape) * (size_t)shape.c * 2 * sizeof(double);
}

int rg_gpu_columns(rg_gpu *gpu, rg_kernel_columns *what, double scale, float *a,
                   float *b)
{
    const rg_shape s = what->x.shape;
    what->parts = parts_of(s);
    what->count = (long)what->parts * s.c;
    RG_TRY(rg_device_columns(gpu->device, what));
    return rg_device_gather(gpu->device,
        &(rg_kernel_gather){ s.c, what->parts, scale, what->part, a, b });
}

/* ---- parameters ---- */

float *rg_gpu_part(const rg_param *param, rg_part part)
{
    return ((const rg_gpu_param *)param->data)->part[part];
}

bool rg_gpu_must_pack(const rg_gpu *gpu, const rg_node *node, const rg_param *param,
                      long *packed)
{
    const rg_gpu_param *p = param->data;
    const rg_gpu_range *r = gpu->recorded;
    const long version = (p->of ? p->of->version : p->version) + (gpu->spoilt << 32);
    const bool again = gpu->training && r && r->first <= r->last && !node->frozen;
    if (*packed == version && !again) return false;
    *packed = version;
    return true;
}

static void gpu_param_free(void *context, rg_param *param)
{
    (void)context;
    rg_gpu_param *p = param->data;
    if (p == NULL) return;
    for (int i = p->of ? 1 : 0; i <= RG_MEAN; i++) rg_device_free(p->part[i]);
    free(p);
    param->data = NULL;
}

static int new_part(rg_gpu *gpu, rg_param *param, rg_part part)
{
    rg_gpu_param *p = param->data;
    return rg_device_alloc(gpu->device, (void **)&p->part[part],
                           rg_gpu_bytes(param->shape, RG_F32), param->name);
}

static int gpu_param_new(void *context, rg_param *param, bool training)
{
    rg_gpu_param *p = param->data = rg_error_alloc(1, sizeof *p, param->name);
    if (p == NULL) return -1;
    p->version = 1;
    for (int i = 0; i < (training ? RG_MEAN : 1); i++)
        if (new_part(context, param, (rg_part)i) != 0) {
            gpu_param_free(context, param);
            return -1;
        }
    return 0;
}

static int gpu_param_twin(void *context, rg_param *twin, const rg_param *of,
                          bool training)
{
    rg_gpu_param *p = twin->data = rg_error_alloc(1, sizeof *p, twin->name);
    if (p == NULL) return -1;
    p->of = of->data;
    p->part[RG_VALUE] = p->of->part[RG_VALUE];
    if (!training || new_part(context, twin, RG_GRADIENT) == 0) return 0;
    gpu_param_free(context, twin);
    return -1;
}

static int gpu_param_add_grad(void *context, rg_param *to, const rg_param *from)
{
    const rg_view sum = { rg_gpu_part(to, RG_GRADIENT), to->shape, RG_F32 };
    const rg_view more = { rg_gpu_part(from, RG_GRADIENT), to->shape, RG_F32 };
    return rg_gpu_sum(context, to->shape, sum, more, sum, false);
}

static int gpu_param_average(void *context, rg_param *param, float share)
{
    rg_gpu_param *p = param->data;
    if (p->part[RG_MEAN] == NULL) RG_TRY(new_part(context, param, RG_MEAN));
    return rg_device_average(((rg_gpu *)context)->device,
        &(rg_kernel_average){ rg_layer_count(param->shape), p->part[RG_MEAN],
                              p->part[RG_VALUE], share });
}

static int gpu_param_put(void *context, rg_param *param, rg_part part,
                         const float *host)
{
    rg_gpu_param *p = param->data;
    if (p->part[part] == NULL) return RG_FAIL("%s keeps no moments here", param->name);
    p->version++;
    ((rg_gpu *)context)->epoch++;
    return rg_device_upload(((rg_gpu *)context)->device, p->part[part], host,
                            rg_gpu_bytes(param->shape, RG_F32));
}

static int gpu_param_get(void *context, const rg_param *param, rg_part part,
                         float *host)
{
    const rg_gpu_param *p = param->data;
    if (p->part[part] == NULL) return RG_FAIL("%s keeps no moments here", param->name);
    return rg_device_download(((rg_gpu *)context)->device, host, p->part[part],
                              rg_gpu_bytes(param->shape, RG_F32));
}

/* Planned like `kind`, run as `word`. */
#define OPERATION(kind, word) \
    { rg_gpu_##kind##_plan, rg_gpu_##word##_forward, rg_gpu_##word##_backward, \
      rg_gpu_##kind##_unplan }
#define PLAIN(kind, word) \
    { rg_gpu_##kind##_plan, rg_gpu_##word##_forward, rg_gpu_##word##_backward, \
      rg_gpu_plain_unplan }

const rg_backend rg_backend_gpu = {
    .name = "gpu",
    .describe = rg_gpu_describe,
    .open = gpu_open,
    .close = gpu_close,
    .precision = gpu_precision,
    .put = gpu_put,
    .show = gpu_show,
    .get = gpu_get,
    .add_grad = gpu_add_grad,
    .fill_grad = gpu_fill_grad,
    .alias = gpu_alias,
    .free_alias = gpu_free_alias,
    .param_new = gpu_param_new,
    .param_twin = gpu_param_twin,
    .param_add_grad = gpu_param_add_grad,
    .param_free = gpu_param_free,
    .param_put = gpu_param_put,
    .param_get = gpu_param_get,
    .param_average = gpu_param_average,
    .update = rg_gpu_update,
    .replay = rg_gpu_replay,
    .recorded = rg_gpu_recorded,
    .propose = rg_gpu_propose,
    .operation = {
        [RG_INPUT] = PLAIN(scores, input),
        [RG_CONV] = OPERATION(conv, conv),
        [RG_FC] = OPERATION(matrix, matrix),
        [RG_MAXPOOL] = PLAIN(like, maxpool),
        [RG_BATCHNORM] = OPERATION(batchnorm, batchnorm),
        [RG_ADD] = PLAIN(like, add),
        [RG_UPSAMPLE] = PLAIN(like, upsample),
        [RG_BOXES] = PLAIN(scores, boxes),
        [RG_STPOOL] = OPERATION(stpool, stpool),
        [RG_CONCAT] = PLAIN(like, concat),
        [RG_DROPOUT] = OPERATION(dropout, dropout),
        [RG_SOFTMAX] = PLAIN(scores, softmax),
        [RG_SOFTMAXLOSS] = PLAIN(loss, softmaxloss),
        [RG_SMOOTHL1] = PLAIN(loss, smoothl1),
    },
};

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "core/engine/backend.h"
#include "core/engine/error.h"
#include "core/engine/optimizer.h"
#include "core/engine/ref/kernels.h"

/* Here tensors are plain float arrays, a node's plan is one array of the output's size
 * (or NULL), and a parameter is four arrays. */
typedef struct parts { float *of[RG_MEAN + 1]; bool twin; } parts;

#define OPERATION(name) \
    static int name(void *context __attribute__((unused)), rg_node *node)

static size_t bytes_of(rg_shape shape)
{
    return (size_t)rg_layer_count(shape) * sizeof(float);
}

static float *new_floats(rg_shape shape, const char *name)
{
    return rg_error_alloc((unsigned long)rg_layer_count(shape), sizeof(float), name);
}

static bool describe(int line, char text[RG_BACKEND_TEXT])
{
    snprintf(text, RG_BACKEND_TEXT, "plain loops on one core: f32; for comparison");
    return line == 0;
}

static int open_ref(void **context, rg_precision precision, bool training)
{
    (void)training;
    *context = NULL;
    RG_TRY(rg_backend_no_card("ref", precision));
    if (precision == RG_PRECISION_BF16)
        return RG_FAIL("the backend ref has no bf16: use f32, or the backend cpu");
    return 0;
}

static void close_ref(void *context)
{
    (void)context;
}

static rg_precision precision_of(void *context)
{
    (void)context;
    return RG_PRECISION_F32;
}

/* Tensors */

static int put(void *context, rg_tensor *tensor, const float *host)
{
    (void)context;
    memcpy(tensor->data, host, bytes_of(tensor->shape));
    return 0;
}

static int get(void *context, const rg_tensor *tensor, bool gradient, float *host)
{
    (void)context;
    const void *from = gradient ? tensor->grad : tensor->data;
    if (from == NULL)
        return RG_FAIL("%s has no %s", tensor->name, gradient ? "gradient" : "values");
    memcpy(host, from, bytes_of(tensor->shape));
    return 0;
}

static int add_grad(void *context, rg_tensor *to, const rg_tensor *from)
{
    (void)context;
    float *sum = to->grad;
    const float *more = from->grad;
    for (long i = 0; i < rg_layer_count(to->shape); i++) sum[i] += more[i];
    return 0;
}

static int fill_grad(void *context, rg_tensor *tensor, float value)
{
    (void)context;
    float *grad = tensor->grad;
    for (long i = 0; i < rg_layer_count(tensor->shape); i++) grad[i] = value;
    return 0;
}

static int alias(void *context, rg_tensor *twin, const rg_tensor *of)
{
    (void)context;
    *twin = *of;
    twin->grad = of->wants_grad ? new_floats(of->shape, of->name) : NULL;
    return of->wants_grad && twin->grad == NULL ? -1 : 0;
}

static void free_alias(void *context, rg_tensor *twin)
{
    (void)context;
    free(twin->grad);
    twin->data = twin->grad = NULL;
}

/* Parameters */

static void param_free(void *context, rg_param *param)
{
    (void)context;
    parts *own = param->data;
    for (int i = own && own->twin ? 1 : 0; own && i <= RG_MEAN; i++)
        free(own->of[i]);
    free(own);
    param->data = NULL;
}

static int param_new(void *context, rg_param *param, bool training)
{
    parts *own = param->data = rg_error_alloc(1, sizeof *own, param->name);
    if (own == NULL) return -1;
    for (int i = 0; i < (training ? RG_MEAN : 1); i++)
        if ((own->of[i] = new_floats(param->shape, param->name)) == NULL) {
            param_free(context, param);
            return -1;
        }
    return 0;
}

static int param_twin(void *context, rg_param *twin, const rg_param *of, bool training)
{
    parts *own = twin->data = rg_error_alloc(1, sizeof *own, twin->name);
    if (own == NULL) return -1;
    *own = (parts){ { ((parts *)of->data)->of[RG_VALUE] }, true };
    if (training) own->of[RG_GRADIENT] = new_floats(twin->shape, twin->name);
    if (own->of[RG_GRADIENT] || !training) return 0;
    param_free(context, twin);
    return -1;
}

static float *part_of(const rg_param *param, rg_part which)
{
    return ((parts *)param->data)->of[which];
}

static int param_add_grad(void *context, rg_param *to, const rg_param *from)
{
    (void)context;
    float *sum = part_of(to, RG_GRADIENT);
    const float *more = part_of(from, RG_GRADIENT);
    for (long i = 0; i < rg_layer_count(to->shape); i++) sum[i] += more[i];
    return 0;
}

static int no_part(const rg_param *param)
{
    return RG_FAIL("%s has neither gradient nor moments: "
                   "the network was not made for training", param->name);
}

static int param_put(void *context, rg_param *param, rg_part which, const float *host)
{
    (void)context;
    if (part_of(param, which) == NULL) return no_part(param);
    memcpy(part_of(param, which), host, bytes_of(param->shape));
    return 0;
}

static int param_get(void *context, const rg_param *param, rg_part which, float *host)
{
    (void)context;
    if (part_of(param, which) == NULL) return no_part(param);
    memcpy(host, part_of(param, which), bytes_of(param->shape));
    return 0;
}

static int param_average(void *context, rg_param *param, float share)
{
    (void)context;
    parts *own = param->data;
    if (own->of[RG_MEAN] == NULL)
        own->of[RG_MEAN] = new_floats(param->shape, param->name);
    float *mean = own->of[RG_MEAN];
    if (mean == NULL) return -1;
    for (long i = 0; i < rg_layer_count(param->shape); i++)
        mean[i] += share * (own->of[RG_VALUE][i] - mean[i]);
    return 0;
}

static int update(void *context, rg_param *params, int nparams, const rg_optimizer *how,
                  long step, float *gradient_norm)
{
    (void)context;
    double squares = 0;
    float scale;
    for (int i = 0; i < nparams; i++)
        if (params[i].factor > 0)
            squares += rg_optimizer_squares(rg_layer_count(params[i].shape),
                                            part_of(&params[i], RG_GRADIENT));
    RG_TRY(rg_optimizer_clip(how, squares, gradient_norm, &scale));
    for (int i = 0; i < nparams; i++) {
        rg_optimizer own = rg_optimizer_for(how, &params[i]);
        if (!(params[i].factor > 0)) continue;
        rg_optimizer_step(&own, step, scale, rg_layer_count(params[i].shape),
                          part_of(&params[i], RG_VALUE),
                          part_of(&params[i], RG_GRADIENT),
                          part_of(&params[i], RG_MOMENT1),
                          part_of(&params[i], RG_MOMENT2));
    }
    return 0;
}

/* Operations */

static void unplan(void *context, rg_node *node)
{
    (void)context;
    free(node->plan);
    free(node->out->data);
    free(node->out->grad);
    node->plan = node->out->data = node->out->grad = NULL;
}

OPERATION(plan)
{
    rg_tensor *out = node->out;
    bool gated = out->wants_grad && node->row->activation == RG_RELU;
    out->data = new_floats(out->shape, out->name);
    out->grad = out->wants_grad ? new_floats(out->shape, out->name) : NULL;
    node->plan = gated ? new_floats(out->shape, out->name) : NULL;
    if (out->data && !out->grad == !out->wants_grad && !node->plan == !gated) return 0;
    unplan(context, node);
    return -1;
}

/* For rows without arithmetic of their own. */
OPERATION(nothing)
{
    (void)node;
    return 0;
}

static void activate(rg_node *node)
{
    if (node->row->activation == RG_RELU)
        rg_kernels_relu(rg_layer_count(node->out->shape), node->out->data,
                        node->out->data);
}

/* The gradient before the activation; out->grad itself stays as it was. */
static const float *deactivate(rg_node *node)
{
    if (node->row->activation != RG_RELU) return node->out->grad;
    rg_kernels_relu_back(rg_layer_count(node->out->shape), node->out->data,
                         node->out->grad, node->plan);
    return node->plan;
}

static int stride_of(const rg_node *node)
{
    return node->row->stride ? node->row->stride : 1;
}

OPERATION(forward_conv)
{
    rg_kernels_conv(node->in[0]->shape, node->in[0]->data, node->row->outputs,
                    node->row->size, stride_of(node), part_of(node->weight, RG_VALUE),
                    node->bias ? part_of(node->bias, RG_VALUE) : NULL,
                    node->out->data);
    activate(node);
    return 0;
}

OPERATION(backward_conv)
{
    const rg_tensor *in = node->in[0];
    int outputs = node->row->outputs, size = node->row->size;
    const float *dy = deactivate(node);
    if (!node->frozen)
        rg_kernels_conv_back_weights(in->shape, in->data, outputs, size,
                                     stride_of(node), dy,
                                     part_of(node->weight, RG_GRADIENT),
                                     node->bias ? part_of(node->bias, RG_GRADIENT)
                                                : NULL);
    if (in->grad)
        rg_kernels_conv_back_data(in->shape, in->grad, outputs, size, stride_of(node),
                                  part_of(node->weight, RG_VALUE), dy);
    return 0;
}

OPERATION(forward_maxpool)
{
    rg_kernels_maxpool(node->in[0]->shape, node->row->size, node->in[0]->data,
                       node->out->data);
    return 0;
}

OPERATION(backward_maxpool)
{
    const rg_tensor *in = node->in[0];
    if (in->grad)
        rg_kernels_maxpool_back(in->shape, node->row->size, in->data, node->out->grad,
                                in->grad);
    return 0;
}

OPERATION(forward_boxes)
{
    const rg_tensor *deltas = node->in[0], *picks = node->in[1];
    rg_kernels_boxes(deltas->shape.n, rg_layer_count(deltas->shape) / deltas->shape.n,
                     deltas->data, picks->shape.n, picks->data,
                     (int)node->row->value, node->out->data);
    return 0;
}

OPERATION(backward_boxes)
{
    const rg_tensor *deltas = node->in[0], *picks = node->in[1];
    if (deltas->grad)
        rg_kernels_boxes_back(deltas->shape.n,
                              rg_layer_count(deltas->shape) / deltas->shape.n,
                              deltas->data, picks->shape.n, picks->data,
                              (int)node->row->value, node->out->grad, deltas->grad);
    return 0;
}

OPERATION(forward_stpool)
{
    const rg_tensor *features = node->in[0], *rois = node->in[1];
    rg_kernels_stpool(node->row, features->shape, features->data, rois->shape.n,
                      rois->data, node->out->data);
    return 0;
}

OPERATION(backward_stpool)
{
    const rg_tensor *features = node->in[0], *rois = node->in[1];
    rg_kernels_stpool_back(node->row, features->shape, features->data, rois->shape.n,
                           rois->data, node->out->grad, features->grad, rois->grad);
    return 0;
}

/* Behind the room of every plan, the statistics of the batch: mean, then variance. */
OPERATION(plan_batchnorm)
{
    unsigned long count = (unsigned long)rg_layer_count(node->out->shape);
    unsigned long channels = (unsigned long)node->row->outputs;
    RG_TRY(plan(context, node));
    free(node->plan);
    node->plan = rg_error_alloc(count + 2 * channels, sizeof(float), node->out->name);
    return node->plan ? 0 : -1;
}

/* Normalised by the tracked statistics. */
static bool is_fixed(const rg_node *node)
{
    return !node->training || node->row->frozen || node->frozen;
}

static float *batch_mean(const rg_node *node)
{
    return (float *)node->plan + rg_layer_count(node->out->shape);
}

OPERATION(forward_batchnorm)
{
    const rg_tensor *in = node->in[0];
    float *mean = part_of(node->mean, RG_VALUE);
    float *variance = part_of(node->variance, RG_VALUE);
    if (!is_fixed(node)) {
        float *now = batch_mean(node), *spread = now + in->shape.c;
        rg_kernels_batchnorm_statistics(in->shape, in->data, now, spread);
        rg_kernels_batchnorm_track(in->shape, now, spread, mean, variance);
        mean = now;
        variance = spread;
    }
    rg_kernels_batchnorm(in->shape, in->data, mean, variance,
                         part_of(node->weight, RG_VALUE), part_of(node->bias, RG_VALUE),
                         node->out->data);
    activate(node);
    return 0;
}

OPERATION(backward_batchnorm)
{
    const rg_tensor *in = node->in[0];
    const bool fixed = is_fixed(node);
    const float *mean = fixed ? part_of(node->mean, RG_VALUE) : batch_mean(node);
    const float *variance =
        fixed ? part_of(node->variance, RG_VALUE) : mean + in->shape.c;
    const float *dy = deactivate(node);
    rg_kernels_batchnorm_back(in->shape, in->data, mean, variance, fixed,
                              part_of(node->weight, RG_VALUE), dy, in->grad,
                              part_of(node->weight, RG_GRADIENT),
                              part_of(node->bias, RG_GRADIENT));
    return 0;
}

OPERATION(forward_add)
{
    const float *a = node->in[0]->data, *b = node->in[1]->data;
    float *y = node->out->data;
    for (long i = 0; i < rg_layer_count(node->out->shape); i++) y[i] = a[i] + b[i];
    activate(node);
    return 0;
}

OPERATION(backward_add)
{
    const float *dy = deactivate(node);
    for (int k = 0; k < 2; k++)
        if (node->in[k]->grad)
            memcpy(node->in[k]->grad, dy, bytes_of(node->out->shape));
    return 0;
}

OPERATION(forward_concat)
{
    const int classes = node->row->outputs;
    long first = 0, total = node->out->shape.c / classes;
    for (int k = 0; k < 3; k++) {
        const rg_tensor *in = node->in[k];
        rg_kernels_concat(in->shape, classes, first, total, in->data, node->out->data);
        first += rg_layer_count(in->shape) / in->shape.n / classes;
    }
    return 0;
}

OPERATION(backward_concat)
{
    const int classes = node->row->outputs;
    long first = 0, total = node->out->shape.c / classes;
    for (int k = 0; k < 3; k++) {
        const rg_tensor *in = node->in[k];
        if (in->grad)
            rg_kernels_concat_back(in->shape, classes, first, total, node->out->grad,
                                   in->grad);
        first += rg_layer_count(in->shape) / in->shape.n / classes;
    }
    return 0;
}

OPERATION(forward_upsample)
{
    rg_kernels_upsample(node->in[0]->shape, node->out->shape, node->in[0]->data,
                        node->out->data);
    return 0;
}

OPERATION(backward_upsample)
{
    const rg_tensor *in = node->in[0];
    if (in->grad)
        rg_kernels_upsample_back(in->shape, node->out->shape, node->out->grad,
                                 in->grad);
    return 0;
}

OPERATION(forward_fc)
{
    rg_kernels_fc(node->out->shape.n, node->row->inputs, node->row->outputs,
                  node->in[0]->data, part_of(node->weight, RG_VALUE),
                  part_of(node->bias, RG_VALUE), node->out->data);
    activate(node);
    return 0;
}

OPERATION(backward_fc)
{
    const rg_tensor *in = node->in[0];
    const float *dy = deactivate(node);
    int n = in->shape.n, inputs = node->row->inputs, outputs = node->row->outputs;
    if (!node->frozen)
        rg_kernels_fc_back_weights(n, inputs, outputs, in->data, dy,
                                   part_of(node->weight, RG_GRADIENT),
                                   part_of(node->bias, RG_GRADIENT));
    if (in->grad)
        rg_kernels_fc_back_data(n, inputs, outputs, part_of(node->weight, RG_VALUE), dy,
                                in->grad);
    return 0;
}

OPERATION(forward_dropout)
{
    rg_kernels_dropout(rg_layer_count(node->out->shape), node->seed,
                       node->training ? node->row->value : 0, node->in[0]->data,
                       node->out->data);
    return 0;
}

OPERATION(backward_dropout)
{
    if (node->in[0]->grad)
        rg_kernels_dropout(rg_layer_count(node->out->shape), node->seed,
                           node->training ? node->row->value : 0, node->out->grad,
                           node->in[0]->grad);
    return 0;
}

OPERATION(forward_softmax)
{
    rg_kernels_softmax(node->in[0]->shape, node->row->outputs, node->in[0]->data,
                       node->out->data);
    return 0;
}

OPERATION(backward_softmax)
{
    if (node->in[0]->grad)
        rg_kernels_softmax_back(node->in[0]->shape, node->row->outputs, node->out->data,
                                node->out->grad, node->in[0]->grad);
    return 0;
}

OPERATION(forward_softmaxloss)
{
    const rg_tensor *scores = node->in[0], *labels = node->in[1];
    float *loss = node->out->data;
    *loss = rg_kernels_softmax_loss(scores->shape, node->row->outputs, scores->data,
                                    labels->data);
    return 0;
}

OPERATION(backward_softmaxloss)
{
    const rg_tensor *scores = node->in[0], *labels = node->in[1];
    if (scores->grad)
        rg_kernels_softmax_loss_back(scores->shape, node->row->outputs, scores->data,
                                     labels->data, *(float *)node->out->grad,
                                     scores->grad);
    return 0;
}

OPERATION(forward_smoothl1)
{
    float *loss = node->out->data;
    rg_tensor *const *in = node->in;
    *loss = rg_kernels_smooth_l1(rg_layer_count(in[0]->shape), node->row->value,
                                 in[0]->data, in[1]->data, in[2]->data);
    return 0;
}

OPERATION(backward_smoothl1)
{
    const rg_tensor *in = node->in[0];
    if (in->grad)
        rg_kernels_smooth_l1_back(rg_layer_count(in->shape), node->row->value, in->data,
                                  node->in[1]->data, node->in[2]->data,
                                  *(float *)node->out->grad, in->grad);
    return 0;
}

const rg_backend rg_backend_ref = {
    .name = "ref",
    .describe = describe,
    .open = open_ref,
    .close = close_ref,
    .precision = precision_of,
    .put = put,
    .get = get,
    .add_grad = add_grad,
    .fill_grad = fill_grad,
    .alias = alias,
    .free_alias = free_alias,
    .param_new = param_new,
    .param_twin = param_twin,
    .param_add_grad = param_add_grad,
    .param_free = param_free,
    .param_put = param_put,
    .param_get = param_get,
    .param_average = param_average,
    .update = update,
    .operation = {
        [RG_INPUT] = { plan, nothing, nothing, unplan },
        [RG_CONV] = { plan, forward_conv, backward_conv, unplan },
        [RG_MAXPOOL] = { plan, forward_maxpool, backward_maxpool, unplan },
        [RG_BOXES] = { plan, forward_boxes, backward_boxes, unplan },
        [RG_STPOOL] = { plan, forward_stpool, backward_stpool, unplan },
        [RG_BATCHNORM] = { plan_batchnorm, forward_batchnorm, backward_batchnorm,
                           unplan },
        [RG_ADD] = { plan, forward_add, backward_add, unplan },
        [RG_UPSAMPLE] = { plan, forward_upsample, backward_upsample, unplan },
        [RG_CONCAT] = { plan, forward_concat, backward_concat, unplan },
        [RG_FC] = { plan, forward_fc, backward_fc, unplan },
        [RG_DROPOUT] = { plan, forward_dropout, backward_dropout, unplan },
        [RG_SOFTMAX] = { plan, forward_softmax, backward_softmax, unplan },
        [RG_SOFTMAXLOSS] = { plan, forward_softmaxloss, backward_softmaxloss, unplan },
        [RG_SMOOTHL1] = { plan, forward_smoothl1, backward_smoothl1, unplan },
    },
};

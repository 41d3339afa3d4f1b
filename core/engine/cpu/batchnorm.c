/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/engine/cpu/cpu.h"
#include "core/engine/ref/kernels.h"

typedef struct batchnorm {
    rg_cpu_run forward, backward;
    dnnl_memory_t weight, weight_grad, bias, bias_grad;   /* views of the masters */
    dnnl_memory_t mean, variance;     /* of the batch; or views of those tracked */
    dnnl_memory_t workspace;          /* where the ReLU passed; training only */
    rg_cpu_feed src, dsrc;
} batchnorm;

static bool is_fixed(const rg_node *node)
{
    return !node->training || node->row->frozen || node->frozen;
}

static rg_dn_spec spec_of(const rg_node *node, rg_dn_pass pass, rg_md md)
{
    return (rg_dn_spec){ .pass = pass, .src = md, .dst = md,
                         .training = node->training,
                         .relu = node->row->activation == RG_RELU,
                         .fixed = is_fixed(node), .epsilon = RG_KERNELS_EPSILON };
}

static int views(const rg_cpu *cpu, const rg_node *node, batchnorm *s)
{
    RG_TRY(rg_cpu_memory_vector(cpu, &s->weight, node->weight, RG_VALUE));
    RG_TRY(rg_cpu_memory_vector(cpu, &s->bias, node->bias, RG_VALUE));
    if (is_fixed(node)) {
        RG_TRY(rg_cpu_memory_vector(cpu, &s->mean, node->mean, RG_VALUE));
        RG_TRY(rg_cpu_memory_vector(cpu, &s->variance, node->variance, RG_VALUE));
    } else {
        rg_md md = rg_cpu_layout(s->bias);
        RG_TRY(rg_cpu_memory(cpu, &s->mean, md, NULL));
        RG_TRY(rg_cpu_memory(cpu, &s->variance, md, NULL));
    }
    if (!node->training) return 0;
    RG_TRY(rg_cpu_memory_vector(cpu, &s->weight_grad, node->weight, RG_GRADIENT));
    return rg_cpu_memory_vector(cpu, &s->bias_grad, node->bias, RG_GRADIENT);
}

static void shared_args(const batchnorm *s, rg_cpu_run *run)
{
    rg_cpu_run_arg(run, DNNL_ARG_SRC, s->src.to);
    rg_cpu_run_arg(run, DNNL_ARG_MEAN, s->mean);
    rg_cpu_run_arg(run, DNNL_ARG_VARIANCE, s->variance);
    rg_cpu_run_arg(run, DNNL_ARG_SCALE, s->weight);
    if (s->workspace) rg_cpu_run_arg(run, DNNL_ARG_WORKSPACE, s->workspace);
}

static int forward_plan(const rg_cpu *cpu, rg_node *node, batchnorm *s)
{
    rg_md md = rg_cpu_layout(node->in[0]->data);
    rg_dn_spec spec = spec_of(node, RG_DN_FORWARD, md);
    RG_TRY(rg_onednn_batchnorm(&s->forward.pd, cpu->engine, &spec));
    RG_TRY(rg_cpu_run_plan(&s->forward));
    RG_TRY(rg_cpu_output(cpu, node->out, md));
    RG_TRY(rg_cpu_feed_plan(cpu, &s->src, node->in[0]->data, md));
    if (node->training && spec.relu)
        RG_TRY(rg_cpu_memory(cpu, &s->workspace,
                             rg_cpu_query(&s->forward, dnnl_query_workspace_md), NULL));
    shared_args(s, &s->forward);
    rg_cpu_run_arg(&s->forward, DNNL_ARG_SHIFT, s->bias);
    rg_cpu_run_arg(&s->forward, DNNL_ARG_DST, node->out->data);
    return 0;
}

/* The gradient of the input is made even where nobody reads it: oneDNN wants it. */
static int backward_plan(const rg_cpu *cpu, rg_node *node, batchnorm *s)
{
    rg_md md = rg_cpu_layout(node->out->grad);
    rg_dn_spec spec = spec_of(node, RG_DN_BACKWARD_DATA, md);
    spec.forward = s->forward.pd;
    RG_TRY(rg_onednn_batchnorm(&s->backward.pd, cpu->engine, &spec));
    RG_TRY(rg_cpu_run_plan(&s->backward));
    if (node->in[0]->grad)
        RG_TRY(rg_cpu_drain_plan(cpu, &s->dsrc, md, node->in[0]->grad));
    else RG_TRY(rg_cpu_memory(cpu, &s->dsrc.from, md, NULL));
    shared_args(s, &s->backward);
    if (RG_DN_SHIFT_BACKWARDS)
        rg_cpu_run_arg(&s->backward, DNNL_ARG_SHIFT, s->bias);
    rg_cpu_run_arg(&s->backward, DNNL_ARG_DIFF_DST, node->out->grad);
    rg_cpu_run_arg(&s->backward, DNNL_ARG_DIFF_SRC, s->dsrc.from);
    rg_cpu_run_arg(&s->backward, DNNL_ARG_DIFF_SCALE, s->weight_grad);
    rg_cpu_run_arg(&s->backward, DNNL_ARG_DIFF_SHIFT, s->bias_grad);
    return 0;
}

int rg_cpu_batchnorm_plan(void *context, rg_node *node)
{
    batchnorm *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    RG_TRY(views(context, node, s));
    RG_TRY(forward_plan(context, node, s));
    return node->out->grad ? backward_plan(context, node, s) : 0;
}

int rg_cpu_batchnorm_forward(void *context, rg_node *node)
{
    batchnorm *s = node->plan;
    RG_TRY(rg_cpu_feed_run(context, &s->src));
    RG_TRY(rg_cpu_run_now(context, &s->forward));
    if (is_fixed(node)) return 0;
    rg_cpu_param *mean = node->mean->data, *variance = node->variance->data;
    rg_kernels_batchnorm_track(node->out->shape, rg_cpu_bytes(s->mean),
                               rg_cpu_bytes(s->variance), mean->part[RG_VALUE],
                               variance->part[RG_VALUE]);
    return 0;
}

int rg_cpu_batchnorm_backward(void *context, rg_node *node)
{
    batchnorm *s = node->plan;
    RG_TRY(rg_cpu_run_now(context, &s->backward));
    return rg_cpu_feed_run(context, &s->dsrc);
}

void rg_cpu_batchnorm_unplan(void *context, rg_node *node)
{
    (void)context;
    batchnorm *s = node->plan;
    if (s == NULL) return;
    rg_cpu_run_free(&s->forward);
    rg_cpu_run_free(&s->backward);
    rg_cpu_feed_free(&s->src);
    rg_cpu_drain_free(&s->dsrc);
    dnnl_memory_t *memories[] = { &s->weight, &s->weight_grad, &s->bias, &s->bias_grad,
                                  &s->mean, &s->variance, &s->workspace };
    for (unsigned i = 0; i < sizeof memories / sizeof *memories; i++)
        rg_cpu_memory_free(memories[i]);
    rg_cpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/engine/cpu/cpu.h"

typedef struct maxpool {
    rg_cpu_run forward, backward;
    dnnl_memory_t workspace;          /* where each maximum was found; training only */
    rg_cpu_feed dst, dsrc;            /* of backward */
} maxpool;

static rg_md any_like(rg_shape s, dnnl_data_type_t type)
{
    return rg_onednn_md(4, (int[]){ s.n, s.c, s.h, s.w }, type, dnnl_format_tag_any);
}

/* Odd rims are dropped, as oneDNN does when the output is the smaller. */
static rg_dn_spec spec_of(const rg_node *node, rg_dn_pass pass, rg_md src, rg_md dst)
{
    const int three = node->row->size == 3;
    return (rg_dn_spec){ .pass = pass, .src = src, .dst = dst, .kernel = 2 + three,
                         .stride = 2, .padding = three, .training = node->training };
}

static int forward_plan(const rg_cpu *cpu, rg_node *node, maxpool *s)
{
    rg_md from = rg_cpu_layout(node->in[0]->data);
    rg_md any = any_like(node->out->shape, rg_onednn_md_type(from));
    if (any == NULL) return -1;
    rg_dn_spec spec = spec_of(node, RG_DN_FORWARD, from, any);
    int status = rg_onednn_maxpool(&s->forward.pd, cpu->engine, &spec);
    rg_onednn_md_free(any);
    RG_TRY(status);
    RG_TRY(rg_cpu_run_plan(&s->forward));
    RG_TRY(rg_cpu_output(cpu, node->out, rg_cpu_query(&s->forward, dnnl_query_dst_md)));
    rg_cpu_run_arg(&s->forward, DNNL_ARG_SRC, node->in[0]->data);
    rg_cpu_run_arg(&s->forward, DNNL_ARG_DST, node->out->data);
    if (!node->training) return 0;
    RG_TRY(rg_cpu_memory(cpu, &s->workspace,
                         rg_cpu_query(&s->forward, dnnl_query_workspace_md), NULL));
    rg_cpu_run_arg(&s->forward, DNNL_ARG_WORKSPACE, s->workspace);
    return 0;
}

static int backward_plan(const rg_cpu *cpu, rg_node *node, maxpool *s)
{
    rg_md grad = rg_cpu_layout(node->in[0]->grad), out = rg_cpu_layout(node->out->grad);
    rg_dn_spec spec = spec_of(node, RG_DN_BACKWARD_DATA, grad, out);
    spec.forward = s->forward.pd;
    RG_TRY(rg_onednn_maxpool(&s->backward.pd, cpu->engine, &spec));
    RG_TRY(rg_cpu_run_plan(&s->backward));
    RG_TRY(rg_cpu_feed_plan(cpu, &s->dst, node->out->grad,
                            rg_cpu_query(&s->backward, dnnl_query_diff_dst_md)));
    RG_TRY(rg_cpu_drain_plan(cpu, &s->dsrc,
                             rg_cpu_query(&s->backward, dnnl_query_diff_src_md),
                             node->in[0]->grad));
    rg_cpu_run_arg(&s->backward, DNNL_ARG_DIFF_DST, s->dst.to);
    rg_cpu_run_arg(&s->backward, DNNL_ARG_WORKSPACE, s->workspace);
    rg_cpu_run_arg(&s->backward, DNNL_ARG_DIFF_SRC, s->dsrc.from);
    return 0;
}

int rg_cpu_maxpool_plan(void *context, rg_node *node)
{
    maxpool *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    RG_TRY(forward_plan(context, node, s));
    return node->training && node->in[0]->grad ? backward_plan(context, node, s) : 0;
}

int rg_cpu_maxpool_forward(void *context, rg_node *node)
{
    return rg_cpu_run_now(context, &((maxpool *)node->plan)->forward);
}

int rg_cpu_maxpool_backward(void *context, rg_node *node)
{
    maxpool *s = node->plan;
    if (s->backward.primitive == NULL) return 0;
    RG_TRY(rg_cpu_feed_run(context, &s->dst));
    RG_TRY(rg_cpu_run_now(context, &s->backward));
    return rg_cpu_feed_run(context, &s->dsrc);
}

void rg_cpu_maxpool_unplan(void *context, rg_node *node)
{
    (void)context;
    maxpool *s = node->plan;
    if (s == NULL) return;
    rg_cpu_run_free(&s->forward);
    rg_cpu_run_free(&s->backward);
    rg_cpu_memory_free(&s->workspace);
    rg_cpu_feed_free(&s->dst);
    rg_cpu_drain_free(&s->dsrc);
    rg_cpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

/* SPDX-License-Identifier: MIT */
/* CONV and FC: what multiplies by weights. */
#include <stdlib.h>

#include "core/engine/cpu/cpu.h"

/* oneDNN 2.6's bf16 weight gradients touch memory outside their buffer in maps wider
 * than this, and are slower than f32 in maps narrower than that. */
enum { WIDEST_BF16_GRADIENT = 300, NARROWEST_BF16_GRADIENT = 24 };

typedef struct linear {
    rg_cpu_run forward, back_data, back_weights;
    rg_cpu_feed src, weights;                         /* of forward */
    rg_cpu_feed back_dst, back_pack, dsrc;            /* of back_data */
    rg_cpu_feed late_src, late_dst, dweights;         /* of back_weights */
    dnnl_memory_t weight, weight_grad, bias, bias_grad;   /* views of the masters */
    dnnl_memory_t dst, dst_grad;                      /* as the primitive sees them */
    long packed, back_packed; /* version of the packed weights */
} linear;

/* The primitive's view of the shapes: 4-D, but FC makes a matrix. */
typedef struct layouts { rg_md src, weights, bias, dst; } layouts;

static int is_conv(const rg_node *node)
{
    return node->row->word == RG_CONV;
}

static rg_md layout(rg_shape s, dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    return rg_onednn_md(4, (int[]){ s.n, s.c, s.h, s.w }, type, tag);
}

static rg_shape weight_shape(const rg_node *node)
{
    rg_shape in = node->in[0]->shape, w = node->weight->shape;
    return is_conv(node) ? w : (rg_shape){ w.n, in.c, in.h, in.w };
}

static void layouts_free(layouts *l)
{
    rg_onednn_md_free(l->src);
    rg_onednn_md_free(l->weights);
    rg_onednn_md_free(l->bias);
    rg_onednn_md_free(l->dst);
}

/* Convolutions choose; FC goes four times faster channels last, which it never chooses.
 */
static int layouts_any(layouts *l, const rg_node *node, dnnl_data_type_t src,
                       dnnl_data_type_t weights, dnnl_data_type_t dst)
{
    rg_shape out = node->out->shape;
    dnnl_format_tag_t tag = is_conv(node) ? dnnl_format_tag_any : dnnl_nhwc;
    l->src = layout(node->in[0]->shape, src, tag);
    l->weights = layout(weight_shape(node), weights, tag);
    l->bias = node->bias ? rg_onednn_md(1, &out.c, dnnl_f32, dnnl_x) : NULL;
    l->dst = is_conv(node) ? layout(out, dst, tag)
                           : rg_onednn_md(2, (int[]){ out.n, out.c }, dst, dnnl_nc);
    if (l->src && l->weights && !l->bias == !node->bias && l->dst) return 0;
    layouts_free(l);
    return -1;
}

static int make(const rg_cpu *cpu, const rg_node *node, rg_dn_pass pass,
                const layouts *l, linear *s)
{
    rg_cpu_run *run = pass == RG_DN_FORWARD ? &s->forward
                    : pass == RG_DN_BACKWARD_DATA ? &s->back_data : &s->back_weights;
    rg_dn_spec spec = {
        .pass = pass,
        .src = l->src,
        .weights = l->weights,
        .bias = l->bias,
        .dst = l->dst,
        .kernel = node->row->size,
        .stride = node->row->stride ? node->row->stride : 1,
        .padding = node->row->size / 2,
        .training = node->training,
        .relu = node->row->activation == RG_RELU,
        .forward = s->forward.pd,
    };
    if (!is_conv(node)) {
        RG_TRY(rg_onednn_inner_product(&run->pd, cpu->engine, &spec));
        return rg_cpu_run_plan(run);
    }
    spec.winograd = cpu->winograd && rg_onednn_md_type(l->src) == dnnl_f32
                    && node->row->size == 3 && spec.stride == 1;
    if (!spec.winograd || rg_onednn_convolution(&run->pd, cpu->engine, &spec) != 0) {
        spec.winograd = false;
        RG_TRY(rg_onednn_convolution(&run->pd, cpu->engine, &spec));
    }
    return rg_cpu_run_plan(run);
}

static int views(const rg_cpu *cpu, const rg_node *node, linear *s)
{
    rg_shape w = weight_shape(node);
    rg_cpu_param *weight = node->weight->data;
    RG_TRY(rg_cpu_memory_plain(cpu, &s->weight, w, dnnl_oihw, weight->part[RG_VALUE]));
    if (node->training)
        RG_TRY(rg_cpu_memory_plain(cpu, &s->weight_grad, w, dnnl_oihw,
                                   weight->part[RG_GRADIENT]));
    if (node->bias == NULL) return 0;
    RG_TRY(rg_cpu_memory_vector(cpu, &s->bias, node->bias, RG_VALUE));
    if (!node->training) return 0;
    return rg_cpu_memory_vector(cpu, &s->bias_grad, node->bias, RG_GRADIENT);
}

/* The output tensor, and the memory the primitive writes: its own view of the same
 * bytes. */
static int output(const rg_cpu *cpu, rg_node *node, linear *s)
{
    rg_md md = rg_cpu_query(&s->forward, dnnl_query_dst_md);
    if (is_conv(node)) RG_TRY(rg_cpu_output(cpu, node->out, md));
    else RG_TRY(rg_cpu_output_plain(cpu, node->out, dnnl_nchw));
    RG_TRY(rg_cpu_memory(cpu, &s->dst, md, rg_cpu_bytes(node->out->data)));
    if (node->out->grad == NULL) return 0;
    return rg_cpu_memory(cpu, &s->dst_grad, md, rg_cpu_bytes(node->out->grad));
}

static int forward_plan(const rg_cpu *cpu, rg_node *node, linear *s)
{
    layouts any;
    dnnl_data_type_t type = rg_cpu_type(cpu);
    int keep = is_conv(node) && (node->row->activation == RG_RELU || node->row->bare);
    RG_TRY(layouts_any(&any, node, type, type, keep ? type : dnnl_f32));
    int status = make(cpu, node, RG_DN_FORWARD, &any, s);
    layouts_free(&any);
    RG_TRY(status);
    RG_TRY(output(cpu, node, s));
    RG_TRY(rg_cpu_feed_plan(cpu, &s->src, node->in[0]->data,
                            rg_cpu_query(&s->forward, dnnl_query_src_md)));
    RG_TRY(rg_cpu_feed_plan(cpu, &s->weights, s->weight,
                            rg_cpu_query(&s->forward, dnnl_query_weights_md)));
    rg_cpu_run_arg(&s->forward, DNNL_ARG_SRC, s->src.to);
    rg_cpu_run_arg(&s->forward, DNNL_ARG_WEIGHTS, s->weights.to);
    if (s->bias) rg_cpu_run_arg(&s->forward, DNNL_ARG_BIAS, s->bias);
    rg_cpu_run_arg(&s->forward, DNNL_ARG_DST, s->dst);
    return 0;
}

static int back_data_plan(const rg_cpu *cpu, rg_node *node, linear *s)
{
    layouts any;
    dnnl_data_type_t type = rg_cpu_type(cpu);
    RG_TRY(layouts_any(&any, node, type, type, type));
    int status = make(cpu, node, RG_DN_BACKWARD_DATA, &any, s);
    layouts_free(&any);
    RG_TRY(status);
    RG_TRY(rg_cpu_feed_plan(cpu, &s->back_dst, s->dst_grad,
                            rg_cpu_query(&s->back_data, dnnl_query_diff_dst_md)));
    RG_TRY(rg_cpu_feed_plan(cpu, &s->back_pack, s->weight,
                            rg_cpu_query(&s->back_data, dnnl_query_weights_md)));
    RG_TRY(rg_cpu_drain_plan(cpu, &s->dsrc,
                             rg_cpu_query(&s->back_data, dnnl_query_diff_src_md),
                             node->in[0]->grad));
    rg_cpu_run_arg(&s->back_data, DNNL_ARG_DIFF_DST, s->back_dst.to);
    rg_cpu_run_arg(&s->back_data, DNNL_ARG_WEIGHTS, s->back_pack.to);
    rg_cpu_run_arg(&s->back_data, DNNL_ARG_DIFF_SRC, s->dsrc.from);
    return 0;
}

static int back_weights_plan(const rg_cpu *cpu, rg_node *node, linear *s)
{
    layouts any;
    dnnl_data_type_t type = rg_cpu_type(cpu);
    int w = node->out->shape.w;
    if (is_conv(node) && (w > WIDEST_BF16_GRADIENT || w < NARROWEST_BF16_GRADIENT))
        type = dnnl_f32;
    RG_TRY(layouts_any(&any, node, type, dnnl_f32, type));
    int status = make(cpu, node, RG_DN_BACKWARD_WEIGHTS, &any, s);
    layouts_free(&any);
    RG_TRY(status);
    RG_TRY(rg_cpu_feed_plan(cpu, &s->late_src, node->in[0]->data,
                            rg_cpu_query(&s->back_weights, dnnl_query_src_md)));
    RG_TRY(rg_cpu_feed_plan(cpu, &s->late_dst, s->dst_grad,
                            rg_cpu_query(&s->back_weights, dnnl_query_diff_dst_md)));
    RG_TRY(rg_cpu_drain_plan(cpu, &s->dweights,
                             rg_cpu_query(&s->back_weights, dnnl_query_diff_weights_md),
                             s->weight_grad));
    rg_cpu_run_arg(&s->back_weights, DNNL_ARG_SRC, s->late_src.to);
    rg_cpu_run_arg(&s->back_weights, DNNL_ARG_DIFF_DST, s->late_dst.to);
    rg_cpu_run_arg(&s->back_weights, DNNL_ARG_DIFF_WEIGHTS, s->dweights.from);
    if (s->bias_grad)
        rg_cpu_run_arg(&s->back_weights, DNNL_ARG_DIFF_BIAS, s->bias_grad);
    return 0;
}

int rg_cpu_linear_plan(void *context, rg_node *node)
{
    const rg_cpu *cpu = context;
    linear *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    RG_TRY(views(cpu, node, s));
    RG_TRY(forward_plan(cpu, node, s));
    if (node->out->grad == NULL) return 0;
    if (node->in[0]->grad) RG_TRY(back_data_plan(cpu, node, s));
    return node->frozen ? 0 : back_weights_plan(cpu, node, s);
}

/* Weights are packed again only after they changed. */
static int pack(const rg_cpu *cpu, const rg_node *node, const rg_cpu_feed *feed,
                long *packed)
{
    const rg_cpu_param *param = node->weight->data;
    long version = param->of ? param->of->version : param->version;
    if (*packed == version) return 0;
    *packed = version;
    return rg_cpu_feed_run(cpu, feed);
}

int rg_cpu_linear_forward(void *context, rg_node *node)
{
    linear *s = node->plan;
    RG_TRY(pack(context, node, &s->weights, &s->packed));
    RG_TRY(rg_cpu_feed_run(context, &s->src));
    return rg_cpu_run_now(context, &s->forward);
}

static int back_weights(void *context, linear *s)
{
    RG_TRY(rg_cpu_feed_run(context, &s->late_src));
    RG_TRY(rg_cpu_feed_run(context, &s->late_dst));
    RG_TRY(rg_cpu_run_now(context, &s->back_weights));
    return rg_cpu_feed_run(context, &s->dweights);
}

int rg_cpu_linear_backward(void *context, rg_node *node)
{
    linear *s = node->plan;
    if (node->row->activation == RG_RELU) rg_cpu_relu_backward(s->dst, s->dst_grad);
    if (!node->frozen) RG_TRY(back_weights(context, s));
    if (s->back_data.primitive == NULL) return 0;
    RG_TRY(pack(context, node, &s->back_pack, &s->back_packed));
    RG_TRY(rg_cpu_feed_run(context, &s->back_dst));
    RG_TRY(rg_cpu_run_now(context, &s->back_data));
    return rg_cpu_feed_run(context, &s->dsrc);
}

void rg_cpu_linear_unplan(void *context, rg_node *node)
{
    (void)context;
    linear *s = node->plan;
    if (s == NULL) return;
    rg_cpu_run_free(&s->forward);
    rg_cpu_run_free(&s->back_data);
    rg_cpu_run_free(&s->back_weights);
    rg_cpu_feed *feeds[] = { &s->src, &s->weights, &s->back_dst, &s->back_pack,
                             &s->late_src, &s->late_dst };
    for (unsigned i = 0; i < sizeof feeds / sizeof *feeds; i++)
        rg_cpu_feed_free(feeds[i]);
    rg_cpu_drain_free(&s->dsrc);
    rg_cpu_drain_free(&s->dweights);
    dnnl_memory_t *memories[] = { &s->weight, &s->weight_grad, &s->bias, &s->bias_grad,
                                  &s->dst, &s->dst_grad };
    for (unsigned i = 0; i < sizeof memories / sizeof *memories; i++)
        rg_cpu_memory_free(memories[i]);
    rg_cpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

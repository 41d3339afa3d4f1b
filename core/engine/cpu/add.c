/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/engine/cpu/cpu.h"

typedef struct add {
    rg_cpu_feed in[2];                /* in the layout of the first */
    dnnl_primitive_t back[2];         /* copies the gradient to each input */
} add;

int rg_cpu_add_plan(void *context, rg_node *node)
{
    add *s = node->plan = rg_error_alloc(1, sizeof *s, node->row->name);
    if (s == NULL) return -1;
    rg_md md = rg_cpu_layout(node->in[0]->data);
    RG_TRY(rg_cpu_output(context, node->out, md));
    for (int k = 0; k < 2; k++) {
        RG_TRY(rg_cpu_feed_plan(context, &s->in[k], node->in[k]->data, md));
        if (node->out->grad && node->in[k]->grad)
            RG_TRY(rg_cpu_copy_plan(context, &s->back[k], md,
                                    rg_cpu_layout(node->in[k]->grad)));
    }
    return 0;
}

int rg_cpu_add_forward(void *context, rg_node *node)
{
    add *s = node->plan;
    for (int k = 0; k < 2; k++) RG_TRY(rg_cpu_feed_run(context, &s->in[k]));
    rg_cpu_sum(node->out->data, s->in[0].to, s->in[1].to,
               node->row->activation == RG_RELU);
    return 0;
}

int rg_cpu_add_backward(void *context, rg_node *node)
{
    const add *s = node->plan;
    if (node->row->activation == RG_RELU)
        rg_cpu_relu_backward(node->out->data, node->out->grad);
    for (int k = 0; k < 2; k++)
        if (s->back[k])
            RG_TRY(rg_cpu_copy_run(context, s->back[k], node->out->grad,
                                   node->in[k]->grad));
    return 0;
}

void rg_cpu_add_unplan(void *context, rg_node *node)
{
    (void)context;
    add *s = node->plan;
    if (s == NULL) return;
    for (int k = 0; k < 2; k++) {
        rg_cpu_feed_free(&s->in[k]);
        if (s->back[k]) dnnl_primitive_destroy(s->back[k]);
    }
    rg_cpu_output_free(node->out);
    free(s);
    node->plan = NULL;
}

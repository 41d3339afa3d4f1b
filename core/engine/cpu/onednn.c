/* SPDX-License-Identifier: MIT */
#include "core/engine/cpu/onednn.h"

#include <stdlib.h>

#include "core/engine/error.h"

int rg_onednn_check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return 0;
    return RG_FAIL("oneDNN could not %s (%s)", what,
                   status == dnnl_out_of_memory ? "out of memory"
                   : status == dnnl_unimplemented ? "not implemented on this processor"
                   : "internal error");
}

/* ReLU fused behind the operation where asked for. */
static int attributes(dnnl_primitive_attr_t *attr, bool relu)
{
    dnnl_post_ops_t ops;
    *attr = NULL;
    RG_TRY(rg_onednn_check(dnnl_primitive_attr_create(attr), "create attributes"));
    if (!relu) return 0;
    RG_TRY(rg_onednn_check(dnnl_post_ops_create(&ops), "create post-ops"));
#if DNNL_VERSION_MAJOR >= 3
    dnnl_status_t status = dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0, 0);
#else
    dnnl_status_t status =
        dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
#endif
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    return rg_onednn_check(status, "fuse ReLU");
}

static dnnl_alg_kind_t algorithm(const rg_dn_spec *s)
{
    return s->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
}

static dnnl_prop_kind_t propagation(const rg_dn_spec *s)
{
    return s->training ? dnnl_forward_training : dnnl_forward_inference;
}

static unsigned norm_flags(const rg_dn_spec *s)
{
    unsigned flags = dnnl_use_scale | dnnl_use_shift;
    if (s->relu) flags |= dnnl_fuse_norm_relu;
    if (s->fixed) flags |= dnnl_use_global_stats;
    return flags;
}

#if DNNL_VERSION_MAJOR >= 3

rg_md rg_onednn_md(int ndims, const int *sizes, dnnl_data_type_t type,
                   dnnl_format_tag_t tag)
{
    dnnl_dims_t dims;
    dnnl_memory_desc_t md;
    for (int i = 0; i < ndims; i++) dims[i] = sizes[i];
    if (rg_onednn_check(dnnl_memory_desc_create_with_tag(&md, ndims, dims, type, tag),
                        "describe a layout") != 0) return NULL;
    return md;
}

void rg_onednn_md_free(rg_md md)
{
    if (md) dnnl_memory_desc_destroy((dnnl_memory_desc_t)md);
}

dnnl_data_type_t rg_onednn_md_type(rg_md md)
{
    dnnl_data_type_t type = dnnl_data_type_undef;
    dnnl_memory_desc_query(md, dnnl_query_data_type, &type);
    return type;
}

static dnnl_status_t convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                 const rg_dn_spec *s, dnnl_primitive_attr_t attr)
{
    const dnnl_dims_t step = { s->stride, s->stride }, rim = { s->padding, s->padding };
    const dnnl_dims_t none = { 0, 0 };
    if (s->pass == RG_DN_FORWARD)
        return dnnl_convolution_forward_primitive_desc_create(
            pd, engine, propagation(s), algorithm(s), s->src, s->weights, s->bias,
            s->dst, step, none, rim, rim, attr);
    if (s->pass == RG_DN_BACKWARD_DATA)
        return dnnl_convolution_backward_data_primitive_desc_create(
            pd, engine, algorithm(s), s->src, s->weights, s->dst, step, none, rim, rim,
            s->forward, attr);
    return dnnl_convolution_backward_weights_primitive_desc_create(
        pd, engine, algorithm(s), s->src, s->weights, s->bias, s->dst, step, none, rim,
        rim, s->forward, attr);
}

static dnnl_status_t maxpool(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                             const rg_dn_spec *s, dnnl_primitive_attr_t attr)
{
    const dnnl_dims_t step = { s->stride, s->stride },
                      window = { s->kernel, s->kernel },
                      rim = { s->padding, s->padding }, none = { 0, 0 };
    if (s->pass == RG_DN_FORWARD)
        return dnnl_pooling_forward_primitive_desc_create(
            pd, engine, propagation(s), dnnl_pooling_max, s->src, s->dst, step, window,
            none, rim, rim, attr);
    return dnnl_pooling_backward_primitive_desc_create(
        pd, engine, dnnl_pooling_max, s->src, s->dst, step, window, none, rim, rim,
        s->forward, attr);
}

static dnnl_status_t inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                   const rg_dn_spec *s, dnnl_primitive_attr_t attr)
{
    if (s->pass == RG_DN_FORWARD)
        return dnnl_inner_product_forward_primitive_desc_create(
            pd, engine, propagation(s), s->src, s->weights, s->bias, s->dst, attr);
    if (s->pass == RG_DN_BACKWARD_DATA)
        return dnnl_inner_product_backward_data_primitive_desc_create(
            pd, engine, s->src, s->weights, s->dst, s->forward, attr);
    return dnnl_inner_product_backward_weights_primitive_desc_create(
        pd, engine, s->src, s->weights, s->bias, s->dst, s->forward, attr);
}

static dnnl_status_t batchnorm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                               const rg_dn_spec *s, dnnl_primitive_attr_t attr)
{
    if (s->pass == RG_DN_FORWARD)
        return dnnl_batch_normalization_forward_primitive_desc_create(
            pd, engine, propagation(s), s->src, s->dst, s->epsilon, norm_flags(s),
            attr);
    return dnnl_batch_normalization_backward_primitive_desc_create(
        pd, engine, dnnl_backward, s->src, s->dst, s->src, s->epsilon, norm_flags(s),
        s->forward, attr);
}

#else /* oneDNN 2.x */

rg_md rg_onednn_md(int ndims, const int *sizes, dnnl_data_type_t type,
                   dnnl_format_tag_t tag)
{
    dnnl_dims_t dims;
    dnnl_memory_desc_t *md = rg_error_alloc(1, sizeof *md, "a layout");
    for (int i = 0; i < ndims; i++) dims[i] = sizes[i];
    if (md != NULL
        && rg_onednn_check(dnnl_memory_desc_init_by_tag(md, ndims, dims, type, tag),
                           "describe a layout") != 0) {
        free(md);
        md = NULL;
    }
    return md;
}

void rg_onednn_md_free(rg_md md)
{
    free((void *)md);
}

dnnl_data_type_t rg_onednn_md_type(rg_md md)
{
    return md->data_type;
}

static dnnl_status_t convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                 const rg_dn_spec *s, dnnl_primitive_attr_t attr)
{
    const dnnl_dims_t step = { s->stride, s->stride }, rim = { s->padding, s->padding };
    dnnl_convolution_desc_t d;
    dnnl_status_t status;
    if (s->pass == RG_DN_FORWARD)
        status = dnnl_convolution_forward_desc_init(&d, propagation(s), algorithm(s),
                                                    s->src, s->weights, s->bias, s->dst,
                                                    step, rim, rim);
    else if (s->pass == RG_DN_BACKWARD_DATA)
        status = dnnl_convolution_backward_data_desc_init(
            &d, algorithm(s), s->src, s->weights, s->dst, step, rim, rim);
    else
        status = dnnl_convolution_backward_weights_desc_init(
            &d, algorithm(s), s->src, s->weights, s->bias, s->dst, step, rim, rim);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(pd, &d, attr, engine, s->forward);
}

static dnnl_status_t maxpool(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                             const rg_dn_spec *s, dnnl_primitive_attr_t attr)
{
    const dnnl_dims_t step = { s->stride, s->stride },
                      window = { s->kernel, s->kernel },
                      rim = { s->padding, s->padding };
    dnnl_pooling_desc_t d;
    dnnl_status_t status;
    if (s->pass == RG_DN_FORWARD)
        status =
            dnnl_pooling_forward_desc_init(&d, propagation(s), dnnl_pooling_max, s->src,
                                           s->dst, step, window, rim, rim);
    else
        status = dnnl_pooling_backward_desc_init(&d, dnnl_pooling_max, s->src, s->dst,
                                                 step, window, rim, rim);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(pd, &d, attr, engine, s->forward);
}

static dnnl_status_t inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                   const rg_dn_spec *s, dnnl_primitive_attr_t attr)
{
    dnnl_inner_product_desc_t d;
    dnnl_status_t status;
    if (s->pass == RG_DN_FORWARD)
        status = dnnl_inner_product_forward_desc_init(&d, propagation(s), s->src,
                                                      s->weights, s->bias, s->dst);
    else if (s->pass == RG_DN_BACKWARD_DATA)
        status =
            dnnl_inner_product_backward_data_desc_init(&d, s->src, s->weights, s->dst);
    else
        status = dnnl_inner_product_backward_weights_desc_init(&d, s->src, s->weights,
                                                               s->bias, s->dst);
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(pd, &d, attr, engine, s->forward);
}

static dnnl_status_t batchnorm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                               const rg_dn_spec *s, dnnl_primitive_attr_t attr)
{
    dnnl_batch_normalization_desc_t d;
    dnnl_status_t status;
    if (s->pass == RG_DN_FORWARD)
        status = dnnl_batch_normalization_forward_desc_init(
            &d, propagation(s), s->src, s->epsilon, norm_flags(s));
    else
        status = dnnl_batch_normalization_backward_desc_init(
            &d, dnnl_backward, s->src, s->src, s->epsilon, norm_flags(s));
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(pd, &d, attr, engine, s->forward);
}

#endif

typedef dnnl_status_t creator(dnnl_primitive_desc_t *, dnnl_engine_t,
                              const rg_dn_spec *, dnnl_primitive_attr_t);

static int create(creator *make, dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                  const rg_dn_spec *spec, const char *what)
{
    const bool post = make != batchnorm;   /* which has a flag for it */
    dnnl_primitive_attr_t attr;
    int status = attributes(&attr, post && spec->relu && spec->pass == RG_DN_FORWARD);
    *pd = NULL;
    if (status == 0) status = rg_onednn_check(make(pd, engine, spec, attr), what);
    if (attr) dnnl_primitive_attr_destroy(attr);
    return status;
}

int rg_onednn_convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                          const rg_dn_spec *spec)
{
    return create(convolution, pd, engine, spec, "plan a convolution");
}

int rg_onednn_maxpool(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                      const rg_dn_spec *spec)
{
    return create(maxpool, pd, engine, spec, "plan a pooling");
}

int rg_onednn_inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                            const rg_dn_spec *spec)
{
    return create(inner_product, pd, engine, spec, "plan a fully connected layer");
}

int rg_onednn_batchnorm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                        const rg_dn_spec *spec)
{
    return create(batchnorm, pd, engine, spec, "plan a batch normalisation");
}

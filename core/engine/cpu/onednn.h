/* SPDX-License-Identifier: MIT */
/* onednn: what differs between oneDNN 2.x (Debian 12: 2.6) and 3.x, and nothing else.
 *
 * 2.x makes a primitive descriptor from an operation descriptor and passes memory
 * descriptors as structs; 3.x makes it in one call and has opaque handles.  Here both
 * look alike: an rg_md is borrowed from whoever made it.
 */
#ifndef RG_ONEDNN_H
#define RG_ONEDNN_H

#include <dnnl.h>
#include <stdbool.h>

/* A batch normalisation's shift is an argument backwards, too, or must not be. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t rg_md;
enum { RG_DN_SHIFT_BACKWARDS = 0 };
#else
typedef const dnnl_memory_desc_t *rg_md;
enum { RG_DN_SHIFT_BACKWARDS = 1 };
#endif

/* A sentence naming the oneDNN call when status is not success. */
int rg_onednn_check(dnnl_status_t status, const char *what);

/* A layout of 1 to 4 dimensions; NULL and a sentence on failure.  Free with _md_free.
 */
rg_md rg_onednn_md(int ndims, const int *dims, dnnl_data_type_t type,
                   dnnl_format_tag_t tag);
void rg_onednn_md_free(rg_md md);
dnnl_data_type_t rg_onednn_md_type(rg_md md);

/* One operation: which, its layouts, and how.  Of backward kinds src, weights, bias and
 * dst are those of the gradients where there are such. */
typedef enum { RG_DN_FORWARD, RG_DN_BACKWARD_DATA, RG_DN_BACKWARD_WEIGHTS } rg_dn_pass;
typedef struct rg_dn_spec {
    rg_dn_pass pass;
    rg_md src, weights, bias, dst;
    int kernel, stride, padding;      /* of convolutions and pooling */
    bool training, relu, winograd;
    bool fixed;                       /* batch normalisation by given statistics ... */
    float epsilon;                    /* ... and with this added to the variance */
    const_dnnl_primitive_desc_t forward;   /* of backward passes */
} rg_dn_spec;

int rg_onednn_convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                          const rg_dn_spec *spec);
int rg_onednn_maxpool(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                      const rg_dn_spec *spec);
/* src and dst of one layout, of gradients that of src for both. */
int rg_onednn_batchnorm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                        const rg_dn_spec *spec);
int rg_onednn_inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                            const rg_dn_spec *spec);

#endif

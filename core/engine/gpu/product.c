/* SPDX-License-Identifier: MIT */
/* Matrix products by cuBLASLt. */
#include <stdlib.h>

#include "core/engine/error.h"
#include "core/engine/gpu/card.h"

enum { WAYS = 8 };
#define WORKSPACE_MOST ((size_t)32 << 20)      /* what NVIDIA advises for Hopper */

struct rg_product {
    cublasLtMatmulDesc_t how;
    cublasLtMatrixLayout_t a, b, c;            /* cuBLAS's: its a is our b */
    cublasLtMatmulAlgo_t algorithm;
    int way;                                   /* among cuBLASLt's */
    size_t workspace;                          /* [bytes] */
};

void rg_product_free(rg_product *p)
{
    if (p == NULL) return;
    if (p->a) cublasLtMatrixLayoutDestroy(p->a);
    if (p->b) cublasLtMatrixLayoutDestroy(p->b);
    if (p->c) cublasLtMatrixLayoutDestroy(p->c);
    if (p->how) cublasLtMatmulDescDestroy(p->how);
    free(p);
}

/* cuBLAS counts by columns, we by rows: c = a b there is c' = b' a' here. */
static int describe(rg_product *p, const rg_product_spec *s)
{
    static const cudaDataType_t types[] = { [RG_F32] = CUDA_R_32F,
                                            [RG_BF16] = CUDA_R_16BF,
                                            [RG_F16] = CUDA_R_16F };
    const cudaDataType_t type = types[rg_type_of(s->precision)];
    const cublasComputeType_t sums = s->precision == RG_PRECISION_TF32
        ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    const cublasOperation_t a = s->b_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t b = s->a_turned ? CUBLAS_OP_T : CUBLAS_OP_N;
    const uint64_t m = (uint64_t)s->m, n = (uint64_t)s->n, k = (uint64_t)s->k;
    RG_TRY(RG_BLAS(cublasLtMatmulDescCreate(&p->how, sums, CUDA_R_32F)));
    RG_TRY(RG_BLAS(cublasLtMatmulDescSetAttribute(p->how, CUBLASLT_MATMUL_DESC_TRANSA,
                                                  &a, sizeof a)));
    RG_TRY(RG_BLAS(cublasLtMatmulDescSetAttribute(p->how, CUBLASLT_MATMUL_DESC_TRANSB,
                                                  &b, sizeof b)));
    RG_TRY(RG_BLAS(cublasLtMatrixLayoutCreate(&p->a, type, s->b_turned ? k : n,
                                              s->b_turned ? n : k,
                                              (int64_t)(s->b_turned ? k : n))));
    RG_TRY(RG_BLAS(cublasLtMatrixLayoutCreate(&p->b, type, s->a_turned ? m : k,
                                              s->a_turned ? k : m,
                                              (int64_t)(s->a_turned ? m : k))));
    return RG_BLAS(cublasLtMatrixLayoutCreate(&p->c, CUDA_R_32F, n, m, (int64_t)n));
}

static int no_product(const rg_product_spec *s)
{
    return RG_FAIL("cuBLASLt has no product of %d x %d by %d x %d in %s for this card",
                   s->m, s->k, s->k, s->n, rg_backend_precision_name(s->precision));
}

/* The first that serves from p->way on. */
static int choose(rg_product *p, const rg_device *device, const rg_product_spec *s)
{
    cublasLtMatmulPreference_t wish;
    cublasLtMatmulHeuristicResult_t found[WAYS];
    const size_t most = WORKSPACE_MOST;
    int n = 0;
    RG_TRY(RG_BLAS(cublasLtMatmulPreferenceCreate(&wish)));
    int status = RG_BLAS(cublasLtMatmulPreferenceSetAttribute(
        wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most));
    if (status == 0)
        status = RG_BLAS(cublasLtMatmulAlgoGetHeuristic(
            device->blas, p->how, p->a, p->b, p->c, p->c, wish, WAYS, found, &n));
    cublasLtMatmulPreferenceDestroy(wish);
    RG_TRY(status);
    while (p->way < n && found[p->way].state != CUBLAS_STATUS_SUCCESS) p->way++;
    if (p->way >= n) return no_product(s);
    p->algorithm = found[p->way].algo;
    p->workspace = found[p->way].workspaceSize;
    return 0;
}

int rg_product_new(rg_product **out, rg_device *device, const rg_product_spec *spec,
                   int from)
{
    rg_product *p = rg_error_alloc(1, sizeof *p, "a matrix product");
    if (p == NULL) return -1;
    p->way = from;
    if (describe(p, spec) != 0 || choose(p, device, spec) != 0) {
        rg_product_free(p);
        return -1;
    }
    *out = p;
    return 0;
}

int rg_product_way(const rg_product *p)
{
    return p->way;
}

size_t rg_product_workspace(const rg_product *p)
{
    return p->workspace;
}

int rg_product_run(rg_device *device, const rg_product *p, const void *a, const void *b,
                   float *c, void *workspace)
{
    const float alpha = 1, beta = 0;
    return RG_BLAS(cublasLtMatmul(device->blas, p->how, &alpha, b, p->a, a, p->b, &beta,
                                  c, p->c, c, p->c, &p->algorithm, workspace,
                                  p->workspace, device->stream));
}

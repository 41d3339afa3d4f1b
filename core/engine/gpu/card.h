/* SPDX-License-Identifier: MIT */
/* card: inside of the real device: what device.c, launch.cu, convolution.c and
 * product.c share.  Here alone is every code that CUDA, cuDNN and cuBLASLt return made
 * into a sentence.
 *
 *     RG_TRY(RG_CUDA(cudaMalloc(&memory, bytes)));
 */
#ifndef RG_CARD_H
#define RG_CARD_H

#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include "core/engine/gpu/device.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rg_device {
    cudaStream_t stream, copies;           /* of work; of what is sent beside it */
    cudaEvent_t before, after;             /* what is timed */
    cudnnHandle_t cudnn;
    cudnnBackendDescriptor_t properties;   /* of the card, for cuDNN's plans */
    cublasLtHandle_t blas;
    size_t workspace;                      /* most that a convolution may ask for
                                              [bytes] */
};

/* Oldest cuDNN whose plans are made from device properties. */
#define RG_CARD_CUDNN 90800
#define RG_CARD_CAPABILITY 80              /* 8.0: bf16, and what launch.cu is for */

#define RG_CUDA(call) rg_card_cuda(call, #call)
#define RG_CUDNN(call) rg_card_cudnn(call, #call)
#define RG_BLAS(call) rg_card_blas(call, #call)

/* 0, or -1 with what the library says, in which call, and the cure where it is
 * known. */
int rg_card_cuda(cudaError_t code, const char *call);
int rg_card_cudnn(cudnnStatus_t code, const char *call);
int rg_card_blas(cublasStatus_t code, const char *call);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/* What claran-gpu.so shows: the backend, and whether and upon what it would run. */
#include <stdio.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/gpu/card.h"
#include "core/engine/gpu/gpu.h"
#include "core/engine/module.h"

static int have_cudnn(void)
{
    const size_t found = cudnnGetVersion();
    if (found >= RG_CARD_CUDNN) return 0;
    return RG_FAIL("cuDNN %zu.%zu is too old: 9.8 or newer is needed; "
                   "use --backend cpu", found / 10000, found / 100 % 100);
}

static int have_driver(void)
{
    int driver = 0, runtime = 0;
    const size_t cudnn = cudnnGetVersion();
    cudaRuntimeGetVersion(&runtime);
    if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
        return RG_FAIL("no NVIDIA driver on this machine (CUDA runtime %d.%d, cuDNN "
                       "%zu.%zu are present); use --backend cpu", runtime / 1000,
                       runtime / 10 % 100, cudnn / 10000, cudnn / 100 % 100);
    if (driver / 1000 >= runtime / 1000) return 0;
    return RG_FAIL("the NVIDIA driver is for CUDA %d, too old for the CUDA runtime "
                   "%d.%d; update it, or use --backend cpu", driver / 1000,
                   runtime / 1000, runtime / 10 % 100);
}

static int have_card(void)
{
    struct cudaDeviceProp card;
    int cards = 0;
    const cudaError_t code = cudaGetDeviceCount(&cards);
    if (code == cudaErrorNoDevice || (code == cudaSuccess && cards == 0))
        return RG_FAIL("the NVIDIA driver finds no card on this machine; "
                       "use --backend cpu");
    RG_TRY(rg_card_cuda(code, "cudaGetDeviceCount"));
    RG_TRY(RG_CUDA(cudaGetDeviceProperties(&card, 0)));
    if (10 * card.major + card.minor >= RG_CARD_CAPABILITY) return 0;
    return RG_FAIL("the card %s has compute capability %d.%d, and 8.0 is the least; "
                   "use --backend cpu", card.name, card.major, card.minor);
}

static int usable(void)
{
    RG_TRY(have_cudnn());
    RG_TRY(have_driver());
    return have_card();
}

static bool describe_libraries(char text[RG_BACKEND_TEXT])
{
    int driver = 0, runtime = 0;
    const size_t cudnn = cudnnGetVersion(), blas = cublasLtGetVersion();
    char drives[32] = "no NVIDIA driver";
    cudaRuntimeGetVersion(&runtime);
    if (cudaDriverGetVersion(&driver) == cudaSuccess && driver)
        snprintf(drives, sizeof drives, "driver for CUDA %d.%d", driver / 1000,
                 driver / 10 % 100);
    snprintf(text, RG_BACKEND_TEXT,
             "%s, CUDA runtime %d.%d, cuDNN %zu.%zu.%zu, cuBLASLt %zu.%zu", drives,
             runtime / 1000, runtime / 10 % 100, cudnn / 10000, cudnn / 100 % 100,
             cudnn % 100, blas / 10000, blas / 100 % 100);
    return true;
}

/* To ask for what is free takes memory of the card: only of the one that is used. */
static void describe_memory(bool used, size_t whole, char text[64])
{
    size_t left, all;
    if (used && cudaMemGetInfo(&left, &all) == cudaSuccess)
        snprintf(text, 64, "%.1f of %.1f GB of memory free", (double)left / 1e9,
                 (double)all / 1e9);
    else
        snprintf(text, 64, "%.1f GB of memory", (double)whole / 1e9);
    cudaGetLastError();                /* or the next launch would be told of it */
}

bool rg_gpu_describe(int line, char text[RG_BACKEND_TEXT])
{
    struct cudaDeviceProp card;
    char memory[64];
    int cards = 0;
    if (line == 0) return describe_libraries(text);
    if (cudaGetDeviceCount(&cards) != cudaSuccess || line > cards
        || cudaGetDeviceProperties(&card, line - 1) != cudaSuccess) return false;
    describe_memory(line == 1, card.totalGlobalMem, memory);
    snprintf(text, RG_BACKEND_TEXT,
             "card %d%s: %s, %s, compute capability %d.%d, %d multiprocessors",
             line - 1, line == 1 ? " (used)" : "", card.name, memory,
             card.major, card.minor, card.multiProcessorCount);
    return true;
}

__attribute__((visibility("default"))) extern const rg_module rg_module_gpu;
const rg_module rg_module_gpu = { RG_MODULE_LAYOUT, RG_VERSION, &rg_backend_gpu,
                                  usable };

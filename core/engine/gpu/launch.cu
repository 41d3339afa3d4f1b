// SPDX-License-Identifier: MIT
// A launch of every kernel of kernel.h: as many threads as fill the card, each taking
// every so many elements.
#include "core/engine/gpu/card.h"

enum { THREADS = 256, BLOCKS_MOST = 1 << 16 };

#define RG_LAUNCH(name) \
    __global__ void __launch_bounds__(THREADS) run_##name(rg_kernel_##name k) \
    { \
        const long step = (long)gridDim.x * THREADS; \
        for (long i = (long)blockIdx.x * THREADS + threadIdx.x; i < k.count; i += step) \
            rg_kernel_##name##_at(&k, i); \
    } \
    extern "C" int rg_device_##name(rg_device *device, const rg_kernel_##name *k) \
    { \
        const long blocks = (k->count + THREADS - 1) / THREADS; \
        if (blocks <= 0) return 0; \
        run_##name<<<(unsigned)(blocks < BLOCKS_MOST ? blocks : BLOCKS_MOST), THREADS, \
                     0, device->stream>>>(*k); \
        return rg_card_cuda(cudaGetLastError(), "launch of " #name); \
    }

RG_KERNEL_LIST(RG_LAUNCH)

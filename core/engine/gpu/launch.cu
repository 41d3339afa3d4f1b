/* SPDX-License-Identifier: MIT */
// A launch of every kernel of kernel.h: as many threads as fill the card, each taking
// every so many elements; of sums and teams, a block an element.
#include "core/engine/gpu/card.h"

enum { THREADS = 256, BLOCKS_MOST = 1 << 16, WARP = 32, WARPS = RG_LANES / WARP };

static unsigned blocks_of(long blocks)
{
    return (unsigned)(blocks < BLOCKS_MOST ? blocks : BLOCKS_MOST);
}

#define RG_LAUNCH(name) \
    __global__ void __launch_bounds__(THREADS) run_##name(rg_kernel_##name k) \
    { \
        const long first = (long)blockIdx.x * THREADS + threadIdx.x; \
        for (long i = first; i < k.count; i += (long)gridDim.x * THREADS) \
            rg_kernel_##name##_at(&k, i); \
    } \
    extern "C" int rg_device_##name(rg_device *device, const rg_kernel_##name *k) \
    { \
        const long blocks = (k->count + THREADS - 1) / THREADS; \
        if (blocks <= 0) return 0; \
        run_##name<<<blocks_of(blocks), THREADS, 0, device->stream>>>(*k); \
        return rg_card_cuda(cudaGetLastError(), "launch of " #name); \
    }

// The sum of all lanes' shares, for lane 0: halves are added, always the same.
static __device__ rg_pair add_up(rg_pair share)
{
    __shared__ rg_pair of_warp[WARPS];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    for (int half = WARP / 2; half > 0; half /= 2) {
        share.a += __shfl_down_sync(0xffffffffu, share.a, half);
        share.b += __shfl_down_sync(0xffffffffu, share.b, half);
    }
    if (lane == 0) of_warp[warp] = share;
    __syncthreads();
    for (int w = 1; w < WARPS && threadIdx.x == 0; w++) {
        share.a += of_warp[w].a;
        share.b += of_warp[w].b;
    }
    __syncthreads();                   // before it is written again
    return share;
}

#define RG_LAUNCH_SUM(name) \
    __global__ void __launch_bounds__(RG_LANES) run_##name(rg_kernel_##name k) \
    { \
        for (long i = blockIdx.x; i < k.count; i += gridDim.x) { \
            const rg_pair sum = \
                add_up(rg_kernel_##name##_lane(&k, i, (int)threadIdx.x)); \
            if (threadIdx.x == 0) rg_kernel_##name##_end(&k, i, sum); \
        } \
    } \
    RG_LAUNCH_BLOCKS(name)

#define RG_LAUNCH_TEAM(name) \
    __global__ void __launch_bounds__(RG_LANES) run_##name(rg_kernel_##name k) \
    { \
        for (long i = blockIdx.x; i < k.count; i += gridDim.x) \
            rg_kernel_##name##_team(&k, i, (int)threadIdx.x, RG_LANES); \
    } \
    RG_LAUNCH_BLOCKS(name)

#define RG_LAUNCH_BLOCKS(name) \
    extern "C" int rg_device_##name(rg_device *device, const rg_kernel_##name *k) \
    { \
        if (k->count <= 0) return 0; \
        run_##name<<<blocks_of(k->count), RG_LANES, 0, device->stream>>>(*k); \
        return rg_card_cuda(cudaGetLastError(), "launch of " #name); \
    }

RG_KERNEL_LIST(RG_LAUNCH)
RG_SUM_LIST(RG_LAUNCH_SUM)
RG_TEAM_LIST(RG_LAUNCH_TEAM)

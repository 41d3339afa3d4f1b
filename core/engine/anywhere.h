/* SPDX-License-Identifier: MIT */
/* anywhere: marks inline functions that run on the host and, where nvcc compiles them,
 * on a card.
 *
 *     RG_ANYWHERE float rg_thing_half(float x) { return x / 2; }
 */
#ifndef RG_ANYWHERE_H
#define RG_ANYWHERE_H

#ifdef __CUDACC__
#define RG_ANYWHERE static inline __host__ __device__
#else
#define RG_ANYWHERE static inline __attribute__((unused))
#endif

#endif

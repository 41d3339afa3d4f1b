/* SPDX-License-Identifier: MIT */
/* device: all that the GPU backend asks of a card: memory, copies, the kernels of
 * kernel.h, convolutions and matrix products.  Nothing above this file calls CUDA.
 *
 *     rg_device *device;
 *     RG_TRY(rg_device_open(&device));
 *     RG_TRY(rg_device_alloc(device, &x, bytes, "conv1_1"));
 *     RG_TRY(rg_device_upload(device, x, host, bytes));
 *     RG_TRY(rg_device_gate(device, &(rg_kernel_gate){ ... }));
 *     RG_TRY(rg_device_download(device, host, x, bytes));      // waits for all of it
 *
 * Work is queued in order; only download and wait wait for it, and report what went
 * wrong on the card meanwhile.  The card is written by device.c (CUDA runtime),
 * launch.cu, convolution.c (cuDNN) and product.c (cuBLASLt); the tests write it a
 * second time upon the host (tests/card.c), where all that is above it can be tested.
 */
#ifndef RG_DEVICE_H
#define RG_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/engine/gpu/kernel.h"
#include "core/engine/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rg_device rg_device;

/* The first card (CUDA_VISIBLE_DEVICES chooses another); why it cannot be used is a
 * sentence. */
int rg_device_open(rg_device **out);
void rg_device_close(rg_device *device);

/* Aligned to 256 bytes, filled with zeros.  Where the card's memory is exhausted, the
 * sentence says how much there was. */
int rg_device_alloc(rg_device *device, void **out, size_t bytes, const char *what);
void rg_device_free(void *memory);
int rg_device_upload(rg_device *device, void *to, const void *host, size_t bytes);
int rg_device_download(rg_device *device, void *host, const void *from, size_t bytes);
int rg_device_copy(rg_device *device, void *to, const void *from, size_t bytes);
int rg_device_clear(rg_device *device, void *memory, size_t bytes);
int rg_device_wait(rg_device *device);

/* A way in beside the work that is queued: page-locked memory of the host, as much on
 * the card, and a copy that overtakes.  Two of them taken in turns never wait long.
 *
 *     RG_TRY(rg_intake_host(way, &host));     // waits until what was sent has left
 *     memcpy(host, from, bytes);
 *     RG_TRY(rg_intake_send(device, way, bytes, &there));
 *     ... queue what reads `there` ...
 *     RG_TRY(rg_intake_used(device, way));    // the next send waits for that
 */
typedef struct rg_intake rg_intake;
int rg_intake_new(rg_intake **out, rg_device *device, size_t bytes);
void rg_intake_free(rg_intake *way);
int rg_intake_host(rg_intake *way, void **host);
int rg_intake_send(rg_device *device, rg_intake *way, size_t bytes, const void **there);
int rg_intake_used(rg_device *device, rg_intake *way);

/* What is queued between record and recorded is kept, not done (a CUDA graph); replay
 * queues all of it, with the same arguments.  recorded ends the recording even where it
 * fails.  Nothing may be allocated or copied to or from the host meanwhile. */
typedef struct rg_recording rg_recording;
int rg_device_record(rg_device *device);
int rg_device_recorded(rg_device *device, rg_recording **out);
int rg_device_replay(rg_device *device, const rg_recording *recording);
void rg_recording_free(rg_recording *recording);

/* How long the card takes for what is queued between start and read, which waits for it
 * [ms]. */
int rg_device_start_clock(rg_device *device);
int rg_device_read_clock(rg_device *device, float *ms);

/* The card's name and the libraries' versions, one line. */
enum { RG_DEVICE_IDENTITY = 384 };
void rg_device_identify(const rg_device *device, char text[RG_DEVICE_IDENTITY]);

/* Kernel NAME of kernel.h on k->count elements: rg_device_NAME(device, k). */
#define RG_DECLARE(name) \
    int rg_device_##name(rg_device *device, const rg_kernel_##name *k);
RG_KERNEL_LIST(RG_DECLARE)
RG_SUM_LIST(RG_DECLARE)
RG_TEAM_LIST(RG_DECLARE)
#undef RG_DECLARE

/* What is kept where this is multiplied. */
static inline rg_type rg_type_of(rg_precision precision)
{
    return precision == RG_PRECISION_BF16 ? RG_BF16
         : precision == RG_PRECISION_F16 ? RG_F16 : RG_F32;
}

/* One pass of a convolution, "same" padding, all tensors channels last: x of shape in,
 * w [out.c][size][size][in.c], y of shape out, bias [out.c]; all of one type, with sums
 * in f32. */
typedef enum {
    RG_PASS_FORWARD,           /* x, w (, bias) -> y */
    RG_PASS_DATA,              /* y's gradient, w -> x's */
    RG_PASS_WEIGHTS            /* x, y's gradient -> w's */
} rg_pass;

typedef struct rg_convolution_spec {
    rg_pass pass;
    rg_shape in, out;
    int size, stride;
    rg_precision precision;
    bool bias, relu;           /* fused into FORWARD; no ReLU without a bias */
} rg_convolution_spec;

typedef struct rg_convolution rg_convolution;

/* The library's ways to do it are numbered, the one it thinks best first, with gaps;
 * this is the first from number `from` on.  Fails with a sentence where there is none;
 * from a number above 0 on, where there is none of the same kind. */
int rg_convolution_new(rg_convolution **out, rg_device *device,
                       const rg_convolution_spec *spec, int from);
int rg_convolution_way(const rg_convolution *convolution);            /* its number */
void rg_convolution_free(rg_convolution *convolution);
size_t rg_convolution_workspace(const rg_convolution *convolution);   /* [bytes] */
int rg_convolution_run(rg_device *device, const rg_convolution *convolution, void *x,
                       void *w, const void *bias, void *y, void *workspace);

/* c [m][n] = a [m][k] times b [k][n], row by row in memory; `a_turned`: a is kept as
 * [k][m], `b_turned`: b as [n][k].  a and b of one type, c and the sums f32. */
typedef struct rg_product_spec {
    int m, n, k;
    bool a_turned, b_turned;
    rg_precision precision;
} rg_product_spec;

typedef struct rg_product rg_product;

/* As above. */
int rg_product_new(rg_product **out, rg_device *device, const rg_product_spec *spec,
                   int from);
int rg_product_way(const rg_product *product);
void rg_product_free(rg_product *product);
size_t rg_product_workspace(const rg_product *product);               /* [bytes] */
int rg_product_run(rg_device *device, const rg_product *product, const void *a,
                   const void *b, float *c, void *workspace);

#ifdef __cplusplus
}
#endif

#endif

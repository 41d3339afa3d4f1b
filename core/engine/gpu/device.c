/* SPDX-License-Identifier: MIT */
#include "core/engine/gpu/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/gpu/card.h"
#include "core/engine/gpu/trouble.h"

/* What it means; codes that a CUDA of 12 or 13 has. */
static rg_trouble trouble_of(cudaError_t code)
{
    switch (code) {
    case cudaErrorMemoryAllocation: return RG_TROUBLE_FULL;
    case cudaErrorDeviceAlreadyInUse:
    case cudaErrorMpsMaxClientsReached:
    case cudaErrorDevicesUnavailable: return RG_TROUBLE_BUSY;
    case cudaErrorLaunchTimeout: return RG_TROUBLE_SLOW;
    case cudaErrorInitializationError:
    case cudaErrorStubLibrary:
    case cudaErrorInsufficientDriver:
    case cudaErrorCallRequiresNewerDriver:
    case cudaErrorNoDevice:
    case cudaErrorInvalidKernelImage:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidPtx:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilationDisabled:
    case cudaErrorSystemNotReady:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice: return RG_TROUBLE_DRIVER;
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorHardwareStackError:
    case cudaErrorContextIsDestroyed:
    case cudaErrorUnknown: return RG_TROUBLE_GONE;
    case cudaErrorIllegalAddress:
    case cudaErrorIllegalInstruction:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorMisalignedAddress:
    case cudaErrorAssert:
    case cudaErrorLaunchFailure: return RG_TROUBLE_KERNEL;
    default: return RG_TROUBLE_OTHER;
    }
}

int rg_card_cuda(cudaError_t code, const char *call)
{
    if (code == cudaSuccess) return 0;
    cudaGetLastError();                /* or it would be reported again */
    return rg_trouble_say(trouble_of(code), call, cudaGetErrorString(code));
}

static rg_trouble trouble_of_cudnn(cudnnStatus_t code)
{
    switch (code) {
    case CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED:
    case CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED: return RG_TROUBLE_FULL;
    case CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH:
    case CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED:
    case CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER:
    case CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDART:
    case CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH: return RG_TROUBLE_DRIVER;
    default:
        return CUDNN_STATUS_CATEGORY(code) == CUDNN_STATUS_EXECUTION_FAILED
            ? RG_TROUBLE_KERNEL : RG_TROUBLE_OTHER;
    }
}

int rg_card_cudnn(cudnnStatus_t code, const char *call)
{
    char more[256] = "", says[512];
    if (code == CUDNN_STATUS_SUCCESS) return 0;
    cudnnGetLastErrorString(more, sizeof more);
    more[strcspn(more, "\n")] = '\0';
    snprintf(says, sizeof says, "cuDNN says %.200s%s%s", cudnnGetErrorString(code),
             more[0] ? ": " : "", more);
    return rg_trouble_say(trouble_of_cudnn(code), call, says);
}

int rg_card_blas(cublasStatus_t code, const char *call)
{
    char says[256];
    if (code == CUBLAS_STATUS_SUCCESS) return 0;
    snprintf(says, sizeof says, "cuBLASLt says %.200s", cublasLtGetStatusString(code));
    return rg_trouble_say(code == CUBLAS_STATUS_ALLOC_FAILED ? RG_TROUBLE_FULL
                          : code == CUBLAS_STATUS_EXECUTION_FAILED ? RG_TROUBLE_KERNEL
                          : code == CUBLAS_STATUS_ARCH_MISMATCH ? RG_TROUBLE_DRIVER
                          : RG_TROUBLE_OTHER, call, says);
}

static int describe_card(rg_device *device)
{
    int card;
    int32_t number;
    RG_TRY(RG_CUDA(cudaGetDevice(&card)));
    number = card;
    RG_TRY(RG_CUDNN(cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR,
                                                 &device->properties)));
    RG_TRY(RG_CUDNN(cudnnBackendSetAttribute(device->properties,
                                             CUDNN_ATTR_DEVICEPROP_DEVICE_ID,
                                             CUDNN_TYPE_INT32, 1, &number)));
    return RG_CUDNN(cudnnBackendFinalize(device->properties));
}

/* A convolution may ask for a sixteenth of the card, or, where others have most of it,
 * for a quarter of what they left. */
static int measure_memory(rg_device *device)
{
    size_t left, all;
    RG_TRY(RG_CUDA(cudaMemGetInfo(&left, &all)));
    device->workspace = all / 16 < left / 4 ? all / 16 : left / 4;
    return 0;
}

static int start(rg_device *device)
{
    RG_TRY(RG_CUDA(
        cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking)));
    RG_TRY(RG_CUDA(
        cudaStreamCreateWithFlags(&device->copies, cudaStreamNonBlocking)));
    RG_TRY(RG_CUDA(cudaEventCreate(&device->before)));
    RG_TRY(RG_CUDA(cudaEventCreate(&device->after)));
    RG_TRY(RG_CUDNN(cudnnCreate(&device->cudnn)));
    RG_TRY(RG_CUDNN(cudnnSetStream(device->cudnn, device->stream)));
    RG_TRY(describe_card(device));
    RG_TRY(measure_memory(device));
    return RG_BLAS(cublasLtCreate(&device->blas));
}

int rg_device_open(rg_device **out)
{
    rg_device *device = rg_error_alloc(1, sizeof *device, "the GPU backend");
    if (device == NULL) return -1;
    if (start(device) != 0) {
        rg_device_close(device);
        return -1;
    }
    *out = device;
    return 0;
}

void rg_device_close(rg_device *device)
{
    if (device == NULL) return;
    if (device->blas) cublasLtDestroy(device->blas);
    if (device->properties) cudnnBackendDestroyDescriptor(device->properties);
    if (device->cudnn) cudnnDestroy(device->cudnn);
    if (device->before) cudaEventDestroy(device->before);
    if (device->after) cudaEventDestroy(device->after);
    if (device->copies) cudaStreamDestroy(device->copies);
    if (device->stream) cudaStreamDestroy(device->stream);
    free(device);
}

static int no_memory(size_t bytes, const char *what)
{
    size_t left = 0, all = 0;
    cudaGetLastError();
    if (cudaMemGetInfo(&left, &all) != cudaSuccess) left = all = 0;
    return RG_FAIL("the card's memory is full: %s needs %.1f MB, %.1f of %.1f MB are "
                   "free, the rest may be other programs'; use a smaller batch or "
                   "--backend cpu", what,
                   (double)bytes / 1e6, (double)left / 1e6, (double)all / 1e6);
}

int rg_device_alloc(rg_device *device, void **out, size_t bytes, const char *what)
{
    *out = NULL;
    const cudaError_t code = cudaMalloc(out, bytes ? bytes : 1);
    if (code == cudaErrorMemoryAllocation) return no_memory(bytes, what);
    RG_TRY(rg_card_cuda(code, "cudaMalloc"));
    if (rg_device_clear(device, *out, bytes) == 0) return 0;
    cudaFree(*out);
    *out = NULL;
    return -1;
}

void rg_device_free(void *memory)
{
    if (memory) cudaFree(memory);      /* waits for the work that uses it */
}

int rg_device_upload(rg_device *device, void *to, const void *host, size_t bytes)
{
    return RG_CUDA(
        cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, device->stream));
}

int rg_device_download(rg_device *device, void *host, const void *from, size_t bytes)
{
    RG_TRY(RG_CUDA(
        cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, device->stream)));
    return rg_device_wait(device);
}

struct rg_intake {
    void *host, *card;
    cudaEvent_t sent, used;
};

int rg_intake_new(rg_intake **out, rg_device *device, size_t bytes)
{
    rg_intake *way = rg_error_alloc(1, sizeof *way, "the way to the card");
    if (way == NULL) return -1;
    int status = rg_device_alloc(device, &way->card, bytes, "what is sent to it");
    if (status == 0)
        status = RG_CUDA(cudaHostAlloc(&way->host, bytes, cudaHostAllocDefault));
    if (status == 0)
        status = RG_CUDA(cudaEventCreateWithFlags(&way->sent, cudaEventDisableTiming));
    if (status == 0)
        status = RG_CUDA(cudaEventCreateWithFlags(&way->used, cudaEventDisableTiming));
    if (status == 0) status = rg_intake_used(device, way);     /* zeros come first */
    if (status == 0) *out = way;
    else rg_intake_free(way);
    return status;
}

/* cudaFree waits for the copy into it. */
void rg_intake_free(rg_intake *way)
{
    if (way == NULL) return;
    rg_device_free(way->card);
    if (way->host) cudaFreeHost(way->host);
    if (way->sent) cudaEventDestroy(way->sent);
    if (way->used) cudaEventDestroy(way->used);
    free(way);
}

int rg_intake_host(rg_intake *way, void **host)
{
    *host = way->host;
    return RG_CUDA(cudaEventSynchronize(way->sent));
}

int rg_intake_send(rg_device *device, rg_intake *way, size_t bytes, const void **there)
{
    *there = way->card;
    RG_TRY(RG_CUDA(cudaStreamWaitEvent(device->copies, way->used, 0)));
    RG_TRY(RG_CUDA(cudaMemcpyAsync(way->card, way->host, bytes, cudaMemcpyHostToDevice,
                                   device->copies)));
    RG_TRY(RG_CUDA(cudaEventRecord(way->sent, device->copies)));
    return RG_CUDA(cudaStreamWaitEvent(device->stream, way->sent, 0));
}

int rg_intake_used(rg_device *device, rg_intake *way)
{
    return RG_CUDA(cudaEventRecord(way->used, device->stream));
}

int rg_device_copy(rg_device *device, void *to, const void *from, size_t bytes)
{
    return RG_CUDA(
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, device->stream));
}

int rg_device_clear(rg_device *device, void *memory, size_t bytes)
{
    return RG_CUDA(cudaMemsetAsync(memory, 0, bytes, device->stream));
}

int rg_device_start_clock(rg_device *device)
{
    return RG_CUDA(cudaEventRecord(device->before, device->stream));
}

int rg_device_read_clock(rg_device *device, float *ms)
{
    RG_TRY(RG_CUDA(cudaEventRecord(device->after, device->stream)));
    RG_TRY(RG_CUDA(cudaEventSynchronize(device->after)));
    return RG_CUDA(cudaEventElapsedTime(ms, device->before, device->after));
}

void rg_device_identify(const rg_device *device, char text[RG_DEVICE_IDENTITY])
{
    struct cudaDeviceProp card;
    int number, runtime = 0;
    (void)device;
    if (cudaGetDevice(&number) != cudaSuccess
        || cudaGetDeviceProperties(&card, number) != cudaSuccess)
        strcpy(card.name, "a card");
    cudaRuntimeGetVersion(&runtime);
    snprintf(text, RG_DEVICE_IDENTITY, "%.255s, CUDA %d, cuDNN %zu, cuBLASLt %zu",
             card.name, runtime, cudnnGetVersion(), cublasLtGetVersion());
}

struct rg_recording { cudaGraphExec_t graph; };

int rg_device_record(rg_device *device)
{
    return RG_CUDA(
        cudaStreamBeginCapture(device->stream, cudaStreamCaptureModeThreadLocal));
}

int rg_device_recorded(rg_device *device, rg_recording **out)
{
    cudaGraph_t drawn = NULL;
    rg_recording *r = rg_error_alloc(1, sizeof *r, "a CUDA graph");
    int status = RG_CUDA(cudaStreamEndCapture(device->stream, &drawn));
    if (r == NULL) status = -1;
    if (status == 0) status = RG_CUDA(cudaGraphInstantiate(&r->graph, drawn, 0));
    if (drawn) cudaGraphDestroy(drawn);
    if (status == 0) *out = r;
    else free(r);
    return status;
}

int rg_device_replay(rg_device *device, const rg_recording *recording)
{
    return RG_CUDA(cudaGraphLaunch(recording->graph, device->stream));
}

void rg_recording_free(rg_recording *recording)
{
    if (recording == NULL) return;
    cudaGraphExecDestroy(recording->graph);
    free(recording);
}

int rg_device_wait(rg_device *device)
{
    return RG_CUDA(cudaStreamSynchronize(device->stream));
}

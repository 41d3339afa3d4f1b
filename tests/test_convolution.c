/* SPDX-License-Identifier: MIT */
/* cuDNN has a plan for every convolution of the networks, forwards and backwards, in
 * f32 without TF32, in TF32, in bf16 and f16, compiled already: asked of cuDNN for a
 * card that need not be there.  What the plans compute is tested on a card, by
 * test_gpu. */
#include "core/detector/claran.h"
#include "core/engine/gpu/card.h"
#include "tests/check.h"

/* NVIDIA's libraries keep memory until the end and unload modules that point to it. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

/* How an H100 describes itself to cuDNN. */
static const char h100[] =
    "{\"maxGridSize\":[2147483647,65535,65535],\"maxBlockSize\":[1024,1024,64],"
    "\"regsPerBlock\":65536,\"multiProcessorCount\":132,\"smClockRateKHz\":1980000,"
    "\"memClockRateKHz\":2619000,\"l2CacheSize\":52428800,\"warpSize\":32,"
    "\"maxSharedMemoryPerBlock\":49152,\"maxSharedMemoryPerBlockOptin\":232448,"
    "\"reservedSharedMemoryPerBlock\":1024,\"maxRegistersPerSM\":65536,"
    "\"pciDeviceId\":0,\"maxCtasPerSM\":32,\"maxThreadsPerBlock\":1024,"
    "\"maxThreadsPerSM\":2048,\"isTccDriver\":0,\"supportCoopLaunch\":1,"
    "\"deviceVer\":900,\"driverVer\":13000,\"cudaDeviceId\":0,"
    "\"totalGlobalMem\":85000000000,\"deviceName\":\"NVIDIA H100 80GB HBM3\"}";

static int describe(rg_device *device)
{
    device->workspace = (size_t)5 << 30;
    RG_TRY(RG_CUDNN(cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR,
                                                 &device->properties)));
    RG_TRY(RG_CUDNN(cudnnBackendSetAttribute(
        device->properties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
        (int64_t)strlen(h100), h100)));
    return RG_CUDNN(cudnnBackendFinalize(device->properties));
}

static void plan_row(rg_device *device, const rg_row *row, rg_shape in, rg_shape out)
{
    static const rg_precision precisions[] = { RG_PRECISION_F32, RG_PRECISION_TF32,
                                               RG_PRECISION_BF16, RG_PRECISION_F16 };
    for (int kind = 0; kind < 12; kind++) {
        const bool relu = row->activation == RG_RELU;
        const rg_convolution_spec spec = {
            .pass = (rg_pass)(kind / 4), .in = in, .out = out, .size = row->size,
            .stride = row->stride ? row->stride : 1, 
            .precision = precisions[kind % 4], .bias = relu || !row->bare,
            .relu = relu };
        rg_convolution *convolution = NULL;
        CHECK_OK(rg_convolution_new(&convolution, device, &spec, 0));
        if (convolution)
            CHECK(rg_convolution_workspace(convolution) <= device->workspace);
        rg_convolution_free(convolution);
    }
}

static void plan_network(rg_device *device, rg_network network, int input, int batch)
{
    rg_claran model = rg_claran_paper;
    rg_row rows[RG_CLARAN_ROWS];
    const rg_claran_run run = { .batch = batch, .rois = 5 * batch };
    int convolutions = 0;
    model.network = network;
    model.input = input;
    const int n = rg_claran_rows(&model, &run, rows);
    for (int i = 0; i < n; i++) {
        rg_shape in, out;
        if (rows[i].word != RG_CONV) continue;
        CHECK_OK(rg_layer_shape(rows, n, rg_layer_find(rows, n, rows[i].in[0]), &in));
        CHECK_OK(rg_layer_shape(rows, n, i, &out));
        plan_row(device, &rows[i], in, out);
        convolutions++;
    }
    CHECK(convolutions > 13);
}

static void plans(rg_network network, int input, int batch)
{
    struct rg_device device = { 0 };
    CHECK_OK(describe(&device));
    if (device.properties) plan_network(&device, network, input, batch);
    cudnnBackendDestroyDescriptor(device.properties);
}

static void paper_at_600(void) { plans(RG_NETWORK_CLARAN, 600, 1); }
static void paper_at_264(void) { plans(RG_NETWORK_CLARAN, 264, 32); }
static void pyramid_at_264(void) { plans(RG_NETWORK_FPN, 264, 8); }

/* Numbers go up, and each is found again; none is of the slow kind. */
static void ways_are_numbered(void)
{
    struct rg_device device = { 0 };
    const rg_convolution_spec spec = { .in = { 1, 64, 66, 66 },
                                       .out = { 1, 64, 66, 66 },
                                       .size = 3, .stride = 1, .bias = true,
                                       .precision = RG_PRECISION_BF16 };
    int ways = 0;
    CHECK_OK(describe(&device));
    for (int from = 0; from < 64; ways++) {
        rg_convolution *first = NULL, *again = NULL;
        if (rg_convolution_new(&first, &device, &spec, from) != 0) break;
        const int way = rg_convolution_way(first);
        CHECK(way >= from && way < 64);
        CHECK_OK(rg_convolution_new(&again, &device, &spec, way));
        if (again) CHECK(rg_convolution_way(again) == way);
        rg_convolution_free(first);
        rg_convolution_free(again);
        from = way + 1;
    }
    CHECK(ways > 1);
    cudnnBackendDestroyDescriptor(device.properties);
}

/* Two programs on one card, a card that is taken out: what each code is told as. */
static void codes_are_told_with_their_cure(void)
{
    const char *const call = "cudaMalloc(&memory, bytes)";
    CHECK_OK(rg_card_cuda(cudaSuccess, call));
    CHECK_FAILS(rg_card_cuda(cudaErrorMemoryAllocation, call), "memory is full");
    CHECK(strstr(rg_error_message(), "failed in cudaMalloc: ") != NULL);
    CHECK_FAILS(rg_card_cuda(cudaErrorDevicesUnavailable, call), "card is busy");
    CHECK_FAILS(rg_card_cuda(cudaErrorUnknown, call), "removed or reset");
    CHECK_FAILS(rg_card_cuda(cudaErrorECCUncorrectable, call), "removed or reset");
    CHECK_FAILS(rg_card_cuda(cudaErrorIllegalAddress, call), "computation on the card");
    CHECK_FAILS(rg_card_cuda(cudaErrorLaunchTimeout, call), "display");
    CHECK_FAILS(rg_card_cuda(cudaErrorNoDevice, call), "use --backend cpu");
    CHECK_FAILS(rg_card_cuda(cudaErrorUnsupportedPtxVersion, call), "go together");
    CHECK_FAILS(rg_card_cuda(cudaErrorSystemNotReady, call), "see claran devices");
    CHECK_FAILS(rg_card_cuda(cudaErrorInvalidValue, call), "invalid argument: start");
    CHECK_FAILS(rg_card_cudnn(CUDNN_STATUS_ALLOC_FAILED, "cudnnCreate(&h)"), "is full");
    CHECK_FAILS(rg_card_cudnn(CUDNN_STATUS_BAD_PARAM, "cudnnCreate(&h)"),
                "the GPU failed in cudnnCreate: cuDNN says CUDNN_STATUS_BAD_PARAM");
    CHECK_FAILS(rg_card_cudnn(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, "f()"),
                "a computation on the card failed");
    CHECK_FAILS(rg_card_cudnn(CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED, "f()"),
                "are not all there");
    CHECK_FAILS(rg_card_blas(CUBLAS_STATUS_EXECUTION_FAILED, "f()"), "start again");
    CHECK_FAILS(rg_card_blas(CUBLAS_STATUS_ARCH_MISMATCH, "f()"), "do not go together");
}

static void a_convolution_that_cannot_be(void)
{
    struct rg_device device = { 0 };
    rg_convolution *convolution = NULL;
    const rg_convolution_spec spec = { .in = { 1, 3, 9, 9 }, .out = { 1, 4, 7, 7 },
                                       .size = 3, .stride = 1,
                                       .precision = RG_PRECISION_BF16 };
    CHECK_OK(describe(&device));
    CHECK_FAILS(rg_convolution_new(&convolution, &device, &spec, 0), "cuDNN");
    CHECK(convolution == NULL);
    cudnnBackendDestroyDescriptor(device.properties);
}

int main(void)
{
    CHECK_RUN(paper_at_600);
    CHECK_RUN(paper_at_264);
    CHECK_RUN(pyramid_at_264);
    CHECK_RUN(ways_are_numbered);
    CHECK_RUN(codes_are_told_with_their_cure);
    CHECK_RUN(a_convolution_that_cannot_be);
    return CHECK_END();
}

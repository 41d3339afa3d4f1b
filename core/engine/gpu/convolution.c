/* SPDX-License-Identifier: MIT */
/* Convolutions as cuDNN graphs: cudnnBackend*, which cuDNN 9 keeps, instead of
 * cudnnConvolutionForward and its kin, which its headers mark deprecated.  Of that
 * interface the two HANDLE attributes are deprecated, too: a device property descriptor
 * (cuDNN 9.8) stands in their place, so that plans can be made for a card that is not
 * there, as tests/test_gpu.c does. */
#include <cudnn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/gpu/card.h"

typedef cudnnBackendDescriptor_t descriptor;

/* Exact f32 is behind some 30 ways that round. */
enum { CONFIGS = 64, NOTES = CUDNN_NUMERICAL_NOTE_TYPE_COUNT };

/* Names of the tensors of a graph. */
enum {
    ID_X = 'x', ID_W = 'w', ID_Y = 'y', ID_BIAS = 'b', ID_SUM = 's', ID_LINEAR = 'l',
};

struct rg_convolution {
    rg_convolution_spec spec;
    descriptor plan;
    int way;                                   /* round and place among its engines */
    size_t workspace;                          /* [bytes] */
};

/* All descriptors of one graph, so that they can be destroyed together. */
typedef struct graph {
    descriptor of[CONFIGS + 1];
    int n;
    int64_t failed;          /* 1: a call failed, and its sentence is kept */
} graph;

static void destroy(graph *g)
{
    while (g->n > 0) cudnnBackendDestroyDescriptor(g->of[--g->n]);
}

static descriptor begin(graph *g, cudnnBackendDescriptorType_t type)
{
    descriptor d = NULL;
    if (g->failed) return NULL;
    g->failed = RG_CUDNN(cudnnBackendCreateDescriptor(type, &d)) != 0;
    if (!g->failed) g->of[g->n++] = d;
    return d;
}

static void set(graph *g, descriptor d, cudnnBackendAttributeName_t name,
                cudnnBackendAttributeType_t type, int64_t count, const void *value)
{
    if (g->failed) return;
    g->failed = RG_CUDNN(cudnnBackendSetAttribute(d, name, type, count, value)) != 0;
}

static void set_long(graph *g, descriptor d, cudnnBackendAttributeName_t name,
                     int64_t value)
{
    set(g, d, name, CUDNN_TYPE_INT64, 1, &value);
}

static void set_descriptor(graph *g, descriptor d, cudnnBackendAttributeName_t name,
                           descriptor value)
{
    set(g, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

static descriptor end(graph *g, descriptor d)
{
    if (!g->failed) g->failed = RG_CUDNN(cudnnBackendFinalize(d)) != 0;
    return d;
}

static descriptor tensor(graph *g, int64_t id, rg_shape s, rg_type of, bool kept)
{
    descriptor d = begin(g, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    static const cudnnDataType_t types[] = { [RG_F32] = CUDNN_DATA_FLOAT,
                                             [RG_BF16] = CUDNN_DATA_BFLOAT16,
                                             [RG_F16] = CUDNN_DATA_HALF };
    const int64_t dims[4] = { s.n, s.c, s.h, s.w };
    const int64_t strides[4] = { (int64_t)s.h * s.w * s.c, 1, (int64_t)s.w * s.c, s.c };
    const bool is_virtual = !kept;
    set(g, d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &types[of]);
    set(g, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims);
    set(g, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
    set_long(g, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
    set_long(g, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 16);
    set(g, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    return end(g, d);
}

static descriptor geometry(graph *g, const rg_convolution_spec *spec)
{
    descriptor d = begin(g, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const cudnnDataType_t sums = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const int64_t one[2] = { 1, 1 }, stride[2] = { spec->stride, spec->stride };
    const int64_t padding[2] = { spec->size / 2, spec->size / 2 };
    set(g, d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums);
    set(g, d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set_long(g, d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
    set(g, d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, one);
    set(g, d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride);
    set(g, d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, padding);
    set(g, d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, padding);
    return end(g, d);
}

/* The attributes of the three passes differ in name only. */
static const struct pass {
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t conv, x, w, y, alpha, beta;
} passes[] = {
#define PASS(name, kind, x, w, y) \
    { CUDNN_BACKEND_OPERATION_CONVOLUTION_##name##_DESCRIPTOR, \
      CUDNN_ATTR_OPERATION_CONVOLUTION_##kind##_CONV_DESC, \
      CUDNN_ATTR_OPERATION_CONVOLUTION_##kind##_##x, \
      CUDNN_ATTR_OPERATION_CONVOLUTION_##kind##_##w, \
      CUDNN_ATTR_OPERATION_CONVOLUTION_##kind##_##y, \
      CUDNN_ATTR_OPERATION_CONVOLUTION_##kind##_ALPHA, \
      CUDNN_ATTR_OPERATION_CONVOLUTION_##kind##_BETA }
    [RG_PASS_FORWARD] = PASS(FORWARD, FORWARD, X, W, Y),
    [RG_PASS_DATA] = PASS(BACKWARD_DATA, BWD_DATA, DX, W, DY),
    [RG_PASS_WEIGHTS] = PASS(BACKWARD_FILTER, BWD_FILTER, X, DW, DY),
#undef PASS
};

static descriptor convolve(graph *g, const rg_convolution_spec *spec, descriptor x,
                           descriptor w, descriptor y)
{
    const struct pass *pass = &passes[spec->pass];
    const float alpha = 1, beta = 0;
    descriptor shape = geometry(g, spec), d = begin(g, pass->type);
    set_descriptor(g, d, pass->conv, shape);
    set_descriptor(g, d, pass->x, x);
    set_descriptor(g, d, pass->w, w);
    set_descriptor(g, d, pass->y, y);
    set(g, d, pass->alpha, CUDNN_TYPE_FLOAT, 1, &alpha);
    set(g, d, pass->beta, CUDNN_TYPE_FLOAT, 1, &beta);
    return end(g, d);
}

/* y = x + b, or max(x, 0) where b is NULL. */
static descriptor pointwise(graph *g, descriptor x, descriptor b, descriptor y)
{
    const cudnnPointwiseMode_t mode =
        b ? CUDNN_POINTWISE_ADD : CUDNN_POINTWISE_RELU_FWD;
    const cudnnDataType_t sums = CUDNN_DATA_FLOAT;
    descriptor how = begin(g, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    set(g, how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(g, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &sums);
    end(g, how);
    descriptor d = begin(g, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set_descriptor(g, d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    set_descriptor(g, d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (b) set_descriptor(g, d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
    set_descriptor(g, d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    return end(g, d);
}

/* The operations of a pass; returns how many.  The bias is of the type of what is made:
 * only so has cuDNN engines for it that are compiled already. */
static int operations(graph *g, const rg_convolution_spec *s, descriptor ops[3])
{
    const bool fused = s->pass == RG_PASS_FORWARD && s->bias, relu = fused && s->relu;
    const rg_type type = rg_type_of(s->precision);
    const rg_shape weights = { s->out.c, s->in.c, s->size, s->size };
    const rg_shape bias = { 1, s->out.c, 1, 1 };
    descriptor x = tensor(g, ID_X, s->in, type, true);
    descriptor w = tensor(g, ID_W, weights, type, true);
    descriptor y = tensor(g, ID_Y, s->out, type, true);
    descriptor sum = fused ? tensor(g, ID_SUM, s->out, RG_F32, false) : y;
    descriptor linear = relu ? tensor(g, ID_LINEAR, s->out, RG_F32, false) : y;
    int n = 0;
    ops[n++] = convolve(g, s, x, w, sum);
    if (fused)
        ops[n++] = pointwise(g, sum, tensor(g, ID_BIAS, bias, type, true), linear);
    if (relu) ops[n++] = pointwise(g, linear, NULL, y);
    return n;
}

/* What an engine notes about itself; false where a note is one of `unwanted`. */
static bool is_free_of(descriptor engine, cudnnBackendAttributeName_t name,
                       cudnnBackendAttributeType_t type, unsigned unwanted)
{
    int notes[NOTES];
    int64_t n = 0;                             /* all that there are */
    if (cudnnBackendGetAttribute(engine, name, type, NOTES, &n, notes)
        != CUDNN_STATUS_SUCCESS || n > NOTES) return false;
    for (int64_t i = 0; i < n; i++)
        if (unwanted >> notes[i] & 1) return false;
    return true;
}

/* `exact`, f32 is f32: no engine that rounds what it multiplies (TF32).  Never one that
 * adds in fewer bits, and none whose sums change from run to run.  `ready`: nor one
 * that is compiled as the program runs, which takes a second each. */
static bool is_wanted(descriptor config, bool exact, bool ready)
{
    const unsigned never = 1u << CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC
                           | 1u << CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION
                           | 1u << CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
    const unsigned tf32 = 1u << CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
    const unsigned late = 1u << CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION;
    descriptor engine = NULL;
    int64_t n = 0;
    bool wanted =
        cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine)
            == CUDNN_STATUS_SUCCESS
        && cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine)
               == CUDNN_STATUS_SUCCESS
        && is_free_of(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                      CUDNN_TYPE_NUMERICAL_NOTE, exact ? never | tf32 : never)
        && is_free_of(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                      CUDNN_TYPE_BEHAVIOR_NOTE, ready ? late : 0);
    if (engine) cudnnBackendDestroyDescriptor(engine);
    return wanted;
}

/* The plan of one engine configuration, NULL where it does not serve. */
static descriptor plan_of(descriptor config, const rg_device *device,
                          size_t *workspace)
{
    graph g = { .n = 0 };
    int64_t n, bytes = 0;
    descriptor d = begin(&g, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    set_descriptor(&g, d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    set_descriptor(&g, d, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device->properties);
    end(&g, d);
    if (!g.failed)
        g.failed = RG_CUDNN(cudnnBackendGetAttribute(
                       d, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                       &n, &bytes)) != 0;
    *workspace = (size_t)bytes;
    if (!g.failed && *workspace <= device->workspace) return d;
    destroy(&g);
    return NULL;
}

/* The engines cuDNN thinks fit for the graph, best first; they belong to g.  Returns
 * how many. */
static int64_t ask(graph *g, descriptor ops, descriptor card,
                   cudnnBackendHeurMode_t mode, descriptor configs[CONFIGS])
{
    int64_t n = 0;
    descriptor d = begin(g, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    set_descriptor(g, d, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, ops);
    set(g, d, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    set_descriptor(g, d, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, card);
    end(g, d);
    for (int i = 0; i < CONFIGS; i++)
        configs[i] = begin(g, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    if (g->failed
        || cudnnBackendGetAttribute(d, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, CONFIGS, &n, configs)
               != CUDNN_STATUS_SUCCESS) return 0;
    return n < CONFIGS ? n : CONFIGS;
}

static bool is_exact(const rg_convolution_spec *s)
{
    return s->precision == RG_PRECISION_F32;
}

/* The plan of the first engine from c->way on that is wanted and can be had. */
static void choose(rg_convolution *c, descriptor ops, const rg_device *device)
{
    static const struct { cudnnBackendHeurMode_t mode; bool ready; } rounds[] = {
        { CUDNN_HEUR_MODE_A, true }, { CUDNN_HEUR_MODE_A, false },
        { CUDNN_HEUR_MODE_FALLBACK, false },
    };
    descriptor configs[CONFIGS];
    const int first = c->way;
    for (int r = first / CONFIGS; r < (first ? first / CONFIGS + 1 : 3); r++) {
        graph g = { .n = 0 };
        int64_t n = ask(&g, ops, device->properties, rounds[r].mode, configs);
        for (int64_t i = r == first / CONFIGS ? first % CONFIGS : 0; i < n && !c->plan;
             i++) {
            c->way = r * CONFIGS + (int)i;
            if (is_wanted(configs[i], is_exact(&c->spec), rounds[r].ready))
                c->plan = plan_of(configs[i], device, &c->workspace);
        }
        destroy(&g);
        if (c->plan) return;
    }
}

static int no_engine(const rg_convolution_spec *s)
{
    static const char *const names[] = { "forward", "backward-data",
                                         "backward-weights" };
    return RG_FAIL("cuDNN %zu has no exact %s convolution of [%d, %d, %d, %d] by %d x "
                   "%d to %d channels at stride %d in %s for this card",
                   cudnnGetVersion(), names[s->pass], s->in.n, s->in.c, s->in.h,
                   s->in.w, s->size, s->size, s->out.c, s->stride,
                   rg_backend_precision_name(s->precision));
}

/* The graph of its operations; its last descriptor is the whole. */
static int draw(graph *g, const rg_convolution_spec *spec)
{
    descriptor ops[3], d;
    const int n = operations(g, spec, ops);
    d = begin(g, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(g, d, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, ops);
    end(g, d);
    return g->failed ? -1 : 0;
}

int rg_convolution_new(rg_convolution **out, rg_device *device,
                       const rg_convolution_spec *spec, int from)
{
    graph g = { .n = 0 };
    rg_convolution *c = NULL;
    if (from >= 3 * CONFIGS) return no_engine(spec);
    int status = draw(&g, spec);
    if (status == 0) c = rg_error_alloc(1, sizeof *c, "a convolution");
    if (c) {
        *c = (rg_convolution){ .spec = *spec, .way = from };
        choose(c, g.of[g.n - 1], device);
        if (c->plan == NULL) status = no_engine(spec);
    }
    destroy(&g);
    if (c && status == 0) {
        *out = c;
        return 0;
    }
    free(c);
    return -1;
}

void rg_convolution_free(rg_convolution *c)
{
    if (c == NULL) return;
    cudnnBackendDestroyDescriptor(c->plan);
    free(c);
}

int rg_convolution_way(const rg_convolution *c)
{
    return c->way;
}

size_t rg_convolution_workspace(const rg_convolution *c)
{
    return c->workspace;
}

int rg_convolution_run(rg_device *device, const rg_convolution *c, void *x, void *w,
                       const void *bias, void *y, void *workspace)
{
    const int64_t ids[4] = { ID_X, ID_W, ID_Y, ID_BIAS };
    const void *pointers[4] = { x, w, y, bias };
    const int64_t n = c->spec.pass == RG_PASS_FORWARD && c->spec.bias ? 4 : 3;
    graph g = { .n = 0 };
    descriptor d = begin(&g, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    set(&g, d, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, ids);
    set(&g, d, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, pointers);
    set(&g, d, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    end(&g, d);
    if (!g.failed)
        g.failed = RG_CUDNN(cudnnBackendExecute(device->cudnn, c->plan, d)) != 0;
    destroy(&g);
    return g.failed ? -1 : 0;
}

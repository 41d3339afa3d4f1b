/* SPDX-License-Identifier: MIT */
/* A card that is the host: core/engine/gpu/device.h by plain loops, so that the whole
 * GPU backend but CUDA's own libraries is tested where there is no GPU.  Kernels run
 * from their last element to the first, as a card may; new scratch memory is NaN.  What
 * a test may set and read is in card.h. */
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/gpu/gpu.h"
#include "core/engine/gpu/trouble.h"
#include "tests/card.h"

bool rg_gpu_describe(int line, char text[RG_BACKEND_TEXT])
{
    strcpy(text, card_name);
    return line == 0;
}

/* A call that was recorded: what it does, with a copy of its arguments. */
typedef struct call {
    int (*run)(const void *arguments);
    _Alignas(16) unsigned char arguments[512];
} call;

struct rg_recording { call *calls; int n; };

struct rg_device { rg_recording *recording; };    /* that is made, or NULL */

long card_replays;

enum { HEAD = 64 };                  /* bytes before each piece: its size */
size_t card_room = (size_t)1 << 40;
int card_ways = 1, card_first, card_way = -1;
float card_cost[4];
long card_timed;
int card_refuses, card_trouble_in = -1;
rg_trouble card_trouble;
const char *card_name = "a card that is the host";

static float clock_at, clock_started;   /* [ms] */

/* Every call asks whether it is to fail; once one did, all do. */
static int trouble(const char *call)
{
    if (card_trouble_in < 0) return 0;
    if (card_trouble_in > 0) {
        card_trouble_in--;
        return 0;
    }
    return rg_trouble_say(card_trouble, call, "as the test wishes");
}

/* ... or is one that may not be made while a recording is. */
static int waits(const rg_device *device, const char *call)
{
    if (device->recording) return RG_FAIL("%s while a recording is made", call);
    return trouble(call);
}

int rg_device_open(rg_device **out)
{
    RG_TRY(trouble("rg_device_open"));
    *out = rg_error_alloc(1, sizeof **out, "a card");
    return *out ? 0 : -1;
}

void rg_device_close(rg_device *device)
{
    free(device);
}

int rg_device_alloc(rg_device *device, void **out, size_t bytes, const char *what)
{
    *out = NULL;
    RG_TRY(waits(device, "rg_device_alloc"));
    if (bytes > card_room)
        return RG_FAIL("the card's memory is full: %s needs more; use a smaller batch "
                       "or --backend cpu", what);
    char *memory = rg_error_alloc(1, HEAD + bytes, what);
    if (memory == NULL) return -1;
    memcpy(memory, &bytes, sizeof bytes);
    card_room -= bytes;
    *out = memory + HEAD;
    if (strcmp(what, "scratch memory") == 0) memset(*out, 0xff, bytes);
    return 0;
}

void rg_device_free(void *memory)
{
    size_t bytes;
    if (memory == NULL) return;
    memcpy(&bytes, (char *)memory - HEAD, sizeof bytes);
    card_room += bytes;
    free((char *)memory - HEAD);
}

int rg_device_copy(rg_device *device, void *to, const void *from, size_t bytes)
{
    RG_TRY(waits(device, "rg_device_copy"));
    memcpy(to, from, bytes);
    return 0;
}

int rg_device_upload(rg_device *device, void *to, const void *host, size_t bytes)
{
    return rg_device_copy(device, to, host, bytes);
}

int rg_device_download(rg_device *device, void *host, const void *from, size_t bytes)
{
    return rg_device_copy(device, host, from, bytes);
}

int rg_device_clear(rg_device *device, void *memory, size_t bytes)
{
    RG_TRY(waits(device, "rg_device_clear"));
    memset(memory, 0, bytes);
    return 0;
}

int rg_device_wait(rg_device *device)
{
    return waits(device, "rg_device_wait");
}

/* What was sent may not be sent again before it is said to be used. */
struct rg_intake {
    char *host;
    void *card;
    size_t bytes;
    bool read;                         /* sent, and not said to be used */
};

int rg_intake_new(rg_intake **out, rg_device *device, size_t bytes)
{
    rg_intake *way = rg_error_alloc(1, sizeof *way, "an intake");
    if (way == NULL) return -1;
    way->bytes = bytes;
    way->host = rg_error_alloc(1, bytes, "an intake");
    if (way->host == NULL || rg_device_alloc(device, &way->card, bytes, "it") != 0) {
        rg_intake_free(way);
        return -1;
    }
    *out = way;
    return 0;
}

void rg_intake_free(rg_intake *way)
{
    if (way == NULL) return;
    rg_device_free(way->card);
    free(way->host);
    free(way);
}

int rg_intake_host(rg_intake *way, void **host)
{
    *host = way->host;
    return trouble("rg_intake_host");
}

int rg_intake_send(rg_device *device, rg_intake *way, size_t bytes, const void **there)
{
    RG_TRY(waits(device, "rg_intake_send"));
    if (way->read || bytes > way->bytes)
        return RG_FAIL("what was sent before is still read");
    way->read = true;
    memset(way->card, 0xff, way->bytes);
    memcpy(way->card, way->host, bytes);
    *there = way->card;
    return 0;
}

int rg_intake_used(rg_device *device, rg_intake *way)
{
    way->read = false;
    return waits(device, "rg_intake_used");
}

int rg_device_start_clock(rg_device *device)
{
    (void)device;
    clock_started = clock_at;
    return 0;
}

int rg_device_read_clock(rg_device *device, float *ms)
{
    (void)device;
    card_timed++;
    *ms = clock_at - clock_started;
    return 0;
}

void rg_device_identify(const rg_device *device, char text[RG_DEVICE_IDENTITY])
{
    (void)device;
    strcpy(text, card_name);
}

static int no_way(void)
{
    return RG_FAIL("there is no other way");
}

/* Runs it now, or keeps it for a replay. */
static int queue(rg_device *device, int (*run)(const void *), const void *arguments,
                 size_t bytes)
{
    rg_recording *r = device->recording;
    RG_TRY(trouble("a launch"));
    if (r == NULL) return run(arguments);
    if (bytes > sizeof r->calls->arguments) return RG_FAIL("too many arguments");
    call *calls = realloc(r->calls, (size_t)(r->n + 1) * sizeof *calls);
    if (calls == NULL) return RG_FAIL("out of memory");
    r->calls = calls;
    r->calls[r->n].run = run;
    memcpy(r->calls[r->n++].arguments, arguments, bytes);
    return 0;
}

int rg_device_record(rg_device *device)
{
    RG_TRY(trouble("rg_device_record"));
    device->recording = rg_error_alloc(1, sizeof *device->recording, "a recording");
    return device->recording ? 0 : -1;
}

/* One that is refused was not done, nor is it kept. */
int rg_device_recorded(rg_device *device, rg_recording **out)
{
    rg_recording *made = device->recording;
    device->recording = NULL;
    if (card_refuses > 0 || trouble("rg_device_recorded") != 0) {
        if (card_refuses > 0) card_refuses--;
        rg_recording_free(made);
        return RG_FAIL("what was recorded cannot be kept");
    }
    *out = made;
    return 0;
}

int rg_device_replay(rg_device *device, const rg_recording *recording)
{
    RG_TRY(waits(device, "rg_device_replay"));
    card_replays++;
    for (int i = 0; i < recording->n; i++)
        RG_TRY(recording->calls[i].run(recording->calls[i].arguments));
    return 0;
}

void rg_recording_free(rg_recording *recording)
{
    if (recording) free(recording->calls);
    free(recording);
}

#define LOOP(name) \
    static int loop_##name(const void *arguments) \
    { \
        const rg_kernel_##name *k = arguments; \
        for (long i = k->count - 1; i >= 0; i--) rg_kernel_##name##_at(k, i); \
        return 0; \
    } \
    int rg_device_##name(rg_device *device, const rg_kernel_##name *k) \
    { \
        return queue(device, loop_##name, k, sizeof *k); \
    }
RG_KERNEL_LIST(LOOP)

#define LOOP_SUM(name) \
    static void rg_kernel_##name##_at(const rg_kernel_##name *k, long i) \
    { \
        rg_pair sum = { 0, 0 }; \
        for (int lane = 0; lane < RG_LANES; lane++) { \
            const rg_pair share = rg_kernel_##name##_lane(k, i, lane); \
            sum.a += share.a; \
            sum.b += share.b; \
        } \
        rg_kernel_##name##_end(k, i, sum); \
    } \
    LOOP(name)
RG_SUM_LIST(LOOP_SUM)

#define LOOP_TEAM(name) \
    static void rg_kernel_##name##_at(const rg_kernel_##name *k, long i) \
    { \
        rg_kernel_##name##_team(k, i, 0, 1); \
    } \
    LOOP(name)
RG_TEAM_LIST(LOOP_TEAM)

/* ---- convolutions ---- */

struct rg_convolution { rg_convolution_spec spec; int way; };

int rg_convolution_new(rg_convolution **out, rg_device *device,
                       const rg_convolution_spec *spec, int from)
{
    (void)device;
    if (from < card_first) from = card_first;
    if (from >= card_ways) return no_way();
    if (spec->relu && !spec->bias) return RG_FAIL("cuDNN has no ReLU without a bias");
    *out = rg_error_alloc(1, sizeof **out, "a convolution");
    if (*out) **out = (rg_convolution){ *spec, from };
    return *out ? 0 : -1;
}

int rg_convolution_way(const rg_convolution *convolution)
{
    return convolution->way;
}

void rg_convolution_free(rg_convolution *convolution)
{
    free(convolution);
}

size_t rg_convolution_workspace(const rg_convolution *convolution)
{
    (void)convolution;
    return 0;
}

/* What is multiplied of it: in TF32, ten bits behind the point. */
static double factor_at(const rg_view *v, long i, rg_precision precision)
{
    float value = rg_view_get(v, i);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0xfff + (bits >> 13 & 1)) & ~(uint32_t)0x1fff;
    if (precision == RG_PRECISION_TF32) memcpy(&value, &bits, sizeof bits);
    return value;
}

/* Calls `meet` for every product of a convolution: elements of x, w and y. */
typedef struct triple {
    const rg_convolution_spec *spec;
    rg_view x, w, y;
    double *sum;                       /* of the one that is made */
} triple;

static void meet(const triple *t, long x, long w, long y)
{
    const rg_precision p = t->spec->precision;
    if (t->spec->pass == RG_PASS_FORWARD)
        t->sum[y] += factor_at(&t->x, x, p) * factor_at(&t->w, w, p);
    if (t->spec->pass == RG_PASS_DATA)
        t->sum[x] += factor_at(&t->y, y, p) * factor_at(&t->w, w, p);
    if (t->spec->pass == RG_PASS_WEIGHTS)
        t->sum[w] += factor_at(&t->x, x, p) * factor_at(&t->y, y, p);
}

static void all_pairs(const triple *t)
{
    const rg_convolution_spec *s = t->spec;
    for (long y = 0; y < rg_layer_count(s->out); y++) {
        const rg_place p = rg_place_of(s->out, y);
        for (long w = 0; w < (long)s->size * s->size * s->in.c; w++) {
            rg_place k = rg_place_of((rg_shape){ 1, s->in.c, s->size, s->size }, w);
            const int row = p.h * s->stride + k.h - s->size / 2;
            const int column = p.w * s->stride + k.w - s->size / 2;
            if (row < 0 || row >= s->in.h || column < 0 || column >= s->in.w) continue;
            meet(t, rg_place_at(s->in, p.n, k.c, row, column),
                 (long)p.c * s->size * s->size * s->in.c + w, y);
        }
    }
}

typedef struct convolving {
    const rg_convolution_spec *spec;
    void *x, *w, *y;
    const void *bias;
} convolving;

static int convolve(const void *arguments)
{
    const convolving *a = arguments;
    const rg_convolution_spec *s = a->spec;
    const rg_type type = rg_type_of(s->precision);
    const rg_shape weights = { s->out.c, s->in.c, s->size, s->size };
    triple t = { s, { a->x, s->in, type }, { a->w, weights, type },
                 { a->y, s->out, type }, NULL };
    const rg_view b = { (void *)(size_t)a->bias, { 1, s->out.c, 1, 1 }, type };
    const rg_view *made = s->pass == RG_PASS_FORWARD ? &t.y
                        : s->pass == RG_PASS_DATA ? &t.x : &t.w;
    const long count = rg_layer_count(made->shape);
    t.sum = rg_error_alloc((unsigned long)count, sizeof *t.sum, "sums");
    if (t.sum == NULL) return -1;
    all_pairs(&t);
    for (long i = 0; i < count; i++) {
        double sum = t.sum[i];
        if (s->bias && s->pass == RG_PASS_FORWARD)
            sum += rg_view_get(&b, i % s->out.c);
        rg_view_set(made, i, s->relu && s->pass == RG_PASS_FORWARD && !(sum > 0)
                                 ? 0 : (float)sum);
    }
    free(t.sum);
    return 0;
}

int rg_convolution_run(rg_device *device, const rg_convolution *c, void *x, void *w,
                       const void *bias, void *y, void *workspace)
{
    (void)workspace;
    const convolving arguments = { &c->spec, x, w, y, bias };
    card_way = c->way;
    clock_at += card_cost[c->way];
    return queue(device, convolve, &arguments, sizeof arguments);
}

/* ---- matrix products ---- */

struct rg_product { rg_product_spec spec; int way; };

int rg_product_new(rg_product **out, rg_device *device, const rg_product_spec *spec,
                   int from)
{
    (void)device;
    if (from < card_first) from = card_first;
    if (from >= card_ways) return no_way();
    *out = rg_error_alloc(1, sizeof **out, "a product");
    if (*out) **out = (rg_product){ *spec, from };
    return *out ? 0 : -1;
}

int rg_product_way(const rg_product *product)
{
    return product->way;
}

void rg_product_free(rg_product *product)
{
    free(product);
}

size_t rg_product_workspace(const rg_product *product)
{
    (void)product;
    return 0;
}

typedef struct multiplying {
    const rg_product_spec *spec;
    const void *a, *b;
    float *c;
} multiplying;

static int multiply(const void *arguments)
{
    const multiplying *t = arguments;
    const rg_product_spec *s = t->spec;
    const rg_type type = rg_type_of(s->precision);
    const rg_view va = { (void *)(size_t)t->a, { 0 }, type };
    const rg_view vb = { (void *)(size_t)t->b, { 0 }, type };
    for (long i = 0; i < s->m; i++)
        for (long j = 0; j < s->n; j++) {
            double sum = 0;
            for (long k = 0; k < s->k; k++)
                sum += factor_at(&va, s->a_turned ? k * s->m + i : i * s->k + k,
                                 s->precision)
                       * factor_at(&vb, s->b_turned ? j * s->k + k : k * s->n + j,
                                   s->precision);
            t->c[i * s->n + j] = (float)sum;
        }
    return 0;
}

int rg_product_run(rg_device *device, const rg_product *p, const void *a, const void *b,
                   float *c, void *workspace)
{
    (void)workspace;
    const multiplying arguments = { &p->spec, a, b, c };
    card_way = p->way;
    clock_at += card_cost[p->way];
    return queue(device, multiply, &arguments, sizeof arguments);
}

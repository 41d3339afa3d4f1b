/* SPDX-License-Identifier: MIT */
/* bench_gpu: what a card makes of the networks: a subject by itself and in batches,
 * from pixels to boxes on the host, and a training step; beside the largest product it
 * does, and beside PyTorch (bench_torch.py), which has its turn between two of ours.
 * "bench_gpu bf16 tf32": in these precisions only.  Skips where no card can be used.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/detector/runner.h"
#include "core/engine/error.h"
#include "core/engine/net.h"
#include "core/engine/random.h"

enum { RUNS = 31, PRODUCT = 8192, TRAINED_ROIS = 128 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median of RUNS calls, after three that warm up; negative: one failed. */
static double time_of(int (*call)(void *user), void *user)
{
    double ms[RUNS];
    for (int i = -3; i < RUNS; i++) {
        const double start = now_ms();
        if (call(user) != 0) return -1;
        if (i >= 0) ms[i] = now_ms() - start;
    }
    qsort(ms, RUNS, sizeof *ms, by_value);
    return ms[RUNS / 2];
}

/* ---- PyTorch: a process that is asked a line for every task ---- */

/* What bench_torch.py needs to know. */
typedef struct task {
    const char *kind;              /* subject or train */
    const rg_claran *model;
    int batch, rois;
    rg_precision precision;
} task;

static FILE *to_torch, *from_torch;

static void start_torch(void)
{
    char folder[] = "/tmp/bench_gpu.XXXXXX", pipe[64], command[4096];
    if (mkdtemp(folder) == NULL) return;
    snprintf(pipe, sizeof pipe, "%s/torch", folder);
    snprintf(command, sizeof command, "exec python3 '%s/tests/bench_torch.py' > %s "
             "2> /dev/null", RG_SOURCE_DIR, pipe);
    signal(SIGPIPE, SIG_IGN);
    if (mkfifo(pipe, 0600) == 0) to_torch = popen(command, "w");
    if (to_torch) from_torch = fopen(pipe, "r");
    unlink(pipe);
    rmdir(folder);
}

/* Median of the same in PyTorch [ms]; negative: not to be had, which is told once. */
static double time_of_torch(const task *t)
{
    static bool told;
    char line[512] = "none: python3 does not run";
    double ms;
    if (to_torch && from_torch) {
        fprintf(to_torch, "%s %d %d %d %d %d %s\n", t->kind, t->model->input,
                t->model->width, t->model->fc, t->batch, t->rois,
                rg_backend_precision_name(t->precision));
        fflush(to_torch);
        if (fgets(line, sizeof line, from_torch) == NULL) clearerr(from_torch);
    }
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%lf", &ms) == 1 && ms > 0) return ms;
    if (!told) printf("  no PyTorch beside it: %s\n", line);
    told = true;
    return -1;
}

/* Ours, PyTorch's, ours again: the mean of ours; `beside`: what PyTorch took. */
static double time_beside(int (*call)(void *user), void *user, const task *t,
                          char beside[80])
{
    const double first = time_of(call, user);
    const double torch = first > 0 ? time_of_torch(t) : -1;
    const double again = torch > 0 ? time_of(call, user) : first;
    beside[0] = '\0';
    if (!(first > 0) || !(again > 0)) return -1;
    if (torch > 0)
        snprintf(beside, 80, "; PyTorch %.2f ms, %.2f times ours", torch,
                 2 * torch / (first + again));
    return (first + again) / 2;
}

/* Multiplications and additions of one pass through all rows [GFLOP]. */
static double work_of(const rg_row *rows, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        rg_shape made;
        if (rows[i].word != RG_CONV && rows[i].word != RG_FC) continue;
        if (rg_layer_shape(rows, n, i, &made) != 0) return 0;
        const double taps = rows[i].word == RG_CONV ? rows[i].size * rows[i].size : 1;
        sum += 2 * taps * rows[i].inputs * (double)rg_layer_count(made);
    }
    return sum / 1e9;
}

/* What inputs may hold: RoIs upon half the image, labels of all kinds. */
static float value_of(const rg_row *row, long k, uint64_t *state)
{
    const float u = (float)rg_random_uniform(state);
    if (strcmp(row->name, "picks") == 0) {
        const float box[7] = { 0, 200 * u, 200 * u, 300 + 200 * u, 300 + 200 * u,
                               (float)(int)(1000 * u), 37 * 37 };
        return box[k % 7];
    }
    if (strstr(row->name, "labels")) return (float)(int)(3 * u) - 1;
    if (strstr(row->name, "weights")) return 1;
    return (u - 0.5f) * (strcmp(row->name, "data") == 0 ? 200 : 1);
}

static void fill(rg_net *net, const rg_row *rows, int n)
{
    uint64_t state = 1;
    for (int i = 0; i < n; i++) {
        const long count = rg_layer_count(rows[i].shape);
        float *x = rows[i].word == RG_INPUT ? malloc((size_t)count * sizeof *x) : NULL;
        for (long k = 0; x && k < count; k++)
            x[k] = value_of(&rows[i], k, &state);
        if (x) rg_net_put(net, rows[i].name, x);
        free(x);
    }
}

/* ---- the ceiling: one FC row as large as matrices should be ---- */

static int forward(void *net)
{
    static float scores[PRODUCT];
    RG_TRY(rg_net_forward(net, NULL, NULL));
    return rg_net_get(net, "last", scores);     /* waits */
}

/* [TFLOP/s], 0 where it failed. */
static double ceiling_of(const rg_backend *gpu, rg_precision precision)
{
    const rg_row rows[] = { INPUT("x", PRODUCT, PRODUCT, 1, 1),
                            FC("y", "x", PRODUCT, PRODUCT, RELU),
                            FC("last", "y", PRODUCT, 1, LINEAR) };
    const rg_net_options how = { .precision = precision, .blank = true };
    rg_net *net;
    if (rg_net_new(&net, rows, 3, gpu, &how) != 0) return 0;
    fill(net, rows, 1);
    const double ms = time_of(forward, net);
    rg_net_free(net);
    return ms > 0 ? work_of(rows, 3) / ms : 0;
}

/* ---- subjects ---- */

static const rg_claran_run one = { .batch = 1, .rois = 5 };

typedef struct subjects { rg_runner *runner; int n; } subjects;

static int run(void *user)
{
    const subjects *s = user;
    return rg_runner_run(s->runner, s->n);
}

/* Uniform, of He's deviation. */
static int add_random(rg_weights *weights, const char *name, rg_shape shape, int inputs)
{
    static uint64_t state = 1;
    rg_weight *w = shape.n ? rg_weights_add(weights, name, shape, NULL) : NULL;
    if (shape.n == 0) return 0;
    if (w == NULL) return -1;
    for (long i = 0; i < rg_layer_count(shape); i++)
        w->data[i] =
            (float)((2 * rg_random_uniform(&state) - 1) * sqrt(6.0 / inputs));
    return 0;
}

static int random_weights(const rg_claran *model, rg_weights **weights)
{
    rg_row rows[RG_CLARAN_ROWS];
    const int n = rg_claran_rows(model, &one, rows);
    RG_TRY(rg_weights_new(weights));
    RG_TRY(rg_claran_describe(model, *weights));
    for (int i = 0; i < n; i++) {
        rg_shape weight, bias;
        char name[80];
        rg_layer_weights(&rows[i], &weight, &bias);
        const int inputs = weight.c * weight.h * weight.w;
        snprintf(name, sizeof name, "%s.bias", rows[i].name);
        RG_TRY(add_random(*weights, rows[i].name, weight, inputs));
        RG_TRY(add_random(*weights, name, bias, inputs));
    }
    return 0;
}

static void print_subjects(rg_runner *runner, int n, double work, double ceiling)
{
    const task same = { "subject", rg_runner_model(runner), n, n * one.rois,
                        rg_runner_precision(runner) };
    subjects s = { runner, n };
    char beside[80];
    for (int i = 0; i < n; i++)
        memset(rg_runner_window(runner, i), 17 * i,
               (size_t)RG_CLARAN_SUBJECT * RG_CLARAN_SUBJECT * 3);
    const double ms = time_beside(run, &s, &same, beside), speed = work * n / ms;
    if (ms < 0) {
        printf("  batch %-3d failed: %s\n", n, rg_error_message());
        return;
    }
    printf("  batch %-3d %8.2f ms, %8.1f subjects/s, %6.1f TFLOP/s, %5.1f %% of the "
           "ceiling%s\n", n, ms, 1e3 * n / ms, speed, 100 * speed / ceiling, beside);
}

static void print_memory(const rg_backend *gpu)
{
    char text[RG_BACKEND_TEXT];
    for (int line = 1; gpu->describe(line, text); line++)
        printf("  meanwhile, %s\n", text);
}

/* `weights` are freed. */
static int bench_subjects(const rg_backend *gpu, rg_weights *weights, const char *what,
                          rg_precision precision, double ceiling)
{
    const rg_runner_options how = { .backend = gpu, .precision = precision,
                                    .proposals = 5, .iou = 0.7f, .views = 1 };
    rg_row rows[RG_CLARAN_ROWS];
    rg_runner *runner;
    RG_TRY(rg_runner_open(&runner, weights, &how));
    const rg_claran *model = rg_runner_model(runner);
    const double work = work_of(rows, rg_claran_rows(model, &one, rows));
    printf("%s: %d pixels, width %d, fc %d, %s: %.1f GFLOP a subject\n", what,
           model->input, model->width, model->fc, rg_backend_precision_name(precision),
           work);
    print_subjects(runner, 1, work, ceiling);
    const int batch = rg_runner_batch(runner, RG_RUNNER_BATCH);
    if (batch > 1) print_subjects(runner, batch, work, ceiling);
    if (rg_runner_note(runner)[0]) printf("  %s\n", rg_runner_note(runner));
    print_memory(gpu);
    rg_runner_close(runner);
    return 0;
}

/* ---- a training step ---- */

static int train(void *net)
{
    const rg_optimizer how = { .rule = RG_SGD, .rate = 1e-9f, .momentum = 0.9f,
                               .clip = 1 };
    RG_TRY(rg_net_forward(net, NULL, NULL));
    RG_TRY(rg_net_backward(net));
    return rg_net_update(net, &how, NULL);
}

static int bench_training(const rg_backend *gpu, const rg_claran *model,
                          rg_precision precision)
{
    const rg_claran_run run = { .batch = 1, .rois = TRAINED_ROIS, .training = 1 };
    const rg_net_factor frozen = { "..conv2_2", 0 };
    const rg_net_options how = { .training = true, .precision = precision, .seed = 1,
                                 .blank = true, .factors = &frozen, .nfactors = 1 };
    const task same = { "train", model, 1, TRAINED_ROIS, precision };
    char beside[80];
    rg_row rows[RG_CLARAN_ROWS];
    rg_weights *weights;
    rg_net *net;
    const int n = rg_claran_rows(model, &run, rows);
    RG_TRY(random_weights(model, &weights));
    RG_TRY(rg_net_new(&net, rows, n, gpu, &how));
    RG_TRY(rg_net_load(net, weights));
    rg_weights_free(weights);
    fill(net, rows, n);
    const double ms = time_beside(train, net, &same, beside);
    if (ms > 0)
        printf("training step, %d pixels, fc %d, %s, conv1-2 frozen: %.2f ms, without "
               "the making of examples%s\n", model->input, model->fc,
               rg_backend_precision_name(precision), ms, beside);
    print_memory(gpu);
    rg_net_free(net);
    return ms > 0 ? 0 : -1;
}

static int bench_models(const rg_backend *gpu, rg_precision precision, double ceiling)
{
    rg_claran paper = rg_claran_paper, small = rg_claran_paper;
    rg_weights *weights;
    small.input = 264;
    small.fc = 256;
    RG_TRY(random_weights(&paper, &weights));
    RG_TRY(bench_subjects(gpu, weights, "the paper's", precision, ceiling));
    RG_TRY(random_weights(&small, &weights));
    RG_TRY(bench_subjects(gpu, weights, "smaller", precision, ceiling));
    RG_TRY(rg_weights_read(&weights, RG_SOURCE_DIR "/core/models/claran-d1.fits"));
    return bench_subjects(gpu, weights, "claran-d1.fits", precision, ceiling);
}

static int bench(const rg_backend *gpu, rg_precision precision)
{
    const double ceiling = ceiling_of(gpu, precision);
    printf("ceiling, by a product of %d x %d x %d with its ReLU in %s: %.1f TFLOP/s\n",
           PRODUCT, PRODUCT, PRODUCT, rg_backend_precision_name(precision), ceiling);
    RG_TRY(bench_models(gpu, precision, ceiling));
    if (precision == RG_PRECISION_F16) return 0;    /* nothing is trained in it */
    return bench_training(gpu, &rg_claran_paper, precision);
}

static int bench_all(const rg_backend *gpu, int argc, char **argv)
{
    static const rg_precision all[] = { RG_PRECISION_BF16, RG_PRECISION_F16,
                                        RG_PRECISION_TF32, RG_PRECISION_F32 };
    char text[RG_BACKEND_TEXT];
    for (int line = 0; gpu->describe(line, text); line++) puts(text);
    for (int i = 0; i < 4 && argc < 2; i++) RG_TRY(bench(gpu, all[i]));
    for (int i = 1; i < argc; i++) {
        rg_precision precision;
        RG_TRY(rg_backend_precision(argv[i], &precision));
        RG_TRY(bench(gpu, precision));
    }
    return 0;
}

int main(int argc, char **argv)
{
    const rg_backend *gpu;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (rg_backend_find("gpu", &gpu) != 0) {
        printf("skip bench-gpu: %s\n", rg_error_message());
        return 0;
    }
    start_torch();
    const int status = bench_all(gpu, argc, argv);
    if (to_torch) pclose(to_torch);
    if (status == 0) return 0;
    printf("bench-gpu failed: %s\n", rg_error_message());
    return 1;
}

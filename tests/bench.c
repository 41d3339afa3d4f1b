/* SPDX-License-Identifier: MIT */
/* bench: how long a 3' subject takes, beside a bare loop over the same convolutions,
 * and in a list beside one by one; on the card, if there is one.
 *
 *     bench [MODEL.fits [FIELD.fits]]
 *
 * Each figure is the median of RUNS; what is compared is measured in turn, in one run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/detector/detect.h"
#include "core/engine/cpu/onednn.h"
#include "core/engine/error.h"
#include "core/data/simulate.h"

enum { RUNS = 15, COLD_RUNS = 5, MOST = RG_CLARAN_ROWS, ARGS = 4 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

/* ---- the bare loop: the model's convolutions and poolings, each on memory of its own
 * ---- */

typedef struct bare {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive[MOST];
    dnnl_exec_arg_t args[MOST][ARGS];
    int nargs[MOST], n;
} bare;

static void bare_arg(bare *b, int index, rg_md md)
{
    dnnl_memory_t memory = NULL;
    void *bytes;
    dnnl_memory_create(&memory, md, b->engine, DNNL_MEMORY_ALLOCATE);
    dnnl_memory_get_data_handle(memory, &bytes);
    memset(bytes, 0, dnnl_memory_desc_get_size(md));
    b->args[b->n][b->nargs[b->n]++] = (dnnl_exec_arg_t){ index, memory };
}

static rg_md any(int a, int b, int c, int d, dnnl_data_type_t type)
{
    return rg_onednn_md(4, (int[]){ a, b, c, d }, type, dnnl_format_tag_any);
}

static int bare_add(bare *b, const rg_row *row, rg_shape in, rg_shape out,
                    dnnl_data_type_t type)
{
    dnnl_primitive_desc_t pd;
    bool conv = row->word == RG_CONV;
    rg_dn_spec spec = {
        .src =
            conv ? any(in.n, in.c, in.h, in.w, type)
                 : rg_onednn_md(4, (int[]){ in.n, in.c, in.h, in.w }, type, dnnl_nhwc),
        .dst = any(out.n, out.c, out.h, out.w, type),
        .weights = conv ? any(out.c, in.c, row->size, row->size, type) : NULL,
        .bias = conv ? rg_onednn_md(1, &out.c, dnnl_f32, dnnl_x) : NULL,
        .kernel = row->size ? row->size : 2,
        .stride = !conv ? 2 : row->stride ? row->stride : 1,
        .padding = row->size / 2,
        .relu = conv,
        .winograd = conv && type == dnnl_f32 && row->size == 3 && row->stride != 2,
    };
    if (!conv) RG_TRY(rg_onednn_maxpool(&pd, b->engine, &spec));
    else if (!spec.winograd || rg_onednn_convolution(&pd, b->engine, &spec) != 0) {
        spec.winograd = false;
        RG_TRY(rg_onednn_convolution(&pd, b->engine, &spec));
    }
    bare_arg(b, DNNL_ARG_SRC, dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0));
    bare_arg(b, DNNL_ARG_DST, dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0));
    if (conv) {
        bare_arg(b, DNNL_ARG_WEIGHTS,
                 dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0));
        bare_arg(b, DNNL_ARG_BIAS, spec.bias);
    }
    return rg_onednn_check(dnnl_primitive_create(&b->primitive[b->n++], pd), "bench");
}

static int bare_make(bare *b, const rg_claran *model, dnnl_data_type_t type)
{
    rg_row rows[RG_CLARAN_ROWS];
    int n = rg_claran_rows(model, &(rg_claran_run){ .batch = 1, .rois = 5 }, rows);
    RG_TRY(rg_onednn_check(dnnl_engine_create(&b->engine, dnnl_cpu, 0), "bench"));
    RG_TRY(rg_onednn_check(dnnl_stream_create(&b->stream, b->engine,
                                              dnnl_stream_default_flags), "bench"));
    for (int i = 0; i < n; i++) {
        rg_shape in, out;
        if (rows[i].word != RG_CONV && rows[i].word != RG_MAXPOOL) continue;
        RG_TRY(rg_layer_shape(rows, n, rg_layer_find(rows, n, rows[i].in[0]), &in));
        RG_TRY(rg_layer_shape(rows, n, i, &out));
        RG_TRY(bare_add(b, &rows[i], in, out, type));
    }
    return 0;
}

static void bare_run(bare *b)
{
    for (int i = 0; i < b->n; i++)
        dnnl_primitive_execute(b->primitive[i], b->stream, b->nargs[i], b->args[i]);
    dnnl_stream_wait(b->stream);
}

/* ---- what is compared ---- */

static int bench_warm(const char *path, const rg_image *field, rg_precision precision)
{
    static bare loop;                 /* its memory goes with the process */
    double ours[RUNS], bares[RUNS], ratio[RUNS];
    rg_detect_options how = rg_detect_defaults;
    rg_detector *detector;
    rg_detection *found;
    int n;
    how.precision = precision;
    how.views = 1;                    /* as the loop has */
    RG_TRY(rg_detect_open(&detector, path, &how));
    memset(&loop, 0, sizeof loop);
    dnnl_data_type_t type = precision == RG_PRECISION_BF16 ? dnnl_bf16 : dnnl_f32;
    RG_TRY(bare_make(&loop, rg_detect_model(detector), type));
    for (int i = -2; i < RUNS; i++) {
        double start = now_ms();
        RG_TRY(rg_detect(detector, field, NULL, &found, &n));
        free(found);
        double middle = now_ms();
        bare_run(&loop);
        if (i < 0) continue;          /* two rounds to warm up */
        ours[i] = middle - start;
        bares[i] = now_ms() - middle;
        ratio[i] = ours[i] / bares[i];
    }
    rg_detect_close(detector);
    printf("%s warm: subject %.1f ms, bare convolution loop %.1f ms, ratio %.2f\n",
           rg_backend_precision_name(precision), median(ours, RUNS),
           median(bares, RUNS), median(ratio, RUNS));
    return 0;
}

/* The same subject again and again, in turn as a list and one by one. */
static int bench_list(const char *path, const rg_image *field, rg_precision precision)
{
    static rg_detect_task tasks[RG_DETECT_TOGETHER];
    double list[RUNS], alone[RUNS], ratio[RUNS];
    rg_detect_options how = rg_detect_defaults;
    rg_detector *detector;
    how.precision = precision;
    RG_TRY(rg_detect_open(&detector, path, &how));
    for (int i = -1; i < RUNS; i++) {
        double ms[2];
        for (int k = 0; k < 2; k++) {
            for (int t = 0; t < RG_DETECT_TOGETHER; t++)
                tasks[t] = (rg_detect_task){ .radio = field };
            double start = now_ms();
            if (k == 0) rg_detect_list(detector, tasks, RG_DETECT_TOGETHER);
            for (int t = 0; t < RG_DETECT_TOGETHER; t++) {
                if (k == 1) rg_detect_list(detector, &tasks[t], 1);
                if (tasks[t].status != 0) return RG_FAIL("%s", tasks[t].sentence);
                free(tasks[t].found);
            }
            ms[k] = (now_ms() - start) / RG_DETECT_TOGETHER;
        }
        if (i < 0) continue;
        list[i] = ms[0];
        alone[i] = ms[1];
        ratio[i] = ms[1] / ms[0];
    }
    printf("%s %s: of a list of %d %.2f ms a subject, one by one %.2f ms, ratio %.2f\n",
           rg_detect_backend(detector), rg_backend_precision_name(precision),
           RG_DETECT_TOGETHER, median(list, RUNS), median(alone, RUNS),
           median(ratio, RUNS));
    rg_detect_close(detector);
    return 0;
}

/* A process from exec to exit. */
static int bench_cold(const char *model, const char *field, const char *precision)
{
    double ms[COLD_RUNS];
    for (int i = 0; i < COLD_RUNS; i++) {
        double start = now_ms();
        int status;
        fflush(stdout);               /* or the child would print it again */
        pid_t pid = fork();
        if (pid == 0) {
            if (freopen("/dev/null", "w", stdout))
                execl("./claran", "claran", "detect", field, "--model", model,
                      "--precision", precision, (char *)NULL);
            _exit(127);
        }
        if (waitpid(pid, &status, 0) < 0 || status != 0)
            return RG_FAIL("./claran detect %s failed", field);
        ms[i] = now_ms() - start;
    }
    printf("%s cold: process to result %.0f ms\n", precision, median(ms, COLD_RUNS));
    return 0;
}

static int bench(const char *model, const char *path)
{
    rg_simulation how = rg_simulate_defaults;
    rg_simulated made;
    rg_image *field;
    how.size = 100;
    if (path == NULL) {
        path = "tests/bench.fits";
        RG_TRY(rg_simulate_field(&how, 0, &made));
        field = made.radio;
        made.radio = NULL;
        rg_simulate_clear(&made);
        RG_TRY(rg_image_write(field, path, NULL));
    } else RG_TRY(rg_image_read(&field, path));
    for (rg_precision p = RG_PRECISION_F32; p <= RG_PRECISION_BF16; p++) {
        if (bench_warm(model, field, p) != 0) {
            printf("%s: %s\n", rg_backend_precision_name(p), rg_error_message());
            continue;
        }
        RG_TRY(bench_list(model, field, p));
        RG_TRY(bench_cold(model, path, rg_backend_precision_name(p)));
    }
    rg_image_free(field);
    return 0;
}

int main(int argc, char **argv)
{
    const char *model = argc > 1 ? argv[1] : getenv("CLARAN_MODEL");
    if (model == NULL) model = RG_SOURCE_DIR "/core/models/claran-d1.fits";
    if (bench(model, argc > 2 ? argv[2] : NULL) == 0) return EXIT_SUCCESS;
    fprintf(stderr, "bench: %s\n", rg_error_message());
    return EXIT_FAILURE;
}

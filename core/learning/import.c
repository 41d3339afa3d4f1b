/* SPDX-License-Identifier: MIT */
#include "core/learning/import.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/engine/error.h"
#include "core/learning/backbone.h"
#include "core/learning/tensorfile.h"

enum { NAME = 96, WIDEST = 512, LONGEST = 300 /* s */ };

/* What our network has subtracted: B, G, R. */
static const double our_mean[3] = { 103.939, 116.779, 123.68 };

/* A way of naming, laying out and feeding VGG-16. */
typedef struct convention {
    const rg_tensorfile *format;
    void (*name)(const char *row, int number, bool bias, int spelling, char *out);
    int spellings;            /* the same tensor's names in files of other years */
    bool outputs_first;       /* [out][in][3][3]; else [3][3][in][out] */
    bool rgb;                 /* else its channels are B, G, R */
    double scale[3], shift[3]; /* R, G, B: its input is 8-bit value * scale + shift */
} convention;

typedef struct importer {
    const convention *as;     /* borrowed */
    void *file;               /* of as->format; owned, as all below */
    rg_weights *weights;
} importer;

/* Numbered among convolutions, ReLUs and poolings. */
static void torchvision_name(const char *row, int number, bool bias, int spelling,
                             char *out)
{
    static const int features[] = { 0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28 };
    (void)row, (void)spelling;
    snprintf(out, NAME, "features.%d.%s", features[number], bias ? "bias" : "weight");
}

/* conv1_2 is block1_conv2. */
static void keras_name(const char *row, int number, bool bias, int spelling, char *out)
{
    char b[32];
    (void)number;
    snprintf(b, sizeof b, "block%c_conv%c", row[4], row[6]);
    if (spelling == 0)
        snprintf(out, NAME, "%s/%s_%c_1:0", b, b, bias ? 'b' : 'W');
    else if (spelling == 1)
        snprintf(out, NAME, "%s/%s/%s:0", b, b, bias ? "bias" : "kernel");
    else
        snprintf(out, NAME, "%s/%s:0", b, bias ? "bias" : "kernel");
}

static const convention conventions[] = {
    { .format = &rg_tensorfile_safetensors, .name = torchvision_name, .spellings = 1,
      .outputs_first = true, .rgb = true,
      .scale = { 1 / (255 * 0.229), 1 / (255 * 0.224), 1 / (255 * 0.225) },
      .shift = { -0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225 } },
    { .format = &rg_tensorfile_hdf5, .name = keras_name, .spellings = 3,
      .scale = { 1, 1, 1 }, .shift = { -123.68, -116.779, -103.939 } },
};

/* Its name in this file, and its axes; 0 where no spelling is there. */
static int find(const importer *im, const rg_row *row, int number, bool bias,
                char name[NAME], long axes[RG_TENSORFILE_AXES])
{
    char first[NAME] = "";
    for (int i = 0; i < im->as->spellings; i++) {
        im->as->name(row->name, number, bias, i, name);
        if (i == 0) snprintf(first, sizeof first, "%s", name);
        int n = im->as->format->find(im->file, name, axes);
        if (n != 0) return n;
    }
    return RG_FAIL("there is no %s in it: is this VGG-16 in %s names?", first,
                   im->as->outputs_first ? "torchvision's" : "Keras'");
}

/* Shape `wanted` is as we lay it. */
static int expect(const importer *im, const char *name, int n, const long *axes,
                  rg_shape wanted, bool bias)
{
    const int ours[4] = { wanted.n, wanted.c, wanted.h, wanted.w };
    static const int outputs_last[4] = { 2, 3, 1, 0 };
    bool same = n == (bias ? 1 : 4);
    for (int i = 0; i < 4 && !bias && same; i++)
        same = axes[i] == ours[im->as->outputs_first ? i : outputs_last[i]];
    if (bias && same) same = axes[0] == wanted.c;
    char text[100] = "";
    for (int i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%ld",
                 i ? ", " : "", axes[i]);
    if (same) return 0;
    return RG_FAIL("%s is [%s], which is no %s of %d outputs and %d inputs", name, text,
                   bias ? "bias" : "3 x 3 kernel", bias ? wanted.c : wanted.n,
                   bias ? 1 : wanted.c);
}

/* One tensor as the file has it, checked, into `data` [count of wanted]. */
static int read_tensor(const importer *im, const rg_row *row, int number, bool bias,
                       rg_shape wanted, float *data)
{
    char name[NAME];
    long axes[RG_TENSORFILE_AXES], count = rg_layer_count(wanted);
    int n = find(im, row, number, bias, name, axes);
    if (n < 0) return -1;
    RG_TRY(expect(im, name, n, axes, wanted, bias));
    RG_TRY(im->as->format->read(im->file, name, count, data));
    for (long i = 0; i < count; i++)
        if (!isfinite(data[i]))
            return RG_FAIL("number %ld of %s is %g", i + 1, name, data[i]);
    return 0;
}

static void outputs_first(const float *in, rg_shape s, float *out)
{
    for (int k = 0; k < s.h * s.w; k++)
        for (int i = 0; i < s.c; i++)
            for (int o = 0; o < s.n; o++)
                out[((long)o * s.c + i) * s.h * s.w + k] =
                    in[((long)k * s.c + i) * s.n + o];
}

/* conv1_1 [width][3][9]: to B, G, R minus our means, as import.h says. */
static void fold_input(const convention *as, int width, float *weight, float *bias)
{
    for (int o = 0; o < width; o++) {
        float theirs[27], *w = weight + 27l * o;
        double sum = bias[o];
        memcpy(theirs, w, sizeof theirs);
        for (int c = 0; c < 3; c++)      /* B, G, R */
            for (int k = 0; k < 9; k++) {
                double value = theirs[9 * (as->rgb ? 2 - c : c) + k];
                w[9 * c + k] = (float)(value * as->scale[2 - c]);
                sum += value * (our_mean[c] * as->scale[2 - c] + as->shift[2 - c]);
            }
        bias[o] = (float)sum;
    }
}

static int import_row(importer *im, const rg_row *row, int number)
{
    rg_shape ws, bs;
    char name[NAME];
    rg_layer_weights(row, &ws, &bs);
    snprintf(name, sizeof name, "%s.bias", row->name);
    rg_weight *weight = rg_weights_add(im->weights, row->name, ws, NULL);
    rg_weight *bias = weight ? rg_weights_add(im->weights, name, bs, NULL) : NULL;
    if (bias == NULL) return -1;
    weight = rg_weights_find(im->weights, row->name);
    RG_TRY(read_tensor(im, row, number, false, ws, weight->data));
    RG_TRY(read_tensor(im, row, number, true, bs, bias->data));
    if (!im->as->outputs_first) {
        float *laid = rg_error_alloc((unsigned long)rg_layer_count(ws), sizeof *laid,
                                     row->name);
        if (laid == NULL) return -1;
        outputs_first(weight->data, ws, laid);
        memcpy(weight->data, laid, (size_t)rg_layer_count(ws) * sizeof *laid);
        free(laid);
    }
    if (number == 0) fold_input(im->as, ws.n, weight->data, bias->data);
    return 0;
}

/* Outputs of the first convolution: everything follows from them. */
static int find_width(const importer *im, int *width)
{
    rg_row rows[RG_CLARAN_ROWS];
    char name[NAME];
    long axes[RG_TENSORFILE_AXES];
    rg_claran_backbone(1, rows);
    int n = find(im, &rows[0], 0, true, name, axes);
    if (n < 0) return -1;
    if (n != 1 || axes[0] > WIDEST)
        return RG_FAIL("%s has %d axes and %ld numbers: VGG-16's has 1 and 64", name, n,
                       axes[0]);
    *width = (int)axes[0];
    return 0;
}

static int import_rows(importer *im, rg_import_report *report)
{
    rg_row rows[RG_CLARAN_ROWS];
    RG_TRY(rg_weights_new(&im->weights));
    RG_TRY(find_width(im, &report->width));
    int n = rg_claran_backbone(report->width, rows);
    for (int i = 0; i < n; i++)
        if (rows[i].word == RG_CONV)
            RG_TRY(import_row(im, &rows[i], report->convolutions++));
    for (int i = 0; i < rg_weights_count(im->weights); i++)
        report->weights += rg_layer_count(rg_weights_at(im->weights, i)->shape);
    rg_backbone backbone = { .width = report->width, .any_method = true };
    for (int c = 0; c < 3; c++) backbone.mean[c] = (float)our_mean[c];
    return rg_backbone_describe(&backbone, im->weights);
}

/* What its first bytes speak for: HDF5's signature, else safetensors. */
static int find_format(const rg_tensorfile **format, const char *path)
{
    static const char hdf5[8] = { '\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n' };
    char head[8] = { 0 };
    FILE *file = fopen(path, "rb");
    if (file == NULL) return RG_FAIL("cannot be read: %m");
    size_t n = fread(head, 1, sizeof head, file);
    fclose(file);
    *format = n == sizeof head && memcmp(head, hdf5, sizeof head) == 0
                  ? &rg_tensorfile_hdf5 : &rg_tensorfile_safetensors;
    return 0;
}

static int open_source(importer *im, const char *path)
{
    const rg_tensorfile *format = NULL;
    RG_TRY(find_format(&format, path));
    for (unsigned i = 0; i < sizeof conventions / sizeof *conventions; i++)
        if (conventions[i].format == format) im->as = &conventions[i];
    return format->open(&im->file, path);
}

static int import(const char *path, const char *out, const char *const *history,
                  rg_import_report *report)
{
    importer im = { .weights = NULL };
    int status = open_source(&im, path);
    if (status == 0) status = import_rows(&im, report);
    if (status != 0) rg_error_prefix("%s: ", path);
    for (int i = 0; status == 0 && history && history[i]; i++)
        status = rg_weights_add_history(im.weights, history[i]);
    if (status == 0) status = rg_weights_write(im.weights, out, false);
    if (im.as) {
        report->format = im.as->format->name;
        im.as->format->close(im.file);
    }
    rg_weights_free(im.weights);
    return status;
}

/* What the process that imports says to the one that waits; `report.format` points to
 * the same constant in both. */
typedef struct answer {
    int status;
    rg_import_report report;
    char sentence[1024];
} answer;

static void answer_through(int pipe_end, const char *path, const char *out,
                           const char *const *history)
{
    answer a = { .status = 0 };
    alarm(LONGEST);
    a.status = import(path, out, history, &a.report);
    snprintf(a.sentence, sizeof a.sentence, "%s", rg_error_message());
    ssize_t written = write(pipe_end, &a, sizeof a);
    _exit(written == sizeof a ? 0 : 1);
}

int rg_import(const char *path, const char *out, const char *const *history,
              rg_import_report *report)
{
    int ends[2], how = 0;
    answer a = { .status = -1 };
    if (pipe(ends) != 0) return RG_FAIL("no pipe can be made: %m");
    pid_t child = fork();
    if (child == 0) answer_through(ends[1], path, out, history);
    close(ends[1]);
    ssize_t got = child < 0 ? -1 : read(ends[0], &a, sizeof a);
    close(ends[0]);
    if (child < 0) return RG_FAIL("no process can be made: %m");
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) continue;
    *report = a.report;
    if (got != sizeof a)
        return RG_FAIL("%s: it is damaged: the library that reads it died of it (%s)",
                       path, WIFSIGNALED(how) ? strsignal(WTERMSIG(how)) : "stopped");
    return a.status == 0 ? 0 : RG_FAIL("%s", a.sentence);
}

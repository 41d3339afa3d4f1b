/* SPDX-License-Identifier: MIT */
#include "core/detector/claran.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/pyramid.h"
#include "core/engine/enlarge.h"
#include "core/engine/error.h"

#define SUBJECT RG_CLARAN_SUBJECT
#define LOGIT_RIM 1e-7    /* nearer to 0 and 1 no probability is told apart */

/* How RoIs are sampled: by what name, and what a model file calls it. */
static const struct { const char *name, *text; } samplings[] = {
    [RG_SAMPLING_PAPER] = { "paper", "Eq. 8" },
    [RG_SAMPLING_AUTHORS] = { "authors", "authors' code" },
};

const rg_claran rg_claran_paper = {
    .input = 600, .width = 64, .fc = 4096,
    .anchor = { 16, 32, 64, 128, 256, 512 },
    .method = RG_METHOD_D1,
    .mean = { 235, 128, 24 },
    .views = 1,
};

int rg_claran_cells(const rg_claran *model)
{
    return model->input / RG_CLARAN_STRIDE;
}

#define ROW(...) rows[n++] = (rg_row)__VA_ARGS__

int rg_claran_backbone(int w, rg_row *rows)
{
    int n = 0;
    ROW(CONV("conv1_1", "data",    3,     w,     3, RELU));
    ROW(CONV("conv1_2", "conv1_1", w,     w,     3, RELU));
    ROW(MAXPOOL("pool1", "conv1_2"));
    ROW(CONV("conv2_1", "pool1",   w,     2 * w, 3, RELU));
    ROW(CONV("conv2_2", "conv2_1", 2 * w, 2 * w, 3, RELU));
    ROW(MAXPOOL("pool2", "conv2_2"));
    ROW(CONV("conv3_1", "pool2",   2 * w, 4 * w, 3, RELU));
    ROW(CONV("conv3_2", "conv3_1", 4 * w, 4 * w, 3, RELU));
    ROW(CONV("conv3_3", "conv3_2", 4 * w, 4 * w, 3, RELU));
    ROW(MAXPOOL("pool3", "conv3_3"));
    ROW(CONV("conv4_1", "pool3",   4 * w, 8 * w, 3, RELU));
    ROW(CONV("conv4_2", "conv4_1", 8 * w, 8 * w, 3, RELU));
    ROW(CONV("conv4_3", "conv4_2", 8 * w, 8 * w, 3, RELU));
    ROW(MAXPOOL("pool4", "conv4_3"));
    ROW(CONV("conv5_1", "pool4",   8 * w, 8 * w, 3, RELU));
    ROW(CONV("conv5_2", "conv5_1", 8 * w, 8 * w, 3, RELU));
    ROW(CONV("conv5_3", "conv5_2", 8 * w, 8 * w, 3, RELU));
    return n;
}

int rg_claran_head(const rg_claran *model, const rg_claran_run *run, const char *pooled,
                   int channels, rg_row *rows)
{
    const int fc = model->fc, classes = RG_CLASSES;
    const int flat = channels * RG_CLARAN_GRID * RG_CLARAN_GRID;
    const char *fc6 = run->training ? "drop6" : "fc6";
    const char *fc7 = run->training ? "drop7" : "fc7";
    int n = 0;
    ROW(FC("fc6", pooled, flat, fc, RELU));
    if (run->training) ROW(DROPOUT("drop6", "fc6", 0.5f));
    ROW(FC("fc7", fc6, fc, fc, RELU));
    if (run->training) ROW(DROPOUT("drop7", "fc7", 0.5f));
    ROW(FC_STD("cls_score", fc7, fc, classes,     LINEAR, 0.01f));
    ROW(FC_STD("bbox_pred", fc7, fc, 4 * classes, LINEAR, 0.001f));
    ROW(SOFTMAX("cls_prob", "cls_score", classes));
    return n;
}

int rg_claran_rois(const rg_claran *model, const rg_claran_run *run, rg_row *rows)
{
    int n = 0;
    if (run->training) {
        ROW(INPUT("picks", run->rois, 7, 1, 1));
        ROW(BOXES("rois", "rpn_bbox_pred", "picks", (float)model->input));
    } else {
        ROW(INPUT("rois", run->rois, 5, 1, 1));
    }
    return n;
}

int rg_claran_losses(const rg_claran_run *run, rg_row *rows)
{
    const int rois = run->rois, classes = RG_CLASSES;
    int n = 0;
    ROW(INPUT("labels",  rois, 1,           1, 1));
    ROW(INPUT("targets", rois, 4 * classes, 1, 1));
    ROW(INPUT("weights", rois, 4 * classes, 1, 1));
    ROW(SOFTMAXLOSS("rpn_cls_loss", "rpn_cls_score", "rpn_labels", 2));
    ROW(SMOOTHL1("rpn_bbox_loss", "rpn_bbox_pred", "rpn_targets", "rpn_weights", 3));
    ROW(SOFTMAXLOSS("cls_loss", "cls_score", "labels", classes));
    ROW(SMOOTHL1("bbox_loss", "bbox_pred", "targets", "weights", 1));
    /* The last, as rows draw by their number: what is trained is the same without. */
    if (run->proposals) ROW(INPUT("proposals", run->batch * run->proposals, 6, 1, 1));
    return n;
}

/* Table 4.  ConvNet is layers 1 to 17, LocNet 18 to 22, RecNet 23 to 29; what follows
 * them is there in training only. */
static int table_4(const rg_claran *model, const rg_claran_run *run, rg_row *rows)
{
    const int w = model->width, s = model->input, k = RG_CLARAN_ANCHORS;
    const int cells = rg_claran_cells(model), batch = run->batch;
    int n = 0;
    ROW(INPUT("data", batch, 3, s, s));
    n += rg_claran_backbone(w, rows + n);

    ROW(CONV("rpn_conv/3x3", "conv5_3", 8 * w, 8 * w, 3, RELU));
    ROW(CONV_STD("rpn_cls_score", "rpn_conv/3x3", 8 * w, 2 * k, 1, LINEAR, 0.01f));
    ROW(CONV_STD("rpn_bbox_pred", "rpn_conv/3x3", 8 * w, 4 * k, 1, LINEAR, 0.01f));
    ROW(SOFTMAX("rpn_cls_prob", "rpn_cls_score", 2));

    n += rg_claran_rois(model, run, rows + n);
    ROW(STPOOL_AS("pool_5", "conv5_3", "rois", RG_CLARAN_GRID, RG_CLARAN_STRIDE,
                  .sampling = model->sampling));
    n += rg_claran_head(model, run, "pool_5", 8 * w, rows + n);
    if (!run->training) return n;

    ROW(INPUT("rpn_labels",  batch, k,     cells, cells));
    ROW(INPUT("rpn_targets", batch, 4 * k, cells, cells));
    ROW(INPUT("rpn_weights", batch, 4 * k, cells, cells));
    return n + rg_claran_losses(run, rows + n);
}
#undef ROW

/* What the networks do not have in common: the rows, and the maps of the anchors. */
static const struct {
    const char *name, *model, *comment;
    int (*rows)(const rg_claran *model, const rg_claran_run *run, rg_row *rows);
    int anchors;               /* per cell of a level */
    int stride;                /* of the finest level; each next one twice */
    bool up;                   /* odd maps are rounded up when they are halved */
} networks[RG_NETWORKS] = {
    [RG_NETWORK_CLARAN] = { "claran", "ClaRAN", "Wu et al. 2019, Table 4", table_4,
                            RG_CLARAN_ANCHORS, RG_CLARAN_STRIDE, false },
    [RG_NETWORK_FPN] = { "fpn", "ClaRAN-FPN", "residual feature pyramid",
                         rg_pyramid_rows, RG_CLARAN_ANCHORS / RG_CLARAN_LEVELS, 4,
                         true },
};

int rg_claran_rows(const rg_claran *model, const rg_claran_run *run, rg_row *rows)
{
    return networks[model->network].rows(model, run, rows);
}

int rg_claran_network(const char *name, rg_network *network)
{
    for (int i = 0; i < RG_NETWORKS; i++)
        if (strcmp(networks[i].name, name) == 0) {
            *network = (rg_network)i;
            return 0;
        }
    return RG_FAIL("there is no network \"%s\": use claran or fpn", name);
}

const char *rg_claran_network_name(rg_network network)
{
    return networks[network].name;
}

int rg_claran_sampling(const char *name, rg_sampling *sampling)
{
    for (int i = 0; i < 2; i++)
        if (strcmp(samplings[i].name, name) == 0) {
            *sampling = (rg_sampling)i;
            return 0;
        }
    return RG_FAIL("there is no sampling \"%s\": use paper or authors", name);
}

const char *rg_claran_sampling_name(rg_sampling sampling)
{
    return samplings[sampling].name;
}

rg_anchor rg_claran_anchor(const rg_claran *model, int a)
{
    rg_anchor anchor = { 0 };
    for (int i = 0; i <= a; i++) {
        anchor.first += anchor.cells * anchor.cells;
        anchor.side = model->anchor[i];
        anchor.stride = networks[model->network].stride
                        << i / networks[model->network].anchors;
        const int more = networks[model->network].up ? anchor.stride - 1 : 0;
        anchor.cells = (model->input + more) / anchor.stride;
    }
    return anchor;
}

int rg_claran_anchors(const rg_claran *model)
{
    rg_anchor last = rg_claran_anchor(model, RG_CLARAN_ANCHORS - 1);
    return last.first + last.cells * last.cells;
}

/* The numbers of a model as they are named in the file, with their ranges: written once
 * for describe and for recognise. */
typedef struct number {
    const char *key, *comment;
    int *whole;
    float *real;
    double least, most;
} number;

#define NEEDED (3 + RG_CLARAN_ANCHORS + 3)
#define NUMBERS (NEEDED + RG_CLARAN_CALIBRATION + 1)   /* older models have none */

static void list_numbers(rg_claran *m, number list[NUMBERS])
{
    const number all[NUMBERS] = {
        { "INPUT", "[pixel] side of the network input", &m->input, NULL, 64, 1024 },
        { "WIDTH", "channels of conv1", &m->width, NULL, 4, 512 },
        { "FC", "outputs of fc6 and fc7", &m->fc, NULL, 8, 8192 },
        { "ANCHOR1", "[pixel] side of anchor 1", NULL, &m->anchor[0], 1, 4096 },
        { "ANCHOR2", "[pixel] side of anchor 2", NULL, &m->anchor[1], 1, 4096 },
        { "ANCHOR3", "[pixel] side of anchor 3", NULL, &m->anchor[2], 1, 4096 },
        { "ANCHOR4", "[pixel] side of anchor 4", NULL, &m->anchor[3], 1, 4096 },
        { "ANCHOR5", "[pixel] side of anchor 5", NULL, &m->anchor[4], 1, 4096 },
        { "ANCHOR6", "[pixel] side of anchor 6", NULL, &m->anchor[5], 1, 4096 },
        { "MEAN_B", "subtracted from the blue channel", NULL, &m->mean[0], 0, 255 },
        { "MEAN_G", "subtracted from the green channel", NULL, &m->mean[1], 0, 255 },
        { "MEAN_R", "subtracted from the red channel", NULL, &m->mean[2], 0, 255 },
        { "CALIBA", "P = sigmoid(A logit(p) + B of the class + E . x)", NULL,
          &m->calibration[0], 0, 1e3 },
        { "CALIBB1", "of CLASS1; CALIBA 0: not calibrated", NULL, &m->calibration[1],
          -100, 100 },
        { "CALIBB2", "of CLASS2", NULL, &m->calibration[2], -100, 100 },
        { "CALIBB3", "of CLASS3", NULL, &m->calibration[3], -100, 100 },
        { "CALIBB4", "of CLASS4", NULL, &m->calibration[4], -100, 100 },
        { "CALIBB5", "of CLASS5", NULL, &m->calibration[5], -100, 100 },
        { "CALIBB6", "of CLASS6", NULL, &m->calibration[6], -100, 100 },
        { "CALIBE1", "x: right counts of islands and peaks, 0 or 1", NULL,
          &m->calibration[RG_CLASSES + RG_EVIDENCE_COUNTS], -100, 100 },
        { "CALIBE2", "x: IoU with the outline at 4 sigma", NULL,
          &m->calibration[RG_CLASSES + RG_EVIDENCE_FIT], -100, 100 },
        { "CALIBE3", "x: log10 ratio of the largest fluxes", NULL,
          &m->calibration[RG_CLASSES + RG_EVIDENCE_CONTRAST], -100, 100 },
        { "CALIBE4", "x: separation / mean diagonal of islands", NULL,
          &m->calibration[RG_CLASSES + RG_EVIDENCE_GAP], -100, 100 },
        { "CALIBE5", "x: nearness and likeness of an island outside", NULL,
          &m->calibration[RG_CLASSES + RG_EVIDENCE_NEIGHBOUR], -100, 100 },
        { "VIEWS", "of a window, whose p are joined", &m->views, NULL, 1,
          RG_VIEWS_MOST },
    };
    memcpy(list, all, sizeof all);
}

static int check_number(const number *v, double value)
{
    if (value >= v->least && value <= v->most && (!v->whole || value == floor(value)))
        return 0;
    return RG_FAIL("%s is %g, which is no %s from %g to %g", v->key, value,
                   v->whole ? "whole number" : "number", v->least, v->most);
}

int rg_claran_describe(const rg_claran *model, rg_weights *weights)
{
    rg_claran copy = *model;
    number list[NUMBERS];
    if (copy.views == 0) copy.views = 1;
    list_numbers(&copy, list);
    RG_TRY(rg_weights_set_text(weights, "MODEL", networks[model->network].model,
                               networks[model->network].comment));
    RG_TRY(rg_weights_set_text(weights, "METHOD", rg_fuse_name(model->method),
                               "input image, section 3.4"));
    RG_TRY(rg_weights_set_text(weights, "STPOOL", samplings[model->sampling].text,
                               "sampling of RoIs"));
    for (int i = 0; i < NUMBERS; i++) {
        const double value = list[i].whole ? *list[i].whole : *list[i].real;
        RG_TRY(check_number(&list[i], value));
        RG_TRY(rg_weights_set_number(weights, list[i].key, value, list[i].comment));
    }
    for (int i = 1; i < RG_CLASSES; i++) {
        char key[24];
        snprintf(key, sizeof key, "CLASS%d", i);
        RG_TRY(rg_weights_set_text(weights, key, rg_boxes_class_name[i], "Table 3"));
    }
    return 0;
}

static int expect_text(const rg_weights *weights, const char *key, const char *wanted)
{
    char text[72];
    RG_TRY(rg_weights_text(weights, key, text, sizeof text));
    if (strcmp(text, wanted) != 0)
        return RG_FAIL("this is no model this program can use: %s is \"%s\" where "
                       "\"%s\" is needed", key, text, wanted);
    return 0;
}

static int read_network(const rg_weights *weights, rg_network *network)
{
    char text[72];
    RG_TRY(rg_weights_text(weights, "MODEL", text, sizeof text));
    for (int i = 0; i < RG_NETWORKS; i++)
        if (strcmp(networks[i].model, text) == 0) {
            *network = (rg_network)i;
            return 0;
        }
    return RG_FAIL("this is no model this program can use: MODEL is \"%s\" where "
                   "\"ClaRAN\" or \"ClaRAN-FPN\" is needed", text);
}

static int read_sampling(const rg_weights *weights, rg_sampling *sampling)
{
    char text[72];
    RG_TRY(rg_weights_text(weights, "STPOOL", text, sizeof text));
    for (int i = 0; i < 2; i++)
        if (strcmp(samplings[i].text, text) == 0) {
            *sampling = (rg_sampling)i;
            return 0;
        }
    return RG_FAIL("this is no model this program can use: STPOOL is \"%s\" where "
                   "\"%s\" or \"%s\" is needed", text, samplings[0].text,
                   samplings[1].text);
}

static int expect_texts(const rg_weights *weights)
{
    for (int i = 1; i < RG_CLASSES; i++) {
        char key[24];
        snprintf(key, sizeof key, "CLASS%d", i);
        RG_TRY(expect_text(weights, key, rg_boxes_class_name[i]));
    }
    return 0;
}

static int read_number(const rg_weights *weights, const number *v)
{
    double value;
    RG_TRY(rg_weights_number(weights, v->key, &value));
    RG_TRY(check_number(v, value));
    if (v->whole) *v->whole = (int)value;
    else *v->real = (float)value;
    return 0;
}

int rg_claran_recognise(rg_claran *model, const rg_weights *weights)
{
    rg_claran found = rg_claran_paper;
    number list[NUMBERS];
    char method[72];
    RG_TRY(read_network(weights, &found.network));
    RG_TRY(expect_texts(weights));
    RG_TRY(read_sampling(weights, &found.sampling));
    RG_TRY(rg_weights_text(weights, "METHOD", method, sizeof method));
    RG_TRY(rg_fuse_method(method, &found.method));
    list_numbers(&found, list);
    if (rg_weights_has(weights, "CALIBB"))
        return RG_FAIL("this model was calibrated by an older program, which had one "
                       "CALIBB for all classes: calibrate it again from the model it "
                       "was made of (claran calibrate)");
    for (int i = 0; i < NUMBERS; i++)
        if (i < NEEDED || rg_weights_has(weights, list[i].key))
            RG_TRY(read_number(weights, &list[i]));
    *model = found;
    return 0;
}

float rg_claran_calibrate(const rg_claran *model, int class_, float p,
                          const float x[RG_EVIDENCES])
{
    const double a = model->calibration[0];
    if (a == 0) return p;
    const double clear = fmin(fmax(p, LOGIT_RIM), 1 - LOGIT_RIM);
    double z = a * log(clear / (1 - clear)) + model->calibration[class_];
    for (int k = 0; k < RG_EVIDENCES; k++)
        z += (double)model->calibration[RG_CLASSES + k] * x[k];
    return (float)(1 / (1 + exp(-z)));
}

void rg_claran_identity(const rg_claran *model, const rg_weights *weights,
                        char identity[RG_CLARAN_IDENTITY])
{
    const float *c = model->calibration;
    const unsigned char *bytes = (const unsigned char *)c;
    uint32_t sum = 2166136261u;   /* FNV-1a */
    for (size_t i = 0; i < sizeof model->calibration; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    rg_weights_hash(weights, identity);
    if (model->views > 1) sum = (sum ^ (uint32_t)model->views) * 16777619u;
    else if (c[0] == 0) return;
    snprintf(identity + 8, RG_CLARAN_IDENTITY - 8, "-%04x", (sum >> 16 ^ sum) & 0xffff);
}

void rg_claran_input(const rg_claran *model, const uint8_t *rgb, float *out)
{
    const int size = model->input;
    const uint8_t (*pixel)[SUBJECT][3] = (const uint8_t (*)[SUBJECT][3])rgb;
    float u[size];
    int at[size];
    for (int x = 0; x < size; x++) u[x] = rg_enlarge_place(x, size, SUBJECT, &at[x]);
#pragma omp parallel for schedule(static)
    for (int y = 0; y < size; y++) {
        float line[3][SUBJECT];
        int j;
        const float v = rg_enlarge_place(size - 1 - y, size, SUBJECT, &j);
        for (int c = 0; c < 3; c++)   /* planes are B, G, R */
            for (int x = 0; x < SUBJECT; x++)
                line[c][x] =
                    rg_enlarge_mix(v, pixel[j][x][2 - c], pixel[j + 1][x][2 - c]);
        for (int c = 0; c < 3; c++) {
            float *to = out + ((size_t)c * size + y) * size;
            for (int x = 0; x < size; x++)
                to[x] = rg_enlarge_mix(u[x], line[c][at[x]], line[c][at[x] + 1])
                        - model->mean[c];
        }
    }
}

rg_box rg_claran_from_subject(const rg_claran *model, rg_box fits)
{
    float s = (float)model->input / SUBJECT;
    return (rg_box){ (fits.x1 - 0.5f) * s, (SUBJECT + 0.5f - fits.y2) * s,
                     (fits.x2 - 0.5f) * s - 1, (SUBJECT + 0.5f - fits.y1) * s - 1 };
}

rg_box rg_claran_to_subject(const rg_claran *model, rg_box network)
{
    float s = (float)model->input / SUBJECT;
    return (rg_box){ network.x1 / s + 0.5f, SUBJECT + 0.5f - (network.y2 + 1) / s,
                     (network.x2 + 1) / s + 0.5f, SUBJECT + 0.5f - network.y1 / s };
}

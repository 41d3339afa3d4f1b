/* SPDX-License-Identifier: MIT */
#include "core/detector/pyramid.h"

enum { CELLS = 14 };       /* a RoI of so many on a level is pooled there */

#define ROW(...) rows[n++] = (rg_row)__VA_ARGS__

#define CONV_NORM(conv, norm, from, ci, co, k, step, act) \
    ROW(CONV_AS(conv, from, ci, co, k, LINEAR, .stride = step, .bare = true)); \
    ROW(BATCHNORM(norm, conv, co, act))

/* Two convolutions beside a short cut; `short_cut` is `from`, or made of it. */
#define BLOCK(name, from, short_cut, ci, co, step) \
    CONV_NORM(name ".conv1", name ".bn1", from, ci, co, 3, step, RELU); \
    CONV_NORM(name ".conv2", name ".bn2", name ".bn1", co, co, 3, 1, LINEAR); \
    ROW(ADD(name, name ".bn2", short_cut, RELU))

#define STAGE(name, from, ci, co) \
    CONV_NORM(name ".0.downsample.0", name ".0.downsample.1", from, ci, co, 1, 2, \
              LINEAR); \
    BLOCK(name ".0", from, name ".0.downsample.1", ci, co, 2); \
    BLOCK(name ".1", name ".0", name ".0", co, co, 1)

static int add_backbone(int w, rg_row *rows)
{
    int n = 0;
    CONV_NORM("conv1", "bn1", "data", 3, w, 7, 2, RELU);
    ROW(MAXPOOL3("maxpool", "bn1"));
    BLOCK("layer1.0", "maxpool", "maxpool", w, w, 1);
    BLOCK("layer1.1", "layer1.0", "layer1.0", w, w, 1);
    STAGE("layer2", "layer1.1", w, 2 * w);
    STAGE("layer3", "layer2.1", 2 * w, 4 * w);
    STAGE("layer4", "layer3.1", 4 * w, 8 * w);
    return n;
}

/* Level p2 has stride 4, p3 8, p4 16. */
static int add_levels(int w, rg_row *rows)
{
    const int f = 4 * w;
    int n = 0;
    ROW(CONV("lateral5", "layer4.1", 8 * w, f, 1, LINEAR));
    ROW(CONV("lateral4", "layer3.1", 4 * w, f, 1, LINEAR));
    ROW(CONV("lateral3", "layer2.1", 2 * w, f, 1, LINEAR));
    ROW(CONV("lateral2", "layer1.1", w,     f, 1, LINEAR));
    ROW(UPSAMPLE("up4", "lateral5", "lateral4"));
    ROW(ADD("sum4", "lateral4", "up4", LINEAR));
    ROW(UPSAMPLE("up3", "sum4", "lateral3"));
    ROW(ADD("sum3", "lateral3", "up3", LINEAR));
    ROW(UPSAMPLE("up2", "sum3", "lateral2"));
    ROW(ADD("sum2", "lateral2", "up2", LINEAR));
    ROW(CONV("p2", "sum2", f, f, 3, LINEAR));
    ROW(CONV("p3", "sum3", f, f, 3, LINEAR));
    ROW(CONV("p4", "sum4", f, f, 3, LINEAR));
    return n;
}

#define SHARED(name, from, ci, co, k, act, owner) \
    ROW(CONV_AS(name, from, ci, co, k, act, .weights = owner))

static int add_rpn(int f, rg_row *rows)
{
    const int k = RG_CLARAN_ANCHORS / RG_CLARAN_LEVELS;
    int n = 0;
    ROW(CONV("rpn_conv/3x3", "p2", f, f, 3, RELU));
    SHARED("rpn_conv/p3", "p3", f, f, 3, RELU, "rpn_conv/3x3");
    SHARED("rpn_conv/p4", "p4", f, f, 3, RELU, "rpn_conv/3x3");
    ROW(CONV_STD("rpn_cls_score/p2", "rpn_conv/3x3", f, 2 * k, 1, LINEAR, 0.01f));
    SHARED("rpn_cls_score/p3", "rpn_conv/p3", f, 2 * k, 1, LINEAR, "rpn_cls_score/p2");
    SHARED("rpn_cls_score/p4", "rpn_conv/p4", f, 2 * k, 1, LINEAR, "rpn_cls_score/p2");
    ROW(CONV_STD("rpn_bbox_pred/p2", "rpn_conv/3x3", f, 4 * k, 1, LINEAR, 0.01f));
    SHARED("rpn_bbox_pred/p3", "rpn_conv/p3", f, 4 * k, 1, LINEAR, "rpn_bbox_pred/p2");
    SHARED("rpn_bbox_pred/p4", "rpn_conv/p4", f, 4 * k, 1, LINEAR, "rpn_bbox_pred/p2");
    ROW(CONCAT("rpn_bbox_pred", "rpn_bbox_pred/p2", "rpn_bbox_pred/p3",
               "rpn_bbox_pred/p4", 1));
    ROW(CONCAT("rpn_cls_score", "rpn_cls_score/p2", "rpn_cls_score/p3",
               "rpn_cls_score/p4", 2));
    ROW(SOFTMAX("rpn_cls_prob", "rpn_cls_score", 2));
    return n;
}

/* A RoI is pooled on one level; the others make zeros. */
#define LEVEL(n, features, stride, from, to) \
    ROW(STPOOL_AS(n, features, "rois", RG_CLARAN_GRID, stride, .least = from, \
                  .most = to, .sampling = sampling))
static int add_pooling(rg_sampling sampling, rg_row *rows)
{
    int n = 0;
    LEVEL("pool_5",  "p2", 4,  0,          8 * CELLS);
    LEVEL("pool_p3", "p3", 8,  8 * CELLS,  16 * CELLS);
    LEVEL("pool_p4", "p4", 16, 16 * CELLS, 0);
    ROW(ADD("pool_p34", "pool_p3", "pool_p4", LINEAR));
    ROW(ADD("pooled", "pool_5", "pool_p34", LINEAR));
    return n;
}
#undef LEVEL

int rg_pyramid_rows(const rg_claran *model, const rg_claran_run *run, rg_row *rows)
{
    const int s = model->input, w = model->width, f = 4 * w;
    const int anchors = rg_claran_anchors(model);
    int n = 0;
    ROW(INPUT("data", run->batch, 3, s, s));
    n += add_backbone(w, rows + n);
    n += add_levels(w, rows + n);
    n += add_rpn(f, rows + n);
    n += rg_claran_rois(model, run, rows + n);
    n += add_pooling(model->sampling, rows + n);
    n += rg_claran_head(model, run, "pooled", f, rows + n);
    if (!run->training) return n;
    ROW(INPUT("rpn_labels",  run->batch, anchors,     1, 1));
    ROW(INPUT("rpn_targets", run->batch, 4 * anchors, 1, 1));
    ROW(INPUT("rpn_weights", run->batch, 4 * anchors, 1, 1));
    return n + rg_claran_losses(run, rows + n);
}

/* SPDX-License-Identifier: MIT */
/* backbone: files that hold a network's convolutions only, for others to begin with.
 *
 *     rg_backbone backbone = { .width = 64, .mean = { 103.939f, 116.779f, 123.68f } };
 *     RG_TRY(rg_backbone_describe(&backbone, weights));
 *     ...
 *     RG_TRY(rg_backbone_load(net, "vgg16.fits", width, &backbone));
 *
 * Such a file is a model file (core/engine/weights) whose keyword MODEL is "backbone",
 * with the weights of conv1_1 to conv5_3, WIDTH, and the means they were trained with.
 */
#ifndef RG_BACKBONE_H
#define RG_BACKBONE_H

#include "core/detector/claran.h"
#include "core/engine/net.h"

typedef struct rg_backbone {
    int width;                /* channels of conv1 */
    float mean[3];            /* B, G, R subtracted from the 8-bit image */
    bool any_method;          /* the means hold for every method; else for this: */
    rg_method method;
} rg_backbone;

/* To the keywords of such a file, and from them (or from a whole model's); values out
 * of range are sentences. */
int rg_backbone_describe(const rg_backbone *backbone, rg_weights *weights);
int rg_backbone_recognise(rg_backbone *backbone, const rg_weights *weights);

/* Whether the means hold for that method. */
bool rg_backbone_fits(const rg_backbone *backbone, rg_method method);

/* conv1_1 to conv5_3 of `net`, which is of this width, into `weights`. */
int rg_backbone_save(rg_net *net, int width, rg_weights *weights);

/* conv1_1 to conv5_3 of `net`, which is of this width, from a file made with the above
 * or from a whole model (never a checkpoint); nothing of the rest is touched.  *found
 * says what it is, and the lines of its record are added to `record` unless that is
 * NULL. */
int rg_backbone_load(rg_net *net, const char *path, int width, rg_backbone *found,
                     rg_weights *record);

#endif

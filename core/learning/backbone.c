/* SPDX-License-Identifier: MIT */
#include "core/learning/backbone.h"

#include <stdio.h>
#include <string.h>

#include "core/engine/error.h"

static const char *const mean_key[3] = { "MEAN_B", "MEAN_G", "MEAN_R" };

int rg_backbone_describe(const rg_backbone *backbone, rg_weights *weights)
{
    RG_TRY(rg_weights_set_text(weights, "MODEL", "backbone",
                               "conv1_1 to conv5_3 of Wu et al. 2019"));
    if (!backbone->any_method)
        RG_TRY(rg_weights_set_text(weights, "METHOD", rg_fuse_name(backbone->method),
                                   "input image, section 3.4"));
    RG_TRY(rg_weights_set_number(weights, "WIDTH", backbone->width,
                                 "channels of conv1"));
    for (int c = 0; c < 3; c++)
        RG_TRY(rg_weights_set_number(weights, mean_key[c], backbone->mean[c],
                                     "subtracted from the 8-bit image"));
    return 0;
}

int rg_backbone_recognise(rg_backbone *found, const rg_weights *weights)
{
    char text[72];
    double number;
    RG_TRY(rg_weights_text(weights, "MODEL", text, sizeof text));
    if (strcmp(text, "backbone") != 0 && strcmp(text, "ClaRAN") != 0)
        return RG_FAIL("MODEL is \"%s\": neither a backbone nor a model", text);
    RG_TRY(rg_weights_number(weights, "WIDTH", &number));
    if (!(number >= 1 && number <= 4096)) return RG_FAIL("WIDTH is %g", number);
    *found = (rg_backbone){ .width = (int)number, .any_method = true };
    for (int c = 0; c < 3; c++) {
        RG_TRY(rg_weights_number(weights, mean_key[c], &number));
        if (!(number >= 0 && number <= 255))
            return RG_FAIL("%s is %g, which is no mean of an 8-bit image", mean_key[c],
                           number);
        found->mean[c] = (float)number;
    }
    if (!rg_weights_has(weights, "METHOD")) return 0;
    found->any_method = false;
    RG_TRY(rg_weights_text(weights, "METHOD", text, sizeof text));
    return rg_fuse_method(text, &found->method);
}

bool rg_backbone_fits(const rg_backbone *backbone, rg_method method)
{
    return backbone->any_method || backbone->method == method;
}

static int load_param(rg_net *net, rg_weights *weights, const char *name,
                      rg_shape shape)
{
    const rg_weight *w = rg_weights_find(weights, name);
    if (w == NULL) return RG_FAIL("it has no weights called %s", name);
    if (memcmp(&w->shape, &shape, sizeof shape) != 0)
        return RG_FAIL("%s is [%d, %d, %d, %d], the network wants [%d, %d, %d, %d]",
                       name, w->shape.n, w->shape.c, w->shape.h, w->shape.w, shape.n,
                       shape.c, shape.h, shape.w);
    return rg_net_put_param(net, name, RG_VALUE, w->data);
}

static int save_param(rg_net *net, rg_weights *weights, const char *name,
                      rg_shape shape)
{
    rg_weight *w = rg_weights_add(weights, name, shape, NULL);
    return w ? rg_net_get_param(net, name, RG_VALUE, w->data) : -1;
}

/* `carry` every weight and bias of the backbone. */
static int for_each(rg_net *net, int width, rg_weights *weights,
                    int (*carry)(rg_net *, rg_weights *, const char *, rg_shape))
{
    rg_row rows[RG_CLARAN_ROWS];
    int n = rg_claran_backbone(width, rows);
    for (int i = 0; i < n; i++) {
        rg_shape weight, bias;
        char name[80];
        rg_layer_weights(&rows[i], &weight, &bias);
        if (weight.n == 0) continue;
        snprintf(name, sizeof name, "%s.bias", rows[i].name);
        RG_TRY(carry(net, weights, rows[i].name, weight));
        RG_TRY(carry(net, weights, name, bias));
    }
    return 0;
}

int rg_backbone_save(rg_net *net, int width, rg_weights *weights)
{
    return for_each(net, width, weights, save_param);
}

int rg_backbone_load(rg_net *net, const char *path, int width, rg_backbone *found,
                     rg_weights *record)
{
    rg_weights *weights;
    RG_TRY(rg_weights_read(&weights, path));
    int status = rg_backbone_recognise(found, weights);
    if (status == 0 && rg_weights_has(weights, "CHECKPT"))
        status = RG_FAIL("it is a checkpoint: use the file beside it");
    if (status == 0 && found->width != width)
        status = RG_FAIL("its width is %d, the network's %d: give --width %d",
                         found->width, width, found->width);
    if (status == 0) status = for_each(net, width, weights, load_param);
    for (int i = 0; status == 0 && record && i < rg_weights_histories(weights); i++)
        status = rg_weights_add_history(record, rg_weights_history(weights, i));
    rg_weights_free(weights);
    return status == 0 ? 0 : rg_error_prefix("%s: ", path);
}

/* SPDX-License-Identifier: MIT */
#include "core/learning/recipe.h"

#include <string.h>

#include "core/engine/error.h"

/* "Training targets", proposals and dropout, in which the two agree. */
#define SAMPLING                                                                       \
    .targets = { .anchors = 256, .positives = 0.5f, .positive = 0.7f,                  \
                 .negative = 0.3f, .foregrounds = 0.25f, .foreground = 0.5f },         \
    .proposals = { .before = 12000, .after = 2000, .iou = 0.7f, .smallest = 4 },       \
    .augment.brighten = 1, .dropout = 0.5f

#define RUNNING .backend = "auto", .seed = 1, .checkpoint = 1000, .report = 50

const rg_recipe rg_recipe_default = {
    .name = "default",
    .model = { .input = 256, .width = 32, .fc = 256,
               .anchor = { 20, 32, 48, 72, 108, 160 }, .method = RG_METHOD_D1 },
    .how = {
        RUNNING,
        SAMPLING,
        .schedule = { .rate = 3e-4f, .steps = 20000, .fall = 0.1f, .cosine = 1,
                      .warmup = 500 },
        .optimizer = { .rule = RG_ADAM, .momentum = 0.9f, .beta2 = 0.999f,
                       .epsilon = 1e-8f, .decay = 1e-4f, .clip = 5 },
        .batch = 4,
        .rois = 64,
        .flips = 1,
        .turns = 1,
        .shift = 54,
        .balance = 0.5,
    },
};

const rg_recipe rg_recipe_paper = {
    .name = "paper",
    .model = { .input = 600, .width = 64, .fc = 4096,
               .anchor = { 16, 32, 64, 128, 256, 512 }, .method = RG_METHOD_D1 },
    .how = {
        RUNNING,
        SAMPLING,
        .schedule = { .rate = 1e-3f, .steps = 80000, .drop = { 50000, 80000 },
                      .fall = 0.1f },
        .optimizer = { .rule = RG_SGD, .momentum = 0.9f, .beta2 = 0.999f,
                       .epsilon = 1e-8f },
        .spread = 0.01f,
        .batch = 1,
        .rois = 128,
        .flips = 1,
    },
    .freeze = "..conv2_2",
};

int rg_recipe_find(const char *name, const rg_recipe **recipe)
{
    static const rg_recipe *const all[] = { &rg_recipe_default, &rg_recipe_paper };
    for (int i = 0; i < 2; i++)
        if (strcmp(name, all[i]->name) == 0) return *recipe = all[i], 0;
    return RG_FAIL("there is no recipe \"%s\": default or paper", name);
}

const char *rg_recipe_freeze(const rg_recipe *recipe, const rg_train_options *how)
{
    return how->start || how->backbone ? recipe->freeze : NULL;
}

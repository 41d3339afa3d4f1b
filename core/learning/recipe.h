/* SPDX-License-Identifier: MIT */
/* recipe: all settings of a training under one name.
 *
 *     const rg_recipe *recipe;
 *     RG_TRY(rg_recipe_find("paper", &recipe));
 *     rg_train_options how = recipe->how;
 *     how.freeze = rg_recipe_freeze(recipe, &how);
 *     RG_TRY(rg_train(lists, nlists, &recipe->model, &how, "model.fits"));
 */
#ifndef RG_RECIPE_H
#define RG_RECIPE_H

#include "core/learning/train.h"

typedef struct rg_recipe {
    const char *name;
    rg_claran model;          /* means 0: measured on the lists */
    rg_train_options how;
    const char *freeze;       /* rows not trained where the run starts from weights */
} rg_recipe;

/* Ours, for the network of the shipped models; Wu et al. (2019), spec/claran.md. */
extern const rg_recipe rg_recipe_default, rg_recipe_paper;

/* By name; fails naming those there are. */
int rg_recipe_find(const char *name, const rg_recipe **recipe);

/* recipe->freeze if `how` starts from weights, else NULL. */
const char *rg_recipe_freeze(const rg_recipe *recipe, const rg_train_options *how);

#endif

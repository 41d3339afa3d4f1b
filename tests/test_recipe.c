/* SPDX-License-Identifier: MIT */
/* Recipes against spec/claran.md, and how rows to freeze are written. */
#include "tests/check.h"

#include "core/learning/factor.h"
#include "core/learning/recipe.h"

static void the_papers_recipe_is_the_papers(void)
{
    const rg_recipe *r;
    CHECK_OK(rg_recipe_find("paper", &r));
    const rg_train_options *how = &r->how;
    const float anchor[] = { 16, 32, 64, 128, 256, 512 };
    CHECK(r->model.input == 600 && r->model.width == 64 && r->model.fc == 4096);
    CHECK(memcmp(r->model.anchor, anchor, sizeof anchor) == 0);
    CHECK(how->optimizer.rule == RG_SGD && how->batch == 1);
    CHECK_NEAR(how->optimizer.momentum, 0.9, 1e-7);
    CHECK(how->optimizer.decay == 0 && how->optimizer.clip == 0 && how->ema == 0);
    CHECK_NEAR(rg_schedule_rate(&how->schedule, 0), 1e-3, 1e-9);
    CHECK_NEAR(rg_schedule_rate(&how->schedule, 50000), 1e-4, 1e-9);
    CHECK_NEAR(rg_schedule_rate(&how->schedule, 80000), 1e-5, 1e-9);
    CHECK(how->targets.anchors == 256 && how->targets.positives == 0.5f);
    CHECK(how->targets.positive == 0.7f && how->targets.negative == 0.3f);
    CHECK(how->rois == 128 && how->targets.foregrounds * 128 == 32);
    CHECK(how->targets.foreground == 0.5f && how->targets.background == 0);
    CHECK(how->proposals.before == 12000 && how->proposals.after == 2000);
    CHECK(how->proposals.iou == 0.7f && how->proposals.smallest == 4);
    CHECK(how->dropout == 0.5f && how->spread == 0.01f);
    CHECK(how->flips && !how->turns && how->shift == 0 && how->balance == 0);
}

static void its_first_rows_are_frozen_where_it_starts_from_weights(void)
{
    rg_train_options how = rg_recipe_paper.how;
    CHECK(rg_recipe_freeze(&rg_recipe_paper, &how) == NULL);
    how.start = "vgg16.fits";
    CHECK(strcmp(rg_recipe_freeze(&rg_recipe_paper, &how), "..conv2_2") == 0);
    CHECK(rg_recipe_freeze(&rg_recipe_default, &how) == NULL);
}

static void the_default_is_the_shipped_models_network(void)
{
    const rg_recipe *r;
    const float anchor[] = { 20, 32, 48, 72, 108, 160 };
    CHECK_OK(rg_recipe_find("default", &r));
    CHECK(r->model.input == 256 && r->model.width == 32 && r->model.fc == 256);
    CHECK(memcmp(r->model.anchor, anchor, sizeof anchor) == 0);
    CHECK_FAILS(rg_recipe_find("cake", &r), "\"cake\": default or paper");
}

static void factors_are_read(void)
{
    rg_factors f;
    CHECK_OK(rg_factor_read(&f, "..conv2_2,fc6", "conv*=0.1,*.bias=2"));
    CHECK(f.n == 4);
    CHECK(strcmp(f.of[0].pattern, "..conv2_2") == 0 && f.of[0].by == 0);
    CHECK(strcmp(f.of[2].pattern, "conv*") == 0);
    CHECK_NEAR(f.of[2].by, 0.1, 1e-7);
    CHECK(strcmp(f.of[3].pattern, "*.bias") == 0 && f.of[3].by == 2);
    CHECK_OK(rg_factor_read(&f, NULL, NULL));
    CHECK(f.n == 0);
    CHECK_OK(rg_factor_read(&f, "none", ""));
    CHECK(f.n == 0);
    CHECK_FAILS(rg_factor_read(&f, "a,,b", NULL), "\"\" is no row");
    CHECK_FAILS(rg_factor_read(&f, "a=1", NULL), "\"a=1\" is no row");
    CHECK_FAILS(rg_factor_read(&f, NULL, "conv"), "PATTERN=FACTOR");
    CHECK_FAILS(rg_factor_read(&f, NULL, "conv=much"), "PATTERN=FACTOR");
    CHECK_FAILS(rg_factor_read(&f, NULL, "=3"), "PATTERN=FACTOR");
    static char many[5000];
    memset(many, 'a', sizeof many - 1);
    CHECK_FAILS(rg_factor_read(&f, many, NULL), "too long");
    for (int i = 1; i < 400; i += 2) many[i] = ',';
    many[400] = '\0';
    CHECK_FAILS(rg_factor_read(&f, many, NULL), "more than 64");
}

int main(void)
{
    CHECK_RUN(the_papers_recipe_is_the_papers);
    CHECK_RUN(its_first_rows_are_frozen_where_it_starts_from_weights);
    CHECK_RUN(the_default_is_the_shipped_models_network);
    CHECK_RUN(factors_are_read);
    return CHECK_END();
}

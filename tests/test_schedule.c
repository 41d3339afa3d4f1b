/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include "core/learning/schedule.h"

static void the_rate_drops_by_steps(void)
{
    const rg_schedule paper = { .rate = 1e-3f, .steps = 100000, .fall = 0.1f,
                                .drop = { 50000, 80000 } };
    CHECK_NEAR(rg_schedule_rate(&paper, 0), 1e-3, 1e-9);
    CHECK_NEAR(rg_schedule_rate(&paper, 49999), 1e-3, 1e-9);
    CHECK_NEAR(rg_schedule_rate(&paper, 50000), 1e-4, 1e-10);
    CHECK_NEAR(rg_schedule_rate(&paper, 80000), 1e-5, 1e-11);
}

static void the_rate_falls_as_a_cosine_after_a_warm_up(void)
{
    const rg_schedule cosine = { .rate = 0.2f, .steps = 1000, .fall = 0.1f, .cosine = 1,
                                 .warmup = 10, .drop = { 5 } };
    CHECK_NEAR(rg_schedule_rate(&cosine, 0), 0.02, 1e-7);
    CHECK_NEAR(rg_schedule_rate(&cosine, 4), 0.1, 1e-4);
    CHECK_NEAR(rg_schedule_rate(&cosine, 500), 0.1, 1e-6);
    CHECK_NEAR(rg_schedule_rate(&cosine, 250), 0.1 * (1 + sqrt(0.5)), 1e-6);
    CHECK_NEAR(rg_schedule_rate(&cosine, 1000), 0, 1e-7);
}

static void bad_schedules_are_sentences(void)
{
    rg_schedule s = { .rate = 1, .steps = 10, .fall = 0.1f, .drop = { 1, 2, 3, 4 } };
    CHECK_OK(rg_schedule_check(&s));
    s.drop[2] = 2;
    CHECK_FAILS(rg_schedule_check(&s), "must rise");
    s.drop[0] = 0;
    s.rate = NAN;
    CHECK_FAILS(rg_schedule_check(&s), "must be positive");
    s.rate = 1;
    s.fall = 2;
    CHECK_FAILS(rg_schedule_check(&s), "factor of 2");
    s.steps = 0;
    CHECK_FAILS(rg_schedule_check(&s), "0 steps");
}

int main(void)
{
    CHECK_RUN(the_rate_drops_by_steps);
    CHECK_RUN(the_rate_falls_as_a_cosine_after_a_warm_up);
    CHECK_RUN(bad_schedules_are_sentences);
    return CHECK_END();
}

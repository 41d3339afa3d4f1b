/* SPDX-License-Identifier: MIT */
#include "core/learning/schedule.h"

#include <math.h>

#include "core/engine/error.h"

float rg_schedule_rate(const rg_schedule *s, long step)
{
    float rate = s->rate;
    if (s->cosine)
        rate *= 0.5f * (1 + cosf(3.14159265f * (float)step / (float)s->steps));
    for (int i = 0; !s->cosine && s->drop[i] > 0; i++)
        if (step >= s->drop[i]) rate *= s->fall;
    if (step < s->warmup) rate *= (float)(step + 1) / (float)s->warmup;
    return rate;
}

int rg_schedule_check(const rg_schedule *s)
{
    if (s->steps < 1) return RG_FAIL("%ld steps: at least 1 is needed", s->steps);
    if (!(s->rate > 0) || !isfinite(s->rate))
        return RG_FAIL("the learning rate must be positive, not %g", s->rate);
    if (!(s->fall > 0) || !(s->fall <= 1))
        return RG_FAIL("the rate cannot fall by a factor of %g: 0 to 1", s->fall);
    for (int i = 0; s->drop[i] != 0; i++)
        if (i == RG_SCHEDULE_DROPS || s->drop[i] <= (i > 0 ? s->drop[i - 1] : 0))
            return RG_FAIL("the steps after which the rate falls must rise, and be "
                           "%d at most", RG_SCHEDULE_DROPS);
    return 0;
}

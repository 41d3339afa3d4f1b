/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include "regions/name.h"

static int named(double ra, double dec, const char *wanted)
{
    char name[RG_NAME_SIZE];
    rg_name_format(ra, dec, name);
    if (strcmp(name, wanted) == 0) return 1;
    printf("%.9f %.9f is \"%s\", not \"%s\"\n", ra, dec, name, wanted);
    return 0;
}

static void name_is_truncated(void)
{
    double ra = 15 * (23 + 59 / 60.0 + 59.99 / 3600);
    CHECK(named(ra, 89 + 59 / 60.0 + 59.99 / 3600, "RGCL J235959.9+895959"));
    CHECK(named(15 * (9.999 / 3600), 0.9999 / 3600, "RGCL J000009.9+000000"));
    CHECK(named(187.7059304, 12.3911231, "RGCL J123049.4+122328"));
}

static void name_keeps_sign_near_equator(void)
{
    CHECK(named(150, -0.5, "RGCL J100000.0-003000"));
    CHECK(named(150, -0.2 / 3600, "RGCL J100000.0-000000"));
    CHECK(named(150, 0, "RGCL J100000.0+000000"));
    CHECK(named(150, -1, "RGCL J100000.0-010000"));
}

static void name_has_no_sixtieth_second(void)
{
    CHECK(named(15 * (10 + 59.97 / 3600), 59.97 / 3600, "RGCL J100059.9+000059"));
    CHECK(named(15 * (10 + 59 / 60.0 + 59.999 / 3600), -(59 / 60.0 + 59.999 / 3600),
                "RGCL J105959.9-005959"));
    CHECK(named(15 * (23 + 59 / 60.0 + 59.99 / 3600), -1 / 7200.0,
                "RGCL J235959.9-000000"));
}

static void name_wraps(void)
{
    CHECK(named(360, 0, "RGCL J000000.0+000000"));
    CHECK(named(-15, 0, "RGCL J230000.0+000000"));
    CHECK(named(359.9999999999999, -90, "RGCL J235959.9-900000"));
}

/* Every tenth of a second and whole second survives the way through decimal degrees. */
static void name_of_exact_digits(void)
{
    int wrong = 0;
    for (int t = 0; t < 864000; t += 7) {
        char name[RG_NAME_SIZE], wanted[64];
        int s = t % 324000;
        rg_name_format(15 * (t / 36000 + t / 600 % 60 / 60.0 + t % 600 / 36000.0),
                       -(s / 3600 + s / 60 % 60 / 60.0 + s % 60 / 3600.0), name);
        snprintf(wanted, sizeof wanted, "RGCL J%02d%02d%02d.%d%c%02d%02d%02d",
                 t / 36000, t / 600 % 60, t / 10 % 60, t % 10, s ? '-' : '+', s / 3600,
                 s / 60 % 60, s % 60);
        wrong += strcmp(name, wanted) != 0;
    }
    CHECK(wrong == 0);
}

int main(void)
{
    CHECK_RUN(name_is_truncated);
    CHECK_RUN(name_keeps_sign_near_equator);
    CHECK_RUN(name_has_no_sixtieth_second);
    CHECK_RUN(name_wraps);
    CHECK_RUN(name_of_exact_digits);
    return CHECK_END();
}

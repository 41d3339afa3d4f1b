/* SPDX-License-Identifier: MIT */
/* check: the test harness.
 *
 *     static void adds(void) { CHECK(1 + 1 == 2); CHECK_NEAR(0.1 + 0.2, 0.3, 1e-12); }
 *     int main(void) { CHECK_RUN(adds); return CHECK_END(); }
 *
 * Prints "ok NAME", "FAIL NAME" or "skip NAME: reason" a test, and what failed where.
 * tests/summary.sh counts those lines.
 */
#ifndef RG_CHECK_H
#define RG_CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

static int check_failures_, check_failed_, check_skipped_;

#define CHECK(condition) \
    do { if (!(condition)) { check_failed_ = 1; \
        printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); } } while (0)

/* A call that returns 0, or its sentence is printed. */
#define CHECK_OK(call) \
    do { if ((call) != 0) { check_failed_ = 1; \
        printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, rg_error_message()); } \
    } while (0)

/* A call that must fail with a sentence that contains `words`. */
#define CHECK_FAILS(call, words) \
    do { if ((call) == 0 || strstr(rg_error_message(), words) == NULL) { \
        check_failed_ = 1; printf("%s:%d: %s should fail with \"%s\", said \"%s\"\n", \
            __FILE__, __LINE__, #call, words, rg_error_message()); } } while (0)

/* NaN is far from everything. */
#define CHECK_NEAR(value, wanted, tolerance) \
    do { double v_ = (value), w_ = (wanted); if (!(fabs(v_ - w_) <= (tolerance))) { \
        check_failed_ = 1; printf("%s:%d: %s = %.9g, wanted %.9g within %g\n", \
            __FILE__, __LINE__, #value, v_, w_, (double)(tolerance)); } } while (0)

#define CHECK_SKIP(reason)                                                             \
    do {                                                                               \
        check_skipped_ = 1;                                                            \
        printf("skip %s: %s\n", __func__, reason);                                     \
        return;                                                                        \
    } while (0)

#define CHECK_RUN(test) \
    do { check_failed_ = check_skipped_ = 0; test(); \
        if (check_failed_) { check_failures_++; printf("FAIL %s\n", #test); } \
        else if (!check_skipped_) printf("ok %s\n", #test); \
        fflush(stdout); } while (0)

#define CHECK_END() (check_failures_ ? EXIT_FAILURE : EXIT_SUCCESS)

/* The folder of real data, NULL where it is absent. */
__attribute__((unused)) static const char *check_shared(void)
{
    static char path[4096];
    const char *given = getenv("RG_SHARED"), *source = getenv("srcdir");
    if (given) snprintf(path, sizeof path, "%s", given);
    else snprintf(path, sizeof path, "%s/../shared", source ? source : ".");
    char probe[4200];
    snprintf(probe, sizeof probe, "%s/data/first/rgz_train.csv", path);
    FILE *file = fopen(probe, "r");
    if (file == NULL) return NULL;
    fclose(file);
    return path;
}

#endif

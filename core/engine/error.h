/* SPDX-License-Identifier: MIT */
/* error: how every function here fails.
 *
 *     int rg_thing_do(const char *path)
 *     {
 *         if (path == NULL) return RG_FAIL("no file was named");
 *         RG_TRY(rg_other_do(path));        // passes the other's failure up
 *         return 0;
 *     }
 *
 * Functions return 0, or -1 after leaving one sentence per thread that says what was
 * wrong, where (file, row, keyword), the value met, and the cure where there is one.
 * The library never prints, exits or aborts on bad input.  Only plugin/ prints it.
 */
#ifndef RG_ERROR_H
#define RG_ERROR_H

#define RG_TRY(call) do { if ((call) != 0) return -1; } while (0)
#define RG_FAIL(...) rg_error_set(__VA_ARGS__)

/* Keep the sentence (printf style, cut at 1023 bytes); always returns -1. */
int rg_error_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Put words before the kept sentence: "model.fits: " + sentence; always returns -1. */
int rg_error_prefix(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The last sentence of this thread, "" when nothing failed yet; owned by us. */
const char *rg_error_message(void);

/* calloc that leaves a sentence: NULL after "out of memory: N bytes for WHAT". */
void *rg_error_alloc(unsigned long count, unsigned long size, const char *what);

/* Memory that a library did not get: leaves "out of memory for WHAT"; always returns
 * -1. */
int rg_error_memory(const char *what);

/* How often either of the two had to say so, in any thread.  A function that takes
 * failures of others for an answer (this place is off the sky) compares before and
 * after: for want of memory nothing is off the sky. */
unsigned rg_error_shortages(void);

/* The analyzer of clang-tidy sees one source at a time: here it is told what fails. */
#ifdef __clang_analyzer__
#define rg_error_set(...) (rg_error_set(__VA_ARGS__), -1)
#define rg_error_prefix(...) (rg_error_prefix(__VA_ARGS__), -1)
#endif

#endif

/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <stdint.h>

static int inner(void) { return RG_FAIL("%s has %d axes", "a.fits", 3); }
static int outer(void) { RG_TRY(inner()); return 0; }

static void a_failure_is_passed_up_with_its_sentence(void)
{
    CHECK(outer() == -1);
    CHECK(strcmp(rg_error_message(), "a.fits has 3 axes") == 0);
}

static void a_prefix_goes_before_the_sentence(void)
{
    inner();
    CHECK(rg_error_prefix("row %s: ", "conv1_1") == -1);
    CHECK(strcmp(rg_error_message(), "row conv1_1: a.fits has 3 axes") == 0);
}

static void a_sentence_may_quote_the_last_one(void)
{
    RG_FAIL("one");
    RG_FAIL("two after %s", rg_error_message());
    CHECK(strcmp(rg_error_message(), "two after one") == 0);
}

static void long_sentences_are_cut(void)
{
    char words[3000];
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = 0;
    RG_FAIL("%s", words);
    CHECK(strlen(rg_error_message()) == 1023);
    rg_error_prefix("%s", words);
    CHECK(strlen(rg_error_message()) == 1023);
}

static void an_impossible_allocation_is_a_sentence(void)
{
    CHECK(rg_error_alloc(SIZE_MAX / 2, 4, "a sky") == NULL);
    CHECK(strstr(rg_error_message(), "a sky") != NULL);
}

int main(void)
{
    CHECK_RUN(a_failure_is_passed_up_with_its_sentence);
    CHECK_RUN(a_prefix_goes_before_the_sentence);
    CHECK_RUN(a_sentence_may_quote_the_last_one);
    CHECK_RUN(long_sentences_are_cut);
    CHECK_RUN(an_impossible_allocation_is_a_sentence);
    return CHECK_END();
}

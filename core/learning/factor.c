/* SPDX-License-Identifier: MIT */
#include "core/learning/factor.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

enum { MOST = sizeof ((rg_factors *)0)->of / sizeof *((rg_factors *)0)->of };

/* One word, cut in place. */
static int take(rg_factors *out, char *word, bool freeze)
{
    char *equals = strchr(word, '='), *end = NULL;
    float by = 0;
    if (!freeze && equals) by = strtof(equals + 1, &end);
    if (*word == '\0' || equals == word || !freeze != (equals != NULL)
        || (end && (end == equals + 1 || *end != '\0')))
        return RG_FAIL("\"%s\" is no %s", word,
                       freeze ? "row to freeze" : "PATTERN=FACTOR, like conv*=0.1");
    if (equals) *equals = '\0';
    if (out->n == MOST) return RG_FAIL("more than %d patterns of rows", MOST);
    out->of[out->n++] = (rg_net_factor){ word, by };
    return 0;
}

static int take_all(rg_factors *out, char *list, bool freeze)
{
    if (*list == '\0' || strcmp(list, "none") == 0) return 0;
    while (list != NULL) RG_TRY(take(out, strsep(&list, ","), freeze));
    return 0;
}

int rg_factor_read(rg_factors *out, const char *freeze, const char *factors)
{
    if (freeze == NULL) freeze = "";
    if (factors == NULL) factors = "";
    size_t first = strlen(freeze) + 1;
    out->n = 0;
    if (first + strlen(factors) + 1 > sizeof out->text)
        return RG_FAIL("the patterns of rows are too long: \"%.40s...\"", freeze);
    strcpy(out->text, freeze);
    strcpy(out->text + first, factors);
    RG_TRY(take_all(out, out->text, true));
    return take_all(out, out->text + first, false);
}

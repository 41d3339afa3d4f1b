/* SPDX-License-Identifier: MIT */
#include "plugin/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/engine/error.h"
#include "plugin/home.h"

enum { FILE_MOST = 1 << 16 };

/* The words that may be, between blanks; NULL: a number from 0 to 1, "": a line. */
static const struct { const char *name, *words; } known[RG_SETTINGS] = {
    [RG_SETTING_METHOD] = { "method", "auto F D1 D2 D3 D4" },
    [RG_SETTING_MODEL] = { "model", "" },
    [RG_SETTING_THRESHOLD] = { "threshold", NULL },
    [RG_SETTING_INFRARED] = { "ir-frame", "" },
    [RG_SETTING_SEARCH] = { "search", "frame view selected" },
    [RG_SETTING_DEVICE] = { "backend", "auto gpu cpu ref" },
    [RG_SETTING_COLOURS] = { "colours", "one class" },
    [RG_SETTING_LABELS] = { "labels", "yes no" },
    [RG_SETTING_ALTERNATIVES] = { "alternatives", "yes no" },
    [RG_SETTING_LIVE] = { "live", "yes no" },
};

const rg_settings rg_settings_default = { {
    [RG_SETTING_METHOD] = "auto", [RG_SETTING_MODEL] = "auto",
    [RG_SETTING_THRESHOLD] = "0.8", [RG_SETTING_INFRARED] = "auto",
    [RG_SETTING_SEARCH] = "frame", [RG_SETTING_DEVICE] = "auto",
    [RG_SETTING_COLOURS] = "one", [RG_SETTING_LABELS] = "yes",
    [RG_SETTING_ALTERNATIVES] = "no", [RG_SETTING_LIVE] = "no",
} };

const char *rg_settings_name(rg_setting which)
{
    return known[which].name;
}

/* The word of the list that `value` is, in the list's spelling. */
static int find_word(rg_setting which, const char *value, char word[16])
{
    const char *words = known[which].words;
    for (const char *w = words; *w; w += strspn(w, " ")) {
        int n = (int)strcspn(w, " ");
        snprintf(word, 16, "%.*s", n, w);
        if (strcasecmp(word, value) == 0) return 0;
        w += n;
    }
    return RG_FAIL("%s is one of %s, not \"%.100s\"", known[which].name, words, value);
}

static int check_line(rg_setting which, const char *value)
{
    size_t n = strlen(value);
    if (n == 0 || n >= RG_SETTING_SIZE)
        return RG_FAIL("%s is empty or longer than %d characters", known[which].name,
                       RG_SETTING_SIZE - 1);
    for (const char *c = value; *c; c++)
        if (iscntrl((unsigned char)*c))
            return RG_FAIL("%s has a control character in it", known[which].name);
    return 0;
}

static int check_number(rg_setting which, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    if (end != value && *end == '\0' && number >= 0 && number <= 1
        && strlen(value) < 32) return 0;
    return RG_FAIL("%s is a number from 0 to 1, not \"%.100s\"", known[which].name,
                   value);
}

int rg_settings_put(rg_settings *s, rg_setting which, const char *value)
{
    char word[16];
    if (known[which].words == NULL) {
        RG_TRY(check_number(which, value));
    } else if (*known[which].words != '\0') {
        RG_TRY(find_word(which, value, word));
        value = word;
    } else {
        if (*value == '\0' || strcasecmp(value, "auto") == 0) value = "auto";
        RG_TRY(check_line(which, value));
    }
    snprintf(s->value[which], RG_SETTING_SIZE, "%s", value);
    return 0;
}

const char *rg_settings_text(const rg_settings *s, rg_setting which)
{
    return rg_settings_is(s, which, "auto") ? NULL : s->value[which];
}

bool rg_settings_is(const rg_settings *s, rg_setting which, const char *value)
{
    return strcmp(s->value[which], value) == 0;
}

/* ---- the file ---- */

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) end--;
    *end = '\0';
    return text;
}

static int read_line(rg_settings *s, char *line)
{
    char *equals = strchr(line, '=');
    line = trim(line);
    if (*line == '\0' || *line == '#') return 0;
    if (equals == NULL) return RG_FAIL("\"%.60s\" is not KEY = VALUE", line);
    *equals = '\0';
    char *key = trim(line), *value = trim(equals + 1);
    for (int i = 0; i < RG_SETTINGS; i++)
        if (strcmp(key, known[i].name) == 0 && i != RG_SETTING_INFRARED)
            return rg_settings_put(s, (rg_setting)i, value);
    return RG_FAIL("there is no setting \"%.60s\"", key);
}

int rg_settings_read(rg_settings *s)
{
    char path[RG_FILE_NAME], first[1024] = "", *rest;
    int missing, number = 0;
    RG_TRY(rg_home_config("settings", path));
    char *text = rg_home_read(path, FILE_MOST, &missing);
    if (text == NULL) return missing ? 0 : -1;
    for (char *line = text; line != NULL; line = rest) {
        rest = strchr(line, '\n');
        if (rest != NULL) *rest++ = '\0';
        number++;
        if (read_line(s, line) == 0 || *first) continue;
        rg_error_prefix("%s, line %d: ", path, number);
        snprintf(first, sizeof first, "%s", rg_error_message());
    }
    free(text);
    return *first ? RG_FAIL("%s", first) : 0;
}

int rg_settings_write(const rg_settings *s)
{
    char path[RG_FILE_NAME], *text = NULL;
    size_t size = 0;
    RG_TRY(rg_home_config("settings", path));
    FILE *to = open_memstream(&text, &size);
    if (to == NULL) return RG_FAIL("out of memory for the settings");
    fputs("# What was chosen last in DS9's menu ClaRAN > Detect with options...\n", to);
    for (int i = 0; i < RG_SETTINGS; i++)
        if (i != RG_SETTING_INFRARED)
            fprintf(to, "%s = %s\n", known[i].name, s->value[i]);
    int status = fclose(to) != 0 ? RG_FAIL("out of memory for the settings")
                                 : rg_home_write(path, text, size);
    free(text);
    return status;
}

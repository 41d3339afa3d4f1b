/* SPDX-License-Identifier: MIT */
#include "plugin/options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/error.h"
#include "plugin/examples.h"

static bool is_text(const rg_option *o)
{
    return o->kind == RG_OPTION_TEXT || o->kind == RG_OPTION_OUTPUT;
}

static bool is_list(const rg_option *o)
{
    return o->kind == RG_OPTION_TEXTS || o->kind == RG_OPTION_OUTPUTS;
}

void rg_options_value(const rg_option *o, char text[RG_OPTION_VALUE])
{
    const char *words = is_text(o) ? *(const char **)o->value : NULL;
    switch (o->kind) {
    case RG_OPTION_FLAG: words = *(bool *)o->value ? "yes" : "no"; break;
    case RG_OPTION_INT: snprintf(text, RG_OPTION_VALUE, "%d", *(int *)o->value); return;
    case RG_OPTION_LONG:
        snprintf(text, RG_OPTION_VALUE, "%ld", *(long *)o->value);
        return;
    case RG_OPTION_SEED:
        snprintf(text, RG_OPTION_VALUE, "%llu",
                 (unsigned long long)*(uint64_t *)o->value);
        return;
    case RG_OPTION_FLOAT:
        snprintf(text, RG_OPTION_VALUE, "%g", *(float *)o->value);
        return;
    case RG_OPTION_DOUBLE:
        snprintf(text, RG_OPTION_VALUE, "%g", *(double *)o->value);
        return;
    default: break;
    }
    snprintf(text, RG_OPTION_VALUE, "%s", words ? words : "");
}

void rg_options_record(const rg_option *options, char *text, size_t size)
{
    char value[RG_OPTION_VALUE];
    size_t used = 0;
    *text = '\0';
    for (const rg_option *o = options; o->name != NULL && used < size; o++) {
        const rg_texts *texts = o->value;
        int n = is_list(o) ? texts->n : 1;
        for (int i = 0; i < n && used < size; i++) {
            const char *word = value;
            rg_options_value(o, value);
            if (is_list(o)) word = texts->text[i];
            if (*word == '\0') continue;
            used += (size_t)snprintf(text + used, size - used, "%s--%s=%s",
                                     used ? " " : "", o->name, word);
        }
    }
}

static void help_of(const rg_option *o)
{
    char left[64], letter[8] = "    ", value[RG_OPTION_VALUE] = "";
    size_t length = strlen(o->help);
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    bool wants_value = length > 0 && o->help[length - 1] == ':';
    if (wants_value) rg_options_value(o, value);
    if (wants_value && *value == '\0') strcpy(value, "none");
    printf("  %-28s %s%s%s\n", left, o->help, *value ? " " : "", value);
}

static void help(const rg_usage *usage)
{
    const char *example = rg_examples_of(usage->command);
    printf("usage: claran %s%s%s [options]\n\n%s\n\noptions:\n", usage->command,
           *usage->operands ? " " : "", usage->operands, usage->help);
    for (const rg_option *o = usage->options; o->name != NULL; o++) help_of(o);
    printf("      --help                   show this\n");
    if (*example) printf("\nexample:\n  claran %s\n", example);
}

static const rg_option *find(const rg_usage *usage, const char *word, size_t length)
{
    for (const rg_option *o = usage->options; o->name != NULL; o++) {
        if (word[1] == '-') {
            if (strlen(o->name) == length - 2 &&
                strncmp(o->name, word + 2, length - 2) == 0) return o;
        } else if (o->letter == word[1]) {
            return o;
        }
    }
    return NULL;
}

/* 0, or -1 when the text is no number of the kind within the option's limits. */
static int read_number(const rg_option *o, const char *text)
{
    char *end;
    errno = 0;
    bool whole = o->kind == RG_OPTION_INT || o->kind == RG_OPTION_LONG;
    long integer = whole ? strtol(text, &end, 10) : 0;
    double number = whole ? (double)integer : strtod(text, &end);
    double low = o->low, high = o->high;
    if (!(low < high)) {
        low = o->kind == RG_OPTION_INT ? INT32_MIN : -HUGE_VAL;
        high = o->kind == RG_OPTION_INT ? INT32_MAX : HUGE_VAL;
    }
    if (end == text || *end != '\0' || errno == ERANGE || !isfinite(number)) return -1;
    if (number < low || number > high) return -1;
    switch (o->kind) {
    case RG_OPTION_INT: *(int *)o->value = (int)integer; break;
    case RG_OPTION_LONG: *(long *)o->value = integer; break;
    case RG_OPTION_FLOAT: *(float *)o->value = (float)number; break;
    default: *(double *)o->value = number; break;
    }
    return 0;
}

static int read_seed(const rg_option *o, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || errno == ERANGE || *text == '-') return -1;
    *(uint64_t *)o->value = seed;
    return 0;
}

static int add_text(const rg_option *o, const char *text)
{
    rg_texts *list = o->value;
    int room = (int)(sizeof list->text / sizeof *list->text);
    if (list->n == room)
        return rg_options_misuse("--%s is given more than %d times", o->name, room);
    list->text[list->n++] = text;
    return RG_GO_ON;
}

static int take_value(const rg_option *o, const char *text)
{
    if (is_list(o)) return add_text(o, text);
    if (is_text(o)) {
        *(const char **)o->value = text;
        return RG_GO_ON;
    }
    int bad = o->kind == RG_OPTION_SEED ? read_seed(o, text) : read_number(o, text);
    if (!bad) return RG_GO_ON;
    if (o->low < o->high)
        return rg_options_misuse("--%s wants a number from %g to %g, not \"%s\"",
                                 o->name, o->low, o->high, text);
    return rg_options_misuse("--%s wants a number, not \"%s\"", o->name, text);
}

/* One option at argv[*i] (moved on over its value). */
static int take_option(const rg_usage *usage, int argc, char **argv, int *i)
{
    char *word = argv[*i];
    bool is_long = word[1] == '-';
    size_t length = is_long ? strcspn(word, "=") : 2;
    if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
        help(usage);
        return RG_EXIT_OK;
    }
    const rg_option *o = find(usage, word, length);
    if (o == NULL)
        return rg_options_misuse("unknown option %.*s; see claran %s --help",
                                 (int)length, word, usage->command);
    bool joined = word[length] != '\0';
    if (o->kind == RG_OPTION_FLAG) {
        if (joined) return rg_options_misuse("--%s takes no value", o->name);
        *(bool *)o->value = true;
        return RG_GO_ON;
    }
    if (joined) return take_value(o, word + length + (is_long ? 1 : 0));
    if (*i + 1 >= argc)
        return rg_options_misuse("--%s needs a value (%s)", o->name, o->argument);
    return take_value(o, argv[++*i]);
}

/* Text number i of an option, NULL where there is none. */
static const char *text_of(const rg_option *o, int i)
{
    const rg_texts *list = o->value;
    if (is_list(o)) return i < list->n ? list->text[i] : NULL;
    return is_text(o) && i == 0 ? *(const char **)o->value : NULL;
}

static bool is_output(const rg_option *o)
{
    return o->kind == RG_OPTION_OUTPUT || o->kind == RG_OPTION_OUTPUTS;
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, two;
    return stat(a, &one) == 0 && S_ISREG(one.st_mode) && stat(b, &two) == 0
           && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/* No file that is read may be written over. */
static int check_output(const rg_usage *usage, const rg_option *output,
                        const char *path, int argc, char **argv)
{
    const char *read = NULL;
    for (int i = 0; i < argc; i++)
        if (same_file(path, argv[i])) read = argv[i];
    for (const rg_option *o = usage->options; o->name != NULL; o++)
        for (int i = 0; !is_output(o) && text_of(o, i) != NULL; i++)
            if (same_file(path, text_of(o, i))) read = text_of(o, i);
    if (read == NULL) return RG_GO_ON;
    return rg_options_misuse("--%s %s would write over %s, which is read: name another "
                             "file", output->name, path, read);
}

static int check_outputs(const rg_usage *usage, int argc, char **argv)
{
    int status = RG_GO_ON;
    for (const rg_option *o = usage->options; o->name != NULL; o++)
        for (int i = 0; is_output(o) && text_of(o, i) != NULL; i++)
            if (status == RG_GO_ON)
                status = check_output(usage, o, text_of(o, i), argc, argv);
    return status;
}

int rg_options_parse(const rg_usage *usage, int *argc, char **argv)
{
    int operands = 0;
    bool over = false;
    rg_options_fold = false;
    for (int i = 1; i < *argc; i++) {
        if (over || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[operands++] = argv[i];
        } else if (!strcmp(argv[i], "--")) {
            over = true;
        } else {
            int status = take_option(usage, *argc, argv, &i);
            if (status != RG_GO_ON) return status;
        }
    }
    *argc = operands;
    return check_outputs(usage, operands, argv);
}

bool rg_options_fold;

/* A text on stderr; folded, at blanks, into lines of fewer than 80 columns. */
static void say(const char *text)
{
    for (int column = 0; *text != '\0';) {
        int word = 1 + (int)strcspn(text + 1, " ");     /* with the blank before it */
        if (rg_options_fold && column > 0 && column + word > 79) {
            fputc('\n', stderr);
            text++;
            word--;
            column = 0;
        }
        fprintf(stderr, "%.*s", word, text);
        column += word;
        text += word;
    }
    fputc('\n', stderr);
}

static void say_more(const char *before, const char *format, va_list args)
{
    char text[8192];
    int n = snprintf(text, sizeof text, "%s", before);
    vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    say(text);
}

void rg_options_remark(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_more("", format, args);
    va_end(args);
}

int rg_options_misuse(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_more("claran: ", format, args);
    va_end(args);
    return RG_EXIT_USAGE;
}

int rg_options_problem(void)
{
    rg_options_remark("claran: %s", rg_error_message());
    return RG_EXIT_PROBLEM;
}

void rg_options_progress(void *user, int done, int total)
{
    if (!isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r%d of %d %s%s", done, total, (const char *)user,
            done == total ? "\n" : "");
}

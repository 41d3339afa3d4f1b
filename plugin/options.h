/* SPDX-License-Identifier: MIT */
/* options: command lines, read and explained the same way for every subcommand.
 *
 *     const rg_option options[] = {
 *         { "threshold", 't', RG_OPTION_FLOAT, &least, 0, 1, "P", "keep P and over" },
 *         { "all", 0, RG_OPTION_FLAG, &all, .help = "keep everything" },
 *         { .name = NULL }
 *     };
 *     const rg_usage usage = { "detect", "IMAGE.fits...", "Find sources.", options };
 *     int status = rg_options_parse(&usage, &argc, argv);
 *     if (status != RG_GO_ON) return status;
 *     ... argv[0] .. argv[argc - 1] are the operands ...
 *     if (rg_image_read(&image, argv[0]) != 0) return rg_options_problem();
 *
 * Accepted are --name VALUE, --name=VALUE, -n VALUE, -nVALUE, in any order with the
 * operands; "--" ends the options; --help is always there.
 */
#ifndef RG_OPTIONS_H
#define RG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { RG_EXIT_OK = 0, RG_EXIT_PROBLEM = 1, RG_EXIT_USAGE = 2, RG_GO_ON = -1 };

enum { RG_OPTION_VALUE = 256 };   /* room for a value as text [bytes] */

typedef enum {
    RG_OPTION_FLAG,           /* bool: set true, no value */
    RG_OPTION_INT,            /* int, low..high */
    RG_OPTION_LONG,           /* long, low..high */
    RG_OPTION_SEED,           /* uint64_t */
    RG_OPTION_FLOAT,          /* float, low..high */
    RG_OPTION_DOUBLE,         /* double, low..high */
    RG_OPTION_TEXT,           /* const char *, borrowed from argv */
    RG_OPTION_TEXTS,          /* rg_texts: may be given several times */
    RG_OPTION_OUTPUT,         /* like TEXT, and ... */
    RG_OPTION_OUTPUTS         /* like TEXTS: a file to write, which no operand and no
                                 other option's text may name, too */
} rg_option_kind;

typedef struct rg_texts { const char *text[8]; int n; } rg_texts;

typedef struct rg_option {
    const char *name;         /* without the dashes; NULL ends the table */
    char letter;              /* 0: none */
    rg_option_kind kind;
    void *value;              /* where it goes, already holding the default */
    double low, high;         /* both 0: any finite number */
    const char *argument;     /* what the help calls the value */
    const char *help;         /* one that ends in ":" is followed by the default */
} rg_option;

typedef struct rg_usage {
    const char *command;      /* "detect" */
    const char *operands;     /* "IMAGE.fits...", "" */
    const char *help;         /* a sentence or two */
    const rg_option *options;
} rg_usage;

/* RG_GO_ON with argc, argv reduced to the operands (argv[0] is the first of them);
 * RG_EXIT_OK after --help, which was printed; RG_EXIT_USAGE after a sentence on
 * stderr. */
int rg_options_parse(const rg_usage *usage, int *argc, char **argv);

/* What the option's value is now, as one would write it ("" for a text of NULL, "yes"
 * or "no" for a flag). */
void rg_options_value(const rg_option *option, char text[RG_OPTION_VALUE]);

/* "--threshold=0.8 --all=no ...": what all options are now, cut to fit. */
void rg_options_record(const rg_option *options, char *text, size_t size);

/* Whether sentences on stderr are folded into lines of fewer than 80 columns, as many
 * as DS9's windows for text show; an option of what the menu calls. */
extern bool rg_options_fold;
#define RG_FOLD_OPTION \
    { "fold", 0, RG_OPTION_FLAG, &rg_options_fold, 0, 0, NULL, \
      "break sentences into lines of 80 columns, which DS9's windows show" }

/* "SENTENCE" on stderr, printf style. */
void rg_options_remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "claran: SENTENCE" on stderr, printf style; returns RG_EXIT_USAGE. */
int rg_options_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The library's last sentence on stderr; returns RG_EXIT_PROBLEM. */
int rg_options_problem(void);

/* A counter on stderr where that is a terminal: "12 of 40 WHAT"; user is WHAT. */
void rg_options_progress(void *user, int done, int total);

#endif

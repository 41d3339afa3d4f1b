/* SPDX-License-Identifier: MIT */
/* output: result files that appear whole, together, or not at all.
 *
 *     rg_output out = { 0 };
 *     RG_TRY(rg_output_open(&out, "catalogue.csv"));     // "-": standard output
 *     fprintf(out.file, ...);
 *     int status = rg_output_keep(&out, 1);
 *     rg_output_drop(&out);                              // harmless after keep
 *
 * What is printed stays in memory until it is staged: then it is written beside the
 * file wanted, or to standard output.  Keeping renames.
 */
#ifndef RG_OUTPUT_H
#define RG_OUTPUT_H

#include <stdio.h>

#include "core/engine/file.h"
#include "regions/format.h"

typedef struct rg_output {
    const char *path;         /* borrowed */
    FILE *file;               /* owned, in memory; NULL before open and once staged */
    char *text;               /* owned, what was printed */
    size_t size;              /* of text [bytes] */
    char beside[RG_FILE_NAME]; /* "" until staged, and for standard output */
} rg_output;

/* The option --format, for rg_format_find; `f` is a const char *. */
#define RG_FORMAT_OPTION(f) \
    { "format", 0, RG_OPTION_TEXT, &(f), 0, 0, "NAME", \
      RG_FORMAT_NAMES "; else as the name ends" }

/* Fails where a file `path` can be neither made nor replaced. */
int rg_output_check(const char *path);

int rg_output_open(rg_output *output, const char *path);

/* Everything but the renaming, for all n; flushes standard output in any case.  What
 * may still fail comes between this and keep, which stages what is not staged yet. */
int rg_output_stage(rg_output *outputs, int n);
int rg_output_keep(rg_output *outputs, int n);
void rg_output_drop(rg_output *output);

#endif

/* SPDX-License-Identifier: MIT */
/* examples: a command line of each subcommand, for its --help. */
#ifndef RG_EXAMPLES_H
#define RG_EXAMPLES_H

/* Of "detect", "ds9 check" ...: what follows "claran "; "" where there is none. */
const char *rg_examples_of(const char *command);

#endif

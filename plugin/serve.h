/* SPDX-License-Identifier: MIT */
/* serve: what a resident claran does for others, and how they ask it.
 *
 *     int status;
 *     if (rg_serve_forward(argc, argv, &status)) return status;
 */
#ifndef RG_SERVE_H
#define RG_SERVE_H

#include <stdbool.h>

/* Whether a server has done what the command line asks, which it does for "ds9 detect"
 * in frames of up to RG_SERVE_SIDE pixels a side (of larger ones the progress is worth
 * more than the second that the model takes to load); what it printed is printed. */
enum { RG_SERVE_SIDE = 512 };
bool rg_serve_forward(int argc, char **argv, int *status);

/* Whether the command line, before it is parsed, is a detection that wants a server for
 * the next one: where $CLARAN_SERVE is "yes", as claran-ds9 sets it. */
bool rg_serve_is_wanted(int argc, char **argv);

/* One in the background; if there is one already, it ends at once. */
void rg_serve_start(void);

#endif

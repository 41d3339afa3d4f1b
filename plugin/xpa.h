/* SPDX-License-Identifier: MIT */
/* xpa: talking to one running DS9 (spec/ds9.md section 3).
 *
 *     rg_xpa *ds9; char frame[32];
 *     RG_TRY(rg_xpa_open(&ds9, method));         // what DS9's menus call $xpa_method
 *     RG_TRY(rg_xpa_ask(ds9, "frame", frame, sizeof frame));
 *     RG_TRY(rg_xpa_set(ds9, "regions -format ds9", text, strlen(text)));
 *     rg_xpa_close(ds9);
 *
 * A client only: nothing is opened that others could talk to (access.h does).
 */
#ifndef RG_XPA_H
#define RG_XPA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct rg_xpa rg_xpa;

/* The DS9 at that address (a socket's path, a host:port or a name); fails when none or
 * more than one answers.  Gives XPA_SHORT_TIMEOUT, XPA_CONNECT_TIMEOUT (10 s) and
 * XPA_LONG_TIMEOUT (60 s) to the library unless they are set. */
int rg_xpa_open(rg_xpa **out, const char *method);
void rg_xpa_close(rg_xpa *xpa);

/* What it was opened with; owned by it. */
const char *rg_xpa_method(const rg_xpa *xpa);

/* The addresses of the DS9s called `name` ("*": of all) that XPA's name server knows, 0
 * where there is none.  Free *methods, one block, with free(). */
int rg_xpa_list(const char *name, char ***methods, int *n);

/* What DS9 answers to `command`, with a NUL after its *size bytes; caller frees *bytes
 * with free(). */
int rg_xpa_get(rg_xpa *xpa, const char *command, char **bytes, size_t *size);

/* A short answer without the blanks and newlines around it, cut to fit. */
int rg_xpa_ask(rg_xpa *xpa, const char *command, char *answer, size_t size);

/* Whether it answers "yes". */
int rg_xpa_has(rg_xpa *xpa, const char *command, bool *yes);

/* A command with data (NULL, 0: none). */
int rg_xpa_set(rg_xpa *xpa, const char *command, const char *data, size_t size);

#endif

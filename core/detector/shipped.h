/* SPDX-License-Identifier: MIT */
/* shipped: where the models that came along are found.
 *
 *     char path[RG_SHIPPED_PATH];
 *     RG_TRY(rg_shipped_find(NULL, rg_shipped_methods(false), path));
 */
#ifndef RG_SHIPPED_H
#define RG_SHIPPED_H

#include <stdbool.h>

#define RG_SHIPPED_PATH 4096      /* room for the path of a model [bytes] */

/* The methods that are chosen from, best first, where none is asked for. */
const char *rg_shipped_methods(bool infrared);

/* The model to use: `given` if not NULL, else $CLARAN_MODEL, else the one for the first
 * of `methods` ("D4 D3") that is installed or in the source tree; fails saying where it
 * was looked for. */
int rg_shipped_find(const char *given, const char *methods, char path[RG_SHIPPED_PATH]);

#endif

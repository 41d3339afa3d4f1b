/* SPDX-License-Identifier: MIT */
/* warm: detectors that stay open between the requests of a server (serve.c); elsewhere
 * they are opened and closed as they are asked for.
 *
 *     rg_warm_begin();
 *     RG_TRY(rg_warm_open(&detector, path, &how));    // fast the second time
 *     rg_warm_close(detector);
 *     rg_warm_end();
 */
#ifndef RG_WARM_H
#define RG_WARM_H

#include "core/detector/detect.h"

void rg_warm_begin(void);
void rg_warm_end(void);

/* As rg_detect_open and rg_detect_close.  One that stayed open is given out again if
 * the file is the same (by inode, size and time) and the network runs the same way.
 * One that is cramped does not stay: the card may have room again. */
int rg_warm_open(rg_detector **out, const char *path, const rg_detect_options *how);
void rg_warm_close(rg_detector *detector);

/* Whether one that was closed had left its card. */
bool rg_warm_left_card(void);

/* How many are open. */
int rg_warm_count(void);

#endif

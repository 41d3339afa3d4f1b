/* SPDX-License-Identifier: MIT */
/* search: from an image in a DS9 to boxes on it.
 *
 *     rg_search search = { .ds9 = ds9, .address = method, .finder = &finder, ... };
 *     int status = rg_search_run(&search);        // or rg_search_again
 *
 * Lines on stdout say what is done and found.
 */
#ifndef RG_SEARCH_H
#define RG_SEARCH_H

#include <stdbool.h>

#include "plugin/drawing.h"
#include "plugin/finder.h"
#include "plugin/frames.h"
#include "plugin/measured.h"
#include "plugin/settings.h"

typedef struct rg_search {
    rg_drawing drawing;               /* set by the caller, as is all that follows */
    rg_finder *finder;                /* borrowed */
    const rg_measured *how;
    const rg_settings *settings;
    const rg_frame *radio, *infrared; /* infrared->image NULL: none */
    bool all;                         /* every class's detections, for evaluation */
} rg_search;

/* Runs the network, or takes what is kept of the same image, model and options; draws,
 * keeps, and prints a table. */
int rg_search_run(rg_search *search);

/* Draws at the settings' threshold from what is kept of the frame; no network runs. */
int rg_search_again(rg_search *search);

/* A line on stdout: which infrared image is taken along, if there is one. */
void rg_search_report_infrared(const rg_frame *infrared);

#endif

/* SPDX-License-Identifier: MIT */
/* sweep: the windows of images, made ready in threads, to the network and back.
 *
 *     rg_swept image = { .task = &task };
 *     RG_TRY(rg_layout_new(&image.layout, task.radio, scales));
 *     RG_TRY(rg_sweep(runner, &options, &image, 1));
 *     use(&image.found);
 *     rg_candidates_clear(&image.found);
 */
#ifndef RG_SWEEP_H
#define RG_SWEEP_H

#include "core/detector/candidates.h"
#include "core/detector/layout.h"
#include "core/detector/runner.h"

/* An image, and what all its windows show. */
typedef struct rg_swept {
    rg_detect_task *task;     /* its status, sentence, uncovered and looked are kept */
    rg_layout layout;
    int on_sky;               /* windows of 3' that lie on it; of another: */
    char off_sky[1024];       /* why it does not */
    rg_candidates found;      /* owned by the caller */
} rg_swept;

/* Of n images those whose task has not failed: everything the network takes for more
 * probable than 0.05, before calibration, but for what another window sees better; the
 * same, in the same order, whatever the number of threads.  An image that cannot be
 * looked at fails by its task.  -1 where the network fails. */
int rg_sweep(rg_runner *runner, const rg_detect_options *how, rg_swept *images, int n);

#endif

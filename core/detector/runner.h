/* SPDX-License-Identifier: MIT */
/* runner: a model's network, from windows to proposals and what they are taken for; one
 * window at a time, or on a card many.  Where the model wants several views of a window
 * (views.h), they are made here.
 *
 *     RG_TRY(rg_runner_open(&runner, weights, &how));
 *     int most = rg_runner_batch(runner, windows);
 *     ... fill rg_runner_window(runner, 0 .. most - 1) ...
 *     RG_TRY(rg_runner_feed(runner, n, &done));
 *     for (int i = 0; i < done; i++) n = rg_runner_seen(runner, i, true, &seen);
 *     ... until nothing is left: rg_runner_feed(runner, 0, &done) ...
 *     rg_runner_close(runner);
 */
#ifndef RG_RUNNER_H
#define RG_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/detector/claran.h"
#include "core/detector/views.h"
#include "core/engine/backend.h"

#define RG_RUNNER_BATCH 16         /* windows or views at once on a card, at most */

typedef struct rg_runner_options {
    const rg_backend *backend;
    const rg_backend *spare;       /* where the first has no room, or fails; or NULL */
    rg_precision precision;
    int proposals;                 /* per window */
    float iou;                     /* of their suppression */
    int views;                     /* of each window; 0: as the model says */
} rg_runner_options;

/* What the network says of one view of a window: n proposals, best first; borrowed
 * until the next feed or run. */
typedef struct rg_look {
    int n;
    const rg_box *proposals;       /* [n] */
    const float *probability;      /* [n][RG_CLASSES] */
    const float *shifts;           /* [n][RG_CLASSES][4]: Eq. 7 */
} rg_look;

typedef struct rg_runner rg_runner;

/* The network of the model in `weights`, which are folded (rg_fold), and kept until
 * close: the runner owns them from here, even where it fails. */
int rg_runner_open(rg_runner **out, rg_weights *weights,
                   const rg_runner_options *options);
void rg_runner_close(rg_runner *runner);

/* After a failure: on the spare backend from now on, with a note; what was fed and is
 * not done is lost.  Fails with the first failure's sentence where there is no spare
 * one, or it is in use.  Whether that has happened; and whether that, or a batch that
 * was shrunk: another time there may be more room. */
int rg_runner_leave(rg_runner *runner);
bool rg_runner_left(const rg_runner *runner);
bool rg_runner_cramped(const rg_runner *runner);

/* How many windows to bring at once where `windows` are to come: 1 on the processor; on
 * a card, with their views, up to RG_RUNNER_BATCH, as its memory allows.  What was fed
 * before and is not done is forgotten. */
int rg_runner_batch(rg_runner *runner, int windows);

/* Room for window i of a batch: rgb [132][132][3], row 0 at the bottom. */
uint8_t *rg_runner_window(rg_runner *runner, int i);

/* Begins with the first n windows, which may be filled anew when it returns; how many
 * are `done`, whose looks are there until the next feed.  On the processor they are the
 * same n.  A card computes by itself while the next are brought and sent: done are
 * those of the feed before, and a last one of 0 windows brings the rest. */
int rg_runner_feed(rg_runner *runner, int n, int *done);

/* The first n windows through the network, with nothing beside it. */
int rg_runner_run(rg_runner *runner, int n);

/* What is seen in window i: as it is, or in `all` its views together, which the
 * processor looks at only now, a card already has.  No background, boxes finite and
 * within the window.  Returns how many, -1 on failure; borrowed until the next of these
 * calls. */
int rg_runner_seen(rg_runner *runner, int i, bool all, const rg_seen **seen);

/* View `row` % views of window `row` / views, which is itself first. */
rg_look rg_runner_look(const rg_runner *runner, int row);

/* Another calibration of the model from now on. */
void rg_runner_calibrate(rg_runner *runner,
                         const float calibration[RG_CLARAN_CALIBRATION]);

/* Its views are those that are taken. */
const rg_claran *rg_runner_model(const rg_runner *runner);
rg_precision rg_runner_precision(const rg_runner *runner);

/* What it runs on, and a sentence where that is less than was asked for: smaller
 * batches, or the spare backend ("": all is well). */
const char *rg_runner_backend(const rg_runner *runner);
const char *rg_runner_note(const rg_runner *runner);

#endif

/* SPDX-License-Identifier: MIT */
/* feeder: the batches of a training, drawn in threads while the network is at work.
 *
 *     rg_feeder *feeder; const float *data; const rg_subject *batch;
 *     RG_TRY(rg_feeder_new(&feeder, subjects, &model, &how, step, threads));
 *     RG_TRY(rg_feeder_take(feeder, &data, &batch));       // of that step
 *     RG_TRY(rg_feeder_take(feeder, &data, &batch));       // of the one after it
 *     rg_feeder_free(feeder);
 *
 * Subject i of a step is drawn with rg_train_subject_seed, whoever draws it and when:
 * the batches are the same for any number of threads.
 */
#ifndef RG_FEEDER_H
#define RG_FEEDER_H

#include "core/learning/subject.h"
#include "core/learning/train.h"

typedef struct rg_feeder rg_feeder;

/* Begins with the batch of `step`; up to RG_FEEDER_AHEAD batches are drawn before they
 * are asked for, none beyond the schedule.  With 0 threads (and where none can be had)
 * nothing is drawn ahead.  All that is pointed to is borrowed.  Caller frees. */
enum { RG_FEEDER_AHEAD = 4 };
int rg_feeder_new(rg_feeder **out, const rg_subjects *subjects, const rg_claran *model,
                  const rg_train_options *how, long step, int threads);

/* The next step's batch: data [how->batch][3][input][input] and its subjects
 * [how->batch], the feeder's until the next call.  What of it is not drawn yet is drawn
 * here, too.  Fails with the sentence of the first of its subjects that cannot be
 * drawn; there are no batches after that. */
int rg_feeder_take(rg_feeder *feeder, const float **data, const rg_subject **batch);

/* Ends the threads, whatever they are at. */
void rg_feeder_free(rg_feeder *feeder);

#endif

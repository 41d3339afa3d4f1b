/* SPDX-License-Identifier: MIT */
/* subject: training examples drawn from labelled lists.
 *
 *     rg_subjects *subjects; rg_subject subject;
 *     RG_TRY(rg_subjects_new(&subjects, lists, nlists, 0.5, false));
 *     RG_TRY(rg_subject_draw(subjects, &model, &how, seed, data, &subject));
 *     rg_subjects_free(subjects);
 *
 * A subject is a window of a field with the truths in it, moved, turned and flipped at
 * random, and changed as augment.h has it: one of 3', or of 6' and more, as the
 * detector's, where the source it is drawn for is too large for that.  All pixels are
 * kept in memory.
 */
#ifndef RG_SUBJECT_H
#define RG_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/detector/claran.h"
#include "core/detector/proposal.h"
#include "core/learning/augment.h"
#include "core/data/dataset.h"

typedef struct rg_subjects rg_subjects;

#define RG_SUBJECT_TRUTHS 64
typedef struct rg_subject {
    rg_truth truths[RG_SUBJECT_TRUTHS];
    int n;
    const rg_field *field;    /* it was drawn from; borrowed from the lists */
    double x, y;              /* its middle there [FITS pixels] */
    double turn, pixel;       /* as rg_sky_new_turned takes them [deg, arcsec] */
} rg_subject;

typedef struct rg_subject_options {
    int flips, turns;         /* left-right flips, quarter turns */
    double shift; /* of the window from the label drawn, up to this [arcsec] */
    double balance;           /* 0: windows about the field's middle */
    rg_augment_options augment;
} rg_subject_options;

/* Reads every image of the lists.  A label is drawn with its class's count to the power
 * -balance (0: every label alike).  `infrared`: their infrared images too, which every
 * field must have.  Lists without a label are a failure.  Caller frees. */
int rg_subjects_new(rg_subjects **out, const rg_dataset *const *lists, int nlists,
                    double balance, bool infrared);
void rg_subjects_free(rg_subjects *subjects);

/* Subject number `seed`: data [3][input][input] as the network takes it, and its truths
 * in network pixels.  A source less than three quarters inside the window is marked as
 * ignored; one that is hardly inside is left out.  With no `augment` it is what
 * rg_detect_window shows.  In a window turned or zoomed the image is resampled once,
 * and a box is drawn round those of the source's own pixels to which its label's box is
 * tight (round the ellipse in the box where it is tight to none); infrared goes along,
 * and where the field ends there is noise like its own. */
int rg_subject_draw(const rg_subjects *subjects, const rg_claran *model,
                    const rg_subject_options *how, uint64_t seed, float *data,
                    rg_subject *subject);

/* Mean B, G, R over subjects of the lists. */
int rg_subjects_mean(const rg_subjects *subjects, const rg_claran *model, uint64_t seed,
                     float mean[3]);

#endif

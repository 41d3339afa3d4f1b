/* SPDX-License-Identifier: MIT */
/* scene: a window with its labels, changed together.
 *
 *     rg_scene s = { { pixels, 132, beam, median, sigma }, truths, n, drawn };
 *     RG_TRY(rg_scene_inject(&s, &donor, &chance));
 *     RG_TRY(rg_scene_change(&s, &how, &chance));
 *
 * What is done to the pixels is in augment.h; here is what the labels allow of it.
 */
#ifndef RG_SCENE_H
#define RG_SCENE_H

#include "core/learning/augment.h"

typedef struct rg_scene {
    rg_augment_plane radio;   /* filled: no blanks, median and sigma known */
    rg_truth *truths;         /* [n]; boxes in FITS pixels of the window; borrowed */
    int n;
    int drawn;                /* the truth the window was drawn for; -1: for none */
} rg_scene;

/* By the chances of `how`: a larger beam, then fainter or else brighter.  What would
 * make the truth it was drawn for no example is tried again with less of it, and left
 * out at last; other truths become ignored as rg_augment_relabel has it, and so do
 * those cut by the window. */
int rg_scene_change(rg_scene *s, const rg_augment_options *how, uint64_t *chance);

/* The donor's drawn truth with its pixels, at its signal to noise, where s has none
 * within 1.5 beams of it; truths needs room for one more.  Nothing where there is no
 * place for it. */
int rg_scene_inject(rg_scene *s, const rg_scene *donor, uint64_t *chance);

#endif

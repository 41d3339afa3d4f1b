/* SPDX-License-Identifier: MIT */
/* sheet: a picture of training examples, to see what a network would be taught.
 *
 *     RG_TRY(rg_sheet_write(lists, n, &model, &how, "examples.png"));
 *
 * The first 36 subjects that a training with these lists and options draws, with the
 * boxes of their truths and the classes above each ("?": ignored).
 */
#ifndef RG_SHEET_H
#define RG_SHEET_H

#include "core/learning/train.h"

int rg_sheet_write(const rg_dataset *const *lists, int nlists, const rg_claran *model,
                   const rg_train_options *how, const char *path);

#endif

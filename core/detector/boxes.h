/* SPDX-License-Identifier: MIT */
/* boxes: box arithmetic of Faster R-CNN (spec/claran.md "Box arithmetic"; Eq. 3, 5).
 *
 * Boxes are in network-input pixels, y down, corner pixels inclusive: w = x2 - x1 + 1,
 * centre = x1 + w/2.
 */
#ifndef RG_BOXES_H
#define RG_BOXES_H

#include "core/engine/box.h"

/* Class of a labelled box that is neither an example nor background. */
#define RG_CLASS_IGNORE -1
#define RG_CLASS_BACKGROUND 0
#define RG_CLASSES 7   /* background and the six of Table 3, in the paper's order */

/* "background", "1C_1P" ... "3C_3P"; class by name, "?" is RG_CLASS_IGNORE, fails
 * naming the known ones. */
extern const char *const rg_boxes_class_name[RG_CLASSES];
int rg_boxes_class(const char *name, int *class_);

/* How many a class has, as its name says; 0 of background. */
extern const int rg_boxes_components[RG_CLASSES], rg_boxes_peaks[RG_CLASSES];

/* Intersection over union with the + 1 widths, 0..1; 0 for empty boxes. */
float rg_boxes_iou(rg_box a, rg_box b);

/* The part of `a` that lies in `b`, likewise: intersection over the area of a. */
float rg_boxes_part(rg_box a, rg_box b);

/* Deltas d[4] = dx, dy, dw, dh that take `from` to `to` (Eq. 5, 7), and their inverse
 * (Eq. 3), with dw, dh capped at log(1000/16). */
void rg_boxes_encode(rg_box from, rg_box to, float d[4]);
rg_box rg_boxes_decode(rg_box from, const float d[4]);

/* The part inside a w x h image. */
rg_box rg_boxes_clip(rg_box box, int w, int h);

/* Greedy non-maximum suppression: indices of the kept boxes, best score first, into
 * keep[max]; ties go to the lower index; NaN scores are never kept.  Returns how many,
 * or -1 when memory runs out. */
int rg_boxes_nms(const rg_box *boxes, const float *scores, int n, float iou, int max,
                 int *keep);

#endif

/* SPDX-License-Identifier: MIT */
/* coco: labels and detections as the JSON of COCO (Lin et al. 2014), for other programs
 * to score: pycocotools reads both.
 *
 *     RG_TRY(rg_coco_truth(evaluation, list, file));
 *     RG_TRY(rg_coco_found(evaluation, 0.5, file2));
 *
 * An image's id is its place in the list, from 1; categories 1 to 6 are the classes;
 * a bbox is left, bottom, width and height in the image's FITS pixels, from the first
 * pixel's edge at 0.5.  COCO knows no label that counts neither way: ignored emission
 * and the detections on it are left out.
 */
#ifndef RG_COCO_H
#define RG_COCO_H

#include <stdio.h>

#include "core/evaluation/evaluate.h"

/* {"images", "categories", "annotations"}; the list is the one that was evaluated. */
int rg_coco_truth(const rg_evaluation *evaluation, const rg_dataset *list, FILE *to);

/* [{"image_id", "category_id", "bbox", "score"}] of all detections, best first, but for
 * those on ignored emission that hit nothing at that IoU. */
int rg_coco_found(const rg_evaluation *evaluation, double iou, FILE *to);

#endif

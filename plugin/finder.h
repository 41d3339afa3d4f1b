/* SPDX-License-Identifier: MIT */
/* finder: the options, the detector and the printing that `claran detect`, `claran ds9
 * detect` and `claran evaluate` share.
 *
 *     rg_finder finder = { .how = rg_detect_defaults };
 *     const rg_option options[] = { RG_FINDER_OPTIONS(finder), { .name = NULL } };
 *     ...
 *     RG_TRY(rg_finder_open(&finder, infrared != NULL));
 *     rg_finder_provenance(&finder, image, &from);
 *     rg_finder_close(&finder);
 */
#ifndef RG_FINDER_H
#define RG_FINDER_H

#include <stdbool.h>

#include "core/detector/layout.h"
#include "core/detector/detect.h"
#include "core/detector/shipped.h"
#include "plugin/kept.h"
#include "plugin/options.h"
#include "regions/region.h"

typedef struct rg_finder {
    const char *method, *model, *precision;   /* as on the command line, or NULL */
    char path[RG_SHIPPED_PATH];               /* of the model in use */
    const char *reason;                       /* why that method */
    rg_detect_options how;
    rg_detector *detector;                    /* owned */
} rg_finder;

#define RG_FINDER_OPTIONS(f) \
    { "method", 'm', RG_OPTION_TEXT, &(f).method, 0, 0, "NAME", \
      "F, D1, D2, D3, D4, or auto: with infrared D4 or D3, else D1" }, \
    { "model", 0, RG_OPTION_TEXT, &(f).model, 0, 0, "FILE", \
      "weights; else $CLARAN_MODEL, else the method's that came along" }, \
    { "backend", 0, RG_OPTION_TEXT, &(f).how.backend, 0, 0, "NAME", \
      "auto, gpu, cpu or ref: auto" }, \
    { "precision", 0, RG_OPTION_TEXT, &(f).precision, 0, 0, "NAME", \
      "auto, f32, bf16; of a card tf32, f16: auto" }, \
    { "proposals", 0, RG_OPTION_INT, &(f).how.proposals, 1, 2000, "N", \
      "regions looked at in each window: 5" }, \
    { "proposal-iou", 0, RG_OPTION_FLOAT, &(f).how.proposal_iou, 0, 1, "IOU", \
      "proposals that overlap more are one: 0.7" }, \
    { "scales", 0, RG_OPTION_INT, &(f).how.scales, 1, RG_LAYOUT_SCALES, "N", \
      "sizes of windows, 3', 6', 12' ..., where the image is larger: 2" }, \
    { "views", 0, RG_OPTION_INT, &(f).how.views, 0, RG_VIEWS_MOST, "N", \
      "looks at each window, mirrored, that are averaged; 0: as the model says" }, \
    { "class-iou", 0, RG_OPTION_FLOAT, &(f).how.class_iou, 0, 1, "IOU", \
      "detections that overlap more are one: 0.3" }

#define RG_FINDER_CHOICE(f) \
    { "threshold", 't', RG_OPTION_FLOAT, &(f).how.threshold, 0, 1, "P", \
      "keep detections of at least this probability: 0.8" }, \
    { "all", 0, RG_OPTION_FLAG, &(f).how.all, 0, 0, NULL, \
      "every class's detections with P > 0.05, for evaluation" }

/* The detector those options ask for.  `infrared`: whether there is an infrared image,
 * which decides where the method is left open; a method that wants one without, or one
 * other than the given model's, is a sentence. */
int rg_finder_open(rg_finder *finder, bool infrared);

/* Whether its method looks at an infrared image. */
bool rg_finder_wants_infrared(const rg_finder *finder);

/* Lines on stdout: method and why, and how many windows had no infrared. */
void rg_finder_report(const rg_finder *finder, int uncovered);
void rg_finder_close(rg_finder *finder);

/* Where detections in `image` made by this finder come from. */
void rg_finder_provenance(const rg_finder *finder, const rg_image *image,
                          rg_provenance *from);

/* For rg_kept: everything that decides over a result but the image; `shown` is the
 * infrared image that the network looks at or NULL, `part` what of the image.  Another
 * build of the program may decide otherwise, so it is in it. */
void rg_finder_key(const rg_finder *finder, const rg_image *shown, const char *part,
                   char key[RG_KEPT_KEY]);

/* A line on stdout: how probabilities are calibrated (rg_claran). */
void rg_finder_print_calibration(const char *what,
                                 const float calibration[RG_CLARAN_CALIBRATION]);

/* A table for people on stdout: one line a detection. */
void rg_finder_table(const rg_source *sources, int n);

#endif

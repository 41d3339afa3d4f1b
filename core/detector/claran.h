/* SPDX-License-Identifier: MIT */
/* claran: the paper's Table 4 as rows, and the model file that fills it.  What other
 * networks (pyramid.h) have otherwise, is asked for here too.
 *
 *     rg_claran model = rg_claran_paper;
 *     rg_row rows[RG_CLARAN_ROWS];
 *     int n = rg_claran_rows(&model, &(rg_claran_run){ .batch = 1, .rois = 5 }, rows);
 */
#ifndef RG_CLARAN_H
#define RG_CLARAN_H

#include "core/detector/boxes.h"
#include "core/detector/evidence.h"
#include "core/detector/views.h"
#include "core/engine/layer.h"
#include "core/engine/weights.h"
#include "core/image/fuse.h"

#define RG_CLARAN_SUBJECT 132      /* pixels of a subject ... */
#define RG_CLARAN_PIXEL 1.375      /* ... of this many arcsec: 3' */
#define RG_CLARAN_ANCHORS 6        /* per feature cell; of a pyramid 2 a level */
#define RG_CLARAN_LEVELS 3         /* of a pyramid */
#define RG_CLARAN_STRIDE 16        /* network pixels per feature cell (Table 4) */
#define RG_CLARAN_GRID 7           /* ST pooling, points a side */
#define RG_CLARAN_ROWS 112
#define RG_CLARAN_CALIBRATION (RG_CLASSES + RG_EVIDENCES)

/* Table 4; residual network with feature pyramid (v0.2). */
typedef enum { RG_NETWORK_CLARAN, RG_NETWORK_FPN, RG_NETWORKS } rg_network;

/* What a model is; all of it is kept in the header of the model file. */
typedef struct rg_claran {
    rg_network network;
    int input;                     /* side of the network's input [pixels]: 600 */
    int width;                     /* channels of conv1: 64 */
    int fc;                        /* of fc6 and fc7: 4096 */
    float anchor[RG_CLARAN_ANCHORS];  /* sides [network pixels]: 16 .. 512 */
    rg_method method;
    rg_sampling sampling;          /* of ST pooling: Eq. 8 */
    float mean[3];                 /* B, G, R subtracted from the 8-bit image */
    float calibration[RG_CLARAN_CALIBRATION];  /* a, b of each class, e of each
                                      evidence, of rg_claran_calibrate; a = 0: none */
    int views;                     /* of each window, joined before that (views.h): 1 to
                                      RG_VIEWS_MOST; 0 is 1 */
} rg_claran;

extern const rg_claran rg_claran_paper;

/* How the rows are to be used. */
typedef struct rg_claran_run {
    int batch;                     /* images at once */
    int rois;                      /* RoIs of all of them together */
    int training;                  /* with dropout and the four losses */
    int proposals;                 /* room for so many of each image in a row of that
                                      name (rg_net_propose, [.., 6]); 0: no such row */
} rg_claran_run;

/* conv1_1 .. conv5_3, with the poolings between them, upon a row "data" of three
 * channels: fills rows[RG_CLARAN_ROWS]; returns how many. */
int rg_claran_backbone(int width, rg_row *rows);

/* The model's network: fills rows[RG_CLARAN_ROWS]; returns how many.  All have the
 * input "data" and two ranges of rows: down to "rpn_cls_prob" (by then "rpn_bbox_pred"
 * is made, too), and from "pool_5" on, with the input "rois".  In training the second
 * begins with "rois", BOXES of the input "picks", and there are the losses' labels and
 * targets. */
int rg_claran_rows(const rg_claran *model, const rg_claran_run *run, rg_row *rows);

/* Its parts, for other networks: fc6 .. cls_prob upon the row `pooled` of `channels`,
 * the four losses, and the RoIs, at the top of the second range. */
int rg_claran_head(const rg_claran *model, const rg_claran_run *run, const char *pooled,
                   int channels, rg_row *rows);
int rg_claran_losses(const rg_claran_run *run, rg_row *rows);
int rg_claran_rois(const rg_claran *model, const rg_claran_run *run, rg_row *rows);

/* Network by name: claran, fpn. */
int rg_claran_network(const char *name, rg_network *network);
const char *rg_claran_network_name(rg_network network);

/* Sampling of ST pooling by name: paper, authors. */
int rg_claran_sampling(const char *name, rg_sampling *sampling);
const char *rg_claran_sampling_name(rg_sampling sampling);

/* Anchor a and the map it stands on. */
rg_anchor rg_claran_anchor(const rg_claran *model, int a);

/* How many there are in an image. */
int rg_claran_anchors(const rg_claran *model);

/* Side of Table 4's feature map: floor(input / 16). */
int rg_claran_cells(const rg_claran *model);

/* To and from the keywords of a model file; values out of range are sentences.  A file
 * without a calibration has none, and one without views one. */
int rg_claran_describe(const rg_claran *model, rg_weights *weights);
int rg_claran_recognise(rg_claran *model, const rg_weights *weights);

/* The network's probability p of a class, 1..6, as one that can be believed (Platt
 * 1999; the offset by class also undoes that classes are not as frequent on the sky as
 * in training), with what the pixels say (core/detector/evidence.h): sigmoid(a logit(p)
 * + b[class] + e . x).  At the same x it never falls as p rises; without a calibration
 * it is p, to the bit. */
float rg_claran_calibrate(const rg_claran *model, int class_, float p,
                          const float x[RG_EVIDENCES]);

/* What outputs call the model: the hash of its weights, and after a dash four digits of
 * its calibration and views if it has such ("0a1b2c3d", "0a1b2c3d-4e5f"). */
#define RG_CLARAN_IDENTITY 16
void rg_claran_identity(const rg_claran *model, const rg_weights *weights,
                        char identity[RG_CLARAN_IDENTITY]);

/* The network's input from a subject rgb [132][132][3], row 0 at the bottom: flipped to
 * y down, bilinear to input x input, means subtracted, planes B, G, R: out
 * [3][input][input]. */
void rg_claran_input(const rg_claran *model, const uint8_t *rgb, float *out);

/* A box between FITS pixels of the subject's grid (1-based, y up, pixel edges: the
 * first pixel spans 0.5 to 1.5) and network pixels (y down, inclusive). */
rg_box rg_claran_from_subject(const rg_claran *model, rg_box fits);
rg_box rg_claran_to_subject(const rg_claran *model, rg_box network);

#endif

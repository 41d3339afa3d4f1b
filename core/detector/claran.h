/* claran: the paper's Table 4 as rows, and the model file that fills it.
 *
 *     rg_claran model = rg_claran_paper;
 *     rg_row rows[RG_CLARAN_ROWS];
 *     int n = rg_claran_rows(&model, &(rg_claran_run){ .batch = 1, .rois = 5 }, rows);
 */
#ifndef RG_CLARAN_H
#define RG_CLARAN_H

#include "core/detector/boxes.h"
#include "core/engine/layer.h"
#include "core/engine/weights.h"
#include "core/image/fuse.h"

#define RG_CLARAN_SUBJECT 132      /* pixels of a subject ... */
#define RG_CLARAN_PIXEL 1.375      /* ... of this many arcsec: 3' */
#define RG_CLARAN_ANCHORS 6        /* per feature cell */
#define RG_CLARAN_STRIDE 16        /* network pixels per feature cell */
#define RG_CLARAN_GRID 7           /* ST pooling, points a side */
#define RG_CLARAN_ROWS 64

/* What a model is; all of it is kept in the header of the model file. */
typedef struct rg_claran {
    int input;                     /* side of the network's input [pixels]: 600 */
    int width;                     /* channels of conv1: 64 */
    int fc;                        /* of fc6 and fc7: 4096 */
    float anchor[RG_CLARAN_ANCHORS];  /* sides [network pixels]: 16 .. 512 */
    rg_method method;
    float mean[3];                 /* B, G, R subtracted from the 8-bit image */
} rg_claran;

extern const rg_claran rg_claran_paper;

/* How the rows are to be used. */
typedef struct rg_claran_run {
    int batch;                     /* images at once */
    int rois;                      /* RoIs of all of them together */
    int training;                  /* with dropout and the four losses */
} rg_claran_run;

/* conv1_1 .. conv5_3, with the poolings between them, upon a row "data" of three
 * channels: fills rows[RG_CLARAN_ROWS]; returns how many. */
int rg_claran_backbone(int width, rg_row *rows);

/* Fills rows[RG_CLARAN_ROWS]; returns how many. */
int rg_claran_rows(const rg_claran *model, const rg_claran_run *run, rg_row *rows);

/* Side of the feature map: floor(input / 16). */
int rg_claran_cells(const rg_claran *model);

/* To and from the keywords of a model file; values out of range are sentences. */
int rg_claran_describe(const rg_claran *model, rg_weights *weights);
int rg_claran_recognise(rg_claran *model, const rg_weights *weights);

/* The network's input from a subject rgb [132][132][3], row 0 at the bottom: flipped to
 * y down, bilinear to input x input, means subtracted, planes B, G, R: out
 * [3][input][input]. */
void rg_claran_input(const rg_claran *model, const uint8_t *rgb, float *out);

/* A box between FITS pixels of the subject's grid (1-based, y up, pixel edges: the
 * first pixel spans 0.5 to 1.5) and network pixels (y down, inclusive). */
rg_box rg_claran_from_subject(const rg_claran *model, rg_box fits);
rg_box rg_claran_to_subject(const rg_claran *model, rg_box network);

#endif

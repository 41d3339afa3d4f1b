/* SPDX-License-Identifier: MIT */
/* dataset: lists of images with labelled boxes, as comma-separated values.
 *
 *     rg_dataset *set;
 *     RG_TRY(rg_dataset_read(&set, "rgz_train.csv"));
 *     for (int i = 0; i < set->nfields; i++) use(&set->fields[i]);
 *     rg_dataset_free(set);
 *
 * A list has a header line; the columns read are file, class, xmin, ymin, xmax, ymax,
 * in any order, and where there are such ir, the infrared image of the same sky, and
 * confidence, that the class is right (0..1; empty: 1); others are ignored.  Boxes are
 * FITS pixels of the image, 1-based, pixel edges.  One row a source; rows of one file
 * need not be together.  A row with an empty
 * class stands for a field without sources.  Class "?" marks emission that is neither
 * an example nor background.  Files are relative to the list's folder, or to a folder
 * of the list's own name without .csv (rgz_train.csv -> rgz_train/), looked in first.
 */
#ifndef RG_DATASET_H
#define RG_DATASET_H

#include "core/detector/boxes.h"

typedef struct rg_label {
    double xmin, ymin, xmax, ymax;   /* [FITS pixels of the image] */
    int class_;                      /* 1..6 or RG_CLASS_IGNORE */
    double confidence;               /* that the class is right, 0..1 */
} rg_label;

typedef struct rg_field {
    char *file;               /* as in the list; owned */
    char *path;               /* where it was found; owned */
    char *infrared;           /* where its infrared image is, or NULL; owned */
    rg_label *labels;         /* owned */
    int nlabels;
} rg_field;

typedef struct rg_dataset {
    rg_field *fields;         /* in order of first appearance; owned */
    int nfields;
    int count[RG_CLASSES];    /* labels per class */
} rg_dataset;

/* A missing column, a bad number, an unknown class, a missing file: a sentence with the
 * line's number.  Caller frees. */
int rg_dataset_read(rg_dataset **out, const char *path);
void rg_dataset_free(rg_dataset *set);

/* Labels of less confidence become RG_CLASS_IGNORE; returns how many. */
int rg_dataset_doubt(rg_dataset *set, double least);

/* Path of a file of a list, found as said above; NULL with a sentence when it cannot be
 * read.  Caller frees. */
char *rg_dataset_locate(const char *list, const char *file);

#endif

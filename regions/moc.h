/* SPDX-License-Identifier: MIT */
/* moc: the part of the sky that was searched, as a multi-order coverage map (MOC 2.0,
 * www.ivoa.net/documents/MOC): HEALPix cells a little larger than pixels.
 *
 *     rg_moc *moc;
 *     RG_TRY(rg_moc_new(&moc));
 *     RG_TRY(rg_moc_add(moc, image, NULL));
 *     RG_TRY(rg_moc_write(moc, file));           // FITS
 *     rg_moc_free(moc);
 */
#ifndef RG_MOC_H
#define RG_MOC_H

#include <stdio.h>

#include "core/image/image.h"

typedef struct rg_moc rg_moc;

int rg_moc_new(rg_moc **out);
void rg_moc_free(rg_moc *moc);

/* The pixels of `image` that have a value, and where `infrared` (NULL: none) has one
 * too.  A cell belongs to it where the centre of such a pixel lies in the cell, whose
 * side is 2 to 4 pixels. */
int rg_moc_add(rg_moc *moc, const rg_image *image, const rg_image *infrared);

/* As FITS, cells four of which fill a larger one being written as that one. */
int rg_moc_write(const rg_moc *moc, FILE *to);

/* The area [square degrees]. */
double rg_moc_area(const rg_moc *moc);

#endif

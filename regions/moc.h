/* SPDX-License-Identifier: MIT */
/* moc: the part of the sky that was searched, as a multi-order coverage map (MOC 2.0,
 * www.ivoa.net/documents/MOC): HEALPix cells a little larger than pixels.
 *
 *     rg_moc *all, *one;
 *     RG_TRY(rg_moc_new(&all, NULL, NULL));
 *     RG_TRY(rg_moc_new(&one, image, NULL));
 *     RG_TRY(rg_moc_join(all, one));
 *     RG_TRY(rg_moc_write(all, file));           // FITS
 */
#ifndef RG_MOC_H
#define RG_MOC_H

#include <stdio.h>

#include "core/image/image.h"

typedef struct rg_moc rg_moc;

/* The pixels of `image` (NULL: an empty map) that have a value, and where `infrared`
 * (NULL: none) has one too.  A cell belongs to it where the centre of such a pixel lies
 * in the cell, whose side is 2 to 4 pixels.  Caller frees. */
int rg_moc_new(rg_moc **out, const rg_image *image, const rg_image *infrared);
void rg_moc_free(rg_moc *moc);

/* What is in the other is now in this one, too. */
int rg_moc_join(rg_moc *moc, const rg_moc *other);

/* As FITS, cells four of which fill a larger one being written as that one. */
int rg_moc_write(rg_moc *moc, FILE *to);

/* The area [square degrees]. */
double rg_moc_area(rg_moc *moc);

#endif

/* SPDX-License-Identifier: MIT */
/* infrared: WISE W1 frames (3.4 micron) for fields whose radio sources are known,
 * since no infrared training images come with this project (shared/spec/data.md).
 *
 *     RG_TRY(rg_host_find(field, labels, n, NULL, &state, hosts));
 *     RG_TRY(rg_infrared_make(field->sky, field->nx, field->ny, hosts, n, seed, &w1));
 *
 * The frame is on its own north-up grid of 1.375" pixels that covers the field, in the
 * counts of AllWISE Atlas images (zero point 20.5 mag): background and its noise, stars
 * and galaxies as many and a PSF as wide (8.6" FWHM) as in the real Atlas frame that it
 * was all measured on (infrared.c).  Not in it: diffraction spikes, artefacts,
 * saturation, extended galaxies and clustering.
 */
#ifndef RG_INFRARED_H
#define RG_INFRARED_H

#include <stdint.h>

#include "core/image/image.h"
#include "core/data/host.h"

#define RG_INFRARED_PIXEL 1.375   /* [arcsec] */
#define RG_INFRARED_ZERO 20.5     /* magnitude of one count */

/* The frame that goes with a field of nx x ny pixels: the hosts, and field objects from
 * the seed.  Same arguments, same pixels.  Caller frees. */
int rg_infrared_make(const rg_sky *field, int nx, int ny, const rg_host *hosts, int n,
                     uint64_t seed, rg_image **out);

#endif

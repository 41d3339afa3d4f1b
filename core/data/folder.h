/* SPDX-License-Identifier: MIT */
/* folder: images written to a folder DIR, with the list DIR.csv that dataset.h reads.
 *
 *     RG_TRY(rg_folder_simulate(&how, 100, "sky", NULL, NULL));       // sky/, sky.csv
 *     RG_TRY(rg_folder_infrared(list, NULL, seed, "w1", NULL, NULL));
 *
 * Columns: file, class, xmin, ymin, xmax, ymax, ir (the infrared frame), host_ra_deg,
 * host_dec_deg (empty where WISE shows no host), confidence (that of the list, or 1).
 * The list is written beside and renamed.  `progress` may be NULL.
 */
#ifndef RG_FOLDER_H
#define RG_FOLDER_H

#include <stdint.h>

#include "core/data/simulate.h"

/* `count` simulated fields, sim_00000.fits ..., and their frames, sim_00000_w1.fits. */
int rg_folder_simulate(const rg_simulation *how, int count, const char *directory,
                       void (*progress)(void *user, int done, int total), void *user);

/* Infrared frames, NAME_w1.fits, for the fields of a list of real radio images,
 * NAME.fits and the like, which stay where they are (NAME_00012_w1.fits for field 12
 * where one before it has its name).  `known` (may be NULL): see rg_host_find. */
int rg_folder_infrared(const rg_dataset *list, const rg_host_list *known, uint64_t seed,
                       const char *directory,
                       void (*progress)(void *user, int done, int total), void *user);

#endif

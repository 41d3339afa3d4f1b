/* SPDX-License-Identifier: MIT */
/* patch: windows of 3' at random places of fields, labelled or not, for what needs no
 * label.
 *
 *     rg_patches *patches; rg_patch *patch = ...;
 *     RG_TRY(rg_patches_new(&patches, lists, nlists, false));
 *     RG_TRY(rg_patches_draw(patches, seed, patch));
 *     RG_TRY(rg_patch_show(patch, &model, data));
 *     rg_patches_free(patches);
 */
#ifndef RG_PATCH_H
#define RG_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/detector/claran.h"
#include "core/data/dataset.h"

#define RG_PATCH_PIXELS (RG_CLARAN_SUBJECT * RG_CLARAN_SUBJECT)

typedef struct rg_patches rg_patches;

typedef struct rg_patch {          /* planes [132][132], row 0 at the bottom */
    float radio[RG_PATCH_PIXELS], infrared[RG_PATCH_PIXELS];
    double sigma;                  /* noise of the radio pixels, above 0 */
    bool has_infrared;
} rg_patch;

/* Reads every image of the lists into memory; labels do not matter.  `infrared`: their
 * infrared images too, which every field must have.  Caller frees. */
int rg_patches_new(rg_patches **out, const rg_dataset *const *lists, int nlists,
                   bool infrared);
void rg_patches_free(rg_patches *patches);

/* Patch number `seed`: of any field alike, anywhere in it, laid in one of the eight
 * ways.  Where it hangs over the rim there is NaN. */
int rg_patches_draw(const rg_patches *patches, uint64_t seed, rg_patch *patch);

/* Adds noise of this many sigma with the correlation of a beam of 4 pixels; sigma stays
 * what it was. */
void rg_patch_add_noise(rg_patch *patch, double times_sigma, uint64_t seed);

/* data [3][input][input] as the network takes it. */
int rg_patch_show(const rg_patch *patch, const rg_claran *model, float *data);

/* Mean B, G, R over patches. */
int rg_patches_mean(const rg_patches *patches, const rg_claran *model, uint64_t seed,
                    float mean[3]);

#endif

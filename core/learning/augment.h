/* SPDX-License-Identifier: MIT */
/* augment: what may be done to the pixels of a training example.
 *
 *     rg_augment_plane p = { pixels, 132, 5.4 / 1.375, 0, 0 };
 *     RG_TRY(rg_augment_fill(&p, &state));           // blanks become noise
 *     RG_TRY(rg_augment_fade(&p, 0.3, &state));      // fainter, as noisy as before
 *     RG_TRY(rg_augment_relabel(before, &p, truths, n));
 *
 * Radio images here are noise with sources: what is made of them keeps the noise's rms,
 * so that "fainter" is fainter against the noise.  A change of scale alone would be no
 * change: D1's logarithm runs from the lowest pixel to the highest.
 */
#ifndef RG_AUGMENT_H
#define RG_AUGMENT_H

#include <stdint.h>

#include "core/detector/proposal.h"

/* All 0: nothing is done. */
typedef struct rg_augment_options {
    double rotate;            /* probability that a window is turned, by any angle */
    double zoom[2];           /* least and largest enlargement; 0, 0: none */
    double faint;             /* probability of a fainter copy */
    double brighten;          /* sources up to this factor brighter; 0 or 1: none */
    double beam;              /* beams up to this factor wider; 0 or 1: none */
    double inject;            /* probability of a source from elsewhere (radio only) */
    double empty;             /* probability of a window without any */
} rg_augment_options;

/* A window: pixels [side][side], row 0 = FITS row 1. */
typedef struct rg_augment_plane {
    float *pixels;            /* borrowed */
    int side;
    double beam;              /* FWHM [pixels] */
    double median, sigma;     /* of the pixels; found by rg_augment_fill */
} rg_augment_plane;

/* Noise of rms 1 with the grain of FIRST images, correlated over the beam: a part 0.6
 * beams wide and one 2.2 wide, in simulate.c's shares. */
int rg_augment_grain(float *grain, int side, double beam, uint64_t *state);

/* Finds median and sigma (1.4826 MAD); pixels that are not finite become grain of that
 * sigma about that median.  Fails where no pixel is finite. */
int rg_augment_fill(rg_augment_plane *p, uint64_t *state);

/* Sources `factor` (0..1) as bright, the noise as strong as it was: f in +
 * sqrt(1 - f^2) noise. */
int rg_augment_fade(rg_augment_plane *p, double factor, uint64_t *state);

/* Islands above 4 sigma that hold a pixel above 3 sqrt(3) sigma, with what is within
 * about a beam of them, `factor` times as bright; the noise elsewhere as it was. */
int rg_augment_brighten(rg_augment_plane *p, double factor);

/* As a survey with a beam `factor` (over 1) times as wide sees it, at the same noise:
 * blurred and brought back to its sigma, so that what is compact loses against it. */
int rg_augment_smooth(rg_augment_plane *p, double factor);

/* Adds the islands of `from`, a plane of the same side, whose middles are in the box
 * [FITS pixels], as rg_augment_brighten finds them: less its median, tapered. */
int rg_augment_add(rg_augment_plane *p, const rg_augment_plane *from,
                   const rg_box *box);

/* The labels of `before` after its pixels became those of `p`: boxes (FITS pixels of
 * the plane, pixel edges) go round the islands above 4 sigma again, and where the
 * label rule counts other components or peaks than before, or sees nothing, the class
 * becomes RG_CLASS_IGNORE.  Those ignored before stay as they are. */
int rg_augment_relabel(const rg_augment_plane *before, const rg_augment_plane *p,
                       rg_truth *truths, int n);

#endif

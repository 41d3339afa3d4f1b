/* SPDX-License-Identifier: MIT */
/* companion: the infrared image among a DS9's frames that goes with the radio one.
 *
 *     rg_frame infrared = { 0 };
 *     RG_TRY(rg_companion_find(ds9, &radio, NULL, false, &infrared));
 *     if (infrared.image != NULL) ...
 *     rg_frames_clear(&infrared);
 */
#ifndef RG_COMPANION_H
#define RG_COMPANION_H

#include <stdbool.h>

#include "plugin/frames.h"

/* Whether an image says that it is infrared (2.5 to 30 micron): its header's
 * wavelength, SURVEY or TELESCOP; where they and BUNIT say nothing, its file's name. */
bool rg_companion_is_infrared(const rg_frame *frame);

/* The infrared image for `radio`, the current frame: of the others that say they are
 * WISE W1 (3 to 4 micron) and cover it, the one that covers most; or frame `number`
 * (not NULL), whatever it says.  Where there is none: a sentence if it was `wanted` or
 * named, else lines on stderr why those that might be it were not taken, and no image.
 * One not `wanted` has to cover half of the radio image. */
int rg_companion_find(rg_xpa *ds9, const rg_frame *radio, const char *number,
                      bool wanted, rg_frame *infrared);

#endif

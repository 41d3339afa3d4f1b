/* SPDX-License-Identifier: MIT */
/* frames: the images in a DS9's frames, read so that DS9 stays as it was (spec/ds9.md,
 * section 3), and new ones.
 *
 *     rg_frame radio = { 0 }, *others; int n;
 *     RG_TRY(rg_frames_current(ds9, &radio));
 *     RG_TRY(rg_frames_others(ds9, radio.number, NULL, &others, &n));
 *     rg_frames_free(others, n);
 *     rg_frames_clear(&radio);
 */
#ifndef RG_FRAMES_H
#define RG_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image/image.h"
#include "plugin/xpa.h"

typedef struct rg_frame {
    char number[32];
    char file[1024];          /* what DS9 says was opened */
    char *fits;               /* what it holds, as DS9 hands it over; owned */
    size_t size;              /* of fits [bytes] */
    rg_image *image;          /* the same; owned */
    bool hidden;              /* not among those DS9 shows */
    char problem[512];        /* why it is not to be used, a sentence; "": none */
} rg_frame;

/* The number of the current frame; fails where there is none, or another one every
 * moment. */
int rg_frames_number(rg_xpa *ds9, rg_frame *frame);

/* Of a frame that holds an image with coordinates, without fetching it. */
int rg_frames_with_sky(rg_xpa *ds9, rg_frame *frame);

/* The current frame, of a cube the slice it shows; one whose pixels or place are not
 * what they seem (blocked, smoothed, RGB, a mosaic, without a WCS or with one that its
 * header does not have) is a sentence.  Clear it in any case. */
int rg_frames_current(rg_xpa *ds9, rg_frame *frame);

/* Its FITS file as DS9 hands it over; caller frees *fits with free(). */
int rg_frames_fetch(rg_xpa *ds9, char **fits, size_t *size);
void rg_frames_clear(rg_frame *frame);

/* The frames other than `home`, the current one, or of these only frame `number` (if
 * not NULL).  They have no fits; one that rg_frames_current would refuse has a problem,
 * and an image only if its header could be read all the same.  DS9 goes to each in
 * turn; before this returns it is at home again with the frames hidden that were, and
 * signals that end the program wait for that, and where it is killed all the same (as
 * DS9 does), another process sees to it.  A user who went elsewhere meanwhile is
 * left there and told so.  Free *list with rg_frames_free. */
int rg_frames_others(rg_xpa *ds9, const char *home, const char *number,
                     rg_frame **list, int *n);
void rg_frames_free(rg_frame *list, int n);

/* A new RGB frame, the current one from now on, that shows rgb [side][side][3], row 0
 * at the bottom, as it is; with the coordinates of `sky`, called `title`.  `number`
 * gets its number. */
int rg_frames_show(rg_xpa *ds9, const uint8_t *rgb, int side, const rg_sky *sky,
                   const char *title, char number[32]);

#endif

/* SPDX-License-Identifier: MIT */
#include "plugin/companion.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/engine/error.h"
#include "plugin/options.h"

#define COVER_LEAST 0.5       /* of the radio image, if infrared was not asked for */

/* ---- what an image says it is ---- */

/* Whether one of the words (in small letters, between blanks) is a word of the text;
 * words of the text end at `ends` or a blank. */
static bool says(const char *text, const char *words, const char *ends)
{
    char padded[80];
    for (size_t n; *text; text += n) {
        while (*text == ' ' || (*text && strchr(ends, *text))) text++;
        for (n = 0; text[n] && text[n] != ' ' && !strchr(ends, text[n]); n++) { }
        if (n == 0 || n > sizeof padded - 3) continue;
        snprintf(padded, sizeof padded, " %.*s ", (int)n, text);
        for (char *c = padded; *c; c++) *c = (char)tolower((unsigned char)*c);
        if (strstr(words, padded)) return true;
    }
    return false;
}

static bool file_says(const rg_frame *frame, const char *words)
{
    const char *slash = strrchr(frame->file, '/');
    return says(slash ? slash + 1 : frame->file, words, "._-+[]");
}

static bool header_says(const rg_frame *frame, const char *words)
{
    const char *ends = "_-,;/()";
    return frame->image && (says(frame->image->telescope, words, ends)
                            || says(frame->image->survey, words, ends));
}

/* What an image says it is. */
typedef enum { NOTHING, INFRARED, ANOTHER } origin;

static origin origin_of(const rg_frame *frame)
{
    static const char wise[] = " wise allwise neowise unwise w1 w2 w3 w4 wisew1 wisew2 "
                               "wisew3 wisew4 ";
    const rg_image *image = frame->image;
    if (image && image->wavelength > 0)
        return image->wavelength > 2.5e-6 && image->wavelength < 3e-5 ? INFRARED
                                                                      : ANOTHER;
    if (header_says(frame, wise)) return INFRARED;
    if (image && (*image->telescope || *image->survey
                  || strcasestr(image->unit, "/beam"))) return ANOTHER;
    return file_says(frame, wise) ? INFRARED : NOTHING;
}

bool rg_companion_is_infrared(const rg_frame *frame)
{
    return origin_of(frame) == INFRARED;
}

/* Whether an infrared image says that it is of another band than W1. */
static bool is_other_band(const rg_frame *frame)
{
    static const char others[] = " w2 w3 w4 wisew2 wisew3 wisew4 ";
    const rg_image *image = frame->image;
    if (image && image->wavelength > 0)
        return !(image->wavelength > 3e-6 && image->wavelength < 4e-6);
    if (image && *image->band) return !says(image->band, " 1 w1 ", "_-,;/()");
    return header_says(frame, others) || header_says(frame, " 4.6 12 22 ")
           || file_says(frame, others);
}

/* ---- whether it will do ---- */

enum { PASSED_OVER = 1 };

static int check_values(const rg_image *image)
{
    const size_t n = (size_t)image->nx * image->ny;
    for (size_t i = 0; i < n; i++)
        if (isfinite(image->pixels[i])) return 0;
    return RG_FAIL("%s is blank: none of its %d x %d pixels has a value", image->name,
                   image->nx, image->ny);
}

static int fail_elsewhere(const rg_image *radio, const rg_image *infrared)
{
    double ra[2], dec[2];
    const rg_image *image[2] = { radio, infrared };
    for (int i = 0; i < 2; i++)
        RG_TRY(rg_sky_to_world(image[i]->sky, (image[i]->nx + 1) / 2.0,
                               (image[i]->ny + 1) / 2.0, &ra[i], &dec[i]));
    return RG_FAIL("%s shows another part of the sky than %s: their middles are %.4g' "
                   "apart", infrared->name, radio->name,
                   rg_sky_separation(ra[0], dec[0], ra[1], dec[1]) / 60);
}

/* Whether a frame that says it is infrared, or was named, can be used; *share [of the
 * radio image] is what it covers. */
static int check_infrared(const rg_frame *radio, const rg_frame *frame, double least,
                          double *share)
{
    if (*frame->problem) return RG_FAIL("%s", frame->problem);
    RG_TRY(check_values(frame->image));
    RG_TRY(rg_image_cover(radio->image, frame->image, share));
    if (!(*share > 0)) return fail_elsewhere(radio->image, frame->image);
    if (*share >= least) return 0;
    return RG_FAIL("%s covers only %.0f per cent of %s", frame->image->name,
                   100 * *share, radio->image->name);
}

/* An image of the same sky that does not say what it is may be the one: only the user
 * knows. */
static int consider(const rg_frame *radio, const rg_frame *frame)
{
    double share = 0;
    if (origin_of(frame) == ANOTHER || *frame->problem) return PASSED_OVER;
    RG_TRY(rg_image_cover(radio->image, frame->image, &share));
    if (!(share > 0)) return PASSED_OVER;
    return RG_FAIL("%s shows the same sky, but nothing in it says that it is infrared; "
                   "if it is, name it: Detect with options... in the menu, or "
                   "--ir-frame %s", frame->image->name, frame->number);
}

static int assess(const rg_frame *radio, const rg_frame *frame, bool wanted,
                  double *share)
{
    if (origin_of(frame) != INFRARED) return consider(radio, frame);
    if (is_other_band(frame))
        return RG_FAIL("frame %s of DS9 is infrared, but not WISE W1 (3.4 micron), "
                       "which the network knows", frame->number);
    return check_infrared(radio, frame, wanted ? 0 : COVER_LEAST, share);
}

/* The best of list, or NULL; the others get a problem, or none where nothing is to be
 * said of them. */
static rg_frame *choose(const rg_frame *radio, rg_frame *list, int n, bool wanted)
{
    rg_frame *best = NULL;
    double share, most = 0;
    for (int i = 0; i < n; i++) {
        int verdict = assess(radio, &list[i], wanted, &share);
        snprintf(list[i].problem, sizeof list[i].problem, "%s",
                 verdict < 0 ? rg_error_message() : "");
        if (verdict != 0 || !(share > most)) continue;
        best = &list[i];
        most = share;
    }
    return best;
}

/* None was found: the first reason, or all of them as lines on stderr. */
static int explain(const rg_frame *list, int n, bool wanted)
{
    for (int i = 0; i < n; i++)
        if (*list[i].problem) {
            if (wanted) return RG_FAIL("%s", list[i].problem);
            rg_options_remark("%s", list[i].problem);
        }
    if (!wanted) return 0;
    return RG_FAIL("the method needs an infrared image (WISE W1), and no other frame "
                   "of DS9 says that it holds one: open it in a frame of its own");
}

static int take(rg_frame *list, int n, const rg_frame *radio, const char *number,
                bool wanted, rg_frame *infrared)
{
    double share;
    rg_frame *best = list;
    if (number == NULL) best = choose(radio, list, n, wanted);
    else if (n == 0) return RG_FAIL("DS9 has no frame %s beside frame %s: name another "
                                    "infrared frame, or auto", number, radio->number);
    else RG_TRY(check_infrared(radio, best, 0, &share));
    if (best == NULL) return explain(list, n, wanted);
    *infrared = *best;
    *best = (rg_frame){ .size = 0 };
    return 0;
}

int rg_companion_find(rg_xpa *ds9, const rg_frame *radio, const char *number,
                      bool wanted, rg_frame *infrared)
{
    rg_frame *list;
    int n;
    RG_TRY(rg_frames_others(ds9, radio->number, number, &list, &n));
    int status = take(list, n, radio, number, wanted, infrared);
    rg_frames_free(list, n);
    return status;
}

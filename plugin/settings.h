/* SPDX-License-Identifier: MIT */
/* settings: what was chosen in DS9 the last time, kept in ~/.config/claran/settings as
 * plain lines, "threshold = 0.8".
 *
 *     rg_settings settings = rg_settings_default;
 *     if (rg_settings_read(&settings) != 0) puts(rg_error_message());   // and go on
 *     RG_TRY(rg_settings_put(&settings, RG_SETTING_THRESHOLD, "0.5"));
 *     RG_TRY(rg_settings_write(&settings));
 */
#ifndef RG_SETTINGS_H
#define RG_SETTINGS_H

#include <stdbool.h>

typedef enum {
    RG_SETTING_METHOD,        /* auto, F, D1 .. D4 */
    RG_SETTING_MODEL,         /* auto or a file */
    RG_SETTING_THRESHOLD,     /* 0 .. 1 */
    RG_SETTING_INFRARED,      /* auto or the number of a frame; not remembered: another
                                 DS9 has other frames */
    RG_SETTING_SEARCH,        /* frame, view, selected */
    RG_SETTING_DEVICE,        /* auto, gpu, cpu, ref */
    RG_SETTING_COLOURS,       /* one, class */
    RG_SETTING_LABELS,        /* yes, no */
    RG_SETTING_ALTERNATIVES,  /* yes, no: the runner-up in the label */
    RG_SETTING_LIVE,          /* yes, no: boxes as they are found */
    RG_SETTINGS
} rg_setting;

enum { RG_SETTING_SIZE = 1024 };     /* of a value [bytes] */

typedef struct rg_settings { char value[RG_SETTINGS][RG_SETTING_SIZE]; } rg_settings;

extern const rg_settings rg_settings_default;

/* What is in the file, over what is there already.  Where a line cannot be used (or the
 * file not be read) -1 and a sentence; the other lines are taken all the same.  No file
 * is no failure. */
int rg_settings_read(rg_settings *settings);
int rg_settings_write(const rg_settings *settings);

/* A value; one that cannot be is a sentence and changes nothing. */
int rg_settings_put(rg_settings *settings, rg_setting which, const char *value);

/* NULL for "auto", as options have it. */
const char *rg_settings_text(const rg_settings *settings, rg_setting which);
bool rg_settings_is(const rg_settings *settings, rg_setting which, const char *value);

/* Its name in the file, which is the name of its option too. */
const char *rg_settings_name(rg_setting which);

#endif

/* SPDX-License-Identifier: MIT */
/* home: the user's own folders for what is kept between runs (XDG base directories).
 *
 *     char path[RG_FILE_NAME];
 *     RG_TRY(rg_home_config("settings", path));     // ~/.config/claran/settings
 *     RG_TRY(rg_home_cache("1.results", path));     // ~/.cache/claran/1.results
 *
 * The folders are made where they are missing, for nobody else to read (0700).
 */
#ifndef RG_HOME_H
#define RG_HOME_H

#include "core/engine/file.h"

/* In $XDG_CONFIG_HOME/claran, where that is an absolute path, else ~/.config/claran. */
int rg_home_config(const char *name, char path[RG_FILE_NAME]);

/* In $XDG_CACHE_HOME/claran or ~/.cache/claran. */
int rg_home_cache(const char *name, char path[RG_FILE_NAME]);

/* Whole text of a file of at most `most` bytes, with a NUL behind; NULL and a sentence
 * where it is longer, no text file or cannot be read; NULL and *missing = 1 where it
 * is not there.  Caller frees with free(). */
char *rg_home_read(const char *path, long most, int *missing);

/* `text` as that file: written beside and renamed. */
int rg_home_write(const char *path, const char *text, unsigned long size);

#endif

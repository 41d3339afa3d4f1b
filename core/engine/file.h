/* SPDX-License-Identifier: MIT */
/* file: outputs are written beside the file wanted and renamed when they are whole.
 *
 *     char beside[RG_FILE_NAME];
 *     RG_TRY(rg_file_beside(path, beside));
 *     return rg_file_keep(write_it(beside), beside, path);
 */
#ifndef RG_FILE_H
#define RG_FILE_H

enum { RG_FILE_NAME = 4096 };   /* room for a name [bytes] */

/* "PATH.PID.part"; no file has that name when it returns, and those of programs that
 * were killed are removed. */
int rg_file_beside(const char *path, char beside[RG_FILE_NAME]);

/* Renames, once it is on the disk, where `status`, of the writing, is 0; else passes
 * the failure on.  Nothing is left beside after a failure. */
int rg_file_keep(int status, const char *beside, const char *path);

/* The path for CFITSIO, which takes a ~ in front for somebody's home, and crashes where
 * that is nobody's: `path` itself or, in literal[], "./~...". */
const char *rg_file_literal(const char *path, char literal[RG_FILE_NAME]);

/* By its name: no such thing, being written, or left by a program that was killed. */
typedef enum { RG_FILE_WHOLE, RG_FILE_GROWING, RG_FILE_LEFT } rg_file_state;
rg_file_state rg_file_look(const char *name);

#endif

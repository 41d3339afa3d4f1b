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

/* "PATH.PID.part"; no file has that name when it returns. */
int rg_file_beside(const char *path, char beside[RG_FILE_NAME]);

/* Renames where `status`, of the writing, is 0; else passes the failure on.  Nothing is
 * left beside after a failure. */
int rg_file_keep(int status, const char *beside, const char *path);

#endif

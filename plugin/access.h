/* SPDX-License-Identifier: MIT */
/* access: an XPA access point of our own, for programs of the same user only.
 *
 *     char folder[RG_ACCESS_PATH]; rg_access *access;
 *     RG_TRY(rg_access_folder(true, folder));
 *     RG_TRY(rg_access_open(&access, folder, answer, user));
 *     while (rg_access_wait(access, 1) >= 0) ...
 *     rg_access_close(access);
 *
 * XPA's sockets are open to all: ours lie in a folder that others cannot enter, and who
 * calls is asked of the kernel besides.
 */
#ifndef RG_ACCESS_H
#define RG_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

enum { RG_ACCESS_PATH = 512 };    /* room for a path [bytes] */

typedef struct rg_access rg_access;

/* Whether a folder above `path` keeps all other users out. */
bool rg_access_is_private(const char *path);

/* The folder of sockets (XPA_TMPDIR): that of the environment if XPA_METHOD is local
 * and it is private, as claran-ds9 sets it; else xpa in $XDG_RUNTIME_DIR/claran or
 * /tmp/claran-UID, which have to be ours alone and are made where that is asked. */
int rg_access_folder(bool make, char folder[RG_ACCESS_PATH]);

/* The socket in the folder at which one answers; false: none is there, or it is stopped
 * (^Z) or at work for another, whom one would wait for. */
bool rg_access_find(const char *folder, char method[RG_ACCESS_PATH]);

/* Answers a request (what stands behind xpaget's target): *text [size], of malloc, or a
 * sentence. */
typedef int rg_access_answer(void *user, const char *request, char **text,
                             size_t *size);

/* XPA's CLARAN:claran.  Only one in a folder: RG_ACCESS_TAKEN where there is one. */
enum { RG_ACCESS_TAKEN = 1 };
int rg_access_open(rg_access **out, const char *folder, rg_access_answer *answer,
                   void *user);
void rg_access_close(rg_access *access);

/* Answers what comes in `seconds`: how many requests there were; -1 when the socket is
 * gone. */
int rg_access_wait(rg_access *access, int seconds);

/* Whether who asked has gone while the answer is made, as a menu's entry that was
 * cancelled; false outside of an answer. */
bool rg_access_is_abandoned(void);

#endif

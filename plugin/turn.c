/* SPDX-License-Identifier: MIT */
#include "plugin/turn.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/engine/error.h"
#include "plugin/home.h"

static int file = -1;             /* open as long as the turn lasts */

int rg_turn_take(const char *address)
{
    char path[RG_FILE_NAME];
    const uLong byte = crc32(0, (const Bytef *)address, (uInt)strlen(address));
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
                          .l_start = (off_t)byte, .l_len = 1 };
    if (rg_home_cache("turns", path) != 0) return 0;
    rg_turn_give();
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return 0;
    futimens(file, NULL);              /* or it would be tidied away as an old one */
    if (fcntl(file, F_SETLK, &lock) == 0) return 0;
    if (fcntl(file, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
    return RG_FAIL("ClaRAN is at work in this DS9 already (process %ld): wait for it, "
                   "or choose the entry with the check mark again to stop it",
                   (long)lock.l_pid);
}

void rg_turn_give(void)
{
    if (file >= 0) close(file);
    file = -1;
}

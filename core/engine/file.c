/* SPDX-License-Identifier: MIT */
#include "core/engine/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/engine/error.h"

int rg_file_beside(const char *path, char beside[RG_FILE_NAME])
{
    int n = snprintf(beside, RG_FILE_NAME, "%s.%ld.part", path, (long)getpid());
    if (n < 0 || n >= RG_FILE_NAME) return RG_FAIL("the name %s is too long", path);
    unlink(beside);
    return 0;
}

int rg_file_keep(int status, const char *beside, const char *path)
{
    if (status == 0 && rename(beside, path) == 0) return 0;
    if (status == 0) RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    unlink(beside);
    return -1;
}

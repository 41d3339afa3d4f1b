/* SPDX-License-Identifier: MIT */
#include "core/detector/shipped.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/engine/error.h"

const char *rg_shipped_methods(bool infrared)
{
    return infrared ? "D4 D3 D1" : "D1";
}

static bool find(const char *folder, const char *method, int length, char *path)
{
    int n =
        snprintf(path, RG_SHIPPED_PATH, "%s/claran-%.*s.fits", folder, length, method);
    for (char *c = path + n - 5 - length; n < RG_SHIPPED_PATH && c < path + n; c++)
        *c = (char)tolower(*c);
    return n < RG_SHIPPED_PATH && access(path, R_OK) == 0;
}

int rg_shipped_find(const char *given, const char *methods, char path[RG_SHIPPED_PATH])
{
    static const char *const folder[] = { RG_MODEL_DIR, RG_SOURCE_DIR "/core/models" };
    if (given == NULL) given = getenv("CLARAN_MODEL");
    if (given != NULL && *given != '\0') {
        if (strlen(given) >= RG_SHIPPED_PATH)
            return RG_FAIL("the model's path is too long");
        strcpy(path, given);
        return 0;
    }
    for (const char *m = methods; *m; m += strspn(m, " ")) {
        int length = (int)strcspn(m, " ");
        for (int i = 0; i < 2; i++)
            if (find(folder[i], m, length, path)) return 0;
        m += length;
    }
    return RG_FAIL(
        "no model for method %s found, neither in %s nor in %s; name one (--model) "
        "or set CLARAN_MODEL",
        methods, folder[0], folder[1]);
}

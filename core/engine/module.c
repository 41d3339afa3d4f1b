/* SPDX-License-Identifier: MIT */
#include "core/engine/module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/error.h"

enum { PATH_ROOM = 4096 };

/* A pipe would be waited for. */
static bool is_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

/* The file of that name beside the running program. */
static bool beside_program(char path[PATH_ROOM])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_ROOM - 1);
    if (n < 0) return false;
    path[n] = '\0';
    char *name = strrchr(path, '/');
    if (name == NULL || name - path + sizeof RG_MODULE_FILE >= PATH_ROOM - 1)
        return false;
    strcpy(name + 1, RG_MODULE_FILE);
    return is_file(path);
}

static int find(char path[PATH_ROOM])
{
    const char *given = getenv("CLARAN_GPU");
    if (given && strcmp(given, "none") == 0)
        return RG_FAIL("CLARAN_GPU is \"none\": no GPU is to be used");
    if (given && *given) {
        const char *here = strchr(given, '/') ? "" : "./";    /* no library's name */
        if (snprintf(path, PATH_ROOM, "%s%s", here, given) < PATH_ROOM
            && is_file(path)) return 0;
        return RG_FAIL("there is no GPU module %s, which CLARAN_GPU names", given);
    }
    if (beside_program(path)) return 0;
    snprintf(path, PATH_ROOM, "%s", RG_MODULE_DIR "/" RG_MODULE_FILE);
    if (is_file(path)) return 0;
    return RG_FAIL("there is no GPU module %s: this claran was built without CUDA; "
                   "use --backend cpu", path);
}

static int check(const char *path, const rg_module *module)
{
    if (module == NULL) return RG_FAIL("%s is no GPU module of claran", path);
    if (module->layout == RG_MODULE_LAYOUT
        && strcmp(module->version, RG_VERSION) == 0) return 0;
    return RG_FAIL("the GPU module %s belongs to another build, claran %s: install "
                   "both again, or use --backend cpu", path, module->version);
}

int rg_module_open(const rg_module **module)
{
    static const rg_module *loaded;
    char path[PATH_ROOM];
    if (loaded == NULL) {
        RG_TRY(find(path));
        void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (file == NULL)
            return RG_FAIL("the GPU module cannot be loaded: %s; install the CUDA "
                           "runtime, cuBLAS and cuDNN 9, or use --backend cpu",
                           dlerror());
        const rg_module *found = dlsym(file, RG_MODULE_SYMBOL);
        RG_TRY(check(path, found));
        loaded = found;
    }
    *module = loaded;
    return 0;
}

bool rg_module_driver(void)
{
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver) dlclose(driver);
    return driver != NULL;
}

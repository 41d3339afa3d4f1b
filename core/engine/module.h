/* SPDX-License-Identifier: MIT */
/* module: the GPU backend, kept apart in a shared object, so that one program runs with
 * and without CUDA.
 *
 *     const rg_module *module;
 *     if (rg_module_open(&module) == 0 && module->usable() == 0) use(module->backend);
 *     else puts(rg_error_message());
 *
 * The module is claran-gpu.so: of $CLARAN_GPU (a file; "none": no GPU), else beside the
 * running program (as it is built), else where it was installed.  It is written with
 * the structs of this program and calls functions of it: both are of one build.
 */
#ifndef RG_MODULE_H
#define RG_MODULE_H

#include "core/engine/backend.h"

#define RG_MODULE_FILE "claran-gpu.so"
#define RG_MODULE_SYMBOL "rg_module_gpu"

/* Another build's structs are of another size, or its version is another. */
#define RG_MODULE_LAYOUT \
    (sizeof(rg_backend) + (sizeof(rg_node) << 11) + (sizeof(rg_param) << 20) \
     + (sizeof(rg_row) << 29) + (sizeof(rg_tensor) << 40) \
     + (sizeof(rg_proposing) << 48) + (sizeof(rg_optimizer) << 57))

/* What the shared object shows. */
typedef struct rg_module {
    unsigned long layout;
    const char *version;
    const rg_backend *backend;
    int (*usable)(void);      /* 0, or -1 with the sentence why its backend is not */
} rg_module;

/* Loads it once and keeps it.  Fails, whether or not there is a card, only where it is
 * not there or cannot be loaded, saying what is missing. */
int rg_module_open(const rg_module **module);

/* Whether an NVIDIA driver is installed: to look takes no time, to load CUDA does. */
bool rg_module_driver(void);

#endif

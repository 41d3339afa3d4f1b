/* SPDX-License-Identifier: MIT */
/* A GPU module whose card is the host (card.c): what CLARAN_GPU names where a test
 * wants all of the program, and no card is there. */
#include "core/engine/gpu/gpu.h"
#include "core/engine/module.h"

static int usable(void)
{
    return 0;
}

__attribute__((visibility("default"))) extern const rg_module rg_module_gpu;
const rg_module rg_module_gpu = { RG_MODULE_LAYOUT, RG_VERSION, &rg_backend_gpu,
                                  usable };

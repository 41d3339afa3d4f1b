/* SPDX-License-Identifier: MIT */
#include "core/engine/backend.h"

#include <stdbool.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/module.h"

static int find_gpu(const rg_backend **backend)
{
    const rg_module *module;
    RG_TRY(rg_module_open(&module));
    RG_TRY(module->usable());
    *backend = module->backend;
    return 0;
}

int rg_backend_find(const char *name, const rg_backend **backend)
{
    static const rg_backend *const all[] = { &rg_backend_cpu, &rg_backend_ref };
    const bool any = strcmp(name, "auto") == 0;
    if (strcmp(name, "gpu") == 0) return find_gpu(backend);
    if (any && rg_module_driver() && find_gpu(backend) == 0) return 0;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (any || strcmp(name, all[i]->name) == 0) {
            *backend = all[i];
            return 0;
        }
    return RG_FAIL("there is no backend \"%s\": use auto, gpu, cpu or ref", name);
}

static const char *const precisions[] = {
    [RG_PRECISION_AUTO] = "auto",
    [RG_PRECISION_F32] = "f32",
    [RG_PRECISION_BF16] = "bf16",
    [RG_PRECISION_TF32] = "tf32",
    [RG_PRECISION_F16] = "f16",
};

int rg_backend_precision(const char *name, rg_precision *precision)
{
    for (unsigned i = 0; i < sizeof precisions / sizeof *precisions; i++)
        if (strcmp(name, precisions[i]) == 0) {
            *precision = (rg_precision)i;
            return 0;
        }
    return RG_FAIL("there is no precision \"%s\": use auto, f32, tf32, bf16 or f16",
                   name);
}

int rg_backend_no_card(const char *name, rg_precision precision)
{
    if (precision != RG_PRECISION_TF32 && precision != RG_PRECISION_F16) return 0;
    return RG_FAIL("the backend %s has no %s, which needs a card and --backend gpu: "
                   "use f32 or bf16", name, rg_backend_precision_name(precision));
}

const char *rg_backend_precision_name(rg_precision precision)
{
    return precisions[precision];
}

/* SPDX-License-Identifier: MIT */
/* Every word's gradient on the plain loops, on oneDNN, and on a GPU where there is
 * one. */
#include "core/engine/module.h"
#include "tests/gradients.h"

static void on_the_card(void)
{
    const rg_backend *gpu;
    setenv("CLARAN_GPU", "./" RG_MODULE_FILE, 1);
    if (rg_backend_find("gpu", &gpu) != 0) CHECK_SKIP(rg_error_message());
    gradients_run(gpu);
}

int main(void)
{
    gradients_run(&rg_backend_ref);
    gradients_run(&rg_backend_cpu);
    CHECK_RUN(on_the_card);
    return CHECK_END();
}

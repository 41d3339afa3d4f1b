/* SPDX-License-Identifier: MIT */
/* Every word's gradient in the GPU backend, on a card that is the host (card.c). */
#include "core/engine/gpu/gpu.h"
#include "tests/gradients.h"

int main(void)
{
    gradients_run(&rg_backend_gpu);
    return CHECK_END();
}

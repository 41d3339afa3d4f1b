/* SPDX-License-Identifier: MIT */
/* Every word on oneDNN. */
#include "tests/words.h"

int main(void)
{
    words_run(&rg_backend_cpu);
    return CHECK_END();
}

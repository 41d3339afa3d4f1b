/* SPDX-License-Identifier: MIT */
/* A GPU module whose card is the host (card.c): what CLARAN_GPU names where a test
 * wants all of the program, and no card is there.  CARD_ROOM: so many bytes are free;
 * CARD_BUSY: busy from this call on. */
#include <stdlib.h>

#include "core/engine/gpu/gpu.h"
#include "core/engine/module.h"
#include "tests/card.h"

static int usable(void)
{
    const char *room = getenv("CARD_ROOM"), *busy = getenv("CARD_BUSY");
    if (room) card_room = strtoul(room, NULL, 10);
    if (busy) card_trouble_in = atoi(busy);
    card_trouble = RG_TROUBLE_BUSY;
    return 0;
}

__attribute__((visibility("default"))) extern const rg_module rg_module_gpu;
const rg_module rg_module_gpu = { RG_MODULE_LAYOUT, RG_VERSION, &rg_backend_gpu,
                                  usable };

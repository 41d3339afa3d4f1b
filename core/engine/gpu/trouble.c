/* SPDX-License-Identifier: MIT */
#include "core/engine/gpu/trouble.h"

#include <string.h>

#include "core/engine/error.h"

static const char *const cures[] = {
    [RG_TROUBLE_OTHER] = ": start again, or use --backend cpu",
    [RG_TROUBLE_FULL] = ": the card's memory is full, or the machine's, perhaps of "
                        "other programs' (nvidia-smi lists the card's); use a smaller "
                        "batch or --backend cpu",
    [RG_TROUBLE_BUSY] = ": the card is busy, another program has it to itself, or its "
                        "mode lets none in (nvidia-smi says which); wait for that, or "
                        "use --backend cpu",
    [RG_TROUBLE_GONE] = ": the card was removed or reset, or is broken (dmesg tells); "
                        "start again, or use --backend cpu",
    [RG_TROUBLE_KERNEL] = ": a computation on the card failed, and it takes no more of "
                          "this run; start again, or use --backend cpu",
    [RG_TROUBLE_SLOW] = ": the driver ended a computation that kept the card from its "
                        "display; use --backend cpu, or a card without one",
    [RG_TROUBLE_DRIVER] = ": the driver, the libraries and the card do not go "
                          "together, or are not all there (see claran devices); "
                          "install them anew, or use --backend cpu",
};

int rg_trouble_say(rg_trouble what, const char *call, const char *says)
{
    return RG_FAIL(RG_TROUBLE_GPU "%.*s: %s%s", (int)strcspn(call, "("), call, says,
                   cures[what]);
}

/* SPDX-License-Identifier: MIT */
/* Model files, up to the rows of their network. */
#include "core/detector/claran.h"
#include "core/engine/weights.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static rg_row rows[RG_CLARAN_ROWS];
    char identity[RG_CLARAN_IDENTITY];
    rg_weights *weights;
    rg_claran model;
    if (rg_weights_read(&weights, fuzz_file("model", data, size)) != 0) return 0;
    if (rg_claran_recognise(&model, weights) == 0) {
        rg_claran_identity(&model, weights, identity);
        const rg_claran_run run = { .batch = 1, .rois = 5 };
        FUZZ_HOLDS(rg_claran_rows(&model, &run, rows) <= RG_CLARAN_ROWS);
        for (int a = 0; a < 6; a++) rg_claran_anchor(&model, a);
    }
    rg_weights_free(weights);
    return 0;
}

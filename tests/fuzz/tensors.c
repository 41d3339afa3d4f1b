/* SPDX-License-Identifier: MIT */
/* safetensors files, in this process: rg_import reads in one of its own. */
#include <stdlib.h>

#include "core/learning/tensorfile.h"
#include "tests/fuzz/fuzz.h"

static void read(void *file, const char *name)
{
    long axes[RG_TENSORFILE_AXES], count = 1;
    int n = rg_tensorfile_safetensors.find(file, name, axes);
    for (int i = 0; i < n; i++) count = axes[i] < 50 ? count * axes[i] : 0;
    float *data = n > 0 ? calloc((size_t)count + 1, sizeof *data) : NULL;
    if (data != NULL) rg_tensorfile_safetensors.read(file, name, count, data);
    free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *file;
    if (rg_tensorfile_safetensors.open(&file, fuzz_file("tensors", data, size)) != 0)
        return 0;
    read(file, "a");
    read(file, "features.0.weight");
    read(file, "features.0.bias");
    rg_tensorfile_safetensors.close(file);
    return 0;
}

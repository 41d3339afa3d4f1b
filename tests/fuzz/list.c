/* SPDX-License-Identifier: MIT */
/* Lists of labelled images, and of hosts. */
#include "core/data/dataset.h"
#include "core/data/host.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rg_dataset *set;
    rg_host_list *hosts;
    fuzz_file("a.fits", "", 0);
    fuzz_file("b.fits", "", 0);
    const char *path = fuzz_file("list.csv", data, size);
    if (rg_dataset_read(&set, path) == 0) {
        int labels = 0;
        for (int i = 0; i < set->nfields; i++) labels += set->fields[i].nlabels;
        FUZZ_HOLDS(rg_dataset_doubt(set, 0.5) <= labels);
        rg_dataset_free(set);
    }
    if (rg_host_read(&hosts, path) == 0) rg_host_free(hosts);
    return 0;
}

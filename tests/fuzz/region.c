/* SPDX-License-Identifier: MIT */
/* Region text: what is read is printed and read again as the same. */
#include <stdio.h>
#include <stdlib.h>

#include "plugin/looks.h"
#include "regions/region.h"
#include "tests/fuzz/fuzz.h"

static void read_again(const rg_source *found, int n, const rg_provenance *from)
{
    char *text = NULL;
    size_t size;
    int again;
    rg_source *copies;
    rg_provenance run = { .method = "D1", .model = "0", .version = "1" };
    FILE *to = open_memstream(&text, &size);
    rg_region_header(to);
    for (int i = 0; i < n; i++)
        rg_region_print(to, &found[i].box, found[i].flags, from);
    fclose(to);
    FUZZ_HOLDS(rg_region_parse(text, &copies, &again, &run) == 0 && again == n);
    free(copies);
    free(text);
}

static void dress(const char *text)
{
    char *dressed = NULL;
    size_t size;
    for (int look = 0; look < 8; look++) {
        rg_looks looks = { look & 1, look & 2, look & 4, 0 };
        FILE *to = open_memstream(&dressed, &size);
        rg_looks_dress(text, &looks, to);
        fclose(to);
        rg_looks_of(dressed);
        free(dressed);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rg_provenance from = { .method = "D1", .model = "0", .version = "1" };
    rg_source *found;
    int n;
    char *text = fuzz_text(data, size);
    if (rg_region_parse(text, &found, &n, &from) == 0) {
        read_again(found, n, &from);
        free(found);
    }
    dress(text);
    free(text);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Catalogues of every format that is read, joined with themselves and written in
 * another, which the length of the input chooses. */
#include <stdlib.h>
#include <string.h>

#include "regions/format.h"
#include "regions/match.h"
#include "tests/fuzz/fuzz.h"

static const rg_format *const formats[] = {
    &rg_format_fits, &rg_format_votable, &rg_format_csv, &rg_format_ecsv,
    &rg_format_tsv, &rg_format_json,
};

static void write(const rg_ledger *ledger, const rg_format *format)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    format->write(ledger, to);
    fclose(to);
    free(text);
}

static void use(const rg_ledger *ledger, const rg_format *format)
{
    rg_matching how = { .radius = 5 };
    rg_ledger *joined;
    int matched;
    write(ledger, format);
    if (rg_match(ledger, ledger, &how, &joined, &matched) != 0) return;
    FUZZ_HOLDS(matched <= ledger->rows && joined->rows == ledger->rows);
    write(joined, format);
    rg_ledger_free(joined);
}

/* The format is the one that the first byte is of. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char first = size > 0 ? (char)data[0] : ' ';
    const rg_format *format = formats[first == 'S' ? 0 : first == '<' ? 1
                                      : first == '-' ? 4 : 2];
    rg_ledger *ledger;
    const size_t skip = first == '-';
    if (format->read(fuzz_file("table", data + skip, size - skip), &ledger) != 0)
        return 0;
    use(ledger, formats[size % (sizeof formats / sizeof *formats)]);
    rg_ledger_free(ledger);
    return 0;
}

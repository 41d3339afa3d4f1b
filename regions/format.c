/* SPDX-License-Identifier: MIT */
#include "regions/format.h"

#include <string.h>
#include <strings.h>

#include "core/engine/error.h"

const rg_format rg_format_region = { .name = "region", .endings = ".reg" };
const rg_format rg_format_moc = { .name = "moc", .endings = ".moc.fits" };

/* .moc.fits is a .fits too: the longer ending is first. */
static const rg_format *const formats[] = {
    &rg_format_moc, &rg_format_fits, &rg_format_votable, &rg_format_csv,
    &rg_format_ecsv, &rg_format_tsv, &rg_format_json, &rg_format_region,
};

enum { FORMATS = sizeof formats / sizeof *formats };

static bool ends_like(const char *path, const char *endings)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (size_t n; *endings; endings += n) {
        endings += strspn(endings, " ");
        n = strcspn(endings, " ");
        size_t length = strlen(name);
        if (length > n && strncasecmp(name + length - n, endings, n) == 0) return true;
    }
    return false;
}

int rg_format_find(const char *path, const char *name, const rg_format **format)
{
    bool named = name != NULL && strcasecmp(name, "auto") != 0;
    for (int i = 0; i < FORMATS; i++) {
        *format = formats[i];
        if (named ? strcasecmp(name, formats[i]->name) == 0
                  : ends_like(path, formats[i]->endings)) return 0;
    }
    *format = &rg_format_csv;
    if (!named && strcmp(path, "-") == 0) return 0;
    if (named)
        return RG_FAIL("there is no format \"%s\": it is " RG_FORMAT_NAMES, name);
    return RG_FAIL("the name \"%s\" does not say its format: it must end in .fits, "
                   ".vot (.xml), .csv, .ecsv, .tsv, .json, .reg or .moc.fits, or be - "
                   "(CSV on standard output); or name the format: " RG_FORMAT_NAMES,
                   path);
}

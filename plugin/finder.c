/* SPDX-License-Identifier: MIT */
#include "plugin/finder.h"

#include <stdio.h>
#include <string.h>

#include "core/engine/error.h"
#include "regions/name.h"

int rg_finder_open(rg_finder *finder)
{
    char path[RG_MODEL_PATH];
    rg_method method = RG_METHOD_D1;
    if (finder->method != NULL) RG_TRY(rg_fuse_method(finder->method, &method));
    if (finder->precision != NULL)
        RG_TRY(rg_backend_precision(finder->precision, &finder->how.precision));
    RG_TRY(rg_options_model(finder->model, path));
    RG_TRY(rg_detect_open(&finder->detector, path, &finder->how));
    rg_method made_for = rg_detect_model(finder->detector)->method;
    if (finder->method == NULL || method == made_for) return 0;
    rg_finder_close(finder);
    return RG_FAIL("%s is a model for method %s, not %s", path, rg_fuse_name(made_for),
                   rg_fuse_name(method));
}

void rg_finder_close(rg_finder *finder)
{
    rg_detect_close(finder->detector);
    finder->detector = NULL;
}

void rg_finder_provenance(const rg_finder *finder, const rg_image *image,
                          rg_provenance *from)
{
    *from = (rg_provenance){ .checksum = image->checksum, .version = RG_VERSION };
    snprintf(from->file, sizeof from->file, "%s", image->name);
    snprintf(from->model, sizeof from->model, "%s", rg_detect_hash(finder->detector));
    snprintf(from->method, sizeof from->method, "%s",
             rg_fuse_name(rg_detect_model(finder->detector)->method));
}

void rg_finder_table(const rg_detection *found, int n)
{
    if (n > 0)
        printf("%-22s %10s %9s %-5s %4s  %-10s %10s\n", "name", "ra_deg", "dec_deg",
               "class", "P", "or else", "box");
    for (const rg_detection *d = found; d < found + n; d++) {
        char name[RG_NAME_SIZE], second[24] = "";
        rg_name_format(d->ra, d->dec, name);
        if (d->second > 0)
            snprintf(second, sizeof second, "%s %.2f", rg_boxes_class_name[d->second],
                     d->second_probability);
        printf("%-22s %10.5f %+9.5f %-5s %4.2f  %-10s %3.0f x %3.0f\"\n", name, d->ra,
               d->dec, rg_boxes_class_name[d->class_], d->probability, second, d->width,
               d->height);
    }
}

/* SPDX-License-Identifier: MIT */
#include "plugin/delivery.h"

#include <string.h>

#include "core/engine/error.h"

int rg_delivery_open(rg_delivery *d)
{
    for (int i = 0; i < d->paths.n; i++) {
        const char *path = d->paths.text[i];
        for (int k = 0; k < i; k++)
            if (strcmp(path, d->paths.text[k]) == 0)
                return RG_FAIL("-o %s is given twice", path);
        RG_TRY(rg_format_find(path, d->format, &d->formats[i]));
        RG_TRY(rg_output_open(&d->outputs[i], path));
    }
    return rg_catalogue_new(&d->catalogue, d->options);
}

bool rg_delivery_measures(const rg_delivery *d)
{
    for (int i = 0; i < d->paths.n; i++)
        if (d->formats[i]->write != NULL) return true;
    return false;
}

int rg_delivery_stage(rg_delivery *d)
{
    for (int i = 0; i < d->paths.n; i++)
        if (d->outputs[i].file != NULL)
            RG_TRY(rg_catalogue_write(d->catalogue, d->formats[i], d->outputs[i].file));
    return rg_output_stage(d->outputs, d->paths.n);
}

int rg_delivery_keep(rg_delivery *d)
{
    RG_TRY(rg_delivery_stage(d));
    return rg_output_keep(d->outputs, d->paths.n);
}

void rg_delivery_drop(rg_delivery *d)
{
    for (int i = 0; i < RG_DELIVERY_MOST; i++) rg_output_drop(&d->outputs[i]);
    rg_catalogue_free(d->catalogue);
    d->catalogue = NULL;
}

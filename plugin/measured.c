/* SPDX-License-Identifier: MIT */
#include "plugin/measured.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "regions/catalogue.h"

int rg_measured_found(const rg_measured *how, const rg_image *radio,
                      const rg_image *infrared, const rg_detection *found, int n,
                      rg_source **sources)
{
    (void)how;
    (void)radio;
    (void)infrared;
    *sources = rg_error_alloc((unsigned long)n, sizeof **sources, "sources");
    if (*sources == NULL) return -1;
    for (int i = 0; i < n; i++) rg_catalogue_unmeasured(&found[i], &(*sources)[i]);
    return 0;
}

int rg_measured_boxes(const rg_measured *how, const rg_image *radio,
                      const rg_image *infrared, rg_source *sources, int n)
{
    rg_detection *boxes = rg_error_alloc((unsigned long)n, sizeof *boxes, "boxes");
    rg_source *made = NULL;
    int status = boxes ? 0 : -1;
    for (int i = 0; i < n && status == 0; i++) {
        status = rg_region_place(&sources[i].box, radio->sky);
        boxes[i] = sources[i].box;
    }
    if (status == 0)
        status = rg_measured_found(how, radio, infrared, boxes, n, &made);
    for (int i = 0; i < n && status == 0; i++) {
        made[i].flags |= sources[i].flags;
        sources[i] = made[i];
    }
    free(made);
    free(boxes);
    return status;
}

void rg_measured_from(const rg_image *image, rg_provenance *from)
{
    snprintf(from->file, sizeof from->file, "%s", image->name);
    snprintf(from->unit, sizeof from->unit, "%s", image->unit);
    if (from->checksum != 0 && from->checksum != image->checksum)
        fprintf(stderr, "The boxes were detected in an image with other pixels than "
                        "%s\n", image->name);
    from->checksum = image->checksum;
}

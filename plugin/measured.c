/* SPDX-License-Identifier: MIT */
#include "plugin/measured.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/image/fuse.h"
#include "plugin/options.h"

int rg_measured_check(rg_measured *how, const rg_image *radio)
{
    double *beam = how->options.beam;
    rg_beam made;
    char more;
    bool given = how->beam != NULL && strcmp(how->beam, "auto") != 0;
    if (given
        && (sscanf(how->beam, "%lf,%lf,%lf%c", &beam[0], &beam[1], &beam[2], &more) != 3
            || !(beam[0] > 0 && beam[1] > 0 && fabs(beam[2]) <= 360)))
        return RG_FAIL("--beam wants MAJOR,MINOR,PA, such as 5.4,5.4,0, not \"%s\"",
                       how->beam);
    if (rg_measure_beam(radio, &how->options, &made) == 0) return 0;
    return RG_FAIL("%s (--beam MAJOR,MINOR,PA)", rg_error_message());
}

int rg_measured_found(const rg_measured *how, const rg_image *radio,
                      const rg_image *infrared, const rg_detection *found, int n,
                      bool needed, rg_source **sources)
{
    rg_measured own = *how;
    *sources = rg_error_alloc((unsigned long)n, sizeof **sources, "sources");
    if (*sources == NULL) return -1;
    int status = rg_measured_check(&own, radio);
    if (status == 0)
        status = rg_measure(radio, infrared, &own.options, found, n, *sources);
    else if (!needed) {
        rg_options_remark("Nothing is measured: %s", rg_error_message());
        for (int i = 0; i < n; i++) rg_catalogue_unmeasured(&found[i], &(*sources)[i]);
        return 0;
    }
    if (status == 0) return 0;
    free(*sources);
    *sources = NULL;
    return -1;
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
        status = rg_measured_found(how, radio, infrared, boxes, n, true, &made);
    for (int i = 0; i < n && status == 0; i++) {
        made[i].flags |= sources[i].flags;
        sources[i] = made[i];
    }
    free(made);
    free(boxes);
    return status;
}

int rg_measured_add(rg_catalogue *catalogue, const rg_source *sources, int n,
                    const rg_provenance *from, const rg_image *radio,
                    const rg_image *infrared)
{
    rg_moc *area;
    RG_TRY(rg_moc_new(&area, radio, infrared));
    int status = rg_catalogue_add(catalogue, sources, n, from, area);
    rg_moc_free(area);
    return status;
}

const rg_image *rg_measured_shown(const rg_provenance *from, const rg_image *infrared)
{
    rg_method method;
    bool known = *from->method && rg_fuse_method(from->method, &method) == 0;
    return known && rg_fuse_wants_infrared(method) ? infrared : NULL;
}

void rg_measured_from(const rg_image *image, rg_provenance *from)
{
    snprintf(from->file, sizeof from->file, "%s", image->name);
    snprintf(from->unit, sizeof from->unit, "%s", image->unit);
    if (from->checksum != 0 && from->checksum != image->checksum)
        rg_options_remark("The boxes were detected in an image with other pixels than "
                          "%s", image->name);
    from->checksum = image->checksum;
}

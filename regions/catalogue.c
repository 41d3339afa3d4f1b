/* SPDX-License-Identifier: MIT */
#include "regions/catalogue.h"

#include <string.h>

#include "regions/name.h"

void rg_catalogue_header(FILE *to)
{
    fputs("name,ra_deg,dec_deg,xmin,ymin,xmax,ymax,class,probability,"
          "second_class,second_probability,width_arcsec,height_arcsec,angle_deg,"
          "file,checksum,model,method,version\n", to);
}

/* RFC 4180: quoted where it must be. */
static void print_text(FILE *to, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"') fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

void rg_catalogue_print(FILE *to, const rg_detection *detections, int n,
                        const rg_provenance *from)
{
    for (const rg_detection *d = detections; d < detections + n; d++) {
        char name[RG_NAME_SIZE];
        rg_name_format(d->ra, d->dec, name);
        fprintf(to, "%s,%.7f,%.7f,%.3f,%.3f,%.3f,%.3f,%s,%.6f,", name, d->ra, d->dec,
                d->xmin, d->ymin, d->xmax, d->ymax, rg_boxes_class_name[d->class_],
                d->probability);
        if (d->second > 0)
            fprintf(to, "%s,%.6f", rg_boxes_class_name[d->second],
                    d->second_probability);
        else
            fputc(',', to);
        fprintf(to, ",%.3f,%.3f,%.3f,", d->width, d->height, d->angle);
        print_text(to, from->file);
        fprintf(to, ",%08x,%s,%s,%s\n", from->checksum, from->model, from->method,
                from->version);
    }
}

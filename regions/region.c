/* SPDX-License-Identifier: MIT */
#include "regions/region.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

#define RUN_TAG "tag={" RG_REGION_GROUP " "

void rg_region_header(FILE *to)
{
    fputs("# Region file format: DS9 version 4.1\n"
          "global color=magenta width=2 font=\"helvetica 12 bold roman\"\n"
          "icrs\n", to);
}

void rg_region_print(FILE *to, const rg_detection *detections, int n,
                     const rg_provenance *from)
{
    for (const rg_detection *d = detections; d < detections + n; d++) {
        const char *class_ = rg_boxes_class_name[d->class_];
        fprintf(to, "box(%.8f,%.8f,%.3f\",%.3f\",%.4f) # text={%s %.2f} tag={%s} ",
                d->ra, d->dec, d->width, d->height, d->angle, class_, d->probability,
                RG_REGION_GROUP);
        fprintf(to, RUN_TAG "%s model %s image %08x version %s}", from->method,
                from->model, from->checksum, from->version);
        fprintf(to, " claran_class=%s claran_p=%.4f", class_, d->probability);
        if (d->second > 0)
            fprintf(to, " claran_2=%s claran_2p=%.4f", rg_boxes_class_name[d->second],
                    d->second_probability);
        fputc('\n', to);
    }
}

/* The value after `key` in a line, up to a blank, into value[size]. */
static int property(const char *line, const char *key, char *value, size_t size)
{
    const char *at = strstr(line, key);
    if (at == NULL) return -1;
    at += strlen(key);
    size_t length = strcspn(at, " \n");
    if (length >= size) return -1;
    memcpy(value, at, length);
    value[length] = '\0';
    return 0;
}

static int read_class(const char *line, const char *key, const char *key_p, int *class_,
                      float *probability)
{
    char word[16], number[16], *end;
    if (property(line, key, word, sizeof word) != 0 ||
        property(line, key_p, number, sizeof number) != 0 ||
        rg_boxes_class(word, class_) != 0 || *class_ < 1) return -1;
    *probability = strtof(number, &end);
    return *end == '\0' && *probability >= 0 && *probability <= 1 ? 0 : -1;
}

static int read_box(const char *line, rg_detection *d)
{
    *d = (rg_detection){ 0 };
    int end = 0;
    if (sscanf(line, "box(%lf,%lf,%lf\",%lf\",%lf)%n", &d->ra, &d->dec, &d->width,
               &d->height, &d->angle, &end) != 5 || end == 0) return -1;
    if (!(fabs(d->ra) <= 360 && fabs(d->dec) <= 90 && d->width > 0 && d->height > 0 &&
          fabs(d->angle) <= 720)) return -1;
    RG_TRY(read_class(line, "claran_class=", "claran_p=", &d->class_, &d->probability));
    if (strstr(line, "claran_2=") == NULL) return 0;
    return read_class(line, "claran_2=", "claran_2p=", &d->second,
                      &d->second_probability);
}

static void read_run(const char *line, rg_provenance *from)
{
    const char *tag = strstr(line, RUN_TAG);
    rg_provenance run = *from;
    if (tag != NULL &&
        sscanf(tag, RUN_TAG "%7s model %15s image %8x version %23[^} ]", run.method,
               run.model, &run.checksum, run.version) == 4)
        *from = run;
}

int rg_region_parse(const char *text, rg_detection **found, int *n,
                    rg_provenance *from)
{
    int lines = 1;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    rg_detection *list = rg_error_alloc((unsigned long)lines, sizeof *list, "regions");
    if (list == NULL) return -1;
    int count = 0;
    for (const char *at = text; *at; at += *at == '\n') {
        char line[1024];
        int length = (int)strcspn(at, "\n"), most = sizeof line - 1;
        snprintf(line, sizeof line, "%.*s", length < most ? length : most, at);
        at += length;
        if (strstr(line, "claran_class=") == NULL) continue;
        if (read_box(line, &list[count]) != 0) {
            free(list);
            return RG_FAIL("this claran region is not a labelled box: %.200s", line);
        }
        if (count++ == 0) read_run(line, from);
    }
    *found = list;
    *n = count;
    return 0;
}

int rg_region_place(rg_detection *d, const rg_sky *sky)
{
    double x, y, ra[4], dec[4], up;
    int parity;
    RG_TRY(rg_sky_to_pixel(sky, d->ra, d->dec, &x, &y));
    RG_TRY(rg_sky_orientation(sky, x, y, &up, &parity));
    static const double dx[4] = { -0.5, 0.5, 0, 0 }, dy[4] = { 0, 0, -0.5, 0.5 };
    for (int i = 0; i < 4; i++)
        RG_TRY(rg_sky_to_world(sky, x + dx[i], y + dy[i], &ra[i], &dec[i]));
    double turn = (d->angle - up) * M_PI / 180;
    double c = fabs(cos(turn)), s = fabs(sin(turn));
    double half_x = (d->width * c + d->height * s) / 2;
    double half_y = (d->width * s + d->height * c) / 2;
    half_x /= rg_sky_separation(ra[0], dec[0], ra[1], dec[1]);
    half_y /= rg_sky_separation(ra[2], dec[2], ra[3], dec[3]);
    if (!(isfinite(half_x) && isfinite(half_y)))
        return RG_FAIL("the box at %.6f, %.6f has no size on the image", d->ra, d->dec);
    d->xmin = x - half_x;
    d->xmax = x + half_x;
    d->ymin = y - half_y;
    d->ymax = y + half_y;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* What becomes of the sources of large fields, by their size: found as one box, in
 * parts, or together with another.
 *
 *     claran simulate -n 8 --size 1000 --density 0.15 --stretch 12 large
 *     tests/bench_field large.csv core/models/claran-d1.fits 2      (window sizes)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "core/data/dataset.h"
#include "core/detector/layout.h"
#include "core/engine/error.h"

#define MOST 0.5f                 /* of a box: its larger part */

enum { BINS = 7 };
static const double edge[BINS + 1] = { 0, 0.5, 1, 1.5, 3, 6, 12, INFINITY };

typedef struct tally { int sources, found, split, merged; } tally;
typedef struct sum {
    tally of[BINS];
    int boxes, hits, fields;
    double seconds;
} sum;

static rg_box of_label(const rg_label *l)
{
    return (rg_box){ (float)l->xmin, (float)l->ymin, (float)l->xmax - 1,
                     (float)l->ymax - 1 };
}

static rg_box of_detection(const rg_detection *f)
{
    return (rg_box){ (float)f->xmin, (float)f->ymin, (float)f->xmax - 1,
                     (float)f->ymax - 1 };
}

/* Whether the box holds most of another source, too. */
static int holds_another(const rg_field *field, int but, rg_box box)
{
    for (int i = 0; i < field->nlabels; i++)
        if (i != but && rg_boxes_part(of_label(&field->labels[i]), box) > MOST)
            return 1;
    return 0;
}

static void judge(const rg_field *field, int i, double pixel, const rg_detection *found,
                  int n, sum *s)
{
    const rg_box truth = of_label(&field->labels[i]);
    const double size = hypot(truth.x2 - truth.x1 + 1, truth.y2 - truth.y1 + 1);
    int bin = 0, parts = 0, hit = 0, merged = 0;
    while (!(size * pixel / 60 < edge[bin + 1])) bin++;
    for (int k = 0; k < n; k++) {
        const rg_box box = of_detection(&found[k]);
        hit |= rg_boxes_iou(truth, box) > MOST;
        parts += rg_boxes_part(box, truth) > MOST;
        merged |= rg_boxes_part(truth, box) > MOST && holds_another(field, i, box);
    }
    s->of[bin].sources++;
    s->of[bin].found += hit;
    s->of[bin].split += parts > 1;
    s->of[bin].merged += merged;
    s->hits += hit;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int look_at(rg_detector *detector, const rg_field *field, sum *s)
{
    rg_image *image;
    rg_detection *found = NULL;
    int n;
    RG_TRY(rg_image_read(&image, field->path));
    const double start = now();
    int status = rg_detect(detector, image, NULL, &found, &n);
    s->seconds += now() - start;
    for (int i = 0; status == 0 && i < field->nlabels; i++)
        judge(field, i, rg_sky_pixel_arcsec(image->sky), found, n, s);
    if (status == 0) s->boxes += n;
    s->fields++;
    free(found);
    rg_image_free(image);
    return status;
}

static void print(const sum *s)
{
    struct rusage used;
    printf("%-12s %8s %8s %8s %8s\n", "size [']", "sources", "found", "in parts",
           "merged");
    for (int i = 0; i < BINS; i++) {
        const tally *t = &s->of[i];
        if (t->sources > 0)
            printf("%4g - %-5g %8d %8d %8d %8d\n", edge[i], edge[i + 1], t->sources,
                   t->found, t->split, t->merged);
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%d boxes, %d of them no source's; %.1f s a field, %ld MiB at most\n",
           s->boxes, s->boxes - s->hits, s->seconds / s->fields,
           used.ru_maxrss / 1024);
}

static int bench(const char *path, const char *model, int scales)
{
    rg_detect_options how = rg_detect_defaults;
    rg_detector *detector = NULL;
    rg_dataset *list;
    sum s = { .boxes = 0 };
    how.scales = scales;
    RG_TRY(rg_dataset_read(&list, path));
    int status = rg_detect_open(&detector, model, &how);
    for (int i = 0; i < list->nfields && status == 0; i++)
        status = look_at(detector, &list->fields[i], &s);
    if (status == 0) print(&s);
    rg_detect_close(detector);
    rg_dataset_free(list);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bench_field LIST.csv MODEL.fits SCALES\n");
        return 2;
    }
    if (bench(argv[1], argv[2], atoi(argv[3])) == 0) return 0;
    fprintf(stderr, "%s\n", rg_error_message());
    return 1;
}

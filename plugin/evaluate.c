/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/engine/error.h"
#include "core/learning/evaluate.h"
#include "plugin/commands.h"
#include "plugin/finder.h"
#include "plugin/options.h"

typedef struct task {
    rg_finder finder;
    double iou;
    int least;                /* sources a class needs to count in the mean */
    rg_dataset *list;         /* owned */
    rg_evaluation *sum;       /* owned */
} task;

static int read_infrared(const rg_field *field, rg_image **infrared)
{
    if (field->infrared != NULL) return rg_image_read(infrared, field->infrared);
    return RG_FAIL("%s has no infrared image: the list's column ir is to name it",
                   field->path);
}

static int add_field(task *t, const rg_field *field)
{
    rg_image *image = NULL, *infrared = NULL;
    rg_detection *found = NULL;
    int n = 0, status = rg_image_read(&image, field->path);
    if (status == 0 && rg_finder_wants_infrared(&t->finder))
        status = read_infrared(field, &infrared);
    if (status == 0)
        status = rg_detect(t->finder.detector, image, infrared, &found, &n);
    if (status == 0)
        status = rg_evaluate_add(t->sum, found, n, field->labels, field->nlabels);
    free(found);
    rg_image_free(image);
    rg_image_free(infrared);
    return status;
}

static void print_percent(double value)
{
    if (isfinite(value)) printf(" %7.2f", 100 * value);
    else printf(" %7s", "-");
}

static void print_scores(const task *t, const rg_scores *s)
{
    printf("%-8s %7s %10s %7s %7s\n", "class", "sources", "detections", "AP", "AP_VOC");
    int truths = 0, detections = 0;
    for (int c = 1; c < RG_CLASSES; c++) {
        printf("%-8s %7d %10d", rg_boxes_class_name[c], s->truths[c], s->detections[c]);
        print_percent(s->ap[c]);
        print_percent(s->voc[c]);
        printf("\n");
        truths += s->truths[c];
        detections += s->detections[c];
    }
    printf("%-8s %7d %10d", "mean", truths, detections);
    print_percent(s->map);
    print_percent(s->map_voc);
    printf("\nmeans over the %d classes with at least %d sources; %d fields, IoU > %g, "
           "method %s, model %s\nAP by Eq. 12, AP_VOC the area under the envelope "
           "(PASCAL VOC "
           "2010), in per cent\n",
           s->classes, t->least, t->list->nfields, t->iou,
           rg_fuse_name(rg_detect_model(t->finder.detector)->method),
           rg_detect_hash(t->finder.detector));
}

static int evaluate(task *t, const char *path)
{
    rg_scores scores;
    RG_TRY(rg_dataset_read(&t->list, path));
    RG_TRY(rg_finder_open(&t->finder, t->list->fields[0].infrared != NULL));
    t->sum = rg_evaluate_new();
    if (t->sum == NULL) return -1;
    for (int i = 0; i < t->list->nfields; i++) {
        RG_TRY(add_field(t, &t->list->fields[i]));
        rg_options_progress("fields", i + 1, t->list->nfields);
    }
    RG_TRY(rg_evaluate_scores(t->sum, t->iou, t->least, &scores));
    print_scores(t, &scores);
    return 0;
}

int rg_evaluate_main(int argc, char **argv)
{
    task t = { .finder.how = rg_detect_defaults, .iou = 0.5, .least = 5 };
    t.finder.how.all = true;
    const rg_option options[] = {
        { "iou", 0, RG_OPTION_DOUBLE, &t.iou, 0, 1, "IOU",
          "overlap with the truth that a hit needs: 0.5" },
        { "least", 0, RG_OPTION_INT, &t.least, 1, 1000000, "N",
          "sources that a class needs to count in the mean: 5" },
        RG_FINDER_OPTIONS(t.finder), { .name = NULL }
    };
    const rg_usage usage = {
        "evaluate", "LIST.csv",
        "Detect in every image of a labelled list (columns file, class, xmin, ymin,\n"
        "xmax, ymax, and ir, the infrared image) and print average precisions.",
        options};
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 1) return rg_options_misuse("name one list; try claran evaluate -h");
    status = evaluate(&t, argv[0]) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_evaluate_free(t.sum);
    rg_dataset_free(t.list);
    rg_finder_close(&t.finder);
    return status;
}

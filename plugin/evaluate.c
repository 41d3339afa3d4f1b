/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/evaluation/coco.h"
#include "core/evaluation/examine.h"
#include "core/evaluation/page.h"
#include "plugin/commands.h"
#include "plugin/finder.h"
#include "plugin/options.h"
#include "plugin/output.h"

enum { REPORT, JSON, HTML, COCO_TRUTH, COCO_FOUND, OUTPUTS };

typedef struct task {
    rg_finder finder;
    rg_report_options how;
    const char *path[OUTPUTS];        /* NULL: not wanted */
    const char *coco;                 /* what the names of its files begin with */
    char truth[RG_FILE_NAME], found[RG_FILE_NAME];
    rg_output output[OUTPUTS];
    rg_dataset *list;                 /* owned, as what follows */
    rg_evaluation *evaluation;
    rg_report *report;
} task;

static int name_coco(task *t)
{
    if (t->coco == NULL) return 0;
    snprintf(t->truth, sizeof t->truth, "%s_truth.json", t->coco);
    snprintf(t->found, sizeof t->found, "%s_found.json", t->coco);
    if (strlen(t->truth) + 1 >= sizeof t->truth)
        return RG_FAIL("the name %s is too long", t->coco);
    t->path[COCO_TRUTH] = t->truth;
    t->path[COCO_FOUND] = t->found;
    return 0;
}

static int open_outputs(task *t)
{
    RG_TRY(name_coco(t));
    for (int i = 0; i < OUTPUTS; i++) {
        if (t->path[i] == NULL) continue;
        for (int k = 0; k < i; k++)
            if (t->path[k] && strcmp(t->path[k], t->path[i]) == 0)
                return RG_FAIL("%s is named for two outputs", t->path[i]);
        RG_TRY(rg_output_open(&t->output[i], t->path[i]));
    }
    return 0;
}

/* What is asked for, kept when it is whole; without a report on standard output, the
 * summary there. */
static int write_all(task *t, const rg_page *page)
{
    FILE *file;
    if ((file = t->output[REPORT].file) != NULL) rg_page_text(page, file);
    if ((file = t->output[JSON].file) != NULL) RG_TRY(rg_page_json(page, file));
    if ((file = t->output[HTML].file) != NULL) RG_TRY(rg_page_html(page, file));
    if ((file = t->output[COCO_TRUTH].file) != NULL)
        RG_TRY(rg_coco_truth(t->evaluation, t->list, file));
    if ((file = t->output[COCO_FOUND].file) != NULL)
        RG_TRY(rg_coco_found(t->evaluation, t->how.iou, file));
    bool quiet = false;
    for (int i = 0; i < OUTPUTS; i++)
        quiet = quiet || (t->path[i] && strcmp(t->path[i], "-") == 0);
    if (!quiet) rg_page_summary(page, stdout);
    return rg_output_keep(t->output, OUTPUTS);
}

static int evaluate(task *t, const char *path)
{
    RG_TRY(open_outputs(t));
    RG_TRY(rg_dataset_read(&t->list, path));
    RG_TRY(rg_finder_open(&t->finder, t->list->fields[0].infrared != NULL));
    t->how.threshold = t->finder.how.threshold;
    RG_TRY(rg_examine(t->finder.detector, t->list, t->finder.how.threshold,
                      rg_options_progress, "fields", &t->evaluation));
    RG_TRY(rg_report_new(&t->report, t->evaluation, &t->how));
    const rg_page page = { t->report, path, rg_detect_hash(t->finder.detector),
        rg_fuse_name(rg_detect_model(t->finder.detector)->method), RG_VERSION };
    return write_all(t, &page);
}

static void clear(task *t)
{
    for (int i = 0; i < OUTPUTS; i++) rg_output_drop(&t->output[i]);
    rg_report_free(t->report);
    rg_evaluate_free(t->evaluation);
    rg_dataset_free(t->list);
    rg_finder_close(&t->finder);
}

int rg_evaluate_main(int argc, char **argv)
{
    task t = { .finder.how = rg_detect_defaults,
               .how = { .iou = 0.5, .least = 5, .draws = 1000, .seed = 1,
                        .progress = rg_options_progress, .what = "samples" } };
    t.finder.how.all = true;
    const rg_option options[] = {
        { "report", 0, RG_OPTION_OUTPUT, &t.path[REPORT], 0, 0, "FILE",
          "every table as text; - for standard output" },
        { "json", 0, RG_OPTION_OUTPUT, &t.path[JSON], 0, 0, "FILE",
          "every table as JSON; - for standard output" },
        { "html", 0, RG_OPTION_OUTPUT, &t.path[HTML], 0, 0, "FILE",
          "every table and plot as one page" },
        { "coco", 0, RG_OPTION_TEXT, &t.coco, 0, 0, "PREFIX",
          "PREFIX_truth.json and PREFIX_found.json for other programs" },
        { "iou", 0, RG_OPTION_DOUBLE, &t.how.iou, 0, 1, "IOU",
          "overlap with the truth that a hit needs: 0.5" },
        { "least", 0, RG_OPTION_INT, &t.how.least, 1, 1000000, "N",
          "sources that a class needs to count in the mean: 5" },
        { "threshold", 't', RG_OPTION_FLOAT, &t.finder.how.threshold, 0, 1, "P",
          "working threshold, for what is shown to users: 0.8" },
        { "bootstrap", 0, RG_OPTION_INT, &t.how.draws, 0, 100000, "N",
          "samples of the fields for intervals, 0 for none: 1000" },
        { "seed", 0, RG_OPTION_SEED, &t.how.seed, 0, 0, "N", "of these: 1" },
        RG_FINDER_OPTIONS(t.finder), { .name = NULL }
    };
    const rg_usage usage = {
        "evaluate", "LIST.csv",
        "Detect in every image of a labelled list (columns file, class, xmin, ymin,\n"
        "xmax, ymax, and ir, the infrared image) and print average precisions, with\n"
        "95 % intervals by bootstrap; the whole report goes to the files asked for.",
        options};
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 1) return rg_options_misuse("name one list; try claran evaluate -h");
    status = evaluate(&t, argv[0]) == 0 ? RG_EXIT_OK : rg_options_problem();
    clear(&t);
    return status;
}

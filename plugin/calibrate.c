/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>

#include "core/engine/error.h"
#include "core/evaluation/calibrate.h"
#include "core/evaluation/examine.h"
#include "plugin/commands.h"
#include "plugin/finder.h"
#include "plugin/options.h"

enum { ROUNDS = 3 };                  /* the label of a source changes with the fit */

typedef struct task {
    rg_finder finder;
    rg_calibration fit;
    double iou;
    const char *out;
    rg_dataset *list;                 /* owned */
    rg_looks looks;                   /* owned, as below */
    rg_evaluation *evaluation;
} task;

/* n figures, "-" where there is none. */
static void print_line(const char *what, int n, const double figure[])
{
    printf("  %-38s", what);
    for (int k = 0; k < n; k++) {
        if (isfinite(figure[k])) printf(" %6.3f", figure[k]);
        else printf(" %6s", "-");
    }
    printf("\n");
}

static void print_fit(const task *t)
{
    const rg_calibration *c = &t->fit;
    printf("%d detections in %d fields, one per source at any P; %d right (IoU > %g)\n",
           c->detections, t->list->nfields, c->right, t->iou);
    rg_finder_print_calibration("P = ", c->calibration);
    printf("expected calibration error; mean average precision of six classes, and of "
           "three by components:\n");
    print_line("before", 3, (double[]){ c->before, c->map_before.six,
                                        c->map_before.three });
    print_line("after, on the same detections", 3,
               (double[]){ c->after, c->map_after.six, c->map_after.three });
    print_line("after, each left out (cross-validated)", 3,
               (double[]){ c->crossed, c->map_crossed.six, c->map_crossed.three });
    print_line("by chance, were every P right", 1, &c->chance);
}

static int calibrate(task *t, const char *path)
{
    RG_TRY(rg_dataset_read(&t->list, path));
    RG_TRY(rg_finder_open(&t->finder, t->list->fields[0].infrared != NULL));
    rg_detect_calibrate(t->finder.detector, t->fit.calibration);      /* none as yet */
    t->fit.views = rg_detect_model(t->finder.detector)->views;
    RG_TRY(rg_examine_look(t->finder.detector, t->list, rg_options_progress, "fields",
                           &t->looks));
    rg_calibration first = t->fit;
    for (int round = 0; round < ROUNDS; round++) {
        rg_evaluate_free(t->evaluation);
        t->evaluation = NULL;
        RG_TRY(rg_examine_judge(t->finder.detector, t->list, &t->looks,
                                t->finder.how.threshold, &t->evaluation));
        if (rg_calibrate_fit(t->evaluation, t->iou, &t->fit) != 0)
            return rg_error_prefix("%s: ", path);
        rg_detect_calibrate(t->finder.detector, t->fit.calibration);
        if (round == 0) first = t->fit;
    }
    t->fit.before = first.before;
    t->fit.map_before = first.map_before;
    RG_TRY(rg_calibrate_write(&t->fit, t->finder.model, path, t->out));
    print_fit(t);
    return 0;
}

int rg_calibrate_main(int argc, char **argv)
{
    task t = { .finder.how = rg_detect_defaults, .iou = 0.5,
               .fit = { .folds = 5, .seed = 1 } };
    t.finder.how.all = true;
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &t.out, 0, 0, "FILE",
          "the calibrated model (needed)" },
        { "temperature", 0, RG_OPTION_FLAG, &t.fit.temperature, 0, 0, NULL,
          "fit a only, every b and e = 0: for lists of few sources" },
        { "iou", 0, RG_OPTION_DOUBLE, &t.iou, 0, 1, "IOU",
          "overlap with the truth that a right detection needs: 0.5" },
        { "folds", 0, RG_OPTION_INT, &t.fit.folds, 2, 1000, "K",
          "parts of the list in the cross-validation: 5" },
        { "seed", 0, RG_OPTION_SEED, &t.fit.seed, 0, 0, "N",
          "of which field is in which: 1" },
        RG_FINDER_OPTIONS(t.finder), { .name = NULL }
    };
    const rg_usage usage = { "calibrate", "HELD.csv --model MODEL.fits -o FILE",
        "Fit P = sigmoid(a logit(p) + b + e . x), b by class, x what is counted in\n"
        "the box, to the detections in a labelled list that the model was not trained\n"
        "on, so that of sources marked 0.9 nine in ten are right, and write the model\n"
        "with them.  The weights stay as they are.",
        options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 1) return rg_options_misuse("name one list; try claran calibrate -h");
    if (t.finder.model == NULL || t.out == NULL)
        return rg_options_misuse("name the model with --model and the one to write "
                                 "with -o");
    status = calibrate(&t, argv[0]) == 0 ? RG_EXIT_OK : rg_options_problem();
    rg_evaluate_free(t.evaluation);
    rg_examine_clear(&t.looks);
    rg_dataset_free(t.list);
    rg_finder_close(&t.finder);
    return status;
}

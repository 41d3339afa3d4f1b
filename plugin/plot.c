/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/file.h"
#include "core/evaluation/chart.h"
#include "core/learning/losses.h"
#include "plugin/commands.h"
#include "plugin/options.h"

enum { FILES = 16, RUNS = 64, WIDE = 960, HIGH = 380, LOW = 300 };

/* The total on top (Fig. 8), its four parts below it (Fig. 9). */
static const struct {
    const char *title;
    int x, y, width, height;
} panels[RG_LOSSES_CURVES] = {
    [RG_LOSSES_TOTAL] = { "Total loss", 0, 0, WIDE, HIGH },
    [RG_LOSSES_RPN_CLS] = { "Source or background, anchors", 0, HIGH, WIDE / 2, LOW },
    [RG_LOSSES_RPN_BOX] = { "Boxes of anchors", WIDE / 2, HIGH, WIDE / 2, LOW },
    [RG_LOSSES_ROI_CLS] = { "Classes of RoIs", 0, HIGH + LOW, WIDE / 2, LOW },
    [RG_LOSSES_ROI_BOX] = { "Boxes of RoIs", WIDE / 2, HIGH + LOW, WIDE / 2, LOW },
};

typedef struct task {
    const char *out, *only;
    int smooth;
    bool log;
    rg_losses *losses[FILES];              /* owned */
    const rg_losses_run *runs[RUNS];       /* those that are drawn; in the above */
    int nruns;
} task;

/* Each value becomes the mean of up to n rows that end with it. */
static void smooth(double *values, int count, int n)
{
    for (int i = count - 1; i >= 0 && n > 1; i--) {
        double sum = 0;
        int first = i - n + 1 > 0 ? i - n + 1 : 0;
        for (int k = first; k <= i; k++) sum += values[k];
        values[i] = sum / (i - first + 1);
    }
}

static int choose_runs(task *t, const rg_losses *losses)
{
    for (int i = 0; i < losses->nruns; i++) {
        rg_losses_run *run = &losses->runs[i];
        if (t->only && strstr(run->name, t->only) == NULL) continue;
        if (t->nruns == RUNS) return RG_FAIL("more than %d runs in a figure", RUNS);
        for (int c = 0; c < RG_LOSSES_CURVES; c++)
            smooth(run->curve[c], run->n, t->smooth);
        t->runs[t->nruns++] = run;
    }
    return 0;
}

static int draw_panel(const task *t, int curve, FILE *to)
{
    rg_chart_line lines[RUNS];
    bool top = curve == RG_LOSSES_TOTAL;
    for (int i = 0; i < t->nruns; i++)
        lines[i] = (rg_chart_line){ .label = top ? t->runs[i]->name : NULL,
                                    .x = t->runs[i]->step,
                                    .y = t->runs[i]->curve[curve], .n = t->runs[i]->n };
    rg_chart chart = { .title = panels[curve].title, .x = "iteration", .y = "loss",
                       .lines = lines, .nlines = t->nruns, .log_y = t->log };
    fprintf(to, "<g transform=\"translate(%d %d)\">\n", panels[curve].x,
            panels[curve].y);
    RG_TRY(rg_chart_svg(&chart, panels[curve].width, panels[curve].height, to));
    fputs("</g>\n", to);
    return 0;
}

static int draw(const task *t, const char *path)
{
    int status = 0;
    FILE *to = fopen(path, "w");
    if (to == NULL) return RG_FAIL("%s cannot be written: %s", t->out, strerror(errno));
    fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
            " viewBox=\"0 0 %d %d\">\n", WIDE, HIGH + 2 * LOW, WIDE, HIGH + 2 * LOW);
    for (int c = 0; status == 0 && c < RG_LOSSES_CURVES; c++)
        status = draw_panel(t, c, to);
    fputs("</svg>\n", to);
    bool bad = ferror(to);
    if ((fclose(to) != 0 || bad) && status == 0)
        status = RG_FAIL("%s cannot be written: %s", t->out, strerror(errno));
    return status;
}

static int plot(task *t, int n, char **paths)
{
    char beside[RG_FILE_NAME];
    for (int i = 0; i < n; i++) {
        RG_TRY(rg_losses_read(&t->losses[i], paths[i]));
        RG_TRY(choose_runs(t, t->losses[i]));
    }
    if (t->nruns == 0) return RG_FAIL("no run is called *%s*", t->only);
    RG_TRY(rg_file_beside(t->out, beside));
    return rg_file_keep(draw(t, beside), beside, t->out);
}

int rg_plot_main(int argc, char **argv)
{
    task t = { .smooth = 1 };
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &t.out, 0, 0, "FILE.svg",
          "the figure (needed)" },
        { "only", 0, RG_OPTION_TEXT, &t.only, 0, 0, "TEXT",
          "only runs with this in their name:" },
        { "smooth", 0, RG_OPTION_INT, &t.smooth, 1, 100000, "N",
          "draw the mean of N rows:" },
        { "log", 0, RG_OPTION_FLAG, &t.log, 0, 0, NULL, "a logarithmic axis" },
        { .name = NULL }
    };
    const rg_usage usage = { "plot", "LOSSES.csv... -o FILE.svg",
        "Draw the losses of trainings against the iteration: the total and its\n"
        "four parts, several runs in one figure.  LOSSES.csv is what claran train\n"
        "writes, or a table of runs with the columns method, input_px,\n"
        "iteration_end, total, rpn_cls, rpn_box, roi_cls and roi_box.", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc < 1 || argc > FILES)
        return rg_options_misuse("name 1 to %d logs of losses; try claran plot -h",
                                 FILES);
    if (t.out == NULL) return rg_options_misuse("name the figure with -o FILE.svg");
    status = plot(&t, argc, argv);
    for (int i = 0; i < argc; i++) rg_losses_free(t.losses[i]);
    return status == 0 ? RG_EXIT_OK : rg_options_problem();
}

/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/learning/train.h"
#include "plugin/commands.h"
#include "plugin/options.h"

enum { LISTS = 16, DROPS = 3, OPTIONS = 32 };

static volatile sig_atomic_t stop;

typedef struct task {
    rg_claran model;
    rg_train_options how;
    const char *out, *precision, *optimizer, *method, *drops, *anchors, *means;
    bool no_flips, no_turns, cosine, resume;
    char command[1024];                /* for the model's record */
    const char *history[3];
    rg_dataset *lists[LISTS];          /* owned */
} task;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void say_progress(void *user, const rg_train_report *r)
{
    (void)user;
    long left = (long)r->seconds_left;
    printf("%ld/%ld loss %.4f = rpn %.4f + %.4f, roi %.4f + %.4f  rate %.2e norm %.2f  "
           "%.1f images/s  %ld:%02ld:%02ld left%s\n", r->step, r->steps, r->total,
           r->rpn_cls, r->rpn_box, r->roi_cls, r->roi_box, r->rate, r->norm,
           r->images_per_s, left / 3600, left / 60 % 60, left % 60,
           r->saved ? "  saved" : "");
}

/* Numbers with commas between them into values[most]; how many, or -1. */
static int read_list(const char *option, const char *text, double *values, int most)
{
    int n = 0;
    for (const char *at = text; n < most; at++) {
        char *end;
        values[n++] = strtod(at, &end);
        if (end == at) break;
        if (*end == '\0') return n;
        if (*end != ',') break;
        at = end;
    }
    return RG_FAIL("--%s wants up to %d numbers with commas between them, not \"%s\"",
                   option, most, text);
}

static int read_floats(const char *option, const char *text, float *values, int count)
{
    double numbers[RG_CLARAN_ANCHORS];
    if (text == NULL) return 0;
    int n = read_list(option, text, numbers, count);
    if (n < 0) return -1;
    if (n != count) return RG_FAIL("--%s wants %d numbers, not %d", option, count, n);
    for (int i = 0; i < n; i++) values[i] = (float)numbers[i];
    return 0;
}

static int read_drops(task *t)
{
    double steps[DROPS];
    if (t->drops == NULL) return 0;
    int n = read_list("drop", t->drops, steps, DROPS);
    if (n < 0) return -1;
    for (int i = 0; i <= n; i++) t->how.drop[i] = i < n ? (long)steps[i] : 0;
    for (int i = 0; i < n; i++)
        if (t->how.drop[i] <= (i > 0 ? t->how.drop[i - 1] : 0))
            return RG_FAIL("--drop wants rising steps, not \"%s\"", t->drops);
    return 0;
}

static int settle(task *t)
{
    RG_TRY(read_drops(t));
    RG_TRY(read_floats("anchors", t->anchors, t->model.anchor, RG_CLARAN_ANCHORS));
    RG_TRY(read_floats("mean", t->means, t->model.mean, 3));
    if (t->method != NULL) RG_TRY(rg_fuse_method(t->method, &t->model.method));
    if (t->precision != NULL)
        RG_TRY(rg_backend_precision(t->precision, &t->how.precision));
    if (t->optimizer != NULL) {
        bool adam = strcmp(t->optimizer, "adam") == 0;
        if (!adam && strcmp(t->optimizer, "sgd") != 0)
            return RG_FAIL("--optimizer is sgd or adam, not \"%s\"", t->optimizer);
        t->how.optimizer.rule = adam ? RG_ADAM : RG_SGD;
    }
    if (t->no_flips) t->how.flips = 0;
    if (t->no_turns) t->how.turns = 0;
    if (t->drops != NULL) t->how.cosine = 0;
    if (t->cosine) t->how.cosine = 1;
    if (t->resume) t->how.resume = 1;
    return 0;
}

static int train(task *t, int n, char **paths)
{
    RG_TRY(settle(t));
    for (int i = 0; i < n; i++) {
        RG_TRY(rg_dataset_read(&t->lists[i], paths[i]));
        printf("%s: %d fields", paths[i], t->lists[i]->nfields);
        for (int c = 1; c < RG_CLASSES; c++)
            printf(", %d %s", t->lists[i]->count[c], rg_boxes_class_name[c]);
        printf("\n");
    }
    return rg_train((const rg_dataset *const *)t->lists, n, &t->model, &t->how, t->out);
}

static void record_command(task *t, int argc, char **argv)
{
    size_t used = 0, size = sizeof t->command;
    for (int i = 0; i < argc && used < size; i++)
        used += (size_t)snprintf(t->command + used, size - used, "%s%s",
                                 i > 0 ? " " : "claran ", argv[i]);
    t->history[0] = "made by claran " RG_VERSION;
    t->history[1] = t->command;
}

static void list_options(task *t, rg_option options[OPTIONS])
{
    rg_train_options *how = &t->how;
    rg_optimizer *rule = &how->optimizer;
    const rg_option all[] = {
        { "output", 'o', RG_OPTION_TEXT, &t->out, 0, 0, "FILE", "the model (needed)" },
        { "steps", 0, RG_OPTION_LONG, &how->steps, 1, 1e9, "N",
          "optimizer steps: 20000" },
        { "batch", 0, RG_OPTION_INT, &how->batch, 1, 64, "N", "images a step: 4" },
        { "rois", 0, RG_OPTION_INT, &how->rois, 4, 2000, "N", "RoIs an image: 64" },
        { "input", 0, RG_OPTION_INT, &t->model.input, 64, 1024, "PIXELS",
          "side of the network's input: 600" },
        { "width", 0, RG_OPTION_INT, &t->model.width, 4, 512, "N",
          "channels of conv1: 64" },
        { "fc", 0, RG_OPTION_INT, &t->model.fc, 8, 8192, "N",
          "outputs of fc6, fc7: 4096" },
        { "anchors", 0, RG_OPTION_TEXT, &t->anchors, 0, 0, "A,B,C,D,E,F",
          "sides of anchors [network pixels]: 16,32,64,128,256,512" },
        { "mean", 0, RG_OPTION_TEXT, &t->means, 0, 0, "B,G,R",
          "means to subtract: measured on the lists" },
        { "method", 'm', RG_OPTION_TEXT, &t->method, 0, 0, "NAME",
          "F, D1, D2, D3 or D4: D1" },
        { "optimizer", 0, RG_OPTION_TEXT, &t->optimizer, 0, 0, "NAME",
          "sgd or adam: adam" },
        { "rate", 0, RG_OPTION_FLOAT, &rule->rate, 1e-9, 10, "R",
          "learning rate: 0.0003" },
        { "momentum", 0, RG_OPTION_FLOAT, &rule->momentum, 0, 0.9999, "M",
          "of SGD; beta 1 of Adam: 0.9" },
        { "beta2", 0, RG_OPTION_FLOAT, &rule->beta2, 0, 0.999999, "B",
          "beta 2 of Adam: 0.999" },
        { "decay", 0, RG_OPTION_FLOAT, &rule->decay, 0, 1, "D", "weight decay: 1e-4" },
        { "clip", 0, RG_OPTION_FLOAT, &rule->clip, 0, 1e9, "N",
          "largest norm of the gradients, 0 for any: 5" },
        { "drop", 0, RG_OPTION_TEXT, &t->drops, 0, 0, "N,N",
          "rate x0.1 after these steps, no cosine: none" },
        { "cosine", 0, RG_OPTION_FLAG, &t->cosine, 0, 0, NULL,
          "rate falls as a cosine: so unless --drop is given" },
        { "warmup", 0, RG_OPTION_LONG, &how->warmup, 0, 1e9, "N", "slow start: 500" },
        { "seed", 0, RG_OPTION_SEED, &how->seed, 0, 0, "N", "of everything random: 1" },
        { "no-flips", 0, RG_OPTION_FLAG, &t->no_flips, 0, 0, NULL, "no mirror images" },
        { "no-turns", 0, RG_OPTION_FLAG, &t->no_turns, 0, 0, NULL, "no quarter turns" },
        { "shift", 0, RG_OPTION_DOUBLE, &how->shift, 0, 90, "ARCSEC",
          "largest shift of the window's centre: 54" },
        { "balance", 0, RG_OPTION_DOUBLE, &how->balance, 0, 2, "POWER",
          "draw rare classes more often, 0 as they come: 0.5" },
        { "start", 0, RG_OPTION_TEXT, &how->start, 0, 0, "FILE",
          "first weights: random" },
        { "resume", 0, RG_OPTION_FLAG, &t->resume, 0, 0, NULL, "from FILE.checkpoint" },
        { "checkpoint", 0, RG_OPTION_LONG, &how->checkpoint, 1, 1e9, "N",
          "steps between checkpoints: 1000" },
        { "report", 0, RG_OPTION_LONG, &how->report, 1, 1e9, "N", "steps a line: 50" },
        { "backend", 0, RG_OPTION_TEXT, &how->backend, 0, 0, "NAME",
          "auto, cpu or ref: auto" },
        { "precision", 0, RG_OPTION_TEXT, &t->precision, 0, 0, "NAME",
          "auto, f32 or bf16: auto" },
        { .name = NULL }
    };
    _Static_assert(sizeof all <= OPTIONS * sizeof *all, "OPTIONS is too small");
    memcpy(options, all, sizeof all);
}

int rg_train_main(int argc, char **argv)
{
    task t = { .model = rg_claran_paper, .how = rg_train_defaults };
    rg_option options[OPTIONS];
    const rg_usage usage = {
        "train", "LIST.csv... -o MODEL.fits",
        "Train on labelled lists (columns file, class, xmin, ymin, xmax, ymax, and "
        "for\n"
        "methods D2 to D4 ir, the infrared image).  ^C\n"
        "stops after writing MODEL.fits.checkpoint; --resume goes on from there.",
        options};
    memset(t.model.mean, 0, sizeof t.model.mean);
    list_options(&t, options);
    record_command(&t, argc, argv);
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc < 1 || argc > LISTS)
        return rg_options_misuse("name 1 to %d lists; try claran train -h", LISTS);
    if (t.out == NULL) return rg_options_misuse("name the model with -o MODEL.fits");
    setvbuf(stdout, NULL, _IOLBF, 0);
    const struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    t.how.stop = &stop;
    t.how.progress = say_progress;
    t.how.history = t.history;
    status = train(&t, argc, argv);
    for (int i = 0; i < argc; i++) rg_dataset_free(t.lists[i]);
    if (status < 0) return rg_options_problem();
    if (status > 0) printf("stopped; go on with the same command and --resume\n");
    else printf("%s is trained\n", t.out);
    return status == 0 ? RG_EXIT_OK : RG_EXIT_PROBLEM;
}

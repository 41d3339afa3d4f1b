/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/learning/recipe.h"
#include "plugin/commands.h"
#include "plugin/options.h"
#include "plugin/sheet.h"

enum { LISTS = 16, DROPS = RG_SCHEDULE_DROPS, OPTIONS = 80, LINE = 1024 };

#define BEAM 5.4   /* of FIRST [arcsec] */

static volatile sig_atomic_t stop;

typedef struct task {
    const rg_recipe *recipe;
    rg_claran model;
    rg_train_options how;
    const char *out, *precision, *optimizer, *method, *drops, *anchors, *means;
    const char *recipe_name, *network, *sampling, *freeze, *zoom, *sheet;
    double confidence;                 /* of labels that are examples, at least */
    double beams;                      /* [arcsec] */
    char anchors_text[RG_OPTION_VALUE], drops_text[RG_OPTION_VALUE];
    bool flips, no_flips, turns, no_turns, cosine, resume;
    bool box_gradients;
    char command[LINE], settings[LINE];     /* for the model's record */
    const char *history[4];
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
    for (int i = 0; i <= n; i++) t->how.schedule.drop[i] = i < n ? (long)steps[i] : 0;
    for (int i = 0; i < n; i++)
        if (t->how.schedule.drop[i] <= (i > 0 ? t->how.schedule.drop[i - 1] : 0))
            return RG_FAIL("--drop wants rising steps, not \"%s\"", t->drops);
    return 0;
}

static int read_zoom(task *t)
{
    double *zoom = t->how.augment.zoom;
    if (t->zoom == NULL) return 0;
    if (read_list("zoom", t->zoom, zoom, 2) != 2 || !(zoom[0] >= 0.25)
        || !(zoom[1] >= zoom[0]) || !(zoom[1] <= 4))
        return RG_FAIL("--zoom wants two numbers, 0.25 to 4, the smaller first, not "
                       "\"%s\"", t->zoom);
    return 0;
}

static int settle(task *t)
{
    RG_TRY(read_drops(t));
    RG_TRY(read_zoom(t));
    t->how.augment.beam = t->beams / BEAM;
    RG_TRY(read_floats("anchors", t->anchors, t->model.anchor, RG_CLARAN_ANCHORS));
    RG_TRY(read_floats("mean", t->means, t->model.mean, 3));
    RG_TRY(rg_claran_network(t->network, &t->model.network));
    RG_TRY(rg_claran_sampling(t->sampling, &t->model.sampling));
    RG_TRY(rg_fuse_method(t->method, &t->model.method));
    RG_TRY(rg_backend_precision(t->precision, &t->how.precision));
    bool adam = strcmp(t->optimizer, "adam") == 0;
    if (!adam && strcmp(t->optimizer, "sgd") != 0)
        return RG_FAIL("--optimizer is sgd or adam, not \"%s\"", t->optimizer);
    t->how.optimizer.rule = adam ? RG_ADAM : RG_SGD;
    if (t->flips || t->no_flips) t->how.flips = !t->no_flips;
    if (t->turns || t->no_turns) t->how.turns = !t->no_turns;
    if (t->box_gradients) t->how.box_gradients = 1;
    if (t->drops != NULL) t->how.schedule.cosine = 0;
    if (t->cosine) t->how.schedule.cosine = 1;
    if (t->resume) t->how.resume = 1;
    t->how.freeze = t->freeze ? t->freeze : rg_recipe_freeze(t->recipe, &t->how);
    return 0;
}

static int train(task *t, int n, char **paths)
{
    RG_TRY(settle(t));
    for (int i = 0; i < n; i++) {
        RG_TRY(rg_dataset_read(&t->lists[i], paths[i]));
        int doubted = rg_dataset_doubt(t->lists[i], t->confidence);
        printf("%s: %d fields", paths[i], t->lists[i]->nfields);
        for (int c = 1; c < RG_CLASSES; c++)
            printf(", %d %s", t->lists[i]->count[c], rg_boxes_class_name[c]);
        if (doubted > 0) printf(", %d not sure enough", doubted);
        printf("\n");
    }
    const rg_dataset *const *lists = (const rg_dataset *const *)t->lists;
    if (t->sheet) return rg_sheet_write(lists, n, &t->model, &t->how, t->sheet);
    return rg_train(lists, n, &t->model, &t->how, t->out);
}

/* ---- options ---- */

/* All settings as the recipe has them, those that are read from text as text. */
static void begin(task *t, const rg_recipe *recipe)
{
    const float *anchor = recipe->model.anchor;
    const long *drop = recipe->how.schedule.drop;
    int used = 0;
    *t = (task){ .recipe = recipe, .model = recipe->model, .how = recipe->how,
                 .recipe_name = recipe->name, .precision = "auto", .zoom = "1,1",
                 .beams = BEAM,
                 .method = rg_fuse_name(recipe->model.method),
                 .network = rg_claran_network_name(recipe->model.network),
                 .sampling = rg_claran_sampling_name(recipe->model.sampling) };
    t->optimizer = recipe->how.optimizer.rule == RG_ADAM ? "adam" : "sgd";
    for (int i = 0; i < RG_CLARAN_ANCHORS; i++)
        used += snprintf(t->anchors_text + used, sizeof t->anchors_text - (size_t)used,
                         "%s%g", i ? "," : "", anchor[i]);
    t->anchors = t->anchors_text;
    used = 0;
    for (int i = 0; drop[i] > 0; i++)
        used += snprintf(t->drops_text + used, sizeof t->drops_text - (size_t)used,
                         "%s%ld", i ? "," : "", drop[i]);
    if (used > 0) t->drops = t->drops_text;
}

/* Single options change the recipe wherever they stand, so it is looked for first. */
static int find_recipe(int argc, char **argv, const rg_recipe **recipe)
{
    const char *name = "default";
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--recipe") == 0 && i + 1 < argc) name = argv[i + 1];
        if (strncmp(argv[i], "--recipe=", 9) == 0) name = argv[i] + 9;
    }
    return rg_recipe_find(name, recipe);
}

static int put_options(rg_option *to, const rg_option *from)
{
    int n = 0;
    while (from[n].name != NULL) n++;
    memcpy(to, from, (size_t)(n + 1) * sizeof *to);
    return n;
}

static int network_options(task *t, rg_option *to)
{
    rg_train_options *how = &t->how;
    const rg_option all[] = {
        { "method", 'm', RG_OPTION_TEXT, &t->method, 0, 0, "NAME",
          "F, D1, D2, D3 or D4:" },
        { "network", 0, RG_OPTION_TEXT, &t->network, 0, 0, "NAME",
          "claran or fpn:" },
        { "input", 0, RG_OPTION_INT, &t->model.input, 64, 1024, "PIXELS",
          "side of the network's input:" },
        { "width", 0, RG_OPTION_INT, &t->model.width, 4, 512, "N",
          "channels of conv1:" },
        { "fc", 0, RG_OPTION_INT, &t->model.fc, 8, 8192, "N",
          "outputs of fc6, fc7:" },
        { "anchors", 0, RG_OPTION_TEXT, &t->anchors, 0, 0, "A,B,C,D,E,F",
          "sides of anchors [network pixels]:" },
        { "sampling", 0, RG_OPTION_TEXT, &t->sampling, 0, 0, "NAME",
          "of ST pooling, as Eq. 8 or the authors' program: paper or authors:" },
        { "mean", 0, RG_OPTION_TEXT, &t->means, 0, 0, "B,G,R",
          "means to subtract: measured on the lists" },
        { "start", 0, RG_OPTION_TEXT, &how->start, 0, 0, "FILE",
          "first weights, of a whole model: random" },
        { "backbone", 0, RG_OPTION_TEXT, &how->backbone, 0, 0, "FILE",
          "first convolutions, from claran import or pretrain: random" },
        { "spread", 0, RG_OPTION_FLOAT, &how->spread, 0, 1, "S",
          "random first weights below conv5_3 have this deviation, 0 for He's:" },
        { "dropout", 0, RG_OPTION_FLOAT, &how->dropout, 0, 0.99, "P",
          "share of fc6 and fc7 left out in training:" },
        { "freeze", 0, RG_OPTION_TEXT, &t->freeze, 0, 0, "ROW,ROW",
          "rows not trained, ..ROW for all down to it:" },
        { .name = NULL }
    };
    int n = put_options(to, all);
    for (int i = 0; t->recipe->freeze && i < n; i++)
        if (to[i].value == &t->freeze)
            to[i].help = "rows not trained, ..ROW for all down to it, or none: "
                         "..conv2_2 with --start or --backbone";
    return n;
}

static int optimizer_options(task *t, rg_option *to)
{
    rg_train_options *how = &t->how;
    rg_optimizer *rule = &how->optimizer;
    rg_schedule *schedule = &how->schedule;
    const rg_option all[] = {
        { "steps", 0, RG_OPTION_LONG, &schedule->steps, 1, 1e9, "N",
          "optimizer steps:" },
        { "batch", 0, RG_OPTION_INT, &how->batch, 1, 64, "N", "images a step:" },
        { "optimizer", 0, RG_OPTION_TEXT, &t->optimizer, 0, 0, "NAME",
          "sgd or adam:" },
        { "rate", 0, RG_OPTION_FLOAT, &schedule->rate, 1e-9, 10, "R",
          "learning rate:" },
        { "momentum", 0, RG_OPTION_FLOAT, &rule->momentum, 0, 0.9999, "M",
          "of SGD; beta 1 of Adam:" },
        { "beta2", 0, RG_OPTION_FLOAT, &rule->beta2, 0, 0.999999, "B",
          "beta 2 of Adam:" },
        { "decay", 0, RG_OPTION_FLOAT, &rule->decay, 0, 1, "D", "weight decay:" },
        { "clip", 0, RG_OPTION_FLOAT, &rule->clip, 0, 1e9, "N",
          "largest norm of the gradients, 0 for any:" },
        { "drop", 0, RG_OPTION_TEXT, &t->drops, 0, 0, "N,N",
          "the rate falls after these steps, no cosine:" },
        { "fall", 0, RG_OPTION_FLOAT, &schedule->fall, 1e-6, 1, "F",
          "and is then times this:" },
        { "cosine", 0, RG_OPTION_FLAG, &t->cosine, 0, 0, NULL,
          "the rate falls as a cosine: so unless there is a --drop" },
        { "warmup", 0, RG_OPTION_LONG, &schedule->warmup, 0, 1e9, "N",
          "steps of a slow start:" },
        { "box-gradients", 0, RG_OPTION_FLAG, &t->box_gradients, 0, 0, NULL,
          "ST pooling's gradients move proposals, too (doc/experiments.md)" },
        { "factor", 0, RG_OPTION_TEXT, &how->factors, 0, 0, "ROW=F,...",
          "rates of rows times F, like conv*=0.1,*.bias=2:" },
        { "ema", 0, RG_OPTION_FLOAT, &how->ema, 0, 0.999999, "E",
          "the model is an average that keeps so much of itself a step:" },
        { .name = NULL }
    };
    return put_options(to, all);
}

static int example_options(task *t, rg_option *to)
{
    rg_train_options *how = &t->how;
    const rg_option all[] = {
        { "seed", 0, RG_OPTION_SEED, &how->seed, 0, 0, "N", "of everything random:" },
        { "flips", 0, RG_OPTION_FLAG, &t->flips, 0, 0, NULL,
          "mirror images: both recipes have them" },
        { "no-flips", 0, RG_OPTION_FLAG, &t->no_flips, 0, 0, NULL, "no mirror images" },
        { "turns", 0, RG_OPTION_FLAG, &t->turns, 0, 0, NULL,
          "quarter turns: the default recipe has them" },
        { "no-turns", 0, RG_OPTION_FLAG, &t->no_turns, 0, 0, NULL, "no quarter turns" },
        { "shift", 0, RG_OPTION_DOUBLE, &how->shift, 0, 90, "ARCSEC",
          "largest shift of the window's centre:" },
        { "balance", 0, RG_OPTION_DOUBLE, &how->balance, 0, 2, "POWER",
          "draw rare classes more often, 0 as they come:" },
        { .name = NULL }
    };
    return put_options(to, all);
}

static int augment_options(task *t, rg_option *to)
{
    rg_augment_options *augment = &t->how.augment;
    const rg_option all[] = {
        { "rotate", 0, RG_OPTION_DOUBLE, &augment->rotate, 0, 1, "P",
          "turn windows by any angle, with this probability:" },
        { "zoom", 0, RG_OPTION_TEXT, &t->zoom, 0, 0, "LEAST,MOST",
          "enlarge windows by factors between these:" },
        { "faint", 0, RG_OPTION_DOUBLE, &augment->faint, 0, 1, "P",
          "make fainter copies, with this probability:" },
        { "brighten", 0, RG_OPTION_DOUBLE, &augment->brighten, 1, 10, "FACTOR",
          "make sources up to so much brighter:" },
        { "beams", 0, RG_OPTION_DOUBLE, &t->beams, BEAM, 15, "ARCSEC",
          "widen the beam up to this:" },
        { "inject", 0, RG_OPTION_DOUBLE, &augment->inject, 0, 1, "P",
          "add a source of another field, with this probability:" },
        { "empty", 0, RG_OPTION_DOUBLE, &augment->empty, 0, 1, "P",
          "draw windows without sources, with this probability:" },
        { "confidence", 0, RG_OPTION_DOUBLE, &t->confidence, 0, 1, "LEAST",
          "ignore labels of less confidence:" },
        { .name = NULL }
    };
    return put_options(to, all);
}

static int target_options(task *t, rg_option *to)
{
    rg_train_options *how = &t->how;
    rg_target_options *as = &how->targets;
    rg_proposal_options *from = &how->proposals;
    const rg_option all[] = {
        { "rpn-batch", 0, RG_OPTION_INT, &as->anchors, 1, 10000, "N",
          "anchors an image:" },
        { "rpn-share", 0, RG_OPTION_FLOAT, &as->positives, 0, 1, "P",
          "most of them that are positive:" },
        { "rpn-positive", 0, RG_OPTION_FLOAT, &as->positive, 0, 1, "IOU",
          "anchors are from this overlap:" },
        { "rpn-negative", 0, RG_OPTION_FLOAT, &as->negative, 0, 1, "IOU",
          "and negative below this:" },
        { "rois", 0, RG_OPTION_INT, &how->rois, 4, 2000, "N", "RoIs an image:" },
        { "roi-share", 0, RG_OPTION_FLOAT, &as->foregrounds, 0, 1, "P",
          "most of them that are foreground:" },
        { "roi-foreground", 0, RG_OPTION_FLOAT, &as->foreground, 0, 1, "IOU",
          "RoIs are from this overlap:" },
        { "roi-background", 0, RG_OPTION_FLOAT, &as->background, 0, 1, "IOU",
          "and background from this up to that:" },
        { "proposals-in", 0, RG_OPTION_INT, &from->before, 1, 1000000, "N",
          "best boxes that go into suppression:" },
        { "proposals", 0, RG_OPTION_INT, &from->after, 1, 100000, "N",
          "and leave it:" },
        { "nms", 0, RG_OPTION_FLOAT, &from->iou, 0, 1, "IOU", "of suppression:" },
        { "smallest", 0, RG_OPTION_FLOAT, &from->smallest, 0, 100, "PIXELS",
          "shortest side of a proposal [1.375 arcsec]:" },
        { .name = NULL }
    };
    return put_options(to, all);
}

static void running_options(task *t, rg_option *to)
{
    rg_train_options *how = &t->how;
    const rg_option all[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &t->out, 0, 0, "FILE",
          "the model (needed)" },
        { "recipe", 0, RG_OPTION_TEXT, &t->recipe_name, 0, 0, "NAME",
          "default or paper; other options change it:" },
        { "show", 0, RG_OPTION_OUTPUT, &t->sheet, 0, 0, "FILE.png",
          "draw the first training examples, and end" },
        { "resume", 0, RG_OPTION_FLAG, &t->resume, 0, 0, NULL, "from FILE.checkpoint" },
        { "checkpoint", 0, RG_OPTION_LONG, &how->checkpoint, 1, 1e9, "N",
          "steps between checkpoints:" },
        { "report", 0, RG_OPTION_LONG, &how->report, 1, 1e9, "N", "steps a line:" },
        { "backend", 0, RG_OPTION_TEXT, &how->backend, 0, 0, "NAME",
          "auto, gpu, cpu or ref:" },
        { "precision", 0, RG_OPTION_TEXT, &t->precision, 0, 0, "NAME",
          "auto, f32, bf16; of a card tf32, f16:" },
        { .name = NULL }
    };
    put_options(to, all);
}

/* Returns how many of them, the first ones, are settings of the recipe. */
static int list_options(task *t, rg_option options[OPTIONS])
{
    int n = network_options(t, options);
    n += optimizer_options(t, options + n);
    n += example_options(t, options + n);
    n += augment_options(t, options + n);
    n += target_options(t, options + n);
    running_options(t, options + n);
    return n;
}

/* ---- the record ---- */

static void record_command(task *t, int argc, char **argv)
{
    size_t used = 0, size = sizeof t->command;
    for (int i = 0; i < argc && used < size; i++)
        used += (size_t)snprintf(t->command + used, size - used, "%s%s",
                                 i > 0 ? " " : "claran ", argv[i]);
    t->history[0] = "made by claran " RG_VERSION;
    t->history[1] = t->command;
}

/* The recipe, and every setting that differs from it. */
static void record_settings(task *t)
{
    task plain;
    rg_option own[OPTIONS], recipes[OPTIONS];
    char is[RG_OPTION_VALUE], was[RG_OPTION_VALUE];
    int n = list_options(t, own), differ = 0, used;
    begin(&plain, t->recipe);
    list_options(&plain, recipes);
    used = snprintf(t->settings, LINE, "recipe %s", t->recipe->name);
    for (int i = 0; i < n && used < LINE; i++) {
        rg_options_value(&own[i], is);
        rg_options_value(&recipes[i], was);
        if (strcmp(is, was) == 0) continue;
        used += snprintf(t->settings + used, (size_t)(LINE - used), "%s %s %s",
                         differ++ ? "," : " with", own[i].name,
                         own[i].kind == RG_OPTION_FLAG ? "" : is);
    }
    t->history[2] = t->settings;
}

static int run(task *t, int argc, char **argv)
{
    char log[4096];
    setvbuf(stdout, NULL, _IOLBF, 0);
    const struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    record_settings(t);
    snprintf(log, sizeof log, "%s.losses.csv", t->out);
    t->how.log = log;
    t->how.stop = &stop;
    t->how.progress = say_progress;
    t->how.history = t->history;
    int status = train(t, argc, argv);
    t->how.log = NULL;
    for (int i = 0; i < argc; i++) rg_dataset_free(t->lists[i]);
    if (status < 0) return rg_options_problem();
    if (status > 0) printf("stopped; go on with the same command and --resume\n");
    else if (t->sheet) printf("%s shows the first examples\n", t->sheet);
    else printf("%s is trained\n", t->out);
    return status == 0 ? RG_EXIT_OK : RG_EXIT_PROBLEM;
}

int rg_train_main(int argc, char **argv)
{
    task t;
    rg_option options[OPTIONS];
    const rg_recipe *recipe;
    const rg_usage usage = {
        "train", "LIST.csv... -o MODEL.fits",
        "Train on labelled lists (columns file, class, xmin, ymin, xmax, ymax, and "
        "for\n"
        "methods D2 to D4 ir, the infrared image).  ^C\n"
        "stops after writing MODEL.fits.checkpoint; --resume goes on from there.\n"
        "MODEL.fits.losses.csv has the losses, for claran plot.",
        options};
    if (find_recipe(argc, argv, &recipe) != 0)
        return rg_options_misuse("%s", rg_error_message());
    begin(&t, recipe);
    list_options(&t, options);
    record_command(&t, argc, argv);
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc < 1 || argc > LISTS)
        return rg_options_misuse("name 1 to %d lists; try claran train -h", LISTS);
    if (t.out == NULL && t.sheet == NULL)
        return rg_options_misuse("name the model with -o MODEL.fits");
    return run(&t, argc, argv);
}

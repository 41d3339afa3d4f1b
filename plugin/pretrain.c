/* SPDX-License-Identifier: MIT */
#include "core/learning/pretrain.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/engine/error.h"
#include "plugin/commands.h"
#include "plugin/options.h"

enum { LISTS = 16, OPTIONS = 24 };

static volatile sig_atomic_t stop;

typedef struct task {
    rg_claran model;
    rg_pretrain_options how;
    const char *out, *precision, *method, *name;
    bool resume;
    char command[1024], log[4200];     /* command: for the record */
    const char *history[3];
    rg_dataset *lists[LISTS];          /* owned */
} task;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void say_progress(void *user, const rg_pretrain_report *r)
{
    (void)user;
    long left = (long)r->seconds_left;
    printf("%ld/%ld loss %.4f =", r->step, r->steps, r->total);
    for (int i = 0; i < r->n; i++)
        printf("%s %s %.4f", i > 0 ? "," : "", r->name[i], r->loss[i]);
    printf("  rate %.2e norm %.2f  %.1f images/s  %ld:%02ld:%02ld left\n", r->rate,
           r->norm, r->images_per_s, left / 3600, left / 60 % 60, left % 60);
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

static int pretrain(task *t, int n, char **paths)
{
    if (t->method != NULL) RG_TRY(rg_fuse_method(t->method, &t->model.method));
    if (t->name != NULL) RG_TRY(rg_pretrain_task_named(t->name, &t->how.task));
    if (t->precision != NULL)
        RG_TRY(rg_backend_precision(t->precision, &t->how.precision));
    t->how.resume = t->resume;
    snprintf(t->log, sizeof t->log, "%s.losses.csv", t->out);
    t->how.log = t->log;
    for (int i = 0; i < n; i++) {
        RG_TRY(rg_dataset_read(&t->lists[i], paths[i]));
        printf("%s: %d fields\n", paths[i], t->lists[i]->nfields);
    }
    return rg_pretrain((const rg_dataset *const *)t->lists, n, &t->model, &t->how,
                       t->out);
}

static void list_options(task *t, rg_option options[OPTIONS])
{
    rg_pretrain_options *how = &t->how;
    const rg_option all[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &t->out, 0, 0, "FILE",
          "the backbone (needed)" },
        { "task", 0, RG_OPTION_TEXT, &t->name, 0, 0, "NAME",
          "dense, reconstruction or both: dense" },
        { "steps", 0, RG_OPTION_LONG, &how->schedule.steps, 1, 1e9, "N",
          "optimizer steps: 10000" },
        { "batch", 0, RG_OPTION_INT, &how->batch, 1, 64, "N", "images a step: 8" },
        { "input", 0, RG_OPTION_INT, &t->model.input, 64, 1024, "PIXELS",
          "side of the network's input: 600" },
        { "width", 0, RG_OPTION_INT, &t->model.width, 4, 512, "N",
          "channels of conv1: 64" },
        { "method", 'm', RG_OPTION_TEXT, &t->method, 0, 0, "NAME",
          "F, D1, D2, D3 or D4: D1" },
        { "rate", 0, RG_OPTION_FLOAT, &how->schedule.rate, 1e-9, 10, "R",
          "learning rate, falling as a cosine: 0.0005" },
        { "decay", 0, RG_OPTION_FLOAT, &how->optimizer.decay, 0, 1, "D",
          "weight decay: 1e-4" },
        { "clip", 0, RG_OPTION_FLOAT, &how->optimizer.clip, 0, 1e9, "N",
          "largest norm of the gradients, 0 for any: 5" },
        { "warmup", 0, RG_OPTION_LONG, &how->schedule.warmup, 0, 1e9, "N",
          "slow start: 200" },
        { "noise", 0, RG_OPTION_FLOAT, &how->noise, 0, 100, "SIGMA",
          "most noise added for reconstruction: 1" },
        { "seed", 0, RG_OPTION_SEED, &how->seed, 0, 0, "N", "of everything random: 1" },
        { "backbone", 0, RG_OPTION_TEXT, &how->backbone, 0, 0, "FILE",
          "first convolutions: random" },
        { "resume", 0, RG_OPTION_FLAG, &t->resume, 0, 0, NULL, "from FILE.checkpoint" },
        { "checkpoint", 0, RG_OPTION_LONG, &how->checkpoint, 1, 1e9, "N",
          "steps between checkpoints: 1000" },
        { "report", 0, RG_OPTION_LONG, &how->report, 1, 1e9, "N", "steps a line: 50" },
        { "backend", 0, RG_OPTION_TEXT, &how->backend, 0, 0, "NAME",
          "auto, gpu, cpu or ref: auto" },
        { "precision", 0, RG_OPTION_TEXT, &t->precision, 0, 0, "NAME",
          "auto, f32, bf16; of a card tf32, f16: auto" },
        { .name = NULL }
    };
    _Static_assert(sizeof all <= OPTIONS * sizeof *all, "OPTIONS is too small");
    memcpy(options, all, sizeof all);
}

int rg_pretrain_main(int argc, char **argv)
{
    task t = { .model = rg_claran_paper, .how = rg_pretrain_defaults };
    rg_option options[OPTIONS];
    const rg_usage usage = {
        "pretrain", "LIST.csv... -o BACKBONE.fits",
        "Learn convolutions from fields, whose labels do not matter, for claran train\n"
        "--backbone.  ^C stops after writing BACKBONE.fits.checkpoint; --resume goes\n"
        "on from there.", options };
    memset(t.model.mean, 0, sizeof t.model.mean);
    list_options(&t, options);
    record_command(&t, argc, argv);
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc < 1 || argc > LISTS)
        return rg_options_misuse("name 1 to %d lists; try claran pretrain -h", LISTS);
    if (t.out == NULL) return rg_options_misuse("name the result: -o BACKBONE.fits");
    setvbuf(stdout, NULL, _IOLBF, 0);
    const struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    t.how.stop = &stop;
    t.how.progress = say_progress;
    t.how.history = t.history;
    status = pretrain(&t, argc, argv);
    for (int i = 0; i < argc; i++) rg_dataset_free(t.lists[i]);
    if (status < 0) return rg_options_problem();
    if (status > 0) printf("stopped; go on with the same command and --resume\n");
    else printf("%s is pretrained\n", t.out);
    return status == 0 ? RG_EXIT_OK : RG_EXIT_PROBLEM;
}

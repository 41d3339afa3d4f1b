/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/commands.h"
#include "plugin/options.h"
#include "plugin/serve.h"

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *help;
} commands[] = {
    { "average", rg_average_main, "one model from several" },
    { "calibrate", rg_calibrate_main, "make a model's probabilities believable" },
    { "catalogue", rg_catalogue_main, "measure the boxes of a region file" },
    { "crossmatch", rg_crossmatch_main, "join a catalogue with another" },
    { "detect", rg_detect_main, "find the radio galaxies of FITS images" },
    { "devices", rg_devices_main, "what networks run on here: GPU, processor" },
    { "ds9", rg_ds9_main, "the same in a running DS9 (what the menu calls)" },
    { "evaluate", rg_evaluate_main, "how good a model is on a labelled list" },
    { "image", rg_image_main, "write what the network is shown" },
    { "import", rg_import_main, "begin with VGG-16 of torchvision or Keras" },
    { "label", rg_label_main, "label real fields by Radio Galaxy Zoo's arithmetic" },
    { "model", rg_model_main, "print a network's rows, shapes and weights" },
    { "plot", rg_plot_main, "draw the losses of trainings" },
    { "pretrain", rg_pretrain_main, "a backbone from fields without labels" },
    { "serve", rg_serve_main, "keep models loaded, and detect for XPA's clients" },
    { "simulate", rg_simulate_main, "make FIRST-like fields with known sources" },
    { "train", rg_train_main, "train a model on labelled lists" },
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(FILE *to)
{
    fputs("usage: claran COMMAND [...]\n\nFind and classify radio galaxies.\n\n", to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fputs("\nclaran COMMAND --help explains one, claran --version says which it is.\n",
          to);
}

/* libgomp spins while it waits, which starves DS9 on the same cores, and reads this
 * once, as it is loaded: so we load again. */
static void wait_passively(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") != NULL) return;
    if (setenv("OMP_WAIT_POLICY", "passive", 1) == 0) execv("/proc/self/exe", argv);
}

/* No file that we open may land on a standard descriptor.  Standard output gets one
 * that cannot be written, so that what is lost is noticed. */
static void fill_descriptors(void)
{
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (fcntl(i, F_GETFD) < 0 &&
            open("/dev/null", i == STDERR_FILENO ? O_WRONLY : O_RDONLY) != i) abort();
}

/* oneDNN is C++, and where it gets no memory it ends the program. */
static void give_up(int signal)
{
    static const char words[] =
        "claran: a library gave up, most likely for want of memory: nothing is "
        "written\n";
    const ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
    (void)signal, (void)written;
    _exit(RG_EXIT_PROBLEM);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return RG_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) return help(stdout), 0;
    if (!strcmp(argv[1], "--version")) return puts("claran " RG_VERSION), 0;
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].main(argc - 1, argv + 1);
    return rg_options_misuse("unknown %s %s; see claran --help",
                             argv[1][0] == '-' ? "option" : "command", argv[1]);
}

int main(int argc, char **argv)
{
    int status;
    fill_descriptors();
    signal(SIGABRT, give_up);
    if (!rg_serve_forward(argc, argv, &status)) {
        wait_passively(argv);
        bool resident = rg_serve_is_wanted(argc, argv);
        status = run(argc, argv);
        if (resident) rg_serve_start();
    }
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    if (status != RG_EXIT_OK) return status;
    fputs("claran: standard output could not be written\n", stderr);
    return RG_EXIT_PROBLEM;
}

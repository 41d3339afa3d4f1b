/* SPDX-License-Identifier: MIT */
#include "core/learning/import.h"

#include <stdio.h>

#include "plugin/commands.h"
#include "plugin/options.h"

int rg_import_main(int argc, char **argv)
{
    const char *out = NULL, *history[3] = { "made by claran " RG_VERSION };
    char command[1024];
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &out, 0, 0, "FILE",
          "the backbone (needed)" },
        { .name = NULL }
    };
    const rg_usage usage = { "import", "WEIGHTS.safetensors|WEIGHTS.h5 -o FILE.fits",
        "The convolutions of VGG-16, as torchvision (safetensors) or Keras (HDF5)\n"
        "name them, for claran train --backbone FILE.fits to begin with.", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 1) return rg_options_misuse("name one file of weights");
    if (out == NULL) return rg_options_misuse("name the backbone with -o FILE.fits");
    snprintf(command, sizeof command, "claran import of %s", argv[0]);
    history[1] = command;
    rg_import_report report;
    if (rg_import(argv[0], out, history, &report) != 0) return rg_options_problem();
    printf("%s: %d convolutions of width %d, %ld weights, from %s\n", out,
           report.convolutions, report.width, report.weights, report.format);
    return RG_EXIT_OK;
}

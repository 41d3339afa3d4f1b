/* SPDX-License-Identifier: MIT */
#include "core/learning/average.h"

#include <stdio.h>
#include <string.h>

#include "plugin/commands.h"
#include "plugin/options.h"

int rg_average_main(int argc, char **argv)
{
    const char *out = NULL, *history[3] = { "made by claran " RG_VERSION };
    char command[1024] = "claran average of";
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &out, 0, 0, "FILE", "the model (needed)" },
        { .name = NULL }
    };
    const rg_usage usage = { "average", "MODEL.fits MODEL.fits... -o FILE",
        "The model whose weights are the means of those of models trained one from\n"
        "another (claran train --start): often better than each of them.", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc < 2) return rg_options_misuse("name two models or more");
    if (out == NULL) return rg_options_misuse("name the model with -o FILE");
    size_t used = strlen(command);
    for (int i = 0; i < argc && used < sizeof command; i++)
        used += (size_t)snprintf(command + used, sizeof command - used, " %s", argv[i]);
    history[1] = command;
    status = rg_average((const char *const *)argv, argc, out, history);
    return status == 0 ? RG_EXIT_OK : rg_options_problem();
}

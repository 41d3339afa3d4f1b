/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/module.h"
#include "plugin/commands.h"
#include "plugin/options.h"

static void print_lines(const rg_backend *backend)
{
    char text[RG_BACKEND_TEXT];
    for (int line = 0; backend->describe(line, text); line++)
        printf("%-5s %s\n", line == 0 ? backend->name : "", text);
}

static void print_gpu(void)
{
    const rg_module *module;
    if (rg_module_open(&module) != 0) {
        printf("gpu   not usable: %s\n", rg_error_message());
        return;
    }
    print_lines(module->backend);
    if (module->usable() != 0) printf("      not usable: %s\n", rg_error_message());
}

/* What --backend auto takes, and why. */
static int print_choice(void)
{
    const rg_backend *taken, *gpu;
    RG_TRY(rg_backend_find("auto", &taken));
    const bool usable = rg_backend_find("gpu", &gpu) == 0;
    printf("auto  %s: %s\n", taken->name,
           usable ? "there is a card for it" : "the GPU is not usable");
    return 0;
}

int rg_devices_main(int argc, char **argv)
{
    const rg_option options[] = { { .name = NULL } };
    const rg_usage usage = { "devices", "",
        "Print what the networks can run on: the GPU, the processor, their memory and\n"
        "versions, and which --backend auto takes.", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc > 0) return rg_options_misuse("claran devices takes no operands");
    print_gpu();
    print_lines(&rg_backend_cpu);
    print_lines(&rg_backend_ref);
    return print_choice() == 0 ? RG_EXIT_OK : rg_options_problem();
}

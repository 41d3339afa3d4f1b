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

/* A card may be full, busy or closed: that is known when it was opened. */
static int try_gpu(const rg_module *module)
{
    void *context;
    RG_TRY(module->usable());
    RG_TRY(module->backend->open(&context, RG_PRECISION_AUTO, false));
    module->backend->close(context);
    return 0;
}

/* Whether it can be used. */
static bool print_gpu(void)
{
    const rg_module *module;
    if (rg_module_open(&module) != 0) {
        printf("gpu   not usable: %s\n", rg_error_message());
        return false;
    }
    print_lines(module->backend);
    if (try_gpu(module) == 0) return true;
    printf("      not usable: %s\n", rg_error_message());
    return false;
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
    const bool gpu = print_gpu();
    print_lines(&rg_backend_cpu);
    print_lines(&rg_backend_ref);
    puts(gpu ? "auto  gpu: there is a card for it"
             : "auto  cpu: the GPU is not usable");
    return RG_EXIT_OK;
}

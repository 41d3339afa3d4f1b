/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/detector/claran.h"
#include "core/engine/error.h"
#include "plugin/commands.h"
#include "plugin/finder.h"
#include "plugin/options.h"

static int print_rows(const rg_claran *model)
{
    rg_row rows[RG_CLARAN_ROWS];
    const rg_claran_run run = { .batch = 1, .rois = 5 };
    return rg_layer_print(rows, rg_claran_rows(model, &run, rows), stdout);
}

static void print_header(const char *path, const rg_claran *model,
                         const rg_weights *weights)
{
    char identity[RG_CLARAN_IDENTITY];
    rg_claran_identity(model, weights, identity);
    printf("%s: model %s, network %s, method %s, input %d pixels, conv1 %d wide, "
           "fc %d\n", path, identity, rg_claran_network_name(model->network),
           rg_fuse_name(model->method), model->input, model->width, model->fc);
    printf("anchors");
    for (int i = 0; i < RG_CLARAN_ANCHORS; i++) printf(" %g", model->anchor[i]);
    printf(" pixels; means %g %g %g (B, G, R)\n", model->mean[0], model->mean[1],
           model->mean[2]);
    if (model->calibration[0] == 0) printf("probabilities not calibrated\n");
    else rg_finder_print_calibration("probabilities calibrated: ", model->calibration);
    if (model->views > 1)
        printf("%d views of each window, their probabilities averaged\n", model->views);
    for (int i = 0; i < rg_weights_histories(weights); i++)
        printf("  %s\n", rg_weights_history(weights, i));
    printf("\n");
}

static int print_file(const char *path)
{
    rg_weights *weights = NULL;
    rg_claran model;
    int status = rg_weights_read(&weights, path);
    if (status == 0 && rg_claran_recognise(&model, weights) != 0)
        status = rg_error_prefix("%s: ", path);
    if (status == 0) print_header(path, &model, weights);
    if (status == 0) status = print_rows(&model);
    rg_weights_free(weights);
    return status;
}

int rg_model_main(int argc, char **argv)
{
    rg_claran asked = { .input = 0 }, model = rg_claran_paper;
    const char *network = NULL;
    const rg_option options[] = {
        { "network", 0, RG_OPTION_TEXT, &network, 0, 0, "NAME",
          "claran or fpn: claran" },
        { "input", 0, RG_OPTION_INT, &asked.input, 64, 1024, "PIXELS",
          "side of the network's input: 600" },
        { "width", 0, RG_OPTION_INT, &asked.width, 4, 512, "N",
          "channels of conv1: 64" },
        { "fc", 0, RG_OPTION_INT, &asked.fc, 8, 8192, "N",
          "outputs of fc6 and fc7: 4096" },
        { .name = NULL }
    };
    const rg_usage usage = { "model", "[FILE]",
        "Print the rows, shapes and weights of the network: of a model file with its\n"
        "record, or of the paper's Table 4 with the sizes changed as asked.", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc > 1) return rg_options_misuse("claran model takes one FILE");
    if (argc == 1 && (network || asked.input || asked.width || asked.fc))
        return rg_options_misuse("a model FILE has its sizes; leave out --network, "
                                 "--input, --width and --fc");
    if (network && rg_claran_network(network, &model.network) != 0)
        return rg_options_misuse("%s", rg_error_message());
    if (asked.input) model.input = asked.input;
    if (asked.width) model.width = asked.width;
    if (asked.fc) model.fc = asked.fc;
    status = argc == 1 ? print_file(argv[0]) : print_rows(&model);
    return status == 0 ? RG_EXIT_OK : rg_options_problem();
}

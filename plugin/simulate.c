/* SPDX-License-Identifier: MIT */
#include "core/engine/error.h"
#include "core/data/folder.h"
#include "plugin/commands.h"
#include "plugin/options.h"

static int simulate_infrared(const char *list, const char *hosts, uint64_t seed,
                             const char *folder)
{
    rg_dataset *fields;
    rg_host_list *known = NULL;
    RG_TRY(rg_dataset_read(&fields, list));
    int status = hosts ? rg_host_read(&known, hosts) : 0;
    if (status == 0)
        status = rg_folder_infrared(fields, known, seed, folder, rg_options_progress,
                                    "fields");
    rg_host_free(known);
    rg_dataset_free(fields);
    return status;
}

int rg_simulate_main(int argc, char **argv)
{
    rg_simulation how = rg_simulate_defaults;
    int count = 1;
    const char *list = NULL, *hosts = NULL;
    const rg_option options[] = {
        { "count", 'n', RG_OPTION_INT, &count, 1, 100000, "N", "fields to make: 1" },
        { "seed", 's', RG_OPTION_SEED, &how.seed, 0, 0, "N",
          "same seed, same fields: 1" },
        { "size", 0, RG_OPTION_INT, &how.size, 32, 4096, "PIXELS",
          "side of a field [pixels]: 150" },
        { "pixel", 0, RG_OPTION_DOUBLE, &how.pixel, 0.1, 20, "ARCSEC",
          "side of a pixel [arcsec]: 1.8" },
        { "beam", 0, RG_OPTION_DOUBLE, &how.beam, 0.1, 400, "ARCSEC",
          "width of the beam, FWHM [arcsec]: 5.4" },
        { "noise", 0, RG_OPTION_DOUBLE, &how.noise, 1e-9, 1e3, "JY",
          "rms of the noise [Jy/beam]: 0.00015" },
        { "density", 0, RG_OPTION_DOUBLE, &how.density, 0, 10, "N",
          "mean number of sources in 3 x 3 arcmin: 1.3" },
        { "stretch", 0, RG_OPTION_DOUBLE, &how.stretch, 1, 20, "N",
          "sources up to N times as long, for large fields: 1" },
        { "infrared-of", 0, RG_OPTION_TEXT, &list, 0, 0, "LIST.csv",
          "only W1 frames, for the real fields of this labelled list" },
        { "hosts", 0, RG_OPTION_TEXT, &hosts, 0, 0, "FIELDS.csv",
          "where their hosts are, if known (columns file, ra_deg, dec_deg)" },
        { .name = NULL }
    };
    const rg_usage usage = { "simulate", "FOLDER",
        "Makes FIRST-like fields with known radio galaxies, FOLDER/sim_00000.fits\n"
        "..., the WISE W1 frame of each, sim_00000_w1.fits ..., and their labels and\n"
        "hosts in FOLDER.csv (boxes in FITS pixels), as train and evaluate read them.\n"
        "\n  claran simulate field\n"
        "  claran simulate -n 4000 --seed 7 sky\n"
        "  claran simulate -n 8 --size 1000 --density 0.15 --stretch 12 large\n"
        "  claran simulate w1 --infrared-of rgz_train.csv", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != 1)
        return rg_options_misuse("simulate wants one folder to write to; see claran "
                                 "simulate --help");
    if (hosts != NULL && list == NULL)
        return rg_options_misuse("--hosts is for the fields of --infrared-of");
    if (list != NULL) status = simulate_infrared(list, hosts, how.seed, argv[0]);
    else
        status = rg_folder_simulate(&how, count, argv[0], rg_options_progress,
                                    "fields");
    return status == 0 ? RG_EXIT_OK : rg_options_problem();
}

/* SPDX-License-Identifier: MIT */
/* commands: the subcommands of the program claran, one file each.
 *
 * argv[0] is the subcommand's own name ("detect"); what is returned is the exit status
 * of the process: RG_EXIT_OK, RG_EXIT_PROBLEM or RG_EXIT_USAGE of plugin/options.h.
 * main.c has the table of them.
 */
#ifndef RG_COMMANDS_H
#define RG_COMMANDS_H

int rg_average_main(int argc, char **argv);
int rg_calibrate_main(int argc, char **argv);
int rg_catalogue_main(int argc, char **argv);
int rg_check_main(int argc, char **argv);       /* claran ds9 check */
int rg_crossmatch_main(int argc, char **argv);
int rg_detect_main(int argc, char **argv);
int rg_devices_main(int argc, char **argv);
int rg_ds9_main(int argc, char **argv);
int rg_evaluate_main(int argc, char **argv);
int rg_fetch_main(int argc, char **argv);       /* claran ds9 fetch */
int rg_image_main(int argc, char **argv);
int rg_install_main(int argc, char **argv);     /* claran ds9 install */
int rg_import_main(int argc, char **argv);
int rg_label_main(int argc, char **argv);
int rg_model_main(int argc, char **argv);
int rg_pretrain_main(int argc, char **argv);
int rg_plot_main(int argc, char **argv);
int rg_serve_main(int argc, char **argv);
int rg_simulate_main(int argc, char **argv);
int rg_train_main(int argc, char **argv);

#endif

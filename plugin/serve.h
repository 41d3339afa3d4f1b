/* serve: what a resident claran does for others, and how they ask it.
 *
 *     int status;
 *     if (rg_serve_forward(argc, argv, &status)) return status;
 */
#ifndef RG_SERVE_H
#define RG_SERVE_H

#include <stdbool.h>

/* Whether a server has done what the command line asks, which it does for "ds9 detect"
 * in frames of up to RG_SERVE_SIDE pixels a side (of larger ones the progress is worth
 * more than the second that the model takes to load); what it printed is printed. */
enum { RG_SERVE_SIDE = 512 };
bool rg_serve_forward(int argc, char **argv, int *status);

/* Where $CLARAN_SERVE is "yes", as claran-ds9 sets it, a server for the next time. */
void rg_serve_offer(int argc, char **argv);

#endif

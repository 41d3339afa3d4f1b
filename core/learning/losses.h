/* SPDX-License-Identifier: MIT */
/* losses: the log of a training: a CSV of the means since the row before.
 *
 *     static const char *const names[] = { "rpn_cls", "rpn_box", "roi_cls", "roi_box"};
 *     RG_TRY(rg_losses_begin("M.fits.losses.csv", names, 4, rg_net_step(net)));
 *     RG_TRY(rg_losses_add("M.fits.losses.csv", &(rg_losses_row){ .step = 50, ... },
 *                          means, 4));
 *     RG_TRY(rg_losses_read(&losses, "M.fits.losses.csv"));
 *     rg_losses_free(losses);
 *
 * Columns: step, the losses, total, rate, norm (of the gradients), images_per_s.
 */
#ifndef RG_LOSSES_H
#define RG_LOSSES_H

#define RG_LOSSES_MOST 8               /* losses of a training */

typedef struct rg_losses_row {
    long step;                         /* steps made */
    double rate, norm, images_per_s;
} rg_losses_row;

/* The log of a run that goes on from `step`: rows after it, which the run makes again,
 * are taken out.  From step 0, or where there is no file, a header alone.  A file with
 * other columns is a failure. */
int rg_losses_begin(const char *path, const char *const *names, int n, long step);

/* One more row; `loss` [n], and their sum as the total. */
int rg_losses_add(const char *path, const rg_losses_row *row, const double *loss,
                  int n);

/* The total and the paper's four parts (Eq. 11) of one run. */
typedef enum { RG_LOSSES_TOTAL, RG_LOSSES_RPN_CLS, RG_LOSSES_RPN_BOX,
               RG_LOSSES_ROI_CLS, RG_LOSSES_ROI_BOX, RG_LOSSES_CURVES } rg_losses_curve;
typedef struct rg_losses_run {
    char name[160];                    /* of the model, or the paper's "D4 600 px" */
    double *step, *curve[RG_LOSSES_CURVES];   /* [n]; NaN where a part is not given */
    int n;
} rg_losses_run;
typedef struct rg_losses { rg_losses_run *runs; int nruns; } rg_losses;

/* One run of a log (a loss it has not is NaN), or all runs of a table with columns
 * method, input_px, iteration_end.  Caller frees. */
int rg_losses_read(rg_losses **out, const char *path);
void rg_losses_free(rg_losses *losses);

#endif

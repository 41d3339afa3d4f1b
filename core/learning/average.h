/* SPDX-License-Identifier: MIT */
/* average: one model from several that were trained one from another (stochastic weight
 * averaging, Izmailov et al. 2018), which are often better together than each alone.
 *
 *     RG_TRY(rg_average((const char *[]){ "a.fits", "b.fits" }, 2, "c.fits", history));
 */
#ifndef RG_AVERAGE_H
#define RG_AVERAGE_H

/* Writes the model whose weights are the means of those of n >= 2 model files, which
 * must be of one size and method; input means likewise.  It is not calibrated.  It
 * keeps their training records, and `history` (NULL-terminated sentences).  Written
 * beside and renamed. */
int rg_average(const char *const *paths, int n, const char *out,
               const char *const *history);

#endif

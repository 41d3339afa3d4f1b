/* SPDX-License-Identifier: MIT */
/* agreement: how far the label rule agrees with people.
 *
 *     RG_TRY(rg_agreement_print("rgz_train.csv"));
 *
 * The list has a labelled list's columns and component_ra_deg, component_dec_deg: the
 * positions of each source's components, with ";" between them.
 */
#ifndef RG_AGREEMENT_H
#define RG_AGREEMENT_H

#include "core/data/label.h"

/* Printed: where the rule is told which islands belong together, how far components,
 * peaks, classes and boxes agree, the confusion between classes, and the share of its
 * classes that are people's, by class and by how steady it is; where it is not told, by
 * what joined the islands, how often people joined the same (IoU over 0.8) and gave the
 * same class, beside the mean of the labels' confidence. */
int rg_agreement_print(const char *list);

/* "1.5;2.5" and "30;31" -> the components of a hint. */
int rg_agreement_components(char *ras, char *decs, rg_label_hint *hint);

#endif

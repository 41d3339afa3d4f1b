/* SPDX-License-Identifier: MIT */
/* delivery: a catalogue and the files it goes to, all of them or none.
 *
 *     rg_delivery d = { .options = "" };
 *     const rg_option options[] = { RG_DELIVERY_OPTIONS(d), { .name = NULL } };
 *     RG_TRY(rg_delivery_open(&d));               // before the work: what cannot be?
 *     RG_TRY(rg_catalogue_add(d.catalogue, ...));
 *     int status = rg_delivery_keep(&d);
 *     rg_delivery_drop(&d);                       // in any case
 */
#ifndef RG_DELIVERY_H
#define RG_DELIVERY_H

#include <stdbool.h>

#include "plugin/options.h"
#include "plugin/output.h"
#include "regions/catalogue.h"

enum { RG_DELIVERY_MOST = sizeof ((rg_texts *)0)->text / sizeof (char *) };

typedef struct rg_delivery {
    rg_texts paths;               /* set by the options, as is ... */
    const char *format;           /* NULL: as each path ends */
    char options[2048];           /* for the catalogue, set by the caller */
    rg_catalogue *catalogue;      /* owned */
    rg_output outputs[RG_DELIVERY_MOST];
    const rg_format *formats[RG_DELIVERY_MOST];
} rg_delivery;

enum { RG_DELIVERY_COUNT = 2 };   /* of these options: */
#define RG_DELIVERY_OPTIONS(d) \
    { "output", 'o', RG_OPTION_OUTPUTS, &(d).paths, 0, 0, "FILE", \
      "catalogue: .fits .vot .csv .ecsv .tsv .json .reg .moc.fits, or - (CSV on " \
      "stdout); repeatable" }, \
    RG_FORMAT_OPTION((d).format)

int rg_delivery_open(rg_delivery *delivery);

/* Whether one of the formats says what is measured. */
bool rg_delivery_measures(const rg_delivery *delivery);

/* Everything but the renaming; what may still fail comes between this and keep. */
int rg_delivery_stage(rg_delivery *delivery);
int rg_delivery_keep(rg_delivery *delivery);
void rg_delivery_drop(rg_delivery *delivery);

#endif

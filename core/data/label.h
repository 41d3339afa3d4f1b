/* SPDX-License-Identifier: MIT */
/* label: truth for real fields by the arithmetic of shared/spec/data.md.
 *
 * Islands above 3 sqrt(3) sigma that stand alone label themselves 1C_nP; islands that
 * belong to a catalogued source of known extent make one source; what cannot be told is
 * marked "?" (neither example nor background).
 *
 * A label's confidence is the probability that people would give the same: that they
 * join the same islands (by what told: listed 1, extent 0.97, centred 0.93, paired
 * 0.86, alone 0.95) times that they give the same class to them (listed 1; else by
 * class, where the class is the same at 0.87, 1 and 1.15 times the levels, and where it
 * is not: 1C_1P 0.96, 0.73; 1C_2P 0.71, 0.67; 1C_3P 0.97, 0.92; 2C_2P 0.75, 0.55; 2C_3P
 * 0.91, 0.93; 3C_3P 0.93, 0.91).  All of it was measured on rgz_train.
 *
 *     RG_TRY(rg_label_field(image, &hint, 1, &sources, &n));
 */
#ifndef RG_LABEL_H
#define RG_LABEL_H

#include "core/image/image.h"
#include "core/data/dataset.h"

/* A source known to be here: from a catalogue that lists its components, or one that
 * gives its position and size. */
#define RG_LABEL_COMPONENTS 3
typedef struct rg_label_hint {
    double ra, dec;           /* of host or centre [deg, ICRS], without components */
    double extent;            /* largest angular size [arcsec]; 0: unknown */
    int class_;               /* 1..6, 0: by arithmetic, RG_CLASS_IGNORE */
    int ncomponents;          /* 0: not listed */
    struct { double ra, dec; } component[RG_LABEL_COMPONENTS];   /* [deg, ICRS] */
} rg_label_hint;

/* What told that the islands of a label are one source. */
typedef enum {
    RG_LABEL_LISTED,          /* a catalogue that lists its components, and its class */
    RG_LABEL_EXTENT,          /* a known position and size */
    RG_LABEL_CENTRED,         /* a known position in the middle of several islands */
    RG_LABEL_PAIRED,          /* nothing: islands alike and near one another */
    RG_LABEL_ALONE,           /* nothing: one island, nothing else near */
    RG_LABEL_KINDS
} rg_label_kind;
extern const char *const rg_label_kind_name[RG_LABEL_KINDS];

/* A labelled source and what it was made of. */
typedef struct rg_label_source {
    rg_label label;           /* the box is tight round its islands above 4 sigma */
    int components, peaks;    /* counted above 3 sqrt(3) sigma on 1.375" pixels */
    double peak;              /* brightest pixel [sigma] */
    int hint;                 /* number of the hint that told of it, -1: none */
    rg_label_kind kind;
    int steady;               /* at how many of 0.87 and 1.15 times the levels the class
                                 by arithmetic is the same, 0..2 */
} rg_label_source;

/* Sources of an image; n may come out 0.  Caller frees *sources with free(). */
int rg_label_field(const rg_image *image, const rg_label_hint *hints, int nhints,
                   rg_label_source **sources, int *n);

/* Class of `components` islands with `peaks` peaks together, or RG_CLASS_IGNORE if that
 * is none of the six.  4 and 5 peaks count as 3: Radio Galaxy Zoo's list ends there,
 * and what the arithmetic counts as 4 or 5 on rgz_train is 3 in it. */
int rg_label_class(int components, int peaks);

#endif

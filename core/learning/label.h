/* label: truth for real fields by the arithmetic of shared/spec/data.md.
 *
 * Islands above 3 sqrt(3) sigma that stand alone label themselves 1C_nP; islands that
 * belong to a catalogued source of known extent make one source; what cannot be told is
 * marked "?" (neither example nor background).
 *
 *     RG_TRY(rg_label_field(image, &hint, 1, &sources, &n));
 */
#ifndef RG_LABEL_H
#define RG_LABEL_H

#include "core/image/image.h"
#include "core/learning/dataset.h"

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

/* A labelled source and what it was made of. */
typedef struct rg_label_source {
    rg_label label;           /* the box is tight round its islands above 4 sigma */
    int components, peaks;    /* counted above 3 sqrt(3) sigma on 1.375" pixels */
    double peak;              /* brightest pixel [sigma] */
    int hint;                 /* number of the hint that told of it, -1: none */
} rg_label_source;

/* Sources of an image; n may come out 0.  Caller frees *sources with free(). */
int rg_label_field(const rg_image *image, const rg_label_hint *hints, int nhints,
                   rg_label_source **sources, int *n);

/* Class of `components` islands with `peaks` peaks together, or RG_CLASS_IGNORE if that
 * is none of the six.  4 and 5 peaks count as 3: Radio Galaxy Zoo's list ends there,
 * and what the arithmetic counts as 4 or 5 on rgz_train is 3 in it. */
int rg_label_class(int components, int peaks);

#endif

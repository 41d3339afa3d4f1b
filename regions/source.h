/* SPDX-License-Identifier: MIT */
/* source: what a catalogue says of one detected radio source.
 *
 * Angles [deg, ICRS], sizes [arcsec], errors 1 sigma; NAN: not known.
 */
#ifndef RG_SOURCE_H
#define RG_SOURCE_H

#include <stdbool.h>

#include "core/detector/detect.h"

typedef enum {                /* rg_source.flags, bits */
    RG_FLAG_BY_HAND = 1,      /* box drawn or labelled by the user, P empty */
    RG_FLAG_EDITED = 2,       /* box moved or resized by the user since detection */
    RG_FLAG_EDGE = 4,         /* emission or box reaches the image's edge: flux is a
                                 lower limit */
    RG_FLAG_BLANK = 8,        /* pixels without a value inside the box */
    RG_FLAG_DISAGREE = 16,    /* components or peaks measured differ from the class */
    RG_FLAG_FAINT = 32,       /* nothing above the contour level in the box */
    RG_FLAG_BEAM_ASSUMED = 64,/* beam from FIRST's table by declination, not from the
                                 header */
    RG_FLAG_NOT_JY = 128,     /* image is not in Jy/beam: fluxes are in its unit */
    RG_FLAG_CROWDED = 256,    /* shares contours with another source's box */
    RG_FLAG_NO_HOST = 512     /* infrared looked at, the answer is "none" */
} rg_source_flag;

typedef struct rg_beam {
    double major, minor;      /* FWHM [arcsec] */
    double angle;             /* position angle [deg] */
    bool assumed;             /* RG_FLAG_BEAM_ASSUMED */
} rg_beam;

typedef struct rg_candidate { /* an infrared counterpart */
    double ra, dec;           /* [deg] */
    double position_error;    /* [arcsec] */
    double flux, snr;         /* in the infrared image's unit */
    double probability;       /* that it is the host */
} rg_candidate;

typedef struct rg_source {
    rg_detection box;         /* as detected or as edited; probability NAN: by hand */
    double ra, dec;           /* flux-weighted centre [deg] */
    double ra_error, dec_error;   /* [arcsec]; ra_error times cos dec */
    double rms, background;   /* local [mJy/beam] */
    double peak, peak_error;  /* flux density [mJy/beam] */
    double flux, flux_error;  /* integrated flux density [mJy] */
    double size, size_error;  /* largest angular size [arcsec] */
    double pa;                /* its position angle [deg], N through E, [0, 180) */
    double tight[4];          /* xmin, ymin, xmax, ymax of the contours: FITS pixels of
                                 the image, 1-based, pixel edges */
    int islands;              /* above the contour level in the box */
    int components, peaks;    /* by Radio Galaxy Zoo's arithmetic; 0: none */
    rg_candidate host[2];     /* best and second; ra NAN: none */
    double no_host;           /* probability that none of the candidates is it; NAN: no
                                 infrared image */
    unsigned flags;           /* rg_source_flag */
} rg_source;

#endif

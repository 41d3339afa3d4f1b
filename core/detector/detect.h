/* SPDX-License-Identifier: MIT */
/* detect: from an image to labelled boxes.
 *
 *     rg_detector *detector; rg_detection *found; int n;
 *     RG_TRY(rg_detect_open(&detector, "claran-d1.fits", &rg_detect_defaults));
 *     RG_TRY(rg_detect(detector, image, NULL, &found, &n));
 *     free(found);
 *     rg_detect_close(detector);
 *
 * A list: fill tasks [n] until rg_detect_enough(tasks, n), and rg_detect_list them.
 */
#ifndef RG_DETECT_H
#define RG_DETECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/detector/claran.h"
#include "core/engine/backend.h"
#include "core/image/image.h"

typedef struct rg_detection {
    double ra, dec;           /* centre of the box [deg, ICRS] */
    double width, height;     /* of the box along the window's axes [arcsec] */
    double angle;             /* of its height axis, north through east [deg] */
    double xmin, ymin, xmax, ymax;  /* FITS pixels of the image, 1-based, pixel edges */
    int class_;               /* 1..6 */
    float probability;        /* of that class, as the model is calibrated */
    float raw;                /* ... as the network says it */
    float evidence[RG_EVIDENCES];   /* ... and what the pixels say of the box */
    bool cut;                 /* by the edge of its window, */
    int scale;                /* which is 3' x 2^scale wide (core/detector/layout.h) */
    int second;               /* runner-up class on the same source, 0: none */
    float second_probability;
} rg_detection;

typedef struct rg_detect_options {
    const char *backend;      /* "auto" */
    rg_precision precision;
    float threshold;          /* keep P >= this, calibrated: 0.8 (paper 6.1.1) */
    bool all;                 /* every class's detections of more than 0.05 before
                                 calibration */
    bool best;                /* none above the threshold in a subject: keep the best
                                 (in larger images not: most windows are empty) */
    int proposals;            /* per window at test time */
    float proposal_iou;       /* suppression of proposals: 0.7 */
    float class_iou;          /* suppression within a class, and across classes: 0.3 */
    int scales;               /* windows of 3', 6' ...: so many sizes, as far as the
                                 image is larger, 1 to RG_LAYOUT_SCALES */
    int views;                /* of each window, 1 to RG_VIEWS_MOST; 0: as the model
                                 says, which is calibrated for that */
    void (*progress)(void *user, int done, int total);  /* windows; NULL: silent */
    void (*seen)(void *user, const rg_detection *one);  /* as each is found, before what
                                 is seen twice becomes one; NULL: nobody looks */
    void *user;
} rg_detect_options;

extern const rg_detect_options rg_detect_defaults;

typedef struct rg_detector rg_detector;

int rg_detect_open(rg_detector **out, const char *model_path,
                   const rg_detect_options *options);
void rg_detect_close(rg_detector *detector);

/* Other options from now on; backend, precision, proposals, proposal_iou and views
 * have to be those that it was opened with. */
int rg_detect_adjust(rg_detector *detector, const rg_detect_options *options);

/* Detections in the radio image, best probability first.  An image of a subject's size
 * is one 3' window about its middle; a larger one is covered by 3' windows that overlap
 * by half, and what two windows see is reported once; from 4.5' on by windows of 6' and
 * more, too (options.scales), for what those of 3' do not hold: core/detector/layout.h.
 * Of a source and its part the whole is reported, unless the part is much the more
 * probable, or small and seen whole in a smaller window.  Needs a WCS and a finite
 * pixel. `infrared` is the same sky on any grid, NULL where the model's method
 * does not want it; windows of which it covers less than half are not looked at, and
 * where that is all of them it is a failure.  Caller frees *found with free(). */
int rg_detect(rg_detector *detector, const rg_image *radio, const rg_image *infrared,
              rg_detection **found, int *n);

/* An image of a list, as for rg_detect, and what comes of it. */
typedef struct rg_detect_task {
    const rg_image *radio, *infrared;
    rg_detection *found;      /* [n]; caller frees with free() */
    int n;
    int uncovered;            /* windows of 3' left out for want of infrared */
    int looked;               /* windows that the network saw; the others are blank,
                                 without infrared or off the sky */
    int status;               /* 0; -1: it failed; what the caller set: it is left */
    char sentence[1024];      /* why it failed */
} rg_detect_task;

/* Many images at once: their windows are made ready in threads, and a card is given as
 * many together as it takes (there figures differ in the last digits from those of one
 * by one).  Each fails by itself. */
void rg_detect_list(rg_detector *detector, rg_detect_task *tasks, int n);

/* One fails, with the last sentence. */
void rg_detect_fail(rg_detect_task *task);

/* Whether those images are as many as are worth it, and as memory is to be held for. */
#define RG_DETECT_TOGETHER 32
bool rg_detect_enough(const rg_detect_task *tasks, int n);

/* Of all detections in the radio image (options.all) the one label of each source that
 * rg_detect without options.all reports, at any threshold: so that the network runs
 * once where both are wanted.  Without an image (NULL) the best of a subject is not
 * kept where it is below the threshold.  Of `how` only best and class_iou count.
 * Caller frees *chosen with free(). */
int rg_detect_choose(const rg_detect_options *how, const rg_image *radio,
                     float threshold, const rg_detection *all, int n,
                     rg_detection **chosen, int *nchosen);

/* Another calibration (rg_claran) from now on; the identity stays that of the file. */
void rg_detect_calibrate(rg_detector *detector,
                         const float calibration[RG_CLARAN_CALIBRATION]);

/* Probabilities of detections (options.all) under that calibration, best first. */
void rg_detect_recalibrate(const rg_detector *detector, rg_detection *all, int n);

/* A sentence where the network runs in smaller batches than it could, in another
 * precision, or on the processor because the card has no room or failed; "" otherwise.
 * Owned by the detector. */
const char *rg_detect_note(const rg_detector *detector);

/* Whether want of room on the card made it so: another time there may be more.  Whether
 * the card failed in the middle: it may be of no more use to this process. */
bool rg_detect_cramped(const rg_detector *detector);
bool rg_detect_left_card(const rg_detector *detector);

/* What the network is shown of a window (a grid of RG_CLARAN_SUBJECT pixels a side):
 * rgb [132][132][3], row 0 at the bottom.  Pixels without a value get the window's
 * lowest, so that no border looks like emission.  RG_DETECT_BLANK where no radio pixel
 * has a value, RG_DETECT_UNCOVERED where fewer than half of the infrared ones have; 0
 * where rgb is filled, -1 on failure. */
enum { RG_DETECT_BLANK = 1, RG_DETECT_UNCOVERED = 2 };
int rg_detect_window(rg_method method, const rg_image *radio, const rg_image *infrared,
                     const rg_sky *window, uint8_t *rgb);

/* The step before: pixels [2][132][132] of the radio image and, where the method wants
 * it, of the infrared one on the window; filled even where RG_DETECT_UNCOVERED is
 * returned. */
int rg_detect_planes(rg_method method, const rg_image *radio, const rg_image *infrared,
                     const rg_sky *window, float *pixels);

/* A box between FITS pixels of the image (xmin, ymin, xmax, ymax; 1-based, pixel edges)
 * and the network's pixels, through the sky: the bounding box of the four corners. */
int rg_detect_box_to_window(const rg_claran *model, const rg_image *image,
                            const rg_sky *window, const double fits[4],
                            rg_box *network);
int rg_detect_box_to_image(const rg_claran *model, const rg_image *image,
                           const rg_sky *window, rg_box network, double fits[4]);

/* What the detector was made from. */
const rg_claran *rg_detect_model(const rg_detector *detector);
const rg_detect_options *rg_detect_how(const rg_detector *detector);
const char *rg_detect_hash(const rg_detector *detector);    /* rg_claran_identity */
/* What it runs on: never auto. */
const char *rg_detect_backend(const rg_detector *detector);
rg_precision rg_detect_precision(const rg_detector *detector);

#endif

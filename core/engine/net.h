/* SPDX-License-Identifier: MIT */
/* net: a table of rows with memory and weights, run forwards and backwards.
 *
 *     rg_net *net;
 *     RG_TRY(rg_net_new(&net, rows, nrows, &rg_backend_cpu, &(rg_net_options){ 0 }));
 *     RG_TRY(rg_net_load(net, weights));
 *     RG_TRY(rg_net_put(net, "data", image));
 *     RG_TRY(rg_net_forward(net, NULL, "rpn_bbox_pred"));
 *     RG_TRY(rg_net_get(net, "rpn_bbox_pred", deltas));
 *     rg_net_free(net);
 *
 * Steps that are no layers (proposals, sampling of targets) are calls between two
 * ranges of rows.
 */
#ifndef RG_NET_H
#define RG_NET_H

#include "core/engine/backend.h"
#include "core/engine/weights.h"

typedef struct rg_net rg_net;

/* The learning rate of some parameters times `by`: those of the rows whose name, or the
 * parameters whose name ("conv1_1.bias"), the pattern fits (* and ? as in a shell).
 * "..NAME": of all rows down to that one.  Several that fit multiply.  What has factor
 * 0 is frozen: it stays as it is to the bit, and nothing is computed for its sake; a
 * frozen BATCHNORM normalises by its tracked statistics. */
typedef struct rg_net_factor { const char *pattern; float by; } rg_net_factor;

typedef struct rg_net_options {
    bool training;            /* gradients, moments, dropout */
    bool input_gradients;     /* of INPUT rows too */
    rg_precision precision;   /* AUTO: what is fastest here */
    uint64_t seed;            /* initial weights and dropout */
    bool blank;               /* weights start at 0: they will be loaded */
    const rg_net_factor *factors;   /* [nfactors], needed by rg_net_new only; one that
                                       fits nothing is a sentence */
    int nfactors;
} rg_net_options;

/* Plan all memory.  The rows are copied, the strings in them borrowed.  Weights start
 * as the rows' initial distribution says, from the seed.  Caller frees. */
int rg_net_new(rg_net **out, const rg_row *rows, int nrows, const rg_backend *backend,
               const rg_net_options *options);
void rg_net_free(rg_net *net);

/* All weights and biases by row name from `weights`; a missing one or one of another
 * shape is a sentence.  When the net is training and moments are there, they are taken
 * too. */
int rg_net_load(rg_net *net, const rg_weights *weights);
/* The reverse: values, and with `moments` what a resumed training needs. */
int rg_net_save(const rg_net *net, rg_weights *weights, bool moments);

/* Tensors as plain f32 [n][c][h][w]. */
int rg_net_put(rg_net *net, const char *name, const float *host);
int rg_net_get(const rg_net *net, const char *name, float *host);
int rg_net_get_gradient(const rg_net *net, const char *name, float *host);
int rg_net_shape(const rg_net *net, const char *name, rg_shape *shape);

/* Parameters ("conv1_1", "conv1_1.bias") as plain f32. */
int rg_net_put_param(rg_net *net, const char *name, const float *host);
int rg_net_get_param(const rg_net *net, const char *name, rg_part part, float *host);

/* Rows from `first` (NULL: the top) to `last` (NULL: the bottom), both included. */
int rg_net_forward(rg_net *net, const char *first, const char *last);

/* Whether the backend makes the input of pictures itself (they are far smaller). */
bool rg_net_shows(const rg_net *net);

/* To a row [n, 3, size, size] n pictures rgb [n][side][side][3], their first line the
 * lowest, as rg_claran_input makes it: enlarged, planes B, G, R, less their means. */
int rg_net_show(rg_net *net, const char *name, const uint8_t *rgb, int side,
                const float mean[3]);

/* Whether the backend finds proposals itself (boxes then need not come to the host). */
bool rg_net_proposes(const rg_net *net);

/* Proposals of Faster R-CNN: anchors moved by their deltas, clipped, those too small or
 * not finite left out, the best `before` of each image thinned to `after` whose overlap
 * is at most `iou`.  Rows: source [n] probabilities of no source and source, plane by
 * plane (as in detector/proposal.h), deltas likewise, rois [n * after, 5]: image and
 * corners, best first; where there are fewer, image -1 and the whole image.  A sixth
 * column is the anchor's number in its image. */
int rg_net_propose(rg_net *net, const rg_proposing *how, const char *source,
                   const char *deltas, const char *rois);

/* From every loss row (gradient 1) up to the weights and the inputs that were asked
 * for. */
int rg_net_backward(rg_net *net);

/* One optimizer step; the norm of all gradients before clipping is returned if asked
 * for. A norm that is not finite leaves the weights as they were and is a failure. */
int rg_net_update(rg_net *net, const rg_optimizer *how, float *gradient_norm);

/* Steps made so far: seeds dropout, corrects Adam's bias; set when resuming. */
long rg_net_step(const rg_net *net);
void rg_net_set_step(rg_net *net, long step);

rg_precision rg_net_precision(const rg_net *net);

#endif

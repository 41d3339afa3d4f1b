/* SPDX-License-Identifier: MIT */
/* weights: named tensors and keywords in a FITS file.
 *
 *     rg_weights *w;
 *     RG_TRY(rg_weights_read(&w, "claran-d1.fits"));
 *     const rg_weight *t = rg_weights_find(w, "conv1_1");
 *     RG_TRY(rg_weights_number(w, "INPUT", &input));
 *     rg_weights_free(w);
 *
 * One image extension per tensor, EXTNAME = row name (biases "conv1_1.bias"), NAXISn =
 * the shape reversed, CHECKSUM and DATASUM.  32-bit floats, or 16-bit integers with
 * BSCALE and BZERO (an error of at most half of range/65535) but for vectors.  The
 * primary header holds the keywords; free text goes to HISTORY.
 */
#ifndef RG_WEIGHTS_H
#define RG_WEIGHTS_H

#include <stdbool.h>

#include "core/engine/layer.h"

#define RG_WEIGHTS_FORMAT 1

typedef struct rg_weight {
    char name[68];
    rg_shape shape;
    float *data;              /* [n][c][h][w]; owned by the rg_weights */
} rg_weight;

typedef struct rg_weights rg_weights;

int rg_weights_new(rg_weights **out);
void rg_weights_free(rg_weights *weights);

/* Checks format version, checksums, shapes and finiteness before anything is believed.
 * Caller frees. */
int rg_weights_read(rg_weights **out, const char *path);

/* Written beside and renamed.  `half`: 16-bit integers, but for vectors. */
int rg_weights_write(const rg_weights *weights, const char *path, bool half);

/* Add (or replace) a tensor, copying data (NULL: zeros).  The new entry, or NULL. */
rg_weight *rg_weights_add(rg_weights *weights, const char *name, rg_shape shape,
                          const float *data);
/* The tensor of that name, NULL if there is none (no sentence). */
rg_weight *rg_weights_find(const rg_weights *weights, const char *name);
int rg_weights_count(const rg_weights *weights);
rg_weight *rg_weights_at(const rg_weights *weights, int i);

/* Keywords: up to 8 characters of A-Z 0-9.  A missing one is a sentence. */
int rg_weights_set_number(rg_weights *weights, const char *key, double value,
                          const char *comment);
int rg_weights_set_text(rg_weights *weights, const char *key, const char *value,
                        const char *comment);
int rg_weights_number(const rg_weights *weights, const char *key, double *value);
int rg_weights_text(const rg_weights *weights, const char *key, char *value, int size);
bool rg_weights_has(const rg_weights *weights, const char *key);

/* Lines of the training record, kept as HISTORY. */
int rg_weights_add_history(rg_weights *weights, const char *line);
int rg_weights_histories(const rg_weights *weights);
const char *rg_weights_history(const rg_weights *weights, int i);

/* SHA-256-free identity: CRC-32 of all values in order of the file, as 8 hex digits. */
void rg_weights_hash(const rg_weights *weights, char hash[9]);

#endif

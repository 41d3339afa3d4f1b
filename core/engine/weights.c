/* SPDX-License-Identifier: MIT */
#include "core/engine/weights.h"

#include <fitsio.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/engine/error.h"
#include "core/engine/file.h"
#include "core/engine/fits.h"

#define FORMAT_KEY "WFORMAT"
#define COUNT_KEY "NTENSORS"
#define LARGEST (1L << 28)    /* elements of a tensor: the paper's fc6 has 0.4 of it */
#define LINE 72                /* characters of a HISTORY card */

typedef struct keyword {
    char key[FLEN_KEYWORD], comment[FLEN_COMMENT];
    char *text;                /* owned; NULL: a number */
    double number;
} keyword;

struct rg_weights {
    rg_weight **tensors;       /* owned, and what they point at */
    int ntensors;
    keyword *keywords;         /* owned */
    int nkeywords;
    char **lines;              /* owned, and what they point at */
    int nlines;
};

int rg_weights_new(rg_weights **out)
{
    *out = rg_error_alloc(1, sizeof **out, "weights");
    return *out ? 0 : -1;
}

void rg_weights_free(rg_weights *w)
{
    if (w == NULL) return;
    for (int i = 0; i < w->ntensors; i++) {
        free(w->tensors[i]->data);
        free(w->tensors[i]);
    }
    for (int i = 0; i < w->nkeywords; i++) free(w->keywords[i].text);
    for (int i = 0; i < w->nlines; i++) free(w->lines[i]);
    free(w->tensors);
    free(w->keywords);
    free(w->lines);
    free(w);
}

/* Room for one more element in the array at *items. */
static int grow(void *items, int count, size_t size, const char *what)
{
    void *bigger = realloc(*(void **)items, ((size_t)count + 1) * size);
    if (bigger == NULL) return RG_FAIL("out of memory for %s", what);
    *(void **)items = bigger;
    return 0;
}

/* FITS knows printable ASCII only; a file name in HISTORY may hold anything. */
static char *printable(const char *text, size_t length)
{
    char *copy = rg_error_alloc(length + 1, 1, "text");
    for (size_t i = 0; copy && i < length; i++)
        copy[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    return copy;
}

static rg_weight *new_tensor(rg_weights *w, const char *name)
{
    if (grow(&w->tensors, w->ntensors, sizeof *w->tensors, "tensors") != 0) return NULL;
    rg_weight *t = rg_error_alloc(1, sizeof *t, "a tensor");
    if (t == NULL) return NULL;
    snprintf(t->name, sizeof t->name, "%s", name);
    return w->tensors[w->ntensors++] = t;
}

static int check_tensor(const char *name, rg_shape s)
{
    long count = 1;
    const int axes[4] = { s.n, s.c, s.h, s.w };
    if (name[0] == '\0' || strlen(name) >= sizeof((rg_weight *)0)->name)
        return RG_FAIL("\"%s\" cannot be the name of a tensor", name);
    for (int i = 0; i < 4; i++) {
        if (axes[i] < 1 || axes[i] > LARGEST / count)
            return RG_FAIL("tensor %s cannot have the shape [%d, %d, %d, %d]", name,
                           s.n, s.c, s.h, s.w);
        count *= axes[i];
    }
    return 0;
}

rg_weight *rg_weights_add(rg_weights *w, const char *name, rg_shape shape,
                          const float *data)
{
    if (check_tensor(name, shape) != 0) return NULL;
    const size_t count = (size_t)rg_layer_count(shape);
    float *copy = rg_error_alloc(count, sizeof *copy, name);
    if (copy == NULL) return NULL;
    if (data) memcpy(copy, data, count * sizeof *copy);
    rg_weight *t = rg_weights_find(w, name);
    if (t == NULL) t = new_tensor(w, name);
    if (t == NULL) {
        free(copy);
        return NULL;
    }
    free(t->data);
    t->shape = shape;
    t->data = copy;
    return t;
}

rg_weight *rg_weights_find(const rg_weights *w, const char *name)
{
    for (int i = 0; i < w->ntensors; i++)
        if (strcmp(w->tensors[i]->name, name) == 0) return w->tensors[i];
    return NULL;
}

int rg_weights_count(const rg_weights *w)
{
    return w->ntensors;
}

rg_weight *rg_weights_at(const rg_weights *w, int i)
{
    return w->tensors[i];
}

static keyword *find_keyword(const rg_weights *w, const char *key)
{
    for (int i = 0; i < w->nkeywords; i++)
        if (strcmp(w->keywords[i].key, key) == 0) return &w->keywords[i];
    return NULL;
}

/* Takes over `text`. */
static int set_keyword(rg_weights *w, const char *key, char *text, double number,
                       const char *comment)
{
    size_t length = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    keyword *k = find_keyword(w, key);
    int status = 0;
    if (length == 0 || length > 8 || key[length] != '\0')
        status = RG_FAIL("\"%s\" cannot be a keyword of a FITS file", key);
    if (status == 0 && k == NULL) {
        status = grow(&w->keywords, w->nkeywords, sizeof *w->keywords, "keywords");
        if (status == 0) k = &w->keywords[w->nkeywords++];
    } else if (status == 0) {
        free(k->text);
    }
    if (status != 0) {
        free(text);
        return -1;
    }
    *k = (keyword){ .text = text, .number = number };
    snprintf(k->key, sizeof k->key, "%s", key);
    snprintf(k->comment, sizeof k->comment, "%s", comment ? comment : "");
    return 0;
}

int rg_weights_set_number(rg_weights *w, const char *key, double value,
                          const char *comment)
{
    if (!isfinite(value)) return RG_FAIL("keyword %s cannot be %g", key, value);
    return set_keyword(w, key, NULL, value, comment);
}

int rg_weights_set_text(rg_weights *w, const char *key, const char *value,
                        const char *comment)
{
    char *copy = printable(value, strlen(value));
    return copy ? set_keyword(w, key, copy, 0, comment) : -1;
}

int rg_weights_number(const rg_weights *w, const char *key, double *value)
{
    const keyword *k = find_keyword(w, key);
    if (k == NULL) return RG_FAIL("the keyword %s is missing", key);
    if (k->text) return RG_FAIL("the keyword %s is \"%s\", no number", key, k->text);
    *value = k->number;
    return 0;
}

int rg_weights_text(const rg_weights *w, const char *key, char *value, int size)
{
    const keyword *k = find_keyword(w, key);
    if (k == NULL) return RG_FAIL("the keyword %s is missing", key);
    if (k->text == NULL)
        return RG_FAIL("the keyword %s is %g, no text", key, k->number);
    if (strlen(k->text) >= (size_t)size)
        return RG_FAIL("the keyword %s has %zu characters, at most %d are understood",
                       key, strlen(k->text), size - 1);
    memcpy(value, k->text, strlen(k->text) + 1);
    return 0;
}

bool rg_weights_has(const rg_weights *w, const char *key)
{
    return find_keyword(w, key) != NULL;
}

int rg_weights_add_history(rg_weights *w, const char *line)
{
    size_t left = strlen(line);
    do {
        size_t length = left < LINE ? left : LINE;
        RG_TRY(grow(&w->lines, w->nlines, sizeof *w->lines, "history"));
        char *copy = printable(line, length);
        if (copy == NULL) return -1;
        w->lines[w->nlines++] = copy;
        line += length;
        left -= length;
    } while (left > 0);
    return 0;
}

int rg_weights_histories(const rg_weights *w)
{
    return w->nlines;
}

const char *rg_weights_history(const rg_weights *w, int i)
{
    return w->lines[i];
}

void rg_weights_hash(const rg_weights *w, char hash[9])
{
    uLong crc = crc32_z(0, NULL, 0);
    for (int i = 0; i < w->ntensors; i++) {
        const rg_weight *t = w->tensors[i];
        crc = crc32_z(crc, (const Bytef *)t->data,
                      (size_t)rg_layer_count(t->shape) * sizeof *t->data);
    }
    snprintf(hash, 9, "%08lx", crc & 0xffffffffUL);
}

/* What CFITSIO says went wrong. */
static int fail_fits(int status, const char *doing)
{
    char reason[FLEN_STATUS];
    fits_get_errstatus(status, reason);
    fits_clear_errmsg();
    return RG_FAIL("%s: %s (CFITSIO status %d)", doing, reason, status);
}

/* One value, in as many digits as bring it back bit for bit. */
static void write_number(fitsfile *file, const keyword *k, int *status)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.15G", k->number);
    int enough = strtod(digits, NULL) == k->number ? 15 : 17;
    if (fabs(k->number) < 1e15 && k->number == floor(k->number))
        fits_write_key_lng(file, k->key, (LONGLONG)k->number, k->comment, status);
    else
        fits_write_key_dbl(file, k->key, k->number, -enough, k->comment, status);
}

/* CHECKSUM and DATASUM as fits_write_chksum makes them, but without the time of day in
 * their comments: the same weights make the same file. */
static void write_checksum(fitsfile *file, int *status)
{
    unsigned long data = 0, all = 0;
    char text[32];
    fits_write_key_str(file, "CHECKSUM", "0000000000000000", "HDU checksum", status);
    fits_write_key_str(file, "DATASUM", "0", "data unit checksum", status);
    fits_set_hdustruc(file, status);
    fits_get_chksum(file, &data, &all, status);
    snprintf(text, sizeof text, "%lu", data);
    fits_modify_key_str(file, "DATASUM", text, "&", status);
    fits_get_chksum(file, &data, &all, status);
    fits_encode_chksum(all, 1, text);
    fits_modify_key_str(file, "CHECKSUM", text, "&", status);
}

static int write_primary(fitsfile *file, const rg_weights *w)
{
    int status = 0;
    fits_create_img(file, BYTE_IMG, 0, NULL, &status);
    fits_write_key_lng(file, FORMAT_KEY, RG_WEIGHTS_FORMAT, "version of this layout",
                       &status);
    fits_write_key_lng(file, COUNT_KEY, w->ntensors, "image extensions that follow",
                       &status);
    for (int i = 0; i < w->nkeywords; i++) {
        const keyword *k = &w->keywords[i];
        if (k->text)
            fits_write_key_longstr(file, k->key, k->text, k->comment, &status);
        else
            write_number(file, k, &status);
    }
    for (int i = 0; i < w->nlines; i++) fits_write_history(file, w->lines[i], &status);
    write_checksum(file, &status);
    return status ? fail_fits(status, "cannot write the keywords") : 0;
}

/* value = zero + scale x integer, over all of the 16 bits. */
static int write_half(fitsfile *file, const rg_weight *t, LONGLONG count, int *status)
{
    short *packed = rg_error_alloc((unsigned long)count, sizeof *packed, t->name);
    if (packed == NULL) return -1;
    double low = t->data[0], high = t->data[0];
    for (LONGLONG i = 0; i < count; i++) {
        low = fmin(low, t->data[i]);
        high = fmax(high, t->data[i]);
    }
    double scale = high > low ? (high - low) / 65535 : 1;
    double zero = high > low ? low + 32768 * scale : low;
    for (LONGLONG i = 0; i < count; i++) {
        double integer = rint((t->data[i] - zero) / scale);
        packed[i] = (short)fmax(-32768, fmin(32767, integer));
    }
    fits_write_key_dbl(file, "BSCALE", scale, -17, "value = BZERO + BSCALE * integer",
                       status);
    fits_write_key_dbl(file, "BZERO", zero, -17, NULL, status);
    fits_set_bscale(file, 1, 0, status);
    fits_write_img(file, TSHORT, 1, count, packed, status);
    free(packed);
    return 0;
}

/* One value a channel: little to save, and the variances of BATCHNORM span decades. */
static bool is_vector(rg_shape s)
{
    return s.h * s.w == 1 && (s.n == 1 || s.c == 1);
}

static int write_tensor(fitsfile *file, const rg_weight *t, bool half)
{
    int status = 0;
    const LONGLONG count = rg_layer_count(t->shape);
    long axes[4] = { t->shape.w, t->shape.h, t->shape.c, t->shape.n };
    for (LONGLONG i = 0; i < count; i++)
        if (!isfinite(t->data[i]))
            return RG_FAIL("value %lld of %s is %g: weights must be finite to be "
                           "written", (long long)i + 1, t->name, t->data[i]);
    half = half && !is_vector(t->shape);
    fits_create_img(file, half ? SHORT_IMG : FLOAT_IMG, 4, axes, &status);
    fits_write_key_str(file, "EXTNAME", t->name, "row of the network", &status);
    if (half)
        RG_TRY(write_half(file, t, count, &status));
    else
        fits_write_img(file, TFLOAT, 1, count, t->data, &status);
    write_checksum(file, &status);
    return status ? fail_fits(status, t->name) : 0;
}

static int write_all(const rg_weights *w, const char *path, bool half)
{
    fitsfile *file = NULL;
    char literal[RG_FILE_NAME];
    int status = 0, result;
    if (fits_create_diskfile(&file, rg_file_literal(path, literal), &status))
        return fail_fits(status, "cannot be created");
    result = write_primary(file, w);
    for (int i = 0; i < w->ntensors && result == 0; i++)
        result = write_tensor(file, w->tensors[i], half);
    fits_close_file(file, &status);
    if (result == 0 && status) result = fail_fits(status, "cannot be written");
    return result;
}

int rg_weights_write(const rg_weights *w, const char *path, bool half)
{
    char beside[RG_FILE_NAME];
    RG_TRY(rg_file_beside(path, beside));
    int result = write_all(w, beside, half);
    if (result != 0) rg_error_prefix("%s: ", path);
    return rg_file_keep(result, beside, path);
}

/* One card of the primary header, if it is one of ours. */
static int read_keyword(fitsfile *file, int i, rg_weights *w)
{
    char card[FLEN_CARD], key[FLEN_KEYWORD], value[FLEN_VALUE], comment[FLEN_COMMENT];
    int status = 0, length;
    char type = 0;
    fits_read_record(file, i, card, &status);
    int kind = status ? TYP_STRUC_KEY : fits_get_keyclass(card);
    if (kind == TYP_COMM_KEY && strncmp(card, "HISTORY ", 8) == 0)
        return rg_weights_add_history(w, card + 8);
    fits_get_keyname(card, key, &length, &status);
    if (kind == TYP_STRUC_KEY || kind == TYP_CKSUM_KEY || kind == TYP_CONT_KEY
        || kind == TYP_COMM_KEY) return 0;
    fits_read_keyn(file, i, key, value, comment, &status);
    if (status == 0) fits_get_keytype(value, &type, &status);
    if (status) return fail_fits(status, "a keyword cannot be read");
    if (type == 'C') {
        char *text = NULL;
        fits_read_key_longstr(file, key, &text, comment, &status);
        if (status) return fail_fits(status, key);
        int result = rg_weights_set_text(w, key, text, comment);
        fits_free_memory(text, &status);
        return result;
    }
    if (type != 'I' && type != 'F') return 0;
    return rg_weights_set_number(w, key, strtod(value, NULL), comment);
}

static int verify_checksum(fitsfile *file)
{
    int status = 0, data = 0, all = 0;
    fits_verify_chksum(file, &data, &all, &status);
    if (status) return fail_fits(status, "the file is damaged");
    if (data == 0 || all == 0)
        return RG_FAIL("CHECKSUM or DATASUM is missing: this is no weights file");
    if (data != 1 || all != 1)
        return RG_FAIL("the file is damaged: its checksum does not agree");
    return 0;
}

static int take_number(rg_weights *w, const char *key, double *value)
{
    keyword *k = find_keyword(w, key);
    if (k == NULL || k->text)
        return RG_FAIL("this is no weights file: the keyword %s is missing", key);
    *value = k->number;
    *k = w->keywords[--w->nkeywords];
    return 0;
}

/* Keywords and history; *ntensors [extensions] should follow. */
static int read_primary(fitsfile *file, rg_weights *w, double *ntensors)
{
    int status = 0, cards = 0;
    double format;
    fits_get_hdrspace(file, &cards, NULL, &status);
    if (status) return fail_fits(status, "the header cannot be read");
    for (int i = 1; i <= cards; i++) RG_TRY(read_keyword(file, i, w));
    RG_TRY(take_number(w, FORMAT_KEY, &format));
    if (format != RG_WEIGHTS_FORMAT)
        return RG_FAIL("the file is of format %g, and claran " RG_VERSION " knows "
                       "format %d: a newer claran is needed", format,
                       RG_WEIGHTS_FORMAT);
    RG_TRY(take_number(w, COUNT_KEY, ntensors));
    return verify_checksum(file);
}

/* Name and shape of the extension, checked. */
static int read_shape(fitsfile *file, char *name, rg_shape *shape)
{
    int status = 0, type = 0, bits = 0, naxis = 0;
    LONGLONG axes[4] = { 1, 1, 1, 1 };
    fits_get_hdu_type(file, &type, &status);
    if (status == 0 && (type != IMAGE_HDU || fits_is_compressed_image(file, &status)))
        return RG_FAIL("an extension is a table: this is no weights file");
    fits_get_img_paramll(file, 4, &bits, &naxis, axes, &status);
    fits_read_key_str(file, "EXTNAME", name, NULL, &status);
    if (status) return fail_fits(status, "an extension cannot be read");
    if (naxis < 1 || naxis > 4 || (bits != SHORT_IMG && bits != FLOAT_IMG))
        return RG_FAIL("tensor %s has %d axes of BITPIX %d: 1 to 4 axes of 16-bit "
                       "integers or 32-bit floats are understood", name, naxis, bits);
    for (int i = 0; i < 4; i++)
        if (axes[i] < 1 || axes[i] > LARGEST)
            return RG_FAIL("axis %d of tensor %s is %lld", i + 1, name,
                           (long long)axes[i]);
    *shape = (rg_shape){ (int)axes[3], (int)axes[2], (int)axes[1], (int)axes[0] };
    return 0;
}

static int read_tensor(fitsfile *file, rg_weights *w)
{
    char name[FLEN_VALUE];
    rg_shape shape;
    int status = 0;
    RG_TRY(read_shape(file, name, &shape));
    RG_TRY(rg_fits_check_size(file));
    if (verify_checksum(file) != 0) return rg_error_prefix("tensor %s: ", name);
    if (rg_weights_find(w, name)) return RG_FAIL("there are two tensors %s", name);
    rg_weight *t = rg_weights_add(w, name, shape, NULL);
    if (t == NULL) return -1;
    LONGLONG count = rg_layer_count(shape);
    fits_read_img(file, TFLOAT, 1, count, NULL, t->data, NULL, &status);
    if (status) return fail_fits(status, name);
    for (LONGLONG i = 0; i < count; i++)
        if (!isfinite(t->data[i]))
            return RG_FAIL("value %lld of tensor %s is %g", (long long)i + 1, name,
                           t->data[i]);
    return 0;
}

static int read_all(rg_fits *fits, rg_weights *w)
{
    int moved;
    double wanted = 0;
    RG_TRY(read_primary(fits->file, w, &wanted));
    while ((moved = rg_fits_next(fits)) == 0) RG_TRY(read_tensor(fits->file, w));
    if (moved < 0) return -1;
    if (w->ntensors != wanted)
        return RG_FAIL("the file is cut short: %d tensors where %s says %g",
                       w->ntensors, COUNT_KEY, wanted);
    return 0;
}

int rg_weights_read(rg_weights **out, const char *path)
{
    rg_fits fits;
    rg_weights *w = NULL;
    *out = NULL;
    if (rg_fits_open(&fits, path) != 0) return rg_error_prefix("%s ", path);
    int result = rg_weights_new(&w);
    if (result == 0) result = read_all(&fits, w);
    rg_fits_close(&fits);
    if (result == 0) {
        *out = w;
        return 0;
    }
    rg_weights_free(w);
    return rg_error_prefix("%s: ", path);
}

/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/learning/tensorfile.h"

/* 8 bytes: length of the header; the header: {"NAME": {"dtype": "F32", "shape": [..],
 * "data_offsets": [begin, end]}, ..}; the data, without gaps. */
enum { LENGTH = 8, LARGEST_HEADER = 100000000, LARGEST_AXIS = 1 << 24 };

typedef struct entry { const char *name; long long begin, end; } entry;

typedef struct safetensors {
    FILE *file;               /* owned */
    json_t *header;           /* owned */
    long long data, size;     /* first byte, number of bytes */
} safetensors;

static int bytes_of(const char *type)
{
    static const struct { const char *type; int bytes; } all[] = {
        { "F64", 8 }, { "I64", 8 }, { "U64", 8 }, { "F32", 4 }, { "I32", 4 },
        { "U32", 4 }, { "F16", 2 }, { "BF16", 2 }, { "I16", 2 }, { "U16", 2 },
        { "I8", 1 }, { "U8", 1 }, { "BOOL", 1 }, { "F8_E4M3", 1 }, { "F8_E5M2", 1 },
    };
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].type, type) == 0) return all[i].bytes;
    return 0;
}

/* Elements of a "shape", or -1. */
static long long count_elements(const json_t *shape)
{
    long long count = 1;
    if (!json_is_array(shape) || json_array_size(shape) > 16) return -1;
    for (size_t i = 0; i < json_array_size(shape); i++) {
        const json_t *axis = json_array_get(shape, i);
        long long n = json_integer_value(axis);
        if (!json_is_integer(axis) || n < 0 || n > LARGEST_AXIS) return -1;
        if (n > 0 && count > INT64_MAX / 8 / n) return -1;
        count *= n;
    }
    return count;
}

static int check_entry(const safetensors *s, const char *name, const json_t *tensor,
                       entry *out)
{
    const char *type = json_string_value(json_object_get(tensor, "dtype"));
    const json_t *offsets = json_object_get(tensor, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    long long count = count_elements(json_object_get(tensor, "shape"));
    if (type == NULL || count < 0 || json_array_size(offsets) != 2
        || !json_is_integer(begin) || !json_is_integer(end))
        return RG_FAIL("tensor \"%.60s\" lacks a dtype, shape or data_offsets that can "
                       "be understood", name);
    *out = (entry){ name, json_integer_value(begin), json_integer_value(end) };
    if (out->begin < 0 || out->end < out->begin || out->end > s->size)
        return RG_FAIL("tensor \"%.60s\" is at bytes %lld to %lld of %lld: the file is "
                       "cut short or damaged", name, out->begin, out->end, s->size);
    if (bytes_of(type) > 0 && out->end - out->begin != count * bytes_of(type))
        return RG_FAIL("tensor \"%.60s\" has %lld numbers of type %.8s in %lld bytes",
                       name, count, type, out->end - out->begin);
    return 0;
}

static int earlier(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int check_order(const safetensors *s, entry *entries, size_t n)
{
    long long at = 0;
    qsort(entries, n, sizeof *entries, earlier);
    for (size_t i = 0; i < n; i++) {
        if (entries[i].begin != at)
            return RG_FAIL("tensor \"%.60s\" begins at byte %lld where the one before "
                           "it ends at %lld: the file is damaged",
                           entries[i].name, entries[i].begin, at);
        at = entries[i].end;
    }
    if (at != s->size)
        return RG_FAIL("the tensors end at byte %lld of %lld", at, s->size);
    return 0;
}

static int check_header(const safetensors *s)
{
    const char *name;
    json_t *tensor;
    size_t n = 0, room = json_object_size(s->header);
    if (!json_is_object(s->header) || room == 0)
        return RG_FAIL("its header names no tensors");
    entry *entries = rg_error_alloc(room, sizeof *entries, "names of tensors");
    int status = entries ? 0 : -1;
    json_object_foreach(s->header, name, tensor)
        if (status == 0 && strcmp(name, "__metadata__") != 0)
            status = check_entry(s, name, tensor, &entries[n++]);
    if (status == 0) status = check_order(s, entries, n);
    free(entries);
    return status;
}

static int read_header(safetensors *s, long long file_size)
{
    unsigned char raw[LENGTH];
    uint64_t length = 0;
    if (fread(raw, 1, LENGTH, s->file) != LENGTH)
        return RG_FAIL("it is too short for a safetensors or HDF5 file");
    for (int i = LENGTH - 1; i >= 0; i--) length = length << 8 | raw[i];
    if (length < 2 || length > LARGEST_HEADER
        || (long long)length > file_size - LENGTH)
        return RG_FAIL("it is no safetensors or HDF5 file: a header of %llu bytes in a "
                       "file of %lld", (unsigned long long)length, file_size);
    char *text = rg_error_alloc(length, 1, "a safetensors header");
    if (text == NULL) return -1;
    json_error_t why;
    bool whole = fread(text, 1, length, s->file) == length;
    if (whole) s->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!whole) return RG_FAIL("the header cannot be read");
    if (s->header == NULL)
        return RG_FAIL("it is no safetensors or HDF5 file: its header is no JSON, byte "
                       "%d: %s", why.position, why.text);
    s->data = LENGTH + (long long)length;
    s->size = file_size - s->data;
    return check_header(s);
}

static void close_file(void *file)
{
    safetensors *s = file;
    if (s == NULL) return;
    if (s->file) fclose(s->file);
    json_decref(s->header);
    free(s);
}

static int open_file(void **out, const char *path)
{
    safetensors *s = rg_error_alloc(1, sizeof *s, "a safetensors file");
    if (s == NULL) return -1;
    s->file = fopen(path, "rb");
    int status = s->file ? 0 : RG_FAIL("cannot be read: %m");
    long long size = -1;
    if (status == 0 && fseeko(s->file, 0, SEEK_END) == 0) size = ftello(s->file);
    if (status == 0 && (size < 0 || fseeko(s->file, 0, SEEK_SET) != 0))
        status = RG_FAIL("cannot be read: %m");
    if (status == 0) status = read_header(s, size);
    if (status == 0) *out = s;
    else close_file(s);
    return status;
}

static int find(void *file, const char *name, long axes[RG_TENSORFILE_AXES])
{
    const safetensors *s = file;
    const json_t *tensor = json_object_get(s->header, name);
    if (tensor == NULL) return 0;
    const char *type = json_string_value(json_object_get(tensor, "dtype"));
    const json_t *shape = json_object_get(tensor, "shape");
    size_t n = json_array_size(shape);
    if (strcmp(type, "F32") && strcmp(type, "F16") && strcmp(type, "BF16"))
        return RG_FAIL("tensor %s is of type %.8s: F32, F16 and BF16 can be read", name,
                       type);
    if (n < 1 || n > RG_TENSORFILE_AXES)
        return RG_FAIL("tensor %s has %d axes", name, (int)n);
    for (size_t i = 0; i < n; i++) {
        axes[i] = (long)json_integer_value(json_array_get(shape, i));
        if (axes[i] < 1) return RG_FAIL("axis %d of tensor %s is 0", (int)i + 1, name);
    }
    return (int)n;
}

/* IEEE 754 half precision. */
static float from_half(unsigned bits)
{
    unsigned sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31,
             fraction = bits & 1023, all;
    float value = (float)fraction * 0x1p-24f;
    if (exponent == 0) return sign ? -value : value;
    all = sign | (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &all, sizeof value);
    return value;
}

static float decode(const unsigned char *raw, const char *type)
{
    uint32_t bits = raw[0] | (uint32_t)raw[1] << 8;
    float value;
    if (type[0] == 'F' && type[1] == '1') return from_half(bits);
    if (type[0] == 'B') bits <<= 16;
    else bits |= (uint32_t)raw[2] << 16 | (uint32_t)raw[3] << 24;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int read_numbers(void *file, const char *name, long count, float *data)
{
    const safetensors *s = file;
    const json_t *tensor = json_object_get(s->header, name);
    const char *type = json_string_value(json_object_get(tensor, "dtype"));
    const json_t *offsets = json_object_get(tensor, "data_offsets");
    long long begin = json_integer_value(json_array_get(offsets, 0));
    long long bytes = json_integer_value(json_array_get(offsets, 1)) - begin;
    int size = bytes_of(type);
    if (bytes != (long long)count * size)
        return RG_FAIL("tensor %s has %lld numbers, not %ld", name, bytes / size,
                       count);
    unsigned char *raw = rg_error_alloc((unsigned long)count, (unsigned long)size,
                                        name);
    if (raw == NULL) return -1;
    bool whole = fseeko(s->file, s->data + begin, SEEK_SET) == 0
                 && fread(raw, (size_t)size, (size_t)count, s->file) == (size_t)count;
    for (long i = 0; whole && i < count; i++) data[i] = decode(raw + i * size, type);
    free(raw);
    return whole ? 0 : RG_FAIL("tensor %s cannot be read", name);
}

const rg_tensorfile rg_tensorfile_safetensors = {
    .name = "safetensors",
    .open = open_file,
    .find = find,
    .read = read_numbers,
    .close = close_file,
};

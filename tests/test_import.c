/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <hdf5.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/backend.h"
#include "core/engine/random.h"
#include "core/learning/backbone.h"
#include "core/learning/import.h"

enum { WIDTH = 4, CONVS = 13, SIDE = 8 };

static char folder[64] = "/tmp/claran-test-import.XXXXXX";
static float *kernel[CONVS];        /* [out][in][3][3] as the source has them */
static float *offset[CONVS];        /* [out] */
static int outputs[CONVS], inputs[CONVS];
static const char *const rows[CONVS] = {
    "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3",
    "conv4_1", "conv4_2", "conv4_3", "conv5_1", "conv5_2", "conv5_3"
};
static const int features[CONVS] = { 0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28 };

static char *in_folder(const char *name)
{
    static char path[8][256];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void make_source(void)
{
    static const int times[CONVS] = { 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8 };
    uint64_t state = 5;
    for (int i = 0; i < CONVS; i++) {
        outputs[i] = WIDTH * times[i];
        inputs[i] = i == 0 ? 3 : outputs[i - 1];
        long n = 9l * outputs[i] * inputs[i];
        kernel[i] = malloc((size_t)n * sizeof(float));
        offset[i] = malloc((size_t)outputs[i] * sizeof(float));
        for (long k = 0; k < n; k++)      /* exact in F16 and BF16 */
            kernel[i][k] = (float)(rg_random_below(&state, 127) - 63) / 64;
        for (int k = 0; k < outputs[i]; k++)
            offset[i][k] = (float)(rg_random_below(&state, 127) - 63) / 64;
    }
}

/* ---- safetensors ---- */

typedef struct bytes { unsigned char *at; size_t n, room; } bytes;

static void put(bytes *to, const void *from, size_t n)
{
    if (to->n + n > to->room) {
        to->room = 2 * (to->n + n);
        to->at = realloc(to->at, to->room);
    }
    memcpy(to->at + to->n, from, n);
    to->n += n;
}

static void put_number(bytes *to, float value, const char *type)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (strcmp(type, "F32") == 0) put(to, &bits, 4);
    if (strcmp(type, "BF16") == 0) put(to, (unsigned char *)&bits + 2, 2);
    if (strcmp(type, "F16") == 0) {
        int exponent = (int)(bits >> 23 & 255) - 112;
        uint16_t half = (uint16_t)(bits >> 16 & 0x8000);
        if (value != 0) half |= (uint16_t)(exponent << 10 | (bits >> 13 & 1023));
        put(to, &half, 2);
    }
}

static void put_tensor(json_t *header, bytes *data, const char *name, json_t *shape,
                       const float *values, long n, const char *type)
{
    size_t begin = data->n;
    for (long k = 0; k < n; k++) put_number(data, values[k], type);
    json_object_set_new(header, name, json_pack("{s:s, s:o, s:[I, I]}", "dtype", type,
        "shape", shape, "data_offsets", (json_int_t)begin, (json_int_t)data->n));
}

static bytes safetensors(const char *type)
{
    json_t *header = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    bytes data = { 0 }, all = { 0 };
    char name[40];
    for (int i = 0; i < CONVS; i++) {
        snprintf(name, sizeof name, "features.%d.weight", features[i]);
        put_tensor(header, &data, name,
                   json_pack("[i, i, i, i]", outputs[i], inputs[i], 3, 3), kernel[i],
                   9l * outputs[i] * inputs[i], type);
        snprintf(name, sizeof name, "features.%d.bias", features[i]);
        put_tensor(header, &data, name, json_pack("[i]", outputs[i]), offset[i],
                   outputs[i], type);
    }
    put_tensor(header, &data, "classifier.0.bias", json_pack("[i]", 4), offset[1], 4,
               type);
    char *text = json_dumps(header, JSON_COMPACT);
    uint64_t length = strlen(text);
    put(&all, &length, 8);
    put(&all, text, length);
    put(&all, data.at, data.n);
    free(text);
    free(data.at);
    json_decref(header);
    return all;
}

static void write_bytes(const char *path, const unsigned char *at, size_t n)
{
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(at, 1, n, file) == n);
    if (file) fclose(file);
}

/* The file of header `text` and n zero bytes. */
static const char *with_header(const char *text, size_t n)
{
    static const unsigned char zeros[4096];
    bytes all = { 0 };
    uint64_t length = strlen(text);
    put(&all, &length, 8);
    put(&all, text, length);
    put(&all, zeros, n);
    char *path = in_folder("header.safetensors");
    write_bytes(path, all.at, all.n);
    free(all.at);
    return path;
}

/* ---- HDF5 ---- */

static void put_dataset(hid_t file, const char *name, int n, const hsize_t *axes,
                        const float *values)
{
    hid_t space = H5Screate_simple(n, axes, NULL), links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t set = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, links, H5P_DEFAULT,
                           H5P_DEFAULT);
    CHECK(set >= 0
          && H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values)
                 >= 0);
    H5Dclose(set);
    H5Pclose(links);
    H5Sclose(space);
}

/* keras-applications' names of 2016, of tf.keras, and the short ones. */
static const char *const spelling[3][2] = {
    { "%s/%s_W_1:0", "%s/%s_b_1:0" },
    { "%s/%s/kernel:0", "%s/%s/bias:0" },
    { "%s/kernel:0", "%s/bias:0" },
};

static void spell(int which, int bias, const char *row, char name[96])
{
    char block[32];
    snprintf(block, sizeof block, "block%c_conv%c", row[4], row[6]);
    const char *from = spelling[which][bias];
    size_t n = 0;
    for (; *from && n < 60; from++) {
        if (from[0] == '%') {
            n += (size_t)snprintf(name + n, 96 - n, "%s", block);
            from++;
        } else name[n++] = *from;
    }
    name[n] = '\0';
}

static void write_hdf5(const char *path, int which)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CHECK(file >= 0);
    for (int l = 0; l < CONVS; l++) {
        hsize_t axes[4] = { 3, 3, (hsize_t)inputs[l], (hsize_t)outputs[l] };
        hsize_t count = axes[3];
        char name[96];
        float *laid = malloc(9ul * axes[2] * axes[3] * sizeof *laid);
        for (int o = 0; o < outputs[l]; o++)
            for (int i = 0; i < inputs[l]; i++)
                for (int k = 0; k < 9; k++)
                    laid[(k * inputs[l] + i) * outputs[l] + o] =
                        kernel[l][(o * inputs[l] + i) * 9 + k];
        spell(which, 0, rows[l], name);
        put_dataset(file, name, 4, axes, laid);
        spell(which, 1, rows[l], name);
        put_dataset(file, name, 1, &count, offset[l]);
        free(laid);
    }
    H5Fclose(file);
}

/* ---- what is tested ---- */

static int import(const char *path)
{
    rg_import_report report;
    return rg_import(path, in_folder("out.fits"), NULL, &report);
}

/* All but conv1_1 as in the source. */
static void check_rest(const char *path)
{
    rg_weights *w;
    char name[40];
    CHECK_OK(rg_weights_read(&w, path));
    for (int i = 1; i < CONVS; i++) {
        const rg_weight *k = rg_weights_find(w, rows[i]);
        snprintf(name, sizeof name, "%s.bias", rows[i]);
        const rg_weight *b = rg_weights_find(w, name);
        CHECK(k && b && k->shape.n == outputs[i] && k->shape.c == inputs[i]);
        if (k == NULL || b == NULL) continue;
        CHECK(memcmp(k->data, kernel[i], 36ul * outputs[i] * inputs[i]) == 0);
        CHECK(memcmp(b->data, offset[i], 4ul * outputs[i]) == 0);
    }
    CHECK(rg_weights_count(w) == 2 * CONVS);
    rg_weights_free(w);
}

/* conv1_1, ReLU, of an 8-bit image rgb [SIDE][SIDE][3] by the source's own recipe. */
static double plain(const uint8_t *rgb, bool torchvision, int o, int y, int x)
{
    static const double m[3] = { 0.485, 0.456, 0.406 }, s[3] = { 0.229, 0.224, 0.225 };
    static const double bgr_mean[3] = { 103.939, 116.779, 123.68 };
    double sum = offset[0][o];
    for (int c = 0; c < 3; c++)           /* the source's channels */
        for (int k = 0; k < 9; k++) {
            int v = y + k / 3 - 1, u = x + k % 3 - 1;
            if (v < 0 || u < 0 || v >= SIDE || u >= SIDE) continue;
            const uint8_t *pixel = rgb + 3 * (v * SIDE + u);
            double in = torchvision ? (pixel[c] / 255.0 - m[c]) / s[c]
                                    : pixel[2 - c] - bgr_mean[c];
            sum += in * kernel[0][(o * 3 + c) * 9 + k];
        }
    return fmax(sum, 0);
}

static void check_conv1_1(const char *path, bool torchvision)
{
    const rg_backend *ref;
    rg_net *net;
    rg_backbone found;
    rg_row table[RG_CLARAN_ROWS] = { INPUT("data", 1, 3, SIDE * 16, SIDE * 16) };
    int n = 1 + rg_claran_backbone(WIDTH, table + 1), side = SIDE * 16;
    CHECK_OK(rg_backend_find("ref", &ref));
    CHECK_OK(rg_net_new(&net, table, n, ref, &(rg_net_options){ .seed = 1 }));
    CHECK_OK(rg_backbone_load(net, path, WIDTH, &found, NULL));
    uint8_t rgb[3 * SIDE * SIDE];
    uint64_t state = 3;
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        rgb[i] = (uint8_t)rg_random_below(&state, 256);
    float *data = calloc(3ul * side * side, sizeof *data);
    float *out = calloc((size_t)WIDTH * side * side, sizeof *out);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                data[(c * side + y) * side + x] =
                    rgb[3 * (y * SIDE + x) + 2 - c] - found.mean[c];
    CHECK_OK(rg_net_put(net, "data", data));
    CHECK_OK(rg_net_forward(net, NULL, "conv1_1"));
    CHECK_OK(rg_net_get(net, "conv1_1", out));
    for (int o = 0; o < WIDTH; o++)       /* inside: the rim is another padding */
        for (int y = 1; y < SIDE - 1; y++)
            for (int x = 1; x < SIDE - 1; x++) {
                double wanted = plain(rgb, torchvision, o, y, x);
                CHECK_NEAR(out[(o * side + y) * side + x], wanted,
                           1e-5 * (10 + wanted));
            }
    free(data);
    free(out);
    rg_net_free(net);
}

static void safetensors_of_each_type_become_a_backbone(void)
{
    static const char *const types[3] = { "F32", "F16", "BF16" };
    for (int i = 0; i < 3; i++) {
        bytes all = safetensors(types[i]);
        rg_import_report report;
        char *path = in_folder("vgg.safetensors"), *out = in_folder("out.fits");
        write_bytes(path, all.at, all.n);
        CHECK_OK(rg_import(path, out, NULL, &report));
        CHECK(report.width == WIDTH && report.convolutions == CONVS);
        check_rest(out);
        check_conv1_1(out, true);
        free(all.at);
    }
}

static void hdf5_of_each_spelling_becomes_a_backbone(void)
{
    for (int i = 0; i < 3; i++) {
        char *path = in_folder("vgg.h5"), *out = in_folder("out.fits");
        write_hdf5(path, i);
        CHECK_OK(import(path));
        check_rest(out);
        check_conv1_1(out, false);
    }
}

#define ENTRY(name, type, shape, from, to) "\"" name "\":{\"dtype\":\"" type \
    "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void safetensors_that_lie_are_refused(void)
{
    CHECK_FAILS(import("/nonexistent.safetensors"), "cannot be read");
    CHECK_FAILS(import(folder), "");
    CHECK_FAILS(import(with_header("{}", 0)), "names no tensors");
    CHECK_FAILS(import(with_header("[1]", 0)), "names no tensors");
    CHECK_FAILS(import(with_header("{\"a\":", 0)), "no JSON");
    CHECK_FAILS(import(with_header("{\"a\":3}", 0)), "lacks a dtype");
    CHECK_FAILS(import(with_header("{" ENTRY("a", "F32", "[4]", "0", "16") "}", 12)),
                "cut short");
    CHECK_FAILS(import(with_header("{" ENTRY("a", "F32", "[4]", "-4", "12") "}", 16)),
                "cut short");
    CHECK_FAILS(import(with_header("{" ENTRY("a", "F32", "[4]", "0", "12") "}", 12)),
                "4 numbers of type F32 in 12 bytes");
    CHECK_FAILS(import(with_header("{" ENTRY("a", "F32", "[4]", "0", "16") ","
                                   ENTRY("b", "F32", "[4]", "8", "24") "}", 24)),
                "the one before");
    CHECK_FAILS(import(with_header("{" ENTRY("a", "F32", "[4]", "0", "16") ","
                                   ENTRY("a", "F32", "[4]", "16", "32") "}", 32)),
                "duplicate");
    CHECK_FAILS(import(with_header("{" ENTRY("a", "F32", "[4]", "0", "16") "}", 20)),
                "end at byte 16 of 20");
    CHECK_FAILS(import(with_header(
                    "{" ENTRY("a", "F32", "[99999999999,99999999999]", "0", "16") "}",
                    16)), "lacks a dtype");
    CHECK_FAILS(import(with_header("{" ENTRY("a", "F32", "[4]", "0", "16") "}", 16)),
                "there is no features.0.bias");
    CHECK_FAILS(import(with_header(
                    "{" ENTRY("features.0.bias", "I32", "[4]", "0", "16") "}", 16)),
                "is of type I32");
    CHECK_FAILS(import(with_header(
                    "{" ENTRY("features.0.bias", "F32", "[2,2]", "0", "16") "}", 16)),
                "has 2 axes");
}

/* The whole file with one thing wrong. */
static void a_tensor_of_another_shape_or_with_nan_is_refused(void)
{
    bytes all = safetensors("F32");
    char *path = in_folder("wrong.safetensors"), text[65536];
    uint32_t nan = 0x7fc00000;
    memcpy(all.at + all.n - 36, &nan, 4);      /* the last of features.28.bias */
    write_bytes(path, all.at, all.n);
    CHECK_FAILS(import(path), "features.28.bias is nan");
    free(all.at);
    outputs[12]--;                             /* a consistent file, one row short */
    all = safetensors("F32");
    outputs[12]++;
    write_bytes(path, all.at, all.n);
    CHECK_FAILS(import(path), "features.28.weight is [31, 32, 3, 3]");
    memset(all.at, 0xff, 7);
    write_bytes(path, all.at, all.n);
    CHECK_FAILS(import(path), "no safetensors or HDF5 file");
    snprintf(text, sizeof text, "%s", rg_error_message());
    CHECK(strstr(text, "wrong.safetensors"));
    free(all.at);
    CHECK(access(in_folder("none.fits"), F_OK) != 0);
}

static void hdf5_of_other_shapes_and_types_is_refused(void)
{
    char *path = in_folder("wrong.h5");
    hsize_t four = 4, axes[4] = { 3, 3, 4, 3 };
    float zeros[108] = { 0 };
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put_dataset(file, "block1_conv1/kernel:0", 4, axes, zeros);
    H5Fclose(file);
    CHECK_FAILS(import(path), "there is no block1_conv1/block1_conv1_b_1:0");
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    put_dataset(file, "block1_conv1/bias:0", 1, &four, zeros);
    H5Fclose(file);
    CHECK_FAILS(import(path), "block1_conv1/kernel:0 is [3, 3, 4, 3]");
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "block1_conv1", H5P_DEFAULT, H5P_DEFAULT,
                             H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &four, NULL);
    hid_t set = H5Dcreate2(file, "block1_conv1/bias:0", H5T_STD_I32LE, space,
                           H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(set);
    H5Fclose(file);
    CHECK_FAILS(import(path), "holds no floating-point numbers");
    H5Sclose(space);
    H5Gclose(group);
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    write_hdf5(in_folder("other.h5"), 2);
    H5Lcreate_external(in_folder("other.h5"), "/block1_conv1", file, "block1_conv1",
                       H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    CHECK_FAILS(import(path), "block1_conv1");
}

/* Bytes changed, and the file cut: a sentence or a backbone, never a crash. */
static void corrupt(const char *from, const char *to, int times, uint64_t seed)
{
    FILE *file = fopen(from, "rb");
    struct stat info;
    CHECK(file && fstat(fileno(file), &info) == 0);
    if (file == NULL) return;
    size_t size = (size_t)info.st_size;
    unsigned char *good = malloc(size), *bad = malloc(size);
    CHECK(fread(good, 1, size, file) == size);
    fclose(file);
    int refused = 0;
    for (int i = 0; i < times; i++) {
        uint64_t state = rg_random_mix(seed, (uint64_t)i);
        size_t length = size, reach = i % 3 == 0 ? size : 4096;
        memcpy(bad, good, size);
        if (i % 4 == 3) length = (size_t)rg_random_below(&state, (int)size);
        for (int k = rg_random_below(&state, 16); k >= 0 && length > 0; k--)
            bad[(size_t)rg_random_below(&state, (int)reach) % length] =
                (unsigned char)rg_random_below(&state, 256);
        write_bytes(to, bad, length);
        if (import(to) != 0) {
            refused++;
            CHECK(strstr(rg_error_message(), to) != NULL);
        }
    }
    CHECK(refused > times / 4);
    free(good);
    free(bad);
}

static void damaged_safetensors_do_not_crash(void)
{
    bytes all = safetensors("F16");
    char *path = in_folder("good.safetensors");
    write_bytes(path, all.at, all.n);
    free(all.at);
    corrupt(path, in_folder("bad.safetensors"), 400, 11);
}

static void damaged_hdf5_does_not_crash(void)
{
    write_hdf5(in_folder("good.h5"), 0);
    corrupt(in_folder("good.h5"), in_folder("bad.h5"), 400, 12);
}

int main(void)
{
    char command[128];
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (mkdtemp(folder) == NULL) return 1;
    make_source();
    CHECK_RUN(safetensors_of_each_type_become_a_backbone);
    CHECK_RUN(hdf5_of_each_spelling_becomes_a_backbone);
    CHECK_RUN(safetensors_that_lie_are_refused);
    CHECK_RUN(a_tensor_of_another_shape_or_with_nan_is_refused);
    CHECK_RUN(hdf5_of_other_shapes_and_types_is_refused);
    CHECK_RUN(damaged_safetensors_do_not_crash);
    CHECK_RUN(damaged_hdf5_does_not_crash);
    for (int i = 0; i < CONVS; i++) {
        free(kernel[i]);
        free(offset[i]);
    }
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? CHECK_END() : 1;
}

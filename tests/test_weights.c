/* SPDX-License-Identifier: MIT */
/* Weights files: round trips in both precisions, and files not to be believed. */
#include <fitsio.h>
#include <unistd.h>

#include "core/engine/weights.h"
#include "tests/check.h"

static char path[64], other[64];

static rg_weights *make(void)
{
    rg_weights *w = NULL;
    float values[2 * 3 * 3 * 3];
    for (int i = 0; i < 54; i++) values[i] = sinf((float)i) * 0.1f;
    CHECK_OK(rg_weights_new(&w));
    CHECK(rg_weights_add(w, "conv/3x3", (rg_shape){ 2, 3, 3, 3 }, values) != NULL);
    CHECK(rg_weights_add(w, "conv/3x3.bias", (rg_shape){ 1, 2, 1, 1 }, NULL) != NULL);
    CHECK_OK(rg_weights_set_number(w, "INPUT", 264, "[pixel] side"));
    CHECK_OK(rg_weights_set_number(w, "RATE", 0.1 + 0.2, "not a short decimal"));
    CHECK_OK(rg_weights_set_text(w, "METHOD", "D1", NULL));
    CHECK_OK(rg_weights_add_history(w, "claran train list.csv -o model.fits"));
    return w;
}

static void write_and_read(bool half, double tolerance)
{
    rg_weights *w = make(), *r = NULL;
    double value = 0;
    char text[80];
    CHECK_OK(rg_weights_write(w, path, half));
    CHECK_OK(rg_weights_read(&r, path));
    if (r == NULL) { rg_weights_free(w); return; }
    CHECK(rg_weights_count(r) == 2);
    CHECK(strcmp(rg_weights_at(r, 0)->name, "conv/3x3") == 0);
    rg_weight *a = rg_weights_find(w, "conv/3x3"), *b = rg_weights_find(r, "conv/3x3");
    CHECK(b && memcmp(&b->shape, &a->shape, sizeof a->shape) == 0);
    for (int i = 0; b && i < 54; i++) CHECK_NEAR(b->data[i], a->data[i], tolerance);
    rg_weight *bias = rg_weights_find(r, "conv/3x3.bias");
    CHECK(bias && bias->data[0] == 0 && bias->data[1] == 0);
    CHECK_OK(rg_weights_number(r, "INPUT", &value));
    CHECK(value == 264);
    CHECK_OK(rg_weights_number(r, "RATE", &value));
    CHECK(value == 0.1 + 0.2);
    CHECK_OK(rg_weights_text(r, "METHOD", text, sizeof text));
    CHECK(strcmp(text, "D1") == 0);
    CHECK(rg_weights_histories(r) == 1);
    CHECK(strcmp(rg_weights_history(r, 0), "claran train list.csv -o model.fits") == 0);
    CHECK(!rg_weights_has(r, "NTENSORS") && !rg_weights_has(r, "SIMPLE"));
    rg_weights_free(w);
    rg_weights_free(r);
}

static void floats_come_back_bit_for_bit(void)
{
    write_and_read(false, 0);
}

static void halves_come_back_within_half_a_step(void)
{
    write_and_read(true, 0.5 * 0.2 / 65535 * 1.001);
}

static void files_are_the_same_every_time(void)
{
    rg_weights *w = make();
    char hash[9], again[9];
    char a[65536], b[65536];
    rg_weights_hash(w, hash);
    CHECK_OK(rg_weights_write(w, path, true));
    sleep(1);
    CHECK_OK(rg_weights_write(w, other, true));
    FILE *fa = fopen(path, "rb"), *fb = fopen(other, "rb");
    size_t na = fread(a, 1, sizeof a, fa), nb = fread(b, 1, sizeof b, fb);
    CHECK(na == nb && na > 2880 && memcmp(a, b, na) == 0);
    fclose(fa);
    fclose(fb);
    rg_weights_find(w, "conv/3x3")->data[3] += 1e-6f;
    rg_weights_hash(w, again);
    CHECK(strlen(hash) == 8 && strcmp(hash, again) != 0);
    rg_weights_free(w);
}

static void texts_of_any_length_and_letters(void)
{
    rg_weights *w = make(), *r = NULL;
    char longer[300], text[400];
    memset(longer, 'x', 299);
    longer[150] = '\'';
    longer[200] = '&';
    longer[299] = '\0';
    CHECK_OK(rg_weights_set_text(w, "SOURCE", longer, "where it came from"));
    CHECK_OK(rg_weights_set_text(w, "NAME", "caf\xc3\xa9\n", NULL));
    CHECK_OK(rg_weights_add_history(w, longer));
    CHECK_OK(rg_weights_write(w, path, false));
    CHECK_OK(rg_weights_read(&r, path));
    CHECK_OK(rg_weights_text(r, "SOURCE", text, sizeof text));
    CHECK(strcmp(text, longer) == 0);
    CHECK_FAILS(rg_weights_text(r, "SOURCE", text, 100), "299 characters");
    CHECK_OK(rg_weights_text(r, "NAME", text, sizeof text));
    CHECK(strcmp(text, "caf???") == 0);
    CHECK(rg_weights_histories(r) == 1 + 5);
    rg_weights_free(w);
    rg_weights_free(r);
}

static void what_is_asked_for_is_checked(void)
{
    rg_weights *w = make();
    double value;
    char text[8];
    CHECK_FAILS(rg_weights_number(w, "NONE", &value), "NONE");
    CHECK_FAILS(rg_weights_number(w, "METHOD", &value), "no number");
    CHECK_FAILS(rg_weights_text(w, "INPUT", text, sizeof text), "no text");
    CHECK_FAILS(rg_weights_set_number(w, "lower", 1, NULL), "lower");
    CHECK_FAILS(rg_weights_set_number(w, "MUCHTOOLONG", 1, NULL), "MUCHTOOLONG");
    CHECK_FAILS(rg_weights_set_number(w, "BAD", NAN, NULL), "BAD");
    CHECK(rg_weights_add(w, "", (rg_shape){ 1, 1, 1, 1 }, NULL) == NULL);
    CHECK(rg_weights_add(w, "x", (rg_shape){ 0, 1, 1, 1 }, NULL) == NULL);
    CHECK(rg_weights_add(w, "x", (rg_shape){ 1 << 20, 1 << 20, 1 << 20, 1 << 4 }, NULL)
          == NULL);
    CHECK(strstr(rg_error_message(), "shape") != NULL);
    const float seven = 7;
    rg_weight *t = rg_weights_add(w, "conv/3x3", (rg_shape){ 1, 1, 1, 1 }, &seven);
    CHECK(t && t == rg_weights_find(w, "conv/3x3") && t->data[0] == 7);
    CHECK(rg_weights_count(w) == 2);
    rg_weights_free(w);
    rg_weights_free(NULL);
}

static void what_is_not_finite_is_not_written(void)
{
    rg_weights *w = make();
    rg_weights_find(w, "conv/3x3")->data[5] = NAN;
    remove(path);
    CHECK_FAILS(rg_weights_write(w, path, false), "finite");
    CHECK(access(path, F_OK) != 0);
    CHECK_FAILS(rg_weights_write(w, "/nowhere/at/all.fits", false), "/nowhere/at/all");
    rg_weights_free(w);
}

/* Writes `with` into the file where `text` first stands after `from` (NULL: there). */
static void damage(long from, const char *text, const char *with)
{
    static char all[65536];
    FILE *f = fopen(path, "r+b");
    size_t n = fread(all, 1, sizeof all, f);
    char *at = all + from;
    if (text) at = memmem(at, n - (size_t)from, text, strlen(text));
    CHECK(at != NULL);
    if (at) fseek(f, at - all, SEEK_SET);
    fwrite(with, 1, strlen(with), f);
    fclose(f);
}

static void fresh(bool half)
{
    rg_weights *w = make();
    CHECK_OK(rg_weights_write(w, path, half));
    rg_weights_free(w);
}

static void must_fail(const char *words)
{
    rg_weights *r = NULL;
    CHECK_FAILS(rg_weights_read(&r, path), words);
    CHECK(r == NULL);
    CHECK(strstr(rg_error_message(), path) != NULL);
    rg_weights_free(r);
}

static void damage_is_found(void)
{
    fresh(true);
    damage(2 * 2880 + 10, NULL, "!");      /* a weight */
    must_fail("checksum");
    fresh(true);
    damage(0, "264", "265");               /* a keyword */
    must_fail("checksum");
    fresh(true);
    damage(2880, "CHECKSUM", "CHICKSUM");  /* a checksum */
    must_fail("missing");
    fresh(false);
    damage(2880, "NAXIS4  =                    2", "NAXIS4  =           2000000000");
    must_fail("axis 4");
    fresh(false);
    damage(2880, "BITPIX  =                  -32", "BITPIX  =                  -64");
    must_fail("BITPIX -64");
}

static void newer_layouts_are_named(void)
{
    fresh(true);
    damage(0, "WFORMAT =                    1", "WFORMAT =                    2");
    must_fail("of format 2");
    fresh(true);
    damage(0, "WFORMAT", "XFORMAT");
    must_fail("no weights file");
}

static void cut_files_are_found(void)
{
    for (long cut = 0; cut < 5 * 2880; cut += 720) {
        fresh(false);
        CHECK(truncate(path, cut) == 0);
        rg_weights *r = NULL;
        CHECK(rg_weights_read(&r, path) != 0 && r == NULL);
        CHECK(strstr(rg_error_message(), path) != NULL);
        rg_weights_free(r);
    }
    fresh(false);
    CHECK(truncate(path, 3 * 2880) == 0);   /* after the first extension: still FITS */
    must_fail("cut short");
}

static void other_files_are_refused(void)
{
    rg_weights *r = NULL;
    CHECK_FAILS(rg_weights_read(&r, "/nowhere/model.fits"), "/nowhere/model.fits");
    FILE *f = fopen(path, "w");
    fputs("this is no FITS file\n", f);
    fclose(f);
    must_fail("FITS");
    fitsfile *fits;
    int status = 0;
    remove(path);
    fits_create_diskfile(&fits, path, &status);
    fits_create_img(fits, FLOAT_IMG, 2, (long[]){ 4, 4 }, &status);
    fits_close_file(fits, &status);
    CHECK(status == 0);
    must_fail("no weights file");
}

/* A file right in all but one tensor, made by hand. */
static void write_by_hand(const char *name, int bits, float value)
{
    fitsfile *f;
    int status = 0, one = 1;
    remove(path);
    fits_create_diskfile(&f, path, &status);
    fits_create_img(f, BYTE_IMG, 0, NULL, &status);
    fits_write_key(f, TINT, "WFORMAT", &one, NULL, &status);
    fits_write_key(f, TINT, "NTENSORS", &one, NULL, &status);
    fits_write_chksum(f, &status);
    fits_create_img(f, bits, 1, (long[]){ 1 }, &status);
    if (name) fits_write_key(f, TSTRING, "EXTNAME", (char *)name, NULL, &status);
    fits_write_img(f, TFLOAT, 1, 1, &value, &status);
    fits_write_chksum(f, &status);
    fits_close_file(f, &status);
    CHECK(status == 0);
}

static void single_tensors_are_checked(void)
{
    rg_weights *r = NULL;
    write_by_hand("good", FLOAT_IMG, 3);
    CHECK_OK(rg_weights_read(&r, path));
    CHECK(r && rg_weights_find(r, "good")->data[0] == 3);
    rg_weights_free(r);
    write_by_hand("bad", FLOAT_IMG, NAN);
    must_fail("bad");
    write_by_hand("bad", FLOAT_IMG, INFINITY);
    must_fail("inf");
    write_by_hand("wide", DOUBLE_IMG, 1);
    must_fail("BITPIX");
    write_by_hand(NULL, FLOAT_IMG, 1);
    must_fail("extension");
}

int main(void)
{
    snprintf(path, sizeof path, "test_weights.%ld.fits", (long)getpid());
    snprintf(other, sizeof other, "test_weights.%ld.b.fits", (long)getpid());
    CHECK_RUN(floats_come_back_bit_for_bit);
    CHECK_RUN(halves_come_back_within_half_a_step);
    CHECK_RUN(files_are_the_same_every_time);
    CHECK_RUN(texts_of_any_length_and_letters);
    CHECK_RUN(what_is_asked_for_is_checked);
    CHECK_RUN(what_is_not_finite_is_not_written);
    CHECK_RUN(damage_is_found);
    CHECK_RUN(newer_layouts_are_named);
    CHECK_RUN(cut_files_are_found);
    CHECK_RUN(other_files_are_refused);
    CHECK_RUN(single_tensors_are_checked);
    remove(path);
    remove(other);
    return CHECK_END();
}

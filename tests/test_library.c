/* SPDX-License-Identifier: MIT */
/* libclaran by its public header; what it is built from only makes the images. */
#include "core/claran.h"

#include <fenv.h>
#include <float.h>
#include <locale.h>
#include <pthread.h>
#include <unistd.h>

#include "core/data/simulate.h"
#include "core/detector/detect.h"
#include "tests/check.h"

#define MODEL RG_SOURCE_DIR "/core/models/claran-d1.fits"
static const char field[] = "test_library.tmp.fits";
static const char broken[] = "test_library.tmp.model";

static void make_field(void)
{
    rg_simulation how = rg_simulate_defaults;
    rg_simulated made;
    how.size = 160;
    how.density = 2;
    CHECK_OK(rg_simulate_field(&how, 4, &made));
    CHECK_OK(rg_image_write(made.radio, field, NULL));
    rg_simulate_clear(&made);
}

/* The sources of the field, by another detector each time. */
static claran_sources *look(void)
{
    claran_detector *detector;
    claran_image *image;
    claran_sources *found = NULL;
    CHECK_OK(claran_open(&detector, MODEL, 0));
    CHECK_OK(claran_image_read(&image, field));
    if (detector && image) CHECK_OK(claran_detect(detector, image, NULL, &found));
    claran_image_free(image);
    claran_close(detector);
    return found;
}

static void same(const claran_sources *a, const claran_sources *b)
{
    CHECK(a && b && claran_sources_count(a) == claran_sources_count(b));
    for (int i = 0; a && b && i < claran_sources_count(a); i++) {
        const claran_source *s = claran_sources_at(a, i), *t = claran_sources_at(b, i);
        CHECK(s->ra == t->ra && s->ymax == t->ymax && s->label == t->label);
        CHECK_NEAR(s->probability, t->probability, 0);
    }
}

static void it_finds_what_the_detector_finds(void)
{
    rg_detector *detector;
    rg_image *image;
    rg_detection *found = NULL;
    claran_sources *sources = look();
    int n = 0;
    CHECK_OK(rg_detect_open(&detector, MODEL, &rg_detect_defaults));
    CHECK_OK(rg_image_read(&image, field));
    CHECK_OK(rg_detect(detector, image, NULL, &found, &n));
    CHECK(n > 0 && sources && claran_sources_count(sources) == n);
    for (int i = 0; sources && i < n && i < claran_sources_count(sources); i++) {
        const claran_source *s = claran_sources_at(sources, i);
        const rg_detection *d = &found[i];
        CHECK(s->ra == d->ra && s->dec == d->dec && s->width == d->width);
        CHECK(s->height == d->height && s->angle == d->angle);
        CHECK(s->xmin == d->xmin && s->xmax == d->xmax);
        CHECK(s->ymin == d->ymin && s->ymax == d->ymax);
        CHECK(strcmp(s->label, rg_boxes_class_name[d->class_]) == 0);
        CHECK(s->components == s->label[0] - '0' && s->peaks == s->label[3] - '0');
        CHECK(s->probability == d->probability);
        CHECK((*s->second != '\0') == (d->second > 0));
    }
    CHECK(sources && claran_sources_at(sources, n) == NULL);
    CHECK(sources && claran_sources_at(sources, -1) == NULL);
    claran_sources_free(sources);
    free(found);
    rg_image_free(image);
    rg_detect_close(detector);
}

static void a_threshold_leaves_the_probable(void)
{
    claran_detector *detector;
    claran_image *image;
    claran_sources *few, *all = look();
    CHECK_OK(claran_open(&detector, MODEL, 0));
    CHECK_OK(claran_image_read(&image, field));
    CHECK(claran_sources_count(all) > 1);
    double most = claran_sources_at(all, 0)->probability;
    CHECK_OK(claran_set_threshold(detector, most));
    CHECK_OK(claran_detect(detector, image, NULL, &few));
    CHECK(few && claran_sources_count(few) < claran_sources_count(all));
    CHECK(few && claran_sources_at(few, 0)->probability == most);
    CHECK_FAILS(claran_set_threshold(detector, NAN), "threshold");
    CHECK_FAILS(claran_set_threshold(detector, 1.5), "1.5");
    claran_sources_free(few);
    claran_sources_free(all);
    claran_image_free(image);
    claran_close(detector);
}

static void *work(void *found)
{
    *(claran_sources **)found = look();
    return NULL;
}

static void two_threads_find_the_same(void)
{
    claran_sources *found[2] = { NULL, NULL }, *alone = look();
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&thread[i], NULL, work, &found[i]) == 0);
    for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < 2; i++) same(found[i], alone);
    for (int i = 0; i < 2; i++) claran_sources_free(found[i]);
    claran_sources_free(alone);
}

/* The library flushes denormals; its caller does not. */
static void the_callers_arithmetic_stays(void)
{
    volatile float least = FLT_MIN;
    claran_sources *plain = look();
    CHECK(fesetenv(FE_DFL_ENV) == 0 && fesetround(FE_UPWARD) == 0);
    feclearexcept(FE_ALL_EXCEPT);
    claran_sources *found = look();
    CHECK(fegetround() == FE_UPWARD);
    CHECK(fetestexcept(FE_ALL_EXCEPT) == 0);
    CHECK(least / 2 > 0);
    fesetround(FE_TONEAREST);
    same(found, plain);
    claran_sources_free(plain);
    claran_sources_free(found);
}

static void a_decimal_comma_does_not_matter(void)
{
    const char *const commas[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "nl_NL" };
    claran_sources *plain = look();
    int i = 0;
    while (i < 4 && setlocale(LC_ALL, commas[i]) == NULL) i++;
    if (i == 4) claran_sources_free(plain);
    if (i == 4) CHECK_SKIP("no locale with a decimal comma is installed");
    claran_sources *found = look();
    CHECK(localeconv()->decimal_point[0] == ',');
    same(found, plain);
    setlocale(LC_ALL, "C");
    claran_sources_free(found);
    claran_sources_free(plain);
}

/* The whole of a file; *size [bytes]. */
static char *whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*size);
    CHECK(fread(bytes, 1, *size, f) == *size);
    fclose(f);
    return bytes;
}

static void images_come_from_memory(void)
{
    claran_detector *detector;
    claran_image *image;
    claran_sources *found = NULL, *of_file = look();
    size_t size;
    char *bytes = whole(field, &size);
    CHECK_OK(claran_open(&detector, MODEL, 0));
    CHECK_OK(claran_image_read_memory(&image, bytes, size, "a field"));
    free(bytes);
    if (image) CHECK_OK(claran_detect(detector, image, NULL, &found));
    same(found, of_file);
    claran_image_free(image);
    CHECK_FAILS(claran_image_read_memory(&image, "no FITS", 7, "a letter"), "a letter");
    CHECK(image == NULL);
    claran_sources_free(found);
    claran_sources_free(of_file);
    claran_close(detector);
}

/* The shipped model with `with` at byte `at`. */
static void break_model(size_t at, const char *with)
{
    size_t size;
    char *bytes = whole(MODEL, &size);
    if (at == 0)
        at = (size_t)((char *)memmem(bytes, 2880, "WFORMAT =", 9) - bytes) + 29;
    bytes[at] = with ? *with : (char)(bytes[at] ^ 1);
    FILE *f = fopen(broken, "wb");
    CHECK(fwrite(bytes, 1, size, f) == size);
    fclose(f);
    free(bytes);
}

static void broken_models_are_refused(void)
{
    claran_detector *detector;
    const size_t places[] = { 5000, 1000000, 7000001, 15000002 };
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        break_model(places[i], NULL);
        CHECK_FAILS(claran_open(&detector, broken, 0), "damaged");
        CHECK(detector == NULL && strstr(claran_error(), broken) != NULL);
    }
    break_model(0, "7");
    CHECK_FAILS(claran_open(&detector, broken, 0), "format 7");
    CHECK(strstr(claran_error(), "claran " CLARAN_VERSION) != NULL);
    CHECK_FAILS(claran_open(&detector, "none.fits", 0), "none.fits");
    remove(broken);
}

static void what_does_not_fit_is_refused(void)
{
    claran_detector *detector;
    claran_image *image;
    claran_sources *found;
    CHECK_OK(claran_open(&detector, RG_SOURCE_DIR "/core/models/claran-d4.fits", 1));
    CHECK_OK(claran_image_read(&image, field));
    CHECK_FAILS(claran_detect(detector, image, NULL, &found), "infrared");
    CHECK(found == NULL);
    CHECK_FAILS(claran_detect(detector, NULL, image, &found), "no image");
    CHECK_OK(claran_detect(detector, image, image, &found));
    claran_sources_free(found);
    claran_image_free(image);
    claran_close(detector);
    CHECK_FAILS(claran_image_read(&image, MODEL), MODEL);
    CHECK(image == NULL);
    CHECK(strcmp(claran_version(), RG_VERSION) == 0);
}

int main(void)
{
    make_field();
    CHECK_RUN(it_finds_what_the_detector_finds);
    CHECK_RUN(a_threshold_leaves_the_probable);
    CHECK_RUN(two_threads_find_the_same);
    CHECK_RUN(the_callers_arithmetic_stays);
    CHECK_RUN(a_decimal_comma_does_not_matter);
    CHECK_RUN(images_come_from_memory);
    CHECK_RUN(broken_models_are_refused);
    CHECK_RUN(what_does_not_fit_is_refused);
    remove(field);
    return CHECK_END();
}

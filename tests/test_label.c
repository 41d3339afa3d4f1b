/* SPDX-License-Identifier: MIT */
#include "core/image/island.h"
#include "core/data/csv.h"
#include "core/data/label.h"
#include "tests/check.h"

enum { SIDE = 240 };
#define PIXEL 1.8
#define BEAM 3.0                  /* FWHM [pixels] */

/* A field of grainy noise of sigma about 1, from a fixed seed. */
static rg_image *field(void)
{
    rg_sky *sky;
    rg_image *image;
    unsigned long seed = 7;
    CHECK_OK(rg_sky_new_tangent(&sky, 180, 30, SIDE, PIXEL));
    CHECK_OK(rg_image_new(&image, SIDE, SIDE, sky));
    for (int p = 0; p < SIDE * SIDE; p++) {
        double sum = -6;
        for (int k = 0; k < 12; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            sum += (double)(seed >> 33) / 2147483648.0;
        }
        image->pixels[p] = (float)sum;
    }
    return image;
}

/* An unresolved source at FITS pixel x, y. */
static void add(rg_image *image, double x, double y, double peak)
{
    for (int v = 0; v < SIDE; v++)
        for (int u = 0; u < SIDE; u++) {
            double far = (pow(u + 1 - x, 2) + pow(v + 1 - y, 2)) / (BEAM * BEAM);
            image->pixels[v * SIDE + u] += (float)(peak * exp(-2.7726 * far));
        }
}

/* Class of the source whose box has x, y inside and is the smallest; -9: none. */
static int class_at(const rg_label_source *sources, int n, double x, double y)
{
    int class_ = -9;
    double least = 1e9;
    for (int i = 0; i < n; i++) {
        const rg_label *l = &sources[i].label;
        double area = (l->xmax - l->xmin) * (l->ymax - l->ymin);
        if (x < l->xmin || x > l->xmax || y < l->ymin || y > l->ymax || area > least)
            continue;
        least = area;
        class_ = l->class_;
    }
    return class_;
}

static void names_classes(void)
{
    static const int wanted[5][7] = {
        { -1, -1, -1, -1, -1, -1, -1 }, { -1, 1, 2, 3, 3, 3, -1 },
        { -1, -1, 4, 5, 5, 5, -1 }, { -1, -1, -1, 6, 6, 6, -1 },
        { -1, -1, -1, -1, -1, -1, -1 }
    };
    for (int c = 0; c < 5; c++)
        for (int p = 0; p < 7; p++) CHECK(rg_label_class(c, p) == wanted[c][p]);
}

static void labels_what_stands_alone(void)
{
    rg_image *image = field();
    rg_label_source *sources;
    int n;
    add(image, 60, 60, 50);                              /* alone */
    add(image, 170, 60, 40);                             /* two peaks, one island */
    add(image, 175, 60, 40);
    add(image, 60, 180, 60);                             /* two islands */
    add(image, 69, 180, 50);
    add(image, 238, 180, 50);                            /* cut */
    add(image, 170, 220, 7);                             /* faint */
    CHECK_OK(rg_label_field(image, NULL, 0, &sources, &n));
    CHECK(class_at(sources, n, 60, 60) == 1);
    for (int i = 0; i < n; i++) {
        const rg_label_source *s = &sources[i];
        if (s->label.class_ == 1) CHECK(s->kind == RG_LABEL_ALONE && s->steady == 2);
        if (s->label.class_ == 4) CHECK(s->kind == RG_LABEL_PAIRED);
        if (s->label.class_ == 1) CHECK_NEAR(s->label.confidence, 0.95 * 0.96, 1e-9);
        if (s->label.class_ == 4) CHECK_NEAR(s->label.confidence, 0.86 * 0.75, 1e-9);
        if (s->label.class_ < 1) CHECK(s->label.confidence == 0);
    }
    CHECK(class_at(sources, n, 172.5, 60) == 2);
    CHECK(class_at(sources, n, 64.5, 180) == 4);
    CHECK(class_at(sources, n, 238, 180) == RG_CLASS_IGNORE);
    CHECK(class_at(sources, n, 170, 220) == RG_CLASS_IGNORE);
    CHECK(class_at(sources, n, 120, 120) == -9);
    free(sources);
    rg_image_free(image);
}

/* The box is that of the islands above 4 sigma. */
static void draws_boxes_at_four_sigma(void)
{
    rg_image *image = field();
    rg_label_source *sources;
    rg_island *islands;
    double median, sigma;
    int n, nislands;
    add(image, 120.3, 120.8, 300);
    CHECK_OK(rg_label_field(image, NULL, 0, &sources, &n));
    CHECK_OK(rg_image_noise(image->pixels, SIDE * SIDE, &median, &sigma));
    CHECK_OK(rg_island_find(image->pixels, SIDE, SIDE, 4 * sigma, 2, &islands,
                                &nislands, NULL));
    CHECK(n >= 1 && nislands >= 1);
    const rg_label *l = &sources[0].label;
    CHECK_NEAR(l->xmin, islands[0].x1 + 0.5, 1e-9);
    CHECK_NEAR(l->ymin, islands[0].y1 + 0.5, 1e-9);
    CHECK_NEAR(l->xmax, islands[0].x2 + 1.5, 1e-9);
    CHECK_NEAR(l->ymax, islands[0].y2 + 1.5, 1e-9);
    CHECK_NEAR(sources[0].peak, islands[0].peak / sigma, 0.05 * sources[0].peak);
    free(islands);
    free(sources);
    rg_image_free(image);
}

/* Two islands 63" apart are ambiguous by themselves, and not once one was told. */
static void believes_hints(void)
{
    rg_image *image = field();
    rg_label_source *sources;
    int n;
    add(image, 103, 120, 60);
    add(image, 138, 120, 50);
    CHECK_OK(rg_label_field(image, NULL, 0, &sources, &n));
    CHECK(class_at(sources, n, 103, 120) == RG_CLASS_IGNORE);
    free(sources);
    rg_label_hint hint = { .ra = 180, .dec = 30, .extent = 70 };
    CHECK_OK(rg_label_field(image, &hint, 1, &sources, &n));
    CHECK(class_at(sources, n, 120, 120) == 4);
    CHECK(n > 0 && sources[0].hint == 0 && sources[0].components == 2);
    CHECK(n > 0 && sources[0].kind == RG_LABEL_EXTENT);
    free(sources);
    hint.extent = 0;
    CHECK_OK(rg_label_field(image, &hint, 1, &sources, &n));
    CHECK(class_at(sources, n, 120, 120) == 4);
    free(sources);
    hint.extent = 25;                                    /* of something else */
    CHECK_OK(rg_label_field(image, &hint, 1, &sources, &n));
    CHECK(class_at(sources, n, 103, 120) == RG_CLASS_IGNORE);
    free(sources);
    rg_image_free(image);
}

/* A source of another extent than the hint's is ambiguous. */
static void doubts_wrong_extents(void)
{
    static const struct { double extent; int class_; } cases[] = {
        { 5, RG_CLASS_IGNORE }, { 40, 1 }, { 100, RG_CLASS_IGNORE }
    };
    rg_image *image = field();
    for (int i = 0; i < 7; i++) add(image, 114.5 + 2 * i, 120.5, 60);
    for (int i = 0; i < 3; i++) {
        rg_label_hint hint = { .ra = 180, .dec = 30, .extent = cases[i].extent };
        rg_label_source *sources;
        int n;
        CHECK_OK(rg_label_field(image, &hint, 1, &sources, &n));
        CHECK(class_at(sources, n, 120.5, 120.5) == cases[i].class_);
        free(sources);
    }
    rg_image_free(image);
}

static void believes_the_catalogue(void)
{
    rg_image *image = field();
    rg_label_source *sources;
    int n;
    rg_label_hint hint = { .class_ = 5, .ncomponents = 2 };
    add(image, 100, 100, 60);
    add(image, 150, 130, 50);
    CHECK_OK(rg_sky_to_world(image->sky, 100, 100, &hint.component[0].ra,
                             &hint.component[0].dec));
    CHECK_OK(rg_sky_to_world(image->sky, 150, 130, &hint.component[1].ra,
                             &hint.component[1].dec));
    CHECK_OK(rg_label_field(image, &hint, 1, &sources, &n));
    CHECK(class_at(sources, n, 125, 115) == 5);
    CHECK(n > 0 && sources[0].kind == RG_LABEL_LISTED);
    CHECK(n > 0 && sources[0].label.confidence == 1);
    free(sources);
    hint.component[1].dec += 0.02;                       /* nothing is there */
    CHECK_OK(rg_label_field(image, &hint, 1, &sources, &n));
    CHECK(class_at(sources, n, 100, 100) == RG_CLASS_IGNORE);
    free(sources);
    rg_image_free(image);
}

static void bears_odd_images(void)
{
    rg_image *image = field();
    rg_label_source *sources;
    int n;
    for (int p = 0; p < SIDE * SIDE; p++) image->pixels[p] = 1;
    CHECK_OK(rg_label_field(image, NULL, 0, &sources, &n));
    CHECK(n == 0);
    free(sources);
    for (int p = 0; p < SIDE * SIDE; p++) image->pixels[p] = NAN;
    CHECK(rg_label_field(image, NULL, 0, &sources, &n) == -1 && sources == NULL);
    rg_image_free(image);
    CHECK_OK(rg_image_new(&image, 10, 10, NULL));
    CHECK_FAILS(rg_label_field(image, NULL, 0, &sources, &n), "cannot be labelled");
    rg_image_free(image);
}

/* One position of "a;b;c"; moves on. */
static double position(char **text)
{
    return strtod(strsep(text, ";"), NULL);
}

static int agrees(const char *list, char *value[4])
{
    rg_image *image = NULL;
    rg_label_source *sources;
    rg_label_hint hint = { .ncomponents = 0 };
    int n, wanted;
    CHECK_OK(rg_boxes_class(value[1], &wanted));
    while (value[2] && value[3] && hint.ncomponents < RG_LABEL_COMPONENTS) {
        hint.component[hint.ncomponents].ra = position(&value[2]);
        hint.component[hint.ncomponents++].dec = position(&value[3]);
    }
    char *path = rg_dataset_locate(list, value[0]);
    CHECK_OK(path == NULL ? -1 : rg_image_read(&image, path));
    CHECK_OK(rg_label_field(image, &hint, 1, &sources, &n));
    int class_ = n ? rg_label_class(sources[0].components, sources[0].peaks) : 0;
    free(sources);
    rg_image_free(image);
    free(path);
    return class_ == wanted;
}

/* Every fourth source of the real list: the rule agrees for nine in ten of all. */
static void agrees_with_people(void)
{
    static const char *const columns[] = {
        "file", "class", "component_ra_deg", "component_dec_deg"
    };
    char list[4200], *value[4];
    const char *shared = check_shared();
    rg_csv *csv;
    int n = 0, agree = 0, row = 0;
    if (shared == NULL) CHECK_SKIP("no ../shared");
    snprintf(list, sizeof list, "%s/data/first/rgz_train.csv", shared);
    CHECK_OK(rg_csv_open(&csv, list, columns, 4, 4));
    while (rg_csv_next(csv, value) > 0) {
        if (row++ % 4) continue;
        n++;
        agree += agrees(list, value);
    }
    rg_csv_free(csv);
    CHECK(n == 52);
    CHECK(agree >= 0.85 * n);
}

int main(void)
{
    CHECK_RUN(names_classes);
    CHECK_RUN(labels_what_stands_alone);
    CHECK_RUN(draws_boxes_at_four_sigma);
    CHECK_RUN(believes_hints);
    CHECK_RUN(doubts_wrong_extents);
    CHECK_RUN(believes_the_catalogue);
    CHECK_RUN(bears_odd_images);
    CHECK_RUN(agrees_with_people);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
/* From an image to boxes, with the network of finder.h. */
#include "tests/finder.h"

#define SIDE (64 / 2 * RG_CLARAN_PIXEL)   /* of every box [arcsec] */
#define HALF_CELL 11.0                    /* what such a finder can be off [arcsec] */

static rg_detector *open_with(const rg_detect_options *options)
{
    return open_weights(make_weights(), options);
}

static rg_detector *open_default(void)
{
    return open_with(&rg_detect_defaults);
}

/* Whether the detection is a box about x, y [arcsec from the middle], by all it
 * says. */
static bool is_about(const rg_detection *f, const rg_image *image, double x, double y)
{
    double pixel = rg_sky_pixel_arcsec(image->sky), ra, dec;
    double cx = (image->nx + 1) / 2.0 + x / pixel;
    double cy = (image->ny + 1) / 2.0 + y / pixel;
    double px = (f->xmin + f->xmax) / 2, py = (f->ymin + f->ymax) / 2;
    rg_sky_to_world(image->sky, px, py, &ra, &dec);
    CHECK(rg_sky_separation(ra, dec, f->ra, f->dec) < 0.1);
    return fabs(px - cx) * pixel <= HALF_CELL && fabs(py - cy) * pixel <= HALF_CELL;
}

static void check_one(const rg_image *image, double x, double y, double angle)
{
    rg_detector *d = open_default();
    rg_detection *f = NULL;
    int n = 0;
    CHECK_OK(rg_detect(d, image, NULL, &f, &n));
    CHECK(n == 1);
    if (n == 1) {
        double pixel = rg_sky_pixel_arcsec(image->sky);
        CHECK(is_about(f, image, x, y));
        CHECK(f->class_ == 5 && f->second == 4);
        CHECK(f->probability > 0.8f && f->probability < 0.9f);
        CHECK_NEAR(f->second_probability, f->probability * exp(-2), 1e-3);
        CHECK_NEAR(f->width, SIDE, 0.01);
        CHECK_NEAR(f->height, SIDE, 0.01);
        CHECK_NEAR(f->xmax - f->xmin, SIDE / pixel, 0.05);
        CHECK_NEAR(remainder(f->angle - angle, 360), 0, 0.01);
    }
    free(f);
    rg_detect_close(d);
}

static void a_subject(void)
{
    rg_image *image = blank(100, 100, 1.8, 0);
    put_source(image, 20, -35, 0.01f);
    check_one(image, 20, -35, 0);
    rg_image_free(image);
}

static void other_sizes_and_scales(void)
{
    const struct { int nx, ny; double pixel; } frame[] = {
        { 132, 132, 1.375 }, { 60, 60, 3 }, { 360, 360, 0.5 }, { 120, 80, 1.8 },
        { 60, 60, 1.8 },
    };
    for (int i = 0; i < 5; i++) {
        rg_image *image = blank(frame[i].nx, frame[i].ny, frame[i].pixel, 0);
        put_source(image, -15, 25, 0.02f);
        check_one(image, -15, 25, 0);
        rg_image_free(image);
    }
}

/* Along the axes of an image that is turned: its boxes are too. */
static void a_turned_image(void)
{
    rg_image *image = blank(100, 100, 1.8, 30);
    double angle;
    int parity;
    put_source(image, 20, -35, 0.01f);
    CHECK_OK(rg_sky_orientation(image->sky, 50, 50, &angle, &parity));
    CHECK_NEAR(fabs(angle), 30, 0.01);
    check_one(image, 20, -35, angle);
    rg_image_free(image);
}

static void blanks_are_no_sources(void)
{
    rg_image *image = blank(100, 100, 1.8, 0);
    put_source(image, 20, -35, 0.01f);
    for (int i = 0; i < 100 * 100; i++)
        if (i % 100 < 12 || i / 100 > 90) image->pixels[i] = NAN;
    check_one(image, 20, -35, 0);
    rg_image_free(image);
}

static void windows_done(void *user, int done, int total)
{
    int *seen = user;
    CHECK(done == seen[0] + 1);
    seen[0] = done;
    seen[1] = total;
}

/* Sources in the middle of windows, on their edges, and near the image's own. */
static void field_of_windows(const char *backend)
{
    const double at[][2] = {
        { 0, 0 }, { 96, 0 }, { -180, -180 }, { -45, 187 }, { 135, 135 }, { 225, -60 },
        { -90, -90 }, { 96, -135 }, { -225, 45 }, { 5, 96 },
        { 101, 225 },
    };
    enum { SOURCES = sizeof at / sizeof *at };
    int progress[2] = { 0 }, n = 0;
    rg_detect_options options = rg_detect_defaults;
    options.scales = 1;
    options.backend = backend;
    options.progress = windows_done;
    options.user = progress;
    rg_detector *d = open_with(&options);
    rg_image *image = blank(300, 300, 1.8, 0);
    rg_detection *f = NULL;
    for (int i = 0; i < SOURCES; i++) put_source(image, at[i][0], at[i][1], 0.01f);
    /* bright only in a window that ends between it and its neighbour */
    put_source(image, 86, 225, 0.0001f);
    CHECK_OK(rg_detect(d, image, NULL, &f, &n));
    CHECK(progress[0] == 25 && progress[1] == 25);
    CHECK(n == SOURCES);
    for (int i = 0; i < SOURCES; i++) {
        int times = 0;
        for (int k = 0; k < n; k++) times += is_about(&f[k], image, at[i][0], at[i][1]);
        if (times != 1) printf("source %d: %d times\n", i, times);
        CHECK(times == 1);
    }
    for (int k = 1; k < n; k++) CHECK(f[k].probability <= f[k - 1].probability);
    free(f);
    rg_image_free(image);
    rg_detect_close(d);
}

static void a_field_of_windows(void)
{
    field_of_windows("auto");
}

/* 16 windows and then 9, the second fed while the first are on their way. */
static void a_field_of_windows_on_a_card(void)
{
    setenv("CLARAN_GPU", "./tests/claran-card.so", 1);
    field_of_windows("gpu");
}

/* The width of the one box in which a finder of these weights, which are freed, sees a
 * source at x [arcsec]; 0 where there is not one. */
static double width_of_one(rg_weights *w, rg_image *image, double x)
{
    rg_detect_options options = rg_detect_defaults;
    rg_detection *f = NULL;
    int n = 0;
    options.threshold = 0.1f;
    rg_detector *d = open_weights(w, &options);
    put_source(image, x, 0, 0.01f);
    CHECK_OK(rg_detect(d, image, NULL, &f, &n));
    CHECK(n == 1);
    double width = n == 1 ? f->width : 0;
    free(f);
    rg_image_free(image);
    rg_detect_close(d);
    return width;
}

/* A finder that is surest of boxes with the source on their left prefers the piece that
 * the edge of a window cuts off. */
static void whole_in_another_window(void)
{
    rg_weights *w = make_weights();
    set(w, "fc6", 0, 24, 0.3f);
    set(w, "fc6", 0, 22, 1);
    CHECK_NEAR(width_of_one(w, blank(200, 100, 1.8, 0), -78), SIDE, 0.01);
}

/* In a box of SIDE with P = 0.88 and one round it of 0.75, or with 0.53 and 0.15. */
static void a_source_and_its_part(void)
{
    for (int strong = 0; strong < 2; strong++) {
        rg_weights *w = make_weights();
        set(w, "rpn_cls_score", 6 + 4, 0, 20);
        rg_weights_find(w, "rpn_cls_score.bias")->data[6 + 4] = -10;
        set(w, "fc6", 0, 24, strong ? 0.5f : 0.2f);
        CHECK_NEAR(width_of_one(w, blank(100, 100, 1.8, 0), 0),
                   strong ? 2 * SIDE : SIDE, 0.01);
    }
}

static int count_with(rg_detect_options options, const rg_image *image)
{
    rg_detector *d = open_with(&options);
    rg_detection *f = NULL;
    int n = -1;
    CHECK_OK(rg_detect(d, image, NULL, &f, &n));
    if (options.all)
        for (int k = 0; k < n; k++) CHECK(f[k].probability > 0.05f && f[k].second == 0);
    free(f);
    rg_detect_close(d);
    return n;
}

static void thresholds_and_the_best(void)
{
    rg_image *image = blank(100, 100, 1.8, 0), *large = blank(200, 100, 1.8, 0);
    rg_detect_options options = rg_detect_defaults;
    put_source(image, 20, -35, 0.01f);
    put_source(large, 20, -35, 0.01f);
    CHECK(count_with(options, image) == 1);
    CHECK(count_with(options, large) == 1);
    options.threshold = 0.99f;
    CHECK(count_with(options, image) == 1);
    CHECK(count_with(options, large) == 0);
    options.best = false;
    CHECK(count_with(options, image) == 0);
    options.all = true;
    CHECK(count_with(options, image) == 2);
    rg_image_free(image);
    rg_image_free(large);
}

static bool is_same(const rg_detection *a, const rg_detection *b)
{
    return a->class_ == b->class_ && a->probability == b->probability
           && a->raw == b->raw && a->xmin == b->xmin && a->ymax == b->ymax
           && a->second == b->second && a->second_probability == b->second_probability;
}

/* The one label per source of all detections is what rg_detect says without them, in
 * one window and in many. */
static void choosing_afterwards(void)
{
    rg_image *image[] = { blank(100, 100, 1.8, 0), blank(300, 300, 1.8, 0) };
    for (int k = 0; k < 2; k++) {
        const float least[] = { 0, 0.8f, 0.99f };
        put_source(image[k], 20, -35, 0.01f);
        put_source(image[k], -40, 30, 0.009f);
        for (int i = 0; i < 3; i++) {
            rg_detect_options options = rg_detect_defaults;
            rg_detection *one = NULL, *all = NULL, *chosen = NULL;
            int n = 0, nall = 0, nchosen = 0;
            options.threshold = least[i];
            rg_detector *d = open_with(&options);
            CHECK_OK(rg_detect(d, image[k], NULL, &one, &n));
            rg_detect_close(d);
            options.all = true;
            d = open_with(&options);
            CHECK_OK(rg_detect(d, image[k], NULL, &all, &nall));
            CHECK_OK(rg_detect_choose(&options, image[k], least[i], all, nall,
                                      &chosen, &nchosen));
            CHECK(n == nchosen && nall > nchosen && (n > 0 || least[i] > 0.9f));
            for (int j = 0; j < n && j < nchosen; j++)
                CHECK(is_same(&one[j], &chosen[j]));
            rg_detect_close(d);
            free(one);
            free(all);
            free(chosen);
        }
        rg_image_free(image[k]);
    }
}

/* A calibrated model finds the same boxes in the same order, with other P. */
static void calibration_changes_numbers_only(void)
{
    rg_image *image = blank(200, 200, 1.8, 0);
    rg_detect_options options = rg_detect_defaults;
    rg_detection *f[2] = { NULL, NULL };
    int n[2] = { 0, 0 };
    options.all = true;
    put_source(image, 20, -35, 0.01f);
    put_source(image, -40, 30, 0.009f);
    for (int i = 0; i < 2; i++) {
        rg_claran fitted = model;
        fitted.calibration[0] = i ? 0.5f : 0;
        rg_weights *w = make_weights();
        CHECK_OK(rg_claran_describe(&fitted, w));
        rg_detector *d = open_weights(w, &options);
        CHECK(strlen(rg_detect_hash(d)) == (i ? 13 : 8));
        CHECK_OK(rg_detect(d, image, NULL, &f[i], &n[i]));
        rg_detect_close(d);
    }
    CHECK(n[0] == n[1] && n[0] > 2);
    for (int i = 0; i < n[0] && i < n[1]; i++) {
        CHECK(f[0][i].evidence[RG_EVIDENCE_FIT] == f[1][i].evidence[RG_EVIDENCE_FIT]);
        const double p = f[0][i].probability, odds = sqrt(p / (1 - p));
        CHECK(f[0][i].xmin == f[1][i].xmin && f[0][i].class_ == f[1][i].class_);
        CHECK(f[1][i].raw == f[0][i].raw && f[0][i].raw == f[0][i].probability);
        CHECK_NEAR(f[1][i].probability, odds / (1 + odds), 1e-5);
    }
    free(f[0]);
    free(f[1]);
    rg_image_free(image);
}

/* One label per source: the one whose calibrated probability is highest. */
static void calibration_chooses_the_label(void)
{
    rg_image *image = blank(100, 100, 1.8, 0);
    rg_detect_options options = rg_detect_defaults;
    rg_detection *f = NULL;
    int n = 0, best = 0;
    put_source(image, 0, 0, 0.01f);
    for (int i = 0; i < 2; i++) {
        rg_claran fitted = model;
        fitted.calibration[0] = (float)i;
        fitted.calibration[best] = i ? -50 : 0;
        rg_weights *w = make_weights();
        CHECK_OK(rg_claran_describe(&fitted, w));
        rg_detector *d = open_weights(w, &options);
        CHECK_OK(rg_detect(d, image, NULL, &f, &n));
        CHECK(n == 1 && f[0].class_ != best && f[0].raw > 0.05f);
        best = n == 1 ? f[0].class_ : 0;
        free(f);
        rg_detect_close(d);
    }
    rg_image_free(image);
}

static void images_without_emission(void)
{
    rg_image *flat = blank(100, 100, 1.8, 0);
    rg_detector *d = open_default();
    rg_detection *f = NULL;
    int n = -1;
    CHECK_OK(rg_detect(d, flat, NULL, &f, &n));
    free(f);
    rg_detect_close(d);
    rg_image_free(flat);
}

static void images_that_cannot_be_searched(void)
{
    rg_image *image = blank(100, 100, 1.8, 0), *flat = NULL;
    rg_image *coarse = blank(4000, 4000, 60, 0), *dot = blank(1, 1, 1.8, 0);
    rg_detector *d = open_default();
    rg_detection *f = NULL;
    int n;
    for (int i = 0; i < 100 * 100; i++) image->pixels[i] = NAN;
    CHECK_FAILS(rg_detect(d, image, NULL, &f, &n), "test.fits is blank");
    CHECK(f == NULL && n == 0);
    CHECK_OK(rg_image_new(&flat, 10, 10, NULL));
    snprintf(flat->name, sizeof flat->name, "flat.fits");
    snprintf(flat->sky_problem, sizeof flat->sky_problem, "CTYPE1 is FREQ");
    CHECK_FAILS(rg_detect(d, flat, NULL, &f, &n),
                "flat.fits cannot be searched: CTYPE1");
    CHECK_FAILS(rg_detect(d, coarse, NULL, &f, &n), "cut out");
    CHECK_FAILS(rg_detect(d, dot, NULL, &f, &n), "test.fits has 1 x 1 pixels");
    rg_detect_close(d);
    rg_image_free(image);
    rg_image_free(flat);
    rg_image_free(coarse);
    rg_image_free(dot);
}

static void models_that_cannot_be_used(void)
{
    rg_detect_options options = rg_detect_defaults;
    rg_detector *d = NULL;
    rg_weights *w = make_weights();
    CHECK_FAILS(rg_detect_open(&d, "/nowhere/model.fits", &options), "/nowhere");
    rg_weights_add(w, "fc7", (rg_shape){ 3, 3, 1, 1 }, NULL);
    CHECK_OK(rg_weights_write(w, path, false));
    CHECK_FAILS(rg_detect_open(&d, path, &options), "fc7");
    CHECK(d == NULL && strstr(rg_error_message(), path) != NULL);
    CHECK_OK(rg_weights_set_number(w, "INPUT", 1e6, NULL));
    CHECK_OK(rg_weights_write(w, path, false));
    CHECK_FAILS(rg_detect_open(&d, path, &options), "INPUT");
    rg_weights_free(w);
    rg_weights *few = NULL;
    CHECK_OK(rg_weights_new(&few));
    CHECK_OK(rg_claran_describe(&model, few));
    CHECK_OK(rg_weights_write(few, path, true));
    CHECK_FAILS(rg_detect_open(&d, path, &options), "conv1_1");
    rg_weights_free(few);
    options.threshold = NAN;
    CHECK_FAILS(rg_detect_open(&d, path, &options), "threshold");
    options = rg_detect_defaults;
    options.proposals = 0;
    CHECK_FAILS(rg_detect_open(&d, path, &options), "proposals");
    rg_detect_close(NULL);
}

static void backends_agree(void)
{
    rg_image *image = blank(100, 100, 1.8, 0);
    const char *names[2] = { "ref", "cpu" };
    rg_detection *f[2] = { NULL, NULL };
    put_source(image, 20, -35, 0.01f);
    for (int i = 0; i < 2; i++) {
        rg_detect_options options = rg_detect_defaults;
        int n = 0;
        options.backend = names[i];
        options.precision = RG_PRECISION_F32;
        rg_detector *d = open_with(&options);
        CHECK_OK(rg_detect(d, image, NULL, &f[i], &n));
        CHECK(n == 1 && rg_detect_precision(d) == RG_PRECISION_F32);
        CHECK(strlen(rg_detect_hash(d)) == 8 && rg_detect_model(d)->input == 264);
        rg_detect_close(d);
    }
    if (f[0] && f[1]) {
        CHECK_NEAR(f[0]->probability, f[1]->probability, 1e-4);
        CHECK_NEAR(f[0]->xmin, f[1]->xmin, 0.01);
    }
    free(f[0]);
    free(f[1]);
    rg_image_free(image);
}

/* Larger and smaller ones, and of each kind that fails. */
static rg_image *make_kind(int kind)
{
    const int side = kind == 1 ? 200 : kind == 3 ? 1 : 100;
    rg_image *image = blank(side, side, 1.8, 7 * kind);
    if (kind == 2)
        for (int i = 0; i < side * side; i++) image->pixels[i] = NAN;
    else if (kind != 3)
        put_source(image, 20 - 5 * kind, -35, 0.01f);
    if (kind == 1) put_source(image, -40, 60, 0.009f);
    return image;
}

static void a_list_is_as_one_by_one(void)
{
    enum { KINDS = 6, IMAGES = 40, LEFT = 7 };
    rg_image *image[KINDS];
    rg_detect_task list[IMAGES], alone;
    rg_detector *d = open_default();
    for (int i = 0; i < KINDS; i++) image[i] = make_kind(i);
    for (int i = 0; i < IMAGES; i++)
        list[i] = (rg_detect_task){ .radio = image[i % KINDS], .status = i == LEFT };
    rg_detect_list(d, list, IMAGES);
    for (int i = 0; i < IMAGES; i++) {
        alone = (rg_detect_task){ .radio = image[i % KINDS] };
        rg_detect_list(d, &alone, 1);
        CHECK(i == LEFT ? list[i].status == 1 && list[i].found == NULL
                        : list[i].status == alone.status && list[i].n == alone.n);
        CHECK(alone.status == (i % KINDS == 2 || i % KINDS == 3 ? -1 : 0));
        CHECK(i == LEFT || strcmp(list[i].sentence, alone.sentence) == 0);
        CHECK((alone.sentence[0] == '\0') == (alone.status == 0));
        CHECK(i == LEFT || list[i].looked == alone.looked);
        for (int k = 0; i != LEFT && k < alone.n && k < list[i].n; k++) {
            CHECK(list[i].found[k].probability == alone.found[k].probability);
            CHECK(list[i].found[k].ra == alone.found[k].ra);
            CHECK(list[i].found[k].ymax == alone.found[k].ymax);
        }
        free(alone.found);
        free(list[i].found);
    }
    for (int i = 0; i < KINDS; i++) rg_image_free(image[i]);
    rg_detect_close(d);
}

/* As many as are worth it, but not of large ones. */
static void lists_are_cut(void)
{
    rg_image *large = blank(600, 500, 1.8, 0), *small = blank(100, 100, 1.8, 0);
    rg_detect_task list[RG_DETECT_TOGETHER] = { { .radio = small } };
    CHECK(!rg_detect_enough(list, 0));
    CHECK(!rg_detect_enough(list, RG_DETECT_TOGETHER - 1));
    CHECK(rg_detect_enough(list, RG_DETECT_TOGETHER));
    list[1].radio = large;
    CHECK(!rg_detect_enough(list, 2));
    list[2].radio = large;
    CHECK(rg_detect_enough(list, 3));
    list[2].radio = NULL;
    list[0].infrared = list[1].infrared = list[2].infrared = small;
    CHECK(!rg_detect_enough(list, 3));
    list[2].infrared = large;
    CHECK(rg_detect_enough(list, 3));
    rg_image_free(large);
    rg_image_free(small);
}

static void boxes_go_to_windows_and_back(void)
{
    rg_image *image = blank(300, 300, 1.8, 20);
    rg_sky *window = NULL;
    const double fits[4] = { 140.5, 150.5, 170.5, 175.5 };
    double back[4];
    rg_box box;
    CHECK_OK(rg_sky_new_window(&window, image->sky, 160, 155, 132, RG_CLARAN_PIXEL));
    CHECK_OK(rg_detect_box_to_window(&model, image, window, fits, &box));
    CHECK_NEAR(box.x2 - box.x1 + 1, 30 * 1.8 / 1.375 * 2, 0.05);
    CHECK_NEAR(box.y2 - box.y1 + 1, 25 * 1.8 / 1.375 * 2, 0.05);
    CHECK_NEAR((box.x1 + box.x2 + 1) / 2, 132 + (155.5 - 160) * 1.8 / 1.375 * 2, 0.05);
    CHECK_OK(rg_detect_box_to_image(&model, image, window, box, back));
    for (int i = 0; i < 4; i++) CHECK_NEAR(back[i], fits[i], 0.02);
    rg_sky_free(window);

    double ra, dec;   /* north up: the box is turned by 20 degrees and grows */
    CHECK_OK(rg_sky_to_world(image->sky, 160, 155, &ra, &dec));
    CHECK_OK(rg_sky_new_tangent(&window, ra, dec, 132, RG_CLARAN_PIXEL));
    CHECK_OK(rg_detect_box_to_window(&model, image, window, fits, &box));
    double c = cos(20 * M_PI / 180), s = sin(20 * M_PI / 180);
    CHECK_NEAR(box.x2 - box.x1 + 1, (30 * c + 25 * s) * 1.8 / 1.375 * 2, 0.1);
    CHECK_NEAR(box.y2 - box.y1 + 1, (30 * s + 25 * c) * 1.8 / 1.375 * 2, 0.1);
    rg_sky_free(window);
    rg_image_free(image);
}

static void windows_without_pixels_say_so(void)
{
    rg_image *image = blank(50, 50, 1.8, 0);
    rg_sky *window = NULL;
    static uint8_t rgb[132 * 132 * 3];
    CHECK_OK(rg_sky_new_window(&window, image->sky, 500, 25, 132, RG_CLARAN_PIXEL));
    CHECK(rg_detect_window(model.method, image, NULL, window, rgb) == RG_DETECT_BLANK);
    rg_sky_free(window);
    rg_image_free(image);
}

int main(void)
{
    snprintf(path, sizeof path, "test_detect.%ld.fits", (long)getpid());
    CHECK_RUN(a_subject);
    CHECK_RUN(other_sizes_and_scales);
    CHECK_RUN(a_turned_image);
    CHECK_RUN(blanks_are_no_sources);
    CHECK_RUN(a_field_of_windows);
    CHECK_RUN(a_field_of_windows_on_a_card);
    CHECK_RUN(whole_in_another_window);
    CHECK_RUN(a_source_and_its_part);
    CHECK_RUN(thresholds_and_the_best);
    CHECK_RUN(choosing_afterwards);
    CHECK_RUN(calibration_changes_numbers_only);
    CHECK_RUN(calibration_chooses_the_label);
    CHECK_RUN(images_without_emission);
    CHECK_RUN(images_that_cannot_be_searched);
    CHECK_RUN(models_that_cannot_be_used);
    CHECK_RUN(backends_agree);
    CHECK_RUN(a_list_is_as_one_by_one);
    CHECK_RUN(lists_are_cut);
    CHECK_RUN(boxes_go_to_windows_and_back);
    CHECK_RUN(windows_without_pixels_say_so);
    remove(path);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "core/detector/detect.h"
#include "core/image/island.h"
#include "core/data/simulate.h"
#include "core/learning/subject.h"
#include "tests/check.h"

enum { SIDE = RG_CLARAN_SUBJECT, N = SIDE * SIDE, FIELDS = 6 };

static char folder[64] = "/tmp/claran-test-subject.XXXXXX";
static rg_dataset *list;
static rg_subjects *subjects, *with_infrared;
static float data[3 * N], again[3 * N];

static rg_claran model_of(rg_method method)
{
    rg_claran model = rg_claran_paper;
    model.input = SIDE;
    model.method = method;
    return model;
}

/* Simulated fields, each with an infrared image that has one star 20 pixels to the
 * right of the middle of its first label. */
static int write_field(int i, FILE *csv)
{
    rg_simulation how = rg_simulate_defaults;
    rg_simulated field;
    char path[128];
    how.density = 2;
    RG_TRY(rg_simulate_field(&how, i, &field));
    snprintf(path, sizeof path, "%s/%d.fits", folder, i);
    RG_TRY(rg_image_write(field.radio, path, NULL));
    const rg_label *l = field.labels;
    rg_image *r = field.radio;
    double x = (l->xmin + l->xmax) / 2 + 20, y = (l->ymin + l->ymax) / 2;
    for (int p = 0; p < r->nx * r->ny; p++) {
        double e = p % r->nx + 1 - x, g = p / r->nx + 1 - y;
        r->pixels[p] = (float)(exp(-(e * e + g * g) / 4) + 1e-4 * (p % 7));
    }
    snprintf(path, sizeof path, "%s/%d_ir.fits", folder, i);
    RG_TRY(rg_image_write(r, path, NULL));
    for (int k = 0; k < field.n; k++, l++)
        fprintf(csv, "%d.fits,%s,%g,%g,%g,%g,%d_ir.fits\n", i,
                l->class_ > 0 ? rg_boxes_class_name[l->class_] : "?", l->xmin, l->ymin,
                l->xmax, l->ymax, i);
    rg_simulate_clear(&field);
    return 0;
}

static int make_list(void)
{
    char path[128];
    if (mkdtemp(folder) == NULL) return RG_FAIL("no folder");
    snprintf(path, sizeof path, "%s/list.csv", folder);
    FILE *csv = fopen(path, "w");
    if (csv == NULL) return RG_FAIL("no list");
    fprintf(csv, "file,class,xmin,ymin,xmax,ymax,ir\n");
    for (int i = 0; i < FIELDS; i++) RG_TRY(write_field(i, csv));
    fclose(csv);
    RG_TRY(rg_dataset_read(&list, path));
    const rg_dataset *const lists[] = { list };
    RG_TRY(rg_subjects_new(&subjects, lists, 1, 0.5, false));
    return rg_subjects_new(&with_infrared, lists, 1, 0.5, true);
}

static double overlap(rg_box a, rg_box b)
{
    double w = fmin(a.x2, b.x2) - fmax(a.x1, b.x1);
    double h = fmin(a.y2, b.y2) - fmax(a.y1, b.y1), both = fmax(w, 0) * fmax(h, 0);
    double all = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1);
    return both / (all - both);
}

/* Where nothing is asked for, pixels and boxes are those of the window as detection has
 * it: the examples of before there was anything to ask for. */
static void nothing_asked_nothing_changed(void)
{
    const rg_claran model = model_of(RG_METHOD_D1);
    const rg_subject_options how = { .shift = 30, .balance = 0.5 };
    uint8_t rgb[3 * N];
    for (uint64_t seed = 0; seed < 8; seed++) {
        rg_subject subject;
        rg_image *image;
        rg_sky *window;
        int shown = 0;
        CHECK_OK(rg_subject_draw(subjects, &model, &how, seed, data, &subject));
        CHECK_OK(rg_image_read(&image, subject.field->path));
        CHECK_OK(rg_sky_new_window(&window, image->sky, subject.x, subject.y, SIDE,
                                   RG_CLARAN_PIXEL));
        CHECK_OK(rg_detect_window(model.method, image, NULL, window, rgb));
        rg_claran_input(&model, rgb, again);
        CHECK(memcmp(data, again, sizeof data) == 0);
        for (int i = 0; i < subject.field->nlabels; i++) {
            const rg_label *l = &subject.field->labels[i];
            const double fits[4] = { l->xmin, l->ymin, l->xmax, l->ymax };
            rg_box box;
            CHECK_OK(rg_detect_box_to_window(&model, image, window, fits, &box));
            box = rg_boxes_clip(box, SIDE, SIDE);
            for (int t = 0; t < subject.n; t++)
                shown += overlap(box, subject.truths[t].box) > 0.999;
        }
        CHECK(shown == subject.n);
        rg_sky_free(window);
        rg_image_free(image);
    }
}

/* The box round the islands above 4 sigma of a plane whose middles are in `box`. */
static rg_box label_anew(const float *pixels, rg_box box, double sigma)
{
    rg_island *islands;
    int n;
    rg_box found = { 1e9f, 1e9f, -1e9f, -1e9f };
    CHECK_OK(rg_island_find(pixels, SIDE, SIDE, 4 * sigma, 2, &islands, &n, NULL));
    for (int i = 0; i < n; i++) {
        const rg_island *s = &islands[i];
        if (s->peak < RG_ISLAND_BASE * sigma || s->x + 1 < box.x1 || s->x + 1 > box.x2
            || s->y + 1 < box.y1 || s->y + 1 > box.y2) continue;
        found.x1 = fminf(found.x1, (float)s->x1 + 0.5f);
        found.y1 = fminf(found.y1, (float)s->y1 + 0.5f);
        found.x2 = fmaxf(found.x2, (float)s->x2 + 1.5f);
        found.y2 = fmaxf(found.y2, (float)s->y2 + 1.5f);
    }
    free(islands);
    return found;
}

static void compare_boxes(const rg_subject *subject, const rg_claran *model,
                          double *sum, double *low, int *n)
{
    static float pixels[N];
    rg_image *image;
    rg_sky *window;
    double median, sigma;
    CHECK_OK(rg_image_read(&image, subject->field->path));
    CHECK_OK(rg_image_noise(image->pixels, (size_t)image->nx * image->ny, &median,
                            &sigma));
    CHECK_OK(rg_sky_new_turned(&window, image->sky, subject->x, subject->y, SIDE,
                               subject->pixel, subject->turn));
    CHECK_OK(rg_image_resample(image, window, SIDE, SIDE, pixels));
    for (int t = 0; t < subject->n; t++) {
        rg_box box = rg_claran_to_subject(model, subject->truths[t].box);
        if (subject->truths[t].class_ < 1 || box.x1 < 1 || box.y1 < 1
            || box.x2 > SIDE || box.y2 > SIDE) continue;
        double iou = overlap(box, label_anew(pixels, box, sigma));
        *sum += iou;
        *low += iou < 0.8;
        ++*n;
    }
    rg_sky_free(window);
    rg_image_free(image);
}

/* Turned by any angle, the boxes are those that the label rule draws in the turned
 * window.  A box carried by its corners would be twice as large at 45 degrees. */
static void turned_boxes_stay_tight(void)
{
    const rg_claran model = model_of(RG_METHOD_D1);
    const rg_subject_options how = { .shift = 20, .balance = 0.5, .augment =
        { .rotate = 1, .zoom = { 0.8, 1.25 } } };
    double sum = 0, low = 0;
    int n = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        rg_subject subject;
        CHECK_OK(rg_subject_draw(subjects, &model, &how, seed, data, &subject));
        compare_boxes(&subject, &model, &sum, &low, &n);
    }
    printf("%d turned boxes: mean IoU %.3f, %.1f %% below 0.8\n", n, sum / n,
           100 * low / n);
    CHECK(n > 30);
    CHECK(sum / n > 0.87);
    CHECK(low < 0.1 * n);
}

/* The star keeps its distance and its side, in units of the window's pixels. */
static void infrared_is_turned_alike(void)
{
    const rg_claran model = model_of(RG_METHOD_D3);
    const rg_subject_options how = { .shift = 10, .balance = 0.5, .augment =
        { .rotate = 1, .zoom = { 0.8, 1.25 } } };
    int seen = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        rg_subject subject;
        double ra, dec, x, y, sum[3] = { 0 };
        float top = 0;
        rg_image *image;
        rg_sky *window;
        CHECK_OK(rg_subject_draw(with_infrared, &model, &how, seed, data, &subject));
        const float *green = data + N;
        for (int i = 0; i < N; i++) top = fmaxf(top, green[i]);
        for (int i = 0; i < N; i++) {
            if (green[i] < top) continue;
            sum[0] += i % SIDE + 1;
            sum[1] += SIDE - i / SIDE;
            sum[2]++;
        }
        CHECK_OK(rg_image_read(&image, subject.field->path));
        CHECK_OK(rg_sky_new_turned(&window, image->sky, subject.x, subject.y, SIDE,
                                   subject.pixel, subject.turn));
        const rg_label *l = subject.field->labels;
        CHECK_OK(rg_sky_to_world(image->sky, (l->xmin + l->xmax) / 2 + 20,
                                 (l->ymin + l->ymax) / 2, &ra, &dec));
        CHECK_OK(rg_sky_to_pixel(window, ra, dec, &x, &y));
        if (x > 4 && y > 4 && x < SIDE - 4 && y < SIDE - 4) {
            seen++;
            CHECK_NEAR(sum[0] / sum[2], x, 1);
            CHECK_NEAR(sum[1] / sum[2], y, 1);
        }
        rg_sky_free(window);
        rg_image_free(image);
    }
    CHECK(seen > 10);
}

/* Half as large, a field of 4.5' leaves much of a window to fill: not with one hue. */
static void corners_are_noise(void)
{
    const rg_claran model = model_of(RG_METHOD_D1);
    const rg_subject_options how = { .augment = { .rotate = 1, .zoom = { 0.5, 0.5 } } };
    rg_subject subject;
    int same = 0;
    CHECK_OK(rg_subject_draw(subjects, &model, &how, 3, data, &subject));
    for (int i = 1; i < N; i++) same += data[i] == data[i - 1];
    CHECK(same < N / 10);
}

/* What a window of 3' does not hold is drawn as one of the detector's larger ones sees
 * it, whole and no smaller than it must be. */
static void large_sources_are_whole(void)
{
    const rg_claran model = model_of(RG_METHOD_D1);
    const rg_subject_options how = { .balance = 0.5, .shift = 10,
                                     .augment = { .zoom = { 0.999, 1.001 } } };
    rg_label *large = &list->fields[0].labels[0];
    const rg_label before = *large;
    rg_field *const only = &list->fields[0];
    const double size = 240, half = size / 2 / rg_simulate_defaults.pixel;
    const rg_dataset one = { .fields = only, .nfields = 1, .count = { 0, 1 } };
    const rg_dataset *const lists[] = { &one };
    const int all = only->nlabels;
    rg_subjects *drawn;
    rg_subject subject;
    *large = (rg_label){ .class_ = 1, .xmin = 75 - half, .xmax = 75 + half,
                         .ymin = 70, .ymax = 80 };
    only->nlabels = 1;
    CHECK_OK(rg_subjects_new(&drawn, lists, 1, 0.5, false));
    for (uint64_t seed = 0; seed < 5; seed++) {
        CHECK_OK(rg_subject_draw(drawn, &model, &how, seed, data, &subject));
        CHECK_NEAR(subject.pixel, 2 * RG_CLARAN_PIXEL, 0.01);
        CHECK(subject.n == 1 && subject.truths[0].class_ == 1);
        CHECK_NEAR(subject.truths[0].box.x2 - subject.truths[0].box.x1,
                   size / (2 * RG_CLARAN_PIXEL), 2);
    }
    rg_subjects_free(drawn);
    *large = before;
    only->nlabels = all;
}

static void same_seed_same_subject(void)
{
    const rg_claran model = model_of(RG_METHOD_D1);
    const rg_subject_options how = { .flips = 1, .turns = 1, .shift = 30,
        .balance = 0.5, .augment = { .rotate = 0.5, .zoom = { 0.8, 1.2 }, .faint = 0.5,
                                     .brighten = 2 } };
    for (uint64_t seed = 0; seed < 10; seed++) {
        rg_subject one, two;
        CHECK_OK(rg_subject_draw(subjects, &model, &how, seed, data, &one));
        CHECK_OK(rg_subject_draw(subjects, &model, &how, seed, again, &two));
        CHECK(memcmp(data, again, sizeof data) == 0 && one.n == two.n);
        for (int t = 0; t < one.n; t++)
            CHECK(one.truths[t].box.x1 == two.truths[t].box.x1);
    }
}

/* Asked for windows without sources, some of large fields' are; a training step can be
 * made of them (test_train). */
static void windows_can_be_empty(void)
{
    const rg_claran model = model_of(RG_METHOD_D1);
    rg_subject_options how = { .balance = 0.5, .augment = { .zoom = { 2, 2 } } };
    int without = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        rg_subject subject;
        how.augment.empty = seed < 10;
        CHECK_OK(rg_subject_draw(subjects, &model, &how, seed, data, &subject));
        without += subject.n == 0;
    }
    CHECK(without == 10);
}

int main(void)
{
    if (make_list() != 0) {
        printf("FAIL %s\n", rg_error_message());
        return EXIT_FAILURE;
    }
    CHECK_RUN(nothing_asked_nothing_changed);
    CHECK_RUN(turned_boxes_stay_tight);
    CHECK_RUN(infrared_is_turned_alike);
    CHECK_RUN(corners_are_noise);
    CHECK_RUN(large_sources_are_whole);
    CHECK_RUN(same_seed_same_subject);
    CHECK_RUN(windows_can_be_empty);
    rg_subjects_free(subjects);
    rg_subjects_free(with_infrared);
    rg_dataset_free(list);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0);
    return CHECK_END();
}

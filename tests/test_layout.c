/* SPDX-License-Identifier: MIT */
/* Windows larger than 3', and images of any size, pixel and projection. */
#include "core/detector/layout.h"
#include "tests/finder.h"

#define HALF_CELL 11.0            /* what the finder can be off in one [arcsec] */

/* The second channel of conv5_3: 1 where neither a cell nor one beside it is bright. */
static void add_darkness(rg_weights *w)
{
    rg_weight *t = rg_weights_find(w, "conv5_3");
    float *kernel = t->data + (size_t)t->shape.c * 9;
    const int cross[] = { 1, 3, 4, 5, 7 };
    for (int k = 0; k < 5; k++) kernel[cross[k]] = -1;
    rg_weights_find(w, "conv5_3.bias")->data[1] = 1;
}

/* A finder that sees 1C_1P where the middle of its box is bright, and surely 3C_3P
 * where a place on its left and one on its right are, too, in a box of 128 of 264
 * pixels: 88", 176", 352" by scale; that of 1C_1P is 0.49 times as wide. */
static rg_weights *make_triple_finder(void)
{
    rg_weights *w = make_weights();
    float *anchor = rg_weights_find(w, "rpn_cls_score.bias")->data + 6;
    float *class_ = rg_weights_find(w, "cls_score.bias")->data;
    anchor[3] = -20;
    anchor[4] = -10;
    set(w, "rpn_cls_score", 6 + 3, 0, 0);
    set(w, "rpn_cls_score", 6 + 4, 0, 20);
    add_darkness(w);
    set(w, "fc6", 0, 24, 0);
    set(w, "fc6", 0, 49 + 24, -1);
    for (int x = 22; x <= 26; x += 2) set(w, "fc6", 1, 49 + x, -1);
    for (int unit = 0; unit < 2; unit++)
        rg_weights_find(w, "fc6.bias")->data[unit] = 1;
    set(w, "fc7", 1, 1, 1);
    for (int c = 1; c < RG_CLASSES; c++) {
        set(w, "cls_score", c, 0, 0);
        class_[c] = -20;
    }
    set(w, "cls_score", 1, 0, 40);
    set(w, "cls_score", 6, 1, 200);
    for (int k = 2; k < 4; k++)
        rg_weights_find(w, "bbox_pred.bias")->data[4 + k] = logf(0.49f);
    return w;
}

/* Every detection in 9.3' x 9.3' by windows of so many sizes of peaks at x, y [arcsec
 * from the middle]. */
static rg_detection *find(const double at[][2], int npeaks, int scales, int *n)
{
    rg_detect_options options = rg_detect_defaults;
    rg_image *image = blank(310, 310, 1.8, 0);
    rg_detection *f = NULL;
    options.scales = scales;
    options.all = true;
    rg_detector *d = open_weights(make_triple_finder(), &options);
    for (int i = 0; i < npeaks; i++) put_source(image, at[i][0], at[i][1], 0.01f);
    CHECK_OK(rg_detect(d, image, NULL, &f, n));
    rg_detect_close(d);
    rg_image_free(image);
    return f;
}

/* The paper's Figure 15: a source that is broken in 3' is one in a larger window, that
 * of its size and no other. */
static void a_large_source_is_one_box(void)
{
    const double side = 128 / 2 * RG_CLARAN_PIXEL;   /* of a box at scale 0 */
    for (int scale = 0; scale < 3; scale++) {
        const double arm = 0.31 * ldexp(side, scale);
        const double at[3][2] = { { 40 - arm, -30 }, { 40, -30 }, { 40 + arm, -30 } };
        for (int scales = 1; scales < 4; scales++) {
            int n = 0, whole = 0, parts = 0;
            rg_detection *f = find(at, 3, scales, &n);
            for (int k = 0; k < n; k++) {
                parts += f[k].class_ == 1 && f[k].scale == 0;
                if (f[k].class_ != 6) continue;
                whole++;
                CHECK(f[k].scale == scale);
                CHECK_NEAR(f[k].width, ldexp(side, scale), 0.01);
                CHECK_NEAR((f[k].xmin + f[k].xmax) / 2, 155.5 + 40 / 1.8,
                           ldexp(HALF_CELL / 1.8, scale));
                CHECK_NEAR((f[k].ymin + f[k].ymax) / 2, 155.5 - 30 / 1.8,
                           ldexp(HALF_CELL / 1.8, scale));
            }
            CHECK(whole == (scale < scales) && parts > 1);
            free(f);
        }
    }
}

/* In the image's corner a window of 3' shows all of it, and does not know it: a larger
 * window, which takes it for a triple, does not know better. */
static void finer_windows_that_show_all_of_it_decide(void)
{
    const double arm = 0.31 * 128 * RG_CLARAN_PIXEL;
    const double x = -193, y = -193;
    const double at[3][2] = { { x - arm, y }, { x, y }, { x + arm, y } };
    int n = 0;
    rg_detection *f = find(at, 3, 2, &n);
    CHECK(n >= 3);
    for (int k = 0; k < n; k++) CHECK(f[k].scale == 0 && f[k].class_ == 1);
    free(f);
}

static void small_sources_stay(void)
{
    const double at[3][2] = { { 0, 0 }, { 100, 170 }, { -150, 20 } };
    int n[2] = { 0, 0 };
    for (int i = 0; i < 2; i++) {
        rg_detection *f = find(at, 3, 1 + 2 * i, &n[i]);
        for (int k = 0; k < n[i]; k++) CHECK(f[k].scale == 0 && f[k].class_ == 1);
        free(f);
    }
    CHECK(n[0] >= 3 && n[0] == n[1]);
}

/* A detection of P in a box about pixel x, y, so many pixels wide and high. */
static rg_detection box_of(int scale, bool cut, float p, double x, double y,
                           double wide, double high)
{
    return (rg_detection){ .class_ = 1 + scale, .scale = scale, .cut = cut, .raw = p,
        .probability = p, .width = 1.8 * wide, .height = 1.8 * high,
        .xmin = x - wide / 2, .xmax = x + wide / 2, .ymin = y - high / 2,
        .ymax = y + high / 2 };
}

/* Of a whole, 150 x 60 pixels, and one more detection in it, best first: which of them
 * is shown. */
static void check_choice(float p, rg_detection other, bool whole, bool part)
{
    rg_image *image = blank(310, 310, 1.8, 0);
    rg_detector *d = open_weights(make_weights(), &rg_detect_defaults);
    rg_detection both[2] = { box_of(1, false, p, 150, 150, 150, 60), other };
    rg_detection *f = NULL;
    int n = 0, seen[2] = { 0, 0 };
    if (other.probability > p) both[1] = both[0], both[0] = other;
    CHECK_OK(rg_detect_choose(rg_detect_how(d), image, 0.8f, both, 2, &f, &n));
    for (int k = 0; k < n; k++) seen[f[k].scale > 0]++;
    CHECK(n == whole + part && seen[1] == whole && seen[0] == part);
    free(f);
    rg_detect_close(d);
    rg_image_free(image);
}

static void a_whole_and_its_parts(void)
{
    const rg_detection piece = box_of(0, true, 0.99f, 150, 150, 70, 55);
    const rg_detection lobe = box_of(0, false, 0.99f, 110, 150, 50, 40);
    const rg_detection spot = box_of(0, false, 0.99f, 110, 150, 20, 20);
    const rg_detection faint = box_of(0, false, 0.7f, 110, 150, 20, 20);
    const rg_detection apart = box_of(0, true, 0.99f, 110, 250, 20, 20);
    check_choice(0.85f, piece, true, false);
    check_choice(0.70f, piece, false, true);    /* a whole that is not shown */
    check_choice(0.85f, lobe, true, false);
    check_choice(0.85f, spot, false, true);
    check_choice(0.999f, spot, false, true);
    check_choice(0.85f, faint, true, false);
    check_choice(0.85f, apart, true, true);
}

/* ---- any field ---- */

/* A round blob, in the sky, at pixel x, y. */
static void put_at(rg_image *image, double x, double y)
{
    double ra, dec, ra2, dec2;
    const double width = fmax(2.3, 0.6 * rg_sky_pixel_arcsec(image->sky));
    CHECK_OK(rg_sky_to_world(image->sky, x, y, &ra, &dec));
    for (int j = 1; j <= image->ny; j++)
        for (int i = 1; i <= image->nx; i++) {
            if (fabs(i - x) > 40 || fabs(j - y) > 40) continue;
            CHECK_OK(rg_sky_to_world(image->sky, i, j, &ra2, &dec2));
            double r = rg_sky_separation(ra, dec, ra2, dec2) / width;
            image->pixels[(size_t)(j - 1) * image->nx + i - 1] +=
                0.01f * (float)exp(-r * r / 2);
        }
}

/* How many of the detections are about pixel x, y. */
static int times(const rg_image *image, const rg_detection *f, int n, double x,
                 double y)
{
    double ra, dec;
    int found = 0;
    CHECK_OK(rg_sky_to_world(image->sky, x, y, &ra, &dec));
    for (int k = 0; k < n; k++)
        found += rg_sky_separation(ra, dec, f[k].ra, f[k].dec) < 1.5 * HALF_CELL;
    return found;
}

/* Eight sources in an image of the projection: each once, by windows of 3'. */
static void check_field(const char *projection, double dec, double pixel, int nx,
                        int ny)
{
    static const double at[][2] = {
        { 0.07, 0.1 }, { 0.26, 0.3 }, { 0.5, 0.5 }, { 0.74, 0.27 }, { 0.93, 0.55 },
        { 0.62, 0.87 }, { 0.22, 0.7 }, { 0.05, 0.92 },
    };
    rg_detect_options options = rg_detect_defaults;
    rg_image *image = blank_in(projection, dec, nx, ny, pixel, 0);
    rg_detect_task task = { .radio = image };
    options.scales = 1;
    rg_detector *d = open_weights(make_weights(), &options);
    for (int i = 0; i < 8; i++) put_at(image, at[i][0] * nx, at[i][1] * ny);
    rg_detect_list(d, &task, 1);
    CHECK(task.status == 0 && task.sentence[0] == '\0');
    for (int i = 0; i < 8; i++)
        CHECK(times(image, task.found, task.n, at[i][0] * nx, at[i][1] * ny) == 1);
    if (check_failed_)
        printf("... %s at %g with %g\": %d\n", projection, dec, pixel, task.n);
    free(task.found);
    rg_detect_close(d);
    rg_image_free(image);
}

static void pixels_and_projections(void)
{
    check_field("TAN", 12, 0.6, 900, 900);
    check_field("TAN", -70, 6, 90, 90);
    check_field("SIN", 45, 1.8, 300, 200);
    check_field("CAR", 1, 1.8, 300, 300);
    check_field("CAR", 60, 1.8, 600, 300);      /* pixels half as wide as high */
    check_field("CAR", 75, 6, 350, 90);
    check_field("CAR", 88, 6, 350, 160);        /* the last windows are off the sky */
}

/* What has no value is passed over. */
static void one_finite_corner(void)
{
    rg_detect_options options = rg_detect_defaults;
    rg_image *image = blank(1000, 1000, 1.8, 0);
    rg_detect_task task = { .radio = image };
    for (int i = 0; i < 1000 * 1000; i++)
        if (i % 1000 < 880 || i / 1000 < 880) image->pixels[i] = NAN;
    options.scales = 3;
    options.all = true;
    rg_detector *d = open_weights(make_weights(), &options);
    put_at(image, 940, 935);
    rg_detect_list(d, &task, 1);
    CHECK(task.n > 0 && times(image, task.found, task.n, 940, 935) == task.n);
    CHECK(task.looked == 3 * 3 + 2 * 2 + 1);
    free(task.found);
    rg_detect_close(d);
    rg_image_free(image);
}

static void sizes_that_are_none(void)
{
    rg_detect_options options = rg_detect_defaults;
    rg_detector *d = NULL;
    for (int i = 0; i < 2; i++) {
        options.scales = i ? RG_LAYOUT_SCALES + 1 : 0;
        CHECK_FAILS(rg_detect_open(&d, path, &options), "window sizes");
    }
}

int main(void)
{
    snprintf(path, sizeof path, "test_layout.%ld.fits", (long)getpid());
    CHECK_RUN(a_large_source_is_one_box);
    CHECK_RUN(finer_windows_that_show_all_of_it_decide);
    CHECK_RUN(small_sources_stay);
    CHECK_RUN(a_whole_and_its_parts);
    CHECK_RUN(pixels_and_projections);
    CHECK_RUN(one_finite_corner);
    CHECK_RUN(sizes_that_are_none);
    remove(path);
    return CHECK_END();
}

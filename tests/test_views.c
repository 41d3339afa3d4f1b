/* SPDX-License-Identifier: MIT */
/* Mirrored windows, and what is seen in several of them as one list. */
#include "core/detector/views.h"
#include "core/engine/random.h"
#include "tests/finder.h"

enum { SIDE = RG_CLARAN_SUBJECT, BYTES = SIDE * SIDE * 3, INPUT = 256 };

static uint8_t window[BYTES], other[BYTES], back[BYTES];

/* ---- one view ---- */

static void mirroring_twice_is_the_window(void)
{
    for (int i = 0; i < BYTES; i++)
        window[i] = (uint8_t)(rg_random_mix(5, (uint64_t)i) >> 56);
    for (int view = 0; view < RG_VIEWS_MOST; view++) {
        rg_views_show(window, view, other);
        rg_views_show(other, view, back);
        CHECK(memcmp(window, back, BYTES) == 0);
        CHECK((memcmp(window, other, BYTES) == 0) == (view == 0));
    }
    rg_views_show(window, 1, other);                /* left to right, of a row */
    CHECK(memcmp(window + 3 * 7 * SIDE, other + 3 * (8 * SIDE - 1), 3) == 0);
    rg_views_show(window, 2, other);                /* a row as it is, elsewhere */
    CHECK(memcmp(window, other + 3 * SIDE * (SIDE - 1), 3 * SIDE) == 0);
}

/* A bright rectangle and the box round it are mirrored alike. */
static void boxes_are_where_the_pixels_are(void)
{
    const rg_claran network = { .input = INPUT };
    const rg_box fits = { 20.5f, 30.5f, 24.5f, 50.5f };  /* x 20 .. 23, y 30 .. 49 */
    const rg_box box = rg_claran_from_subject(&network, fits);
    for (int view = 0; view < RG_VIEWS_MOST; view++) {
        rg_box seen = { INPUT, INPUT, -1, -1 };
        memset(window, 0, BYTES);
        for (int y = 30; y < 50; y++) memset(window + 3 * (y * SIDE + 20), 255, 3 * 4);
        rg_views_show(window, view, other);
        for (int i = 0; i < SIDE * SIDE; i++) {
            const float x = (float)(i % SIDE) + 0.5f, y = (float)(i / SIDE) + 0.5f;
            if (other[3 * i] == 0) continue;
            const rg_box one = rg_claran_from_subject(
                &network, (rg_box){ x, y, x + 1, y + 1 });
            seen = (rg_box){ fminf(seen.x1, one.x1), fminf(seen.y1, one.y1),
                             fmaxf(seen.x2, one.x2), fmaxf(seen.y2, one.y2) };
        }
        const rg_box same = rg_views_box(seen, view, INPUT);
        CHECK_NEAR(same.x1, box.x1, 1e-3);
        CHECK_NEAR(same.y1, box.y1, 1e-3);
        CHECK_NEAR(same.x2, box.x2, 1e-3);
        CHECK_NEAR(same.y2, box.y2, 1e-3);
        const rg_box again = rg_views_box(rg_views_box(box, view, INPUT), view, INPUT);
        CHECK_NEAR(again.x1 + again.y1 + again.x2 + again.y2,
                   box.x1 + box.y1 + box.x2 + box.y2, 1e-3);
    }
}

/* ---- several ---- */

static double logit(double p)
{
    return log(p / (1 - p));
}

static double joined(double sum_of_logits, int views)
{
    return 1 / (1 + exp(-sum_of_logits / views));
}

static void overlapping_boxes_are_one(void)
{
    rg_seen list[] = {
        { { 10, 10, 49, 49 }, 5, 0, 0.7f }, { { 14, 12, 51, 51 }, 5, 1, 0.9f },
        { { 12, 10, 49, 49 }, 5, 1, 0.6f },                 /* the same view again */
        { { 10, 10, 49, 49 }, 4, 0, 0.3f },                 /* another class */
        { { 14, 12, 90, 51 }, 5, 0, 0.2f },                 /* IoU 0.49 */
        { { 100, 100, 119, 119 }, 1, 1, 0.8f },             /* of one view only */
    };
    const double lacking = logit(0.02);
    CHECK(rg_views_join(list, 6, 2) == 4);
    CHECK(list[0].class_ == 5 && list[1].class_ == 1 && list[2].class_ == 4
          && list[3].class_ == 5);
    CHECK_NEAR(list[0].probability, joined(logit(0.9) + logit(0.7), 2), 1e-6);
    CHECK_NEAR(list[1].probability, joined(logit(0.8) + lacking, 2), 1e-6);
    CHECK_NEAR(list[2].probability, joined(logit(0.3) + lacking, 2), 1e-6);
    CHECK_NEAR(list[3].probability, joined(logit(0.2) + lacking, 2), 1e-6);
    CHECK(list[0].box.x1 == 12 && list[0].box.y1 == 11 && list[0].box.x2 == 50
          && list[0].box.y2 == 50);
    CHECK(list[1].box.x1 == 100 && list[1].box.y2 == 119);
    CHECK(rg_views_join(list, 0, 2) == 0);
}

static void four_views_weigh_the_same(void)
{
    rg_seen list[8];
    double sum = 0;
    for (int k = 0; k < 8; k++) {
        const float p = 0.1f * (float)(k + 1);
        list[k] = (rg_seen){ { 10, 20, 29, (float)(59 + k % 4) }, 2, k % 4, p };
        if (k > 3) sum += logit(p);              /* the better one of each view */
    }
    CHECK(rg_views_join(list, 8, 4) == 1);
    CHECK_NEAR(list[0].probability, joined(sum, 4), 1e-6);
    CHECK_NEAR(list[0].box.y2, 60.5, 1e-5);
    list[0] = (rg_seen){ { 0, 0, 9, 9 }, 2, 3, 1 };    /* certain, in one of four */
    sum = logit(1 - 1e-7) + 3 * logit(0.02);
    CHECK(rg_views_join(list, 1, 4) == 1);
    CHECK_NEAR(list[0].probability, joined(sum, 4), 1e-6);
}

static void one_view_stays_as_it_is(void)
{
    rg_seen list[3] = { { { 1, 2, 30, 40 }, 2, 0, 0.1f },
                        { { 1, 2, 30, 41 }, 2, 0, 0.9f },
                        { { 1, 2, 30, 40 }, 3, 0, 0.5f } };
    rg_seen was[3];
    memcpy(was, list, sizeof list);
    CHECK(rg_views_join(list, 3, 1) == 3);
    CHECK(memcmp(was, list, sizeof list) == 0);
}

/* ---- in a detector ---- */

static rg_detect_options options;

/* Whether the boxes mirrored about the middle are the boxes. */
static bool are_symmetrical(const rg_detection *found, int n, bool sideways)
{
    int pairs = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            const rg_detection *a = &found[i], *b = &found[k];
            const double x = sideways ? a->xmin + b->xmax - 133 : a->xmin - b->xmin;
            const double y = sideways ? a->ymin - b->ymin : a->ymin + b->ymax - 133;
            pairs += fabs(x) < 1e-3 && fabs(y) < 1e-3
                     && fabs(a->raw - b->raw) < 1e-3;
        }
    return pairs == n;
}

static void look(const rg_image *image, int views, rg_detection **found, int *n)
{
    options.views = views;
    rg_detector *d = open_weights(make_weights(), &options);
    rg_detect_task task = { .radio = image };
    *n = 0;
    if (d == NULL) return;
    CHECK(rg_detect_model(d)->views == (views ? views : 1));
    rg_detect_list(d, &task, 1);
    *found = task.found;
    *n = task.n;
    CHECK(*n == 4 && task.looked == 1);
    rg_detect_close(d);
}

/* The network's cells are not symmetrical about the middle; so many views are. */
static void a_symmetrical_picture_has_symmetrical_boxes(void)
{
    rg_image *image = blank(132, 132, RG_CLARAN_PIXEL, 0);
    rg_detection *found[5] = { NULL };
    int n[5];
    for (int i = 0; i < 4; i++)
        put_source(image, i % 2 ? 18 : -18, i / 2 ? 18 : -18, 1);
    for (int views = 0; views < 5; views++)
        look(image, views, &found[views], &n[views]);
    CHECK(!are_symmetrical(found[1], n[1], true));
    CHECK(!are_symmetrical(found[1], n[1], false));
    CHECK(are_symmetrical(found[2], n[2], true));
    CHECK(!are_symmetrical(found[2], n[2], false));
    CHECK(are_symmetrical(found[4], n[4], true));
    CHECK(are_symmetrical(found[4], n[4], false));
    for (int i = 0; i < 4 && n[0] == 4 && n[1] == 4; i++)
        CHECK(found[0][i].xmin == found[1][i].xmin
              && found[0][i].raw == found[1][i].raw);
    for (int views = 0; views < 5; views++) free(found[views]);
    rg_image_free(image);
}

/* This network sees a source at the right rim, and none at the left: in the mirror it
 * does, but that does not count by itself. */
static void what_a_window_does_not_show_is_not_there(void)
{
    for (int side = -1; side < 2; side += 2) {
        rg_image *image = blank(132, 132, RG_CLARAN_PIXEL, 0);
        rg_detection *found = NULL;
        int n = -1;
        put_source(image, side * 64 * RG_CLARAN_PIXEL, 0, 1);
        for (int i = 0; i < 132 * 132; i++)
            if (abs(2 * (i % 132) - 131) < 131 - 2 * 3) image->pixels[i] = 0;
        options.views = 2;
        rg_detector *d = open_weights(make_weights(), &options);
        if (d != NULL) CHECK_OK(rg_detect(d, image, NULL, &found, &n));
        CHECK(n == (side > 0));
        free(found);
        rg_detect_close(d);
        rg_image_free(image);
    }
}

/* As a model file says, unless the options say otherwise; the identity tells. */
static void the_model_says_how_many(void)
{
    char identity[3][RG_CLARAN_IDENTITY];
    static const int asked[3] = { 0, 1, 2 }, wanted[3] = { 2, 1, 2 };
    for (int k = 0; k < 3; k++) {
        rg_weights *w = make_weights();
        CHECK_OK(rg_weights_set_number(w, "VIEWS", 2, ""));
        options.views = asked[k];
        rg_detector *d = open_weights(w, &options);
        if (d == NULL) return;
        CHECK(rg_detect_model(d)->views == wanted[k]);
        snprintf(identity[k], sizeof identity[k], "%s", rg_detect_hash(d));
        rg_detect_close(d);
    }
    CHECK(strcmp(identity[0], identity[2]) == 0 && strlen(identity[0]) == 13);
    CHECK(strncmp(identity[0], identity[1], 8) == 0 && strlen(identity[1]) == 8);
    options.views = 0;
}

static void numbers_that_are_none_are_refused(void)
{
    const double bad[] = { 0, 5, 99, -1, 1.5 };
    rg_detector *d = NULL;
    rg_weights *w = make_weights();
    rg_claran found;
    for (unsigned k = 0; k < sizeof bad / sizeof *bad; k++) {
        CHECK_OK(rg_weights_set_number(w, "VIEWS", bad[k], ""));
        CHECK_FAILS(rg_claran_recognise(&found, w), "VIEWS is ");
    }
    CHECK_FAILS(rg_weights_set_number(w, "VIEWS", NAN, ""), "VIEWS cannot be nan");
    CHECK_OK(rg_weights_set_text(w, "VIEWS", "NaN", ""));
    CHECK_FAILS(rg_claran_recognise(&found, w), "VIEWS");
    CHECK_OK(rg_weights_set_number(w, "VIEWS", RG_VIEWS_MOST, ""));
    CHECK_OK(rg_claran_recognise(&found, w));
    CHECK(found.views == RG_VIEWS_MOST);
    rg_weights_free(w);
    for (int k = 0; k < 2; k++) {
        options.views = k ? -1 : RG_VIEWS_MOST + 1;
        CHECK_FAILS(rg_detect_open(&d, path, &options), "the number of views is ");
    }
    options.views = 0;
}

int main(void)
{
    options = rg_detect_defaults;
    options.backend = "ref";
    options.precision = RG_PRECISION_F32;
    snprintf(path, sizeof path, "test_views_%ld.fits", (long)getpid());
    CHECK_RUN(mirroring_twice_is_the_window);
    CHECK_RUN(boxes_are_where_the_pixels_are);
    CHECK_RUN(overlapping_boxes_are_one);
    CHECK_RUN(four_views_weigh_the_same);
    CHECK_RUN(one_view_stays_as_it_is);
    CHECK_RUN(a_symmetrical_picture_has_symmetrical_boxes);
    CHECK_RUN(what_a_window_does_not_show_is_not_there);
    CHECK_RUN(the_model_says_how_many);
    CHECK_RUN(numbers_that_are_none_are_refused);
    unlink(path);
    return CHECK_END();
}

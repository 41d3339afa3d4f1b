/* SPDX-License-Identifier: MIT */
/* Average precision on cases worked out by hand, by both definitions. */
#include "core/evaluation/evaluate.h"
#include "tests/check.h"

/* A detection or label of 10 x 10 pixels at x, 0. */
static rg_detection found(int class_, double x, float p)
{
    return (rg_detection){ .class_ = class_, .probability = p, .xmin = x, .ymin = 0,
                           .xmax = x + 10, .ymax = 10 };
}

static rg_label truth(int class_, double x)
{
    return (rg_label){ x, 0, x + 10, 10, class_, 1 };
}

static rg_scores score(const rg_detection *d, int nd, const rg_label *l, int nl)
{
    rg_scores scores;
    rg_evaluation *e = rg_evaluate_new();
    CHECK_OK(rg_evaluate_add(e, d, nd, l, nl));
    CHECK_OK(rg_evaluate_scores(e, 0.5, 1, &scores));
    rg_evaluate_free(e);
    return scores;
}

static void all_found(void)
{
    rg_detection d[] = { found(1, 0, 0.9f), found(1, 50, 0.8f), found(2, 90, 0.7f) };
    rg_label l[] = { truth(1, 1), truth(1, 49), truth(2, 90) };
    rg_scores s = score(d, 3, l, 3);
    CHECK_NEAR(s.ap[1], 1, 1e-12);
    CHECK_NEAR(s.voc[1], 1, 1e-12);
    CHECK_NEAR(s.ap[2], 1, 1e-12);
    CHECK(isnan(s.ap[3]) && isnan(s.voc[3]) && isnan(s.ap[0]));
    CHECK(s.truths[1] == 2 && s.truths[2] == 1 && s.detections[1] == 2);
    CHECK_NEAR(s.map, 1, 1e-12);
    CHECK(s.classes == 2);
}

/* Hits and misses by rank T F T F T, four truths: precisions 1, 2/3, 3/5. */
static void one_ranking_by_hand(void)
{
    rg_detection d[] = { found(1, 0, 0.9f), found(1, 500, 0.8f), found(1, 20, 0.7f),
                         found(1, 600, 0.6f), found(1, 40, 0.5f) };
    rg_label l[] = { truth(1, 0), truth(1, 20), truth(1, 40), truth(1, 60) };
    rg_scores s = score(d, 5, l, 4);
    CHECK_NEAR(s.ap[1], (1 + 2.0 / 3 + 3.0 / 5) / 4, 1e-12);
    CHECK_NEAR(s.voc[1], (1 + 2.0 / 3 + 3.0 / 5) / 4, 1e-12);
}

/* F T F T T: precisions 1/2, 2/4, 3/5; the envelope lifts all to 3/5. */
static void envelope_by_hand(void)
{
    rg_detection d[] = { found(1, 500, 0.9f), found(1, 0, 0.8f), found(1, 600, 0.7f),
                         found(1, 20, 0.6f), found(1, 40, 0.5f) };
    rg_label l[] = { truth(1, 0), truth(1, 20), truth(1, 40) };
    rg_scores s = score(d, 5, l, 3);
    CHECK_NEAR(s.ap[1], (0.5 + 0.5 + 0.6) / 3, 1e-12);
    CHECK_NEAR(s.voc[1], 0.6, 1e-12);
}

static void rank_is_by_probability_over_all_images(void)
{
    rg_detection first[] = { found(1, 500, 0.5f), found(1, 0, 0.4f) };
    rg_detection second[] = { found(1, 0, 0.9f) };
    rg_label l[] = { truth(1, 0) };
    rg_scores s;
    rg_evaluation *e = rg_evaluate_new();
    CHECK_OK(rg_evaluate_add(e, first, 2, l, 1));
    CHECK_OK(rg_evaluate_add(e, second, 1, l, 1));
    CHECK_OK(rg_evaluate_add(e, NULL, 0, NULL, 0));
    CHECK_OK(rg_evaluate_scores(e, 0.5, 1, &s));
    CHECK_NEAR(s.ap[1], (1 + 2.0 / 3) / 2, 1e-12);
    rg_evaluate_free(e);
}

/* Boxes of one image are no truth of another. */
static void images_are_kept_apart(void)
{
    rg_detection d[] = { found(1, 0, 0.9f) };
    rg_label l[] = { truth(1, 0) };
    rg_scores s;
    rg_evaluation *e = rg_evaluate_new();
    CHECK_OK(rg_evaluate_add(e, d, 1, NULL, 0));
    CHECK_OK(rg_evaluate_add(e, NULL, 0, l, 1));
    CHECK_OK(rg_evaluate_scores(e, 0.5, 1, &s));
    CHECK_NEAR(s.ap[1], 0, 0);
    CHECK_NEAR(s.map, 0, 0);
    rg_evaluate_free(e);
}

static void second_finds_are_false(void)
{
    rg_detection d[] = { found(1, 0, 0.9f), found(1, 1, 0.8f), found(1, 20, 0.7f) };
    rg_label l[] = { truth(1, 0), truth(1, 20) };
    rg_scores s = score(d, 3, l, 2);
    CHECK_NEAR(s.ap[1], (1 + 2.0 / 3) / 2, 1e-12);
}

/* A detection that overlaps two truths takes the free one. */
static void taken_truths_leave_room(void)
{
    rg_detection d[] = { found(1, 0, 0.9f), found(1, 0.5, 0.8f) };
    rg_label l[] = { truth(1, 0), truth(1, 2) };
    rg_scores s = score(d, 2, l, 2);
    CHECK_NEAR(s.ap[1], 1, 1e-12);
}

static void other_classes_are_false(void)
{
    rg_detection d[] = { found(2, 0, 0.9f) };
    rg_label l[] = { truth(1, 0) };
    rg_scores s = score(d, 1, l, 1);
    CHECK_NEAR(s.ap[1], 0, 0);
    CHECK(isnan(s.ap[2]) && s.detections[2] == 1);
    CHECK(s.classes == 1);
}

/* Half the union is not more than half: strict, as in 5.2. */
static void overlap_is_strict(void)
{
    rg_detection d[] = { { .class_ = 1, .probability = 0.9f, .xmax = 10, .ymax = 5 } };
    rg_label l[] = { truth(1, 0) };
    CHECK_NEAR(score(d, 1, l, 1).ap[1], 0, 0);
    d[0].ymax = 5.01;
    CHECK_NEAR(score(d, 1, l, 1).ap[1], 1, 0);
}

static void ties_go_by_order(void)
{
    rg_detection d[] = { found(1, 500, 0.9f), found(1, 0, 0.9f) };
    rg_label l[] = { truth(1, 0) };
    CHECK_NEAR(score(d, 2, l, 1).ap[1], 0.5, 1e-12);
}

static void ignored_labels_count_neither_way(void)
{
    rg_detection d[] = { found(1, 200, 0.95f), found(1, 0, 0.9f), found(3, 201, 0.9f) };
    rg_label l[] = { truth(RG_CLASS_IGNORE, 200), truth(1, 0) };
    rg_scores s = score(d, 3, l, 2);
    CHECK_NEAR(s.ap[1], 1, 1e-12);
    CHECK(s.detections[1] == 1 && s.detections[3] == 0 && s.truths[1] == 1);
}

/* More than half of the detection has to lie there, however large the label is. */
static void parts_of_ignored_labels_count_neither_way(void)
{
    rg_detection d[] = { found(1, 210, 0.95f), found(1, 0, 0.9f), found(1, 194, 0.8f) };
    rg_label patch = truth(RG_CLASS_IGNORE, 200);
    rg_label l[] = { patch, truth(1, 0) };
    l[0].xmax += 30;
    rg_scores s = score(d, 3, l, 2);
    CHECK(s.detections[1] == 2);
    CHECK_NEAR(s.ap[1], 1, 1e-12);
}

/* ... but a source that happens to lie under one is still found. */
static void truths_come_before_ignored_labels(void)
{
    rg_detection d[] = { found(1, 0, 0.9f) };
    rg_label l[] = { truth(RG_CLASS_IGNORE, 1), truth(1, 0) };
    CHECK_NEAR(score(d, 1, l, 2).ap[1], 1, 1e-12);
}

static void small_classes_can_be_left_out(void)
{
    rg_detection d[] = { found(1, 0, 0.9f), found(1, 20, 0.8f) };
    rg_label l[] = { truth(1, 0), truth(1, 20), truth(2, 50) };
    rg_scores s;
    rg_evaluation *e = rg_evaluate_new();
    CHECK_OK(rg_evaluate_add(e, d, 2, l, 3));
    CHECK_OK(rg_evaluate_scores(e, 0.5, 2, &s));
    CHECK(s.classes == 1);
    CHECK_NEAR(s.map, 1, 1e-12);
    CHECK_OK(rg_evaluate_scores(e, 0.5, 1, &s));
    CHECK_NEAR(s.map, 0.5, 1e-12);
    CHECK_OK(rg_evaluate_scores(e, 0.5, 3, &s));
    CHECK(s.classes == 0 && isnan(s.map) && isnan(s.map_voc));
    rg_evaluate_free(e);
    rg_evaluate_free(NULL);
}

/* What calibration tied is still in the network's order. */
static void ties_go_by_the_networks_figure(void)
{
    rg_detection d[] = { found(1, 500, 0.9f), found(1, 0, 0.9f) };
    rg_label l[] = { truth(1, 0) };
    d[1].raw = 0.7f;
    CHECK_NEAR(score(d, 2, l, 1).ap[1], 1, 1e-12);
}

/* 1C_2P for 1C_1P is right by components, and 2C_2P for 1C_1P at all. */
static void classes_can_be_merged(void)
{
    rg_detection d[] = { found(2, 0, 0.9f), found(4, 50, 0.8f), found(6, 500, 0.7f) };
    rg_label l[] = { truth(1, 0), truth(1, 50), truth(6, 90) };
    const double map[] = { 0, 0.5 / 2, 2 / 3.0 };
    rg_evaluation *e = rg_evaluate_new();
    CHECK_OK(rg_evaluate_add(e, d, 3, l, 3));
    for (int s = RG_SCHEME_SIX; s <= RG_SCHEME_ANY; s++) {
        rg_ranking r;
        rg_scores scores;
        CHECK_OK(rg_evaluate_rank(e, RG_FOUND_ALL, s, 0.5, &r));
        rg_evaluate_average(e, &r, NULL, 1, NULL, &scores);
        CHECK_NEAR(scores.map, map[s], 1e-12);
        CHECK(r.n == 3 && r.item[1].truth == (s == RG_SCHEME_ANY ? 1 : -1));
        rg_evaluate_clear(&r);
    }
    CHECK(rg_evaluate_class(RG_SCHEME_COMPONENTS, 5) == 2);
    CHECK(rg_evaluate_class(RG_SCHEME_ANY, RG_CLASS_IGNORE) == RG_CLASS_IGNORE);
    rg_evaluate_free(e);
}

/* Field 0 twice and field 1 not at all is a list with field 0 twice. */
static void fields_can_count_several_times(void)
{
    rg_detection first[] = { found(1, 500, 0.9f), found(1, 0, 0.8f) };
    rg_detection second[] = { found(1, 0, 0.95f) };
    rg_label l[] = { truth(1, 0), truth(1, 50) };
    const int times[] = { 2, 0 };
    rg_ranking r;
    rg_scores s;
    rg_evaluation *e = rg_evaluate_new();
    CHECK_OK(rg_evaluate_add(e, first, 2, l, 2));
    CHECK_OK(rg_evaluate_add(e, second, 1, l, 1));
    CHECK_OK(rg_evaluate_rank(e, RG_FOUND_ALL, RG_SCHEME_SIX, 0.5, &r));
    rg_evaluate_average(e, &r, times, 5, NULL, &s);
    CHECK(s.truths[1] == 4 && s.detections[1] == 4 && s.classes == 0);
    CHECK_NEAR(s.ap[1], (1 / 3.0 + 2 / 4.0) / 4, 1e-12);    /* F F T T */
    CHECK_NEAR(s.voc[1], 2 / 4.0 * 2 / 4, 1e-12);
    rg_evaluate_average(e, &r, times, 5, (const bool[RG_CLASSES]){ [1] = true }, &s);
    CHECK_NEAR(s.map, s.ap[1], 0);
    rg_evaluate_clear(&r);
    rg_evaluate_free(e);
}

/* 30 x 40 pixels of 2 arcsec are 100 arcsec across; pixels count by their centres. */
static void boxes_are_measured(void)
{
    rg_sky *sky = NULL;
    rg_image *image = NULL;
    rg_detection d[] = { { .class_ = 1, .xmin = 10.5, .ymin = 10.5, .xmax = 40.5,
                           .ymax = 50.5 } };
    rg_label l[] = { { -9, 1, 10.5, 11, 2, 1 },
                     { 200, 200, 220, 220, 1, 1 } };
    rg_evaluation *e = rg_evaluate_new();
    CHECK_OK(rg_sky_new_tangent(&sky, 150, 2, 60, 2));
    CHECK_OK(rg_image_new(&image, 60, 60, sky));
    for (int i = 0; i < 60 * 60; i++) image->pixels[i] = 0.001f;
    image->pixels[10 * 60 + 10] = 0.5f;    /* 11, 11: within */
    image->pixels[9 * 60 + 9] = 0.9f;      /* 10, 10: in the label only */
    image->pixels[20 * 60 + 20] = NAN;
    CHECK_OK(rg_evaluate_add(e, d, 1, l, 2));
    CHECK_OK(rg_evaluate_choose(e, RG_FOUND_SHOWN, d, 1));
    rg_evaluate_measure(e, image);
    CHECK_NEAR(e->found[RG_FOUND_ALL].item[0].size, 100, 0.01);
    CHECK_NEAR(e->found[RG_FOUND_ALL].item[0].peak, 0.5, 1e-6);
    CHECK_NEAR(e->found[RG_FOUND_SHOWN].item[0].peak, 0.5, 1e-6);
    CHECK_NEAR(e->truths.item[0].peak, 0.9, 1e-6);
    CHECK(isnan(e->truths.item[1].peak));
    rg_image_free(image);
    rg_evaluate_free(e);
}

int main(void)
{
    CHECK_RUN(all_found);
    CHECK_RUN(one_ranking_by_hand);
    CHECK_RUN(envelope_by_hand);
    CHECK_RUN(rank_is_by_probability_over_all_images);
    CHECK_RUN(images_are_kept_apart);
    CHECK_RUN(second_finds_are_false);
    CHECK_RUN(taken_truths_leave_room);
    CHECK_RUN(other_classes_are_false);
    CHECK_RUN(overlap_is_strict);
    CHECK_RUN(ties_go_by_order);
    CHECK_RUN(ignored_labels_count_neither_way);
    CHECK_RUN(parts_of_ignored_labels_count_neither_way);
    CHECK_RUN(truths_come_before_ignored_labels);
    CHECK_RUN(small_classes_can_be_left_out);
    CHECK_RUN(ties_go_by_the_networks_figure);
    CHECK_RUN(classes_can_be_merged);
    CHECK_RUN(fields_can_count_several_times);
    CHECK_RUN(boxes_are_measured);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
/* Table 4 as rows, the model's description in a file, and the network's input. */
#include "core/detector/claran.h"
#include "tests/check.h"

static const rg_claran_run one = { .batch = 1, .rois = 5 };

static const rg_claran small = {
    .input = 264, .width = 32, .fc = 256, .anchor = { 8, 16, 32, 64, 128, 256 },
    .method = RG_METHOD_D1, .mean = { 235, 128, 24 },
};

/* The paper's 136,777,443: weights, and the biases of the fully connected rows only. */
static void paper_has_its_weights(void)
{
    rg_row rows[RG_CLARAN_ROWS];
    int n = rg_claran_rows(&rg_claran_paper, &one, rows);
    long weights = 0;
    for (int i = 0; i < n; i++) {
        rg_shape weight, bias;
        rg_layer_weights(&rows[i], &weight, &bias);
        weights += rg_layer_count(weight);
        if (rows[i].word == RG_FC) weights += rg_layer_count(bias);
    }
    CHECK(weights == 136777443);
}

static void check_shape(const rg_row *rows, int n, const char *name, rg_shape wanted)
{
    rg_shape shape = { 0, 0, 0, 0 };
    int row = rg_layer_find(rows, n, name);
    CHECK(row >= 0);
    if (row < 0) return;
    CHECK_OK(rg_layer_shape(rows, n, row, &shape));
    if (memcmp(&shape, &wanted, sizeof shape) != 0) printf("%s is off\n", name);
    CHECK(memcmp(&shape, &wanted, sizeof shape) == 0);
}

static void paper_has_its_shapes(void)
{
    rg_row rows[RG_CLARAN_ROWS];
    int n = rg_claran_rows(&rg_claran_paper, &one, rows);
    check_shape(rows, n, "pool1", (rg_shape){ 1, 64, 300, 300 });
    check_shape(rows, n, "pool3", (rg_shape){ 1, 256, 75, 75 });
    check_shape(rows, n, "conv5_3", (rg_shape){ 1, 512, 37, 37 });
    check_shape(rows, n, "rpn_cls_prob", (rg_shape){ 1, 12, 37, 37 });
    check_shape(rows, n, "rpn_bbox_pred", (rg_shape){ 1, 24, 37, 37 });
    check_shape(rows, n, "pool_5", (rg_shape){ 5, 512, 7, 7 });
    check_shape(rows, n, "cls_prob", (rg_shape){ 5, 7, 1, 1 });
    check_shape(rows, n, "bbox_pred", (rg_shape){ 5, 28, 1, 1 });
    CHECK(rg_layer_find(rows, n, "drop6") < 0);
}

static void every_size_fits_together(void)
{
    const int inputs[] = { 64, 132, 264, 333, 600, 1024 }, widths[] = { 4, 5, 32, 64 };
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 8; k++) {
            rg_claran m = small;
            rg_row rows[RG_CLARAN_ROWS];
            rg_shape shape;
            m.input = inputs[i];
            m.width = widths[k / 2];
            const rg_claran_run run = { .batch = 3, .rois = 7, .training = k % 2 };
            int n = rg_claran_rows(&m, &run, rows);
            CHECK(n > 0 && n <= RG_CLARAN_ROWS);
            for (int r = 0; r < n; r++) CHECK_OK(rg_layer_shape(rows, n, r, &shape));
            int cells = rg_claran_cells(&m);
            check_shape(rows, n, "conv5_3", (rg_shape){ 3, 8 * m.width, cells, cells });
        }
}

static void pyramids_fit_together(void)
{
    const int inputs[] = { 64, 132, 256, 333, 600, 1024 };
    for (int i = 0; i < 6; i++)
        for (int training = 0; training < 2; training++) {
            rg_claran m = small;
            rg_row rows[RG_CLARAN_ROWS];
            rg_shape shape;
            m.network = RG_NETWORK_FPN;
            m.width = 8;
            m.input = inputs[i];
            const rg_claran_run run = { .batch = 3, .rois = 7, .training = training };
            int n = rg_claran_rows(&m, &run, rows);
            CHECK(n > 0 && n <= RG_CLARAN_ROWS);
            CHECK_OK(rg_layer_shape(rows, n, n - 1, &shape));
            const char *const levels[] = { "p2", "p3", "p4" };
            for (int l = 0; l < 3; l++) {
                rg_anchor on = rg_claran_anchor(&m, 2 * l + 1);
                CHECK(on.stride == 4 << l && on.side == m.anchor[2 * l + 1]);
                check_shape(rows, n, levels[l],
                            (rg_shape){ 3, 32, on.cells, on.cells });
            }
            const int anchors = rg_claran_anchors(&m);
            check_shape(rows, n, "rpn_cls_prob", (rg_shape){ 3, 2 * anchors, 1, 1 });
            check_shape(rows, n, "rpn_bbox_pred", (rg_shape){ 3, 4 * anchors, 1, 1 });
            check_shape(rows, n, "pooled", (rg_shape){ 7, 32, 7, 7 });
            check_shape(rows, n, "bbox_pred", (rg_shape){ 7, 28, 1, 1 });
        }
}

/* Every size from nothing to the whole image is pooled on one level. */
static void pyramids_pool_every_size_once(void)
{
    rg_claran m = small;
    rg_row rows[RG_CLARAN_ROWS];
    m.network = RG_NETWORK_FPN;
    int n = rg_claran_rows(&m, &one, rows);
    for (float side = 0; side < 300; side += 7) {
        int pooled = 0;
        for (int i = 0; i < n; i++)
            pooled += rows[i].word == RG_STPOOL && side >= rows[i].least
                      && (rows[i].most == 0 || side < rows[i].most);
        CHECK(pooled == 1);
    }
}

static void anchors_are_numbered_through(void)
{
    for (int network = 0; network < RG_NETWORKS; network++) {
        rg_claran m = small;
        int next = 0;
        m.network = (rg_network)network;
        for (int a = 0; a < RG_CLARAN_ANCHORS; a++) {
            rg_anchor on = rg_claran_anchor(&m, a);
            CHECK(on.first == next && on.cells > 0 && on.side == m.anchor[a]);
            next += on.cells * on.cells;
        }
        CHECK(rg_claran_anchors(&m) == next);
    }
    CHECK(rg_claran_anchors(&small) == 6 * 16 * 16);
}

static void networks_have_names(void)
{
    rg_network network = RG_NETWORK_CLARAN;
    CHECK_OK(rg_claran_network("fpn", &network));
    CHECK(network == RG_NETWORK_FPN);
    CHECK(strcmp(rg_claran_network_name(network), "fpn") == 0);
    CHECK_FAILS(rg_claran_network("yolo", &network), "use claran or fpn");
}

static void training_has_its_losses(void)
{
    rg_row rows[RG_CLARAN_ROWS];
    const rg_claran_run run = { .batch = 2, .rois = 256, .training = 1 };
    int n = rg_claran_rows(&small, &run, rows), losses = 0;
    for (int i = 0; i < n; i++)
        losses += rows[i].word == RG_SOFTMAXLOSS || rows[i].word == RG_SMOOTHL1;
    CHECK(losses == 4);
    CHECK(strcmp(rows[rg_layer_find(rows, n, "fc7")].in[0], "drop6") == 0);
    CHECK(strcmp(rows[rg_layer_find(rows, n, "cls_score")].in[0], "drop7") == 0);
    CHECK_NEAR(rows[rg_layer_find(rows, n, "rpn_bbox_loss")].value, 3, 0);
    CHECK_NEAR(rows[rg_layer_find(rows, n, "bbox_pred")].spread, 0.001, 1e-9);
    check_shape(rows, n, "rpn_labels", (rg_shape){ 2, 6, 16, 16 });
}

static void descriptions_come_back(void)
{
    rg_weights *w = NULL;
    rg_claran back = rg_claran_paper;
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_claran_describe(&small, w));
    CHECK_OK(rg_claran_recognise(&back, w));
    CHECK(back.input == 264 && back.width == 32 && back.fc == 256);
    CHECK(back.method == RG_METHOD_D1 && back.network == RG_NETWORK_CLARAN);
    rg_claran pyramid = small;
    pyramid.network = RG_NETWORK_FPN;
    CHECK_OK(rg_claran_describe(&pyramid, w));
    CHECK_OK(rg_claran_recognise(&back, w));
    CHECK(back.network == RG_NETWORK_FPN);
    for (int a = 0; a < RG_CLARAN_ANCHORS; a++)
        CHECK(back.anchor[a] == small.anchor[a]);
    for (int c = 0; c < 3; c++) CHECK(back.mean[c] == small.mean[c]);
    rg_weights_free(w);
}

static void calibrations_come_back(void)
{
    rg_weights *w = NULL;
    rg_claran fitted = small, back = small;
    char plain[RG_CLARAN_IDENTITY], one[RG_CLARAN_IDENTITY], two[RG_CLARAN_IDENTITY];
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_claran_describe(&small, w));
    CHECK_OK(rg_claran_recognise(&back, w));
    CHECK(back.calibration[0] == 0 && back.calibration[1] == 0);
    rg_claran_identity(&back, w, plain);
    fitted.calibration[0] = 0.65f;
    for (int c = 1; c < RG_CLARAN_CALIBRATION; c++)
        fitted.calibration[c] = -0.29f * (float)c;
    CHECK_OK(rg_claran_describe(&fitted, w));
    CHECK_OK(rg_claran_recognise(&back, w));
    CHECK(memcmp(back.calibration, fitted.calibration, sizeof back.calibration) == 0);
    rg_claran_identity(&back, w, one);
    back.calibration[1] = 0.29f;
    rg_claran_identity(&back, w, two);
    CHECK(strlen(plain) == 8 && strlen(one) == 13 && strncmp(plain, one, 8) == 0);
    CHECK(one[8] == '-' && strcmp(one, two) != 0);
    rg_weights_free(w);
}

/* 0.9 is a logit of log 9; what rounding ties stays in order. */
static void probabilities_are_calibrated(void)
{
    rg_claran m = small;
    float x[RG_EVIDENCES] = { 0 };
    CHECK(rg_claran_calibrate(&m, 3, 0.9f, x) == 0.9f);
    m.calibration[0] = 0.5f;
    CHECK_NEAR(rg_claran_calibrate(&m, 3, 0.9f, x), 0.75, 1e-6);
    m.calibration[3] = (float)log(3);
    CHECK_NEAR(rg_claran_calibrate(&m, 2, 0.9f, x), 0.75, 1e-6);
    CHECK_NEAR(rg_claran_calibrate(&m, 3, 0.9f, x), 0.9, 1e-6);
    CHECK_NEAR(rg_claran_calibrate(&m, 3, 0.5f, x), 0.75, 1e-6);
    m.calibration[RG_CLASSES + RG_EVIDENCE_GAP] = (float)log(3);
    x[RG_EVIDENCE_GAP] = -1;
    CHECK_NEAR(rg_claran_calibrate(&m, 3, 0.9f, x), 0.75, 1e-6);
    m.calibration[0] = 30;
    float before = 0;
    for (int i = 0; i <= 1000; i++) {
        const float p = rg_claran_calibrate(&m, 3, (float)i / 1000, x);
        CHECK(p >= before && p <= 1);
        before = p;
    }
}

static void check_number(const char *key, double value, const char *words)
{
    rg_weights *w = NULL;
    rg_claran back = small;
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_claran_describe(&small, w));
    CHECK_OK(rg_weights_set_number(w, key, value, NULL));
    CHECK_FAILS(rg_claran_recognise(&back, w), words);
    CHECK(memcmp(&back, &small, sizeof back) == 0);
    rg_weights_free(w);
}

static void check_text(const char *key, const char *value, const char *words)
{
    rg_weights *w = NULL;
    rg_claran back = small;
    CHECK_OK(rg_weights_new(&w));
    CHECK_OK(rg_claran_describe(&small, w));
    CHECK_OK(rg_weights_set_text(w, key, value, NULL));
    CHECK_FAILS(rg_claran_recognise(&back, w), words);
    rg_weights_free(w);
}

static void bad_descriptions_are_refused(void)
{
    check_number("CALIBB", -0.3, "calibrate it again");
    check_number("CALIBA", -1, "CALIBA");
    check_number("CALIBB3", 1e9, "CALIBB");
    check_number("CALIBE5", -1e9, "CALIBE5");
    check_number("INPUT", 0, "INPUT");
    check_number("INPUT", -600, "INPUT");
    check_number("INPUT", 264.5, "whole");
    check_number("INPUT", 1e9, "1024");
    check_number("WIDTH", 1e18, "WIDTH");
    check_number("FC", 0, "FC");
    check_number("ANCHOR3", 0, "ANCHOR3");
    check_number("MEAN_G", -1, "MEAN_G");
    check_number("METHOD", 1, "METHOD");
    check_text("METHOD", "D9", "D9");
    check_text("INPUT", "large", "INPUT");
    check_text("MODEL", "YOLO", "YOLO");
    check_text("CLASS2", "FR II", "FR II");
    rg_weights *empty = NULL;
    rg_claran back, huge = small;
    huge.input = 4000;
    CHECK_OK(rg_weights_new(&empty));
    CHECK_FAILS(rg_claran_recognise(&back, empty), "MODEL");
    CHECK_FAILS(rg_claran_describe(&huge, empty), "INPUT");
    rg_weights_free(empty);
}

/* A plane in x and y is its own bilinear interpolation, away from the rim. */
static void input_is_flipped_and_bilinear(void)
{
    static uint8_t rgb[132][132][3];
    const int inputs[] = { 600, 264, 132, 64 };
    for (int y = 0; y < 132; y++)
        for (int x = 0; x < 132; x++) {
            rgb[y][x][0] = (uint8_t)x;
            rgb[y][x][1] = (uint8_t)y;
            rgb[y][x][2] = 200;
        }
    for (int k = 0; k < 4; k++) {
        rg_claran m = small;
        const int s = m.input = inputs[k];
        float *out = malloc(3 * (size_t)s * s * sizeof *out);
        rg_claran_input(&m, rgb[0][0], out);
        for (int y = s / 20; y < s - s / 20; y += 3)
            for (int x = s / 20; x < s - s / 20; x += 3) {
                size_t at = (size_t)y * s + x, plane = (size_t)s * s;
                CHECK_NEAR(out[at], 200 - 235, 1e-4);
                CHECK_NEAR(out[plane + at], 131.5 - (y + 0.5) * 132 / s - 128, 1e-3);
                CHECK_NEAR(out[2 * plane + at], (x + 0.5) * 132 / s - 0.5 - 24, 1e-3);
            }
        CHECK_NEAR(out[2 * (size_t)s * s], (s == 64 ? 0.53125 : 0) - 24, 1e-4);
        free(out);
    }
}

static void boxes_between_pixels(void)
{
    const rg_box all = { 0.5f, 0.5f, 132.5f, 132.5f };
    rg_box whole = rg_claran_from_subject(&small, all);
    CHECK_NEAR(whole.x1, 0, 1e-4);
    CHECK_NEAR(whole.y1, 0, 1e-4);
    CHECK_NEAR(whole.x2, 263, 1e-4);
    CHECK_NEAR(whole.y2, 263, 1e-4);
    rg_box corner = rg_claran_from_subject(&small, (rg_box){ 0.5f, 0.5f, 1.5f, 2.5f });
    CHECK_NEAR(corner.x1, 0, 1e-4);
    CHECK_NEAR(corner.x2, 1, 1e-4);
    CHECK_NEAR(corner.y1, 260, 1e-4);
    CHECK_NEAR(corner.y2, 263, 1e-4);
    rg_box odd = { 10.25f, 20.5f, 77.125f, 130 };
    rg_box back = rg_claran_to_subject(&small, rg_claran_from_subject(&small, odd));
    CHECK_NEAR(back.x1, odd.x1, 1e-4);
    CHECK_NEAR(back.y1, odd.y1, 1e-4);
    CHECK_NEAR(back.x2, odd.x2, 1e-4);
    CHECK_NEAR(back.y2, odd.y2, 1e-4);
}

int main(void)
{
    CHECK_RUN(paper_has_its_weights);
    CHECK_RUN(paper_has_its_shapes);
    CHECK_RUN(every_size_fits_together);
    CHECK_RUN(pyramids_fit_together);
    CHECK_RUN(pyramids_pool_every_size_once);
    CHECK_RUN(anchors_are_numbered_through);
    CHECK_RUN(networks_have_names);
    CHECK_RUN(training_has_its_losses);
    CHECK_RUN(descriptions_come_back);
    CHECK_RUN(calibrations_come_back);
    CHECK_RUN(probabilities_are_calibrated);
    CHECK_RUN(bad_descriptions_are_refused);
    CHECK_RUN(input_is_flipped_and_bilinear);
    CHECK_RUN(boxes_between_pixels);
    return CHECK_END();
}

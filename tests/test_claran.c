/* SPDX-License-Identifier: MIT */
/* Table 4 as rows, the model's description in a file, and the network's input. */
#include "core/detector/claran.h"
#include "tests/check.h"

static const rg_claran small = {
    .input = 264, .width = 32, .fc = 256, .anchor = { 8, 16, 32, 64, 128, 256 },
    .method = RG_METHOD_D1, .mean = { 235, 128, 24 },
};

/* The paper's 136,777,443: weights, and the biases of the fully connected rows only. */
static void paper_has_its_weights(void)
{
    rg_row rows[RG_CLARAN_ROWS];
    int n = rg_claran_rows(&rg_claran_paper, &(rg_claran_run){ 1, 5, 0 }, rows);
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
    int n = rg_claran_rows(&rg_claran_paper, &(rg_claran_run){ 1, 5, 0 }, rows);
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
            int n = rg_claran_rows(&m, &(rg_claran_run){ 3, 7, k % 2 }, rows);
            CHECK(n > 0 && n <= RG_CLARAN_ROWS);
            for (int r = 0; r < n; r++) CHECK_OK(rg_layer_shape(rows, n, r, &shape));
            int cells = rg_claran_cells(&m);
            check_shape(rows, n, "conv5_3", (rg_shape){ 3, 8 * m.width, cells, cells });
        }
}

static void training_has_its_losses(void)
{
    rg_row rows[RG_CLARAN_ROWS];
    int n = rg_claran_rows(&small, &(rg_claran_run){ 2, 256, 1 }, rows), losses = 0;
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
    CHECK(back.method == RG_METHOD_D1);
    for (int a = 0; a < RG_CLARAN_ANCHORS; a++)
        CHECK(back.anchor[a] == small.anchor[a]);
    for (int c = 0; c < 3; c++) CHECK(back.mean[c] == small.mean[c]);
    rg_weights_free(w);
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
    CHECK_RUN(training_has_its_losses);
    CHECK_RUN(descriptions_come_back);
    CHECK_RUN(bad_descriptions_are_refused);
    CHECK_RUN(input_is_flipped_and_bilinear);
    CHECK_RUN(boxes_between_pixels);
    return CHECK_END();
}

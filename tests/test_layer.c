/* SPDX-License-Identifier: MIT */
/* Tables of rows: shapes, weights, what is refused, and the print. */
#include "core/engine/layer.h"
#include "tests/check.h"

#define COUNT(rows) ((int)(sizeof (rows) / sizeof *(rows)))

/* The paper's sizes, with VGG's repeats left out. */
static const rg_row paper[] = {
    INPUT("data", 1, 3, 600, 600),
    CONV("conv1", "data", 3, 64, 3, RELU),
    MAXPOOL("pool1", "conv1"),
    MAXPOOL("pool2", "pool1"),
    MAXPOOL("pool3", "pool2"),
    MAXPOOL("pool4", "pool3"),
    CONV("conv5", "pool4", 64, 512, 3, RELU),
    CONV_STD("score", "conv5", 512, 12, 1, LINEAR, 0.01f),
    SOFTMAX("prob", "score", 2),
    INPUT("labels", 1, 6, 37, 37),
    SOFTMAXLOSS("loss", "score", "labels", 2),
    INPUT("rois", 5, 5, 1, 1),
    STPOOL("pool5", "conv5", "rois", 7, 16),
    FC("fc6", "pool5", 25088, 4096, RELU),
    DROPOUT("drop6", "fc6", 0.5f),
    FC_STD("delta", "drop6", 4096, 28, LINEAR, 0.001f),
    INPUT("target", 5, 28, 1, 1),
    INPUT("weights", 5, 28, 1, 1),
    SMOOTHL1("loss_delta", "delta", "target", "weights", 1),
};

static void shape_is(const char *name, int n, int c, int h, int w)
{
    rg_shape s = { 0, 0, 0, 0 };
    int i = rg_layer_find(paper, COUNT(paper), name);
    CHECK_OK(rg_layer_shape(paper, COUNT(paper), i, &s));
    CHECK(s.n == n && s.c == c && s.h == h && s.w == w);
}

static void shapes_follow_the_paper(void)
{
    shape_is("data", 1, 3, 600, 600);
    shape_is("conv1", 1, 64, 600, 600);
    shape_is("pool3", 1, 64, 75, 75);
    shape_is("pool4", 1, 64, 37, 37);
    shape_is("score", 1, 12, 37, 37);
    shape_is("prob", 1, 12, 37, 37);
    shape_is("loss", 1, 1, 1, 1);
    shape_is("pool5", 5, 512, 7, 7);
    shape_is("drop6", 5, 4096, 1, 1);
    shape_is("delta", 5, 28, 1, 1);
    shape_is("loss_delta", 1, 1, 1, 1);
}

static void weights_of_conv_and_fc_only(void)
{
    rg_shape weight, bias;
    rg_layer_weights(&paper[1], &weight, &bias);
    CHECK(weight.n == 64 && weight.c == 3 && weight.h == 3 && weight.w == 3);
    CHECK(bias.n == 1 && bias.c == 64 && bias.h == 1 && bias.w == 1);
    rg_layer_weights(&paper[13], &weight, &bias);
    CHECK(weight.n == 4096 && weight.c == 25088 && weight.h == 1 && weight.w == 1);
    CHECK(rg_layer_count(weight) == 102760448);
    rg_layer_weights(&paper[2], &weight, &bias);
    CHECK(rg_layer_count(weight) == 0 && rg_layer_count(bias) == 0);
}

static void shapes_of_a_pyramid(void)
{
    const rg_row rows[] = {
        INPUT("x", 2, 6, 9, 12),
        CONV_AS("c", "x", 6, 4, 3, LINEAR, .stride = 2, .bare = true),
        BATCHNORM("n", "c", 4, RELU), MAXPOOL3("m", "n"), UPSAMPLE("u", "m", "n"),
        ADD("a", "n", "u", RELU),
        CONV_AS("s", "x", 6, 4, 3, RELU, .bare = true, .weights = "c"),
    };
    const int wanted[][4] = { { 2, 6, 9, 12 }, { 2, 4, 5, 6 }, { 2, 4, 5, 6 },
                              { 2, 4, 3, 3 },  { 2, 4, 5, 6 }, { 2, 4, 5, 6 },
                              { 2, 4, 9, 12 } };
    rg_shape s, weight, bias;
    for (int i = 0; i < COUNT(rows); i++) {
        CHECK_OK(rg_layer_shape(rows, COUNT(rows), i, &s));
        CHECK(memcmp(&s, wanted[i], sizeof s) == 0);
    }
    rg_layer_weights(&rows[1], &weight, &bias);
    CHECK(rg_layer_count(weight) == 216 && bias.n == 0);
    rg_layer_weights(&rows[2], &weight, &bias);
    CHECK(rg_layer_count(weight) == 4 && rg_layer_count(bias) == 4);
    rg_layer_weights(&rows[6], &weight, &bias);
    CHECK(weight.n == 0 && bias.n == 0);
}

static void words_are_as_in_tables(void)
{
    CHECK(strcmp(rg_layer_word(RG_STPOOL), "STPOOL") == 0);
    CHECK(strcmp(rg_layer_word(RG_SOFTMAXLOSS), "SOFTMAXLOSS") == 0);
    CHECK(rg_layer_inputs(RG_INPUT) == 0 && rg_layer_inputs(RG_CONV) == 1);
    CHECK(rg_layer_inputs(RG_STPOOL) == 2 && rg_layer_inputs(RG_SMOOTHL1) == 3);
}

/* The last of the rows is refused with these words. */
#define REFUSED(words, ...) \
    do { const rg_row rows_[] = { INPUT("x", 2, 6, 5, 1), __VA_ARGS__ }; \
        rg_shape shape_; \
        CHECK_FAILS(rg_layer_shape(rows_, COUNT(rows_), COUNT(rows_) - 1, &shape_), \
                    words); } while (0)

static void wrong_rows_are_named(void)
{
    REFUSED("row y reads z", CONV("y", "z", 6, 2, 3, RELU));
    REFUSED("row y reads y", CONV("y", "y", 6, 2, 3, RELU));
    REFUSED("row y reads nothing", CONV("y", NULL, 6, 2, 3, RELU));
    REFUSED("row y (CONV) cannot take x of shape [2, 6, 5, 1]",
            CONV("y", "x", 7, 2, 3, RELU));
    REFUSED("row y (CONV)", CONV("y", "x", 6, 2, 2, RELU));
    REFUSED("row y (CONV)", CONV_AS("y", "x", 6, 2, 3, RELU, .stride = 3));
    REFUSED("row y (BATCHNORM)", BATCHNORM("y", "x", 5, RELU));
    REFUSED("row y (ADD) cannot take z", INPUT("z", 2, 6, 5, 2),
            ADD("y", "x", "z", RELU));
    REFUSED("row y (UPSAMPLE) cannot take z", INPUT("z", 2, 1, 11, 2),
            UPSAMPLE("y", "x", "z"));
    REFUSED("row y (UPSAMPLE) cannot take z", INPUT("z", 1, 1, 10, 2),
            UPSAMPLE("y", "x", "z"));
    REFUSED("row y (CONCAT) cannot take z", INPUT("z", 2, 5, 1, 1),
            CONCAT("y", "x", "x", "z", 2));
    REFUSED("row y (MAXPOOL) cannot take x",
            { .word = RG_MAXPOOL, .name = "y", .in = { "x" }, .size = 4 });
    REFUSED("row y (CONV) cannot use the weights of w",
            CONV_AS("y", "x", 6, 2, 3, RELU, .weights = "w"));
    REFUSED("row y (CONV) cannot use the weights of w", CONV("w", "x", 6, 3, 3, RELU),
            CONV_AS("y", "x", 6, 2, 3, RELU, .weights = "w"));
    REFUSED("row y (MAXPOOL) would make an empty tensor", MAXPOOL("y", "x"));
    REFUSED("row y (FC)", FC("y", "x", 6, 3, RELU));
    REFUSED("row y (SOFTMAX)", SOFTMAX("y", "x", 4));
    REFUSED("row y (STPOOL) cannot take r", INPUT("r", 3, 4, 1, 1),
            STPOOL("y", "x", "r", 7, 16));
    REFUSED("row y (SOFTMAXLOSS) cannot take l", INPUT("l", 2, 2, 5, 1),
            SOFTMAXLOSS("y", "x", "l", 2));
    REFUSED("row y (SMOOTHL1) cannot take w", INPUT("w", 2, 6, 1, 5),
            SMOOTHL1("y", "x", "x", "w", 1));
    REFUSED("row x2 (INPUT) would make an empty", INPUT("x2", 1, 0, 3, 3));
}

static void a_fault_above_is_reported_below(void)
{
    REFUSED("row a (CONV)", CONV("a", "x", 5, 2, 3, RELU),
            CONV("b", "a", 2, 2, 3, RELU));
}

static void rows_are_found_by_name(void)
{
    rg_shape shape;
    CHECK(rg_layer_find(paper, COUNT(paper), "rois") == 11);
    CHECK_FAILS(rg_layer_find(paper, COUNT(paper), "conv9") >= 0 ? 0 : -1, "\"conv9\"");
    CHECK_FAILS(rg_layer_shape(paper, COUNT(paper), COUNT(paper), &shape), "no row");
    CHECK_FAILS(rg_layer_shape(paper, COUNT(paper), -1, &shape), "no row number -1");
}

static void print_counts_weights(void)
{
    char text[8192];
    FILE *to = tmpfile();
    CHECK(to != NULL);
    if (to == NULL) return;
    CHECK_OK(rg_layer_print(paper, COUNT(paper), to));
    rewind(to);
    text[fread(text, 1, sizeof text - 1, to)] = '\0';
    fclose(to);
    CHECK(strstr(text, "conv1") && strstr(text, "STPOOL"));
    CHECK(strstr(text, "conv5 rois") != NULL);
    CHECK(strstr(text, "1 x 64 x 600 x 600") != NULL);
    CHECK(strstr(text, "102760448") != NULL);
    CHECK(strstr(text, "103177920") != NULL);    /* + 1728 + 294912 + 6144 + 114688 */
    CHECK(strstr(text, "4712") != NULL);         /* 64 + 512 + 12 + 4096 + 28 */
}

int main(void)
{
    CHECK_RUN(shapes_follow_the_paper);
    CHECK_RUN(weights_of_conv_and_fc_only);
    CHECK_RUN(shapes_of_a_pyramid);
    CHECK_RUN(words_are_as_in_tables);
    CHECK_RUN(wrong_rows_are_named);
    CHECK_RUN(a_fault_above_is_reported_below);
    CHECK_RUN(rows_are_found_by_name);
    CHECK_RUN(print_counts_weights);
    return CHECK_END();
}

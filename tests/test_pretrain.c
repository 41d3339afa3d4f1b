/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <stdbool.h>
#include <unistd.h>

#include "core/detector/detect.h"
#include "core/engine/random.h"
#include "core/learning/backbone.h"
#include "core/learning/cell.h"
#include "core/data/folder.h"
#include "core/learning/patch.h"
#include "core/learning/pretrain.h"
#include "core/learning/recipe.h"

#define SIDE RG_CLARAN_SUBJECT

static char folder[64] = "/tmp/claran-test-pretrain.XXXXXX";
static rg_dataset *list;                /* without a label */
static volatile sig_atomic_t stop;

static char *in_folder(const char *name)
{
    static char path[8][256];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static rg_claran tiny(int input)
{
    rg_claran model = rg_claran_paper;
    model.input = input;
    model.width = 4;
    model.fc = 16;
    memset(model.mean, 0, sizeof model.mean);
    return model;
}

/* Noise of 1 with a source of two peaks at (30, 100) and (42, 100), and one of one at
 * (100, 27), pixels from 0. */
static void paint(float *radio)
{
    uint64_t state = 4;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            float *p = &radio[y * SIDE + x];
            *p = (float)rg_random_normal(&state);
            *p += 300 * expf(-((x - 30.f) * (x - 30) + (y - 100.f) * (y - 100)) / 12);
            *p += 200 * expf(-((x - 42.f) * (x - 42) + (y - 100.f) * (y - 100)) / 12);
            *p += 40 * expf(-((x - 100.f) * (x - 100) + (y - 27.f) * (y - 27)) / 8);
        }
}

enum { CELLS = 8, CELL = CELLS * CELLS };   /* of an input of 132 pixels: 16 each */

static void cells_say_where_how_many_and_how_bright(void)
{
    static float radio[SIDE * SIDE];
    float source[CELL], peaks[CELL], flux[CELL], weight[CELL], sum = 0;
    rg_claran model = tiny(132);
    paint(radio);
    CHECK_OK(rg_cell_find(&model, radio, 1, 0.5,
                           &(rg_cells){ source, peaks, flux, weight, NULL, NULL }));
    /* x 30, y 100 from below is column 1, row (131 - 100) / 16 = 1 from the top. */
    CHECK(source[1 * CELLS + 1] == 1 && source[1 * CELLS + 2] == 1);
    CHECK(source[6 * CELLS + 6] == 1 && source[4 * CELLS + 4] == 0);
    CHECK(peaks[1 * CELLS + 1] == 1);            /* two */
    CHECK(peaks[6 * CELLS + 6] == 0);            /* one */
    CHECK(peaks[7 * CELLS + 7] == 0);            /* beside it */
    CHECK(peaks[4 * CELLS + 4] == -1 && peaks[7 * CELLS + 0] == -1);
    CHECK_NEAR(flux[6 * CELLS + 6], log10(40 * 3.14159 * 8), 0.1);
    CHECK(flux[4 * CELLS + 4] == 0 && weight[4 * CELLS + 4] == 0);
    for (int i = 0; i < CELL; i++) {
        CHECK((weight[i] > 0) == (source[i] == 1));
        sum += weight[i];
    }
    CHECK_NEAR(sum, 0.5, 1e-6);
}

static void blocks_are_the_islands_without_the_noise(void)
{
    static float radio[SIDE * SIDE];
    static float block[RG_CELL_BLOCK * CELL], weight[RG_CELL_BLOCK * CELL];
    rg_claran model = tiny(132);
    double inside = 0, outside = 0;
    paint(radio);
    CHECK_OK(rg_cell_find(&model, radio, 1, 1,
                           &(rg_cells){ .block = block, .block_weight = weight }));
    int v = SIDE - 1 - 100, u = 30;             /* the peak, in network pixels */
    long at = (long)(v % 16 * 16 + u % 16) * CELL + v / 16 * CELLS + u / 16;
    CHECK_NEAR(block[at], log10(radio[100 * SIDE + 30]), 1e-5);
    v = u = 70;
    CHECK(block[(v % 16 * 16 + u % 16) * CELL + v / 16 * CELLS + u / 16] == 0);
    for (long i = 0; i < RG_CELL_BLOCK * CELL; i++)
        *(block[i] > 0 ? &inside : &outside) += weight[i];
    CHECK_NEAR(inside, 0.5, 1e-3);
    CHECK_NEAR(outside, 0.5, 1e-3);
}

static void a_sky_without_islands_has_targets_too(void)
{
    static float radio[SIDE * SIDE];
    static float block[RG_CELL_BLOCK * 16], weight[RG_CELL_BLOCK * 16];
    float source[16], peaks[16], flux[16], flux_weight[16];
    rg_claran model = tiny(64);
    for (int i = 0; i < SIDE * SIDE; i++) radio[i] = i % 5 ? 0.5f : NAN;
    CHECK_OK(rg_cell_find(&model, radio, 1, 1,
                           &(rg_cells){ source, peaks, flux, flux_weight, block,
                                        weight }));
    for (int i = 0; i < 16; i++)
        CHECK(source[i] == 0 && peaks[i] == -1 && flux_weight[i] == 0);
    CHECK_NEAR(weight[0], 1.0 / (RG_CELL_BLOCK * 16), 1e-9);
}

static void noise_is_added_as_asked(void)
{
    static rg_patch patch;
    double median, sigma, neighbours = 0, squares = 0;
    memset(&patch, 0, sizeof patch);
    patch.sigma = 3;
    rg_patch_add_noise(&patch, 2, 7);
    CHECK_OK(rg_image_noise(patch.radio, RG_PATCH_PIXELS, &median, &sigma));
    CHECK_NEAR(sigma, 6, 0.5);
    for (int i = 0; i < RG_PATCH_PIXELS - 1; i++) {
        neighbours += patch.radio[i] * patch.radio[i + 1];
        squares += patch.radio[i] * patch.radio[i];
    }
    CHECK_NEAR(neighbours / squares, 0.88, 0.05);   /* a beam, not single pixels */
    CHECK(patch.sigma == 3);
}

static void note(void *user, const rg_pretrain_report *report)
{
    *(rg_pretrain_report *)user = *report;
    if (report->step == 3) stop = 1;
}

static rg_pretrain_options quick(rg_pretrain_task task, long steps,
                                 rg_pretrain_report *last)
{
    rg_pretrain_options how = rg_pretrain_defaults;
    how.task = task;
    how.backend = "cpu";
    how.precision = RG_PRECISION_F32;
    how.schedule.steps = steps;
    how.schedule.warmup = 0;
    how.schedule.cosine = 0;
    how.batch = 2;
    how.report = 1;
    how.progress = note;
    how.user = last;
    return how;
}

static int pretrain(const rg_pretrain_options *how, const char *out)
{
    rg_claran model = tiny(64);
    model.mean[0] = 235;
    return rg_pretrain((const rg_dataset *const *)&list, 1, &model, how, out);
}

static int same_bytes(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    int same = f != NULL && g != NULL, c = 0, d = 0;
    while (same && c != EOF) {
        c = getc(f);
        d = getc(g);
        same = c == d;
    }
    if (f) fclose(f);
    if (g) fclose(g);
    return same;
}

static void a_resumed_run_equals_one_that_was_not_stopped(void)
{
    rg_pretrain_report last;
    rg_pretrain_options how = quick(RG_PRETRAIN_BOTH, 6, &last);
    char other[256];
    snprintf(other, sizeof other, "%s", in_folder("other.fits"));
    how.schedule.steps = 1;
    how.seed = 2;
    CHECK_OK(pretrain(&how, other));
    how = quick(RG_PRETRAIN_BOTH, 6, &last);
    how.backbone = other;              /* whose record goes along */
    CHECK_OK(pretrain(&how, in_folder("whole.fits")));
    CHECK(last.n == 4 && last.step == 6 && last.total > 0);
    stop = 0;
    how.stop = &stop;
    CHECK(pretrain(&how, in_folder("parts.fits")) == 1);
    CHECK(last.step == 3);
    how.stop = NULL;
    how.resume = 1;
    CHECK_OK(pretrain(&how, in_folder("parts.fits")));
    CHECK(same_bytes(in_folder("whole.fits"), in_folder("parts.fits")));
    CHECK(same_bytes(in_folder("whole.fits.checkpoint"),
                     in_folder("parts.fits.checkpoint")));
    how.resume = 0;
    how.schedule.steps = 1;
    CHECK_OK(pretrain(&how, in_folder("one.fits")));
    how.seed = 2;
    CHECK_OK(pretrain(&how, in_folder("two.fits")));
    CHECK(!same_bytes(in_folder("one.fits"), in_folder("two.fits")));
}

static void the_losses_fall(void)
{
    for (int task = RG_PRETRAIN_DENSE; task <= RG_PRETRAIN_RECONSTRUCTION; task++) {
        rg_pretrain_report first, last;
        rg_pretrain_options how = quick(task, 10, &first);
        how.report = 10;
        CHECK_OK(pretrain(&how, in_folder("fall.fits")));
        how.user = &last;
        how.schedule.steps = 70;
        how.resume = 1;
        how.schedule.rate = 2e-3f;
        CHECK_OK(pretrain(&how, in_folder("fall.fits")));
        CHECK(last.step == 70);
        CHECK(last.total < 0.8 * first.total);
    }
}

static void training_begins_with_the_backbone(void)
{
    rg_train_options how = rg_recipe_default.how;
    rg_claran model = tiny(80);
    rg_dataset *labelled;
    rg_weights *from, *to;
    char whole[256];
    snprintf(whole, sizeof whole, "%s", in_folder("whole.fits"));
    how.backend = "cpu";
    how.schedule.steps = 1;
    how.schedule.rate = 1e-9f;
    how.batch = 1;
    how.rois = 8;
    how.backbone = whole;
    CHECK_OK(rg_dataset_read(&labelled, in_folder("sky.csv")));
    CHECK_OK(rg_train((const rg_dataset *const *)&labelled, 1, &model, &how,
                      in_folder("model.fits")));
    CHECK_OK(rg_weights_read(&from, whole));
    CHECK_OK(rg_weights_read(&to, in_folder("model.fits")));
    CHECK(rg_weights_count(from) == 26);
    for (int i = 0; i < rg_weights_count(from); i++) {
        const rg_weight *a = rg_weights_at(from, i), *b = rg_weights_find(to, a->name);
        CHECK(b != NULL);
        for (long k = 0; b && k < rg_layer_count(a->shape); k++)
            if (!(fabsf(a->data[k] - b->data[k]) < 1e-4f)) check_failed_ = 1;
    }
    rg_weights_free(from);
    rg_weights_free(to);
    rg_dataset_free(labelled);
    rg_detector *detector;
    CHECK_FAILS(rg_detect_open(&detector, whole, &rg_detect_defaults),
                "MODEL is \"backbone\"");
    how.backbone = in_folder("whole.fits.checkpoint");
    CHECK_OK(rg_dataset_read(&labelled, in_folder("sky.csv")));
    CHECK_FAILS(rg_train((const rg_dataset *const *)&labelled, 1, &model, &how,
                         in_folder("bad.fits")), "checkpoint");
    rg_dataset_free(labelled);
}

static void bad_settings_are_sentences(void)
{
    rg_pretrain_report last;
    rg_pretrain_options how = quick(RG_PRETRAIN_DENSE, 2, &last);
    rg_pretrain_task task;
    how.batch = 0;
    CHECK_FAILS(pretrain(&how, in_folder("bad.fits")), "batch of 0");
    how = quick(RG_PRETRAIN_DENSE, 2, &last);
    CHECK_FAILS(pretrain(&how, "/nowhere/at/all.fits"), "/nowhere/at/all.fits");
    how.noise = NAN;
    CHECK_FAILS(pretrain(&how, in_folder("bad.fits")), "noise of nan");
    CHECK_FAILS(rg_pretrain_task_named("puzzle", &task), "puzzle");
    how = quick(RG_PRETRAIN_DENSE, 9, &last);
    how.resume = 1;
    rg_claran wide = tiny(64);
    wide.width = 8;
    CHECK_FAILS(rg_pretrain((const rg_dataset *const *)&list, 1, &wide, &how,
                            in_folder("whole.fits")), "width 4");
}

/* A list of the same fields without a label. */
static int forget_labels(void)
{
    FILE *file = fopen(in_folder("unlabelled.csv"), "w");
    if (file == NULL) return -1;
    fputs("file,class,xmin,ymin,xmax,ymax\n", file);
    for (int i = 0; i < 6; i++) fprintf(file, "sky/sim_%05d.fits,,,,,\n", i);
    fclose(file);
    return rg_dataset_read(&list, in_folder("unlabelled.csv"));
}

int main(void)
{
    rg_simulation sky = rg_simulate_defaults;
    sky.size = 140;
    sky.seed = 5;
    if (mkdtemp(folder) == NULL
        || rg_folder_simulate(&sky, 6, in_folder("sky"), NULL, NULL) != 0
        || forget_labels() != 0) {
        printf("FAIL simulated list: %s\n", rg_error_message());
        return EXIT_FAILURE;
    }
    CHECK_RUN(cells_say_where_how_many_and_how_bright);
    CHECK_RUN(blocks_are_the_islands_without_the_noise);
    CHECK_RUN(a_sky_without_islands_has_targets_too);
    CHECK_RUN(noise_is_added_as_asked);
    CHECK_RUN(a_resumed_run_equals_one_that_was_not_stopped);
    CHECK_RUN(the_losses_fall);
    CHECK_RUN(training_begins_with_the_backbone);
    CHECK_RUN(bad_settings_are_sentences);
    rg_dataset_free(list);
    char remove[128];
    snprintf(remove, sizeof remove, "rm -rf %s", folder);
    return system(remove) == 0 ? CHECK_END() : EXIT_FAILURE;
}

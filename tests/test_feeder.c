/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "core/data/simulate.h"
#include "core/learning/feeder.h"
#include "core/learning/recipe.h"
#include "tests/check.h"

enum {
    FIELDS = 12, SIDE = 128, PIXELS = 3 * SIDE * SIDE, BATCH = 3, FIRST = 2, STEPS = 10
};

static char folder[64] = "/tmp/claran-test-feeder.XXXXXX";
static rg_dataset *list;
static rg_subjects *subjects;
static rg_claran model;
static rg_train_options how;         /* a seed with which all can be drawn */

/* Simulated fields, the last two of which are blank: no example can be drawn there. */
static int write_field(int i, FILE *csv)
{
    rg_simulation sky = rg_simulate_defaults;
    rg_simulated field;
    char path[128];
    RG_TRY(rg_simulate_field(&sky, i, &field));
    rg_image *r = field.radio;
    for (int p = 0; i >= FIELDS - 2 && p < r->nx * r->ny; p++) r->pixels[p] = NAN;
    snprintf(path, sizeof path, "%s/%d.fits", folder, i);
    RG_TRY(rg_image_write(r, path, NULL));
    for (const rg_label *l = field.labels; l < field.labels + field.n; l++)
        fprintf(csv, "%d.fits,%s,%g,%g,%g,%g\n", i,
                l->class_ > 0 ? rg_boxes_class_name[l->class_] : "?", l->xmin, l->ymin,
                l->xmax, l->ymax);
    rg_simulate_clear(&field);
    return 0;
}

static int make_subjects(void)
{
    char path[128];
    if (mkdtemp(folder) == NULL) return RG_FAIL("no folder");
    snprintf(path, sizeof path, "%s/list.csv", folder);
    FILE *csv = fopen(path, "w");
    if (csv == NULL) return RG_FAIL("no list");
    fprintf(csv, "file,class,xmin,ymin,xmax,ymax\n");
    for (int i = 0; i < FIELDS; i++) RG_TRY(write_field(i, csv));
    fclose(csv);
    model = rg_recipe_default.model;
    model.input = SIDE;
    RG_TRY(rg_dataset_read(&list, path));
    return rg_subjects_new(&subjects, (const rg_dataset *const *)&list, 1, 0.5, false);
}

static int draw(const rg_train_options *with, long step, int i, float *data,
                rg_subject *subject)
{
    const rg_subject_options as = rg_train_subject_options(with);
    return rg_subject_draw(subjects, &model, &as, rg_train_subject_seed(with, step, i),
                           data, subject);
}

/* The first step from FIRST on that cannot be drawn, STEPS where there is none; the
 * first and the last of its sentences. */
static long first_failure(const rg_train_options *with, char first[1024],
                          char last[1024])
{
    static float data[PIXELS];
    rg_subject subject;
    *first = '\0';
    for (long step = FIRST; step < STEPS; step++) {
        for (int i = 0; i < BATCH; i++)
            if (draw(with, step, i, data, &subject) != 0) {
                snprintf(last, 1024, "%s", rg_error_message());
                if (!*first) memcpy(first, last, 1024);
            }
        if (*first) return step;
    }
    return STEPS;
}

/* With a seed for which all can be drawn, or one step fails for two reasons. */
static rg_train_options options(bool fails)
{
    char first[1024], last[1024];
    rg_train_options with = rg_recipe_default.how;
    with.batch = BATCH;
    with.schedule.steps = STEPS;
    for (with.seed = 1;; with.seed++) {
        const long step = first_failure(&with, first, last);
        if (!fails && step == STEPS) return with;
        if (fails && step > FIRST + 1 && step < STEPS - 1 && strcmp(first, last) != 0)
            return with;
    }
}

static bool is_same(const rg_subject *a, const rg_subject *b)
{
    return a->n == b->n && a->field == b->field && a->x == b->x && a->y == b->y
           && memcmp(a->truths, b->truths, (size_t)a->n * sizeof *a->truths) == 0;
}

static void compare(const rg_train_options *with, long step, const float *data,
                    const rg_subject *batch)
{
    static float wanted[PIXELS];
    for (int i = 0; i < BATCH; i++) {
        rg_subject subject;
        CHECK_OK(draw(with, step, i, wanted, &subject));
        CHECK(memcmp(wanted, data + (size_t)i * PIXELS, sizeof wanted) == 0);
        CHECK(is_same(&subject, &batch[i]));
    }
}

static void batches_come_in_order_as_drawn_in_place(void)
{
    static const int threads[] = { 0, 1, 5, 1000 };
    for (int k = 0; k < 4; k++) {
        rg_feeder *feeder;
        const float *data;
        const rg_subject *batch;
        CHECK_OK(rg_feeder_new(&feeder, subjects, &model, &how, FIRST, threads[k]));
        for (long step = FIRST; step < STEPS; step++) {
            CHECK_OK(rg_feeder_take(feeder, &data, &batch));
            compare(&how, step, data, batch);
        }
        rg_feeder_free(feeder);
    }
}

/* And not when it is drawn, which is some steps before. */
static void an_error_is_told_at_its_step(void)
{
    const rg_train_options bad_one = options(true);
    char sentence[1024], last[1024];
    const long bad = first_failure(&bad_one, sentence, last);
    for (int threads = 0; threads < 5; threads += 4) {
        rg_feeder *feeder;
        const float *data;
        const rg_subject *batch;
        CHECK_OK(rg_feeder_new(&feeder, subjects, &model, &bad_one, FIRST, threads));
        for (long step = FIRST; step < bad; step++) {
            CHECK_OK(rg_feeder_take(feeder, &data, &batch));
            compare(&bad_one, step, data, batch);
        }
        CHECK_FAILS(rg_feeder_take(feeder, &data, &batch), "no pixels");
        CHECK(strcmp(rg_error_message(), sentence) == 0);
        rg_feeder_free(feeder);
    }
}

/* How many threads we have, and how many of them are at work. */
static int count_threads(int *busy)
{
    int n = 0;
    DIR *all = opendir("/proc/self/task");
    *busy = 0;
    for (struct dirent *one; all && (one = readdir(all)) != NULL;) {
        char path[300], state = 'R';
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", one->d_name);
        FILE *file = one->d_name[0] != '.' ? fopen(path, "r") : NULL;
        if (file == NULL) continue;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'R';
        fclose(file);
        n++;
        *busy += state != 'S';
    }
    if (all) closedir(all);
    return n;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Until nobody but ourselves has been at work for ten looks. */
static void wait_for_rest(void)
{
    const double end = seconds(CLOCK_MONOTONIC) + 60;
    for (int quiet = 0; quiet < 10 && seconds(CLOCK_MONOTONIC) < end;) {
        int busy;
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        count_threads(&busy);
        quiet = busy <= 1 ? quiet + 1 : 0;
    }
}

/* A thread that has ended is seen a little longer. */
static bool come_to_be(int threads)
{
    const double end = seconds(CLOCK_MONOTONIC) + 60;
    int busy, n = count_threads(&busy);
    while (n != threads && seconds(CLOCK_MONOTONIC) < end) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        n = count_threads(&busy);
    }
    return n == threads;
}

/* What waits costs whoever takes it nothing: as many batches as may be drawn ahead. */
static void batches_are_drawn_ahead(void)
{
    double cost[2];
    for (int ahead = 0; ahead < 2; ahead++) {
        rg_feeder *feeder;
        const float *data;
        const rg_subject *batch;
        CHECK_OK(rg_feeder_new(&feeder, subjects, &model, &how, FIRST, ahead));
        wait_for_rest();
        cost[ahead] = -seconds(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < RG_FEEDER_AHEAD; i++)
            CHECK_OK(rg_feeder_take(feeder, &data, &batch));
        cost[ahead] += seconds(CLOCK_THREAD_CPUTIME_ID);
        rg_feeder_free(feeder);
    }
    printf("%d batches: %.2f ms of ours, %.2f ms where they were drawn ahead\n",
           RG_FEEDER_AHEAD, 1e3 * cost[0], 1e3 * cost[1]);
    CHECK(cost[1] < 0.25 * cost[0]);
}

/* Before the first batch, at the second, and when all are drawn. */
static void threads_end_whenever_it_is_freed(void)
{
    int busy, before = count_threads(&busy);
    for (int taken = 0; taken <= STEPS - FIRST; taken += taken < 2 ? 1 : 5) {
        rg_feeder *feeder;
        const float *data;
        const rg_subject *batch;
        CHECK_OK(rg_feeder_new(&feeder, subjects, &model, &how, FIRST, 6));
        CHECK(count_threads(&busy) == before + 6);
        for (int i = 0; i < taken; i++)
            CHECK_OK(rg_feeder_take(feeder, &data, &batch));
        rg_feeder_free(feeder);
        CHECK(come_to_be(before));
    }
    rg_feeder_free(NULL);
}

int main(void)
{
    if (make_subjects() != 0) {
        printf("FAIL no lists: %s\n", rg_error_message());
        return EXIT_FAILURE;
    }
    how = options(false);
    CHECK_RUN(batches_come_in_order_as_drawn_in_place);
    CHECK_RUN(an_error_is_told_at_its_step);
    CHECK_RUN(batches_are_drawn_ahead);
    CHECK_RUN(threads_end_whenever_it_is_freed);
    rg_subjects_free(subjects);
    rg_dataset_free(list);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) == 0 ? CHECK_END() : EXIT_FAILURE;
}

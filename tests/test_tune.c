/* SPDX-License-Identifier: MIT */
/* Which way of doing a convolution is taken, on a card that is the host: timed once,
 * kept on disk, and what is damaged or of another card is not believed. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/gpu/gpu.h"
#include "core/engine/net.h"
#include "tests/card.h"
#include "tests/check.h"

static char cache[] = "/tmp/claran-tune-XXXXXX", folder[64], path[400];

/* The one file, to `path`; how many there are. */
static int files(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            n++;
        }
    if (d) closedir(d);
    return n;
}

static void forget(void)
{
    while (files() > 0) CHECK(unlink(path) == 0);
}

/* A network of one convolution, run; the way that was taken. */
static int way_taken(int channels)
{
    const rg_row rows[] = { INPUT("x", 1, 3, 5, 5),
                            CONV("y", "x", 3, channels, 3, RELU) };
    const rg_net_options how = { .precision = RG_PRECISION_F32 };
    rg_net *net = NULL;
    CHECK_OK(rg_net_new(&net, rows, 2, &rg_backend_gpu, &how));
    if (net == NULL) return -1;
    card_way = -1;
    CHECK_OK(rg_net_forward(net, NULL, NULL));
    rg_net_free(net);
    return card_way;
}

static void costs(float a, float b, float c)
{
    const float of[4] = { a, b, c, 1 };
    card_ways = 3;
    memcpy(card_cost, of, sizeof of);
    card_timed = 0;
}

static void the_fastest_is_kept(void)
{
    struct stat at;
    forget();
    costs(3, 1, 2);
    CHECK(way_taken(4) == 1);
    CHECK(card_timed == 3);
    CHECK(files() == 1);
    CHECK(stat(path, &at) == 0 && at.st_size > 60);
    costs(1, 2, 3);                       /* as it was timed, not as it is now */
    CHECK(way_taken(4) == 1);
    CHECK(card_timed == 0);
    CHECK(way_taken(5) == 0);             /* another shape */
    CHECK(card_timed == 3);
    CHECK(files() == 1);
    CHECK(way_taken(4) == 1);             /* which the file still has */
    CHECK(card_timed == 3);
}

static void products_are_timed_too(void)
{
    const rg_row rows[] = { INPUT("x", 2, 3, 1, 1), FC("y", "x", 3, 4, LINEAR) };
    const rg_net_options how = { .precision = RG_PRECISION_F32 };
    costs(3, 2, 1);
    for (int pass = 0; pass < 2; pass++) {
        rg_net *net = NULL;
        CHECK_OK(rg_net_new(&net, rows, 2, &rg_backend_gpu, &how));
        CHECK_OK(rg_net_forward(net, NULL, NULL));
        rg_net_free(net);
        CHECK(card_way == 2);
        CHECK(card_timed == 3);
    }
}

static void another_card_has_a_file_of_its_own(void)
{
    forget();
    costs(3, 1, 2);
    CHECK(way_taken(4) == 1);
    card_name = "another card";
    costs(3, 2, 1);
    CHECK(way_taken(4) == 2);
    CHECK(files() == 2);
    card_name = "a card that is the host";
    CHECK(way_taken(4) == 1);
    CHECK(card_timed == 3);
}

/* Writes the text, which must not be believed: it says way 0 of what way 1 is best. */
static void is_not_believed(const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
    costs(3, 1, 2);
    CHECK(way_taken(4) == 1);
    CHECK(card_timed == 3);
    costs(1, 2, 3);
    CHECK(way_taken(4) == 1);             /* written anew */
    CHECK(card_timed == 0);
}

#define HEAD "claran gpu plans 2\na card that is the host\n"
#define LINE "conv forward f32 1x3x5x5 4 3/1 bias relu = 0\n"

static void what_is_damaged_is_made_anew(void)
{
    FILE *file;
    forget();
    costs(3, 1, 2);
    CHECK(way_taken(4) == 1);
    CHECK(files() == 1);
    if (check_failed_) return;
    file = fopen(path, "w");
    CHECK(file && fputs(HEAD LINE "end 1\n", file) >= 0 && fclose(file) == 0);
    CHECK(way_taken(4) == 0);             /* this one is well */
    is_not_believed("");
    is_not_believed(HEAD LINE);
    is_not_believed(HEAD LINE "end 2\n");
    is_not_believed(HEAD LINE "end 1\nmore\n");
    is_not_believed(HEAD LINE "nonsense\nend 2\n");
    is_not_believed(HEAD "conv forward f32 1x3x5x5 4 3/1 bias relu = -1\nend 1\n");
    is_not_believed("claran gpu plans 2\nanother card\n" LINE "end 1\n");
    is_not_believed("claran gpu plans 1\na card that is the host\n" LINE "end 1\n");
}

/* A pipe in its place is not waited for; a folder is let alone. */
static void what_is_no_file_is_not_read(void)
{
    forget();
    costs(3, 1, 2);
    CHECK(way_taken(4) == 1);
    CHECK(files() == 1 && unlink(path) == 0 && mkfifo(path, 0600) == 0);
    alarm(20);
    CHECK(way_taken(4) == 1);
    alarm(0);
    forget();
    CHECK(mkdir(path, 0700) == 0);
    CHECK(way_taken(4) == 1);
    CHECK(files() == 1 && rmdir(path) == 0);
}

/* Two networks of two programs: what each learnt is kept. */
static void two_writers_keep_what_both_learnt(void)
{
    rg_device *device = NULL;
    rg_convolution *made = NULL;
    rg_convolution_spec spec = { .in = { 1, 3, 5, 5 }, .out = { 1, 4, 5, 5 },
                                 .size = 3, .stride = 1,
                                 .precision = RG_PRECISION_F32 };
    forget();
    costs(3, 1, 2);
    CHECK_OK(rg_device_open(&device));
    rg_tune *tune[2] = { rg_tune_open(device), rg_tune_open(device) };
    for (int k = 0; k < 2; k++) {
        spec.out.c = 4 + k;
        CHECK_OK(rg_tune_convolution(tune[k], device, &made, &spec));
        rg_convolution_free(made);
    }
    for (int k = 0; k < 2; k++) rg_tune_keep(tune[k]);
    for (int k = 0; k < 2; k++) rg_tune_close(tune[k]);
    costs(1, 2, 3);
    tune[0] = rg_tune_open(device);
    for (int k = 0; k < 2; k++) {
        spec.out.c = 4 + k;
        CHECK_OK(rg_tune_convolution(tune[0], device, &made, &spec));
        CHECK(made && rg_convolution_way(made) == 1);
        rg_convolution_free(made);
    }
    CHECK(card_timed == 0);
    rg_tune_close(tune[0]);
    rg_device_close(device);
}

static void a_way_that_is_gone_is_timed_anew(void)
{
    forget();
    costs(3, 2, 1);
    CHECK(way_taken(4) == 2);
    card_ways = 2;
    CHECK(way_taken(4) == 1);             /* of 0 and 1 */
    forget();
    costs(2, 1, 3);
    CHECK(way_taken(4) == 1);
    card_first = 2;                       /* 2 comes in its place: not as good as 3 */
    card_ways = 4;
    CHECK(way_taken(4) == 3);
    card_first = 0;
}

static void without_memory_the_first_is_taken(void)
{
    const size_t room = card_room;
    rg_convolution *made = NULL;
    rg_device *device = NULL;
    const rg_convolution_spec spec = { .in = { 1, 3, 64, 64 }, .out = { 1, 4, 64, 64 },
                                       .size = 3, .stride = 1,
                                       .precision = RG_PRECISION_F32 };
    forget();
    costs(3, 1, 2);
    CHECK_OK(rg_device_open(&device));
    rg_tune *tune = rg_tune_open(device);
    card_room = 1000;
    CHECK_OK(rg_tune_convolution(tune, device, &made, &spec));
    CHECK(made && rg_convolution_way(made) == 0);
    CHECK(card_room == 1000);
    card_room = room;
    rg_tune_keep(tune);
    CHECK(files() == 0);
    rg_convolution_free(made);
    rg_tune_close(tune);
    rg_device_close(device);
}

static void where_nothing_can_be_kept_nothing_is_timed(void)
{
    costs(3, 1, 2);
    setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
    CHECK(way_taken(4) == 1);             /* timed, and not kept: no failure */
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    card_timed = 0;
    CHECK(way_taken(4) == 0);
    CHECK(card_timed == 0);
    setenv("HOME", cache, 1);
    snprintf(folder, sizeof folder, "%s/.cache/claran", cache);
    CHECK(way_taken(4) == 1);
    CHECK(files() == 1);
    forget();
    CHECK(rmdir(folder) == 0);
    snprintf(folder, sizeof folder, "%s/.cache", cache);
    CHECK(rmdir(folder) == 0);
}

int main(void)
{
    if (mkdtemp(cache) == NULL) return EXIT_FAILURE;
    setenv("XDG_CACHE_HOME", cache, 1);
    snprintf(folder, sizeof folder, "%s/claran", cache);
    CHECK_RUN(the_fastest_is_kept);
    CHECK_RUN(products_are_timed_too);
    CHECK_RUN(another_card_has_a_file_of_its_own);
    CHECK_RUN(what_is_damaged_is_made_anew);
    CHECK_RUN(what_is_no_file_is_not_read);
    CHECK_RUN(two_writers_keep_what_both_learnt);
    CHECK_RUN(a_way_that_is_gone_is_timed_anew);
    CHECK_RUN(without_memory_the_first_is_taken);
    forget();
    CHECK(rmdir(folder) == 0);
    CHECK_RUN(where_nothing_can_be_kept_nothing_is_timed);
    CHECK(rmdir(cache) == 0);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include "plugin/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/engine/error.h"
#include "plugin/options.h"

#define EVERY 2.0             /* [s] */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What there is no memory for is not shown before the end. */
static void take(void *user, const rg_detection *one)
{
    rg_progress *p = user;
    if (p->n == p->room) {
        int room = 2 * p->room + 64;
        rg_detection *more = realloc(p->seen, (size_t)room * sizeof *more);
        if (more == NULL) return;
        p->seen = more;
        p->room = room;
    }
    p->seen[p->n++] = *one;
}

static int by_probability(const void *a, const void *b)
{
    float pa = ((const rg_detection *)a)->probability;
    float pb = ((const rg_detection *)b)->probability;
    return (pa < pb) - (pa > pb);
}

/* The sources so far: 0, or -1 where they cannot be told. */
static int choose(rg_progress *p, rg_detection **found, int *n)
{
    rg_detect_options how = *p->how;
    how.best = false;
    if (p->n > 0) qsort(p->seen, (size_t)p->n, sizeof *p->seen, by_probability);
    return rg_detect_choose(&how, p->radio, p->threshold, p->seen, p->n, found, n);
}

static void say(void *user, int done, int total)
{
    rg_progress *p = user;
    const double now = seconds();
    rg_detection *found;
    int n;
    if (now - p->last < EVERY || done == total || choose(p, &found, &n) != 0) return;
    p->last = now;
    if (p->show != NULL && p->show(p->user, found, n) != 0) {
        rg_options_remark("Boxes appear at the end: %s", rg_error_message());
        p->show = NULL;
    }
    free(found);
    printf("%d of %d windows, %d source%s so far, %.0f s left\n", done, total, n,
           n == 1 ? "" : "s", (now - p->began) / done * (total - done));
    if (fflush(stdout) == 0) return;
    fprintf(stderr, "claran: nobody reads the lines of this search any more, so it "
                    "ends\n");
    exit(RG_EXIT_PROBLEM);
}

void rg_progress_begin(rg_progress *p, rg_detect_options *options)
{
    options->progress = say;
    options->seen = take;
    options->user = p;
    p->how = options;
    p->began = p->last = seconds();
}

void rg_progress_end(rg_progress *p)
{
    free(p->seen);
    p->seen = NULL;
    p->n = p->room = 0;
}

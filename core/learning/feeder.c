/* SPDX-License-Identifier: MIT */
#include "core/learning/feeder.h"

#ifdef _OPENMP
#include <omp.h>
#endif
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/engine/error.h"

/* A batch, as far as it is drawn. */
typedef struct slot {
    float *data;              /* owned, as the subjects */
    rg_subject *subjects;
    int drawn;
    int failed;               /* the first that cannot be drawn; batch: none so far */
    char sentence[1024];      /* of that one */
} slot;

/* Step s is in slot s % (ahead + 1), from when it is begun until s + 1 is taken. */
struct rg_feeder {
    const rg_subjects *subjects;      /* borrowed, as model and how */
    const rg_claran *model;
    const rg_train_options *how;
    rg_subject_options as;
    int ahead;                        /* 0 without threads */
    slot slots[RG_FEEDER_AHEAD + 1];  /* [ahead + 1] */
    pthread_t *threads;               /* owned */
    int nthreads;
    pthread_mutex_t lock;             /* of slots' counts, and of all below */
    pthread_cond_t room, full;        /* for another step; a slot */
    long step;                        /* to be taken next */
    long next;                        /* subject to be drawn: step * batch + index */
    bool over;
};

static slot *slot_of(rg_feeder *f, long step)
{
    return &f->slots[step % (f->ahead + 1)];
}

static void draw(rg_feeder *f, long which)
{
    const int batch = f->how->batch, i = (int)(which % batch);
    const size_t pixels = (size_t)3 * f->model->input * f->model->input;
    slot *s = slot_of(f, which / batch);
    int status = rg_subject_draw(f->subjects, f->model, &f->as,
                                 rg_train_subject_seed(f->how, which / batch, i),
                                 s->data + (size_t)i * pixels, &s->subjects[i]);
    pthread_mutex_lock(&f->lock);
    if (status != 0 && i < s->failed) {
        s->failed = i;
        snprintf(s->sentence, sizeof s->sentence, "%s", rg_error_message());
    }
    if (++s->drawn == batch) pthread_cond_signal(&f->full);
    pthread_mutex_unlock(&f->lock);
}

/* How many subjects are not begun of the steps before `end`; under the lock. */
static long left(const rg_feeder *f, long end)
{
    return end * f->how->batch - f->next;
}

/* ---- ahead ---- */

static long end_of_room(const rg_feeder *f)
{
    const long end = f->step + f->ahead, steps = f->how->schedule.steps;
    return end < steps ? end : steps;
}

static void *work(void *feeder)
{
    rg_feeder *f = feeder;
#ifdef _OPENMP
    omp_set_num_threads(1);           /* within a subject: there are others of us */
#endif
    pthread_mutex_lock(&f->lock);
    while (!f->over) {
        if (left(f, end_of_room(f)) <= 0) {
            pthread_cond_wait(&f->room, &f->lock);
            continue;
        }
        const long which = f->next++;
        pthread_mutex_unlock(&f->lock);
        draw(f, which);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static int allocate(rg_feeder *f, int threads)
{
    const unsigned long batch = (unsigned long)f->how->batch;
    const unsigned long pixels = 3ul * f->model->input * f->model->input;
    f->threads = rg_error_alloc((unsigned long)threads, sizeof *f->threads, "threads");
    if (f->threads == NULL) return -1;
    for (int i = 0; i <= f->ahead; i++) {
        slot *s = &f->slots[i];
        s->failed = f->how->batch;
        s->data = rg_error_alloc(batch * pixels, sizeof *s->data, "training examples");
        s->subjects = rg_error_alloc(batch, sizeof *s->subjects, "training examples");
        if (s->data == NULL || s->subjects == NULL) return -1;
    }
    return 0;
}

int rg_feeder_new(rg_feeder **out, const rg_subjects *subjects, const rg_claran *model,
                  const rg_train_options *how, long step, int threads)
{
    const int most = RG_FEEDER_AHEAD * how->batch;
    rg_feeder *f = rg_error_alloc(1, sizeof *f, "training examples");
    if (f == NULL) return -1;
    f->subjects = subjects;
    f->model = model;
    f->how = how;
    f->as = rg_train_subject_options(how);
    f->ahead = threads > 0 ? RG_FEEDER_AHEAD : 0;
    f->step = step;
    f->next = step * how->batch;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->room, NULL);
    pthread_cond_init(&f->full, NULL);
    if (threads > most) threads = most;
    if (allocate(f, threads) != 0) {
        rg_feeder_free(f);
        return -1;
    }
    while (f->nthreads < threads
           && pthread_create(&f->threads[f->nthreads], NULL, work, f) == 0)
        f->nthreads++;
    *out = f;
    return 0;
}

void rg_feeder_free(rg_feeder *f)
{
    if (f == NULL) return;
    pthread_mutex_lock(&f->lock);
    f->over = true;
    pthread_cond_broadcast(&f->room);
    pthread_mutex_unlock(&f->lock);
    for (int i = 0; i < f->nthreads; i++) pthread_join(f->threads[i], NULL);
    for (int i = 0; i <= f->ahead; i++) {
        free(f->slots[i].data);
        free(f->slots[i].subjects);
    }
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->room);
    pthread_cond_destroy(&f->full);
    free(f->threads);
    free(f);
}

/* ---- now ---- */

/* What is not begun of the steps before `end`. */
static void help(rg_feeder *f, long end)
{
    for (;;) {
        pthread_mutex_lock(&f->lock);
        const long which = left(f, end) > 0 ? f->next++ : -1;
        pthread_mutex_unlock(&f->lock);
        if (which < 0) return;
        draw(f, which);
    }
}

int rg_feeder_take(rg_feeder *f, const float **data, const rg_subject **batch)
{
    const long step = f->step;
    slot *s = slot_of(f, step), *used = slot_of(f, step + f->ahead);
    pthread_mutex_lock(&f->lock);
    used->drawn = 0;
    f->step++;
    const bool late = left(f, step + 1) > 0;
    pthread_cond_broadcast(&f->room);
    pthread_mutex_unlock(&f->lock);
    #pragma omp parallel if (late)
    if (late) help(f, step + 1);
    pthread_mutex_lock(&f->lock);
    while (s->drawn < f->how->batch) pthread_cond_wait(&f->full, &f->lock);
    pthread_mutex_unlock(&f->lock);
    if (s->failed < f->how->batch) return RG_FAIL("%s", s->sentence);
    *data = s->data;
    *batch = s->subjects;
    return 0;
}

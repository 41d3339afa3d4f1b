/* SPDX-License-Identifier: MIT */
#include "core/evaluation/examine.h"

#include <stdlib.h>

#include "core/engine/error.h"

static int read_infrared(const rg_field *field, rg_image **infrared)
{
    if (field->infrared != NULL) return rg_image_read(infrared, field->infrared);
    return RG_FAIL("%s has no infrared image: the list's column ir is to name it",
                   field->path);
}

static int add_chosen(const rg_detector *detector, const rg_image *radio,
                      const rg_detection *all, int n, float threshold, rg_found set,
                      rg_evaluation *e)
{
    rg_detection *chosen;
    int nchosen;
    RG_TRY(rg_detect_choose(rg_detect_how(detector), radio, threshold, all, n, &chosen,
                            &nchosen));
    int status = rg_evaluate_choose(e, set, chosen, nchosen);
    free(chosen);
    return status;
}

/* The three sets of a field; radio may be NULL. */
static int judge(const rg_detector *detector, const rg_field *field,
                 const rg_image *radio, const rg_detection *all, int n, float threshold,
                 rg_evaluation *e)
{
    RG_TRY(rg_evaluate_add(e, all, n, field->labels, field->nlabels));
    RG_TRY(add_chosen(detector, radio, all, n, 0, RG_FOUND_SINGLE, e));
    return add_chosen(detector, radio, all, n, threshold, RG_FOUND_SHOWN, e);
}

/* Fields that are looked at together; all is owned. */
typedef struct group {
    rg_image *radio[RG_DETECT_TOGETHER], *infrared[RG_DETECT_TOGETHER];
    rg_detect_task look[RG_DETECT_TOGETHER];
    int n;
} group;

static void clear(group *g)
{
    for (int i = 0; i < g->n; i++) {
        rg_image_free(g->radio[i]);
        rg_image_free(g->infrared[i]);
        free(g->look[i].found);
    }
    *g = (group){ .n = 0 };
}

static int read(const rg_detector *detector, const rg_field *field, group *g)
{
    const int i = g->n++;
    RG_TRY(rg_image_read(&g->radio[i], field->path));
    if (rg_fuse_wants_infrared(rg_detect_model(detector)->method))
        RG_TRY(read_infrared(field, &g->infrared[i]));
    g->look[i] = (rg_detect_task){ .radio = g->radio[i], .infrared = g->infrared[i] };
    return 0;
}

/* What is found in the first of n fields, as many as go together. */
static int look(rg_detector *detector, const rg_field *fields, int n, group *g)
{
    *g = (group){ .n = 0 };
    while (g->n < n && !rg_detect_enough(g->look, g->n))
        RG_TRY(read(detector, &fields[g->n], g));
    rg_detect_list(detector, g->look, g->n);
    for (int i = 0; i < g->n; i++)
        if (g->look[i].status != 0) return RG_FAIL("%s", g->look[i].sentence);
    return 0;
}

/* Each field of the list to `use`, with what is found in it. */
typedef struct visit {
    rg_detector *detector;
    const rg_dataset *list;
    void (*progress)(void *user, int done, int total);
    void *user;
} visit;

static int each(const visit *v, int (*use)(void *with, const rg_field *field,
                                           rg_detect_task *found), void *with)
{
    const int n = v->list->nfields;
    int status = 0, done = 0;
    group *g = rg_error_alloc(1, sizeof *g, "fields");
    if (g == NULL) return -1;
    while (done < n && status == 0) {
        status = look(v->detector, &v->list->fields[done], n - done, g);
        for (int i = 0; i < g->n && status == 0; i++, done++) {
            status = use(with, &v->list->fields[done], &g->look[i]);
            if (v->progress) v->progress(v->user, done + 1, n);
        }
        clear(g);
    }
    free(g);
    return status;
}

typedef struct judgement {
    const rg_detector *detector;
    float threshold;
    rg_evaluation *e;
} judgement;

static int judge_one(void *with, const rg_field *field, rg_detect_task *found)
{
    const judgement *j = with;
    RG_TRY(judge(j->detector, field, found->radio, found->found, found->n, j->threshold,
                 j->e));
    rg_evaluate_measure(j->e, found->radio);
    return 0;
}

int rg_examine(rg_detector *detector, const rg_dataset *list, float threshold,
               void (*progress)(void *user, int done, int total), void *user,
               rg_evaluation **out)
{
    const visit v = { detector, list, progress, user };
    judgement j = { detector, threshold, rg_evaluate_new() };
    *out = NULL;
    if (j.e == NULL) return -1;
    if (each(&v, judge_one, &j) == 0) {
        *out = j.e;
        return 0;
    }
    rg_evaluate_free(j.e);
    return -1;
}

static int take_one(void *with, const rg_field *field, rg_detect_task *found)
{
    rg_looks *looks = with;
    (void)field;
    looks->found[looks->fields] = found->found;
    looks->n[looks->fields++] = found->n;
    found->found = NULL;
    return 0;
}

int rg_examine_look(rg_detector *detector, const rg_dataset *list,
                    void (*progress)(void *user, int done, int total), void *user,
                    rg_looks *looks)
{
    const unsigned long n = (unsigned long)list->nfields;
    const visit v = { detector, list, progress, user };
    *looks = (rg_looks){ .found = rg_error_alloc(n, sizeof *looks->found, "fields"),
                         .n = rg_error_alloc(n, sizeof *looks->n, "fields") };
    int status = looks->found && looks->n ? 0 : -1;
    if (status == 0) status = each(&v, take_one, looks);
    if (status != 0) rg_examine_clear(looks);
    return status;
}

int rg_examine_judge(const rg_detector *detector, const rg_dataset *list,
                     const rg_looks *looks, float threshold, rg_evaluation **out)
{
    *out = NULL;
    rg_evaluation *e = rg_evaluate_new();
    int status = e ? 0 : -1;
    for (int i = 0; i < looks->fields && status == 0; i++) {
        rg_detect_recalibrate(detector, looks->found[i], looks->n[i]);
        status = judge(detector, &list->fields[i], NULL, looks->found[i], looks->n[i],
                       threshold, e);
    }
    if (status == 0) *out = e;
    else rg_evaluate_free(e);
    return status;
}

void rg_examine_clear(rg_looks *looks)
{
    for (int i = 0; i < looks->fields; i++) free(looks->found[i]);
    free(looks->found);
    free(looks->n);
    *looks = (rg_looks){ .found = NULL };
}

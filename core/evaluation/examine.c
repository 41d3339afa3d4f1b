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

/* What is found in a field, and its image; the caller frees both. */
static int look(rg_detector *detector, const rg_field *field, rg_image **radio,
                rg_detection **all, int *n)
{
    rg_image *infrared = NULL;
    RG_TRY(rg_image_read(radio, field->path));
    int status = 0;
    if (rg_fuse_wants_infrared(rg_detect_model(detector)->method))
        status = read_infrared(field, &infrared);
    if (status == 0) status = rg_detect(detector, *radio, infrared, all, n);
    rg_image_free(infrared);
    return status;
}

static int examine_field(rg_detector *detector, const rg_field *field, float threshold,
                         rg_evaluation *e)
{
    rg_image *radio = NULL;
    rg_detection *all = NULL;
    int n;
    int status = look(detector, field, &radio, &all, &n);
    if (status == 0) status = judge(detector, field, radio, all, n, threshold, e);
    if (status == 0) rg_evaluate_measure(e, radio);
    free(all);
    rg_image_free(radio);
    return status;
}

int rg_examine(rg_detector *detector, const rg_dataset *list, float threshold,
               void (*progress)(void *user, int done, int total), void *user,
               rg_evaluation **out)
{
    *out = NULL;
    rg_evaluation *e = rg_evaluate_new();
    int status = e ? 0 : -1;
    for (int i = 0; i < list->nfields && status == 0; i++) {
        status = examine_field(detector, &list->fields[i], threshold, e);
        if (progress) progress(user, i + 1, list->nfields);
    }
    if (status == 0) *out = e;
    else rg_evaluate_free(e);
    return status;
}

int rg_examine_look(rg_detector *detector, const rg_dataset *list,
                    void (*progress)(void *user, int done, int total), void *user,
                    rg_looks *looks)
{
    const unsigned long n = (unsigned long)list->nfields;
    *looks = (rg_looks){ .found = rg_error_alloc(n, sizeof *looks->found, "fields"),
                         .n = rg_error_alloc(n, sizeof *looks->n, "fields") };
    int status = looks->found && looks->n ? 0 : -1;
    for (int i = 0; i < list->nfields && status == 0; i++) {
        rg_image *radio = NULL;
        status = look(detector, &list->fields[i], &radio, &looks->found[i],
                      &looks->n[i]);
        rg_image_free(radio);
        looks->fields = i + 1;
        if (progress) progress(user, i + 1, list->nfields);
    }
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

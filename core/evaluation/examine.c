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

static int examine_image(rg_detector *detector, const rg_field *field,
                         const rg_image *radio, const rg_image *infrared,
                         float threshold, rg_evaluation *e)
{
    rg_detection *all;
    int n;
    RG_TRY(rg_detect(detector, radio, infrared, &all, &n));
    int status = rg_evaluate_add(e, all, n, field->labels, field->nlabels);
    if (status == 0)
        status = add_chosen(detector, radio, all, n, 0, RG_FOUND_SINGLE, e);
    if (status == 0)
        status = add_chosen(detector, radio, all, n, threshold, RG_FOUND_SHOWN, e);
    if (status == 0) rg_evaluate_measure(e, radio);
    free(all);
    return status;
}

static int examine_field(rg_detector *detector, const rg_field *field, float threshold,
                         rg_evaluation *e)
{
    const bool both = rg_fuse_wants_infrared(rg_detect_model(detector)->method);
    rg_image *radio = NULL, *infrared = NULL;
    int status = rg_image_read(&radio, field->path);
    if (status == 0 && both) status = read_infrared(field, &infrared);
    if (status == 0)
        status = examine_image(detector, field, radio, infrared, threshold, e);
    rg_image_free(radio);
    rg_image_free(infrared);
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

/* SPDX-License-Identifier: MIT */
#include "plugin/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/learning/subject.h"
#include "regions/picture.h"

enum { SIDE = RG_CLARAN_SUBJECT, COUNT = 36, LABEL = 64 };

typedef struct example {
    uint8_t rgb[3 * SIDE * SIDE];
    rg_box boxes[RG_SUBJECT_TRUTHS];
    char label[LABEL];
} example;

/* From planes B, G, R with y down. */
static void paint(const float *data, uint8_t *rgb)
{
    for (int p = 0; p < SIDE * SIDE; p++) {
        int y = SIDE - 1 - p / SIDE, x = p % SIDE;
        for (int c = 0; c < 3; c++)
            rgb[3 * (y * SIDE + x) + 2 - c] =
                (uint8_t)lrintf(data[c * SIDE * SIDE + p]);
    }
}

static void name(const rg_subject *subject, char label[LABEL])
{
    label[0] = '\0';
    for (int i = 0; i < subject->n; i++) {
        int class_ = subject->truths[i].class_;
        size_t n = strlen(label);
        snprintf(label + n, LABEL - n, "%s ",
                 class_ < 0 ? "?" : rg_boxes_class_name[class_]);
    }
}

static int fill(const rg_subjects *subjects, const rg_claran *model,
                const rg_train_options *how, int i, float *data, example *e,
                rg_picture_panel *panel)
{
    rg_subject subject;
    uint64_t seed = rg_train_subject_seed(how, i / how->batch, i % how->batch);
    const rg_subject_options as = rg_train_subject_options(how);
    RG_TRY(rg_subject_draw(subjects, model, &as, seed, data, &subject));
    paint(data, e->rgb);
    name(&subject, e->label);
    for (int t = 0; t < subject.n; t++)
        e->boxes[t] = rg_claran_to_subject(model, subject.truths[t].box);
    *panel = (rg_picture_panel){ e->label, e->rgb, e->boxes, subject.n };
    return 0;
}

int rg_sheet_write(const rg_dataset *const *lists, int nlists, const rg_claran *model,
                   const rg_train_options *how, const char *path)
{
    rg_subjects *subjects;
    rg_picture_panel panels[COUNT];
    rg_claran plain = *model;
    plain.input = SIDE;
    memset(plain.mean, 0, sizeof plain.mean);
    RG_TRY(rg_subjects_new(&subjects, lists, nlists, how->balance,
                           rg_fuse_wants_infrared(model->method)));
    example *examples = rg_error_alloc(COUNT, sizeof *examples, "a sheet");
    float *data = rg_error_alloc(3 * SIDE * SIDE, sizeof *data, "a sheet");
    int status = examples && data ? 0 : -1;
    for (int i = 0; i < COUNT && status == 0; i++)
        status = fill(subjects, &plain, how, i, data, &examples[i], &panels[i]);
    if (status == 0) status = rg_picture_write_sheet(panels, COUNT, SIDE, path);
    free(examples);
    free(data);
    rg_subjects_free(subjects);
    return status;
}

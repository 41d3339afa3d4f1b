/* SPDX-License-Identifier: MIT */
#include "core/evaluation/coco.h"

#include <jansson.h>

#include "core/engine/error.h"

static json_t *json_of_box(rg_box b)
{
    return json_pack("[ffff]", (double)b.x1, (double)b.y1, (double)b.x2 - b.x1 + 1,
                     (double)b.y2 - b.y1 + 1);
}

static int write(json_t *json, FILE *to)
{
    int bad = json == NULL
              || json_dumpf(json, to, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) != 0;
    json_decref(json);
    fputc('\n', to);
    return bad ? RG_FAIL("the boxes could not be written as JSON") : 0;
}

static json_t *json_of_images(const rg_dataset *list)
{
    json_t *json = json_array();
    for (int i = 0; i < list->nfields; i++) {
        json_t *name = json_string(list->fields[i].file);   /* NULL: no UTF-8 */
        json_array_append_new(json, json_pack("{siso}", "id", i + 1, "file_name",
                                              name ? name : json_string("?")));
    }
    return json;
}

int rg_coco_truth(const rg_evaluation *e, const rg_dataset *list, FILE *to)
{
    json_t *categories = json_array(), *annotations = json_array();
    for (int c = 1; c < RG_CLASSES; c++)
        json_array_append_new(categories, json_pack("{siss}", "id", c, "name",
                                                    rg_boxes_class_name[c]));
    for (int t = 0; t < e->truths.n; t++) {
        const rg_entry *one = &e->truths.item[t];
        if (one->class_ < 1) continue;
        const double area = (one->box.x2 - one->box.x1 + 1.0)
                            * (one->box.y2 - one->box.y1 + 1.0);
        json_array_append_new(annotations, json_pack(
            "{sisisisosfsi}", "id", t + 1, "image_id", one->field + 1, "category_id",
            one->class_, "bbox", json_of_box(one->box), "area", area, "iscrowd", 0));
    }
    return write(json_pack("{sososo}", "images", json_of_images(list), "categories",
                           categories, "annotations", annotations), to);
}

int rg_coco_found(const rg_evaluation *e, double iou, FILE *to)
{
    rg_ranking all;
    json_t *json = json_array();
    RG_TRY(rg_evaluate_rank(e, RG_FOUND_ALL, RG_SCHEME_SIX, iou, &all));
    for (int i = 0; i < all.n; i++) {
        const rg_entry *one = all.item[i].entry;
        if (all.item[i].is == RG_NEITHER) continue;
        json_array_append_new(json, json_pack(
            "{sisisosf}", "image_id", one->field + 1, "category_id", one->class_,
            "bbox", json_of_box(one->box), "score", (double)one->probability));
    }
    rg_evaluate_clear(&all);
    return write(json, to);
}

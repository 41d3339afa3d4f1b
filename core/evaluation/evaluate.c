/* SPDX-License-Identifier: MIT */
#include "core/evaluation/evaluate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

#define IGNORED_PART 0.5f

rg_evaluation *rg_evaluate_new(void)
{
    return rg_error_alloc(1, sizeof(rg_evaluation), "an evaluation");
}

void rg_evaluate_free(rg_evaluation *e)
{
    if (e == NULL) return;
    for (int s = 0; s < RG_FOUND_SETS; s++) free(e->found[s].item);
    free(e->truths.item);
    free(e);
}

/* ---- what is compared ---- */

static int reserve(rg_entries *list, int more)
{
    if (more <= 0) return 0;
    size_t room = (size_t)list->n + (size_t)more;
    rg_entry *item = realloc(list->item, room * sizeof *item);
    if (item == NULL) return RG_FAIL("out of memory for %zu boxes to compare", room);
    list->item = item;
    return 0;
}

static rg_entry *append(rg_entries *list, int field, int class_, const double edges[4])
{
    list->item[list->n] = (rg_entry){
        .box = { (float)edges[0], (float)edges[1], (float)(edges[2] - 1),
                 (float)(edges[3] - 1) },
        .class_ = class_, .field = field, .order = list->n, .size = NAN, .peak = NAN,
    };
    return &list->item[list->n++];
}

static int append_found(rg_entries *list, int field, const rg_detection *found, int n)
{
    RG_TRY(reserve(list, n));
    for (int i = 0; i < n; i++) {
        const rg_detection *d = &found[i];
        rg_entry *one = append(list, field, d->class_,
                               (double[]){ d->xmin, d->ymin, d->xmax, d->ymax });
        one->probability = d->probability;
        one->raw = d->raw;
        memcpy(one->evidence, d->evidence, sizeof one->evidence);
    }
    return 0;
}

int rg_evaluate_add(rg_evaluation *e, const rg_detection *detections, int nd,
                    const rg_label *labels, int nl)
{
    RG_TRY(append_found(&e->found[RG_FOUND_ALL], e->fields, detections, nd));
    RG_TRY(reserve(&e->truths, nl));
    for (int i = 0; i < nl; i++) {
        const rg_label *l = &labels[i];
        append(&e->truths, e->fields, l->class_,
               (double[]){ l->xmin, l->ymin, l->xmax, l->ymax });
    }
    e->fields++;
    return 0;
}

int rg_evaluate_choose(rg_evaluation *e, rg_found set, const rg_detection *detections,
                       int nd)
{
    return append_found(&e->found[set], e->fields - 1, detections, nd);
}

static int within(double x, int low, int high)
{
    return (int)fmin(high, fmax(low, x));
}

/* The brightest pixel with its centre in the box. */
static double peak_in(const rg_image *image, rg_box box)
{
    double peak = NAN;
    const int x1 = within(ceil(box.x1), 1, image->nx + 1);
    const int y1 = within(ceil(box.y1), 1, image->ny + 1);
    const int x2 = within(floor(box.x2 + 1), 0, image->nx);
    const int y2 = within(floor(box.y2 + 1), 0, image->ny);
    for (int y = y1; y <= y2; y++)
        for (int x = x1; x <= x2; x++)
            peak = fmax(peak, image->pixels[(size_t)(y - 1) * image->nx + x - 1]);
    return peak;
}

static void measure(rg_entries *list, int field, const rg_image *image, double pixel)
{
    for (int i = list->n - 1; i >= 0 && list->item[i].field == field; i--) {
        const rg_box b = list->item[i].box;
        list->item[i].size = pixel * hypot(b.x2 - b.x1 + 1, b.y2 - b.y1 + 1);
        list->item[i].peak = peak_in(image, b);
    }
}

void rg_evaluate_measure(rg_evaluation *e, const rg_image *image)
{
    const double pixel = rg_sky_pixel_arcsec(image->sky);
    measure(&e->truths, e->fields - 1, image, pixel);
    for (int s = 0; s < RG_FOUND_SETS; s++)
        measure(&e->found[s], e->fields - 1, image, pixel);
}

void rg_evaluate_restate(rg_evaluation *e, rg_found set, const float *probability)
{
    for (int i = 0; i < e->found[set].n; i++)
        e->found[set].item[i].probability = probability[i];
}

int rg_evaluate_class(rg_scheme scheme, int class_)
{
    if (class_ < 1 || scheme == RG_SCHEME_SIX) return class_;
    return scheme == RG_SCHEME_ANY ? 1 : rg_boxes_components[class_];
}

int rg_evaluate_classes(rg_scheme scheme)
{
    static const int count[] = { RG_CLASSES - 1, 3, 1 };
    return count[scheme];
}

/* ---- judging ---- */

/* Calibration ties what rounding cannot tell apart: the network's own figure tells. */
static int by_probability(const void *pa, const void *pb)
{
    const rg_entry *a = ((const rg_judged *)pa)->entry;
    const rg_entry *b = ((const rg_judged *)pb)->entry;
    if (a->probability != b->probability)
        return a->probability < b->probability ? 1 : -1;
    if (a->raw != b->raw) return a->raw < b->raw ? 1 : -1;
    return a->order - b->order;
}

/* The truths of a field lie together: *end is one past them. */
static int first_truth(const rg_entries *truths, int field, int *end)
{
    int low = 0, high = truths->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (truths->item[middle].field < field) low = middle + 1;
        else high = middle;
    }
    for (*end = low; *end < truths->n && truths->item[*end].field == field;) ++*end;
    return low;
}

/* Takes the free truth of its class that the detection overlaps most. */
static void judge(rg_judged *one, const rg_entries *truths, rg_scheme scheme,
                  double iou, bool *taken)
{
    int end, best = -1;
    float most = 0;
    bool ignored = false;
    for (int t = first_truth(truths, one->entry->field, &end); t < end; t++) {
        const rg_entry *truth = &truths->item[t];
        float overlap = rg_boxes_iou(one->entry->box, truth->box);
        if (truth->class_ == RG_CLASS_IGNORE) {
            ignored = ignored || rg_boxes_part(one->entry->box, truth->box)
                                     > IGNORED_PART;
        } else if (rg_evaluate_class(scheme, truth->class_) == one->class_ && !taken[t]
                   && overlap > iou && overlap > most) {
            most = overlap;
            best = t;
        }
    }
    if (best >= 0) taken[best] = true;
    one->truth = best;
    one->is = best >= 0 ? RG_RIGHT : ignored ? RG_NEITHER : RG_WRONG;
}

int rg_evaluate_rank(const rg_evaluation *e, rg_found set, rg_scheme scheme, double iou,
                     rg_ranking *r)
{
    const rg_entries *found = &e->found[set];
    const unsigned long n = (unsigned long)found->n;
    *r = (rg_ranking){ .n = found->n, .scheme = scheme };
    bool *taken = rg_error_alloc((unsigned long)e->truths.n, sizeof *taken, "truths");
    r->item = rg_error_alloc(n, sizeof *r->item, "detections");
    if (taken == NULL || r->item == NULL) {
        free(taken);
        rg_evaluate_clear(r);
        return -1;
    }
    for (int i = 0; i < r->n; i++) {
        const rg_entry *one = &found->item[i];
        r->item[i] = (rg_judged){ one, rg_evaluate_class(scheme, one->class_), 0, -1 };
    }
    qsort(r->item, n, sizeof *r->item, by_probability);
    for (int i = 0; i < r->n; i++)
        judge(&r->item[i], &e->truths, scheme, iou, taken);
    free(taken);
    return 0;
}

void rg_evaluate_clear(rg_ranking *r)
{
    free(r->item);
    *r = (rg_ranking){ .item = NULL };
}

/* ---- counting ---- */

static int times_of(const int *times, int field)
{
    return times ? times[field] : 1;
}

/* From the least probable to the best, so that the envelope (at each recall, the best
 * precision at this or a higher one) is known on the way. */
static void integrate(const rg_ranking *r, const int *times, rg_scores *s,
                      int positives[RG_CLASSES])
{
    int counted[RG_CLASSES];
    double envelope[RG_CLASSES] = { 0 };
    for (int c = 0; c < RG_CLASSES; c++) counted[c] = s->detections[c];
    for (int i = r->n - 1; i >= 0; i--) {
        const rg_judged *one = &r->item[i];
        const int c = one->class_, often = times_of(times, one->entry->field);
        for (int k = 0; k < often && one->is != RG_NEITHER; k++, counted[c]--) {
            if (one->is == RG_WRONG) continue;
            double precision = (double)positives[c]-- / counted[c];
            envelope[c] = fmax(envelope[c], precision);
            s->ap[c] += precision;
            s->voc[c] += envelope[c];
        }
    }
}

void rg_evaluate_average(const rg_evaluation *e, const rg_ranking *r, const int *times,
                         int least, const bool *counts, rg_scores *s)
{
    int positives[RG_CLASSES] = { 0 };
    *s = (rg_scores){ .classes = 0 };
    for (int t = 0; t < e->truths.n; t++) {
        int c = rg_evaluate_class(r->scheme, e->truths.item[t].class_);
        if (c > 0) s->truths[c] += times_of(times, e->truths.item[t].field);
    }
    for (int i = 0; i < r->n; i++) {
        const int often = times_of(times, r->item[i].entry->field);
        if (r->item[i].is != RG_NEITHER) s->detections[r->item[i].class_] += often;
        if (r->item[i].is == RG_RIGHT) positives[r->item[i].class_] += often;
    }
    integrate(r, times, s, positives);
    for (int c = 0; c < RG_CLASSES; c++) {
        s->ap[c] = s->truths[c] ? s->ap[c] / s->truths[c] : NAN;
        s->voc[c] = s->truths[c] ? s->voc[c] / s->truths[c] : NAN;
        s->counts[c] = counts ? counts[c] : s->truths[c] > 0 && s->truths[c] >= least;
        if (!s->counts[c] || s->truths[c] == 0) continue;
        s->map += s->ap[c];
        s->map_voc += s->voc[c];
        s->classes++;
    }
    s->map = s->classes ? s->map / s->classes : NAN;
    s->map_voc = s->classes ? s->map_voc / s->classes : NAN;
}

int rg_evaluate_scores(const rg_evaluation *e, double iou, int least, rg_scores *scores)
{
    rg_ranking all;
    RG_TRY(rg_evaluate_rank(e, RG_FOUND_ALL, RG_SCHEME_SIX, iou, &all));
    rg_evaluate_average(e, &all, NULL, least, NULL, scores);
    rg_evaluate_clear(&all);
    return 0;
}

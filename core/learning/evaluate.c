/* SPDX-License-Identifier: MIT */
#include "core/learning/evaluate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/engine/error.h"

#define IGNORE_IOU 0.5f

typedef struct entry {
    rg_box box;           /* as inclusive pixels */
    int class_, image;
    float probability;    /* of a detection */
    int order;            /* in which it was added */
} entry;

typedef struct entries {
    entry *item;          /* owned */
    int n;
} entries;

struct rg_evaluation {
    entries detections, truths;
    int images;
};

rg_evaluation *rg_evaluate_new(void)
{
    return rg_error_alloc(1, sizeof(rg_evaluation), "an evaluation");
}

void rg_evaluate_free(rg_evaluation *e)
{
    if (e == NULL) return;
    free(e->detections.item);
    free(e->truths.item);
    free(e);
}

static int reserve(entries *list, int more)
{
    if (more <= 0) return 0;
    size_t room = (size_t)list->n + (size_t)more;
    entry *item = realloc(list->item, room * sizeof *item);
    if (item == NULL) return RG_FAIL("out of memory for %zu boxes to compare", room);
    list->item = item;
    return 0;
}

static void append(entries *list, int image, int class_, float probability,
                   const double edges[4])
{
    list->item[list->n] = (entry){
        .box = { (float)edges[0], (float)edges[1], (float)(edges[2] - 1),
                 (float)(edges[3] - 1) },
        .class_ = class_, .image = image, .probability = probability, .order = list->n,
    };
    list->n++;
}

int rg_evaluate_add(rg_evaluation *e, const rg_detection *detections, int nd,
                    const rg_label *labels, int nl)
{
    RG_TRY(reserve(&e->detections, nd));
    RG_TRY(reserve(&e->truths, nl));
    for (int i = 0; i < nd; i++) {
        const rg_detection *d = &detections[i];
        append(&e->detections, e->images, d->class_, d->probability,
               (double[]){ d->xmin, d->ymin, d->xmax, d->ymax });
    }
    for (int i = 0; i < nl; i++) {
        const rg_label *l = &labels[i];
        append(&e->truths, e->images, l->class_, 0,
               (double[]){ l->xmin, l->ymin, l->xmax, l->ymax });
    }
    e->images++;
    return 0;
}

static int by_probability(const void *pa, const void *pb)
{
    const entry *a = pa, *b = pb;
    if (a->probability != b->probability)
        return a->probability < b->probability ? 1 : -1;
    return a->order - b->order;
}

/* The truths of an image lie together: *end is one past them. */
static int first_truth(const entries *truths, int image, int *end)
{
    int low = 0, high = truths->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (truths->item[middle].image < image) low = middle + 1;
        else high = middle;
    }
    for (*end = low; *end < truths->n && truths->item[*end].image == image;) ++*end;
    return low;
}

typedef enum { FALSE_POSITIVE, TRUE_POSITIVE, NEITHER } verdict;

/* Takes the free truth of its class that the detection overlaps most. */
static verdict judge(const entry *detection, const entries *truths, double iou,
                     bool *taken)
{
    int end, best = -1;
    float most = 0;
    bool ignored = false;
    for (int t = first_truth(truths, detection->image, &end); t < end; t++) {
        const entry *truth = &truths->item[t];
        float overlap = rg_boxes_iou(detection->box, truth->box);
        if (truth->class_ == RG_CLASS_IGNORE) {
            ignored = ignored || overlap > IGNORE_IOU;
        } else if (truth->class_ == detection->class_ && !taken[t] && overlap > iou
                   && overlap > most) {
            most = overlap;
            best = t;
        }
    }
    if (best >= 0) taken[best] = true;
    return best >= 0 ? TRUE_POSITIVE : ignored ? NEITHER : FALSE_POSITIVE;
}

/* `precision` [true positives], in order of falling probability, becomes AP by Eq. 12
 * and under the envelope: at each recall, the best precision at this or a higher
 * one. */
static void sum_up(const double *precision, int positives, int truths, double *ap,
                   double *voc)
{
    double sum = 0, sum_voc = 0, envelope = 0;
    for (int i = positives - 1; i >= 0; i--) {
        envelope = fmax(envelope, precision[i]);
        sum += precision[i];
        sum_voc += envelope;
    }
    *ap = truths ? sum / truths : NAN;
    *voc = truths ? sum_voc / truths : NAN;
}

/* The room one scoring works in. */
typedef struct scoring {
    entry *sorted;         /* detections of all classes, best first */
    bool *taken;           /* per truth */
    double *precision;
} scoring;

static int scoring_init(scoring *s, const rg_evaluation *e)
{
    const unsigned long nd = (unsigned long)e->detections.n;
    s->sorted = rg_error_alloc(nd, sizeof *s->sorted, "detections");
    s->taken = rg_error_alloc((unsigned long)e->truths.n, sizeof *s->taken, "truths");
    s->precision = rg_error_alloc(nd, sizeof *s->precision, "precisions");
    if (!s->sorted || !s->taken || !s->precision) return -1;
    for (int i = 0; i < e->detections.n; i++) s->sorted[i] = e->detections.item[i];
    qsort(s->sorted, nd, sizeof *s->sorted, by_probability);
    return 0;
}

static void scoring_clear(scoring *s)
{
    free(s->sorted);
    free(s->taken);
    free(s->precision);
}

static void score_class(const rg_evaluation *e, scoring *s, int class_, double iou,
                        rg_scores *scores)
{
    int positives = 0, counted = 0, truths = 0;
    for (int i = 0; i < e->detections.n; i++) {
        if (s->sorted[i].class_ != class_) continue;
        verdict is = judge(&s->sorted[i], &e->truths, iou, s->taken);
        counted += is != NEITHER;
        if (is == TRUE_POSITIVE) {
            s->precision[positives] = (positives + 1.0) / counted;
            positives++;
        }
    }
    for (int t = 0; t < e->truths.n; t++) truths += e->truths.item[t].class_ == class_;
    scores->truths[class_] = truths;
    scores->detections[class_] = counted;
    sum_up(s->precision, positives, truths, &scores->ap[class_], &scores->voc[class_]);
}

int rg_evaluate_scores(const rg_evaluation *e, double iou, int least, rg_scores *scores)
{
    scoring s;
    int status = scoring_init(&s, e);
    *scores = (rg_scores){ .ap[0] = NAN, .voc[0] = NAN };
    for (int c = 1; c < RG_CLASSES && status == 0; c++) {
        score_class(e, &s, c, iou, scores);
        if (scores->truths[c] == 0 || scores->truths[c] < least) continue;
        scores->map += scores->ap[c];
        scores->map_voc += scores->voc[c];
        scores->classes++;
    }
    scores->map = scores->classes ? scores->map / scores->classes : NAN;
    scores->map_voc = scores->classes ? scores->map_voc / scores->classes : NAN;
    scoring_clear(&s);
    return status;
}

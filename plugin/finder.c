/* SPDX-License-Identifier: MIT */
#include "plugin/finder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/engine/error.h"
#include "core/image/fuse.h"
#include "plugin/warm.h"
#include "regions/catalogue.h"

static bool is_open(const rg_finder *finder)
{
    return finder->method == NULL || strcasecmp(finder->method, "auto") == 0;
}

/* The methods to choose from, best first. */
static int choose_methods(const rg_finder *finder, bool infrared, char methods[16])
{
    rg_method method;
    if (is_open(finder)) {
        strcpy(methods, rg_shipped_methods(infrared));
        return 0;
    }
    RG_TRY(rg_fuse_method(finder->method, &method));
    strcpy(methods, rg_fuse_name(method));
    return 0;
}

static const char *reason_of(const rg_finder *finder, bool infrared)
{
    if (!is_open(finder)) return "asked for";
    if (infrared && rg_finder_wants_infrared(finder))
        return "there is an infrared image";
    return infrared ? "the model is for that" : "there is no infrared image";
}

/* Whether the model found suits what was asked for. */
static int check_method(rg_finder *finder, bool infrared)
{
    const char *made_for = rg_fuse_name(rg_detect_model(finder->detector)->method);
    if (!is_open(finder) && strcasecmp(finder->method, made_for) != 0)
        return RG_FAIL("%s is a model for method %s, not %s", finder->path, made_for,
                       finder->method);
    if (rg_finder_wants_infrared(finder) && !infrared)
        return RG_FAIL("method %s needs an infrared image (WISE W1) of the same sky; "
                       "without one use method D1", made_for);
    return 0;
}

int rg_finder_open(rg_finder *finder, bool infrared)
{
    char methods[16];
    RG_TRY(choose_methods(finder, infrared, methods));
    if (finder->precision != NULL)
        RG_TRY(rg_backend_precision(finder->precision, &finder->how.precision));
    RG_TRY(rg_shipped_find(finder->model, methods, finder->path));
    RG_TRY(rg_warm_open(&finder->detector, finder->path, &finder->how));
    finder->how.backend = rg_detect_backend(finder->detector);
    finder->how.views = rg_detect_model(finder->detector)->views;
    finder->precision =
        rg_backend_precision_name(rg_detect_precision(finder->detector));
    if (check_method(finder, infrared) == 0) {
        finder->reason = reason_of(finder, infrared);
        return 0;
    }
    rg_finder_close(finder);
    return -1;
}

bool rg_finder_wants_infrared(const rg_finder *finder)
{
    return rg_fuse_wants_infrared(rg_detect_model(finder->detector)->method);
}

void rg_finder_report(const rg_finder *finder, int uncovered)
{
    printf("method %s (%s)\n", rg_fuse_name(rg_detect_model(finder->detector)->method),
           finder->reason);
    if (rg_detect_note(finder->detector)[0] != '\0')
        printf("%s\n", rg_detect_note(finder->detector));
    if (uncovered > 0)
        printf("%d window%s of 3' not looked at: the infrared image does not cover "
               "them\n", uncovered, uncovered == 1 ? "" : "s");
}

void rg_finder_close(rg_finder *finder)
{
    rg_warm_close(finder->detector);
    finder->detector = NULL;
}

void rg_finder_provenance(const rg_finder *finder, const rg_image *image,
                          rg_provenance *from)
{
    *from = (rg_provenance){ .checksum = image->checksum, .version = RG_VERSION };
    snprintf(from->unit, sizeof from->unit, "%s", image->unit);
    snprintf(from->weights, sizeof from->weights, "%.1023s", finder->path);
    snprintf(from->file, sizeof from->file, "%s", image->name);
    snprintf(from->model, sizeof from->model, "%s", rg_detect_hash(finder->detector));
    snprintf(from->method, sizeof from->method, "%s",
             rg_fuse_name(rg_detect_model(finder->detector)->method));
}

void rg_finder_key(const rg_finder *f, const rg_image *shown, const char *part,
                   char key[RG_KEPT_KEY])
{
    const rg_claran *model = rg_detect_model(f->detector);
    char grid[256] = "none";
    struct stat program = { .st_size = 0 };
    if (shown != NULL) rg_kept_grid(shown, grid);
    (void)stat("/proc/self/exe", &program);
    int used = snprintf(key, RG_KEPT_KEY, "method %s calibration",
                        rg_fuse_name(model->method));
    for (int i = 0; i < RG_CLARAN_CALIBRATION; i++)
        used += snprintf(key + used, RG_KEPT_KEY - (size_t)used, " %a",
                         (double)model->calibration[i]);
    snprintf(key + used, RG_KEPT_KEY - (size_t)used, " program %lld %lld backend %s "
             "precision %s proposals %d %g %g scales %d infrared %08x %s%s",
             (long long)program.st_mtime,
             (long long)program.st_size, rg_detect_backend(f->detector),
             rg_backend_precision_name(rg_detect_precision(f->detector)),
             f->how.proposals, (double)f->how.proposal_iou, (double)f->how.class_iou,
             f->how.scales, shown ? shown->checksum : 0, grid, part);
}

void rg_finder_print_calibration(const char *what,
                                 const float calibration[RG_CLARAN_CALIBRATION])
{
    printf("%ssigmoid(%.4f logit(p) + b + e . x), b", what, calibration[0]);
    for (int c = 1; c < RG_CLASSES; c++)
        printf("%s %s %.4f", c > 1 ? "," : "", rg_boxes_class_name[c], calibration[c]);
    printf("; e");
    for (int k = RG_CLASSES; k < RG_CLARAN_CALIBRATION; k++)
        printf(" %.4f", calibration[k]);
    printf("\n");
}

void rg_finder_table(const rg_source *sources, int n)
{
    if (n > 0)
        printf("%-21s %9s %9s %-5s %4s %-10s %8s %6s\n", "name", "ra_deg", "dec_deg",
               "class", "P", "or else", "size", "mJy");
    for (const rg_source *s = sources; s < sources + n; s++) {
        const rg_detection *d = &s->box;
        char name[RG_NAME_SIZE], second[24] = "", flux[24] = "";
        if (isfinite(s->flux)) snprintf(flux, sizeof flux, "%.4g", s->flux);
        rg_catalogue_name(s, name);
        if (d->second > 0)
            snprintf(second, sizeof second, "%s %.2f", rg_boxes_class_name[d->second],
                     d->second_probability);
        printf("%-21s %9.5f %+9.5f %-5s %4.2f %-10s %3.0fx%3.0f\" %6s\n", name,
               d->ra, d->dec, rg_boxes_class_name[d->class_], d->probability, second,
               d->width, d->height, flux);
    }
}

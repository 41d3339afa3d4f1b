/* SPDX-License-Identifier: MIT */
#include "core/claran.h"

#include <fenv.h>
#include <locale.h>
#include <stdlib.h>

#include "core/detector/detect.h"
#include "core/detector/shipped.h"
#include "core/engine/error.h"

struct claran_detector {
    rg_detector *detector;    /* owned */
    fenv_t arithmetic;        /* as opening it left that: denormals are 0 */
};

struct claran_sources {
    int n;
    claran_source item[];
};

/* What the caller keeps to itself while we work: our numbers have a point, and are
 * rounded to the nearest. */
typedef struct caller {
    fenv_t arithmetic;
    locale_t locale, plain;
} caller;

static int enter(caller *caller)
{
    caller->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (caller->plain == (locale_t)0) return RG_FAIL("out of memory for a locale");
    caller->locale = uselocale(caller->plain);
    fegetenv(&caller->arithmetic);
    fesetenv(FE_DFL_ENV);
    return 0;
}

static void leave(const caller *caller)
{
    fesetenv(&caller->arithmetic);
    uselocale(caller->locale);
    freelocale(caller->plain);
}

const char *claran_version(void)
{
    return CLARAN_VERSION;
}

const char *claran_error(void)
{
    return rg_error_message();
}

static int open_detector(claran_detector *d, const char *model, int infrared)
{
    rg_detect_options how = rg_detect_defaults;
    char path[RG_SHIPPED_PATH];
    how.backend = "cpu";
    RG_TRY(rg_shipped_find(model, rg_shipped_methods(infrared != 0), path));
    return rg_detect_open(&d->detector, path, &how);
}

int claran_open(claran_detector **out, const char *model, int infrared)
{
    caller caller;
    *out = NULL;
    claran_detector *d = rg_error_alloc(1, sizeof *d, "the detector");
    if (d == NULL) return -1;
    int status = enter(&caller);
    if (status == 0) {
        status = open_detector(d, model, infrared);
        fegetenv(&d->arithmetic);
        leave(&caller);
    }
    if (status == 0) *out = d;
    else free(d);
    return status;
}

void claran_close(claran_detector *d)
{
    if (d == NULL) return;
    rg_detect_close(d->detector);
    free(d);
}

const char *claran_model(const claran_detector *d)
{
    return rg_detect_hash(d->detector);
}

int claran_set_threshold(claran_detector *d, double probability)
{
    rg_detect_options how = *rg_detect_how(d->detector);
    how.threshold = (float)probability;
    return rg_detect_adjust(d->detector, &how);
}

int claran_image_read(claran_image **out, const char *path)
{
    caller caller;
    *out = NULL;
    RG_TRY(enter(&caller));
    int status = rg_image_read(out, path);
    leave(&caller);
    return status;
}

int claran_image_read_memory(claran_image **out, const void *bytes, size_t size,
                             const char *name)
{
    caller caller;
    *out = NULL;
    RG_TRY(enter(&caller));
    int status = rg_image_read_memory(out, bytes, size, name);
    leave(&caller);
    return status;
}

void claran_image_free(claran_image *image)
{
    rg_image_free(image);
}

static claran_source source_of(const rg_detection *d)
{
    return (claran_source){
        .ra = d->ra, .dec = d->dec,
        .width = d->width, .height = d->height, .angle = d->angle,
        .xmin = d->xmin, .ymin = d->ymin, .xmax = d->xmax, .ymax = d->ymax,
        .label = rg_boxes_class_name[d->class_],
        .components = rg_boxes_components[d->class_],
        .peaks = rg_boxes_peaks[d->class_],
        .probability = d->probability,
        .second = d->second > 0 ? rg_boxes_class_name[d->second] : "",
        .second_probability = d->second > 0 ? d->second_probability : 0 };
}

int claran_detect(claran_detector *d, const claran_image *radio,
                  const claran_image *infrared, claran_sources **out)
{
    rg_detection *found = NULL;
    caller caller;
    int n = 0;
    *out = NULL;
    if (d == NULL || radio == NULL) return RG_FAIL("there is no detector or no image");
    RG_TRY(enter(&caller));
    fesetenv(&d->arithmetic);
    int status = rg_detect(d->detector, radio, infrared, &found, &n);
    leave(&caller);
    if (status == 0)
        *out = rg_error_alloc(1, sizeof **out + (size_t)n * sizeof *(*out)->item,
                              "sources");
    if (*out != NULL) {
        (*out)->n = n;
        for (int i = 0; i < n; i++) (*out)->item[i] = source_of(&found[i]);
    }
    free(found);
    return *out != NULL ? 0 : -1;
}

int claran_sources_count(const claran_sources *sources)
{
    return sources->n;
}

const claran_source *claran_sources_at(const claran_sources *sources, int i)
{
    return i >= 0 && i < sources->n ? &sources->item[i] : NULL;
}

void claran_sources_free(claran_sources *sources)
{
    free(sources);
}

/* SPDX-License-Identifier: MIT */
#include "plugin/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/engine/error.h"
#include "plugin/area.h"
#include "plugin/kept.h"
#include "plugin/options.h"
#include "plugin/progress.h"

/* The user goes on working while we compute. */
static int look_again(const rg_search *s)
{
    const rg_frame *radio = s->radio;
    char frame[sizeof radio->number], version[64], *fits = NULL;
    size_t size = 0;
    RG_TRY(rg_xpa_ask(s->drawing.ds9, "frame", frame, sizeof frame));
    bool same = strcmp(frame, radio->number) == 0;
    if (same) RG_TRY(rg_frames_fetch(s->drawing.ds9, &fits, &size));
    same = same && size == radio->size && memcmp(fits, radio->fits, size) == 0;
    free(fits);
    if (same) return 0;
    RG_TRY(rg_xpa_ask(s->drawing.ds9, "version", version, sizeof version));
    return RG_FAIL("DS9 shows another image than frame %s did when detection "
                   "began, so no box was drawn: detect again", radio->number);
}

static float threshold_of(const rg_search *s)
{
    return strtof(s->settings->value[RG_SETTING_THRESHOLD], NULL);
}

/* ---- boxes ---- */

static int print(const rg_detection *found, int n, const rg_provenance *from,
                 char **text)
{
    size_t size = 0;
    FILE *file = open_memstream(text, &size);
    if (file == NULL) return RG_FAIL("out of memory for %d regions", n);
    rg_region_header(file);
    for (int i = 0; i < n; i++) rg_region_print(file, &found[i], 0, from);
    return fclose(file) == 0 ? 0 : RG_FAIL("out of memory for %d regions", n);
}

/* As the settings want them to look. */
static int dress(const rg_search *s, char **text)
{
    const rg_looks looks = {
        .labels = rg_settings_is(s->settings, RG_SETTING_LABELS, "yes"),
        .alternatives = rg_settings_is(s->settings, RG_SETTING_ALTERNATIVES, "yes"),
        .colours = rg_settings_is(s->settings, RG_SETTING_COLOURS, "class"),
    };
    char *dressed = NULL;
    size_t size = 0;
    if (looks.labels && !looks.alternatives && !looks.colours) return 0;
    FILE *file = open_memstream(&dressed, &size);
    if (file == NULL) return RG_FAIL("out of memory for regions");
    rg_looks_dress(*text, &looks, file);
    if (fclose(file) != 0) return RG_FAIL("out of memory for regions");
    free(*text);
    *text = dressed;
    return 0;
}

static bool is_outside(const void *area, double ra, double dec)
{
    return !rg_area_has(area, ra, dec);
}

static int draw(rg_search *s, const rg_area *area, const rg_detection *found, int n,
                const rg_provenance *from)
{
    char *text = NULL;
    int status = print(found, n, from, &text);
    if (status == 0) status = dress(s, &text);
    if (status == 0)
        status = rg_drawing_boxes(&s->drawing, text, area->n > 0 ? is_outside : NULL,
                                  area);
    free(text);
    return status;
}

/* Detections chosen at the threshold: drawn, and told. */
static int deliver(rg_search *s, const rg_area *area, const rg_kept *kept,
                   const rg_image *infrared)
{
    const rg_image *radio = s->radio->image;
    rg_detection *found;
    rg_source *sources;
    int n;
    RG_TRY(rg_detect_choose(&s->finder->how, radio, threshold_of(s), kept->all, kept->n,
                            &found, &n));
    const rg_detection *shown = s->all ? kept->all : found;
    if (s->all) n = kept->n;
    int status = rg_measured_found(s->how, radio, infrared, shown, n, false, &sources);
    if (status == 0) {
        status = look_again(s);
        if (status == 0) status = draw(s, area, shown, n, &kept->from);
        if (status == 0) {
            printf("%d source%s, ", n, n == 1 ? "" : "s");
            if (s->finder->detector) rg_finder_report(s->finder, kept->uncovered);
            else printf("method %s, P >= %s\n", kept->from.method,
                        s->settings->value[RG_SETTING_THRESHOLD]);
            rg_finder_table(sources, n);
        }
        free(sources);
    }
    free(found);
    return status;
}

/* ---- the network ---- */

/* What is seen while the network runs. */
typedef struct live {
    rg_search *search;
    const rg_area *area;
    rg_provenance from;
} live;

static int show_live(void *user, const rg_detection *found, int n)
{
    live *l = user;
    RG_TRY(look_again(l->search));
    return draw(l->search, l->area, found, n, &l->from);
}

void rg_search_report_infrared(const rg_frame *infrared)
{
    const rg_image *image = infrared->image;
    const char *file = infrared->file, *slash = strrchr(file, '/');
    if (image != NULL)
        printf("Infrared from %s, %d x %d pixels  %s\n", image->name, image->nx,
               image->ny, slash ? slash + 1 : file);
}

static void say_begin(const rg_search *s)
{
    const rg_image *radio = s->radio->image;
    printf("Looking at %s, %d x %d pixels\n", radio->name, radio->nx, radio->ny);
    if (rg_finder_wants_infrared(s->finder)) rg_search_report_infrared(s->infrared);
}

/* Of all that was found the part that was asked for. */
static void cut_to(const rg_area *area, rg_kept *kept)
{
    int left = 0;
    for (int i = 0; i < kept->n; i++)
        if (rg_area_has(area, kept->all[i].ra, kept->all[i].dec))
            kept->all[left++] = kept->all[i];
    kept->n = left;
}

static int run_network(rg_search *s, const rg_area *area, rg_kept *kept)
{
    rg_image *radio = s->radio->image;
    float *whole;
    RG_TRY(rg_area_mask(area, radio, &whole));
    rg_detect_task task = { .radio = radio, .infrared = s->infrared->image };
    rg_detect_list(s->finder->detector, &task, 1);
    rg_area_unmask(radio, whole);
    if (task.status != 0) return RG_FAIL("%s", task.sentence);
    kept->all = task.found;
    kept->n = task.n;
    kept->uncovered = task.uncovered;
    cut_to(area, kept);
    if (rg_kept_write(kept, radio, NULL) != 0)
        rg_options_remark("These results are not kept for Change threshold...: %s",
                          rg_error_message());
    return 0;
}

static int find_all(rg_search *s, const rg_area *area, rg_kept *kept)
{
    const bool both = rg_finder_wants_infrared(s->finder);
    char key[RG_KEPT_KEY], part[3072];
    rg_area_print(area, part, sizeof part);
    rg_finder_key(s->finder, both ? s->infrared->image : NULL, part, key);
    if (rg_kept_find(kept, s->radio->image, kept->from.model, key, NULL) == 0
        && kept->uncovered == 0) {
        printf("The network has seen this before: its results were kept\n");
    } else {
        rg_kept_clear(kept);
        *kept = (rg_kept){ .n = 0 };
        memcpy(kept->key, key, sizeof key);
        rg_finder_provenance(s->finder, s->radio->image, &kept->from);
        RG_TRY(run_network(s, area, kept));
    }
    rg_finder_provenance(s->finder, s->radio->image, &kept->from);
    return 0;
}

int rg_search_run(rg_search *s)
{
    rg_area area;
    rg_kept kept = { .n = 0 };
    rg_progress progress = { .radio = s->radio->image, .threshold = threshold_of(s) };
    live l = { .search = s, .area = &area };
    RG_TRY(rg_area_find(&area, s->drawing.ds9, s->settings->value[RG_SETTING_SEARCH],
                        s->radio->image));
    if (rg_settings_is(s->settings, RG_SETTING_LIVE, "yes")) {
        progress.show = show_live;
        progress.user = &l;
    }
    s->finder->how.all = true;
    rg_progress_begin(&progress, &s->finder->how);
    RG_TRY(rg_finder_open(s->finder, s->infrared->image != NULL));
    rg_finder_provenance(s->finder, s->radio->image, &l.from);
    kept.from = l.from;
    say_begin(s);
    int status = find_all(s, &area, &kept);
    rg_progress_end(&progress);
    if (status == 0) status = deliver(s, &area, &kept, s->infrared->image);
    rg_kept_clear(&kept);
    return status;
}

/* ---- another threshold ---- */

/* The model whose boxes are in the frame, "" where there are none of this image. */
static int find_model(rg_search *s, char model[16])
{
    rg_provenance from = { .checksum = 0 };
    rg_source *sources;
    char *text;
    int n;
    *model = '\0';
    RG_TRY(rg_drawing_read(&s->drawing, &text));
    int status = rg_region_parse(text, &sources, &n, &from);
    free(text);
    RG_TRY(status);
    free(sources);
    if (from.checksum == s->radio->image->checksum)
        snprintf(model, 16, "%s", from.model);
    return 0;
}

int rg_search_again(rg_search *s)
{
    char model[16];
    rg_kept kept;
    rg_area area;
    RG_TRY(find_model(s, model));
    if (rg_kept_find(&kept, s->radio->image, *model ? model : NULL, NULL, NULL) != 0)
        return RG_FAIL("no results are kept of the image in frame %s: choose Detect "
                       "sources first", s->radio->number);
    rg_area_read(&area, kept.key, s->radio->image);
    if (kept.uncovered > 0)
        printf("%d window%s of 3' had not been looked at, for want of infrared\n",
               kept.uncovered, kept.uncovered == 1 ? "" : "s");
    int status = deliver(s, &area, &kept, NULL);
    rg_kept_clear(&kept);
    return status;
}

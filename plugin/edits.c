/* SPDX-License-Identifier: MIT */
#include "plugin/edits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/error.h"
#include "plugin/companion.h"
#include "plugin/delivery.h"

#define GET_REGIONS "regions -format ds9 -system wcs -sky icrs -skyformat degrees"

static int read_boxes(rg_edits *e)
{
    char *text;
    size_t size;
    RG_TRY(rg_frames_current(e->ds9, &e->radio));
    RG_TRY(rg_xpa_get(e->ds9, GET_REGIONS, &text, &size));
    int status = rg_region_parse(text, &e->sources, &e->n, &e->from);
    free(text);
    RG_TRY(status);
    rg_measured_from(e->radio.image, &e->from);
    snprintf(e->from.file, sizeof e->from.file, "%s", e->radio.file);
    return 0;
}

/* The boxes and what is measured of them. */
static int measure(rg_edits *e)
{
    RG_TRY(read_boxes(e));
    if (e->n == 0)
        return RG_FAIL("frame %s has no detections to save: choose Detect sources, or "
                       "draw a box and label it with a class, such as 2C_2P",
                       e->radio.number);
    RG_TRY(rg_companion_find(e->ds9, &e->radio, e->infrared, false, &e->companion));
    return rg_measured_boxes(e->how, e->radio.image, e->companion.image, e->sources,
                             e->n);
}

static int add_to(rg_catalogue *catalogue, const rg_edits *e)
{
    return rg_measured_add(catalogue, e->sources, e->n, &e->from, e->radio.image,
                           rg_measured_shown(&e->from, e->companion.image));
}

static int check_path(const rg_edits *e)
{
    if (*e->path != '\0') return 0;
    return RG_FAIL("no file was chosen, so nothing was saved");
}

/* DS9's folder is not always known. */
static void say_saved(const rg_edits *e)
{
    char *whole = realpath(e->path, NULL);
    printf("%d source%s saved in %s\n", e->n, e->n == 1 ? "" : "s",
           whole ? whole : e->path);
    free(whole);
}

int rg_edits_save(rg_edits *e)
{
    rg_delivery d = { .paths = { { e->path }, 1 }, .format = e->format };
    RG_TRY(check_path(e));
    snprintf(d.options, sizeof d.options, "%s", e->options);
    int status = rg_delivery_open(&d);
    if (status == 0) status = measure(e);
    if (status == 0) status = add_to(d.catalogue, e);
    if (status == 0) status = rg_delivery_keep(&d);
    rg_delivery_drop(&d);
    if (status == 0 && strcmp(e->path, "-") != 0) say_saved(e);
    return status;
}

/* ---- DS9's catalogue tool ---- */

/* DS9 8.4 reads a table only while the sky of its own panel is an equatorial one. */
static int import(const rg_edits *e, const char *path)
{
    char command[64], sky[32], back[64];
    RG_TRY(rg_xpa_ask(e->ds9, "wcs sky", sky, sizeof sky));
    snprintf(command, sizeof command, "catalog import tsv %s", path);
    snprintf(back, sizeof back, "wcs sky %s", sky);
    RG_TRY(rg_xpa_set(e->ds9, "wcs sky icrs", NULL, 0));
    int status = rg_xpa_set(e->ds9, command, NULL, 0);
    if (status == 0) status = rg_xpa_set(e->ds9, "catalog sky icrs", NULL, 0);
    if (rg_xpa_set(e->ds9, back, NULL, 0) != 0 && status == 0) status = -1;
    return status;
}

static int dress_table(const rg_edits *e)
{
    static const char *const looks[] = {
        "catalog symbol shape {cross point}", "catalog symbol color magenta",
        "catalog panto yes", "catalog update",
    };
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        RG_TRY(rg_xpa_set(e->ds9, looks[i], NULL, 0));
    return 0;
}

/* The catalogue tool would leave regions in WCS to a user who has them otherwise, and
 * "wcs sky" the coordinates of regions as those of its panel. */
static int show_table(const rg_edits *e, const char *path)
{
    static const char *const theirs[] = { "system", "sky", "skyformat" };
    char question[32], answer[32], back[3][80];
    for (int i = 0; i < 3; i++) {
        snprintf(question, sizeof question, "regions %s", theirs[i]);
        RG_TRY(rg_xpa_ask(e->ds9, question, answer, sizeof answer));
        snprintf(back[i], sizeof back[i], "%s %s", question, answer);
    }
    int status = import(e, path);
    if (status == 0) status = dress_table(e);
    for (int i = 0; i < 3; i++)
        if (rg_xpa_set(e->ds9, back[i], NULL, 0) != 0) status = -1;
    RG_TRY(status);
    printf("%d source%s in DS9's catalogue tool: a click on a row goes there\n", e->n,
           e->n == 1 ? "" : "s");
    return 0;
}

/* The column becomes the second, where the tool shows it without being scrolled. */
static void bring_forward(rg_ledger *ledger, const char *name)
{
    rg_ledger_column *column = rg_ledger_find(ledger, name);
    rg_ledger_column *second = ledger->columns + 1;
    rg_ledger_column it = *column;
    memmove(second + 1, second, (size_t)(column - second) * sizeof it);
    *second = it;
}

static int write_tsv(const rg_edits *e, FILE *to)
{
    rg_catalogue *catalogue;
    rg_ledger *ledger = NULL;
    RG_TRY(rg_catalogue_new(&catalogue, e->options));
    int status = add_to(catalogue, e);
    if (status == 0) status = rg_catalogue_ledger(catalogue, &ledger);
    rg_catalogue_free(catalogue);
    RG_TRY(status);
    bring_forward(ledger, "probability");
    bring_forward(ledger, "class");
    status = rg_format_tsv.write(ledger, to);
    rg_ledger_free(ledger);
    return status;
}

int rg_edits_table(rg_edits *e)
{
    char path[] = "/tmp/claranXXXXXX.tsv";   /* DS9 reads it before it answers */
    RG_TRY(measure(e));
    int file = mkstemps(path, 4);
    FILE *to = file < 0 ? NULL : fdopen(file, "w");
    if (to == NULL) return RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    int status = write_tsv(e, to);
    if (fclose(to) != 0 && status == 0)
        status = RG_FAIL("%s cannot be written: %s", path, strerror(errno));
    if (status == 0) status = show_table(e, path);
    unlink(path);
    return status;
}

/* ---- a training list ---- */

/* LIST.csv -> LIST/NAME, the folder being made. */
static int name_beside(const char *list, const char *name, char path[RG_FILE_NAME])
{
    size_t stem = strlen(list);
    if (stem < 5 || strcmp(list + stem - 4, ".csv") != 0)
        return RG_FAIL("a list is a table: its name, \"%s\", must end in .csv", list);
    snprintf(path, RG_FILE_NAME, "%.*s", (int)stem - 4, list);
    if (stem + strlen(name) >= RG_FILE_NAME) return RG_FAIL("the name is too long");
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return RG_FAIL("the folder %s cannot be made: %s", path, strerror(errno));
    snprintf(path + stem - 4, RG_FILE_NAME - stem + 4, "/%s", name);
    return 0;
}

static int keep_image(const rg_edits *e, const rg_image *image, const char *name)
{
    char path[RG_FILE_NAME], line[1100];
    const char *history[] = { "for a list to train on, by claran " RG_VERSION, line,
                              NULL };
    snprintf(line, sizeof line, "from %s", image->name);
    RG_TRY(name_beside(e->path, name, path));
    return rg_image_write(image, path, history);
}

static void write_list(const rg_edits *e, FILE *to)
{
    const char *infrared = e->companion.image ? "infrared.fits" : "";
    fputs("file,class,xmin,ymin,xmax,ymax,ir,flags\n", to);
    for (const rg_source *s = e->sources; s < e->sources + e->n; s++)
        fprintf(to, "radio.fits,%s,%.3f,%.3f,%.3f,%.3f,%s,%u\n",
                rg_boxes_class_name[s->box.class_], s->box.xmin, s->box.ymin,
                s->box.xmax, s->box.ymax, infrared, s->flags);
    if (e->n == 0) fprintf(to, "radio.fits,,,,,,%s,\n", infrared);
}

int rg_edits_correct(rg_edits *e)
{
    rg_output output = { .path = NULL };
    RG_TRY(check_path(e));
    RG_TRY(read_boxes(e));
    RG_TRY(rg_companion_find(e->ds9, &e->radio, e->infrared, false, &e->companion));
    for (int i = 0; i < e->n; i++)
        RG_TRY(rg_region_place(&e->sources[i].box, e->radio.image->sky));
    int status = rg_output_open(&output, e->path);
    if (status == 0) write_list(e, output.file);
    if (status == 0 && fflush(output.file) != 0)
        status = RG_FAIL("%s cannot be written: %s", e->path, strerror(errno));
    if (status == 0) status = keep_image(e, e->radio.image, "radio.fits");
    if (status == 0 && e->companion.image)
        status = keep_image(e, e->companion.image, "infrared.fits");
    if (status == 0) status = rg_output_keep(&output, 1);
    rg_output_drop(&output);
    if (status == 0) say_saved(e);
    return status;
}

void rg_edits_clear(rg_edits *e)
{
    rg_frames_clear(&e->radio);
    rg_frames_clear(&e->companion);
    free(e->sources);
}

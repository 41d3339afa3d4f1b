/* SPDX-License-Identifier: MIT */
#include "plugin/drawing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/engine/error.h"
#include "plugin/access.h"
#include "plugin/home.h"
#include "plugin/options.h"
#include "regions/region.h"

#define GET_BOXES "regions -format ds9 -system wcs -sky icrs -skyformat degrees " \
    "-group " RG_REGION_GROUP
#define SET_BOXES "regions -format ds9"
#define DELETE_BOXES "regions group " RG_REGION_GROUP " delete"
#define TITLE "# ClaRAN's boxes before, in "

enum { BEFORE_MOST = 1 << 26 };

int rg_drawing_read(rg_drawing *d, char **text)
{
    size_t size;
    return rg_xpa_get(d->ds9, GET_BOXES, text, &size);
}

static int replace(rg_drawing *d, const char *text)
{
    if (rg_access_is_abandoned()) return RG_FAIL("stopped: nothing is drawn");
    RG_TRY(rg_xpa_set(d->ds9, DELETE_BOXES, NULL, 0));
    if (strstr(text, "\nbox(") == NULL) return 0;
    return rg_xpa_set(d->ds9, SET_BOXES, text, strlen(text));
}

/* ---- what was there before ---- */

static int name_before(const rg_drawing *d, char path[RG_FILE_NAME])
{
    char name[64];
    unsigned long crc = crc32(0, (const Bytef *)d->address, (uInt)strlen(d->address));
    snprintf(name, sizeof name, "%08lx-frame%.32s.before", crc, d->frame);
    return rg_home_cache(name, path);
}

static int title(const rg_drawing *d, char line[1200])
{
    char file[1024];
    RG_TRY(rg_xpa_ask(d->ds9, "file", file, sizeof file));
    for (char *c = file; *c; c++)
        if (*c == '\n') *c = ' ';
    snprintf(line, 1200, TITLE "%s\n", file);
    return 0;
}

static int keep(const rg_drawing *d, const char *text)
{
    char path[RG_FILE_NAME], line[1200], *whole = NULL;
    size_t size = 0;
    RG_TRY(title(d, line));
    RG_TRY(name_before(d, path));
    FILE *to = open_memstream(&whole, &size);
    if (to == NULL) return RG_FAIL("out of memory for regions");
    fprintf(to, "%s%s", line, text);
    int status = fclose(to) != 0 ? RG_FAIL("out of memory for regions")
                                 : rg_home_write(path, whole, size);
    free(whole);
    return status;
}

/* Where nothing can be kept, boxes are drawn all the same. */
static void begin(rg_drawing *d, const char *text)
{
    if (!d->begun && keep(d, text) != 0)
        rg_options_remark("Undo last detection will not work: %s", rg_error_message());
    d->begun = true;
}

static int read_before(const rg_drawing *d, char **text)
{
    char path[RG_FILE_NAME], line[1200];
    int missing;
    RG_TRY(title(d, line));
    RG_TRY(name_before(d, path));
    *text = rg_home_read(path, BEFORE_MOST, &missing);
    if (*text == NULL && missing)
        return RG_FAIL("ClaRAN has drawn nothing in frame %s, so there is nothing to "
                       "undo", d->frame);
    if (*text == NULL) return -1;
    if (strncmp(*text, line, strlen(line)) == 0) {
        memset(*text, '\n', strlen(line));      /* the title is not for DS9 */
        return 0;
    }
    free(*text);
    return RG_FAIL("frame %s shows another image than when ClaRAN drew in it, so "
                   "nothing is undone", d->frame);
}

static int count(const char *text)
{
    int n = 0;
    while ((text = strstr(text, "\nbox(")) != NULL) text++, n++;
    return n;
}

int rg_drawing_undo(rg_drawing *d, int *n)
{
    char *before, *now;
    RG_TRY(read_before(d, &before));
    int status = rg_drawing_read(d, &now);
    if (status == 0) {
        status = keep(d, now);
        free(now);
    }
    if (status == 0) status = replace(d, before);
    *n = count(before);
    free(before);
    return status;
}

/* ---- boxes ---- */

/* Those of `old` that stay, with the lines they need. */
static void print_staying(const char *old, FILE *to,
                          bool (*stays)(const void *user, double ra, double dec),
                          const void *user)
{
    for (const char *at = old; *at; at += *at == '\n') {
        double ra, dec;
        int n = (int)strcspn(at, "\n");
        bool box = sscanf(at, "box(%lf,%lf,", &ra, &dec) == 2;
        if (!box || stays(user, ra, dec)) fprintf(to, "%.*s\n", n, at);
        at += n;
    }
}

int rg_drawing_boxes(rg_drawing *d, const char *regions,
                     bool (*stays)(const void *user, double ra, double dec),
                     const void *user)
{
    char *old, *text = NULL;
    size_t size = 0;
    RG_TRY(rg_drawing_read(d, &old));
    begin(d, old);
    FILE *to = open_memstream(&text, &size);
    if (to == NULL) {
        free(old);
        return RG_FAIL("out of memory for regions");
    }
    if (stays != NULL) print_staying(old, to, stays, user);
    fputs(regions, to);
    int status = fclose(to) != 0 ? RG_FAIL("out of memory for regions")
                                 : replace(d, text);
    free(old);
    free(text);
    return status;
}

int rg_drawing_remove(rg_drawing *d)
{
    bool image, sky = false;
    char *old;
    RG_TRY(rg_xpa_has(d->ds9, "frame has fits", &image));
    if (image) RG_TRY(rg_xpa_has(d->ds9, "frame has wcs celestial", &sky));
    if (sky) {              /* DS9 dies of the question where there is none */
        RG_TRY(rg_drawing_read(d, &old));
        if (count(old) > 0) begin(d, old);
        free(old);
    }
    return rg_xpa_set(d->ds9, DELETE_BOXES, NULL, 0);
}

int rg_drawing_dress(rg_drawing *d, const char *text, const rg_looks *looks)
{
    char *dressed = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&dressed, &size);
    if (to == NULL) return RG_FAIL("out of memory for regions");
    rg_looks_dress(text, looks, to);
    int status = fclose(to) != 0 ? RG_FAIL("out of memory for regions")
                                 : replace(d, dressed);
    free(dressed);
    return status;
}

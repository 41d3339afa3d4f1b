/* SPDX-License-Identifier: MIT */
#include "core/data/folder.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/engine/error.h"
#include "core/engine/file.h"
#include "core/engine/random.h"
#include "core/data/infrared.h"

#define HEADER "file,class,xmin,ymin,xmax,ymax,ir,host_ra_deg,host_dec_deg," \
    "confidence\n"
#define PATH 4096

/* What is written to one folder and its list. */
typedef struct writer {
    const char *directory;
    FILE *list;
    const rg_simulation *how;     /* of simulated fields */
    const rg_dataset *fields;     /* or the real ones, */
    const rg_host_list *known;    /* with the hosts known, and */
    uint64_t seed;                /* the chance for the others */
} writer;

static void print_labels(FILE *list, const char *file, const char *infrared,
                         const rg_label *labels, const rg_host *hosts, int n)
{
    for (int i = 0; i < n; i++) {
        const rg_label *l = &labels[i];
        const char *class_ = l->class_ > 0 ? rg_boxes_class_name[l->class_] : "?";
        fprintf(list, "%s,%s,%.10g,%.10g,%.10g,%.10g,%s,", file, class_, l->xmin,
                l->ymin, l->xmax, l->ymax, infrared);
        if (!isfinite(hosts[i].ra)) fprintf(list, ",");
        else fprintf(list, "%.6f,%.6f", hosts[i].ra, hosts[i].dec);
        fprintf(list, ",%.10g\n", l->confidence);
    }
    if (n == 0) fprintf(list, "%s,,,,,,%s,,,\n", file, infrared);
}

static int write_image(const writer *w, const rg_image *image, const char *name,
                       const char *note)
{
    char path[PATH];
    if (snprintf(path, PATH, "%s/%s", w->directory, name) >= PATH)
        return RG_FAIL("the folder's name is too long: %s", w->directory);
    return rg_image_write(image, path, (const char *const[]){ note, NULL });
}

/* ---- simulated fields ---- */

static int write_field(const writer *w, int index)
{
    char note[80], radio[32], infrared[32];
    rg_simulated field;
    snprintf(radio, sizeof radio, "sim_%05d.fits", index);
    snprintf(infrared, sizeof infrared, "sim_%05d_w1.fits", index);
    snprintf(note, sizeof note, "Simulated by claran simulate, seed %llu, field %d.",
             (unsigned long long)w->how->seed, index);
    RG_TRY(rg_simulate_field(w->how, index, &field));
    int status = write_image(w, field.radio, radio, note);
    if (status == 0) status = write_image(w, field.infrared, infrared, note);
    if (status == 0)
        print_labels(w->list, radio, infrared, field.labels, field.hosts, field.n);
    rg_simulate_clear(&field);
    return status;
}

/* ---- infrared frames for real fields ---- */

/* The name without folders and .fits, .fit, .fts, .gz, .fz: where it is, how long. */
static int stem_of(const char *path, const char **stem)
{
    static const char *const ending[] = { ".gz", ".fz", ".fits", ".fit", ".fts" };
    const char *slash = strrchr(path, '/');
    *stem = slash ? slash + 1 : path;
    int length = (int)strlen(*stem);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        int n = (int)strlen(ending[i]);
        if (length > n && strncmp(*stem + length - n, ending[i], (size_t)n) == 0)
            length -= n;
    }
    return length;
}

static void name_infrared(const rg_dataset *set, int index, char *name)
{
    const char *stem, *other;
    int length = stem_of(set->fields[index].path, &stem);
    bool taken = false;
    for (int i = 0; i < index && !taken; i++)
        taken = stem_of(set->fields[i].path, &other) == length &&
                strncmp(stem, other, (size_t)length) == 0;
    if (taken) snprintf(name, PATH, "%.*s_%05d_w1.fits", length, stem, index);
    else snprintf(name, PATH, "%.*s_w1.fits", length, stem);
}

static int make_infrared(const writer *w, const rg_image *radio, const rg_field *field,
                         uint64_t *state, rg_host *hosts, rg_image **frame)
{
    if (radio->sky == NULL) return RG_FAIL("%s: %s", radio->name, radio->sky_problem);
    RG_TRY(rg_host_find(radio, field->labels, field->nlabels, w->known, state, hosts));
    return rg_infrared_make(radio->sky, radio->nx, radio->ny, hosts, field->nlabels,
                            rg_random_next(state), frame);
}

static int write_infrared(const writer *w, int index)
{
    const rg_field *field = &w->fields->fields[index];
    uint64_t state = rg_random_mix(w->seed, (uint64_t)index);
    char name[PATH], *file = realpath(field->path, NULL);
    rg_image *radio = NULL, *frame = NULL;
    rg_host *hosts = rg_error_alloc((size_t)field->nlabels + 1, sizeof *hosts, "hosts");
    int status = hosts ? 0 : -1;
    if (status == 0 && file == NULL)
        status = RG_FAIL("%s: %s", field->path, strerror(errno));
    if (status == 0 && strpbrk(file, ",\n"))
        status = RG_FAIL("a list cannot name %s: it has a comma or line end", file);
    if (status == 0) status = rg_image_read(&radio, field->path);
    if (status == 0) status = make_infrared(w, radio, field, &state, hosts, &frame);
    name_infrared(w->fields, index, name);
    if (status == 0)
        status = write_image(w, frame, name, "Simulated by claran simulate.");
    if (status == 0)
        print_labels(w->list, file, name, field->labels, hosts, field->nlabels);
    rg_image_free(radio);
    rg_image_free(frame);
    free(hosts);
    free(file);
    return status;
}

/* ---- all of them ---- */

static int write_all(writer *w, int count, int (*one)(const writer *w, int index),
                     void (*progress)(void *user, int done, int total), void *user)
{
    char path[PATH], beside[RG_FILE_NAME];
    int length = (int)strlen(w->directory);
    while (length > 1 && w->directory[length - 1] == '/') length--;
    if (length == 0 || length > 4000) return RG_FAIL("no folder to write to was named");
    snprintf(path, sizeof path, "%.*s.csv", length, w->directory);
    RG_TRY(rg_file_beside(path, beside));
    if (mkdir(w->directory, 0777) != 0 && errno != EEXIST)
        return RG_FAIL("cannot make the folder %s: %s", w->directory, strerror(errno));
    w->list = fopen(beside, "w");
    if (w->list == NULL) return RG_FAIL("cannot write %s: %s", beside, strerror(errno));
    fprintf(w->list, HEADER);
    int status = 0;
    for (int i = 0; status == 0 && i < count; i++) {
        status = one(w, i);
        if (status == 0 && progress) progress(user, i + 1, count);
    }
    int bad = ferror(w->list);
    if ((fclose(w->list) != 0 || bad) && status == 0)
        status = RG_FAIL("cannot write %s: %s", beside, strerror(errno));
    return rg_file_keep(status, beside, path);
}

int rg_folder_simulate(const rg_simulation *how, int count, const char *directory,
                       void (*progress)(void *user, int done, int total), void *user)
{
    writer w = { .directory = directory, .how = how };
    return write_all(&w, count, write_field, progress, user);
}

int rg_folder_infrared(const rg_dataset *list, const rg_host_list *known, uint64_t seed,
                       const char *directory,
                       void (*progress)(void *user, int done, int total), void *user)
{
    writer w = { .directory = directory, .fields = list, .known = known, .seed = seed };
    return write_all(&w, list->nfields, write_infrared, progress, user);
}

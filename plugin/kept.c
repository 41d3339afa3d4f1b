/* SPDX-License-Identifier: MIT */
#include "plugin/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "core/detector/layout.h"
#include "core/engine/error.h"
#include "plugin/home.h"

#define TITLE "# claran results 2\n"
#define END ".results"

enum {
    MOST_EACH = 1 << 24, MOST_BYTES = 1 << 26, MOST_FILES = 500,
    MOST_SECONDS = 30 * 24 * 3600,
};

void rg_kept_clear(rg_kept *kept)
{
    free(kept->all);
    kept->all = NULL;
    kept->n = 0;
}

void rg_kept_grid(const rg_image *image, char text[256])
{
    const double x[] = { 1, image->nx, 1 }, y[] = { 1, 1, image->ny };
    int used = snprintf(text, 256, "%d x %d", image->nx, image->ny);
    for (int i = 0; i < 3; i++) {
        double ra, dec;
        if (rg_sky_to_world(image->sky, x[i], y[i], &ra, &dec) != 0) ra = dec = NAN;
        used += snprintf(text + used, 256 - (size_t)used, " %.8f %.8f", ra, dec);
    }
}

static uint32_t checksum(const char *text, size_t size)
{
    return (uint32_t)crc32_z(0, (const Bytef *)text, size);
}

/* ---- writing ---- */

static void print(const rg_kept *k, const rg_image *radio, FILE *to)
{
    char grid[256];
    rg_kept_grid(radio, grid);
    fprintf(to, TITLE "grid = %s\nkey = %s\nmethod = %s\nmodel = %s\nversion = %s\n"
            "weights = %s\nuncovered = %d\nn = %d\n", grid, k->key, k->from.method,
            k->from.model, k->from.version, k->from.weights, k->uncovered, k->n);
    for (const rg_detection *d = k->all; d < k->all + k->n; d++)
        fprintf(to, "%.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g %.17g %d %.9g "
                "%.9g %d %d %d %.9g\n", d->ra, d->dec, d->width, d->height, d->angle,
                d->xmin, d->ymin, d->xmax, d->ymax, d->class_, (double)d->probability,
                (double)d->raw, d->cut, d->scale, d->second,
                (double)d->second_probability);
}

static void tidy(void);

static int find_path(const rg_image *radio, const char *model, const char *key,
                     const char *folder, char path[RG_FILE_NAME])
{
    char name[64];
    snprintf(name, sizeof name, "%08x-%.15s-%08x" END, radio->checksum, model,
             checksum(key, strlen(key)));
    if (folder == NULL) return rg_home_cache(name, path);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return RG_FAIL("%s cannot be made: %s", folder, strerror(errno));
    if (snprintf(path, RG_FILE_NAME, "%s/%s", folder, name) < RG_FILE_NAME) return 0;
    return RG_FAIL("the name %s is too long", folder);
}

int rg_kept_write(const rg_kept *k, const rg_image *radio, const char *folder)
{
    char path[RG_FILE_NAME], *text = NULL;
    size_t size = 0;
    RG_TRY(find_path(radio, k->from.model, k->key, folder, path));
    FILE *to = open_memstream(&text, &size);
    if (to == NULL) return RG_FAIL("out of memory for the results");
    print(k, radio, to);
    fflush(to);
    fprintf(to, "checksum = %08x\n", checksum(text, size));
    int status = fclose(to) != 0 ? RG_FAIL("out of memory for the results") : 0;
    if (status == 0 && size > MOST_EACH)
        status = RG_FAIL("they are larger than %d MiB", MOST_EACH >> 20);
    if (status == 0) status = rg_home_write(path, text, size);
    free(text);
    if (folder == NULL) tidy();
    return status;
}

/* ---- reading ---- */

static bool is_number(double x, double low, double high)
{
    return x >= low && x <= high;
}

static int read_detection(const char *line, rg_detection *d)
{
    int cut;
    if (sscanf(line, "%lf %lf %lf %lf %lf %lf %lf %lf %lf %d %f %f %d %d %d %f", &d->ra,
               &d->dec, &d->width, &d->height, &d->angle, &d->xmin, &d->ymin, &d->xmax,
               &d->ymax, &d->class_, &d->probability, &d->raw, &cut, &d->scale,
               &d->second, &d->second_probability) != 16) return -1;
    d->cut = cut != 0;
    return is_number(d->ra, -360, 360) && is_number(d->dec, -90, 90)
        && is_number(d->width, 0, 1e6) && is_number(d->height, 0, 1e6)
        && is_number(d->angle, -720, 720) && is_number(d->xmin, -1e9, 1e9)
        && is_number(d->ymin, -1e9, 1e9) && is_number(d->xmax, -1e9, 1e9)
        && is_number(d->ymax, -1e9, 1e9) && is_number(d->class_, 1, RG_CLASSES - 1)
        && is_number(d->probability, 0, 1) && is_number(d->raw, 0, 1)
        && is_number(d->scale, 0, RG_LAYOUT_SCALES - 1)
        && is_number(d->second, 0, RG_CLASSES - 1)
        && is_number(d->second_probability, 0, 1) ? 0 : -1;
}

/* The value of the next line, "KEY = VALUE"; *at goes behind it. */
static int read_value(const char **at, const char *key, char *value, size_t size)
{
    size_t n = strlen(key), length = strcspn(*at, "\n");
    if (strncmp(*at, key, n) != 0 || strncmp(*at + n, " = ", 3) != 0) return -1;
    if ((*at)[length] == '\0' || length - n - 3 >= size) return -1;
    snprintf(value, size, "%.*s", (int)(length - n - 3), *at + n + 3);
    *at += length + 1;
    return 0;
}

static int read_header(const char **at, rg_kept *k, char grid[256])
{
    char uncovered[16], n[16];
    if (strncmp(*at, TITLE, strlen(TITLE)) != 0) return -1;
    *at += strlen(TITLE);
    RG_TRY(read_value(at, "grid", grid, 256));
    RG_TRY(read_value(at, "key", k->key, sizeof k->key));
    RG_TRY(read_value(at, "method", k->from.method, sizeof k->from.method));
    RG_TRY(read_value(at, "model", k->from.model, sizeof k->from.model));
    RG_TRY(read_value(at, "version", k->from.version, sizeof k->from.version));
    RG_TRY(read_value(at, "weights", k->from.weights, sizeof k->from.weights));
    RG_TRY(read_value(at, "uncovered", uncovered, sizeof uncovered));
    RG_TRY(read_value(at, "n", n, sizeof n));
    k->uncovered = atoi(uncovered);
    k->n = atoi(n);
    return k->n >= 0 && (size_t)k->n <= strlen(*at) ? 0 : -1;
}

static int parse(const char *text, rg_kept *k, char grid[256])
{
    const char *at = text, *end = strstr(text, "\nchecksum = ");
    unsigned sum;
    if (end == NULL || sscanf(end + 1, "checksum = %8x", &sum) != 1
        || checksum(text, (size_t)(end + 1 - text)) != sum) return -1;
    RG_TRY(read_header(&at, k, grid));
    k->all = rg_error_alloc((unsigned long)k->n, sizeof *k->all, "detections");
    if (k->all == NULL) return -1;
    for (int i = 0; i < k->n; i++) {
        if (read_detection(at, &k->all[i]) != 0) {
            rg_kept_clear(k);
            return -1;
        }
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return 0;
}

/* A file that cannot be used is none. */
static int read_kept(const char *path, const rg_image *radio, const char *key,
                     rg_kept *k)
{
    char grid[256] = "", wanted[256];
    int missing;
    char *text = rg_home_read(path, MOST_EACH, &missing);
    if (text == NULL) return -1;
    *k = (rg_kept){ .from.checksum = radio->checksum };
    int status = parse(text, k, grid);
    free(text);
    RG_TRY(status);
    rg_kept_grid(radio, wanted);
    bool same = strcmp(grid, wanted) == 0;
    if (same && (key == NULL || strcmp(key, k->key) == 0)) return 0;
    rg_kept_clear(k);
    return -1;
}

/* ---- the folder ---- */

typedef struct entry {
    char path[RG_FILE_NAME];
    struct timespec when;
    off_t size;
} entry;

static int newest_first(const void *pa, const void *pb)
{
    const struct timespec a = ((const entry *)pa)->when, b = ((const entry *)pb)->when;
    if (a.tv_sec != b.tv_sec) return a.tv_sec < b.tv_sec ? 1 : -1;
    return (a.tv_nsec < b.tv_nsec) - (a.tv_nsec > b.tv_nsec);
}

/* What a killed process left is taken away as it is met. */
static bool is_left_over(const char *path, const char *name)
{
    const rg_file_state state = rg_file_look(name);
    if (state == RG_FILE_LEFT) unlink(path);
    return state != RG_FILE_WHOLE;
}

/* Files of ours whose name begins so, newest first; caller frees. */
static entry *list(const char *prefix, int *n)
{
    char folder[RG_FILE_NAME];
    entry *all = NULL;
    *n = 0;
    if (rg_home_cache("", folder) != 0) return NULL;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        struct stat is;
        entry one;
        if (strlen(folder) + strlen(e->d_name) >= sizeof one.path) continue;
        strcat(strcpy(one.path, folder), e->d_name);
        if (lstat(one.path, &is) != 0 || !S_ISREG(is.st_mode)) continue;
        if (is_left_over(one.path, e->d_name)) continue;
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0) continue;
        entry *more = realloc(all, (size_t)(*n + 1) * sizeof *all);
        if (more == NULL) break;
        all = more;
        one.when = is.st_mtim;
        one.size = is.st_size;
        all[(*n)++] = one;
    }
    if (dir != NULL) closedir(dir);
    if (*n > 0) qsort(all, (size_t)*n, sizeof *all, newest_first);
    return all;
}

static void tidy(void)
{
    int n;
    entry *all = list("", &n);
    const time_t now = time(NULL);
    off_t bytes = 0;
    for (int i = 0; i < n; i++) {
        bytes += all[i].size;
        if (bytes > MOST_BYTES || i >= MOST_FILES
            || now - all[i].when.tv_sec > MOST_SECONDS) unlink(all[i].path);
    }
    free(all);
}

static int find_last(rg_kept *k, const rg_image *radio, const char *model,
                     const char *key)
{
    char prefix[64];
    int n, found = 0;
    snprintf(prefix, sizeof prefix, "%08x-%.15s%s", radio->checksum, model ? model : "",
             model ? "-" : "");
    entry *all = list(prefix, &n);
    for (int i = 0; i < n && !found; i++) {
        found = strstr(all[i].path, END) && read_kept(all[i].path, radio, key, k) == 0;
        if (found && model && strcmp(k->from.model, model) != 0) {
            rg_kept_clear(k);          /* another whose name begins like it */
            found = 0;
        }
        if (found) utimensat(AT_FDCWD, all[i].path, NULL, 0);
    }
    free(all);
    return found ? 0 : -1;
}

int rg_kept_find(rg_kept *k, const rg_image *radio, const char *model, const char *key,
                 const char *folder)
{
    char path[RG_FILE_NAME];
    if (folder == NULL) {
        if (find_last(k, radio, model, key) == 0) return 0;
    } else {
        RG_TRY(find_path(radio, model, key, folder, path));
        if (read_kept(path, radio, key, k) == 0) return 0;
    }
    return RG_FAIL("no results of %s are kept", radio->name);
}

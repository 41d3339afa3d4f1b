/* SPDX-License-Identifier: MIT */
#include "core/engine/gpu/tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/engine/error.h"
#include "core/engine/file.h"

enum { WAYS = 4, RUNS = 5, KEY = 120, LINE = 512, CHOICES_MOST = 4096 };

static const char magic[] = "claran gpu plans 2";

typedef struct choice { char key[KEY]; int way; } choice;

typedef struct choices { choice *of; int n; } choices;      /* owned */

struct rg_tune {
    char identity[RG_DEVICE_IDENTITY];
    char path[RG_FILE_NAME];
    choices known;
    bool news;
};

/* ---- the file ---- */

/* Makes the folders on the way to it where that is wanted. */
static bool find_place(const char *identity, char path[RG_FILE_NAME], bool make)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    const bool own = cache && cache[0] == '/';
    uint64_t hash = 0xcbf29ce484222325;                     /* FNV-1a */
    char folder[RG_FILE_NAME / 2];
    if (!own && !(home && home[0] == '/')) return false;
    for (const char *c = identity; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
    if (snprintf(folder, sizeof folder, "%s%s", own ? cache : home,
                 own ? "" : "/.cache") >= (int)sizeof folder - 8) return false;
    if (make) mkdir(folder, 0700);
    strcat(folder, "/claran");
    if (make) mkdir(folder, 0700);
    snprintf(path, RG_FILE_NAME, "%s/gpu-%016llx.txt", folder,
             (unsigned long long)hash);
    return true;
}

static int find(const choices *all, const char *key)
{
    for (int i = 0; i < all->n; i++)
        if (strcmp(all->of[i].key, key) == 0) return all->of[i].way;
    return -1;
}

/* Where the key is not there yet and there is room. */
static void add(choices *all, const char *key, int way)
{
    if (find(all, key) >= 0 || all->n == CHOICES_MOST) return;
    choice *of = realloc(all->of, (size_t)(all->n + 1) * sizeof *of);
    if (of == NULL) return;
    all->of = of;
    snprintf(of[all->n].key, KEY, "%s", key);
    of[all->n++].way = way;
}

static bool next_line(FILE *file, char line[LINE])
{
    char *end = fgets(line, LINE, file) ? strchr(line, '\n') : NULL;
    if (end) *end = '\0';
    return end != NULL;
}

/* "KEY = WAY" lines up to "end N", N of them, no more than there is room for. */
static bool read_choices(FILE *file, choices *all)
{
    char line[LINE], key[KEY], rest;
    int way, n = 0;
    while (n <= CHOICES_MOST && next_line(file, line)) {
        if (sscanf(line, "end %d%c", &way, &rest) == 1)
            return way == n && fgetc(file) == EOF;
        if (sscanf(line, "%119[^=]= %d%c", key, &way, &rest) != 2 || way < 0
            || strlen(key) < 2) return false;
        key[strlen(key) - 1] = '\0';                        /* the blank */
        add(all, key, way);
        n++;
    }
    return false;
}

/* Adds what the file has to what is known. */
static void read_file(rg_tune *tune)
{
    char line[LINE];
    choices read = { NULL, 0 };
    struct stat is;
    if (stat(tune->path, &is) != 0 || !S_ISREG(is.st_mode)) return;   /* a pipe waits */
    FILE *file = fopen(tune->path, "r");
    if (file == NULL) return;
    bool whole = next_line(file, line) && strcmp(line, magic) == 0
                 && next_line(file, line) && strcmp(line, tune->identity) == 0
                 && read_choices(file, &read);
    fclose(file);
    for (int i = 0; i < read.n && whole; i++)
        add(&tune->known, read.of[i].key, read.of[i].way);
    free(read.of);
}

static int write_file(const rg_tune *tune, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) return RG_FAIL("%s cannot be written", path);
    fprintf(file, "%s\n%s\n", magic, tune->identity);
    for (int i = 0; i < tune->known.n; i++)
        fprintf(file, "%s = %d\n", tune->known.of[i].key, tune->known.of[i].way);
    fprintf(file, "end %d\n", tune->known.n);
    const bool failed = ferror(file);
    return fclose(file) != 0 || failed ? RG_FAIL("%s cannot be written", path) : 0;
}

rg_tune *rg_tune_open(const rg_device *device)
{
    rg_tune *tune = rg_error_alloc(1, sizeof *tune, "the choice of algorithms");
    if (tune == NULL) return NULL;
    rg_device_identify(device, tune->identity);
    if (!find_place(tune->identity, tune->path, false)) {
        free(tune);
        return NULL;
    }
    read_file(tune);
    return tune;
}

void rg_tune_close(rg_tune *tune)
{
    if (tune == NULL) return;
    free(tune->known.of);
    free(tune);
}

void rg_tune_keep(rg_tune *tune)
{
    char beside[RG_FILE_NAME];
    if (tune == NULL || !tune->news) return;
    tune->news = false;
    find_place(tune->identity, tune->path, true);
    read_file(tune);
    if (rg_file_beside(tune->path, beside) == 0)
        rg_file_keep(write_file(tune, beside), beside, tune->path);
}

/* ---- what is timed ---- */

/* Convolutions and products alike: what is made of a specification, on memory for all
 * its tensors. */
typedef struct kind {
    int (*make)(void **made, rg_device *device, const void *spec, int from);
    void (*free)(void *made);
    int (*way)(const void *made);
    size_t (*bytes)(const void *made, const void *spec, size_t part[4]);
    int (*run)(rg_device *device, const void *made, char *memory, const size_t at[4]);
} kind;

static int make_convolution(void **made, rg_device *device, const void *spec, int from)
{
    return rg_convolution_new((rg_convolution **)made, device, spec, from);
}

static void free_convolution(void *made)
{
    rg_convolution_free(made);
}

static int way_of_convolution(const void *made)
{
    return rg_convolution_way(made);
}

/* x, w, bias, y; returned: the workspace. */
static size_t bytes_of_convolution(const void *made, const void *spec, size_t part[4])
{
    const rg_convolution_spec *s = spec;
    const size_t each = rg_type_of(s->precision) == RG_F32 ? 4 : 2;
    const size_t taps = (size_t)s->size * (size_t)s->size;
    part[0] = (size_t)rg_layer_count(s->in) * each;
    part[1] = (size_t)s->out.c * taps * (size_t)s->in.c * each;
    part[2] = (size_t)s->out.c * each;
    part[3] = (size_t)rg_layer_count(s->out) * each;
    return rg_convolution_workspace(made);
}

static int run_convolution(rg_device *device, const void *made, char *m,
                           const size_t at[4])
{
    return rg_convolution_run(device, made, m + at[0], m + at[1], m + at[2], m + at[3],
                              m);
}

static int make_product(void **made, rg_device *device, const void *spec, int from)
{
    return rg_product_new((rg_product **)made, device, spec, from);
}

static void free_product(void *made)
{
    rg_product_free(made);
}

static int way_of_product(const void *made)
{
    return rg_product_way(made);
}

/* a, b, c. */
static size_t bytes_of_product(const void *made, const void *spec, size_t part[4])
{
    const rg_product_spec *s = spec;
    const size_t each = rg_type_of(s->precision) == RG_F32 ? 4 : 2;
    part[0] = (size_t)s->m * (size_t)s->k * each;
    part[1] = (size_t)s->k * (size_t)s->n * each;
    part[2] = (size_t)s->m * (size_t)s->n * sizeof(float);
    part[3] = 0;
    return rg_product_workspace(made);
}

static int run_product(rg_device *device, const void *made, char *m, const size_t at[4])
{
    return rg_product_run(device, made, m + at[0], m + at[1], (float *)(m + at[2]), m);
}

static const kind convolutions = { make_convolution, free_convolution,
                                   way_of_convolution, bytes_of_convolution,
                                   run_convolution };
static const kind products = { make_product, free_product, way_of_product,
                               bytes_of_product, run_product };

/* ---- timing ---- */

/* RUNS in a row after one that warms up [ms]; infinite where there is no memory for it
 * or it fails. */
static float time_of(const kind *k, rg_device *device, const void *made,
                     const void *spec)
{
    enum { ALIGNMENT = 256 };
    size_t part[4], at[4], total = k->bytes(made, spec, part);
    void *memory;
    float ms;
    for (int i = 0; i < 4; i++) {
        at[i] = (total + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        total = at[i] + part[i];
    }
    if (rg_device_alloc(device, &memory, total, "timing") != 0) return INFINITY;
    int status = k->run(device, made, memory, at);
    if (status == 0) status = rg_device_start_clock(device);
    for (int i = 0; i < RUNS && status == 0; i++)
        status = k->run(device, made, memory, at);
    if (status == 0) status = rg_device_read_clock(device, &ms);
    rg_device_free(memory);
    return status == 0 ? ms : INFINITY;
}

/* The fastest of n, which is remembered. */
static int fastest(const kind *k, rg_tune *tune, rg_device *device, void *const *made,
                   int n, const void *spec, const char *key)
{
    float least = INFINITY;
    int best = 0;
    for (int i = 0; i < n; i++) {
        const float ms = time_of(k, device, made[i], spec);
        if (!(ms < least)) continue;
        least = ms;
        best = i;
    }
    if (!(least < INFINITY)) return 0;
    add(&tune->known, key, k->way(made[best]));
    tune->news = true;
    return best;
}

/* What is known is taken where the library still has it. */
static bool take_known(const kind *k, const rg_tune *tune, rg_device *device,
                       void **out, const void *spec, const char *key)
{
    const int way = tune ? find(&tune->known, key) : -1;
    if (way < 0 || k->make(out, device, spec, way) != 0) return false;
    if (k->way(*out) == way) return true;
    k->free(*out);
    return false;
}

static int choose(const kind *k, rg_tune *tune, rg_device *device, void **out,
                  const void *spec, const char *key)
{
    void *made[WAYS];
    const int most = tune ? WAYS : 1;
    int n = 0, from = 0;
    *out = NULL;
    if (take_known(k, tune, device, out, spec, key)) return 0;
    while (n < most && k->make(&made[n], device, spec, from) == 0)
        from = k->way(made[n++]) + 1;
    if (n == 0) return -1;
    const int best = n > 1 ? fastest(k, tune, device, made, n, spec, key) : 0;
    *out = made[best];
    for (int i = 0; i < n; i++)
        if (i != best) k->free(made[i]);
    return 0;
}

int rg_tune_convolution(rg_tune *tune, rg_device *device, rg_convolution **out,
                        const rg_convolution_spec *s)
{
    static const char *const passes[] = { "forward", "data", "weights" };
    char key[KEY];
    void *made;
    snprintf(key, sizeof key, "conv %s %s %dx%dx%dx%d %d %d/%d%s%s", passes[s->pass],
             rg_backend_precision_name(s->precision), s->in.n, s->in.c, s->in.h,
             s->in.w, s->out.c, s->size, s->stride, s->bias ? " bias" : "",
             s->relu ? " relu" : "");
    const int status = choose(&convolutions, tune, device, &made, s, key);
    *out = made;
    return status;
}

int rg_tune_product(rg_tune *tune, rg_device *device, rg_product **out,
                    const rg_product_spec *s)
{
    char key[KEY];
    void *made;
    snprintf(key, sizeof key, "product %s %dx%dx%d%s%s",
             rg_backend_precision_name(s->precision), s->m, s->n, s->k,
             s->a_turned ? " a" : "", s->b_turned ? " b" : "");
    const int status = choose(&products, tune, device, &made, s, key);
    *out = made;
    return status;
}

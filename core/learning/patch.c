/* SPDX-License-Identifier: MIT */
#include "core/learning/patch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/engine/random.h"
#include "core/image/image.h"

#define SIDE RG_CLARAN_SUBJECT
enum { ATTEMPTS = 50, MEAN_PATCHES = 128 };

struct rg_patches {
    const rg_field **fields;  /* borrowed from the lists */
    rg_image **radio;         /* owned, as all below */
    rg_image **infrared;      /* NULL each where they are not wanted */
    int n;
};

static int read_image(rg_image **image, const char *path)
{
    RG_TRY(rg_image_read(image, path));
    return (*image)->sky ? 0 : RG_FAIL("%s: %s", path, (*image)->sky_problem);
}

static int read_field(rg_patches *p, const rg_field *field, bool infrared)
{
    int i = p->n++;
    p->fields[i] = field;
    RG_TRY(read_image(&p->radio[i], field->path));
    if (!infrared) return 0;
    if (field->infrared == NULL)
        return RG_FAIL("%s has no infrared image: the list's column ir is to name it",
                       field->path);
    return read_image(&p->infrared[i], field->infrared);
}

int rg_patches_new(rg_patches **out, const rg_dataset *const *lists, int nlists,
                   bool infrared)
{
    unsigned long fields = 0;
    for (int i = 0; i < nlists; i++) fields += (unsigned long)lists[i]->nfields;
    if (fields == 0) return RG_FAIL("the lists name no fields");
    rg_patches *p = rg_error_alloc(1, sizeof *p, "the fields");
    if (p == NULL) return -1;
    p->fields = rg_error_alloc(fields, sizeof *p->fields, "the fields");
    p->radio = rg_error_alloc(fields, sizeof *p->radio, "the fields");
    p->infrared = rg_error_alloc(fields, sizeof *p->infrared, "the fields");
    int status = p->fields && p->radio && p->infrared ? 0 : -1;
    for (int i = 0; i < nlists; i++)
        for (int f = 0; status == 0 && f < lists[i]->nfields; f++)
            status = read_field(p, &lists[i]->fields[f], infrared);
    if (status == 0) *out = p;
    else rg_patches_free(p);
    return status;
}

void rg_patches_free(rg_patches *p)
{
    if (p == NULL) return;
    for (int i = 0; p->radio && i < p->n; i++) rg_image_free(p->radio[i]);
    for (int i = 0; p->infrared && i < p->n; i++) rg_image_free(p->infrared[i]);
    free(p->fields);
    free(p->radio);
    free(p->infrared);
    free(p);
}

/* Anywhere the window hangs over the rim by no more than a tenth of its side. */
static int draw_window(const rg_image *image, uint64_t *state, rg_sky **window)
{
    double half = 0.5 * SIDE * RG_CLARAN_PIXEL / rg_sky_pixel_arcsec(image->sky);
    const int side[2] = { image->nx, image->ny };
    double at[2];
    for (int i = 0; i < 2; i++) {
        double room = fmax(0, side[i] / 2.0 - half) + 0.2 * half;
        at[i] = (side[i] + 1) / 2.0 + room * (2 * rg_random_uniform(state) - 1);
    }
    return rg_sky_new_window(window, image->sky, at[0], at[1], SIDE, RG_CLARAN_PIXEL);
}

/* Transposes and flips: the eight ways to lay a square. */
static void lay(const float *in, int way, float *out)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int u = way & 4 ? y : x, v = way & 4 ? x : y;
            if (way & 1) u = SIDE - 1 - u;
            if (way & 2) v = SIDE - 1 - v;
            out[y * SIDE + x] = in[v * SIDE + u];
        }
}

static int show_plane(const rg_image *image, const rg_sky *window, int way, float *out)
{
    float *plane = rg_error_alloc(RG_PATCH_PIXELS, sizeof *plane, "a patch");
    int status = plane ? rg_image_resample(image, window, SIDE, SIDE, plane) : -1;
    if (status == 0) lay(plane, way, out);
    free(plane);
    return status;
}

/* Half of the pixels have values. */
static bool is_covered(const float *plane)
{
    int n = 0;
    for (int i = 0; i < RG_PATCH_PIXELS; i++) n += isfinite(plane[i]) != 0;
    return n >= RG_PATCH_PIXELS / 2;
}

/* 0 when it is there, 1 when another must be tried. */
static int try_patch(const rg_patches *p, int field, uint64_t *state, rg_patch *patch)
{
    rg_sky *window;
    double median;
    RG_TRY(draw_window(p->radio[field], state, &window));
    int way = rg_random_below(state, 8);
    int status = show_plane(p->radio[field], window, way, patch->radio);
    patch->has_infrared = p->infrared[field] != NULL;
    if (status == 0 && patch->has_infrared)
        status = show_plane(p->infrared[field], window, way, patch->infrared);
    rg_sky_free(window);
    RG_TRY(status);
    if (!is_covered(patch->radio)) return 1;
    if (patch->has_infrared && !is_covered(patch->infrared)) return 1;
    RG_TRY(rg_image_noise(patch->radio, RG_PATCH_PIXELS, &median, &patch->sigma));
    return patch->sigma > 0 ? 0 : 1;
}

int rg_patches_draw(const rg_patches *p, uint64_t seed, rg_patch *patch)
{
    uint64_t state = rg_random_mix(seed, 0);
    int field = 0;
    for (int i = 0; i < ATTEMPTS; i++) {
        field = rg_random_below(&state, p->n);
        int status = try_patch(p, field, &state, patch);
        if (status < 0) return rg_error_prefix("%s: ", p->fields[field]->path);
        if (status == 0) return 0;
    }
    return RG_FAIL("%d windows of 3' in vain, the last in %s: none has noise, and "
                   "values in half of its pixels", ATTEMPTS, p->fields[field]->path);
}

/* Binomial smoothing along both axes; the rim keeps its values. */
static void smooth(float *plane, int step)
{
    for (int k = 0; k < SIDE; k++) {
        float *line = plane + (step == 1 ? k * SIDE : k), before = line[0];
        for (int i = 1; i < SIDE - 1; i++) {
            float here = line[i * step];
            line[i * step] = (before + 2 * here + line[(i + 1) * step]) / 4;
            before = here;
        }
    }
}

void rg_patch_add_noise(rg_patch *patch, double times_sigma, uint64_t seed)
{
    float noise[RG_PATCH_PIXELS];
    uint64_t state = rg_random_mix(seed, 1);
    double squares = 0;
    for (int i = 0; i < RG_PATCH_PIXELS; i++)
        noise[i] = (float)rg_random_normal(&state);
    for (int i = 0; i < 4; i++) {      /* variance 4 x 1/2: a FWHM of 3.3 pixels */
        smooth(noise, 1);
        smooth(noise, SIDE);
    }
    for (int i = 0; i < RG_PATCH_PIXELS; i++) squares += noise[i] * noise[i];
    float scale = (float)(times_sigma * patch->sigma / sqrt(squares / RG_PATCH_PIXELS));
    for (int i = 0; i < RG_PATCH_PIXELS; i++) patch->radio[i] += scale * noise[i];
}

int rg_patch_show(const rg_patch *patch, const rg_claran *model, float *data)
{
    uint8_t rgb[3 * RG_PATCH_PIXELS];
    RG_TRY(rg_fuse(model->method, patch->radio,
                   patch->has_infrared ? patch->infrared : NULL, SIDE, SIDE, rgb));
    rg_claran_input(model, rgb, data);
    return 0;
}

int rg_patches_mean(const rg_patches *p, const rg_claran *model, uint64_t seed,
                    float mean[3])
{
    rg_claran plain = *model;
    long pixels = (long)model->input * model->input;
    double sum[3] = { 0 };
    float *data = rg_error_alloc(3ul * (unsigned long)pixels, sizeof *data, "means");
    rg_patch *patch = rg_error_alloc(1, sizeof *patch, "means");
    int status = data && patch ? 0 : -1;
    memset(plain.mean, 0, sizeof plain.mean);
    for (int i = 0; i < MEAN_PATCHES && status == 0; i++) {
        status = rg_patches_draw(p, rg_random_mix(seed, (uint64_t)i), patch);
        if (status == 0) status = rg_patch_show(patch, &plain, data);
        for (long k = 0; k < 3 * pixels && status == 0; k++) sum[k / pixels] += data[k];
    }
    for (int c = 0; c < 3; c++)
        mean[c] = (float)(sum[c] / (double)(pixels * MEAN_PATCHES));
    free(data);
    free(patch);
    return status;
}

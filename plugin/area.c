/* SPDX-License-Identifier: MIT */
#include "plugin/area.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/detector/detect.h"
#include "core/engine/error.h"

#define AREA " area "
#define GET_SELECTED "regions selected -format ds9 -system image"

enum { NUMBERS = 2000 };

/* ---- what is seen ---- */

static int ask_numbers(rg_xpa *ds9, const char *question, int n, double *number)
{
    char answer[256];
    RG_TRY(rg_xpa_ask(ds9, question, answer, sizeof answer));
    char *at = answer, *end;
    for (int i = 0; i < n; i++, at = end) {
        number[i] = strtod(at, &end);
        if (end == at || !isfinite(number[i]))
            return RG_FAIL("DS9 answers \"%.60s\" to \"%s\"", answer, question);
    }
    return 0;
}

static int find_view(rg_area *a, rg_xpa *ds9)
{
    double pan[2] = { 0 }, zoom[2] = { 0 }, width = 0, height = 0, turn = 0;
    bool tiled, aligned;
    RG_TRY(rg_xpa_has(ds9, "tile", &tiled));
    if (tiled)
        return RG_FAIL("DS9 shows its frames as tiles, and does not tell what part is "
                       "visible: choose Frame > Single Frame, or search the whole "
                       "frame");
    RG_TRY(ask_numbers(ds9, "pan image", 2, pan));
    if (ask_numbers(ds9, "zoom", 2, zoom) != 0) {
        RG_TRY(ask_numbers(ds9, "zoom", 1, zoom));      /* both the same */
        zoom[1] = zoom[0];
    }
    RG_TRY(ask_numbers(ds9, "width", 1, &width));
    RG_TRY(ask_numbers(ds9, "height", 1, &height));
    RG_TRY(ask_numbers(ds9, "rotate", 1, &turn));
    RG_TRY(rg_xpa_has(ds9, "align", &aligned));
    double half_x = width / zoom[0] / 2, half_y = height / zoom[1] / 2;
    if (!(half_x > 0 && half_y > 0))
        return RG_FAIL("DS9 says that its zoom is %g, %g", zoom[0], zoom[1]);
    if (aligned || fmod(turn, 180) != 0) half_x = half_y = hypot(half_x, half_y);
    memcpy(a->rect[0], (double[]){ pan[0] - half_x, pan[1] - half_y, pan[0] + half_x,
                                   pan[1] + half_y }, sizeof a->rect[0]);
    a->n = 1;
    return 0;
}

/* ---- what is selected ---- */

static void stretch(double rect[4], double x, double y, double by)
{
    rect[0] = fmin(rect[0], x - by);
    rect[1] = fmin(rect[1], y - by);
    rect[2] = fmax(rect[2], x + by);
    rect[3] = fmax(rect[3], y + by);
}

/* How far a shape reaches from its middle: the largest radius of what is round, half
 * the diagonal of a box; 0 where it has no inside. */
static double reach(const char *shape, const double *number, int n)
{
    const bool box = strcmp(shape, "box") == 0, ellipse = strcmp(shape, "ellipse") == 0;
    const int end = box || ellipse ? n - 1 : n;      /* the last is their angle */
    double most = 0;
    if (box && n >= 5) return hypot(number[end - 2], number[end - 1]) / 2;
    if (!ellipse && strcmp(shape, "circle") != 0 && strcmp(shape, "annulus") != 0)
        return 0;
    for (int i = 2; i < end; i++) most = fmax(most, number[i]);
    return most;
}

static int about(const char *shape, const double *number, int n, double rect[4])
{
    memcpy(rect, (double[]){ INFINITY, INFINITY, -INFINITY, -INFINITY },
           4 * sizeof *rect);
    if (strcmp(shape, "polygon") == 0 && n >= 6) {
        for (int i = 0; i + 1 < n; i += 2) stretch(rect, number[i], number[i + 1], 0);
        return 0;
    }
    double by = reach(shape, number, n);
    if (!(by > 0))
        return RG_FAIL("a %s has no inside to be searched: select boxes, circles, "
                       "ellipses or polygons", shape);
    stretch(rect, number[0], number[1], by);
    return 0;
}

/* "box(1,2,3,4,0) # ..." in image coordinates; other lines are passed over. */
static int add_line(rg_area *a, const char *line)
{
    double number[NUMBERS] = { 0 };
    char shape[16];
    int n = 0, length = (int)strspn(line, "abcdefghijklmnopqrstuvwxyz");
    if (length == 0 || length > 15 || line[length] != '(') return 0;
    if (a->n == RG_AREA_MOST)
        return RG_FAIL("more than %d regions are selected", RG_AREA_MOST);
    snprintf(shape, sizeof shape, "%.*s", length, line);
    for (const char *at = line + length; (*at == '(' || *at == ',') && n < NUMBERS;) {
        char *end;
        number[n] = strtod(at + 1, &end);
        if (end == at + 1 || !isfinite(number[n])) break;
        at = end;
        n++;
    }
    RG_TRY(about(shape, number, n, a->rect[a->n]));
    a->n++;
    return 0;
}

static int find_selected(rg_area *a, rg_xpa *ds9)
{
    char *text;
    size_t size;
    int status = 0;
    RG_TRY(rg_xpa_get(ds9, GET_SELECTED, &text, &size));
    for (char *rest = text, *line; (line = strsep(&rest, "\n;")) && status == 0;)
        status = add_line(a, line);
    free(text);
    RG_TRY(status);
    if (a->n == 0)
        return RG_FAIL("no region is selected: click on one (Edit > Region), or search "
                       "the whole frame");
    return 0;
}

int rg_area_find(rg_area *a, rg_xpa *ds9, const char *search, const rg_image *image)
{
    *a = (rg_area){ .sky = image->sky };
    if (strcmp(search, "view") == 0) return find_view(a, ds9);
    if (strcmp(search, "selected") == 0) return find_selected(a, ds9);
    return 0;
}

/* ---- what is in it ---- */

static bool is_near(const rg_area *a, double x, double y, double margin)
{
    for (int i = 0; i < a->n; i++)
        if (x >= a->rect[i][0] - margin && x <= a->rect[i][2] + margin
            && y >= a->rect[i][1] - margin && y <= a->rect[i][3] + margin) return true;
    return a->n == 0;
}

bool rg_area_has(const rg_area *a, double ra, double dec)
{
    double x, y;
    if (a->n == 0) return true;
    return rg_sky_to_pixel(a->sky, ra, dec, &x, &y) == 0 && is_near(a, x, y, 0);
}

int rg_area_mask(const rg_area *a, rg_image *image, float **whole)
{
    const double window = RG_CLARAN_SUBJECT * RG_CLARAN_PIXEL
                          / rg_sky_pixel_arcsec(image->sky);
    const size_t nx = (size_t)image->nx;
    bool any = false;
    *whole = NULL;
    if (a->n == 0) return 0;
    float *pixels = rg_error_alloc(nx * (size_t)image->ny, sizeof *pixels, "a mask");
    if (pixels == NULL) return -1;
    for (int y = 0; y < image->ny; y++)
        for (size_t x = 0; x < nx; x++) {
            bool near = is_near(a, (double)x + 1, y + 1, window);
            pixels[y * nx + x] = near ? image->pixels[y * nx + x] : NAN;
            any |= near;
        }
    if (!any) {
        free(pixels);
        return RG_FAIL("%s has no pixel near the part to be searched", image->name);
    }
    *whole = image->pixels;
    image->pixels = pixels;
    return 0;
}

void rg_area_unmask(rg_image *image, float *whole)
{
    if (whole == NULL) return;
    free(image->pixels);
    image->pixels = whole;
}

void rg_area_print(const rg_area *a, char *text, int size)
{
    int used = snprintf(text, (size_t)size, AREA "%s", a->n == 0 ? "all" : "");
    for (int i = 0; i < a->n && used < size; i++)
        used += snprintf(text + used, (size_t)(size - used), " %.2f %.2f %.2f %.2f",
                         a->rect[i][0], a->rect[i][1], a->rect[i][2], a->rect[i][3]);
}

void rg_area_read(rg_area *a, const char *key, const rg_image *image)
{
    const char *at = strstr(key, AREA);
    int used;
    *a = (rg_area){ .sky = image->sky };
    for (at = at ? at + strlen(AREA) : ""; a->n < RG_AREA_MOST; at += used) {
        double *r = a->rect[a->n];
        if (sscanf(at, "%lf %lf %lf %lf%n", &r[0], &r[1], &r[2], &r[3], &used) != 4)
            return;
        a->n++;
    }
}

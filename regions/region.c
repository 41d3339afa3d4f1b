/* SPDX-License-Identifier: MIT */
#include "regions/region.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"

#define RUN_TAG "tag={" RG_REGION_GROUP " "
#define HIDDEN " tag={" RG_REGION_HIDDEN
#define PROPERTY " claran="
#define SLACK 0.02            /* [arcsec, deg]: DS9 rounds */

void rg_region_header(FILE *to)
{
    fputs("# Region file format: DS9 version 4.1\n"
          "global color=magenta width=2 font=\"helvetica 12 bold roman\"\n"
          "icrs\n", to);
}

/* What a property says, without the box. */
static void print_class(FILE *to, const rg_detection *d)
{
    fprintf(to, PROPERTY "%s,", rg_boxes_class_name[d->class_]);
    if (isfinite(d->probability)) fprintf(to, "%.4f", d->probability);
    if (d->second > 0)
        fprintf(to, ",%s,%.4f", rg_boxes_class_name[d->second], d->second_probability);
    else
        fputs(",,", to);
}

void rg_region_print(FILE *to, const rg_detection *d, unsigned flags,
                     const rg_provenance *from)
{
    fprintf(to, "box(%.8f,%.8f,%.3f\",%.3f\",%.4f) # text={%s", d->ra, d->dec, d->width,
            d->height, d->angle, rg_boxes_class_name[d->class_]);
    if (isfinite(d->probability)) fprintf(to, " %.2f", d->probability);
    fprintf(to, "} tag={%s} " RUN_TAG "%s model %s image %08x version %s}",
            RG_REGION_GROUP, from->method, from->model, from->checksum, from->version);
    print_class(to, d);
    if (flags & (RG_FLAG_EDITED | RG_FLAG_BY_HAND)) fputs(",,,,,", to);
    else fprintf(to, ",%.6f,%.6f,%.2f,%.2f,%.2f", d->ra, d->dec, d->width, d->height,
                 d->angle);
    fputc('\n', to);
}

/* ---- reading ---- */

/* The next of the words between commas, in words[]: "" where there is none. */
enum { CLASS, P, SECOND, SECOND_P, RA, DEC, WIDTH, HEIGHT, ANGLE, WORDS };

static void split(const char *text, char words[WORDS][16])
{
    for (int i = 0; i < WORDS; i++) {
        size_t n = strcspn(text, ", \n");
        snprintf(words[i], 16, "%.*s", (int)(n < 15 ? n : 15), text);
        text += n + (text[n] == ',');
    }
}

static int read_number(const char *word, double low, double high, double *number)
{
    char *end;
    *number = strtod(word, &end);
    return end != word && *end == '\0' && *number >= low && *number <= high ? 0 : -1;
}

static int read_class(const char *word, int *class_)
{
    return rg_boxes_class(word, class_) == 0 && *class_ > 0 ? 0 : -1;
}

/* What the property says of a box that stands at d->ra .. angle now. */
static int read_property(const char *text, rg_source *s)
{
    static const double low[] = { -360, -90, 0, 0, -720 };
    static const double high[] = { 360, 90, 1e6, 1e6, 720 };
    char words[WORDS][16];
    double p = NAN, was[5];
    rg_detection *d = &s->box;
    split(text, words);
    RG_TRY(read_class(words[CLASS], &d->class_));
    if (*words[P]) RG_TRY(read_number(words[P], 0, 1, &p));
    else s->flags |= RG_FLAG_BY_HAND;
    d->probability = d->raw = (float)p;
    if (*words[SECOND]) {
        RG_TRY(read_class(words[SECOND], &d->second));
        RG_TRY(read_number(words[SECOND_P], 0, 1, &p));
        d->second_probability = (float)p;
    }
    for (int i = 0; i < 5 && *words[RA]; i++)
        RG_TRY(read_number(words[RA + i], low[i], high[i], &was[i]));
    bool same = *words[RA] != '\0'
        && rg_sky_separation(d->ra, d->dec, was[0], was[1]) <= SLACK
        && fabs(d->width - was[2]) <= SLACK && fabs(d->height - was[3]) <= SLACK
        && fabs(remainder(d->angle - was[4], 180)) <= SLACK;
    if (!same && !(s->flags & RG_FLAG_BY_HAND)) s->flags |= RG_FLAG_EDITED;
    return 0;
}

/* The first word of the text={...} of a region, shown or hidden. */
static void read_label(const char *line, char word[64])
{
    const char *at = strstr(line, " text="), *hidden = strstr(line, HIDDEN);
    *word = '\0';
    if (at == NULL && hidden == NULL) return;
    if (at == NULL) {
        snprintf(word, 64, "%.*s", (int)strcspn(hidden + strlen(HIDDEN), " }"),
                 hidden + strlen(HIDDEN));
        return;
    }
    at += strlen(" text=");
    const char *end = *at == '{' ? " }" : *at == '"' ? " \"" : " '";
    at += *at != '\0';
    snprintf(word, 64, "%.*s", (int)strcspn(at, end), at);
}

static int read_box(const char *line, rg_detection *d)
{
    int end = 0;
    if (sscanf(line, "box(%lf,%lf,%lf\",%lf\",%lf)%n", &d->ra, &d->dec, &d->width,
               &d->height, &d->angle, &end) != 5 || end == 0) return -1;
    return fabs(d->ra) <= 360 && fabs(d->dec) <= 90 && d->width > 0 && d->height > 0
        && fabs(d->angle) <= 720 ? 0 : -1;
}

static void set_class(rg_source *s, int class_)
{
    s->box.class_ = class_;
    s->box.probability = s->box.raw = NAN;
    s->box.second = 0;
    s->box.second_probability = 0;
    s->flags = RG_FLAG_BY_HAND;
}

/* 1: a source, 0: none of our business, -1: a sentence. */
static int read_line(const char *line, bool on_sky, rg_source *s)
{
    char label[64];
    const char *property = strstr(line, PROPERTY);
    int class_ = 0;
    read_label(line, label);
    bool labelled = read_class(label, &class_) == 0;
    *s = (rg_source){ .flags = 0 };
    if (property == NULL && !labelled) return 0;
    if (!on_sky)
        return RG_FAIL("this region is not in sky coordinates, save regions in ICRS "
                       "and degrees: %.200s", line);
    if (read_box(line, &s->box) != 0
        || (property && read_property(property + strlen(PROPERTY), s) != 0))
        return RG_FAIL("this %s is not a labelled box: %.200s",
                       property ? "claran region" : "region with a class", line);
    if (*label && !labelled)
        return RG_FAIL("the label \"%s\" of the box at %.6f %+.6f is no class: it is "
                       "1C_1P, 1C_2P, 1C_3P, 2C_2P, 2C_3P or 3C_3P", label, s->box.ra,
                       s->box.dec);
    if (labelled && (property == NULL || class_ != s->box.class_)) set_class(s, class_);
    return 1;
}

static void read_run(const char *line, rg_provenance *from)
{
    const char *tag = strstr(line, RUN_TAG);
    rg_provenance run = *from;
    if (tag != NULL &&
        sscanf(tag, RUN_TAG "%7s model %15s image %8x version %23[^} ]", run.method,
               run.model, &run.checksum, run.version) == 4)
        *from = run;
}

/* Whether the line, or its beginning, names the coordinates of what follows. */
static void read_system(const char **line, bool *on_sky)
{
    static const char *const systems[] = { "icrs", "fk5", "fk4", "galactic", "ecliptic",
        "image", "physical", "amplifier", "detector", "linear", "wcs" };
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        size_t n = strlen(systems[i]);
        if (strncmp(*line, systems[i], n) != 0) continue;
        if ((*line)[n] == '\0' || (*line)[n] == ';') *on_sky = i < 2;
        if ((*line)[n] == ';') *line += n + 1 + strspn(*line + n + 1, " ");
    }
}

int rg_region_parse(const char *text, rg_source **found, int *n, rg_provenance *from)
{
    int lines = 1, count = 0, runs = 0;
    bool on_sky = false;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    rg_source *list = rg_error_alloc((unsigned long)lines, sizeof *list, "regions");
    if (list == NULL) return -1;
    for (const char *at = text; *at; at += *at == '\n') {
        char room[2048];
        const char *line = room;
        int length = (int)strcspn(at, "\r\n"), most = sizeof room - 1;
        snprintf(room, sizeof room, "%.*s", length < most ? length : most, at);
        at += strcspn(at, "\n");
        if (*line == '#') continue;
        read_system(&line, &on_sky);
        int got = read_line(line, on_sky, &list[count]);
        if (got < 0) {
            free(list);
            return -1;
        }
        if (got > 0 && strstr(line, RUN_TAG) && runs++ == 0) read_run(line, from);
        count += got;
    }
    *found = list;
    *n = count;
    return 0;
}

int rg_region_place(rg_detection *d, const rg_sky *sky)
{
    double x, y, ra[4], dec[4], up;
    int parity;
    RG_TRY(rg_sky_to_pixel(sky, d->ra, d->dec, &x, &y));
    RG_TRY(rg_sky_orientation(sky, x, y, &up, &parity));
    static const double dx[4] = { -0.5, 0.5, 0, 0 }, dy[4] = { 0, 0, -0.5, 0.5 };
    for (int i = 0; i < 4; i++)
        RG_TRY(rg_sky_to_world(sky, x + dx[i], y + dy[i], &ra[i], &dec[i]));
    double turn = (d->angle - up) * M_PI / 180;
    double c = fabs(cos(turn)), s = fabs(sin(turn));
    double half_x = (d->width * c + d->height * s) / 2;
    double half_y = (d->width * s + d->height * c) / 2;
    half_x /= rg_sky_separation(ra[0], dec[0], ra[1], dec[1]);
    half_y /= rg_sky_separation(ra[2], dec[2], ra[3], dec[3]);
    if (!(isfinite(half_x) && isfinite(half_y)))
        return RG_FAIL("the box at %.6f, %.6f has no size on the image", d->ra, d->dec);
    d->xmin = x - half_x;
    d->xmax = x + half_x;
    d->ymin = y - half_y;
    d->ymax = y + half_y;
    return 0;
}

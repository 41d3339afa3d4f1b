/* SPDX-License-Identifier: MIT */
#include "core/data/label.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/data/csv.h"
#include "plugin/agreement.h"
#include "plugin/commands.h"
#include "plugin/options.h"
#include "plugin/output.h"
#include "regions/format.h"

#define HINTS 64                  /* of one field */
#define KEEP_OUT 6.0              /* [arcmin] between a frame and an excluded field */

typedef struct job {
    const char *list, *output, *catalogue, *exclude, *agreement;
    rg_label_hint *sources;       /* of the catalogue; owned */
    int nsources;
    struct { double ra, dec; } *excluded;   /* [deg]; owned */
    int nexcluded;
    int fields, skipped, ambiguous, count[RG_CLASSES];
} job;

/* ---- the catalogue of Radio Galaxy Zoo ---- */

static int read_source(char *const value[5], rg_label_hint *hint)
{
    double components, peaks;
    *hint = (rg_label_hint){ 0 };
    RG_TRY(rg_csv_number(value[0], "num_cpnts", &components));
    RG_TRY(rg_csv_number(value[1], "num_peaks", &peaks));
    RG_TRY(rg_csv_number(value[4], "ang_extent", &hint->extent));
    RG_TRY(rg_agreement_components(value[2], value[3], hint));
    hint->class_ = rg_label_class((int)fmin(fmax(components, 0), 9),
                                  (int)fmin(fmax(peaks, 0), 9));
    return 0;
}

static int read_catalogue(job *j)
{
    static const char *const columns[] = {
        "num_cpnts", "num_peaks", "cpnts_ras", "cpnts_decs", "ang_extent"
    };
    rg_csv *csv;
    char *value[5];
    int row, room = 0;
    if (j->catalogue == NULL) return 0;
    RG_TRY(rg_csv_open(&csv, j->catalogue, columns, 5, 5));
    while ((row = rg_csv_next(csv, value)) > 0) {
        if (j->nsources == room) {
            room = room ? 2 * room : 4096;
            void *more = realloc(j->sources, (size_t)room * sizeof *j->sources);
            if (more == NULL) row = RG_FAIL("out of memory for %d sources", room);
            if (row < 0) break;
            j->sources = more;
        }
        if (read_source(value, &j->sources[j->nsources]) != 0) {
            row = rg_csv_problem(csv);
            break;
        }
        j->nsources++;
    }
    rg_csv_free(csv);
    return row;
}

/* ---- excluded sky ---- */

static int centre(const rg_image *image, double *ra, double *dec)
{
    if (image->sky == NULL)
        return RG_FAIL("%s: has no place on the sky: %s", image->name,
                       image->sky_problem);
    return rg_sky_to_world(image->sky, (image->nx + 1) / 2.0, (image->ny + 1) / 2.0, ra,
                           dec);
}

static int read_excluded(job *j)
{
    rg_dataset *set;
    if (j->exclude == NULL) return 0;
    RG_TRY(rg_dataset_read(&set, j->exclude));
    j->excluded = rg_error_alloc((size_t)set->nfields, sizeof *j->excluded, "places");
    int status = j->excluded ? 0 : -1;
    for (int i = 0; status == 0 && i < set->nfields; i++) {
        rg_image *image = NULL;
        status = rg_image_read(&image, set->fields[i].path);
        if (status == 0)
            status = centre(image, &j->excluded[i].ra, &j->excluded[i].dec);
        if (status == 0) j->nexcluded++;
        rg_image_free(image);
    }
    rg_dataset_free(set);
    return status;
}

static bool is_excluded(const job *j, const rg_image *image, double ra, double dec)
{
    double reach = hypot(image->nx, image->ny) / 2 * rg_sky_pixel_arcsec(image->sky);
    for (int i = 0; i < j->nexcluded; i++)
        if (rg_sky_separation(ra, dec, j->excluded[i].ra, j->excluded[i].dec) <
            reach + 60 * KEEP_OUT) return true;
    return false;
}

/* ---- labelling ---- */

/* What is known to be in the image: catalogued sources, and the list's own. */
static int find_hints(const job *j, const rg_image *image, double ra, double dec,
                      rg_label_hint hints[HINTS])
{
    int n = 0;
    for (int i = 0; i < j->nsources && n < HINTS - 1; i++) {
        const rg_label_hint *source = &j->sources[i];
        double x, y, a = source->component[0].ra, d = source->component[0].dec;
        if (!(fabs(d - dec) < 1) || !(rg_sky_separation(a, d, ra, dec) < 3600))
            continue;
        if (rg_sky_to_pixel(image->sky, a, d, &x, &y) == 0 && x > 0.5 && y > 0.5 &&
            x < image->nx + 0.5 && y < image->ny + 0.5) hints[n++] = *source;
    }
    return n;
}

static void print_labels(job *j, FILE *out, const char *path,
                         const rg_label_source *sources, int n)
{
    for (int i = 0; i < n; i++) {
        const rg_label_source *s = &sources[i];
        const char *name = s->label.class_ == RG_CLASS_IGNORE
                         ? "?" : rg_boxes_class_name[s->label.class_];
        fprintf(out, "%s,%s,%.1f,%.1f,%.1f,%.1f,%.2f,%d,%d,%.1f,%s\n", path, name,
                s->label.xmin, s->label.ymin, s->label.xmax, s->label.ymax,
                s->label.confidence, s->components, s->peaks, s->peak,
                rg_label_kind_name[s->kind]);
        if (s->label.class_ == RG_CLASS_IGNORE) j->ambiguous++;
        else j->count[s->label.class_]++;
    }
    if (n == 0) fprintf(out, "%s,,,,,,,,,,\n", path);
    j->fields++;
}

static int label_image(job *j, FILE *out, const rg_image *image, const char *path,
                       const rg_label_hint *own)
{
    rg_label_hint hints[HINTS];
    rg_label_source *sources;
    double ra, dec;
    int n;
    RG_TRY(centre(image, &ra, &dec));
    if (is_excluded(j, image, ra, dec)) {
        j->skipped++;
        return 0;
    }
    int nhints = find_hints(j, image, ra, dec, hints);
    hints[nhints++] = *own;
    RG_TRY(rg_label_field(image, hints, nhints, &sources, &n));
    print_labels(j, out, path, sources, n);
    free(sources);
    return 0;
}

static int label_row(job *j, FILE *out, char *const value[4])
{
    rg_label_hint own = { 0 };
    rg_image *image = NULL;
    RG_TRY(rg_csv_number(value[1], "ra_deg", &own.ra));
    RG_TRY(rg_csv_number(value[2], "dec_deg", &own.dec));
    if (value[3][0]) RG_TRY(rg_csv_number(value[3], "size_arcsec", &own.extent));
    char *found = rg_dataset_locate(j->list, value[0]);
    char *path = found ? realpath(found, NULL) : NULL;
    int status = path ? rg_image_read(&image, path) : -1;
    if (status == 0) status = label_image(j, out, image, path, &own);
    rg_image_free(image);
    free(path);
    free(found);
    return status;
}

static const char *const field_columns[] = {
    "file", "ra_deg", "dec_deg", "size_arcsec"
};

static int count_rows(const char *list, int *total)
{
    rg_csv *csv;
    char *value[4];
    int row;
    RG_TRY(rg_csv_open(&csv, list, field_columns, 4, 4));
    for (*total = 0; (row = rg_csv_next(csv, value)) > 0;) ++*total;
    rg_csv_free(csv);
    return row;
}

static int label_rows(job *j, FILE *out)
{
    rg_csv *csv;
    char *value[4];
    int row, done = 0, total;
    RG_TRY(count_rows(j->list, &total));
    fprintf(out, "file,class,xmin,ymin,xmax,ymax,confidence,"
                 "components,peaks,peak_sigma,told_by\n");
    RG_TRY(rg_csv_open(&csv, j->list, field_columns, 4, 4));
    while ((row = rg_csv_next(csv, value)) > 0) {
        if (label_row(j, out, value) != 0) {
            row = rg_csv_problem(csv);
            break;
        }
        rg_options_progress("fields", ++done, total);
    }
    rg_csv_free(csv);
    return row;
}

static int label(job *j)
{
    rg_output out = { 0 };
    const rg_format *format;
    int status = rg_format_find(j->output, NULL, &format);
    if (status == 0 && format != &rg_format_csv)
        status = RG_FAIL("a list is a table: the name of the output, \"%s\", must end "
                         "in .csv", j->output);
    if (status == 0) status = rg_output_open(&out, j->output);
    if (status == 0) status = read_catalogue(j);
    if (status == 0) status = read_excluded(j);
    if (status == 0) status = label_rows(j, out.file);
    if (status == 0) status = rg_output_keep(&out, 1);
    rg_output_drop(&out);
    if (status != 0) return -1;
    fprintf(stderr, "%d fields labelled, %d left out; sources:", j->fields, j->skipped);
    for (int c = 1; c < RG_CLASSES; c++)
        fprintf(stderr, " %s %d,", rg_boxes_class_name[c], j->count[c]);
    fprintf(stderr, " ambiguous %d\n", j->ambiguous);
    return 0;
}

int rg_label_main(int argc, char **argv)
{
    job j = { 0 };
    const rg_option options[] = {
        { "output", 'o', RG_OPTION_OUTPUT, &j.output, 0, 0, "LIST.csv",
          "the labelled list to write, boxes in FITS pixels; \"-\": print" },
        { "catalogue", 0, RG_OPTION_TEXT, &j.catalogue, 0, 0, "FILE.csv",
          "Radio Galaxy Zoo's catalogue: its sources keep their class" },
        { "exclude", 0, RG_OPTION_TEXT, &j.exclude, 0, 0, "LIST.csv",
          "leave out fields within 6 arcmin of this list's" },
        { "agreement", 0, RG_OPTION_TEXT, &j.agreement, 0, 0, "LIST.csv",
          "print how well the rule agrees with these labels, and end" },
        { .name = NULL }
    };
    const rg_usage usage = { "label", "FIELDS.csv -o LIST.csv",
        "Labels FIRST fields by Radio Galaxy Zoo's arithmetic.  FIELDS.csv has the\n"
        "columns file, ra_deg, dec_deg [deg] of each field's main source, and its\n"
        "size_arcsec or nothing.  What cannot be told is marked \"?\".\n\n"
        "  claran label fields.csv -o labelled.csv --catalogue full_catalogue.csv\n"
        "  claran label --agreement rgz_train.csv", options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc != (j.agreement ? 0 : 1))
        return rg_options_misuse("label wants %s; see claran label --help",
                                 j.agreement ? "no list with --agreement" : "one list");
    if (j.agreement == NULL && j.output == NULL)
        return rg_options_misuse("label wants to know where to write: -o LIST.csv");
    if (argc) j.list = argv[0];
    status = j.agreement ? rg_agreement_print(j.agreement) : label(&j);
    free(j.sources);
    free(j.excluded);
    return status == 0 ? RG_EXIT_OK : rg_options_problem();
}

/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <fitsio.h>
#include <jansson.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "regions/catalogue.h"

/* Everything a format might trip over; the last bytes are no UTF-8. */
static const char hostile[] =
    "a \"b\", 'c';\t<d>&amp;]]>\n#{e}%41 \xc3\xa9\xe2\x80\xa8 \xff ";
static const char hostile_clean[] =
    "a \"b\", 'c';%09<d>&amp;]]>%0A#{e}%2541 \xc3\xa9%E2%80%A8 %FF%20";
static const char hostile_ascii[] =
    "a \"b\", 'c';%09<d>&amp;]]>%0A#{e}%2541 %C3%A9%E2%80%A8 %FF%20";

enum { FORMATS = 8 };
static const char *const endings[FORMATS] = { "fits", "vot",  "csv", "ecsv",
                                              "tsv",  "json", "reg", "moc.fits" };

static rg_source measured(int i)
{
    rg_source s;
    rg_detection box = {
        .ra = 150.1, .dec = -0.25, .width = 20.5, .height = 21, .angle = 350.25,
        .xmin = 10.5, .ymin = 11.25, .xmax = 22, .ymax = 23.125, .class_ = 5,
        .probability = 0.9312f, .second = 4, .second_probability = 0.05f,
    };
    rg_catalogue_unmeasured(&box, &s);
    s.ra = 150.1 + i * 1e-3, s.dec = -0.25 - 1e-7 * i, s.ra_error = 0.125;
    s.dec_error = 0.25, s.flux = 3.14159e-5, s.flux_error = 2e10, s.rms = 0.15;
    s.peak = 1.5, s.size = 30.5, s.pa = 179.999, s.tight[2] = 17.5;
    s.components = 2, s.peaks = 3, s.islands = 4;
    s.host[0] = (rg_candidate){ 150.101, -0.251, 0.3, 1234.5, 20, 0.75 };
    s.no_host = 0.2, s.flags = RG_FLAG_EDGE | RG_FLAG_NOT_JY;
    return s;
}

/* Of n sources: the first measured, the second known by its box alone and drawn by
 * hand, and so on by turns. */
static rg_catalogue *made(int n)
{
    rg_catalogue *c = NULL;
    rg_image *image;
    rg_sky *sky;
    rg_provenance from = { .checksum = 0x1a2b, .unit = "Jy/beam", .model = "0badcafe",
                           .weights = "my \"model\".fits", .method = "D1",
                           .version = "0.1.0" };
    rg_source *sources = calloc((size_t)n + 1, sizeof *sources);
    rg_moc *area;
    strcpy(from.file, hostile);
    CHECK_OK(rg_sky_new_tangent(&sky, 150.1, -0.25, 64, 1.8));
    CHECK_OK(rg_image_new(&image, 64, 64, sky));
    for (int i = 0; i < 64 * 64; i++) image->pixels[i] = 1;
    for (int i = 0; i < n; i++) {
        sources[i] = measured(i);
        rg_detection box = sources[i].box;
        box.probability = NAN, box.second = 0;
        if (i % 2) rg_catalogue_unmeasured(&box, &sources[i]);
        if (i % 2) sources[i].flags = RG_FLAG_BY_HAND;
    }
    CHECK_OK(rg_catalogue_new(&c, "--threshold=0.8 --note=\"<&>\""));
    CHECK_OK(rg_moc_new(&area, image, NULL));
    CHECK_OK(rg_catalogue_add(c, sources, n, &from, area));
    rg_moc_free(area);
    rg_image_free(image);
    free(sources);
    return c;
}

static void write_all(const rg_catalogue *c, const char *stem)
{
    for (int i = 0; i < FORMATS; i++) {
        char path[256];
        const rg_format *format;
        snprintf(path, sizeof path, "%s.%s", stem, endings[i]);
        CHECK_OK(rg_format_find(path, NULL, &format));
        FILE *file = fopen(path, "w");
        CHECK(file != NULL);
        if (file == NULL) return;
        CHECK_OK(rg_catalogue_write(c, format, file));
        CHECK(fclose(file) == 0);
    }
}

static void catalogue_says_what_is_known(void)
{
    rg_catalogue *c = made(2);
    rg_ledger *l = NULL;
    char room[RG_LEDGER_ROOM];
    static const struct { const char *column, *first, *second; } wanted[] = {
        { "name", "RGCL J100024.0-001500", "RGCL J100024.0-001500" },
        { "RA", "150.1000000", "150.1000000" }, { "RA_error", "0.125", "" },
        { "xmin", "10.500", "10.500" }, { "class", "2C_3P", "2C_3P" },
        { "probability", "0.931200", "" }, { "second_class", "2C_2P", "" },
        { "second_probability", "0.050000", "" }, { "box_angle", "350.250", "350.250" },
        { "tight_xmax", "17.500", "" }, { "tight_xmin", "", "" },
        { "peaks", "3", "0" }, { "flux", "3.14159e-05", "" },
        { "flux_error", "2e+10", "" },
        { "pa", "179.999", "" }, { "host_probability", "0.750000", "" },
        { "host2_ra", "", "" }, { "no_host_probability", "0.200000", "" },
        { "flags", "132", "1" }, { "checksum", "00001a2b", "00001a2b" },
        { "file", hostile_clean, hostile_clean },
    };
    CHECK_OK(rg_catalogue_ledger(c, &l));
    for (size_t i = 0; l && i < sizeof wanted / sizeof *wanted; i++) {
        const rg_ledger_column *column = rg_ledger_find(l, wanted[i].column);
        CHECK(column && !strcmp(rg_ledger_text(column, 0, room), wanted[i].first));
        CHECK(column && !strcmp(rg_ledger_text(column, 1, room), wanted[i].second));
        if (check_failed_) printf("column %s is %s\n", wanted[i].column, room);
    }
    CHECK(l && !strcmp(l->facts[2].value, "my \"model\".fits"));
    CHECK(l && !strcmp(l->facts[6].name, "area"));
    if (l) CHECK_NEAR(atof(l->facts[6].value), pow(64 * 1.8 / 3600, 2), 1e-4);
    rg_ledger_free(l);
    rg_catalogue_free(c);
}

/* Columns with units, UCDs and cells are what they were, but for what a format leaves
 * out: FITS has ASCII, texts are rounded, CSV and TSV know no units. */
static void check_same(const rg_ledger *a, const rg_ledger *b, bool fits, bool units)
{
    char room[2][RG_LEDGER_ROOM];
    CHECK(a->rows == b->rows && a->ncolumns <= b->ncolumns);
    for (int i = 0; i < a->ncolumns && i < b->ncolumns; i++) {
        rg_ledger_column p = a->columns[i], q = b->columns[i];
        CHECK(strcmp(p.name, q.name) == 0);
        CHECK(!units || (!strcmp(p.unit, q.unit) && !strcmp(p.ucd, q.ucd)));
        q.format = p.format;
        for (int k = 0; k < a->rows && k < b->rows; k++) {
            const char *x = rg_ledger_text(&p, k, room[0]);
            const char *y = rg_ledger_text(&q, k, room[1]);
            if (fits && strcmp(p.name, "file") == 0) x = hostile_ascii;
            if (strcmp(x, y) == 0) continue;
            CHECK_NEAR(strtod(y, NULL), strtod(x, NULL), 0);
            if (!(*x && *y && p.kind != RG_LEDGER_TEXT))
                printf("row %d of %s: \"%s\", not \"%s\"\n", k, p.name, y, x);
            CHECK(*x && *y && p.kind != RG_LEDGER_TEXT);
        }
    }
}

static void formats_come_back(void)
{
    char stem[] = "/tmp/claranXXXXXX", path[64];
    if (mkdtemp(stem) == NULL) CHECK_SKIP("no folder can be made");
    for (int n = 0; n < 5; n += 4) {
        rg_catalogue *c = made(n);
        rg_ledger *was = NULL, *is;
        snprintf(path, sizeof path, "%s/cat", stem);
        write_all(c, path);
        CHECK_OK(rg_catalogue_ledger(c, &was));
        for (int i = 0; i < 5; i++) {
            const rg_format *format;
            snprintf(path, sizeof path, "%s/cat.%s", stem, endings[i]);
            CHECK_OK(rg_format_find(path, NULL, &format));
            CHECK_OK(format->read(path, &is));
            if (is) check_same(was, is, i == 0, i < 2);
            rg_ledger_free(is);
        }
        for (int i = 0; i < FORMATS; i++) {
            snprintf(path, sizeof path, "%s/cat.%s", stem, endings[i]);
            CHECK(unlink(path) == 0);
        }
        rg_ledger_free(was);
        rg_catalogue_free(c);
    }
    rmdir(stem);
}

static void json_is_json(void)
{
    rg_catalogue *c = made(2);
    char *text = NULL;
    size_t size;
    json_error_t problem;
    FILE *file = open_memstream(&text, &size);
    CHECK_OK(rg_catalogue_write(c, &rg_format_json, file));
    fclose(file);
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    json_t *row = json_array_get(json_object_get(all, "rows"), 0);
    CHECK_NEAR(json_number_value(json_object_get(row, "RA")), 150.1, 1e-12);
    CHECK(json_is_null(json_object_get(row, "host2_ra")));
    json_t *other = json_array_get(json_object_get(all, "rows"), 1);
    CHECK(json_is_null(json_object_get(other, "second_class")));
    const char *name = json_string_value(json_object_get(row, "file"));
    CHECK(name && strcmp(name, hostile_clean) == 0);
    const char *options = json_string_value(
        json_object_get(json_object_get(all, "claran"), "options"));
    CHECK(options && strcmp(options, "--threshold=0.8 --note=\"<&>\"") == 0);
    json_decref(all);
    free(text);
    rg_catalogue_free(c);
}

/* In a region file the file's name, whatever it is, stays within its comment. */
static void regions_come_back(void)
{
    rg_catalogue *c = made(2);
    char *text = NULL;
    size_t size;
    rg_source *found = NULL;
    rg_provenance from = { .file = "" };
    int n = 0;
    FILE *file = open_memstream(&text, &size);
    CHECK_OK(rg_catalogue_write(c, &rg_format_region, file));
    fclose(file);
    CHECK_OK(rg_region_parse(text, &found, &n, &from));
    CHECK(n == 2 && found[0].flags == 0 && found[1].flags == RG_FLAG_BY_HAND);
    CHECK(n == 2 && isnan(found[1].box.probability) && found[1].box.class_ == 5);
    CHECK(strstr(text, hostile_clean) != NULL && from.checksum == 0x1a2b);
    free(found);
    free(text);
    rg_catalogue_free(c);
}

static void format_is_told_by_name(void)
{
    const rg_format *format;
    CHECK_OK(rg_format_find("a/b.x/cat.MOC.fits", NULL, &format));
    CHECK(format == &rg_format_moc);
    CHECK_OK(rg_format_find("moc.fits", "auto", &format));
    CHECK(format == &rg_format_fits);
    CHECK_OK(rg_format_find("cat.xml", NULL, &format));
    CHECK(format == &rg_format_votable);
    CHECK_OK(rg_format_find("cat.xml", "ECSV", &format));
    CHECK(format == &rg_format_ecsv);
    CHECK_OK(rg_format_find("-", NULL, &format));
    CHECK(format == &rg_format_csv);
    CHECK_FAILS(rg_format_find("cat.txt", NULL, &format), "must end in .fits, .vot");
    CHECK_FAILS(rg_format_find(".fits", NULL, &format), "must end in");
    CHECK_FAILS(rg_format_find("a.b/fits", NULL, &format), "must end in");
    CHECK_FAILS(rg_format_find("x", "cake", &format), "fits, votable, csv");
}

#ifdef __SANITIZE_ADDRESS__
#define SECONDS 60.0
#else
#define SECONDS 10.0
#endif

static void ten_thousand_are_quick(void)
{
    char stem[] = "/tmp/claranXXXXXX", path[64];
    if (getenv("RG_RUNNER") != NULL) CHECK_SKIP("not with valgrind, which is slow");
    if (mkdtemp(stem) == NULL) CHECK_SKIP("no folder can be made");
    rg_catalogue *c = made(10000);
    snprintf(path, sizeof path, "%s/cat", stem);
    clock_t before = clock();
    write_all(c, path);
    double took = (double)(clock() - before) / CLOCKS_PER_SEC;
    printf("10,000 sources in %d formats: %.2f s of one processor\n", FORMATS, took);
    CHECK(took < SECONDS);
    for (int i = 0; i < FORMATS; i++) {
        snprintf(path, sizeof path, "%s/cat.%s", stem, endings[i]);
        CHECK(unlink(path) == 0);
    }
    rmdir(stem);
    rg_catalogue_free(c);
}

static void put_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    CHECK(file != NULL);
    if (file == NULL) return;
    fputs(text, file);
    fclose(file);
}

/* Tables of others: nulls, marks at the beginning, codes that look like numbers, quotes
 * over lines, whole numbers beyond those of a double. */
static void tables_of_others_are_read(void)
{
    static const char votable[] =
        "<VOTABLE xmlns='v'><RESOURCE><TABLE><DESCRIPTION>x</DESCRIPTION>"
        "<FIELD name='n' datatype='int'><VALUES null='-9'/></FIELD>"
        "<FIELD name='x' datatype='float' unit='deg' ucd='pos.eq.ra'/>"
        "<FIELD name='v' datatype='double' arraysize='2'/>"
        "<DATA><TABLEDATA><TR><TD>-9</TD><TD>NaN</TD><TD>1 2</TD></TR>"
        "<TR><TD>4</TD><TD/><TD/></TR><TR><TD> 5 </TD><TD>1e3</TD></TR></TABLEDATA>"
        "</DATA>"
        "</TABLE><TABLE><FIELD name='other'/></TABLE></RESOURCE></VOTABLE>";
    static const char csv[] =
        "\xef\xbb\xbfid,code,x,t\r\n9007199254740993,007,1e3,\"a\r\n"
        "\"\"b\"\r\n\r\n,010,,c\r\n";
    char stem[] = "/tmp/claranXXXXXX", path[64], room[RG_LEDGER_ROOM];
    rg_ledger *l = NULL;
    if (mkdtemp(stem) == NULL) CHECK_SKIP("no folder can be made");
    snprintf(path, sizeof path, "%s/a.vot", stem);
    put_file(path, votable);
    CHECK_OK(rg_format_votable.read(path, &l));
    if (l == NULL) return;
    CHECK(l->rows == 3 && l->ncolumns == 3 && !strcmp(l->columns[1].unit, "deg"));
    CHECK(l->columns[0].cell.whole[0] == RG_LEDGER_NONE);
    CHECK(l->columns[0].cell.whole[2] == 5 && isnan(l->columns[1].cell.real[0]));
    CHECK(isnan(l->columns[1].cell.real[1]) && l->columns[1].cell.real[2] == 1000);
    CHECK(!strcmp(rg_ledger_text(&l->columns[2], 0, room), "1 2"));
    rg_ledger_free(l);
    unlink(path);
    snprintf(path, sizeof path, "%s/a.csv", stem);
    put_file(path, csv);
    CHECK_OK(rg_format_csv.read(path, &l));
    if (l == NULL) return;
    CHECK(l->rows == 2 && l->ncolumns == 4 && !strcmp(l->columns[0].name, "id"));
    CHECK(l->columns[0].cell.whole[0] == INT64_C(9007199254740993));
    CHECK(!strcmp(rg_ledger_text(&l->columns[1], 0, room), "007"));
    CHECK(l->columns[2].cell.real[0] == 1000 && isnan(l->columns[2].cell.real[1]));
    CHECK(!strcmp(rg_ledger_text(&l->columns[3], 0, room), "a%0D%0A\"b"));
    rg_ledger_free(l);
    unlink(path);
    rmdir(stem);
}

/* Reals without a format of their own lose nothing, and are not longer than need be. */
static void digits_are_kept(void)
{
    static const struct { double value; const char *text; } wanted[] = {
        { 0.1, "0.1" }, { 2456789.123456, "2456789.123456" }, { 1e300, "1e+300" },
        { 0.1 + 0.2, "0.30000000000000004" }, { 123456789012345, "123456789012345" },
        { -2.5e-300, "-2.5e-300" }, { NAN, "" },
    };
    static const rg_format *const formats[] = { &rg_format_csv, &rg_format_ecsv,
        &rg_format_tsv, &rg_format_votable, &rg_format_fits };
    enum { ROWS = sizeof wanted / sizeof *wanted };
    char path[] = "/tmp/claranXXXXXX", room[RG_LEDGER_ROOM];
    rg_ledger *l, *is;
    close(mkstemp(path));
    CHECK_OK(rg_ledger_new(&l, ROWS));
    CHECK(rg_ledger_add(l, "hjd", RG_LEDGER_REAL) != NULL);
    CHECK(rg_ledger_add(l, "row", RG_LEDGER_WHOLE) != NULL);
    for (int i = 0; i < ROWS; i++) {
        l->columns[0].cell.real[i] = wanted[i].value;
        l->columns[1].cell.whole[i] = i;
        CHECK(!strcmp(rg_ledger_text(&l->columns[0], i, room), wanted[i].text));
    }
    for (int k = 0; k < 5; k++) {
        FILE *file = fopen(path, "w");
        CHECK_OK(formats[k]->write(l, file));
        fclose(file);
        CHECK_OK(formats[k]->read(path, &is));
        for (int i = 0; is && i < ROWS - 1; i++)
            CHECK_NEAR(is->columns[0].cell.real[i], wanted[i].value, 0);
        rg_ledger_free(is);
    }
    unlink(path);
    rg_ledger_free(l);
}

/* Lines of dashes alone are no rows; a row that begins with dashes is one. */
static void rows_may_begin_with_dashes(void)
{
    char path[] = "/tmp/claranXXXXXX", room[RG_LEDGER_ROOM];
    rg_ledger *l = NULL;
    close(mkstemp(path));
    put_file(path, "name\tx\r\n----\t --\r\n--\t1\n--a\t2\n--b-\t\n---\t---");
    CHECK_OK(rg_format_tsv.read(path, &l));
    if (l == NULL) return;
    CHECK(l->rows == 3 && l->columns[1].kind == RG_LEDGER_WHOLE);
    CHECK(l->rows == 3 && !strcmp(rg_ledger_text(&l->columns[0], 0, room), "--"));
    CHECK(l->rows == 3 && !strcmp(rg_ledger_text(&l->columns[0], 2, room), "--b-"));
    rg_ledger_free(l);
    unlink(path);
}

/* TSCALn makes degrees of whole numbers; TZEROn without it leaves them whole. */
static void scaled_columns_are_real(void)
{
    char *names[] = { "RA", "id", "n" }, *forms[] = { "1J", "1J", "1K" };
    char stem[] = "/tmp/claranXXXXXX", path[64];
    int cells[] = { 150123456, 5 }, status = 0;
    fitsfile *fits;
    rg_ledger *l = NULL;
    if (mkdtemp(stem) == NULL) CHECK_SKIP("no folder can be made");
    snprintf(path, sizeof path, "%s/a.fits", stem);
    fits_create_file(&fits, path, &status);
    fits_create_tbl(fits, BINARY_TBL, 0, 3, names, forms, NULL, "T", &status);
    for (int i = 1; i <= 3; i++)
        fits_write_col(fits, TINT, i, 1, 1, 2, cells, &status);
    fits_write_key_dbl(fits, "TSCAL1", 1e-6, 6, "", &status);
    fits_write_key_dbl(fits, "TZERO2", 2147483648.0, 12, "", &status);
    fits_write_key_lng(fits, "TNULL1", 5, "", &status);
    CHECK(fits_close_file(fits, &status) == 0);
    CHECK_OK(rg_format_fits.read(path, &l));
    if (l == NULL) return;
    CHECK(l->columns[0].kind == RG_LEDGER_REAL && l->columns[1].kind == RG_LEDGER_WHOLE
          && l->columns[2].kind == RG_LEDGER_WHOLE);
    CHECK_NEAR(l->columns[0].cell.real[0], 150.123456, 1e-9);
    CHECK(isnan(l->columns[0].cell.real[1]));
    CHECK(l->columns[1].cell.whole[1] == INT64_C(2147483653));
    CHECK(l->columns[2].cell.whole[0] == 150123456);
    rg_ledger_free(l);
    unlink(path);
    rmdir(stem);
}

/* Files that are none, cut or damaged: a sentence with their name. */
static void refuse(const char *name, const char *text, const char *words)
{
    const rg_format *format;
    rg_ledger *l;
    put_file(name, text);
    CHECK_OK(rg_format_find(name, NULL, &format));
    CHECK_FAILS(format->read(name, &l), words);
    CHECK(strstr(rg_error_message(), name) != NULL);
    unlink(name);
}

static void reading_refuses_damage(void)
{
    char stem[] = "/tmp/claranXXXXXX", path[5][64];
    if (mkdtemp(stem) == NULL) CHECK_SKIP("no folder can be made");
    for (int i = 0; i < 5; i++)
        snprintf(path[i], sizeof path[i], "%s/bad.%s", stem, endings[i]);
    refuse(path[0], "SIMPLE", "is no FITS file");
    refuse(path[1], "<VOTABLE><RESOURCE>", "line 1");
    refuse(path[1], "", "line");
    refuse(path[1], "<VOTABLE></VOTABLE>", "no table");
    refuse(path[1], "<TABLE><FIELD name='a'/><DATA><BINARY2/></DATA></TABLE>",
           "BINARY2");
    refuse(path[1], "<TABLE><FIELD name='a'/><TR><TD>1</TD><TD/></TR></TABLE>",
           "more cells");
    refuse(path[1],
           "<TABLE><FIELD name='a' datatype='int'/><TR><TD>x</TD></TR></TABLE>",
           "not a whole number");
    refuse(path[2], "", "empty");
    refuse(path[2], "# only\n", "column names");
    refuse(path[2], "a,b\n1\n", "row 1 has 1 cells");
    refuse(path[3], "a,b\n1,2,3\n", "row 1 has 3 cells");
    rmdir(stem);
}

int main(int argc, char **argv)
{
    if (argc == 3) {          /* N STEM: for test_formats.sh */
        rg_catalogue *c = made(atoi(argv[1]));
        write_all(c, argv[2]);
        rg_catalogue_free(c);
        return check_failed_;
    }
    CHECK_RUN(catalogue_says_what_is_known);
    CHECK_RUN(formats_come_back);
    CHECK_RUN(json_is_json);
    CHECK_RUN(regions_come_back);
    CHECK_RUN(format_is_told_by_name);
    CHECK_RUN(ten_thousand_are_quick);
    CHECK_RUN(tables_of_others_are_read);
    CHECK_RUN(digits_are_kept);
    CHECK_RUN(rows_may_begin_with_dashes);
    CHECK_RUN(scaled_columns_are_real);
    CHECK_RUN(reading_refuses_damage);
    return CHECK_END();
}

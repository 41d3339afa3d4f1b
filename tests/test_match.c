/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include "core/image/sky.h"
#include "regions/match.h"

/* Positions as `names`, and a text for each row. */
static rg_ledger *table(const char *ra, const char *dec, const double (*at)[2], int n)
{
    rg_ledger *made;
    CHECK_OK(rg_ledger_new(&made, n));
    rg_ledger_column *id = rg_ledger_add(made, "name", RG_LEDGER_TEXT);
    for (int i = 0; i < n; i++) {
        char text[8];
        snprintf(text, sizeof text, "s%d", i);
        CHECK_OK(rg_ledger_put(id, i, text));
    }
    for (int k = 0; k < 2; k++) {
        rg_ledger_column *c = rg_ledger_add(made, k ? dec : ra, RG_LEDGER_REAL);
        for (int i = 0; i < n; i++) c->cell.real[i] = at[i][k];
    }
    return made;
}

#define S (1 / 3600.0)
static const double ours[][2] = {
    { 0, 60 }, { 10, -45 }, { 359.9999, 0 }, { 80, 89.9999 }, { NAN, NAN },
    { 0, 60 + 3 * S }
};
static const double theirs[][2] = {
    { 10, -45 + 2 * S }, { 2 * S / 0.5, 60 }, { 0.0001, 0 }, { 260, 89.9999 },
    { 10 + 4 * S, -45 }, { 200, 0 }
};

/* Radio Galaxy Zoo has a list of components: their middle, also about 0 h. */
static void lists_of_components_have_a_middle(void)
{
    static const double at[][2] = { { 0.0001, 60 }, { 10, -45 } };
    static const char *const texts[2][2] = {
        { "359.9999;0.0001;0.0003", "10" }, { "60.001;60;59.999", "-45" },
    };
    rg_ledger *a = table("RA", "DEC", at, 2), *b, *joined = NULL;
    const rg_matching how = { .radius = 0.01 };
    int matched;
    CHECK_OK(rg_ledger_new(&b, 2));
    for (int k = 0; k < 2; k++) {
        rg_ledger_column *c = rg_ledger_add(b, k ? "cpnts_decs" : "cpnts_ras",
                                            RG_LEDGER_TEXT);
        for (int i = 0; i < 2; i++) CHECK_OK(rg_ledger_put(c, i, texts[k][i]));
    }
    CHECK_OK(rg_match(a, b, &how, &joined, &matched));
    CHECK(matched == 2);
    rg_ledger_free(joined);
    rg_ledger_free(a);
    rg_ledger_free(b);
}

/* Found by tests/fuzz: a line of commas made columns that took minutes to be named,
 * and then had names twice. */
static void thousands_of_nameless_columns_are_joined(void)
{
    enum { EACH = 3000 };
    rg_ledger *a = table("ra", "dec", ours, 2), *joined = NULL;
    const rg_matching how = { .radius = 5 };
    int matched;
    for (int i = 0; i < EACH; i++)
        CHECK(rg_ledger_add(a, "", RG_LEDGER_WHOLE) != NULL);
    CHECK_OK(rg_match(a, a, &how, &joined, &matched));
    char name[16];
    snprintf(name, sizeof name, "_%d", 2 * EACH);
    CHECK(rg_ledger_find(joined, name) == &joined->columns[joined->ncolumns - 1]);
    while (a->ncolumns < RG_LEDGER_COLUMNS && rg_ledger_add(a, "", RG_LEDGER_WHOLE)) { }
    CHECK_FAILS(rg_ledger_add(a, "", RG_LEDGER_WHOLE) == NULL, "more than 10000");
    rg_ledger_free(joined);
    rg_ledger_free(a);
}

static void nearest_is_found(void)
{
    static const struct { int row, matches, best; double apart, angle; } wanted[] = {
        { 2, 1, 1, 2, 90 }, { 1, 2, 1, 2, 0 }, { 3, 1, 1, 0.72, 90 },
        { 4, 1, 1, 0.72, 0 }, { 0, 0, 0, NAN, NAN }, { 2, 1, 0, 3.605551, 146.31 },
    };
    rg_ledger *a = table("RA", "DEC", ours, 6);
    rg_ledger *b = table("ra_deg", "DEJ2000", theirs, 6);
    rg_ledger *joined = NULL;
    const rg_matching how = { .radius = 4 };
    int matched;
    CHECK_OK(rg_match(a, b, &how, &joined, &matched));
    CHECK(matched == 5 && joined->rows == 6);
    for (int i = 0; joined && i < 6; i++) {
        double apart = rg_ledger_find(joined, "separation")->cell.real[i];
        double angle = rg_ledger_find(joined, "position_angle")->cell.real[i];
        CHECK(rg_ledger_find(joined, "matches")->cell.whole[i] == wanted[i].matches);
        if (wanted[i].row == 0) {
            CHECK(rg_ledger_find(joined, "match_row")->cell.whole[i] == RG_LEDGER_NONE);
            CHECK(isnan(apart) && isnan(angle));
            CHECK(rg_ledger_find(joined, "name_2")->cell.text[i] == NULL);
            continue;
        }
        CHECK(rg_ledger_find(joined, "match_row")->cell.whole[i] == wanted[i].row);
        CHECK(rg_ledger_find(joined, "best")->cell.whole[i] == wanted[i].best);
        CHECK_NEAR(apart, wanted[i].apart, 1e-3);
        if (i != 3) CHECK_NEAR(angle, wanted[i].angle, 0.01);
        const char *name = rg_ledger_find(joined, "name_2")->cell.text[i];
        CHECK(name && atoi(name + 1) == wanted[i].row - 1);
        CHECK(rg_ledger_find(joined, "ra_deg")->cell.real[i]
              == theirs[wanted[i].row - 1][0]);
    }
    rg_ledger_free(joined);
    rg_ledger_free(a);
    rg_ledger_free(b);
}

/* The fast search finds what looking at all pairs finds. */
static void search_is_complete(void)
{
    enum { N = 400 };
    double a[N][2], b[N][2];
    for (int i = 0; i < N; i++) {
        a[i][0] = fmod(i * 137.50776, 2), a[i][1] = fmod(i * 0.70711, 2) - 1;
        b[i][0] = fmod(i * 73.17, 2), b[i][1] = fmod(i * 0.31337, 2) - 1;
    }
    rg_ledger *ta = table("ra", "dec", a, N), *tb = table("ra", "dec", b, N);
    rg_ledger *joined = NULL;
    const rg_matching how = { .radius = 300 };
    int matched, some = 0;
    CHECK_OK(rg_match(ta, tb, &how, &joined, &matched));
    for (int i = 0; joined && i < N; i++) {
        double least = INFINITY;
        int within = 0;
        for (int k = 0; k < N; k++) {
            double apart = rg_sky_separation(a[i][0], a[i][1], b[k][0], b[k][1]);
            within += apart <= 300;
            least = fmin(least, apart);
        }
        some += within > 0;
        CHECK(rg_ledger_find(joined, "matches")->cell.whole[i] == within);
        if (within > 0)
            CHECK_NEAR(rg_ledger_find(joined, "separation")->cell.real[i], least, 1e-9);
    }
    CHECK(matched == some && some > 50 && some < N);
    rg_ledger_free(joined);
    rg_ledger_free(ta);
    rg_ledger_free(tb);
}

/* What was matched before has columns and facts of the names that are added. */
static void added_names_are_new(void)
{
    rg_ledger *a = table("RA", "DEC", ours, 2), *b = table("x", "matches", theirs, 2);
    rg_ledger *once = NULL, *twice = NULL;
    const rg_matching how = { .radius = 4, .ra = "x", .dec = "matches" };
    int matched;
    CHECK(rg_ledger_add(a, "Match_Row", RG_LEDGER_TEXT) != NULL);
    CHECK(rg_ledger_add(a, "creator", RG_LEDGER_TEXT) != NULL);
    CHECK_OK(rg_match(a, b, &how, &once, &matched));
    CHECK_OK(rg_match(once, b, &how, &twice, &matched));
    CHECK_OK(rg_ledger_state(twice, "creator", "", "", ""));
    CHECK_OK(rg_ledger_state(twice, "creator", "", "", ""));
    for (int i = 0; i < twice->ncolumns; i++)
        CHECK(rg_ledger_find(twice, twice->columns[i].name) == &twice->columns[i]);
    CHECK(twice->columns[once->ncolumns + RG_MATCH_ROW].cell.whole[1] == 1);
    CHECK(!strcmp(twice->columns[a->ncolumns + RG_MATCH_ROW].name, "match_row_2"));
    CHECK(!strcmp(twice->columns[once->ncolumns + RG_MATCH_ROW].name, "match_row_3"));
    CHECK(!strcmp(twice->facts[0].name, "creator_2"));
    CHECK(!strcmp(twice->facts[1].name, "creator_3"));
    rg_ledger_free(a);
    rg_ledger_free(b);
    rg_ledger_free(once);
    rg_ledger_free(twice);
}

static void positions_are_told_by_ucd(void)
{
    rg_ledger *a = table("x", "y", ours, 1), *b = table("ra", "dec", ours, 1), *joined;
    rg_matching how = { .radius = 1 };
    int matched;
    CHECK_FAILS(rg_match(a, b, &how, &joined, &matched), "first table: no column");
    CHECK_FAILS(rg_match(b, a, &how, &joined, &matched), "second table (--ra");
    how.ra = "x", how.dec = "y";
    CHECK_OK(rg_match(b, a, &how, &joined, &matched));
    CHECK(matched == 1);
    rg_ledger_free(joined);
    how.dec = "name";
    CHECK_FAILS(rg_match(b, a, &how, &joined, &matched), "which is no angle");
    how.ra = how.dec = NULL;
    CHECK_OK(rg_ledger_describe(rg_ledger_find(a, "x"), "", "pos.eq.ra;meta.main", ""));
    CHECK_OK(rg_ledger_describe(rg_ledger_find(a, "y"), "deg", "pos.eq.dec", ""));
    CHECK_OK(rg_match(b, a, &how, &joined, &matched));
    CHECK(matched == 1 && !strcmp(rg_ledger_find(joined, "x")->ucd, "pos.eq.ra"));
    rg_ledger_free(joined);
    rg_ledger_find(a, "y")->cell.real[0] = 91;
    CHECK_FAILS(rg_match(b, a, &how, &joined, &matched), "no position in degrees");
    rg_ledger_free(a);
    rg_ledger_free(b);
}

/* Radians within a radius of degrees would be matches of nothing. */
static void other_units_are_refused(void)
{
    static const char *const good[] = { "", "deg", "Degrees", "\u00b0" };
    static const char *const bad[] = { "rad", "hourangle", "arcsec", "h:m:s", "mdeg" };
    rg_ledger *a = table("RA", "DEC", ours, 1), *b = table("RA", "DEC", ours, 1);
    rg_ledger *joined;
    rg_matching how = { .radius = 1, .names = { "a.vot", "b.vot" } };
    rg_ledger_column *dec = rg_ledger_find(b, "DEC");
    int matched;
    for (int i = 0; i < 4; i++) {
        CHECK_OK(rg_ledger_describe(dec, good[i], "pos.eq.dec", ""));
        CHECK_OK(rg_match(a, b, &how, &joined, &matched));
        CHECK(matched == 1);
        rg_ledger_free(joined);
    }
    for (int i = 0; i < 5; i++) {
        char words[64];
        snprintf(words, sizeof words, "DEC is in \"%s\", not in degrees", bad[i]);
        CHECK_OK(rg_ledger_describe(dec, bad[i], i % 2 ? "pos.eq.dec" : "", ""));
        how.ra = i < 3 ? NULL : "RA", how.dec = i < 3 ? NULL : "DEC";
        CHECK_FAILS(rg_match(a, b, &how, &joined, &matched), words);
        CHECK(strstr(rg_error_message(), "b.vot (--ra and --dec name its") != NULL);
        CHECK_FAILS(rg_match(b, a, &how, &joined, &matched), words);
        CHECK(strstr(rg_error_message(), "a.vot: column DEC") != NULL);
    }
    rg_ledger_free(a);
    rg_ledger_free(b);
}

int main(void)
{
    CHECK_RUN(lists_of_components_have_a_middle);
    CHECK_RUN(thousands_of_nameless_columns_are_joined);
    CHECK_RUN(nearest_is_found);
    CHECK_RUN(search_is_complete);
    CHECK_RUN(added_names_are_new);
    CHECK_RUN(positions_are_told_by_ucd);
    CHECK_RUN(other_units_are_refused);
    return CHECK_END();
}

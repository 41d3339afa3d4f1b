/* SPDX-License-Identifier: MIT */
#include "tests/check.h"

#include <locale.h>

#include "core/evaluation/chart.h"

static char svg[1 << 20];

static int draw(const rg_chart *chart, int width, int height)
{
    FILE *file = tmpfile();
    if (file == NULL) return RG_FAIL("no temporary file");
    int status = rg_chart_svg(chart, width, height, file);
    rewind(file);
    svg[fread(svg, 1, sizeof svg - 1, file)] = '\0';
    fclose(file);
    return status;
}

static int count(const char *word)
{
    int n = 0;
    for (const char *at = svg; (at = strstr(at, word)) != NULL; at++) n++;
    return n;
}

/* Every tag is closed by its own name, and outside tags no bare <, > or & stands. */
static int well_formed(void)
{
    const char *open[64];
    int depth = 0;
    for (const char *c = svg; *c; c++) {
        if (*c == '>') return 0;
        if (*c == '&') {
            const char *end = strchr(c, ';');
            if (end == NULL || end - c > 5) return 0;
        }
        if (*c != '<') continue;
        const char *name = c + 1, *end = strchr(c, '>');
        if (end == NULL) return 0;
        if (*name == '/') {
            size_t length = (size_t)(end - name - 1);
            if (depth == 0 || strncmp(open[--depth], name + 1, length) != 0) return 0;
        } else if (end[-1] != '/') {
            if (depth == 64) return 0;
            open[depth++] = name;
        }
        c = end;
    }
    return depth == 0;
}

static void a_line_lies_on_its_axes(void)
{
    const double x[] = { 0, 50, 100 }, y[] = { 0, 0.5, 1 };
    const rg_chart_line line = { "one", x, y, .n = 3 };
    rg_chart chart = { .title = "T", .x = "step", .y = "loss", .lines = &line,
                       .nlines = 1, .x_to = 100, .y_to = 1 };
    double a[6], left, top, width, height;
    CHECK_OK(draw(&chart, 500, 300));
    CHECK(well_formed());
    const char *inner = strstr(svg + 1, "<svg"), *path = inner ? strchr(inner, 'M') : 0;
    CHECK(path != NULL);
    if (path == NULL) return;
    CHECK(sscanf(inner, "<svg x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"", &left,
                 &top, &width, &height) == 4);
    CHECK(sscanf(path, "M%lf %lfL%lf %lfL%lf %lf", a, a + 1, a + 2, a + 3, a + 4, a + 5)
          == 6);
    CHECK_NEAR(a[0], 0, 0.06);
    CHECK_NEAR(a[1], height, 0.06);
    CHECK_NEAR(a[2], width / 2, 0.06);
    CHECK_NEAR(a[3], height / 2, 0.06);
    CHECK_NEAR(a[4], width, 0.06);
    CHECK_NEAR(a[5], 0, 0.06);
    CHECK(left > 40 && left + width < 500 && top > 10 && top + height < 300);
}

static void ticks_are_round(void)
{
    const double x[] = { 3, 80000 }, y[] = { 0.0134, 0.0377 };
    const rg_chart_line line = { "one", x, y, .n = 2 };
    rg_chart chart = { .lines = &line, .nlines = 1 };
    CHECK_OK(draw(&chart, 600, 400));
    CHECK(strstr(svg, ">20000<") && strstr(svg, ">80000<") && strstr(svg, ">0.020<"));
    CHECK(!strstr(svg, "e+") && !strstr(svg, ">-0<"));
    chart.log_x = chart.log_y = true;
    chart.y_from = 0.004;
    chart.y_to = 0.3;
    CHECK_OK(draw(&chart, 600, 400));
    CHECK(strstr(svg, ">100<") && strstr(svg, ">10000<") && strstr(svg, ">0.02<"));
    CHECK(!strstr(svg, ">20000<"));
}

static void what_is_no_number_is_left_out(void)
{
    const double x[] = { 1, 2, 3, 4, INFINITY }, y[] = { 1, NAN, 2, 1, 7 };
    const rg_chart_line line = { "a", x, y, y, y, .n = 5 };
    rg_chart chart = { .lines = &line, .nlines = 1 };
    CHECK_OK(draw(&chart, 400, 300));
    const char *inner = strstr(svg + 1, "<svg"), *path = strstr(inner, "fill=\"none\"");
    CHECK(path != NULL);
    int moves = 0;
    for (; path && path > inner && *path != '<'; path--) moves += *path == 'M';
    CHECK(moves == 2);
    CHECK(!strstr(svg, "nan") && !strstr(svg, "inf"));
    const rg_chart_line nothing = { "a", NULL, NULL, .n = 0 };
    chart.lines = &nothing;
    for (int log = 0; log < 2; log++) {
        chart.log_x = chart.log_y = log;
        CHECK_OK(draw(&chart, 400, 300));
        CHECK(well_formed() && !strstr(svg, "nan"));
    }
}

static void wild_values_draw_too(void)
{
    const double x[] = { -1.7e308, 1e-300, 1.7e308 }, y[] = { 1e-320, 1e300, 1.7e308 };
    const rg_chart_line line = { NULL, x, y, y, y, .n = 3, .style = RG_CHART_BARS };
    rg_chart chart = { .lines = &line, .nlines = 1 };
    for (int logs = 0; logs < 4; logs++) {
        chart.log_x = logs & 1;
        chart.log_y = logs & 2;
        CHECK_OK(draw(&chart, 400, 300));
        CHECK(well_formed() && !strstr(svg, "nan") && !strstr(svg, "inf"));
    }
}

static void texts_are_escaped(void)
{
    const rg_chart_line line = { "a<b & \"c\"", NULL, NULL, .n = 0 };
    rg_chart chart = { .title = "<script>", .x = "\xc2\xb5m \xff\x01|", .lines = &line,
                       .nlines = 1 };
    CHECK_OK(draw(&chart, 400, 300));
    CHECK(well_formed());
    CHECK(strstr(svg, "a&lt;b &amp; &quot;c&quot;") && strstr(svg, "&lt;script&gt;"));
    CHECK(strstr(svg, "\xc2\xb5m ??|"));
}

static void styles_draw_what_they_say(void)
{
    const double x[] = { 0, 1, 2 }, y[] = { 1, 3, 2 };
    const double low[] = { 0.5, 2, 1 }, high[] = { 2, 4, 3 };
    const char *const names[] = { "1C_1P", "1C_2P", "1C_3P" };
    rg_chart_line lines[] = { { NULL, x, y, low, high, 3, RG_CHART_LINE, 0 },
                              { NULL, x, y, .n = 3, .style = RG_CHART_DASHED },
                              { NULL, x, y, .n = 3, .style = RG_CHART_STEPS } };
    rg_chart chart = { .lines = lines, .nlines = 3 };
    CHECK_OK(draw(&chart, 400, 300));
    CHECK(count("fill-opacity=\"0.18\"") == 1 && count("stroke-dasharray") == 1);
    CHECK(count("<circle") == 0);
    lines[0].style = RG_CHART_POINTS;
    lines[1].style = lines[2].style = RG_CHART_BARS;
    chart.names = names;
    chart.nnames = 3;
    CHECK_OK(draw(&chart, 400, 300));
    CHECK(count("<circle") == 3 && count("fill-opacity=\"0.8\"") == 6);
    CHECK(strstr(svg, ">1C_2P</text>"));
}

static void a_decimal_comma_changes_nothing(void)
{
    static char plain[sizeof svg];
    static const char *const with_comma[] = { "de_DE.UTF-8", "fr_FR.UTF-8",
                                              "nl_NL.UTF-8", "pl_PL.UTF-8", "de_DE" };
    const double x[] = { 0.25, 0.75 }, y[] = { 1e-7, 1.5e-6 };
    const rg_chart_line line = { "a", x, y, .n = 2 };
    rg_chart chart = { .lines = &line, .nlines = 1 };
    CHECK_OK(draw(&chart, 400, 300));
    memcpy(plain, svg, sizeof svg);
    const char *set = NULL;
    for (int i = 0; set == NULL && i < 5; i++) set = setlocale(LC_ALL, with_comma[i]);
    if (set == NULL) CHECK_SKIP("no locale with a decimal comma is installed");
    CHECK_OK(draw(&chart, 400, 300));
    setlocale(LC_ALL, "C");
    CHECK(strcmp(plain, svg) == 0);
}

static void bad_figures_are_sentences(void)
{
    rg_chart chart = { .log_x = true, .x_from = -1, .x_to = 10 };
    CHECK_FAILS(draw(&chart, 400, 300), "logarithmic");
    chart.log_x = false;
    CHECK_FAILS(draw(&chart, 100, 300), "100 x 300");
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL) return;
    setvbuf(full, NULL, _IONBF, 0);
    CHECK_FAILS(rg_chart_svg(&chart, 400, 300, full), "cannot be written");
    fclose(full);
}

int main(void)
{
    CHECK_RUN(a_line_lies_on_its_axes);
    CHECK_RUN(ticks_are_round);
    CHECK_RUN(what_is_no_number_is_left_out);
    CHECK_RUN(wild_values_draw_too);
    CHECK_RUN(texts_are_escaped);
    CHECK_RUN(styles_draw_what_they_say);
    CHECK_RUN(a_decimal_comma_changes_nothing);
    CHECK_RUN(bad_figures_are_sentences);
    return CHECK_END();
}

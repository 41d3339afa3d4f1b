/* SPDX-License-Identifier: MIT */
#include "core/evaluation/chart.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "core/engine/error.h"

enum { COLOURS = 7, LETTER = 7, TEXT = 12, SAMPLE = 34, MOST_TICKS = 40 };

static const char *const palette[COLOURS] = { "#0072b2", "#d55e00", "#009e73",
                                              "#cc79a7", "#e69f00", "#56b4e9",
                                              "#000000" };

typedef struct axis {
    double from, to;          /* data */
    double start, length;     /* pixels; y runs up: its length is negative */
    bool log;
    double tick[MOST_TICKS];
    int ticks, decimals;      /* -1: as %g */
} axis;

typedef struct figure {
    const rg_chart *chart;    /* borrowed, as to */
    FILE *to;
    axis x, y;
    double bar;               /* width of all bars at one x [data] */
    int bars;                 /* lines of that style */
} figure;

/* ---- texts ---- */

/* Locales differ in the decimal point only, which may be several bytes. */
static void put_number(FILE *to, double value, int decimals)
{
    char text[400];
    bool point = false;
    if (decimals < 0) snprintf(text, sizeof text, "%.6g", value);
    else snprintf(text, sizeof text, "%.*f", decimals, value);
    for (const char *c = text; *c; c++) {
        bool usual = strchr("0123456789+-e", *c) != NULL;
        if (usual || !point) putc(usual ? *c : '.', to);
        point = !usual;
    }
}

/* Bytes of the UTF-8 character at `c`; 0 when it is none that XML allows. */
static int character(const char *c)
{
    unsigned char first = (unsigned char)*c;
    int length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2
                 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 1 && first < 0x20 && first != '\t' && first != '\n') return 0;
    for (int i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80) return 0;
    return length;
}

static void put_text(FILE *to, const char *text)
{
    for (const char *c = text; *c;) {
        int length = character(c);
        if (length == 0) putc('?', to);
        else if (*c == '&') fputs("&amp;", to);
        else if (*c == '<') fputs("&lt;", to);
        else if (*c == '>') fputs("&gt;", to);
        else if (*c == '"') fputs("&quot;", to);
        else fwrite(c, 1, (size_t)length, to);
        c += length > 0 ? length : 1;
    }
}

static int letters(const char *text)
{
    int n = 0;
    for (; text && *text; text++) n += (*text & 0xc0) != 0x80;
    return n;
}

static void put_attribute(FILE *to, const char *name, double pixels)
{
    fprintf(to, " %s=\"", name);
    put_number(to, pixels, 1);
    putc('"', to);
}

/* `anchor`: start, middle, end; `more`: further attributes. */
static void put_label(FILE *to, double x, double y, const char *anchor,
                      const char *more, const char *text)
{
    fputs("<text", to);
    put_attribute(to, "x", x);
    put_attribute(to, "y", y);
    fprintf(to, " text-anchor=\"%s\"%s>", anchor, more);
    put_text(to, text);
    fputs("</text>\n", to);
}

/* ---- ranges, ticks ---- */

static bool shown(const axis *a, double value)
{
    return isfinite(value) && (!a->log || value > 0);
}

static double place(const axis *a, double value)
{
    double part = a->log ? (log(value) - log(a->from)) / (log(a->to) - log(a->from))
                         : (value - a->from) / (a->to - a->from);
    return a->start + a->length * fmax(-100, fmin(100, part));
}

static void include(axis *a, double value)
{
    if (!shown(a, value)) return;
    a->from = fmin(a->from, value);
    a->to = fmax(a->to, value);
}

/* Some air about what the data take, down to 0 where that is near. */
static void widen(axis *a, double air)
{
    if (!(a->from <= a->to)) a->from = a->log ? 1 : 0, a->to = a->log ? 10 : 1;
    if (a->log) {
        double by = a->from < a->to ? pow(a->to / a->from, air) : 2;
        a->from /= by;
        a->to *= by;
        return;
    }
    double by = a->from < a->to ? air * (a->to - a->from)
                                : fmax(0.1 * fabs(a->to), 1e-9);
    bool to_zero = a->from >= 0 && a->from < 0.3 * a->to;
    a->from = to_zero ? 0 : a->from - by;
    a->to = a->to <= 0 && a->to > 0.3 * a->from ? 0 : a->to + by;
}

/* The range asked for, where one is; in any case one that arithmetic can bear. */
static void settle(axis *a, double air, double from, double to)
{
    if (from < to) a->from = from, a->to = to;
    else widen(a, air);
    a->from = fmax(a->from, a->log ? 1e-300 : -1e300);
    a->to = fmin(a->to, 1e300);
}

/* 1, 2 or 5 times a power of ten, so that about `wanted` steps fill the axis. */
static void tick_evenly(axis *a, double wanted)
{
    double rough = (a->to - a->from) / fmax(wanted, 1);
    double power = pow(10, floor(log10(rough))), m = rough / power;
    double step = power * (m <= 1.0001 ? 1 : m <= 2.0001 ? 2 : m <= 5.0001 ? 5 : 10);
    double large = fmax(fabs(a->from), fabs(a->to));
    int decimals = (int)fmax(0, -floor(log10(step) + 1e-9));
    a->decimals = decimals > 5 || large >= 1e7 ? -1 : decimals;
    for (double i = ceil(a->from / step - 1e-6); a->ticks < MOST_TICKS; i++) {
        if (!(i * step <= a->to + 1e-6 * step)) break;
        a->tick[a->ticks++] = i == 0 ? 0 : i * step;
    }
}

/* Decades, thinned where there are many; 2 and 5 between where there are few. */
static void tick_decades(axis *a, double wanted)
{
    double low = floor(log10(a->from)), span = log10(a->to) - log10(a->from);
    int every = (int)fmax(1, ceil(span / fmax(wanted, 1)));
    static const double digits[] = { 1, 2, 5 };
    a->decimals = -1;
    for (double power = low; power <= log10(a->to) + 1e-4; power += every)
        for (int i = 0; i < (span < 2.5 ? 3 : 1) && a->ticks < MOST_TICKS; i++) {
            double tick = digits[i] * pow(10, power);
            if (tick >= a->from / 1.0001 && tick <= a->to * 1.0001)
                a->tick[a->ticks++] = tick;
        }
}

static void tick(axis *a, double pixels_each)
{
    double wanted = fabs(a->length) / pixels_each;
    if (a->log) tick_decades(a, wanted);
    if (a->log && a->ticks >= 2) return;
    a->ticks = 0;
    tick_evenly(a, wanted);
}

/* The closest two x of any bars; several lines of bars share it. */
static void measure_bars(figure *f)
{
    double least = HUGE_VAL;
    for (int l = 0; l < f->chart->nlines; l++) {
        const rg_chart_line *line = &f->chart->lines[l];
        if (line->style != RG_CHART_BARS) continue;
        f->bars++;
        for (int i = 1; i < line->n; i++)
            if (line->x[i] - line->x[i - 1] > 0)
                least = fmin(least, line->x[i] - line->x[i - 1]);
    }
    f->bar = 0.8 * (isfinite(least) ? least : 1);
}

static void find_ranges(figure *f)
{
    const rg_chart *chart = f->chart;
    f->x.log = chart->log_x;
    f->y.log = chart->log_y;
    f->x.from = f->y.from = HUGE_VAL;
    f->x.to = f->y.to = -HUGE_VAL;
    for (int l = 0; l < chart->nlines; l++) {
        const rg_chart_line *line = &chart->lines[l];
        double half = line->style == RG_CHART_BARS ? f->bar / 1.6 : 0;
        if (line->style == RG_CHART_BARS) include(&f->y, 0);
        for (int i = 0; i < line->n; i++) {
            if (!shown(&f->x, line->x[i]) || !shown(&f->y, line->y[i])) continue;
            include(&f->x, line->x[i] - half);
            include(&f->x, line->x[i] + half);
            include(&f->y, line->y[i]);
            if (line->low) include(&f->y, line->low[i]);
            if (line->high) include(&f->y, line->high[i]);
        }
    }
    settle(&f->x, f->bars > 0 ? 0 : 0.03, chart->x_from, chart->x_to);
    settle(&f->y, 0.06, chart->y_from, chart->y_to);
}

/* ---- drawing ---- */

static int colour_of(const rg_chart *chart, int l)
{
    int given = chart->lines[l].colour;
    return given > 0 ? (given - 1) % COLOURS : l % COLOURS;
}

static void put_stroke(const figure *f, int l)
{
    bool dashed = f->chart->lines[l].style == RG_CHART_DASHED;
    fprintf(f->to, " fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"%s",
            palette[colour_of(f->chart, l)],
            dashed ? " stroke-dasharray=\"6 4\""
                   : l >= COLOURS ? " stroke-dasharray=\"2 2\"" : "");
}

static void put_point(const figure *f, char command, double x, double y)
{
    putc(command, f->to);
    put_number(f->to, x, 1);
    putc(' ', f->to);
    put_number(f->to, y, 1);
}

static bool is_point(const figure *f, const rg_chart_line *line, int i)
{
    return shown(&f->x, line->x[i]) && shown(&f->y, line->y[i]);
}

static bool has_interval(const figure *f, const rg_chart_line *line, int i)
{
    return line->low && line->high && is_point(f, line, i)
           && shown(&f->y, line->low[i]) && shown(&f->y, line->high[i]);
}

static void draw_path(const figure *f, int l)
{
    const rg_chart_line *line = &f->chart->lines[l];
    bool pen = false;
    double before = 0;
    fputs("<path d=\"", f->to);
    for (int i = 0; i < line->n; i++) {
        bool good = is_point(f, line, i);
        if (good) {
            double x = place(&f->x, line->x[i]), y = place(&f->y, line->y[i]);
            if (pen && line->style == RG_CHART_STEPS) put_point(f, 'L', x, before);
            put_point(f, pen ? 'L' : 'M', x, y);
            before = y;
        }
        pen = good;
    }
    putc('"', f->to);
    put_stroke(f, l);
    fputs("/>\n", f->to);
}

/* Up along the high ends, back along the low ones, once for each unbroken run. */
static void draw_band(const figure *f, int l)
{
    const rg_chart_line *line = &f->chart->lines[l];
    for (int first = 0, end; first < line->n; first = end + 1) {
        for (end = first; end < line->n && has_interval(f, line, end);) end++;
        if (end - first < 2) continue;
        fputs("<path d=\"", f->to);
        for (int i = first; i < end; i++)
            put_point(f, i == first ? 'M' : 'L', place(&f->x, line->x[i]),
                      place(&f->y, line->high[i]));
        for (int i = end - 1; i >= first; i--)
            put_point(f, 'L', place(&f->x, line->x[i]), place(&f->y, line->low[i]));
        fprintf(f->to, "Z\" fill=\"%s\" fill-opacity=\"0.18\"/>\n",
                palette[colour_of(f->chart, l)]);
    }
}

static void draw_whisker(const figure *f, const rg_chart_line *line, int i, double x,
                         const char *colour)
{
    if (!has_interval(f, line, i)) return;
    fputs("<path d=\"", f->to);
    put_point(f, 'M', x, place(&f->y, line->low[i]));
    put_point(f, 'L', x, place(&f->y, line->high[i]));
    fprintf(f->to, "\" stroke=\"%s\"/>\n", colour);
}

static void draw_points(const figure *f, int l)
{
    const rg_chart_line *line = &f->chart->lines[l];
    const char *colour = palette[colour_of(f->chart, l)];
    for (int i = 0; i < line->n; i++) {
        if (!is_point(f, line, i)) continue;
        double x = place(&f->x, line->x[i]);
        fputs("<circle r=\"3\"", f->to);
        put_attribute(f->to, "cx", x);
        put_attribute(f->to, "cy", place(&f->y, line->y[i]));
        fprintf(f->to, " fill=\"%s\"/>\n", colour);
        draw_whisker(f, line, i, x, colour);
    }
}

/* `turn`: which of the lines of bars it is. */
static void draw_bars(const figure *f, int l, int turn)
{
    const rg_chart_line *line = &f->chart->lines[l];
    double wide = f->bar / f->bars, left = wide * turn - f->bar / 2;
    double zero = place(&f->y, f->y.log ? f->y.from : 0);
    for (int i = 0; i < line->n; i++) {
        if (!is_point(f, line, i)) continue;
        double x1 = place(&f->x, line->x[i] + left), y = place(&f->y, line->y[i]);
        double x2 = place(&f->x, line->x[i] + left + wide);
        fputs("<rect", f->to);
        put_attribute(f->to, "x", x1);
        put_attribute(f->to, "y", fmin(y, zero));
        put_attribute(f->to, "width", fabs(x2 - x1));
        put_attribute(f->to, "height", fabs(y - zero));
        fprintf(f->to, " fill=\"%s\" fill-opacity=\"0.8\"/>\n",
                palette[colour_of(f->chart, l)]);
        draw_whisker(f, line, i, (x1 + x2) / 2, "#000000");
    }
}

/* In an svg of the plot's size inside the other, which cuts off what sticks out. */
static void draw_lines(const figure *f)
{
    fputs("<svg", f->to);
    put_attribute(f->to, "x", f->x.start);
    put_attribute(f->to, "y", f->y.start + f->y.length);
    put_attribute(f->to, "width", f->x.length);
    put_attribute(f->to, "height", -f->y.length);
    fputs(">\n", f->to);
    figure inside = *f;
    inside.x.start = 0;
    inside.y.start = -f->y.length;
    int turn = 0;
    for (int l = 0; l < f->chart->nlines; l++) {
        rg_chart_style style = f->chart->lines[l].style;
        bool separate = style == RG_CHART_BARS || style == RG_CHART_POINTS;
        if (!separate) draw_band(&inside, l);
        if (!separate) draw_path(&inside, l);
        else if (style == RG_CHART_POINTS) draw_points(&inside, l);
        else draw_bars(&inside, l, turn++);
    }
    fputs("</svg>\n", f->to);
}

static void put_rule(const figure *f, double x1, double y1, double x2, double y2,
                     const char *colour)
{
    fputs("<path d=\"", f->to);
    put_point(f, 'M', x1, y1);
    put_point(f, 'L', x2, y2);
    fprintf(f->to, "\" stroke=\"%s\"/>\n", colour);
}

static void put_tick(const figure *f, const axis *a, int i, double x, double y,
                     const char *anchor)
{
    fputs("<text", f->to);
    put_attribute(f->to, "x", x);
    put_attribute(f->to, "y", y);
    fprintf(f->to, " text-anchor=\"%s\">", anchor);
    put_number(f->to, a->tick[i], a->decimals);
    fputs("</text>\n", f->to);
}

static void draw_axes(const figure *f)
{
    double left = f->x.start, right = left + f->x.length;
    double bottom = f->y.start, top = bottom + f->y.length;
    for (int i = 0; i < f->y.ticks; i++) {
        double y = place(&f->y, f->y.tick[i]);
        put_rule(f, left, y, right, y, "#dddddd");
        put_tick(f, &f->y, i, left - 6, y + 4, "end");
    }
    for (int i = 0; f->chart->nnames == 0 && i < f->x.ticks; i++) {
        double x = place(&f->x, f->x.tick[i]);
        put_rule(f, x, top, x, bottom, "#dddddd");
        put_tick(f, &f->x, i, x, bottom + 16, "middle");
    }
    for (int i = 0; i < f->chart->nnames; i++)
        if (i >= f->x.from && i <= f->x.to)
            put_label(f->to, place(&f->x, i), bottom + 16, "middle", "",
                      f->chart->names[i]);
    fputs("<rect fill=\"none\" stroke=\"#444444\"", f->to);
    put_attribute(f->to, "x", left);
    put_attribute(f->to, "y", top);
    put_attribute(f->to, "width", right - left);
    put_attribute(f->to, "height", bottom - top);
    fputs("/>\n", f->to);
}

static void draw_titles(const figure *f)
{
    const rg_chart *chart = f->chart;
    double middle = f->x.start + f->x.length / 2;
    if (chart->title)
        put_label(f->to, middle, 18, "middle", " font-weight=\"bold\"", chart->title);
    if (chart->x) put_label(f->to, middle, f->y.start + 36, "middle", "", chart->x);
    if (chart->y == NULL) return;
    fputs("<g transform=\"rotate(-90)\">", f->to);
    put_label(f->to, -f->y.start - f->y.length / 2, 14, "middle", "", chart->y);
    fputs("</g>\n", f->to);
}

static void draw_legend(const figure *f)
{
    double x = f->x.start + f->x.length + 10, y = f->y.start + f->y.length + 8;
    for (int l = 0; l < f->chart->nlines; l++) {
        const rg_chart_line *line = &f->chart->lines[l];
        if (line->label == NULL) continue;
        if (line->style == RG_CHART_POINTS || line->style == RG_CHART_BARS) {
            fprintf(f->to, "<circle r=\"%d\" fill=\"%s\"",
                    line->style == RG_CHART_BARS ? 5 : 3,
                    palette[colour_of(f->chart, l)]);
            put_attribute(f->to, "cx", x + 12);
            put_attribute(f->to, "cy", y);
        } else {
            fputs("<path d=\"", f->to);
            put_point(f, 'M', x, y);
            put_point(f, 'L', x + 24, y);
            putc('"', f->to);
            put_stroke(f, l);
        }
        fputs("/>\n", f->to);
        put_label(f->to, x + 30, y + 4, "start", "", line->label);
        y += 18;
    }
}

/* Pixels the longest label takes, at most a third of the figure; 0 without any. */
static double legend_width(const rg_chart *chart, int width)
{
    int longest = 0;
    for (int l = 0; l < chart->nlines; l++)
        if (letters(chart->lines[l].label) > longest)
            longest = letters(chart->lines[l].label);
    return longest ? fmin(SAMPLE + LETTER * longest + 14, width / 3.0) : 0;
}

static void lay_out(figure *f, int width, int height)
{
    double left = f->chart->y ? 74 : 56, right = legend_width(f->chart, width);
    double top = f->chart->title ? 30 : 14, bottom = f->chart->x ? 48 : 28;
    f->x.start = left;
    f->x.length = width - left - fmax(right, 20);
    f->y.start = height - bottom;
    f->y.length = -(height - bottom - top);
    measure_bars(f);
    find_ranges(f);
    tick(&f->x, 80);
    tick(&f->y, 45);
}

int rg_chart_svg(const rg_chart *chart, int width, int height, FILE *to)
{
    if (width < 200 || height < 150)
        return RG_FAIL("a figure of %d x %d pixels: 200 x 150 is the least", width,
                       height);
    if ((chart->log_x && chart->x_from < 0) || (chart->log_y && chart->y_from < 0))
        return RG_FAIL("a logarithmic axis cannot begin below 0");
    figure f = { .chart = chart, .to = to };
    lay_out(&f, width, height);
    fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
            " viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"%d\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", width, height,
            width, height, TEXT, width, height);
    draw_axes(&f);
    draw_lines(&f);
    draw_titles(&f);
    draw_legend(&f);
    fputs("</svg>\n", to);
    return ferror(to) ? RG_FAIL("the figure cannot be written: %s", strerror(errno))
                      : 0;
}

/* SPDX-License-Identifier: MIT */
#include "core/engine/random.h"
#include "core/image/contour.h"
#include "core/image/image.h"
#include "tests/check.h"

enum { SIDE = 41 };

/* A cone of height 10 and slope 1 about x, y: its contours are circles. */
static void cone(float *p, double x, double y)
{
    for (int i = 0; i < SIDE * SIDE; i++)
        p[i] = (float)(10 - hypot(i % SIDE - x, i / SIDE - y));
}

static void circles_are_closed_lines_of_their_radius(void)
{
    float p[SIDE * SIDE];
    rg_contours c;
    cone(p, 20, 20);
    CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 2, 2, 14, &c));
    CHECK(c.nlines == 3);                            /* 2, 4, 8 */
    for (int l = 0; l < c.nlines; l++) {
        const rg_contour *line = &c.lines[l];
        CHECK(line->closed && line->level == l && line->n > 8);
        for (int i = 0; i < line->n; i++) {
            const float *at = c.points[line->first + i];
            CHECK_NEAR(hypot(at[0] - 20, at[1] - 20), 10 - (2 << l), 0.12);
            const float *next = c.points[line->first + (i + 1) % line->n];
            CHECK(hypot(next[0] - at[0], next[1] - at[1]) < 1.5);
        }
    }
    rg_contour_clear(&c);
}

/* p = x + 1 and p = y + 1: one straight line a level, from border to border. */
static void ramps_have_straight_lines(void)
{
    for (int axis = 0; axis < 2; axis++) {
        float p[SIDE * SIDE];
        rg_contours c;
        for (int i = 0; i < SIDE * SIDE; i++)
            p[i] = (float)((axis ? i / SIDE : i % SIDE) + 1);
        CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 1.25, 2, 14, &c));
        CHECK(c.nlines == 6);                   /* 1.25, 2.5, 5, 10, 20, 40 */
        for (int l = 0; l < c.nlines; l++) {
            const rg_contour *line = &c.lines[l];
            CHECK(!line->closed && line->n == SIDE && line->level == l);
            double way = fabs(c.points[line->first + SIDE - 1][1 - axis]
                              - c.points[line->first][1 - axis]);
            CHECK(way == SIDE - 1);
            for (int i = 0; i < line->n; i++)
                CHECK_NEAR(c.points[line->first + i][axis], 1.25 * (1 << l) - 1, 0);
        }
        rg_contour_clear(&c);
    }
}

static void flat_images_have_no_lines(void)
{
    static const float flat[] = { -1, 0, 1, 2, 1e38f };
    for (int k = 0; k < 5; k++) {
        float p[SIDE * SIDE];
        rg_contours c;
        for (int i = 0; i < SIDE * SIDE; i++) p[i] = flat[k];
        CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 1, 2, 14, &c));
        CHECK(c.nlines == 0 && c.npoints == 0);
        rg_contour_clear(&c);
    }
}

/* Every point is on a cell's edge, where the linear value is the level. */
static void points_lie_on_the_level(void)
{
    float p[SIDE * SIDE];
    uint64_t state = 4;
    rg_contours c;
    for (int i = 0; i < SIDE * SIDE; i++) p[i] = (float)rg_random_normal(&state);
    CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 0.5, 1.5, 3, &c));
    CHECK(c.nlines > 100);
    int seen = 0;
    for (int l = 0; l < c.nlines; l++)
        for (int i = 0; i < c.lines[l].n; i++, seen++) {
            const float *at = c.points[c.lines[l].first + i];
            int x = (int)at[0], y = (int)at[1];
            double fx = at[0] - x, fy = at[1] - y;
            CHECK(fx == 0 || fy == 0);
            int u = fx > 0 ? x + 1 : x, v = fy > 0 ? y + 1 : y;
            double value = p[y * SIDE + x] * (1 - fx - fy)
                           + p[v * SIDE + u] * (fx + fy);
            CHECK_NEAR(value, 0.5 * pow(1.5, c.lines[l].level), 2e-5);
        }
    CHECK(seen == c.npoints);
    rg_contour_clear(&c);
}

/* How many pieces of line are in the cell at x, y: by how often its corners differ. */
static int pieces(const float *p, int x, int y, double level)
{
    static const int around[5][2] = {
        { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 }, { 0, 0 }
    };
    int differ = 0;
    for (int k = 0; k < 4; k++) {
        float a = p[(y + around[k][1]) * SIDE + x + around[k][0]];
        float b = p[(y + around[k + 1][1]) * SIDE + x + around[k + 1][0]];
        if (!isfinite(a)) return 0;
        differ += (a >= level) != (b >= level);
    }
    return differ / 2;
}

static int at_the_border(const float at[2])
{
    return at[0] == 0 || at[1] == 0 || at[0] == SIDE - 1 || at[1] == SIDE - 1;
}

/* Noise with blanks: each cell has the pieces that its corners ask for, and no more. */
static void every_cell_has_its_pieces(void)
{
    for (int seed = 0; seed < 20; seed++) {
        float p[SIDE * SIDE];
        int wanted[SIDE * SIDE] = { 0 }, wrong = 0, open = 0;
        uint64_t state = (uint64_t)seed;
        rg_contours c;
        for (int i = 0; i < SIDE * SIDE; i++) p[i] = (float)rg_random_uniform(&state);
        for (int i = 0; i < seed; i++)
            p[(int)(rg_random_uniform(&state) * SIDE * SIDE)] = i % 2 ? NAN : INFINITY;
        CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 0.5, 9, 1, &c));
        for (int i = 0; i < SIDE * (SIDE - 1); i++)
            if (i % SIDE < SIDE - 1) wanted[i] = pieces(p, i % SIDE, i / SIDE, 0.5);
        for (int l = 0; l < c.nlines; l++) {
            const rg_contour *line = &c.lines[l];
            for (int i = 0; i < line->n - !line->closed; i++) {
                const float *a = c.points[line->first + i];
                const float *b = c.points[line->first + (i + 1) % line->n];
                wanted[(int)((a[1] + b[1]) / 2) * SIDE + (int)((a[0] + b[0]) / 2)]--;
            }
            if (line->closed) continue;
            const float (*ends)[2] = (const float (*)[2])c.points + line->first;
            open += at_the_border(ends[0]) && at_the_border(ends[line->n - 1]);
            CHECK(seed > 0 || at_the_border(ends[0]));
            CHECK(seed > 0 || at_the_border(ends[line->n - 1]));
        }
        for (int i = 0; i < SIDE * SIDE; i++) wrong += wanted[i] != 0;
        CHECK(wrong == 0 && open > 10);
        rg_contour_clear(&c);
    }
}

/* At a saddle the mean decides whether the bright corners are one island: lines cut
 * off the bright corners when they are not, else the dark ones. */
static void saddles_follow_the_mean(void)
{
    for (int k = 0; k < 4; k++) {
        int tilted = k % 2, one = k / 2;      /* bright 1, 0 and 0, 1; mean above */
        float dark = 0, a = one ? 4 : 2, b = one ? 4 : 1.5f;
        const float straight[4] = { a, dark, dark, b }, other[4] = { dark, a, b, dark };
        rg_contours c;
        CHECK_OK(rg_contour_trace(tilted ? other : straight, 2, 2, 1, 9, 1, &c));
        CHECK(c.nlines == 2 && c.npoints == 4);
        for (int l = 0; l < c.nlines; l++) {
            const float *from = c.points[c.lines[l].first], *to = from + 2;
            /* a piece that cuts off 0, 0 or 1, 1 runs down, the others up */
            double slope = (to[0] - from[0]) * (to[1] - from[1]);
            CHECK((slope < 0) == (tilted == one));
        }
        rg_contour_clear(&c);
    }
}

static void blanks_break_lines(void)
{
    float p[SIDE * SIDE];
    rg_contours c;
    cone(p, 20, 20);
    p[20 * SIDE + 28] = NAN;                         /* on the circle of radius 8 */
    CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 2, 9, 1, &c));
    CHECK(c.nlines == 1 && !c.lines[0].closed);
    rg_contour_clear(&c);
    for (int i = 0; i < SIDE * SIDE; i++) p[i] = NAN;
    CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 2, 2, 14, &c));
    CHECK(c.nlines == 0 && c.npoints == 0);
    rg_contour_clear(&c);
}

/* The colour laid on adds up to length times width. */
static void a_line_covers_its_area(void)
{
    float p[SIDE * SIDE];
    static uint8_t rgb[SIDE * SIDE * 3];
    rg_contours c;
    cone(p, 20.3, 19.6);
    CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 4, 99, 1, &c));
    for (double width = 0.5; width < 3; width *= 2) {
        double sum = 0;
        memset(rgb, 0, sizeof rgb);
        CHECK_OK(rg_contour_draw(&c, width, (const uint8_t[]){ 0, 128, 255 }, SIDE,
                                 SIDE, rgb));
        for (int i = 0; i < SIDE * SIDE; i++) sum += rgb[3 * i + 2] / 255.0;
        CHECK_NEAR(sum, 2 * M_PI * 6 * width, 0.03 * 2 * M_PI * 6 * width);
        CHECK(rgb[3 * (20 * SIDE + 20) + 2] == 0 && rgb[0] == 0);
    }
    int most = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
        if (rgb[3 * i + 1] > most) most = rgb[3 * i + 1];
    CHECK(most == 128);          /* wholly covered pixels have the colour itself */
    rg_contour_clear(&c);
}

static double distance(const float a[2], const float b[2], double x, double y)
{
    double dx = b[0] - a[0], dy = b[1] - a[1], length2 = dx * dx + dy * dy;
    double t = length2 > 0 ? ((x - a[0]) * dx + (y - a[1]) * dy) / length2 : 0;
    t = fmin(fmax(t, 0), 1);
    return hypot(x - a[0] - t * dx, y - a[1] - t * dy);
}

static double to_lines(const rg_contours *c, double x, double y)
{
    double least = INFINITY;
    for (int l = 0; l < c->nlines; l++) {
        const rg_contour *line = &c->lines[l];
        for (int i = 0; i < line->n - !line->closed; i++)
            least = fmin(least, distance(c->points[line->first + i],
                                         c->points[line->first + (i + 1) % line->n],
                                         x, y));
    }
    return least;
}

/* The share of the samples of a pixel that are within half of a line. */
static double share(const rg_contours *c, int x, int y, double half, int samples)
{
    int in = 0;
    for (int s = 0; s < samples * samples; s++)
        in += to_lines(c, x - 0.5 + (s % samples + 0.5) / samples,
                       y - 0.5 + (s / samples + 0.5) / samples) <= half;
    return in / (double)(samples * samples);
}

/* Noise's lines, crowded and overlapping, against the distance to the nearest piece. */
static void drawing_covers_what_is_near(void)
{
    enum { SMALL = 9 };
    static const double widths[] = { 0.25, 0.5, 1.3, 4 };
    for (int k = 0; k < 4; k++) {
        float p[SMALL * SMALL];
        uint8_t rgb[SMALL * SMALL * 3] = { 0 };
        uint64_t state = (uint64_t)k;
        rg_contours c;
        double sum = 0, wanted = 0;
        for (int i = 0; i < SMALL * SMALL; i++) p[i] = (float)rg_random_normal(&state);
        CHECK_OK(rg_contour_trace(p, SMALL, SMALL, 0.6, 2, 2, &c));
        CHECK_OK(rg_contour_draw(&c, widths[k], (const uint8_t[]){ 255, 0, 0 }, SMALL,
                                 SMALL, rgb));
        for (int i = 0; i < SMALL * SMALL; i++) {
            double fine = share(&c, i % SMALL, i / SMALL, widths[k] / 2, 32);
            CHECK_NEAR(rgb[3 * i] / 255.0,
                       share(&c, i % SMALL, i / SMALL, widths[k] / 2, 8), 0.004);
            CHECK_NEAR(rgb[3 * i] / 255.0, fine, 0.09);
            sum += rgb[3 * i] / 255.0;
            wanted += fine;
        }
        CHECK(wanted > 1);
        CHECK_NEAR(sum, wanted, 0.02 * wanted);
        rg_contour_clear(&c);
    }
}

/* Straight lines cover width x their length within the image wherever they lie. */
static void straight_lines_cover_their_width(void)
{
    for (int k = 0; k < 16; k++) {
        float p[SIDE * SIDE];
        static uint8_t rgb[SIDE * SIDE * 3];
        rg_contours c;
        double sum = 0;
        for (int i = 0; i < SIDE * SIDE; i++)
            p[i] = (float)((k % 2 ? i / SIDE : i % SIDE) + 1);
        CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 10 + k / 16.0, 9, 1, &c));
        memset(rgb, 0, sizeof rgb);
        CHECK_OK(rg_contour_draw(&c, 0.5, (const uint8_t[]){ 255, 0, 0 }, SIDE, SIDE,
                                 rgb));
        for (int i = SIDE; i < SIDE * (SIDE - 1); i++)
            if (i % SIDE > 0 && i % SIDE < SIDE - 1) sum += rgb[3 * i] / 255.0;
        CHECK_NEAR(sum, (SIDE - 2) * 0.5, (SIDE - 2) * 0.5 * 0.01);
        rg_contour_clear(&c);
    }
}

/* Whether x, y is in the hull of points, by trying every line through two of them. */
static int in_hull(const double (*p)[2], int n, double x, double y)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double side = (p[j][0] - p[i][0]) * (y - p[i][1])
                          - (p[j][1] - p[i][1]) * (x - p[i][0]);
            int outer = side < 0;
            for (int k = 0; k < n && outer; k++)
                outer = (p[j][0] - p[i][0]) * (p[k][1] - p[i][1])
                        - (p[j][1] - p[i][1]) * (p[k][0] - p[i][0]) >= 0;
            if (outer && (p[i][0] != p[j][0] || p[i][1] != p[j][1])) return 0;
        }
    return 1;
}

static void the_hull_is_that_of_the_boxes(void)
{
    static float p[SIDE * SIDE], cones[3][SIDE * SIDE];
    static const double at[3][2] = { { 9, 8 }, { 30, 12 }, { 17, 31 } };
    double corner[12][2];
    uint8_t inside[SIDE * SIDE];
    rg_contours c;
    for (int k = 0; k < 3; k++) cone(cones[k], at[k][0], at[k][1]);
    for (int i = 0; i < SIDE * SIDE; i++)
        p[i] = fmaxf(cones[0][i], fmaxf(cones[1][i], cones[2][i]));
    CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 6, 1.4, 3, &c)); /* 6, 8.4: 3 + 3 lines */
    CHECK(c.nlines == 6);
    for (int k = 0; k < 12; k++) {
        corner[k][0] = at[k / 4][0] + (k & 1 ? 4 : -4);
        corner[k][1] = at[k / 4][1] + (k & 2 ? 4 : -4);
    }
    CHECK_OK(rg_contour_hull(&c, SIDE, SIDE, inside));
    int wrong = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
        wrong += inside[i] != in_hull(corner, 12, i % SIDE, i / SIDE);
    CHECK(wrong <= 2);           /* pixels on the very edge, for rounding */
    rg_contour_clear(&c);
}

/* Random islands: the mask is that of every line through two corners. */
static void hulls_of_noise(void)
{
    enum { MOST = 64 };
    for (int seed = 0; seed < 40; seed++) {
        float p[SIDE * SIDE];
        double corner[MOST][2];
        uint8_t inside[SIDE * SIDE];
        uint64_t state = (uint64_t)seed;
        rg_contours c;
        int n = 0, wrong = 0;
        for (int i = 0; i < SIDE * SIDE; i++) p[i] = 0;
        for (int i = 0; i < 1 + seed / 3; i++)
            p[(int)(rg_random_uniform(&state) * SIDE * SIDE)] = 1 + 9 * (float)i;
        CHECK_OK(rg_contour_trace(p, SIDE, SIDE, 0.7, 2, 3, &c));
        for (int l = 0; l < c.nlines && c.lines[l].level == 0; l++) {
            double box[4] = { INFINITY, INFINITY, -INFINITY, -INFINITY };
            for (int i = c.lines[l].first; i < c.lines[l].first + c.lines[l].n; i++)
                for (int k = 0; k < 2; k++) {
                    box[k] = fmin(box[k], c.points[i][k]);
                    box[2 + k] = fmax(box[2 + k], c.points[i][k]);
                }
            for (int k = 0; k < 4 && n < MOST; k++, n++) {
                corner[n][0] = box[k & 1 ? 2 : 0];
                corner[n][1] = box[k & 2 ? 3 : 1];
            }
        }
        CHECK_OK(rg_contour_hull(&c, SIDE, SIDE, inside));
        for (int i = 0; i < SIDE * SIDE; i++)
            wrong += inside[i] != in_hull(corner, n, i % SIDE, i / SIDE);
        CHECK(n >= 4 && n < MOST && wrong == 0);
        rg_contour_clear(&c);
    }
}

/* The mask of the hull of 5 x 5 pixels at level 1, as a number of bits. */
static unsigned hull_of(const float p[25])
{
    uint8_t inside[25];
    unsigned bits = 0;
    rg_contours c;
    CHECK_OK(rg_contour_trace(p, 5, 5, 1, 9, 14, &c));
    CHECK_OK(rg_contour_hull(&c, 5, 5, inside));
    for (int i = 0; i < 25; i++) {
        CHECK(inside[i] <= 1);
        bits |= (unsigned)inside[i] << i;
    }
    rg_contour_clear(&c);
    return bits;
}

/* Pixels of exactly the level have boxes of no size. */
static void small_hulls(void)
{
    CHECK(hull_of((float[25]){ 0 }) == 0);
    CHECK(hull_of((float[25]){ [12] = 4 }) == 1u << 12);
    CHECK(hull_of((float[25]){ [12] = 1 }) == 1u << 12);
    CHECK(hull_of((float[25]){ [6] = 1, [8] = 1 }) == 7u << 6);
    CHECK(hull_of((float[25]){ [6] = 1, [16] = 1 }) == (1u << 6 | 1u << 11 | 1u << 16));
    CHECK(hull_of((float[25]){ [6] = 1, [18] = 1 }) == (1u << 6 | 1u << 12 | 1u << 18));
    CHECK(hull_of((float[25]){ [8] = 1, [16] = 1 }) == (1u << 8 | 1u << 12 | 1u << 16));
}

static void refuses_levels_that_do_not_rise(void)
{
    float p[4] = { 0, 1, 2, 3 };
    rg_contours c;
    CHECK_FAILS(rg_contour_trace(p, 2, 2, 0, 2, 3, &c), "rise");
    CHECK_FAILS(rg_contour_trace(p, 2, 2, 1, 1, 3, &c), "rise");
    CHECK_FAILS(rg_contour_trace(p, 2, 2, NAN, 2, 3, &c), "rise");
    CHECK_FAILS(rg_contour_trace(p, 2, 2, INFINITY, 2, 3, &c), "rise");
    CHECK_FAILS(rg_contour_trace(p, 2, 2, 1, NAN, 3, &c), "rise");
    CHECK_FAILS(rg_contour_trace(p, 1, 4, 1, 2, 3, &c), "1 x 4");
}

/* Radio Galaxy Zoo's lines of the same pixels, outermost level 3 sqrt(3) sigma, factor
 * sqrt(3).  Theirs are Bourke's (1987): cells are four triangles round the mean, so
 * that only every other point is on a cell's edge; 1-based, y down from the top.
 * Every line of theirs is one of ours. */
static void compare(const rg_contours *c, int level, const double (*theirs)[2], int n)
{
    const rg_contour *found = NULL;
    for (int l = 0; l < c->nlines && !found; l++)
        for (int i = 0; i < c->lines[l].n; i++) {
            const float *at = c->points[c->lines[l].first + i];
            if (c->lines[l].level == level
                && hypot(at[0] - theirs[0][0], at[1] - theirs[0][1]) < 1e-5)
                found = &c->lines[l];
        }
    CHECK(found != NULL);
    if (found == NULL) return;
    CHECK(found->closed && found->n == n);
    for (int k = 0; k < n; k++) {
        double nearest = INFINITY;
        for (int i = found->first; i < found->first + found->n; i++)
            nearest = fmin(nearest, hypot(c->points[i][0] - theirs[k][0],
                                          c->points[i][1] - theirs[k][1]));
        CHECK_NEAR(nearest, 0, 1e-5);
    }
}

/* The next line's points on the edges of cells, as 0-based pixels, and its level. */
static int read_line(FILE *file, double (*points)[2], int most, int *level)
{
    int n = 0, c;
    double x, y;
    while ((c = fgetc(file)) != EOF && c != '[') {}
    for (;;) {
        while ((c = fgetc(file)) != EOF && c != '{' && c != 'k') {}
        if (c != '{') break;
        if (fscanf(file, "\"y\": %lf, \"x\": %lf", &y, &x) != 2) continue;
        double off = fmin(fabs(x - round(x)), fabs(y - round(y)));
        if (n < most && off < 1e-9) {
            points[n][0] = x - 1;
            points[n++][1] = 132 - y;
        }
    }
    if (c == EOF || fscanf(file, "\": %d", level) != 1) return 0;
    /* the last point is the first again */
    return n - 1;
}

static void radio_galaxy_zoo_has_the_same_lines(void)
{
    enum { MOST = 200 };
    const char *shared = check_shared();
    if (shared == NULL) CHECK_SKIP("no ../shared");
    char path[4400];
    double theirs[MOST][2];
    int level, n, lines = 0;
    rg_image *image;
    rg_contours c;
    snprintf(path, sizeof path, "%s/data/first/samples/rgz_original_subject/"
             "FIRSTJ124646.7+224554.fits", shared);
    CHECK_OK(rg_image_read(&image, path));
    CHECK_OK(rg_contour_trace(image->pixels, image->nx, image->ny, 0.000846972844901181,
                              sqrt(3), 7, &c));
    snprintf(path, sizeof path, "%s/data/first/samples/rgz_original_subject/"
             "52af7d53eb9a9b05ef000809.json", shared);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (file && (n = read_line(file, theirs, MOST, &level)) > 0) {
        compare(&c, level, theirs, n);
        lines++;
    }
    CHECK(lines == 14);
    if (file) fclose(file);
    rg_contour_clear(&c);
    rg_image_free(image);
}

int main(void)
{
    CHECK_RUN(circles_are_closed_lines_of_their_radius);
    CHECK_RUN(ramps_have_straight_lines);
    CHECK_RUN(flat_images_have_no_lines);
    CHECK_RUN(points_lie_on_the_level);
    CHECK_RUN(every_cell_has_its_pieces);
    CHECK_RUN(saddles_follow_the_mean);
    CHECK_RUN(blanks_break_lines);
    CHECK_RUN(a_line_covers_its_area);
    CHECK_RUN(drawing_covers_what_is_near);
    CHECK_RUN(straight_lines_cover_their_width);
    CHECK_RUN(the_hull_is_that_of_the_boxes);
    CHECK_RUN(hulls_of_noise);
    CHECK_RUN(small_hulls);
    CHECK_RUN(refuses_levels_that_do_not_rise);
    CHECK_RUN(radio_galaxy_zoo_has_the_same_lines);
    return CHECK_END();
}

/* SPDX-License-Identifier: MIT */
#include "core/learning/cell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/image/island.h"

#define SIDE RG_CLARAN_SUBJECT
enum { STRIDE = RG_CLARAN_STRIDE };

/* Islands of one image, and where cells are. */
typedef struct sight {
    int cells, input;
    const float *radio;       /* borrowed */
    double sigma;
    rg_island *islands;       /* owned, as all below */
    int n;
    int *map;                 /* [132][132]: island + 1, or 0 */
    int *last, *peaks;        /* [cells][cells]: island counted last + 1; sum */
} sight;

/* Cell row (or column) of a subject pixel, counted in y from the top; may be == cells,
 * where input is no multiple of 16. */
static int cell_of(const sight *s, int pixel)
{
    return (int)((pixel + 0.5) * s->input / SIDE) / STRIDE;
}

static void count_near(sight *s, int row, int column, int island)
{
    for (int k = 0; k < 9; k++) {
        int r = row + k / 3 - 1, c = column + k % 3 - 1;
        if (r < 0 || c < 0 || r >= s->cells || c >= s->cells) continue;
        int *last = &s->last[r * s->cells + c];
        if (*last == island + 1) continue;
        *last = island + 1;
        s->peaks[r * s->cells + c] += s->islands[island].peaks;
    }
}

static void count_peaks(sight *s)
{
    for (int i = 0; i < s->n; i++) {
        const rg_island *island = &s->islands[i];
        for (int y = island->y1; y <= island->y2; y++)
            for (int x = island->x1; x <= island->x2; x++)
                if (s->map[y * SIDE + x] == i + 1)
                    count_near(s, cell_of(s, SIDE - 1 - y), cell_of(s, x), i);
    }
}

static void fill_peaks(sight *s, float *peaks)
{
    count_peaks(s);
    for (int i = 0; i < s->cells * s->cells; i++)
        peaks[i] = s->peaks[i] < RG_CELL_PEAKS ? (float)s->peaks[i] - 1
                                               : RG_CELL_PEAKS - 1;
}

static void fill_flux(const sight *s, double share, rg_cells *to)
{
    int count = s->cells * s->cells, sources = 0;
    memset(to->flux, 0, (size_t)count * sizeof *to->flux);
    for (int i = 0; i < RG_CLARAN_SUBJECT * RG_CLARAN_SUBJECT; i++) {
        int row = cell_of(s, SIDE - 1 - i / SIDE), column = cell_of(s, i % SIDE);
        if (s->map[i] == 0 || row >= s->cells || column >= s->cells) continue;
        to->flux[row * s->cells + column] += (float)(s->radio[i] / s->sigma);
    }
    for (int i = 0; i < count; i++) {
        sources += to->flux[i] > 0;
        to->source[i] = to->flux[i] > 0;
        to->flux[i] = log10f(1 + to->flux[i]);
    }
    for (int i = 0; i < count; i++)
        to->flux_weight[i] = to->source[i] > 0 ? (float)(share / sources) : 0;
}

static void fill_block(const sight *s, double share, rg_cells *to)
{
    const long cells = s->cells, plane = cells * cells;
    long inside = 0;
    for (int v = 0; v < cells * STRIDE; v++)
        for (int u = 0; u < cells * STRIDE; u++) {
            int y = SIDE - 1 - (int)((v + 0.5) * SIDE / s->input);
            int x = (int)((u + 0.5) * SIDE / s->input);
            long at = (v % STRIDE * STRIDE + u % STRIDE) * plane
                      + v / STRIDE * cells + u / STRIDE;
            bool in = s->map[y * SIDE + x] > 0;
            to->block[at] = in ? (float)log10(s->radio[y * SIDE + x] / s->sigma) : 0;
            inside += in;
        }
    double outside = (double)(RG_CELL_BLOCK * plane - inside);
    float weight = (float)((inside ? 0.5 : 1) * share / fmax(outside, 1));
    for (long i = 0; i < RG_CELL_BLOCK * plane; i++)
        to->block_weight[i] =
            to->block[i] > 0 ? (float)(0.5 * share / (double)inside) : weight;
}

int rg_cell_find(const rg_claran *model, const float *radio, double sigma,
                  double share, rg_cells *to)
{
    sight s = { .cells = rg_claran_cells(model), .input = model->input, .radio = radio,
                .sigma = sigma };
    unsigned long count = (unsigned long)s.cells * (unsigned long)s.cells;
    RG_TRY(rg_island_find(radio, SIDE, SIDE, RG_ISLAND_BASE * sigma, RG_ISLAND_STEP,
                          &s.islands, &s.n, &s.map));
    s.last = rg_error_alloc(count, sizeof *s.last, "feature cells");
    s.peaks = rg_error_alloc(count, sizeof *s.peaks, "feature cells");
    int status = s.last && s.peaks ? 0 : -1;
    if (status == 0 && to->peaks) fill_peaks(&s, to->peaks);
    if (status == 0 && to->flux) fill_flux(&s, share, to);
    if (status == 0 && to->block) fill_block(&s, share, to);
    free(s.islands);
    free(s.map);
    free(s.last);
    free(s.peaks);
    return status;
}

/* SPDX-License-Identifier: MIT */
#include "regions/picture.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/image/fuse.h"

enum {
    LEAST = 600, GLYPH_W = 5, GLYPH_H = 7, DOT = 2,
    COLUMNS = 3, ENLARGED = 3, GAP = 8,   /* of a sheet */
};

/* rgb [ny][nx][3], row 0 at the bottom. */
typedef struct canvas { int nx, ny; uint8_t *rgb; } canvas;

/* What labels are made of: per character its 7 rows, top first, bit 4 leftmost. */
static const struct { char letter; uint8_t row[GLYPH_H]; } glyphs[] = {
    { '0', { 0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e } },
    { '1', { 0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e } },
    { '2', { 0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f } },
    { '3', { 0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e } },
    { '4', { 0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02 } },
    { '5', { 0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e } },
    { '6', { 0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e } },
    { '7', { 0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08 } },
    { '8', { 0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e } },
    { '9', { 0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c } },
    { 'C', { 0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e } },
    { 'D', { 0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e } },
    { 'F', { 0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10 } },
    { 'P', { 0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10 } },
    { '_', { 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f } },
    { '?', { 0x0e, 0x11, 0x01, 0x02, 0x04, 0x00, 0x04 } },
    { '.', { 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c } },
};

static void set(canvas *c, int x, int y)
{
    static const uint8_t yellow[3] = { 255, 255, 0 };
    if (x < 0 || y < 0 || x >= c->nx || y >= c->ny) return;
    memcpy(c->rgb + 3 * ((size_t)y * (size_t)c->nx + (size_t)x), yellow, 3);
}

static void fill(canvas *c, int x, int y, int w, int h)
{
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) set(c, x + i, y + j);
}

/* Text whose lower left corner is at x, y, held inside the canvas. */
static void write_text(canvas *c, int x, int y, const char *text)
{
    int w = (int)strlen(text) * (GLYPH_W + 1) * DOT, h = GLYPH_H * DOT;
    if (x > c->nx - w) x = c->nx - w;
    if (x < 0) x = 0;
    if (y > c->ny - h) y = c->ny - h;
    for (; *text; text++, x += (GLYPH_W + 1) * DOT)
        for (size_t g = 0; g < sizeof glyphs / sizeof *glyphs; g++)
            for (int i = 0; glyphs[g].letter == *text && i < GLYPH_W * GLYPH_H; i++)
                if (glyphs[g].row[i / GLYPH_W] >> (GLYPH_W - 1 - i % GLYPH_W) & 1)
                    fill(c, x + i % GLYPH_W * DOT,
                         y + (GLYPH_H - 1 - i / GLYPH_W) * DOT, DOT, DOT);
}

/* Canvas coordinate of a FITS pixel edge; boxes are cut at the canvas. */
static int place(double edge, int zoom, int size)
{
    return (int)lround(fmin(fmax((edge - 0.5) * zoom, 0), size - DOT));
}

/* Lines `thick` wide whose lower left pixels are on x1..x2, y1..y2. */
static void frame(canvas *c, int x1, int y1, int x2, int y2, int thick)
{
    fill(c, x1, y1, x2 - x1 + thick, thick);
    fill(c, x1, y2, x2 - x1 + thick, thick);
    fill(c, x1, y1, thick, y2 - y1 + thick);
    fill(c, x2, y1, thick, y2 - y1 + thick);
}

static void draw(canvas *c, int zoom, const rg_detection *d)
{
    char label[32];
    int x1 = place(d->xmin, zoom, c->nx), x2 = place(d->xmax, zoom, c->nx);
    int y1 = place(d->ymin, zoom, c->ny), y2 = place(d->ymax, zoom, c->ny);
    frame(c, x1, y1, x2, y2, DOT);
    snprintf(label, sizeof label, "%s %.2f", rg_boxes_class_name[d->class_],
             d->probability);
    write_text(c, x1, y2 + 2 * DOT, label);
}

/* rgb [ny][nx][3] with its lower left corner at x, y, each pixel `zoom` wide. */
static void paste(canvas *c, int x, int y, const uint8_t *rgb, int nx, int ny, int zoom)
{
    for (int j = 0; j < ny * zoom; j++)
        for (int i = 0; i < nx * zoom; i++)
            memcpy(c->rgb + 3 * ((size_t)(y + j) * (size_t)c->nx + (size_t)(x + i)),
                   rgb + 3 * ((size_t)(j / zoom) * (size_t)nx + (size_t)(i / zoom)), 3);
}

static int enlarge(const rg_image *image, int zoom, canvas *c)
{
    size_t size = (size_t)image->nx * (size_t)image->ny;
    uint8_t *small = rg_error_alloc(size, 3, "a picture");
    c->rgb = rg_error_alloc(size * (size_t)(zoom * zoom), 3, "a picture");
    int status = small != NULL && c->rgb != NULL ? 0 : -1;
    if (status == 0)
        status = rg_fuse(RG_METHOD_D1, image->pixels, NULL, image->nx, image->ny,
                         small);
    if (status == 0) paste(c, 0, 0, small, image->nx, image->ny, zoom);
    free(small);
    return status;
}

int rg_picture_write(const rg_image *image, const rg_detection *found, int n,
                     const char *path)
{
    int side = image->nx > image->ny ? image->nx : image->ny;
    int zoom = side < LEAST ? (LEAST + side - 1) / side : 1;
    canvas c = { image->nx * zoom, image->ny * zoom, NULL };
    int status = enlarge(image, zoom, &c);
    for (int i = 0; status == 0 && i < n; i++) draw(&c, zoom, &found[i]);
    if (status == 0) status = rg_fuse_write_png(c.rgb, c.nx, c.ny, path);
    free(c.rgb);
    return status;
}

static void draw_boxes(canvas *c, int x, int y, const rg_picture_panel *panel, int side)
{
    for (int i = 0; i < panel->nboxes; i++) {
        const rg_box *b = &panel->boxes[i];
        int x1 = place(b->x1, ENLARGED, side * ENLARGED);
        int y1 = place(b->y1, ENLARGED, side * ENLARGED);
        int x2 = place(b->x2, ENLARGED, side * ENLARGED);
        int y2 = place(b->y2, ENLARGED, side * ENLARGED);
        frame(c, x + x1, y + y1, x + x2, y + y2, 1);
    }
}

int rg_picture_write_sheet(const rg_picture_panel *panels, int n, int side,
                           const char *path)
{
    const int most = n > 2 * COLUMNS ? 2 * COLUMNS : COLUMNS;
    const int columns = n < most ? n : most, rows = (n + most - 1) / most;
    const int wide = side * ENLARGED, high = wide + GAP + GLYPH_H * DOT;
    canvas c = { columns * (wide + GAP) + GAP, rows * (high + GAP) + GAP, NULL };
    c.rgb = rg_error_alloc((size_t)c.nx * (size_t)c.ny, 3, "a sheet");
    if (c.rgb == NULL) return -1;
    for (int i = 0; i < n; i++) {
        int x = GAP + i % most * (wide + GAP);
        int y = c.ny - (i / most + 1) * (high + GAP);
        paste(&c, x, y, panels[i].rgb, side, side, ENLARGED);
        draw_boxes(&c, x, y, &panels[i], side);
        write_text(&c, x, y + wide + GAP, panels[i].label);
    }
    int status = rg_fuse_write_png(c.rgb, c.nx, c.ny, path);
    free(c.rgb);
    return status;
}

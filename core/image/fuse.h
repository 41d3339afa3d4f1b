/* fuse: the images the network is shown (paper section 3.4): here D1, later F, D2..D4.
 *
 *     rg_method method;
 *     RG_TRY(rg_fuse_method("D1", &method));
 *     RG_TRY(rg_fuse(method, radio, 132, 132, rgb));
 */
#ifndef RG_FUSE_H
#define RG_FUSE_H

#include <stdint.h>

typedef enum { RG_METHOD_D1, RG_METHODS } rg_method;

/* Method by its name in the paper; fails naming those there are. */
int rg_fuse_method(const char *name, rg_method *method);
const char *rg_fuse_name(rg_method method);

/* rgb [ny][nx][3] of the radio pixels [ny][nx], row 0 = FITS row 1 in both.
 * D1: log, minmax, cool. */
int rg_fuse(rg_method method, const float *radio, int nx, int ny, uint8_t *rgb);

/* An rgb [ny][nx][3] image, row 0 at the bottom, as a PNG file, top row last FITS row;
 * written beside and renamed. */
int rg_fuse_write_png(const uint8_t *rgb, int nx, int ny, const char *path);

#endif

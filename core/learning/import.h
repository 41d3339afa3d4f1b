/* SPDX-License-Identifier: MIT */
/* import: ImageNet's VGG-16 as others publish it -> a backbone that training begins
 * with (shared/spec/claran.md: "conv1-5 from ImageNet VGG-16").
 *
 *     RG_TRY(rg_import("vgg16.safetensors", "vgg16.fits", history, &what));
 *
 * Read are safetensors in torchvision's names (features.0.weight .. features.28.bias,
 * [out][in][3][3]) and HDF5 in Keras' (block1_conv1/block1_conv1_W_1:0, or kernel:0,
 * [3][3][in][out]).  Everything else in the file, such as its classifier, is left.
 *
 * The networks were trained on different numbers v of the 8-bit image:
 *     Keras        v - M, channels B, G, R; M = 103.939, 116.779, 123.68
 *     torchvision  (v / 255 - m) / s, channels R, G, B
 * and ours is shown v - M.  For torchvision's the difference goes into conv1_1:
 *     w' = w / (255 s),  bias' = bias + sum over w of (M / 255 - m) / s
 * which is exact but in the outermost pixels: there a padding of 0 stands for M where
 * it stood for 255 m, at most 0.5 of 255 away.
 */
#ifndef RG_IMPORT_H
#define RG_IMPORT_H

typedef struct rg_import_report {
    const char *format;       /* "safetensors", "HDF5" */
    int width, convolutions;
    long weights;             /* numbers in them, biases too */
} rg_import_report;

/* Writes the backbone to `out` in 32 bits (beside, and renamed), with `history` (lines
 * ended by NULL, or NULL) as its record.  A missing name, a wrong type or shape, a
 * number that is not finite, a file that is damaged: a sentence, and nothing is
 * written.  The width is that of the file: 64 for VGG-16.  All is done in a process of
 * its own, because libhdf5 (1.10) dies of some damaged files. */
int rg_import(const char *path, const char *out, const char *const *history,
              rg_import_report *report);

#endif

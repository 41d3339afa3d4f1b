/* SPDX-License-Identifier: MIT */
/* tensorfile: named arrays of numbers in files of other programs, read one by one.
 *
 *     const rg_tensorfile *format = &rg_tensorfile_safetensors;
 *     void *file;
 *     RG_TRY(format->open(&file, "vgg16.safetensors"));
 *     n = format->find(file, "features.0.weight", axes);    // 4: [64][3][3][3]
 *     RG_TRY(format->read(file, "features.0.weight", 64 * 27, data));
 *     format->close(file);
 *
 * The files are strangers: what they say of themselves is checked before it sizes
 * anything, and what does not fit is a sentence.  Sentences do not name the file.
 */
#ifndef RG_TENSORFILE_H
#define RG_TENSORFILE_H

#define RG_TENSORFILE_AXES 4

typedef struct rg_tensorfile {
    const char *name;
    /* *file is for the calls below. */
    int (*open)(void **file, const char *path);
    /* How many axes the tensor has (1 to 4), slowest first, each 1 or more; 0 where
     * there is none of that name; -1 where it is none that can be read. */
    int (*find)(void *file, const char *name, long axes[RG_TENSORFILE_AXES]);
    /* All of its `count` numbers as f32, last axis fastest; they may be NaN. */
    int (*read)(void *file, const char *name, long count, float *data);
    void (*close)(void *file);           /* harmless on NULL */
} rg_tensorfile;

/* safetensors 0.x: F32, F16 and BF16. */
extern const rg_tensorfile rg_tensorfile_safetensors;

/* HDF5: floating-point datasets; names are paths ("group/dataset").  Links out of the
 * file are not followed. */
extern const rg_tensorfile rg_tensorfile_hdf5;

#endif

/* SPDX-License-Identifier: MIT */
#include <hdf5.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/error.h"
#include "core/learning/tensorfile.h"

enum { LARGEST_AXIS = 1 << 24 };

typedef struct hdf5 {
    hid_t file;
    hid_t access;             /* how datasets are opened: no links to other files */
} hdf5;

static herr_t refuse(const char *from, const char *name, const char *to,
                     const char *object, unsigned *flags, hid_t access, void *user)
{
    (void)from, (void)name, (void)to, (void)object, (void)flags;
    (void)access, (void)user;
    return -1;
}

static void close_file(void *file)
{
    hdf5 *h = file;
    if (h == NULL) return;
    if (h->access >= 0) H5Pclose(h->access);
    if (h->file >= 0) H5Fclose(h->file);
    free(h);
}

static int open_file(void **out, const char *path)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);   /* the library prints otherwise */
    hdf5 *h = rg_error_alloc(1, sizeof *h, "an HDF5 file");
    if (h == NULL) return -1;
    h->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    h->access = H5Pcreate(H5P_DATASET_ACCESS);
    if (h->access < 0 || H5Pset_elink_cb(h->access, refuse, NULL) < 0 || h->file < 0) {
        close_file(h);
        return RG_FAIL("it is damaged: HDF5 cannot open it");
    }
    *out = h;
    return 0;
}

/* Every group on the way, and the dataset itself. */
static bool exists(const hdf5 *h, const char *name)
{
    char part[256];
    for (size_t i = 1; i < sizeof part && i <= strlen(name); i++) {
        if (name[i] != '/' && name[i] != '\0') continue;
        memcpy(part, name, i);
        part[i] = '\0';
        if (H5Lexists(h->file, part, h->access) <= 0) return false;
    }
    return strlen(name) < sizeof part;
}

/* Numbers kept in this file itself, 1 to 4 axes of them. */
static int check(hid_t set, const char *name, long axes[RG_TENSORFILE_AXES])
{
    hsize_t sides[RG_TENSORFILE_AXES] = { 0 };
    hid_t space = H5Dget_space(set), type = H5Dget_type(set),
          made = H5Dget_create_plist(set);
    int n = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    bool numbers = type >= 0 && H5Tget_class(type) == H5T_FLOAT
                   && H5Tget_size(type) <= 8;
    bool inside = made >= 0 && H5Pget_external_count(made) == 0
                  && H5Pget_layout(made) != H5D_VIRTUAL;
    bool simple = n >= 1 && n <= RG_TENSORFILE_AXES
                  && H5Sget_simple_extent_dims(space, sides, NULL) == n;
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    if (made >= 0) H5Pclose(made);
    if (!numbers)
        return RG_FAIL("dataset %s holds no floating-point numbers of 64 bits or less",
                       name);
    if (!inside) return RG_FAIL("dataset %s is kept in another file", name);
    if (!simple) return RG_FAIL("dataset %s has %d axes", name, n);
    for (int i = 0; i < n; i++) {
        if (sides[i] < 1 || sides[i] > LARGEST_AXIS)
            return RG_FAIL("axis %d of dataset %s is %llu", i + 1, name,
                           (unsigned long long)sides[i]);
        axes[i] = (long)sides[i];
    }
    return n;
}

static int find(void *file, const char *name, long axes[RG_TENSORFILE_AXES])
{
    const hdf5 *h = file;
    if (!exists(h, name)) return 0;
    hid_t set = H5Dopen2(h->file, name, h->access);
    if (set < 0) return RG_FAIL("%s is no dataset that HDF5 can open", name);
    int n = check(set, name, axes);
    H5Dclose(set);
    return n;
}

static int read_numbers(void *file, const char *name, long count, float *data)
{
    const hdf5 *h = file;
    long axes[RG_TENSORFILE_AXES], all = 1;
    int n = find(file, name, axes);
    if (n < 0) return -1;
    for (int i = 0; i < n && all <= count; i++) all *= axes[i];
    if (n == 0 || all != count)
        return RG_FAIL("dataset %s does not have %ld numbers", name, count);
    hid_t set = H5Dopen2(h->file, name, h->access);
    herr_t status = set < 0 ? -1
        : H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    if (set >= 0) H5Dclose(set);
    return status < 0 ? RG_FAIL("dataset %s cannot be read: the file is damaged", name)
                      : 0;
}

const rg_tensorfile rg_tensorfile_hdf5 = {
    .name = "HDF5",
    .open = open_file,
    .find = find,
    .read = read_numbers,
    .close = close_file,
};

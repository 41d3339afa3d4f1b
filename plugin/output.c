/* SPDX-License-Identifier: MIT */
#include "plugin/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/error.h"

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

int rg_output_check(const char *path)
{
    struct stat at;
    if (stat(path, &at) == 0 && !S_ISREG(at.st_mode))
        return RG_FAIL("%s cannot be written: it is %s", path,
                       S_ISDIR(at.st_mode) ? "a folder" : "no regular file");
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (folder == NULL) return RG_FAIL("out of memory");
    int bad = access(folder, W_OK | X_OK), problem = errno;
    free(folder);
    return bad ? RG_FAIL("%s cannot be written: %s", path, strerror(problem)) : 0;
}

int rg_output_open(rg_output *output, const char *path)
{
    *output = (rg_output){ .path = path };
    if (!is_stdout(path)) RG_TRY(rg_output_check(path));
    output->file = open_memstream(&output->text, &output->size);
    return output->file ? 0 : RG_FAIL("out of memory for %s", path);
}

static int write_beside(const rg_output *output)
{
    FILE *file = fopen(output->beside, "wx");
    if (file == NULL) return -1;
    int bad = fwrite(output->text, 1, output->size, file) != output->size;
    return fclose(file) != 0 || bad ? -1 : 0;
}

static int stage(rg_output *output)
{
    int bad = fflush(output->file) != 0 || ferror(output->file);
    bad = fclose(output->file) != 0 || bad;
    output->file = NULL;
    if (bad) return RG_FAIL("out of memory for %s", output->path);
    if (is_stdout(output->path)) {
        fwrite(output->text, 1, output->size, stdout);
        return 0;
    }
    RG_TRY(rg_file_beside(output->path, output->beside));
    if (write_beside(output) == 0) return 0;
    return RG_FAIL("%s could not be written: %s", output->path, strerror(errno));
}

int rg_output_stage(rg_output *outputs, int n)
{
    for (int i = 0; i < n; i++)
        if (outputs[i].file != NULL) RG_TRY(stage(&outputs[i]));
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    return RG_FAIL("standard output could not be written");
}

int rg_output_keep(rg_output *outputs, int n)
{
    RG_TRY(rg_output_stage(outputs, n));
    for (int i = 0; i < n; i++) {
        if (outputs[i].beside[0] == '\0') continue;
        RG_TRY(rg_file_keep(0, outputs[i].beside, outputs[i].path));
        outputs[i].beside[0] = '\0';
    }
    return 0;
}

void rg_output_drop(rg_output *output)
{
    if (output->file != NULL) fclose(output->file);
    if (output->beside[0] != '\0') unlink(output->beside);
    free(output->text);
    *output = (rg_output){ .path = output->path };
}

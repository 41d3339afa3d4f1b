/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine/error.h"
#include "core/engine/file.h"
#include "plugin/commands.h"
#include "plugin/options.h"

#define MENU RG_MODEL_DIR "/claran.ds9"
#define EVERYBODY "/usr/local/bin/claran.ds9"

/* ~/bin/claran.ds9, which DS9 loads by itself; `make`: the folder, where it is not. */
static int place(char path[RG_FILE_NAME], bool make)
{
    const char *home = getenv("HOME");
    if (home == NULL || *home != '/' || strlen(home) > RG_FILE_NAME - 64)
        return RG_FAIL("HOME names no folder");
    snprintf(path, RG_FILE_NAME, "%s/bin", home);
    if (make && mkdir(path, 0777) != 0 && errno != EEXIST)
        return RG_FAIL("the folder %s cannot be made: %s", path, strerror(errno));
    strcat(path, "/claran.ds9");
    return 0;
}

/* Whether there is nothing in the way: 1 where our link is there. */
static int look(const char *path)
{
    char to[RG_FILE_NAME];
    ssize_t n = readlink(path, to, sizeof to);
    if (n < 0 && errno == ENOENT) return 0;
    if (n == sizeof MENU - 1 && memcmp(to, MENU, (size_t)n) == 0) return 1;
    return RG_FAIL("%s is there, and is no link to " MENU ": take it away first", path);
}

static int put(void)
{
    char path[RG_FILE_NAME];
    if (access(MENU, R_OK) != 0)
        return RG_FAIL("there is no menu " MENU ": make install puts it there");
    if (access(EVERYBODY, F_OK) == 0)
        return RG_FAIL("every DS9 of this computer loads " EVERYBODY " already");
    RG_TRY(place(path, true));
    int there = look(path);
    if (there < 0) return -1;
    if (there == 0 && symlink(MENU, path) != 0)
        return RG_FAIL("%s cannot be made: %s", path, strerror(errno));
    printf("%s: each DS9 that you start has the menu now\n", path);
    return 0;
}

static int take_away(void)
{
    char path[RG_FILE_NAME];
    RG_TRY(place(path, false));
    int there = look(path);
    if (there < 0) return -1;
    if (there == 0) return RG_FAIL("there is no %s", path);
    if (unlink(path) == 0) return 0;
    return RG_FAIL("%s cannot be taken away: %s", path, strerror(errno));
}

int rg_install_main(int argc, char **argv)
{
    bool removed = false;
    const rg_option options[] = {
        { "remove", 0, RG_OPTION_FLAG, &removed, 0, 0, NULL, "take the link away" },
        { .name = NULL }
    };
    const rg_usage usage = { "ds9 install", "",
        "Have every DS9 that you start load the menu: ~/bin/claran.ds9 becomes a link\n"
        "to it, which is where DS9 looks.  Not needed after claran-ds9, nor where the\n"
        "menu is in /usr/local/bin.",
        options };
    int status = rg_options_parse(&usage, &argc, argv);
    if (status != RG_GO_ON) return status;
    if (argc > 0) return rg_options_misuse("claran ds9 install wants no %s", argv[0]);
    return (removed ? take_away() : put()) == 0 ? RG_EXIT_OK : rg_options_problem();
}

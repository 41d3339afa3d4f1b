/* SPDX-License-Identifier: MIT */
/* What a DS9 answers.  In place of libxpa here is one whose answers are the input, cut
 * at "====", one after the other; "!" begins a refusal, and no answer is one, too. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xpa.h>

#include "core/engine/error.h"
#include "plugin/area.h"
#include "plugin/companion.h"
#include "plugin/drawing.h"
#include "plugin/edits.h"
#include "tests/fuzz/fuzz.h"

static const char *answers, *answers_end;

XPA XPAOpen(char *mode)
{
    (void)mode;
    return calloc(1, 1);
}

void XPAClose(XPA xpa)
{
    free(xpa);
}

static char *copy(const char *from, size_t n)
{
    char *bytes = calloc(n + 1, 1);
    FUZZ_HOLDS(bytes != NULL);
    return memcpy(bytes, from, n);
}

int XPAGet(XPA xpa, char *template, char *command, char *mode, char **bufs,
           size_t *lengths, char **names, char **messages, int n)
{
    const size_t left = (size_t)(answers_end - answers);
    const char *cut = memmem(answers, left, "====", 4);
    const size_t size = cut ? (size_t)(cut - answers) : left;
    (void)xpa, (void)template, (void)command, (void)mode, (void)n;
    if (left == 0) return 0;
    names[0] = copy("ds9", 3);
    if (*answers == '!') messages[0] = copy(answers + 1, size ? size - 1 : 0);
    bufs[0] = copy(answers, size);
    lengths[0] = size;
    answers = cut ? cut + 4 : answers_end;
    return 1;
}

/* Takes everything. */
int XPASet(XPA xpa, char *template, char *command, char *mode, char *buf, size_t length,
           char **names, char **messages, int n)
{
    (void)xpa, (void)template, (void)command, (void)mode, (void)buf, (void)length;
    (void)names, (void)messages, (void)n;
    return 1;
}

/* The process that goes home for one that was killed is not wanted here. */
pid_t fork(void)
{
    return -1;
}

static void read_frames(rg_xpa *ds9, bool edits)
{
    static const char *const searches[] = { "frame", "view", "selected" };
    rg_frame frame = { .size = 0 }, other = { .size = 0 };
    rg_measured how = RG_MEASURED_DEFAULTS;
    rg_edits e = { .ds9 = ds9, .how = &how, .options = "",
                   .path = fuzz_file("list.csv", "", 0) };
    rg_area area;
    if (edits) {
        rg_edits_correct(&e);
    } else if (rg_frames_current(ds9, &frame) == 0) {
        for (int i = 0; i < 3; i++)
            if (rg_area_find(&area, ds9, searches[i], frame.image) == 0)
                rg_area_has(&area, 150, 30);
        rg_companion_find(ds9, &frame, NULL, false, &other);
    }
    rg_frames_clear(&other);
    rg_frames_clear(&frame);
    rg_edits_clear(&e);
}

static void draw(rg_xpa *ds9)
{
    rg_drawing drawing = { ds9, "address", "1", false };
    rg_looks looks = { .labels = true };
    char *text;
    int n;
    rg_drawing_undo(&drawing, &n);
    rg_drawing_boxes(&drawing, "icrs\n", NULL, NULL);
    if (rg_drawing_read(&drawing, &text) == 0) {
        rg_drawing_dress(&drawing, text, &looks);
        free(text);
    }
    rg_drawing_undo(&drawing, &n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rg_xpa *ds9;
    setenv("XDG_CACHE_HOME", fuzz_folder(), 1);
    if (size == 0) return 0;
    answers = (const char *)data + 1;
    answers_end = (const char *)data + size;
    if (rg_xpa_open(&ds9, "address") != 0) return 0;
    if (data[0] == 'd') draw(ds9);
    else read_frames(ds9, data[0] == 'e');
    rg_xpa_close(ds9);
    return 0;
}

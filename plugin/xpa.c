/* SPDX-License-Identifier: MIT */
#include "plugin/xpa.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xpa.h>

#include "core/engine/error.h"

#define ERROR "XPA$ERROR"

enum { MOST = 2 };   /* answers asked for: one too many is noticed */

struct rg_xpa {
    XPA handle;
    char *method;
};

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) end--;
    *end = '\0';
    return text;
}

/* What XPA said, without its marks: XPA$ERROR before, (name method) behind. */
static int fail(const rg_xpa *xpa, const char *command, char *message)
{
    char *from = strstr(message, ERROR);
    from = from ? from + strlen(ERROR) : message;
    char *behind = strrchr(from, '(');
    if (behind != NULL && strchr(behind, ':') != NULL) *behind = '\0';
    while (*from == ':') from++;
    from = trim(from);
    if (strstr(from, "no response") || strstr(from, "timeout"))
        return RG_FAIL("DS9 at %s does not answer: it is busy, or waits for one of its "
                       "dialogs", xpa->method);
    return RG_FAIL("DS9 refuses \"%s\": %s", command, from);
}

/* The verdict on a call that `got` so many answers; frees what XPA allocated. */
static int judge(const rg_xpa *xpa, const char *command, int got, char **names,
                 char **messages)
{
    int status = 0;
    if (got <= 0)
        status = RG_FAIL("no DS9 answers at %s: it has ended, or its XPA_METHOD is "
                         "another", xpa->method);
    else if (got > 1)
        status = RG_FAIL("more than one program answers to %s: give the address that "
                         "xpaget xpans lists for one of them", xpa->method);
    else if (messages[0] != NULL && strstr(messages[0], ERROR) != NULL)
        status = fail(xpa, command, messages[0]);
    for (int i = 0; i < MOST; i++) {
        free(names[i]);
        free(messages[i]);
    }
    return status;
}

int rg_xpa_open(rg_xpa **out, const char *method)
{
    if (*method == '\0') return RG_FAIL("no DS9 was named: give its XPA method");
    setenv("XPA_CONNECT_TIMEOUT", "10", 0);
    setenv("XPA_SHORT_TIMEOUT", "10", 0);
    setenv("XPA_LONG_TIMEOUT", "60", 0);
    rg_xpa *xpa = rg_error_alloc(1, sizeof *xpa, "XPA");
    if (xpa == NULL) return -1;
    xpa->method = strdup(method);
    xpa->handle = XPAOpen("");
    char version[64];
    int status = xpa->method == NULL || xpa->handle == NULL
        ? RG_FAIL("XPA does not start")
        : rg_xpa_ask(xpa, "version", version, sizeof version);
    if (status == 0) *out = xpa;
    else rg_xpa_close(xpa);
    return status;
}

/* One block: the pointers, then the texts. */
static char **pack(char **texts, int n)
{
    size_t size = 0;
    for (int i = 0; i < n; i++) size += strlen(texts[i]) + 1;
    char **block = rg_error_alloc((size_t)n * sizeof *block + size + 1, 1, "addresses");
    char *to = (char *)(block + n);
    for (int i = 0; block != NULL && i < n; i++) {
        block[i] = to;
        to = stpcpy(to, texts[i]) + 1;
    }
    return block;
}

int rg_xpa_list(const char *name, char ***methods, int *n)
{
    char **classes, **names, **found, **infos, pattern[256];
    snprintf(pattern, sizeof pattern, "DS9:%s", name);
    *n = XPANSLookup(NULL, pattern, "g", &classes, &names, &found, &infos);
    if (*n <= 0) {
        *n = 0;
        *methods = NULL;
        return 0;
    }
    *methods = pack(found, *n);
    for (int i = 0; i < *n; i++) {
        free(classes[i]);
        free(names[i]);
        free(found[i]);
        free(infos[i]);
    }
    free(classes);
    free(names);
    free(found);
    free(infos);
    return *methods != NULL ? 0 : -1;
}

void rg_xpa_close(rg_xpa *xpa)
{
    if (xpa == NULL) return;
    if (xpa->handle != NULL) XPAClose(xpa->handle);
    free(xpa->method);
    free(xpa);
}

const char *rg_xpa_method(const rg_xpa *xpa)
{
    return xpa->method;
}

int rg_xpa_get(rg_xpa *xpa, const char *command, char **bytes, size_t *size)
{
    char *buffers[MOST] = { 0 }, *names[MOST] = { 0 }, *messages[MOST] = { 0 };
    size_t lengths[MOST] = { 0 };
    int got = XPAGet(xpa->handle, xpa->method, (char *)command, "", buffers, lengths,
                     names, messages, MOST);
    int status = judge(xpa, command, got, names, messages);
    char *whole = status == 0 ? realloc(buffers[0], lengths[0] + 1) : NULL;
    if (whole != NULL) {
        whole[lengths[0]] = '\0';
        *bytes = whole;
        *size = lengths[0];
        buffers[0] = NULL;
    } else if (status == 0) {
        status = RG_FAIL("out of memory for DS9's answer to \"%s\"", command);
    }
    for (int i = 0; i < MOST; i++) free(buffers[i]);
    return status;
}

int rg_xpa_ask(rg_xpa *xpa, const char *command, char *answer, size_t size)
{
    char *bytes;
    size_t length;
    RG_TRY(rg_xpa_get(xpa, command, &bytes, &length));
    char *text = trim(bytes);
    length = strlen(text);
    if (length >= size) length = size - 1;
    memcpy(answer, text, length);
    answer[length] = '\0';
    free(bytes);
    return 0;
}

int rg_xpa_has(rg_xpa *xpa, const char *command, bool *yes)
{
    char answer[8];
    RG_TRY(rg_xpa_ask(xpa, command, answer, sizeof answer));
    *yes = strcmp(answer, "yes") == 0;
    return 0;
}

int rg_xpa_set(rg_xpa *xpa, const char *command, const char *data, size_t size)
{
    char *names[MOST] = { 0 }, *messages[MOST] = { 0 };
    int got = XPASet(xpa->handle, xpa->method, (char *)command, "", (char *)data, size,
                     names, messages, MOST);
    return judge(xpa, command, got, names, messages);
}

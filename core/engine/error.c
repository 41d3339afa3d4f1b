/* SPDX-License-Identifier: MIT */
#include "core/engine/error.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char message[1024];
static atomic_uint shortages;

int (rg_error_set)(const char *format, ...)
{
    char text[sizeof message];   /* the arguments may quote the old message */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(message, text, sizeof message);
    return -1;
}

int (rg_error_prefix)(const char *format, ...)
{
    char text[sizeof message];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text) n = (int)strlen(text);
    snprintf(text + n, sizeof text - (size_t)n, "%s", message);
    memcpy(message, text, sizeof message);
    return -1;
}

const char *rg_error_message(void)
{
    return message;
}

void *rg_error_alloc(unsigned long count, unsigned long size, const char *what)
{
    unsigned long bytes;
    bool fits = !__builtin_mul_overflow(count ? count : 1, size ? size : 1, &bytes);
    void *memory = fits ? calloc(1, bytes) : NULL;
    if (memory == NULL) {
        shortages++;
        rg_error_set("out of memory: %lu x %lu bytes for %s", count, size, what);
    }
    return memory;
}

int rg_error_memory(const char *what)
{
    shortages++;
    return rg_error_set("out of memory for %s", what);
}

unsigned rg_error_shortages(void)
{
    return shortages;
}

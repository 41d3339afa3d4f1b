/* SPDX-License-Identifier: MIT */
/* A library to preload, which makes one of a program's allocations fail:
 *
 *     FAULTS=list LD_PRELOAD=tests/faults.so claran ... 9> list    all: NUMBER PLACE
 *     FAULTS=17 LD_PRELOAD=tests/faults.so claran ...              the 17th fails
 *
 * Counted are the program's own, with FAULTS_OF=libraries those of its libraries.
 * The place is the same for all that came there by the same calls.  Without
 * OMP_WAIT_POLICY in its surroundings claran starts itself again, without this.
 */
#include <elf.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

enum { LIST = 9, DEPTH = 5 };     /* where a list goes; frames that tell places apart */

static struct {
    bool ready, list, libraries;
    long fail;                    /* 0: none */
    uintptr_t base, end;          /* of the program in memory */
} how;
static atomic_long count;
static _Thread_local bool within;

static void find_program(void)
{
    const ElfW(Phdr) *part = (const void *)getauxval(AT_PHDR);
    const size_t n = getauxval(AT_PHNUM);
    uintptr_t end = 0;
    for (size_t i = 0; i < n; i++) {
        if (part[i].p_type == PT_PHDR) how.base = (uintptr_t)part - part[i].p_vaddr;
        if (part[i].p_type == PT_LOAD) end = part[i].p_vaddr + part[i].p_memsz;
    }
    how.end = how.base + end;
}

__attribute__((constructor)) static void begin(void)
{
    const char *wish = getenv("FAULTS"), *of = getenv("FAULTS_OF");
    void *frames[DEPTH];
    within = true;
    backtrace(frames, DEPTH);     /* the first one allocates */
    find_program();
    how.list = wish && strcmp(wish, "list") == 0;
    how.libraries = of && strcmp(of, "libraries") == 0;
    how.fail = wish ? atol(wish) : 0;
    how.ready = wish != NULL;
    unsetenv("LD_PRELOAD");       /* not for programs that it starts */
    within = false;
}

static bool is_own(const void *code)
{
    return (uintptr_t)code >= how.base && (uintptr_t)code < how.end;
}

static void list(long number)
{
    void *frames[DEPTH];
    const int n = backtrace(frames, DEPTH);
    uintptr_t place = 0;
    for (int i = 2; i < n; i++)
        if (is_own(frames[i])) place = 31 * place + ((uintptr_t)frames[i] - how.base);
    dprintf(LIST, "%ld %lx\n", number, (unsigned long)place);
}

static bool fails(const void *caller)
{
    if (!how.ready || within || is_own(caller) == how.libraries) return false;
    const long number = ++count;
    within = true;
    if (how.list) list(number);
    within = false;
    if (number == how.fail) errno = ENOMEM;
    return number == how.fail;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

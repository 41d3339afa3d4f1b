/* SPDX-License-Identifier: MIT */
/* fuzz: what the targets share.
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *     {
 *         rg_thing *thing;
 *         if (rg_thing_read(&thing, fuzz_file("thing", data, size)) == 0) use(thing);
 *         return 0;
 *     }
 *
 * libFuzzer calls that function with one input after the other; whatever the input, it
 * has to end in time, within its memory, and without an error of a sanitizer.
 */
#ifndef RG_FUZZ_H
#define RG_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

/* A folder in memory (/dev/shm) that goes when the process ends well, and a file there
 * with that content. */
const char *fuzz_folder(void);
const char *fuzz_file(const char *name, const void *data, size_t size);

/* The input as a text: a NUL behind it; the caller frees. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Stops here, as a finding, where what must hold does not. */
#define FUZZ_HOLDS(condition) do { if (!(condition)) __builtin_trap(); } while (0)

#endif

#!/bin/bash
# SPDX-License-Identifier: MIT
# A short share of "make fuzz", where clang is.
targets=$(sed -n '/^FUZZ_TARGETS = /,/[^\\]$/p' "${srcdir:-.}/Makefile.am" |
    grep -o 'tests/fuzz/[a-z]*')
FUZZ_NICE=0 bash "${srcdir:-.}/tests/fuzz/run.sh" "${FUZZ_SECONDS:-3}" $targets
status=$?
[ $status != 77 ] || { echo "skip fuzz: there is no clang with libFuzzer"; exit 0; }
exit $status

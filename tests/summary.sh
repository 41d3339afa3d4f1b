#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the tests named, C programs from the build folder and scripts from the source folder,
# ($RG_RUNNER: before each program, such as valgrind),
# and ends with "N passed, N failed, N skipped"; the exit status is 1 when one failed.
# Spinning OpenMP threads of one test would starve the others on a busy machine.
export OMP_WAIT_POLICY=passive
# What is compared is what the processor finds; test_gpu and test_gradients ask for a card.
export CLARAN_GPU=none
# ThreadSanitizer learns from Archer what OpenMP (clang's) puts in order, and passes over
# libraries that were not built for it: oneDNN, CFITSIO.
if grep -qs 'fsanitize=thread' Makefile; then
    export TSAN_OPTIONS=ignore_noninstrumented_modules=1
    export OMP_TOOL_LIBRARIES=$(clang -print-file-name=libarcher.so)
fi
log=tests/summary.log
: > "$log"
for test in "$@"; do
    case $test in
    *.sh) runner="bash $srcdir/$test" ;;
    *) runner="$RG_RUNNER ./$test" ;;
    esac
    echo "== $test"
    start=$(date +%s)
    timeout 900 $runner > tests/one.log 2>&1 < /dev/null
    status=$?
    # A program that died, or failed without saying where, is a failure of its own.
    if [ $status -ne 0 ] && ! grep -q '^FAIL ' tests/one.log; then
        echo "FAIL $test (exit status $status; 124 is 15 minutes)" >> tests/one.log
    fi
    grep -Ev '^ok ' tests/one.log
    echo "   $(grep -c '^ok ' tests/one.log) ok in $(($(date +%s) - start)) s"
    cat tests/one.log >> "$log"
done
passed=$(grep -c '^ok ' "$log")
failed=$(grep -c '^FAIL ' "$log")
skipped=$(grep -c '^skip ' "$log")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

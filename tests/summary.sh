#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the tests named, C programs from the build folder and scripts from the source folder,
# and ends with "N passed, N failed, N skipped"; the exit status is 1 when one failed.
# Spinning OpenMP threads of one test would starve the others on a busy machine.
export OMP_WAIT_POLICY=passive
log=tests/summary.log
: > "$log"
for test in "$@"; do
    case $test in
    *.sh) runner="bash $srcdir/$test" ;;
    *) runner="./$test" ;;
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

#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh SECONDS TARGET...: builds the fuzz targets with clang in ./fuzz and gives each so
# many seconds; prints "ok NAME" or "FAIL NAME: FILE", the input that was too much for it,
# which lies in fuzz/findings.  What was found interesting is kept in fuzz/corpus for the
# next time; fuzz/done.csv sums up.  Run in the build folder.
seconds=$1
shift
source=$(cd "$srcdir" && pwd)
nice=${FUZZ_NICE-10} jobs=${FUZZ_JOBS-$(nproc)} most=${FUZZ_TIMEOUT-25}

mkdir -p fuzz && cd fuzz || exit 1
echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return n && *d; }' > try.c
if ! clang -fsanitize=fuzzer try.c -o try 2> try.log; then
    echo "There is no clang with libFuzzer here: apt-get install clang libclang-rt-dev" >&2
    exit 77
fi

build() {
    [ -f Makefile ] || "$source/configure" --quiet --without-cuda --enable-sanitize=fuzzer \
        CC=clang CFLAGS='-O2 -g' || exit 1
    make --no-print-directory -j "$jobs" fuzz-targets > make.log 2>&1 ||
        { cat make.log; exit 1; }
}

# Longest inputs [bytes]; what a target may take for one: 256 MiB at once, 2 GiB together,
# 25 s (FUZZ_TIMEOUT: more, on a machine that is busy).
run() {
    local name=${1##*/} log=$1.log length=20000 start=$SECONDS status executions
    case $name in model) length=400000 ;; image | xpa | training) length=100000 ;; esac
    mkdir -p "corpus/$name" findings
    ASAN_OPTIONS=allocator_may_return_null=1 OMP_NUM_THREADS=1 nice -n "$nice" "./$1" \
        -max_total_time="$seconds" -max_len=$length -timeout="$most" -rss_limit_mb=2048 \
        -malloc_limit_mb=256 -print_final_stats=1 -reload=0 -verbosity=1 \
        -artifact_prefix="findings/$name-" "corpus/$name" "seeds/$name" > "$log" 2>&1
    status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    echo "$name,$((SECONDS - start)),${executions:-0},$((status != 0))" >> done.csv
    if [ $status = 0 ]; then
        echo "ok fuzz_$name ($executions inputs)"
    else
        grep -E '^ *#[0-9] |ERROR|runtime error|SUMMARY' "$log" | head -20
        echo "FAIL fuzz_$name: $(sed -n "s|.*\(findings/$name-[^ ]*\)$|$PWD/\1|p" "$log" | tail -1)"
    fi
    return $status
}

build
bash "$source/tests/fuzz/seeds.sh" seeds || exit 1
export -f run
export seconds nice most
printf '%s\n' "$@" | xargs -P "$jobs" -I {} bash -c 'run {}' || exit 1

#!/bin/bash
# SPDX-License-Identifier: MIT
# Much work: long lists with bad images strewn in, stopped and started again; many requests
# to one resident process; many processes at once.  RG_FULL: 5,000 images, 10,000 requests.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
export OMP_NUM_THREADS=1
work=$(mktemp -d) || exit 1
trap 'kill $server 2> /dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
images=${RG_FULL:+5000} requests=${RG_FULL:+10000}
images=${images:-60} requests=${requests:-300}
"$claran" simulate f -n "$images" --size 80 --density 1 --seed 8 > log 2>&1 ||
    { cat log; echo "FAIL simulate"; exit 1; }
rm f/*_w1.fits

# same A B: but for the time they were made and the options' order in the header
same() { diff <(sed 's/,[^,]*$//' "$1") <(sed 's/,[^,]*$//' "$2") > /dev/null; }
# ... and the area that was searched
sources_of() { grep "$1" "$2" | sed 's/\(,[^,]*\)\{2\}$//'; }
strew() {
    head -c 20000 f/sim_00003.fits > f/a_cut.fits
    echo "no image" > f/m_text.fits
    fits f/s_nan.fits -32 377 "80 80" "${wcs[@]}"
    fits f/z_plain.fits -32 000 "80 80"
    mkdir f/zz_folder.fits
}
survey() { exec "$claran" detect f/*.fits f/none.fits --keep-going --results done -o "$1"; }
long_list() {
    local bad kept job image
    "$claran" detect f/*.fits -o good.csv > out 2>&1 || wrong "$(cat out)" || return 1
    for image in f/sim_00000.fits f/sim_0003[0-3].fits f/sim_00059.fits; do   # as alone
        "$claran" detect "$image" -o alone.csv > out 2>&1 || wrong "$(cat out)" || return 1
        cmp -s <(sources_of "$image" alone.csv) <(sources_of "$image" good.csv) ||
            wrong "$image" || return 1
    done
    strew
    survey s.csv > out 2> err & job=$!
    until [ "$(ls done 2> /dev/null | wc -l)" -ge 20 ] || ! kill -0 $job; do sleep 0.02; done
    kill -9 $job 2> /dev/null && wait $job 2> /dev/null
    [ ! -e s.csv ] || wrong "it was over already" || return 1
    : > mark; sleep 0.02
    kept=$(ls done/*.results | wc -l)
    (survey s.csv) > out 2> err
    [ $? = 1 ] || wrong "exit status" || return 1
    same s.csv good.csv || wrong "another catalogue" || return 1
    [ "$(find done -name '*.results' ! -newer mark | wc -l)" = "$kept" ] ||
        wrong "it did again what was done" || return 1
    [ "$(ls done | wc -l)" = "$images" ] || wrong "left: $(ls done | grep -v results)" || return 1
    for bad in a_cut m_text s_nan z_plain zz_folder none; do
        grep -q "^claran: .*f/$bad.fits" err || wrong "nothing of $bad: $(cat err)" || return 1
    done
    grep -q "6 of $((images + 6)) images could not be searched" err || wrong "$(tail -1 err)" ||
        return 1
    echo "$images images, 6 bad: stopped after $kept"
}

# What a terminal is shown of a list: numbers that rise, to the last image, once.
shows_how_far() {
    local shown
    shown=$(script -qc "'$claran' detect f/sim_*.fits -o p.csv" /dev/null | tr '\r' '\n' |
        sed -n "s/^\([0-9]*\) of $images images$/\1/p")
    [ "$(wc -l <<< "$shown")" -gt 5 ] && sort -nc <<< "$shown" &&
        [ "$(grep -cx "$images" <<< "$shown")" = 1 ] || wrong "shown: $shown"
}

point() { timeout 60 xpaget claran "$@"; }
memory() { awk '/VmRSS/ { print $2 }' /proc/$server/status; }
is_up() { point status > /dev/null 2>&1; }
resident() {
    local i early late image=$PWD/f/sim_00001.fits
    type xpaget > /dev/null 2>&1 || { echo "skip resident: no xpaget (xpa-tools)"; return; }
    mkdir -m 700 run && export XPA_METHOD=local XPA_TMPDIR=$PWD/run/xpa
    # AddressSanitizer would keep 256 MiB of what was freed
    ASAN_OPTIONS=quarantine_size_mb=1 "$claran" serve > serve.log 2>&1 & server=$!
    for ((i = 0; i < 600; i++)); do is_up && break; sleep 0.1; done
    point detect "\"$image\"" > expected || wrong "$(cat expected serve.log)" || return 1
    for ((i = 0; i < requests; i++)); do
        point detect "\"$image\"" > got
        cmp -s expected got || wrong "request $i: $(cat got)" || return 1
        [ $i = 100 ] && early=$(memory)
        [ $((i % 50)) = 7 ] && point detect /none.fits > got 2>&1
    done
    late=$(memory)
    point stop > /dev/null; wait $server
    echo "$requests requests: $early KiB after 100, $late KiB at the end"
    [ "$late" -lt $((early + 2048)) ]
}
eight_at_once() {
    local i jobs=()
    "$claran" detect f/sim_0000[0-4].fits -o one.csv > out || return 1
    for i in 1 2 3 4 5 6 7 8; do
        "$claran" detect f/sim_0000[0-4].fits -o $i.csv > $i.out 2>&1 & jobs+=($!)
    done
    for i in 1 2 3 4 5 6 7 8; do
        wait "${jobs[i - 1]}" && same $i.csv one.csv || wrong "$(cat $i.out)" || return 1
    done
}

for test in long_list shows_how_far resident eight_at_once; do run $test; done
[ $failures = 0 ]

#!/bin/bash
# SPDX-License-Identifier: MIT
# From the click to the boxes in the real DS9, and 10,000 boxes drawn: medians of seven.
srcdir=${srcdir:-.} claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
ds9_need || { echo "no bench: $ds9_lacks"; exit 0; }
ds9_start || exit 1
times=7
"$claran" simulate "$work/f" -n $((6 * times)) --seed 5 --size 100 > "$work/log" || exit 1
sed "s|@bindir@/claran|$claran|" "$srcdir/ds9/claran.ds9.in" > "$work/menu.ds9"
ds9_menu "$work/menu.ds9"

ms() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
boxes() { ask regions -format ds9 -group claran | grep -c '^box'; }
field() { order regions delete all; order file "$work/f/sim_$(printf %05d "$1").fits"; }
drawn() { [ "$(boxes)" -gt 0 ]; }

# What a click on the entry does, XPA's task does.
entry="Detect sources"
click() {
    local start
    ds9_ended=$(ended "$entry") start=$(ms)
    order analysis task "{$entry}"
    until drawn; do :; done
    echo $(($(ms) - start))
    until_ 60 has_ended "$entry"
}
# many HOW FIRST ANEW: as many clicks, each on a field that nobody has seen, or all on one
many() {
    for ((i = 0; i < times; i++)); do
        field $(($2 + i * $3)); click
    done > "$work/ms"
    echo "$1: $(median < "$work/ms") ms from the click to the boxes"
}
each() {
    for ((i = 0; i < times; i++)); do
        field $(($2 + i))
        start=$(ms)
        "$claran" ds9 detect "$ds9_method" --precision "$1" > "$work/out" || cat "$work/out"
        echo $(($(ms) - start))
    done > "$work/ms"
    echo "the command in $1: $(median < "$work/ms") ms, process to boxes"
}
export CLARAN_SERVE=no
many "3' field, a new process and model" 0 1
many "the same field again, from kept results" 0 0
each f32 $((2 * times))
each bf16 $((3 * times))
"$claran" serve > "$work/serve.log" 2>&1 & server=$!
trap 'kill $server; ds9_stop' EXIT
until timeout 5 xpaget claran status > "$work/out" 2>&1; do sleep 0.1; done
many "3' field, with claran serve" $((4 * times)) 1
timeout 20 xpaget claran stop > "$work/out"
wait $server
trap ds9_stop EXIT

order regions delete all
field 0 && click > "$work/out"
line=$(ask regions -format ds9 -system wcs -sky icrs -group claran | grep -m1 '^box')
for ((i = 0; i < 10000; i++)); do echo "$line"; done > "$work/many"
order regions delete all
{ echo "icrs"; cat "$work/many"; } | feed regions -format ds9
[ "$(boxes)" = 10000 ] || echo "DS9 has $(boxes) boxes, not 10000"
for ((i = 0; i < times; i++)); do
    start=$(ms)
    "$claran" ds9 labels "$ds9_method" > "$work/out" || cat "$work/out"
    echo $(($(ms) - start))
done > "$work/ms"
echo "10,000 boxes read, changed and drawn anew: $(median < "$work/ms") ms"
for ((i = 0; i < times; i++)); do
    order regions delete all
    start=$(ms)
    { echo "icrs"; cat "$work/many"; } | feed regions -format ds9
    echo $(($(ms) - start))
done > "$work/ms"
echo "10,000 boxes drawn: $(median < "$work/ms") ms"

#!/bin/bash
# SPDX-License-Identifier: MIT
# claran serve: asked by XPA's own client, and by the menu's command in the real DS9.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"

ds9_need || { echo "skip serve: $ds9_lacks"; exit 0; }
ds9_start || { echo "FAIL ds9_start"; exit 1; }
"$claran" simulate "$work/f" --seed 3 --size 132 --density 2 > "$work/log" 2>&1 ||
    { cat "$work/log"; echo "FAIL simulate"; exit 1; }
field="$work/a \"field\" of mine.fits" && cp "$work/f/sim_00000.fits" "$field"
order file "$work/f/sim_00000.fits"
point() { timeout 60 xpaget claran "$@"; }
is_up() { point status > /dev/null 2>&1; }
is_down() { [ -z "$(compgen -G "$XPA_TMPDIR/CLARAN_claran.*")" ]; }
serve() {
    "$claran" serve "$@" > "$work/serve.log" 2>&1 & server=$!
    until_ 20 is_up || wrong "it does not serve: $(cat "$work/serve.log")"
}
trap 'kill $server 2> /dev/null; ds9_stop' EXIT

answers_as_claran_detect() {
    serve || return 1
    "$claran" detect "$field" > "$work/expected" || return 1
    point detect "\"${field//\"/\\\"}\"" > "$work/out" || wrong "$(cat "$work/out")" || return 1
    diff "$work/expected" "$work/out" || return 1
    point detect "\"${field//\"/\\\"}\"" --threshold 0.1 -o - > "$work/out" || return 1
    "$claran" detect "$field" --threshold 0.1 -o - > "$work/expected" || return 1
    diff <(sed 's/,[^,]*$//' "$work/expected") <(sed 's/,[^,]*$//' "$work/out") || return 1
    point status | grep -q "2 models loaded" || wrong "$(point status)"
}

# refuses WORDS REQUEST...
refuses() {
    local words=$1; shift
    ! point "$@" > "$work/out" 2>&1 && grep -q "^XPA\$ERROR .*$words" "$work/out" ||
        wrong "no \"$words\": $(cat "$work/out")"
}
tells_what_is_wrong() {
    refuses "nothing.fits" detect /nothing.fits && refuses "unknown option --no" detect --no &&
        refuses 'half a pair of "' detect '"/x' && refuses "say detect" train x &&
        refuses "say detect" X=1 status && refuses "no DS9 answers" ds9 detect /nowhere/x &&
        refuses "none.fits" CLARAN_MODEL=/none.fits detect "$work/f/sim_00000.fits" &&
        point detect "$work/f/sim_00000.fits" | grep -q "method D1"
}

boxes() { ask regions -format ds9 -system wcs -sky icrs -group claran | grep '^box'; }
served() { point status | sed 's/.*, \([0-9]*\) request.*/\1/'; }
detect_is_forwarded() {
    local before
    order regions group claran delete
    "$claran" ds9 detect "$ds9_method" -t 0.3 > "$work/out" 2>&1 || return 1
    [ "$(served)" -gt 3 ] || return 1
    mv "$work/out" "$work/warm" && boxes > "$work/warm.reg"
    before=$(served)
    XDG_RUNTIME_DIR=$work/home XPA_METHOD=localhost "$claran" ds9 detect "$ds9_method" \
        -t 0.3 > "$work/out" 2>&1 || return 1
    [ "$(served)" = $((before + 1)) ] || wrong "that was forwarded, too" || return 1
    sed -i '/^[0-9] of /d; /seen this before/d' "$work/warm" "$work/out"
    diff "$work/warm" "$work/out" && diff "$work/warm.reg" <(boxes)
}
failure_is_forwarded() {
    order frame new
    "$claran" ds9 detect "$ds9_method" > "$work/out" 2>&1 && return 1
    order frame delete
    grep -q "is empty: open" "$work/out" || wrong "$(cat "$work/out")" || return 1
    CLARAN_MODEL=none.fits "$claran" ds9 detect "$ds9_method" > "$work/out" 2>&1
    [ $? = 1 ] && grep -q "^claran: .*none.fits" "$work/out" || wrong "$(cat "$work/out")"
}

only_one_serves() {
    "$claran" serve | grep -q "serves already"
}
nobody_gets_an_answer() {
    local address=$(echo "$XPA_TMPDIR"/CLARAN_claran.*)
    chmod 755 "$work" && chmod 777 "$XPA_TMPDIR"
    runuser -u nobody -- timeout 20 env HOME=/ xpaget "$address" status > "$work/out" 2>&1
    chmod 700 "$work"
    grep -q "another user" "$work/out" || wrong "$(cat "$work/out")"
}
stops_when_told() {
    point stop > /dev/null && until_ 5 is_down && wait $server
}
stops_when_idle() {
    serve --idle 2 && sleep 1 && is_up && ! is_down && until_ 6 is_down && wait $server
}
# Of a killed one the socket is left: neither the next server nor a click minds.
killed_server_is_replaced() {
    serve && kill -9 $server && wait $server 2> /dev/null
    ! is_down || wrong "the test needs the socket" || return 1
    "$claran" ds9 detect "$ds9_method" > "$work/out" 2>&1 || wrong "$(cat "$work/out")" ||
        return 1
    serve && [ "$(compgen -G "$XPA_TMPDIR/CLARAN_claran.*" | wc -l)" = 1 ] &&
        stops_when_told
}
# It answers as long as it holds the second byte of its file, too.
is_answering() {
    grep -q "POSIX.* WRITE $server .*:$(stat -c %i "$XPA_TMPDIR/claran.lock") 0 1\$" /proc/locks
}
# Neither one after ^Z nor one that works for somebody else is waited for.
is_not_waited_for() {
    local start=$SECONDS
    serve && kill -STOP $server || return 1
    "$claran" ds9 detect "$ds9_method" > "$work/out" || wrong "$(cat "$work/out")" || return 1
    kill -CONT $server
    [ $((SECONDS - start)) -lt 10 ] || wrong "$((SECONDS - start)) s" || return 1
    "$claran" simulate "$work/large" --size 1000 -n 1 --seed 4 > "$work/log" || return 1
    point detect "$work/large/sim_00000.fits" > /dev/null & local other=$!
    until_ 20 is_answering || wrong "it does not answer" || return 1
    "$claran" ds9 detect "$ds9_method" > "$work/out" || wrong "$(cat "$work/out")" || return 1
    kill -0 $other 2> /dev/null || wrong "the other's came first" || return 1
    wait $other && stops_when_told
}
# A click that was cancelled leaves the boxes as they were.
abandoned_draws_nothing() {
    serve && order regions group claran delete || return 1
    "$claran" simulate "$work/middle" --size 500 -n 1 --seed 4 > "$work/log" || return 1
    order frame new && order file "$work/middle/sim_00000.fits"
    "$claran" ds9 detect "$ds9_method" > "$work/out" & local client=$!
    until_ 20 is_answering || wrong "it does not answer" || return 1
    kill -9 $client; wait $client 2> /dev/null
    until_ 60 eval '! is_answering' || wrong "it goes on" || return 1
    [ -z "$(boxes)" ] || wrong "boxes: $(boxes)" || return 1
    "$claran" ds9 detect "$ds9_method" > "$work/out" && [ -n "$(boxes)" ] || return 1
    order frame delete && stops_when_told
}
# After a new claran was installed the old one ends, and the click works.
ends_for_a_new_program() {
    serve && cp "$claran" "$work/new" || return 1
    "$work/new" ds9 detect "$ds9_method" > "$work/out" 2>&1 || wrong "$(cat "$work/out")" ||
        return 1
    grep -q "^[0-9]* source" "$work/out" && until_ 5 is_down && wait $server
}
keeps_its_own_model() {
    CLARAN_MODEL=/none.fits serve || return 1
    refuses "none.fits" detect "$work/f/sim_00000.fits" &&
        "$claran" ds9 detect "$ds9_method" > "$work/out" && [ "$(served)" -gt 2 ] &&
        refuses "none.fits" detect "$work/f/sim_00000.fits" && stops_when_told
}
starts_on_demand() {
    CLARAN_SERVE=yes "$claran" ds9 detect "$ds9_method" > "$work/out" || return 1
    until_ 20 is_up && point stop > /dev/null && until_ 5 is_down
}
# On a card that is the host (tests/card.c), with a model that is small enough for it.
on_a_card() {
    local -x CLARAN_GPU=${claran%/*}/tests/claran-card.so CLARAN_MODEL=$work/tiny.fits
    [ -f "$CLARAN_GPU" ] || wrong "make check builds $CLARAN_GPU, which is not there" || return 1
    [ -f "$CLARAN_MODEL" ] || "$claran" train "$work/f.csv" -o "$CLARAN_MODEL" --backend cpu \
        --input 64 --width 4 --fc 16 --steps 1 --anchors 6,9,14,20,30,44 > "$work/log" 2>&1 ||
        wrong "$(cat "$work/log")" || return 1
    serve
}
ends_with_its_card() {
    local -x CARD_BUSY=0
    on_a_card && refuses "the GPU failed" detect "$work/f/sim_00000.fits" --backend gpu &&
        until_ 5 is_down && wait $server && return
    kill $server; wait $server
    return 1
}
views_are_told_apart() {
    local views
    on_a_card || return 1
    for views in 1 2; do
        point detect "$work/f/sim_00000.fits" --views $views > "$work/out" || cat "$work/out"
    done
    point status > "$work/out"
    stops_when_told && grep -q "2 models loaded" "$work/out" || wrong "$(cat "$work/out")"
}
# --backend auto, which looks for the driver (a library of its name is enough), answers.
ends_where_its_card_dies() {
    local -x CARD_BUSY=150 LD_LIBRARY_PATH=$work/driver
    type gcc > /dev/null || { echo "skip ends_where_its_card_dies: no gcc"; return; }
    mkdir "$work/driver" && gcc -shared -o "$work/driver/libcuda.so.1" -x c /dev/null || return 1
    on_a_card && point detect "$work/f/sim_00000.fits" > "$work/out" &&
        grep -q "the processor is used: .*the GPU failed" "$work/out" &&
        until_ 5 is_down && wait $server && return
    cat "$work/out"
    kill $server; wait $server
    return 1
}
# The next request may find more room.
what_was_shrunk_does_not_stay() {
    local -x CARD_ROOM=4000000
    "$claran" simulate "$work/wide" --size 300 -n 1 --seed 4 > "$work/log" || return 1
    on_a_card && point status | grep -q "1 model loaded" &&
        point detect "$work/wide/sim_00000.fits" --backend gpu -o "$work/x.csv" > "$work/out" &&
        grep -q "windows at once, not" "$work/out" || wrong "$(cat "$work/out")" || return 1
    point status | grep -q "1 model loaded" || wrong "$(point status)" || return 1
    stops_when_told
}
refuses_a_folder_of_others() {
    mkdir -m 755 "$work/run" "$work/run/claran" && chmod 755 "$work/run/claran"
    XPA_METHOD=localhost XDG_RUNTIME_DIR=$work/run timeout 20 "$claran" serve \
        > "$work/out" 2>&1 && return 1
    grep -q "nobody else may enter" "$work/out" || wrong "$(cat "$work/out")"
}

for test in answers_as_claran_detect tells_what_is_wrong detect_is_forwarded \
    failure_is_forwarded only_one_serves; do run $test; done
if [ "$(id -u)" = 0 ] && runuser -u nobody -- true 2> /dev/null; then
    run nobody_gets_an_answer
else
    echo "skip nobody_gets_an_answer: only root can be another user"
fi
for test in stops_when_told stops_when_idle killed_server_is_replaced is_not_waited_for \
    abandoned_draws_nothing ends_for_a_new_program \
    keeps_its_own_model starts_on_demand ends_with_its_card ends_where_its_card_dies views_are_told_apart \
    what_was_shrunk_does_not_stay \
    refuses_a_folder_of_others; do run $test; done
[ $failures = 0 ]

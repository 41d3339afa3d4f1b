#!/bin/bash
# SPDX-License-Identifier: MIT
# claran-ds9: a DS9 with the menu that other users of the computer cannot reach.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"

ds9_need || { echo "skip wrapper: $ds9_lacks"; exit 0; }
ds9_screen || { echo "FAIL ds9_screen"; exit 1; }
unset XPA_METHOD XPA_TMPDIR
sed "s|@bindir@/claran|$claran|" "$srcdir/ds9/claran.ds9.in" > "$work/claran.ds9"
sed "s|@pkgdatadir@|$work|" "$srcdir/ds9/claran-ds9.in" > "$work/claran-ds9"
open=$(mktemp -d) && chmod 755 "$open"
trap 'rm -rf "$open"; ds9_stop' EXIT
export XDG_RUNTIME_DIR=$open
fits "$work/image of mine.fits" 16 000 "50 50" "${wcs[@]}"

# A folder that a killed one left, and one whose DS9 is still there.
mkdir "$open/claran-ds9.stale" "$open/claran-ds9.alive"
echo 4194304 > "$open/claran-ds9.stale/pid"
echo $$ > "$open/claran-ds9.alive/pid"

address() { echo "$open"/claran-ds9.??????/xpa/DS9_"$title".*; }
is_log() { [ "$(ask scale)" = log ]; }
is_up() { [ -S "$(address)" ]; }
as_nobody() { runuser -u nobody -- timeout 20 env HOME=/ "$@"; }

starts_with_menu_and_arguments() {
    sh "$work/claran-ds9" -title "$title" "$work/image of mine.fits" -scale log \
        > "$work/ds9.log" 2>&1 &
    ds9_pid=$!
    until_ 60 is_up || wrong "no DS9" || return 1
    ds9_method=$(address)
    export XPA_METHOD=local XPA_TMPDIR=${ds9_method%/*}
    until_ 60 ds9_answers || wrong "DS9 does not answer" || return 1
    ask analysis task | grep -q "Detect sources" || wrong "no menu" || return 1
    [ "$(ask file)" = "$work/image of mine.fits" ] || wrong "$(ask file)" || return 1
    until_ 10 is_log || wrong "scale $(ask scale)"
}

stale_folders_go() {
    [ ! -e "$open/claran-ds9.stale" ] || wrong "the stale folder is there" || return 1
    [ -e "$open/claran-ds9.alive" ] || wrong "the other one's folder is gone"
}

# Another user has the DS9 at that address run a program as its own user: by Tcl, and by
# an analysis menu of his.
nobody_attacks() {
    local xpa=(as_nobody env XPA_METHOD=local XPA_TMPDIR="${1%/*}")
    echo "exec touch $open/by_tcl" | "${xpa[@]}" xpaset "$1" tcl
    printf '%s\n' hack '*' menu "touch $open/by_menu | \$null" |
        "${xpa[@]}" xpaset "$1" analysis load
    "${xpa[@]}" xpaset -p "$1" analysis task hack
    "${xpa[@]}" xpaget "$1" version
} > "$work/out" 2>&1
was_attacked() { [ -O "$open/by_tcl" ] && [ -O "$open/by_menu" ]; }

nobody_is_kept_out() {
    nobody_attacks "$ds9_method"
    sleep 1
    [ ! -e "$open/by_tcl" ] && [ ! -e "$open/by_menu" ] ||
        wrong "attacked: $(cat "$work/out")" || return 1
    ! grep -q "^$title 8" "$work/out" || wrong "$(cat "$work/out")" || return 1
    [ "$(ask version | grep -c 8)" = 1 ] || wrong "the user is kept out as well"
}

# says WORDS STATUS ARGUMENT...: claran ds9 check does, and ends with that status.
says() {
    local words=$1 status=$2; shift 2
    timeout 60 "$claran" ds9 check "$@" > "$work/out" 2>&1
    [ $? = $status ] || wrong "status is not $status: $(cat "$work/out")" || return 1
    grep -q "$words" "$work/out" || wrong "no \"$words\": $(cat "$work/out")"
}
check_finds_all_well() {
    says "^Nothing is wrong" 0 && says "^sockets *private" 0 "$ds9_method" &&
        says "^version *DS9 8" 0 "$title" && says "^menu *Analysis > ClaRAN" 0 &&
        says "^model *method D1, .*claran-d1.fits" 0 && says "^device *cpu" 0 &&
        says "^frame 1 *radio image, the current one: image of mine.fits, 50 x 50" 0 &&
        CLARAN_MODEL=none.fits says "WRONG: .*none.fits" 1
}
check_tells_of_frames() {
    order frame new && says "^frame 2 *not usable.*is empty: open" 0 &&
        [ "$(ask frame)" = 2 ] && order frame hide 1 &&
        says "^frame 1 *radio image, hidden" 0 && [ "$(ask frame active | tr -d ' ')" = 2 ] ||
        wrong "$(cat "$work/out")" || return 1
    order frame delete all && says "note: DS9 has no frame" 0
}

# For the next detection; it ends with the folder.
detection_leaves_a_server() {
    order frame new && order analysis task 0
    until_ 60 has_server || wrong "no server: $(ls "$XPA_TMPDIR")"
}
has_server() { server=$(compgen -G "$XPA_TMPDIR/CLARAN_claran.*"); }
server_is_gone() { ! kill -0 "${server##*.}" 2> /dev/null; }

it_leaves_nothing() {
    kill -TERM $ds9_pid
    wait $ds9_pid
    ! compgen -G "$open/claran-ds9.??????" | grep . ||
        wrong "a folder is left: $(find "$open/")" || return 1
    until_ 20 server_is_gone || wrong "the server is left" || return 1
    ! ps -eo args | grep -q "[-]title $title" || wrong "DS9 is left"
}

# A DS9 without the wrapper does what anybody tells it.
nobody_commands_a_bare_ds9() {
    export XPA_TMPDIR=$open/xpa
    ds9 -title "$title" > "$work/ds9.log" 2>&1 &
    ds9_pid=$!
    until_ 60 ds9_answers || wrong "DS9 does not answer" || return 1
    says "WRONG: this DS9 has not loaded it" 1 "$title" &&
        says "^sockets *note: every user" 1 "$title" || return 1
    nobody_attacks "$(echo "$XPA_TMPDIR/DS9_$title".*)"
    until_ 20 was_attacked || wrong "$(cat "$work/out"; ls -l "$open")"
}

check_without_ds9() {
    kill -TERM $ds9_pid && wait $ds9_pid
    says "WRONG: none is found: start one" 1 &&
        says "WRONG: no DS9 answers at $ds9_method" 1 "$ds9_method"
}

for test in starts_with_menu_and_arguments stale_folders_go check_finds_all_well \
    check_tells_of_frames detection_leaves_a_server; do run $test; done
if [ "$(id -u)" = 0 ] && as_nobody true 2> /dev/null; then
    run nobody_is_kept_out
    run it_leaves_nothing
    run nobody_commands_a_bare_ds9
else
    echo "skip nobody_is_kept_out: only root can be another user"
    run it_leaves_nothing
fi
run check_without_ds9
[ $failures = 0 ]

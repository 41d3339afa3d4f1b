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

# What nobody can read of DS9 at that address.
nobody_asks() { as_nobody env XPA_METHOD=local XPA_TMPDIR="${1%/*}" xpaget "$1" version; }

nobody_is_kept_out() {
    nobody_asks "$ds9_method" > "$work/out" 2>&1
    grep -q "^$title 8" "$work/out" && wrong "nobody got: $(cat "$work/out")" && return 1
    [ "$(ask version | grep -c 8)" = 1 ] || wrong "the user is kept out as well"
}

it_leaves_nothing() {
    kill -TERM $ds9_pid
    wait $ds9_pid
    compgen -G "$open/claran-ds9.??????" | grep -v "stale\|alive" &&
        wrong "a folder is left" && return 1
    ! ps -eo args | grep -q "[-]title $title" || wrong "DS9 is left"
}

# The same question does reach a DS9 without the wrapper: nobody could ask it.
nobody_reaches_a_bare_ds9() {
    export XPA_TMPDIR=$open/xpa
    ds9 -title "$title" > "$work/ds9.log" 2>&1 &
    ds9_pid=$!
    until_ 60 ds9_answers || wrong "DS9 does not answer" || return 1
    nobody_asks "$(echo "$XPA_TMPDIR/DS9_$title".*)" | grep -q "^$title 8"
}

for test in starts_with_menu_and_arguments stale_folders_go; do run $test; done
if [ "$(id -u)" = 0 ] && as_nobody true 2> /dev/null; then
    run nobody_is_kept_out
    run it_leaves_nothing
    run nobody_reaches_a_bare_ds9
else
    echo "skip nobody_is_kept_out: only root can be another user"
    run it_leaves_nothing
fi
[ $failures = 0 ]

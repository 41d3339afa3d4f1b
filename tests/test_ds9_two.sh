#!/bin/bash
# SPDX-License-Identifier: MIT
# Two DS9s of one title, clicked in turns while the network runs in both; entries chosen
# again, DS9s closed and frames deleted in the middle: each told in a sentence.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

ds9_need || { echo "skip ds9_two: $ds9_lacks"; exit 0; }
unset XDG_CONFIG_HOME XDG_CACHE_HOME CLARAN_MODEL
ds9_start && first=$ds9_method && ds9_start && second=$ds9_method second_pid=$ds9_pid ||
    { echo "FAIL ds9_start"; exit 1; }
cd "$work" || exit 1
sed "s|@bindir@/claran|$claran|" "$srcdir/ds9/claran.ds9.in" > claran.ds9
cache=$work/home/.cache/claran

# Two fields, their boxes, and boxes that were there before.
prepare() {
    local i ds9
    "$claran" simulate sim -n 2 --seed 3 --size 300 --density 2 > log 2>&1 || return 1
    for i in 0 1; do
        "$claran" detect sim/sim_0000$i.fits -o $i.reg > log &&
            [ "$(grep -c ^box $i.reg)" -ge 2 ] || return 1
        sed 's/text={[^}]*}/text={old one}/' $i.reg > old$i.reg
    done
    for ds9 in "$second" "$first"; do
        ds9_turn_to "$ds9" && ds9_menu claran.ds9 || return 1
    done
}
# show DS9 NUMBER: its field with old boxes; no results are kept.
show() {
    rm -f "$cache"/*.results
    ds9_turn_to "$1" && order frame delete all && order frame new &&
        order file sim/sim_0000$2.fits && feed regions -format ds9 < old$2.reg
}
has_old() { ds9_has_boxes old$1.reg; }
has_new() { ds9_has_boxes $1.reg; }

text() { ds9_text "$1"; }
says_looking() { text "Detect sources" 2> /dev/null | grep -q Looking; }
# Its window of the last time goes, this time's makes room for DS9's menus.
window() { echo ".atmenu$(ds9_entry "Detect sources")txt"; }
# Click on Detect sources and stop its process, $held, while the network runs.
click_and_hold() {
    local w
    w=$(window) && tk "expr {[winfo exists $w] ? [$w.text delete 1.0 end] : {}}" > /dev/null
    ds9_click ClaRAN "Detect sources" && until_ $ds9_patience says_looking || return 1
    tk "wm geometry $w +800+60" > /dev/null
    held=$(tk "set ianalysis(menu,$(ds9_entry "Detect sources"),pid)")
    kill -STOP "$held" || wrong "it was over too soon"
}
has_new_at_last() { until_ $ds9_patience eval "has_new $1 > /dev/null" || has_new $1; }
is_gone() { [ ! -d "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
nothing_is_left() {
    local left
    left=$(find "$work" -name '*.part')
    [ -z "$left" ] || wrong "left: $left"
}

both_get_their_own_boxes() {
    local one
    show "$first" 0 && click_and_hold && one=$held && show "$second" 1 &&
        click_and_hold && kill -CONT $held && ds9_wait "Detect sources" && has_new 1 ||
        return 1
    ds9_turn_to "$first" && has_old 0 || wrong "boxes came to the first" ||
        return 1
    kill -CONT $one
    until_ $ds9_patience is_gone $one && has_new_at_last 0
}

second_entry_waits() {
    show "$first" 0 && click_and_hold && ds9_click ClaRAN "Remove detections" &&
        ds9_wait "Remove detections" || return 1
    text "Remove detections" | grep -q "at work in this DS9 already (process $held): wait" ||
        wrong "$(text "Remove detections")" || return 1
    has_old 0 || wrong "boxes went" || return 1
    kill -CONT $held
    until_ $ds9_patience is_gone $held && has_new_at_last 0
}

# DS9 asks, and kills it with -9.
chosen_again_it_ends() {
    local held_one
    show "$first" 0 && click_and_hold && held_one=$held &&
        ds9_click ClaRAN "Detect sources" && ds9_click_widget .__tk__messagebox.ok &&
        until_ $ds9_patience is_gone $held_one && ds9_wait "Detect sources" || return 1
    has_old 0 || wrong "the boxes have changed" || return 1
    nothing_is_left || return 1
    ds9_click ClaRAN "Detect sources" && ds9_wait "Detect sources" && has_new 0 ||
        wrong "$(text "Detect sources")"
}

closed_frame_is_told() {
    show "$first" 0 && order frame new && order file sim/sim_00001.fits &&
        feed regions -format ds9 < old1.reg && click_and_hold && order frame delete &&
        kill -CONT $held && ds9_wait "Detect sources" || return 1
    text "Detect sources" | grep -q "DS9 shows another image than frame 2 did" ||
        wrong "$(text "Detect sources")" || return 1
    has_old 0
}

# The process has nobody left to tell, and ends; the other DS9 is not disturbed.
closed_ds9_is_noticed() {
    show "$second" 1 && click_and_hold && show "$first" 0 || return 1
    xpaset -p "$second" exit && until_ $ds9_patience is_gone "$second_pid" || return 1
    kill -CONT $held
    until_ $ds9_patience is_gone $held && nothing_is_left && has_old 0 ||
        wrong "the boxes of the other have changed" || return 1
    ds9_click ClaRAN "Detect sources" && ds9_wait "Detect sources" && has_new 0
}

prepare || { cat log; echo "FAIL prepare"; exit 1; }
for test in both_get_their_own_boxes second_entry_waits chosen_again_it_ends \
    closed_frame_is_told closed_ds9_is_noticed
do
    held=
    run $test
    [ -z "$held" ] || is_gone $held || kill -KILL $held      # of a test that failed
done
[ $failures = 0 ]

#!/bin/bash
# SPDX-License-Identifier: MIT
# The menu in the real DS9, clicked with a real mouse; boxes compared with the headless.
srcdir=${srcdir:-.} builddir=${builddir:-$PWD} claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

ds9_need || { echo "skip ds9: $ds9_lacks"; exit 0; }
ds9_start || { echo "FAIL ds9_start"; exit 1; }
# The menu of the build, the program of the build; the field of quickstart.
sed "s|@bindir@|${claran%/claran}|" "$srcdir/ds9/claran.ds9.in" > "$work/claran.ds9"
"$claran" simulate "$work/field" --seed 3 --size 240 --density 2 > "$work/log" 2>&1 ||
    { cat "$work/log"; echo "FAIL simulate"; exit 1; }
field=$(find "$work/field" -name '*.fits')
"$claran" detect "$field" -o "$work/headless.csv" -o "$work/headless.reg" ||
    { echo "FAIL headless"; exit 1; }
sources=$(($(wc -l < "$work/headless.csv") - 1))

boxes() {
    ask regions -format ds9 -system wcs -sky icrs -skyformat degrees -group claran |
        grep '^box'
}
count() { boxes | wc -l; }
new_frame() { order frame delete all && order frame new; }
show() { new_frame && order file "$1"; }
user_region() {
    echo 'image; circle(20,20,5) # text={mine} tag={mine}' | feed regions -format ds9
}
user_regions() {
    ask regions -format ds9 -system image -group mine | grep -c '^circle'
}

click_detects() {
    show "$field" && user_region && ds9_menu "$work/claran.ds9" || return 1
    ds9_click ClaRAN "Detect sources" && ds9_wait 0 || wrong "the entry does not end"
    ds9_text 0 > "$work/text"
    [ "$sources" -ge 2 ] || wrong "the test needs two sources" || return 1
    [ "$(count)" = "$sources" ] || wrong "$(count) boxes, not $sources" || return 1
    grep -q "^$sources source" "$work/text" || { cat "$work/text"; return 1; }
}

# The saved catalogue is the headless one, within what DS9 rounds (DS9 keeps the order).
boxes_are_the_headless_ones() {
    "$claran" ds9 save "$ds9_method" -o "$work/saved.csv" > /dev/null || return 1
    paste -d, "$work/headless.csv" "$work/saved.csv" | awk -F, -v n="$sources" '
        function off(column, most,   d) {
            d = $column - $(column + 19)
            if (!(d <= most && d >= -most)) { bad++; print $column, $(column + 19) }
        }
        NR > 1 {
            off(2, 2e-7); off(3, 2e-7); off(4, 0.01); off(5, 0.01); off(6, 0.01)
            off(7, 0.01); off(9, 1e-4); off(12, 2e-3); off(13, 2e-3)
            if ($8 != $27) { bad++; print $8, $27 }
        }
        END { exit bad > 0 || NR != n + 1 }'
}

picture_is_taken() {
    order zoom to fit && order scale log
    sleep 1
    command -v import > /dev/null || return 0
    mkdir -p "$builddir/tests" && ds9_picture "$builddir/tests/ds9_detect.png"
}

second_click_replaces() {
    order regions group claran delete
    sed 's/text={[^}]*}/text={old}/' "$work/headless.reg" | feed regions -format ds9
    ds9_click ClaRAN "Detect sources" && ds9_wait 0 || return 1
    [ "$(count)" = "$sources" ] || wrong "$(count) boxes, not $sources" || return 1
    boxes | grep -q 'text={old}' && wrong "an old box is left" && return 1
    [ "$(user_regions)" = 1 ] || wrong "the user's region is gone"
}

# A name that Tcl would take for a redirection, in the folder DS9 was started in.
save_keeps_moved_boxes() {
    boxes | sed '1s/,[0-9.]*",[0-9.]*",/,12.5",25.5",/' > "$work/moved"
    order regions group claran delete
    { echo icrs; cat "$work/moved"; } | feed regions -format ds9
    ds9_click ClaRAN "Save catalogue..." || return 1
    sleep 0.5
    tk "set ianalysis(param,0,0,0,value) {>clicked.csv}" > /dev/null
    ds9_click_widget .param.buttons.ok && ds9_wait 2
    [ -f "$work/>clicked.csv" ] || wrong "nothing was saved: $(ds9_text 2)" || return 1
    grep -q ',12.500,25.500,' "$work/>clicked.csv" ||
        { cat "$work/>clicked.csv"; return 1; }
}

click_removes() {
    ds9_click ClaRAN "Remove detections" && ds9_wait 1 || return 1
    [ "$(count)" = 0 ] || wrong "$(count) boxes are left" || return 1
    [ "$(user_regions)" = 1 ] || wrong "the user's region is gone"
}

# A problem is one sentence with the words, exit status 1, and no box more or fewer.
refuses() {
    local words=$1 output
    output=$(timeout 60 "$claran" ds9 detect "$ds9_method" 2>&1)
    [ $? = 1 ] || wrong "status is not 1 ($words)" || return 1
    [ "$(grep -c . <<< "$output")" = 1 ] && grep -q "^claran: .*$words" <<< "$output" ||
        wrong "\"$output\" is no sentence about \"$words\""
}

old_boxes() { show "$field" && feed regions -format ds9 < "$work/headless.reg"; }
still() { [ "$(count)" = "$sources" ] || wrong "$(count) boxes, not $sources"; }

refuses_no_frame() { order frame delete all && refuses "has no frame"; }
refuses_empty_frame() { new_frame && refuses "is empty"; }
refuses_blocked() {
    old_boxes && order block to 2 && refuses "is blocked"
    local status=$?
    order block to 1 && still && return $status
}
refuses_smoothed() {
    old_boxes && order smooth yes && refuses "is smoothed"
    local status=$?
    order smooth no && still && return $status
}
refuses_rgb() {
    order frame delete all && order frame new rgb && order file "$field" &&
        refuses "RGB frame"
}

refuses_no_wcs() {
    fits "$work/plain.fits" 16 000 "50 50" && show "$work/plain.fits" &&
        refuses "no celestial coordinates"
}
refuses_cube() {
    fits "$work/cube.fits" 16 000 "50 50 4" "${wcs[@]}" && show "$work/cube.fits" &&
        refuses "holds a cube"
}

refuses_unread_model() {
    old_boxes || return 1
    CLARAN_MODEL=$work/none.fits refuses "none.fits" && still
}

# A user who opens another image meanwhile gets no boxes on it: the program is held
# while the image changes.
refuses_changed_frame() {
    fits "$work/other.fits" 16 000 "50 50" "${wcs[@]}"
    show "$field" && : > "$work/out" || return 1
    "$claran" ds9 detect "$ds9_method" > "$work/out" 2> "$work/err" &
    local job=$! end=$((SECONDS + 10))
    until grep -q Looking "$work/out"; do [ $SECONDS -lt $end ] || return 1; done
    kill -STOP $job
    order file "$work/other.fits"
    kill -CONT $job
    wait $job && wrong "it drew on another image" && return 1
    grep -q "another image" "$work/err" || { cat "$work/err"; return 1; }
}

refuses_ds9_gone() {
    kill "$ds9_pid" && wait "$ds9_pid" 2> /dev/null
    refuses "no DS9 answers"
}

for test in click_detects boxes_are_the_headless_ones picture_is_taken \
    second_click_replaces save_keeps_moved_boxes click_removes refuses_no_frame \
    refuses_empty_frame refuses_blocked refuses_smoothed refuses_rgb refuses_no_wcs \
    refuses_cube refuses_unread_model refuses_changed_frame refuses_ds9_gone
do run $test; done
[ $failures = 0 ]

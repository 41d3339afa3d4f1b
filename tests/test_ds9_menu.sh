#!/bin/bash
# SPDX-License-Identifier: MIT
# The menu's other entries in the real DS9, clicked with a real mouse: settings, kept
# results, labels, undo; after each DS9 is as it was but for ClaRAN's own boxes.
srcdir=$(cd "${srcdir:-.}" && pwd) builddir=${builddir:-$PWD} claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

ds9_need || { echo "skip ds9_menu: $ds9_lacks"; exit 0; }
unset XDG_CONFIG_HOME XDG_CACHE_HOME
ds9_start || { echo "FAIL ds9_start"; exit 1; }
sed "s|@bindir@/claran|$claran|" "$srcdir/ds9/claran.ds9.in" > "$work/claran.ds9"
"$claran" simulate "$work/field" --seed 3 --size 240 --density 2 > "$work/log" 2>&1 ||
    { cat "$work/log"; echo "FAIL simulate"; exit 1; }
field=$work/field/sim_00000.fits
settings=$work/home/.config/claran/settings cache=$work/home/.cache/claran

all_boxes() {
    ask regions -format ds9 -system wcs -sky icrs -skyformat degrees -group claran |
        grep '^box'
}
count() { all_boxes | wc -l; }
text() { ds9_text "$1"; }
choose() { ds9_click ClaRAN "$1" && ds9_wait "$1"; }
# answer ENTRY DIALOG ITEM VALUE [ITEM VALUE...]
answer() {
    local entry=$1 dialog=$2; shift 2
    ds9_click ClaRAN "$entry" && ds9_dialog || return 1
    while [ $# -gt 0 ]; do
        tk "set ianalysis(param,$dialog,0,$1,value) {$2}" > /dev/null; shift 2
    done
    mkdir -p "$builddir/tests" && ds9_picture "$builddir/tests/ds9_dialog$dialog.png"
    ds9_click_widget .param.buttons.ok && ds9_wait "$entry"
}
setting() { sed -n "s/^$1 = //p" "$settings"; }

same_state() {
    ds9_state > "$work/after"
    diff "$work/before" "$work/after" || wrong "after $1 DS9 is not as it was"
}

begins() {
    order file "$field" && order frame new && order file "$field" &&
        order frame hide 2 && order frame 1 && order zoom to 2 && order pan 5 -7 image &&
        order scale log && order scale mode zscale && order cmap cool &&
        order cmap value 2 0.3 && order regions format ciao && order regions color red ||
        return 1
    printf 'image\ncircle(100,120,40) # text={mine} tag={mine}\n%s\n' \
        'box(30,40,20,20,0) # text={other} tag={mine} color=cyan' |
        feed regions -format ds9
    ds9_menu "$work/claran.ds9" && order mode region && order regions selectnone &&
        order regions group mine select || return 1
    ds9_state > "$work/before"
    grep -q "circle(100,120,40)" <<< "$(ask regions selected -format ds9 -system image)" ||
        wrong "nothing is selected: $(ask regions selected)"
}

detects() {
    choose "Detect sources" && same_state "Detect sources" || return 1
    n=$(count)
    [ "$n" -ge 3 ] || wrong "$n boxes: $(text "Detect sources")" || return 1
    all_boxes > "$work/first"
    mkdir -p "$builddir/tests" && ds9_picture "$builddir/tests/ds9_menu.png"
}

second_time_is_kept() {
    choose "Detect sources" && same_state "a second time" || return 1
    text "Detect sources" | grep -q "has seen this before" ||
        wrong "$(text "Detect sources")" || return 1
    all_boxes | diff "$work/first" - || wrong "other boxes than the network's"
}

# As headless with that threshold, though the model cannot be read: nothing runs.
threshold_redraws() {
    local expected
    "$claran" detect "$field" --threshold 0.95 -o "$work/most.csv" || return 1
    expected=$(($(wc -l < "$work/most.csv") - 1))
    [ "$expected" -lt "$n" ] || wrong "the test needs fewer sources over 0.95" || return 1
    answer "Change threshold..." 4 0 0.95 && same_state "Change threshold" || return 1
    [ "$(count)" = "$expected" ] || wrong "$(count) boxes, not $expected: $(text \
        "Change threshold...")" || return 1
    [ "$(setting threshold)" = 0.95 ] || wrong "not remembered" || return 1
    sed -i 's/^threshold = .*/threshold = 0.8/' "$settings"
    CLARAN_MODEL=$work/none "$claran" ds9 threshold "$ds9_method" -t 0.8 > "$work/log" 2>&1
    all_boxes | diff "$work/first" - || { cat "$work/log"; return 1; }
    "$claran" ds9 threshold "$ds9_method" -t 2 2>&1 | grep -q "from 0 to 1, not \"2\""
}

labels_hide_and_come_back() {
    choose "Show/hide labels" && same_state "Show/hide labels" || return 1
    all_boxes | grep -q 'text={' && { wrong "a label is shown"; return 1; }
    [ "$(count)" = "$n" ] || wrong "$(count) boxes" || return 1
    "$claran" ds9 save "$ds9_method" -o "$work/hidden.csv" > /dev/null || return 1
    choose "Show/hide labels" && same_state "labels again" || return 1
    all_boxes | diff "$work/first" - || wrong "the boxes are not as before" || return 1
    "$claran" ds9 save "$ds9_method" -o "$work/shown.csv" > /dev/null || return 1
    diff <(sed 's/,[^,]*$//' "$work/hidden.csv") <(sed 's/,[^,]*$//' "$work/shown.csv")
}

alternatives_come_and_go() {
    grep -q 'claran=[^,]*,[0-9.]*,[123]C' "$work/first" ||
        wrong "the test needs a runner-up" || return 1
    choose "Show alternatives" && same_state "Show alternatives" || return 1
    all_boxes | grep -q 'text={[123]C_[123]P [01]\.[0-9]* or [123]C_[123]P [01]\.' ||
        wrong "$(all_boxes)" || return 1
    [ "$(setting alternatives)" = yes ] || wrong "not remembered" || return 1
    choose "Show alternatives" && all_boxes | diff "$work/first" -
}

# A user's own label goes through hiding and comes back.
own_label_stays() {
    sed '1s/text={[^}]*}/text={2C_2P sure}/' "$work/first" > "$work/own"
    order regions group claran delete
    { echo icrs; cat "$work/own"; } | feed regions -format ds9
    choose "Show/hide labels" && all_boxes | grep -q "tag={hidden 2C_2P sure}" ||
        wrong "$(all_boxes)" || return 1
    "$claran" ds9 save "$ds9_method" -o - 2> /dev/null | sed -n 2p | grep -q ",2C_2P," ||
        wrong "a hidden label is not the one saved" || return 1
    choose "Show/hide labels" && all_boxes | grep -q "text={2C_2P sure}"
}

undo_goes_back_and_forth() {
    all_boxes > "$work/edited"
    choose "Detect sources" && all_boxes | diff "$work/first" - || return 1
    choose "Undo last detection" && same_state "Undo last detection" || return 1
    all_boxes | diff "$work/edited" - || wrong "not what was there before" || return 1
    choose "Undo last detection" && all_boxes | diff "$work/first" - ||
        wrong "not what came after" || return 1
    choose "Remove detections" && same_state "Remove detections" && [ "$(count)" = 0 ] ||
        return 1
    choose "Undo last detection" && all_boxes | diff "$work/first" -
}

# Only in the circle; boxes elsewhere stay.
selected_part_is_searched() {
    sed 's/text={[^}]*}/text={old}/' "$work/first" > "$work/old"
    order regions group claran delete
    { echo icrs; cat "$work/old"; } | feed regions -format ds9
    order regions group mine select
    answer "Detect with options..." 3 4 selected && same_state "a part" || return 1
    local new old
    new=$(all_boxes | grep -vc 'text={old}') old=$(all_boxes | grep -c 'text={old}')
    [ "$new" -ge 1 ] && [ "$old" -ge 1 ] && [ $((new + old)) = "$n" ] ||
        wrong "$new new and $old old boxes of $n: $(text "Detect with options...")" ||
        return 1
    [ "$(setting search)" = selected ] || wrong "not remembered"
}

visible_part_is_searched() {
    order regions group claran delete
    order zoom to 8
    answer "Detect with options..." 3 4 view 6 class || return 1
    local seen=$(count)
    [ "$seen" -lt "$n" ] || wrong "$seen boxes of $n: $(text "Detect with options...")" ||
        return 1
    order zoom to 1
    choose "Detect sources" || return 1
    [ "$(count)" = "$n" ] || wrong "$(count) boxes of $n: $(text "Detect sources")" ||
        return 1
    all_boxes | grep -q "color=" || wrong "no colours" || return 1
    order tile yes
    choose "Detect sources" && text "Detect sources" | grep -q "as tiles" ||
        wrong "$(text "Detect sources")" || return 1
    order tile no && order zoom to 2 && order pan to 126 114 image
    answer "Detect with options..." 3 4 frame 6 one
}

damaged_settings_are_told() {
    printf 'threshold = 7\nsearch = frame\nx\nmodel = \033]0;\nlabels = no\n' > "$settings"
    "$claran" ds9 detect "$ds9_method" --settings > "$work/log" 2>&1 &&
        grep -q 'A setting is as it was at first: .*line 1: threshold is .* not "7"' \
            "$work/log" && [ "$(count)" = "$n" ] &&
        ! all_boxes | grep -q 'text={' || { cat "$work/log"; return 1; }
    head -c 3000 /dev/zero > "$settings"
    "$claran" ds9 detect "$ds9_method" --settings 2>&1 | grep -q "is no text: byte 1 is 0" ||
        return 1
    rm "$settings" && mkfifo "$settings"
    timeout 20 "$claran" ds9 detect "$ds9_method" --settings 2>&1 |
        grep -q "no plain file" || return 1
    rm "$settings"
}

# Those of another model of the same weights are none, nor is a frame's number remembered.
results_are_of_one_model() {
    local model=$srcdir/core/models/claran-d1.fits
    "$claran" average "$model" "$model" -o "$work/raw.fits" > "$work/log" &&
        "$claran" ds9 detect "$ds9_method" --method D1 > "$work/log" 2>&1 || return 1
    "$claran" ds9 detect "$ds9_method" --model "$work/raw.fits" > "$work/log" 2>&1 &&
        ! grep -q "seen this before" "$work/log" || { cat "$work/log"; return 1; }
    "$claran" ds9 detect "$ds9_method" --model "$work/raw.fits" > "$work/log" 2>&1 &&
        grep -q "seen this before" "$work/log" || { cat "$work/log"; return 1; }
    ! grep -q ir-frame "$settings" || wrong "$(cat "$settings")"
}

# Damaged results are none; what is left beside by the killed goes.
damaged_results_are_none() {
    local file
    for file in "$cache"/*.results; do
        sed -i '10s/\.\([0-9]\)/.\1\1/' "$file"
    done
    "$claran" ds9 threshold "$ds9_method" -t 0.5 > "$work/log" 2>&1 &&
        { wrong "it took damaged results"; return 1; }
    grep -q "no results are kept .* choose Detect sources first" "$work/log" ||
        { cat "$work/log"; return 1; }
    : > "$cache/x.results.999999.part"
    "$claran" ds9 detect "$ds9_method" > "$work/log" 2>&1 &&
        ! grep -q "seen this before" "$work/log" &&
        [ ! -e "$cache/x.results.999999.part" ] || { cat "$work/log"; ls "$cache"; return 1; }
}

# Killed at any time: DS9 is at home, the boxes are whole sets, nothing is left beside, nobody waits.
killed_leaves_nothing() {
    local delay boxes job
    for delay in 0.02 0.04 0.06 0.08 0.1 0.2 0.4; do
        rm -f "$cache"/*.results
        "$claran" ds9 detect "$ds9_method" --live yes > "$work/out" 2>&1 &
        job=$!
        sleep $delay
        kill -KILL $job
        wait $job 2> /dev/null
        until_ 20 same_state "a kill" > /dev/null || same_state "a kill" || return 1
        boxes=$(count)
        [ "$boxes" = "$n" ] || [ "$boxes" = 0 ] || wrong "$boxes boxes of $n" || return 1
    done
    "$claran" ds9 detect "$ds9_method" > "$work/out" 2>&1 && [ "$(count)" = "$n" ] &&
        [ -z "$(find "$work" -name '*.part')" ] || { cat "$work/out"; return 1; }
}

one_at_a_time() {
    rm -f "$cache"/*.results
    ds9_hold "$claran" ds9 detect "$ds9_method" || return 1
    "$claran" ds9 undo "$ds9_method" > "$work/log" 2>&1
    local status=$?
    "$claran" ds9 undo "$work/gone" 2>&1 | grep -q "no DS9 answers" ||
        wrong "another DS9 waits, too" || return 1
    kill -CONT $held && wait $held || return 1
    [ $status = 1 ] && grep -q "at work in this DS9 already (process $held)" "$work/log" ||
        { cat "$work/log"; return 1; }
}

says_what_it_is() {
    choose "About ClaRAN" && same_state "About ClaRAN" || return 1
    text "About ClaRAN" > "$work/log"
    grep -q "^ClaRAN   $("$claran" --version | cut -d' ' -f2) in DS9 [0-9]" "$work/log" &&
        grep -q "^Model  .*claran-d1.fits" "$work/log" &&
        grep -q "^Device  *[a-zA-Z]" "$work/log" || { cat "$work/log"; return 1; }
}

# The entries that only read; and the one that makes a frame, when that is gone again.
readers_change_nothing() {
    answer "Save catalogue..." 0 0 "$work/saved.csv" && [ -s "$work/saved.csv" ] &&
        same_state "Save catalogue" || return 1
    choose "Load as catalogue" && order catalog close && same_state "Load as catalogue" ||
        return 1
    answer "Save corrections..." 1 0 "$work/mine.csv" && [ -s "$work/mine.csv" ] &&
        same_state "Save corrections" || return 1
    answer "Show the network's input..." 2 0 D1 && [ "$(ask frame)" = 3 ] || return 1
    order frame delete && order frame 1 && same_state "Show the network's input"
}

# Boxes come while the network runs, and a line says how it goes.
boxes_come_as_found() {
    local job seen=0 now
    "$claran" simulate "$work/wide" --seed 4 --size 700 --density 2 > "$work/log" 2>&1 &&
        order frame new && order file "$work/wide/sim_00000.fits" || return 1
    "$claran" ds9 detect "$ds9_method" --live yes > "$work/out" 2>&1 &
    job=$!
    while kill -0 $job 2> /dev/null; do
        now=$(count)
        [ "$seen" -gt 0 ] || grep -q "^[0-9]* source" "$work/out" || seen=$now
        sleep 0.2
    done
    wait $job && now=$(count) || { cat "$work/out"; return 1; }
    grep -qE '^[0-9]+ of [0-9]+ windows, [0-9]+ sources? so far, [0-9]+ s left$' \
        "$work/out" && [ "$seen" -gt 0 ] || wrong "$seen of $now: $(cat "$work/out")" ||
        return 1
    order frame delete && order frame 1
}

# Frames without an image or without coordinates: a sentence each, and DS9 lives.
nothing_to_change() {
    local action number
    order frame new && number=$(ask frame) || return 1
    for action in undo labels alternatives threshold; do
        "$claran" ds9 $action "$ds9_method" > "$work/log" 2>&1
        grep -q "^claran: frame $number of DS9 is empty" "$work/log" ||
            { cat "$work/log"; return 1; }
    done
    fits "$work/plain.fits" 16 000 "50 50" && order file "$work/plain.fits" || return 1
    for action in undo labels alternatives threshold; do
        "$claran" ds9 $action "$ds9_method" > "$work/log" 2>&1
        grep -q "no celestial coordinates" "$work/log" || { cat "$work/log"; return 1; }
    done
    order file "$work/field/sim_00000_w1.fits" || return 1
    "$claran" ds9 labels "$ds9_method" 2>&1 | grep -q "frame $number has no detections" &&
        "$claran" ds9 undo "$ds9_method" 2>&1 | grep -q "there is nothing to undo" &&
        order frame delete && order frame 1 && same_state "refusals"
}

# The button bar and a key do what the menu does.
buttons_and_keys_work() {
    order regions group claran delete
    ds9_click_widget "$(tk 'set ianalysis(buttonbar,0-0,button)')" || return 1
    until_ 20 eval '[ "$(count)" = "$n" ]' || wrong "the button found $(count)" || return 1
    xdotool mousemove 500 500 && sleep 0.3 && xdotool key F9
    until_ 20 eval '! all_boxes | grep -q "text={"' || wrong "F9 hides no labels"
}

closed_ds9_is_told() {
    rm -f "$cache"/*.results
    ds9_hold "$claran" ds9 detect "$ds9_method" || return 1
    kill "$ds9_pid" && wait "$ds9_pid" 2> /dev/null
    kill -CONT $held
    wait $held && { wrong "it did not fail"; return 1; }
    grep -q "no DS9 answers" "$work/err" || { cat "$work/err"; return 1; }
}

for test in begins detects second_time_is_kept threshold_redraws \
    labels_hide_and_come_back alternatives_come_and_go own_label_stays \
    undo_goes_back_and_forth selected_part_is_searched visible_part_is_searched \
    damaged_settings_are_told results_are_of_one_model damaged_results_are_none killed_leaves_nothing \
    one_at_a_time says_what_it_is readers_change_nothing \
    boxes_come_as_found nothing_to_change buttons_and_keys_work closed_ds9_is_told
do run $test; done
[ $failures = 0 ]

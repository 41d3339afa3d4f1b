#!/bin/bash
# SPDX-License-Identifier: MIT
# The menu in the real DS9, clicked with a real mouse; boxes compared with the headless.
srcdir=${srcdir:-.} builddir=${builddir:-$PWD} claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

ds9_need || { echo "skip ds9: $ds9_lacks"; exit 0; }
ds9_start || { echo "FAIL ds9_start"; exit 1; }
# The menu of the build, the program of the build (with the model that $work/model names,
# if it does); the field of quickstart.
mkdir "$work/bin"
cat > "$work/bin/claran" << END
#!/bin/sh
CLARAN_MODEL=\$(cat "$work/model" 2> /dev/null) exec "$claran" "\$@"
END
chmod +x "$work/bin/claran"
sed "s|@bindir@|$work/bin|" "$srcdir/ds9/claran.ds9.in" > "$work/claran.ds9"
"$claran" simulate "$work/field" --seed 3 --size 240 --density 2 > "$work/log" 2>&1 ||
    { cat "$work/log"; echo "FAIL simulate"; exit 1; }
field=$work/field/sim_00000.fits
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
    ds9_click ClaRAN "Detect sources" && ds9_wait "Detect sources" || wrong "the entry does not end"
    ds9_text "Detect sources" > "$work/text"
    [ "$sources" -ge 2 ] || wrong "the test needs two sources" || return 1
    [ "$(count)" = "$sources" ] || wrong "$(count) boxes, not $sources" || return 1
    grep -q "^$sources source" "$work/text" || { cat "$work/text"; return 1; }
}

# The saved catalogue is the headless one, within what DS9 rounds (DS9 keeps the order).
boxes_are_the_headless_ones() {
    "$claran" ds9 save "$ds9_method" -o "$work/saved.csv" > /dev/null || return 1
    paste -d, "$work/headless.csv" "$work/saved.csv" | awk -F, -v n="$sources" '
        function off(column, most,   d) {
            d = $column - $(column + NF / 2)
            if (!(d <= most && d >= -most)) { bad++; print $column, $(column + NF / 2) }
        }
        NR > 1 {
            off(2, 2e-7); off(3, 2e-7); off(4, 0.01); off(5, 0.01); off(6, 0.01)
            off(7, 0.01); off(9, 1e-4); off(16, 2e-3); off(17, 2e-3)
            if ($8 != $(8 + NF / 2)) { bad++; print $8, $(8 + NF / 2) }
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
    ds9_click ClaRAN "Detect sources" && ds9_wait "Detect sources" || return 1
    [ "$(count)" = "$sources" ] || wrong "$(count) boxes, not $sources" || return 1
    boxes | grep -q 'text={old}' && { wrong "an old box is left"; return 1; }
    [ "$(user_regions)" = 1 ] || wrong "the user's region is gone"
}

# A name that Tcl would take for a redirection, in the folder DS9 was started in.
save_keeps_moved_boxes() {
    boxes | sed '1s/,[0-9.]*",[0-9.]*",/,12.5",25.5",/' > "$work/moved"
    order regions group claran delete
    { echo icrs; cat "$work/moved"; } | feed regions -format ds9
    ds9_click ClaRAN "Save catalogue..." || return 1
    ds9_dialog || return 1
    tk "set ianalysis(param,0,0,0,value) {>clicked.csv}" > /dev/null
    ds9_click_widget .param.buttons.ok && ds9_wait "Save catalogue..."
    [ -f "$work/>clicked.csv" ] || wrong "nothing was saved: $(ds9_text "Save catalogue...")" || return 1
    grep -q ',12.500,25.500,' "$work/>clicked.csv" ||
        { cat "$work/>clicked.csv"; return 1; }
}

click_removes() {
    ds9_click ClaRAN "Remove detections" && ds9_wait "Remove detections" || return 1
    [ "$(count)" = 0 ] || wrong "$(count) boxes are left" || return 1
    [ "$(user_regions)" = 1 ] || wrong "the user's region is gone"
}

# A problem is one sentence with the words, exit status 1, and no box more or fewer.
refuses() {
    local words=$1 output; shift
    output=$(timeout 60 "$claran" ds9 detect "$ds9_method" "$@" 2>&1)
    [ $? = 1 ] || wrong "status is not 1 ($words)" || return 1
    [ "$(grep -c . <<< "$output")" = 1 ] && grep -q "^claran: .*$words" <<< "$output" ||
        wrong "\"$output\" is no sentence about \"$words\""
}

old_boxes() { show "$field" && feed regions -format ds9 < "$work/headless.reg"; }
still() { [ "$(count)" = "$sources" ] || wrong "$(count) boxes, not $sources"; }



refuses_unread_model() {
    old_boxes || return 1
    CLARAN_MODEL=$work/none.fits refuses "none.fits" && still
}

# A user who opens another image meanwhile gets no boxes on it: the program is held
# while the image changes.

# ---- two frames: a subject of 3' and its WISE image; an untrained model for D4 ----

subject=$work/pair/sim_00000.fits wise=$work/pair/sim_00000_w1.fits d4=$work/d4.fits
make_pair() {
    "$claran" simulate "$work/pair" --seed 5 --size 100 --density 2 &&
        "$claran" train "$work/pair.csv" -o "$d4" --width 4 --fc 8 --input 128 \
            --steps 2 --method D4 && [ -f "$wise" ]
} > "$work/log" 2>&1
trains_a_model() { make_pair || { cat "$work/log"; return 1; }; }

# The radio frame 1, the hidden infrared 2, another radio image of the same sky as 3.
three_frames() {
    show "$subject" && order zoom to 3 && order pan 5 -7 image && order scale log &&
        order cmap cool && user_region && order frame new && order file "$1" &&
        order frame new && order file "$field" && order scale sqrt &&
        order cmap value 2 0.3 && order rotate 30 && order frame hide 2 &&
        order frame 1
}
same_state() {
    ds9_state 1 3 > "$work/after"
    order frame 1
    diff "$work/before" "$work/after" || wrong "DS9 is not as it was"
}

one_click_takes_both_frames() {
    CLARAN_MODEL=$d4 "$claran" detect "$subject" --ir "$wise" -o "$work/pair.reg" \
        -o "$work/pair_found.csv" || return 1
    local expected=$(($(wc -l < "$work/pair_found.csv") - 1))
    [ $expected -ge 1 ] || wrong "the test needs a box" || return 1
    echo "$d4" > "$work/model"
    three_frames "$wise" && order tile yes || return 1
    ds9_state 1 3 > "$work/before"
    ds9_click ClaRAN "Detect sources" && ds9_wait "Detect sources" || return 1
    mkdir -p "$builddir/tests" && ds9_picture "$builddir/tests/ds9_pair.png"
    [ "$(count)" = $expected ] || wrong "$(count) boxes, not $expected" || return 1
    ds9_text "Detect sources" > "$work/text"
    grep -q "^Infrared from frame 2 of DS9" "$work/text" &&
        grep -q "method D4 (there is an infrared image)" "$work/text" ||
        { cat "$work/text"; return 1; }
    order regions group claran delete
    same_state
}

# Ctrl-C and kill at any moment leave DS9 as it was; so does "lock frame".
killed_it_leaves_ds9_alone() {
    local delay status=0
    order tile no
    order lock frame wcs
    ds9_state 1 3 > "$work/before"
    for delay in 0.03 0.05 0.07 0.09 0.11; do
        CLARAN_MODEL=$d4 "$claran" ds9 detect "$ds9_method" > "$work/out" 2>&1 &
        sleep $delay
        kill -TERM $! 2> /dev/null
        wait $! 2> /dev/null
        order regions group claran delete
        same_state || { status=1; break; }
    done
    order lock frame none
    return $status
}

# answer METHOD FRAME: in the menu's fourth dialog, and its third one.
answer_options() {
    ds9_dialog || return 1
    tk "set ianalysis(param,3,0,0,value) {$1}; set ianalysis(param,3,0,3,value) {$2}" \
        > /dev/null
    ds9_click_widget .param.buttons.ok && ds9_wait "Detect with options..."
}
answer_show() {
    ds9_dialog || return 1
    tk "set ianalysis(param,2,0,0,value) {$1}; set ianalysis(param,2,0,1,value) {$2}" \
        > /dev/null
    ds9_click_widget .param.buttons.ok && ds9_wait "Show the network's input..."
}
dialog_names_method_and_frame() {
    three_frames "$wise" || return 1
    ds9_click ClaRAN "Detect with options..." && answer_options D4 2 || return 1
    ds9_text "Detect with options..." | grep -q "method D4 (asked for)" ||
        wrong "$(ds9_text "Detect with options...")" || return 1
    ds9_click ClaRAN "Detect with options..." && answer_options D3 auto || return 1
    ds9_text "Detect with options..." | grep -q "is a model for method D4, not D3" ||
        wrong "$(ds9_text "Detect with options...")"
}

# The pixels are the program's own picture of them; the coordinates, the image's.
show_is_the_networks_input() {
    three_frames "$wise" || return 1
    ds9_state 1 3 > "$work/before"
    ds9_click ClaRAN "Show the network's input..." && answer_show D3 auto ||
        return 1
    ds9_picture "$builddir/tests/ds9_show.png"
    [ "$(ask frame)" = 4 ] && [ "$(ask cmap)" = rgb ] || wrong "no RGB frame" || return 1
    [ "$(ask fits size)" = "132 132" ] && [ "$(ask frame has wcs celestial)" = yes ] ||
        wrong "no 132 x 132 pixels with coordinates" || return 1
    order export png "$work/shown.png" && pixels_are_the_networks && middles_agree ||
        return 1
    order frame delete
    order frame 1
    same_state
}
pixels_are_the_networks() {
    local differ
    command -v compare > /dev/null || return 0
    "$claran" image "$subject" --ir "$wise" --method D3 -o "$work/ours.png" \
        > "$work/log" || return 1
    differ=$(compare -metric AE "$work/shown.png" "$work/ours.png" null: 2>&1)
    [ "$differ" = 0 ] || wrong "$differ pixels differ"
}
# Pixel 66.5 of the window is pixel 50.5 of the subject.
middles_agree() {
    local shown theirs
    echo 'image; point(66.5,66.5) # tag={middle}' | feed regions -format ds9
    shown=$(ask regions -format ds9 -system wcs -sky icrs -skyformat degrees -group middle)
    order frame 1
    echo 'image; point(50.5,50.5) # tag={middle}' | feed regions -format ds9
    theirs=$(ask regions -format ds9 -system wcs -sky icrs -skyformat degrees -group middle)
    order regions group middle delete
    order frame 4
    [ "$(grep ^point <<< "$shown" | cut -d')' -f1)" = \
        "$(grep ^point <<< "$theirs" | cut -d')' -f1)" ] || wrong "$shown is not $theirs"
}

# ---- infrared frames that will not do ----

# Without a method it falls back to the radio image alone and says why; with one it stops.
falls_back() {
    local words=$1 text; shift
    three_frames "$1" || return 1
    [ -z "$2" ] || { order frame 2; order $2; order frame hide 2; order frame 1; }
    : > "$work/model"
    ds9_state 1 3 > "$work/before"
    text=$("$claran" ds9 detect "$ds9_method" 2>&1) || wrong "$text" || return 1
    grep -q "$words" <<< "$text" &&
        grep -q "method D1 (there is no infrared image)" <<< "$text" ||
        wrong "\"$text\" does not say \"$words\"" || return 1
    order regions group claran delete
    refuses "$words" --method D4 && same_state
}
celestial() {   # celestial RA DEC PIXEL [deg]: cards of a 10 x 10 image
    printf '%s\n' "CTYPE1  = 'RA---TAN'" "CTYPE2  = 'DEC--TAN'" "CRVAL1  = $1" \
        "CRVAL2  = $2" "CRPIX1  = 5.5" "CRPIX2  = 5.5" "CDELT1  = -$3" "CDELT2  = $3"
}
# plane NAME BITPIX BYTE "SIZE" [DEGREES NORTH] [PIXEL] [CARD...]: a constant image there.
plane() {
    local header ra dec lines more=("${@:7}")
    header=$(head -c 2880 "$subject" | fold -w 80)
    ra=$(sed -n 's/^CRVAL1  = *\([-0-9.]*\).*/\1/p' <<< "$header")
    dec=$(sed -n 's/^CRVAL2  = *\([-0-9.]*\).*/\1/p' <<< "$header")
    dec=$(awk "BEGIN { print $dec + ${5:-0} }")
    mapfile -t lines < <(celestial "$ra" "$dec" "${6:-0.01}")
    fits "$work/$1" "$2" "$3" "$4" "${lines[@]}" "${more[@]}"
}

infrared_a_degree_away() {
    plane away_w1.fits 16 001 "10 10" 1 &&
        falls_back "shows another part of the sky .* 60' apart" "$work/away_w1.fits"
}
infrared_of_a_corner() {
    plane corner_w1.fits 16 001 "10 10" 0 0.002 &&
        three_frames "$work/corner_w1.fits" || return 1
    "$claran" ds9 detect "$ds9_method" > "$work/out" 2>&1
    grep -q "covers only .* per cent" "$work/out" || { cat "$work/out"; return 1; }
}
infrared_30000_wide() {
    plane wide_w1.fits 8 001 "30000 12" 20 && falls_back "another part" \
        "$work/wide_w1.fits" || return 1
    plane big_w1.fits 8 001 "4 4" && truncate -s 2880 "$work/big_w1.fits" &&
        LC_ALL=C sed -i 's/\(NAXIS[12]  = *\)    4/\130000/g' "$work/big_w1.fits" &&
        truncate -s $((2880 + (900000000 + 2879) / 2880 * 2880)) "$work/big_w1.fits"
    falls_back "30000 x 30000 pixels: .*cut out" "$work/big_w1.fits"
}
infrared_of_another_band() {
    plane other.fits 16 001 "10 10" 0 0.01 "TELESCOP= 'WISE'" "BAND    = 2" &&
        falls_back "not WISE W1" "$work/other.fits"
}

# A header outweighs a name, and what has neither is for the user to name.
second_radio_image_is_none() {
    plane radio_w1.fits 16 001 "10 10" 0 0.01 "TELESCOP= 'VLA'" &&
        falls_back "method" "$work/radio_w1.fits" &&
        ! "$claran" ds9 detect "$ds9_method" | grep "frame [23]"
}
unnamed_infrared_is_offered() {
    local text
    plane mystery.fits 16 001 "10 10" &&
        falls_back "nothing in it says that it is infrared" "$work/mystery.fits" ||
        return 1
    text=$(CLARAN_MODEL=$d4 "$claran" ds9 detect "$ds9_method" --ir-frame 2) &&
        grep -q "^Infrared from frame 2" <<< "$text" || wrong "$text"
}
refuses_infrared_as_radio() { show "$wise" && refuses "is the infrared image"; }
refuses_a_frame_that_is_not_there() {
    three_frames "$wise"
    ds9_state 1 3 > "$work/before"
    refuses "no frame 9" --ir-frame 9 && refuses "no frame 1 beside" --ir-frame 1 &&
        refuses "method D1 does not look" --ir-frame 2 --method D1 && same_state
}

refuses_ds9_gone() {
    kill "$ds9_pid" && wait "$ds9_pid" 2> /dev/null
    refuses "no DS9 answers"
}

for test in click_detects boxes_are_the_headless_ones picture_is_taken \
    second_click_replaces save_keeps_moved_boxes click_removes refuses_unread_model \
    trains_a_model \
    one_click_takes_both_frames killed_it_leaves_ds9_alone \
    dialog_names_method_and_frame show_is_the_networks_input infrared_a_degree_away \
    infrared_of_a_corner infrared_30000_wide infrared_of_another_band \
    second_radio_image_is_none unnamed_infrared_is_offered refuses_infrared_as_radio \
    refuses_a_frame_that_is_not_there refuses_ds9_gone
do run $test; done
[ $failures = 0 ]

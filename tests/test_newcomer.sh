#!/bin/bash
# SPDX-License-Identifier: MIT
# A newcomer reads "Your first session" in doc/manual.md and does in the real DS9, with a
# real mouse and keyboard, what stands there: every command, and every bold word, in their
# order.  At the end of each part everything must be as the part says.  Where a step lacks
# in the manual, it is not done, and the test fails.  The manual's pictures are taken here.
srcdir=$(cd "${srcdir:-.}" && pwd) builddir=${builddir:-$PWD} claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

ds9_need || { echo "skip newcomer: $ds9_lacks"; exit 0; }
ds9_screen || { echo "FAIL ds9_screen"; exit 1; }
unset XPA_METHOD XPA_TMPDIR XDG_CONFIG_HOME XDG_CACHE_HOME
manual=${MANUAL:-$srcdir/doc/manual.md} pictures=$builddir/tests/pictures
mkdir -p "$pictures" "$work/bin" "$work/share" "$work/run" && rm -f "$pictures"/*

# As make install leaves it; the user works in a folder of an empty home.
sed "s|@bindir@/claran|$claran|" "$srcdir/ds9/claran.ds9.in" > "$work/share/claran.ds9"
sed "s|@pkgdatadir@|$work/share|" "$srcdir/ds9/claran-ds9.in" > "$work/bin/claran-ds9"
ln -s "$claran" "$work/bin/claran" && chmod +x "$work/bin/claran-ds9"
[ -z "$RG_PYTHON" ] || ln -s "$RG_PYTHON" "$work/bin/python3"
export XDG_RUNTIME_DIR=$work/run PATH=$work/bin:$PATH
cd "$HOME" || exit 1

# ---- the manual's steps, a line each ----

# "# PART", "$ COMMAND", "! PICTURE", or what is bold.
steps() {
    awk '
        function flush(   word) {
            while (match(text, /\*\*[^*]+\*\*|!\[[^]]*\]\([^)]*\)/)) {
                word = substr(text, RSTART, RLENGTH)
                text = substr(text, RSTART + RLENGTH)
                if (word ~ /^!/) { sub(/.*\(pictures\//, "! ", word); sub(/\)$/, "", word) }
                gsub(/\*\*|`/, "", word)
                print word
            }
            text = ""
        }
        /^## / { flush(); here = $0 == "## Your first session"; next }
        !here { next }
        /^### / { flush(); print "# " substr($0, 5); next }
        /^    / { flush(); print "$" substr($0, 4); next }
        /^$/ { flush(); next }
        { text = text (text == "" ? "" : " ") $0 }
        END { flush() }' "$manual"
}

# ---- what a user does ----

# find_widget CLASS TEXT: the topmost one that is seen.
find_widget() {
    tk "set found {}; foreach top [wm stackorder .] { set queue \$top
        while {[llength \$queue]} { set queue [lassign \$queue w]
            foreach child [winfo children \$w] {
                if {[winfo toplevel \$child] eq \$top} {lappend queue \$child} }
            if {[winfo class \$w] eq {$1} && [winfo ismapped \$w] &&
                [\$w cget -text] eq {$2}} {set found \$w} } }; set found"
}
is_there() { [ -n "$(find_widget "$1" "$2")" ]; }

press_button() {
    until_ 20 is_there TButton "$1" && ds9_click_widget "$(find_widget TButton "$1")"
}

# The widget right of a label: a menu, or something to type in.
fill_in() {   # fill_in LABEL VALUE
    local label widget
    until_ 20 is_there TLabel "$1" || wrong "there is no \"$1\" to fill in" || return 1
    label=$(find_widget TLabel "$1")
    widget=$(tk "set at [grid info $label]; grid slaves [dict get \$at -in] \
        -row [dict get \$at -row] -column [expr {[dict get \$at -column] + 1}]")
    [ "$(tk "winfo class $widget")" != TFrame ] || widget=$widget.e
    ds9_click_widget "$widget"
    if [ "$(tk "winfo class $widget")" = TMenubutton ]; then
        click_entry "$widget.menu" "$2"
    else
        xdotool click --repeat 2 --delay 60 1 && sleep 0.2 && xdotool type --delay 30 "$2"
    fi
}

boxes() { ask regions -format ds9 -system image -group claran | grep '^box'; }
all_boxes() { ask regions -format ds9 -system image | grep '^box'; }

# Where on the screen pixel X Y of the image is.
on_screen() {
    local zoom x y
    zoom=$(ask zoom) && read -r x y <<< "$(ask pan image)"
    tk "set c \$ds9(canvas); list [expr {round([winfo rootx \$c] + [\$c itemcget Frame1 -x] +
            [\$c itemcget Frame1 -width] / 2. + ($1 - $x) * $zoom)}] \
        [expr {round([winfo rooty \$c] + [\$c itemcget Frame1 -y] +
            [\$c itemcget Frame1 -height] / 2. - ($2 - $y) * $zoom)}]"
}
# The middle, in pixels of the image, of the leftmost box whose label begins so; "": has none.
middle() {
    all_boxes | { [ -n "$1" ] && grep -F "text={$1" || grep -v "text={"; } |
        sed 's/box(//; s/,/ /g' | sort -n | awk 'NR == 1 { printf "%.0f %.0f\n", $1, $2 }'
}
click_box() {   # click_box TIMES LABEL
    at=$(middle "$2")
    [ -n "$at" ] || wrong "no box is labelled \"$2\"" || return 1
    xdotool mousemove $(on_screen $at) && sleep 0.3 &&
        xdotool click --repeat "$1" --delay 60 1 && sleep 0.3
}
# Around what was deleted, at X Y of the image.
drag_a_box() {
    local x y to_x to_y
    read -r x y <<< "$(on_screen $(($1 - 7)) $(($2 + 7)))"
    read -r to_x to_y <<< "$(on_screen $(($1 + 7)) $(($2 - 7)))"
    xdotool mousemove "$x" "$y" mousedown 1 && sleep 0.2 &&
        xdotool mousemove $((x + 5)) $((y + 5)) && sleep 0.2 &&
        xdotool mousemove "$to_x" "$to_y" && sleep 0.2 && xdotool mouseup 1 && sleep 0.3
}
click_first_row() {
    local x y
    until_ 20 eval '[ "$(tk "winfo ismapped .cattool")" = 1 ]' && put_aside
    read -r x y <<< "$(tk 'set t .cattool.tbl.t; set b [$t bbox 1,2]
        list [expr {[winfo rootx $t] + [lindex $b 0] + 20}] \
            [expr {[winfo rooty $t] + [lindex $b 1] + 8}]')"
    click_at "$x" "$y" && sleep 0.5
}

# Analysis > ClaRAN > ENTRY: it ends, or asks.  The user moves beside DS9 what opens.
lines() { tk "set t .atmenu${entry}txt.text
    expr {[winfo exists \$t] ? int([\$t index end]) : 0}"; }
is_over_or_asks() {
    [ "$(tk "winfo exists .param")" = 1 ] ||
        { has_ended "$chosen" && [ "$(lines)" -gt "$1" ]; }
}
choose() {
    local before
    [ "$2" = ClaRAN ] || { ds9_path "$@" && sleep 0.3; return; }
    chosen=$3 entry=$(ds9_entry "$3") && before=$(lines)
    ds9_path "$@" && until_ 60 is_over_or_asks "$before" || wrong "$3 does not end" || return 1
    put_aside
}
put_aside() {
    tk "foreach w [wm stackorder .] { switch -glob \$w {
        .atmenu*txt {wm geometry \$w +760+0} .param - .marker* {wm geometry \$w +600+360}
        .cattool {wm geometry \$w +760+0; raise \$w} } }" > /dev/null
    sleep 0.3
}

is_up() { [ -S "$(echo "$XDG_RUNTIME_DIR"/claran-ds9.*/xpa/DS9_*)" ]; }
has_image() { [ "$(ask frame has fits)" = yes ]; }
has_left() { ! kill -0 "$ds9_pid" 2> /dev/null; }
type_command() {
    case $1 in
    claran-ds9*)
        bash -c "exec $1 -title $title" > "$work/ds9.log" 2>&1 &
        ds9_pid=$!
        until_ 60 is_up || wrong "DS9 does not start: $(cat "$work/ds9.log")" || return 1
        ds9_method=$(echo "$XDG_RUNTIME_DIR"/claran-ds9.*/xpa/DS9_*)
        export XPA_METHOD=local XPA_TMPDIR=${ds9_method%/*}
        until_ 60 ds9_answers && until_ 20 has_image && ds9_watch ;;
    topcat*) [ -s "${1#* }" ] ;;
    python3*) ! python3 -c 'import astropy' 2> /dev/null || bash -c "$1" > "$work/table" ;;
    *) bash -c "$1" > "$work/log" 2>&1 || { cat "$work/log"; return 1; } ;;
    esac
}

do_step() {
    case $1 in
    '$ '*) type_command "${1#* }" ;;
    '! '*) take_picture "${1#* }" ;;
    'File > Exit') ds9_path File Exit; until_ 20 has_left ;;
    *' > '*) local menus=${1// > /|}; IFS='|' read -ra menus <<< "$menus"; choose "${menus[@]}" ;;
    'Click the box '*) click_box 1 "${1#Click the box }" ;;
    'Double-click the box '*) click_box 2 "${1#Double-click the box }" && put_aside ;;
    'Double-click the new box') click_box 2 "" && put_aside ;;
    'Drag a box around it') drag_a_box $at ;;
    'Press Delete') xdotool key Delete && sleep 0.3 ;;
    'Click the first row') click_first_row ;;
    *': '*) fill_in "${1%%: *}" "${1#*: }" ;;
    OK) press_button OK && until_ 60 has_ended "$chosen" && sleep 0.3 && put_aside ;;
    Apply | Close) press_button "$1" && sleep 0.3 ;;
    *) wrong "the manual says \"$1\", which nobody here can do" ;;
    esac
}

# The whole screen, cut to what is on it; then it is looked at.
take_picture() {
    sleep 0.5
    ! command -v import > /dev/null || ds9_picture "$pictures/$1" &&
        convert "$pictures/$1" -bordercolor black -border 1 -trim +repage "$pictures/$1"
    seen="$seen$1 "
    name=${1%.png}; "at_${name##*-}"
}

# ---- how things must be: at each picture, and at the end of each part ----

# headless THRESHOLD: what is found without DS9, as labels.
headless() {
    "$claran" detect field/sim_00000.fits --threshold "$1" -o - 2> "$work/log" |
        awk -F, 'NR > 1 { printf "%s %.2f\n", $8, $9 }' | sort
}
found() { boxes | sed 's/.*text={\([^}]*\)}.*/\1/' | sort; }
shows() { diff <(found) <(headless "$1") || wrong "not what is found from $1 on"; }
says() { ds9_text "$1" | grep -qE "$2" || wrong "$1 says: $(ds9_text "$1")"; }
filled() { [ "$(tk "set ianalysis(param,$1,value)")" = "$2" ] || wrong "no $2 in the dialog"; }

at_image() {
    ask analysis task | grep -q "Detect sources" || wrong "there is no menu" || return 1
    [ "$(ask scale)" = log ] && awk "BEGIN { exit !($(ask zoom) > 1.5) }" ||
        wrong "scale $(ask scale), zoom $(ask zoom)"
}
end_1() { [ -s field/sim_00000.fits ] && [ "$(all_boxes | wc -l)" = 0 ]; }
at_detect() {
    shows 0.8 && says "Detect sources" "^$(found | wc -l) sources, method D1" || return 1
    [ "$(ds9_text "Detect sources" | awk 'length > 80' | wc -l)" = 0 ] ||
        wrong "lines are cut off"
}
end_2() { [ "$(found | wc -l)" -ge 4 ] || wrong "the manual needs sources"; }
at_alternatives() {
    found | grep -q "^2C_2P [01].[0-9]* or [123]C_" || wrong "$(found)" || return 1
    ask regions selected -format ds9 -system image | grep -q "text={3C_3P" ||
        wrong "no 3C_3P is selected"
}
end_3() { shows 0.8; }
at_threshold() { filled 4,0,0 0.4; }
end_4() {
    shows 0.4 && [ "$(found | wc -l)" -gt "$(headless 0.8 | wc -l)" ] ||
        wrong "no more than before" || return 1
    says "Change threshold..." "P >= 0.4"
}
at_options() { filled 3,0,6 class && filled 3,0,2 last; }
end_5() {
    shows 0.4 && says "Detect with options..." "seen this before" || return 1
    [ "$(boxes | grep -c 'color=')" = "$(boxes | wc -l)" ] || wrong "no colours"
}
at_label() { [ "$(find_widget TButton Apply)" ] || wrong "no window"; }
at_corrected() {
    local n=$(headless 0.4 | wc -l)
    [ "$(all_boxes | wc -l)" = "$n" ] && [ "$(boxes | wc -l)" = $((n - 1)) ] &&
        [ "$(all_boxes | grep -c 'text={3C_3P}.*tag={claran}')" = 1 ] &&
        [ "$(all_boxes | grep -v 'tag={claran}' | grep -c 'text={1C_1P}')" = 1 ] ||
        wrong "$n were found, now there are: $(all_boxes)"
}
end_6() { [ -z "$(find_widget TButton Apply)" ] || wrong "its window is open"; }
at_save() { filled 0,0,0 sources.fits; }
# Rows and boxes: by hand are the relabelled one and the new one, which has a flux.
end_7() {
    local n=$(all_boxes | wc -l)
    says "Save catalogue..." "^$n sources saved in $HOME/sources.fits" || return 1
    [ "$(head -c 99999 sources.fits | fold -w 80 | sed -n 's/^NAXIS2  = *\([0-9]*\).*/\1/p')" = "$n" ] ||
        wrong "the catalogue has other rows than $n boxes" || return 1
    "$claran" ds9 save "$ds9_method" -o "$work/now.csv" > "$work/log" || return 1
    [ "$(awk -F, 'NR > 1 && $9 == ""' "$work/now.csv" | wc -l)" = 2 ] ||
        wrong "not two are by hand: $(cut -d, -f 8,9 "$work/now.csv")" || return 1
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "flux") f = i }
        NR > 1 && !($f > 0) { bad++ } END { exit bad > 0 || !f }' "$work/now.csv" ||
        wrong "a source has no flux"
}
end_8() {
    [ "$(wc -l < mine.csv)" = "$(wc -l < "$work/now.csv")" ] && [ -s mine/radio.fits ] ||
        wrong "$(ls . mine; cat mine.csv)"
}
at_table() {
    [ "$(tk 'starbase_nrows $cattool(catdb)')" = "$(all_boxes | wc -l)" ] || wrong "rows" ||
        return 1
    [ "$(tk '.cattool.tbl.t get 0,2')" = class ] || wrong "no class to be seen" || return 1
    paste <(sed -n 2p "$work/now.csv" | cut -d, -f2,3 --output-delimiter=' ') \
        <(ask pan wcs icrs degrees) | awk '{ x = $1 - $3; y = $2 - $4
            exit !(x * x < 1e-6 && y * y < 1e-6 && NF == 4) }' ||
        wrong "the image is at $(ask pan wcs icrs degrees)"
}
end_9() { [ "$(tk 'winfo exists .cattool')" = 0 ] || wrong "the tool is open"; }
end_10() {
    says "Remove detections" "^Detections removed" || return 1
    says "Undo last detection" "^Frame 1 has the $(boxes | wc -l) boxes again" || return 1
    "$claran" ds9 save "$ds9_method" -o "$work/again.csv" > "$work/log" &&
        diff <(cut -d, -f1-49 "$work/now.csv" | sort) \
            <(cut -d, -f1-49 "$work/again.csv" | sort) ||
        wrong "other boxes than before"
}
end_11() {
    until_ 20 has_left || wrong "DS9 is there" || return 1
    until_ 20 eval '[ -z "$(ls "$XDG_RUNTIME_DIR")" ]' || wrong "$(ls "$XDG_RUNTIME_DIR")" ||
        return 1
    [ "$(ls | tr '\n' ' ')" = "field field.csv mine mine.csv sources.fits " ] || wrong "$(ls)" ||
        return 1
    [ ! -e "$work/table" ] || grep -q RGCL "$work/table"
}

# ---- the session ----

part=0 seen='' entry=''
# Steps until the next part; the first that fails ends the session.
next_part() {
    local step
    while [ "${steps[0]}" ]; do
        step=${steps[0]}
        [[ $step != "# "* ]] || return 0
        steps=("${steps[@]:1}")
        do_step "$step" || wrong "so ends: $step" || return 1
    done
}
# Whatever is bold or a picture before the first part is for nobody to do.
mapfile -t steps < <(steps | sed -n '/^# 1/,$p')
while [[ ${steps[0]} == "# "* ]]; do
    part=$((part + 1)) name=$(sed 's/^# [0-9]*\. //; s/[^A-Za-z]\+/_/g' <<< "${steps[0]}")
    steps=("${steps[@]:1}")
    eval "$name() { next_part && end_$part; }"
    run "$name"
    [ $failures = 0 ] || break
done
everything_was_seen() {
    local name
    for name in $(declare -F | sed -n 's/^declare -f at_//p'); do
        [[ $seen == *-"$name.png "* ]] || wrong "the manual shows no picture of \"$name\""
    done && [ $part = 11 ]
}
run everything_was_seen
[ $failures = 0 ]

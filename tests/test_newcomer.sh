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

boxes() { ask regions -format ds9 -system image -group "${1-claran}" | grep '^box'; }
all_boxes() { ask regions -format ds9 -system image | grep '^box'; }
count() { all_boxes | grep -c .; }
labels() { all_boxes | sed 's/.*text={\([^}]*\)}.*/\1/' | sort; }

# Where on the screen pixel X Y of the image is.
on_screen() {
    local zoom x y
    zoom=$(ask zoom) && read -r x y <<< "$(ask pan image)"
    tk "set c \$ds9(canvas); list [expr {round([winfo rootx \$c] + [\$c itemcget Frame1 -x] +
            [\$c itemcget Frame1 -width] / 2. + ($1 - $x) * $zoom)}] \
        [expr {round([winfo rooty \$c] + [\$c itemcget Frame1 -y] +
            [\$c itemcget Frame1 -height] / 2. - ($2 - $y) * $zoom)}]"
}
# The middle, on the screen, of the leftmost box whose label begins so.
box() {
    local x y
    read -r x y <<< "$(all_boxes | grep -F "text={$1" | sed 's/box(//; s/,/ /g' |
        sort -n | head -1 | cut -d' ' -f1,2)"
    [ -n "$y" ] && on_screen "$x" "$y"
}
click_box() {   # click_box TIMES LABEL
    local x y
    read -r x y <<< "$(box "$2")"
    [ -n "$y" ] || wrong "no box is labelled $2" || return 1
    xdotool mousemove "$x" "$y" && sleep 0.3 &&
        xdotool click --repeat "$1" --delay 60 1 && sleep 0.3
}
drag_a_box() {   # where the simulated image is empty
    local x y to_x to_y
    read -r x y <<< "$(on_screen 180 180)" && read -r to_x to_y <<< "$(on_screen 200 165)"
    xdotool mousemove "$x" "$y" mousedown 1 && sleep 0.2 &&
        xdotool mousemove $((x + 5)) $((y + 5)) && sleep 0.2 &&
        xdotool mousemove "$to_x" "$to_y" && sleep 0.2 && xdotool mouseup 1 && sleep 0.3
}
click_first_row() {
    local x y
    read -r x y <<< "$(tk 'set t .cattool.tbl.t; set b [$t bbox 1,2]
        list [expr {[winfo rootx $t] + [lindex $b 0] + 20}] \
            [expr {[winfo rooty $t] + [lindex $b 1] + 8}]')"
    click_at "$x" "$y" && sleep 0.5
}

# Analysis > ClaRAN > ENTRY: it ends, or asks.  The user moves what opens beside DS9.
is_over_or_asks() {
    [ "$(tk "winfo exists .param")" = 1 ] || task_is_over "$1"
}
choose() {
    ds9_path "$@" || return 1
    [ "$2" = ClaRAN ] || { sleep 0.3; return; }
    entry=$(ds9_entry "$3")
    sleep 0.3
    until_ 60 is_over_or_asks "$entry" || wrong "$3 does not end" || return 1
    put_aside
}
put_aside() {
    tk "foreach w [wm stackorder .] { if {[string match {.atmenu*txt} \$w] ||
        \$w eq {.cattool}} {wm geometry \$w +760+40} }" > /dev/null
}
said() { tk ".atmenu${entry}txt.text get 1.0 end"; }

is_up() { [ -S "$(echo "$XDG_RUNTIME_DIR"/claran-ds9.*/xpa/DS9_*)" ]; }
type_command() {
    case $1 in
    claran-ds9*)
        bash -c "exec $1 -title $title" > "$work/ds9.log" 2>&1 &
        ds9_pid=$!
        until_ 60 is_up || wrong "DS9 does not start: $(cat "$work/ds9.log")" || return 1
        ds9_method=$(echo "$XDG_RUNTIME_DIR"/claran-ds9.*/xpa/DS9_*)
        export XPA_METHOD=local XPA_TMPDIR=${ds9_method%/*}
        until_ 60 ds9_answers && until_ 20 is_shown ;;
    python3*) ! python3 -c 'import astropy' 2> /dev/null || bash -c "$1" > "$work/python" ;;
    topcat*) ! command -v topcat > /dev/null || [ -s "${1#* }" ] ;;
    *) bash -c "$1" > "$work/log" 2>&1 || { cat "$work/log"; return 1; } ;;
    esac
}
is_shown() { [ "$(ask frame has fits)" = yes ]; }
has_left() { ! kill -0 "$ds9_pid" 2> /dev/null; }

do_step() {
    case $1 in
    '$ '*) type_command "${1#* }" ;;
    '! '*) take_picture "${1#* }" ;;
    *' > '*) local menus=${1// > /|}; IFS='|' read -ra menus <<< "$menus"; choose "${menus[@]}" ;;
    'Click the box '*) click_box 1 "${1#Click the box }" ;;
    'Double-click the box '*) click_box 2 "${1#Double-click the box }" ;;
    'Double-click the new box') click_box 2 "" ;;
    'Drag a box') drag_a_box ;;
    'Press Delete') xdotool key Delete && sleep 0.3 ;;
    'Click the first row') click_first_row ;;
    *': '*) fill_in "${1%%: *}" "${1#*: }" ;;
    OK) press_button OK && until_ 60 task_is_over "$entry" && sleep 0.3 && put_aside ;;
    Apply | Close) press_button "$1" && sleep 0.3 ;;
    *) wrong "the manual says \"$1\", which nobody here can do" ;;
    esac
}

# The whole screen, cut to what is on it.
take_picture() {
    command -v import > /dev/null || return 0
    sleep 0.5
    ds9_picture "$pictures/$1" &&
        convert "$pictures/$1" -bordercolor black -border 1 -trim +repage "$pictures/$1"
}

while read -r step; do echo "$step"; do_step "$step" || echo FAILED; done < <(steps)

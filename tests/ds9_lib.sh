# SPDX-License-Identifier: MIT
# A real DS9 on an X server of its own, driven with a real mouse; sourced by tests.
#
#     . "$srcdir/tests/ds9_lib.sh"
#     ds9_need || { echo "skip NAME: $ds9_lacks"; exit 0; }
#     ds9_start                   # DS9 called $title; sets $ds9_method, $work, DISPLAY
#                                 # (ds9_screen: all but the DS9)
#     ds9_menu menu.ds9              # load an analysis menu
#     ds9_click ClaRAN "Detect sources" && ds9_wait "Detect sources"
#     ds9_text "Detect sources"
#
# Everything it starts ends with the script; every XPA call has a time limit.

ds9_need() {
    for tool in ds9 Xvfb xdotool xpaget xpaset xpaaccess timeout; do
        command -v $tool > /dev/null || { ds9_lacks="no $tool here"; return 1; }
    done
}

ds9_stop() {
    for pid in $ds9_pid $xvfb_pid; do kill "$pid" 2> /dev/null; done
    wait 2> /dev/null
    [ -n "$work" ] && rm -rf "$work"
}

ask() { timeout 20 xpaget "$title" "$@"; }
order() { timeout 20 xpaset -p "$title" "$@"; }
feed() { timeout 20 xpaset "$title" "$@"; }         # with data on standard input

# until SECONDS COMMAND...: run it until it succeeds
until_() {
    local end=$((SECONDS + $1)); shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

ds9_answers() { [ "$(timeout 5 xpaaccess "$title" 2> /dev/null)" = yes ]; }

ds9_screen() {
    work=$(mktemp -d) && trap ds9_stop EXIT && trap 'exit 1' INT TERM
    title=claran$$
    mkdir "$work/home" "$work/xpa"
    # 24 bits: DS9 hangs on an 8-bit visual.
    Xvfb -displayfd 3 -screen 0 1440x800x24 -nolisten tcp \
        3> "$work/display" > "$work/xvfb.log" 2>&1 &
    xvfb_pid=$!
    until_ 20 test -s "$work/display" || { echo "Xvfb does not start"; return 1; }
    DISPLAY=:$(cat "$work/display") HOME=$work/home
    XPA_METHOD=local XPA_TMPDIR=$work/xpa
    export DISPLAY HOME XPA_METHOD XPA_TMPDIR
}

ds9_start() {
    ds9_screen || return 1
    (cd "$work" && exec ds9 -title "$title" > "$work/ds9.log" 2>&1) &
    ds9_pid=$!
    until_ 90 ds9_answers || { echo "DS9 does not answer"; return 1; }
    ds9_method=$(echo "$work/xpa/DS9_$title".*)
}

# What Tk says to an expression.
tk() {
    rm -f "$work/tk"
    printf 'set fh [::open {%s} w]; puts $fh [%s]; close $fh' "$work/tk" "$1" | feed tcl
    cat "$work/tk"
}

click_at() { xdotool mousemove "$1" "$2"; sleep 0.1; xdotool click 1; sleep 0.2; }

# The middle of a Tk widget.
ds9_click_widget() {
    local x y
    read -r x y <<< "$(tk "list [expr {[winfo rootx $1] + [winfo width $1] / 2}] \
        [expr {[winfo rooty $1] + [winfo height $1] / 2}]")"
    [ -n "$y" ] && click_at "$x" "$y"
}

is_mapped() { [ "$(tk "winfo ismapped $1")" = 1 ]; }
# The entry LABEL of a posted menu.
click_entry() {
    local x y y1 i last height
    until_ 20 is_mapped "$1" && sleep 0.1 || return 1
    i=$(tk "$1 index {$2}") && last=$(tk "$1 index end") || return 1
    read -r x y height <<< "$(tk "list \
        [expr {[winfo rootx $1] + [winfo reqwidth $1] / 2}] \
        [winfo rooty $1] [winfo reqheight $1]")"
    y1=$([ "$i" = "$last" ] && echo "$height" || tk "$1 yposition [expr {$i + 1}]")
    [ -n "$y1" ] && click_at "$x" $((y + ($(tk "$1 yposition $i") + y1) / 2))
}

# ds9_path MENU ENTRY...: through DS9's menus with the mouse.  Tk shows clones: .#mb ...
ds9_path() {
    local menu=.#mb x y next
    read -r x y <<< "$(tk "list [expr {[winfo rootx $menu] + 15 + \
        [$menu xposition [$menu index {$1}]]}] \
        [expr {[winfo rooty $menu] + [winfo height $menu] / 2}]")"
    [ -n "$y" ] && click_at "$x" "$y" || return 1
    while [ $# -gt 1 ]; do
        next=$(tk "$menu entrycget {$1} -menu"); shift
        click_entry "$next" "$1" || return 1
        menu=$next
    done
}
ds9_click() { ds9_path Analysis "$@"; }

ds9_menu() { order analysis load "$1"; }

task_is_over() { [ "$(tk "info exists ianalysis(menu,$1,pid)")" = 0 ]; }
# The number of an entry of the analysis menu.
ds9_entry() {
    tk "set found {}; for {set i 0} {\$i < \$ianalysis(menu,count)} {incr i} {
        if {\$ianalysis(menu,\$i,item) eq {$1}} {set found \$i} }; set found"
}
# Wait for an entry of the analysis menu to end, and move its window off DS9's menus
# (there is no window manager); then its text.
ds9_wait() {
    local entry
    entry=$(ds9_entry "$1")
    sleep 0.3
    until_ 60 task_is_over "$entry" &&
        tk "wm geometry .atmenu${entry}txt +800+60" > /dev/null
}
ds9_text() { tk ".atmenu$(ds9_entry "$1")txt.text get 1.0 end"; }

ds9_picture() { timeout 20 import -window root "$1" 2> /dev/null; }

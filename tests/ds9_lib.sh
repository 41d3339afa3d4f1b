# SPDX-License-Identifier: MIT
# A real DS9 on an X server of its own, driven with a real mouse; sourced by tests.
#
#     . "$srcdir/tests/ds9_lib.sh"
#     ds9_need || { echo "skip NAME: $ds9_lacks"; exit 0; }
#     ds9_start                   # DS9 called $title; sets $ds9_method, $work, DISPLAY
#                                 # (ds9_screen: all but the DS9)
#     ds9_menu menu.ds9              # load an analysis menu
#     ds9_click ClaRAN "Detect sources" && ds9_wait "Detect sources"
#     ds9_click ClaRAN "Change threshold..." && ds9_dialog && ... &&
#         ds9_click_widget .param.buttons.ok && ds9_wait "Change threshold..."
#     ds9_text "Detect sources"
#     first=$ds9_method; ds9_start; ds9_turn_to "$first"       # two of them
#
# Everything it starts ends with the script; every XPA call has a time limit.  Nothing is
# taken to have happened because time went by: each wait looks, for up to ds9_patience
# seconds, and says what it has waited for in vain.
ds9_patience=60

ds9_need() {
    for tool in ds9 Xvfb xdotool xpaget xpaset xpaaccess timeout; do
        command -v $tool > /dev/null || { ds9_lacks="no $tool here"; return 1; }
    done
}

ds9_stop() {
    for pid in $ds9_pids $ds9_pid $xvfb_pid; do kill "$pid" 2> /dev/null; done
    [ -z "$held" ] || kill -KILL "$held" 2> /dev/null
    wait 2> /dev/null
    [ -n "$work" ] && rm -rf "$work"
}

# $ds9_at is whose turn it is where there are several of that title.
ask() { timeout $ds9_patience xpaget "${ds9_at:-$title}" "$@"; }
order() { timeout $ds9_patience xpaset -p "${ds9_at:-$title}" "$@"; }
feed() { timeout $ds9_patience xpaset "${ds9_at:-$title}" "$@"; }   # and standard input

# until SECONDS COMMAND...: run it until it succeeds
until_() {
    local seconds=$1 end=$((SECONDS + $1)); shift
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "not in $seconds s: $*"; return 1; }
        sleep 0.05
    done
}

ds9_answers() { [ "$(timeout 5 xpaaccess "${ds9_at:-$title}" 2> /dev/null)" = yes ]; }

ds9_screen() {
    work=$(mktemp -d) && trap ds9_stop EXIT && trap 'exit 1' INT TERM
    title=claran$$
    mkdir "$work/home" "$work/xpa"
    # 24 bits: DS9 hangs on an 8-bit visual.
    Xvfb -displayfd 3 -screen 0 1440x800x24 -nolisten tcp \
        3> "$work/display" > "$work/xvfb.log" 2>&1 &
    xvfb_pid=$!
    until_ $ds9_patience test -s "$work/display" || { echo "Xvfb does not start"; return 1; }
    DISPLAY=:$(cat "$work/display") HOME=$work/home
    XPA_METHOD=local XPA_TMPDIR=$work/xpa
    export DISPLAY HOME XPA_METHOD XPA_TMPDIR
}

ds9_start() {
    [ -n "$ds9_pid" ] || ds9_screen || return 1
    (cd "$work" && exec ds9 -title "$title" > "$work/ds9.log" 2>&1) &
    ds9_pid=$! ds9_pids="$ds9_pids $!"
    ds9_method=$work/xpa/DS9_$title.$ds9_pid ds9_at=$ds9_method
    until_ 90 ds9_answers || { echo "DS9 does not answer"; return 1; }
    ds9_watch
}

# Count in DS9 how often each entry has come to its end.
ds9_watch() {
    tk 'proc claran_ended {command args} {incr ::claran_ended([lrange $command 1 2])}
        trace add execution AnalysisTaskEnd leave claran_ended' > /dev/null
}

ds9_turn_to() {
    ds9_method=$1 ds9_at=$1
    tk 'raise .' > /dev/null
}

# What Tk says to an expression.
tk() {
    rm -f "$work/tk"
    printf 'set fh [::open {%s} w]; puts $fh [%s]; close $fh' "$work/tk" "$1" | feed tcl
    cat "$work/tk"
}

is_shown() { [ "$(tk "expr {[winfo exists $1] && [winfo ismapped $1]}")" = 1 ]; }
is_not_shown() { ! is_shown "$1"; }
ds9_dialog() { until_ $ds9_patience is_shown ${1:-.param.buttons.ok}; }

click_at() { xdotool mousemove "$1" "$2"; sleep 0.1; xdotool click 1; sleep 0.1; }

# The middle of a Tk widget.
ds9_click_widget() {
    local x y
    ds9_dialog "$1" || return 1
    read -r x y <<< "$(tk "update idletasks; list \
        [expr {[winfo rootx $1] + [winfo width $1] / 2}] \
        [expr {[winfo rooty $1] + [winfo height $1] / 2}]")"
    [ -n "$y" ] && click_at "$x" "$y"
}

# The entry LABEL of a posted menu.
click_entry() {
    local x y y1 i last height
    ds9_dialog "$1" && i=$(tk "$1 index {$2}") && last=$(tk "$1 index end") || return 1
    read -r x y height <<< "$(tk "list \
        [expr {[winfo rootx $1] + [winfo reqwidth $1] / 2}] \
        [winfo rooty $1] [winfo reqheight $1]")"
    y1=$([ "$i" = "$last" ] && echo "$height" || tk "$1 yposition [expr {$i + 1}]")
    [ -n "$y1" ] && click_at "$x" $((y + ($(tk "$1 yposition $i") + y1) / 2))
}

# ds9_path MENU ENTRY...: through DS9's menus with the mouse.  Tk shows clones: .#mb ...
ds9_path() {
    local menu=.#mb x y next
    ds9_ended=$(ended "${@: -1}")
    read -r x y <<< "$(tk "list [expr {[winfo rootx $menu] + 15 + \
        [$menu xposition [$menu index {$1}]]}] \
        [expr {[winfo rooty $menu] + [winfo height $menu] / 2}]")"
    [ -n "$y" ] && click_at "$x" "$y" || return 1
    while [ $# -gt 1 ]; do
        next=$(tk "$menu entrycget {$1} -menu"); shift
        click_entry "$next" "$1" || return 1
        menu=$next
    done
    until_ $ds9_patience is_not_shown "$menu"
}
ds9_click() { ds9_path Analysis "$@"; }

ds9_menu() { order analysis load "$1"; }

# The number of an entry of the analysis menu.
ds9_entry() {
    tk "set found {}; for {set i 0} {\$i < \$ianalysis(menu,count)} {incr i} {
        if {\$ianalysis(menu,\$i,item) eq {$1}} {set found \$i} }; set found"
}
ended() { tk "set n [incr ::claran_ended(menu\\ $(ds9_entry "$1")) 0]"; }
has_ended() { [ "$(ended "$1")" != "$ds9_ended" ]; }
# Wait for the entry that was clicked on to end, and move its window off DS9's menus
# (there is no window manager).
ds9_wait() {
    until_ $ds9_patience has_ended "$1" &&
        tk "wm geometry .atmenu$(ds9_entry "$1")txt +800+60" > /dev/null
}
ds9_text() { tk ".atmenu$(ds9_entry "$1")txt.text get 1.0 end"; }

# ds9_hold COMMAND...: in the background as $held, stopped as its network begins; what it
# says goes to $work/out and $work/err.
ds9_hold() {
    : > "$work/out"
    "$@" > "$work/out" 2> "$work/err" &
    held=$!
    local end=$((SECONDS + ds9_patience))
    until grep -q Looking "$work/out"; do          # no sleep: it is over soon
        kill -0 $held && [ $SECONDS -lt $end ] || { cat "$work/err"; return 1; }
    done
    kill -STOP $held
}

# ClaRAN's boxes in the current frame; OPTION...: of DS9's regions.
ds9_boxes() { ask regions -format ds9 "$@" -group claran | grep '^box'; }
ds9_sky_boxes() { ds9_boxes -system wcs -sky icrs -skyformat degrees; }
# "ra dec width height angle label" of each.
box_numbers() { sed -n 's/^box(\([^)]*\)).*text={\([^}]*\)}.*/\1 \2/p' | tr -s '",' ' '; }
# Whether they are those of a file of regions, as far as DS9 rounds.
ds9_has_boxes() {
    paste -d' ' <(box_numbers < "$1") <(ds9_sky_boxes | box_numbers) | awk '
        function off(a, b, most) { return !(a - b <= most && b - a <= most) }
        NF != 14 || off($1, $8, 2e-6) || off($2, $9, 2e-6) || off($3, $10, 0.01) ||
            off($4, $11, 0.01) || $6 != $13 || $7 != $14 { print "not so:", $0; bad++ }
        END { exit bad > 0 }'
}

# What a user sees or has set, but for ClaRAN's boxes: DS9's own variables, and of the
# current frame and, to which DS9 goes, of those named what they show.  Not compared: the
# last command about regions, the last RGB frame and the last limits of a scale; and the
# crop dialog's degrees, which follow the panel's whenever that is set.
ds9_state() {
    local now frame
    tk 'set state {}
        foreach name {frames active display} {lappend state "$name $ds9($name)"}
        foreach a {bin blink block colorbar crop cube current fade lock marker minmax
                panzoom rgb scale smooth threed tile view wcs zscale} {
            global $a
            if {[array exists $a]} {
                foreach {name value} [array get $a] {lappend state "$a $name $value"}
            }
        }
        join [lsort $state] \n' |
        grep -v '^marker load,\|^marker tag \|^rgb frame\|^scale m[ai][xn] \|^crop skyf'
    echo "selected: $(ask regions selected -format ds9 -system image)"
    ds9_frame_state ""
    now=$(ask frame)
    for frame; do
        order frame $frame
        ds9_frame_state "$frame " zoom rotate orient align scale
    done
    [ $# = 0 ] || order frame "$now"
}
# ds9_frame_state PREFIX QUESTION...: with what the variables hold of the current frame.
ds9_frame_state() {
    for question in "${@:2}" "pan image" "scale limits" cmap "cmap value" "cmap invert" \
        "fits size" "regions -format ds9 -system image"
    do echo "$1$question: $(ask $question | grep -v 'tag={claran}')"; done
}

ds9_picture() { timeout 20 import -window root "$1" 2> /dev/null; }

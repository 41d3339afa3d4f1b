#!/bin/bash
# SPDX-License-Identifier: MIT
# "Load FIRST and WISE" through the real DS9's SkyView client; skyview.py plays the server.
srcdir=$(cd "${srcdir:-.}" && pwd) builddir=${builddir:-$PWD} claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"

ds9_need || { echo "skip fetch: $ds9_lacks"; exit 0; }
/usr/bin/python3 -c 'import http.server' 2> /dev/null ||
    { echo "skip fetch: no python3 here to play SkyView"; exit 0; }
ds9_start || { echo "FAIL ds9_start"; exit 1; }
sed "s|@bindir@/claran|$claran|" "$srcdir/ds9/claran.ds9.in" > "$work/claran.ds9"
timeout 300 /usr/bin/python3 "$srcdir/tests/skyview.py" "$work" > /dev/null 2>&1 &
server=$!
trap 'kill $server 2> /dev/null; ds9_stop' EXIT
until_ 20 test -s "$work/port" || { echo "FAIL server"; exit 1; }
# DS9's client as it is, but for the host.
feed tcl << END
rename IMGSVRGetURL real_image
proc IMGSVRGetURL {v url query} {real_image \$v http://127.0.0.1:$(cat "$work/port")/ \$query}
rename NSVRGetURL real_name
proc NSVRGetURL {v url query} {real_name \$v http://127.0.0.1:$(cat "$work/port")/ \$query}
END

# The number of a dialog, whatever else the menu has.
dialog() { grep '^param' "$work/claran.ds9" | grep -n " {\?$1}\?\$" | awk -F: '{print $1 - 1}'; }

server_is() { echo "$1" > "$work/mode"; : > "$work/requests"; }
fetch() { timeout 60 "$claran" ds9 fetch "$ds9_method" "$@" > "$work/out" 2>&1; }
# What the user sees of his frames 1 and (hidden) 2.
state() {
    local question now; now=$(ask frame)
    for question in tile single blink "lock frame"; do echo "$question $(ask $question)"; done
    order frame 1
    for question in zoom "pan image" rotate scale "scale limits" cmap "fits size" file \
        "regions -format ds9"; do echo "$question $(ask $question)"; done
    order frame "$now"
}
users_frames() {
    order frame delete all && order frame new && order file "$work/mine.fits" &&
        order zoom to 2.5 && order scale log && order cmap heat && order rotate 20 &&
        echo 'image; circle(20,20,5) # text={mine}' | feed regions -format ds9 &&
        order frame new && order frame hide 2 && order frame 1 && order single yes
    state > "$work/before"
}
same_state() {
    state > "$work/after"
    diff "$work/before" "$work/after" || wrong "DS9 is not as it was"
}
fits "$work/mine.fits" -32 000 "100 100" "${wcs[@]}"

click_loads_both() {
    server_is ok && users_frames && ds9_menu "$work/claran.ds9" || return 1
    order pan to 20 30 image && state > "$work/before"
    ds9_click ClaRAN "Load FIRST and WISE here" || return 1
    ds9_wait "Load FIRST and WISE here" || return 1
    ds9_text "Load FIRST and WISE here" > "$work/out"
    grep -q "does not react until" "$work/out" && grep -q "^FIRST is in frame 3" "$work/out" &&
        grep -q "^WISE W1 is in frame 4, on the same grid" "$work/out" ||
        wrong "$(cat "$work/out")" || return 1
    [ "$(ask frame)" = 3 ] && [ "$(ask fits size)" = "132 132" ] ||
        wrong "frame $(ask frame): $(ask fits size)" || return 1
    [ "$(ask frame active | xargs)" = "1 3 4" ] || wrong "$(ask frame active)" || return 1
    mkdir -p "$builddir/tests" && ds9_picture "$builddir/tests/ds9_fetch.png"
    same_state
}
# Pixel (20, 30) of the user's image, 3', on the network's grid; two surveys.
asks_for_the_middle_of_the_view() {
    awk -F'[=&,]' '{ n++
        if (!($2 > 150.01525 && $2 < 150.01527 && $3 > 1.98974 && $3 < 1.98976)) exit 1
        if ($0 !~ /&Size=0.0504[0-9]*,0.0504[0-9]*&Pixels=132,132&Return=FITS/) exit 1 }
        NR == 1 && !/Survey=VLA FIRST \(1.4 GHz\)&/ { exit 1 }
        NR == 2 && !/Survey=WISE 3.4&/ { exit 1 }
        END { if (n != 2) exit 1 }' "$work/requests" || wrong "$(cat "$work/requests")"
}
detect_takes_them() {
    order frame 3 && "$claran" ds9 detect "$ds9_method" > "$work/out" 2>&1 &&
        grep -q "^Infrared from frame 4" "$work/out" || wrong "$(cat "$work/out")"
}

click_checks() {
    local check="Check installation"
    ds9_click ClaRAN "Check installation" && ds9_wait "$check" || return 1
    ds9_text "$check" > "$work/out"
    grep -q "^frame 4 *infrared image" "$work/out" && grep -q "^Nothing is wrong" "$work/out" ||
        wrong "$(cat "$work/out")"
}

# In an empty DS9, as it starts; a name in a menu's dialog.
empty_ds9_loads_by_name() {
    server_is ok && order frame delete all && order frame new || return 1
    ds9_click ClaRAN "Load FIRST and WISE..." && ds9_dialog || return 1
    local there="Load FIRST and WISE..." param; param=$(dialog "Load FIRST and WISE")
    tk "set ianalysis(param,$param,0,0,value) {3C 219}
        set ianalysis(param,$param,0,1,value) 5" > /dev/null
    ds9_click_widget .param.buttons.ok && ds9_wait "$there"
    [ "$(ask frame all | xargs)" = "1 2" ] && [ "$(ask frame)" = 1 ] &&
        [ "$(ask fits size)" = "220 220" ] || wrong "$(ds9_text "$there")" || return 1
    [ "$(grep -c '^Position=140.2858[0-9]*,+\?45.649[0-9]*&' "$work/requests")" = 2 ] &&
        [ "$(grep -c '^name' "$work/requests")" = 1 ] || wrong "$(cat "$work/requests")"
}
takes_positions() {
    local where
    for where in "140.28583 45.64925" "140.28583,+45.64925" "9:21:08.6, +45:38:57.3"; do
        server_is ok && order frame delete all && fetch -w "$where" &&
            [ "$(grep -c '^Position=140.2858[0-9]*,+\?45.649[0-9]*&' "$work/requests")" = 2 ] ||
            wrong "$where: $(cat "$work/out" "$work/requests")" || return 1
    done
}

# refuses SERVER WORDS ARGUMENT...: status 1, a sentence, all as it was.
refuses() {
    local words=$2
    server_is "$1" && users_frames; shift 2
    fetch "$@"
    [ $? = 1 ] && grep -q "^claran: .*$words" "$work/out" ||
        wrong "no \"$words\": $(cat "$work/out")" || return 1
    [ "$(ask frame all | xargs)" = "1 2" ] && [ "$(ask frame active | xargs)" = 1 ] ||
        wrong "frames $(ask frame all)" || return 1
    same_state
}
refuses_a_page() { refuses refuse "SkyView sent no image of FIRST"; }
refuses_a_server_error() { refuses error "SkyView sent no image of FIRST"; }
refuses_junk() { refuses junk "SkyView sent no image of FIRST.*Unable to load"; }
refuses_uncovered_sky() { refuses blank "FIRST has nothing there"; }
refuses_an_unknown_name() { refuses ok "does not know \"nothing such\"" -w "nothing such"; }
refuses_what_is_no_place() {
    local where
    for where in "150.1 95" "400 2" "{x}; exec id" "a\$b" "'" "1 2 3"; do
        ! fetch -w "$where" && grep -q "is no place" "$work/out" ||
            wrong "$where: $(cat "$work/out")" || return 1
    done
    refuses ok "is no place" -w "150.1" && [ ! -s "$work/requests" ] ||
        wrong "$(cat "$work/requests")"
}
refuses_here_where_nothing_is() {
    order frame delete all && order frame new && server_is ok && ! fetch &&
        grep -q "that would say where" "$work/out" || wrong "$(cat "$work/out")"
}
refuses_an_unreachable_server() {
    kill $server && wait $server 2> /dev/null
    refuses ok "SkyView sent no image of FIRST"
}

# FIRST stays if WISE fails; while it is waited for, DS9 is deaf, which was announced.
announces_before_it_waits() {
    server_is slow && users_frames || return 1
    fetch & local job=$!
    until_ 2 grep -q "does not react" "$work/out" || wrong "not announced" || return 1
    sleep 1
    ! timeout 0.5 xpaget "$title" frame > /dev/null 2>&1 || wrong "DS9 was free" || return 1
    wait $job
    [ "$(ask frame)" = 3 ] || wrong "$(cat "$work/out")" || return 1
    same_state
}

for test in click_loads_both asks_for_the_middle_of_the_view detect_takes_them \
    click_checks empty_ds9_loads_by_name takes_positions refuses_a_page refuses_a_server_error \
    refuses_junk refuses_uncovered_sky refuses_an_unknown_name refuses_what_is_no_place \
    refuses_here_where_nothing_is announces_before_it_waits refuses_an_unreachable_server
do run $test; done
[ $failures = 0 ]

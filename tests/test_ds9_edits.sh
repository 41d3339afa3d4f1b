#!/bin/bash
# SPDX-License-Identifier: MIT
# A user at work in the real DS9, with a real mouse: boxes are moved, deleted, drawn and
# labelled; what is saved is exactly that.
srcdir=$(cd "${srcdir:-.}" && pwd) builddir=${builddir:-$PWD} claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

ds9_need || { echo "skip ds9_edits: $ds9_lacks"; exit 0; }
ds9_start || { echo "FAIL ds9_start"; exit 1; }
sed "s|@bindir@/claran|$claran|" "$srcdir/ds9/claran.ds9.in" > "$work/claran.ds9"
"$claran" simulate "$work/field" --seed 3 --size 240 --density 2 > "$work/log" 2>&1 ||
    { cat "$work/log"; echo "FAIL simulate"; exit 1; }
field=$work/field/sim_00000.fits

# column NAME FILE: its cells.
column() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
                          { print $c }' "$2"
}
# Where on the screen pixel X Y of the image is: it is shown at zoom 2 about pixel 120.5.
on_screen() {
    tk "list [expr {round([winfo rootx \$ds9(canvas)] + [winfo width \$ds9(canvas)] / 2. + ($1 - 120.5) * 2)}] \
        [expr {round([winfo rooty \$ds9(canvas)] + [winfo height \$ds9(canvas)] / 2. - ($2 - 120.5) * 2)}]"
}
drag() {   # drag X1 Y1 X2 Y2 [screen]
    xdotool mousemove "$1" "$2" && sleep 0.2 && xdotool mousedown 1 && sleep 0.2
    xdotool mousemove "$((($1 + $3) / 2))" "$((($2 + $4) / 2))" && sleep 0.2
    xdotool mousemove "$3" "$4" && sleep 0.2 && xdotool mouseup 1 && sleep 0.3
}
middle() {   # middle ROW FILE: of a box [pixels]
    paste -d' ' <(column xmin "$2") <(column xmax "$2") <(column ymin "$2") \
        <(column ymax "$2") | awk -v row="$1" 'NR == row { print ($1 + $2) / 2, ($3 + $4) / 2 }'
}
save() {   # save FILE: the menu's entry, with its dialog
    ds9_click ClaRAN "Save catalogue..." || return 1
    ds9_dialog || return 1
    tk "set ianalysis(param,0,0,0,value) {$1}; set ianalysis(param,0,0,1,value) {${2:-Auto}}" \
        > /dev/null
    ds9_click_widget .param.buttons.ok && ds9_wait "Save catalogue..."
}

detects() {
    order file "$field" && ds9_menu "$work/claran.ds9" && order zoom to 2 &&
        order pan to 120.5 120.5 image && order mode region && order view colorbar no || return 1
    ds9_click ClaRAN "Detect sources" && ds9_wait "Detect sources" && save "$work/before.csv" || return 1
    n=$(column name "$work/before.csv" | wc -l)
    [ "$n" -ge 4 ] || wrong "$n sources; the test needs four" || return 1
    [ "$(column flags "$work/before.csv" | awk '$1 % 4' | wc -l)" = 0 ] ||
        wrong "nothing was edited, but the flags are $(column flags "$work/before.csv")"
}

# The first is dragged by 10 pixels, the second deleted by its key, a box drawn in a place
# of its own and labelled.
user_edits() {
    local x y to
    read -r x y <<< "$(on_screen $(middle 1 "$work/before.csv"))"
    drag "$x" "$y" $((x + 20)) "$y"
    read -r x y <<< "$(on_screen $(middle 2 "$work/before.csv"))"
    click_at "$x" "$y" && xdotool key Delete && sleep 0.3
    order regions shape box
    read -r x y <<< "$(on_screen 200 200)"
    read -r to y2 <<< "$(on_screen 220 230)"
    drag "$x" "$y" "$to" "$y2"
    click_at $(((x + to) / 2)) $(((y + y2) / 2))
    tk 'Frame1 marker [lindex [Frame1 get marker select] 0] text \{2C_2P\}' > /dev/null
}

catalogue_shows_exactly_that() {
    save "$work/after.csv" || return 1
    [ "$(column name "$work/after.csv" | wc -l)" = "$n" ] ||
        wrong "not as many as before: one less, one more" || return 1
    # In order: the moved one, those left alone, the new one.
    diff <(column box_ra "$work/before.csv" | tail -n +3) \
        <(column box_ra "$work/after.csv" | head -$((n - 1)) | tail -n +2) &&
        diff <(column probability "$work/before.csv" | sed 2d) \
            <(column probability "$work/after.csv" | head -$((n - 1))) ||
        wrong "others than the deleted one have changed" || return 1
    [ "$(column flags "$work/after.csv" | awk '{ print $1 % 4 }' | tr '\n' ' ')" = \
        "2 $(printf '0 %.0s' $(seq $((n - 2))))1 " ] ||
        wrong "flags $(column flags "$work/after.csv")" || return 1
    paste <(middle 1 "$work/before.csv") <(middle 1 "$work/after.csv") |
        awk '{ x = $3 - $1; y = $4 - $2; exit !(x > 9 && x < 11 && y > -1 && y < 1) }' ||
        wrong "it was not moved by 10 pixels" || return 1
    middle "$n" "$work/after.csv" |
        awk '{ exit !($1 > 208 && $1 < 212 && $2 > 213 && $2 < 217) }' ||
        wrong "the new one is at $(middle "$n" "$work/after.csv")" || return 1
    [ "$(tail -1 "$work/after.csv" | cut -d, -f8,9)" = "2C_2P," ] ||
        wrong "it is a $(tail -1 "$work/after.csv")"
}

format_is_chosen() {
    save "$work/after.vot" && grep -q '<VOTABLE version="1.4"' "$work/after.vot" &&
        save "$work/after.table" fits && grep -q TUCD1 "$work/after.table" || return 1
    save "$work/after.txt" && ds9_text "Save catalogue..." | grep -q "must end in .fits" &&
        [ ! -e "$work/after.txt" ] || wrong "$(ds9_text "Save catalogue...")"
}

relabelled_is_by_hand() {
    local regions
    regions=$(ask regions -format ds9 -system wcs -sky icrs -skyformat degrees |
        sed '/^box/ { s/text={[^}]*}/text={1C_3P}/; :a; n; ba }')
    order regions delete all
    feed regions -format ds9 <<< "$regions"
    "$claran" ds9 save "$ds9_method" -o "$work/again.csv" > "$work/log" || return 1
    [ "$(sed -n 2p "$work/again.csv" | cut -d, -f8,9)" = "1C_3P," ] &&
        [ $(($(column flags "$work/again.csv" | head -1) % 4)) = 1 ] ||
        wrong "$(sed -n 2p "$work/again.csv")" || return 1
    sed 's/text={1C_3P}/text={quasar}/' <<< "$regions" | feed regions -format ds9
    "$claran" ds9 save "$ds9_method" -o "$work/not.csv" > "$work/log" 2>&1
    grep -q 'label "quasar" of the box at .* is no class' "$work/log" ||
        { cat "$work/log"; return 1; }
    order regions delete all
    feed regions -format ds9 <<< "$regions"
}

# The same regions, saved by DS9, without DS9.
headless_twin_agrees() {
    order regions format ds9 && order regions system wcs && order regions sky icrs &&
        order regions skyformat degrees && order regions save "$work/saved.reg" || return 1
    "$claran" catalogue "$field" "$work/saved.reg" -o "$work/twin.csv" &&
        diff <(cut -d, -f 1-49 "$work/again.csv") <(cut -d, -f 1-49 "$work/twin.csv")
}

# Click on the third row: the frame goes there.
catalogue_tool_is_linked() {
    local x y at
    order wcs sky galactic      # DS9 cannot read a table then
    ds9_click ClaRAN "Load as catalogue" && ds9_wait "Load as catalogue" || return 1
    [ "$(ask wcs sky)" = galactic ] || wrong "wcs sky is $(ask wcs sky)" || return 1
    order wcs sky icrs
    ds9_text "Load as catalogue" | grep -q "^$n sources in DS9's catalogue tool" ||
        wrong "$(ds9_text "Load as catalogue")" || return 1
    [ "$(tk 'starbase_nrows $cattool(catdb)')" = "$n" ] || wrong "rows are missing" ||
        return 1
    tk "wm geometry .cattool +0+0; raise .cattool" > /dev/null
    sleep 0.5
    read -r x y <<< "$(tk 'set b [.cattool.tbl.t bbox 3,2]
        list [expr {[winfo rootx .cattool.tbl.t] + [lindex $b 0] + 20}] \
        [expr {[winfo rooty .cattool.tbl.t] + [lindex $b 1] + 8}]')"
    click_at "$x" "$y" && sleep 0.5
    at=$(ask pan wcs icrs degrees)
    paste <(column RA "$work/again.csv" | sed -n 3p) <(column DEC "$work/again.csv" |
        sed -n 3p) <(echo "$at") | awk '{
            x = $1 - $3; y = $2 - $4
            exit !(x * x < 1e-6 && y * y < 1e-6 && NF == 4) }' ||
        wrong "the frame is at $at"
    ds9_picture "$builddir/tests/ds9_table.png"
    order catalog close
}

# DS9 reads our tables of other formats too.
ds9_reads_fits() {
    save "$work/read.fits" && order catalog import fits "$work/read.fits" || return 1
    [ "$(tk 'list [starbase_nrows $cattool(catdb)] $cattool(colx) $cattool(coly)')" = \
        "$n RA DEC" ] || wrong "rows or columns are missing" || return 1
    paste <(tk 'starbase_get $cattool(catdb) 2 [starbase_colnum $cattool(catdb) RA]') \
        <(column RA "$work/again.csv" | sed -n 2p) |
        awk '{ exit !($1 - $2 < 1e-6 && $2 - $1 < 1e-6 && NF == 2) }' ||
        wrong "another RA" || return 1
    order catalog close
}

# A training list with its image, which claran train takes.
corrections_train() {
    ds9_click ClaRAN "Save corrections..." || return 1
    ds9_dialog || return 1
    tk "set ianalysis(param,1,0,0,value) {$work/mine.csv}" > /dev/null
    ds9_click_widget .param.buttons.ok && ds9_wait "Save corrections..."
    [ "$(column class "$work/mine.csv" | tr '\n' ' ')" = \
        "$(column class "$work/again.csv" | tr '\n' ' ')" ] ||
        wrong "$(ds9_text "Save corrections..."; cat "$work/mine.csv")" || return 1
    "$claran" train "$work/mine.csv" -o "$work/mine.fits" --width 4 --fc 8 --input 128 \
        --steps 2 > "$work/log" 2>&1 || { cat "$work/log"; return 1; }
    order regions delete all
    "$claran" ds9 corrections "$ds9_method" -o "$work/nothing.csv" > "$work/log" &&
        [ "$(sed -n 2p "$work/nothing.csv" | cut -d, -f1-6)" = "radio.fits,,,,," ] ||
        { cat "$work/log" "$work/nothing.csv"; return 1; }
}

infrared_comes_along() {
    order frame new && order file "$work/field/sim_00000_w1.fits" && order frame 1 ||
        return 1
    "$claran" ds9 corrections "$ds9_method" -o "$work/pair.csv" > "$work/log" 2>&1 &&
        [ -f "$work/pair/infrared.fits" ] && grep -q infrared.fits "$work/pair.csv" ||
        { cat "$work/log"; return 1; }
    [ "$(ask frame)" = 1 ] || wrong "it is in another frame"
}

nothing_to_save() {
    "$claran" ds9 save "$ds9_method" -o "$work/none.csv" > "$work/log" 2>&1 &&
        { wrong "it saved nothing"; return 1; }
    grep -q "draw a box and label it" "$work/log" && [ ! -e "$work/none.csv" ]
}

for test in detects user_edits catalogue_shows_exactly_that format_is_chosen \
    relabelled_is_by_hand headless_twin_agrees catalogue_tool_is_linked ds9_reads_fits \
    corrections_train infrared_comes_along nothing_to_save
do run $test; done
[ $failures = 0 ]

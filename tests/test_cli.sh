#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line: what goes in and comes out, and bad input of every kind: one
# sentence each, exit status not 0, nothing written.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" || exit 1
: > out.log > err.log

"$claran" simulate field --count 2 --seed 5 --size 100 > log 2>&1 ||
    { cat log; echo "FAIL simulate"; exit 1; }
field=(field/sim_?????.fits) infrared=(field/*_w1.fits)
columns=name,RA,DEC,xmin,ymin,xmax,ymax,class,probability

# refuses STATUS WORDS ARGUMENT...
refuses() {
    local status=$1 words=$2 before; shift 2
    before=$(ls -R)
    "$claran" "$@" > out.log 2> err.log < /dev/null
    local got=$?
    [ $got = "$status" ] || wrong "claran $*: status $got" || return 1
    [ ! -s out.log ] || wrong "claran $* wrote to standard output" || return 1
    [ "$(wc -l < err.log)" = 1 ] && grep -q "^claran: .*$words" err.log ||
        wrong "claran $* said: $(cat err.log)" || return 1
    [ "$(ls -R)" = "$before" ] || wrong "claran $* wrote a file"
}

bad_image() {
    refuses 1 "$1" detect "$2" -o x.csv -o x.reg --png x.png &&
        refuses 1 "$1" detect "${field[0]}" "$2" -o -
}

missing_file() { bad_image "none.fits" none.fits; }
a_folder() { mkdir -p folder.fits && bad_image "folder.fits" folder.fits; }
text_file() { echo "not an image" > text.fits && bad_image "text.fits" text.fits; }
empty_file() { : > empty.fits && bad_image "empty.fits" empty.fits; }
truncated_file() {
    head -c 9000 "${field[0]}" > cut.fits && bad_image cut.fits cut.fits
}
all_nan() {
    fits nan.fits -32 377 "100 100" "${wcs[@]}" && bad_image nan.fits nan.fits
}
one_pixel() { fits one.fits -32 000 "1 1" "${wcs[@]}" && bad_image one.fits one.fits; }
no_wcs() { fits plain.fits -32 000 "100 100" && bad_image plain.fits plain.fits; }
spectrum_cube() {
    fits cube.fits -32 000 "50 50 40" "${wcs[@]}" && bad_image cube.fits cube.fits
}
no_axes() { fits none2.fits 8 000 "" && bad_image none2.fits none2.fits; }
huge_header() {
    fits huge.fits -32 000 "9 9" "${wcs[@]}"
    sed -i 's/NAXIS1  =                    9/NAXIS1  =           2000000000/' huge.fits
    bad_image huge.fits huge.fits
}
extended_name() { refuses 1 "cannot be read" detect "${field[0]}[1:50,1:50]"; }

bad_model() { refuses 1 "$1" detect "${field[0]}" --model "$1" -o x.csv; }
missing_model() { bad_model none.model; }
text_model() { echo text > text.model && bad_model text.model; }
image_as_model() { bad_model "${field[0]}"; }
cut_model() { head -c 200000 "$model" > cut.model && bad_model cut.model; }
damaged_model() {
    local half=$(($(wc -c < "$model") / 2))
    head -c $half "$model" > hurt.model
    printf '\125\252\125\252' >> hurt.model
    tail -c +$((half + 5)) "$model" >> hurt.model
    bad_model hurt.model
}

# All files or none; what is in the way of one stays.
no_place_to_write() {
    mkdir -p d.csv d.png && mkfifo pipe.csv || return 1
    local image=${field[0]}
    refuses 1 "d.csv cannot be written" detect "$image" -o x.reg -o d.csv &&
        refuses 1 "d.png cannot be written" detect "$image" -o x.reg --png d.png &&
        refuses 1 "x.png cannot be written" detect "$image" -o x.reg --png no/x.png &&
        refuses 1 "pipe.csv cannot be written" detect "$image" -o x.reg -o pipe.csv &&
        rm -r d.csv d.png pipe.csv
}
full_output() {
    local words
    for words in "detect ${field[0]}" "detect ${field[0]} -o x.reg --png x.png -o -" \
        model --version "detect --help"; do
        for to in ">/dev/full" ">&-"; do
            eval "\"\$claran\" $words $to" 2> err.log &&
                { wrong "claran $words $to: status 0"; return 1; }
            [ "$(cat err.log)" = "claran: standard output could not be written" ] ||
                wrong "claran $words $to said: $(cat err.log)" || return 1
            [ ! -e x.reg ] && [ ! -e x.png ] || wrong "a file was written" || return 1
        done
    done
}
closed_descriptors() {
    "$claran" detect "${field[0]}" -o x.csv 0<&- 2>&- && [ -s x.csv ] && rm x.csv
}
interrupted() {
    local before job
    before=$(ls)
    "$claran" detect "${field[0]}" --backend ref -o x.csv -o x.reg 2> /dev/null &
    job=$!
    sleep 0.5
    kill $job && ! wait $job 2> /dev/null || wrong "it was over already" || return 1
    [ "$(ls)" = "$before" ] || wrong "it left $(ls)"
}

unknown_option() {
    local command
    for command in average calibrate catalogue crossmatch detect devices ds9 evaluate image import model plot pretrain simulate train label; do
        refuses 2 "unknown option --bogus" $command --bogus || return 1
    done
    refuses 2 "unknown option --bogus" --bogus
}
devices() {
    CLARAN_GPU=none "$claran" devices > devices.log 2> err.log && [ ! -s err.log ] &&
        grep -q '^gpu   not usable: CLARAN_GPU' devices.log &&
        grep -q '^cpu   oneDNN [2-9]' devices.log && grep -q '^auto  cpu' devices.log ||
        wrong "devices: $(cat devices.log err.log)" || return 1
    export CLARAN_GPU=none
    refuses 1 "no GPU is to be used" detect "${field[0]}" --backend gpu -o x.csv
    local status=$?
    unset CLARAN_GPU
    return $status
}
# On a card that is the host (tests/card.c).
a_full_or_busy_card() {
    local -x CLARAN_GPU=${claran%/*}/tests/claran-card.so
    local room busy tiny=(--backend gpu --input 64 --width 4 --fc 16 --steps 4 --anchors 6,9,14,20,30,44 -o card.fits)
    [ -f "$CLARAN_GPU" ] || wrong "make check builds $CLARAN_GPU, which is not there" || return 1
    "$claran" devices > devices.log && grep -q '^auto  gpu' devices.log &&
        CARD_BUSY=0 "$claran" devices > devices.log && grep -q '^auto  cpu' devices.log &&
        grep -q '^      not usable: .*busy, another program' devices.log ||
        wrong "devices: $(cat devices.log)" || return 1
    "$claran" simulate one -n 1 --size 100 --seed 1 > out.log || return 1
    for room in 100 100000 1000000; do
        CARD_ROOM=$room "$claran" train one.csv "${tiny[@]}" > out.log 2> err.log &&
            { wrong "trained in $room bytes"; return 1; }
        grep -q "memory is full.*use a smaller batch or --backend cpu" err.log &&
            [ ! -e card.fits ] || wrong "in $room bytes: $(cat err.log)" || return 1
    done
    for busy in 0 9 900; do
        CARD_BUSY=$busy "$claran" train one.csv "${tiny[@]}" > out.log 2> err.log &&
            { wrong "trained on a busy card"; return 1; }
        grep -q "busy, another program" err.log && [ ! -e card.fits ] ||
            wrong "busy from call $busy on: $(cat err.log)" || return 1
    done
    CARD_BUSY=0 refuses 1 "busy, another program" detect "${field[0]}" --backend gpu -o x.csv
}
# A list that begins on a card which is busy after a while is done again by the processor, with
# --backend auto, which looks for the driver (a library of its name is enough here).
a_card_that_dies() {
    local -x CLARAN_GPU=${claran%/*}/tests/claran-card.so LD_LIBRARY_PATH=$work/driver
    local busy last=0 past=4000
    local train=(--input 64 --width 4 --fc 16 --steps 4 --anchors 6,9,14,20,30,44 --method D4)
    local list=(large/sim_00000.fits --ir part/sim_00000_w1.fits --all --model dies.fits)
    type gcc > /dev/null || { echo "skip a_card_that_dies: no gcc"; return; }
    mkdir driver && gcc -shared -o driver/libcuda.so.1 -x c /dev/null || return 1
    "$claran" simulate two -n 2 --size 100 --seed 1 > out.log &&
        "$claran" simulate large -n 1 --size 260 --seed 5 > out.log &&
        "$claran" simulate part -n 1 --size 170 --seed 5 > out.log &&
        "$claran" train two.csv "${train[@]}" --backend cpu -o dies.fits > out.log 2>&1 &&
        "$claran" detect "${list[@]}" --backend cpu > cpu.log 2>&1 &&
        "$claran" detect "${list[@]}" --backend cpu -o cpu.csv >> cpu.log 2>&1 || wrong "$(cat out.log)" ||
        return 1
    grep -q "^4 windows of 3' not looked at" cpu.log || wrong "$(head -4 cpu.log)" || return 1
    while ((past - last > 1)); do             # the last call that matters
        busy=$(((past + last) / 2))
        CARD_BUSY=$busy "$claran" detect "${list[@]}" > out.log 2>&1 || return 1
        if grep -q "^the processor is used" out.log; then last=$busy; else past=$busy; fi
    done
    [ $last -gt 100 ] || wrong "its last call was number $last" || return 1
    for busy in 0 $((last / 4)) $((last / 2)) $((last - 20)) $last; do
        CARD_BUSY=$busy "$claran" detect "${list[@]}" > out.log 2>&1 &&
            grep -q "^the processor is used: .*the GPU failed in .* busy" out.log ||
            wrong "busy from call $busy on: $(head -4 out.log)" || return 1
        diff cpu.log <(grep -v "^the processor is used" out.log) > err.log ||
            wrong "busy from call $busy on: $(head -4 err.log)" || return 1
        CARD_BUSY=$busy refuses 1 "busy, another program" detect "${list[@]}" --backend gpu \
            -o x.csv || return 1
    done
    CARD_BUSY=$last "$claran" detect "${list[@]}" -o auto.csv > out.log 2> err.log &&
        grep -q "^claran: the processor is used" err.log &&
        cmp -s <(cut -d, -f1-20 cpu.csv) <(cut -d, -f1-20 auto.csv) &&
        grep -q -e "--backend=gpu,cpu --precision=f32" auto.csv || wrong "$(cat err.log)" || return 1
    CARD_BUSY=$last refuses 1 "busy.*on the processor: .*f16" detect "${list[@]}" --precision f16 \
        -o x.csv
}
# Of two images of one list the first has infrared in its middle only: that is said of it alone,
# the searched area is less, and kept results say the same.
a_list_with_infrared() {
    local try left="windows of 3' not looked at"
    "$claran" simulate wide -n 2 --size 260 --seed 5 > out.log &&
        "$claran" simulate middle -n 1 --size 100 --seed 5 > out.log || return 1
    for try in 1 2; do
        "$claran" detect wide/sim_0000?.fits --ir middle/sim_00000_w1.fits \
            --ir wide/sim_00001_w1.fits --results kept > out.log 2> err.log &&
            [ "$(grep -c "$left" out.log)" = 1 ] && grep -A2 "^wide/sim_00000" out.log |
            grep -q "^20 $left" || wrong "$(cat out.log err.log)" || return 1
    done
    "$claran" detect wide/sim_00000.fits --ir middle/sim_00000_w1.fits -o a.csv &&
        "$claran" detect wide/sim_00000.fits --ir wide/sim_00000_w1.fits -o b.csv || return 1
    awk -F, 'FNR == 2 { area[++n] = $(NF - 1) } END { exit !(area[1] < area[2] / 3) }' \
        a.csv b.csv || wrong "searched area: $(sed 1d a.csv b.csv | grep -o '[^,]*,[^,]*$')"
}
results_are_of_so_many_views() {
    local views
    for views in 1 2 2; do
        "$claran" detect "${field[0]}" --views $views --results views > out.log 2>&1 ||
            wrong "$(cat out.log)" || return 1
    done
    [ "$(ls views | wc -l)" = 2 ] || wrong "kept: $(ls views)"
}
unknown_command() { refuses 2 "unknown command bogus" bogus; }
bad_values() {
    refuses 2 "threshold" detect "${field[0]}" --threshold 1.5 &&
        refuses 2 "threshold" detect "${field[0]}" --threshold nan &&
        refuses 2 "needs a value" detect "${field[0]}" --threshold &&
        refuses 2 "takes no value" detect "${field[0]}" --all=yes &&
        refuses 1 "method D9" detect "${field[0]}" --method D9 &&
        refuses 1 "backend" detect "${field[0]}" --backend abacus &&
        refuses 1 "must end in" detect "${field[0]}" -o x.txt &&
        refuses 1 "cannot be written" detect "${field[0]}" -o nowhere/x.csv &&
        refuses 2 "leave out" model "$model" --width 7 &&
        refuses 2 "one image" detect "${field[@]}" --png x.png &&
        refuses 1 "given twice" detect "${field[0]}" -o x.csv -o x.csv &&
        refuses 2 "name a FITS image" detect
}
refuses_image() {
    local words=$1; shift
    refuses 1 "$words" image "$@" -o x.png &&
        refuses 1 "$words" image "$@" -o x.png --at 150.001,2.001
}
bad_image_options() {
    local image=${field[0]}
    refuses 2 "name one" image -o x.png && refuses 2 "say -o" image "$image" &&
        refuses 2 "takes no --method" image "$image" --all-methods -m D1 -o x.png &&
        refuses 2 "RA,DEC" image "$image" --at 150 -o x.png &&
        refuses 2 "RA,DEC" image "$image" --at 150,91 -o x.png &&
        refuses 2 "RA,DEC" image "$image" --at nan,1 -o x.png &&
        refuses 1 "method D9" image "$image" -m D9 -o x.png &&
        refuses 1 "sim_00000.fits" image "$image" --at 1,1 -o x.png &&
        refuses 1 "cannot be written" image "$image" -o no/x.png
}
bad_radio_image() {
    fits plain.fits -32 000 "100 100" && fits nan.fits -32 377 "100 100" "${wcs[@]}" &&
        refuses_image "plain.fits has no window" plain.fits &&
        refuses_image "nan.fits is blank" nan.fits && refuses_image none.fits none.fits
}
bad_infrared_image() {
    local method here=here.fits away=("${wcs[@]/ 2.0/ 3.0}")
    fits $here -32 000 "100 100" "${wcs[@]}" && fits plain.fits -32 000 "100 100" &&
        fits nan.fits -32 377 "100 100" "${wcs[@]}" &&
        fits away.fits -32 000 "100 100" "${away[@]}" &&
        fits strip.fits -32 000 "30000 9" "${wcs[@]}" || return 1
    for method in D2 D3 D4; do
        refuses_image "$method needs an infrared image beside $here" $here -m $method &&
            refuses_image "away.fits does not cover $here" $here --ir away.fits \
                -m $method || return 1
    done
    refuses_image "nan.fits does not cover $here" $here --ir nan.fits &&
        refuses_image "strip.fits does not cover $here" $here --ir strip.fits &&
        refuses_image "plain.fits cannot be resampled" $here --ir plain.fits &&
        refuses_image none.fits $here --ir none.fits &&
        refuses_image "away.fits does not cover" $here --ir away.fits --all-methods
}
wide_infrared_image() {
    fits here.fits -32 000 "100 100" "${wcs[@]}" &&
        fits wide.fits -32 000 "30000 100" "${wcs[@]}" &&
        "$claran" image here.fits --ir wide.fits -o x.png > out.log && rm x.png wide.fits
}

bad_lists() {
    printf 'file,class,xmin,ymin,xmax\n' > short.csv
    printf 'file,class,xmin,ymin,xmax,ymax\nnone.fits,1C_1P,1,1,9,9\n' > absent.csv
    refuses 1 "none.csv" evaluate none.csv && refuses 1 "ymax" evaluate short.csv &&
        refuses 1 "none.fits" evaluate absent.csv &&
        refuses 1 "none.csv" train none.csv -o x.fits &&
        refuses 2 "-o MODEL.fits" train absent.csv &&
        refuses 1 "must end in .csv" label absent.csv -o x.reg
}
plots() {
    printf 'step,total\n1,3\n2,2\n3,1\n' > m.losses.csv
    printf 'step,total\n1,high\n' > bad.csv
    "$claran" plot m.losses.csv -o loss.svg > out.log 2>&1 || wrong "plot: $(cat out.log)" ||
        return 1
    grep -q '>iteration</text>' loss.svg && grep -q '>m</text>' loss.svg &&
        grep -q '</svg>' loss.svg || wrong "no figure in loss.svg" || return 1
    rm loss.svg
    refuses 1 "line 2" plot bad.csv -o x.svg && refuses 1 "none.csv" plot none.csv -o x.svg &&
        refuses 2 "FILE.svg" plot m.losses.csv && refuses 1 "called" plot m.losses.csv \
        --only other -o x.svg
}
recipes() {
    refuses 2 "default or paper" train absent.csv -o x.fits --recipe cake &&
        "$claran" train --help > ours.log && "$claran" train --recipe paper --help > paper.log &&
        "$claran" train --rate 7 --recipe=paper --help > both.log || return 1
    grep -q "input: 256" ours.log && grep -q "input: 600" paper.log &&
        grep -q "rate: 0.001" paper.log && grep -q "rate: 7" both.log &&
        grep -q "input: 600" both.log || wrong "help shows other values" || return 1
    "$claran" simulate few -n 2 --size 100 --seed 1 > out.log &&
        "$claran" train few.csv --fc 16 --recipe paper --input 64 --width 4 --steps 2 \
            --anchors 6,9,14,20,30,44 --no-flips -o tiny.fits > out.log 2>&1 &&
        "$claran" model tiny.fits > out.log || wrong "train: $(cat out.log)" || return 1
    tr -d '\n' < out.log | grep -q "recipe paper with input 64, *width 4, *fc 16" ||
        wrong "the record: $(cat out.log)" || return 1
    [ "$(tail -1 tiny.fits.losses.csv | cut -d, -f1)" = 2 ] || wrong "no losses"
}
# Where the computer's own name is unknown XPA adds a line to that, unless it is local.
ds9_gone() {
    local action
    local -x XPA_METHOD=local
    for action in detect remove; do
        refuses 1 "no DS9 answers" ds9 $action "$work/gone" || return 1
    done
    refuses 1 "no DS9 answers" ds9 save "$work/gone" -o x.csv &&
        refuses 2 "wants XPA_METHOD" ds9 detect && refuses 2 "say detect" ds9 dance &&
        refuses 2 "wants --output" ds9 save "$work/gone" &&
        refuses 2 "takes no --output" ds9 detect "$work/gone" -o x.csv
}

# Every command's help has an example, whose options it explains.
examples_are_possible() {
    local command example option
    while read -r command; do
        "$claran" $command --help > out.log 2>&1 || wrong "$command" || return 1
        example=$(sed -n '/^example:/,$s/^  claran //p' out.log)
        [ "${example#"$command"}" != "$example" ] || wrong "$command: none" || return 1
        for option in $(grep -oE -- ' --?[a-z][a-z-]*' <<< "$example"); do
            sed '/^example/,$d' out.log | grep -qE -- "^ +(-., )?$option( |\$)|^ +$option, " ||
                wrong "$command has no $option" || return 1
        done
    done < <("$claran" --help | awk '/^  [a-z]/ { print $1 }'; printf "ds9 %s\n" check fetch install)
}

# completes "WORDS SO FAR" EXPECTED...: the last word (may be empty) can become these.
completes() {
    local COMP_WORDS COMP_CWORD COMPREPLY word; read -ra COMP_WORDS <<< "${1% }"
    [ "${1% }" = "$1" ] || COMP_WORDS+=("")
    COMP_WORDS[0]=$claran COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _claran
    shift
    for word; do
        grep -qx -- "$word" <<< "$(printf '%s\n' "${COMPREPLY[@]}")" ||
            wrong "no $word: ${COMPREPLY[*]}" || return 1
    done
    [ $# -gt 0 ] || [ ${#COMPREPLY[@]} = 0 ] || wrong "${COMPREPLY[*]}"
}
shell_completes() {
    . "$srcdir/doc/completions/claran" || return 1
    completes "claran " detect serve ds9 && completes "claran cr" crossmatch &&
        completes "claran --v" --version && completes "claran zz" &&
        completes "claran ds9 " detect save fetch check install && completes "claran ds9 ch" check &&
        completes "claran detect --thr" --threshold && completes "claran detect x --png" --png &&
        completes "claran ds9 fetch ds9 --" --where --size && completes "claran detect fi"
}

helps() {
    local command
    for command in "" average calibrate catalogue crossmatch detect ds9 evaluate image import model plot pretrain simulate train label; do
        "$claran" $command --help > out.log 2>&1 && grep -q '^usage: claran' out.log ||
            wrong "no help for \"$command\"" || return 1
    done
    "$claran" --version | grep -Eq '^claran [0-9]+\.[0-9]'
}

csv_and_standard_output() {
    local least=0.05
    "$claran" detect "${field[@]}" --all -o all.csv -o all.reg &&
        "$claran" detect "${field[@]}" --all -o - > all.out &&
        cmp <(sed 's/,[^,]*$//' all.csv) <(sed 's/,[^,]*$//' all.out) ||   # but the time
        return 1
    head -1 all.csv | grep -q "^$columns," || wrong "columns: $(head -1 all.csv)" ||
        return 1
    [ "$(wc -l < all.csv)" -gt 1 ] || wrong "nothing was detected" || return 1
    [ "$(grep -c '^box' all.reg)" = $(($(wc -l < all.csv) - 1)) ] ||
        wrong "another number of regions" || return 1
    "$claran" model "$model" | grep -q 'not calibrated' || least=0
    [ "$(awk -F, -v p=$least 'NR > 1 && !($9 > p && $9 <= 1)' all.csv)" = "" ] ||
        wrong "a probability is not within $least and 1" || return 1
    rm all.*
}
# (Where nothing reaches it the best is kept, but not of a field as large as this.)
threshold_is_kept() {
    local least
    "$claran" simulate crowd --seed 3 --size 240 --density 2 > log 2>&1 || return 1
    for least in 0.1 0.8; do
        "$claran" detect crowd/sim_?????.fits --threshold $least -o $least.csv || return 1
        awk -F, -v least=$least 'NR > 1 && $9 < least { exit 1 }' $least.csv ||
            wrong "a P is below $least" || return 1
    done
    [ "$(wc -l < 0.1.csv)" -gt "$(wc -l < 0.8.csv)" ] || wrong "0.1 finds no more" ||
        return 1
    rm -r 0.?.csv crowd*
}
# --format outweighs the name; a table of what was searched is no catalogue.
formats_are_chosen() {
    "$claran" detect "${field[0]}" -o f.dat --format votable &&
        grep -q '<VOTABLE version="1.4"' f.dat || wrong "no VOTable" || return 1
    "$claran" detect "${field[0]}" -o - --format json | grep -q '"claran": {' &&
        "$claran" detect "${field[0]}" -o f.moc.fits -o f.fits &&
        grep -q MOCDIM f.moc.fits && grep -q TUCD1 f.fits || return 1
    rm f.*
    refuses 1 "no format \"cake\": it is fits, votable" detect "${field[0]}" -o x.csv \
        --format cake
}
# Boxes of a region file, as they are and as someone changed them.
# Without a beam there is no flux: it is asked for, before anyone has to wait.
beam_is_asked_for() {
    fits coarse.fits -32 000 "100 100" "${wcs[@]/0.0005/0.0010}"
    refuses 1 "no beam .*--beam MAJOR" detect coarse.fits -o x.csv &&
        refuses 1 "such as 5.4,5.4,0" detect coarse.fits -o x.csv --beam 10,10 &&
        "$claran" detect coarse.fits -o x.csv --beam 10,10,0 && [ -s x.csv ] || return 1
    "$claran" detect coarse.fits -o x.reg 2> err.log && grep -q "Nothing is measured" err.log &&
        rm x.csv x.reg coarse.fits
}
# What is measured goes into the catalogue, with a host from the infrared image.
sources_are_measured() {
    "$claran" detect "${field[0]}" --all --method D1 --ir "${infrared[0]}" -o x.csv &&
        awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
            $c["flux"] > 5 * $c["flux_error"] && $c["rms"] > 0.1 && $c["rms"] < 0.3 \
                && $c["size"] > 3 && $c["tight_xmin"] > 0 && $c["components"] > 0 { n++ }
            $c["host_ra"] > 0 { hosts++ }
            END { exit !(n > 0 && hosts > 0) }' x.csv || { cat x.csv; return 1; }
    "$claran" detect "${field[0]}" --all --method D1 --level 3 -o y.csv &&
        ! cmp -s <(cut -d, -f 19-30 x.csv) <(cut -d, -f 19-30 y.csv) ||
        wrong "--level 3 changes nothing" || return 1
    "$claran" detect "${field[0]}" | head -3 | grep -q mJy && rm x.csv y.csv
}
regions_are_measured() {
    "$claran" detect "${field[@]:0:1}" --all -o r.csv -o r.reg &&
        "$claran" catalogue "${field[0]}" r.reg -o s.csv --ir "${infrared[0]}" || return 1
    [ "$(cut -d, -f4-8 r.csv | tr -d .)" = "$(cut -d, -f4-8 s.csv | tr -d .)" ] ||
        diff <(cut -d, -f1-8 r.csv) <(cut -d, -f1-8 s.csv) | awk -F'[ ,]' '
            /^</ { for (i = 5; i < 9; i++) was[n, i] = $i; n++ }
            /^>/ { for (i = 5; i < 9; i++) { d = $i - was[m, i]; bad += d * d > 1e-5 } m++ }
            END { exit bad > 0 || n != m }' || wrong "boxes have moved" || return 1
    echo 'circle(1,2,3")' > none.reg
    "$claran" catalogue "${field[0]}" none.reg -o none.csv &&
        [ "$(wc -l < none.csv)" = 1 ] || wrong "a circle is a source" || return 1
    printf 'image\nbox(9,9,5,5,0) # text={1C_1P}\n' > image.reg
    refuses 1 "image.reg: this region is not in sky" catalogue "${field[0]}" image.reg \
        -o x.csv && refuses 1 "none2.reg" catalogue "${field[0]}" none2.reg -o x.csv &&
        refuses 1 "field.csv: this is no region file" catalogue "${field[0]}" field.csv \
            -o x.csv &&
        refuses 2 "where to write" catalogue "${field[0]}" r.reg &&
        refuses 2 "an image and a region file" catalogue r.reg -o x.csv &&
        rm r.* s.csv none.* image.reg
}
catalogues_are_matched() {
    printf 'id,ra_deg,dec_deg\n7,10,20\n8,10.001,20\n' > a.csv
    printf 'RAJ2000\tDEJ2000\tnote\n10.0003\t20\tx y\n' > b.tsv
    "$claran" crossmatch a.csv b.tsv --radius 2 -o m.csv > out.log &&
        grep -q '^1 of 2 sources of a.csv have a match in b.tsv within 2"' out.log ||
        return 1
    [ "$(cut -d, -f1-11 m.csv)" = "id,ra_deg,dec_deg,matches,separation,position_angle,\
match_row,best,RAJ2000,DEJ2000,note
7,10,20,1,1.015,90.000,1,1,10.0003,20,x y
8,10.001,20,0,,,,,,," ] || { cat m.csv; return 1; }
    "$claran" crossmatch a.csv b.tsv > out.log && grep -q "row 1 x y" out.log || return 1
    printf 'RA,DEC,matches,match_row\n10,20,x,y\n' > c.csv
    "$claran" crossmatch c.csv b.tsv > out.log && grep -q "row 1 x y" out.log &&
        "$claran" crossmatch m.csv b.tsv -o n.csv > out.log &&
        [ -z "$(head -1 n.csv | tr , '\n' | sort -f | uniq -di)" ] ||
        wrong "repeats: $(head -1 n.csv)" || return 1
    echo 'a,b' > c.csv
    refuses 1 "c.csv: no column" crossmatch c.csv a.csv &&
        refuses 1 "c.csv (--ra" crossmatch a.csv c.csv &&
        refuses 1 "none.vot" crossmatch a.csv none.vot &&
        refuses 1 "tables are read as" crossmatch a.csv b.reg &&
        refuses 1 "cannot be read" crossmatch a.csv none.fits &&
        refuses 1 "no table" crossmatch "${field[0]}" a.csv &&
        refuses 1 "cross-match is a table" crossmatch a.csv b.tsv -o x.reg &&
        refuses 2 "two tables" crossmatch a.csv &&
        refuses 2 "radius" crossmatch a.csv b.tsv --radius -1 && rm a.csv b.tsv c.csv [mn].csv
}
picture_is_png() {
    "$claran" detect "${field[0]}" --png p.png > out.log &&
        [ "$(head -c 4 p.png | tail -c 3)" = PNG ] && rm p.png
}
png_size() { od -An -tu4 --endian=big -j16 -N8 "$1" | tr -s ' '; }
# image NAME ARGUMENT...: NAME.png, what is shown of the first field.
image() {
    local name=$1; shift
    "$claran" image "${field[0]}" "$@" -o "$name.png" > out.log
}
image_is_of_the_method() {
    local method
    image plain && grep -qx 'plain.png: method D1 (there is no infrared image)' out.log &&
        image both --ir "${infrared[0]}" &&
        grep -qx 'both.png: method D4 (there is an infrared image)' out.log ||
        wrong "said: $(cat out.log)" || return 1
    for method in F D1 D2 D3 D4; do
        image $method --ir "${infrared[0]}" -m $method || return 1
        [ "$(png_size $method.png)" = " 132 132" ] || wrong "$(png_size $method.png)" ||
            return 1
    done
    [ "$(cksum [FD]*.png | cut -d ' ' -f 1 | sort -u | wc -l)" = 5 ] ||
        wrong "two methods give the same" || return 1
    cmp plain.png D1.png && cmp both.png D4.png && rm -- *.png
}
# Of a window on the first source.
image_is_where_it_was_asked() {
    local at
    at=$(awk -F, 'NR == 2 { print $8 "," $9 }' field.csv)
    image middle && image there --at "$at" && ! cmp -s middle.png there.png &&
        rm -- *.png
}
all_methods_are_on_a_sheet() {
    image two --all-methods && image five --all-methods --ir "${infrared[0]}" &&
        [ "$(png_size two.png)$(png_size five.png)" = " 816 434 1220 860" ] &&
        rm -- *.png
}
# The examples of a training, and no model; every change of them gives other ones.
examples_are_on_a_sheet() {
    local change n=0
    for change in "" "--rotate 1" "--zoom 0.8,1.2" "--faint 1" "--brighten 3" \
        "--beams 9" "--inject 1" "--method D4 --rotate 1"; do
        "$claran" train field.csv --show $((n += 1)).png $change > out.log ||
            wrong "no sheet with $change" || return 1
    done
    [ "$(png_size 1.png)" = " 2432 2564" ] && [ "$(cksum [1-8].png | sort -u |
        cut -d ' ' -f 1 | uniq | wc -l)" = 8 ] && [ ! -e x.fits ] && rm -- [1-8].png &&
        refuses 1 "zoom wants two" train field.csv --show x.png --zoom 2,1 &&
        refuses 1 "zoom wants two" train field.csv --show x.png --zoom 2 &&
        refuses 2 "rotate" train field.csv --show x.png --rotate 1.5
}
# What is shown of the list, and files that say the same.
evaluation_goes_to_files() {
    "$claran" evaluate field.csv --bootstrap 50 > out.log &&
        grep -q '^mean  ' out.log && grep -q 'Expected calibration error' out.log ||
        wrong "said: $(cat out.log)" || return 1
    "$claran" evaluate field.csv --bootstrap 50 --report r.txt --json r.json \
        --html r.html --coco c > again.log && cmp out.log again.log || return 1
    "$claran" evaluate field.csv --bootstrap 50 --report - > r.out &&
        cmp r.txt r.out || return 1
    grep -q '^mean score' r.txt && grep -q '"components"' r.json &&
        grep -q '</html>' r.html && grep -q '"bbox"' c_truth.json &&
        grep -q '"score"' c_found.json || wrong "a file lacks something" || return 1
    rm r.* c_*.json again.log
}
no_evaluation_is_half_written() {
    mkdir d.json && refuses 1 "d.json cannot be written" evaluate field.csv \
        --report r.txt --json d.json --coco c && rmdir d.json &&
        refuses 1 "cannot be written" evaluate field.csv --html no/x.html &&
        refuses 1 "two outputs" evaluate field.csv --html x --json x &&
        refuses 2 "bootstrap" evaluate field.csv --bootstrap -1
}
# Another number is another model, by its name; an average forgets it.
views_are_kept_in_the_model() {
    "$claran" model c.fits > c.log
    grep -q ' views of' plain.log c.log && { wrong "views of one"; return 1; }
    "$claran" calibrate many.csv --model plain.fits -o v.fits --views 2 > log &&
        "$claran" model v.fits > v.log && grep -q '^2 views of each window' v.log &&
        grep -q 'calibrate on many.csv, 2 views: ' v.log || return 1
    "$claran" calibrate many.csv --model v.fits -o w.fits > log &&
        cmp <(head -4 v.log | tail -3) <("$claran" model w.fits | head -4 | tail -3) &&
        "$claran" average v.fits v.fits -o mean.fits || return 1
    "$claran" model mean.fits | grep -q ' views of' && { wrong "kept"; return 1; }
    local views
    for views in 0 1 2 3; do
        "$claran" detect many/sim_00000.fits --all --model v.fits --views $views \
            -o $views.csv > log || return 1
    done
    cmp <(cut -d, -f 1-40 0.csv) <(cut -d, -f 1-40 2.csv) &&
        grep -q ' --views=2 ' 0.csv && grep -q ' --views=1 ' 1.csv || return 1
    [ "$(tail -qn 1 [0-3].csv | grep -o "$hash-[0-9a-f]*" | sort -u | wc -l)" = 3 ] ||
        wrong "names: $(tail -qn 1 [0-3].csv)" || return 1
    for views in -1 5 99 nan 1.5; do
        refuses 2 "views" detect many/sim_00000.fits --views $views || return 1
    done
    rm [0-3].csv v.fits w.fits v.log
}
# The weights' hash stays, without evidence the boxes too; another training forgets it.
calibration_is_kept_in_the_model() {
    local hash
    "$claran" average "$model" "$model" -o plain.fits &&
        "$claran" simulate many --count 14 --seed 9 --size 100 > log 2>&1 &&
        "$claran" calibrate many.csv --model plain.fits -o c.fits > out.log &&
        grep -q 'cross-validated' out.log || wrong "said: $(cat out.log)" || return 1
    "$claran" model plain.fits > plain.log && "$claran" model c.fits > c.log &&
        grep -q '^probabilities not calibrated' plain.log &&
        grep -q '^probabilities calibrated: sigmoid(' c.log &&
        grep -q 'claran calibrate on many.csv' c.log || return 1
    hash=$(sed -n 's/.*: model \([0-9a-f]*\),.*/\1/p' plain.log)
    grep -q ": model $hash-[0-9a-f]\{4\}," c.log || wrong "$(head -1 c.log)" || return 1
    "$claran" calibrate many.csv --model plain.fits -o t.fits --temperature > log &&
        "$claran" detect many/sim_000??.fits --all --model plain.fits -o a.csv &&
        "$claran" detect many/sim_000??.fits --all --model t.fits -o b.csv &&
        cmp <(cut -d, -f 1-8 a.csv | sort) <(cut -d, -f 1-8 b.csv | sort) || return 1
    cmp -s a.csv b.csv && { wrong "the same probabilities"; return 1; }
    "$claran" average c.fits c.fits -o mean.fits &&
        "$claran" model mean.fits | grep -q '^probabilities not calibrated' || return 1
    views_are_kept_in_the_model || return 1
    rm -r many* a.csv b.csv plain.fits c.fits t.fits mean.fits plain.log c.log
}
# Not by any name of theirs.
inputs_are_not_written_over() {
    cp field/sim_00000.fits own.fits && ln -s own.fits alias.fits && cp field.csv own.csv &&
        cp own.fits before.fits || return 1
    refuses 2 "would write over own.fits" detect own.fits -o own.fits &&
        refuses 2 "would write over own.fits" detect own.fits --png alias.fits &&
        refuses 2 "would write over alias.fits" detect field/sim_00000.fits --ir alias.fits \
            -o own.fits &&
        refuses 2 "would write over own.csv" evaluate own.csv --json own.csv &&
        refuses 2 "would write over own.csv" train own.csv -o own.csv --steps 1 &&
        cmp own.fits before.fits && cmp own.csv field.csv && rm own.* alias.fits before.fits
}
bad_calibrations() {
    refuses 2 "name one list" calibrate --model "$model" -o x.fits &&
        refuses 2 "name the model" calibrate field.csv -o x.fits &&
        refuses 2 "name the model" calibrate field.csv --model "$model" &&
        refuses 1 "too few" calibrate field.csv --model "$model" -o x.fits
}
model_is_the_papers() { "$claran" model | grep -q "^1367[67][0-9]* weights"; }

model=${CLARAN_MODEL:-$srcdir/core/models/claran-d1.fits}
for test in helps examples_are_possible shell_completes csv_and_standard_output formats_are_chosen beam_is_asked_for sources_are_measured regions_are_measured catalogues_are_matched threshold_is_kept picture_is_png \
    image_is_of_the_method image_is_where_it_was_asked all_methods_are_on_a_sheet \
    examples_are_on_a_sheet bad_image_options bad_radio_image bad_infrared_image \
    wide_infrared_image model_is_the_papers evaluation_goes_to_files \
    no_evaluation_is_half_written calibration_is_kept_in_the_model bad_calibrations \
    inputs_are_not_written_over \
    missing_file a_folder text_file empty_file truncated_file \
    all_nan one_pixel no_wcs spectrum_cube no_axes huge_header extended_name \
    no_place_to_write full_output closed_descriptors interrupted \
    missing_model text_model image_as_model cut_model damaged_model unknown_option \
    devices a_full_or_busy_card a_card_that_dies a_list_with_infrared results_are_of_so_many_views unknown_command bad_values bad_lists plots recipes ds9_gone
do run $test; done
[ $failures = 0 ]

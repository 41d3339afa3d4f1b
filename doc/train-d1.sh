#!/bin/bash
# SPDX-License-Identifier: MIT
# The shipped D1 model from the data, in one command (doc/model-d1.md says why each step):
#
#     doc/train-d1.sh DATA FOLDER
#
# DATA has first/ (fields, rgz_train) and rgz/ (full_catalogue.csv); all files are made in
# FOLDER, claran-d1.fits the last of them.  About two and a half hours on two cores.
# Started again in the same FOLDER, it goes on where it was stopped.  CLARAN is the
# program (else the one in the PATH); PART=1000 makes a thousandth of the steps, to see
# that everything is in place.
set -eu
[ $# = 2 ] && [ -d "$1/first" ] && [ -d "$1/rgz" ] || {
    echo "usage: doc/train-d1.sh DATA FOLDER; DATA has first/ and rgz/" >&2
    exit 2
}
data=$(cd "$1" && pwd) claran=$(command -v "${CLARAN:-claran}") || {
    echo "There is no program ${CLARAN:-claran}: install it, or say CLARAN=.../claran" >&2
    exit 1
}
claran=$(realpath "$claran")
mkdir -p "$2"
cd "$2"
ln -sfn "$data/first" first
ln -sfn "$data/rgz" rgz

have() { [ -f "$1" ]; }
steps() { echo $((($1 + ${PART:-1} - 1) / ${PART:-1})); }
# train MODEL STEPS OPTION...: if it is not there, from its checkpoint if that is
train() {
    local model=$1 steps; steps=$(steps "$2"); shift 2
    have "$model" || "$claran" train "$@" -o "$model" --steps "$steps" --resume \
        --input 256 --width 32 --fc 256 --anchors 20,32,48,72,108,160 --batch 4 --rois 64
}

have rgz_held.csv || awk -F, -v OFS=, -v dir="$PWD/first/rgz_train" '
    NR == 1 { print > "rgz_fit.csv"; print > "rgz_held.csv"; next }
    { split($7, ra, ";"); $1 = dir "/" $1
      print > (ra[1] >= 200 && ra[1] < 230 ? "rgz_held.csv" : "rgz_fit.csv") }
' first/rgz_train.csv
have fields_fit.csv || "$claran" label first/fields.csv -o fields_fit.csv \
    --catalogue rgz/full_catalogue.csv --exclude rgz_held.csv
have sim.csv || "$claran" simulate sim -n 4000 --seed 11
have sim100.csv || "$claran" simulate sim100 -n 4000 --seed 4011 --size 100

# Fields near a held-out subject were not trained on: with the subjects, what to calibrate
# on.
have held.csv || {
    awk -F, -v dir="$PWD/first/fields" '
        { name = $1; sub(".*/", "", name) }
        NR == FNR { known[name] = 1; next }
        FNR == 1 { print }
        FNR > 1 && !(name in known) { print dir "/" $0 }
    ' fields_fit.csv first/fields.csv > left.csv
    "$claran" label left.csv -o left_labelled.csv --catalogue rgz/full_catalogue.csv
    awk -F, -v OFS=, 'FNR == 1 { delete at; for (i = 1; i <= NF; i++) at[$i] = i }
        FNR > 1 || NR == 1 { print $at["file"], $at["class"], $at["xmin"], $at["ymin"],
                                   $at["xmax"], $at["ymax"] }
    ' rgz_held.csv left_labelled.csv > held.csv
}

rgz="rgz_fit.csv rgz_fit.csv rgz_fit.csv"
train p1.fits 3000 fields_fit.csv rgz_fit.csv --rate 3e-4 --drop 1000000 --warmup 200 \
    --seed 1
train p2.fits 8000 fields_fit.csv $rgz sim.csv --start p1.fits --rate 3e-4 --cosine \
    --warmup 100 --seed 2
train p3.fits 12000 fields_fit.csv fields_fit.csv $rgz $rgz sim.csv sim100.csv \
    --start p2.fits --rate 2.5e-4 --cosine --warmup 100 --seed 3
"$claran" average p2.fits p3.fits -o mean.fits
"$claran" evaluate held.csv --model mean.fits --report held.txt
"$claran" calibrate held.csv --model mean.fits -o claran-d1.fits

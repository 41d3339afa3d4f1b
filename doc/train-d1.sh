#!/bin/bash
# SPDX-License-Identifier: MIT
# The shipped D1 model from the data, in one command (doc/model-d1.md says why each step):
#
#     doc/train-d1.sh DATA FOLDER
#
# DATA has first/ (fields, rgz_train) and rgz/ (full_catalogue.csv); all files are made in
# FOLDER, claran-d1.fits the last of them.  About three hours on two cores.  Started again
# in the same FOLDER, it goes on where it was stopped.  CLARAN is the program (else the
# one in the PATH); PART=1000 makes a thousandth of the steps, to see that everything is
# in place.
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
    [ -f "$model" ] && [ ! -f "$model.checkpoint" ] && return
    "$claran" train "$@" -o "$model" --steps "$steps" --resume --cosine --ema 0.999 \
        --faint 0.1 --inject 0.1 --empty 0.05 \
        --input 256 --width 32 --fc 256 --anchors 20,32,48,72,108,160 --batch 4 --rois 64
    rm -f "$model.checkpoint"
}
# times N LIST: the list, N times
times() { local i; for ((i = 0; i < $1; i++)); do printf '%s ' "$2"; done; }

have rgz_held.csv || awk -F, -v OFS=, -v dir="$PWD/first/rgz_train" '
    NR == 1 { print > "rgz_fit.csv"; print > "rgz_held.csv"; next }
    { split($7, ra, ";"); $1 = dir "/" $1
      print > (ra[1] >= 200 && ra[1] < 230 ? "rgz_held.csv" : "rgz_fit.csv") }
' first/rgz_train.csv
have fields_fit.csv || "$claran" label first/fields.csv -o fields_fit.csv \
    --catalogue rgz/full_catalogue.csv --exclude rgz_held.csv
have sim.csv || "$claran" simulate sim -n 4000 --seed 11
have sim100.csv || "$claran" simulate sim100 -n 4000 --seed 4011 --size 100

# Validation, never trained on: the held-out subjects and the fields with 200 <= RA < 215.
have valid.csv || {
    awk -F, '
        FNR == 1 { file++ }
        file == 1 { ra[$1] = $2; next }
        FNR == 1 { print > "fields_train.csv"; print > "fields_valid.csv"; next }
        { name = $1; sub(".*/", "", name)
          out = ra[name] >= 200 && ra[name] < 215 ? "fields_valid.csv" : "fields_train.csv"
          print > out }
    ' first/fields.csv fields_fit.csv
    awk -F, -v OFS=, 'FNR == 1 { delete at; for (i = 1; i <= NF; i++) at[$i] = i }
        FNR > 1 || NR == 1 { print $at["file"], $at["class"], $at["xmin"], $at["ymin"],
                                   $at["xmax"], $at["ymax"] }
    ' rgz_held.csv fields_valid.csv > valid.csv
}

some="$(times 2 fields_train.csv) $(times 6 rgz_fit.csv) sim.csv sim100.csv"
more="$(times 5 fields_train.csv) $(times 9 rgz_fit.csv) sim.csv sim100.csv"
train p1.fits 9000 $some --rate 4e-4 --warmup 300 --rotate 0.3 --zoom 0.9,1.15 --seed 41
train p2.fits 6500 $some --start p1.fits --rate 3e-4 --warmup 100 --rotate 0.5 \
    --zoom 0.85,1.2 --seed 42
train p3.fits 14000 $more --start p2.fits --rate 3e-4 --warmup 100 --rotate 0.5 \
    --zoom 0.85,1.2 --seed 43
"$claran" calibrate valid.csv --model p3.fits --views 4 -o claran-d1.fits || {
    [ "${PART:-1}" -gt 1 ] && echo "Everything is in place; so little training finds nothing."
}

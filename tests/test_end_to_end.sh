#!/bin/bash
# SPDX-License-Identifier: MIT
# From a simulated sky through the shipped model to scores that a broken link would not
# reach: wrong boxes, classes mixed up, an axis turned over all end far below.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" || exit 1

"$claran" simulate sky --count 40 --seed 2026 --size 100 > log 2>&1 ||
    { cat log; echo "FAIL simulate"; exit 1; }

# The share of labelled sources (of one of the six classes) that a box of the catalogue
# overlaps by IoU > 0.5: files are matched by their name.
recall() {
    awk -F, '
        function least(a, b) { return a < b ? a : b }
        function most(a, b) { return a > b ? a : b }
        FNR == 1 { for (i = 1; i <= NF; i++) column[FILENAME, $i] = i; next }
        { for (k in keys) v[keys[k]] = $column[FILENAME, keys[k]] }
        FILENAME == "found.csv" {
            file = $column[FILENAME, "file"]; sub(".*/", "", file)
            n[file]++
            for (k in keys) box[file, n[file], keys[k]] = v[keys[k]]
            next
        }
        $column[FILENAME, "class"] ~ /C_/ {
            file = $column[FILENAME, "file"]; sub(".*/", "", file); total++
            for (i = 1; i <= n[file]; i++) {
                w = least(v["xmax"], box[file, i, "xmax"]) - most(v["xmin"], box[file, i, "xmin"])
                h = least(v["ymax"], box[file, i, "ymax"]) - most(v["ymin"], box[file, i, "ymin"])
                if (w <= 0 || h <= 0) continue
                a = (v["xmax"] - v["xmin"]) * (v["ymax"] - v["ymin"])
                b = (box[file, i, "xmax"] - box[file, i, "xmin"]) \
                    * (box[file, i, "ymax"] - box[file, i, "ymin"])
                if (w * h > 0.5 * (a + b - w * h)) { hit++; break }
            }
        }
        BEGIN { split("xmin ymin xmax ymax", keys, " ") }
        END { printf "%.3f\n", total ? hit / total : 0 }' found.csv sky.csv
}

sources_are_found() {
    "$claran" detect sky/sim_?????.fits --all -o found.csv > log 2>&1 || wrong "detect: $(cat log)"
    local got; got=$(recall)
    echo "recall at IoU 0.5, any class: $got"
    awk "BEGIN { exit !($got >= 0.8) }" || wrong "recall is $got, wanted 0.8"
}

classes_are_right() {
    "$claran" evaluate sky.csv --method D1 > log 2>&1 || wrong "evaluate: $(cat log)"
    local map; map=$(awk '$1 == "mean" { print $4 }' log)
    echo "mean average precision: $map per cent"
    awk "BEGIN { exit !($map >= 60) }" || wrong "mAP is $map, wanted 60: $(cat log)"
}

infrared_is_taken_along() {
    "$claran" evaluate sky.csv > log 2>&1 || wrong "evaluate: $(cat log)" || return 1
    grep -q "method D4" log || wrong "another method: $(cat log)" || return 1
    local map; map=$(awk '$1 == "mean" { print $4 }' log)
    echo "mean average precision with infrared: $map per cent"
    awk "BEGIN { exit !($map >= 60) }" || wrong "mAP is $map, wanted 60: $(cat log)"
}

precisions_agree() {
    "$claran" detect sky/sim_?????.fits --precision f32 -o f32.csv > log 2>&1 &&
        "$claran" detect sky/sim_?????.fits -o auto.csv > log 2>&1 || wrong "detect: $(cat log)"
    # what it ran on is said, not what was left open
    grep -qE -- '--backend=(cpu|gpu) --precision=(f32|bf16|f16) ' auto.csv ||
        wrong "not said: $(tail -1 auto.csv)" || return 1
    local one two
    one=$(wc -l < f32.csv) two=$(wc -l < auto.csv)
    echo "rows in f32 and by default: $one, $two"
    awk "BEGIN { d = $one - $two; exit !(d * d <= 16) }" ||
        wrong "f32 finds $one sources, the default $two"
}

for test in sources_are_found classes_are_right infrared_is_taken_along precisions_agree; do
    run $test
done
[ $failures = 0 ]

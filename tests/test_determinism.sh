#!/bin/bash
# SPDX-License-Identifier: MIT
# What does not change a result: the number of threads and another run (to the bit with one,
# 0.001 in P with several), another precision (a few in a hundred detections).  RG_OTHER: a
# claran of another build, compared too.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/shell_lib.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
"$claran" simulate f -n 20 --seed 21 --density 2 > log 2>&1 || { cat log; echo "FAIL simulate"; exit 1; }
rm f/*_w1.fits

# detect FILE THREADS PRECISION [CLARAN]
detect() {
    OMP_WAIT_POLICY=passive OMP_NUM_THREADS=$2 "${4:-$claran}" detect f/*.fits --all \
        --precision "$3" -o "$1" || wrong "it failed"
}
# compare A B PIXELS P SHARE: of A's rows with P > 0.05 at most that share is not in B, with
# the class, the box and the probability.
compare() {
    awk -F, -v pixels="$3" -v p="$4" -v share="$5" '
        function abs(x) { return x < 0 ? -x : x }
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { key = $at["file"] $at["class"] }
        NR == FNR { n[key]++; row[key, n[key]] = $0; next }
        $at["probability"] > 0.05 {
            all++
            for (k = 1; k <= n[key]; k++) {
                split(row[key, k], other, ",")
                off = 0
                for (i = at["xmin"]; i <= at["ymax"]; i++)
                    if (abs(other[i] - $i) > off) off = abs(other[i] - $i)
                change = abs(other[at["probability"]] - $at["probability"])
                if (off <= pixels && change <= p) break
            }
            if (k > n[key]) lost++
            else if (change > most) most = change
        }
        END {
            printf "%d of %d rows differ, P by up to %g in the others\n", lost, all, most
            exit !(all > 20 && lost <= share * all)
        }' "$2" "$1"
}

same_run_same_bytes() {
    detect a.csv 1 f32 && detect b.csv 1 f32 && cmp <(sed 's/,[^,]*$//' a.csv) <(sed 's/,[^,]*$//' b.csv)
}
threads_change_nothing() { detect two.csv 2 f32 && compare a.csv two.csv 0.1 0.001 0; }
precision_changes_little() {
    detect half.csv 1 bf16 && compare a.csv half.csv 0.5 0.05 0.05
}
builds_agree() { detect other.csv 1 f32 "$RG_OTHER" && compare a.csv other.csv 0.1 0.001 0; }

run same_run_same_bytes
run threads_change_nothing
run precision_changes_little
if [ -n "${RG_OTHER-}" ]; then run builds_agree; fi
[ $failures = 0 ]

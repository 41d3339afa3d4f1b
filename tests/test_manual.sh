#!/bin/bash
# SPDX-License-Identifier: MIT
# What the manual quotes is there: the sentences of "Troubleshooting" in the sources, as
# they are, with ... where they name something; its menu entries in the menu; its pictures.
cd "${srcdir:-.}" || exit 1
. tests/shell_lib.sh
manual=doc/manual.md

# All string literals, those that follow one another joined, what printf puts in as an ellipsis.
literals() {
    cat plugin/*.c core/*/*.c regions/*.c | tr '\n' ' ' |
        sed -E 's/([^\\])" *"/\1/g; s/\\"/"/g; s/%%/%/g; s/%[-+0-9.*]*l*z?[a-z]/…/g'
}
sentences() { sed -n '/^## Troubleshooting/,$ s/^| `\(.*\)` |.*|.*|$/\1/p' $manual; }

sentences_are_the_programs() {
    local all sentence lost=0
    all=$(literals)
    [ "$(sentences | wc -l)" -ge 20 ] || wrong "only $(sentences | wc -l) are quoted" || return 1
    while read -r sentence; do
        [[ $all == *"$sentence"* ]] || { echo "nobody says: $sentence"; lost=1; }
    done < <(sentences)
    return $lost
}

entries_are_in_the_menu() {
    local entry lost=0
    while read -r entry; do
        grep -qxF "  $entry" ds9/claran.ds9.in || { echo "no entry: $entry"; lost=1; }
    done < <(tr '\n' ' ' < $manual | grep -oE '\*Analysis > ClaRAN > [^*]+\*' |
        sed 's/.*ClaRAN > //; s/\*$//; s/…/.../' | sort -u)
    return $lost
}

pictures_are_there() {
    local picture lost=0
    for picture in $(grep -oE '\]\([a-z0-9/-]*\.png\)' $manual | tr -d '()]'); do
        [ -s "doc/$picture" ] && [ "$(wc -c < "doc/$picture")" -lt 120000 ] ||
            { echo "no picture: $picture"; lost=1; }
    done
    return $lost
}

for test in sentences_are_the_programs entries_are_in_the_menu pictures_are_there; do
    run $test
done
[ $failures = 0 ]

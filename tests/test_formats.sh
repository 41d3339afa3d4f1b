#!/bin/bash
# SPDX-License-Identifier: MIT
# What others say of our catalogues: FITS by fitsverify, VOTable by STILTS votlint, every
# format by astropy, coverage by mocpy; where they are not here, that part is skipped.
# RG_PYTHON names a Python that has astropy and mocpy.
srcdir=$(cd "${srcdir:-.}" && pwd) builddir=${builddir:-$PWD}
. "$srcdir/tests/shell_lib.sh"
maker=$(cd "$builddir" && pwd)/tests/test_catalogue python=${RG_PYTHON:-python3}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" || exit 1

"$maker" 0 none && "$maker" 5 some || { echo "FAIL write"; exit 1; }

# The name of the hostile file is in them; so is a catalogue without sources.
fitsverify_is_content() {
    local file
    for file in none.fits some.fits none.moc.fits some.moc.fits; do
        fitsverify "$file" > log && grep -q "0 warning(s) and 0 error(s)" log ||
            { cat log; return 1; }
    done
}
votlint_is_content() {
    local file
    for file in none.vot some.vot; do
        stilts votlint ucd=true unit=true "$file" > log 2>&1 && [ ! -s log ] ||
            { cat log; return 1; }
    done
    sed 's/datatype="double"/datatype="doubl"/' some.vot > bad.vot   # it does look
    stilts votlint ucd=true unit=true bad.vot > log 2>&1
    [ -s log ] || wrong "votlint is content with anything"
}
stilts_reads_them() {
    local format file rows
    for format in fits votable csv tst ecsv; do
        file=some.$(sed 's/votable/vot/; s/tst/tsv/' <<< $format)
        rows=$(stilts tpipe in="$file" ifmt=${format/tst/tst} omode=count 2> log) ||
            { [ $format = tst ] || [ $format = ecsv ] && continue; cat log; return 1; }
        [[ $rows == *"rows: 5"* ]] || wrong "$file: $rows" || return 1
    done
}

cat > read.py << 'END'
import json, sys, warnings
import numpy as np
from astropy import units as u
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table
warnings.simplefilter("error")
warnings.simplefilter("ignore", ResourceWarning)
warnings.filterwarnings("ignore", message=".*beam.*")       # astropy's own unit
clean = "a \"b\", 'c';%09<d>&amp;]]>%0A#{e}%2541 \u00e9%E2%80%A8 %FF%20"
ascii_ = clean.replace("\u00e9", "%C3%A9")
reads = {"fits": {}, "vot": {}, "csv": {"format": "ascii.csv"}, "ecsv": {},
         "tsv": {"format": "ascii.tab"}}
def value(cell):
    if cell is None or cell is np.ma.masked: return None
    if isinstance(cell, (bytes, str)): return str(cell).strip() or None
    return None if np.isnan(cell) else float(cell)
for c in json.load(open("none.json"))["columns"]:
    if c["ucd"] and not check_ucd(c["ucd"], check_controlled_vocabulary=True):
        raise ValueError("no UCD1+: " + c["ucd"])
    u.Unit(c["unit"], format="vounit", parse_strict="raise")
for stem, rows in ("some", 5), ("none", 0):
    wanted = json.load(open(stem + ".json"))
    assert len(wanted["rows"]) == rows
    for ending, how in reads.items():
        table = Table.read(stem + "." + ending, **how)
        assert len(table) == rows, ending
        names = [c["name"] for c in wanted["columns"]]
        assert table.colnames[:len(names)] == names, ending
        for i, row in enumerate(wanted["rows"]):
            for name in names:
                got, want = value(table[name][i]), value(row[name])
                if name == "file": want = ascii_ if ending == "fits" else clean
                if isinstance(want, str) and isinstance(got, float): want = float(want)
                same = got == want or (isinstance(want, float) and ending == "fits"
                                       and abs(got - want) <= 1e-6 * abs(want) + 1e-7)
                assert same, (ending, i, name, got, want)
        if ending in ("fits", "vot", "ecsv"):
            for c in wanted["columns"]:
                unit = table[c["name"]].unit
                assert (str(unit).replace(" ", "") if unit else "") == c["unit"], c
        if ending == "ecsv": assert table.meta == wanted["claran"]
print("astropy agrees")
END
astropy_agrees() { "$python" read.py > log 2>&1 || { tail -5 log; return 1; }; }

moc_is_the_field() {
    "$python" - > log 2>&1 << 'END' || { tail -5 log; return 1; }
from mocpy import MOC
import astropy.units as u
moc = MOC.from_fits("some.moc.fits")
area = moc.sky_fraction * 41252.96 * 3600          # 64 x 64 pixels of 1.8"
assert abs(area - 1.92 ** 2) < 0.4, area
inside = moc.contains_lonlat([150.1, 150.115, 150.118] * u.deg, [-.25] * 3 * u.deg)
assert list(inside) == [True, True, False], inside
END
}

if command -v fitsverify > /dev/null; then run fitsverify_is_content
else echo "skip fitsverify_is_content: no fitsverify here"; fi
if command -v stilts > /dev/null; then run votlint_is_content; run stilts_reads_them
else echo "skip votlint_is_content: no stilts here"; fi
if "$python" -c 'import astropy.table, yaml' 2> /dev/null; then run astropy_agrees
else echo "skip astropy_agrees: no Python with astropy here (RG_PYTHON)"; fi
if "$python" -c 'import mocpy' 2> /dev/null; then run moc_is_the_field
else echo "skip moc_is_the_field: no Python with mocpy here (RG_PYTHON)"; fi
[ $failures = 0 ]

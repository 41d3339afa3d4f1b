#!/bin/bash
# SPDX-License-Identifier: MIT
# Our scalings and colour maps against the real DS9's own PNG, pixel for pixel.
srcdir=$(cd "${srcdir:-.}" && pwd) render=$PWD/tests/test_scale
. "$srcdir/tests/ds9_lib.sh"
shared=${RG_SHARED:-$srcdir/../shared}/data/first/samples
name=same_pixels_as_ds9
ds9_need || { echo "skip $name: $ds9_lacks"; exit 0; }
command -v compare > /dev/null || { echo "skip $name: no compare (ImageMagick)"; exit 0; }
[ -d "$shared" ] || { echo "skip $name: no $shared"; exit 0; }
ds9_start || { echo "FAIL $name"; exit 1; }

# equal FILE SCALE MAP
equal() {
    order file "$1" && order scale "$2" && order scale mode minmax && order cmap "$3" &&
        order export png "$work/ds9.png" || { echo "DS9 refused $1 $2 $3"; return 1; }
    "$render" "$1" "$work/ours.png" "$2" "$3" || { echo "$render fails on $1"; return 1; }
    local differ; differ=$(compare -metric AE "$work/ds9.png" "$work/ours.png" null: 2>&1)
    [ "$differ" = 0 ] || { echo "$1 $2 $3: $differ pixels differ"; return 1; }
}

failed=0 count=0
for file in "$shared"/rgz_original_subject/*.fits "$shared"/edge_cases/200_0*.fits \
    "$shared"/edge_cases/210*.fits "$shared"/wise_fits/WISE*.fits \
    "$shared"/hetu_first_132/J13*.fits
do
    cp "$file" "$work/in.fits"      # DS9 does not load every name
    for scale in log linear; do
        for map in cool grey; do
            count=$((count + 1))
            equal "$work/in.fits" $scale $map || { echo "  ($file)"; failed=1; }
        done
    done
done
if [ $failed = 0 ]; then echo "ok $name"; else echo "FAIL $name"; fi
echo "$count renderings compared"
exit $failed

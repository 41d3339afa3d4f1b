#!/bin/bash
# SPDX-License-Identifier: MIT
# Our scalings and colour maps against the real DS9's own PNG, pixel for pixel: a
# part of the renderings, or with RG_FULL=1 (make check-full) all of them.
srcdir=$(cd "${srcdir:-.}" && pwd) program=$PWD/tests/test_scale
claran=${CLARAN:-$PWD/claran}
. "$srcdir/tests/ds9_lib.sh"
shared=${RG_SHARED:-$srcdir/../shared}/data/first
name=same_pixels_as_ds9
ds9_need || { echo "skip $name: $ds9_lacks"; exit 0; }
ds9_start || { echo "FAIL $name"; exit 1; }

# differ FITS linear|log MAP minmax|zscale, with the image in DS9: how many pixels differ.
differ() {
    local map=$3 value="1 0.5"
    case $map in
    w) map=gist_heat value="0.684039 0" ;;
    steep) map=grey value="2.3 0.31" ;;
    esac
    order scale "$2" && order scale mode "$4" && order cmap $map &&
        order cmap value $value && order export png "$work/ds9.png" &&
        "$program" "$1" "$work/ds9.png" "$2" "$3" "$4"
}

failed=0 count=0 turn=0 wide=0 wide_pixels=0
mkdir "$work/odd" && "$program" "$work/odd" &&
    "$claran" simulate "$work/sky" -n 2 --seed 41 --size 100 > /dev/null || failed=1
for file in "$work"/odd/*.fits "$work"/sky/*.fits \
    "$shared"/samples/{rgz_original_subject,wise_fits,hetu_first_132,vlass}/*.fits \
    "$shared"/samples/edge_cases/{200_0,210}*.fits "$shared"/rgz_train/FIRSTJ11[01]*.fits \
    "$shared"/fields/fd_3C20*.fits.fz
do
    [ -e "$file" ] || continue
    cp "$file" "$work/in.fits" && order file "$work/in.fits" ||
        { echo "DS9 refused $file"; failed=1; continue; }
    for how in {linear,log}\ {cool,gist_heat,w,grey,steep}\ {minmax,zscale}; do
        read -r scale map mode <<< "$how"
        turn=$((turn + 1))
        [ -n "$RG_FULL" ] || [ $((turn % 7)) = 0 ] || continue
        case $mode:$file in zscale:*/odd/minmax*) continue ;; esac
        pixels=$(differ "$work/in.fits" $scale $map $mode)
        case $file:$pixels in
        */odd/wide*:[0-9]*) wide=$((wide + 1)) wide_pixels=$((wide_pixels + pixels)) ;;
        *:0) count=$((count + 1)) ;;
        *) echo "$file $how: ${pixels:-no} pixels differ"; failed=1 ;;
        esac
    done
done
if [ $failed = 0 ]; then echo "ok $name"; else echo "FAIL $name"; fi
echo "$count renderings are equal, pixel for pixel"
echo "$wide more, of values that single precision does not hold: $wide_pixels pixels differ"
exit $failed

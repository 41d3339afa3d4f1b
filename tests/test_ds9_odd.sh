#!/bin/bash
# SPDX-License-Identifier: MIT
# Frames of all kinds in a real DS9: the right boxes or the right sentence, DS9 alive and
# as it was (spec/ds9.md, section 3).  The tables are at the end.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran}
program=$PWD/tests/test_image
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

ds9_need || { echo "skip ds9_odd: $ds9_lacks"; exit 0; }
unset XDG_CONFIG_HOME XDG_CACHE_HOME CLARAN_MODEL
ds9_start || { echo "FAIL ds9_start"; exit 1; }
cd "$work" || exit 1                # DS9 is there, too: names need no folder
cache=$work/home/.cache/claran

# ---- the images: the pixels of two in many ways, the infrared ones called *_w1.fits ----

# wcs_of IMAGE [SED]: the cards of its coordinates, changed.
wcs_of() { head -c 2880 "$1" | fold -w 80 | grep '^C[RDTU]' | sed "$2"; }
# like NAME IMAGE PLANES PLANE SED [CARD...]: the pixels of IMAGE as one of PLANES ("": an
# image), the others 0.
like() {
    local size cards bytes
    size=$(head -c 2880 "$2" | fold -w 80 | sed -n 's/^NAXIS[12] *= *\([0-9]*\).*/\1/p')
    bytes=$((${size//$'\n'/*} * 4))
    mapfile -t cards < <(wcs_of "$2" "$5")
    fits "$1" -32 000 "$size $3" "${cards[@]}" "${@:6}" && tail -c +2881 "$2" |
        head -c $bytes | dd of="$1" bs=64K oflag=seek_bytes seek=$((2880 + $4 * bytes)) \
            conv=notrunc status=none
}
# in_many_ways IMAGE SUFFIX
in_many_ways() {
    local freq stokes wcs
    freq=("CTYPE3  = 'FREQ    '" "CRVAL3  = 1.4E9" "CRPIX3  = 1." "CDELT3  = 1E6")
    stokes=("CTYPE4  = 'STOKES  '" "CRVAL4  = 1." "CRPIX4  = 1." "CDELT4  = 1.")
    mapfile -t wcs < <(wcs_of "$1" "s/^\(CRPIX.  =\).*/\1 2.0/")
    like "cube$2.fits" "$1" 3 1 "" "${freq[@]}"
    like "first$2.fits" "$1" "1 1" 0 "" "${freq[@]}" "${stokes[@]}"
    like "hyper$2.fits" "$1" "2 2" 1 "" "${freq[@]}" "${stokes[@]}"
    like "plain$2.fits" "$1" "" 0 "d"
    like "still$2.fits" "$1" "" 0 "s/^CDELT1.*/CDELT1  = 0.0/"
    like "nan_wcs$2.fits" "$1" "" 0 "s/^CRVAL1.*/CRVAL1  = NaN/"
    fits "nan$2.fits" -32 377 "50 50" "${wcs[@]}"
    fits "tiny$2.fits" -32 001 "3 3" "${wcs[@]}"
    "$program" "$1" "rice$2.fits" "integer$2.fits"
}
make_images() {
    "$claran" simulate sim --seed 1 --size 120 --density 2 > log 2>&1 &&
        mv sim/sim_00000.fits one.fits && mv sim/sim_00000_w1.fits w1.fits &&
        in_many_ways one.fits "" && in_many_ways w1.fits _w1 && gzip -k one.fits &&
        cp one.fits "a field of mine.fits" || return 1
    like galactic.fits one.fits "" 0 "s/RA---/GLON-/; s/DEC--/GLAT-/"
    like ecliptic.fits one.fits "" 0 "s/RA---/ELON-/; s/DEC--/ELAT-/"
    like velocity.fits one.fits "" 0 "s/RA---TAN/VELO    /; s/DEC--TAN/OFFSET  /"
    like nowhere.fits one.fits "" 0 "s/^CRVAL1.*/CRVAL1  = 1.0E300/"
    like beside.fits one.fits "" 0 "s/^CRPIX1.*/CRPIX1  = -59.5/"
    wcs_of one.fits "s/^CRVAL1.*/CRVAL1  = 10.0/; s, */.*,," > other.wcs
    like zero.fits one.fits "" 1 "" && truncate -s 60480 zero.fits &&
        headless one.fits && headless one.fits --ir w1.fits
}

# ---- what is right ----

# headless FILE [OPTION...]: what the program finds without DS9, once, in regions_of it.
regions_of() { echo "${*//[\/ ]/_}.reg"; }
headless() { [ -f "$(regions_of "$@")" ] || "$claran" detect "$@" -o "$(regions_of "$@")"; }
middles() {
    sed -n 's/.* xmin=\([^ ]*\) ymin=\([^ ]*\) xmax=\([^ ]*\) ymax=\([^ ]*\) .*/\1 \2 \3 \4/p' \
        "$(regions_of "$@")" | awk '{ print ($1 + $3) / 2, ($2 + $4) / 2 }'
}
# The boxes are the headless ones: in the sky, and where DS9 sees them in its image.
are_boxes() {
    headless "$@" && ds9_has_boxes "$(regions_of "$@")" || return 1
    paste -d' ' <(middles "$@") <(ds9_boxes -system image | box_numbers) | awk '
        NF > 0 { x = $1 - $3; y = $2 - $4; if (!(x * x + y * y <= 0.01)) bad++ }
        END { exit bad > 0 }' || wrong "elsewhere: $(ds9_boxes -system image)"
}

is_alive() {
    ds9_answers && kill -0 "$ds9_pid" && [ ! -s ds9.log ] || wrong "DS9: $(cat ds9.log)"
}

# set_up "COMMAND; COMMAND": by XPA; "fits < FILE" is with data.  DS9 8.4.1 dies of an X
# error when a frame goes that it is about to draw.
set_up() {
    local step
    while read -r -d';' step; do
        case $step in
        *' < '*) feed ${step% < *} < "${step#* < }" ;;
        'frame delete') tk update > update && order $step ;;
        ?*) order $step ;;
        esac || wrong "DS9 refuses: $step" || return 1
    done <<< "$1;"
}
# begin STEPS: with one new frame; what the last row set for all frames is undone.
begin() {
    local undo
    for undo in "tile:single" "blink:single" "fade:single" "block:block to 1" \
        "smooth:smooth no" "rotate:rotate to 0" "zoom:zoom to 1" "orient:orient none" \
        "align:align no" "axes:cube axes 123" "lock:lock frame none" \
        "format:regions format ds9" "system:regions system image" "cmap:cmap grey"
    do [[ $last != *${undo%%:*}* ]] || order ${undo#*:}; done
    last=$1
    set_up "frame delete all; frame new; $1"
}

# Of a user; an empty frame passes over it.
own_region() {
    echo 'image; circle(20,20,5) # text={mine} tag={mine}' | feed regions -format ds9
    return 0
} 2> /dev/null

# The program's exit status goes to $status; held, it goes on.
detect() { timeout 100 "$claran" ds9 detect "$ds9_method" > out 2> err; status=$?; }
go_on() { kill -CONT $held && wait $held; status=$?; }

# check_end EXPECTED...: what was said and drawn is as expected, and DS9 is alive.
check_end() {
    case $1 in
    =) shift; [ "$status" = 0 ] || wrong "$(cat err)" || return 1; are_boxes "$@" ;;
    *) [ "$status" = 1 ] && [ "$(grep -c . err)" = 1 ] && grep -qE "^claran: .*$1" err ||
           wrong "status $status, no sentence about \"$1\": $(cat out err)" ;;
    esac && is_alive
}
is_said() { grep -qE "$1" out err || wrong "no \"$1\": $(cat out err)"; }
is_as_before() {
    ds9_state > after
    diff before after || wrong "DS9 is not as it was"
}
told() {
    if [ $? = 0 ]; then echo "ok $*"; else echo "FAIL $*"; failures=$((failures + 1)); fi
}

# frame "NAME" "SET UP" EXPECTED: a detection in that frame.
frame() {
    local name=$1 steps=$2; shift 2
    begin "$steps" && own_region && ds9_state > before && detect &&
        check_end "$@" && is_as_before
    told "frame: $name"
}

# infrared "NAME" "SET UP OF FRAME 2" EXPECTED: a detection in frame 1 with that as
# frame 2, hidden; what does not serve is told, and the radio image is searched alone.
infrared() {
    local name=$1 steps=$2; shift 2
    begin "file one.fits; zoom to 2; frame new; $steps; frame hide; frame 1" &&
        own_region && ds9_state > before && detect &&
        if [ "$1" = = ]; then check_end "$@"; else is_said "$1" && check_end = one.fits; fi &&
        is_as_before
    told "infrared frame: $name"
}

# meanwhile "NAME" "SET UP" "MEANWHILE" EXPECTED: this happens while the network runs.
meanwhile() {
    local name=$1 steps=$2 event=$3; shift 3
    rm -f "$cache"/*.results
    begin "$steps" && own_region && ds9_hold "$claran" ds9 detect "$ds9_method" &&
        set_up "$event" && ds9_state > before && last="$steps $event" && go_on &&
        check_end "$@" && is_as_before
    told "meanwhile: $name"
}

make_images || { cat log; echo "FAIL make_images"; exit 1; }

[ "$(grep -c '^box' "$(regions_of one.fits)")" -ge 2 ] ||
    { echo "FAIL needs_two_sources"; exit 1; }

#     name                  in DS9                                          expected
frame "as it should be"     "file one.fits"                                 = one.fits
frame "none"                "frame delete all"                              "DS9 has no frame"
frame "empty"               ""                                              "frame 1 of DS9 is empty"
frame "cleared"             "file one.fits; frame clear"                    "frame 1 of DS9 is empty"
frame "cube, slice shown"   "file cube.fits; cube 2"                        = one.fits
frame "cube, slice of 0"    "file cube.fits; cube 3"                        = zero.fits
frame "cube, axes turned"   "file cube.fits; cube axes 132"                 "axes in another order"
frame "cube, loaded turned" "cube axes 213; frame delete; frame new; file cube.fits" "axes in another order"
frame "4-D, one plane"      "file first.fits"                               = one.fits
frame "4-D, four planes"    "file hyper.fits; cube 2"                       = one.fits
frame "RGB"                 "frame delete; frame new rgb; file one.fits"    "is an RGB frame"
frame "RGB, empty"          "frame delete; frame new rgb"                   "is empty"
frame "colours called hsv"  "file one.fits; cmap hsv"                       = one.fits
frame "3D"                  "frame delete; frame new 3d; file one.fits"     = one.fits
frame "3D, cube"            "frame delete; frame new 3d; file cube.fits; cube 2" = one.fits
frame "blocked"             "file one.fits; block to 2"                     "is blocked"
frame "smoothed"            "file one.fits; smooth yes"                     "is smoothed"
frame "cropped"             "file one.fits; crop 60 60 30 30 image"         = one.fits
frame "rotated, zoomed"     "file one.fits; rotate to 30; zoom to 3; orient x" = one.fits
frame "north up"            "file one.fits; align yes; pan to 10 10 image"  = one.fits
frame "far from its image"  "file one.fits; pan to 9000 9000 image"         = one.fits
frame "no WCS"              "file plain.fits"                               "no celestial coordinates"
frame "WCS of no sky"       "file velocity.fits"                            "no celestial coordinates"
frame "WCS of another file" "file one.fits; wcs replace other.wcs"          "other coordinates in DS9"
frame "WCS galactic"        "file galactic.fits"                            = galactic.fits
frame "WCS ecliptic"        "file ecliptic.fits"                            = ecliptic.fits
frame "WCS, CDELT1 = 0"     "file still.fits"                               "no usable coordinates: .* no area"
frame "WCS, CRVAL1 = 1E300" "file nowhere.fits"                             "no usable coordinates: CRVAL1 = 1e.300"
frame "WCS, CRVAL1 = NaN"   "file nan_wcs.fits"                             "no usable coordinates: .* CRVAL1 is no number"
frame "integers with BLANK" "file integer.fits"                             = integer.fits
frame "gzip"                "file one.fits.gz"                              = one.fits
frame "Rice, an extension"  "file rice.fits"                                = rice.fits
frame "mosaic"              "mosaic wcs one.fits; mosaic wcs beside.fits"   "is a mosaic"
frame "all NaN"             "file nan.fits"                                 "is blank"
frame "3 x 3"               "file tiny.fits"                                "3 x 3 pixels"
frame "no file"             "fits < one.fits"                               = one.fits
frame "name with blanks"    "file {a field of mine.fits}"                  = one.fits
frame "name with quotes"    "fits {it's \"q\" > x} < one.fits"              = one.fits
frame "tiles"               "file one.fits; frame new; file plain.fits; frame 1; tile yes" = one.fits
frame "blinking"            "file one.fits; frame new; file one.fits; blink interval 99; blink yes" "is one that blinks"
frame "fading"              "file one.fits; frame new; file one.fits; fade interval 99; fade yes" "is one that fades"
frame "hidden ones beside"  "file one.fits; frame new; frame new rgb; frame hide 2; frame hide 3; frame 1" = one.fits
frame "locked"              "file one.fits; frame new; file first.fits; frame 1; lock frame wcs" = one.fits
frame "regions of CIAO"     "file one.fits; regions format ciao; regions system physical" = one.fits

#        name               in frame 2                                      expected
infrared "as it should be"  "file w1.fits"                                  = one.fits --ir w1.fits
infrared "empty"            ""                                              "there is no infrared"
infrared "cleared"          "file w1.fits; frame clear"                     "there is no infrared"
infrared "deleted"          "file w1.fits; frame delete; frame new"         "there is no infrared"
infrared "cube, slice shown" "file cube_w1.fits; cube 2"                    = one.fits --ir w1.fits
infrared "4-D, one plane"   "file first_w1.fits"                            = one.fits --ir w1.fits
infrared "RGB"              "frame delete; frame new rgb; file w1.fits"     "frame 3 of DS9 is an RGB frame"
infrared "3D"               "frame delete; frame new 3d; file w1.fits"      = one.fits --ir w1.fits
infrared "blocked"          "file w1.fits; block to 2"                      "frame 2 of DS9 is blocked"
infrared "smoothed"         "file w1.fits; smooth yes"                      "frame 2 of DS9 is smoothed"
infrared "cropped"          "file w1.fits; crop 60 60 30 30 image"          = one.fits --ir w1.fits
infrared "rotated, zoomed"  "file w1.fits; rotate to 30; zoom to 3"         = one.fits --ir w1.fits
infrared "no WCS"           "file plain_w1.fits"                            "frame 2 of DS9 has no celestial coordinates"
infrared "WCS of another file" "file w1.fits; wcs replace other.wcs"        "frame 2 of DS9 has other coordinates"
infrared "WCS, CDELT1 = 0"  "file still_w1.fits"                            "frame 2 of DS9 has no usable coordinates"
infrared "WCS, CRVAL1 = NaN" "file nan_wcs_w1.fits"                         "frame 2 of DS9 has no usable coordinates"
infrared "Rice, an extension" "file rice_w1.fits"                           = one.fits --ir rice_w1.fits
infrared "integers with BLANK" "file integer_w1.fits"                       = one.fits --ir integer_w1.fits
infrared "mosaic"           "mosaic wcs w1.fits; mosaic wcs beside.fits"    "frame 2 of DS9 is a mosaic"
infrared "all NaN"          "file nan_w1.fits"                              "frame 2 of DS9 is blank"
infrared "3 x 3"            "file tiny_w1.fits"                             "frame 2 of DS9 covers only"
infrared "no file"          "fits < w1.fits"                                = one.fits --ir w1.fits

#         name              in DS9                 meanwhile                expected
meanwhile "nothing"         "file one.fits"        ""                       = one.fits
meanwhile "view moved"      "file one.fits"        "zoom to 4; pan to 9 9 image; rotate to 9; scale log" = one.fits
meanwhile "tiles, a frame more" "file one.fits"    "frame new; frame 1; tile yes" = one.fits
meanwhile "deleted"         "file one.fits"        "frame delete"           "another image than frame 1"
meanwhile "all deleted"     "file one.fits; frame new; frame 1" "frame delete all" "another image than frame 1"
meanwhile "cleared"         "file one.fits"        "frame clear"            "another image than frame 1"
meanwhile "another image"   "file one.fits"        "file zero.fits"         "another image than frame 1"
meanwhile "another slice"   "file cube.fits; cube 2" "cube 1"               "another image than frame 1"
meanwhile "blocked"         "file one.fits"        "block to 2"             "another image than frame 1"
meanwhile "another frame"   "file one.fits; frame new; frame 1" "frame 2"   "another image than frame 1"
meanwhile "hidden"          "file one.fits; frame new; frame 1" "frame hide" "another image than frame 1"
meanwhile "infrared deleted" "file one.fits; frame new; file w1.fits; frame 1" "frame 2; frame delete; frame 1" \
    = one.fits --ir w1.fits

[ $failures = 0 ]

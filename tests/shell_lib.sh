# SPDX-License-Identifier: MIT
# What the shell tests share: running functions as tests, FITS files by hand.

failures=0
run() {
    if "$@"; then echo "ok $1"; else echo "FAIL $1"; failures=$((failures + 1)); fi
}
wrong() { echo "$*"; return 1; }

# fits NAME BITPIX BYTE "SIZE..." [CARD...]: an image whose every byte is BYTE (octal).
fits() {
    local name=$1 bitpix=$2 byte=$3 sizes=($4) bytes=$((${2#-} / 8)) n i; shift 4
    for ((i = 0; i < ${#sizes[@]}; i++)); do
        set -- "NAXIS$((i + 1))  = $(printf %20d "${sizes[i]}")" "$@"
        bytes=$((bytes * sizes[i]))
    done
    n=$((4 + $#))
    {
        printf '%-80s' 'SIMPLE  =                    T' \
            "BITPIX  = $(printf %20d "$bitpix")" "NAXIS   = $(printf %20d ${#sizes[@]})"
        for ((i = ${#sizes[@]}; i > 0; i--)); do printf '%-80s' "${!i}"; done
        shift ${#sizes[@]}
        [ $# -gt 0 ] && printf '%-80s' "$@"
        printf '%-80s' END
        printf '%*s' $(((2880 - n * 80 % 2880) % 2880)) ''
        head -c $(((bytes + 2879) / 2880 * 2880)) /dev/zero | tr '\0' "\\$byte"
    } > "$name"
}

# Celestial coordinates for it.
wcs=("CTYPE1  = 'RA---TAN'" "CTYPE2  = 'DEC--TAN'" "CRVAL1  =                150.0"
     "CRVAL2  =                  2.0" "CRPIX1  =                 50.5"
     "CRPIX2  =                 50.5" "CDELT1  =              -0.0005"
     "CDELT2  =               0.0005" "RADESYS = 'ICRS    '")

#!/bin/bash
# SPDX-License-Identifier: MIT
# seeds.sh FOLDER: what the fuzz targets begin with, FOLDER/TARGET/..., made by $CLARAN.
set -eu
[ ! "$1/complete" -nt "$0" ] || exit 0
rm -rf "$1"
mkdir -p "$1"
cd "$1"
export OMP_NUM_THREADS=1 XDG_CACHE_HOME=$PWD/cache XDG_CONFIG_HOME=$PWD/config
mkdir -p image model list region xpa catalogue settings serve tensors training

"$CLARAN" simulate field --size 150 --seed 3 > /dev/null
"$CLARAN" simulate small --size 40 > /dev/null
radio=field/sim_00000.fits

# images: plain, large enough for a window, infrared, compressed in every way
cp small/sim_00000.fits image/small
cp $radio image/field
cp small/sim_00000_w1.fits image/infrared
gzip -c small/sim_00000.fits > image/gzip
if command -v fpack > /dev/null; then
    for how in r g h p; do
        fpack -$how -q 0 -S small/sim_00000.fits > image/tiles_$how 2> /dev/null ||
            fpack -$how -S small/sim_00000.fits > image/tiles_$how 2> /dev/null ||
            rm image/tiles_$how
    done
    text=$(printf "%-70s" "'neither a number nor short enough'")   # found: CFITSIO died
    LC_ALL=C sed "s|ZTILE1  = .\{70\}|ZTILE1  = $text|" image/tiles_r > image/tile_text
fi
# other projections and keywords, card by card (of the same length)
edit() { LC_ALL=C sed "$2" small/sim_00000.fits > "image/$1"; }
edit sip "s/RA---TAN'    /RA---TAN-SIP'/; s/DEC--TAN'    /DEC--TAN-SIP'/"
edit tpv "s/RA---TAN/RA---TPV/; s/DEC--TAN/DEC--TPV/"
edit galactic "s/RA---TAN/GLON-TAN/; s/DEC--TAN/GLAT-TAN/"
# found: a leak
edit turned "s/LONPOLE =                180.0/CROTA2  =                1E308/"
edit zpn "s/RA---TAN/RA---ZPN/; s/DEC--TAN/DEC--ZPN/"

# models: small ones, and the keywords of one with its first tensor alone
for network in claran fpn; do
    "$CLARAN" train field.csv -o $network.fits --network $network --width 4 --fc 8 \
        --input 64 --steps 1 --batch 1 --warmup 0 --ema 0.9 > /dev/null 2>&1
    LC_ALL=C sed 's/^\(.*NTENSORS= *\) [0-9]\{1,3\} /\1 1 /' $network.fits |
        head -c 20160 > model/${network}_short
done
cp claran.fits model/claran

# what a training left: the first row's eight tensors, of two blocks each; logs
at() { LC_ALL=C grep -abo "$1" claran.fits.checkpoint | head -1 | cut -d: -f1; }
{
    head -c $(($(at "XTENSION=") + 6 * 5760)) claran.fits.checkpoint |
        LC_ALL=C sed 's/^\(.*NTENSORS= *\) [0-9]\{3\} /\1   8 /'
    tail -c +$(($(at "'conv1_1.mean'") / 2880 * 2880 + 1)) claran.fits.checkpoint |
        head -c 11520
} > training/checkpoint
cp claran.fits.losses.csv training/log
printf 'method,input_px,iteration_end,total,rpn_cls\nD4,600,1000,1.5,0.1\n' > training/paper

# weights of others: three tensors of one kind each
for type in F32 F16 BF16; do
    bytes=2; [ $type != F32 ] || bytes=4
    printf '{"__metadata__":{"format":"pt"},"features.0.weight":{"dtype":"%s","shape":[2,3,1,2],
        "data_offsets":[0,%d]},"a":{"dtype":"%s","shape":[2],"data_offsets":[%d,%d]}}' \
        $type $((12 * bytes)) $type $((12 * bytes)) $((14 * bytes)) > header
    { printf "\\x$(printf %x "$(stat -c %s header)")\\0\\0\\0\\0\\0\\0\\0"; cat header
      printf 'A<%.0s' {1..28} | head -c $((14 * bytes)); } > tensors/$type
done

# requests to claran serve
printf status > serve/status
printf 'pPWD=/ CLARAN_MODEL=/a/b.fits ds9 detect x -t 0.5 -m "a \\"b\\".fits"' > serve/plugin
printf 'detect --threshold=0.1 -ab7 -o a.csv -o b.csv -- "/a b/c.fits" -d' > serve/words
printf 'detect --help' > serve/help

# lists
sed 's/sim_00000.fits/a.fits/; s/,[^,]*_w1.fits/,b.fits/' field.csv > list/simulated
printf 'file,class,xmin,ymin,xmax,ymax,ir,confidence\na.fits,2C_3P,1,2,3,4,b.fits,0.5\n%s' \
    $'b.fits,,,,,,,\na.fits,?,1.5,2,3e1,4,,1\n' > list/all_columns
printf 'file,ra_deg,dec_deg\na.fits,150.1,-30\n' > list/hosts

# a detection in every format
detect=("$CLARAN" detect $radio --backend cpu --precision f32 --threshold 0.1)
"${detect[@]}" -o found.fits -o found.vot -o found.csv -o found.ecsv -o found.tsv \
    -o found.reg
cp found.reg region/detected
sed 's/ text={[^}]*}/ text={? 0.5}/; s/claran=[123]C_[123]P/claran=?/' found.reg \
    > region/unknown                                    # found: colour -1 of 7
printf 'icrs\nbox(1,2,3",4",5) # text=' > region/no_label      # found: read beyond its end
printf 'icrs\nbox(1,2,3",4",5) # text={2C_2P 1} claran=2C_2P,1e270,2C_3P,0.1\n' \
    > region/absurd_p                       # found: its digits overran the label
sed 's/ # text={/ text={ # /' found.reg > region/mark_in_label             # found: crash
cp found.fits found.vot found.csv catalogue
{ printf -- -; cat found.tsv; } > catalogue/tsv
grep -v '^#' found.ecsv > catalogue/ecsv
printf 'name,cpnts_ras,cpnts_decs\n1,"10.1;10.2",2\n' > catalogue/several.csv
"$CLARAN" crossmatch catalogue/several.csv catalogue/several.csv -o catalogue/small.fits \
    > /dev/null
head -c 1500 found.vot > catalogue/cut.vot
printf '%900s\n' | tr ' ' , > catalogue/commas          # found: names took minutes
printf 'ra\xff,dec\n1,2\n' > catalogue/no_utf8        # found: JSON has no such names
printf 'icrs\nbox(150.1,30.2,30",20",15) # color=red text={2C_2P}\n%s' \
    'fk5;box(1,2,3",4",5) # tag={claran} tag={hidden 1C_1P 0.5} text={}' > region/drawn

# what DS9 answers: a frame, its area, others; regions to save; drawings
start=(8.4 1 no no)
picture=(yes base base base no 123 '40 40' no)
seems=(1 no yes '20.5 20.5' '')
answers() { printf '%s' "$1"; shift; printf '%s====' "$@"; }
fits() { cat small/sim_00000.fits; printf '===='; }
frame() { answers '' /data/a.fits "${picture[@]}"; fits; answers '' "${seems[@]}"; }
areas=(no '20 20' '2 2' 400 300 0 no $'box(20,20,5,5,0)\npolygon(1,1,2,2,3,1)')
{
    answers f "${start[@]}"; frame
    answers '' "${areas[@]}" '1 2' '1 2' 1 '1 2'; frame; answers '' 2 '1 2'
} > xpa/frames
{ answers e "${start[@]}"; frame; cat found.reg; answers ==== 1 1; } > xpa/edits
{ answers d 8.4 a.fits a.fits; cat found.reg; answers ==== a.fits; cat found.reg
  answers ==== a.fits; cat found.reg; answers ==== '!XPA$ERROR no (DS9:1 2)'; } > xpa/draw
# found: coordinates that DS9 understands and WCSLIB does not
{ answers f "${start[@]}"; frame | LC_ALL=C sed 's/RA---TAN/RA---XXX/'
  answers '' "${areas[@]}"; } > xpa/no_sky
{ answers f "${start[@]}"; frame; answers '' "${areas[@]}" '1 2'; } > xpa/silent
                                                        # found: a flag was not set
printf 'f!XPA$ERROR unknown command (DS9:ds9 7f000001:123)' > xpa/refused

# settings and results
printf '# chosen\nmethod = D4\nmodel = /a/b.fits\nthreshold = 0.5\n%s\n' \
    $'search = view\nbackend = gpu\ncolours = class\nlabels = no\nlive = yes' \
    > settings/chosen
printf '%s = 1\n' 'conv forward f32 1x3x5x5 4 3/1' 'product f32 5x256x4096 b' > settings/plans
echo 'end 2' >> settings/plans
cat > settings/kept << 'END'
# claran results 2
grid = GRID
key = D1 area 1.00 2.00 3.00 4.00
method = D1
model = 0a1b2c3d
version = 0.1.0
weights = claran-d1.fits
uncovered = 0
n = 1
150.1 30.2 30 20 0 1 2 30 40 5 0.93 0.91 0 1 4 0.05
END
touch complete

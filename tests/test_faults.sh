#!/bin/bash
# SPDX-License-Identifier: MIT
# Memory that is refused, disks that are full, files that go, killed programs, odd
# surroundings: a sentence and exit status 1 or the right result, and nothing half-written.
srcdir=$(cd "${srcdir:-.}" && pwd) claran=${CLARAN:-$PWD/claran} shim=$PWD/tests/faults.so
. "$srcdir/tests/shell_lib.sh"
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
work=$(mktemp -d) || exit 1
trap 'umount "$work/disk" 2> /dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
"$claran" simulate f -n 2 --size 132 --seed 3 > log 2>&1 || { cat log; echo "FAIL simulate"; exit 1; }
field=$work/f/sim_00000.fits

# same A B: two catalogues, but for the time they were made.
same() { diff <(sed 's/,[^,]*$//' "$1") <(sed 's/,[^,]*$//' "$2") > /dev/null; }
expect() { "$claran" detect "$field" -o expected.csv > expected.out; }
expect || { echo "FAIL expect"; exit 1; }

# ends_well STATUS FOLDER: the right result, or a sentence and nothing written.
ends_well() {
    local status=$1 folder=$2
    if [ "$status" = 0 ]; then
        same "$folder/x.csv" expected.csv || wrong "another result" || return 1
    elif [ "$status" = 1 ]; then
        grep -q '^claran: .*[a-z]' "$folder.err" || wrong "no sentence" || return 1
        [ ! -e "$folder/x.csv" ] || same "$folder/x.csv" expected.csv ||
            wrong "half-written" || return 1
    else
        wrong "exit status $status"; return 1
    fi
    [ -z "$(ls -A "$folder" | grep -vx x.csv)" ] || wrong "left: $(ls -A "$folder")"
}

# A third of the places at which the program asks for memory (RG_FULL: every request).
refuses_memory() {
    local n told=0
    env FAULTS=list LD_PRELOAD="$shim" "$claran" detect "$field" -o m.csv 9> list > out 2> err ||
        wrong "$(cat err)" || return 1
    if [ -n "${RG_FULL-}" ]; then cut -d' ' -f1 list
    else sort -u -k2,2 list | sort -n | awk 'NR % 3 == 1 { print $1 }'; fi > which
    [ "$(wc -l < which)" -gt 30 ] || wrong "$(wc -l < which) places" || return 1
    while read -r n; do
        rm -rf m && mkdir m
        timeout 60 env FAULTS="$n" LD_PRELOAD="$shim" "$claran" detect "$field" -o m/x.csv \
            > out 2> m.err
        local status=$?
        ends_well $status m || wrong "allocation $n: $(cat m.err)" || return 1
        told=$((told + status))
    done < which
    echo "$(wc -l < which) of $(wc -l < list) allocations refused: $told times it said so"
    [ "$told" -gt $(($(wc -l < which) / 2)) ]
}

# A library may end the program then, but not without a word.
refuses_memory_to_libraries() {
    local n
    for n in 3000 7000 11000 15000; do
        rm -rf m && mkdir m
        timeout 60 env FAULTS=$n FAULTS_OF=libraries LD_PRELOAD="$shim" "$claran" detect \
            "$field" -o m/x.csv > out 2> m.err
        ends_well $? m || wrong "allocation $n: $(cat m.err)" || return 1
    done
}

# What writes files, in the folder $1: each has to say what is wrong, and changes nothing.
writes=('detect "$field" -o "$1/x.fits"' 'detect "$field" -o "$1/x.vot"'
        'detect "$field" -o "$1/x.csv" -o "$1/x.reg"' 'detect "$field" --png "$1/x.png"'
        'simulate "$1/sky" -n 3 --size 132'
        'train f.csv -o "$1/m.fits" --steps 1 --batch 1 --input 128 --width 4 --fc 8')
refuses_to_write() {
    local before words
    before=$(find "$1" -type f -exec cksum {} + | sort)
    for words in "${writes[@]}"; do
        eval "\"\$claran\" $words" > out 2> err < /dev/null
        [ $? = 1 ] && grep -q "^claran: .*$1/" err || wrong "$words: $(cat err)" || return 1
        [ "$(find "$1" -type f -exec cksum {} + | sort)" = "$before" ] ||
            wrong "$words wrote: $(ls "$1")" || return 1
    done
}
disk() {
    mkdir -p disk && mount -t tmpfs -o "$1" none disk 2> /dev/null && return
    echo "skip $2: no disk can be mounted here"; return 1
}
full_disk() {
    echo "mine" > disk/x.csv && cp disk/x.csv disk/x.fits
    { cat /dev/zero > disk/filler; } 2> /dev/null
    refuses_to_write disk
}
read_only_disk() { echo "mine" > disk/x.csv && mount -o remount,ro disk && refuses_to_write disk; }

# Written anew, cut and removed while it is read.
changing_file() {
    local i status
    while :; do
        cp "$field" changing.fits; head -c 40000 "$field" > changing.fits; rm -f changing.fits
    done 2> /dev/null & local other=$!
    for ((i = 0; i < 20; i++)); do
        timeout 60 "$claran" detect changing.fits -o c.csv > out 2> err
        status=$?
        [ $status = 0 ] || { [ $status = 1 ] && grep -q "^claran: .*changing.fits" err; } ||
            wrong "exit status $status: $(cat err)" || break
        cp "$field" changing.fits
    done
    kill $other; wait $other 2> /dev/null
    [ $i = 20 ]
}

# killed MS COMMAND...: after a moment of up to so many milliseconds.
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
killed() {
    local after=$((RANDOM % $1)); shift
    "$@" > out 2>&1 & local job=$!
    sleep $((after / 1000)).$(printf %03d $((after % 1000)))
    kill -9 $job 2> /dev/null
    wait $job 2> /dev/null
}
# A catalogue killed at any moment is the old one or the new one; what lay beside goes with
# the next.
killed_detection() {
    local times=$((${RG_FULL:+85} + 15)) new=0 left=0 i start=$(milliseconds) most
    RANDOM=7
    "$claran" detect f/*.fits -o whole.csv > out || return 1
    most=$((3 * ($(milliseconds) - start) / 2))
    mkdir -p k && echo "old" > k/x.csv
    for ((i = 0; i < times; i++)); do
        killed $most "$claran" detect f/*.fits -o k/x.csv
        left=$((left + $(ls k | grep -c part)))
        [ "$(cat k/x.csv)" = old ] && continue
        same k/x.csv whole.csv || wrong "half-written: $(wc -c k/x.csv)" || return 1
        new=$((new + 1)) && echo "old" > k/x.csv
    done
    sleep 100 & local alive=$!
    : > "k/x.csv.$alive.part"; : > k/x.csv.4194304.part; : > k/mine.part; : > k/x.csv.part
    "$claran" detect f/*.fits -o k/x.csv > out &&
        [ "$(ls k | xargs)" = "mine.part x.csv x.csv.$alive.part x.csv.part" ] ||
        wrong "left: $(ls k)" || return 1
    kill $alive
    echo "$times killed: $new had written, $left had begun to"
}
train() {
    exec "$claran" train f.csv -o "$1" --steps 12 --batch 1 --input 128 --width 4 --fc 8 --seed 5 \
        --checkpoint 2 --resume
}
identity() { "$claran" model "$1" | sed 's/.*: model //; s/,.*//; q'; }
killed_training() {
    local i times=$((${RG_FULL:+92} + 8)) start=$(milliseconds) most
    RANDOM=11
    (train whole.fits) > out 2>&1 || wrong "$(cat out)" || return 1
    most=$(($(milliseconds) - start))
    for ((i = 0; i < times; i++)); do
        killed $most train t.fits
        grep -q "is trained" out && break
    done
    (train t.fits) > out 2>&1 || wrong "$(cat out)" || return 1
    [ "$(identity t.fits)" = "$(identity whole.fits)" ] || wrong "another model" || return 1
    ! ls | grep "part" || wrong "left beside"
}

odd_surroundings() {
    local with
    for with in LC_ALL=de_DE.UTF-8 LC_ALL=tr_TR.UTF-8 LC_NUMERIC=xx TZ=Pacific/Apia "-u HOME" \
        HOME=/none TMPDIR=/none "-u PATH" "-i OMP_NUM_THREADS=$OMP_NUM_THREADS" XDG_CACHE_HOME=/dev/null; do
        rm -f o.csv
        (umask 077; env $with "$claran" detect "$field" -o o.csv) > out 2> err ||
            wrong "$with: $(cat err)" || return 1
        same o.csv expected.csv || wrong "$with changed it" || return 1
    done
    [ "$(stat -c %a o.csv)" = 600 ] || wrong "umask: $(stat -c %a o.csv)"
}
hostile_names() {
    local name line=$'new\nline'
    mkdir -p names
    for name in "a b" "it's" 'say "x"' '-dash' '} | touch hacked {' '$(touch hacked)' '[1:5,1:5]' \
        'x;touch hacked' "$line" 'ünïcode' '%s%n%d' '!clobber' '@list' '+1' 'a(b)' '~' \
        "$(printf 'l%.0s' {1..200})"; do
        cp "$field" "names/$name.fits" || return 1
        (cd names && "$claran" detect -o "./$name.csv" -- "$name.fits") > out 2> err
        local status=$?
        [ ! -e names/hacked ] && [ ! -e hacked ] || wrong "$name ran" || return 1
        if [ $status = 0 ]; then
            diff <(cut -d, -f1-48 "names/$name.csv") <(cut -d, -f1-48 expected.csv) > /dev/null ||
                wrong "$name: another result" || return 1
        else
            grep -q '^claran: ' err && [ ! -e "names/$name.csv" ] || wrong "$name: $(cat err)" ||
                return 1
            echo "refused: $(head -c 150 err)"
        fi
    done
}

if grep -q '__[at]san_init' "$claran"; then
    echo "skip refuses_memory: the sanitizer has allocations of its own"
else
    run refuses_memory
    run refuses_memory_to_libraries
fi
if disk size=256k full_disk; then run full_disk; umount disk; fi
if disk size=256k read_only_disk; then run read_only_disk; umount disk; fi
for test in changing_file killed_detection killed_training odd_surroundings hostile_names; do
    run $test
done
[ $failures = 0 ]

#!/bin/bash
# SPDX-License-Identifier: MIT
# What make install puts where, what a program of others makes of it, and that make
# uninstall leaves nothing: of a build of its own, with another prefix.
srcdir=$(cd "${srcdir:-.}" && pwd)
. "$srcdir/tests/shell_lib.sh"
. "$srcdir/tests/ds9_lib.sh"
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL CLARAN_MODEL CFLAGS LDFLAGS DESTDIR
export HOME=$work/home PKG_CONFIG_PATH=$work/there/lib/pkgconfig
mkdir -p home build

[ -x "$srcdir/configure" ] || { echo "skip install: no configure in $srcdir"; exit 0; }
[ ! -e "$srcdir/config.status" ] ||
    { echo "skip install: $srcdir is configured itself"; exit 0; }

# unless "REASON, if there is one" TEST
unless() { if [ -n "$1" ]; then echo "skip $2: $1"; else run "$2"; fi; }

builds() {
    (cd build && "$srcdir/configure" --quiet --without-cuda --prefix="$work/there" \
        CFLAGS=-O1 && make -s -j2 uninstalled=/nowhere) > log 2>&1 || wrong "$(tail log)"
}

installs() {
    (cd build && make -s install) > log 2>&1 || wrong "$(tail log)" || return 1
    (cd build && make -s install DESTDIR="$work/packed") > log 2>&1 || wrong "$(tail log)" || return 1
    diff -r there "packed$work/there" || wrong "DESTDIR is different" || return 1
    [ -z "$(find there -type f -name '*.fits' -perm /111)" ] || wrong "models can be executed"
}

# What stands in configure.ac, everybody says.
version_is_one() {
    local version; version=$(sed -n 's/^AC_INIT(\[claran\], \[\([0-9.]*\)\].*/\1/p' "$srcdir/configure.ac")
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || wrong "version \"$version\"" || return 1
    [ "$(there/bin/claran --version)" = "claran $version" ] || wrong program || return 1
    [ "$(pkg-config --modversion claran)" = "$version" ] || wrong claran.pc || return 1
    grep -q "CLARAN_VERSION \"$version\"" there/include/claran.h || wrong claran.h || return 1
    grep -q "^.TH.*claran $version" there/share/man/man1/claran.1 || wrong claran.1 || return 1
    head -1 "$srcdir/NEWS" | grep -q " $version\$" || wrong NEWS || return 1
    head -1 "$srcdir/debian/changelog" | grep -q "($version-" || wrong debian/changelog
}

library_shows_only_its_names() {
    nm -D --defined-only there/lib/libclaran.so | awk '{ print $3 }' | grep -v '^CLARAN_0' |
        sed 's/@.*//' | sort > shown
    grep -oE 'claran_[a-z_]+\(' there/include/claran.h | tr -d '(' | sort -u > promised
    diff promised shown || wrong "the header and the library differ"
}

# The example with nothing but pkg-config's words; its model is the one installed.
example_finds_what_claran_finds() {
    "${CC:-cc}" -Wall -Wextra -Werror "$srcdir/doc/example.c" -o example \
        $(pkg-config --cflags --libs claran) 2> log || wrong "$(cat log)" || return 1
    there/bin/claran simulate sky --count 1 --seed 3 --size 160 --density 2 > log || return 1
    export LD_LIBRARY_PATH=$work/there/lib
    ./example sky/sim_00000.fits > log || return 1
    there/bin/claran detect sky/sim_00000.fits |
        sed -nE 's/^RGCL J[0-9.+-]+ +([0-9.]+) +([0-9.+-]+) +(.C_.P) +([0-9.]+) .*/\1 \2 \3 \4/p' > wanted
    [ -s wanted ] || wrong "claran detect finds nothing" || return 1
    diff -w wanted log || wrong "the example finds others" || return 1
    mv there/share/claran/claran-d1.fits away.fits
    ./example sky/sim_00000.fits > out 2>&1; local status=$?
    mv away.fits there/share/claran/claran-d1.fits
    [ $status = 1 ] && grep -q "$work/there/share/claran" out || wrong "$(cat out)"
}

header_is_for_cxx_too() {
    printf '#include <claran.h>\nint main() { return !*claran_version(); }\n' > cxx.cc
    c++ -Wall -Wextra -Werror cxx.cc -o cxx $(pkg-config --cflags --libs claran) &&
        LD_LIBRARY_PATH=there/lib ./cxx
}

# The menu for one user: a link that comes and goes, and takes nothing else away.
menu_comes_and_goes() {
    local link=home/bin/claran.ds9
    there/bin/claran ds9 install > log && there/bin/claran ds9 install > log || return 1
    cmp -s $link there/share/claran/claran.ds9 || wrong "no menu" || return 1
    grep -q "$work/there/bin/claran ds9 detect" $link || wrong "the menu has another program" || return 1
    there/bin/claran ds9 install --remove && [ ! -e $link ] || wrong "still there" || return 1
    echo mine > $link
    ! there/bin/claran ds9 install 2> log && grep -q "is no link" log || wrong "$(cat log)" || return 1
    ! there/bin/claran ds9 install --remove 2> log || wrong "removed" || return 1
    [ "$(cat $link)" = mine ] || wrong "another's file is gone" || return 1
    rm $link
}

# DS9 starts with the menu, by way of the link alone.
ds9_loads_the_link() (
    there=$work/there
    ds9_screen && "$there/bin/claran" ds9 install > /dev/null || exit 1
    (cd "$work" && exec ds9 -title "$title" > ds9.log 2>&1) &
    ds9_pid=$!
    until_ 90 ds9_answers && ask analysis task | grep -q "Detect sources" || wrong "no menu"
)

uninstall_leaves_nothing() {
    (cd build && make -s uninstall && make -s uninstall DESTDIR="$work/packed") > log 2>&1 ||
        wrong "$(tail log)" || return 1
    local left; left=$(find there packed ! -type d -o -name claran)
    [ -z "$left" ] || wrong "left: $left"
}

run builds
[ $failures = 0 ] || exit 1
run installs
run version_is_one
run library_shows_only_its_names
run example_finds_what_claran_finds
unless "$(command -v c++ > /dev/null || echo "no c++")" header_is_for_cxx_too
taken=$([ ! -e /usr/local/bin/claran.ds9 ] || echo "the menu is in /usr/local")
unless "$taken" menu_comes_and_goes
ds9_need
unless "$taken$ds9_lacks" ds9_loads_the_link
run uninstall_leaves_nothing
exit $((failures > 0))

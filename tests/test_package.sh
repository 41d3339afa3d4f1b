#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's packages: built from the tarball, looked at by lintian, installed, used, removed
# and purged, over a copy of this machine (overlayfs) that goes with the test.
srcdir=$(cd "${srcdir:-.}" && pwd)
. "$srcdir/tests/shell_lib.sh"
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work" || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL CLARAN_MODEL CFLAGS LDFLAGS DESTDIR

# What needs no packages: the documents are there, and their pictures.
names_what_there_is() {
    local name
    for name in $(cat "$srcdir"/debian/*.docs); do
        [ -e "$srcdir/$name" ] || wrong "there is no $name" || return 1
    done
}
run names_what_there_is

lacking() {
    [ -n "$RG_FULL" ] || { echo "only in make check-full"; return; }
    [ "$(id -u)" = 0 ] || echo "not root"
    dpkg-query -s debhelper lintian > /dev/null 2>&1 || echo "no debhelper or lintian"
    [ -x "$srcdir/configure" ] && [ ! -e "$srcdir/config.status" ] || echo "no clean source"
    mkdir -p upper work root && unshare -m mount -t overlay overlay \
        -o lowerdir=/,upperdir="$work/upper",workdir="$work/work" root || echo "no overlayfs"
}
lacks=$(lacking 2>&1)
[ -z "$lacks" ] || { echo "skip package: $lacks"; [ $failures = 0 ]; exit; }

# inside COMMAND...: in the copy.
inside() {
    unshare -m sh -c 'mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root" &&
        mount -t tmpfs none "$0/root/tmp" && cp -r "$0/debs" "$0/root/tmp" &&
        mount -t proc none "$0/root/proc" && exec chroot "$0/root" "$@"' "$work" "$@"
}

builds() {
    ("$srcdir/configure" --quiet --without-cuda && make deb) > log 2>&1 || wrong "$(tail log)" || return 1
    mkdir debs && mv deb/*.deb debs && rm debs/*dbgsym*
    [ "$(ls debs | sed 's/_.*//' | LC_ALL=C sort | tr '\n' ' ')" = "claran claran-data libclaran-dev libclaran0 " ] ||
        wrong "$(ls debs)"
}

lintian_has_no_errors() {
    lintian debs/*.deb > log 2>&1 || wrong "$(cat log)"
    ! grep "^E:" log || wrong "errors"
}

# What a user does with them.
cat > use <<'E2'
set -e
cd /tmp
claran simulate sky --count 1 --seed 3 --size 100 > /dev/null
claran detect sky/sim_00000.fits | grep -q C_.P
man -w claran claran-ds9 > /dev/null
cc /usr/share/doc/libclaran-dev/examples/example.c -o example $(pkg-config --cflags --libs claran)
./example sky/sim_00000.fits | grep -q C_.P
bash -c '. /usr/share/bash-completion/completions/claran && complete -p claran' > /dev/null
HOME=/tmp claran ds9 install > /dev/null
cmp /tmp/bin/claran.ds9 /usr/share/claran/claran.ds9
grep -q "/usr/bin/claran ds9 detect" /usr/share/claran/claran.ds9
E2

installs_and_works() {
    mkdir -p upper && cp use debs/
    inside sh -c 'dpkg -i /tmp/debs/*.deb && sh -x /tmp/debs/use' > log 2>&1 || wrong "$(tail -20 log)"
}

# The packages' names, but for dpkg's own books and what other packages keep.
purges() {
    inside dpkg --remove claran claran-data libclaran0 libclaran-dev > log 2>&1 &&
        inside dpkg --purge claran claran-data libclaran0 libclaran-dev >> log 2>&1 || wrong "$(cat log)" || return 1
    ! inside dpkg-query -s claran > log 2>&1 || wrong "$(cat log)" || return 1
    # A name that is there in the copy and not on the machine was left behind.
    (cd upper && find . -mindepth 1 ! -type c) | while read -r f; do
        [ -e "/$f" ] || [ -L "/$f" ] || echo "$f"
    done | grep -vE '^./(var/(lib/dpkg|log|cache)|tmp|root/\.)' > left
    [ ! -s left ] || wrong "left behind: $(cat left)"
}

run builds
[ $failures = 0 ] || exit 1
run lintian_has_no_errors
run installs_and_works
run purges
exit $((failures > 0))

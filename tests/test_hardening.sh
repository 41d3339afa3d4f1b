#!/bin/bash
# SPDX-License-Identifier: MIT
# That the program (and the GPU module, where it was built) has what configure promised:
# what the linker and the compiler leave in a file is seen by readelf.
. "${srcdir:-.}/tests/shell_lib.sh"
has() { grep -qE -- "$2" <<< "$1"; }

hardened() {   # hardened FILE KIND
    local head symbols
    head=$(readelf -hldW "$1") symbols=$(readelf -sW "$1") || return 1
    has "$head" 'GNU_RELRO' || { echo "$1: no RELRO"; return 1; }
    has "$head" '\(FLAGS\).*BIND_NOW|\(FLAGS_1\).* NOW' || { echo "$1: binds lazily"; return 1; }
    has "$head" 'GNU_STACK.* RW +0x' || { echo "$1: its stack is executable"; return 1; }
    [ "$2" = module ] || has "$head" '\(FLAGS_1\).* PIE' || { echo "$1: no PIE"; return 1; }
    has "$symbols" '__stack_chk_fail' || { echo "$1: no stack protector"; return 1; }
    has "$symbols" '__(v?snprintf|memcpy)_chk' || { echo "$1: not fortified"; return 1; }
}
program_is_hardened() { hardened "$CLARAN" program; }
module_is_hardened() { hardened "${CLARAN%/*}/claran-gpu.so" module; }

if ! command -v readelf > /dev/null; then
    echo "skip program_is_hardened: there is no readelf (binutils)"
elif readelf -sW "$CLARAN" | grep -qE '__(asan|tsan)_init'; then
    echo "skip program_is_hardened: a build with sanitizers is not fortified"
else
    run program_is_hardened
    if [ -f "${CLARAN%/*}/claran-gpu.so" ]; then run module_is_hardened
    else echo "skip module_is_hardened: the GPU module was not built"; fi
fi
[ "$failures" -eq 0 ]

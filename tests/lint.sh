#!/bin/bash
# SPDX-License-Identifier: MIT
# lint.sh SOURCE...: cppcheck (tests/cppcheck.supp) and clang-tidy (.clang-tidy), where they
# are, over the sources; $LINT_FLAGS as for the compiler.  Run in the source folder.
failed=0
verdict() { if [ "$1" = 0 ]; then echo "ok $2"; else echo "FAIL $2"; failed=1; fi; }

# Any text will do for what configure says.
flags="-std=c11 -I. $(printf -- '-DRG_%s=__FILE__ ' VERSION MODEL_DIR MODULE_DIR SOURCE_DIR)"
export flags="$flags -D_GNU_SOURCE $LINT_FLAGS"
sources=$(printf '%s\n' "$@" | grep '\.c$' | sort -u)

tidy() {   # tidy SOURCE...: what it says, if it is not content
    local log
    log=$(clang-tidy --quiet "$@" -- $flags -fopenmp -Wno-unused-value 2>&1) && return 0
    grep -vE '^[0-9]+ warnings' <<< "$log"
    return 1
}
export -f tidy

if command -v cppcheck > /dev/null; then
    cppcheck --std=c11 --enable=warning,performance,portability --quiet -I. \
        --library=posix,gnu --suppressions-list=tests/cppcheck.supp --error-exitcode=1 \
        -DRG_VERSION='""' $sources
    verdict $? lint_cppcheck
else
    echo "skip lint_cppcheck: there is no cppcheck (apt-get install cppcheck)"
fi
if command -v clang-tidy > /dev/null; then
    printf '%s\n' $sources | xargs -P "$(nproc)" -n 4 bash -c 'tidy "$@"' tidy
    verdict $? lint_clang_tidy
else
    echo "skip lint_clang_tidy: there is no clang-tidy (apt-get install clang-tidy)"
fi
exit $failed

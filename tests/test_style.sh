#!/bin/bash
# SPDX-License-Identifier: MIT
# The rules of doc/HACKING that a machine can check: which folder may include which, who may
# print, how long a function and a line may be.
cd "${srcdir:-.}" || exit 1
sources() { find core regions plugin tests doc -name '*.[ch]' -o -name '*.h.in' | sort; }

verdict() {   # verdict NAME "what was found"
    if [ -z "$2" ]; then echo "ok $1"; else printf '%s\nFAIL %s\n' "$2" "$1"; fi
}

# includes FOLDER "what may be included from it": everything else of ours is a breach.
includes() {
    grep -rnE '#include "' --include='*.[ch]' "$1" | grep -vE "#include \"($2)"
}

verdict engine_knows_only_itself "$(includes core/engine 'core/engine/')"
verdict image_uses_only_errors_and_files \
    "$(includes core/image 'core/image/|core/engine/(error|file|fits).h')"
verdict detector_uses_engine_and_image \
    "$(includes core/detector 'core/(detector|engine|image)/')"
verdict the_library_is_the_detector \
    "$(includes core/claran.c 'core/(claran.h|detector/|engine/error.h)')"
verdict data_know_nothing_of_learning \
    "$(includes core/data 'core/(data|detector|engine|image)/')"
verdict evaluation_and_learning_are_apart \
    "$(includes core/evaluation 'core/(evaluation|data|detector|engine|image)/'
       includes core/learning 'core/(learning|data|detector|engine|image)/')"
verdict regions_use_sky_image_contour_and_detections \
    "$(includes regions 'regions/|core/engine/(error|fits).h|core/image/|core/detector/(detect|boxes).h')"
verdict only_sky_uses_wcslib \
    "$(grep -rlE '#include <(wcslib/|wcs\.h|wcshdr\.h)' core regions plugin | grep -v core/image/sky.c)"
verdict only_the_cpu_backend_uses_onednn \
    "$(grep -rl '#include <dnnl' core regions plugin | grep -v core/engine/cpu/)"
verdict only_card_h_uses_cuda \
    "$(grep -rlE '#include <(cuda|cudnn|cublas)' core regions plugin tests |
       grep -vE 'core/engine/gpu/(card.h|convolution.c)')"
verdict only_xpa_c_and_access_c_use_xpa \
    "$(grep -rl '#include <xpa' core regions plugin | grep -vE 'plugin/(xpa|access).c')"
verdict libraries_do_not_print_or_exit \
    "$(grep -rnE '(^|[^a-z_])(printf|puts|perror|exit|abort|assert) *\(' --include='*.c' core regions)"
verdict cfitsio_gets_no_extended_names \
    "$(grep -rnE 'fits_(open_file|open_data|open_image|create_file) *\(' --include='*.c' core regions plugin)"
verdict comparisons_catch_nan \
    "$(sources | xargs grep -nE 'if *\([a-z_]*err[a-z_]* *> ')"
verdict lines_end_at_88 "$(sources | xargs awk 'length > 88 {print FILENAME ":" FNR ": " length " columns"}')"
verdict functions_end_at_60 "$(sources | xargs awk -f tests/style.awk)"
verdict every_source_has_its_licence \
    "$(find core regions plugin tests ds9 doc \( -name '*.[ch]' -o -name '*.cu' -o -name '*.map' -o -name '*.in' \
           -o -name '*.sh' -o -name '*.py' -o -name '*.awk' -o -name '*.md' -o -path '*/completions/*' \) |
       cat - <(ls configure.ac Makefile.am quickstart .ci/run debian/rules) |
       xargs awk 'FNR <= 3 && /SPDX-License-Identifier: MIT/ {has[FILENAME]}
                  END {for (i = 1; i < ARGC; i++) if (!(ARGV[i] in has)) print ARGV[i]}')"
verdict every_source_is_in_the_makefile \
    "$(for f in $(find core regions plugin tests -name '*.[ch]'); do grep -q "${f%.c}" Makefile.am || echo "$f"; done)"
verdict menus_are_ascii "$(LC_ALL=C grep -nP '[^\x00-\x7F]' ds9/*)"

# SPDX-License-Identifier: MIT
# Functions over 60 lines: from the line that opens one to the brace that closes it.
FNR == 1 { start = 0 }
/^[A-Za-z_].*\)[ \t]*\{?[ \t]*$/ { head = FNR; name = $0 }
/^\{/ { start = head ? head : FNR }
/\)[ \t]*\{[ \t]*$/ && !/^[ \t]/ { start = FNR }
/^\}/ {
    if (start && FNR - start > 60) print FILENAME ":" start ": " FNR - start " lines: " name
    start = head = 0
}

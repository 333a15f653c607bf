#!/bin/bash
# analyse.sh BUILD STAMPS FILE: clang-tidy on one file, unless the same text passed before.
set -u
build=$1 stamps=$2 file=$3
clang-tidy --version >/dev/null || exit 1
defines=(-D_GNU_SOURCE -DPROJECT_VERSION='""' -DFIXTURES='""')
text=$(cc -E -P -std=gnu17 "${defines[@]}" -I. "$file" 2>/dev/null |
    cat - "$file" .clang-tidy tests/.clang-tidy)
stamp=$stamps/$(printf '%s' "$text" | sha256sum | cut -c1-40)
[ ! -e "$stamp" ] || exit 0
clang-tidy --quiet --warnings-as-errors='*' -p "$build" "$file" 2>/dev/null || exit 1
touch "$stamp"

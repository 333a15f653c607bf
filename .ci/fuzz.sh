#!/bin/sh
# fuzz.sh SECONDS: runs each fuzz target that long, from its corpus; new inputs stay in
# build/fuzz/found.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
for list in build/fuzz/bin-fuzz/fuzz_*.corpus; do
    target=${list%.corpus}
    what=${target##*/fuzz_}
    found=build/fuzz/found/$what
    mkdir -p "$found"
    echo "fuzz: $what for $seconds s"
    # shellcheck disable=SC2046 # a list of folders
    "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -verbosity=0 -artifact_prefix="$found/" "$found" $(cat "$list")
done

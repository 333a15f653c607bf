#!/bin/sh
# fuzz.sh SECONDS: runs each fuzz target that long, from its corpus; new inputs stay in
# build/fuzz/found.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
for target in build/fuzz/bin-fuzz/fuzz_*; do
    what=${target##*/fuzz_}
    mkdir -p "build/fuzz/found/$what"
    echo "fuzz: $what for $seconds s"
    "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -verbosity=0 \
        -artifact_prefix="build/fuzz/found/$what/" "build/fuzz/found/$what" "fixtures/fuzz/$what"
done

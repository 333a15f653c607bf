#!/bin/sh
# build.sh PRESET JOBS: configures once and builds; prints the compiler's words only when it fails.
set -eu
cd "$(dirname "$0")/.."
preset=$1 jobs=$2 log=build/$1.log
mkdir -p build

run() {
    "$@" >>"$log" 2>&1 || {
        code=$?
        cat "$log" >&2
        exit "$code"
    }
}

: >"$log"
[ -f "build/$preset/build.ninja" ] || {
    echo "build: configuring build/$preset"
    run cmake --preset "$preset"
}
echo "build: building build/$preset"
run cmake --build --preset "$preset" -- -j"$jobs"

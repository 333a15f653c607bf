#!/bin/bash
# test.sh PRESET all|unit|integration JOBS [PYTEST ARGUMENT...]: runs the tests of a built preset;
# the last line counts them. Both halves run even if the first fails.
set -u
cd "$(dirname "$0")/.." || exit 70
preset=$1 part=$2 jobs=$3
shift 3
results=build/$preset/results
mkdir -p "$results"
rm -f "$results"/*.xml
status=0

if [ "$part" != integration ]; then
    ctest --preset "$preset" -j"$jobs" --output-junit "$PWD/$results/unit.xml" || status=1
fi
# Two at a time for each processor: half of what a test takes is waiting. One test is handed out
# after the other, so that the long ones, which come first, do not pile up with one worker.
if [ "$part" != unit ]; then
    HARNESS_BIN=$PWD/build/$preset/bin build/venv/bin/python -m pytest -c integration/pytest.ini \
        --rootdir integration -n $((2 * jobs)) --dist load --maxschedchunk 1 \
        --junitxml "$results/integration.xml" integration "$@" || status=1
fi
.ci/count.py "$results" || status=1
exit $status

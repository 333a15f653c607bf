#!/bin/bash
# lint.sh JOBS: formatting, clang-tidy, shellcheck, ruff, tidy. All run; it fails when one does.
# shellcheck disable=SC2317 # the functions are called through step
set -u
cd "$(dirname "$0")/.." || exit 70
jobs=$1
status=0

step() {
    local name=$1 start=$SECONDS
    shift
    if "$@"; then
        echo "lint: $name ok ($((SECONDS - start)) s)"
    else
        echo "lint: $name FAILED" >&2
        status=1
    fi
}

formatted() {
    git ls-files -z '*.c' '*.h' | xargs -0 clang-format --dry-run -Werror
}

# A file that passed is analysed again when it, a header of its, or the configuration changes.
analysed() {
    [ -f build/dev/build.ninja ] || cmake --preset dev >build/dev.log || return 1
    mkdir -p build/lint
    git ls-files -z '*.c' ':!tests/base/misbehave.c' |
        xargs -0 -n 1 -P "$jobs" .ci/analyse.sh build/dev build/lint
}

scripts() {
    git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck
}

python() {
    build/venv/bin/ruff check -q integration tests .ci &&
        build/venv/bin/ruff format -q --check integration tests .ci
}

step clang-format formatted
step clang-tidy analysed
step shellcheck scripts
step ruff python
step tidy python3 tests/tidy/tidy.py --text-only
exit $status

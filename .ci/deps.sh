#!/bin/sh
# deps.sh run|test|lint|fuzz|bench: has ready what that needs, and says what it installs. Silent
# when all is there.
#
# Debian packages come with apt-get (through sudo when the caller is not root), Python packages into
# build/venv, in exactly the versions and with the hashes of integration/requirements.txt.
set -eu
cd "$(dirname "$0")/.."

build="build-essential cmake ninja-build pkg-config libmicrohttpd-dev libjansson-dev libsodium-dev
    libcurl4-openssl-dev libyaml-dev libsqlite3-dev libssl-dev"
case "${1:-}" in
run) packages=$build python=no ;;
test) packages="$build git ca-certificates libcmocka-dev python3 python3-venv strace" python=yes ;;
lint)
    packages="$build git ca-certificates libcmocka-dev python3 python3-venv
        clang-format clang-tidy shellcheck"
    python=yes
    ;;
fuzz) packages="$build libcmocka-dev clang libclang-rt-dev" python=no ;;
bench) packages="$build openssl python3 wrk" python=no ;;
*)
    echo "usage: .ci/deps.sh run|test|lint|fuzz|bench" >&2
    exit 64
    ;;
esac

missing_packages() {
    for package in $packages; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=none
        [ "$state" = installed ] || echo "$package"
    done
}

# as_root COMMAND...: runs it with root's rights, or says what somebody who has them must run.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "deps: no root and no sudo; let root run: apt-get install $missing" >&2
        exit 69
    fi
}

install_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "deps: this is no Debian; needed are the equivalents of: $packages" >&2
        return
    fi
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    echo "deps: installing Debian packages: $missing"
    apt="env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120"
    # shellcheck disable=SC2086 # lists of words
    as_root $apt update >/dev/null
    # shellcheck disable=SC2086
    as_root $apt install --no-install-recommends $missing >/dev/null
}

install_venv() {
    interpreter=${PYTHON:-/usr/bin/python3}
    locked=integration/requirements.txt
    want="$("$interpreter" --version) $(sha256sum <"$locked")"
    [ "$(cat build/venv/.stamp 2>/dev/null)" != "$want" ] || return 0
    echo "deps: installing Python packages into build/venv:" \
        "$(sed -n 's/^\([^ #]*==[^ ]*\).*/\1/p' "$locked" | tr '\n' ' ')"
    rm -rf build/venv
    mkdir -p build
    "$interpreter" -m venv build/venv
    build/venv/bin/python -m pip install -q --disable-pip-version-check \
        --require-hashes --only-binary :all: -r "$locked"
    echo "$want" >build/venv/.stamp
}

install_packages
[ "$python" = no ] || install_venv

#!/bin/sh
# deps.sh run|test|lint|fuzz|bench: has ready what that needs, and says what it installs. Silent
# when all is there.
#
# Debian packages come with apt-get (through sudo when the caller is not root), Python packages into
# build/venv, in exactly the versions and with the hashes of integration/requirements.txt, and the
# clients of integration/clients likewise into build/clients, as their own lock files say.
set -eu
cd "$(dirname "$0")/.."

build="build-essential cmake ninja-build pkg-config libmicrohttpd-dev libjansson-dev libsodium-dev
    libcurl4-openssl-dev libyaml-dev libsqlite3-dev libssl-dev"
case "${1:-}" in
run) packages=$build python=no ;;
test)
    packages="$build git ca-certificates libcmocka-dev python3 python3-venv strace"
    command -v go >/dev/null || packages="$packages golang-go"
    command -v node >/dev/null && command -v npm >/dev/null || packages="$packages nodejs npm"
    python=yes
    ;;
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

# unless_stamped FOLDER WORDS: false when FOLDER was made from the same WORDS; else empties it.
unless_stamped() {
    [ "$(cat "$1/.stamp" 2>/dev/null)" != "$2" ] || return 1
    rm -rf "$1"
    mkdir -p "$1"
}

install_node_client() {
    from=integration/clients/node-vault into=build/clients/node-vault
    want="$(node --version) $(sha256sum <$from/package-lock.json)"
    unless_stamped $into "$want" || return 0
    echo "deps: installing node-vault and what it needs into $into"
    cp $from/package.json $from/package-lock.json $into/
    (cd $into && npm ci --silent --ignore-scripts --no-audit --no-fund)
    echo "$want" >$into/.stamp
}

install_go_client() {
    from=integration/clients/go-api into=$PWD/build/clients/go-api
    want="$(go version) $(cat $from/main.go $from/go.mod $from/go.sum | sha256sum)"
    unless_stamped "$into" "$want" || return 0
    echo "deps: building Vault's client for Go into build/clients/go-api"
    (cd $from && CGO_ENABLED=0 GOTOOLCHAIN=local go build -mod=readonly -buildvcs=false -trimpath \
        -o "$into/lifecycle" .)
    echo "$want" >"$into/.stamp"
}

install_packages
[ "$python" = no ] || install_venv
[ "$1" != test ] || install_node_client
[ "$1" != test ] || install_go_client

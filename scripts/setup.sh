#!/usr/bin/env bash
# Installs what `make demo` and `make test` need, when it may: Debian or Ubuntu, as root. Elsewhere it says exactly
# what to install and stops. It never downloads Rust itself and never changes anything without naming it.
#
# usage: scripts/setup.sh demo|test
set -euo pipefail

want="${1:-test}"
case "$want" in
    demo | test) ;;
    *) echo "usage: scripts/setup.sh demo|test" >&2; exit 64 ;;
esac
rust_needed=1.95

have() { command -v "$1" >/dev/null 2>&1; }

# --- what is missing --------------------------------------------------------------------------------------------

packages=()   # Debian names, to install
reasons=()    # one line for each, for people on other systems
wanted=()     # Debian names of what the tests can do without
optional=()   # what will be skipped, and why

need() { # COMMAND DEBIAN-PACKAGE WHY
    have "$1" && return
    packages+=("$2")
    reasons+=("$1 ($3); Debian package: $2")
}

may_install() { have apt-get && [ "$(id -u)" -eq 0 ]; }

# Installed if that is possible; if not, what needs it is skipped.
want() { # COMMAND DEBIAN-PACKAGE WHAT-IS-SKIPPED
    have "$1" && return
    if may_install; then
        wanted+=("$2")
    else
        optional+=("$1: $3 is skipped (Debian package: $2)")
    fi
}

guest_target_of_rustup() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]
}
guest_packages_of_debian() {
    have dpkg-query && [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] &&
        dpkg-query -W -f='${db:Status-Status}\n' rustc-web cargo-web rust-web-src 2>/dev/null |
        awk '$0 == "installed" { n++ } END { exit n != 3 }'
}

if ! have cargo || ! have rustc; then
    echo "setup: Rust $rust_needed or newer is missing. Install it with rustup (https://rustup.rs), then run this again." >&2
    exit 1
fi
rust_found="$(rustc --version | awk '{ print $2 }')"
if [ "$(printf '%s\n' "$rust_needed" "$rust_found" | sort -V | head -n 1)" != "$rust_needed" ]; then
    echo "setup: rustc $rust_found is too old, $rust_needed or newer is needed: rustup update stable" >&2
    exit 1
fi

need cc build-essential "C compiler, for crates that build C"
need c++ build-essential "C++ compiler, for cmake"
need cmake cmake "builds zlib-ng for Pingora"

if [ "$want" = test ]; then
    need git git "to know the project's files"
    need curl curl "a real client in the tests"
    need clang clang "builds the plugin written in C"
    need wasm-ld lld "links the plugin written in C"
    need python3 python3 "a real client in the tests, and the spell checker"
    want wrk wrk "killing the new service under load"
    want h2load nghttp2-client "load over HTTP/2"
    want openssl openssl "curl over TLS"
    want chromium chromium "the pages in a browser"
    want node nodejs "the dashboard in a browser, the plugin written in JavaScript, and what lints both"
    want npm npm "the dashboard in a browser, the plugin written in JavaScript, and what lints both"
    want valgrind valgrind "counting instructions"
    if have python3 && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        if may_install; then
            wanted+=(python3-venv)
        else
            optional+=("python3 without venv: clients in Python are skipped (Debian package: python3-venv)")
        fi
    elif ! have python3; then
        packages+=(python3-venv)
        reasons+=("venv of python3 (clients in Python); Debian package: python3-venv")
    fi
    for part in fmt:rustfmt clippy:clippy; do
        cargo "${part%%:*}" --version >/dev/null 2>&1 && continue
        rustup component add "${part##*:}" >/dev/null 2>&1 && echo "setup: added ${part##*:}" && continue
        echo "setup: cargo ${part%%:*} is missing: rustup component add ${part##*:}, then run this again." >&2
        exit 1
    done
    if ! guest_target_of_rustup && ! guest_packages_of_debian; then
        # A machine whose rustup can download gets the target in seconds; others get Debian's packages below.
        if have rustup && rustup target add wasm32-unknown-unknown >/dev/null 2>&1; then
            echo "setup: added rustup target wasm32-unknown-unknown, for plugins"
        else
            packages+=(rustc-web cargo-web rust-web-src)
            reasons+=("the Rust target wasm32-unknown-unknown, for plugins: rustup target add wasm32-unknown-unknown; Debian packages: rustc-web cargo-web rust-web-src")
        fi
    fi
fi

# --- install, or say what to install ----------------------------------------------------------------------------

for line in "${optional[@]+"${optional[@]}"}"; do
    echo "setup: not here, and not needed: $line"
done
if [ "${#packages[@]}" -eq 0 ] && [ "${#wanted[@]}" -eq 0 ]; then
    echo "setup: everything that make $want needs is here"
    exit 0
fi

[ "${#packages[@]}" -eq 0 ] || mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
refuse() {
    {
        echo "setup: $1. Missing:"
        printf '  - %s\n' "${reasons[@]}"
        echo "On Debian or Ubuntu:"
        echo "  sudo apt-get update && sudo apt-get install --no-install-recommends ${packages[*]}"
        echo "Then run make $want again."
    } >&2
    exit 1
}

if [ "${#packages[@]}" -gt 0 ]; then
    have apt-get || refuse "this system has no apt-get, so nothing was installed"
    may_install || refuse "not running as root, so nothing was installed"
fi

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
install() { # PACKAGE ...
    echo "setup: installing $*"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1 </dev/null &&
        echo "setup: installed $*"
}

apt-get update >"$log" 2>&1 </dev/null || echo "setup: apt-get update failed; trying with the lists that are here" >&2
if [ "${#packages[@]}" -gt 0 ] && ! install "${packages[@]}"; then
    tail -n 20 "$log" >&2
    refuse "apt-get failed (its last lines are above)"
fi
for package in "${wanted[@]+"${wanted[@]}"}"; do
    install "$package" || echo "setup: $package could not be installed, and what needs it is skipped"
done

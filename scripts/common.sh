# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash
# What the scripts share. Sourced with bash by each of them; says nothing and does nothing by itself.
set -Eeuo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
me=scripts/$(basename "$0")

# Whatever is not the result goes to standard error, so that `scripts/demo --json | jq` works.
say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# Set when a command fails that nobody looked after: one line says which.
trap 'status=$?; say "failed (status $status) in line $LINENO: $BASH_COMMAND"; exit $status' ERR

# The commentary at the top of a script is its --help.
print_help() { sed -n '3,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

# Built faster the second time, where ccache happens to be installed.
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
fi
jobs=${JETON_JOBS:-$(nproc)}

# configure PRESET: once; afterwards the build itself notices changed CMake files.
configure() {
    if [[ ! -f $root/build/$1/build.ninja ]]; then
        say "configuring build/$1"
        (cd "$root" && cmake --preset "$1") >&2
    fi
}

# build PRESET TARGET...: all targets if none is named.
build() {
    local preset=$1
    shift
    configure "$preset"
    say "building ${*:-everything} in build/$preset"
    cmake --build "$root/build/$preset" --parallel "$jobs" ${*:+--target "$@"} >&2
}

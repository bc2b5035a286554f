#!/usr/bin/env bash
# Makes sure that promtool is here; prints the path of the program.
#
# The package of Prometheus is unpacked into target/tools and not installed: that would start a
# server of Prometheus, which nobody asked for.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly OLDEST=2.40
readonly TOOLS="$PWD/target/tools/prometheus"

# Prints the path of a promtool that is recent enough.
find_promtool() {
    local program
    for program in "$(command -v promtool || true)" "$TOOLS/usr/bin/promtool"; do
        [ -x "$program" ] || continue
        if version_at_least "$("$program" --version 2>&1 | sed -n 's/^promtool, version \([0-9.]*\).*/\1/p')" "$OLDEST"; then
            printf '%s\n' "$program"
            return
        fi
    done
}

# Fetches the package of the distribution, which needs no right to install anything.
unpack_package() {
    local folder
    folder=$(mktemp -d)
    (cd "$folder" && apt-get download -qq prometheus >/dev/null 2>&1) &&
        mkdir -p "$TOOLS" && dpkg-deb --extract "$folder"/prometheus_*.deb "$TOOLS"
    local done=$?
    rm -rf "$folder"
    return $done
}

found=$(find_promtool)
if [ -z "$found" ]; then
    command -v apt-get >/dev/null ||
        fail "promtool is missing: install Prometheus $OLDEST or later"
    printf 'unpacking promtool\n' >&2
    if ! unpack_package; then
        update_package_list || fail 'promtool is missing, and the list of packages cannot be updated'
        unpack_package || fail "promtool is missing: install Prometheus $OLDEST or later"
    fi
    found=$(find_promtool)
    [ -n "$found" ] || fail "promtool was unpacked, but does not run, or is older than $OLDEST"
fi
printf '%s\n' "$found"

#!/usr/bin/env bash
# Makes sure that HAProxy 2.2 or later is here; prints its version and where it is.
#
# Drills start it themselves, with settings of their own, in the foreground: the service that a
# package brings along is not started.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

readonly OLDEST=2.2
# Where a package that somebody is not root for puts its programs.
PATH=$PATH:/usr/local/sbin:/usr/sbin

# Prints version and place of HAProxy, if it will do.
find_haproxy() {
    local program version
    program=$(command -v haproxy) || return 0
    version=$("$program" -v | sed -n '1s/^[^0-9]*\([0-9.]*\).*/\1/p')
    if version_at_least "$version" "$OLDEST"; then
        printf '%s %s\n' "$version" "$program"
    fi
}

# Keeps the package from starting its service, where nobody else has said something about that.
without_service() {
    local policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    local status=0
    "$@" || status=$?
    as_root rm -f "$policy"
    return "$status"
}

found=$(find_haproxy)
if [ -z "$found" ]; then
    can_install_packages || fail "HAProxy $OLDEST or later is missing: install it (Debian: haproxy)"
    update_package_list
    without_service install_packages haproxy
    found=$(find_haproxy)
    [ -n "$found" ] || fail "the package haproxy is installed, but it is older than $OLDEST"
fi
printf 'HAProxy %s in %s\n' "${found%% *}" "${found#* }"

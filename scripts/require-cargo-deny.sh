#!/usr/bin/env bash
# Makes sure that cargo-deny is here; prints the path of the program.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

readonly VERSION=0.20.2
readonly INSTALLED="${CARGO_INSTALL_ROOT:-${CARGO_HOME:-$HOME/.cargo}}/bin/cargo-deny"

# Prints the path of a cargo-deny that is recent enough.
find_cargo_deny() {
    local program
    for program in "$(command -v cargo-deny || true)" "$INSTALLED"; do
        [ -x "$program" ] || continue
        if version_at_least "$("$program" --version | sed 's/.* //')" "$VERSION"; then
            printf '%s\n' "$program"
            return
        fi
    done
}

found=$(find_cargo_deny)
if [ -z "$found" ]; then
    printf 'installing cargo-deny %s\n' "$VERSION" >&2
    # Without optimisation it is built in a sixth of the time, and is fast enough.
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug \
        cargo-deny --version "$VERSION" >&2
    found=$(find_cargo_deny)
    [ -n "$found" ] || fail "cargo-deny was installed, but not as $INSTALLED"
fi
printf '%s\n' "$found"

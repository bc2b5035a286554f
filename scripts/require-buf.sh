#!/usr/bin/env bash
# Makes sure that buf is here in the pinned version; prints the path of the program.
#
# It comes from its npm package into target/tools: that needs npm, but nothing outside this
# folder is changed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly VERSION=1.75.0
readonly TOOLS="$PWD/target/tools"
readonly INSTALLED="$TOOLS/node_modules/.bin/buf"

# Prints the path of a buf of the pinned version: another one may judge differently.
find_buf() {
    local program
    for program in "$(command -v buf || true)" "$INSTALLED"; do
        if [ -x "$program" ] && [ "$("$program" --version 2>&1)" = "$VERSION" ]; then
            printf '%s\n' "$program"
            return
        fi
    done
}

found=$(find_buf)
if [ -z "$found" ]; then
    if ! command -v npm >/dev/null; then
        can_install_packages ||
            fail "npm is missing: install it (Debian: nodejs npm), or buf $VERSION itself"
        update_package_list
        install_packages nodejs npm
    fi
    printf 'installing buf %s\n' "$VERSION" >&2
    mkdir -p "$TOOLS"
    npm install --prefix "$TOOLS" --no-save --ignore-scripts --no-audit --no-fund \
        --loglevel=error "@bufbuild/buf@$VERSION" >&2 </dev/null
    found=$(find_buf)
    [ -n "$found" ] || fail "buf $VERSION was installed, but does not run from $INSTALLED"
fi
printf '%s\n' "$found"

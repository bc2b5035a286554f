#!/usr/bin/env bash
# Makes sure that a Chromium is here and what drives it, in the versions of scripts/page; prints the
# folder of what drives it. Chromium comes from the distribution, the rest from npm into target/tools.
#
# CHROMIUM names a browser that is here already.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly SOURCE="$PWD/scripts/page"
readonly TOOLS="$PWD/target/tools/page"

scripts/require-client-tools.sh >&2
if ! command -v "${CHROMIUM:-chromium}" >/dev/null; then
    can_install_packages || fail 'Chromium is missing: install it (Debian: chromium fonts-liberation)'
    update_package_list
    install_packages chromium fonts-liberation
fi

mkdir -p "$TOOLS"
if ! cmp -s "$SOURCE/package-lock.json" "$TOOLS/node_modules/.installed"; then
    printf 'installing what drives the browser\n' >&2
    cp "$SOURCE/package.json" "$SOURCE/package-lock.json" "$TOOLS"
    (cd "$TOOLS" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    cp "$SOURCE/package-lock.json" "$TOOLS/node_modules/.installed"
fi
cp "$SOURCE/look.js" "$TOOLS"
printf '%s\n' "$TOOLS"

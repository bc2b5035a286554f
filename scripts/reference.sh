#!/usr/bin/env bash
# Writes docs/reference anew from the contract; with --check, says whether it is current instead.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly REFERENCE=docs/reference

command -v python3 >/dev/null || fail 'python3 is missing: install it (Debian: python3)'
buf=$(scripts/require-buf.sh)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
"$buf" build proto -o "$room/image.json"

if [ "${1:-}" = --check ]; then
    python3 scripts/reference.py "$room/image.json" "$room/reference"
    diff -r --brief "$room/reference" "$REFERENCE" >&2 ||
        fail "$REFERENCE is not what the contract says: run 'make reference', and commit it"
else
    python3 scripts/reference.py "$room/image.json" "$REFERENCE"
fi

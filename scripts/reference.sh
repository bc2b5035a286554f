#!/usr/bin/env bash
# Writes docs/reference anew from the contract and the types of events; with --check, says whether it is current instead.
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
    python3 scripts/reference.py "$room/image.json" src/domain "$room/reference"
    diff -r --brief "$room/reference" "$REFERENCE" >&2 ||
        fail "$REFERENCE is not what the code says: run 'make reference', and commit it"
else
    python3 scripts/reference.py "$room/image.json" src/domain "$REFERENCE"
fi

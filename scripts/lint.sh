#!/usr/bin/env bash
# Everything that is checked without running the project. Changes nothing but target/.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly SCRIPTS=scripts

section 'format'
cargo fmt --check

section 'contract'
buf=$("$SCRIPTS/require-buf.sh")
"$buf" lint proto
"$SCRIPTS/reference.sh" --check

section 'dependencies'
deny=$("$SCRIPTS/require-cargo-deny.sh")
"$deny" --locked check bans licenses sources
# Known vulnerabilities are looked up in a database that is fetched from outside.
if "$deny" --log-level off fetch db >/dev/null 2>&1 </dev/null; then
    "$deny" --locked check --disable-fetch advisories
else
    printf 'advisories not checked: their database cannot be reached from here\n'
fi

section 'lints'
"$SCRIPTS/require-build-tools.sh"
cargo clippy --locked --all-targets -- -D warnings

section 'documentation'
RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps

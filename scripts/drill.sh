#!/usr/bin/env bash
# Runs drills: `scripts/drill.sh failures ROUNDS` (about a minute each), `scripts/drill.sh upgrade`
# (about a minute, and as long again for the second build where there is none yet).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly USAGE='usage: scripts/drill.sh failures ROUNDS | upgrade'
case "${1:-}" in
failures) export ENTENTE_DRILL_ROUNDS=${2:?"$USAGE"} ;;
upgrade) ;;
*) fail "$USAGE" ;;
esac
scripts/require-build-tools.sh
scripts/require-postgres.sh
scripts/require-haproxy.sh
cargo test --locked --test drill "drill::$1::" -- --nocapture --test-threads=1

#!/usr/bin/env bash
# Runs the drills: `scripts/drill.sh ROUNDS`. One round takes about two minutes.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

"$(dirname "$0")/require-build-tools.sh"
"$(dirname "$0")/require-postgres.sh"
"$(dirname "$0")/require-haproxy.sh"
ENTENTE_DRILL_ROUNDS=${1:-1} cargo test --locked --test drill -- --nocapture --test-threads=1

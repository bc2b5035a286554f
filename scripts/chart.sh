#!/usr/bin/env bash
# Everything about deploying that can be checked without a cluster: the chart, its rules and the
# dashboard, and the Dockerfile. Says what it could not check. Changes nothing but target/.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly SCRIPTS=scripts
readonly RULES=deploy/prometheus

python=$("$SCRIPTS/require-chart-tools.sh")
promtool=$("$SCRIPTS/require-promtool.sh")
models=$("$SCRIPTS/require-kubernetes-models.sh")

"$python" "$SCRIPTS/chart/check.py" --promtool "$promtool" --models "$models"

section 'alert rules'
"$promtool" check rules --lint=all --lint-fatal "$RULES/entente.rules.yaml"
(cd "$RULES" && "$promtool" test rules entente.rules.test.yaml)

section 'Dockerfile'
"$(dirname "$python")/hadolint" Dockerfile
printf 'linted; not built: that needs a container engine\n'

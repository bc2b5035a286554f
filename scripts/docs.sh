#!/usr/bin/env bash
# Keeps the documentation true: every link between files leads somewhere, and the blocks that are
# marked for it run and print what the page shows (scripts/docs.py says how they are marked).
#
# ENTENTE_BIN names a program that is built already; without it, a debug one is built.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/server.sh
. "$(dirname "$0")/server.sh"
cd "$(dirname "$0")/.."

scripts/require-client-tools.sh
mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.md')

section 'links'
python3 scripts/docs.py links "${files[@]}"
printf '%d files, every link leads somewhere\n' "${#files[@]}"

section 'what the pages show'
program=$(find_program)
python3 scripts/docs.py run "$program" "${files[@]}"

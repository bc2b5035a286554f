#!/usr/bin/env bash
# Looks at the page of the check-up in a headless Chromium: on a phone and on a desk, light and dark,
# and printed. Fails on whatever breaks a rule of accessibility, runs over the edge, loads anything or
# has a script. Pictures are left in target/checkup-page.
#
# With arguments NAME=URL it looks at those pages.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/.."

readonly PICTURES="$PWD/target/checkup-page"

# Looks at the pages NAME=URL.
look() {
    CHROMIUM=$(command -v "${CHROMIUM:-chromium}") node "$tools/look.js" "$PICTURES" "$@"
}

tools=$(scripts/require-page-tools.sh)
mkdir -p "$PICTURES"
if [ $# -gt 0 ]; then
    look "$@"
    exit
fi
fail 'name a page: NAME=URL'

#!/usr/bin/env bash
# Looks at the page of the check-up in a headless Chromium: on a phone and on a desk, light and dark,
# and printed. Fails on whatever breaks a rule of accessibility, runs over the edge, loads anything or
# has a script. Pictures are left in target/checkup-page.
#
# With arguments NAME=URL it looks at those pages; without, at the check-up of the demo, at a record
# behind it, and at what is shown for a link that is not good.
#
# ENTENTE_BIN names a program that is built already; without it, a debug one is built.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/server.sh
. "$(dirname "$0")/server.sh"
cd "$(dirname "$0")/.."

readonly PICTURES="$PWD/target/checkup-page"
# The demo plays a quarter before its page is there.
readonly TENTHS_TO_PLAY=1800
# A page has no more bytes.
readonly PAGE_BYTES_MAX=51200

# Looks at the pages NAME=URL.
look() {
    CHROMIUM=$(command -v "${CHROMIUM:-chromium}") node "$tools/look.js" "$PICTURES" "$@"
}

# Starts the demo, and sets PAGE to where its check-up is.
start_demo() {
    local program=$1 tenth
    "$program" demo --serve --listen 127.0.0.1:0 >"$room/demo.txt" 2>"$room/demo.log" &
    SERVER_PID=$!
    for ((tenth = 0; tenth < TENTHS_TO_PLAY; tenth++)); do
        PAGE=$(grep -o 'http://[^ ]*/checkup/[^ ]*' "$room/demo.txt" || true)
        [ -z "$PAGE" ] || return 0
        kill -0 "$SERVER_PID" 2>/dev/null || break
        sleep 0.1
    done
    cat "$room/demo.log" >&2
    fail 'the demo did not show a page'
}

# Checks what comes with the page, and its size.
check_answer() {
    local bytes
    curl --silent --show-error --fail --max-time 30 --dump-header "$room/headers.txt" \
        --output "$room/page.html" "$PAGE"
    bytes=$(wc -c <"$room/page.html")
    [ "$bytes" -le "$PAGE_BYTES_MAX" ] || fail "the page has $bytes bytes"
    grep -qi "^content-security-policy: default-src 'none'; style-src 'sha256-" "$room/headers.txt" ||
        fail 'the page comes without its policy'
    printf 'the page has %d bytes\n' "$bytes"
}

tools=$(scripts/require-page-tools.sh)
mkdir -p "$PICTURES"
if [ $# -gt 0 ]; then
    look "$@"
    exit
fi

program=$(find_program)
room=$(mktemp -d)
trap 'stop_server; rm -rf "$room"' EXIT
section 'a check-up'
start_demo "$program"
check_answer
record=$(grep -o 'href="tickets/[^"]*"' "$room/page.html" | head -n 1 | cut -d '"' -f 2)
[ -n "$record" ] || fail 'the page leads to no ticket'
section 'in a browser'
look "checkup=$PAGE" "record=$PAGE$record" "nothing=${PAGE%/*/}/forged/"
printf 'pictures are in target/checkup-page\n'

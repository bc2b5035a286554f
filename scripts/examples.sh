#!/usr/bin/env bash
# Runs the clients of examples/ against a server of their own, and checks what they print: all three
# say the same, it is what examples/expected.txt says, and the numbers are those that the server tells
# whoever asks it directly.
#
# ENTENTE_BIN names a program that is built already; without it, a debug one is built. Everything is
# installed into target/examples, where the clients run from a copy.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/server.sh
. "$(dirname "$0")/server.sh"
cd "$(dirname "$0")/.."

readonly ROOM="$PWD/target/examples"
readonly COPY="$ROOM/copy"
readonly VENV="$ROOM/venv"
# A client that takes longer hangs.
readonly SECONDS_A_CLIENT=60
# Hours after its opening at which all clients have the ticket explained, and what is then used up.
readonly HOURS=18
readonly CONSUMED=57600s

# Copies the clients to where they may install what they need, beside the contract.
copy_clients() {
    mkdir -p "$COPY/examples"
    ln -sfn "$PWD/proto" "$COPY/proto"
    local client
    for client in python node curl; do
        mkdir -p "$COPY/examples/$client"
        find "examples/$client" -maxdepth 1 -type f -exec cp -t "$COPY/examples/$client" {} +
    done
}

# Installs the libraries of the clients in the versions that these name, unless they are there.
install_libraries() {
    local python="$COPY/examples/python" node="$COPY/examples/node"
    if ! cmp -s "$python/requirements.txt" "$VENV/requirements.txt"; then
        printf 'installing the libraries of the Python client\n'
        rm -rf "$VENV"
        python3 -m venv "$VENV"
        "$VENV/bin/pip" install --quiet --disable-pip-version-check -r "$python/requirements.txt"
        cp "$python/requirements.txt" "$VENV/"
    fi
    if ! cmp -s "$node/package-lock.json" "$node/node_modules/.installed"; then
        printf 'installing the libraries of the Node client\n'
        (cd "$node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
        cp "$node/package-lock.json" "$node/node_modules/.installed"
    fi
    "$VENV/bin/python" "$python/generate.py"
}

# Runs the client $1 and prints what it says.
run_client() {
    local examples="$COPY/examples"
    local -a command
    case $1 in
    python) command=("$VENV/bin/python" "$examples/python/first_ten_calls.py") ;;
    node) command=(node "$examples/node/first_ten_calls.js") ;;
    curl) command=("$examples/curl/first_ten_calls.sh") ;;
    esac
    ENTENTE_SERVER="$SCHEME://$SERVER_ADDRESS" timeout "$SECONDS_A_CLIENT" "${command[@]}"
}

# Asks the server, past all clients, what the client said whose output is in $1.
check_numbers() {
    local partnership ticket opened at consumed
    partnership=$(grep -o 'partnerships/[0-9a-f-]*' "$1" | head -n 1)
    ticket=$(ask "/v1/$partnership/tickets" | jq --raw-output '.tickets[0].name')
    opened=$(ask "/v1/$ticket" | jq --raw-output .openTime)
    at=$(jq --null-input --raw-output --arg opened "$opened" --argjson hours "$HOURS" \
        '$opened | fromdate + $hours * 3600 | todate')
    consumed=$(ask "/v1/$ticket:explainClock?type=TARGET_TYPE_RESOLUTION&asOfTime=$at" |
        jq --raw-output .clock.consumed)
    [ "$consumed" = "$CONSUMED" ] || return 1
    grep -q "the clock shows ${consumed%s} s of" "$1"
}

ask() {
    curl --silent --show-error --fail --max-time 10 --header @- \
        ${ENTENTE_CA:+--cacert "$ENTENTE_CA"} "$SCHEME://$SERVER_ADDRESS$1" \
        <<<"authorization: Bearer $ENTENTE_API_KEY"
}

# Runs the client $1, shows what it prints, and compares it with what it should print.
check_client() {
    run_client "$1" >"$room/$1.txt" || true
    cat "$room/$1.txt"
    # Only what the server makes up differs from run to run.
    sed -E 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/ID/g' "$room/$1.txt" >"$room/same.txt"
    if ! diff -u examples/expected.txt "$room/same.txt"; then
        printf 'error: the %s client prints something else than examples/expected.txt\n' "$1" >&2
        return 1
    elif ! check_numbers "$room/$1.txt"; then
        printf 'error: the %s client shows other numbers than the server\n' "$1" >&2
        return 1
    fi
}

# Starts the program that follows; what it prints is added to followed.txt.
start_follower() {
    ENTENTE_SERVER="$SCHEME://$SERVER_ADDRESS" ENTENTE_CURSORS="$room/cursors.json" \
        "$VENV/bin/python" "$COPY/examples/python/follow.py" >>"$room/followed.txt" 2>>"$room/follow.log" &
    FOLLOWER_PID=$!
}

stop_follower() {
    if [ -n "${FOLLOWER_PID:-}" ]; then
        kill -KILL "$FOLLOWER_PID" 2>/dev/null || true
        wait "$FOLLOWER_PID" 2>/dev/null || true
        FOLLOWER_PID=
    fi
}

# Waits until the follower has told of an entry of the type $1 that concerns the record $2.
followed() {
    local tenth
    for ((tenth = 0; tenth < 300; tenth++)); do
        ! grep -q " $1 $2\$" "$room/followed.txt" || return 0
        sleep 0.1
    done
    cat "$room/followed.txt" "$room/follow.log" >&2
    printf 'error: nothing was told of %s\n' "$1" >&2
    return 1
}

# Changes the partnership $1 so that the journal tells of it: a calendar of the id $2.
make_news() {
    curl --silent --show-error --fail --max-time 10 --header @- --output /dev/null \
        --header 'content-type: application/json' --data '{"displayName": "News", "timeZone": "UTC",
            "weeklyWindows": [{"day": "MONDAY", "start": "08:00", "end": "18:00"}]}' \
        "http://$SERVER_ADDRESS/v1/$1/calendars?calendarId=$2" \
        <<<"authorization: Bearer $ENTENTE_API_KEY"
}

# Follows a partnership while the follower is killed and the server is started anew; then everything
# must have been told, in order.
follow_through_crashes() {
    local partnership listed told
    partnership=$(grep -o 'partnerships/[0-9a-f-]*' "$room/curl.txt" | head -n 1)
    start_follower
    make_news "$partnership" before && followed calendar.revised before || return 1
    stop_follower
    make_news "$partnership" meanwhile
    start_follower
    followed calendar.revised meanwhile || return 1
    stop_server
    start_server "$program" "$room" "$SERVER_ADDRESS"
    make_news "$partnership" after && followed calendar.revised after || return 1
    stop_follower
    listed=$(ask "/v1/$partnership/entries?pageSize=500" |
        jq --raw-output '.entries[] | select(.origin != "first-ten-calls") | .sequence')
    # What was told just when it was killed may be told once more.
    told=$(sed -n "s#^$partnership \([0-9]*\) .*#\1#p" "$room/followed.txt" | uniq)
    if ! diff <(printf '%s\n' "$listed") <(printf '%s\n' "$told"); then
        printf 'error: what was followed is not what the journal has\n' >&2
        return 1
    fi
    printf 'python: %d entries, none is missing, all in order\n' "$(wc -l <<<"$told")"
}

# Subscribes the receiver, and makes news: the receiver must get them, and refuse what is not signed.
receive_posts() {
    local partnership port code tenth
    partnership=$(grep -o 'partnerships/[0-9a-f-]*' "$room/curl.txt" | head -n 1)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    curl --silent --show-error --fail --max-time 10 --header @- --output "$room/subscription.json" \
        --header 'content-type: application/json' --data "{\"displayName\": \"News\",
            \"targetUri\": \"http://127.0.0.1:$port/\", \"source\": \"$partnership\",
            \"eventTypes\": [\"calendar.*\"]}" \
        "http://$SERVER_ADDRESS/v1/firms/acme/subscriptions" \
        <<<"authorization: Bearer $ENTENTE_API_KEY" || return 1
    : >"$room/received.txt"
    ENTENTE_SUBSCRIPTION_SECRET=$(jq --raw-output .secret "$room/subscription.json") PORT=$port \
        "$VENV/bin/python" "$COPY/examples/python/receive.py" >"$room/received.txt" 2>"$room/receive.log" &
    RECEIVER_PID=$!
    make_news "$partnership" posted || return 1
    for ((tenth = 0; tenth < 300; tenth++)); do
        ! grep -q '^entente.calendar.revised calendar/posted$' "$room/received.txt" || break
        sleep 0.1
    done
    cat "$room/received.txt"
    code=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' \
        --header 'webhook-id: 1' --header "webhook-timestamp: $(date +%s)" \
        --header 'webhook-signature: v1,forged' --data '{}' "http://127.0.0.1:$port/")
    stop_receiver
    if [ "$tenth" -eq 300 ] || [ "$code" != 401 ]; then
        cat "$room/receive.log" >&2
        printf 'error: no post came, or a forged one was taken: %s\n' "$code" >&2
        return 1
    fi
}

stop_receiver() {
    if [ -n "${RECEIVER_PID:-}" ]; then
        kill -KILL "$RECEIVER_PID" 2>/dev/null || true
        wait "$RECEIVER_PID" 2>/dev/null || true
        RECEIVER_PID=
    fi
}

# Puts the database back to an earlier state while nobody follows; then the follower must say so, and go
# on with what happens next.
follow_through_restore() {
    local partnership
    partnership=$(grep -o 'partnerships/[0-9a-f-]*' "$room/curl.txt" | head -n 1)
    "$program" backup "$room/backup.db" >/dev/null || return 1
    start_follower
    make_news "$partnership" undone && followed calendar.revised undone || return 1
    stop_follower
    stop_server
    mkdir "$room/before"
    mv "$room"/entente.db* "$room/before"
    "$program" restore "$room/backup.db" >/dev/null || return 1
    start_server "$program" "$room"
    start_follower
    make_news "$partnership" again && followed calendar.revised again || return 1
    stop_follower
    grep "was restored" "$room/followed.txt"
}

scripts/require-client-tools.sh
program=$(find_program)
copy_clients
install_libraries

room=$(mktemp -d)
trap 'stop_follower; stop_receiver; stop_server; rm -rf "$room"' EXIT
SCHEME=http
# The receiver of posts is on this machine, where no server posts to unless it is allowed.
export ENTENTE_WEBHOOK_PRIVATE_TARGETS=true
start_server "$program" "$room"
ENTENTE_API_KEY=$("$program" keys create --firm acme --firm-display-name 'Acme IT' 2>/dev/null)
export ENTENTE_API_KEY

passed=0 failed=0
for client in python node curl; do
    section "$client"
    if check_client "$client"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done

section 'what they do without a key that is good'
for client in python node curl; do
    if ENTENTE_API_KEY=nonsense run_client "$client" >"$room/bad.txt" 2>&1 ||
        ! grep -q UNAUTHENTICATED "$room/bad.txt"; then
        cat "$room/bad.txt" >&2
        printf 'error: the %s client does not say that its key is not good\n' "$client" >&2
        failed=$((failed + 1))
    else
        printf '%s: refused, and says so\n' "$client"
        passed=$((passed + 1))
    fi
done

section 'following, through a crash of its own and a restart of the server'
if follow_through_crashes; then passed=$((passed + 1)); else failed=$((failed + 1)); fi

section 'being called by a subscription'
if receive_posts; then passed=$((passed + 1)); else failed=$((failed + 1)); fi

section 'following a journal that is restored from a backup'
if follow_through_restore; then passed=$((passed + 1)); else failed=$((failed + 1)); fi

section 'the same over TLS'
stop_server
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=entente \
    -addext 'subjectAltName=DNS:localhost' -keyout "$room/server.key" -out "$room/server.pem" 2>/dev/null
start_server "$program" "$room" 127.0.0.1:0 \
    --tls-certificate "$room/server.pem" --tls-key "$room/server.key"
# Certificates are for names.
SCHEME=https SERVER_ADDRESS=localhost:${SERVER_ADDRESS##*:}
export ENTENTE_CA="$room/server.pem"
for client in python node curl; do
    if check_client "$client" >"$room/tls.txt"; then
        printf '%s: the same\n' "$client"
        passed=$((passed + 1))
    else
        cat "$room/tls.txt"
        failed=$((failed + 1))
    fi
done

printf '\nexamples: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]

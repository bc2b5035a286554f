# Helpers for scripts that need a server of their own, which source this file after lib.sh.
# shellcheck shell=bash

# How long a server may take to start.
readonly TENTHS_TO_START=300

# Prints the path of the program: ENTENTE_BIN, or a debug build.
find_program() {
    if [ -n "${ENTENTE_BIN:-}" ]; then
        [ -x "$ENTENTE_BIN" ] || fail "ENTENTE_BIN is '$ENTENTE_BIN', which is no program"
        printf '%s\n' "$ENTENTE_BIN"
        return
    fi
    "$(dirname "${BASH_SOURCE[0]}")/require-build-tools.sh" >&2
    cargo build --locked --quiet >&2
    printf '%s\n' "${CARGO_TARGET_DIR:-$PWD/target}/debug/entente"
}

# Starts a server with a database of its own in the folder $2: the program is $1, the address $3, or
# a free port. What follows are further arguments.
# Sets SERVER_ADDRESS and SERVER_PID; whoever calls this stops it with stop_server.
start_server() {
    local program=$1 folder=$2 address=${3:-127.0.0.1:0} tenth
    shift $(($# < 3 ? $# : 3))
    export ENTENTE_DATABASE_URL="sqlite://$folder/entente.db"
    # What an earlier one wrote would be taken for an answer.
    rm -f "$folder/server.log"
    "$program" serve --listen "$address" --log-format json "$@" >"$folder/server.log" 2>&1 &
    SERVER_PID=$!
    for ((tenth = 0; tenth < TENTHS_TO_START; tenth++)); do
        SERVER_ADDRESS=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$folder/server.log" 2>/dev/null |
            head -n 1 || true)
        [ -z "$SERVER_ADDRESS" ] || return 0
        kill -0 "$SERVER_PID" 2>/dev/null || break
        sleep 0.1
    done
    cat "$folder/server.log" >&2
    fail 'the server did not start'
}

# Stops what start_server started.
stop_server() {
    if [ -n "${SERVER_PID:-}" ]; then
        kill "$SERVER_PID" 2>/dev/null || true
        wait "$SERVER_PID" 2>/dev/null || true
        SERVER_PID=
    fi
}

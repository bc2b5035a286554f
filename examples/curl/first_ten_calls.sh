#!/usr/bin/env bash
# The first ten calls of an integrator, with curl and JSON. See README.md for how to run it.
#
# Settings come from the environment:
#   ENTENTE_API_KEY  the key of your firm
#   ENTENTE_SERVER   where the server is; default http://127.0.0.1:50051
#   ENTENTE_CA       for https://, a file with the certificates to trust; default those of curl
set -euo pipefail

readonly SERVER="${ENTENTE_SERVER:-http://127.0.0.1:50051}"
# Every call has a time limit.
readonly SECONDS_A_CALL=10
# How long to wait for an alert. The server raises it a moment after the events came in.
readonly SECONDS_FOR_ALERTS=30
# What this program calls itself. It comes back in the journal, so that we know our own echo.
readonly ORIGIN=first-ten-calls
# Who we are in the partnership is party-1; the firm that owes us is party-2.
readonly US=party-1 THEM=party-2

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

[ -n "${ENTENTE_API_KEY:-}" ] || fail "set ENTENTE_API_KEY; 'entente keys create' makes a key"
for program in curl jq; do
    command -v "$program" >/dev/null || fail "$program is missing: install it (Debian: $program)"
done

# Makes one call: method, path, and a body where there is one. Prints the answer; what is no success
# goes to standard error, and ends the script.
#
# curl tries again where the server could not be reached or was busy (429, 503). That is safe for
# changes, too, since every one of them has a request id.
call() {
    local answer code
    answer=$(request "$@")
    code=${answer##*$'\n'} answer=${answer%$'\n'*}
    if [ "$code" != 200 ]; then
        printf '%s\n' "$answer" >&2
        return 1
    fi
    printf '%s\n' "$answer"
}

# The same without a judgement: the last line is the HTTP status code.
#
# The key is not given as an argument, since others on this machine can read command lines.
request() {
    local method=$1 path=$2
    local -a body=() trust=()
    [ -z "${ENTENTE_CA:-}" ] || trust=(--cacert "$ENTENTE_CA")
    [ $# -lt 3 ] || body=(--header 'content-type: application/json' --data "$3")
    curl --silent --show-error --request "$method" --max-time "$SECONDS_A_CALL" \
        --retry 3 --retry-connrefused --write-out '\n%{http_code}' ${body[@]+"${body[@]}"} \
        ${trust[@]+"${trust[@]}"} \
        --header @- "$SERVER$path" <<<"authorization: Bearer $ENTENTE_API_KEY"
}

# Prints one line: number, what it is about, text.
say() {
    printf '%2s  %-12s %s\n' "$1" "$2" "$3"
}

# Prints the same for every line of standard input.
say_each() {
    local line
    while IFS= read -r line; do
        say "$1" "$2" "$line"
    done
}

# Percent-encodes a value of a query.
encoded() {
    jq --null-input --raw-output --arg value "$1" '$value | @uri'
}

# The instant so many hours after the ticket was opened, as the contract has it.
hours_after() {
    jq --null-input --raw-output --argjson seconds "$((OPENED + $1 * 3600))" '$seconds | todate'
}

RUN=$(jq --null-input --raw-output '"\(now)-"')$RANDOM
readonly RUN
OPENED=$(($(date +%s) - 18 * 3600))
readonly OPENED

# 1: does the key work, whose is it, and what may it do?
call GET /v1:whoAmI |
    jq --raw-output '"\(.firm) (\(.displayName)) may " +
        ([.permissions[] | ltrimstr("PERMISSION_") | ascii_downcase] | join(", "))' |
    say_each 1 'who am I'

# 2: a partnership with a firm that need not know of Entente yet.
#
# Where the body is one field of the request (here `partnership`), the other fields go into the query;
# docs/openapi.json tells which. As request id, take one that you can find again after a crash: the
# id of the job or the row in your own database that makes this call. A retry then finds what the
# first try made.
query="partnerDisplayName=$(encoded 'Night Desk')&role=PARTY_ROLE_PRIME&partnerRole=PARTY_ROLE_SUB"
query+="&requestId=$RUN-partnership&origin=$ORIGIN"
made=$(call POST "/v1/partnerships?$query" '{"displayName": "Acme and Night Desk"}')
again=$(call POST "/v1/partnerships?$query" '{"displayName": "Acme and Night Desk"}')
partnership=$(jq --raw-output .name <<<"$made")
same='another one'
[ "$(jq --raw-output .name <<<"$again")" != "$partnership" ] || same='the same'
state=$(jq --raw-output '.state | ltrimstr("PARTNERSHIP_STATE_")' <<<"$made")
say 2 partnership "$partnership is $state; the call again: $same"

# 3: what our own words for status and priority mean. Without it, tickets cannot count.
# States are told from the side of whoever owes: IN_PROGRESS is that Night Desk works, and the partner
# that it waits for is us. `allowMissing` creates a map if there is none yet.
status_map=$(call PUT "/v1/$partnership/statusMaps/helpdesk?allowMissing=true&requestId=$RUN-statuses&origin=$ORIGIN" '{
    "system": "helpdesk",
    "entries": [
        {"status": "New", "state": "TICKET_STATE_NEW"},
        {"status": "With Night Desk", "state": "TICKET_STATE_IN_PROGRESS"},
        {"status": "With us", "state": "TICKET_STATE_WAITING_ON_PARTNER"},
        {"status": "Waiting on customer", "state": "TICKET_STATE_WAITING_ON_CLIENT"},
        {"status": "Done", "state": "TICKET_STATE_RESOLVED"}
    ]
}')
priority_map=$(call PUT "/v1/$partnership/priorityMaps/helpdesk?allowMissing=true&requestId=$RUN-priorities&origin=$ORIGIN" '{
    "system": "helpdesk",
    "entries": [
        {"sourcePriority": "Urgent", "priority": 1},
        {"sourcePriority": "High", "priority": 2},
        {"sourcePriority": "Normal", "priority": 3}
    ]
}')
statuses=$(jq '.entries | length' <<<"$status_map")
priorities=$(jq '.entries | length' <<<"$priority_map")
say 3 maps "$statuses statuses, $priorities priorities"

# 4: what they owe us. A template brings targets, calendar, thresholds and escalations.
query="agreementId=desk&template=agreementTemplates/24x7-critical&timeZone=Europe/Berlin"
query+="&requestId=$RUN-agreement&origin=$ORIGIN"
call POST "/v1/$partnership/agreements?$query" "{\"obligor\": \"$THEM\", \"beneficiary\": \"$US\"}" |
    jq --raw-output '"\(.displayName): \(.state | ltrimstr("AGREEMENT_STATE_")), " +
        "\(.targets | length) targets"' |
    say_each 4 agreement

# 5: what happened to a ticket: events, not states. The order does not matter. An `eventId` is unique
# for the ticket, for ever: use your audit row's id.
events=$(jq --null-input --arg origin "$ORIGIN" --argjson opened "$OPENED" '
    def event($number; $hours; $fields): {
        eventId: "4711-\($number)",
        ticket: {system: "helpdesk", type: "ticket", id: "4711"},
        occurTime: ($opened + $hours * 3600 | todate)
    } + $fields;
    {activities: ["TICKET_ACTIVITY_UPDATE_GIVEN"]} as $update
    | {origin: $origin, events: [
        event(1; 0; {status: "New", sourcePriority: "Normal", title: "Scanner does not scan"}),
        event(2; 1; {status: "With Night Desk", response: true}),
        event(3; 2; {status: "Waiting on customer"}),
        event(4; 4; {status: "With Night Desk"}),
        event(5; 8; $update),
        event(6; 13; $update)
    ]}')
# One result for each event: look at every one of them.
outcomes() {
    call POST "/v1/$partnership/ticketEvents:batchIngest" "$events" |
        jq --raw-output '[.results[].outcome | ltrimstr("INGEST_OUTCOME_")]
            | group_by(.) | map("\(length) \(.[0])") | join(", ")'
}
# The second time nothing changes: events are known by their ids.
first=$(outcomes)
say 5 events "$first; the call again: $(outcomes)"

# 6: the tickets as they stand now, page by page. What has its default is left out of the JSON, so
# `nextPageToken` is not there on the last page, nor are empty lists.
tickets='[]' token=''
while :; do
    page=$(call GET "/v1/$partnership/tickets?pageSize=100&pageToken=$(encoded "$token")")
    tickets=$(jq --compact-output --argjson so_far "$tickets" '$so_far + (.tickets // [])' <<<"$page")
    token=$(jq --raw-output '.nextPageToken // ""' <<<"$page")
    [ -n "$token" ] || break
done
jq --raw-output '"\(length): \"\(.[0].title)\" is \(.[0].state | ltrimstr("TICKET_STATE_")), " +
    "priority \(.[0].priority)"' <<<"$tickets" | say_each 6 tickets
jq --raw-output '.[0].clocks | "\(length) clocks, " +
    "\(map(select(.verdict == "VERDICT_MET")) | length) of them met"' <<<"$tickets" | say_each '' ''
ticket=$(jq --raw-output '.[0].name' <<<"$tickets")

# 7: our partner's number for the same ticket, as we keep it in a field of our own.
call POST "/v1/$ticket:link" "{
    \"reference\": {\"system\": \"night-desk\", \"type\": \"ticket\", \"id\": \"ND-88\"},
    \"requestId\": \"$RUN-link\", \"origin\": \"$ORIGIN\"
}" | jq --raw-output '[.externalReferences[] | "\(.system) \(.id)"] | join(", ")' | say_each 7 link

# 8: which promises are half used up, the most urgent first? 64-bit numbers are strings in JSON, and
# durations are seconds with an `s`.
call GET "/v1/$partnership/clocks?atRiskBps=5000" |
    jq --raw-output '.clocks[]
        | (.clock.type | ltrimstr("TARGET_TYPE_")) as $kind
        | (.clock.percentUsedBps | tonumber / 100 | floor) as $used
        | (.timeLeft | rtrimstr("s") | tonumber / 60 | round) as $minutes
        | "\($kind): \($used) % used, \($minutes) minutes left, \(.clock.obligor) owes"' |
    say_each 8 'at risk'

# 9: why does the clock show what it shows? Every interval, with its rule and its event. As of a fixed
# instant, so that the numbers are the same whenever you look; without `asOfTime` it is now.
explained=$(call GET "/v1/$ticket:explainClock?type=TARGET_TYPE_RESOLUTION&asOfTime=$(hours_after 18)")
jq --raw-output '.intervals[]
    | (.chargedTo.kind | ltrimstr("CHARGED_PARTY_KIND_") | ascii_downcase) as $kind
    | "\(.state | ltrimstr("CLOCK_STATE_")) after \(.eventId): " +
      "\(.charged | rtrimstr("s")) s of \(.chargedTo.name // $kind)"' <<<"$explained" |
    say_each 9 explain
jq --raw-output '([.intervals[].consumed | rtrimstr("s") | tonumber] | add) as $total
    | "they add up to \($total) s; the clock shows \(.clock.consumed | rtrimstr("s")) s" +
      " of \(.clock.target | rtrimstr("s")) s"' <<<"$explained" | say_each '' ''

# 10: everything that happens, asked for again and again: the twin of Watch for whoever cannot hold a
# stream open. Store the sequence (and the hash) together with what you did about the entry, and go on
# from there after a restart: nothing is lost, nothing comes twice. docs/integrate.md says how to
# notice a server that was restored from a backup.
sequence=0 ours=0 told='' until=$((SECONDS + SECONDS_FOR_ALERTS))
while [ -z "$told" ]; do
    [ "$SECONDS" -lt "$until" ] || fail 'no alert came'
    page=$(call GET "/v1/$partnership/entries?afterSequence=$sequence&pageSize=500")
    sequence=$(jq --argjson before "$sequence" '.entries[-1].sequence // $before | tonumber' <<<"$page")
    # Our own echo: we know this already.
    ours=$((ours + $(jq --arg us "$ORIGIN" '[.entries[]? | select(.origin == $us)] | length' <<<"$page")))
    # `payload` is bytes, which are base64 in JSON.
    alerts=$(jq --raw-output --arg us "$ORIGIN" '.entries[]? | select(.origin != $us)
        | select(.type == "ticket.threshold_reached" or .type == "ticket.breached")
        | (.payload | @base64d | fromjson.reached) as $reached
        | ([$reached.escalation_levels[]? | ", tell \(.)"] | add // "") as $levels
        | "\(.type): \($reached.level.share / 100 | floor) % of \($reached.target_type)\($levels)"' <<<"$page")
    while IFS= read -r line && [ -z "$told" ]; do
        [ -n "$line" ] || continue
        say 10 watch "$line"
        [[ $line != *', tell '* ]] || told=yes
    done <<<"$alerts"
    [ -n "$told" ] || sleep 0.5
done
[ "$ours" -eq 0 ] || say '' '' 'our own entries came, too, and were skipped'

# A request full of mistakes: all of them are named at once, and nothing is changed. Decide by the
# status and the reason, never by the message, which is for people.
answer=$(request POST "/v1/partnerships?partnerDisplayName=Night%20Desk&role=PARTY_ROLE_PRIME" '{}')
jq --raw-output '.error | [.details[] | .reason // empty] as [$reason]
    | "\(.status), \($reason)"' <<<"${answer%$'\n'*}" | say_each '' 'a mistake'
jq --raw-output '.error.details[].fieldViolations[]? | "\(.field) \(.description)"' \
    <<<"${answer%$'\n'*}" | say_each '' ''

"""The first ten calls of an integrator, with grpcio. See README.md for how to run it.

Settings come from the environment:
  ENTENTE_API_KEY  the key of your firm
  ENTENTE_SERVER   where the server is; default http://127.0.0.1:50051
  ENTENTE_CA       for https://, a file with the certificates to trust; default those of gRPC
"""

import datetime
import json
import os
import pathlib
import sys
import urllib.parse
import uuid

import grpc
from google.protobuf import timestamp_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# What generate.py made of the contract.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "generated"))
import entente_v1 as v1

# Every call has a time limit: without one, gRPC waits for ever.
SECONDS_A_CALL = 10
# How long to wait for an alert. The server raises it a moment after the events came in.
SECONDS_FOR_ALERTS = 30
# What this program calls itself. It comes back in the journal, so that we know our own echo.
ORIGIN = "first-ten-calls"
# Who we are in the partnership is party-1; the firm that owes us is party-2.
US, THEM = "party-1", "party-2"
# gRPC itself tries again where the server could not be reached or was busy. That is safe for
# changes, too, since every one of them has a request id.
RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.2s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
                },
            }
        ]
    }
)


class Entente:
    """A connection: adds the key and the time limit to every call."""

    def __init__(self, server: str, api_key: str) -> None:
        address = urllib.parse.urlsplit(server)
        options = [("grpc.service_config", RETRIES)]
        if address.scheme == "https":
            authority = os.environ.get("ENTENTE_CA")
            roots = pathlib.Path(authority).read_bytes() if authority else None
            credentials = grpc.ssl_channel_credentials(root_certificates=roots)
            self.channel = grpc.secure_channel(address.netloc, credentials, options=options)
        else:
            self.channel = grpc.insecure_channel(address.netloc, options=options)
        self.metadata = [("authorization", f"Bearer {api_key}")]
        self.partnerships = v1.PartnershipServiceStub(self.channel)
        self.sla = v1.SlaServiceStub(self.channel)
        self.journal = v1.JournalServiceStub(self.channel)

    def call(self, method, request, seconds=SECONDS_A_CALL):
        """Make one call, for example `call(api.sla.GetTicket, GetTicketRequest(...))`."""
        return method(request, timeout=seconds, metadata=self.metadata)


def say(number, what: str, text: str) -> None:
    """Print one line."""
    print(f"{number:>2}  {what:<12} {text}", flush=True)


def word(enum, value: int, prefix: str) -> str:
    """Return the name of an enum's value as people write it: `TICKET_STATE_NEW` is `NEW`."""
    return enum.Name(value).removeprefix(prefix)


def reference(system: str, ticket_id: str) -> v1.ExternalReference:
    """Return a ticket's id in a system, here our own or our partner's."""
    return v1.ExternalReference(system=system, type="ticket", id=ticket_id)


def instant(moment: datetime.datetime) -> timestamp_pb2.Timestamp:
    """Return an instant as the contract has it."""
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def who_am_i(api: Entente) -> None:
    """1: does the key work, whose is it, and what may it do?"""
    me = api.call(api.partnerships.WhoAmI, v1.WhoAmIRequest())
    may = ", ".join(word(v1.Permission, p, "PERMISSION_").lower() for p in me.permissions)
    say(1, "who am I", f"{me.firm} ({me.display_name}) may {may}")


def create_partnership(api: Entente, run: str) -> str:
    """2: a partnership with a firm that need not know of Entente yet."""
    request = v1.CreatePartnershipRequest(
        partnership=v1.Partnership(display_name="Acme and Night Desk"),
        partner_display_name="Night Desk",
        role=v1.PARTY_ROLE_PRIME,
        partner_role=v1.PARTY_ROLE_SUB,
        # Take one that you can find again after a crash: the id of the job or the row in your own
        # database that makes this call. A retry then finds what the first try made.
        request_id=f"{run}-partnership",
        origin=ORIGIN,
    )
    made = api.call(api.partnerships.CreatePartnership, request)
    again = api.call(api.partnerships.CreatePartnership, request)
    state = word(v1.PartnershipState, made.state, "PARTNERSHIP_STATE_")
    same = "the same" if again.name == made.name else "another one"
    say(2, "partnership", f"{made.name} is {state}; the call again: {same}")
    return made.name


def write_maps(api: Entente, partnership: str, run: str) -> None:
    """3: what our own words for status and priority mean. Without it, tickets cannot count.

    States are told from the side of whoever owes: IN_PROGRESS is that Night Desk works, and the
    partner that it waits for is us.
    """
    states = {
        "New": v1.TICKET_STATE_NEW,
        "With Night Desk": v1.TICKET_STATE_IN_PROGRESS,
        "With us": v1.TICKET_STATE_WAITING_ON_PARTNER,
        "Waiting on customer": v1.TICKET_STATE_WAITING_ON_CLIENT,
        "Done": v1.TICKET_STATE_RESOLVED,
    }
    status_map = api.call(
        api.sla.UpdateStatusMap,
        v1.UpdateStatusMapRequest(
            status_map=v1.StatusMap(
                name=f"{partnership}/statusMaps/helpdesk",
                system="helpdesk",
                entries=[
                    v1.StatusMapEntry(status=status, state=state)
                    for status, state in states.items()
                ],
            ),
            allow_missing=True,  # Create it if there is none yet.
            request_id=f"{run}-status-map",
            origin=ORIGIN,
        ),
    )
    priority_map = api.call(
        api.sla.UpdatePriorityMap,
        v1.UpdatePriorityMapRequest(
            priority_map=v1.PriorityMap(
                name=f"{partnership}/priorityMaps/helpdesk",
                system="helpdesk",
                entries=[
                    v1.PriorityMapEntry(source_priority=source, priority=priority)
                    for source, priority in {"Urgent": 1, "High": 2, "Normal": 3}.items()
                ],
            ),
            allow_missing=True,
            request_id=f"{run}-priority-map",
            origin=ORIGIN,
        ),
    )
    say(3, "maps", f"{len(status_map.entries)} statuses, {len(priority_map.entries)} priorities")


def create_agreement(api: Entente, partnership: str, run: str) -> None:
    """4: what they owe us. A template brings targets, calendar, thresholds and escalations."""
    agreement = api.call(
        api.sla.CreateAgreement,
        v1.CreateAgreementRequest(
            parent=partnership,
            agreement_id="desk",
            agreement=v1.Agreement(obligor=THEM, beneficiary=US),
            template="agreementTemplates/24x7-critical",
            time_zone="Europe/Berlin",
            request_id=f"{run}-agreement",
            origin=ORIGIN,
        ),
    )
    state = word(v1.AgreementState, agreement.state, "AGREEMENT_STATE_")
    targets = len(agreement.targets)
    say(4, "agreement", f"{agreement.display_name}: {state}, {targets} targets")


def ingest(api: Entente, partnership: str, opened: datetime.datetime) -> None:
    """5: what happened to a ticket: events, not states. The order does not matter."""

    def event(number: int, hours: int, **fields) -> v1.TicketEvent:
        return v1.TicketEvent(
            event_id=f"4711-{number}",  # Unique for the ticket, for ever: use your audit row's id.
            ticket=reference("helpdesk", "4711"),
            occur_time=instant(opened + datetime.timedelta(hours=hours)),
            **fields,
        )

    update = [v1.TICKET_ACTIVITY_UPDATE_GIVEN]
    request = v1.BatchIngestEventsRequest(
        parent=partnership,
        events=[
            event(1, 0, status="New", source_priority="Normal", title="Scanner does not scan"),
            event(2, 1, status="With Night Desk", response=True),
            event(3, 2, status="Waiting on customer"),
            event(4, 4, status="With Night Desk"),
            event(5, 8, activities=update),
            event(6, 13, activities=update),
        ],
        origin=ORIGIN,
    )
    outcomes = []
    for _ in range(2):  # The second time nothing changes: events are known by their ids.
        answer = api.call(api.sla.BatchIngestEvents, request)
        names = [
            word(v1.IngestOutcome, result.outcome, "INGEST_OUTCOME_")
            for result in answer.results  # One for each event; look at every one of them.
        ]
        outcomes.append(", ".join(f"{names.count(name)} {name}" for name in sorted(set(names))))
    say(5, "events", f"{outcomes[0]}; the call again: {outcomes[1]}")


def list_tickets(api: Entente, partnership: str) -> str:
    """6: the tickets as they stand now, page by page."""
    request = v1.ListTicketsRequest(parent=partnership, page_size=100)
    tickets = []
    while True:
        page = api.call(api.sla.ListTickets, request)
        tickets.extend(page.tickets)
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    ticket = tickets[0]
    state = word(v1.TicketState, ticket.state, "TICKET_STATE_")
    met = sum(clock.verdict == v1.VERDICT_MET for clock in ticket.clocks)
    say(6, "tickets", f'{len(tickets)}: "{ticket.title}" is {state}, priority {ticket.priority}')
    say("", "", f"{len(ticket.clocks)} clocks, {met} of them met")
    return ticket.name


def link(api: Entente, ticket: str, run: str) -> None:
    """7: our partner's number for the same ticket, as we keep it in a field of our own."""
    linked = api.call(
        api.sla.LinkTicket,
        v1.LinkTicketRequest(
            name=ticket,
            reference=reference("night-desk", "ND-88"),
            request_id=f"{run}-link",
            origin=ORIGIN,
        ),
    )
    ids = ", ".join(f"{each.system} {each.id}" for each in linked.external_references)
    say(7, "link", ids)


def at_risk(api: Entente, partnership: str) -> None:
    """8: which promises are half used up, the most urgent first?"""
    page = api.call(
        api.sla.ListClocks,
        v1.ListClocksRequest(parent=partnership, at_risk_bps=5000),
    )
    for row in page.clocks:
        kind = word(v1.TargetType, row.clock.type, "TARGET_TYPE_")
        used = row.clock.percent_used_bps // 100
        minutes = round(row.time_left.seconds / 60)
        owes = row.clock.obligor
        say(8, "at risk", f"{kind}: {used} % used, {minutes} minutes left, {owes} owes")


def explain(api: Entente, ticket: str, opened: datetime.datetime) -> None:
    """9: why does the clock show what it shows? Every interval, with its rule and its event."""
    answer = api.call(
        api.sla.ExplainClock,
        v1.ExplainClockRequest(
            name=ticket,
            type=v1.TARGET_TYPE_RESOLUTION,
            # A fixed instant, so that the numbers are the same whenever you look. Default: now.
            as_of_time=instant(opened + datetime.timedelta(hours=18)),
        ),
    )
    for each in answer.intervals:
        state = word(v1.ClockState, each.state, "CLOCK_STATE_")
        kind = word(v1.ChargedPartyKind, each.charged_to.kind, "CHARGED_PARTY_KIND_")
        who = each.charged_to.name or kind.lower()
        say(9, "explain", f"{state} after {each.event_id}: {each.charged.seconds} s of {who}")
    total = sum(each.consumed.seconds for each in answer.intervals)
    shown, target = answer.clock.consumed.seconds, answer.clock.target.seconds
    say("", "", f"they add up to {total} s; the clock shows {shown} s of {target} s")


def watch(api: Entente, partnership: str) -> None:
    """10: everything that happens, as it happens."""
    request = v1.WatchRequest(
        # Without a cursor from the beginning. Store the cursor of each answer together with what
        # you did about it, and send it here after a restart: nothing is lost, nothing comes twice.
        scopes=[v1.WatchScope(scope=partnership)]
    )
    ours = 0
    stream = api.call(api.journal.Watch, request, SECONDS_FOR_ALERTS)
    for answer in stream:
        if answer.WhichOneof("event") == "heartbeat":
            continue
        entry = answer.entry
        if entry.origin == ORIGIN:  # Our own echo: we know this already.
            ours += 1
        elif entry.type in ("ticket.threshold_reached", "ticket.breached"):
            reached = json.loads(entry.payload)["reached"]
            percent = reached["level"]["share"] // 100
            levels = "".join(f", tell {level}" for level in reached.get("escalation_levels", []))
            say(10, "watch", f"{entry.type}: {percent} % of {reached['target_type']}{levels}")
            if levels:
                break
    stream.cancel()
    say("", "", "our own entries came, too, and were skipped" if ours else "nothing of our own")


def make_a_mistake(api: Entente) -> None:
    """Send a request full of mistakes: all of them are named at once, and nothing is changed."""
    try:
        api.call(
            api.partnerships.CreatePartnership,
            v1.CreatePartnershipRequest(
                partner_display_name="Night Desk", role=v1.PARTY_ROLE_PRIME
            ),
        )
    except grpc.RpcError as error:
        # Decide by the code and the reason, never by the message: that is for people.
        reason, violations = "", []
        status = rpc_status.from_call(error)
        for detail in status.details if status else []:
            if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                info = error_details_pb2.ErrorInfo()
                detail.Unpack(info)
                reason = info.reason
            elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
                bad = error_details_pb2.BadRequest()
                detail.Unpack(bad)
                violations = [f"{each.field} {each.description}" for each in bad.field_violations]
        say("", "a mistake", f"{error.code().name}, {reason}")
        for violation in violations:
            say("", "", violation)


def main() -> None:
    """Make the calls."""
    server = os.environ.get("ENTENTE_SERVER", "http://127.0.0.1:50051")
    api_key = os.environ.get("ENTENTE_API_KEY")
    if not api_key:
        sys.exit("error: set ENTENTE_API_KEY; 'entente keys create' makes a key")
    api = Entente(server, api_key)
    run = str(uuid.uuid4())
    opened = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    opened -= datetime.timedelta(hours=18)
    who_am_i(api)
    partnership = create_partnership(api, run)
    write_maps(api, partnership, run)
    create_agreement(api, partnership, run)
    ingest(api, partnership, opened)
    ticket = list_tickets(api, partnership)
    link(api, ticket, run)
    at_risk(api, partnership)
    explain(api, ticket, opened)
    watch(api, partnership)
    make_a_mistake(api)


if __name__ == "__main__":
    main()

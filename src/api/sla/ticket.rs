//! Tickets with their clocks: one, one by the caller's own id, a page of them.

use std::collections::HashMap;

use tonic::{Request, Response};

use super::ingest::REFERENCES_READ_MAX;
use super::ticket_view::{TicketView, answers, commitments, expectations_of};
use super::words::ticket_state;
use super::{SlaService, all_of, decode, parse_as_of, parse_known_at, parse_parent};
use crate::api::caller::Caller;
use crate::api::convert::{parse_name, reference};
use crate::api::listing::RECORDS_READ_MAX;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Api, Found, Member, required};
use crate::domain::firm::Permission;
use crate::domain::identity::{ExternalReference, FirmId, ScopeId};
use crate::domain::partnership::{Partnership, Party};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::clock::TicketState;
use crate::domain::sla::ticket::Ticket;
use crate::domain::text::require_reference;
use crate::domain::time::Timestamp;
use crate::proto::v1;
use crate::store::{ListQuery, ReferenceRow};

pub(super) const SHAPE: &str = "partnerships/*/tickets/*";
/// The parent that stands for all of the caller's partnerships.
const EVERYWHERE: &str = "partnerships/-";
/// How many tickets of a list are read and shown before other calls get their turn.
const TICKETS_AT_A_TIME: usize = 50;

/// `GetTicket`.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetTicketRequest>,
) -> Result<Response<v1::Ticket>, ApiError> {
    let caller = service.api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let [partnership, id] = parse_name("name", &message.name, SHAPE)?;
    let asked = Asked {
        as_of: parse_as_of(message.as_of_time)?,
        known_at: parse_known_at(message.known_at_time)?,
    };
    Ok(Response::new(
        show_one(service, &caller, &partnership, &id, asked).await?,
    ))
}

/// A ticket as it is now.
pub(super) async fn show_now(
    service: &SlaService,
    caller: &Caller,
    partnership: &str,
    id: &str,
) -> Result<v1::Ticket, ApiError> {
    show_one(service, caller, partnership, id, Asked::default()).await
}

/// `LookupTicket`.
pub(super) async fn lookup(
    service: &SlaService,
    request: &Request<v1::LookupTicketRequest>,
) -> Result<Response<v1::Ticket>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let within = match message.parent.as_str() {
        EVERYWHERE => None,
        parent => Some(ScopeId::partnership(&parse_parent(parent)?)),
    };
    let sent = message
        .reference
        .as_ref()
        .ok_or_else(|| required("reference"))?;
    let reference = reference(&caller.firm, sent);
    let mut violations = Violations::default();
    require_reference(&mut violations, "reference", &reference);
    violations.finish()?;
    let rows = api
        .ledger
        .store()
        .references_anywhere(&reference, REFERENCES_READ_MAX)
        .await?;
    let candidates = rows.into_iter().filter(|row| {
        row.kind == Kind::Ticket
            && !row.scope.is_firm()
            && within.as_ref().is_none_or(|scope| row.scope == *scope)
    });
    let (scope, id) = the_only(visible(api, &caller, candidates.collect()).await?)?;
    Ok(Response::new(
        show_one(service, &caller, scope.id(), &id, Asked::default()).await?,
    ))
}

/// Those of the candidates that lie in partnerships of the caller.
async fn visible(
    api: &Api,
    caller: &Caller,
    candidates: Vec<ReferenceRow>,
) -> Result<Vec<ReferenceRow>, ApiError> {
    if candidates.is_empty() {
        return Ok(candidates);
    }
    let keys: Vec<RecordKey> = candidates
        .iter()
        .map(|row| RecordKey::new(&row.scope, Kind::Partnership, row.scope.id()))
        .collect();
    let mut own = Vec::new();
    for row in api.ledger.store().records(&keys).await? {
        if decode::<Partnership>(&row)?
            .state
            .party_of(&caller.firm)
            .is_some_and(Party::is_present)
        {
            own.push(row.key.scope);
        }
    }
    Ok(candidates
        .into_iter()
        .filter(|row| own.contains(&row.scope))
        .collect())
}

fn the_only(found: Vec<ReferenceRow>) -> Result<(ScopeId, String), Refusal> {
    let several = found.len();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(row), None) => Ok((row.scope, row.id)),
        (None, _) => Err(Refusal::not_found("ticket")),
        (Some(_), Some(_)) => {
            let described = "the reference stands for several tickets: name the partnership";
            Err(Refusal::new(Reason::ReferenceAmbiguous, described).with("count", several))
        }
    }
}

/// `ListTickets`. The filter is on the state after the last event; one that is dated a little ahead
/// of the server's clock counts for it, but not yet for the state shown.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListTicketsRequest>,
) -> Result<Response<v1::ListTicketsResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let partnership = parse_parent(&message.parent)?;
    let state = match message.state {
        0 => None,
        number => Some(ticket_state("state", number)?),
    };
    let purpose = format!(
        "ListTickets:{}:{partnership}:{}",
        caller.firm,
        state.map_or("", TicketState::as_str)
    );
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let member = api.member(&caller, &partnership).await?;
    let as_of = api.now();
    let mut tickets = Vec::new();
    let mut rows_read = 0;
    let mut query = ListQuery {
        state: state.map(|state| state.stage().to_owned()),
        ..all_of(&member.scope(), Kind::Ticket, &page.after, 0)
    };
    loop {
        let room = page.size - tickets.len();
        // Where tickets are left out, as many are looked at as may be shown together.
        let wanted = if state.is_some() {
            TICKETS_AT_A_TIME
        } else {
            TICKETS_AT_A_TIME.min(room)
        };
        query.limit = wanted + 1;
        let mut rows = api.ledger.store().list_records(&query).await?;
        let mut is_last = rows.len() <= wanted;
        rows.truncate(wanted);
        rows_read += rows.len();
        let mut found: Vec<Found<Ticket>> = rows.iter().map(decode).collect::<Result<_, _>>()?;
        found.retain(|ticket| state.is_none_or(|state| ticket.state.state == state));
        if let Some(last) = rows.last() {
            query.after_id.clone_from(&last.key.id);
        }
        if found.len() > room {
            found.truncate(room);
            query.after_id = found.last().map(|last| last.id.clone()).unwrap_or_default();
            is_last = false;
        }
        tickets.extend(show_all(service, &caller, &member, &found, as_of).await?);
        if is_last || tickets.len() >= page.size || rows_read >= RECORDS_READ_MAX {
            let next_page_token = if is_last {
                String::new()
            } else {
                api.tokens.seal(&purpose, query.after_id.as_bytes())
            };
            return Ok(Response::new(v1::ListTicketsResponse {
                tickets,
                next_page_token,
            }));
        }
    }
}

async fn show_all(
    service: &SlaService,
    caller: &Caller,
    member: &Member,
    found: &[Found<Ticket>],
    as_of: Timestamp,
) -> Result<Vec<v1::Ticket>, ApiError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let (api, scope) = (service.api.as_ref(), member.scope());
    let keys: Vec<RecordKey> = found
        .iter()
        .map(|ticket| RecordKey::new(&scope, Kind::Ticket, ticket.id.as_str()))
        .collect();
    let states = found.iter().map(|ticket| &ticket.state);
    let expectations = expectations_of(api, &scope, states).await?;
    let commitments = found.iter().flat_map(|ticket| commitments(&ticket.state));
    let commitments = commitments.chain(answers(expectations.values())).collect();
    let states = found.iter().map(|ticket| &ticket.state);
    let in_force = service
        .agreements
        .of_tickets(api, &member.partnership, states)
        .await?;
    let mut references =
        own_references(&caller.firm, api.ledger.store().references_of(&keys).await?);
    let texts = Texts::load(api, &scope, &member.party.id, commitments).await?;
    let mut shown = Vec::with_capacity(found.len());
    for ticket in found {
        let view = TicketView {
            member,
            ticket,
            terms: in_force.of(&ticket.state, None)?,
            references: references.remove(&ticket.id).unwrap_or_default(),
            expectations: &expectations,
            texts: &texts,
            as_of,
        };
        shown.push(view.show());
    }
    Ok(shown)
}

/// As of which instant a ticket is shown, and from what was recorded by which.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    as_of: Option<Timestamp>,
    known_at: Option<Timestamp>,
}

/// One ticket. What depends only on the name is read at once, and the agreement mostly comes from
/// memory.
pub(super) async fn show_one(
    service: &SlaService,
    caller: &Caller,
    partnership: &str,
    id: &str,
    asked: Asked,
) -> Result<v1::Ticket, ApiError> {
    let (api, scope) = (service.api.as_ref(), ScopeId::partnership(partnership));
    let keys = [RecordKey::new(&scope, Kind::Ticket, id)];
    let (read, references) = tokio::join!(
        api.get::<Ticket>(caller, partnership, id),
        api.ledger.store().references_of(&keys)
    );
    let (member, mut ticket) = read?;
    ticket.state = ticket.state.as_known_at(asked.known_at);
    let as_of = instant(asked.as_of.or(asked.known_at), &ticket.state, api.now())?;
    let in_force = service
        .agreements
        .of_tickets(api, &member.partnership, std::iter::once(&ticket.state))
        .await?;
    let state = std::iter::once(&ticket.state);
    let expectations = expectations_of(api, &scope, state).await?;
    let commitments = commitments(&ticket.state).chain(answers(expectations.values()));
    let commitments = commitments.collect();
    let texts = Texts::load(api, &scope, &member.party.id, commitments).await?;
    let view = TicketView {
        member: &member,
        ticket: &ticket,
        terms: in_force.of(&ticket.state, asked.known_at)?,
        references: own_references(&caller.firm, references?)
            .remove(&ticket.id)
            .unwrap_or_default(),
        expectations: &expectations,
        texts: &texts,
        as_of,
    };
    Ok(view.show())
}

/// The instant at which to show a ticket: the one asked about, or now.
///
/// # Errors
/// [`Reason::OutOfRange`] before the ticket's first event.
pub(super) fn instant(
    asked: Option<Timestamp>,
    ticket: &Ticket,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let Some(asked) = asked else { return Ok(now) };
    match ticket.facts.first() {
        Some(first) if asked < first.occurred_at => Err(Refusal::field(
            Reason::OutOfRange,
            "as_of_time",
            "must not be before the ticket's first event",
        )
        .with("field", "as_of_time")
        .with("minimum", first.occurred_at)),
        _ => Ok(asked),
    }
}

/// The firm's own references, by ticket.
pub(super) fn own_references(
    firm: &FirmId,
    rows: Vec<ReferenceRow>,
) -> HashMap<String, Vec<ExternalReference>> {
    let mut references: HashMap<String, Vec<ExternalReference>> = HashMap::new();
    for row in rows.into_iter().filter(|row| row.reference.firm == *firm) {
        references.entry(row.id).or_default().push(row.reference);
    }
    for of_one in references.values_mut() {
        of_one.sort_unstable();
    }
    references
}

#[cfg(test)]
mod tests {
    use super::super::clock::tests::{OPENED, after, ticket};
    use super::*;

    fn row(firm: &str, partnership: &str, id: &str) -> ReferenceRow {
        let reference = ExternalReference {
            firm: FirmId::parse(firm).unwrap(),
            system: "halopsa".into(),
            instance: String::new(),
            reference_type: "ticket".into(),
            id: "4711".into(),
        };
        ReferenceRow {
            scope: ScopeId::partnership(partnership),
            reference,
            kind: Kind::Ticket,
            id: id.into(),
        }
    }

    #[test]
    fn the_past_begins_with_the_first_event() {
        let (ticket, now) = (ticket(), after(90));
        let before = Timestamp::from_micros(OPENED.as_micros() - 1);
        assert_eq!(instant(None, &ticket, before), Ok(before));
        assert_eq!(instant(Some(OPENED), &ticket, now), Ok(OPENED));
        assert_eq!(
            instant(Some(before), &ticket, now).unwrap_err().reason,
            Reason::OutOfRange
        );
    }

    #[test]
    fn several_tickets_are_ambiguous() {
        assert_eq!(the_only(Vec::new()).unwrap_err().reason, Reason::NotFound);
        assert_eq!(
            the_only(vec![row("north", "p", "t")]),
            Ok((ScopeId::partnership("p"), "t".to_owned()))
        );
        let refusal = the_only(vec![row("north", "p", "t"), row("north", "q", "u")]).unwrap_err();
        assert_eq!(refusal.reason, Reason::ReferenceAmbiguous);
        assert_eq!(refusal.metadata, [("count", "2".to_owned())]);
    }

    #[test]
    fn other_firms_references_are_left_out() {
        let firm = FirmId::parse("north").unwrap();
        let own = own_references(&firm, vec![row("north", "p", "t"), row("south", "p", "t")]);
        assert_eq!(own["t"].len(), 1);
        assert_eq!(own["t"][0].firm, firm);
    }
}

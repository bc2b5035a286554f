//! `ListClocks`: what is still to be kept, the most pressing first.

use std::collections::HashSet;
use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response};

use super::check::whole;
use super::clock::{Charges, to_clock};
use super::pinned::InForce;
use super::ticket::own_references;
use super::words::{target_type, to_clock_state, to_target_type, unknown};
use super::{SlaService, all_of, decode, parse_parent};
use crate::api::convert::{timestamp, to_duration, to_reference, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Found, Member, deadline};
use crate::domain::content_hash;
use crate::domain::firm::Permission;
use crate::domain::identity::FirmId;
use crate::domain::partnership::Partnership;
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::{ClockEvaluation, OPEN, TargetType};
use crate::domain::sla::in_force::TermsInForce;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::{Span, Timestamp};
use crate::proto::v1;

/// Most open clocks that one call evaluates.
pub(super) const CLOCKS_MAX: usize = 10_000;
/// How many tickets are read at a time.
const TICKETS_AT_A_TIME: usize = 500;
/// Largest part that can be asked for, in basis points: a hundred times the target.
const AT_RISK_BPS_MAX: i32 = 1_000_000;

/// `ListClocks`.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListClocksRequest>,
) -> Result<Response<v1::ListClocksResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let deadline = deadline(request, api.now());
    let message = request.get_ref();
    let (partnership, filter) = filter(message)?;
    let purpose = format!("ListClocks:{}:{}", caller.firm, digest(message));
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let member = api.member(&caller, &partnership).await?;
    let (as_of, after) = match page.place(Place::parse)? {
        Some((as_of, place)) => (as_of, Some(place)),
        None => (api.now(), None),
    };
    let mut open = Search::new(service, &member, filter, as_of)
        .run(deadline)
        .await?;
    open.sort_by(|one, other| one.place.cmp(&other.place));
    open.retain(|clock| after.as_ref().is_none_or(|after| clock.place > *after));
    open.truncate(page.limit());
    let next_page_token = page.cut(api, &mut open, |clock| {
        format!("{}:{}", as_of.as_micros(), clock.place)
    });
    let clocks = show(api, &caller.firm, &member, &open, as_of).await?;
    Ok(Response::new(v1::ListClocksResponse {
        clocks,
        next_page_token,
        as_of_time: Some(to_timestamp(as_of)),
    }))
}

/// What binds a page token to the rest of the request.
fn digest(message: &v1::ListClocksRequest) -> String {
    let rest = v1::ListClocksRequest {
        page_size: 0,
        page_token: String::new(),
        ..message.clone()
    };
    content_hash("entente.list-clocks.v1", &rest.encode_to_vec())
}

/// Which clocks are asked for, and in which order.
#[derive(Clone, Debug)]
struct Filter {
    types: HashSet<TargetType>,
    states: HashSet<i32>,
    charged_to: v1::ChargedPartyKind,
    charged_party: String,
    obligor: String,
    due_before: Option<Timestamp>,
    at_risk_bps: u64,
    by_due_time: bool,
}

fn filter(message: &v1::ListClocksRequest) -> Result<(String, Filter), Refusal> {
    let mut faults = Faults::default();
    let parent = faults.take(parse_parent(&message.parent).map(Some));
    let mut types = HashSet::new();
    for (index, value) in message.types.iter().enumerate() {
        let field = format!("types[{index}]");
        let once = match faults.take(target_type(&field, *value).map(Some)) {
            Some(target_type) => types.insert(target_type),
            None => true,
        };
        faults.require(once, &field, "each type once");
    }
    let mut states = HashSet::new();
    for (index, value) in message.states.iter().enumerate() {
        let field = format!("states[{index}]");
        let known = v1::ClockState::try_from(*value)
            .is_ok_and(|state| state != v1::ClockState::Unspecified);
        faults.require(known, &field, "is not a known value");
        faults.require(states.insert(*value), &field, "each state once");
    }
    let charged_to = v1::ChargedPartyKind::try_from(message.charged_to)
        .map_err(|_| unknown("charged_to"))
        .map(Some);
    let charged_to = faults.take(charged_to);
    let order = v1::ClockOrder::try_from(message.order)
        .map_err(|_| unknown("order"))
        .map(Some);
    let order = faults.take(order);
    let due_before = message
        .due_before
        .and_then(|at| faults.take(timestamp("due_before", at).map(Some)));
    let sensible = (0..=AT_RISK_BPS_MAX).contains(&message.at_risk_bps);
    faults.require(sensible, "at_risk_bps", "0 to 1,000,000");
    let ((parent, charged_to), order) = whole(faults, parent.zip(charged_to).zip(order))?;
    let filter = Filter {
        types,
        states,
        charged_to,
        charged_party: message.charged_party.clone(),
        obligor: message.obligor.clone(),
        due_before,
        at_risk_bps: u64::try_from(message.at_risk_bps).unwrap_or_default(),
        by_due_time: order == v1::ClockOrder::DueTime,
    };
    Ok((parent, filter))
}

impl Filter {
    /// Whether clocks of this type are of interest at all. Only those, of obligors of interest, count
    /// towards [`CLOCKS_MAX`], so such a filter always helps.
    fn regards(&self, target_type: TargetType) -> bool {
        self.types.is_empty() || self.types.contains(&target_type)
    }

    /// Whether what this party owes is of interest.
    fn regards_obligor(&self, obligor: &str) -> bool {
        self.obligor.is_empty() || self.obligor == obligor
    }

    /// Whether a clock of interest that is still to be kept is asked for.
    fn takes(&self, clock: &ClockEvaluation, charges: &Charges) -> bool {
        let payer = clock.charged_to.map(|party| charges.show(party));
        let payer = payer.unwrap_or_default();
        let is_charged =
            self.charged_to == v1::ChargedPartyKind::Unspecified || self.charged_to == payer.kind();
        let state = i32::from(to_clock_state(clock.state));
        (self.states.is_empty() || self.states.contains(&state))
            && is_charged
            && (self.charged_party.is_empty() || self.charged_party == payer.name)
            && self
                .due_before
                .is_none_or(|before| clock.due_at.is_some_and(|due_at| due_at < before))
            && clock.used_bps >= self.at_risk_bps
    }

    fn place(&self, ticket: &str, agreement: &str, clock: &ClockEvaluation) -> Place {
        let rank = if self.by_due_time {
            clock.due_at.map_or(i64::MAX, Timestamp::as_micros)
        } else {
            time_left(clock).as_micros()
        };
        Place {
            rank,
            ticket: ticket.to_owned(),
            agreement: agreement.to_owned(),
            target_type: to_target_type(clock.target_type).into(),
            cycle: clock.cycle,
        }
    }
}

/// Working time that is left of the target.
fn time_left(clock: &ClockEvaluation) -> Span {
    clock.target.saturating_sub(clock.consumed)
}

/// Where a clock stands in the list. As of one instant, no two clocks have the same place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: i64,
    ticket: String,
    agreement: String,
    target_type: i32,
    cycle: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            rank,
            ticket,
            agreement,
            target_type,
            cycle,
        } = self;
        write!(
            formatter,
            "{rank}:{ticket}:{agreement}:{target_type}:{cycle}"
        )
    }
}

impl Place {
    /// The instant of a token, and the place after which to go on. Ids have no colons.
    fn parse(token: &str) -> Option<(Timestamp, Self)> {
        let parts: Vec<&str> = token.split(':').collect();
        let [as_of, rank, ticket, agreement, target_type, cycle] = parts.as_slice() else {
            return None;
        };
        let place = Self {
            rank: rank.parse().ok()?,
            ticket: (*ticket).to_owned(),
            agreement: (*agreement).to_owned(),
            target_type: target_type.parse().ok()?,
            cycle: cycle.parse().ok()?,
        };
        Some((Timestamp::from_micros(as_of.parse().ok()?), place))
    }
}

/// A clock that was found.
struct Open {
    place: Place,
    ticket: Arc<Found<Ticket>>,
    terms: TermsInForce,
    clock: ClockEvaluation,
}

/// Goes through the open tickets of a partnership.
struct Search<'search> {
    service: &'search SlaService,
    member: &'search Member,
    filter: Arc<Filter>,
    as_of: Timestamp,
}

impl<'search> Search<'search> {
    fn new(
        service: &'search SlaService,
        member: &'search Member,
        filter: Filter,
        as_of: Timestamp,
    ) -> Self {
        Self {
            service,
            member,
            filter: Arc::new(filter),
            as_of,
        }
    }

    async fn run(&self, deadline: Timestamp) -> Result<Vec<Open>, ApiError> {
        let (api, scope) = (self.service.api.as_ref(), self.member.scope());
        let place = self.service.counting.enter().await?;
        let mut query = all_of(&scope, Kind::Ticket, "", TICKETS_AT_A_TIME);
        query.state = Some(OPEN.to_owned());
        let mut found = Vec::new();
        let mut regarded = 0;
        let partnership = Arc::new(self.member.partnership.clone());
        loop {
            if api.now() > deadline {
                let late = "the deadline passed while evaluating";
                return Err(Refusal::new(Reason::DeadlineExceeded, late).into());
            }
            let rows = api.ledger.store().list_records(&query).await?;
            let is_last = rows.len() < TICKETS_AT_A_TIME;
            if let Some(last) = rows.last() {
                query.after_id.clone_from(&last.key.id);
            }
            let tickets: Vec<Arc<Found<Ticket>>> = rows
                .iter()
                .map(|row| decode::<Ticket>(row).map(Arc::new))
                .collect::<Result<_, _>>()?;
            let states = tickets.iter().map(|ticket| &ticket.state);
            let in_force = self
                .service
                .agreements
                .of_tickets(api, &self.member.partnership, states)
                .await?;
            let (filter, as_of) = (Arc::clone(&self.filter), self.as_of);
            let partnership = Arc::clone(&partnership);
            let work = move || evaluated(&tickets, &in_force, &partnership, &filter, as_of);
            let (clocks, open) = place.run(work).await??;
            regarded += clocks;
            if regarded > CLOCKS_MAX {
                return Err(too_many().into());
            }
            found.extend(open);
            if is_last {
                return Ok(found);
            }
        }
    }
}

/// Evaluates tickets: how many open clocks are of interest, and which of them are asked for.
fn evaluated(
    tickets: &[Arc<Found<Ticket>>],
    in_force: &InForce,
    partnership: &Found<Partnership>,
    filter: &Filter,
    as_of: Timestamp,
) -> Result<(usize, Vec<Open>), Refusal> {
    let (mut regarded, mut found) = (0, Vec::new());
    for ticket in tickets {
        for terms in in_force.of(&ticket.state, None)? {
            let pinned = terms.at(as_of);
            let content = &pinned.content;
            if !filter.regards_obligor(content.obligor.as_str()) {
                continue;
            }
            let charges = Charges::new(&partnership.id, &partnership.state, content);
            for clock in terms.clocks(&ticket.state, as_of).clocks {
                if clock.stopped_at.is_some() || !filter.regards(clock.target_type) {
                    continue;
                }
                regarded += 1;
                if filter.takes(&clock, &charges) {
                    found.push(Open {
                        place: filter.place(&ticket.id, &pinned.terms.agreement, &clock),
                        ticket: Arc::clone(ticket),
                        terms: terms.clone(),
                        clock,
                    });
                }
            }
        }
    }
    Ok((regarded, found))
}

fn too_many() -> Refusal {
    let described =
        format!("more than {CLOCKS_MAX} open clocks: ask for some types, or one obligor");
    Refusal::new(Reason::ResultTooLarge, described)
        .with("limit", "open_clocks")
        .with("maximum", CLOCKS_MAX)
}

async fn show(
    api: &Api,
    firm: &FirmId,
    member: &Member,
    open: &[Open],
    as_of: Timestamp,
) -> Result<Vec<v1::OpenClock>, ApiError> {
    let scope = member.scope();
    let ids: HashSet<&str> = open.iter().map(|clock| clock.ticket.id.as_str()).collect();
    let keys: Vec<RecordKey> = ids
        .into_iter()
        .map(|id| RecordKey::new(&scope, Kind::Ticket, id))
        .collect();
    let references = own_references(firm, api.ledger.store().references_of(&keys).await?);
    let partnership = &member.partnership;
    let shown = open.iter().map(|found| {
        let ticket = &found.ticket;
        let content = &found.terms.at(as_of).content;
        let charges = Charges::new(&partnership.id, &partnership.state, content);
        let own = references.get(&ticket.id).into_iter().flatten();
        v1::OpenClock {
            ticket: name_in(&scope, "tickets", &ticket.id),
            external_references: own.map(to_reference).collect(),
            clock: Some(to_clock(
                &found.clock,
                &ticket.state,
                &found.terms,
                &charges,
                as_of,
            )),
            time_left: Some(to_duration(time_left(&found.clock))),
        }
    });
    Ok(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::super::clock::tests::{OPENED, after, partnership, pinned, ticket};
    use super::*;

    fn found<T>(id: &str, state: T) -> Found<T> {
        Found {
            id: id.into(),
            state,
            revision: 1,
            created_at: OPENED,
            updated_at: OPENED,
        }
    }

    /// How many clocks of one ticket, whose resolution is open, are of interest, and how many found.
    fn counts(message: &v1::ListClocksRequest) -> (usize, usize) {
        let message = v1::ListClocksRequest {
            parent: "partnerships/p".into(),
            ..message.clone()
        };
        let (_, filter) = filter(&message).unwrap();
        let ticket = Arc::new(found("t", ticket()));
        let in_force = InForce::only(pinned());
        let partnership = found("p", partnership(2));
        let (regarded, open) =
            evaluated(&[ticket], &in_force, &partnership, &filter, after(45)).unwrap();
        (regarded, open.len())
    }

    #[test]
    fn types_and_obligor_bound_the_work_and_other_filters_the_answer() {
        let all = v1::ListClocksRequest::default();
        assert_eq!(counts(&all), (1, 1));
        let of_type = |target_type: v1::TargetType| v1::ListClocksRequest {
            types: vec![target_type.into()],
            ..all.clone()
        };
        assert_eq!(counts(&of_type(v1::TargetType::Resolution)), (1, 1));
        assert_eq!(counts(&of_type(v1::TargetType::FirstResponse)), (0, 0));
        let owed_by = |party: &str| v1::ListClocksRequest {
            obligor: party.into(),
            ..all.clone()
        };
        assert_eq!(counts(&owed_by("party-2")), (1, 1));
        assert_eq!(counts(&owed_by("party-1")), (0, 0));
        let at_risk = v1::ListClocksRequest {
            at_risk_bps: 9_000,
            ..all
        };
        assert_eq!(counts(&at_risk), (1, 0));
    }

    #[test]
    fn places_come_back_from_their_tokens() {
        let place = Place {
            rank: -5,
            ticket: "t".into(),
            agreement: "gold".into(),
            target_type: 2,
            cycle: 3,
        };
        let token = format!("{}:{place}", OPENED.as_micros());
        assert_eq!(Place::parse(&token), Some((OPENED, place)));
        for bad in ["", "1:2:t:gold:2", "x:2:t:gold:2:3", "1:2:t:gold:2:3:4"] {
            assert_eq!(Place::parse(bad), None);
        }
    }
}

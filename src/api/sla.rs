//! `SlaService`: calendars, agreements, status and priority maps, tickets and the clocks over them.

mod adoption;
mod agreement;
mod amendment;
mod arithmetic;
mod attainment;
mod calendar;
mod chain;
mod check;
mod check_chain;
mod clock;
pub(super) mod explain;
mod home;
pub(super) mod ingest;
mod links;
mod open_clocks;
pub mod pinned;
pub(in crate::api) mod pool;
mod priority_map;
mod revision;
mod simulate;
mod status_map;
mod summary;
mod ticket;
pub(super) mod ticket_event;
mod ticket_view;
mod unmapped;
mod walk;
mod word_map;
pub(super) mod words;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::caller::Caller;
use super::convert::{self, parse_name};
use super::status::ApiError;
use super::{Api, Found};
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::{ListQuery, RecordRow};
use pinned::PinnedAgreements;
use pool::Pool;

/// The service; clones share everything.
#[derive(Clone, Debug)]
pub struct SlaService {
    api: Arc<Api>,
    agreements: Arc<PinnedAgreements>,
    /// Where attainment is counted.
    counting: Pool,
    /// Where clocks are explained: apart from the counting, which may take seconds.
    explaining: Pool,
    /// Where calendars that a request brings along are compiled and asked.
    calculating: Pool,
}

impl SlaService {
    /// The service over what all services share.
    #[must_use]
    pub fn new(api: Arc<Api>) -> Self {
        Self {
            api,
            agreements: Arc::default(),
            counting: Pool::default(),
            explaining: Pool::default(),
            calculating: Pool::default(),
        }
    }

    /// What the services share.
    #[must_use]
    pub fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// A ticket as it is now, as `GetTicket` shows it to a firm.
    pub(super) async fn ticket(
        &self,
        caller: &Caller,
        partnership: &str,
        id: &str,
    ) -> Result<v1::Ticket, ApiError> {
        ticket::show_now(self, caller, partnership, id).await
    }
}

/// The partnership of a `parent`.
fn parse_parent(parent: &str) -> Result<String, Refusal> {
    parse_partnership("parent", parent)
}

/// The partnership of a field that names one.
fn parse_partnership(field: &str, name: &str) -> Result<String, Refusal> {
    let [partnership] = parse_name(field, name, "partnerships/*")?;
    Ok(partnership)
}

/// The id of a record that must be of this partnership.
fn parse_neighbour(
    field: &str,
    name: &str,
    shape: &str,
    partnership: &str,
) -> Result<String, Refusal> {
    let [other, id] = parse_name(field, name, shape)?;
    if other == partnership {
        return Ok(id);
    }
    Err(Refusal::field(
        Reason::InvalidField,
        field,
        "must be of the same partnership",
    ))
}

/// The calendar of `partnership` that a field names; a firm's own has to be adopted first.
///
/// # Errors
/// [`Reason::InvalidField`] or [`Reason::CalendarNotAdopted`], naming `field`.
pub(super) fn parse_calendar(
    field: &str,
    name: &str,
    partnership: &str,
) -> Result<String, Refusal> {
    home::require_adopted(field, name, partnership)?;
    parse_neighbour(field, name, "partnerships/*/calendars/*", partnership)
}

/// The instant that a read asks about, if it names one.
fn parse_as_of(value: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Refusal> {
    parse_instant("as_of_time", value)
}

/// The instant whose knowledge a read asks for, if it names one.
fn parse_known_at(value: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Refusal> {
    parse_instant("known_at_time", value)
}

fn parse_instant(
    field: &'static str,
    value: Option<prost_types::Timestamp>,
) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let at = convert::timestamp(field, value)?;
    if at.is_storable() {
        return Ok(Some(at));
    }
    Err(Refusal::field(
        Reason::OutOfRange,
        field,
        "must be between the years 2000 and 2099",
    )
    .with("field", field)
    .with("minimum", Timestamp::EARLIEST)
    .with("maximum", Timestamp::LATEST))
}

const AGREEMENT_SHAPE: &str = "partnerships/*/agreements/*";

/// Records of one kind, ascending by id, each whatever its state.
fn all_of(scope: &ScopeId, kind: Kind, after_id: &str, limit: usize) -> ListQuery {
    ListQuery {
        scope: scope.clone(),
        kind,
        state: None,
        after_id: after_id.to_owned(),
        limit,
    }
}

/// A record of a known kind from its row.
fn decode<T: Stored + Clone>(row: &RecordRow) -> Result<Found<T>, ApiError> {
    let versioned = rows::decode_row(row)?;
    let state = T::from_record(&versioned.record).cloned();
    let state = state.ok_or_else(|| Refusal::new(Reason::Internal, "a record of another kind"))?;
    Ok(Found::new(&row.key.id, state, &versioned))
}

/// Declares RPCs: each is one function of this module.
macro_rules! rpcs {
    ($($method:ident($request:ident) -> $response:ident = $function:path;)*) => {
        #[tonic::async_trait]
        impl v1::sla_service_server::SlaService for SlaService {
            $(
                async fn $method(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                    Ok($function(self, &request).await?)
                }
            )*
        }
    };
}

rpcs! {
    create_calendar(CreateCalendarRequest) -> Calendar = calendar::create;
    update_calendar(UpdateCalendarRequest) -> Calendar = calendar::update;
    get_calendar(GetCalendarRequest) -> Calendar = calendar::get;
    list_calendars(ListCalendarsRequest) -> ListCalendarsResponse = calendar::list;
    compute_deadline(ComputeDeadlineRequest) -> ComputeDeadlineResponse = arithmetic::deadlines;
    compute_elapsed(ComputeElapsedRequest) -> ComputeElapsedResponse = arithmetic::elapsed;
    create_agreement(CreateAgreementRequest) -> Agreement = agreement::create;
    approve_agreement(ApproveAgreementRequest) -> Agreement = agreement::approve;
    list_agreement_templates(ListAgreementTemplatesRequest) -> ListAgreementTemplatesResponse =
        agreement::template::list;
    revise_agreement(ReviseAgreementRequest) -> Agreement = agreement::revise;
    end_agreement(EndAgreementRequest) -> Agreement = agreement::end;
    get_agreement(GetAgreementRequest) -> Agreement = agreement::get;
    list_agreements(ListAgreementsRequest) -> ListAgreementsResponse = agreement::list;
    update_status_map(UpdateStatusMapRequest) -> StatusMap = status_map::update;
    get_status_map(GetStatusMapRequest) -> StatusMap = status_map::get;
    list_status_maps(ListStatusMapsRequest) -> ListStatusMapsResponse = status_map::list;
    update_priority_map(UpdatePriorityMapRequest) -> PriorityMap = priority_map::update;
    get_priority_map(GetPriorityMapRequest) -> PriorityMap = priority_map::get;
    list_priority_maps(ListPriorityMapsRequest) -> ListPriorityMapsResponse = priority_map::list;
    adopt_revision(AdoptRevisionRequest) -> AdoptRevisionResponse = adoption::adopt;
    get_adoption_difference(GetAdoptionDifferenceRequest) -> AdoptionDifference = adoption::difference;
    batch_ingest_events(BatchIngestEventsRequest) -> BatchIngestEventsResponse = ingest::batch_ingest;
    list_unmapped(ListUnmappedRequest) -> ListUnmappedResponse = unmapped::list;
    get_ticket(GetTicketRequest) -> Ticket = ticket::get;
    lookup_ticket(LookupTicketRequest) -> Ticket = ticket::lookup;
    list_tickets(ListTicketsRequest) -> ListTicketsResponse = ticket::list;
    batch_get_tickets(BatchGetTicketsRequest) -> BatchGetTicketsResponse = summary::batch_get;
    list_clocks(ListClocksRequest) -> ListClocksResponse = open_clocks::list;
    explain_clock(ExplainClockRequest) -> ExplainClockResponse = explain::explain_clock;
    get_attainment(GetAttainmentRequest) -> Attainment = attainment::get;
    simulate_agreement(SimulateAgreementRequest) -> SimulateAgreementResponse = simulate::simulate;
    create_ticket_link(CreateTicketLinkRequest) -> TicketLink = links::create;
    delete_ticket_link(DeleteTicketLinkRequest) -> TicketLink = links::delete;
    list_ticket_links(ListTicketLinksRequest) -> ListTicketLinksResponse = links::list;
    get_chain_charges(GetChainChargesRequest) -> ChainCharges = chain::charges;
    compute_credit_split(ComputeCreditSplitRequest) -> CreditSplit = chain::credit::compute;
    check_chain(CheckChainRequest) -> CheckChainResponse = check_chain::check;
    propose_amendment(ProposeAmendmentRequest) -> Ticket = amendment::propose;
    approve_amendment(ApproveAmendmentRequest) -> Ticket = amendment::approve;
    decline_amendment(DeclineAmendmentRequest) -> Ticket = amendment::decline;
    withdraw_amendment(WithdrawAmendmentRequest) -> Ticket = amendment::withdraw;
    link_ticket(LinkTicketRequest) -> Ticket = amendment::link;
    countersign_event(CountersignEventRequest) -> Ticket = amendment::countersign;
    reject_event(RejectEventRequest) -> Ticket = amendment::reject;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_of_the_same_partnership() {
        let shape = "partnerships/*/calendars/*";
        assert_eq!(
            parse_neighbour("f", "partnerships/p/calendars/c", shape, "p"),
            Ok("c".to_owned())
        );
        for bad in [
            "partnerships/q/calendars/c",
            "partnerships/p/agreements/c",
            "",
        ] {
            assert_eq!(
                parse_neighbour("f", bad, shape, "p")
                    .unwrap_err()
                    .violations[0]
                    .field,
                "f"
            );
        }
    }

    #[test]
    fn instants_asked_about_are_storable() {
        let at = |seconds| parse_as_of(Some(prost_types::Timestamp { seconds, nanos: 0 }));
        let earliest = convert::to_timestamp(Timestamp::EARLIEST).seconds;
        let latest = convert::to_timestamp(Timestamp::LATEST).seconds;
        assert_eq!(parse_as_of(None), Ok(None));
        assert_eq!(at(earliest), Ok(Some(Timestamp::EARLIEST)));
        assert!(at(latest - 1).is_ok());
        for bad in [earliest - 1, latest, i64::MAX] {
            assert_eq!(at(bad).unwrap_err().reason, Reason::OutOfRange);
        }
    }
}

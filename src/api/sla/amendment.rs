//! The RPCs about what takes more than one firm on a ticket: amendments, links, countersignatures.

use prost::Message;
use tonic::{Request, Response};

use super::check::{checked, whole};
use super::ticket::{Asked, SHAPE, show_one};
use super::words::{target_type, to_target_type};
use super::{AGREEMENT_SHAPE, SlaService, parse_neighbour};
use crate::api::caller::Caller;
use crate::api::convert::{parse_name, reference, timestamp, to_approval, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::status::ApiError;
use crate::api::text::{Sealer, Texts};
use crate::api::{Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::sla::in_force::PinnedTerms;
use crate::domain::sla::ticket::amendment::{
    Amendment, AmendmentContent, AmendmentState, DateAmendment, Exclusion,
};
use crate::domain::sla::ticket::lateness::LateAnswer;
use crate::domain::sla::ticket::{
    AmendmentAnswer, AmendmentVerb, EVENT_ID_BYTES_MAX, Ticket, TicketCommand,
};
use crate::domain::text::{FREE_TEXT_BYTES_MAX, require_reference, require_token};
use crate::proto::v1;

/// Longest id of an amendment, in bytes.
const AMENDMENT_ID_BYTES_MAX: usize = 10;

type Answer = Result<Response<v1::Ticket>, ApiError>;

/// A change of a ticket, as far as every such request has it.
struct Change<'request> {
    method: &'static str,
    envelope: Envelope,
    name: &'request str,
}

/// The change that a request asks for.
macro_rules! change {
    ($method:literal, $request:expr) => {{
        let message = $request.get_ref();
        Change {
            method: $method,
            envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
            name: &message.name,
        }
    }};
}

impl Change<'_> {
    /// The names of partnership and ticket.
    fn names(&self, faults: &mut Faults) -> Option<[String; 2]> {
        faults.take(parse_name::<2>("name", self.name, SHAPE).map(Some))
    }

    /// Runs what was asked, and shows the ticket.
    async fn run<M: Message>(
        self,
        service: &SlaService,
        caller: &Caller,
        request: &Request<M>,
        partnership: &str,
        (command, openings): (TicketCommand, Vec<Opening>),
    ) -> Answer {
        let mutation = Mutation {
            scope: ScopeId::partnership(partnership),
            envelope: self.envelope,
            action: Action::Ticket(command),
            openings,
        };
        let api = service.api.as_ref();
        let receipt = api.run(caller, self.method, request, mutation).await?;
        let asked = Asked::default();
        let ticket = show_one(service, caller, partnership, &receipt.id, asked).await?;
        Ok(respond(ticket, &receipt))
    }
}

/// `ProposeAmendment`.
pub(super) async fn propose(
    service: &SlaService,
    request: &Request<v1::ProposeAmendmentRequest>,
) -> Answer {
    let caller = service.api.caller(request, Permission::Tickets).await?;
    let change = change!("ProposeAmendment", request);
    let mut faults = Faults::default();
    let mut sealer = Sealer::for_every_party(&service.api);
    let names = change.names(&mut faults);
    let sent = request.get_ref().amendment.as_ref();
    let sent = faults.take(sent.ok_or_else(|| required("amendment")).map(Some));
    let content = names
        .as_ref()
        .zip(sent)
        .and_then(|([partnership, _], sent)| content(partnership, sent, &mut faults, &mut sealer));
    let openings = faults.finish_sealed(sealer)?;
    let ([partnership, ticket], content) = whole(Faults::default(), names.zip(content))?;
    let command = TicketCommand::ProposeAmendment { ticket, content };
    change
        .run(service, &caller, request, &partnership, (command, openings))
        .await
}

/// What an amendment says, as a caller wrote it.
fn content(
    partnership: &str,
    sent: &v1::Amendment,
    faults: &mut Faults,
    sealer: &mut Sealer<'_>,
) -> Option<AmendmentContent> {
    use v1::amendment::Content;
    let missing = || required("amendment.content");
    match faults.take(sent.content.as_ref().ok_or_else(missing).map(Some))? {
        Content::AgreedDate(date) => {
            let target_type = target_type("amendment.agreed_date.type", date.r#type);
            let target_type = faults.take(target_type.map(Some));
            let due_at = date
                .due_time
                .map(|at| timestamp("amendment.agreed_date.due_time", at));
            let due_at = faults.take(due_at.transpose().map(Some));
            target_type.zip(due_at).map(|(target_type, due_at)| {
                AmendmentContent::AgreedDate(DateAmendment {
                    target_type,
                    due_at,
                })
            })
        }
        Content::Exclusion(exclusion) => {
            let mut instant = |field: &str, at: Option<prost_types::Timestamp>| {
                let field = format!("amendment.exclusion.{field}");
                let at = at.ok_or_else(|| required(&field));
                faults.take(at.and_then(|at| timestamp(&field, at)).map(Some))
            };
            let from = instant("start_time", exclusion.start_time);
            let to = instant("end_time", exclusion.end_time);
            let field = "amendment.exclusion.reason";
            let reason = sealer.text(field, &exclusion.reason, FREE_TEXT_BYTES_MAX);
            let class = Some(exclusion.class_id.clone()).filter(|class| !class.is_empty());
            from.zip(to).map(|(from, to)| {
                AmendmentContent::Exclusion(Exclusion {
                    from,
                    to,
                    class,
                    reason,
                })
            })
        }
        Content::Agreement(name) => {
            let field = "amendment.agreement";
            let id = parse_neighbour(field, name, AGREEMENT_SHAPE, partnership);
            let agreement = faults.take(id.map(Some))?;
            let terms = PinnedTerms {
                agreement,
                revision: 0,
            };
            Some(AmendmentContent::Agreement(terms))
        }
    }
}

/// `ApproveAmendment`.
pub(super) async fn approve(
    service: &SlaService,
    request: &Request<v1::ApproveAmendmentRequest>,
) -> Answer {
    let caller = service.api.caller(request, Permission::Approve).await?;
    let change = change!("ApproveAmendment", request);
    let id = &request.get_ref().amendment_id;
    answer(service, &caller, request, change, (id, ""), |_| {
        AmendmentVerb::Approve
    })
    .await
}

/// `DeclineAmendment`.
pub(super) async fn decline(
    service: &SlaService,
    request: &Request<v1::DeclineAmendmentRequest>,
) -> Answer {
    let caller = service.api.caller(request, Permission::Approve).await?;
    let change = change!("DeclineAmendment", request);
    let message = request.get_ref();
    let words = (message.amendment_id.as_str(), message.reason.as_str());
    answer(
        service,
        &caller,
        request,
        change,
        words,
        AmendmentVerb::Decline,
    )
    .await
}

/// `WithdrawAmendment`.
pub(super) async fn withdraw(
    service: &SlaService,
    request: &Request<v1::WithdrawAmendmentRequest>,
) -> Answer {
    let caller = service.api.caller(request, Permission::Tickets).await?;
    let change = change!("WithdrawAmendment", request);
    let message = request.get_ref();
    let words = (message.amendment_id.as_str(), message.reason.as_str());
    answer(
        service,
        &caller,
        request,
        change,
        words,
        AmendmentVerb::Withdraw,
    )
    .await
}

async fn answer<M: Message>(
    service: &SlaService,
    caller: &Caller,
    request: &Request<M>,
    change: Change<'_>,
    (amendment, reason): (&str, &str),
    verb: impl FnOnce(Option<Commitment>) -> AmendmentVerb,
) -> Answer {
    let mut faults = Faults::default();
    let mut sealer = Sealer::for_every_party(&service.api);
    let names = change.names(&mut faults);
    faults.take(checked(|violations| {
        let field = "amendment_id";
        require_token(violations, field, amendment, AMENDMENT_ID_BYTES_MAX);
    }));
    let reason = sealer.text("reason", reason, FREE_TEXT_BYTES_MAX);
    let openings = faults.finish_sealed(sealer)?;
    let [partnership, ticket] = whole(Faults::default(), names)?;
    let command = TicketCommand::AnswerAmendment(AmendmentAnswer {
        ticket,
        amendment: amendment.to_owned(),
        verb: verb(reason),
    });
    change
        .run(service, caller, request, &partnership, (command, openings))
        .await
}

/// `LinkTicket`.
pub(super) async fn link(service: &SlaService, request: &Request<v1::LinkTicketRequest>) -> Answer {
    let caller = service.api.caller(request, Permission::Tickets).await?;
    let change = change!("LinkTicket", request);
    let mut faults = Faults::default();
    let names = change.names(&mut faults);
    let sent = request.get_ref().reference.as_ref();
    let sent = faults.take(sent.ok_or_else(|| required("reference")).map(Some));
    let reference = sent.map(|sent| reference(&caller.firm, sent));
    if let Some(reference) = &reference {
        faults.take(checked(|violations| {
            require_reference(violations, "reference", reference);
        }));
    }
    let ([partnership, ticket], reference) = whole(faults, names.zip(reference))?;
    let command = TicketCommand::Link { ticket, reference };
    change
        .run(
            service,
            &caller,
            request,
            &partnership,
            (command, Vec::new()),
        )
        .await
}

/// `CountersignEvent`.
pub(super) async fn countersign(
    service: &SlaService,
    request: &Request<v1::CountersignEventRequest>,
) -> Answer {
    let caller = service.api.caller(request, Permission::Approve).await?;
    let change = change!("CountersignEvent", request);
    let message = request.get_ref();
    let event = (message.event_id.as_str(), message.party_id.as_str());
    answer_late(service, &caller, request, change, event, true).await
}

/// `RejectEvent`.
pub(super) async fn reject(
    service: &SlaService,
    request: &Request<v1::RejectEventRequest>,
) -> Answer {
    let caller = service.api.caller(request, Permission::Approve).await?;
    let change = change!("RejectEvent", request);
    let message = request.get_ref();
    let event = (message.event_id.as_str(), message.party_id.as_str());
    answer_late(service, &caller, request, change, event, false).await
}

async fn answer_late<M: Message>(
    service: &SlaService,
    caller: &Caller,
    request: &Request<M>,
    change: Change<'_>,
    (event_id, party): (&str, &str),
    counts: bool,
) -> Answer {
    let mut faults = Faults::default();
    let names = change.names(&mut faults);
    faults.take(checked(|violations| {
        require_token(violations, "event_id", event_id, EVENT_ID_BYTES_MAX);
    }));
    let [partnership, ticket] = whole(faults, names)?;
    let command = TicketCommand::AnswerLate(LateAnswer {
        ticket,
        event_id: event_id.to_owned(),
        party: (!party.is_empty()).then(|| PartyId::from_text(party)),
        counts,
    });
    change
        .run(
            service,
            caller,
            request,
            &partnership,
            (command, Vec::new()),
        )
        .await
}

/// The amendments of a ticket as the contract shows them.
pub(super) fn to_amendments(scope: &ScopeId, ticket: &Ticket, texts: &Texts) -> Vec<v1::Amendment> {
    let amendments = ticket.amendments.iter();
    amendments
        .map(|amendment| to_amendment(scope, amendment, texts))
        .collect()
}

fn to_amendment(scope: &ScopeId, amendment: &Amendment, texts: &Texts) -> v1::Amendment {
    use v1::amendment::Content;
    let (content, revision) = match &amendment.content {
        AmendmentContent::AgreedDate(date) => {
            let date = v1::AgreedDate {
                r#type: to_target_type(date.target_type).into(),
                due_time: date.due_at.map(to_timestamp),
            };
            (Content::AgreedDate(date), 0)
        }
        AmendmentContent::Exclusion(exclusion) => {
            let exclusion = v1::Exclusion {
                start_time: Some(to_timestamp(exclusion.from)),
                end_time: Some(to_timestamp(exclusion.to)),
                class_id: exclusion.class.clone().unwrap_or_default(),
                reason: texts.show(exclusion.reason.as_ref()),
            };
            (Content::Exclusion(exclusion), 0)
        }
        AmendmentContent::Agreement(terms) => {
            let name = name_in(scope, "agreements", &terms.agreement);
            (Content::Agreement(name), terms.revision)
        }
    };
    let settled = amendment.settled.as_ref();
    v1::Amendment {
        amendment_id: amendment.id.clone(),
        content: Some(content),
        agreement_revision: i64::from(revision),
        state: to_state(amendment.state()).into(),
        proposer: amendment.proposer.as_str().to_owned(),
        approvals: amendment.approvals.iter().map(to_approval).collect(),
        propose_time: Some(to_timestamp(amendment.proposed_at)),
        effect_time: amendment.counts_from.map(to_timestamp),
        settle_time: settled.map(|settled| to_timestamp(settled.at)),
        settled_by: settled
            .map(|settled| settled.party.as_str().to_owned())
            .unwrap_or_default(),
        settle_reason: texts.show(settled.and_then(|settled| settled.reason.as_ref())),
    }
}

const fn to_state(state: AmendmentState) -> v1::AmendmentState {
    match state {
        AmendmentState::Proposed => v1::AmendmentState::Proposed,
        AmendmentState::Agreed => v1::AmendmentState::Agreed,
        AmendmentState::Asserted => v1::AmendmentState::Asserted,
        AmendmentState::Declined => v1::AmendmentState::Declined,
        AmendmentState::Withdrawn => v1::AmendmentState::Withdrawn,
    }
}

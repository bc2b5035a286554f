//! A ticket as the contract shows it.

use std::collections::HashMap;

use super::amendment::to_amendments;
use super::clock::{Charges, to_clock};
use super::decode;
use super::ticket_event::to_late_event;
use super::words::{count, to_ticket_state};
use crate::api::Api;
use crate::api::convert::{etag, to_reference, to_timestamp};
use crate::api::expectation::convert::{collect_five_w, to_five_w};
use crate::api::listing::name_in;
use crate::api::status::ApiError;
use crate::api::text::Texts;
use crate::api::{Found, Member};
use crate::domain::commitment::Commitment;
use crate::domain::expectation::Expectation;
use crate::domain::identity::{ExternalReference, ScopeId};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::sla::clock::{Priority, TicketState};
use crate::domain::sla::in_force::{PinnedTerms, TermsInForce};
use crate::domain::sla::ticket::Ticket;
use crate::domain::sla::ticket::amendment::Amendment;
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// The commitments behind which a ticket's texts lie.
pub(super) fn commitments(ticket: &Ticket) -> impl Iterator<Item = Commitment> + '_ {
    let amendments = ticket.amendments.iter();
    let reasons = amendments.flat_map(Amendment::commitments);
    let carried = ticket.carried.iter();
    let carried = carried.flat_map(|it| it.destination.iter().chain(&it.note));
    ticket.title.iter().chain(reasons).chain(carried).cloned()
}

/// The expectation of each ticket of which one came, by its id. Where none did, nothing is read.
pub(super) async fn expectations_of(
    api: &Api,
    scope: &ScopeId,
    tickets: impl Iterator<Item = &Ticket>,
) -> Result<HashMap<String, Expectation>, ApiError> {
    let ids = tickets.filter_map(|ticket| ticket.expectation.as_deref());
    let keys: Vec<RecordKey> = ids
        .map(|id| RecordKey::new(scope, Kind::Expectation, id))
        .collect();
    let mut found = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    for row in api.ledger.store().records(&keys).await? {
        let expectation: Found<Expectation> = decode(&row)?;
        found.insert(expectation.id, expectation.state);
    }
    Ok(found)
}

/// The commitments behind which the texts of expectations' answers lie.
pub(super) fn answers<'found>(
    expectations: impl Iterator<Item = &'found Expectation>,
) -> Vec<Commitment> {
    let mut found = Vec::new();
    for expectation in expectations {
        collect_five_w(&expectation.five_w, &mut found);
    }
    found
}

/// Everything that a ticket is shown from.
pub(super) struct TicketView<'view> {
    pub(super) member: &'view Member,
    pub(super) ticket: &'view Found<Ticket>,
    /// Its own first.
    pub(super) terms: Vec<TermsInForce>,
    pub(super) references: Vec<ExternalReference>,
    /// What came of it, by id: its own at least.
    pub(super) expectations: &'view HashMap<String, Expectation>,
    pub(super) texts: &'view Texts,
    pub(super) as_of: Timestamp,
}

impl TicketView<'_> {
    pub(super) fn show(&self) -> v1::Ticket {
        let Found {
            id,
            state: ticket,
            revision,
            created_at,
            updated_at,
        } = self.ticket;
        let partnership = &self.member.partnership;
        let scope = self.member.scope();
        let mut clocks = Vec::new();
        let mut standing = None;
        for terms in &self.terms {
            let evaluation = terms.clocks(ticket, self.as_of);
            let content = &terms.at(self.as_of).content;
            let charges = Charges::new(&partnership.id, &partnership.state, content);
            let shown = evaluation.clocks.iter();
            clocks.extend(shown.map(|clock| to_clock(clock, ticket, terms, &charges, self.as_of)));
            standing = standing.or(Some(evaluation));
        }
        let (state, priority, opened_at) = standing
            .map_or((TicketState::New, None, self.as_of), |evaluation| {
                (evaluation.state, evaluation.priority, evaluation.opened_at)
            });
        let opened_under = PinnedTerms {
            agreement: ticket.agreement.clone(),
            revision: ticket.agreement_revision,
        };
        let own = self
            .terms
            .first()
            .map_or(&opened_under, |terms| &terms.at(self.as_of).terms);
        let merge = ticket.merged_by();
        let merged_into = merge.and_then(|merge| merge.merged_into.as_ref()?.ticket.as_ref());
        let known = ticket.expectation.as_ref();
        let known = known.and_then(|id| self.expectations.get(id));
        let judged = known.and_then(|expectation| expectation.judgement.priority);
        v1::Ticket {
            expectation: self.name_of("expectations", ticket.expectation.as_ref()),
            five_w: known.map(|expectation| to_five_w(&expectation.five_w, self.texts)),
            expectation_priority: judged.map_or(0, |judged| judged.get().into()),
            priorities_differ: judged.is_some() && priority.is_some() && judged != priority,
            name: name_in(&scope, "tickets", id),
            external_references: self.references.iter().map(to_reference).collect(),
            agreement: name_in(&scope, "agreements", &own.agreement),
            agreement_revision: i64::from(own.revision),
            title: self.texts.show(ticket.title.as_ref()),
            redacted_fields: self.texts.redacted_fields(commitments(ticket)),
            state: to_ticket_state(state).into(),
            priority: priority.map_or(0, |priority: Priority| priority.get().into()),
            // While every event is parked, nothing is known of the opening.
            open_time: (!ticket.facts.is_empty()).then(|| to_timestamp(opened_at)),
            event_count: count(ticket.facts.len()),
            parked_count: count(ticket.parked.len()),
            clocks,
            create_time: Some(to_timestamp(*created_at)),
            update_time: Some(to_timestamp(*updated_at)),
            etag: etag(*revision),
            amendments: to_amendments(&scope, ticket, self.texts),
            late_events: ticket.late.iter().map(to_late_event).collect(),
            close_time: ticket
                .closed_with(&partnership.state, self.as_of)
                .map(to_timestamp),
            carried_on: ticket
                .carried
                .as_ref()
                .map(|carried| self.texts.carried_on(carried)),
            merge_time: merge.map(|merge| to_timestamp(merge.occurred_at)),
            merged_into: self.name_of("tickets", merged_into),
        }
    }

    /// The name of another record of the partnership; empty if there is none.
    fn name_of(&self, collection: &str, id: Option<&String>) -> String {
        let scope = self.member.scope();
        id.map(|id| name_in(&scope, collection, id))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::tests::{OPENED, after, in_force, partnership, ticket};
    use super::*;
    use crate::domain::identity::FirmId;

    fn found<T>(id: &str, state: T) -> Found<T> {
        Found {
            id: id.into(),
            state,
            revision: 3,
            created_at: OPENED,
            updated_at: after(50),
        }
    }

    fn member() -> Member {
        let partnership = partnership(2);
        Member {
            party: partnership.parties[0].clone(),
            partnership: found("p", partnership),
        }
    }

    #[test]
    fn a_ticket_is_shown_as_of_an_instant() {
        let member = member();
        let ticket = found("t", ticket());
        let reference = ExternalReference {
            firm: FirmId::operator(),
            system: "halopsa".into(),
            instance: String::new(),
            reference_type: "ticket".into(),
            id: "4711".into(),
        };
        let texts = Texts::default();
        let mut view = TicketView {
            member: &member,
            ticket: &ticket,
            terms: in_force(),
            references: vec![reference],
            expectations: &HashMap::new(),
            texts: &texts,
            as_of: after(45),
        };
        let shown = view.show();
        assert_eq!(shown.name, "partnerships/p/tickets/t");
        assert_eq!(shown.agreement, "partnerships/p/agreements/gold");
        assert_eq!(
            (shown.state(), shown.priority),
            (v1::TicketState::WaitingOnClient, 1)
        );
        assert_eq!(
            (shown.event_count, shown.parked_count, shown.clocks.len()),
            (2, 0, 1)
        );
        assert_eq!(
            (shown.open_time, shown.etag.as_str()),
            (Some(to_timestamp(OPENED)), "\"3\"")
        );
        assert_eq!(shown.external_references[0].id, "4711");
        view.as_of = after(10);
        assert_eq!(view.show().state(), v1::TicketState::New);
    }

    #[test]
    fn a_ticket_of_parked_events_alone_has_no_opening() {
        let member = member();
        let ticket = found(
            "t",
            Ticket {
                facts: Vec::new(),
                ..ticket()
            },
        );
        let texts = Texts::default();
        let view = TicketView {
            member: &member,
            ticket: &ticket,
            terms: in_force(),
            references: Vec::new(),
            expectations: &HashMap::new(),
            texts: &texts,
            as_of: OPENED,
        };
        let shown = view.show();
        assert_eq!(
            (shown.open_time, shown.priority, shown.clocks),
            (None, 0, Vec::new())
        );
    }
}

//! Expectations as the contract shows them.

use super::fulfilment::{to_acceptance, to_dispute, to_fulfilment, to_round};
use super::judgement::{to_basis, to_cost_of_delay, to_feasibility, to_priority};
use super::{clock, fulfilment};
use crate::api::Found;
use crate::api::convert::{etag, to_duration, to_firm, to_money, to_timestamp};
use crate::api::listing::{Shown, Viewer, name_in};
use crate::api::sla::pinned::Pin;
use crate::api::text::Texts;
use crate::domain::commitment::Commitment;
use crate::domain::expectation::clock::DatedAgreement;
use crate::domain::expectation::intake::gaps;
use crate::domain::expectation::{
    Agreed, Expectation, ExpectationState, FiveW, How, ImpactScope, Links, Missing, Offer,
    OfferOutcome, Place, Question, Severity, Statement, What, When, Where, Who,
};
use crate::domain::identity::ScopeId;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::time::Timestamp;
use crate::proto::v1;

impl Shown for Expectation {
    type Message = v1::Expectation;

    const REFERENCED: bool = true;

    fn commitments(&self) -> Vec<Commitment> {
        let mut commitments = Vec::new();
        commitments.extend(self.title.clone());
        collect_five_w(&self.five_w, &mut commitments);
        for offer in &self.offers {
            commitments.extend(offer.message.clone());
            collect_five_w(&offer.five_w, &mut commitments);
        }
        for fulfilment in &self.fulfilments {
            fulfilment::collect(fulfilment, &mut commitments);
        }
        let ends = self.offers.iter().filter_map(|offer| offer.end.as_ref());
        let said = ends.filter_map(|end| end.said.as_ref()).chain(&self.ending);
        commitments.extend(said.filter_map(|statement| statement.text.clone()));
        if let Some(carried) = &self.carried {
            commitments.extend(carried.destination.iter().chain(&carried.note).cloned());
        }
        commitments
    }

    fn calendars(&self) -> Vec<Pin> {
        let dated = DatedAgreement::find(self, None);
        dated.as_ref().and_then(clock::pin).into_iter().collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Expectation {
        let state = &found.state;
        let texts = &viewer.texts;
        let scope = viewer.member.scope();
        let client = state.client.as_ref();
        let missed_at = state.missed_as_of(viewer.now);
        let (five_w, judgement) = state.answers_at(viewer.now);
        v1::Expectation {
            // Looked up where one expectation is answered by itself.
            obligor_coverage: None,
            name: name_in(&scope, "expectations", &found.id),
            title: texts.show(state.title.as_ref()),
            five_w: Some(to_five_w(five_w, texts)),
            state: to_state(state.state_at(viewer.now)).into(),
            obligor: state.obligor.to_string(),
            requester: state.requester.to_string(),
            offers: state
                .offers
                .iter()
                .map(|offer| to_offer(offer, &scope, viewer))
                .collect(),
            unanswered: five_w
                .unanswered()
                .into_iter()
                .map(|question| to_question(question).into())
                .collect(),
            agreed_by_standing_consent: state.agreed().and_then(to_cited_consent),
            agreed_by_guest_link_id: state
                .agreed()
                .and_then(|agreed| agreed.guest_link.clone())
                .unwrap_or_default(),
            agreement: state
                .agreement
                .as_ref()
                .map_or_else(String::new, |id| name_in(&scope, "agreements", id)),
            priority: to_priority(judgement),
            cost_of_delay: judgement.cost_of_delay.as_ref().map(to_cost_of_delay),
            feasibility: judgement.deadline.as_ref().map(to_feasibility),
            judged_by: Some(to_basis(&scope, judgement)),
            gaps: gaps(five_w).into_iter().map(to_gap).collect(),
            agree_time: state.agreed().map(|agreed| to_timestamp(agreed.at)),
            missed_time: missed_at.map(to_timestamp),
            fulfilment: state
                .fulfilment()
                .map(|made| to_fulfilment(&scope, made, texts)),
            acceptance: state
                .acceptance()
                .map(|acceptance| to_acceptance(&scope, acceptance, texts)),
            dispute: state.dispute().map(|dispute| to_dispute(dispute, texts)),
            carried_on: state.carried.as_ref().map(|it| texts.carried_on(it)),
            close_time: state.closed_at.map(to_timestamp),
            ending: state.ending.as_ref().map(|said| to_ending(said, texts)),
            ticket: to_ticket(&scope, &state.links),
            notice_item: to_notice_item(&scope, &state.links),
            client: client.map_or_else(String::new, |id| name_in(&scope, "clients", id)),
            external_references: viewer.references(&found.id),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
            clock: shown_clock(state, viewer),
            agreements: state.agreements.iter().map(to_agreed_offer).collect(),
            fulfilments: state
                .fulfilments
                .iter()
                .map(|fulfilment| to_round(&scope, fulfilment, texts))
                .collect(),
        }
    }
}

fn to_ticket(scope: &ScopeId, links: &Links) -> String {
    let ticket = links.ticket.as_ref();
    ticket.map_or_else(String::new, |id| name_in(scope, "tickets", id))
}

fn to_notice_item(scope: &ScopeId, links: &Links) -> Option<v1::NoticeItem> {
    let item = links.notice_item.as_ref()?;
    Some(v1::NoticeItem {
        notice: name_in(scope, "notices", &item.notice),
        number: to_int32(item.number),
    })
}

/// The clock of the last agreement, by the hours that were loaded for it.
fn shown_clock(state: &Expectation, viewer: &Viewer<'_>) -> Option<v1::ExpectationClock> {
    let dated = DatedAgreement::find(state, None)?;
    let always_open = CompiledCalendar::always_open();
    let calendar = match clock::pin(&dated) {
        Some(pin) => viewer.calendars.get(&pin)?.as_ref(),
        None => &always_open,
    };
    let clock = dated.clock(calendar, viewer.now)?;
    Some(clock::to_clock(&clock))
}

/// The commitments behind which the texts of answers lie.
pub(in crate::api) fn collect_five_w(five_w: &FiveW, commitments: &mut Vec<Commitment>) {
    let texts = [
        &five_w.who.description,
        &five_w.what.description,
        &five_w.when.reason,
        &five_w.r#where.site,
    ];
    commitments.extend(texts.into_iter().flatten().cloned());
    commitments.extend(five_w.how.criteria.iter().cloned());
}

/// Answers as the contract shows them; a question that nobody touched is unset.
pub(in crate::api) fn to_five_w(five_w: &FiveW, texts: &Texts) -> v1::FiveW {
    let FiveW {
        who,
        what,
        when,
        r#where,
        how,
    } = five_w;
    v1::FiveW {
        who: (*who != Who::default()).then(|| v1::Who {
            scope: who.scope.map_or(0, |scope| to_impact_scope(scope).into()),
            people_count: who.people_count.map_or(0, to_int32),
            description: texts.show(who.description.as_ref()),
        }),
        what: (*what != What::default()).then(|| v1::What {
            severity: what
                .severity
                .map_or(0, |severity| to_severity(severity).into()),
            cost_per_hour: what.cost_per_hour.as_ref().map(to_money),
            description: texts.show(what.description.as_ref()),
        }),
        when: (*when != When::default()).then(|| v1::When {
            deadline: when.deadline.map(to_timestamp),
            reason: texts.show(when.reason.as_ref()),
            update_interval: when.update_interval.map(to_duration),
        }),
        r#where: (*r#where != Where::default()).then(|| v1::Where {
            place: r#where.place.map_or(0, |place| to_place(place).into()),
            site: texts.show(r#where.site.as_ref()),
        }),
        how: (*how != How::default()).then(|| v1::How {
            criteria: how
                .criteria
                .iter()
                .map(|criterion| texts.show(Some(criterion)))
                .collect(),
        }),
    }
}

fn to_offer(offer: &Offer, scope: &ScopeId, viewer: &Viewer<'_>) -> v1::Offer {
    let judgement = &offer.judgement;
    let texts = &viewer.texts;
    let end = offer.end.as_ref();
    let said = end.and_then(|end| end.said.as_ref());
    let (outcome, ended_at) = to_outcome(offer, viewer.now);
    v1::Offer {
        number: to_int32(offer.number),
        party_id: offer.party.to_string(),
        firm: offer.firm.scope().to_string(),
        five_w: Some(to_five_w(&offer.five_w, texts)),
        message: texts.show(offer.message.as_ref()),
        offer_time: Some(to_timestamp(offer.offered_at)),
        expire_time: offer.expires_at.map(to_timestamp),
        priority: to_priority(judgement),
        cost_of_delay: judgement.cost_of_delay.as_ref().map(to_cost_of_delay),
        feasibility: judgement.deadline.as_ref().map(to_feasibility),
        judged_by: Some(to_basis(scope, judgement)),
        acknowledges_impossible: offer.acknowledges_impossible,
        outcome: outcome.into(),
        end_time: ended_at.map(to_timestamp),
        ending: said.map(|said| to_ending(said, texts)),
    }
}

/// What has become of an offer, and when.
fn to_outcome(offer: &Offer, now: Timestamp) -> (v1::OfferOutcome, Option<Timestamp>) {
    let Some(end) = &offer.end else {
        return if offer.is_over(now) {
            (v1::OfferOutcome::Expired, offer.expires_at)
        } else {
            (v1::OfferOutcome::Open, None)
        };
    };
    let outcome = match end.outcome {
        OfferOutcome::Agreed => v1::OfferOutcome::Agreed,
        OfferOutcome::Superseded => v1::OfferOutcome::Superseded,
        OfferOutcome::Declined => v1::OfferOutcome::Declined,
        OfferOutcome::Contested => v1::OfferOutcome::Contested,
        OfferOutcome::Withdrawn => v1::OfferOutcome::Withdrawn,
        OfferOutcome::Expired => v1::OfferOutcome::Expired,
    };
    (outcome, Some(end.at))
}

fn to_agreed_offer(agreed: &Agreed) -> v1::AgreedOffer {
    v1::AgreedOffer {
        offer_number: to_int32(agreed.offer_number),
        party_id: agreed.party.to_string(),
        firm: to_firm(agreed.firm.as_ref()),
        agree_time: Some(to_timestamp(agreed.at)),
        missed_time: agreed.missed_at.map(to_timestamp),
    }
}

fn to_cited_consent(agreed: &Agreed) -> Option<v1::CitedConsent> {
    let cited = agreed.standing_consent.as_ref()?;
    Some(v1::CitedConsent {
        consent_id: cited.id.clone(),
        terms_revision: i64::from(cited.terms_revision),
        party_id: agreed.party.to_string(),
    })
}

fn to_ending(said: &Statement, texts: &Texts) -> v1::Ending {
    v1::Ending {
        party_id: said.party.to_string(),
        firm: to_firm(said.firm.as_ref()),
        reason: texts.show(said.text.as_ref()),
        end_time: Some(to_timestamp(said.at)),
        guest_link_id: said.guest_link.clone().unwrap_or_default(),
    }
}

/// Counts here are far below what 32 bits hold.
fn to_int32(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A state as the contract shows it.
pub(super) const fn to_state(state: ExpectationState) -> v1::ExpectationState {
    match state {
        ExpectationState::Draft => v1::ExpectationState::Draft,
        ExpectationState::Asserted => v1::ExpectationState::Asserted,
        ExpectationState::Offered => v1::ExpectationState::Offered,
        ExpectationState::Countered => v1::ExpectationState::Countered,
        ExpectationState::Agreed => v1::ExpectationState::Agreed,
        ExpectationState::Missed => v1::ExpectationState::Missed,
        ExpectationState::Fulfilled => v1::ExpectationState::Fulfilled,
        ExpectationState::Accepted => v1::ExpectationState::Accepted,
        ExpectationState::Disputed => v1::ExpectationState::Disputed,
        ExpectationState::Declined => v1::ExpectationState::Declined,
        ExpectationState::Withdrawn => v1::ExpectationState::Withdrawn,
        ExpectationState::Expired => v1::ExpectationState::Expired,
        ExpectationState::Contested => v1::ExpectationState::Contested,
        ExpectationState::Closed => v1::ExpectationState::Closed,
    }
}

const fn to_question(question: Question) -> v1::Question {
    match question {
        Question::Who => v1::Question::Who,
        Question::What => v1::Question::What,
        Question::When => v1::Question::When,
        Question::Where => v1::Question::Where,
        Question::How => v1::Question::How,
    }
}

fn to_gap(missing: Missing) -> v1::IntakeGap {
    let shown = match missing {
        Missing::Scope => v1::MissingAnswer::Scope,
        Missing::PeopleCount => v1::MissingAnswer::PeopleCount,
        Missing::Severity => v1::MissingAnswer::Severity,
        Missing::CostPerHour => v1::MissingAnswer::CostPerHour,
        Missing::Deadline => v1::MissingAnswer::Deadline,
        Missing::DeadlineReason => v1::MissingAnswer::DeadlineReason,
        Missing::Place => v1::MissingAnswer::Place,
        Missing::Site => v1::MissingAnswer::Site,
        Missing::Criterion => v1::MissingAnswer::Criterion,
    };
    v1::IntakeGap {
        question: to_question(missing.question()).into(),
        missing: shown.into(),
        sentence: missing.sentence().to_owned(),
    }
}

/// A scope as the contract shows it.
pub(in crate::api) const fn to_impact_scope(scope: ImpactScope) -> v1::ImpactScope {
    match scope {
        ImpactScope::OnePerson => v1::ImpactScope::OnePerson,
        ImpactScope::Team => v1::ImpactScope::Team,
        ImpactScope::Site => v1::ImpactScope::Site,
        ImpactScope::Everyone => v1::ImpactScope::Everyone,
    }
}

/// A severity as the contract shows it.
pub(in crate::api) const fn to_severity(severity: Severity) -> v1::Severity {
    match severity {
        Severity::Stopped => v1::Severity::Stopped,
        Severity::Degraded => v1::Severity::Degraded,
    }
}

pub(super) const fn to_place(place: Place) -> v1::Place {
    match place {
        Place::Remote => v1::Place::Remote,
        Place::OnSite => v1::Place::OnSite,
    }
}

#[cfg(test)]
mod tests;

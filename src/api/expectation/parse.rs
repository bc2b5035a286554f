//! Expectations as callers send them: texts are sealed, every fault is noted.

use crate::api::Api;
use crate::api::convert::{known_enum, money, parse_name, span, timestamp};
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::text::Sealer;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::expectation::five_w::CRITERIA_MAX;
use crate::domain::expectation::{
    ExpectationState, FiveW, How, ImpactScope, Links, NOTE_BYTES_MAX, NoticeItem, Place, Severity,
    What, When, Where, Who,
};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::Partnership;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::text::{DISPLAY_NAME_BYTES_MAX, FREE_TEXT_BYTES_MAX};
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// Reads the fields of one request.
#[derive(Debug)]
pub(in crate::api) struct Intake<'api> {
    /// What is wrong with it.
    pub(in crate::api) faults: Faults,
    sealer: Sealer<'api>,
}

impl<'api> Intake<'api> {
    /// An intake whose texts every party may read.
    pub(in crate::api) fn new(api: &'api Api) -> Self {
        Self {
            faults: Faults::default(),
            sealer: Sealer::for_every_party(api),
        }
    }

    /// A line for lists.
    pub(super) fn title(&mut self, text: &str) -> Option<Commitment> {
        self.sealer
            .text("expectation.title", text, DISPLAY_NAME_BYTES_MAX)
    }

    /// A line of text.
    pub(in crate::api) fn line(&mut self, field: &str, text: &str) -> Option<Commitment> {
        self.sealer.text(field, text, DISPLAY_NAME_BYTES_MAX)
    }

    /// An instant that may be left out.
    pub(in crate::api) fn instant(
        &mut self,
        field: &str,
        given: Option<prost_types::Timestamp>,
    ) -> Option<Timestamp> {
        let instant = given.map(|given| timestamp(field, given)).transpose();
        self.faults.take(instant)
    }

    /// Free text that must be given; `None` only if it is at fault.
    pub(in crate::api) fn required_text(&mut self, field: &str, text: &str) -> Option<Commitment> {
        self.faults
            .require(!text.is_empty(), field, "must not be empty");
        self.text(field, text)
    }

    /// A note on a criterion.
    pub(super) fn note(&mut self, field: &str, text: &str) -> Option<Commitment> {
        self.sealer.text(field, text, NOTE_BYTES_MAX)
    }

    /// Free text.
    pub(in crate::api) fn text(&mut self, field: &str, text: &str) -> Option<Commitment> {
        self.sealer.text(field, text, FREE_TEXT_BYTES_MAX)
    }

    /// All five answers; what is unset is unanswered.
    pub(in crate::api) fn five_w(&mut self, field: &str, value: &v1::FiveW) -> FiveW {
        let five_w = FiveW {
            who: self.who(field, value),
            what: self.what(field, value),
            when: self.when(field, value),
            r#where: self.place_of_work(field, value),
            how: self.how(field, value),
        };
        self.check(field, &five_w);
        five_w
    }

    /// Notes what is wrong with answers as a whole, so that it is listed with the rest.
    pub(super) fn check(&mut self, field: &str, five_w: &FiveW) {
        five_w.check(&mut self.sealer.violations, field);
    }

    /// Who is affected.
    pub(super) fn who(&mut self, field: &str, five_w: &v1::FiveW) -> Who {
        let Some(who) = &five_w.who else {
            return Who::default();
        };
        let count = people_count(&format!("{field}.who.people_count"), who.people_count);
        Who {
            scope: self
                .faults
                .take(impact_scope(&format!("{field}.who.scope"), who.scope)),
            people_count: self.faults.take(count),
            description: self.text(&format!("{field}.who.description"), &who.description),
        }
    }

    /// What it does to them.
    pub(super) fn what(&mut self, field: &str, five_w: &v1::FiveW) -> What {
        let Some(what) = &five_w.what else {
            return What::default();
        };
        let cost_field = format!("{field}.what.cost_per_hour");
        let cost = what
            .cost_per_hour
            .as_ref()
            .map(|cost| money(&cost_field, cost));
        What {
            severity: self
                .faults
                .take(severity(&format!("{field}.what.severity"), what.severity)),
            cost_per_hour: self.faults.take(cost.transpose()),
            description: self.text(&format!("{field}.what.description"), &what.description),
        }
    }

    /// When it is needed.
    pub(super) fn when(&mut self, field: &str, five_w: &v1::FiveW) -> When {
        let Some(when) = &five_w.when else {
            return When::default();
        };
        let deadline_field = format!("{field}.when.deadline");
        let deadline = when
            .deadline
            .map(|deadline| timestamp(&deadline_field, deadline));
        let interval_field = format!("{field}.when.update_interval");
        let interval = when.update_interval;
        let interval = interval.map(|interval| span(&interval_field, interval));
        When {
            deadline: self.faults.take(deadline.transpose()),
            reason: self.text(&format!("{field}.when.reason"), &when.reason),
            update_interval: self.faults.take(interval.transpose()),
        }
    }

    /// Where the work has to be done.
    pub(super) fn place_of_work(&mut self, field: &str, five_w: &v1::FiveW) -> Where {
        let Some(r#where) = &five_w.r#where else {
            return Where::default();
        };
        Where {
            place: self
                .faults
                .take(place(&format!("{field}.where.place"), r#where.place)),
            site: self.text(&format!("{field}.where.site"), &r#where.site),
        }
    }

    /// How everybody will know that it is done.
    pub(super) fn how(&mut self, field: &str, five_w: &v1::FiveW) -> How {
        let Some(how) = &five_w.how else {
            return How::default();
        };
        let mut criteria = Vec::new();
        // One too many is enough for it to be noticed.
        for (index, criterion) in how.criteria.iter().take(CRITERIA_MAX + 1).enumerate() {
            let field = format!("{field}.how.criteria[{index}]");
            self.faults
                .require(!criterion.is_empty(), &field, "must not be empty");
            criteria.extend(self.text(&field, criterion));
        }
        How { criteria }
    }

    /// Ends the intake: the openings to send with the command.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub(in crate::api) fn finish(self) -> Result<Vec<Opening>, ApiError> {
        self.faults.finish_sealed(self.sealer)
    }
}

/// The party that has to keep a new expectation: the one named, or the caller's only partner.
pub(super) fn obligor(
    partnership: &Partnership,
    own: &PartyId,
    named: &str,
) -> Result<PartyId, Refusal> {
    if !named.is_empty() {
        return Ok(PartyId::from_text(named));
    }
    let others = partnership.parties.iter();
    let mut others = others.filter(|party| party.id != *own && party.left.is_none());
    if let (Some(other), None) = (others.next(), others.next()) {
        return Ok(other.id.clone());
    }
    let why = "must be given where there are several other parties";
    let field = "expectation.obligor";
    Err(Refusal::field(Reason::InvalidField, field, why))
}

/// A client's id from its name; `None` for an empty one.
pub(in crate::api) fn client(
    field: &str,
    scope: &ScopeId,
    name: &str,
) -> Result<Option<String>, Refusal> {
    neighbour(field, scope, name, "partnerships/*/clients/*")
}

/// An agreement's id from its name; `None` for an empty one.
pub(super) fn agreement(
    field: &str,
    scope: &ScopeId,
    name: &str,
) -> Result<Option<String>, Refusal> {
    neighbour(field, scope, name, "partnerships/*/agreements/*")
}

/// The id of a record of the same partnership from its name; `None` for an empty one.
pub(in crate::api) fn neighbour(
    field: &str,
    scope: &ScopeId,
    name: &str,
    shape: &str,
) -> Result<Option<String>, Refusal> {
    if name.is_empty() {
        return Ok(None);
    }
    let [partnership, id] = parse_name(field, name, shape)?;
    if ScopeId::partnership(&partnership) == *scope {
        return Ok(Some(id));
    }
    let why = "must be of the same partnership";
    Err(Refusal::field(Reason::InvalidField, field, why))
}

/// What a new expectation came of.
pub(super) fn links(intake: &mut Intake<'_>, scope: &ScopeId, given: &v1::Expectation) -> Links {
    let shape = "partnerships/*/tickets/*";
    let ticket = neighbour("expectation.ticket", scope, &given.ticket, shape);
    let ticket = intake.faults.take(ticket);
    let notice_item = given.notice_item.as_ref().and_then(|item| {
        let field = "expectation.notice_item.notice";
        let shape = "partnerships/*/notices/*";
        let missing = || Refusal::field(Reason::InvalidField, field, "is required");
        let notice = neighbour(field, scope, &item.notice, shape);
        let notice = notice.and_then(|notice| notice.ok_or_else(missing));
        let notice = intake.faults.take(notice);
        let number = u32::try_from(item.number).unwrap_or_default();
        let (field, rule) = ("expectation.notice_item.number", "items are counted from 1");
        intake.faults.require(number > 0, field, rule);
        (number > 0).then_some(NoticeItem { notice, number })
    });
    Links {
        ticket,
        notice_item,
    }
}

/// The number of an offer, from 1.
pub(super) fn offer_number(field: &str, number: i32) -> Result<u32, Refusal> {
    u32::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| Refusal::field(Reason::InvalidField, field, "offers are counted from 1"))
}

fn people_count(field: &str, count: i32) -> Result<Option<u32>, Refusal> {
    let negative = |_| Refusal::field(Reason::InvalidField, field, "must not be negative");
    let count = u32::try_from(count).map_err(negative)?;
    Ok((count > 0).then_some(count))
}

/// A scope that may be left out.
pub(in crate::api) fn impact_scope(
    field: &str,
    value: i32,
) -> Result<Option<ImpactScope>, Refusal> {
    let scope = stated::<v1::ImpactScope>(field, value)?;
    Ok(scope.and_then(|scope| match scope {
        v1::ImpactScope::Unspecified => None,
        v1::ImpactScope::OnePerson => Some(ImpactScope::OnePerson),
        v1::ImpactScope::Team => Some(ImpactScope::Team),
        v1::ImpactScope::Site => Some(ImpactScope::Site),
        v1::ImpactScope::Everyone => Some(ImpactScope::Everyone),
    }))
}

/// A severity that may be left out.
pub(in crate::api) fn severity(field: &str, value: i32) -> Result<Option<Severity>, Refusal> {
    let severity = stated::<v1::Severity>(field, value)?;
    Ok(severity.and_then(|severity| match severity {
        v1::Severity::Unspecified => None,
        v1::Severity::Stopped => Some(Severity::Stopped),
        v1::Severity::Degraded => Some(Severity::Degraded),
    }))
}

fn place(field: &str, value: i32) -> Result<Option<Place>, Refusal> {
    let place = stated::<v1::Place>(field, value)?;
    Ok(place.and_then(|place| match place {
        v1::Place::Unspecified => None,
        v1::Place::Remote => Some(Place::Remote),
        v1::Place::OnSite => Some(Place::OnSite),
    }))
}

/// The state that a list is filtered by; `None` for every state.
pub(super) fn state(field: &str, value: i32) -> Result<Option<ExpectationState>, Refusal> {
    let state = stated::<v1::ExpectationState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::ExpectationState::Unspecified => None,
        v1::ExpectationState::Draft => Some(ExpectationState::Draft),
        v1::ExpectationState::Offered => Some(ExpectationState::Offered),
        v1::ExpectationState::Countered => Some(ExpectationState::Countered),
        v1::ExpectationState::Agreed => Some(ExpectationState::Agreed),
        v1::ExpectationState::Fulfilled => Some(ExpectationState::Fulfilled),
        v1::ExpectationState::Accepted => Some(ExpectationState::Accepted),
        v1::ExpectationState::Disputed => Some(ExpectationState::Disputed),
        v1::ExpectationState::Declined => Some(ExpectationState::Declined),
        v1::ExpectationState::Withdrawn => Some(ExpectationState::Withdrawn),
        v1::ExpectationState::Expired => Some(ExpectationState::Expired),
        v1::ExpectationState::Missed => Some(ExpectationState::Missed),
        v1::ExpectationState::Asserted => Some(ExpectationState::Asserted),
        v1::ExpectationState::Contested => Some(ExpectationState::Contested),
        v1::ExpectationState::Closed => Some(ExpectationState::Closed),
    }))
}

/// An enum value that may be left out.
pub(in crate::api) fn stated<E: TryFrom<i32>>(
    field: &str,
    value: i32,
) -> Result<Option<E>, Refusal> {
    if value == 0 {
        return Ok(None);
    }
    known_enum(field, value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::super::convert::to_state;
    use super::*;

    #[test]
    fn every_state_can_be_asked_for_and_shown() {
        assert_eq!(state("state", 0), Ok(None));
        for value in 1..=13 {
            let known = state("state", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        let unknown = state("state", 14).unwrap_err();
        assert_eq!(unknown.reason, Reason::InvalidField);
        assert_eq!(unknown.violations[0].field, "state");
    }

    #[test]
    fn enums_may_be_left_out_but_not_be_unknown() {
        assert_eq!(impact_scope("f", 0), Ok(None));
        assert_eq!(impact_scope("f", 4), Ok(Some(ImpactScope::Everyone)));
        assert_eq!(severity("f", 1), Ok(Some(Severity::Stopped)));
        assert_eq!(place("f", 2), Ok(Some(Place::OnSite)));
        assert!(impact_scope("f", 5).is_err() && severity("f", 3).is_err());
        assert!(place("f", -1).is_err());
    }

    #[test]
    fn counts_begin_where_the_contract_says() {
        assert_eq!(people_count("f", 0), Ok(None));
        assert_eq!(people_count("f", 3), Ok(Some(3)));
        assert!(people_count("f", -1).is_err());
        assert_eq!(offer_number("f", 1), Ok(1));
        assert!(offer_number("f", 0).is_err() && offer_number("f", -1).is_err());
    }

    #[test]
    fn clients_are_of_the_same_partnership() {
        let scope = ScopeId::partnership("p1");
        let read = |name: &str| client("expectation.client", &scope, name);
        assert_eq!(read(""), Ok(None));
        assert_eq!(
            read("partnerships/p1/clients/c1"),
            Ok(Some("c1".to_owned()))
        );
        for bad in [
            "c1",
            "partnerships/p2/clients/c1",
            "partnerships/p1/tickets/c1",
        ] {
            let refusal = read(bad).unwrap_err();
            assert_eq!(refusal.violations[0].field, "expectation.client", "{bad}");
        }
    }
}

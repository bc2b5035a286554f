//! Between whom an expectation is, where a partnership has more parties than two.

use super::{Expectation, ExpectationState, OfferOutcome, clock};
use crate::domain::identity::PartyId;
use crate::domain::time::Timestamp;

impl Expectation {
    /// What is neither accepted nor over by `at` is closed; a deadline missed before stays missed.
    pub(super) fn close_with_partnership(&mut self, at: Timestamp) {
        use ExpectationState as State;
        let state = self.state_at(at);
        let is_over = matches!(
            state,
            State::Accepted
                | State::Declined
                | State::Withdrawn
                | State::Expired
                | State::Contested
                | State::Closed
        );
        if is_over || self.carried.is_some() {
            return;
        }
        let is_missed = self.owes_work() && clock::is_missed(self, at);
        let missed_at = self.deadline().filter(|_| is_missed);
        if let (Some(missed_at), Some(agreed)) = (missed_at, self.agreements.last_mut()) {
            agreed.missed_at = Some(missed_at);
        }
        if state.awaits_answer() {
            // Nobody can answer it any more.
            self.end_offer(OfferOutcome::Expired, at, None);
        }
        self.state = State::Closed;
        self.closed_at = Some(at);
    }

    /// Whether it is `party`'s matter: it asks or owes. What a party promises by itself is open to
    /// every other party until one of them has answered, and then between these two.
    #[must_use]
    pub fn is_matter_of(&self, party: &PartyId) -> bool {
        if [&self.requester, &self.obligor].contains(&party) {
            return true;
        }
        self.requester == self.obligor && self.answerer().is_none_or(|other| other == party)
    }

    /// Whether a guest agreed in the place of a firm that had not joined, and nothing was done since:
    /// the firm may endorse it when it joins, or contest it.
    #[must_use]
    pub fn awaits_endorsement(&self) -> bool {
        let is_agreed = matches!(
            self.state,
            ExpectationState::Agreed | ExpectationState::Missed
        );
        let agreed = self.agreed();
        is_agreed && self.fulfilments.is_empty() && agreed.is_some_and(|it| it.firm.is_none())
    }

    /// The party other than the requester that first made an offer or agreed to one.
    fn answerer(&self) -> Option<&PartyId> {
        let offers = self.offers.iter().map(|offer| &offer.party);
        let agreed = self.agreements.iter().map(|agreed| &agreed.party);
        offers.chain(agreed).find(|party| **party != self.requester)
    }
}

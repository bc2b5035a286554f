//! Between whom an expectation is, where a partnership has more parties than two.

use super::{Expectation, ExpectationState, clock};
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
        // What was agreed and is not done by then was missed by then, or never.
        let missed_at = self
            .deadline()
            .filter(|_| self.owes_work() && clock::is_missed(self, at));
        if let Some(agreed) = self.agreements.last_mut() {
            agreed.missed_at = agreed.missed_at.or(missed_at);
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

    /// The party other than the requester that first made an offer or agreed to one.
    fn answerer(&self) -> Option<&PartyId> {
        let offers = self.offers.iter().map(|offer| &offer.party);
        let agreed = self.agreements.iter().map(|agreed| &agreed.party);
        offers.chain(agreed).find(|party| **party != self.requester)
    }
}

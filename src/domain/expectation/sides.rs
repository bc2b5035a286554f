//! Between whom an expectation is, where a partnership has more parties than two.

use super::{Expectation, ExpectationState};
use crate::domain::identity::PartyId;

impl Expectation {
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

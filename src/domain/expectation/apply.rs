//! What events make of an expectation.

use super::fulfilment::{Acceptance, Dispute, Fulfilment};
use super::offers::{Agreed, Offer, OfferEnd, OfferOutcome, Statement};
use super::{
    Expectation, ExpectationAgreed, ExpectationCreated, ExpectationEvent, ExpectationState,
    FulfilmentAccepted, FulfilmentDisputed, FulfilmentMade, Links, OfferMade, StatementMade, clock,
};
use crate::domain::aggregate::{Aggregate, Recorded};
use crate::domain::time::Timestamp;

impl Aggregate for Expectation {
    type Event = ExpectationEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &ExpectationEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, ExpectationEvent::Created(created)) => Some(Self::created(created)),
            (Some(expectation), event) => expectation.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        self.close_with_partnership(at);
    }

    /// The first instant at which the last offer is over, or the deadline behind us.
    fn due_at(&self) -> Option<Timestamp> {
        let offer_ends = match self.state {
            ExpectationState::Offered | ExpectationState::Countered => {
                self.offers.last().and_then(|offer| offer.expires_at)
            }
            _ => None,
        };
        let instants = offer_ends.into_iter().chain(clock::miss_due_at(self));
        instants.min()
    }
}

impl Expectation {
    fn created(created: &ExpectationCreated) -> Self {
        Self {
            title: created.title.clone(),
            state: ExpectationState::Draft,
            requester: created.requester.clone(),
            obligor: created.obligor.clone(),
            client: created.client.clone(),
            agreement: created.agreement.clone(),
            five_w: created.five_w.clone(),
            judgement: created.judgement.clone(),
            offers: Vec::new(),
            agreements: Vec::new(),
            fulfilments: Vec::new(),
            ending: None,
            carried: None,
            closed_at: None,
            links: Links::default(),
        }
    }

    /// The state after `event`, which leads to another one from states that it may follow.
    fn changed(mut self, event: &ExpectationEvent, recorded: &Recorded) -> Option<Self> {
        let after = self.negotiated(event, recorded);
        self.state = match after {
            None => self.worked(event, recorded)?,
            Some(after) => after,
        };
        Some(self)
    }

    /// Where drafts and offers lead; each arm names the states that it may follow.
    fn negotiated(
        &mut self,
        event: &ExpectationEvent,
        recorded: &Recorded,
    ) -> Option<ExpectationState> {
        use ExpectationState as State;
        let before = self.state;
        Some(match event {
            ExpectationEvent::Updated(updated) if before == State::Draft => {
                self.title.clone_from(&updated.title);
                self.five_w.clone_from(&updated.five_w);
                self.judgement.clone_from(&updated.judgement);
                State::Draft
            }
            ExpectationEvent::Linked(links) if before == State::Draft => {
                self.links.clone_from(links);
                State::Draft
            }
            ExpectationEvent::Asserted(offer) if before == State::Draft => {
                self.add_offer(offer, recorded)?;
                State::Asserted
            }
            ExpectationEvent::Offered(offer) if before == State::Draft => {
                self.add_offer(offer, recorded)?;
                State::Offered
            }
            ExpectationEvent::Countered(offer)
                if before.awaits_answer() || before == State::Disputed =>
            {
                if before.awaits_answer() {
                    self.end_offer(OfferOutcome::Superseded, recorded.at, None);
                }
                self.add_offer(offer, recorded)?;
                State::Countered
            }
            ExpectationEvent::Agreed(agreed) if before.awaits_answer() => {
                self.end_offer(OfferOutcome::Agreed, recorded.at, None);
                self.agree(agreed, None, recorded)?;
                State::Agreed
            }
            // The firm that joined stands by what a guest agreed to in its place.
            ExpectationEvent::Agreed(agreed) if self.awaits_endorsement() => {
                let by_guest = self.agreements.pop()?;
                self.agree(agreed, by_guest.missed_at, recorded)?;
                before
            }
            ExpectationEvent::Declined(said) if before.awaits_answer() => {
                self.end(said, OfferOutcome::Declined, State::Declined, recorded)?
            }
            ExpectationEvent::Contested(said)
                if before == State::Asserted || self.awaits_endorsement() =>
            {
                // What a guest agreed to in the place of a firm, the firm denies with the rest.
                self.agreements.clear();
                self.end(said, OfferOutcome::Contested, State::Contested, recorded)?
            }
            ExpectationEvent::Withdrawn(said)
                if before.awaits_answer() || before == State::Draft =>
            {
                self.end(said, OfferOutcome::Withdrawn, State::Withdrawn, recorded)?
            }
            ExpectationEvent::Expired(expired)
                if matches!(before, State::Offered | State::Countered) =>
            {
                self.end_offer(OfferOutcome::Expired, expired.expired_at, None);
                self.without_the_offer(State::Expired)
            }
            _ => return None,
        })
    }

    /// Where work and its deadline lead; each arm names the states that it may follow.
    fn worked(
        &mut self,
        event: &ExpectationEvent,
        recorded: &Recorded,
    ) -> Option<ExpectationState> {
        use ExpectationState as State;
        let before = self.state;
        Some(match event {
            ExpectationEvent::Missed(missed) if self.owes_work() => {
                self.agreements.last_mut()?.missed_at = Some(missed.missed_at);
                if before == State::Agreed {
                    State::Missed
                } else {
                    before
                }
            }
            ExpectationEvent::Fulfilled(made) if before.awaits_work() => {
                self.fulfil(made, recorded)?;
                State::Fulfilled
            }
            ExpectationEvent::Accepted(accepted)
                if matches!(before, State::Fulfilled | State::Disputed) =>
            {
                self.accept(accepted, recorded)?;
                State::Accepted
            }
            ExpectationEvent::MissRevised(_) if before == State::Accepted => {
                self.agreements.last_mut()?.missed_at.take()?;
                State::Accepted
            }
            ExpectationEvent::Disputed(disputed) if before == State::Fulfilled => {
                self.dispute_work(disputed, recorded)?;
                State::Disputed
            }
            ExpectationEvent::Carried(carried) => {
                self.carried = Some(carried.clone());
                before
            }
            ExpectationEvent::Closed(closed) => {
                self.close_with_partnership(closed.at);
                self.state
            }
            _ => return None,
        })
    }

    /// Whether work was agreed that is neither done nor recorded as late.
    pub(super) fn owes_work(&self) -> bool {
        let open = match self.state {
            ExpectationState::Agreed | ExpectationState::Disputed => true,
            state => state.awaits_answer(),
        };
        open && self
            .agreed()
            .is_some_and(|agreed| agreed.missed_at.is_none())
    }

    pub(super) fn end_offer(
        &mut self,
        outcome: OfferOutcome,
        at: Timestamp,
        said: Option<Statement>,
    ) {
        if let Some(offer) = self.offers.last_mut() {
            offer.end = Some(OfferEnd { outcome, at, said });
        }
    }

    /// The last offer, or the draft, came to nothing; with it the expectation, unless one was agreed
    /// before.
    fn end(
        &mut self,
        said: &StatementMade,
        outcome: OfferOutcome,
        ended: ExpectationState,
        recorded: &Recorded,
    ) -> Option<ExpectationState> {
        let statement = Statement::of(&said.party, said.text.as_ref(), recorded)?;
        if self.agreements.is_empty() {
            self.ending = Some(statement.clone());
        }
        self.end_offer(outcome, recorded.at, Some(statement));
        Some(self.without_the_offer(ended))
    }

    fn add_offer(&mut self, made: &OfferMade, recorded: &Recorded) -> Option<()> {
        self.five_w = made.five_w.clone();
        self.judgement = made.judgement.clone();
        self.offers.push(Offer {
            number: made.number,
            party: made.party.clone(),
            firm: recorded.firm.clone()?,
            five_w: made.five_w.clone(),
            message: made.message.clone(),
            offered_at: recorded.at,
            expires_at: made.expires_at,
            judgement: made.judgement.clone(),
            acknowledges_impossible: made.acknowledges_impossible,
            end: None,
        });
        Some(())
    }

    fn agree(
        &mut self,
        agreed: &ExpectationAgreed,
        missed_at: Option<Timestamp>,
        recorded: &Recorded,
    ) -> Option<()> {
        recorded.by_somebody()?;
        // Whoever agreed beforehand is not the firm that acts now.
        let firm = match &agreed.standing_consent {
            Some(cited) => Some(cited.firm.clone()),
            None => recorded.firm.clone(),
        };
        self.agreements.push(Agreed {
            offer_number: agreed.offer_number,
            party: agreed.party.clone(),
            firm,
            guest_link: recorded.guest_link(),
            at: recorded.at,
            standing_consent: agreed.standing_consent.clone(),
            acknowledges_impossible: agreed.acknowledges_impossible,
            judgement: agreed.judgement.clone(),
            missed_at,
        });
        self.judgement = agreed.judgement.clone();
        Some(())
    }

    fn fulfil(&mut self, made: &FulfilmentMade, recorded: &Recorded) -> Option<()> {
        let number = u32::try_from(self.fulfilments.len() + 1).ok()?;
        self.fulfilments.push(Fulfilment {
            number,
            offer_number: self.agreed()?.offer_number,
            statement: Statement::of(&made.party, made.message.as_ref(), recorded)?,
            shown: made.shown.clone(),
            dispute: None,
            acceptance: None,
        });
        Some(())
    }

    fn accept(&mut self, accepted: &FulfilmentAccepted, recorded: &Recorded) -> Option<()> {
        let statement = Statement::of(&accepted.party, accepted.message.as_ref(), recorded)?;
        self.fulfilments.last_mut()?.acceptance = Some(Acceptance {
            statement,
            shown: accepted.shown.clone(),
            on_behalf_of_client: accepted.on_behalf_of_client,
        });
        Some(())
    }

    fn dispute_work(&mut self, disputed: &FulfilmentDisputed, recorded: &Recorded) -> Option<()> {
        let statement = Statement::of(&disputed.party, disputed.reason.as_ref(), recorded)?;
        self.fulfilments.last_mut()?.dispute = Some(Dispute {
            statement,
            criteria: disputed.criteria.clone(),
        });
        Some(())
    }
}

//! The life of an expectation between two parties.

use entente::domain::refusal::Reason;
use entente::domain::time::Timestamp;

use super::deeds::ExpectationDeed;
use super::partnership::PartnershipLife;
use super::rules::Answer;

/// What must have been seen.
pub const ANSWERS: &[(&str, &str)] = &[
    ("Draft from nothing", "ok"),
    ("Draft from draft", "ALREADY_EXISTS"),
    ("Draft from nothing", "NOT_FOUND"),
    ("Draft from nothing", "PARTNERSHIP_ENDED"),
    ("Offer from nothing", "NOT_FOUND"),
    ("Update from draft", "ok"),
    ("Update from draft", "NOT_YOUR_OFFER"),
    ("Update from agreed", "INVALID_STATE"),
    ("Offer from draft", "ok"),
    ("Offer from draft", "NOT_YOUR_OFFER"),
    ("Offer from draft", "INVALID_FIELD"),
    ("Offer from offered", "INVALID_STATE"),
    ("Counter from asserted", "NOT_YOUR_OFFER"),
    ("Counter from offered", "ok"),
    ("Counter from offered", "NOT_YOUR_OFFER"),
    ("Counter from countered", "ok"),
    ("Counter from expired", "OFFER_EXPIRED"),
    ("Agree from asserted", "ok"),
    ("Agree from asserted", "OFFER_EXPIRED"),
    ("Agree from offered", "ok"),
    ("Agree from offered", "NOT_YOUR_OFFER"),
    ("Agree from countered", "INVALID_STATE"),
    ("Agree from expired", "OFFER_EXPIRED"),
    ("Decline from offered", "ok"),
    ("Decline from countered", "NOT_YOUR_OFFER"),
    ("Contest from asserted", "ok"),
    ("Contest from asserted", "NOT_YOUR_OFFER"),
    ("Contest from offered", "INVALID_STATE"),
    ("Withdraw from draft", "ok"),
    ("Withdraw from offered", "ok"),
    ("Withdraw from offered", "NOT_YOUR_OFFER"),
    ("Withdraw from expired", "OFFER_EXPIRED"),
    ("Fulfil from agreed", "ok"),
    ("Fulfil from agreed", "INVALID_STATE"),
    ("Fulfil from missed", "ok"),
    ("Fulfil from offered", "INVALID_STATE"),
    ("Accept from fulfilled", "ok"),
    ("Accept from fulfilled", "SAME_FIRM_MAY_NOT_ACCEPT"),
    ("Accept from agreed", "INVALID_STATE"),
    ("Dispute from fulfilled", "ok"),
    ("Dispute from fulfilled", "SAME_FIRM_MAY_NOT_ACCEPT"),
    ("Fulfil from disputed", "ok"),
    ("Accept from disputed", "ok"),
    ("Accept from disputed", "SAME_FIRM_MAY_NOT_ACCEPT"),
    ("Counter from disputed", "ok"),
    ("Agree from disputed", "INVALID_STATE"),
];

/// How far an expectation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Draft,
    Asserted,
    Offered,
    Countered,
    Agreed,
    Missed,
    Fulfilled,
    Accepted,
    Disputed,
    Declined,
    Withdrawn,
    Expired,
    Contested,
    Closed,
}

/// The last offer.
#[derive(Clone, Copy, Debug)]
struct Last {
    party: usize,
    number: usize,
    expires_at: Timestamp,
}

/// An expectation as the rules tell it.
#[derive(Clone, Copy, Debug)]
pub struct ExpectationLife {
    phase: Phase,
    requester: usize,
    obligor: usize,
    deadline: Timestamp,
    /// The deadline that was agreed last.
    agreed: Option<Timestamp>,
    last: Option<Last>,
    /// Whether the last offer ran out unanswered.
    ran_out: bool,
    /// Who contested it.
    contester: Option<usize>,
}

impl ExpectationLife {
    /// Number of the last offer.
    pub fn offers(&self) -> usize {
        self.last.map_or(0, |last| last.number)
    }

    fn at(&self, now: Timestamp) -> Phase {
        match self.phase {
            _ if self.runs_out(now) => self.without_the_offer(Phase::Expired),
            Phase::Agreed if self.agreed.is_some_and(|deadline| deadline < now) => Phase::Missed,
            phase => phase,
        }
    }

    fn runs_out(&self, now: Timestamp) -> bool {
        matches!(self.phase, Phase::Offered | Phase::Countered)
            && self.last.is_some_and(|last| last.expires_at <= now)
    }

    /// A revised offer that comes to nothing leaves what was agreed before, and disputed.
    fn without_the_offer(&self, ended: Phase) -> Phase {
        if self.agreed.is_some() {
            Phase::Disputed
        } else {
            ended
        }
    }

    pub fn state_at(&self, now: Timestamp) -> &'static str {
        match self.at(now) {
            Phase::Draft => "draft",
            Phase::Asserted => "asserted",
            Phase::Offered => "offered",
            Phase::Countered => "countered",
            Phase::Agreed => "agreed",
            Phase::Missed => "missed",
            Phase::Fulfilled => "fulfilled",
            Phase::Accepted => "accepted",
            Phase::Disputed => "disputed",
            Phase::Declined => "declined",
            Phase::Withdrawn => "withdrawn",
            Phase::Expired => "expired",
            Phase::Contested => "contested",
            Phase::Closed => "closed",
        }
    }

    /// Its partnership ended.
    pub fn close(&mut self, now: Timestamp) {
        self.phase = match self.at(now) {
            Phase::Accepted
            | Phase::Declined
            | Phase::Withdrawn
            | Phase::Expired
            | Phase::Contested => self.at(now),
            _ => Phase::Closed,
        };
    }

    pub fn take(
        life: &mut Option<Self>,
        deed: ExpectationDeed,
        party: usize,
        partnership: &PartnershipLife,
        now: Timestamp,
    ) -> Answer {
        let Some(known) = life else {
            let ExpectationDeed::Draft { obligor, deadline } = deed else {
                return Err(Reason::NotFound);
            };
            *life = Some(Self {
                phase: Phase::Draft,
                requester: party,
                obligor,
                deadline,
                agreed: None,
                last: None,
                ran_out: false,
                contester: None,
            });
            return Ok(());
        };
        known.ran_out |= known.runs_out(now);
        known.phase = known.at(now);
        match deed {
            ExpectationDeed::Draft { .. } => Err(Reason::AlreadyExists),
            ExpectationDeed::Update { deadline } => {
                known.own_draft(party)?;
                known.deadline = deadline;
                Ok(())
            }
            ExpectationDeed::Offer => known.offer(party, partnership, now),
            ExpectationDeed::Counter { deadline } => {
                if known.phase != Phase::Disputed {
                    known.answer(party, now)?;
                }
                known.make(party, deadline, partnership, now)?;
                known.phase = Phase::Countered;
                Ok(())
            }
            ExpectationDeed::Agree { number } => {
                let last = known.open()?;
                if last.number != number {
                    return Err(Reason::InvalidState);
                }
                known.answer(party, now)?;
                known.agreed = Some(known.deadline);
                known.phase = Phase::Agreed;
                Ok(())
            }
            ExpectationDeed::Decline => {
                known.answer(party, now)?;
                known.phase = known.without_the_offer(Phase::Declined);
                Ok(())
            }
            ExpectationDeed::Contest => known.contest(party),
            ExpectationDeed::Withdraw => known.withdraw(party),
            ExpectationDeed::Fulfil => known.fulfil(party),
            ExpectationDeed::Accept => known.judge(party, Phase::Accepted),
            ExpectationDeed::Dispute => known.judge(party, Phase::Disputed),
        }
    }

    fn own_draft(&self, party: usize) -> Answer {
        match self.phase {
            Phase::Draft if self.requester == party => Ok(()),
            Phase::Draft => Err(Reason::NotYourOffer),
            _ => Err(Reason::InvalidState),
        }
    }

    fn offer(&mut self, party: usize, partnership: &PartnershipLife, now: Timestamp) -> Answer {
        self.own_draft(party)?;
        self.make(party, self.deadline, partnership, now)?;
        self.phase = if partnership.has_borealis {
            Phase::Offered
        } else {
            // Nobody can answer: only the deadline makes it old.
            self.last = self.last.map(|last| Last {
                expires_at: self.deadline,
                ..last
            });
            Phase::Asserted
        };
        Ok(())
    }

    fn make(
        &mut self,
        party: usize,
        deadline: Timestamp,
        partnership: &PartnershipLife,
        now: Timestamp,
    ) -> Answer {
        if deadline <= now {
            return Err(Reason::InvalidField);
        }
        let expiry = now.saturating_add(partnership.offer_validity());
        self.deadline = deadline;
        self.ran_out = false;
        self.last = Some(Last {
            party,
            number: self.offers() + 1,
            expires_at: expiry.min(deadline),
        });
        Ok(())
    }

    /// The offer that waits for an answer.
    fn open(&self) -> Result<Last, Reason> {
        match (self.phase, self.last) {
            (Phase::Asserted | Phase::Offered | Phase::Countered, Some(last)) => Ok(last),
            _ if self.ran_out => Err(Reason::OfferExpired),
            _ => Err(Reason::InvalidState),
        }
    }

    /// It waits, in time, for this party.
    fn answer(&self, party: usize, now: Timestamp) -> Answer {
        let last = self.open()?;
        if last.expires_at <= now {
            return Err(Reason::OfferExpired);
        }
        if last.party == party {
            return Err(Reason::NotYourOffer);
        }
        Ok(())
    }

    fn contest(&mut self, party: usize) -> Answer {
        if self.phase == Phase::Contested && self.contester == Some(party) {
            return Ok(());
        }
        if self.phase != Phase::Asserted {
            return Err(Reason::InvalidState);
        }
        if self.last.is_some_and(|last| last.party == party) {
            return Err(Reason::NotYourOffer);
        }
        self.phase = Phase::Contested;
        self.contester = Some(party);
        Ok(())
    }

    fn withdraw(&mut self, party: usize) -> Answer {
        if self.phase == Phase::Draft {
            self.own_draft(party)?;
        } else if self.open()?.party != party {
            return Err(Reason::NotYourOffer);
        }
        self.phase = self.without_the_offer(Phase::Withdrawn);
        Ok(())
    }

    fn fulfil(&mut self, party: usize) -> Answer {
        let owed = matches!(self.phase, Phase::Agreed | Phase::Missed | Phase::Disputed);
        if !owed || self.obligor != party {
            return Err(Reason::InvalidState);
        }
        self.phase = Phase::Fulfilled;
        Ok(())
    }

    fn judge(&mut self, party: usize, verdict: Phase) -> Answer {
        // A dispute may be given up.
        let given_up = self.phase == Phase::Disputed && verdict == Phase::Accepted;
        if self.phase != Phase::Fulfilled && !given_up {
            return Err(Reason::InvalidState);
        }
        if self.obligor == party {
            return Err(Reason::SameFirmMayNotAccept);
        }
        self.phase = verdict;
        Ok(())
    }
}

//! Joint quotes: what several firms offer one client together, and who bears which part of what
//! they concede on it.
//!
//! A quote is made of portions, each owned by one party. A concession is proposed for the whole
//! quote, always as the total so far, and is divided over the portions at once, exactly to the
//! minor unit. It counts when every party approved the hash of exactly that division. Internal
//! costs never come here: a portion only carries a commitment to its cost.
//!
//! At most one revision of the concession is open (waits for an answer), and at most one is in
//! force (approved). As soon as one is in force, the portions are frozen.

pub mod agreed;
mod answers;
pub mod basis;
pub mod blind;
mod clauses;
pub mod cost;
mod decide;
pub mod disclosure;
pub mod evaluation;
pub mod fractions;
pub mod funding;
pub mod inference;
pub mod kept;
pub mod portion;
mod portion_check;
mod portions;
pub mod proposal;
mod refused;
pub mod revision;
pub mod sale;
pub mod sealed;
pub mod signature;
pub mod split;
pub mod standing;
mod subject;
mod update;

use serde::{Deserialize, Serialize};

use super::money::Currency;
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::identity::PartyId;
use crate::domain::partnership::Approval;
use crate::domain::partnership::ending::ClosedWithPartnership;
use crate::domain::time::Timestamp;
use sale::{ConcessionReversed, QuoteLost, QuoteWon, Sale};

pub use answers::{ConcessionExpired, ConcessionRejected, ConcessionWithdrawn, QuoteExpired};
pub use basis::Basis;
pub use clauses::{Figure, figures};
pub use decide::{Extras, QuoteCommand, decide, decide_as, tick};
pub use disclosure::DisclosureConsentChanged;
pub use evaluation::{ConcessionEvaluated, EvaluationCount};
pub use funding::{NegotiationRound, VendorMoney};
pub use portion::{Cadence, Portion};
pub use portion_check::{Describer, portion_faults};
pub use portions::NewPortion;
pub use proposal::{NewConcession, Proposal};
pub use revision::{ConcessionRevision, Rejection, RevisionState};
pub use signature::{ApprovalSignature, ConcessionSigned};
pub use split::{CadenceSplit, ConcessionSplit, Line, OpenLine, Outcome};
pub use standing::StandingApproval;
pub use update::QuoteChanges;

/// Most portions of one quote.
pub const PORTIONS_MAX: usize = 200;
/// Most revisions of one quote's concession.
pub const REVISIONS_MAX: usize = 1_000;
/// Most lines in all divisions of one quote together, where a line is a portion's share in one
/// revision, or what its proposal states for a portion, a party or a vendor. It bounds the stored
/// record to less than 4 MiB: by price, 200 portions leave room for 40 revisions, 8 for 1,000.
pub const ALLOCATION_LINES_MAX: usize = 8_000;

// Every portion is one part of an allocation.
const _: () = assert!(PORTIONS_MAX <= super::allocation::PARTS_MAX);

/// Whether a quote can still be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteState {
    /// It can.
    Open,
    /// Its time ran out.
    Expired,
    /// The client bought.
    Won,
    /// The client did not.
    Lost,
}

impl QuoteState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expired => "expired",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// An offer of several parties to one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JointQuote {
    /// Its name for people.
    pub display_name: String,
    /// The client, if one is named.
    pub client: Option<String>,
    /// The currency of every amount in it, with the exponent of the day it was created.
    pub currency: Currency,
    /// From when on it no longer stands.
    pub expires_at: Timestamp,
    /// As last recorded; [`Self::state_at`] also knows what time did since.
    pub state: QuoteState,
    /// What it is made of, ordered by id.
    pub portions: Vec<Portion>,
    /// What vendors would pay of a concession.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vendor_funds: Vec<VendorMoney>,
    /// What was proposed to be conceded, oldest first; numbered from 1.
    pub revisions: Vec<ConcessionRevision>,
    /// What became of it.
    #[serde(default)]
    pub sale: Sale,
    /// The parties that consented to what divisions by costs tell the other one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disclosure_consents: Vec<Approval>,
    /// How many alternatives each party evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<EvaluationCount>,
}

impl JointQuote {
    /// The state at `now`, whether or not its end was recorded yet.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> QuoteState {
        if self.state == QuoteState::Open && now >= self.expires_at {
            QuoteState::Expired
        } else {
            self.state
        }
    }

    /// The revision recorded as waiting for an answer.
    #[must_use]
    pub fn open(&self) -> Option<&ConcessionRevision> {
        self.revisions
            .iter()
            .rev()
            .find(|revision| revision.state.is_open())
    }

    /// The revision that waits for an answer and can still get one at `now`.
    #[must_use]
    pub fn open_at(&self, now: Timestamp) -> Option<&ConcessionRevision> {
        self.open().filter(|open| now < open.expires_at)
    }

    /// The revision that every party approved and none replaced.
    #[must_use]
    pub fn in_force(&self) -> Option<&ConcessionRevision> {
        self.revisions
            .iter()
            .rev()
            .find(|revision| revision.state == RevisionState::Approved)
    }

    /// The revision of that number.
    #[must_use]
    pub fn revision(&self, number: u32) -> Option<&ConcessionRevision> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.revisions.get(index)
    }

    /// Whether it has a portion of that id.
    #[must_use]
    pub fn has(&self, portion_id: &str) -> bool {
        let mut portions = self.portions.iter();
        portions.any(|portion| portion.id == portion_id)
    }

    /// Its portions that are due at `cadence`.
    pub fn of(&self, cadence: Cadence) -> impl Iterator<Item = &Portion> {
        let portions = self.portions.iter();
        portions.filter(move |portion| portion.cadence() == cadence)
    }

    /// The hash that the next revision links to: the last one's, or [`split::FIRST_PREVIOUS_HASH`].
    #[must_use]
    pub fn last_hash(&self) -> &str {
        self.revisions
            .last()
            .map_or(split::FIRST_PREVIOUS_HASH, |revision| {
                revision.split.hash.as_str()
            })
    }

    /// Lines in all allocations so far, as [`ALLOCATION_LINES_MAX`] counts them.
    #[must_use]
    pub fn allocation_lines(&self) -> usize {
        self.revisions
            .iter()
            .map(|revision| revision.split.line_count())
            .sum()
    }
}

/// The quote came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteCreated {
    /// Its name for people.
    pub display_name: String,
    /// The client, if one is named.
    pub client: Option<String>,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// From when on it no longer stands.
    pub expires_at: Timestamp,
    /// Its first portions, ordered by id.
    pub portions: Vec<Portion>,
    /// What vendors would pay of a concession.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vendor_funds: Vec<VendorMoney>,
}

/// What changes no money was changed: no division is touched by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteUpdated {
    /// Its new name for people, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// From when on it no longer stands, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What vendors would pay of a concession, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_funds: Option<Vec<VendorMoney>>,
}

/// A portion became part of the quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortionAdded {
    /// The portion.
    pub portion: Portion,
    /// Number of the open revision, which no longer divides the whole.
    pub superseded: Option<u32>,
}

/// A concession was proposed and divided. The proposal carries its maker's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionProposed {
    /// By which party.
    pub proposer: PartyId,
    /// What is proposed, divided and hashed.
    pub split: ConcessionSplit,
    /// From when on it can no longer be answered.
    pub expires_at: Timestamp,
    /// How far it got with its maker's approval alone.
    pub state: RevisionState,
    /// Numbers of the revisions that it replaces.
    pub superseded: Vec<u32>,
    /// Who agreed beforehand, and by which standing consent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreed_beforehand: Vec<StandingApproval>,
}

/// A party approved the open revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionApproved {
    /// Which party.
    pub party: PartyId,
    /// The revision's number.
    pub number: u32,
    /// What it approved.
    pub hash: String,
    /// How far the revision got by it.
    pub state: RevisionState,
    /// Number of the revision that was in force until now, if this one takes its place.
    pub superseded: Option<u32>,
}

events! {
    /// What happens to a joint quote.
    JointQuoteEvent {
        /// It came to be.
        Created(QuoteCreated) = "joint_quote.created", 1;
        /// Something that changes no money was changed.
        Updated(QuoteUpdated) = "joint_quote.updated", 1;
        /// A portion was added.
        PortionAdded(PortionAdded) = "joint_quote.portion_added", 1;
        /// A concession was proposed.
        ConcessionProposed(Box<ConcessionProposed>) = "joint_quote.concession_proposed", 1;
        /// A party approved it.
        ConcessionApproved(ConcessionApproved) = "joint_quote.concession_approved", 1;
        /// A party signed what it approved.
        ConcessionSigned(Box<ConcessionSigned>) = "joint_quote.concession_signed", 1;
        /// A party evaluated alternatives.
        ConcessionEvaluated(ConcessionEvaluated) = "joint_quote.concession_evaluated", 1;
        /// A party consented to what divisions by costs tell.
        DisclosureConsented(DisclosureConsentChanged) = "joint_quote.disclosure_consented", 1;
        /// A party took that back.
        DisclosureConsentWithdrawn(DisclosureConsentChanged) = "joint_quote.disclosure_consent_withdrawn", 1;
        /// A party turned it down.
        ConcessionRejected(ConcessionRejected) = "joint_quote.concession_rejected", 1;
        /// Its proposer took it back.
        ConcessionWithdrawn(ConcessionWithdrawn) = "joint_quote.concession_withdrawn", 1;
        /// Its time ran out.
        ConcessionExpired(ConcessionExpired) = "joint_quote.concession_expired", 1;
        /// The client bought, at a price that a party names.
        Won(QuoteWon) = "joint_quote.won", 1;
        /// The client did not.
        Lost(QuoteLost) = "joint_quote.lost", 1;
        /// A part of its concession was taken back.
        ConcessionReversed(Box<ConcessionReversed>) = "joint_quote.concession_reversed", 1;
        /// The quote's time ran out.
        Expired(QuoteExpired) = "joint_quote.expired", 1;
        /// Its time, and that of an open proposal, ended with its partnership.
        Closed(ClosedWithPartnership) = "joint_quote.closed", 1;
    }
}

impl Aggregate for JointQuote {
    type Event = JointQuoteEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &JointQuoteEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, JointQuoteEvent::Created(created)) => Some(Self {
                display_name: created.display_name.clone(),
                client: created.client.clone(),
                currency: created.currency,
                expires_at: created.expires_at,
                state: QuoteState::Open,
                portions: created.portions.clone(),
                vendor_funds: created.vendor_funds.clone(),
                revisions: Vec::new(),
                sale: Sale::default(),
                disclosure_consents: Vec::new(),
                evaluations: Vec::new(),
            }),
            (Some(quote), event) => quote.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    /// What was open runs out at the end.
    fn close(&mut self, at: Timestamp) {
        if self.state != QuoteState::Open {
            return;
        }
        self.expires_at = self.expires_at.min(at);
        let open = self.revisions.iter_mut();
        for revision in open.filter(|revision| revision.state.is_open()) {
            revision.expires_at = revision.expires_at.min(at);
        }
    }

    /// The open revision's end or the quote's, whichever comes first.
    fn due_at(&self) -> Option<Timestamp> {
        let quote_ends = (self.state == QuoteState::Open).then_some(self.expires_at);
        let revision_ends = self.open().map(|open| open.expires_at);
        quote_ends.into_iter().chain(revision_ends).min()
    }
}

impl JointQuote {
    fn changed(mut self, event: &JointQuoteEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            JointQuoteEvent::Created(_) => return None,
            JointQuoteEvent::Updated(updated) => self.update(updated),
            JointQuoteEvent::PortionAdded(added) => self.add_portion(added)?,
            JointQuoteEvent::ConcessionProposed(proposed) => self.propose(proposed, recorded)?,
            JointQuoteEvent::ConcessionApproved(approved) => self.approve(approved, recorded)?,
            JointQuoteEvent::ConcessionEvaluated(evaluated) => self.count_evaluation(evaluated)?,
            JointQuoteEvent::DisclosureConsented(changed) => self.consent(changed, recorded)?,
            JointQuoteEvent::DisclosureConsentWithdrawn(changed) => self.withdraw_consent(changed),
            JointQuoteEvent::ConcessionSigned(signed) => self.sign(signed, recorded)?,
            JointQuoteEvent::ConcessionRejected(rejected) => {
                let rejection = Rejection::of(rejected, recorded)?;
                let revision = self.waiting(rejected.number, &rejected.hash)?;
                revision.state = RevisionState::Rejected;
                revision.rejection = Some(rejection);
            }
            JointQuoteEvent::ConcessionWithdrawn(withdrawn) => {
                let revision = self.waiting(withdrawn.number, &withdrawn.hash)?;
                revision.state = RevisionState::Withdrawn;
            }
            JointQuoteEvent::ConcessionExpired(expired) => {
                let revision = self.waiting(expired.number, &expired.hash)?;
                revision.state = RevisionState::Expired;
            }
            JointQuoteEvent::Won(won) => self.win(won, recorded)?,
            JointQuoteEvent::Lost(lost) => self.lose(lost, recorded)?,
            JointQuoteEvent::ConcessionReversed(reversed) => self.reverse(reversed, recorded)?,
            JointQuoteEvent::Closed(closed) => self.close(closed.at),
            JointQuoteEvent::Expired(_) => self.state = QuoteState::Expired,
        }
        Some(self)
    }

    fn update(&mut self, updated: &QuoteUpdated) {
        if let Some(display_name) = &updated.display_name {
            self.display_name.clone_from(display_name);
        }
        if let Some(expires_at) = updated.expires_at {
            self.expires_at = expires_at;
        }
        if let Some(vendor_funds) = &updated.vendor_funds {
            self.vendor_funds.clone_from(vendor_funds);
        }
    }

    fn add_portion(&mut self, added: &PortionAdded) -> Option<()> {
        let place = self
            .portions
            .binary_search_by(|portion| portion.id.cmp(&added.portion.id))
            .err()?;
        self.portions.insert(place, added.portion.clone());
        added
            .superseded
            .map_or(Some(()), |number| self.supersede(number))
    }

    fn propose(&mut self, proposed: &ConcessionProposed, recorded: &Recorded) -> Option<()> {
        for number in &proposed.superseded {
            self.supersede(*number)?;
        }
        let follows = self.revisions.len() + 1 == usize::try_from(proposed.split.number).ok()?;
        if !follows {
            return None;
        }
        let revision = ConcessionRevision::of(proposed, recorded)?;
        self.revisions.push(revision);
        Some(())
    }

    fn approve(&mut self, approved: &ConcessionApproved, recorded: &Recorded) -> Option<()> {
        let quote_ends = self.expires_at;
        let revision = self.waiting(approved.number, &approved.hash)?;
        revision.approve(approved, quote_ends, recorded)?;
        approved
            .superseded
            .map_or(Some(()), |number| self.supersede(number))
    }

    fn supersede(&mut self, number: u32) -> Option<()> {
        let revision = self.revision_mut(number)?;
        revision.state = RevisionState::Superseded;
        Some(())
    }

    /// The open revision, if it has that number and that hash.
    fn waiting(&mut self, number: u32, hash: &str) -> Option<&mut ConcessionRevision> {
        self.revision_mut(number)
            .filter(|revision| revision.state.is_open() && revision.split.hash == hash)
    }

    fn revision_mut(&mut self, number: u32) -> Option<&mut ConcessionRevision> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.revisions.get_mut(index)
    }
}

#[cfg(test)]
mod tests;

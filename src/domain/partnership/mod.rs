//! Partnerships: who belongs to them, on what terms, and whether they still stand.

mod access;
pub mod clauses;
mod decide;
pub mod ending;
mod opening;
mod parties;
pub mod party;
pub mod revisions;
pub mod standing;
pub mod terms;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::identity::{FirmId, PartyId};
use super::notice::NoticeKind;
use super::time::{Span, Timestamp};

pub use access::{as_active_party, as_party, as_present_party, require_active, require_present};
pub use decide::{PartnershipCommand, approve_terms_as, decide};
use ending::{Closing, ClosingAdvanced};
pub use opening::PartnershipOpening;
pub use parties::PartyAnswer;
pub use party::{
    Concern, Departure, INVITATION_VALIDITY_DEFAULT, INVITATION_VALIDITY_MAX,
    INVITATION_VALIDITY_MIN, Invitation, PARTIES_MAX, PartnerInvited, Party, PartyAnswered,
    PartyJoined, PartyLeft, PartyProposed, ProposedParty, Role,
};
use terms::{Terms, TermsProposed};

/// How far a partnership has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnershipState {
    /// One firm keeps it alone; placeholders stand for the others.
    Solo,
    /// One firm keeps it alone, and an invitation is out.
    Invited,
    /// Two firms at least are there; placeholders may stand for others.
    Active,
    /// It is over.
    Ended,
}

impl PartnershipState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Solo => "solo",
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Ended => "ended",
        }
    }
}

/// A partnership. Its record's id is the partnership's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partnership {
    /// Its name for people.
    pub display_name: String,
    /// How far it has come.
    pub state: PartnershipState,
    /// Its parties; the first is the one that began it.
    pub parties: Vec<Party>,
    /// The terms in force.
    pub terms: Option<Terms>,
    /// Terms that wait for approval.
    pub proposed_terms: Option<Terms>,
    /// How many revisions of terms there were.
    pub terms_revisions: u32,
    /// The invitations that are out, one for each placeholder at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invitations: Vec<Invitation>,
    /// Further parties that wait for approval.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposed_parties: Vec<ProposedParty>,
    /// How many parties there ever were or were proposed: their ids count on from here.
    pub parties_numbered: usize,
    /// From when on it is over; may lie ahead.
    pub ended_at: Option<Timestamp>,
    /// How far the sweeper has come with what is closed with it, until all is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
    /// Agreements under which tickets may run.
    pub agreements_in_force: Vec<String>,
    /// How often a revision of an agreement reached tickets that were open: what readers remember
    /// of repins holds for one count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repins: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Partnership {
    /// A partnership that begins with these parties.
    #[must_use]
    pub fn new(display_name: &str, parties: Vec<Party>) -> Self {
        let mut began = Self {
            display_name: display_name.to_owned(),
            state: PartnershipState::Solo,
            parties_numbered: parties.len(),
            parties,
            terms: None,
            proposed_terms: None,
            terms_revisions: 0,
            invitations: Vec::new(),
            proposed_parties: Vec::new(),
            ended_at: None,
            closing: None,
            agreements_in_force: Vec::new(),
            repins: 0,
        };
        began.settle_state();
        began
    }

    /// The party that `firm` is; if it is none any more, the last one that it was.
    #[must_use]
    pub fn party_of(&self, firm: &FirmId) -> Option<&Party> {
        let is_firm = |party: &&Party| party.firm.as_ref() == Some(firm);
        let mut present = self.firms();
        let found = present.find(is_firm);
        found.or_else(|| self.parties.iter().rfind(is_firm))
    }

    /// The party of that identifier.
    #[must_use]
    pub fn party(&self, id: &PartyId) -> Option<&Party> {
        self.parties.iter().find(|party| party.id == *id)
    }

    /// Parties that are firms, and have not left.
    pub fn firms(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter().filter(|party| party.is_present())
    }

    /// Whether there is no other firm to ask.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.firms().count() < 2
    }

    /// Whether every firm that is there is among those that approved.
    #[must_use]
    pub fn is_approved_by_all(&self, approvals: &[Approval]) -> bool {
        self.firms()
            .all(|firm| Approval::is_among(approvals, &firm.id))
    }

    /// The same, once `party` approves too.
    #[must_use]
    pub fn would_be_approved_by_all(&self, approvals: &[Approval], party: &PartyId) -> bool {
        self.firms()
            .all(|firm| firm.id == *party || Approval::is_among(approvals, &firm.id))
    }

    /// As long as it goes on, who is there says how far it has come.
    fn settle_state(&mut self) {
        self.state = match self.state {
            PartnershipState::Ended => PartnershipState::Ended,
            _ if !self.is_alone() => PartnershipState::Active,
            _ if self.invitations.is_empty() => PartnershipState::Solo,
            _ => PartnershipState::Invited,
        };
    }

    /// The terms in force, or the defaults where none are.
    #[must_use]
    pub fn offer_validity(&self) -> Span {
        self.terms
            .as_ref()
            .map_or(terms::OFFER_VALIDITY_DEFAULT, |terms| {
                terms.content.offer_validity
            })
    }

    /// How far in the future an event may be dated.
    #[must_use]
    pub fn future_tolerance(&self) -> Span {
        self.terms
            .as_ref()
            .map_or(terms::FUTURE_TOLERANCE_DEFAULT, |terms| {
                terms.content.future_tolerance
            })
    }
}

impl Partnership {
    /// How late an event may come and count although it favours its sender; `None` for however late.
    #[must_use]
    pub fn lateness_window(&self) -> Option<Span> {
        let terms = self.terms.as_ref()?;
        terms.content.lateness_window
    }

    /// The least lead time of a notice of that kind, by the terms in force; `None` if none is agreed.
    #[must_use]
    pub fn notice_lead_time(&self, kind: NoticeKind) -> Option<Span> {
        let terms = self.terms.as_ref()?;
        let mut lead_times = terms.content.notice_lead_times.iter();
        let found = lead_times.find(|lead_time| lead_time.kind == kind)?;
        Some(found.lead_time)
    }

    /// The class of exclusions of that id, by the terms in force.
    #[must_use]
    pub fn exclusion_class(&self, id: &str) -> Option<&terms::ExclusionClass> {
        let terms = self.terms.as_ref()?;
        let mut classes = terms.content.exclusion_classes.iter();
        classes.find(|class| class.id == id)
    }
}

/// The partnership began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipCreated {
    /// Its name for people.
    pub display_name: String,
    /// Its parties: the firm that began it, and the placeholder.
    pub parties: Vec<Party>,
}

/// The partnership ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipEnded {
    /// Why, as free text: a commitment.
    pub reason: Option<super::commitment::Commitment>,
    /// From when on; `None` for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
}

/// An agreement came into force, or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementNamed {
    /// Which agreement.
    pub agreement: String,
}

events! {
    /// What happens to a partnership.
    PartnershipEvent {
        /// It began.
        Created(PartnershipCreated) = "partnership.created", 1;
        /// A firm was invited.
        Invited(PartnerInvited) = "partnership.partner_invited", 1;
        /// A further party was proposed.
        PartyProposed(PartyProposed) = "partnership.party_proposed", 1;
        /// A party approved a further one.
        PartyApproved(PartyAnswered) = "partnership.party_approved", 1;
        /// A party turned a further one down, or took its proposal back.
        PartyDeclined(PartyAnswered) = "partnership.party_declined", 1;
        /// A firm left, and the others go on.
        Left(PartyLeft) = "partnership.party_left", 1;
        /// A firm joined.
        Joined(PartyJoined) = "partnership.party_joined", 1;
        /// Terms were proposed; the proposal carries its maker's approval.
        TermsProposed(TermsProposed) = "partnership.terms_proposed", 1;
        /// A party approved the proposed terms.
        TermsApproved(terms::TermsApproved) = "partnership.terms_approved", 1;
        /// An agreement came into force.
        AgreementStarted(AgreementNamed) = "partnership.agreement_started", 1;
        /// A revision of an agreement reaches tickets that are open already.
        AgreementRepinned(AgreementNamed) = "partnership.agreement_repinned", 1;
        /// An agreement is no longer in force.
        AgreementEnded(AgreementNamed) = "partnership.agreement_ended", 1;
        /// It ended.
        Ended(PartnershipEnded) = "partnership.ended", 1;
        /// Some of what is closed with it was closed, or all.
        ClosingAdvanced(ClosingAdvanced) = "partnership.closing_advanced", 1;
    }
}

impl Aggregate for Partnership {
    type Event = PartnershipEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &PartnershipEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, PartnershipEvent::Created(created)) => {
                Some(Self::new(&created.display_name, created.parties.clone()))
            }
            (Some(partnership), event) => partnership.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.ended_at.filter(|_| self.closing.is_some())
    }
}

impl Partnership {
    fn changed(mut self, event: &PartnershipEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            PartnershipEvent::Created(_) => return None,
            PartnershipEvent::Invited(invited) => self.invite(&invited.invitation),
            PartnershipEvent::PartyProposed(proposed) => self.propose_party(proposed, recorded)?,
            PartnershipEvent::PartyApproved(answered) => {
                self.approve_party(&answered.party, &answered.proposed, recorded)?;
            }
            PartnershipEvent::PartyDeclined(answered) => self.decline_party(&answered.proposed),
            PartnershipEvent::Left(left) => self.leave(left, recorded)?,
            PartnershipEvent::Joined(joined) => self.join(joined, recorded.at)?,
            PartnershipEvent::TermsProposed(proposed) => {
                self.terms_revisions += 1;
                self.proposed_terms = Some(proposed.terms(self.terms_revisions));
                self.approve_terms(&proposed.proposer, recorded)?;
            }
            PartnershipEvent::TermsApproved(approved) => match &mut self.terms {
                // A guest of a placeholder confirms what one firm put in force alone.
                Some(terms) if self.proposed_terms.is_none() && terms.hash == approved.hash => {
                    terms
                        .approvals
                        .push(Approval::of(&approved.party, recorded)?);
                }
                _ => self.approve_terms(&approved.party, recorded)?,
            },
            PartnershipEvent::AgreementStarted(named) => {
                self.agreements_in_force.push(named.agreement.clone());
            }
            PartnershipEvent::AgreementRepinned(_) => self.repins += 1,
            PartnershipEvent::AgreementEnded(named) => {
                self.agreements_in_force
                    .retain(|agreement| *agreement != named.agreement);
            }
            PartnershipEvent::Ended(ended) => self.end(ended, recorded.at),
            PartnershipEvent::ClosingAdvanced(advanced) => self.advance_closing(advanced),
        }
        Some(self)
    }

    fn approve_terms(&mut self, party: &PartyId, recorded: &Recorded) -> Option<()> {
        let mut proposed = self.proposed_terms.take()?;
        Approval::of(party, recorded)?.add_to(&mut proposed.approvals);
        if self.is_approved_by_all(&proposed.approvals) {
            self.terms = Some(proposed);
        } else {
            self.proposed_terms = Some(proposed);
        }
        Some(())
    }
}

/// A party's consent to exactly what has a certain hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The party.
    pub party: PartyId,
    /// The firm that the party was; `None` for a guest of a placeholder.
    pub firm: Option<FirmId>,
    /// When.
    pub at: Timestamp,
    /// By which credential or guest link.
    pub actor: String,
}

impl Approval {
    /// The approval that an entry records; `None` if nobody made it.
    #[must_use]
    pub fn of(party: &PartyId, recorded: &Recorded) -> Option<Self> {
        recorded.by_somebody()?;
        Some(Self {
            party: party.clone(),
            firm: recorded.firm.clone(),
            at: recorded.at,
            actor: recorded.actor.clone(),
        })
    }

    /// Adds it to the others, unless the same party's is among them already.
    pub fn add_to(self, approvals: &mut Vec<Self>) {
        if !Self::is_among(approvals, &self.party) {
            approvals.push(self);
        }
    }

    /// Whether the firm that `party` is approved. A guest of a placeholder binds no firm that joins
    /// later: it is asked itself.
    #[must_use]
    pub fn is_among(approvals: &[Self], party: &PartyId) -> bool {
        let binding = |approval: &Self| approval.party == *party && approval.firm.is_some();
        approvals.iter().any(binding)
    }
}

//! Partnerships: who belongs to them, on what terms, and whether they still stand.

mod decide;
pub mod standing;
pub mod terms;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::identity::{ExternalReference, FirmId, PartyId};
use super::notice::NoticeKind;
use super::refusal::{Reason, Refusal, Violations};
use super::text::{require_display_name, require_reference};
use super::time::{Span, Timestamp};
use super::world::{Stop, View};

pub use decide::{PartnershipCommand, approve_terms_as, decide};
use terms::{Terms, TermsProposed};

/// Most parties of one partnership.
pub const PARTIES_MAX: usize = 16;
/// How long an invitation is valid where the caller does not say.
pub const INVITATION_VALIDITY_DEFAULT: Span = Span::from_hours(7 * 24);
/// The longest an invitation may be valid.
pub const INVITATION_VALIDITY_MAX: Span = Span::from_hours(90 * 24);
/// The shortest an invitation may be valid.
pub const INVITATION_VALIDITY_MIN: Span = Span::from_minutes(5);

/// What a party is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Holds the contract with the client.
    Prime,
    /// Works for the prime.
    Sub,
    /// Stands beside the others.
    Peer,
}

/// How far a partnership has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnershipState {
    /// One firm keeps it alone; a placeholder stands for the other.
    Solo,
    /// An invitation is out.
    Invited,
    /// Every party is a firm.
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

/// One side of a partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its identifier here, for ever the same.
    pub id: PartyId,
    /// The firm behind it; `None` while it is a placeholder.
    pub firm: Option<FirmId>,
    /// Its name for people.
    pub display_name: String,
    /// What it is to the others.
    pub role: Role,
    /// When the firm joined.
    pub joined_at: Option<Timestamp>,
}

/// An invitation that is out. The code itself is nowhere; its digest is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// SHA-256 of the code's secret, hexadecimal.
    pub digest: String,
    /// When it stops working.
    pub expires_at: Timestamp,
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
    /// The invitation that is out.
    pub invitation: Option<Invitation>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
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
    /// The party that `firm` is.
    #[must_use]
    pub fn party_of(&self, firm: &FirmId) -> Option<&Party> {
        self.parties
            .iter()
            .find(|party| party.firm.as_ref() == Some(firm))
    }

    /// The party of that identifier.
    #[must_use]
    pub fn party(&self, id: &PartyId) -> Option<&Party> {
        self.parties.iter().find(|party| party.id == *id)
    }

    /// Parties that are firms.
    pub fn firms(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter().filter(|party| party.firm.is_some())
    }

    /// Whether a placeholder stands for a firm that has not joined.
    #[must_use]
    pub fn has_placeholder(&self) -> bool {
        self.parties.iter().any(|party| party.firm.is_none())
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

/// What a firm says when it begins a partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipOpening {
    /// The partnership's name for people.
    pub display_name: String,
    /// The firm's own name for people.
    pub firm_display_name: String,
    /// What the firm is in it.
    pub role: Role,
    /// The other firm's name for people.
    pub partner_display_name: String,
    /// What the other firm is in it.
    pub partner_role: Role,
    /// The partnership's id in the firm's own software.
    pub external_reference: Option<ExternalReference>,
}

impl PartnershipOpening {
    /// # Errors
    /// [`Reason::InvalidField`] with every field at fault.
    pub fn check(&self) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        require_display_name(
            &mut violations,
            "partnership.display_name",
            &self.display_name,
        );
        require_display_name(
            &mut violations,
            "partner_display_name",
            &self.partner_display_name,
        );
        if let Some(reference) = &self.external_reference {
            require_reference(&mut violations, "external_reference", reference);
        }
        violations.finish()
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

/// A firm was invited to take a placeholder's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerInvited {
    /// The invitation; an earlier one stops working.
    pub invitation: Invitation,
}

/// A firm took a placeholder's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyJoined {
    /// Which party it is from now on.
    pub party: PartyId,
    /// The firm.
    pub firm: FirmId,
    /// The firm's name for people.
    pub display_name: String,
}

/// The partnership ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnershipEnded {
    /// Why, as free text: a commitment.
    pub reason: Option<super::commitment::Commitment>,
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
            (None, PartnershipEvent::Created(created)) => Some(Self {
                display_name: created.display_name.clone(),
                state: PartnershipState::Solo,
                parties: created.parties.clone(),
                terms: None,
                proposed_terms: None,
                terms_revisions: 0,
                invitation: None,
                ended_at: None,
                agreements_in_force: Vec::new(),
                repins: 0,
            }),
            (Some(partnership), event) => partnership.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }
}

impl Partnership {
    fn changed(mut self, event: &PartnershipEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            PartnershipEvent::Created(_) => return None,
            PartnershipEvent::Invited(invited) => {
                self.invitation = Some(invited.invitation.clone());
                self.state = PartnershipState::Invited;
            }
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
            PartnershipEvent::Ended(_) => {
                self.state = PartnershipState::Ended;
                self.invitation = None;
                self.ended_at = Some(recorded.at);
            }
        }
        Some(self)
    }

    /// Terms that one firm asserted alone become a proposal when another firm joins.
    fn join(&mut self, joined: &PartyJoined, at: Timestamp) -> Option<()> {
        let party = self
            .parties
            .iter_mut()
            .find(|party| party.id == joined.party)?;
        party.firm = Some(joined.firm.clone());
        party.display_name.clone_from(&joined.display_name);
        party.joined_at = Some(at);
        self.invitation = None;
        self.state = if self.has_placeholder() {
            PartnershipState::Solo
        } else {
            PartnershipState::Active
        };
        if self.proposed_terms.is_none() {
            self.proposed_terms = self.terms.take();
        }
        Some(())
    }

    fn approve_terms(&mut self, party: &PartyId, recorded: &Recorded) -> Option<()> {
        let mut proposed = self.proposed_terms.take()?;
        proposed.approvals.push(Approval::of(party, recorded)?);
        let everyone = self
            .firms()
            .all(|firm| Approval::is_among(&proposed.approvals, &firm.id));
        if everyone {
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

    /// Whether the firm that `party` is approved. A guest of a placeholder binds no firm that joins
    /// later: it is asked itself.
    #[must_use]
    pub fn is_among(approvals: &[Self], party: &PartyId) -> bool {
        let binding = |approval: &Self| approval.party == *party && approval.firm.is_some();
        approvals.iter().any(binding)
    }
}

/// The partnership of the view's scope and the party that `firm` is in it.
///
/// # Errors
/// [`Reason::NotFound`] for a stranger, as if there were no such partnership.
pub fn as_party<'world>(
    firm: &FirmId,
    view: &View<'world>,
) -> Result<(&'world Partnership, &'world Party), Stop> {
    let id = view.scope.id();
    let partnership = view
        .find::<Partnership>(id)?
        .ok_or_else(|| Refusal::not_found("partnership"))?;
    let party = partnership
        .party_of(firm)
        .ok_or_else(|| Refusal::not_found("partnership"))?;
    Ok((partnership, party))
}

/// As [`as_party`], for what an ended partnership no longer allows.
///
/// # Errors
/// [`Reason::NotFound`] for a stranger, [`Reason::PartnershipEnded`] after the end.
pub fn as_active_party<'world>(
    firm: &FirmId,
    view: &View<'world>,
) -> Result<(&'world Partnership, &'world Party), Stop> {
    let (partnership, party) = as_party(firm, view)?;
    require_active(partnership)?;
    Ok((partnership, party))
}

/// Refuses what an ended partnership no longer allows.
///
/// # Errors
/// [`Reason::PartnershipEnded`] after the end.
pub fn require_active(partnership: &Partnership) -> Result<(), Refusal> {
    if partnership.state == PartnershipState::Ended {
        return Err(Refusal::new(
            Reason::PartnershipEnded,
            "the partnership has ended",
        ));
    }
    Ok(())
}

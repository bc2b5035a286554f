//! Agreements: which service levels one party owes another.

mod check;
mod decide;
mod matrix;
mod refresh;
mod revision;
mod template;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::calendar::CalendarSpecification;
use super::clock::{
    ClockRules, EscalationLevel, RetargetRule, ServiceLevelTarget, Side, TargetReopenRule,
    TicketState,
};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::ending::ClosedWithPartnership;
use crate::domain::partnership::{Approval, Concern};
use crate::domain::time::{MICROS_PER_DAY, Span, Timestamp};

pub use self::check::check_content;
pub use self::decide::{approve, decide};
pub use self::matrix::{PRIORITY_MATRIX_MAX, PriorityMatrixEntry, priority_of};
pub use self::refresh::{Refresh, RefreshAdvanced, note_refresh};
pub use self::revision::{
    AgreementRevised, AgreementRevision, AgreementRevisionEvent, ProposedRevision, REVISIONS_MAX,
    Repin, RevisionApproved, RevisionProposed,
};

pub use self::template::{AgreementTemplate, TEMPLATES};

/// Most targets of one agreement: six types at five priorities.
pub const TARGETS_MAX: usize = 30;
/// Most reopen rules of one agreement: one for each type.
pub const REOPEN_RULES_MAX: usize = 6;
/// Most escalation levels of one agreement.
pub const ESCALATION_LEVELS_MAX: usize = 20;
/// Longest name of an escalation level, in bytes.
pub const ESCALATION_NAME_BYTES_MAX: usize = 64;
/// Most thresholds of one agreement.
pub const THRESHOLDS_MAX: usize = 10;
/// Most agreements of one partnership that are in force at a time.
pub const AGREEMENTS_IN_FORCE_MAX: usize = 100;
/// The longest target: a year of working time.
pub const TARGET_MAX: Span = Span::from_micros(366 * MICROS_PER_DAY);
/// Thresholds where the agreement names none.
pub const THRESHOLDS_BPS_DEFAULT: [u32; 3] = [5_000, 7_500, 10_000];

/// What an agreement is, in ITIL's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementType {
    /// Towards a client.
    Sla,
    /// Between teams of one side.
    Ola,
    /// A supplier's towards the provider.
    UnderpinningContract,
    /// What the beneficiary owes back.
    Reciprocal,
}

/// Where an agreement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementState {
    /// Waits for approval.
    Proposed,
    /// Approved by every party.
    Active,
    /// Written down by one firm alone; the other has not joined, or not approved.
    Asserted,
    /// Over: no more escalations, no new tickets.
    Ended,
    /// Asserted by one firm, and denied by another that joined later: as if it were over.
    Contested,
}

impl AgreementState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Active => "active",
            Self::Asserted => "asserted",
            Self::Ended => "ended",
            Self::Contested => "contested",
        }
    }

    /// Whether tickets may run under it.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::Active | Self::Asserted)
    }
}

/// What an agreement says: exactly what its hash covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementContent {
    /// Its name for people.
    pub display_name: String,
    /// What it is.
    pub agreement_type: AgreementType,
    /// Who owes.
    pub obligor: PartyId,
    /// To whom.
    pub beneficiary: PartyId,
    /// For which client, if for one.
    pub client: Option<String>,
    /// What is owed.
    pub targets: Vec<ServiceLevelTarget>,
    /// In which calendar.
    pub calendar: String,
    /// In which revision of it.
    pub calendar_revision: u32,
    /// Whether the first state other than new counts as the response.
    pub response_by_state: bool,
    /// States in which the clocks stand still.
    pub pausing_states: Vec<TicketState>,
    /// At which parts of a target an entry is journalled, in basis points, ascending; the last is
    /// always the whole target.
    pub thresholds_bps: Vec<u32>,
    /// What a change of priority does to time consumed before.
    pub retarget_rule: RetargetRule,
    /// What a reopening does, by type of promise; what is not listed resumes.
    pub reopen_rules: Vec<TargetReopenRule>,
    /// Who is to be told when.
    pub escalation_levels: Vec<EscalationLevel>,
    /// Which priority who and what of an expectation make; what is not listed is worth what the
    /// default matrix says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priority_matrix: Vec<PriorityMatrixEntry>,
}

impl AgreementContent {
    /// Whose matter it is.
    #[must_use]
    pub const fn concern(&self) -> Concern<'_> {
        Concern {
            obligor: &self.obligor,
            beneficiary: &self.beneficiary,
        }
    }

    /// The part that clocks run by.
    #[must_use]
    pub fn rules(&self) -> ClockRules {
        let side = match self.agreement_type {
            AgreementType::Reciprocal => Side::WaitedFor,
            _ => Side::Working,
        };
        ClockRules {
            side,
            targets: self.targets.clone(),
            pausing_states: self.pausing_states.clone(),
            response_by_state: self.response_by_state,
            retarget_rule: self.retarget_rule,
            reopen_rules: self.reopen_rules.clone(),
            thresholds_bps: self.thresholds_bps.clone(),
            escalation_levels: self.escalation_levels.clone(),
        }
    }
}

/// An agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// What it says.
    pub content: AgreementContent,
    /// Hash of the content: what a party approves.
    pub hash: String,
    /// Number of the revision, from 1.
    pub revision: u32,
    /// Where it stands.
    pub state: AgreementState,
    /// Who approved.
    pub approvals: Vec<Approval>,
    /// A revision that waits for approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<ProposedRevision>,
    /// Which revisions reach tickets that were open already, in the order of their approval.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repins: Vec<Repin>,
    /// How far the sweeper has come with open tickets, if it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// When open tickets have to be looked at because of a repin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Who denied it, and why, if anybody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contest: Option<Contest>,
    /// When it ended with its partnership, if it did while it was in force: what was carried on goes
    /// on under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// A party's word that it never agreed to what another asserted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contest {
    /// The party.
    pub party: PartyId,
    /// The firm that the party was.
    pub firm: FirmId,
    /// Why: a commitment.
    pub reason: Commitment,
    /// When.
    pub at: Timestamp,
}

/// A party denied an asserted agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementContested {
    /// Which party.
    pub party: PartyId,
    /// Why: a commitment.
    pub reason: Commitment,
}

/// An agreement was proposed, or asserted by one firm alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementProposed {
    /// By which party; its approval is part of the proposal.
    pub proposer: PartyId,
    /// What it says.
    pub content: AgreementContent,
    /// Hash of the content.
    pub hash: String,
    /// Proposed or asserted.
    pub state: AgreementState,
}

/// A party approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementApproved {
    /// Which party.
    pub party: PartyId,
    /// Where the agreement stands now.
    pub state: AgreementState,
}

/// The agreement ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementEnded {}

events! {
    /// What happens to an agreement.
    AgreementEvent {
        /// It was proposed or asserted.
        Proposed(AgreementProposed) = "agreement.proposed", 1;
        /// A party approved.
        Approved(AgreementApproved) = "agreement.approved", 1;
        /// A revision of it was proposed.
        RevisionProposed(RevisionProposed) = "agreement.revision_proposed", 1;
        /// A party approved the proposed revision.
        RevisionApproved(RevisionApproved) = "agreement.revision_approved", 1;
        /// A revision came into force for new tickets.
        Revised(AgreementRevised) = "agreement.revised", 1;
        /// A revision reaches tickets that are open already.
        Repinned(Repin) = "agreement.repinned", 1;
        /// Some of the open tickets were looked at because of a repin.
        RefreshAdvanced(RefreshAdvanced) = "agreement.refresh_advanced", 1;
        /// It ended.
        Ended(AgreementEnded) = "agreement.ended", 1;
        /// It ended with its partnership.
        Closed(ClosedWithPartnership) = "agreement.closed", 1;
        /// A party denied it.
        Contested(AgreementContested) = "agreement.contested", 1;
    }
}

impl Aggregate for Agreement {
    type Event = AgreementEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &AgreementEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, AgreementEvent::Proposed(proposed)) => Some(Self {
                content: proposed.content.clone(),
                hash: proposed.hash.clone(),
                revision: 1,
                state: proposed.state,
                approvals: vec![Approval::of(&proposed.proposer, recorded)?],
                proposed: None,
                repins: Vec::new(),
                refresh: None,
                due_at: None,
                contest: None,
                closed_at: None,
            }),
            (Some(agreement), event) => agreement.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if self.state.is_in_force() {
            self.closed_at = Some(at);
        } else if self.state != AgreementState::Proposed {
            return;
        }
        self.state = AgreementState::Ended;
        self.proposed = None;
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }
}

impl Agreement {
    fn changed(mut self, event: &AgreementEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            AgreementEvent::Proposed(_) => return None,
            AgreementEvent::Approved(approved) => {
                Approval::of(&approved.party, recorded)?.add_to(&mut self.approvals);
                self.state = approved.state;
            }
            AgreementEvent::RevisionProposed(proposed) => {
                let approval = Approval::of(&proposed.proposer, recorded)?;
                self.proposed = Some(proposed.revision(approval));
            }
            AgreementEvent::RevisionApproved(approved) => {
                let approval = Approval::of(&approved.party, recorded)?;
                approval.add_to(&mut self.proposed.as_mut()?.approvals);
            }
            AgreementEvent::Revised(revised) => self.revise(revised)?,
            AgreementEvent::Repinned(repin) => self.repin(repin),
            AgreementEvent::RefreshAdvanced(advanced) => self.advance_refresh(advanced),
            AgreementEvent::Closed(closed) => self.close(closed.at),
            AgreementEvent::Ended(_) => {
                self.state = AgreementState::Ended;
                self.proposed = None;
            }
            AgreementEvent::Contested(contested) => {
                self.state = AgreementState::Contested;
                self.proposed = None;
                self.contest = Some(Contest {
                    party: contested.party.clone(),
                    firm: recorded.firm.clone()?,
                    reason: contested.reason.clone(),
                    at: recorded.at,
                });
            }
        }
        Some(self)
    }
}

/// A calendar that comes along with an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCalendar {
    /// Its name for people.
    pub display_name: String,
    /// What it says.
    pub specification: CalendarSpecification,
}

/// What can be asked of agreements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgreementCommand {
    /// Proposes an agreement; alone in its partnership, a firm asserts it.
    Create {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// What it says. A calendar revision of 0 stands for the latest.
        content: AgreementContent,
        /// The calendar that it names, to be made if there is none of that id.
        calendar: Option<NewCalendar>,
    },
    /// Approves what has that hash.
    Approve {
        /// Which agreement.
        id: String,
        /// What the caller saw.
        hash: String,
    },
    /// Proposes a revision; alone in its partnership, a firm puts it in force at once.
    Revise {
        /// Which agreement.
        id: String,
        /// What it shall say. A calendar revision of 0 stands for the latest.
        content: AgreementContent,
        /// From when on it shall also count for tickets that are open then, but not before all have
        /// approved; `None` for new tickets only.
        repin_from: Option<Timestamp>,
    },
    /// Ends it; ending it again changes nothing.
    End {
        /// Which agreement.
        id: String,
    },
    /// Denies what another party asserted; for a party that has not approved it. Denying it again
    /// changes nothing.
    Contest {
        /// Which agreement.
        id: String,
        /// Why; must be given.
        reason: Option<Commitment>,
    },
}

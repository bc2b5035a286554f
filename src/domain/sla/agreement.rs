//! Agreements: which service levels one party owes another.

mod check;

use serde::{Deserialize, Serialize};

pub use self::check::check_content;
use super::clock::{
    ClockRules, EscalationLevel, RetargetRule, ServiceLevelTarget, Side, TargetReopenRule,
    TicketState,
};
use super::settings::Calendar;
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::content_hash;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::partnership::{
    AgreementNamed, Approval, Partnership, PartnershipEvent, Party, as_active_party,
};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{MICROS_PER_DAY, Span};
use crate::domain::world::{Stop, View};

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
}

impl AgreementContent {
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
        /// It ended.
        Ended(AgreementEnded) = "agreement.ended", 1;
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
            }),
            (Some(mut agreement), AgreementEvent::Approved(approved)) => {
                agreement
                    .approvals
                    .push(Approval::of(&approved.party, recorded)?);
                agreement.state = approved.state;
                Some(agreement)
            }
            (Some(mut agreement), AgreementEvent::Ended(_)) => {
                agreement.state = AgreementState::Ended;
                Some(agreement)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }
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
    },
    /// Approves what has that hash.
    Approve {
        /// Which agreement.
        id: String,
        /// What the caller saw.
        hash: String,
    },
    /// Ends it; ending it again changes nothing.
    End {
        /// Which agreement.
        id: String,
    },
}

/// Decides a command on agreements.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &AgreementCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        AgreementCommand::Create { id, content } => {
            create(id.as_deref(), content, partnership, party, view)
        }
        AgreementCommand::Approve { id, hash } => approve(id, hash, partnership, party, view),
        AgreementCommand::End { id } => end(id, view),
    }
}

fn create(
    id: Option<&str>,
    content: &AgreementContent,
    partnership: &Partnership,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let id = id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<Agreement>(&id)?.is_some() {
        return Err(already_exists(Kind::Agreement, &id).into());
    }
    let mut content = content.clone();
    if content.thresholds_bps.is_empty() {
        content.thresholds_bps = THRESHOLDS_BPS_DEFAULT.to_vec();
    }
    check_content(&content, partnership)?;
    pin_calendar(&mut content, view)?;
    if let Some(client) = &content.client {
        view.get::<Client>(client)?;
    }
    let alone = partnership.firms().count() == 1;
    if alone && partnership.agreements_in_force.len() >= AGREEMENTS_IN_FORCE_MAX {
        return Err(Refusal::limit("agreements_in_force", AGREEMENTS_IN_FORCE_MAX).into());
    }
    let state = if alone {
        AgreementState::Asserted
    } else {
        AgreementState::Proposed
    };
    let hash = content_hash("entente.agreement.v1", &content);
    let proposed = AgreementProposed {
        proposer: party.id.clone(),
        content,
        hash,
        state,
    };
    let decision = Decision::about(Kind::Agreement, &id)
        .event(Event::new(&id, AgreementEvent::Proposed(proposed)));
    Ok(if alone {
        decision.event(started(&id, view))
    } else {
        decision
    })
}

fn started(id: &str, view: &View<'_>) -> Event {
    let named = AgreementNamed {
        agreement: id.to_owned(),
    };
    Event::new(view.scope.id(), PartnershipEvent::AgreementStarted(named))
}

/// Pins the calendar's revision and refuses a target that it cannot hold.
fn pin_calendar(content: &mut AgreementContent, view: &View<'_>) -> Result<(), Stop> {
    let missing = || Refusal::field(Reason::NotFound, "agreement.calendar", "no such calendar");
    let calendar = view
        .find::<Calendar>(&content.calendar)?
        .ok_or_else(missing)?;
    if content.calendar_revision == 0 {
        content.calendar_revision = calendar.latest_revision;
    }
    if content.calendar_revision > calendar.latest_revision {
        return Err(Refusal::field(
            Reason::NotFound,
            "agreement.calendar_revision",
            "no such revision",
        )
        .into());
    }
    let compiled = view.calendar(&content.calendar, content.calendar_revision)?;
    for (index, target) in content.targets.iter().enumerate() {
        if compiled.add(view.now, target.duration).is_none() {
            let field = format!("agreement.targets[{index}].duration");
            return Err(Refusal::field(
                Reason::TargetUnreachable,
                field,
                "the calendar never has that much open time",
            )
            .into());
        }
    }
    Ok(())
}

fn approve(
    id: &str,
    hash: &str,
    partnership: &Partnership,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let agreement = view.get::<Agreement>(id)?;
    let decision = Decision::about(Kind::Agreement, id);
    if agreement.hash != hash {
        return Err(
            Refusal::new(Reason::StaleHash, "the agreement has another hash")
                .with("hash", &agreement.hash)
                .into(),
        );
    }
    if Approval::is_among(&agreement.approvals, &party.id) {
        return Ok(decision);
    }
    if agreement.state == AgreementState::Ended {
        return Err(Refusal::invalid_state(agreement.state.as_str(), "ApproveAgreement").into());
    }
    let everyone = !partnership.has_placeholder()
        && partnership.firms().all(|other| {
            other.id == party.id || Approval::is_among(&agreement.approvals, &other.id)
        });
    let state = if everyone {
        AgreementState::Active
    } else {
        agreement.state
    };
    let starts = state.is_in_force() && !agreement.state.is_in_force();
    if starts && partnership.agreements_in_force.len() >= AGREEMENTS_IN_FORCE_MAX {
        return Err(Refusal::limit("agreements_in_force", AGREEMENTS_IN_FORCE_MAX).into());
    }
    let approved = AgreementApproved {
        party: party.id.clone(),
        state,
    };
    let decision = decision.event(Event::new(id, AgreementEvent::Approved(approved)));
    Ok(if starts {
        decision.event(started(id, view))
    } else {
        decision
    })
}

fn end(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let agreement = view.get::<Agreement>(id)?;
    let decision = Decision::about(Kind::Agreement, id);
    if agreement.state == AgreementState::Ended {
        return Ok(decision);
    }
    let decision = decision.event(Event::new(id, AgreementEvent::Ended(AgreementEnded {})));
    if !agreement.state.is_in_force() {
        return Ok(decision);
    }
    let named = AgreementNamed {
        agreement: id.to_owned(),
    };
    Ok(decision.event(Event::new(
        view.scope.id(),
        PartnershipEvent::AgreementEnded(named),
    )))
}

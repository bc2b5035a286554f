//! The words in which clocks are promised: targets, and the rules by which they are kept.

use serde::{Deserialize, Serialize};

use super::facts::TicketState;
use crate::domain::time::{Span, Timestamp};

/// The whole of a target, in basis points. As a threshold it means "breached", which needs more
/// than the whole: reaching the deadline exactly is met.
pub const WHOLE_TARGET_BPS: u32 = 10_000;

/// What a service level target promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetType {
    /// A first answer that counts as a response.
    FirstResponse,
    /// A plan for the resolution is told.
    ResolutionPlan,
    /// Each further message of the other side is answered, counted from the oldest unanswered one.
    NextResponse,
    /// The other side hears how it stands, again and again, from the first response on.
    NextUpdate,
    /// There is a way to go on working.
    Workaround,
    /// The ticket is resolved.
    Resolution,
}

impl TargetType {
    /// Every target type, in the order in which clocks are listed.
    pub const ALL: [Self; 6] = [
        Self::FirstResponse,
        Self::ResolutionPlan,
        Self::NextResponse,
        Self::NextUpdate,
        Self::Workaround,
        Self::Resolution,
    ];

    /// Whether it is promised again and again, each time anew.
    #[must_use]
    pub const fn recurs(self) -> bool {
        matches!(self, Self::NextResponse | Self::NextUpdate)
    }

    /// Whether it can be promised in return, by the side that is waited for: only what begins when
    /// the ball crosses can.
    #[must_use]
    pub const fn may_be_reciprocal(self) -> bool {
        matches!(
            self,
            Self::FirstResponse | Self::NextResponse | Self::Resolution
        )
    }
}

/// How urgent a ticket is: 1 (highest) to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

/// A number that is not a priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("priority must be 1 (highest) to 5, not {0}")]
pub struct PriorityOutOfRange(pub u8);

impl Priority {
    /// The most urgent priority.
    pub const HIGHEST: Self = Self(1);
    /// The least urgent priority.
    pub const LOWEST: Self = Self(5);

    /// The priority with this number, or `None` unless it is 1 to 5.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number >= Self::HIGHEST.0 && number <= Self::LOWEST.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number, 1 (highest) to 5.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Priority {
    type Error = PriorityOutOfRange;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::new(number).ok_or(PriorityOutOfRange(number))
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

/// One promise of an agreement: this much working time for tickets of this priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLevelTarget {
    /// What is promised.
    pub target_type: TargetType,
    /// The tickets for which it is promised.
    pub priority: Priority,
    /// Working time allowed, counted from where the clock begins. More than zero.
    pub duration: Span,
}

/// Whose promises the rules are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Of the side that works on the ticket: its clocks stand still while it waits for others.
    #[default]
    Working,
    /// Of the side that is waited for: its clocks run only while the ball is in its court.
    WaitedFor,
}

/// What a reopening does to a clock that had stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReopenRule {
    /// It goes on from where it had stopped; the time spent finished does not count.
    #[default]
    Resume,
    /// It begins again at zero. A breach of before stays one.
    Restart,
    /// What was is judged for good, and a new cycle begins at zero.
    NewCycle,
}

/// What a change of the target in force does to the time consumed before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetargetRule {
    /// It counts in full against the new target.
    #[default]
    Retroactive,
    /// It counts no more: the new target is allowed from the change on.
    FromChange,
    /// The part of the old target that was used counts as the same part of the new one, rounded
    /// down to a microsecond.
    ProRata,
}

/// The reopen rule of one type of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetReopenRule {
    /// Of which type.
    pub target_type: TargetType,
    /// Which rule.
    pub rule: ReopenRule,
}

/// Where on the way to the deadline something is to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelAt {
    /// When this part of the target is used, in basis points.
    Share(u32),
    /// When so much working time is left before the target is used up.
    BeforeDue(Span),
}

impl LevelAt {
    /// The whole target: a breach.
    pub const BREACH: Self = Self::Share(WHOLE_TARGET_BPS);

    /// The least consumed time that reaches the level. A part is rounded up to a microsecond; from
    /// the whole on, it is more than the target.
    #[must_use]
    pub fn amount(self, target: Span) -> Span {
        match self {
            Self::Share(threshold_bps) => share_amount(target, threshold_bps),
            Self::BeforeDue(left) => target.saturating_sub(left).max(Span::ZERO),
        }
    }
}

fn share_amount(target: Span, threshold_bps: u32) -> Span {
    const ONE_MICROSECOND: Span = Span::from_micros(1);
    let whole = i128::from(WHOLE_TARGET_BPS);
    let part = i128::from(target.as_micros()) * i128::from(threshold_bps);
    let rounded_up = (part + whole - 1).div_euclid(whole);
    let amount = Span::from_micros(i64::try_from(rounded_up).unwrap_or(i64::MAX));
    if threshold_bps < WHOLE_TARGET_BPS {
        amount
    } else {
        amount.max(target.saturating_add(ONE_MICROSECOND))
    }
}

/// To whom an escalation goes, in ITIL's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationType {
    /// To people who know more.
    Functional,
    /// To people who may decide more.
    Hierarchical,
}

/// Somebody is to be told when a clock comes so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationLevel {
    /// What the level is called, such as `duty-manager`.
    pub name: String,
    /// To whom it goes.
    pub escalation_type: EscalationType,
    /// How far a clock has to come.
    pub at: LevelAt,
    /// For which promises; empty for all.
    pub target_types: Vec<TargetType>,
}

impl EscalationLevel {
    /// Whether it is about promises of this type.
    #[must_use]
    pub fn is_about(&self, target_type: TargetType) -> bool {
        self.target_types.is_empty() || self.target_types.contains(&target_type)
    }
}

/// The pinned terms under which a ticket's clocks run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockRules {
    /// Whose promises they are.
    pub side: Side,
    /// What was promised; of two for the same type and priority the first counts.
    pub targets: Vec<ServiceLevelTarget>,
    /// States in which clocks of the working side stand still.
    pub pausing_states: Vec<TicketState>,
    /// Whether the first state other than [`TicketState::New`] counts as a response.
    pub response_by_state: bool,
    /// What a change of priority or of terms does to time consumed before.
    pub retarget_rule: RetargetRule,
    /// What a reopening does; a type that is not listed resumes.
    pub reopen_rules: Vec<TargetReopenRule>,
    /// Parts of a target, in basis points, whose crossing is recorded. Order does not matter.
    pub thresholds_bps: Vec<u32>,
    /// Who is to be told when.
    pub escalation_levels: Vec<EscalationLevel>,
}

impl ClockRules {
    /// Working time promised for this type and priority, or `None` if nothing was.
    #[must_use]
    pub fn target(&self, target_type: TargetType, priority: Priority) -> Option<Span> {
        self.targets
            .iter()
            .find(|target| target.target_type == target_type && target.priority == priority)
            .map(|target| target.duration)
    }

    /// Whether anything of this type is promised.
    #[must_use]
    pub fn promises(&self, target_type: TargetType) -> bool {
        self.targets
            .iter()
            .any(|target| target.target_type == target_type)
    }

    /// What a reopening does to clocks of this type.
    #[must_use]
    pub fn reopen_rule(&self, target_type: TargetType) -> ReopenRule {
        self.reopen_rules
            .iter()
            .find(|rule| rule.target_type == target_type)
            .map_or_else(ReopenRule::default, |rule| rule.rule)
    }

    /// Every level of a clock whose crossing is recorded, each once.
    #[must_use]
    pub fn levels(&self, target_type: TargetType) -> Vec<LevelAt> {
        let shares = self.thresholds_bps.iter().copied().map(LevelAt::Share);
        let escalations = self.escalation_levels.iter();
        let escalations = escalations.filter(|level| level.is_about(target_type));
        let mut levels: Vec<LevelAt> = shares.chain(escalations.map(|level| level.at)).collect();
        levels.sort_unstable();
        levels.dedup();
        levels
    }
}

/// A deadline that both sides agreed for one ticket. It takes the place of the duration: pauses do
/// not move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreedDate {
    /// For which promise.
    pub target_type: TargetType,
    /// From when on it holds.
    pub from: Timestamp,
    /// The deadline; `None` takes the agreed date back.
    pub due_at: Option<Timestamp>,
}

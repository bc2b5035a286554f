//! What an agreement makes of the answers: how urgent it is, whether the deadline can be met, and
//! what waiting costs. Nobody types any of it in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::five_w::FiveW;
use crate::domain::identity::PartyId;
use crate::domain::partnership::Partnership;
use crate::domain::pricing::money::Money;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{Agreement, AgreementContent, AgreementType, priority_of};
use crate::domain::sla::clock::{Priority, TargetType};
use crate::domain::sla::combination::Operand;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::in_force::PinnedTerms;
use crate::domain::time::{MICROS_PER_HOUR, Span, Timestamp};
use crate::domain::world::{Stop, View, for_each};

/// A deadline is tight if less than one part in so many of the resolution target's working time is
/// to spare: less than 25 %.
pub const TIGHT_PART: i64 = 4;
/// Days among which the costliest is looked for: a week, so that a weekend does not hide it.
const DAYS_COMPARED: i64 = 7;
/// A day, in hours.
const HOURS_A_DAY: i64 = 24;

/// Whether a deadline can be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feasibility {
    /// With working time to spare.
    Feasible,
    /// With less than one part in [`TIGHT_PART`] of the target to spare.
    Tight,
    /// Not even if work begins at once.
    Impossible,
}

/// Why a deadline cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpossibleReason {
    /// It is behind us.
    DeadlinePast,
    /// The calendar is closed until then.
    NoWorkingTime,
    /// The calendar has less open time until then than the target allows.
    TooLittleWorkingTime,
}

/// What is thought of a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlineJudgement {
    /// Whether it can be met.
    pub feasibility: Feasibility,
    /// Why not.
    pub reason: Option<ImpossibleReason>,
    /// The first deadline that could be met; `None` if the calendar never has so much open time.
    pub earliest: Option<Timestamp>,
    /// Working time that the resolution target allows.
    pub needed: Span,
    /// Working time until the deadline.
    pub available: Span,
}

/// What waiting costs the client. Each amount is exact but for the last step, which rounds it down
/// to the minor unit; `None` where it does not fit 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostOfDelay {
    /// An hour, as it was told.
    pub per_hour: Money,
    /// The open hours of the costliest day of the week to come; a day is 24 hours.
    pub per_day: Option<Money>,
    /// The open hours until the deadline; `None` without a deadline.
    pub until_deadline: Option<Money>,
}

/// What an agreement made of the answers, at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// When it was made.
    pub at: Timestamp,
    /// By which agreement; `None` if there is none to judge by.
    pub terms: Option<PinnedTerms>,
    /// In whose hours: the calendar of that agreement; `None` if every hour counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Operand>,
    /// How urgent it is; `None` while who or what is unanswered.
    pub priority: Option<Priority>,
    /// What is thought of the deadline; `None` where nothing can be said.
    pub deadline: Option<DeadlineJudgement>,
    /// What waiting costs; `None` if nobody said what an hour costs.
    pub cost_of_delay: Option<CostOfDelay>,
}

impl Judgement {
    /// The deadline's judgement, if it cannot be met.
    #[must_use]
    pub fn impossible(&self) -> Option<&DeadlineJudgement> {
        let deadline = self.deadline.as_ref();
        deadline.filter(|deadline| deadline.feasibility == Feasibility::Impossible)
    }
}

/// The agreement to judge by.
#[derive(Clone, Debug)]
pub struct Basis<'world> {
    /// Which revision of which.
    pub terms: PinnedTerms,
    /// What it says.
    pub content: &'world AgreementContent,
    /// In whose hours.
    pub calendar: Arc<CompiledCalendar>,
}

/// What an expectation is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owed<'expectation> {
    /// The agreement that it names.
    pub(super) agreement: Option<&'expectation str>,
    /// Who has to keep it.
    pub(super) obligor: &'expectation PartyId,
    /// For which client.
    pub(super) client: Option<&'expectation str>,
}

impl Owed<'_> {
    /// Whether an agreement is about it: owed by the same party, and for any client or for this one.
    fn is_under(&self, content: &AgreementContent) -> bool {
        let client = content.client.as_deref();
        content.agreement_type != AgreementType::Reciprocal
            && content.obligor == *self.obligor
            && (client.is_none() || client == self.client)
    }

    /// The agreement named, while it is in force; if none is named, the only one in force that is
    /// about it.
    pub(super) fn basis<'world>(
        &self,
        partnership: &Partnership,
        view: &View<'world>,
    ) -> Result<Option<Basis<'world>>, Stop> {
        let found = if let Some(named) = self.agreement {
            let agreement = view.find::<Agreement>(named)?;
            agreement
                .filter(|agreement| agreement.state.is_in_force())
                .map(|agreement| (named, agreement))
        } else {
            let in_force = for_each(&partnership.agreements_in_force, |id| {
                Ok((id.as_str(), view.find::<Agreement>(id)?))
            })?;
            let mut about = in_force
                .into_iter()
                .filter_map(|(id, agreement)| Some((id, agreement?)))
                .filter(|(_, agreement)| self.is_under(&agreement.content));
            about.next().filter(|_| about.next().is_none())
        };
        let Some((id, agreement)) = found else {
            return Ok(None);
        };
        let content = &agreement.content;
        Ok(Some(Basis {
            terms: PinnedTerms {
                agreement: id.to_owned(),
                revision: agreement.revision,
            },
            content,
            calendar: view.calendar(&content.calendar, content.calendar_revision)?,
        }))
    }

    /// Refuses to name an agreement by which it cannot be judged.
    pub(super) fn check_named(&self, view: &View<'_>) -> Result<(), Stop> {
        const FIELD: &str = "expectation.agreement";
        let Some(named) = self.agreement else {
            return Ok(());
        };
        let in_force = view
            .find::<Agreement>(named)?
            .filter(|agreement| agreement.state.is_in_force());
        let Some(agreement) = in_force else {
            let why = "no such agreement in force";
            return Err(Refusal::field(Reason::AgreementNotActive, FIELD, why).into());
        };
        if self.is_under(&agreement.content) {
            return Ok(());
        }
        let why = "must be owed by the obligor, for any client or for this one, and not RECIPROCAL";
        Err(Refusal::field(Reason::InvalidField, FIELD, why).into())
    }
}

/// Judges answers at `now`. Without an agreement the default matrix makes the priority, every hour
/// costs, and nothing is said of the deadline.
#[must_use]
pub fn judge(five_w: &FiveW, basis: Option<&Basis<'_>>, now: Timestamp) -> Judgement {
    let matrix = basis.map_or(&[][..], |basis| &basis.content.priority_matrix);
    let who_and_what = five_w.who.scope.zip(five_w.what.severity);
    let priority = who_and_what.map(|(scope, severity)| priority_of(matrix, scope, severity));
    let deadline = five_w.when.deadline;
    let always_open = CompiledCalendar::always_open();
    let calendar = basis.map_or(&always_open, |basis| &basis.calendar);
    let needed = basis.zip(priority).and_then(|(basis, priority)| {
        let targets = basis.content.targets.iter();
        let mut resolutions = targets.filter(|target| target.target_type == TargetType::Resolution);
        let resolution = resolutions.find(|target| target.priority == priority)?;
        Some(resolution.duration)
    });
    Judgement {
        at: now,
        terms: basis.map(|basis| basis.terms.clone()),
        calendar: basis.map(|basis| Operand {
            calendar: basis.content.calendar.clone(),
            revision: basis.content.calendar_revision,
        }),
        priority,
        deadline: deadline
            .zip(needed)
            .map(|(deadline, needed)| judge_deadline(deadline, needed, calendar, now)),
        cost_of_delay: five_w
            .what
            .cost_per_hour
            .map(|per_hour| cost_of_delay(per_hour, deadline, calendar, now)),
    }
}

/// A deadline against the working time that a resolution may take if it begins at `now`. Work that
/// is done at the deadline exactly is in time.
fn judge_deadline(
    deadline: Timestamp,
    needed: Span,
    calendar: &CompiledCalendar,
    now: Timestamp,
) -> DeadlineJudgement {
    let available = calendar.elapsed(now, deadline);
    let spare = available.saturating_sub(needed);
    let (feasibility, reason) = if deadline <= now {
        (
            Feasibility::Impossible,
            Some(ImpossibleReason::DeadlinePast),
        )
    } else if available == Span::ZERO {
        (
            Feasibility::Impossible,
            Some(ImpossibleReason::NoWorkingTime),
        )
    } else if spare < Span::ZERO {
        let reason = ImpossibleReason::TooLittleWorkingTime;
        (Feasibility::Impossible, Some(reason))
    } else if i128::from(spare.as_micros()) * i128::from(TIGHT_PART)
        < i128::from(needed.as_micros())
    {
        (Feasibility::Tight, None)
    } else {
        (Feasibility::Feasible, None)
    };
    DeadlineJudgement {
        feasibility,
        reason,
        earliest: calendar.add(now, needed),
        needed,
        available,
    }
}

fn cost_of_delay(
    per_hour: Money,
    deadline: Option<Timestamp>,
    calendar: &CompiledCalendar,
    now: Timestamp,
) -> CostOfDelay {
    let after_days = |days| now.saturating_add(Span::from_hours(days * HOURS_A_DAY));
    let days = (0..DAYS_COMPARED).map(|day| calendar.elapsed(after_days(day), after_days(day + 1)));
    CostOfDelay {
        per_hour,
        per_day: days.max().and_then(|open| cost_of(per_hour, open)),
        until_deadline: deadline
            .and_then(|deadline| cost_of(per_hour, calendar.elapsed(now, deadline))),
    }
}

/// What so much open time costs, rounded down to the minor unit.
fn cost_of(per_hour: Money, open: Span) -> Option<Money> {
    let micros = i128::from(per_hour.minor) * i128::from(open.as_micros());
    let minor = i64::try_from(micros.div_euclid(i128::from(MICROS_PER_HOUR))).ok()?;
    Some(Money::from_minor(per_hour.currency, minor))
}

//! Calendars made of two others: open when either is, or when both are.
//!
//! A revision of such a calendar is a record of its own kind, with the same id as a revision made of
//! windows would have. It pins the revisions of its two calendars, so what it means never changes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::compiled::CompiledCalendar;
use super::settings::{Calendar, CalendarEvent, CalendarRevised, CalendarRevision, require_keeper};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::identity::FirmId;
use crate::domain::outsiders::already_exists;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::world::{Stop, View};

/// How many combinations may stand above one another: 1 is a combination of calendars that are
/// written as windows.
pub const COMBINATION_DEPTH_MAX: u8 = 4;
/// How many calendars a combination is made of.
pub const OPERANDS: usize = 2;

/// How two calendars make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Open whenever at least one of them is.
    Union,
    /// Open only while both are.
    Intersection,
}

/// One of the calendars of a combination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operand {
    /// The calendar's id; of the same scope.
    pub calendar: String,
    /// Its revision, from 1; in a request 0 stands for the latest.
    pub revision: u32,
}

/// One revision of a calendar that is made of two others, never changed. Its record's id is
/// [`CalendarRevision::id_of`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarCombination {
    /// How the two make one.
    pub operator: Operator,
    /// The two, each with the revision that is pinned.
    pub operands: [Operand; OPERANDS],
    /// How many combinations stand above one another, this one included: 1 to
    /// [`COMBINATION_DEPTH_MAX`].
    pub depth: u8,
}

events! {
    /// What happens to a calendar combination.
    CalendarCombinationEvent {
        /// It was written down.
        Created(CalendarCombination) = "calendar_combination.created", 1;
    }
}

impl Aggregate for CalendarCombination {
    type Event = CalendarCombinationEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &CalendarCombinationEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let CalendarCombinationEvent::Created(created) = event;
        previous.is_none().then(|| created.clone())
    }
}

/// A revision of a calendar, made of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Made of windows.
    Windows(CalendarRevision),
    /// Made of two others.
    Combination(CalendarCombination),
}

impl Revision {
    /// How many combinations stand above one another; what a revision is made of has fewer.
    #[must_use]
    pub const fn depth(&self) -> u8 {
        match self {
            Self::Windows(_) => 0,
            Self::Combination(combination) => combination.depth,
        }
    }
}

/// Asks for a calendar, or a new revision of one, that is made of two others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombinationCommand {
    /// Which calendar.
    pub calendar: Combined,
    /// Its name for people, from now on.
    pub display_name: String,
    /// How the two make one.
    pub operator: Operator,
    /// The two.
    pub operands: [Operand; OPERANDS],
}

/// Which calendar is to be a combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Combined {
    /// A new one, under an identifier that the caller chose; without one it is made.
    New(Option<String>),
    /// A new revision of this one.
    Revised(String),
}

/// Decides a command on combinations.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &CombinationCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    require_keeper(firm, view)?;
    let (id, revision) = match &command.calendar {
        Combined::New(chosen) => {
            let id = chosen.clone().unwrap_or_else(|| view.new_id(0));
            if view.find::<Calendar>(&id)?.is_some() {
                return Err(already_exists(Kind::Calendar, &id).into());
            }
            (id, 1)
        }
        Combined::Revised(id) => {
            let revision = view.get::<Calendar>(id)?.next_revision(None)?;
            (id.clone(), revision)
        }
    };
    let mut violations = Violations::default();
    require_display_name(
        &mut violations,
        "calendar.display_name",
        &command.display_name,
    );
    violations.finish()?;
    let created = combination(command, view)?;
    let revised = CalendarRevised {
        display_name: command.display_name.clone(),
        revision,
        adopted_from: None,
    };
    Ok(Decision::about(Kind::Calendar, &id)
        .event(Event::new(
            CalendarRevision::id_of(&id, revision),
            CalendarCombinationEvent::Created(created),
        ))
        .event(Event::new(id, CalendarEvent::Revised(revised))))
}

/// The combination with its revisions pinned, which opens at some time.
fn combination(command: &CombinationCommand, view: &View<'_>) -> Result<CalendarCombination, Stop> {
    let [first, second] = &command.operands;
    let (first, first_depth) = pinned(0, first, view)?;
    let (second, second_depth) = pinned(1, second, view)?;
    let depth = first_depth.max(second_depth) + 1;
    if depth > COMBINATION_DEPTH_MAX {
        let maximum = usize::from(COMBINATION_DEPTH_MAX);
        return Err(Refusal::limit("combination_depth", maximum).into());
    }
    let created = CalendarCombination {
        operator: command.operator,
        operands: [first, second],
        depth,
    };
    created.compile(view)?;
    Ok(created)
}

/// An operand with its revision, and how many combinations stand above one another in it.
fn pinned(index: usize, asked: &Operand, view: &View<'_>) -> Result<(Operand, u8), Stop> {
    let lacking = |field: &str, what: &str| {
        let field = format!("calendar.combination.calendars[{index}].{field}");
        Refusal::field(Reason::NotFound, field, what)
    };
    let calendar = view
        .find::<Calendar>(&asked.calendar)?
        .ok_or_else(|| lacking("calendar", "no such calendar"))?;
    let revision = match asked.revision {
        0 => calendar.latest_revision,
        revision if revision <= calendar.latest_revision => revision,
        _ => return Err(lacking("revision", "no such revision").into()),
    };
    let revision_id = CalendarRevision::id_of(&asked.calendar, revision);
    let below = view.find::<CalendarCombination>(&revision_id)?;
    let operand = Operand {
        calendar: asked.calendar.clone(),
        revision,
    };
    Ok((operand, below.map_or(0, |below| below.depth)))
}

impl CalendarCombination {
    /// The calendar, ready for questions.
    ///
    /// # Errors
    /// [`Reason::CalendarNeverOpens`]; [`Stop::Missing`] while something is not loaded.
    pub fn compile(&self, view: &View<'_>) -> Result<CompiledCalendar, Stop> {
        let [first, second] = &self.operands;
        let first = view.calendar(&first.calendar, first.revision)?;
        let second = view.calendar(&second.calendar, second.revision)?;
        Ok(self.compile_from([first, second])?)
    }

    /// The calendar, ready for questions, from its two.
    ///
    /// # Errors
    /// [`Reason::CalendarNeverOpens`].
    pub fn compile_from(
        &self,
        calendars: [Arc<CompiledCalendar>; OPERANDS],
    ) -> Result<CompiledCalendar, Refusal> {
        CompiledCalendar::combine(self.operator, calendars).map_err(|fault| {
            let field = "calendar.combination";
            Refusal::field(Reason::CalendarNeverOpens, field, fault.to_string())
        })
    }
}

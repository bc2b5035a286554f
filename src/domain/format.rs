//! Formats: in which versions bodies and events are written.
//!
//! Programs of two versions may work on one database while the newer one is rolled out. So a program
//! that knows a newer form of a body or an event goes on writing the older one, until somebody who knows
//! that no older program is left *activates* the format that has it. A format is a number; each stands
//! for one version of every body and of every event. What is stored in an older version is read for
//! ever, and is written in the newer one when it changes next.
//!
//! The record of the active format can never change its own form: every program has to be able to read
//! that it is too old.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::identity::FirmId;
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal};
use super::time::Timestamp;
use super::world::{Stop, View};

/// The id of the one record of this kind, in the operator's scope.
pub const ACTIVE_FORMAT: &str = "format";

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Format(u32);

impl Format {
    /// The first one; it is active where nothing else was activated.
    pub const FIRST: Self = Self(1);
    /// The newest one that this program knows.
    #[cfg(not(feature = "next-format"))]
    pub const NEWEST: Self = Self::FIRST;
    /// The newest one that this program knows: one more than others, to try how that goes.
    #[cfg(feature = "next-format")]
    pub const NEWEST: Self = Self(Self::FIRST.0 + 1);

    /// The format of that number, whether this program knows it or not.
    #[must_use]
    pub const fn numbered(number: u32) -> Self {
        Self(number)
    }

    /// Its number, from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Whether this program can read and write it.
    #[must_use]
    pub fn is_known(self) -> bool {
        (Self::FIRST..=Self::NEWEST).contains(&self)
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::FIRST
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "format {}", self.0)
    }
}

/// The format that is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActiveFormat {
    /// Which.
    pub format: Format,
    /// Since when.
    pub activated_at: Timestamp,
}

/// A format was activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormatActivated {
    /// Which.
    pub format: Format,
}

events! {
    /// What happens to the format that is written.
    ActiveFormatEvent {
        /// A newer one was activated.
        Activated(FormatActivated) = "format.activated", 1;
    }
}

impl Aggregate for ActiveFormat {
    type Event = ActiveFormatEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ActiveFormatEvent, by: &Recorded) -> Option<Self> {
        let ActiveFormatEvent::Activated(activated) = event;
        let before = previous.map_or(Format::FIRST, |before| before.format);
        let activated = Self {
            format: activated.format,
            activated_at: by.at,
        };
        (activated.format > before).then_some(activated)
    }
}

/// Activates a format; activating it again changes nothing.
///
/// # Errors
/// A format that this program does not know, or an older one than is active: what was written in that
/// could not be read any more.
pub fn activate(format: Format, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    if *firm != FirmId::operator() || *view.scope != FirmId::operator().scope() {
        return Err(Refusal::not_found("format").into());
    }
    let decision = Decision::about(Kind::ActiveFormat, ACTIVE_FORMAT);
    let active = view.find::<ActiveFormat>(ACTIVE_FORMAT)?;
    let active = active.map_or(Format::FIRST, |active| active.format);
    if format == active {
        return Ok(decision);
    }
    let described = if !format.is_known() {
        format!("this program knows {} to {}", Format::FIRST, Format::NEWEST)
    } else if format < active {
        format!("{active} is active, and there is no way back")
    } else {
        let activated = FormatActivated { format };
        return Ok(decision.event(Event::new(
            ACTIVE_FORMAT,
            ActiveFormatEvent::Activated(activated),
        )));
    };
    Err(Refusal::field(Reason::InvalidField, "format", &described).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_way_back() {
        let by = Recorded {
            sequence: 1,
            at: Timestamp::from_micros(1),
            firm: Some(FirmId::operator()),
            actor: String::new(),
        };
        let activated = |number| {
            ActiveFormatEvent::Activated(FormatActivated {
                format: Format::numbered(number),
            })
        };
        assert_eq!(ActiveFormat::apply(None, &activated(1), &by), None);
        let second = ActiveFormat::apply(None, &activated(2), &by);
        assert_eq!(second.clone().map(|it| it.format.number()), Some(2));
        let third = ActiveFormat::apply(second, &activated(3), &by);
        assert_eq!(ActiveFormat::apply(third, &activated(2), &by), None);
    }

    #[test]
    fn what_it_knows_ends_with_the_newest() {
        assert!(Format::FIRST.is_known() && Format::NEWEST.is_known());
        let later = Format::numbered(Format::NEWEST.number() + 1);
        assert!(!later.is_known() && !Format::numbered(0).is_known());
    }

    /// Every program that will ever be has to read this.
    #[test]
    fn form_never_changes() {
        let body = r#"{"format":7,"activated_at":1}"#;
        let read: ActiveFormat = serde_json::from_str(body).unwrap();
        assert_eq!(read.format, Format::numbered(7));
        assert_eq!(serde_json::to_string(&read).unwrap(), body);
        assert_eq!(ActiveFormat::BODY_VERSION, 1);
    }
}

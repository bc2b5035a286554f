//! Redactions: what the firm that wrote it has erased.
//!
//! A redaction names a commitment; with it, the opening is erased. Journal, records and hashes stay as
//! they are: they never held anything but the commitment.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::commitment::Commitment;
use super::identity::FirmId;
use super::partnership::as_party;
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal};
use super::time::Timestamp;
use super::world::{Stop, View, for_each};

/// Most commitments that one command redacts.
pub const REDACTIONS_MAX: usize = 200;

/// Why something was erased. There is no text to it, which would have to be erased in its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedactionReason {
    /// A person asked for what is known of them to be erased.
    PersonAsked,
    /// It should never have been written.
    WrittenByMistake,
    /// It is needed no longer.
    NoLongerNeeded,
    /// Anything else.
    Other,
}

/// Something was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redacted {
    /// Which field it was of.
    pub label: String,
    /// Why.
    pub reason: RedactionReason,
}

/// What was erased. Its record's id is the commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// Which field it was of.
    pub label: String,
    /// Why.
    pub reason: RedactionReason,
    /// The firm that wrote it, and had it erased.
    pub firm: FirmId,
    /// When.
    pub at: Timestamp,
}

events! {
    /// What happens to a redaction.
    RedactionEvent {
        /// The opening was erased.
        Redacted(Redacted) = "redaction.redacted", 1;
    }
}

impl Aggregate for Redaction {
    type Event = RedactionEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &RedactionEvent, recorded: &Recorded) -> Option<Self> {
        let RedactionEvent::Redacted(redacted) = event;
        if previous.is_some() {
            return None;
        }
        Some(Self {
            label: redacted.label.clone(),
            reason: redacted.reason,
            firm: recorded.firm.clone()?,
            at: recorded.at,
        })
    }
}

/// Erases what the caller's firm wrote. Whether it did is found in the journal, which never changes,
/// before the command is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactCommand {
    /// The commitments, each with the label of its opening.
    pub wanted: Vec<(Commitment, String)>,
    /// Why.
    pub reason: RedactionReason,
}

/// Decides a redaction. What was redacted before is not again. A partnership that has ended allows
/// it, too.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &RedactCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    if view.scope.is_firm() {
        if firm.scope() != *view.scope {
            return Err(Refusal::not_found("scope").into());
        }
    } else {
        as_party(firm, view)?;
    }
    let wanted: BTreeSet<_> = command.wanted.iter().collect();
    let Some((first, _)) = wanted.first() else {
        return Err(Refusal::new(Reason::Internal, "a redaction of nothing").into());
    };
    if wanted.len() > REDACTIONS_MAX {
        return Err(Refusal::limit("redactions_per_request", REDACTIONS_MAX).into());
    }
    let about = Decision::about(Kind::Redaction, first.as_str());
    let known = for_each(&wanted, |(commitment, _)| {
        Ok(view.find::<Redaction>(commitment.as_str())?.is_some())
    })?;
    let new = wanted.iter().zip(known).filter(|(_, known)| !known);
    let mut decision = new.fold(about, |decision, ((commitment, label), _)| {
        let redacted = Redacted {
            label: label.clone(),
            reason: command.reason,
        };
        let redacted = RedactionEvent::Redacted(redacted);
        decision.event(Event::new(commitment.as_str(), redacted))
    });
    decision.erased = wanted.iter().map(|(found, _)| found.clone()).collect();
    Ok(decision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::Action;
    use crate::domain::tests::{FIRST, SECOND, Scene, sealed};

    fn erasing(texts: &[&str]) -> Action {
        let wanted = texts.iter().map(|text| (sealed(text), "title".to_owned()));
        Action::Redact(RedactCommand {
            wanted: wanted.collect(),
            reason: RedactionReason::PersonAsked,
        })
    }

    #[test]
    fn what_is_redacted_stays_redacted_and_is_so_once() {
        let mut scene = Scene::shared(None);
        let events = scene.ask(FIRST, erasing(&["a", "b", "a"]));
        assert_eq!(events, Ok(vec!["redaction.redacted"; 2]));
        let events = scene.ask(FIRST, erasing(&["b", "c"]));
        assert_eq!(events, Ok(vec!["redaction.redacted"; 1]));
        let found = scene.get::<Redaction>(sealed("a").as_str());
        assert_eq!(
            (found.label.as_str(), found.firm.as_str()),
            ("title", FIRST)
        );
    }

    #[test]
    fn strangers_and_too_many() {
        let mut scene = Scene::shared(None);
        assert_eq!(scene.reason("stranger", erasing(&["a"])), Reason::NotFound);
        let many: Vec<String> = (0..=REDACTIONS_MAX).map(|it| it.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(scene.reason(SECOND, erasing(&many)), Reason::LimitReached);
        scene.go(SECOND, erasing(&many[1..]));
    }
}

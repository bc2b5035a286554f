//! A journal that was restored: where its new epoch begins.
//!
//! What a database loses when an older copy of it takes its place, nobody can bring back. But it can be
//! said: each chain gets an entry that names the last entry that was kept. Whoever saw later ones knows
//! then that these never happened as far as this journal goes, and where to go on from.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::record::{Event, Kind};
use super::time::Timestamp;
use super::world::{Stop, View};

/// The id of the one record of this kind in a scope.
pub const RESTORATION: &str = "restoration";

/// How often a scope's journal was restored, and where its epochs begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restoration {
    /// How often, from 1.
    pub epoch: u32,
    /// The last entry that is older than the first restoration: all copies of this journal, and
    /// whoever saw any of them, have the entries up to here in common.
    pub first_sequence: u64,
    /// The last entry that is older than the latest restoration.
    pub latest_sequence: u64,
    /// When the latest restoration was told.
    pub restored_at: Timestamp,
}

/// The journal was restored, and goes on after `sequence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalRestored {
    /// How often it was restored by now, from 1.
    pub epoch: u32,
    /// The last entry that was kept; this one follows it.
    pub sequence: u64,
}

events! {
    /// What happens to a journal as a whole.
    RestorationEvent {
        /// It was restored.
        Restored(JournalRestored) = "journal.restored", 1;
    }
}

impl Aggregate for Restoration {
    type Event = RestorationEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &RestorationEvent, by: &Recorded) -> Option<Self> {
        let RestorationEvent::Restored(restored) = event;
        let epoch = previous.as_ref().map_or(0, |before| before.epoch);
        let follows = restored.sequence.checked_add(1) == Some(by.sequence);
        (follows && epoch.checked_add(1) == Some(restored.epoch)).then(|| Self {
            epoch: restored.epoch,
            first_sequence: previous.map_or(restored.sequence, |before| before.first_sequence),
            latest_sequence: restored.sequence,
            restored_at: by.at,
        })
    }
}

/// Tells that the scope's journal was restored, unless that was the last thing told: then nothing came
/// after it that anybody could have seen.
///
/// # Errors
/// What has to be loaded first.
pub fn restored(view: &View<'_>) -> Result<Decision, Stop> {
    let decision = Decision::about(Kind::Restoration, RESTORATION);
    let before = view.find::<Restoration>(RESTORATION)?;
    let sequence = view.next_sequence.saturating_sub(1);
    let is_told = before.is_some_and(|before| before.latest_sequence.saturating_add(1) == sequence);
    if sequence == 0 || is_told {
        return Ok(decision);
    }
    let epoch = before.map_or(0, |before| before.epoch).saturating_add(1);
    let restored = JournalRestored { epoch, sequence };
    Ok(decision.event(Event::new(
        RESTORATION,
        RestorationEvent::Restored(restored),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(sequence: u64) -> Recorded {
        Recorded {
            sequence,
            at: Timestamp::from_micros(7),
            firm: None,
            actor: String::new(),
        }
    }

    fn after(previous: Option<Restoration>, epoch: u32, sequence: u64) -> Option<Restoration> {
        let event = RestorationEvent::Restored(JournalRestored { epoch, sequence });
        Restoration::apply(previous, &event, &recorded(sequence + 1))
    }

    #[test]
    fn epochs_are_counted_and_the_first_is_kept() {
        let first = after(None, 1, 5).unwrap();
        assert_eq!((first.first_sequence, first.latest_sequence), (5, 5));
        let second = after(Some(first.clone()), 2, 9).unwrap();
        assert_eq!((second.first_sequence, second.latest_sequence), (5, 9));
        assert_eq!(second.epoch, 2);
        assert_eq!(after(Some(first), 3, 9), None, "an epoch is missing");
        assert_eq!(after(None, 2, 9), None, "the first is missing");
    }

    #[test]
    fn an_epoch_begins_where_it_says() {
        let event = RestorationEvent::Restored(JournalRestored {
            epoch: 1,
            sequence: 5,
        });
        assert_eq!(Restoration::apply(None, &event, &recorded(7)), None);
    }
}

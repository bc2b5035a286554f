//! Exit drills: could a client leave today? A drill looks at all that is held for it, says what is
//! missing, and remembers what it found.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::item::{CustodyItem, CustodyState};
use super::request::{HandOverRequest, RequestState};
use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::partnership::as_present_party;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::Refusal;
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Stop, View, for_each};

/// Most items of a client that a drill looks at.
pub const DRILL_ITEMS_MAX: usize = 200;
/// After so long a test says little.
pub const TEST_GOOD_FOR: Span = Span::from_hours(365 * 24);

/// What keeps a client from leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// Nothing that is held for the client is recorded at all.
    NothingRecorded,
    /// Nobody ever tried whether it could be handed over.
    NeverTested,
    /// Nobody did within [`TEST_GOOD_FOR`].
    TestedLongAgo,
    /// The last test failed.
    TestFailed,
    /// It is not said where it is kept.
    NoLocation,
    /// It was asked for, and its holder withholds it.
    Withheld,
    /// It was asked for, and the time has passed.
    Overdue,
}

/// Something that keeps a client from leaving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillGap {
    /// What.
    pub kind: GapKind,
    /// Identifier of the item; `None` for what is of none.
    pub item: Option<String>,
}

/// How much of what there was for a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillCounts {
    /// Items that are held for it.
    pub custody_items: u32,
    /// Requests to hand over that are not settled.
    pub hand_over_requests: u32,
    /// Outside parties with which something is held for it.
    pub outside_parties: u32,
    /// People and desks to turn to.
    pub contacts: u32,
    /// Agreements for it that are in force.
    pub agreements: u32,
    /// Open tickets under these.
    pub tickets: u32,
    /// Expectations of it that are not over.
    pub expectations: u32,
    /// Notices about it of something that is still ahead.
    pub notices: u32,
}

/// A drill was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitDrillRun {
    /// By which party.
    pub party: PartyId,
    /// Identifier of the client.
    pub client: String,
    /// The parties that hold something for it, in order, each once.
    pub holders: Vec<PartyId>,
    /// How much of what there was.
    pub counts: DrillCounts,
    /// What is missing, in the order of the items' ids.
    pub gaps: Vec<DrillGap>,
    /// SHA-256 of the export that was answered, as hexadecimal.
    pub export_digest: String,
}

events! {
    /// What happens to a drill.
    ExitDrillEvent {
        /// It was run.
        Run(ExitDrillRun) = "exit_drill.run", 1;
    }
}

/// A drill for a client's leaving; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitDrill {
    /// What it found.
    pub run: ExitDrillRun,
    /// Who ran it, and when.
    pub by: By,
}

impl Aggregate for ExitDrill {
    type Event = ExitDrillEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ExitDrillEvent, recorded: &Recorded) -> Option<Self> {
        let ExitDrillEvent::Run(run) = event;
        let by = By::of(&run.party, recorded)?;
        let run = run.clone();
        previous.is_none().then_some(Self { run, by })
    }
}

/// Runs a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunExitDrill {
    /// An identifier that the caller chose; otherwise one is made.
    pub id: Option<String>,
    /// The client, which must exist.
    pub client: String,
    /// Identifiers of all items of it, ascending; those that are not held any more are left aside.
    pub items: Vec<String>,
    /// How much there is of what the export has beside items and requests.
    pub counts: DrillCounts,
    /// SHA-256 of the export, as hexadecimal.
    pub export_digest: String,
}

/// Decides what a drill finds.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(asked: &RunExitDrill, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (_, own) = as_present_party(firm, view)?;
    view.get::<Client>(&asked.client)?;
    if asked.items.len() > DRILL_ITEMS_MAX {
        return Err(Refusal::limit("custody_items_per_exit_drill", DRILL_ITEMS_MAX).into());
    }
    let id = asked.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<ExitDrill>(&id)?.is_some() {
        return Err(already_exists(Kind::ExitDrill, &id).into());
    }
    let items = for_each(&asked.items, |item| {
        Ok((item.as_str(), view.get::<CustodyItem>(item)?))
    })?;
    let held: Vec<Held<'_>> = for_each(items, |(id, item)| {
        let request = item.request.as_deref();
        let request = request.map(|id| view.get::<HandOverRequest>(id));
        Ok(Held {
            id,
            item,
            request: request.transpose()?,
        })
    })?;
    let held: Vec<Held<'_>> = held
        .into_iter()
        .filter(|held| held.is_of(&asked.client))
        .collect();
    let holders: BTreeSet<PartyId> = held.iter().map(|held| held.item.holder.clone()).collect();
    let requests: BTreeSet<&str> = held
        .iter()
        .filter_map(|held| held.item.request.as_deref())
        .collect();
    let run = ExitDrillEvent::Run(ExitDrillRun {
        party: own.id.clone(),
        client: asked.client.clone(),
        holders: holders.into_iter().collect(),
        counts: DrillCounts {
            custody_items: count(held.len()),
            hand_over_requests: count(requests.len()),
            ..asked.counts
        },
        gaps: gaps(&held, view.now),
        export_digest: asked.export_digest.clone(),
    });
    Ok(Decision::about(Kind::ExitDrill, &id).event(Event::new(&id, run)))
}

/// A number of things, which is never so large that it does not fit.
#[must_use]
pub fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// An item, and the request for it, if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Held<'world> {
    /// Its identifier.
    pub id: &'world str,
    /// The item.
    pub item: &'world CustodyItem,
    /// The request that it is to be handed over by.
    pub request: Option<&'world HandOverRequest>,
}

impl Held<'_> {
    /// Whether it is held for a client.
    #[must_use]
    pub fn is_of(&self, client: &str) -> bool {
        self.item.state == CustodyState::Held && self.item.owner.client() == Some(client)
    }

    /// What is missing of it at an instant.
    fn gaps(&self, now: Timestamp) -> impl Iterator<Item = GapKind> {
        let of_test = match self.item.last_test() {
            None => Some(GapKind::NeverTested),
            Some(test) if !test.said.is_passed => Some(GapKind::TestFailed),
            Some(test) if now.since(test.said.at) > TEST_GOOD_FOR => Some(GapKind::TestedLongAgo),
            Some(_) => None,
        };
        let of_location = self.item.location.is_none().then_some(GapKind::NoLocation);
        let request = self.request;
        let is_withheld = request.is_some_and(|found| found.state == RequestState::Withheld);
        let is_overdue =
            request.is_some_and(|found| found.state.is_waiting() && found.is_overdue_at(now));
        let of_request = [
            is_withheld.then_some(GapKind::Withheld),
            is_overdue.then_some(GapKind::Overdue),
        ];
        [of_test, of_location]
            .into_iter()
            .chain(of_request)
            .flatten()
    }
}

/// What keeps a client from leaving with what is held for it.
#[must_use]
pub fn gaps(held: &[Held<'_>], now: Timestamp) -> Vec<DrillGap> {
    if held.is_empty() {
        let kind = GapKind::NothingRecorded;
        return vec![DrillGap { kind, item: None }];
    }
    let of_item = |held: &Held<'_>| {
        let item = held.id.to_owned();
        let gaps = held.gaps(now).map(move |kind| DrillGap {
            kind,
            item: Some(item.clone()),
        });
        gaps.collect::<Vec<_>>()
    };
    held.iter().flat_map(of_item).collect()
}

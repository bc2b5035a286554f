//! Who gains by what: commissions, margins and shares in firms that a party tells the others of.

use serde::{Deserialize, Serialize};

use super::{is_absent, require_one_of, require_party};
use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::outsiders::{OutsideParty, already_exists};
use crate::domain::partnership::{Partnership, Party, as_present_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::Violations;
use crate::domain::sla::calendar::CivilDate;
use crate::domain::time::{MICROS_PER_DAY, Timestamp};
use crate::domain::world::{Stop, View};

/// The state of a disclosure that holds.
pub const STANDING: &str = "standing";
/// The state of a disclosure of what is over.
pub const ENDED: &str = "ended";

/// How a party gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StakeNature {
    /// It is paid for each sale.
    Commission,
    /// It sells on at a higher price.
    ResaleMargin,
    /// It is paid for naming somebody.
    ReferralFee,
    /// It owns a part of it.
    Ownership,
    /// In another way.
    Other,
}

/// It was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StakeDisclosed {
    /// The party that told it.
    pub party: PartyId,
    /// The party that gains.
    pub holder: PartyId,
    /// How.
    pub nature: StakeNature,
    /// Identifier of the outside party by which.
    pub outside_party: Option<String>,
    /// By whom or what, and how much, in words: a commitment.
    pub words: Option<Commitment>,
    /// Since which day.
    pub since: CivilDate,
    /// Whether nobody stood there to tell it for itself.
    pub is_asserted: bool,
}

/// It is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StakeEnded {
    /// The party that says so.
    pub party: PartyId,
    /// The last day on which it held.
    pub until: CivilDate,
    /// What there is to say: a commitment.
    pub words: Option<Commitment>,
}

/// The end of it, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StakeEnd {
    /// The last day on which it held.
    pub until: CivilDate,
    /// What was said: a commitment.
    pub words: Option<Commitment>,
    /// Who said so, and when.
    pub by: By,
}

events! {
    /// What happens to what a party told of its gains.
    StakeDisclosureEvent {
        /// It was told.
        Disclosed(StakeDisclosed) = "stake_disclosure.disclosed", 1;
        /// It is over.
        Ended(StakeEnded) = "stake_disclosure.ended", 1;
    }
}

/// What a party told of its gains. It is never changed; another one is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StakeDisclosure {
    /// What was told.
    pub told: StakeDisclosed,
    /// Who told it, and when.
    pub by: By,
    /// The end of it, if it is over.
    pub end: Option<StakeEnd>,
}

impl Aggregate for StakeDisclosure {
    type Event = StakeDisclosureEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &StakeDisclosureEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, StakeDisclosureEvent::Disclosed(told)) => Some(Self {
                told: told.clone(),
                by: By::of(&told.party, recorded)?,
                end: None,
            }),
            (Some(mut disclosure), StakeDisclosureEvent::Ended(ended)) => {
                disclosure.end = Some(StakeEnd {
                    until: ended.until,
                    words: ended.words.clone(),
                    by: By::of(&ended.party, recorded)?,
                });
                Some(disclosure)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.end.is_some() { ENDED } else { STANDING }
    }
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StakeDraft {
    /// An identifier that the caller chose; otherwise one is made.
    pub id: Option<String>,
    /// The party that gains; the caller's own if not stated, or one that is not there.
    pub holder: Option<PartyId>,
    /// How.
    pub nature: StakeNature,
    /// The outside party by which, which must exist.
    pub outside_party: Option<String>,
    /// By whom or what, and how much.
    pub words: Option<Commitment>,
    /// Since which day; not in the future.
    pub since: CivilDate,
}

/// What can be asked of what parties tell of their gains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StakeCommand {
    /// Tells something.
    Disclose(StakeDraft),
    /// Says that it is over; for the party that gains. To say it again changes nothing.
    End {
        /// Which disclosure.
        id: String,
        /// The last day on which it held: not before it began, and not in the future.
        until: CivilDate,
        /// What there is to say.
        words: Option<Commitment>,
    },
}

/// Decides a command on what parties tell of their gains.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &StakeCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, own) = as_present_party(firm, view)?;
    match command {
        StakeCommand::Disclose(draft) => disclose(draft, own, partnership, view),
        StakeCommand::End { id, until, words } => {
            let disclosure = view.get::<StakeDisclosure>(id)?;
            let holder = [&disclosure.told.holder];
            require_one_of(&holder, partnership, own, "EndStakeDisclosure")?;
            let about = Decision::about(Kind::StakeDisclosure, id);
            if disclosure.end.is_some() {
                return Ok(about);
            }
            let mut violations = Violations::default();
            let since = disclosure.told.since.days_since_epoch();
            let sensible = until.days_since_epoch() >= since && is_past(*until, view.now);
            let rule = "not before it began, and not in the future";
            violations.require(sensible, "end_date", rule);
            violations.finish()?;
            let ended = StakeDisclosureEvent::Ended(StakeEnded {
                party: own.id.clone(),
                until: *until,
                words: words.clone(),
            });
            Ok(about.event(Event::new(id, ended)))
        }
    }
}

fn disclose(
    draft: &StakeDraft,
    own: &Party,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let holder = draft.holder.as_ref().unwrap_or(&own.id);
    let mut violations = Violations::default();
    violations.take(require_party(
        partnership,
        holder,
        "stake_disclosure.holder",
    ));
    let is_named = draft.outside_party.is_some() || draft.words.is_some();
    let rule = "outside_party or words must say by whom";
    violations.require(is_named, "stake_disclosure.outside_party", rule);
    let sensible = is_past(draft.since, view.now);
    let rule = "not before the year 2000, and not in the future";
    violations.require(sensible, "stake_disclosure.since", rule);
    violations.finish()?;
    require_one_of(&[holder], partnership, own, "DiscloseStake")?;
    let id = draft.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<StakeDisclosure>(&id)?.is_some() {
        return Err(already_exists(Kind::StakeDisclosure, &id).into());
    }
    if let Some(outside_party) = &draft.outside_party {
        view.get::<OutsideParty>(outside_party)?;
    }
    let told = StakeDisclosureEvent::Disclosed(StakeDisclosed {
        party: own.id.clone(),
        holder: holder.clone(),
        nature: draft.nature,
        outside_party: draft.outside_party.clone(),
        words: draft.words.clone(),
        since: draft.since,
        is_asserted: is_absent(partnership, holder),
    });
    Ok(Decision::about(Kind::StakeDisclosure, &id).event(Event::new(&id, told)))
}

/// Whether a day from the year 2000 on has begun somewhere on earth.
fn is_past(date: CivilDate, now: Timestamp) -> bool {
    let day_starts = i128::from(date.days_since_epoch()) * i128::from(MICROS_PER_DAY);
    let earliest = i128::from(Timestamp::EARLIEST.as_micros());
    // That is up to fourteen hours before it does in UTC.
    let latest = i128::from(now.as_micros()) + i128::from(MICROS_PER_DAY);
    (earliest..=latest).contains(&day_starts)
}

//! Times that are told, and on whose behalf. A firm tells another's time only if that one gave it
//! and allowed it to be told.

use serde::{Deserialize, Serialize};

use super::{Progress, Subject};
use crate::domain::identity::PartyId;
use crate::domain::outsiders::OutsideParty;
use crate::domain::partnership::Partnership;
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::update::{Audience, Update};
use crate::domain::world::{Stop, View};

/// Most times of one update.
pub const TIMES_MAX: usize = 5;
/// Most times that a progress keeps: one for each matter and source.
pub const TOLD_MAX: usize = 100;

/// What is to happen at a time that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeMatter {
    /// Somebody is there.
    Arrival,
    /// There is more to tell.
    NextUpdate,
    /// There is a way to go on working.
    Workaround,
    /// It is resolved.
    Resolution,
}

impl TimeMatter {
    /// The name used in errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::NextUpdate => "next_update",
            Self::Workaround => "workaround",
            Self::Resolution => "resolution",
        }
    }
}

/// Whose time it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// A party's.
    Party(PartyId),
    /// Identifier of an outside party.
    OutsideParty(String),
}

impl std::fmt::Display for TimeSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Party(party) => write!(formatter, "{party}"),
            Self::OutsideParty(id) => write!(formatter, "outsideParties/{id}"),
        }
    }
}

/// A time as a caller tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeDraft {
    /// What happens then.
    pub matter: TimeMatter,
    /// When; `None` takes back what was told before.
    pub at: Option<Timestamp>,
    /// Whose time it is.
    pub source: TimeSource,
    /// Whether other parties may tell it to the client.
    pub may_disclose: bool,
    /// Number of the update that gave it, where another party did.
    pub given_in: Option<u32>,
}

/// A time that was told in an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeTold {
    /// What happens then.
    pub matter: TimeMatter,
    /// When; `None` where it was taken back.
    pub at: Option<Timestamp>,
    /// Whose time it is.
    pub source: TimeSource,
    /// Whether other parties may tell it to the client.
    pub may_disclose: bool,
    /// Number of the update that gave it; `None` if this one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_in: Option<u32>,
}

/// The last time that a source told of a matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrentTime {
    /// What happens then.
    pub matter: TimeMatter,
    /// When; `None` if it was taken back.
    pub at: Option<Timestamp>,
    /// Whose time it is.
    pub source: TimeSource,
    /// Whether other parties may tell it to the client.
    pub may_disclose: bool,
    /// Number of the update that gave it.
    pub given_in: u32,
    /// The party that posted that update.
    pub giver: PartyId,
}

impl CurrentTime {
    pub(super) fn is_about_the_same_as(&self, other: &Self) -> bool {
        self.matter == other.matter && self.source == other.source
    }
}

/// Who tells times, where, and to whom.
pub(in crate::domain) struct Teller<'world> {
    pub(in crate::domain) subject: &'world Subject,
    pub(in crate::domain) progress: Option<&'world Progress>,
    pub(in crate::domain) partnership: &'world Partnership,
    pub(in crate::domain) party: &'world PartyId,
    pub(in crate::domain) audience: Audience,
    /// Number of the update.
    pub(in crate::domain) number: u32,
    pub(in crate::domain) view: View<'world>,
}

/// What an update tells, and what of it is news: times that it gives or takes back itself.
///
/// # Errors
/// [`Reason::TimeNotGiven`], [`Reason::TimeSuperseded`] and [`Reason::TimeNotDisclosable`] for what
/// may not be told on another's behalf; [`Reason::InvalidField`] with everything else.
pub(in crate::domain) fn tell(
    teller: &Teller<'_>,
    drafts: &[TimeDraft],
) -> Result<(Vec<TimeTold>, Vec<CurrentTime>), Stop> {
    let mut violations = Violations::default();
    let few = drafts.len() <= TIMES_MAX;
    violations.require(few, "update.times", &format!("no more than {TIMES_MAX}"));
    for (index, draft) in drafts.iter().enumerate().take(TIMES_MAX) {
        let earlier = &drafts[..index];
        teller.check(
            draft,
            earlier,
            &format!("update.times[{index}]"),
            &mut violations,
        )?;
    }
    violations.finish()?;
    let mut told = Vec::with_capacity(drafts.len());
    let mut news: Vec<CurrentTime> = Vec::new();
    for draft in drafts {
        let may_disclose = match draft.given_in {
            None if teller.may_give(draft)? => {
                news.push(teller.given(draft));
                draft.may_disclose
            }
            _ => teller.cited(draft)?.may_disclose,
        };
        told.push(TimeTold {
            matter: draft.matter,
            at: draft.at,
            source: draft.source.clone(),
            may_disclose,
            given_in: draft.given_in,
        });
    }
    let known = teller.progress.map_or(&[][..], |progress| &progress.told);
    let kept = known.iter().filter(|known| {
        let mut news = news.iter();
        !news.any(|news| news.is_about_the_same_as(known))
    });
    if kept.count() + news.len() > TOLD_MAX {
        return Err(Refusal::limit("times told about one thing", TOLD_MAX).into());
    }
    Ok((told, news))
}

impl Teller<'_> {
    fn current(&self, draft: &TimeDraft) -> Option<&CurrentTime> {
        let mut told = self.progress?.told.iter();
        told.find(|known| known.matter == draft.matter && known.source == draft.source)
    }

    fn is_own(&self, source: &TimeSource) -> bool {
        matches!(source, TimeSource::Party(party) if party == self.party)
    }

    fn check(
        &self,
        draft: &TimeDraft,
        earlier: &[TimeDraft],
        field: &str,
        violations: &mut Violations,
    ) -> Result<(), Stop> {
        let storable = draft.at.is_none_or(Timestamp::is_storable);
        let years = "between the years 2000 and 2099";
        violations.require(storable, &format!("{field}.time"), years);
        let is_known = match &draft.source {
            TimeSource::Party(party) => self.partnership.party(party).is_some(),
            TimeSource::OutsideParty(id) => self.view.find::<OutsideParty>(id)?.is_some(),
        };
        let source = format!("{field}.source");
        violations.require(is_known, &source, "no such party or outside party");
        let same = |other: &TimeDraft| other.matter == draft.matter && other.source == draft.source;
        let is_once = !earlier.iter().any(same);
        violations.require(is_once, field, "each matter of each source once");
        let cites_own = draft.given_in.is_some() && self.is_own(&draft.source);
        let rule = "only for another's time: one's own is given by telling it";
        violations.require(!cites_own, &format!("{field}.given_in"), rule);
        let withdraws_cited = draft.at.is_none() && draft.given_in.is_some();
        let rule = "only who gave a time takes it back";
        violations.require(!withdraws_cited, &format!("{field}.time"), rule);
        let tolds = self.current(draft).is_some_and(|known| known.at.is_some());
        let withdraws_nothing = draft.at.is_none() && draft.given_in.is_none() && !tolds;
        let rule = "must be given: there is none to take back";
        violations.require(!withdraws_nothing, &format!("{field}.time"), rule);
        Ok(())
    }

    /// Whether a time that cites no update may be given by this party: its own, or one that it has
    /// from an outside party.
    fn may_give(&self, draft: &TimeDraft) -> Result<bool, Refusal> {
        if self.is_own(&draft.source) {
            return Ok(true);
        }
        if matches!(draft.source, TimeSource::Party(_)) {
            return Ok(false);
        }
        if self.audience == Audience::Client && draft.at.is_some() {
            // What another party has from the same source and may not tell is not told over its head.
            let kept = self.current(draft).is_some_and(|known| {
                known.giver != *self.party && known.at.is_some() && !known.may_disclose
            });
            if kept || !draft.may_disclose {
                return Err(not_disclosable(draft));
            }
        }
        Ok(true)
    }

    fn given(&self, draft: &TimeDraft) -> CurrentTime {
        CurrentTime {
            matter: draft.matter,
            at: draft.at,
            source: draft.source.clone(),
            may_disclose: draft.may_disclose,
            given_in: self.number,
            giver: self.party.clone(),
        }
    }

    /// What is known of a time of another's: it was given in the update that is cited, to the
    /// instant, is still what its source says, and may be told to this audience.
    fn cited(&self, draft: &TimeDraft) -> Result<CurrentTime, Stop> {
        let Some(number) = draft.given_in else {
            return Err(not_given(draft).into());
        };
        let id = Update::id_of(self.subject, number);
        let Some(update) = self.view.find::<Update>(&id)? else {
            return Err(not_given(draft).into());
        };
        let by_source = match &draft.source {
            TimeSource::Party(party) => update.posted.party == *party,
            TimeSource::OutsideParty(_) => true,
        };
        let mut times = update.posted.times.iter().filter(|_| by_source);
        let given = times.find(|time| {
            time.given_in.is_none() && time.matter == draft.matter && time.source == draft.source
        });
        let Some(given) = given else {
            return Err(not_given(draft).into());
        };
        if given.at != draft.at {
            let refusal = not_given(draft);
            return Err(match given.at {
                Some(at) => refusal.with("given_time", at),
                None => refusal,
            }
            .into());
        }
        let current = self
            .current(draft)
            .filter(|current| current.given_in == number);
        let Some(current) = current else {
            return Err(self.superseded(draft).into());
        };
        if self.audience == Audience::Client && !current.may_disclose {
            return Err(not_disclosable(draft).into());
        }
        Ok(current.clone())
    }

    fn superseded(&self, draft: &TimeDraft) -> Refusal {
        let message = "the source has told another time since, or taken this one back";
        let refusal = about(Refusal::new(Reason::TimeSuperseded, message), draft);
        match self.current(draft) {
            Some(current) => refusal.with("superseded_by", current.given_in),
            None => refusal,
        }
    }
}

fn not_given(draft: &TimeDraft) -> Refusal {
    let message = "no time is told on behalf of a party that did not give it: cite the update that \
                   did, and tell the time as it was given";
    about(Refusal::new(Reason::TimeNotGiven, message), draft)
}

fn not_disclosable(draft: &TimeDraft) -> Refusal {
    let message = "whose time it is did not allow it to be told to the client";
    about(Refusal::new(Reason::TimeNotDisclosable, message), draft)
}

fn about(refusal: Refusal, draft: &TimeDraft) -> Refusal {
    let refusal = refusal
        .with("source", &draft.source)
        .with("matter", draft.matter.as_str());
    match draft.given_in {
        Some(number) => refusal.with("given_in", number),
        None => refusal,
    }
}

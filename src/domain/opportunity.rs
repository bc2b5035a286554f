//! Opportunities: a sale that the parties may win together, from the first hint of it to its end.
//!
//! What a party puts into one is what it tells itself: minutes spent, and whether the client saw
//! them or whether they only went into drafts. Whether the sale was worth it is said in the end,
//! for every party to read.

mod decide;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, By, Recorded, events};
use super::commitment::Commitment;
use super::identity::PartyId;
use super::partnership::ending::ClosedWithPartnership;
use super::pricing::quote::sale::SaleReason;
use super::sla::calendar::CivilDate;
use super::time::Timestamp;

pub use decide::{OpportunityChange, OpportunityCommand, OpportunityDraft, decide};

/// Most entries of effort of one opportunity.
pub const EFFORT_ENTRIES_MAX: usize = 500;
/// Most minutes of one entry: 250 days of eight hours.
pub const EFFORT_MINUTES_MAX: u32 = 120_000;
/// Most statements on whether an opportunity is qualified.
pub const QUALIFICATIONS_MAX: usize = 50;
/// Most versions of a client plan.
pub const PLANS_MAX: usize = 50;
/// Most joint quotes of one opportunity.
pub const QUOTES_MAX: usize = 20;

/// Whether it is worth the parties' while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Qualification {
    /// Nobody could say yet.
    NotYet,
    /// It is.
    Qualified,
    /// It is not.
    NotQualified,
}

/// How far an opportunity has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpportunityState {
    /// It is still ahead.
    Open,
    /// The client bought.
    Won,
    /// The client did not.
    Lost,
    /// The parties gave it up, since it was not worth their while.
    NotQualified,
    /// Closed with its partnership while it was still ahead.
    Closed,
}

impl OpportunityState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::NotQualified => "not_qualified",
            Self::Closed => "closed",
        }
    }
}

/// Whether it is worth the parties' while, as one of them sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualificationStated {
    /// Which party says so.
    pub party: PartyId,
    /// Whether it is.
    pub qualification: Qualification,
    /// The facts that speak for it: a commitment.
    pub facts: Option<Commitment>,
    /// Why it is not; given where it is not: a commitment.
    pub reason: Option<Commitment>,
}

/// One statement on whether it is worth the parties' while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualificationStatement {
    /// Whether it is.
    pub qualification: Qualification,
    /// The facts that speak for it: a commitment.
    pub facts: Option<Commitment>,
    /// Why it is not: a commitment.
    pub reason: Option<Commitment>,
    /// Who said so.
    pub by: By,
}

/// Time that a party spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffortSpent {
    /// The party, which recorded it itself.
    pub party: PartyId,
    /// Minutes, 1 to [`EFFORT_MINUTES_MAX`].
    pub minutes: u32,
    /// Whether the client saw it; otherwise it only went into drafts.
    pub is_client_facing: bool,
    /// On which day.
    pub date: CivilDate,
    /// What was done: a commitment.
    pub note: Option<Commitment>,
}

/// An entry of effort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffortEntry {
    /// What was spent.
    pub spent: EffortSpent,
    /// When it was recorded.
    pub at: Timestamp,
}

/// A version of the plan for the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientPlan {
    /// The plan: a commitment to text for every party.
    pub text: Commitment,
    /// Who wrote it.
    pub by: By,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpportunityClosed {
    /// Which party says so.
    pub party: PartyId,
    /// Won, lost or not qualified.
    pub state: OpportunityState,
    /// What decided it; given unless it was won.
    pub reason: Option<SaleReason>,
    /// In words: a commitment.
    pub words: Option<Commitment>,
}

/// How it ended, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpportunityOutcome {
    /// What decided it.
    pub reason: Option<SaleReason>,
    /// In words: a commitment.
    pub words: Option<Commitment>,
    /// Who said so.
    pub by: By,
}

/// It came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpportunityCreated {
    /// The party that recorded it.
    pub party: PartyId,
    /// Its name for people.
    pub display_name: String,
    /// The client, if one is named.
    pub client: Option<String>,
    /// The party that brought it.
    pub brought_by: PartyId,
    /// The first plan for the client: a commitment.
    pub plan: Option<Commitment>,
    /// Identifiers of joint quotes, in order, each once.
    pub quotes: Vec<String>,
}

/// It was changed; what is `None` stayed as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpportunityUpdated {
    /// By which party.
    pub party: PartyId,
    /// Its name for people.
    pub display_name: Option<String>,
    /// The client that is named from now on.
    pub client: Option<NamedClient>,
    /// The next version of the plan for the client: a commitment.
    pub plan: Option<Commitment>,
    /// Identifiers of joint quotes, in order, each once.
    pub quotes: Option<Vec<String>>,
}

/// The client that is named from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedClient {
    /// Its identifier; `None` if none is named any longer.
    pub client: Option<String>,
}

events! {
    /// What happens to an opportunity.
    OpportunityEvent {
        /// It came to be.
        Created(OpportunityCreated) = "opportunity.created", 1;
        /// It was changed.
        Updated(OpportunityUpdated) = "opportunity.updated", 1;
        /// A party said whether it is worth the parties' while.
        Qualified(QualificationStated) = "opportunity.qualified", 1;
        /// A party spent time on it.
        EffortRecorded(EffortSpent) = "opportunity.effort_recorded", 1;
        /// It ended.
        Ended(OpportunityClosed) = "opportunity.ended", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "opportunity.closed", 1;
    }
}

/// A sale that the parties may win together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opportunity {
    /// Its name for people.
    pub display_name: String,
    /// The client, if one is named.
    pub client: Option<String>,
    /// The party that brought it.
    pub brought_by: PartyId,
    /// How far it has come.
    pub state: OpportunityState,
    /// What was said about whether it is worth the parties' while, oldest first; the last word
    /// counts. At most [`QUALIFICATIONS_MAX`].
    pub qualifications: Vec<QualificationStatement>,
    /// Time spent, in the order in which it was recorded; at most [`EFFORT_ENTRIES_MAX`].
    pub effort: Vec<EffortEntry>,
    /// Every version of the plan for the client, oldest first; at most [`PLANS_MAX`].
    pub plans: Vec<ClientPlan>,
    /// Identifiers of joint quotes, in order; at most [`QUOTES_MAX`].
    pub quotes: Vec<String>,
    /// How it ended, if somebody said so.
    pub outcome: Option<OpportunityOutcome>,
    /// When it was closed with its partnership, if it was.
    pub closed_at: Option<Timestamp>,
}

/// Minutes that one party spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffortTotal {
    /// The party.
    pub party: PartyId,
    /// Minutes that the client saw.
    pub client_facing_minutes: u64,
    /// Minutes that only went into drafts.
    pub drafted_minutes: u64,
}

impl Opportunity {
    /// Whether it is worth the parties' while, by the last word on that.
    #[must_use]
    pub fn qualification(&self) -> Qualification {
        let last = self.qualifications.last();
        last.map_or(Qualification::NotYet, |last| last.qualification)
    }

    /// What every party that recorded any effort has spent, ordered by party.
    #[must_use]
    pub fn effort_totals(&self) -> Vec<EffortTotal> {
        let mut totals: Vec<EffortTotal> = Vec::new();
        for entry in &self.effort {
            let spent = &entry.spent;
            let place = totals.binary_search_by(|total| total.party.cmp(&spent.party));
            let place = place.unwrap_or_else(|place| {
                let total = EffortTotal {
                    party: spent.party.clone(),
                    client_facing_minutes: 0,
                    drafted_minutes: 0,
                };
                totals.insert(place, total);
                place
            });
            // At most 500 entries of 120,000 minutes.
            let minutes = u64::from(spent.minutes);
            if spent.is_client_facing {
                totals[place].client_facing_minutes += minutes;
            } else {
                totals[place].drafted_minutes += minutes;
            }
        }
        totals
    }

    fn created(created: &OpportunityCreated, recorded: &Recorded) -> Option<Self> {
        let mut opportunity = Self {
            display_name: created.display_name.clone(),
            client: created.client.clone(),
            brought_by: created.brought_by.clone(),
            state: OpportunityState::Open,
            qualifications: Vec::new(),
            effort: Vec::new(),
            plans: Vec::new(),
            quotes: created.quotes.clone(),
            outcome: None,
            closed_at: None,
        };
        opportunity.plan(created.plan.as_ref(), &created.party, recorded)?;
        Some(opportunity)
    }

    fn plan(
        &mut self,
        text: Option<&Commitment>,
        party: &PartyId,
        recorded: &Recorded,
    ) -> Option<()> {
        if let Some(text) = text {
            self.plans.push(ClientPlan {
                text: text.clone(),
                by: By::of(party, recorded)?,
            });
        }
        Some(())
    }

    fn changed(mut self, event: &OpportunityEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            OpportunityEvent::Created(_) => return None,
            OpportunityEvent::Updated(updated) => {
                if let Some(display_name) = &updated.display_name {
                    self.display_name.clone_from(display_name);
                }
                if let Some(named) = &updated.client {
                    self.client.clone_from(&named.client);
                }
                if let Some(quotes) = &updated.quotes {
                    self.quotes.clone_from(quotes);
                }
                self.plan(updated.plan.as_ref(), &updated.party, recorded)?;
            }
            OpportunityEvent::Qualified(stated) => {
                self.qualifications.push(QualificationStatement {
                    qualification: stated.qualification,
                    facts: stated.facts.clone(),
                    reason: stated.reason.clone(),
                    by: By::of(&stated.party, recorded)?,
                });
            }
            OpportunityEvent::EffortRecorded(spent) => self.effort.push(EffortEntry {
                spent: spent.clone(),
                at: recorded.at,
            }),
            OpportunityEvent::Ended(ended) => {
                self.state = ended.state;
                self.outcome = Some(OpportunityOutcome {
                    reason: ended.reason,
                    words: ended.words.clone(),
                    by: By::of(&ended.party, recorded)?,
                });
            }
            OpportunityEvent::Closed(closed) => self.close(closed.at),
        }
        Some(self)
    }
}

impl Aggregate for Opportunity {
    type Event = OpportunityEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &OpportunityEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, OpportunityEvent::Created(created)) => Self::created(created, recorded),
            (Some(opportunity), event) => opportunity.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if self.state == OpportunityState::Open {
            self.state = OpportunityState::Closed;
            self.closed_at = Some(at);
        }
    }
}

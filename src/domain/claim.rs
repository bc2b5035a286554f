//! Claims: what a firm promised in a sale, and whether it was so in the end.
//!
//! A claim is never changed: who claims something else makes another one. It is judged by another
//! party than the one that made it. Where no other firm has joined, the one that is there judges
//! every claim, and its judgement is asserted; the firm that joins may judge anew.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::commitment::Commitment;
use super::evidence::require_existing;
use super::identity::{FirmId, PartyId};
use super::outsiders::{Client, already_exists};
use super::partnership::{Partnership, Party, as_active_party};
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal, Violations};
use super::time::Timestamp;
use super::world::{Stop, View};

pub use super::evidence::Evidence;

/// How far something is supported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Support {
    /// As stated.
    Supported,
    /// In part.
    Limited {
        /// How: a commitment.
        how: Commitment,
    },
    /// Not yet.
    Planned {
        /// From when on.
        from: Timestamp,
    },
    /// Not at all.
    NotOffered,
}

/// What became of a claim, as a party says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRecorded {
    /// The party.
    pub party: PartyId,
    /// Whether it was kept.
    pub is_kept: bool,
    /// What shows it.
    pub evidence: Evidence,
    /// What the party says to it: a commitment.
    pub message: Option<Commitment>,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// What became of a claim, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What was said.
    pub said: OutcomeRecorded,
    /// The firm that the party was.
    pub firm: FirmId,
    /// When.
    pub at: Timestamp,
}

/// A claim as it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimMade {
    /// The party that makes it.
    pub maker: PartyId,
    /// What it says: a commitment.
    pub statement: Commitment,
    /// How far it is supported.
    pub support: Support,
    /// Identifier of the client concerned.
    pub client: Option<String>,
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// What is claimed, and by whom; never changed.
    pub made: ClaimMade,
    /// What became of it: the last judgement.
    pub outcome: Option<Outcome>,
}

/// Whether a claim was kept, as far as anybody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// Nobody said yet.
    Open,
    /// It was so.
    Kept,
    /// It was not so.
    NotKept,
}

impl ClaimState {
    /// The name used in lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Kept => "kept",
            Self::NotKept => "not_kept",
        }
    }
}

impl Claim {
    /// Whether it was kept.
    #[must_use]
    pub fn claim_state(&self) -> ClaimState {
        match self.outcome.as_ref().map(|outcome| outcome.said.is_kept) {
            None => ClaimState::Open,
            Some(true) => ClaimState::Kept,
            Some(false) => ClaimState::NotKept,
        }
    }
}

events! {
    /// What happens to a claim.
    ClaimEvent {
        /// It was made.
        Made(ClaimMade) = "claim.made", 1;
        /// It was judged.
        OutcomeRecorded(OutcomeRecorded) = "claim.outcome_recorded", 1;
    }
}

impl Aggregate for Claim {
    type Event = ClaimEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ClaimEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, ClaimEvent::Made(made)) => Some(Self {
                made: made.clone(),
                outcome: None,
            }),
            (Some(mut claim), ClaimEvent::OutcomeRecorded(said)) => {
                claim.outcome = Some(Outcome {
                    said: said.clone(),
                    firm: recorded.firm.clone()?,
                    at: recorded.at,
                });
                Some(claim)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        self.claim_state().as_str()
    }
}

/// What can be asked of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimCommand {
    /// Makes a claim.
    Make {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// The party that makes it, if it is not the caller's: one that no firm has joined as.
        maker: Option<PartyId>,
        /// What it says.
        statement: Commitment,
        /// How far it is supported.
        support: Support,
        /// Identifier of the client concerned.
        client: Option<String>,
    },
    /// Says whether it was kept; for another party than its maker.
    RecordOutcome {
        /// Which claim.
        id: String,
        /// Whether it was.
        is_kept: bool,
        /// What shows it.
        evidence: Evidence,
        /// What to say to it.
        message: Option<Commitment>,
    },
}

/// Decides a command on a claim.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &ClaimCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        ClaimCommand::Make {
            id,
            maker,
            statement,
            support,
            client,
        } => {
            check(support, maker.as_ref(), partnership, party)?;
            let made = ClaimMade {
                maker: maker.as_ref().unwrap_or(&party.id).clone(),
                statement: statement.clone(),
                support: support.clone(),
                client: client.clone(),
            };
            make(id.as_deref(), made, view)
        }
        ClaimCommand::RecordOutcome {
            id,
            is_kept,
            evidence,
            message,
        } => {
            let said = OutcomeRecorded {
                party: party.id.clone(),
                is_kept: *is_kept,
                evidence: evidence.clone(),
                message: message.clone(),
                is_asserted: partnership.is_alone(),
            };
            record_outcome(id, said, view)
        }
    }
}

fn check(
    support: &Support,
    maker: Option<&PartyId>,
    partnership: &Partnership,
    party: &Party,
) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    if let Support::Planned { from } = support {
        let rule = "between the years 2000 and 2099";
        violations.require(from.is_storable(), "claim.planned_time", rule);
    }
    if let Some(maker) = maker {
        let found = partnership.party(maker);
        let may = found.is_some_and(|found| found.id == party.id || found.firm.is_none());
        let rule = "must be the caller's own party, or one that no firm has joined as";
        violations.require(may, "claim.maker", rule);
    }
    violations.finish()
}

fn make(chosen_id: Option<&str>, made: ClaimMade, view: &View<'_>) -> Result<Decision, Stop> {
    if let Some(client) = &made.client {
        view.get::<Client>(client)?;
    }
    let id = chosen_id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<Claim>(&id)?.is_some() {
        return Err(already_exists(Kind::Claim, &id).into());
    }
    Ok(Decision::about(Kind::Claim, &id).event(Event::new(&id, ClaimEvent::Made(made))))
}

fn record_outcome(id: &str, said: OutcomeRecorded, view: &View<'_>) -> Result<Decision, Stop> {
    let claim = view.get::<Claim>(id)?;
    if claim.made.maker == said.party && !said.is_asserted {
        let message = "a claim is judged by another party than the one that made it";
        let refusal = Refusal::new(Reason::SameFirmMayNotAccept, message);
        return Err(refusal.with("party_id", &said.party).into());
    }
    let mut violations = Violations::default();
    said.evidence.check(&mut violations, "evidence.external");
    violations.finish()?;
    require_existing([&said.evidence], view)?;
    let decision = Decision::about(Kind::Claim, id);
    if claim.outcome.as_ref().map(|outcome| &outcome.said) == Some(&said) {
        return Ok(decision);
    }
    Ok(decision.event(Event::new(id, ClaimEvent::OutcomeRecorded(said))))
}

//! Needs: what was asked for in a sale, which claim answers it, and what is put up with meanwhile.
//!
//! A need is never changed: who needs something else asks for it anew. A limitation that its asker
//! accepts has a date at which it is looked at again; when that comes, the record is due.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::claim::{Claim, Support};
use super::command::Decision;
use super::commitment::Commitment;
use super::identity::{FirmId, PartyId};
use super::outsiders::{Client, already_exists};
use super::partnership::ending::ClosedWithPartnership;
use super::partnership::{Partnership, Party, as_active_party};
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal};
use super::time::Timestamp;
use super::world::{Stop, View};

/// How much depends on a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Without it the sale is off.
    Must,
    /// It would be good to have.
    Should,
}

/// What a claim says to a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is supported.
    MetByClaim,
    /// It is supported in part.
    Limited,
    /// It will be supported.
    Planned,
    /// It is not offered.
    NotOffered,
    /// No claim was matched to it.
    Unmatched,
}

impl Answer {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MetByClaim => "met_by_claim",
            Self::Limited => "limited",
            Self::Planned => "planned",
            Self::NotOffered => "not_offered",
            Self::Unmatched => "unmatched",
        }
    }

    const fn of(support: &Support) -> Self {
        match support {
            Support::Supported => Self::MetByClaim,
            Support::Limited { .. } => Self::Limited,
            Support::Planned { .. } => Self::Planned,
            Support::NotOffered => Self::NotOffered,
        }
    }
}

/// A need as it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedAsked {
    /// The party that asks.
    pub asker: PartyId,
    /// For what: a commitment.
    pub statement: Commitment,
    /// How much depends on it.
    pub weight: Weight,
    /// Identifier of the client concerned.
    pub client: Option<String>,
}

/// A claim was matched to a need, or none any longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedMatched {
    /// By which party.
    pub party: PartyId,
    /// Identifier of the claim.
    pub claim: Option<String>,
    /// What the claim says to it.
    pub answer: Answer,
}

/// The asker puts up with something, until it looks at it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitationAccepted {
    /// With what: a commitment.
    pub text: Commitment,
    /// When it is looked at again.
    pub review_at: Timestamp,
}

/// The time came to look at a limitation again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewDue {
    /// Since when.
    pub review_at: Timestamp,
}

/// The asker looked at a limitation again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitationReviewed {
    /// When it is looked at the next time; `None` if it is over.
    pub review_at: Option<Timestamp>,
    /// What the asker says to it: a commitment.
    pub message: Option<Commitment>,
}

events! {
    /// What happens to a need.
    NeedEvent {
        /// It was asked for.
        Asked(NeedAsked) = "need.asked", 1;
        /// A claim was matched to it, or none any longer.
        Matched(NeedMatched) = "need.matched", 1;
        /// Its asker accepted a limitation.
        LimitationAccepted(LimitationAccepted) = "need.limitation_accepted", 1;
        /// The time came to look at the limitation again.
        ReviewDue(ReviewDue) = "need.review_due", 1;
        /// Its asker looked at the limitation again.
        LimitationReviewed(LimitationReviewed) = "need.limitation_reviewed", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "need.closed", 1;
    }
}

/// What the asker puts up with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedLimitation {
    /// With what: a commitment.
    pub text: Commitment,
    /// The firm that the asker was.
    pub firm: FirmId,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it is looked at again.
    pub review_at: Timestamp,
    /// Whether the journal has said so.
    pub is_review_due: bool,
    /// What the asker said at the last review: a commitment.
    pub message: Option<Commitment>,
    /// When the asker last looked at it again.
    pub reviewed_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

/// A need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// What is asked for, and by whom; never changed.
    pub asked: NeedAsked,
    /// The claim that answers it, if any, and who matched it.
    pub matched: Option<NeedMatched>,
    /// What its asker puts up with, or last did.
    pub limitation: Option<AcceptedLimitation>,
    /// When it was closed with its partnership, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

impl Need {
    /// What a claim says to it.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let matched = self.matched.as_ref();
        matched.map_or(Answer::Unmatched, |matched| matched.answer)
    }

    /// Whether an accepted limitation is to be looked at again by `now`, whether or not a sweep has
    /// come by to record it.
    #[must_use]
    pub fn is_review_due(&self, now: Timestamp) -> bool {
        self.standing().is_some_and(|found| found.review_at <= now)
    }

    /// The limitation that is not over.
    fn standing(&self) -> Option<&AcceptedLimitation> {
        let limitation = self.limitation.as_ref();
        limitation.filter(|limitation| limitation.ended_at.is_none())
    }

    fn changed(mut self, event: &NeedEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            NeedEvent::Asked(_) => return None,
            NeedEvent::Closed(closed) => self.close(closed.at),
            NeedEvent::Matched(matched) => self.matched = Some(matched.clone()),
            NeedEvent::LimitationAccepted(accepted) => {
                self.limitation = Some(AcceptedLimitation {
                    text: accepted.text.clone(),
                    firm: recorded.firm.clone()?,
                    accepted_at: recorded.at,
                    review_at: accepted.review_at,
                    is_review_due: false,
                    message: None,
                    reviewed_at: None,
                    ended_at: None,
                });
            }
            NeedEvent::ReviewDue(_) => self.limitation.as_mut()?.is_review_due = true,
            NeedEvent::LimitationReviewed(reviewed) => {
                let limitation = self.limitation.as_mut()?;
                limitation.message.clone_from(&reviewed.message);
                limitation.reviewed_at = Some(recorded.at);
                limitation.is_review_due = false;
                match reviewed.review_at {
                    Some(review_at) => limitation.review_at = review_at,
                    None => limitation.ended_at = Some(recorded.at),
                }
            }
        }
        Some(self)
    }
}

impl Aggregate for Need {
    type Event = NeedEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &NeedEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, NeedEvent::Asked(asked)) => Some(Self {
                asked: asked.clone(),
                matched: None,
                limitation: None,
                closed_at: None,
            }),
            (Some(need), event) => need.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.answer().as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if self.closed_at.is_some() {
            return;
        }
        self.closed_at = Some(at);
        if let Some(limitation) = &mut self.limitation {
            limitation.ended_at = limitation.ended_at.or(Some(at));
        }
    }

    fn due_at(&self) -> Option<Timestamp> {
        let standing = self.standing()?;
        (!standing.is_review_due).then_some(standing.review_at)
    }
}

/// What can be asked of a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeedCommand {
    /// Asks for something; the caller's party is the asker.
    Ask {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// For what.
        statement: Commitment,
        /// How much depends on it.
        weight: Weight,
        /// Identifier of the client concerned.
        client: Option<String>,
    },
    /// Matches a claim to it, or none; for every party.
    Match {
        /// Which need.
        id: String,
        /// Identifier of the claim.
        claim: Option<String>,
    },
    /// Accepts a limitation; for the asker.
    AcceptLimitation {
        /// Which need.
        id: String,
        /// What is put up with, and until when.
        accepted: LimitationAccepted,
    },
    /// Renews a limitation, or ends it; for the asker.
    ReviewLimitation {
        /// Which need.
        id: String,
        /// Until when from now on, and what to say to it.
        reviewed: LimitationReviewed,
    },
}

/// Decides a command on a need.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &NeedCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (_, party) = as_active_party(firm, view)?;
    match command {
        NeedCommand::Ask {
            id,
            statement,
            weight,
            client,
        } => {
            let asked = NeedAsked {
                asker: party.id.clone(),
                statement: statement.clone(),
                weight: *weight,
                client: client.clone(),
            };
            ask(id.as_deref(), asked, view)
        }
        NeedCommand::Match { id, claim } => match_need(id, claim.as_deref(), party, view),
        NeedCommand::AcceptLimitation { id, accepted } => accept(id, accepted, party, view),
        NeedCommand::ReviewLimitation { id, reviewed } => review(id, reviewed, party, view),
    }
}

/// Time has passed: records, once, that a limitation is to be looked at again. It does not wait for
/// a partnership to be active.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let need = view.get::<Need>(id)?;
    let decision = Decision::about(Kind::Need, id);
    let partnership = view.find::<Partnership>(view.scope.id())?;
    let over = partnership.and_then(|partnership| partnership.over_at(view.now));
    let until = over.unwrap_or(view.now);
    Ok(match need.due_at().filter(|due_at| *due_at <= until) {
        Some(review_at) => decision.event(Event::new(
            id,
            NeedEvent::ReviewDue(ReviewDue { review_at }),
        )),
        None => decision,
    })
}

fn changed(id: &str, event: NeedEvent) -> Decision {
    Decision::about(Kind::Need, id).event(Event::new(id, event))
}

fn ask(chosen_id: Option<&str>, asked: NeedAsked, view: &View<'_>) -> Result<Decision, Stop> {
    if let Some(client) = &asked.client {
        view.get::<Client>(client)?;
    }
    let id = chosen_id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<Need>(&id)?.is_some() {
        return Err(already_exists(Kind::Need, &id).into());
    }
    Ok(changed(&id, NeedEvent::Asked(asked)))
}

fn match_need(
    id: &str,
    claim: Option<&str>,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let need = view.get::<Need>(id)?;
    let found = claim.map(|claim| view.get::<Claim>(claim)).transpose()?;
    let before = need.matched.as_ref();
    if before.and_then(|matched| matched.claim.as_deref()) == claim {
        return Ok(Decision::about(Kind::Need, id));
    }
    let answer = found.map_or(Answer::Unmatched, |claim| Answer::of(&claim.made.support));
    Ok(changed(
        id,
        NeedEvent::Matched(NeedMatched {
            party: party.id.clone(),
            claim: claim.map(str::to_owned),
            answer,
        }),
    ))
}

/// Only who asked for something puts up with less.
fn require_asker(need: &Need, party: &Party, action: &str) -> Result<(), Refusal> {
    let asker = &need.asked.asker;
    if *asker == party.id {
        return Ok(());
    }
    let message = format!("only {asker}, which asked for it, may do so");
    Err(Refusal::new(Reason::InvalidState, message)
        .with("state", need.answer().as_str())
        .with("action", action)
        .with("asker", asker))
}

fn require_ahead(review_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if review_at > now && review_at.is_storable() {
        return Ok(());
    }
    let rule = "must lie in the future, before the year 2100";
    Err(Refusal::field(Reason::InvalidField, "review_time", rule))
}

fn accept(
    id: &str,
    accepted: &LimitationAccepted,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let action = "AcceptLimitation";
    let need = view.get::<Need>(id)?;
    require_asker(need, party, action)?;
    if need.answer() == Answer::MetByClaim {
        return Err(Refusal::invalid_state(need.answer().as_str(), action).into());
    }
    if need.standing().is_some() {
        return Err(Refusal::invalid_state("limitation accepted", action).into());
    }
    require_ahead(accepted.review_at, view.now)?;
    Ok(changed(id, NeedEvent::LimitationAccepted(accepted.clone())))
}

fn review(
    id: &str,
    reviewed: &LimitationReviewed,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let action = "ReviewLimitation";
    let need = view.get::<Need>(id)?;
    require_asker(need, party, action)?;
    if need.standing().is_none() {
        return Err(Refusal::invalid_state("no limitation accepted", action).into());
    }
    if let Some(review_at) = reviewed.review_at {
        require_ahead(review_at, view.now)?;
    }
    Ok(changed(id, NeedEvent::LimitationReviewed(reviewed.clone())))
}

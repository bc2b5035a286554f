//! Feedback: what one party tells another about how they work together, and one reply.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::topic::Topic;
use super::{not_yours, require_own, require_party};
use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::{Partnership, as_active_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::world::{Stop, View};

/// In what tone something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Something was good.
    Praise,
    /// Something could be better.
    Suggestion,
    /// Something was not good.
    Complaint,
    /// Something has to change, or else.
    Ultimatum,
}

/// Feedback was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackGiven {
    /// The party that recorded it.
    pub party: PartyId,
    /// The party that gives it.
    pub giver: PartyId,
    /// The party that it is for.
    pub receiver: PartyId,
    /// In what tone, as the giver says.
    pub tone: Tone,
    /// What is said: a commitment.
    pub text: Commitment,
    /// What it is about.
    pub topic: Option<Topic>,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// The receiver replied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackReplied {
    /// The party.
    pub party: PartyId,
    /// What it said: a commitment.
    pub text: Commitment,
    /// In what tone it heard the feedback, if it says so.
    pub heard: Option<Tone>,
}

/// What the receiver said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackReply {
    /// What was said.
    pub said: FeedbackReplied,
    /// Who said so.
    pub by: By,
}

events! {
    /// What happens to feedback.
    FeedbackEvent {
        /// It was given.
        Given(FeedbackGiven) = "feedback.given", 1;
        /// Its receiver replied.
        Replied(FeedbackReplied) = "feedback.replied", 1;
    }
}

/// Feedback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// What was said, by whom to whom; never changed.
    pub given: FeedbackGiven,
    /// Who recorded it.
    pub by: By,
    /// What the receiver said to it.
    pub reply: Option<FeedbackReply>,
}

impl Feedback {
    /// Whether giver or receiver calls it an ultimatum.
    #[must_use]
    pub fn is_ultimatum(&self) -> bool {
        let heard = self.reply.as_ref().and_then(|reply| reply.said.heard);
        [Some(self.given.tone), heard].contains(&Some(Tone::Ultimatum))
    }
}

impl Aggregate for Feedback {
    type Event = FeedbackEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &FeedbackEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, FeedbackEvent::Given(given)) => Some(Self {
                by: By::of(&given.party, recorded)?,
                given: given.clone(),
                reply: None,
            }),
            (Some(mut feedback), FeedbackEvent::Replied(said)) => {
                feedback.reply = Some(FeedbackReply {
                    said: said.clone(),
                    by: By::of(&said.party, recorded)?,
                });
                Some(feedback)
            }
            _ => None,
        }
    }
}

/// Feedback as it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackDraft {
    /// The party that gives it; the caller's own if not stated.
    pub giver: Option<PartyId>,
    /// The party that it is for.
    pub receiver: PartyId,
    /// In what tone.
    pub tone: Tone,
    /// What is said.
    pub text: Commitment,
    /// What it is about, which must exist.
    pub topic: Option<Topic>,
}

/// What can be asked of feedback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedbackCommand {
    /// Gives it.
    Give(FeedbackDraft),
    /// Replies to it; for its receiver, once.
    Reply {
        /// To which.
        id: String,
        /// What to say.
        text: Commitment,
        /// In what tone it was heard.
        heard: Option<Tone>,
    },
}

/// Decides a command on feedback.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &FeedbackCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        FeedbackCommand::Give(draft) => give(draft, &party.id, partnership, view),
        FeedbackCommand::Reply { id, text, heard } => {
            let said = FeedbackReplied {
                party: party.id.clone(),
                text: text.clone(),
                heard: *heard,
            };
            reply(id, said, view)
        }
    }
}

fn give(
    draft: &FeedbackDraft,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let speaker = draft.giver.as_ref().unwrap_or(party);
    let mut violations = Violations::default();
    let field = "feedback.giver";
    require_own(&mut violations, field, speaker, partnership, party);
    let field = "feedback.receiver";
    require_party(&mut violations, field, &draft.receiver, partnership);
    let rule = "must be another party than the giver";
    violations.require(draft.receiver != *speaker, field, rule);
    violations.finish()?;
    if let Some(topic) = &draft.topic {
        topic.require_existing(view)?;
    }
    let given = FeedbackGiven {
        party: party.clone(),
        giver: speaker.clone(),
        receiver: draft.receiver.clone(),
        tone: draft.tone,
        text: draft.text.clone(),
        topic: draft.topic.clone(),
        is_asserted: partnership.is_alone(),
    };
    Ok(changed(&view.new_id(0), FeedbackEvent::Given(given)))
}

fn reply(id: &str, said: FeedbackReplied, view: &View<'_>) -> Result<Decision, Stop> {
    let feedback = view.get::<Feedback>(id)?;
    if feedback.given.receiver != said.party {
        let message = "feedback is replied to by the party that it is for";
        return Err(not_yours(&said.party, message));
    }
    if feedback.reply.is_some() {
        return Err(Refusal::invalid_state("replied", "ReplyToFeedback").into());
    }
    Ok(changed(id, FeedbackEvent::Replied(said)))
}

fn changed(id: &str, event: FeedbackEvent) -> Decision {
    Decision::about(Kind::Feedback, id).event(Event::new(id, event))
}

//! Surveys: what people think of a party, by six questions that are always the same.
//!
//! A *blind mirror* asks every firm about itself and the others at once. Until all have answered, an
//! answer is two commitments, whose openings only its own party may read; then one event says all
//! ratings in clear, with the salts by which anybody may check them against what was committed to.

mod decide;
pub mod mirror;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::topic::Topic;
use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::commitment::Commitment;
use crate::domain::evidence::Evidence;
use crate::domain::identity::PartyId;
use crate::domain::partnership::ending::ClosedWithPartnership;
use crate::domain::refusal::Violations;
use crate::domain::time::Timestamp;

pub use decide::{AnswerDraft, SurveyCommand, decide};
use mirror::{MirrorAnswer, MirrorAnswered, MirrorRevealed};

/// Most answers of one survey: four seats for each of sixteen parties.
pub const ANSWERS_MAX: usize = 64;
/// The best score; the worst is 1.
pub const SCORE_MAX: u8 = 5;

/// What is asked about a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// How good are those who respond first?
    FirstResponders,
    /// How easy is it to open something, and to escalate it?
    OpeningAndEscalating,
    /// Are there ways to reach them, and people whom one knows?
    ChannelsAndContacts,
    /// Does one hear how things stand without asking?
    StatusUpdates,
    /// Was it resolved to one's satisfaction, and not merely closed?
    SatisfiedNotMerelyClosed,
    /// Do they help one to grow?
    HelpToGrow,
}

impl Question {
    /// Every question, in the order in which they are asked.
    pub const ALL: [Self; 6] = [
        Self::FirstResponders,
        Self::OpeningAndEscalating,
        Self::ChannelsAndContacts,
        Self::StatusUpdates,
        Self::SatisfiedNotMerelyClosed,
        Self::HelpToGrow,
    ];
}

/// Scores of 1 to [`SCORE_MAX`] by question; what is not there was not answered.
pub type Ratings = BTreeMap<Question, u8>;

/// Requires at least one rating, and every score to be one.
fn require_ratings(violations: &mut Violations, field: &str, ratings: &Ratings) {
    violations.require(!ratings.is_empty(), field, "must not be empty");
    let sensible = ratings
        .values()
        .all(|score| (1..=SCORE_MAX).contains(score));
    violations.require(sensible, field, "scores are 1 to 5");
}

/// From where somebody looks at the party that a survey is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seat {
    /// The party looks at itself.
    Itself,
    /// Another party does.
    Partner,
    /// A client does.
    Client,
    /// A vendor or another outside party does.
    Vendor,
}

impl Seat {
    /// The name used in errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Itself => "self",
            Self::Partner => "partner",
            Self::Client => "client",
            Self::Vendor => "vendor",
        }
    }

    /// Whether a party records it for somebody else.
    #[must_use]
    pub const fn is_on_behalf(self) -> bool {
        matches!(self, Self::Client | Self::Vendor)
    }
}

/// How far a survey has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurveyState {
    /// Nobody has answered, or of a mirror not everybody has.
    Open,
    /// Somebody has answered; others still may.
    Answered,
    /// Everybody has answered a mirror.
    Revealed,
    /// It was closed.
    Closed,
}

impl SurveyState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Revealed => "revealed",
            Self::Closed => "closed",
        }
    }

    /// Whether it may be answered.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Answered)
    }
}

/// A survey began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyCreated {
    /// The party that asks.
    pub party: PartyId,
    /// The party that is rated; `None` for a mirror, which asks about every firm.
    pub subject: Option<PartyId>,
    /// What it is about.
    pub topic: Option<Topic>,
}

/// Somebody answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyAnswered {
    /// The party that answers, or records an answer for somebody else.
    pub party: PartyId,
    /// From where it is seen.
    pub seat: Seat,
    /// The ratings.
    pub ratings: Ratings,
    /// What else there is to say: a commitment.
    pub comment: Option<Commitment>,
    /// Who answered, where a party records it for somebody else: a commitment.
    pub respondent: Option<Commitment>,
    /// What shows that they did.
    pub evidence: Option<Evidence>,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// An answer, and who recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyAnswer {
    /// What was said.
    pub said: SurveyAnswered,
    /// Who recorded it.
    pub by: By,
}

/// A party closed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyClosed {
    /// Which party.
    pub party: PartyId,
}

events! {
    /// What happens to a survey.
    SurveyEvent {
        /// It began.
        Created(SurveyCreated) = "survey.created", 1;
        /// Somebody answered.
        Answered(SurveyAnswered) = "survey.answered", 1;
        /// A firm answered a mirror; nobody else sees what.
        MirrorAnswered(MirrorAnswered) = "survey.mirror_answered", 1;
        /// All have answered a mirror, and everybody sees what.
        MirrorRevealed(MirrorRevealed) = "survey.mirror_revealed", 1;
        /// A party closed it.
        Closed(SurveyClosed) = "survey.closed", 1;
        /// It was closed with its partnership.
        ClosedWithPartnership(ClosedWithPartnership) = "survey.closed_with_partnership", 1;
    }
}

/// A survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// Who asks about whom.
    pub created: SurveyCreated,
    /// How far it has come.
    pub state: SurveyState,
    /// The answers, in order; at most [`ANSWERS_MAX`].
    pub answers: Vec<SurveyAnswer>,
    /// The answers to a mirror, one for each party, in order.
    pub mirror: Vec<MirrorAnswer>,
    /// When the answers to a mirror were revealed.
    pub revealed_at: Option<Timestamp>,
    /// When it was closed, if it was.
    pub closed_at: Option<Timestamp>,
}

impl Survey {
    /// Whether it is a blind mirror.
    #[must_use]
    pub const fn is_mirror(&self) -> bool {
        self.created.subject.is_none()
    }

    fn changed(mut self, event: &SurveyEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            SurveyEvent::Created(_) => return None,
            SurveyEvent::Answered(said) => {
                self.state = SurveyState::Answered;
                self.answers.push(SurveyAnswer {
                    said: said.clone(),
                    by: By::of(&said.party, recorded)?,
                });
            }
            SurveyEvent::MirrorAnswered(said) => self.answer_mirror(said, recorded)?,
            SurveyEvent::MirrorRevealed(revealed) => {
                self.state = SurveyState::Revealed;
                self.revealed_at = Some(recorded.at);
                self.reveal(revealed)?;
            }
            SurveyEvent::Closed(_) => self.close(recorded.at),
            SurveyEvent::ClosedWithPartnership(closed) => self.close(closed.at),
        }
        Some(self)
    }
}

impl Aggregate for Survey {
    type Event = SurveyEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &SurveyEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, SurveyEvent::Created(created)) => Some(Self {
                created: created.clone(),
                state: SurveyState::Open,
                answers: Vec::new(),
                mirror: Vec::new(),
                revealed_at: None,
                closed_at: None,
            }),
            (Some(survey), event) => survey.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if self.state.is_open() {
            self.state = SurveyState::Closed;
            self.closed_at = Some(at);
        }
    }
}

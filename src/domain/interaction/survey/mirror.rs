//! The blind mirror: how answers are sealed until all are there, and revealed together.
//!
//! The API may read all openings. It hands those of the answers so far over with a command that may be
//! the last one, together with fresh openings of the comments for everybody; neither is journalled. The
//! decision checks that each is genuine.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Ratings, Survey, SurveyEvent, require_ratings};
use crate::domain::aggregate::{By, Recorded};
use crate::domain::commitment::{Commitment, Opening, Readers};
use crate::domain::identity::PartyId;
use crate::domain::partnership::Partnership;
use crate::domain::redaction::Redaction;
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::world::{Stop, View, for_each};

/// Label under which ratings are sealed.
pub const RATINGS_LABEL: &str = "mirror_ratings";
/// Label under which comments are sealed.
pub const COMMENT_LABEL: &str = "mirror_comment";
/// What is said where openings are needed that did not go with the command.
const UNREAD: &str = "the survey changed while its answers were read";

/// What a party thinks of one party, itself or another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorRating {
    /// Of which party.
    pub about: PartyId,
    /// The ratings.
    pub ratings: Ratings,
}

/// The text to which a party commits: its ratings, ordered by party.
#[must_use]
pub fn to_text(ratings: &[MirrorRating]) -> String {
    let mut ordered = ratings.to_vec();
    ordered.sort_by(|one, other| one.about.cmp(&other.about));
    // Plain values in a list always have a JSON form.
    serde_json::to_string(&ordered).unwrap_or_default()
}

/// The ratings of a text to which a party committed.
#[must_use]
pub fn from_text(text: &str) -> Option<Vec<MirrorRating>> {
    serde_json::from_str(text).ok()
}

/// A firm answered; nobody else sees what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorAnswered {
    /// The party.
    pub party: PartyId,
    /// Its ratings: a commitment to what [`to_text`] makes of them.
    pub ratings: Commitment,
    /// What else it says: a commitment, also to nothing at all, so that nobody sees which it is.
    pub comment: Commitment,
}

/// A comment that everybody may read from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevealedComment {
    /// The commitment by which it was sealed.
    pub sealed: Commitment,
    /// The commitment to the same text whose opening is for every party.
    pub opened: Commitment,
}

/// One party's answer, revealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevealedAnswer {
    /// The party.
    pub party: PartyId,
    /// Its ratings, ordered by party.
    pub ratings: Vec<MirrorRating>,
    /// The salt of the commitment to them, as lower-case hexadecimal digits.
    pub salt: String,
    /// What else it says, unless that is nothing or was erased.
    pub comment: Option<RevealedComment>,
}

/// All firms have answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorRevealed {
    /// What each said, in the order in which they answered.
    pub answers: Vec<RevealedAnswer>,
}

impl MirrorRevealed {
    /// The commitment by which a comment was sealed that is opened by this one.
    #[must_use]
    pub fn sealed_of(&self, opened: &Commitment) -> Option<&Commitment> {
        let mut comments = self.answers.iter().filter_map(|it| it.comment.as_ref());
        let found = comments.find(|comment| comment.opened == *opened);
        found.map(|comment| &comment.sealed)
    }
}

/// A party's answer to a mirror.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorAnswer {
    /// What it committed to.
    pub sealed: MirrorAnswered,
    /// Who answered.
    pub by: By,
    /// What it was, once all have answered.
    pub revealed: Option<RevealedAnswer>,
}

/// What the API brings for the case that a command is the last one that is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Openings {
    /// The openings of the answers so far, and of the new one.
    pub sealed: Vec<Opening>,
    /// The same comments, sealed anew for every party; by the commitment by which each was sealed.
    pub comments: BTreeMap<Commitment, Opening>,
}

impl Openings {
    fn of(&self, commitment: &Commitment, label: &str) -> Result<&Opening, Refusal> {
        let mut all = self.sealed.iter();
        let found = all.find(|opening| opening.commitment == *commitment);
        let genuine = found.filter(|opening| opening.label == label && opening.is_genuine());
        genuine.ok_or_else(unread)
    }

    /// The comment for everybody; `None` if there is none.
    fn comment(&self, sealed: &Commitment) -> Result<Option<RevealedComment>, Refusal> {
        let own = self.of(sealed, COMMENT_LABEL)?;
        if own.value.is_empty() {
            return Ok(None);
        }
        let opened = self.comments.get(sealed).filter(|opening| {
            let same = opening.label == COMMENT_LABEL && opening.value == own.value;
            same && opening.readers == Readers::EveryParty && opening.is_genuine()
        });
        let opened = opened.ok_or_else(unread)?.commitment.clone();
        let sealed = sealed.clone();
        Ok(Some(RevealedComment { sealed, opened }))
    }
}

fn unread() -> Refusal {
    Refusal::new(Reason::EtagMismatch, UNREAD)
}

/// Whether a refusal says that openings have to be read again.
#[must_use]
pub fn is_unread(refusal: &Refusal) -> bool {
    refusal.reason == Reason::EtagMismatch && refusal.message == UNREAD
}

impl Survey {
    pub(super) fn answer_mirror(
        &mut self,
        said: &MirrorAnswered,
        recorded: &Recorded,
    ) -> Option<()> {
        // What was erased is given anew.
        self.mirror
            .retain(|answer| answer.sealed.party != said.party);
        self.mirror.push(MirrorAnswer {
            sealed: said.clone(),
            by: By::of(&said.party, recorded)?,
            revealed: None,
        });
        Some(())
    }

    pub(super) fn reveal(&mut self, revealed: &MirrorRevealed) -> Option<()> {
        for answer in &revealed.answers {
            let mut known = self.mirror.iter_mut();
            let known = known.find(|known| known.sealed.party == answer.party)?;
            known.revealed = Some(answer.clone());
        }
        Some(())
    }

    /// The answers of the firms that are there, without those that were erased.
    ///
    /// # Errors
    /// What has to be loaded first.
    pub(super) fn standing(
        &self,
        partnership: &Partnership,
        view: &View<'_>,
    ) -> Result<Vec<&MirrorAnswered>, Stop> {
        let is_there =
            |answer: &&MirrorAnswered| partnership.firms().any(|firm| firm.id == answer.party);
        let answers = self.mirror.iter().map(|answer| &answer.sealed);
        let standing = for_each(answers.filter(is_there), |answer| {
            let erased = view.find::<Redaction>(answer.ratings.as_str())?;
            Ok(erased.is_none().then_some(answer))
        })?;
        Ok(standing.into_iter().flatten().collect())
    }
}

/// The event that reveals these answers, if they are those of all firms that are there; of one firm
/// alone nothing is revealed.
///
/// # Errors
/// That openings have to be read, or what has to be loaded first.
pub(super) fn reveal_if_complete(
    answers: &[&MirrorAnswered],
    openings: &Openings,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Option<SurveyEvent>, Stop> {
    let has_answered = |party: &PartyId| answers.iter().any(|answer| answer.party == *party);
    let is_complete = partnership.firms().all(|firm| has_answered(&firm.id));
    if partnership.is_alone() || !is_complete {
        return Ok(None);
    }
    let answers = for_each(answers, |answer| revealed(answer, openings, view))?;
    Ok(Some(SurveyEvent::MirrorRevealed(MirrorRevealed {
        answers,
    })))
}

fn revealed(
    answer: &MirrorAnswered,
    openings: &Openings,
    view: &View<'_>,
) -> Result<RevealedAnswer, Stop> {
    let opening = openings.of(&answer.ratings, RATINGS_LABEL)?;
    let ratings = from_text(&opening.value).ok_or_else(unread)?;
    let is_erased = view.find::<Redaction>(answer.comment.as_str())?.is_some();
    let comment = if is_erased {
        None
    } else {
        openings.comment(&answer.comment)?
    };
    Ok(RevealedAnswer {
        party: answer.party.clone(),
        ratings,
        salt: data_encoding::HEXLOWER.encode(&opening.salt),
        comment,
    })
}

/// Requires an answer to rate every firm that is there, and nobody else.
///
/// # Errors
/// [`Reason::InvalidField`], or that openings have to be read.
pub(super) fn require_complete(
    answer: &MirrorAnswered,
    openings: &Openings,
    partnership: &Partnership,
) -> Result<(), Refusal> {
    const FIELD: &str = "mirror_ratings";
    let opening = openings.of(&answer.ratings, RATINGS_LABEL)?;
    let ratings = from_text(&opening.value).ok_or_else(unread)?;
    let mut violations = Violations::default();
    let mut seen = BTreeSet::new();
    for rating in &ratings {
        let is_there = partnership.firms().any(|firm| firm.id == rating.about);
        let once = seen.insert(&rating.about);
        let rule = "each firm that is there, once";
        violations.require(is_there && once, FIELD, rule);
        require_ratings(&mut violations, FIELD, &rating.ratings);
    }
    let whole = partnership.firms().all(|firm| seen.contains(&firm.id));
    let rule = "every firm that is there has to be rated, the caller's own too";
    violations.require(whole, FIELD, rule);
    violations.finish()
}

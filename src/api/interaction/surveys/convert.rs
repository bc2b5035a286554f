//! Surveys as the contract writes and shows them.

use super::super::parse::to_by;
use super::super::topics::to_topic;
use crate::api::Found;
use crate::api::convert::{etag, known_enum, to_timestamp};
use crate::api::expectation::evidence::to_evidence;
use crate::api::expectation::parse::{Intake, stated};
use crate::api::listing::{Shown, Viewer, name_in};
use crate::domain::commitment::Commitment;
use crate::domain::interaction::survey::mirror::{MirrorAnswer, MirrorRating, from_text};
use crate::domain::interaction::survey::{
    Question, Ratings, SCORE_MAX, Seat, Survey, SurveyAnswer, SurveyState,
};
use crate::domain::refusal::Refusal;
use crate::proto::v1;

/// Ratings as stated; what is at fault is noted.
pub(super) fn ratings(intake: &mut Intake<'_>, field: &str, given: &[v1::SurveyRating]) -> Ratings {
    let mut ratings = Ratings::new();
    let faults = &mut intake.faults;
    faults.require(!given.is_empty(), field, "must not be empty");
    // One too many is enough for it to be noticed.
    for (index, rating) in given.iter().take(Question::ALL.len() + 1).enumerate() {
        let path = format!("{field}[{index}].question");
        let question = faults.take(question(&path, rating.question).map(Some));
        let score = u8::try_from(rating.score).ok();
        let score = score.filter(|score| (1..=SCORE_MAX).contains(score));
        let score_path = format!("{field}[{index}].score");
        faults.require(score.is_some(), &score_path, "must be 1 to 5");
        if let Some((question, score)) = question.zip(score) {
            let earlier = ratings.insert(question, score);
            faults.require(earlier.is_none(), &path, "each question once");
        }
    }
    ratings
}

fn question(field: &str, value: i32) -> Result<Question, Refusal> {
    use v1::SurveyQuestion as Given;
    Ok(match known_enum(field, value)? {
        Given::FirstResponders => Question::FirstResponders,
        Given::OpeningAndEscalating => Question::OpeningAndEscalating,
        Given::ChannelsAndContacts => Question::ChannelsAndContacts,
        Given::StatusUpdates => Question::StatusUpdates,
        Given::SatisfiedNotMerelyClosed => Question::SatisfiedNotMerelyClosed,
        Given::HelpToGrow | Given::Unspecified => Question::HelpToGrow,
    })
}

const fn to_question(question: Question) -> v1::SurveyQuestion {
    match question {
        Question::FirstResponders => v1::SurveyQuestion::FirstResponders,
        Question::OpeningAndEscalating => v1::SurveyQuestion::OpeningAndEscalating,
        Question::ChannelsAndContacts => v1::SurveyQuestion::ChannelsAndContacts,
        Question::StatusUpdates => v1::SurveyQuestion::StatusUpdates,
        Question::SatisfiedNotMerelyClosed => v1::SurveyQuestion::SatisfiedNotMerelyClosed,
        Question::HelpToGrow => v1::SurveyQuestion::HelpToGrow,
    }
}

fn to_ratings(ratings: &Ratings) -> Vec<v1::SurveyRating> {
    let rating = |(question, score): (&Question, &u8)| v1::SurveyRating {
        question: to_question(*question).into(),
        score: i32::from(*score),
    };
    ratings.iter().map(rating).collect()
}

/// From where somebody looks, as stated.
///
/// # Errors
/// [`InvalidField`](crate::domain::refusal::Reason::InvalidField), naming `field`.
pub(super) fn seat(field: &str, value: i32) -> Result<Seat, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::SurveySeat::Self_ => Seat::Itself,
        v1::SurveySeat::Partner | v1::SurveySeat::Unspecified => Seat::Partner,
        v1::SurveySeat::Client => Seat::Client,
        v1::SurveySeat::Vendor => Seat::Vendor,
    })
}

const fn to_seat(seat: Seat) -> v1::SurveySeat {
    match seat {
        Seat::Itself => v1::SurveySeat::Self_,
        Seat::Partner => v1::SurveySeat::Partner,
        Seat::Client => v1::SurveySeat::Client,
        Seat::Vendor => v1::SurveySeat::Vendor,
    }
}

/// A state that may be left out.
///
/// # Errors
/// [`InvalidField`](crate::domain::refusal::Reason::InvalidField), naming `field`.
pub(super) fn state(field: &str, value: i32) -> Result<Option<SurveyState>, Refusal> {
    let state = stated::<v1::SurveyState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::SurveyState::Unspecified => None,
        v1::SurveyState::Open => Some(SurveyState::Open),
        v1::SurveyState::Answered => Some(SurveyState::Answered),
        v1::SurveyState::Revealed => Some(SurveyState::Revealed),
        v1::SurveyState::Closed => Some(SurveyState::Closed),
    }))
}

const fn to_state(state: SurveyState) -> v1::SurveyState {
    match state {
        SurveyState::Open => v1::SurveyState::Open,
        SurveyState::Answered => v1::SurveyState::Answered,
        SurveyState::Revealed => v1::SurveyState::Revealed,
        SurveyState::Closed => v1::SurveyState::Closed,
    }
}

impl Shown for Survey {
    type Message = v1::Survey;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let said = self.answers.iter().map(|answer| &answer.said);
        let said = said.flat_map(|said| [said.comment.clone(), said.respondent.clone()]);
        let mirrored = self.mirror.iter().flat_map(|answer| {
            let revealed = answer.revealed.as_ref();
            let comment = revealed.and_then(|revealed| revealed.comment.as_ref());
            let sealed = &answer.sealed;
            [
                Some(sealed.ratings.clone()),
                Some(sealed.comment.clone()),
                comment.map(|comment| comment.opened.clone()),
            ]
        });
        said.chain(mirrored).flatten().collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Survey {
        let survey = &found.state;
        let scope = viewer.member.scope();
        let subject = survey.created.subject.as_ref();
        let answers = survey.answers.iter();
        let mirrored = survey.mirror.iter();
        v1::Survey {
            name: name_in(&scope, "surveys", &found.id),
            subject: subject.map_or_else(String::new, ToString::to_string),
            mirror: survey.is_mirror(),
            topic: to_topic(&scope, survey.created.topic.as_ref()),
            state: to_state(survey.state).into(),
            answers: answers.map(|answer| to_answer(answer, viewer)).collect(),
            mirror_answers: mirrored.map(|it| to_mirror_answer(it, viewer)).collect(),
            creating_party: survey.created.party.to_string(),
            close_time: survey.closed_at.map(to_timestamp),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(survey.commitments()),
        }
    }
}

fn to_answer(answer: &SurveyAnswer, viewer: &Viewer<'_>) -> v1::SurveyAnswer {
    let said = &answer.said;
    let scope = viewer.member.scope();
    let cited = said.evidence.as_ref();
    let (party_id, firm) = to_by(&answer.by);
    v1::SurveyAnswer {
        seat: to_seat(said.seat).into(),
        ratings: to_ratings(&said.ratings),
        comment: viewer.texts.show(said.comment.as_ref()),
        respondent: viewer.texts.show(said.respondent.as_ref()),
        evidence: cited.map(|cited| to_evidence(&scope, cited)),
        party_id,
        firm,
        asserted: said.is_asserted,
        answer_time: Some(to_timestamp(answer.by.at)),
    }
}

/// Revealed, or as far as the viewer has the openings.
fn to_mirror_answer(answer: &MirrorAnswer, viewer: &Viewer<'_>) -> v1::MirrorAnswer {
    let sealed = &answer.sealed;
    let own = viewer.texts.read(&sealed.ratings);
    let own = own.as_deref().and_then(from_text);
    let (ratings, comment) = match &answer.revealed {
        Some(revealed) => {
            let comment = revealed.comment.as_ref().map(|comment| &comment.opened);
            (Some(revealed.ratings.clone()), comment)
        }
        None => (own, Some(&sealed.comment)),
    };
    let to_rating = |rating: MirrorRating| v1::MirrorRating {
        party_id: rating.about.to_string(),
        ratings: to_ratings(&rating.ratings),
    };
    let (party_id, firm) = to_by(&answer.by);
    v1::MirrorAnswer {
        party_id,
        firm,
        sealed: ratings.is_none(),
        ratings: ratings.into_iter().flatten().map(to_rating).collect(),
        comment: viewer.texts.show(comment),
        ratings_commitment: sealed.ratings.as_str().to_owned(),
        answer_time: Some(to_timestamp(answer.by.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back() {
        for value in 1..=6 {
            let known = question("q", value).unwrap();
            assert_eq!(i32::from(to_question(known)), value);
        }
        for value in 1..=4 {
            let known = seat("s", value).unwrap();
            assert_eq!(i32::from(to_seat(known)), value);
            let known = state("s", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        assert!(question("q", 7).is_err() && seat("s", 0).is_err() && state("s", 5).is_err());
    }
}

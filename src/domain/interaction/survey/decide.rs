//! Decisions on surveys.

use super::mirror::{MirrorAnswered, Openings, require_complete, reveal_if_complete};
use super::{
    ANSWERS_MAX, Ratings, Seat, Survey, SurveyAnswered, SurveyClosed, SurveyCreated, SurveyEvent,
    SurveyState, require_ratings,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::evidence::{Evidence, require_existing};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::interaction::require_party;
use crate::domain::interaction::topic::Topic;
use crate::domain::partnership::{Partnership, as_active_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::world::{Stop, View};

/// An answer as it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerDraft {
    /// From where it is seen.
    pub seat: Seat,
    /// The ratings.
    pub ratings: Ratings,
    /// What else there is to say.
    pub comment: Option<Commitment>,
    /// Who answered, where a party records it for somebody else.
    pub respondent: Option<Commitment>,
    /// What shows that they did.
    pub evidence: Option<Evidence>,
}

/// What can be asked of surveys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SurveyCommand {
    /// Begins one.
    Create {
        /// The party that is rated; `None` for a mirror.
        subject: Option<PartyId>,
        /// What it is about, which must exist.
        topic: Option<Topic>,
    },
    /// Answers one that is no mirror; once for each seat and party.
    Answer {
        /// Which survey.
        id: String,
        /// The answer.
        answer: AnswerDraft,
    },
    /// Answers a mirror; once for each party.
    AnswerMirror {
        /// Which survey.
        id: String,
        /// The commitment to the ratings.
        ratings: Commitment,
        /// The commitment to what else there is to say.
        comment: Commitment,
        /// The openings of these and of the answers so far.
        openings: Openings,
    },
    /// Closes one; a mirror that all have answered is revealed.
    Close {
        /// Which survey.
        id: String,
        /// The openings of the answers so far.
        openings: Openings,
    },
}

/// Decides a command on a survey.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &SurveyCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    let party = &party.id;
    match command {
        SurveyCommand::Create { subject, topic } => {
            let created = SurveyCreated {
                party: party.clone(),
                subject: subject.clone(),
                topic: topic.clone(),
            };
            create(created, partnership, view)
        }
        SurveyCommand::Answer { id, answer } => {
            let said = SurveyAnswered {
                party: party.clone(),
                seat: answer.seat,
                ratings: answer.ratings.clone(),
                comment: answer.comment.clone(),
                respondent: answer.respondent.clone(),
                evidence: answer.evidence.clone(),
                is_asserted: partnership.is_alone(),
            };
            self::answer(id, said, view)
        }
        SurveyCommand::AnswerMirror {
            id,
            ratings,
            comment,
            openings,
        } => {
            let said = MirrorAnswered {
                party: party.clone(),
                ratings: ratings.clone(),
                comment: comment.clone(),
            };
            answer_mirror(id, &said, openings, partnership, view)
        }
        SurveyCommand::Close { id, openings } => close(id, party, openings, partnership, view),
    }
}

fn create(
    created: SurveyCreated,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let mut violations = Violations::default();
    if let Some(subject) = &created.subject {
        require_party(&mut violations, "survey.subject", subject, partnership);
    } else {
        let rule = "a blind mirror needs two firms that are there";
        violations.require(!partnership.is_alone(), "survey.mirror", rule);
    }
    violations.finish()?;
    if let Some(topic) = &created.topic {
        topic.require_existing(view)?;
    }
    Ok(changed(&view.new_id(0), SurveyEvent::Created(created)))
}

fn changed(id: &str, event: SurveyEvent) -> Decision {
    Decision::about(Kind::Survey, id).event(Event::new(id, event))
}

/// The survey, if it is open and of that form.
fn open<'world>(id: &str, is_mirror: bool, view: &View<'world>) -> Result<&'world Survey, Stop> {
    let survey = view.get::<Survey>(id)?;
    let mut violations = Violations::default();
    let rule = "must be given unless it is a blind mirror, and only then";
    violations.require(survey.is_mirror() == is_mirror, "answer", rule);
    violations.finish()?;
    if survey.state.is_open() {
        return Ok(survey);
    }
    Err(Refusal::invalid_state(survey.state.as_str(), "AnswerSurvey").into())
}

fn already_answered(party: &PartyId, seat: Option<Seat>) -> Stop {
    let message = "the party has given its answer";
    let refusal = Refusal::new(Reason::SurveyAlreadyAnswered, message);
    let refusal = refusal.with("party_id", party);
    match seat {
        Some(seat) => refusal.with("seat", seat.as_str()).into(),
        None => refusal.into(),
    }
}

fn answer(id: &str, said: SurveyAnswered, view: &View<'_>) -> Result<Decision, Stop> {
    let survey = open(id, false, view)?;
    let mut violations = Violations::default();
    require_ratings(&mut violations, "answer.ratings", &said.ratings);
    let is_subject = survey.created.subject.as_ref() == Some(&said.party);
    let fits = match said.seat {
        Seat::Itself => is_subject,
        Seat::Partner => !is_subject,
        Seat::Client | Seat::Vendor => true,
    };
    let rule = "SELF is for the party that is rated, PARTNER for the others";
    violations.require(fits, "answer.seat", rule);
    let on_behalf = said.seat.is_on_behalf();
    let fits = said.respondent.is_some() == on_behalf;
    let rule = "must be given for CLIENT and VENDOR, and for no other seat";
    violations.require(fits, "answer.respondent", rule);
    if let Some(evidence) = &said.evidence {
        let rule = "only for CLIENT and VENDOR";
        violations.require(on_behalf, "answer.evidence", rule);
        evidence.check(&mut violations, "answer.evidence.external");
    }
    violations.finish()?;
    require_existing(&said.evidence, view)?;
    let is_same = |earlier: &super::SurveyAnswer| {
        earlier.said.seat == said.seat && earlier.said.party == said.party
    };
    if survey.answers.iter().any(is_same) {
        return Err(already_answered(&said.party, Some(said.seat)));
    }
    if survey.answers.len() >= ANSWERS_MAX {
        return Err(Refusal::limit("answers_per_survey", ANSWERS_MAX).into());
    }
    Ok(changed(id, SurveyEvent::Answered(said)))
}

fn answer_mirror(
    id: &str,
    said: &MirrorAnswered,
    openings: &Openings,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let survey = open(id, true, view)?;
    if partnership.is_alone() {
        // Whoever would be seen in the mirror has left.
        return Err(Refusal::invalid_state("solo", "AnswerSurvey").into());
    }
    let mut standing = survey.standing(partnership, view)?;
    if standing.iter().any(|earlier| earlier.party == said.party) {
        return Err(already_answered(&said.party, None));
    }
    require_complete(said, openings, partnership)?;
    let decision = changed(id, SurveyEvent::MirrorAnswered(said.clone()));
    standing.push(said);
    let reveal = reveal_if_complete(&standing, openings, partnership, view)?;
    Ok(match reveal {
        Some(revealed) => decision.event(Event::new(id, revealed)),
        None => decision,
    })
}

fn close(
    id: &str,
    party: &PartyId,
    openings: &Openings,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let survey = view.get::<Survey>(id)?;
    match survey.state {
        SurveyState::Open | SurveyState::Answered => {}
        SurveyState::Closed => return Ok(Decision::about(Kind::Survey, id)),
        over @ SurveyState::Revealed => {
            return Err(Refusal::invalid_state(over.as_str(), "CloseSurvey").into());
        }
    }
    if survey.is_mirror() {
        let standing = survey.standing(partnership, view)?;
        let reveal = reveal_if_complete(&standing, openings, partnership, view)?;
        if let Some(revealed) = reveal {
            return Ok(changed(id, revealed));
        }
    }
    let party = party.clone();
    Ok(changed(id, SurveyEvent::Closed(SurveyClosed { party })))
}

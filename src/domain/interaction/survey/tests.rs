//! Surveys in a partnership of two firms.

use super::mirror::{COMMENT_LABEL, MirrorRating, Openings, RATINGS_LABEL, is_unread, to_text};
use super::*;
use crate::domain::command::Action;
use crate::domain::commitment::{Opening, Readers};
use crate::domain::interaction::InteractionCommand;
use crate::domain::record::Kind;
use crate::domain::redaction::{RedactCommand, RedactionReason};
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, sealed};

fn ask(command: SurveyCommand) -> Action {
    Action::Interaction(InteractionCommand::Survey(command))
}

fn create(subject: Option<usize>) -> Action {
    ask(SurveyCommand::Create {
        subject: subject.map(PartyId::numbered),
        topic: None,
    })
}

fn begun(scene: &mut Scene, subject: Option<usize>) -> String {
    let id = scene.next_id();
    scene.go(FIRST, create(subject));
    id
}

fn scores(score: u8) -> Ratings {
    Question::ALL.into_iter().map(|it| (it, score)).collect()
}

fn answering(id: &str, change: impl Fn(&mut AnswerDraft)) -> Action {
    let mut answer = AnswerDraft {
        seat: Seat::Partner,
        ratings: scores(4),
        comment: Some(sealed("they called back")),
        respondent: None,
        evidence: None,
    };
    change(&mut answer);
    let id = id.to_owned();
    ask(SurveyCommand::Answer { id, answer })
}

fn for_client(answer: &mut AnswerDraft) {
    answer.seat = Seat::Client;
    answer.respondent = Some(sealed("their office manager"));
    answer.evidence = Some(Evidence::Ticket("gone".to_owned()));
}

/// A party's answer to a mirror, before it is sealed.
struct Answer {
    ratings: Opening,
    comment: Opening,
    opened: Opening,
}

impl Answer {
    fn of(party: usize, score: u8, comment: &str) -> Self {
        let rating = |about| MirrorRating {
            about: PartyId::numbered(about),
            ratings: scores(score),
        };
        let salt = u8::try_from(party).unwrap();
        let own = Readers::Parties(vec![PartyId::numbered(party)]);
        let text = to_text(&[rating(2), rating(1)]);
        Self {
            ratings: Opening::seal(RATINGS_LABEL, &text, [salt; 16], own.clone()),
            comment: Opening::seal(COMMENT_LABEL, comment, [salt + 10; 16], own),
            opened: Opening::seal(COMMENT_LABEL, comment, [99; 16], Readers::EveryParty),
        }
    }
}

fn openings(answers: &[&Answer]) -> Openings {
    let sealed = answers.iter();
    let sealed = sealed.flat_map(|it| [it.ratings.clone(), it.comment.clone()]);
    let comments = answers.iter();
    let comments = comments.map(|it| (it.comment.commitment.clone(), it.opened.clone()));
    Openings {
        sealed: sealed.collect(),
        comments: comments.collect(),
    }
}

fn mirroring(id: &str, own: &Answer, brought: &[&Answer]) -> Action {
    ask(SurveyCommand::AnswerMirror {
        id: id.to_owned(),
        ratings: own.ratings.commitment.clone(),
        comment: own.comment.commitment.clone(),
        openings: openings(brought),
    })
}

fn close(id: &str) -> Action {
    let (id, openings) = (id.to_owned(), Openings::default());
    ask(SurveyCommand::Close { id, openings })
}

#[test]
fn each_seat_is_answered_once_by_each_party() {
    let mut scene = Scene::shared(None);
    let id = begun(&mut scene, Some(2));
    scene.go(FIRST, answering(&id, |_| ()));
    let again = scene.reason(FIRST, answering(&id, |_| ()));
    assert_eq!(again, Reason::SurveyAlreadyAnswered);
    scene.go(SECOND, answering(&id, |it| it.seat = Seat::Itself));
    let client = |it: &mut AnswerDraft| {
        for_client(it);
        it.evidence = None;
    };
    scene.go(FIRST, answering(&id, client));
    scene.go(SECOND, answering(&id, client));
    let survey = scene.get::<Survey>(&id);
    assert_eq!(survey.state, SurveyState::Answered);
    assert_eq!(survey.answers.len(), 4);
    scene.go(SECOND, close(&id));
    assert_eq!(scene.ask(FIRST, close(&id)), Ok(Vec::new()));
    let vendor = |it: &mut AnswerDraft| {
        client(it);
        it.seat = Seat::Vendor;
    };
    let late = scene.reason(FIRST, answering(&id, vendor));
    assert_eq!(late, Reason::InvalidState);
}

#[test]
fn answers_at_fault() {
    let mut scene = Scene::shared(None);
    let id = begun(&mut scene, Some(2));
    let faults: [fn(&mut AnswerDraft); 7] = [
        |it| it.seat = Seat::Itself,
        |it| it.ratings.clear(),
        |it| it.ratings = scores(0),
        |it| it.ratings = scores(6),
        |it| it.seat = Seat::Client,
        |it| it.respondent = Some(sealed("nobody")),
        |it| it.evidence = Some(Evidence::Ticket("gone".to_owned())),
    ];
    for fault in faults {
        let refused = scene.reason(FIRST, answering(&id, fault));
        assert_eq!(refused, Reason::InvalidField);
    }
    let absent = scene.reason(FIRST, answering(&id, for_client));
    assert_eq!(absent, Reason::NotFound);
    let one = Answer::of(1, 3, "");
    let other_form = scene.reason(FIRST, mirroring(&id, &one, &[&one]));
    assert_eq!(other_form, Reason::InvalidField);
    assert_eq!(scene.reason(FIRST, create(Some(9))), Reason::InvalidField);
    let topic = Some(Topic::Opportunity("gone".to_owned()));
    let subject = Some(PartyId::numbered(1));
    let about = ask(SurveyCommand::Create { subject, topic });
    assert_eq!(scene.reason(FIRST, about), Reason::NotFound);
}

#[test]
fn a_mirror_is_revealed_by_the_last_answer_and_not_before() {
    let mut scene = Scene::shared(None);
    let id = begun(&mut scene, None);
    let (one, two) = (Answer::of(1, 2, "slow"), Answer::of(2, 5, ""));
    let first = scene.ask(FIRST, mirroring(&id, &one, &[&one]));
    assert_eq!(first, Ok(vec!["survey.mirror_answered"]));
    let survey = scene.get::<Survey>(&id);
    assert_eq!(survey.state, SurveyState::Open);
    let kept = serde_json::to_string(survey).unwrap();
    assert!(!kept.contains("first_responders") && !kept.contains("slow"));
    let again = scene.reason(FIRST, mirroring(&id, &one, &[&one]));
    assert_eq!(again, Reason::SurveyAlreadyAnswered);
    let alone = scene
        .ask(SECOND, mirroring(&id, &two, &[&two]))
        .unwrap_err();
    assert!(is_unread(&alone), "the first answer has to be read");
    let last = scene.ask(SECOND, mirroring(&id, &two, &[&one, &two]));
    let both = vec!["survey.mirror_answered", "survey.mirror_revealed"];
    assert_eq!(last, Ok(both));
    let survey = scene.get::<Survey>(&id);
    assert_eq!(survey.state, SurveyState::Revealed);
    for (answer, (score, comment)) in survey.mirror.iter().zip([(2, true), (5, false)]) {
        let revealed = answer.revealed.as_ref().unwrap();
        assert_eq!(revealed.ratings[1].ratings, scores(score));
        assert_eq!(revealed.comment.is_some(), comment);
        // Anybody can compute what was committed to.
        let salt = data_encoding::HEXLOWER.decode(revealed.salt.as_bytes());
        let salt: [u8; 16] = salt.unwrap().try_into().unwrap();
        let text = to_text(&revealed.ratings);
        let committed = Commitment::of(RATINGS_LABEL, &text, &salt);
        assert_eq!(committed, answer.sealed.ratings);
    }
    for over in [close(&id), mirroring(&id, &one, &[&one])] {
        assert_eq!(scene.reason(FIRST, over), Reason::InvalidState);
    }
}

#[test]
fn what_is_brought_has_to_be_genuine() {
    let mut scene = Scene::shared(None);
    let id = begun(&mut scene, None);
    let (one, two) = (Answer::of(1, 2, "slow"), Answer::of(2, 5, "fine"));
    scene.go(FIRST, mirroring(&id, &one, &[&one]));
    let better = Answer::of(1, 5, "slow");
    let softer = Answer {
        ratings: one.ratings.clone(),
        comment: one.comment.clone(),
        opened: better.opened.clone(),
    };
    let altered = |change: fn(&mut Answer)| {
        let mut answer = Answer::of(1, 2, "slow");
        change(&mut answer);
        answer
    };
    for forged in [
        altered(|it| it.ratings.value = it.ratings.value.replace('2', "5")),
        altered(|it| it.ratings.label = COMMENT_LABEL.to_owned()),
        altered(|it| it.opened.value = "quick".to_owned()),
        altered(|it| {
            it.opened = Opening::seal(COMMENT_LABEL, "quick", [9; 16], Readers::EveryParty);
        }),
        altered(|it| it.opened = it.comment.clone()),
    ] {
        let action = mirroring(&id, &two, &[&forged, &two]);
        assert!(is_unread(&scene.ask(SECOND, action).unwrap_err()));
    }
    scene.go(SECOND, mirroring(&id, &two, &[&softer, &two]));
}

#[test]
fn mirrors_at_fault() {
    let mut scene = Scene::shared(None);
    let id = begun(&mut scene, None);
    let rating = |about, score| MirrorRating {
        about: PartyId::numbered(about),
        ratings: scores(score),
    };
    for (ratings, faults) in [
        (vec![], 1),
        (vec![rating(1, 3)], 1),
        (vec![rating(1, 3), rating(1, 3)], 2),
        (vec![rating(1, 3), rating(2, 6), rating(9, 3)], 2),
    ] {
        let mut one = Answer::of(1, 3, "");
        let text = to_text(&ratings);
        one.ratings = Opening::seal(RATINGS_LABEL, &text, [1; 16], Readers::EveryParty);
        let refusal = scene.ask(FIRST, mirroring(&id, &one, &[&one])).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidField);
        assert_eq!(refusal.violations.len(), faults, "{refusal:?}");
    }
    let usual = scene.reason(FIRST, answering(&id, |_| ()));
    assert_eq!(usual, Reason::InvalidField);
    let mut alone = Scene::alone();
    assert_eq!(alone.reason(FIRST, create(None)), Reason::InvalidField);
}

#[test]
fn an_answer_that_was_erased_is_given_anew() {
    let mut scene = Scene::shared(None);
    let id = begun(&mut scene, None);
    let (one, two) = (Answer::of(1, 2, "slow"), Answer::of(2, 5, "fine"));
    scene.go(FIRST, mirroring(&id, &one, &[&one]));
    let erase = |opening: &Opening| {
        let label = opening.label.clone();
        Action::Redact(RedactCommand {
            wanted: vec![(opening.commitment.clone(), label)],
            reason: RedactionReason::WrittenByMistake,
        })
    };
    scene.go(FIRST, erase(&one.ratings));
    scene.go(SECOND, mirroring(&id, &two, &[&two]));
    assert_eq!(scene.get::<Survey>(&id).state, SurveyState::Open);
    let mut anew = Answer::of(1, 4, "slow at first");
    anew.ratings = Opening::seal(
        RATINGS_LABEL,
        &anew.ratings.value,
        [7; 16],
        Readers::EveryParty,
    );
    // What was said in words goes without being revealed.
    scene.go(SECOND, erase(&two.comment));
    scene.go(FIRST, mirroring(&id, &anew, &[&anew, &two]));
    let survey = scene.get::<Survey>(&id);
    assert_eq!(survey.state, SurveyState::Revealed);
    let comments = survey.mirror.iter();
    let comments = comments.map(|it| it.revealed.as_ref().unwrap().comment.is_some());
    assert_eq!(comments.collect::<Vec<_>>(), [false, true]);
}

#[test]
fn what_is_closed_stays_sealed() {
    let mut scene = Scene::shared(None);
    let id = begun(&mut scene, None);
    let one = Answer::of(1, 2, "slow");
    scene.go(FIRST, mirroring(&id, &one, &[&one]));
    scene.go(SECOND, close(&id));
    let survey = scene.get::<Survey>(&id);
    assert_eq!(survey.state, SurveyState::Closed);
    assert!(survey.mirror[0].revealed.is_none());
    let id = begun(&mut scene, Some(1));
    scene.end();
    let close = Action::CloseRecord {
        kind: Kind::Survey,
        id: id.clone(),
    };
    scene.go(FIRST, close);
    assert_eq!(scene.get::<Survey>(&id).state, SurveyState::Closed);
}

//! Surveys: one answer for each seat and party, and the blind mirror, of which nobody sees anything
//! before all have looked into it.

use entente::domain::commitment::Commitment;
use entente::domain::identity::{PartyId, ScopeId};
use entente::ledger::verify::{OpeningsFor, export_scope, verify_store};
use entente::proto::v1::{self, SurveyQuestion, SurveySeat, SurveyState};
use prost::Message;
use serde_json::Value;

use super::calls::{faulty, ok, refused, refuses};
use super::exporting::export;
use super::house::{Firm, House};
use super::leaving::leaving;
use super::raw;
use super::redaction::redacting;
use super::setting::{NORTH, NORTH_PSA, Pair, SOUTH, opening, ticket};
use super::trio::{Trio, WEST};

/// What north says in a mirror: a text that is nowhere else.
const COMMENT: &str = "Zaunkoenig-0815-they-never-call";
/// Messages of one answer that are looked at.
const MESSAGES_MAX: usize = 200;

/// The request for a survey about a party; for a blind mirror if none is named.
pub fn asking(parent: &str, subject: &str) -> v1::CreateSurveyRequest {
    v1::CreateSurveyRequest {
        parent: parent.to_owned(),
        survey: Some(v1::Survey {
            subject: subject.to_owned(),
            mirror: subject.is_empty(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Six ratings of one score.
pub fn scores(score: i32) -> Vec<v1::SurveyRating> {
    let questions = SurveyQuestion::FirstResponders.into()..=i32::from(SurveyQuestion::HelpToGrow);
    let rating = |question| v1::SurveyRating { question, score };
    questions.map(rating).collect()
}

pub fn answering(name: &str, seat: SurveySeat) -> v1::AnswerSurveyRequest {
    let on_behalf = matches!(seat, SurveySeat::Client | SurveySeat::Vendor);
    v1::AnswerSurveyRequest {
        name: name.to_owned(),
        answer: Some(v1::SurveyAnswer {
            seat: seat.into(),
            ratings: scores(4),
            comment: "they called back".to_owned(),
            respondent: if on_behalf { "the office manager" } else { "" }.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// An answer to a blind mirror.
pub fn mirroring(name: &str, of: &[(&str, i32)], comment: &str) -> v1::AnswerSurveyRequest {
    let rating = |(party, score): &(&str, i32)| v1::MirrorRating {
        party_id: (*party).to_owned(),
        ratings: scores(*score),
    };
    v1::AnswerSurveyRequest {
        name: name.to_owned(),
        mirror_ratings: of.iter().map(rating).collect(),
        mirror_comment: comment.to_owned(),
        ..Default::default()
    }
}

pub fn closing(name: &str) -> v1::CloseSurveyRequest {
    v1::CloseSurveyRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

async fn asked(firm: &Firm, request: v1::CreateSurveyRequest) -> String {
    ok(firm.connection.interaction().create_survey(request))
        .await
        .name
}

async fn read(firm: &Firm, name: &str) -> v1::Survey {
    let request = v1::GetSurveyRequest {
        name: name.to_owned(),
    };
    ok(firm.connection.interaction().get_survey(request)).await
}

async fn answer(firm: &Firm, request: v1::AnswerSurveyRequest) -> v1::Survey {
    ok(firm.connection.interaction().answer_survey(request)).await
}

async fn is_clean(house: &House) {
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
}

/// Both firms, a client and a vendor rate south.
pub async fn a_survey_from_four_seats(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let events = vec![opening("e1", &ticket(NORTH_PSA, "1"), 0, 1)];
    let tickets = pair.ingest(&pair.north, events).await;
    let mut request = asking(&pair.name, SOUTH);
    request
        .survey
        .as_mut()
        .unwrap()
        .topic
        .clone_from(&tickets[0].ticket);
    let name = asked(&pair.north, request).await;
    answer(&pair.north, answering(&name, SurveySeat::Partner)).await;
    answer(&pair.south, answering(&name, SurveySeat::Self_)).await;
    let mut for_client = answering(&name, SurveySeat::Client);
    for_client.answer.as_mut().unwrap().evidence = Some(v1::Evidence {
        cited: Some(v1::evidence::Cited::Record(tickets[0].ticket.clone())),
    });
    "client-1".clone_into(&mut for_client.request_id);
    answer(&pair.north, for_client.clone()).await;
    answer(&pair.north, for_client).await;
    let mut souths = pair.south.connection.interaction();
    answer(&pair.south, answering(&name, SurveySeat::Vendor)).await;
    let again = souths.answer_survey(answering(&name, SurveySeat::Vendor));
    let again = refuses(&house, "SURVEY_ALREADY_ANSWERED", again).await;
    assert_eq!(again.metadata["seat"], "vendor");
    let found = read(&pair.north, &name).await;
    assert_eq!(found, read(&pair.south, &name).await);
    assert_eq!(
        (found.state(), found.answers.len()),
        (SurveyState::Answered, 4)
    );
    assert_eq!(found.topic, tickets[0].ticket);
    let client = &found.answers[2];
    assert_eq!(client.respondent, "the office manager");
    assert_eq!(
        (client.party_id.as_str(), client.ratings.clone()),
        (NORTH, scores(4))
    );
    ok(souths.close_survey(closing(&name))).await;
    let late = souths.answer_survey(answering(&name, SurveySeat::Client));
    refuses(&house, "INVALID_STATE", late).await;
    for (state, count) in [(SurveyState::Closed, 1), (SurveyState::Open, 0)] {
        let wanted = v1::ListSurveysRequest {
            parent: pair.name.clone(),
            state: state.into(),
            ..Default::default()
        };
        let found = ok(souths.list_surveys(wanted)).await.surveys;
        assert_eq!(found.len(), count, "{state:?}");
    }
    house.stop().await;
}

/// Every fault at once, and nothing changes.
pub async fn surveys_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.interaction();
    let mut both = asking(&pair.name, SOUTH);
    let given = both.survey.as_mut().unwrap();
    given.mirror = true;
    given.topic = format!("{}/clients/x", pair.name);
    let fields = ["survey.subject", "survey.topic"];
    faulty(&house, "INVALID_FIELD", &fields, norths.create_survey(both)).await;
    let unknown = norths.create_survey(asking(&pair.name, "party-9"));
    faulty(&house, "INVALID_FIELD", &["survey.subject"], unknown).await;
    let name = asked(&pair.north, asking(&pair.name, SOUTH)).await;
    let mut bad = answering(&name, SurveySeat::Unspecified);
    "both".clone_into(&mut bad.mirror_comment);
    let given = bad.answer.as_mut().unwrap();
    given.ratings = [(1, 0), (1, 5), (1, 3), (9, 6)]
        .map(|(question, score)| v1::SurveyRating { question, score })
        .to_vec();
    given.evidence = Some(v1::Evidence::default());
    let fields = [
        "answer.seat",
        "answer.ratings[0].score",
        "answer.ratings[2].question",
        "answer.ratings[3].question",
        "answer.ratings[3].score",
        "answer.evidence",
        "mirror_ratings",
    ];
    faulty(&house, "INVALID_FIELD", &fields, norths.answer_survey(bad)).await;
    let foreign = norths.answer_survey(answering(&name, SurveySeat::Self_));
    faulty(&house, "INVALID_FIELD", &["answer.seat"], foreign).await;
    let mut unnamed = answering(&name, SurveySeat::Client);
    unnamed.answer.as_mut().unwrap().respondent.clear();
    let call = norths.answer_survey(unnamed);
    faulty(&house, "INVALID_FIELD", &["answer.respondent"], call).await;
    let nothing = mirroring(&name, &[], "");
    faulty(
        &house,
        "INVALID_FIELD",
        &["answer"],
        norths.answer_survey(nothing),
    )
    .await;
    let mirror = asked(&pair.north, asking(&pair.name, "")).await;
    let usual = norths.answer_survey(answering(&mirror, SurveySeat::Partner));
    faulty(&house, "INVALID_FIELD", &["answer"], usual).await;
    let half = norths.answer_survey(mirroring(&mirror, &[(SOUTH, 3)], ""));
    faulty(&house, "INVALID_FIELD", &["mirror_ratings"], half).await;
    let mut long = mirroring(&mirror, &[(NORTH, 0)], &"x".repeat(5_001));
    long.mirror_ratings[0].ratings.truncate(1);
    let fields = ["mirror_ratings[0].ratings[0].score", "mirror_comment"];
    faulty(&house, "INVALID_FIELD", &fields, norths.answer_survey(long)).await;
    house.stop().await;
}

/// All that a firm can get hold of that may be about a survey, as bytes.
async fn everything(house: &House, pair: &Pair, firm: &Firm, name: &str) -> Vec<Vec<u8>> {
    let get = v1::GetSurveyRequest {
        name: name.to_owned(),
    };
    let list = v1::ListSurveysRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let entries = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        page_size: 500,
        ..Default::default()
    };
    let watch = v1::WatchRequest {
        scopes: vec![v1::WatchScope {
            scope: pair.name.clone(),
            cursor: String::new(),
        }],
    };
    let exported = v1::ExportJournalRequest {
        name: pair.name.clone(),
    };
    let checkup = v1::GetCheckupRequest {
        name: pair.name.clone(),
        ..Default::default()
    };
    let entry_count = usize::try_from(house.head(&pair.name).await.sequence).unwrap();
    let calls = [
        ("InteractionService/GetSurvey", get.encode_to_vec(), 1),
        ("InteractionService/ListSurveys", list.encode_to_vec(), 1),
        ("JournalService/ListEntries", entries.encode_to_vec(), 1),
        ("CheckupService/GetCheckup", checkup.encode_to_vec(), 1),
        ("JournalService/Watch", watch.encode_to_vec(), entry_count),
        (
            "JournalService/ExportJournal",
            exported.encode_to_vec(),
            MESSAGES_MAX,
        ),
    ];
    let channel = house.channel().await;
    let mut answers = Vec::new();
    for (rpc, message, most) in calls {
        let rpc = format!("entente.v1.{rpc}");
        let key = Some(firm.api_key.as_str());
        let messages = raw::call(&channel, key, &rpc, message, most).await.unwrap();
        assert!(!messages.is_empty(), "{rpc} is silent");
        answers.push(messages.concat());
    }
    answers
}

/// The openings of a party's mirror answers, with their salts, as the operator has them.
async fn sealed_values(house: &House, pair: &Pair) -> Vec<String> {
    let scope = ScopeId::parse(&pair.name).unwrap();
    let signer = &house.running.application.api.signer;
    let mut out: Vec<u8> = Vec::new();
    let all = OpeningsFor::Operator;
    let written = export_scope(house.store().as_ref(), &scope, &all, signer, &mut out).await;
    written.expect("the scope can be exported");
    let lines = out.split(|byte| *byte == b'\n').filter(|it| !it.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    let is_mirror = |line: &Value| {
        let label = line["label"].as_str().unwrap_or_default();
        line["type"] == "opening" && label.starts_with("mirror_")
    };
    let texts = |line: Value| {
        let fields = ["value", "salt"].map(|field| line[field].as_str().map(str::to_owned));
        fields.into_iter().flatten().filter(|text| !text.is_empty())
    };
    lines.filter(is_mirror).flat_map(texts).collect()
}

/// North has answered; south looks everywhere and finds nothing. When it has answered too, both see
/// both, and whoever likes computes what was committed to.
pub async fn nobody_sees_into_a_mirror_before_all_have_looked(house: House) {
    let pair = Pair::active(&house).await;
    let name = asked(&pair.south, asking(&pair.name, "")).await;
    let of = [(NORTH, 5), (SOUTH, 2)];
    let mut request = mirroring(&name, &of, COMMENT);
    "mirror-1".clone_into(&mut request.request_id);
    let own = answer(&pair.north, request.clone()).await;
    assert_eq!(own.state(), SurveyState::Open);
    let shown = &own.mirror_answers[0];
    assert_eq!((shown.sealed, shown.comment.as_str()), (false, COMMENT));
    assert_eq!(answer(&pair.north, request.clone()).await, own, "a retry");
    let mut traces: Vec<Vec<u8>> = Vec::new();
    for text in sealed_values(&house, &pair).await {
        traces.push(text.into_bytes());
    }
    assert_eq!(traces.len(), 4, "ratings and comment with their salts");
    traces.extend(request.mirror_ratings.iter().map(Message::encode_to_vec));
    traces.extend([COMMENT, "first_responders", "help_to_grow"].map(|it| it.as_bytes().to_vec()));
    let tells = |bytes: &Vec<u8>| {
        let found = |trace: &&Vec<u8>| bytes.windows(trace.len()).any(|it| it == trace.as_slice());
        traces.iter().find(found).cloned()
    };
    for bytes in everything(&house, &pair, &pair.south, &name).await {
        let told = tells(&bytes).map(|trace| String::from_utf8_lossy(&trace).into_owned());
        assert_eq!(told, None, "south is told");
    }
    let found = everything(&house, &pair, &pair.north, &name).await;
    assert!(
        found.iter().filter(|bytes| tells(bytes).is_some()).count() >= 3,
        "the search works"
    );
    // The request id is north's own, and what south does wrong tells it nothing.
    let mut souths = pair.south.connection.interaction();
    let mut wrong = mirroring(&name, &[(NORTH, 3)], "");
    "mirror-1".clone_into(&mut wrong.request_id);
    let wrong = refused(souths.answer_survey(wrong)).await;
    assert_eq!(tells(&format!("{wrong:?}").into_bytes()), None);
    let lines = export(&pair.south, &pair.name).await;
    assert!(
        !serde_json::to_string(&lines)
            .unwrap()
            .contains("mirror_comment")
    );
    is_clean(&house).await;
    let again = pair.north.connection.interaction();
    let again = { again }
        .answer_survey(mirroring(&name, &of, COMMENT))
        .await;
    assert!(again.unwrap_err().message().contains("given its answer"));

    let revealed = answer(&pair.south, mirroring(&name, &[(SOUTH, 4), (NORTH, 3)], "")).await;
    assert_eq!(revealed.state(), SurveyState::Revealed);
    let norths = read(&pair.north, &name).await;
    assert_eq!(norths, revealed, "both see the same");
    let scored = |index: usize| {
        let ratings = norths.mirror_answers[index].ratings.iter();
        ratings
            .map(|it| (it.party_id.clone(), it.ratings[0].score))
            .collect::<Vec<_>>()
    };
    let both = |own, other| vec![(NORTH.to_owned(), own), (SOUTH.to_owned(), other)];
    assert_eq!((scored(0), scored(1)), (both(5, 2), both(3, 4)));
    assert_eq!(norths.mirror_answers[0].comment, COMMENT);
    checks_out(&pair, &norths).await;
    is_clean(&house).await;
    house.stop().await;
}

/// The entry that reveals has what the commitments were made of.
async fn checks_out(pair: &Pair, survey: &v1::Survey) {
    let lines = export(&pair.south, &pair.name).await;
    let revealed = lines
        .iter()
        .rfind(|line| line["event_type"] == "survey.mirror_revealed");
    let payload = &revealed.expect("it is journalled")["payload"];
    let payload: Value = match payload {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    };
    for (answer, shown) in payload["answers"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&survey.mirror_answers)
    {
        let salt = data_encoding::HEXLOWER.decode(answer["salt"].as_str().unwrap().as_bytes());
        let salt: [u8; 16] = salt.unwrap().try_into().unwrap();
        let text = serde_json::to_string(&answer["ratings"]).unwrap();
        let ratings: Vec<entente::domain::interaction::survey::mirror::MirrorRating> =
            serde_json::from_str(&text).unwrap();
        let text = entente::domain::interaction::survey::mirror::to_text(&ratings);
        let committed = Commitment::of("mirror_ratings", &text, &salt);
        assert_eq!(committed.as_str(), shown.ratings_commitment);
        assert_eq!(
            answer["party"],
            PartyId::from_text(&shown.party_id).as_str()
        );
    }
}

/// Two answer at the same instant: the one that comes second reveals both, whichever it is.
pub async fn two_look_into_a_mirror_at_once(house: House) {
    let pair = Pair::active(&house).await;
    for _ in 0..4 {
        let name = asked(&pair.north, asking(&pair.name, "")).await;
        let of = [(NORTH, 3), (SOUTH, 3)];
        let (one, other) = tokio::join!(
            answer(&pair.north, mirroring(&name, &of, "north")),
            answer(&pair.south, mirroring(&name, &of, "south")),
        );
        let states = [one.state(), other.state()];
        assert!(states.contains(&SurveyState::Revealed), "{states:?}");
        let found = read(&pair.south, &name).await;
        let comments = found.mirror_answers.iter();
        let mut comments: Vec<_> = comments.map(|it| it.comment.as_str()).collect();
        comments.sort_unstable();
        assert_eq!(comments, ["north", "south"]);
    }
    is_clean(&house).await;
    house.stop().await;
}

/// One of three leaves without an answer: to close the mirror reveals those of the others. What a firm
/// said is its own to erase, also where the other one's answer revealed it.
pub async fn a_mirror_that_somebody_turned_away_from(house: House) {
    let trio = Trio::active(&house).await;
    let pair = &trio.pair;
    let name = asked(&pair.north, asking(&pair.name, "")).await;
    let of = [(NORTH, 3), (SOUTH, 4), (WEST, 5)];
    answer(&pair.north, mirroring(&name, &of, COMMENT)).await;
    let two = answer(&pair.south, mirroring(&name, &of, "fine")).await;
    assert_eq!(two.state(), SurveyState::Open);
    assert!(
        read(&trio.west, &name)
            .await
            .mirror_answers
            .iter()
            .all(|it| it.sealed)
    );
    let mut wests = trio.west.connection.partnerships();
    ok(wests.leave_partnership(leaving(&pair.name))).await;
    let mut souths = pair.south.connection.interaction();
    let revealed = ok(souths.close_survey(closing(&name))).await;
    assert_eq!(revealed.state(), SurveyState::Revealed);
    assert_eq!(revealed.mirror_answers[0].comment, COMMENT);
    let erasing = || redacting(&pair.name, "survey", &name, &["mirror_comment"]);
    ok(pair.north.connection.journal().redact(erasing())).await;
    let found = read(&pair.south, &name).await;
    assert_eq!(found.mirror_answers[0].comment, "");
    assert_eq!(found.mirror_answers[1].comment, "fine");
    assert_eq!(found.mirror_answers[0].ratings.len(), 3);
    assert_eq!(found.redacted_fields, ["mirror_comment"]);
    assert!(
        sealed_values(&house, pair)
            .await
            .iter()
            .all(|text| text != COMMENT)
    );
    is_clean(&house).await;
    house.stop().await;
}

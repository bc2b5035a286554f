//! What firms agree to beforehand, and what a firm that joins says to what was asserted before.

use entente::proto::v1::{self, AgreementState, AssertionOutcome, ExpectationState};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at, lasting};
use super::setting::{
    NORTH_PSA, Pair, SOUTH, euros, five_w, invitation, joining, offering, opening, partnership,
    ticket,
};

/// South agrees to what it has a day for, until two days after the beginning.
fn beforehand() -> v1::StandingConsent {
    v1::StandingConsent {
        consent_id: "small-jobs".to_owned(),
        kind: v1::StandingConsentKind::Expectation.into(),
        party_id: SOUTH.to_owned(),
        shortest_notice: Some(lasting(24 * HOUR)),
        allows_on_site: true,
        until_time: Some(at(48 * HOUR)),
        ..Default::default()
    }
}

/// North's offer as it stands after it was made.
async fn offered(pair: &Pair, deadline_hours: i64) -> v1::Expectation {
    let mut norths = pair.north.connection.expectations();
    let request = pair.draft_request(five_w(deadline_hours));
    let draft = ok(norths.create_expectation(request)).await;
    ok(norths.offer_expectation(offering(&draft.name))).await
}

/// A consent counts once both approved it, for what it covers and as long as it says; whatever else
/// is offered waits for an answer, and silence stays silence (E01).
pub async fn what_a_standing_consent_covers_is_agreed_at_once(house: House) {
    let pair = Pair::active(&house).await;
    let terms = v1::Terms {
        standing_consents: vec![beforehand()],
        ..Default::default()
    };
    assert_eq!(offered(&pair, 24).await.state(), ExpectationState::Offered);
    let request = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(terms.clone()),
        ..Default::default()
    };
    ok(pair.north.connection.partnerships().propose_terms(request)).await;
    let unapproved = offered(&pair, 24).await;
    assert_eq!(unapproved.state(), ExpectationState::Offered);
    pair.terms(terms.clone()).await;
    let request = v1::GetPartnershipRequest {
        name: pair.name.clone(),
    };
    let shown = ok(pair
        .south
        .connection
        .partnerships()
        .get_partnership(request))
    .await;
    let shown = shown.terms.unwrap();
    assert_eq!(shown.standing_consents, terms.standing_consents);

    let agreed = offered(&pair, 24).await;
    assert_eq!(agreed.state(), ExpectationState::Agreed);
    assert_eq!(agreed.agree_time, Some(at(0)));
    let cited = v1::CitedConsent {
        consent_id: "small-jobs".to_owned(),
        terms_revision: shown.revision,
        party_id: SOUTH.to_owned(),
    };
    assert_eq!(agreed.agreed_by_standing_consent, Some(cited));
    let short = offered(&pair, 23).await;
    assert_eq!(short.state(), ExpectationState::Offered);
    assert_eq!(short.agreed_by_standing_consent, None);
    house.pass(48 * HOUR);
    assert_eq!(offered(&pair, 96).await.state(), ExpectationState::Offered);
    let request = v1::GetExpectationRequest { name: short.name };
    let mut souths = pair.south.connection.expectations();
    let silent = ok(souths.get_expectation(request)).await;
    assert_eq!(silent.state(), ExpectationState::Expired);
    house.stop().await;
}

/// Every fault of a consent is listed.
pub async fn standing_consents_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.partnerships();
    let proposing = |consents: Vec<v1::StandingConsent>| v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(v1::Terms {
            standing_consents: consents,
            ..Default::default()
        }),
        ..Default::default()
    };
    let incomplete = proposing(vec![v1::StandingConsent {
        largest_cost_per_hour: Some(entente::proto::google::r#type::Money {
            nanos: 1,
            ..euros(1)
        }),
        ..Default::default()
    }]);
    let field = |index: usize, name: &str| format!("terms.standing_consents[{index}].{name}");
    let fields = [
        "kind",
        "largest_cost_per_hour",
        "shortest_notice",
        "until_time",
    ];
    let fields = fields.map(|name| field(0, name));
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.propose_terms(incomplete),
    )
    .await;
    let wrong = proposing(vec![
        beforehand(),
        v1::StandingConsent {
            party_id: "party-9".to_owned(),
            shortest_notice: Some(lasting(-1)),
            largest_cost_per_hour: Some(euros(-1)),
            ..beforehand()
        },
    ]);
    let fields = [
        "consent_id",
        "party_id",
        "shortest_notice",
        "largest_cost_per_hour",
    ];
    let fields = fields.map(|name| field(1, name));
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.propose_terms(wrong),
    )
    .await;
    let many = proposing(vec![beforehand(); 21]);
    let fields = ["terms.standing_consents"];
    faulty(&house, "INVALID_FIELD", &fields, norths.propose_terms(many)).await;
    house.stop().await;
}

/// What north asserted before south joined: the agreements `kept` and `denied`, and an expectation
/// of each sort.
struct Asserted {
    pair: Pair,
    kept: [String; 2],
    denied: [String; 2],
}

async fn asserted(house: &House) -> Asserted {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let mut norths = north.connection.partnerships();
    let name = ok(norths.create_partnership(partnership("Alone")))
        .await
        .name;
    let pair = Pair { north, south, name };
    pair.calendar().await;
    let mut made = Vec::new();
    for id in ["kept", "denied"] {
        let request = pair.agreement_request(id, pair.desk());
        let agreement = ok(pair.north.connection.sla().create_agreement(request)).await;
        assert_eq!(agreement.state(), AgreementState::Asserted);
        let expectation = offered(&pair, 24).await;
        assert_eq!(expectation.state(), ExpectationState::Asserted);
        made.push([agreement.name, expectation.name]);
    }
    let invited = ok(norths.invite_partner(invitation(&pair.name))).await;
    let mut souths = pair.south.connection.partnerships();
    ok(souths.join_partnership(joining(&invited.code))).await;
    let denied = made.pop().unwrap();
    let kept = made.pop().unwrap();
    Asserted { pair, kept, denied }
}

fn contesting(name: &str) -> v1::ContestedAssertion {
    v1::ContestedAssertion {
        name: name.to_owned(),
        reason: "never agreed".to_owned(),
    }
}

fn outcomes(answered: &v1::AnswerAssertionsResponse) -> Vec<(&str, AssertionOutcome, bool)> {
    let results = answered.results.iter();
    results
        .map(|result| (result.name.as_str(), result.outcome(), result.sequence > 0))
        .collect()
}

pub async fn agreement(pair: &Pair, name: &str) -> v1::Agreement {
    let request = v1::GetAgreementRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    ok(pair.north.connection.sla().get_agreement(request)).await
}

async fn expectation(pair: &Pair, name: &str) -> v1::Expectation {
    let request = v1::GetExpectationRequest {
        name: name.to_owned(),
    };
    ok(pair
        .north
        .connection
        .expectations()
        .get_expectation(request))
    .await
}

/// A firm that joins endorses what it stands by and contests the rest, in one call that may come
/// twice.
pub async fn whoever_joins_endorses_or_contests(house: House) {
    let Asserted { pair, kept, denied } = asserted(&house).await;
    let mut souths = pair.south.connection.partnerships();
    let request = v1::AnswerAssertionsRequest {
        name: pair.name.clone(),
        endorse_all: true,
        contest: denied.iter().map(|name| contesting(name)).collect(),
        ..Default::default()
    };
    let answered = ok(souths.answer_assertions(request.clone())).await;
    let (endorsed, contested) = (AssertionOutcome::Endorsed, AssertionOutcome::Contested);
    let expected = [
        (denied[0].as_str(), contested, true),
        (denied[1].as_str(), contested, true),
        (kept[0].as_str(), endorsed, true),
        (kept[1].as_str(), endorsed, true),
    ];
    assert_eq!(outcomes(&answered), expected);
    assert!(answered.is_complete);
    assert_eq!(
        agreement(&pair, &kept[0]).await.state(),
        AgreementState::Active
    );
    assert_eq!(
        expectation(&pair, &kept[1]).await.state(),
        ExpectationState::Agreed
    );
    let shown = agreement(&pair, &denied[0]).await;
    assert_eq!(shown.state(), AgreementState::Contested);
    let contest = shown.contest.clone().unwrap();
    assert_eq!(
        (contest.party_id.as_str(), contest.reason.as_str()),
        (SOUTH, "never agreed")
    );
    let refused = expectation(&pair, &denied[1]).await;
    assert_eq!(refused.state(), ExpectationState::Contested);
    assert_eq!(refused.ending.unwrap().reason, "never agreed");

    // The same again, by whatever call: nothing is left to change.
    let before = house.heads().await;
    let again = ok(souths.answer_assertions(request)).await;
    assert_eq!(outcomes(&again)[0].1, contested);
    let by_name = v1::AnswerAssertionsRequest {
        name: pair.name.clone(),
        endorse: kept.to_vec(),
        ..Default::default()
    };
    let again = ok(souths.answer_assertions(by_name)).await;
    let expected = kept.each_ref().map(|name| (name.as_str(), endorsed, false));
    assert_eq!(outcomes(&again), expected);
    assert_eq!(house.heads().await, before);

    // What was contested is in force no more, and nothing brings it back.
    let approving = v1::ApproveAgreementRequest {
        name: shown.name,
        hash: shown.hash,
        ..Default::default()
    };
    let mut souths = pair.south.connection.sla();
    let call = souths.approve_agreement(approving);
    refuses(&house, "INVALID_STATE", call).await;
    pair.status_map(&pair.north, NORTH_PSA).await;
    let events = vec![opening("e1", &ticket(NORTH_PSA, "1"), 0, 1)];
    let taken = pair.ingest(&pair.north, events).await;
    assert_eq!(taken[0].error, None, "one agreement alone is in force");
    house.stop().await;
}

/// Each answer is refused by itself; what is wrong with the call is refused whole.
pub async fn answers_to_assertions_at_fault(house: House) {
    let Asserted { pair, kept, denied } = asserted(&house).await;
    let mut norths = pair.north.connection.partnerships();
    let mut souths = pair.south.connection.partnerships();
    let answering =
        |endorse: &[&str], contest: Vec<v1::ContestedAssertion>| v1::AnswerAssertionsRequest {
            name: pair.name.clone(),
            endorse: endorse.iter().map(|name| (*name).to_owned()).collect(),
            contest,
            ..Default::default()
        };
    let own = answering(&[], vec![contesting(&denied[0]), contesting(&denied[1])]);
    let own = ok(norths.answer_assertions(own)).await;
    let refused = AssertionOutcome::Refused;
    assert!(own.results.iter().all(|result| result.outcome() == refused));
    let absent = format!("{}/agreements/absent", pair.name);
    let elsewhere = "partnerships/elsewhere/agreements/kept";
    let client = format!("{}/clients/kept", pair.name);
    let mixed = answering(&[&absent, elsewhere, &client, &kept[0]], Vec::new());
    let mixed = ok(souths.answer_assertions(mixed)).await;
    let codes: Vec<_> = mixed
        .results
        .iter()
        .map(|it| it.error.as_ref().map(|error| error.code))
        .collect();
    let (absent, invalid) = (
        tonic::Code::NotFound.into(),
        tonic::Code::InvalidArgument.into(),
    );
    assert_eq!(codes, [Some(absent), Some(invalid), Some(invalid), None]);

    let nothing = souths.answer_assertions(answering(&[], Vec::new()));
    faulty(&house, "INVALID_FIELD", &["endorse"], nothing).await;
    let silent = v1::ContestedAssertion {
        reason: String::new(),
        ..contesting(&kept[0])
    };
    let twice = answering(&[&kept[0], &kept[0]], vec![silent]);
    let fields = ["endorse[1]", "contest[0].name", "contest[0].reason"];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        souths.answer_assertions(twice),
    )
    .await;
    house.stop().await;
}

/// What refuses to be endorsed stays asserted, and stands in the way of nothing behind it.
pub async fn endorsing_all_comes_past_what_is_refused(house: House) {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let mut norths = north.connection.partnerships();
    let name = ok(norths.create_partnership(partnership("Alone")))
        .await
        .name;
    let pair = Pair { north, south, name };
    for _ in 0..101 {
        offered(&pair, 1).await;
    }
    house.pass(2 * HOUR);
    let last = offered(&pair, 24).await;
    let invited = ok(norths.invite_partner(invitation(&pair.name))).await;
    let mut souths = pair.south.connection.partnerships();
    ok(souths.join_partnership(joining(&invited.code))).await;
    let request = v1::AnswerAssertionsRequest {
        name: pair.name.clone(),
        endorse_all: true,
        ..Default::default()
    };
    let answered = ok(souths.answer_assertions(request)).await;
    assert!(answered.is_complete);
    let of = |wanted| {
        let outcomes = answered.results.iter().map(v1::AssertionResult::outcome);
        outcomes.filter(|outcome| *outcome == wanted).count()
    };
    let (refused, endorsed) = (AssertionOutcome::Refused, AssertionOutcome::Endorsed);
    assert_eq!((of(refused), of(endorsed)), (101, 1));
    let agreed = expectation(&pair, &last.name).await;
    assert_eq!(agreed.state(), ExpectationState::Agreed);
    house.stop().await;
}

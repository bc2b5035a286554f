//! What firms agree to beforehand, and what a firm that joins says to what was asserted before.

use entente::proto::v1::{self, ExpectationState};

use super::calls::{faulty, ok};
use super::house::{HOUR, House, at, lasting};
use super::setting::{Pair, SOUTH, euros, five_w, offering};

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

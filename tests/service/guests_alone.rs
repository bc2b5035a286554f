//! Guests in the place of a firm that has not joined, and the firm when it joins.

use entente::proto::v1::{
    self, AssertionOutcome, ExpectationState, guest_link::Matter,
    open_guest_link_response::Matter as Asked,
};

use super::calls::{faulty, ok, refuses};
use super::guests::{
    accepting, assert_verified, expectation, first_offer, guest, link, linking, opening, refusing,
    work,
};
use super::house::House;
use super::setting::{
    NORTH, Pair, SOUTH, euros, five_w, fulfilling, invitation, joining, offering, partnership,
};

/// A partnership of north alone.
async fn alone(house: &House) -> Pair {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let mut norths = north.connection.partnerships();
    let name = ok(norths.create_partnership(partnership("Alone")))
        .await
        .name;
    Pair { north, south, name }
}

/// North's assertion, to be kept by a party.
async fn asserted(pair: &Pair, obligor: &str) -> v1::Expectation {
    let mut request = pair.draft_request(five_w(240));
    if let Some(expectation) = &mut request.expectation {
        obligor.clone_into(&mut expectation.obligor);
    }
    let mut norths = pair.north.connection.expectations();
    let draft = ok(norths.create_expectation(request)).await;
    let asserted = ok(norths.offer_expectation(offering(&draft.name))).await;
    assert_eq!(asserted.state(), ExpectationState::Asserted);
    asserted
}

/// One firm alone and a guest at the other: agreed, disputed, accepted, each marked as what it is.
pub async fn one_firm_alone_with_a_guest_at_the_other(house: House) {
    let pair = alone(&house).await;
    let mut jo = guest(&house).await;
    let asserted = asserted(&pair, NORTH).await;
    let made = link(
        &pair.north,
        linking(&pair.name, SOUTH, first_offer(&asserted.name)),
    )
    .await;
    assert!(made.guest_link.expect("the link").for_placeholder);
    ok(jo.use_guest_link(accepting(&made.code))).await;
    let mut norths = pair.north.connection.expectations();
    let name = asserted.name;
    ok(norths.fulfil_expectation(fulfilling(&name))).await;

    let made = link(&pair.north, linking(&pair.name, SOUTH, work(&name))).await;
    let question = ok(jo.open_guest_link(opening(&made.code))).await;
    let Some(Asked::Fulfilment(asked)) = question.matter else {
        panic!("another question");
    };
    assert_eq!(asked.done_by, "The north firm");
    assert_eq!(asked.fulfilment.expect("the work").message, "done");
    let silent = jo.use_guest_link(refusing(&made.code, ""));
    faulty(&house, "INVALID_FIELD", &["message"], silent).await;
    ok(jo.use_guest_link(refusing(&made.code, "it is not logged"))).await;
    let disputed = expectation(&pair.north, &name).await;
    let dispute = disputed.dispute.expect("disputed");
    assert_eq!(
        (dispute.party_id.as_str(), dispute.firm.as_str()),
        (SOUTH, "")
    );
    assert_eq!(dispute.reason, "it is not logged");
    assert!(!dispute.guest_link_id.is_empty());

    ok(norths.fulfil_expectation(fulfilling(&name))).await;
    let made = link(&pair.north, linking(&pair.name, SOUTH, work(&name))).await;
    ok(jo.use_guest_link(accepting(&made.code))).await;
    let accepted = expectation(&pair.north, &name).await;
    assert_eq!(accepted.state(), ExpectationState::Accepted);
    let acceptance = accepted.acceptance.expect("accepted");
    let criteria = acceptance.criteria_met.iter();
    let criteria: Vec<_> = criteria.map(|met| met.criterion).collect();
    assert_eq!(criteria, [0, 1]);
    assert_eq!(acceptance.firm, "");
    assert_verified(&house).await;
    house.stop().await;
}

/// Terms, an agreement and a concession, by guests of a firm that has not joined; then it joins.
pub async fn what_a_guest_approved_waits_for_the_firm_that_joins(house: House) {
    let pair = alone(&house).await;
    let mut jo = guest(&house).await;
    let mut norths = pair.north.connection.partnerships();
    let expected = asserted(&pair, SOUTH).await;
    let proposing = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(v1::Terms::default()),
        ..Default::default()
    };
    let terms = ok(norths.propose_terms(proposing)).await.terms;
    pair.calendar().await;
    let request = pair.agreement_request("desk", pair.desk());
    let agreement = ok(pair.north.connection.sla().create_agreement(request)).await;
    let quote = pair.quote(&[("a", 500)], &[]).await;
    let proposing = v1::ProposeConcessionRequest {
        name: quote.name.clone(),
        concession: Some(euros(100)),
        basis: v1::AllocationBasis::Price.into(),
        ..Default::default()
    };
    let quote = ok(pair
        .north
        .connection
        .pricing()
        .propose_concession(proposing))
    .await;
    let matters = [
        Matter::Terms(v1::GuestTermsMatter {
            hash: terms.expect("in force").hash,
        }),
        Matter::Agreement(v1::GuestAgreementMatter {
            agreement: agreement.name.clone(),
            hash: agreement.hash.clone(),
        }),
        Matter::Concession(v1::GuestConcessionMatter {
            joint_quote: quote.name.clone(),
            hash: quote.revisions[0].hash.clone(),
        }),
        first_offer(&expected.name),
    ];
    for matter in matters {
        let is_only_approved = matches!(matter, Matter::Terms(_) | Matter::Agreement(_));
        let made = link(&pair.north, linking(&pair.name, SOUTH, matter)).await;
        let question = ok(jo.open_guest_link(opening(&made.code))).await;
        let is_fit = match question.matter {
            Some(Asked::Terms(terms)) => terms.revision == 1,
            Some(Asked::Agreement(asked)) => asked.targets == agreement.targets,
            Some(Asked::Concession(asked)) => asked.portions.len() == 1,
            Some(Asked::Offer(asked)) => asked.kept_by == "the others",
            _ => false,
        };
        assert!(is_fit, "{}", question.sentence);
        if is_only_approved {
            let call = jo.use_guest_link(refusing(&made.code, "no"));
            faulty(&house, "INVALID_FIELD", &["answer"], call).await;
        }
        ok(jo.use_guest_link(accepting(&made.code))).await;
    }
    let agreement = super::joining::agreement(&pair, &agreement.name).await;
    assert_eq!(agreement.state(), v1::AgreementState::Asserted);
    assert_eq!(agreement.approvals.len(), 2);
    let guests = &agreement.approvals[1];
    assert_eq!((guests.firm.as_str(), guests.api_key.as_str()), ("", ""));
    joins(&house, &pair, &expected.name).await;
    house.stop().await;
}

/// South joins: a link for the placeholder is void, and south is asked itself.
async fn joins(house: &House, pair: &Pair, agreed: &str) {
    let late = asserted(pair, SOUTH).await;
    let made = link(
        &pair.north,
        linking(&pair.name, SOUTH, first_offer(&late.name)),
    )
    .await;
    let mut norths = pair.north.connection.partnerships();
    let invited = ok(norths.invite_partner(invitation(&pair.name))).await;
    let mut souths = pair.south.connection.partnerships();
    let joined = ok(souths.join_partnership(joining(&invited.code))).await;
    let proposed = joined.proposed_terms.expect("south is asked");
    let mut jo = guest(house).await;
    let call = jo.use_guest_link(accepting(&made.code));
    refuses(house, "GUEST_LINK_REVOKED", call).await;
    let request = v1::ApproveTermsRequest {
        name: pair.name.clone(),
        hash: proposed.hash,
        ..Default::default()
    };
    let approved = ok(souths.approve_terms(request)).await;
    assert_eq!(approved.terms.expect("in force").approvals.len(), 3);
    let request = v1::AnswerAssertionsRequest {
        name: pair.name.clone(),
        endorse_all: true,
        ..Default::default()
    };
    let answered = ok(souths.answer_assertions(request)).await;
    let endorsed: Vec<_> = answered
        .results
        .iter()
        .map(|it| (it.outcome(), it.sequence > 0))
        .collect();
    assert_eq!(endorsed, [(AssertionOutcome::Endorsed, true); 3]);
    let agreed = expectation(&pair.north, agreed).await;
    assert_eq!(
        agreed.agreed_by_guest_link_id, "",
        "by the firm from now on"
    );
    assert_verified(house).await;
}

//! A partnership that one firm keeps alone: something of every sort, as far as that firm gets, and
//! what it is answered where that differs from what it gets with a partner.

use std::collections::BTreeMap;

use entente::proto::v1::{self, AllocationBasis};
use tonic::Code;

use super::adoption::adopting;
use super::amendments::{agreed_date, proposing};
use super::calls::ok;
use super::custody;
use super::evidence::an_hour_late;
use super::guests::{first_offer, linking};
use super::house::{HOUR, House};
use super::interaction_stage;
use super::maps::priority_map_request;
use super::sale_stage;
use super::setting::{
    NORTH_PSA, Pair, SOUTH, euros, five_w, invitation, offering, opening, partnership, ticket,
};
use super::stage::{self, Names};

/// What the one firm is answered, where it is not what it is answered with a partner, and why.
pub const ALONE: &[(&str, Code, &str)] = &[
    (
        "JoinPartnership",
        Code::NotFound,
        "the code is not that of the invitation",
    ),
    (
        "ApproveTerms",
        Code::FailedPrecondition,
        "terms are in force as soon as one firm proposes them",
    ),
    (
        "AcceptFulfilment",
        Code::FailedPrecondition,
        "what is asserted is agreed by nobody, and done by nobody",
    ),
    (
        "DisputeFulfilment",
        Code::FailedPrecondition,
        "what is asserted is agreed by nobody, and done by nobody",
    ),
    (
        "ExplainExpectationClock",
        Code::NotFound,
        "what is asserted has no agreed date",
    ),
    (
        "DeclineParty",
        Code::NotFound,
        "no further party is proposed",
    ),
    (
        "RecordClaimOutcome",
        Code::Ok,
        "nobody else is there to judge",
    ),
    (
        "VerifyImprovement",
        Code::Ok,
        "nobody else is there to look at it",
    ),
    (
        "CountersignEvent",
        Code::NotFound,
        "nobody else is there, so no event waits for anybody",
    ),
    (
        "RejectEvent",
        Code::NotFound,
        "nobody else is there, so no event waits for anybody",
    ),
    (
        "SettleSettlementStatement",
        Code::Ok,
        "nobody else is there to agree, or to say that it was paid",
    ),
    (
        "CreateHandOverRequest",
        Code::Ok,
        "what is asked for is said to be held by the other",
    ),
    ("ConfirmHandOver", Code::Ok, "the one firm asked for it"),
    (
        "WithdrawHandOverRequest",
        Code::Ok,
        "the one firm asked for it",
    ),
    (
        "CreateGuestLink",
        Code::FailedPrecondition,
        "the work that the link is about was never agreed",
    ),
];

/// Sets it up: north stands alone, south is invited. `names` are those of the other stage.
pub async fn set(house: &House, names: &Names) -> (Pair, Names) {
    let (north, south) = (house.firm("north").await, house.firm("south").await);
    let mut norths = north.connection.partnerships();
    let name = ok(norths.create_partnership(partnership("Alone")))
        .await
        .name;
    let over = ok(norths.create_partnership(partnership("Over")))
        .await
        .name;
    let invited = ok(norths.invite_partner(invitation(&name))).await;
    let pair = Pair { north, south, name };
    let (id, _) = invited.code.split_once('.').expect("two parts");
    let mut own = BTreeMap::from([
        ("partnership", pair.name.clone()),
        ("calendar", format!("{}/calendars/always", pair.name)),
        ("agreement", format!("{}/agreements/desk", pair.name)),
        ("adopted", format!("{}/calendars/office", pair.name)),
        ("over", over),
        ("code", format!("{id}.nonsense")),
    ]);
    agreements(&pair, &mut own).await;
    tickets(&pair, &mut own).await;
    ok(pair
        .north
        .connection
        .sla()
        .adopt_revision(adopting(&pair.name, &names.of("own_calendar"))))
    .await;
    stage::outsiders(&pair, &mut own).await;
    stage::notices(&pair, &mut own).await;
    stage::claims(&pair, &mut own).await;
    stage::opportunities(&pair, &mut own).await;
    interaction_stage::set(&pair, &mut own).await;
    stage::improvements(&pair, &mut own).await;
    custody::stage(&pair, &mut own, true).await;
    expectations(&pair, &mut own).await;
    quotes(&pair, &mut own).await;
    sale_stage::set(&pair, &mut own, true).await;
    let solo = names.clone().with_all(own);
    let shared = names.shared_with(&solo);
    // Updates are told of what was agreed, which nothing is here.
    let elsewhere = ["open", "solo", "update"];
    let forgotten: Vec<_> = shared
        .into_iter()
        .filter(|key| !elsewhere.contains(key))
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?} are not here as well");
    (pair, solo)
}

async fn agreements(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let proposing = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(an_hour_late()),
        ..Default::default()
    };
    let mut norths = pair.north.connection.partnerships();
    let terms = ok(norths.propose_terms(proposing)).await.terms;
    names.insert("terms_hash", terms.expect("in force").hash);
    pair.calendar().await;
    let mut norths = pair.north.connection.sla();
    for id in ["desk", "proposed", "ending"] {
        let request = pair.agreement_request(id, pair.desk());
        let made = ok(norths.create_agreement(request)).await;
        if id == "proposed" {
            names.insert("proposed_hash", made.hash);
        }
        names.insert(id, made.name);
    }
    // Of three in force none is meant.
    for id in ["proposed", "ending"] {
        let request = v1::EndAgreementRequest {
            name: names[id].clone(),
            ..Default::default()
        };
        ok(norths.end_agreement(request)).await;
    }
    let map = pair.status_map(&pair.north, NORTH_PSA).await;
    names.insert("status_map", map.name);
    let map = priority_map_request(pair, &[("P1", 1), ("P2", 2)]);
    let map = ok(norths.update_priority_map(map)).await;
    names.insert("priority_map", map.name);
}

async fn tickets(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let amended = pair.opened("amended", 0).await;
    let mut norths = pair.north.connection.sla();
    for _ in 0..3 {
        let request = proposing(&amended, agreed_date(Some(HOUR)));
        ok(norths.propose_amendment(request)).await;
    }
    let id = ticket(NORTH_PSA, "amended");
    let late = [("late-1", -2 * HOUR), ("late-2", -3 * HOUR)];
    let late = late.map(|(event, seconds)| opening(event, &id, seconds, 1));
    pair.ingest(&pair.north, late.to_vec()).await;
    names.insert("amended", amended);
    names.insert("ticket", pair.opened("1", 0).await);
    names.insert("other_ticket", pair.opened("2", 0).await);
}

/// What is offered to nobody is asserted.
async fn expectations(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    for key in ["draft", "to_offer"] {
        names.insert(key, pair.draft().await.name);
    }
    let mut norths = pair.north.connection.expectations();
    for key in [
        "to_counter",
        "to_agree",
        "to_decline",
        "to_withdraw",
        "to_fulfil",
        "to_accept",
        "to_dispute",
        "to_guest",
    ] {
        let draft = ok(norths.create_expectation(pair.draft_request(five_w(48)))).await;
        let asserted = ok(norths.offer_expectation(offering(&draft.name))).await;
        names.insert(key, asserted.name);
    }
    for (key, code) in [
        ("guest_link", "guest_code"),
        ("link_to_revoke", "revoked_code"),
    ] {
        let request = linking(&pair.name, SOUTH, first_offer(&names["to_agree"]));
        let mut norths = pair.north.connection.partnerships();
        let made = ok(norths.create_guest_link(request)).await;
        names.insert(key, made.guest_link.expect("the link").name);
        names.insert(code, made.code);
    }
}

async fn quotes(pair: &Pair, names: &mut BTreeMap<&'static str, String>) {
    let keys = [
        ("quote", "quote_hash"),
        ("to_approve", "approve_hash"),
        ("to_reject", "reject_hash"),
        ("to_take_back", "take_back_hash"),
    ];
    for (key, hash) in keys {
        let quote = pair.quote(&[("a", 500)], &[]).await;
        let request = v1::ProposeConcessionRequest {
            name: quote.name.clone(),
            concession: Some(euros(100)),
            basis: AllocationBasis::Price.into(),
            ..Default::default()
        };
        let mut pricing = pair.north.connection.pricing();
        let proposed = ok(pricing.propose_concession(request)).await;
        names.insert(hash, proposed.revisions[0].hash.clone());
        names.insert(key, quote.name);
    }
}

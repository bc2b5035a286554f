//! What is open, whose turn it is, and until when.

use entente::proto::v1::{self, OpenMatter};

use super::amendments::{agreed_date, proposing};
use super::calls::{faulty, ok};
use super::claims::needing;
use super::contacts::{contact, introducing};
use super::house::{Firm, HOUR, House, at};
use super::leaving::leaving;
use super::notices::{giving, moving};
use super::setting::{NORTH, Pair, SOUTH, agreeing, euros, fulfilling, offering};
use super::trio::{Trio, WEST, desk_for};

/// Everything on the list, in pages of `size`.
pub async fn listed(firm: &Firm, name: &str, party: &str, size: i32) -> Vec<v1::HandOverItem> {
    let mut request = v1::GetHandOverListRequest {
        name: name.to_owned(),
        party_id: party.to_owned(),
        page_size: size,
        ..Default::default()
    };
    let mut items = Vec::new();
    loop {
        let mut partnerships = firm.connection.partnerships();
        let page = ok(partnerships.get_hand_over_list(request.clone())).await;
        assert!(page.items.len() <= usize::try_from(size).unwrap());
        items.extend(page.items);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return items;
        }
    }
}

/// Matter, party and hours after the beginning.
fn told(items: &[v1::HandOverItem]) -> Vec<(OpenMatter, Vec<&str>, Option<i64>)> {
    let hours = |at: &prost_types::Timestamp| (at.seconds - super::house::START_SECONDS) / HOUR;
    let items = items.iter();
    items
        .map(|item| {
            let parties = item.party_ids.iter().map(String::as_str).collect();
            (item.matter(), parties, item.until_time.as_ref().map(hours))
        })
        .collect()
}

/// Every sort of open matter is there once, in pages of any size, for all and for one party.
pub async fn what_is_open_is_listed(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let agreed = pair.agreed().await;
    // Ids ascend with time.
    house.pass(1);
    let done = pair.agreed().await;
    let mut souths = pair.south.connection.expectations();
    ok(souths.fulfil_expectation(fulfilling(&done.name))).await;
    let withdrawn = pair.offer().await;
    let mut norths = pair.north.connection.expectations();
    ok(norths.withdraw_expectation(v1::WithdrawExpectationRequest {
        name: withdrawn.name,
        ..Default::default()
    }))
    .await;
    ok(norths.create_notice(giving(&pair.name, moving(Some(9 * HOUR)), true))).await;
    ok(norths.create_need(needing(&pair.name))).await;
    let ticket = pair.opened("1", 0).await;
    let request = proposing(&ticket, agreed_date(Some(5 * HOUR)));
    ok(pair.north.connection.sla().propose_amendment(request)).await;
    let request = pair.agreement_request("new", pair.desk());
    ok(pair.south.connection.sla().create_agreement(request)).await;
    let quote = pair.quote(&[("a", 500)], &[("b", 500)]).await;
    let request = v1::ProposeConcessionRequest {
        name: quote.name,
        concession: Some(euros(100)),
        basis: v1::AllocationBasis::Price.into(),
        ..Default::default()
    };
    ok(pair.north.connection.pricing().propose_concession(request)).await;
    let request = introducing(&pair.name, "", contact(&pair.name, "always", 1, &[1]));
    ok(pair.north.connection.partnerships().create_contact(request)).await;

    let whole = listed(&pair.south, &pair.name, "", 500).await;
    let expected = [
        (OpenMatter::Expectation, vec![SOUTH], Some(48)),
        (OpenMatter::Expectation, vec![NORTH], Some(48)),
        (OpenMatter::Notice, vec![NORTH], Some(9)),
        (OpenMatter::Need, vec![NORTH], None),
        (OpenMatter::Ticket, vec![SOUTH], Some(1)),
        (OpenMatter::Amendment, vec![SOUTH], None),
        (OpenMatter::Agreement, vec![SOUTH], None),
        (OpenMatter::ProposedAgreement, vec![NORTH], None),
        (OpenMatter::Quote, vec![SOUTH], Some(7 * 24)),
        (OpenMatter::Contact, vec![NORTH], None),
    ];
    assert_eq!(told(&whole), expected);
    assert_eq!(whole[0].name, agreed.name);
    assert_eq!(whole[5].amendment_id, "1");
    for size in 1..=3 {
        assert_eq!(listed(&pair.north, &pair.name, "", size).await, whole);
    }
    let own: Vec<_> = whole
        .iter()
        .filter(|item| item.party_ids == [SOUTH])
        .cloned()
        .collect();
    assert_eq!(listed(&pair.north, &pair.name, SOUTH, 2).await, own);
    let request = v1::GetHandOverListRequest {
        name: pair.name.clone(),
        page_token: "nonsense".to_owned(),
        ..Default::default()
    };
    let mut partnerships = pair.north.connection.partnerships();
    let call = partnerships.get_hand_over_list(request);
    faulty(&house, "PAGE_TOKEN_INVALID", &["page_token"], call).await;
    house.stop().await;
}

/// What a firm owed when it left stays on the list of the others.
pub async fn what_a_firm_owed_is_left_to_the_others(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let pair = &trio.pair;
    let request = v1::CreateExpectationRequest {
        parent: pair.name.clone(),
        expectation: Some(v1::Expectation {
            obligor: WEST.to_owned(),
            five_w: Some(super::setting::five_w(48)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut norths = pair.north.connection.expectations();
    let owed = ok(norths.create_expectation(request)).await;
    ok(norths.offer_expectation(offering(&owed.name))).await;
    let mut wests = trio.west.connection.expectations();
    ok(wests.agree_expectation(agreeing(&owed.name, 1))).await;
    let request = pair.agreement_request("asked", desk_for(pair, WEST));
    let asked = ok(pair.north.connection.sla().create_agreement(request)).await;
    let before = listed(&pair.north, &pair.name, WEST, 9).await;
    assert_eq!(before.len(), 2);
    assert_eq!(before[1].name, asked.name);
    let mut partnerships = trio.west.connection.partnerships();
    ok(partnerships.leave_partnership(leaving(&pair.name))).await;
    let left = listed(&pair.north, &pair.name, WEST, 9).await;
    let expected = [(OpenMatter::Expectation, vec![WEST], Some(48))];
    assert_eq!(
        told(&left),
        expected,
        "what it had to approve waits no more"
    );
    assert_eq!(left[0].until_time, Some(at(48 * HOUR)));
    house.stop().await;
}

//! A client's credit for a broken promise, divided by whose held time caused it.

use entente::proto::v1::{
    self, AgreementKind, ChargedPartyKind, CreditBasis, TargetType, TicketState,
};

use super::calls::{faulty, ok, refuses};
use super::chains::{Chain, a_chain_of_four, life};
use super::house::{HOUR, House, MINUTE, at};
use super::setting::{NORTH, NORTH_PSA, Pair, SOUTH, euros};

/// The request for a credit of so many cents.
pub fn crediting(name: &str, cents: i64) -> v1::ComputeCreditSplitRequest {
    v1::ComputeCreditSplitRequest {
        name: name.to_owned(),
        r#type: TargetType::Resolution.into(),
        credit: Some(euros(cents)),
        page_size: 500,
        ..Default::default()
    }
}

/// North owes a client a resolution within four hours, whoever else is waited for.
async fn owed_to_a_client(house: &House) -> Pair {
    let pair = Pair::active(house).await;
    pair.calendar().await;
    let client = v1::CreateClientRequest {
        parent: pair.name.clone(),
        client: Some(v1::Client {
            display_name: "Brandt Freight".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let client = ok(pair.north.connection.partnerships().create_client(client)).await;
    let agreement = v1::Agreement {
        kind: AgreementKind::Sla.into(),
        obligor: NORTH.to_owned(),
        beneficiary: NORTH.to_owned(),
        client: client.name,
        pausing_states: Vec::new(),
        ..pair.desk()
    };
    pair.agreement("client", agreement).await;
    let mut map = pair.status_map_request(NORTH_PSA);
    let with_south = v1::StatusMapEntry {
        status: "With south".to_owned(),
        state: TicketState::WaitingOnPartner.into(),
    };
    map.status_map.as_mut().unwrap().entries.push(with_south);
    ok(pair.north.connection.sla().update_status_map(map)).await;
    house.pass(6 * HOUR);
    pair
}

/// Who bears how many cents, for how many minutes.
fn shares(split: &v1::CreditSplit) -> Vec<(String, String, i64, i64)> {
    let shares = split.shares.iter();
    shares
        .map(|share| {
            let party = share.party.clone().unwrap();
            let amount = share.amount.clone().unwrap();
            let cents = amount.units * 100 + i64::from(amount.nanos) / 10_000_000;
            let minutes = share.held.unwrap().seconds / MINUTE;
            (party.partnership, party.name, minutes, cents)
        })
        .collect()
}

/// Both firms get the same answer: the time adds up to the clock, and the money to the credit.
pub async fn a_credit_falls_to_whoever_had_the_ball(house: House) {
    let pair = owed_to_a_client(&house).await;
    let changes = [
        (0, "New"),
        (60, "Open"),
        (120, "With south"),
        (300, "Open"),
        (310, "Waiting"),
        (340, "Open"),
        (360, "Done"),
    ];
    let name = life(&pair, 1, &changes).await;
    let mut norths = pair.north.connection.sla();
    let split = ok(norths.compute_credit_split(crediting(&name, 10_000))).await;
    let share = |who: &str, minutes, cents| (pair.name.clone(), who.to_owned(), minutes, cents);
    let expected = [share(NORTH, 150, 4_545), share(SOUTH, 180, 5_455)];
    assert_eq!(shares(&split), expected);
    assert_eq!(
        split.shares[1].explanation,
        "10,800 of 19,800 of 100.00 EUR is about 54.54545454: floor 54.54, remainder 10,800 of 19,800 \
         of a minor unit, rank 1, one spare unit, so the share is 54.55."
    );
    let outside = split.outside[0].party.clone().unwrap();
    assert_eq!(outside.kind(), ChargedPartyKind::Client);
    assert_eq!(split.outside[0].charged.unwrap().seconds, 30 * MINUTE);
    let consumed = split.clock.as_ref().unwrap().consumed.unwrap().seconds;
    let counted = split.intervals.iter();
    let counted = counted.map(|interval| interval.counted.unwrap().seconds);
    assert_eq!((consumed, counted.sum::<i64>()), (360 * MINUTE, consumed));
    let mut souths = pair.south.connection.sla();
    let seen = ok(souths.compute_credit_split(crediting(&name, 10_000))).await;
    assert_eq!(seen, split);
    let mut late = crediting(&name, 10_000);
    late.basis = CreditBasis::Overrun.into();
    let late = ok(souths.compute_credit_split(late)).await;
    // Broken after 240 minutes, while south had it.
    let expected = [share(NORTH, 30, 3_333), share(SOUTH, 60, 6_667)];
    assert_eq!(shares(&late), expected);
    pages(&pair, &name, &split).await;
    house.stop().await;
}

async fn pages(pair: &Pair, name: &str, whole: &v1::CreditSplit) {
    let mut norths = pair.north.connection.sla();
    let (mut intervals, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ComputeCreditSplitRequest {
            page_size: 2,
            page_token,
            ..crediting(name, 10_000)
        };
        let page = ok(norths.compute_credit_split(request)).await;
        assert_eq!((&page.shares, &page.clock), (&whole.shares, &whole.clock));
        intervals.extend(page.intervals);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(intervals, whole.intervals);
}

/// The firm in the middle passes on what those further down held; its partner learns nothing of it.
pub async fn a_credit_along_a_chain(house: House) {
    let chain = Chain::set(&house).await;
    let (further, [upstream, down, _]) = a_chain_of_four(&house, &chain).await;
    let mut middle = chain.middle().connection.sla();
    let mut request = crediting(&upstream, 2_850);
    let alone = ok(middle.compute_credit_split(request.clone())).await;
    let share = |pair: &Pair, minutes, cents| {
        let who = SOUTH.to_owned();
        (pair.name.clone(), who, minutes, cents)
    };
    assert_eq!(shares(&alone), [share(&chain.up, 285, 2_850)]);
    request.along_chain = true;
    let passed_on = ok(middle.compute_credit_split(request.clone())).await;
    let mut found = shares(&passed_on);
    found.sort_by_key(|share| share.2);
    let expected = [
        share(&further, 30, 300),
        share(&chain.down, 75, 750),
        share(&chain.up, 180, 1_800),
    ];
    assert_eq!(found, expected);
    assert_eq!(passed_on.intervals[1].downstream_ticket, down);
    let mut north = chain.up.north.connection.sla();
    let norths = ok(north.compute_credit_split(request.clone())).await;
    assert_eq!(norths, alone);
    let mut west = chain.down.south.connection.sla();
    let call = west.compute_credit_split(request);
    refuses(&house, "NOT_FOUND", call).await;
    house.stop().await;
}

/// Nothing is divided that is not due, or that none of the firms caused.
pub async fn credits_at_fault(house: House) {
    let pair = owed_to_a_client(&house).await;
    let kept = life(&pair, 1, &[(0, "New"), (60, "Done")]).await;
    let mut norths = pair.north.connection.sla();
    let call = norths.compute_credit_split(crediting(&kept, 100));
    refuses(&house, "CREDIT_NOT_DUE", call).await;
    let waited = [(0, "New"), (200, "Waiting"), (300, "Done")];
    let waited = life(&pair, 2, &waited).await;
    let mut request = crediting(&waited, 100);
    request.basis = CreditBasis::Overrun.into();
    let call = norths.compute_credit_split(request.clone());
    refuses(&house, "NOBODY_HELD_TIME", call).await;
    request.basis = CreditBasis::Held.into();
    let split = ok(norths.compute_credit_split(request)).await;
    assert_eq!(shares(&split)[0].3, 100);
    let bad = v1::ComputeCreditSplitRequest {
        name: pair.name.clone(),
        cycle: -1,
        basis: 9,
        ..Default::default()
    };
    let fields = ["name", "type", "credit", "basis", "cycle"];
    let call = norths.compute_credit_split(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    for cents in [0, -100] {
        let call = norths.compute_credit_split(crediting(&waited, cents));
        faulty(&house, "INVALID_FIELD", &["credit"], call).await;
    }
    let mut fine = crediting(&waited, 100);
    fine.credit.as_mut().unwrap().nanos = 1;
    let call = norths.compute_credit_split(fine);
    faulty(&house, "MONEY_TOO_FINE", &["credit"], call).await;
    let mut early = crediting(&waited, 100);
    early.as_of_time = Some(at(-HOUR));
    let call = norths.compute_credit_split(early);
    refuses(&house, "OUT_OF_RANGE", call).await;
    let mut other = crediting(&waited, 100);
    other.r#type = TargetType::Workaround.into();
    refuses(&house, "NOT_FOUND", norths.compute_credit_split(other)).await;
    house.stop().await;
}

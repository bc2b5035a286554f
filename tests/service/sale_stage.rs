//! Quotes whose clients have decided, and what two firms owe each other since.

use std::collections::BTreeMap;

use entente::proto::google::r#type::Date;
use entente::proto::v1::{self, AllocationBasis, Cadence};

use super::calls::ok;
use super::sales::{amount, booking, monthly, winning};
use super::setting::{Pair, SOUTH, euros, portion};
use super::settlements::{drafting, issuing};

/// Names of what there is, by what it is for.
type Names = BTreeMap<&'static str, String>;

/// Statements in every state that an RPC needs: one for each month.
const MONTHS: [(&str, i32, i32); 4] = [
    ("issue_north", 2025, 10),
    ("issue_south", 2025, 11),
    ("issued", 2026, 1),
    ("", 2026, 3),
];

/// By both firms, or by one firm that keeps the partnership alone.
pub async fn set(pair: &Pair, names: &mut Names, is_alone: bool) {
    for key in ["to_win", "to_lose", "sold"] {
        let quote = quote(pair, is_alone, key == "sold").await;
        names.insert(key, quote);
    }
    let hash = conceded(pair, &names["sold"], is_alone).await;
    names.insert("sold_hash", hash);
    let mut won = winning(&names["sold"], 900);
    won.final_client_prices.push(amount(Cadence::Monthly, 100));
    let mut norths = pair.north.connection.sales();
    ok(norths.win_quote(won)).await;
    for (period, (key, year, month)) in (1..).zip(MONTHS) {
        let date = Date {
            year,
            month,
            day: 5,
        };
        let booked = booking(&names["sold"], Cadence::Monthly, period, date);
        let booked = ok(norths.book_period(booked)).await;
        if key == "issued" {
            let once = booking(&names["sold"], Cadence::OneTime, 1, date);
            ok(norths.book_period(once)).await;
        }
        names.insert("booking", booked.name);
        if !key.is_empty() {
            let period = format!("{year}-{month:02}");
            let request = drafting(&pair.name, SOUTH, &period);
            let mut norths = pair.north.connection.settlements();
            let drafted = ok(norths.draft_settlement_statement(request)).await;
            names.insert(key, drafted.name);
        }
    }
    let mut norths = pair.north.connection.settlements();
    ok(norths.issue_settlement_statement(issuing(&names["issued"]))).await;
}

/// 5.00 of north and 5.00 of south; if asked for, 1.00 of south every month as well.
async fn quote(pair: &Pair, is_alone: bool, recurs: bool) -> String {
    let mut souths = vec![portion("b", 500)];
    souths.extend(recurs.then(|| monthly("d", 100, 12)));
    let mut request = pair.quote_request(&[("a", 500)]);
    if is_alone {
        let given = request.joint_quote.as_mut().unwrap();
        for mut portion in souths.drain(..) {
            SOUTH.clone_into(&mut portion.party_id);
            given.portions.push(portion);
        }
    }
    let mut pricing = pair.north.connection.pricing();
    let name = ok(pricing.create_joint_quote(request)).await.name;
    for portion in souths {
        let request = v1::AddPortionRequest {
            name: name.clone(),
            portion: Some(portion),
            ..Default::default()
        };
        ok(pair.south.connection.pricing().add_portion(request)).await;
    }
    name
}

/// 1.00 is conceded; answers with the hash of that.
async fn conceded(pair: &Pair, quote: &str, is_alone: bool) -> String {
    let request = v1::ProposeConcessionRequest {
        name: quote.to_owned(),
        concession: Some(euros(100)),
        basis: AllocationBasis::Price.into(),
        ..Default::default()
    };
    let mut norths = pair.north.connection.pricing();
    let proposed = ok(norths.propose_concession(request)).await;
    let hash = proposed.revisions[0].hash.clone();
    if !is_alone {
        let request = v1::ApproveConcessionRequest {
            name: quote.to_owned(),
            hash: hash.clone(),
            ..Default::default()
        };
        let mut souths = pair.south.connection.pricing();
        ok(souths.approve_concession(request)).await;
    }
    hash
}

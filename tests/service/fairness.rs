//! Who bears the concessions of a partnership.

use entente::proto::v1::{self, AllocationBasis};

use super::calls::{faulty, ok, refuses};
use super::house::{House, at};
use super::setting::{NORTH, Pair, SOUTH, cents, euros};

/// Asks for the shares that lead back to parity, all quotes counted.
pub fn evening_out(partnership: &str, concession: i64) -> v1::ProposeParityRequest {
    v1::ProposeParityRequest {
        name: partnership.to_owned(),
        concession: Some(euros(concession)),
        include_not_won: true,
    }
}

fn index(pair: &Pair) -> v1::GetBurdenIndexRequest {
    v1::GetBurdenIndexRequest {
        name: pair.name.clone(),
        ..v1::GetBurdenIndexRequest::default()
    }
}

/// A quote of 100.00 from each, of which the first bears that many basis points of 10.00, approved.
pub async fn conceded(pair: &Pair, bps: i32) {
    let quote = pair.quote(&[("mine", 10_000)], &[("theirs", 10_000)]).await;
    let weights = [(NORTH, bps), (SOUTH, 10_000 - bps)];
    let request = v1::ProposeConcessionRequest {
        name: quote.name.clone(),
        concession: Some(euros(1_000)),
        basis: AllocationBasis::FixedBps.into(),
        weights: weights
            .map(|(party, share_bps)| v1::PartyShare {
                party_id: party.to_owned(),
                share_bps,
            })
            .to_vec(),
        ..v1::ProposeConcessionRequest::default()
    };
    let mut norths = pair.north.connection.pricing();
    let proposed = ok(norths.propose_concession(request)).await;
    let approving = v1::ApproveConcessionRequest {
        name: quote.name,
        hash: proposed.revisions.last().unwrap().hash.clone(),
        ..v1::ApproveConcessionRequest::default()
    };
    ok(pair
        .south
        .connection
        .pricing()
        .approve_concession(approving))
    .await;
}

/// P18: who always pays is seen by both, and the next concession can lead back.
pub async fn p18_the_burden_index_and_the_way_back(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.fairness();
    let mut souths = pair.south.connection.fairness();
    let nothing = ok(norths.get_burden_index(index(&pair))).await;
    assert_eq!(nothing.groups, []);
    let never = norths.propose_parity(evening_out(&pair.name, 100));
    refuses(&house, "INVALID_STATE", never).await;
    conceded(&pair, 8_000).await;
    conceded(&pair, 7_000).await;
    // What waits for an answer does not count.
    pair.quote(&[("mine", 10_000)], &[("theirs", 10_000)]).await;
    let found = ok(norths.get_burden_index(index(&pair))).await;
    assert_eq!(found, ok(souths.get_burden_index(index(&pair))).await);
    let group = &found.groups[0];
    assert_eq!(
        (group.currency.as_str(), group.won, group.quote_count),
        ("EUR", false, 2)
    );
    let parties = group.parties.iter();
    let parties: Vec<_> = parties
        .map(|party| {
            (
                party.party_id.as_str(),
                cents(party.base.as_ref()),
                cents(party.absorbed.as_ref()),
                party.index_bps,
                cents(party.to_parity.as_ref()),
                party.proposed_count,
            )
        })
        .collect();
    let north = (NORTH, 20_000, 1_500, Some(15_000), -500, 2);
    let south = (SOUTH, 20_000, 500, Some(5_000), 500, 0);
    assert_eq!(parties, [north, south]);
    assert_eq!(group.evenness_bps, Some(8_000));
    let parity = ok(souths.propose_parity(evening_out(&pair.name, 2_000))).await;
    let shares: Vec<(i32, i64)> = parity
        .shares
        .iter()
        .map(|share| (share.share_bps, cents(share.amount.as_ref())))
        .collect();
    assert_eq!(shares, [(2_500, 500), (7_500, 1_500)]);
    assert!(parity.full && parity.explanation.contains("all bore as much as they sell"));
    // Nothing was won.
    let won_alone = v1::ProposeParityRequest {
        include_not_won: false,
        ..evening_out(&pair.name, 2_000)
    };
    refuses(&house, "INVALID_STATE", norths.propose_parity(won_alone)).await;
    let by_price = v1::GetBurdenIndexRequest {
        basis: AllocationBasis::Price.into(),
        ..index(&pair)
    };
    assert_eq!(ok(norths.get_burden_index(by_price)).await.groups, []);
    let in_yen = v1::GetBurdenIndexRequest {
        currency: "JPY".to_owned(),
        ..index(&pair)
    };
    assert_eq!(ok(norths.get_burden_index(in_yen)).await.groups, []);
    house.stop().await;
}

/// Every fault at once.
pub async fn burdens_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.fairness();
    let bad = v1::GetBurdenIndexRequest {
        currency: "EURO".to_owned(),
        basis: 99,
        start_time: Some(at(1)),
        end_time: Some(at(1)),
        ..index(&pair)
    };
    let fields = ["currency", "basis", "end_time"];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        norths.get_burden_index(bad),
    )
    .await;
    let unset = v1::ProposeParityRequest {
        concession: None,
        ..evening_out(&pair.name, 1)
    };
    faulty(
        &house,
        "INVALID_FIELD",
        &["concession"],
        norths.propose_parity(unset),
    )
    .await;
    conceded(&pair, 5_000).await;
    let nothing = norths.propose_parity(evening_out(&pair.name, 0));
    faulty(&house, "INVALID_FIELD", &["concession"], nothing).await;
    house.stop().await;
}

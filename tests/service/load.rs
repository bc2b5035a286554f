//! Many callers at once over one partnership.

use std::collections::BTreeSet;

use entente::api::SEQUENCE_METADATA;
use entente::domain::identity::ScopeId;
use entente::domain::journal::{Head, follow};
use entente::ledger::verify::verify_store;
use entente::proto::v1;

use super::calls::accepted;
use super::house::{House, MINUTE};
use super::setting::{NORTH_PSA, Pair, opening, ticket};

/// Calls under way at once.
const CALLS: usize = 64;

/// Every call gets a place of its own in the journal, and no place is left out.
pub async fn sequences_have_no_gaps(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(MINUTE);
    let before = house.head(&pair.name).await.sequence;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..CALLS {
        let firm = if number % 2 == 0 {
            &pair.north
        } else {
            &pair.south
        };
        let connection = firm.connection.clone();
        let client = v1::CreateClientRequest {
            parent: pair.name.clone(),
            client: Some(v1::Client {
                display_name: format!("Client {number}"),
                ..Default::default()
            }),
            request_id: format!("load-{number}"),
            ..Default::default()
        };
        calls.spawn(async move {
            let response = accepted(connection.partnerships().create_client(client)).await;
            let sequence = response.metadata().get(SEQUENCE_METADATA).unwrap();
            sequence.to_str().unwrap().parse::<u64>().unwrap()
        });
    }
    let batch =
        (0..CALLS).map(|number| opening("e1", &ticket(NORTH_PSA, &number.to_string()), 0, 1));
    let results = pair.ingest(&pair.north, batch.collect()).await;
    let mut sequences: BTreeSet<u64> = results
        .iter()
        .map(|result| u64::try_from(result.sequence).unwrap())
        .collect();
    sequences.extend(calls.join_all().await);
    assert_eq!(
        sequences.len(),
        2 * CALLS,
        "two calls share a place in the journal"
    );

    let scope = ScopeId::parse(&pair.name).unwrap();
    let entries = house.store().entries(&scope, 0, 10_000).await.unwrap();
    let mut head = Head::new(scope.clone());
    for entry in &entries {
        follow(&mut head, entry).unwrap();
    }
    assert_eq!(head, house.head(&pair.name).await);
    assert!(
        sequences
            .iter()
            .all(|sequence| (before + 1..=head.sequence).contains(sequence))
    );
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
    house.stop().await;
}

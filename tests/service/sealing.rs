//! What a portion costs its owner never leaves the server for anybody else: every byte that the
//! other firm can obtain is searched.

use entente::domain::identity::{PartyId, ScopeId};
use entente::ledger::verify::{OpeningsFor, export_scope};
use entente::proto::v1::{self, AllocationBasis};
use prost::Message;

use super::calls::{accepted, ok, refused};
use super::house::House;
use super::raw;
use super::setting::{NORTH, Pair, SOUTH, euros, portion};

/// What the portion costs its owner, in cents: a number that nothing else contains.
const COST_CENTS: i64 = 765_432_109;
/// Its whole euros.
const COST_EUROS: i64 = 7_654_321;
/// Entries, answers and messages looked at.
const MESSAGES_MAX: usize = 100;

/// Everything by which the cost could be recognised.
fn traces() -> Vec<Vec<u8>> {
    let mut varints = Vec::new();
    for number in [COST_CENTS, COST_EUROS] {
        let message = v1::JournalEntry {
            sequence: number,
            ..Default::default()
        };
        varints.push(message.encode_to_vec()[1..].to_vec());
    }
    let texts = [
        "765432109",
        "7654321.09",
        "7654321,09",
        "7,654,321",
        "7654321",
    ];
    let fixed = [
        COST_CENTS.to_be_bytes().to_vec(),
        COST_CENTS.to_le_bytes().to_vec(),
    ];
    texts
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .chain(varints)
        .chain(fixed)
        .collect()
}

fn tells(bytes: &[u8]) -> bool {
    let found = |trace: &Vec<u8>| bytes.windows(trace.len()).any(|window| window == trace);
    traces().iter().any(found)
}

async fn export(house: &House, pair: &Pair, openings: &OpeningsFor) -> Vec<u8> {
    let scope = ScopeId::parse(&pair.name).unwrap();
    let signer = &house.running.application.api.signer;
    let mut out: Vec<u8> = Vec::new();
    let written = export_scope(house.store().as_ref(), &scope, openings, signer, &mut out).await;
    written.expect("the scope can be exported");
    out
}

/// South states a cost; north reads everything that there is.
pub async fn a_cost_reaches_nobody_else(house: House) {
    let pair = Pair::active(&house).await;
    let quote = pair.quote(&[("a", 1_000)], &[]).await;
    let mut souths = pair.south.connection.pricing();
    let request = v1::AddPortionRequest {
        name: quote.name.clone(),
        portion: Some(v1::Portion {
            internal_cost: Some(euros(COST_CENTS)),
            ..portion("b", 900_000_000)
        }),
        request_id: "add-b".to_owned(),
        ..Default::default()
    };
    let added = accepted(souths.add_portion(request.clone())).await;
    let stated = added
        .get_ref()
        .portions
        .iter()
        .find(|portion| portion.portion_id == "b")
        .unwrap();
    assert_eq!(stated.internal_cost, Some(euros(COST_CENTS)));
    assert!(stated.cost_sealed && stated.cost_commitment.len() == 64);
    let propose = v1::ProposeConcessionRequest {
        name: quote.name.clone(),
        concession: Some(euros(100)),
        basis: AllocationBasis::Price.into(),
        ..Default::default()
    };
    ok(pair.north.connection.pricing().propose_concession(propose)).await;

    let answers = everything(&house, &pair, &quote.name).await;
    for (rpc, answer) in &answers {
        assert!(!tells(answer), "{rpc} tells the cost");
    }
    let shown: Vec<_> = answers
        .iter()
        .filter(|(rpc, _)| rpc.contains("JointQuote"))
        .collect();
    let stated = shown.iter().all(|(_, answer)| {
        answer
            .windows(64)
            .any(|window| window == stated.cost_commitment.as_bytes())
    });
    assert!(
        shown.len() == 2 && stated,
        "the commitment is for everybody"
    );
    errors(&pair, request).await;
    assert!(!tells(&export(&house, &pair, &OpeningsFor::Nobody).await));
    assert!(!tells(
        &export(
            &house,
            &pair,
            &OpeningsFor::Party(PartyId::from_text(NORTH))
        )
        .await
    ));

    own(&house, &pair, &quote.name).await;
    house.stop().await;
}

/// Its owner does find it in all of these places, so the search does work.
async fn own(house: &House, pair: &Pair, quote: &str) {
    let own = v1::GetJointQuoteRequest {
        name: quote.to_owned(),
    };
    assert!(tells(
        &ok(pair.south.connection.pricing().get_joint_quote(own))
            .await
            .encode_to_vec()
    ));
    assert!(tells(
        &export(house, pair, &OpeningsFor::Party(PartyId::from_text(SOUTH))).await
    ));
}

/// Every answer about the quote that north can obtain, as bytes.
async fn everything(house: &House, pair: &Pair, quote: &str) -> Vec<(&'static str, Vec<u8>)> {
    let named = v1::GetJointQuoteRequest {
        name: quote.to_owned(),
    }
    .encode_to_vec();
    let listed = v1::ListJointQuotesRequest {
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
    let explain = v1::ExplainAllocationRequest {
        name: quote.to_owned(),
        revision: 1,
    };
    let last = usize::try_from(house.head(&pair.name).await.sequence).unwrap();
    let calls = [
        (
            "entente.v1.PricingService/GetJointQuote",
            named,
            MESSAGES_MAX,
        ),
        (
            "entente.v1.PricingService/ListJointQuotes",
            listed.encode_to_vec(),
            MESSAGES_MAX,
        ),
        (
            "entente.v1.PricingService/ExplainAllocation",
            explain.encode_to_vec(),
            MESSAGES_MAX,
        ),
        (
            "entente.v1.JournalService/ListEntries",
            entries.encode_to_vec(),
            MESSAGES_MAX,
        ),
        (
            "entente.v1.JournalService/Watch",
            watch.encode_to_vec(),
            last,
        ),
    ];
    let channel = house.channel().await;
    let mut answers = Vec::new();
    for (rpc, message, messages_max) in calls {
        let key = Some(pair.north.api_key.as_str());
        let messages = raw::call(&channel, key, rpc, message, messages_max)
            .await
            .unwrap();
        assert!(!messages.is_empty(), "{rpc} is silent");
        answers.push((rpc, messages.concat()));
    }
    answers
}

/// What north is told when it does something wrong with the portion.
async fn errors(pair: &Pair, request: v1::AddPortionRequest) {
    let mut norths = pair.north.connection.pricing();
    let again = v1::AddPortionRequest {
        request_id: String::new(),
        ..request.clone()
    };
    let foreign = v1::AddPortionRequest {
        portion: Some(v1::Portion {
            party_id: SOUTH.to_owned(),
            ..portion("c", 1)
        }),
        request_id: String::new(),
        ..request.clone()
    };
    let reused = v1::AddPortionRequest {
        portion: Some(portion("c", 1)),
        ..request
    };
    // Not even its owner's own mistakes repeat it.
    let status = pair
        .south
        .connection
        .pricing()
        .add_portion(reused)
        .await
        .unwrap_err();
    assert!(!tells(status.details()) && !tells(status.message().as_bytes()));
    for wrong in [again, foreign] {
        let answer = refused(norths.add_portion(wrong)).await;
        assert!(!tells(format!("{answer:?}").as_bytes()), "{answer:?}");
    }
}

//! Concessions divided by costs that only their owners know.

use entente::ledger::verify::{Evidence, verify_export, verify_store};
use entente::proto::v1::{self, AllocationBasis};

use super::calls::{faulty, ok, refuses};
use super::cosigning::export;
use super::evaluations::counted_refusal;
use super::house::{Firm, House};
use super::redaction::redacting;
use super::setting::{NORTH, Pair, SOUTH, euros, portion};
use super::trio::Trio;

/// A portion with a cost, in cents.
pub fn costly(id: &str, price: i64, cost: i64) -> v1::Portion {
    v1::Portion {
        internal_cost: Some(euros(cost)),
        ..portion(id, price)
    }
}

/// A quote with these portions of north and of the other firms.
pub async fn quote_of(pair: &Pair, own: &[v1::Portion], others: &[(&Firm, v1::Portion)]) -> String {
    let mut request = pair.quote_request(&[]);
    request.joint_quote.as_mut().unwrap().portions = own.to_vec();
    let mut norths = pair.north.connection.pricing();
    let name = ok(norths.create_joint_quote(request)).await.name;
    for (firm, portion) in others {
        let request = v1::AddPortionRequest {
            name: name.clone(),
            portion: Some(portion.clone()),
            ..Default::default()
        };
        ok(firm.connection.pricing().add_portion(request)).await;
    }
    name
}

pub fn proposing(quote: &str, cents: i64, basis: AllocationBasis) -> v1::ProposeConcessionRequest {
    v1::ProposeConcessionRequest {
        name: quote.to_owned(),
        concession: Some(euros(cents)),
        basis: basis.into(),
        ..Default::default()
    }
}

pub async fn consent(firm: &Firm, quote: &str) -> v1::JointQuote {
    let request = v1::ConsentToDisclosureRequest {
        name: quote.to_owned(),
        ..Default::default()
    };
    ok(firm.connection.pricing().consent_to_disclosure(request)).await
}

fn withdrawing(quote: &str) -> v1::WithdrawDisclosureConsentRequest {
    v1::WithdrawDisclosureConsentRequest {
        name: quote.to_owned(),
        ..Default::default()
    }
}

/// Each portion's share of the last revision as a firm sees it, in cents; `None` where it is sealed.
pub async fn shares(firm: &Firm, quote: &str) -> Vec<(String, Option<i64>)> {
    let request = v1::GetJointQuoteRequest {
        name: quote.to_owned(),
    };
    let quote = ok(firm.connection.pricing().get_joint_quote(request)).await;
    let last = quote.revisions.last().unwrap();
    let shares = last.cadences.iter().flat_map(|cadence| &cadence.shares);
    let shown = shares.map(|share| {
        assert_eq!(share.commitment.len(), 64, "{share:?}");
        let minor = share.share.as_ref();
        let minor = minor.map(|share| share.units * 100 + i64::from(share.nanos / 10_000_000));
        (share.portion_id.clone(), minor)
    });
    shown.collect()
}

fn told(id: &str, cents: Option<i64>) -> (String, Option<i64>) {
    (id.to_owned(), cents)
}

/// P26: two firms, and nobody consented; once both did, each sees its own share and no other.
pub async fn p26_two_firms_disclose_costs_only_if_both_consent(house: House) {
    let pair = Pair::active(&house).await;
    let own = [costly("a", 5_000_000, 4_000_000)];
    let theirs = (&pair.south, costly("b", 7_000_000, 6_000_000));
    let quote = quote_of(&pair, &own, &[theirs]).await;
    let request = proposing(&quote, 500_000, AllocationBasis::Cost);
    let mut norths = pair.north.connection.pricing();
    for basis in [AllocationBasis::Cost, AllocationBasis::Margin] {
        let request = proposing(&quote, 100, basis);
        let call = norths.propose_concession(request);
        let answer = faulty(&house, "COST_WOULD_BE_DISCLOSED", &["basis"], call).await;
        assert_eq!(answer.metadata["party_ids"], "party-1,party-2");
    }
    let consented = consent(&pair.north, &quote).await;
    assert_eq!(consented.disclosure_consents[0].party_id, NORTH);
    assert_eq!(consent(&pair.north, &quote).await, consented);
    let call = norths.propose_concession(request.clone());
    let answer = refuses(&house, "COST_WOULD_BE_DISCLOSED", call).await;
    assert_eq!(answer.metadata["party_ids"], SOUTH);
    // Until it is used it can be taken back.
    let mut souths = pair.south.connection.pricing();
    consent(&pair.south, &quote).await;
    ok(souths.withdraw_disclosure_consent(withdrawing(&quote))).await;
    let call = norths.propose_concession(request.clone());
    refuses(&house, "COST_WOULD_BE_DISCLOSED", call).await;
    consent(&pair.south, &quote).await;

    let request = v1::ProposeConcessionRequest {
        request_id: "blind".to_owned(),
        ..request
    };
    let proposed = ok(norths.propose_concession(request.clone())).await;
    let again = ok(norths.propose_concession(request)).await;
    assert_eq!(again, proposed, "a retry draws no other salts");
    let revision = &proposed.revisions[0];
    assert_eq!(revision.cadences[0].concession, Some(euros(500_000)));
    assert_eq!(revision.cadences[0].price_after, Some(euros(11_500_000)));
    let sealed = |north, south| vec![told("a", north), told("b", south)];
    assert_eq!(
        shares(&pair.north, &quote).await,
        sealed(Some(200_000), None)
    );
    assert_eq!(
        shares(&pair.south, &quote).await,
        sealed(None, Some(300_000))
    );
    let approving = v1::ApproveConcessionRequest {
        name: quote.clone(),
        hash: revision.hash.clone(),
        ..Default::default()
    };
    let approved = ok(souths.approve_concession(approving)).await;
    assert_eq!(approved.revisions[0].state(), v1::ConcessionState::Approved);
    let call = souths.withdraw_disclosure_consent(withdrawing(&quote));
    refuses(&house, "INVALID_STATE", call).await;
    explained(&pair, &quote).await;
    verified(&house, &pair).await;
    house.stop().await;
}

/// Each firm's own line is explained, the other's is not.
async fn explained(pair: &Pair, quote: &str) {
    for (firm, own) in [(&pair.north, "a"), (&pair.south, "b")] {
        let request = v1::ExplainAllocationRequest {
            name: quote.to_owned(),
            revision: 1,
        };
        let found = ok(firm.connection.pricing().explain_allocation(request)).await;
        for line in &found.lines {
            let share = line.share.as_ref().unwrap();
            let is_own = share.portion_id == own;
            assert_eq!(share.share.is_some(), is_own, "{line:?}");
            assert_eq!(line.sentence.contains("bears"), is_own, "{line:?}");
        }
    }
}

/// The database divides again; what a firm exports leaves that out, since the other's costs are sealed.
async fn verified(house: &House, pair: &Pair) {
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.totals.divisions, 1, "{report}");
    for firm in [&pair.north, &pair.south] {
        let bytes = export(firm, &pair.name).await;
        let report = verify_export(bytes.as_slice(), &Evidence::default()).unwrap();
        assert!(report.is_clean(), "{report}");
        // The other's cost, and its line.
        assert_eq!((report.totals.divisions, report.totals.sealed), (0, 2));
        // Its own cost and line, and what both portions are.
        assert_eq!(report.totals.openings, 4);
    }
}

/// With three, each learns only what the others have together; the proposer erases nobody's line.
pub async fn three_firms_need_no_consent(house: House) {
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let own = [costly("a", 5_000_000, 4_000_000)];
    let others = [
        (&pair.south, costly("b", 3_000_000, 2_500_000)),
        (west, costly("c", 2_000_000, 1_000_000)),
    ];
    let quote = quote_of(pair, &own, &others).await;
    let mut norths = pair.north.connection.pricing();
    let request = proposing(&quote, 900_000, AllocationBasis::Cost);
    ok(norths.propose_concession(request)).await;
    let all = [480_000, 300_000, 120_000];
    for (index, firm) in [&pair.north, &pair.south, west].into_iter().enumerate() {
        let found = shares(firm, &quote).await;
        for (place, (_, share)) in found.iter().enumerate() {
            assert_eq!(*share, (place == index).then_some(all[place]));
        }
    }
    // By what they earn: 1,000,000, 500,000 and 1,000,000.
    let request = proposing(&quote, 500_000, AllocationBasis::Margin);
    ok(norths.propose_concession(request)).await;
    assert_eq!(shares(west, &quote).await[2].1, Some(200_000));
    let field = ["concession.line"];
    let erase = redacting(&pair.name, "joint_quote", &quote, &field);
    let call = pair.north.connection.journal();
    refuses(&house, "NOT_FOUND", call.clone().redact(erase)).await;
    house.stop().await;
}

/// Floors that follow from costs: nobody is told how far a concession misses them.
pub async fn floors_from_costs_stay_sealed(house: House) {
    let pair = Pair::active(&house).await;
    // 4,000.00 and a tenth more: the floor is 4,400.00, so 600.00 can be given.
    let own = [v1::Portion {
        minimum_margin_bps: Some(1_000),
        ..costly("a", 500_000, 400_000)
    }];
    let theirs = (&pair.south, portion("b", 500_000));
    let quote = quote_of(&pair, &own, &[theirs]).await;
    let mut souths = pair.south.connection.pricing();
    let by_price = |cents| proposing(&quote, cents, AllocationBasis::Price);
    let call = souths.propose_concession(by_price(100_000));
    let answer = refuses(&house, "COST_WOULD_BE_DISCLOSED", call).await;
    assert_eq!(answer.metadata["party_ids"], NORTH);
    consent(&pair.north, &quote).await;
    let policy = v1::ProposeConcessionRequest {
        shortfall_policy: v1::ShortfallPolicy::PrimeAbsorbs.into(),
        ..by_price(100_000)
    };
    let call = souths.propose_concession(policy);
    faulty(&house, "INVALID_FIELD", &["shortfall_policy"], call).await;
    // North can bear 600.00 at most, and south all of its price.
    let answer = counted_refusal(&pair.south, by_price(560_001)).await;
    assert_eq!(answer.reason, "CONCESSION_SHORTFALL");
    assert!(answer.metadata.is_empty(), "{answer:?}");
    assert!(!answer.message.contains(char::is_numeric), "{answer:?}");
    ok(souths.propose_concession(by_price(560_000))).await;
    assert_eq!(shares(&pair.south, &quote).await[1].1, Some(500_000));
    assert_eq!(shares(&pair.north, &quote).await[0].1, Some(60_000));
    ok(souths.propose_concession(by_price(100_000))).await;
    assert_eq!(shares(&pair.south, &quote).await[1].1, Some(50_000));
    house.stop().await;
}

/// Without a cost, or with one that was erased, nothing is divided by costs.
pub async fn costs_that_are_not_there(house: House) {
    let pair = Pair::active(&house).await;
    let own = [costly("a", 5_000, 4_000)];
    let quote = quote_of(&pair, &own, &[(&pair.south, portion("b", 5_000))]).await;
    consent(&pair.north, &quote).await;
    consent(&pair.south, &quote).await;
    let mut norths = pair.north.connection.pricing();
    let call = norths.propose_concession(proposing(&quote, 100, AllocationBasis::Cost));
    let answer = faulty(&house, "WEIGHTS_INVALID", &["basis"], call).await;
    assert_eq!(answer.metadata["portion_ids"], "b");

    let theirs = (&pair.south, costly("b", 5_000, 4_000));
    let quote = quote_of(&pair, &own, &[theirs]).await;
    consent(&pair.north, &quote).await;
    consent(&pair.south, &quote).await;
    let field = ["portion.internal_cost"];
    let erase = redacting(&pair.name, "joint_quote", &quote, &field);
    ok(pair.south.connection.journal().redact(erase)).await;
    let request = proposing(&quote, 100, AllocationBasis::Cost);
    let answer = counted_refusal(&pair.north, request).await;
    assert_eq!(answer.reason, "COST_ERASED");
    assert_eq!(answer.metadata["portion_ids"], "b");
    let call = proposing(&quote, 100, AllocationBasis::Price);
    ok(norths.propose_concession(call)).await;
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
    house.stop().await;
}

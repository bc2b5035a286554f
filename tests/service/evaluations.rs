//! What-ifs, and what a division tells of costs.

use entente::domain::pricing::division::{Measure, Question, Slice, divide};
use entente::proto::v1::{self, AllocationBasis, DisclosureKind};
use prost::Message;
use tonic_types::StatusExt;

use super::blind::{consent, costly, proposing, quote_of, shares};
use super::calls::{Refused, faulty, ok, refused, refuses};
use super::house::{Firm, House};
use super::setting::{NORTH, Pair, SOUTH, cents, euros, portion};
use super::traces::Secrets;
use super::trio::Trio;

pub fn evaluating(
    quote: &str,
    alternatives: &[(i64, AllocationBasis)],
) -> v1::EvaluateConcessionRequest {
    let alternatives = alternatives.iter();
    let alternative = |(cents, basis): &(i64, AllocationBasis)| v1::ConcessionAlternative {
        concession: Some(euros(*cents)),
        basis: (*basis).into(),
        ..Default::default()
    };
    v1::EvaluateConcessionRequest {
        name: quote.to_owned(),
        alternatives: alternatives.map(alternative).collect(),
        ..Default::default()
    }
}

async fn evaluate(
    firm: &Firm,
    request: v1::EvaluateConcessionRequest,
) -> v1::EvaluateConcessionResponse {
    ok(firm.connection.pricing().evaluate_concession(request)).await
}

/// What each portion would bear, in cents; `None` where that is not told.
fn told(evaluation: &v1::ConcessionEvaluation) -> Vec<Option<i64>> {
    let cadences = evaluation.cadences.iter();
    let shares = cadences.flat_map(|cadence| &cadence.shares);
    shares
        .map(|share| share.share.as_ref().map(|share| cents(Some(share))))
        .collect()
}

fn reason(evaluation: &v1::ConcessionEvaluation) -> String {
    let error = evaluation.error.as_ref().expect("an error");
    let status = tonic::Status::with_details(
        error.code.into(),
        error.message.clone(),
        error.encode_to_vec().into(),
    );
    let details = status.get_error_details();
    details.error_info().expect("a reason").reason.clone()
}

/// Two firms with costs of 40,000.00 and 60,000.00 that consented.
async fn consenting(pair: &Pair) -> String {
    let own = [costly("a", 5_000_000, 4_000_000)];
    let theirs = (&pair.south, costly("b", 7_000_000, 6_000_000));
    let quote = quote_of(pair, &own, &[theirs]).await;
    consent(&pair.north, &quote).await;
    consent(&pair.south, &quote).await;
    quote
}

/// Several bases side by side: the caller's own in full, others' where they are open; everybody sees how
/// often that was asked.
pub async fn alternatives_side_by_side(house: House) {
    let pair = Pair::active(&house).await;
    let quote = consenting(&pair).await;
    let request = v1::EvaluateConcessionRequest {
        request_id: "what-if".to_owned(),
        ..evaluating(
            &quote,
            &[
                (500_000, AllocationBasis::Price),
                (500_000, AllocationBasis::Cost),
                (500_000, AllocationBasis::Margin),
                (500_000, AllocationBasis::CostBand),
            ],
        )
    };
    let answer = evaluate(&pair.north, request.clone()).await;
    let [price, cost, margin, band] = &answer.evaluations[..] else {
        panic!("{answer:?}")
    };
    assert_eq!(told(price), [Some(208_333), Some(291_667)]);
    assert_eq!(told(cost), [Some(200_000), None]);
    assert_eq!(told(margin), [Some(250_000), None]);
    assert!(cost.cadences[0].party_allocations.is_empty());
    assert_eq!(cost.cadences[0].price_after, Some(euros(11_500_000)));
    assert_eq!(reason(band), "WEIGHTS_INVALID");
    assert!(band.evaluation_hash.is_empty() && band.cadences.is_empty());
    let counts = |answer: &v1::EvaluateConcessionResponse| {
        let counts = answer.evaluation_counts.iter();
        let counts = counts.map(|count| (count.party_id.clone(), count.evaluated));
        counts.collect::<Vec<_>>()
    };
    assert_eq!(counts(&answer), [(NORTH.to_owned(), 4)]);
    // A retry is counted once.
    assert_eq!(evaluate(&pair.north, request).await, answer);
    let by_cost = evaluating(&quote, &[(500_000, AllocationBasis::Cost)]);
    let answer = evaluate(&pair.south, by_cost).await;
    assert_eq!(told(&answer.evaluations[0]), [None, Some(300_000)]);
    let seen = [(NORTH.to_owned(), 4), (SOUTH.to_owned(), 1)];
    assert_eq!(counts(&answer), seen);
    assert_eq!(
        answer.evaluations[0].evaluation_hash, cost.evaluation_hash,
        "both were told of the same"
    );
    let request = v1::GetJointQuoteRequest { name: quote };
    let shown = ok(pair.north.connection.pricing().get_joint_quote(request)).await;
    assert_eq!(shown.evaluation_counts, answer.evaluation_counts);
    assert!(shown.revisions.is_empty());
    house.stop().await;
}

/// P27: what was approved is what was seen.
pub async fn p27_a_stale_evaluation_proposes_nothing(house: House) {
    let pair = Pair::active(&house).await;
    let quote = consenting(&pair).await;
    let by_cost = evaluating(&quote, &[(500_000, AllocationBasis::Cost)]);
    let seen = evaluate(&pair.north, by_cost.clone()).await;
    let citing = |cents, hash: &str| v1::ProposeConcessionRequest {
        evaluation_hash: hash.to_owned(),
        ..proposing(&quote, cents, AllocationBasis::Cost)
    };
    let hash = seen.evaluations[0].evaluation_hash.clone();
    let mut norths = pair.north.connection.pricing();
    for (cents, cited) in [(500_001, hash.as_str()), (500_000, &"0".repeat(64))] {
        let call = norths.propose_concession(citing(cents, cited));
        faulty(&house, "STALE_EVALUATION", &["evaluation_hash"], call).await;
    }
    let request = v1::AddPortionRequest {
        name: quote.clone(),
        portion: Some(costly("c", 1_000_000, 500_000)),
        ..Default::default()
    };
    ok(pair.south.connection.pricing().add_portion(request)).await;
    let call = norths.propose_concession(citing(500_000, &hash));
    faulty(&house, "STALE_EVALUATION", &["evaluation_hash"], call).await;
    let seen = evaluate(&pair.north, by_cost).await;
    let hash = &seen.evaluations[0].evaluation_hash;
    ok(norths.propose_concession(citing(500_000, hash))).await;
    assert_eq!(
        shares(&pair.north, &quote).await[0].1,
        told(&seen.evaluations[0])[0],
        "what was seen is what is proposed"
    );
    house.stop().await;
}

pub async fn evaluations_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let own = [costly("a", 5_000_000, 4_000_000)];
    let theirs = (&pair.south, costly("b", 7_000_000, 6_000_000));
    let quote = quote_of(&pair, &own, &[theirs]).await;
    let mut norths = pair.north.connection.pricing();
    let none = evaluating(&quote, &[]);
    let call = norths.evaluate_concession(none);
    faulty(&house, "INVALID_FIELD", &["alternatives"], call).await;
    let many = evaluating(&quote, &[(1, AllocationBasis::Price); 11]);
    let call = norths.evaluate_concession(many);
    faulty(&house, "INVALID_FIELD", &["alternatives"], call).await;
    let mut wrong = evaluating(&quote, &[(1, AllocationBasis::Price); 2]);
    wrong.alternatives[1].basis = 0;
    let call = norths.evaluate_concession(wrong);
    faulty(&house, "INVALID_FIELD", &["alternatives[1].basis"], call).await;
    // Without consents nothing is told, and it is counted all the same.
    let ten = evaluating(&quote, &[(1, AllocationBasis::Cost); 10]);
    for _ in 0..10 {
        let answer = evaluate(&pair.north, ten.clone()).await;
        assert_eq!(reason(&answer.evaluations[9]), "COST_WOULD_BE_DISCLOSED");
    }
    let one = evaluating(&quote, &[(1, AllocationBasis::Cost)]);
    let call = norths.evaluate_concession(one.clone());
    let answer = refuses(&house, "LIMIT_REACHED", call).await;
    assert_eq!(answer.metadata["evaluated"], "100");
    // The other firm has its own hundred.
    evaluate(&pair.south, one).await;
    house.stop().await;
}

async fn impact(firm: &Firm, quote: &str, basis: AllocationBasis) -> v1::DisclosureImpact {
    let request = v1::GetDisclosureImpactRequest {
        name: quote.to_owned(),
        basis: basis.into(),
        ..Default::default()
    };
    ok(firm.connection.pricing().get_disclosure_impact(request)).await
}

fn of<'a>(
    impact: &'a v1::DisclosureImpact,
    observer: &str,
    subject: &str,
) -> &'a v1::PartyDisclosure {
    let mut found = impact.disclosures.iter();
    let is_it = |it: &&v1::PartyDisclosure| {
        (it.observer_party_id.as_str(), it.subject_party_id.as_str()) == (observer, subject)
    };
    found.find(is_it).expect("a disclosure")
}

/// What an attacker works out of its own cost, share and the total: all costs of the other that give it
/// that share, by the division that everybody has.
fn attacked(amount: i64, own_cost: u64, own_share: i64, near: u64, step: u64) -> (u64, u64) {
    let slice = |id: &str, cost| Slice {
        id: id.to_owned(),
        owner: id.to_owned(),
        price: 100_000_000,
        cost: Some(cost),
        band: None,
        floor: 0,
        is_passed_through: false,
    };
    let question = Question::new(amount, Measure::Cost);
    let fits = |other: &u64| {
        let slices = [slice("a", *other), slice("b", own_cost)];
        let division = divide(&slices, &question).expect("it divides");
        division.parts[1].share == own_share
    };
    let tried = near.saturating_sub(step)..=near + step;
    let fitting: Vec<u64> = tried.filter(fits).collect();
    (fitting[0], *fitting.last().expect("one at least"))
}

/// The impact says before anybody approves what the other can work out; an attacker who tries comes just
/// as near, and no nearer.
pub async fn the_impact_is_what_the_other_works_out(house: House) {
    let pair = Pair::active(&house).await;
    let quote = consenting(&pair).await;
    let before = impact(&pair.north, &quote, AllocationBasis::Cost).await;
    assert_eq!(of(&before, SOUTH, NORTH).kind(), DisclosureKind::Exact);
    assert!(before.disclosures.iter().all(|it| it.bounds.is_empty()));
    assert!(before.missing_consents.is_empty());
    let open = impact(&pair.north, &quote, AllocationBasis::Price).await;
    let nothing = |it: &v1::PartyDisclosure| it.kind() == DisclosureKind::Nothing;
    assert!(open.disclosures.iter().all(nothing));

    let request = proposing(&quote, 500_000, AllocationBasis::Cost);
    ok(pair.north.connection.pricing().propose_concession(request)).await;
    let told = impact(&pair.north, &quote, AllocationBasis::Unspecified).await;
    assert_eq!(told.revision, 1);
    let found = of(&told, SOUTH, NORTH);
    let within = u64::try_from(cents(found.bounds[0].within.as_ref())).unwrap();
    assert!(found.sentence.contains("to within 0.20 EUR"), "{found:?}");
    // South sees its share, and tries.
    let share = shares(&pair.south, &quote).await[1].1.unwrap();
    let (least, most) = attacked(500_000, 6_000_000, share, 4_000_000, 100);
    assert!((least..=most).contains(&4_000_000));
    let half = (most - least).div_ceil(2);
    assert!(
        half <= within && within <= half * 5 / 2 + 1,
        "{half} {within}"
    );
    // To nobody but north is it told how near south comes.
    let souths = impact(&pair.south, &quote, AllocationBasis::Unspecified).await;
    assert!(of(&souths, SOUTH, NORTH).bounds.is_empty());
    assert_eq!(of(&souths, SOUTH, NORTH).kind(), DisclosureKind::Exact);
    assert_eq!(of(&souths, NORTH, SOUTH).bounds.len(), 1);
    three_learn_sums(&house, pair).await;
    house.stop().await;
}

async fn three_learn_sums(house: &House, pair: Pair) {
    let trio = Trio::of(house, pair).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let own = [costly("a", 5_000_000, 4_000_000)];
    let others = [
        (&pair.south, costly("b", 3_000_000, 2_500_000)),
        (west, portion("c", 2_000_000)),
    ];
    let quote = quote_of(pair, &own, &others).await;
    let told = impact(&pair.north, &quote, AllocationBasis::Cost).await;
    let kinds: Vec<_> = told
        .disclosures
        .iter()
        .map(v1::PartyDisclosure::kind)
        .collect();
    assert_eq!(kinds, [DisclosureKind::SumOfOthers; 6]);
    assert!(told.missing_consents.is_empty());
}

/// P20 for what-ifs, impacts and blind divisions: south asks for everything, and no byte tells what north's
/// portion costs or earns.
pub async fn p20_no_answer_tells_the_others_cost(house: House) {
    const COST: i64 = 765_432_109;
    const PRICE: i64 = 918_273_645;
    let secrets = Secrets::of([COST, PRICE - COST]);
    let trio = Trio::of(&house, Pair::with_a_desk(&house).await).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let with_floor = |portion| v1::Portion {
        minimum_margin_bps: Some(500),
        ..portion
    };
    let own = [with_floor(costly("a", PRICE, COST))];
    let others = [
        (&pair.south, with_floor(costly("b", 3_000_000, 2_500_000))),
        (west, with_floor(costly("c", 2_000_000, 1_000_000))),
    ];
    let quote = quote_of(pair, &own, &others).await;
    let mut souths = pair.south.connection.pricing();
    let mut heard: Vec<Vec<u8>> = Vec::new();
    for basis in [
        AllocationBasis::Cost,
        AllocationBasis::Margin,
        AllocationBasis::Price,
    ] {
        for amount in [100, 500_000, PRICE] {
            let request = evaluating(&quote, &[(amount, basis)]);
            heard.push(evaluate(&pair.south, request).await.encode_to_vec());
            match souths
                .propose_concession(proposing(&quote, amount, basis))
                .await
            {
                Ok(quote) => heard.push(quote.into_inner().encode_to_vec()),
                Err(status) => {
                    heard.push(status.message().as_bytes().to_vec());
                    heard.push(status.details().to_vec());
                }
            }
        }
        heard.push(impact(&pair.south, &quote, basis).await.encode_to_vec());
        let latest = impact(&pair.south, &quote, AllocationBasis::Unspecified).await;
        heard.push(latest.encode_to_vec());
        let request = v1::ExplainAllocationRequest {
            name: quote.clone(),
            revision: 0,
        };
        heard.push(ok(souths.explain_allocation(request)).await.encode_to_vec());
    }
    heard.push(super::cosigning::export(&pair.south, &pair.name).await);
    for bytes in &heard {
        let trace = secrets.found_in(bytes).map(String::from_utf8_lossy);
        assert!(trace.is_none(), "{trace:?}");
    }
    let own = v1::GetJointQuoteRequest { name: quote };
    let shown = ok(pair.north.connection.pricing().get_joint_quote(own)).await;
    let found = secrets.found_in(&shown.encode_to_vec()).is_some();
    assert!(found, "its owner is shown it");
    house.stop().await;
}

/// How many alternatives each party evaluated, as `firm` sees it.
async fn counted(firm: &Firm, quote: &str) -> Vec<(String, i32)> {
    let request = v1::GetJointQuoteRequest {
        name: quote.to_owned(),
    };
    let quote = ok(firm.connection.pricing().get_joint_quote(request)).await;
    let counts = quote.evaluation_counts.into_iter();
    counts.map(|it| (it.party_id, it.evaluated)).collect()
}

/// A proposal that is refused for what costs say, and counted for that, once.
pub async fn counted_refusal(firm: &Firm, request: v1::ProposeConcessionRequest) -> Refused {
    let all = |counts: Vec<(String, i32)>| -> i32 { counts.iter().map(|(_, count)| count).sum() };
    let quote = request.name.clone();
    let before = all(counted(firm, &quote).await);
    let found = refused(firm.connection.pricing().propose_concession(request)).await;
    assert_eq!(all(counted(firm, &quote).await), before + 1, "{found:?}");
    found
}

/// South looks for north's floor by proposals that are refused: each try is counted, in an entry of its
/// own, north sees how many there were, and after a hundred there is no answer any more.
pub async fn bisecting_a_floor_is_counted_shown_and_stopped(house: House) {
    let pair = Pair::active(&house).await;
    let own = [v1::Portion {
        minimum_margin_bps: Some(1_000),
        ..costly("a", 500_000, 400_000)
    }];
    let theirs = (&pair.south, portion("b", 500_000));
    let quote = quote_of(&pair, &own, &[theirs]).await;
    let mut souths = pair.south.connection.pricing();
    // Before north consents costs are not looked at, so there is nothing to count.
    let call = souths.propose_concession(proposing(&quote, 1, AllocationBasis::Price));
    refuses(&house, "COST_WOULD_BE_DISCLOSED", call).await;
    assert_eq!(counted(&pair.north, &quote).await, []);
    consent(&pair.north, &quote).await;
    let (mut can, mut cannot, mut tries) = (1, 1_000_000, 0);
    while cannot - can > 1 {
        let middle = i64::midpoint(can, cannot);
        let request = proposing(&quote, middle, AllocationBasis::Price);
        tries += 1;
        match souths.propose_concession(request).await {
            Ok(_) => can = middle,
            Err(status) => {
                assert_eq!(status.code(), tonic::Code::FailedPrecondition, "{status:?}");
                cannot = middle;
            }
        }
        let seen = [(SOUTH.to_owned(), tries)];
        assert_eq!(counted(&pair.north, &quote).await, seen);
    }
    // It can be found, which is why north had to consent, but not unseen.
    assert_eq!((can, tries), (560_000, 20));
    // What was told already is told again without being counted again.
    let known = proposing(&quote, cannot, AllocationBasis::Price);
    refuses(
        &house,
        "CONCESSION_SHORTFALL",
        souths.propose_concession(known.clone()),
    )
    .await;
    assert_eq!(counted(&pair.north, &quote).await[0].1, tries);
    for more in tries..100 {
        let request = proposing(&quote, 600_000 + i64::from(more), AllocationBasis::Price);
        let answer = refused(souths.propose_concession(request)).await;
        assert_eq!(answer.reason, "CONCESSION_SHORTFALL");
    }
    for cents in [1, 700_000] {
        let call = souths.propose_concession(proposing(&quote, cents, AllocationBasis::Price));
        refuses(&house, "LIMIT_REACHED", call).await;
    }
    refuses(
        &house,
        "CONCESSION_SHORTFALL",
        souths.propose_concession(known),
    )
    .await;
    assert_eq!(
        counted(&pair.north, &quote).await,
        [(SOUTH.to_owned(), 100)]
    );
    // North still has its own hundred, and what needs no costs is not limited.
    let request = proposing(&quote, 100_000, AllocationBasis::Price);
    ok(pair.north.connection.pricing().propose_concession(request)).await;
    house.stop().await;
}

/// Whoever retries an evaluation after changing the quote asks something else, and is told nothing of it.
pub async fn a_retried_evaluation_tells_nothing_new(house: House) {
    let pair = Pair::active(&house).await;
    let quote = consenting(&pair).await;
    let request = v1::EvaluateConcessionRequest {
        request_id: "again".to_owned(),
        ..evaluating(&quote, &[(500_000, AllocationBasis::Cost)])
    };
    let first = evaluate(&pair.south, request.clone()).await;
    assert_eq!(told(&first.evaluations[0]), [None, Some(300_000)]);
    assert_eq!(evaluate(&pair.south, request.clone()).await, first);
    let adding = v1::AddPortionRequest {
        name: quote.clone(),
        portion: Some(costly("c", 1_000_000, 500_000)),
        ..Default::default()
    };
    ok(pair.south.connection.pricing().add_portion(adding)).await;
    let again = evaluate(&pair.south, request).await;
    assert_eq!(reason(&again.evaluations[0]), "STALE_EVALUATION");
    assert_eq!(counted(&pair.north, &quote).await, [(SOUTH.to_owned(), 1)]);
    house.stop().await;
}

/// A proposal that is counted first still is for the quote that the caller saw, and for no other.
pub async fn an_etag_holds_for_a_counted_proposal(house: House) {
    let pair = Pair::active(&house).await;
    let quote = consenting(&pair).await;
    let request = v1::GetJointQuoteRequest {
        name: quote.clone(),
    };
    let mut norths = pair.north.connection.pricing();
    let seen = ok(norths.get_joint_quote(request)).await;
    let with = |etag: &str, request_id: &str| v1::ProposeConcessionRequest {
        etag: etag.to_owned(),
        request_id: request_id.to_owned(),
        ..proposing(&quote, 500_000, AllocationBasis::Cost)
    };
    let call = norths.propose_concession(with("\"1\"", "stale"));
    refuses(&house, "ETAG_MISMATCH", call).await;
    assert_eq!(counted(&pair.north, &quote).await, []);
    let proposed = ok(norths.propose_concession(with(&seen.etag, "fresh"))).await;
    assert_eq!(proposed.evaluation_counts[0].evaluated, 1);
    let again = ok(norths.propose_concession(with(&seen.etag, "fresh"))).await;
    assert_eq!(again, proposed);
    house.stop().await;
}

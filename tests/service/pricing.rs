//! Joint quotes, and who bears what is conceded on them.

use entente::proto::v1::{self, AllocationBasis, ConcessionState};

use super::calls::{ok, refuses};
use super::house::{Firm, HOUR, House};
use super::setting::{NORTH, Pair, SOUTH, cents, euros, portion};

fn proposing(
    quote: &v1::JointQuote,
    cents: i64,
    basis: AllocationBasis,
) -> v1::ProposeConcessionRequest {
    v1::ProposeConcessionRequest {
        name: quote.name.clone(),
        concession: Some(euros(cents)),
        basis: basis.into(),
        ..Default::default()
    }
}

fn approving(quote: &v1::JointQuote, hash: &str) -> v1::ApproveConcessionRequest {
    v1::ApproveConcessionRequest {
        name: quote.name.clone(),
        hash: hash.to_owned(),
        ..Default::default()
    }
}

fn last(quote: &v1::JointQuote) -> &v1::ConcessionRevision {
    quote.revisions.last().expect("a revision")
}

async fn propose(firm: &Firm, request: v1::ProposeConcessionRequest) -> v1::JointQuote {
    ok(firm.connection.pricing().propose_concession(request)).await
}

async fn read(firm: &Firm, quote: &v1::JointQuote) -> v1::JointQuote {
    let request = v1::GetJointQuoteRequest {
        name: quote.name.clone(),
    };
    ok(firm.connection.pricing().get_joint_quote(request)).await
}

fn shares(revision: &v1::ConcessionRevision) -> Vec<(&str, i64)> {
    let cadences = revision.cadences.iter();
    cadences
        .flat_map(|cadence| &cadence.shares)
        .map(|share| (share.portion_id.as_str(), cents(share.share.as_ref())))
        .collect()
}

/// 60 to 40 in two steps, explained, and in force once both approved; each revision knows the last.
pub async fn fixed_shares_approved_by_both(house: House) {
    let pair = Pair::active(&house).await;
    let quote = pair
        .quote(
            &[("licences", 10_000), ("network", 20_000)],
            &[("cover", 7_000)],
        )
        .await;
    let mut souths = pair.south.connection.pricing();
    let shares_of = |bps: i32| {
        [(NORTH, bps), (SOUTH, 10_000 - bps)].map(|(party, share_bps)| v1::PartyShare {
            party_id: party.to_owned(),
            share_bps,
        })
    };
    let request = proposing(&quote, 1_001, AllocationBasis::FixedBps);
    // There are no terms yet, so the shares have to be named.
    let nameless = souths.propose_concession(request.clone());
    refuses(&house, "WEIGHTS_INVALID", nameless).await;
    let weights = shares_of(6_000).to_vec();
    let proposed = propose(
        &pair.north,
        v1::ProposeConcessionRequest { weights, ..request },
    )
    .await;
    let revision = last(&proposed);
    assert_eq!(
        (revision.number, revision.state()),
        (1, ConcessionState::Proposed)
    );
    assert_eq!(revision.previous_hash, "0".repeat(64));
    let parties: Vec<_> = revision.cadences[0]
        .party_allocations
        .iter()
        .map(|party| cents(party.share.as_ref()))
        .collect();
    // 600.6 and 400.4 cents: the spare cent goes to the larger remainder.
    assert_eq!(parties, [601, 400]);
    assert_eq!(
        shares(revision),
        [("cover", 400), ("licences", 200), ("network", 401)]
    );
    let explained = v1::ExplainAllocationRequest {
        name: quote.name.clone(),
        revision: 0,
    };
    let explained = ok(souths.explain_allocation(explained)).await;
    assert_eq!(explained.revision, 1);
    let lines: Vec<_> = explained
        .lines
        .iter()
        .map(|line| line.share.clone().unwrap())
        .collect();
    assert_eq!(lines, revision.cadences[0].shares);
    assert!(explained.lines.iter().all(|line| line.steps.len() == 2));
    assert!(explained.lines.iter().all(|line| {
        line.sentence
            .contains(&line.share.as_ref().unwrap().portion_id)
    }));

    approved_by_both(&house, &pair, &quote, &revision.hash).await;
    house.stop().await;
}

/// Both approve it; then a second revision takes its place.
async fn approved_by_both(house: &House, pair: &Pair, quote: &v1::JointQuote, first: &str) {
    let mut souths = pair.south.connection.pricing();
    let own = pair.north.connection.pricing();
    let approved = ok({ own }.approve_concession(approving(quote, first))).await;
    assert_eq!(last(&approved).state(), ConcessionState::Proposed);
    let approved = ok(souths.approve_concession(approving(quote, first))).await;
    assert_eq!(last(&approved).state(), ConcessionState::Approved);
    let firms: Vec<_> = last(&approved)
        .approvals
        .iter()
        .map(|approval| approval.firm.as_str())
        .collect();
    assert_eq!(firms, ["firms/north", "firms/south"]);
    let late = v1::AddPortionRequest {
        name: quote.name.clone(),
        portion: Some(portion("late", 100)),
        ..Default::default()
    };
    refuses(house, "INVALID_STATE", souths.add_portion(late)).await;

    let request = proposing(quote, 2_000, AllocationBasis::Price);
    let second = propose(&pair.south, request).await;
    assert_eq!(
        (last(&second).number, last(&second).previous_hash.as_str()),
        (2, first)
    );
    assert_eq!(second.revisions[0].state(), ConcessionState::Approved);
    let approval = approving(quote, &last(&second).hash);
    let second = ok(pair.north.connection.pricing().approve_concession(approval)).await;
    let states: Vec<_> = second
        .revisions
        .iter()
        .map(v1::ConcessionRevision::state)
        .collect();
    assert_eq!(
        states,
        [ConcessionState::Superseded, ConcessionState::Approved]
    );
    assert_eq!(read(&pair.south, quote).await.revisions, second.revisions);
}

/// By the prices of all portions, exact to the cent; too much is refused, and time ends it.
pub async fn by_price_to_the_cent(house: House) {
    let pair = Pair::active(&house).await;
    let quote = pair.quote(&[("a", 1), ("b", 1)], &[("c", 1)]).await;
    let split = propose(&pair.north, proposing(&quote, 2, AllocationBasis::Price)).await;
    // Three equal remainders: ties go by the portions' ids.
    assert_eq!(shares(last(&split)), [("a", 1), ("b", 1), ("c", 0)]);
    let mut souths = pair.south.connection.pricing();
    let too_much = souths.propose_concession(proposing(&quote, 4, AllocationBasis::Price));
    refuses(&house, "CONCESSION_TOO_LARGE", too_much).await;
    let none = souths.propose_concession(proposing(&quote, 0, AllocationBasis::Price));
    refuses(&house, "INVALID_FIELD", none).await;

    let reject = v1::RejectConcessionRequest {
        name: quote.name.clone(),
        hash: last(&split).hash.clone(),
        reason: "not like this".to_owned(),
        ..Default::default()
    };
    let own = pair.north.connection.pricing();
    refuses(
        &house,
        "NOT_YOUR_OFFER",
        { own }.reject_concession(reject.clone()),
    )
    .await;
    let rejected = ok(souths.reject_concession(reject)).await;
    assert_eq!(
        (
            last(&rejected).state(),
            last(&rejected).reject_reason.as_str()
        ),
        (ConcessionState::Rejected, "not like this")
    );

    let waiting = propose(&pair.south, proposing(&quote, 3, AllocationBasis::Price)).await;
    let hash = last(&waiting).hash.clone();
    let withdrawal = v1::WithdrawConcessionRequest {
        name: quote.name.clone(),
        hash,
        ..Default::default()
    };
    let theirs = pair.north.connection.pricing();
    refuses(
        &house,
        "NOT_YOUR_OFFER",
        { theirs }.withdraw_concession(withdrawal.clone()),
    )
    .await;
    let withdrawn = ok(souths.withdraw_concession(withdrawal)).await;
    assert_eq!(last(&withdrawn).state(), ConcessionState::Withdrawn);

    let waiting = propose(&pair.south, proposing(&quote, 3, AllocationBasis::Price)).await;
    house.pass(7 * 24 * HOUR);
    let approval = approving(&quote, &last(&waiting).hash);
    let late = pair.north.connection.pricing();
    refuses(
        &house,
        "OFFER_EXPIRED",
        { late }.approve_concession(approval),
    )
    .await;
    house.sweep().await;
    let expired = read(&pair.north, &quote).await;
    assert_eq!(last(&expired).state(), ConcessionState::Expired);
    assert_eq!(expired.state(), v1::JointQuoteState::Open);
    house.pass(23 * 24 * HOUR);
    house.sweep().await;
    assert_eq!(
        read(&pair.north, &quote).await.state(),
        v1::JointQuoteState::Expired
    );
    house.stop().await;
}

/// An approval names what was seen; of anything newer it says nothing.
pub async fn a_stale_hash_approves_nothing(house: House) {
    let pair = Pair::active(&house).await;
    let quote = pair.quote(&[("a", 500)], &[("b", 500)]).await;
    let first = propose(&pair.north, proposing(&quote, 100, AllocationBasis::Price)).await;
    let second = propose(&pair.north, proposing(&quote, 900, AllocationBasis::Price)).await;
    assert_eq!(second.revisions[0].state(), ConcessionState::Superseded);
    let mut souths = pair.south.connection.pricing();
    let stale = souths.approve_concession(approving(&quote, &last(&first).hash));
    refuses(&house, "STALE_HASH", stale).await;
    // A portion that is added supersedes what does not divide it.
    let request = v1::AddPortionRequest {
        name: quote.name.clone(),
        portion: Some(portion("d", 100)),
        ..Default::default()
    };
    let added = ok(souths.add_portion(request)).await;
    assert_eq!(last(&added).state(), ConcessionState::Superseded);
    let stale = souths.approve_concession(approving(&quote, &last(&second).hash));
    refuses(&house, "INVALID_STATE", stale).await;
    house.stop().await;
}

//! Claims and needs: what was promised in a sale, what was asked for, and what became of it.

use entente::proto::v1::{self, ClaimOutcome, NeedAnswer, NeedWeight, SupportLevel};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH, partnership};

pub fn claiming(parent: &str, level: SupportLevel) -> v1::CreateClaimRequest {
    let mut claim = v1::Claim {
        statement: "we restore within a day".to_owned(),
        support_level: level.into(),
        ..Default::default()
    };
    match level {
        SupportLevel::Limited => "files only".clone_into(&mut claim.limitation),
        SupportLevel::Planned => claim.planned_time = Some(at(90 * 24 * HOUR)),
        _ => {}
    }
    v1::CreateClaimRequest {
        parent: parent.to_owned(),
        claim: Some(claim),
        ..Default::default()
    }
}

pub fn judging(name: &str, outcome: ClaimOutcome, evidence: &str) -> v1::RecordClaimOutcomeRequest {
    v1::RecordClaimOutcomeRequest {
        name: name.to_owned(),
        outcome: outcome.into(),
        evidence: Some(citing(evidence)),
        message: "we looked".to_owned(),
        ..Default::default()
    }
}

/// A record of the partnership as evidence.
pub fn citing(record: &str) -> v1::Evidence {
    v1::Evidence {
        cited: Some(v1::evidence::Cited::Record(record.to_owned())),
    }
}

pub fn needing(parent: &str) -> v1::CreateNeedRequest {
    v1::CreateNeedRequest {
        parent: parent.to_owned(),
        need: Some(v1::Need {
            statement: "restored within a day".to_owned(),
            weight: NeedWeight::Must.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn matching(name: &str, claim: &str) -> v1::MatchNeedRequest {
    v1::MatchNeedRequest {
        name: name.to_owned(),
        claim: claim.to_owned(),
        ..Default::default()
    }
}

pub fn limiting(name: &str, review: i64) -> v1::AcceptLimitationRequest {
    v1::AcceptLimitationRequest {
        name: name.to_owned(),
        text: "databases take longer".to_owned(),
        review_time: Some(at(review)),
        ..Default::default()
    }
}

pub fn reviewing(name: &str, review: Option<i64>) -> v1::ReviewLimitationRequest {
    v1::ReviewLimitationRequest {
        name: name.to_owned(),
        review_time: review.map(at),
        ended: review.is_none(),
        message: "as before".to_owned(),
        ..Default::default()
    }
}

/// The firm that made it does not judge it; what shows it exists, and is there to be read.
pub async fn claims_are_judged_by_the_other_firm(house: House) {
    let pair = Pair::active(&house).await;
    let expectation = pair.draft().await.name;
    for (maker, judge, party, other) in [
        (&pair.north, &pair.south, NORTH, SOUTH),
        (&pair.south, &pair.north, SOUTH, NORTH),
    ] {
        let (mut makers, mut judges) = (
            maker.connection.expectations(),
            judge.connection.expectations(),
        );
        let made = ok(makers.create_claim(claiming(&pair.name, SupportLevel::Limited))).await;
        assert_eq!(
            (made.maker.as_str(), made.limitation.as_str()),
            (party, "files only")
        );
        let kept = || judging(&made.name, ClaimOutcome::Kept, &expectation);
        let own = makers.record_claim_outcome(kept());
        refuses(&house, "SAME_FIRM_MAY_NOT_ACCEPT", own).await;
        let absent = format!("{}/tickets/absent", pair.name);
        let unseen = judging(&made.name, ClaimOutcome::Kept, &absent);
        let unseen = judges.record_claim_outcome(unseen);
        refuses(&house, "NOT_FOUND", unseen).await;
        let outcome = ok(judges.record_claim_outcome(kept())).await;
        let judgement = outcome.judgement.clone().unwrap();
        assert_eq!(judgement.outcome(), ClaimOutcome::Kept);
        assert_eq!(
            (
                judgement.party_id.as_str(),
                judgement.evidence,
                judgement.asserted
            ),
            (other, Some(citing(&expectation)), false)
        );
        let read = v1::GetClaimRequest { name: made.name };
        assert_eq!(ok(makers.get_claim(read)).await, outcome);
    }
    let list = |outcome: ClaimOutcome| v1::ListClaimsRequest {
        parent: pair.name.clone(),
        outcome: outcome.into(),
        ..Default::default()
    };
    let mut norths = pair.north.connection.expectations();
    for (outcome, count) in [(ClaimOutcome::Kept, 2), (ClaimOutcome::NotKept, 0)] {
        let listed = ok(norths.list_claims(list(outcome))).await;
        assert_eq!(listed.claims.len(), count);
    }
    house.stop().await;
}

/// Where nobody else is there, a judgement is asserted.
pub async fn one_firm_alone_asserts_what_became_of_a_claim(house: House) {
    let firm = house.firm("north").await;
    let created = ok(firm
        .connection
        .partnerships()
        .create_partnership(partnership("Alone")))
    .await;
    let mut norths = firm.connection.expectations();
    let mut request = claiming(&created.name, SupportLevel::Supported);
    SOUTH.clone_into(&mut request.claim.as_mut().unwrap().maker);
    let claim = ok(norths.create_claim(request)).await;
    assert_eq!(claim.maker, SOUTH);
    let request = v1::CreateExpectationRequest {
        parent: created.name.clone(),
        expectation: Some(v1::Expectation::default()),
        ..Default::default()
    };
    let evidence = ok(norths.create_expectation(request)).await.name;
    let request = judging(&claim.name, ClaimOutcome::NotKept, &evidence);
    let judged = ok(norths.record_claim_outcome(request)).await;
    assert!(judged.judgement.unwrap().asserted);
    house.stop().await;
}

/// What claims say to a need, and a limitation that comes back until it is over.
pub async fn needs_are_answered_and_limitations_come_back(house: House) {
    let pair = Pair::active(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let need = ok(norths.create_need(needing(&pair.name))).await;
    assert_eq!(
        (need.answer(), need.asker.as_str()),
        (NeedAnswer::Unmatched, NORTH)
    );
    for (level, answer) in [
        (SupportLevel::Supported, NeedAnswer::MetByClaim),
        (SupportLevel::NotOffered, NeedAnswer::NotOffered),
        (SupportLevel::Planned, NeedAnswer::Planned),
        (SupportLevel::Limited, NeedAnswer::Limited),
    ] {
        let claim = ok(souths.create_claim(claiming(&pair.name, level))).await;
        let matched = ok(souths.match_need(matching(&need.name, &claim.name))).await;
        assert_eq!((matched.answer(), matched.claim), (answer, claim.name));
    }
    let theirs = souths.accept_limitation(limiting(&need.name, HOUR));
    refuses(&house, "INVALID_STATE", theirs).await;
    let accepted = ok(norths.accept_limitation(limiting(&need.name, HOUR))).await;
    let limitation = accepted.limitation.unwrap();
    assert_eq!(limitation.text, "databases take longer");
    assert_eq!(
        (limitation.review_time, limitation.review_due),
        (Some(at(HOUR)), false)
    );
    house.pass(HOUR - 1);
    house.sweep().await;
    let list = v1::ListNeedsRequest {
        parent: pair.name.clone(),
        answer: NeedAnswer::Limited.into(),
        review_due_only: true,
        ..Default::default()
    };
    assert!(ok(norths.list_needs(list.clone())).await.needs.is_empty());
    house.pass(1);
    tokio::join!(house.sweep(), house.sweep());
    house.sweep().await;
    let due = ok(norths.list_needs(list)).await.needs;
    assert_eq!(due.len(), 1);
    assert!(due[0].limitation.as_ref().unwrap().review_due);
    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        record_kind: "need".to_owned(),
        page_size: 500,
        ..Default::default()
    };
    let entries = ok(pair.south.connection.journal().list_entries(request)).await;
    let entries = entries.entries.iter();
    let told = entries.filter(|entry| entry.r#type == "need.review_due");
    assert_eq!(told.count(), 1, "two sweepers tell it once");
    let renewed = ok(norths.review_limitation(reviewing(&need.name, Some(9 * HOUR)))).await;
    let limitation = renewed.limitation.unwrap();
    assert_eq!(
        (limitation.review_time, limitation.review_due),
        (Some(at(9 * HOUR)), false)
    );
    let ended = ok(norths.review_limitation(reviewing(&need.name, None))).await;
    assert_eq!(ended.limitation.unwrap().end_time, Some(at(HOUR)));
    let read = v1::GetNeedRequest { name: need.name };
    let shown = ok(souths.get_need(read)).await;
    assert_eq!(shown.limitation.unwrap().message, "as before");
    house.stop().await;
}

/// What is wrong is named, all of it, and changes nothing.
pub async fn claims_and_needs_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.expectations();
    let empty = v1::CreateClaimRequest {
        parent: pair.name.clone(),
        claim: Some(v1::Claim::default()),
        ..Default::default()
    };
    let fields = ["claim.statement", "claim.support_level"];
    faulty(&house, "INVALID_FIELD", &fields, norths.create_claim(empty)).await;
    let mut mixed = claiming(&pair.name, SupportLevel::Limited);
    mixed.claim.as_mut().unwrap().support_level = SupportLevel::Planned.into();
    let fields = ["claim.limitation", "claim.planned_time"];
    faulty(&house, "INVALID_FIELD", &fields, norths.create_claim(mixed)).await;
    let mut theirs = claiming(&pair.name, SupportLevel::Supported);
    SOUTH.clone_into(&mut theirs.claim.as_mut().unwrap().maker);
    let call = norths.create_claim(theirs);
    faulty(&house, "INVALID_FIELD", &["claim.maker"], call).await;
    let supported = claiming(&pair.name, SupportLevel::Supported);
    let claim = ok(norths.create_claim(supported)).await;
    let bad = judging(
        &claim.name,
        ClaimOutcome::Unspecified,
        "partnerships/other/tickets/t",
    );
    let fields = ["outcome", "evidence.record"];
    let call = norths.record_claim_outcome(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let empty = v1::CreateNeedRequest {
        parent: pair.name.clone(),
        need: Some(v1::Need::default()),
        ..Default::default()
    };
    let fields = ["need.statement", "need.weight"];
    faulty(&house, "INVALID_FIELD", &fields, norths.create_need(empty)).await;
    let need = ok(norths.create_need(needing(&pair.name))).await;
    let call = norths.match_need(matching(&need.name, "claims/none"));
    faulty(&house, "INVALID_FIELD", &["claim"], call).await;
    let unsaid = v1::AcceptLimitationRequest {
        name: need.name.clone(),
        ..Default::default()
    };
    let call = norths.accept_limitation(unsaid);
    faulty(&house, "INVALID_FIELD", &["text", "review_time"], call).await;
    let call = norths.accept_limitation(limiting(&need.name, 0));
    faulty(&house, "INVALID_FIELD", &["review_time"], call).await;
    let both = v1::ReviewLimitationRequest {
        ended: true,
        ..reviewing(&need.name, Some(HOUR))
    };
    let call = norths.review_limitation(both);
    faulty(&house, "INVALID_FIELD", &["review_time"], call).await;
    house.stop().await;
}

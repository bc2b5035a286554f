//! The end of a partnership: what is closed with it, and what is carried on.

use entente::proto::v1::{
    self, AgreementState, ConcessionState, ExpectationState, NoticeState, OpenMatter,
    PartnershipState, TargetType, Verdict,
};

use super::amendments::{clock_of, seen};
use super::calls::{faulty, ok, refuses};
use super::claims::needing;
use super::exporting::export;
use super::handing_over::listed;
use super::house::{HOUR, House, at};
use super::notices::{giving, moving};
use super::setting::{
    NORTH_PSA, Pair, accepting, agreeing, euros, five_w, fulfilling, offering, opening, status,
    ticket,
};

fn ending(name: &str) -> v1::EndPartnershipRequest {
    v1::EndPartnershipRequest {
        name: name.to_owned(),
        reason: "moved away".to_owned(),
        ..Default::default()
    }
}

fn carrying(name: &str) -> v1::CarriedRecord {
    v1::CarriedRecord {
        name: name.to_owned(),
        destination: "the contract of next year".to_owned(),
        note: "with the same people".to_owned(),
    }
}

/// What a partnership leaves behind when it ends.
struct Left {
    pair: Pair,
    offered: String,
    agreed: String,
    notice: String,
    need: String,
    ticket: String,
    quote: String,
    /// Carried on.
    kept: [String; 2],
}

async fn left(house: &House) -> Left {
    let pair = Pair::with_a_desk(house).await;
    let (offered, agreed) = (pair.offer().await.name, pair.agreed().await.name);
    let mut norths = pair.north.connection.expectations();
    let request = giving(&pair.name, moving(Some(9 * HOUR)), true);
    let notice = ok(norths.create_notice(request)).await.name;
    let need = ok(norths.create_need(needing(&pair.name))).await.name;
    let ticket = pair.opened("1", 0).await;
    let quote = pair.quote(&[("a", 500)], &[("b", 500)]).await.name;
    let request = v1::ProposeConcessionRequest {
        name: quote.clone(),
        concession: Some(euros(100)),
        basis: v1::AllocationBasis::Price.into(),
        ..Default::default()
    };
    ok(pair.north.connection.pricing().propose_concession(request)).await;
    let kept = [pair.agreed().await.name, pair.opened("2", 0).await];
    Left {
        pair,
        offered,
        agreed,
        notice,
        need,
        ticket,
        quote,
        kept,
    }
}

impl Left {
    async fn expectation(&self, name: &str) -> v1::Expectation {
        let request = v1::GetExpectationRequest {
            name: name.to_owned(),
        };
        let mut norths = self.pair.north.connection.expectations();
        ok(norths.get_expectation(request)).await
    }

    /// Everything that was closed is seen to be, from the end on.
    async fn is_closed(&self, ended: i64) {
        let end = Some(at(ended));
        for name in [&self.offered, &self.agreed] {
            let shown = self.expectation(name).await;
            assert_eq!(shown.state(), ExpectationState::Closed);
            assert_eq!(shown.close_time, end);
        }
        let mut norths = self.pair.north.connection.expectations();
        let name = self.notice.clone();
        let notice = ok(norths.get_notice(v1::GetNoticeRequest { name })).await;
        assert_eq!(notice.state(), NoticeState::Closed);
        let name = self.need.clone();
        let need = ok(norths.get_need(v1::GetNeedRequest { name })).await;
        assert_eq!(need.close_time, end);
        let shown = seen(&self.pair.north, &self.ticket, None, None).await;
        assert_eq!(shown.close_time, end);
        let clock = clock_of(&shown, TargetType::Resolution);
        assert_eq!(clock.verdict(), Verdict::Cancelled);
        assert_eq!(clock.consumed.unwrap().seconds, ended);
        let clock = clock_of(&shown, TargetType::FirstResponse);
        assert_eq!(
            clock.verdict(),
            Verdict::Breached,
            "what was missed stays so"
        );
        let request = v1::GetAgreementRequest {
            name: format!("{}/agreements/desk", self.pair.name),
            ..Default::default()
        };
        let mut sla = self.pair.south.connection.sla();
        let agreement = ok(sla.get_agreement(request)).await;
        assert_eq!(agreement.state(), AgreementState::Ended);
        let request = v1::GetJointQuoteRequest {
            name: self.quote.clone(),
        };
        let mut pricing = self.pair.south.connection.pricing();
        let quote = ok(pricing.get_joint_quote(request)).await;
        assert_eq!(quote.revisions[0].state(), ConcessionState::Expired);
        let open = listed(&self.pair.south, &self.pair.name, "", 50).await;
        let open: Vec<_> = open.iter().map(v1::HandOverItem::matter).collect();
        assert_eq!(open, [OpenMatter::Expectation, OpenMatter::Ticket]);
    }
}

/// Reads and decisions know of the end at once; the journal tells of each record behind, once.
pub async fn the_end_closes_all_but_what_is_carried_on(house: House) {
    let left = left(&house).await;
    let pair = &left.pair;
    house.pass(2 * HOUR);
    let request = v1::EndPartnershipRequest {
        carried: left.kept.iter().map(|name| carrying(name)).collect(),
        ..ending(&pair.name)
    };
    let mut norths = pair.north.connection.partnerships();
    let ended = ok(norths.end_partnership(request.clone())).await;
    assert_eq!(ended.state(), PartnershipState::Ended);
    assert_eq!(ended.end_time, Some(at(2 * HOUR)));
    left.is_closed(2 * HOUR).await;
    house.pass(HOUR);
    left.is_closed(2 * HOUR).await;
    refused_after_the_end(&house, &left).await;
    refuses(&house, "PARTNERSHIP_ENDED", norths.end_partnership(request)).await;

    let before = house.head(&pair.name).await.sequence;
    while house.sweep().await.found > 0 {}
    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        after_sequence: i64::try_from(before).unwrap(),
        page_size: 500,
        ..Default::default()
    };
    let entries = ok(pair.north.connection.journal().list_entries(request)).await;
    let types = entries.entries.into_iter().map(|entry| entry.r#type);
    let mut types: Vec<_> = types.filter(|name| name.ends_with(".closed")).collect();
    types.sort();
    let closed = [
        "agreement.closed",
        "expectation.closed",
        "expectation.closed",
        "joint_quote.closed",
        "need.closed",
        "notice.closed",
        "ticket.closed",
    ];
    assert_eq!(types, closed);
    let done = house.head(&pair.name).await;
    assert_eq!(house.sweep().await.found, 0);
    assert_eq!(house.head(&pair.name).await, done);
    left.is_closed(2 * HOUR).await;
    worked_to_its_completion(&house, &left).await;
    export(&pair.south, &pair.name).await;
    house.stop().await;
}

async fn refused_after_the_end(house: &House, left: &Left) {
    let pair = &left.pair;
    let mut souths = pair.south.connection.expectations();
    let agree = souths.agree_expectation(agreeing(&left.offered, 1));
    refuses(house, "PARTNERSHIP_ENDED", agree).await;
    let new = souths.create_expectation(pair.draft_request(five_w(9)));
    refuses(house, "PARTNERSHIP_ENDED", new).await;
    let mut norths = pair.north.connection.sla();
    for id in ["1", "new"] {
        let late = status("late", &ticket(NORTH_PSA, id), 2 * HOUR, "Done");
        let call = norths.batch_ingest_events(pair.batch(vec![late]));
        refuses(house, "PARTNERSHIP_ENDED", call).await;
    }
}

/// What was carried on says so, is worked on, and its clocks run on.
async fn worked_to_its_completion(house: &House, left: &Left) {
    let pair = &left.pair;
    let [expectation, name] = &left.kept;
    let shown = left.expectation(expectation).await;
    let carried = shown.carried_on.clone().unwrap();
    assert_eq!(carried.destination, "the contract of next year");
    assert_eq!(carried.note, "with the same people");
    assert_eq!(shown.state(), ExpectationState::Agreed);
    let mut souths = pair.south.connection.expectations();
    ok(souths.fulfil_expectation(fulfilling(expectation))).await;
    let mut norths = pair.north.connection.expectations();
    let accepted = ok(norths.accept_fulfilment(accepting(expectation, &[0, 1]))).await;
    assert_eq!(accepted.state(), ExpectationState::Accepted);

    house.pass(2 * HOUR);
    let before = house.head(&pair.name).await.sequence;
    house.sweep().await;
    let raised: Vec<_> = (pair.entries_after(before).await.into_iter())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(raised, ["ticket.breached"], "its clocks are watched on");
    let shown = seen(&pair.south, name, None, None).await;
    assert_eq!(shown.carried_on.as_ref().unwrap(), &carried);
    let clock = clock_of(&shown, TargetType::Resolution);
    assert_eq!(clock.breach_time, Some(at(4 * HOUR)));
    let id = ticket(NORTH_PSA, "2");
    let done = vec![status("done", &id, 5 * HOUR, "Done")];
    let results = pair.ingest(&pair.north, done).await;
    assert_eq!(results[0].error, None);
    let shown = seen(&pair.south, name, None, None).await;
    assert_eq!(shown.state(), v1::TicketState::Resolved);
}

/// Until it takes effect, an announced end changes nothing; what was said about it stays.
pub async fn an_end_can_be_announced(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let agreed = pair.agreed().await.name;
    let request = v1::EndPartnershipRequest {
        effective_time: Some(at(2 * HOUR)),
        ..ending(&pair.name)
    };
    let mut souths = pair.south.connection.partnerships();
    let announced = ok(souths.end_partnership(request.clone())).await;
    assert_eq!(announced.state(), PartnershipState::Active);
    assert_eq!(announced.end_time, Some(at(2 * HOUR)));
    let mut norths = pair.north.connection.partnerships();
    let again = ok(norths.end_partnership(ending(&pair.name))).await;
    assert_eq!(again.end_time, announced.end_time);
    let other = norths.end_partnership(v1::EndPartnershipRequest {
        request_id: String::new(),
        ..request.clone()
    });
    refuses(&house, "INVALID_STATE", other).await;
    house.sweep().await;
    let name = pair.opened("1", 0).await;
    house.pass(2 * HOUR);
    assert_eq!(
        pair.shown_to(&pair.north).await.state(),
        PartnershipState::Ended
    );
    let opening = vec![opening("e1", &ticket(NORTH_PSA, "2"), 0, 1)];
    let mut sla = pair.north.connection.sla();
    let late = sla.batch_ingest_events(pair.batch(opening));
    refuses(&house, "PARTNERSHIP_ENDED", late).await;
    while house.sweep().await.found > 0 {}
    let shown = seen(&pair.north, &name, None, None).await;
    assert_eq!(shown.close_time, Some(at(2 * HOUR)));
    let mut expectations = pair.south.connection.expectations();
    let fulfil = expectations.fulfil_expectation(fulfilling(&agreed));
    refuses(&house, "PARTNERSHIP_ENDED", fulfil).await;
    house.stop().await;
}

/// What cannot be carried on, and when nothing can end.
pub async fn ends_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let draft = pair.draft().await.name;
    let done = pair.offer().await.name;
    let request = v1::WithdrawExpectationRequest {
        name: done.clone(),
        ..Default::default()
    };
    let mut norths = pair.north.connection.expectations();
    ok(norths.withdraw_expectation(request)).await;
    let mut partnerships = pair.north.connection.partnerships();
    let with = |names: &[&str]| v1::EndPartnershipRequest {
        carried: names.iter().map(|name| carrying(name)).collect(),
        ..ending(&pair.name)
    };
    let desk = format!("{}/agreements/desk", pair.name);
    let shapes = with(&[&desk, "partnerships/other/tickets/1", &draft]);
    let fields = ["carried[0].name", "carried[1].name"];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        partnerships.end_partnership(shapes),
    )
    .await;
    let absent = format!("{}/tickets/absent", pair.name);
    let closed = with(&[&draft, &absent, &done]);
    let fields = ["carried[1].name", "carried[2].name"];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        partnerships.end_partnership(closed),
    )
    .await;
    let twice = v1::EndPartnershipRequest {
        effective_time: Some(at(-1)),
        ..with(&[&draft, &draft])
    };
    let fields = ["effective_time", "carried[1].name"];
    faulty(
        &house,
        "INVALID_FIELD",
        &fields,
        partnerships.end_partnership(twice),
    )
    .await;
    let many = with(&vec![draft.as_str(); 101]);
    faulty(
        &house,
        "INVALID_FIELD",
        &["carried"],
        partnerships.end_partnership(many),
    )
    .await;
    ok(norths.offer_expectation(offering(&draft))).await;
    house.stop().await;
}

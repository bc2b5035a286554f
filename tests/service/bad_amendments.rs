//! Amendments, links and answers to late events that cannot be used.

use entente::proto::v1::{self, TicketActivity, amendment::Content, merge_target::Target};

use super::amendments::{
    agreed_date, approving, clock_of, declining, exclusion, proposing, withdrawing,
};
use super::calls::{faulty, ok, refuses};
use super::evidence::{countersigning, linking, rejecting};
use super::house::{HOUR, House, at, lasting};
use super::setting::{NORTH_PSA, Pair, event, ticket};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

fn agreement(name: &str) -> Content {
    Content::Agreement(name.to_owned())
}

/// Contents that cannot be used, and the fields at fault.
fn contents_at_fault() -> Vec<(Content, Vec<&'static str>)> {
    let day = 24 * HOUR;
    let dated = |r#type, due_time| Content::AgreedDate(v1::AgreedDate { r#type, due_time });
    let fine = prost_types::Timestamp { nanos: 1, ..at(0) };
    let stretch = |start_time, end_time| {
        Content::Exclusion(v1::Exclusion {
            start_time,
            end_time,
            ..Default::default()
        })
    };
    let due = "amendment.agreed_date.due_time";
    let (start, end) = (
        "amendment.exclusion.start_time",
        "amendment.exclusion.end_time",
    );
    vec![
        (
            dated(0, Some(fine)),
            vec!["amendment.agreed_date.type", due],
        ),
        (dated(7, None), vec!["amendment.agreed_date.type"]),
        // One second before the ticket was opened, and one beyond what can be stored.
        (agreed_date(Some(-1)), vec![due]),
        (agreed_date(Some(100 * 366 * day)), vec![due]),
        (stretch(None, None), vec![start, end]),
        (stretch(Some(at(0)), Some(fine)), vec![end]),
        (exclusion(0, 0, ""), vec![end]),
        (exclusion(0, -1, ""), vec![end]),
        (exclusion(0, 366 * day + 1, ""), vec![end]),
        (exclusion(-30 * 366 * day, 0, ""), vec![start]),
        (
            exclusion(0, HOUR, "unheard-of"),
            vec!["amendment.exclusion.class_id"],
        ),
        (
            exclusion(0, 0, "unheard-of"),
            vec![end, "amendment.exclusion.class_id"],
        ),
        (
            agreement("partnerships/other/agreements/desk"),
            vec!["amendment.agreement"],
        ),
        (agreement(""), vec!["amendment.agreement"]),
    ]
}

/// Contents outside of their limits, at which they are taken.
pub async fn amendments_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    let mut sla = pair.north.connection.sla();
    let day = 24 * HOUR;
    let nothing = v1::ProposeAmendmentRequest {
        name: "partnerships/p/tickets".to_owned(),
        ..Default::default()
    };
    let fields = ["name", "amendment"];
    faulty(&house, BAD, &fields, sla.propose_amendment(nothing)).await;
    let mut empty = proposing(&name, agreed_date(None));
    empty.amendment = Some(v1::Amendment::default());
    let fields = ["amendment.content"];
    faulty(&house, BAD, &fields, sla.propose_amendment(empty)).await;
    for (content, fields) in contents_at_fault() {
        let request = proposing(&name, content);
        faulty(&house, BAD, &fields, sla.propose_amendment(request)).await;
    }
    let mut long = exclusion(0, HOUR, "");
    if let Content::Exclusion(long) = &mut long {
        long.reason = "x".repeat(5_001);
    }
    let fields = ["amendment.exclusion.reason"];
    faulty(
        &house,
        BAD,
        &fields,
        sla.propose_amendment(proposing(&name, long)),
    )
    .await;
    for edge in [
        agreed_date(Some(0)),
        exclusion(0, 366 * day, ""),
        exclusion(1_000, 1_001, ""),
    ] {
        ok(sla.propose_amendment(proposing(&name, edge))).await;
    }
    house.stop().await;
}

/// A ticket has at most 100 amendments, whatever became of them.
pub async fn too_many_amendments(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    let mut sla = pair.north.connection.sla();
    for number in 1..=100 {
        let shown = ok(sla.propose_amendment(proposing(&name, agreed_date(Some(number))))).await;
        let id = shown.amendments.last().unwrap().amendment_id.clone();
        assert_eq!(id, number.to_string());
        ok(sla.withdraw_amendment(withdrawing(&name, &id))).await;
    }
    let beyond = sla.propose_amendment(proposing(&name, agreed_date(None)));
    let refused = refuses(&house, "LIMIT_REACHED", beyond).await;
    assert_eq!(refused.metadata["limit"], "amendments_per_ticket");
    house.stop().await;
}

/// Answers to what is not there, by the wrong firm, or twice.
pub async fn answers_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    let mut norths = pair.north.connection.sla();
    let mut souths = pair.south.connection.sla();
    let proposal = proposing(&name, agreed_date(Some(9 * HOUR)));
    ok(norths.propose_amendment(proposal)).await;
    let bad = approving("tickets/1", "");
    let fields = ["name", "amendment_id"];
    faulty(&house, BAD, &fields, souths.approve_amendment(bad)).await;
    let mut long = declining(&name, "1");
    long.reason = "x".repeat(5_001);
    faulty(&house, BAD, &["reason"], souths.decline_amendment(long)).await;
    refuses(
        &house,
        "NOT_FOUND",
        souths.approve_amendment(approving(&name, "2")),
    )
    .await;
    let own = norths.decline_amendment(declining(&name, "1"));
    refuses(&house, "NOT_YOUR_OFFER", own).await;
    let others = souths.withdraw_amendment(withdrawing(&name, "1"));
    refuses(&house, "NOT_YOUR_OFFER", others).await;
    let mut stale = approving(&name, "1");
    "\"1\"".clone_into(&mut stale.etag);
    refuses(&house, "ETAG_MISMATCH", souths.approve_amendment(stale)).await;
    let declined = ok(souths.decline_amendment(declining(&name, "1"))).await;
    let again = ok(souths.decline_amendment(declining(&name, "1"))).await;
    assert_eq!(again, declined);
    assert!(!clock_of(&again, v1::TargetType::Resolution).agreed_date);
    refuses(
        &house,
        "INVALID_STATE",
        norths.withdraw_amendment(withdrawing(&name, "1")),
    )
    .await;
    // The same request twice is one proposal.
    let request = v1::ProposeAmendmentRequest {
        request_id: "once".to_owned(),
        ..proposing(&name, agreed_date(Some(8 * HOUR)))
    };
    for _ in 0..2 {
        let shown = ok(norths.propose_amendment(request.clone())).await;
        assert_eq!(shown.amendments.len(), 2);
    }
    let other = v1::ProposeAmendmentRequest {
        request_id: "once".to_owned(),
        ..proposing(&name, agreed_date(Some(7 * HOUR)))
    };
    refuses(&house, "REQUEST_ID_REUSED", norths.propose_amendment(other)).await;
    for (event_id, reason) in [("", BAD), ("e1", "NOT_FOUND"), ("e9", "NOT_FOUND")] {
        let request = countersigning(&name, event_id);
        refuses(&house, reason, souths.countersign_event(request)).await;
        let request = rejecting(&name, event_id);
        refuses(&house, reason, souths.reject_event(request)).await;
    }
    house.stop().await;
}

/// Ids that cannot be used, and the most that one ticket takes.
pub async fn further_ids_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    let mut sla = pair.south.connection.sla();
    let nothing = v1::LinkTicketRequest {
        name: name.clone(),
        ..Default::default()
    };
    faulty(&house, BAD, &["reference"], sla.link_ticket(nothing)).await;
    let empty = linking(&name, v1::ExternalReference::default());
    let fields = ["reference.system", "reference.type", "reference.id"];
    faulty(&house, BAD, &fields, sla.link_ticket(empty)).await;
    for number in 2..=20 {
        ok(sla.link_ticket(linking(&name, ticket("psa", &number.to_string())))).await;
    }
    let beyond = sla.link_ticket(linking(&name, ticket("psa", "21")));
    refuses(&house, "LIMIT_REACHED", beyond).await;
    house.stop().await;
}

/// Merges into nothing, into itself, or without being one.
pub async fn merges_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let (name, other) = (pair.opened("1", 0).await, pair.opened("2", 0).await);
    let merge = |target: Option<Target>, merged: bool| v1::TicketEvent {
        activities: vec![TicketActivity::Merged.into()][..usize::from(merged)].to_vec(),
        merged_into: Some(v1::MergeTarget { target }),
        ..event("m", &ticket(NORTH_PSA, "1"), 0)
    };
    let by_name = |name: &str| Some(Target::Ticket(name.to_owned()));
    let by_reference = |id: &str| Some(Target::Reference(ticket(NORTH_PSA, id)));
    let absent = format!("{}/tickets/absent", pair.name);
    let head = house.head(&pair.name).await;
    for (sent, reason, field) in [
        (merge(None, true), BAD, "merged_into.target"),
        (merge(by_name(&other), false), BAD, "merged_into"),
        (merge(by_name(&name), true), BAD, "merged_into"),
        (merge(by_reference("1"), true), BAD, "merged_into.reference"),
        (
            merge(by_reference(""), true),
            BAD,
            "merged_into.reference.id",
        ),
        (merge(by_name("tickets/1"), true), BAD, "merged_into.ticket"),
        (
            merge(by_name(&absent), true),
            "NOT_FOUND",
            "merged_into.ticket",
        ),
    ] {
        let results = pair.ingest(&pair.north, vec![sent]).await;
        let error = results[0].error.clone().expect("a refusal");
        let details = tonic_types::RpcStatusExt::get_error_details(&error);
        assert_eq!(details.error_info().unwrap().reason, reason, "{field}");
        let fields = details.bad_request().unwrap().field_violations.iter();
        let fields: Vec<_> = fields.map(|violation| violation.field.clone()).collect();
        assert_eq!(fields, [format!("events[0].{field}")]);
    }
    assert_eq!(house.head(&pair.name).await, head);
    // What nobody knows yet may become known.
    let results = pair
        .ingest(&pair.north, vec![merge(by_reference("3"), true)])
        .await;
    assert_eq!(results[0].outcome(), v1::IngestOutcome::Applied);
    let third = pair.opened("3", 0).await;
    house.pass(HOUR);
    let later = event("later", &ticket(NORTH_PSA, "1"), HOUR);
    let results = pair.ingest(&pair.north, vec![later]).await;
    let error = results[0].error.clone().expect("a refusal");
    let details = tonic_types::RpcStatusExt::get_error_details(&error);
    let info = details.error_info().unwrap();
    assert_eq!(info.metadata.get("merged_into"), Some(&third));
    let again = pair
        .ingest(&pair.north, vec![merge(by_reference("3"), true)])
        .await;
    assert_eq!(again[0].outcome(), v1::IngestOutcome::AlreadyApplied);
    house.stop().await;
}

/// Windows and classes outside of their limits, at which they are taken.
pub async fn windows_and_classes_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut partnerships = pair.north.connection.partnerships();
    let class = |class_id: &str, seconds: i64| v1::ExclusionClass {
        class_id: class_id.to_owned(),
        display_name: "Planned".to_owned(),
        longest: Some(lasting(seconds)),
    };
    let proposing = |seconds: i64, classes: Vec<v1::ExclusionClass>| v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(v1::Terms {
            lateness_window: Some(lasting(seconds)),
            exclusion_classes: classes,
            ..Default::default()
        }),
        ..Default::default()
    };
    let day = 24 * HOUR;
    for seconds in [-1, 0, 59, 90 * day + 1] {
        let request = proposing(seconds, Vec::new());
        let fields = ["terms.lateness_window"];
        faulty(&house, BAD, &fields, partnerships.propose_terms(request)).await;
    }
    let nameless = v1::ExclusionClass {
        display_name: String::new(),
        ..class("c", HOUR)
    };
    let timeless = v1::ExclusionClass {
        longest: None,
        ..class("c", HOUR)
    };
    let many = (0..21).map(|number| class(&format!("c{number}"), HOUR));
    for (classes, field) in [
        (
            vec![class("Not so", HOUR)],
            "terms.exclusion_classes[0].class_id",
        ),
        (
            vec![class("c", HOUR), class("c", HOUR)],
            "terms.exclusion_classes[1].class_id",
        ),
        (vec![class("c", 0)], "terms.exclusion_classes[0].longest"),
        (
            vec![class("c", 366 * day + 1)],
            "terms.exclusion_classes[0].longest",
        ),
        (vec![timeless], "terms.exclusion_classes[0].longest"),
        (vec![nameless], "terms.exclusion_classes[0].display_name"),
        (many.collect(), "terms.exclusion_classes"),
    ] {
        let request = proposing(HOUR, classes);
        faulty(&house, BAD, &[field], partnerships.propose_terms(request)).await;
    }
    let edges = vec![class("a", 1), class("b-2", 366 * day)];
    for seconds in [60, 90 * day] {
        let shown = ok(partnerships.propose_terms(proposing(seconds, edges.clone()))).await;
        let terms = shown.proposed_terms.unwrap();
        assert_eq!(terms.lateness_window, Some(lasting(seconds)));
        assert_eq!(terms.exclusion_classes, edges);
    }
    house.stop().await;
}

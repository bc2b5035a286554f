//! Notices: told in time or not, by either firm.

use entente::proto::v1::{self, NoticeKind, NoticeState};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, MINUTE, START_SECONDS, at, lasting};
use super::setting::{NORTH, Pair, SOUTH};

/// The lead time that is agreed for a move, in seconds.
const AGREED: i64 = 5 * 24 * HOUR;

/// A move so many seconds after the beginning, with two things to think of.
pub fn moving(planned: Option<i64>) -> v1::Notice {
    let item = |text: &str| v1::ChecklistItem {
        text: text.to_owned(),
        ..Default::default()
    };
    v1::Notice {
        kind: NoticeKind::Move.into(),
        title: "The office moves".to_owned(),
        details: "to the other side of the river".to_owned(),
        planned_time: planned.map(at),
        checklist: vec![item("lines"), item("desks")],
        ..Default::default()
    }
}

pub fn giving(parent: &str, notice: v1::Notice, confirmed: bool) -> v1::CreateNoticeRequest {
    v1::CreateNoticeRequest {
        parent: parent.to_owned(),
        notice: Some(notice),
        confirmed,
        ..Default::default()
    }
}

pub fn retitling(name: &str, title: &str) -> v1::UpdateNoticeRequest {
    v1::UpdateNoticeRequest {
        notice: Some(v1::Notice {
            name: name.to_owned(),
            title: title.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub fn confirming(name: &str, planned: Option<i64>) -> v1::ConfirmNoticeRequest {
    v1::ConfirmNoticeRequest {
        name: name.to_owned(),
        planned_time: planned.map(at),
        ..Default::default()
    }
}

pub fn marking(name: &str, number: i32, done: bool) -> v1::MarkNoticeItemRequest {
    v1::MarkNoticeItemRequest {
        name: name.to_owned(),
        number,
        done,
        ..Default::default()
    }
}

fn lead_time(kind: NoticeKind, seconds: i64) -> v1::NoticeLeadTime {
    v1::NoticeLeadTime {
        kind: kind.into(),
        lead_time: Some(lasting(seconds)),
    }
}

async fn agreed(house: &House) -> Pair {
    let pair = Pair::active(house).await;
    let terms = v1::Terms {
        notice_lead_times: vec![lead_time(NoticeKind::Move, AGREED)],
        ..Default::default()
    };
    pair.terms(terms).await;
    pair
}

/// Fire drills and confirmed notices of north and of south, told in a period.
async fn counts(pair: &Pair, start: Option<i64>, end: Option<i64>) -> [(i32, i32); 2] {
    let request = v1::GetFireDrillCountsRequest {
        name: pair.name.clone(),
        start_time: start.map(at),
        end_time: end.map(at),
    };
    let mut souths = pair.south.connection.expectations();
    let found = ok(souths.get_fire_drill_counts(request)).await.counts;
    let parties: Vec<_> = found.iter().map(|count| count.party_id.as_str()).collect();
    assert_eq!(parties, [NORTH, SOUTH]);
    [0, 1].map(|index: usize| (found[index].fire_drills, found[index].confirmed_notices))
}

/// E06: the same rule for both, decided when it was told, and never taken back.
pub async fn e06_less_than_the_agreed_lead_time_is_a_fire_drill_for_either_firm(house: House) {
    let pair = agreed(&house).await;
    for (firm, party) in [(&pair.north, NORTH), (&pair.south, SOUTH)] {
        let now = house.running.application.api.now().as_micros() / 1_000_000 - START_SECONDS;
        let mut expectations = firm.connection.expectations();
        let request = giving(&pair.name, moving(Some(now + AGREED)), true);
        let in_time = ok(expectations.create_notice(request)).await;
        assert_eq!(
            (in_time.giver.as_str(), in_time.fire_drills.len()),
            (party, 0)
        );
        let request = giving(&pair.name, moving(Some(now + AGREED - 1)), true);
        let late = ok(expectations.create_notice(request)).await;
        assert_eq!(
            late.fire_drills,
            [v1::FireDrill {
                planned_time: Some(at(now + AGREED - 1)),
                told_time: Some(at(now)),
                lead_time_given: Some(lasting(AGREED - 1)),
                lead_time_agreed: Some(lasting(AGREED)),
            }]
        );
        let request = v1::WithdrawNoticeRequest {
            name: late.name,
            reason: "not at all".to_owned(),
            ..Default::default()
        };
        let withdrawn = ok(expectations.withdraw_notice(request)).await;
        assert_eq!(withdrawn.end_message, "not at all");
        assert_eq!(withdrawn.fire_drills, late.fire_drills);
        // A heads-up is none, however late; its confirmation is.
        let request = giving(&pair.name, moving(Some(now + HOUR)), false);
        let heads_up = ok(expectations.create_notice(request)).await;
        assert!(heads_up.fire_drills.is_empty());
        let confirmed = ok(expectations.confirm_notice(confirming(&heads_up.name, None))).await;
        assert_eq!(confirmed.fire_drills.len(), 1);
        house.pass(HOUR);
    }
    assert_eq!(counts(&pair, None, None).await, [(2, 3), (2, 3)]);
    assert_eq!(counts(&pair, None, Some(HOUR)).await, [(2, 3), (0, 0)]);
    assert_eq!(counts(&pair, Some(HOUR), None).await, [(0, 0), (2, 3)]);
    let request = v1::ListNoticesRequest {
        parent: pair.name.clone(),
        state: NoticeState::Confirmed.into(),
        fire_drills_only: true,
        ..Default::default()
    };
    let listed = ok(pair.north.connection.expectations().list_notices(request)).await;
    assert_eq!(listed.notices.len(), 2);
    assert!(
        listed
            .notices
            .iter()
            .all(|notice| notice.fire_drills.len() == 1)
    );
    house.stop().await;
}

/// From a rough window to an instant, with a checklist that both firms tick off.
pub async fn from_heads_up_to_done(house: House) {
    let pair = agreed(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let window = v1::NoticeWindow {
        earliest_time: Some(at(20 * 24 * HOUR)),
        latest_time: None,
    };
    let notice = v1::Notice {
        window: Some(window),
        ..moving(None)
    };
    let notice = ok(norths.create_notice(giving(&pair.name, notice, false))).await;
    assert_eq!(notice.state(), NoticeState::HeadsUp);
    assert_eq!((notice.window, notice.planned_time), (Some(window), None));
    let marked = ok(souths.mark_notice_item(marking(&notice.name, 2, true))).await;
    let item = &marked.checklist[1];
    assert_eq!(
        (item.text.as_str(), item.done, item.done_by.as_str()),
        ("desks", true, SOUTH)
    );
    assert_eq!(item.done_time, Some(at(0)));
    let theirs = souths.update_notice(retitling(&notice.name, "Mine"));
    let refused = refuses(&house, "NOT_YOUR_NOTICE", theirs).await;
    assert_eq!(refused.metadata["giver"], NORTH);
    let mut update = retitling(&notice.name, "Another office");
    update.update_mask = Some(prost_types::FieldMask {
        paths: vec!["title".to_owned(), "window".to_owned()],
    });
    update.notice.as_mut().unwrap().etag = marked.etag;
    let updated = ok(norths.update_notice(update)).await;
    assert_eq!(
        (updated.title.as_str(), updated.window),
        ("Another office", None)
    );
    assert_eq!(updated.checklist[1].done_by, SOUTH);
    assert_eq!(updated.details, notice.details);
    house.pass(MINUTE);
    let planned = 20 * 24 * HOUR;
    let confirmed = ok(norths.confirm_notice(confirming(&notice.name, Some(planned)))).await;
    assert_eq!(confirmed.state(), NoticeState::Confirmed);
    assert_eq!(confirmed.confirm_time, Some(at(MINUTE)));
    assert!(confirmed.fire_drills.is_empty());
    let request = v1::CompleteNoticeRequest {
        name: notice.name.clone(),
        message: "all moved".to_owned(),
        ..Default::default()
    };
    let done = ok(norths.complete_notice(request)).await;
    assert_eq!(done.state(), NoticeState::Done);
    let shown = ok(souths.get_notice(v1::GetNoticeRequest { name: notice.name })).await;
    assert_eq!(shown, done, "both firms see the same");
    assert_eq!(shown.end_message, "all moved");
    house.stop().await;
}

/// What is wrong is named, all of it, and changes nothing.
pub async fn notices_at_fault(house: House) {
    let pair = agreed(&house).await;
    let mut norths = pair.north.connection.expectations();
    let bad = v1::Notice {
        kind: 99,
        title: "x".repeat(201),
        client: "clients/none".to_owned(),
        checklist: vec![v1::ChecklistItem {
            number: 1,
            text: "a".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let fields = [
        "notice.kind",
        "notice.client",
        "notice.checklist[0].number",
        "notice.title",
    ];
    let call = norths.create_notice(giving(&pair.name, bad, false));
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let reversed = v1::Notice {
        window: Some(v1::NoticeWindow {
            earliest_time: Some(at(HOUR)),
            latest_time: Some(at(0)),
        }),
        ..moving(None)
    };
    let fields = ["notice.window.latest_time", "notice.planned_time"];
    let call = norths.create_notice(giving(&pair.name, reversed, true));
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let notice = ok(norths.create_notice(giving(&pair.name, moving(None), false))).await;
    let mut unknown = retitling(&notice.name, "x");
    unknown.update_mask = Some(prost_types::FieldMask {
        paths: vec!["title".to_owned(), "kind".to_owned()],
    });
    let fields = ["update_mask.paths[1]"];
    let call = norths.update_notice(unknown);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let call = norths.confirm_notice(confirming(&notice.name, None));
    faulty(&house, "INVALID_FIELD", &["planned_time"], call).await;
    for number in [-1, 0, 3] {
        let call = norths.mark_notice_item(marking(&notice.name, number, true));
        faulty(&house, "INVALID_FIELD", &["number"], call).await;
    }
    let backwards = v1::GetFireDrillCountsRequest {
        name: pair.name.clone(),
        start_time: Some(at(HOUR)),
        end_time: Some(at(0)),
    };
    let call = norths.get_fire_drill_counts(backwards);
    faulty(&house, "TIMES_OUT_OF_ORDER", &["end_time"], call).await;
    let list = v1::ListNoticesRequest {
        parent: pair.name.clone(),
        state: 9,
        ..Default::default()
    };
    faulty(
        &house,
        "INVALID_FIELD",
        &["state"],
        norths.list_notices(list),
    )
    .await;
    house.stop().await;
}

/// Each kind once, and sensible lengths.
pub async fn lead_times_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let propose = |lead_times: Vec<v1::NoticeLeadTime>| {
        let request = v1::ProposeTermsRequest {
            name: pair.name.clone(),
            terms: Some(v1::Terms {
                notice_lead_times: lead_times,
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut norths = pair.north.connection.partnerships();
        async move { norths.propose_terms(request).await }
    };
    let longest = 366 * 24 * HOUR;
    let twice = vec![
        lead_time(NoticeKind::Move, 1),
        lead_time(NoticeKind::Move, 2),
    ];
    let unset = v1::NoticeLeadTime {
        kind: 0,
        lead_time: None,
    };
    let field = |name: &str| format!("terms.notice_lead_times[0].{name}");
    for (lead_times, fields) in [
        (twice, vec!["terms.notice_lead_times[1].kind".to_owned()]),
        (
            vec![lead_time(NoticeKind::Move, 0)],
            vec![field("lead_time")],
        ),
        (
            vec![lead_time(NoticeKind::Move, longest + 1)],
            vec![field("lead_time")],
        ),
        (vec![unset], vec![field("lead_time"), field("kind")]),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        faulty(&house, "INVALID_FIELD", &fields, propose(lead_times)).await;
    }
    let edges = vec![
        lead_time(NoticeKind::Move, longest),
        lead_time(NoticeKind::Other, 1),
    ];
    let proposed = ok(propose(edges.clone())).await.proposed_terms;
    assert_eq!(proposed.unwrap().notice_lead_times, edges);
    house.stop().await;
}

//! Whether one agreement holds up another.

use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{self, AgreementKind, TargetType};

use super::calls::{faulty, ok, refuses};
use super::chains::{Chain, life, linking};
use super::house::{HOUR, House, at, lasting};
use super::setting::{NORTH, NORTH_PSA, Pair, SOUTH, target};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";
/// Minutes of a day.
const DAY: i64 = 24 * 60;

/// North is served around the clock; what west owes south for it ends at five, and knows no second
/// priority.
async fn set(house: &House) -> Chain {
    let up = Pair::with_a_desk(house).await;
    let down = Pair::between(house, "south", "west").await;
    let days = DayOfWeek::Monday.into()..=DayOfWeek::Friday.into();
    let office = v1::CreateCalendarRequest {
        parent: down.name.clone(),
        calendar_id: "office".to_owned(),
        calendar: Some(v1::Calendar {
            display_name: "Office".to_owned(),
            time_zone: "UTC".to_owned(),
            weekly_windows: days
                .map(|day| v1::WeeklyWindow {
                    day,
                    start: "08:00".to_owned(),
                    end: "17:00".to_owned(),
                })
                .collect(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let office = ok(down.north.connection.sla().create_calendar(office)).await;
    let contract = v1::Agreement {
        calendar: office.name,
        targets: vec![
            target(TargetType::FirstResponse, 1, HOUR),
            target(TargetType::Resolution, 1, 4 * HOUR),
        ],
        ..down.desk()
    };
    down.agreement("contract", contract).await;
    down.status_map(&down.north, NORTH_PSA).await;
    Chain { up, down }
}

fn checking(chain: &Chain) -> v1::CheckChainRequest {
    v1::CheckChainRequest {
        upstream_agreement: format!("{}/agreements/desk", chain.up.name),
        downstream_agreement: format!("{}/agreements/contract", chain.down.name),
        ..Default::default()
    }
}

/// Tickets opened at eight, at two, and at nine, which is handed over at ten and ends too late; and one
/// of the second priority. Their names.
async fn tickets(house: &House, chain: &Chain) -> [String; 4] {
    house.pass(30 * HOUR);
    let early = life(&chain.up, 1, &[(0, "New"), (10, "Open")]).await;
    let late = life(&chain.up, 2, &[(6 * 60, "New"), (6 * 60 + 10, "Open")]).await;
    let changes = [(60, "New"), (90, "Open"), (6 * 60, "Done")];
    let handed = life(&chain.up, 3, &changes).await;
    let changes = [(2 * 60, "New"), (150, "Open"), (5 * 60 + 45, "Done")];
    let below = life(&chain.down, 1, &changes).await;
    let mut sla = chain.middle().connection.sla();
    ok(sla.create_ticket_link(linking(&handed, &below))).await;
    let second = super::setting::ticket(NORTH_PSA, "4");
    let second = vec![super::setting::opening("e1", &second, 3 * HOUR, 2)];
    chain.up.ingest(&chain.up.north, second).await;
    [early, late, handed, below]
}

/// Type, and: checked, would break, linked, broken.
fn counted(promise: &v1::ChainPromise) -> (TargetType, i32, [i64; 4]) {
    (
        promise.r#type(),
        promise.priority,
        [
            promise.checked_count,
            promise.would_break_count,
            promise.linked_count,
            promise.broken_count,
        ],
    )
}

/// By history ticket by ticket, and by the terms to the microsecond.
pub async fn a_contract_that_ends_at_five(house: House) {
    let chain = set(&house).await;
    let [_, late, handed, below] = tickets(&house, &chain).await;
    let mut middle = chain.middle().connection.sla();
    let before = house.heads().await;
    let found = ok(middle.check_chain(checking(&chain))).await;
    let rows: Vec<_> = found.promises.iter().map(counted).collect();
    assert_eq!(
        rows,
        [
            (TargetType::FirstResponse, 1, [3, 1, 1, 0]),
            (TargetType::Resolution, 1, [3, 2, 1, 1]),
        ]
    );
    let uncovered = [
        target(TargetType::FirstResponse, 2, 2 * HOUR),
        target(TargetType::Resolution, 2, 10 * HOUR),
    ];
    assert_eq!(found.uncovered, uncovered);
    assert_eq!((found.ticket_count, found.break_count), (4, 2));
    let [first, second] = [0, 1].map(|index| found.breaks[index].clone());
    assert_eq!(
        (first.ticket, first.downstream_ticket),
        (late, String::new())
    );
    let gap = first.gap.unwrap();
    // Three hours on Monday and one on Tuesday, where it had to be done at six.
    assert_eq!(gap.upstream_due_time, Some(at(10 * HOUR)));
    assert_eq!(gap.downstream_due_time, Some(at(25 * HOUR)));
    assert_eq!(gap.gap, Some(lasting(15 * HOUR)));
    assert_eq!((second.ticket, second.downstream_ticket), (handed, below));
    assert_eq!(
        (second.r#type, second.broken),
        (TargetType::Resolution.into(), true)
    );
    let gap = second.gap.unwrap();
    assert_eq!(gap.hand_over_time, Some(at(2 * HOUR)));
    assert_eq!(gap.gap, Some(lasting(HOUR)));
    // On the first Friday, just after the last instant at which it fits.
    let worst = found.promises[1].worst.as_ref().unwrap();
    let mut friday = at(4 * DAY * 60 + 5 * HOUR);
    friday.nanos = 1_000;
    assert_eq!(worst.hand_over_time, Some(friday));
    assert_eq!(worst.gap, Some(lasting(63 * HOUR)));
    assert_eq!(house.heads().await, before, "a check wrote something");
    pages(&house, &chain, &found).await;
    let same = v1::CheckChainRequest {
        downstream_agreement: checking(&chain).upstream_agreement,
        start_time: Some(at(HOUR)),
        end_time: Some(at(4 * HOUR)),
        ..checking(&chain)
    };
    let found = ok(middle.check_chain(same)).await;
    assert_eq!((found.ticket_count, found.breaks.len()), (2, 0));
    assert!(found.uncovered.is_empty());
    let gaps = found.promises.iter().map(|row| row.worst.unwrap().gap);
    assert!(gaps.into_iter().all(|gap| gap == Some(lasting(0))));
    house.stop().await;
}

async fn pages(house: &House, chain: &Chain, whole: &v1::CheckChainResponse) {
    let mut middle = chain.middle().connection.sla();
    let one = v1::CheckChainRequest {
        page_size: 1,
        ..checking(chain)
    };
    let first = ok(middle.check_chain(one.clone())).await;
    assert_eq!(
        (&first.promises, &first.breaks[..]),
        (&whole.promises, &whole.breaks[..1])
    );
    house.pass(HOUR);
    // The next page is of the same instant.
    life(&chain.up, 9, &[(8 * 60, "New")]).await;
    let next = v1::CheckChainRequest {
        page_token: first.next_page_token,
        ..one
    };
    let second = ok(middle.check_chain(next.clone())).await;
    assert_eq!(
        (second.as_of_time, &second.breaks[..]),
        (whole.as_of_time, &whole.breaks[1..])
    );
    assert_eq!((second.promises.len(), second.ticket_count), (0, 0));
    assert_eq!(second.next_page_token, "");
    let other = v1::CheckChainRequest {
        end_time: Some(at(HOUR)),
        ..next
    };
    refuses(house, "PAGE_TOKEN_INVALID", middle.check_chain(other)).await;
}

/// Who is not party of both learns nothing, and bad input is listed whole.
pub async fn chains_at_fault(house: House) {
    let chain = set(&house).await;
    let mut north = chain.up.north.connection.sla();
    let fields = ["downstream_agreement"];
    let call = north.check_chain(checking(&chain));
    let there = faulty(&house, "NOT_FOUND", &fields, call).await;
    let absent = v1::CheckChainRequest {
        downstream_agreement: format!("{}/agreements/none", chain.up.name),
        ..checking(&chain)
    };
    let call = north.check_chain(absent);
    assert_eq!(faulty(&house, "NOT_FOUND", &fields, call).await, there);
    let mut west = chain.down.south.connection.sla();
    let fields = ["upstream_agreement"];
    let call = west.check_chain(checking(&chain));
    faulty(&house, "NOT_FOUND", &fields, call).await;
    let bad = v1::CheckChainRequest {
        downstream_agreement: chain.down.name.clone(),
        start_time: Some(at(HOUR)),
        end_time: Some(at(HOUR)),
        ..Default::default()
    };
    let fields = ["upstream_agreement", "downstream_agreement", "end_time"];
    let mut middle = chain.middle().connection.sla();
    faulty(&house, BAD, &fields, middle.check_chain(bad)).await;
    let answers = v1::Agreement {
        kind: AgreementKind::Reciprocal.into(),
        obligor: NORTH.to_owned(),
        beneficiary: SOUTH.to_owned(),
        ..chain.up.desk()
    };
    let answers = chain.up.agreement("answers", answers).await;
    let in_return = v1::CheckChainRequest {
        upstream_agreement: answers.name,
        ..checking(&chain)
    };
    let fields = ["upstream_agreement"];
    faulty(&house, BAD, &fields, middle.check_chain(in_return)).await;
    house.stop().await;
}

//! Calendars that cannot be, targets that cannot be kept, and terms that do not add up.

use entente::proto::google::r#type::{Date, DayOfWeek};
use entente::proto::v1::{self, TargetType};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, lasting};
use super::setting::{NORTH, Pair, SOUTH, always, invitation, partnership, target};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

fn creating(pair: &Pair, calendar: v1::Calendar) -> v1::CreateCalendarRequest {
    v1::CreateCalendarRequest {
        parent: pair.name.clone(),
        calendar: Some(calendar),
        ..Default::default()
    }
}

fn window(start: &str, end: &str) -> v1::WeeklyWindow {
    v1::WeeklyWindow {
        day: DayOfWeek::Monday.into(),
        start: start.to_owned(),
        end: end.to_owned(),
    }
}

const fn date(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

/// Zones that do not exist, times that no clock shows, and calendars that never open.
pub async fn calendars(house: House) {
    let pair = Pair::active(&house).await;
    let mut sla = pair.north.connection.sla();
    zones(&house, &pair).await;
    windows(&house, &pair).await;
    let never = v1::Calendar {
        weekly_windows: Vec::new(),
        ..always()
    };
    refuses(
        &house,
        "CALENDAR_NEVER_OPENS",
        sla.create_calendar(creating(&pair, never)),
    )
    .await;
    exceptions(&house, &pair).await;
    let many = v1::Calendar {
        weekly_windows: vec![window("08:00", "17:00"); 101],
        ..always()
    };
    faulty(
        &house,
        BAD,
        &["calendar.weekly_windows"],
        sla.create_calendar(creating(&pair, many)),
    )
    .await;
    // The edges that are allowed: the end of the day, over midnight, and the clock around.
    let edges = v1::Calendar {
        weekly_windows: vec![
            window("00:00", "24:00"),
            window("23:59", "00:00"),
            window("08:00", "08:00"),
        ],
        ..always()
    };
    let created = ok(sla.create_calendar(creating(&pair, edges))).await;
    let worse = v1::UpdateCalendarRequest {
        calendar: Some(v1::Calendar {
            name: created.name,
            time_zone: "Mars/Base".to_owned(),
            ..always()
        }),
        ..Default::default()
    };
    faulty(
        &house,
        "ZONE_UNKNOWN",
        &["calendar.time_zone"],
        sla.update_calendar(worse),
    )
    .await;
    house.stop().await;
}

/// Dates that are in no year, or backwards.
async fn exceptions(house: &House, pair: &Pair) {
    let mut sla = pair.north.connection.sla();
    let closed = |first: Date, last: Date| v1::CalendarException {
        start_date: Some(first),
        end_date: Some(last),
        ..Default::default()
    };
    for (first, last) in [
        (date(2026, 2, 30), date(2026, 3, 1)),
        (date(2026, 13, 1), date(2026, 13, 2)),
        (date(2026, 3, 2), date(2026, 3, 1)),
        (date(0, 12, 25), date(0, 12, 26)),
    ] {
        let calendar = v1::Calendar {
            exceptions: vec![closed(first, last)],
            ..always()
        };
        let answer = refuses(house, BAD, sla.create_calendar(creating(pair, calendar))).await;
        assert!(
            answer
                .fields
                .iter()
                .all(|field| field.starts_with("calendar.exceptions[0].")),
            "{answer:?}"
        );
    }
}

/// Times that no clock shows.
async fn windows(house: &House, pair: &Pair) {
    let mut sla = pair.north.connection.sla();
    for (start, end, field) in [
        ("24:01", "24:00", "start"),
        ("25:00", "24:00", "start"),
        ("24:00", "24:00", "start"),
        ("00:00", "24:01", "end"),
        ("00:00", "25:00", "end"),
        ("00:00", "", "end"),
        ("0:00", "08:00", "start"),
        ("08:60", "09:00", "start"),
        ("-1:00", "09:00", "start"),
        ("٠٨:٠٠", "09:00", "start"),
    ] {
        let calendar = v1::Calendar {
            weekly_windows: vec![window("08:00", "17:00"), window(start, end)],
            ..always()
        };
        let field = format!("calendar.weekly_windows[1].{field}");
        faulty(
            house,
            BAD,
            &[&field],
            sla.create_calendar(creating(pair, calendar)),
        )
        .await;
    }
}

/// Zones that the bundled database does not have.
async fn zones(house: &House, pair: &Pair) {
    let mut sla = pair.north.connection.sla();
    for zone in [
        "Europe/Atlantis",
        "",
        "utc+1",
        "../../etc/passwd",
        "Europe/Zurich\u{0}",
        &"x".repeat(1_000),
    ] {
        let calendar = v1::Calendar {
            time_zone: zone.to_owned(),
            ..always()
        };
        faulty(
            house,
            "ZONE_UNKNOWN",
            &["calendar.time_zone"],
            sla.create_calendar(creating(pair, calendar)),
        )
        .await;
    }
}

/// Targets that no calendar can hold, and agreements that contradict themselves.
pub async fn targets(house: House) {
    let pair = Pair::active(&house).await;
    pair.calendar().await;
    let mut sla = pair.north.connection.sla();
    unreachable(&house, &pair).await;
    for (seconds, nanos) in [(0, 0), (-1, 0), (367 * 24 * HOUR, 0), (1, 1)] {
        let mut agreement = pair.desk();
        agreement.targets[2].duration = Some(prost_types::Duration {
            nanos,
            ..lasting(seconds)
        });
        let request = pair.agreement_request("", agreement);
        faulty(
            &house,
            BAD,
            &["agreement.targets[2].duration"],
            sla.create_agreement(request),
        )
        .await;
    }
    thresholds(&house, &pair).await;
    let twice = v1::Agreement {
        targets: vec![target(TargetType::Resolution, 1, HOUR); 2],
        ..pair.desk()
    };
    let none = v1::Agreement {
        targets: Vec::new(),
        ..pair.desk()
    };
    for agreement in [twice, none] {
        let answer = refuses(
            &house,
            BAD,
            sla.create_agreement(pair.agreement_request("", agreement)),
        )
        .await;
        assert!(
            answer
                .fields
                .iter()
                .all(|field| field.starts_with("agreement.targets")),
            "{answer:?}"
        );
    }
    let strangers = v1::Agreement {
        obligor: "party-9".to_owned(),
        beneficiary: String::new(),
        ..pair.desk()
    };
    let fields = ["agreement.obligor", "agreement.beneficiary"];
    faulty(
        &house,
        BAD,
        &fields,
        sla.create_agreement(pair.agreement_request("", strangers)),
    )
    .await;
    let nowhere = v1::Agreement {
        calendar: format!("{}/calendars/nowhere", pair.name),
        ..pair.desk()
    };
    faulty(
        &house,
        "NOT_FOUND",
        &["agreement.calendar"],
        sla.create_agreement(pair.agreement_request("", nowhere)),
    )
    .await;
    house.stop().await;
}

/// Thresholds that do not rise to the whole.
async fn thresholds(house: &House, pair: &Pair) {
    let mut sla = pair.north.connection.sla();
    for thresholds in [
        &[0, 10_000][..],
        &[-1, 10_000],
        &[5_000],
        &[7_500, 5_000, 10_000],
        &[5_000, 5_000, 10_000],
        &[10_000, 20_000],
        &[1; 11],
    ] {
        let agreement = v1::Agreement {
            thresholds_bps: thresholds.to_vec(),
            ..pair.desk()
        };
        let answer = refuses(
            house,
            BAD,
            sla.create_agreement(pair.agreement_request("", agreement)),
        )
        .await;
        assert!(
            answer
                .fields
                .iter()
                .all(|field| field.starts_with("agreement.thresholds_bps")),
            "{answer:?}"
        );
    }
}

/// Of an hour that comes once, nobody can work more than an hour.
async fn unreachable(house: &House, pair: &Pair) {
    let mut sla = pair.north.connection.sla();
    // Open for one hour on one single day.
    let once = v1::Calendar {
        weekly_windows: Vec::new(),
        exceptions: vec![v1::CalendarException {
            start_date: Some(date(2026, 6, 1)),
            end_date: Some(date(2026, 6, 1)),
            windows: vec![v1::DailyWindow {
                start: "08:00".to_owned(),
                end: "09:00".to_owned(),
            }],
            ..Default::default()
        }],
        ..always()
    };
    let once = v1::CreateCalendarRequest {
        calendar_id: "once".to_owned(),
        ..creating(pair, once)
    };
    let once = ok(sla.create_calendar(once)).await;
    let agreement = v1::Agreement {
        calendar: once.name,
        targets: vec![
            target(TargetType::FirstResponse, 1, HOUR),
            target(TargetType::Resolution, 1, HOUR + 1),
        ],
        ..pair.desk()
    };
    let request = pair.agreement_request("", agreement);
    faulty(
        house,
        "TARGET_UNREACHABLE",
        &["agreement.targets[1].duration"],
        sla.create_agreement(request),
    )
    .await;
}

/// Terms and invitations outside of their limits, at which they are taken.
pub async fn terms(house: House) {
    let pair = Pair::active(&house).await;
    let mut partnerships = pair.north.connection.partnerships();
    let proposing = |terms: v1::Terms| v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(terms),
        ..Default::default()
    };
    let share = |(party, share_bps): (&str, i32)| v1::PartyShare {
        party_id: party.to_owned(),
        share_bps,
    };
    for (validity, tolerance) in [(HOUR - 1, -1), (90 * 24 * HOUR + 1, HOUR + 1)] {
        let terms = v1::Terms {
            offer_validity: Some(lasting(validity)),
            future_tolerance: Some(lasting(tolerance)),
            ..Default::default()
        };
        let fields = ["terms.offer_validity", "terms.future_tolerance"];
        let proposed = partnerships.propose_terms(proposing(terms));
        faulty(&house, BAD, &fields, proposed).await;
    }
    for shares in [
        [(NORTH, 6_000), (SOUTH, 3_999)],
        [(NORTH, 5_000), (NORTH, 5_000)],
        [(NORTH, 5_000), ("party-9", 5_000)],
        [(NORTH, 10_001), (SOUTH, -1)],
    ] {
        let terms = v1::Terms {
            shares: shares.map(share).to_vec(),
            ..Default::default()
        };
        let answer = refuses(&house, BAD, partnerships.propose_terms(proposing(terms))).await;
        let of_shares = |field: &String| field.starts_with("terms.shares");
        assert!(
            !answer.fields.is_empty() && answer.fields.iter().all(of_shares),
            "{answer:?}"
        );
    }
    let edges = v1::Terms {
        shares: vec![share((NORTH, 0)), share((SOUTH, 10_000))],
        offer_validity: Some(lasting(HOUR)),
        future_tolerance: Some(lasting(0)),
        ..Default::default()
    };
    ok(partnerships.propose_terms(proposing(edges))).await;

    let solo = ok(partnerships.create_partnership(partnership("Alone"))).await;
    for seconds in [0, 299, 90 * 24 * HOUR + 1] {
        let request = v1::InvitePartnerRequest {
            validity: Some(lasting(seconds)),
            ..invitation(&solo.name)
        };
        faulty(
            &house,
            BAD,
            &["validity"],
            partnerships.invite_partner(request),
        )
        .await;
    }
    house.stop().await;
}

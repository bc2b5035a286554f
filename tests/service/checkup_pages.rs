//! Links to check-ups and the pages that they lead to, and briefings.

use entente::domain::firm::Permission;
use entente::proto::google::r#type::Date;
use entente::proto::v1;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at, lasting};
use super::leaving::leaving;
use super::setting::{NORTH_PSA, Pair, SOUTH, opening, partnership, ticket};
use super::trio::Trio;

/// What nobody should be called.
const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x>";
/// A page has no more bytes.
const PAGE_BYTES_MAX: usize = 50 * 1024;

/// The request for a link with the usual properties.
pub fn linking(partnership: &str) -> v1::CreateCheckupLinkRequest {
    v1::CreateCheckupLinkRequest {
        name: partnership.to_owned(),
        ..v1::CreateCheckupLinkRequest::default()
    }
}

/// The request for this week's briefing.
pub fn briefing(partnership: &str) -> v1::GetBriefingRequest {
    v1::GetBriefingRequest {
        name: partnership.to_owned(),
        ..v1::GetBriefingRequest::default()
    }
}

fn browser() -> Client {
    let client = Client::builder().redirect(Policy::none());
    client.build().expect("a client")
}

/// Asks as a browser does, without any key.
pub async fn look(house: &House, path: &str) -> Response {
    let url = format!("http://{}{path}", house.running.address);
    let request = browser().get(url).header("accept", "text/html,*/*");
    request.send().await.expect("an answer")
}

/// The reason for which a path is refused to a program, and the status.
async fn reason(house: &House, path: &str) -> (StatusCode, String) {
    let url = format!("http://{}{path}", house.running.address);
    let answer = browser().get(url).send().await.expect("an answer");
    let status = answer.status();
    let body: serde_json::Value = answer.json().await.expect("JSON");
    let reason = body["error"]["details"][0]["reason"].as_str();
    (status, reason.unwrap_or_default().to_owned())
}

fn header<'answer>(answer: &'answer Response, name: &str) -> &'answer str {
    let value = answer.headers().get(name).map(|value| value.to_str());
    value.and_then(Result::ok).unwrap_or_default()
}

/// A ticket of north on which south misses both of its targets.
async fn missed_ticket(house: &House, pair: &Pair) -> String {
    let id = ticket(NORTH_PSA, "1");
    let results = pair
        .ingest(&pair.north, vec![opening("e1", &id, 0, 1)])
        .await;
    house.pass(5 * HOUR);
    house.sweep().await;
    results[0].ticket.clone()
}

/// Whoever has the link sees the page, with nothing in it that a browser could be made to run.
pub async fn the_page_of_a_checkup(house: House) {
    let firm = house.firm("north").await;
    let mut request = partnership(HOSTILE);
    HOSTILE.clone_into(&mut request.partner_display_name);
    let mut partnerships = firm.connection.partnerships();
    let name = ok(partnerships.create_partnership(request)).await.name;
    house.pass(HOUR);
    let mut request = linking(&name);
    request.frame_origins = vec!["https://*.psa.example".to_owned()];
    let before = house.heads().await;
    let mut checkups = firm.connection.checkups();
    let link = ok(checkups.create_checkup_link(request)).await;
    assert_eq!(link.expire_time, Some(at(2 * HOUR)));

    let answer = look(&house, &link.path).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    let policy = header(&answer, "content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(
        policy.ends_with("frame-ancestors https://*.psa.example"),
        "{policy}"
    );
    let page = answer.text().await.expect("a page");
    assert!(page.len() <= PAGE_BYTES_MAX, "{} bytes", page.len());
    assert!(
        !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert!(page.contains("NO DATA"));
    assert_eq!(house.heads().await, before, "links are stored nowhere");

    // Its own links need the slash at the end.
    let answer = look(&house, link.path.trim_end_matches('/')).await;
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    assert!(
        link.path
            .ends_with(&format!("/{}", header(&answer, "location")))
    );
    let url = format!("http://{}{}", house.running.address, link.path);
    let answer = browser()
        .request(Method::POST, url)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&answer, "allow"), "GET, HEAD");
    house.stop().await;
}

/// The page has what the report has, and leads to the history of the records behind it.
pub async fn the_page_leads_to_records(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let ticket = missed_ticket(&house, &pair).await;
    let mut souths = pair.south.connection.checkups();
    let request = v1::GetCheckupRequest {
        name: pair.name.clone(),
        ..v1::GetCheckupRequest::default()
    };
    let report = ok(souths.get_checkup(request)).await;
    let respect = &report.rows[3].sides[1];
    assert_eq!(
        (respect.party_id.as_str(), respect.intensity),
        (SOUTH, Some(1))
    );
    let link = ok(souths.create_checkup_link(linking(&pair.name))).await;
    let page = look(&house, &link.path).await.text().await.expect("a page");
    let id = ticket.rsplit('/').next().expect("an id");
    assert!(page.contains(&format!("href=\"tickets/{id}\"")), "{page}");
    assert!(page.contains("1 slight") && page.contains("What would change it"));

    let record = look(&house, &format!("{}tickets/{id}", link.path)).await;
    assert_eq!(record.status(), StatusCode::OK);
    assert!(header(&record, "content-security-policy").ends_with("frame-ancestors 'none'"));
    let record = record.text().await.expect("a page");
    assert!(
        record.contains("ticket.") && record.contains(&ticket),
        "{record}"
    );
    for nowhere in ["tickets/nothing", "nonsense/x", "tickets", "tickets/a/b"] {
        let (status, reason) = reason(&house, &format!("{}{nowhere}", link.path)).await;
        assert_eq!(
            (status, reason.as_str()),
            (StatusCode::NOT_FOUND, "NOT_FOUND"),
            "{nowhere}"
        );
    }
    house.stop().await;
}

/// A link is good for its partnership, until it ends, and as long as the firm is a party.
pub async fn links_that_are_not_good(house: House) {
    let trio = Trio::active(&house).await;
    let (pair, west) = (&trio.pair, &trio.west);
    let mut norths = pair.north.connection.checkups();
    let link = ok(norths.create_checkup_link(linking(&pair.name))).await;
    let mut partnerships = pair.north.connection.partnerships();
    let other = ok(partnerships.create_partnership(partnership("Another")))
        .await
        .name;
    let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let elsewhere = link.path.replace(&id(&pair.name), &id(&other));
    let expected = |status, reason: &str| (status, reason.to_owned());
    let wrong = expected(
        StatusCode::FORBIDDEN,
        "CHECKUP_LINK_FOR_ANOTHER_PARTNERSHIP",
    );
    assert_eq!(reason(&house, &elsewhere).await, wrong);
    let nothing = expected(StatusCode::NOT_FOUND, "NOT_FOUND");
    let middle = link.path.len() - 8;
    let swapped = if link.path.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut forged = link.path.clone();
    forged.replace_range(middle..=middle, swapped);
    for bad in [forged.as_str(), "/checkup/", "/checkup/x/y/", "/checkup//"] {
        assert_eq!(reason(&house, bad).await, nothing, "{bad}");
    }
    let answer = look(&house, &forged).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(
        answer
            .text()
            .await
            .expect("a page")
            .contains("There is nothing here")
    );

    let mut brief = linking(&pair.name);
    brief.lifetime = Some(lasting(60));
    let brief = ok(norths.create_checkup_link(brief)).await;
    assert_eq!(look(&house, &brief.path).await.status(), StatusCode::OK);
    house.pass(60);
    let gone = expected(StatusCode::GONE, "CHECKUP_LINK_EXPIRED");
    assert_eq!(reason(&house, &brief.path).await, gone);
    let answer = look(&house, &brief.path).await;
    assert!(
        answer
            .text()
            .await
            .expect("a page")
            .contains("This link is good no more")
    );

    let long = v1::CreateCheckupLinkRequest {
        lifetime: Some(lasting(7 * 24 * HOUR)),
        ..linking(&pair.name)
    };
    let long = ok(west.connection.checkups().create_checkup_link(long)).await;
    assert_eq!(look(&house, &long.path).await.status(), StatusCode::OK);
    let mut wests = west.connection.partnerships();
    ok(wests.leave_partnership(leaving(&pair.name))).await;
    let gone = expected(StatusCode::NOT_FOUND, "PARTY_LEFT");
    assert_eq!(reason(&house, &long.path).await, gone);
    house.stop().await;
}

/// What is wrong with a request for a link or a briefing is said all at once.
pub async fn links_and_briefings_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.checkups();
    let bad = v1::CreateCheckupLinkRequest {
        window: Some(v1::CheckupWindow {
            start_time: Some(at(0)),
            end_time: None,
        }),
        lifetime: Some(lasting(7 * 24 * HOUR + 1)),
        frame_origins: vec![
            "https://psa.example".to_owned(),
            "https://psa.example; script-src *".to_owned(),
        ],
        ..linking(&pair.name)
    };
    let fields = ["window.end_time", "lifetime", "frame_origins[1]"];
    let call = norths.create_checkup_link(bad);
    faulty(&house, "INVALID_FIELD", &fields, call).await;
    let early = v1::CreateCheckupLinkRequest {
        as_of_time: Some(at(-HOUR)),
        ..linking(&pair.name)
    };
    let call = norths.create_checkup_link(early);
    faulty(&house, "INVALID_FIELD", &["as_of_time"], call).await;
    let bad = v1::GetBriefingRequest {
        week: Some(Date {
            year: 2026,
            month: 2,
            day: 30,
        }),
        since_time: Some(at(HOUR)),
        ..briefing(&pair.name)
    };
    let call = norths.get_briefing(bad);
    faulty(&house, "INVALID_FIELD", &["week", "since_time"], call).await;
    let past = v1::GetBriefingRequest {
        week: Some(Date {
            year: 2026,
            month: 3,
            day: 1,
        }),
        ..briefing(&pair.name)
    };
    faulty(
        &house,
        "INVALID_FIELD",
        &["week"],
        norths.get_briefing(past),
    )
    .await;
    let stranger = house.firm_with("east", &[Permission::Read]).await;
    let mut strangers = stranger.connection.checkups();
    let call = strangers.create_checkup_link(linking(&pair.name));
    refuses(&house, "NOT_FOUND", call).await;
    let call = strangers.get_briefing(briefing(&pair.name));
    refuses(&house, "NOT_FOUND", call).await;
    house.stop().await;
}

/// Both firms are told the same from their own sides.
pub async fn a_briefing_for_the_week(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let ticket = missed_ticket(&house, &pair).await;
    let norths = ok(pair
        .north
        .connection
        .checkups()
        .get_briefing(briefing(&pair.name)))
    .await;
    let souths = ok(pair
        .south
        .connection
        .checkups()
        .get_briefing(briefing(&pair.name)))
    .await;
    assert_eq!(norths.week.map(|day| (day.month, day.day)), Some((3, 2)));
    assert_eq!(norths.owed_by_caller, []);
    assert_eq!(norths.owed_to_caller, souths.owed_by_caller);
    let owed = &souths.owed_by_caller[0];
    assert_eq!((owed.name.as_str(), owed.overdue), (ticket.as_str(), true));
    assert_eq!(
        (owed.party_ids.as_slice(), souths.owed_by_caller_count),
        (&[SOUTH.to_owned()][..], 1)
    );
    assert_eq!(norths.due, souths.due);
    assert_eq!(norths.changes, souths.changes);
    let mut changes = norths.changes.iter();
    let change = changes.find(|change| change.party_id == SOUTH);
    let change = change.expect("south's figures changed");
    assert_eq!(
        (change.before.as_str(), change.intensity_after),
        ("", Some(1))
    );
    assert_eq!(norths.agenda, souths.agenda);
    assert!(
        norths.agenda[0].starts_with("Overdue: Ticket "),
        "{:?}",
        norths.agenda
    );
    assert!(
        norths
            .text
            .contains("What The north firm owes\n- nothing\n"),
        "{}",
        norths.text
    );
    assert!(
        souths.text.contains("What The south firm owes\n- Ticket "),
        "{}",
        souths.text
    );
    house.stop().await;
}
